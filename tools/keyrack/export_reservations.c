/* keyrack export reservations */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tools/keyrack/commands.h"
#include "tools/keyrack/export.h"
#include "tools/keyrack/import_hotels.h"
#include "tools/keyrack/lookup.h"
#include "tools/keyrack/pages.h"
#include "tools/keyrack/report.h"
#include "tools/keyrack/reservation.h"

#define TEXTS_SIZE (128u << 10) /* of a row: the longest stay at a price a night, and the rest */

/* CSV has a row for each line of a reservation, and one for a reservation without lines. */
static const struct sheet_column columns[] = {{"hotel", SHEET_TEXT, true}, {"id", SHEET_TEXT, true},
	{"state", SHEET_TEXT, true}, {"due", SHEET_FLAG, false}, {"revision", SHEET_NUMBER, false},
	{"line", SHEET_NUMBER, false}, {"lines", SHEET_NUMBER, false},
	{"type", SHEET_NUMBER, false}, {"plan", SHEET_NUMBER, false},
	{"check_in", SHEET_TEXT, false}, {"check_out", SHEET_TEXT, false},
	{"rooms", SHEET_NUMBER, false}, {"guests", SHEET_NUMBER, false},
	{"pricing", SHEET_TEXT, false}, {"prices", SHEET_TEXT, false}, {"total", SHEET_TEXT, false},
	{"counted_until", SHEET_TEXT, false}, {"created_at_us", SHEET_NUMBER, false},
	{"changed_at_us", SHEET_NUMBER, false}, {"expires_at_us", SHEET_NUMBER, false},
	{"guest", SHEET_TEXT, false}, {"external_ref", SHEET_TEXT, false},
	{"payment_ref", SHEET_TEXT, false}, {"source", SHEET_NUMBER, false},
	{"event_seq", SHEET_NUMBER, false}, {"was_held", SHEET_FLAG, false},
	{"graced", SHEET_FLAG, false}, {"change_id", SHEET_TEXT, false}};
static const struct sheet sheet = {"reservations", columns, KR_ARRAY_COUNT(columns)};

/* A row's texts in one piece of memory. */
struct row_pen {
	const char *texts[KR_ARRAY_COUNT(columns)];
	uint32_t column;
	size_t length;
	char bytes[TEXTS_SIZE];
};

static void add(struct row_pen *pen, const char *format, ...) KR_PRINTF(2, 3);
static void put(struct row_pen *pen, const char *format, ...) KR_PRINTF(2, 3);

static void add_list(struct row_pen *pen, const char *format, va_list list)
{
	size_t room = TEXTS_SIZE - pen->length;
	int length = vsnprintf(pen->bytes + pen->length, room, format, list);
	kr_assert(length >= 0 && (size_t)length < room);
	pen->length += (size_t)length;
}

/* To the text of the column that was begun. */
static void add(struct row_pen *pen, const char *format, ...)
{
	va_list list;
	kr_assert(pen->column > 0);
	va_start(list, format);
	add_list(pen, format, list);
	va_end(list);
}

/* The text of the next column. */
static void put(struct row_pen *pen, const char *format, ...)
{
	va_list list;
	kr_assert(pen->column < KR_ARRAY_COUNT(columns));
	if (pen->column > 0)
		pen->length++; /* behind the NUL */
	pen->texts[pen->column++] = pen->bytes + pen->length;
	va_start(list, format);
	add_list(pen, format, list);
	va_end(list);
}

static void put_day(struct row_pen *pen, int32_t day)
{
	char text[KEYRACK_DATE_TEXT_SIZE];
	keyrack_day_format(day, text);
	put(pen, "%s", text);
}

static void put_id(struct row_pen *pen, struct keyrack_id id)
{
	char text[KEYRACK_ID_TEXT_SIZE] = "";
	if ((id.hi | id.lo) != 0)
		keyrack_id_format(id, text);
	put(pen, "%s", text);
}

/* As --price takes it: EUR 120.00*2+EUR 140.00*1. */
static void put_prices(
	struct row_pen *pen, const struct keyrack_line *line, const struct money_unit *unit)
{
	char money[MONEY_TEXT_SIZE];
	put(pen, "%s", "");
	for (uint32_t i = 0; i < line->run_count; i++) {
		money_format(unit, (int64_t)line->runs[i].price_minor, money);
		add(pen, "%s%s*%u", i > 0 ? "+" : "", money, line->runs[i].nights);
	}
	kr_assert(pen->length < TEXTS_SIZE);
}

#define LINE_COLUMNS 10u /* from "line" to "prices" */

static void put_line(struct row_pen *pen, const struct keyrack_reservation *reservation, uint32_t i,
	const struct money_unit *unit)
{
	const struct keyrack_line *line = &reservation->lines[i];
	if (reservation->line_count == 0) {
		for (uint32_t column = 0; column < LINE_COLUMNS; column++)
			put(pen, "%s", "");
		return;
	}
	kr_assert(i < reservation->line_count);
	put(pen, "%u", i + 1);
	put(pen, "%u", reservation->line_count);
	put(pen, "%u", line->type);
	put(pen, "%u", line->plan);
	put_day(pen, line->check_in_day);
	put_day(pen, line->check_out_day);
	put(pen, "%u", line->rooms);
	put(pen, "%u", line->guests);
	put(pen, "%s", reservation_pricing_name(line->pricing));
	put_prices(pen, line, unit);
}

static void put_rest(struct row_pen *pen, const struct keyrack_reservation *reservation,
	const struct money_unit *unit)
{
	char money[MONEY_TEXT_SIZE] = "", change[TRANSITION_CHANGE_TEXT_SIZE] = "";
	if (reservation->has_total && reservation->line_count > 0)
		money_format(unit, (int64_t)reservation->total_minor, money);
	put(pen, "%s", money);
	if (reservation->line_count > 0)
		put_day(pen, reservation->counted_until_day);
	else
		put(pen, "%s", "");
	put(pen, "%" PRIu64, reservation->created_at_us);
	put(pen, "%" PRIu64, reservation->changed_at_us);
	put(pen, "%" PRIu64, reservation->expires_at_us);
	put_id(pen, reservation->guest);
	put(pen, "%s", reservation->external_ref);
	put(pen, "%s", reservation->payment_ref);
	put(pen, "%u", reservation->source);
	put(pen, "%" PRIu64, reservation->event_seq);
	put(pen, "%s", reservation->was_held ? "yes" : "");
	put(pen, "%s", reservation->graced ? "yes" : "");
	if (reservation->change_id != 0)
		transition_change_format(reservation->change_id, change);
	put(pen, "%s", change);
	kr_assert(pen->column == KR_ARRAY_COUNT(columns));
}

static void rows_put(struct export *export, const struct keyrack_reservation *reservation,
	const struct money_unit *unit)
{
	static struct row_pen pen;
	uint32_t i = 0;
	kr_assert(!export->is_ndjson);
	do {
		pen.column = 0;
		pen.length = 0;
		put(&pen, "%" PRIu64, reservation->hotel_id);
		put_id(&pen, reservation->id);
		put(&pen, "%s", keyrack_state_name(reservation->state));
		put(&pen, "%s", reservation->due ? "yes" : "");
		put(&pen, "%u", reservation->revision);
		put_line(&pen, reservation, i, unit);
		put_rest(&pen, reservation, unit);
		sheet_out_texts(&export->out, pen.texts);
	} while (++i < reservation->line_count);
}

struct put_list {
	struct export *export;
	struct import_hotels *hotels;
};

static int list_take(void *user, const void *item)
{
	static const struct import_hotel nobody; /* of a VOID without a hotel */
	const struct put_list *put = user;
	const struct keyrack_reservation *reservation = item;
	const struct import_hotel *hotel = &nobody;
	int code = CLI_DONE;
	if (reservation->hotel_id != 0)
		code = import_hotels_find(put->hotels, reservation->hotel_id, &hotel);
	if (code != CLI_DONE)
		return code;
	kr_assert(hotel->is_known || reservation->line_count == 0);
	progress_show(&put->export->progress, 0, put->export->out.row_count);
	if (!put->export->is_ndjson) {
		rows_put(put->export, reservation, &hotel->unit);
		return CLI_DONE;
	}
	json_t *object = js_object();
	reservation_json(object, reservation, &hotel->unit);
	sheet_out_object(&put->export->out, object);
	return CLI_DONE;
}

/* hotel_id 0: of all. */
static int list_put(struct export *export, struct import_hotels *hotels, uint64_t hotel_id)
{
	struct put_list list = {export, hotels};
	struct keyrack_reservation_list request = {.hotel_id = hotel_id};
	struct pages pages = {pages_ask_reservations, &request, list_take, &list, 0};
	int code = pages_each(export->cli, &pages);
	kr_assert(export->out.file != NULL);
	export->hotel_count += code == CLI_DONE && hotel_id != 0;
	return code;
}

/* Units are asked for by a client of their own: an answer's memory ends with the next call. */
static int reservations_rows(struct export *export)
{
	struct cli asker = *export->cli;
	struct import_hotels hotels;
	int code;
	asker.client = NULL;
	asker.connected = asker.connected_token = NULL;
	code = cli_connect(&asker);
	if (code != CLI_DONE)
		return code;
	import_hotels_init(&hotels, &asker);
	if (export->hotels[0] == NULL)
		code = list_put(export, &hotels, 0);
	for (uint32_t i = 0; i < EXPORT_HOTELS_MAX && code == CLI_DONE; i++) {
		struct value_hotel hotel;
		if (export->hotels[i] == NULL)
			continue;
		code = lookup_hotel(export->cli, export->hotels[i], &hotel);
		if (code == CLI_DONE)
			code = list_put(export, &hotels, hotel.id);
	}
	if (export->hotels[0] == NULL)
		export->hotel_count = hotels.used_count;
	import_hotels_fini(&hotels);
	cli_fini(&asker);
	kr_assert(asker.client == NULL);
	return code;
}

int export_reservations_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_spec spec = EXPORT_SPEC(export_plain_options,
		"Writes the reservations that are kept, in no useful order. NDJSON: an object "
		"each, as `reservation get --json` shows it. CSV: a row for each line of one.",
		". What changes while it is written may be shown as it was or as it "
		"is.");
	return export_run(cli, argc, argv, &spec, &sheet, reservations_rows);
}
