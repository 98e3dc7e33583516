/*
 * Spans of dates as people type them. Two spellings that must never be mixed up:
 *
 *   --stay A..B     half open: arrives on A, leaves on B, sleeps the nights A to B - 1
 *   --nights A..B   inclusive: the nights A to B; a single date is one night
 *
 * Whatever was typed is echoed in words, so that a mistake is seen. Pure.
 */
#ifndef TOOLS_KEYRACK_SPAN_H
#define TOOLS_KEYRACK_SPAN_H

#include <stdint.h>

#include "base/check.h"
#include "base/error.h"

#define SPAN_NIGHTS_MAX 4096u /* the widest window a hotel can have */
#define SPAN_TEXT_SIZE 128u

/* Nights [first_day, end_day), at least one. */
struct span {
	int32_t first_day;
	int32_t end_day;
};

/* 0 or -KR_E_INVALID with the reason. */
KR_MUST_CHECK int span_parse_stay(
	const char *text, struct span *ret_span, struct kr_error_text *error);
KR_MUST_CHECK int span_parse_nights(
	const char *text, struct span *ret_span, struct kr_error_text *error);

/* The same as the wire has them, both included; *ret_has becomes true. */
KR_MUST_CHECK int span_parse_days(const char *text, bool *ret_has, int32_t *ret_first_day,
	int32_t *ret_last_day, struct kr_error_text *error);

static inline uint32_t span_nights(struct span span)
{
	return (uint32_t)(span.end_day - span.first_day);
}

/* "3 nights, Wed 2026-12-30 to Fri 2027-01-01, check-out Sat 2027-01-02". */
void span_format_stay(struct span span, char ret_text[static SPAN_TEXT_SIZE]);
/* "4 nights, Wed 2026-12-30 to Sat 2027-01-02, both included". */
void span_format_nights(struct span span, char ret_text[static SPAN_TEXT_SIZE]);

#define SPAN_DAY_TEXT_SIZE 16u
/* "Wed 2026-12-30". */
void span_format_day(int32_t day, char ret_text[static SPAN_DAY_TEXT_SIZE]);

#define SPAN_INSTANT_TEXT_SIZE 32u
/* "2026-11-22 10:15:00 UTC". */
void span_format_instant(uint64_t unix_us, char ret_text[static SPAN_INSTANT_TEXT_SIZE]);

#endif
