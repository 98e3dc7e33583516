/*
 * Private to the inventory: which record the clock comes for next.
 *
 * Two 4-ary min-heaps over all records: holds by deadline, everything else by the instant it may
 * be retired. A record stands in exactly one of them and knows its place (heap_pos). Ties go to the
 * record with the lower index.
 */
#ifndef ENGINE_INVENTORY_DEADLINE_H
#define ENGINE_INVENTORY_DEADLINE_H

#include "engine/inventory/state.h"

#define INV_DEADLINE_ARITY 4u

/* A heap opened for a few calls; `count` points into the inventory's head. */
struct inv_deadlines {
	struct inv_deadline *entries; /* entry 0 */
	struct inv_record *records;
	uint32_t *count;
	uint32_t capacity;
};

struct inv_deadlines inv_deadlines_of_holds(struct inv *inv);
struct inv_deadlines inv_deadlines_of_retirements(struct inv *inv);

/* The record stands in neither heap. O(log n), next to O(1) for keys in no order. */
void inv_deadline_put(struct inv_deadlines heap, uint32_t record, uint64_t due_us);
/* The entry at `position` gets another instant. O(log n). */
void inv_deadline_move(struct inv_deadlines heap, uint32_t position, uint64_t due_us);
void inv_deadline_take(struct inv_deadlines heap, uint32_t position);

/* The first entry's instant, UINT64_MAX when there is none. */
static inline uint64_t inv_deadline_first_us(const struct inv_deadline *table, uint32_t count)
{
	return count == 0 ? UINT64_MAX : table[INV_DEADLINE_LEAD].due_us;
}

/* Order of the heap and places of the records. */
bool inv_deadlines_are_sound(struct inv_deadlines heap);

#endif
