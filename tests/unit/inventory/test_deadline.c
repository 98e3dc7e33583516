#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "engine/inventory/deadline.h"

#define RECORDS 300u

/* An inventory of records only. */
static struct inv *table_new(void **ret_memory)
{
	const struct inv_config config = {
		.hotels_max = 1,
		.rows_max = 1,
		.window_nights = INV_WINDOW_NIGHTS_MIN,
		.reservations_max = RECORDS,
		.nodes_max = 1,
		.refusals_max = 1,
		.denials_max = 1,
		.stock_runs_max = 1,
		.retention_us = 1,
	};
	const uint64_t size = inv_memory_size(&config);
	*ret_memory = aligned_alloc(64, size);
	cr_assert_neq(*ret_memory, NULL);
	memset(*ret_memory, 0, size);
	return inv_init(&config, *ret_memory, NULL);
}

Test(deadline, comes_out_in_order_of_its_instant)
{
	void *memory;
	struct inv *inv = table_new(&memory);
	struct inv_deadlines heap = inv_deadlines_of_holds(inv);
	struct rng rng;
	rng_init(&rng, 1);
	for (uint32_t r = 0; r < RECORDS; r++)
		inv_deadline_put(heap, r, rng_below(&rng, 50));
	uint64_t last_us = 0;
	uint32_t last_record = 0;
	for (uint32_t n = 0; n < RECORDS; n++) {
		cr_assert(inv_deadlines_are_sound(heap));
		struct inv_deadline first = heap.entries[0];
		cr_assert(n == 0 || first.due_us > last_us || first.record > last_record);
		cr_assert_geq(first.due_us, last_us);
		last_us = first.due_us;
		last_record = first.record;
		inv_deadline_take(heap, 0);
		cr_assert_eq(inv_records(inv)[first.record].heap_pos, INV_NONE);
	}
	cr_assert_eq(inv->hold_heap_count, 0);
	free(memory);
}

Test(deadline, keeps_its_order_under_random_changes)
{
	void *memory;
	struct inv *inv = table_new(&memory);
	struct inv_deadlines heap = inv_deadlines_of_retirements(inv);
	uint64_t due_us[RECORDS];
	bool is_in[RECORDS] = {false};
	struct rng rng;
	rng_init(&rng, 7);
	for (uint32_t step = 0; step < 20000; step++) {
		uint32_t r = (uint32_t)rng_below(&rng, RECORDS);
		uint64_t at_us = rng_below(&rng, 1000);
		if (is_in[r] && rng_chance(&rng, 400000)) {
			inv_deadline_take(heap, inv_records(inv)[r].heap_pos);
			is_in[r] = false;
			continue;
		}
		if (is_in[r])
			inv_deadline_move(heap, inv_records(inv)[r].heap_pos, at_us);
		else
			inv_deadline_put(heap, r, at_us);
		due_us[r] = at_us;
		is_in[r] = true;
		if (step % 100 == 0)
			cr_assert(inv_deadlines_are_sound(heap));
	}
	uint32_t count = 0;
	for (uint32_t r = 0; r < RECORDS; r++) {
		count += is_in[r];
		if (is_in[r])
			cr_assert_eq(heap.entries[inv_records(inv)[r].heap_pos].due_us, due_us[r]);
	}
	cr_assert_eq(count, inv->retirement_count);
	free(memory);
}

Test(deadline, of_nothing_is_never)
{
	void *memory;
	struct inv *inv = table_new(&memory);
	cr_assert_eq(inv_deadline_first_us(inv_holds(inv), inv->hold_heap_count), UINT64_MAX);
	inv_deadline_put(inv_deadlines_of_holds(inv), 3, 17);
	cr_assert_eq(inv_deadline_first_us(inv_holds(inv), inv->hold_heap_count), 17);
	free(memory);
}
