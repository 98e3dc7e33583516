#include "tests/unit/inventory/sales.h"

#define ROOMS 4u
#define PRICE 70

static int32_t day_one(void)
{
	return world_day(2026, 11, 25);
}

/* What a check says. */
struct check {
	uint32_t count, left;
	struct inv_refusal refusals[INV_EXPLAIN_MAX];
	struct inv_line lines[INV_LINES_MAX];
	struct inv_answer answer;
};

static uint16_t checked(
	struct world *w, const struct inv_reserve_op *op, bool explain, struct check *c)
{
	const uint64_t digest = inv_digest(w->inv);
	memset(c, 0, sizeof(*c));
	c->count = inv_stay_check(
		w->inv, w->now, op, explain, c->refusals, c->lines, &c->left, &c->answer);
	cr_assert_eq(inv_digest(w->inv), digest);
	cr_assert_eq(c->count == 0, c->answer.code == KEYRACK_DONE);
	if (c->count > 0)
		cr_assert_eq(c->answer.code, c->refusals[0].code);
	return c->answer.code;
}

static void check_init(struct world *w)
{
	world_init(w, NULL);
	world_standard(w, 2, ROOMS);
	sales_price(w, 1, PRICE);
}

static void night_set(struct world *w, uint16_t type, int32_t day, struct inv_update update)
{
	struct inv_update_op op = update_op(&type, 1, day, day);
	op.update = update;
	op.update.first_day = op.update.last_day = day;
	op.update.weekday_mask = 127;
	cr_assert_eq(world_update(w, &op), KEYRACK_DONE);
}

Test(stay_check, tells_price_and_rooms_left)
{
	struct world w;
	struct check c;
	check_init(&w);
	night_set(&w, 1, day_one() + 1,
		(struct inv_update){.set_mask = INV_UPDATE_PRICE, .price_minor = 90});
	(void)sales_book(&w, 1, 1, day_one() + 1, day_one() + 2);
	struct inv_line line = stay_line(1, day_one(), day_one() + 3);
	line.pricing = INV_PRICE_CALENDAR;
	line.rooms = 2;
	struct inv_reserve_op op = {.hotel = {WORLD_HOTEL}, .lines = &line, .line_count = 1};
	cr_assert_eq(checked(&w, &op, false, &c), KEYRACK_DONE);
	cr_assert_eq(c.left, 3, "before this stay");
	cr_assert(c.answer.has_total);
	cr_assert_eq(c.answer.total_minor, 2 * (2 * PRICE + 90));
	cr_assert_eq(c.lines[0].run_count, 3);
	cr_assert_eq(c.lines[0].runs[1].price_minor, 90);
	cr_assert_eq(c.answer.wait_lsn, w.lsn);
	line.rooms = 4;
	cr_assert_eq(checked(&w, &op, false, &c), KEYRACK_SOLD_OUT);
	cr_assert_eq(c.refusals[0].required, 4);
	cr_assert_eq(c.refusals[0].left, 3);
	cr_assert_eq(c.left, 3);
	struct inv_denial denial;
	cr_assert_eq(inv_denials_list(w.inv, &denial, 1), 0, "a question is no demand");
	world_fini(&w);
}

Test(stay_check, explains_every_failing_rule_in_order)
{
	struct world w;
	struct check c;
	check_init(&w);
	const int32_t day = day_one();
	night_set(&w, 1, day,
		(struct inv_update){.set_mask = INV_UPDATE_CLOSED | INV_UPDATE_PLAN_CLOSED |
						INV_UPDATE_CTA | INV_UPDATE_MIN_ARRIVAL |
						INV_UPDATE_MIN_THROUGH | INV_UPDATE_CAP,
			.clear_mask = INV_UPDATE_PRICE,
			.closed = true,
			.plan_closed = true,
			.cta = true,
			.los = {.min_arrival = 5, .min_through = 4}});
	night_set(&w, 1, day + 2, (struct inv_update){.set_mask = INV_UPDATE_CTD, .ctd = true});
	struct inv_type_op put = type_op(1);
	put.mask = INV_TYPE_ADVANCE_MIN | INV_TYPE_GUESTS_MAX | INV_TYPE_STATUS;
	put.settings.advance_min_minutes = 100000;
	put.settings.guests_max = 1;
	put.settings.status = INV_CLOSED;
	cr_assert_eq(world_type_put(&w, &put), KEYRACK_DONE);
	struct inv_line lines[2] = {stay_line(1, day, day + 2), stay_line(9, day, day + 1)};
	lines[0].pricing = INV_PRICE_CALENDAR;
	lines[0].guests = 2;
	struct inv_reserve_op op = {.hotel = {WORLD_HOTEL}, .lines = lines, .line_count = 2};
	op.has_expected_total = true;
	static const struct {
		uint16_t code;
		uint8_t rule, line;
	} want[] = {{KEYRACK_CLOSED, RULE_TYPE, 0}, {KEYRACK_NOT_FOUND, RULE_TYPE, 1},
		{KEYRACK_TOO_LATE, RULE_MIN_ADVANCE, 0},
		{KEYRACK_OVER_OCCUPANCY, RULE_OCCUPANCY, 0}, {KEYRACK_CLOSED, RULE_TYPE_CLOSED, 0},
		{KEYRACK_RATE_CLOSED, RULE_PLAN_CLOSED, 0},
		{KEYRACK_CLOSED_TO_ARRIVAL, RULE_TYPE_CTA, 0},
		{KEYRACK_CLOSED_TO_DEPARTURE, RULE_TYPE_CTD, 0},
		{KEYRACK_MIN_LOS, RULE_MIN_ARRIVAL, 0}, {KEYRACK_MIN_LOS, RULE_MIN_THROUGH, 0},
		{KEYRACK_NO_RATE, RULE_PRICE, 0}, {KEYRACK_SOLD_OUT, RULE_LIMIT, 0}};
	cr_assert_eq(checked(&w, &op, true, &c), KEYRACK_CLOSED);
	cr_assert_eq(c.count, KR_ARRAY_COUNT(want));
	for (size_t i = 0; i < KR_ARRAY_COUNT(want); i++) {
		cr_assert_eq(c.refusals[i].code, want[i].code, "%zu: %u", i, c.refusals[i].code);
		cr_assert_eq(c.refusals[i].rule, want[i].rule, "%zu", i);
		cr_assert_eq(c.refusals[i].line, want[i].line, "%zu", i);
	}
	cr_assert_eq(checked(&w, &op, false, &c), KEYRACK_CLOSED);
	cr_assert_eq(c.count, 1);
	world_fini(&w);
}

Test(stay_check, looks_at_the_nights_inside_the_window_when_explaining)
{
	struct world w;
	struct check c;
	check_init(&w);
	const int32_t today = world_day(2026, 11, 22);
	const int32_t end = today + (int32_t)w.config.window_nights;
	night_set(
		&w, 1, end - 1, (struct inv_update){.set_mask = INV_UPDATE_CLOSED, .closed = true});
	night_set(&w, 1, today, (struct inv_update){.set_mask = INV_UPDATE_CTA, .cta = true});
	struct inv_line line = stay_line(1, today - 2, end + 3);
	line.pricing = INV_PRICE_CALENDAR;
	struct inv_reserve_op op = {.hotel = {WORLD_HOTEL}, .lines = &line, .line_count = 1};
	cr_assert_eq(checked(&w, &op, true, &c), KEYRACK_PAST_DATE);
	cr_assert_eq(c.count, 3);
	cr_assert_eq(c.refusals[0].day, today - 2);
	cr_assert_eq(c.refusals[1].code, KEYRACK_OUT_OF_WINDOW);
	cr_assert_eq(c.refusals[1].day, end);
	cr_assert_eq(c.refusals[2].code, KEYRACK_CLOSED);
	cr_assert_eq(c.refusals[2].day, end - 1);
	cr_assert(!c.answer.has_total, "not every night has a price");
	cr_assert_eq(c.left, ROOMS);
	world_fini(&w);
}

Test(stay_check, stops_at_its_bound_when_everything_fails)
{
	struct world w;
	struct check c;
	check_init(&w);
	const uint16_t types[] = {1, 2};
	for (int t = 0; t < 2; t++) {
		struct inv_update_op op = window_op(&w, &types[t]);
		op.update.set_mask = INV_UPDATE_CLOSED | INV_UPDATE_PLAN_CLOSED;
		op.update.closed = op.update.plan_closed = true;
		cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
	}
	struct inv_line lines[2] = {
		stay_line(1, day_one(), day_one() + 30), stay_line(2, day_one(), day_one() + 30)};
	struct inv_reserve_op op = {.hotel = {WORLD_HOTEL}, .lines = lines, .line_count = 2};
	cr_assert_eq(checked(&w, &op, true, &c), KEYRACK_CLOSED);
	cr_assert_eq(c.count, INV_EXPLAIN_MAX);
	cr_assert_eq(c.refusals[INV_EXPLAIN_MAX - 1].line, 1);
	world_fini(&w);
}

Test(stay_check, survives_whatever_dates_are_asked_for)
{
	struct world w;
	struct check c;
	check_init(&w);
	const int32_t day = day_one();
	night_set(&w, 2, day + 1,
		(struct inv_update){.set_mask = INV_UPDATE_MIN_THROUGH, .los = {.min_through = 3}});
	const int32_t days[] = {INT32_MIN, INV_DAY_MIN, day - 10, day, day + 1, day + 2, day + 200,
		INV_DAY_MAX, INT32_MAX};
	enum { DAYS = KR_ARRAY_COUNT(days) };
	for (int n = 0; n < DAYS * DAYS * DAYS * DAYS; n++) {
		struct inv_line lines[2] = {stay_line(1, days[n % DAYS], days[n / DAYS % DAYS]),
			stay_line(2, days[n / DAYS / DAYS % DAYS], days[n / DAYS / DAYS / DAYS])};
		struct inv_reserve_op op = {
			.hotel = {WORLD_HOTEL}, .lines = lines, .line_count = 2};
		uint16_t code = checked(&w, &op, true, &c);
		uint32_t count = c.count;
		cr_assert_eq(checked(&w, &op, false, &c), code);
		cr_assert_leq(c.count, count);
	}
	struct inv_reserve_op nobody = {
		.hotel = {WORLD_HOTEL + 1}, .lines = c.lines, .line_count = 1};
	c.lines[0] = stay_line(1, day, day + 1);
	struct inv_line line = c.lines[0];
	nobody.lines = &line;
	cr_assert_eq(checked(&w, &nobody, true, &c), KEYRACK_NOT_FOUND);
	nobody.line_count = 0;
	cr_assert_eq(checked(&w, &nobody, true, &c), KEYRACK_INVALID);
	cr_assert_eq(c.refusals[0].rule, RULE_FIELD);
	world_fini(&w);
}

Test(stay_check, a_length_limit_is_asked_of_every_stayed_night_and_not_of_the_check_out_date)
{
	struct world w;
	struct check c;
	check_init(&w);
	for (int32_t n = 0; n <= 3; n++) {
		const int32_t day = day_one() + 10 * n;
		night_set(&w, 1, day + n,
			(struct inv_update){
				.set_mask = INV_UPDATE_MIN_THROUGH, .los = {.min_through = 4}});
		struct inv_line line = stay_line(1, day, day + 3);
		struct inv_reserve_op op = {
			.hotel = {WORLD_HOTEL}, .lines = &line, .line_count = 1};
		cr_assert_eq(checked(&w, &op, true, &c), n == 3 ? KEYRACK_DONE : KEYRACK_MIN_LOS);
		if (n == 3)
			continue;
		cr_assert_eq(c.count, 1);
		cr_assert_eq(c.refusals[0].rule, RULE_MIN_THROUGH);
		cr_assert_eq(c.refusals[0].day, day + n);
	}
	world_fini(&w);
}

Test(stay_check, one_that_makes_no_sense_is_refused_by_its_field_alone)
{
	struct world w;
	struct check c;
	check_init(&w);
	struct inv_line line = stay_line(1, day_one(), day_one() + 2);
	line.pricing = INV_PRICE_NONE + 1;
	const struct inv_reserve_op op = {.hotel = {WORLD_HOTEL}, .lines = &line, .line_count = 1};
	for (int explain = 0; explain < 2; explain++) {
		cr_assert_eq(checked(&w, &op, explain != 0, &c), KEYRACK_INVALID);
		cr_assert_eq(c.count, 1);
		cr_assert_eq(c.left, 0);
		cr_assert_str_eq(c.refusals[0].text, "pricing");
	}
	world_fini(&w);
}
