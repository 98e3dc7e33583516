#include <criterion/criterion.h>
#include <string.h>

#include "tools/keyrack/sheet.h"

static struct kr_error_text error;

static struct sheet_row row_of(const struct sheet_texts *texts, const struct sheet *sheet)
{
	struct sheet_row row = {.texts = {NULL}};
	for (uint32_t i = 0; i < sheet->column_count; i++)
		row.texts[i] = texts->bytes[i];
	return row;
}

static uint32_t column(enum sheet_kind kind, const char *name)
{
	uint32_t place = sheet_column_find(sheet_of(kind), name);
	cr_assert_lt(place, sheet_of(kind)->column_count);
	return place;
}

Test(sheet, a_hotel_is_read_as_it_was_written)
{
	const struct keyrack_hotel hotel = {.hotel_id = UINT64_MAX,
		.settings = {.code = "the \"Grand\", Nice",
			.zone = "Europe/Paris",
			.currency = "KWD",
			.currency_digits = 3,
			.day_roll_minute = 1439,
			.check_in_minute = 1,
			.nights_max = 365,
			.hold_ttl_us = 900000000,
			.hold_ttl_max_us = 900000001,
			.hold_total_max_us = 172800000000,
			.holds_max = UINT32_MAX,
			.guest_holds_max = 0,
			.status = KEYRACK_STATUS_RETIRED}};
	struct sheet_texts texts;
	struct keyrack_hotel_put put;
	sheet_hotel_format(&hotel, &texts);
	struct sheet_row row = row_of(&texts, sheet_of(SHEET_HOTELS));
	cr_assert_eq(sheet_hotel_read(&row, &put, &error), 0, "%s", error.bytes);
	cr_assert_eq(put.hotel_id, hotel.hotel_id);
	cr_assert_eq(put.mask, 0x1fff);
	cr_assert_str_eq(put.settings.code, hotel.settings.code);
	cr_assert_eq(put.settings.currency_digits, 3);
	cr_assert_eq(put.settings.day_roll_minute, 1439);
	cr_assert_eq(put.settings.hold_ttl_us, 900000000);
	cr_assert_eq(put.settings.hold_ttl_max_us, 900000001);
	cr_assert_eq(put.settings.hold_total_max_us, 172800000000);
	cr_assert_eq(put.settings.holds_max, UINT32_MAX);
	cr_assert_eq(put.settings.status, KEYRACK_STATUS_RETIRED);
	cr_assert_str_eq(texts.bytes[column(SHEET_HOTELS, "hold_ttl")], "15m");
	cr_assert_str_eq(texts.bytes[column(SHEET_HOTELS, "hold_total_max")], "2d");
}

Test(sheet, what_a_row_does_not_say_stays_as_it_is)
{
	struct keyrack_hotel_put put;
	struct sheet_row row = {.texts = {"17"}};
	cr_assert_eq(sheet_hotel_read(&row, &put, &error), 0);
	cr_assert_eq(put.mask, 0);
	row.texts[column(SHEET_HOTELS, "currency")] = "JPY";
	row.texts[column(SHEET_HOTELS, "code")] = "";
	cr_assert_eq(sheet_hotel_read(&row, &put, &error), 0);
	cr_assert_eq(put.mask, KEYRACK_HOTEL_CURRENCY | KEYRACK_HOTEL_CURRENCY_DIGITS);
	cr_assert_eq(put.settings.currency_digits, 0);
}

Test(sheet, an_empty_stock_of_a_type_is_taken_away)
{
	const struct keyrack_type type = {.type = 65534,
		.settings = {.code = "DBL",
			.status = KEYRACK_STATUS_ACTIVE,
			.plan_status = KEYRACK_STATUS_CLOSED,
			.allowance = -205,
			.allowance_unit = KEYRACK_ALLOWANCE_BASIS_POINTS,
			.cap = -3,
			.advance_max_minutes = UINT32_MAX},
		.set_mask = KEYRACK_TYPE_ALLOWANCE | KEYRACK_TYPE_CAP};
	struct sheet_texts texts;
	struct keyrack_type_put put;
	sheet_type_format(5, &type, &texts);
	struct sheet_row row = row_of(&texts, sheet_of(SHEET_TYPES));
	cr_assert_eq(sheet_type_read(&row, &put, &error), 0, "%s", error.bytes);
	cr_assert_eq(put.clear_mask, KEYRACK_TYPE_PHYSICAL | KEYRACK_TYPE_OUT_OF_ORDER);
	cr_assert_eq(put.mask & put.clear_mask, 0);
	cr_assert_eq(put.settings.allowance, -205);
	cr_assert_eq(put.settings.allowance_unit, KEYRACK_ALLOWANCE_BASIS_POINTS);
	cr_assert_eq(put.settings.cap, -3);
	cr_assert_eq(put.settings.advance_max_minutes, UINT32_MAX);
	cr_assert_eq(put.settings.plan_status, KEYRACK_STATUS_CLOSED);
}

Test(sheet, nights_are_read_as_they_were_written_and_the_rest_is_cleared)
{
	const struct sheet_nights nights = {.hotel_id = 9,
		.type = 3,
		.first_day = 20454,
		.last_day = 20460,
		.unit = {"EUR", 2},
		.night = {.price_minor = (UINT64_C(1) << 40) - 1,
			.physical = 0,
			.cap = -32768,
			.set_mask = KEYRACK_SET_PRICE | KEYRACK_SET_PHYSICAL | KEYRACK_SET_CAP |
				    KEYRACK_SET_CTA,
			.los = {.min_arrival = 2, .max_through = 65534}}};
	struct sheet_texts texts;
	struct fields fields;
	uint32_t type;
	int64_t minor;
	sheet_nights_format(&nights, &texts);
	struct sheet_row row = row_of(&texts, sheet_of(SHEET_CALENDAR));
	cr_assert_eq(sheet_nights_read(&row, &fields, &type, &error), 0, "%s", error.bytes);
	cr_assert_eq(type, 3);
	cr_assert_eq(fields.update.first_day, 20454);
	cr_assert_eq(fields.update.last_day, 20460);
	cr_assert_eq(fields.update.set_mask,
		nights.night.set_mask | KEYRACK_SET_MIN_ARRIVAL | KEYRACK_SET_MAX_THROUGH);
	cr_assert_eq(fields.update.set_mask | fields.update.clear_mask, 0x7fff);
	cr_assert_eq(fields.update.set_mask & fields.update.clear_mask, 0);
	cr_assert_eq(fields.update.cap, -32768);
	cr_assert(fields.update.cta);
	cr_assert_eq(money_in_unit(&fields.price, &nights.unit, &minor, &error), 0);
	cr_assert_eq(minor, (INT64_C(1) << 40) - 1);
}

Test(sheet, a_wrong_field_is_named)
{
	static const struct {
		const char *column, *text, *reason;
	} wrongs[] = {{"hotel", "", "hotel is missing"}, {"type", "65535", "type: "},
		{"type", "-1", "type: "}, {"plan", "65535", "plan: "}, {"plan", "FLEX", "plan: "},
		{"first_night", "2026-02-29", "first_night: "},
		{"first_night", "01.02.2026", "first_night: "},
		{"last_night", "2026-02-27", "before"},
		{"last_night", "2046-02-27", "more than 4096"}, {"closed", "maybe", "closed: "},
		{"price", "120", "price: "}, {"cap", "1e3", "cap: "},
		{"min_arrival", "4294967296", "min_arrival: "}};
	for (size_t i = 0; i < KR_ARRAY_COUNT(wrongs); i++) {
		struct sheet_row row = {.texts = {"1", "0", "0", "2026-02-28"}};
		struct fields fields;
		uint32_t type;
		row.texts[column(SHEET_CALENDAR, "closed")] = "yes";
		row.texts[column(SHEET_CALENDAR, wrongs[i].column)] = wrongs[i].text;
		cr_assert_eq(sheet_nights_read(&row, &fields, &type, &error), -KR_E_INVALID);
		cr_assert_not_null(strstr(error.bytes, wrongs[i].reason), "%s", error.bytes);
	}
}

Test(sheet, a_row_that_says_nothing_of_its_nights_is_wrong)
{
	struct sheet_row row = {.texts = {"1", "0", "0", "2026-02-28"}};
	struct fields fields;
	uint32_t type;
	cr_assert_eq(sheet_nights_read(&row, &fields, &type, &error), -KR_E_INVALID);
}

Test(sheet, nights_of_a_plan_leave_its_type_alone)
{
	const struct sheet_nights nights = {.hotel_id = 9,
		.type = 3,
		.plan = 65534,
		.first_day = 20454,
		.last_day = 20454,
		.unit = {"EUR", 2},
		.night = {.price_minor = 1,
			.set_mask = KEYRACK_SET_PRICE | KEYRACK_SET_PLAN_CTD,
			.los = {.min_arrival = 2}}};
	const uint32_t of_plan = 0x7f80;
	struct sheet_texts texts;
	struct fields fields;
	uint32_t type;
	sheet_nights_format(&nights, &texts);
	struct sheet_row row = row_of(&texts, sheet_of(SHEET_CALENDAR));
	cr_assert_eq(sheet_nights_read(&row, &fields, &type, &error), 0, "%s", error.bytes);
	cr_assert_eq(type, 3);
	cr_assert_eq(fields.update.plan, 65534);
	cr_assert_eq(fields.update.set_mask,
		KEYRACK_SET_PRICE | KEYRACK_SET_PLAN_CTD | KEYRACK_SET_MIN_ARRIVAL);
	cr_assert_eq(fields.update.set_mask | fields.update.clear_mask, of_plan);
	row.texts[column(SHEET_CALENDAR, "physical")] = "7";
	cr_assert_eq(sheet_nights_read(&row, &fields, &type, &error), 0);
	cr_assert_neq(fields.update.set_mask & KEYRACK_SET_PHYSICAL, 0, "what is said is done");
}

Test(sheet, a_file_without_the_column_is_of_plan_0)
{
	struct sheet_row row = {.texts = {"1", "0", NULL, "2026-02-28"}};
	struct fields fields;
	uint32_t type;
	row.texts[column(SHEET_CALENDAR, "closed")] = "";
	cr_assert_eq(sheet_nights_read(&row, &fields, &type, &error), 0, "%s", error.bytes);
	cr_assert_eq(fields.update.plan, 0);
	cr_assert_eq(fields.update.clear_mask, KEYRACK_SET_CLOSED);
}

static void plan_round(const struct keyrack_plan *plan, struct plan_words *ret_words)
{
	const struct money_unit unit = {"EUR", 2};
	struct sheet_texts texts;
	sheet_plan_format(17, plan, &unit, &texts);
	struct sheet_row row = row_of(&texts, sheet_of(SHEET_PLANS));
	cr_assert_eq(sheet_plan_read(&row, ret_words, &error), 0, "%s", error.bytes);
	cr_assert_eq(ret_words->put.hotel_id, 17);
	cr_assert_eq(ret_words->put.type, plan->type);
	cr_assert_eq(ret_words->put.plan, plan->plan);
	int64_t minor = ret_words->put.settings.adjustment;
	if (ret_words->has_amount)
		cr_assert_eq(money_in_unit(&ret_words->amount, &unit, &minor, &error), 0);
	cr_assert_eq(minor, plan->settings.adjustment);
	cr_assert_eq(ret_words->policy.tier_count, plan->settings.tier_count);
	cr_assert_arr_eq(ret_words->policy.tiers, plan->settings.tiers,
		plan->settings.tier_count * sizeof(plan->settings.tiers[0]));
}

Test(sheet, a_plan_is_read_as_it_was_written)
{
	static const struct keyrack_tier tiers[] = {{336, 0, 5050}, {1, 65535, 0}};
	struct keyrack_plan plan = {.type = 65534,
		.plan = 7,
		.settings = {.code = "non-ref, \"gold\"",
			.status = KEYRACK_STATUS_RETIRED,
			.advance_min_minutes = 90,
			.advance_max_minutes = UINT32_MAX,
			.parent = 65533,
			.derivation = KEYRACK_DERIVED_BASIS_POINTS,
			.adjustment = -1205,
			.tiers = tiers,
			.tier_count = 2}};
	struct plan_words words;
	plan_round(&plan, &words);
	cr_assert_eq(words.put.mask, 0xff);
	cr_assert_str_eq(words.put.settings.code, plan.settings.code);
	cr_assert_eq(words.put.settings.status, KEYRACK_STATUS_RETIRED);
	cr_assert_eq(words.put.settings.advance_min_minutes, 90);
	cr_assert_eq(words.put.settings.advance_max_minutes, UINT32_MAX);
	cr_assert(words.has_parent && words.parent.number == 65533);
	cr_assert_eq(words.put.settings.derivation, KEYRACK_DERIVED_BASIS_POINTS);
	plan.settings.derivation = KEYRACK_DERIVED_AMOUNT;
	plan.settings.adjustment = -((INT64_C(1) << 40) - 1);
	plan_round(&plan, &words);
	cr_assert_eq(words.put.settings.derivation, KEYRACK_DERIVED_AMOUNT);
	plan.settings.parent = plan.settings.derivation = 0;
	plan.settings.adjustment = 0;
	plan.settings.tier_count = 0;
	plan_round(&plan, &words);
	cr_assert_eq(words.put.mask, KEYRACK_PLAN_CODE | KEYRACK_PLAN_STATUS |
					     KEYRACK_PLAN_ADVANCE_MIN | KEYRACK_PLAN_ADVANCE_MAX |
					     KEYRACK_PLAN_TIERS);
}

Test(sheet, of_plan_0_only_the_terms_are_said)
{
	static const struct keyrack_tier tier = {24, 1, 0};
	const struct keyrack_plan plan = {.type = 3,
		.settings = {.code = "BASE",
			.status = KEYRACK_STATUS_CLOSED,
			.advance_min_minutes = 5,
			.tiers = &tier,
			.tier_count = 1}};
	struct plan_words words;
	plan_round(&plan, &words);
	cr_assert_eq(words.put.mask, KEYRACK_PLAN_TIERS);
}

Test(sheet, a_wrong_field_of_a_plan_is_named)
{
	static const struct {
		const char *column, *text, *reason;
	} wrongs[] = {{"hotel", "", "hotel is missing"}, {"type", "65535", "type: "},
		{"plan", "", "plan is missing"}, {"plan", "FLEX", "plan: "},
		{"from", "65535", "from: "}, {"percent", "ten", "percent: "},
		{"amount", "5", "amount: "}, {"policy", "soft", "policy: "},
		{"status", "open", "status: "}, {"advance_min", "90s", "advance_min: "}};
	for (size_t i = 0; i < KR_ARRAY_COUNT(wrongs); i++) {
		struct sheet_row row = {.texts = {"1", "0", "2"}};
		struct plan_words words;
		row.texts[column(SHEET_PLANS, wrongs[i].column)] = wrongs[i].text;
		cr_assert_eq(sheet_plan_read(&row, &words, &error), -KR_E_INVALID, "%s",
			wrongs[i].column);
		cr_assert_not_null(strstr(error.bytes, wrongs[i].reason), "%s", error.bytes);
	}
}
