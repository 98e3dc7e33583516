/*
 * Private to the inventory: what applying moves and changes of a reservation shares.
 */
#ifndef ENGINE_INVENTORY_CHANGE_H
#define ENGINE_INVENTORY_CHANGE_H

#include "engine/inventory/records.h"

/* Finds the effect's record in one of the states it may be in (a bit each). 0, or
 * INV_CONTRADICTION. */
KR_MUST_CHECK int inv_move_find(const struct inv *inv, uint32_t hotel_index,
	const struct inv_effect *effect, uint32_t from, uint32_t *ret_record,
	struct inv_contradiction *ret);
/* Revision, instant and event_seq of the effect. */
void inv_move_stamp(struct inv_record *record, const struct inv_effect *effect);
/* A payment reference may be kept once. 0, or INV_CONTRADICTION. */
KR_MUST_CHECK int inv_payment_check(const struct inv *inv, const struct inv_record *record,
	const struct inv_effect *effect, struct inv_text payment_ref,
	struct inv_contradiction *ret);

#endif
