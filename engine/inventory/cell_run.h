/*
 * Private to the inventory: nights of a row in a chunk. CHUNK.md gives the bytes.
 */
#ifndef ENGINE_INVENTORY_CELL_RUN_H
#define ENGINE_INVENTORY_CELL_RUN_H

#include "engine/inventory/class.h"
#include "engine/inventory/priv.h"

#define INV_CELL_RUN_WIDE_COUNTS 0x01u
#define INV_CELL_RUN_RATE 0x02u
#define INV_CELL_RUN_WIDE_PRICE 0x04u
#define INV_CELL_RUN_LOS 0x08u
#define INV_CELL_RUN_WIDE_LOS 0x10u
/* length, skipped nights, head, flags, counts, rate, limits of stay */
#define INV_CELL_RUN_SIZE_MAX (2u + 2 + 1 + 1 + 6 + 6 + 8)

kr_static_assert(INV_WINDOW_NIGHTS_MAX < 1 << 14, "two bytes of varint hold a count of nights");

/* Equal nights, one after the other. */
struct inv_cell_run {
	uint32_t skipped; /* untouched nights before */
	uint32_t length;  /* 0 ends the row */
	struct cell_counter counter;
	uint64_t price_minor;
	uint8_t rate_flags;
	struct los_class los;
};

/* All touched nights of a row, and the end. */
void inv_cell_runs_save(const struct inv *inv, uint32_t row_index, struct kr_writer *writer);
/* The next run; the reader has failed when it is malformed. */
struct inv_cell_run inv_cell_run_load(struct kr_reader *reader);

#endif
