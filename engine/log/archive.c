#include "engine/log/archive.h"

#include <string.h>

#include "engine/log/store_priv.h"

static uint8_t *piece_of(const struct log_archive *archive, unsigned index)
{
	kr_assert(index < 2);
	return (uint8_t *)archive->memory.base + (size_t)index * LOG_ARCHIVE_PIECE_SIZE;
}

/* A write of a killed process may still be on its way to what it had begun: that is left to it. */
static int open_new(struct io_directory *directory, const char *name, struct io_file *file)
{
	int r = io_directory_unlink_now(directory, name);
	kr_assert(r <= 0);
	if (r < 0 && r != -KR_E_NOENT) {
		file->errno_number = directory->errno_number;
		return r;
	}
	return io_file_open(directory, file, name, IO_FILE_WRITE | IO_FILE_CREATE | IO_FILE_DIRECT);
}

/* ---- whose archive it is ---- */

static int name_write(struct log_archive *archive, struct io_file *file)
{
	struct log_meta meta = archive->log->store->recover->report.meta;
	struct io_directory *directory = &archive->directory;
	uint8_t *block = piece_of(archive, 0);
	log_meta_encode(&meta, block);
	int r = open_new(directory, LOG_DIR_SHARD LOG_DIR_NEW_SUFFIX, file);
	if (r < 0)
		return r;
	r = io_file_write_now(file, block, LOG_BLOCK_SIZE, 0);
	if (r == 0)
		r = io_file_sync_now(file);
	io_file_close(file);
	if (r == 0)
		r = io_directory_rename_now(
			directory, LOG_DIR_SHARD LOG_DIR_NEW_SUFFIX, LOG_DIR_SHARD);
	kr_assert(r <= 0);
	return r < 0 ? r : io_directory_sync_now(directory);
}

static int name_check(struct log_archive *archive, struct io_file *file, const char **ret_other)
{
	struct log_meta found;
	uint32_t version;
	size_t size = 0;
	uint8_t *block = piece_of(archive, 0);
	*ret_other = NULL;
	int r = io_file_open(
		&archive->directory, file, LOG_DIR_SHARD, IO_FILE_READ | IO_FILE_DIRECT);
	if (r == -KR_E_NOENT)
		return name_write(archive, file);
	if (r < 0)
		return r;
	r = io_file_read_now(file, block, LOG_BLOCK_SIZE, 0, &size);
	io_file_close(file);
	if (r < 0)
		return r;
	if (size < LOG_BLOCK_SIZE || log_meta_decode(block, &found, &version) != LOG_META_OK)
		*ret_other = "its SHARD file is damaged";
	else
		*ret_other =
			log_meta_difference(&found, &archive->log->store->recover->report.meta);
	kr_assert(size <= LOG_BLOCK_SIZE);
	return 0;
}

static int name_settle(struct log_archive *archive, struct kr_error_text *text)
{
	struct io_file file = {0};
	const char *other;
	int r = name_check(archive, &file, &other);
	kr_assert(r <= 0);
	if (r < 0)
		return kr_error_text_set(text, r, file.errno_number,
			"the archive %s: opening its file " LOG_DIR_SHARD, archive->config.path);
	if (other != NULL)
		return kr_error_text_set(text, -KR_E_INVALID, 0,
			"the archive %s is not this shard's: %s", archive->config.path, other);
	return 0;
}

/* ---- copying ---- */

static void close_files(struct log_archive *archive)
{
	kr_assert(!archive->op.is_running);
	if (archive->is_from_open)
		io_file_close(&archive->from);
	if (archive->is_to_open)
		io_file_close(&archive->to);
	archive->is_from_open = false;
	archive->is_to_open = false;
}

static void note(struct log_archive *archive, const char *sentence)
{
	kr_assert(sentence[0] != '\0');
	if (archive->config.on_note != NULL)
		archive->config.on_note(archive->config.context, sentence);
}

static void changed(struct log_archive *archive)
{
	kr_assert(archive->log != NULL);
	if (archive->config.on_change != NULL)
		archive->config.on_change(archive->config.context);
}

static void fail(struct log_archive *archive, int error, int errno_number, const char *doing)
{
	char bytes[KR_ERROR_TEXT_SIZE * 2];
	struct kr_error_text what;
	struct kr_text text;
	kr_assert(error < 0 && archive->step != LOG_ARCHIVE_IDLE);
	close_files(archive);
	/* What there is of it would only take room; the next try begins anew. */
	int r = io_directory_unlink_now(&archive->directory, archive->new_name.bytes);
	kr_assert(r <= 0);
	archive->failure_count++;
	archive->is_suspect = true;
	archive->step = LOG_ARCHIVE_RETRY;
	io_timer_start(archive->loop, &archive->timer,
		io_clock_boot_us(archive->loop) + archive->config.retry_us);
	if (!archive->is_failing) {
		archive->is_failing = true;
		(void)kr_error_text_set(
			&what, error, errno_number, "%s %s", doing, archive->name.bytes);
		kr_text_init(&text, bytes, sizeof(bytes));
		kr_text_format(&text,
			"the archive %s fails: %s (%s); segments of the log stay, up to %u more, "
			"then no new work is taken; it is tried again every %llu s",
			archive->config.path, what.bytes, kr_error_sentence(error),
			archive->log->config.archive_keep_count,
			(unsigned long long)(archive->config.retry_us / 1000000));
		note(archive, bytes);
	}
	changed(archive);
}

static void read_piece(struct log_archive *archive)
{
	uint64_t left = archive->size_bytes - archive->offset_bytes;
	kr_assert(left > 0 && archive->is_from_open && archive->is_to_open);
	archive->piece_size_bytes = (uint32_t)KR_MIN(left, LOG_ARCHIVE_PIECE_SIZE);
	archive->step = LOG_ARCHIVE_READ;
	io_file_read(&archive->from, &archive->op, piece_of(archive, 0), archive->piece_size_bytes,
		archive->offset_bytes);
}

/* The old copy if there is one of the right size, else a new one. */
static int open_to(struct log_archive *archive, bool may_compare)
{
	uint64_t size = 0;
	int r = may_compare
			? io_directory_file_size(&archive->directory, archive->name.bytes, &size)
			: -KR_E_NOENT;
	if (r < 0 && r != -KR_E_NOENT)
		return r;
	archive->is_comparing = r == 0 && size == archive->size_bytes;
	archive->offset_bytes = 0;
	kr_assert(!archive->is_to_open);
	if (archive->is_comparing)
		r = io_file_open(&archive->directory, &archive->to, archive->name.bytes,
			IO_FILE_READ | IO_FILE_DIRECT);
	else
		r = open_new(&archive->directory, archive->new_name.bytes, &archive->to);
	archive->is_to_open = r == 0;
	return r;
}

static void begin(struct log_archive *archive, uint64_t segment)
{
	kr_assert(archive->step == LOG_ARCHIVE_IDLE && !archive->is_from_open);
	archive->segment = segment;
	archive->step = LOG_ARCHIVE_READ;
	log_dir_segment_name(segment, &archive->name);
	log_dir_segment_new_name(segment, &archive->new_name);
	int r = io_file_open(&archive->log->store->directory, &archive->from, archive->name.bytes,
		IO_FILE_READ | IO_FILE_DIRECT);
	archive->is_from_open = r == 0;
	if (r < 0) {
		fail(archive, r, archive->from.errno_number, "reading");
		return;
	}
	r = open_to(archive, !archive->is_suspect);
	if (r < 0)
		fail(archive, r, archive->to.errno_number, "making");
	else
		read_piece(archive);
}

static void sync_directory(struct log_archive *archive)
{
	kr_assert(!archive->is_to_open);
	archive->step = LOG_ARCHIVE_SYNC_DIRECTORY;
	io_directory_sync(&archive->directory, &archive->op);
}

static void piece_done(struct log_archive *archive)
{
	archive->offset_bytes += archive->piece_size_bytes;
	kr_assert(archive->offset_bytes <= archive->size_bytes);
	if (archive->offset_bytes < archive->size_bytes) {
		archive->step = LOG_ARCHIVE_PACE;
		io_timer_start(archive->loop, &archive->timer,
			io_clock_boot_us(archive->loop) + archive->config.pace_us);
	} else if (archive->is_comparing) {
		close_files(archive);
		sync_directory(archive);
	} else {
		archive->step = LOG_ARCHIVE_SYNC;
		io_file_sync(&archive->to, &archive->op);
	}
}

static void piece_read(struct log_archive *archive)
{
	if (archive->op.size_bytes < archive->piece_size_bytes) {
		fail(archive, -KR_E_CORRUPT, 0, "reading all of");
		return;
	}
	kr_assert(archive->step == LOG_ARCHIVE_READ);
	archive->step = archive->is_comparing ? LOG_ARCHIVE_COMPARE : LOG_ARCHIVE_WRITE;
	if (archive->is_comparing)
		io_file_read(&archive->to, &archive->op, piece_of(archive, 1),
			archive->piece_size_bytes, archive->offset_bytes);
	else
		io_file_write(&archive->to, &archive->op, piece_of(archive, 0),
			archive->piece_size_bytes, archive->offset_bytes);
}

/* Not what lies in the log under this number now: it is replaced. */
static void replace(struct log_archive *archive)
{
	kr_assert(archive->is_comparing && archive->is_to_open);
	io_file_close(&archive->to);
	archive->is_to_open = false;
	int r = open_to(archive, false);
	if (r < 0)
		fail(archive, r, archive->to.errno_number, "making");
	else
		read_piece(archive);
}

static void piece_compared(struct log_archive *archive)
{
	kr_assert(archive->is_comparing);
	if (archive->op.size_bytes == archive->piece_size_bytes &&
		memcmp(piece_of(archive, 0), piece_of(archive, 1), archive->piece_size_bytes) == 0)
		piece_done(archive);
	else
		replace(archive);
}

static void copied(struct log_archive *archive)
{
	kr_assert(!archive->is_from_open && !archive->is_to_open);
	archive->step = LOG_ARCHIVE_IDLE;
	archive->copied_count++;
	archive->is_suspect = false;
	if (archive->is_failing) {
		archive->is_failing = false;
		note(archive, "the archive takes segments again");
	}
	log_io_archived(archive->log, archive->segment);
	changed(archive);
	log_archive_poll(archive);
}

static const char *const doing[] = {
	[LOG_ARCHIVE_READ] = "reading",
	[LOG_ARCHIVE_COMPARE] = "reading the copy of",
	[LOG_ARCHIVE_WRITE] = "writing",
	[LOG_ARCHIVE_SYNC] = "syncing",
	[LOG_ARCHIVE_RENAME] = "renaming",
	[LOG_ARCHIVE_SYNC_DIRECTORY] = "syncing the directory for",
};

static void step(struct log_archive *archive)
{
	switch (archive->step) {
	case LOG_ARCHIVE_READ:
		piece_read(archive);
		break;
	case LOG_ARCHIVE_COMPARE:
		piece_compared(archive);
		break;
	case LOG_ARCHIVE_WRITE:
		piece_done(archive);
		break;
	case LOG_ARCHIVE_SYNC:
		close_files(archive);
		archive->step = LOG_ARCHIVE_RENAME;
		io_directory_rename(&archive->directory, &archive->op, archive->new_name.bytes,
			archive->name.bytes);
		break;
	case LOG_ARCHIVE_RENAME:
		sync_directory(archive);
		break;
	default:
		kr_assert(archive->step == LOG_ARCHIVE_SYNC_DIRECTORY);
		copied(archive);
	}
}

static void stepped(struct io_op *op)
{
	struct log_archive *archive = op->context;
	kr_assert(archive->step != LOG_ARCHIVE_IDLE && archive->step != LOG_ARCHIVE_RETRY);
	if (archive->is_stopping) {
		close_files(archive);
		archive->step = LOG_ARCHIVE_IDLE;
	} else if (op->result < 0 && archive->step == LOG_ARCHIVE_COMPARE) {
		/* A copy that cannot be read is none. */
		replace(archive);
	} else if (op->result < 0) {
		fail(archive, op->result, op->errno_number, doing[archive->step]);
	} else {
		step(archive);
	}
}

static void due(struct io_timer *timer)
{
	struct log_archive *archive = timer->context;
	kr_assert(!archive->is_stopping);
	if (archive->step == LOG_ARCHIVE_PACE) {
		read_piece(archive);
		return;
	}
	kr_assert(archive->step == LOG_ARCHIVE_RETRY);
	archive->step = LOG_ARCHIVE_IDLE;
	log_archive_poll(archive);
}

/* ---- lifecycle ---- */

void log_archive_poll(struct log_archive *archive)
{
	if (archive->step != LOG_ARCHIVE_IDLE || archive->is_stopping || archive->log->is_failed)
		return;
	uint64_t segment = log_writer_archive_next(&archive->log->writer);
	if (segment != 0)
		begin(archive, segment);
	kr_assert(segment == 0 || archive->segment == segment);
}

void log_archive_stop(struct log_archive *archive)
{
	archive->is_stopping = true;
	io_timer_stop(archive->loop, &archive->timer);
	if (archive->op.is_running)
		return;
	close_files(archive);
	archive->step = LOG_ARCHIVE_IDLE;
	kr_assert(!log_archive_is_busy(archive));
}

bool log_archive_is_busy(const struct log_archive *archive)
{
	kr_assert(archive->log != NULL);
	return archive->op.is_running;
}

int log_archive_init(struct log_archive *archive, struct log_io *log,
	const struct log_archive_config *config, struct kr_error_text *text)
{
	kr_assert(log->config.archive_keep_count > 0 && config->path != NULL);
	memset(archive, 0, sizeof(*archive));
	archive->config = *config;
	archive->log = log;
	archive->loop = log->loop;
	archive->size_bytes = log->writer.config.segment_size_bytes;
	io_op_init(&archive->op, stepped, archive);
	io_timer_init(&archive->timer, due, archive);
	int r = io_directory_open(
		log->loop, &archive->directory, config->path, IO_DIRECTORY_CREATE, text);
	if (r < 0)
		return r;
	if (archive->directory.is_tmpfs && !config->allow_tmpfs)
		r = kr_error_text_set(text, -KR_E_TMPFS, 0,
			"the archive %s is in memory and would keep nothing over a power cut",
			config->path);
	if (r == 0)
		r = kr_memory_reserve(&archive->memory, 2 * LOG_ARCHIVE_PIECE_SIZE, 0,
			io_loop_faults(archive->loop), text);
	if (r == 0) {
		r = name_settle(archive, text);
		if (r < 0)
			kr_memory_release(&archive->memory);
	}
	if (r < 0)
		io_directory_close(&archive->directory);
	return r;
}

void log_archive_fini(struct log_archive *archive)
{
	kr_assert(!archive->op.is_running);
	io_timer_stop(archive->loop, &archive->timer);
	close_files(archive);
	io_directory_close(&archive->directory);
	kr_memory_release(&archive->memory);
}
