/*
 * The rows of a table on its way in, one after another, from CSV with a header or from NDJSON (the
 * first byte says which). A row that cannot be read is told with its line and the reason, and the
 * next one follows. Memory is bounded whatever the input is.
 */
#ifndef TOOLS_KEYRACK_ROWS_H
#define TOOLS_KEYRACK_ROWS_H

#include <jansson.h>

#include "base/error.h"
#include "tools/keyrack/csv.h"

#define ROWS_COLUMNS_MAX 40u /* that a reader asks for */
#define ROWS_BUFFER_SIZE (1u << 20)
#define ROWS_NUMBER_SIZE 24u

struct row {
	uint64_t line;      /* of the file, from 1: where it begins */
	uint64_t last_line; /* where it ends */
	const char *raw;    /* as it stands, without the line's end */
	size_t raw_size_bytes;
	const char *fault;                   /* NULL, or why there are no texts */
	const char *texts[ROWS_COLUMNS_MAX]; /* as asked for; NULL: it has no such column */
};

struct rows {
	int fd;
	uint64_t size_bytes; /* of the file; 0 = not known */
	uint64_t done_bytes;
	bool is_ndjson;
	bool is_end;
	bool is_torn; /* the rest of a line that was a fault comes first */
	uint64_t line;
	size_t start, end;
	char *buffer;
	char *header; /* CSV: as it stands, without its end */
	uint32_t name_count;
	char *names[CSV_FIELDS_MAX];
	const char *const *columns;
	uint32_t column_count;
	uint32_t places[CSV_FIELDS_MAX]; /* of each field among the columns, or column_count */
	json_t *object;
	char numbers[ROWS_COLUMNS_MAX][ROWS_NUMBER_SIZE];
	char fault[128];
	struct csv_record record;
};

/* "-" is standard input. Reads the header. 0 or a negative error; rows_close() either way. */
KR_MUST_CHECK int rows_open(struct rows *rows, const char *path, struct kr_error_text *error);
void rows_close(struct rows *rows);
/* CSV: is there such a column? */
bool rows_have(const struct rows *rows, const char *name);
/* What row.texts are from now on. Names that are not among them are -KR_E_INVALID where every
 * column has to be known. The columns stay the caller's. */
KR_MUST_CHECK int rows_bind(struct rows *rows, const char *const *columns, uint32_t count,
	bool is_strict, struct kr_error_text *error);
/* 1: a row, which lives until the next call. 0: the end. Negative: the file cannot be read. */
KR_MUST_CHECK int rows_next(struct rows *rows, struct row *ret_row, struct kr_error_text *error);

#endif
