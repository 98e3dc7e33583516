#include "base/civil.h"
#include "engine/inventory/class.h"
#include "engine/inventory/limit.h"
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

/* ---- the counter ---- */

/* An explicit cap, as SET, ADJUST, CLEAR or SET_AVAILABLE make it. */
static bool inv_cap_change(
	const struct inv_update *u, struct cell_counter *c, int32_t day, struct inv_refusal *ret)
{
	int64_t cap = c->limit;
	if ((u->clear_mask & INV_UPDATE_CAP) != 0) {
		c->flags &= (uint16_t)~CELL_EXPLICIT_CAP;
		return true;
	}
	if ((u->set_mask & INV_UPDATE_AVAILABLE) != 0) {
		cap = (int64_t)c->held + c->booked;
		kr_assert(cap <= 2 * (int64_t)CELL_COUNT_MAX);
		cap += KR_MIN(u->available, INV_ADJUST_MAX);
		if (cap > CELL_LIMIT_MAX)
			return inv_night_refuse_full(
				ret, RULE_COUNTER, "available", day, cap, CELL_LIMIT_MAX);
	} else if ((u->set_mask & INV_UPDATE_CAP) != 0) {
		cap = u->cap;
	} else if ((c->flags & CELL_LOADED) == 0) {
		return inv_night_refuse(ret, KEYRACK_NOT_LOADED, RULE_LOADED, day);
	} else if (!inv_adjust(&cap, u->cap, CELL_LIMIT_MIN, CELL_LIMIT_MAX, "cap", day, ret)) {
		return false;
	}
	kr_assert(cap >= CELL_LIMIT_MIN && cap <= CELL_LIMIT_MAX);
	c->limit = (int16_t)cap;
	c->flags |= CELL_EXPLICIT_CAP | CELL_LOADED;
	return true;
}

static bool inv_counter_change(const struct inv_update_plan *plan, const struct inv_row *row,
	struct inv_stock *date, struct inv_night_change *change, struct inv_refusal *ret)
{
	struct cell_counter c = cell_counter_unpack(change->old.counter);
	c.flags = (uint16_t)((c.flags & ~plan->flags_clear) | plan->flags_set);
	if (plan->changes_stock && !inv_stock_change(plan, row, date, change->day, ret))
		return false;
	if ((plan->fields & (INV_UPDATE_CAP | INV_UPDATE_AVAILABLE)) != 0 &&
		!inv_cap_change(plan->update, &c, change->day, ret))
		return false;
	if (plan->renews_limit && (c.flags & CELL_EXPLICIT_CAP) == 0) {
		struct inv_limit limit = inv_limit_of(row, date);
		if (!inv_limit_fits(limit))
			return inv_night_refuse_full(ret, RULE_COUNTER, NULL, change->day,
				limit.value, limit.value < 0 ? CELL_LIMIT_MIN : CELL_LIMIT_MAX);
		c = inv_limit_put(c, limit);
	}
	kr_assert((c.flags & ~CELL_FLAG_MASK) == 0);
	kr_assert((c.flags & CELL_LOADED) != 0 || c.limit == 0);
	change->new.counter = cell_counter_pack(c);
	return true;
}

/* ---- the rate ---- */

static bool inv_price_change(
	const struct inv_update *u, struct cell_rate *rate, int32_t day, struct inv_refusal *ret)
{
	int64_t price = (int64_t)rate->price_minor;
	if ((u->clear_mask & INV_UPDATE_PRICE) != 0) {
		rate->price_minor = 0;
		rate->flags &= (uint8_t)~RATE_PRICED;
		return true;
	}
	if ((u->set_mask & INV_UPDATE_PRICE) != 0)
		price = u->price_minor;
	else if ((rate->flags & RATE_PRICED) == 0)
		return inv_night_refuse(ret, KEYRACK_NO_RATE, RULE_PRICE, day);
	else if (!inv_adjust(&price, u->price_minor, 0, (int64_t)RATE_PRICE_MAX, "price_minor", day,
			 ret))
		return false;
	kr_assert(price >= 0);
	kr_assert(price <= (int64_t)RATE_PRICE_MAX);
	rate->price_minor = (uint64_t)price;
	rate->flags |= RATE_PRICED;
	return true;
}

static bool inv_rate_change(const struct inv_update_plan *plan, struct inv_night_change *change,
	struct inv_refusal *ret)
{
	struct cell_rate rate = cell_rate_unpack(change->old.rate);
	rate.flags = (uint8_t)((rate.flags & ~plan->rate_clear) | plan->rate_set);
	if ((plan->fields & INV_UPDATE_PRICE) != 0 &&
		!inv_price_change(plan->update, &rate, change->day, ret))
		return false;
	kr_assert((rate.flags & ~RATE_FLAG_MASK) == 0);
	kr_assert((rate.flags & RATE_PRICED) != 0 || rate.price_minor == 0);
	change->new.rate = cell_rate_pack(rate);
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

bool inv_update_row(const struct inv *inv, const struct inv_update_plan *plan, uint32_t row_index,
	uint32_t *ret_count, struct inv_refusal *ret_refusal)
{
	struct inv_scratch *scratch = inv_scratch(inv);
	const struct inv_row *row = inv_row_at(inv, row_index);
	const struct inv_update *u = plan->update;
	const struct inv_hotel *hotel = inv_hotel_at(inv, row->hotel_index);
	kr_assert(inv_day_in_window(inv, hotel, u->first_day));
	kr_assert(inv_day_in_window(inv, hotel, u->last_day));
	if (plan->renews_limit)
		inv_stock_expand(inv, row, hotel->first_day, scratch->stocks);
	uint32_t weekday = civil_weekday_of(u->first_day);
	uint32_t ring = inv_ring(inv, u->first_day), count = 0;
	for (int32_t day = u->first_day; day <= u->last_day; day++) {
		if ((u->weekday_mask >> weekday & 1) != 0) {
			struct inv_night_change *change = &scratch->changes[count++];
			change->old = inv_cell_load(inv, row_index, ring);
			change->day = day;
			change->ring = ring;
			struct inv_stock *date = &scratch->stocks[day - hotel->first_day];
			if (!inv_counter_change(plan, row, date, change, ret_refusal) ||
				!inv_rate_change(plan, change, ret_refusal))
				return false;
		}
		weekday = weekday == CIVIL_SUNDAY ? CIVIL_MONDAY : weekday + 1;
		ring = ring + 1 == inv->config.window_nights ? 0 : ring + 1;
	}
	*ret_count = count;
	return true;
}
