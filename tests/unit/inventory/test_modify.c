#include "tests/unit/inventory/sales.h"

/* MODIFY, a HOLD that replaces another: what is given back is credited. And FORCE. */

static int32_t day(int32_t offset)
{
	return world_day(2026, 11, 25) + offset;
}

static struct inv_line calendar_line(uint16_t type, int32_t check_in, int32_t check_out)
{
	struct inv_line line = stay_line(type, check_in, check_out);
	line.pricing = INV_PRICE_CALENDAR;
	return line;
}

/* Two types of that many rooms at 100 a night. */
static void begin(struct world *w, uint16_t rooms)
{
	world_init(w, NULL);
	world_standard(w, 2, rooms);
	sales_price(w, 1, 100);
	sales_price(w, 2, 100);
}

static struct kr_id book(
	struct world *w, uint64_t random, const struct inv_line *lines, uint32_t line_count)
{
	struct inv_reserve_op op = book_op(w, random, lines, line_count);
	cr_assert_eq(sales_reserve(w, &op), KEYRACK_DONE, "%u", w->answer.code);
	return op.id;
}

static struct inv_reservation_view seen(struct world *w, struct kr_id id)
{
	struct inv_reservation_view view;
	cr_assert(inv_reservation_get(w->inv, id, w->now.t_us, &view));
	return view;
}

static struct inv_transition_op modify_op(
	struct world *w, struct kr_id id, const struct inv_line *lines, uint32_t line_count)
{
	struct inv_transition_op op = transition_op(INV_MODIFY, id);
	op.has_expected_revision = true;
	op.expected_revision = seen(w, id).revision;
	op.change_id = 500 + op.expected_revision;
	op.lines = lines;
	op.line_count = line_count;
	return op;
}

static uint16_t modify(
	struct world *w, struct kr_id id, const struct inv_line *lines, uint32_t line_count)
{
	struct inv_transition_op op = modify_op(w, id, lines, line_count);
	return sales_transition(w, &op);
}

static void set_flag(struct world *w, uint16_t type, int32_t first, int32_t last, uint32_t field)
{
	struct inv_update_op op = update_op(&type, 1, first, last);
	op.update.set_mask = field;
	op.update.closed = op.update.cta = op.update.ctd = true;
	op.update.los.min_arrival = op.update.los.min_through = 7;
	cr_assert_eq(world_update(w, &op), KEYRACK_DONE);
}

static uint32_t booked_on(const struct world *w, uint16_t type, int32_t on)
{
	return world_counter(w, type, on).booked;
}

/* ---- prices ---- */

Test(modify, kept_nights_keep_their_price_and_new_ones_cost_todays)
{
	struct world w;
	begin(&w, 5);
	struct inv_line line = calendar_line(1, day(0), day(3));
	struct kr_id id = book(&w, 1, &line, 1);
	sales_price(&w, 1, 170);
	line.check_in = day(1);
	line.check_out = day(5);
	cr_assert_eq(modify(&w, id, &line, 1), KEYRACK_DONE);
	cr_assert_eq(w.effect.kind, INV_EFFECT_MODIFY);
	cr_assert_eq(w.answer.total_minor, 2 * 100 + 2 * 170);
	cr_assert_eq(w.answer.revision, 2);
	struct inv_reservation_view view = seen(&w, id);
	cr_assert_eq(view.total_minor, 540);
	cr_assert_eq(view.line_count, 1);
	cr_assert_eq(view.lines[0].run_count, 2);
	cr_assert_eq(booked_on(&w, 1, day(0)), 0);
	cr_assert_eq(booked_on(&w, 1, day(1)), 1);
	cr_assert_eq(booked_on(&w, 1, day(4)), 1);
	sales_agree(&w);
	world_fini(&w);
}

Test(modify, a_line_keeps_the_prices_of_the_line_it_names_as_far_as_its_rooms_go)
{
	struct world w;
	begin(&w, 9);
	struct inv_line lines[3] = {calendar_line(1, day(0), day(2)),
		calendar_line(1, day(0), day(2)), calendar_line(1, day(0), day(2))};
	struct inv_price_run run = {2, 40};
	lines[1].pricing = INV_PRICE_CALLER;
	lines[1].runs = &run;
	lines[1].run_count = 1;
	lines[1].rooms = 2;
	struct kr_id id = book(&w, 1, lines, 2);
	sales_price(&w, 1, 170);
	/* the first is dropped, and the second split in two, with a room too many */
	for (int i = 0; i < 3; i++) {
		lines[i] = calendar_line(1, day(0), day(2));
		lines[i].keeps = 2;
	}
	cr_assert_eq(modify(&w, id, lines, 3), KEYRACK_DONE);
	cr_assert_eq(w.answer.total_minor, 2 * (40 + 40 + 170));
	/* another type never keeps a price */
	lines[0].type = 2;
	lines[0].keeps = 0;
	cr_assert_eq(modify(&w, id, lines, 1), KEYRACK_DONE);
	cr_assert_eq(w.answer.total_minor, 2 * 100);
	lines[0].keeps = INV_LINES_MAX + 1;
	cr_assert_eq(modify(&w, id, lines, 1), KEYRACK_INVALID);
	cr_assert_str_eq(w.answer.refusal.text, "keeps");
	sales_agree(&w);
	world_fini(&w);
}

Test(modify, the_sum_is_what_was_expected_or_nothing_changes)
{
	struct world w;
	begin(&w, 5);
	struct inv_line line = calendar_line(1, day(0), day(2));
	struct kr_id id = book(&w, 1, &line, 1);
	line.check_out = day(3);
	struct inv_transition_op op = modify_op(&w, id, &line, 1);
	op.has_expected_total = true;
	op.expected_total_minor = 299;
	cr_assert_eq(sales_transition(&w, &op), KEYRACK_PRICE_CHANGED);
	cr_assert_eq(seen(&w, id).revision, 1);
	op.expected_total_minor = 300;
	cr_assert_eq(sales_transition(&w, &op), KEYRACK_DONE);
	sales_agree(&w);
	world_fini(&w);
}

/* ---- rooms ---- */

Test(modify, own_rooms_are_credited_and_others_are_not)
{
	struct world w;
	begin(&w, 1);
	struct inv_line line = calendar_line(1, day(0), day(2));
	struct kr_id id = book(&w, 1, &line, 1);
	(void)sales_book(&w, 2, 1, day(3), day(4));
	line.check_in = day(1);
	line.check_out = day(3);
	cr_assert_eq(modify(&w, id, &line, 1), KEYRACK_DONE);
	cr_assert_eq(booked_on(&w, 1, day(0)), 0);
	line.check_out = day(4);
	cr_assert_eq(modify(&w, id, &line, 1), KEYRACK_SOLD_OUT);
	cr_assert_eq(w.answer.refusal.day, day(3));
	cr_assert_eq(w.answer.refusal.left, 0);
	cr_assert_eq(w.answer.refusal.required, 1);
	line.check_out = day(3);
	line.rooms = 2;
	cr_assert_eq(modify(&w, id, &line, 1), KEYRACK_SOLD_OUT);
	cr_assert_eq(w.answer.refusal.left, 1);
	cr_assert_eq(w.answer.refusal.required, 2);
	cr_assert_eq(seen(&w, id).revision, 2);
	sales_agree(&w);
	world_fini(&w);
}

Test(modify, a_limit_below_what_is_sold_takes_no_night_that_is_kept)
{
	struct world w;
	begin(&w, 3);
	struct inv_line line = calendar_line(1, day(0), day(2));
	line.rooms = 2;
	struct kr_id id = book(&w, 1, &line, 1);
	uint16_t type = 1;
	struct inv_update_op cap = update_op(&type, 1, day(0), day(1));
	cap.update.set_mask = INV_UPDATE_CAP;
	cr_assert_eq(world_update(&w, &cap), KEYRACK_DONE);
	line.check_out = day(3);
	cr_assert_eq(modify(&w, id, &line, 1), KEYRACK_DONE);
	line.rooms = 3;
	cr_assert_eq(modify(&w, id, &line, 1), KEYRACK_SOLD_OUT);
	line.rooms = 1;
	cr_assert_eq(modify(&w, id, &line, 1), KEYRACK_DONE);
	cr_assert_eq(booked_on(&w, 1, day(0)), 1);
	sales_agree(&w);
	world_fini(&w);
}

/* ---- restrictions ---- */

Test(modify, restrictions_ask_about_what_is_new)
{
	static const uint32_t fields[] = {
		INV_UPDATE_CLOSED, INV_UPDATE_CTA, INV_UPDATE_CTD, INV_UPDATE_MIN_THROUGH};
	for (size_t f = 0; f < KR_ARRAY_COUNT(fields); f++) {
		struct world w;
		begin(&w, 5);
		struct inv_line lines[2] = {
			calendar_line(1, day(1), day(3)), calendar_line(2, day(1), day(3))};
		struct kr_id id = book(&w, 1, lines, 2);
		set_flag(&w, 1, day(0), day(9), fields[f]);
		/* the other line grows: nothing of this one is asked */
		lines[1].check_out = day(4);
		cr_assert_eq(modify(&w, id, lines, 2), KEYRACK_DONE, "field %zu", f);
		/* this one does, at both ends */
		lines[0].check_in = day(0);
		lines[0].check_out = day(4);
		cr_assert_neq(modify(&w, id, lines, 2), KEYRACK_DONE, "field %zu", f);
		cr_assert_eq(w.answer.refusal.line, 0);
		sales_agree(&w);
		world_fini(&w);
	}
}

Test(modify, giving_back_is_asked_no_restriction)
{
	struct world w;
	begin(&w, 5);
	struct inv_line lines[2] = {
		calendar_line(1, day(0), day(5)), calendar_line(2, day(0), day(5))};
	lines[0].rooms = 3;
	struct kr_id id = book(&w, 1, lines, 2);
	set_flag(&w, 1, day(0), day(9), INV_UPDATE_CLOSED | INV_UPDATE_CTA | INV_UPDATE_CTD);
	set_flag(&w, 1, day(0), day(9), INV_UPDATE_MIN_ARRIVAL | INV_UPDATE_MIN_THROUGH);
	struct inv_type_op closed = type_op(1);
	closed.mask = INV_TYPE_STATUS;
	closed.settings.status = INV_CLOSED;
	cr_assert_eq(world_type_put(&w, &closed), KEYRACK_DONE);
	lines[0].rooms = 2;
	cr_assert_eq(modify(&w, id, lines, 2), KEYRACK_DONE);
	lines[0].check_in = day(1);
	lines[0].check_out = day(3);
	cr_assert_eq(modify(&w, id, lines, 2), KEYRACK_DONE);
	cr_assert_eq(modify(&w, id, lines, 1), KEYRACK_DONE);
	cr_assert_eq(w.answer.total_minor, 2 * 2 * 100);
	cr_assert_eq(booked_on(&w, 1, day(1)), 2);
	cr_assert_eq(booked_on(&w, 2, day(1)), 0);
	/* but a night more of a closed type is not to be had */
	lines[0].check_out = day(4);
	cr_assert_eq(modify(&w, id, lines, 1), KEYRACK_CLOSED);
	sales_agree(&w);
	world_fini(&w);
}

Test(modify, a_guest_in_the_house_stays_longer_in_another_room)
{
	struct world w;
	begin(&w, 1);
	struct inv_line lines[3] = {calendar_line(1, day(0), day(3))};
	struct kr_id id = book(&w, 1, lines, 1);
	set_flag(&w, 2, day(0), day(9), INV_UPDATE_CTA);
	world_time(&w, 2026, 11, 26, 12, 0); /* the second day */
	(void)sales_due(&w);
	struct inv_transition_op arrives = transition_op(INV_CHECK_IN, id);
	cr_assert_eq(sales_transition(&w, &arrives), KEYRACK_DONE);
	/* what was slept in stays: neither given back nor added */
	lines[0] = calendar_line(1, day(1), day(3));
	cr_assert_eq(modify(&w, id, lines, 1), KEYRACK_PAST_DATE);
	cr_assert_eq(w.answer.refusal.day, day(0));
	lines[0] = calendar_line(1, day(-1), day(3));
	cr_assert_eq(modify(&w, id, lines, 1), KEYRACK_PAST_DATE);
	cr_assert_eq(w.answer.refusal.day, day(-1));
	lines[0] = calendar_line(1, day(0), day(2));
	lines[1] = calendar_line(2, day(2), day(5)); /* no arrival: the stay goes on */
	cr_assert_eq(modify(&w, id, lines, 2), KEYRACK_DONE);
	cr_assert_eq(w.answer.state, INV_CHECKED_IN);
	cr_assert_eq(w.answer.total_minor, 500);
	cr_assert_eq(booked_on(&w, 1, day(1)), 1);
	cr_assert_eq(booked_on(&w, 1, day(2)), 0);
	cr_assert_eq(booked_on(&w, 2, day(4)), 1);
	sales_agree(&w);
	world_fini(&w);
}

/* ---- once, and in which states ---- */

Test(modify, is_made_once_under_its_id_and_of_the_revision_it_expects)
{
	struct world w;
	begin(&w, 5);
	struct inv_line line = calendar_line(1, day(0), day(2));
	struct kr_id id = book(&w, 1, &line, 1);
	line.check_out = day(3);
	struct inv_transition_op op = modify_op(&w, id, &line, 1);
	cr_assert_eq(sales_transition(&w, &op), KEYRACK_DONE);
	const uint64_t lsn = w.lsn;
	cr_assert_eq(sales_transition(&w, &op), KEYRACK_DONE);
	cr_assert(w.answer.repeated);
	cr_assert_eq(w.lsn, lsn);
	op.change_id++;
	cr_assert_eq(sales_transition(&w, &op), KEYRACK_VERSION_MISMATCH);
	op.change_id = 0;
	cr_assert_eq(sales_transition(&w, &op), KEYRACK_INVALID);
	op = modify_op(&w, id, &line, 0);
	cr_assert_eq(sales_transition(&w, &op), KEYRACK_INVALID);
	op = modify_op(&w, id, &line, 1);
	op.transition = INV_CONFIRM;
	op.change_id = 0;
	cr_assert_eq(sales_transition(&w, &op), KEYRACK_INVALID);
	cr_assert_str_eq(w.answer.refusal.text, "lines");
	sales_agree(&w);
	world_fini(&w);
}

Test(modify, a_hold_keeps_its_deadline_and_an_ended_one_its_end)
{
	struct world w;
	begin(&w, 5);
	struct kr_id id = sales_hold(&w, 1, 1, day(0), day(2));
	const uint64_t deadline_us = w.answer.expires_at_us;
	struct inv_line line = calendar_line(2, day(0), day(2));
	cr_assert_eq(modify(&w, id, &line, 1), KEYRACK_DONE);
	cr_assert_eq(w.answer.state, INV_HELD);
	cr_assert_eq(w.answer.expires_at_us, deadline_us);
	cr_assert(w.answer.has_total);
	cr_assert_eq(world_counter(&w, 1, day(0)).held, 0);
	cr_assert_eq(world_counter(&w, 2, day(0)).held, 1);
	w.now.t_us = deadline_us;
	cr_assert_eq(modify(&w, id, &line, 1), KEYRACK_HOLD_EXPIRED);
	cr_assert_eq(sales_due(&w), 1);
	cr_assert_eq(modify(&w, id, &line, 1), KEYRACK_HOLD_EXPIRED);
	id = sales_book(&w, 2, 1, day(0), day(2));
	cr_assert_eq(sales_cancel(&w, id, false), KEYRACK_DONE);
	cr_assert_eq(modify(&w, id, &line, 1), KEYRACK_BAD_STATE);
	sales_agree(&w);
	world_fini(&w);
}

Test(modify, gives_back_the_memory_of_the_lines_before_it)
{
	struct world w;
	begin(&w, 20);
	struct inv_price_run runs[30];
	for (uint32_t i = 0; i < KR_ARRAY_COUNT(runs); i++)
		runs[i] = (struct inv_price_run){1, 10 + i};
	struct inv_line lines[INV_LINES_MAX];
	for (uint32_t i = 0; i < INV_LINES_MAX; i++)
		lines[i] = stay_line(1, day(0), day(1));
	struct inv_reserve_op op = book_op(&w, 1, lines, 1);
	op.external_ref = text("a reference that is longer than what one node of memory can hold");
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_DONE);
	cr_assert_eq(modify(&w, op.id, lines, 1), KEYRACK_DONE);
	const uint32_t nodes = sales_counts(&w).nodes;
	cr_assert_eq(modify(&w, op.id, lines, INV_LINES_MAX), KEYRACK_DONE);
	cr_assert_eq(sales_counts(&w).nodes, nodes + INV_LINES_MAX - 1);
	struct inv_line priced = stay_line(1, day(0), day(30));
	priced.pricing = INV_PRICE_CALLER;
	priced.runs = runs;
	priced.run_count = KR_ARRAY_COUNT(runs);
	cr_assert_eq(modify(&w, op.id, &priced, 1), KEYRACK_DONE);
	cr_assert_eq(seen(&w, op.id).lines[0].run_count, KR_ARRAY_COUNT(runs));
	cr_assert_eq(modify(&w, op.id, lines, 1), KEYRACK_DONE);
	cr_assert_eq(sales_counts(&w).nodes, nodes);
	cr_assert_eq(seen(&w, op.id).external_ref.size_bytes, op.external_ref.size_bytes);
	sales_agree(&w);
	world_fini(&w);
}

Test(modify, a_stay_is_kept_for_as_long_as_its_new_last_date_says)
{
	struct world w;
	begin(&w, 5);
	struct kr_id id = sales_book(&w, 1, 1, day(0), day(1));
	struct inv_line line = stay_line(1, day(0), day(10));
	cr_assert_eq(modify(&w, id, &line, 1), KEYRACK_DONE);
	world_time(&w, 2026, 12, 11, 12, 0); /* 15 days after the first check-out */
	(void)sales_due(&w);
	cr_assert_eq(sales_state(&w, id), INV_CONFIRMED);
	world_time(&w, 2026, 12, 12, 12, 0);
	(void)sales_due(&w);
	cr_assert_eq(sales_state(&w, id), 0);
	sales_agree(&w);
	world_fini(&w);
}

Test(modify, an_effect_that_does_not_fit_changes_nothing)
{
	struct world w;
	begin(&w, 5);
	struct inv_line line = stay_line(1, day(0), day(2));
	struct kr_id id = book(&w, 1, &line, 1), other = sales_book(&w, 2, 1, day(0), day(2));
	line = stay_line(1, day(1), day(4));
	struct inv_transition_op op = modify_op(&w, id, &line, 1);
	cr_assert_eq(inv_transition_judge(w.inv, w.now, &op, &w.effect, &w.answer), INV_EFFECT);
	const struct inv_effect judged = w.effect;
	struct inv_cell_old olds[8];
	cr_assert_eq(judged.old_count, 5);
	memcpy(olds, judged.olds, judged.old_count * sizeof(olds[0]));
	const uint64_t digest = inv_digest(w.inv);
#define REFUSED(change)                                                                            \
	do {                                                                                       \
		struct inv_effect effect = judged;                                                 \
		struct inv_line lines[1] = {judged.u.modify.lines[0]};                             \
		effect.u.modify.lines = lines;                                                     \
		effect.lsn = w.lsn + 1;                                                            \
		change;                                                                            \
		cr_assert_eq(                                                                      \
			inv_apply(w.inv, &effect, &w.contradiction), INV_CONTRADICTION, #change);  \
		cr_assert_eq(inv_digest(w.inv), digest, #change);                                  \
	} while (0)
	REFUSED(effect.change_id = 0);
	REFUSED(effect.revision++);
	REFUSED(effect.id = other; effect.revision = 3);
	REFUSED(effect.old_count--);
	REFUSED(olds[0].booked++; effect.olds = olds);
	olds[0].booked--;
	REFUSED(olds[4].held++; effect.olds = olds);
	REFUSED(effect.u.modify.line_count = 0);
	REFUSED(lines[0].rooms = 0);
	REFUSED(lines[0].type = 9);
	REFUSED(lines[0].check_out = lines[0].check_in);
	REFUSED(lines[0].rooms = 65535);
	REFUSED(lines[0].pricing = INV_PRICE_CALLER);
#undef REFUSED
	sales_apply(&w);
	sales_agree(&w);
	world_fini(&w);
}

/* ---- a HOLD in the place of another ---- */

Test(replace, the_old_hold_is_released_by_the_same_effect_or_stands)
{
	struct world w;
	begin(&w, 1);
	struct kr_id old = sales_hold(&w, 1, 1, day(0), day(2));
	(void)sales_book(&w, 2, 1, day(3), day(4));
	struct inv_line line = calendar_line(1, day(1), day(4));
	struct inv_reserve_op op = hold_op(&w, 3, &line, 1);
	op.replaces = old;
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_SOLD_OUT);
	cr_assert_eq(sales_state(&w, old), INV_HELD);
	line.check_out = day(3);
	op.id = sales_id(&w, 4);
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_DONE);
	cr_assert_eq(sales_state(&w, old), INV_RELEASED);
	cr_assert_eq(seen(&w, old).revision, 2);
	cr_assert_eq(seen(&w, old).event_seq, seen(&w, op.id).event_seq);
	cr_assert_eq(world_counter(&w, 1, day(0)).held, 0);
	cr_assert_eq(world_counter(&w, 1, day(1)).held, 1);
	cr_assert_eq(world_counter(&w, 1, day(2)).held, 1);
	/* asked again it is what it was */
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_DONE);
	cr_assert(w.answer.repeated);
	sales_agree(&w);
	world_fini(&w);
}

Test(replace, only_a_live_hold_of_the_hotel_can_be)
{
	struct world w;
	begin(&w, 9);
	struct kr_id held = sales_hold(&w, 1, 1, day(0), day(1));
	struct kr_id booked = sales_book(&w, 2, 1, day(0), day(1));
	struct inv_line line = stay_line(1, day(0), day(1));
	struct inv_reserve_op op = book_op(&w, 3, &line, 1);
	op.replaces = held;
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_INVALID);
	cr_assert_str_eq(w.answer.refusal.text, "replaces");
	op = hold_op(&w, 4, &line, 1);
	op.replaces = booked;
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_BAD_STATE);
	op = hold_op(&w, 5, &line, 1);
	op.replaces = sales_id(&w, 99);
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_NOT_FOUND);
	w.now.t_us += INV_HOLD_TTL_US;
	op = hold_op(&w, 6, &line, 1);
	op.replaces = held;
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_HOLD_EXPIRED);
	sales_agree(&w);
	world_fini(&w);
}

Test(replace, the_caps_on_holds_count_it_as_gone)
{
	struct world w;
	begin(&w, 9);
	struct inv_hotel_op hotel = hotel_op(WORLD_HOTEL);
	hotel.mask = INV_HOTEL_HOLDS_MAX;
	hotel.settings.holds_max = 1;
	cr_assert_eq(world_hotel_put(&w, &hotel), KEYRACK_DONE);
	struct kr_id old = sales_hold(&w, 1, 1, day(0), day(1));
	struct inv_line line = stay_line(1, day(0), day(1));
	struct inv_reserve_op op = hold_op(&w, 2, &line, 1);
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_RATE_LIMITED);
	op.replaces = old;
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_DONE);
	sales_agree(&w);
	world_fini(&w);
}

/* ---- FORCE ---- */

Test(force, sells_over_restrictions_and_limits_and_says_so)
{
	struct world w;
	begin(&w, 1);
	(void)sales_book(&w, 1, 1, day(0), day(1));
	set_flag(
		&w, 1, day(0), day(9), INV_UPDATE_CLOSED | INV_UPDATE_CTA | INV_UPDATE_MIN_ARRIVAL);
	struct inv_line line = calendar_line(1, day(0), day(1));
	struct inv_reserve_op op = book_op(&w, 2, &line, 1);
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_CLOSED);
	op.force = true;
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_KEY_REUSED); /* it is another payload */
	op.id = sales_id(&w, 3);
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_DONE);
	cr_assert(w.effect.u.reserve.forced);
	cr_assert_eq(booked_on(&w, 1, day(0)), 2);
	line.rooms = 3;
	struct inv_transition_op change = modify_op(&w, op.id, &line, 1);
	cr_assert_eq(sales_transition(&w, &change), KEYRACK_CLOSED);
	change.force = true;
	cr_assert_eq(sales_transition(&w, &change), KEYRACK_DONE);
	cr_assert(w.effect.u.modify.forced);
	cr_assert_eq(booked_on(&w, 1, day(0)), 4);
	sales_agree(&w);
	world_fini(&w);
}

Test(force, keeps_to_names_dates_prices_and_the_counters_width)
{
	struct world w;
	begin(&w, 1);
	struct inv_line line = stay_line(1, day(0), day(1));
	struct inv_reserve_op op = hold_op(&w, 1, &line, 1);
	op.force = true;
	line.rooms = 65535;
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_DONE);
	op.id = sales_id(&w, 2);
	line.rooms = 1;
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_COUNTER_FULL);
	op.id = sales_id(&w, 3);
	line.type = 9;
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_NOT_FOUND);
	op.id = sales_id(&w, 4);
	line = stay_line(1, day(-9), day(1));
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_PAST_DATE);
	struct inv_transition_op confirm = transition_op(INV_CONFIRM, op.id);
	confirm.force = true;
	cr_assert_eq(sales_transition(&w, &confirm), KEYRACK_INVALID);
	cr_assert_str_eq(w.answer.refusal.text, "force");
	sales_agree(&w);
	world_fini(&w);
}

/* Held and booked are counters of their own, and a confirmation moves rooms from one to the other.
 */
Test(force, never_holds_what_could_not_be_confirmed)
{
	for (int book_first = 0; book_first < 2; book_first++) {
		struct world w;
		begin(&w, 1);
		struct inv_line line = stay_line(1, day(0), day(1));
		struct inv_reserve_op op = hold_op(&w, 1, &line, 1);
		struct kr_id held = op.id;
		op.force = true;
		op.book = book_first != 0;
		line.rooms = 40000;
		cr_assert_eq(sales_reserve(&w, &op), KEYRACK_DONE);
		op.id = sales_id(&w, 2);
		op.book = !op.book;
		cr_assert_eq(sales_reserve(&w, &op), KEYRACK_COUNTER_FULL);
		cr_assert_eq(w.answer.refusal.left, 25535);
		op.id = sales_id(&w, 3);
		line.rooms = 25535;
		cr_assert_eq(sales_reserve(&w, &op), KEYRACK_DONE);
		if (book_first)
			held = op.id;
		cr_assert_eq(sales_confirm(&w, held), KEYRACK_DONE);
		cr_assert_eq(world_counter(&w, 1, day(0)).booked, 65535);
		cr_assert_eq(world_counter(&w, 1, day(0)).held, 0);
		sales_agree(&w);
		world_fini(&w);
	}
}
