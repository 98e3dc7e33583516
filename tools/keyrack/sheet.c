#include "tools/keyrack/sheet.h"

#include <string.h>

#include "tools/keyrack/hotel_words.h"
#include "tools/keyrack/span.h"
#include "tools/keyrack/stay_sheet.h"
#include "tools/keyrack/type_words.h"
#include "tools/keyrack/value.h"

#define WRONG(error, ...) kr_error_text_set(error, -KR_E_INVALID, 0, __VA_ARGS__)
#define TYPE_NUMBER_MAX 65534u
#define NAME_SIZE 32u

enum { HOTEL_ID, HOTEL_SETTINGS };
static const struct sheet_column hotel_columns[] = {{"hotel", SHEET_TEXT, true},
	{"code", SHEET_TEXT, false}, {"zone", SHEET_TEXT, false}, {"currency", SHEET_TEXT, false},
	{"digits", SHEET_NUMBER, false}, {"day_roll", SHEET_TEXT, false},
	{"check_in", SHEET_TEXT, false}, {"nights_max", SHEET_NUMBER, false},
	{"hold_ttl", SHEET_TEXT, false}, {"hold_ttl_max", SHEET_TEXT, false},
	{"hold_total_max", SHEET_TEXT, false}, {"holds_max", SHEET_NUMBER, false},
	{"guest_holds_max", SHEET_NUMBER, false}, {"status", SHEET_TEXT, false}};

enum { TYPE_HOTEL, TYPE_NUMBER, TYPE_SETTINGS };
static const struct sheet_column type_columns[] = {{"hotel", SHEET_TEXT, true},
	{"type", SHEET_NUMBER, true}, {"code", SHEET_TEXT, false}, {"status", SHEET_TEXT, false},
	{"physical", SHEET_NUMBER, false}, {"out_of_order", SHEET_NUMBER, false},
	{"allowance", SHEET_TEXT, false}, {"cap", SHEET_NUMBER, false},
	{"guests_max", SHEET_NUMBER, false}, {"plan_status", SHEET_TEXT, false},
	{"advance_min", SHEET_TEXT, false}, {"advance_max", SHEET_TEXT, false}};

enum { PLAN_HOTEL, PLAN_TYPE, PLAN_NUMBER, PLAN_SETTINGS };
static const struct sheet_column plan_columns[] = {{"hotel", SHEET_TEXT, true},
	{"type", SHEET_NUMBER, true}, {"plan", SHEET_NUMBER, true}, {"code", SHEET_TEXT, false},
	{"status", SHEET_TEXT, false}, {"from", SHEET_NUMBER, false},
	{"percent", SHEET_TEXT, false}, {"amount", SHEET_TEXT, false},
	{"policy", SHEET_TEXT, false}, {"advance_min", SHEET_TEXT, false},
	{"advance_max", SHEET_TEXT, false}};

enum { NIGHTS_HOTEL, NIGHTS_TYPE, NIGHTS_PLAN, NIGHTS_FIRST, NIGHTS_LAST, NIGHTS_FIELDS };
static const struct sheet_column night_columns[] = {{"hotel", SHEET_TEXT, true},
	{"type", SHEET_NUMBER, true}, {"plan", SHEET_NUMBER, false},
	{"first_night", SHEET_TEXT, true}, {"last_night", SHEET_TEXT, false},
	{"physical", SHEET_NUMBER, false}, {"out_of_order", SHEET_NUMBER, false},
	{"allowance", SHEET_TEXT, false}, {"cap", SHEET_NUMBER, false},
	{"closed", SHEET_FLAG, false}, {"cta", SHEET_FLAG, false}, {"ctd", SHEET_FLAG, false},
	{"price", SHEET_TEXT, false}, {"min_arrival", SHEET_NUMBER, false},
	{"max_arrival", SHEET_NUMBER, false}, {"min_through", SHEET_NUMBER, false},
	{"max_through", SHEET_NUMBER, false}, {"plan_closed", SHEET_FLAG, false},
	{"plan_cta", SHEET_FLAG, false}, {"plan_ctd", SHEET_FLAG, false}};

static const struct sheet sheets[SHEET_KIND_COUNT] = {
	[SHEET_HOTELS] = {"hotels", hotel_columns, KR_ARRAY_COUNT(hotel_columns)},
	[SHEET_TYPES] = {"types", type_columns, KR_ARRAY_COUNT(type_columns)},
	[SHEET_PLANS] = {"plans", plan_columns, KR_ARRAY_COUNT(plan_columns)},
	[SHEET_CALENDAR] = {"calendar", night_columns, KR_ARRAY_COUNT(night_columns)},
	[SHEET_RESERVATIONS] = {"reservations", stay_columns, STAY_COLUMN_COUNT},
};
kr_static_assert(KR_ARRAY_COUNT(night_columns) <= SHEET_COLUMNS_MAX, "the longest one");

const struct sheet *sheet_of(enum sheet_kind kind)
{
	kr_assert(kind < SHEET_KIND_COUNT);
	return &sheets[kind];
}

uint32_t sheet_column_find(const struct sheet *sheet, const char *name)
{
	uint32_t i = 0;
	kr_assert(name != NULL);
	while (i < sheet->column_count && strcmp(sheet->columns[i].name, name) != 0)
		i++;
	return i;
}

/* "check_in" is the option --check-in. */
static void option_name(const char *column, char ret_name[static NAME_SIZE])
{
	size_t length = strlen(column);
	kr_assert(length < NAME_SIZE);
	for (size_t i = 0; i <= length; i++)
		ret_name[i] = column[i] == '_' ? '-' : column[i];
}

static int option_key(const struct argp_option *options, const char *column)
{
	char name[NAME_SIZE];
	option_name(column, name);
	while (strcmp(options->name, name) != 0) {
		options++;
		kr_assert(options->name != NULL);
	}
	return options->key;
}

/* Every needed text is there. */
static int row_check(enum sheet_kind kind, const struct sheet_row *row, struct kr_error_text *error)
{
	const struct sheet *sheet = sheet_of(kind);
	kr_error_text_clear(error);
	for (uint32_t i = 0; i < sheet->column_count; i++)
		if (sheet->columns[i].is_needed &&
			(row->texts[i] == NULL || row->texts[i][0] == '\0'))
			return WRONG(error, "%s is missing", sheet->columns[i].name);
	return 0;
}

/* Puts the column's name before the reason. */
static int column_wrong(const char *column, struct kr_error_text *error)
{
	char reason[KR_ERROR_TEXT_SIZE];
	memcpy(reason, error->bytes, sizeof(reason));
	kr_assert(column != NULL);
	return WRONG(error, "%s: %s", column, reason);
}

static int hotel_id_read(const char *text, uint64_t *ret_id, struct kr_error_text *error)
{
	struct value_hotel hotel;
	if (value_hotel(text, &hotel, error) < 0)
		return column_wrong("hotel", error);
	kr_assert(hotel.code[VALUE_CODE_MAX] == '\0');
	*ret_id = hotel.id;
	return 0;
}

int sheet_hotel_read(
	const struct sheet_row *row, struct keyrack_hotel_put *ret_put, struct kr_error_text *error)
{
	memset(ret_put, 0, sizeof(*ret_put));
	kr_assert(HOTEL_SETTINGS == 1);
	if (row_check(SHEET_HOTELS, row, error) < 0 ||
		hotel_id_read(row->texts[HOTEL_ID], &ret_put->hotel_id, error) < 0)
		return error->error;
	for (uint32_t i = HOTEL_SETTINGS; i < KR_ARRAY_COUNT(hotel_columns); i++) {
		const char *text = row->texts[i];
		int key = option_key(hotel_words_options, hotel_columns[i].name);
		if (text == NULL || text[0] == '\0')
			continue;
		if (hotel_words_set(ret_put, key, text, error) < 0)
			return column_wrong(hotel_columns[i].name, error);
	}
	/* A currency's decimals are its own where the row does not say. */
	if ((ret_put->mask & KEYRACK_HOTEL_CURRENCY) != 0)
		ret_put->mask |= KEYRACK_HOTEL_CURRENCY_DIGITS;
	return 0;
}

/* Of a room type or a rate plan. */
static int number_read(
	const char *column, const char *text, uint32_t *ret_number, struct kr_error_text *error)
{
	uint64_t number;
	kr_static_assert(TYPE_NUMBER_MAX == LINE_PLAN_MAX, "one range for both");
	if (value_u64(text, (struct value_range){0, TYPE_NUMBER_MAX}, &number, error) < 0)
		return column_wrong(column, error);
	kr_assert(number <= TYPE_NUMBER_MAX);
	*ret_number = (uint32_t)number;
	return 0;
}

/* A setting's bit that "" clears; 0 where it cannot. */
static uint32_t type_clear_bit(const char *column)
{
	static const struct {
		const char *name;
		uint32_t bit;
	} bits[] = {{"physical", KEYRACK_TYPE_PHYSICAL},
		{"out_of_order", KEYRACK_TYPE_OUT_OF_ORDER}, {"allowance", KEYRACK_TYPE_ALLOWANCE},
		{"cap", KEYRACK_TYPE_CAP}};
	for (size_t i = 0; i < KR_ARRAY_COUNT(bits); i++)
		if (strcmp(bits[i].name, column) == 0)
			return bits[i].bit;
	return 0;
}

int sheet_type_read(
	const struct sheet_row *row, struct keyrack_type_put *ret_put, struct kr_error_text *error)
{
	memset(ret_put, 0, sizeof(*ret_put));
	kr_assert(TYPE_SETTINGS == 2);
	if (row_check(SHEET_TYPES, row, error) < 0 ||
		hotel_id_read(row->texts[TYPE_HOTEL], &ret_put->hotel_id, error) < 0 ||
		number_read("type", row->texts[TYPE_NUMBER], &ret_put->type, error) < 0)
		return error->error;
	for (uint32_t i = TYPE_SETTINGS; i < KR_ARRAY_COUNT(type_columns); i++) {
		const char *column = type_columns[i].name;
		const char *text = row->texts[i];
		if (text == NULL)
			continue;
		if (text[0] == '\0') {
			ret_put->clear_mask |= type_clear_bit(column);
			continue;
		}
		if (type_words_set(ret_put, option_key(type_words_options, column), text, error) <
			0)
			return column_wrong(column, error);
	}
	return 0;
}

/* Of plan 0 only what `export plans` writes of it may be said: its code is what it is, and status
 * and advance notice stand in the table of room types. */
static bool plan_base_passes(const struct plan_words *words, const char *column, const char *text)
{
	kr_assert(column != NULL && text != NULL);
	return words->put.plan == 0 && strcmp(column, "code") == 0 && strcmp(text, "BASE") == 0;
}

int sheet_plan_read(
	const struct sheet_row *row, struct plan_words *ret_words, struct kr_error_text *error)
{
	struct keyrack_plan_put *put = &ret_words->put;
	memset(ret_words, 0, sizeof(*ret_words));
	kr_assert(PLAN_SETTINGS == 3);
	if (row_check(SHEET_PLANS, row, error) < 0 ||
		hotel_id_read(row->texts[PLAN_HOTEL], &put->hotel_id, error) < 0 ||
		number_read("type", row->texts[PLAN_TYPE], &put->type, error) < 0 ||
		number_read("plan", row->texts[PLAN_NUMBER], &put->plan, error) < 0)
		return error->error;
	for (uint32_t i = PLAN_SETTINGS; i < KR_ARRAY_COUNT(plan_columns); i++) {
		const char *column = plan_columns[i].name;
		const char *text = row->texts[i];
		if (text == NULL || plan_base_passes(ret_words, column, text))
			continue;
		if (text[0] == '\0') {
			/* Without a policy a plan can be cancelled for nothing. */
			put->mask |= strcmp(column, "policy") == 0 ? KEYRACK_PLAN_TIERS : 0;
			continue;
		}
		if (plan_words_set(ret_words, option_key(plan_words_options, column), text, error) <
			0)
			return column_wrong(column, error);
	}
	return plan_words_finish(ret_words, error);
}

/* The row's nights, inclusive; one where the last is not given. */
static int days_read(const struct sheet_row *row, struct keyrack_inventory_set *update,
	struct kr_error_text *error)
{
	const char *first = row->texts[NIGHTS_FIRST], *last = row->texts[NIGHTS_LAST];
	if (keyrack_day_parse(first, &update->first_day) != 0)
		return WRONG(error, "first_night: \"%s\" is no date; write 2027-01-31", first);
	update->last_day = update->first_day;
	if (last != NULL && last[0] != '\0' && keyrack_day_parse(last, &update->last_day) != 0)
		return WRONG(error, "last_night: \"%s\" is no date; write 2027-01-31", last);
	if (update->last_day < update->first_day)
		return WRONG(error, "last_night is before first_night");
	if (update->last_day - update->first_day >= (int32_t)SPAN_NIGHTS_MAX)
		return WRONG(error, "there are more than %u nights", SPAN_NIGHTS_MAX);
	return 0;
}

/* Files from before there were plans do not say it. */
static int nights_plan_read(const char *text, uint32_t *ret_plan, struct kr_error_text *error)
{
	kr_assert(*ret_plan == 0);
	if (text == NULL || text[0] == '\0')
		return 0;
	return number_read("plan", text, ret_plan, error);
}

int sheet_nights_read(const struct sheet_row *row, struct fields *ret_fields, uint32_t *ret_type,
	struct kr_error_text *error)
{
	struct keyrack_inventory_set *update = &ret_fields->update;
	memset(ret_fields, 0, sizeof(*ret_fields));
	kr_assert(NIGHTS_FIELDS == 5);
	if (row_check(SHEET_CALENDAR, row, error) < 0 ||
		hotel_id_read(row->texts[NIGHTS_HOTEL], &update->hotel_id, error) < 0 ||
		number_read("type", row->texts[NIGHTS_TYPE], ret_type, error) < 0 ||
		nights_plan_read(row->texts[NIGHTS_PLAN], &update->plan, error) < 0 ||
		days_read(row, update, error) < 0)
		return error->error;
	for (uint32_t i = NIGHTS_FIELDS; i < KR_ARRAY_COUNT(night_columns); i++) {
		char name[NAME_SIZE];
		if (row->texts[i] == NULL)
			continue;
		option_name(night_columns[i].name, name);
		if (row->texts[i][0] == '\0' && update->plan != 0 && !fields_is_of_plan(name))
			continue;
		if (fields_put(ret_fields, name, row->texts[i], error) < 0)
			return column_wrong(night_columns[i].name, error);
	}
	if ((update->set_mask | update->clear_mask) == 0)
		return WRONG(error, "there is nothing to set");
	return 0;
}
