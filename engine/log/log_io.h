/*
 * The running log: the writer's actions carried out on a loop.
 *
 *   log_io_init(&log, &store, &config, text);     after log_store_repair()
 *   log_io_open(&log, t);                         then on_progress until log_io_is_open()
 *   log_io_append(&log, &append);                 0 or LOG_WRITER_BUSY
 *   log_io_stop(&log, digest); ... log_io_is_stopped(&log); log_io_fini(&log);
 *
 * on_progress is called from the loop, never inside a call of this header, whenever something the
 * owner may wait for has changed: opened, an append acknowledged, the level, stopped. It may
 * append. on_failed is called once, after an error: nothing is acknowledged any more, and the
 * process has to end, for what the disk holds is known again only after a recovery.
 *
 * Segments are written directly and durably (IO_FILE_DIRECT | IO_FILE_DSYNC); with
 * sync_interval_us set, without DSYNC, and synced at that interval. Where direct writing is not
 * to be had, is_direct is false and the owner may say so. Preparing a segment is paced, so that
 * zeroing it does not stand in the way of appends, and so is removing one.
 *
 * Memory: about 2.3 MiB of the struct's own, reserved at init. The store outlives the log. What
 * append points at is copied. One thread.
 */
#ifndef ENGINE_LOG_LOG_IO_H
#define ENGINE_LOG_LOG_IO_H

#include "engine/log/release.h"
#include "engine/log/store.h"
#include "engine/log/writer.h"
#include "engine/log/writer_state.h"

#define LOG_IO_ZERO_SIZE (256u << 10)         /* one write while a segment is prepared */
#define LOG_IO_PACE_US_DEFAULT UINT64_C(1000) /* between two of them */
#define LOG_IO_FILE_COUNT 4u                  /* segments open at once */

struct log_io_config {
	uint64_t seal_idle_us;
	uint64_t sync_interval_us; /* 0: durability `sync` */
	uint64_t space_retry_us;
	uint64_t stop_room_bytes;
	uint64_t pace_us;
	uint32_t recycle_count;
	uint32_t archive_keep_count; /* as in writer.h; who copies is archive.h */
	void (*on_progress)(void *context);
	void (*on_failed)(void *context, int error, const struct kr_error_text *text);
	void *context;
};

/* The defaults of writer.h; the callbacks are still to be set. */
void log_io_config_default(struct log_io_config *ret_config);

/* A segment open for appends. */
struct log_io_file {
	uint64_t number; /* 0: free */
	struct io_file file;
};

enum log_prepare_step {
	LOG_PREPARE_IDLE,
	LOG_PREPARE_RENAME_OLD, /* the recycled segment takes the new one's .new name, */
	LOG_PREPARE_SYNC_OLD,   /* durably, before its bytes are touched */
	LOG_PREPARE_ALLOCATE,
	LOG_PREPARE_ZERO,
	LOG_PREPARE_PACE,
	LOG_PREPARE_SYNC,
	LOG_PREPARE_RENAME,
	LOG_PREPARE_SYNC_DIRECTORY,
	LOG_PREPARE_UNLINK, /* the disk is full: nothing stays behind */
	LOG_PREPARE_FAILED, /* to be told from the loop */
};

struct log_prepare {
	enum log_prepare_step step;
	uint64_t number;
	uint64_t offset_bytes;
	struct log_dir_text old_name;
	struct log_dir_text new_name;
	struct log_dir_text name;
	struct io_file file;
	bool is_open;
	bool is_recycled;
	int error;
	struct io_op op;
	struct io_timer timer;
};

struct log_io {
	struct log_store *store;
	struct io_loop *loop;
	struct log_io_config config;
	struct log_writer writer;
	struct kr_memory memory; /* the writer's buffer, then zeroes */
	const uint8_t *zeroes;
	bool is_direct;
	bool is_failed;
	struct log_io_file files[LOG_IO_FILE_COUNT];
	struct io_file mark;
	struct log_prepare prepare;
	struct io_op write_ops[LOG_FLIGHT_MAX]; /* by slot */
	struct io_op mark_op;
	struct io_op sync_op;
	uint64_t sync_number; /* the segment being synced, up to sync_last */
	uint64_t sync_last;
	struct log_release remove;
	struct io_timer timer;
	struct io_timer wake; /* carries on_progress out of calls */
};

KR_MUST_CHECK int log_io_init(struct log_io *log, struct log_store *store,
	const struct log_io_config *config, struct kr_error_text *text);
/* No operation is under way: stopped, or failed and drained, or never opened. */
void log_io_fini(struct log_io *log);
bool log_io_is_busy(const struct log_io *log);
/* While no operation is under way: none begins any more, though the loop runs on. */
void log_io_halt(struct log_io *log);

/* As in writer.h, with the loop's time. */
void log_io_open(struct log_io *log, uint64_t timestamp_us);
KR_MUST_CHECK int log_io_append(struct log_io *log, const struct log_append *append);
void log_io_prune(struct log_io *log, uint64_t floor_lsn);
void log_io_archived(struct log_io *log, uint64_t segment);
void log_io_stop(struct log_io *log, const uint64_t *state_digest);

static inline bool log_io_is_open(const struct log_io *log)
{
	return log_writer_is_open(&log->writer);
}

static inline bool log_io_is_stopped(const struct log_io *log)
{
	return log_writer_is_stopped(&log->writer);
}

static inline uint64_t log_io_acked_lsn(const struct log_io *log)
{
	return log_writer_acked_lsn(&log->writer);
}

static inline enum log_level log_io_level(const struct log_io *log)
{
	return log_writer_level(&log->writer);
}

#endif
