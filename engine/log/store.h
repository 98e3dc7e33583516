/*
 * A shard's directory on a real (or simulated) disk: open, recover, repair, lay out.
 *
 *   log_store_open      the directory, without touching anything in it
 *   log_store_lock      takes it; LOCKED: try again for about 30 s, then the verdict is IN_USE
 *   log_store_recover   reads everything, hands it to the applier, leaves store->recover->report
 *   log_store_create    lays out a directory whose verdict was EMPTY
 *   log_store_repair    after START or CUT: cut, extend, remove leftovers, sync; then log_io.h
 *   log_store_close
 *
 * A shard's start and keyrack-recover call the same functions; `verify` is open, lock, recover,
 * close. Until log_store_repair() nothing is written but the LOCK file. All of it blocks: it
 * happens before the loop serves anybody.
 *
 * Errors are of the disk or the system, never what was found: that is the report's verdict.
 */
#ifndef ENGINE_LOG_STORE_H
#define ENGINE_LOG_STORE_H

#include "base/io/io_file.h"
#include "base/memory.h"
#include "engine/log/recover.h"

/* Conditions. */
enum {
	LOG_STORE_LOCKED = 1,       /* lock: another process has it; the text says which */
	LOG_STORE_OUT_OF_REACH = 2, /* recover: nothing leads to the state that `reach` names */
};

/* What is done with the state that recovery reads. Each returns 0, a condition of its own, or a
 * negative error, which recovery forwards. */
enum {
	LOG_APPLY_CONTRADICTION = 1, /* what is read contradicts the state: `trouble` says how */
	LOG_APPLY_DIGEST = 2,        /* the digests differ */
};

struct log_trouble {
	uint64_t lsn;
	char text[LOG_RECOVER_REASON_SIZE];
};

struct log_applier {
	void *context;
	/* Forget everything: the chunks so far came from a bad snapshot. */
	int (*on_reset)(void *context);
	int (*on_chunk)(void *context, const struct log_snap_chunk *chunk, const uint8_t *body,
		struct log_trouble *trouble);
	int (*on_batch)(void *context, const struct log_batch_header *header, const uint8_t *body,
		struct log_trouble *trouble);
	/* Is this the state's digest? */
	int (*on_digest)(
		void *context, const struct log_batch_header *header, struct log_trouble *trouble);
};

struct log_store {
	struct io_loop *loop;
	struct io_directory directory;
	bool is_locked;
	struct log_reach reach;      /* of the next recover; zeroes: the newest state */
	struct io_directory archive; /* copies of segments that came before the directory's */
	bool has_archive;
	uint64_t archive_end;        /* segments below it are read from the archive; 0: none */
	struct log_recover *recover; /* until close: the writer keeps its segments here */
	struct kr_memory memory;     /* of it */
	bool is_repaired;
	bool has_reserve;      /* after repair: the segment behind the end is there, all zero */
	uint64_t snap_lsns[2]; /* begin_lsn of the two newest good snapshots, newest first */
	uint32_t snap_count;
};

/* `flags`: IO_DIRECTORY_CREATE or 0. Refuses a directory in memory unless allow_tmpfs. */
KR_MUST_CHECK int log_store_open(struct io_loop *loop, struct log_store *store, const char *path,
	unsigned flags, bool allow_tmpfs, struct kr_error_text *text);
/* For reading alone: no repair after it. Recovery then goes back as far as the copies do without a
 * gap. */
KR_MUST_CHECK int log_store_open_archive(
	struct log_store *store, const char *path, struct kr_error_text *text);
KR_MUST_CHECK int log_store_lock(struct log_store *store, struct kr_error_text *text);

/*
 * `wanted`: the layout this process was told to serve; NULL: any. `wants_all`: every batch goes to
 * the applier, seals and what snapshots cover included. `applier` may be NULL: only judge the
 * files.
 */
KR_MUST_CHECK int log_store_recover(struct log_store *store, const struct log_meta *wanted,
	bool wants_all, const struct log_applier *applier, struct kr_error_text *text);

/* `meta`: all of its layout and segment_blocks. The report becomes that of an empty log. */
KR_MUST_CHECK int log_store_create(
	struct log_store *store, struct log_meta *meta, struct kr_error_text *text);

/* Only after log_store_recover() of the newest state, without an archive, whose verdict is no
 * REFUSE, and under the lock. May be cut short at any point: the next recovery finds the same end
 * and this does the rest. */
KR_MUST_CHECK int log_store_repair(struct log_store *store, struct kr_error_text *text);

/* Files of it are closed. Gives the lock back. */
void log_store_close(struct log_store *store);

#endif
