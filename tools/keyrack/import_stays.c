#include "tools/keyrack/import_stays.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tools/keyrack/import.h"
#include "tools/keyrack/js.h"
#include "tools/keyrack/table.h"

void import_stays_fini(struct import_stays *stays)
{
	kr_assert(stays->listed_count <= stays->listed_room);
	free(stays->raw);
	free(stays->overs);
	stays->raw = NULL;
	stays->overs = NULL;
}

/* ---- rows ------------------------------------------------------------------------------------ */

static void row_keep(struct import_stays *stays, const struct row *row)
{
	kr_assert(stays->row_count < KEYRACK_LINE_COUNT_MAX);
	if (stays->raw_room - stays->raw_size_bytes < row->raw_size_bytes) {
		stays->raw_room = 2 * (stays->raw_size_bytes + (uint32_t)row->raw_size_bytes);
		stays->raw = realloc(stays->raw, stays->raw_room);
		kr_assert(stays->raw != NULL);
	}
	if (row->raw_size_bytes > 0)
		memcpy(stays->raw + stays->raw_size_bytes, row->raw, row->raw_size_bytes);
	stays->rows[stays->row_count++] = (struct flow_row){.line = row->line,
		.raw_at = stays->raw_size_bytes,
		.raw_size_bytes = (uint32_t)row->raw_size_bytes};
	stays->raw_size_bytes += (uint32_t)row->raw_size_bytes;
}

static void stays_clear(struct import_stays *stays)
{
	stays->row_count = stays->raw_size_bytes = 0;
	kr_assert(stays->rows[0].raw_at == 0);
}

/* All rows of the one that is begun. */
static void stays_reject(struct import *import, const char *reason)
{
	struct import_stays *stays = &import->stays;
	kr_assert(reason != NULL);
	for (uint32_t i = 0; i < stays->row_count; i++)
		import_reject(import, stays->rows[i].line, stays->raw + stays->rows[i].raw_at,
			stays->rows[i].raw_size_bytes, reason);
	stays_clear(stays);
}

void import_stays_end(struct import *import)
{
	kr_assert(import->kind == SHEET_RESERVATIONS || import->stays.row_count == 0);
	if (import->stays.row_count > 0)
		stays_reject(import, "the other lines of its reservation do not follow it");
}

static bool key_follows(const struct stay_key *before, const struct stay_key *key)
{
	kr_assert(before->line <= before->line_count);
	return key->hotel_id == before->hotel_id && key->id.hi == before->id.hi &&
	       key->id.lo == before->id.lo && key->line == before->line + 1 &&
	       key->line_count == before->line_count;
}

static int stays_send(struct import *import)
{
	struct import_stays *stays = &import->stays;
	struct import_unit unit = {.kind = IMPORT_STAY,
		.hotel_id = stays->stay.request.reservation.hotel_id,
		.id = stays->stay.request.reservation.id,
		.stay = &stays->stay.request};
	struct flow_op *op = import_flow_take(&import->flow, &unit);
	if (op == NULL)
		return import_failed(import);
	kr_assert(stays->row_count == stays->key.line_count);
	for (uint32_t i = 0; i < stays->row_count; i++) {
		struct row row = {.line = stays->rows[i].line,
			.raw = stays->raw + stays->rows[i].raw_at,
			.raw_size_bytes = stays->rows[i].raw_size_bytes};
		import_flow_row(op, &row, 0, 0);
	}
	stays_clear(stays);
	return import_flow_send(&import->flow, op) < 0 ? import_failed(import) : CLI_DONE;
}

/* The row's part of its reservation. 0, or negative with the reason. */
static int row_read(struct import *import, const struct row *row, const struct import_hotel *hotel,
	struct kr_error_text *error)
{
	struct import_stays *stays = &import->stays;
	const int32_t shift_days = import->words.shift_days;
	kr_assert(stays->row_count > 0);
	if (!hotel->is_known)
		return kr_error_text_set(
			error, -KR_E_INVALID, 0, "there is no hotel %" PRIu64, hotel->hotel_id);
	if (stays->key.line == 1 &&
		stay_begin(row->texts, &stays->key, shift_days, &stays->stay, error) < 0)
		return error->error;
	return stay_line_add(row->texts, &hotel->unit, shift_days, &stays->stay, error);
}

int import_stays_row(struct import *import, const struct row *row)
{
	struct import_stays *stays = &import->stays;
	const struct import_hotel *hotel;
	struct kr_error_text error;
	struct stay_key key;
	bool is_key = stay_key_read(row->texts, &key, &error) == 0;
	if (stays->row_count > 0 && !(is_key && key_follows(&stays->key, &key)))
		import_stays_end(import);
	if (is_key && stays->row_count == 0 && key.line != 1) {
		is_key = false;
		(void)kr_error_text_set(&error, -KR_E_INVALID, 0,
			"the lines of its reservation before it are not there");
	}
	if (!is_key) {
		import_reject(import, row->line, row->raw, row->raw_size_bytes, error.bytes);
		return CLI_DONE;
	}
	stays->key = key;
	row_keep(stays, row);
	int code = import_hotels_find(&import->hotels, key.hotel_id, &hotel);
	if (code != CLI_DONE)
		return code;
	kr_error_text_clear(&error);
	if (row_read(import, row, hotel, &error) < 0) {
		stays_reject(import, error.bytes);
		return CLI_DONE;
	}
	stays->stay.request.force = stays->force;
	return key.line == key.line_count ? stays_send(import) : CLI_DONE;
}

/* ---- what became of them --------------------------------------------------------------------- */

static void over_keep(struct import_stays *stays, const struct stays_over *over)
{
	stays->over_count++;
	if (stays->listed_count == STAYS_OVER_MAX)
		return;
	if (stays->listed_count == stays->listed_room) {
		stays->listed_room = KR_MIN(2 * stays->listed_room + 64, STAYS_OVER_MAX);
		stays->overs = realloc(stays->overs, stays->listed_room * sizeof(*stays->overs));
		kr_assert(stays->overs != NULL);
	}
	stays->overs[stays->listed_count++] = *over;
}

void import_stays_come(
	void *user, const struct flow_op *op, const struct keyrack_reservation_answer *answer)
{
	struct import *import = user;
	struct import_stays *stays = &import->stays;
	kr_assert(op->unit.kind == IMPORT_STAY);
	if (answer->repeated)
		stays->repeated_count++;
	else
		stays->come_count++;
	if (answer->nights_over_limit > 0)
		over_keep(stays, &(struct stays_over){op->unit.hotel_id, op->unit.id,
					 answer->nights_over_limit});
}

static void over_table(const struct import_stays *stays)
{
	static const struct table_column columns[] = {
		{"HOTEL", true}, {"RESERVATION", false}, {"NIGHTS OVER LIMIT", true}};
	struct table *table = table_new(columns, KR_ARRAY_COUNT(columns));
	for (uint32_t i = 0; i < stays->listed_count; i++) {
		char id[KEYRACK_ID_TEXT_SIZE];
		keyrack_id_format(stays->overs[i].id, id);
		table_row(table);
		table_put(table, "%" PRIu64, stays->overs[i].hotel_id);
		table_put(table, "%s", id);
		table_put(table, "%u", stays->overs[i].nights);
	}
	kr_assert(stays->listed_count <= STAYS_OVER_MAX);
	table_print_free(table, "");
}

void import_stays_tell(const struct import *import)
{
	const struct import_stays *stays = &import->stays;
	printf("%" PRIu64 " reservations came in, %" PRIu64 " were here already\n",
		stays->come_count, stays->repeated_count);
	kr_assert(stays->listed_count <= stays->over_count);
	if (stays->over_count == 0)
		return;
	printf("%" PRIu64 " are on nights over the limit:\n", stays->over_count);
	over_table(stays);
	if (stays->over_count > stays->listed_count)
		printf("and %" PRIu64 " more\n", stays->over_count - stays->listed_count);
}

void import_stays_json(const struct import *import, json_t *root)
{
	const struct import_stays *stays = &import->stays;
	json_t *list = js_array();
	js_count(root, "come_in", stays->come_count);
	js_count(root, "here_already", stays->repeated_count);
	js_count(root, "over_limit", stays->over_count);
	for (uint32_t i = 0; i < stays->listed_count; i++) {
		json_t *over = js_object();
		js_number_id(over, "hotel_id", stays->overs[i].hotel_id);
		js_id(over, "id", stays->overs[i].id);
		js_count(over, "nights_over_limit", stays->overs[i].nights);
		js_append(list, over);
	}
	kr_assert(stays->listed_count <= stays->over_count);
	js_set(root, "over_limit_list", list);
}
