/*
 * Terms of cancellation as people read them: until when it is free, in the hotel's time, and what
 * it costs after.
 */
#ifndef TOOLS_KEYRACK_TERMS_H
#define TOOLS_KEYRACK_TERMS_H

#include "keyrack/keyrack.h"
#include "tools/keyrack/js.h"
#include "tools/keyrack/money.h"

#define TERMS_TEXT_SIZE 128u

/* "free of charge at any time"; "free of charge until Fri 2026-12-04 15:00 Europe/Paris". In UTC
 * where `zone` is "" or not in tzdata. */
void terms_free_format(
	uint64_t free_until_us, const char *zone, char ret_text[static TERMS_TEXT_SIZE]);
/* The same for a table of offers: "at any time", "until Fri ...", "no longer". */
void terms_offer_format(uint64_t free_until_us, uint64_t now_us, const char *zone,
	char ret_text[static TERMS_TEXT_SIZE]);
/* "flexible", "168h:50%,24h:1n", "none": what a line was sold under. */
void terms_policy_format(const struct keyrack_line *line, char ret_text[static TERMS_TEXT_SIZE]);
/* "penalty EUR 120.00, refundable EUR 240.00"; in minor units without a unit. */
void terms_cost_format(uint64_t penalty_minor, uint64_t refundable_minor,
	const struct money_unit *unit, char ret_text[static TERMS_TEXT_SIZE]);
/* "tiers", of a line or a plan. */
void terms_tiers_json(json_t *object, const struct keyrack_tier *tiers, uint32_t tier_count);
/* A line's tiers and arrival, where it has any. */
void terms_line_json(json_t *object, const struct keyrack_line *line);

#endif
