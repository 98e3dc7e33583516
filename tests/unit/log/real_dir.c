#include "tests/unit/log/real_dir.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/hash.h"

void real_dir_init(struct real_dir *dir)
{
	struct io_config config;
	struct kr_error_text text;
	memset(dir, 0, sizeof(*dir));
	io_config_default(&config);
	config.submission_count = 64;
	config.buffer_count = 16;
	fault_set_init(&dir->faults);
	config.faults = &dir->faults;
	int r = io_loop_new(&config, &dir->loop, &text);
	if (r == -KR_E_FORBIDDEN)
		cr_skip_test("io_uring is not to be had here: %s", text.bytes);
	cr_assert_eq(r, 0, "%s", text.bytes);
	/* Not below /tmp, which may be in memory. */
	snprintf(dir->path, sizeof(dir->path), "log-test-XXXXXX");
	cr_assert_not_null(mkdtemp(dir->path));
}

static void each_file(const char *path,
	void (*on_file)(void *context, const char *path, const char *name), void *context)
{
	DIR *stream = opendir(path);
	const struct dirent *entry;
	cr_assert_not_null(stream);
	while ((entry = readdir(stream)) != NULL) {
		char full[512];
		if (entry->d_name[0] == '.')
			continue;
		snprintf(full, sizeof(full), "%s/%s", path, entry->d_name);
		on_file(context, full, entry->d_name);
	}
	closedir(stream);
}

static void remove_one(void *context, const char *path, const char *name)
{
	cr_assert_eq(unlink(path), 0, "%s", name);
}

void real_dir_fini(struct real_dir *dir)
{
	if (dir->is_open)
		real_dir_close(dir);
	each_file(dir->path, remove_one, NULL);
	cr_assert_eq(rmdir(dir->path), 0);
	dir->loop = io_loop_free(dir->loop);
}

void real_dir_put(struct real_dir *dir, const struct world *world)
{
	for (uint32_t i = 0; i < world->file_count; i++) {
		const struct world_file *file = &world->files[i];
		char full[512];
		snprintf(full, sizeof(full), "%s/%s", dir->path, file->name);
		int fd = open(full, O_WRONLY | O_CREAT | O_TRUNC, 0644);
		cr_assert_geq(fd, 0);
		cr_assert_eq(write(fd, file->bytes, file->size_bytes), (ssize_t)file->size_bytes);
		cr_assert_eq(fsync(fd), 0);
		close(fd);
	}
}

static void get_one(void *context, const char *path, const char *name)
{
	struct stat status;
	if (strcmp(name, LOG_DIR_LOCK) == 0)
		return;
	int fd = open(path, O_RDONLY);
	/* Listed, and gone since: the ring was still removing it. */
	if (fd < 0 && errno == ENOENT)
		return;
	cr_assert(fd >= 0 && fstat(fd, &status) == 0);
	struct world_file *file = world_make(context, name, (uint64_t)status.st_size);
	cr_assert_eq(read(fd, file->bytes, file->size_bytes), (ssize_t)file->size_bytes);
	close(fd);
}

void real_dir_get(const struct real_dir *dir, struct world *ret_world)
{
	world_init(ret_world);
	each_file(dir->path, get_one, ret_world);
}

bool real_dir_has(const struct real_dir *dir, const char *name)
{
	char full[512];
	snprintf(full, sizeof(full), "%s/%s", dir->path, name);
	return access(full, F_OK) == 0;
}

static void count_one(void *context, const char *path, const char *name)
{
	*(uint32_t *)context += 1;
}

uint32_t real_dir_count(const struct real_dir *dir)
{
	uint32_t count = 0;
	each_file(dir->path, count_one, &count);
	return count;
}

void real_dir_open(struct real_dir *dir)
{
	struct kr_error_text text = {0};
	int r = log_store_open(dir->loop, &dir->store, dir->path, 0, true, &text);
	cr_assert_eq(r, 0, "%s", text.bytes);
	dir->is_open = true;
	/* The one before is closed, but its lock may be on its way out of the ring. */
	for (int i = 0; i < 300; i++) {
		r = log_store_lock(&dir->store, &text);
		if (r != LOG_STORE_LOCKED)
			break;
		usleep(10000);
	}
	cr_assert_eq(r, 0, "%s", text.bytes);
}

void real_dir_close(struct real_dir *dir)
{
	log_store_close(&dir->store);
	dir->is_open = false;
}

struct taker {
	struct applied *applied;
	const struct objection *objection;
};

static int on_reset(void *context)
{
	struct taker *taker = context;
	taker->applied->reset_count++;
	taker->applied->chunk_count = 0;
	return 0;
}

static int on_chunk(void *context, const struct log_snap_chunk *chunk, const uint8_t *body,
	struct log_trouble *trouble)
{
	struct taker *taker = context;
	taker->applied->chunk_count++;
	return 0;
}

static int object(struct log_trouble *trouble, uint64_t lsn, const char *text, int condition)
{
	trouble->lsn = lsn;
	snprintf(trouble->text, sizeof(trouble->text), "%s", text);
	return condition;
}

static int on_batch(void *context, const struct log_batch_header *header, const uint8_t *body,
	struct log_trouble *trouble)
{
	struct taker *taker = context;
	struct applied *applied = taker->applied;
	for (uint32_t i = 0; i < header->count; i++) {
		uint64_t lsn = kr_load_u64(body + (size_t)i * 16);
		if (applied->first_lsn == 0)
			applied->first_lsn = lsn;
		else if (lsn != applied->last_lsn + 1)
			applied->is_broken = true;
		if (kr_load_u64(body + (size_t)i * 16 + 8) != hash_64_of_u64(lsn))
			applied->is_broken = true;
		applied->last_lsn = lsn;
		if (taker->objection != NULL && taker->objection->lsn == lsn)
			return object(trouble, lsn, "held was 3, not 4", LOG_APPLY_CONTRADICTION);
	}
	return 0;
}

static int on_digest(
	void *context, const struct log_batch_header *header, struct log_trouble *trouble)
{
	struct taker *taker = context;
	taker->applied->digest_count++;
	taker->applied->digest = header->state_digest;
	if (taker->objection == NULL || taker->objection->digest == 0 ||
		taker->objection->digest == header->state_digest)
		return 0;
	return object(trouble, header->first_lsn, "the digests differ", LOG_APPLY_DIGEST);
}

void real_dir_recover(
	struct real_dir *dir, const struct objection *objection, struct applied *applied)
{
	struct kr_error_text text = {0};
	struct taker taker = {.applied = applied, .objection = objection};
	struct log_applier applier = {&taker, on_reset, on_chunk, on_batch, on_digest};
	struct log_meta wanted = world_meta(LOG_BLOCK_SIZE);
	memset(applied, 0, sizeof(*applied));
	real_dir_open(dir);
	int r = log_store_recover(&dir->store, &wanted, false, &applier, &text);
	cr_assert_eq(r, 0, "%s", text.bytes);
}

static void on_progress(void *context)
{
	struct real_log *log = context;
	log->progress_count++;
}

static void on_failed(void *context, int error, const struct kr_error_text *text)
{
	struct real_log *log = context;
	cr_assert_eq(log->error, 0, "told once");
	cr_assert_eq(text->error, error);
	log->error = error;
	log->error_durable_lsn = log_writer_durable_lsn(&log->io.writer);
}

void real_log_wait(struct real_log *log, bool (*done)(const struct real_log *log))
{
	for (int i = 0; i < 20000 && log->error == 0; i++) {
		if (done(log))
			return;
		cr_assert_eq(io_loop_tick(log->dir->loop, 50000), 0);
	}
	cr_assert(log->error != 0 || done(log), "it takes too long");
}

static bool is_open(const struct real_log *log)
{
	return log_io_is_open(&log->io);
}

bool real_log_try_begin(struct real_log *log, struct real_dir *dir, uint64_t sync_interval_us)
{
	struct kr_error_text text = {0};
	struct log_io_config config;
	memset(log, 0, sizeof(*log));
	log->dir = dir;
	log->timestamp_us = 100;
	log_io_config_default(&config);
	config.sync_interval_us = sync_interval_us;
	config.seal_idle_us = 2000;
	config.stop_room_bytes = 2 * LOG_BLOCK_SIZE;
	config.space_retry_us = 5000;
	config.recycle_count = 1;
	config.pace_us = 10;
	config.on_progress = on_progress;
	config.on_failed = on_failed;
	config.context = log;
	int r = log_store_repair(&dir->store, &text);
	if (r == 0)
		r = log_io_init(&log->io, &dir->store, &config, &text);
	if (r < 0) {
		cr_assert_neq(text.bytes[0], '\0');
		real_dir_close(dir);
		return false;
	}
	log_io_open(&log->io, log->timestamp_us);
	cr_assert_eq(log->progress_count, 0, "not from inside a call");
	real_log_wait(log, is_open);
	if (log->error == 0)
		return true;
	real_log_end(log);
	return false;
}

void real_log_begin(struct real_log *log, struct real_dir *dir, uint64_t sync_interval_us)
{
	cr_assert(real_log_try_begin(log, dir, sync_interval_us));
}

static bool all_acked(const struct real_log *log)
{
	return log_io_acked_lsn(&log->io) + 1 == log_writer_next_lsn(&log->io.writer);
}

bool real_log_append(struct real_log *log, uint32_t count)
{
	uint8_t body[16 * 2048];
	uint64_t lsn = log_writer_next_lsn(&log->io.writer);
	cr_assert_leq(count * 16, sizeof(body));
	for (uint32_t i = 0; i < count; i++) {
		kr_store_u64(body + (size_t)i * 16, lsn + i);
		kr_store_u64(body + (size_t)i * 16 + 8, hash_64_of_u64(lsn + i));
	}
	struct log_append append = {.body = body,
		.body_size_bytes = count * 16,
		.count = count,
		.first_lsn = lsn,
		.timestamp_us = log->io.writer.position.timestamp_us + 1};
	while (log->error == 0 && log_io_append(&log->io, &append) == LOG_WRITER_BUSY)
		cr_assert_eq(io_loop_tick(log->dir->loop, 50000), 0);
	real_log_wait(log, all_acked);
	return log->error == 0;
}

static bool is_stopped(const struct real_log *log)
{
	return log_io_is_stopped(&log->io);
}

void real_log_stop(struct real_log *log, const uint64_t *digest)
{
	log_io_stop(&log->io, digest);
	real_log_wait(log, is_stopped);
	real_log_end(log);
}

static bool is_idle(const struct real_log *log)
{
	return !log_io_is_busy(&log->io);
}

void real_log_end(struct real_log *log)
{
	while (!is_idle(log))
		cr_assert_eq(io_loop_tick(log->dir->loop, 50000), 0);
	log_io_fini(&log->io);
	real_dir_close(log->dir);
}
