#include "tools/keyrack/terms.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/civil.h"
#include "base/text.h"
#include "tools/keyrack/policy.h"
#include "tools/keyrack/span.h"
#include "tools/keyrack/zone.h"

#define SECOND_US UINT64_C(1000000)
#define DAY_S INT64_C(86400)

/* Whole minutes: tiers are hours before a minute of the day. */
static void instant_put(struct kr_text *text, uint64_t unix_us, const char *zone)
{
	int64_t unix_s = (int64_t)(unix_us / SECOND_US);
	int32_t offset_s = 0;
	char day[SPAN_DAY_TEXT_SIZE];
	bool is_local = zone_offset_s(zone, unix_s, &offset_s);
	int64_t local_s = KR_MAX(unix_s + offset_s, INT64_C(0));
	kr_assert(is_local || offset_s == 0);
	span_format_day((int32_t)KR_MIN(local_s / DAY_S, (int64_t)CIVIL_DAY_MAX), day);
	kr_text_format(text, "%s %02u:%02u %s", day, (unsigned)(local_s % DAY_S / 3600),
		(unsigned)(local_s % 3600 / 60), is_local ? zone : "UTC");
}

void terms_free_format(
	uint64_t free_until_us, const char *zone, char ret_text[static TERMS_TEXT_SIZE])
{
	struct kr_text text;
	kr_assert(zone != NULL);
	kr_text_init(&text, ret_text, TERMS_TEXT_SIZE);
	kr_text_format(&text, "free of charge ");
	if (free_until_us == 0) {
		kr_text_format(&text, "at any time");
		return;
	}
	kr_text_format(&text, "until ");
	instant_put(&text, free_until_us, zone);
	kr_assert(!text.is_cut);
}

void terms_offer_format(uint64_t free_until_us, uint64_t now_us, const char *zone,
	char ret_text[static TERMS_TEXT_SIZE])
{
	struct kr_text text;
	kr_assert(zone != NULL);
	kr_text_init(&text, ret_text, TERMS_TEXT_SIZE);
	if (free_until_us != 0 && free_until_us <= now_us) {
		kr_text_format(&text, "no longer");
	} else if (free_until_us != 0) {
		kr_text_format(&text, "until ");
		instant_put(&text, free_until_us, zone);
	} else {
		kr_text_format(&text, "at any time");
	}
	kr_assert(!text.is_cut);
}

void terms_policy_format(const struct keyrack_line *line, char ret_text[static TERMS_TEXT_SIZE])
{
	kr_static_assert(POLICY_TEXT_SIZE <= TERMS_TEXT_SIZE, "a policy fits");
	const char *name = policy_name(line->tiers, line->tier_count);
	policy_format(line->tiers, line->tier_count, ret_text);
	if (name != NULL)
		(void)snprintf(ret_text, TERMS_TEXT_SIZE, "%s", name);
	kr_assert(ret_text[0] != '\0');
}

static void amount_put(struct kr_text *text, uint64_t minor, const struct money_unit *unit)
{
	char money[MONEY_TEXT_SIZE];
	if (unit->currency[0] == '\0') {
		kr_text_format(text, "%" PRIu64 " minor units", minor);
		return;
	}
	kr_assert(minor <= INT64_MAX);
	money_format(unit, (int64_t)minor, money);
	kr_text_format(text, "%s", money);
}

void terms_cost_format(uint64_t penalty_minor, uint64_t refundable_minor,
	const struct money_unit *unit, char ret_text[static TERMS_TEXT_SIZE])
{
	struct kr_text text;
	kr_text_init(&text, ret_text, TERMS_TEXT_SIZE);
	kr_text_format(&text, "penalty ");
	amount_put(&text, penalty_minor, unit);
	kr_text_format(&text, ", refundable ");
	amount_put(&text, refundable_minor, unit);
	kr_assert(!text.is_cut);
}

void terms_tiers_json(json_t *object, const struct keyrack_tier *tiers, uint32_t tier_count)
{
	json_t *list = js_array();
	kr_assert(object != NULL);
	for (uint32_t i = 0; i < tier_count; i++) {
		const struct keyrack_tier *tier = &tiers[i];
		json_t *step = js_object();
		js_count(step, "hours", tier->hours);
		if (tier->nights != 0)
			js_count(step, "nights", tier->nights);
		else
			js_count(step, "basis_points", tier->basis_points);
		js_append(list, step);
	}
	js_set(object, "tiers", list);
}

void terms_line_json(json_t *object, const struct keyrack_line *line)
{
	terms_tiers_json(object, line->tiers, line->tier_count);
	kr_assert(line->tier_count == 0 || line->tiers != NULL);
	if (line->tier_count > 0)
		js_count(object, "arrival_us", line->arrival_us);
}
