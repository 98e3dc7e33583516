#include "engine/inventory/plan.h"

#include "engine/inventory/class.h"

#define INV_POINTS_ONE 10000

uint64_t inv_rate_derive(const struct inv_plan *plan, uint64_t rate)
{
	struct cell_rate word = cell_rate_unpack(rate);
	kr_static_assert((RATE_PRICE_MAX >> 40) == 0 &&
				 INV_PLUS_POINTS_MAX + INV_POINTS_ONE < INT64_MAX >> 41,
		"a price times points fits");
	kr_assert(plan->derivation != INV_PRICES_OWN);
	if ((word.flags & RATE_PRICED) == 0)
		return rate;
	int64_t price = (int64_t)word.price_minor;
	if (plan->derivation == INV_PRICES_PLUS_MINOR)
		price += plan->adjustment;
	else /* never below 0: to the nearest, halves up */
		price = (price * (INV_POINTS_ONE + plan->adjustment) + INV_POINTS_ONE / 2) /
			INV_POINTS_ONE;
	bool is_price = price >= 0 && price <= (int64_t)RATE_PRICE_MAX;
	word.price_minor = is_price ? (uint64_t)price : 0;
	if (!is_price)
		word.flags &= (uint8_t)~RATE_PRICED;
	return cell_rate_pack(word);
}

void inv_rate_store(struct inv *inv, uint32_t rates, uint32_t ring, uint64_t old, uint64_t new)
{
	kr_assert(ring < inv->config.window_nights);
	_Atomic uint64_t *word = &inv_rates_row(inv, rates)[ring];
	kr_assert(atomic_load_explicit(word, memory_order_relaxed) == old);
	uint16_t old_class = cell_rate_unpack(old).class_index;
	uint16_t new_class = cell_rate_unpack(new).class_index;
	if (old_class != new_class)
		inv_class_move(inv, old_class, new_class);
	atomic_store_explicit(word, new, memory_order_relaxed);
}

static struct inv_plan_settings inv_base_settings_of(const struct inv *inv, uint32_t row_index)
{
	const struct inv_row *row = inv_row_at(inv, row_index);
	kr_assert(row->kind == INV_ROW_TYPE);
	return (struct inv_plan_settings){
		.code = {.bytes = INV_PLAN_BASE_CODE, .size_bytes = sizeof(INV_PLAN_BASE_CODE) - 1},
		.status = row->plan_status,
		.tier_count = row->tier_count,
		.advance_min_minutes = row->advance_min_minutes,
		.advance_max_minutes = row->advance_max_minutes,
	};
}

struct inv_plan_settings inv_plan_settings_of(const struct inv *inv, uint32_t product)
{
	const struct inv_plan *plan = inv_product_plan(inv, product);
	struct inv_plan_settings s;
	if (plan == NULL)
		s = inv_base_settings_of(inv, product);
	else
		s = (struct inv_plan_settings){
			.code = {.bytes = inv_plan_codes(inv)[product - inv->config.rows_max].bytes,
				.size_bytes = plan->code_size_bytes},
			.status = plan->status,
			.derivation = plan->derivation,
			.tier_count = plan->tier_count,
			.parent = plan->parent,
			.adjustment = plan->adjustment,
			.advance_min_minutes = plan->advance_min_minutes,
			.advance_max_minutes = plan->advance_max_minutes,
		};
	kr_assert(s.tier_count <= INV_TIERS_MAX);
	memcpy(s.tiers, inv_tiers(inv)[product].tiers, s.tier_count * sizeof(s.tiers[0]));
	return s;
}

static bool inv_adjustment_is_valid(const struct inv_plan_settings *s)
{
	kr_assert(s->derivation <= INV_PRICES_PLUS_POINTS);
	if (s->derivation == INV_PRICES_OWN)
		return s->adjustment == 0;
	if (s->derivation == INV_PRICES_PLUS_MINOR)
		return s->adjustment >= -(int64_t)RATE_PRICE_MAX &&
		       s->adjustment <= (int64_t)RATE_PRICE_MAX;
	return s->adjustment >= -INV_POINTS_ONE && s->adjustment <= INV_PLUS_POINTS_MAX;
}

const char *inv_plan_settings_fault(uint16_t plan, const struct inv_plan_settings *s)
{
	const struct inv_text base = {
		.bytes = INV_PLAN_BASE_CODE, .size_bytes = sizeof(INV_PLAN_BASE_CODE) - 1};
	kr_assert(s != NULL);
	if (!inv_text_is_valid(s->code, INV_PLAN_CODE_SIZE_MAX) ||
		(plan == 0) != inv_text_equal(s->code, base))
		return "code";
	if (s->status < INV_ACTIVE || s->status > INV_RETIRED)
		return "status";
	if (s->derivation > INV_PRICES_PLUS_POINTS ||
		(plan == 0 && s->derivation != INV_PRICES_OWN))
		return "derivation";
	if (s->derivation == INV_PRICES_OWN ? s->parent != 0 : s->parent == plan)
		return "parent";
	if (!inv_adjustment_is_valid(s))
		return "adjustment";
	return inv_tiers_fault(s->tiers, s->tier_count) == NULL ? NULL : "tiers";
}

void inv_plan_settings_store(struct inv *inv, uint32_t product, const struct inv_plan_settings *s)
{
	struct inv_tiers *tiers = &inv_tiers(inv)[product];
	uint32_t place = product - inv->config.rows_max;
	kr_assert(inv_plan_settings_fault(inv_product_number(inv, product), s) == NULL);
	memset(tiers, 0, sizeof(*tiers));
	memcpy(tiers->tiers, s->tiers, s->tier_count * sizeof(s->tiers[0]));
	if (product < inv->config.rows_max) {
		struct inv_row *row = inv_row_at(inv, product);
		row->plan_status = s->status;
		row->tier_count = s->tier_count;
		row->advance_min_minutes = s->advance_min_minutes;
		row->advance_max_minutes = s->advance_max_minutes;
		return;
	}
	struct inv_plan *plan = inv_plan_at(inv, place);
	struct inv_code code = {.bytes = {0}};
	kr_assert(plan->derivation == s->derivation && plan->parent == s->parent);
	inv_text_copy(s->code, code.bytes);
	inv_plan_codes(inv)[place] = code;
	plan->code_size_bytes = (uint8_t)s->code.size_bytes;
	plan->status = s->status;
	plan->tier_count = s->tier_count;
	plan->adjustment = s->adjustment;
	plan->advance_min_minutes = s->advance_min_minutes;
	plan->advance_max_minutes = s->advance_max_minutes;
}

const char *inv_plan_parent_fault(const struct inv *inv, uint32_t row, uint16_t parent)
{
	uint32_t product = inv_product_find(inv, row, parent);
	if (product == INV_NONE)
		return "there is no such plan to derive from";
	const struct inv_plan *plan = inv_product_plan(inv, product);
	kr_assert(plan == NULL || plan->number == parent);
	return plan == NULL || plan->derivation == INV_PRICES_OWN ? NULL
								  : "a plan that is derived itself";
}

/* Into the row's chain, which ascends by number. */
static void inv_plan_link(struct inv *inv, uint32_t row_index, uint32_t place)
{
	struct inv_plan *plan = inv_plan_at(inv, place);
	struct inv_row *row = inv_row_at(inv, row_index);
	uint32_t *link = &row->plan_head;
	while (*link != INV_NONE && inv_plan_at(inv, *link)->number < plan->number)
		link = &inv_plan_at(inv, *link)->next;
	kr_assert(*link == INV_NONE || inv_plan_at(inv, *link)->number != plan->number);
	plan->next = *link;
	*link = place;
	row->plan_count++;
	kr_assert(row->plan_count <= INV_TYPE_PLANS_MAX);
}

uint32_t inv_plan_create(
	struct inv *inv, uint32_t row, uint16_t number, uint8_t derivation, uint16_t parent)
{
	kr_assert(number != 0 && inv_plan_find(inv, row, number) == INV_NONE);
	kr_assert(derivation != INV_PRICES_OWN ? inv_plan_parent_fault(inv, row, parent) == NULL
					       : parent == 0);
	if (inv->plan_count == inv->config.plans_max)
		return INV_NONE;
	uint32_t place = inv->plan_count++;
	uint32_t rates = INV_NONE;
	if (derivation == INV_PRICES_OWN)
		rates = inv->rates_count++;
	else if (parent != 0)
		rates = inv_plan_at(inv, inv_plan_find(inv, row, parent))->rates;
	*inv_plan_at(inv, place) = (struct inv_plan){
		.row = row,
		.next = INV_NONE,
		.rates = rates,
		.number = number,
		.parent = parent,
		.derivation = derivation,
	};
	inv_plan_link(inv, row, place);
	inv_index_insert(&inv->plan_index, inv_plan_slots(inv),
		inv_index_tag(inv_plan_hash(row, number)), place);
	return inv->config.rows_max + place;
}
