/*
 * Reading a snapshot, as log_scan reads a log: pure, asking for bytes, handing out chunks.
 *
 * The window belongs to the caller; a chunk's body points into it until the next call. The status
 * is known at DONE only: with anything but LOG_SNAP_OK, no chunk handed out may be relied upon.
 */
#ifndef ENGINE_LOG_SNAP_READER_H
#define ENGINE_LOG_SNAP_READER_H

#include "engine/log/snap.h"

enum log_snap_step { LOG_SNAP_NEED, LOG_SNAP_CHUNK, LOG_SNAP_DONE };

struct log_snap_event {
	uint64_t offset_bytes; /* NEED: read this, whole blocks */
	uint32_t size_bytes;
	const struct log_snap_chunk *chunk; /* CHUNK */
	const uint8_t *body;
};

struct log_snap_reader {
	struct log_lineage lineage;
	uint64_t name_lsn;
	uint64_t file_size_bytes;
	int phase;
	enum log_snap_status status; /* valid at DONE */
	uint32_t version;            /* the file's, with LOG_SNAP_BAD_VERSION */
	uint64_t bad_offset_bytes;   /* where it went wrong */
	struct log_snap_header header;
	struct log_snap_chunk chunk;
	struct log_snap_footer footer; /* valid with LOG_SNAP_OK */
	struct log_snap_sums sums;
	const uint8_t *window;
	uint64_t window_offset_bytes;
	uint32_t window_size_bytes;
};

void log_snap_reader_init(struct log_snap_reader *reader, const struct log_lineage *lineage,
	uint64_t name_lsn, uint64_t file_size_bytes);
enum log_snap_step log_snap_reader_next(
	struct log_snap_reader *reader, struct log_snap_event *ret_event);

/* Answers NEED; `data` is borrowed until the next NEED, NULL when it could not be read. */
void log_snap_reader_feed(struct log_snap_reader *reader, const uint8_t *data);

#endif
