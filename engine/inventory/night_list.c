#include "engine/inventory/listing.h"

#include "engine/inventory/limit.h"
#include "engine/inventory/stock.h"

/* Lists of nights: row after row, in each the nights of a range. */

kr_static_assert(INV_NIGHT_END == INV_NONE, "a place behind the last row is no row");

struct inv_night_walk {
	const struct inv *inv;
	const struct inv_night_query *query;
	struct inv_night_view *ret;
	uint32_t count, count_max;
	uint32_t budget;
};

static bool inv_night_type_is_sought(const struct inv_night_query *query, uint16_t type)
{
	uint32_t low = 0, high = query->type_count;
	kr_assert(query->types != NULL || query->type_count == 0);
	if (query->type_count == 0)
		return true;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (query->types[middle] < type)
			low = middle + 1;
		else
			high = middle;
	}
	kr_assert(low <= query->type_count);
	return low < query->type_count && query->types[low] == type;
}

/* What the counter alone cannot exclude: the rooms are further cache misses. */
static bool inv_night_may_fit(uint32_t filter, struct cell_counter c)
{
	kr_assert((filter & ~INV_NIGHT_FILTER_MASK) == 0);
	if (filter == 0)
		return true;
	if ((filter & INV_NIGHT_OVER_LIMIT) != 0 && cell_left(c) < 0)
		return true;
	return (filter & INV_NIGHT_WALKS) != 0 && c.booked > 0;
}

/* date NULL: nothing is set by date. */
static void inv_night_fill(const struct inv_row *row, const struct inv_stock_run *date, int32_t day,
	struct cell_counter c, struct inv_night_view *ret)
{
	struct inv_stock stock = {.set_mask = 0};
	if (date != NULL)
		stock = (struct inv_stock){.set_mask = date->set_mask,
			.physical = date->physical,
			.out_of_order = date->out_of_order};
	stock = inv_stock_in_force(row, &stock);
	int32_t rooms = (int32_t)stock.physical - (int32_t)stock.out_of_order;
	bool has_rooms = (stock.set_mask & INV_UPDATE_PHYSICAL) != 0;
	if (!has_rooms || rooms < 0)
		rooms = 0;
	*ret = (struct inv_night_view){
		.day = day,
		.limit = c.limit,
		.rooms = (uint32_t)rooms,
		.over_limit = (uint32_t)KR_MAX(-cell_left(c), 0),
		.walks = has_rooms ? (uint32_t)KR_MAX((int32_t)c.booked - rooms, 0) : 0,
		.type = row->type,
		.held = c.held,
		.booked = c.booked,
		.is_loaded = (c.flags & CELL_LOADED) != 0,
		.has_rooms = has_rooms,
	};
	kr_assert(ret->is_loaded || ret->limit == 0);
	kr_assert(ret->walks <= ret->booked);
}

static bool inv_night_fits(uint32_t filter, const struct inv_night_view *view)
{
	kr_assert(view->has_rooms || view->walks == 0);
	return filter == 0 || ((filter & INV_NIGHT_OVER_LIMIT) != 0 && view->over_limit > 0) ||
	       ((filter & INV_NIGHT_WALKS) != 0 && view->walks > 0);
}

/* The nights of the range that are in the hotel's window, from `from` on; first > last: none. */
static void inv_night_span(const struct inv *inv, const struct inv_night_query *query,
	const struct inv_hotel *hotel, int32_t from, int32_t *ret_first, int32_t *ret_last)
{
	int32_t base = query->is_relative ? hotel->first_day : 0;
	int32_t end = hotel->first_day + (int32_t)inv->config.window_nights - 1;
	kr_assert(query->first_day >= INV_DAY_MIN && query->last_day <= INV_DAY_MAX);
	kr_assert(query->first_day <= query->last_day);
	*ret_first = KR_MAX(KR_MAX(base + query->first_day, hotel->first_day), from);
	*ret_last = KR_MIN(base + query->last_day, end);
}

/* False: the page or the budget ended, and the row goes on at *day. */
static bool inv_night_row(struct inv_night_walk *walk, uint32_t row_index, int32_t *day)
{
	const struct inv *inv = walk->inv;
	const struct inv_row *row = inv_row_at(inv, row_index);
	const struct inv_hotel *hotel = inv_hotel_at(inv, row->hotel_index);
	const struct inv_stock_run *runs = inv_stock_runs(inv);
	const struct inv_cell *cells = inv_row_cells(inv, row_index);
	int32_t first, last;
	if (!inv_night_type_is_sought(walk->query, row->type))
		return true;
	inv_night_span(inv, walk->query, hotel, *day, &first, &last);
	if (first > last)
		return true;
	uint32_t ring = inv_ring(inv, first), r = row->run_head;
	for (int32_t d = first; d <= last; d++) {
		if (walk->count == walk->count_max || walk->budget == 0) {
			*day = d;
			return false;
		}
		walk->budget--;
		struct cell_counter c = cell_counter_unpack(
			atomic_load_explicit(&cells[ring].counter, memory_order_relaxed));
		ring = ring + 1 == inv->config.window_nights ? 0 : ring + 1;
		if (!inv_night_may_fit(walk->query->filter, c))
			continue;
		while (r != INV_NONE && runs[r].last_day < d)
			r = runs[r].next;
		bool is_dated = r != INV_NONE && runs[r].first_day <= d;
		struct inv_night_view *view = &walk->ret[walk->count];
		inv_night_fill(row, is_dated ? &runs[r] : NULL, d, c, view);
		view->hotel.v = hotel->id;
		walk->count += inv_night_fits(walk->query->filter, view);
	}
	return true;
}

bool inv_night_types_exist(
	const struct inv *inv, const struct inv_night_query *query, uint16_t *ret_missing)
{
	uint32_t hotel_index = inv_hotel_find(inv, query->hotel);
	kr_assert(hotel_index != INV_NONE);
	kr_assert(query->types != NULL || query->type_count == 0);
	for (uint32_t i = 0; i < query->type_count; i++) {
		if (inv_row_find(inv, hotel_index, query->types[i]) != INV_NONE)
			continue;
		*ret_missing = query->types[i];
		return false;
	}
	return true;
}

struct inv_night_place inv_night_begin(const struct inv *inv, const struct inv_night_query *query)
{
	struct inv_night_place place = {.row = INV_NIGHT_END, .day = INT32_MIN};
	if (query->hotel.v != 0) {
		uint32_t hotel_index = inv_hotel_find(inv, query->hotel);
		kr_assert(hotel_index != INV_NONE);
		place.row = inv_hotel_at(inv, hotel_index)->row_head;
	} else if (inv->row_count > 0) {
		place.row = 0;
	}
	kr_assert(place.row == INV_NIGHT_END || place.row < inv->row_count);
	return place;
}

bool inv_night_place_is_valid(const struct inv *inv, const struct inv_night_query *query,
	const struct inv_night_place *place)
{
	kr_assert(place != NULL);
	if (place->row >= inv->row_count)
		return false;
	const struct inv_row *row = inv_row_at(inv, place->row);
	kr_assert(row->hotel_index < inv->hotel_count);
	return query->hotel.v == 0 || inv_hotel_at(inv, row->hotel_index)->id == query->hotel.v;
}

/* Over all hotels rows are met as they lie. */
static uint32_t inv_night_row_next(
	const struct inv *inv, const struct inv_night_query *query, uint32_t row)
{
	kr_assert(row < inv->row_count);
	if (query->hotel.v != 0)
		return inv_row_at(inv, row)->next;
	return row + 1 < inv->row_count ? row + 1 : INV_NIGHT_END;
}

uint32_t inv_night_list(const struct inv *inv, const struct inv_night_query *query,
	struct inv_night_place *place, uint32_t budget, struct inv_night_view *ret,
	uint32_t count_max)
{
	struct inv_night_walk walk = {
		.inv = inv, .query = query, .ret = ret, .count_max = count_max, .budget = budget};
	kr_assert(budget > INV_NIGHT_ROW_COST);
	kr_assert(count_max > 0);
	while (place->row != INV_NIGHT_END && walk.count < count_max &&
		walk.budget > INV_NIGHT_ROW_COST) {
		walk.budget -= INV_NIGHT_ROW_COST;
		if (!inv_night_row(&walk, place->row, &place->day))
			break;
		place->row = inv_night_row_next(inv, query, place->row);
		place->day = INT32_MIN;
	}
	kr_assert(walk.count <= count_max);
	return walk.count;
}
