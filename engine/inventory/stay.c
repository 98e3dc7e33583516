#include "base/bug.h"
#include "engine/inventory/credit.h"

#define INV_MINUTE_US INT64_C(60000000)

bool inv_stay_refuse(struct inv_stay *stay, struct inv_refusal refusal)
{
	kr_assert(refusal.code >= 10 && code_class_of(refusal.code) == CODE_FINAL);
	kr_assert(!inv_stay_is_full(stay));
	stay->refusals[stay->refusal_count++] = refusal;
	return inv_stay_is_full(stay);
}

/* A refusal of a whole line. */
static bool inv_stay_refuse_line(struct inv_stay *stay, uint16_t code, uint8_t rule, uint32_t line)
{
	kr_assert(line < stay->op->line_count);
	kr_assert(rule != 0);
	return inv_stay_refuse(
		stay, (struct inv_refusal){.code = code, .rule = rule, .line = (uint16_t)line});
}

/* ---- what is wrong with a request wherever it is sent ---- */

static bool inv_line_has_known_pricing(const struct inv_line *line)
{
	kr_assert(line->run_count == 0 || line->runs != NULL);
	return line->pricing == INV_PRICE_CALENDAR || line->pricing == INV_PRICE_CALLER ||
	       line->pricing == INV_PRICE_NONE;
}

enum inv_name inv_stay_malformed(const struct inv_reserve_op *op)
{
	kr_assert(op->lines != NULL || op->line_count == 0);
	if (op->line_count == 0 || op->line_count > INV_LINES_MAX)
		return INV_NAME_LINES;
	for (uint32_t i = 0; i < op->line_count; i++) {
		if (!inv_line_has_known_pricing(&op->lines[i]))
			return INV_NAME_PRICING;
	}
	if (op->book && op->ttl_us != 0)
		return INV_NAME_TTL;
	if (!inv_text_fits(op->external_ref))
		return INV_NAME_EXTERNAL_REF;
	if (!inv_text_fits(op->payment_ref) || (!op->book && op->payment_ref.size_bytes != 0))
		return INV_NAME_PAYMENT_REF;
	if (!inv_text_fits(op->actor.reason))
		return INV_NAME_REASON;
	if (op->actor.source >= INV_SOURCE_RESERVED_FIRST)
		return INV_NAME_SOURCE;
	return 0;
}

/* ---- chains ---- */

static bool inv_line_has_nights(const struct inv_line *line)
{
	return line->check_in < line->check_out;
}

/* Line b goes on where the line before it ends, with as many rooms. A line without nights, which
 * only explaining looks beyond, continues nothing: its neighbours' length stays their own. */
static bool inv_line_continues(const struct inv_line *lines, uint32_t line_count, uint32_t b)
{
	kr_assert(b <= line_count);
	if (b == 0 || b == line_count)
		return false;
	const struct inv_line *before = &lines[b - 1], *line = &lines[b];
	return inv_line_has_nights(before) && inv_line_has_nights(line) &&
	       line->check_in == before->check_out && line->rooms == before->rooms;
}

void inv_lines_chain(
	const struct inv_line *lines, uint32_t line_count, struct inv_chain_place *ret_places)
{
	kr_assert(line_count >= 1 && line_count <= INV_LINES_MAX);
	for (uint32_t first = 0; first < line_count;) {
		uint32_t end = first + 1;
		while (inv_line_continues(lines, line_count, end))
			end++;
		kr_assert(end <= line_count);
		int64_t nights = (int64_t)lines[end - 1].check_out - lines[first].check_in;
		for (uint32_t i = first; i < end; i++)
			ret_places[i] = (struct inv_chain_place){
				.stay_nights = nights > 0 ? (uint32_t)nights : 0,
				.is_first = i == first,
				.is_last = i + 1 == end};
		first = end;
	}
}

void inv_stay_init(struct inv_stay *stay, struct inv *inv, uint64_t t_us,
	const struct inv_reserve_op *op, uint32_t hotel_index, struct inv_refusal *refusals,
	uint32_t refusal_max)
{
	kr_assert(refusal_max >= 1 && refusal_max <= INV_EXPLAIN_MAX);
	kr_assert(inv_stay_malformed(op) == 0);
	stay->inv = inv;
	stay->t_us = t_us;
	stay->op = op;
	stay->hotel_index = hotel_index;
	stay->credit = NULL;
	stay->imports = stay->is_over = false;
	stay->suspects = INV_SUSPECT_ALWAYS;
	stay->has_every_price = false;
	stay->total_minor = 0;
	stay->refusals = refusals;
	stay->refusal_count = 0;
	stay->refusal_max = refusal_max;
	for (uint32_t i = 0; i < op->line_count; i++)
		stay->lines[i] = (struct inv_stay_line){.line = &op->lines[i], .row = INV_NONE};
	inv_lines_chain(op->lines, op->line_count, stay->places);
}

/* ---- step 2: hotel, type and plan are known and active ---- */

static bool inv_stay_refuse_catalogue(struct inv_stay *stay, uint32_t i)
{
	struct inv_stay_line *l = &stay->lines[i];
	uint32_t row_index = inv_row_find(stay->inv, stay->hotel_index, l->line->type);
	kr_assert(l->row == INV_NONE);
	if (row_index == INV_NONE)
		return inv_stay_refuse_line(stay, KEYRACK_NOT_FOUND, RULE_TYPE, i);
	const struct inv_row *row = inv_row_at(stay->inv, row_index);
	kr_assert(row->hotel_index == stay->hotel_index);
	bool is_judged = inv_stay_line_is_new(stay, i);
	if (is_judged && row->status != INV_ACTIVE &&
		inv_stay_refuse_line(stay, KEYRACK_CLOSED, RULE_TYPE, i))
		return true;
	uint32_t product = inv_product_find(stay->inv, row_index, l->line->plan);
	if (product == INV_NONE)
		return inv_stay_refuse_line(stay, KEYRACK_NOT_FOUND, RULE_PLAN, i);
	l->row = row_index;
	l->plan = inv_product_plan(stay->inv, product);
	uint8_t status = l->plan == NULL ? row->plan_status : l->plan->status;
	if (is_judged && status != INV_ACTIVE)
		return inv_stay_refuse_line(stay, KEYRACK_RATE_CLOSED, RULE_PLAN, i);
	return false;
}

/* Without a hotel there is nothing else to judge. */
static void inv_stay_step_catalogue(struct inv_stay *stay)
{
	kr_assert(stay->refusal_count == 0);
	if (stay->hotel_index == INV_NONE) {
		inv_stay_refuse(
			stay, (struct inv_refusal){.code = KEYRACK_NOT_FOUND, .rule = RULE_HOTEL});
		return;
	}
	if (inv_stay_hotel(stay)->status != INV_ACTIVE && inv_stay_has_new(stay) &&
		inv_stay_refuse(
			stay, (struct inv_refusal){.code = KEYRACK_CLOSED, .rule = RULE_HOTEL}))
		return;
	for (uint32_t i = 0; i < stay->op->line_count; i++) {
		if (inv_stay_refuse_catalogue(stay, i))
			return;
	}
}

/* ---- step 3: dates ---- */

/* Runs cover the nights exactly; only a caller's prices come as runs. */
static bool inv_line_runs_fit(const struct inv_line *line)
{
	uint32_t nights = 0;
	if (line->pricing != INV_PRICE_CALLER)
		return line->run_count == 0;
	kr_assert(line->check_out > line->check_in);
	for (uint32_t i = 0; i < line->run_count; i++) {
		if (line->runs[i].nights == 0 || line->runs[i].price_minor > RATE_PRICE_MAX)
			return false;
		nights += line->runs[i].nights;
	}
	return nights == (uint32_t)(line->check_out - line->check_in);
}

enum inv_line_fault {
	INV_LINE_FITS,
	INV_LINE_DATES,
	INV_LINE_ROOMS,
	INV_LINE_TOO_LONG,
	INV_LINES_TOO_LONG,
	INV_LINE_RUNS
};

/* The first thing malformed in a line; `nights` are those of the lines before it. */
static enum inv_line_fault inv_line_fault(
	const struct inv_line *line, uint32_t nights_max, uint32_t nights)
{
	kr_assert(nights <= INV_STAY_NIGHTS_MAX);
	if (line->check_in >= line->check_out || line->check_in < INV_DAY_MIN ||
		line->check_out > INV_DAY_MAX)
		return INV_LINE_DATES;
	if (line->rooms == 0)
		return INV_LINE_ROOMS;
	uint32_t count = (uint32_t)(line->check_out - line->check_in);
	kr_assert(count > 0);
	if (nights_max != 0 && count > nights_max)
		return INV_LINE_TOO_LONG;
	if (nights + count > INV_STAY_NIGHTS_MAX)
		return INV_LINES_TOO_LONG;
	return inv_line_runs_fit(line) ? INV_LINE_FITS : INV_LINE_RUNS;
}

static KR_COLD bool inv_stay_refuse_fault(
	struct inv_stay *stay, uint32_t i, enum inv_line_fault fault, uint32_t nights)
{
	const struct inv_line *line = stay->lines[i].line;
	bool is_field = fault == INV_LINE_ROOMS || fault == INV_LINE_RUNS;
	struct inv_refusal refusal = {.code = KEYRACK_INVALID,
		.rule = is_field ? RULE_FIELD : RULE_DATES,
		.line = (uint16_t)i};
	kr_assert(fault != INV_LINE_FITS);
	if (fault == INV_LINE_ROOMS)
		refusal.text = inv_name_text(INV_NAME_ROOMS);
	if (fault == INV_LINE_RUNS)
		refusal.text = inv_name_text(INV_NAME_RUNS);
	if (fault == INV_LINE_TOO_LONG) {
		refusal.required = inv_hotel_cold_at(stay->inv, stay->hotel_index)->nights_max;
		refusal.left = line->check_out - line->check_in;
	}
	if (fault == INV_LINES_TOO_LONG) {
		refusal.required = INV_STAY_NIGHTS_MAX;
		refusal.left = (int64_t)nights + line->check_out - line->check_in;
	}
	kr_assert(refusal.left >= refusal.required);
	return inv_stay_refuse(stay, refusal);
}

static bool inv_stay_refuse_day(struct inv_stay *stay, uint16_t code, uint32_t i, int32_t day)
{
	kr_assert(code == KEYRACK_PAST_DATE || code == KEYRACK_OUT_OF_WINDOW);
	kr_assert(i < stay->op->line_count);
	return inv_stay_refuse(stay, (struct inv_refusal){.code = code,
					     .rule = RULE_DATES,
					     .line = (uint16_t)i,
					     .has_day = true,
					     .day = day});
}

/* The nights inside the window; says which are not. */
static bool inv_stay_refuse_window(struct inv_stay *stay, uint32_t i)
{
	struct inv_stay_line *l = &stay->lines[i];
	const struct inv_line *line = l->line;
	int32_t begin = inv_stay_hotel(stay)->first_day;
	int32_t end = begin + (int32_t)stay->inv->config.window_nights;
	kr_assert(line->check_in < line->check_out);
	l->first_day = KR_MAX(line->check_in, begin);
	l->end_day = KR_MAX(l->first_day, KR_MIN(line->check_out, end)) +
		     bug_is(BUG_CHECK_OUT_NIGHT_COUNTED);
	if (line->check_in < begin && !inv_stay_keeps(stay) && !stay->imports &&
		inv_stay_refuse_day(stay, KEYRACK_PAST_DATE, i, line->check_in))
		return true;
	if (line->check_out <= end || stay->is_over)
		return false;
	return inv_stay_refuse_day(stay, KEYRACK_OUT_OF_WINDOW, i, KR_MAX(line->check_in, end));
}

/* Nights that were slept in already are neither added nor given back. */
static void inv_stay_refuse_past(struct inv_stay *stay)
{
	uint32_t line;
	int32_t day;
	kr_assert(stay->hotel_index != INV_NONE);
	kr_assert(!inv_stay_is_full(stay));
	if (inv_stay_keeps(stay) && inv_credit_past_changes(stay, &line, &day))
		inv_stay_refuse_day(stay, KEYRACK_PAST_DATE, line, day);
}

static void inv_stay_step_dates(struct inv_stay *stay)
{
	uint32_t nights = 0;
	uint32_t nights_max = inv_hotel_cold_at(stay->inv, stay->hotel_index)->nights_max;
	kr_assert(stay->hotel_index != INV_NONE);
	for (uint32_t i = 0; i < stay->op->line_count; i++) {
		const struct inv_line *line = stay->lines[i].line;
		enum inv_line_fault fault = inv_line_fault(
			line, inv_stay_line_is_new(stay, i) ? nights_max : 0, nights);
		if (fault == INV_LINE_FITS) {
			nights += (uint32_t)(line->check_out - line->check_in);
			if (inv_stay_refuse_window(stay, i))
				return;
			continue;
		}
		stay->lines[i].row = INV_NONE;
		if (inv_stay_refuse_fault(stay, i, fault, nights))
			return;
	}
	inv_stay_refuse_past(stay);
}

/* ---- step 4: advance notice ---- */

static int64_t inv_minutes_until(uint64_t then_us, uint64_t now_us)
{
	int64_t left_us = (int64_t)then_us - (int64_t)now_us;
	int64_t minutes = left_us / INV_MINUTE_US - (left_us % INV_MINUTE_US < 0);
	kr_assert(minutes * INV_MINUTE_US <= left_us);
	kr_assert(left_us - minutes * INV_MINUTE_US < INV_MINUTE_US);
	return minutes;
}

static bool inv_stay_refuse_advance(struct inv_stay *stay, uint32_t i, struct inv_advance advance)
{
	const struct inv_hotel_cold *cold = inv_hotel_cold_at(stay->inv, stay->hotel_index);
	uint64_t arrival_us = inv_hotel_instant_us(
		stay->inv, stay->hotel_index, stay->lines[i].line->check_in, cold->check_in_minute);
	int64_t ahead_us = (int64_t)arrival_us - (int64_t)stay->t_us;
	struct inv_refusal refusal = {
		.line = (uint16_t)i, .left = inv_minutes_until(arrival_us, stay->t_us)};
	int64_t min = advance.min_minutes, max = advance.max_minutes;
	kr_assert(min != 0 || max != 0);
	if (min != 0 && ahead_us < min * INV_MINUTE_US) {
		refusal.code = KEYRACK_TOO_LATE;
		refusal.rule = RULE_MIN_ADVANCE;
		refusal.required = min;
		if (inv_stay_refuse(stay, refusal))
			return true;
	}
	if (max == 0 || ahead_us <= max * INV_MINUTE_US)
		return false;
	refusal.code = KEYRACK_TOO_EARLY;
	refusal.rule = RULE_MAX_ADVANCE;
	refusal.required = max;
	return inv_stay_refuse(stay, refusal);
}

static void inv_stay_step_advance(struct inv_stay *stay)
{
	kr_assert(!inv_stay_is_full(stay));
	for (uint32_t i = 0; i < stay->op->line_count; i++) {
		if (stay->lines[i].row == INV_NONE)
			continue;
		struct inv_advance advance = inv_stay_advance(stay, &stay->lines[i]);
		if ((advance.min_minutes | advance.max_minutes) != 0 &&
			!inv_stay_arrival_is_known(stay, i) &&
			inv_stay_refuse_advance(stay, i, advance))
			return;
	}
}

/* ---- step 5: guests fit ---- */

static void inv_stay_step_occupancy(struct inv_stay *stay)
{
	kr_assert(!inv_stay_is_full(stay));
	for (uint32_t i = 0; i < stay->op->line_count; i++) {
		const struct inv_stay_line *l = &stay->lines[i];
		if (l->row == INV_NONE)
			continue;
		uint32_t guests_max = inv_row_at(stay->inv, l->row)->guests_max;
		kr_assert(guests_max <= UINT16_MAX);
		if (guests_max == 0 || l->line->guests <= guests_max * l->line->rooms ||
			inv_stay_party_is_known(stay, i))
			continue;
		struct inv_refusal refusal = {
			.code = KEYRACK_OVER_OCCUPANCY,
			.rule = RULE_OCCUPANCY,
			.line = (uint16_t)i,
			.required = l->line->guests,
			.left = (int64_t)guests_max * l->line->rooms,
		};
		if (inv_stay_refuse(stay, refusal))
			return;
	}
}

/* ---- all of them ---- */

/* Steps 4 to 10 in order, and what each looks for. */
static const struct {
	uint32_t suspect;
	void (*step)(struct inv_stay *);
} inv_stay_steps[] = {
	{INV_SUSPECT_ADVANCE, inv_stay_step_advance},
	{INV_SUSPECT_OCCUPANCY, inv_stay_step_occupancy},
	{INV_SUSPECT_CLOSED, inv_stay_step_closed},
	{INV_SUSPECT_BORDER, inv_stay_step_arrival_departure},
	{INV_SUSPECT_LOS, inv_stay_step_los},
	{INV_SUSPECT_ALWAYS, inv_stay_step_price},
	{INV_SUSPECT_ALWAYS, inv_stay_step_rooms},
};

bool inv_stay_try(struct inv_stay *stay)
{
	if (inv_stay_keeps(stay))
		inv_credit_compare(stay);
	inv_stay_step_catalogue(stay);
	if (inv_stay_is_full(stay) || stay->hotel_index == INV_NONE)
		return false;
	inv_stay_step_dates(stay);
	if (inv_stay_is_full(stay))
		return false;
	inv_stay_gather(stay);
	if (!inv_stay_has_new(stay) || stay->op->force)
		stay->suspects &= INV_SUSPECT_ALWAYS;
	for (size_t s = 0; s < KR_ARRAY_COUNT(inv_stay_steps); s++) {
		if ((stay->suspects & inv_stay_steps[s].suspect) && !inv_stay_is_full(stay))
			inv_stay_steps[s].step(stay);
	}
	kr_assert(stay->refusal_count <= stay->refusal_max);
	return stay->refusal_count == 0;
}

bool inv_stay_try_import(struct inv_stay *stay, bool is_over)
{
	stay->imports = true;
	stay->is_over = is_over;
	kr_assert(stay->credit == NULL);
	inv_stay_step_catalogue(stay);
	if (inv_stay_is_full(stay) || stay->hotel_index == INV_NONE)
		return false;
	inv_stay_step_dates(stay);
	if (inv_stay_is_full(stay))
		return false;
	inv_stay_gather(stay);
	inv_stay_step_price(stay);
	if (!is_over && !inv_stay_is_full(stay) && !bug_is(BUG_IMPORT_OVER_LIMIT))
		inv_stay_step_rooms(stay);
	kr_assert(stay->refusal_count <= stay->refusal_max);
	return stay->refusal_count == 0;
}
