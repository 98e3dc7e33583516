/*
 * The scan: reads a log in order and says what its end is. Pure: the caller reads the disk.
 *
 *   log_scan_init(&scan, &config);
 *   for (;;) switch (log_scan_next(&scan, &event)) {
 *   case LOG_SCAN_NEED:  read event.need from that segment, log_scan_feed(...); continue;
 *   case LOG_SCAN_BATCH: event.header, event.body: the next whole batch of the chain; continue;
 *   case LOG_SCAN_DONE:  scan.result
 *   }
 *
 * Two phases. In the chain, each batch must be the one its predecessor announces: sequence, LSN,
 * chain value, epoch, place. At the first block that is not (sequence number s), the search looks
 * at every 4 KiB block from there to the end of the last segment, and ends in one of:
 *   a batch s at the start of the next segment that continues the chain: back to the chain;
 *   a later header or the mark that says s was durable: REFUSE;
 *   whole later batches that do not: the cut is at s, and so it is with none at all.
 * A header with a valid checksum is a witness even if its body is torn: it was written by us,
 * after what it says was known. Batches handed out are final: nothing found later revokes them.
 *
 * The scan writes nothing; result.cut says what a start has to do. It owns no memory: segments
 * and window belong to the caller, who keeps them until DONE; a batch event points into the
 * window and is valid until the next call.
 */
#ifndef ENGINE_LOG_SCAN_H
#define ENGINE_LOG_SCAN_H

#include "engine/log/batch.h"
#include "engine/log/meta.h"
#include "engine/log/position.h"
#include "engine/log/verdict.h"

/* Reads are of at most this size, and the largest batch fits in one. */
#define LOG_SCAN_WINDOW_SIZE (4 * LOG_BATCH_SIZE_MAX)
#define LOG_SCAN_WINDOW_BLOCKS (LOG_SCAN_WINDOW_SIZE / LOG_BLOCK_SIZE)

struct log_scan_config {
	struct log_lineage lineage;
	uint64_t segment_size_bytes;  /* a multiple of 4 KiB, at most 4 GiB */
	struct log_segment *segments; /* number and size_bytes filled in, by rising number; the
					 scan fills in the rest */
	uint32_t segment_count;
	const struct log_mark *mark; /* NULL: none is known */
};

enum log_scan_step { LOG_SCAN_NEED, LOG_SCAN_BATCH, LOG_SCAN_DONE };

struct log_scan_event {
	/* NEED: read this, whole blocks */
	uint64_t segment;
	uint64_t offset_bytes;
	uint32_t size_bytes;
	/* BATCH: `segment` and `offset_bytes` say where it lies */
	const struct log_batch_header *header;
	const uint8_t *body;
};

/* What was found at the first bad block, and how far it reaches. */
struct log_scan_hole {
	bool is_present;
	bool is_unreadable;           /* the disk refused to read it, or the file ends before it */
	bool is_stale;                /* a whole batch header, but not ours */
	enum log_batch_status status; /* of the first bad block */
	uint64_t segment;
	uint64_t offset_bytes;
	uint64_t seq; /* the batch that should be there */
	uint64_t lsn;
	/* the first whole batch behind it; end_segment = 0: none, the range ends with the log */
	uint64_t end_segment;
	uint64_t end_offset_bytes;
	uint64_t end_seq;
	uint64_t end_lsn;
};

/* What a start does about an unacknowledged tail, in this order; nothing if !is_needed. */
struct log_cut {
	bool is_needed;
	uint64_t segment;
	uint64_t offset_bytes;    /* the rest of the segment becomes zeroes */
	uint64_t save_size_bytes; /* first copied to log-N.torn-<seq>; 0: all zero already */
	uint64_t seq;
	uint64_t rename_first; /* segments rename_first .. rename_last become .torn-<seq>, */
	uint64_t rename_last;  /* the last one first; 0: none */
};

struct log_scan_result {
	enum log_verdict verdict;
	uint32_t warnings; /* bit 1 << verdict, for verdicts that only warn */
	struct log_position end;
	struct log_scan_hole hole;
	struct log_cut cut;
	uint64_t witness_seq;     /* REFUSE: the newest batch said to be durable */
	uint64_t lost_segment;    /* SEGMENT_MISSING, FILE_SHORT: which */
	uint32_t version;         /* VERSION: which, */
	uint64_t version_segment; /* where, */
	uint64_t version_offset_bytes;
	uint64_t batch_count;
};

struct log_scan {
	struct log_scan_config config;
	struct log_scan_result result;
	struct log_batch_header header;
	int phase;
	bool is_anchored;    /* next_seq and chain are known */
	bool is_tail_dirty;  /* the hole's segment holds something behind it */
	bool is_later_dirty; /* later segments do */
	bool is_conflict;
	uint64_t dirty_end_bytes;
	uint64_t durable_seq; /* the most that any witness claimed */
	uint32_t index;       /* of the segment at the cursor */
	uint64_t offset_bytes;
	const uint8_t *window;
	const uint8_t *window_bad;
	uint32_t window_index;
	uint64_t window_offset_bytes;
	uint32_t window_size_bytes;
};

void log_scan_init(struct log_scan *scan, const struct log_scan_config *config);
enum log_scan_step log_scan_next(struct log_scan *scan, struct log_scan_event *ret_event);

/*
 * Answers NEED. `data` holds the asked number of bytes, borrowed until the next NEED; `bad` is
 * NULL or one byte per block, not 0 where the block could not be read.
 */
void log_scan_feed(struct log_scan *scan, const uint8_t *data, const uint8_t *bad);

/*
 * Is all that lies there now in a copy that an earlier start made? Each byte has to be the copy's,
 * or zero: zeroing was begun. `size_bytes` is of whole blocks.
 */
bool log_cut_is_kept(const uint8_t *now, const uint8_t *copy, uint64_t size_bytes);

#endif
