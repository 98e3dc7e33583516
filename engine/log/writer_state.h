/*
 * The writer's own memory, visible so that its owner can embed it. Only writer.c looks inside.
 */
#ifndef ENGINE_LOG_WRITER_STATE_H
#define ENGINE_LOG_WRITER_STATE_H

#include "engine/log/writer.h"

enum log_writer_life {
	LOG_WRITER_CLOSED,  /* init */
	LOG_WRITER_OPENING, /* the epoch's MARK, then its first batch */
	LOG_WRITER_OPEN,
	LOG_WRITER_STOPPING, /* last batch, seal, MARK */
	LOG_WRITER_STOPPED,
	LOG_WRITER_FAILED,
};

/* The end of a batch: what a MARK says about the durable one. */
struct log_writer_point {
	uint64_t seq;
	uint64_t lsn;
	uint64_t chain;
	uint64_t segment;
	uint64_t end_bytes;
};

/* From append, or from the writer's own making, until it is acknowledged. */
struct log_writer_batch {
	uint8_t *bytes;
	uint32_t size_bytes;
	bool is_returned; /* and waits for the older ones */
	struct log_batch_header header;
	struct log_writer_point point; /* once it has its place */
};

struct log_writer {
	struct log_writer_config config;
	enum log_writer_life life;
	uint64_t now_us;
	struct log_position position; /* where the next batch goes */

	/* a ring, oldest first: those that have their place, then those that wait for one */
	struct log_writer_batch batches[LOG_FLIGHT_MAX];
	uint32_t first;
	uint32_t held_count;
	uint32_t placed_count;
	bool is_sealed; /* the newest acknowledged batch is empty: losing it loses nothing */

	struct log_writer_point acked;
	struct log_writer_point durable;
	struct log_writer_point syncing; /* becomes durable when SYNC is done */
	uint64_t uncovered_us;           /* since when acked is ahead of durable */
	uint64_t acked_us;               /* when a batch was last acked: idleness counts from it */

	bool is_under_way[LOG_ACTION_COUNT]; /* of WRITE: any */
	bool wants_mark;
	uint64_t mark_generation;
	uint64_t marked_seq; /* what the newest MARK, written or under way, says */
	uint64_t marked_segment;

	bool has_reserve; /* segment position.segment + 1 can be written */
	bool is_low;
	uint64_t retry_us; /* PREPARE not before */
	uint64_t floor_lsn;
	uint64_t archived_segment; /* it and all before it are copied */
	uint64_t archive_base;     /* the last segment that was complete at the start */

	bool has_stop_digest;
	bool is_stop_sealed;
	uint64_t stop_digest;
};

#endif
