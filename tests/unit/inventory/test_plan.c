#include "tests/unit/inventory/sales.h"

/* Rate plans: several products of one room type share its rooms. */

#define OWN 3    /* a plan with prices of its own */
#define LESS 7   /* OWN less ten per cent */
#define FIXED 11 /* BASE less 30.00 */

static struct world w;
static int32_t today;

static struct inv_plan_op plan_op(uint16_t type, uint16_t plan)
{
	return (struct inv_plan_op){.hotel = {WORLD_HOTEL}, .type = type, .plan = plan};
}

static struct inv_plan_op derived_op(uint16_t plan, uint16_t parent, uint8_t how, int64_t by)
{
	struct inv_plan_op op = plan_op(1, plan);
	op.mask = INV_PLAN_PARENT | INV_PLAN_DERIVATION | INV_PLAN_ADJUSTMENT;
	op.settings.parent = parent;
	op.settings.derivation = how;
	op.settings.adjustment = by;
	return op;
}

static void put(const struct inv_plan_op *op)
{
	cr_assert_eq(world_plan_put(&w, op), KEYRACK_DONE, "%u %s", w.answer.code,
		w.answer.refusal.text);
}

static void price(uint16_t plan, int32_t first, int32_t last, int64_t price_minor)
{
	const uint16_t type = 1;
	struct inv_update_op op = update_op(&type, 1, first, last);
	op.update.plan = plan;
	op.update.set_mask = INV_UPDATE_PRICE;
	op.update.price_minor = price_minor;
	cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
}

static void flag(uint16_t plan, int32_t day, uint32_t field)
{
	const uint16_t type = 1;
	struct inv_update_op op = update_op(&type, 1, day, day);
	op.update.plan = plan;
	op.update.set_mask = field;
	op.update.plan_closed = op.update.plan_cta = op.update.plan_ctd = true;
	op.update.los.min_arrival = op.update.los.min_through = 7;
	cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
}

static void begin(void)
{
	world_init(&w, NULL);
	world_standard(&w, 2, 5);
	today = world_day(2026, 11, 22);
	struct inv_plan_op op = plan_op(1, OWN);
	put(&op);
	cr_assert(w.answer.created);
	op = derived_op(LESS, OWN, INV_PRICES_PLUS_POINTS, -1000);
	put(&op);
	op = derived_op(FIXED, 0, INV_PRICES_PLUS_MINOR, -3000);
	put(&op);
	price(0, today, today + 39, 10000);
	price(OWN, today, today + 39, 8005);
}

static void end(void)
{
	sales_agree(&w);
	world_fini(&w);
}

TestSuite(plan, .init = begin, .fini = end);

static struct inv_line line_of(uint16_t plan, int32_t first, int32_t end_day)
{
	struct inv_line line = stay_line(1, first, end_day);
	line.plan = plan;
	line.pricing = INV_PRICE_CALENDAR;
	return line;
}

static uint16_t book(uint64_t random, const struct inv_line *lines, uint32_t line_count)
{
	struct inv_reserve_op op = book_op(&w, random, lines, line_count);
	return sales_reserve(&w, &op);
}

static uint64_t rate_of(uint16_t plan, int32_t day)
{
	const uint16_t type = 1;
	uint64_t counter, rate;
	struct inv_answer answer = {0};
	inv_availability(w.inv, (struct hotel_id){WORLD_HOTEL}, &type, 1, plan, day, 1, &counter,
		&rate, &answer);
	cr_assert_eq(answer.code, KEYRACK_DONE);
	return rate;
}

static uint64_t price_of(uint16_t plan, int32_t day)
{
	struct cell_rate rate = cell_rate_unpack(rate_of(plan, day));
	cr_assert(rate.flags & RATE_PRICED);
	return rate.price_minor;
}

static void refused_for(const struct inv_plan_op *op, const char *field)
{
	cr_assert_eq(world_plan_put(&w, op), KEYRACK_INVALID, "%s", field);
	cr_assert_str_eq(w.answer.refusal.text, field);
}

/* ---- the catalogue ---- */

Test(plan, every_type_has_plan_0_whose_code_is_base)
{
	struct inv_plan_view views[8];
	bool more;
	uint32_t count =
		inv_plan_list(w.inv, (struct hotel_id){WORLD_HOTEL}, 0, 0, views, 8, &more);
	cr_assert_eq(count, 5);
	cr_assert(!more);
	const uint16_t types[5] = {1, 1, 1, 1, 2}, plans[5] = {0, OWN, LESS, FIXED, 0};
	for (uint32_t i = 0; i < count; i++) {
		cr_assert_eq(views[i].type, types[i]);
		cr_assert_eq(views[i].plan, plans[i]);
		cr_assert_eq(views[i].settings.status, INV_ACTIVE);
	}
	cr_assert_eq(views[4].settings.code.size_bytes, 4);
	cr_assert_eq(memcmp(views[4].settings.code.bytes, "BASE", 4), 0);
	count = inv_plan_list(w.inv, (struct hotel_id){WORLD_HOTEL}, 1, LESS, views, 2, &more);
	cr_assert_eq(count, 2);
	cr_assert(more);
	cr_assert_eq(views[0].plan, LESS);
	cr_assert_eq(views[1].plan, FIXED);
}

Test(plan, refuses_what_no_plan_can_be_and_names_it)
{
	struct inv_plan_op op = plan_op(1, 65535);
	refused_for(&op, "plan");
	op = plan_op(1, 20);
	op.mask = INV_PLAN_STATUS;
	op.settings.status = 4;
	refused_for(&op, "status");
	op = derived_op(20, LESS, INV_PRICES_PLUS_MINOR, 1);
	refused_for(&op, "parent");
	op = derived_op(20, 19, INV_PRICES_PLUS_MINOR, 1);
	refused_for(&op, "parent");
	op = derived_op(20, 20, INV_PRICES_PLUS_MINOR, 1);
	refused_for(&op, "parent");
	op = derived_op(20, OWN, INV_PRICES_OWN, 0);
	refused_for(&op, "parent");
	op = derived_op(20, 0, 3, 0);
	refused_for(&op, "derivation");
	op = derived_op(20, 0, INV_PRICES_OWN, 1);
	refused_for(&op, "adjustment");
	op = derived_op(20, 0, INV_PRICES_PLUS_POINTS, -10001);
	refused_for(&op, "adjustment");
	op = derived_op(20, 0, INV_PRICES_PLUS_MINOR, (int64_t)RATE_PRICE_MAX + 1);
	refused_for(&op, "adjustment");
	op = plan_op(1, 20);
	op.mask = INV_PLAN_TIERS;
	op.settings.tier_count = 2;
	op.settings.tiers[0] = op.settings.tiers[1] = (struct inv_tier){24, 1, 0};
	refused_for(&op, "tiers");
	op.mask = INV_PLAN_MASK + 1;
	refused_for(&op, "mask");
	op = plan_op(9, 20);
	cr_assert_eq(world_plan_put(&w, &op), KEYRACK_NOT_FOUND);
	cr_assert_eq(w.answer.refusal.rule, RULE_TYPE);
}

Test(plan, a_code_is_one_plans_of_the_type)
{
	struct inv_plan_op op = plan_op(1, OWN);
	op.mask = INV_PLAN_CODE;
	op.settings.code = text("FLEX");
	put(&op);
	op.plan = LESS;
	refused_for(&op, "code");
	op.settings.code = text("BASE");
	refused_for(&op, "code");
	op.plan = 0;
	put(&op);
	op.settings.code = text("OTHER");
	refused_for(&op, "code");
	op = plan_op(2, 1);
	op.mask = INV_PLAN_CODE;
	op.settings.code = text("FLEX");
	put(&op);
}

Test(plan, where_prices_come_from_is_fixed_and_by_how_much_is_not)
{
	struct inv_plan_op op = derived_op(LESS, OWN, INV_PRICES_PLUS_MINOR, 5);
	refused_for(&op, "derivation");
	op = derived_op(LESS, 0, INV_PRICES_PLUS_POINTS, 5);
	refused_for(&op, "parent");
	op = derived_op(OWN, 0, INV_PRICES_PLUS_POINTS, 5);
	refused_for(&op, "derivation");
	op = derived_op(LESS, OWN, INV_PRICES_PLUS_POINTS, 1000);
	put(&op);
	cr_assert(!w.answer.created);
	cr_assert_eq(price_of(LESS, today), 8806, "8805.5 is rounded up");
}

Test(plan, status_and_advance_of_plan_0_are_the_types)
{
	struct inv_plan_op op = plan_op(1, 0);
	struct inv_type_view type;
	op.mask = INV_PLAN_STATUS | INV_PLAN_ADVANCE_MIN | INV_PLAN_TIERS;
	op.settings.status = INV_CLOSED;
	op.settings.advance_min_minutes = 90;
	op.settings.tier_count = 1;
	op.settings.tiers[0] = (struct inv_tier){24, 0, 10000};
	put(&op);
	cr_assert_eq(inv_type_list(w.inv, (struct hotel_id){WORLD_HOTEL}, &type, 1), 1);
	cr_assert_eq(type.settings.plan_status, INV_CLOSED);
	cr_assert_eq(type.settings.advance_min_minutes, 90);
	struct inv_line line = line_of(0, today + 1, today + 2);
	cr_assert_eq(book(1, &line, 1), KEYRACK_RATE_CLOSED);
	line.plan = OWN;
	cr_assert_eq(book(2, &line, 1), KEYRACK_DONE);
}

Test(plan, a_full_table_takes_no_more)
{
	for (uint16_t plan = 100; plan < 100 + 13; plan++) {
		struct inv_plan_op op = plan_op(2, plan);
		put(&op);
	}
	struct inv_plan_op op = plan_op(2, 200);
	cr_assert_eq(world_plan_put(&w, &op), KEYRACK_LIMIT_REACHED);
	cr_assert_str_eq(w.answer.refusal.text, "rate plans");
	op.plan = 100;
	put(&op);
}

Test(plan, a_room_type_takes_as_many_as_it_may_have)
{
	struct inv_config config = world_config();
	config.plans_max = 2 * INV_TYPE_PLANS_MAX;
	world_fini(&w);
	world_init(&w, &config);
	world_standard(&w, 2, 5);
	for (uint16_t plan = 1; plan <= INV_TYPE_PLANS_MAX; plan++) {
		const struct inv_plan_op op = plan_op(1, plan);
		put(&op);
	}
	struct inv_plan_op op = plan_op(1, 200);
	cr_assert_eq(world_plan_put(&w, &op), KEYRACK_LIMIT_REACHED);
	cr_assert_str_eq(w.answer.refusal.text, "rate plans of the room type");
	cr_assert_eq(w.answer.refusal.required, INV_TYPE_PLANS_MAX);
	op.type = 2;
	put(&op);
	/* Nor does an effect bring it one more. */
	struct inv_effect effect = w.effect;
	effect.lsn = w.lsn + 1;
	effect.event_seq++;
	effect.u.plan_put.ari_version++;
	effect.u.plan_put.type = 1;
	cr_assert_eq(world_apply(&w, &effect), INV_CONTRADICTION);
	cr_assert_str_eq(w.contradiction.what, "the room type has too many rate plans");
}

Test(plan, a_stale_version_is_refused_and_each_put_makes_one)
{
	struct inv_plan_op op = plan_op(1, OWN);
	struct inv_hotel_head head;
	cr_assert(inv_hotel_head(w.inv, (struct hotel_id){WORLD_HOTEL}, &head));
	op.has_expected_version = true;
	op.expected_ari_version = head.ari_version - 1;
	cr_assert_eq(world_plan_put(&w, &op), KEYRACK_VERSION_MISMATCH);
	op.expected_ari_version = head.ari_version;
	put(&op);
	cr_assert_eq(w.answer.ari_version, head.ari_version + 1);
}

/* ---- prices ---- */

Test(plan, a_derived_price_is_rounded_to_the_nearest_and_follows_its_parent)
{
	cr_assert_eq(price_of(0, today), 10000);
	cr_assert_eq(price_of(OWN, today), 8005);
	cr_assert_eq(price_of(LESS, today), 7205, "7204.5 is rounded up");
	cr_assert_eq(price_of(FIXED, today), 7000);
	price(OWN, today, today, 8004);
	cr_assert_eq(price_of(LESS, today), 7204, "7203.6");
	price(0, today, today, 2999);
	cr_assert(!(cell_rate_unpack(rate_of(FIXED, today)).flags & RATE_PRICED), "below 0");
	price(0, today, today, 3000);
	cr_assert_eq(price_of(FIXED, today), 0);
}

Test(plan, a_night_without_a_price_of_the_plan_is_no_rate)
{
	const uint16_t type = 1;
	struct inv_update_op op = update_op(&type, 1, today + 2, today + 2);
	op.update.plan = OWN;
	op.update.clear_mask = INV_UPDATE_PRICE;
	cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
	struct inv_line line = line_of(OWN, today + 1, today + 4);
	cr_assert_eq(book(1, &line, 1), KEYRACK_NO_RATE);
	cr_assert_eq(w.answer.refusal.day, today + 2);
	line.plan = LESS;
	cr_assert_eq(book(2, &line, 1), KEYRACK_NO_RATE);
	line.plan = FIXED;
	cr_assert_eq(book(3, &line, 1), KEYRACK_DONE);
	cr_assert_eq(w.answer.total_minor, 3 * 7000);
	line.plan = 12;
	cr_assert_eq(book(4, &line, 1), KEYRACK_NOT_FOUND);
	cr_assert_eq(w.answer.refusal.rule, RULE_PLAN);
}

Test(plan, the_plan_is_frozen_with_its_prices)
{
	struct inv_line lines[2] = {
		line_of(LESS, today + 1, today + 3), line_of(FIXED, today + 3, today + 4)};
	struct inv_reservation_view view;
	cr_assert_eq(book(1, lines, 2), KEYRACK_DONE);
	price(OWN, today, today + 39, 1);
	cr_assert(inv_reservation_get(w.inv, sales_id(&w, 1), w.now.t_us, &view));
	cr_assert_eq(view.total_minor, 2 * 7205 + 7000);
	cr_assert_eq(view.lines[0].plan, LESS);
	cr_assert_eq(view.lines[1].plan, FIXED);
	cr_assert_eq(view.lines[1].runs[0].price_minor, 7000);
}

Test(plan, all_plans_draw_on_the_rooms_of_the_type)
{
	const uint16_t plans[5] = {0, OWN, LESS, FIXED, OWN};
	struct inv_line line;
	for (uint32_t i = 0; i < 5; i++) {
		line = line_of(plans[i], today + 1, today + 3);
		cr_assert_eq(book(1 + i, &line, 1), KEYRACK_DONE);
	}
	cr_assert_eq(world_counter(&w, 1, today + 1).booked, 5);
	line = line_of(LESS, today + 2, today + 4);
	cr_assert_eq(book(9, &line, 1), KEYRACK_SOLD_OUT);
	cr_assert_eq(w.answer.refusal.day, today + 2);
	cr_assert_eq(sales_cancel(&w, sales_id(&w, 2), false), KEYRACK_DONE);
	cr_assert_eq(book(10, &line, 1), KEYRACK_DONE);
}

/* ---- restrictions ---- */

Test(plan, restrictions_are_the_plans_own_or_its_parents)
{
	struct inv_line line = line_of(0, today + 1, today + 3);
	flag(OWN, today + 2, INV_UPDATE_PLAN_CLOSED);
	cr_assert_eq(book(1, &line, 1), KEYRACK_DONE);
	line.plan = OWN;
	cr_assert_eq(book(2, &line, 1), KEYRACK_RATE_CLOSED);
	cr_assert_eq(w.answer.refusal.rule, RULE_PLAN_CLOSED);
	cr_assert_eq(w.answer.refusal.day, today + 2);
	line.plan = LESS;
	cr_assert_eq(book(3, &line, 1), KEYRACK_RATE_CLOSED);
	line.plan = FIXED;
	cr_assert_eq(book(4, &line, 1), KEYRACK_DONE);
	flag(OWN, today + 10, INV_UPDATE_PLAN_CTA);
	line = line_of(LESS, today + 10, today + 11);
	cr_assert_eq(book(5, &line, 1), KEYRACK_CLOSED_TO_ARRIVAL);
	flag(OWN, today + 13, INV_UPDATE_PLAN_CTD);
	line = line_of(OWN, today + 12, today + 13);
	cr_assert_eq(book(6, &line, 1), KEYRACK_CLOSED_TO_DEPARTURE);
	flag(0, today + 15, INV_UPDATE_MIN_ARRIVAL);
	line = line_of(FIXED, today + 15, today + 17);
	cr_assert_eq(book(7, &line, 1), KEYRACK_MIN_LOS);
	line.plan = OWN;
	cr_assert_eq(book(8, &line, 1), KEYRACK_DONE);
	flag(OWN, today + 19, INV_UPDATE_MIN_THROUGH);
	line = line_of(LESS, today + 18, today + 20);
	cr_assert_eq(book(9, &line, 1), KEYRACK_MIN_LOS);
	cr_assert_eq(w.answer.refusal.rule, RULE_MIN_THROUGH);
}

Test(plan, advance_notice_and_status_are_the_plans_own)
{
	struct inv_plan_op op = plan_op(1, LESS);
	op.mask = INV_PLAN_ADVANCE_MIN;
	op.settings.advance_min_minutes = 7 * 24 * 60;
	put(&op);
	struct inv_line line = line_of(LESS, today + 2, today + 3);
	cr_assert_eq(book(1, &line, 1), KEYRACK_TOO_LATE);
	line.plan = OWN;
	cr_assert_eq(book(2, &line, 1), KEYRACK_DONE);
	op = plan_op(1, OWN);
	op.mask = INV_PLAN_STATUS;
	op.settings.status = INV_RETIRED;
	put(&op);
	cr_assert_eq(book(3, &line, 1), KEYRACK_RATE_CLOSED);
	cr_assert_eq(w.answer.refusal.rule, RULE_PLAN);
	line = line_of(LESS, today + 12, today + 13);
	cr_assert_eq(book(4, &line, 1), KEYRACK_DONE, "a derived plan has a status of its own");
}

/* ---- updates ---- */

Test(plan, an_update_reaches_the_plans_nights_and_the_types_counts)
{
	const uint16_t type = 1;
	struct inv_update_op op = update_op(&type, 1, today + 3, today + 4);
	op.update.plan = OWN;
	op.update.set_mask = INV_UPDATE_PRICE | INV_UPDATE_CAP | INV_UPDATE_CLOSED;
	op.update.price_minor = 77;
	op.update.cap = 2;
	op.update.closed = true;
	cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
	cr_assert_eq(w.answer.cell_count, 2);
	cr_assert_eq(price_of(OWN, today + 3), 77);
	cr_assert_eq(price_of(0, today + 3), 10000);
	cr_assert_eq(world_counter(&w, 1, today + 3).limit, 2);
	cr_assert(world_counter(&w, 1, today + 3).flags & CELL_CLOSED);
}

Test(plan, an_update_of_every_type_reaches_those_that_have_the_plan)
{
	struct inv_update_op op = update_op(NULL, 0, today, today);
	op.update.plan = OWN;
	op.update.set_mask = INV_UPDATE_PRICE;
	op.update.price_minor = 5;
	cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
	cr_assert_eq(w.answer.cell_count, 1);
	op.update.plan = 99;
	cr_assert_eq(world_update(&w, &op), KEYRACK_NOT_FOUND);
	cr_assert_eq(w.answer.refusal.rule, RULE_PLAN);
	const uint16_t types[2] = {1, 2};
	op.types = types;
	op.type_count = 2;
	op.update.plan = OWN;
	cr_assert_eq(world_update(&w, &op), KEYRACK_NOT_FOUND);
	cr_assert_eq(w.answer.refusal.rule, RULE_PLAN);
	cr_assert_eq(w.answer.refusal.line, 1);
	op.type_count = 1;
	op.update.plan = LESS;
	cr_assert_eq(world_update(&w, &op), KEYRACK_INVALID);
	cr_assert_str_eq(w.answer.refusal.text, "plan");
}

Test(plan, the_window_moves_on_without_old_prices)
{
	flag(OWN, today, INV_UPDATE_MIN_ARRIVAL);
	world_time(&w, 2026, 11, 24, 12, 0);
	cr_assert_eq(sales_due(&w), 1);
	cr_assert_eq(rate_of(OWN, today + 40), 0);
	cr_assert_eq(rate_of(OWN, today + 41), 0);
	cr_assert_eq(price_of(OWN, today + 39), 8005);
}

/* ---- changes ---- */

static uint16_t modify(uint64_t random, const struct inv_line *lines, uint32_t line_count)
{
	struct inv_reservation_view view;
	struct inv_transition_op op = transition_op(INV_MODIFY, sales_id(&w, random));
	cr_assert(inv_reservation_get(w.inv, op.id, w.now.t_us, &view));
	op.has_expected_revision = true;
	op.expected_revision = view.revision;
	op.change_id = 900 + view.revision;
	op.lines = lines;
	op.line_count = line_count;
	return sales_transition(&w, &op);
}

Test(plan, another_plan_costs_its_price_and_asks_its_rules_but_no_room)
{
	struct inv_line line = line_of(OWN, today + 1, today + 3);
	line.rooms = 5;
	cr_assert_eq(book(1, &line, 1), KEYRACK_DONE);
	line.plan = FIXED;
	cr_assert_eq(modify(1, &line, 1), KEYRACK_DONE);
	cr_assert_eq(w.answer.total_minor, 5 * 2 * 7000);
	cr_assert_eq(world_counter(&w, 1, today + 1).booked, 5);
	flag(OWN, today + 2, INV_UPDATE_PLAN_CLOSED);
	line.plan = LESS;
	cr_assert_eq(modify(1, &line, 1), KEYRACK_RATE_CLOSED);
	line.plan = FIXED;
	line.check_out = today + 2;
	flag(0, today + 1, INV_UPDATE_PLAN_CLOSED);
	cr_assert_eq(modify(1, &line, 1), KEYRACK_DONE, "what is kept is not asked");
}

Test(plan, its_terms_are_frozen_with_the_sale)
{
	struct inv_plan_op op = plan_op(1, OWN);
	op.mask = INV_PLAN_TIERS;
	op.settings.tier_count = 1;
	op.settings.tiers[0] = (struct inv_tier){48, 0, 5000};
	put(&op);
	struct inv_line line = line_of(OWN, today + 1, today + 3);
	cr_assert_eq(book(1, &line, 1), KEYRACK_DONE);
	op.settings.tier_count = 0;
	put(&op);
	line.plan = LESS;
	cr_assert_eq(book(2, &line, 1), KEYRACK_DONE);
	cr_assert_eq(sales_cancel(&w, sales_id(&w, 1), false), KEYRACK_DONE);
	cr_assert_eq(w.answer.penalty_minor, 8005);
	cr_assert_eq(w.answer.refundable_minor, 8005);
	cr_assert_eq(sales_cancel(&w, sales_id(&w, 2), false), KEYRACK_DONE);
	cr_assert_eq(w.answer.penalty_minor, 0);
	cr_assert_eq(w.answer.refundable_minor, 2 * 7205);
}

/* ---- damage ---- */

Test(plan, contradictions_change_nothing)
{
	struct inv_plan_op op = derived_op(20, OWN, INV_PRICES_PLUS_MINOR, 5);
	cr_assert_eq(inv_plan_judge(w.inv, w.now, &op, &w.effect, &w.answer), INV_EFFECT);
	struct inv_effect good = w.effect;
	good.lsn = w.lsn + 1;
	uint64_t digest = inv_digest(w.inv);
	struct inv_effect bad[6] = {good, good, good, good, good, good};
	bad[0].u.plan_put.created = false;
	bad[1].u.plan_put.settings.parent = LESS;
	bad[2].u.plan_put.settings.derivation = 9;
	bad[3].u.plan_put.type = 5;
	bad[4].u.plan_put.ari_version++;
	bad[5].u.plan_put.plan = OWN;
	for (int i = 0; i < 6; i++) {
		cr_assert_eq(world_apply(&w, &bad[i]), INV_CONTRADICTION, "%d", i);
		cr_assert_eq(inv_digest(w.inv), digest, "%d", i);
	}
}
