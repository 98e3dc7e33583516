#include "bench/trace.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/civil.h"

#define LINE_SIZE 1024
#define OPS_MAX (UINT32_C(1) << 26)
#define FIELDS_MAX 16

/* A file line by line. The first failure stays: there are no lines after it. */
struct lines {
	FILE *file;
	const char *path;
	pid_t gzip; /* 0 = none */
	uint64_t number;
	int error;
	struct kr_error_text *why;
	char text[LINE_SIZE];
};

static void KR_PRINTF(2, 3) lines_fail(struct lines *lines, const char *format, ...)
{
	char what[256];
	va_list args;
	if (lines->error != 0)
		return;
	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	lines->error = kr_error_text_set(lines->why, -KR_E_INVALID, 0, "%s:%" PRIu64 ": %s",
		lines->path, lines->number, what);
}

static FILE *open_gzip(const char *path, pid_t *ret_pid)
{
	int ends[2];
	if (pipe(ends) != 0)
		return NULL;
	const pid_t pid = fork();
	if (pid == 0) {
		(void)dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		close(ends[1]);
		execlp("gzip", "gzip", "-dc", "--", path, (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return NULL;
	}
	*ret_pid = pid;
	return fdopen(ends[0], "r");
}

static bool lines_open(struct lines *lines, const char *path, struct kr_error_text *why)
{
	const size_t length = strlen(path);
	memset(lines, 0, sizeof(*lines));
	lines->path = path;
	lines->why = why;
	if (access(path, R_OK) == 0)
		lines->file = length > 3 && strcmp(path + length - 3, ".gz") == 0
				      ? open_gzip(path, &lines->gzip)
				      : fopen(path, "re");
	if (lines->file == NULL)
		lines->error = kr_error_text_set(why, -KR_E_INVALID, errno, "%s", path);
	return lines->file != NULL;
}

/* How reading it went. */
static int lines_close(struct lines *lines)
{
	int status = 0;
	if (lines->file != NULL)
		fclose(lines->file);
	/* gzip that was not read to its end dies of that: the first failure says why. */
	if (lines->gzip != 0 && (waitpid(lines->gzip, &status, 0) != lines->gzip || status != 0))
		lines_fail(lines, "gzip could not read it");
	return lines->error;
}

/* Splits the next line at commas. False at the end, and after a failure. */
static bool lines_next(struct lines *lines, char **fields, size_t field_count)
{
	kr_assert(lines->file != NULL && field_count <= FIELDS_MAX);
	if (lines->error != 0 || fgets(lines->text, sizeof(lines->text), lines->file) == NULL)
		return false;
	lines->number++;
	/* What is behind would be taken for a line of its own. */
	if (strchr(lines->text, '\n') == NULL && !feof(lines->file)) {
		lines_fail(lines, "the line is too long, or has a zero byte");
		return false;
	}
	lines->text[strcspn(lines->text, "\r\n")] = 0;
	char *at = lines->text;
	for (size_t i = 0; i < field_count; i++) {
		if (at == NULL) {
			lines_fail(lines, "%zu fields are meant", field_count);
			return false;
		}
		fields[i] = at;
		at = strchr(at, ',');
		if (at != NULL)
			*at++ = 0;
	}
	return true;
}

static uint64_t number(struct lines *lines, const char *text, uint64_t max)
{
	char *end;
	errno = 0;
	const uint64_t value = strtoull(text, &end, 10);
	/* By itself it takes blanks and signs: -1 would be the greatest number there is. */
	if (errno == 0 && *text >= '0' && *text <= '9' && *end == 0 && value <= max)
		return value;
	lines_fail(lines, "\"%s\" is no number up to %" PRIu64, text, max);
	return 0;
}

static int32_t date(struct lines *lines, const char *text)
{
	int32_t day = 0;
	if (civil_day_parse(text, strlen(text), &day) != 0)
		lines_fail(lines, "\"%s\" is no date", text);
	return day;
}

static void type_read(struct trace *trace, struct lines *lines, char **fields)
{
	if (trace->type_count == TRACE_TYPES_MAX || strlen(fields[1]) >= TRACE_CODE_SIZE) {
		lines_fail(lines, "too many types or too long a code");
		return;
	}
	struct trace_type *type = &trace->types[trace->type_count++];
	type->hotel = number(lines, fields[0], UINT64_MAX);
	memcpy(type->code, fields[1], strlen(fields[1]) + 1);
	type->rooms = (uint32_t)number(lines, fields[2], 32767);
}

static int capacity_read(struct trace *trace, const char *path, struct kr_error_text *why)
{
	struct lines lines;
	char *fields[FIELDS_MAX];
	if (!lines_open(&lines, path, why))
		return lines.error;
	(void)lines_next(&lines, fields, 3); /* the head */
	while (lines_next(&lines, fields, 3))
		type_read(trace, &lines, fields);
	return lines_close(&lines);
}

static uint16_t type_find(
	const struct trace *trace, struct lines *lines, uint64_t hotel, const char *code)
{
	for (uint32_t i = 0; i < trace->type_count; i++)
		if (trace->types[i].hotel == hotel && strcmp(trace->types[i].code, code) == 0)
			return (uint16_t)i;
	lines_fail(lines, "room type \"%s\" has no capacity", code);
	return 0;
}

static struct trace_op op_read(const struct trace *trace, struct lines *lines, char **fields)
{
	const struct trace_op op = {
		.day = date(lines, fields[0]),
		.is_cancel = strcmp(fields[1], "cancel") == 0,
		.booking = number(lines, fields[2], UINT64_MAX),
		.hotel = number(lines, fields[3], UINT64_MAX),
		.type = type_find(trace, lines, number(lines, fields[3], UINT64_MAX), fields[4]),
		.check_in = date(lines, fields[5]),
		.nights = (uint16_t)number(lines, fields[6], 365),
		.rooms = (uint16_t)number(lines, fields[7], 65535),
		.guests = (uint16_t)number(lines, fields[8], 65535),
		.price_minor = number(lines, fields[9], UINT64_C(1) << 40),
	};
	if (!op.is_cancel && strcmp(fields[1], "book") != 0)
		lines_fail(lines, "op is book or cancel, not \"%s\"", fields[1]);
	if (op.nights == 0 || op.rooms == 0)
		lines_fail(lines, "a stay has nights and rooms");
	if (trace->op_count > 0 && op.day < trace->ops[trace->op_count - 1].day)
		lines_fail(lines, "%s is before the line above", fields[0]);
	return op;
}

static bool ops_grow(struct trace *trace, uint32_t *capacity)
{
	if (trace->op_count < *capacity)
		return true;
	const uint32_t more = *capacity == 0 ? 65536 : *capacity * 2;
	struct trace_op *ops =
		more > OPS_MAX ? NULL : realloc(trace->ops, more * sizeof(*trace->ops));
	if (ops == NULL)
		return false;
	trace->ops = ops;
	*capacity = more;
	return true;
}

static int ops_read(struct trace *trace, const char *path, struct kr_error_text *why)
{
	struct lines lines;
	char *fields[FIELDS_MAX];
	uint32_t capacity = 0;
	bool has_room = true;
	if (!lines_open(&lines, path, why))
		return lines.error;
	(void)lines_next(&lines, fields, 10);
	while (has_room && lines_next(&lines, fields, 10)) {
		const struct trace_op op = op_read(trace, &lines, fields);
		has_room = ops_grow(trace, &capacity);
		if (!has_room || lines.error != 0)
			break;
		trace->ops[trace->op_count++] = op;
		trace->first_day = KR_MIN(trace->first_day, op.check_in);
		trace->last_day = KR_MAX(trace->last_day, op.check_in + op.nights - 1);
	}
	if (!has_room)
		lines_fail(&lines, "too many operations");
	else if (trace->op_count == 0)
		lines_fail(&lines, "there are no operations");
	return lines_close(&lines);
}

int trace_read(struct trace *trace, const char *trace_path, const char *capacity_path,
	struct kr_error_text *text)
{
	memset(trace, 0, sizeof(*trace));
	trace->first_day = INT32_MAX;
	trace->last_day = INT32_MIN;
	int r = capacity_read(trace, capacity_path, text);
	if (r == 0)
		r = ops_read(trace, trace_path, text);
	if (r != 0)
		trace_free(trace);
	return r;
}

void trace_free(struct trace *trace)
{
	kr_assert(trace != NULL);
	free(trace->ops);
	trace->ops = NULL;
	trace->op_count = 0;
}

uint32_t trace_price_runs(const struct trace_op *op, struct trace_run ret_runs[TRACE_RUNS_MAX])
{
	kr_assert(op->nights > 0 && op->rooms > 0);
	const uint64_t total = op->price_minor / op->rooms;
	const uint64_t a_night = total / op->nights;
	const uint64_t last = total - a_night * (uint64_t)(op->nights - 1);
	ret_runs[0] = (struct trace_run){op->nights, a_night};
	if (last == a_night)
		return 1;
	kr_assert(op->nights > 1);
	ret_runs[0].nights--;
	ret_runs[1] = (struct trace_run){1, last};
	return 2;
}
