#include "tests/unit/inventory/sales.h"

/*
 * The published order as a truth table: every pair of causes of different steps, each on the first
 * or on the second line, refuses with the cause of the earlier step and its line.
 */

#define TODAY_OFFSET 5
#define ROOMS 10u
#define PRICE 100

struct trial {
	struct world *w;
	struct hotel_id hotel;
	struct inv_line lines[2];
	struct inv_reserve_op op;
	uint64_t minted_us;
	bool is_known; /* the id was sold before */
};

static struct kr_id trial_id(const struct trial *t, uint64_t random)
{
	/* hotels share slots: the number keeps their ids apart */
	return sales_id_at(t->minted_us, t->op.hotel.v, t->hotel.v << 8 | random);
}

static void put_hotel(struct trial *t, uint32_t mask, struct inv_hotel_settings settings)
{
	struct inv_hotel_op op = {.hotel = t->hotel, .mask = mask, .settings = settings};
	cr_assert_eq(world_hotel_put(t->w, &op), KEYRACK_DONE);
}

static void put_type(struct trial *t, int line, uint32_t mask, struct inv_type_settings settings)
{
	struct inv_type_op op = {.hotel = t->hotel,
		.type = (uint16_t)(line + 1),
		.mask = mask,
		.settings = settings};
	cr_assert_eq(world_type_put(t->w, &op), KEYRACK_DONE);
}

static void put_nights(struct trial *t, int line, struct inv_update update)
{
	uint16_t type = (uint16_t)(line + 1);
	struct inv_hotel_view view;
	cr_assert(inv_hotel_get(t->w->inv, t->hotel, &view));
	update.weekday_mask = 127;
	update.first_day = view.business_day;
	update.last_day = view.business_day + (int32_t)t->w->config.window_nights - 1;
	struct inv_update_op op = {
		.hotel = t->hotel, .types = &type, .type_count = 1, .update = update};
	cr_assert_eq(world_update(t->w, &op), KEYRACK_DONE);
}

#define BREAKS(name) static void break_##name(struct trial *t, int line)

BREAKS(id_ahead)
{
	t->minted_us = t->w->now.t_us + INV_ID_AHEAD_MAX_US + 1000;
}
BREAKS(id_known)
{
	struct inv_reserve_op op = t->op;
	struct inv_line other = t->lines[0];
	other.pricing = INV_PRICE_NONE;
	op.lines = &other;
	op.line_count = 1;
	op.has_expected_total = false;
	op.id = trial_id(t, 1);
	cr_assert_eq(sales_reserve(t->w, &op), KEYRACK_DONE);
	t->is_known = true;
}
BREAKS(id_purged)
{
	t->minted_us = sales_counts(t->w).purge_mark_us - 1000;
}
BREAKS(external_ref)
{
	struct inv_reserve_op op = t->op;
	struct inv_line other = t->lines[0];
	other.pricing = INV_PRICE_NONE;
	op.lines = &other;
	op.line_count = 1;
	op.has_expected_total = false;
	op.external_ref = text("E-1");
	op.id = trial_id(t, 2);
	cr_assert_eq(sales_reserve(t->w, &op), KEYRACK_DONE);
	t->op.external_ref = text("E-1");
}
BREAKS(hotel_unknown)
{
	t->op.hotel.v += UINT64_C(1) << 40;
}
BREAKS(hotel_closed)
{
	put_hotel(t, INV_HOTEL_STATUS, (struct inv_hotel_settings){.status = INV_CLOSED});
}
BREAKS(type_unknown)
{
	t->lines[line].type = 9;
}
BREAKS(type_closed)
{
	put_type(t, line, INV_TYPE_STATUS, (struct inv_type_settings){.status = INV_CLOSED});
}
BREAKS(plan_unknown)
{
	t->lines[line].plan = 1;
}
BREAKS(plan_closed)
{
	put_type(t, line, INV_TYPE_PLAN_STATUS,
		(struct inv_type_settings){.plan_status = INV_CLOSED});
}
BREAKS(dates)
{
	t->lines[line].check_out = t->lines[line].check_in;
}
BREAKS(rooms)
{
	t->lines[line].rooms = 0;
}
BREAKS(nights)
{
	put_hotel(t, INV_HOTEL_NIGHTS_MAX, (struct inv_hotel_settings){.nights_max = 2});
}
BREAKS(runs)
{
	static const struct inv_price_run run = {2, 5};
	t->lines[line].pricing = INV_PRICE_CALLER;
	t->lines[line].runs = &run;
	t->lines[line].run_count = 1;
}
BREAKS(past)
{
	t->lines[line].check_in = world_day(2026, 11, 23);
}
BREAKS(window)
{
	t->lines[line].check_out = world_day(2026, 11, 24) + 41;
}
BREAKS(late)
{
	put_type(t, line, INV_TYPE_ADVANCE_MIN,
		(struct inv_type_settings){.advance_min_minutes = 60 * 24 * 60});
}
BREAKS(early)
{
	put_type(t, line, INV_TYPE_ADVANCE_MAX,
		(struct inv_type_settings){.advance_max_minutes = 1});
}
BREAKS(guests)
{
	t->lines[line].guests = 3;
}

#define BREAKS_NIGHTS(name, field_mask, ...)                                                       \
	BREAKS(name)                                                                               \
	{                                                                                          \
		put_nights(t, line, (struct inv_update){.set_mask = (field_mask), __VA_ARGS__});   \
	}
BREAKS_NIGHTS(closed, INV_UPDATE_CLOSED, .closed = true)
BREAKS_NIGHTS(rate_closed, INV_UPDATE_PLAN_CLOSED, .plan_closed = true)
BREAKS_NIGHTS(cta, INV_UPDATE_CTA, .cta = true)
BREAKS_NIGHTS(plan_cta, INV_UPDATE_PLAN_CTA, .plan_cta = true)
BREAKS_NIGHTS(ctd, INV_UPDATE_CTD, .ctd = true)
BREAKS_NIGHTS(plan_ctd, INV_UPDATE_PLAN_CTD, .plan_ctd = true)
BREAKS_NIGHTS(min_arrival, INV_UPDATE_MIN_ARRIVAL, .los.min_arrival = 4)
BREAKS_NIGHTS(max_arrival, INV_UPDATE_MAX_ARRIVAL, .los.max_arrival = 2)
BREAKS_NIGHTS(min_through, INV_UPDATE_MIN_THROUGH, .los.min_through = 4)
BREAKS_NIGHTS(max_through, INV_UPDATE_MAX_THROUGH, .los.max_through = 2)
BREAKS_NIGHTS(sold_out, INV_UPDATE_CAP, .cap = 0)

BREAKS(no_rate)
{
	put_nights(t, line, (struct inv_update){.clear_mask = INV_UPDATE_PRICE});
}
BREAKS(price)
{
	t->op.expected_total_minor++;
}
BREAKS(not_loaded)
{
	struct inv_type_op op = {
		.hotel = t->hotel, .type = (uint16_t)(line + 1), .clear_mask = INV_TYPE_PHYSICAL};
	cr_assert_eq(world_type_put(t->w, &op), KEYRACK_DONE);
}
BREAKS(caps)
{
	struct inv_reserve_op op = t->op;
	struct inv_line other = t->lines[0];
	other.pricing = INV_PRICE_NONE;
	op.lines = &other;
	op.line_count = 1;
	op.has_expected_total = false;
	op.external_ref = text("");
	op.id = trial_id(t, 3);
	cr_assert_eq(sales_reserve(t->w, &op), KEYRACK_DONE);
	put_hotel(t, INV_HOTEL_HOLDS_MAX, (struct inv_hotel_settings){.holds_max = 1});
}

struct cause {
	void (*breaks)(struct trial *, int line);
	int step;
	uint16_t code;
	uint8_t rule;
	bool has_line;    /* else the refusal names line 0 */
	bool sells_first; /* needs a sale before anything is broken */
	bool has_day;
};

#define CAUSE(name, step, code, rule, ...)                                                         \
	{                                                                                          \
		break_##name, step, KEYRACK_##code, RULE_##rule, __VA_ARGS__                       \
	}
#define LINE .has_line = true
#define NIGHT .has_line = true, .has_day = true

static const struct cause causes[] = {
	CAUSE(id_known, 1, KEY_REUSED, ID, .sells_first = true),
	CAUSE(id_purged, 1, KEY_EXPIRED, ID, .has_line = false),
	CAUSE(id_ahead, 1, INVALID, ID, .has_line = false),
	CAUSE(external_ref, 1, KEY_REUSED, EXTERNAL_REF, .sells_first = true),
	CAUSE(hotel_unknown, 2, NOT_FOUND, HOTEL, .has_line = false),
	CAUSE(hotel_closed, 2, CLOSED, HOTEL, .has_line = false),
	CAUSE(type_unknown, 2, NOT_FOUND, TYPE, LINE),
	CAUSE(type_closed, 2, CLOSED, TYPE, LINE),
	CAUSE(plan_unknown, 2, NOT_FOUND, PLAN, LINE),
	CAUSE(plan_closed, 2, RATE_CLOSED, PLAN, LINE),
	CAUSE(dates, 3, INVALID, DATES, LINE),
	CAUSE(rooms, 3, INVALID, FIELD, LINE),
	CAUSE(nights, 3, INVALID, DATES, .has_line = false),
	CAUSE(runs, 3, INVALID, FIELD, LINE),
	CAUSE(past, 3, PAST_DATE, DATES, NIGHT),
	CAUSE(window, 3, OUT_OF_WINDOW, DATES, NIGHT),
	CAUSE(late, 4, TOO_LATE, MIN_ADVANCE, LINE),
	CAUSE(early, 4, TOO_EARLY, MAX_ADVANCE, LINE),
	CAUSE(guests, 5, OVER_OCCUPANCY, OCCUPANCY, LINE),
	CAUSE(closed, 6, CLOSED, TYPE_CLOSED, NIGHT),
	CAUSE(rate_closed, 6, RATE_CLOSED, PLAN_CLOSED, NIGHT),
	CAUSE(cta, 7, CLOSED_TO_ARRIVAL, TYPE_CTA, NIGHT),
	CAUSE(plan_cta, 7, CLOSED_TO_ARRIVAL, PLAN_CTA, NIGHT),
	CAUSE(ctd, 7, CLOSED_TO_DEPARTURE, TYPE_CTD, NIGHT),
	CAUSE(plan_ctd, 7, CLOSED_TO_DEPARTURE, PLAN_CTD, NIGHT),
	CAUSE(min_arrival, 8, MIN_LOS, MIN_ARRIVAL, NIGHT),
	CAUSE(max_arrival, 8, MAX_LOS, MAX_ARRIVAL, NIGHT),
	CAUSE(min_through, 8, MIN_LOS, MIN_THROUGH, NIGHT),
	CAUSE(max_through, 8, MAX_LOS, MAX_THROUGH, NIGHT),
	CAUSE(no_rate, 9, NO_RATE, PRICE, NIGHT),
	CAUSE(price, 9, PRICE_CHANGED, PRICE, .has_line = false),
	CAUSE(not_loaded, 10, NOT_LOADED, LOADED, NIGHT),
	CAUSE(sold_out, 10, SOLD_OUT, LIMIT, NIGHT),
	CAUSE(caps, 11, RATE_LIMITED, HOLD_CAP, .sells_first = true),
};

/* Two lines of two types, ten days apart, calendar-priced, that would be admitted. */
static void trial_init(struct trial *t, struct world *w, uint64_t hotel)
{
	*t = (struct trial){.w = w, .hotel = {hotel}, .minted_us = w->now.t_us};
	struct inv_hotel_op put = hotel_op(hotel);
	cr_assert_eq(world_hotel_put(w, &put), KEYRACK_DONE);
	for (int i = 0; i < 2; i++) {
		put_type(t, i, INV_TYPE_PHYSICAL | INV_TYPE_GUESTS_MAX,
			(struct inv_type_settings){.physical = ROOMS, .guests_max = 2});
		put_nights(t, i,
			(struct inv_update){.set_mask = INV_UPDATE_PRICE, .price_minor = PRICE});
		int32_t day = world_day(2026, 11, 24) + TODAY_OFFSET + i * 10;
		t->lines[i] = stay_line((uint16_t)(i + 1), day, day + 3);
		t->lines[i].pricing = INV_PRICE_CALENDAR;
	}
	t->op = (struct inv_reserve_op){
		.hotel = t->hotel,
		.lines = t->lines,
		.line_count = 2,
		.has_expected_total = true,
		.expected_total_minor = 6 * PRICE,
	};
}

/* A world whose purge mark has moved, on 2026-11-24. */
static void table_world(struct world *w)
{
	struct inv_config config = world_config();
	config.hotels_max = 8192;
	config.rows_max = 16384;
	config.reservations_max = 8192;
	config.refusals_max = 16384;
	config.nodes_max = 4096;
	world_init(w, &config);
	cr_assert_eq(sales_resolve(w, sales_id(w, 1)), KEYRACK_NOT_FOUND);
	world_time(w, 2026, 11, 24, 12, 0);
	cr_assert_eq(sales_due(w), 1);
	cr_assert_gt(sales_counts(w).purge_mark_us, 0);
}

static void check_refusal(const struct trial *t, const struct cause *cause, int line,
	const struct inv_refusal *refusal)
{
	cr_assert_eq(refusal->code, cause->code, "%u for %u", refusal->code, cause->code);
	cr_assert_eq(refusal->rule, cause->rule, "%u for %u", refusal->rule, cause->rule);
	cr_assert_eq(refusal->line, cause->has_line ? line : 0);
	cr_assert_eq(refusal->has_day, cause->has_day);
	if (!refusal->has_day)
		return;
	const struct inv_line *l = &t->lines[line];
	int32_t end = world_day(2026, 11, 24) + (int32_t)t->w->config.window_nights;
	bool departs = cause->rule == RULE_TYPE_CTD || cause->rule == RULE_PLAN_CTD;
	cr_assert_eq(refusal->day, departs                                ? l->check_out
				   : cause->code == KEYRACK_OUT_OF_WINDOW ? end
									  : l->check_in);
}

/* Steps 2 to 10 without reserving say the same, alone and as the first of all. */
static void check_stay(struct trial *t, const struct cause *cause, int line)
{
	struct inv_refusal refusals[INV_EXPLAIN_MAX];
	struct inv_line lines[2];
	struct inv_answer answer;
	uint32_t left;
	for (int explain = 0; explain < 2; explain++) {
		uint32_t count = inv_stay_check(
			t->w->inv, t->w->now, &t->op, explain, refusals, lines, &left, &answer);
		cr_assert_geq(count, 1);
		cr_assert(explain || count == 1);
		check_refusal(t, cause, line, &refusals[0]);
		cr_assert_eq(answer.code, cause->code);
	}
}

static void try_pair(struct world *w, uint64_t hotel, const struct cause *a, int line_a,
	const struct cause *b, int line_b)
{
	struct trial t;
	trial_init(&t, w, hotel);
	if (a->sells_first)
		a->breaks(&t, line_a);
	if (b->sells_first)
		b->breaks(&t, line_b);
	if (!a->sells_first)
		a->breaks(&t, line_a);
	if (!b->sells_first)
		b->breaks(&t, line_b);
	struct hotel_id asked = t.op.hotel;
	if (t.is_known)
		t.op.hotel = t.hotel; /* the id was minted for the hotel that has it */
	t.op.id = trial_id(&t, 1);
	t.op.hotel = asked;
	const uint64_t lsn = w->lsn;
	cr_assert_eq(sales_reserve(w, &t.op), a->code, "%u for %u (and %u)", w->answer.code,
		a->code, b->code);
	cr_assert_eq(w->lsn, lsn);
	check_refusal(&t, a, line_a, &w->answer.refusal);
	if (a->step >= 2 && a->step <= 10)
		check_stay(&t, a, line_a);
	/* the same question hears the same, unless nothing was decided or it was never a new id */
	cr_assert_eq(sales_reserve(w, &t.op), a->code);
	if (a->step == 11 || t.is_known)
		return;
	t.op.expected_total_minor += 7;
	cr_assert_eq(sales_reserve(w, &t.op), KEYRACK_KEY_REUSED);
}

static bool is_possible(const struct cause *a, const struct cause *b)
{
	/* an external reference of a hotel that is not there has no other */
	return !(a->breaks == break_external_ref && b->breaks == break_hotel_unknown);
}

Test(admission, the_earlier_step_wins_over_all_lines)
{
	struct world w;
	table_world(&w);
	uint64_t hotel = 1000;
	for (size_t i = 0; i < KR_ARRAY_COUNT(causes); i++)
		for (size_t j = 0; j < KR_ARRAY_COUNT(causes); j++) {
			if (causes[i].step >= causes[j].step ||
				!is_possible(&causes[i], &causes[j]))
				continue;
			for (int lines = 0; lines < 4; lines++)
				try_pair(
					&w, hotel++, &causes[i], lines & 1, &causes[j], lines >> 1);
		}
	cr_assert_gt(hotel, 1000 + 1500);
	sales_agree(&w);
	world_fini(&w);
}

Test(admission, each_cause_alone_refuses_and_none_admits)
{
	struct world w;
	table_world(&w);
	struct trial t;
	uint64_t hotel = 1;
	for (size_t i = 0; i < KR_ARRAY_COUNT(causes); i++)
		for (int line = 0; line < 2; line++) {
			static const struct cause none = {.step = 12};
			trial_init(&t, &w, hotel);
			t.op.id = trial_id(&t, 9);
			cr_assert_eq(sales_reserve(&w, &t.op), KEYRACK_DONE);
			cr_assert_eq(w.answer.total_minor, 6 * PRICE);
			cr_assert_eq(sales_release(&w, t.op.id), KEYRACK_DONE);
			t.op.id = (struct kr_id){0, 0};
			hotel++;
			trial_init(&t, &w, hotel);
			causes[i].breaks(&t, line);
			if (t.is_known)
				t.op.hotel = t.hotel;
			t.op.id = trial_id(&t, 1);
			cr_assert_eq(sales_reserve(&w, &t.op), causes[i].code);
			check_refusal(&t, &causes[i], line, &w.answer.refusal);
			cr_assert_eq(none.step, 12);
			hotel++;
		}
	sales_agree(&w);
	world_fini(&w);
}

/* Within a step: the lowest line, then the earliest night, then type before plan. */
Test(admission, within_a_step_the_lowest_line_and_the_earliest_night_come_first)
{
	struct world w;
	world_init(&w, NULL);
	world_standard(&w, 2, ROOMS);
	const int32_t day = world_day(2026, 11, 25);
	const uint16_t types[] = {1, 2};
	struct inv_update_op op = update_op(&types[0], 1, day + 2, day + 2);
	op.update.set_mask = INV_UPDATE_CLOSED;
	op.update.closed = true;
	cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
	op = update_op(&types[0], 1, day + 1, day + 2);
	op.update.set_mask = INV_UPDATE_PLAN_CLOSED;
	op.update.plan_closed = true;
	cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
	op = update_op(&types[1], 1, day, day);
	op.update.set_mask = INV_UPDATE_CLOSED;
	op.update.closed = true;
	cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
	struct inv_line lines[2] = {stay_line(1, day, day + 4), stay_line(2, day, day + 4)};
	struct inv_reserve_op book = book_op(&w, 1, lines, 2);
	cr_assert_eq(sales_reserve(&w, &book), KEYRACK_RATE_CLOSED, "the earlier night");
	cr_assert_eq(w.answer.refusal.line, 0);
	cr_assert_eq(w.answer.refusal.day, day + 1);
	lines[0].check_in = day + 2;
	book = book_op(&w, 2, lines, 2);
	cr_assert_eq(sales_reserve(&w, &book), KEYRACK_CLOSED, "type before plan");
	cr_assert_eq(w.answer.refusal.rule, RULE_TYPE_CLOSED);
	cr_assert_eq(w.answer.refusal.day, day + 2);
	struct inv_line swapped[2] = {lines[1], lines[0]};
	book = book_op(&w, 3, swapped, 2);
	cr_assert_eq(sales_reserve(&w, &book), KEYRACK_CLOSED);
	cr_assert_eq(w.answer.refusal.line, 0);
	cr_assert_eq(w.answer.refusal.day, day);
	world_fini(&w);
}

Test(admission, rooms_are_sold_to_the_last_and_no_further)
{
	struct world w;
	world_init(&w, NULL);
	world_standard(&w, 1, 3);
	const int32_t day = world_day(2026, 11, 25);
	for (uint64_t n = 0; n < 3; n++)
		(void)sales_book(&w, n, 1, day + 1, day + 2);
	struct inv_line line = stay_line(1, day, day + 4);
	struct inv_reserve_op op = hold_op(&w, 10, &line, 1);
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_SOLD_OUT);
	cr_assert_eq(w.answer.refusal.day, day + 1);
	cr_assert_eq(w.answer.refusal.required, 1);
	cr_assert_eq(w.answer.refusal.left, 0);
	cr_assert_eq(w.answer.outcome, KEYRACK_SOLD_OUT);
	line.rooms = 4;
	line.check_out = day + 1;
	op = hold_op(&w, 11, &line, 1);
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_SOLD_OUT);
	cr_assert_eq(w.answer.refusal.required, 4);
	cr_assert_eq(w.answer.refusal.left, 3);
	line.rooms = 3;
	op = hold_op(&w, 12, &line, 1);
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_DONE);
	/* the check-out date is no night: it is free for who arrives then */
	(void)sales_book(&w, 13, 1, day + 2, day + 3);
	for (int32_t d = day; d < day + 4; d++)
		cr_assert_eq(world_counter(&w, 1, d).held + world_counter(&w, 1, d).booked,
			d == day       ? 3
			: d == day + 1 ? 3
			: d == day + 2 ? 1
				       : 0);
	sales_agree(&w);
	world_fini(&w);
}

Test(admission, draws_of_several_lines_on_one_cell_add_up)
{
	struct world w;
	world_init(&w, NULL);
	world_standard(&w, 2, 3);
	const int32_t day = world_day(2026, 11, 25);
	struct inv_line lines[3] = {stay_line(1, day, day + 3), stay_line(2, day, day + 3),
		stay_line(1, day + 1, day + 2)};
	lines[0].rooms = 2;
	lines[2].rooms = 2;
	struct inv_reserve_op op = book_op(&w, 1, lines, 3);
	const uint64_t digest = inv_digest(w.inv);
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_SOLD_OUT);
	cr_assert_eq(w.answer.refusal.line, 2);
	cr_assert_eq(w.answer.refusal.day, day + 1);
	cr_assert_eq(w.answer.refusal.required, 4);
	cr_assert_eq(w.answer.refusal.left, 3);
	cr_assert_eq(inv_digest(w.inv), digest, "all or nothing");
	lines[2].rooms = 1;
	op = book_op(&w, 2, lines, 3);
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_DONE);
	cr_assert_eq(world_counter(&w, 1, day).booked, 2);
	cr_assert_eq(world_counter(&w, 1, day + 1).booked, 3);
	cr_assert_eq(world_counter(&w, 1, day + 2).booked, 2);
	cr_assert_eq(world_counter(&w, 2, day + 1).booked, 1);
	sales_agree(&w);
	cr_assert_eq(sales_cancel(&w, op.id, false), KEYRACK_DONE);
	cr_assert_eq(world_counter(&w, 1, day + 1).booked, 0);
	sales_agree(&w);
	world_fini(&w);
}

Test(admission, a_limit_below_what_is_sold_shows_nothing_left)
{
	struct world w;
	world_init(&w, NULL);
	world_standard(&w, 1, 3);
	const int32_t day = world_day(2026, 11, 25);
	const uint16_t type = 1;
	for (uint64_t n = 0; n < 3; n++)
		(void)sales_hold(&w, n, 1, day, day + 1);
	struct inv_update_op lower = update_op(&type, 1, day, day);
	lower.update.set_mask = INV_UPDATE_CAP;
	lower.update.cap = 1;
	cr_assert_eq(world_update(&w, &lower), KEYRACK_DONE);
	struct inv_line line = stay_line(1, day, day + 1);
	struct inv_reserve_op op = hold_op(&w, 9, &line, 1);
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_SOLD_OUT);
	cr_assert_eq(w.answer.refusal.left, 0);
	sales_agree(&w);
	world_fini(&w);
}

Test(admission, live_holds_are_capped_by_hotel_and_by_guest)
{
	struct world w;
	world_init(&w, NULL);
	world_standard(&w, 1, ROOMS);
	const int32_t day = world_day(2026, 11, 25);
	struct inv_hotel_op put = {.hotel = {WORLD_HOTEL},
		.mask = INV_HOTEL_HOLDS_MAX | INV_HOTEL_GUEST_HOLDS_MAX,
		.settings = {.holds_max = 4, .guest_holds_max = 2}};
	cr_assert_eq(world_hotel_put(&w, &put), KEYRACK_DONE);
	struct inv_line line = stay_line(1, day, day + 1);
	struct inv_reserve_op op[6];
	for (uint64_t n = 0; n < 6; n++) {
		op[n] = hold_op(&w, n, &line, 1);
		op[n].guest = (struct inv_guest_id){7, n < 3 ? 1 : n};
	}
	cr_assert_eq(sales_reserve(&w, &op[0]), KEYRACK_DONE);
	cr_assert_eq(sales_reserve(&w, &op[1]), KEYRACK_DONE);
	cr_assert_eq(sales_reserve(&w, &op[2]), KEYRACK_RATE_LIMITED);
	cr_assert_eq(w.answer.refusal.rule, RULE_HOLD_CAP);
	cr_assert_eq(w.answer.refusal.required, 2);
	cr_assert_str_eq(w.answer.refusal.text, "guest_holds_max");
	cr_assert_eq(sales_reserve(&w, &op[3]), KEYRACK_DONE);
	cr_assert_eq(sales_reserve(&w, &op[4]), KEYRACK_DONE);
	cr_assert_eq(sales_reserve(&w, &op[5]), KEYRACK_RATE_LIMITED);
	cr_assert_str_eq(w.answer.refusal.text, "holds_max");
	op[5].book = true;
	cr_assert_eq(sales_reserve(&w, &op[5]), KEYRACK_DONE, "a booking is no hold");
	/* transient, so never remembered: the same id is judged again once there is room */
	cr_assert_eq(sales_confirm(&w, op[0].id), KEYRACK_DONE);
	cr_assert_eq(sales_reserve(&w, &op[2]), KEYRACK_DONE);
	sales_agree(&w);
	world_fini(&w);
}

Test(admission, a_hold_that_replaces_one_of_its_guest_takes_no_further_place)
{
	struct world w;
	world_init(&w, NULL);
	world_standard(&w, 1, ROOMS);
	const int32_t day = world_day(2026, 11, 25);
	struct inv_hotel_op put = {.hotel = {WORLD_HOTEL},
		.mask = INV_HOTEL_GUEST_HOLDS_MAX,
		.settings = {.guest_holds_max = 1}};
	cr_assert_eq(world_hotel_put(&w, &put), KEYRACK_DONE);
	struct inv_line line = stay_line(1, day, day + 1);
	struct inv_reserve_op op[4];
	for (uint64_t n = 0; n < 4; n++) {
		op[n] = hold_op(&w, n, &line, 1);
		op[n].guest = (struct inv_guest_id){7, n == 1 ? 2 : 1};
	}
	cr_assert_eq(sales_reserve(&w, &op[0]), KEYRACK_DONE);
	cr_assert_eq(sales_reserve(&w, &op[1]), KEYRACK_DONE);
	op[2].replaces = op[1].id;
	cr_assert_eq(sales_reserve(&w, &op[2]), KEYRACK_RATE_LIMITED, "another guest's");
	op[3].replaces = op[0].id;
	cr_assert_eq(sales_reserve(&w, &op[3]), KEYRACK_DONE, "its own");
	cr_assert_eq(sales_state(&w, op[0].id), INV_RELEASED);
	cr_assert_eq(sales_state(&w, op[1].id), INV_HELD);
	sales_agree(&w);
	world_fini(&w);
}

Test(admission, a_full_table_refuses_new_work_and_forgets_nothing)
{
	struct world w;
	struct inv_config config = world_config();
	config.reservations_max = 3;
	config.nodes_max = 2;
	world_init(&w, &config);
	world_standard(&w, 2, ROOMS);
	const int32_t day = world_day(2026, 11, 25);
	struct inv_line lines[4] = {stay_line(1, day, day + 1), stay_line(2, day, day + 1),
		stay_line(1, day + 2, day + 3), stay_line(2, day + 2, day + 3)};
	struct inv_reserve_op op = hold_op(&w, 1, lines, 4);
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_LIMIT_REACHED);
	cr_assert_eq(w.answer.refusal.rule, RULE_TABLE);
	cr_assert_str_eq(w.answer.refusal.text, "nodes");
	cr_assert_eq(w.answer.refusal.required, 2);
	op = hold_op(&w, 1, lines, 3);
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_DONE, "the same id, never remembered");
	struct inv_transition_op confirm = transition_op(INV_CONFIRM, op.id);
	confirm.payment_ref = text("p");
	cr_assert_eq(sales_transition(&w, &confirm), KEYRACK_LIMIT_REACHED);
	cr_assert_eq(w.answer.state, INV_HELD);
	cr_assert_eq(sales_confirm(&w, op.id), KEYRACK_DONE);
	struct kr_id kept = sales_book(&w, 2, 1, day, day + 1);
	(void)sales_book(&w, 3, 1, day, day + 1);
	op = book_op(&w, 4, lines, 1);
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_LIMIT_REACHED);
	cr_assert_str_eq(w.answer.refusal.text, "reservations");
	cr_assert_eq(sales_resolve(&w, sales_id(&w, 5)), KEYRACK_LIMIT_REACHED);
	cr_assert_eq(sales_state(&w, kept), INV_CONFIRMED);
	sales_agree(&w);
	world_fini(&w);
}

Test(admission, a_request_that_no_hotel_could_take_is_invalid)
{
	struct world w;
	world_init(&w, NULL);
	world_standard(&w, 1, ROOMS);
	const int32_t day = world_day(2026, 11, 25);
	struct inv_line good = stay_line(1, day, day + 1), many[INV_LINES_MAX + 1], odd = good;
	char long_text[INV_TEXT_SIZE_MAX + 2];
	memset(long_text, 'x', sizeof(long_text));
	long_text[sizeof(long_text) - 1] = 0;
	for (size_t i = 0; i < KR_ARRAY_COUNT(many); i++)
		many[i] = good;
	odd.pricing = 3;
	struct inv_reserve_op ops[11];
	for (size_t i = 0; i < KR_ARRAY_COUNT(ops); i++)
		ops[i] = book_op(&w, i, &good, 1);
	ops[0].line_count = 0;
	ops[1].lines = many;
	ops[1].line_count = INV_LINES_MAX + 1;
	ops[2].lines = &odd;
	ops[3].ttl_us = 1;
	ops[4].external_ref = text(long_text);
	ops[5].external_ref = text("\xff");
	ops[6].payment_ref = text(long_text);
	ops[7].book = false;
	ops[7].payment_ref = text("p");
	ops[8].actor.reason = text(long_text);
	ops[9].actor.source = INV_SOURCE_IMPORT;
	ops[10].id = (struct kr_id){1, 2};
	for (size_t i = 0; i < KR_ARRAY_COUNT(ops); i++) {
		cr_assert_eq(sales_reserve(&w, &ops[i]), KEYRACK_INVALID, "%zu", i);
		cr_assert_eq(w.answer.refusal.rule, i == 10 ? RULE_ID : RULE_FIELD);
	}
	struct inv_reserve_op foreign = book_op(&w, 50, &good, 1);
	foreign.hotel.v++;
	cr_assert_eq(sales_reserve(&w, &foreign), KEYRACK_INVALID, "another slot's id");
	long_text[INV_TEXT_SIZE_MAX] = 0;
	struct inv_reserve_op full = book_op(&w, 51, many, INV_LINES_MAX);
	full.external_ref = text(long_text);
	cr_assert_eq(sales_reserve(&w, &full), KEYRACK_SOLD_OUT, "16 rooms of 10");
	cr_assert_eq(w.answer.refusal.line, 10);
	world_fini(&w);
}

Test(admission, an_id_may_be_a_minute_ahead_of_the_later_clock)
{
	struct world w;
	world_init(&w, NULL);
	world_standard(&w, 1, ROOMS);
	const int32_t day = world_day(2026, 11, 25);
	struct inv_line line = stay_line(1, day, day + 1);
	struct inv_reserve_op op = book_op(&w, 1, &line, 1);
	w.now.wall_us += 5 * SECOND_US;
	op.id = sales_id_at(w.now.wall_us + INV_ID_AHEAD_MAX_US, WORLD_HOTEL, 1);
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_DONE);
	op.id = sales_id_at(w.now.wall_us + INV_ID_AHEAD_MAX_US + 1000, WORLD_HOTEL, 1);
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_INVALID);
	w.now.wall_us = 0;
	op.id = sales_id_at(w.now.t_us + INV_ID_AHEAD_MAX_US, WORLD_HOTEL, 2);
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_DONE);
	sales_agree(&w);
	world_fini(&w);
}
