#include "tests/unit/inventory/sales.h"

#define ROOMS 5u

static int32_t day_one(void)
{
	return world_day(2026, 11, 25);
}

Test(resolve, of_an_unknown_id_is_final)
{
	struct world w;
	world_init(&w, NULL);
	world_standard(&w, 1, ROOMS);
	struct kr_id id = sales_id(&w, 1);
	cr_assert_eq(sales_resolve(&w, id), KEYRACK_NOT_FOUND);
	cr_assert_eq(w.effect.kind, INV_EFFECT_VOID);
	cr_assert_eq(w.effect.hotel.v, 0);
	cr_assert_eq(w.effect.event_seq, 0);
	cr_assert_eq(w.answer.state, INV_VOID);
	struct inv_line line = stay_line(1, day_one(), day_one() + 1);
	for (int book = 0; book < 2; book++) {
		struct inv_reserve_op late = hold_op(&w, 1, &line, 1);
		late.book = book;
		late.id = id;
		cr_assert_eq(sales_reserve(&w, &late), KEYRACK_BAD_STATE);
		cr_assert_eq(w.answer.state, INV_VOID);
		cr_assert_eq(w.answer.refusal.state, INV_VOID);
		cr_assert_eq(w.answer.outcome, 0);
	}
	const uint64_t lsn = w.lsn;
	cr_assert_eq(sales_resolve(&w, id), KEYRACK_NOT_FOUND);
	cr_assert_eq(w.lsn, lsn, "once is enough");
	cr_assert_eq(world_counter(&w, 1, day_one()).held, 0);
	sales_agree(&w);
	world_fini(&w);
}

Test(resolve, stays_with_the_hotel_that_was_named)
{
	struct world w;
	world_init(&w, NULL);
	world_standard(&w, 1, ROOMS);
	struct inv_hotel_view before, after;
	cr_assert(inv_hotel_get(w.inv, (struct hotel_id){WORLD_HOTEL}, &before));
	struct inv_transition_op op = transition_op(INV_RESOLVE, sales_id(&w, 1));
	op.has_hotel = true;
	op.hotel.v = WORLD_HOTEL;
	cr_assert_eq(sales_transition(&w, &op), KEYRACK_NOT_FOUND);
	cr_assert_eq(w.effect.hotel.v, WORLD_HOTEL);
	cr_assert_eq(w.answer.hotel.v, WORLD_HOTEL);
	cr_assert(inv_hotel_get(w.inv, (struct hotel_id){WORLD_HOTEL}, &after));
	cr_assert_eq(after.event_seq, before.event_seq + 1);
	cr_assert_eq(after.reservation_count, 1);
	/* a hotel of that slot which nobody has: the shard keeps it */
	op.id = sales_id(&w, 2);
	op.hotel.v = WORLD_HOTEL + 1;
	while (slot_of_hotel(op.hotel) != reservation_id_slot(op.id))
		op.hotel.v++;
	cr_assert_eq(sales_transition(&w, &op), KEYRACK_NOT_FOUND);
	cr_assert_eq(w.effect.hotel.v, 0);
	cr_assert_eq(sales_state(&w, op.id), INV_VOID);
	sales_agree(&w);
	world_fini(&w);
}

Test(resolve, of_a_known_id_shows_it_and_changes_nothing)
{
	struct world w;
	world_init(&w, NULL);
	world_standard(&w, 1, ROOMS);
	struct kr_id id = sales_hold(&w, 1, 1, day_one(), day_one() + 1);
	const uint64_t digest = inv_digest(w.inv);
	cr_assert_eq(sales_resolve(&w, id), KEYRACK_DONE);
	cr_assert_eq(w.answer.outcome, KEYRACK_DONE);
	cr_assert_eq(w.answer.state, INV_HELD);
	cr_assert_eq(w.answer.hotel.v, WORLD_HOTEL);
	cr_assert_eq(w.answer.wait_lsn, w.lsn);
	cr_assert_eq(inv_digest(w.inv), digest);
	world_fini(&w);
}

Test(resolve, makes_a_remembered_refusal_final_too)
{
	struct world w;
	world_init(&w, NULL);
	world_standard(&w, 1, 0);
	struct inv_line line = stay_line(1, day_one(), day_one() + 1);
	struct inv_reserve_op op = hold_op(&w, 1, &line, 1);
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_SOLD_OUT);
	cr_assert_eq(sales_confirm(&w, op.id), KEYRACK_NOT_FOUND);
	cr_assert_eq(sales_resolve(&w, op.id), KEYRACK_NOT_FOUND);
	cr_assert_eq(w.answer.outcome, KEYRACK_SOLD_OUT);
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_BAD_STATE);
	sales_agree(&w);
	world_fini(&w);
}

/* The record first, then the refusal, then the id's age: ARCHITECTURE.md. */
Test(resolve, behind_a_retired_void_the_refusal_is_remembered_still)
{
	struct world w;
	world_init(&w, NULL);
	world_standard(&w, 1, 0);
	struct inv_line line = stay_line(1, day_one(), day_one() + 1);
	struct inv_reserve_op op = hold_op(&w, 1, &line, 1);
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_SOLD_OUT);
	cr_assert_eq(sales_resolve(&w, op.id), KEYRACK_NOT_FOUND);
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_BAD_STATE);
	w.now.t_us += INV_RETENTION_US + 1000;
	(void)sales_due(&w);
	cr_assert_eq(sales_state(&w, op.id), 0);
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_SOLD_OUT);
	cr_assert_eq(sales_counts(&w).reservations, 0, "and never sells");
	cr_assert_eq(sales_resolve(&w, op.id), KEYRACK_KEY_EXPIRED);
	cr_assert_eq(sales_confirm(&w, op.id), KEYRACK_KEY_EXPIRED);
	op = hold_op(&w, 2, &line, 1);
	op.id = sales_id_at(sales_counts(&w).purge_mark_us - 1000, WORLD_HOTEL, 2);
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_KEY_EXPIRED, "of this nothing is remembered");
	sales_agree(&w);
	world_fini(&w);
}

Test(resolve, of_another_layout_makes_nothing)
{
	struct world w;
	world_init(&w, NULL);
	world_standard(&w, 1, ROOMS);
	struct inv_transition_op op = transition_op(INV_RESOLVE, (struct kr_id){5, 5});
	cr_assert_eq(sales_transition(&w, &op), KEYRACK_INVALID);
	op.has_hotel = true;
	op.hotel.v = WORLD_HOTEL;
	cr_assert_eq(sales_transition(&w, &op), KEYRACK_NOT_FOUND);
	cr_assert_eq(sales_counts(&w).reservations, 0);
	world_fini(&w);
}

Test(resolve, voids_retire_with_and_without_a_hotel)
{
	struct world w;
	world_init(&w, NULL);
	world_standard(&w, 1, ROOMS);
	for (uint64_t n = 0; n < 6; n++) {
		struct inv_transition_op op = transition_op(INV_RESOLVE, sales_id(&w, n));
		op.has_hotel = n % 2;
		op.hotel.v = WORLD_HOTEL;
		cr_assert_eq(sales_transition(&w, &op), KEYRACK_NOT_FOUND);
	}
	sales_agree(&w);
	w.now.t_us += INV_RETENTION_US + 1;
	(void)sales_due(&w);
	cr_assert_eq(sales_counts(&w).reservations, 0);
	sales_agree(&w);
	world_fini(&w);
}
