/*
 * Private to the inventory: length-of-stay classes, interned once for the shard.
 *
 * A class lives as long as a cell names it: inv_cell_store counts, and gives it back at the last.
 */
#ifndef ENGINE_INVENTORY_CLASS_H
#define ENGINE_INVENTORY_CLASS_H

#include "engine/inventory/grid.h"

static inline bool inv_los_is_none(struct los_class los)
{
	return (los.min_arrival | los.max_arrival | los.min_through | los.max_through) == 0;
}

static inline bool inv_los_equal(struct los_class a, struct los_class b)
{
	return a.min_arrival == b.min_arrival && a.max_arrival == b.max_arrival &&
	       a.min_through == b.min_through && a.max_through == b.max_through;
}

/* 0 for no limits at all; INV_NONE when no cell has these. */
uint32_t inv_class_find(const struct inv *inv, struct los_class los);
/* New ones that can still be interned. */
uint32_t inv_classes_left(const struct inv *inv);
/* Found or taken; one must be left. A cell has to name it before anything else is interned. */
uint16_t inv_class_intern(struct inv *inv, struct los_class los);

#endif
