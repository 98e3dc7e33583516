/*
 * What the log's writer wants done, and its owner does.
 *
 *   WRITE    these bytes at this place, durable when done unless sync_interval_us is set
 *   SYNC     segments sync_first .. segment, so that all written to them is durable
 *   MARK     one 4 KiB block of MARK, durable when done
 *   PREPARE  make segment N: full size, zeroes, durable, under its name in a durable directory
 *            entry. With `recycle`, first rename that segment to log-N.new (and make that
 *            durable) and zero it; else a new file. Answer LOG_WRITER_NO_SPACE if the disk is
 *            full, with nothing left behind.
 *   REMOVE   unlink segment N, and make that durable (so segments vanish oldest first)
 */
#ifndef ENGINE_LOG_WRITER_ACTION_H
#define ENGINE_LOG_WRITER_ACTION_H

#include <stdint.h>

enum log_action_kind {
	LOG_ACTION_WRITE,
	LOG_ACTION_SYNC,
	LOG_ACTION_MARK,
	LOG_ACTION_PREPARE,
	LOG_ACTION_REMOVE,
	LOG_ACTION_COUNT,
};

struct log_action {
	enum log_action_kind kind;
	uint32_t slot; /* WRITE */
	uint64_t segment;
	uint64_t offset_bytes; /* WRITE: in the segment; MARK: in the file */
	const uint8_t *data;
	uint32_t size_bytes;
	uint64_t recycle;    /* PREPARE: 0 = none */
	uint64_t sync_first; /* SYNC */
};

#endif
