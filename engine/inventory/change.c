#include "engine/inventory/change.h"

/*
 * Applying what changes a reservation without moving its state. Each carries the caller's change
 * id, and the record keeps the last one.
 *
 *   EXTEND           a hold's deadline moves later
 *   ATTACH_PAYMENT   a hold gets its payment reference before it is confirmed
 *   MODIFY           a hold or a booking gets other lines (modify.c)
 */

int inv_payment_check(const struct inv *inv, const struct inv_record *record,
	const struct inv_effect *effect, struct inv_text payment_ref, struct inv_contradiction *ret)
{
	char bytes[INV_TEXT_SIZE_MAX];
	kr_assert(record->state == INV_HELD);
	if (payment_ref.size_bytes > INV_TEXT_SIZE_MAX)
		return inv_contradict(effect, "a reference is too long", INV_TEXT_SIZE_MAX,
			payment_ref.size_bytes, 0, ret);
	struct inv_text kept = inv_record_text(inv, record, INV_NODE_PAYMENT_REF, bytes);
	if (payment_ref.size_bytes != 0 && kept.size_bytes != 0)
		return inv_contradict(
			effect, "a second payment reference", 0, kept.size_bytes, 0, ret);
	kr_assert(kept.size_bytes <= INV_TEXT_SIZE_MAX);
	return 0;
}

int inv_change_find(const struct inv *inv, uint32_t hotel_index, const struct inv_effect *effect,
	uint32_t from, uint32_t *ret_record, struct inv_contradiction *ret)
{
	int error = inv_move_find(inv, hotel_index, effect, from, ret_record, ret);
	if (error != 0)
		return error;
	const struct inv_record *record = inv_record_at(inv, *ret_record);
	if (effect->change_id == 0 || effect->change_id == inv_record_change_id(inv, record))
		return inv_contradict(
			effect, "a change has no id of its own", 0, effect->change_id, 0, ret);
	if (record->state == INV_HELD && effect->t_us >= record->expires_at_us)
		return inv_contradict(effect, "an expired hold is changed", record->expires_at_us,
			effect->t_us, 0, ret);
	kr_assert((from >> record->state & 1) != 0);
	return 0;
}

/* A hold that is changed, with room for so many nodes and the change's id. */
static int inv_change_find_hold(const struct inv *inv, uint32_t hotel_index,
	const struct inv_effect *effect, uint32_t nodes, uint32_t *ret_record,
	struct inv_contradiction *ret)
{
	int error = inv_change_find(inv, hotel_index, effect, 1u << INV_HELD, ret_record, ret);
	if (error != 0)
		return error;
	const struct inv_record *record = inv_record_at(inv, *ret_record);
	kr_assert(record->state == INV_HELD);
	if (nodes + inv_change_node_count(record) > inv_pool_left(&inv->node_pool))
		return INV_NO_ROOM;
	return 0;
}

int inv_apply_extend(struct inv *inv, uint32_t hotel_index, const struct inv_effect *effect,
	struct inv_contradiction *ret)
{
	uint32_t r = INV_NONE;
	kr_assert(effect->kind == INV_EFFECT_EXTEND);
	int error = inv_change_find_hold(inv, hotel_index, effect, 0, &r, ret);
	if (error != 0)
		return error;
	struct inv_record *record = inv_record_at(inv, r);
	if (record->expires_at_us != effect->u.extend.old_expires_at_us)
		return inv_contradict(effect, "the deadline is not what the effect found",
			effect->u.extend.old_expires_at_us, record->expires_at_us, 0, ret);
	if (effect->u.extend.expires_at_us <= record->expires_at_us)
		return inv_contradict(effect, "an extension is no later deadline",
			record->expires_at_us, effect->u.extend.expires_at_us, 0, ret);
	inv_move_stamp(record, effect);
	inv_record_put_change(inv, record, effect->change_id);
	inv_record_redate(inv, r, effect->u.extend.expires_at_us);
	kr_assert(record->state == INV_HELD);
	return 0;
}

int inv_apply_attach(struct inv *inv, uint32_t hotel_index, const struct inv_effect *effect,
	struct inv_contradiction *ret)
{
	uint32_t r = INV_NONE;
	struct inv_text payment_ref = effect->u.attach.payment_ref;
	kr_assert(effect->kind == INV_EFFECT_ATTACH_PAYMENT);
	if (payment_ref.size_bytes == 0 || payment_ref.size_bytes > INV_TEXT_SIZE_MAX)
		return inv_contradict(effect, "a reference is empty or too long", INV_TEXT_SIZE_MAX,
			payment_ref.size_bytes, 0, ret);
	int error = inv_change_find_hold(
		inv, hotel_index, effect, inv_text_node_count(payment_ref), &r, ret);
	if (error != 0)
		return error;
	struct inv_record *record = inv_record_at(inv, r);
	error = inv_payment_check(inv, record, effect, payment_ref, ret);
	if (error != 0)
		return error;
	inv_move_stamp(record, effect);
	inv_record_put_change(inv, record, effect->change_id);
	inv_record_put_text(inv, record, INV_NODE_PAYMENT_REF, payment_ref);
	kr_assert(record->state == INV_HELD);
	return 0;
}
