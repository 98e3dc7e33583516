/*
 * Private to the inventory: the limit, the one number admission compares with.
 *
 *   an explicit cap of the night (in the cell)
 *   else the type's cap, if set
 *   else physical - out of order + allowance, each by date where set, else the type's
 *
 * Without any of these the night is not loaded and its limit is 0.
 */
#ifndef ENGINE_INVENTORY_LIMIT_H
#define ENGINE_INVENTORY_LIMIT_H

#include "engine/inventory/state.h"

#define INV_BASIS_POINTS 10000
#define INV_STOCK_FIELDS (INV_UPDATE_PHYSICAL | INV_UPDATE_OUT_OF_ORDER | INV_UPDATE_ALLOWANCE)

kr_static_assert(INV_TYPE_PHYSICAL == INV_UPDATE_PHYSICAL << 2 &&
			 INV_TYPE_OUT_OF_ORDER == INV_UPDATE_OUT_OF_ORDER << 2 &&
			 INV_TYPE_ALLOWANCE == INV_UPDATE_ALLOWANCE << 2,
	"the type's bits are the date's, two further left");

struct inv_limit {
	int64_t value;
	bool is_loaded;
};

/* Rounded toward minus infinity; `divisor` > 0. */
static inline int64_t inv_floor_div(int64_t value, int64_t divisor)
{
	kr_assert(divisor > 0);
	return value / divisor - (value % divisor < 0);
}

/* Rooms that an allowance adds to `rooms` = physical - out of order. */
static inline int64_t inv_allowance_rooms(int64_t rooms, int64_t allowance, uint8_t unit)
{
	kr_assert(unit == INV_ALLOWANCE_ROOMS || unit == INV_ALLOWANCE_BASIS_POINTS);
	if (unit == INV_ALLOWANCE_ROOMS)
		return allowance;
	return inv_floor_div(rooms * allowance, INV_BASIS_POINTS);
}

/* What holds on a night: by date where set, else the type's. set_mask is the union. */
static inline struct inv_stock inv_stock_in_force(
	const struct inv_row *row, const struct inv_stock *date)
{
	struct inv_stock s = *date;
	kr_assert((date->set_mask & ~INV_STOCK_FIELDS) == 0);
	s.set_mask |= row->set_mask >> 2 & INV_STOCK_FIELDS;
	if ((date->set_mask & INV_UPDATE_PHYSICAL) == 0)
		s.physical = row->physical;
	if ((date->set_mask & INV_UPDATE_OUT_OF_ORDER) == 0)
		s.out_of_order = row->out_of_order;
	if ((date->set_mask & INV_UPDATE_ALLOWANCE) == 0) {
		s.allowance = row->allowance;
		s.allowance_unit = row->allowance_unit;
	}
	return s;
}

/* The limit of a night without an explicit cap. */
static inline struct inv_limit inv_limit_of(const struct inv_row *row, const struct inv_stock *date)
{
	if ((row->set_mask & INV_TYPE_CAP) != 0)
		return (struct inv_limit){.value = row->cap, .is_loaded = true};
	struct inv_stock s = inv_stock_in_force(row, date);
	if ((s.set_mask & INV_UPDATE_PHYSICAL) == 0)
		return (struct inv_limit){.value = 0, .is_loaded = false};
	int64_t rooms = (int64_t)s.physical - s.out_of_order;
	return (struct inv_limit){
		.value = rooms + inv_allowance_rooms(rooms, s.allowance, s.allowance_unit),
		.is_loaded = true,
	};
}

static inline bool inv_limit_fits(struct inv_limit limit)
{
	kr_assert(limit.is_loaded || limit.value == 0);
	return limit.value >= CELL_LIMIT_MIN && limit.value <= CELL_LIMIT_MAX;
}

/* A counter as a whole word: its limit, and a flag in its place. */
#define INV_LIMIT_BITS UINT64_C(0xffff)
#define INV_COUNTER_FLAG(flags) ((uint64_t)(flags) << 48)

/* `counter` with that limit and without an explicit cap. */
static inline uint64_t inv_limit_put(uint64_t counter, struct inv_limit limit)
{
	kr_assert(inv_limit_fits(limit));
	counter &= ~(INV_LIMIT_BITS | INV_COUNTER_FLAG(CELL_EXPLICIT_CAP | CELL_LOADED));
	counter |= limit.is_loaded ? INV_COUNTER_FLAG(CELL_LOADED) : 0;
	return counter | (uint16_t)limit.value;
}

/* The counter of a night about which nothing was ever said. */
static inline uint64_t inv_counter_default(const struct inv_row *row)
{
	const struct inv_stock none = {.set_mask = 0};
	kr_assert(row->kind == INV_ROW_TYPE);
	return inv_limit_put(0, inv_limit_of(row, &none));
}

#endif
