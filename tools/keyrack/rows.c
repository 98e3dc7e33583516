#include "tools/keyrack/rows.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FAILED(error, ...) kr_error_text_set(error, kr_error_from_errno(errno), errno, __VA_ARGS__)
#define WRONG(error, ...) kr_error_text_set(error, -KR_E_INVALID, 0, __VA_ARGS__)

/* More bytes behind `end`; is_end when there are none. */
static int rows_fill(struct rows *rows, struct kr_error_text *error)
{
	ssize_t got;
	kr_assert(rows->start <= rows->end && rows->end <= ROWS_BUFFER_SIZE);
	memmove(rows->buffer, rows->buffer + rows->start, rows->end - rows->start);
	rows->end -= rows->start;
	rows->start = 0;
	do
		got = read(rows->fd, rows->buffer + rows->end, ROWS_BUFFER_SIZE - rows->end);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return FAILED(error, "cannot read");
	rows->is_end = got == 0;
	rows->end += (size_t)got;
	return 0;
}

static void rows_take(struct rows *rows, size_t size_bytes, uint32_t line_count)
{
	kr_assert(size_bytes <= rows->end - rows->start);
	rows->start += size_bytes;
	rows->done_bytes += size_bytes;
	rows->line += line_count;
}

/* ---- one record, of either kind -------------------------------------------------------------- */

/* The next line as a record with one field, its text. */
static enum csv_result line_read(
	const char *bytes, size_t size, bool is_end, struct csv_record *record)
{
	const char *end = memchr(bytes, '\n', KR_MIN(size, CSV_RECORD_SIZE_MAX));
	size_t length = end != NULL ? (size_t)(end - bytes) : KR_MIN(size, CSV_RECORD_SIZE_MAX);
	if (size == 0)
		return is_end ? CSV_END : CSV_MORE;
	if (end == NULL && !is_end && size < CSV_RECORD_SIZE_MAX)
		return CSV_MORE;
	record->is_torn = end == NULL && length >= CSV_RECORD_SIZE_MAX;
	record->fault = record->is_torn ? "the line is too long" : NULL;
	record->size_bytes = length + (end != NULL);
	record->line_count = end != NULL;
	record->field_count = 1;
	if (record->is_torn)
		return CSV_FAULT;
	kr_assert(length < sizeof(record->bytes));
	memcpy(record->bytes, bytes, length);
	record->bytes[length] = '\0';
	record->fields[0] = record->bytes;
	return CSV_RECORD;
}

static enum csv_result record_read(struct rows *rows)
{
	const char *bytes = rows->buffer + rows->start;
	size_t size = rows->end - rows->start;
	kr_assert(size <= ROWS_BUFFER_SIZE);
	if (rows->is_ndjson)
		return line_read(bytes, size, rows->is_end, &rows->record);
	return csv_read(bytes, size, rows->is_end, &rows->record);
}

/* Passes over what is left of a line. */
static int torn_pass(struct rows *rows, struct kr_error_text *error)
{
	while (rows->is_torn) {
		char *bytes = rows->buffer + rows->start;
		char *end = memchr(bytes, '\n', rows->end - rows->start);
		int r = 0;
		rows_take(rows, end != NULL ? (size_t)(end - bytes) + 1 : rows->end - rows->start,
			end != NULL);
		rows->is_torn = end == NULL && !rows->is_end;
		if (rows->is_torn)
			r = rows_fill(rows, error);
		if (r < 0)
			return r;
	}
	kr_assert(!rows->is_torn);
	return 0;
}

/* 1: rows->record has one, or its fault. 0: the end. */
static int record_next(struct rows *rows, struct row *row, struct kr_error_text *error)
{
	enum csv_result result;
	int r = torn_pass(rows, error);
	if (r < 0)
		return r;
	while ((result = record_read(rows)) == CSV_MORE) {
		r = rows_fill(rows, error);
		if (r < 0)
			return r;
	}
	if (result == CSV_END)
		return 0;
	row->line = rows->line + 1;
	row->raw = rows->buffer + rows->start;
	row->raw_size_bytes = rows->record.size_bytes;
	row->fault = rows->record.fault;
	rows_take(rows, rows->record.size_bytes, rows->record.line_count);
	row->last_line = KR_MAX(rows->line, row->line);
	rows->is_torn = rows->record.is_torn;
	while (row->raw_size_bytes > 0 && (row->raw[row->raw_size_bytes - 1] == '\n' ||
						  row->raw[row->raw_size_bytes - 1] == '\r'))
		row->raw_size_bytes--;
	return 1;
}

/* ---- the header ------------------------------------------------------------------------------ */

static char *text_copy(const char *bytes, size_t size_bytes)
{
	char *copy = malloc(size_bytes + 1);
	kr_assert(copy != NULL);
	memcpy(copy, bytes, size_bytes);
	copy[size_bytes] = '\0';
	return copy;
}

static int header_read(struct rows *rows, struct kr_error_text *error)
{
	struct row row;
	int r = record_next(rows, &row, error);
	kr_assert(!rows->is_ndjson);
	if (r < 0)
		return r;
	if (r == 0)
		return WRONG(error, "there is nothing in it, not even a header");
	if (row.fault != NULL)
		return WRONG(error, "its header is no CSV: %s", row.fault);
	rows->header = text_copy(row.raw, row.raw_size_bytes);
	for (uint32_t i = 0; i < rows->record.field_count; i++) {
		const char *name = rows->record.fields[i];
		if (rows_have(rows, name))
			return WRONG(error, "its header has \"%s\" twice", name);
		rows->names[rows->name_count++] = text_copy(name, strlen(name));
	}
	return 0;
}

static int format_find(struct rows *rows, struct kr_error_text *error)
{
	static const char mark[] = "\xef\xbb\xbf"; /* some programs put it before UTF-8 */
	int r = 0;
	while (r == 0 && !rows->is_end && rows->end < sizeof(mark))
		r = rows_fill(rows, error);
	if (r < 0)
		return r;
	if (rows->end >= 3 && memcmp(rows->buffer, mark, 3) == 0)
		rows_take(rows, 3, 0);
	rows->is_ndjson = rows->start < rows->end && rows->buffer[rows->start] == '{';
	kr_assert(rows->line == 0);
	return rows->is_ndjson ? 0 : header_read(rows, error);
}

int rows_open(struct rows *rows, const char *path, struct kr_error_text *error)
{
	struct stat status;
	memset(rows, 0, sizeof(*rows));
	rows->fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	if (rows->fd < 0)
		return FAILED(error, "cannot open it");
	if (fstat(rows->fd, &status) == 0 && S_ISREG(status.st_mode))
		rows->size_bytes = (uint64_t)status.st_size;
	rows->buffer = malloc(ROWS_BUFFER_SIZE);
	kr_assert(rows->buffer != NULL);
	return format_find(rows, error);
}

void rows_close(struct rows *rows)
{
	for (uint32_t i = 0; i < rows->name_count; i++)
		free(rows->names[i]);
	json_decref(rows->object);
	free(rows->header);
	free(rows->buffer);
	if (rows->fd >= 0)
		close(rows->fd);
	rows->fd = -1;
	rows->buffer = rows->header = NULL;
	rows->object = NULL;
	rows->name_count = 0;
	kr_assert(rows->buffer == NULL);
}

bool rows_have(const struct rows *rows, const char *name)
{
	for (uint32_t i = 0; i < rows->name_count; i++)
		if (strcmp(rows->names[i], name) == 0)
			return true;
	kr_assert(name != NULL);
	return false;
}

static uint32_t column_place(const struct rows *rows, const char *name)
{
	uint32_t place = 0;
	while (place < rows->column_count && strcmp(rows->columns[place], name) != 0)
		place++;
	kr_assert(place <= rows->column_count);
	return place;
}

static int unknown_tell(const struct rows *rows, const char *name, struct kr_error_text *error)
{
	char list[384];
	size_t length = 0;
	kr_assert(rows->column_count > 0);
	for (uint32_t i = 0; i < rows->column_count; i++) {
		int more = snprintf(list + length, sizeof(list) - length, "%s%s", i > 0 ? ", " : "",
			rows->columns[i]);
		length = KR_MIN(length + (size_t)more, sizeof(list) - 1);
	}
	return WRONG(error,
		"its column \"%s\" is not known here: rename it or leave it out; known "
		"are %s",
		name, list);
}

int rows_bind(struct rows *rows, const char *const *columns, uint32_t count, bool is_strict,
	struct kr_error_text *error)
{
	kr_assert(count <= ROWS_COLUMNS_MAX);
	rows->columns = columns;
	rows->column_count = count;
	for (uint32_t i = 0; i < rows->name_count; i++) {
		rows->places[i] = column_place(rows, rows->names[i]);
		if (is_strict && rows->places[i] == count)
			return unknown_tell(rows, rows->names[i], error);
	}
	return 0;
}

/* ---- rows ------------------------------------------------------------------------------------ */

static void csv_spread(struct rows *rows, struct row *row)
{
	if (rows->record.field_count != rows->name_count) {
		(void)snprintf(rows->fault, sizeof(rows->fault), "it has %u fields, the header %u",
			rows->record.field_count, rows->name_count);
		row->fault = rows->fault;
		return;
	}
	for (uint32_t i = 0; i < rows->name_count; i++)
		if (rows->places[i] < rows->column_count)
			row->texts[rows->places[i]] = rows->record.fields[i];
	kr_assert(row->fault == NULL);
}

/* NULL: it is nothing that a column can be. */
static const char *json_text(const json_t *value, char number[static ROWS_NUMBER_SIZE])
{
	kr_assert(value != NULL);
	switch (json_typeof(value)) {
	case JSON_STRING:
		return json_string_value(value);
	case JSON_INTEGER:
		(void)snprintf(number, ROWS_NUMBER_SIZE, "%" JSON_INTEGER_FORMAT,
			json_integer_value(value));
		return number;
	case JSON_TRUE:
		return "yes";
	case JSON_FALSE:
		return "no";
	case JSON_NULL:
		return "";
	default:
		return NULL;
	}
}

static void json_spread(struct rows *rows, struct row *row)
{
	json_error_t error;
	const char *key;
	json_t *value;
	json_decref(rows->object);
	rows->object = json_loads(rows->record.fields[0], JSON_REJECT_DUPLICATES, &error);
	row->fault = rows->fault;
	if (rows->object == NULL) {
		(void)snprintf(
			rows->fault, sizeof(rows->fault), "it is no JSON: %.90s", error.text);
		return;
	}
	if (!json_is_object(rows->object)) {
		(void)snprintf(rows->fault, sizeof(rows->fault), "it is no JSON object");
		return;
	}
	json_object_foreach(rows->object, key, value)
	{
		uint32_t place = column_place(rows, key);
		const char *text = NULL;
		if (place < rows->column_count)
			text = json_text(value, rows->numbers[place]);
		if (text == NULL) {
			(void)snprintf(rows->fault, sizeof(rows->fault), "\"%.40s\" %s", key,
				place == rows->column_count ? "is not known here"
							    : "is no text, number, true, false or "
							      "null");
			return;
		}
		row->texts[place] = text;
	}
	row->fault = NULL;
}

/* An empty line is no row. */
static bool row_is_blank(const struct rows *rows, const struct row *row)
{
	const char *text = rows->record.fields[0];
	if (row->fault != NULL || rows->record.field_count != 1 || row->raw_size_bytes > 2)
		return false;
	kr_assert(text != NULL);
	return text[strspn(text, "\r")] == '\0';
}

int rows_next(struct rows *rows, struct row *ret_row, struct kr_error_text *error)
{
	int r;
	do {
		memset(ret_row, 0, sizeof(*ret_row));
		r = record_next(rows, ret_row, error);
	} while (r == 1 && row_is_blank(rows, ret_row));
	if (r != 1 || ret_row->fault != NULL)
		return r;
	kr_assert(rows->columns != NULL);
	/* jansson takes a text to its first NUL: what is behind one would be passed over. */
	if (rows->is_ndjson && strlen(rows->record.fields[0]) < ret_row->raw_size_bytes)
		ret_row->fault = "there is a NUL byte";
	else if (rows->is_ndjson)
		json_spread(rows, ret_row);
	else
		csv_spread(rows, ret_row);
	return 1;
}
