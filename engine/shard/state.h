/* Private to the step: the shard's memory. */
#ifndef ENGINE_SHARD_STATE_H
#define ENGINE_SHARD_STATE_H

#include "base/arena.h"
#include "engine/inventory/capture.h"
#include "engine/log/record.h"
#include "engine/shard/clock.h"
#include "engine/shard/counters.h"
#include "engine/shard/load.h"
#include "engine/shard/replay.h"
#include "engine/shard/request.h"
#include "engine/shard/shard.h"
#include "proto/stat.h"
#include "proto/pb_arena.h"

/* Of bodies parsed together and of the answers to them: the largest body and some more. */
#define SHARD_ARENA_SIZE (64u << 20)
#define SHARD_ARENA_ANSWERS_SIZE (8u << 20) /* no page of a list takes more */
#define SHARD_REPLY_SMALL_MAX 2048u         /* an answer to a change is never larger */
#define SHARD_DRAIN_MAX INV_DRAIN_MAX       /* due holds drained for admissions, a step */
#define SHARD_DUE_MAX 256u                  /* effects of the clock a step: requests wait for it */
#define SHARD_DUE_EARLY_MAX 64u             /* before requests, sooner than the pace */
#define SHARD_DUE_PACE_US UINT64_C(1000)    /* from one such slice to the next */
#define SHARD_DUE_GATHER_SIZE (256 << 10)   /* of a batch, beside an append */
#define SHARD_APPEND_ALONE_US UINT64_C(250) /* an append, before another goes beside it */
#define SHARD_SLICE_HOTELS_MAX 256u
#define SHARD_SLICE_WORK 1000u                 /* of a turn (capture.h): 100 to 200 us */
#define SHARD_SLICE_PACE_US UINT64_C(1000)     /* from turn to turn beside requests */
#define SHARD_SLICE_IDLE_PACE_US UINT64_C(250) /* the same without */
#define SHARD_CLASSES_SEEN (UINT16_MAX + 1u)

enum shard_life {
	SHARD_LOADING = 1, /* shard_load_chunk, shard_replay */
	SHARD_STARTING,    /* START and the graces are on their way to disk */
	SHARD_SERVING,
	SHARD_STOPPING, /* what was judged becomes durable, a snapshot is taken */
	SHARD_SEALING,  /* the digest is on its way to disk */
	SHARD_STOPPED,
};

/* Replies one after the other: u64 conn, header, body, zeroes to a multiple of 8. */
struct shard_out {
	uint8_t *bytes;
	size_t size_bytes;
	size_t used_bytes;
};

/* A group commit: its body and the answers that wait for it. */
struct shard_batch {
	uint8_t *body;
	struct record_writer writer;
	uint64_t first_lsn;
	struct shard_out out;
};

struct shard_snapshot {
	bool is_running;
	bool is_first;      /* the next slice is the snapshot's first */
	bool is_filled;     /* a slice waits to become durable, or is being written */
	bool is_handed_out; /* it is being written */
	bool is_last;
	bool has_failed;   /* the last one that ended */
	bool is_begun;     /* a slice is being filled */
	bool is_capturing; /* its last chunk is not whole */
	bool is_busy;      /* requests have come since the last turn */
	uint32_t next_chunk;
	uint64_t begin_lsn;
	uint64_t t_us;
	uint64_t slice_lsn;    /* the newest stamp in the slice */
	uint64_t next_boot_us; /* no turn of filling before */
	struct kr_writer writer;
	struct inv_capture capture;
	struct log_snap_chunk head; /* of what is captured */
	uint64_t chunk_offset_bytes;
	uint32_t chunk_count;
	struct log_snap_chunk *chunks;
	const uint8_t **bodies;
	uint8_t *bytes;
	uint64_t size_bytes;
	uint64_t done_lsn; /* begin_lsn of the last whole one */
	uint64_t stop_lsn; /* where STOP tried one */
	uint64_t effects;  /* logged since the last one began */
	uint64_t log_bytes;
};

/* Order among answers that know their hotel and answers that know only a slot. */
struct shard_slot {
	uint64_t last_lsn;  /* of any effect of the slot */
	uint64_t floor_lsn; /* no answer of the slot leaves before this */
};

struct shard {
	struct shard_config config;
	const struct tz_db *tz;
	uint64_t inv_size_bytes;
	uint64_t steady_size_bytes; /* shard_steady_size() */
	struct inv *inv;
	enum shard_life life;
	enum shard_space space;
	struct shard_clock clock;
	uint64_t boot_us;
	uint64_t started_boot_us;
	struct inv_now now;
	uint64_t next_lsn;
	uint64_t acked_lsn;   /* answers up to it may leave */
	uint64_t durable_lsn; /* on disk: with durability `async` behind acked_lsn */

	/* the oldest batch not yet durable .. the open one; those before them may be leaving */
	uint32_t batch_first;
	uint32_t batch_count;
	uint32_t flight_count; /* the oldest ones */
	uint32_t leaving_count;
	uint32_t drained;          /* in this step */
	uint64_t append_boot_us;   /* when the newest in flight was submitted */
	uint64_t due_next_boot_us; /* no slice of the clock's work before */
	struct shard_batch batches[SHARD_BATCH_COUNT];
	struct shard_out at_once;

	/* START: graces still to be given */
	bool is_gracing;
	bool wants_stop;
	uint64_t grace_last_t_us;
	uint64_t start_lsn;
	struct inv_now start_now;

	struct shard_snapshot snapshot;
	struct shard_counters counters;
	uint64_t judged_by_type[STAT_TYPE_COUNT]; /* requests, by type of frame */
	struct shard_archive archive;
	struct shard_load load;
	struct pb_arena arena;
	struct record_scratch *record_scratch; /* replay */
	struct shard_ahead *ahead;             /* SHARD_AHEAD_COUNT, replay */
	uint64_t load_size_bytes;              /* pieces of a hotel so far, in the slice's bytes */
	uint32_t load_part;
	struct shard_sizes sizes;       /* of what is being replayed */
	struct shard_request *requests; /* SHARD_PARSE_COUNT */
	struct shard_slot *slots;       /* SLOT_COUNT */
	uint64_t floor_lsn;             /* the highest of any slot */
	uint64_t retire_lsn; /* of the last retirement: it may have moved the purge mark */
	uint64_t *columns;   /* availability: counters, then rates */
	struct inv_effect effect;
	uint32_t *class_seen; /* by class: the mark it was seen under last */
	uint32_t class_mark;  /* of the last answer with classes; begins anew at its end */
	struct slot_map map;
	uint64_t epoch; /* of this life */
};

#endif
