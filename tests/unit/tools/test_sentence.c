#include <criterion/criterion.h>

#include "tools/keyrack/sentence.h"

static const struct money_unit euro = {"EUR", 2};

static const char *sentence(struct keyrack_refusal refusal, struct sentence_context context)
{
	static char text[SENTENCE_SIZE];
	sentence_of_refusal(&refusal, &context, text);
	return text;
}

Test(sentence, names_rule_line_night_required_and_left)
{
	const struct keyrack_refusal refusal = {.code = KEYRACK_CODE_SOLD_OUT,
		.rule = KEYRACK_RULE_LIMIT,
		.line = 1,
		.has_day = true,
		.day = 20817,
		.required = 2,
		.left = 1};
	cr_assert_str_eq(sentence(refusal, (struct sentence_context){.has_lines = true}),
		"SOLD_OUT: no room is left (rule LIMIT), line 2, night Wed 2026-12-30, "
		"2 asked for, 1 left");
	cr_assert_str_eq(sentence(refusal, (struct sentence_context){.has_lines = false}),
		"SOLD_OUT: no room is left (rule LIMIT), night Wed 2026-12-30, "
		"2 asked for, 1 left");
}

Test(sentence, shows_money_in_the_hotels_unit)
{
	const struct keyrack_refusal refusal = {.code = KEYRACK_CODE_PRICE_CHANGED,
		.rule = KEYRACK_RULE_PRICE,
		.required = 48000,
		.left = 36000};
	cr_assert_str_eq(sentence(refusal, (struct sentence_context){.unit = &euro}),
		"PRICE_CHANGED: the price is not the expected total (rule PRICE), "
		"expected EUR 480.00, the price is EUR 360.00");
	cr_assert_str_eq(sentence(refusal, (struct sentence_context){.unit = NULL}),
		"PRICE_CHANGED: the price is not the expected total (rule PRICE), "
		"expected 48000 minor units, the price is 36000 minor units");
}

Test(sentence, names_the_edge_of_the_window_as_a_date)
{
	struct keyrack_refusal refusal = {.code = KEYRACK_CODE_OUT_OF_WINDOW,
		.rule = KEYRACK_RULE_DATES,
		.has_day = true,
		.day = 21510,
		.required = 21509};
	cr_assert_str_eq(sentence(refusal, (struct sentence_context){.unit = NULL}),
		"OUT_OF_WINDOW: a night lies beyond the hotel's window (rule DATES), night Wed "
		"2028-11-22, the last night is Tue 2028-11-21");
	refusal = (struct keyrack_refusal){.code = KEYRACK_CODE_INVALID,
		.rule = KEYRACK_RULE_DATES,
		.required = 365,
		.left = 400};
	cr_assert_str_eq(sentence(refusal, (struct sentence_context){.has_lines = true}),
		"INVALID: the request is malformed (rule DATES), line 1, at most 365 nights, the "
		"stay has 400");
}

Test(sentence, tells_the_state_the_field_and_the_other_reservation)
{
	cr_assert_str_eq(sentence((struct keyrack_refusal){.code = KEYRACK_CODE_BAD_STATE,
					  .rule = KEYRACK_RULE_STATE,
					  .state = KEYRACK_STATE_HELD},
				 (struct sentence_context){.unit = NULL}),
		"BAD_STATE: the reservation's state does not allow that (rule STATE), it is HELD");
	cr_assert_str_eq(sentence((struct keyrack_refusal){.code = KEYRACK_CODE_INVALID,
					  .rule = KEYRACK_RULE_FIELD,
					  .text = "zone"},
				 (struct sentence_context){.unit = NULL}),
		"INVALID: the request is malformed (rule FIELD), field zone");
	cr_assert_str_eq(sentence((struct keyrack_refusal){.code = KEYRACK_CODE_KEY_REUSED,
					  .rule = KEYRACK_RULE_EXTERNAL_REF,
					  .other = {0x01890a5dac968774, 0xb123456789abcdef}},
				 (struct sentence_context){.unit = NULL}),
		"KEY_REUSED: the id or external reference belongs to another request (rule "
		"EXTERNAL_REF), the other reservation is 01890a5d-ac96-8774-b123-456789abcdef");
}

Test(sentence, shows_codes_and_rules_it_does_not_know)
{
	cr_assert_str_eq(sentence(
				 (struct keyrack_refusal){
					 .code = 60, .rule = 200, .required = 3, .left = -1},
				 (struct sentence_context){.unit = NULL}),
		"CODE_FINAL: unknown code (rule RULE), required 3, left -1");
}

/* Every rule with every number: nothing is cut, nothing is left out of a switch. */
Test(sentence, has_words_for_every_rule)
{
	for (unsigned rule = 0; rule < 40; rule++) {
		const char *text = sentence((struct keyrack_refusal){.code = KEYRACK_CODE_INVALID,
						    .rule = rule,
						    .line = 15,
						    .has_day = true,
						    .day = 65535,
						    .required = INT64_MAX,
						    .left = INT64_MIN,
						    .state = KEYRACK_STATE_CONFIRMED,
						    .other = {1, 2},
						    .text = "a_name_of_sixty_four_bytes_is_the_"
							    "longest_that_a_field_has"},
			(struct sentence_context){.unit = &euro, .has_lines = true});
		cr_assert_lt(strlen(text), SENTENCE_SIZE - 1);
	}
}
