/*
 * A disk with a volatile write cache, as seen by a file system that lies on it.
 *
 * The durable part is an ordinary image file. A write lands in memory only and is read back from
 * there; cut_store_sync() moves everything written so far into the image; cut_store_cut() is the
 * moment the power goes: what was not synced is dropped (or kept sector by sector, as a seed says)
 * and the disk answers nothing any more. cut_store_spoil() makes blocks unreadable, as a rotten
 * sector does: until they are written again, reading them fails and nothing else changes.
 * cut_store_fail() lets the next writes or syncs fail and do nothing.
 *
 * "Durable" means: in the image file. Its own page cache is never at risk, because the machine
 * that runs the test keeps its power; only the disk under test loses it.
 *
 * Threads: none; one caller at a time. Offsets and sizes are bytes and multiples of a sector.
 */
#ifndef TESTS_CRASH_CUT_STORE_H
#define TESTS_CRASH_CUT_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum {
	CUT_SECTOR_SIZE_BYTES = 512,
	CUT_BLOCK_SIZE_BYTES = 4096,
	CUT_BLOCK_SECTORS = CUT_BLOCK_SIZE_BYTES / CUT_SECTOR_SIZE_BYTES,
	/* Cache size, in blocks: 256 MiB. A full cache writes itself out, as a disk's does. */
	CUT_STORE_DIRTY_MAX = 65536,
	CUT_KEEP_ALL_PERMILLE = 1000,
};

/* An image of at most 64 GiB: block numbers stay far from the width of their type. */
#define CUT_STORE_SIZE_MAX_BYTES (64ULL << 30)

/* Conditions of this module: positive, handled by the caller. */
enum {
	CUT_STORE_OFF = 1,       /* the power is off: nothing is read or written */
	CUT_STORE_BAD_RANGE = 2, /* not sector aligned, or beyond the end of the image */
	CUT_STORE_SPOILT = 3,    /* read: a block of the range cannot be read */
	CUT_STORE_FAILED = 4,    /* write, sync: as cut_store_fail() has ordered */
};

struct cut_dirty {
	uint32_t block;
	uint8_t sector_mask; /* bit i: sector i is newer here than in the image */
};

struct cut_counts {
	uint64_t write_count;
	uint64_t sync_count;
	uint64_t destage_count; /* times the full cache wrote itself out, unasked */
	uint64_t kept_sectors;  /* by the cut */
	uint64_t dropped_sectors;
	uint64_t failed_count; /* writes and syncs that were ordered to fail */
};

struct cut_store {
	int fd; /* owned */
	uint64_t size_bytes;
	uint32_t block_count;
	uint32_t *slot_of_block; /* slot + 1; 0 = the block is not in the cache */
	uint8_t *is_spoilt;      /* by block */
	struct cut_dirty *dirty;
	uint8_t *dirty_data; /* one block per slot */
	uint32_t dirty_count;
	uint32_t dirty_max; /* CUT_STORE_DIRTY_MAX; tests make it small */
	bool off;
	uint64_t failing_writes; /* so many of the next ones */
	uint64_t failing_syncs;
	struct cut_counts counts;
};

struct cut_plan {
	uint64_t seed;
	uint32_t keep_permille; /* of the unsynced units; 0 = drop everything */
	uint32_t unit_bytes;    /* 512 or 4096: what is written whole or not at all */
};

/*
 * Takes ownership of fd, also on failure.
 * -KR_E_INVALID: the image's size is zero, odd or too large; -KR_E_NOMEM, -KR_E_IO.
 */
int cut_store_init(struct cut_store *store, int fd) KR_MUST_CHECK;
void cut_store_fini(struct cut_store *store);

/* 0, CUT_STORE_OFF, CUT_STORE_BAD_RANGE, CUT_STORE_SPOILT (read), CUT_STORE_FAILED (write), or a
 * fatal error of the image file. */
int cut_store_read(struct cut_store *store, uint8_t *ret_data, size_t size_bytes,
	uint64_t offset) KR_MUST_CHECK;
int cut_store_write(struct cut_store *store, const uint8_t *data, size_t size_bytes,
	uint64_t offset) KR_MUST_CHECK;

/* Everything written before is durable when this returns 0. CUT_STORE_OFF, CUT_STORE_FAILED or
 * fatal otherwise. */
int cut_store_sync(struct cut_store *store) KR_MUST_CHECK;

/* Whole blocks; writing any part of one makes it readable again. 0 or CUT_STORE_BAD_RANGE. */
int cut_store_spoil(struct cut_store *store, uint64_t offset, uint64_t size_bytes) KR_MUST_CHECK;

/* So many of the next writes and syncs fail; UINT64_MAX: all. */
void cut_store_fail(struct cut_store *store, uint64_t writes, uint64_t syncs);

/* The power goes. CUT_STORE_OFF if it was off already; -KR_E_INVALID: no such plan. */
int cut_store_cut(struct cut_store *store, const struct cut_plan *plan) KR_MUST_CHECK;

#endif
