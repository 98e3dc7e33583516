#include <criterion/criterion.h>
#include <string.h>

#include "tools/keyrack/csv.h"

static struct csv_record record;

static enum csv_result whole(const char *text)
{
	return csv_read(text, strlen(text), true, &record);
}

Test(csv, splits_plain_fields_with_either_line_end)
{
	cr_assert_eq(whole("a,,ccc\nnext"), CSV_RECORD);
	cr_assert_eq(record.field_count, 3);
	cr_assert_str_eq(record.fields[0], "a");
	cr_assert_str_eq(record.fields[1], "");
	cr_assert_str_eq(record.fields[2], "ccc");
	cr_assert_eq(record.size_bytes, 7);
	cr_assert_eq(record.line_count, 1);
	cr_assert_eq(whole("a,b\r\nnext"), CSV_RECORD);
	cr_assert_str_eq(record.fields[1], "b");
	cr_assert_eq(record.size_bytes, 5);
	cr_assert_eq(whole("a,b"), CSV_RECORD);
	cr_assert_eq(record.line_count, 0);
	cr_assert_eq(whole(""), CSV_END);
}

Test(csv, takes_commas_line_ends_and_doubled_quotes_inside_quotes)
{
	cr_assert_eq(whole("\"a,\"\"b\"\"\r\nc\",\"\",d\nx"), CSV_RECORD);
	cr_assert_eq(record.field_count, 3);
	cr_assert_str_eq(record.fields[0], "a,\"b\"\r\nc");
	cr_assert_str_eq(record.fields[1], "");
	cr_assert_str_eq(record.fields[2], "d");
	cr_assert_eq(record.line_count, 2);
	cr_assert_eq(whole("\"last\""), CSV_RECORD);
	cr_assert_str_eq(record.fields[0], "last");
}

Test(csv, a_fault_takes_its_line_and_no_more)
{
	static const struct {
		const char *text;
		size_t size_bytes;
	} faults[] = {{"a\"b,c\nnext\n", 6}, {"\"a\"b,c\nnext\n", 7}, {"a,b\rc\nnext\n", 6},
		{"\"two\nlines\"x,1\nnext\n", 15}, {"a,\"open\nnext\nnext\n", 8}};
	for (size_t i = 0; i < KR_ARRAY_COUNT(faults); i++) {
		cr_assert_eq(whole(faults[i].text), CSV_FAULT, "%s", faults[i].text);
		cr_assert_not_null(record.fault);
		cr_assert_eq(record.size_bytes, faults[i].size_bytes, "%s", faults[i].text);
		cr_assert_not(record.is_torn);
	}
	cr_assert_eq(csv_read("a\0b\nnext", 8, true, &record), CSV_FAULT);
	cr_assert_eq(record.size_bytes, 4);
	cr_assert_eq(whole("a\"b"), CSV_FAULT);
	cr_assert_eq(record.size_bytes, 3);
}

Test(csv, asks_for_more_rather_than_guess)
{
	static const char text[] = "a,\"b\"\"c\"\r\nx\n";
	for (size_t size = 0; size < 10; size++)
		cr_assert_eq(csv_read(text, size, false, &record), CSV_MORE, "%zu", size);
	cr_assert_eq(csv_read(text, 10, false, &record), CSV_RECORD);
	cr_assert_str_eq(record.fields[1], "b\"c");
}

Test(csv, holds_its_limits)
{
	static char text[CSV_RECORD_SIZE_MAX + 10];
	memset(text, 'a', sizeof(text));
	text[CSV_RECORD_SIZE_MAX - 1] = '\n';
	cr_assert_eq(csv_read(text, sizeof(text), true, &record), CSV_RECORD);
	cr_assert_eq(strlen(record.fields[0]), CSV_RECORD_SIZE_MAX - 1);
	text[CSV_RECORD_SIZE_MAX - 1] = 'a';
	cr_assert_eq(csv_read(text, CSV_RECORD_SIZE_MAX, false, &record), CSV_FAULT);
	cr_assert(record.is_torn);
	text[CSV_RECORD_SIZE_MAX + 3] = '\n';
	cr_assert_eq(csv_read(text, sizeof(text), true, &record), CSV_FAULT);
	cr_assert_eq(record.size_bytes, CSV_RECORD_SIZE_MAX + 4);
	cr_assert_not(record.is_torn);
	memset(text, ',', CSV_FIELDS_MAX - 1);
	text[CSV_FIELDS_MAX - 1] = '\n';
	cr_assert_eq(csv_read(text, sizeof(text), true, &record), CSV_RECORD);
	cr_assert_eq(record.field_count, CSV_FIELDS_MAX);
	text[CSV_FIELDS_MAX - 1] = ',';
	text[CSV_FIELDS_MAX] = '\n';
	cr_assert_eq(csv_read(text, sizeof(text), true, &record), CSV_FAULT);
	cr_assert_eq(record.size_bytes, CSV_FIELDS_MAX + 1);
	/* The most fields and the most bytes together. */
	memset(text, ',', CSV_FIELDS_MAX - 1);
	memset(text + CSV_FIELDS_MAX - 1, 'b', CSV_RECORD_SIZE_MAX - CSV_FIELDS_MAX);
	cr_assert_eq(csv_read(text, CSV_RECORD_SIZE_MAX, true, &record), CSV_RECORD);
}

/* What is written is read back, whatever is in it; and noise is always got over. */
Test(csv, reads_back_what_is_quoted_and_gets_over_noise)
{
	static const char letters[] = "ab,\"\r\n";
	uint32_t random = 7;
	for (uint32_t round = 0; round < 20000; round++) {
		char field[12] = "", text[64], *to = text;
		for (size_t i = 0; i < 1u + round % 10; i++) {
			random = random * 1664525u + 1013904223u;
			field[i] = letters[(random >> 16) % 6];
		}
		bool quotes = csv_needs_quotes(field);
		if (quotes)
			*to++ = '"';
		for (const char *c = field; *c != '\0'; c++) {
			if (*c == '"')
				*to++ = '"';
			*to++ = *c;
		}
		if (quotes)
			*to++ = '"';
		memcpy(to, ",z\n", 4);
		cr_assert_eq(whole(text), CSV_RECORD, "%s", text);
		cr_assert_str_eq(record.fields[0], field);
		cr_assert_eq(record.size_bytes, strlen(text));
		/* The bare bytes: every reading gets on. */
		for (const char *at = field; *at != '\0'; at += record.size_bytes) {
			enum csv_result result = whole(at);
			cr_assert(result == CSV_RECORD || result == CSV_FAULT);
			cr_assert_gt(record.size_bytes, 0);
			cr_assert_leq(record.size_bytes, strlen(at));
		}
	}
}
