#include "tests/unit/inventory/sales.h"

#include <stdlib.h>

struct kr_id sales_id_at(uint64_t t_us, uint64_t hotel, uint64_t random)
{
	return reservation_id_mint(t_us / 1000, slot_of_hotel((struct hotel_id){hotel}), random);
}

struct kr_id sales_id(const struct world *w, uint64_t random)
{
	return sales_id_at(w->now.t_us, WORLD_HOTEL, random);
}

struct inv_line stay_line(uint16_t type, int32_t check_in, int32_t check_out)
{
	return (struct inv_line){
		.type = type,
		.check_in = check_in,
		.check_out = check_out,
		.rooms = 1,
		.guests = 1,
		.pricing = INV_PRICE_NONE,
	};
}

struct inv_reserve_op hold_op(
	const struct world *w, uint64_t random, const struct inv_line *lines, uint32_t line_count)
{
	return (struct inv_reserve_op){
		.hotel = {WORLD_HOTEL},
		.id = sales_id(w, random),
		.lines = lines,
		.line_count = line_count,
	};
}

struct inv_reserve_op book_op(
	const struct world *w, uint64_t random, const struct inv_line *lines, uint32_t line_count)
{
	struct inv_reserve_op op = hold_op(w, random, lines, line_count);
	op.book = true;
	return op;
}

struct inv_transition_op transition_op(enum inv_transition transition, struct kr_id id)
{
	return (struct inv_transition_op){.transition = transition, .id = id};
}

/* The mirror first, as in a replay it must not lean on the live one's scratch. */
void sales_apply(struct world *w)
{
	w->effect.lsn = ++w->lsn;
	int r = inv_apply(w->mirror, &w->effect, &w->contradiction);
	cr_assert_eq(r, 0, "mirror: %s", w->contradiction.what);
	r = inv_apply(w->inv, &w->effect, &w->contradiction);
	cr_assert_eq(r, 0, "%s", w->contradiction.what);
}

static uint16_t sales_take(struct world *w, enum inv_result result)
{
	if (result == INV_EFFECT)
		sales_apply(w);
	if (w->answer.code != KEYRACK_DONE) {
		cr_assert_eq(w->answer.code, w->answer.refusal.code);
		cr_assert_neq(w->answer.refusal.rule, 0);
		cr_assert(result == INV_ANSWER || w->effect.kind == INV_EFFECT_VOID);
	}
	return w->answer.code;
}

uint16_t sales_reserve(struct world *w, struct inv_reserve_op *op)
{
	op->fingerprint = inv_reserve_fingerprint(op);
	for (unsigned stage = 0; stage < 3; stage++)
		inv_reserve_prefetch(w->inv, op, stage);
	return sales_take(w, inv_reserve_judge(w->inv, w->now, op, &w->effect, &w->answer));
}

uint16_t sales_transition(struct world *w, const struct inv_transition_op *op)
{
	for (unsigned stage = 0; stage < 3; stage++)
		inv_transition_prefetch(w->inv, op->id, stage);
	return sales_take(w, inv_transition_judge(w->inv, w->now, op, &w->effect, &w->answer));
}

uint16_t sales_confirm(struct world *w, struct kr_id id)
{
	struct inv_transition_op op = transition_op(INV_CONFIRM, id);
	return sales_transition(w, &op);
}

uint16_t sales_release(struct world *w, struct kr_id id)
{
	struct inv_transition_op op = transition_op(INV_RELEASE, id);
	return sales_transition(w, &op);
}

uint16_t sales_cancel(struct world *w, struct kr_id id, bool any)
{
	struct inv_transition_op op = transition_op(INV_CANCEL, id);
	op.any = any;
	return sales_transition(w, &op);
}

uint16_t sales_resolve(struct world *w, struct kr_id id)
{
	struct inv_transition_op op = transition_op(INV_RESOLVE, id);
	return sales_transition(w, &op);
}

struct kr_id sales_hold(struct world *w, uint64_t random, uint16_t type, int32_t first, int32_t end)
{
	struct inv_line line = stay_line(type, first, end);
	struct inv_reserve_op op = hold_op(w, random, &line, 1);
	cr_assert_eq(sales_reserve(w, &op), KEYRACK_DONE, "%u", w->answer.code);
	return op.id;
}

struct kr_id sales_book(struct world *w, uint64_t random, uint16_t type, int32_t first, int32_t end)
{
	struct inv_line line = stay_line(type, first, end);
	struct inv_reserve_op op = book_op(w, random, &line, 1);
	cr_assert_eq(sales_reserve(w, &op), KEYRACK_DONE, "%u", w->answer.code);
	return op.id;
}

uint32_t sales_due(struct world *w)
{
	uint32_t count = 0;
	while (inv_due_next_us(w->inv) <= w->now.t_us &&
		inv_due_judge(w->inv, w->now, &w->effect) == INV_EFFECT) {
		cr_assert_eq(w->effect.actor.source, INV_SOURCE_CLOCK);
		sales_apply(w);
		count++;
	}
	return count;
}

uint8_t sales_state(const struct world *w, struct kr_id id)
{
	struct inv_reservation_view view;
	return inv_reservation_get(w->inv, id, w->now.t_us, &view) ? view.state : 0;
}

struct inv_counts sales_counts(const struct world *w)
{
	struct inv_counts counts;
	inv_counts_get(w->inv, &counts);
	return counts;
}

struct inv_update_op window_op(const struct world *w, const uint16_t *type)
{
	struct inv_hotel_view view;
	cr_assert(inv_hotel_get(w->inv, (struct hotel_id){WORLD_HOTEL}, &view));
	return update_op(type, 1, view.business_day,
		view.business_day + (int32_t)w->config.window_nights - 1);
}

void sales_price(struct world *w, uint16_t type, int64_t price_minor)
{
	struct inv_update_op op = window_op(w, &type);
	op.update.set_mask = INV_UPDATE_PRICE;
	op.update.price_minor = price_minor;
	cr_assert_eq(world_update(w, &op), KEYRACK_DONE);
}

/* ---- a third inventory, from chunks ---- */

static void sales_load(struct world *w, struct inv *copy, uint32_t chunk)
{
	uint64_t size_bytes = inv_chunk_size_max(w->inv, chunk);
	uint8_t *bytes = malloc(size_bytes);
	cr_assert_not_null(bytes);
	struct kr_writer writer;
	kr_writer_init(&writer, bytes, size_bytes);
	inv_chunk_save(w->inv, chunk, &writer);
	cr_assert(!writer.failed);
	struct kr_reader reader;
	kr_reader_init(&reader, bytes, kr_writer_size(&writer));
	int r = inv_chunk_load(copy, &reader, inv_chunk_lsn(w->inv, chunk),
		inv_chunk_digest(w->inv, chunk), &w->contradiction);
	cr_assert_eq(r, 0, "chunk %u: %s", chunk, w->contradiction.what);
	free(bytes);
}

void sales_agree(struct world *w)
{
	world_agree(w);
	void *memory;
	struct inv *copy = world_inventory_new(w, &memory);
	for (uint32_t chunk = 0; chunk < inv_chunk_count(w->inv); chunk++)
		sales_load(w, copy, chunk);
	cr_assert_eq(inv_digest(copy), inv_digest(w->inv));
	int r = inv_verify(copy, &w->contradiction);
	cr_assert_eq(r, 0, "loaded: %s", w->contradiction.what);
	struct inv_counts a, b;
	inv_counts_get(w->inv, &a);
	inv_counts_get(copy, &b);
	cr_assert_eq(a.reservations, b.reservations);
	cr_assert_eq(a.holds, b.holds);
	cr_assert_eq(a.nodes, b.nodes);
	free(memory);
}
