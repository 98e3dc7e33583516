/*
 * What a played trace came to, as two sums that anybody can recompute: SHA-256 of the refused
 * bookings' numbers, ascending, and of the cells with a booking as `room_type,YYYY-MM-DD,booked`,
 * bytewise ascending; both joined by newlines, none after the last.
 */
#ifndef BENCH_OUTCOME_H
#define BENCH_OUTCOME_H

#include <stddef.h>
#include <stdint.h>

#define OUTCOME_HEX_SIZE 65u

/* Starts as {0}. Ends the process when memory does. */
struct outcome {
	uint64_t *refused;
	size_t refused_count, refused_capacity;
	char **cells;
	size_t cell_count, cell_capacity;
};

void outcome_refused_add(struct outcome *outcome, uint64_t booking);
/* `day` as in the trace; nothing when none is booked. */
void outcome_cell_add(struct outcome *outcome, const char *code, int32_t day, uint32_t booked);
/* Sorts what was added. */
void outcome_hash(struct outcome *outcome, char ret_refused_hex[OUTCOME_HEX_SIZE],
	char ret_cells_hex[OUTCOME_HEX_SIZE]);
void outcome_fini(struct outcome *outcome);

#endif
