/*
 * Private to the inventory: what applying moves and changes of a reservation shares.
 */
#ifndef ENGINE_INVENTORY_CHANGE_H
#define ENGINE_INVENTORY_CHANGE_H

#include "engine/inventory/records.h"

/* Finds a record that the effect moves to that revision, in one of the states it may be in (a bit
 * each). 0, or INV_CONTRADICTION. */
KR_MUST_CHECK int inv_move_find_id(const struct inv *inv, uint32_t hotel_index,
	const struct inv_effect *effect, struct kr_id id, uint32_t revision, uint32_t from,
	uint32_t *ret_record, struct inv_contradiction *ret);
/* The effect's own record. */
KR_MUST_CHECK int inv_move_find(const struct inv *inv, uint32_t hotel_index,
	const struct inv_effect *effect, uint32_t from, uint32_t *ret_record,
	struct inv_contradiction *ret);
/* The states in which a reservation has rooms, a bit each. */
#define INV_STATES_LIVE (1u << INV_HELD | 1u << INV_CONFIRMED | 1u << INV_CHECKED_IN)
/* The same for a change: it has an id of its own, and a hold is not over. */
KR_MUST_CHECK int inv_change_find(const struct inv *inv, uint32_t hotel_index,
	const struct inv_effect *effect, uint32_t from, uint32_t *ret_record,
	struct inv_contradiction *ret);
/* Revision, instant and event_seq of the effect. */
void inv_move_stamp_to(
	struct inv_record *record, uint32_t revision, const struct inv_effect *effect);
void inv_move_stamp(struct inv_record *record, const struct inv_effect *effect);
/* A payment reference may be kept once. 0, or INV_CONTRADICTION. */
KR_MUST_CHECK int inv_payment_check(const struct inv *inv, const struct inv_record *record,
	const struct inv_effect *effect, struct inv_text payment_ref,
	struct inv_contradiction *ret);

#endif
