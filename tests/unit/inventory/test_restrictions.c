/*
 * Restrictions as a truth table. A predicate written from the rules alone (it knows no rule of the
 * engine, only four nights and what is set on them) is held against what a sale is told, what a
 * stay check is told, and what the predicate makes of the nights that AVAILABILITY shows: for the
 * plan of the type, a plan of its own and a plan derived from that, for every length of stay.
 */
#include "tests/unit/inventory/sales.h"

#include "engine/inventory/view.h"

#define NIGHTS 4    /* that have something set; what lies behind them has not */
#define NOTICE 4500 /* minutes from now to the check-in time of the first night */

enum product { PLAN_OF_TYPE = 0, PLAN_OWN = 5, PLAN_DERIVED = 6 };

/* What may be set on a night. */
struct rules {
	bool closed, cta, ctd, plan_closed, plan_cta, plan_ctd;
	uint16_t min_arrival, max_arrival, min_through, max_through;
};

struct notice {
	uint32_t min, max;
};

static const enum product products[] = {PLAN_OF_TYPE, PLAN_OWN, PLAN_DERIVED};

static const struct notice notices[] = {{0, 0}, {NOTICE, NOTICE}, {NOTICE + 1, 0}, {0, NOTICE - 1}};

/* ---- the rules, from their description ---- */

static uint16_t too_short_or_long(int stay, uint16_t min, uint16_t max)
{
	if (min > 0 && stay < min)
		return KEYRACK_MIN_LOS;
	if (max > 0 && stay > max)
		return KEYRACK_MAX_LOS;
	return KEYRACK_DONE;
}

/* A stay over nights 0 .. stay - 1 that leaves on date `stay`. */
static uint16_t expected(const struct rules nights[NIGHTS + 1], int stay, struct notice notice)
{
	if (notice.min > NOTICE)
		return KEYRACK_TOO_LATE;
	if (notice.max > 0 && notice.max < NOTICE)
		return KEYRACK_TOO_EARLY;
	for (int d = 0; d < stay; d++) {
		if (nights[d].closed)
			return KEYRACK_CLOSED;
		if (nights[d].plan_closed)
			return KEYRACK_RATE_CLOSED;
	}
	if (nights[0].cta || nights[0].plan_cta)
		return KEYRACK_CLOSED_TO_ARRIVAL;
	if (nights[stay].ctd || nights[stay].plan_ctd)
		return KEYRACK_CLOSED_TO_DEPARTURE;
	for (int d = 0; d < stay; d++) {
		uint16_t code = KEYRACK_DONE;
		if (d == 0)
			code = too_short_or_long(
				stay, nights[0].min_arrival, nights[0].max_arrival);
		if (code == KEYRACK_DONE)
			code = too_short_or_long(
				stay, nights[d].min_through, nights[d].max_through);
		if (code != KEYRACK_DONE)
			return code;
	}
	return KEYRACK_DONE;
}

/* ---- the engine ---- */

struct table {
	struct world w;
	struct rules nights[NIGHTS + 1];
	int32_t first_day;
	enum product product;
	struct notice notice;
	uint64_t random;
	uint64_t cells, stays, refused;
	uint64_t by_code[64];
};

static void take(struct table *t, enum inv_result result)
{
	if (result == INV_EFFECT) {
		t->w.effect.lsn = ++t->w.lsn;
		cr_assert_eq(inv_apply(t->w.inv, &t->w.effect, &t->w.contradiction), 0);
	}
	cr_assert_eq(t->w.answer.code, KEYRACK_DONE, "%u", t->w.answer.code);
}

static void night_put(struct table *t, int d, struct rules r)
{
	const uint16_t type = 1;
	struct inv_update_op op = update_op(&type, 1, t->first_day + d, t->first_day + d);
	struct inv_update *u = &op.update;
	/* What a derived plan asks stands in its parent. */
	u->plan = t->product == PLAN_OF_TYPE ? 0 : PLAN_OWN;
	u->set_mask = INV_UPDATE_CLOSED | INV_UPDATE_CTA | INV_UPDATE_CTD | INV_UPDATE_PLAN_CLOSED |
		      INV_UPDATE_PLAN_CTA | INV_UPDATE_PLAN_CTD | INV_UPDATE_MIN_ARRIVAL |
		      INV_UPDATE_MAX_ARRIVAL | INV_UPDATE_MIN_THROUGH | INV_UPDATE_MAX_THROUGH;
	u->closed = r.closed;
	u->cta = r.cta;
	u->ctd = r.ctd;
	u->plan_closed = r.plan_closed;
	u->plan_cta = r.plan_cta;
	u->plan_ctd = r.plan_ctd;
	u->los = (struct los_class){r.min_arrival, r.max_arrival, r.min_through, r.max_through};
	t->nights[d] = r;
	t->cells++;
	take(t, inv_update_judge(t->w.inv, t->w.now, &op, &t->w.effect, &t->w.answer));
}

static void plan_put(struct table *t, enum product plan, struct notice notice)
{
	struct inv_plan_op op = {.hotel = {WORLD_HOTEL},
		.type = 1,
		.plan = (uint16_t)plan,
		.mask = INV_PLAN_ADVANCE_MIN | INV_PLAN_ADVANCE_MAX};
	op.settings.advance_min_minutes = notice.min;
	op.settings.advance_max_minutes = notice.max;
	if (plan == PLAN_DERIVED) {
		op.mask |= INV_PLAN_PARENT | INV_PLAN_DERIVATION;
		op.settings.parent = PLAN_OWN;
		op.settings.derivation = INV_PRICES_PLUS_POINTS;
	}
	take(t, inv_plan_judge(t->w.inv, t->w.now, &op, &t->w.effect, &t->w.answer));
}

static void notice_put(struct table *t, struct notice notice)
{
	struct inv_type_op op = type_op(1);
	t->notice = notice;
	op.mask = INV_TYPE_ADVANCE_MIN | INV_TYPE_ADVANCE_MAX;
	op.settings.advance_min_minutes = notice.min;
	op.settings.advance_max_minutes = notice.max;
	if (t->product == PLAN_OF_TYPE)
		take(t, inv_type_judge(t->w.inv, t->w.now, &op, &t->w.effect, &t->w.answer));
	else
		plan_put(t, t->product, notice);
}

static void table_init(struct table *t, enum product product)
{
	memset(t, 0, sizeof(*t));
	world_init(&t->w, NULL);
	world_standard(&t->w, 1, 5);
	t->product = product;
	t->first_day = world_day(2026, 11, 25); /* 15:00, from noon three days before */
	if (product != PLAN_OF_TYPE)
		plan_put(t, PLAN_OWN, (struct notice){0, 0});
	if (product == PLAN_DERIVED)
		plan_put(t, PLAN_DERIVED, (struct notice){0, 0});
}

/* What a client reads off the nights. */
static void shown(struct table *t, struct rules ret_nights[NIGHTS + 1])
{
	const uint16_t type = 1;
	uint64_t counters[NIGHTS + 1], rates[NIGHTS + 1];
	struct inv_answer answer;
	inv_availability(t->w.inv, (struct hotel_id){WORLD_HOTEL}, &type, 1, (uint16_t)t->product,
		t->first_day, NIGHTS + 1, counters, rates, &answer);
	cr_assert_eq(answer.code, KEYRACK_DONE);
	for (int d = 0; d <= NIGHTS; d++) {
		const struct cell_counter c = cell_counter_unpack(counters[d]);
		const struct cell_rate r = cell_rate_unpack(rates[d]);
		const struct los_class los = inv_los_class(t->w.inv, r.class_index);
		ret_nights[d] = (struct rules){.closed = (c.flags & CELL_CLOSED) != 0,
			.cta = (c.flags & CELL_CTA) != 0,
			.ctd = (c.flags & CELL_CTD) != 0,
			.plan_closed = (r.flags & RATE_CLOSED) != 0,
			.plan_cta = (r.flags & RATE_CTA) != 0,
			.plan_ctd = (r.flags & RATE_CTD) != 0,
			.min_arrival = los.min_arrival,
			.max_arrival = los.max_arrival,
			.min_through = los.min_through,
			.max_through = los.max_through};
	}
}

/* One stay, asked for in both ways. What a sale would do is thrown away: judging changes nothing.
 */
static void ask(struct table *t, const struct rules seen[NIGHTS + 1], int stay)
{
	struct inv_line line = stay_line(1, t->first_day, t->first_day + stay);
	static struct inv_refusal refusals[INV_EXPLAIN_MAX];
	static struct inv_line priced[INV_LINES_MAX];
	struct inv_answer answer;
	uint32_t left;
	line.plan = (uint16_t)t->product;
	struct inv_reserve_op op = hold_op(&t->w, ++t->random, &line, 1);
	op.fingerprint = inv_reserve_fingerprint(&op);
	const uint16_t code = expected(t->nights, stay, t->notice);
	t->stays++;
	t->refused += code != KEYRACK_DONE;
	t->by_code[code]++;
	(void)inv_stay_check(t->w.inv, t->w.now, &op, false, refusals, priced, &left, &answer);
	cr_assert_eq(answer.code, code, "a stay of %d is told %s, not %s", stay,
		code_name(answer.code), code_name(code));
	const enum inv_result result =
		inv_reserve_judge(t->w.inv, t->w.now, &op, &t->w.effect, &answer);
	cr_assert_eq(answer.code, code, "a sale of %d is told %s, not %s", stay,
		code_name(answer.code), code_name(code));
	cr_assert_eq(result, code == KEYRACK_DONE ? INV_EFFECT : INV_ANSWER);
	cr_assert_eq(expected(seen, stay, t->notice), code, "availability shows otherwise");
}

static void ask_all(struct table *t)
{
	struct rules seen[NIGHTS + 1];
	shown(t, seen);
	for (int stay = 1; stay <= NIGHTS; stay++)
		ask(t, seen, stay);
}

static void told(const struct table *t)
{
	cr_log_info("plan %d: %llu nights set, %llu stays, %llu of them refused", (int)t->product,
		(unsigned long long)t->cells, (unsigned long long)t->stays,
		(unsigned long long)t->refused);
	cr_assert_gt(t->by_code[KEYRACK_DONE], 100);
}

/* ---- every combination ---- */

/* All there is on one night: flags, then lengths. */
#define ALL_FLAGS 64
#define ALL_RULES (ALL_FLAGS * 3 * 3 * 3 * 3)

static struct rules rules_of(int n)
{
	static const uint16_t mins[] = {0, 2, 4}, maxs[] = {0, 1, 3};
	struct rules r = {.closed = n & 1,
		.cta = n & 2,
		.ctd = n & 4,
		.plan_closed = n & 8,
		.plan_cta = n & 16,
		.plan_ctd = n & 32};
	n /= ALL_FLAGS;
	r.min_arrival = mins[n % 3];
	r.max_arrival = maxs[n / 3 % 3];
	r.min_through = mins[n / 9 % 3];
	r.max_through = maxs[n / 27 % 3];
	return r;
}

/* All of it on the night of arrival and all of it on a later one (a middle night, the last one, the
 * date of departure, as the stay is long), in turn: each alone, and the flags of both together. */
static void one_night_and_another(struct table *t, int other)
{
	for (int n = 0; n < ALL_RULES; n++) {
		night_put(t, 0, rules_of(n));
		ask_all(t);
	}
	night_put(t, 0, (struct rules){0});
	for (int n = 0; n < ALL_RULES; n++) {
		night_put(t, other, rules_of(n));
		ask_all(t);
	}
	for (int a = 0; a < ALL_FLAGS; a++) {
		night_put(t, 0, rules_of(a));
		for (int b = 0; b < ALL_FLAGS; b++) {
			night_put(t, other, rules_of(b));
			ask_all(t);
		}
	}
	night_put(t, 0, (struct rules){0});
	night_put(t, other, (struct rules){0});
}

Test(restrictions, of_two_nights_in_every_combination_decide_as_described, .timeout = 240)
{
	for (size_t p = 0; p < KR_ARRAY_COUNT(products); p++) {
		static struct table t;
		table_init(&t, products[p]);
		for (size_t n = 0; n < KR_ARRAY_COUNT(notices); n++) {
			notice_put(&t, notices[n]);
			one_night_and_another(&t, 1 + (int)n % 3);
		}
		told(&t);
		world_fini(&t.w);
	}
}

/* One or two rules a night, each kind on both sides of what it may refuse. */
static const struct rules kinds[] = {
	{0},
	{.closed = true},
	{.plan_closed = true},
	{.cta = true},
	{.plan_cta = true},
	{.ctd = true},
	{.plan_ctd = true},
	{.min_arrival = 2},
	{.min_arrival = 4},
	{.max_arrival = 1},
	{.max_arrival = 3},
	{.min_through = 3},
	{.max_through = 2},
	{.min_through = 2, .max_through = 3},
};
#define KINDS ((int)KR_ARRAY_COUNT(kinds))

static void every_four_nights(struct table *t)
{
	for (int n = 0; n < KINDS * KINDS * KINDS * KINDS; n++) {
		int rest = n, scale = 1;
		for (int d = NIGHTS - 1; d >= 0; d--, rest /= KINDS, scale *= KINDS) {
			if (n % scale == 0)
				night_put(t, d, kinds[rest % KINDS]);
		}
		ask_all(t);
	}
}

Test(restrictions, of_four_nights_in_every_combination_decide_as_described, .timeout = 240)
{
	for (size_t p = 0; p < KR_ARRAY_COUNT(products); p++) {
		static struct table t;
		table_init(&t, products[p]);
		notice_put(&t, notices[p % 2]);
		every_four_nights(&t);
		told(&t);
		cr_assert_gt(t.by_code[KEYRACK_MAX_LOS], 100);
		cr_assert_gt(t.by_code[KEYRACK_CLOSED_TO_DEPARTURE], 100);
		world_fini(&t.w);
	}
}
