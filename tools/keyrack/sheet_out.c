#include "tools/keyrack/sheet_out.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/keyrack/csv.h"
#include "tools/keyrack/js.h"

#define BUFFER_SIZE (256u << 10)
#define FAILED(error, ...) kr_error_text_set(error, kr_error_from_errno(errno), errno, __VA_ARGS__)

int sheet_out_open(struct sheet_out *out, const struct sheet *sheet, bool is_ndjson,
	const char *path, struct kr_error_text *error)
{
	*out = (struct sheet_out){.sheet = sheet, .is_ndjson = is_ndjson, .file = stdout};
	if (path != NULL) {
		if (snprintf(out->path, sizeof(out->path), "%s", path) >= (int)sizeof(out->path) ||
			snprintf(out->partial, sizeof(out->partial), "%s.partial", path) >=
				(int)sizeof(out->partial))
			return kr_error_text_set(error, -KR_E_INVALID, 0, "the path is too long");
		out->file = fopen(out->partial, "we");
		if (out->file == NULL)
			return FAILED(error, "cannot create %s", out->partial);
	}
	(void)setvbuf(out->file, NULL, _IOFBF, BUFFER_SIZE);
	for (uint32_t i = 0; !is_ndjson && i < sheet->column_count; i++)
		fprintf(out->file, "%s%s", i > 0 ? "," : "", sheet->columns[i].name);
	if (!is_ndjson)
		fputc('\n', out->file);
	kr_assert(out->row_count == 0);
	return 0;
}

static void csv_field(FILE *file, const char *text)
{
	if (!csv_needs_quotes(text)) {
		fputs(text, file);
		return;
	}
	fputc('"', file);
	for (; *text != '\0'; text++) {
		if (*text == '"')
			fputc('"', file);
		fputc(*text, file);
	}
	fputc('"', file);
}

static json_t *json_value(const struct sheet_column *column, const char *text)
{
	kr_assert(text != NULL);
	if (text[0] == '\0')
		return json_null();
	if (column->value == SHEET_NUMBER)
		return json_integer(strtoll(text, NULL, 10));
	if (column->value == SHEET_FLAG)
		return json_boolean(strcmp(text, "yes") == 0);
	return json_string(text);
}

static void json_row(struct sheet_out *out, const char *const *texts)
{
	json_t *row = js_object();
	kr_assert(out->is_ndjson);
	for (uint32_t i = 0; i < out->sheet->column_count; i++)
		js_set(row, out->sheet->columns[i].name,
			json_value(&out->sheet->columns[i], texts[i]));
	out->row_count++;
	(void)json_dumpf(row, out->file, JSON_COMPACT);
	fputc('\n', out->file);
	json_decref(row);
}

void sheet_out_texts(struct sheet_out *out, const char *const *texts)
{
	kr_assert(out->file != NULL);
	if (out->is_ndjson) {
		json_row(out, texts);
		return;
	}
	out->row_count++;
	for (uint32_t i = 0; i < out->sheet->column_count; i++) {
		if (i > 0)
			fputc(',', out->file);
		csv_field(out->file, texts[i]);
	}
	fputc('\n', out->file);
}

void sheet_out_row(struct sheet_out *out, const struct sheet_texts *texts)
{
	const char *list[SHEET_COLUMNS_MAX];
	kr_assert(out->sheet->column_count <= SHEET_COLUMNS_MAX);
	for (uint32_t i = 0; i < out->sheet->column_count; i++)
		list[i] = texts->bytes[i];
	sheet_out_texts(out, list);
}

void sheet_out_drop(struct sheet_out *out)
{
	if (out->file != NULL && out->file != stdout) {
		fclose(out->file);
		(void)unlink(out->partial);
	}
	out->file = NULL;
	kr_assert(out->sheet != NULL);
}

int sheet_out_close(struct sheet_out *out, struct kr_error_text *error)
{
	FILE *file = out->file;
	kr_assert(file != NULL);
	if (fflush(file) != 0 || ferror(file) != 0) {
		(void)FAILED(error, "cannot write %s",
			out->path[0] != '\0' ? out->partial : "the output");
		sheet_out_drop(out);
		return error->error;
	}
	if (out->path[0] == '\0')
		return 0;
	if (fsync(fileno(file)) != 0 || rename(out->partial, out->path) != 0) {
		(void)FAILED(error, "cannot keep %s", out->path);
		sheet_out_drop(out);
		return error->error;
	}
	out->file = NULL;
	return fclose(file) == 0 ? 0 : FAILED(error, "cannot close %s", out->path);
}
