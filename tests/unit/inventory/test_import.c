#include "tests/unit/inventory/imports.h"

static void check_invalid(struct world *w, struct inv_import_op op, const char *field)
{
	uint64_t digest = inv_digest(w->inv);
	cr_assert_eq(import(w, &op), KEYRACK_INVALID, "%s: %u", field, w->answer.code);
	cr_assert_eq(w->answer.refusal.rule, RULE_FIELD);
	cr_assert_str_eq(w->answer.refusal.text, field);
	cr_assert_eq(inv_digest(w->inv), digest);
}

Test(import, brings_in_everything_that_was_told)
{
	struct world w;
	import_init(&w);
	struct inv_price_run runs[] = {{2, 12000}, {1, 9000}, {1, 5000}};
	struct inv_line lines[] = {
		stay_line(1, today() + 2, today() + 5), stay_line(2, today() + 2, today() + 3)};
	lines[0].pricing = INV_PRICE_CALENDAR;
	lines[0].runs = runs;
	lines[0].run_count = 2;
	lines[0].guests = 7;
	lines[1].pricing = INV_PRICE_CALLER;
	lines[1].runs = runs + 2;
	lines[1].run_count = 1;
	lines[1].rooms = 2;
	struct inv_import_op op = import_op(&w, foreign(1), lines, 2);
	op.was_held = true;
	op.graced = true;
	op.expires_at_us = op.created_at_us + MINUTE_US;
	op.change_id = 77;
	op.guest = (struct inv_guest_id){3, 4};
	op.external_ref = text("OTA-1");
	op.payment_ref = text("paid");
	cr_assert_eq(import(&w, &op), KEYRACK_DONE);
	cr_assert_eq(w.answer.state, INV_CONFIRMED);
	cr_assert_eq(w.answer.revision, 4);
	cr_assert(w.answer.has_total);
	cr_assert_eq(w.answer.total_minor, 2 * 12000 + 9000 + 2 * 5000);
	cr_assert_eq(w.answer.cells_over_limit, 0);
	struct inv_reservation_view view = seen(&w, op.id);
	cr_assert_eq(view.revision, 4);
	cr_assert(view.was_held && view.graced);
	cr_assert_eq(view.created_at_us, op.created_at_us);
	cr_assert_eq(view.changed_at_us, op.changed_at_us);
	cr_assert_eq(view.expires_at_us, op.expires_at_us);
	cr_assert_eq(view.change_id, 77);
	cr_assert_eq(view.source, 9);
	cr_assert_eq(view.guest.hi, 3);
	cr_assert_eq(view.external_ref.size_bytes, 5);
	cr_assert_eq(view.payment_ref.size_bytes, 4);
	cr_assert_eq(view.line_count, 2);
	cr_assert_eq(view.lines[0].pricing, INV_PRICE_CALENDAR);
	cr_assert_eq(view.lines[0].run_count, 2);
	cr_assert_eq(view.lines[1].runs[0].price_minor, 5000);
	cr_assert_eq(world_counter(&w, 1, today() + 4).booked, 1);
	cr_assert_eq(world_counter(&w, 2, today() + 2).booked, 2);
	sales_agree(&w);
	world_fini(&w);
}

Test(import, again_changes_nothing_and_says_so)
{
	struct world w;
	import_init(&w);
	struct inv_line line = stay_line(1, today() + 1, today() + 3);
	struct inv_import_op op = import_op(&w, foreign(1), &line, 1);
	cr_assert_eq(import(&w, &op), KEYRACK_DONE);
	uint64_t digest = inv_digest(w.inv);
	cr_assert_eq(import(&w, &op), KEYRACK_DONE);
	cr_assert(w.answer.repeated);
	op.force = true; /* how it is asked for is no part of what it is */
	cr_assert_eq(import(&w, &op), KEYRACK_DONE);
	cr_assert(w.answer.repeated);
	cr_assert_eq(inv_digest(w.inv), digest);
	/* what became of it since does not matter */
	struct inv_transition_op cancel = transition_op(INV_CANCEL, op.id);
	cr_assert_eq(sales_transition(&w, &cancel), KEYRACK_INVALID, "it needs its hotel");
	cancel.has_hotel = true;
	cancel.hotel.v = WORLD_HOTEL;
	cr_assert_eq(sales_transition(&w, &cancel), KEYRACK_DONE);
	cr_assert_eq(import(&w, &op), KEYRACK_DONE);
	cr_assert(w.answer.repeated);
	cr_assert_eq(w.answer.state, INV_CANCELLED);
	line.guests++;
	cr_assert_eq(import(&w, &op), KEYRACK_KEY_REUSED);
	cr_assert_eq(w.answer.refusal.rule, RULE_ID);
	sales_agree(&w);
	world_fini(&w);
}

Test(import, judges_ids_of_its_own_layout_and_takes_any_other)
{
	struct world w;
	import_init(&w);
	struct inv_line line = stay_line(1, today() + 1, today() + 3);
	struct inv_import_op op = import_op(&w, (struct kr_id){0}, &line, 1);
	cr_assert_eq(import(&w, &op), KEYRACK_INVALID);
	op.id = sales_id_at(w.now.t_us, OTHER_HOTEL, 1);
	cr_assert_neq(reservation_id_slot(op.id), slot_of_hotel(op.hotel));
	cr_assert_eq(import(&w, &op), KEYRACK_INVALID);
	cr_assert_eq(w.answer.refusal.rule, RULE_ID);
	op.id = sales_id_at(w.now.t_us + 2 * MINUTE_US, WORLD_HOTEL, 1);
	cr_assert_eq(import(&w, &op), KEYRACK_INVALID);
	/* older than any mark there will be, and known elsewhere since */
	op.id = sales_id_at(w.now.t_us - 300 * DAY_US, WORLD_HOTEL, 1);
	cr_assert_eq(import(&w, &op), KEYRACK_DONE);
	cr_assert_eq(sales_state(&w, op.id), INV_CONFIRMED);
	struct inv_reserve_op book = book_op(&w, 1, &line, 1);
	book.id = op.id;
	cr_assert_eq(sales_reserve(&w, &book), KEYRACK_KEY_REUSED);
	/* never sold: what RESOLVE said stands */
	struct kr_id never = sales_id(&w, 5);
	cr_assert_eq(sales_resolve(&w, never), KEYRACK_NOT_FOUND);
	op.id = never;
	cr_assert_eq(import(&w, &op), KEYRACK_BAD_STATE);
	cr_assert_eq(w.answer.state, INV_VOID);
	sales_agree(&w);
	world_fini(&w);
}

Test(import, ids_of_other_layouts_belong_to_their_hotel)
{
	struct world w;
	import_init(&w);
	struct inv_hotel_op hotel = hotel_op(OTHER_HOTEL);
	struct inv_type_op type = type_op(1);
	struct inv_line line = stay_line(1, today() + 1, today() + 3);
	type.hotel.v = OTHER_HOTEL;
	type.mask = INV_TYPE_PHYSICAL;
	type.settings.physical = 1;
	cr_assert_eq(world_hotel_put(&w, &hotel), KEYRACK_DONE);
	cr_assert_eq(world_type_put(&w, &type), KEYRACK_DONE);
	struct inv_import_op op = import_op(&w, foreign(1), &line, 1);
	cr_assert_eq(import(&w, &op), KEYRACK_DONE);
	op.hotel.v = OTHER_HOTEL;
	cr_assert_eq(import(&w, &op), KEYRACK_DONE);
	cr_assert_not(w.answer.repeated);
	struct inv_transition_op cancel = transition_op(INV_CANCEL, op.id);
	cancel.has_hotel = true;
	cancel.hotel.v = OTHER_HOTEL;
	cr_assert_eq(sales_transition(&w, &cancel), KEYRACK_DONE);
	cr_assert_eq(seen(&w, op.id).state, INV_CONFIRMED);
	cancel.hotel.v = 4711;
	cr_assert_eq(sales_transition(&w, &cancel), KEYRACK_NOT_FOUND);
	struct inv_reservation_view view;
	cr_assert_not(inv_reservation_get(w.inv, op.id, w.now.t_us, &view));
	cr_assert_eq(sales_counts(&w).reservations, 2);
	sales_agree(&w);
	/* a foreign id is never sold, and nothing about it needs to be made final */
	struct inv_reserve_op book = book_op(&w, 1, &line, 1);
	book.id = foreign(2);
	cr_assert_eq(sales_reserve(&w, &book), KEYRACK_INVALID);
	struct inv_transition_op resolve = transition_op(INV_RESOLVE, foreign(3));
	resolve.has_hotel = true;
	resolve.hotel.v = WORLD_HOTEL;
	cr_assert_eq(sales_transition(&w, &resolve), KEYRACK_NOT_FOUND);
	cr_assert_eq(sales_counts(&w).reservations, 2);
	world_fini(&w);
}

Test(import, a_hold_of_a_foreign_id_lives_like_any_other)
{
	struct world w;
	import_init(&w);
	struct inv_line line = stay_line(1, today() + 1, today() + 3);
	struct inv_import_op op = import_op(&w, foreign(1), &line, 1);
	struct inv_transition_op move = transition_op(INV_EXTEND, op.id);
	op.state = INV_HELD;
	op.expires_at_us = w.now.t_us + 5 * MINUTE_US;
	op.guest = (struct inv_guest_id){1, 1};
	cr_assert_eq(import(&w, &op), KEYRACK_DONE);
	cr_assert(seen(&w, op.id).was_held);
	cr_assert_eq(world_counter(&w, 1, today() + 2).held, 1);
	cr_assert_eq(sales_counts(&w).holds, 1);
	move.has_hotel = true;
	move.hotel.v = WORLD_HOTEL;
	move.has_expected_revision = true;
	move.expected_revision = 4;
	move.change_id = 5;
	move.expires_at_us = w.now.t_us + 10 * MINUTE_US;
	cr_assert_eq(sales_transition(&w, &move), KEYRACK_DONE, "%u", w.answer.code);
	move.transition = INV_MODIFY;
	move.expected_revision = w.answer.revision;
	move.change_id = 6;
	move.expires_at_us = 0;
	line.rooms = 2;
	move.lines = &line;
	move.line_count = 1;
	cr_assert_eq(sales_transition(&w, &move), KEYRACK_DONE, "%u", w.answer.code);
	/* it can be replaced, and wanted again when it has expired */
	struct inv_reserve_op hold = hold_op(&w, 2, &line, 1);
	hold.replaces = op.id;
	cr_assert_eq(sales_reserve(&w, &hold), KEYRACK_DONE, "%u", w.answer.code);
	cr_assert_eq(seen(&w, op.id).state, INV_RELEASED);
	op.id = foreign(2);
	line.rooms = 1;
	op.expires_at_us = w.now.t_us + MINUTE_US;
	cr_assert_eq(import(&w, &op), KEYRACK_DONE, "%u", w.answer.code);
	w.now.t_us += 2 * MINUTE_US;
	(void)sales_due(&w);
	cr_assert_eq(seen(&w, op.id).state, INV_EXPIRED);
	hold = book_op(&w, 3, NULL, 0);
	hold.reacquires = op.id;
	cr_assert_eq(sales_reserve(&w, &hold), KEYRACK_DONE, "%u", w.answer.code);
	sales_agree(&w);
	world_fini(&w);
}

Test(import, a_hold_that_lapsed_on_the_way_ended_at_its_deadline)
{
	struct world w;
	import_init(&w);
	struct inv_line line = stay_line(1, today() + 1, today() + 3);
	struct inv_import_op op = import_op(&w, foreign(1), &line, 1);
	op.state = INV_HELD;
	op.expires_at_us = w.now.t_us;
	cr_assert_eq(import(&w, &op), KEYRACK_DONE);
	cr_assert_eq(w.answer.state, INV_EXPIRED);
	struct inv_reservation_view view = seen(&w, op.id);
	cr_assert_eq(view.state, INV_EXPIRED);
	cr_assert_eq(view.revision, 5);
	cr_assert_eq(view.changed_at_us, op.expires_at_us);
	cr_assert_eq(world_counter(&w, 1, today() + 1).held, 0);
	cr_assert_eq(import(&w, &op), KEYRACK_DONE);
	cr_assert(w.answer.repeated);
	/* so long ago that it would not be kept */
	op.id = foreign(2);
	op.expires_at_us = w.now.t_us - INV_RETENTION_US;
	op.changed_at_us = op.expires_at_us - MINUTE_US;
	cr_assert_eq(import(&w, &op), KEYRACK_KEY_EXPIRED);
	sales_agree(&w);
	world_fini(&w);
}

Test(import, takes_in_what_has_ended_and_counts_only_what_still_counts)
{
	static const uint8_t states[] = {INV_RELEASED, INV_EXPIRED, INV_CANCELLED, INV_NO_SHOW,
		INV_COMPLETED, INV_CHECKED_IN};
	struct world w;
	import_init(&w);
	struct inv_line lines[] = {
		stay_line(1, today() - 3, today() + 2), stay_line(2, today() + 1, today() + 3)};
	for (uint32_t i = 0; i < KR_ARRAY_COUNT(states); i++) {
		struct inv_import_op op = import_op(&w, foreign(i + 1), lines, 2);
		op.state = states[i];
		cr_assert_eq(import(&w, &op), KEYRACK_DONE, "%u: %u", states[i], w.answer.code);
		struct inv_reservation_view view = seen(&w, op.id);
		cr_assert_eq(view.state, states[i]);
		bool cut = states[i] == INV_NO_SHOW || states[i] == INV_COMPLETED;
		int32_t until = states[i] == INV_CHECKED_IN ? today() + 3
				: cut                       ? today()
							    : today() - 3;
		cr_assert_eq(view.counted_until, until, "%u", states[i]);
	}
	/* the guest in the house alone, on the nights that still have a cell */
	cr_assert_eq(world_counter(&w, 1, today()).booked, 1);
	cr_assert_eq(world_counter(&w, 1, today() + 1).booked, 1);
	cr_assert_eq(world_counter(&w, 2, today() + 2).booked, 1);
	sales_agree(&w);
	/* and it goes on as one that was sold here */
	struct inv_transition_op leave = transition_op(INV_COMPLETE, foreign(6));
	leave.has_hotel = true;
	leave.hotel.v = WORLD_HOTEL;
	cr_assert_eq(sales_transition(&w, &leave), KEYRACK_DONE);
	cr_assert_eq(world_counter(&w, 1, today()).booked, 0);
	sales_agree(&w);
	world_fini(&w);
}

Test(import, keeps_how_far_a_stay_was_had)
{
	struct world w;
	import_init(&w);
	struct inv_line lines[] = {
		stay_line(1, today() - 5, today() - 3), stay_line(2, today() - 3, today() + 3)};
	struct inv_import_op op = import_op(&w, foreign(1), lines, 2);
	op.state = INV_COMPLETED;
	op.has_counted_until = true;
	op.counted_until = today() - 2;
	cr_assert_eq(import(&w, &op), KEYRACK_DONE);
	cr_assert_eq(seen(&w, op.id).counted_until, today() - 2);
	op.id = foreign(2);
	op.counted_until = today() + 1;
	check_invalid(&w, op, "counted_until");
	op.state = INV_CANCELLED;
	op.counted_until = today();
	check_invalid(&w, op, "counted_until");
	op.state = INV_COMPLETED;
	op.has_counted_until = false;
	check_invalid(&w, op, "counted_until");
	sales_agree(&w);
	world_fini(&w);
}

Test(import, who_is_not_due_yet_cannot_be_there)
{
	static const uint8_t states[] = {INV_CHECKED_IN, INV_NO_SHOW, INV_COMPLETED};
	struct world w;
	import_init(&w);
	struct inv_line line = stay_line(1, today() + 1, today() + 3);
	for (uint32_t i = 0; i < KR_ARRAY_COUNT(states); i++) {
		struct inv_import_op op = import_op(&w, foreign(1), &line, 1);
		op.state = states[i];
		cr_assert_eq(import(&w, &op), KEYRACK_TOO_EARLY);
		cr_assert_eq(w.answer.refusal.rule, RULE_ARRIVAL);
		cr_assert_eq(w.answer.refusal.day, today() + 1);
	}
	cr_assert_eq(sales_counts(&w).reservations, 0);
	world_fini(&w);
}

Test(import, what_ended_too_long_ago_to_be_kept_does_not_come_in)
{
	struct world w;
	import_init(&w);
	struct inv_line line = stay_line(1, today() + 5, today() + 7);
	struct inv_import_op op = import_op(&w, foreign(1), &line, 1);
	op.state = INV_CANCELLED;
	op.changed_at_us = w.now.t_us - INV_RETENTION_US;
	cr_assert_eq(import(&w, &op), KEYRACK_KEY_EXPIRED);
	op.changed_at_us++;
	cr_assert_eq(import(&w, &op), KEYRACK_DONE);
	cr_assert_eq(sales_due(&w), 0);
	w.now.t_us++;
	cr_assert_eq(sales_due(&w), 1);
	cr_assert_eq(w.effect.kind, INV_EFFECT_RETIRE);
	cr_assert_eq(import(&w, &op), KEYRACK_KEY_EXPIRED, "its own past says so for good");
	/* a stay by its last date, and by the age of its id */
	op.state = INV_CONFIRMED;
	line = stay_line(1, today() - 9, today() - 7);
	cr_assert_eq(import(&w, &op), KEYRACK_KEY_EXPIRED);
	line = stay_line(1, today() - 9, today() - 6);
	cr_assert_eq(import(&w, &op), KEYRACK_DONE);
	cr_assert_eq(sales_due(&w), 0);
	op.id = foreign(2);
	line = stay_line(1, today() - 9, today() - 7);
	op.created_at_us = op.changed_at_us = w.now.t_us - HOUR_US;
	cr_assert_eq(import(&w, &op), KEYRACK_DONE, "its id is younger than the mark");
	sales_agree(&w);
	world_fini(&w);
}

/* By when the reservation was made: an id of another layout does not tell its age. */
Test(import, a_foreign_id_is_retired_by_the_age_of_its_reservation)
{
	struct world w;
	import_init(&w);
	struct inv_line line = stay_line(1, today() + 5, today() + 7);
	struct inv_import_op op = import_op(&w, foreign(1), &line, 1);
	struct inv_transition_op cancel = transition_op(INV_CANCEL, op.id);
	cancel.has_hotel = true;
	cancel.hotel.v = WORLD_HOTEL;
	op.created_at_us = op.changed_at_us = w.now.t_us;
	cr_assert_eq(import(&w, &op), KEYRACK_DONE);
	cr_assert_eq(sales_transition(&w, &cancel), KEYRACK_DONE);
	w.now.t_us += INV_RETENTION_US;
	cr_assert_eq(sales_due(&w), 1, "the day roll");
	cr_assert_eq(seen(&w, op.id).state, INV_CANCELLED);
	w.now.t_us++;
	cr_assert_eq(sales_due(&w), 1);
	cr_assert_eq(sales_counts(&w).reservations, 0);
	/* nothing of it is left: a booking again, if somebody wants it to be one */
	cr_assert_eq(sales_transition(&w, &cancel), KEYRACK_NOT_FOUND);
	cr_assert_eq(import(&w, &op), KEYRACK_DONE);
	cr_assert_not(w.answer.repeated);
	sales_agree(&w);
	world_fini(&w);
}

Test(import, asks_no_restriction_and_no_price)
{
	struct world w;
	import_init(&w);
	const uint16_t type = 1;
	struct inv_update_op update = window_op(&w, &type);
	struct inv_type_op put = type_op(1);
	struct inv_hotel_op hotel = hotel_op(WORLD_HOTEL);
	update.update.set_mask = INV_UPDATE_CLOSED | INV_UPDATE_CTA | INV_UPDATE_CTD |
				 INV_UPDATE_MIN_ARRIVAL | INV_UPDATE_MIN_THROUGH;
	update.update.closed = update.update.cta = update.update.ctd = true;
	update.update.los.min_arrival = update.update.los.min_through = 9;
	cr_assert_eq(world_update(&w, &update), KEYRACK_DONE);
	put.mask = INV_TYPE_STATUS | INV_TYPE_GUESTS_MAX | INV_TYPE_ADVANCE_MIN;
	put.settings.status = INV_CLOSED;
	put.settings.guests_max = 1;
	put.settings.advance_min_minutes = 60 * 24 * 30;
	cr_assert_eq(world_type_put(&w, &put), KEYRACK_DONE);
	hotel.mask = INV_HOTEL_STATUS | INV_HOTEL_NIGHTS_MAX;
	hotel.settings.status = INV_CLOSED;
	hotel.settings.nights_max = 1;
	cr_assert_eq(world_hotel_put(&w, &hotel), KEYRACK_DONE);
	struct inv_line line = stay_line(1, today() - 1, today() + 3);
	line.guests = 5;
	struct inv_import_op op = import_op(&w, foreign(1), &line, 1);
	cr_assert_eq(import(&w, &op), KEYRACK_DONE, "%u", w.answer.code);
	cr_assert_not(w.answer.has_total);
	sales_agree(&w);
	world_fini(&w);
}

Test(import, refuses_names_dates_and_prices_that_cannot_be)
{
	struct world w;
	import_init(&w);
	const int32_t end = today() + (int32_t)w.config.window_nights;
	struct inv_price_run runs[] = {{1, 100}};
	struct inv_line line = stay_line(1, today() + 1, today() + 3);
	struct inv_import_op op = import_op(&w, foreign(1), &line, 1);
	op.hotel.v = OTHER_HOTEL;
	cr_assert_eq(import(&w, &op), KEYRACK_NOT_FOUND);
	cr_assert_eq(w.answer.refusal.rule, RULE_HOTEL);
	op.hotel.v = WORLD_HOTEL;
	line.type = 3;
	cr_assert_eq(import(&w, &op), KEYRACK_NOT_FOUND);
	cr_assert_eq(w.answer.refusal.rule, RULE_TYPE);
	line.type = 1;
	line.plan = 1;
	cr_assert_eq(import(&w, &op), KEYRACK_NOT_FOUND);
	cr_assert_eq(w.answer.refusal.rule, RULE_PLAN);
	line.plan = 0;
	line.check_out = line.check_in;
	cr_assert_eq(import(&w, &op), KEYRACK_INVALID);
	cr_assert_eq(w.answer.refusal.rule, RULE_DATES);
	line.check_out = end + 1;
	cr_assert_eq(import(&w, &op), KEYRACK_OUT_OF_WINDOW);
	cr_assert_eq(w.answer.refusal.day, end);
	op.state = INV_CANCELLED;
	cr_assert_eq(import(&w, &op), KEYRACK_DONE, "it counts nowhere");
	op.id = foreign(2);
	op.state = INV_CONFIRMED;
	line.check_out = today() + 3;
	line.rooms = 0;
	check_invalid(&w, op, "rooms");
	line.rooms = 1;
	line.runs = runs;
	line.run_count = 1;
	for (uint8_t pricing = INV_PRICE_CALENDAR; pricing <= INV_PRICE_NONE; pricing++) {
		line.pricing = pricing;
		check_invalid(&w, op, "price runs");
	}
	line.run_count = 0;
	line.pricing = INV_PRICE_CALENDAR;
	check_invalid(&w, op, "price runs");
	line.pricing = INV_PRICE_NONE;
	op.line_count = 0;
	check_invalid(&w, op, "lines");
	sales_agree(&w);
	world_fini(&w);
}

Test(import, refuses_a_past_that_contradicts_itself)
{
	struct world w;
	import_init(&w);
	struct inv_line line = stay_line(1, today() + 1, today() + 3);
	const struct inv_import_op good = import_op(&w, foreign(1), &line, 1);
	struct inv_import_op op = good;
	op.state = 0;
	check_invalid(&w, op, "state");
	op.state = INV_VOID;
	check_invalid(&w, op, "state");
	op = good;
	op.revision = 0;
	check_invalid(&w, op, "revision");
	op.revision = UINT32_MAX;
	check_invalid(&w, op, "revision");
	op = good;
	op.created_at_us = 0;
	check_invalid(&w, op, "created_at_us");
	op.created_at_us = op.changed_at_us = w.now.t_us + 2 * MINUTE_US;
	check_invalid(&w, op, "created_at_us");
	op = good;
	op.changed_at_us = op.created_at_us - 1;
	check_invalid(&w, op, "changed_at_us");
	op.changed_at_us = w.now.t_us + 2 * MINUTE_US;
	check_invalid(&w, op, "changed_at_us");
	op = good;
	op.expires_at_us = op.changed_at_us;
	check_invalid(&w, op, "expires_at_us");
	op.was_held = true;
	op.expires_at_us = UINT64_MAX;
	check_invalid(&w, op, "expires_at_us");
	op = good;
	op.state = INV_HELD;
	check_invalid(&w, op, "expires_at_us");
	op = good;
	op.graced = true;
	check_invalid(&w, op, "graced");
	op = good;
	op.source = INV_SOURCE_IMPORT;
	check_invalid(&w, op, "source");
	op = good;
	op.external_ref = text("a\x01");
	check_invalid(&w, op, "external_ref");
	op.external_ref = text("");
	op.payment_ref = text("\x7f");
	check_invalid(&w, op, "payment_ref");
	cr_assert_eq(sales_counts(&w).reservations, 0);
	world_fini(&w);
}

Test(import, references_stay_unique_within_their_source)
{
	struct world w;
	import_init(&w);
	struct inv_line line = stay_line(1, today() + 1, today() + 3);
	struct inv_import_op op = import_op(&w, foreign(1), &line, 1);
	op.external_ref = text("OTA-1");
	cr_assert_eq(import(&w, &op), KEYRACK_DONE);
	op.id = foreign(2);
	cr_assert_eq(import(&w, &op), KEYRACK_KEY_REUSED);
	cr_assert_eq(w.answer.refusal.rule, RULE_EXTERNAL_REF);
	cr_assert(kr_id_equal(w.answer.refusal.other, foreign(1)));
	op.source = 10;
	cr_assert_eq(import(&w, &op), KEYRACK_DONE);
	sales_agree(&w);
	world_fini(&w);
}

Test(import, keeps_to_the_limit_unless_it_is_forced)
{
	struct world w;
	import_init(&w);
	struct inv_line lines[] = {
		stay_line(1, today() - 1, today() + 2), stay_line(1, today() + 1, today() + 3)};
	lines[0].rooms = ROOMS;
	struct inv_import_op op = import_op(&w, foreign(1), lines, 1);
	cr_assert_eq(import(&w, &op), KEYRACK_DONE);
	op = import_op(&w, foreign(2), lines + 1, 1);
	cr_assert_eq(import(&w, &op), KEYRACK_SOLD_OUT);
	cr_assert_eq(w.answer.refusal.day, today() + 1);
	cr_assert_eq(sales_counts(&w).denials, 0, "nobody was turned away");
	op.force = true;
	cr_assert_eq(import(&w, &op), KEYRACK_DONE);
	cr_assert_eq(w.answer.cells_over_limit, 1);
	cr_assert(w.effect.u.import.forced);
	cr_assert_eq(import(&w, &op), KEYRACK_DONE);
	cr_assert(w.answer.repeated);
	cr_assert_eq(w.answer.cells_over_limit, 1, "as it stands now");
	/* lines are counted together, and a night of a type once */
	lines[0].rooms = 1;
	op = import_op(&w, foreign(3), lines, 2);
	op.force = true;
	cr_assert_eq(import(&w, &op), KEYRACK_DONE);
	cr_assert_eq(w.answer.cells_over_limit, 2);
	cr_assert_eq(world_counter(&w, 1, today() + 1).booked, ROOMS + 3);
	sales_agree(&w);
	world_fini(&w);
}

Test(import, force_takes_a_night_that_was_never_loaded_but_no_counter_too_full)
{
	struct world w;
	world_init(&w, NULL);
	world_standard(&w, 0, 0);
	struct inv_type_op type = type_op(1);
	cr_assert_eq(world_type_put(&w, &type), KEYRACK_DONE);
	struct inv_line line = stay_line(1, today() + 1, today() + 2);
	struct inv_import_op op = import_op(&w, foreign(1), &line, 1);
	line.rooms = 60000;
	cr_assert_eq(import(&w, &op), KEYRACK_NOT_LOADED);
	op.force = true;
	cr_assert_eq(import(&w, &op), KEYRACK_DONE);
	cr_assert_eq(w.answer.cells_over_limit, 1);
	op.id = foreign(2);
	cr_assert_eq(import(&w, &op), KEYRACK_COUNTER_FULL);
	cr_assert_eq(w.answer.refusal.rule, RULE_COUNTER);
	sales_agree(&w);
	world_fini(&w);
}

Test(import, a_full_table_is_named)
{
	struct world w;
	struct inv_config config = world_config();
	config.reservations_max = 2;
	config.nodes_max = 2;
	world_init(&w, &config);
	world_standard(&w, 1, ROOMS);
	struct inv_line line = stay_line(1, today() + 1, today() + 2);
	struct inv_import_op op = import_op(&w, foreign(1), &line, 1);
	op.external_ref = text("a");
	op.payment_ref = text("b");
	op.change_id = 1;
	cr_assert_eq(import(&w, &op), KEYRACK_LIMIT_REACHED);
	cr_assert_str_eq(w.answer.refusal.text, "nodes");
	op.change_id = 0;
	cr_assert_eq(import(&w, &op), KEYRACK_DONE);
	op = import_op(&w, foreign(2), &line, 1);
	cr_assert_eq(import(&w, &op), KEYRACK_DONE);
	op.id = foreign(3);
	cr_assert_eq(import(&w, &op), KEYRACK_LIMIT_REACHED);
	cr_assert_str_eq(w.answer.refusal.text, "reservations");
	sales_agree(&w);
	world_fini(&w);
}

Test(import, brings_the_terms_it_was_agreed_under)
{
	static const struct inv_tier tiers[] = {{72, 1, 0}, {24, 0, 10000}};
	static const struct inv_tier faulty[] = {{24, 1, 0}, {72, 0, 10000}};
	struct world w;
	import_init(&w);
	struct inv_line line = stay_line(1, today() + 10, today() + 12);
	line.tiers = tiers;
	line.tier_count = 2;
	struct inv_import_op op = import_op(&w, foreign(1), &line, 1);
	cr_assert_eq(import(&w, &op), KEYRACK_DONE, "%u", w.answer.code);
	struct inv_reservation_view view = seen(&w, op.id);
	cr_assert_eq(view.lines[0].tier_count, 2);
	cr_assert_eq(view.lines[0].tiers[1].basis_points, 10000);
	const uint64_t arrival_us = (uint64_t)(today() + 10) * DAY_US + 15 * HOUR_US;
	cr_assert_eq(view.lines[0].arrival_us, arrival_us);
	/* told, it is kept */
	line.arrival_us = arrival_us - HOUR_US;
	cr_assert_eq(import(&w, &op), KEYRACK_KEY_REUSED);
	op.id = foreign(2);
	cr_assert_eq(import(&w, &op), KEYRACK_DONE);
	cr_assert_eq(seen(&w, op.id).lines[0].arrival_us, arrival_us - HOUR_US);
	op.id = foreign(3);
	line.tiers = faulty;
	check_invalid(&w, op, "terms");
	line.tier_count = 0;
	check_invalid(&w, op, "terms");
	sales_agree(&w);
	world_fini(&w);
}

Test(import, tells_what_a_cancellation_cost_that_was_made_elsewhere)
{
	static const struct inv_tier tiers[] = {{72, 1, 0}, {24, 0, 10000}};
	static const struct inv_price_run runs[] = {{1, 70}, {1, 90}};
	struct world w;
	import_init(&w);
	struct inv_line line = stay_line(1, today() + 2, today() + 4);
	line.pricing = INV_PRICE_CALLER;
	line.runs = runs;
	line.run_count = 2;
	line.tiers = tiers;
	line.tier_count = 2;
	struct inv_import_op op = import_op(&w, foreign(1), &line, 1);
	op.state = INV_CANCELLED;
	for (int again = 0; again < 2; again++) {
		cr_assert_eq(import(&w, &op), KEYRACK_DONE, "%u", w.answer.code);
		cr_assert_eq(w.answer.repeated, again);
		cr_assert(w.answer.has_amounts);
		cr_assert_eq(w.answer.penalty_minor, 70);
		cr_assert_eq(w.answer.refundable_minor, 90);
	}
	cr_assert_eq(seen(&w, op.id).cost.penalty_minor, 70);
	op.id = foreign(2);
	op.state = INV_CONFIRMED;
	cr_assert_eq(import(&w, &op), KEYRACK_DONE);
	cr_assert(!w.answer.has_amounts);
	sales_agree(&w);
	world_fini(&w);
}
