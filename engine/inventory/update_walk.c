#include "engine/inventory/class.h"
#include "engine/inventory/stock.h"
#include "engine/inventory/update.h"

/* ---- old values as runs ---- */

static bool inv_update_old_equal(const struct inv_update_old *a, const struct inv_update_old *b)
{
	return a->count == b->count && a->limit == b->limit && a->flags == b->flags &&
	       a->price_minor == b->price_minor && a->rate_flags == b->rate_flags &&
	       inv_los_equal(a->los, b->los);
}

/* Ends the run being gathered: written down, or held against what was expected. */
static void inv_update_olds_flush(const struct inv *inv, struct inv_update_olds *olds)
{
	kr_assert(olds->count < INV_UPDATE_CELLS_MAX || olds->run_count == 0);
	if (olds->run_count == 0)
		return;
	struct cell_counter c = cell_counter_unpack(olds->key.counter);
	struct cell_rate r = cell_rate_unpack(olds->key.rate);
	struct inv_update_old run = {
		.count = olds->run_count,
		.limit = c.limit,
		.flags = c.flags,
		.price_minor = r.price_minor,
		.rate_flags = r.flags,
		.los = inv_los_class(inv, r.class_index),
	};
	kr_assert(c.held == 0 && c.booked == 0);
	uint32_t n = olds->count++;
	olds->run_count = 0;
	if (olds->expected == NULL) {
		olds->out[n] = run;
	} else if (!olds->differs &&
		   (n >= olds->expected_count || !inv_update_old_equal(&olds->expected[n], &run))) {
		olds->differs = true;
		olds->differs_day = olds->run_day;
	}
}

static void inv_update_olds_add(
	const struct inv *inv, struct inv_update_olds *olds, const struct inv_night_change *change)
{
	uint64_t counter = change->old.counter & INV_COUNTER_KEY;
	if (olds->run_count != 0 && olds->key.counter == counter &&
		olds->key.rate == change->old.rate) {
		olds->run_count++;
		return;
	}
	inv_update_olds_flush(inv, olds);
	kr_assert(olds->run_count == 0);
	olds->key = (struct inv_words){.counter = counter, .rate = change->old.rate};
	olds->run_count = 1;
	olds->run_day = change->day;
}

/* ---- classes still to be interned ---- */

/* Counts the class that nights of class `index` will have, once for each such index. Two of them
 * may end in one class: counted twice, the table merely looks fuller than it is. */
static void inv_update_class_count(const struct inv *inv, const struct inv_update_plan *plan,
	uint16_t index, struct inv_update_outcome *outcome)
{
	uint64_t *seen = inv_scratch(inv)->classes_seen;
	kr_assert(index < inv->class_fresh);
	if ((seen[index / 64] >> index % 64 & 1) != 0)
		return;
	seen[index / 64] |= UINT64_C(1) << index % 64;
	struct los_class los = inv_update_los(plan, inv_los_class(inv, index));
	if (inv_class_find(inv, los) != INV_NONE)
		return;
	if (outcome->class_growth != 0 && inv_los_equal(outcome->class_last, los))
		return;
	outcome->class_last = los;
	outcome->class_growth++;
	kr_assert(outcome->class_growth <= INV_CLASSES_MAX + 1);
}

/* ---- the walk ---- */

static void inv_update_row_sum(const struct inv *inv, const struct inv_update_plan *plan,
	uint32_t row_index, uint32_t count, struct inv_update_outcome *outcome)
{
	const struct inv_scratch *scratch = inv_scratch(inv);
	for (uint32_t n = 0; n < count; n++) {
		struct cell_counter c = cell_counter_unpack(scratch->changes[n].new.counter);
		outcome->over_count += cell_left(c) < 0;
		if (plan->changes_classes)
			inv_update_class_count(inv, plan,
				cell_rate_unpack(scratch->changes[n].old.rate).class_index,
				outcome);
	}
	outcome->cell_count += count;
	kr_assert(outcome->over_count <= outcome->cell_count);
	if (!plan->changes_stock)
		return;
	outcome->run_growth += inv_stock_runs_count(inv, scratch->stocks);
	outcome->run_growth -= inv_row_at(inv, row_index)->run_count;
	outcome->run_growth_max = KR_MAX(outcome->run_growth_max, outcome->run_growth);
}

bool inv_update_walk(const struct inv *inv, const struct inv_update_plan *plan,
	const uint32_t *rows, uint32_t row_count, struct inv_update_olds *olds,
	struct inv_update_outcome *ret_outcome, struct inv_refusal *ret_refusal)
{
	struct inv_scratch *scratch = inv_scratch(inv);
	*ret_outcome = (struct inv_update_outcome){.cell_count = 0};
	kr_assert(olds->count == 0 && olds->run_count == 0);
	if (plan->changes_classes)
		memset(scratch->classes_seen, 0, sizeof(scratch->classes_seen));
	for (uint32_t r = 0; r < row_count; r++) {
		uint32_t count = 0;
		if (!inv_update_row(inv, plan, rows[r], &count, ret_refusal)) {
			ret_refusal->line = (uint16_t)r;
			return false;
		}
		for (uint32_t n = 0; n < count; n++)
			inv_update_olds_add(inv, olds, &scratch->changes[n]);
		inv_update_row_sum(inv, plan, rows[r], count, ret_outcome);
	}
	inv_update_olds_flush(inv, olds);
	if (olds->expected != NULL && !olds->differs && olds->count != olds->expected_count) {
		olds->differs = true;
		olds->differs_day = plan->update->first_day;
	}
	kr_assert(olds->count <= ret_outcome->cell_count);
	return true;
}

uint32_t inv_source_find(const struct inv_hotel_cold *cold, uint32_t source, uint32_t *ret_free)
{
	kr_assert(source != 0);
	uint32_t at = INV_HOTEL_SOURCES_MAX;
	*ret_free = INV_HOTEL_SOURCES_MAX;
	for (uint32_t i = INV_HOTEL_SOURCES_MAX; i-- > 0;) {
		if (cold->sources[i].source == source)
			at = i;
		else if (cold->sources[i].source == 0)
			*ret_free = i;
	}
	kr_assert(at <= INV_HOTEL_SOURCES_MAX);
	return at;
}
