#include "base/bug.h"
#include "engine/inventory/credit.h"

/* Steps 6 to 10 of admission: what the nights say. */

static void inv_line_gather(const struct inv *inv, struct inv_stay_line *l, struct inv_words *words)
{
	uint32_t ring = inv_ring(inv, l->first_day), window = inv->config.window_nights;
	uint32_t nights = (uint32_t)(l->end_day - l->first_day);
	struct inv_words any = {0, 0}, all = {UINT64_MAX, UINT64_MAX};
	int32_t least_left = INT32_MAX;
	kr_assert(ring < window && nights <= window);
	for (uint32_t n = 0; n < nights; n++) {
		struct inv_words w = inv_product_load(inv, l->row, l->plan, ring);
		any.counter |= w.counter;
		any.rate |= w.rate;
		all.counter &= w.counter;
		all.rate &= w.rate;
		least_left = KR_MIN(least_left, cell_left(cell_counter_unpack(w.counter)));
		words[n] = w;
		ring = ring + 1 == window ? 0 : ring + 1;
	}
	kr_assert(nights == 0 || least_left <= CELL_LIMIT_MAX);
	l->words = words;
	l->any = any;
	l->all = all;
	l->least_left = least_left;
	l->end_ring = ring;
}

/* What of this line a step might refuse. */
static uint32_t inv_line_suspects(const struct inv_stay *stay, const struct inv_stay_line *l)
{
	const struct inv_row *row = inv_row_at(stay->inv, l->row);
	struct inv_words end = {0, 0};
	uint32_t suspects = 0;
	kr_assert(l->words != NULL);
	if (inv_day_in_window(stay->inv, inv_stay_hotel(stay), l->line->check_out))
		end = inv_product_load(stay->inv, l->row, l->plan, l->end_ring);
	uint32_t type_flags = cell_counter_unpack(l->any.counter).flags;
	uint32_t plan_flags = cell_rate_unpack(l->any.rate).flags;
	uint32_t type_end_flags = cell_counter_unpack(end.counter).flags;
	uint32_t plan_end_flags = cell_rate_unpack(end.rate).flags;
	struct inv_advance advance = inv_stay_advance(stay, l);
	if ((advance.min_minutes | advance.max_minutes) != 0)
		suspects |= INV_SUSPECT_ADVANCE;
	if (row->guests_max != 0)
		suspects |= INV_SUSPECT_OCCUPANCY;
	if ((type_flags & CELL_CLOSED) | (plan_flags & RATE_CLOSED))
		suspects |= INV_SUSPECT_CLOSED;
	if ((type_flags & CELL_CTA) | (plan_flags & RATE_CTA) | (type_end_flags & CELL_CTD) |
		(plan_end_flags & RATE_CTD))
		suspects |= INV_SUSPECT_BORDER;
	if (cell_rate_unpack(l->any.rate).class_index != 0)
		suspects |= INV_SUSPECT_LOS;
	kr_assert((suspects & INV_SUSPECT_ALWAYS) == 0);
	return suspects;
}

void inv_stay_gather(struct inv_stay *stay)
{
	struct inv_words *words = inv_scratch(stay->inv)->stay_words;
	uint32_t used = 0;
	for (uint32_t i = 0; i < stay->op->line_count; i++) {
		struct inv_stay_line *l = &stay->lines[i];
		if (l->row == INV_NONE) {
			l->end_day = l->first_day;
			continue;
		}
		inv_line_gather(stay->inv, l, words + used);
		stay->suspects |= inv_line_suspects(stay, l);
		used += (uint32_t)(l->end_day - l->first_day);
		kr_assert(used <= INV_STAY_NIGHTS_MAX);
	}
	kr_assert(used > 0 || stay->refusal_count > 0 || inv_stay_keeps(stay) || stay->imports);
}

static inline struct cell_counter inv_stay_counter(const struct inv_stay_line *l, int32_t day)
{
	kr_assert(day >= l->first_day && day < l->end_day);
	return cell_counter_unpack(l->words[day - l->first_day].counter);
}

static inline struct cell_rate inv_stay_rate(const struct inv_stay_line *l, int32_t day)
{
	kr_assert(day >= l->first_day && day < l->end_day);
	return cell_rate_unpack(l->words[day - l->first_day].rate);
}

static bool inv_stay_refuse_night(
	struct inv_stay *stay, uint16_t code, uint8_t rule, uint32_t line, int32_t day)
{
	kr_assert(line < stay->op->line_count);
	kr_assert(rule != 0);
	return inv_stay_refuse(stay, (struct inv_refusal){.code = code,
					     .rule = rule,
					     .line = (uint16_t)line,
					     .has_day = true,
					     .day = day});
}

/* ---- step 6: closed on a stayed night ---- */

static bool inv_line_refuse_closed(struct inv_stay *stay, uint32_t i)
{
	const struct inv_stay_line *l = &stay->lines[i];
	kr_assert(l->first_day <= l->end_day);
	for (int32_t day = l->first_day; day < l->end_day; day++) {
		if (inv_stay_night_is_kept(stay, i, day))
			continue;
		if ((inv_stay_counter(l, day).flags & CELL_CLOSED) &&
			inv_stay_refuse_night(stay, KEYRACK_CLOSED, RULE_TYPE_CLOSED, i, day))
			return true;
		if ((inv_stay_rate(l, day).flags & RATE_CLOSED) &&
			inv_stay_refuse_night(stay, KEYRACK_RATE_CLOSED, RULE_PLAN_CLOSED, i, day))
			return true;
	}
	return false;
}

void inv_stay_step_closed(struct inv_stay *stay)
{
	kr_assert(!inv_stay_is_full(stay));
	for (uint32_t i = 0; i < stay->op->line_count; i++) {
		if (inv_line_refuse_closed(stay, i))
			return;
	}
}

/* ---- step 7: arrival and departure ---- */

static bool inv_line_refuse_arrival(struct inv_stay *stay, uint32_t i)
{
	const struct inv_stay_line *l = &stay->lines[i];
	int32_t day = l->line->check_in;
	if (!stay->places[i].is_first || day < l->first_day || day >= l->end_day ||
		inv_stay_arrival_is_known(stay, i))
		return false;
	kr_assert(l->row != INV_NONE);
	if ((inv_stay_counter(l, day).flags & CELL_CTA) &&
		inv_stay_refuse_night(stay, KEYRACK_CLOSED_TO_ARRIVAL, RULE_TYPE_CTA, i, day))
		return true;
	return (inv_stay_rate(l, day).flags & RATE_CTA) &&
	       inv_stay_refuse_night(stay, KEYRACK_CLOSED_TO_ARRIVAL, RULE_PLAN_CTA, i, day);
}

/* On the check-out DATE, which is no stayed night: its words were not gathered. */
static bool inv_line_refuse_departure(struct inv_stay *stay, uint32_t i)
{
	const struct inv_stay_line *l = &stay->lines[i];
	int32_t day = l->line->check_out;
	if (!stay->places[i].is_last || l->row == INV_NONE ||
		!inv_day_in_window(stay->inv, inv_stay_hotel(stay), day) ||
		inv_stay_departure_is_known(stay, i))
		return false;
	/* a date inside the window ends the nights that are inside it */
	kr_assert(day == l->end_day);
	struct inv_words words = inv_product_load(stay->inv, l->row, l->plan, l->end_ring);
	if (bug_is(BUG_CTD_ON_LAST_NIGHT) && day > l->first_day)
		words = l->words[day - 1 - l->first_day];
	if ((cell_counter_unpack(words.counter).flags & CELL_CTD) &&
		inv_stay_refuse_night(stay, KEYRACK_CLOSED_TO_DEPARTURE, RULE_TYPE_CTD, i, day))
		return true;
	return (cell_rate_unpack(words.rate).flags & RATE_CTD) &&
	       inv_stay_refuse_night(stay, KEYRACK_CLOSED_TO_DEPARTURE, RULE_PLAN_CTD, i, day);
}

void inv_stay_step_arrival_departure(struct inv_stay *stay)
{
	kr_assert(!inv_stay_is_full(stay));
	for (uint32_t i = 0; i < stay->op->line_count; i++) {
		if (inv_line_refuse_arrival(stay, i) || inv_line_refuse_departure(stay, i))
			return;
	}
}

/* ---- step 8: length of stay ---- */

struct inv_los_rule {
	uint16_t min, max;
	uint8_t min_rule, max_rule;
};

static bool inv_stay_refuse_los(
	struct inv_stay *stay, uint32_t i, int32_t day, struct inv_los_rule los)
{
	uint32_t nights = stay->places[i].stay_nights;
	struct inv_refusal refusal = {
		.line = (uint16_t)i, .has_day = true, .day = day, .left = nights};
	kr_assert(nights > 0);
	if (los.min != 0 && nights < los.min) {
		refusal.code = KEYRACK_MIN_LOS;
		refusal.rule = los.min_rule;
		refusal.required = los.min;
		if (inv_stay_refuse(stay, refusal))
			return true;
	}
	if (los.max == 0 || nights <= los.max)
		return false;
	refusal.code = KEYRACK_MAX_LOS;
	refusal.rule = los.max_rule;
	refusal.required = los.max;
	kr_assert(refusal.left > refusal.required);
	return inv_stay_refuse(stay, refusal);
}

static bool inv_night_refuse_los(struct inv_stay *stay, uint32_t i, int32_t day)
{
	const struct inv_stay_line *l = &stay->lines[i];
	uint16_t class_index = inv_stay_rate(l, day).class_index;
	if (class_index == 0 || inv_stay_length_is_known(stay, i, day))
		return false;
	kr_assert(class_index < stay->inv->class_fresh);
	struct los_class class = inv_classes(stay->inv)[class_index];
	struct inv_los_rule through = {.min = class.min_through,
		.max = class.max_through,
		.min_rule = RULE_MIN_THROUGH,
		.max_rule = RULE_MAX_THROUGH};
	struct inv_los_rule arrival = {.min = class.min_arrival,
		.max = class.max_arrival,
		.min_rule = RULE_MIN_ARRIVAL,
		.max_rule = RULE_MAX_ARRIVAL};
	if (stay->places[i].is_first && day == l->line->check_in &&
		inv_stay_refuse_los(stay, i, day, arrival))
		return true;
	return inv_stay_refuse_los(stay, i, day, through);
}

void inv_stay_step_los(struct inv_stay *stay)
{
	kr_assert(!inv_stay_is_full(stay));
	for (uint32_t i = 0; i < stay->op->line_count; i++) {
		const struct inv_stay_line *l = &stay->lines[i];
		int32_t end = l->end_day - bug_is(BUG_STAY_THROUGH_IGNORES_LAST_NIGHT);
		for (int32_t day = l->first_day; day < end; day++) {
			if (inv_night_refuse_los(stay, i, day))
				return;
		}
	}
}

/* ---- step 9: price ---- */

/* `nights` more at a price: the last run goes on when the price is the same. */
static void inv_runs_extend(
	struct inv_line *line, struct inv_price_run *runs, uint16_t nights, uint64_t price_minor)
{
	kr_assert(nights > 0);
	kr_assert(price_minor <= RATE_PRICE_MAX);
	if (line->run_count > 0 && runs[line->run_count - 1].price_minor == price_minor) {
		runs[line->run_count - 1].nights =
			(uint16_t)(runs[line->run_count - 1].nights + nights);
		return;
	}
	runs[line->run_count++] =
		(struct inv_price_run){.nights = nights, .price_minor = price_minor};
}

/* Prices of a calendar line as runs; none, and every unpriced night refused, when one is missing.
 */
static bool inv_line_price_calendar(
	struct inv_stay *stay, uint32_t i, struct inv_line *frozen, struct inv_price_run *runs)
{
	const struct inv_stay_line *l = &stay->lines[i];
	bool is_whole = l->first_day == l->line->check_in && l->end_day == l->line->check_out;
	kr_assert(frozen->run_count == 0);
	/* all words are one: so is the price */
	if (is_whole && l->any.rate == l->all.rate &&
		(cell_rate_unpack(l->any.rate).flags & RATE_PRICED)) {
		inv_runs_extend(frozen, runs, (uint16_t)(l->end_day - l->first_day),
			cell_rate_unpack(l->any.rate).price_minor);
		return true;
	}
	for (int32_t day = l->first_day; day < l->end_day; day++) {
		struct cell_rate rate = inv_stay_rate(l, day);
		if (rate.flags & RATE_PRICED) {
			inv_runs_extend(frozen, runs, 1, rate.price_minor);
			continue;
		}
		is_whole = false;
		if (inv_stay_refuse_night(stay, KEYRACK_NO_RATE, RULE_PRICE, i, day))
			return false;
	}
	if (!is_whole)
		frozen->run_count = 0;
	kr_assert(frozen->run_count > 0 || !is_whole);
	return is_whole;
}

/* The nights of a line that are kept at what they were sold for, the others at today's price. */
static bool inv_line_price_kept(
	struct inv_stay *stay, uint32_t i, struct inv_line *frozen, struct inv_price_run *runs)
{
	const struct inv_stay_line *l = &stay->lines[i];
	bool is_whole = true;
	kr_assert(frozen->run_count == 0);
	kr_assert(frozen->runs == runs);
	for (int32_t day = l->line->check_in; day < l->line->check_out; day++) {
		uint64_t price_minor;
		bool has_price = inv_credit_price(stay, i, day, &price_minor);
		if ((!has_price || bug_is(BUG_KEPT_NIGHT_AT_TODAYS_PRICE)) && day >= l->first_day &&
			day < l->end_day) {
			struct cell_rate rate = inv_stay_rate(l, day);
			has_price = rate.flags & RATE_PRICED;
			price_minor = rate.price_minor;
		}
		if (has_price) {
			inv_runs_extend(frozen, runs, 1, price_minor);
			continue;
		}
		is_whole = false;
		if (inv_stay_refuse_night(stay, KEYRACK_NO_RATE, RULE_PRICE, i, day))
			return false;
	}
	if (!is_whole)
		frozen->run_count = 0;
	return is_whole;
}

static bool inv_line_price(
	struct inv_stay *stay, uint32_t i, struct inv_line *frozen, struct inv_price_run *runs)
{
	const struct inv_line *line = stay->lines[i].line;
	kr_assert(frozen->run_count == 0);
	if (line->pricing == INV_PRICE_NONE)
		return true;
	frozen->runs = runs;
	if (line->pricing == INV_PRICE_CALENDAR)
		return inv_stay_keeps(stay) ? inv_line_price_kept(stay, i, frozen, runs)
					    : inv_line_price_calendar(stay, i, frozen, runs);
	kr_assert(line->pricing == INV_PRICE_CALLER);
	for (uint32_t r = 0; r < line->run_count; r++)
		inv_runs_extend(frozen, runs, line->runs[r].nights, line->runs[r].price_minor);
	return true;
}

static bool inv_stay_refuse_total(struct inv_stay *stay, uint32_t i)
{
	kr_assert(stay->total_minor <= INV_TOTAL_MAX);
	kr_assert(i < stay->op->line_count);
	return inv_stay_refuse(stay, (struct inv_refusal){.code = KEYRACK_INVALID,
					     .rule = RULE_FIELD,
					     .line = (uint16_t)i,
					     .text = inv_name_text(INV_NAME_TOTAL)});
}

/* Once every line has its price. */
static void inv_stay_compare_total(struct inv_stay *stay)
{
	uint64_t expected_minor = stay->op->expected_total_minor;
	kr_assert(stay->has_every_price);
	if (!stay->op->has_expected_total || stay->total_minor == expected_minor)
		return;
	inv_stay_refuse(
		stay, (struct inv_refusal){.code = KEYRACK_PRICE_CHANGED,
			      .rule = RULE_PRICE,
			      .required = (int64_t)KR_MIN(expected_minor, (uint64_t)INT64_MAX),
			      .left = (int64_t)stay->total_minor});
}

void inv_stay_step_price(struct inv_stay *stay)
{
	struct inv_scratch *scratch = inv_scratch(stay->inv);
	uint32_t used = 0;
	kr_assert(!stay->has_every_price);
	stay->has_every_price = true;
	for (uint32_t i = 0; i < stay->op->line_count; i++) {
		struct inv_line *frozen = &scratch->lines[i];
		*frozen = *stay->lines[i].line;
		frozen->run_count = 0;
		frozen->runs = NULL;
		inv_stay_freeze_terms(stay, i, frozen);
		bool is_known = stay->lines[i].row != INV_NONE &&
				inv_line_price(stay, i, frozen, &scratch->price_runs[used]);
		if (inv_stay_is_full(stay))
			return;
		stay->has_every_price = stay->has_every_price && is_known;
		if (!inv_line_sum(frozen, &stay->total_minor)) {
			stay->has_every_price = false;
			if (inv_stay_refuse_total(stay, i))
				return;
		}
		used += frozen->run_count;
		kr_assert(used <= INV_STAY_NIGHTS_MAX);
	}
	if (stay->has_every_price)
		inv_stay_compare_total(stay);
}

const struct inv_line *inv_stay_freeze(struct inv_stay *stay)
{
	kr_assert(stay->has_every_price);
	kr_assert(stay->refusal_count == 0);
	return inv_scratch(stay->inv)->lines;
}

bool inv_stay_has_total(const struct inv_stay *stay)
{
	kr_assert(stay->op->line_count > 0);
	for (uint32_t i = 0; i < stay->op->line_count; i++) {
		if (stay->op->lines[i].pricing == INV_PRICE_NONE)
			return false;
	}
	return stay->has_every_price;
}

/* ---- step 10: rooms ---- */

/* Rooms that lines 0 .. i draw on line i's cell of that day. */
static uint32_t inv_stay_drawn(const struct inv_stay *stay, uint32_t i, int32_t day)
{
	uint32_t rooms = stay->lines[i].line->rooms;
	kr_assert(rooms > 0);
	for (uint32_t j = 0; j < i; j++) {
		const struct inv_stay_line *l = &stay->lines[j];
		if (l->row == stay->lines[i].row && day >= l->first_day && day < l->end_day)
			rooms += l->line->rooms;
	}
	kr_assert(rooms <= INV_LINES_MAX * INV_LINE_ROOMS_MAX);
	return rooms;
}

static bool inv_night_refuse_rooms(struct inv_stay *stay, uint32_t i, int32_t day)
{
	struct cell_counter cell = inv_stay_counter(&stay->lines[i], day);
	int64_t required = inv_stay_drawn(stay, i, day);
	int64_t own = bug_is(BUG_CREDIT_IGNORED) ? 0 : inv_stay_credit(stay, i, day);
	int64_t left = KR_MAX(cell_left(cell) + own, 0) + bug_is(BUG_LIMIT_OFF_BY_ONE);
	/* Together, though each has a counter: a hold that was sold can then be confirmed. */
	uint32_t count = (uint32_t)cell.held + cell.booked;
	struct inv_refusal refusal = {.rule = RULE_LIMIT,
		.line = (uint16_t)i,
		.has_day = true,
		.day = day,
		.required = required,
		.left = left};
	kr_assert(required > 0);
	if (inv_stay_keeps(stay) && required <= own)
		return false;
	if (!(cell.flags & CELL_LOADED) && !stay->op->force) {
		refusal.code = KEYRACK_NOT_LOADED;
		refusal.rule = RULE_LOADED;
		refusal.required = 0;
		refusal.left = 0;
	} else if (required > left && !stay->op->force) {
		refusal.code = KEYRACK_SOLD_OUT;
	} else if (count + required - own > CELL_COUNT_MAX &&
		   !bug_is(BUG_FORCE_OVERFLOWS_COUNTER)) {
		refusal.code = KEYRACK_COUNTER_FULL;
		refusal.rule = RULE_COUNTER;
		refusal.left = CELL_COUNT_MAX - count + own;
	} else {
		return false;
	}
	return inv_stay_refuse(stay, refusal);
}

/* Loaded nights with room for the only line: nothing is drawn beside it, and what is within the
 * limit is within a counter's range. */
static bool inv_line_has_rooms(const struct inv_stay *stay, const struct inv_stay_line *l)
{
	kr_static_assert(CELL_LIMIT_MAX <= CELL_COUNT_MAX, "a limit is within a counter's range");
	kr_assert(l->line->rooms > 0);
	return stay->op->line_count == 1 && stay->credit == NULL &&
	       (cell_counter_unpack(l->all.counter).flags & CELL_LOADED) &&
	       l->least_left >= (int32_t)l->line->rooms;
}

void inv_stay_step_rooms(struct inv_stay *stay)
{
	kr_assert(!inv_stay_is_full(stay));
	for (uint32_t i = 0; i < stay->op->line_count; i++) {
		const struct inv_stay_line *l = &stay->lines[i];
		if (l->row == INV_NONE || inv_line_has_rooms(stay, l))
			continue;
		for (int32_t day = l->first_day; day < l->end_day; day++) {
			if (inv_night_refuse_rooms(stay, i, day))
				return;
		}
	}
}
