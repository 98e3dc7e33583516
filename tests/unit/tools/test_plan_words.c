#include <criterion/criterion.h>
#include <string.h>

#include "tools/keyrack/plan_words.h"

static struct kr_error_text error;
static struct plan_words words;

static int key_of(const char *name)
{
	const struct argp_option *option = plan_words_options;
	while (option->name != NULL && strcmp(option->name, name) != 0)
		option++;
	cr_assert_not_null(option->name, "no option %s", name);
	return option->key;
}

static int set(const char *name, const char *word)
{
	kr_error_text_clear(&error);
	return plan_words_set(&words, key_of(name), word, &error);
}

static void sets(const char *name, const char *word)
{
	cr_assert_eq(set(name, word), 0, "%s %s: %s", name, word, error.bytes);
}

static void begin(void)
{
	memset(&words, 0, sizeof(words));
}

TestSuite(plan_words, .init = begin);

Test(plan_words, each_word_sets_its_bit)
{
	const struct keyrack_plan_settings *settings = &words.put.settings;
	sets("code", "FLEX");
	sets("status", "closed");
	sets("advance-min", "2h");
	sets("advance-max", "30d");
	sets("policy", "72h:1n,24h:50%");
	sets("expect-version", "17");
	cr_assert_eq(plan_words_finish(&words, &error), 0);
	cr_assert_eq(words.put.mask, KEYRACK_PLAN_CODE | KEYRACK_PLAN_STATUS |
					     KEYRACK_PLAN_ADVANCE_MIN | KEYRACK_PLAN_ADVANCE_MAX |
					     KEYRACK_PLAN_TIERS);
	cr_assert_str_eq(settings->code, "FLEX");
	cr_assert_eq(settings->status, KEYRACK_STATUS_CLOSED);
	cr_assert_eq(settings->advance_min_minutes, 120);
	cr_assert_eq(settings->advance_max_minutes, 43200);
	cr_assert_eq(settings->tier_count, 2);
	cr_assert_eq(settings->tiers[1].basis_points, 5000);
	cr_assert(words.put.has_expected_version && words.put.expected_version == 17);
}

Test(plan_words, a_derived_plan_differs_by_per_cent_or_an_amount)
{
	const uint32_t derived =
		KEYRACK_PLAN_PARENT | KEYRACK_PLAN_DERIVATION | KEYRACK_PLAN_ADJUSTMENT;
	sets("from", "FLEX");
	sets("percent", "-12.5");
	cr_assert_eq(plan_words_finish(&words, &error), 0);
	cr_assert_eq(words.put.mask, derived);
	cr_assert_str_eq(words.parent.code, "FLEX");
	cr_assert_eq(words.put.settings.derivation, KEYRACK_DERIVED_BASIS_POINTS);
	cr_assert_eq(words.put.settings.adjustment, -1250);
	begin();
	sets("from", "65534");
	sets("amount", "EUR -5.00");
	cr_assert_eq(plan_words_finish(&words, &error), 0);
	cr_assert_eq(words.put.mask, derived);
	cr_assert_eq(words.parent.number, 65534);
	cr_assert_eq(words.put.settings.derivation, KEYRACK_DERIVED_AMOUNT);
	cr_assert(words.has_amount && words.amount.amount == -500);
	sets("percent", "+10%");
	cr_assert_eq(plan_words_finish(&words, &error), -KR_E_INVALID);
}

Test(plan_words, a_parent_alone_is_its_price)
{
	sets("from", "0");
	cr_assert_eq(plan_words_finish(&words, &error), 0);
	cr_assert_eq(words.put.settings.derivation, KEYRACK_DERIVED_AMOUNT);
	cr_assert_eq(words.put.settings.adjustment, 0);
	cr_assert_neq(words.put.mask & KEYRACK_PLAN_ADJUSTMENT, 0);
}

Test(plan_words, what_makes_no_sense_is_refused)
{
	static const struct {
		const char *name, *word;
	} wrong[] = {{"percent", ""}, {"percent", "ten"}, {"percent", "-100.01"},
		{"percent", "10000.01"}, {"percent", "1.234"}, {"percent", "%"},
		{"percent", "1111111111111111111111111111"}, {"amount", "5.00"}, {"amount", "EUR"},
		{"from", "65535"}, {"from", ""}, {"policy", "soft"}, {"status", "open"},
		{"advance-min", "90s"}, {"advance-max", "5"}, {"expect-version", "x"}};
	for (size_t i = 0; i < KR_ARRAY_COUNT(wrong); i++)
		cr_assert_eq(set(wrong[i].name, wrong[i].word), -KR_E_INVALID, "%s %s",
			wrong[i].name, wrong[i].word);
}

Test(plan_words, per_cent_are_shown_as_they_are_typed)
{
	static const struct {
		int64_t points;
		const char *text;
	} cases[] = {{0, "+0%"}, {1000, "+10%"}, {-1250, "-12.50%"}, {-5, "-0.05%"},
		{1000000, "+10000%"}, {INT64_MIN, "-92233720368547758.08%"}};
	char text[PLAN_PERCENT_SIZE];
	for (size_t i = 0; i < KR_ARRAY_COUNT(cases); i++) {
		plan_percent_format(cases[i].points, text);
		cr_assert_str_eq(text, cases[i].text);
	}
}
