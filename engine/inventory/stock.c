#include "engine/inventory/stock.h"

static struct inv_stock_run *inv_run_at(const struct inv *inv, uint32_t run)
{
	kr_assert(run < inv->run_pool.fresh);
	return &inv_stock_runs(inv)[run];
}

static void inv_run_give(struct inv *inv, struct inv_row *row, uint32_t run)
{
	kr_assert(run < inv->run_pool.fresh);
	kr_assert(row->run_count > 0);
	inv_pool_give(
		&inv->run_pool, &inv_stock_runs(inv)->next, sizeof(struct inv_stock_run), run);
	row->run_count--;
}

static struct inv_stock inv_run_stock(const struct inv_stock_run *run)
{
	kr_assert(run->set_mask != 0);
	kr_assert(run->first_day <= run->last_day);
	return (struct inv_stock){
		.set_mask = run->set_mask,
		.allowance = run->allowance,
		.physical = run->physical,
		.out_of_order = run->out_of_order,
		.allowance_unit = run->allowance_unit,
	};
}

void inv_stock_expand(const struct inv *inv, const struct inv_row *row, int32_t first_day,
	struct inv_stock *ret_stocks)
{
	uint32_t window = inv->config.window_nights;
	memset(ret_stocks, 0, window * sizeof(*ret_stocks));
	uint32_t seen = 0;
	for (uint32_t r = row->run_head; r != INV_NONE; r = inv_run_at(inv, r)->next, seen++) {
		const struct inv_stock_run *run = inv_run_at(inv, r);
		struct inv_stock stock = inv_run_stock(run);
		kr_assert(run->first_day >= first_day);
		kr_assert(run->last_day < first_day + (int32_t)window);
		for (int32_t d = run->first_day; d <= run->last_day; d++)
			ret_stocks[d - first_day] = stock;
	}
	kr_assert(seen == row->run_count);
}

/* True when night `n` begins a run of its own. */
static bool inv_stock_begins(const struct inv_stock *stocks, uint32_t n)
{
	if (stocks[n].set_mask == 0)
		return false;
	return n == 0 || !inv_stock_equal(&stocks[n], &stocks[n - 1]);
}

uint32_t inv_stock_runs_count(const struct inv *inv, const struct inv_stock *stocks)
{
	uint32_t count = 0;
	for (uint32_t n = 0; n < inv->config.window_nights; n++)
		count += inv_stock_begins(stocks, n);
	kr_assert(count <= inv->config.window_nights);
	return count;
}

static uint32_t inv_run_last(const struct inv *inv, const struct inv_row *row)
{
	uint32_t last = INV_NONE;
	for (uint32_t r = row->run_head; r != INV_NONE; r = inv_run_at(inv, r)->next)
		last = r;
	kr_assert((last == INV_NONE) == (row->run_count == 0));
	return last;
}

/* Links a run behind `after` (INV_NONE = in front). INV_NONE: the pool is empty. */
static uint32_t inv_run_link(struct inv *inv, struct inv_row *row, uint32_t after,
	const struct inv_stock *stock, int32_t first_day, int32_t last_day)
{
	kr_assert(stock->set_mask != 0);
	kr_assert(first_day <= last_day);
	uint32_t r = inv_pool_take(
		&inv->run_pool, &inv_stock_runs(inv)->next, sizeof(struct inv_stock_run));
	if (r == INV_POOL_EMPTY)
		return INV_NONE;
	*inv_run_at(inv, r) = (struct inv_stock_run){
		.first_day = first_day,
		.last_day = last_day,
		.next = INV_NONE,
		.set_mask = stock->set_mask,
		.allowance = stock->allowance,
		.physical = stock->physical,
		.out_of_order = stock->out_of_order,
		.allowance_unit = stock->allowance_unit,
	};
	if (after == INV_NONE)
		row->run_head = r;
	else
		inv_run_at(inv, after)->next = r;
	row->run_count++;
	return r;
}

bool inv_stock_append(struct inv *inv, struct inv_row *row, const struct inv_stock *stock,
	int32_t first_day, int32_t last_day)
{
	uint32_t last = inv_run_last(inv, row);
	kr_assert(last == INV_NONE || inv_run_at(inv, last)->last_day < first_day);
	return inv_run_link(inv, row, last, stock, first_day, last_day) != INV_NONE;
}

void inv_stock_replace(
	struct inv *inv, struct inv_row *row, int32_t first_day, const struct inv_stock *stocks)
{
	uint32_t window = inv->config.window_nights;
	while (row->run_head != INV_NONE) {
		uint32_t r = row->run_head;
		row->run_head = inv_run_at(inv, r)->next;
		inv_run_give(inv, row, r);
	}
	kr_assert(row->run_count == 0);
	uint32_t last = INV_NONE;
	for (uint32_t n = 0; n < window; n++) {
		if (!inv_stock_begins(stocks, n))
			continue;
		uint32_t end = n;
		while (end + 1 < window && inv_stock_equal(&stocks[end + 1], &stocks[n]))
			end++;
		last = inv_run_link(inv, row, last, &stocks[n], first_day + (int32_t)n,
			first_day + (int32_t)end);
		kr_assert(last != INV_NONE);
	}
}

void inv_stock_trim(struct inv *inv, struct inv_row *row, int32_t first_day)
{
	while (row->run_head != INV_NONE) {
		uint32_t r = row->run_head;
		struct inv_stock_run *run = inv_run_at(inv, r);
		if (run->last_day >= first_day) {
			run->first_day = KR_MAX(run->first_day, first_day);
			return;
		}
		row->run_head = run->next;
		inv_run_give(inv, row, r);
	}
	kr_assert(row->run_count == 0);
}
