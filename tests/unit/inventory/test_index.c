#include <stdlib.h>

#include "base/rng.h"
#include "engine/inventory/records.h"
#include "tests/unit/inventory/sales.h"

#define ENTRIES 200u

struct table {
	struct inv_index index;
	uint64_t *slots;
	uint32_t tags[ENTRIES];
	bool is_in[ENTRIES];
};

static void table_init(struct table *t)
{
	memset(t, 0, sizeof(*t));
	t->index.slot_count = inv_index_slot_count(ENTRIES);
	t->slots = calloc(t->index.slot_count, sizeof(*t->slots));
	cr_assert_not_null(t->slots);
}

static bool is_found(const struct table *t, uint32_t entry)
{
	uint32_t slot = inv_index_home(&t->index, t->tags[entry]);
	for (;;) {
		uint32_t found = inv_index_next(&t->index, t->slots, t->tags[entry], &slot);
		if (found == INV_INDEX_END || found == entry)
			return found == entry;
		cr_assert_eq(t->tags[found], t->tags[entry]);
	}
}

static void check(const struct table *t)
{
	uint32_t used = 0, full = 0;
	for (uint32_t entry = 0; entry < ENTRIES; entry++) {
		cr_assert_eq(is_found(t, entry), t->is_in[entry], "%u", entry);
		used += t->is_in[entry];
	}
	for (uint32_t slot = 0; slot < t->index.slot_count; slot++)
		full += t->slots[slot] != 0;
	cr_assert_eq(t->index.used, used);
	cr_assert_eq(full, used, "nothing is left behind");
}

/* Tags of a few values crowd together, at the end of the table too, where probing wraps. */
static uint32_t tag_drawn(struct rng *rng, uint32_t values)
{
	uint32_t value = (uint32_t)rng_below(rng, values);
	return rng_chance(rng, 500000) ? UINT32_MAX - value : value * (UINT32_MAX / values);
}

Test(inventory_index, finds_what_is_in_it_under_random_changes)
{
	const uint32_t values[] = {1, 3, 17, 1000};
	for (size_t v = 0; v < KR_ARRAY_COUNT(values); v++) {
		struct table t;
		struct rng rng;
		table_init(&t);
		rng_init(&rng, v);
		for (uint32_t step = 0; step < 4000; step++) {
			uint32_t entry = (uint32_t)rng_below(&rng, ENTRIES);
			if (t.is_in[entry]) {
				inv_index_remove(&t.index, t.slots, t.tags[entry], entry);
			} else {
				t.tags[entry] = tag_drawn(&rng, values[v]);
				inv_index_insert(&t.index, t.slots, t.tags[entry], entry);
			}
			t.is_in[entry] = !t.is_in[entry];
			if (step % 40 == 0)
				check(&t);
		}
		check(&t);
		free(t.slots);
	}
}

Test(inventory_index, takes_as_many_as_it_was_sized_for)
{
	struct table t;
	table_init(&t);
	for (uint32_t entry = 0; entry < ENTRIES; entry++) {
		t.tags[entry] = 0xfffffff0u + entry % 16;
		inv_index_insert(&t.index, t.slots, t.tags[entry], entry);
		t.is_in[entry] = true;
	}
	check(&t);
	for (uint32_t entry = 0; entry < ENTRIES; entry += 2) {
		inv_index_remove(&t.index, t.slots, t.tags[entry], entry);
		t.is_in[entry] = false;
	}
	check(&t);
	free(t.slots);
}

/* ---- live holds of guests: the same probing over whole hashes ---- */

#define GUESTS 40u

Test(inventory_index, counts_the_holds_of_each_guest)
{
	struct world w;
	world_init(&w, NULL);
	world_standard(&w, 1, 1);
	uint32_t counts[GUESTS] = {0}, live = 0;
	struct rng rng;
	rng_init(&rng, 5);
	for (uint32_t step = 0; step < 20000; step++) {
		uint32_t guest = (uint32_t)rng_below(&rng, GUESTS);
		const struct hotel_id hotel = {guest % 3 + 1};
		const struct inv_guest_id id = {guest, 7};
		if (counts[guest] > 0 && (live == 64 || rng_chance(&rng, 500000))) {
			inv_guest_hold_drop(w.inv, hotel, id);
			counts[guest]--;
			live--;
		} else if (live < 64) {
			inv_guest_hold_add(w.inv, hotel, id);
			counts[guest]++;
			live++;
		}
		for (uint32_t g = 0; step % 64 == 0 && g < GUESTS; g++)
			cr_assert_eq(inv_guest_hold_count(w.inv, (struct hotel_id){g % 3 + 1},
					     (struct inv_guest_id){g, 7}),
				counts[g]);
	}
	uint32_t guests = 0;
	for (uint32_t g = 0; g < GUESTS; g++)
		guests += counts[g] > 0;
	cr_assert_eq(w.inv->guest_count, guests);
	world_fini(&w);
}
