/*
 * Copies of segments, made before the writer lets them go: what the log was, from when the archive
 * began. On a loop.
 *
 *   log_archive_init    opens the archive's directory, or makes it; it is of one shard for ever
 *   log_archive_poll    looks for work; after progress of the log; cheap when there is none
 *   log_archive_stop    begins nothing more; done when !log_archive_is_busy()
 *   log_archive_fini
 *
 * A segment is copied when it is complete and durable, to log-N.new, synced, renamed to log-N, the
 * directory synced; only then the writer hears of it. A copy that is there already, from a run
 * before, is read and compared, and replaced where it differs: a log that was cut by an operator
 * gave its numbers out again.
 *
 * An archive that fails never ends the process. It is said once, counted, and tried again every
 * retry_us; meanwhile segments stay, up to the writer's archive_keep_count, and then the log is
 * full as with a full disk.
 */
#ifndef ENGINE_LOG_ARCHIVE_H
#define ENGINE_LOG_ARCHIVE_H

#include "engine/log/log_io.h"

#define LOG_ARCHIVE_PIECE_SIZE (256u << 10)
#define LOG_ARCHIVE_RETRY_US_DEFAULT UINT64_C(10000000)
#define LOG_ARCHIVE_KEEP_DEFAULT 64u

enum log_archive_step {
	LOG_ARCHIVE_IDLE,
	LOG_ARCHIVE_READ,
	LOG_ARCHIVE_COMPARE,
	LOG_ARCHIVE_WRITE,
	LOG_ARCHIVE_PACE,
	LOG_ARCHIVE_SYNC,
	LOG_ARCHIVE_RENAME,
	LOG_ARCHIVE_SYNC_DIRECTORY,
	LOG_ARCHIVE_RETRY, /* it failed: waits */
};

struct log_archive_config {
	const char *path;
	uint64_t pace_us; /* between pieces */
	uint64_t retry_us;
	bool allow_tmpfs;
	/* A sentence for the operator, and after every copy and failure. */
	void (*on_note)(void *context, const char *sentence);
	void (*on_change)(void *context);
	void *context;
};

struct log_archive {
	struct log_archive_config config;
	struct log_io *log;
	struct io_loop *loop;
	struct io_directory directory;
	struct kr_memory memory; /* a piece read, a piece to compare it with */
	enum log_archive_step step;
	bool is_stopping;
	bool is_failing;
	uint64_t segment;
	uint64_t size_bytes;
	uint64_t offset_bytes;
	uint32_t piece_size_bytes;
	struct log_dir_text name;
	struct log_dir_text new_name;
	struct io_file from;
	struct io_file to; /* the new copy; or the old one, while it is compared */
	bool is_from_open;
	bool is_to_open;
	bool is_comparing;
	bool is_suspect; /* a sync failed: what is there under the final name proves nothing */
	struct io_op op;
	struct io_timer timer;
	uint64_t copied_count; /* of this run: copied, or found to be there */
	uint64_t failure_count;
};

/* `log` is open and has archive_keep_count set. Negative: the directory cannot be had, or is
 * another shard's: the text says which. */
KR_MUST_CHECK int log_archive_init(struct log_archive *archive, struct log_io *log,
	const struct log_archive_config *config, struct kr_error_text *text);
void log_archive_poll(struct log_archive *archive);
void log_archive_stop(struct log_archive *archive);
bool log_archive_is_busy(const struct log_archive *archive);
/* Nothing is under way. */
void log_archive_fini(struct log_archive *archive);

#endif
