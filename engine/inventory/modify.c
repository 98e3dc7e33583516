#include "engine/inventory/change.h"
#include "engine/inventory/credit.h"
#include "engine/inventory/effect_lines.h"
#include "engine/inventory/transition.h"

/*
 * MODIFY: a hold or a booking gets other lines in one effect. What it has is given back, what it
 * asks for is taken; credit.h says which rules are asked. Refused, nothing has changed.
 */

/* ---- judging ---- */

/* The stay on trial as a request of its own; it keeps what it counts as. */
static struct inv_reserve_op inv_modify_stay(const struct inv_transition_case *c)
{
	const struct inv_record *record = inv_record_at(c->inv, c->record);
	kr_assert(record->hotel_index != INV_NONE);
	return (struct inv_reserve_op){
		.hotel = {inv_hotel_at(c->inv, record->hotel_index)->id},
		.id = record->id,
		.book = inv_state_is_booked(record->state),
		.lines = c->op->lines,
		.line_count = c->op->line_count,
		.has_expected_total = c->op->has_expected_total,
		.expected_total_minor = c->op->expected_total_minor,
		.force = c->op->force,
	};
}

static enum inv_result inv_modify_refuse(const struct inv_transition_case *c, struct hotel_id hotel,
	struct inv_refusal refusal, struct inv_answer *answer)
{
	kr_assert(code_class_of(refusal.code) == CODE_FINAL);
	inv_denial_note(c->inv, hotel, c->op->lines, c->op->line_count, &refusal);
	return inv_answer_refuse(c->inv, c->record, c->now.t_us, refusal, answer);
}

/* More nodes than the present lines give back, and one that keeps the change's id. */
static uint32_t inv_modify_node_count(const struct inv *inv, const struct inv_record *record,
	const struct inv_line *lines, uint32_t line_count)
{
	uint32_t more = inv_lines_node_count(lines, line_count) + inv_change_node_count(record);
	uint32_t given = inv_record_lines_node_count(inv, record);
	kr_assert(line_count >= 1);
	return more > given ? more - given : 0;
}

static enum inv_result inv_modify_fill(const struct inv_transition_case *c, struct inv_stay *stay,
	struct inv_effect *effect, struct inv_answer *answer)
{
	const struct inv_record *record = inv_record_at(c->inv, c->record);
	const struct inv_line *lines = inv_stay_freeze(stay);
	uint32_t line_count = c->op->line_count;
	struct inv_span spans[INV_SPANS_MAX];
	struct inv_effect_lines planned;
	uint32_t nodes = inv_modify_node_count(c->inv, record, lines, line_count);
	if (inv_transition_is_blocked(c, nodes, answer))
		return INV_ANSWER;
	const char *wrong =
		inv_effect_lines_plan(c->inv, record->hotel_index, lines, line_count, &planned);
	kr_assert(wrong == NULL);
	inv_transition_begin(c, INV_EFFECT_MODIFY, effect);
	effect->u.modify.lines = lines;
	effect->u.modify.line_count = line_count;
	effect->u.modify.forced = c->op->force;
	uint32_t span_count = inv_spans_exchange(c->inv, record, &planned, line_count, spans);
	inv_spans_read(c->inv, spans, span_count, effect);
	inv_answer_after(c->inv, c->record, effect, record->state, answer);
	answer->has_total = inv_stay_has_total(stay);
	answer->total_minor = answer->has_total ? stay->total_minor : 0;
	kr_assert(effect->change_id != 0);
	return INV_EFFECT;
}

/* In this order: done before, over, of another revision; then the stay itself. */
enum inv_result inv_modify_judge(
	const struct inv_transition_case *c, struct inv_effect *effect, struct inv_answer *answer)
{
	const struct inv_record *record = inv_record_at(c->inv, c->record);
	struct inv_refusal refusal;
	struct inv_credit credit;
	struct inv_stay stay;
	kr_assert(c->op->transition == INV_MODIFY);
	if (inv_change_is_known(c))
		return inv_transition_repeat(c, answer);
	if (record->state == INV_EXPIRED || inv_record_is_due(record, c->now.t_us))
		return inv_transition_expired(c, answer);
	if (record->state != INV_HELD && !inv_state_is_booked(record->state))
		return inv_transition_refuse(c, KEYRACK_BAD_STATE, RULE_STATE, answer);
	if (inv_transition_is_blocked(c, 0, answer))
		return INV_ANSWER;
	struct inv_reserve_op op = inv_modify_stay(c);
	inv_credit_init(&credit, c->inv, record, true);
	inv_stay_init(&stay, c->inv, c->now.t_us, &op, record->hotel_index, &refusal, 1);
	stay.credit = &credit;
	if (!inv_stay_try(&stay))
		return inv_modify_refuse(c, op.hotel, refusal, answer);
	return inv_modify_fill(c, &stay, effect, answer);
}

/* ---- applying ---- */

int inv_apply_modify(struct inv *inv, uint32_t hotel_index, const struct inv_effect *effect,
	struct inv_contradiction *ret)
{
	const struct inv_line *lines = effect->u.modify.lines;
	uint32_t r = INV_NONE, line_count = effect->u.modify.line_count;
	struct inv_effect_lines planned;
	struct inv_span spans[INV_SPANS_MAX];
	kr_assert(effect->kind == INV_EFFECT_MODIFY);
	const char *wrong = inv_effect_lines_plan(inv, hotel_index, lines, line_count, &planned);
	if (wrong != NULL)
		return inv_contradict(effect, wrong, 0, 0, 0, ret);
	int error = inv_change_find(inv, hotel_index, effect, INV_STATES_LIVE, &r, ret);
	if (error != 0)
		return error;
	struct inv_record *record = inv_record_at(inv, r);
	uint32_t span_count = inv_spans_exchange(inv, record, &planned, line_count, spans);
	bool books = inv_state_is_booked(record->state);
	struct inv_delta delta = {.held = !books, .booked = books};
	error = inv_spans_check(inv, spans, span_count, delta, effect, ret);
	if (error != 0)
		return error;
	if (inv_modify_node_count(inv, record, lines, line_count) > inv_pool_left(&inv->node_pool))
		return INV_NO_ROOM;
	inv_spans_move(inv, spans, span_count, delta);
	inv_record_replace_lines(inv, record, lines, planned.products, line_count);
	inv_move_stamp(record, effect);
	inv_record_put_change(inv, record, effect->change_id);
	if (books)
		inv_record_requeue_retirement(inv, r);
	kr_assert(record->line_count == line_count);
	return 0;
}
