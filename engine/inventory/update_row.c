#include "base/civil.h"
#include "engine/inventory/class.h"
#include "engine/inventory/limit.h"
#include "engine/inventory/product.h"
#include "engine/inventory/stock.h"
#include "engine/inventory/update.h"

/* Beyond any field's width, yet adding it to one cannot overflow. */
#define INV_ADJUST_MAX (INT64_C(1) << 42)

static bool inv_night_refuse(struct inv_refusal *ret, uint16_t code, uint8_t rule, int32_t day)
{
	kr_assert(code != KEYRACK_DONE);
	kr_assert(rule != 0);
	*ret = (struct inv_refusal){.code = code, .rule = rule, .has_day = true, .day = day};
	return false;
}

static bool inv_night_refuse_full(struct inv_refusal *ret, uint8_t rule, const char *field,
	int32_t day, int64_t value, int64_t bound)
{
	kr_assert(value != bound);
	inv_night_refuse(ret, KEYRACK_COUNTER_FULL, rule, day);
	ret->text = field;
	ret->required = value;
	ret->left = bound;
	kr_assert(ret->has_day);
	return false;
}

/* base + delta within [min, max], or a refusal. */
static bool inv_adjust(int64_t *value, int64_t delta, int64_t min, int64_t max, const char *field,
	int32_t day, struct inv_refusal *ret)
{
	kr_assert(min <= *value && *value <= max);
	kr_assert(min > -INV_ADJUST_MAX && max < INV_ADJUST_MAX);
	int64_t sum = *value + KR_MAX(KR_MIN(delta, INV_ADJUST_MAX), -INV_ADJUST_MAX);
	uint8_t rule = max == (int64_t)RATE_PRICE_MAX ? RULE_PRICE : RULE_COUNTER;
	if (sum < min || sum > max)
		return inv_night_refuse_full(ret, rule, field, day, sum, sum < min ? min : max);
	*value = sum;
	return true;
}

/* ---- stock by date ---- */

/* SET, ADJUST or CLEAR of physical or out of order; `base` is what is in force. */
static bool inv_count_change(const struct inv_update *u, uint32_t bit, int64_t operand,
	uint16_t base, struct inv_stock *date, uint16_t *ret_value, int32_t day,
	struct inv_refusal *ret)
{
	kr_assert(bit == INV_UPDATE_PHYSICAL || bit == INV_UPDATE_OUT_OF_ORDER);
	int64_t value = base;
	if ((u->clear_mask & bit) != 0) {
		date->set_mask &= ~bit;
		*ret_value = 0;
		return true;
	}
	if ((u->set_mask & bit) != 0)
		value = operand;
	else if (!inv_adjust(&value, operand, 0, UINT16_MAX,
			 bit == INV_UPDATE_PHYSICAL ? "physical" : "out_of_order", day, ret))
		return false;
	kr_assert(value >= 0 && value <= UINT16_MAX);
	date->set_mask |= bit;
	*ret_value = (uint16_t)value;
	return true;
}

static bool inv_allowance_change(const struct inv_update *u, const struct inv_stock *in_force,
	struct inv_stock *date, int32_t day, struct inv_refusal *ret)
{
	const uint32_t bit = INV_UPDATE_ALLOWANCE;
	int64_t value = in_force->allowance;
	if ((u->clear_mask & bit) != 0) {
		date->set_mask &= ~bit;
		date->allowance = 0;
		date->allowance_unit = 0;
		return true;
	}
	if ((u->set_mask & bit) != 0) {
		value = u->allowance;
	} else {
		/* Rooms and basis points do not add up. */
		if (value != 0 && in_force->allowance_unit != u->allowance_unit) {
			inv_night_refuse(ret, KEYRACK_INVALID, RULE_FIELD, day);
			ret->text = "allowance_unit";
			return false;
		}
		if (!inv_adjust(&value, u->allowance, INT32_MIN, INT32_MAX, "allowance", day, ret))
			return false;
	}
	kr_assert(value >= INT32_MIN && value <= INT32_MAX);
	kr_assert(u->allowance_unit != 0);
	date->set_mask |= bit;
	date->allowance = (int32_t)value;
	date->allowance_unit = u->allowance_unit;
	return true;
}

static bool inv_stock_change(const struct inv_update_plan *plan, const struct inv_row *row,
	struct inv_stock *date, int32_t day, struct inv_refusal *ret)
{
	const struct inv_update *u = plan->update;
	const struct inv_stock now = inv_stock_in_force(row, date);
	kr_assert(plan->changes_stock);
	if ((plan->fields & INV_UPDATE_PHYSICAL) != 0) {
		bool is_known = (now.set_mask & INV_UPDATE_PHYSICAL) != 0;
		if ((u->adjust_mask & INV_UPDATE_PHYSICAL) != 0 && !is_known)
			return inv_night_refuse(ret, KEYRACK_NOT_LOADED, RULE_LOADED, day);
		if (!inv_count_change(u, INV_UPDATE_PHYSICAL, u->physical, now.physical, date,
			    &date->physical, day, ret))
			return false;
	}
	if ((plan->fields & INV_UPDATE_OUT_OF_ORDER) != 0 &&
		!inv_count_change(u, INV_UPDATE_OUT_OF_ORDER, u->out_of_order, now.out_of_order,
			date, &date->out_of_order, day, ret))
		return false;
	if ((plan->fields & INV_UPDATE_ALLOWANCE) != 0 &&
		!inv_allowance_change(u, &now, date, day, ret))
		return false;
	kr_assert((date->set_mask & ~INV_STOCK_FIELDS) == 0);
	return true;
}

/* Stock and the limit that it makes. Neighbours mostly have the same stock: worked out once. */
struct inv_stock_memo {
	bool is_filled;
	struct inv_stock before, after;
	struct inv_limit limit;
};

static bool inv_stock_renew(const struct inv_update_plan *plan, const struct inv_row *row,
	struct inv_stock *date, struct inv_stock_memo *memo, int32_t day, struct inv_refusal *ret)
{
	kr_assert(plan->renews_limit);
	if (!memo->is_filled || !inv_stock_equal(&memo->before, date)) {
		memo->before = memo->after = *date;
		memo->is_filled =
			!plan->changes_stock || inv_stock_change(plan, row, &memo->after, day, ret);
		if (!memo->is_filled)
			return false;
		memo->limit = inv_limit_of(row, &memo->after);
	}
	*date = memo->after;
	kr_assert((date->set_mask & ~INV_STOCK_FIELDS) == 0);
	return true;
}

/* ---- the counter ---- */

/* A cap that depends on the night: SET_AVAILABLE on its sales, ADJUST on its limit. */
static bool inv_cap_change(const struct inv_update *u, struct cell_counter c, int32_t day,
	int64_t *ret_cap, struct inv_refusal *ret)
{
	int64_t cap = c.limit;
	if ((u->set_mask & INV_UPDATE_AVAILABLE) != 0) {
		cap = (int64_t)c.held + c.booked;
		kr_assert(cap <= 2 * (int64_t)CELL_COUNT_MAX);
		cap += KR_MIN(u->available, INV_ADJUST_MAX);
		if (cap > CELL_LIMIT_MAX)
			return inv_night_refuse_full(
				ret, RULE_COUNTER, "available", day, cap, CELL_LIMIT_MAX);
	} else if ((c.flags & CELL_LOADED) == 0) {
		return inv_night_refuse(ret, KEYRACK_NOT_LOADED, RULE_LOADED, day);
	} else if (!inv_adjust(&cap, u->cap, CELL_LIMIT_MIN, CELL_LIMIT_MAX, "cap", day, ret)) {
		return false;
	}
	kr_assert(cap >= CELL_LIMIT_MIN && cap <= CELL_LIMIT_MAX);
	*ret_cap = cap;
	return true;
}

/* *counter has what is the same for every night already. Whole words, as inv_night_change. */
static bool inv_counter_change(const struct inv_update_plan *plan, const struct inv_row *row,
	struct inv_stock *date, struct inv_stock_memo *memo, int32_t day, uint64_t *counter,
	struct inv_refusal *ret)
{
	const struct inv_update *u = plan->update;
	uint64_t c = *counter;
	if (plan->renews_limit && !inv_stock_renew(plan, row, date, memo, day, ret))
		return false;
	if ((u->set_mask & INV_UPDATE_AVAILABLE) != 0 || (u->adjust_mask & INV_UPDATE_CAP) != 0) {
		int64_t cap = 0;
		if (!inv_cap_change(u, cell_counter_unpack(c), day, &cap, ret))
			return false;
		c = (c & ~INV_LIMIT_BITS) | INV_COUNTER_FLAG(CELL_EXPLICIT_CAP | CELL_LOADED) |
		    (uint16_t)cap;
	} else if ((u->clear_mask & INV_UPDATE_CAP) != 0) {
		c &= ~INV_COUNTER_FLAG(CELL_EXPLICIT_CAP);
	}
	if (plan->renews_limit && (c & INV_COUNTER_FLAG(CELL_EXPLICIT_CAP)) == 0) {
		if (!inv_limit_fits(memo->limit))
			return inv_night_refuse_full(ret, RULE_COUNTER, NULL, day,
				memo->limit.value,
				memo->limit.value < 0 ? CELL_LIMIT_MIN : CELL_LIMIT_MAX);
		c = inv_limit_put(c, memo->limit);
	}
	kr_assert((c & INV_COUNTER_FLAG(~CELL_FLAG_MASK & UINT16_MAX)) == 0);
	kr_assert((c & INV_COUNTER_FLAG(CELL_LOADED)) != 0 || (c & INV_LIMIT_BITS) == 0);
	*counter = c;
	return true;
}

/* ---- the rate ---- */

static bool inv_price_adjust(
	const struct inv_update *u, int32_t day, uint64_t *word, struct inv_refusal *ret)
{
	struct cell_rate rate = cell_rate_unpack(*word);
	int64_t price = (int64_t)rate.price_minor;
	if ((rate.flags & RATE_PRICED) == 0)
		return inv_night_refuse(ret, KEYRACK_NO_RATE, RULE_PRICE, day);
	if (!inv_adjust(
		    &price, u->price_minor, 0, (int64_t)RATE_PRICE_MAX, "price_minor", day, ret))
		return false;
	kr_assert(price >= 0);
	kr_assert(price <= (int64_t)RATE_PRICE_MAX);
	rate.price_minor = (uint64_t)price;
	*word = cell_rate_pack(rate);
	return true;
}

struct los_class inv_update_los(const struct inv_update_plan *plan, struct los_class los)
{
	const uint32_t clear = plan->update->clear_mask, fields = plan->fields;
	const struct los_class to = plan->update->los;
	kr_assert(plan->changes_classes);
	kr_assert((fields & clear) == clear);
	if ((fields & INV_UPDATE_MIN_ARRIVAL) != 0)
		los.min_arrival = (clear & INV_UPDATE_MIN_ARRIVAL) != 0 ? 0 : to.min_arrival;
	if ((fields & INV_UPDATE_MAX_ARRIVAL) != 0)
		los.max_arrival = (clear & INV_UPDATE_MAX_ARRIVAL) != 0 ? 0 : to.max_arrival;
	if ((fields & INV_UPDATE_MIN_THROUGH) != 0)
		los.min_through = (clear & INV_UPDATE_MIN_THROUGH) != 0 ? 0 : to.min_through;
	if ((fields & INV_UPDATE_MAX_THROUGH) != 0)
		los.max_through = (clear & INV_UPDATE_MAX_THROUGH) != 0 ? 0 : to.max_through;
	return los;
}

/* ---- a row ---- */

/* The words stay in registers: storing halves and loading them whole again stalls. */
static inline bool inv_night_change(const struct inv_update_plan *plan, const struct inv_row *row,
	struct inv_stock *date, struct inv_stock_memo *memo, int32_t day, struct inv_words old,
	struct inv_words *ret_new, struct inv_refusal *ret)
{
	uint64_t counter = (old.counter & plan->counter_keep) | plan->counter_put;
	uint64_t rate = (old.rate & plan->rate_keep) | plan->rate_put;
	if (plan->counter_depends && !inv_counter_change(plan, row, date, memo, day, &counter, ret))
		return false;
	if (plan->rate_depends && !inv_price_adjust(plan->update, day, &rate, ret))
		return false;
	ret_new->counter = counter;
	ret_new->rate = rate;
	return true;
}

bool inv_update_row(const struct inv *inv, const struct inv_update_plan *plan, uint32_t row_index,
	uint32_t *ret_count, struct inv_refusal *ret_refusal)
{
	struct inv_scratch *scratch = inv_scratch(inv);
	const struct inv_row *row = inv_row_at(inv, row_index);
	const struct inv_update *u = plan->update;
	const struct inv_hotel *hotel = inv_hotel_at(inv, row->hotel_index);
	const struct inv_cell *cells = inv_row_cells(inv, row_index);
	const struct inv_plan *product =
		inv_product_plan(inv, inv_product_find(inv, row_index, u->plan));
	const uint32_t window = inv->config.window_nights;
	struct inv_stock_memo memo = {.is_filled = false};
	kr_assert(inv_day_in_window(inv, hotel, u->first_day));
	kr_assert(inv_day_in_window(inv, hotel, u->last_day));
	if (plan->renews_limit)
		inv_stock_expand(inv, row, hotel->first_day, scratch->stocks);
	struct inv_stock *date = &scratch->stocks[u->first_day - hotel->first_day];
	struct inv_night_change *change = scratch->changes;
	uint32_t weekday = civil_weekday_of(u->first_day);
	uint32_t ring = inv_ring(inv, u->first_day);
	for (int32_t day = u->first_day; day <= u->last_day; day++, date++) {
		if ((u->weekday_mask >> weekday & 1) != 0) {
			struct inv_words old = inv_words_load(&cells[ring]);
			if (product != NULL)
				old.rate = inv_plan_rate(inv, product, ring, old.rate);
			if (!inv_night_change(
				    plan, row, date, &memo, day, old, &change->new, ret_refusal))
				return false;
			change->old = old;
			change->day = day;
			change->ring = ring;
			change++;
		}
		weekday = weekday == CIVIL_SUNDAY ? CIVIL_MONDAY : weekday + 1;
		ring = ring + 1 == window ? 0 : ring + 1;
	}
	*ret_count = (uint32_t)(change - scratch->changes);
	kr_assert(*ret_count <= window);
	return true;
}
