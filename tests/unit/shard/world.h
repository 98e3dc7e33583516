/*
 * A driver of the shard's step for tests: virtual time, a disk that is a list of batches, a
 * snapshot that is a list of chunks, and answers kept in order.
 */
#ifndef TESTS_UNIT_SHARD_WORLD_H
#define TESTS_UNIT_SHARD_WORLD_H

#include "base/rng.h"
#include "base/tz.h"
#include "engine/log/record.h"
#include "engine/shard/replay.h"
#include "proto/keyrack.pb-c.h"
#include "proto/pb_arena.h"

#define WORLD_HOTEL UINT64_C(77)
#define WORLD_WALL_US (UINT64_C(1767225600) * 1000000) /* 2026-01-01 */
#define WORLD_TODAY 20454                              /* that day, in Paris too, after 04:00 UTC */
#define WORLD_HOUR_US (UINT64_C(3600) * 1000000)
#define WORLD_ANSWERS_MAX 131072u

struct world_batch {
	uint8_t *body;
	struct record_body record;
};

struct world_chunk {
	struct log_snap_chunk head;
	uint8_t *body;
};

struct world_snapshot {
	struct world_chunk *chunks;
	uint32_t count;
	uint64_t begin_lsn;
	bool is_whole;
};

struct world_answer {
	uint64_t conn;
	uint64_t request_id;
	uint16_t code;
	uint8_t type;
	ProtobufCMessage *message;
};

struct world {
	struct shard_config config;
	struct tz_db tz;
	uint8_t *memory;
	struct shard *shard;
	uint64_t boot_us;
	uint64_t wall_us;
	uint64_t epoch;
	uint64_t log_t_us; /* of a batch without effects behind the others; 0: there is none */
	struct rng rng;

	/* frames not yet given */
	struct shard_frame *frames;
	struct frame_header *headers;
	uint32_t frame_count;
	uint64_t next_request_id;

	/* the disk */
	struct world_batch *batches;
	uint32_t batch_count;
	uint32_t durable_count;
	bool auto_persist; /* an append is durable at once; on at the start */
	struct world_snapshot done, writing;
	bool slice_pending; /* handed out, not yet acknowledged */
	bool auto_slice;

	struct world_answer *answers;
	uint32_t answer_count;
	uint64_t timer_us;
	bool is_serving, is_stopped, snapshot_began;
	uint32_t frames_taken;
};

void world_config_default(struct shard_config *ret_config);
/* NULL config: the default. Not started. */
struct world *world_new(const struct shard_config *config);
struct world *world_free(struct world *world);
/* Started and serving, WORLD_HOTEL with types 1 and 2 of `physical` rooms loaded and priced. */
struct world *world_serving(uint32_t physical);
struct world *world_serving_as(const struct shard_config *config, uint32_t physical);

int world_event(struct world *world, struct shard_event *event);
int world_start(struct world *world, bool allow_clock_jump);
/* Queues a frame; returns its request id. */
uint64_t world_frame(struct world *world, unsigned type, unsigned route, uint64_t key,
	const ProtobufCMessage *message);
/* Gives all queued frames. */
void world_turn(struct world *world);
/* The oldest append under way is durable. False: none was. */
bool world_persist(struct world *world);
/* Until nothing is under way. */
void world_settle(struct world *world);
void world_slice_written(struct world *world, bool failed);
/* The next turn of filling a slice, when its time has come; false: none is to be filled. */
bool world_slice_turn(struct world *world);
/* Time passes on both clocks; the timer fires when it is due. */
void world_pass(struct world *world, uint64_t duration_us);
void world_stop(struct world *world);
/* A new shard from the snapshot, if `use_snapshot`, and the durable batches. Not started. */
void world_restart(struct world *world, bool use_snapshot);

/* The answer to a request, or NULL; its place in the order of answers. */
const struct world_answer *world_answer(const struct world *world, uint64_t request_id);
uint32_t world_answer_place(const struct world *world, uint64_t request_id);
uint16_t world_code(const struct world *world, uint64_t request_id);

/* Requests about WORLD_HOTEL and the like. */
struct kr_id world_id(struct world *world, uint64_t hotel);
uint64_t world_hotel_put(struct world *world, uint64_t hotel);
uint64_t world_type_put(struct world *world, uint64_t hotel, uint32_t type, uint32_t physical);
uint64_t world_price_set(struct world *world, uint64_t hotel, int64_t price_minor);
/* `offset` nights from today, `nights` nights, one room. */
uint64_t world_sale(struct world *world, unsigned frame_type, struct kr_id id, uint32_t type,
	int32_t offset, int32_t nights, uint64_t ttl_us);
uint64_t world_transition(struct world *world, unsigned frame_type, struct kr_id id);
uint64_t world_get(struct world *world, struct kr_id id);
uint64_t world_availability(struct world *world, int32_t offset, uint32_t nights, bool stale_ok);
/* One request to its answer, with the disk: the code. */
uint16_t world_do(struct world *world, uint64_t request_id);

/* Random operations over three hotels, with the clock moving; some are refused. */
void world_random(struct world *world, uint32_t count);

#endif
