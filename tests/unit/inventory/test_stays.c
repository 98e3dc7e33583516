#include "tests/unit/inventory/sales.h"

#define ROOMS 10u

static int32_t day_one(void)
{
	return world_day(2026, 11, 25);
}

static void stays_init(struct world *w, uint16_t type_count)
{
	world_init(w, NULL);
	world_standard(w, type_count, ROOMS);
}

/* Sets one night of one type. */
static void night_set(struct world *w, uint16_t type, int32_t day, struct inv_update update)
{
	struct inv_update_op op = update_op(&type, 1, day, day);
	int32_t first = op.update.first_day, last = op.update.last_day;
	op.update = update;
	op.update.first_day = first;
	op.update.last_day = last;
	op.update.weekday_mask = 127;
	cr_assert_eq(world_update(w, &op), KEYRACK_DONE, "%u", w->answer.code);
}

/* Would these lines be sold? Each try is an id of its own and leaves nothing behind. */
static uint16_t tried(struct world *w, const struct inv_line *lines, uint32_t line_count)
{
	static uint64_t random;
	struct inv_reserve_op op = book_op(w, 1000 + random++, lines, line_count);
	uint16_t code = sales_reserve(w, &op);
	struct inv_answer answer = w->answer;
	if (code == KEYRACK_DONE)
		cr_assert_eq(sales_cancel(w, op.id, false), KEYRACK_DONE);
	w->answer = answer;
	return code;
}

/* ---- length of stay ---- */

Test(stays, los_limits_are_inclusive)
{
	struct world w;
	stays_init(&w, 1);
	const int32_t day = day_one();
	night_set(&w, 1, day,
		(struct inv_update){.set_mask = INV_UPDATE_MIN_ARRIVAL | INV_UPDATE_MAX_ARRIVAL,
			.los = {.min_arrival = 2, .max_arrival = 4}});
	for (int32_t nights = 1; nights <= 6; nights++) {
		struct inv_line line = stay_line(1, day, day + nights);
		uint16_t want = nights < 2   ? KEYRACK_MIN_LOS
				: nights > 4 ? KEYRACK_MAX_LOS
					     : KEYRACK_DONE;
		cr_assert_eq(tried(&w, &line, 1), want, "%d", nights);
		if (want == KEYRACK_DONE)
			continue;
		cr_assert_eq(w.answer.refusal.left, nights);
		cr_assert_eq(w.answer.refusal.required, nights < 2 ? 2 : 4);
		cr_assert_eq(w.answer.refusal.day, day);
	}
	/* read at the arrival date only */
	struct inv_line line = stay_line(1, day - 1, day + 6);
	cr_assert_eq(tried(&w, &line, 1), KEYRACK_DONE);
	sales_agree(&w);
	world_fini(&w);
}

Test(stays, stay_through_holds_on_every_stayed_night)
{
	struct world w;
	stays_init(&w, 1);
	const int32_t day = day_one();
	night_set(&w, 1, day + 3,
		(struct inv_update){.set_mask = INV_UPDATE_MIN_THROUGH | INV_UPDATE_MAX_THROUGH,
			.los = {.min_through = 3, .max_through = 5}});
	for (int32_t in = day; in <= day + 4; in++)
		for (int32_t out = in + 1; out <= day + 9; out++) {
			struct inv_line line = stay_line(1, in, out);
			bool stays_there = in <= day + 3 && day + 3 < out;
			uint16_t want = !stays_there   ? KEYRACK_DONE
					: out - in < 3 ? KEYRACK_MIN_LOS
					: out - in > 5 ? KEYRACK_MAX_LOS
						       : KEYRACK_DONE;
			cr_assert_eq(tried(&w, &line, 1), want, "%d to %d", in - day, out - day);
			if (want != KEYRACK_DONE)
				cr_assert_eq(w.answer.refusal.day, day + 3);
		}
	world_fini(&w);
}

/* Two rooms types after each other, with as many rooms: one stay of four nights. */
static void chain_lines(struct inv_line lines[2])
{
	lines[0] = stay_line(1, day_one(), day_one() + 2);
	lines[1] = stay_line(2, day_one() + 2, day_one() + 4);
}

Test(stays, lines_that_continue_one_another_are_one_stay)
{
	struct world w;
	stays_init(&w, 2);
	const int32_t day = day_one();
	struct inv_line lines[2];
	chain_lines(lines);
	night_set(&w, 1, day,
		(struct inv_update){.set_mask = INV_UPDATE_MIN_ARRIVAL | INV_UPDATE_MIN_THROUGH,
			.los = {.min_arrival = 4, .min_through = 4}});
	night_set(&w, 2, day + 3,
		(struct inv_update){.set_mask = INV_UPDATE_MAX_THROUGH, .los = {.max_through = 4}});
	cr_assert_eq(tried(&w, lines, 2), KEYRACK_DONE);
	/* what is read at arrival and departure of the inner border is not read */
	night_set(&w, 2, day + 2,
		(struct inv_update){.set_mask = INV_UPDATE_MIN_ARRIVAL | INV_UPDATE_MAX_ARRIVAL |
						INV_UPDATE_CTA | INV_UPDATE_PLAN_CTA,
			.los = {.min_arrival = 9, .max_arrival = 1},
			.cta = true,
			.plan_cta = true});
	night_set(&w, 1, day + 2,
		(struct inv_update){.set_mask = INV_UPDATE_CTD | INV_UPDATE_PLAN_CTD,
			.ctd = true,
			.plan_ctd = true});
	cr_assert_eq(tried(&w, lines, 2), KEYRACK_DONE);
	/* on their own each is too short, arrives or leaves on a closed day */
	cr_assert_eq(tried(&w, &lines[0], 1), KEYRACK_CLOSED_TO_DEPARTURE);
	cr_assert_eq(tried(&w, &lines[1], 1), KEYRACK_CLOSED_TO_ARRIVAL);
	sales_agree(&w);
	world_fini(&w);
}

Test(stays, a_chain_is_broken_by_rooms_order_or_a_gap)
{
	struct world w;
	stays_init(&w, 2);
	const int32_t day = day_one();
	struct inv_line lines[2];
	chain_lines(lines);
	night_set(&w, 1, day,
		(struct inv_update){.set_mask = INV_UPDATE_MIN_ARRIVAL, .los = {.min_arrival = 4}});
	cr_assert_eq(tried(&w, lines, 2), KEYRACK_DONE);
	lines[1].rooms = 2;
	cr_assert_eq(tried(&w, lines, 2), KEYRACK_MIN_LOS);
	cr_assert_eq(w.answer.refusal.left, 2);
	chain_lines(lines);
	struct inv_line swapped[2] = {lines[1], lines[0]};
	cr_assert_eq(tried(&w, swapped, 2), KEYRACK_MIN_LOS);
	cr_assert_eq(w.answer.refusal.line, 1);
	lines[1].check_in++;
	cr_assert_eq(tried(&w, lines, 2), KEYRACK_MIN_LOS);
	chain_lines(lines);
	struct inv_line between[3] = {lines[0], stay_line(2, day + 10, day + 11), lines[1]};
	cr_assert_eq(tried(&w, between, 3), KEYRACK_MIN_LOS, "the next line is the next line");
	world_fini(&w);
}

Test(stays, the_whole_chain_counts_against_a_maximum)
{
	struct world w;
	stays_init(&w, 2);
	const int32_t day = day_one();
	struct inv_line lines[2];
	chain_lines(lines);
	night_set(&w, 1, day,
		(struct inv_update){.set_mask = INV_UPDATE_MAX_ARRIVAL, .los = {.max_arrival = 3}});
	cr_assert_eq(tried(&w, &lines[0], 1), KEYRACK_DONE);
	cr_assert_eq(tried(&w, lines, 2), KEYRACK_MAX_LOS);
	cr_assert_eq(w.answer.refusal.rule, RULE_MAX_ARRIVAL);
	cr_assert_eq(w.answer.refusal.left, 4);
	cr_assert_eq(w.answer.refusal.line, 0);
	/* each night's own type and plan, also of the second line */
	night_set(&w, 1, day, (struct inv_update){.clear_mask = INV_UPDATE_MAX_ARRIVAL});
	night_set(&w, 2, day + 3,
		(struct inv_update){.set_mask = INV_UPDATE_MAX_THROUGH, .los = {.max_through = 3}});
	cr_assert_eq(tried(&w, &lines[1], 1), KEYRACK_DONE);
	cr_assert_eq(tried(&w, lines, 2), KEYRACK_MAX_LOS);
	cr_assert_eq(w.answer.refusal.line, 1);
	cr_assert_eq(w.answer.refusal.day, day + 3);
	/* the last one's departure counts for all */
	night_set(&w, 2, day + 3, (struct inv_update){.clear_mask = INV_UPDATE_MAX_THROUGH});
	night_set(&w, 2, day + 4, (struct inv_update){.set_mask = INV_UPDATE_CTD, .ctd = true});
	cr_assert_eq(tried(&w, lines, 2), KEYRACK_CLOSED_TO_DEPARTURE);
	cr_assert_eq(w.answer.refusal.line, 1);
	cr_assert_eq(w.answer.refusal.day, day + 4);
	world_fini(&w);
}

/* ---- arrival and departure ---- */

Test(stays, arrival_and_departure_are_dates_not_nights)
{
	struct world w;
	stays_init(&w, 1);
	const int32_t day = day_one();
	night_set(&w, 1, day + 2,
		(struct inv_update){
			.set_mask = INV_UPDATE_CTA | INV_UPDATE_CTD, .cta = true, .ctd = true});
	for (int32_t in = day; in <= day + 3; in++)
		for (int32_t out = in + 1; out <= day + 5; out++) {
			struct inv_line line = stay_line(1, in, out);
			uint16_t want = in == day + 2    ? KEYRACK_CLOSED_TO_ARRIVAL
					: out == day + 2 ? KEYRACK_CLOSED_TO_DEPARTURE
							 : KEYRACK_DONE;
			cr_assert_eq(tried(&w, &line, 1), want);
			if (want != KEYRACK_DONE)
				cr_assert_eq(w.answer.refusal.day, day + 2);
		}
	world_fini(&w);
}

Test(stays, the_date_after_the_window_has_no_ctd)
{
	struct world w;
	stays_init(&w, 1);
	const int32_t today = world_day(2026, 11, 22);
	const int32_t end = today + (int32_t)w.config.window_nights;
	struct inv_line line = stay_line(1, end - 2, end);
	/* its place in the ring is today's */
	night_set(&w, 1, today, (struct inv_update){.set_mask = INV_UPDATE_CTD, .ctd = true});
	cr_assert_eq(tried(&w, &line, 1), KEYRACK_DONE);
	line.check_out++;
	cr_assert_eq(tried(&w, &line, 1), KEYRACK_OUT_OF_WINDOW);
	cr_assert_eq(w.answer.refusal.day, end);
	line = stay_line(1, today, today + 1);
	cr_assert_eq(tried(&w, &line, 1), KEYRACK_DONE);
	line.check_in--;
	cr_assert_eq(tried(&w, &line, 1), KEYRACK_PAST_DATE);
	world_fini(&w);
}

/* ---- dates ---- */

Test(stays, malformed_dates_are_invalid_whatever_else)
{
	struct world w;
	stays_init(&w, 1);
	const int32_t day = day_one();
	const struct {
		int32_t in, out;
	} dates[] = {{day, day}, {day + 1, day}, {INT32_MIN, INT32_MAX}, {INT32_MAX, INT32_MIN},
		{day, INV_DAY_MAX + 1}, {INV_DAY_MIN - 1, day}, {INT32_MIN, INT32_MIN},
		{day, INT32_MAX}};
	for (size_t i = 0; i < KR_ARRAY_COUNT(dates); i++) {
		struct inv_line lines[2] = {stay_line(1, dates[i].in, dates[i].out),
			stay_line(1, dates[i].out, day + 3)};
		cr_assert_eq(tried(&w, lines, 1), KEYRACK_INVALID, "%zu", i);
		cr_assert_eq(w.answer.refusal.rule, RULE_DATES);
		cr_assert_eq(tried(&w, lines, 2), KEYRACK_INVALID, "%zu", i);
		cr_assert_eq(w.answer.refusal.line, 0);
	}
	world_fini(&w);
}

Test(stays, the_nights_of_a_line_and_of_all_lines_are_bounded)
{
	struct world w;
	struct inv_config config = world_config();
	config.window_nights = 800;
	config.reservations_max = 4;
	world_init(&w, &config);
	world_standard(&w, 1, 30);
	const int32_t day = day_one();
	struct inv_line line = stay_line(1, day, day + 366);
	cr_assert_eq(tried(&w, &line, 1), KEYRACK_INVALID);
	cr_assert_eq(w.answer.refusal.required, 365);
	cr_assert_eq(w.answer.refusal.left, 366);
	line.check_out--;
	cr_assert_eq(tried(&w, &line, 1), KEYRACK_DONE);
	struct inv_hotel_op put = {.hotel = {WORLD_HOTEL},
		.mask = INV_HOTEL_NIGHTS_MAX,
		.settings = {.nights_max = 700}};
	cr_assert_eq(world_hotel_put(&w, &put), KEYRACK_DONE);
	struct inv_line lines[3] = {stay_line(1, day, day + 700), stay_line(1, day, day + 700),
		stay_line(1, day, day + 649)};
	cr_assert_eq(tried(&w, lines, 3), KEYRACK_INVALID);
	cr_assert_eq(w.answer.refusal.line, 2);
	cr_assert_eq(w.answer.refusal.required, INV_STAY_NIGHTS_MAX);
	cr_assert_eq(w.answer.refusal.left, INV_STAY_NIGHTS_MAX + 1);
	lines[2].check_out--;
	cr_assert_eq(tried(&w, lines, 3), KEYRACK_DONE);
	sales_agree(&w);
	world_fini(&w);
}

/* ---- advance notice ---- */

Test(stays, advance_notice_is_to_the_local_check_in_time)
{
	struct world w;
	world_init(&w, NULL);
	struct inv_hotel_op put = hotel_op(WORLD_HOTEL);
	put.settings.zone = text("Europe/Berlin");
	cr_assert_eq(world_hotel_put(&w, &put), KEYRACK_DONE);
	struct inv_type_op type = type_op(1);
	type.mask = INV_TYPE_PHYSICAL | INV_TYPE_ADVANCE_MIN | INV_TYPE_ADVANCE_MAX;
	type.settings.physical = ROOMS;
	type.settings.advance_min_minutes = 60;
	type.settings.advance_max_minutes = 180;
	cr_assert_eq(world_type_put(&w, &type), KEYRACK_DONE);
	const int32_t day = day_one();
	struct inv_line line = stay_line(1, day, day + 1);
	/* 15:00 in Berlin is 14:00 in Greenwich in November */
	const struct {
		int hour, minute;
		int64_t more_us;
		uint16_t code;
		int64_t left;
	} tries[] = {{10, 59, 0, KEYRACK_TOO_EARLY, 181}, {11, 0, -1, KEYRACK_TOO_EARLY, 180},
		{11, 0, 0, KEYRACK_DONE, 0}, {13, 0, 0, KEYRACK_DONE, 0},
		{13, 0, 1, KEYRACK_TOO_LATE, 59}, {13, 1, 0, KEYRACK_TOO_LATE, 59},
		{14, 0, 1, KEYRACK_TOO_LATE, -1}};
	for (size_t i = 0; i < KR_ARRAY_COUNT(tries); i++) {
		world_time(&w, 2026, 11, 25, tries[i].hour, tries[i].minute);
		w.now.t_us += (uint64_t)tries[i].more_us;
		(void)sales_due(&w);
		cr_assert_eq(tried(&w, &line, 1), tries[i].code, "%zu: %u", i, w.answer.code);
		cr_assert_eq(w.answer.refusal.left, tries[i].left);
	}
	world_fini(&w);
}

/* ---- price ---- */

Test(stays, prices_are_frozen_as_runs)
{
	struct world w;
	stays_init(&w, 1);
	const int32_t day = day_one();
	const int64_t prices[] = {100, 100, 120, 0, 0, 100};
	for (int32_t n = 0; n < 6; n++)
		night_set(&w, 1, day + n,
			(struct inv_update){
				.set_mask = INV_UPDATE_PRICE, .price_minor = prices[n]});
	struct inv_line line = stay_line(1, day, day + 6);
	line.pricing = INV_PRICE_CALENDAR;
	line.rooms = 3;
	struct inv_reserve_op op = book_op(&w, 1, &line, 1);
	op.has_expected_total = true;
	op.expected_total_minor = 3 * 420;
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_DONE);
	cr_assert(w.answer.has_total);
	cr_assert_eq(w.answer.total_minor, 3 * 420);
	/* a later price is not this reservation's */
	night_set(
		&w, 1, day, (struct inv_update){.set_mask = INV_UPDATE_PRICE, .price_minor = 999});
	struct inv_reservation_view view;
	cr_assert(inv_reservation_get(w.inv, op.id, w.now.t_us, &view));
	cr_assert_eq(view.total_minor, 3 * 420);
	static const struct inv_price_run runs[] = {{2, 100}, {1, 120}, {2, 0}, {1, 100}};
	cr_assert_eq(view.lines[0].run_count, KR_ARRAY_COUNT(runs));
	for (size_t i = 0; i < KR_ARRAY_COUNT(runs); i++) {
		cr_assert_eq(view.lines[0].runs[i].nights, runs[i].nights);
		cr_assert_eq(view.lines[0].runs[i].price_minor, runs[i].price_minor);
	}
	sales_agree(&w);
	world_fini(&w);
}

Test(stays, a_night_without_a_price_is_never_sold_at_nothing)
{
	struct world w;
	stays_init(&w, 1);
	const int32_t day = day_one();
	struct inv_update_op op = update_op((const uint16_t[]){1}, 1, day, day + 2);
	op.update.set_mask = INV_UPDATE_PRICE;
	cr_assert_eq(world_update(&w, &op), KEYRACK_DONE, "zero is a price");
	struct inv_line line = stay_line(1, day, day + 3);
	line.pricing = INV_PRICE_CALENDAR;
	cr_assert_eq(tried(&w, &line, 1), KEYRACK_DONE);
	cr_assert(w.answer.has_total);
	cr_assert_eq(w.answer.total_minor, 0);
	line.check_out++;
	cr_assert_eq(tried(&w, &line, 1), KEYRACK_NO_RATE);
	cr_assert_eq(w.answer.refusal.day, day + 3);
	cr_assert_eq(w.answer.refusal.rule, RULE_PRICE);
	line.pricing = INV_PRICE_NONE;
	cr_assert_eq(tried(&w, &line, 1), KEYRACK_DONE);
	cr_assert(!w.answer.has_total);
	world_fini(&w);
}

Test(stays, callers_may_bring_their_prices)
{
	struct world w;
	stays_init(&w, 1);
	const int32_t day = day_one();
	struct inv_price_run runs[] = {{1, 50}, {1, 50}, {2, 0}};
	struct inv_line line = stay_line(1, day, day + 4);
	line.pricing = INV_PRICE_CALLER;
	line.runs = runs;
	line.run_count = 3;
	line.rooms = 2;
	struct inv_reserve_op op = book_op(&w, 1, &line, 1);
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_DONE);
	cr_assert_eq(w.answer.total_minor, 200);
	struct inv_reservation_view view;
	cr_assert(inv_reservation_get(w.inv, op.id, w.now.t_us, &view));
	cr_assert_eq(view.lines[0].pricing, INV_PRICE_CALLER);
	cr_assert_eq(view.lines[0].run_count, 2, "equal neighbours are one run");
	cr_assert_eq(view.lines[0].runs[0].nights, 2);
	for (int wrong = 0; wrong < 4; wrong++) {
		struct inv_price_run bad[] = {{1, 50}, {1, 50}, {2, 0}};
		line.runs = bad;
		line.run_count = 3;
		if (wrong == 0)
			bad[2].nights = 1;
		if (wrong == 1)
			bad[1].nights = 0;
		if (wrong == 2)
			bad[0].price_minor = RATE_PRICE_MAX + 1;
		if (wrong == 3)
			line.run_count = 0;
		cr_assert_eq(tried(&w, &line, 1), KEYRACK_INVALID, "%d", wrong);
		cr_assert_str_eq(w.answer.refusal.text, "price runs");
	}
	line.pricing = INV_PRICE_NONE;
	line.runs = runs;
	line.run_count = 3;
	cr_assert_eq(tried(&w, &line, 1), KEYRACK_INVALID, "runs that nobody asked for");
	sales_agree(&w);
	world_fini(&w);
}

Test(stays, the_expected_total_covers_what_has_a_price)
{
	struct world w;
	stays_init(&w, 2);
	sales_price(&w, 1, 100);
	const int32_t day = day_one();
	struct inv_line lines[2] = {stay_line(1, day, day + 2), stay_line(2, day, day + 2)};
	lines[0].pricing = INV_PRICE_CALENDAR;
	struct inv_reserve_op op = book_op(&w, 1, lines, 2);
	op.has_expected_total = true;
	op.expected_total_minor = 199;
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_PRICE_CHANGED);
	cr_assert_eq(w.answer.refusal.required, 199);
	cr_assert_eq(w.answer.refusal.left, 200);
	op = book_op(&w, 2, lines, 2);
	op.has_expected_total = true;
	op.expected_total_minor = 200;
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_DONE);
	cr_assert(!w.answer.has_total, "one line is count only");
	cr_assert_eq(w.answer.total_minor, 0);
	op = book_op(&w, 3, lines, 1);
	op.has_expected_total = true;
	op.expected_total_minor = UINT64_MAX;
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_PRICE_CHANGED);
	cr_assert_eq(w.answer.refusal.required, INT64_MAX);
	world_fini(&w);
}

Test(stays, a_total_beyond_63_bits_is_invalid)
{
	struct world w;
	struct inv_config config = world_config();
	config.window_nights = 400;
	world_init(&w, &config);
	world_standard(&w, 1, 32000);
	const int32_t day = day_one();
	struct inv_price_run run = {300, RATE_PRICE_MAX};
	struct inv_line line = stay_line(1, day, day + 300);
	line.pricing = INV_PRICE_CALLER;
	line.runs = &run;
	line.run_count = 1;
	line.rooms = 32000;
	cr_assert_eq(tried(&w, &line, 1), KEYRACK_INVALID);
	cr_assert_str_eq(w.answer.refusal.text, "total");
	line.rooms = 27962; /* x 300 x (2^40 - 1) is just below 2^63 */
	cr_assert_eq(tried(&w, &line, 1), KEYRACK_DONE);
	cr_assert_eq(w.answer.total_minor, UINT64_C(27962) * 300 * RATE_PRICE_MAX);
	line.rooms++;
	cr_assert_eq(tried(&w, &line, 1), KEYRACK_INVALID);
	sales_agree(&w);
	world_fini(&w);
}

/* ---- guests ---- */

Test(stays, guests_fit_in_all_rooms_of_a_line_together)
{
	struct world w;
	stays_init(&w, 1);
	struct inv_type_op put = type_op(1);
	put.mask = INV_TYPE_GUESTS_MAX;
	put.settings.guests_max = 2;
	cr_assert_eq(world_type_put(&w, &put), KEYRACK_DONE);
	const int32_t day = day_one();
	struct inv_line line = stay_line(1, day, day + 1);
	line.rooms = 3;
	line.guests = 6;
	cr_assert_eq(tried(&w, &line, 1), KEYRACK_DONE);
	line.guests = 7;
	cr_assert_eq(tried(&w, &line, 1), KEYRACK_OVER_OCCUPANCY);
	cr_assert_eq(w.answer.refusal.required, 7);
	cr_assert_eq(w.answer.refusal.left, 6);
	put.settings.guests_max = 0;
	cr_assert_eq(world_type_put(&w, &put), KEYRACK_DONE);
	line.guests = UINT16_MAX;
	cr_assert_eq(tried(&w, &line, 1), KEYRACK_DONE);
	world_fini(&w);
}

static uint64_t version_of(const struct world *w)
{
	struct inv_hotel_head head;
	cr_assert(inv_hotel_head(w->inv, (struct hotel_id){WORLD_HOTEL}, &head));
	return head.ari_version;
}

Test(stays, selling_and_giving_back_leave_the_version_that_updates_are_made_for)
{
	struct world w;
	stays_init(&w, 1);
	const uint64_t version = version_of(&w);
	const int32_t day = day_one();
	cr_assert_gt(version, 0);
	const struct kr_id held = sales_hold(&w, 1, 1, day, day + 2);
	const struct kr_id booked = sales_book(&w, 2, 1, day, day + 2);
	cr_assert_eq(version_of(&w), version);
	cr_assert_eq(sales_confirm(&w, held), KEYRACK_DONE);
	cr_assert_eq(sales_cancel(&w, booked, false), KEYRACK_DONE);
	cr_assert_eq(version_of(&w), version);
	world_fini(&w);
}
