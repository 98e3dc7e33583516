/*
 * Slots, shards and reservation ids: which process owns what, without asking anybody.
 *
 * slot = XXH3-64 of the hotel id's 8 little-endian bytes, & 16383. A slot table says which shard
 * owns each of the 16,384 slots; a cluster of N shards starts with equal, contiguous ranges.
 *
 * A reservation id is minted by the caller before it submits: UUIDv8, big-endian from the top:
 * 48 bits unix milliseconds, 0b1000, slot bits 13..2, 0b10, slot bits 1..0, 60 random bits. So it
 * routes by itself and tells its age. Other layouts enter by import only.
 */
#ifndef PROTO_SLOT_H
#define PROTO_SLOT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "base/uuid.h"

#define SLOT_COUNT 16384u
#define SHARD_COUNT_MAX 64u

struct hotel_id {
	uint64_t v;
};

uint32_t slot_of_hotel(struct hotel_id hotel);

/* hotel_id of a text code: XXH3-64 of its bytes. */
struct hotel_id hotel_id_of_code(const char *code, uint32_t size_bytes);

/* First slot of a shard in a fresh map of `shard_count`; the next one's first is its end. */
uint32_t slot_range_first(uint32_t shard, uint32_t shard_count);

struct slot_map {
	uint32_t epoch; /* grows with every change; never 0 */
	uint32_t shard_count;
	uint8_t shard_of[SLOT_COUNT];
};

void slot_map_init(struct slot_map *map, uint32_t shard_count);

/* `random` gives the low 60 bits; two mints of one millisecond differ only by it. */
struct kr_id reservation_id_mint(uint64_t unix_ms, uint32_t slot, uint64_t random);

/* True when the version and variant bits are those of the layout above. */
bool reservation_id_is_native(struct kr_id id);
uint64_t reservation_id_ms(struct kr_id id);
uint32_t reservation_id_slot(struct kr_id id);

#endif
