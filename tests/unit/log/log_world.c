#include "tests/unit/log/log_world.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"

#define EFFECT_SIZE 16u

void world_init(struct world *world)
{
	memset(world, 0, sizeof(*world));
}

void world_fini(struct world *world)
{
	for (uint32_t i = 0; i < world->file_count; i++) {
		free(world->files[i].bytes);
		free(world->files[i].bad);
	}
	world->file_count = 0;
}

struct world_file *world_find(struct world *world, const char *name)
{
	for (uint32_t i = 0; i < world->file_count; i++) {
		if (strcmp(world->files[i].name, name) == 0)
			return &world->files[i];
	}
	return NULL;
}

void world_resize(struct world_file *file, uint64_t size_bytes)
{
	uint8_t *bytes = calloc(1, size_bytes + 1);
	kr_assert(bytes != NULL);
	if (file->bytes != NULL)
		memcpy(bytes, file->bytes, KR_MIN(size_bytes, file->size_bytes));
	free(file->bytes);
	free(file->bad);
	file->bytes = bytes;
	file->bad = calloc(1, size_bytes / LOG_BLOCK_SIZE + 1);
	kr_assert(file->bad != NULL);
	file->size_bytes = size_bytes;
}

struct world_file *world_make(struct world *world, const char *name, uint64_t size_bytes)
{
	world_remove(world, name);
	kr_assert(world->file_count < WORLD_FILE_MAX && strlen(name) < LOG_DIR_NAME_SIZE);
	struct world_file *file = &world->files[world->file_count++];
	memset(file, 0, sizeof(*file));
	memcpy(file->name, name, strlen(name) + 1);
	world_resize(file, size_bytes);
	return file;
}

void world_remove(struct world *world, const char *name)
{
	struct world_file *file = world_find(world, name);
	if (file == NULL)
		return;
	free(file->bytes);
	free(file->bad);
	*file = world->files[--world->file_count];
}

void world_rename(struct world *world, const char *from, const char *to)
{
	kr_assert(world_find(world, from) != NULL);
	world_remove(world, to);
	struct world_file *file = world_find(world, from);
	memcpy(file->name, to, strlen(to) + 1);
}

void world_copy(struct world *to, const struct world *from)
{
	world_init(to);
	to->is_full = from->is_full;
	for (uint32_t i = 0; i < from->file_count; i++) {
		const struct world_file *source = &from->files[i];
		struct world_file *file = world_make(to, source->name, source->size_bytes);
		memcpy(file->bytes, source->bytes, source->size_bytes);
		memcpy(file->bad, source->bad, source->size_bytes / LOG_BLOCK_SIZE);
	}
}

struct world_file *world_segment(struct world *world, uint64_t number)
{
	struct log_dir_text name;
	log_dir_segment_name(number, &name);
	return world_find(world, name.bytes);
}

uint64_t world_effect(uint64_t lsn)
{
	return hash_64_of_u64(lsn);
}

struct log_meta world_meta(uint64_t segment_size_bytes)
{
	return (struct log_meta){
		.cluster = WORLD_CLUSTER,
		.shard = WORLD_SHARD,
		.shard_count = 4,
		.slot_first = 12288,
		.slot_count = 4096,
		.segment_blocks = (uint32_t)(segment_size_bytes / LOG_BLOCK_SIZE),
		.created_us = 1,
	};
}

void world_lay_out(struct world *world, uint64_t segment_size_bytes)
{
	struct log_meta meta = world_meta(segment_size_bytes);
	struct world_file *file = world_make(world, LOG_DIR_SHARD, LOG_BLOCK_SIZE);
	log_meta_encode(&meta, file->bytes);
}

void world_snap(struct world *world, uint64_t begin_lsn, uint64_t end_lsn, uint32_t chunk_count)
{
	struct log_dir_text name;
	struct log_snap_sums sums;
	struct log_snap_header header = {
		.cluster = WORLD_CLUSTER,
		.shard = WORLD_SHARD,
		.shard_count = 4,
		.slot_first = 12288,
		.slot_count = 4096,
		.epoch = 1,
		.begin_lsn = begin_lsn,
	};
	uint8_t body[600];
	log_dir_snap_name(begin_lsn, &name);
	uint64_t most = 1024u * (uint64_t)(chunk_count + 2);
	struct world_file *file = world_make(world, name.bytes, log_block_round(most));
	log_snap_header_encode(&header, &sums, file->bytes);
	for (uint32_t i = 0; i < chunk_count; i++) {
		struct log_snap_chunk chunk = {
			.kind = 2,
			.slot = 12288 + i % 4096,
			.hotel_id = i + 1,
			.lsn = i + 1 == chunk_count ? end_lsn : begin_lsn,
			.digest = hash_64_of_u64(i),
			.body_size_bytes = 500 + i % 64,
		};
		memset(body, (int)i, sizeof(body));
		log_snap_chunk_encode(&chunk, body, &sums, file->bytes + sums.size_bytes);
	}
	struct log_snap_footer footer = {.counts = {chunk_count}};
	log_snap_footer_encode(&footer, &header, &sums, file->bytes + sums.size_bytes);
	world_resize(file, log_block_round(sums.size_bytes));
}

/* Bytes and unreadable blocks of a file, as a reader of whole blocks sees them. */
static void world_read(
	struct world *world, const struct log_recover_event *event, uint8_t *data, uint8_t *bad)
{
	const struct world_file *file = world_find(world, event->name.bytes);
	uint32_t block_count = event->size_bytes / LOG_BLOCK_SIZE;
	memset(data, 0, event->size_bytes);
	for (uint32_t i = 0; i < block_count; i++) {
		uint64_t offset = event->offset_bytes + (uint64_t)i * LOG_BLOCK_SIZE;
		bad[i] = file == NULL || offset + LOG_BLOCK_SIZE > file->size_bytes ||
			 file->bad[offset / LOG_BLOCK_SIZE] != 0;
		if (bad[i] == 0)
			memcpy(data + (size_t)i * LOG_BLOCK_SIZE, file->bytes + offset,
				LOG_BLOCK_SIZE);
	}
}

static void apply(struct applied *applied, const struct log_recover_event *event)
{
	for (uint32_t i = 0; i < event->header->count; i++) {
		const uint8_t *effect = event->body + (size_t)i * EFFECT_SIZE;
		uint64_t lsn = kr_load_u64(effect);
		if (applied->first_lsn == 0)
			applied->first_lsn = lsn;
		else if (lsn != applied->last_lsn + 1)
			applied->is_broken = true;
		if (kr_load_u64(effect + 8) != hash_64_of_u64(lsn) ||
			lsn != event->header->first_lsn + i)
			applied->is_broken = true;
		applied->last_lsn = lsn;
	}
}

/* What an applier says about one step. */
static void judge(struct log_recover *recover, enum log_recover_step step,
	const struct log_recover_event *event, const struct objection *objection,
	struct applied *applied)
{
	uint64_t lsn = event->header == NULL ? 0 : event->header->first_lsn;
	if (step == LOG_RECOVER_RESET) {
		applied->reset_count++;
		applied->chunk_count = 0;
	} else if (step == LOG_RECOVER_CHUNK) {
		applied->chunk_count++;
	} else if (step == LOG_RECOVER_DIGEST) {
		applied->digest_count++;
		applied->digest = event->header->state_digest;
		if (objection != NULL && objection->digest != 0 &&
			objection->digest != applied->digest)
			log_recover_contradict(
				recover, LOG_VERDICT_DIGEST, lsn, "the digests differ");
	} else {
		apply(applied, event);
		if (objection != NULL && objection->lsn != 0 && objection->lsn >= lsn &&
			objection->lsn < lsn + event->header->count)
			log_recover_contradict(recover, LOG_VERDICT_CONTRADICTION, objection->lsn,
				"held was 3, not 4");
	}
}

static void world_drive(struct world *world, struct log_recover *recover,
	const struct objection *objection, struct applied *ret_applied)
{
	static uint8_t data[LOG_RECOVER_WINDOW_SIZE];
	static uint8_t bad[LOG_SCAN_WINDOW_BLOCKS];
	struct log_recover_event event;
	enum log_recover_step step;
	memset(ret_applied, 0, sizeof(*ret_applied));
	for (uint32_t i = 0; i < world->file_count; i++)
		log_recover_add_file(recover, world->files[i].name, world->files[i].size_bytes);
	while ((step = log_recover_next(recover, &event)) != LOG_RECOVER_DONE) {
		if (step == LOG_RECOVER_NEED) {
			world_read(world, &event, data, bad);
			log_recover_feed(recover, data, bad);
		} else {
			judge(recover, step, &event, objection, ret_applied);
		}
	}
}

void world_recover(struct world *world, struct log_recover *recover,
	const struct objection *objection, struct applied *ret_applied)
{
	struct log_meta wanted = world_meta(LOG_BLOCK_SIZE);
	log_recover_init(recover, &wanted);
	world_drive(world, recover, objection, ret_applied);
}

void world_recover_reach(struct world *world, struct log_recover *recover,
	const struct log_reach *reach, struct applied *ret_applied)
{
	log_recover_init(recover, NULL);
	recover->reach = *reach;
	world_drive(world, recover, NULL, ret_applied);
}

static void cut(struct world *world, const struct log_cut *plan)
{
	struct log_dir_text name;
	struct log_dir_text torn;
	struct world_file *file = world_segment(world, plan->segment);
	kr_assert(file != NULL && plan->offset_bytes <= file->size_bytes);
	if (plan->save_size_bytes > 0) {
		unsigned attempt = 0;
		do {
			log_dir_torn_name(plan->segment, plan->seq, attempt++, &torn);
		} while (world_find(world, torn.bytes) != NULL);
		struct world_file *kept = world_make(world, torn.bytes, plan->save_size_bytes);
		file = world_segment(world, plan->segment);
		memcpy(kept->bytes, file->bytes + plan->offset_bytes, plan->save_size_bytes);
	}
	memset(file->bytes + plan->offset_bytes, 0, file->size_bytes - plan->offset_bytes);
	memset(file->bad, 0, file->size_bytes / LOG_BLOCK_SIZE);
	for (uint64_t n = plan->rename_last; n != 0 && n >= plan->rename_first; n--) {
		log_dir_segment_name(n, &name);
		log_dir_torn_name(n, plan->seq, 0, &torn);
		world_rename(world, name.bytes, torn.bytes);
	}
}

void world_repair(struct world *world, const struct log_recover *recover)
{
	const struct log_recover_report *report = &recover->report;
	kr_assert(log_verdict_class(report->verdict) != LOG_VERDICT_REFUSE);
	for (uint32_t i = 0; i < recover->leftover_count; i++)
		world_remove(world, recover->leftovers[i].bytes);
	uint64_t size = (uint64_t)report->meta.segment_blocks * LOG_BLOCK_SIZE;
	for (uint64_t n = KR_MAX(report->scan.end.segment, 1u); world_segment(world, n) != NULL;
		n++) {
		if (world_segment(world, n)->size_bytes < size)
			world_resize(world_segment(world, n), size);
	}
	if (report->scan.cut.is_needed)
		cut(world, &report->scan.cut);
}

struct log_writer_config life_config(struct life *life)
{
	struct log_recover *recover = life->recover;
	struct log_writer_config config = {
		.lineage = {.cluster = WORLD_CLUSTER, .shard = WORLD_SHARD},
		.segment_size_bytes =
			(uint64_t)recover->report.meta.segment_blocks * LOG_BLOCK_SIZE,
		.seal_idle_us = WORLD_SEAL_IDLE_US,
		.space_retry_us = 1000,
		.stop_room_bytes = 2 * LOG_BLOCK_SIZE,
		.recycle_count = 1,
		.buffer = life->buffer,
		.segments = recover->segments,
		.segment_max = LOG_DIR_SEGMENT_MAX,
		.position = recover->report.scan.end,
		.epoch = recover->report.next_epoch,
	};
	if (recover->report.has_mark)
		config.mark = recover->report.mark;
	while (config.segment_count < recover->segment_count &&
		recover->segments[config.segment_count].number <= config.position.segment)
		config.segment_count++;
	config.has_reserve = world_segment(life->world, config.position.segment + 1) != NULL;
	return config;
}

bool life_begin_async(struct life *life, struct world *world, uint64_t sync_interval_us)
{
	memset(life, 0, sizeof(*life));
	life->world = world;
	life->recover = malloc(sizeof(*life->recover));
	life->buffer = aligned_alloc(LOG_BLOCK_SIZE, LOG_WRITER_BUFFER_SIZE);
	kr_assert(life->recover != NULL && life->buffer != NULL);
	world_recover(world, life->recover, NULL, &life->applied);
	if (log_verdict_class(life->recover->report.verdict) == LOG_VERDICT_REFUSE) {
		life_end(life);
		return false;
	}
	world_repair(world, life->recover);
	struct log_writer_config config = life_config(life);
	config.sync_interval_us = sync_interval_us;
	log_writer_init(&life->writer, &config);
	life->now_us = 1000;
	log_writer_open(&life->writer, 5, life->now_us);
	life_run(life);
	return true;
}

bool life_begin(struct life *life, struct world *world)
{
	return life_begin_async(life, world, 0);
}

void life_end(struct life *life)
{
	free(life->recover);
	free(life->buffer);
	life->recover = NULL;
	life->buffer = NULL;
}

static int prepare(struct life *life, const struct log_action *action)
{
	struct log_dir_text name;
	struct log_dir_text old;
	life->prepare_count++;
	log_dir_segment_name(action->segment, &name);
	if (action->recycle != 0) {
		life->recycle_count++;
		log_dir_segment_name(action->recycle, &old);
		world_rename(life->world, old.bytes, name.bytes);
		struct world_file *file = world_find(life->world, name.bytes);
		memset(file->bytes, 0, file->size_bytes);
		return 0;
	}
	if (life->world->is_full)
		return LOG_WRITER_NO_SPACE;
	world_make(life->world, name.bytes, life->writer.config.segment_size_bytes);
	return 0;
}

static int carry_out(struct life *life, const struct log_action *action)
{
	struct log_dir_text name;
	struct world_file *file;
	switch (action->kind) {
	case LOG_ACTION_WRITE:
		life->write_count++;
		life->last_write = *action;
		file = world_segment(life->world, action->segment);
		kr_assert(file != NULL &&
			  action->offset_bytes + action->size_bytes <= file->size_bytes);
		memcpy(file->bytes + action->offset_bytes, action->data, action->size_bytes);
		return 0;
	case LOG_ACTION_MARK:
		life->mark_count++;
		file = world_find(life->world, LOG_DIR_MARK);
		if (file == NULL)
			file = world_make(life->world, LOG_DIR_MARK, LOG_MARK_FILE_SIZE);
		memcpy(file->bytes + action->offset_bytes, action->data, action->size_bytes);
		return 0;
	case LOG_ACTION_PREPARE:
		return prepare(life, action);
	case LOG_ACTION_REMOVE:
		life->remove_count++;
		log_dir_segment_name(action->segment, &name);
		world_remove(life->world, name.bytes);
		return 0;
	default:
		life->sync_count++;
		return 0;
	}
}

void life_run(struct life *life)
{
	struct log_action action;
	while (log_writer_next(&life->writer, &action)) {
		int result = carry_out(life, &action);
		int done = log_writer_done(
			&life->writer, action.kind, action.slot, result, life->now_us);
		kr_assert(done == 0);
	}
}

bool life_append(struct life *life, uint32_t count)
{
	uint32_t size = count * EFFECT_SIZE;
	uint8_t *body = malloc(size);
	uint64_t lsn = log_writer_next_lsn(&life->writer);
	kr_assert(body != NULL && size <= log_writer_body_max(&life->writer));
	for (uint32_t i = 0; i < count; i++) {
		kr_store_u64(body + (size_t)i * EFFECT_SIZE, lsn + i);
		kr_store_u64(body + (size_t)i * EFFECT_SIZE + 8, hash_64_of_u64(lsn + i));
	}
	struct log_append append = {
		.body = body,
		.body_size_bytes = size,
		.count = count,
		.first_lsn = lsn,
		.timestamp_us = life->writer.position.timestamp_us + 1,
	};
	int result = log_writer_append(&life->writer, &append, life->now_us);
	kr_assert(result == 0);
	free(body);
	life_run(life);
	return life->writer.held_count == 0;
}

void life_idle(struct life *life)
{
	uint64_t deadline = log_writer_deadline_us(&life->writer);
	kr_assert(deadline != UINT64_MAX);
	life->now_us = KR_MAX(life->now_us, deadline);
	log_writer_tick(&life->writer, life->now_us);
	life_run(life);
}

void life_stop(struct life *life, const uint64_t *digest)
{
	log_writer_stop(&life->writer, digest, life->now_us);
	life_run(life);
	kr_assert(log_writer_is_stopped(&life->writer));
	life_end(life);
}

void world_forge(struct world *world, struct log_batch_header *header)
{
	uint8_t *batch = calloc(1, LOG_BATCH_SIZE_MAX);
	struct world_file *file = world_segment(world, header->segment);
	kr_assert(batch != NULL && file != NULL);
	header->body_size_bytes = header->count * EFFECT_SIZE;
	for (uint32_t i = 0; i < header->count; i++) {
		uint8_t *effect = batch + LOG_BATCH_HEADER_SIZE + (size_t)i * EFFECT_SIZE;
		kr_store_u64(effect, header->first_lsn + i);
		kr_store_u64(effect + 8, hash_64_of_u64(header->first_lsn + i));
	}
	log_batch_seal(header, batch);
	uint64_t offset = (uint64_t)header->block_index * LOG_BLOCK_SIZE;
	uint32_t size = log_batch_size(header->body_size_bytes);
	kr_assert(offset + size <= file->size_bytes);
	memcpy(file->bytes + offset, batch, size);
	free(batch);
}

struct log_batch_header world_header(struct world *world, uint64_t segment, uint64_t offset_bytes)
{
	struct log_batch_header header;
	struct world_file *file = world_segment(world, segment);
	kr_assert(file != NULL && offset_bytes + LOG_BLOCK_SIZE <= file->size_bytes);
	enum log_batch_status status = log_batch_header_read(file->bytes + offset_bytes, &header);
	kr_assert(status == LOG_BATCH_OK);
	return header;
}
