#include "proto/slot.h"

#include <stddef.h>

#include "base/hash.h"

#define SLOT_MASK (SLOT_COUNT - 1)

/* Of the id's halves: where the version and the variant stand. */
#define ID_VERSION UINT64_C(8)
#define ID_VARIANT UINT64_C(2)
#define ID_RANDOM_MASK ((UINT64_C(1) << 60) - 1)
#define ID_MS_MAX ((UINT64_C(1) << 48) - 1)

kr_static_assert((SLOT_COUNT & SLOT_MASK) == 0, "a slot is the low bits of a hash");
kr_static_assert(SLOT_COUNT == 1u << 14, "an id has 14 bits for its slot");

uint32_t slot_of_hotel(struct hotel_id hotel)
{
	return (uint32_t)hash_64_of_u64(hotel.v) & SLOT_MASK;
}

struct hotel_id hotel_id_of_code(const char *code, uint32_t size_bytes)
{
	kr_assert(code != NULL);
	kr_assert(size_bytes > 0);
	return (struct hotel_id){.v = hash_64(code, size_bytes)};
}

uint32_t slot_range_first(uint32_t shard, uint32_t shard_count)
{
	kr_assert(shard_count > 0 && shard_count <= SHARD_COUNT_MAX);
	kr_assert(shard <= shard_count);
	return shard * SLOT_COUNT / shard_count;
}

void slot_map_init(struct slot_map *map, uint32_t shard_count)
{
	kr_assert(shard_count > 0);
	kr_assert(shard_count <= SHARD_COUNT_MAX);
	map->epoch = 1;
	map->shard_count = shard_count;
	for (uint32_t shard = 0; shard < shard_count; shard++) {
		uint32_t end = slot_range_first(shard + 1, shard_count);
		for (uint32_t slot = slot_range_first(shard, shard_count); slot < end; slot++)
			map->shard_of[slot] = (uint8_t)shard;
	}
	kr_assert(map->shard_of[SLOT_COUNT - 1] == shard_count - 1);
}

struct kr_id reservation_id_mint(uint64_t unix_ms, uint32_t slot, uint64_t random)
{
	kr_assert(unix_ms <= ID_MS_MAX);
	kr_assert(slot < SLOT_COUNT);
	return (struct kr_id){
		.hi = unix_ms << 16 | ID_VERSION << 12 | slot >> 2,
		.lo = ID_VARIANT << 62 | (uint64_t)(slot & 3) << 60 | (random & ID_RANDOM_MASK),
	};
}

bool reservation_id_is_native(struct kr_id id)
{
	return (id.hi >> 12 & 0xf) == ID_VERSION && id.lo >> 62 == ID_VARIANT;
}

uint64_t reservation_id_ms(struct kr_id id)
{
	kr_assert(reservation_id_is_native(id));
	return id.hi >> 16;
}

uint32_t reservation_id_slot(struct kr_id id)
{
	kr_assert(reservation_id_is_native(id));
	return (uint32_t)(id.hi & 0xfff) << 2 | (uint32_t)(id.lo >> 60 & 3);
}
