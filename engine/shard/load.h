/*
 * What the driver of a step has measured, by name: STATS gives all of it. The step itself knows no
 * clock, no socket and no disk.
 */
#ifndef ENGINE_SHARD_LOAD_H
#define ENGINE_SHARD_LOAD_H

#include <stdint.h>

#define SHARD_APPEND_SLOW_US UINT64_C(5000)

#define SHARD_LOAD_TABLE(X)                                                                        \
	X(turns)                                                                                   \
	X(turns_slow)                                                                              \
	X(turn_time)                                                                               \
	X(turn_max_us)                                                                             \
	X(waits)                                                                                   \
	X(receives)                                                                                \
	X(received_bytes)                                                                          \
	X(sends)                                                                                   \
	X(sent_bytes)                                                                              \
	X(appends_slow) /* longer than SHARD_APPEND_SLOW_US */                                     \
	X(append_time)                                                                             \
	X(append_max_us)                                                                           \
	X(segments)

struct shard_load {
#define X(name) uint64_t name;
	SHARD_LOAD_TABLE(X)
#undef X
};

#endif
