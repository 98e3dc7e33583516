#include <criterion/criterion.h>

#include <stdlib.h>

#include "tools/keyrack/terms.h"
#include "tools/keyrack/zone.h"

#define SECOND_US UINT64_C(1000000)

static void is_free_until(uint64_t unix_s, const char *zone, const char *expected)
{
	char text[TERMS_TEXT_SIZE];
	terms_free_format(unix_s * SECOND_US, zone, text);
	cr_assert_str_eq(text, expected);
}

Test(terms, the_deadline_is_told_in_the_hotels_time)
{
	is_free_until(0, "Europe/Paris", "free of charge at any time");
	is_free_until(1796392800, "Europe/Paris",
		"free of charge until Fri 2026-12-04 15:00 Europe/Paris");
	is_free_until(1796392800, "UTC", "free of charge until Fri 2026-12-04 14:00 UTC");
	is_free_until(1796392800, "Asia/Singapore",
		"free of charge until Fri 2026-12-04 22:00 Asia/Singapore");
	is_free_until(1796392800, "Pacific/Auckland",
		"free of charge until Sat 2026-12-05 03:00 Pacific/Auckland");
	is_free_until(1796392800, "America/New_York",
		"free of charge until Fri 2026-12-04 09:00 America/New_York");
}

Test(terms, the_clock_of_that_day_is_the_one_that_counts)
{
	/* Paris turns its clocks on 2027-03-28 at 01:00 UTC */
	is_free_until(1806195599, "Europe/Paris",
		"free of charge until Sun 2027-03-28 01:59 Europe/Paris");
	is_free_until(1806195600, "Europe/Paris",
		"free of charge until Sun 2027-03-28 03:00 Europe/Paris");
}

Test(terms, an_offer_tells_until_when_or_that_it_is_too_late)
{
	char text[TERMS_TEXT_SIZE];
	const uint64_t until_us = 1796392800 * SECOND_US;
	terms_offer_format(0, until_us, "Europe/Paris", text);
	cr_assert_str_eq(text, "at any time");
	terms_offer_format(until_us, until_us - 1, "Europe/Paris", text);
	cr_assert_str_eq(text, "until Fri 2026-12-04 15:00 Europe/Paris");
	terms_offer_format(until_us, until_us, "Europe/Paris", text);
	cr_assert_str_eq(text, "no longer");
}

Test(terms, a_policy_is_told_by_its_name_or_tier_by_tier)
{
	static const struct keyrack_tier strict[] = {{336, 0, 5000}, {168, 0, 10000}};
	struct keyrack_line line = {.tiers = strict, .tier_count = 2};
	char text[TERMS_TEXT_SIZE];
	terms_policy_format(&line, text);
	cr_assert_str_eq(text, "strict");
	line.tier_count = 1;
	terms_policy_format(&line, text);
	cr_assert_str_eq(text, "336h:50%");
	line.tier_count = 0;
	terms_policy_format(&line, text);
	cr_assert_str_eq(text, "none");
}

Test(terms, a_zone_that_is_not_known_here_is_told_in_utc)
{
	static const char *const zones[] = {"", "Atlantis/Nowhere", "../../etc/passwd",
		"/etc/passwd",
		"a name that is far longer than any name of a time zone could ever be", "Europe"};
	for (size_t i = 0; i < KR_ARRAY_COUNT(zones); i++) {
		int32_t offset_s = 77;
		is_free_until(
			1796392800, zones[i], "free of charge until Fri 2026-12-04 14:00 UTC");
		cr_assert(!zone_offset_s(zones[i], 0, &offset_s));
		cr_assert_eq(offset_s, 77);
	}
}

Test(terms, amounts_have_their_currency)
{
	static const struct money_unit eur = {"EUR", 2}, yen = {"JPY", 0}, none = {"", 0};
	char text[TERMS_TEXT_SIZE];
	terms_cost_format(12000, 24000, &eur, text);
	cr_assert_str_eq(text, "penalty EUR 120.00, refundable EUR 240.00");
	terms_cost_format(0, 24000, &yen, text);
	cr_assert_str_eq(text, "penalty JPY 0, refundable JPY 24000");
	terms_cost_format(INT64_MAX, INT64_MAX, &eur, text);
	cr_assert_str_eq(
		text, "penalty EUR 92233720368547758.07, refundable EUR 92233720368547758.07");
	terms_cost_format(5, 7, &none, text);
	cr_assert_str_eq(text, "penalty 5 minor units, refundable 7 minor units");
}

Test(terms, a_lines_tiers_are_told_one_by_one)
{
	static const struct keyrack_tier tiers[] = {{168, 0, 5000}, {24, 1, 0}};
	struct keyrack_line line = {.tiers = tiers, .tier_count = 2, .arrival_us = 900};
	json_t *object = js_object();
	terms_line_json(object, &line);
	char *text = json_dumps(object, JSON_COMPACT);
	cr_assert_str_eq(text, "{\"tiers\":[{\"hours\":168,\"basis_points\":5000},"
			       "{\"hours\":24,\"nights\":1}],\"arrival_us\":900}");
	free(text);
	json_decref(object);
	line.tier_count = 0;
	object = js_object();
	terms_line_json(object, &line);
	text = json_dumps(object, JSON_COMPACT);
	cr_assert_str_eq(text, "{\"tiers\":[]}");
	free(text);
	json_decref(object);
}
