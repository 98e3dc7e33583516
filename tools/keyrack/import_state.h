/*
 * Where an import stands, in a file: what is behind `line` is still to be done. Every row up to it
 * has ended, and what was refused of it is in the rejects file's first rejects_size bytes. So
 * whoever goes on from it, does so as if nothing had been.
 */
#ifndef TOOLS_KEYRACK_IMPORT_STATE_H
#define TOOLS_KEYRACK_IMPORT_STATE_H

#include "base/error.h"
#include "tools/keyrack/rows.h"

struct import_state {
	const char *sheet;  /* what is imported: static */
	uint64_t file_size; /* of the input, to know it again */
	uint64_t file_sum;  /* of its header and sizes */
	uint64_t line;
	uint64_t row_count, reject_count, rejects_size;
	uint64_t passed_nights; /* outside windows; of reservations the rows not kept any more */
};

/* 0, 1 where there is no such file yet, or a negative error: of another input, or damaged. */
KR_MUST_CHECK int import_state_read(
	const char *path, struct import_state *state, struct kr_error_text *error);
/* Replaced as a whole and synced. */
KR_MUST_CHECK int import_state_write(
	const char *path, const struct import_state *state, struct kr_error_text *error);

#endif
