#include "base/bug.h"
#include "engine/inventory/stay.h"

/* What cancelling costs, of lines as they were frozen. */

/* The first `nights` of the line, for all its rooms. */
static uint64_t inv_line_nights_minor(const struct inv_line *line, uint32_t nights)
{
	uint64_t sum_minor = 0;
	kr_assert(line->rooms > 0);
	for (uint32_t r = 0; r < line->run_count && nights > 0; r++) {
		uint32_t part = KR_MIN(nights, (uint32_t)line->runs[r].nights);
		sum_minor += line->runs[r].price_minor * part * line->rooms;
		nights -= part;
	}
	kr_assert(sum_minor <= INV_TOTAL_MAX);
	return sum_minor;
}

/* A share of an amount, half a minor unit rounded up. No product leaves 64 bits. */
static uint64_t inv_share_minor(uint64_t minor, uint32_t basis_points)
{
	const uint64_t whole = INV_TIER_BASIS_POINTS_MAX;
	kr_assert(basis_points <= whole);
	uint64_t half = bug_is(BUG_PENALTY_ROUNDED_DOWN) ? 0 : whole / 2;
	uint64_t share_minor =
		minor / whole * basis_points + (minor % whole * basis_points + half) / whole;
	kr_assert(share_minor <= minor);
	return share_minor;
}

/* Nights of the stay that lie before the line are others'. */
static uint64_t inv_line_penalty_minor(const struct inv_line *line, const struct inv_tier *tier,
	uint64_t total_minor, uint32_t nights_before)
{
	uint64_t penalty_minor;
	kr_assert(line->tier_count > 0);
	if (tier == NULL)
		return 0;
	if (tier->basis_points != 0)
		penalty_minor = inv_share_minor(total_minor, tier->basis_points);
	else if (tier->nights > nights_before)
		penalty_minor = inv_line_nights_minor(line, tier->nights - nights_before);
	else
		penalty_minor = 0;
	kr_assert(penalty_minor <= total_minor);
	return penalty_minor;
}

struct inv_cost inv_lines_cost(const struct inv_line *lines, uint32_t line_count, uint64_t t_us)
{
	struct inv_chain_place places[INV_LINES_MAX];
	struct inv_cost cost = {.has_amounts = true};
	uint64_t total_minor = 0;
	uint32_t nights_before = 0;
	inv_lines_chain(lines, line_count, places);
	for (uint32_t i = 0; i < line_count; i++) {
		const struct inv_line *line = &lines[i];
		uint64_t before_minor = total_minor;
		bool fits = inv_line_sum(line, &total_minor);
		kr_assert(fits);
		nights_before = places[i].is_first ? 0 : nights_before;
		cost.has_amounts = cost.has_amounts && line->pricing != INV_PRICE_NONE;
		if (line->tier_count != 0) {
			uint64_t begin_us = inv_tier_begin_us(&line->tiers[0], line->arrival_us);
			if (cost.free_until_us == 0 || begin_us < cost.free_until_us)
				cost.free_until_us = begin_us;
			cost.penalty_minor += inv_line_penalty_minor(line,
				inv_tiers_at(line->tiers, line->tier_count, line->arrival_us, t_us),
				total_minor - before_minor, nights_before);
		}
		nights_before += (uint32_t)(line->check_out - line->check_in);
	}
	kr_assert(cost.penalty_minor <= total_minor);
	if (!cost.has_amounts)
		cost.penalty_minor = 0;
	else
		cost.refundable_minor = total_minor - cost.penalty_minor;
	return cost;
}
