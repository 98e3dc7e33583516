/* Tables on their way out: CSV with a header, or NDJSON, to standard output or into a file. */
#ifndef TOOLS_KEYRACK_SHEET_OUT_H
#define TOOLS_KEYRACK_SHEET_OUT_H

#include <stdio.h>

#include "tools/keyrack/files.h"
#include "tools/keyrack/sheet.h"

struct sheet_out {
	const struct sheet *sheet;
	bool is_ndjson;
	FILE *file;
	uint64_t row_count;
	char path[FILES_PATH_SIZE];    /* "": standard output */
	char partial[FILES_PATH_SIZE]; /* has the rows until the path has all of them */
};

/* path NULL: standard output. 0 or a negative error. */
KR_MUST_CHECK int sheet_out_open(struct sheet_out *out, const struct sheet *sheet, bool is_ndjson,
	const char *path, struct kr_error_text *error);
void sheet_out_row(struct sheet_out *out, const struct sheet_texts *texts);
/* The same, texts of any length, one a column. */
void sheet_out_texts(struct sheet_out *out, const char *const *texts);
/* The file is on disk under its name, or (a negative error) not there at all. */
KR_MUST_CHECK int sheet_out_close(struct sheet_out *out, struct kr_error_text *error);
/* Gives up: no file. */
void sheet_out_drop(struct sheet_out *out);

#endif
