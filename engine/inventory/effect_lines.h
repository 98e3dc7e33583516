/*
 * Private to the inventory: the lines of an effect, checked as judging would have made them.
 */
#ifndef ENGINE_INVENTORY_EFFECT_LINES_H
#define ENGINE_INVENTORY_EFFECT_LINES_H

#include "engine/inventory/counted.h"

/* What applying lines needs to know of them. */
struct inv_effect_lines {
	struct inv_span spans[INV_LINES_MAX]; /* their part inside the window */
	uint32_t products[INV_LINES_MAX];
	uint32_t nodes; /* that the lines take */
};

/* NULL, or what is wrong with them (a static sentence); then *ret means nothing but its nodes,
 * which are 0. */
const char *inv_effect_lines_plan(const struct inv *inv, uint32_t hotel_index,
	const struct inv_line *lines, uint32_t line_count, struct inv_effect_lines *ret);

/* What the record has inside the window, given back; then the lines' part, taken. Returns how many.
 */
uint32_t inv_spans_exchange(const struct inv *inv, const struct inv_record *record,
	const struct inv_effect_lines *lines, uint32_t line_count,
	struct inv_span spans[static INV_SPANS_MAX]);

#endif
