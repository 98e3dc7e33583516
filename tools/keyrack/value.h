/*
 * Words of the command line as values. Pure: no output, no system call.
 *
 * Every reader takes the whole word or nothing. On failure it returns -KR_E_INVALID and *error
 * says what was wrong with the word and how it should look; ret_* is written on success only.
 */
#ifndef TOOLS_KEYRACK_VALUE_H
#define TOOLS_KEYRACK_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/error.h"
#include "base/uuid.h"

#define VALUE_LIST_MAX 1024u /* numbers of one list: room types of a hotel */
#define VALUE_CODE_MAX 64u   /* bytes of a hotel's text code */

struct value_range {
	uint64_t first;
	uint64_t last;
};

/* A hotel as it was typed: a number, or a text code whose hash is the number. */
struct value_hotel {
	uint64_t id;
	char code[VALUE_CODE_MAX + 1]; /* "" = typed as a number */
};

struct value_list {
	uint32_t count; /* 0 = all */
	uint32_t numbers[VALUE_LIST_MAX];
};

/* A whole number in decimal digits. */
KR_MUST_CHECK int value_u64(const char *text, struct value_range range, uint64_t *ret_value,
	struct kr_error_text *error);
/* The same with a sign in front: "+2", "-2", "2". */
KR_MUST_CHECK int value_i64(const char *text, int64_t *ret_value, struct kr_error_text *error);
/* yes, no, true, false, on, off, 1, 0. */
KR_MUST_CHECK int value_bool(const char *text, bool *ret_value, struct kr_error_text *error);
/* "90s", "15m", "2h", "1d", "250ms", "10us". A number without its unit is refused. */
KR_MUST_CHECK int value_duration(const char *text, uint64_t *ret_us, struct kr_error_text *error);
/* The same, whole minutes: a notice before check-in. */
KR_MUST_CHECK int value_minutes(
	const char *text, uint32_t *ret_minutes, struct kr_error_text *error);
/* "04:00": minutes after midnight. */
KR_MUST_CHECK int value_clock(const char *text, uint32_t *ret_minute, struct kr_error_text *error);
/* "10%", "-2.5%": hundredths of a percent. */
KR_MUST_CHECK int value_percent(
	const char *text, int64_t *ret_basis_points, struct kr_error_text *error);
/* "mon,fri", "mon-fri", "all": bit 0 is Monday. */
KR_MUST_CHECK int value_weekdays(const char *text, uint32_t *ret_mask, struct kr_error_text *error);
/* "0,1,5-9", "all". Numbers up to `last`, each once. */
KR_MUST_CHECK int value_list(
	const char *text, uint32_t last, struct value_list *ret_list, struct kr_error_text *error);
/* Adds "7" or "5-9" to a list; false if that is no such thing, too much, or there already. */
bool value_list_add(struct value_list *list, const char *text, size_t length, uint32_t last);
/* "17", "paris-01", "code:17" (a code that looks like a number). */
KR_MUST_CHECK int value_hotel(
	const char *text, struct value_hotel *ret_hotel, struct kr_error_text *error);
/* "active", "closed", "retired": 1, 2, 3. */
KR_MUST_CHECK int value_status(const char *text, uint32_t *ret_status, struct kr_error_text *error);
/* A reservation id or any other 128-bit id as text, with or without hyphens. */
KR_MUST_CHECK int value_id(const char *text, struct kr_id *ret_id, struct kr_error_text *error);

/* "Mon" to "Sun". */
const char *value_weekday_name(uint32_t weekday);

/* The next word before a comma, with "key" and "value" apart at its first '='. */
struct value_pair {
	char key[32];
	char value[128];
	bool has_value;
};

/* Reads one pair at *at and moves *at behind it; false at the end. An overlong or empty pair is an
 * error: then *error is set. */
bool value_pair_next(const char **at, struct value_pair *ret_pair, struct kr_error_text *error);

#endif
