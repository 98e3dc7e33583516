/*
 * Private to the inventory: hotels, rows and cells by key, and the one function that stores a cell.
 *
 * Night d of a row stands at place d mod window, so that the window moves without moving cells. The
 * window of a hotel is [first_day, first_day + window_nights).
 */
#ifndef ENGINE_INVENTORY_GRID_H
#define ENGINE_INVENTORY_GRID_H

#include "engine/inventory/state.h"

static inline struct inv_hotel *inv_hotel_at(const struct inv *inv, uint32_t hotel_index)
{
	kr_assert(hotel_index < inv->hotel_count);
	return &inv_hotels(inv)[hotel_index];
}

static inline struct inv_hotel_cold *inv_hotel_cold_at(const struct inv *inv, uint32_t hotel_index)
{
	kr_assert(hotel_index < inv->hotel_count);
	return &inv_hotel_colds(inv)[hotel_index];
}

static inline struct inv_row *inv_row_at(const struct inv *inv, uint32_t row)
{
	kr_assert(row < inv->row_count);
	return &inv_rows(inv)[row];
}

static inline uint64_t inv_hotel_hash(struct hotel_id hotel)
{
	return hash_mix(hotel.v + UINT64_C(0x9e3779b97f4a7c15));
}

static inline uint64_t inv_row_hash(uint32_t hotel_index, uint16_t type)
{
	return hash_mix((uint64_t)hotel_index << 16 | type | UINT64_C(1) << 63);
}

/* INV_NONE when there is none. */
static inline uint32_t inv_hotel_find(const struct inv *inv, struct hotel_id hotel)
{
	uint32_t tag = inv_index_tag(inv_hotel_hash(hotel));
	uint32_t slot = inv_index_home(&inv->hotel_index, tag);
	for (;;) {
		uint32_t i = inv_index_next(&inv->hotel_index, inv_hotel_slots(inv), tag, &slot);
		if (i == INV_INDEX_END)
			return INV_NONE;
		if (inv_hotel_at(inv, i)->id == hotel.v)
			return i;
	}
}

static inline uint32_t inv_row_find(const struct inv *inv, uint32_t hotel_index, uint16_t type)
{
	uint32_t tag = inv_index_tag(inv_row_hash(hotel_index, type));
	uint32_t slot = inv_index_home(&inv->row_index, tag);
	for (;;) {
		uint32_t i = inv_index_next(&inv->row_index, inv_row_slots(inv), tag, &slot);
		if (i == INV_INDEX_END)
			return INV_NONE;
		const struct inv_row *row = inv_row_at(inv, i);
		if (row->hotel_index == hotel_index && row->type == type)
			return i;
	}
}

static inline void inv_hotel_slot_prefetch(const struct inv *inv, struct hotel_id hotel)
{
	inv_index_prefetch(
		&inv->hotel_index, inv_hotel_slots(inv), inv_index_tag(inv_hotel_hash(hotel)));
}

static inline void inv_row_slot_prefetch(const struct inv *inv, uint32_t hotel_index, uint16_t type)
{
	inv_index_prefetch(&inv->row_index, inv_row_slots(inv),
		inv_index_tag(inv_row_hash(hotel_index, type)));
}

static inline uint32_t inv_ring(const struct inv *inv, int32_t day)
{
	kr_assert(day + inv->day_bias >= 0);
	return (uint32_t)(day + inv->day_bias) % inv->config.window_nights;
}

static inline bool inv_day_in_window(
	const struct inv *inv, const struct inv_hotel *hotel, int32_t day)
{
	return day >= hotel->first_day &&
	       day < hotel->first_day + (int32_t)inv->config.window_nights;
}

/* The cells of a row, by place. */
static inline struct inv_cell *inv_row_cells(const struct inv *inv, uint32_t row)
{
	kr_assert(row < inv->row_count);
	return (struct inv_cell *)(void *)(inv_cells(inv) + (uint64_t)row * inv->row_stride_bytes);
}

static inline struct inv_words inv_words_load(const struct inv_cell *cell)
{
	return (struct inv_words){
		.counter = atomic_load_explicit(&cell->counter, memory_order_relaxed),
		.rate = atomic_load_explicit(&cell->rate, memory_order_relaxed),
	};
}

static inline struct inv_words inv_cell_load(const struct inv *inv, uint32_t row, uint32_t ring)
{
	kr_assert(ring < inv->config.window_nights);
	return inv_words_load(&inv_row_cells(inv, row)[ring]);
}

/* One cell now names class `new_index` instead of `old_index`; a class nobody names is given back.
 */
void inv_class_move(struct inv *inv, uint16_t old_index, uint16_t new_index);

/* The only writer of cells. `old` is what the caller decided on and must still be there. */
static inline void inv_cell_store(
	struct inv *inv, uint32_t row, uint32_t ring, struct inv_words old, struct inv_words new)
{
	kr_assert(ring < inv->config.window_nights);
	struct inv_cell *cell = &inv_row_cells(inv, row)[ring];
	kr_assert(atomic_load_explicit(&cell->counter, memory_order_relaxed) == old.counter);
	if (new.counter != old.counter)
		atomic_store_explicit(&cell->counter, new.counter, memory_order_relaxed);
	if (new.rate == old.rate)
		return;
	kr_assert(atomic_load_explicit(&cell->rate, memory_order_relaxed) == old.rate);
	uint16_t old_class = cell_rate_unpack(old.rate).class_index;
	uint16_t new_class = cell_rate_unpack(new.rate).class_index;
	if (old_class != new_class)
		inv_class_move(inv, old_class, new_class);
	atomic_store_explicit(&cell->rate, new.rate, memory_order_relaxed);
}

#endif
