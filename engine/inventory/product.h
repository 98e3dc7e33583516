/*
 * Private to the inventory: products, that is a room type under one of its rate plans.
 *
 * A product is one number: below rows_max a row, which is the type under plan 0; above, rows_max +
 * the place of a plan. All products of a type draw on the row's counters. Their rate words are in
 * the cells (plan 0), in a row of the plan's own, or made from those of the plan that it derives
 * from. Only inv_cell_store() and inv_rate_store() write either.
 */
#ifndef ENGINE_INVENTORY_PRODUCT_H
#define ENGINE_INVENTORY_PRODUCT_H

#include "engine/inventory/grid.h"

static inline struct inv_plan *inv_plan_at(const struct inv *inv, uint32_t plan)
{
	kr_assert(plan < inv->plan_count);
	return &inv_plans(inv)[plan];
}

static inline uint64_t inv_plan_hash(uint32_t row, uint16_t number)
{
	return hash_mix((uint64_t)row << 16 | number | UINT64_C(3) << 62);
}

/* The plan's place; INV_NONE when there is none, and for plan 0. */
static inline uint32_t inv_plan_find(const struct inv *inv, uint32_t row, uint16_t number)
{
	uint32_t tag = inv_index_tag(inv_plan_hash(row, number));
	uint32_t slot = inv_index_home(&inv->plan_index, tag);
	for (;;) {
		uint32_t i = inv_index_next(&inv->plan_index, inv_plan_slots(inv), tag, &slot);
		if (i == INV_INDEX_END)
			return INV_NONE;
		if (inv_plan_at(inv, i)->row == row && inv_plan_at(inv, i)->number == number)
			return i;
	}
}

/* INV_NONE: the type has no such plan. */
static inline uint32_t inv_product_find(const struct inv *inv, uint32_t row, uint16_t plan)
{
	kr_assert(row < inv->row_count);
	if (plan == 0)
		return row;
	uint32_t found = inv_plan_find(inv, row, plan);
	return found == INV_NONE ? INV_NONE : inv->config.rows_max + found;
}

/* NULL for plan 0. */
static inline const struct inv_plan *inv_product_plan(const struct inv *inv, uint32_t product)
{
	if (product < inv->config.rows_max)
		return NULL;
	return inv_plan_at(inv, product - inv->config.rows_max);
}

static inline uint32_t inv_product_row(const struct inv *inv, uint32_t product)
{
	const struct inv_plan *plan = inv_product_plan(inv, product);
	return plan == NULL ? product : plan->row;
}

static inline uint16_t inv_product_number(const struct inv *inv, uint32_t product)
{
	const struct inv_plan *plan = inv_product_plan(inv, product);
	return plan == NULL ? 0 : plan->number;
}

/* ---- rate words ---- */

static inline _Atomic uint64_t *inv_rates_row(const struct inv *inv, uint32_t rates)
{
	kr_assert(rates < inv->rates_count);
	return (_Atomic uint64_t *)(void *)(inv_rates(inv) +
					    (uint64_t)rates * inv->rates_stride_bytes);
}

/* The word of a derived plan, from that of its parent: another price, where there is one. */
uint64_t inv_rate_derive(const struct inv_plan *plan, uint64_t rate);

/* The plan's rate word of a night; `base` is that of plan 0. */
static inline uint64_t inv_plan_rate(
	const struct inv *inv, const struct inv_plan *plan, uint32_t ring, uint64_t base)
{
	kr_assert(ring < inv->config.window_nights);
	uint64_t rate = base;
	if (plan->rates != INV_NONE)
		rate = atomic_load_explicit(
			&inv_rates_row(inv, plan->rates)[ring], memory_order_relaxed);
	return plan->derivation == INV_PRICES_OWN ? rate : inv_rate_derive(plan, rate);
}

/* The row's counter with the product's rate; `plan` is NULL for plan 0. */
static inline struct inv_words inv_product_load(
	const struct inv *inv, uint32_t row, const struct inv_plan *plan, uint32_t ring)
{
	struct inv_words words = inv_cell_load(inv, row, ring);
	if (plan != NULL)
		words.rate = inv_plan_rate(inv, plan, ring, words.rate);
	return words;
}

/* The only writer of rows of rates. */
void inv_rate_store(struct inv *inv, uint32_t rates, uint32_t ring, uint64_t old, uint64_t new);

/* Counter and rate of a product with prices of its own. */
static inline void inv_product_store(struct inv *inv, uint32_t row, const struct inv_plan *plan,
	uint32_t ring, struct inv_words old, struct inv_words new)
{
	if (plan == NULL) {
		inv_cell_store(inv, row, ring, old, new);
		return;
	}
	kr_assert(plan->derivation == INV_PRICES_OWN);
	inv_rate_store(inv, plan->rates, ring, old.rate, new.rate);
	old.rate = new.rate;
	inv_cell_store(inv, row, ring, old, new);
}

#endif
