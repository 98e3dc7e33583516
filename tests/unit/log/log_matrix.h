/*
 * The failure matrix as data: how each row looks on disk, and what has to be said about it.
 *
 * The same cases run twice: over the pure recovery (tests/unit/log/test_matrix.c) and over real
 * directories, a shard's start included (tests/fault).
 */
#ifndef TESTS_UNIT_LOG_LOG_MATRIX_H
#define TESTS_UNIT_LOG_LOG_MATRIX_H

#include "tests/unit/log/log_world.h"

#define MATRIX_SEGMENT_SIZE (8u * LOG_BLOCK_SIZE)

/* X(row, name, verdict): the name is a function that makes the directory, and a test's name. */
#define MATRIX_TABLE(X)                                                                            \
	X(1, clean_end_after_a_stop, CLEAN)                                                        \
	X(1, clean_end_after_a_kill, CLEAN)                                                        \
	X(1, clean_end_at_the_end_of_a_segment, CLEAN)                                             \
	X(2, torn_last_batch_of_zeroes, TORN_TAIL)                                                 \
	X(2, torn_last_batch_of_garbage, TORN_TAIL)                                                \
	X(2, torn_last_batch_half_old_half_new, TORN_TAIL)                                         \
	X(2, torn_first_batch_of_a_segment, TORN_TAIL)                                             \
	X(2, torn_first_batch_of_all, TORN_TAIL)                                                   \
	X(3, hole_then_an_unacknowledged_batch, HOLE)                                              \
	X(3, hole_at_the_end_of_a_segment, HOLE)                                                   \
	X(4, bad_batch_that_a_later_one_covers, DAMAGED)                                           \
	X(4, bad_batch_covered_by_a_torn_one, DAMAGED)                                             \
	X(4, bad_first_batch_of_the_oldest_segment, DAMAGED)                                       \
	X(4, bad_batch_at_the_end_of_a_segment, DAMAGED)                                           \
	X(5, last_batch_rotted_under_a_seal, DAMAGED)                                              \
	X(5, last_batch_rotted_under_a_mark, LAST_DAMAGED)                                         \
	X(5, last_batch_zeroed_under_a_mark, LAST_DAMAGED)                                         \
	X(6, length_flipped_to_huge, DAMAGED)                                                      \
	X(6, length_flipped_to_tiny, DAMAGED)                                                      \
	X(6, length_flipped_to_zero, DAMAGED)                                                      \
	X(7, stale_batch_of_a_recycled_segment_at_the_end, STALE_TAIL)                             \
	X(7, stale_batch_of_another_shard_at_the_end, STALE_TAIL)                                  \
	X(7, stale_batch_of_another_cluster_at_the_end, STALE_TAIL)                                \
	X(7, stale_batch_of_an_earlier_epoch_at_the_end, STALE_TAIL)                               \
	X(7, stale_batch_over_an_acknowledged_one, DAMAGED)                                        \
	X(8, gap_in_the_sequence, CHAIN)                                                           \
	X(8, duplicate_of_a_batch, CHAIN)                                                          \
	X(8, chain_that_breaks, CHAIN)                                                             \
	X(8, chain_that_breaks_between_segments, CHAIN)                                            \
	X(8, chain_that_the_mark_knows_otherwise, CHAIN)                                           \
	X(9, segment_missing_in_the_middle, SEGMENT_MISSING)                                       \
	X(9, last_segments_missing_under_a_mark, SEGMENT_MISSING)                                  \
	X(9, all_segments_missing_under_a_mark, SEGMENT_MISSING)                                   \
	X(10, newest_snapshot_bad, OLDER_SNAPSHOT)                                                 \
	X(11, all_snapshots_bad_log_from_the_beginning, FULL_REPLAY)                               \
	X(11, all_snapshots_bad_log_pruned, SNAPSHOTS_BAD)                                         \
	X(11, no_snapshot_and_log_pruned, SNAPSHOTS_BAD)                                           \
	X(12, snapshot_newer_than_the_log, SNAPSHOT_AHEAD)                                         \
	X(12, bad_snapshot_newer_than_what_is_left_of_the_log, SNAPSHOT_AHEAD)                     \
	X(12, bad_snapshot_and_nothing_left_of_the_log, SNAPSHOT_AHEAD)                            \
	X(13, snapshot_older_than_the_log, SNAPSHOT_TOO_OLD)                                       \
	X(14, unfinished_and_empty_files, LEFTOVERS)                                               \
	X(14, layout_that_was_not_finished, EMPTY)                                                 \
	X(15, unknown_version_of_a_batch, VERSION)                                                 \
	X(15, unknown_version_of_the_shard_file, VERSION)                                          \
	X(15, unknown_version_of_the_mark, VERSION)                                                \
	X(15, unknown_version_of_a_snapshot, VERSION)                                              \
	X(15, unknown_version_behind_a_bad_snapshot, VERSION)                                      \
	X(16, effect_that_contradicts_the_state, CONTRADICTION)                                    \
	X(17, digest_that_differs, DIGEST)                                                         \
	X(20, last_segment_cut_behind_the_end, FILE_SIZE)                                          \
	X(20, last_segment_cut_under_a_mark, FILE_SHORT)                                           \
	X(20, last_segment_longer_than_written, FILE_SIZE)                                         \
	X(0, mark_missing, MARK_LOST)                                                              \
	X(0, mark_of_another_shard, OTHER_LAYOUT)                                                  \
	X(0, shard_file_missing, NOT_A_SHARD)                                                      \
	X(0, shard_file_of_another_layout, OTHER_LAYOUT)                                           \
	X(0, nothing_there, EMPTY)

/* What only a disk that cannot read shows: over memory here, and in the simulator. */
#define MATRIX_UNREADABLE_TABLE(X)                                                                 \
	X(18, unreadable_sector_of_an_acknowledged_batch, DAMAGED)                                 \
	X(18, unreadable_sector_behind_the_end, TORN_TAIL)                                         \
	X(18, unreadable_shard_file, NOT_A_SHARD)

/* What the case's maker adds: the LSNs that were written and not exempt, and where to trip. */
struct matrix_facts {
	uint64_t last_lsn; /* START, CUT: recovery hands out effects up to exactly this one */
	struct objection objection;
	uint64_t kept_bytes;  /* CUT: of the first torn file */
	uint64_t reset_count; /* bad snapshots of which chunks were handed out */
	uint64_t chunk_count; /* handed out after the last of them */
	uint64_t bad_seq;     /* REFUSE: the first batch that is not whole; 0: not told */
	uint64_t bad_lsn;
	const char *says; /* REFUSE: words that tell what or where; NULL: not told */
};

/* Where the cases begin: batches of one to three blocks over several segments; not stopped. */
void matrix_begin(struct world *world, struct life *life);

#define X(row, name, verdict) void matrix_##name(struct world *world, struct matrix_facts *facts);
MATRIX_TABLE(X)
MATRIX_UNREADABLE_TABLE(X)
#undef X

#endif
