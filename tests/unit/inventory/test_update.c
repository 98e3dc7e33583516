#include "world.h"

#include "engine/inventory/priv.h"
#include "engine/inventory/update.h"

#include <stdlib.h>

static struct world w;
static int32_t today;
static const uint16_t type_one[] = {1};

static void begin(void)
{
	world_init(&w, NULL);
	world_standard(&w, 3, 10);
	today = world_day(2026, 11, 22); /* a Sunday */
}

static void end(void)
{
	world_agree(&w);
	world_fini(&w);
}

TestSuite(update, .init = begin, .fini = end);

static struct inv_update_op one(int32_t first, int32_t last)
{
	return update_op(type_one, 1, today + first, today + last);
}

static void refused_for(const struct inv_update_op *op, const char *field)
{
	cr_assert_eq(world_update(&w, op), KEYRACK_INVALID, "%s", field);
	cr_assert_eq(w.answer.refusal.rule, RULE_FIELD);
	cr_assert_str_eq(w.answer.refusal.text, field);
}

Test(update, sets_every_field_on_the_nights_named_and_no_other)
{
	struct inv_update_op op = one(5, 7);
	struct inv_update *u = &op.update;
	u->set_mask = INV_UPDATE_MASK & ~INV_UPDATE_AVAILABLE & ~INV_UPDATE_CAP;
	u->physical = 12;
	u->out_of_order = 2;
	u->allowance = 3;
	u->allowance_unit = INV_ALLOWANCE_ROOMS;
	u->closed = u->cta = u->ctd = u->plan_closed = u->plan_cta = u->plan_ctd = true;
	u->price_minor = 12345;
	u->los = (struct los_class){2, 14, 3, 65534};
	cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
	cr_assert_eq(w.answer.cell_count, 3);
	cr_assert_eq(w.answer.cells_over_limit, 0);
	cr_assert_eq(w.answer.ari_version, 5);
	cr_assert_eq(w.effect.u.update.old_count, 1, "equal nights are one run");
	for (int32_t n = 0; n < 40; n++) {
		bool in = n >= 5 && n <= 7;
		struct cell_counter c = world_counter(&w, 1, today + n);
		struct cell_rate r = world_rate(&w, 1, today + n);
		cr_assert_eq(c.limit, in ? 13 : 10);
		cr_assert_eq(c.flags, CELL_LOADED | (in ? CELL_CLOSED | CELL_CTA | CELL_CTD : 0));
		cr_assert_eq(r.price_minor, in ? 12345 : 0);
		cr_assert_eq(r.flags, in ? RATE_FLAG_MASK : 0);
		cr_assert_eq(world_los(&w, 1, today + n).max_arrival, in ? 14 : 0);
		cr_assert_eq(world_counter(&w, 2, today + n).limit, 10);
	}
	struct los_class los = world_los(&w, 1, today + 6);
	cr_assert(los.min_arrival == 2 && los.min_through == 3 && los.max_through == 65534);
}

Test(update, clears_every_field)
{
	struct inv_update_op op = one(0, 39);
	op.update.set_mask = INV_UPDATE_MASK & ~INV_UPDATE_AVAILABLE;
	op.update.physical = 1;
	op.update.allowance_unit = INV_ALLOWANCE_BASIS_POINTS;
	op.update.cap = -5;
	op.update.closed = op.update.plan_ctd = true;
	op.update.price_minor = 0;
	op.update.los.min_arrival = 9;
	cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
	cr_assert_eq(world_counter(&w, 1, today).limit, -5);
	cr_assert_eq(world_rate(&w, 1, today).flags, RATE_PRICED | RATE_CTD, "0 is a price");
	struct inv_counts counts;
	inv_counts_get(w.inv, &counts);
	cr_assert_eq(counts.stock_runs, 1);
	cr_assert_eq(counts.classes, 1);
	op = one(0, 39);
	op.update.clear_mask = INV_UPDATE_MASK & ~INV_UPDATE_AVAILABLE;
	op.update.los.min_arrival = 3; /* a value of no field set */
	cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
	for (int32_t n = 0; n < 40; n++) {
		cr_assert_eq(world_counter(&w, 1, today + n).limit, 10);
		cr_assert_eq(world_counter(&w, 1, today + n).flags, CELL_LOADED);
		struct cell_rate r = world_rate(&w, 1, today + n);
		cr_assert(r.price_minor == 0 && r.flags == 0 && r.class_index == 0);
	}
	inv_counts_get(w.inv, &counts);
	cr_assert_eq(counts.stock_runs, 0);
	cr_assert_eq(counts.classes, 0);
}

Test(update, stop_sell_and_arrival_and_departure_are_independent)
{
	static const uint32_t bits[] = {INV_UPDATE_CLOSED, INV_UPDATE_CTA, INV_UPDATE_CTD,
		INV_UPDATE_PLAN_CLOSED, INV_UPDATE_PLAN_CTA, INV_UPDATE_PLAN_CTD};
	static const uint16_t flags[] = {CELL_CLOSED, CELL_CTA, CELL_CTD};
	static const uint8_t rate_flags[] = {RATE_CLOSED, RATE_CTA, RATE_CTD};
	for (unsigned i = 0; i < 6; i++) {
		for (int step = 0; step < 4; step++) {
			struct inv_update_op op = one(1, 1);
			bool on = step == 0 || step == 2;
			op.update.set_mask = step == 3 ? 0 : bits[i];
			op.update.clear_mask = step == 3 ? bits[i] : 0;
			op.update.closed = op.update.cta = op.update.ctd = on;
			op.update.plan_closed = op.update.plan_cta = op.update.plan_ctd = on;
			cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
			cr_assert_eq(world_counter(&w, 1, today + 1).flags,
				CELL_LOADED | (on && i < 3 ? flags[i] : 0));
			cr_assert_eq(world_rate(&w, 1, today + 1).flags,
				on && i >= 3 ? rate_flags[i - 3] : 0);
		}
	}
}

Test(update, follows_the_weekday_mask)
{
	for (unsigned mask = 1; mask < 128; mask++) {
		struct inv_update_op op = one(3, 36);
		op.update.weekday_mask = (uint8_t)mask;
		op.update.set_mask = INV_UPDATE_PRICE;
		op.update.price_minor = mask;
		cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
		uint32_t expected = 0;
		for (int32_t n = 3; n <= 36; n++) {
			bool in = (mask >> civil_weekday_of(today + n) & 1) != 0;
			expected += in;
			cr_assert_eq(world_rate(&w, 1, today + n).price_minor == mask, in);
		}
		cr_assert_eq(w.answer.cell_count, expected);
	}
	struct inv_update_op op = one(1, 1); /* a Monday */
	op.update.weekday_mask = 1 << CIVIL_TUESDAY;
	op.update.set_mask = INV_UPDATE_PRICE;
	cr_assert_eq(world_update(&w, &op), KEYRACK_DONE, "no night at all is an operation too");
	cr_assert_eq(w.answer.cell_count, 0);
}

Test(update, adjusts_what_is_in_force)
{
	struct inv_update_op op = one(0, 1);
	op.update.adjust_mask =
		INV_UPDATE_PHYSICAL | INV_UPDATE_OUT_OF_ORDER | INV_UPDATE_ALLOWANCE;
	op.update.physical = -3;
	op.update.out_of_order = 2;
	op.update.allowance = 4;
	op.update.allowance_unit = INV_ALLOWANCE_ROOMS;
	op.update.source = 8;
	op.update.source_seq = 1;
	cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
	cr_assert_eq(world_counter(&w, 1, today).limit, 7 - 2 + 4);
	op.update.source_seq++;
	cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
	cr_assert_eq(world_counter(&w, 1, today + 1).limit, 4 - 4 + 8);
	op.update.adjust_mask = INV_UPDATE_CAP;
	op.update.cap = -1;
	op.update.source_seq++;
	cr_assert_eq(world_update(&w, &op), KEYRACK_DONE, "a cap from the limit in force");
	cr_assert_eq(world_counter(&w, 1, today).limit, 7);
	cr_assert_eq(world_counter(&w, 1, today).flags, CELL_LOADED | CELL_EXPLICIT_CAP);
	op.update.adjust_mask = INV_UPDATE_PRICE;
	op.update.price_minor = 5;
	op.update.source_seq++;
	cr_assert_eq(world_update(&w, &op), KEYRACK_NO_RATE);
	cr_assert_eq(w.answer.refusal.day, today);
	op.update.adjust_mask = 0;
	op.update.set_mask = INV_UPDATE_PRICE;
	cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
	op.update.adjust_mask = INV_UPDATE_PRICE;
	op.update.set_mask = 0;
	op.update.price_minor = -5;
	op.update.source_seq++;
	cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
	cr_assert_eq(world_rate(&w, 1, today).price_minor, 0);
	op.update.source_seq++;
	cr_assert_eq(world_update(&w, &op), KEYRACK_COUNTER_FULL);
	cr_assert_eq(w.answer.refusal.rule, RULE_PRICE);
	cr_assert_eq(w.answer.refusal.required, -5);
}

Test(update, cannot_adjust_what_was_never_set)
{
	struct inv_type_op bare = type_op(9);
	cr_assert_eq(world_type_put(&w, &bare), KEYRACK_DONE);
	const uint16_t types[] = {9};
	static const uint32_t bits[] = {INV_UPDATE_PHYSICAL, INV_UPDATE_CAP};
	for (int i = 0; i < 2; i++) {
		struct inv_update_op op = update_op(types, 1, today + 2, today + 4);
		op.update.adjust_mask = bits[i];
		op.update.physical = op.update.cap = 1;
		op.update.source = 8;
		op.update.source_seq = 1;
		cr_assert_eq(world_update(&w, &op), KEYRACK_NOT_LOADED);
		cr_assert_eq(w.answer.refusal.day, today + 2);
	}
	struct inv_update_op op = update_op(types, 1, today + 2, today + 4);
	op.update.adjust_mask = INV_UPDATE_OUT_OF_ORDER | INV_UPDATE_ALLOWANCE;
	op.update.out_of_order = 1;
	op.update.allowance_unit = INV_ALLOWANCE_BASIS_POINTS;
	op.update.allowance = 100;
	op.update.source = 8;
	op.update.source_seq = 1;
	cr_assert_eq(world_update(&w, &op), KEYRACK_DONE, "these count from 0");
	cr_assert_eq(world_counter(&w, 9, today + 2).flags, 0, "and load nothing");
	op.update.allowance_unit = INV_ALLOWANCE_ROOMS;
	op.update.source_seq = 2;
	cr_assert_eq(world_update(&w, &op), KEYRACK_INVALID, "rooms onto basis points");
	cr_assert_str_eq(w.answer.refusal.text, "allowance_unit");
}

Test(update, loads_nights_by_physical_by_cap_and_by_available)
{
	struct inv_type_op bare = type_op(9);
	cr_assert_eq(world_type_put(&w, &bare), KEYRACK_DONE);
	const uint16_t types[] = {9};
	static const uint32_t bits[] = {INV_UPDATE_PHYSICAL, INV_UPDATE_CAP, INV_UPDATE_AVAILABLE};
	for (int i = 0; i < 3; i++) {
		struct inv_update_op op = update_op(types, 1, today + i, today + i);
		op.update.set_mask = bits[i];
		op.update.physical = op.update.cap = op.update.available = 4;
		cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
		struct cell_counter c = world_counter(&w, 9, today + i);
		cr_assert_eq(c.limit, 4);
		cr_assert_eq(c.flags, CELL_LOADED | (i == 0 ? 0 : CELL_EXPLICIT_CAP));
	}
	struct inv_update_op op = update_op(types, 1, today, today + 2);
	op.update.clear_mask = INV_UPDATE_PHYSICAL | INV_UPDATE_CAP;
	cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(world_counter(&w, 9, today + i).flags, 0);
}

Test(update, available_is_what_is_left_at_that_instant)
{
	world_sell(&w, 1, today, 2, 3);
	struct inv_update_op op = one(0, 1);
	op.update.set_mask = INV_UPDATE_AVAILABLE;
	op.update.available = 4;
	cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
	cr_assert_eq(world_counter(&w, 1, today).limit, 9);
	cr_assert_eq(world_counter(&w, 1, today + 1).limit, 4);
	op.update.available = 0;
	cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
	cr_assert_eq(cell_left(world_counter(&w, 1, today)), 0);
	cr_assert_eq(w.answer.cells_over_limit, 0);
	op.update.available = 32763;
	cr_assert_eq(world_update(&w, &op), KEYRACK_COUNTER_FULL);
	cr_assert_eq(w.answer.refusal.day, today);
	op.update.available = 32762;
	cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
	op.update.available = INT64_MAX;
	cr_assert_eq(world_update(&w, &op), KEYRACK_COUNTER_FULL);
	op.update.available = -1;
	refused_for(&op, "available");
	world_sell(&w, 1, today, 0, 0);
}

Test(update, tells_how_many_nights_are_over_their_limit)
{
	for (int32_t n = 0; n < 4; n++)
		world_sell(&w, 1, today + n, 1, (uint16_t)(n + 3));
	struct inv_update_op op = one(0, 9);
	op.update.set_mask = INV_UPDATE_CAP;
	op.update.cap = 5;
	cr_assert_eq(world_update(&w, &op), KEYRACK_DONE, "a host may lower below what is sold");
	cr_assert_eq(w.answer.cells_over_limit, 2);
	cr_assert_eq(cell_left(world_counter(&w, 1, today + 3)), -2);
	for (int32_t n = 0; n < 4; n++)
		world_sell(&w, 1, today + n, 0, 0);
}

Test(update, refuses_malformed_requests_and_names_the_field)
{
	static const struct {
		uint32_t set, adjust, clear;
		const char *field;
	} masks[] = {
		{0, 0, 0, "set_mask"},
		{1u << 16, 0, 0, "set_mask"},
		{1, 1u << 16, 0, "adjust_mask"},
		{1, 0, 1u << 16, "clear_mask"},
		{INV_UPDATE_CAP, INV_UPDATE_CAP, 0, "cap"},
		{INV_UPDATE_CTA, 0, INV_UPDATE_CTA, "cta"},
		{0, INV_UPDATE_PRICE, INV_UPDATE_PRICE, "price_minor"},
		{0, INV_UPDATE_CLOSED, 0, "closed"},
		{0, INV_UPDATE_MAX_THROUGH, 0, "max_through"},
		{0, INV_UPDATE_AVAILABLE, 0, "available"},
		{0, 0, INV_UPDATE_AVAILABLE, "available"},
		{INV_UPDATE_AVAILABLE | INV_UPDATE_CAP, 0, 0, "available"},
		{INV_UPDATE_AVAILABLE, 0, INV_UPDATE_CAP, "available"},
		{INV_UPDATE_AVAILABLE, INV_UPDATE_CAP, 0, "available"},
	};
	for (size_t i = 0; i < KR_ARRAY_COUNT(masks); i++) {
		struct inv_update_op op = one(0, 0);
		op.update.set_mask = masks[i].set;
		op.update.adjust_mask = masks[i].adjust;
		op.update.clear_mask = masks[i].clear;
		op.update.source = 1;
		op.update.source_seq = 1;
		refused_for(&op, masks[i].field);
	}
	struct inv_update_op op = one(1, 0);
	op.update.set_mask = INV_UPDATE_CLOSED;
	refused_for(&op, "last_day");
	op = one(0, 0);
	op.update.set_mask = INV_UPDATE_CLOSED;
	op.update.weekday_mask = 0;
	refused_for(&op, "weekday_mask");
	op.update.weekday_mask = 128;
	refused_for(&op, "weekday_mask");
	op.update.weekday_mask = 1;
	op.update.first_day = INV_DAY_MIN - 1;
	refused_for(&op, "first_day");
	op.update.first_day = INV_DAY_MIN;
	op.update.last_day = INV_DAY_MAX + 1;
	refused_for(&op, "last_day");
}

Test(update, refuses_values_that_no_field_holds)
{
	struct inv_update_op op = one(0, 0);
	op.update.allowance_unit = INV_ALLOWANCE_ROOMS;
	op.update.set_mask = INV_UPDATE_PHYSICAL;
	op.update.physical = -1;
	refused_for(&op, "physical");
	op.update.physical = 65536;
	cr_assert_eq(world_update(&w, &op), KEYRACK_COUNTER_FULL);
	cr_assert_str_eq(w.answer.refusal.text, "physical");
	op.update.set_mask = INV_UPDATE_OUT_OF_ORDER;
	op.update.out_of_order = -1;
	refused_for(&op, "out_of_order");
	op.update.set_mask = INV_UPDATE_CAP;
	static const int64_t caps[] = {-32769, 32768, INT64_MAX, INT64_MIN};
	for (size_t i = 0; i < KR_ARRAY_COUNT(caps); i++) {
		op.update.cap = caps[i];
		cr_assert_eq(world_update(&w, &op), KEYRACK_COUNTER_FULL);
	}
	op.update.set_mask = INV_UPDATE_PRICE;
	op.update.price_minor = -1;
	refused_for(&op, "price_minor");
	op.update.price_minor = (int64_t)RATE_PRICE_MAX + 1;
	refused_for(&op, "price_minor");
	op.update.price_minor = (int64_t)RATE_PRICE_MAX;
	cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
	op.update.set_mask = INV_UPDATE_ALLOWANCE;
	op.update.allowance = (int64_t)INT32_MAX + 1;
	cr_assert_eq(world_update(&w, &op), KEYRACK_COUNTER_FULL);
	op.update.allowance = 0;
	op.update.allowance_unit = 0;
	refused_for(&op, "allowance_unit");
	op = one(0, 0);
	op.update.source = 1;
	op.update.adjust_mask = INV_UPDATE_PHYSICAL | INV_UPDATE_PRICE | INV_UPDATE_CAP;
	op.update.physical = op.update.price_minor = op.update.cap = INT64_MAX;
	op.update.source_seq = 1;
	cr_assert_eq(world_update(&w, &op), KEYRACK_COUNTER_FULL, "and nothing overflows");
	op.update.physical = op.update.price_minor = op.update.cap = INT64_MIN;
	cr_assert_eq(world_update(&w, &op), KEYRACK_COUNTER_FULL);
}

Test(update, keeps_to_the_window)
{
	struct inv_update_op op = one(-1, 5);
	op.update.set_mask = INV_UPDATE_CLOSED;
	cr_assert_eq(world_update(&w, &op), KEYRACK_PAST_DATE);
	cr_assert_eq(w.answer.refusal.day, today - 1);
	cr_assert_eq(w.answer.refusal.required, today);
	op = one(0, 40);
	op.update.set_mask = INV_UPDATE_CLOSED;
	cr_assert_eq(world_update(&w, &op), KEYRACK_OUT_OF_WINDOW);
	cr_assert_eq(w.answer.refusal.day, today + 40);
	op = one(50, 60);
	op.update.set_mask = INV_UPDATE_CLOSED;
	cr_assert_eq(world_update(&w, &op), KEYRACK_OUT_OF_WINDOW);
	cr_assert_eq(w.answer.refusal.day, today + 50);
	op = one(0, 39);
	op.update.set_mask = INV_UPDATE_CLOSED;
	cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
	cr_assert_eq(w.answer.cell_count, 40);
}

Test(update, knows_hotel_types_and_plan)
{
	static const uint16_t unknown[] = {1, 4}, twice[] = {2, 1, 2};
	struct inv_update_op op = update_op(unknown, 2, today, today);
	op.update.set_mask = INV_UPDATE_CLOSED;
	cr_assert_eq(world_update(&w, &op), KEYRACK_NOT_FOUND);
	cr_assert_eq(w.answer.refusal.rule, RULE_TYPE);
	cr_assert_eq(w.answer.refusal.required, 4);
	cr_assert_eq(w.answer.refusal.line, 1);
	op.types = twice;
	op.type_count = 3;
	refused_for(&op, "types");
	op = one(0, 0);
	op.update.set_mask = INV_UPDATE_CLOSED;
	op.update.plan = 1;
	cr_assert_eq(world_update(&w, &op), KEYRACK_NOT_FOUND);
	cr_assert_eq(w.answer.refusal.rule, RULE_PLAN);
	op.update.plan = 0;
	op.hotel.v = 5;
	cr_assert_eq(world_update(&w, &op), KEYRACK_NOT_FOUND);
	cr_assert_eq(w.answer.refusal.rule, RULE_HOTEL);
	struct inv_hotel_op empty = hotel_op(5);
	cr_assert_eq(world_hotel_put(&w, &empty), KEYRACK_DONE);
	op.type_count = 0;
	cr_assert_eq(world_update(&w, &op), KEYRACK_NOT_FOUND);
	cr_assert_eq(w.answer.refusal.rule, RULE_TYPE, "a hotel without types");
}

Test(update, without_types_means_all_of_the_hotel)
{
	struct inv_update_op op = update_op(NULL, 0, today, today + 1);
	op.update.set_mask = INV_UPDATE_PRICE;
	op.update.price_minor = 7;
	cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
	cr_assert_eq(w.answer.cell_count, 6);
	cr_assert_eq(w.effect.u.update.type_count, 3, "the log names them");
	for (uint16_t type = 1; type <= 3; type++)
		cr_assert_eq(world_rate(&w, type, today + 1).price_minor, 7);
}

Test(update, has_a_most_of_cells)
{
	struct inv_config config = world_config();
	world_fini(&w);
	config.window_nights = 4096;
	world_init(&w, &config);
	world_standard(&w, 9, 1);
	struct inv_update_op op = update_op(NULL, 0, today, today + 4095);
	op.update.set_mask = INV_UPDATE_PRICE;
	refused_for(&op, "cells");
	cr_assert_eq(w.answer.refusal.required, INV_UPDATE_CELLS_MAX);
	static const uint16_t eight[] = {1, 2, 3, 4, 5, 6, 7, 8};
	op.types = eight;
	op.type_count = 8;
	cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
	cr_assert_eq(w.answer.cell_count, INV_UPDATE_CELLS_MAX);
}

static uint32_t gaps_of(uint32_t source)
{
	const uint32_t hotel = inv_hotel_find(w.inv, (struct hotel_id){WORLD_HOTEL});
	const struct inv_hotel_cold *cold = inv_hotel_cold_at(w.inv, hotel);
	uint32_t place;
	const uint32_t at = inv_source_find(cold, source, &place);
	cr_assert_lt(at, INV_HOTEL_SOURCES_MAX);
	return cold->sources[at].gaps;
}

Test(update, notes_a_gap_where_numbers_are_left_out_and_nowhere_else)
{
	struct inv_update_op op = one(0, 0);
	op.update.set_mask = INV_UPDATE_PRICE;
	op.update.source = 4;
	static const struct {
		uint64_t seq;
		uint32_t gaps;
	} steps[] = {{10, 0}, {11, 0}, {11, 0}, {12, 0}, {14, 1}, {13, 1}, {15, 1}, {100, 2}};
	for (size_t i = 0; i < KR_ARRAY_COUNT(steps); i++) {
		op.update.source_seq = steps[i].seq;
		cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
		cr_assert_eq(gaps_of(4), steps[i].gaps, "step %zu", i);
	}
}

Test(update, is_deduplicated_by_source)
{
	struct inv_update_op op = one(0, 0);
	op.update.set_mask = INV_UPDATE_PRICE;
	op.update.source = 4;
	static const struct {
		uint64_t seq;
		bool repeated;
	} steps[] = {{10, false}, {10, true}, {9, true}, {1, true}, {11, false}, {15, false},
		{15, true}, {12, true}, {UINT64_MAX, false}, {UINT64_MAX, true}};
	uint64_t last = 0, version = 4;
	for (size_t i = 0; i < KR_ARRAY_COUNT(steps); i++) {
		op.update.source_seq = steps[i].seq;
		op.update.price_minor = (int64_t)i + 1;
		uint64_t digest = inv_digest(w.inv);
		cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
		cr_assert_eq(w.answer.repeated, steps[i].repeated, "step %zu", i);
		if (steps[i].repeated) {
			cr_assert_eq(inv_digest(w.inv), digest);
			cr_assert_eq(w.answer.wait_lsn, w.lsn);
		} else {
			last = steps[i].seq;
			version++;
			cr_assert_eq(world_rate(&w, 1, today).price_minor, i + 1);
		}
		cr_assert_eq(w.answer.last_source_seq, last);
		cr_assert_eq(w.answer.ari_version, version);
	}
	op.update.source = 5;
	op.update.source_seq = 1;
	cr_assert_eq(world_update(&w, &op), KEYRACK_DONE, "another source counts on its own");
	cr_assert_not(w.answer.repeated);
	op.update.source_seq = 0;
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(world_update(&w, &op), KEYRACK_DONE, "0 is not deduplicated");
		cr_assert_not(w.answer.repeated);
	}
	op.update.source = 0;
	op.update.source_seq = 3;
	refused_for(&op, "source");
	op.update.source = INV_SOURCE_IMPORT;
	refused_for(&op, "source");
	op.update.source = 0;
	op.update.source_seq = 0;
	op.update.set_mask = 0;
	op.update.adjust_mask = INV_UPDATE_PRICE;
	refused_for(&op, "source_seq");
}

Test(update, repeats_are_answered_before_anything_else_is_judged)
{
	struct inv_update_op op = one(0, 0);
	op.update.set_mask = INV_UPDATE_PRICE;
	op.update.source = 4;
	op.update.source_seq = 1;
	op.has_expected_version = true;
	op.expected_ari_version = 4;
	cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
	cr_assert_eq(world_update(&w, &op), KEYRACK_DONE, "a lost answer, asked for again");
	cr_assert(w.answer.repeated);
	op.update.source_seq = 2;
	cr_assert_eq(world_update(&w, &op), KEYRACK_VERSION_MISMATCH);
	cr_assert_eq(w.answer.refusal.left, 5);
	op.expected_ari_version = 5;
	cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
	cr_assert_not(w.answer.repeated);
}

Test(update, a_hotel_has_sixteen_sources)
{
	struct inv_update_op op = one(0, 0);
	op.update.set_mask = INV_UPDATE_PRICE;
	for (uint32_t source = 1; source <= 16; source++) {
		op.update.source = source * 7;
		op.update.source_seq = source;
		cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
	}
	op.update.source = 1;
	op.update.source_seq = 1;
	cr_assert_eq(world_update(&w, &op), KEYRACK_LIMIT_REACHED);
	cr_assert_str_eq(w.answer.refusal.text, "sources of the hotel");
	op.update.source_seq = 0;
	cr_assert_eq(world_update(&w, &op), KEYRACK_DONE, "without a number it needs no place");
	op.update.source = 7;
	op.update.source_seq = 2;
	cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
}

Test(update, pool_of_stock_runs_is_judged_before_anything_changes)
{
	struct inv_config config = world_config();
	struct inv_counts counts;
	world_fini(&w);
	config.stock_runs_max = 7;
	world_init(&w, &config);
	world_standard(&w, 2, 10);
	struct inv_update_op op = update_op(type_one, 1, today, today + 20);
	op.update.set_mask = INV_UPDATE_PHYSICAL;
	op.update.physical = 5;
	op.update.weekday_mask = 1 << CIVIL_MONDAY | 1 << CIVIL_FRIDAY;
	cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
	inv_counts_get(w.inv, &counts);
	cr_assert_eq(counts.stock_runs, 6);
	uint64_t digest = inv_digest(w.inv);
	op.types = NULL;
	op.type_count = 0;
	cr_assert_eq(world_update(&w, &op), KEYRACK_LIMIT_REACHED);
	cr_assert_str_eq(w.answer.refusal.text, "stock runs");
	cr_assert_eq(w.answer.refusal.required, 7);
	cr_assert_eq(inv_digest(w.inv), digest);
	op.types = type_one;
	op.type_count = 1;
	op.update.weekday_mask = 127;
	cr_assert_eq(world_update(&w, &op), KEYRACK_DONE, "merging needs none");
	inv_counts_get(w.inv, &counts);
	cr_assert_eq(counts.stock_runs, 1);
}

Test(update, remembers_what_stock_was_made_of)
{
	struct inv_update_op op = one(10, 19);
	op.update.set_mask = INV_UPDATE_PHYSICAL;
	op.update.physical = 20;
	cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
	op = one(15, 24);
	op.update.set_mask = INV_UPDATE_ALLOWANCE;
	op.update.allowance = 1000;
	op.update.allowance_unit = INV_ALLOWANCE_BASIS_POINTS;
	cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
	op = one(17, 17);
	op.update.set_mask = INV_UPDATE_CAP;
	op.update.cap = 2;
	cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
	op = one(12, 22);
	op.update.set_mask = INV_UPDATE_OUT_OF_ORDER;
	op.update.out_of_order = 1;
	cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
	cr_assert_eq(world_counter(&w, 1, today + 11).limit, 20);
	cr_assert_eq(world_counter(&w, 1, today + 12).limit, 19);
	cr_assert_eq(world_counter(&w, 1, today + 16).limit, 19 + 1);
	cr_assert_eq(world_counter(&w, 1, today + 17).limit, 2, "the cap stays");
	cr_assert_eq(world_counter(&w, 1, today + 22).limit, 9);
	cr_assert_eq(world_counter(&w, 1, today + 24).limit, 11);
	op = one(17, 17);
	op.update.clear_mask = INV_UPDATE_CAP;
	cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
	cr_assert_eq(world_counter(&w, 1, today + 17).limit, 20, "and gives back what is below it");
}

Test(update, contradictions_change_nothing)
{
	struct inv_update_op op = update_op(NULL, 0, today, today + 9);
	op.update.set_mask = INV_UPDATE_PRICE | INV_UPDATE_MIN_ARRIVAL | INV_UPDATE_PHYSICAL;
	op.update.physical = 3;
	op.update.los.min_arrival = 2;
	op.update.source = 3;
	op.update.source_seq = 3;
	cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
	op.update.source_seq = 4;
	cr_assert_eq(inv_update_judge(w.inv, w.now, &op, &w.effect, &w.answer), INV_EFFECT);
	uint64_t digest = inv_digest(w.inv);
	struct inv_update_old olds[8];
	uint16_t types[8];
	cr_assert_leq(w.effect.u.update.old_count, 8);
	for (int broken = 0; broken < 18; broken++) {
		struct inv_effect e = w.effect;
		memcpy(olds, e.u.update.olds, e.u.update.old_count * sizeof(*olds));
		memcpy(types, e.u.update.types, sizeof(*types) * 3);
		e.u.update.olds = olds;
		e.u.update.types = types;
		e.lsn = w.lsn + 1;
		e.event_seq += broken == 0;
		e.u.update.ari_version += broken == 1;
		olds[0].limit = (int16_t)(olds[0].limit + (broken == 2));
		olds[0].flags ^= broken == 3;
		olds[0].price_minor += broken == 4;
		olds[0].rate_flags ^= broken == 5;
		olds[0].los.max_through = (uint16_t)(olds[0].los.max_through + (broken == 6));
		olds[0].count -= broken == 7;
		e.u.update.old_count -= broken == 8;
		e.u.update.old_count += broken == 9;
		types[2] = broken == 10 ? 5 : types[2];
		types[2] = broken == 11 ? types[0] : types[2];
		e.u.update.type_count = broken == 12 ? 0 : 3;
		e.u.update.update.last_day += broken == 13 ? 40 : 0;
		e.u.update.update.source_seq -= broken == 14;
		e.u.update.update.physical = broken == 15 ? 40000 : 3;
		e.u.update.update.clear_mask = broken == 16 ? INV_UPDATE_PRICE : 0;
		e.u.update.update.plan = broken == 17;
		cr_assert_eq(world_apply(&w, &e), INV_CONTRADICTION, "%d", broken);
		cr_assert_eq(inv_digest(w.inv), digest, "%d", broken);
		if (broken == 16) {
			cr_assert_str_eq(w.contradiction.what, "an update's field is out of range");
			cr_assert(w.contradiction.expected == 0 && w.contradiction.found == 0);
			cr_assert_eq(w.contradiction.day, 0);
		}
	}
	w.effect.lsn = w.lsn + 1;
	cr_assert_eq(world_apply(&w, &w.effect), 0);
	cr_assert_eq(inv_apply(w.mirror, &w.effect, &w.contradiction), 0);
}

Test(update, gives_classes_back_when_no_night_names_them)
{
	struct inv_counts counts;
	for (uint16_t round = 0; round < 300; round++) {
		struct inv_update_op op = one(0, 39);
		op.update.set_mask = INV_UPDATE_MIN_ARRIVAL;
		op.update.los.min_arrival = (uint16_t)(round + 1);
		op.update.weekday_mask = (uint8_t)(1 + round % 127);
		cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
		inv_counts_get(w.inv, &counts);
		cr_assert_leq(counts.classes, 7);
	}
}

Test(update, classes_of_a_shard_have_a_most, .timeout = 60)
{
	struct inv_config config = world_config();
	struct inv_counts counts;
	world_fini(&w);
	config.window_nights = 4096;
	world_init(&w, &config);
	world_standard(&w, 17, 1);
	struct inv_update_op op = one(0, 0);
	op.update.set_mask = INV_UPDATE_MAX_THROUGH;
	for (uint32_t n = 0; n < INV_CLASSES_MAX; n++) {
		const uint16_t types[] = {(uint16_t)(1 + n / 4096)};
		op.types = types;
		op.update.first_day = op.update.last_day = today + (int32_t)(n % 4096);
		op.update.los.max_through = (uint16_t)(n + 1);
		cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
	}
	inv_counts_get(w.inv, &counts);
	cr_assert_eq(counts.classes, INV_CLASSES_MAX);
	const uint16_t last[] = {17};
	op.types = last;
	op.update.set_mask |= INV_UPDATE_MIN_ARRIVAL;
	op.update.los.min_arrival = 1;
	cr_assert_eq(world_update(&w, &op), KEYRACK_LIMIT_REACHED);
	cr_assert_str_eq(w.answer.refusal.text, "length-of-stay classes");
	cr_assert_eq(w.answer.refusal.required, INV_CLASSES_MAX);
	op.update.los.min_arrival = 0;
	cr_assert_eq(world_update(&w, &op), KEYRACK_DONE, "one that is there needs no place");
	op = one(0, 0);
	op.update.clear_mask = INV_UPDATE_MAX_THROUGH;
	cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
	op = one(1, 2);
	op.update.set_mask = INV_UPDATE_MIN_ARRIVAL;
	op.update.los.min_arrival = 1;
	cr_assert_eq(world_update(&w, &op), KEYRACK_LIMIT_REACHED, "two for the one place left");
	op = one(1, 1);
	op.update.set_mask = INV_UPDATE_MIN_ARRIVAL;
	op.update.los.min_arrival = 1;
	cr_assert_eq(world_update(&w, &op), KEYRACK_DONE, "a place given back");
}

Test(update, replay_into_smaller_tables_finds_no_room)
{
	void *memory;
	world_fini(&w);
	world_init(&w, NULL);
	struct world small = w;
	small.config.hotels_max = 1;
	small.config.rows_max = 1;
	small.config.stock_runs_max = 1;
	struct inv *inv = world_inventory_new(&small, &memory);
	struct inv_hotel_op first = hotel_op(WORLD_HOTEL), second = hotel_op(5);
	cr_assert_eq(world_hotel_put(&w, &first), KEYRACK_DONE);
	cr_assert_eq(inv_apply(inv, &w.effect, &w.contradiction), 0);
	cr_assert_eq(world_hotel_put(&w, &second), KEYRACK_DONE);
	cr_assert_eq(inv_apply(inv, &w.effect, &w.contradiction), INV_NO_ROOM);
	for (uint16_t type = 1; type <= 2; type++) {
		struct inv_type_op op = type_op(type);
		cr_assert_eq(world_type_put(&w, &op), KEYRACK_DONE);
		cr_assert_eq(
			inv_apply(inv, &w.effect, &w.contradiction), type == 1 ? 0 : INV_NO_ROOM);
	}
	struct inv_update_op op = one(0, 4);
	op.update.set_mask = INV_UPDATE_PHYSICAL;
	op.update.weekday_mask = 1 << CIVIL_SUNDAY | 1 << CIVIL_TUESDAY;
	cr_assert_eq(inv_update_judge(w.inv, w.now, &op, &w.effect, &w.answer), INV_EFFECT);
	w.effect.lsn = w.lsn + 1;
	w.effect.event_seq--;
	w.effect.u.update.ari_version--;
	uint64_t digest = inv_digest(inv);
	cr_assert_eq(inv_apply(inv, &w.effect, &w.contradiction), INV_NO_ROOM);
	cr_assert_eq(inv_digest(inv), digest);
	free(memory);
}
