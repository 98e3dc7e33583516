#include "engine/inventory/credit.h"

/*
 * Terms of cancellation that a line is sold under: those that its plan has at that instant; those
 * it had, where it continues a line of its own reservation or is wanted again from an expired hold.
 * The arrival is reckoned anew, since dates may be other ones. What is imported brings its terms
 * with it, and its arrival too if that is told.
 */

struct inv_policy {
	const struct inv_tier *tiers;
	uint32_t tier_count;
};

static struct inv_policy inv_policy_of_line(const struct inv_line *line)
{
	kr_assert(line->tier_count <= INV_TIERS_MAX);
	return (struct inv_policy){line->tiers, line->tier_count};
}

/* What the line's plan asks for today. */
static struct inv_policy inv_policy_of_product(const struct inv *inv, const struct inv_stay_line *l)
{
	uint32_t product = inv_product_find(inv, l->row, l->line->plan);
	uint32_t tier_count =
		l->plan == NULL ? inv_row_at(inv, l->row)->tier_count : l->plan->tier_count;
	kr_assert(product != INV_NONE);
	kr_assert(tier_count <= INV_TIERS_MAX);
	return (struct inv_policy){inv_tiers(inv)[product].tiers, tier_count};
}

static struct inv_policy inv_stay_policy(const struct inv_stay *stay, uint32_t i)
{
	const struct inv_line *line = &stay->op->lines[i];
	kr_assert(stay->lines[i].row != INV_NONE);
	if (!kr_id_is_zero(stay->op->reacquires) || stay->imports)
		return inv_policy_of_line(line);
	const struct inv_line *had = inv_stay_keeps(stay) ? inv_credit_line(stay, i) : NULL;
	if (had != NULL)
		return inv_policy_of_line(had);
	return inv_policy_of_product(stay->inv, &stay->lines[i]);
}

/* Local check-in time on the first night of the line's chain. */
static uint64_t inv_stay_arrival_us(const struct inv_stay *stay, uint32_t i)
{
	const struct inv_hotel_cold *cold = inv_hotel_cold_at(stay->inv, stay->hotel_index);
	while (!stay->places[i].is_first)
		i--;
	uint64_t arrival_us = inv_hotel_instant_us(
		stay->inv, stay->hotel_index, stay->op->lines[i].check_in, cold->check_in_minute);
	kr_assert(i < stay->op->line_count);
	return KR_MAX(arrival_us, UINT64_C(1));
}

void inv_stay_freeze_terms(const struct inv_stay *stay, uint32_t i, struct inv_line *frozen)
{
	struct inv_tier *tiers = inv_scratch(stay->inv)->tiers[i];
	kr_assert(i < stay->op->line_count);
	uint64_t told_us = stay->imports ? frozen->arrival_us : 0;
	frozen->tier_count = 0;
	frozen->tiers = NULL;
	frozen->arrival_us = 0;
	if (stay->lines[i].row == INV_NONE)
		return;
	struct inv_policy policy = inv_stay_policy(stay, i);
	if (policy.tier_count == 0)
		return;
	memcpy(tiers, policy.tiers, policy.tier_count * sizeof(*tiers));
	frozen->tiers = tiers;
	frozen->tier_count = (uint8_t)policy.tier_count;
	frozen->arrival_us = told_us != 0 ? told_us : inv_stay_arrival_us(stay, i);
	kr_assert(inv_line_terms_fault(frozen) == NULL);
}
