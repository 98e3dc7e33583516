#include "world.h"

#include <stdlib.h>

#include "base/rng.h"
#include "engine/inventory/priv.h"

Test(layout, tables_lie_apart_and_aligned)
{
	struct world w;
	world_init(&w, NULL);
	struct inv *inv = w.inv;
	const struct inv_config *c = &inv->config;
	uint64_t end = sizeof(struct inv);
#define X(name, type, count)                                                                       \
	cr_assert_eq(inv->name##_offset % 64, 0, #name);                                           \
	cr_assert_geq(inv->name##_offset, end, #name);                                             \
	end = inv->name##_offset + (uint64_t)(count) * sizeof(type);
	INV_TABLE_TABLE(X)
#undef X
	cr_assert_leq(end, inv_memory_size(c));
	cr_assert_lt(inv_memory_size(c) - end, 64);
	world_fini(&w);
}

Test(layout, no_row_is_a_multiple_of_a_page_apart)
{
	struct inv_config c = world_config();
	for (c.window_nights = INV_WINDOW_NIGHTS_MIN; c.window_nights <= INV_WINDOW_NIGHTS_MAX;
		c.window_nights++) {
		uint32_t stride = inv_row_stride_bytes(&c);
		cr_assert_eq(stride % 64, 0);
		cr_assert_neq(stride % 4096, 0);
		cr_assert_geq(stride, c.window_nights * sizeof(struct inv_cell));
		cr_assert_lt(stride, c.window_nights * sizeof(struct inv_cell) + 128);
	}
}

Test(layout, a_night_keeps_its_place_as_the_window_moves)
{
	struct world w;
	struct inv_config c = world_config();
	for (c.window_nights = INV_WINDOW_NIGHTS_MIN; c.window_nights < 900;
		c.window_nights += 37) {
		world_init(&w, &c);
		uint32_t window = c.window_nights;
		uint32_t previous = inv_ring(w.inv, INV_DAY_MIN);
		for (int32_t day = INV_DAY_MIN + 1; day <= INV_DAY_MAX; day++) {
			uint32_t ring = inv_ring(w.inv, day);
			cr_assert_eq(ring, (previous + 1) % window);
			previous = ring;
		}
		int32_t seven_windows = 7 * (int32_t)window;
		cr_assert_eq(inv_ring(w.inv, -3), inv_ring(w.inv, seven_windows - 3));
		cr_assert_eq(inv_ring(w.inv, 0), 0);
		world_fini(&w);
	}
}

Test(layout, options_have_bounds_that_are_named)
{
	const char *option;
	struct inv_config c = world_config();
	cr_assert_eq(inv_config_check(&c, &option), 0);
	static const struct {
		size_t offset;
		const char *option;
	} counts[] = {
		{offsetof(struct inv_config, hotels_max), "hotels"},
		{offsetof(struct inv_config, rows_max), "rows"},
		{offsetof(struct inv_config, window_nights), "window_nights"},
		{offsetof(struct inv_config, reservations_max), "reservations"},
		{offsetof(struct inv_config, nodes_max), "nodes"},
		{offsetof(struct inv_config, refusals_max), "refusals"},
		{offsetof(struct inv_config, denials_max), "denials"},
		{offsetof(struct inv_config, stock_runs_max), "stock_runs"},
	};
	for (size_t i = 0; i < KR_ARRAY_COUNT(counts); i++) {
		c = world_config();
		uint32_t *value = (uint32_t *)(void *)((char *)&c + counts[i].offset);
		*value = 0;
		cr_assert_eq(inv_config_check(&c, &option), INV_CONFIG_TOO_SMALL);
		cr_assert_str_eq(option, counts[i].option);
		*value = UINT32_MAX;
		cr_assert_eq(inv_config_check(&c, &option), INV_CONFIG_TOO_LARGE);
		cr_assert_str_eq(option, counts[i].option);
	}
	c = world_config();
	c.refusals_max = 63;
	cr_assert_eq(inv_config_check(&c, &option), INV_CONFIG_NO_POWER_OF_TWO);
	c = world_config();
	c.window_nights = INV_WINDOW_NIGHTS_MIN - 1;
	cr_assert_eq(inv_config_check(&c, &option), INV_CONFIG_TOO_SMALL);
	c.window_nights = INV_WINDOW_NIGHTS_MAX + 1;
	cr_assert_eq(inv_config_check(&c, &option), INV_CONFIG_TOO_LARGE);
}

Test(layout, a_chain_takes_seventeen_bytes_a_night)
{
	struct inv_config c = world_config();
	c.hotels_max = 5000;
	c.rows_max = 100000;
	c.window_nights = 731;
	c.reservations_max = 1;
	c.nodes_max = 1;
	c.stock_runs_max = 100000;
	double nights = 100000.0 * 731;
	cr_assert_lt((double)inv_memory_size(&c) / nights, 17.0);
}

/* Entries inserted and removed in any order, against a plain array; few slots, so runs are long. */
Test(layout, index_finds_exactly_what_is_in_it)
{
	enum { ENTRIES = 60 };
	uint64_t slots[200] = {0};
	bool in[ENTRIES] = {false};
	uint32_t tags[ENTRIES], count = 0;
	struct rng rng;
	rng_init(&rng, 3);
	struct inv_index index = {.slot_count = inv_index_slot_count(ENTRIES)};
	cr_assert_leq(index.slot_count, KR_ARRAY_COUNT(slots));
	for (int i = 0; i < ENTRIES; i++) /* many share a home, some a tag */
		tags[i] =
			(uint32_t)rng_below(&rng, 12) * 0x15555555u + (uint32_t)rng_below(&rng, 3);
	for (int step = 0; step < 30000; step++) {
		uint32_t e = (uint32_t)rng_below(&rng, ENTRIES);
		if (in[e])
			inv_index_remove(&index, slots, tags[e], e);
		else
			inv_index_insert(&index, slots, tags[e], e);
		count += in[e] ? UINT32_MAX : 1;
		in[e] = !in[e];
		cr_assert_eq(index.used, count);
		for (uint32_t i = 0; i < ENTRIES; i++) {
			uint32_t slot = inv_index_home(&index, tags[i]), found, hits = 0;
			while ((found = inv_index_next(&index, slots, tags[i], &slot)) !=
				INV_INDEX_END) {
				cr_assert_eq(tags[found], tags[i]);
				cr_assert(in[found]);
				hits += found == i;
			}
			cr_assert_eq(hits, in[i]);
		}
	}
}

Test(layout, pool_hands_out_each_entry_once)
{
	enum { ENTRIES = 37 };
	struct {
		uint32_t value, link;
	} table[ENTRIES];
	bool taken[ENTRIES] = {false};
	struct inv_pool pool;
	struct rng rng;
	uint32_t used = 0;
	rng_init(&rng, 8);
	inv_pool_init(&pool, ENTRIES);
	for (int step = 0; step < 20000; step++) {
		uint32_t e = (uint32_t)rng_below(&rng, ENTRIES);
		if (taken[e]) {
			inv_pool_give(&pool, &table[0].link, sizeof(table[0]), e);
			taken[e] = false;
			used--;
		} else if (rng_below(&rng, 2) == 0) {
			e = inv_pool_take(&pool, &table[0].link, sizeof(table[0]));
			cr_assert_eq(e == INV_POOL_EMPTY, used == ENTRIES);
			if (e == INV_POOL_EMPTY)
				continue;
			cr_assert_not(taken[e]);
			taken[e] = true;
			used++;
		}
		cr_assert_eq(pool.used, used);
		cr_assert_eq(inv_pool_left(&pool), ENTRIES - used);
	}
}

Test(layout, holds_no_pointer_into_itself)
{
	struct world w;
	world_init(&w, NULL);
	world_standard(&w, 3, 10);
	uint64_t size_bytes = inv_memory_size(&w.config);
	struct inv *moved = aligned_alloc(64, size_bytes);
	cr_assert_not_null(moved);
	memcpy((void *)moved, w.memory, size_bytes);
	uint64_t digest = inv_digest(w.inv);
	memset(w.memory, 0xa5, size_bytes);
	cr_assert_eq(inv_digest(moved), digest);
	cr_assert_eq(inv_verify(moved, &w.contradiction), 0);
	free(moved);
	world_fini(&w);
}
