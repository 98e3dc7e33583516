/*
 * Preparing a segment. The order on disk is what counts:
 *
 *   new:       make N.new, allocate, zero, sync, rename to N, sync the directory
 *   recycled:  rename R to N.new, sync the directory, zero, sync, rename to N, sync the directory
 *
 * A crash anywhere leaves R whole, or an N.new that the next start removes, or N whole.
 */
#include "base/bug.h"
#include "engine/log/log_io_priv.h"

#include <string.h>

static void finish(struct log_io *log, int result, int errno_number, const char *doing)
{
	struct log_prepare *prepare = &log->prepare;
	if (prepare->is_open)
		io_file_close(&prepare->file);
	prepare->is_open = false;
	kr_assert(prepare->step != LOG_PREPARE_IDLE);
	prepare->step = LOG_PREPARE_IDLE;
	log_io_done(log, LOG_ACTION_PREPARE, result, errno_number, doing, prepare->name.bytes);
}

/* The disk is full: gives back what was taken, and only then says so. */
static void give_up(struct log_io *log)
{
	struct log_prepare *prepare = &log->prepare;
	kr_assert(prepare->step != LOG_PREPARE_UNLINK);
	if (prepare->is_open)
		io_file_close(&prepare->file);
	prepare->is_open = false;
	prepare->step = LOG_PREPARE_UNLINK;
	io_directory_unlink(&log->store->directory, &prepare->op, prepare->new_name.bytes);
}

static int open_new(struct log_io *log, unsigned flags)
{
	struct log_prepare *prepare = &log->prepare;
	kr_assert(!prepare->is_open);
	int r = io_file_open(&log->store->directory, &prepare->file, prepare->new_name.bytes,
		IO_FILE_WRITE | IO_FILE_DIRECT | flags);
	if (r == 0)
		prepare->is_open = true;
	return r;
}

static void zero_next(struct log_io *log)
{
	struct log_prepare *prepare = &log->prepare;
	uint64_t left = log->writer.config.segment_size_bytes - prepare->offset_bytes;
	kr_assert(prepare->is_open && left > 0);
	prepare->step = LOG_PREPARE_ZERO;
	io_file_write(&prepare->file, &prepare->op, log->zeroes, KR_MIN(left, LOG_IO_ZERO_SIZE),
		prepare->offset_bytes);
}

static void zeroed(struct log_io *log)
{
	struct log_prepare *prepare = &log->prepare;
	prepare->offset_bytes += KR_MIN(
		log->writer.config.segment_size_bytes - prepare->offset_bytes, LOG_IO_ZERO_SIZE);
	kr_assert(prepare->offset_bytes <= log->writer.config.segment_size_bytes);
	if (prepare->offset_bytes == log->writer.config.segment_size_bytes) {
		prepare->step = LOG_PREPARE_SYNC;
		io_file_sync(&prepare->file, &prepare->op);
		return;
	}
	/* A batch that waits for this segment has nothing to be shielded from. */
	if (log->config.pace_us == 0 || log_writer_wants_segment(&log->writer)) {
		zero_next(log);
		return;
	}
	prepare->step = LOG_PREPARE_PACE;
	io_timer_start(
		log->loop, &prepare->timer, io_clock_boot_us(log->loop) + log->config.pace_us);
}

static void paced(struct io_timer *timer)
{
	struct log_io *log = timer->context;
	struct log_prepare *prepare = &log->prepare;
	kr_assert(!log->is_failed);
	if (prepare->step == LOG_PREPARE_FAILED) {
		finish(log, prepare->error, prepare->file.errno_number, "making");
		return;
	}
	kr_assert(prepare->step == LOG_PREPARE_PACE);
	zero_next(log);
}

static void synced(struct log_io *log)
{
	struct log_prepare *prepare = &log->prepare;
	io_file_close(&prepare->file);
	prepare->is_open = false;
	prepare->step = LOG_PREPARE_RENAME;
	io_directory_rename(
		&log->store->directory, &prepare->op, prepare->new_name.bytes, prepare->name.bytes);
}

/* The segment is there for good: it is opened for appends before the writer counts on it. */
static void named(struct log_io *log)
{
	struct log_prepare *prepare = &log->prepare;
	struct log_io_file *file = log_io_file_free(log);
	kr_assert(log_io_file_find(log, prepare->number) == NULL);
	int r = log_io_file_open(log, file, prepare->number);
	finish(log, r, file->file.errno_number, "opening");
}

static void renamed_old(struct log_io *log)
{
	kr_assert(log->prepare.is_recycled);
	log->prepare.step = LOG_PREPARE_SYNC_OLD;
	io_directory_sync(&log->store->directory, &log->prepare.op);
}

static void synced_old(struct log_io *log)
{
	kr_assert(log->prepare.is_recycled);
	int r = open_new(log, 0);
	if (r < 0)
		finish(log, r, log->prepare.file.errno_number, "opening");
	else
		zero_next(log);
}

static bool is_full_disk(const struct io_op *op)
{
	return op->result == -KR_E_NOSPACE;
}

static void unlinked(struct log_io *log)
{
	struct log_prepare *prepare = &log->prepare;
	int result = prepare->op.result;
	kr_assert(!prepare->is_open);
	if (result == -KR_E_NOENT)
		result = 0;
	finish(log, result < 0 ? result : LOG_WRITER_NO_SPACE, prepare->op.errno_number,
		"removing");
}

static void stepped(struct io_op *op)
{
	struct log_io *log = op->context;
	struct log_prepare *prepare = &log->prepare;
	kr_assert(prepare->step != LOG_PREPARE_IDLE && prepare->step != LOG_PREPARE_PACE);
	if (log->is_failed) {
		finish(log, 0, 0, "preparing");
		return;
	}
	if (prepare->step == LOG_PREPARE_UNLINK) {
		unlinked(log);
		return;
	}
	if (is_full_disk(op)) {
		give_up(log);
		return;
	}
	/* A file system that cannot allocate ahead has to find the space while zeroing. */
	bool is_harmless = prepare->step == LOG_PREPARE_ALLOCATE && op->result == -KR_E_UNSUPPORTED;
	if (op->result < 0 && !is_harmless) {
		finish(log, op->result, op->errno_number, "preparing");
		return;
	}
	switch (prepare->step) {
	case LOG_PREPARE_RENAME_OLD:
		renamed_old(log);
		break;
	case LOG_PREPARE_SYNC_OLD:
		synced_old(log);
		break;
	case LOG_PREPARE_ALLOCATE:
		zero_next(log);
		break;
	case LOG_PREPARE_ZERO:
		zeroed(log);
		break;
	case LOG_PREPARE_SYNC:
		synced(log);
		break;
	case LOG_PREPARE_RENAME:
		prepare->step = LOG_PREPARE_SYNC_DIRECTORY;
		if (bug_is(BUG_DIRECTORY_NOT_SYNCED)) {
			named(log);
			break;
		}
		io_directory_sync(&log->store->directory, &prepare->op);
		break;
	default:
		kr_assert(prepare->step == LOG_PREPARE_SYNC_DIRECTORY);
		named(log);
	}
}

void log_prepare_init(struct log_io *log)
{
	memset(&log->prepare, 0, sizeof(log->prepare));
	io_op_init(&log->prepare.op, stepped, log);
	io_timer_init(&log->prepare.timer, paced, log);
	kr_assert(log->prepare.step == LOG_PREPARE_IDLE);
}

void log_prepare_start(struct log_io *log, const struct log_action *action)
{
	struct log_prepare *prepare = &log->prepare;
	kr_assert(prepare->step == LOG_PREPARE_IDLE && !prepare->is_open);
	prepare->number = action->segment;
	prepare->offset_bytes = 0;
	prepare->is_recycled = action->recycle != 0;
	log_dir_segment_name(action->segment, &prepare->name);
	log_dir_segment_new_name(action->segment, &prepare->new_name);
	if (prepare->is_recycled) {
		log_dir_segment_name(action->recycle, &prepare->old_name);
		prepare->step = LOG_PREPARE_RENAME_OLD;
		io_directory_rename(&log->store->directory, &prepare->op, prepare->old_name.bytes,
			prepare->new_name.bytes);
		return;
	}
	prepare->step = LOG_PREPARE_ALLOCATE;
	int r = open_new(log, IO_FILE_CREATE);
	if (r == -KR_E_NOSPACE)
		give_up(log);
	else if (r < 0)
		finish(log, r, prepare->file.errno_number, "making");
	else
		io_file_allocate(
			&prepare->file, &prepare->op, 0, log->writer.config.segment_size_bytes);
}
