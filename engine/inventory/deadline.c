#include "engine/inventory/deadline.h"

struct inv_deadlines inv_deadlines_of_holds(struct inv *inv)
{
	kr_assert(inv->hold_heap_count <= inv->config.reservations_max);
	return (struct inv_deadlines){
		.entries = inv_holds(inv) + INV_DEADLINE_LEAD,
		.records = inv_records(inv),
		.count = &inv->hold_heap_count,
		.capacity = inv->config.reservations_max,
	};
}

struct inv_deadlines inv_deadlines_of_retirements(struct inv *inv)
{
	kr_assert(inv->retirement_count <= inv->config.reservations_max);
	return (struct inv_deadlines){
		.entries = inv_retirements(inv) + INV_DEADLINE_LEAD,
		.records = inv_records(inv),
		.count = &inv->retirement_count,
		.capacity = inv->config.reservations_max,
	};
}

static inline bool inv_deadline_is_before(
	const struct inv_deadline *a, const struct inv_deadline *b)
{
	return a->due_us != b->due_us ? a->due_us < b->due_us : a->record < b->record;
}

static inline void inv_deadline_stand(
	struct inv_deadlines heap, struct inv_deadline entry, uint32_t position)
{
	heap.entries[position] = entry;
	heap.records[entry.record].heap_pos = position;
}

/* Moves parents down until `entry` may stand at the place returned. */
static uint32_t inv_deadline_rise(
	struct inv_deadlines heap, struct inv_deadline entry, uint32_t position)
{
	kr_assert(position < heap.capacity);
	while (position > 0) {
		uint32_t parent = (position - 1) / INV_DEADLINE_ARITY;
		kr_assert(parent < position);
		if (!inv_deadline_is_before(&entry, &heap.entries[parent]))
			break;
		inv_deadline_stand(heap, heap.entries[parent], position);
		position = parent;
	}
	return position;
}

static uint32_t inv_deadline_sink(
	struct inv_deadlines heap, struct inv_deadline entry, uint32_t position)
{
	kr_assert(position < *heap.count);
	for (;;) {
		uint32_t child = position * INV_DEADLINE_ARITY + 1;
		if (child >= *heap.count)
			return position;
		uint32_t end = KR_MIN(child + INV_DEADLINE_ARITY, *heap.count);
		uint32_t best = child;
		while (++child < end) {
			if (inv_deadline_is_before(&heap.entries[child], &heap.entries[best]))
				best = child;
		}
		kr_assert(best > position);
		if (!inv_deadline_is_before(&heap.entries[best], &entry))
			return position;
		inv_deadline_stand(heap, heap.entries[best], position);
		position = best;
	}
}

/* `entry` goes where it belongs, starting from a place that is free. */
static void inv_deadline_settle(
	struct inv_deadlines heap, struct inv_deadline entry, uint32_t position)
{
	kr_assert(position < *heap.count);
	uint32_t place = inv_deadline_rise(heap, entry, position);
	if (place == position)
		place = inv_deadline_sink(heap, entry, position);
	inv_deadline_stand(heap, entry, place);
	kr_assert(heap.records[entry.record].heap_pos == place);
}

void inv_deadline_put(struct inv_deadlines heap, uint32_t record, uint64_t due_us)
{
	kr_assert(record < heap.capacity);
	kr_assert(*heap.count < heap.capacity);
	struct inv_deadline entry = {.due_us = due_us, .record = record};
	uint32_t position = (*heap.count)++;
	inv_deadline_stand(heap, entry, inv_deadline_rise(heap, entry, position));
}

void inv_deadline_move(struct inv_deadlines heap, uint32_t position, uint64_t due_us)
{
	kr_assert(position < *heap.count);
	struct inv_deadline entry = heap.entries[position];
	kr_assert(heap.records[entry.record].heap_pos == position);
	entry.due_us = due_us;
	inv_deadline_settle(heap, entry, position);
}

void inv_deadline_take(struct inv_deadlines heap, uint32_t position)
{
	kr_assert(position < *heap.count);
	struct inv_deadline entry = heap.entries[position];
	kr_assert(heap.records[entry.record].heap_pos == position);
	heap.records[entry.record].heap_pos = INV_NONE;
	struct inv_deadline last = heap.entries[--*heap.count];
	if (position < *heap.count)
		inv_deadline_settle(heap, last, position);
}

bool inv_deadlines_are_sound(struct inv_deadlines heap)
{
	kr_assert(*heap.count <= heap.capacity);
	for (uint32_t i = 0; i < *heap.count; i++) {
		const struct inv_deadline *entry = &heap.entries[i];
		const struct inv_deadline *parent =
			&heap.entries[i == 0 ? 0 : (i - 1) / INV_DEADLINE_ARITY];
		if (entry->record >= heap.capacity || heap.records[entry->record].heap_pos != i)
			return false;
		if (i > 0 && !inv_deadline_is_before(parent, entry))
			return false;
	}
	return true;
}
