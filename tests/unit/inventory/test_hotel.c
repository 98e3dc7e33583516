#include "world.h"

static struct world w;

static void begin(void)
{
	world_init(&w, NULL);
}

static void end(void)
{
	world_agree(&w);
	world_fini(&w);
}

TestSuite(hotel, .init = begin, .fini = end);

static struct inv_hotel_view view_of(uint64_t hotel)
{
	struct inv_hotel_view view;
	cr_assert(inv_hotel_get(w.inv, (struct hotel_id){hotel}, &view));
	return view;
}

static void refused_for(const struct inv_hotel_op *op, const char *field)
{
	cr_assert_eq(world_hotel_put(&w, op), KEYRACK_INVALID, "%s", field);
	cr_assert_eq(w.answer.refusal.rule, RULE_FIELD);
	cr_assert_str_eq(w.answer.refusal.text, field);
}

Test(hotel, starts_from_the_defaults)
{
	struct inv_hotel_op op = hotel_op(5);
	cr_assert_eq(world_hotel_put(&w, &op), KEYRACK_DONE);
	cr_assert(w.answer.created);
	cr_assert_eq(w.answer.ari_version, 1);
	cr_assert_eq(w.answer.event_seq, 1);
	struct inv_hotel_view view = view_of(5);
	cr_assert_eq(view.settings.day_roll_minute, 240);
	cr_assert_eq(view.settings.check_in_minute, 900);
	cr_assert_eq(view.settings.nights_max, 365);
	cr_assert_eq(view.settings.hold_ttl_us, 15 * UINT64_C(60000000));
	cr_assert_eq(view.settings.hold_ttl_max_us, 60 * UINT64_C(60000000));
	cr_assert_eq(view.settings.hold_total_max_us, 60 * UINT64_C(60000000));
	cr_assert_eq(view.settings.holds_max, 0);
	cr_assert_eq(view.settings.guest_holds_max, 0);
	cr_assert_eq(view.settings.status, INV_ACTIVE);
	cr_assert_eq(view.settings.currency_digits, 2);
	cr_assert_str_eq(view.settings.currency, "EUR");
	cr_assert_eq(view.settings.code.size_bytes, 0);
	cr_assert_eq(view.business_day, world_day(2026, 11, 22));
	cr_assert_eq(view.ari_version, 1);
	cr_assert_eq(view.event_seq, 1);
	cr_assert_eq(view.last_lsn, 1);
	cr_assert_eq(view.type_count, 0);
}

Test(hotel, needs_a_zone_and_a_currency_when_new)
{
	struct inv_hotel_op op = hotel_op(5);
	op.mask = INV_HOTEL_CURRENCY;
	refused_for(&op, "zone");
	op.mask = INV_HOTEL_ZONE;
	refused_for(&op, "currency");
	op.mask = 0;
	refused_for(&op, "zone");
	cr_assert_not(inv_hotel_get(w.inv, op.hotel, &(struct inv_hotel_view){.event_seq = 0}));
}

Test(hotel, refuses_what_no_hotel_can_be_and_names_it)
{
	struct inv_hotel_op op = hotel_op(0);
	refused_for(&op, "hotel_id");
	op = hotel_op(5);
	op.mask |= INV_HOTEL_MASK + 1;
	refused_for(&op, "mask");
	static const char *const zones[] = {"", "Mars/Olympus", "Europe", "utc ", "Europe/Paris\n"};
	for (size_t i = 0; i < KR_ARRAY_COUNT(zones); i++) {
		op = hotel_op(5);
		op.settings.zone = text(zones[i]);
		refused_for(&op, "zone");
	}
	static const char currencies[][4] = {"eur", "EU", "EURO", "E R", ""};
	for (size_t i = 0; i < KR_ARRAY_COUNT(currencies); i++) {
		op = hotel_op(5);
		memcpy(op.settings.currency, currencies[i], 4);
		refused_for(&op, "currency");
	}
}

Test(hotel, holds_every_number_to_its_range)
{
	static const struct {
		uint32_t bit;
		const char *field;
		uint64_t low, high; /* the last that are allowed */
		bool has_low;
	} cases[] = {
		{INV_HOTEL_CURRENCY_DIGITS, "currency_digits", 0, 4, false},
		{INV_HOTEL_DAY_ROLL, "day_roll_minute", 0, 1439, false},
		{INV_HOTEL_CHECK_IN, "check_in_minute", 0, 1439, false},
		{INV_HOTEL_NIGHTS_MAX, "nights_max", 1, INV_STAY_NIGHTS_MAX, true},
		{INV_HOTEL_HOLD_TTL, "hold_ttl_us", 1, INV_HOLD_LIMIT_US, true},
		{INV_HOTEL_HOLD_TTL_MAX, "hold_ttl_max_us", 0, INV_HOLD_LIMIT_US, false},
		{INV_HOTEL_HOLD_TOTAL_MAX, "hold_total_max_us", 0, INV_HOLD_LIMIT_US, false},
		{INV_HOTEL_STATUS, "status", 1, 3, true},
	};
	for (size_t i = 0; i < KR_ARRAY_COUNT(cases); i++) {
		const uint64_t values[] = {cases[i].low, cases[i].high, cases[i].high + 1,
			cases[i].has_low ? cases[i].low - 1 : cases[i].high + 1};
		for (size_t v = 0; v < KR_ARRAY_COUNT(values); v++) {
			struct inv_hotel_op op = hotel_op(5);
			op.mask |= cases[i].bit;
			op.settings.currency_digits = (uint8_t)values[v];
			op.settings.day_roll_minute = (uint16_t)values[v];
			op.settings.check_in_minute = (uint16_t)values[v];
			op.settings.nights_max = (uint16_t)values[v];
			op.settings.hold_ttl_us = values[v];
			op.settings.hold_ttl_max_us = values[v];
			op.settings.hold_total_max_us = values[v];
			op.settings.status = (uint8_t)values[v];
			if (v >= 2)
				refused_for(&op, cases[i].field);
			else
				cr_assert_eq(world_hotel_put(&w, &op), KEYRACK_DONE, "%s",
					cases[i].field);
		}
	}
}

Test(hotel, stores_every_field)
{
	struct inv_hotel_op op = hotel_op(5);
	op.mask = INV_HOTEL_MASK & ~INV_HOTEL_CODE;
	op.settings.zone = text("America/New_York");
	op.settings.currency_digits = 3;
	op.settings.day_roll_minute = 11;
	op.settings.check_in_minute = 12;
	op.settings.nights_max = 13;
	op.settings.hold_ttl_us = 14;
	op.settings.hold_ttl_max_us = 15;
	op.settings.hold_total_max_us = 16;
	op.settings.holds_max = 17;
	op.settings.guest_holds_max = 18;
	op.settings.status = INV_CLOSED;
	cr_assert_eq(world_hotel_put(&w, &op), KEYRACK_DONE);
	const struct inv_hotel_settings s = view_of(5).settings;
	cr_assert_eq(s.zone.size_bytes, 16);
	cr_assert_arr_eq(s.zone.bytes, "America/New_York", 16);
	cr_assert_str_eq(s.currency, "EUR");
	cr_assert_eq(s.currency_digits, 3);
	cr_assert_eq(s.day_roll_minute, 11);
	cr_assert_eq(s.check_in_minute, 12);
	cr_assert_eq(s.nights_max, 13);
	cr_assert_eq(s.hold_ttl_us, 14);
	cr_assert_eq(s.hold_ttl_max_us, 15);
	cr_assert_eq(s.hold_total_max_us, 16);
	cr_assert_eq(s.holds_max, 17);
	cr_assert_eq(s.guest_holds_max, 18);
	cr_assert_eq(s.status, INV_CLOSED);
}

Test(hotel, keeps_what_is_absent_and_changes_what_is_named)
{
	struct inv_hotel_op op = hotel_op(5);
	op.mask |= INV_HOTEL_HOLDS_MAX | INV_HOTEL_NIGHTS_MAX;
	op.settings.holds_max = 9;
	op.settings.nights_max = 30;
	cr_assert_eq(world_hotel_put(&w, &op), KEYRACK_DONE);
	struct inv_hotel_op change = {.hotel = {5}, .mask = INV_HOTEL_HOLDS_MAX};
	change.settings.holds_max = 0;
	change.settings.nights_max = 7; /* not named */
	change.settings.zone = text("Nowhere");
	cr_assert_eq(world_hotel_put(&w, &change), KEYRACK_DONE);
	cr_assert_not(w.answer.created);
	struct inv_hotel_view view = view_of(5);
	cr_assert_eq(view.settings.holds_max, 0);
	cr_assert_eq(view.settings.nights_max, 30);
	cr_assert_eq(view.settings.zone.size_bytes, 3);
	cr_assert_eq(view.ari_version, 2);
	cr_assert_eq(view.event_seq, 2);
	change.mask = 0;
	cr_assert_eq(
		world_hotel_put(&w, &change), KEYRACK_DONE, "nothing named is an operation too");
	cr_assert_eq(view_of(5).ari_version, 3);
}

Test(hotel, takes_a_code_only_with_the_id_it_hashes_to)
{
	const char *code = "grand-h\xc3\xb4tel";
	struct hotel_id id = hotel_id_of_code(code, (uint32_t)strlen(code));
	struct inv_hotel_op op = hotel_op(id.v);
	cr_assert_eq(world_hotel_put(&w, &op), KEYRACK_DONE, "it may get its code later");
	op.mask |= INV_HOTEL_CODE;
	op.settings.code = text(code);
	cr_assert_eq(world_hotel_put(&w, &op), KEYRACK_DONE);
	cr_assert_eq(view_of(id.v).settings.code.size_bytes, strlen(code));
	op.hotel.v++;
	refused_for(&op, "code");
	op.hotel.v--;
	op.settings.code = text("another");
	refused_for(&op, "code");
	char longest[66];
	memset(longest, 'a', sizeof(longest));
	op.settings.code = (struct inv_text){longest, 64};
	op.hotel = hotel_id_of_code(longest, 64);
	cr_assert_eq(world_hotel_put(&w, &op), KEYRACK_DONE);
	op.settings.code = (struct inv_text){longest, 65};
	op.hotel = hotel_id_of_code(longest, 65);
	refused_for(&op, "code");
	static const char *const bad[] = {"a\nb", "\x7f", "\xc3", "\xc0\xaf", "\xed\xa0\x80",
		"\xf4\x90\x80\x80", "a\x80", "\xc2\x85"};
	for (size_t i = 0; i < KR_ARRAY_COUNT(bad); i++) {
		op.settings.code = text(bad[i]);
		op.hotel = hotel_id_of_code(bad[i], (uint32_t)strlen(bad[i]));
		refused_for(&op, "code");
	}
}

/* Two codes of one hash cannot be made to order; a hotel whose stored code is another can. */
Test(hotel, refuses_a_second_code_of_the_same_hash)
{
	const char *code = "left";
	struct inv_hotel_op op = hotel_op(hotel_id_of_code(code, 4).v);
	op.mask |= INV_HOTEL_CODE;
	op.settings.code = text(code);
	w.now.t_us += 1;
	cr_assert_eq(inv_hotel_judge(w.inv, w.now, &op, &w.effect, &w.answer), INV_EFFECT);
	w.effect.u.hotel_put.settings.code = text("colliding");
	w.effect.lsn = ++w.lsn;
	cr_assert_eq(inv_apply(w.inv, &w.effect, &w.contradiction), 0);
	cr_assert_eq(inv_apply(w.mirror, &w.effect, &w.contradiction), 0);
	refused_for(&op, "code");
	op.mask = INV_HOTEL_CODE;
	op.settings.code = text("");
	cr_assert_eq(world_hotel_put(&w, &op), KEYRACK_DONE, "a code can be cleared");
	cr_assert_eq(view_of(op.hotel.v).settings.code.size_bytes, 0);
}

Test(hotel, expects_a_version_when_told_to)
{
	struct inv_hotel_op op = hotel_op(5);
	op.has_expected_version = true;
	op.expected_ari_version = 3;
	cr_assert_eq(world_hotel_put(&w, &op), KEYRACK_VERSION_MISMATCH);
	cr_assert_eq(w.answer.refusal.rule, RULE_VERSION);
	cr_assert_eq(w.answer.refusal.required, 3);
	cr_assert_eq(w.answer.refusal.left, 0);
	op.expected_ari_version = 0; /* create only */
	cr_assert_eq(world_hotel_put(&w, &op), KEYRACK_DONE);
	cr_assert_eq(world_hotel_put(&w, &op), KEYRACK_VERSION_MISMATCH);
	cr_assert_eq(w.answer.refusal.left, 1);
	cr_assert_eq(w.answer.ari_version, 1);
	cr_assert_eq(w.answer.wait_lsn, 1, "what it tells may not be durable yet");
	op.expected_ari_version = 1;
	cr_assert_eq(world_hotel_put(&w, &op), KEYRACK_DONE);
	cr_assert_eq(w.answer.ari_version, 2);
}

Test(hotel, table_answers_when_it_is_full)
{
	for (uint64_t id = 1; id <= w.config.hotels_max; id++) {
		struct inv_hotel_op op = hotel_op(id * 1000);
		cr_assert_eq(world_hotel_put(&w, &op), KEYRACK_DONE);
	}
	struct inv_hotel_op op = hotel_op(999);
	cr_assert_eq(world_hotel_put(&w, &op), KEYRACK_LIMIT_REACHED);
	cr_assert_eq(w.answer.refusal.rule, RULE_TABLE);
	cr_assert_str_eq(w.answer.refusal.text, "hotels");
	cr_assert_eq(w.answer.refusal.required, 8);
	op.hotel.v = 3000;
	cr_assert_eq(world_hotel_put(&w, &op), KEYRACK_DONE, "a known one still changes");
}

Test(hotel, lists_come_in_pages_by_id)
{
	static const uint64_t ids[] = {40, UINT64_MAX, 7, 1, 900, 12, 5};
	struct inv_hotel_view page[3];
	uint64_t seen[8];
	uint32_t count = 0;
	bool more = true;
	for (size_t i = 0; i < KR_ARRAY_COUNT(ids); i++) {
		struct inv_hotel_op op = hotel_op(ids[i]);
		cr_assert_eq(world_hotel_put(&w, &op), KEYRACK_DONE);
	}
	struct hotel_id after = {0};
	for (bool from_start = true; more; from_start = false) {
		uint32_t got = inv_hotel_list(w.inv, from_start, after, page, 3, &more);
		cr_assert_leq(got, 3);
		for (uint32_t i = 0; i < got; i++)
			seen[count++] = page[i].hotel.v;
		after = page[got - 1].hotel;
	}
	static const uint64_t sorted[] = {1, 5, 7, 12, 40, 900, UINT64_MAX};
	cr_assert_eq(count, 7);
	cr_assert_arr_eq(seen, sorted, sizeof(sorted));
	cr_assert_eq(
		inv_hotel_list(w.inv, false, (struct hotel_id){UINT64_MAX}, page, 3, &more), 0);
	cr_assert_not(more);
	cr_assert_eq(inv_hotel_list(w.inv, true, after, page, 0, &more), 0);
	cr_assert(more);
}

Test(hotel, contradictions_change_nothing)
{
	struct inv_hotel_op op = hotel_op(5);
	cr_assert_eq(world_hotel_put(&w, &op), KEYRACK_DONE);
	uint64_t digest = inv_digest(w.inv);
	cr_assert_eq(inv_hotel_judge(w.inv, w.now, &op, &w.effect, &w.answer), INV_EFFECT);
	for (int broken = 0; broken < 7; broken++) {
		struct inv_effect e = w.effect;
		e.lsn = 2;
		e.event_seq += broken == 0;
		e.u.hotel_put.created = broken == 1;
		e.u.hotel_put.ari_version += broken == 2;
		e.u.hotel_put.business_day -= broken == 3;
		if (broken == 4)
			e.u.hotel_put.settings.zone = text("Nowhere/Land");
		if (broken == 5)
			e.hotel.v = 6;
		if (broken == 6)
			e.kind = (enum inv_effect_kind)INV_EFFECT_TRUNCATE;
		cr_assert_eq(world_apply(&w, &e), INV_CONTRADICTION, "%d", broken);
		cr_assert_not_null(w.contradiction.what);
		cr_assert_eq(w.contradiction.lsn, 2);
		cr_assert_eq(inv_digest(w.inv), digest);
	}
}

Test(hotel, skips_an_effect_it_already_shows)
{
	struct inv_hotel_op op = hotel_op(5);
	cr_assert_eq(world_hotel_put(&w, &op), KEYRACK_DONE);
	struct inv_effect first = w.effect;
	uint64_t digest = inv_digest(w.inv);
	cr_assert_eq(world_apply(&w, &first), 0);
	cr_assert_eq(inv_digest(w.inv), digest);
	cr_assert_eq(view_of(5).event_seq, 1);
	first.lsn = 2;
	cr_assert_eq(
		world_apply(&w, &first), INV_CONTRADICTION, "but not one that comes again later");
}

Test(hotel, cannot_begin_where_days_end)
{
	struct inv_hotel_op op = hotel_op(5);
	w.now.t_us = (uint64_t)(INV_DAY_MAX - 40) * DAY_US + 12 * HOUR_US;
	cr_assert_eq(world_hotel_put(&w, &op), KEYRACK_DONE);
	op.hotel.v = 6;
	w.now.t_us += DAY_US;
	refused_for(&op, "business_day");
}

/* Texts of an operation are lent for one call; those of its effect stay. */
Test(hotel, effect_keeps_the_texts)
{
	char code[] = "lent", zone[] = "Asia/Tokyo";
	struct inv_hotel_op op = hotel_op(hotel_id_of_code(code, 4).v);
	op.mask |= INV_HOTEL_CODE;
	op.settings.code = text(code);
	op.settings.zone = text(zone);
	cr_assert_eq(inv_hotel_judge(w.inv, w.now, &op, &w.effect, &w.answer), INV_EFFECT);
	memset(code, 'x', 4);
	memset(zone, 'x', 4);
	w.effect.lsn = ++w.lsn;
	cr_assert_eq(inv_apply(w.mirror, &w.effect, &w.contradiction), 0);
	cr_assert_eq(inv_apply(w.inv, &w.effect, &w.contradiction), 0);
	cr_assert_arr_eq(view_of(op.hotel.v).settings.code.bytes, "lent", 4);
	cr_assert_arr_eq(view_of(op.hotel.v).settings.zone.bytes, "Asia/Tokyo", 10);
}

static void keeps(struct inv_text text, char *bytes, const char *expected)
{
	memset(bytes, '#', strlen(expected));
	cr_assert_eq(text.size_bytes, strlen(expected));
	cr_assert_eq(memcmp(text.bytes, expected, text.size_bytes), 0, "%s", expected);
}

/* What was judged is logged later: the request's bytes may be gone. */
Test(hotel, an_effect_has_its_texts_when_those_of_the_request_are_gone)
{
	world_standard(&w, 1, 3);
	char code[] = "C-1", zone[] = "UTC";
	struct inv_hotel_op other = hotel_op(hotel_id_of_code(code, 3).v);
	other.mask |= INV_HOTEL_CODE;
	other.settings.code = text(code);
	other.settings.zone = text(zone);
	cr_assert_eq(inv_hotel_judge(w.inv, w.now, &other, &w.effect, &w.answer), INV_EFFECT);
	keeps(w.effect.u.hotel_put.settings.zone, zone, "UTC");
	keeps(w.effect.u.hotel_put.settings.code, code, "C-1");

	memcpy(code, "C-2", 3);
	struct inv_type_op type = {.hotel = {WORLD_HOTEL},
		.type = 1,
		.mask = INV_TYPE_CODE,
		.settings.code = text(code)};
	cr_assert_eq(inv_type_judge(w.inv, w.now, &type, &w.effect, &w.answer), INV_EFFECT);
	keeps(w.effect.u.type_put.settings.code, code, "C-2");

	memcpy(code, "C-3", 3);
	struct inv_plan_op plan = {.hotel = {WORLD_HOTEL},
		.type = 1,
		.plan = 1,
		.mask = INV_PLAN_CODE,
		.settings.code = text(code)};
	cr_assert_eq(inv_plan_judge(w.inv, w.now, &plan, &w.effect, &w.answer), INV_EFFECT);
	keeps(w.effect.u.plan_put.settings.code, code, "C-3");
}
