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
#include "tools/keyrack/stay_sheet.h"

#define TEXTS_SIZE (128u << 10) /* of a row: the longest stay at a price a night, and the rest */

/* A row's texts in one piece of memory. */
struct row_pen {
	const char *texts[STAY_COLUMN_COUNT];
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
	kr_assert(pen->column < STAY_COLUMN_COUNT);
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

/* 0 is none. */
static void put_instant(struct row_pen *pen, uint64_t unix_us)
{
	kr_assert(pen->column < STAY_COLUMN_COUNT);
	if (unix_us == 0)
		put(pen, "%s", "");
	else
		put(pen, "%" PRIu64, unix_us);
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

/* As `plan put --policy` takes them. */
static void put_terms(struct row_pen *pen, const struct keyrack_line *line)
{
	char text[POLICY_TEXT_SIZE] = "";
	kr_assert(line->tier_count <= KEYRACK_TIER_COUNT_MAX);
	if (line->tier_count > 0)
		policy_format(line->tiers, line->tier_count, text);
	put(pen, "%s", text);
	put_instant(pen, line->arrival_us);
}

static void put_line(struct row_pen *pen, const struct keyrack_reservation *reservation, uint32_t i,
	const struct money_unit *unit)
{
	const struct keyrack_line *line = &reservation->lines[i];
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
	put_terms(pen, line);
}

static void put_rest(struct row_pen *pen, const struct keyrack_reservation *reservation,
	const struct money_unit *unit)
{
	char money[MONEY_TEXT_SIZE] = "", change[TRANSITION_CHANGE_TEXT_SIZE] = "";
	if (reservation->has_total)
		money_format(unit, (int64_t)reservation->total_minor, money);
	put(pen, "%s", money);
	put_day(pen, reservation->counted_until_day);
	put_instant(pen, reservation->created_at_us);
	put_instant(pen, reservation->changed_at_us);
	put_instant(pen, reservation->expires_at_us);
	put_id(pen, reservation->guest);
	put(pen, "%s", reservation->external_ref);
	put(pen, "%s", reservation->payment_ref);
	put(pen, "%u", reservation->source);
	put(pen, "%s", reservation->was_held ? "yes" : "");
	put(pen, "%s", reservation->graced ? "yes" : "");
	if (reservation->change_id != 0)
		transition_change_format(reservation->change_id, change);
	put(pen, "%s", change);
	kr_assert(pen->column == STAY_COLUMN_COUNT);
}

static void rows_put(struct export *export, const struct keyrack_reservation *reservation,
	const struct money_unit *unit)
{
	static struct row_pen pen;
	kr_assert(reservation->line_count <= KEYRACK_LINE_COUNT_MAX);
	for (uint32_t i = 0; i < reservation->line_count; i++) {
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
	}
}

struct put_list {
	struct export *export;
	struct import_hotels *hotels;
};

static int list_take(void *user, const void *item)
{
	const struct put_list *put = user;
	const struct keyrack_reservation *reservation = item;
	const struct import_hotel *hotel;
	/* a VOID is none: it says that there never will be one */
	if (reservation->line_count == 0)
		return CLI_DONE;
	int code = import_hotels_find(put->hotels, reservation->hotel_id, &hotel);
	if (code != CLI_DONE)
		return code;
	kr_assert(hotel->is_known);
	progress_show(&put->export->progress, 0, put->export->out.row_count);
	rows_put(put->export, reservation, &hotel->unit);
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
		"Writes the reservations that are kept, in no useful order, as "
		"`import reservations` takes them: a row for each line of one.",
		". What changes while it is written may be shown as it was or as it "
		"is.");
	return export_run(cli, argc, argv, &spec, sheet_of(SHEET_RESERVATIONS), reservations_rows);
}
