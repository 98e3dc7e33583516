#include "tools/keyrack/policy.h"

#include <stdio.h>
#include <string.h>

#include "tools/keyrack/value.h"

#define WRONG(error, ...) kr_error_text_set(error, -KR_E_INVALID, 0, __VA_ARGS__)
#define HOURS_MAX 65535u
#define NIGHTS_MAX 65535u
#define POINTS_MAX 10000
#define HOUR_US UINT64_C(3600000000)
#define WORD_SIZE 32u
#define EXAMPLE "write none, flexible, moderate, strict, or tiers as in 72h:1n,24h:50%%"

static const struct {
	const char *name;
	struct policy policy;
} policies[] = {
	{"none", {.tier_count = 0}},
	{"flexible", {.tier_count = 1, .tiers = {{24, 1, 0}}}},
	{"moderate", {.tier_count = 1, .tiers = {{120, 0, 5000}}}},
	{"strict", {.tier_count = 2, .tiers = {{336, 0, 5000}, {168, 0, 10000}}}},
};

/* "72h" or "3d", before the colon. */
static int hours_parse(const char *text, uint32_t *ret_hours, struct kr_error_text *error)
{
	uint64_t us = 0;
	int r = value_duration(text, &us, error);
	if (r == 0 && (us % HOUR_US != 0 || us / HOUR_US > HOURS_MAX))
		return WRONG(error, "\"%s\" is no whole hours up to %u", text, HOURS_MAX);
	*ret_hours = (uint32_t)(us / HOUR_US);
	return r;
}

/* "1n" or "50%", behind it. */
static int cost_parse(const char *text, struct keyrack_tier *tier, struct kr_error_text *error)
{
	size_t length = strlen(text);
	char number[WORD_SIZE];
	uint64_t nights = 0;
	int64_t points = 0;
	int r;
	kr_assert(length < WORD_SIZE);
	if (length > 1 && text[length - 1] == 'n') {
		memcpy(number, text, length - 1);
		number[length - 1] = '\0';
		r = value_u64(number, (struct value_range){1, NIGHTS_MAX}, &nights, error);
		tier->nights = (uint32_t)nights;
		return r;
	}
	if (length < 2 || text[length - 1] != '%')
		return WRONG(error, "\"%s\" is neither nights, as in 1n, nor per cent", text);
	r = value_percent(text, &points, error);
	if (r == 0 && (points < 1 || points > POINTS_MAX))
		return WRONG(error, "\"%s\" is not more than 0%% and at most 100%%", text);
	tier->basis_points = (uint32_t)points;
	return r;
}

static int tier_parse(
	const char *text, size_t length, struct keyrack_tier *ret_tier, struct kr_error_text *error)
{
	char word[WORD_SIZE];
	char *colon;
	int r;
	kr_assert(ret_tier != NULL);
	if (length >= sizeof(word))
		return WRONG(error, "it is too long for a tier; " EXAMPLE);
	memcpy(word, text, length);
	word[length] = '\0';
	colon = strchr(word, ':');
	if (colon == NULL)
		return WRONG(error, "\"%s\" is no policy; " EXAMPLE, word);
	*colon = '\0';
	r = hours_parse(word, &ret_tier->hours, error);
	return r < 0 ? r : cost_parse(colon + 1, ret_tier, error);
}

/* In its place by hours; tiers may be typed in any order. */
static int tier_add(struct policy *policy, struct keyrack_tier tier, struct kr_error_text *error)
{
	uint32_t at = 0;
	if (policy->tier_count == KEYRACK_TIER_COUNT_MAX)
		return WRONG(error, "a policy has at most %u tiers", KEYRACK_TIER_COUNT_MAX);
	while (at < policy->tier_count && policy->tiers[at].hours > tier.hours)
		at++;
	if (at < policy->tier_count && policy->tiers[at].hours == tier.hours)
		return WRONG(error, "%uh is there twice", tier.hours);
	memmove(&policy->tiers[at + 1], &policy->tiers[at],
		(policy->tier_count - at) * sizeof(policy->tiers[0]));
	policy->tiers[at] = tier;
	policy->tier_count++;
	kr_assert(policy->tier_count <= KEYRACK_TIER_COUNT_MAX);
	return 0;
}

int policy_parse(const char *text, struct policy *ret_policy, struct kr_error_text *error)
{
	struct policy policy = {.tier_count = 0};
	kr_assert(text != NULL && ret_policy != NULL);
	for (size_t i = 0; i < KR_ARRAY_COUNT(policies); i++)
		if (strcmp(policies[i].name, text) == 0) {
			*ret_policy = policies[i].policy;
			return 0;
		}
	for (;; text++) {
		size_t length = strcspn(text, ",");
		struct keyrack_tier tier = {0};
		int r = tier_parse(text, length, &tier, error);
		if (r == 0)
			r = tier_add(&policy, tier, error);
		if (r < 0)
			return r;
		text += length;
		if (*text == '\0')
			break;
	}
	*ret_policy = policy;
	return 0;
}

static int cost_format(const struct keyrack_tier *tier, char *ret_text, size_t size_bytes)
{
	uint32_t points = tier->basis_points;
	if (tier->nights != 0)
		return snprintf(ret_text, size_bytes, "%un", tier->nights);
	if (points % 100 == 0)
		return snprintf(ret_text, size_bytes, "%u%%", points / 100);
	return snprintf(ret_text, size_bytes, "%u.%02u%%", points / 100, points % 100);
}

void policy_format(const struct keyrack_tier *tiers, uint32_t tier_count,
	char ret_text[static POLICY_TEXT_SIZE])
{
	size_t length = 0;
	kr_assert(tiers != NULL || tier_count == 0);
	(void)snprintf(ret_text, POLICY_TEXT_SIZE, "none");
	/* A newer server may know more tiers than fit. */
	for (uint32_t i = 0; i < tier_count && length < POLICY_TEXT_SIZE; i++) {
		length += (size_t)snprintf(ret_text + length, POLICY_TEXT_SIZE - length,
			"%s%uh:", i > 0 ? "," : "", tiers[i].hours);
		if (length < POLICY_TEXT_SIZE)
			length += (size_t)cost_format(
				&tiers[i], ret_text + length, POLICY_TEXT_SIZE - length);
	}
}

const char *policy_name(const struct keyrack_tier *tiers, uint32_t tier_count)
{
	kr_assert(tiers != NULL || tier_count == 0);
	for (size_t i = 0; i < KR_ARRAY_COUNT(policies); i++) {
		const struct policy *policy = &policies[i].policy;
		if (policy->tier_count == tier_count &&
			(tier_count == 0 ||
				memcmp(policy->tiers, tiers, tier_count * sizeof(*tiers)) == 0))
			return policies[i].name;
	}
	return NULL;
}
