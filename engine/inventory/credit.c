#include "engine/inventory/credit.h"

static bool inv_line_covers(const struct inv_line *line, int32_t day)
{
	return day >= line->check_in && day < line->check_out;
}

/* Rooms of the type that the first `line_count` lines draw on that day, under any plan. */
static uint32_t inv_lines_drawn(
	const struct inv_line *lines, uint32_t line_count, uint16_t type, int32_t day)
{
	uint32_t rooms = 0;
	kr_assert(line_count <= INV_LINES_MAX);
	for (uint32_t i = 0; i < line_count; i++) {
		if (lines[i].type == type && inv_line_covers(&lines[i], day))
			rooms += lines[i].rooms;
	}
	kr_assert(rooms <= INV_LINES_MAX * INV_LINE_ROOMS_MAX);
	return rooms;
}

static bool inv_line_is_same_product(const struct inv_line *a, const struct inv_line *b)
{
	return a->type == b->type && a->plan == b->plan;
}

/* Rooms under the plan of `like` alone. */
static uint32_t inv_lines_drawn_like(
	const struct inv_line *lines, uint32_t line_count, const struct inv_line *like, int32_t day)
{
	uint32_t rooms = 0;
	kr_assert(line_count <= INV_LINES_MAX);
	for (uint32_t i = 0; i < line_count; i++) {
		if (inv_line_is_same_product(&lines[i], like) && inv_line_covers(&lines[i], day))
			rooms += lines[i].rooms;
	}
	kr_assert(rooms <= INV_LINES_MAX * INV_LINE_ROOMS_MAX);
	return rooms;
}

void inv_credit_init(struct inv_credit *credit, const struct inv *inv,
	const struct inv_record *record, bool keeps)
{
	struct inv_scratch *scratch = inv_scratch(inv);
	kr_assert(record->state != INV_VOID);
	credit->keeps = keeps;
	credit->lines = scratch->read_lines;
	credit->line_count =
		inv_record_unpack(inv, record, scratch->read_lines, scratch->read_runs);
	credit->has_new = false;
	inv_lines_chain(credit->lines, credit->line_count, credit->places);
	kr_assert(credit->line_count >= 1);
}

uint32_t inv_credit_rooms(const struct inv_credit *credit, uint16_t type, int32_t day)
{
	kr_assert(credit->line_count >= 1);
	return inv_lines_drawn(credit->lines, credit->line_count, type, day);
}

/* ---- what is new ---- */

static bool inv_line_draws_more(const struct inv_stay *stay, uint32_t i, int32_t day)
{
	const struct inv_line *line = &stay->op->lines[i];
	kr_assert(inv_line_covers(line, day));
	const struct inv_credit *credit = stay->credit;
	return inv_lines_drawn_like(stay->op->lines, i + 1, line, day) >
	       inv_lines_drawn_like(credit->lines, credit->line_count, line, day);
}

/* Dates are not judged yet: of a line too long for any stay no night is looked at. */
static bool inv_line_has_new(const struct inv_stay *stay, uint32_t i, int32_t begin, int32_t end)
{
	const struct inv_line *line = &stay->op->lines[i];
	int64_t nights = (int64_t)line->check_out - line->check_in;
	kr_assert(begin <= end);
	if (nights > (int64_t)INV_STAY_NIGHTS_MAX)
		return true;
	for (int32_t day = KR_MAX(line->check_in, begin); day < KR_MIN(line->check_out, end);
		day++) {
		if (inv_line_draws_more(stay, i, day))
			return true;
	}
	return false;
}

void inv_credit_compare(struct inv_stay *stay)
{
	struct inv_credit *credit = stay->credit;
	int32_t begin = inv_stay_hotel(stay)->first_day;
	int32_t end = begin + (int32_t)stay->inv->config.window_nights;
	kr_assert(credit != NULL);
	credit->has_new = false;
	for (uint32_t i = 0; i < stay->op->line_count; i++) {
		credit->is_new[i] = inv_line_has_new(stay, i, begin, end);
		credit->has_new = credit->has_new || credit->is_new[i];
	}
	kr_assert(stay->op->line_count >= 1);
}

bool inv_stay_night_is_kept(const struct inv_stay *stay, uint32_t i, int32_t day)
{
	kr_assert(i < stay->op->line_count);
	return inv_stay_keeps(stay) && !inv_line_draws_more(stay, i, day);
}

bool inv_stay_arrival_is_known(const struct inv_stay *stay, uint32_t i)
{
	const struct inv_credit *credit = stay->credit;
	const struct inv_line *line = &stay->op->lines[i];
	kr_assert(i < stay->op->line_count);
	for (uint32_t k = 0; inv_stay_keeps(stay) && k < credit->line_count; k++) {
		const struct inv_line *had = &credit->lines[k];
		if (inv_line_is_same_product(had, line) && had->check_in == line->check_in &&
			(credit->places[k].is_first || !stay->places[i].is_first))
			return true;
	}
	return false;
}

bool inv_stay_departure_is_known(const struct inv_stay *stay, uint32_t i)
{
	const struct inv_credit *credit = stay->credit;
	const struct inv_line *line = &stay->op->lines[i];
	kr_assert(stay->places[i].is_last);
	for (uint32_t k = 0; inv_stay_keeps(stay) && k < credit->line_count; k++) {
		const struct inv_line *had = &credit->lines[k];
		if (credit->places[k].is_last && inv_line_is_same_product(had, line) &&
			had->check_out == line->check_out)
			return true;
	}
	return false;
}

bool inv_stay_party_is_known(const struct inv_stay *stay, uint32_t i)
{
	const struct inv_credit *credit = stay->credit;
	const struct inv_line *line = &stay->op->lines[i];
	kr_assert(line->rooms > 0);
	for (uint32_t k = 0; inv_stay_keeps(stay) && k < credit->line_count; k++) {
		const struct inv_line *had = &credit->lines[k];
		if (had->type == line->type && had->rooms == line->rooms &&
			had->guests == line->guests)
			return true;
	}
	return false;
}

bool inv_stay_length_is_known(const struct inv_stay *stay, uint32_t i, int32_t day)
{
	const struct inv_credit *credit = stay->credit;
	const struct inv_line *line = &stay->op->lines[i];
	if (!inv_stay_night_is_kept(stay, i, day))
		return false;
	if (stay->places[i].is_first && day == line->check_in &&
		!inv_stay_arrival_is_known(stay, i))
		return false;
	kr_assert(credit != NULL);
	for (uint32_t k = 0; k < credit->line_count; k++) {
		const struct inv_line *had = &credit->lines[k];
		if (inv_line_is_same_product(had, line) && inv_line_covers(had, day) &&
			credit->places[k].stay_nights == stay->places[i].stay_nights)
			return true;
	}
	return false;
}

/* ---- nights that are over ---- */

/* The first day of a line before `begin` on which the type's rooms are not what they were. */
static bool inv_line_past_changes(
	const struct inv_stay *stay, const struct inv_line *line, int32_t begin, int32_t *ret_day)
{
	kr_assert(line->check_in < line->check_out);
	kr_assert(line->check_out - line->check_in <= (int32_t)INV_STAY_NIGHTS_MAX);
	for (int32_t day = line->check_in; day < KR_MIN(line->check_out, begin); day++) {
		uint32_t now =
			inv_lines_drawn(stay->op->lines, stay->op->line_count, line->type, day);
		if (now == inv_credit_rooms(stay->credit, line->type, day))
			continue;
		*ret_day = day;
		return true;
	}
	return false;
}

bool inv_credit_past_changes(const struct inv_stay *stay, uint32_t *ret_line, int32_t *ret_day)
{
	const struct inv_credit *credit = stay->credit;
	int32_t begin = inv_stay_hotel(stay)->first_day;
	kr_assert(credit != NULL);
	for (uint32_t i = 0; i < stay->op->line_count; i++) {
		*ret_line = i;
		if (inv_line_past_changes(stay, &stay->op->lines[i], begin, ret_day))
			return true;
	}
	*ret_line = 0;
	for (uint32_t k = 0; k < credit->line_count; k++) {
		if (inv_line_past_changes(stay, &credit->lines[k], begin, ret_day))
			return true;
	}
	return false;
}

/* ---- prices ---- */

/* The line whose prices line i keeps, counted from 0; it may not be there. */
static uint32_t inv_line_kept(const struct inv_line *lines, uint32_t i)
{
	return lines[i].keeps != 0 ? lines[i].keeps - 1u : i;
}

/* Rooms that lines 0 to i take of that line's on that day. */
static uint32_t inv_lines_keeping(
	const struct inv_stay *stay, uint32_t i, uint32_t kept, int32_t day)
{
	const struct inv_line *lines = stay->op->lines;
	uint32_t rooms = 0;
	kr_assert(i < stay->op->line_count);
	for (uint32_t j = 0; j <= i; j++) {
		if (inv_line_is_same_product(&lines[j], &lines[i]) &&
			lines[j].pricing == INV_PRICE_CALENDAR && inv_line_kept(lines, j) == kept &&
			inv_line_covers(&lines[j], day))
			rooms += lines[j].rooms;
	}
	kr_assert(rooms >= lines[i].rooms);
	return rooms;
}

const struct inv_line *inv_credit_line(const struct inv_stay *stay, uint32_t i)
{
	const struct inv_line *line = &stay->op->lines[i];
	uint32_t kept = inv_line_kept(stay->op->lines, i);
	kr_assert(inv_stay_keeps(stay));
	if (kept >= stay->credit->line_count)
		return NULL;
	const struct inv_line *had = &stay->credit->lines[kept];
	kr_assert(had->rooms > 0);
	return inv_line_is_same_product(had, line) ? had : NULL;
}

bool inv_credit_price(
	const struct inv_stay *stay, uint32_t i, int32_t day, uint64_t *ret_price_minor)
{
	const struct inv_line *had = inv_credit_line(stay, i);
	uint32_t kept = inv_line_kept(stay->op->lines, i);
	kr_assert(stay->op->lines[i].pricing == INV_PRICE_CALENDAR);
	if (had == NULL || had->pricing == INV_PRICE_NONE || !inv_line_covers(had, day) ||
		inv_lines_keeping(stay, i, kept, day) > had->rooms)
		return false;
	uint32_t night = (uint32_t)(day - had->check_in), run = 0;
	while (night >= had->runs[run].nights)
		night -= had->runs[run++].nights;
	kr_assert(run < had->run_count);
	*ret_price_minor = had->runs[run].price_minor;
	return true;
}
