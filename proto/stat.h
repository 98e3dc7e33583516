/*
 * What shards and routers count: the one table of names, kinds, units and meanings. STATS and
 * ROUTER_STATUS carry name, kind and value; tools take unit and meaning from here;
 * keyrack-metrics(7) is tested against it. A name is never used again for something else.
 *
 * The unit "us" is microseconds, "LSN" a position in a log: neither means anything when added up
 * over shards. Pure.
 */
#ifndef PROTO_STAT_H
#define PROTO_STAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/frame.h"
#include "proto/stat_loop.h"

enum stat_kind { STAT_COUNTER = 1, STAT_GAUGE = 2 }; /* wire contract */

/* Of a shard, in STATS. */
#define STAT_SHARD_TABLE(X)                                                                        \
	X(hotels, GAUGE, "hotels", "hotels there are")                                             \
	X(rows, GAUGE, "room types", "room types there are, over all hotels")                      \
	X(plans, GAUGE, "rate plans", "rate plans there are beside each room type's plan 0")       \
	X(reservations, GAUGE, "reservations", "reservations in memory, of any state")             \
	X(holds, GAUGE, "reservations", "live holds")                                              \
	X(nodes, GAUGE, "nodes", "64-byte nodes in use: further lines, prices, references")        \
	X(stock_runs, GAUGE, "runs", "runs of stock set by date")                                  \
	X(classes, GAUGE, "classes", "combinations of length-of-stay limits in use")               \
	X(hotels_max, GAUGE, "hotels", "hotels there is room for")                                 \
	X(rows_max, GAUGE, "room types", "room types there is room for")                           \
	X(plans_max, GAUGE, "rate plans", "rate plans there is room for")                          \
	X(reservations_max, GAUGE, "reservations", "reservations there is room for")               \
	X(nodes_max, GAUGE, "nodes", "nodes there is room for")                                    \
	X(last_lsn, GAUGE, "LSN", "last effect that was judged")                                   \
	X(acked_lsn, GAUGE, "LSN", "last effect that may be answered")                             \
	X(durable_lsn, GAUGE, "LSN", "last effect that is on disk")                                \
	X(snapshot_lsn, GAUGE, "LSN", "effect up to which the newest snapshot reaches")            \
	X(snapshot_running, GAUGE, "yes or no", "1 while a snapshot is being written")             \
	X(archive_lag_segments, GAUGE, "segments", "segments of the log that wait to be archived") \
	X(archived_segments, COUNTER, "segments", "segments of the log that were archived")        \
	X(archive_failures, COUNTER, "tries", "copies to the archive that failed")                 \
	X(time_us, GAUGE, "us", "the shard's clock, since 1970")                                   \
	X(uptime_us, GAUGE, "us", "since the shard started")                                       \
	X(denials, COUNTER, "rooms and nights",                                                    \
		"refused demand that was counted by rule and night")                               \
	X(requests, COUNTER, "requests", "requests taken")                                         \
	X(answers, COUNTER, "answers", "answers given")                                            \
	X(effects, COUNTER, "effects", "accepted operations that were logged")                     \
	X(refusals, COUNTER, "answers", "answers that were a correct no")                          \
	X(repeats, COUNTER, "answers", "answers to ids that were there already")                   \
	X(appends, COUNTER, "batches", "batches handed to the log")                                \
	X(append_bytes, COUNTER, "bytes", "bytes handed to the log")                               \
	X(gated, COUNTER, "answers", "answers that waited for the disk")                           \
	X(overloaded, COUNTER, "answers", "requests refused because everything was full")          \
	X(read_only, COUNTER, "answers", "requests refused for want of disk space")                \
	X(moved, COUNTER, "answers", "requests for hotels of other shards")                        \
	X(invalid, COUNTER, "answers", "requests that made no sense")                              \
	X(late, COUNTER, "requests", "requests dropped because their time was over")               \
	X(clock, COUNTER, "effects", "effects of time: expiries, retirements, day rolls, graces")  \
	X(drained, COUNTER, "reservations", "due holds expired to make room for a sale")           \
	X(snapshots, COUNTER, "snapshots", "snapshots written")                                    \
	X(snapshot_failures, COUNTER, "snapshots", "snapshots that could not be written")          \
	X(slices, COUNTER, "slices", "slices of snapshots written")                                \
	STAT_LOOP_TABLE(X)                                                                         \
	STAT_DISK_TABLE(X)

/* Of a router, in ROUTER_STATUS. */
#define STAT_ROUTER_TABLE(X)                                                                       \
	X(connections_accepted, COUNTER, "connections", "connections of clients taken")            \
	X(connections_refused, COUNTER, "connections", "connections turned away: too many")        \
	X(connections_dialled, COUNTER, "connections", "connections made to shards")               \
	X(connections_closed, COUNTER, "connections", "connections that ended")                    \
	X(connections_rejected, COUNTER, "connections", "closed because they broke the protocol")  \
	X(connections_cut_slow, COUNTER, "connections", "closed because they did not read")        \
	X(connections_cut_idle, COUNTER, "connections", "closed because they said nothing")        \
	X(connections_cut_stalled, COUNTER, "connections", "closed in the middle of a frame")      \
	X(frames_in, COUNTER, "frames", "frames received, from clients and shards")                \
	X(frames_out, COUNTER, "frames", "frames sent, to clients and shards")                     \
	X(bytes_in, COUNTER, "bytes", "bytes received")                                            \
	X(bytes_out, COUNTER, "bytes", "bytes sent")                                               \
	X(sends, COUNTER, "sends", "sends handed to the kernel")                                   \
	X(buffer_blocks, GAUGE, "blocks", "blocks of buffer there are")                            \
	X(buffer_blocks_used, GAUGE, "blocks", "blocks of buffer in use")                          \
	X(buffer_blocks_used_max, GAUGE, "blocks", "the most that were in use at a time")          \
	X(answered_here, COUNTER, "answers", "requests answered by the router itself")             \
	X(overloaded, COUNTER, "answers", "requests refused because everything was full")          \
	X(forgotten, COUNTER, "requests", "requests whose time was over before their answer")      \
	X(forbidden, COUNTER, "answers", "requests refused for want of a role")                    \
	X(answers_dropped, COUNTER, "answers", "answers for which nobody waited any more")         \
	X(in_flight, GAUGE, "requests", "requests at the shards now")                              \
	STAT_LOOP_TABLE(X)                                                                         \
	X(resident_bytes, GAUGE, "bytes", "memory of the process")

/* What only the Prometheus text has: made of the rest of the same answers. */
#define STAT_SCRAPE_TABLE(X)                                                                       \
	X(up, GAUGE, "yes or no", "1 if the shard answered")                                       \
	X(shard_info, GAUGE, "1", "state and durability of a shard, as labels")                    \
	X(operations, COUNTER, "requests", "requests judged, by operation")                        \
	X(denials_by_night, COUNTER, "rooms and nights",                                           \
		"refused demand by hotel, type, rule, night")                                      \
	X(denials_overflow, COUNTER, "rooms and nights", "refused demand that had no place there") \
	X(router_info, GAUGE, "1", "version and cluster of the router that answered, as labels")   \
	X(router_uptime_us, GAUGE, "us", "since the router started")                               \
	X(router_connections, GAUGE, "connections", "clients connected now")                       \
	X(link_up, GAUGE, "yes or no", "1 while the router's link to the shard stands")            \
	X(link_in_flight, GAUGE, "requests", "requests at the shard now")                          \
	X(link_waiting, GAUGE, "requests", "requests that wait for room at the shard")             \
	X(link_forwarded, COUNTER, "requests", "requests forwarded to the shard")                  \
	X(link_answered, COUNTER, "answers", "answers that came from the shard")                   \
	X(link_lost, COUNTER, "requests", "requests there when the link was lost")                 \
	X(link_unavailable, COUNTER, "answers", "requests refused because the link was down")

#define X(name, kind, unit, meaning) STAT_SHARD_##name,
enum stat_shard { STAT_SHARD_TABLE(X) STAT_SHARD_COUNT };
#undef X
#define X(name, kind, unit, meaning) STAT_ROUTER_##name,
enum stat_router { STAT_ROUTER_TABLE(X) STAT_ROUTER_COUNT };
#undef X
#define X(name, kind, unit, meaning) STAT_SCRAPE_##name,
enum stat_scrape { STAT_SCRAPE_TABLE(X) STAT_SCRAPE_COUNT };
#undef X

struct stat_row {
	const char *name;
	enum stat_kind kind;
	const char *unit;
	const char *meaning;
};

extern const struct stat_row stat_shard_rows[STAT_SHARD_COUNT];
extern const struct stat_row stat_router_rows[STAT_ROUTER_COUNT];
extern const struct stat_row stat_scrape_rows[STAT_SCRAPE_COUNT];

/* The row of a name, or NULL: a newer process counts what this one does not know. */
const struct stat_row *stat_row_find(const struct stat_row *rows, size_t count, const char *name);
/* False for clocks and positions. */
bool stat_row_has_sum(const struct stat_row *row);

/* Requests judged by a shard, by operation: counters named "operation_HOLD", after the frames. */
#define STAT_OPERATION_PREFIX "operation_"
#define STAT_TYPE_COUNT 256u
/* The name of a frame type's counter; NULL for what no shard judges. */
const char *stat_operation_name(unsigned type);

#endif
