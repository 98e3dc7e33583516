#include "engine/inventory/counted.h"

static struct inv_span inv_span_clip(
	const struct inv *inv, const struct inv_hotel *hotel, struct inv_span span)
{
	int32_t end = hotel->first_day + (int32_t)inv->config.window_nights;
	kr_assert(span.first_day <= span.end_day);
	span.first_day = KR_MAX(span.first_day, hotel->first_day);
	span.end_day = KR_MAX(span.first_day, KR_MIN(span.end_day, end));
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

uint32_t inv_spans_of_lines(const struct inv *inv, uint32_t hotel_index,
	const struct inv_line *lines, uint32_t line_count,
	struct inv_span spans[static INV_LINES_MAX])
{
	const struct inv_hotel *hotel = inv_hotel_at(inv, hotel_index);
	kr_assert(line_count >= 1 && line_count <= INV_LINES_MAX);
	for (uint32_t i = 0; i < line_count; i++) {
		struct inv_span span = {
			.row = inv_row_find(inv, hotel_index, lines[i].type),
			.rooms = lines[i].rooms,
			.first_day = lines[i].check_in,
			.end_day = lines[i].check_out,
		};
		kr_assert(span.row != INV_NONE);
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
	kr_assert(span_count <= INV_LINES_MAX);
	for (uint32_t i = 0; i < span_count; i++) {
		uint32_t ring = inv_ring(inv, spans[i].first_day);
		for (int32_t day = spans[i].first_day; day < spans[i].end_day; day++) {
			struct cell_counter cell =
				cell_counter_unpack(inv_cell_load(inv, spans[i].row, ring).counter);
			kr_assert(count < INV_STAY_NIGHTS_MAX);
			olds[count++] = (struct inv_cell_old){cell.held, cell.booked};
			ring = inv_ring_after(inv, ring);
		}
	}
	effect->olds = olds;
	effect->old_count = count;
}

/* Rooms that all lines together move on span i's cell of that day. */
static uint32_t inv_spans_drawn(
	const struct inv_span *spans, uint32_t span_count, uint32_t i, int32_t day)
{
	uint32_t rooms = 0;
	kr_assert(i < span_count);
	for (uint32_t j = 0; j < span_count; j++) {
		if (spans[j].row == spans[i].row && day >= spans[j].first_day &&
			day < spans[j].end_day)
			rooms += spans[j].rooms;
	}
	kr_assert(rooms >= spans[i].rooms);
	return rooms;
}

static bool inv_count_fits(uint32_t count, int8_t sign, uint32_t rooms)
{
	kr_assert(count <= CELL_COUNT_MAX);
	kr_assert(sign >= -1 && sign <= 1);
	return sign == 0 || (sign < 0 ? count >= rooms : count + rooms <= CELL_COUNT_MAX);
}

static int inv_span_check(const struct inv *inv, const struct inv_span *spans, uint32_t span_count,
	uint32_t i, const struct inv_cell_old *olds, struct inv_delta delta,
	const struct inv_effect *effect, struct inv_contradiction *ret)
{
	uint32_t ring = inv_ring(inv, spans[i].first_day);
	for (int32_t day = spans[i].first_day; day < spans[i].end_day; day++, olds++) {
		struct cell_counter cell =
			cell_counter_unpack(inv_cell_load(inv, spans[i].row, ring).counter);
		uint32_t rooms = span_count == 1 ? spans[i].rooms
						 : inv_spans_drawn(spans, span_count, i, day);
		if (cell.held != olds->held)
			return inv_contradict(effect, "held rooms are not what the effect found",
				olds->held, cell.held, day, ret);
		if (cell.booked != olds->booked)
			return inv_contradict(effect, "booked rooms are not what the effect found",
				olds->booked, cell.booked, day, ret);
		if (!inv_count_fits(cell.held, delta.held, rooms))
			return inv_contradict(effect, "held rooms would leave their range", rooms,
				cell.held, day, ret);
		if (!inv_count_fits(cell.booked, delta.booked, rooms))
			return inv_contradict(effect, "booked rooms would leave their range", rooms,
				cell.booked, day, ret);
		ring = inv_ring_after(inv, ring);
	}
	return 0;
}

int inv_spans_check(const struct inv *inv, const struct inv_span *spans, uint32_t span_count,
	struct inv_delta delta, const struct inv_effect *effect, struct inv_contradiction *ret)
{
	uint32_t count = 0;
	kr_assert(span_count >= 1 && span_count <= INV_LINES_MAX);
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

void inv_spans_move(
	struct inv *inv, const struct inv_span *spans, uint32_t span_count, struct inv_delta delta)
{
	kr_assert(span_count >= 1 && span_count <= INV_LINES_MAX);
	kr_assert(delta.held != 0 || delta.booked != 0);
	for (uint32_t i = 0; i < span_count; i++) {
		int32_t rooms = (int32_t)spans[i].rooms;
		uint32_t ring = inv_ring(inv, spans[i].first_day);
		for (int32_t day = spans[i].first_day; day < spans[i].end_day; day++) {
			struct inv_words old = inv_cell_load(inv, spans[i].row, ring);
			struct cell_counter cell = cell_counter_unpack(old.counter);
			cell.held = (uint16_t)(cell.held + delta.held * rooms);
			cell.booked = (uint16_t)(cell.booked + delta.booked * rooms);
			struct inv_words new = {cell_counter_pack(cell), old.rate};
			inv_cell_store(inv, spans[i].row, ring, old, new);
			ring = inv_ring_after(inv, ring);
		}
	}
}
