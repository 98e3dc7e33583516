/* Ids, dates, codes, nights: the public header against the wire's own tables. */
#include <criterion/criterion.h>

#include <errno.h>
#include <string.h>

#include <keyrack/keyrack.h>

#include "proto/cell.h"
#include "proto/code.h"
#include "proto/slot.h"

Test(value, the_public_codes_are_the_codes_on_the_wire)
{
#define X(number, name, text)                                                                      \
	cr_assert_eq((unsigned)KEYRACK_CODE_##name, (unsigned)KEYRACK_##name);                     \
	cr_assert_eq((unsigned)KEYRACK_CODE_##name, number);                                       \
	cr_assert_str_eq(keyrack_code_name(number), #name);                                        \
	cr_assert_str_eq(keyrack_code_text(number), text);
	KEYRACK_CODE_TABLE(X)
#undef X
#define X(number, name, text)                                                                      \
	cr_assert_eq((unsigned)KEYRACK_RULE_##name, number);                                       \
	cr_assert_str_eq(keyrack_rule_name(number), #name);                                        \
	cr_assert_str_eq(keyrack_rule_text(number), text);
	REFUSAL_RULE_TABLE(X)
#undef X
}

Test(value, the_librarys_own_codes_have_names_and_never_travel)
{
	static const unsigned own[] = {KEYRACK_CODE_UNREACHABLE, KEYRACK_CODE_NOT_SENT,
		KEYRACK_CODE_DEADLINE, KEYRACK_CODE_CONNECTION_LOST, KEYRACK_CODE_BAD_ANSWER};
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		cr_assert_eq(strncmp(keyrack_code_name(own[i]), "CODE_", 5) == 0, false);
		cr_assert_str_neq(keyrack_code_text(own[i]), "unknown code");
		cr_assert(keyrack_code_may_retry(own[i]));
		cr_assert_eq(code_from_name(keyrack_code_name(own[i])), 0);
	}
}

Test(value, codes_have_one_of_three_outcomes)
{
	cr_assert_eq(keyrack_code_outcome(1), KEYRACK_RESULT_DONE);
	cr_assert_eq(keyrack_code_outcome(10), KEYRACK_RESULT_NOT_DONE);
	cr_assert_eq(keyrack_code_outcome(63), KEYRACK_RESULT_NOT_DONE);
	cr_assert_eq(keyrack_code_outcome(64), KEYRACK_RESULT_NOT_DONE);
	cr_assert_eq(keyrack_code_outcome(96), KEYRACK_RESULT_UNKNOWN);
	cr_assert_eq(keyrack_code_outcome(128), KEYRACK_RESULT_UNKNOWN);
	cr_assert_eq(keyrack_code_outcome(KEYRACK_CODE_UNREACHABLE), KEYRACK_RESULT_NOT_DONE);
	cr_assert_eq(keyrack_code_outcome(KEYRACK_CODE_NOT_SENT), KEYRACK_RESULT_NOT_DONE);
	cr_assert_eq(keyrack_code_outcome(KEYRACK_CODE_DEADLINE), KEYRACK_RESULT_UNKNOWN);
	cr_assert_not(keyrack_code_may_retry(1));
	cr_assert_not(keyrack_code_may_retry(10));
	cr_assert(keyrack_code_may_retry(64));
	cr_assert(keyrack_code_may_retry(96));
	cr_assert_not(keyrack_code_may_retry(128));
}

Test(value, ids_are_formatted_and_parsed)
{
	char text[KEYRACK_ID_TEXT_SIZE];
	struct keyrack_id id = keyrack_id_make(0x0123456789ab, 0x3ffe, 0x0fedcba987654321), back;
	keyrack_id_format(id, text);
	cr_assert_str_eq(text, "01234567-89ab-8fff-afed-cba987654321");
	cr_assert_eq(keyrack_id_parse(text, &back), 0);
	cr_assert(back.hi == id.hi && back.lo == id.lo);
	cr_assert_eq(keyrack_id_parse("0123456789AB8fffafedcba987654321", &back), 0);
	cr_assert(back.hi == id.hi && back.lo == id.lo);
	cr_assert_eq(keyrack_id_slot(id), 0x3ffe);
	cr_assert_eq(keyrack_id_unix_ms(id), 0x0123456789ab);
	static const char *const bad[] = {"", "x", "01234567-89ab-8fff-afed-cba98765432",
		"01234567-89ab-8fff-afed-cba9876543211", "0123456789ab8fffafedcba98765432g",
		"01234567_89ab-8fff-afed-cba987654321", "0123456789ab8fffafedcba98765432"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_eq(keyrack_id_parse(bad[i], &back), -EINVAL, "%s", bad[i]);
	struct keyrack_id other = {1, 2};
	cr_assert_not(keyrack_id_is_native(other));
	cr_assert_eq(keyrack_id_slot(other), 0);
	cr_assert_eq(keyrack_id_unix_ms(other), 0);
}

Test(value, hotels_have_the_slots_of_the_wire)
{
	for (uint64_t hotel = 0; hotel < 1000; hotel++)
		cr_assert_eq(keyrack_slot_of_hotel(hotel), slot_of_hotel((struct hotel_id){hotel}));
	cr_assert_eq(keyrack_hotel_id_of_code("GRAND"), hotel_id_of_code("GRAND", 5).v);
	cr_assert_eq(keyrack_hotel_id_of_code(""), 0);
}

Test(value, dates_are_days)
{
	int32_t day;
	char text[KEYRACK_DATE_TEXT_SIZE];
	cr_assert_eq(keyrack_day_parse("1970-01-01", &day), 0);
	cr_assert_eq(day, 0);
	cr_assert_eq(keyrack_day_weekday(day), 3, "a Thursday");
	cr_assert_eq(keyrack_day_parse("2024-02-29", &day), 0);
	keyrack_day_format(day + 1, text);
	cr_assert_str_eq(text, "2024-03-01");
	struct keyrack_date date = keyrack_day_to_date(day);
	cr_assert(date.year == 2024 && date.month == 2 && date.day == 29);
	int32_t back;
	cr_assert_eq(keyrack_day_from_date(date, &back), 0);
	cr_assert_eq(back, day);
	date.year = 2023;
	cr_assert_eq(keyrack_day_from_date(date, &back), -EINVAL);
	cr_assert_eq(keyrack_day_from_date((struct keyrack_date){2023, 268, 1}, &back), -EINVAL);
	static const char *const bad[] = {"", "2023-02-29", "2023-2-9", "2023-02-281", "x"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_eq(keyrack_day_parse(bad[i], &back), -EINVAL);
}

Test(value, a_refusal_reads_as_a_sentence)
{
	char text[512];
	struct keyrack_refusal refusal = {.code = KEYRACK_CODE_SOLD_OUT,
		.rule = KEYRACK_RULE_LIMIT,
		.line = 1,
		.has_day = true,
		.day = 20000,
		.required = 2,
		.left = -1,
		.text = ""};
	size_t length = keyrack_refusal_format(&refusal, text, sizeof(text));
	cr_assert_str_eq(text, "SOLD_OUT: no room is left; rule: the limit (rooms); line 2; "
			       "night 2024-10-04; required 2; left -1");
	cr_assert_eq(length, strlen(text));
	char cut[9];
	cr_assert_eq(keyrack_refusal_format(&refusal, cut, sizeof(cut)), length);
	cr_assert_str_eq(cut, "SOLD_OUT");
	cr_assert_eq(keyrack_refusal_format(&refusal, NULL, 0), length);
	struct keyrack_refusal state = {.code = KEYRACK_CODE_BAD_STATE,
		.rule = KEYRACK_RULE_STATE,
		.state = KEYRACK_STATE_EXPIRED};
	keyrack_refusal_format(&state, text, sizeof(text));
	cr_assert_not_null(strstr(text, "; state EXPIRED"));
	cr_assert_null(strstr(text, "line"));
}

Test(value, a_night_is_read_from_its_columns)
{
	uint64_t counters[4] = {0}, rates[4] = {0};
	counters[3] = cell_counter_pack((struct cell_counter){
		.limit = -3, .held = 1, .booked = 2, .flags = CELL_LOADED | CELL_CTA});
	rates[3] = cell_rate_pack((struct cell_rate){
		.price_minor = RATE_PRICE_MAX, .class_index = 9, .flags = RATE_PRICED | RATE_CTD});
	uint64_t classes[] = {8, 1, 9, 2 | 3 << 16 | UINT64_C(4) << 32 | UINT64_C(5) << 48};
	uint32_t types[] = {0, 7};
	struct keyrack_availability_answer answer = {.types = types,
		.type_count = 2,
		.first_day = 100,
		.night_count = 2,
		.counters = counters,
		.rates = rates,
		.classes = classes,
		.class_count = 2};
	struct keyrack_night night = keyrack_availability_night(&answer, 1, 1);
	cr_assert_eq(night.day, 101);
	cr_assert_eq(night.limit, -3);
	cr_assert_eq(night.left, -6);
	cr_assert(night.loaded && night.cta && !night.ctd && !night.closed && !night.capped);
	cr_assert(night.priced && night.plan_ctd && !night.plan_cta && !night.plan_closed);
	cr_assert_eq(night.price_minor, RATE_PRICE_MAX);
	cr_assert_eq(night.los.min_arrival, 2);
	cr_assert_eq(night.los.max_arrival, 3);
	cr_assert_eq(night.los.min_through, 4);
	cr_assert_eq(night.los.max_through, 5);
	night = keyrack_availability_night(&answer, 0, 0);
	cr_assert(!night.loaded && !night.priced && night.los.min_arrival == 0);
}

Test(value, states_have_names)
{
	cr_assert_str_eq(keyrack_state_name(KEYRACK_STATE_HELD), "HELD");
	cr_assert_str_eq(keyrack_state_name(KEYRACK_STATE_VOID), "VOID");
	cr_assert_str_eq(keyrack_state_name(99), "STATE");
}
