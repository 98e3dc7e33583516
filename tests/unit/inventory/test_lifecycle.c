#include "tests/unit/inventory/sales.h"

#define ROOMS 5u

/* What becomes of a reservation: code, the state after it, whether there was an effect. */
struct outcome {
	uint16_t code;
	uint8_t state;
	bool moves;
	bool repeats;
};

enum start {
	START_HELD,
	START_DUE,
	START_CONFIRMED,
	START_RELEASED,
	START_EXPIRED,
	START_CANCELLED,
	START_VOID,
	START_COUNT
};
enum ask { ASK_CONFIRM, ASK_RELEASE, ASK_CANCEL, ASK_CANCEL_ANY, ASK_RESOLVE, ASK_COUNT };

static const uint8_t start_states[START_COUNT] = {
	INV_HELD, INV_HELD, INV_CONFIRMED, INV_RELEASED, INV_EXPIRED, INV_CANCELLED, INV_VOID};

#define MOVES(to)                                                                                  \
	{                                                                                          \
		KEYRACK_DONE, to, true, false                                                      \
	}
#define AGAIN(state)                                                                               \
	{                                                                                          \
		KEYRACK_DONE, state, false, true                                                   \
	}
#define SHOWN(state)                                                                               \
	{                                                                                          \
		KEYRACK_DONE, state, false, false                                                  \
	}
#define NO(code, state)                                                                            \
	{                                                                                          \
		KEYRACK_##code, state, false, false                                                \
	}

static const struct outcome outcomes[START_COUNT][ASK_COUNT] = {
	[START_HELD] = {MOVES(INV_CONFIRMED), MOVES(INV_RELEASED), NO(BAD_STATE, INV_HELD),
		MOVES(INV_RELEASED), SHOWN(INV_HELD)},
	[START_DUE] = {NO(HOLD_EXPIRED, INV_HELD), NO(HOLD_EXPIRED, INV_HELD),
		NO(BAD_STATE, INV_HELD), NO(HOLD_EXPIRED, INV_HELD), SHOWN(INV_HELD)},
	[START_CONFIRMED] = {AGAIN(INV_CONFIRMED), NO(BAD_STATE, INV_CONFIRMED),
		MOVES(INV_CANCELLED), MOVES(INV_CANCELLED), SHOWN(INV_CONFIRMED)},
	[START_RELEASED] = {NO(BAD_STATE, INV_RELEASED), AGAIN(INV_RELEASED),
		NO(BAD_STATE, INV_RELEASED), AGAIN(INV_RELEASED), SHOWN(INV_RELEASED)},
	[START_EXPIRED] = {NO(HOLD_EXPIRED, INV_EXPIRED), NO(BAD_STATE, INV_EXPIRED),
		NO(BAD_STATE, INV_EXPIRED), NO(BAD_STATE, INV_EXPIRED), SHOWN(INV_EXPIRED)},
	[START_CANCELLED] = {NO(BAD_STATE, INV_CANCELLED), NO(BAD_STATE, INV_CANCELLED),
		AGAIN(INV_CANCELLED), AGAIN(INV_CANCELLED), SHOWN(INV_CANCELLED)},
	[START_VOID] = {NO(BAD_STATE, INV_VOID), NO(BAD_STATE, INV_VOID), NO(BAD_STATE, INV_VOID),
		NO(BAD_STATE, INV_VOID), NO(NOT_FOUND, INV_VOID)},
};

/* A fresh reservation of 3 nights in the wanted state; the clock may move. */
static struct kr_id started(struct world *w, enum start start, uint64_t random)
{
	const int32_t day = world_day(2026, 11, 25);
	if (start == START_VOID) {
		struct kr_id id = sales_id(w, random);
		cr_assert_eq(sales_resolve(w, id), KEYRACK_NOT_FOUND);
		return id;
	}
	if (start == START_CONFIRMED)
		return sales_book(w, random, 1, day, day + 3);
	struct kr_id id = sales_hold(w, random, 1, day, day + 3);
	if (start == START_RELEASED)
		cr_assert_eq(sales_release(w, id), KEYRACK_DONE);
	if (start == START_CANCELLED) {
		cr_assert_eq(sales_confirm(w, id), KEYRACK_DONE);
		cr_assert_eq(sales_cancel(w, id, false), KEYRACK_DONE);
	}
	if (start == START_DUE || start == START_EXPIRED)
		w->now.t_us += INV_HOLD_TTL_US;
	if (start == START_EXPIRED)
		cr_assert_eq(sales_due(w), 1);
	return id;
}

static struct inv_transition_op asked(enum ask ask, struct kr_id id)
{
	static const enum inv_transition transitions[ASK_COUNT] = {
		INV_CONFIRM, INV_RELEASE, INV_CANCEL, INV_CANCEL, INV_RESOLVE};
	struct inv_transition_op op = transition_op(transitions[ask], id);
	op.any = ask == ASK_CANCEL_ANY;
	return op;
}

/* Cells say what the state says, and nothing else does. */
static void cells_fit(struct world *w, uint8_t state)
{
	for (int32_t day = world_day(2026, 11, 25); day < world_day(2026, 11, 28); day++) {
		struct cell_counter c = world_counter(w, 1, day);
		cr_assert_eq(c.held, state == INV_HELD);
		cr_assert_eq(c.booked, state == INV_CONFIRMED);
	}
	cr_assert_eq(world_counter(w, 1, world_day(2026, 11, 28)).held, 0);
	cr_assert_eq(world_counter(w, 1, world_day(2026, 11, 28)).booked, 0);
}

/* Ends whatever still counts, so that the next case begins with empty cells. */
static void ended(struct world *w, struct kr_id id)
{
	w->now.t_us += INV_HOLD_TTL_US;
	(void)sales_due(w);
	(void)sales_cancel(w, id, true);
	cells_fit(w, INV_CANCELLED);
}

static void try_case(struct world *w, enum start start, enum ask ask, uint64_t random)
{
	struct kr_id id = started(w, start, random);
	struct inv_reservation_view before, after;
	cr_assert(inv_reservation_get(w->inv, id, w->now.t_us, &before));
	cr_assert_eq(before.state, start_states[start]);
	const struct outcome *o = &outcomes[start][ask];
	struct inv_transition_op op = asked(ask, id);
	const uint64_t lsn = w->lsn, digest = inv_digest(w->inv);
	cr_assert_eq(sales_transition(w, &op), o->code, "%d %d: %u", start, ask, w->answer.code);
	cr_assert(inv_reservation_get(w->inv, id, w->now.t_us, &after));
	cr_assert_eq(w->answer.state, o->state, "%d %d: %u", start, ask, w->answer.state);
	cr_assert_eq(after.state, o->state);
	cr_assert_eq(w->answer.revision, after.revision);
	cr_assert_eq(w->answer.event_seq, after.event_seq);
	cr_assert_eq(w->answer.repeated, o->repeats);
	cr_assert_eq(w->answer.due, start == START_DUE);
	cr_assert_eq(w->lsn - lsn, o->moves);
	cr_assert_eq(after.revision, before.revision + o->moves);
	cr_assert_eq(digest == inv_digest(w->inv), !o->moves);
	if (o->code != KEYRACK_DONE)
		cr_assert_eq(w->answer.refusal.state, o->state);
	cells_fit(w, o->state);
	sales_agree(w);
	ended(w, id);
}

Test(lifecycle, every_state_meets_every_transition)
{
	struct world w;
	world_init(&w, NULL);
	world_standard(&w, 1, ROOMS);
	uint64_t random = 1;
	for (enum start start = 0; start < START_COUNT; start++)
		for (enum ask ask = 0; ask < ASK_COUNT; ask++)
			try_case(&w, start, ask, random++);
	world_fini(&w);
}

Test(lifecycle, reaching_a_state_again_counts_once)
{
	struct world w;
	world_init(&w, NULL);
	world_standard(&w, 1, ROOMS);
	const int32_t day = world_day(2026, 11, 25);
	struct kr_id id = sales_hold(&w, 1, 1, day, day + 2);
	for (int i = 0; i < 3; i++) {
		cr_assert_eq(sales_confirm(&w, id), KEYRACK_DONE);
		cr_assert_eq(w.answer.repeated, i > 0);
		cr_assert_eq(w.answer.revision, 2);
		cr_assert_eq(world_counter(&w, 1, day).booked, 1);
		cr_assert_eq(world_counter(&w, 1, day).held, 0);
	}
	for (int i = 0; i < 3; i++) {
		cr_assert_eq(sales_cancel(&w, id, false), KEYRACK_DONE);
		cr_assert_eq(w.answer.revision, 3);
		cr_assert_eq(world_counter(&w, 1, day).booked, 0);
	}
	sales_agree(&w);
	world_fini(&w);
}

Test(lifecycle, expected_revision_is_compared_for_moves_only)
{
	struct world w;
	world_init(&w, NULL);
	world_standard(&w, 1, ROOMS);
	const int32_t day = world_day(2026, 11, 25);
	struct kr_id id = sales_hold(&w, 1, 1, day, day + 2);
	struct inv_transition_op op = transition_op(INV_CONFIRM, id);
	op.has_expected_revision = true;
	op.expected_revision = 2;
	cr_assert_eq(sales_transition(&w, &op), KEYRACK_VERSION_MISMATCH);
	cr_assert_eq(w.answer.refusal.rule, RULE_VERSION);
	cr_assert_eq(w.answer.refusal.required, 2);
	cr_assert_eq(w.answer.refusal.left, 1);
	cr_assert_eq(w.answer.state, INV_HELD);
	op.expected_revision = 1;
	cr_assert_eq(sales_transition(&w, &op), KEYRACK_DONE);
	/* the retry of a lost answer carries the old revision and is a success all the same */
	cr_assert_eq(sales_transition(&w, &op), KEYRACK_DONE);
	cr_assert(w.answer.repeated);
	op.transition = INV_CANCEL;
	cr_assert_eq(sales_transition(&w, &op), KEYRACK_VERSION_MISMATCH);
	op.expected_revision = 2;
	cr_assert_eq(sales_transition(&w, &op), KEYRACK_DONE);
	/* a state that forbids it goes before a stale revision */
	op.transition = INV_CONFIRM;
	op.expected_revision = 77;
	cr_assert_eq(sales_transition(&w, &op), KEYRACK_BAD_STATE);
	sales_agree(&w);
	world_fini(&w);
}

Test(lifecycle, a_second_payment_reference_is_bad_state)
{
	struct world w;
	world_init(&w, NULL);
	world_standard(&w, 1, ROOMS);
	const int32_t day = world_day(2026, 11, 25);
	struct kr_id id = sales_hold(&w, 1, 1, day, day + 2);
	struct inv_transition_op op = transition_op(INV_CONFIRM, id);
	op.payment_ref = text("pay-1");
	cr_assert_eq(sales_transition(&w, &op), KEYRACK_DONE);
	cr_assert_eq(sales_transition(&w, &op), KEYRACK_DONE);
	cr_assert(w.answer.repeated);
	op.payment_ref = text("pay-2");
	cr_assert_eq(sales_transition(&w, &op), KEYRACK_BAD_STATE);
	cr_assert_eq(w.answer.refusal.rule, RULE_PAYMENT_REF);
	cr_assert_eq(w.answer.state, INV_CONFIRMED);
	cr_assert_eq(sales_confirm(&w, id), KEYRACK_DONE, "none given contradicts nothing");
	struct inv_reservation_view view;
	cr_assert(inv_reservation_get(w.inv, id, w.now.t_us, &view));
	cr_assert_eq(view.payment_ref.size_bytes, 5);
	cr_assert_arr_eq(view.payment_ref.bytes, "pay-1", 5);
	struct kr_id booked = sales_book(&w, 2, 1, day, day + 2);
	op = transition_op(INV_CONFIRM, booked);
	op.payment_ref = text("pay-3");
	cr_assert_eq(sales_transition(&w, &op), KEYRACK_BAD_STATE, "it was booked without one");
	sales_agree(&w);
	world_fini(&w);
}

Test(lifecycle, a_transition_that_is_malformed_is_invalid)
{
	struct world w;
	world_init(&w, NULL);
	world_standard(&w, 1, ROOMS);
	const int32_t day = world_day(2026, 11, 25);
	struct kr_id id = sales_hold(&w, 1, 1, day, day + 2);
	char long_text[INV_TEXT_SIZE_MAX + 2];
	memset(long_text, 'x', sizeof(long_text));
	long_text[sizeof(long_text) - 1] = 0;
	struct inv_transition_op ops[7];
	for (size_t i = 0; i < KR_ARRAY_COUNT(ops); i++)
		ops[i] = transition_op(INV_CONFIRM, id);
	ops[0].transition = INV_RELEASE;
	ops[0].payment_ref = text("p");
	ops[1].any = true;
	ops[2].payment_ref = text(long_text);
	ops[3].payment_ref = text("\xc3");
	ops[4].actor.source = INV_SOURCE_CLOCK;
	ops[5].actor.reason = text(long_text);
	ops[6].transition = (enum inv_transition)(INV_MARK_NO_SHOW + 1);
	for (size_t i = 0; i < KR_ARRAY_COUNT(ops); i++) {
		cr_assert_eq(sales_transition(&w, &ops[i]), KEYRACK_INVALID, "%zu", i);
		cr_assert_eq(w.answer.refusal.rule, RULE_FIELD);
		cr_assert_not_null(w.answer.refusal.text);
	}
	cr_assert_eq(sales_state(&w, id), INV_HELD);
	world_fini(&w);
}

Test(lifecycle, an_id_is_found_in_its_own_hotel_only)
{
	struct world w;
	world_init(&w, NULL);
	world_standard(&w, 1, ROOMS);
	const int32_t day = world_day(2026, 11, 25);
	struct kr_id id = sales_hold(&w, 1, 1, day, day + 2);
	struct inv_transition_op op = transition_op(INV_CONFIRM, id);
	op.has_hotel = true;
	op.hotel.v = WORLD_HOTEL;
	cr_assert_eq(sales_transition(&w, &op), KEYRACK_DONE);
	op.hotel.v = WORLD_HOTEL + 1;
	cr_assert_neq(slot_of_hotel(op.hotel), reservation_id_slot(id));
	cr_assert_eq(sales_transition(&w, &op), KEYRACK_INVALID);
	cr_assert_eq(w.answer.refusal.rule, RULE_ID);
	while (slot_of_hotel(op.hotel) != reservation_id_slot(id))
		op.hotel.v++;
	cr_assert_eq(sales_transition(&w, &op), KEYRACK_NOT_FOUND);
	/* another layout routes by a hotel only, and nothing has it */
	op.id = (struct kr_id){1, 2};
	cr_assert_eq(sales_transition(&w, &op), KEYRACK_NOT_FOUND);
	op.has_hotel = false;
	cr_assert_eq(sales_transition(&w, &op), KEYRACK_INVALID);
	cr_assert_eq(sales_confirm(&w, sales_id(&w, 999)), KEYRACK_NOT_FOUND);
	world_fini(&w);
}
