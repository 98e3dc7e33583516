/* Reservations that come in, for the tests of it. */
#ifndef TESTS_UNIT_INVENTORY_IMPORTS_H
#define TESTS_UNIT_INVENTORY_IMPORTS_H

#include "tests/unit/inventory/sales.h"

#define ROOMS 3u
#define OTHER_HOTEL UINT64_C(78)

static inline int32_t today(void)
{
	return world_day(2026, 11, 22);
}

static inline struct kr_id foreign(uint64_t number)
{
	return (struct kr_id){.hi = 0x5b5b, .lo = number};
}

static inline void import_init(struct world *w)
{
	world_init(w, NULL);
	world_standard(w, 2, ROOMS);
}

/* CONFIRMED, made a month ago, changed an hour ago. */
static inline struct inv_import_op import_op(
	const struct world *w, struct kr_id id, const struct inv_line *lines, uint32_t line_count)
{
	return (struct inv_import_op){
		.hotel = {WORLD_HOTEL},
		.id = id,
		.state = INV_CONFIRMED,
		.revision = 4,
		.created_at_us = w->now.t_us - 30 * DAY_US,
		.changed_at_us = w->now.t_us - HOUR_US,
		.lines = lines,
		.line_count = line_count,
		.source = 9,
	};
}

static inline uint16_t import(struct world *w, struct inv_import_op *op)
{
	op->fingerprint = inv_import_fingerprint(op);
	if (inv_import_judge(w->inv, w->now, op, &w->effect, &w->answer) == INV_EFFECT) {
		cr_assert_eq(w->answer.code, KEYRACK_DONE);
		cr_assert_eq(w->effect.actor.source, INV_SOURCE_IMPORT);
		sales_apply(w);
	} else if (w->answer.code != KEYRACK_DONE) {
		cr_assert_eq(w->answer.code, w->answer.refusal.code);
		cr_assert_neq(w->answer.refusal.rule, 0);
	}
	return w->answer.code;
}

static inline struct inv_reservation_view seen(struct world *w, struct kr_id id)
{
	struct inv_reservation_view view;
	struct hotel_id hotel = {WORLD_HOTEL};
	cr_assert(inv_reservation_get_of(w->inv, hotel, id, w->now.t_us, &view));
	return view;
}

#endif
