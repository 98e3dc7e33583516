#include "engine/inventory/chunk.h"
#include "tests/unit/inventory/sales.h"

/* The policy of a plan, and what sales make of it. */

#define DERIVED 4 /* BASE less 10.00, and terms of its own */

static const struct inv_tier half[] = {{72, 0, 5000}}, one_night[] = {{24, 1, 0}},
			     two_nights[] = {{48, 2, 0}, {24, 0, 10000}};

static int32_t day(int32_t offset)
{
	return world_day(2026, 12, 1) + offset;
}

static uint64_t arrival_us(int32_t on)
{
	return (uint64_t)on * DAY_US + 15 * HOUR_US;
}

static void put_terms(struct world *w, uint16_t plan, const struct inv_tier *tiers, uint32_t count)
{
	struct inv_plan_op op = {
		.hotel = {WORLD_HOTEL}, .type = 1, .plan = plan, .mask = INV_PLAN_TIERS};
	op.settings.tier_count = (uint8_t)count;
	if (count > 0)
		memcpy(op.settings.tiers, tiers, count * sizeof(*tiers));
	if (plan == DERIVED) {
		op.mask |= INV_PLAN_PARENT | INV_PLAN_DERIVATION | INV_PLAN_ADJUSTMENT;
		op.settings.derivation = INV_PRICES_PLUS_MINOR;
		op.settings.adjustment = -10;
	}
	cr_assert_eq(world_plan_put(w, &op), KEYRACK_DONE, "%u", w->answer.code);
}

static void begin(struct world *w, const struct inv_config *config)
{
	world_init(w, config);
	world_standard(w, 2, 9);
	sales_price(w, 1, 100);
	sales_price(w, 2, 100);
}

static struct inv_line plan_line(uint16_t plan, int32_t check_in, int32_t check_out)
{
	struct inv_line line = stay_line(1, check_in, check_out);
	line.plan = plan;
	line.pricing = INV_PRICE_CALENDAR;
	return line;
}

static struct kr_id sell(struct world *w, bool book, const struct inv_line *lines, uint32_t count)
{
	struct inv_reserve_op op = hold_op(w, w->lsn, lines, count);
	op.book = book;
	cr_assert_eq(sales_reserve(w, &op), KEYRACK_DONE, "%u", w->answer.code);
	return op.id;
}

static struct inv_reservation_view seen(struct world *w, struct kr_id id)
{
	struct inv_reservation_view view;
	cr_assert(inv_reservation_get(w->inv, id, w->now.t_us, &view));
	return view;
}

static void has_terms(struct world *w, struct kr_id id, uint32_t line, const struct inv_tier *tiers,
	uint32_t count, uint64_t arrives_us)
{
	struct inv_reservation_view view = seen(w, id);
	const struct inv_line *l = &view.lines[line];
	cr_assert(inv_tiers_equal(l->tiers, l->tier_count, tiers, count), "line %u: %u tiers", line,
		l->tier_count);
	cr_assert_eq(l->arrival_us, arrives_us);
}

Test(plan_terms, a_sale_freezes_those_of_its_plan_and_later_ones_do_not_touch_it)
{
	struct world w;
	begin(&w, NULL);
	put_terms(&w, 0, half, 1);
	struct inv_line line = plan_line(0, day(0), day(2));
	struct kr_id hold = sell(&w, false, &line, 1), booking = sell(&w, true, &line, 1);
	put_terms(&w, 0, one_night, 1);
	struct kr_id later = sell(&w, true, &line, 1);
	put_terms(&w, 0, NULL, 0);
	struct kr_id latest = sell(&w, true, &line, 1);
	cr_assert_eq(sales_confirm(&w, hold), KEYRACK_DONE);
	has_terms(&w, hold, 0, half, 1, arrival_us(day(0)));
	has_terms(&w, booking, 0, half, 1, arrival_us(day(0)));
	has_terms(&w, later, 0, one_night, 1, arrival_us(day(0)));
	has_terms(&w, latest, 0, NULL, 0, 0);
	cr_assert_eq(seen(&w, latest).cost.free_until_us, 0);
	sales_agree(&w);
	world_fini(&w);
}

Test(plan_terms, each_line_has_those_of_its_own_plan_whatever_its_pricing)
{
	struct world w;
	begin(&w, NULL);
	put_terms(&w, 0, half, 1);
	put_terms(&w, DERIVED, two_nights, 2);
	struct inv_price_run run = {1, 7};
	struct inv_line lines[4] = {plan_line(DERIVED, day(0), day(2)),
		plan_line(0, day(2), day(3)), plan_line(0, day(5), day(6)),
		plan_line(DERIVED, day(8), day(9))};
	lines[2].pricing = INV_PRICE_CALLER;
	lines[2].runs = &run;
	lines[2].run_count = 1;
	lines[3].pricing = INV_PRICE_NONE;
	struct kr_id id = sell(&w, true, lines, 4);
	has_terms(&w, id, 0, two_nights, 2, arrival_us(day(0)));
	has_terms(&w, id, 1, half, 1, arrival_us(day(0))); /* it continues the first */
	has_terms(&w, id, 2, half, 1, arrival_us(day(5)));
	has_terms(&w, id, 3, two_nights, 2, arrival_us(day(8)));
	cr_assert_eq(seen(&w, id).cost.free_until_us, arrival_us(day(0)) - 72 * HOUR_US);
	sales_agree(&w);
	/* a day before: two nights at 90, half of the third; half of 7 is still free */
	id = sell(&w, true, lines, 3);
	w.now.t_us = w.now.wall_us = arrival_us(day(0)) - 48 * HOUR_US;
	cr_assert_eq(seen(&w, id).cost.penalty_minor, 2 * 90 + 50);
	w.now.t_us = w.now.wall_us = arrival_us(day(0)) - 24 * HOUR_US;
	cr_assert_eq(sales_cancel(&w, id, false), KEYRACK_DONE);
	cr_assert_eq(w.answer.penalty_minor, 180 + 50);
	cr_assert_eq(w.answer.refundable_minor, 50 + 7);
	sales_agree(&w);
	world_fini(&w);
}

Test(plan_terms, a_change_keeps_them_in_the_same_plan_and_takes_todays_in_another)
{
	struct world w;
	begin(&w, NULL);
	put_terms(&w, 0, half, 1);
	put_terms(&w, DERIVED, two_nights, 2);
	struct inv_line line = plan_line(0, day(0), day(2));
	struct kr_id id = sell(&w, true, &line, 1);
	put_terms(&w, 0, one_night, 1);
	struct inv_transition_op op = transition_op(INV_MODIFY, id);
	op.has_expected_revision = true;
	op.lines = &line;
	op.line_count = 1;
	for (uint32_t step = 1; step <= 3; step++) {
		op.expected_revision = op.change_id = step;
		/* other dates; another plan; and back */
		line.check_in = day((int32_t)step);
		line.check_out = line.check_in + 2;
		line.plan = step == 2 ? DERIVED : 0;
		cr_assert_eq(sales_transition(&w, &op), KEYRACK_DONE, "%u", w.answer.code);
		cr_assert(!w.answer.has_amounts);
		if (step == 1)
			has_terms(&w, id, 0, half, 1, arrival_us(line.check_in));
		else if (step == 2)
			has_terms(&w, id, 0, two_nights, 2, arrival_us(line.check_in));
		else
			has_terms(&w, id, 0, one_night, 1, arrival_us(line.check_in));
		sales_agree(&w);
	}
	world_fini(&w);
}

Test(plan_terms, a_quote_tells_those_that_a_sale_would_freeze)
{
	struct world w;
	begin(&w, NULL);
	put_terms(&w, 0, half, 1);
	struct inv_line lines[2] = {plan_line(0, day(0), day(2)), stay_line(2, day(1), day(2))};
	struct inv_reserve_op op = hold_op(&w, 1, lines, 2);
	struct inv_refusal refusals[INV_EXPLAIN_MAX];
	struct inv_line told[INV_LINES_MAX];
	uint32_t rooms_left;
	cr_assert_eq(
		inv_stay_check(w.inv, w.now, &op, true, refusals, told, &rooms_left, &w.answer), 0);
	cr_assert(inv_tiers_equal(told[0].tiers, told[0].tier_count, half, 1));
	cr_assert_eq(told[1].tier_count, 0);
	struct inv_cost cost = inv_lines_cost(told, 2, w.now.t_us);
	cr_assert_eq(cost.free_until_us, arrival_us(day(0)) - 72 * HOUR_US);
	/* refused lines have none to tell of */
	lines[0].type = 9;
	cr_assert_gt(
		inv_stay_check(w.inv, w.now, &op, true, refusals, told, &rooms_left, &w.answer), 0);
	cr_assert_eq(told[0].tier_count, 0);
	world_fini(&w);
}

/* Hours are hours that pass, whatever the clock on the wall does meanwhile. */
Test(plan_terms, arrivals_are_by_the_local_clock_of_their_day)
{
	static const struct {
		int month, day;
		uint16_t check_in_minute;
		int arrives_utc_minute; /* of that day */
	} cases[] = {
		{10, 24, 900, 13 * 60}, /* summer time */
		{10, 25, 900, 14 * 60}, /* the night before it was turned back */
		{10, 25, 150, 30},      /* 02:30 is there twice: the first */
		{3, 27, 900, 14 * 60},
		{3, 28, 900, 13 * 60},
		{3, 28, 150, 60}, /* 02:30 is not there: 03:00 */
		{3, 29, 0, -2 * 60},
	};
	struct inv_config config = world_config();
	config.window_nights = 300;
	struct world w;
	world_init(&w, &config);
	world_time(&w, 2026, 10, 1, 12, 0);
	world_standard(&w, 2, 9);
	put_terms(&w, 0, half, 1);
	for (size_t i = 0; i < KR_ARRAY_COUNT(cases); i++) {
		struct inv_hotel_op hotel = hotel_op(WORLD_HOTEL);
		hotel.mask = INV_HOTEL_ZONE | INV_HOTEL_CHECK_IN;
		hotel.settings.zone = text("Europe/Paris");
		hotel.settings.check_in_minute = cases[i].check_in_minute;
		cr_assert_eq(world_hotel_put(&w, &hotel), KEYRACK_DONE);
		int32_t on =
			world_day(cases[i].month == 3 ? 2027 : 2026, cases[i].month, cases[i].day);
		struct inv_line line = stay_line(1, on, on + 2);
		struct kr_id id = sell(&w, true, &line, 1);
		uint64_t arrives_us = (uint64_t)((int64_t)((uint64_t)on * DAY_US) +
						 cases[i].arrives_utc_minute * (int64_t)MINUTE_US);
		has_terms(&w, id, 0, half, 1, arrives_us);
		cr_assert_eq(
			seen(&w, id).cost.free_until_us, arrives_us - 72 * HOUR_US, "case %zu", i);
	}
	sales_agree(&w);
	world_fini(&w);
}

Test(plan_terms, a_hotel_that_moves_its_check_in_moves_no_deadline_that_was_told)
{
	struct world w;
	begin(&w, NULL);
	put_terms(&w, 0, half, 1);
	struct inv_line line = plan_line(0, day(0), day(2));
	struct kr_id id = sell(&w, true, &line, 1);
	struct inv_hotel_op hotel = hotel_op(WORLD_HOTEL);
	hotel.mask = INV_HOTEL_ZONE | INV_HOTEL_CHECK_IN;
	hotel.settings.zone = text("Asia/Tokyo");
	hotel.settings.check_in_minute = 600;
	cr_assert_eq(world_hotel_put(&w, &hotel), KEYRACK_DONE);
	has_terms(&w, id, 0, half, 1, arrival_us(day(0)));
	sales_agree(&w);
	world_fini(&w);
}

Test(plan_terms, a_full_table_of_nodes_is_an_answer)
{
	struct inv_config config = world_config();
	config.nodes_max = 1;
	struct world w;
	begin(&w, &config);
	put_terms(&w, 0, half, 1);
	struct inv_line line = plan_line(0, day(0), day(2));
	struct kr_id id = sell(&w, true, &line, 1);
	cr_assert_eq(sales_counts(&w).nodes, 1);
	struct inv_reserve_op op = book_op(&w, 99, &line, 1);
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_LIMIT_REACHED);
	cr_assert_str_eq(w.answer.refusal.text, "nodes");
	put_terms(&w, 0, NULL, 0);
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_DONE);
	has_terms(&w, id, 0, half, 1, arrival_us(day(0)));
	sales_agree(&w);
	world_fini(&w);
}

/* Snapshots and the log record digests: a state has the one that earlier builds gave it. */
Test(plan_terms, the_digest_of_a_state_is_for_ever)
{
	struct world w;
	begin(&w, NULL);
	const uint64_t empty = inv_digest(w.inv);
	put_terms(&w, 0, two_nights, 2);
	struct inv_plan_op op = {.hotel = {WORLD_HOTEL},
		.type = 1,
		.plan = DERIVED,
		.mask = INV_PLAN_PARENT | INV_PLAN_DERIVATION | INV_PLAN_ADJUSTMENT |
			INV_PLAN_ADVANCE_MIN | INV_PLAN_ADVANCE_MAX | INV_PLAN_TIERS};
	op.settings.derivation = INV_PRICES_PLUS_MINOR;
	op.settings.adjustment = -10;
	op.settings.advance_min_minutes = 30;
	op.settings.advance_max_minutes = 600000;
	op.settings.tier_count = 1;
	op.settings.tiers[0] = half[0];
	cr_assert_eq(world_plan_put(&w, &op), KEYRACK_DONE, "%u", w.answer.code);
	struct inv_line lines[2] = {
		plan_line(DERIVED, day(0), day(2)), plan_line(0, day(5), day(6))};
	const struct kr_id id = sell(&w, true, lines, 2);
	(void)sell(&w, false, lines, 1);
	cr_assert_eq(empty, UINT64_C(0x5dd6fcbaa0f945af), "%lx", (unsigned long)empty);
	cr_assert_eq(inv_digest(w.inv), UINT64_C(0xdf634c64460f7d0d), "%lx",
		(unsigned long)inv_digest(w.inv));
	cr_assert_eq(sales_cancel(&w, id, true), KEYRACK_DONE);
	cr_assert_eq(inv_digest(w.inv), UINT64_C(0xd58a7a700aaf4bdd), "%lx",
		(unsigned long)inv_digest(w.inv));
	const uint16_t type = 1;
	struct inv_update_op stock = update_op(&type, 1, day(1), day(2));
	stock.update.set_mask =
		INV_UPDATE_PHYSICAL | INV_UPDATE_OUT_OF_ORDER | INV_UPDATE_ALLOWANCE;
	stock.update.physical = 9;
	stock.update.out_of_order = 2;
	stock.update.allowance = 3;
	stock.update.allowance_unit = INV_ALLOWANCE_ROOMS;
	cr_assert_eq(world_update(&w, &stock), KEYRACK_DONE, "%u", w.answer.code);
	cr_assert_eq(inv_digest(w.inv), UINT64_C(0x29f01ec9f157b8a3), "%lx",
		(unsigned long)inv_digest(w.inv));
	sales_agree(&w);
	world_fini(&w);
}
