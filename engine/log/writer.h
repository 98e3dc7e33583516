/*
 * The writer: decides what is written to the log, where and when. Pure: the caller does the I/O.
 *
 * Events go in as calls; then log_writer_next() is called until it says there is nothing more,
 * and each action it gave is carried out and answered by log_writer_done(), exactly once, in any
 * order. Of each kind of action at most one is under way; of WRITE LOG_FLIGHT_MAX, told apart by
 * their slots.
 *
 * What each action is stands in writer_action.h.
 *
 * A negative result is fatal: it is forwarded, nothing is acknowledged from then on, no action
 * follows and the process has to end. Nothing is tried twice but PREPARE after NO_SPACE.
 *
 * Group commit: LOG_FLIGHT_MAX batches are under way at a time. While they are, append() answers
 * BUSY and the caller goes on gathering. They may end in any order and are acknowledged in theirs;
 * the last one of a segment is durable before the next segment is begun.
 *
 * Memory: the config's buffer and segment table belong to the caller, who leaves them alone while
 * the writer lives. append() copies the body. An action's data stays as it is until its done().
 */
#ifndef ENGINE_LOG_WRITER_H
#define ENGINE_LOG_WRITER_H

#include "engine/log/batch.h"
#include "engine/log/meta.h"
#include "engine/log/position.h"
#include "engine/log/writer_action.h"

#define LOG_SEGMENT_SIZE_DEFAULT (UINT64_C(64) << 20)
#define LOG_SEAL_IDLE_US_DEFAULT UINT64_C(50000)
#define LOG_SPACE_RETRY_US_DEFAULT UINT64_C(1000000)
#define LOG_STOP_ROOM_SIZE_DEFAULT (UINT64_C(4) << 20)
#define LOG_RECYCLE_COUNT_DEFAULT 2u

/* batches and a mark */
#define LOG_WRITER_BUFFER_SIZE (LOG_FLIGHT_MAX * LOG_BATCH_SIZE_MAX + LOG_BLOCK_SIZE)

enum {
	LOG_WRITER_BUSY = 1,     /* append: batches are under way, or the log is not open */
	LOG_WRITER_NO_SPACE = 2, /* done(PREPARE): the disk is full */
};

/* What the log can still take. LOW and STOP only while no further segment can be made. */
enum log_level {
	LOG_LEVEL_OK,
	LOG_LEVEL_LOW,  /* the shard is READ_ONLY: only what gives back or confirms goes on */
	LOG_LEVEL_STOP, /* stop_room_bytes or less are left: nothing goes on */
};

struct log_writer_config {
	struct log_lineage lineage;
	uint64_t segment_size_bytes; /* a multiple of 4 KiB; the largest batch fits in one */
	uint64_t seal_idle_us;
	uint64_t sync_interval_us; /* 0: `sync`; else `async`, with this loss window */
	uint64_t space_retry_us;
	uint64_t stop_room_bytes;     /* at least the largest batch */
	uint32_t recycle_count;       /* segments below the floor kept to be made into new ones */
	uint32_t archive_keep_count;  /* not 0: a segment goes only once it was copied; with so many
					 more waiting for that than at the start, the log is full */
	uint8_t *buffer;              /* LOG_WRITER_BUFFER_SIZE, at a multiple of 4 KiB */
	struct log_segment *segments; /* [segment_max] of which segment_count are filled in: those
					 that hold batches, the last one at `position` */
	uint32_t segment_max;
	uint32_t segment_count;
	struct log_position position; /* from the scan; all before it is durable */
	struct log_mark mark;         /* the newest known: its generation counts; or zeroes */
	bool has_reserve;             /* segment position.segment + 1 is there, all zero */
	uint64_t epoch;               /* greater than any in log and mark */
};

struct log_append {
	const void *body;
	uint32_t body_size_bytes; /* 1 .. log_writer_body_max() */
	uint32_t count;           /* effects in it, at least 1 */
	uint64_t first_lsn;       /* = log_writer_next_lsn(): both sides count */
	uint64_t timestamp_us;    /* never goes back */
};

struct log_writer; /* writer_state.h: visible, but the writer's own */

void log_writer_init(struct log_writer *writer, const struct log_writer_config *config);

/* Writes the new epoch to MARK, then its first batch; appends are BUSY until that is durable. */
void log_writer_open(struct log_writer *writer, uint64_t timestamp_us, uint64_t now_us);
bool log_writer_is_open(const struct log_writer *writer);

/* 0: taken; or LOG_WRITER_BUSY: nothing happened. now_us is monotonic in all calls. */
KR_MUST_CHECK int log_writer_append(
	struct log_writer *writer, const struct log_append *append, uint64_t now_us);

/* `slot` as in the action. `result` 0, negative, or for PREPARE LOG_WRITER_NO_SPACE. Returns a
 * negative result as it is. */
KR_MUST_CHECK int log_writer_done(struct log_writer *writer, enum log_action_kind kind,
	uint32_t slot, int result, uint64_t now_us);

/* Time has passed. To be called at log_writer_deadline_us(); UINT64_MAX: no need. */
void log_writer_tick(struct log_writer *writer, uint64_t now_us);
uint64_t log_writer_deadline_us(const struct log_writer *writer);

/* Effects up to floor_lsn are needed by no snapshot and no consumer. Never decreases. */
void log_writer_prune(struct log_writer *writer, uint64_t floor_lsn, uint64_t now_us);

/* With an archive: the oldest complete segment not copied yet, or 0; copied, durably, it may go;
 * how many became complete since the start, or the newest copy, and wait. */
uint64_t log_writer_archive_next(const struct log_writer *writer);
void log_writer_archived(struct log_writer *writer, uint64_t segment, uint64_t now_us);
uint64_t log_writer_archive_lag(const struct log_writer *writer);

/*
 * Clean stop: what was appended gets durable, then a seal (with the state's digest, if given) and
 * MARK. Only when is_open(); no append after it. is_stopped() when all is done, which is never
 * if a batch waits for room on a full disk: it was not acknowledged, so the process may just end.
 */
void log_writer_stop(struct log_writer *writer, const uint64_t *state_digest, uint64_t now_us);
bool log_writer_is_stopped(const struct log_writer *writer);

/* False: nothing to do until the next event. */
bool log_writer_next(struct log_writer *writer, struct log_action *ret_action);

/* A batch does not fit and the next segment is not made yet. */
bool log_writer_wants_segment(const struct log_writer *writer);

uint64_t log_writer_next_lsn(const struct log_writer *writer);
uint64_t log_writer_durable_lsn(const struct log_writer *writer);
/* Answers up to this LSN may leave: the durable one, with `async` the written one. */
uint64_t log_writer_acked_lsn(const struct log_writer *writer);
uint32_t log_writer_body_max(const struct log_writer *writer);
enum log_level log_writer_level(const struct log_writer *writer);
uint64_t log_writer_room_bytes(const struct log_writer *writer);

#endif
