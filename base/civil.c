#include "base/civil.h"

#define DAYS_PER_ERA 146097 /* 400 years */
#define DAYS_TO_1970 719468 /* from 0000-03-01 */

bool civil_year_is_leap(int32_t year)
{
	kr_assert(year >= CIVIL_YEAR_MIN);
	kr_assert(year <= CIVIL_YEAR_MAX);
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

uint8_t civil_month_length(int32_t year, uint8_t month)
{
	static const uint8_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	kr_assert(month >= 1);
	kr_assert(month <= 12);
	return month == 2 && civil_year_is_leap(year) ? 29 : lengths[month - 1];
}

bool civil_date_is_valid(struct civil_date date)
{
	if (date.year < CIVIL_YEAR_MIN || date.year > CIVIL_YEAR_MAX)
		return false;
	if (date.month < 1 || date.month > 12)
		return false;
	return date.day >= 1 && date.day <= civil_month_length(date.year, date.month);
}

/* Years are counted from March, so that the leap day is the last day of one. */
int32_t civil_day_from_date(struct civil_date date)
{
	kr_assert(civil_date_is_valid(date));
	int32_t year = date.year - (date.month <= 2);
	int32_t era = year / 400;
	int32_t year_of_era = year % 400;
	int32_t month = (date.month + 9) % 12;
	int32_t day_of_year = (153 * month + 2) / 5 + date.day - 1;
	int32_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
	int32_t day = era * DAYS_PER_ERA + day_of_era - DAYS_TO_1970;
	kr_assert(day >= CIVIL_DAY_MIN && day <= CIVIL_DAY_MAX);
	return day;
}

struct civil_date civil_date_from_day(int32_t day)
{
	kr_assert(day >= CIVIL_DAY_MIN);
	kr_assert(day <= CIVIL_DAY_MAX);
	int32_t shifted = day + DAYS_TO_1970;
	int32_t era = shifted / DAYS_PER_ERA;
	int32_t day_of_era = shifted % DAYS_PER_ERA;
	int32_t year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int32_t day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int32_t month = (5 * day_of_year + 2) / 153;
	struct civil_date date = {
		.month = (uint8_t)(month < 10 ? month + 3 : month - 9),
		.day = (uint8_t)(day_of_year - (153 * month + 2) / 5 + 1),
	};
	date.year = era * 400 + year_of_era + (date.month <= 2);
	kr_assert(civil_date_is_valid(date));
	return date;
}

enum civil_weekday civil_weekday_of(int32_t day)
{
	/* 1970-01-01 was a Thursday. */
	int64_t shifted = ((int64_t)day + CIVIL_THURSDAY) % 7;
	return (enum civil_weekday)(shifted < 0 ? shifted + 7 : shifted);
}

bool civil_days_are_valid(int32_t first, uint32_t count)
{
	return first >= CIVIL_DAY_MIN && (int64_t)first + count <= CIVIL_DAY_MAX + INT64_C(1);
}

int32_t civil_day_of_us(int64_t unix_us)
{
	int64_t day = unix_us / CIVIL_DAY_US - (unix_us % CIVIL_DAY_US < 0);
	kr_assert(day >= INT32_MIN);
	kr_assert(day <= INT32_MAX);
	return (int32_t)day;
}

int64_t civil_us_in_day(int64_t unix_us)
{
	int64_t rest = unix_us % CIVIL_DAY_US;
	return rest < 0 ? rest + CIVIL_DAY_US : rest;
}

static void put_digits(char *text, uint32_t value, size_t count)
{
	kr_assert(count > 0);
	while (count > 0) {
		text[--count] = (char)('0' + value % 10);
		value /= 10;
	}
	kr_assert(value == 0);
}

void civil_day_format(int32_t day, char ret_text[static CIVIL_DATE_TEXT_SIZE])
{
	struct civil_date date = civil_date_from_day(day);
	kr_assert(date.year > 0);
	put_digits(ret_text, (uint32_t)date.year, 4);
	ret_text[4] = '-';
	put_digits(ret_text + 5, date.month, 2);
	ret_text[7] = '-';
	put_digits(ret_text + 8, date.day, 2);
	ret_text[CIVIL_DATE_TEXT_LENGTH] = '\0';
}

/* The value of `count` digits, or -1. */
static int32_t get_digits(const char *text, size_t count)
{
	int32_t value = 0;
	kr_assert(count <= 4);
	for (size_t i = 0; i < count; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		value = value * 10 + (text[i] - '0');
	}
	return value;
}

int civil_day_parse(const char *text, size_t length, int32_t *ret_day)
{
	kr_assert(text != NULL);
	kr_assert(ret_day != NULL);
	if (length != CIVIL_DATE_TEXT_LENGTH || text[4] != '-' || text[7] != '-')
		return CIVIL_MALFORMED;
	int32_t year = get_digits(text, 4);
	int32_t month = get_digits(text + 5, 2);
	int32_t day = get_digits(text + 8, 2);
	if (year < 0 || month < 0 || day < 0)
		return CIVIL_MALFORMED;
	struct civil_date date = {year, (uint8_t)month, (uint8_t)day};
	if (!civil_date_is_valid(date))
		return CIVIL_NO_SUCH_DAY;
	*ret_day = civil_day_from_date(date);
	return 0;
}
