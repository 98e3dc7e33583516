/*
 * A booking trace, and the rooms per type that go with it.
 *
 * Held: each operation that is taken is of one line, in range, of a type that was told, and on no
 * earlier day than the one before; its price over the nights adds up; written as lines, all is
 * taken again as the same. What is refused says where and why.
 *
 * Input: u16 size of the capacities, so many bytes of them; the rest is the trace.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "base/text.h"
#include "bench/trace.h"
#include "tests/fuzz/fuzz.h"

#define LINE_SIZE 256u

static struct fuzz_file capacity_file, trace_file;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	kr_assert(argc != NULL && argv != NULL);
	fuzz_file_init(&capacity_file);
	fuzz_file_init(&trace_file);
	return 0;
}

static void check_price(const struct trace_op *op)
{
	struct trace_run runs[TRACE_RUNS_MAX];
	uint32_t count = trace_price_runs(op, runs);
	uint64_t sum = 0, nights = 0;
	kr_assert(count == 1 || count == 2);
	for (uint32_t i = 0; i < count; i++) {
		sum += runs[i].nights * runs[i].price_minor;
		nights += runs[i].nights;
	}
	kr_assert(nights == op->nights && sum == op->price_minor / op->rooms);
}

static void check_taken(const struct trace *trace, uint32_t line_count)
{
	int32_t first_day = INT32_MAX, last_day = INT32_MIN, day = INT32_MIN;
	kr_assert(trace->op_count >= 1 && trace->op_count < line_count);
	for (uint32_t i = 0; i < trace->op_count; i++) {
		const struct trace_op *op = &trace->ops[i];
		kr_assert(op->nights >= 1 && op->rooms >= 1 && op->type < trace->type_count);
		kr_assert(trace->types[op->type].hotel == op->hotel);
		kr_assert(op->day >= day);
		day = op->day;
		first_day = KR_MIN(first_day, op->check_in);
		last_day = KR_MAX(last_day, op->check_in + op->nights - 1);
		check_price(op);
	}
	kr_assert(trace->first_day == first_day && trace->last_day == last_day);
}

static void write_day(struct kr_text *text, int32_t day)
{
	struct civil_date date = civil_date_from_day(day);
	kr_text_format(text, "%04d-%02u-%02u,", date.year, date.month, date.day);
}

static void write_op(struct kr_text *text, const struct trace *trace, const struct trace_op *op)
{
	write_day(text, op->day);
	kr_text_format(text, "%s,%" PRIu64 ",%" PRIu64 ",%s,", op->is_cancel ? "cancel" : "book",
		op->booking, op->hotel, trace->types[op->type].code);
	write_day(text, op->check_in);
	kr_text_format(
		text, "%u,%u,%u,%" PRIu64 "\n", op->nights, op->rooms, op->guests, op->price_minor);
}

static void write_all(const struct trace *trace)
{
	size_t size = ((size_t)trace->op_count + TRACE_TYPES_MAX + 1) * LINE_SIZE;
	char *bytes = malloc(size);
	struct kr_text text;
	kr_assert(bytes != NULL && trace->type_count <= TRACE_TYPES_MAX);
	kr_text_init(&text, bytes, size);
	kr_text_put_string(&text, "hotel,room_type,rooms\n");
	for (uint32_t i = 0; i < trace->type_count; i++)
		kr_text_format(&text, "%" PRIu64 ",%s,%u\n", trace->types[i].hotel,
			trace->types[i].code, trace->types[i].rooms);
	fuzz_file_put(&capacity_file, bytes, strlen(bytes));
	kr_text_init(&text, bytes, size);
	kr_text_put_string(&text, "head,1,2,3,4,5,6,7,8,9\n");
	for (uint32_t i = 0; i < trace->op_count; i++)
		write_op(&text, trace, &trace->ops[i]);
	fuzz_file_put(&trace_file, bytes, strlen(bytes));
	free(bytes);
}

static void check_again(const struct trace *trace)
{
	struct trace again;
	struct kr_error_text why = {0};
	write_all(trace);
	int r = trace_read(&again, trace_file.path, capacity_file.path, &why);
	kr_assert(r == 0 && again.op_count == trace->op_count);
	kr_assert(again.type_count == trace->type_count);
	kr_assert(memcmp(again.types, trace->types, sizeof(again.types)) == 0);
	for (uint32_t i = 0; i < again.op_count; i++) {
		const struct trace_op *x = &again.ops[i], *y = &trace->ops[i];
		kr_assert(x->booking == y->booking && x->hotel == y->hotel);
		kr_assert(x->price_minor == y->price_minor && x->is_cancel == y->is_cancel);
		kr_assert(x->day == y->day && x->check_in == y->check_in);
		kr_assert(x->nights == y->nights && x->rooms == y->rooms);
		kr_assert(x->guests == y->guests && x->type == y->type);
	}
	trace_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	struct kr_reader input;
	struct trace trace;
	struct kr_error_text why = {0};
	size_t size;
	uint32_t line_count = 0;
	kr_reader_init(&input, data, size_bytes);
	const uint8_t *bytes = fuzz_take(&input, kr_reader_u16(&input), &size);
	fuzz_file_put(&capacity_file, bytes, size);
	bytes = fuzz_take(&input, SIZE_MAX, &size);
	fuzz_file_put(&trace_file, bytes, size);
	for (size_t i = 0; i < size; i++)
		line_count += bytes[i] == '\n' || i + 1 == size;
	int r = trace_read(&trace, trace_file.path, capacity_file.path, &why);
	kr_assert(r == 0 || (r == -KR_E_INVALID && why.bytes[0] != 0));
	if (r != 0)
		return 0;
	check_taken(&trace, line_count);
	check_again(&trace);
	trace_free(&trace);
	return 0;
}
