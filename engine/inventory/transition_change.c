#include "engine/inventory/transition.h"

/* EXTEND and ATTACH_PAYMENT: changes of a hold that move it to no other state. */

bool inv_change_is_known(const struct inv_transition_case *c)
{
	const struct inv_record *record = inv_record_at(c->inv, c->record);
	kr_assert(c->op->change_id != 0);
	kr_assert(c->op->has_expected_revision);
	return inv_record_change_id(c->inv, record) == c->op->change_id;
}

/* What every change of a hold needs; INV_EFFECT when nothing stands in the way. */
static enum inv_result inv_change_admit(
	const struct inv_transition_case *c, struct inv_answer *answer)
{
	const struct inv_record *record = inv_record_at(c->inv, c->record);
	if (inv_change_is_known(c))
		return inv_transition_repeat(c, answer);
	if (record->state == INV_EXPIRED || inv_record_is_due(record, c->now.t_us))
		return inv_transition_expired(c, answer);
	if (record->state != INV_HELD)
		return inv_transition_refuse(c, KEYRACK_BAD_STATE, RULE_STATE, answer);
	kr_assert(record->expires_at_us > c->now.t_us);
	return INV_EFFECT;
}

/* The deadline asked for, as far as the hotel's cap on a hold's whole life lets it. */
static uint64_t inv_extend_deadline_us(const struct inv_transition_case *c)
{
	const struct inv_record *record = inv_record_at(c->inv, c->record);
	uint64_t total_us = inv_hotel_cold_at(c->inv, record->hotel_index)->hold_total_max_us;
	kr_assert(record->created_at_us <= c->now.t_us);
	kr_assert(c->op->expires_at_us <= INV_DEADLINE_MAX_US);
	if (total_us == 0 || total_us > INV_DEADLINE_MAX_US - record->created_at_us)
		return c->op->expires_at_us;
	return KR_MIN(c->op->expires_at_us, record->created_at_us + total_us);
}

/*
 * What is asked is "not to expire before": a hold that lives so long already, or may live no
 * longer, is left as it is, and the answer shows until when.
 */
enum inv_result inv_extend_judge(
	const struct inv_transition_case *c, struct inv_effect *effect, struct inv_answer *answer)
{
	const struct inv_record *record = inv_record_at(c->inv, c->record);
	kr_assert(c->op->transition == INV_EXTEND);
	if (inv_change_admit(c, answer) == INV_ANSWER)
		return INV_ANSWER;
	if (inv_transition_is_blocked(c, inv_change_node_count(record), answer))
		return INV_ANSWER;
	uint64_t expires_at_us = inv_extend_deadline_us(c);
	if (expires_at_us <= record->expires_at_us) {
		inv_answer_show(c->inv, c->record, c->now.t_us, answer);
		return INV_ANSWER;
	}
	inv_transition_begin(c, INV_EFFECT_EXTEND, effect);
	effect->u.extend.old_expires_at_us = record->expires_at_us;
	effect->u.extend.expires_at_us = expires_at_us;
	inv_answer_after(c->inv, c->record, effect, INV_HELD, answer);
	answer->expires_at_us = expires_at_us;
	return INV_EFFECT;
}

enum inv_result inv_attach_judge(
	const struct inv_transition_case *c, struct inv_effect *effect, struct inv_answer *answer)
{
	const struct inv_record *record = inv_record_at(c->inv, c->record);
	struct inv_text payment_ref = c->op->payment_ref;
	kr_assert(c->op->transition == INV_ATTACH_PAYMENT);
	kr_assert(payment_ref.size_bytes > 0);
	if (inv_change_admit(c, answer) == INV_ANSWER)
		return INV_ANSWER;
	if (inv_payment_is_kept(c))
		return inv_payment_is_other(c) ? inv_transition_refuse(c, KEYRACK_BAD_STATE,
							 RULE_PAYMENT_REF, answer)
					       : inv_transition_repeat(c, answer);
	uint32_t nodes = inv_text_node_count(payment_ref) + inv_change_node_count(record);
	if (inv_transition_is_blocked(c, nodes, answer))
		return INV_ANSWER;
	inv_transition_begin(c, INV_EFFECT_ATTACH_PAYMENT, effect);
	effect->u.attach.payment_ref = inv_text_copy(payment_ref, inv_scratch(c->inv)->payment_ref);
	inv_answer_after(c->inv, c->record, effect, INV_HELD, answer);
	return INV_EFFECT;
}
