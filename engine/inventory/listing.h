/*
 * Lists for those who run hotels: nights with their figures, and demand that was turned away.
 *
 * Each call reads a bounded piece and says where the next one begins. Rows never move and are never
 * freed, and neither are places of the table of denials, so that what is there all the time is told
 * exactly once; what comes meanwhile may be told.
 */
#ifndef ENGINE_INVENTORY_LISTING_H
#define ENGINE_INVENTORY_LISTING_H

#include "engine/inventory/view.h"

/* What is set by date of the stock, as runs; `set_mask` has INV_UPDATE_ bits. */
struct inv_stock_view {
	uint16_t type;
	int32_t first_day, last_day; /* inclusive */
	uint32_t set_mask;
	uint16_t physical, out_of_order;
	int32_t allowance;
	uint8_t allowance_unit;
};
/* Runs ascending by (type, day): those of from_type that end at from_day or later, then those of
 * greater types. The hotel must exist. O(runs of one type + types of the hotel). */
uint32_t inv_stock_list(const struct inv *inv, struct hotel_id hotel, uint16_t from_type,
	int32_t from_day, struct inv_stock_view *ret, uint32_t count_max, bool *ret_more);

/* A row of nights costs as much of a budget as this many of its nights: it is read from three
 * places of memory, the nights lie side by side. */
#define INV_NIGHT_ROW_COST 64u

/* Which nights are sought. */
#define INV_NIGHT_OVER_LIMIT 1u /* held + booked > limit */
#define INV_NIGHT_WALKS 2u      /* booked > rooms */
#define INV_NIGHT_FILTER_MASK 3u

struct inv_night_view {
	struct hotel_id hotel;
	int32_t day;
	int32_t limit;       /* 0 when it is not loaded */
	uint32_t rooms;      /* physical - out of order, never below 0; 0 where not known */
	uint32_t over_limit; /* held + booked - limit, never below 0 */
	uint32_t walks;      /* booked - rooms, never below 0; 0 where rooms are not known */
	uint16_t type, held, booked;
	bool is_loaded, has_rooms;
};

/* Nights outside a hotel's window are left out. */
struct inv_night_query {
	struct hotel_id hotel; /* 0 = all */
	const uint16_t *types; /* ascending */
	uint32_t type_count;   /* 0 = all */
	bool is_relative;      /* days are counted from each hotel's business date */
	int32_t first_day, last_day;
	uint32_t filter; /* any of these; 0 = every night */
};

/* Where a list goes on: row INV_NIGHT_END = nowhere. */
#define INV_NIGHT_END UINT32_MAX
struct inv_night_place {
	uint32_t row;
	int32_t day;
};

/* False: the hotel, which must exist, does not have the type *ret_missing. */
bool inv_night_types_exist(
	const struct inv *inv, const struct inv_night_query *query, uint16_t *ret_missing);
/* The hotel, if one is named, must exist. */
struct inv_night_place inv_night_begin(const struct inv *inv, const struct inv_night_query *query);
/* A place from outside: false when this list cannot have come to it. */
bool inv_night_place_is_valid(const struct inv *inv, const struct inv_night_query *query,
	const struct inv_night_place *place);
/*
 * Up to count_max nights from *place on, which moves behind what was read. It stops when about
 * budget nights (at least INV_NIGHT_ROW_COST + 1) were looked at: then there may be none although
 * more follow. A hotel's nights come ascending by (type, day); hotels in no useful order.
 */
uint32_t inv_night_list(const struct inv *inv, const struct inv_night_query *query,
	struct inv_night_place *place, uint32_t budget, struct inv_night_view *ret,
	uint32_t count_max);

struct inv_denial_query {
	struct hotel_id hotel; /* 0 = all */
	uint8_t rule;          /* 0 = any */
	bool has_nights;
	int32_t first_day, last_day;
};
/* From place *at of the table on; *ret_more: places are left. */
uint32_t inv_denial_list(const struct inv *inv, const struct inv_denial_query *query, uint32_t *at,
	uint32_t budget, struct inv_denial *ret, uint32_t count_max, bool *ret_more);

#endif
