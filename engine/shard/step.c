#include <string.h>

#include "engine/shard/shard_priv.h"
#include "proto/message.h"

/*
 * The step: one event in, actions out.
 *
 *   LOADING --START--> STARTING --durable--> SERVING --STOP--> STOPPING --snapshot--> SEALING
 *   --digest durable--> STOPPED
 */

/* ---- start ---- */

static int start_clock(struct shard *shard, const struct shard_event *event)
{
	struct inv_counts counts;
	inv_counts_get(shard->inv, &counts);
	/* A start that came no further than the batch before its START has moved the log's time. */
	uint64_t last_us = KR_MAX(counts.last_t_us, event->log_t_us);
	if (last_us > 0 && !event->allow_clock_jump) {
		if (event->wall_us + SHARD_WALL_BEHIND_MAX_US < last_us)
			return SHARD_CLOCK_BEHIND;
		if (event->wall_us > last_us + SHARD_WALL_AHEAD_MAX_US)
			return SHARD_CLOCK_AHEAD;
	}
	shard_clock_start(&shard->clock, last_us, event->boot_us, event->wall_us);
	kr_assert(shard->clock.t_us > last_us);
	/* Holds have been without a shard since its last effect. */
	shard->grace_last_t_us = counts.last_t_us;
	return 0;
}

static int step_start(struct shard *shard, const struct shard_event *event)
{
	kr_assert(shard->life == SHARD_LOADING);
	kr_assert(event->epoch > 0);
	int r = start_clock(shard, event);
	if (r != 0)
		return r;
	shard->life = SHARD_STARTING;
	shard->epoch = event->epoch;
	shard->started_boot_us = event->boot_us;
	shard->snapshot.done_lsn = event->snapshot_lsn;
	kr_assert(event->snapshot_lsn < shard->next_lsn);
	shard->acked_lsn = shard->durable_lsn = shard->next_lsn - 1;
	shard->now = (struct inv_now){.t_us = shard->clock.t_us, .wall_us = event->wall_us};
	shard->start_now = shard->now;
	shard_batches_init(shard);
	shard->effect = (struct inv_effect){
		.kind = INV_EFFECT_START,
		.t_us = shard->now.t_us,
		.actor = {.source = INV_SOURCE_CLOCK},
		.u.start = {.format = SHARD_FORMAT,
			.window_nights = shard->config.inventory.window_nights,
			.epoch = event->epoch},
	};
	shard_effect_log(shard);
	shard->is_gracing = shard->grace_last_t_us > 0;
	shard_grace_run(shard);
	return 0;
}

/* Serves once START and the last grace are durable. */
static void start_continue(struct shard *shard, struct shard_actions *actions)
{
	kr_assert(!actions->is_serving);
	if (shard->life != SHARD_STARTING)
		return;
	if (shard->is_gracing)
		shard_grace_run(shard);
	if (shard->is_gracing || !shard_batches_are_acked(shard))
		return;
	shard->life = shard->wants_stop ? SHARD_STOPPING : SHARD_SERVING;
	actions->is_serving = !shard->wants_stop;
	shard_due_run(shard);
	kr_assert(shard->acked_lsn > 0);
}

/* ---- requests ---- */

/* Parses what the arena takes beside the answers; returns how many. The next body may be of the
 * largest kind, and an answer that finds no room would say less than there is. */
static uint32_t requests_parse(
	struct shard *shard, const struct shard_frame *frames, uint32_t frame_count)
{
	const size_t room = MESSAGE_ARENA_SIZE_MAX + SHARD_ARENA_ANSWERS_SIZE;
	uint32_t count = KR_MIN(frame_count, SHARD_PARSE_COUNT);
	uint32_t parsed = 0;
	kr_assert(frame_count > 0);
	pb_arena_reset(&shard->arena);
	while (parsed < count && kr_arena_left(&shard->arena.arena) >= room) {
		shard_request_parse(shard, &frames[parsed], &shard->requests[parsed]);
		parsed++;
	}
	kr_assert(parsed > 0);
	return parsed;
}

/* Judges in order; returns how many, fewer than count where the answers are full. */
static uint32_t requests_judge(struct shard *shard, uint32_t count)
{
	kr_assert(count <= SHARD_PARSE_COUNT);
	for (unsigned stage = 0; stage < 3; stage++) {
		for (uint32_t i = 0; i < count; i++)
			shard_request_prefetch(shard, &shard->requests[i], stage);
	}
	for (uint32_t i = 0; i < count; i++) {
		if (!shard_request_judge(shard, &shard->requests[i]))
			return i;
		shard->judged_by_type[shard->requests[i].frame->header->type]++;
	}
	return count;
}

static void step_requests(
	struct shard *shard, const struct shard_event *event, struct shard_actions *actions)
{
	uint32_t taken = 0;
	kr_assert(event->frame_count <= SHARD_FRAMES_MAX);
	shard_due_run(shard);
	while (taken < event->frame_count) {
		uint32_t parsed =
			requests_parse(shard, event->frames + taken, event->frame_count - taken);
		uint32_t judged = requests_judge(shard, parsed);
		taken += judged;
		if (judged < parsed)
			break;
	}
	/* An empty buffer takes any answer, so every call gets on. */
	kr_assert(taken > 0 || event->frame_count == 0);
	shard->counters.requests += taken;
	shard->snapshot.is_busy = true;
	actions->frames_taken = taken;
}

/* ---- stop ---- */

static void step_stop(struct shard *shard)
{
	kr_assert(shard->life > SHARD_LOADING);
	kr_assert(shard->life != SHARD_STOPPED);
	/* Graces are given once: a start is finished before it is stopped. */
	if (shard->life == SHARD_STARTING)
		shard->wants_stop = true;
	if (shard->life == SHARD_SERVING)
		shard->life = SHARD_STOPPING;
}

/* The digest stands behind everything: what replay must come to. */
static void stop_seal(struct shard *shard)
{
	kr_assert(shard->life == SHARD_STOPPING);
	shard->life = SHARD_SEALING;
	if (shard->space == SHARD_SPACE_STOP)
		return;
	shard->effect = (struct inv_effect){
		.kind = INV_EFFECT_DIGEST,
		.t_us = shard->now.t_us,
		.actor = {.source = INV_SOURCE_CLOCK},
		.u.digest = {.state_digest = inv_digest(shard->inv)},
	};
	bool room = shard_batch_room(shard, RECORD_SMALL_SIZE_MAX);
	kr_assert(room);
	shard_effect_log(shard);
}

static void stop_continue(struct shard *shard, struct shard_actions *actions)
{
	struct shard_snapshot *s = &shard->snapshot;
	bool durable = shard->durable_lsn == shard->next_lsn - 1;
	kr_assert(shard->durable_lsn <= shard->acked_lsn);
	kr_assert(shard->acked_lsn < shard->next_lsn);
	if (shard->life == SHARD_STOPPING && durable && !s->is_running) {
		bool tried = s->stop_lsn == shard->durable_lsn;
		s->stop_lsn = shard->durable_lsn;
		if (tried || !shard_snapshot_begin(shard))
			stop_seal(shard);
	}
	/* Without room for a digest nothing is waited for: no event would come. */
	if (shard->life == SHARD_SEALING && shard->durable_lsn == shard->next_lsn - 1)
		shard->life = SHARD_STOPPED;
	actions->is_stopped = shard->life == SHARD_STOPPED;
}

/* ---- the step ---- */

static uint64_t step_timer_due(struct shard *shard)
{
	if (shard->space == SHARD_SPACE_STOP)
		return UINT64_MAX;
	uint64_t due_us = inv_due_next_us(shard->inv);
	if (due_us == UINT64_MAX)
		return UINT64_MAX;
	kr_assert(shard->boot_us < UINT64_MAX / 2);
	uint64_t wait_us = due_us > shard->now.t_us ? due_us - shard->now.t_us : 0;
	/* What found no room goes on when the disk is done. */
	if (wait_us > UINT64_MAX / 2 || (wait_us == 0 && !shard_due_may_run(shard)))
		return UINT64_MAX;
	return KR_MAX(shard->boot_us + wait_us, shard->due_next_boot_us);
}

static uint64_t step_timer(struct shard *shard)
{
	kr_assert(shard->life > SHARD_LOADING);
	if (shard->life != SHARD_SERVING)
		return UINT64_MAX;
	return KR_MIN(step_timer_due(shard), shard_snapshot_next_boot_us(shard));
}

static void step_begin(
	struct shard *shard, const struct shard_event *event, struct shard_actions *actions)
{
	*actions = (struct shard_actions){.timer_boot_us = UINT64_MAX};
	kr_assert(event->boot_us >= shard->boot_us);
	shard->boot_us = event->boot_us;
	shard->leaving_count = 0;
	shard->at_once.used_bytes = 0;
	shard->drained = 0;
	if (shard->life == SHARD_LOADING)
		return;
	shard->now.t_us = shard_clock_advance(&shard->clock, event->boot_us, event->wall_us);
	shard->now.wall_us = event->wall_us;
}

static int step_event(
	struct shard *shard, const struct shard_event *event, struct shard_actions *actions)
{
	switch (event->kind) {
	case SHARD_START:
		return step_start(shard, event);
	case SHARD_REQUEST:
		step_requests(shard, event, actions);
		break;
	case SHARD_PERSISTED:
		shard_batch_persisted(shard, event->persisted_lsn,
			event->is_async ? event->durable_lsn : event->persisted_lsn);
		shard_due_run_paced(shard);
		break;
	case SHARD_TIMEOUT:
		shard_due_run_paced(shard);
		break;
	case SHARD_SLICE_WRITTEN:
		shard_snapshot_written(shard, event->snapshot_failed);
		break;
	case SHARD_STOP:
		step_stop(shard);
		break;
	case SHARD_SPACE:
		kr_assert(event->space <= SHARD_SPACE_STOP);
		shard->space = event->space;
		break;
	}
	if (event->wants_snapshot && shard->life == SHARD_SERVING)
		actions->snapshot_requested = shard_snapshot_begin(shard);
	return 0;
}

static void step_end(
	struct shard *shard, const struct shard_event *event, struct shard_actions *actions)
{
	bool is_free = event->kind == SHARD_TIMEOUT || event->kind == SHARD_SLICE_WRITTEN;
	kr_assert(actions->append.body == NULL);
	if (shard->life == SHARD_LOADING)
		return;
	start_continue(shard, actions);
	stop_continue(shard, actions);
	shard_batch_submit(shard, &actions->append);
	shard_snapshot_run(shard, is_free && actions->append.body == NULL, actions);
	actions->timer_boot_us = step_timer(shard);
	for (uint32_t i = 0; i < shard->leaving_count; i++) {
		const uint32_t index =
			shard->batch_first + SHARD_BATCH_COUNT - shard->leaving_count + i;
		const struct shard_out *out = &shard->batches[index % SHARD_BATCH_COUNT].out;
		actions->replies[i] = (struct shard_span){out->bytes, out->used_bytes};
	}
	actions->replies[shard->leaving_count] =
		(struct shard_span){shard->at_once.bytes, shard->at_once.used_bytes};
	kr_assert(shard->batch_count + LOG_FLIGHT_MAX <= SHARD_BATCH_COUNT);
}

int shard_step(
	struct shard *shard, const struct shard_event *event, struct shard_actions *ret_actions)
{
	kr_assert(shard != NULL && event != NULL);
	kr_assert(shard->life != SHARD_STOPPED);
	step_begin(shard, event, ret_actions);
	int r = step_event(shard, event, ret_actions);
	if (r != 0)
		return r;
	step_end(shard, event, ret_actions);
	return 0;
}

bool shard_reply_next(const struct shard_actions *actions, struct shard_reply_cursor *cursor,
	struct shard_reply *ret_reply)
{
	while (cursor->span < SHARD_REPLY_SPANS) {
		const struct shard_span *span = &actions->replies[cursor->span];
		kr_assert(cursor->offset_bytes <= span->size_bytes);
		if (cursor->offset_bytes == span->size_bytes) {
			cursor->span++;
			cursor->offset_bytes = 0;
			continue;
		}
		const uint8_t *at = span->bytes + cursor->offset_bytes;
		const uint8_t *header = at + sizeof(uint64_t);
		memcpy(&ret_reply->conn, at, sizeof(uint64_t));
		ret_reply->header = (const struct frame_header *)(const void *)header;
		ret_reply->body = header + FRAME_HEADER_SIZE;
		size_t size =
			sizeof(uint64_t) + FRAME_HEADER_SIZE + ret_reply->header->body_size_bytes;
		cursor->offset_bytes += (size + 7) & ~(size_t)7;
		return true;
	}
	return false;
}
