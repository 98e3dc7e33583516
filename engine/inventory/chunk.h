/*
 * The state as chunks: what a snapshot keeps, what a slot move sends, what the digest covers.
 *
 * A chunk holds values, never indices, so that it loads into an inventory of any size and order.
 * Chunk 0 is the shard's own, every other one a hotel. CHUNK.md gives the bytes.
 */
#ifndef ENGINE_INVENTORY_CHUNK_H
#define ENGINE_INVENTORY_CHUNK_H

#include "base/bytes.h"
#include "base/check.h"
#include "engine/inventory/effect.h"

struct inv;
struct inv_contradiction;

/* Chunks 0 .. inv_chunk_count() - 1: chunk 0 is the shard's own, the others one hotel each, in
 * creation order. Hotels created while a snapshot runs come last. */
uint32_t inv_chunk_count(const struct inv *inv);
struct hotel_id inv_chunk_hotel(const struct inv *inv, uint32_t chunk);
uint64_t inv_chunk_lsn(const struct inv *inv, uint32_t chunk); /* last LSN it shows */
uint64_t inv_chunk_digest(const struct inv *inv, uint32_t chunk);
/* Bytes inv_chunk_save writes at most. */
uint64_t inv_chunk_size_max(const struct inv *inv, uint32_t chunk);
void inv_chunk_save(const struct inv *inv, uint32_t chunk, struct kr_writer *writer);
/* 0; INV_CONTRADICTION: malformed or digest differs; INV_NO_ROOM. */
KR_MUST_CHECK int inv_chunk_load(struct inv *inv, struct kr_reader *reader, uint64_t lsn,
	uint64_t digest, struct inv_contradiction *ret);
/*
 * Takes over the shard's own part of another state: the later purge mark and time, and of the VOIDs
 * without a hotel those whose slot `wants`. 0, INV_CONTRADICTION or INV_NO_ROOM.
 */
KR_MUST_CHECK int inv_chunk_join(struct inv *inv, const struct inv *from,
	bool (*wants)(void *context, uint32_t slot), void *context, struct inv_contradiction *ret);
/* Wrapping sum over all chunks. O(state). */
uint64_t inv_digest(const struct inv *inv);
/* Recounts held and booked from the records and checks every invariant. O(state). 0 or
 * INV_CONTRADICTION. */
KR_MUST_CHECK int inv_verify(const struct inv *inv, struct inv_contradiction *ret);

#endif
