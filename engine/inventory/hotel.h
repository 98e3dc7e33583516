/*
 * Private to the inventory: hotel lines as settings and back.
 */
#ifndef ENGINE_INVENTORY_HOTEL_H
#define ENGINE_INVENTORY_HOTEL_H

#include "engine/inventory/priv.h"

/* Texts point into the inventory. */
struct inv_hotel_settings inv_hotel_settings_of(const struct inv *inv, uint32_t hotel_index);
/* What a new hotel starts from. */
struct inv_hotel_settings inv_hotel_settings_default(void);
/* Null when every field `mask` names can be stored, else the first bad field's name. */
const char *inv_hotel_settings_fault(
	const struct inv *inv, const struct inv_hotel_settings *settings, uint32_t mask);
/* The settings must be without fault. */
void inv_hotel_settings_store(
	struct inv *inv, uint32_t hotel_index, const struct inv_hotel_settings *settings);
/* A new, empty hotel whose window begins at first_day. INV_NONE: the table is full. */
uint32_t inv_hotel_create(struct inv *inv, struct hotel_id hotel, int32_t first_day);

/* VERSION_MISMATCH in *ret_answer when the caller expected another; hotel NULL counts as 0. */
bool inv_version_is_stale(const struct inv_hotel *hotel, bool has_expected, uint64_t expected,
	struct inv_answer *ret_answer);

#endif
