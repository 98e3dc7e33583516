#include "tests/unit/inventory/sales.h"

/* EXTEND, ATTACH_PAYMENT, CHECK_IN, COMPLETE, NO_SHOW. */

#define ROOMS 5

static struct inv_transition_op extend_op(
	const struct world *w, struct kr_id id, uint32_t revision, uint64_t expires_at_us)
{
	struct inv_transition_op op = transition_op(INV_EXTEND, id);
	op.has_expected_revision = true;
	op.expected_revision = revision;
	op.change_id = w->now.t_us ^ expires_at_us << 1 ^ revision;
	op.expires_at_us = expires_at_us;
	return op;
}

static struct inv_transition_op attach_op(struct kr_id id, uint32_t revision, const char *reference)
{
	struct inv_transition_op op = transition_op(INV_ATTACH_PAYMENT, id);
	op.has_expected_revision = true;
	op.expected_revision = revision;
	op.change_id = 7000 + revision;
	op.payment_ref = text(reference);
	return op;
}

static struct inv_reservation_view seen(struct world *w, struct kr_id id)
{
	struct inv_reservation_view view;
	cr_assert(inv_reservation_get(w->inv, id, w->now.t_us, &view));
	return view;
}

static void begin(struct world *w)
{
	world_init(w, NULL);
	world_standard(w, 2, ROOMS);
}

static const int32_t arrival_offset = 3;

static int32_t arrival(void)
{
	return world_day(2026, 11, 22) + arrival_offset;
}

/* On the day of arrival, after its day roll. */
static void arrive(struct world *w)
{
	world_time(w, 2026, 11, 22 + arrival_offset, 18, 0);
	(void)sales_due(w);
}

/* ---- EXTEND ---- */

Test(changes, an_extended_hold_expires_at_its_new_deadline)
{
	struct world w;
	begin(&w);
	struct kr_id id = sales_hold(&w, 1, 1, arrival(), arrival() + 2);
	const uint64_t until = w.now.t_us + 40 * MINUTE_US;
	struct inv_transition_op op = extend_op(&w, id, 1, until);
	cr_assert_eq(sales_transition(&w, &op), KEYRACK_DONE);
	cr_assert_eq(w.effect.kind, INV_EFFECT_EXTEND);
	cr_assert_eq(w.answer.expires_at_us, until);
	cr_assert_eq(w.answer.state, INV_HELD);
	cr_assert_eq(w.answer.revision, 2);
	cr_assert_eq(seen(&w, id).change_id, op.change_id);
	sales_agree(&w);
	w.now.t_us = until - 1;
	cr_assert_eq(sales_due(&w), 0);
	w.now.t_us = until;
	cr_assert_eq(sales_due(&w), 1);
	cr_assert_eq(sales_state(&w, id), INV_EXPIRED);
	sales_agree(&w);
	world_fini(&w);
}

Test(changes, a_hold_never_lives_longer_than_its_hotel_lets_it)
{
	struct world w;
	begin(&w);
	struct kr_id id = sales_hold(&w, 1, 1, arrival(), arrival() + 2);
	const uint64_t cap = w.now.t_us + INV_HOLD_TOTAL_MAX_US;
	struct inv_transition_op op = extend_op(&w, id, 1, cap + 5 * MINUTE_US);
	cr_assert_eq(sales_transition(&w, &op), KEYRACK_DONE);
	cr_assert_eq(w.answer.expires_at_us, cap);
	/* there is no more to be had: no effect, and the answer says until when */
	const uint64_t lsn = w.lsn;
	op = extend_op(&w, id, 2, cap + 9 * MINUTE_US);
	cr_assert_eq(sales_transition(&w, &op), KEYRACK_DONE);
	cr_assert_eq(w.answer.expires_at_us, cap);
	cr_assert_eq(w.answer.revision, 2);
	cr_assert_eq(w.lsn, lsn);
	/* and none is ever taken away */
	op = extend_op(&w, id, 2, w.now.t_us + MINUTE_US);
	cr_assert_eq(sales_transition(&w, &op), KEYRACK_DONE);
	cr_assert_eq(w.answer.expires_at_us, cap);
	cr_assert_eq(w.lsn, lsn);
	/* without a cap it is what was asked for */
	struct inv_hotel_op hotel = hotel_op(WORLD_HOTEL);
	hotel.mask = INV_HOTEL_HOLD_TOTAL_MAX;
	hotel.settings.hold_total_max_us = 0;
	cr_assert_eq(world_hotel_put(&w, &hotel), KEYRACK_DONE);
	op = extend_op(&w, id, 2, cap + 90 * MINUTE_US);
	cr_assert_eq(sales_transition(&w, &op), KEYRACK_DONE);
	cr_assert_eq(w.answer.expires_at_us, cap + 90 * MINUTE_US);
	sales_agree(&w);
	world_fini(&w);
}

Test(changes, a_change_is_made_once_under_its_id)
{
	struct world w;
	begin(&w);
	struct kr_id id = sales_hold(&w, 1, 1, arrival(), arrival() + 2);
	struct inv_transition_op first = extend_op(&w, id, 1, w.now.t_us + 20 * MINUTE_US);
	struct inv_transition_op second = extend_op(&w, id, 2, w.now.t_us + 30 * MINUTE_US);
	cr_assert_eq(sales_transition(&w, &first), KEYRACK_DONE);
	cr_assert_not(w.answer.repeated);
	cr_assert_eq(sales_transition(&w, &first), KEYRACK_DONE);
	cr_assert(w.answer.repeated);
	cr_assert_eq(w.answer.revision, 2);
	cr_assert_eq(sales_transition(&w, &second), KEYRACK_DONE);
	/* the record keeps the last one: the first is a stale revision now */
	cr_assert_eq(sales_transition(&w, &first), KEYRACK_VERSION_MISMATCH);
	cr_assert_eq(w.answer.refusal.rule, RULE_VERSION);
	cr_assert_eq(w.answer.refusal.left, 3);
	/* what was done stays done, whatever became of the reservation */
	cr_assert_eq(sales_confirm(&w, id), KEYRACK_DONE);
	cr_assert_eq(sales_transition(&w, &second), KEYRACK_DONE);
	cr_assert(w.answer.repeated);
	cr_assert_eq(w.answer.state, INV_CONFIRMED);
	sales_agree(&w);
	world_fini(&w);
}

/* ---- ATTACH_PAYMENT ---- */

Test(changes, an_attached_reference_is_the_one_that_confirms)
{
	struct world w;
	begin(&w);
	struct kr_id id = sales_hold(&w, 1, 1, arrival(), arrival() + 2);
	struct inv_transition_op attach = attach_op(id, 1, "pay-1");
	cr_assert_eq(sales_transition(&w, &attach), KEYRACK_DONE);
	cr_assert_eq(w.effect.kind, INV_EFFECT_ATTACH_PAYMENT);
	cr_assert_eq(w.answer.revision, 2);
	/* the same reference again, under whatever id and revision; another one never */
	struct inv_transition_op again = attach_op(id, 9, "pay-1");
	cr_assert_eq(sales_transition(&w, &again), KEYRACK_DONE);
	cr_assert(w.answer.repeated);
	struct inv_transition_op other = attach_op(id, 2, "pay-2");
	cr_assert_eq(sales_transition(&w, &other), KEYRACK_BAD_STATE);
	cr_assert_eq(w.answer.refusal.rule, RULE_PAYMENT_REF);
	struct inv_transition_op confirm = transition_op(INV_CONFIRM, id);
	confirm.payment_ref = text("pay-2");
	cr_assert_eq(sales_transition(&w, &confirm), KEYRACK_BAD_STATE);
	cr_assert_eq(w.answer.refusal.rule, RULE_PAYMENT_REF);
	sales_agree(&w);
	confirm.payment_ref = text("pay-1");
	cr_assert_eq(sales_transition(&w, &confirm), KEYRACK_DONE);
	cr_assert_eq(w.effect.u.confirm.payment_ref.size_bytes, 0);
	struct inv_reservation_view view = seen(&w, id);
	cr_assert_eq(view.payment_ref.size_bytes, 5);
	cr_assert_eq(memcmp(view.payment_ref.bytes, "pay-1", 5), 0);
	cr_assert_eq(sales_confirm(&w, id), KEYRACK_DONE);
	sales_agree(&w);
	world_fini(&w);
}

Test(changes, a_hold_with_a_reference_confirms_without_saying_it_again)
{
	struct world w;
	begin(&w);
	struct kr_id id = sales_hold(&w, 1, 1, arrival(), arrival() + 2);
	struct inv_transition_op attach = attach_op(id, 1, "pay-1");
	cr_assert_eq(sales_transition(&w, &attach), KEYRACK_DONE);
	cr_assert_eq(sales_confirm(&w, id), KEYRACK_DONE);
	cr_assert_eq(seen(&w, id).payment_ref.size_bytes, 5);
	cr_assert_eq(seen(&w, id).change_id, attach.change_id);
	sales_agree(&w);
	world_fini(&w);
}

/* ---- who may be changed ---- */

Test(changes, only_live_holds_are_changed)
{
	static const struct {
		uint8_t state;
		uint16_t code;
	} cases[] = {
		{INV_HELD, KEYRACK_HOLD_EXPIRED}, /* due */
		{INV_EXPIRED, KEYRACK_HOLD_EXPIRED},
		{INV_CONFIRMED, KEYRACK_BAD_STATE},
		{INV_RELEASED, KEYRACK_BAD_STATE},
		{INV_CANCELLED, KEYRACK_BAD_STATE},
		{INV_VOID, KEYRACK_BAD_STATE},
	};
	struct world w;
	begin(&w);
	for (size_t i = 0; i < KR_ARRAY_COUNT(cases); i++) {
		struct kr_id id = sales_id(&w, 100 + i);
		if (cases[i].state == INV_VOID)
			(void)sales_resolve(&w, id);
		else
			id = sales_hold(&w, 100 + i, 1, arrival(), arrival() + 2);
		if (cases[i].state == INV_CONFIRMED || cases[i].state == INV_CANCELLED)
			(void)sales_confirm(&w, id);
		if (cases[i].state == INV_CANCELLED)
			(void)sales_cancel(&w, id, false);
		if (cases[i].state == INV_RELEASED)
			(void)sales_release(&w, id);
		if (cases[i].code == KEYRACK_HOLD_EXPIRED)
			w.now.t_us += INV_HOLD_TTL_US;
		if (cases[i].state == INV_EXPIRED)
			(void)sales_due(&w);
		cr_assert_eq(sales_state(&w, id), cases[i].state);
		const uint64_t lsn = w.lsn;
		const uint32_t revision = seen(&w, id).revision;
		struct inv_transition_op extend =
			extend_op(&w, id, revision, w.now.t_us + MINUTE_US);
		cr_assert_eq(sales_transition(&w, &extend), cases[i].code, "%zu", i);
		cr_assert_eq(w.answer.state, cases[i].state);
		struct inv_transition_op attach = attach_op(id, revision, "pay");
		cr_assert_eq(sales_transition(&w, &attach), cases[i].code, "%zu", i);
		cr_assert_eq(w.lsn, lsn);
	}
	world_fini(&w);
}

Test(changes, a_malformed_change_is_invalid_and_names_the_field)
{
	struct world w;
	begin(&w);
	struct kr_id id = sales_hold(&w, 1, 1, arrival(), arrival() + 2);
	const struct inv_transition_op extend = extend_op(&w, id, 1, w.now.t_us + MINUTE_US);
	const struct inv_transition_op attach = attach_op(id, 1, "pay");
	const struct {
		struct inv_transition_op op;
		const char *field;
	} cases[] = {
		{extend, "change_id"},
		{extend, "expected_revision"},
		{extend, "expires_at_us"},
		{extend, "expires_at_us"},
		{extend, "payment_ref"},
		{attach, "payment_ref"},
		{attach, "expires_at_us"},
		{transition_op(INV_CONFIRM, id), "change_id"},
		{transition_op(INV_MARK_NO_SHOW, id), "expires_at_us"},
	};
	for (size_t i = 0; i < KR_ARRAY_COUNT(cases); i++) {
		struct inv_transition_op op = cases[i].op;
		if (i == 0)
			op.change_id = 0;
		if (i == 1)
			op.has_expected_revision = false;
		if (i == 2)
			op.expires_at_us = 0;
		if (i == 3)
			op.expires_at_us = UINT64_MAX;
		if (i == 4)
			op.payment_ref = text("p");
		if (i == 5)
			op.payment_ref = (struct inv_text){0};
		if (i == 7)
			op.change_id = 1;
		if (i == 6 || i == 8)
			op.expires_at_us = 1;
		cr_assert_eq(sales_transition(&w, &op), KEYRACK_INVALID, "%zu", i);
		cr_assert_str_eq(w.answer.refusal.text, cases[i].field, "%zu", i);
	}
	world_fini(&w);
}

/* ---- CHECK_IN, COMPLETE, NO_SHOW ---- */

enum start {
	START_HELD,
	START_CONFIRMED,
	START_CHECKED_IN,
	START_COMPLETED,
	START_NO_SHOW,
	START_CANCELLED,
	START_COUNT
};
#define MOVES 1
#define AGAIN 2
#define NO 0

static const uint8_t start_states[START_COUNT] = {
	INV_HELD, INV_CONFIRMED, INV_CHECKED_IN, INV_COMPLETED, INV_NO_SHOW, INV_CANCELLED};
/* CHECK_IN, COMPLETE, NO_SHOW */
static const uint8_t outcomes[START_COUNT][3] = {
	[START_HELD] = {NO, NO, NO},
	[START_CONFIRMED] = {MOVES, MOVES, MOVES},
	[START_CHECKED_IN] = {AGAIN, MOVES, NO},
	[START_COMPLETED] = {NO, AGAIN, NO},
	[START_NO_SHOW] = {NO, NO, AGAIN},
	[START_CANCELLED] = {NO, NO, NO},
};

static struct kr_id started(struct world *w, enum start start, uint64_t random)
{
	static const enum inv_transition moves[START_COUNT] = {[START_CHECKED_IN] = INV_CHECK_IN,
		[START_COMPLETED] = INV_COMPLETE,
		[START_NO_SHOW] = INV_MARK_NO_SHOW,
		[START_CANCELLED] = INV_CANCEL};
	if (start == START_HELD)
		return sales_hold(w, random, 1, arrival(), arrival() + 3);
	struct kr_id id = sales_book(w, random, 1, arrival(), arrival() + 3);
	struct inv_transition_op op = transition_op(moves[start], id);
	if (moves[start] != 0)
		cr_assert_eq(sales_transition(w, &op), KEYRACK_DONE);
	return id;
}

Test(changes, every_state_meets_arrival_and_departure)
{
	static const enum inv_transition asks[3] = {INV_CHECK_IN, INV_COMPLETE, INV_MARK_NO_SHOW};
	static const uint8_t reached[3] = {INV_CHECKED_IN, INV_COMPLETED, INV_NO_SHOW};
	struct world w;
	begin(&w);
	arrive(&w);
	uint64_t random = 1;
	for (enum start start = 0; start < START_COUNT; start++)
		for (int ask = 0; ask < 3; ask++) {
			struct kr_id id = started(&w, start, random++);
			struct inv_transition_op op = transition_op(asks[ask], id);
			const uint64_t lsn = w.lsn;
			const uint8_t outcome = outcomes[start][ask];
			const uint8_t after = outcome == NO ? start_states[start] : reached[ask];
			cr_assert_eq(sales_transition(&w, &op),
				outcome == NO ? KEYRACK_BAD_STATE : KEYRACK_DONE, "%d %d", start,
				ask);
			cr_assert_eq(w.lsn - lsn, outcome == MOVES);
			cr_assert_eq(w.answer.repeated, outcome == AGAIN);
			cr_assert_eq(w.answer.state, after);
			cr_assert_eq(sales_state(&w, id), after);
			const bool booked = after == INV_CONFIRMED || after == INV_CHECKED_IN;
			cr_assert_eq(world_counter(&w, 1, arrival()).booked, booked);
			cr_assert_eq(world_counter(&w, 1, arrival() + 2).booked, booked);
			sales_agree(&w);
			/* empty cells for the next one */
			struct inv_transition_op end = transition_op(INV_COMPLETE, id);
			(void)sales_transition(&w, &end);
			(void)sales_release(&w, id);
		}
	world_fini(&w);
}

Test(changes, nobody_arrives_before_the_first_night)
{
	static const enum inv_transition asks[3] = {INV_CHECK_IN, INV_COMPLETE, INV_MARK_NO_SHOW};
	struct world w;
	begin(&w);
	struct kr_id id = sales_book(&w, 1, 1, arrival(), arrival() + 3);
	/* local midnight of the day of arrival has passed, the day roll at 04:00 has not */
	world_time(&w, 2026, 11, 22 + arrival_offset, 3, 59);
	(void)sales_due(&w);
	for (int i = 0; i < 3; i++) {
		struct inv_transition_op op = transition_op(asks[i], id);
		cr_assert_eq(sales_transition(&w, &op), KEYRACK_TOO_EARLY);
		cr_assert_eq(w.answer.refusal.rule, RULE_ARRIVAL);
		cr_assert_eq(w.answer.refusal.day, arrival());
		cr_assert_eq(w.answer.refusal.left, arrival() - 1);
		cr_assert_eq(sales_state(&w, id), INV_CONFIRMED);
	}
	world_time(&w, 2026, 11, 22 + arrival_offset, 4, 0);
	(void)sales_due(&w);
	struct inv_transition_op op = transition_op(INV_CHECK_IN, id);
	cr_assert_eq(sales_transition(&w, &op), KEYRACK_DONE);
	world_fini(&w);
}

Test(changes, an_early_departure_gives_back_what_is_left)
{
	struct world w;
	begin(&w);
	struct inv_line lines[2] = {
		stay_line(1, arrival(), arrival() + 2), stay_line(2, arrival() + 2, arrival() + 5)};
	struct inv_reserve_op book = book_op(&w, 1, lines, 2);
	cr_assert_eq(sales_reserve(&w, &book), KEYRACK_DONE);
	arrive(&w);
	struct inv_transition_op op = transition_op(INV_CHECK_IN, book.id);
	cr_assert_eq(sales_transition(&w, &op), KEYRACK_DONE);
	cr_assert_eq(w.effect.old_count, 0);
	/* the guest leaves on the fourth day: three nights were had, one of them of the second line
	 */
	w.now.t_us += 3 * DAY_US;
	(void)sales_due(&w);
	cr_assert_eq(world_counter(&w, 2, arrival() + 3).booked, 1);
	op = transition_op(INV_COMPLETE, book.id);
	cr_assert_eq(sales_transition(&w, &op), KEYRACK_DONE);
	cr_assert_eq(w.effect.old_count, 2);
	cr_assert_eq(world_counter(&w, 2, arrival() + 3).booked, 0);
	cr_assert_eq(world_counter(&w, 2, arrival() + 4).booked, 0);
	cr_assert_eq(seen(&w, book.id).state, INV_COMPLETED);
	cr_assert_eq(seen(&w, book.id).counted_until, arrival() + 3);
	sales_agree(&w);
	/* kept until seven days after the check-out that was agreed */
	world_time(&w, 2026, 12, 6, 23, 0);
	(void)sales_due(&w);
	cr_assert_eq(sales_state(&w, book.id), INV_COMPLETED);
	w.now.t_us += DAY_US;
	(void)sales_due(&w);
	cr_assert_eq(sales_state(&w, book.id), 0);
	sales_agree(&w);
	world_fini(&w);
}

Test(changes, a_no_show_keeps_the_nights_that_were_kept_for_it)
{
	struct world w;
	begin(&w);
	struct kr_id id = sales_book(&w, 1, 1, arrival(), arrival() + 3);
	arrive(&w);
	w.now.t_us += DAY_US; /* noticed a day late */
	(void)sales_due(&w);
	struct inv_transition_op op = transition_op(INV_MARK_NO_SHOW, id);
	cr_assert_eq(sales_transition(&w, &op), KEYRACK_DONE);
	cr_assert_eq(w.effect.old_count, 2);
	cr_assert_eq(seen(&w, id).counted_until, arrival() + 1);
	cr_assert_eq(world_counter(&w, 1, arrival() + 1).booked, 0);
	sales_agree(&w);
	w.now.t_us += w.config.retention_us + DAY_US;
	(void)sales_due(&w);
	cr_assert_eq(sales_state(&w, id), 0);
	sales_agree(&w);
	world_fini(&w);
}

Test(changes, an_effect_that_contradicts_the_state_changes_nothing)
{
	struct world w;
	begin(&w);
	struct kr_id id = sales_hold(&w, 1, 1, arrival(), arrival() + 2);
	struct inv_transition_op op = extend_op(&w, id, 1, w.now.t_us + 20 * MINUTE_US);
	cr_assert_eq(inv_transition_judge(w.inv, w.now, &op, &w.effect, &w.answer), INV_EFFECT);
	const uint64_t digest = inv_digest(w.inv);
	const struct inv_effect good = w.effect;
	struct inv_effect bad[6] = {good, good, good, good, good, good};
	bad[0].u.extend.old_expires_at_us++;
	bad[1].u.extend.expires_at_us = bad[1].u.extend.old_expires_at_us;
	bad[2].change_id = 0;
	bad[3].t_us = bad[3].u.extend.old_expires_at_us;
	bad[4].kind = INV_EFFECT_COMPLETE;
	bad[5].kind = INV_EFFECT_CHECK_IN;
	for (size_t i = 0; i < KR_ARRAY_COUNT(bad); i++) {
		bad[i].lsn = w.lsn + 1;
		cr_assert_eq(
			inv_apply(w.inv, &bad[i], &w.contradiction), INV_CONTRADICTION, "%zu", i);
		cr_assert_eq(inv_digest(w.inv), digest);
	}
	w.effect = good;
	sales_apply(&w);
	sales_agree(&w);
	world_fini(&w);
}

/* ---- wanted again ---- */

static struct inv_reserve_op again_op(const struct world *w, uint64_t random, struct kr_id old)
{
	struct inv_reserve_op op = hold_op(w, random, NULL, 0);
	op.reacquires = old;
	return op;
}

Test(changes, an_expired_hold_is_had_again_at_the_prices_it_was_held_at)
{
	struct world w;
	begin(&w);
	sales_price(&w, 1, 7000);
	struct inv_line lines[2] = {
		stay_line(1, arrival(), arrival() + 2), stay_line(2, arrival() + 2, arrival() + 3)};
	lines[0].pricing = INV_PRICE_CALENDAR;
	struct inv_reserve_op hold = hold_op(&w, 1, lines, 2);
	cr_assert_eq(sales_reserve(&w, &hold), KEYRACK_DONE);
	struct inv_reserve_op early = again_op(&w, 2, hold.id);
	cr_assert_eq(sales_reserve(&w, &early), KEYRACK_BAD_STATE);
	cr_assert_eq(w.answer.refusal.state, INV_HELD);
	w.now.t_us += INV_HOLD_TTL_US;
	(void)sales_due(&w);
	sales_price(&w, 1, 9900);
	struct inv_reserve_op op = again_op(&w, 3, hold.id);
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_DONE);
	cr_assert_eq(w.answer.state, INV_HELD);
	struct inv_reservation_view view = seen(&w, op.id);
	cr_assert_eq(view.line_count, 2);
	cr_assert_eq(view.lines[0].runs[0].price_minor, 7000);
	cr_assert_eq(view.lines[0].pricing, INV_PRICE_CALLER);
	cr_assert_eq(view.lines[1].pricing, INV_PRICE_NONE);
	cr_assert_eq(world_counter(&w, 1, arrival()).held, 1);
	cr_assert_eq(world_counter(&w, 2, arrival() + 2).held, 1);
	/* the same request again is a repetition; the old hold stays what it is */
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_DONE);
	cr_assert(w.answer.repeated);
	cr_assert_eq(sales_state(&w, hold.id), INV_EXPIRED);
	sales_agree(&w);
	world_fini(&w);
}

Test(changes, what_is_wanted_again_is_judged_anew)
{
	struct world w;
	begin(&w);
	struct kr_id old = sales_hold(&w, 1, 1, arrival(), arrival() + 2);
	w.now.t_us += INV_HOLD_TTL_US;
	(void)sales_due(&w);
	for (uint64_t i = 0; i < ROOMS; i++)
		(void)sales_book(&w, 10 + i, 1, arrival() + 1, arrival() + 2);
	struct inv_reserve_op op = again_op(&w, 2, old);
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_SOLD_OUT);
	cr_assert_eq(w.answer.refusal.day, arrival() + 1);
	struct inv_line line = stay_line(1, arrival(), arrival() + 1);
	op = again_op(&w, 3, old);
	op.lines = &line;
	op.line_count = 1;
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_INVALID);
	cr_assert_str_eq(w.answer.refusal.text, "lines");
	op = again_op(&w, 4, sales_id(&w, 99));
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_NOT_FOUND);
	cr_assert_str_eq(w.answer.refusal.text, "reacquires");
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_NOT_FOUND);
	cr_assert_str_eq(w.answer.refusal.text, "reacquires");
	sales_agree(&w);
	world_fini(&w);
}
