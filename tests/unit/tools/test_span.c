#include <criterion/criterion.h>

#include "tools/keyrack/span.h"

static struct kr_error_text error;

Test(span, a_stay_does_not_sleep_on_its_last_date)
{
	struct span span;
	char text[SPAN_TEXT_SIZE];
	cr_assert_eq(span_parse_stay("2026-12-30..2027-01-02", &span, &error), 0);
	cr_assert_eq(span_nights(span), 3);
	span_format_stay(span, text);
	cr_assert_str_eq(
		text, "3 nights, Wed 2026-12-30 to Fri 2027-01-01, check-out Sat 2027-01-02");
	cr_assert_eq(span_parse_stay("2026-12-30..2026-12-31", &span, &error), 0);
	span_format_stay(span, text);
	cr_assert_str_eq(text, "1 night, Wed 2026-12-30, check-out Thu 2026-12-31");
}

Test(span, nights_include_the_last_date)
{
	struct span span;
	char text[SPAN_TEXT_SIZE];
	cr_assert_eq(span_parse_nights("2026-12-30..2027-01-02", &span, &error), 0);
	cr_assert_eq(span_nights(span), 4);
	span_format_nights(span, text);
	cr_assert_str_eq(text, "4 nights, Wed 2026-12-30 to Sat 2027-01-02, both included");
	cr_assert_eq(span_parse_nights("2028-02-29", &span, &error), 0);
	cr_assert_eq(span_nights(span), 1);
	span_format_nights(span, text);
	cr_assert_str_eq(text, "1 night, Tue 2028-02-29");
}

Test(span, refuses_what_is_no_span)
{
	struct span span;
	const char *const wrong[] = {"", "..", "2026-12-30..", "..2026-12-30",
		"2026-12-30.2026-12-31", "2026-12-30..2026-12-29", "2026-02-29", "2026-13-01",
		"26-12-30", "2026-12-30..2026-12-31..2027-01-01", "2026-01-01..2039-01-01",
		"0001-01-01"};
	for (size_t i = 0; i < KR_ARRAY_COUNT(wrong); i++) {
		cr_assert_lt(span_parse_nights(wrong[i], &span, &error), 0, "%s", wrong[i]);
		cr_assert_lt(span_parse_stay(wrong[i], &span, &error), 0, "%s", wrong[i]);
		cr_assert_neq(error.bytes[0], '\0');
	}
	cr_assert_lt(span_parse_stay("2026-12-30", &span, &error), 0);
	cr_assert_lt(span_parse_stay("2026-12-30..2026-12-30", &span, &error), 0);
}

Test(span, shows_instants_in_utc)
{
	char text[SPAN_INSTANT_TEXT_SIZE];
	span_format_instant(UINT64_C(1795342500000000), text);
	cr_assert_str_eq(text, "2026-11-22 10:15:00 UTC");
}
