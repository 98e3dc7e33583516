#include "tools/keyrack/csv.h"

#include <string.h>

/* Where reading stands: [at, end) is left, fields go to `to`. */
struct csv_scan {
	const char *at, *end;
	bool is_whole; /* nothing comes behind `end` */
	char *to;
	struct csv_record *record;
};

enum csv_step {
	STEP_FIELD, /* a field ended at a comma */
	STEP_LINE,  /* a field ended with its line, or with the input */
	STEP_FAULT,
	STEP_MORE
};

static enum csv_step csv_fault(struct csv_scan *scan, const char *fault)
{
	kr_assert(scan->record->fault == NULL);
	scan->record->fault = fault;
	return STEP_FAULT;
}

/* The input ended where it must not, or more of it is to come. */
static enum csv_step csv_ends(struct csv_scan *scan, const char *fault)
{
	kr_assert(scan->at == scan->end);
	return scan->is_whole ? csv_fault(scan, fault) : STEP_MORE;
}

/* What stands behind a field: a comma, the line's end, or nothing. */
static enum csv_step csv_separator(struct csv_scan *scan)
{
	*scan->to++ = '\0';
	if (scan->at == scan->end)
		return scan->is_whole ? STEP_LINE : STEP_MORE;
	switch (*scan->at) {
	case ',':
		scan->at++;
		return STEP_FIELD;
	case '\n':
		scan->at++;
		return STEP_LINE;
	case '\r':
		if (scan->at + 1 == scan->end && !scan->is_whole)
			return STEP_MORE;
		if (scan->at + 1 == scan->end || scan->at[1] != '\n')
			return csv_fault(scan, "a carriage return does not end the line");
		scan->at += 2;
		return STEP_LINE;
	default:
		return csv_fault(scan, "something follows a closing quote");
	}
}

static enum csv_step csv_plain(struct csv_scan *scan)
{
	for (; scan->at < scan->end; scan->at++) {
		char c = *scan->at;
		if (c == ',' || c == '\n' || c == '\r')
			break;
		if (c == '"')
			return csv_fault(scan, "a quote stands inside a field without quotes");
		if (c == '\0')
			return csv_fault(scan, "there is a NUL byte");
		*scan->to++ = c;
	}
	return csv_separator(scan);
}

static enum csv_step csv_quoted(struct csv_scan *scan)
{
	kr_assert(*scan->at == '"');
	for (scan->at++; scan->at < scan->end; scan->at++) {
		char c = *scan->at;
		if (c == '\0')
			return csv_fault(scan, "there is a NUL byte");
		if (c == '"') {
			if (scan->at + 1 == scan->end && !scan->is_whole)
				return STEP_MORE;
			if (scan->at + 1 == scan->end || scan->at[1] != '"') {
				scan->at++;
				return csv_separator(scan);
			}
			scan->at++;
		}
		*scan->to++ = c;
	}
	return csv_ends(scan, "a quote is not closed");
}

static enum csv_step csv_fields(struct csv_scan *scan)
{
	struct csv_record *record = scan->record;
	enum csv_step step = STEP_FIELD;
	kr_assert(record->field_count == 0);
	while (step == STEP_FIELD) {
		if (record->field_count == CSV_FIELDS_MAX)
			return csv_fault(scan, "there are too many fields");
		record->fields[record->field_count] = scan->to;
		step = scan->at < scan->end && *scan->at == '"' ? csv_quoted(scan)
								: csv_plain(scan);
		record->field_count++;
	}
	return step;
}

/* Passes over the line at `from`: the next record begins behind it. */
static void csv_pass_line(
	const char *bytes, const char *from, size_t size_bytes, struct csv_record *record)
{
	const char *end = memchr(from, '\n', size_bytes - (size_t)(from - bytes));
	record->is_torn = end == NULL;
	record->size_bytes = end == NULL ? size_bytes : (size_t)(end - bytes) + 1;
	record->field_count = 0;
	kr_assert(record->fault != NULL);
}

static uint32_t csv_lines(const char *bytes, size_t size_bytes)
{
	uint32_t count = 0;
	const char *at = bytes, *end = bytes + size_bytes;
	while (at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		count++;
		at++;
	}
	kr_assert(count <= size_bytes);
	return count;
}

enum csv_result csv_read(
	const char *bytes, size_t size_bytes, bool is_end, struct csv_record *ret_record)
{
	bool is_cut = size_bytes > CSV_RECORD_SIZE_MAX;
	struct csv_scan scan = {.at = bytes,
		.end = bytes + KR_MIN(size_bytes, CSV_RECORD_SIZE_MAX),
		.is_whole = is_end && !is_cut,
		.to = ret_record->bytes,
		.record = ret_record};
	enum csv_step step;
	kr_assert(bytes != NULL || size_bytes == 0);
	if (size_bytes == 0)
		return is_end ? CSV_END : CSV_MORE;
	ret_record->fault = NULL;
	ret_record->field_count = 0;
	ret_record->is_torn = false;
	step = csv_fields(&scan);
	kr_assert(scan.to <= ret_record->bytes + sizeof(ret_record->bytes));
	if (step == STEP_MORE && size_bytes < CSV_RECORD_SIZE_MAX)
		return CSV_MORE;
	if (step == STEP_LINE) {
		ret_record->size_bytes = (size_t)(scan.at - bytes);
	} else if (step == STEP_MORE || scan.at == scan.end) {
		/* No end in sight: perhaps of a quote that was never meant. Its first line goes. */
		if (ret_record->fault == NULL)
			ret_record->fault = "the record is too long, or a quote is not closed";
		csv_pass_line(bytes, bytes, size_bytes, ret_record);
	} else {
		csv_pass_line(bytes, scan.at, size_bytes, ret_record);
	}
	ret_record->line_count = csv_lines(bytes, ret_record->size_bytes);
	kr_assert(ret_record->size_bytes > 0);
	return ret_record->fault == NULL ? CSV_RECORD : CSV_FAULT;
}

bool csv_needs_quotes(const char *text)
{
	size_t length = strlen(text);
	kr_assert(text != NULL);
	return strcspn(text, ",\"\r\n") != length;
}
