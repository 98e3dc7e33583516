#include "base/heap32.h"
#include "engine/inventory/hotel.h"
#include "engine/inventory/type.h"

static struct inv_hotel_view inv_hotel_view_of(const struct inv *inv, uint32_t hotel_index)
{
	const struct inv_hotel *hotel = inv_hotel_at(inv, hotel_index);
	kr_assert(hotel->id != 0);
	kr_assert(hotel->hold_count <= hotel->record_count);
	return (struct inv_hotel_view){
		.hotel = {hotel->id},
		.settings = inv_hotel_settings_of(inv, hotel_index),
		.ari_version = hotel->ari_version,
		.event_seq = hotel->event_seq,
		.last_lsn = hotel->last_lsn,
		.business_day = hotel->first_day,
		.type_count = hotel->row_count,
		.reservation_count = hotel->record_count,
		.hold_count = hotel->hold_count,
	};
}

bool inv_hotel_get(const struct inv *inv, struct hotel_id hotel, struct inv_hotel_view *ret)
{
	uint32_t hotel_index = inv_hotel_find(inv, hotel);
	kr_assert(ret != NULL);
	if (hotel_index == INV_NONE)
		return false;
	*ret = inv_hotel_view_of(inv, hotel_index);
	kr_assert(ret->hotel.v == hotel.v);
	return true;
}

bool inv_hotel_head(const struct inv *inv, struct hotel_id hotel, struct inv_hotel_head *ret)
{
	uint32_t hotel_index = inv_hotel_find(inv, hotel);
	kr_assert(ret != NULL);
	if (hotel_index == INV_NONE)
		return false;
	const struct inv_hotel *at = inv_hotel_at(inv, hotel_index);
	kr_assert(at->id == hotel.v);
	*ret = (struct inv_hotel_head){
		.ari_version = at->ari_version,
		.event_seq = at->event_seq,
		.last_lsn = at->last_lsn,
		.business_day = at->first_day,
		.type_count = at->row_count,
	};
	return true;
}

/* ---- lists: a heap with the greatest id first holds the least ones seen so far ---- */

static bool inv_hotel_is_greater(const void *owner, uint32_t a, uint32_t b)
{
	const struct inv *inv = owner;
	kr_assert(a != b);
	return inv_hotel_at(inv, a)->id > inv_hotel_at(inv, b)->id;
}

static void inv_hotel_position_ignore(void *owner, uint32_t hotel_index, uint32_t position)
{
	kr_assert(owner != NULL);
	kr_assert(hotel_index != INV_NONE);
}

static const struct heap32_ops list_ops = {inv_hotel_is_greater, inv_hotel_position_ignore};

uint32_t inv_hotel_list(const struct inv *inv, bool from_start, struct hotel_id after,
	struct inv_hotel_view *ret, uint32_t count_max, bool *ret_more)
{
	struct heap32 heap;
	/* Only read from: the places of these handles interest nobody. */
	void *owner = (void *)(uintptr_t)inv;
	heap32_init(&heap, inv_scratch(inv)->rows, KR_MIN(count_max, INV_HOTEL_TYPES_MAX));
	*ret_more = false;
	for (uint32_t i = 0; i < inv->hotel_count; i++) {
		uint64_t id = inv_hotel_at(inv, i)->id;
		if (!from_start && id <= after.v)
			continue;
		if (heap.count < heap.capacity) {
			heap32_push(&heap, &list_ops, owner, i);
			continue;
		}
		*ret_more = true;
		if (heap.count == 0 || id >= inv_hotel_at(inv, heap32_first(&heap))->id)
			continue;
		heap.handles[0] = i;
		heap32_update(&heap, &list_ops, owner, 0);
	}
	uint32_t count = heap.count;
	while (heap.count > 0) {
		uint32_t at = heap.count - 1;
		ret[at] = inv_hotel_view_of(inv, heap32_pop(&heap, &list_ops, owner));
	}
	kr_assert(count <= count_max);
	return count;
}

uint32_t inv_type_list(
	const struct inv *inv, struct hotel_id hotel, struct inv_type_view *ret, uint32_t count_max)
{
	uint32_t hotel_index = inv_hotel_find(inv, hotel);
	kr_assert(hotel_index != INV_NONE);
	uint32_t count = 0;
	uint32_t r = inv_hotel_at(inv, hotel_index)->row_head;
	for (; r != INV_NONE && count < count_max; r = inv_row_at(inv, r)->next) {
		const struct inv_row *row = inv_row_at(inv, r);
		ret[count++] = (struct inv_type_view){
			.type = row->type,
			.set_mask = row->set_mask,
			.settings = inv_type_settings_of(inv, r),
		};
	}
	kr_assert(count <= INV_HOTEL_TYPES_MAX);
	return count;
}

void inv_hotel_prefetch(const struct inv *inv, struct hotel_id hotel, unsigned stage)
{
	kr_assert(stage <= 2);
	if (stage == 0) {
		inv_hotel_slot_prefetch(inv, hotel);
		return;
	}
	uint32_t hotel_index = inv_hotel_find(inv, hotel);
	if (hotel_index == INV_NONE)
		return;
	if (stage == 1)
		kr_prefetch(&inv_hotels(inv)[hotel_index]);
	else if (inv_hotel_at(inv, hotel_index)->row_head != INV_NONE)
		kr_prefetch(inv_row_at(inv, inv_hotel_at(inv, hotel_index)->row_head));
}

void inv_counts_get(const struct inv *inv, struct inv_counts *ret)
{
	kr_assert(ret != NULL);
	kr_assert(inv->hold_heap_count <= inv->record_pool.used);
	*ret = (struct inv_counts){
		.hotels = inv->hotel_count,
		.rows = inv->row_count,
		.plans = inv->plan_count,
		.reservations = inv->record_pool.used,
		.holds = inv->hold_heap_count,
		.nodes = inv->node_pool.used,
		.stock_runs = inv->run_pool.used,
		.classes = inv->class_count,
		.last_t_us = inv->last_t_us,
		.last_lsn = inv->last_lsn,
		.purge_mark_us = inv->purge_mark_us,
		.denials = inv->denial_total,
		.denials_overflow = inv->denial_overflow,
	};
}

void inv_cells_each(const struct inv *inv, inv_cell_fn *fn, void *user)
{
	kr_assert(fn != NULL);
	for (uint32_t h = 0; h < inv->hotel_count; h++) {
		const struct inv_hotel *hotel = inv_hotel_at(inv, h);
		for (uint32_t r = hotel->row_head; r != INV_NONE; r = inv_row_at(inv, r)->next) {
			uint16_t type = inv_row_at(inv, r)->type;
			for (uint32_t n = 0; n < inv->config.window_nights; n++) {
				int32_t day = hotel->first_day + (int32_t)n;
				struct inv_words w = inv_cell_load(inv, r, inv_ring(inv, day));
				if ((w.counter | w.rate) != 0)
					fn(user, (struct hotel_id){hotel->id}, type, day, w.counter,
						w.rate);
			}
		}
	}
	kr_assert(inv->row_count <= inv->config.rows_max);
}
