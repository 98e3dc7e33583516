/* Rows that were not taken, and where the import stands. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "tools/keyrack/import.h"
#include "tools/keyrack/sentence.h"

static int rejects_fail(const struct import *import, const char *what)
{
	kr_assert(import->rejects_path != NULL);
	cli_say(import->cli, "cannot %s %s: %s", what, import->rejects_path, strerror(errno));
	return CLI_UNREACHABLE;
}

int import_rejects_open(struct import *import)
{
	const struct import_state *state = &import->state;
	if (import->rejects_path == NULL)
		return CLI_DONE;
	import->rejects = fopen(import->rejects_path, state->rejects_size > 0 ? "r+e" : "we");
	if (import->rejects == NULL)
		return rejects_fail(import, "open");
	/* Behind the state's size are rows that will be judged again. */
	if (ftruncate(fileno(import->rejects), (off_t)state->rejects_size) != 0 ||
		fseeko(import->rejects, (off_t)state->rejects_size, SEEK_SET) != 0)
		return rejects_fail(import, "go on in");
	if (state->rejects_size == 0 && import->rows.header != NULL)
		fprintf(import->rejects, "%s\n", import->rows.header);
	return CLI_DONE;
}

/* Parts of a reason come from the file: nothing of it is to work on the terminal. */
static void reason_clean(const char *reason, char ret_text[static SENTENCE_SIZE])
{
	json_t *valid = json_string(reason); /* NULL unless it is UTF-8 */
	(void)snprintf(ret_text, SENTENCE_SIZE, "%s", reason);
	for (char *at = ret_text; *at != '\0'; at++) {
		unsigned char byte = (unsigned char)*at;
		if (byte < ' ' || byte == 0x7f || (byte >= 0x80 && valid == NULL))
			*at = '?';
	}
	json_decref(valid);
	kr_assert(strlen(ret_text) < SENTENCE_SIZE);
}

void import_reject(struct import *import, uint64_t line, const char *raw, size_t raw_size_bytes,
	const char *reason)
{
	char text[SENTENCE_SIZE];
	kr_assert(reason != NULL);
	reason_clean(reason, text);
	progress_clear(&import->progress);
	cli_say(import->cli, "line %" PRIu64 ": %s", line, text);
	import->state.reject_count++;
	if (import->rejects == NULL)
		return;
	(void)fwrite(raw, 1, raw_size_bytes, import->rejects);
	fputc('\n', import->rejects);
}

void import_refused(void *user, const struct flow_op *op, const struct flow_row *row,
	const struct keyrack_result *result)
{
	struct import *import = user;
	const struct import_hotel *hotel = NULL;
	struct sentence_context context = {.unit = NULL};
	char text[SENTENCE_SIZE];
	kr_assert(row->raw_at + row->raw_size_bytes <= op->raw_size_bytes);
	/* Known already, so that nothing is asked inside a callback. */
	if (op->unit.kind == IMPORT_STAY && result->code == KEYRACK_CODE_KEY_EXPIRED) {
		import->state.passed_nights++;
		return;
	}
	if ((op->unit.kind == IMPORT_NIGHTS || op->unit.kind == IMPORT_STAY) &&
		import_hotels_find(&import->hotels, op->unit.hotel_id, &hotel) == CLI_DONE)
		context.unit = &hotel->unit;
	if (result->refusal != NULL)
		sentence_of_refusal(result->refusal, &context, text);
	else
		(void)snprintf(text, sizeof(text), "%s: %s", keyrack_code_name(result->code),
			keyrack_code_text(result->code));
	import_reject(import, row->line, op->raw + row->raw_at, row->raw_size_bytes, text);
}

static int rejects_sync(struct import *import)
{
	off_t size;
	if (import->rejects == NULL)
		return CLI_DONE;
	if (fflush(import->rejects) != 0 || ferror(import->rejects) != 0 ||
		fsync(fileno(import->rejects)) != 0)
		return rejects_fail(import, "write");
	size = ftello(import->rejects);
	kr_assert(size >= 0);
	import->state.rejects_size = (uint64_t)size;
	return CLI_DONE;
}

int import_state_keep(struct import *import)
{
	struct kr_error_text error;
	int code = rejects_sync(import);
	kr_assert(import->flow.live_count == 0);
	if (code != CLI_DONE || import->state_path == NULL)
		return code;
	if (import_state_write(import->state_path, &import->state, &error) < 0) {
		cli_say(import->cli, "%s", error.bytes);
		return CLI_UNREACHABLE;
	}
	return CLI_DONE;
}

int import_state_take(struct import *import)
{
	struct import_state *state = &import->state;
	const char *header = import->rows.header != NULL ? import->rows.header : "";
	struct kr_error_text error;
	state->sheet = sheet_of(import->kind)->name;
	state->file_size = import->rows.size_bytes;
	state->file_sum = hash_64(header, strlen(header));
	if (import->state_path == NULL)
		return CLI_DONE;
	if (import->rows.size_bytes == 0)
		return cli_wrong(import->cli, "--state needs a file: a pipe cannot be read again");
	kr_error_text_clear(&error);
	if (import_state_read(import->state_path, state, &error) < 0) {
		cli_say(import->cli, "%s", error.bytes);
		return CLI_USAGE;
	}
	if (state->line > 0)
		cli_say(import->cli, "goes on behind line %" PRIu64, state->line);
	return CLI_DONE;
}
