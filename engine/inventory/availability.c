#include "engine/inventory/priv.h"
#include "engine/inventory/product.h"

static enum inv_result inv_availability_refuse_day(
	struct inv_answer *answer, uint16_t code, int32_t day, int32_t bound)
{
	inv_refuse(answer, code, RULE_DATES);
	answer->refusal.has_day = true;
	answer->refusal.day = day;
	answer->refusal.required = bound;
	kr_assert(day != bound);
	return INV_ANSWER;
}

/* True when *ret_answer has a refusal. */
static bool inv_availability_refuse(const struct inv *inv, uint32_t hotel_index,
	uint32_t type_count, int32_t first_day, uint32_t night_count, struct inv_answer *ret_answer)
{
	kr_assert(ret_answer != NULL);
	if (night_count == 0 || night_count > INV_QUERY_CELLS_MAX)
		return inv_refuse_field(ret_answer, "night_count") == INV_ANSWER;
	if (type_count > INV_HOTEL_TYPES_MAX)
		return inv_refuse_field(ret_answer, "types") == INV_ANSWER;
	if ((uint64_t)type_count * night_count > INV_QUERY_CELLS_MAX)
		return inv_refuse_field(ret_answer, "cells") == INV_ANSWER;
	if (hotel_index == INV_NONE)
		return inv_refuse(ret_answer, KEYRACK_NOT_FOUND, RULE_HOTEL) == INV_ANSWER;
	const struct inv_hotel *hotel = inv_hotel_at(inv, hotel_index);
	int64_t end = (int64_t)hotel->first_day + inv->config.window_nights;
	if (first_day < hotel->first_day)
		return inv_availability_refuse_day(ret_answer, KEYRACK_PAST_DATE, first_day,
			       hotel->first_day) == INV_ANSWER;
	if ((int64_t)first_day + night_count > end)
		return inv_availability_refuse_day(ret_answer, KEYRACK_OUT_OF_WINDOW,
			       KR_MAX(first_day, (int32_t)end), (int32_t)end - 1) == INV_ANSWER;
	kr_assert(inv_day_in_window(inv, hotel, first_day));
	return false;
}

static void inv_cells_copy(
	const struct inv_cell *cells, uint32_t count, uint64_t *ret_counters, uint64_t *ret_rates)
{
	for (uint32_t n = 0; n < count; n++) {
		ret_counters[n] = atomic_load_explicit(&cells[n].counter, memory_order_relaxed);
		ret_rates[n] = atomic_load_explicit(&cells[n].rate, memory_order_relaxed);
	}
}

/* Another plan's rates in the place of those of plan 0. */
static void inv_rates_copy(const struct inv *inv, const struct inv_plan *plan, int32_t first_day,
	uint32_t night_count, uint64_t *rates)
{
	kr_assert(plan != NULL);
	for (uint32_t n = 0; n < night_count; n++)
		rates[n] =
			inv_plan_rate(inv, plan, inv_ring(inv, first_day + (int32_t)n), rates[n]);
}

static void inv_availability_refuse_product(const struct inv *inv, uint32_t hotel_index,
	const uint16_t *types, uint32_t t, uint32_t row, struct inv_answer *ret_answer)
{
	kr_assert(ret_answer != NULL);
	inv_refuse(ret_answer, KEYRACK_NOT_FOUND, row == INV_NONE ? RULE_TYPE : RULE_PLAN);
	ret_answer->refusal.line = (uint16_t)t;
	ret_answer->refusal.required = types[t];
	(void)inv_answer_wait(inv, hotel_index, ret_answer);
}

void inv_availability(const struct inv *inv, struct hotel_id hotel, const uint16_t *types,
	uint32_t type_count, uint16_t plan, int32_t first_day, uint32_t night_count,
	uint64_t *ret_counters, uint64_t *ret_rates, struct inv_answer *ret_answer)
{
	uint32_t hotel_index = inv_hotel_find(inv, hotel);
	if (inv_availability_refuse(
		    inv, hotel_index, type_count, first_day, night_count, ret_answer)) {
		(void)inv_answer_wait(inv, hotel_index, ret_answer);
		return;
	}
	if (type_count == 0 && plan != 0) {
		/* Whoever asks for all types that have the plan, and none has. */
		inv_refuse(ret_answer, KEYRACK_NOT_FOUND, RULE_PLAN);
		(void)inv_answer_wait(inv, hotel_index, ret_answer);
		return;
	}
	uint32_t ring = inv_ring(inv, first_day);
	/* Nights up to the end of the row's memory, then those from its beginning. */
	uint32_t head = KR_MIN(night_count, inv->config.window_nights - ring);
	for (uint32_t t = 0; t < type_count; t++) {
		uint32_t row = inv_row_find(inv, hotel_index, types[t]);
		uint32_t product = row == INV_NONE ? INV_NONE : inv_product_find(inv, row, plan);
		if (product == INV_NONE) {
			inv_availability_refuse_product(
				inv, hotel_index, types, t, row, ret_answer);
			return;
		}
		const struct inv_cell *cells = inv_row_cells(inv, row);
		uint64_t *counters = ret_counters + (size_t)t * night_count;
		uint64_t *rates = ret_rates + (size_t)t * night_count;
		inv_cells_copy(cells + ring, head, counters, rates);
		inv_cells_copy(cells, night_count - head, counters + head, rates + head);
		if (plan != 0)
			inv_rates_copy(
				inv, inv_product_plan(inv, product), first_day, night_count, rates);
	}
	inv_zero(ret_answer, sizeof(*ret_answer));
	ret_answer->code = KEYRACK_DONE;
	ret_answer->hotel = hotel;
	ret_answer->ari_version = inv_hotel_at(inv, hotel_index)->ari_version;
	ret_answer->cell_count = type_count * night_count;
	(void)inv_answer_wait(inv, hotel_index, ret_answer);
	kr_assert(ret_answer->code == KEYRACK_DONE);
}

bool inv_type_has_plan(const struct inv *inv, struct hotel_id hotel, uint16_t type, uint16_t plan)
{
	uint32_t hotel_index = inv_hotel_find(inv, hotel);
	kr_assert(hotel_index != INV_NONE);
	uint32_t row = inv_row_find(inv, hotel_index, type);
	return row != INV_NONE && inv_product_find(inv, row, plan) != INV_NONE;
}
