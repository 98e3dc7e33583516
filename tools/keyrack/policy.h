/*
 * A policy of cancellation as typed: "none", "flexible", "moderate", "strict", or tiers such as
 * "72h:1n,24h:50%": from 72 hours before check-in on cancelling costs the first night, from 24
 * hours on half of the price. Pure.
 */
#ifndef TOOLS_KEYRACK_POLICY_H
#define TOOLS_KEYRACK_POLICY_H

#include "base/check.h"
#include "base/error.h"
#include "keyrack/keyrack.h"

#define POLICY_TEXT_SIZE 128u /* of policy_format(), the longest one included */

/* Hours descending, none twice. */
struct policy {
	uint32_t tier_count; /* 0 = free at any time */
	struct keyrack_tier tiers[KEYRACK_TIER_COUNT_MAX];
};

/* 0 or -KR_E_INVALID with the reason. */
KR_MUST_CHECK int policy_parse(
	const char *text, struct policy *ret_policy, struct kr_error_text *error);
/* As policy_parse() reads it, in tiers; "none" without any. */
void policy_format(const struct keyrack_tier *tiers, uint32_t tier_count,
	char ret_text[static POLICY_TEXT_SIZE]);
/* Its name, where it has one; else NULL. */
const char *policy_name(const struct keyrack_tier *tiers, uint32_t tier_count);

#endif
