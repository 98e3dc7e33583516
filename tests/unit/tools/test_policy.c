#include <criterion/criterion.h>
#include <string.h>

#include "tools/keyrack/policy.h"

static struct kr_error_text error;

static struct policy read(const char *text)
{
	struct policy policy;
	memset(&policy, 0xee, sizeof(policy));
	cr_assert_eq(policy_parse(text, &policy, &error), 0, "%s: %s", text, error.bytes);
	cr_assert_leq(policy.tier_count, KEYRACK_TIER_COUNT_MAX);
	return policy;
}

static void formats(const char *text, const char *as)
{
	const struct policy policy = read(text);
	char shown[POLICY_TEXT_SIZE];
	policy_format(policy.tiers, policy.tier_count, shown);
	cr_assert_str_eq(shown, as);
	const struct policy again = read(shown);
	cr_assert_eq(again.tier_count, policy.tier_count);
	cr_assert_arr_eq(again.tiers, policy.tiers, policy.tier_count * sizeof(policy.tiers[0]));
}

Test(policy, names_stand_for_tiers)
{
	formats("none", "none");
	formats("flexible", "24h:1n");
	formats("moderate", "120h:50%");
	formats("strict", "336h:50%,168h:100%");
	const struct policy strict = read("strict");
	cr_assert_eq(strict.tiers[1].hours, 168);
	cr_assert_eq(strict.tiers[1].basis_points, 10000);
	cr_assert_eq(strict.tiers[1].nights, 0);
	cr_assert_str_eq(policy_name(strict.tiers, strict.tier_count), "strict");
	cr_assert_str_eq(policy_name(NULL, 0), "none");
}

Test(policy, tiers_are_sorted_by_hours)
{
	formats("24h:50%,72h:1n,0h:100%", "72h:1n,24h:50%,0h:100%");
	formats("3d:2n", "72h:2n");
	formats("1h:0.01%,2h:33.5%", "2h:33.50%,1h:0.01%");
	cr_assert_str_eq(policy_name(read("1d:1n").tiers, 1), "flexible");
	cr_assert_null(policy_name(read("1d:2n").tiers, 1));
}

Test(policy, the_longest_one_fits)
{
	formats("65535h:65535n,65534h:65535n,65533h:65535n,65532h:65535n,65531h:65535n,"
		"65530h:65535n,65529h:65535n,65528h:65535n",
		"65535h:65535n,65534h:65535n,65533h:65535n,65532h:65535n,65531h:65535n,"
		"65530h:65535n,65529h:65535n,65528h:65535n");
}

Test(policy, what_makes_no_sense_is_refused)
{
	static const char *const wrong[] = {"", "lenient", "24h", "24h:", ":1n", "24:1n", "24h:1",
		"24h:0n", "24h:n", "24h:%", "24h:0%", "24h:100.01%", "24h:-1%", "24h:1n,",
		",24h:1n", "24h:1n,24h:50%", "90m:1n", "65536h:1n", "24h:65536n", "24h:1n 72h:2n",
		"-1h:1n", "1h:1n,2h:1n,3h:1n,4h:1n,5h:1n,6h:1n,7h:1n,8h:1n,9h:1n",
		"24h:111111111111111111111111111111111111n"};
	for (size_t i = 0; i < KR_ARRAY_COUNT(wrong); i++) {
		struct policy policy = {.tier_count = 7};
		kr_error_text_clear(&error);
		cr_assert_eq(
			policy_parse(wrong[i], &policy, &error), -KR_E_INVALID, "\"%s\"", wrong[i]);
		cr_assert_gt(strlen(error.bytes), 0);
		cr_assert_eq(policy.tier_count, 7, "what was wrong is not kept");
	}
}
