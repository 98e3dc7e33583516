#include <stdlib.h>

#include "engine/inventory/ahead.h"
#include "engine/inventory/state.h"
#include "tests/unit/inventory/world.h"

/*
 * Tables are filled by their counts alone: nothing of the memory is touched, so that it may be
 * large.
 */

#define RECORDS 4000000u

static struct inv *inv;
static uint64_t size_bytes;

static void make(void)
{
	struct inv_config config = world_config();
	config.reservations_max = RECORDS;
	config.nodes_max = RECORDS;
	size_bytes = inv_memory_size(&config);
	void *memory = aligned_alloc(INV_AHEAD_PIECE,
		(size_bytes + INV_AHEAD_PIECE - 1) / INV_AHEAD_PIECE * INV_AHEAD_PIECE);
	cr_assert_neq(memory, NULL);
	memset(memory, 0, sizeof(struct inv));
	inv = inv_init(&config, memory, NULL);
}

static bool covers(const struct inv_stretch *stretch, const void *place)
{
	return (uintptr_t)place >= stretch->base &&
	       (uintptr_t)place < stretch->base + stretch->size_bytes;
}

/* Takes all that is wanted; how many stretches, and whether `place` was among them. */
static uint32_t drain(struct inv_ahead *ahead, const void *place, bool *ret_covers)
{
	struct inv_stretch stretch;
	uint32_t count = 0;
	*ret_covers = false;
	for (; inv_ahead_next(inv, ahead, &stretch); count++) {
		cr_assert_lt(count, 100000u);
		cr_assert_eq(stretch.base % INV_AHEAD_PIECE, 0);
		cr_assert_eq(stretch.size_bytes, INV_AHEAD_PIECE);
		cr_assert_geq(stretch.base + stretch.size_bytes, (uintptr_t)inv);
		cr_assert_lt(stretch.base, (uintptr_t)inv + size_bytes);
		*ret_covers |= place != NULL && covers(&stretch, place);
	}
	return count;
}

static uint32_t pieces(uint64_t bytes)
{
	return (uint32_t)((bytes + INV_AHEAD_PIECE - 1) / INV_AHEAD_PIECE);
}

Test(ahead, an_empty_inventory_wants_the_index_of_ids_and_hardly_more, .init = make)
{
	struct inv_ahead ahead = {0};
	bool found;
	const uint64_t index_bytes = (uint64_t)inv->record_index.slot_count * sizeof(uint64_t);
	const uint64_t *slots = inv_record_slots(inv);
	uint32_t count = drain(&ahead, &slots[inv->record_index.slot_count - 1], &found);
	cr_assert(found);
	cr_assert_geq(count, pieces(index_bytes));
	/* The heaps begin with a few entries that are nobody's. */
	cr_assert_leq(count, pieces(index_bytes) + 4);
	cr_assert_eq(drain(&ahead, NULL, &found), 0, "each stretch is told once");
}

Test(ahead, what_fills_is_kept_ahead_of_what_it_holds, .init = make)
{
	struct inv_ahead ahead = {0};
	bool found;
	(void)drain(&ahead, NULL, &found);
	for (uint32_t fresh = 1; fresh < RECORDS; fresh += fresh / 16 + 1) {
		inv->record_pool.fresh = fresh;
		(void)drain(&ahead, NULL, &found);
		uint64_t want = KR_MIN(fresh + KR_MIN(fresh, INV_AHEAD_RECORDS), RECORDS) *
				sizeof(struct inv_record);
		uint64_t done = 0;
		for (size_t i = 0; i < INV_AHEAD_TABLES_MAX; i++)
			done = KR_MAX(done, ahead.done_bytes[i]);
		cr_assert_geq(done, want);
		cr_assert_lt(
			done, KR_MAX(want, pieces((uint64_t)RECORDS * 12 + 64) * INV_AHEAD_PIECE) +
				      2 * INV_AHEAD_PIECE);
	}
}

Test(ahead, a_small_inventory_takes_little, .init = make)
{
	struct inv_ahead ahead = {0};
	bool found;
	uint32_t first = drain(&ahead, NULL, &found);
	inv->record_pool.fresh = 1000;
	inv->node_pool.fresh = 1000;
	inv->hold_heap_count = 10;
	inv->refused_total = 10;
	uint32_t count = drain(&ahead, NULL, &found);
	cr_assert_leq(count, 5 + pieces(inv->refused_index.slot_count * sizeof(uint64_t)) + 1);
	cr_assert_gt(first, 0);
}

Test(ahead, indices_that_few_need_are_taken_with_their_first_entry, .init = make)
{
	struct inv_ahead ahead = {0};
	bool found;
	const uint64_t *slot = &inv_external_slots(inv)[inv->external_index.slot_count / 2];
	(void)drain(&ahead, slot, &found);
	cr_assert_not(found);
	inv->external_index.used = 1;
	(void)drain(&ahead, slot, &found);
	cr_assert(found);
	const void *guest = &inv_guest_holds(inv)[inv_index_slot_count(RECORDS) / 2];
	(void)drain(&ahead, guest, &found);
	cr_assert_not(found);
	inv->guest_count = 1;
	(void)drain(&ahead, guest, &found);
	cr_assert(found);
}

Test(ahead, full_tables_want_nothing_beyond_their_end, .init = make)
{
	struct inv_ahead ahead = {0};
	bool found;
	inv->record_pool.fresh = RECORDS;
	inv->node_pool.fresh = RECORDS;
	inv->hold_heap_count = RECORDS;
	inv->refused_total = (uint64_t)inv->config.refusals_max * 3;
	inv->row_count = inv->config.rows_max;
	(void)drain(&ahead, NULL, &found);
	cr_assert_eq(drain(&ahead, NULL, &found), 0);
	cr_assert_eq(ahead.done_bytes[4], (uint64_t)RECORDS * sizeof(struct inv_record));
}
