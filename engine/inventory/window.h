/*
 * Private to the inventory: business dates, the window, and the heap of day rolls.
 */
#ifndef ENGINE_INVENTORY_WINDOW_H
#define ENGINE_INVENTORY_WINDOW_H

#include "engine/inventory/priv.h"

/* The local date at an instant, turning at the roll hour. */
int32_t inv_business_day(
	const struct inv *inv, uint16_t zone_index, uint16_t day_roll_minute, uint64_t t_us);
/* True when a window can begin there and still end at a day of the wire. */
bool inv_business_day_is_valid(const struct inv *inv, int32_t day);
/* Drops the nights before `first_day`, puts defaults on those that come in. Never moves back. */
void inv_window_advance(struct inv *inv, uint32_t hotel_index, int32_t first_day);
/* A new row's nights: the type's defaults. */
void inv_window_fill(struct inv *inv, uint32_t row_index);
/* After the hotel's zone, roll hour or window changed, or it is new. */
void inv_roll_update(struct inv *inv, uint32_t hotel_index);

#endif
