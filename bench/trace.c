#include "bench/trace.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/bench.h"

#define LINE_SIZE 1024
#define OPS_MAX (UINT32_C(1) << 26)
#define FIELDS_MAX 16

struct lines {
	FILE *file;
	const char *path;
	pid_t gzip; /* 0 = none */
	uint64_t number;
	char text[LINE_SIZE];
};

static FILE *open_gzip(const char *path, pid_t *ret_pid)
{
	int ends[2];
	if (pipe(ends) != 0)
		bench_fail(BENCH_ABORTED, "pipe: %s", strerror(errno));
	const pid_t pid = fork();
	if (pid < 0)
		bench_fail(BENCH_ABORTED, "fork: %s", strerror(errno));
	if (pid == 0) {
		(void)dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		close(ends[1]);
		execlp("gzip", "gzip", "-dc", "--", path, (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	*ret_pid = pid;
	return fdopen(ends[0], "r");
}

static void lines_open(struct lines *lines, const char *path)
{
	const size_t length = strlen(path);
	memset(lines, 0, sizeof(*lines));
	lines->path = path;
	if (access(path, R_OK) != 0)
		bench_fail(BENCH_USAGE, "%s: %s", path, strerror(errno));
	lines->file = length > 3 && strcmp(path + length - 3, ".gz") == 0
			      ? open_gzip(path, &lines->gzip)
			      : fopen(path, "re");
	if (lines->file == NULL)
		bench_fail(BENCH_USAGE, "%s: %s", path, strerror(errno));
}

static void lines_close(struct lines *lines)
{
	int status = 0;
	fclose(lines->file);
	if (lines->gzip != 0 && (waitpid(lines->gzip, &status, 0) != lines->gzip || status != 0))
		bench_fail(BENCH_USAGE, "%s: gzip could not read it", lines->path);
}

/* Splits the next line at commas. False at the end. */
static bool lines_next(struct lines *lines, char **fields, size_t field_count)
{
	if (fgets(lines->text, sizeof(lines->text), lines->file) == NULL)
		return false;
	lines->number++;
	lines->text[strcspn(lines->text, "\r\n")] = 0;
	char *at = lines->text;
	for (size_t i = 0; i < field_count; i++) {
		if (at == NULL)
			bench_fail(BENCH_USAGE, "%s:%" PRIu64 ": %zu fields are meant", lines->path,
				lines->number, field_count);
		fields[i] = at;
		at = strchr(at, ',');
		if (at != NULL)
			*at++ = 0;
	}
	return true;
}

static uint64_t number(const struct lines *lines, const char *text, uint64_t max)
{
	char *end;
	errno = 0;
	const uint64_t value = strtoull(text, &end, 10);
	if (errno != 0 || end == text || *end != 0 || value > max)
		bench_fail(BENCH_USAGE, "%s:%" PRIu64 ": \"%s\" is no number up to %" PRIu64,
			lines->path, lines->number, text, max);
	return value;
}

static void capacity_read(struct trace *trace, const char *path)
{
	struct lines lines;
	char *fields[3];
	lines_open(&lines, path);
	(void)lines_next(&lines, fields, 3); /* the head */
	while (lines_next(&lines, fields, 3)) {
		if (trace->type_count == TRACE_TYPES_MAX || strlen(fields[1]) >= TRACE_CODE_SIZE)
			bench_fail(BENCH_USAGE, "%s:%" PRIu64 ": too many types or too long a code",
				path, lines.number);
		struct trace_type *type = &trace->types[trace->type_count++];
		type->hotel = number(&lines, fields[0], UINT64_MAX);
		memcpy(type->code, fields[1], strlen(fields[1]) + 1);
		type->rooms = (uint32_t)number(&lines, fields[2], 32767);
	}
	lines_close(&lines);
}

static uint16_t type_find(
	const struct trace *trace, const struct lines *lines, uint64_t hotel, const char *code)
{
	for (uint32_t i = 0; i < trace->type_count; i++)
		if (trace->types[i].hotel == hotel && strcmp(trace->types[i].code, code) == 0)
			return (uint16_t)i;
	bench_fail(BENCH_USAGE, "%s:%" PRIu64 ": room type \"%s\" has no capacity", lines->path,
		lines->number, code);
}

static struct trace_op op_read(const struct trace *trace, const struct lines *lines, char **fields)
{
	struct trace_op op = {
		.booking = number(lines, fields[2], UINT64_MAX),
		.hotel = number(lines, fields[3], UINT64_MAX),
		.nights = (uint16_t)number(lines, fields[6], 365),
		.rooms = (uint16_t)number(lines, fields[7], 65535),
		.guests = (uint16_t)number(lines, fields[8], 65535),
		.price_minor = number(lines, fields[9], UINT64_C(1) << 40),
		.is_cancel = strcmp(fields[1], "cancel") == 0,
	};
	if (!op.is_cancel && strcmp(fields[1], "book") != 0)
		bench_fail(BENCH_USAGE, "%s:%" PRIu64 ": op is book or cancel, not \"%s\"",
			lines->path, lines->number, fields[1]);
	if (keyrack_day_parse(fields[5], &op.check_in) != 0)
		bench_fail(BENCH_USAGE, "%s:%" PRIu64 ": \"%s\" is no date", lines->path,
			lines->number, fields[5]);
	op.type = type_find(trace, lines, op.hotel, fields[4]);
	return op;
}

void trace_read(struct trace *trace, const char *trace_path, const char *capacity_path)
{
	struct lines lines;
	char *fields[FIELDS_MAX];
	uint32_t capacity = 0;
	memset(trace, 0, sizeof(*trace));
	capacity_read(trace, capacity_path);
	trace->first_day = INT32_MAX;
	trace->last_day = INT32_MIN;
	lines_open(&lines, trace_path);
	(void)lines_next(&lines, fields, 10);
	while (lines_next(&lines, fields, 10)) {
		if (trace->op_count == capacity) {
			capacity = capacity == 0 ? 65536 : capacity * 2;
			trace->ops = realloc(trace->ops, capacity * sizeof(*trace->ops));
			if (trace->ops == NULL || capacity > OPS_MAX)
				bench_fail(BENCH_ABORTED, "%s: too many operations", trace_path);
		}
		const struct trace_op op = op_read(trace, &lines, fields);
		trace->ops[trace->op_count++] = op;
		trace->first_day = KR_MIN(trace->first_day, op.check_in);
		trace->last_day = KR_MAX(trace->last_day, op.check_in + op.nights - 1);
	}
	lines_close(&lines);
	if (trace->op_count == 0)
		bench_fail(BENCH_USAGE, "%s: there are no operations", trace_path);
}

void trace_free(struct trace *trace)
{
	kr_assert(trace->ops != NULL);
	free(trace->ops);
	trace->ops = NULL;
}
