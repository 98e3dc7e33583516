/*
 * Private to the inventory: range updates, judged and applied by the same walk over the nights.
 *
 * Judging walks once and writes down what the nights were. Applying walks once to check that they
 * still are, and that everything fits, then a second time to store: so a contradiction leaves
 * nothing half done.
 */
#ifndef ENGINE_INVENTORY_UPDATE_H
#define ENGINE_INVENTORY_UPDATE_H

#include "engine/inventory/priv.h"

/* What of a counter an update may change: limit and flags. */
#define INV_COUNTER_KEY (UINT64_C(0xffff) | UINT64_C(0xffff) << 48)

/*
 * An update, prepared for the walk over its nights. Most of it is the same for each night: bits to
 * keep and bits to put. What depends on the night comes after that.
 */
struct inv_update_plan {
	const struct inv_update *update;
	uint32_t fields;    /* of all three masks */
	bool changes_stock; /* by date */
	bool renews_limit;  /* from stock, where no explicit cap stands afterwards */
	bool changes_classes;
	bool counter_depends; /* on the night: its limit or its sales */
	bool rate_depends;    /* on the night: its price */
	uint64_t counter_keep, counter_put;
	uint64_t rate_keep, rate_put;
};

void inv_update_plan_init(struct inv_update_plan *plan, const struct inv_update *update);

/* The name of the first field that no hotel could take, or NULL. COUNTER_FULL instead of INVALID
 * is meant when *ret_is_full. */
const char *inv_update_fault(const struct inv_update *update, bool *ret_is_full);
/* Values of fields in no mask become zero: what is logged is what was meant. */
void inv_update_normalise(struct inv_update *update);
/* Name of a field by its bit's number. */
const char *inv_update_field_name(uint32_t bit);

/*
 * Works out the touched nights of one row into scratch: changes[0 .. *ret_count) and, when stock
 * is involved, stocks[] of the whole window as it will be. Class bits of new rates are still the
 * old ones. False: *ret_refusal says why not.
 */
bool inv_update_row(const struct inv *inv, const struct inv_update_plan *plan, uint32_t row_index,
	uint32_t *ret_count, struct inv_refusal *ret_refusal);

/* The limits a night will have that has `los` now. */
struct los_class inv_update_los(const struct inv_update_plan *plan, struct los_class los);

/* Old values as runs: written to `out`, or compared with `expected`. */
struct inv_update_olds {
	const struct inv_update_old *expected; /* NULL: writes */
	uint32_t expected_count;
	struct inv_update_old *out;
	uint32_t count;
	bool differs;
	int32_t differs_day;
	/* the run being gathered */
	struct inv_words key;
	uint32_t run_count;
	int32_t run_day;
};

/* What a walk over all rows found out. */
struct inv_update_outcome {
	uint32_t cell_count;
	uint32_t over_count;
	int64_t run_growth;     /* of the pool of stock runs, so far */
	int64_t run_growth_max; /* the most at any row */
	uint32_t class_growth;  /* classes that are not there yet */
	struct los_class class_last;
};

/* Walks rows[0 .. row_count). False: refused. */
bool inv_update_walk(const struct inv *inv, const struct inv_update_plan *plan,
	const uint32_t *rows, uint32_t row_count, struct inv_update_olds *olds,
	struct inv_update_outcome *ret_outcome, struct inv_refusal *ret_refusal);

/* The hotel's entry of a source, INV_HOTEL_SOURCES_MAX when it has none; *ret_free likewise. */
uint32_t inv_source_find(const struct inv_hotel_cold *cold, uint32_t source, uint32_t *ret_free);

#endif
