#include "engine/inventory/records.h"

/* Records that begin or end without rooms: VOID and RETIRE, with a hotel or the shard's own. */

int inv_apply_void(struct inv *inv, uint32_t hotel_index, const struct inv_effect *effect,
	struct inv_contradiction *ret)
{
	kr_assert(effect->kind == INV_EFFECT_VOID);
	kr_assert((hotel_index == INV_NONE) == (effect->hotel.v == 0));
	if (inv_record_find(inv, hotel_index, effect->id) != INV_NONE)
		return inv_contradict(effect, "the id is known already", 0, 0, 0, ret);
	uint32_t r = inv_record_take(inv);
	if (r == INV_NONE)
		return INV_NO_ROOM;
	struct inv_record *record = inv_record_at(inv, r);
	record->id = effect->id;
	record->hotel_index = hotel_index;
	record->revision = 1;
	record->state = INV_VOID;
	record->created_at_us = effect->t_us;
	record->changed_at_us = effect->t_us;
	record->event_seq = effect->event_seq;
	record->source = effect->actor.source;
	inv_record_enter(inv, r);
	return 0;
}

int inv_apply_retire(struct inv *inv, uint32_t hotel_index, const struct inv_effect *effect,
	struct inv_contradiction *ret)
{
	uint32_t r = inv_record_find(inv, hotel_index, effect->id);
	kr_assert(effect->kind == INV_EFFECT_RETIRE);
	if (r == INV_NONE)
		return inv_contradict(effect, "the reservation is unknown", 0, 0, 0, ret);
	const struct inv_record *record = inv_record_at(inv, r);
	bool completed = effect->u.retire.completed;
	kr_assert(record->hotel_index == hotel_index);
	if (record->state == INV_HELD || completed != inv_state_is_booked(record->state))
		return inv_contradict(
			effect, "a live reservation is retired", completed, record->state, 0, ret);
	if (record->revision + completed != effect->revision)
		return inv_contradict(effect, "the reservation has another revision",
			effect->revision, record->revision + completed, 0, ret);
	uint64_t minted_us = inv_record_minted_us(record);
	if (minted_us >= effect->u.retire.purge_mark_us)
		return inv_contradict(effect, "an id younger than the purge mark is retired",
			effect->u.retire.purge_mark_us, minted_us, 0, ret);
	inv_record_leave(inv, r);
	kr_assert(inv_record_find(inv, hotel_index, effect->id) == INV_NONE);
	return 0;
}
