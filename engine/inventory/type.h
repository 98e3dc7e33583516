/*
 * Private to the inventory: rows as room type settings and back.
 */
#ifndef ENGINE_INVENTORY_TYPE_H
#define ENGINE_INVENTORY_TYPE_H

#include "engine/inventory/priv.h"

/* The code points into the inventory. Clearable fields that are not set are zero. */
struct inv_type_settings inv_type_settings_of(const struct inv *inv, uint32_t row_index);
/* Null when every field `mask` names can be stored, else the first bad field's name. */
const char *inv_type_settings_fault(const struct inv_type_settings *settings, uint32_t mask);
/* The settings must be without fault; set_mask within INV_TYPE_CLEARABLE. */
void inv_type_settings_store(struct inv *inv, uint32_t row_index,
	const struct inv_type_settings *settings, uint32_t set_mask);
/* A new row of the hotel with empty nights. INV_NONE: the table is full. */
uint32_t inv_row_create(struct inv *inv, uint32_t hotel_index, uint16_t type);

#endif
