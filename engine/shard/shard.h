/*
 * The shard's step: everything a shard decides, without a system call, a clock or an allocation.
 *
 *   shard_init -> shard_load_chunk* -> shard_replay* -> START -> REQUEST, PERSISTED, ... -> STOP
 *
 * Events go in, actions come out; the driver (the process on io_uring, the simulator, a test)
 * carries them out. What an event points at is borrowed for the call; what actions point at is the
 * shard's and stays as it is until
 *   replies        the next call
 *   append         PERSISTED with an LSN at or beyond its last one
 *   slice          SLICE_WRITTEN
 *
 * A change is judged, written into the open batch and applied at once; its answer, and every
 * answer that shows it, leaves when the batch is durable. One append is under way at a time; what
 * comes meanwhile is gathered. Answers to one hotel leave in the order of its requests, but for
 * reads with STALE_OK and answers that say nothing of the hotel's state (OVERLOADED).
 *
 * One thread. Memory: one region of shard_memory_size() bytes, zeroed, 64-byte aligned, that does
 * not move; most of it is touched only when used.
 */
#ifndef ENGINE_SHARD_SHARD_H
#define ENGINE_SHARD_SHARD_H

#include "engine/log/snap.h"
#include "engine/shard/config.h"
#include "proto/frame.h"
#include "proto/slot.h"

struct tz_db;

enum shard_event_kind {
	SHARD_START = 1,     /* once, after recovery */
	SHARD_REQUEST,       /* frames arrived */
	SHARD_PERSISTED,     /* the log is durable up to persisted_lsn */
	SHARD_TIMEOUT,       /* the timer is due */
	SHARD_SLICE_WRITTEN, /* the slice handed out is on disk, its last one the whole snapshot */
	SHARD_STOP,          /* after START: drain, snapshot, digest, stop */
	SHARD_SPACE,         /* what the log can still take has changed */
};

enum shard_space { SHARD_SPACE_OK, SHARD_SPACE_LOW, SHARD_SPACE_STOP };

struct shard_frame {
	uint64_t conn;        /* the driver's name of the sender, given back with the answer */
	uint64_t received_us; /* boot clock */
	const struct frame_header *header;
	const uint8_t *body;
};

struct shard_event {
	enum shard_event_kind kind;
	uint64_t boot_us; /* never goes back */
	uint64_t wall_us;
	const struct shard_frame *frames; /* REQUEST */
	uint32_t frame_count;
	uint64_t persisted_lsn; /* PERSISTED: acknowledged, durable unless is_async */
	uint64_t durable_lsn;   /* PERSISTED with is_async: what is on disk */
	bool is_async;          /* PERSISTED */
	enum shard_space space; /* SPACE */
	bool snapshot_failed;  /* SLICE_WRITTEN: the snapshot could not be written; it is dropped */
	uint64_t epoch;        /* START */
	uint64_t snapshot_lsn; /* START: where the newest snapshot on disk began; 0 = none */
	uint64_t log_t_us;     /* START: the log's newest batch, which may hold no effect */
	bool allow_clock_jump; /* START */
	bool wants_snapshot;   /* STOP, TIMEOUT: take one now */
};

struct shard_append {
	const uint8_t *body; /* NULL: nothing to append */
	uint32_t body_size_bytes;
	uint32_t count;
	uint64_t first_lsn;
	uint64_t t_us;
};

/* Part of a snapshot: chunk headers as the encoder of snap.h wants them, bodies one by one. */
struct shard_slice {
	const struct log_snap_chunk *chunks; /* NULL: nothing to write */
	const uint8_t *const *bodies;
	uint32_t chunk_count;
	bool is_first;
	bool is_last;
	uint64_t begin_lsn;                  /* of the snapshot */
	uint64_t t_us;                       /* when it began */
	uint64_t counts[LOG_SNAP_COUNT_MAX]; /* hotels, rows, reservations, holds; with the last */
};

/* One frame to send: a sealed header, its body behind it. */
struct shard_reply {
	uint64_t conn;
	const struct frame_header *header;
	const uint8_t *body;
};

#define SHARD_REPLY_SPANS (LOG_FLIGHT_MAX + 1u)
struct shard_span {
	const uint8_t *bytes;
	size_t size_bytes;
};

struct shard_actions {
	uint32_t
		frames_taken; /* REQUEST: fewer than given: send the replies, give the rest again */
	struct shard_append append;
	struct shard_span replies[SHARD_REPLY_SPANS]; /* in this order; shard_reply_next() */
	uint64_t timer_boot_us;                       /* UINT64_MAX: none */
	struct shard_slice slice;
	bool snapshot_requested; /* one began: for the driver's log */
	bool is_serving;         /* START is durable: others may know */
	bool is_stopped;         /* nothing more comes; everything is durable */
};

struct shard;

enum {                          /* conditions of shard_step */
	SHARD_CLOCK_BEHIND = 1, /* START: the wall is over an hour behind the log */
	SHARD_CLOCK_AHEAD = 2,  /* START: the wall is over seven days ahead of the log */
};

uint64_t shard_memory_size(const struct shard_config *config);
/* How much of it, from its beginning, may be in use when all tables are full: the rest is room for
 * a slice of a snapshot that is one large hotel. */
uint64_t shard_steady_size(const struct shard_config *config);
/* `memory` and `tz` outlive the shard; the texts of config too. */
struct shard *shard_init(const struct shard_config *config, void *memory, const struct tz_db *tz);

/* 0; or, of START, SHARD_CLOCK_*: nothing happened, START may come again. */
KR_MUST_CHECK int shard_step(
	struct shard *shard, const struct shard_event *event, struct shard_actions *ret_actions);

/* Takes snapshot_effects, snapshot_log_bytes and idle_timeout_us over; between steps. */
void shard_retune(struct shard *shard, const struct shard_config *config);
/* What the driver's copies of the log have come to; told in STATS, zeroes without an archive. */
struct shard_archive {
	uint64_t copied, failures, lag; /* segments */
};
void shard_archive_note(struct shard *shard, const struct shard_archive *archive);
/* What the driver's loop and disk had to do (engine/shard/load.h); told in STATS. */
struct shard_load;
void shard_load_note(struct shard *shard, const struct shard_load *load);

/* Walks all replies of one call. `cursor` starts as {0}. */
struct shard_reply_cursor {
	uint32_t span;
	size_t offset_bytes;
};
bool shard_reply_next(const struct shard_actions *actions, struct shard_reply_cursor *cursor,
	struct shard_reply *ret_reply);

#endif
