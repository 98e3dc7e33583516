/* Instants as the recovery tool writes and reads them. */
#include <criterion/criterion.h>

#include "tools/keyrack-recover_time.h"

static uint64_t parsed(const char *text)
{
	uint64_t t_us = 0;
	cr_assert_eq(recover_time_parse(text, &t_us), 0, "%s", text);
	return t_us;
}

Test(recover_time, reads_what_rfc_3339_allows)
{
	uint64_t noon = UINT64_C(1795348800) * 1000000;
	cr_assert_eq(parsed("2026-11-22T12:00:00Z"), noon);
	cr_assert_eq(parsed("2026-11-22t12:00:00z"), noon);
	cr_assert_eq(parsed("2026-11-22 12:00:00Z"), noon);
	cr_assert_eq(parsed("2026-11-22T12:00:00.5Z"), noon + 500000);
	cr_assert_eq(parsed("2026-11-22T12:00:00.000001Z"), noon + 1);
	cr_assert_eq(parsed("2026-11-22T13:00:00+01:00"), noon);
	cr_assert_eq(parsed("2026-11-21T23:30:00-12:30"), noon);
	cr_assert_eq(parsed("2026-11-22T11:59:60Z"), noon);
	cr_assert_eq(parsed("1970-01-01T00:00:00Z"), 0);
}

Test(recover_time, refuses_everything_else)
{
	static const char *const bad[] = {"", "2026-11-22", "2026-11-22T12:00:00", "now",
		"2026-11-22T12:00Z", "2026-11-31T12:00:00Z", "2026-11-22T24:00:00Z",
		"2026-11-22T12:60:00Z", "2026-11-22T12:00:61Z", "2026-11-22T12:00:00.Z",
		"2026-11-22T12:00:00.1234567Z", "2026-11-22T12:00:00Zulu", "2026-11-22T12:00:00+1",
		"2026-11-22T12:00:00+01:00Z", "2026-11-22T12:00:00+24:00", "1969-12-31T23:59:59Z",
		"1970-01-01T00:00:00+00:01", "2026-11-22_12:00:00Z", "2026-11-2T12:00:00Z"};
	for (size_t i = 0; i < KR_ARRAY_COUNT(bad); i++) {
		uint64_t t_us = 7;
		cr_assert_eq(
			recover_time_parse(bad[i], &t_us), RECOVER_TIME_MALFORMED, "%s", bad[i]);
		cr_assert_eq(t_us, 7);
	}
}

Test(recover_time, reads_what_it_writes)
{
	uint64_t t_us = 1;
	for (int i = 0; i < 20000; i++) {
		char text[RECOVER_TIME_SIZE];
		recover_time_format(t_us, text);
		cr_assert_eq(parsed(text), t_us, "%s", text);
		t_us = (t_us * 2862933555777941757u + 3037000493u) %
		       (UINT64_C(4102444800) * 1000000);
	}
}
