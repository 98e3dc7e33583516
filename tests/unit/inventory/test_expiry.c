#include "tests/unit/inventory/sales.h"

#define ROOMS 5u

static int32_t day_one(void)
{
	return world_day(2026, 11, 25);
}

static void expiry_init(struct world *w)
{
	world_init(w, NULL);
	world_standard(w, 1, ROOMS);
}

/* A hold with its own time to live. */
static struct kr_id held_for(struct world *w, uint64_t random, uint64_t ttl_us)
{
	struct inv_line line = stay_line(1, day_one(), day_one() + 2);
	struct inv_reserve_op op = hold_op(w, random, &line, 1);
	op.ttl_us = ttl_us;
	cr_assert_eq(sales_reserve(w, &op), KEYRACK_DONE);
	return op.id;
}

Test(expiry, a_hold_expires_exactly_at_its_deadline)
{
	struct world w;
	expiry_init(&w);
	struct kr_id id = held_for(&w, 1, 10 * MINUTE_US);
	const uint64_t deadline_us = w.now.t_us + 10 * MINUTE_US;
	cr_assert_eq(w.answer.expires_at_us, deadline_us);
	cr_assert_eq(inv_due_next_us(w.inv), deadline_us);
	w.now.t_us = deadline_us - 1;
	cr_assert_eq(sales_due(&w), 0);
	struct inv_reservation_view view;
	cr_assert(inv_reservation_get(w.inv, id, w.now.t_us, &view));
	cr_assert(!view.due);
	w.now.t_us = deadline_us;
	cr_assert(inv_reservation_get(w.inv, id, w.now.t_us, &view));
	cr_assert(view.due);
	cr_assert_eq(view.state, INV_HELD);
	cr_assert_eq(world_counter(&w, 1, day_one()).held, 1, "it still counts");
	cr_assert_eq(sales_due(&w), 1);
	cr_assert_eq(w.effect.kind, INV_EFFECT_EXPIRE);
	cr_assert_eq(sales_state(&w, id), INV_EXPIRED);
	cr_assert_eq(world_counter(&w, 1, day_one()).held, 0);
	sales_agree(&w);
	world_fini(&w);
}

Test(expiry, a_hold_can_be_confirmed_until_its_deadline_and_not_at_it)
{
	struct world w;
	expiry_init(&w);
	struct kr_id in_time = held_for(&w, 1, 10 * MINUTE_US);
	struct kr_id late = held_for(&w, 2, 10 * MINUTE_US);
	w.now.t_us += 10 * MINUTE_US - 1;
	cr_assert_eq(sales_confirm(&w, in_time), KEYRACK_DONE);
	w.now.t_us++;
	cr_assert_eq(sales_confirm(&w, late), KEYRACK_HOLD_EXPIRED);
	cr_assert_eq(w.answer.state, INV_HELD);
	cr_assert(w.answer.due);
	cr_assert_eq(w.answer.refusal.rule, RULE_LIMIT);
	/* 5 rooms, one booked, one still held by the one who asks */
	cr_assert_eq(w.answer.refusal.left, 4);
	cr_assert_eq(w.answer.refusal.required, 1);
	cr_assert_eq(w.answer.refusal.day, day_one());
	cr_assert_eq(sales_due(&w), 1);
	cr_assert_eq(sales_confirm(&w, late), KEYRACK_HOLD_EXPIRED);
	cr_assert_eq(w.answer.state, INV_EXPIRED);
	cr_assert_eq(w.answer.refusal.left, 4, "what is left does not depend on the sweep");
	(void)sales_book(&w, 3, 1, day_one() + 1, day_one() + 2);
	cr_assert_eq(sales_confirm(&w, late), KEYRACK_HOLD_EXPIRED);
	cr_assert_eq(w.answer.refusal.left, 3);
	cr_assert_eq(w.answer.refusal.day, day_one() + 1, "the tightest night");
	sales_agree(&w);
	world_fini(&w);
}

Test(expiry, the_time_to_live_is_the_hotels_unless_asked_and_capped)
{
	struct world w;
	expiry_init(&w);
	const uint64_t t_us = w.now.t_us;
	(void)held_for(&w, 1, 0);
	cr_assert_eq(w.answer.expires_at_us, t_us + INV_HOLD_TTL_US);
	(void)held_for(&w, 2, 1);
	cr_assert_eq(w.answer.expires_at_us, t_us + 1);
	(void)held_for(&w, 3, UINT64_MAX);
	cr_assert_eq(w.answer.expires_at_us, t_us + INV_HOLD_TTL_MAX_US);
	struct inv_hotel_op put = {.hotel = {WORLD_HOTEL},
		.mask = INV_HOTEL_HOLD_TTL | INV_HOTEL_HOLD_TTL_MAX,
		.settings = {.hold_ttl_us = 3 * MINUTE_US, .hold_ttl_max_us = 4 * MINUTE_US}};
	cr_assert_eq(world_hotel_put(&w, &put), KEYRACK_DONE);
	(void)held_for(&w, 4, 0);
	cr_assert_eq(w.answer.expires_at_us, t_us + 3 * MINUTE_US);
	(void)held_for(&w, 5, 5 * MINUTE_US);
	cr_assert_eq(w.answer.expires_at_us, t_us + 4 * MINUTE_US);
	sales_agree(&w);
	world_fini(&w);
}

Test(expiry, holds_expire_in_the_order_of_their_deadlines)
{
	struct world w;
	expiry_init(&w);
	const uint64_t minutes[] = {7, 3, 9, 1, 5};
	for (uint64_t n = 0; n < 5; n++)
		(void)held_for(&w, n, minutes[n] * MINUTE_US);
	const uint64_t t_us = w.now.t_us;
	w.now.t_us += 8 * MINUTE_US;
	uint64_t last_us = 0, count = 0;
	while (inv_due_judge(w.inv, w.now, &w.effect) == INV_EFFECT) {
		struct inv_reservation_view view;
		cr_assert(inv_reservation_get(w.inv, w.effect.id, w.now.t_us, &view));
		cr_assert_gt(view.expires_at_us, last_us);
		last_us = view.expires_at_us;
		sales_apply(&w);
		sales_agree(&w);
		count++;
	}
	cr_assert_eq(count, 4);
	cr_assert_eq(inv_due_next_us(w.inv), t_us + 9 * MINUTE_US);
	cr_assert_eq(world_counter(&w, 1, day_one()).held, 1);
	world_fini(&w);
}

Test(expiry, a_hotel_drains_its_own_due_holds)
{
	struct world w;
	expiry_init(&w);
	struct kr_id due[3], live[2];
	for (uint64_t n = 0; n < 2; n++)
		live[n] = held_for(&w, n, 20 * MINUTE_US);
	for (uint64_t n = 0; n < 3; n++)
		due[n] = held_for(&w, 10 + n, 2 * MINUTE_US);
	w.now.t_us += 2 * MINUTE_US;
	uint32_t count = 0;
	const struct hotel_id hotel = {WORLD_HOTEL};
	while (inv_due_hotel_judge(w.inv, w.now, hotel, &w.effect) == INV_EFFECT) {
		cr_assert_eq(w.effect.kind, INV_EFFECT_EXPIRE);
		sales_apply(&w);
		sales_agree(&w);
		count++;
	}
	cr_assert_eq(count, 3);
	for (int n = 0; n < 3; n++)
		cr_assert_eq(sales_state(&w, due[n]), INV_EXPIRED);
	for (int n = 0; n < 2; n++)
		cr_assert_eq(sales_state(&w, live[n]), INV_HELD);
	const struct hotel_id nobody = {WORLD_HOTEL + 1};
	cr_assert_eq(inv_due_hotel_judge(w.inv, w.now, nobody, &w.effect), INV_ANSWER);
	world_fini(&w);
}

Test(expiry, what_stood_before_the_window_is_not_counted_back)
{
	struct world w;
	expiry_init(&w);
	const int32_t today = world_day(2026, 11, 22);
	struct inv_line line = stay_line(1, today, today + 4);
	struct inv_reserve_op op = book_op(&w, 1, &line, 1);
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_DONE);
	op = hold_op(&w, 2, &line, 1);
	op.ttl_us = INV_HOLD_TTL_MAX_US;
	world_time(&w, 2026, 11, 23, 3, 50);
	op.id = sales_id(&w, 2);
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_DONE, "the business day has not turned");
	world_time(&w, 2026, 11, 23, 4, 0);
	cr_assert_eq(sales_due(&w), 1);
	cr_assert_eq(w.effect.kind, INV_EFFECT_WINDOW);
	/* the first night's place in the ring is now the last one's */
	const int32_t last = today + (int32_t)w.config.window_nights;
	cr_assert_eq(world_counter(&w, 1, last).held, 0);
	sales_agree(&w);
	cr_assert_eq(sales_confirm(&w, op.id), KEYRACK_DONE);
	cr_assert_eq(w.effect.old_count, 3);
	cr_assert_eq(world_counter(&w, 1, last).booked, 0);
	cr_assert_eq(world_counter(&w, 1, today + 1).booked, 2);
	sales_agree(&w);
	world_time(&w, 2026, 11, 25, 4, 0);
	cr_assert_eq(sales_due(&w), 1, "two days in one roll");
	cr_assert_eq(sales_cancel(&w, op.id, false), KEYRACK_DONE);
	cr_assert_eq(w.effect.old_count, 1);
	cr_assert_eq(world_counter(&w, 1, today + 3).booked, 1);
	struct inv_reservation_view view;
	cr_assert(inv_reservation_get(w.inv, op.id, w.now.t_us, &view));
	cr_assert_eq(view.counted_until, today, "cancelled: counted until check-in");
	sales_agree(&w);
	world_fini(&w);
}

/* ---- grace ---- */

static uint32_t graced(struct world *w, uint64_t last_t_us)
{
	uint32_t count = 0;
	while (inv_grace_judge(w->inv, w->now, last_t_us, &w->effect) == INV_EFFECT) {
		cr_assert_eq(w->effect.kind, INV_EFFECT_GRACE);
		sales_apply(w);
		count++;
	}
	return count;
}

Test(expiry, a_restart_gives_lapsed_holds_a_grace_once)
{
	struct world w;
	expiry_init(&w);
	struct kr_id before = held_for(&w, 1, 1 * MINUTE_US);
	struct kr_id at_last = held_for(&w, 2, 2 * MINUTE_US);
	struct kr_id lapsed = held_for(&w, 3, 2 * MINUTE_US + 1);
	struct kr_id just = held_for(&w, 4, 10 * MINUTE_US);
	struct kr_id live = held_for(&w, 5, 10 * MINUTE_US + 1);
	const uint64_t t_us = w.now.t_us, last_us = t_us + 2 * MINUTE_US;
	w.now.t_us = t_us + 10 * MINUTE_US;
	cr_assert_eq(graced(&w, last_us), 2);
	sales_agree(&w);
	struct inv_reservation_view view;
	const struct kr_id with[] = {lapsed, just}, without[] = {before, at_last, live};
	for (int n = 0; n < 2; n++) {
		cr_assert(inv_reservation_get(w.inv, with[n], w.now.t_us, &view));
		cr_assert(view.graced);
		cr_assert(!view.due);
		cr_assert_eq(view.expires_at_us, w.now.t_us + INV_GRACE_US);
		cr_assert_eq(view.revision, 2);
	}
	for (int n = 0; n < 3; n++) {
		cr_assert(inv_reservation_get(w.inv, without[n], w.now.t_us, &view));
		cr_assert(!view.graced);
	}
	cr_assert_eq(sales_confirm(&w, lapsed), KEYRACK_DONE);
	cr_assert_eq(sales_due(&w), 2, "what was due before the stop has no grace");
	/* a second stop: whoever had a grace gets no other */
	const uint64_t stop_us = w.now.t_us;
	w.now.t_us += 5 * MINUTE_US;
	cr_assert_eq(graced(&w, stop_us), 1);
	cr_assert(kr_id_equal(w.effect.id, live));
	cr_assert_eq(sales_due(&w), 1);
	cr_assert_eq(sales_state(&w, just), INV_EXPIRED);
	sales_agree(&w);
	world_fini(&w);
}

Test(expiry, there_is_no_grace_of_nothing_nor_before_the_log_has_come_to_its_end)
{
	struct inv_config config = world_config();
	struct world w;
	config.grace_us = 0;
	world_init(&w, &config);
	world_standard(&w, 1, 5);
	const uint64_t t_us = w.now.t_us;
	const struct kr_id id = held_for(&w, 1, MINUTE_US);
	w.now.t_us += 2 * MINUTE_US;
	cr_assert_eq(graced(&w, t_us), 0);
	cr_assert_eq(sales_due(&w), 1);
	cr_assert_eq(sales_state(&w, id), INV_EXPIRED);
	world_fini(&w);
	expiry_init(&w);
	(void)held_for(&w, 1, MINUTE_US);
	w.now.t_us += 2 * MINUTE_US;
	cr_assert_eq(graced(&w, w.now.t_us + 1), 0);
	world_fini(&w);
}

Test(expiry, a_grace_reaches_every_lapsed_hold_of_many)
{
	struct world w;
	struct inv_config config = world_config();
	config.reservations_max = 512;
	world_init(&w, &config);
	world_standard(&w, 1, 500);
	for (uint64_t n = 0; n < 400; n++)
		(void)held_for(&w, n, MINUTE_US * (1 + n * 7919 % 20));
	const uint64_t t_us = w.now.t_us;
	w.now.t_us += 10 * MINUTE_US;
	/* minutes 4 to 10 of 1 to 20, evenly spread */
	cr_assert_eq(graced(&w, t_us + 3 * MINUTE_US), 140);
	cr_assert_eq(graced(&w, t_us + 3 * MINUTE_US), 0);
	cr_assert_eq(sales_due(&w), 60);
	sales_agree(&w);
	world_fini(&w);
}
