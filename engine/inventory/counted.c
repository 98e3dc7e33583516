#include "engine/inventory/counted.h"

#include "base/bug.h"

struct inv_span inv_span_clip(
	const struct inv *inv, const struct inv_hotel *hotel, struct inv_span span)
{
	int32_t end = hotel->first_day + (int32_t)inv->config.window_nights;
	kr_assert(span.first_day <= span.end_day);
	span.first_day = KR_MAX(span.first_day, hotel->first_day);
	span.end_day = KR_MAX(span.first_day, KR_MIN(span.end_day, end));
	span.ring = inv_ring(inv, span.first_day);
	kr_assert(span.end_day - span.first_day <= (int32_t)inv->config.window_nights);
	return span;
}

uint32_t inv_spans_of_record(const struct inv *inv, const struct inv_record *record,
	struct inv_span spans[static INV_LINES_MAX])
{
	struct inv_record_line lines[INV_LINES_MAX];
	const struct inv_hotel *hotel = inv_hotel_at(inv, record->hotel_index);
	uint32_t line_count = inv_record_lines(inv, record, lines);
	kr_assert(line_count >= 1 && line_count <= INV_LINES_MAX);
	for (uint32_t i = 0; i < line_count; i++) {
		kr_assert(lines[i].counted_nights >= 0);
		struct inv_span span = {
			.row = lines[i].row,
			.rooms = lines[i].rooms,
			.first_day = lines[i].check_in,
			.end_day = lines[i].check_in + lines[i].counted_nights,
		};
		spans[i] = inv_span_clip(inv, hotel, span);
	}
	return line_count;
}

static inline uint32_t inv_ring_after(const struct inv *inv, uint32_t ring)
{
	kr_assert(ring < inv->config.window_nights);
	return ring + 1 == inv->config.window_nights ? 0 : ring + 1;
}

void inv_spans_read(const struct inv *inv, const struct inv_span *spans, uint32_t span_count,
	struct inv_effect *effect)
{
	struct inv_cell_old *olds = inv_scratch(inv)->cell_olds;
	uint32_t count = 0;
	kr_assert(span_count <= INV_SPANS_MAX);
	for (uint32_t i = 0; i < span_count; i++) {
		uint32_t ring = spans[i].ring;
		for (int32_t day = spans[i].first_day; day < spans[i].end_day; day++) {
			struct cell_counter cell =
				cell_counter_unpack(inv_cell_load(inv, spans[i].row, ring).counter);
			kr_assert(count < INV_OLDS_MAX);
			olds[count++] = (struct inv_cell_old){cell.held, cell.booked};
			ring = inv_ring_after(inv, ring);
		}
	}
	effect->olds = olds;
	effect->old_count = count;
}

/* Rooms that all lines together move on span i's cell of that day. */
static int32_t inv_spans_drawn(
	const struct inv_span *spans, uint32_t span_count, uint32_t i, int32_t day)
{
	int32_t rooms = 0;
	kr_assert(i < span_count);
	for (uint32_t j = 0; j < span_count; j++) {
		if (spans[j].row == spans[i].row && day >= spans[j].first_day &&
			day < spans[j].end_day)
			rooms += spans[j].rooms;
	}
	kr_assert(rooms <= (int32_t)(INV_LINES_MAX * INV_LINE_ROOMS_MAX));
	return rooms;
}

static inline bool inv_count_fits(int32_t count, int8_t sign, int32_t rooms)
{
	int32_t after = count + sign * rooms;
	return after >= 0 && after <= (int32_t)CELL_COUNT_MAX;
}

static inline bool inv_night_fits(
	struct cell_counter cell, struct inv_cell_old old, struct inv_delta delta, int32_t rooms)
{
	return (bug_is(BUG_OLD_COUNTS_UNCHECKED) ||
		       (cell.held == old.held && cell.booked == old.booked)) &&
	       inv_count_fits(cell.held, delta.held, rooms) &&
	       inv_count_fits(cell.booked, delta.booked, rooms);
}

/* Why a night does not fit. */
static KR_COLD int inv_night_contradict(const struct inv_effect *effect, struct cell_counter cell,
	struct inv_cell_old old, int32_t rooms, int32_t day, struct inv_contradiction *ret)
{
	kr_assert(ret != NULL);
	if (cell.held != old.held)
		return inv_contradict(effect, "held rooms are not what the effect found", old.held,
			cell.held, day, ret);
	if (cell.booked != old.booked)
		return inv_contradict(effect, "booked rooms are not what the effect found",
			old.booked, cell.booked, day, ret);
	kr_assert(rooms != 0);
	return inv_contradict(effect, "a count of rooms would leave its range", (uint64_t)rooms,
		(uint64_t)cell.held << 32 | cell.booked, day, ret);
}

static int inv_span_check(const struct inv *inv, const struct inv_span *spans, uint32_t span_count,
	uint32_t i, const struct inv_cell_old *olds, struct inv_delta delta,
	const struct inv_effect *effect, struct inv_contradiction *ret)
{
	uint32_t ring = spans[i].ring;
	int32_t rooms = spans[i].rooms;
	kr_assert(spans[i].first_day <= spans[i].end_day);
	for (int32_t day = spans[i].first_day; day < spans[i].end_day; day++, olds++) {
		struct cell_counter cell =
			cell_counter_unpack(inv_cell_load(inv, spans[i].row, ring).counter);
		if (span_count > 1)
			rooms = inv_spans_drawn(spans, span_count, i, day);
		if (!inv_night_fits(cell, *olds, delta, rooms))
			return inv_night_contradict(effect, cell, *olds, rooms, day, ret);
		ring = inv_ring_after(inv, ring);
	}
	return 0;
}

int inv_spans_check(const struct inv *inv, const struct inv_span *spans, uint32_t span_count,
	struct inv_delta delta, const struct inv_effect *effect, struct inv_contradiction *ret)
{
	uint32_t count = 0;
	kr_assert(span_count >= 1 && span_count <= INV_SPANS_MAX);
	for (uint32_t i = 0; i < span_count; i++)
		count += (uint32_t)(spans[i].end_day - spans[i].first_day);
	if (count != effect->old_count)
		return inv_contradict(
			effect, "the effect counts other nights", effect->old_count, count, 0, ret);
	const struct inv_cell_old *olds = effect->olds;
	for (uint32_t i = 0; i < span_count; i++) {
		int r = inv_span_check(inv, spans, span_count, i, olds, delta, effect, ret);
		if (r != 0)
			return r;
		olds += spans[i].end_day - spans[i].first_day;
	}
	return 0;
}

/* Both counts stay in their fields, so the word may be added to as one number. */
static inline uint64_t inv_delta_word(struct inv_delta delta, int32_t rooms)
{
	struct cell_counter one = {.held = 1}, other = {.booked = 1};
	int64_t held = (int64_t)delta.held * rooms, booked = (int64_t)delta.booked * rooms;
	kr_assert(rooms >= -(int32_t)CELL_COUNT_MAX && rooms <= (int32_t)CELL_COUNT_MAX);
	kr_assert(delta.held != 0 || delta.booked != 0);
	return cell_counter_pack(one) * (uint64_t)held +
	       cell_counter_pack(other) * (uint64_t)booked;
}

void inv_spans_move(
	struct inv *inv, const struct inv_span *spans, uint32_t span_count, struct inv_delta delta)
{
	kr_assert(span_count >= 1 && span_count <= INV_SPANS_MAX);
	for (uint32_t i = 0; i < span_count; i++) {
		if (bug_is(BUG_SECOND_LINE_NOT_UNDONE) && i > 0 && delta.held + delta.booked < 0)
			break;
		uint64_t word = inv_delta_word(delta, spans[i].rooms);
		uint32_t ring = spans[i].ring;
		for (int32_t day = spans[i].first_day; day < spans[i].end_day; day++) {
			struct inv_words old = inv_cell_load(inv, spans[i].row, ring);
			struct inv_words new = {old.counter + word, old.rate};
			kr_assert((uint16_t) new.counter == (uint16_t)old.counter);
			kr_assert(new.counter >> 48 == old.counter >> 48);
			inv_cell_store(inv, spans[i].row, ring, old, new);
			ring = inv_ring_after(inv, ring);
		}
	}
}

/* A span before this one has the night. */
static bool inv_spans_met(const struct inv_span *spans, uint32_t i, int32_t day)
{
	for (uint32_t j = 0; j < i; j++) {
		if (spans[j].row == spans[i].row && day >= spans[j].first_day &&
			day < spans[j].end_day)
			return true;
	}
	return false;
}

uint32_t inv_spans_over_limit(
	const struct inv *inv, const struct inv_span *spans, uint32_t span_count, bool taken)
{
	uint32_t count = 0;
	kr_assert(span_count <= INV_LINES_MAX);
	for (uint32_t i = 0; i < span_count; i++) {
		uint32_t ring = spans[i].ring;
		for (int32_t day = spans[i].first_day; day < spans[i].end_day; day++) {
			struct cell_counter cell =
				cell_counter_unpack(inv_cell_load(inv, spans[i].row, ring).counter);
			int32_t drawn = taken ? 0 : inv_spans_drawn(spans, span_count, i, day);
			if (cell_left(cell) < drawn && !inv_spans_met(spans, i, day))
				count++;
			ring = inv_ring_after(inv, ring);
		}
	}
	kr_assert(count <= INV_STAY_NIGHTS_MAX);
	return count;
}
