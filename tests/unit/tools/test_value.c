#include <criterion/criterion.h>
#include <string.h>

#include "proto/slot.h"
#include "tools/keyrack/value.h"

static struct kr_error_text error;

Test(value, reads_whole_numbers_within_their_range)
{
	uint64_t value = 7;
	cr_assert_eq(value_u64("0", (struct value_range){0, 9}, &value, &error), 0);
	cr_assert_eq(value, 0);
	cr_assert_eq(value_u64("18446744073709551615", (struct value_range){0, UINT64_MAX}, &value,
			     &error),
		0);
	cr_assert_eq(value, UINT64_MAX);
	const char *const wrong[] = {"", "10", "-1", "+1", " 1", "1 ", "0x1", "1e1",
		"18446744073709551616", "99999999999999999999999"};
	for (size_t i = 0; i < KR_ARRAY_COUNT(wrong); i++) {
		value = 7;
		cr_assert_lt(value_u64(wrong[i], (struct value_range){0, 9}, &value, &error), 0);
		cr_assert_eq(value, 7);
		cr_assert_neq(error.bytes[0], 0);
	}
}

Test(value, reads_signed_numbers)
{
	int64_t value;
	cr_assert_eq(value_i64("-12", &value, &error), 0);
	cr_assert_eq(value, -12);
	cr_assert_eq(value_i64("+12", &value, &error), 0);
	cr_assert_eq(value, 12);
	cr_assert_lt(value_i64("--1", &value, &error), 0);
	cr_assert_lt(value_i64("-", &value, &error), 0);
	cr_assert_lt(value_i64("9223372036854775808", &value, &error), 0);
}

Test(value, a_length_of_time_needs_its_unit)
{
	uint64_t us;
	cr_assert_eq(value_duration("90s", &us, &error), 0);
	cr_assert_eq(us, 90000000);
	cr_assert_eq(value_duration("15m", &us, &error), 0);
	cr_assert_eq(us, UINT64_C(900000000));
	cr_assert_eq(value_duration("250ms", &us, &error), 0);
	cr_assert_eq(us, 250000);
	cr_assert_eq(value_duration("1d", &us, &error), 0);
	cr_assert_eq(us, UINT64_C(86400000000));
	const char *const wrong[] = {"90", "s", "90S", "1h30m", "-1s", "1.5s", "300000000d"};
	for (size_t i = 0; i < KR_ARRAY_COUNT(wrong); i++)
		cr_assert_lt(value_duration(wrong[i], &us, &error), 0, "%s", wrong[i]);
}

Test(value, reads_times_of_day)
{
	uint32_t minute;
	cr_assert_eq(value_clock("04:00", &minute, &error), 0);
	cr_assert_eq(minute, 240);
	cr_assert_eq(value_clock("23:59", &minute, &error), 0);
	cr_assert_eq(minute, 1439);
	cr_assert_lt(value_clock("24:00", &minute, &error), 0);
	cr_assert_lt(value_clock("4:00", &minute, &error), 0);
	cr_assert_lt(value_clock("04:60", &minute, &error), 0);
}

Test(value, reads_percentages_as_basis_points)
{
	int64_t points;
	cr_assert_eq(value_percent("10%", &points, &error), 0);
	cr_assert_eq(points, 1000);
	cr_assert_eq(value_percent("-2.5%", &points, &error), 0);
	cr_assert_eq(points, -250);
	cr_assert_eq(value_percent("0.05%", &points, &error), 0);
	cr_assert_eq(points, 5);
	const char *const wrong[] = {"10", "%", "1.%", "1.255%", ".5%", "1%%"};
	for (size_t i = 0; i < KR_ARRAY_COUNT(wrong); i++)
		cr_assert_lt(value_percent(wrong[i], &points, &error), 0, "%s", wrong[i]);
}

Test(value, reads_weekdays_also_over_the_end_of_the_week)
{
	uint32_t mask;
	cr_assert_eq(value_weekdays("mon,fri", &mask, &error), 0);
	cr_assert_eq(mask, 0x11);
	cr_assert_eq(value_weekdays("Fri-Mon", &mask, &error), 0);
	cr_assert_eq(mask, 0x71);
	cr_assert_eq(value_weekdays("all", &mask, &error), 0);
	cr_assert_eq(mask, 0x7f);
	const char *const wrong[] = {"", "mo", "monday", "mon,", "mon-", "1", "mon fri"};
	for (size_t i = 0; i < KR_ARRAY_COUNT(wrong); i++)
		cr_assert_lt(value_weekdays(wrong[i], &mask, &error), 0, "%s", wrong[i]);
}

Test(value, reads_lists_with_each_number_once)
{
	struct value_list list;
	cr_assert_eq(value_list("0,3,5-7", 65534, &list, &error), 0);
	cr_assert_eq(list.count, 5);
	cr_assert_eq(list.numbers[1], 3);
	cr_assert_eq(list.numbers[4], 7);
	cr_assert_eq(value_list("all", 65534, &list, &error), 0);
	cr_assert_eq(list.count, 0);
	cr_assert_eq(value_list("0-1023", 65534, &list, &error), 0);
	cr_assert_eq(list.count, VALUE_LIST_MAX);
	const char *const wrong[] = {"", "1,", ",1", "3-1", "1,1", "1-3,2", "65535", "0-1024", "-"};
	for (size_t i = 0; i < KR_ARRAY_COUNT(wrong); i++)
		cr_assert_lt(value_list(wrong[i], 65534, &list, &error), 0, "%s", wrong[i]);
}

Test(value, a_hotel_is_a_number_or_the_hash_of_its_code)
{
	struct value_hotel hotel;
	cr_assert_eq(value_hotel("17", &hotel, &error), 0);
	cr_assert_eq(hotel.id, 17);
	cr_assert_eq(hotel.code[0], '\0');
	cr_assert_eq(value_hotel("paris-01", &hotel, &error), 0);
	cr_assert_eq(hotel.id, hotel_id_of_code("paris-01", 8).v);
	cr_assert_str_eq(hotel.code, "paris-01");
	cr_assert_eq(value_hotel("code:17", &hotel, &error), 0);
	cr_assert_eq(hotel.id, hotel_id_of_code("17", 2).v);
	cr_assert_lt(value_hotel("", &hotel, &error), 0);
	cr_assert_lt(value_hotel("18446744073709551616", &hotel, &error), 0);
	char text[VALUE_CODE_MAX + 2];
	memset(text, 'x', sizeof(text));
	text[VALUE_CODE_MAX + 1] = '\0';
	cr_assert_lt(value_hotel(text, &hotel, &error), 0);
}

Test(value, reads_ids_with_and_without_hyphens)
{
	struct kr_id a;
	struct kr_id b;
	cr_assert_eq(value_id("01890a5d-ac96-8774-b123-456789abcdef", &a, &error), 0);
	cr_assert_eq(value_id("01890a5dac968774b123456789ABCDEF", &b, &error), 0);
	cr_assert(kr_id_equal(a, b));
	cr_assert_eq(a.hi, UINT64_C(0x01890a5dac968774));
	cr_assert_lt(value_id("01890a5d", &a, &error), 0);
	cr_assert_lt(value_id("01890a5dac968774b123456789ABCDEX", &a, &error), 0);
}

Test(value, takes_pairs_apart)
{
	const char *at = "cap=+2,closed,price=EUR 5.00";
	struct value_pair pair;
	cr_assert(value_pair_next(&at, &pair, &error));
	cr_assert_str_eq(pair.key, "cap");
	cr_assert_str_eq(pair.value, "+2");
	cr_assert(value_pair_next(&at, &pair, &error));
	cr_assert_str_eq(pair.key, "closed");
	cr_assert_not(pair.has_value);
	cr_assert(value_pair_next(&at, &pair, &error));
	cr_assert_str_eq(pair.value, "EUR 5.00");
	cr_assert_not(value_pair_next(&at, &pair, &error));
	cr_assert_eq(error.error, 0);
	at = "=2";
	cr_assert_not(value_pair_next(&at, &pair, &error));
	cr_assert_lt(error.error, 0);
	at = "a_name_that_is_longer_than_any_that_we_have=1";
	cr_assert_not(value_pair_next(&at, &pair, &error));
	cr_assert_lt(error.error, 0);
}
