/*
 * Records of comma-separated values as RFC 4180 has them, strictly: what is not quite that is a
 * fault with its reason, never a guess. Fields in quotes may contain commas, line ends and doubled
 * quotes; a line ends with LF or CRLF; a NUL is nowhere allowed. Pure.
 */
#ifndef TOOLS_KEYRACK_CSV_H
#define TOOLS_KEYRACK_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

#define CSV_FIELDS_MAX 64u /* of one record: a fault beyond */
#define CSV_RECORD_SIZE_MAX                                                                        \
	(64u << 10) /* of one record as it stands, with its end: a fault beyond */

enum csv_result {
	CSV_RECORD, /* the fields are there */
	CSV_FAULT,  /* `fault` says why; size_bytes are to be passed over */
	CSV_MORE,   /* the record does not end in these bytes, and more may come */
	CSV_END,    /* nothing is left */
};

struct csv_record {
	size_t size_bytes;   /* of the input, with the line's end */
	uint32_t line_count; /* line ends among them */
	bool is_torn;        /* CSV_FAULT: the line goes on behind them, and is no record either */
	const char *fault;   /* static */
	uint32_t field_count;
	const char *fields[CSV_FIELDS_MAX]; /* in `bytes`, each with a NUL behind */
	char bytes[CSV_RECORD_SIZE_MAX + CSV_FIELDS_MAX];
};

/* Reads the record at the beginning of `bytes`; is_end: nothing follows them. */
enum csv_result csv_read(
	const char *bytes, size_t size_bytes, bool is_end, struct csv_record *ret_record);

/* Does the text have to stand in quotes to be one field? */
bool csv_needs_quotes(const char *text);

#endif
