#include "world.h"

#include "base/rng.h"

static struct world w;

static void begin(void)
{
	world_init(&w, NULL);
}

static void end(void)
{
	world_agree(&w);
	world_fini(&w);
}

TestSuite(window, .init = begin, .fini = end);

static void hotel_in(const char *zone, uint16_t roll_minute)
{
	struct inv_hotel_op op = hotel_op(WORLD_HOTEL);
	op.mask |= INV_HOTEL_DAY_ROLL;
	op.settings.zone = text(zone);
	op.settings.day_roll_minute = roll_minute;
	cr_assert_eq(world_hotel_put(&w, &op), KEYRACK_DONE);
}

static int32_t business_day(void)
{
	struct inv_hotel_view view;
	cr_assert(inv_hotel_get(w.inv, (struct hotel_id){WORLD_HOTEL}, &view));
	return view.business_day;
}

static void type_of_ten(void)
{
	struct inv_type_op op = type_op(1);
	op.mask = INV_TYPE_PHYSICAL;
	op.settings.physical = 10;
	cr_assert_eq(world_type_put(&w, &op), KEYRACK_DONE);
}

Test(window, begins_at_the_business_date_of_the_hotels_own_clock)
{
	static const struct {
		const char *zone;
		int hour, minute;
		uint16_t roll_minute;
		int days; /* from the 22nd, UTC */
	} cases[] = {
		{"UTC", 3, 59, 240, -1},
		{"UTC", 4, 0, 240, 0},
		{"UTC", 0, 0, 0, 0},
		{"UTC", 23, 59, 0, 0},
		{"UTC", 23, 58, 1439, -1},
		{"UTC", 23, 59, 1439, 0},
		{"Asia/Tokyo", 18, 59, 240, 0},
		{"Asia/Tokyo", 19, 0, 240, 1},
		{"America/New_York", 8, 59, 240, -1},
		{"America/New_York", 9, 0, 240, 0},
		{"Pacific/Kiritimati", 14, 0, 240, 1},
		{"Pacific/Pago_Pago", 14, 59, 240, -1},
		{"Asia/Kathmandu", 22, 14, 240, 0},
		{"Asia/Kathmandu", 22, 15, 240, 1},
	};
	for (size_t i = 0; i < KR_ARRAY_COUNT(cases); i++) {
		world_fini(&w);
		world_init(&w, NULL);
		world_time(&w, 2026, 11, 22, cases[i].hour, cases[i].minute);
		hotel_in(cases[i].zone, cases[i].roll_minute);
		cr_assert_eq(business_day(), world_day(2026, 11, 22) + cases[i].days, "%s %d:%d",
			cases[i].zone, cases[i].hour, cases[i].minute);
	}
}

Test(window, rolls_exactly_at_the_hour)
{
	hotel_in("Europe/Paris", 240);
	int32_t before = business_day();
	/* 04:00 in winter is 03:00 UTC. */
	uint64_t roll_us = (uint64_t)(before + 1) * DAY_US + 3 * HOUR_US;
	cr_assert_eq(inv_due_next_us(w.inv), roll_us);
	w.now.t_us = roll_us - 1;
	cr_assert_eq(world_roll(&w), 0);
	cr_assert_eq(business_day(), before);
	w.now.t_us = roll_us;
	cr_assert_eq(world_roll(&w), 1);
	cr_assert_eq(business_day(), before + 1);
	cr_assert_eq(w.effect.actor.source, INV_SOURCE_CLOCK);
	cr_assert_eq(w.effect.u.window.old_business_day, before);
	cr_assert_eq(inv_due_next_us(w.inv), roll_us + DAY_US);
}

/* Clocks of Paris: forward on 2027-03-28 at 02:00, back on 2026-10-25 at 03:00. */
Test(window, rolls_once_a_date_when_clocks_change)
{
	static const uint16_t minutes[] = {0, 60, 119, 120, 150, 179, 180, 240};
	for (size_t i = 0; i < KR_ARRAY_COUNT(minutes); i++) {
		for (int spring = 0; spring < 2; spring++) {
			world_fini(&w);
			world_init(&w, NULL);
			int32_t change = spring ? world_day(2027, 3, 28) : world_day(2026, 10, 25);
			w.now.t_us = (uint64_t)(change - 2) * DAY_US + 12 * HOUR_US;
			hotel_in("Europe/Paris", minutes[i]);
			cr_assert_eq(business_day(), change - 2);
			int rolls = 0;
			for (uint64_t m = 0; m < 4 * 24 * 60; m++) {
				w.now.t_us += 60000000;
				uint32_t n = world_roll(&w);
				cr_assert_leq(n, 1);
				rolls += (int)n;
				cr_assert_eq(business_day(), change - 2 + rolls);
			}
			cr_assert_eq(rolls, 4, "roll minute %u", minutes[i]);
		}
	}
}

/* Samoa had no 2011-12-30. */
Test(window, a_date_that_never_was_is_passed_over)
{
	world_time(&w, 2011, 12, 29, 12, 0);
	hotel_in("Pacific/Apia", 240);
	int32_t first = business_day();
	cr_assert_eq(first, world_day(2011, 12, 28));
	int32_t previous = first;
	for (int hour = 0; hour < 96; hour++) {
		w.now.t_us += HOUR_US;
		world_roll(&w);
		cr_assert_geq(business_day(), previous);
		previous = business_day();
	}
	cr_assert_eq(business_day(), world_day(2012, 1, 2));
}

Test(window, never_moves_back)
{
	world_time(&w, 2026, 11, 22, 20, 0);
	hotel_in("Asia/Tokyo", 240);
	cr_assert_eq(business_day(), world_day(2026, 11, 23));
	struct inv_hotel_op op = hotel_op(WORLD_HOTEL);
	op.settings.zone = text("America/New_York");
	cr_assert_eq(world_hotel_put(&w, &op), KEYRACK_DONE, "it moved to another zone");
	cr_assert_eq(business_day(), world_day(2026, 11, 23));
	cr_assert_eq(world_roll(&w), 0);
	cr_assert_eq(inv_due_next_us(w.inv),
		(uint64_t)world_day(2026, 11, 24) * DAY_US + 9 * HOUR_US,
		"04:00 there, on the 24th");
	op.mask = INV_HOTEL_DAY_ROLL;
	op.settings.day_roll_minute = 0;
	world_time(&w, 2026, 11, 24, 6, 0);
	cr_assert_eq(world_hotel_put(&w, &op), KEYRACK_DONE);
	cr_assert_eq(business_day(), world_day(2026, 11, 24), "a put moves it too");
}

Test(window, drops_what_is_past_and_brings_in_the_defaults)
{
	hotel_in("UTC", 240);
	type_of_ten();
	int32_t today = business_day();
	const uint16_t types[] = {1};
	struct inv_update_op op = update_op(types, 1, today, today + 39);
	op.update.set_mask = INV_UPDATE_PRICE | INV_UPDATE_PHYSICAL | INV_UPDATE_MIN_ARRIVAL;
	op.update.price_minor = 9900;
	op.update.physical = 5;
	op.update.los.min_arrival = 2;
	cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
	world_sell(&w, 1, today, 1, 1);
	world_sell(&w, 1, today + 1, 0, 4);
	w.now.t_us += DAY_US;
	cr_assert_eq(world_roll(&w), 1);
	cr_assert_eq(world_counter(&w, 1, today + 1).booked, 4, "kept");
	struct cell_counter fresh = world_counter(&w, 1, today + 40);
	cr_assert(fresh.limit == 10 && fresh.held == 0 && fresh.booked == 0);
	cr_assert_eq(fresh.flags, CELL_LOADED);
	cr_assert_eq(world_rate(&w, 1, today + 40).flags, 0, "unpriced");
	cr_assert_eq(world_rate(&w, 1, today + 39).price_minor, 9900);
	world_sell(&w, 1, today + 1, 0, 0);
	struct inv_counts counts;
	w.now.t_us += 39 * DAY_US;
	cr_assert_eq(world_roll(&w), 1, "one effect, however long it was");
	inv_counts_get(w.inv, &counts);
	cr_assert_eq(counts.stock_runs, 0);
	cr_assert_eq(counts.classes, 0);
	for (int32_t n = 0; n < 40; n++)
		cr_assert_eq(world_counter(&w, 1, today + 40 + n).limit, 10);
	w.now.t_us += 400 * DAY_US;
	cr_assert_eq(world_roll(&w), 1, "longer than the window");
}

Test(window, does_not_move_ari_version)
{
	hotel_in("UTC", 240);
	struct inv_hotel_view before, after;
	cr_assert(inv_hotel_get(w.inv, (struct hotel_id){WORLD_HOTEL}, &before));
	w.now.t_us += DAY_US;
	cr_assert_eq(world_roll(&w), 1);
	cr_assert(inv_hotel_get(w.inv, (struct hotel_id){WORLD_HOTEL}, &after));
	cr_assert_eq(after.ari_version, before.ari_version);
	cr_assert_eq(after.event_seq, before.event_seq + 1);
}

Test(window, a_type_without_default_leaves_new_nights_not_loaded)
{
	hotel_in("UTC", 240);
	struct inv_type_op op = type_op(1);
	cr_assert_eq(world_type_put(&w, &op), KEYRACK_DONE);
	int32_t today = business_day();
	const uint16_t types[] = {1};
	struct inv_update_op load = update_op(types, 1, today, today + 39);
	load.update.set_mask = INV_UPDATE_PHYSICAL;
	load.update.physical = 5;
	cr_assert_eq(world_update(&w, &load), KEYRACK_DONE);
	w.now.t_us += 2 * DAY_US;
	cr_assert_eq(world_roll(&w), 1);
	cr_assert_eq(world_counter(&w, 1, today + 39).flags, CELL_LOADED);
	cr_assert_eq(world_counter(&w, 1, today + 40).flags, 0);
	cr_assert_eq(world_counter(&w, 1, today + 41).flags, 0);
}

Test(window, many_hotels_roll_oldest_first)
{
	static const char *const zones[] = {"Asia/Tokyo", "UTC", "America/New_York", "Asia/Kolkata",
		"Europe/Paris", "Pacific/Apia", "America/Los_Angeles", "Australia/Sydney"};
	struct rng rng;
	rng_init(&rng, 4);
	for (uint64_t i = 0; i < 8; i++) {
		struct inv_hotel_op op = hotel_op(i + 1);
		op.mask |= INV_HOTEL_DAY_ROLL;
		op.settings.zone = text(zones[i]);
		op.settings.day_roll_minute = (uint16_t)rng_below(&rng, 1440);
		cr_assert_eq(world_hotel_put(&w, &op), KEYRACK_DONE);
	}
	for (int step = 0; step < 40; step++) {
		uint64_t previous = 0;
		w.now.t_us += rng_below(&rng, DAY_US);
		while (inv_due_next_us(w.inv) <= w.now.t_us) {
			cr_assert_geq(inv_due_next_us(w.inv), previous);
			previous = inv_due_next_us(w.inv);
			cr_assert_eq(inv_due_judge(w.inv, w.now, &w.effect), INV_EFFECT);
			w.effect.lsn = ++w.lsn;
			cr_assert_eq(inv_apply(w.inv, &w.effect, &w.contradiction), 0);
			cr_assert_eq(inv_apply(w.mirror, &w.effect, &w.contradiction), 0);
		}
		cr_assert_eq(inv_due_judge(w.inv, w.now, &w.effect), INV_ANSWER);
	}
}

Test(window, contradictions_change_nothing)
{
	hotel_in("UTC", 240);
	type_of_ten();
	w.now.t_us += DAY_US;
	cr_assert_eq(inv_due_judge(w.inv, w.now, &w.effect), INV_EFFECT);
	uint64_t digest = inv_digest(w.inv);
	for (int broken = 0; broken < 5; broken++) {
		struct inv_effect e = w.effect;
		e.lsn = w.lsn + 1;
		e.event_seq += broken == 0;
		e.u.window.old_business_day += broken == 1;
		e.u.window.business_day -= broken == 2;
		e.u.window.business_day += broken == 3 ? 100000 : 0;
		e.hotel.v = broken == 4 ? 0 : e.hotel.v;
		cr_assert_eq(world_apply(&w, &e), INV_CONTRADICTION, "%d", broken);
		cr_assert_eq(inv_digest(w.inv), digest, "%d", broken);
	}
}
