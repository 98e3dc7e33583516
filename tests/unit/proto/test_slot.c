#include <criterion/criterion.h>

#include "base/hash.h"
#include "proto/slot.h"

Test(slot, a_hotel_has_the_slot_of_its_hash_for_ever)
{
	/* Fixed values: a change of any of these would orphan data on disk. */
	cr_assert_eq(slot_of_hotel((struct hotel_id){0}), UINT64_C(0xc77b3abb6f87acd9) & 16383);
	for (uint64_t v = 0; v < 100000; v++)
		cr_assert_lt(slot_of_hotel((struct hotel_id){v}), SLOT_COUNT);
	cr_assert_eq(hotel_id_of_code("GRAND", 5).v, hash_64("GRAND", 5));
}

Test(slot, hotels_spread_over_the_slots)
{
	static uint16_t count[SLOT_COUNT];
	for (uint64_t v = 0; v < 100 * SLOT_COUNT; v++)
		count[slot_of_hotel((struct hotel_id){v})]++;
	for (uint32_t slot = 0; slot < SLOT_COUNT; slot++)
		cr_assert(count[slot] > 40 && count[slot] < 180, "slot %u", slot);
}

Test(slot, a_fresh_map_gives_each_shard_one_range_of_equal_size)
{
	static struct slot_map map;
	for (uint32_t shards = 1; shards <= SHARD_COUNT_MAX; shards++) {
		slot_map_init(&map, shards);
		cr_assert_eq(map.epoch, 1);
		cr_assert_eq(map.shard_count, shards);
		cr_assert_eq(slot_range_first(0, shards), 0);
		cr_assert_eq(slot_range_first(shards, shards), SLOT_COUNT);
		for (uint32_t slot = 0; slot < SLOT_COUNT; slot++) {
			uint32_t shard = map.shard_of[slot];
			cr_assert_lt(shard, shards);
			cr_assert_geq(slot, slot_range_first(shard, shards));
			cr_assert_lt(slot, slot_range_first(shard + 1, shards));
		}
		for (uint32_t shard = 0; shard < shards; shard++) {
			uint32_t size = slot_range_first(shard + 1, shards) -
					slot_range_first(shard, shards);
			cr_assert(size == SLOT_COUNT / shards || size == SLOT_COUNT / shards + 1);
		}
	}
}

Test(slot, an_id_tells_its_time_and_slot_and_keeps_its_random_bits)
{
	for (uint32_t slot = 0; slot < SLOT_COUNT; slot++) {
		uint64_t ms = (UINT64_C(1) << 48) - 1 - slot;
		uint64_t random = hash_mix(slot + 1);
		struct kr_id id = reservation_id_mint(ms, slot, random);
		cr_assert(reservation_id_is_native(id));
		cr_assert_eq(reservation_id_ms(id), ms);
		cr_assert_eq(reservation_id_slot(id), slot);
		cr_assert_eq(id.lo & ((UINT64_C(1) << 60) - 1), random & ((UINT64_C(1) << 60) - 1));
	}
}

Test(slot, an_id_is_laid_out_as_the_text_says)
{
	char text[KR_ID_TEXT_SIZE];
	kr_id_format(reservation_id_mint(0x0123456789ab, 0x3ffe, 0x0fedcba987654321), text);
	cr_assert_str_eq(text, "01234567-89ab-8fff-afed-cba987654321");
	kr_id_format(reservation_id_mint(0, 0, 0), text);
	cr_assert_str_eq(text, "00000000-0000-8000-8000-000000000000");
}

Test(slot, ids_of_other_layouts_are_not_native)
{
	struct kr_id id = reservation_id_mint(1, 1, 1);
	for (unsigned bit = 12; bit < 16; bit++) {
		struct kr_id other = {.hi = id.hi ^ UINT64_C(1) << bit, .lo = id.lo};
		cr_assert_not(reservation_id_is_native(other));
	}
	for (unsigned bit = 62; bit < 64; bit++) {
		struct kr_id other = {.hi = id.hi, .lo = id.lo ^ UINT64_C(1) << bit};
		cr_assert_not(reservation_id_is_native(other));
	}
}
