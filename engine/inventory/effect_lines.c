#include "engine/inventory/effect_lines.h"

#include "engine/inventory/product.h"

/* An effect's line as judging would have made it; NULL, or what is wrong. */
static const char *inv_effect_line_wrong(const struct inv_line *line)
{
	int64_t nights = (int64_t)line->check_out - line->check_in;
	uint32_t covered = 0;
	kr_assert(line->run_count == 0 || line->runs != NULL);
	if (line->check_in < INV_DAY_MIN || line->check_out > INV_DAY_MAX || nights < 1 ||
		nights > INV_STAY_NIGHTS_MAX || line->rooms == 0)
		return "a line is malformed";
	if (line->pricing > INV_PRICE_NONE)
		return "a line's pricing is unknown";
	for (uint32_t i = 0; i < line->run_count; i++) {
		if (line->runs[i].nights == 0 || line->runs[i].price_minor > RATE_PRICE_MAX)
			return "a price run is malformed";
		covered += line->runs[i].nights;
	}
	kr_assert(nights > 0);
	if (covered != (line->pricing == INV_PRICE_NONE ? 0 : nights))
		return "the price runs do not cover the nights";
	return inv_line_terms_fault(line);
}

const char *inv_effect_lines_plan(const struct inv *inv, uint32_t hotel_index,
	const struct inv_line *lines, uint32_t line_count, struct inv_effect_lines *ret)
{
	const struct inv_hotel *hotel = inv_hotel_at(inv, hotel_index);
	uint64_t nights = 0, total_minor = 0;
	kr_assert(ret != NULL);
	ret->nodes = 0;
	if (line_count < 1 || line_count > INV_LINES_MAX)
		return "a reservation has no lines, or too many";
	for (uint32_t i = 0; i < line_count; i++) {
		const struct inv_line *line = &lines[i];
		const char *wrong = inv_effect_line_wrong(line);
		if (wrong != NULL)
			return wrong;
		uint32_t row = inv_row_find(inv, hotel_index, line->type);
		if (row == INV_NONE)
			return "a line's room type is unknown";
		ret->products[i] = inv_product_find(inv, row, line->plan);
		if (ret->products[i] == INV_NONE)
			return "a line's rate plan is unknown";
		nights += (uint64_t)(line->check_out - line->check_in);
		if (nights > INV_STAY_NIGHTS_MAX)
			return "a reservation has too many nights";
		if (!inv_line_sum(line, &total_minor))
			return "the total leaves its range";
		struct inv_span span = {.row = row,
			.rooms = line->rooms,
			.first_day = line->check_in,
			.end_day = line->check_out};
		ret->spans[i] = inv_span_clip(inv, hotel, span);
	}
	kr_assert(nights >= line_count);
	ret->nodes = inv_lines_node_count(lines, line_count);
	return NULL;
}

uint32_t inv_spans_exchange(const struct inv *inv, const struct inv_record *record,
	const struct inv_effect_lines *lines, uint32_t line_count,
	struct inv_span spans[static INV_SPANS_MAX])
{
	uint32_t count = inv_spans_of_record(inv, record, spans);
	kr_assert(line_count >= 1);
	kr_assert(count + line_count <= INV_SPANS_MAX);
	for (uint32_t i = 0; i < count; i++)
		spans[i].rooms = -spans[i].rooms;
	for (uint32_t i = 0; i < line_count; i++)
		spans[count++] = lines->spans[i];
	return count;
}
