#include "engine/log/log_io.h"

#include <string.h>

#include "base/bug.h"
#include "engine/log/log_io_priv.h"
#include "engine/log/store_priv.h"

static void pump(struct log_io *log);

void log_io_config_default(struct log_io_config *ret_config)
{
	*ret_config = (struct log_io_config){
		.seal_idle_us = LOG_SEAL_IDLE_US_DEFAULT,
		.space_retry_us = LOG_SPACE_RETRY_US_DEFAULT,
		.stop_room_bytes = LOG_STOP_ROOM_SIZE_DEFAULT,
		.pace_us = LOG_IO_PACE_US_DEFAULT,
		.recycle_count = LOG_RECYCLE_COUNT_DEFAULT,
	};
}

/* --- open segments --- */

struct log_io_file *log_io_file_find(struct log_io *log, uint64_t number)
{
	kr_assert(number != 0);
	for (uint32_t i = 0; i < LOG_IO_FILE_COUNT; i++) {
		if (log->files[i].number == number)
			return &log->files[i];
	}
	return NULL;
}

struct log_io_file *log_io_file_free(struct log_io *log)
{
	struct log_io_file *found = NULL;
	for (uint32_t i = 0; i < LOG_IO_FILE_COUNT; i++) {
		struct log_io_file *file = &log->files[i];
		/* Appends have gone past it, and so has what is durable. */
		if (file->number != 0 && file->number < log->writer.durable.segment &&
			file->file.in_flight_count == 0) {
			io_file_close(&file->file);
			file->number = 0;
		}
		if (file->number == 0)
			found = file;
	}
	/* Durable, current, reserve: a fourth is never needed. */
	kr_assert(found != NULL);
	return found;
}

int log_io_file_open(struct log_io *log, struct log_io_file *file, uint64_t number)
{
	struct log_dir_text name;
	unsigned flags = IO_FILE_WRITE | IO_FILE_DIRECT;
	if (log->config.sync_interval_us == 0 && !bug_is(BUG_DSYNC_MISSING))
		flags |= IO_FILE_DSYNC;
	log_dir_segment_name(number, &name);
	kr_assert(file->number == 0);
	int r = io_file_open(&log->store->directory, &file->file, name.bytes, flags);
	if (r < 0)
		return r;
	file->number = number;
	log->is_direct = file->file.is_direct;
	return 0;
}

/* --- ends of actions --- */

static void fail(
	struct log_io *log, int error, int errno_number, const char *doing, const char *name)
{
	struct kr_error_text text;
	kr_assert(error < 0);
	if (log->is_failed)
		return;
	log->is_failed = true;
	io_timer_stop(log->loop, &log->timer);
	io_timer_stop(log->loop, &log->prepare.timer);
	io_timer_stop(log->loop, &log->remove.timer);
	(void)kr_error_text_set(
		&text, error, errno_number, "%s the file %s of the log", doing, name);
	log->config.on_failed(log->config.context, error, &text);
}

static void action_done(struct log_io *log, enum log_action_kind kind, uint32_t slot, int result,
	int errno_number, const char *doing, const char *name)
{
	int r = log_writer_done(&log->writer, kind, slot, result, io_clock_boot_us(log->loop));
	if (r < 0) {
		fail(log, r, errno_number, doing, name);
		return;
	}
	if (log->is_failed)
		return;
	kr_assert(result >= 0);
	pump(log);
	log->config.on_progress(log->config.context);
}

void log_io_done(struct log_io *log, enum log_action_kind kind, int result, int errno_number,
	const char *doing, const char *name)
{
	kr_assert(kind != LOG_ACTION_WRITE);
	action_done(log, kind, 0, result, errno_number, doing, name);
}

static void written(struct io_op *op)
{
	struct log_io *log = op->context;
	struct log_dir_text name;
	const uint32_t slot = (uint32_t)(op - log->write_ops);
	kr_assert(slot < LOG_FLIGHT_MAX);
	log_dir_segment_name(log->writer.batches[slot].point.segment, &name);
	action_done(
		log, LOG_ACTION_WRITE, slot, op->result, op->errno_number, "writing", name.bytes);
}

static void marked(struct io_op *op)
{
	struct log_io *log = op->context;
	kr_assert(log->writer.is_under_way[LOG_ACTION_MARK]);
	log_io_done(log, LOG_ACTION_MARK, op->result, op->errno_number, "writing", LOG_DIR_MARK);
}

static void sync_next(struct log_io *log)
{
	/* Segments that were closed are durable: only those between are still open. */
	while (log->sync_number < log->sync_last && log_io_file_find(log, log->sync_number) == NULL)
		log->sync_number++;
	struct log_io_file *file = log_io_file_find(log, log->sync_number);
	kr_assert(file != NULL);
	io_file_sync(&file->file, &log->sync_op);
}

static void synced(struct io_op *op)
{
	struct log_io *log = op->context;
	struct log_dir_text name;
	kr_assert(log->writer.is_under_way[LOG_ACTION_SYNC]);
	if (op->result == 0 && log->sync_number < log->sync_last) {
		log->sync_number++;
		sync_next(log);
		return;
	}
	log_dir_segment_name(log->sync_number, &name);
	log_io_done(log, LOG_ACTION_SYNC, op->result, op->errno_number, "syncing", name.bytes);
}

static void removed(struct log_release *release, int result)
{
	struct log_io *log = release->context;
	kr_assert(log->writer.is_under_way[LOG_ACTION_REMOVE]);
	log_io_done(log, LOG_ACTION_REMOVE, result, release->errno_number, "removing",
		release->name.bytes);
}

/* --- starts of actions --- */

static void start(struct log_io *log, const struct log_action *action)
{
	struct log_io_file *file;
	struct log_dir_text name;
	switch (action->kind) {
	case LOG_ACTION_WRITE:
		file = log_io_file_find(log, action->segment);
		kr_assert(file != NULL);
		kr_assert(action->slot < LOG_FLIGHT_MAX);
		io_file_write(&file->file, &log->write_ops[action->slot], action->data,
			action->size_bytes, action->offset_bytes);
		break;
	case LOG_ACTION_MARK:
		io_file_write(&log->mark, &log->mark_op, action->data, action->size_bytes,
			action->offset_bytes);
		break;
	case LOG_ACTION_SYNC:
		log->sync_number = action->sync_first;
		log->sync_last = action->segment;
		sync_next(log);
		break;
	case LOG_ACTION_PREPARE:
		log_prepare_start(log, action);
		break;
	default:
		kr_assert(action->kind == LOG_ACTION_REMOVE);
		log_dir_segment_name(action->segment, &name);
		log_release_start(&log->remove, name.bytes);
	}
}

static void arm(struct log_io *log)
{
	uint64_t deadline = log_writer_deadline_us(&log->writer);
	if (deadline == UINT64_MAX) {
		io_timer_stop(log->loop, &log->timer);
		return;
	}
	/* Idleness moves on with every batch: an early timer costs less than one set anew. */
	if (!log->timer.is_running || log->timer.deadline_us > deadline)
		io_timer_start(log->loop, &log->timer, deadline);
	kr_assert(log->timer.is_running);
}

static void pump(struct log_io *log)
{
	struct log_action action;
	kr_assert(!log->is_failed);
	while (log_writer_next(&log->writer, &action))
		start(log, &action);
	/* A batch that waits for the next segment, or the end of the process, waits for this. */
	if (log->writer.is_under_way[LOG_ACTION_REMOVE] &&
		(log->writer.life != LOG_WRITER_OPEN || log_writer_wants_segment(&log->writer)))
		log_release_hurry(&log->remove);
	arm(log);
}

static void due(struct io_timer *timer)
{
	struct log_io *log = timer->context;
	kr_assert(!log->is_failed);
	log_writer_tick(&log->writer, io_clock_boot_us(log->loop));
	pump(log);
	log->config.on_progress(log->config.context);
}

static void woken(struct io_timer *timer)
{
	struct log_io *log = timer->context;
	if (!log->is_failed)
		log->config.on_progress(log->config.context);
}

/* --- lifecycle --- */

/* MARK has its size and its name before the first one is written. */
static int open_mark(struct log_io *log, struct kr_error_text *text)
{
	struct io_directory *directory = &log->store->directory;
	uint64_t size = 0;
	int r = io_file_open(directory, &log->mark, LOG_DIR_MARK,
		IO_FILE_WRITE | IO_FILE_CREATE | IO_FILE_DIRECT | IO_FILE_DSYNC);
	if (r < 0)
		return log_store_failed(r, log->mark.errno_number, "opening", LOG_DIR_MARK, text);
	r = io_file_size(&log->mark, &size);
	if (r == 0 && size < LOG_MARK_FILE_SIZE) {
		/* Whatever is there is no whole pair of blocks, so nothing of it counts. */
		r = io_file_write_now(&log->mark, log->zeroes, LOG_MARK_FILE_SIZE, 0);
		if (r == 0)
			r = io_file_sync_now(&log->mark);
		if (r == 0)
			r = io_directory_sync_now(directory);
	}
	if (r < 0) {
		io_file_close(&log->mark);
		return log_store_failed(r, log->mark.errno_number, "opening", LOG_DIR_MARK, text);
	}
	return 0;
}

static void configure_writer(struct log_io *log)
{
	struct log_recover *recover = log->store->recover;
	const struct log_recover_report *report = &recover->report;
	struct log_writer_config config = {
		.lineage = {.cluster = report->meta.cluster, .shard = report->meta.shard},
		.segment_size_bytes = (uint64_t)report->meta.segment_blocks * LOG_BLOCK_SIZE,
		.seal_idle_us = log->config.seal_idle_us,
		.sync_interval_us = log->config.sync_interval_us,
		.space_retry_us = log->config.space_retry_us,
		.stop_room_bytes = log->config.stop_room_bytes,
		.recycle_count = log->config.recycle_count,
		.archive_keep_count = log->config.archive_keep_count,
		.buffer = log->memory.base,
		.segments = recover->segments,
		.segment_max = LOG_DIR_SEGMENT_MAX,
		.segment_count = recover->segment_count,
		.position = report->scan.end,
		.has_reserve = log->store->has_reserve,
		.epoch = report->next_epoch,
	};
	if (report->has_mark)
		config.mark = report->mark;
	kr_assert(config.lineage.cluster != 0);
	log_writer_init(&log->writer, &config);
}

static int open_segments(struct log_io *log, struct kr_error_text *text)
{
	uint64_t end = log->writer.position.segment;
	for (uint64_t number = end; number <= end + log->writer.has_reserve; number++) {
		struct log_dir_text name;
		if (number == 0)
			continue;
		struct log_io_file *file = log_io_file_free(log);
		int r = log_io_file_open(log, file, number);
		if (r < 0) {
			log_dir_segment_name(number, &name);
			return log_store_failed(
				r, file->file.errno_number, "opening", name.bytes, text);
		}
	}
	kr_assert(end == 0 || log_io_file_find(log, end) != NULL);
	return 0;
}

int log_io_init(struct log_io *log, struct log_store *store, const struct log_io_config *config,
	struct kr_error_text *text)
{
	kr_assert(store->is_repaired);
	kr_assert(config->on_progress != NULL && config->on_failed != NULL);
	memset(log, 0, sizeof(*log));
	log->store = store;
	log->loop = store->loop;
	log->config = *config;
	int r = kr_memory_reserve(&log->memory, LOG_WRITER_BUFFER_SIZE + LOG_IO_ZERO_SIZE, 0,
		io_loop_faults(log->loop), text);
	if (r < 0)
		return r;
	log->zeroes = (const uint8_t *)log->memory.base + LOG_WRITER_BUFFER_SIZE;
	for (uint32_t i = 0; i < LOG_FLIGHT_MAX; i++)
		io_op_init(&log->write_ops[i], written, log);
	io_op_init(&log->mark_op, marked, log);
	io_op_init(&log->sync_op, synced, log);
	log_release_init(&log->remove, &store->directory,
		config->pace_us > 0 ? LOG_RELEASE_PACE_US_DEFAULT : 0, removed, log);
	io_timer_init(&log->timer, due, log);
	io_timer_init(&log->wake, woken, log);
	log_prepare_init(log);
	configure_writer(log);
	r = open_mark(log, text);
	if (r < 0) {
		kr_memory_release(&log->memory);
		return r;
	}
	r = open_segments(log, text);
	if (r < 0)
		log_io_fini(log);
	return r;
}

bool log_io_is_busy(const struct log_io *log)
{
	bool is_writing = false;
	for (uint32_t i = 0; i < LOG_FLIGHT_MAX; i++)
		is_writing |= log->write_ops[i].is_running;
	return is_writing || log->mark_op.is_running || log->sync_op.is_running ||
	       log->remove.op.is_running || log->prepare.op.is_running;
}

void log_io_halt(struct log_io *log)
{
	kr_assert(!log_io_is_busy(log));
	io_timer_stop(log->loop, &log->timer);
	io_timer_stop(log->loop, &log->wake);
	io_timer_stop(log->loop, &log->prepare.timer);
	io_timer_stop(log->loop, &log->remove.timer);
}

void log_io_fini(struct log_io *log)
{
	log_io_halt(log);
	log_release_fini(&log->remove);
	if (log->prepare.is_open)
		io_file_close(&log->prepare.file);
	for (uint32_t i = 0; i < LOG_IO_FILE_COUNT; i++) {
		if (log->files[i].number != 0)
			io_file_close(&log->files[i].file);
	}
	io_file_close(&log->mark);
	kr_memory_release(&log->memory);
	memset(log->files, 0, sizeof(log->files));
}

void log_io_open(struct log_io *log, uint64_t timestamp_us)
{
	kr_assert(!log->is_failed);
	log_writer_open(&log->writer, timestamp_us, io_clock_boot_us(log->loop));
	pump(log);
}

int log_io_append(struct log_io *log, const struct log_append *append)
{
	if (log->is_failed)
		return LOG_WRITER_BUSY;
	int r = log_writer_append(&log->writer, append, io_clock_boot_us(log->loop));
	kr_assert(r == 0 || r == LOG_WRITER_BUSY);
	if (r == 0)
		pump(log);
	return r;
}

void log_io_prune(struct log_io *log, uint64_t floor_lsn)
{
	if (log->is_failed)
		return;
	kr_assert(floor_lsn <= log_writer_durable_lsn(&log->writer));
	log_writer_prune(&log->writer, floor_lsn, io_clock_boot_us(log->loop));
	pump(log);
}

void log_io_archived(struct log_io *log, uint64_t segment)
{
	if (log->is_failed)
		return;
	kr_assert(segment != 0);
	log_writer_archived(&log->writer, segment, io_clock_boot_us(log->loop));
	pump(log);
}

void log_io_stop(struct log_io *log, const uint64_t *state_digest)
{
	if (log->is_failed)
		return;
	log_writer_stop(&log->writer, state_digest, io_clock_boot_us(log->loop));
	pump(log);
	/* With everything sealed already there may be nothing to wait for. */
	if (log_io_is_stopped(log))
		io_timer_start(log->loop, &log->wake, 0);
}
