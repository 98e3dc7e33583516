#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/keyrack/import_form.h"
#include "tools/keyrack/progress.h"

static struct rows rows;
static struct kr_error_text error;
static char path[] = "/tmp/keyrack-rows-XXXXXX";

static int given_bytes(const char *bytes, size_t size_bytes)
{
	int fd, r;
	memcpy(path + sizeof(path) - 7, "XXXXXX", 6);
	fd = mkstemp(path);
	cr_assert(fd >= 0);
	cr_assert_eq(write(fd, bytes, size_bytes), (ssize_t)size_bytes);
	close(fd);
	r = rows_open(&rows, path, &error);
	unlink(path);
	return r;
}

static int given(const char *text)
{
	return given_bytes(text, strlen(text));
}

static void bound(const char *const *columns, uint32_t count)
{
	cr_assert_eq(rows_bind(&rows, columns, count, false, &error), 0);
}

static const char *const abc[] = {"a", "b", "c"};

Test(rows, are_told_by_column_with_their_lines)
{
	struct row row;
	cr_assert_eq(given("\xef\xbb\xbf"
			   "c,x,a\r\n\r\n1,2,\"3\n4\"\r\n5,6\n7,8,9"),
		0);
	bound(abc, 3);
	cr_assert_eq(rows_next(&rows, &row, &error), 1);
	cr_assert_null(row.fault);
	cr_assert_eq(row.line, 3);
	cr_assert_eq(row.last_line, 4);
	cr_assert_str_eq(row.texts[0], "3\n4");
	cr_assert_null(row.texts[1]);
	cr_assert_str_eq(row.texts[2], "1");
	cr_assert_eq(rows_next(&rows, &row, &error), 1);
	cr_assert_not_null(row.fault);
	cr_assert_eq(row.line, 5);
	cr_assert_eq(row.raw_size_bytes, 3);
	cr_assert_eq(rows_next(&rows, &row, &error), 1);
	cr_assert_eq(row.line, 6);
	cr_assert_str_eq(row.texts[0], "9");
	cr_assert_eq(rows_next(&rows, &row, &error), 0);
	rows_close(&rows);
}

Test(rows, of_json_are_the_same_rows)
{
	static const char *const faults[] = {"{", "[]", "{\"a\":1.5}", "{\"a\":[]}", "{\"d\":1}",
		"{\"a\":1,\"a\":2}", "{\"a\":99999999999999999999}", "{\"a\":\"\xff\"}"};
	struct row row;
	cr_assert_eq(given("{\"a\":12,\"c\":\"x\"}\n\n{\"b\":true,\"a\":null,\"c\":false}\r\n"), 0);
	bound(abc, 3);
	cr_assert_eq(rows_next(&rows, &row, &error), 1);
	cr_assert_null(row.fault);
	cr_assert_str_eq(row.texts[0], "12");
	cr_assert_null(row.texts[1]);
	cr_assert_str_eq(row.texts[2], "x");
	cr_assert_eq(rows_next(&rows, &row, &error), 1);
	cr_assert_eq(row.line, 3);
	cr_assert_str_eq(row.texts[0], "");
	cr_assert_str_eq(row.texts[1], "yes");
	cr_assert_str_eq(row.texts[2], "no");
	cr_assert_eq(rows_next(&rows, &row, &error), 0);
	rows_close(&rows);
	for (size_t i = 0; i < KR_ARRAY_COUNT(faults); i++) {
		char text[128];
		(void)snprintf(text, sizeof(text), "{}\n%s\n{\"a\":1}\n", faults[i]);
		cr_assert_eq(given(text), 0);
		bound(abc, 3);
		cr_assert_eq(rows_next(&rows, &row, &error), 1);
		cr_assert_null(row.fault);
		cr_assert_eq(rows_next(&rows, &row, &error), 1);
		cr_assert_not_null(row.fault, "%s", faults[i]);
		cr_assert_eq(rows_next(&rows, &row, &error), 1);
		cr_assert_null(row.fault);
		rows_close(&rows);
	}
	cr_assert_eq(given_bytes("{\"a\":1}\0{}\n", 11), 0);
	bound(abc, 3);
	cr_assert_eq(rows_next(&rows, &row, &error), 1);
	cr_assert_not_null(row.fault);
	rows_close(&rows);
}

Test(rows, get_over_lines_of_any_length)
{
	static const size_t sizes[] = {CSV_RECORD_SIZE_MAX - 1, CSV_RECORD_SIZE_MAX,
		CSV_RECORD_SIZE_MAX + 1, ROWS_BUFFER_SIZE - 20, ROWS_BUFFER_SIZE,
		ROWS_BUFFER_SIZE + 1, 3 * ROWS_BUFFER_SIZE};
	for (size_t i = 0; i < 2 * KR_ARRAY_COUNT(sizes); i++) {
		bool is_json = i % 2 == 1;
		size_t size = sizes[i / 2];
		char *text = malloc(size + 64), *to = text;
		struct row row;
		to = stpcpy(to, is_json ? "{}\n" : "a\n");
		memset(to, 'x', size);
		to[0] = is_json ? ' ' : '"';
		to = stpcpy(to + size, is_json ? "\n{\"a\":7}\n" : "\n7\n");
		cr_assert_eq(given_bytes(text, (size_t)(to - text)), 0);
		bound(abc, 3);
		if (is_json)
			cr_assert_eq(rows_next(&rows, &row, &error), 1);
		cr_assert_eq(rows_next(&rows, &row, &error), 1);
		cr_assert_not_null(row.fault);
		cr_assert_eq(row.line, 2);
		cr_assert_eq(rows_next(&rows, &row, &error), 1);
		cr_assert_null(row.fault);
		cr_assert_str_eq(row.texts[0], "7");
		cr_assert_eq(row.line, 3);
		cr_assert_eq(rows_next(&rows, &row, &error), 0);
		rows_close(&rows);
		free(text);
	}
}

/* Reads the one row as that kind; the unit, or the reason in `error`. */
static int read_one(enum sheet_kind kind, const char *text, const struct import_words *words,
	struct import_unit *unit)
{
	struct row row;
	const struct import_form *form;
	int r;
	cr_assert_eq(given(text), 0);
	form = import_form_find(kind, &rows);
	cr_assert_not_null(form);
	bound(form->columns, form->column_count);
	cr_assert_eq(rows_next(&rows, &row, &error), 1);
	cr_assert_null(row.fault);
	memset(unit, 0, sizeof(*unit));
	r = form->read(words, &row, unit, &error);
	rows_close(&rows);
	return r;
}

Test(import_form, a_run_of_a_listing_calendar_is_nights_of_its_only_type)
{
	static const char head[] = "city,listing,start,n,available,price,min_nights,max_nights\n";
	const struct import_words words = {.shift_days = 366, .currency = "SGD"};
	struct import_unit unit;
	char text[256];
	(void)snprintf(
		text, sizeof(text), "%s%s", head, "x,71609,2023-09-23,2,f,150.5,92,100000\n");
	cr_assert_eq(read_one(SHEET_CALENDAR, text, &words, &unit), 0, "%s", error.bytes);
	cr_assert_eq(unit.kind, IMPORT_NIGHTS);
	cr_assert_eq(unit.hotel_id, 71609);
	cr_assert_eq(unit.fields.update.last_day - unit.fields.update.first_day, 1);
	cr_assert_eq(keyrack_day_weekday(unit.fields.update.first_day), 0);
	cr_assert(unit.fields.update.closed);
	cr_assert_eq(unit.fields.price.amount, 15050);
	cr_assert_eq(unit.fields.update.min_arrival, 92);
	(void)snprintf(text, sizeof(text), "%s%s", head, "x,71609,2023-09-23,2,t,,1,2\n");
	cr_assert_eq(read_one(SHEET_CALENDAR, text, &words, &unit), 0);
	cr_assert_not(unit.fields.update.closed);
	cr_assert_eq(unit.fields.update.set_mask & KEYRACK_SET_PRICE, 0);
	static const char *const wrongs[] = {"x,1,2023-09-23,0,t,1,1,2\n",
		"x,1,2023-09-23,5000,t,1,1,2\n", "x,1,2023-09-23,1,T,1,1,2\n",
		"x,1,2023-9-23,1,t,1,1,2\n", "x,1,2023-09-23,1,t,1.234,1,2\n",
		"x,1,2023-09-23,1,t,-1,1,2\n", "x,1,2023-09-23,1,t,1,,2\n"};
	for (size_t i = 0; i < KR_ARRAY_COUNT(wrongs); i++) {
		(void)snprintf(text, sizeof(text), "%s%s", head, wrongs[i]);
		cr_assert_eq(read_one(SHEET_CALENDAR, text, &words, &unit), -KR_E_INVALID, "%s",
			wrongs[i]);
	}
}

Test(import_form, only_hotels_of_the_register_are_hotels)
{
	static const char head[] = "id,type,name,rooms,classified\n";
	const struct import_words words = {.zone = "Europe/Paris", .currency = "EUR"};
	const struct import_words none = {.zone = NULL};
	struct import_unit unit;
	char text[256];
	(void)snprintf(text, sizeof(text), "%s%s", head, "4,camping,X,,2015\n");
	cr_assert_eq(read_one(SHEET_HOTELS, text, &words, &unit), 0);
	cr_assert_eq(unit.kind, IMPORT_NOTHING);
	(void)snprintf(text, sizeof(text), "%s%s", head, "5,hotel,X,31,2015\n");
	cr_assert_eq(read_one(SHEET_HOTELS, text, &words, &unit), 0);
	cr_assert_eq(unit.kind, IMPORT_HOTEL);
	cr_assert(unit.has_type);
	cr_assert_eq(unit.type.settings.physical, 31);
	cr_assert_eq(read_one(SHEET_HOTELS, text, &none, &unit), -KR_E_INVALID);
	(void)snprintf(text, sizeof(text), "%s%s", head, "5,hotel,X,,2015\n");
	cr_assert_eq(read_one(SHEET_HOTELS, text, &words, &unit), -KR_E_INVALID);
}

Test(import_form, a_file_with_other_columns_has_no_form)
{
	cr_assert_eq(given("listing,start,n,available\n"), 0);
	cr_assert_null(import_form_find(SHEET_HOTELS, &rows));
	cr_assert_null(import_form_find(SHEET_TYPES, &rows));
	cr_assert_not_null(import_form_find(SHEET_CALENDAR, &rows));
	rows_close(&rows);
}

Test(progress, tells_share_rate_and_rest)
{
	struct progress progress = {.noun = "rows", .total = 1000};
	char text[PROGRESS_TEXT_SIZE];
	progress_format(&progress, 250, 50, 29999999, text);
	cr_assert_str_eq(text, "25 %, 50 rows, 2/s, 1:30 left");
	progress.total = 0;
	progress_format(&progress, 0, 50, 9999999, text);
	cr_assert_str_eq(text, "50 rows, 5/s");
}
