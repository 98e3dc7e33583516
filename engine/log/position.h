/*
 * Where a log stands: shared by the scan, which finds it, and the writer, which moves it.
 */
#ifndef ENGINE_LOG_POSITION_H
#define ENGINE_LOG_POSITION_H

#include <stdbool.h>
#include <stdint.h>

/* The place and the values the next batch continues from. */
struct log_position {
	uint64_t segment;
	uint64_t offset_bytes; /* in it; a multiple of 4 KiB, at most the segment's size */
	uint64_t next_seq;
	uint64_t next_lsn;
	uint64_t chain; /* of batch next_seq - 1 */
	uint64_t epoch; /* of that batch; 0 in an empty log */
	uint64_t term;
	uint64_t timestamp_us; /* of that batch: time never goes back */
};

/* One segment as the shard knows it. LSNs and seqs are 0 while it holds no batch. */
struct log_segment {
	uint64_t number;
	uint64_t size_bytes; /* of the file, as found */
	uint64_t first_seq;
	uint64_t last_seq;
	uint64_t first_lsn; /* as in the header of its first batch */
	uint64_t last_lsn;  /* the newest effect up to its end, in it or before it */
};

#endif
