/*
 * Private to the inventory: the cells that a reservation counts in, and moving its rooms there.
 *
 * A line counts on [check_in, check_in + counted_nights); of these only nights inside the window
 * have a cell. Old values are those before the whole effect: all are compared before the first
 * cell changes, so that a contradiction changes nothing.
 */
#ifndef ENGINE_INVENTORY_COUNTED_H
#define ENGINE_INVENTORY_COUNTED_H

#include "engine/inventory/records.h"

struct inv_span {
	uint32_t row;
	int32_t rooms; /* below 0: given back, where an effect gives back and takes */
	int32_t first_day, end_day;
	uint32_t ring; /* place of first_day */
};

/* An effect's spans: those of a record, and those that replace them. */
#define INV_SPANS_MAX (2 * INV_LINES_MAX)

/* What happens to each room: -1, 0 or 1. */
struct inv_delta {
	int8_t held, booked;
};

/* Returns how many; nights of a line outside the window are left out. */
uint32_t inv_spans_of_record(const struct inv *inv, const struct inv_record *record,
	struct inv_span spans[static INV_LINES_MAX]);
/* The part of a span inside the window, with its place. */
struct inv_span inv_span_clip(
	const struct inv *inv, const struct inv_hotel *hotel, struct inv_span span);

/* Fills old values into the scratch and names them in the effect. */
void inv_spans_read(const struct inv *inv, const struct inv_span *spans, uint32_t span_count,
	struct inv_effect *effect);
/* 0, or INV_CONTRADICTION: an old value differs or a counter would leave its range. */
KR_MUST_CHECK int inv_spans_check(const struct inv *inv, const struct inv_span *spans,
	uint32_t span_count, struct inv_delta delta, const struct inv_effect *effect,
	struct inv_contradiction *ret);
/* In their order: what is given back comes before what is taken, so that no count leaves its range
 * on the way. */
void inv_spans_move(
	struct inv *inv, const struct inv_span *spans, uint32_t span_count, struct inv_delta delta);

/* Nights of types that these rooms bring over their limit, or that are over it with them where they
 * are counted already (`taken`). */
uint32_t inv_spans_over_limit(
	const struct inv *inv, const struct inv_span *spans, uint32_t span_count, bool taken);

#endif
