/*
 * What a shard counts, by name: STATS gives all of them.
 */
#ifndef ENGINE_SHARD_COUNTERS_H
#define ENGINE_SHARD_COUNTERS_H

#include <stdint.h>

#define SHARD_COUNTER_TABLE(X)                                                                     \
	X(requests)                                                                                \
	X(answers)                                                                                 \
	X(effects)                                                                                 \
	X(refusals)                                                                                \
	X(repeats)                                                                                 \
	X(appends)                                                                                 \
	X(append_bytes)                                                                            \
	X(gated) /* answers that waited for the disk */                                            \
	X(overloaded)                                                                              \
	X(read_only)                                                                               \
	X(moved)                                                                                   \
	X(invalid)                                                                                 \
	X(late)    /* dropped: their time was over */                                              \
	X(clock)   /* expiries, retirements, day rolls, graces */                                  \
	X(drained) /* due holds expired for an admission */                                        \
	X(snapshots)                                                                               \
	X(snapshot_failures)                                                                       \
	X(slices)

struct shard_counters {
#define X(name) uint64_t name;
	SHARD_COUNTER_TABLE(X)
#undef X
};

#endif
