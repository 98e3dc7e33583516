#include "engine/inventory/transition.h"

/*
 * CHECK_IN, COMPLETE and NO_SHOW: what becomes of a booking once its first night has come, by the
 * hotel's business date. COMPLETE before the last night is an early departure: it and NO_SHOW give
 * back the nights from the business date on.
 */

struct inv_presence {
	enum inv_transition transition;
	enum inv_effect_kind kind;
	uint8_t to;
	bool from_checked_in;
};

static const struct inv_presence presences[] = {
	{INV_CHECK_IN, INV_EFFECT_CHECK_IN, INV_CHECKED_IN, false},
	{INV_COMPLETE, INV_EFFECT_COMPLETE, INV_COMPLETED, true},
	{INV_MARK_NO_SHOW, INV_EFFECT_NO_SHOW, INV_NO_SHOW, false},
};

enum inv_result inv_presence_judge(
	const struct inv_transition_case *c, struct inv_effect *effect, struct inv_answer *answer)
{
	kr_assert(c->op->transition >= INV_CHECK_IN && c->op->transition <= INV_MARK_NO_SHOW);
	const struct inv_presence *p = &presences[c->op->transition - INV_CHECK_IN];
	const struct inv_record *record = inv_record_at(c->inv, c->record);
	kr_assert(p->transition == c->op->transition);
	if (record->state == p->to)
		return inv_transition_repeat(c, answer);
	if (record->state != INV_CONFIRMED &&
		!(p->from_checked_in && record->state == INV_CHECKED_IN))
		return inv_transition_refuse(c, KEYRACK_BAD_STATE, RULE_STATE, answer);
	int32_t check_in = inv_record_check_in(c->inv, record);
	int32_t business_day = inv_hotel_at(c->inv, record->hotel_index)->first_day;
	struct inv_refusal early = {.code = KEYRACK_TOO_EARLY,
		.rule = RULE_ARRIVAL,
		.has_day = true,
		.day = check_in,
		.required = check_in,
		.left = business_day};
	if (business_day < check_in)
		return inv_answer_refuse(c->inv, c->record, c->now.t_us, early, answer);
	return inv_transition_move(c, p->kind, p->to, effect, answer);
}
