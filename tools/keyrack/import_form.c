#include "tools/keyrack/import_form.h"

#include <stdio.h>
#include <string.h>

#include "tools/keyrack/value.h"

#define WRONG(error, ...) kr_error_text_set(error, -KR_E_INVALID, 0, __VA_ARGS__)
#define ROOMS_MAX 65535u
#define NIGHTS_MAX UINT32_MAX
#define RUN_NIGHTS_MAX 4096u

/* A bare amount, in the currency of the command line, with all of its decimals. */
static int money_of_amount(const struct import_words *words, const char *text,
	char ret_money[static MONEY_TEXT_SIZE], struct kr_error_text *error)
{
	const char *point = strchr(text, '.');
	uint32_t have = point != NULL ? (uint32_t)strlen(point + 1) : 0;
	uint32_t digits;
	if (words->currency == NULL || !money_currency_is_valid(words->currency))
		return WRONG(error,
			"price: \"%s\" has no currency: write EUR 120.00, or give --currency",
			text);
	digits = money_currency_digits(words->currency);
	if (strlen(text) > MONEY_TEXT_SIZE / 2 || have > digits)
		return WRONG(error, "price: \"%s\" is no amount of %s", text, words->currency);
	(void)snprintf(ret_money, MONEY_TEXT_SIZE, "%s %s%s%.*s", words->currency, text,
		point == NULL && digits > 0 ? "." : "", (int)(digits - have), "0000");
	kr_assert(strlen(ret_money) < MONEY_TEXT_SIZE - 1);
	return 0;
}

/* ---- our own tables -------------------------------------------------------------------------- */

static struct sheet_row sheet_row_of(const struct row *row)
{
	struct sheet_row ret;
	kr_static_assert(SHEET_COLUMNS_MAX <= ROWS_COLUMNS_MAX, "a row has them all");
	memcpy(ret.texts, row->texts, sizeof(ret.texts));
	kr_assert(row->fault == NULL);
	return ret;
}

static int own_hotel(const struct import_words *words, const struct row *row,
	struct import_unit *unit, struct kr_error_text *error)
{
	struct sheet_row texts = sheet_row_of(row);
	uint32_t zone = sheet_column_find(sheet_of(SHEET_HOTELS), "zone");
	uint32_t currency = sheet_column_find(sheet_of(SHEET_HOTELS), "currency");
	if (texts.texts[zone] == NULL || texts.texts[zone][0] == '\0')
		texts.texts[zone] = words->zone;
	if (texts.texts[currency] == NULL || texts.texts[currency][0] == '\0')
		texts.texts[currency] = words->currency;
	unit->kind = IMPORT_HOTEL;
	kr_assert(!unit->has_type);
	if (sheet_hotel_read(&texts, &unit->hotel, error) < 0)
		return error->error;
	unit->hotel_id = unit->hotel.hotel_id;
	return 0;
}

static int own_type(const struct import_words *words, const struct row *row,
	struct import_unit *unit, struct kr_error_text *error)
{
	struct sheet_row texts = sheet_row_of(row);
	kr_assert(words != NULL);
	unit->kind = IMPORT_TYPE;
	if (sheet_type_read(&texts, &unit->type, error) < 0)
		return error->error;
	unit->hotel_id = unit->type.hotel_id;
	unit->type_number = unit->type.type;
	return 0;
}

static int own_plan(const struct import_words *words, const struct row *row,
	struct import_unit *unit, struct kr_error_text *error)
{
	struct sheet_row texts = sheet_row_of(row);
	kr_assert(words != NULL);
	unit->kind = IMPORT_PLAN;
	if (sheet_plan_read(&texts, &unit->plan, error) < 0)
		return error->error;
	unit->hotel_id = unit->plan.put.hotel_id;
	unit->type_number = unit->plan.put.type;
	return 0;
}

static int days_shift(const struct import_words *words, struct keyrack_inventory_set *update,
	struct kr_error_text *error)
{
	int64_t first = (int64_t)update->first_day + words->shift_days;
	int64_t last = (int64_t)update->last_day + words->shift_days;
	kr_assert(first <= last);
	if (first < INT16_MIN || last > UINT16_MAX)
		return WRONG(error, "its nights are shifted out of the calendar");
	update->first_day = (int32_t)first;
	update->last_day = (int32_t)last;
	return 0;
}

static int own_nights(const struct import_words *words, const struct row *row,
	struct import_unit *unit, struct kr_error_text *error)
{
	struct sheet_row texts = sheet_row_of(row);
	const char **price = &texts.texts[sheet_column_find(sheet_of(SHEET_CALENDAR), "price")];
	char money[MONEY_TEXT_SIZE];
	kr_assert(!unit->has_type);
	unit->kind = IMPORT_NIGHTS;
	if (*price != NULL && **price >= '0' && **price <= '9') {
		if (money_of_amount(words, *price, money, error) < 0)
			return error->error;
		*price = money;
	}
	if (sheet_nights_read(&texts, &unit->fields, &unit->type_number, error) < 0)
		return error->error;
	unit->hotel_id = unit->fields.update.hotel_id;
	return days_shift(words, &unit->fields.update, error);
}

/* ---- tables of others ------------------------------------------------------------------------ */

static int number_read(const struct row *row, uint32_t place, const char *name, uint64_t last,
	uint64_t *ret, struct kr_error_text *error)
{
	const char *text = row->texts[place];
	if (text == NULL || text[0] == '\0')
		return WRONG(error, "%s is missing", name);
	if (value_u64(text, (struct value_range){0, last}, ret, error) < 0) {
		char reason[KR_ERROR_TEXT_SIZE];
		memcpy(reason, error->bytes, sizeof(reason));
		return WRONG(error, "%s: %s", name, reason);
	}
	kr_assert(*ret <= last);
	return 0;
}

/* A hotel of one room type, and what the command line says of it. */
static int foreign_hotel(const struct import_words *words, uint64_t hotel_id, uint64_t rooms,
	struct import_unit *unit, struct kr_error_text *error)
{
	if (words->zone == NULL || words->currency == NULL)
		return WRONG(error, "this file has no zones and currencies: give --zone and "
				    "--currency");
	if (!money_currency_is_valid(words->currency))
		return WRONG(error, "\"%s\" is no currency; write EUR", words->currency);
	unit->kind = IMPORT_HOTEL;
	unit->has_type = true;
	unit->hotel_id = hotel_id;
	unit->hotel = (struct keyrack_hotel_put){.hotel_id = hotel_id,
		.mask = KEYRACK_HOTEL_ZONE | KEYRACK_HOTEL_CURRENCY | KEYRACK_HOTEL_CURRENCY_DIGITS,
		.settings = {.zone = words->zone,
			.currency = words->currency,
			.currency_digits = money_currency_digits(words->currency)}};
	unit->type = (struct keyrack_type_put){.hotel_id = hotel_id,
		.mask = KEYRACK_TYPE_PHYSICAL,
		.settings = {.physical = (uint32_t)rooms}};
	kr_assert(rooms <= ROOMS_MAX);
	return 0;
}

enum { LISTING_ID, LISTING_GUESTS, LISTING_COLUMNS };
static const char *const listing_columns[] = {"id", "accommodates"};

static int listing_read(const struct import_words *words, const struct row *row,
	struct import_unit *unit, struct kr_error_text *error)
{
	uint64_t id = 0, guests = 0;
	kr_assert(KR_ARRAY_COUNT(listing_columns) == LISTING_COLUMNS);
	if (number_read(row, LISTING_ID, "id", UINT64_MAX, &id, error) < 0 ||
		number_read(row, LISTING_GUESTS, "accommodates", ROOMS_MAX, &guests, error) < 0 ||
		foreign_hotel(words, id, 1, unit, error) < 0)
		return error->error;
	unit->type.mask |= KEYRACK_TYPE_GUESTS_MAX;
	unit->type.settings.guests_max = (uint32_t)guests;
	return 0;
}

enum { REGISTER_ID, REGISTER_TYPE, REGISTER_ROOMS, REGISTER_COLUMNS };
static const char *const register_columns[] = {"id", "type", "rooms"};

static int register_read(const struct import_words *words, const struct row *row,
	struct import_unit *unit, struct kr_error_text *error)
{
	uint64_t id = 0, rooms = 0;
	kr_assert(KR_ARRAY_COUNT(register_columns) == REGISTER_COLUMNS);
	/* Camping grounds and the like are in it as well. */
	if (row->texts[REGISTER_TYPE] == NULL || strcmp(row->texts[REGISTER_TYPE], "hotel") != 0)
		return 0;
	if (number_read(row, REGISTER_ID, "id", UINT64_MAX, &id, error) < 0 ||
		number_read(row, REGISTER_ROOMS, "rooms", ROOMS_MAX, &rooms, error) < 0)
		return error->error;
	return foreign_hotel(words, id, rooms, unit, error);
}

enum { RUN_LISTING, RUN_START, RUN_N, RUN_AVAILABLE, RUN_PRICE, RUN_MIN, RUN_MAX, RUN_COLUMNS };
static const char *const run_columns[] = {
	"listing", "start", "n", "available", "price", "min_nights", "max_nights"};

static int run_price(const struct import_words *words, const char *text, struct fields *fields,
	struct kr_error_text *error)
{
	char money[MONEY_TEXT_SIZE];
	if (text == NULL || text[0] == '\0')
		return 0;
	if (money_of_amount(words, text, money, error) < 0)
		return error->error;
	fields->has_price = true;
	fields->update.set_mask |= KEYRACK_SET_PRICE;
	return money_parse(money, false, &fields->price, error);
}

static int run_limits(
	const struct row *row, struct keyrack_inventory_set *update, struct kr_error_text *error)
{
	uint64_t shortest = 0, longest = 0;
	if (number_read(row, RUN_MIN, "min_nights", NIGHTS_MAX, &shortest, error) < 0 ||
		number_read(row, RUN_MAX, "max_nights", NIGHTS_MAX, &longest, error) < 0)
		return error->error;
	update->set_mask |= KEYRACK_SET_MIN_ARRIVAL | KEYRACK_SET_MAX_ARRIVAL;
	update->min_arrival = (uint32_t)shortest;
	update->max_arrival = (uint32_t)longest;
	kr_assert(update->clear_mask == 0);
	return 0;
}

static int run_read(const struct import_words *words, const struct row *row,
	struct import_unit *unit, struct kr_error_text *error)
{
	struct keyrack_inventory_set *update = &unit->fields.update;
	const char *start = row->texts[RUN_START], *available = row->texts[RUN_AVAILABLE];
	uint64_t nights = 0;
	kr_assert(KR_ARRAY_COUNT(run_columns) == RUN_COLUMNS);
	unit->kind = IMPORT_NIGHTS;
	if (number_read(row, RUN_LISTING, "listing", UINT64_MAX, &unit->hotel_id, error) < 0 ||
		number_read(row, RUN_N, "n", RUN_NIGHTS_MAX, &nights, error) < 0)
		return error->error;
	if (start == NULL || keyrack_day_parse(start, &update->first_day) != 0)
		return WRONG(error, "start: \"%s\" is no date; write 2027-01-31",
			start != NULL ? start : "");
	if (available == NULL || (strcmp(available, "t") != 0 && strcmp(available, "f") != 0))
		return WRONG(error, "available is neither t nor f");
	if (nights == 0)
		return WRONG(error, "n: there is no night");
	update->hotel_id = unit->hotel_id;
	update->last_day = update->first_day + (int32_t)nights - 1;
	update->set_mask = KEYRACK_SET_CLOSED;
	update->closed = available[0] == 'f';
	if (run_limits(row, update, error) < 0 ||
		run_price(words, row->texts[RUN_PRICE], &unit->fields, error) < 0)
		return error->error;
	return days_shift(words, update, error);
}

/* ---- which it is ----------------------------------------------------------------------------- */

static const struct import_form foreign[] = {
	{"a list of listings", SHEET_HOTELS, false, {"id", "accommodates", "room_type"},
		listing_columns, LISTING_COLUMNS, listing_read},
	{"a register of hotels", SHEET_HOTELS, false, {"id", "type", "rooms", "classified"},
		register_columns, REGISTER_COLUMNS, register_read},
	{"a listing calendar", SHEET_CALENDAR, false, {"listing", "start", "n", "available"},
		run_columns, RUN_COLUMNS, run_read},
};

static bool form_fits(const struct import_form *form, const struct rows *rows)
{
	for (size_t i = 0; i < KR_ARRAY_COUNT(form->signature); i++)
		if (form->signature[i] != NULL && !rows_have(rows, form->signature[i]))
			return false;
	kr_assert(form->signature[0] != NULL);
	return true;
}

static const struct import_form *form_own(enum sheet_kind kind)
{
	static const char *names[ROWS_COLUMNS_MAX];
	static struct import_form own = {.is_own = true, .signature = {"hotel"}, .columns = names};
	static import_read *const reads[SHEET_KIND_COUNT] = {
		own_hotel, own_type, own_plan, own_nights, NULL};
	const struct sheet *sheet = sheet_of(kind);
	kr_assert(sheet->column_count <= ROWS_COLUMNS_MAX);
	for (uint32_t i = 0; i < sheet->column_count; i++)
		names[i] = sheet->columns[i].name;
	own.name = sheet->name;
	own.kind = kind;
	own.column_count = sheet->column_count;
	own.read = reads[kind];
	return &own;
}

const struct import_form *import_form_find(enum sheet_kind kind, const struct rows *rows)
{
	const struct import_form *own = form_own(kind);
	kr_assert(rows->name_count > 0 || rows->is_ndjson);
	if (rows->is_ndjson || form_fits(own, rows))
		return own;
	for (size_t i = 0; i < KR_ARRAY_COUNT(foreign); i++)
		if (foreign[i].kind == kind && form_fits(&foreign[i], rows))
			return &foreign[i];
	return NULL;
}
