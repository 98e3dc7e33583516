/*
 * Days and dates, proleptic Gregorian. Day 0 is 1970-01-01; a day is a number, never an instant.
 * Years run from CIVIL_YEAR_MIN to CIVIL_YEAR_MAX, four digits in text.
 */
#ifndef BASE_CIVIL_H
#define BASE_CIVIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

#define CIVIL_YEAR_MIN 1
#define CIVIL_YEAR_MAX 9999
#define CIVIL_DAY_MIN (-719162) /* 0001-01-01 */
#define CIVIL_DAY_MAX 2932896   /* 9999-12-31 */
#define CIVIL_DATE_TEXT_LENGTH 10u
#define CIVIL_DATE_TEXT_SIZE (CIVIL_DATE_TEXT_LENGTH + 1u)
#define CIVIL_DAY_US INT64_C(86400000000)

struct civil_date {
	int32_t year;
	uint8_t month; /* 1 to 12 */
	uint8_t day;   /* 1 to 31 */
};

enum civil_weekday {
	CIVIL_MONDAY,
	CIVIL_TUESDAY,
	CIVIL_WEDNESDAY,
	CIVIL_THURSDAY,
	CIVIL_FRIDAY,
	CIVIL_SATURDAY,
	CIVIL_SUNDAY,
};

bool civil_year_is_leap(int32_t year);
/* 28 to 31. */
uint8_t civil_month_length(int32_t year, uint8_t month);
bool civil_date_is_valid(struct civil_date date);
/* The date must be valid. */
int32_t civil_day_from_date(struct civil_date date);
/* The day must lie in CIVIL_DAY_MIN .. CIVIL_DAY_MAX. */
struct civil_date civil_date_from_day(int32_t day);
/* 0 Monday to 6 Sunday, of any day. */
enum civil_weekday civil_weekday_of(int32_t day);

/* Whether `count` days from `first` on are days of those years. */
bool civil_days_are_valid(int32_t first, uint32_t count);

/* Day of an instant in microseconds since 1970 (UTC), rounded down, and what is left of it. */
int32_t civil_day_of_us(int64_t unix_us);
int64_t civil_us_in_day(int64_t unix_us);

/* "2026-11-22" and a final zero. */
void civil_day_format(int32_t day, char ret_text[static CIVIL_DATE_TEXT_SIZE]);

#define CIVIL_MALFORMED 1 /* not YYYY-MM-DD */
#define CIVIL_NO_SUCH_DAY 2

/* Reads exactly `length` characters. 0, CIVIL_MALFORMED or CIVIL_NO_SUCH_DAY. */
KR_MUST_CHECK int civil_day_parse(const char *text, size_t length, int32_t *ret_day);

#endif
