/*
 * What recovery reads from: one file at a time, kept open from one NEED to the next. While a window
 * is judged and applied, the part of the file behind it is read into the other of two halves; a
 * NEED that it covers is answered without waiting. Anything else about it, from a ring that is not
 * to be had to a block that cannot be read, ends in the plain read.
 */
#ifndef ENGINE_LOG_SOURCE_H
#define ENGINE_LOG_SOURCE_H

#include "base/io/io_ahead.h"
#include "engine/log/store.h"

struct log_source {
	struct log_store *store;
	struct log_dir_text name;
	struct io_file file;
	uint64_t file_size_bytes; /* 0: not asked yet */
	bool is_open;
	uint8_t *data;         /* of a plain read */
	uint8_t *bad;          /* a flag for each block of the window */
	const uint8_t *window; /* what the last NEED asked for */
	/* Bytes of the file that are there already: [have_begin, have_end) at `have`. */
	const uint8_t *have;
	uint64_t have_begin, have_end;
	/* Read ahead: [have_end, next_end), into half `half`. */
	struct io_ahead *ahead;
	struct kr_memory memory; /* of the two halves */
	uint64_t next_end;       /* 0: nothing */
	unsigned half;
	bool is_ahead_off;
};

/* `data`: LOG_RECOVER_WINDOW_SIZE bytes, `bad`: as many as it has blocks; both stay. */
void log_source_init(
	struct log_source *source, struct log_store *store, uint8_t *data, uint8_t *bad);
void log_source_fini(struct log_source *source);

/* 0, `window` and `bad` are what a NEED asks for; or an error that is not the medium's. */
KR_MUST_CHECK int log_source_read(struct log_source *source, const struct log_recover_event *need);

#endif
