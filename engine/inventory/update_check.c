#include "engine/inventory/update.h"

static const char *const field_names[16] = {"physical", "out_of_order", "allowance", "cap",
	"closed", "cta", "ctd", "price_minor", "min_arrival", "max_arrival", "min_through",
	"max_through", "plan_closed", "plan_cta", "plan_ctd", "available"};

const char *inv_update_field_name(uint32_t bit)
{
	kr_assert(bit < KR_ARRAY_COUNT(field_names));
	kr_assert(field_names[bit] != NULL);
	return field_names[bit];
}

/* Name of the lowest field of a mask; the mask is not empty. */
static const char *inv_update_lowest_name(uint32_t mask)
{
	kr_assert(mask != 0);
	kr_assert((mask & ~INV_UPDATE_MASK) == 0);
	return inv_update_field_name((uint32_t)__builtin_ctz(mask));
}

static const char *inv_update_mask_fault(const struct inv_update *u)
{
	const uint32_t set = u->set_mask, adjust = u->adjust_mask, clear = u->clear_mask;
	const uint32_t cap = INV_UPDATE_CAP, available = INV_UPDATE_AVAILABLE;
	if ((set & ~INV_UPDATE_MASK) != 0 || (set | adjust | clear) == 0)
		return "set_mask";
	if ((adjust & ~INV_UPDATE_MASK) != 0)
		return "adjust_mask";
	if ((clear & ~INV_UPDATE_MASK) != 0)
		return "clear_mask";
	uint32_t twice = (set & adjust) | (set & clear) | (adjust & clear);
	twice |= adjust & ~INV_UPDATE_ADJUSTABLE;
	twice |= clear & available;
	if (twice != 0)
		return inv_update_lowest_name(twice);
	/* Both would say what the cap is. */
	if ((set & available) != 0 && ((set | adjust | clear) & cap) != 0)
		return "available";
	kr_assert((adjust & available) == 0);
	return NULL;
}

static const char *inv_update_range_fault(const struct inv_update *u)
{
	kr_assert(INV_DAY_MIN < INV_DAY_MAX);
	if (u->first_day < INV_DAY_MIN || u->first_day > INV_DAY_MAX)
		return "first_day";
	if (u->last_day < u->first_day || u->last_day > INV_DAY_MAX)
		return "last_day";
	if (u->weekday_mask == 0 || u->weekday_mask > 127)
		return "weekday_mask";
	return NULL;
}

static const char *inv_update_source_fault(const struct inv_update *u)
{
	kr_assert(inv_update_mask_fault(u) == NULL);
	if (u->adjust_mask != 0 && u->source_seq == 0)
		return "source_seq";
	if (u->source_seq != 0 && (u->source == 0 || u->source >= INV_SOURCE_RESERVED_FIRST))
		return "source";
	return NULL;
}

static const char *inv_update_value_fault(const struct inv_update *u, bool *ret_is_full)
{
	const struct {
		uint32_t bit;
		int64_t value, min, max;
		bool is_counter; /* what is too large is COUNTER_FULL */
	} checks[] = {
		{INV_UPDATE_PHYSICAL, u->physical, 0, UINT16_MAX, true},
		{INV_UPDATE_OUT_OF_ORDER, u->out_of_order, 0, UINT16_MAX, true},
		{INV_UPDATE_ALLOWANCE, u->allowance, INT32_MIN, INT32_MAX, true},
		{INV_UPDATE_CAP, u->cap, CELL_LIMIT_MIN, CELL_LIMIT_MAX, true},
		{INV_UPDATE_PRICE, u->price_minor, 0, (int64_t)RATE_PRICE_MAX, false},
		{INV_UPDATE_AVAILABLE, u->available, 0, INT64_MAX, true},
	};
	for (size_t i = 0; i < KR_ARRAY_COUNT(checks); i++) {
		if ((u->set_mask & checks[i].bit) == 0)
			continue;
		bool is_below = checks[i].value < checks[i].min;
		if (!is_below && checks[i].value <= checks[i].max)
			continue;
		/* A count cannot be negative; an allowance or a cap can, to its width. */
		*ret_is_full = checks[i].is_counter && !(is_below && checks[i].min == 0);
		return inv_update_lowest_name(checks[i].bit);
	}
	bool needs_unit = ((u->set_mask | u->adjust_mask) & INV_UPDATE_ALLOWANCE) != 0;
	if (needs_unit && u->allowance_unit != INV_ALLOWANCE_ROOMS &&
		u->allowance_unit != INV_ALLOWANCE_BASIS_POINTS)
		return "allowance_unit";
	kr_assert(!*ret_is_full);
	return NULL;
}

const char *inv_update_fault(const struct inv_update *update, bool *ret_is_full)
{
	kr_assert(update != NULL);
	*ret_is_full = false;
	const char *fault = inv_update_mask_fault(update);
	if (fault == NULL)
		fault = inv_update_range_fault(update);
	if (fault == NULL)
		fault = inv_update_source_fault(update);
	if (fault == NULL)
		fault = inv_update_value_fault(update, ret_is_full);
	kr_assert(fault != NULL || !*ret_is_full);
	return fault;
}

#define KEEP(bit, field) u->field = (named & (bit)) != 0 ? u->field : 0
void inv_update_normalise(struct inv_update *u)
{
	const uint32_t named = u->set_mask | u->adjust_mask;
	const uint32_t set = u->set_mask;
	kr_assert((u->set_mask & u->clear_mask) == 0);
	KEEP(INV_UPDATE_PHYSICAL, physical);
	KEEP(INV_UPDATE_OUT_OF_ORDER, out_of_order);
	KEEP(INV_UPDATE_ALLOWANCE, allowance);
	KEEP(INV_UPDATE_ALLOWANCE, allowance_unit);
	KEEP(INV_UPDATE_CAP, cap);
	KEEP(INV_UPDATE_PRICE, price_minor);
	KEEP(INV_UPDATE_AVAILABLE, available);
	KEEP(INV_UPDATE_MIN_ARRIVAL, los.min_arrival);
	KEEP(INV_UPDATE_MAX_ARRIVAL, los.max_arrival);
	KEEP(INV_UPDATE_MIN_THROUGH, los.min_through);
	KEEP(INV_UPDATE_MAX_THROUGH, los.max_through);
	u->closed = u->closed && (set & INV_UPDATE_CLOSED) != 0;
	u->cta = u->cta && (set & INV_UPDATE_CTA) != 0;
	u->ctd = u->ctd && (set & INV_UPDATE_CTD) != 0;
	u->plan_closed = u->plan_closed && (set & INV_UPDATE_PLAN_CLOSED) != 0;
	u->plan_cta = u->plan_cta && (set & INV_UPDATE_PLAN_CTA) != 0;
	u->plan_ctd = u->plan_ctd && (set & INV_UPDATE_PLAN_CTD) != 0;
	kr_assert((u->adjust_mask & u->clear_mask) == 0);
}
#undef KEEP

/* Bits of a flag field that change (`clear`) and those of them that end up set (`put`). */
struct inv_flag_change {
	uint16_t clear, put;
};

static struct inv_flag_change inv_plan_flags(
	const struct inv_update_plan *plan, const uint32_t bits[3], const bool values[3])
{
	/* closed, to arrival, to departure: the same order in cells and masks */
	static const uint16_t flags[2][3] = {
		{CELL_CLOSED, CELL_CTA, CELL_CTD}, {RATE_CLOSED, RATE_CTA, RATE_CTD}};
	const uint16_t *of = flags[bits[0] == INV_UPDATE_PLAN_CLOSED];
	struct inv_flag_change change = {0, 0};
	for (int i = 0; i < 3; i++) {
		if ((plan->fields & bits[i]) == 0)
			continue;
		change.clear |= of[i];
		if ((plan->update->set_mask & bits[i]) != 0 && values[i])
			change.put |= of[i];
	}
	kr_assert((change.put & ~change.clear) == 0);
	return change;
}

static void inv_plan_counter_init(struct inv_update_plan *plan)
{
	static const uint32_t bits[3] = {INV_UPDATE_CLOSED, INV_UPDATE_CTA, INV_UPDATE_CTD};
	const struct inv_update *u = plan->update;
	const bool values[3] = {u->closed, u->cta, u->ctd};
	struct inv_flag_change change = inv_plan_flags(plan, bits, values);
	struct cell_counter keep = {-1, UINT16_MAX, UINT16_MAX, (uint16_t)~change.clear};
	struct cell_counter put = {0, 0, 0, change.put};
	if ((u->set_mask & INV_UPDATE_CAP) != 0) {
		kr_assert(u->cap >= CELL_LIMIT_MIN && u->cap <= CELL_LIMIT_MAX);
		keep.limit = 0;
		put.limit = (int16_t)u->cap;
		put.flags |= CELL_EXPLICIT_CAP | CELL_LOADED;
	}
	plan->counter_keep = cell_counter_pack(keep);
	plan->counter_put = cell_counter_pack(put);
	plan->counter_depends = plan->renews_limit || (u->set_mask & INV_UPDATE_AVAILABLE) != 0 ||
				(u->adjust_mask & INV_UPDATE_CAP) != 0;
	kr_assert((plan->counter_put & ~INV_COUNTER_KEY) == 0);
}

static void inv_plan_rate_init(struct inv_update_plan *plan)
{
	static const uint32_t bits[3] = {
		INV_UPDATE_PLAN_CLOSED, INV_UPDATE_PLAN_CTA, INV_UPDATE_PLAN_CTD};
	const struct inv_update *u = plan->update;
	const bool values[3] = {u->plan_closed, u->plan_cta, u->plan_ctd};
	struct inv_flag_change change = inv_plan_flags(plan, bits, values);
	struct cell_rate keep = {RATE_PRICE_MAX, UINT16_MAX, (uint8_t)~change.clear};
	struct cell_rate put = {0, 0, (uint8_t)change.put};
	plan->rate_depends = (u->adjust_mask & INV_UPDATE_PRICE) != 0;
	if ((plan->fields & INV_UPDATE_PRICE) != 0 && !plan->rate_depends) {
		keep.price_minor = 0;
		keep.flags &= (uint8_t)~RATE_PRICED;
	}
	if ((u->set_mask & INV_UPDATE_PRICE) != 0) {
		kr_assert(u->price_minor >= 0 && u->price_minor <= (int64_t)RATE_PRICE_MAX);
		put.price_minor = (uint64_t)u->price_minor;
		put.flags |= RATE_PRICED;
	}
	plan->rate_keep = cell_rate_pack(keep);
	plan->rate_put = cell_rate_pack(put);
	kr_assert(cell_rate_unpack(plan->rate_put).class_index == 0);
}

void inv_update_plan_init(struct inv_update_plan *plan, const struct inv_update *update)
{
	const uint32_t stock = INV_UPDATE_PHYSICAL | INV_UPDATE_OUT_OF_ORDER | INV_UPDATE_ALLOWANCE;
	const uint32_t los = INV_UPDATE_MIN_ARRIVAL | INV_UPDATE_MAX_ARRIVAL |
			     INV_UPDATE_MIN_THROUGH | INV_UPDATE_MAX_THROUGH;
	*plan = (struct inv_update_plan){.update = update};
	plan->fields = update->set_mask | update->adjust_mask | update->clear_mask;
	plan->changes_stock = (plan->fields & stock) != 0;
	plan->renews_limit = plan->changes_stock || (update->clear_mask & INV_UPDATE_CAP) != 0;
	plan->changes_classes = (plan->fields & los) != 0;
	inv_plan_counter_init(plan);
	inv_plan_rate_init(plan);
	kr_assert(plan->fields != 0);
	kr_assert((plan->fields & ~INV_UPDATE_MASK) == 0);
}
