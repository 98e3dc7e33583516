/* One night of a room type, and what effects have to do with it. */
#include <criterion/criterion.h>

#include "tools/keyrack-recover_night.h"

#define WINDOW 30

static const struct night night = {.hotel = {7}, .type = 2, .day = 100};

static struct inv_effect effect_of(enum inv_effect_kind kind)
{
	return (struct inv_effect){.kind = kind, .lsn = 1, .hotel = {7}};
}

Test(night, counts_lines_from_check_in_to_the_night_before_check_out)
{
	struct inv_line lines[] = {
		{.type = 2, .check_in = 100, .check_out = 101, .rooms = 1},
		{.type = 2, .check_in = 90, .check_out = 100, .rooms = 10},
		{.type = 2, .check_in = 101, .check_out = 110, .rooms = 100},
		{.type = 3, .check_in = 90, .check_out = 110, .rooms = 1000},
		{.type = 2, .check_in = 99, .check_out = 102, .rooms = 10000},
	};
	cr_assert_eq(night_rooms(&night, lines, 5), 10001);
	cr_assert_eq(night_rooms(&night, lines, 0), 0);
}

Test(night, is_named_by_updates_of_its_type_its_dates_and_its_weekday)
{
	uint16_t types[] = {5, 2};
	struct inv_effect effect = effect_of(INV_EFFECT_UPDATE);
	struct inv_effect_update *update = &effect.u.update;
	update->types = types;
	update->type_count = 2;
	update->update.first_day = 100;
	update->update.last_day = 100;
	update->update.weekday_mask = 0x7f;
	cr_assert(night_is_named(&night, &effect, WINDOW));
	update->type_count = 1;
	cr_assert_not(night_is_named(&night, &effect, WINDOW));
	update->type_count = 2;
	update->update.first_day = 101;
	update->update.last_day = 200;
	cr_assert_not(night_is_named(&night, &effect, WINDOW));
	update->update.first_day = 1;
	update->update.last_day = 99;
	cr_assert_not(night_is_named(&night, &effect, WINDOW));
	update->update.last_day = 200;
	/* Day 0 was a Thursday, so day 100 was a Saturday. */
	update->update.weekday_mask = 1u << 5;
	cr_assert(night_is_named(&night, &effect, WINDOW));
	update->update.weekday_mask = 0x7f & ~(1u << 5);
	cr_assert_not(night_is_named(&night, &effect, WINDOW));
}

Test(night, is_named_by_updates_of_its_plan_or_of_what_all_plans_share)
{
	uint16_t types[] = {2};
	const struct night of_plan = {.hotel = {7}, .type = 2, .plan = 3, .day = 100};
	struct inv_effect effect = effect_of(INV_EFFECT_UPDATE), put = effect_of(INV_EFFECT_PLAN);
	struct inv_effect_update *update = &effect.u.update;
	update->types = types;
	update->type_count = 1;
	update->update.first_day = update->update.last_day = 100;
	update->update.weekday_mask = 0x7f;
	update->update.set_mask = INV_UPDATE_PRICE | INV_UPDATE_MAX_THROUGH;
	cr_assert(night_is_named(&night, &effect, WINDOW));
	cr_assert_not(night_is_named(&of_plan, &effect, WINDOW));
	update->update.plan = 3;
	cr_assert_not(night_is_named(&night, &effect, WINDOW));
	cr_assert(night_is_named(&of_plan, &effect, WINDOW));
	update->update.clear_mask = INV_UPDATE_CLOSED;
	cr_assert(night_is_named(&night, &effect, WINDOW));
	put.u.plan_put.type = 2;
	put.u.plan_put.plan = 3;
	cr_assert(night_is_named(&of_plan, &put, WINDOW));
	cr_assert_not(night_is_named(&night, &put, WINDOW));
	put.u.plan_put.type = 3;
	cr_assert_not(night_is_named(&of_plan, &put, WINDOW));
}

Test(night, is_named_by_the_day_that_lets_it_in_or_out)
{
	struct inv_effect effect = effect_of(INV_EFFECT_WINDOW);
	static const struct {
		int32_t from, to;
		bool is_named;
	} rows[] = {{70, 71, true}, {69, 70, false}, {71, 72, false}, {60, 80, true},
		{99, 100, false}, {100, 101, true}, {101, 102, false}, {90, 110, true},
		{100, 100, false}};
	for (size_t i = 0; i < KR_ARRAY_COUNT(rows); i++) {
		effect.u.window.old_business_day = rows[i].from;
		effect.u.window.business_day = rows[i].to;
		cr_assert_eq(
			night_is_named(&night, &effect, WINDOW), rows[i].is_named, "row %zu", i);
	}
}

Test(night, is_named_by_its_type_and_hotel_and_by_no_reservation)
{
	struct inv_effect effect = effect_of(INV_EFFECT_TYPE);
	effect.u.type_put.type = 2;
	cr_assert(night_is_named(&night, &effect, WINDOW));
	effect.u.type_put.type = 3;
	cr_assert_not(night_is_named(&night, &effect, WINDOW));
	effect = effect_of(INV_EFFECT_HOTEL);
	cr_assert(night_is_named(&night, &effect, WINDOW));
	effect = effect_of(INV_EFFECT_RESERVE);
	cr_assert_not(night_is_named(&night, &effect, WINDOW));
}

static void check_moves(struct night_tally *tally, enum inv_effect_kind kind, bool book,
	int64_t held, int64_t booked)
{
	struct inv_effect effect = effect_of(kind);
	bool reserves = kind == INV_EFFECT_RESERVE;
	struct night_rooms rooms = {.before = reserves ? 0 : 3, .after = reserves ? 3 : 0};
	effect.u.reserve.book = book;
	cr_assert(night_tally_move(tally, &effect, &rooms));
	cr_assert_eq(tally->held, held, "kind %u", kind);
	cr_assert_eq(tally->booked, booked, "kind %u", kind);
}

Test(night, tally_follows_each_kind)
{
	struct night_tally tally = {0};
	check_moves(&tally, INV_EFFECT_RESERVE, false, 3, 0);
	check_moves(&tally, INV_EFFECT_RESERVE, true, 3, 3);
	check_moves(&tally, INV_EFFECT_CONFIRM, false, 0, 6);
	check_moves(&tally, INV_EFFECT_CANCEL, false, 0, 3);
	check_moves(&tally, INV_EFFECT_RESERVE, false, 3, 3);
	check_moves(&tally, INV_EFFECT_RELEASE, false, 0, 3);
	check_moves(&tally, INV_EFFECT_RESERVE, false, 3, 3);
	check_moves(&tally, INV_EFFECT_GRACE, false, 3, 3);
	check_moves(&tally, INV_EFFECT_EXPIRE, false, 0, 3);
	check_moves(&tally, INV_EFFECT_UPDATE, false, 0, 3);
	check_moves(&tally, INV_EFFECT_WINDOW, false, 0, 3);
	check_moves(&tally, INV_EFFECT_RETIRE, false, 0, 3);
	check_moves(&tally, INV_EFFECT_EXTEND, false, 0, 3);
	check_moves(&tally, INV_EFFECT_ATTACH_PAYMENT, false, 0, 3);
	check_moves(&tally, INV_EFFECT_CHECK_IN, false, 0, 3);
	check_moves(&tally, INV_EFFECT_COMPLETE, false, 0, 0);
	check_moves(&tally, INV_EFFECT_RESERVE, true, 0, 3);
	check_moves(&tally, INV_EFFECT_NO_SHOW, false, 0, 0);
}

Test(night, tally_moves_what_is_given_back_and_what_is_taken)
{
	struct night_tally tally = {.held = 5, .booked = 7};
	struct night_rooms rooms = {.before = 2, .after = 1};
	struct inv_effect effect = effect_of(INV_EFFECT_MODIFY);
	cr_assert(night_tally_move(&tally, &effect, &rooms));
	cr_assert_eq(tally.held, 4);
	cr_assert_eq(tally.booked, 7);
	rooms = (struct night_rooms){.before = 0, .after = 3, .is_booked = true};
	cr_assert(night_tally_move(&tally, &effect, &rooms));
	cr_assert_eq(tally.held, 4);
	cr_assert_eq(tally.booked, 10);
	effect = effect_of(INV_EFFECT_RESERVE);
	rooms = (struct night_rooms){.before = 4, .after = 1};
	cr_assert(night_tally_move(&tally, &effect, &rooms));
	cr_assert_eq(tally.held, 1);
	cr_assert_eq(tally.booked, 10);
}

Test(night, tally_takes_in_what_was_sold_elsewhere)
{
	struct night_tally tally = {.held = 5, .booked = 7};
	struct night_rooms rooms = {.after = 2};
	struct inv_effect effect = effect_of(INV_EFFECT_IMPORT);
	effect.u.import.state = INV_HELD;
	cr_assert(night_import_counts(&effect.u.import));
	cr_assert(night_tally_move(&tally, &effect, &rooms));
	cr_assert_eq(tally.held, 7);
	effect.u.import.state = INV_CHECKED_IN;
	cr_assert(night_import_counts(&effect.u.import));
	cr_assert(night_tally_move(&tally, &effect, &rooms));
	cr_assert_eq(tally.booked, 9);
	effect.u.import.state = INV_CANCELLED;
	cr_assert_not(night_import_counts(&effect.u.import));
}

Test(night, tally_differs_from_a_state_that_lost_or_gained_a_room)
{
	struct cell_counter cell = {.limit = 9, .held = 2, .booked = 3};
	struct night_tally tally = night_tally_of(cell_counter_pack(cell));
	cr_assert(night_tally_equals(&tally, cell_counter_pack(cell)));
	cell.limit = 8;
	cr_assert(night_tally_equals(&tally, cell_counter_pack(cell)));
	cell.held = 1;
	cr_assert_not(night_tally_equals(&tally, cell_counter_pack(cell)));
	cell.held = 2;
	cell.booked = 4;
	cr_assert_not(night_tally_equals(&tally, cell_counter_pack(cell)));
	/* A cancel of what was never booked: below zero is no count of a cell. */
	tally = (struct night_tally){0};
	struct inv_effect effect = effect_of(INV_EFFECT_CANCEL);
	cr_assert(night_tally_move(&tally, &effect, &(struct night_rooms){.before = 1}));
	cr_assert_not(night_tally_equals(&tally, cell_counter_pack((struct cell_counter){0})));
}

Test(night, tally_knows_kinds_it_does_not_know)
{
	struct night_tally tally = {.held = 1};
	struct inv_effect effect = effect_of(INV_EFFECT_RESERVE);
	effect.kind = 63;
	cr_assert_not(night_tally_move(&tally, &effect, &(struct night_rooms){.before = 1}));
	cr_assert_eq(tally.held, 1);
}
