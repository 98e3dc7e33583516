/*
 * Private to the inventory: rate plans as settings and back.
 */
#ifndef ENGINE_INVENTORY_PLAN_H
#define ENGINE_INVENTORY_PLAN_H

#include "engine/inventory/priv.h"
#include "engine/inventory/product.h"

#define INV_PLAN_BASE_CODE "BASE"

/* The code points into the inventory. */
struct inv_plan_settings inv_plan_settings_of(const struct inv *inv, uint32_t product);
/* Null when a plan of that number can be so, else the first bad field's name. */
const char *inv_plan_settings_fault(uint16_t plan, const struct inv_plan_settings *settings);
/* The settings must be without fault. */
void inv_plan_settings_store(
	struct inv *inv, uint32_t product, const struct inv_plan_settings *settings);
/* A new plan of the row with empty nights, or none of its own when it is derived: then the parent
 * must be there with prices of its own. Returns its product; INV_NONE: the table is full. */
uint32_t inv_plan_create(
	struct inv *inv, uint32_t row, uint16_t number, uint8_t derivation, uint16_t parent);

/* Null, or why a derived plan of the row cannot have that parent. */
const char *inv_plan_parent_fault(const struct inv *inv, uint32_t row, uint16_t parent);

/* What CHUNK.md says follows the cells of a row that has plans, or terms of plan 0. */
bool inv_row_has_plans(const struct inv_row *row);
uint64_t inv_plans_size_max(const struct inv *inv, const struct inv_row *row);
void inv_plans_save(const struct inv *inv, uint32_t row, struct kr_writer *writer);
/* 0, or INV_NO_ROOM; the reader has failed when it is malformed. */
KR_MUST_CHECK int inv_plans_load(struct inv *inv, uint32_t row, struct kr_reader *reader);

#endif
