#include "tools/keyrack/plan_words.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tools/keyrack/cli.h"
#include "tools/keyrack/value.h"

#define WRONG(error, ...) kr_error_text_set(error, -KR_E_INVALID, 0, __VA_ARGS__)
#define POINTS_MIN (-10000)
#define POINTS_MAX 1000000

enum plan_key {
	PLAN_CODE = CLI_KEY_OWN,
	PLAN_STATUS,
	PLAN_ADVANCE_MIN,
	PLAN_ADVANCE_MAX,
	PLAN_FROM,
	PLAN_PERCENT,
	PLAN_AMOUNT,
	PLAN_POLICY,
	PLAN_EXPECT_VERSION,
};

const struct argp_option plan_words_options[] = {
	{"code", PLAN_CODE, "TEXT", 0, "its text code, at most 32 bytes", 0},
	{"status", PLAN_STATUS, "active|closed|retired", 0, "whether it is sold", 0},
	{"advance-min", PLAN_ADVANCE_MIN, "TIME", 0, "no sale later than so long before check-in",
		0},
	{"advance-max", PLAN_ADVANCE_MAX, "TIME", 0, "no sale earlier than that", 0},
	{"from", PLAN_FROM, "PLAN", 0,
		"a new plan: has no nights of its own, but that plan's prices and restrictions", 0},
	{"percent", PLAN_PERCENT, "[+|-]N", 0, "and costs so many per cent more or less: -10, 2.5",
		0},
	{"amount", PLAN_AMOUNT, "MONEY", 0, "or so much more or less a night: EUR -5.00", 0},
	{"policy", PLAN_POLICY, "NAME|TIERS", 0,
		"what cancelling costs: none, flexible (24h:1n), moderate (120h:50%), strict "
		"(336h:50%,168h:100%), or up to eight tiers of hours before check-in and nights or "
		"per cent",
		0},
	{"expect-version", PLAN_EXPECT_VERSION, "V", 0, "refuse if the version is another", 0},
	{0},
};

/* With or without its sign of per cent. */
static int percent_read(struct plan_words *words, const char *arg, struct kr_error_text *error)
{
	struct keyrack_plan_settings *settings = &words->put.settings;
	char text[PLAN_PERCENT_SIZE];
	size_t length = strlen(arg);
	int r;
	if (length == 0 || length + 2 > sizeof(text))
		return WRONG(error, "\"%s\" is no percentage; write 10 or -2.5", arg);
	(void)snprintf(text, sizeof(text), "%s%s", arg, arg[length - 1] == '%' ? "" : "%");
	r = value_percent(text, &settings->adjustment, error);
	if (r == 0 && (settings->adjustment < POINTS_MIN || settings->adjustment > POINTS_MAX))
		return WRONG(error, "\"%s\" is not between -100%% and 10000%%", arg);
	words->has_percent = true;
	settings->derivation = KEYRACK_DERIVED_BASIS_POINTS;
	words->put.mask |= KEYRACK_PLAN_DERIVATION | KEYRACK_PLAN_ADJUSTMENT;
	return r;
}

static int amount_read(struct plan_words *words, const char *arg, struct kr_error_text *error)
{
	kr_assert(arg != NULL);
	words->has_amount = true;
	words->put.mask |= KEYRACK_PLAN_DERIVATION | KEYRACK_PLAN_ADJUSTMENT;
	return money_parse(arg, true, &words->amount, error);
}

int plan_words_set(void *options, int key, const char *arg, struct kr_error_text *error)
{
	struct plan_words *words = options;
	struct keyrack_plan_put *put = &words->put;
	struct keyrack_plan_settings *settings = &put->settings;
	switch ((enum plan_key)key) {
	case PLAN_CODE:
		put->mask |= KEYRACK_PLAN_CODE;
		settings->code = arg;
		return 0;
	case PLAN_STATUS:
		put->mask |= KEYRACK_PLAN_STATUS;
		return value_status(arg, &settings->status, error);
	case PLAN_ADVANCE_MIN:
		put->mask |= KEYRACK_PLAN_ADVANCE_MIN;
		return value_minutes(arg, &settings->advance_min_minutes, error);
	case PLAN_ADVANCE_MAX:
		put->mask |= KEYRACK_PLAN_ADVANCE_MAX;
		return value_minutes(arg, &settings->advance_max_minutes, error);
	case PLAN_FROM:
		words->has_parent = true;
		return line_plan_parse(arg, &words->parent, error);
	case PLAN_PERCENT:
		return percent_read(words, arg, error);
	case PLAN_AMOUNT:
		return amount_read(words, arg, error);
	case PLAN_POLICY:
		put->mask |= KEYRACK_PLAN_TIERS;
		return policy_parse(arg, &words->policy, error);
	case PLAN_EXPECT_VERSION:
		put->has_expected_version = true;
		return value_u64(
			arg, (struct value_range){0, UINT64_MAX}, &put->expected_version, error);
	}
	kr_unreachable();
}

int plan_words_finish(struct plan_words *words, struct kr_error_text *error)
{
	struct keyrack_plan_put *put = &words->put;
	kr_assert(words->policy.tier_count <= KEYRACK_TIER_COUNT_MAX);
	if (words->has_amount && words->has_percent)
		return WRONG(error, "either an amount or per cent");
	if (words->has_amount || (words->has_parent && !words->has_percent))
		put->settings.derivation = KEYRACK_DERIVED_AMOUNT;
	/* The parent's price as it is: more by nothing. */
	if (words->has_parent)
		put->mask |=
			KEYRACK_PLAN_PARENT | KEYRACK_PLAN_DERIVATION | KEYRACK_PLAN_ADJUSTMENT;
	put->settings.tiers = words->policy.tiers;
	put->settings.tier_count = words->policy.tier_count;
	return 0;
}

void plan_percent_format(int64_t basis_points, char ret_text[static PLAN_PERCENT_SIZE])
{
	uint64_t points = basis_points < 0 ? 0 - (uint64_t)basis_points : (uint64_t)basis_points;
	const char *sign = basis_points < 0 ? "-" : "+";
	int length;
	if (points % 100 == 0)
		length = snprintf(
			ret_text, PLAN_PERCENT_SIZE, "%s%" PRIu64 "%%", sign, points / 100);
	else
		length = snprintf(ret_text, PLAN_PERCENT_SIZE, "%s%" PRIu64 ".%02" PRIu64 "%%",
			sign, points / 100, points % 100);
	kr_assert(length > 0 && length < (int)PLAN_PERCENT_SIZE);
}
