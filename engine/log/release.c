#include "engine/log/release.h"

#include <string.h>

static void close_file(struct log_release *release)
{
	if (release->is_open)
		io_file_close(&release->file);
	release->is_open = false;
}

static void finish(struct log_release *release, int result)
{
	kr_assert(!release->op.is_running && !release->timer.is_running);
	close_file(release);
	release->errno_number = release->op.errno_number;
	release->failed_step = result < 0 ? release->step : LOG_RELEASE_IDLE;
	release->step = LOG_RELEASE_IDLE;
	release->on_done(release, result);
}

static void next_piece(struct log_release *release)
{
	uint64_t left = release->size_bytes - release->offset_bytes;
	uint64_t most = release->is_hurried ? IO_OP_SIZE_MAX : LOG_RELEASE_PIECE_SIZE;
	kr_assert(
		release->step == LOG_RELEASE_PIECES && release->offset_bytes < release->size_bytes);
	uint64_t size = KR_MIN(left, most);
	io_file_release(&release->file, &release->op, release->offset_bytes, size);
	release->offset_bytes += size;
}

/* Nothing of it counts any more, so whatever fails here is no error. */
static void pieces(struct log_release *release)
{
	bool is_failed = release->op.result < 0;
	kr_assert(!release->op.is_running);
	if (!release->is_open || is_failed || release->offset_bytes >= release->size_bytes)
		finish(release, 0);
	else if (release->offset_bytes == 0 || release->pace_us == 0 || release->is_hurried)
		next_piece(release);
	else
		io_timer_start(release->op.loop, &release->timer,
			io_clock_boot_us(release->op.loop) + release->pace_us);
}

static void stepped(struct io_op *op)
{
	struct log_release *release = op->context;
	kr_assert(release->step != LOG_RELEASE_IDLE);
	if (release->step == LOG_RELEASE_PIECES) {
		pieces(release);
	} else if (op->result < 0) {
		finish(release, op->result);
	} else if (release->step == LOG_RELEASE_UNLINK) {
		release->step = LOG_RELEASE_SYNC_DIRECTORY;
		io_directory_sync(release->directory, op);
	} else {
		kr_assert(release->step == LOG_RELEASE_SYNC_DIRECTORY);
		release->step = LOG_RELEASE_PIECES;
		pieces(release);
	}
}

static void paced(struct io_timer *timer)
{
	struct log_release *release = timer->context;
	next_piece(release);
}

void log_release_init(struct log_release *release, struct io_directory *directory, uint64_t pace_us,
	void (*on_done)(struct log_release *release, int result), void *context)
{
	kr_assert(directory != NULL && on_done != NULL);
	memset(release, 0, sizeof(*release));
	release->directory = directory;
	release->pace_us = pace_us;
	release->on_done = on_done;
	release->context = context;
	io_op_init(&release->op, stepped, release);
	io_timer_init(&release->timer, paced, release);
}

void log_release_fini(struct log_release *release)
{
	kr_assert(!release->op.is_running);
	io_timer_stop(release->directory->loop, &release->timer);
	close_file(release);
	release->step = LOG_RELEASE_IDLE;
}

void log_release_start(struct log_release *release, const char *name)
{
	size_t length = strlen(name);
	kr_assert(release->step == LOG_RELEASE_IDLE && !release->is_open);
	kr_assert(length < sizeof(release->name.bytes));
	memcpy(release->name.bytes, name, length + 1);
	release->is_hurried = false;
	release->offset_bytes = 0;
	release->size_bytes = 0;
	int r = io_file_open(release->directory, &release->file, name, IO_FILE_WRITE);
	release->is_open = r == 0;
	if (r == 0 && io_file_size(&release->file, &release->size_bytes) < 0)
		close_file(release);
	release->step = LOG_RELEASE_UNLINK;
	io_directory_unlink(release->directory, &release->op, release->name.bytes);
}

void log_release_hurry(struct log_release *release)
{
	if (release->is_hurried || release->step == LOG_RELEASE_IDLE)
		return;
	release->is_hurried = true;
	if (release->timer.is_running) {
		kr_assert(release->step == LOG_RELEASE_PIECES);
		io_timer_start(release->directory->loop, &release->timer, 0);
	}
}
