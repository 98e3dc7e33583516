/*
 * Reading a booking trace: what is malformed is named with its line, and nothing is kept of it.
 */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/civil.h"
#include "bench/outcome.h"
#include "bench/trace.h"

#define HEAD "date,op,booking,hotel,room_type,check_in,nights,rooms,guests,price_minor\n"
#define BOOK "2015-07-01,book,7,1,A,2015-07-03,3,1,2,1000\n"

static char *file_with(const char *text)
{
	char *path = strdup("/tmp/keyrack-trace-XXXXXX");
	cr_assert_not_null(path);
	const int fd = mkstemp(path);
	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	return path;
}

static int read_both(
	struct trace *trace, const char *ops, const char *capacity, struct kr_error_text *text)
{
	char *trace_path = file_with(ops), *capacity_path = file_with(capacity);
	const int r = trace_read(trace, trace_path, capacity_path, text);
	unlink(trace_path);
	unlink(capacity_path);
	free(trace_path);
	free(capacity_path);
	return r;
}

Test(trace, is_read_with_the_day_of_each_operation_and_the_span_of_its_stays)
{
	struct trace trace;
	struct kr_error_text text = {0};
	int32_t day;
	cr_assert_eq(read_both(&trace, HEAD BOOK "2015-07-02,cancel,7,1,A,2015-07-03,3,1,2,1000\n",
			     "hotel,room_type,rooms\n1,A,2\n", &text),
		0, "%s", text.bytes);
	cr_assert_eq(trace.op_count, 2);
	cr_assert_eq(civil_day_parse("2015-07-01", 10, &day), 0);
	cr_assert_eq(trace.ops[0].day, day);
	cr_assert_eq(trace.ops[1].day, day + 1);
	cr_assert(!trace.ops[0].is_cancel && trace.ops[1].is_cancel);
	cr_assert_eq(trace.ops[0].booking, 7);
	cr_assert_eq(trace.first_day, day + 2);
	cr_assert_eq(trace.last_day, day + 4);
	cr_assert_eq(trace.types[0].rooms, 2);
	trace_free(&trace);
}

Test(trace, is_refused_with_the_line_that_is_wrong)
{
	static const struct {
		const char *line, *why;
	} rows[] = {
		{"2015-07-01,book,7,1,A,2015-07-03,3,1,2\n", ":3: 10 fields are meant"},
		{"2015-07-01,book,x,1,A,2015-07-03,3,1,2,0\n", ":3: \"x\" is no number"},
		{"2015-07-01,book,7,1,B,2015-07-03,3,1,2,0\n", ":3: room type \"B\""},
		{"2015-07-01,sell,7,1,A,2015-07-03,3,1,2,0\n", ":3: op is book or cancel"},
		{"2015-07-01,book,7,1,A,2015-02-30,3,1,2,0\n", ":3: \"2015-02-30\" is no date"},
		{"yesterday,book,7,1,A,2015-07-03,3,1,2,0\n", ":3: \"yesterday\" is no date"},
		{"2015-07-01,book,7,1,A,2015-07-03,0,1,2,0\n", ":3: a stay has nights"},
		{"2015-07-01,book,7,1,A,2015-07-03,366,1,2,0\n", ":3: \"366\" is no number"},
		{"2015-07-01,book,-1,1,A,2015-07-03,3,1,2,0\n", ":3: \"-1\" is no number"},
		{"2015-07-01,book,+7,1,A,2015-07-03,3,1,2,0\n", ":3: \"+7\" is no number"},
		{"2015-07-01,book, 7,1,A,2015-07-03,3,1,2,0\n", ":3: \" 7\" is no number"},
		{"2015-06-30,book,7,1,A,2015-07-03,3,1,2,0\n", ":3: 2015-06-30 is before"},
	};
	for (size_t i = 0; i < KR_ARRAY_COUNT(rows); i++) {
		struct trace trace;
		struct kr_error_text text = {0};
		char ops[512];
		snprintf(ops, sizeof(ops), "%s%s%s%s", HEAD, BOOK, rows[i].line, BOOK);
		cr_assert_eq(read_both(&trace, ops, "hotel,room_type,rooms\n1,A,2\n", &text),
			-KR_E_INVALID);
		cr_assert_not_null(strstr(text.bytes, rows[i].why), "%s", text.bytes);
		cr_assert_null(trace.ops);
	}
}

Test(trace, takes_nothing_from_the_rest_of_a_long_line)
{
	static const char rest[] = "2015-07-01,book,8,1,A,2015-07-03,3,1,2,0\n";
	/* Some length is the reader's buffer, and what is behind it would be a line. */
	for (int pad = 1; pad < 2048; pad++) {
		struct trace trace;
		struct kr_error_text text = {0};
		char ops[4096];
		snprintf(ops, sizeof(ops), "%s%.*s,%0*d%s", HEAD, (int)strlen(BOOK) - 1, BOOK, pad,
			0, rest);
		const int r = read_both(&trace, ops, "hotel,room_type,rooms\n1,A,2\n", &text);
		if (r == 0)
			cr_assert_eq(trace.op_count, 1);
		else
			cr_assert_not_null(strstr(text.bytes, ":2: the line is too long"));
		trace_free(&trace);
	}
}

Test(trace, that_is_missing_or_empty_is_refused)
{
	struct trace trace;
	struct kr_error_text text = {0};
	cr_assert_eq(trace_read(&trace, "/nonexistent", "/nonexistent", &text), -KR_E_INVALID);
	cr_assert_not_null(strstr(text.bytes, "/nonexistent"));
	kr_error_text_clear(&text);
	cr_assert_eq(
		read_both(&trace, HEAD, "hotel,room_type,rooms\n1,A,2\n", &text), -KR_E_INVALID);
	cr_assert_not_null(strstr(text.bytes, "no operations"));
}

Test(price, of_a_stay_leaves_what_does_not_divide_on_the_last_night)
{
	for (uint64_t price = 0; price < 40; price++) {
		for (uint16_t nights = 1; nights < 9; nights++) {
			const struct trace_op op = {
				.price_minor = price, .nights = nights, .rooms = 1};
			struct trace_run runs[TRACE_RUNS_MAX];
			uint64_t sum = 0;
			uint32_t count = trace_price_runs(&op, runs), stayed = 0;
			cr_assert(count == 1 || count == 2);
			for (uint32_t i = 0; i < count; i++) {
				cr_assert_gt(runs[i].nights, 0);
				sum += runs[i].nights * runs[i].price_minor;
				stayed += runs[i].nights;
			}
			cr_assert_eq(sum, price);
			cr_assert_eq(stayed, nights);
		}
	}
}

Test(outcome, is_the_same_in_whatever_order_it_was_found)
{
	char refused[2][OUTCOME_HEX_SIZE], cells[2][OUTCOME_HEX_SIZE];
	for (int way = 0; way < 2; way++) {
		struct outcome outcome = {0};
		for (uint64_t i = 0; i < 2000; i++)
			outcome_refused_add(&outcome, way == 0 ? i : 1999 - i);
		for (int32_t i = 0; i < 2000; i++)
			outcome_cell_add(&outcome, "A", way == 0 ? i : 1999 - i, 3);
		outcome_cell_add(&outcome, "B", 0, 0);
		cr_assert_eq(outcome.cell_count, 2000);
		outcome_hash(&outcome, refused[way], cells[way]);
		outcome_fini(&outcome);
	}
	cr_assert_str_eq(refused[0], refused[1]);
	cr_assert_str_eq(cells[0], cells[1]);
	cr_assert_str_neq(refused[0], cells[0]);
}

Test(outcome, is_the_sum_of_the_lines_without_a_newline_after_the_last)
{
	char refused[OUTCOME_HEX_SIZE], cells[OUTCOME_HEX_SIZE];
	struct outcome outcome = {0};
	outcome_refused_add(&outcome, 10);
	outcome_refused_add(&outcome, 9);
	outcome_cell_add(&outcome, "A", 0, 12);
	outcome_hash(&outcome, refused, cells);
	/* printf '9\n10' | sha256sum; printf 'A,1970-01-01,12' | sha256sum */
	cr_assert_str_eq(
		refused, "654f94133a139e31242c9cc78e5c7a708d3b760ef7030913397f7a8597a0bdd4");
	cr_assert_str_eq(cells, "221fdd515a38faf7c7d7762760178386585d324867231a3b9b76e70264d9533c");
	outcome_fini(&outcome);
}
