#include "engine/log/snap_io.h"

#include <string.h>

#include "base/bug.h"

kr_static_assert(LOG_SNAP_IO_HALF_SIZE >= LOG_SNAP_BODY_SIZE_MAX + 2 * LOG_BLOCK_SIZE, "fits");

static void work(struct log_snap_io *snap);

static uint8_t *half_of(const struct log_snap_io *snap, unsigned index)
{
	kr_assert(index < 2);
	return (uint8_t *)snap->memory.base + (size_t)index * LOG_SNAP_IO_HALF_SIZE;
}

static void close_file(struct log_snap_io *snap)
{
	if (snap->is_open)
		io_file_close(&snap->file);
	snap->is_open = false;
}

static void finish(struct log_snap_io *snap)
{
	kr_assert(!snap->op.is_running && !snap->is_open);
	snap->step = LOG_SNAP_IO_IDLE;
	snap->has_slice = false;
	snap->config.on_done(snap->config.context, snap->result, &snap->text);
}

/* Removes what there is of it, then says so. */
static void fail(
	struct log_snap_io *snap, int result, int error, int errno_number, const char *doing)
{
	kr_assert(result != 0 && snap->step != LOG_SNAP_IO_UNLINK);
	const char *name = snap->is_named ? snap->name.bytes : snap->new_name.bytes;
	snap->result = error == -KR_E_NOSPACE ? LOG_SNAP_IO_NO_SPACE : result;
	(void)kr_error_text_set(
		&snap->text, error, errno_number, "%s the snapshot %s", doing, name);
	close_file(snap);
	if (result < 0) {
		finish(snap);
		return;
	}
	snap->step = LOG_SNAP_IO_UNLINK;
	io_directory_unlink(&snap->store->directory, &snap->op, name);
}

/* --- pieces of `moving`, to the file or from it --- */

static void move_piece(struct log_snap_io *snap)
{
	kr_assert(snap->moving_size_bytes > 0 && snap->is_open);
	snap->piece_size_bytes = KR_MIN(snap->moving_size_bytes, LOG_SNAP_IO_PIECE_SIZE);
	if (snap->step == LOG_SNAP_IO_WRITE)
		io_file_write(&snap->file, &snap->op, snap->moving, snap->piece_size_bytes,
			snap->file_offset_bytes);
	else
		io_file_read(&snap->file, &snap->op, snap->moving, snap->piece_size_bytes,
			snap->file_offset_bytes);
}

static void moved(struct log_snap_io *snap)
{
	kr_assert(snap->piece_size_bytes <= snap->moving_size_bytes);
	snap->moving += snap->piece_size_bytes;
	snap->moving_size_bytes -= snap->piece_size_bytes;
	snap->file_offset_bytes += snap->piece_size_bytes;
	if (snap->config.pace_us > 0)
		io_timer_start(snap->loop, &snap->timer,
			io_clock_boot_us(snap->loop) + snap->config.pace_us);
	else
		work(snap);
}

/* --- writing --- */

static int open_new(struct log_snap_io *snap)
{
	uint64_t size = 0;
	int r = io_file_open(&snap->store->directory, &snap->file, snap->new_name.bytes,
		IO_FILE_WRITE | IO_FILE_CREATE | IO_FILE_DIRECT);
	if (r < 0)
		return r;
	snap->is_open = true;
	r = io_file_size(&snap->file, &size);
	if (r == 0 && size > 0)
		r = io_file_truncate_now(&snap->file, 0);
	kr_assert(r <= 0);
	return r;
}

static int begin(struct log_snap_io *snap)
{
	const struct log_snap_slice *slice = &snap->slice;
	const struct log_meta *meta = &snap->store->recover->report.meta;
	snap->header = (struct log_snap_header){
		.cluster = meta->cluster,
		.shard = meta->shard,
		.shard_count = meta->shard_count,
		.slot_first = meta->slot_first,
		.slot_count = meta->slot_count,
		.epoch = slice->epoch,
		.begin_lsn = slice->begin_lsn,
		.timestamp_us = slice->timestamp_us,
	};
	kr_assert(snap->store->snap_count == 0 || snap->store->snap_lsns[0] < slice->begin_lsn);
	log_dir_snap_name(slice->begin_lsn, &snap->name);
	log_dir_snap_new_name(slice->begin_lsn, &snap->new_name);
	snap->is_named = false;
	snap->is_ended = false;
	snap->result = 0;
	kr_error_text_clear(&snap->text);
	snap->file_offset_bytes = 0;
	snap->moving_size_bytes = 0;
	snap->fill = 0;
	log_snap_header_encode(&snap->header, &snap->sums, half_of(snap, 0));
	snap->fill_size_bytes = LOG_SNAP_HEADER_SIZE;
	return open_new(snap);
}

/* Hands the filled half's whole blocks to be written; what is left begins the other half. */
static void turn(struct log_snap_io *snap)
{
	uint8_t *full = half_of(snap, snap->fill);
	uint32_t whole = snap->fill_size_bytes & ~(LOG_BLOCK_SIZE - 1);
	uint32_t rest = snap->fill_size_bytes - whole;
	kr_assert(snap->moving_size_bytes == 0 && whole > 0);
	snap->fill ^= 1;
	memcpy(half_of(snap, snap->fill), full + whole, rest);
	snap->fill_size_bytes = rest;
	snap->moving = full;
	snap->moving_size_bytes = whole;
	move_piece(snap);
}

static bool has_room(const struct log_snap_io *snap, uint32_t size_bytes)
{
	kr_assert(snap->fill_size_bytes <= LOG_SNAP_IO_HALF_SIZE);
	return size_bytes <= LOG_SNAP_IO_HALF_SIZE - snap->fill_size_bytes;
}

/* Takes chunks until the half is full; false: it is. */
static bool take_chunks(struct log_snap_io *snap)
{
	while (snap->chunk_index < snap->slice.chunk_count) {
		struct log_snap_chunk chunk = snap->slice.chunks[snap->chunk_index];
		if (!has_room(snap, log_snap_chunk_size(chunk.body_size_bytes)))
			return false;
		log_snap_chunk_encode(&chunk, snap->slice.bodies[snap->chunk_index], &snap->sums,
			half_of(snap, snap->fill) + snap->fill_size_bytes);
		snap->fill_size_bytes += log_snap_chunk_size(chunk.body_size_bytes);
		snap->chunk_index++;
		kr_assert(snap->fill_size_bytes % 8 == 0);
	}
	return true;
}

static bool take_footer(struct log_snap_io *snap)
{
	struct log_snap_footer footer = {.timestamp_us = snap->slice.timestamp_us};
	if (!has_room(snap, LOG_SNAP_FOOTER_SIZE + LOG_BLOCK_SIZE))
		return false;
	kr_assert(!snap->is_ended);
	memcpy(footer.counts, snap->slice.counts, sizeof(footer.counts));
	uint8_t *at = half_of(snap, snap->fill) + snap->fill_size_bytes;
	log_snap_footer_encode(&footer, &snap->header, &snap->sums, at);
	snap->fill_size_bytes += LOG_SNAP_FOOTER_SIZE;
	uint32_t end = (uint32_t)log_block_round(snap->fill_size_bytes);
	memset(half_of(snap, snap->fill) + snap->fill_size_bytes, 0, end - snap->fill_size_bytes);
	snap->fill_size_bytes = end;
	snap->is_ended = true;
	return true;
}

/* Fills one half while the other is on its way to the disk. */
static void work_write(struct log_snap_io *snap)
{
	bool is_full = false;
	if (snap->has_slice)
		is_full = !take_chunks(snap) || (snap->slice.is_last && !take_footer(snap));
	bool is_much =
		is_full || snap->is_ended || snap->fill_size_bytes >= LOG_SNAP_IO_HALF_SIZE / 2;
	if (snap->moving_size_bytes > 0) {
		if (!snap->op.is_running && !snap->timer.is_running)
			move_piece(snap);
	} else if (snap->is_ended && snap->fill_size_bytes == 0) {
		snap->step = LOG_SNAP_IO_SYNC;
		io_file_sync(&snap->file, &snap->op);
	} else if (is_much) {
		turn(snap);
	}
	if (snap->has_slice && !is_full) {
		kr_assert(snap->chunk_index == snap->slice.chunk_count);
		snap->has_slice = false;
		if (!snap->slice.is_last)
			snap->config.on_slice(snap->config.context);
	}
}

/* --- reading back --- */

static void verify_begin(struct log_snap_io *snap)
{
	struct log_lineage lineage = {.cluster = snap->header.cluster, .shard = snap->header.shard};
	uint64_t size = 0;
	int r = io_file_open(&snap->store->directory, &snap->file, snap->name.bytes,
		IO_FILE_READ | IO_FILE_DIRECT);
	if (r == 0) {
		snap->is_open = true;
		r = io_file_size(&snap->file, &size);
	}
	if (r < 0) {
		fail(snap, LOG_SNAP_IO_FAILED, r, snap->file.errno_number, "reading back");
		return;
	}
	kr_assert(size > 0);
	snap->step = LOG_SNAP_IO_VERIFY;
	snap->moving_size_bytes = 0;
	snap->is_fed = true;
	log_snap_reader_init(&snap->reader, &lineage, snap->header.begin_lsn, size);
	work(snap);
}

static void verified(struct log_snap_io *snap)
{
	struct log_store *store = snap->store;
	/* Whole, but is it the one that was written? */
	if (snap->reader.sums.chain != snap->sums.chain) {
		fail(snap, LOG_SNAP_IO_FAILED, -KR_E_CORRUPT, 0, "reading back");
		return;
	}
	kr_assert(snap->reader.sums.digest == snap->sums.digest);
	close_file(snap);
	store->snap_lsns[1] = store->snap_lsns[0];
	store->snap_lsns[0] = snap->header.begin_lsn;
	store->snap_count = KR_MIN(store->snap_count + 1, 2u);
	snap->step = LOG_SNAP_IO_REMOVE_OLD;
	work(snap);
}

static void work_verify(struct log_snap_io *snap)
{
	struct log_snap_event event;
	if (snap->moving_size_bytes > 0) {
		move_piece(snap);
		return;
	}
	if (!snap->is_fed) {
		snap->is_fed = true;
		log_snap_reader_feed(&snap->reader, snap->memory.base);
	}
	enum log_snap_step step;
	while ((step = log_snap_reader_next(&snap->reader, &event)) == LOG_SNAP_CHUNK)
		kr_assert(event.chunk != NULL);
	if (step == LOG_SNAP_NEED) {
		kr_assert(event.size_bytes <= LOG_SNAP_WINDOW_SIZE);
		snap->is_fed = false;
		snap->moving = snap->memory.base;
		snap->moving_size_bytes = event.size_bytes;
		snap->file_offset_bytes = event.offset_bytes;
		move_piece(snap);
	} else if (snap->reader.status == LOG_SNAP_OK) {
		verified(snap);
	} else {
		fail(snap, LOG_SNAP_IO_FAILED, -KR_E_CORRUPT, 0,
			log_snap_status_text(snap->reader.status));
	}
}

/* --- removing what is older than the two kept --- */

static void find_old(void *context, const char *name)
{
	struct log_snap_io *snap = context;
	struct log_dir_name parsed;
	log_dir_parse(name, &parsed);
	kr_assert(snap->store->snap_count <= 2);
	/* With one known to be whole, whatever else there is stays. */
	if (snap->store->snap_count < 2 || parsed.kind != LOG_DIR_SNAP)
		return;
	if (parsed.number < snap->store->snap_lsns[1] && snap->old_name.bytes[0] == '\0')
		memcpy(snap->old_name.bytes, name, strlen(name) + 1);
}

static void work_remove_old(struct log_snap_io *snap)
{
	kr_assert(!snap->is_open);
	memset(&snap->old_name, 0, sizeof(snap->old_name));
	int r = io_directory_list(&snap->store->directory, find_old, snap);
	/* One that stays costs room, no more. */
	if (r < 0 || snap->old_name.bytes[0] == '\0') {
		finish(snap);
		return;
	}
	log_release_start(&snap->remove, snap->old_name.bytes);
}

static void removed(struct log_release *release, int result)
{
	struct log_snap_io *snap = release->context;
	kr_assert(snap->step == LOG_SNAP_IO_REMOVE_OLD);
	if (result == 0) {
		work(snap);
		return;
	}
	/* A name that is still there costs room, no more. One whose removal could not be synced is
	 * another matter: what shares its block with it may be lost without a word. */
	if (release->failed_step == LOG_RELEASE_SYNC_DIRECTORY) {
		snap->result = result;
		(void)kr_error_text_set(&snap->text, result, release->errno_number,
			"syncing the directory of the snapshot %s", release->name.bytes);
	}
	finish(snap);
}

/* --- steps --- */

static void work(struct log_snap_io *snap)
{
	kr_assert(!snap->op.is_running || snap->step == LOG_SNAP_IO_WRITE);
	kr_assert(!snap->is_starting);
	switch (snap->step) {
	case LOG_SNAP_IO_WRITE:
		work_write(snap);
		break;
	case LOG_SNAP_IO_VERIFY:
		work_verify(snap);
		break;
	case LOG_SNAP_IO_REMOVE_OLD:
		work_remove_old(snap);
		break;
	default:
		kr_unreachable();
	}
}

static const char *const doing[] = {
	[LOG_SNAP_IO_WRITE] = "writing",
	[LOG_SNAP_IO_SYNC] = "syncing",
	[LOG_SNAP_IO_RENAME] = "renaming",
	[LOG_SNAP_IO_SYNC_DIRECTORY] = "syncing the directory of",
	[LOG_SNAP_IO_VERIFY] = "reading back",
};

/* True: the error was dealt with. */
static bool stepped_badly(struct log_snap_io *snap)
{
	const struct io_op *op = &snap->op;
	if (op->result == 0)
		return false;
	if (snap->step == LOG_SNAP_IO_UNLINK)
		return false;
	kr_assert((unsigned)snap->step < KR_ARRAY_COUNT(doing) && doing[snap->step] != NULL);
	int result = snap->step == LOG_SNAP_IO_SYNC_DIRECTORY ? op->result : LOG_SNAP_IO_FAILED;
	fail(snap, result, op->result, op->errno_number, doing[snap->step]);
	return true;
}

static void stepped(struct io_op *op)
{
	struct log_snap_io *snap = op->context;
	kr_assert(snap->step != LOG_SNAP_IO_IDLE);
	if (stepped_badly(snap))
		return;
	switch (snap->step) {
	case LOG_SNAP_IO_WRITE:
	case LOG_SNAP_IO_VERIFY:
		moved(snap);
		break;
	case LOG_SNAP_IO_SYNC:
		close_file(snap);
		snap->step = LOG_SNAP_IO_RENAME;
		io_directory_rename(
			&snap->store->directory, &snap->op, snap->new_name.bytes, snap->name.bytes);
		break;
	case LOG_SNAP_IO_RENAME:
		snap->is_named = true;
		snap->step = LOG_SNAP_IO_SYNC_DIRECTORY;
		io_directory_sync(&snap->store->directory, &snap->op);
		break;
	case LOG_SNAP_IO_SYNC_DIRECTORY:
		if (bug_is(BUG_SNAPSHOT_UNVERIFIED)) {
			snap->reader.sums = snap->sums;
			verified(snap);
			break;
		}
		verify_begin(snap);
		break;
	default:
		kr_assert(snap->step == LOG_SNAP_IO_UNLINK);
		finish(snap);
	}
}

static void due(struct io_timer *timer)
{
	struct log_snap_io *snap = timer->context;
	kr_assert(snap->step != LOG_SNAP_IO_IDLE);
	if (snap->is_starting) {
		snap->is_starting = false;
		int r = begin(snap);
		if (r < 0) {
			fail(snap, LOG_SNAP_IO_FAILED, r, snap->file.errno_number, "making");
			return;
		}
	}
	work(snap);
}

int log_snap_io_init(struct log_snap_io *snap, struct log_store *store,
	const struct log_snap_io_config *config, struct kr_error_text *text)
{
	kr_assert(store->is_repaired);
	kr_assert(config->on_slice != NULL && config->on_done != NULL);
	memset(snap, 0, sizeof(*snap));
	snap->store = store;
	snap->loop = store->loop;
	snap->config = *config;
	io_op_init(&snap->op, stepped, snap);
	io_timer_init(&snap->timer, due, snap);
	log_release_init(&snap->remove, &store->directory,
		config->pace_us > 0 ? LOG_RELEASE_PACE_US_DEFAULT : 0, removed, snap);
	return kr_memory_reserve(
		&snap->memory, LOG_SNAP_WINDOW_SIZE, 0, io_loop_faults(snap->loop), text);
}

bool log_snap_io_is_busy(const struct log_snap_io *snap)
{
	kr_assert(snap->step != LOG_SNAP_IO_IDLE || !snap->op.is_running);
	return snap->step != LOG_SNAP_IO_IDLE;
}

void log_snap_io_hurry(struct log_snap_io *snap)
{
	kr_assert(snap->store != NULL);
	snap->config.pace_us = 0;
	snap->remove.pace_us = 0;
	if (snap->timer.is_running)
		io_timer_start(snap->loop, &snap->timer, 0);
	log_release_hurry(&snap->remove);
}

void log_snap_io_fini(struct log_snap_io *snap)
{
	kr_assert(!snap->op.is_running);
	log_release_fini(&snap->remove);
	io_timer_stop(snap->loop, &snap->timer);
	close_file(snap);
	kr_memory_release(&snap->memory);
	snap->step = LOG_SNAP_IO_IDLE;
}

void log_snap_io_slice(struct log_snap_io *snap, const struct log_snap_slice *slice)
{
	kr_assert(!snap->has_slice);
	kr_assert(snap->step == (slice->is_first ? LOG_SNAP_IO_IDLE : LOG_SNAP_IO_WRITE));
	if (slice->is_first) {
		snap->step = LOG_SNAP_IO_WRITE;
		snap->is_starting = true;
	}
	kr_assert(slice->is_first || !snap->is_ended);
	snap->slice = *slice;
	snap->has_slice = true;
	snap->chunk_index = 0;
	if (!snap->timer.is_running)
		io_timer_start(snap->loop, &snap->timer, 0);
}

uint64_t log_snap_io_floor(const struct log_snap_io *snap)
{
	kr_assert(snap->store->snap_count <= 2);
	return snap->store->snap_count == 2 ? snap->store->snap_lsns[1] : 0;
}
