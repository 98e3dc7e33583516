/*
 * The table of reservations: a row for each line of one, lines in order and next to each other.
 * What a reservation has in all is in each of its rows and read from the first. Pure.
 */
#ifndef TOOLS_KEYRACK_STAY_SHEET_H
#define TOOLS_KEYRACK_STAY_SHEET_H

#include "tools/keyrack/policy.h"
#include "tools/keyrack/sheet.h"
#include "tools/keyrack/value.h"

/* In this order. */
#define STAY_COLUMN_TABLE(X)                                                                       \
	X(HOTEL, "hotel", SHEET_TEXT, true)                                                        \
	X(ID, "id", SHEET_TEXT, true)                                                              \
	X(STATE, "state", SHEET_TEXT, true)                                                        \
	X(DUE, "due", SHEET_FLAG, false)                                                           \
	X(REVISION, "revision", SHEET_NUMBER, false)                                               \
	X(LINE, "line", SHEET_NUMBER, false)                                                       \
	X(LINES, "lines", SHEET_NUMBER, false)                                                     \
	X(TYPE, "type", SHEET_NUMBER, true)                                                        \
	X(PLAN, "plan", SHEET_NUMBER, false)                                                       \
	X(CHECK_IN, "check_in", SHEET_TEXT, true)                                                  \
	X(CHECK_OUT, "check_out", SHEET_TEXT, true)                                                \
	X(ROOMS, "rooms", SHEET_NUMBER, false)                                                     \
	X(GUESTS, "guests", SHEET_NUMBER, false)                                                   \
	X(PRICING, "pricing", SHEET_TEXT, false)                                                   \
	X(PRICES, "prices", SHEET_TEXT, false)                                                     \
	X(TERMS, "terms", SHEET_TEXT, false)                                                       \
	X(ARRIVAL, "arrival_us", SHEET_NUMBER, false)                                              \
	X(TOTAL, "total", SHEET_TEXT, false)                                                       \
	X(COUNTED_UNTIL, "counted_until", SHEET_TEXT, false)                                       \
	X(CREATED, "created_at_us", SHEET_NUMBER, false)                                           \
	X(CHANGED, "changed_at_us", SHEET_NUMBER, false)                                           \
	X(EXPIRES, "expires_at_us", SHEET_NUMBER, false)                                           \
	X(GUEST, "guest", SHEET_TEXT, false)                                                       \
	X(EXTERNAL_REF, "external_ref", SHEET_TEXT, false)                                         \
	X(PAYMENT_REF, "payment_ref", SHEET_TEXT, false)                                           \
	X(SOURCE, "source", SHEET_NUMBER, false)                                                   \
	X(WAS_HELD, "was_held", SHEET_FLAG, false)                                                 \
	X(GRACED, "graced", SHEET_FLAG, false)                                                     \
	X(CHANGE, "change_id", SHEET_TEXT, false)

#define X(name, text, value, is_needed) STAY_##name,
enum stay_column { STAY_COLUMN_TABLE(X) STAY_COLUMN_COUNT };
#undef X

extern const struct sheet_column stay_columns[STAY_COLUMN_COUNT];

#define STAY_REFERENCE_SIZE 65u

/* A reservation as its rows are read; `request` names the rest. */
struct stay {
	struct keyrack_import request;
	struct keyrack_line lines[KEYRACK_LINE_COUNT_MAX];
	struct policy policies[KEYRACK_LINE_COUNT_MAX];
	struct keyrack_price_run runs[KEYRACK_STAY_NIGHTS_MAX];
	uint32_t run_count;
	char external_ref[STAY_REFERENCE_SIZE], payment_ref[STAY_REFERENCE_SIZE];
};

/* Which line of which reservation a row is. */
struct stay_key {
	uint64_t hotel_id;
	struct keyrack_id id;
	uint32_t line, line_count; /* from 1; 1 of 1 where it does not say */
};

/* All: texts by column, NULL or "" where there is nothing; 0, or -KR_E_INVALID with the reason. */
KR_MUST_CHECK int stay_key_read(
	const char *const *texts, struct stay_key *ret_key, struct kr_error_text *error);
/* Begins a stay with what its first row says of the whole. Days and instants are shifted. */
KR_MUST_CHECK int stay_begin(const char *const *texts, const struct stay_key *key,
	int32_t shift_days, struct stay *ret_stay, struct kr_error_text *error);
/* The next line, in its hotel's money. */
KR_MUST_CHECK int stay_line_add(const char *const *texts, const struct money_unit *unit,
	int32_t shift_days, struct stay *stay, struct kr_error_text *error);

#endif
