#include "tests/unit/shard/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/tz_load.h"
#include "engine/shard/shard_priv.h"
#include "proto/message.h"

#define WORLD_FRAMES_MAX 4096u
#define WORLD_BATCHES_MAX 65536u
#define WORLD_CHUNKS_MAX 4096u
#define WORLD_CLUSTER UINT64_C(0xc1)

void world_config_default(struct shard_config *ret_config)
{
	*ret_config = (struct shard_config){
		.inventory =
			{
				.hotels_max = 8,
				.rows_max = 32,
				.plans_max = 8,
				.window_nights = 64,
				.reservations_max = 4096,
				.nodes_max = 8192,
				.refusals_max = 1024,
				.denials_max = 256,
				.stock_runs_max = 512,
				.retention_us = 24 * WORLD_HOUR_US,
				.grace_us = INV_GRACE_US,
			},
		.cluster = WORLD_CLUSTER,
		.shard_count = 1,
		.durability = "sync",
		.agent = "test",
	};
}

static void *world_alloc(size_t count, size_t size)
{
	void *memory = calloc(count, size);
	kr_assert(memory != NULL);
	return memory;
}

/* Every new shard gets untouched memory: what it does not clear itself shows. */
static void world_shard_new(struct world *world)
{
	uint64_t size = shard_memory_size(&world->config);
	free(world->memory);
	world->memory = aligned_alloc(4096, (size + 4095) / 4096 * 4096);
	kr_assert(world->memory != NULL);
	memset(world->memory, 0, size);
	world->shard = shard_init(&world->config, world->memory, &world->tz);
}

struct world *world_new(const struct shard_config *config)
{
	struct world *world = world_alloc(1, sizeof(*world));
	world_config_default(&world->config);
	if (config != NULL)
		world->config = *config;
	int r = tz_load(TZ_FOLDER, &world->tz);
	kr_assert(r == 0);
	world->frames = world_alloc(WORLD_FRAMES_MAX, sizeof(*world->frames));
	world->headers = world_alloc(WORLD_FRAMES_MAX, sizeof(*world->headers));
	world->batches = world_alloc(WORLD_BATCHES_MAX, sizeof(*world->batches));
	world->answers = world_alloc(WORLD_ANSWERS_MAX, sizeof(*world->answers));
	world->done.chunks = world_alloc(WORLD_CHUNKS_MAX, sizeof(struct world_chunk));
	world->writing.chunks = world_alloc(WORLD_CHUNKS_MAX, sizeof(struct world_chunk));
	world->boot_us = 1000000;
	world->wall_us = WORLD_WALL_US + 12 * WORLD_HOUR_US;
	world->next_request_id = 1;
	world->auto_persist = true;
	world->auto_slice = true;
	world->timer_us = UINT64_MAX;
	rng_init(&world->rng, 1);
	world_shard_new(world);
	return world;
}

static void snapshot_clear(struct world_snapshot *snapshot)
{
	for (uint32_t i = 0; i < snapshot->count; i++)
		free(snapshot->chunks[i].body);
	snapshot->count = 0;
	snapshot->is_whole = false;
}

struct world *world_free(struct world *world)
{
	for (uint32_t i = 0; i < world->answer_count; i++)
		protobuf_c_message_free_unpacked(world->answers[i].message, NULL);
	for (uint32_t i = 0; i < world->batch_count; i++)
		free(world->batches[i].body);
	for (uint32_t i = 0; i < world->frame_count; i++)
		free((void *)(uintptr_t)world->frames[i].body);
	snapshot_clear(&world->done);
	snapshot_clear(&world->writing);
	free(world->done.chunks);
	free(world->writing.chunks);
	free(world->frames);
	free(world->headers);
	free(world->batches);
	free(world->answers);
	free(world->memory);
	tz_free(&world->tz);
	free(world);
	return NULL;
}

/* ---- actions ---- */

static void world_take_replies(struct world *world, const struct shard_actions *actions)
{
	struct shard_reply_cursor cursor = {0};
	struct shard_reply reply;
	while (shard_reply_next(actions, &cursor, &reply)) {
		struct frame_header header;
		int r = frame_header_read(reply.header, &header);
		kr_assert(r == 0);
		r = frame_body_check(&header, reply.body);
		kr_assert(r == 0);
		kr_assert(header.flags == FRAME_FLAG_ANSWER && header.status != 0);
		kr_assert(header.cluster == WORLD_CLUSTER);
		kr_assert(world->answer_count < WORLD_ANSWERS_MAX);
		ProtobufCMessage *message = protobuf_c_message_unpack(
			message_of_answer(header.type), NULL, header.body_size_bytes, reply.body);
		kr_assert(message != NULL);
		world->answers[world->answer_count++] = (struct world_answer){
			.conn = reply.conn,
			.request_id = header.request_id,
			.code = header.status,
			.type = header.type,
			.message = message,
		};
	}
}

static void world_take_append(struct world *world, const struct shard_append *append)
{
	if (append->body == NULL)
		return;
	kr_assert(world->batch_count - world->durable_count < LOG_FLIGHT_MAX);
	kr_assert(world->batch_count < WORLD_BATCHES_MAX);
	struct world_batch *batch = &world->batches[world->batch_count++];
	batch->body = world_alloc(1, append->body_size_bytes);
	memcpy(batch->body, append->body, append->body_size_bytes);
	batch->record = (struct record_body){
		.bytes = batch->body,
		.size_bytes = append->body_size_bytes,
		.first_lsn = append->first_lsn,
		.count = append->count,
		.t_us = append->t_us,
	};
}

static void world_take_slice(struct world *world, const struct shard_slice *slice)
{
	struct world_snapshot *writing = &world->writing;
	if (slice->chunks == NULL)
		return;
	kr_assert(!world->slice_pending);
	if (slice->is_first)
		snapshot_clear(writing);
	writing->begin_lsn = slice->begin_lsn;
	for (uint32_t i = 0; i < slice->chunk_count; i++) {
		struct world_chunk *chunk = &writing->chunks[writing->count++];
		kr_assert(writing->count < WORLD_CHUNKS_MAX);
		chunk->head = slice->chunks[i];
		chunk->body = world_alloc(1, chunk->head.body_size_bytes + 1);
		memcpy(chunk->body, slice->bodies[i], chunk->head.body_size_bytes);
	}
	writing->is_whole = slice->is_last;
	world->slice_pending = true;
}

int world_event(struct world *world, struct shard_event *event)
{
	struct shard_actions actions;
	event->boot_us = ++world->boot_us;
	event->wall_us = ++world->wall_us;
	int r = shard_step(world->shard, event, &actions);
	if (r != 0)
		return r;
	world_take_replies(world, &actions);
	world_take_append(world, &actions.append);
	world_take_slice(world, &actions.slice);
	world->timer_us = actions.timer_boot_us;
	world->is_serving |= actions.is_serving;
	world->is_stopped |= actions.is_stopped;
	world->snapshot_began |= actions.snapshot_requested;
	world->frames_taken = actions.frames_taken;
	return 0;
}

static void world_event_ok(struct world *world, struct shard_event event)
{
	int r = world_event(world, &event);
	kr_assert(r == 0);
}

bool world_persist(struct world *world)
{
	if (world->is_stopped || world->durable_count == world->batch_count)
		return false;
	const struct record_body *record = &world->batches[world->durable_count++].record;
	world_event_ok(world, (struct shard_event){.kind = SHARD_PERSISTED,
				      .persisted_lsn = record->first_lsn + record->count - 1});
	return true;
}

void world_slice_written(struct world *world, bool failed)
{
	kr_assert(world->slice_pending);
	world->slice_pending = false;
	if (!failed && world->writing.is_whole) {
		struct world_snapshot old = world->done;
		world->done = world->writing;
		world->writing = old;
		snapshot_clear(&world->writing);
	}
	world_event_ok(world,
		(struct shard_event){.kind = SHARD_SLICE_WRITTEN, .snapshot_failed = failed});
}

bool world_slice_turn(struct world *world)
{
	const uint64_t next_us = shard_snapshot_next_boot_us(world->shard);
	if (world->is_stopped || world->timer_us == UINT64_MAX || world->timer_us != next_us)
		return false;
	kr_assert(next_us <= world->boot_us + SHARD_SLICE_PACE_US);
	world->wall_us += KR_MAX(next_us, world->boot_us) - world->boot_us;
	world->boot_us = KR_MAX(next_us, world->boot_us);
	world_event_ok(world, (struct shard_event){.kind = SHARD_TIMEOUT});
	return true;
}

static bool world_settle_step(struct world *world)
{
	if (world_persist(world) || world_slice_turn(world))
		return true;
	if (world->slice_pending && world->auto_slice) {
		world_slice_written(world, false);
		return true;
	}
	return false;
}

void world_settle(struct world *world)
{
	while (world_settle_step(world))
		;
}

int world_start(struct world *world, bool allow_clock_jump)
{
	struct shard_event event = {.kind = SHARD_START,
		.epoch = world->epoch + 1,
		.log_t_us = world->log_t_us,
		.allow_clock_jump = allow_clock_jump};
	int r = world_event(world, &event);
	if (r != 0)
		return r;
	world->epoch++;
	if (world->auto_persist)
		world_settle(world);
	return 0;
}

uint64_t world_frame(struct world *world, unsigned type, unsigned route, uint64_t key,
	const ProtobufCMessage *message)
{
	size_t size = message == NULL ? 0 : protobuf_c_message_get_packed_size(message);
	uint8_t *body = world_alloc(1, size + 1);
	if (message != NULL)
		protobuf_c_message_pack(message, body);
	kr_assert(world->frame_count < WORLD_FRAMES_MAX);
	struct frame_header *header = &world->headers[world->frame_count];
	*header = (struct frame_header){
		.type = (uint8_t)type,
		.route = (uint8_t)route,
		.cluster = WORLD_CLUSTER,
		.routing_key = key,
		.request_id = world->next_request_id,
		.remaining_us = 1000000,
		.principal = 3,
		.via = 9,
	};
	frame_seal(header, body, size);
	world->frames[world->frame_count++] = (struct shard_frame){
		.conn = 5, .received_us = world->boot_us, .header = header, .body = body};
	return world->next_request_id++;
}

void world_turn(struct world *world)
{
	uint32_t given = 0;
	while (given < world->frame_count) {
		world_event_ok(world, (struct shard_event){.kind = SHARD_REQUEST,
					      .frames = world->frames + given,
					      .frame_count = world->frame_count - given});
		kr_assert(world->frames_taken > 0);
		given += world->frames_taken;
		if (world->auto_persist)
			world_settle(world);
	}
	for (uint32_t i = 0; i < world->frame_count; i++)
		free((void *)(uintptr_t)world->frames[i].body);
	world->frame_count = 0;
}

void world_pass(struct world *world, uint64_t duration_us)
{
	uint64_t end_us = world->boot_us + duration_us;
	while (world->timer_us <= end_us) {
		uint64_t step_us =
			world->timer_us > world->boot_us ? world->timer_us - world->boot_us : 0;
		world->boot_us += step_us;
		world->wall_us += step_us;
		world_event_ok(world, (struct shard_event){.kind = SHARD_TIMEOUT});
		if (world->auto_persist)
			world_settle(world);
	}
	if (end_us > world->boot_us) {
		world->wall_us += end_us - world->boot_us;
		world->boot_us = end_us;
	}
}

void world_stop(struct world *world)
{
	world_event_ok(world, (struct shard_event){.kind = SHARD_STOP});
	if (world->auto_persist)
		world_settle(world);
}

void world_restart(struct world *world, bool use_snapshot)
{
	struct shard_trouble trouble;
	uint64_t from_lsn = 0;
	world_shard_new(world);
	world->is_serving = world->is_stopped = false;
	world->slice_pending = false;
	world->timer_us = UINT64_MAX;
	if (use_snapshot && world->done.is_whole) {
		from_lsn = world->done.begin_lsn;
		for (uint32_t i = 0; i < world->done.count; i++) {
			const struct world_chunk *chunk = &world->done.chunks[i];
			int r = shard_load_chunk(world->shard, &chunk->head, chunk->body, &trouble);
			kr_assert(r == 0);
		}
	}
	for (uint32_t i = world->durable_count; i < world->batch_count; i++)
		free(world->batches[i].body);
	world->batch_count = world->durable_count;
	for (uint32_t i = 0; i < world->batch_count; i++) {
		const struct record_body *record = &world->batches[i].record;
		if (record->first_lsn + record->count - 1 <= from_lsn)
			continue;
		int r = shard_replay(world->shard, record, &trouble);
		if (r != 0)
			fprintf(stderr, "%s\n", trouble.text);
		kr_assert(r == 0);
	}
}

/* ---- answers ---- */

uint32_t world_answer_place(const struct world *world, uint64_t request_id)
{
	for (uint32_t i = 0; i < world->answer_count; i++) {
		if (world->answers[i].request_id == request_id)
			return i;
	}
	return UINT32_MAX;
}

const struct world_answer *world_answer(const struct world *world, uint64_t request_id)
{
	uint32_t place = world_answer_place(world, request_id);
	return place == UINT32_MAX ? NULL : &world->answers[place];
}

uint16_t world_code(const struct world *world, uint64_t request_id)
{
	const struct world_answer *answer = world_answer(world, request_id);
	return answer == NULL ? 0 : answer->code;
}

uint16_t world_do(struct world *world, uint64_t request_id)
{
	world_turn(world);
	world_settle(world);
	return world_code(world, request_id);
}
