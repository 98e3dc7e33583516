#include "engine/log/writer.h"

#include <string.h>

#include "engine/log/writer_state.h"

#define NEVER UINT64_MAX

void log_writer_init(struct log_writer *writer, const struct log_writer_config *config)
{
	const struct log_position *position = &config->position;
	kr_assert(config->segment_size_bytes % LOG_BLOCK_SIZE == 0);
	kr_assert(config->segment_size_bytes >= LOG_BLOCK_SIZE);
	kr_assert((uintptr_t)config->buffer % LOG_BLOCK_SIZE == 0);
	kr_assert(config->epoch > position->epoch && config->epoch > config->mark.epoch);
	kr_assert(config->segment_count + 2 <= config->segment_max);
	kr_assert(config->segment_count == 0 ||
		  config->segments[config->segment_count - 1].number == position->segment);
	memset(writer, 0, sizeof(*writer));
	writer->config = *config;
	writer->life = LOG_WRITER_CLOSED;
	writer->position = *position;
	writer->position.epoch = config->epoch;
	for (uint32_t i = 0; i < LOG_FLIGHT_MAX; i++)
		writer->batches[i].bytes = config->buffer + (size_t)i * LOG_BATCH_SIZE_MAX;
	writer->has_reserve = config->has_reserve;
	writer->mark_generation = config->mark.generation;
	writer->marked_seq = config->mark.durable_seq;
	if (position->next_seq > 1) {
		writer->durable = (struct log_writer_point){
			.seq = position->next_seq - 1,
			.lsn = position->next_lsn - 1,
			.chain = position->chain,
			.segment = position->segment,
			.end_bytes = position->offset_bytes,
		};
		kr_assert(writer->durable.end_bytes != 0);
	}
	writer->acked = writer->durable;
	writer->archive_base = position->segment > 0 ? position->segment - 1 : 0;
}

static void pass(struct log_writer *writer, uint64_t now_us)
{
	kr_assert(now_us >= writer->now_us);
	writer->now_us = now_us;
}

/* The index-th oldest. */
static uint32_t slot_of(const struct log_writer *writer, uint32_t index)
{
	kr_assert(index < LOG_FLIGHT_MAX && writer->first < LOG_FLIGHT_MAX);
	return (writer->first + index) % LOG_FLIGHT_MAX;
}

/* The oldest batch without a place, or NULL. */
static const struct log_writer_batch *waiting(const struct log_writer *writer)
{
	kr_assert(writer->placed_count <= writer->held_count);
	if (writer->placed_count == writer->held_count)
		return NULL;
	return &writer->batches[slot_of(writer, writer->placed_count)];
}

/* Sequence and LSNs are given out here. */
static struct log_writer_batch *hold(
	struct log_writer *writer, const struct log_batch_header *header)
{
	kr_assert(writer->held_count < LOG_FLIGHT_MAX);
	kr_assert(header->timestamp_us >= writer->position.timestamp_us);
	struct log_writer_batch *batch = &writer->batches[slot_of(writer, writer->held_count++)];
	batch->is_returned = false;
	batch->header = *header;
	batch->header.batch_seq = writer->position.next_seq++;
	batch->header.first_lsn = writer->position.next_lsn;
	writer->position.next_lsn += header->count;
	writer->position.timestamp_us = header->timestamp_us;
	batch->size_bytes = log_batch_size(header->body_size_bytes);
	kr_assert(batch->size_bytes <= writer->config.segment_size_bytes);
	return batch;
}

static void hold_empty(struct log_writer *writer, uint32_t flags)
{
	struct log_batch_header header = {
		.flags = flags, .timestamp_us = writer->position.timestamp_us};
	kr_assert((flags & (LOG_BATCH_SEAL | LOG_BATCH_OPEN)) != 0);
	if ((flags & LOG_BATCH_DIGEST) != 0)
		header.state_digest = writer->stop_digest;
	(void)hold(writer, &header);
}

void log_writer_open(struct log_writer *writer, uint64_t timestamp_us, uint64_t now_us)
{
	kr_assert(writer->life == LOG_WRITER_CLOSED);
	kr_assert(writer->held_count == 0);
	pass(writer, now_us);
	writer->life = LOG_WRITER_OPENING;
	writer->position.timestamp_us = KR_MAX(writer->position.timestamp_us, timestamp_us);
	/* The epoch is durable before anything is written under it. */
	writer->wants_mark = true;
}

bool log_writer_is_open(const struct log_writer *writer)
{
	return writer->life == LOG_WRITER_OPEN;
}

int log_writer_append(struct log_writer *writer, const struct log_append *append, uint64_t now_us)
{
	kr_assert(append->count > 0 && append->body_size_bytes > 0);
	kr_assert(append->body_size_bytes <= log_writer_body_max(writer));
	pass(writer, now_us);
	if (writer->life != LOG_WRITER_OPEN || writer->held_count == LOG_FLIGHT_MAX)
		return LOG_WRITER_BUSY;
	kr_assert(append->first_lsn == writer->position.next_lsn);
	struct log_batch_header header = {
		.timestamp_us = append->timestamp_us,
		.body_size_bytes = append->body_size_bytes,
		.count = append->count,
	};
	struct log_writer_batch *batch = hold(writer, &header);
	memcpy(batch->bytes + LOG_BATCH_HEADER_SIZE, append->body, append->body_size_bytes);
	return 0;
}

static bool fits(const struct log_writer *writer, uint32_t size_bytes)
{
	kr_assert(writer->position.offset_bytes <= writer->config.segment_size_bytes);
	return size_bytes <= writer->config.segment_size_bytes - writer->position.offset_bytes;
}

/* The oldest batch without a place needs the next segment. */
static bool waits_for_rotation(const struct log_writer *writer)
{
	const struct log_writer_batch *batch = waiting(writer);
	kr_assert(writer->life != LOG_WRITER_FAILED);
	return batch != NULL && !fits(writer, batch->size_bytes);
}

bool log_writer_wants_segment(const struct log_writer *writer)
{
	return writer->life != LOG_WRITER_FAILED && !writer->has_reserve &&
	       waits_for_rotation(writer);
}

/* The oldest segment, if nothing needs it. The one with the newest durable batch always stays, so
 * that a log never begins with a batch nobody vouches for. */
static bool is_prunable(const struct log_writer *writer, uint32_t index)
{
	const struct log_segment *segment = &writer->config.segments[index];
	if (index >= writer->config.segment_count)
		return false;
	kr_assert(segment->number != 0);
	if (writer->config.archive_keep_count > 0 && segment->number > writer->archived_segment)
		return false;
	return segment->number < writer->durable.segment && segment->last_lsn <= writer->floor_lsn;
}

static uint32_t prunable_count(const struct log_writer *writer)
{
	uint32_t count = 0;
	while (is_prunable(writer, count))
		count++;
	kr_assert(count == 0 || count < writer->config.segment_count);
	return count;
}

static uint64_t table_take_oldest(struct log_writer *writer)
{
	struct log_segment *segments = writer->config.segments;
	kr_assert(is_prunable(writer, 0));
	uint64_t number = segments[0].number;
	writer->config.segment_count--;
	memmove(segments, segments + 1, writer->config.segment_count * sizeof(*segments));
	kr_assert(writer->config.segment_count > 0 && segments[0].number > number);
	return number;
}

/* The batch just placed belongs to the table's last segment, or begins a new one. */
static void table_note(struct log_writer *writer, const struct log_batch_header *header)
{
	struct log_writer_config *config = &writer->config;
	struct log_segment *last = &config->segments[config->segment_count - 1];
	if (config->segment_count == 0 || last->number != header->segment) {
		kr_assert(config->segment_count < config->segment_max);
		last = &config->segments[config->segment_count++];
		*last = (struct log_segment){
			.number = header->segment,
			.size_bytes = config->segment_size_bytes,
		};
	}
	if (last->first_seq == 0) {
		last->first_seq = header->batch_seq;
		last->first_lsn = header->first_lsn;
	}
	last->last_seq = header->batch_seq;
	last->last_lsn = header->first_lsn + header->count - 1;
	kr_assert(last->last_seq >= last->first_seq);
}

/* What is in this segment is durable before the next one is begun, so that the owner keeps few open
 * and, with `async`, a SYNC is short. */
static bool rotation_waits(const struct log_writer *writer)
{
	kr_assert(writer->durable.segment <= writer->position.segment);
	return writer->has_reserve && waits_for_rotation(writer) &&
	       (writer->placed_count > 0 || writer->durable.segment < writer->position.segment);
}

static void place(struct log_writer *writer, struct log_writer_batch *batch)
{
	struct log_position *position = &writer->position;
	struct log_batch_header *header = &batch->header;
	kr_assert(fits(writer, batch->size_bytes));
	header->cluster = writer->config.lineage.cluster;
	header->shard = writer->config.lineage.shard;
	header->segment = position->segment;
	header->block_index = (uint32_t)(position->offset_bytes / LOG_BLOCK_SIZE);
	header->epoch = position->epoch;
	header->term = position->term;
	header->durable_seq = writer->durable.seq;
	header->prev_chain = position->chain;
	position->chain = log_batch_seal(header, batch->bytes);
	position->offset_bytes += batch->size_bytes;
	batch->point = (struct log_writer_point){
		.seq = header->batch_seq,
		.lsn = header->first_lsn + header->count - 1,
		.chain = position->chain,
		.segment = header->segment,
		.end_bytes = position->offset_bytes,
	};
	table_note(writer, header);
	kr_assert(batch->point.seq > writer->acked.seq);
}

static bool try_write(struct log_writer *writer, struct log_action *ret_action)
{
	if (waiting(writer) == NULL)
		return false;
	if (waits_for_rotation(writer)) {
		if (!writer->has_reserve || rotation_waits(writer))
			return false;
		writer->has_reserve = false;
		writer->position.segment++;
		writer->position.offset_bytes = 0;
	}
	uint64_t offset = writer->position.offset_bytes;
	uint32_t slot = slot_of(writer, writer->placed_count++);
	struct log_writer_batch *batch = &writer->batches[slot];
	place(writer, batch);
	*ret_action = (struct log_action){
		.kind = LOG_ACTION_WRITE,
		.slot = slot,
		.segment = writer->position.segment,
		.offset_bytes = offset,
		.data = batch->bytes,
		.size_bytes = batch->size_bytes,
	};
	kr_assert(ret_action->segment == batch->header.segment);
	return true;
}

static bool is_covered(const struct log_writer *writer)
{
	kr_assert(writer->durable.seq <= writer->acked.seq);
	return writer->acked.seq == writer->durable.seq;
}

static bool mark_is_due(const struct log_writer *writer)
{
	if (writer->is_under_way[LOG_ACTION_MARK])
		return false;
	if (writer->wants_mark)
		return true;
	if (writer->life == LOG_WRITER_CLOSED || writer->life == LOG_WRITER_OPENING)
		return false;
	if (writer->durable.segment != writer->marked_segment)
		return true;
	return writer->is_sealed && is_covered(writer) && writer->marked_seq < writer->durable.seq;
}

static bool try_mark(struct log_writer *writer, struct log_action *ret_action)
{
	const struct log_writer_point *durable = &writer->durable;
	if (!mark_is_due(writer))
		return false;
	uint8_t *block = writer->config.buffer + LOG_FLIGHT_MAX * LOG_BATCH_SIZE_MAX;
	struct log_mark mark = {
		.shard = writer->config.lineage.shard,
		.cluster = writer->config.lineage.cluster,
		.generation = ++writer->mark_generation,
		.epoch = writer->position.epoch,
		.term = writer->position.term,
		.durable_seq = durable->seq,
		.durable_lsn = durable->lsn,
		.chain = durable->chain,
		.segment = durable->segment,
		.end_block = durable->end_bytes / LOG_BLOCK_SIZE,
		.timestamp_us = writer->position.timestamp_us,
	};
	log_mark_encode(&mark, block);
	writer->wants_mark = false;
	writer->marked_seq = durable->seq;
	writer->marked_segment = durable->segment;
	*ret_action = (struct log_action){
		.kind = LOG_ACTION_MARK,
		.offset_bytes = (mark.generation & 1) * LOG_BLOCK_SIZE,
		.data = block,
		.size_bytes = LOG_BLOCK_SIZE,
	};
	kr_assert(writer->marked_seq <= writer->acked.seq);
	return true;
}

/* When the loss window of `async` asks for the next SYNC. */
static uint64_t sync_at(const struct log_writer *writer)
{
	if (is_covered(writer) || writer->is_under_way[LOG_ACTION_SYNC])
		return NEVER;
	kr_assert(writer->config.sync_interval_us > 0);
	if (writer->life == LOG_WRITER_STOPPING || rotation_waits(writer))
		return writer->now_us;
	return writer->uncovered_us + writer->config.sync_interval_us;
}

static bool try_sync(struct log_writer *writer, struct log_action *ret_action)
{
	if (writer->now_us < sync_at(writer))
		return false;
	writer->syncing = writer->acked;
	*ret_action = (struct log_action){
		.kind = LOG_ACTION_SYNC,
		.segment = writer->acked.segment,
		.sync_first = writer->durable.segment,
	};
	if (ret_action->sync_first == 0)
		ret_action->sync_first = writer->config.segments[0].number;
	kr_assert(ret_action->sync_first <= ret_action->segment);
	return true;
}

static bool directory_is_busy(const struct log_writer *writer)
{
	/* One change of names at a time keeps them in order on disk. */
	return writer->is_under_way[LOG_ACTION_PREPARE] || writer->is_under_way[LOG_ACTION_REMOVE];
}

static bool wants_reserve(const struct log_writer *writer)
{
	kr_assert(writer->life != LOG_WRITER_STOPPED);
	if (writer->has_reserve || directory_is_busy(writer))
		return false;
	if (writer->life == LOG_WRITER_STOPPING)
		return waits_for_rotation(writer);
	return writer->life != LOG_WRITER_CLOSED;
}

static void set_low(struct log_writer *writer)
{
	kr_assert(!writer->has_reserve);
	writer->is_low = true;
	writer->retry_us = writer->now_us + writer->config.space_retry_us;
}

static bool try_prepare(struct log_writer *writer, struct log_action *ret_action)
{
	if (!wants_reserve(writer) || writer->now_us < writer->retry_us)
		return false;
	/* One entry for the reserve itself; a full table is a full disk, and so is an archive that
	 * does not keep up. */
	bool is_full = writer->config.segment_count + 1 >= writer->config.segment_max ||
		       (writer->config.archive_keep_count > 0 &&
			       log_writer_archive_lag(writer) >= writer->config.archive_keep_count);
	if (is_full && !is_prunable(writer, 0)) {
		set_low(writer);
		return false;
	}
	*ret_action = (struct log_action){
		.kind = LOG_ACTION_PREPARE,
		.segment = writer->position.segment + 1,
	};
	if (is_prunable(writer, 0))
		ret_action->recycle = table_take_oldest(writer);
	kr_assert(ret_action->recycle < ret_action->segment);
	return true;
}

static bool try_remove(struct log_writer *writer, struct log_action *ret_action)
{
	if (writer->life != LOG_WRITER_OPEN || directory_is_busy(writer))
		return false;
	if (prunable_count(writer) <= writer->config.recycle_count)
		return false;
	*ret_action = (struct log_action){
		.kind = LOG_ACTION_REMOVE,
		.segment = table_take_oldest(writer),
	};
	kr_assert(ret_action->segment < writer->durable.segment);
	return true;
}

static bool seal_has_room(const struct log_writer *writer)
{
	return fits(writer, LOG_BLOCK_SIZE) || writer->has_reserve;
}

static uint64_t seal_at(const struct log_writer *writer)
{
	if (writer->life != LOG_WRITER_OPEN || writer->held_count > 0 || writer->is_sealed)
		return NEVER;
	if (!is_covered(writer))
		return NEVER;
	/* Without room for a seal the mark alone has to do; once is enough. */
	if (!seal_has_room(writer) && writer->marked_seq == writer->durable.seq)
		return NEVER;
	return writer->acked_us + writer->config.seal_idle_us;
}

static void settle_stop(struct log_writer *writer)
{
	kr_assert(writer->life == LOG_WRITER_STOPPING);
	if (writer->held_count > 0 || !is_covered(writer))
		return;
	if (!writer->is_stop_sealed) {
		writer->is_stop_sealed = true;
		bool wants_seal = !writer->is_sealed || writer->has_stop_digest;
		if (wants_seal && seal_has_room(writer)) {
			hold_empty(writer,
				LOG_BATCH_SEAL | (writer->has_stop_digest ? LOG_BATCH_DIGEST : 0));
			return;
		}
	}
	if (writer->marked_seq < writer->durable.seq)
		writer->wants_mark = true;
	if (writer->wants_mark)
		return;
	for (unsigned kind = 0; kind < LOG_ACTION_COUNT; kind++) {
		if (writer->is_under_way[kind])
			return;
	}
	writer->life = LOG_WRITER_STOPPED;
}

/* What time and completed actions lead to, before actions are chosen. */
static void settle(struct log_writer *writer)
{
	kr_assert(writer->life != LOG_WRITER_FAILED);
	if (writer->life == LOG_WRITER_STOPPING) {
		settle_stop(writer);
		return;
	}
	if (writer->now_us < seal_at(writer))
		return;
	if (seal_has_room(writer))
		hold_empty(writer, LOG_BATCH_SEAL);
	else
		writer->wants_mark = true;
}

bool log_writer_next(struct log_writer *writer, struct log_action *ret_action)
{
	if (writer->life == LOG_WRITER_FAILED)
		return false;
	settle(writer);
	if (writer->life == LOG_WRITER_CLOSED || writer->life == LOG_WRITER_STOPPED)
		return false;
	bool found = try_write(writer, ret_action) || try_mark(writer, ret_action) ||
		     try_sync(writer, ret_action) || try_prepare(writer, ret_action) ||
		     try_remove(writer, ret_action);
	if (found) {
		kr_assert(!writer->is_under_way[ret_action->kind] ||
			  ret_action->kind == LOG_ACTION_WRITE);
		writer->is_under_way[ret_action->kind] = true;
	}
	return found;
}

/* The oldest batch is written, and all before it. */
static void acknowledge(struct log_writer *writer)
{
	const struct log_writer_batch *batch = &writer->batches[writer->first];
	kr_assert(batch->is_returned && batch->point.seq == batch->header.batch_seq);
	kr_assert(batch->point.seq == writer->acked.seq + 1);
	if (is_covered(writer))
		writer->uncovered_us = writer->now_us;
	writer->first = slot_of(writer, 1);
	writer->held_count--;
	writer->placed_count--;
	writer->acked = batch->point;
	writer->acked_us = writer->now_us;
	writer->is_sealed = batch->header.count == 0;
	if (writer->config.sync_interval_us == 0)
		writer->durable = writer->acked;
	if ((batch->header.flags & LOG_BATCH_OPEN) != 0) {
		kr_assert(writer->life == LOG_WRITER_OPENING);
		writer->life = LOG_WRITER_OPEN;
	}
}

/* Also of a log that has failed: the others under way return all the same. */
static void write_returned(struct log_writer *writer, uint32_t slot)
{
	struct log_writer_batch *batch = &writer->batches[slot];
	kr_assert(slot < LOG_FLIGHT_MAX && !batch->is_returned);
	kr_assert((slot + LOG_FLIGHT_MAX - writer->first) % LOG_FLIGHT_MAX < writer->placed_count);
	batch->is_returned = true;
	for (uint32_t i = 0; i < writer->placed_count; i++)
		writer->is_under_way[LOG_ACTION_WRITE] |=
			!writer->batches[slot_of(writer, i)].is_returned;
}

static void write_done(struct log_writer *writer)
{
	kr_assert(writer->placed_count > 0);
	while (writer->placed_count > 0 && writer->batches[writer->first].is_returned)
		acknowledge(writer);
}

static void sync_done(struct log_writer *writer)
{
	kr_assert(writer->syncing.seq > writer->durable.seq);
	kr_assert(writer->syncing.seq <= writer->acked.seq);
	writer->durable = writer->syncing;
	writer->uncovered_us = writer->now_us;
}

static void prepare_done(struct log_writer *writer, int result)
{
	kr_assert(!writer->has_reserve);
	if (result == LOG_WRITER_NO_SPACE) {
		set_low(writer);
		return;
	}
	writer->has_reserve = true;
	writer->is_low = false;
}

int log_writer_done(struct log_writer *writer, enum log_action_kind kind, uint32_t slot, int result,
	uint64_t now_us)
{
	kr_assert((unsigned)kind < LOG_ACTION_COUNT && writer->is_under_way[kind]);
	kr_assert(result <= 0 || (kind == LOG_ACTION_PREPARE && result == LOG_WRITER_NO_SPACE));
	pass(writer, now_us);
	writer->is_under_way[kind] = false;
	if (kind == LOG_ACTION_WRITE)
		write_returned(writer, slot);
	if (result < 0)
		writer->life = LOG_WRITER_FAILED;
	if (writer->life == LOG_WRITER_FAILED)
		return result < 0 ? result : 0;
	if (kind == LOG_ACTION_WRITE)
		write_done(writer);
	else if (kind == LOG_ACTION_SYNC)
		sync_done(writer);
	else if (kind == LOG_ACTION_PREPARE)
		prepare_done(writer, result);
	else if (kind == LOG_ACTION_MARK && writer->life == LOG_WRITER_OPENING &&
		 writer->held_count == 0)
		hold_empty(writer, LOG_BATCH_OPEN);
	return 0;
}

void log_writer_tick(struct log_writer *writer, uint64_t now_us)
{
	kr_assert(writer->life != LOG_WRITER_CLOSED);
	pass(writer, now_us);
}

uint64_t log_writer_deadline_us(const struct log_writer *writer)
{
	uint64_t deadline = NEVER;
	if (writer->life == LOG_WRITER_FAILED || writer->life == LOG_WRITER_STOPPED)
		return NEVER;
	deadline = KR_MIN(deadline, seal_at(writer));
	deadline = KR_MIN(deadline, sync_at(writer));
	if (wants_reserve(writer))
		deadline = KR_MIN(deadline, writer->retry_us);
	kr_assert(deadline == NEVER || writer->life != LOG_WRITER_CLOSED);
	return deadline;
}

void log_writer_prune(struct log_writer *writer, uint64_t floor_lsn, uint64_t now_us)
{
	kr_assert(floor_lsn <= writer->durable.lsn);
	pass(writer, now_us);
	writer->floor_lsn = KR_MAX(writer->floor_lsn, floor_lsn);
	/* What was pruned can be made into the segment that a full disk refused. */
	if (writer->is_low && is_prunable(writer, 0))
		writer->retry_us = now_us;
}

uint64_t log_writer_archive_next(const struct log_writer *writer)
{
	const struct log_writer_config *config = &writer->config;
	if (config->archive_keep_count == 0)
		return 0;
	for (uint32_t i = 0; i < config->segment_count; i++) {
		uint64_t number = config->segments[i].number;
		kr_assert(number != 0);
		if (number >= writer->durable.segment)
			break;
		if (number > writer->archived_segment)
			return number;
	}
	return 0;
}

void log_writer_archived(struct log_writer *writer, uint64_t segment, uint64_t now_us)
{
	kr_assert(segment == log_writer_archive_next(writer));
	kr_assert(segment > writer->archived_segment);
	pass(writer, now_us);
	writer->archived_segment = segment;
	/* What is copied can be made into the segment that was refused. */
	if (writer->is_low)
		writer->retry_us = now_us;
}

uint64_t log_writer_archive_lag(const struct log_writer *writer)
{
	uint64_t base = KR_MAX(writer->archive_base, writer->archived_segment);
	uint64_t complete = writer->durable.segment > 0 ? writer->durable.segment - 1 : 0;
	kr_assert(writer->archived_segment <= complete);
	return complete > base ? complete - base : 0;
}

void log_writer_stop(struct log_writer *writer, const uint64_t *state_digest, uint64_t now_us)
{
	kr_assert(writer->life == LOG_WRITER_OPEN);
	pass(writer, now_us);
	writer->life = LOG_WRITER_STOPPING;
	writer->has_stop_digest = state_digest != NULL;
	writer->stop_digest = state_digest != NULL ? *state_digest : 0;
	kr_assert(!writer->is_stop_sealed);
}

bool log_writer_is_stopped(const struct log_writer *writer)
{
	return writer->life == LOG_WRITER_STOPPED;
}

uint64_t log_writer_next_lsn(const struct log_writer *writer)
{
	kr_assert(writer->position.next_lsn != 0);
	return writer->position.next_lsn;
}

uint64_t log_writer_durable_lsn(const struct log_writer *writer)
{
	kr_assert(writer->durable.lsn < writer->position.next_lsn);
	return writer->durable.lsn;
}

uint64_t log_writer_acked_lsn(const struct log_writer *writer)
{
	kr_assert(writer->acked.lsn >= writer->durable.lsn);
	return writer->acked.lsn;
}

uint32_t log_writer_body_max(const struct log_writer *writer)
{
	uint64_t size = KR_MIN(writer->config.segment_size_bytes, LOG_BATCH_SIZE_MAX);
	kr_assert(size >= LOG_BLOCK_SIZE);
	return (uint32_t)size - LOG_BATCH_HEADER_SIZE;
}

uint64_t log_writer_room_bytes(const struct log_writer *writer)
{
	uint64_t rest = writer->config.segment_size_bytes - writer->position.offset_bytes;
	kr_assert(rest <= writer->config.segment_size_bytes);
	return rest + (writer->has_reserve ? writer->config.segment_size_bytes : 0);
}

enum log_level log_writer_level(const struct log_writer *writer)
{
	if (!writer->is_low)
		return LOG_LEVEL_OK;
	kr_assert(!writer->has_reserve);
	bool is_enough = log_writer_room_bytes(writer) > writer->config.stop_room_bytes;
	return is_enough ? LOG_LEVEL_LOW : LOG_LEVEL_STOP;
}
