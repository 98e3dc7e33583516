#include "tests/unit/inventory/sales.h"

#define ROOMS 5u

static int32_t day_one(void)
{
	return world_day(2026, 11, 25);
}

static void retire_init(struct world *w)
{
	world_init(w, NULL);
	world_standard(w, 1, ROOMS);
}

Test(retire, an_ended_reservation_stays_for_the_retention)
{
	struct world w;
	retire_init(&w);
	struct kr_id id = sales_hold(&w, 1, 1, day_one(), day_one() + 2);
	w.now.t_us += 5 * MINUTE_US;
	cr_assert_eq(sales_release(&w, id), KEYRACK_DONE);
	const uint64_t ended_us = w.now.t_us;
	w.now.t_us = ended_us + INV_RETENTION_US - 1;
	(void)sales_due(&w);
	cr_assert_eq(sales_state(&w, id), INV_RELEASED);
	cr_assert_eq(inv_due_next_us(w.inv), ended_us + INV_RETENTION_US);
	w.now.t_us++;
	cr_assert_eq(sales_due(&w), 1);
	cr_assert_eq(w.effect.kind, INV_EFFECT_RETIRE);
	cr_assert(!w.effect.u.retire.completed);
	cr_assert_eq(sales_state(&w, id), 0);
	cr_assert_eq(sales_counts(&w).purge_mark_us, ended_us);
	cr_assert_eq(sales_counts(&w).reservations, 0);
	sales_agree(&w);
	world_fini(&w);
}

Test(retire, an_id_as_young_as_the_mark_waits)
{
	struct world w;
	retire_init(&w);
	/* minted in the very millisecond it ended: one microsecond more makes it older */
	w.now.t_us = w.now.t_us / 1000 * 1000;
	struct kr_id id = sales_id(&w, 1);
	cr_assert_eq(sales_resolve(&w, id), KEYRACK_NOT_FOUND);
	w.now.t_us += INV_RETENTION_US;
	(void)sales_due(&w);
	cr_assert_eq(sales_state(&w, id), INV_VOID);
	w.now.t_us++;
	(void)sales_due(&w);
	cr_assert_eq(sales_state(&w, id), 0);
	cr_assert_eq(sales_resolve(&w, id), KEYRACK_KEY_EXPIRED);
	/* an id from the future is kept until the mark has passed it */
	struct kr_id ahead = sales_id_at(w.now.t_us + 50 * SECOND_US, WORLD_HOTEL, 2);
	const uint64_t t_us = w.now.t_us;
	cr_assert_eq(sales_resolve(&w, ahead), KEYRACK_NOT_FOUND);
	w.now.t_us = t_us + INV_RETENTION_US + 49 * SECOND_US;
	(void)sales_due(&w);
	cr_assert_eq(sales_state(&w, ahead), INV_VOID);
	w.now.t_us += SECOND_US;
	(void)sales_due(&w);
	cr_assert_eq(sales_state(&w, ahead), 0);
	sales_agree(&w);
	world_fini(&w);
}

Test(retire, a_purged_id_answers_key_expired_to_everything)
{
	struct world w;
	retire_init(&w);
	struct inv_line line = stay_line(1, day_one(), day_one() + 2);
	struct inv_reserve_op op = book_op(&w, 1, &line, 1);
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_DONE);
	cr_assert_eq(sales_cancel(&w, op.id, false), KEYRACK_DONE);
	struct kr_id never = sales_id(&w, 2);
	world_time(&w, 2026, 11, 23, 13, 0);
	(void)sales_due(&w);
	const uint64_t mark_us = sales_counts(&w).purge_mark_us;
	cr_assert_eq(mark_us, w.now.t_us - INV_RETENTION_US);
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_KEY_EXPIRED);
	const struct kr_id ids[] = {op.id, never, sales_id_at(mark_us - 1000, WORLD_HOTEL, 3)};
	for (int n = 0; n < 3; n++) {
		cr_assert_eq(sales_confirm(&w, ids[n]), KEYRACK_KEY_EXPIRED);
		cr_assert_eq(sales_release(&w, ids[n]), KEYRACK_KEY_EXPIRED);
		cr_assert_eq(sales_cancel(&w, ids[n], true), KEYRACK_KEY_EXPIRED);
		cr_assert_eq(sales_resolve(&w, ids[n]), KEYRACK_KEY_EXPIRED);
		cr_assert_eq(inv_reservation_absent_code(w.inv, ids[n]), KEYRACK_KEY_EXPIRED);
		cr_assert_eq(w.answer.refusal.rule, RULE_ID);
	}
	op = book_op(&w, 4, &line, 1);
	op.id = sales_id_at(mark_us, WORLD_HOTEL, 4);
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_DONE, "as old as the mark is not older");
	struct kr_id young = sales_id(&w, 5);
	cr_assert_eq(sales_confirm(&w, young), KEYRACK_NOT_FOUND);
	cr_assert_eq(inv_reservation_absent_code(w.inv, young), KEYRACK_NOT_FOUND);
	sales_agree(&w);
	world_fini(&w);
}

Test(retire, the_mark_never_decreases)
{
	struct world w;
	retire_init(&w);
	uint64_t mark_us = 0;
	for (uint64_t n = 0; n < 10; n++) {
		(void)sales_resolve(&w, sales_id(&w, n));
		w.now.t_us += 7 * HOUR_US;
		(void)sales_due(&w);
		cr_assert_geq(sales_counts(&w).purge_mark_us, mark_us);
		mark_us = sales_counts(&w).purge_mark_us;
	}
	cr_assert_gt(mark_us, 0);
	cr_assert_eq(sales_counts(&w).reservations, 3);
	sales_agree(&w);
	world_fini(&w);
}

/* Four o'clock of a business day, in a zone. */
static void stay_leaves(const char *zone, int hours_east)
{
	struct world w;
	world_init(&w, NULL);
	struct inv_hotel_op put = hotel_op(WORLD_HOTEL);
	put.settings.zone = text(zone);
	cr_assert_eq(world_hotel_put(&w, &put), KEYRACK_DONE);
	struct inv_type_op type = type_op(1);
	type.mask = INV_TYPE_PHYSICAL;
	type.settings.physical = ROOMS;
	cr_assert_eq(world_type_put(&w, &type), KEYRACK_DONE);
	struct inv_line lines[2] = {
		stay_line(1, day_one(), day_one() + 3), stay_line(1, day_one(), day_one() + 1)};
	struct inv_reserve_op op = book_op(&w, 1, lines, 2);
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_DONE);
	const uint64_t turn_us = (uint64_t)(day_one() + 3 + INV_STAY_KEEP_DAYS) * DAY_US +
				 (uint64_t)(4 - hours_east) * HOUR_US;
	while (w.now.t_us < turn_us - 1) {
		w.now.t_us = KR_MIN(w.now.t_us + HOUR_US / 2, turn_us - 1);
		(void)sales_due(&w);
		cr_assert_eq(sales_state(&w, op.id), INV_CONFIRMED);
		cr_assert_gt(inv_due_next_us(w.inv), w.now.t_us);
	}
	sales_agree(&w);
	w.now.t_us++;
	cr_assert_eq(sales_due(&w), 2, "the day rolls and the stay retires");
	cr_assert_eq(w.effect.kind, INV_EFFECT_RETIRE);
	cr_assert(w.effect.u.retire.completed);
	cr_assert_eq(w.effect.actor.source, INV_SOURCE_CLOCK);
	cr_assert_eq(w.effect.revision, 2);
	cr_assert_eq(sales_state(&w, op.id), 0);
	sales_agree(&w);
	world_fini(&w);
}

Test(retire, a_stay_leaves_seven_days_after_check_out_by_the_hotels_calendar)
{
	stay_leaves("UTC", 0);
	stay_leaves("Pacific/Kiritimati", 14);
	stay_leaves("Pacific/Pago_Pago", -11);
}

Test(retire, a_calendar_that_changes_is_followed)
{
	struct world w;
	retire_init(&w);
	struct kr_id id = sales_book(&w, 1, 1, day_one(), day_one() + 1);
	/* past the earliest instant of the day in any zone: the stay waits for the next roll */
	world_time(&w, 2026, 12, 2, 12, 0);
	(void)sales_due(&w);
	cr_assert_eq(sales_state(&w, id), INV_CONFIRMED);
	/* a zone where that day has come already */
	struct inv_hotel_op put = {.hotel = {WORLD_HOTEL},
		.mask = INV_HOTEL_ZONE | INV_HOTEL_DAY_ROLL,
		.settings = {.zone = text("Pacific/Kiritimati"), .day_roll_minute = 60}};
	cr_assert_eq(world_hotel_put(&w, &put), KEYRACK_DONE);
	cr_assert_eq(sales_due(&w), 1);
	cr_assert_eq(w.effect.kind, INV_EFFECT_RETIRE);
	cr_assert_eq(sales_state(&w, id), 0);
	sales_agree(&w);
	world_fini(&w);
}

Test(retire, a_long_retention_outlives_the_seven_days)
{
	struct world w;
	struct inv_config config = world_config();
	config.retention_us = 30 * DAY_US;
	world_init(&w, &config);
	world_standard(&w, 1, ROOMS);
	struct kr_id id = sales_book(&w, 1, 1, day_one(), day_one() + 1);
	const uint64_t t_us = w.now.t_us;
	w.now.t_us = t_us + 30 * DAY_US;
	(void)sales_due(&w);
	cr_assert_eq(sales_state(&w, id), INV_CONFIRMED);
	w.now.t_us += 1000;
	(void)sales_due(&w);
	cr_assert_eq(sales_state(&w, id), 0);
	sales_agree(&w);
	world_fini(&w);
}

Test(retire, a_live_hold_never_retires)
{
	struct world w;
	retire_init(&w);
	struct inv_hotel_op put = {.hotel = {WORLD_HOTEL},
		.mask = INV_HOTEL_HOLD_TTL_MAX,
		.settings = {.hold_ttl_max_us = 0}};
	cr_assert_eq(world_hotel_put(&w, &put), KEYRACK_DONE);
	struct inv_line line = stay_line(1, day_one(), day_one() + 1);
	struct inv_reserve_op op = hold_op(&w, 1, &line, 1);
	op.ttl_us = UINT64_MAX;
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_DONE, "no cap");
	cr_assert_eq(w.answer.expires_at_us, INT64_MAX);
	w.now.t_us += 400 * DAY_US;
	(void)sales_due(&w);
	cr_assert_eq(sales_state(&w, op.id), INV_HELD);
	sales_agree(&w);
	world_fini(&w);
}

Test(retire, makes_room_in_full_tables)
{
	struct world w;
	struct inv_config config = world_config();
	config.reservations_max = 4;
	config.nodes_max = 4;
	world_init(&w, &config);
	world_standard(&w, 1, ROOMS);
	for (uint64_t round = 0; round < 20; round++) {
		for (uint64_t n = 0; n < 4; n++) {
			struct inv_line line = stay_line(1, day_one() + 30, day_one() + 31);
			struct inv_reserve_op op = book_op(&w, round * 4 + n, &line, 1);
			op.external_ref = text("x");
			op.actor.source = (uint32_t)n;
			cr_assert_eq(sales_reserve(&w, &op), KEYRACK_DONE, "%lu", (long)round);
			cr_assert_eq(sales_cancel(&w, op.id, false), KEYRACK_DONE);
		}
		w.now.t_us += INV_RETENTION_US + 1000;
		(void)sales_due(&w);
		cr_assert_eq(sales_counts(&w).nodes, 0);
	}
	sales_agree(&w);
	world_fini(&w);
}
