#include "tests/unit/inventory/sales.h"

/* Terms frozen in lines: kept, told, and asked for when a booking is given back. The effects are
 * judged, then given their terms by hand. */

static const struct inv_tier half_then_all[] = {{72, 0, 5000}, {24, 0, 10000}};
static const struct inv_tier two_nights[] = {{48, 2, 0}};

static int32_t day(int32_t offset)
{
	return world_day(2026, 12, 1) + offset;
}

/* 15:00 in UTC, the zone of the standard hotel. */
static uint64_t arrival_us(int32_t on)
{
	return (uint64_t)on * DAY_US + 15 * HOUR_US;
}

static void begin(struct world *w)
{
	world_init(w, NULL);
	world_standard(w, 2, 9);
	sales_price(w, 1, 100);
	sales_price(w, 2, 1001);
}

static struct inv_line calendar_line(uint16_t type, int32_t check_in, int32_t check_out)
{
	struct inv_line line = stay_line(type, check_in, check_out);
	line.pricing = INV_PRICE_CALENDAR;
	return line;
}

static void give_terms(struct inv_line *line, const struct inv_tier *tiers, uint32_t tier_count)
{
	line->tiers = tiers;
	line->tier_count = (uint8_t)tier_count;
	line->arrival_us = arrival_us(line->check_in);
}

/* Judged; its first line gets both tiers, its second, if any, the one. */
static struct kr_id sell(struct world *w, bool book, const struct inv_line *lines, uint32_t count)
{
	struct inv_line frozen[2];
	struct inv_reserve_op op = hold_op(w, w->lsn, lines, count);
	op.book = book;
	op.fingerprint = inv_reserve_fingerprint(&op);
	cr_assert_leq(count, 2);
	cr_assert_eq(inv_reserve_judge(w->inv, w->now, &op, &w->effect, &w->answer), INV_EFFECT);
	for (uint32_t i = 0; i < count; i++) {
		frozen[i] = w->effect.u.reserve.lines[i];
		cr_assert_eq(frozen[i].tier_count, 0);
		if (i == 0)
			give_terms(&frozen[i], half_then_all, 2);
		else
			give_terms(&frozen[i], two_nights, 1);
	}
	w->effect.u.reserve.lines = frozen;
	sales_apply(w);
	return op.id;
}

static struct inv_reservation_view seen(struct world *w, struct kr_id id)
{
	struct inv_reservation_view view;
	cr_assert(inv_reservation_get(w->inv, id, w->now.t_us, &view));
	return view;
}

Test(line_terms, are_kept_in_a_node_a_line_and_survive_snapshots)
{
	struct world w;
	begin(&w);
	struct inv_line lines[2] = {
		calendar_line(1, day(0), day(3)), calendar_line(2, day(4), day(6))};
	struct kr_id id = sell(&w, true, lines, 2);
	cr_assert_eq(sales_counts(&w).nodes, 4); /* a line, its run, two terms */
	struct inv_reservation_view view = seen(&w, id);
	cr_assert_eq(view.line_count, 2);
	cr_assert(inv_tiers_equal(view.lines[0].tiers, view.lines[0].tier_count, half_then_all, 2));
	cr_assert(inv_tiers_equal(view.lines[1].tiers, view.lines[1].tier_count, two_nights, 1));
	cr_assert_eq(view.lines[0].arrival_us, arrival_us(day(0)));
	cr_assert_eq(view.lines[1].arrival_us, arrival_us(day(4)));
	cr_assert_eq(view.total_minor, 300 + 2002);
	cr_assert_eq(view.cost.free_until_us, arrival_us(day(0)) - 72 * HOUR_US);
	sales_agree(&w);
	cr_assert_eq(sales_cancel(&w, id, false), KEYRACK_DONE);
	sales_agree(&w);
	w.now.t_us += 30 * DAY_US;
	(void)sales_due(&w);
	cr_assert_eq(sales_counts(&w).nodes, 0);
	sales_agree(&w);
	world_fini(&w);
}

Test(line_terms, another_digest_tells_them_apart)
{
	struct world w[2];
	struct inv_line line = calendar_line(1, day(0), day(3));
	for (int i = 0; i < 2; i++) {
		begin(&w[i]);
		struct inv_reserve_op op = book_op(&w[i], 1, &line, 1);
		op.fingerprint = inv_reserve_fingerprint(&op);
		(void)inv_reserve_judge(w[i].inv, w[i].now, &op, &w[i].effect, &w[i].answer);
		struct inv_line frozen = w[i].effect.u.reserve.lines[0];
		give_terms(&frozen, half_then_all, 1 + (uint32_t)i);
		w[i].effect.u.reserve.lines = &frozen;
		sales_apply(&w[i]);
		sales_agree(&w[i]);
	}
	cr_assert_neq(inv_digest(w[0].inv), inv_digest(w[1].inv));
	for (int i = 0; i < 2; i++)
		world_fini(&w[i]);
}

/* Before, at and after each tier's instant; and again afterwards, whatever the time is then. */
Test(line_terms, a_cancellation_costs_what_holds_at_its_instant_and_says_so_again)
{
	static const struct {
		int64_t before_arrival_us;
		uint64_t penalty_minor;
	} cases[] = {
		{(int64_t)(73 * HOUR_US), 0},
		{(int64_t)(72 * HOUR_US) + 1, 0},
		{(int64_t)(72 * HOUR_US), 150},
		{(int64_t)(24 * HOUR_US) + 1, 150},
		{(int64_t)(24 * HOUR_US), 300},
		{1, 300},
		{0, 300},
		{-(int64_t)HOUR_US, 300},
	};
	struct world w;
	begin(&w);
	for (size_t i = 0; i < KR_ARRAY_COUNT(cases); i++) {
		struct inv_line line = calendar_line(1, day(7), day(10));
		uint64_t sold_us = w.now.t_us;
		struct kr_id id = sell(&w, true, &line, 1);
		uint64_t t_us =
			(uint64_t)((int64_t)arrival_us(day(7)) - cases[i].before_arrival_us);
		w.now.t_us = w.now.wall_us = t_us;
		struct inv_reservation_view view = seen(&w, id);
		cr_assert(view.cost.has_amounts);
		cr_assert_eq(view.cost.penalty_minor, cases[i].penalty_minor, "case %zu", i);
		for (int again = 0; again < 3; again++) {
			cr_assert_eq(sales_cancel(&w, id, again == 2), KEYRACK_DONE);
			cr_assert_eq(w.answer.repeated, again != 0);
			cr_assert(w.answer.has_amounts);
			cr_assert_eq(w.answer.penalty_minor, cases[i].penalty_minor, "case %zu", i);
			cr_assert_eq(w.answer.refundable_minor, 300 - cases[i].penalty_minor);
			w.now.t_us += HOUR_US / 100;
		}
		view = seen(&w, id);
		cr_assert_eq(view.state, INV_CANCELLED);
		cr_assert_eq(view.cost.penalty_minor, cases[i].penalty_minor);
		cr_assert_eq(view.cost.refundable_minor, 300 - cases[i].penalty_minor);
		sales_agree(&w);
		/* the clock of an inventory never goes back: another one */
		world_fini(&w);
		begin(&w);
		w.now.t_us = w.now.wall_us = sold_us;
	}
	world_fini(&w);
}

Test(line_terms, a_hold_is_given_back_for_nothing_and_shows_no_cost_after)
{
	struct world w;
	begin(&w);
	struct inv_line line = calendar_line(1, day(0), day(3));
	w.now.t_us = w.now.wall_us = arrival_us(day(0)) - HOUR_US;
	struct kr_id id = sell(&w, false, &line, 1);
	struct inv_reservation_view view = seen(&w, id);
	cr_assert(view.cost.has_amounts);
	cr_assert_eq(view.cost.penalty_minor, 0);
	cr_assert_eq(view.cost.refundable_minor, 300);
	cr_assert_eq(view.cost.free_until_us, arrival_us(day(0)) - 72 * HOUR_US);
	cr_assert_eq(sales_cancel(&w, id, true), KEYRACK_DONE);
	cr_assert(!w.answer.has_amounts);
	view = seen(&w, id);
	cr_assert_eq(view.state, INV_RELEASED);
	cr_assert(!view.cost.has_amounts);
	/* confirmed it costs */
	id = sell(&w, false, &line, 1);
	cr_assert_eq(sales_confirm(&w, id), KEYRACK_DONE);
	cr_assert(!w.answer.has_amounts);
	cr_assert_eq(seen(&w, id).cost.penalty_minor, 300);
	sales_agree(&w);
	world_fini(&w);
}

Test(line_terms, a_no_show_costs_what_holds_when_it_is_said_and_a_guest_in_the_house_cannot_cancel)
{
	struct world w;
	begin(&w);
	struct inv_line line = calendar_line(1, day(0), day(3));
	struct kr_id ids[2] = {sell(&w, true, &line, 1), sell(&w, true, &line, 1)};
	w.now.t_us = w.now.wall_us = arrival_us(day(0)) + 12 * HOUR_US;
	(void)sales_due(&w);
	struct inv_transition_op op = transition_op(INV_MARK_NO_SHOW, ids[0]);
	for (int again = 0; again < 2; again++) {
		cr_assert_eq(sales_transition(&w, &op), KEYRACK_DONE, "%u", w.answer.code);
		cr_assert(w.answer.has_amounts);
		cr_assert_eq(w.answer.penalty_minor, 300);
		cr_assert_eq(w.answer.refundable_minor, 0);
	}
	cr_assert_eq(seen(&w, ids[0]).cost.penalty_minor, 300);
	op = transition_op(INV_CHECK_IN, ids[1]);
	cr_assert_eq(sales_transition(&w, &op), KEYRACK_DONE);
	cr_assert(!w.answer.has_amounts);
	cr_assert(!seen(&w, ids[1]).cost.has_amounts);
	cr_assert_neq(seen(&w, ids[1]).cost.free_until_us, 0);
	sales_agree(&w);
	world_fini(&w);
}

Test(line_terms, a_count_only_booking_has_a_deadline_and_no_amounts)
{
	struct world w;
	begin(&w);
	struct inv_line line = stay_line(1, day(0), day(3));
	struct kr_id id = sell(&w, true, &line, 1);
	cr_assert_eq(seen(&w, id).cost.free_until_us, arrival_us(day(0)) - 72 * HOUR_US);
	cr_assert(!seen(&w, id).cost.has_amounts);
	cr_assert_eq(sales_cancel(&w, id, false), KEYRACK_DONE);
	cr_assert(!w.answer.has_amounts);
	cr_assert(!w.answer.has_total);
	sales_agree(&w);
	world_fini(&w);
}

Test(line_terms, a_change_keeps_them_with_the_line_and_reckons_the_arrival_anew)
{
	struct world w;
	begin(&w);
	struct inv_line lines[2] = {
		calendar_line(1, day(0), day(2)), calendar_line(2, day(4), day(6))};
	struct kr_id id = sell(&w, true, lines, 2);
	struct inv_transition_op op = transition_op(INV_MODIFY, id);
	op.has_expected_revision = true;
	op.expected_revision = 1;
	op.change_id = 7;
	op.lines = lines;
	op.line_count = 2;
	/* later; and a chain, whose arrival is its first night's; each keeps its line's */
	lines[0] = calendar_line(1, day(1), day(4));
	cr_assert_eq(sales_transition(&w, &op), KEYRACK_DONE);
	struct inv_reservation_view view = seen(&w, id);
	cr_assert(inv_tiers_equal(view.lines[0].tiers, view.lines[0].tier_count, half_then_all, 2));
	cr_assert(inv_tiers_equal(view.lines[1].tiers, view.lines[1].tier_count, two_nights, 1));
	cr_assert_eq(view.lines[0].arrival_us, arrival_us(day(1)));
	cr_assert_eq(view.lines[1].arrival_us, arrival_us(day(1)));
	cr_assert_eq(view.cost.free_until_us, arrival_us(day(1)) - 72 * HOUR_US);
	sales_agree(&w);
	/* of another line; and of another type, which has today's: none */
	lines[0] = calendar_line(2, day(2), day(4));
	lines[0].keeps = 2;
	lines[1] = calendar_line(1, day(8), day(9));
	op.expected_revision = 2;
	op.change_id = 8;
	cr_assert_eq(sales_transition(&w, &op), KEYRACK_DONE);
	view = seen(&w, id);
	cr_assert(inv_tiers_equal(view.lines[0].tiers, view.lines[0].tier_count, two_nights, 1));
	cr_assert_eq(view.lines[0].arrival_us, arrival_us(day(2)));
	cr_assert_eq(view.lines[1].tier_count, 0);
	cr_assert_eq(view.lines[1].arrival_us, 0);
	sales_agree(&w);
	world_fini(&w);
}

Test(line_terms, what_is_wanted_again_comes_at_the_terms_it_was_held_at)
{
	struct world w;
	begin(&w);
	struct inv_line line = calendar_line(1, day(0), day(2));
	struct kr_id id = sell(&w, false, &line, 1);
	w.now.t_us = w.now.wall_us = w.now.t_us + HOUR_US;
	(void)sales_due(&w);
	cr_assert_eq(sales_state(&w, id), INV_EXPIRED);
	cr_assert(!seen(&w, id).cost.has_amounts);
	struct inv_reserve_op op = book_op(&w, 99, NULL, 0);
	op.reacquires = id;
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_DONE, "%u", w.answer.code);
	struct inv_reservation_view view = seen(&w, op.id);
	cr_assert(inv_tiers_equal(view.lines[0].tiers, view.lines[0].tier_count, half_then_all, 2));
	cr_assert_eq(view.lines[0].arrival_us, arrival_us(day(0)));
	sales_agree(&w);
	world_fini(&w);
}

/* An effect that says what no judging says is refused whole. */
Test(line_terms, contradictions_change_nothing)
{
	struct world w;
	begin(&w);
	static const struct inv_tier rising[] = {{24, 1, 0}, {72, 1, 0}};
	struct inv_line line = calendar_line(1, day(0), day(2));
	for (int i = 0; i < 4; i++) {
		struct inv_reserve_op op = book_op(&w, (uint64_t)i, &line, 1);
		op.fingerprint = inv_reserve_fingerprint(&op);
		(void)inv_reserve_judge(w.inv, w.now, &op, &w.effect, &w.answer);
		struct inv_line frozen = w.effect.u.reserve.lines[0];
		give_terms(&frozen, i == 0 ? rising : half_then_all, 2);
		if (i == 1)
			frozen.arrival_us = 0;
		if (i == 2)
			frozen.tier_count = 0;
		if (i == 3)
			frozen.tier_count = INV_TIERS_MAX + 1;
		w.effect.u.reserve.lines = &frozen;
		uint64_t before = inv_digest(w.inv);
		w.effect.lsn = w.lsn + 1;
		cr_assert_eq(inv_apply(w.inv, &w.effect, &w.contradiction), INV_CONTRADICTION);
		cr_assert_eq(inv_digest(w.inv), before, "case %d", i);
	}
	world_fini(&w);
}
