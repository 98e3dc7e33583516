/*
 * Private to the inventory: stock set by date, kept as runs beside the cells.
 *
 * A row's runs are ascending and disjoint, lie inside the window, set something, and no two
 * neighbours could be one: so equal stock is equal runs, whatever its history.
 */
#ifndef ENGINE_INVENTORY_STOCK_H
#define ENGINE_INVENTORY_STOCK_H

#include "engine/inventory/grid.h"

static inline bool inv_stock_equal(const struct inv_stock *a, const struct inv_stock *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* One entry a night of the hotel's window; nights without a run get zeroes. */
void inv_stock_expand(const struct inv *inv, const struct inv_row *row, int32_t first_day,
	struct inv_stock *ret_stocks);
/* Runs that `stocks` (one a night of the window) take. */
uint32_t inv_stock_runs_count(const struct inv *inv, const struct inv_stock *stocks);
/* Replaces the row's runs; the pool must have room for what they grow by. */
void inv_stock_replace(
	struct inv *inv, struct inv_row *row, int32_t first_day, const struct inv_stock *stocks);
/* Appends one run behind the row's last. False: the pool is empty. */
bool inv_stock_append(struct inv *inv, struct inv_row *row, const struct inv_stock *stock,
	int32_t first_day, int32_t last_day);
/* Gives back what lies before `first_day`. */
void inv_stock_trim(struct inv *inv, struct inv_row *row, int32_t first_day);

#endif
