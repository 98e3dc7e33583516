/*
 * Which memory the tables come to next, so that whoever owns their region can take it from the
 * system before an operation has to wait for it.
 *
 * Tables that fill from below are kept a stretch ahead of what they hold, no further than what they
 * hold again: a small inventory takes little. Tables of hashes are met everywhere from
 * the first entry on, so all of such a one is wanted: that of ids at once, the others with their
 * first entry.
 */
#ifndef ENGINE_INVENTORY_AHEAD_H
#define ENGINE_INVENTORY_AHEAD_H

#include "engine/inventory/inventory.h"

/* What comes with reservations: at 400,000 new ones a second, a twelfth of one. 4 MiB of records,
 * and the slowest piece seen took 7 ms to make. */
#define INV_AHEAD_RECORDS UINT32_C(32768)
/* Nights: at 20 M a second while a catalogue is loaded, an eightieth of one. */
#define INV_AHEAD_BYTES (UINT64_C(4) << 20)
#define INV_AHEAD_PIECE (UINT64_C(2) << 20) /* a huge page */
#define INV_AHEAD_TABLES_MAX 16u

/* All zero at first. */
struct inv_ahead {
	uint64_t done_bytes[INV_AHEAD_TABLES_MAX]; /* of each table: told, or used before */
};

struct inv_stretch {
	uintptr_t base; /* at a multiple of INV_AHEAD_PIECE: it may begin before the region */
	uint64_t size_bytes;
};

/* The next stretch to take, at most INV_AHEAD_PIECE; false: nothing is wanted now. A stretch is
 * told once. */
bool inv_ahead_next(
	const struct inv *inv, struct inv_ahead *ahead, struct inv_stretch *ret_stretch);

#endif
