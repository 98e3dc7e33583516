#include "tests/unit/inventory/sales.h"

/* An effect that does not fit the state is refused whole: nothing of it is applied. */

static int32_t day_one(void)
{
	return world_day(2026, 11, 25);
}

/* A judged effect that nobody has applied yet: it stays whole while the state is read. */
static void judged(struct world *w, enum inv_result result)
{
	cr_assert_eq(result, INV_EFFECT);
	w->effect.lsn = w->lsn + 1;
}

static void refused(struct world *w, struct inv_effect effect, const char *why)
{
	const uint64_t digest = inv_digest(w->inv), lsn = w->lsn + 1;
	memset(&w->contradiction, 0, sizeof(w->contradiction));
	cr_assert_eq(inv_apply(w->inv, &effect, &w->contradiction), INV_CONTRADICTION, "%s", why);
	cr_assert_not_null(w->contradiction.what, "%s", why);
	cr_assert_eq(w->contradiction.lsn, lsn);
	cr_assert(kr_id_equal(w->contradiction.id, effect.id));
	cr_assert_eq(inv_digest(w->inv), digest, "%s", why);
	struct inv_contradiction recounted;
	cr_assert_eq(inv_verify(w->inv, &recounted), 0, "%s: %s", why, recounted.what);
}

/* The numbers behind the sentence, which are of no night. */
static void told(const struct world *w, uint64_t expected, uint64_t found)
{
	cr_assert_eq(w->contradiction.expected, expected);
	cr_assert_eq(w->contradiction.found, found);
	cr_assert_eq(w->contradiction.day, 0);
}

#define REFUSED(w, change)                                                                         \
	do {                                                                                       \
		struct inv_effect effect = (w)->effect;                                            \
		change;                                                                            \
		refused((w), effect, #change);                                                     \
	} while (0)

/* What a RESERVE effect lets be changed in a test. */
struct shape {
	struct inv_line lines[2];
	struct inv_price_run run;
	struct inv_cell_old olds[8];
};

static void shape_take(struct shape *s, const struct inv_effect *effect)
{
	memcpy(s->lines, effect->u.reserve.lines, 2 * sizeof(s->lines[0]));
	s->run = s->lines[0].runs[0];
	memcpy(s->olds, effect->olds, effect->old_count * sizeof(s->olds[0]));
}

/* The effect as judged, through memory of the test. */
static struct inv_effect shaped(struct shape *s, const struct inv_effect *from)
{
	struct inv_effect effect = *from;
	shape_take(s, from);
	s->lines[0].runs = &s->run;
	effect.u.reserve.lines = s->lines;
	effect.olds = s->olds;
	return effect;
}

#define RESHAPED(w, change)                                                                        \
	do {                                                                                       \
		struct shape s;                                                                    \
		struct inv_effect effect = shaped(&s, &(w)->effect);                               \
		change;                                                                            \
		refused((w), effect, #change);                                                     \
	} while (0)

static const struct inv_price_run runs_of_nothing[UINT16_MAX];

Test(contradiction, a_sale_that_does_not_fit_is_refused_whole)
{
	struct world w;
	world_init(&w, NULL);
	world_standard(&w, 2, 9);
	struct inv_price_run run = {2, 50};
	struct inv_line lines[2] = {
		stay_line(1, day_one(), day_one() + 2), stay_line(2, day_one(), day_one() + 3)};
	lines[0].pricing = INV_PRICE_CALLER;
	lines[0].runs = &run;
	lines[0].run_count = 1;
	const struct kr_id known = sales_hold(&w, 77, 1, day_one(), day_one() + 1);
	struct inv_reserve_op op = hold_op(&w, 1, lines, 2);
	judged(&w, inv_reserve_judge(w.inv, w.now, &op, &w.effect, &w.answer));
	REFUSED(&w, effect.id = known);
	REFUSED(&w, effect.revision = 2);
	REFUSED(&w, effect.event_seq++);
	REFUSED(&w, effect.hotel.v++);
	REFUSED(&w, effect.old_count--);
	REFUSED(&w, effect.u.reserve.line_count = 0);
	REFUSED(&w, effect.u.reserve.line_count = INV_LINES_MAX + 1);
	REFUSED(&w, effect.u.reserve.expires_at_us = effect.t_us);
	REFUSED(&w, effect.u.reserve.book = true);
	REFUSED(&w, effect.u.reserve.external_ref.size_bytes = INV_TEXT_SIZE_MAX + 1);
	RESHAPED(&w, s.olds[0].held++);
	RESHAPED(&w, s.olds[4].booked++);
	RESHAPED(&w, s.lines[0].type = 9);
	told(&w, 0, 0);
	RESHAPED(&w, s.lines[0].plan = 1);
	RESHAPED(&w, s.lines[0].rooms = 0);
	RESHAPED(&w, s.lines[0].check_out = s.lines[0].check_in);
	RESHAPED(&w, s.lines[0].check_out++);
	RESHAPED(&w, s.lines[1].check_out = INT32_MAX);
	RESHAPED(&w, s.lines[1].check_in = INT32_MIN);
	RESHAPED(&w, s.lines[0].pricing = 3);
	RESHAPED(&w, s.lines[0].pricing = INV_PRICE_NONE);
	RESHAPED(&w, s.run.nights = 1);
	RESHAPED(&w, s.run.nights = 0);
	RESHAPED(&w, s.lines[1].run_count = UINT16_MAX; s.lines[1].runs = runs_of_nothing);
	RESHAPED(&w, s.lines[1].check_out = s.lines[1].check_in + (int32_t)INV_STAY_NIGHTS_MAX);
	RESHAPED(&w, s.run.price_minor = RATE_PRICE_MAX + 1);
	sales_apply(&w);
	cr_assert_eq(sales_state(&w, op.id), INV_HELD);
	sales_agree(&w);
	world_fini(&w);
}

Test(contradiction, a_counter_never_leaves_its_range)
{
	struct world w;
	world_init(&w, NULL);
	world_standard(&w, 1, 9);
	struct inv_line lines[2] = {
		stay_line(1, day_one(), day_one() + 1), stay_line(1, day_one(), day_one() + 1)};
	struct inv_reserve_op op = hold_op(&w, 1, lines, 2);
	judged(&w, inv_reserve_judge(w.inv, w.now, &op, &w.effect, &w.answer));
	/* each fits alone, together they do not */
	lines[0].rooms = lines[1].rooms = 40000;
	REFUSED(&w, effect.u.reserve.lines = lines);
	sales_apply(&w);
	sales_agree(&w);
	world_fini(&w);
}

Test(contradiction, moves_fit_their_record_or_do_nothing)
{
	struct world w;
	world_init(&w, NULL);
	world_standard(&w, 1, 9);
	const struct kr_id held = sales_hold(&w, 1, 1, day_one(), day_one() + 2);
	const struct kr_id booked = sales_book(&w, 2, 1, day_one(), day_one() + 2);
	struct inv_transition_op op = transition_op(INV_CONFIRM, held);
	judged(&w, inv_transition_judge(w.inv, w.now, &op, &w.effect, &w.answer));
	const uint64_t deadline_us = w.now.t_us + INV_HOLD_TTL_US;
	REFUSED(&w, effect.id = booked);
	REFUSED(&w, effect.id = sales_id(&w, 3));
	REFUSED(&w, effect.revision++);
	REFUSED(&w, effect.t_us = deadline_us);
	REFUSED(&w, effect.old_count = 1);
	REFUSED(&w, effect.kind = INV_EFFECT_CANCEL);
	REFUSED(&w, effect.kind = INV_EFFECT_EXPIRE);
	REFUSED(&w, effect.kind = INV_EFFECT_RETIRE; effect.u.retire.completed = false);
	REFUSED(&w, effect.kind = INV_EFFECT_VOID);
	REFUSED(&w, effect.kind = INV_EFFECT_GRACE);
	REFUSED(&w, effect.u.confirm.payment_ref.size_bytes = INV_TEXT_SIZE_MAX + 1);
	struct inv_cell_old olds[2];
	memcpy(olds, w.effect.olds, sizeof(olds));
	olds[1].held++;
	REFUSED(&w, effect.olds = olds);
	sales_apply(&w);
	sales_agree(&w);
	REFUSED(&w, effect.lsn++);
	world_fini(&w);
}

static struct inv_transition_op changed_op(enum inv_transition transition, struct kr_id id)
{
	struct inv_transition_op op = transition_op(transition, id);
	op.has_expected_revision = true;
	op.expected_revision = 1;
	op.change_id = 5;
	return op;
}

static void judge_transition(struct world *w, const struct inv_transition_op *op)
{
	judged(w, inv_transition_judge(w->inv, w->now, op, &w->effect, &w->answer));
}

Test(contradiction, a_payment_reference_is_attached_once)
{
	struct world w;
	world_init(&w, NULL);
	world_standard(&w, 1, 9);
	const struct kr_id held = sales_hold(&w, 1, 1, day_one(), day_one() + 2);
	struct inv_transition_op op = changed_op(INV_ATTACH_PAYMENT, held);
	op.payment_ref = text("pay-1");
	judge_transition(&w, &op);
	REFUSED(&w, effect.u.attach.payment_ref.size_bytes = 0);
	REFUSED(&w, effect.u.attach.payment_ref.size_bytes = INV_TEXT_SIZE_MAX + 1);
	REFUSED(&w, effect.change_id = 0);
	REFUSED(&w, effect.t_us = w.now.t_us + INV_HOLD_TTL_US);
	struct inv_effect again = w.effect;
	sales_apply(&w);
	again.lsn = w.lsn + 1;
	again.event_seq++;
	again.revision++;
	refused(&w, again, "the same change once more");
	again.change_id++;
	refused(&w, again, "a second reference");
	op = transition_op(INV_CONFIRM, held);
	judge_transition(&w, &op);
	REFUSED(&w, effect.u.confirm.payment_ref = text("pay-2"));
	sales_apply(&w);
	sales_agree(&w);
	world_fini(&w);
}

Test(contradiction, a_deadline_is_only_put_off)
{
	struct world w;
	world_init(&w, NULL);
	world_standard(&w, 1, 9);
	const struct kr_id held = sales_hold(&w, 1, 1, day_one(), day_one() + 2);
	struct inv_transition_op op = changed_op(INV_EXTEND, held);
	const uint64_t deadline_us = w.now.t_us + INV_HOLD_TTL_US;
	op.expires_at_us = deadline_us + MINUTE_US;
	judge_transition(&w, &op);
	REFUSED(&w, effect.u.extend.old_expires_at_us++);
	told(&w, deadline_us + 1, deadline_us);
	REFUSED(&w, effect.u.extend.expires_at_us = deadline_us);
	told(&w, deadline_us, deadline_us);
	sales_apply(&w);
	sales_agree(&w);
	world_fini(&w);
}

Test(contradiction, a_stay_is_had_from_its_arrival_on)
{
	struct world w;
	world_init(&w, NULL);
	world_standard(&w, 1, 9);
	const int32_t today = world_day(2026, 11, 22);
	const struct kr_id here = sales_book(&w, 1, 1, today, today + 2);
	const struct kr_id later = sales_book(&w, 2, 1, today + 2, today + 4);
	struct inv_transition_op op = transition_op(INV_MARK_NO_SHOW, here);
	judge_transition(&w, &op);
	REFUSED(&w, effect.id = later);
	op = transition_op(INV_CHECK_IN, here);
	judge_transition(&w, &op);
	REFUSED(&w, effect.old_count = 1);
	sales_apply(&w);
	op = transition_op(INV_COMPLETE, here);
	judge_transition(&w, &op);
	REFUSED(&w, effect.kind = INV_EFFECT_NO_SHOW);
	sales_apply(&w);
	sales_agree(&w);
	world_fini(&w);
}

Test(contradiction, a_live_hold_is_replaced_by_a_hold)
{
	struct world w;
	world_init(&w, NULL);
	world_standard(&w, 1, 9);
	const struct kr_id held = sales_hold(&w, 1, 1, day_one(), day_one() + 2);
	const struct kr_id booked = sales_book(&w, 2, 1, day_one(), day_one() + 2);
	const uint64_t deadline_us = w.now.t_us + INV_HOLD_TTL_US;
	w.now.t_us += MINUTE_US;
	struct inv_line line = stay_line(1, day_one(), day_one() + 3);
	struct inv_reserve_op op = hold_op(&w, 3, &line, 1);
	op.replaces = held;
	op.fingerprint = inv_reserve_fingerprint(&op);
	judged(&w, inv_reserve_judge(w.inv, w.now, &op, &w.effect, &w.answer));
	REFUSED(&w, effect.u.reserve.replaces = booked);
	REFUSED(&w, effect.u.reserve.replaces = sales_id(&w, 4));
	REFUSED(&w, effect.u.reserve.replaced_revision++);
	REFUSED(&w, effect.t_us = deadline_us);
	REFUSED(&w, effect.u.reserve.book = true; effect.u.reserve.expires_at_us = 0);
	sales_apply(&w);
	cr_assert_eq(sales_state(&w, held), INV_RELEASED);
	sales_agree(&w);
	world_fini(&w);
}

Test(contradiction, a_total_leaves_no_range)
{
	struct world w;
	world_init(&w, NULL);
	world_standard(&w, 1, 9);
	struct inv_price_run run = {1, 50};
	struct inv_line lines[INV_LINES_MAX];
	for (uint32_t i = 0; i < INV_LINES_MAX; i++) {
		lines[i] = stay_line(1, day_one(), day_one() + 1);
		lines[i].pricing = INV_PRICE_CALLER;
		lines[i].runs = &run;
		lines[i].run_count = 1;
	}
	struct inv_reserve_op op = hold_op(&w, 1, lines, 2);
	judged(&w, inv_reserve_judge(w.inv, w.now, &op, &w.effect, &w.answer));
	run.nights = INV_STAY_NIGHTS_MAX / INV_LINES_MAX;
	run.price_minor = RATE_PRICE_MAX;
	for (uint32_t i = 0; i < INV_LINES_MAX; i++) {
		lines[i].rooms = UINT16_MAX;
		lines[i].check_out = lines[i].check_in + run.nights;
	}
	REFUSED(&w, effect.u.reserve.lines = lines; effect.u.reserve.line_count = INV_LINES_MAX);
	run = (struct inv_price_run){1, 50};
	sales_agree(&w);
	world_fini(&w);
}

Test(contradiction, the_clocks_effects_keep_to_the_clock)
{
	struct world w;
	world_init(&w, NULL);
	world_standard(&w, 1, 9);
	const struct kr_id held = sales_hold(&w, 1, 1, day_one(), day_one() + 2);
	const uint64_t deadline_us = w.now.t_us + INV_HOLD_TTL_US, last_us = w.now.t_us;
	w.now.t_us = deadline_us;
	judged(&w, inv_due_judge(w.inv, w.now, &w.effect));
	REFUSED(&w, effect.t_us = deadline_us - 1);
	judged(&w, inv_grace_judge(w.inv, w.now, last_us, &w.effect));
	REFUSED(&w, effect.u.grace.old_expires_at_us++);
	REFUSED(&w, effect.u.grace.expires_at_us = deadline_us);
	sales_apply(&w);
	/* no second one */
	struct inv_effect again = w.effect;
	again.lsn = w.lsn + 1;
	again.event_seq++;
	again.revision++;
	again.u.grace.old_expires_at_us = again.u.grace.expires_at_us;
	again.u.grace.expires_at_us++;
	refused(&w, again, "a second grace");
	cr_assert_eq(sales_release(&w, held), KEYRACK_DONE);
	w.now.t_us += INV_RETENTION_US;
	(void)world_roll(&w);
	judged(&w, inv_due_judge(w.inv, w.now, &w.effect));
	cr_assert_eq(w.effect.kind, INV_EFFECT_RETIRE);
	REFUSED(&w, effect.id = sales_id(&w, 3));
	REFUSED(&w, effect.u.retire.completed = true);
	REFUSED(&w, effect.u.retire.purge_mark_us = last_us);
	REFUSED(&w, effect.revision++);
	sales_apply(&w);
	sales_agree(&w);
	world_fini(&w);
}

Test(contradiction, a_table_too_small_for_a_log_has_no_room)
{
	struct world w, small;
	struct inv_config config = world_config();
	world_init(&w, NULL);
	config.reservations_max = 1;
	config.nodes_max = 1;
	world_init(&small, &config);
	world_standard(&w, 1, 9);
	world_standard(&small, 1, 9);
	struct inv_line lines[3] = {stay_line(1, day_one(), day_one() + 1),
		stay_line(1, day_one(), day_one() + 1), stay_line(1, day_one(), day_one() + 1)};
	struct inv_reserve_op op = hold_op(&w, 1, lines, 3);
	op.fingerprint = inv_reserve_fingerprint(&op);
	judged(&w, inv_reserve_judge(w.inv, w.now, &op, &w.effect, &w.answer));
	const uint64_t digest = inv_digest(small.inv);
	cr_assert_eq(inv_apply(small.inv, &w.effect, &small.contradiction), INV_NO_ROOM);
	cr_assert_eq(inv_digest(small.inv), digest);
	(void)sales_hold(&small, 5, 1, day_one(), day_one() + 1);
	struct inv_transition_op resolve = transition_op(INV_RESOLVE, sales_id(&w, 9));
	judged(&w, inv_transition_judge(w.inv, w.now, &resolve, &w.effect, &w.answer));
	cr_assert_eq(inv_apply(small.inv, &w.effect, &small.contradiction), INV_NO_ROOM);
	sales_agree(&small);
	world_fini(&small);
	world_fini(&w);
}

/* What `w` judged is applied there, and finds no node in `small`. */
static void apply_without_room(struct world *w, struct world *small)
{
	const uint64_t digest = inv_digest(small->inv);
	cr_assert_eq(inv_apply(small->inv, &w->effect, &small->contradiction), INV_NO_ROOM);
	cr_assert_eq(inv_digest(small->inv), digest);
}

Test(contradiction, a_change_that_needs_more_nodes_than_there_are_has_no_room)
{
	struct world w, small;
	struct inv_config config = world_config();
	config.nodes_max = 1;
	world_init(&w, NULL);
	world_init(&small, &config);
	world_standard(&w, 1, 9);
	world_standard(&small, 1, 9);
	const struct kr_id held = sales_hold(&w, 1, 1, day_one(), day_one() + 2);
	cr_assert(kr_id_equal(sales_hold(&small, 1, 1, day_one(), day_one() + 2), held));
	struct inv_line lines[3] = {stay_line(1, day_one(), day_one() + 2),
		stay_line(1, day_one(), day_one() + 2), stay_line(1, day_one(), day_one() + 2)};
	char long_text[INV_TEXT_SIZE_MAX];
	memset(long_text, 'x', sizeof(long_text));
	const struct inv_text two_nodes = {long_text, sizeof(long_text)};
	struct inv_transition_op op = changed_op(INV_ATTACH_PAYMENT, held);
	op.payment_ref = two_nodes;
	judge_transition(&w, &op);
	apply_without_room(&w, &small);
	op = changed_op(INV_MODIFY, held);
	op.lines = lines;
	op.line_count = 3;
	judge_transition(&w, &op);
	apply_without_room(&w, &small);
	op = transition_op(INV_CONFIRM, held);
	op.payment_ref = two_nodes;
	judge_transition(&w, &op);
	apply_without_room(&w, &small);
	sales_agree(&small);
	world_fini(&small);
	world_fini(&w);
}

Test(contradiction, a_rate_plan_more_than_there_is_room_for_has_none)
{
	struct world w, small;
	struct inv_config config = world_config();
	config.plans_max = 1;
	world_init(&w, NULL);
	world_init(&small, &config);
	world_standard(&w, 1, 9);
	world_standard(&small, 1, 9);
	for (uint16_t plan = 3; plan <= 4; plan++) {
		const struct inv_plan_op op = {.hotel = {WORLD_HOTEL}, .type = 1, .plan = plan};
		cr_assert_eq(world_plan_put(&w, &op), KEYRACK_DONE);
		const uint64_t digest = inv_digest(small.inv);
		cr_assert_eq(inv_apply(small.inv, &w.effect, &small.contradiction),
			plan == 3 ? 0 : INV_NO_ROOM);
		cr_assert_eq(inv_digest(small.inv) == digest, plan != 3);
	}
	world_fini(&small);
	world_fini(&w);
}
