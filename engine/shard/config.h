/*
 * The shard's bounds, and what it is told at start.
 */
#ifndef ENGINE_SHARD_CONFIG_H
#define ENGINE_SHARD_CONFIG_H

#include "engine/inventory/inventory.h"
#include "engine/log/batch.h"

#define SHARD_FORMAT 1u /* of records, chunks and START */
/* leaving, in flight; full, full, open; then OVERLOADED */
#define SHARD_BATCH_COUNT (2 * LOG_FLIGHT_MAX + 3u)
#define SHARD_REPLY_SIZE (8u << 20) /* answers that wait for one batch; then OVERLOADED */
#define SHARD_FRAMES_MAX 65536u     /* of one event */
#define SHARD_PARSE_COUNT 256u      /* parsed, prefetched and judged together */
#define SHARD_WINDOW 65536u         /* requests a connection may have in flight (HELLO) */
#define SHARD_PING_SIZE_MAX 1024u
#define SHARD_LIST_MAX 256u        /* reservations of one page: INVALID */
#define SHARD_STOCK_LIST_MAX 1024u /* runs of stock of one page: INVALID */
#define SHARD_PLAN_LIST_MAX 1024u
#define SHARD_NIGHT_LIST_MAX 2048u         /* nights of one page: INVALID */
#define SHARD_DENIAL_LIST_MAX 1024u        /* denials of one page: INVALID */
#define SHARD_SLICE_SIZE_GOAL (256u << 10) /* small hotels share a slice */
#define SHARD_WALL_BEHIND_MAX_US (UINT64_C(3600) * 1000000)
#define SHARD_WALL_AHEAD_MAX_US (UINT64_C(7) * 24 * 3600 * 1000000)
#define SHARD_SLEW_PPM 500u

struct shard_config {
	struct inv_config inventory;
	uint64_t cluster;
	uint32_t shard_index;
	uint32_t shard_count;
	uint32_t map_epoch;
	uint32_t batch_size_max_bytes; /* of a body; at least RECORD_SIZE_MAX; 0 = the log's */
	uint64_t snapshot_effects;     /* a snapshot after so many effects; 0 = never */
	uint64_t snapshot_log_bytes;   /* or so many bytes of bodies; 0 = never */
	uint64_t slice_size_max_bytes; /* the largest hotel; 0 = from the inventory's sizes */
	uint32_t
		chunk_size_max_bytes; /* larger hotels go in pieces; 0 = the snapshot's own limit */
	uint64_t idle_timeout_us;     /* told in HELLO */
	const char *durability;       /* told in STATS; static */
	bool is_long_way;             /* for tests: no message is read by hand, see hot.h */
	const char *agent;            /* told in HELLO; static */
};

#endif
