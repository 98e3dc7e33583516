#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/civil.h"

#define DAY_S INT64_C(86400)

Test(civil, every_day_of_ten_thousand_years_goes_there_and_back)
{
	struct civil_date expected = {1, 1, 1};
	for (int32_t day = CIVIL_DAY_MIN; day <= CIVIL_DAY_MAX; day++) {
		struct civil_date date = civil_date_from_day(day);
		cr_assert_eq(date.year, expected.year);
		cr_assert_eq(date.month, expected.month);
		cr_assert_eq(date.day, expected.day);
		cr_assert_eq(civil_day_from_date(date), day);
		if (++expected.day > civil_month_length(expected.year, expected.month)) {
			expected.day = 1;
			if (++expected.month > 12) {
				expected.month = 1;
				expected.year++;
				if (day < CIVIL_DAY_MAX)
					cr_assert(expected.year <= CIVIL_YEAR_MAX);
				else
					break;
			}
		}
	}
	cr_assert_eq(expected.year, CIVIL_YEAR_MAX + 1);
}

Test(civil, agrees_with_the_c_library_on_dates_and_weekdays)
{
	for (int32_t day = CIVIL_DAY_MIN; day <= CIVIL_DAY_MAX; day += 13) {
		struct civil_date date = civil_date_from_day(day);
		struct tm tm = {
			.tm_year = date.year - 1900,
			.tm_mon = date.month - 1,
			.tm_mday = date.day,
		};
		cr_assert_eq((int64_t)timegm(&tm), day * DAY_S);
		/* Theirs count from Sunday, ours from Monday. */
		cr_assert_eq((int)civil_weekday_of(day), (tm.tm_wday + 6) % 7);
	}
}

Test(civil, known_days)
{
	cr_assert_eq(civil_day_from_date((struct civil_date){1970, 1, 1}), 0);
	cr_assert_eq(civil_day_from_date((struct civil_date){2000, 2, 29}), 11016);
	cr_assert_eq(civil_day_from_date((struct civil_date){2026, 11, 22}), 20779);
	cr_assert_eq(civil_weekday_of(0), CIVIL_THURSDAY);
	cr_assert_eq(civil_weekday_of(20779), CIVIL_SUNDAY);
	cr_assert_eq(civil_weekday_of(-1), CIVIL_WEDNESDAY);
	cr_assert(civil_year_is_leap(2000));
	cr_assert(!civil_year_is_leap(1900));
	cr_assert(civil_year_is_leap(2024));
	cr_assert(!civil_year_is_leap(2026));
}

Test(civil, instants_fall_into_their_day_on_both_sides_of_1970)
{
	cr_assert_eq(civil_day_of_us(0), 0);
	cr_assert_eq(civil_day_of_us(CIVIL_DAY_US - 1), 0);
	cr_assert_eq(civil_day_of_us(CIVIL_DAY_US), 1);
	cr_assert_eq(civil_day_of_us(-1), -1);
	cr_assert_eq(civil_day_of_us(-CIVIL_DAY_US), -1);
	cr_assert_eq(civil_day_of_us(-CIVIL_DAY_US - 1), -2);
	cr_assert_eq(civil_us_in_day(-1), CIVIL_DAY_US - 1);
	cr_assert_eq(civil_us_in_day(CIVIL_DAY_US + 5), 5);
}

Test(civil, text_goes_there_and_back)
{
	for (int32_t day = CIVIL_DAY_MIN; day <= CIVIL_DAY_MAX; day += 101) {
		char text[CIVIL_DATE_TEXT_SIZE];
		int32_t back;
		civil_day_format(day, text);
		cr_assert_eq(strlen(text), CIVIL_DATE_TEXT_LENGTH);
		cr_assert_eq(civil_day_parse(text, strlen(text), &back), 0);
		cr_assert_eq(back, day);
	}
	char text[CIVIL_DATE_TEXT_SIZE];
	civil_day_format(20779, text);
	cr_assert_str_eq(text, "2026-11-22");
}

Test(civil, days_in_a_row_end_with_the_last_year)
{
	cr_assert(civil_days_are_valid(CIVIL_DAY_MAX, 1));
	cr_assert_not(civil_days_are_valid(CIVIL_DAY_MAX, 2));
	cr_assert(civil_days_are_valid(CIVIL_DAY_MIN, 1));
	cr_assert_not(civil_days_are_valid(CIVIL_DAY_MIN - 1, 1));
	cr_assert_not(civil_days_are_valid(0, UINT32_MAX));
	cr_assert_not(civil_days_are_valid(INT32_MAX, 1));
}

Test(civil, only_dates_are_read)
{
	static const char *const malformed[] = {"", "2026-11-2", "2026-11-222", "2026/11/22",
		"2026-1-022", "20261122", "2026-11-2x", "-026-11-22", "+026-11-22", " 026-11-22",
		"2026-11- 2", "today"};
	static const char *const missing[] = {"2026-02-29", "1900-02-29", "2026-13-01",
		"2026-00-01", "2026-01-00", "2026-04-31", "2026-01-32", "0000-01-01"};
	int32_t day = 77;
	for (size_t i = 0; i < KR_ARRAY_COUNT(malformed); i++)
		cr_assert_eq(civil_day_parse(malformed[i], strlen(malformed[i]), &day),
			CIVIL_MALFORMED, "%s", malformed[i]);
	for (size_t i = 0; i < KR_ARRAY_COUNT(missing); i++)
		cr_assert_eq(civil_day_parse(missing[i], strlen(missing[i]), &day),
			CIVIL_NO_SUCH_DAY, "%s", missing[i]);
	cr_assert_eq(day, 77, "written without success");
	cr_assert_eq(civil_day_parse("2024-02-29", 10, &day), 0);
}
