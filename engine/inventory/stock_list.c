#include "engine/inventory/listing.h"
#include "engine/inventory/stock.h"

/* Stock that is set by date, as it is read: runs in their order. */

static void inv_stock_view_fill(
	const struct inv_row *row, const struct inv_stock_run *run, struct inv_stock_view *ret)
{
	kr_assert(run->set_mask != 0);
	kr_assert(run->first_day <= run->last_day);
	*ret = (struct inv_stock_view){
		.type = row->type,
		.first_day = run->first_day,
		.last_day = run->last_day,
		.set_mask = run->set_mask,
		.physical = run->physical,
		.out_of_order = run->out_of_order,
		.allowance = run->allowance,
		.allowance_unit = run->allowance_unit,
	};
}

uint32_t inv_stock_list(const struct inv *inv, struct hotel_id hotel, uint16_t from_type,
	int32_t from_day, struct inv_stock_view *ret, uint32_t count_max, bool *ret_more)
{
	uint32_t hotel_index = inv_hotel_find(inv, hotel);
	uint32_t count = 0;
	kr_assert(hotel_index != INV_NONE);
	kr_assert(ret != NULL && count_max > 0);
	*ret_more = false;
	uint32_t r = inv_hotel_at(inv, hotel_index)->row_head;
	for (; r != INV_NONE; r = inv_row_at(inv, r)->next) {
		const struct inv_row *row = inv_row_at(inv, r);
		if (row->type < from_type)
			continue;
		for (uint32_t n = row->run_head; n != INV_NONE; n = inv_stock_runs(inv)[n].next) {
			const struct inv_stock_run *run = &inv_stock_runs(inv)[n];
			if (row->type == from_type && run->last_day < from_day)
				continue;
			if (count == count_max) {
				*ret_more = true;
				return count;
			}
			inv_stock_view_fill(row, run, &ret[count++]);
		}
	}
	return count;
}
