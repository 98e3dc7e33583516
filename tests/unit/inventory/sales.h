/*
 * Selling in a small world: operations with sensible values, judged and applied to the live
 * inventory and to its mirror; sales_agree() checks both, and a third one loaded from chunks.
 */
#ifndef TESTS_UNIT_INVENTORY_SALES_H
#define TESTS_UNIT_INVENTORY_SALES_H

#include "tests/unit/inventory/world.h"

#define SECOND_US UINT64_C(1000000)
#define MINUTE_US (60 * SECOND_US)

/* Minted now for WORLD_HOTEL; `random` tells ids of one instant apart. */
struct kr_id sales_id(const struct world *w, uint64_t random);
struct kr_id sales_id_at(uint64_t t_us, uint64_t hotel, uint64_t random);

/* Count only, one room, one guest. */
struct inv_line stay_line(uint16_t type, int32_t check_in, int32_t check_out);
/* HOLD in WORLD_HOTEL under sales_id(random). `lines` must live as long as the op. */
struct inv_reserve_op hold_op(
	const struct world *w, uint64_t random, const struct inv_line *lines, uint32_t line_count);
struct inv_reserve_op book_op(
	const struct world *w, uint64_t random, const struct inv_line *lines, uint32_t line_count);
struct inv_transition_op transition_op(enum inv_transition transition, struct kr_id id);

/* The answer's code; w->answer and w->effect are of this call. The fingerprint is filled in. */
uint16_t sales_reserve(struct world *w, struct inv_reserve_op *op);
uint16_t sales_transition(struct world *w, const struct inv_transition_op *op);
uint16_t sales_confirm(struct world *w, struct kr_id id);
uint16_t sales_release(struct world *w, struct kr_id id);
uint16_t sales_cancel(struct world *w, struct kr_id id, bool any);
uint16_t sales_resolve(struct world *w, struct kr_id id);
/* One room of a type over [first, end): the id it was sold under. */
struct kr_id sales_hold(
	struct world *w, uint64_t random, uint16_t type, int32_t first, int32_t end);
struct kr_id sales_book(
	struct world *w, uint64_t random, uint16_t type, int32_t first, int32_t end);

/* Everything the clock has to do now; returns how many effects. */
uint32_t sales_due(struct world *w);
/* Applies an effect judged elsewhere to both. */
void sales_apply(struct world *w);
/* The state of an id, 0 when it is not there. */
uint8_t sales_state(const struct world *w, struct kr_id id);
struct inv_counts sales_counts(const struct world *w);

/* One price for all nights of a type. */
void sales_price(struct world *w, uint16_t type, int64_t price_minor);
/* An update over the whole window of a type; set fields of `op->update` first. */
struct inv_update_op window_op(const struct world *w, const uint16_t *type);

void sales_agree(struct world *w);

#endif
