#include "tools/keyrack/import_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/keyrack/files.h"
#include "tools/keyrack/js.h"

#define STATE_SIZE_MAX 4096u
#define STATE_FORMAT 1

/* Directory and name apart. */
static int path_split(const char *path, char ret_directory[static FILES_PATH_SIZE],
	const char **ret_name, struct kr_error_text *error)
{
	const char *slash = strrchr(path, '/');
	size_t length = slash != NULL ? (size_t)(slash - path) : 0;
	*ret_name = slash != NULL ? slash + 1 : path;
	if (strlen(path) >= FILES_PATH_SIZE / 2 || (*ret_name)[0] == '\0')
		return kr_error_text_set(error, -KR_E_INVALID, 0, "%s names no file", path);
	(void)snprintf(ret_directory, FILES_PATH_SIZE, "%.*s", (int)(slash == path ? 1 : length),
		slash != NULL ? path : ".");
	if (slash == NULL)
		(void)snprintf(ret_directory, FILES_PATH_SIZE, ".");
	kr_assert(ret_directory[0] != '\0');
	return 0;
}

static bool number_of(const json_t *root, const char *name, uint64_t *ret)
{
	const json_t *value = json_object_get(root, name);
	kr_assert(name != NULL);
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return false;
	*ret = (uint64_t)json_integer_value(value);
	return true;
}

static int state_fill(const json_t *root, const char *path, struct import_state *state,
	struct kr_error_text *error)
{
	const char *sheet = json_string_value(json_object_get(root, "sheet"));
	const char *sum = json_string_value(json_object_get(root, "file_sum"));
	uint64_t format = 0, size = 0;
	struct import_state read = *state;
	if (!number_of(root, "keyrack_import", &format) || format != STATE_FORMAT ||
		sheet == NULL || sum == NULL || !number_of(root, "file_size", &size) ||
		!number_of(root, "line", &read.line) || !number_of(root, "rows", &read.row_count) ||
		!number_of(root, "rejects", &read.reject_count) ||
		!number_of(root, "rejects_size", &read.rejects_size) ||
		!number_of(root, "passed_nights", &read.passed_nights))
		return kr_error_text_set(
			error, -KR_E_CORRUPT, 0, "%s is no state of an import", path);
	if (strcmp(sheet, state->sheet) != 0 || size != state->file_size ||
		strtoull(sum, NULL, 16) != state->file_sum)
		return kr_error_text_set(error, -KR_E_STATE, 0,
			"%s is the state of another import; remove it to begin anew", path);
	*state = read;
	return 0;
}

int import_state_read(const char *path, struct import_state *state, struct kr_error_text *error)
{
	char directory[FILES_PATH_SIZE], bytes[STATE_SIZE_MAX];
	const char *name;
	json_t *root;
	int r = path_split(path, directory, &name, error);
	kr_assert(state->sheet != NULL);
	if (r < 0)
		return r;
	if (access(path, F_OK) != 0)
		return 1;
	r = files_read(directory, name, bytes, sizeof(bytes), error);
	if (r < 0)
		return r;
	root = json_loads(bytes, JSON_REJECT_DUPLICATES, NULL);
	r = state_fill(root, path, state, error);
	json_decref(root);
	return r;
}

int import_state_write(
	const char *path, const struct import_state *state, struct kr_error_text *error)
{
	char directory[FILES_PATH_SIZE], bytes[STATE_SIZE_MAX];
	const char *name;
	int length;
	int r = path_split(path, directory, &name, error);
	if (r < 0)
		return r;
	length = snprintf(bytes, sizeof(bytes),
		"{\"keyrack_import\": %d, \"sheet\": \"%s\", \"file_size\": %" PRIu64
		", \"file_sum\": \"%016" PRIx64 "\", \"line\": %" PRIu64 ", \"rows\": %" PRIu64
		", \"rejects\": %" PRIu64 ", \"rejects_size\": %" PRIu64
		", \"passed_nights\": %" PRIu64 "}\n",
		STATE_FORMAT, state->sheet, state->file_size, state->file_sum, state->line,
		state->row_count, state->reject_count, state->rejects_size, state->passed_nights);
	kr_assert(length > 0 && length < (int)sizeof(bytes));
	return files_replace(directory, name, bytes, (size_t)length, error);
}
