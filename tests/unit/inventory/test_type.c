#include "world.h"

static struct world w;
static int32_t today;

static void begin(void)
{
	world_init(&w, NULL);
	world_standard(&w, 1, 10);
	today = world_day(2026, 11, 22);
}

static void end(void)
{
	world_agree(&w);
	world_fini(&w);
}

TestSuite(type, .init = begin, .fini = end);

static struct inv_type_view view_of(uint16_t type)
{
	struct inv_type_view views[64];
	uint32_t count = inv_type_list(w.inv, (struct hotel_id){WORLD_HOTEL}, views, 64);
	for (uint32_t i = 0; i < count; i++) {
		if (views[i].type == type)
			return views[i];
	}
	cr_assert_fail("no type %u", type);
	return views[0];
}

static void refused_for(const struct inv_type_op *op, const char *field)
{
	cr_assert_eq(world_type_put(&w, op), KEYRACK_INVALID, "%s", field);
	cr_assert_str_eq(w.answer.refusal.text, field);
}

Test(type, starts_active_and_not_loaded)
{
	struct inv_type_op op = type_op(7);
	cr_assert_eq(world_type_put(&w, &op), KEYRACK_DONE);
	cr_assert(w.answer.created);
	cr_assert_eq(w.answer.ari_version, 3);
	struct inv_type_view view = view_of(7);
	cr_assert_eq(view.set_mask, 0);
	cr_assert_eq(view.settings.status, INV_ACTIVE);
	cr_assert_eq(view.settings.plan_status, INV_ACTIVE);
	cr_assert_eq(view.settings.allowance_unit, INV_ALLOWANCE_ROOMS);
	for (int32_t d = today; d < today + 40; d++) {
		cr_assert_eq(world_counter(&w, 7, d).flags, 0);
		cr_assert_eq(world_counter(&w, 7, d).limit, 0);
		cr_assert_eq(world_rate(&w, 7, d).flags, 0, "unpriced");
	}
}

Test(type, refuses_what_no_type_can_be_and_names_it)
{
	struct inv_type_op op = type_op(65535);
	refused_for(&op, "type");
	op = type_op(65534);
	cr_assert_eq(world_type_put(&w, &op), KEYRACK_DONE);
	op = type_op(2);
	op.mask = INV_TYPE_MASK + 1;
	refused_for(&op, "mask");
	op.mask = 0;
	op.clear_mask = INV_TYPE_CODE;
	refused_for(&op, "clear_mask");
	op.clear_mask = op.mask = INV_TYPE_CAP;
	refused_for(&op, "clear_mask");
	op = type_op(2);
	op.mask = INV_TYPE_STATUS;
	refused_for(&op, "status");
	op.settings.status = 4;
	refused_for(&op, "status");
	op.mask = INV_TYPE_PLAN_STATUS;
	refused_for(&op, "plan_status");
	op.mask = INV_TYPE_ALLOWANCE_UNIT;
	refused_for(&op, "allowance_unit");
	op.settings.allowance_unit = 3;
	refused_for(&op, "allowance_unit");
	op.mask = INV_TYPE_CODE;
	op.settings.code = text("123456789012345678901234567890123");
	refused_for(&op, "code");
	op.hotel.v = 1;
	op.mask = 0;
	cr_assert_eq(world_type_put(&w, &op), KEYRACK_NOT_FOUND);
	cr_assert_eq(w.answer.refusal.rule, RULE_HOTEL);
}

Test(type, stores_every_field)
{
	struct inv_type_op op = type_op(1);
	op.mask = INV_TYPE_MASK;
	op.settings = (struct inv_type_settings){.code = text("DBL"),
		.status = 2,
		.plan_status = 3,
		.allowance_unit = 2,
		.physical = 4,
		.out_of_order = 5,
		.allowance = -6,
		.cap = 7,
		.guests_max = 8,
		.advance_min_minutes = 9,
		.advance_max_minutes = 10};
	cr_assert_eq(world_type_put(&w, &op), KEYRACK_DONE);
	const struct inv_type_settings s = view_of(1).settings;
	cr_assert_eq(s.code.size_bytes, 3);
	cr_assert_arr_eq(s.code.bytes, "DBL", 3);
	cr_assert_eq(s.status, 2);
	cr_assert_eq(s.plan_status, 3);
	cr_assert_eq(s.allowance_unit, 2);
	cr_assert_eq(s.physical, 4);
	cr_assert_eq(s.out_of_order, 5);
	cr_assert_eq(s.allowance, -6);
	cr_assert_eq(s.cap, 7);
	cr_assert_eq(s.guests_max, 8);
	cr_assert_eq(s.advance_min_minutes, 9);
	cr_assert_eq(s.advance_max_minutes, 10);
}

Test(type, and_its_plan_can_be_closed_and_retired_and_come_back)
{
	for (uint8_t status = INV_RETIRED; status >= INV_ACTIVE; status--) {
		struct inv_type_op op = type_op(1);
		op.mask = INV_TYPE_STATUS | INV_TYPE_PLAN_STATUS;
		op.settings.status = status;
		op.settings.plan_status = (uint8_t)(INV_RETIRED + INV_ACTIVE - status);
		cr_assert_eq(world_type_put(&w, &op), KEYRACK_DONE);
		cr_assert_eq(view_of(1).settings.status, status);
		cr_assert_eq(view_of(1).settings.plan_status, op.settings.plan_status);
		cr_assert_eq(world_counter(&w, 1, today).limit, 10, "its nights stay as they are");
	}
}

Test(type, code_is_unique_in_the_hotel)
{
	struct inv_type_op op = type_op(2);
	op.mask = INV_TYPE_CODE;
	op.settings.code = text("DBL");
	cr_assert_eq(world_type_put(&w, &op), KEYRACK_DONE);
	cr_assert_eq(world_type_put(&w, &op), KEYRACK_DONE, "its own code again");
	op.type = 3;
	refused_for(&op, "code");
	op.settings.code = text("DBLX");
	cr_assert_eq(world_type_put(&w, &op), KEYRACK_DONE);
	op.settings.code = text("");
	cr_assert_eq(world_type_put(&w, &op), KEYRACK_DONE);
	op.type = 2;
	cr_assert_eq(world_type_put(&w, &op), KEYRACK_DONE, "none is not a code");
	op.settings.code = text("DBLX");
	cr_assert_eq(world_type_put(&w, &op), KEYRACK_DONE, "free again");
}

Test(type, sets_and_clears_each_input_on_its_own)
{
	struct inv_type_op op = type_op(1);
	op.mask = INV_TYPE_OUT_OF_ORDER;
	op.settings.out_of_order = 3;
	cr_assert_eq(world_type_put(&w, &op), KEYRACK_DONE);
	cr_assert_eq(world_counter(&w, 1, today).limit, 7);
	op.mask = INV_TYPE_ALLOWANCE | INV_TYPE_ALLOWANCE_UNIT;
	op.settings.allowance = 5000;
	op.settings.allowance_unit = INV_ALLOWANCE_BASIS_POINTS;
	cr_assert_eq(world_type_put(&w, &op), KEYRACK_DONE);
	cr_assert_eq(world_counter(&w, 1, today + 39).limit, 10, "7 + 50 %% of 7");
	op.mask = INV_TYPE_CAP;
	op.settings.cap = 4;
	cr_assert_eq(world_type_put(&w, &op), KEYRACK_DONE);
	cr_assert_eq(world_counter(&w, 1, today).limit, 4);
	cr_assert_eq(
		world_counter(&w, 1, today).flags, CELL_LOADED, "a default cap is not explicit");
	cr_assert_eq(view_of(1).set_mask, INV_TYPE_CLEARABLE);
	op = type_op(1);
	op.clear_mask = INV_TYPE_CAP | INV_TYPE_OUT_OF_ORDER;
	cr_assert_eq(world_type_put(&w, &op), KEYRACK_DONE);
	cr_assert_eq(world_counter(&w, 1, today).limit, 15);
	cr_assert_eq(view_of(1).settings.cap, 0);
	cr_assert_eq(view_of(1).settings.out_of_order, 0);
	op.clear_mask = INV_TYPE_PHYSICAL;
	cr_assert_eq(world_type_put(&w, &op), KEYRACK_DONE);
	cr_assert_eq(world_counter(&w, 1, today).limit, 0);
	cr_assert_eq(world_counter(&w, 1, today).flags, 0, "not loaded any more");
	op = type_op(1);
	op.mask = INV_TYPE_CAP;
	op.settings.cap = 0;
	cr_assert_eq(world_type_put(&w, &op), KEYRACK_DONE);
	cr_assert_eq(world_counter(&w, 1, today).flags, CELL_LOADED, "a cap of 0 is a limit");
}

Test(type, changed_defaults_reach_the_nights_that_take_them)
{
	const uint16_t types[] = {1};
	struct inv_update_op by_date = update_op(types, 1, today + 2, today + 3);
	by_date.update.set_mask = INV_UPDATE_PHYSICAL;
	by_date.update.physical = 20;
	cr_assert_eq(world_update(&w, &by_date), KEYRACK_DONE);
	struct inv_update_op cap = update_op(types, 1, today + 3, today + 4);
	cap.update.set_mask = INV_UPDATE_CAP;
	cap.update.cap = 1;
	cr_assert_eq(world_update(&w, &cap), KEYRACK_DONE);
	struct inv_type_op op = type_op(1);
	op.mask = INV_TYPE_PHYSICAL | INV_TYPE_OUT_OF_ORDER;
	op.settings.physical = 30;
	op.settings.out_of_order = 1;
	world_sell(&w, 1, today, 3, 27);
	cr_assert_eq(world_type_put(&w, &op), KEYRACK_DONE);
	cr_assert_eq(w.answer.cell_count, 38, "two nights have a cap of their own");
	cr_assert_eq(w.answer.cells_over_limit, 1);
	static const int16_t limits[] = {29, 29, 19, 1, 1, 29};
	for (int32_t n = 0; n < 6; n++)
		cr_assert_eq(world_counter(&w, 1, today + n).limit, limits[n], "night %d", n);
	world_sell(&w, 1, today, 0, 0);
}

Test(type, never_lets_a_limit_leave_its_width)
{
	struct inv_type_op op = type_op(1);
	op.mask = INV_TYPE_PHYSICAL;
	op.settings.physical = 32767;
	cr_assert_eq(world_type_put(&w, &op), KEYRACK_DONE);
	op.settings.physical = 32768;
	cr_assert_eq(world_type_put(&w, &op), KEYRACK_COUNTER_FULL);
	cr_assert_eq(w.answer.refusal.rule, RULE_COUNTER);
	cr_assert_eq(w.answer.refusal.required, 32768);
	cr_assert_eq(w.answer.refusal.left, 32767);
	const uint16_t types[] = {1};
	struct inv_update_op by_date = update_op(types, 1, today + 5, today + 5);
	by_date.update.set_mask = INV_UPDATE_ALLOWANCE;
	by_date.update.allowance = 100;
	by_date.update.allowance_unit = INV_ALLOWANCE_ROOMS;
	op.settings.physical = 32700;
	cr_assert_eq(world_type_put(&w, &op), KEYRACK_DONE);
	cr_assert_eq(world_update(&w, &by_date), KEYRACK_COUNTER_FULL);
	by_date.update.allowance = 67;
	cr_assert_eq(world_update(&w, &by_date), KEYRACK_DONE);
	op.settings.physical = 32701;
	cr_assert_eq(world_type_put(&w, &op), KEYRACK_COUNTER_FULL, "one night has an allowance");
	cr_assert_eq(w.answer.refusal.day, today + 5);
	op.type = 2;
	op.settings.physical = 40000;
	cr_assert_eq(world_type_put(&w, &op), KEYRACK_COUNTER_FULL, "a new one neither");
	op.mask |= INV_TYPE_OUT_OF_ORDER;
	op.settings.out_of_order = 10000;
	cr_assert_eq(world_type_put(&w, &op), KEYRACK_DONE);
}

Test(type, lists_come_ascending)
{
	static const uint16_t numbers[] = {9, 4, 65534, 0, 30};
	struct inv_type_view views[8];
	for (size_t i = 0; i < KR_ARRAY_COUNT(numbers); i++) {
		struct inv_type_op op = type_op(numbers[i]);
		cr_assert_eq(world_type_put(&w, &op), KEYRACK_DONE);
	}
	static const uint16_t sorted[] = {0, 1, 4, 9, 30, 65534};
	cr_assert_eq(inv_type_list(w.inv, (struct hotel_id){WORLD_HOTEL}, views, 8), 6);
	for (size_t i = 0; i < 6; i++)
		cr_assert_eq(views[i].type, sorted[i]);
	cr_assert_eq(inv_type_list(w.inv, (struct hotel_id){WORLD_HOTEL}, views, 2), 2);
}

Test(type, tables_answer_when_they_are_full)
{
	for (uint16_t type = 2; type <= 64; type++) {
		struct inv_type_op op = type_op(type);
		cr_assert_eq(world_type_put(&w, &op), KEYRACK_DONE);
	}
	struct inv_type_op op = type_op(65);
	cr_assert_eq(world_type_put(&w, &op), KEYRACK_LIMIT_REACHED);
	cr_assert_str_eq(w.answer.refusal.text, "rows");
	op.type = 64;
	cr_assert_eq(world_type_put(&w, &op), KEYRACK_DONE, "a known one still changes");
}

Test(type, a_hotel_has_at_most_1024)
{
	struct inv_config config = world_config();
	world_fini(&w);
	config.rows_max = 1100;
	config.window_nights = 8;
	world_init(&w, &config);
	world_standard(&w, 1024, 1);
	struct inv_type_op op = type_op(1025);
	cr_assert_eq(world_type_put(&w, &op), KEYRACK_LIMIT_REACHED);
	cr_assert_str_eq(w.answer.refusal.text, "types of the hotel");
	cr_assert_eq(w.answer.refusal.required, 1024);
}

Test(type, expects_a_version_when_told_to)
{
	struct inv_type_op op = type_op(1);
	op.has_expected_version = true;
	op.expected_ari_version = 1;
	cr_assert_eq(world_type_put(&w, &op), KEYRACK_VERSION_MISMATCH);
	cr_assert_eq(w.answer.ari_version, 2);
	op.expected_ari_version = 2;
	cr_assert_eq(world_type_put(&w, &op), KEYRACK_DONE);
	cr_assert_eq(w.answer.ari_version, 3);
}

Test(type, contradictions_change_nothing)
{
	struct inv_type_op op = type_op(1);
	uint64_t digest = inv_digest(w.inv);
	op.mask = INV_TYPE_PHYSICAL;
	op.settings.physical = 3;
	cr_assert_eq(inv_type_judge(w.inv, w.now, &op, &w.effect, &w.answer), INV_EFFECT);
	for (int broken = 0; broken < 7; broken++) {
		struct inv_effect e = w.effect;
		e.lsn = w.lsn + 1;
		e.event_seq -= broken == 0;
		e.u.type_put.created = broken == 1;
		e.u.type_put.ari_version -= broken == 2;
		e.u.type_put.type += broken == 3;
		e.u.type_put.settings.physical = broken == 4 ? 65535 : 3;
		e.u.type_put.set_mask |= broken == 5 ? INV_TYPE_CODE : 0;
		e.u.type_put.settings.status = broken == 6 ? 9 : INV_ACTIVE;
		cr_assert_eq(world_apply(&w, &e), INV_CONTRADICTION, "%d", broken);
		cr_assert_eq(inv_digest(w.inv), digest, "%d", broken);
	}
}
