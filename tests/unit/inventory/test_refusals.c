#include "engine/inventory/refusals.h"
#include "tests/unit/inventory/sales.h"

static int32_t day_one(void)
{
	return world_day(2026, 11, 25);
}

/* A hotel with one room of type 1 and a ring of `refusals_max`. */
static void refusals_init(struct world *w, uint32_t refusals_max, uint32_t denials_max)
{
	struct inv_config config = world_config();
	config.refusals_max = refusals_max;
	config.denials_max = denials_max;
	world_init(w, &config);
	world_standard(w, 1, 1);
}

Test(refusals, the_same_id_gets_the_same_refusal_while_it_is_remembered)
{
	struct world w;
	refusals_init(&w, 64, 64);
	struct kr_id taken = sales_hold(&w, 1, 1, day_one(), day_one() + 3);
	struct inv_line line = stay_line(1, day_one() + 2, day_one() + 4);
	struct inv_reserve_op op = hold_op(&w, 2, &line, 1);
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_SOLD_OUT);
	struct inv_answer first = w.answer;
	cr_assert_eq(sales_release(&w, taken), KEYRACK_DONE);
	/* it could be sold now, but a new try is a new id */
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_SOLD_OUT);
	cr_assert_eq(w.answer.refusal.day, first.refusal.day);
	cr_assert_eq(w.answer.refusal.rule, first.refusal.rule);
	cr_assert_eq(w.answer.refusal.required, first.refusal.required);
	cr_assert_eq(w.answer.refusal.left, first.refusal.left);
	cr_assert(first.refusal.text == NULL && w.answer.refusal.text == NULL);
	cr_assert_eq(w.answer.outcome, KEYRACK_SOLD_OUT);
	struct inv_reserve_op fresh = op;
	fresh.id = sales_id(&w, 3);
	cr_assert_eq(sales_reserve(&w, &fresh), KEYRACK_DONE);
	op.actor.actor = 5;
	op.actor.source = 6;
	op.actor.reason = text("again");
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_SOLD_OUT, "who asks is not what is asked");
	op.book = true;
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_KEY_REUSED);
	cr_assert_eq(w.answer.refusal.rule, RULE_ID);
	sales_agree(&w);
	world_fini(&w);
}

Test(refusals, the_ring_forgets_the_oldest_first)
{
	struct world w;
	refusals_init(&w, 8, 64);
	(void)sales_book(&w, 1000, 1, day_one(), day_one() + 1);
	struct inv_line line = stay_line(1, day_one(), day_one() + 1);
	struct inv_reserve_op ops[40];
	for (uint64_t n = 0; n < KR_ARRAY_COUNT(ops); n++) {
		ops[n] = hold_op(&w, n, &line, 1);
		cr_assert_eq(sales_reserve(&w, &ops[n]), KEYRACK_SOLD_OUT);
	}
	/* another payload tells who is remembered: KEY_REUSED, else judged anew */
	line.check_out++;
	for (uint64_t n = KR_ARRAY_COUNT(ops); n-- > 32;)
		cr_assert_eq(sales_reserve(&w, &ops[n]), KEYRACK_KEY_REUSED, "%lu", (long)n);
	for (uint64_t n = 0; n < 4; n++)
		cr_assert_eq(sales_reserve(&w, &ops[n]), KEYRACK_SOLD_OUT, "%lu", (long)n);
	line.check_out--;
	for (uint64_t n = 32; n < 36; n++)
		cr_assert_eq(sales_reserve(&w, &ops[n]), KEYRACK_SOLD_OUT, "judged anew");
	world_fini(&w);
}

Test(refusals, what_is_transient_is_not_remembered)
{
	struct world w;
	refusals_init(&w, 8, 8);
	struct inv_hotel_op put = {
		.hotel = {WORLD_HOTEL}, .mask = INV_HOTEL_HOLDS_MAX, .settings = {.holds_max = 1}};
	cr_assert_eq(world_hotel_put(&w, &put), KEYRACK_DONE);
	struct kr_id taken = sales_hold(&w, 1, 1, day_one(), day_one() + 1);
	struct inv_line line = stay_line(1, day_one() + 5, day_one() + 6);
	struct inv_reserve_op op = hold_op(&w, 2, &line, 1);
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_RATE_LIMITED);
	cr_assert_eq(w.answer.outcome, 0);
	cr_assert_eq(sales_release(&w, taken), KEYRACK_DONE);
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_DONE);
	cr_assert_eq(sales_counts(&w).denials, 0);
	world_fini(&w);
}

Test(refusals, survive_what_a_refusal_can_say)
{
	struct world w;
	refusals_init(&w, 8, 8);
	struct inv_line line = stay_line(1, day_one(), day_one() + 1);
	struct inv_reserve_op op = book_op(&w, 1, &line, 1);
	op.external_ref = text("B-17");
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_DONE);
	const struct kr_id owner = op.id;
	op.id = sales_id(&w, 2);
	for (int n = 0; n < 2; n++) {
		cr_assert_eq(sales_reserve(&w, &op), KEYRACK_KEY_REUSED);
		cr_assert_eq(w.answer.refusal.rule, RULE_EXTERNAL_REF);
		cr_assert(kr_id_equal(w.answer.refusal.other, owner));
		cr_assert_eq(w.answer.refusal.required, 0);
	}
	op = book_op(&w, 3, &line, 0);
	for (int n = 0; n < 2; n++) {
		cr_assert_eq(sales_reserve(&w, &op), KEYRACK_INVALID);
		cr_assert_str_eq(w.answer.refusal.text, "lines");
	}
	world_fini(&w);
}

/* ---- denials ---- */

Test(refusals, take_no_room_and_are_no_sale)
{
	struct world w;
	refusals_init(&w, 64, 64);
	const struct kr_id taken = sales_book(&w, 1000, 1, day_one(), day_one() + 2);
	struct inv_line line = stay_line(1, day_one() - 1, day_one() + 1);
	for (uint64_t n = 0; n < 3; n++) {
		struct inv_reserve_op op =
			n == 2 ? book_op(&w, n, &line, 1) : hold_op(&w, n, &line, 1);
		cr_assert_eq(sales_reserve(&w, &op), KEYRACK_SOLD_OUT);
		cr_assert_eq(w.answer.refusal.left, 0);
	}
	for (int32_t day = day_one() - 1; day < day_one() + 2; day++) {
		cr_assert_eq(world_counter(&w, 1, day).booked, day >= day_one());
		cr_assert_eq(world_counter(&w, 1, day).held, 0);
	}
	cr_assert_eq(sales_counts(&w).reservations, 1);
	cr_assert_eq(sales_release(&w, taken), KEYRACK_BAD_STATE);
	sales_agree(&w);
	world_fini(&w);
}

Test(refusals, are_counted_once_by_hotel_type_rule_and_night)
{
	struct world w;
	refusals_init(&w, 64, 64);
	(void)sales_book(&w, 1000, 1, day_one(), day_one() + 2);
	struct inv_line line = stay_line(1, day_one() - 1, day_one() + 1);
	for (uint64_t n = 0; n < 5; n++) {
		struct inv_reserve_op op = hold_op(&w, n, &line, 1);
		cr_assert_eq(sales_reserve(&w, &op), KEYRACK_SOLD_OUT);
		cr_assert_eq(sales_reserve(&w, &op), KEYRACK_SOLD_OUT);
	}
	line.check_in = day_one() + 1;
	line.check_out = day_one() + 2;
	struct inv_reserve_op op = hold_op(&w, 10, &line, 1);
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_SOLD_OUT);
	line.type = 7;
	op = hold_op(&w, 11, &line, 1);
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_NOT_FOUND, "no demand for what is not");
	struct inv_denial denials[4];
	cr_assert_eq(inv_denials_list(w.inv, denials, 4), 2);
	for (int n = 0; n < 2; n++) {
		cr_assert_eq(denials[n].hotel.v, WORLD_HOTEL);
		cr_assert_eq(denials[n].type, 1);
		cr_assert_eq(denials[n].rule, RULE_LIMIT);
		cr_assert_eq(denials[n].count, denials[n].day == day_one() ? 5 : 1);
	}
	cr_assert_eq(inv_denials_list(w.inv, denials, 1), 1);
	cr_assert_eq(sales_counts(&w).denials, 6);
	cr_assert_eq(sales_counts(&w).denials_overflow, 0);
	world_fini(&w);
}

Test(refusals, beyond_the_table_are_counted_together)
{
	struct world w;
	refusals_init(&w, 64, 4);
	const uint16_t type = 1;
	struct inv_update_op close = window_op(&w, &type);
	close.update.set_mask = INV_UPDATE_CLOSED;
	close.update.closed = true;
	cr_assert_eq(world_update(&w, &close), KEYRACK_DONE);
	for (int32_t n = 0; n < 20; n++) {
		struct inv_line line = stay_line(1, day_one() + n, day_one() + n + 1);
		struct inv_reserve_op op = hold_op(&w, (uint64_t)n, &line, 1);
		cr_assert_eq(sales_reserve(&w, &op), KEYRACK_CLOSED);
	}
	struct inv_denial denials[20];
	cr_assert_eq(inv_denials_list(w.inv, denials, 20), 4);
	cr_assert_eq(sales_counts(&w).denials, 20);
	cr_assert_eq(sales_counts(&w).denials_overflow, 16);
	world_fini(&w);
}

Test(refusals, denials_use_the_whole_table)
{
	enum { PLACES = 4096, NOTED = 2 * PLACES / 3 };
	static struct inv_denial listed[PLACES];
	struct world w;
	uint32_t low = 0;
	refusals_init(&w, 64, PLACES);
	const struct inv_refusal refusal = {
		.code = KEYRACK_CLOSED, .rule = RULE_TYPE_CLOSED, .has_day = true};
	for (int32_t i = 0; i < NOTED; i++) {
		struct inv_line line = stay_line(1, day_one(), day_one() + 1);
		struct inv_refusal of_day = refusal;
		of_day.day = day_one() + i;
		inv_denial_note(w.inv, (struct hotel_id){WORLD_HOTEL}, &line, 1, &of_day);
	}
	cr_assert_eq(inv_denials_list(w.inv, listed, PLACES), w.inv->denied_count);
	/* As many below the middle as above it, and hardly one without a place. */
	for (uint32_t i = 0; i < PLACES / 2; i++)
		low += inv_denied(w.inv)[i].count != 0;
	cr_assert_gt(low, NOTED * 2 / 5);
	cr_assert_lt(low, NOTED * 3 / 5);
	cr_assert_lt(w.inv->denial_overflow, NOTED / 50);
	world_fini(&w);
}
