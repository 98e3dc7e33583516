/*
 * The tables that go in and out: hotels, room types, rate plans, calendars. A column is called as
 * the option that sets the same thing (`hotel put`, `type put`, `plan put`, `inventory set`), with
 * "_" for "-". An empty text takes a value away where there is such a thing as none; a column that
 * is not there leaves it as it is. Pure.
 */
#ifndef TOOLS_KEYRACK_SHEET_H
#define TOOLS_KEYRACK_SHEET_H

#include "keyrack/keyrack.h"
#include "tools/keyrack/fields.h"
#include "tools/keyrack/money.h"
#include "tools/keyrack/plan_words.h"

#define SHEET_COLUMNS_MAX 20u
#define SHEET_TEXT_SIZE 128u /* the longest text of a column, and its NUL */

enum sheet_kind {
	SHEET_HOTELS,
	SHEET_TYPES,
	SHEET_PLANS,
	SHEET_CALENDAR,
	SHEET_RESERVATIONS,
	SHEET_KIND_COUNT
};

/* What a column is in NDJSON; null where it is empty. */
enum sheet_value { SHEET_TEXT, SHEET_NUMBER, SHEET_FLAG };

struct sheet_column {
	const char *name;
	enum sheet_value value;
	bool is_needed; /* a row without it makes no sense */
};

struct sheet {
	const char *name; /* "hotels" */
	const struct sheet_column *columns;
	uint32_t column_count;
};

const struct sheet *sheet_of(enum sheet_kind kind);
/* Its place, or column_count. */
uint32_t sheet_column_find(const struct sheet *sheet, const char *name);

/* ---- reading: 0, or -KR_E_INVALID with the reason -------------------------------------------- */

/* A row's texts by column; NULL: the row has no such column. */
struct sheet_row {
	const char *texts[SHEET_COLUMNS_MAX];
};

/* Texts are kept by pointer. */
KR_MUST_CHECK int sheet_hotel_read(const struct sheet_row *row, struct keyrack_hotel_put *ret_put,
	struct kr_error_text *error);
KR_MUST_CHECK int sheet_type_read(
	const struct sheet_row *row, struct keyrack_type_put *ret_put, struct kr_error_text *error);
/* An amount waits for the hotel's unit. */
KR_MUST_CHECK int sheet_plan_read(
	const struct sheet_row *row, struct plan_words *ret_words, struct kr_error_text *error);
/* Of plans other than 0, empty texts of the type's own fields leave them as they are.
 * The update's types are left to the caller, as is its price: it waits for the hotel's unit. */
KR_MUST_CHECK int sheet_nights_read(const struct sheet_row *row, struct fields *ret_fields,
	uint32_t *ret_type, struct kr_error_text *error);

/* ---- writing --------------------------------------------------------------------------------- */

/* A row's texts; "" where there is nothing. */
struct sheet_texts {
	char bytes[SHEET_COLUMNS_MAX][SHEET_TEXT_SIZE];
};

/* What is kept of a night, for sheet_nights_format(). Cleared before it is filled, so that equal
 * nights are equal bytes. */
struct sheet_night {
	uint64_t price_minor;
	int32_t physical, out_of_order, allowance, cap;
	uint32_t set_mask; /* KEYRACK_SET_ bits: which values, and which flags are true */
	uint32_t allowance_unit;
	struct keyrack_los los;
};

void sheet_hotel_format(const struct keyrack_hotel *hotel, struct sheet_texts *ret_texts);
void sheet_type_format(
	uint64_t hotel_id, const struct keyrack_type *type, struct sheet_texts *ret_texts);
void sheet_plan_format(uint64_t hotel_id, const struct keyrack_plan *plan,
	const struct money_unit *unit, struct sheet_texts *ret_texts);
struct sheet_nights {
	uint64_t hotel_id;
	uint32_t type;
	uint32_t plan;
	int32_t first_day, last_day; /* inclusive */
	struct money_unit unit;
	struct sheet_night night; /* each of them */
};
void sheet_nights_format(const struct sheet_nights *nights, struct sheet_texts *ret_texts);

#endif
