#include "engine/inventory/terms.h"

#include "engine/inventory/stay.h"

#define INV_HOUR_US UINT64_C(3600000000)

/* ---- policies ---- */

static const char *inv_tier_fault(const struct inv_tier *tier)
{
	kr_assert(tier != NULL);
	if ((tier->nights != 0) == (tier->basis_points != 0))
		return "a tier costs nights or a share of the price, one of them";
	if (tier->basis_points > INV_TIER_BASIS_POINTS_MAX)
		return "a tier costs more than the price";
	kr_assert(tier->nights == 0 || tier->basis_points == 0);
	return NULL;
}

const char *inv_tiers_fault(const struct inv_tier *tiers, uint32_t tier_count)
{
	if (tier_count > INV_TIERS_MAX)
		return "a policy has too many tiers";
	kr_assert(tiers != NULL || tier_count == 0);
	for (uint32_t i = 0; i < tier_count; i++) {
		const char *fault = inv_tier_fault(&tiers[i]);
		if (fault != NULL)
			return fault;
		if (i > 0 && tiers[i].hours >= tiers[i - 1].hours)
			return "a tier does not begin after the one before it";
	}
	kr_assert(tier_count <= INV_TIERS_MAX);
	return NULL;
}

bool inv_tiers_equal(
	const struct inv_tier *a, uint32_t a_count, const struct inv_tier *b, uint32_t b_count)
{
	kr_static_assert(sizeof(struct inv_tier) == 6, "compared as a whole: no padding");
	kr_assert(a_count <= INV_TIERS_MAX);
	kr_assert(b_count <= INV_TIERS_MAX);
	return a_count == b_count && (a_count == 0 || memcmp(a, b, a_count * sizeof(*a)) == 0);
}

void inv_tiers_put(struct kr_writer *writer, const struct inv_tier *tiers, uint32_t tier_count)
{
	kr_assert(tier_count <= INV_TIERS_MAX);
	kr_assert(inv_tiers_fault(tiers, tier_count) == NULL);
	kr_writer_u8(writer, (uint8_t)tier_count);
	for (uint32_t i = 0; i < tier_count; i++) {
		kr_writer_varint(writer, tiers[i].hours);
		kr_writer_varint(writer, tiers[i].nights);
		kr_writer_varint(writer, tiers[i].basis_points);
	}
}

uint32_t inv_tiers_get(struct kr_reader *reader, struct inv_tier tiers[static INV_TIERS_MAX])
{
	uint32_t count = kr_reader_u8(reader);
	if (count > INV_TIERS_MAX)
		kr_reader_fail(reader);
	for (uint32_t i = 0; i < count && !reader->failed; i++) {
		tiers[i].hours = (uint16_t)kr_reader_varint_max(reader, UINT16_MAX);
		tiers[i].nights = (uint16_t)kr_reader_varint_max(reader, UINT16_MAX);
		tiers[i].basis_points =
			(uint16_t)kr_reader_varint_max(reader, INV_TIER_BASIS_POINTS_MAX);
	}
	if (!reader->failed && inv_tiers_fault(tiers, count) != NULL)
		kr_reader_fail(reader);
	kr_assert(reader->failed || count <= INV_TIERS_MAX);
	return reader->failed ? 0 : count;
}

uint64_t inv_tier_begin_us(const struct inv_tier *tier, uint64_t arrival_us)
{
	uint64_t ahead_us = tier->hours * INV_HOUR_US;
	kr_assert(ahead_us / INV_HOUR_US == tier->hours);
	uint64_t begin_us = arrival_us > ahead_us ? arrival_us - ahead_us : 1;
	kr_assert(begin_us > 0);
	return begin_us;
}

const struct inv_tier *inv_tiers_at(
	const struct inv_tier *tiers, uint32_t tier_count, uint64_t arrival_us, uint64_t t_us)
{
	const struct inv_tier *held = NULL;
	kr_assert(tier_count <= INV_TIERS_MAX);
	for (uint32_t i = 0; i < tier_count && t_us >= inv_tier_begin_us(&tiers[i], arrival_us);
		i++)
		held = &tiers[i];
	kr_assert(held == NULL || t_us >= inv_tier_begin_us(held, arrival_us));
	return held;
}

/* ---- what lines cost ---- */

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
	uint64_t share_minor =
		minor / whole * basis_points + (minor % whole * basis_points + whole / 2) / whole;
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
