/*
 * Tables on their way in: CSV and NDJSON of every kind, ours and others'.
 *
 * Held: every line is told once, in order, as a row or as a fault with its reason; texts are the
 * columns that were asked for; a row that cannot be read has a reason. A CSV record's fields
 * written again are one record of the same fields, and a record is the same whether or not more
 * bytes may follow.
 *
 * Input: u8 kind of sheet; the rest is the file.
 */
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tools/keyrack/import_form.h"
#include "tools/keyrack/stay_sheet.h"

#define ROWS_MAX 2000u
#define OUT_SIZE (2u * CSV_RECORD_SIZE_MAX + 4u * CSV_FIELDS_MAX)

static struct fuzz_file file;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	kr_assert(argc != NULL && argv != NULL);
	fuzz_file_init(&file);
	return 0;
}

static size_t write_record(const struct csv_record *record, char *out)
{
	char *at = out;
	for (uint32_t i = 0; i < record->field_count; i++) {
		const char *field = record->fields[i];
		bool quotes = csv_needs_quotes(field) || field[0] == '\0';
		if (i > 0)
			*at++ = ',';
		if (quotes)
			*at++ = '"';
		for (; *field != '\0'; field++) {
			*at++ = *field;
			if (*field == '"')
				*at++ = '"';
		}
		if (quotes)
			*at++ = '"';
		kr_assert((size_t)(at - out) < OUT_SIZE);
	}
	*at++ = '\n';
	return (size_t)(at - out);
}

static void check_csv(const char *bytes, size_t size)
{
	static struct csv_record record, again;
	static char out[OUT_SIZE];
	enum csv_result r = csv_read(bytes, size, true, &record);
	kr_assert(r != CSV_MORE);
	kr_assert((r == CSV_END) == (size == 0) || r != CSV_END);
	kr_assert(r == CSV_END || (record.size_bytes > 0 && record.size_bytes <= size));
	kr_assert(r != CSV_FAULT || record.fault != NULL);
	if (r != CSV_RECORD)
		return;
	enum csv_result s = csv_read(bytes, size, false, &again);
	kr_assert(s == CSV_MORE || s == CSV_RECORD);
	kr_assert(s == CSV_MORE || again.size_bytes == record.size_bytes);
	kr_assert(s == CSV_RECORD || record.size_bytes == size);
	size_t written = write_record(&record, out);
	if (written > CSV_RECORD_SIZE_MAX)
		return;
	s = csv_read(out, written, true, &again);
	kr_assert(s == CSV_RECORD && again.size_bytes == written);
	kr_assert(again.field_count == record.field_count);
	for (uint32_t i = 0; i < record.field_count; i++)
		kr_assert(strcmp(again.fields[i], record.fields[i]) == 0);
}

/* A stay all of whose lines are alike. */
static int read_stay(const char *const *texts, struct kr_error_text *error)
{
	static const struct money_unit unit = {.currency = "EUR", .digits = 2};
	static struct stay stay;
	struct stay_key key;
	if (stay_key_read(texts, &key, error) < 0)
		return error->error;
	kr_assert(key.line >= 1 && key.line <= key.line_count);
	kr_assert(key.line_count <= KEYRACK_LINE_COUNT_MAX);
	if (stay_begin(texts, &key, 1, &stay, error) < 0)
		return error->error;
	int r = 0;
	for (uint32_t i = 0; i < key.line_count && r >= 0; i++)
		r = stay_line_add(texts, &unit, 1, &stay, error);
	kr_assert(stay.run_count <= KEYRACK_STAY_NIGHTS_MAX);
	return r;
}

static void check_row(const struct import_form *form, const struct row *row)
{
	static const struct import_words words = {
		.shift_days = 1, .zone = "Europe/Paris", .currency = "EUR"};
	static struct import_unit unit;
	struct kr_error_text error;
	if (row->fault != NULL) {
		kr_assert(row->fault[0] != '\0');
		return;
	}
	kr_error_text_clear(&error);
	memset(&unit, 0, sizeof(unit));
	int r = form->read != NULL ? form->read(&words, row, &unit, &error)
				   : read_stay(row->texts, &error);
	kr_assert(r <= 0 && (r == 0) == (error.error == 0));
	kr_assert(r == 0 || error.bytes[0] != '\0');
	if (r == 0 && unit.kind == IMPORT_NIGHTS)
		kr_assert(unit.fields.update.first_day <= unit.fields.update.last_day);
}

static void read_rows(struct rows *rows, enum sheet_kind kind)
{
	struct kr_error_text error;
	struct row row;
	uint64_t line = 0;
	int r = 1;
	const struct import_form *form = import_form_find(kind, rows);
	if (form == NULL ||
		rows_bind(rows, form->columns, form->column_count, form->is_own, &error) < 0)
		return;
	for (uint32_t i = 0; i < ROWS_MAX && r > 0; i++) {
		r = rows_next(rows, &row, &error);
		kr_assert(r >= 0);
		if (r == 0)
			return;
		kr_assert(row.line > line && row.last_line >= row.line);
		kr_assert(row.raw != NULL && row.raw_size_bytes <= rows->size_bytes);
		line = row.last_line;
		check_row(form, &row);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	static struct rows rows;
	struct kr_error_text error;
	if (size_bytes < 1)
		return 0;
	kr_error_text_clear(&error);
	check_csv((const char *)data + 1, size_bytes - 1);
	fuzz_file_put(&file, data + 1, size_bytes - 1);
	int r = rows_open(&rows, file.path, &error);
	kr_assert(r == 0 || error.bytes[0] != '\0');
	if (r == 0)
		read_rows(&rows, (enum sheet_kind)(data[0] % SHEET_KIND_COUNT));
	rows_close(&rows);
	return 0;
}
