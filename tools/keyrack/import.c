#include "tools/keyrack/import.h"

#include <inttypes.h>
#include <string.h>

#include "tools/keyrack/js.h"

#define ROWS_A_LOOK 256u /* at the clock */

int import_failed(const struct import *import)
{
	const struct import_flow *flow = &import->flow;
	bool is_unknown = flow->has_failed && flow->failed_outcome == KEYRACK_RESULT_UNKNOWN;
	const char *how = import->state_path != NULL ? "The same command goes on where it stopped."
						     : "The same command again does no harm.";
	if (!flow->has_failed)
		cli_say(import->cli, "a request could not be made. %s", how);
	else
		cli_say(import->cli, "stopped before line %" PRIu64 ": %s: %s. %s",
			import->rows.line + 1, keyrack_code_name(flow->failed_code),
			keyrack_code_text(flow->failed_code), how);
	kr_assert(!is_unknown || flow->failed_code != KEYRACK_CODE_DONE);
	return is_unknown ? CLI_UNKNOWN : CLI_UNREACHABLE;
}

static int pending_send(struct import *import)
{
	struct flow_op *op = import->pending;
	import->pending = NULL;
	if (op == NULL)
		return CLI_DONE;
	kr_assert(op->state == FLOW_FILLING);
	return import_flow_send(&import->flow, op) < 0 ? import_failed(import) : CLI_DONE;
}

/* ---- nights ---------------------------------------------------------------------------------- */

/* Does it say the same of its nights? */
static bool nights_are_alike(const struct import_unit *a, const struct import_unit *b)
{
	struct keyrack_inventory_set x = a->fields.update, y = b->fields.update;
	kr_assert(a->kind == IMPORT_NIGHTS && b->kind == IMPORT_NIGHTS);
	x.first_day = x.last_day = y.first_day = y.last_day = 0;
	return a->type_number == b->type_number && memcmp(&x, &y, sizeof(x)) == 0;
}

static bool pending_goes_on(
	const struct import *import, const struct import_unit *unit, const struct row *row)
{
	const struct flow_op *op = import->pending;
	if (op == NULL || op->row_count == FLOW_ROWS_MAX ||
		op->raw_size_bytes + row->raw_size_bytes > FLOW_RAW_SIZE_MAX)
		return false;
	kr_assert(op->row_count > 0);
	return unit->fields.update.first_day == op->unit.fields.update.last_day + 1 &&
	       nights_are_alike(&op->unit, unit);
}

/* The price in the hotel's money, the nights inside its window. 0 or a reason in *error; nights of
 * which none is left are last_day < first_day. */
static int nights_settle(struct import *import, const struct import_hotel *hotel,
	struct import_unit *unit, struct kr_error_text *error)
{
	struct keyrack_inventory_set *update = &unit->fields.update;
	int32_t first = KR_MAX(update->first_day, hotel->first_day);
	int32_t last = KR_MIN(update->last_day, hotel->last_day);
	int32_t left = KR_MAX(last - first + 1, 0);
	if (!hotel->is_known)
		return kr_error_text_set(
			error, -KR_E_INVALID, 0, "there is no hotel %" PRIu64, hotel->hotel_id);
	if (unit->fields.has_price &&
		money_in_unit(&unit->fields.price, &hotel->unit, &update->price_minor, error) < 0)
		return error->error;
	import->state.passed_nights += (uint64_t)(update->last_day - update->first_day + 1 - left);
	kr_assert(update->first_day <= update->last_day);
	update->first_day = first;
	update->last_day = last;
	return 0;
}

/* CLI_DONE, or the exit code. */
static int nights_add(struct import *import, struct import_unit *unit, const struct row *row)
{
	struct keyrack_inventory_set *update = &unit->fields.update;
	const struct import_hotel *hotel;
	struct kr_error_text error;
	int code = import_hotels_find(&import->hotels, unit->hotel_id, &hotel);
	if (code != CLI_DONE)
		return code;
	if (nights_settle(import, hotel, unit, &error) < 0) {
		import_reject(import, row->line, row->raw, row->raw_size_bytes, error.bytes);
		return CLI_DONE;
	}
	if (update->last_day < update->first_day)
		return CLI_DONE;
	if (pending_goes_on(import, unit, row)) {
		import->pending->unit.fields.update.last_day = update->last_day;
		import->merged_count++;
	} else {
		code = pending_send(import);
		if (code != CLI_DONE)
			return code;
		import->pending = import_flow_take(&import->flow, unit);
		if (import->pending == NULL)
			return import_failed(import);
	}
	import_flow_row(import->pending, row, update->first_day, update->last_day);
	kr_assert(import->pending->row_count <= FLOW_ROWS_MAX);
	return CLI_DONE;
}

/* A row that is a request of its own. */
static int row_send(struct import *import, const struct import_unit *unit, const struct row *row)
{
	struct flow_op *op = import_flow_take(&import->flow, unit);
	if (op == NULL)
		return import_failed(import);
	kr_assert(unit->kind != IMPORT_NIGHTS);
	import_flow_row(op, row, 0, 0);
	return import_flow_send(&import->flow, op) < 0 ? import_failed(import) : CLI_DONE;
}

/* ---- rate plans ------------------------------------------------------------------------------ */

/* The parent is a number in a file, an amount in the hotel's money. 0, or -KR_E_INVALID with the
 * reason. */
static int plan_settle(
	const struct import_hotel *hotel, struct plan_words *words, struct kr_error_text *error)
{
	struct keyrack_plan_settings *settings = &words->put.settings;
	kr_assert(settings->tier_count <= KEYRACK_TIER_COUNT_MAX);
	if (words->has_parent && words->parent.code[0] != '\0')
		return kr_error_text_set(error, -KR_E_INVALID, 0, "from: it is not a number");
	settings->parent = words->parent.number;
	if (!words->has_amount)
		return 0;
	if (!hotel->is_known)
		return kr_error_text_set(
			error, -KR_E_INVALID, 0, "there is no hotel %" PRIu64, hotel->hotel_id);
	return money_in_unit(&words->amount, &hotel->unit, &settings->adjustment, error);
}

static int plan_add(struct import *import, struct import_unit *unit, const struct row *row)
{
	const struct import_hotel *hotel;
	struct kr_error_text error;
	int code = import_hotels_find(&import->hotels, unit->hotel_id, &hotel);
	if (code != CLI_DONE)
		return code;
	kr_assert(unit->kind == IMPORT_PLAN);
	if (plan_settle(hotel, &unit->plan, &error) < 0) {
		import_reject(import, row->line, row->raw, row->raw_size_bytes, error.bytes);
		return CLI_DONE;
	}
	return row_send(import, unit, row);
}

/* ---- rows ------------------------------------------------------------------------------------ */

static int unit_add(struct import *import, struct import_unit *unit, const struct row *row)
{
	kr_assert(unit->kind != IMPORT_NOTHING);
	switch (unit->kind) {
	case IMPORT_NIGHTS:
		return nights_add(import, unit, row);
	case IMPORT_PLAN:
		return plan_add(import, unit, row);
	default:
		return row_send(import, unit, row);
	}
}

static bool row_is_wanted(const struct import *import, const struct row *row)
{
	const char *text;
	if (row->line < import->from_line || row->line <= import->state.line)
		return false;
	if (import->only_name[0] == '\0' || row->fault != NULL)
		return true;
	kr_assert(import->only_place < import->rows.column_count);
	text = row->texts[import->only_place];
	return text != NULL && strcmp(text, import->only_value) == 0;
}

static int row_add(struct import *import, const struct row *row)
{
	struct import_unit unit;
	struct kr_error_text error;
	memset(&unit, 0, sizeof(unit));
	kr_error_text_clear(&error);
	kr_assert(import->form != NULL);
	import->state.row_count++;
	if (row->fault != NULL) {
		import_reject(import, row->line, row->raw, row->raw_size_bytes, row->fault);
		return CLI_DONE;
	}
	if (import->kind == SHEET_RESERVATIONS)
		return import_stays_row(import, row);
	if (import->form->read(&import->words, row, &unit, &error) < 0) {
		import_reject(import, row->line, row->raw, row->raw_size_bytes, error.bytes);
		return CLI_DONE;
	}
	return unit.kind == IMPORT_NOTHING ? CLI_DONE : unit_add(import, &unit, row);
}

/* Everything so far ends, and is put down. */
static int checkpoint(struct import *import, uint64_t last_line)
{
	int code = pending_send(import);
	if (code == CLI_DONE && import_flow_drain(&import->flow) < 0)
		code = import_failed(import);
	if (code != CLI_DONE)
		return code;
	import->state.line = KR_MAX(import->state.line, last_line);
	import->state_us = progress_now_us();
	kr_assert(import->pending == NULL);
	return import_state_keep(import);
}

static bool state_is_due(const struct import *import, uint64_t row_count)
{
	kr_static_assert(IMPORT_STATE_ROWS % ROWS_A_LOOK == 0, "it is seen when it is due");
	/* a reservation's rows are not parted */
	if (import->state_path == NULL || import->stays.row_count > 0)
		return false;
	return row_count % IMPORT_STATE_ROWS == 0 ||
	       progress_now_us() - import->state_us >= IMPORT_STATE_US;
}

static int rows_each(struct import *import)
{
	struct kr_error_text error;
	struct row row;
	uint64_t looked = 0, last_line = 0;
	int code = CLI_DONE;
	int r;
	kr_error_text_clear(&error);
	while ((r = rows_next(&import->rows, &row, &error)) == 1 && code == CLI_DONE) {
		if (row_is_wanted(import, &row))
			code = row_add(import, &row);
		last_line = row.last_line;
		if (code != CLI_DONE || ++looked % ROWS_A_LOOK != 0)
			continue;
		progress_show(&import->progress, import->rows.done_bytes, import->state.row_count);
		if (state_is_due(import, looked))
			code = checkpoint(import, last_line);
	}
	kr_assert(r <= 1);
	if (r < 0) {
		cli_say(import->cli, "%s: %s", import->path, error.bytes);
		return CLI_UNREACHABLE;
	}
	import_stays_end(import);
	return code == CLI_DONE ? checkpoint(import, last_line) : code;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static void import_tell(const struct import *import)
{
	const struct import_state *state = &import->state;
	double seconds = (double)(progress_now_us() - import->begun_us + 1) / 1e6;
	if (import->cli->json) {
		json_t *root = js_object();
		js_text(root, "form", import->form->name);
		js_count(root, "rows", state->row_count);
		js_count(root, "requests", import->flow.request_count);
		js_count(root, "merged_rows", import->merged_count);
		js_count(root, "rejected_rows", state->reject_count);
		js_count(root,
			import->kind == SHEET_RESERVATIONS ? "bygone_rows"
							   : "nights_outside_window",
			state->passed_nights);
		if (import->kind == SHEET_RESERVATIONS)
			import_stays_json(import, root);
		js_count(root, "elapsed_us", progress_now_us() - import->begun_us);
		js_print(root);
		return;
	}
	printf("%" PRIu64 " rows of %s in %.1f s, %" PRIu64 " requests\n", state->row_count,
		import->form->name, seconds, import->flow.request_count);
	if (state->passed_nights > 0)
		printf("%" PRIu64 " %s, and were passed over\n", state->passed_nights,
			import->kind == SHEET_RESERVATIONS
				? "rows are of reservations that ended too long ago to be kept"
				: "nights are outside their hotel's window (--shift-days moves "
				  "dates)");
	if (import->kind == SHEET_RESERVATIONS)
		import_stays_tell(import);
	if (state->reject_count > 0)
		printf("%" PRIu64 " rows were rejected%s%s\n", state->reject_count,
			import->rejects_path != NULL ? ": they are in " : "",
			import->rejects_path != NULL ? import->rejects_path : "");
	kr_assert(state->row_count >= state->reject_count);
}

/* The form of the file, and the columns its rows are read by. CLI_DONE or CLI_USAGE. */
static int form_settle(struct import *import)
{
	struct kr_error_text error;
	uint32_t count;
	import->form = import_form_find(import->kind, &import->rows);
	if (import->form == NULL)
		return cli_wrong(import->cli, "%s: its columns are not those of %s", import->path,
			sheet_of(import->kind)->name);
	count = import->form->column_count;
	kr_assert(count < ROWS_COLUMNS_MAX);
	memcpy(import->columns, import->form->columns, count * sizeof(import->columns[0]));
	import->only_place = 0;
	if (import->only_name[0] != '\0') {
		while (import->only_place < count &&
			strcmp(import->columns[import->only_place], import->only_name) != 0)
			import->only_place++;
		if (import->only_place == count)
			import->columns[count++] = import->only_name;
		if (!import->rows.is_ndjson && !rows_have(&import->rows, import->only_name))
			return cli_wrong(import->cli, "--only: there is no column \"%s\"",
				import->only_name);
	}
	kr_error_text_clear(&error);
	if (rows_bind(&import->rows, import->columns, count, import->form->is_own, &error) < 0)
		return cli_wrong(import->cli, "%s: %s", import->path, error.bytes);
	return CLI_DONE;
}

static int import_begin(struct import *import)
{
	int code = form_settle(import);
	if (code == CLI_DONE)
		code = cli_connect(import->cli);
	if (code == CLI_DONE)
		code = import_state_take(import);
	if (code == CLI_DONE)
		code = import_rejects_open(import);
	if (code == CLI_DONE)
		code = import_flow_init(&import->flow, import->cli, import_refused, import);
	import->flow.come = import_stays_come;
	import_hotels_init(&import->hotels, import->cli);
	import->begun_us = import->state_us = progress_now_us();
	progress_begin(&import->progress, "rows", import->rows.size_bytes);
	kr_assert(import->pending == NULL);
	return code;
}

int import_go(struct import *import)
{
	struct kr_error_text error;
	int code;
	kr_error_text_clear(&error);
	kr_assert(import->path != NULL);
	if (rows_open(&import->rows, import->path, &error) < 0) {
		cli_say(import->cli, "%s: %s", import->path, error.bytes);
		rows_close(&import->rows);
		return CLI_USAGE;
	}
	code = import_begin(import);
	if (code == CLI_DONE) {
		code = rows_each(import);
		progress_end(&import->progress);
		if (code == CLI_DONE || import->state.row_count > 0)
			import_tell(import);
	}
	if (import->rejects != NULL)
		fclose(import->rejects);
	import_stays_fini(&import->stays);
	import_hotels_fini(&import->hotels);
	import_flow_fini(&import->flow);
	rows_close(&import->rows);
	return code == CLI_DONE && import->state.reject_count > 0 ? CLI_REFUSED : code;
}
