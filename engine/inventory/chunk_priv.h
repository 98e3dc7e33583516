/*
 * Private to the inventory: the constants of a chunk's bytes. CHUNK.md gives the bytes.
 */
#ifndef ENGINE_INVENTORY_CHUNK_PRIV_H
#define ENGINE_INVENTORY_CHUNK_PRIV_H

#include <stdint.h>

#define INV_CHUNK_FORMAT 1u
#define INV_CHUNK_SHARD 0u
#define INV_CHUNK_HOTEL 1u
/* In a row's kind: rate plans, or terms of plan 0, follow its cells. */
#define INV_CHUNK_ROW_PLANS 0x80u

/* Upper bounds of what is neither a row, a run nor a record. */
#define INV_CHUNK_HEAD_SIZE_MAX 1024u
/* A row but its runs: eleven varints, four bytes, a code. */
#define INV_CHUNK_ROW_SIZE_MAX 256u
#define INV_CHUNK_RUN_SIZE_MAX 32u

struct inv;
struct kr_writer;

/* A hotel's chunk but for its records: what is written at most, and the bytes. */
uint64_t inv_hotel_head_size_max(const struct inv *inv, uint32_t hotel_index);
void inv_hotel_head_save(const struct inv *inv, uint32_t hotel_index, struct kr_writer *writer);

#endif
