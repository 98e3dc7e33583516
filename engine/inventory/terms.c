#include "engine/inventory/terms.h"

#include "base/bug.h"
#include "engine/inventory/limits.h"
#include "engine/inventory/stay_op.h"

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
	for (uint32_t i = 0; i < tier_count && t_us >= inv_tier_begin_us(&tiers[i], arrival_us) +
							       bug_is(BUG_PENALTY_LATE);
		i++)
		held = &tiers[i];
	kr_assert(held == NULL || t_us >= inv_tier_begin_us(held, arrival_us));
	return held;
}

/* ---- a line's ---- */

uint8_t inv_line_pricing_byte(const struct inv_line *line)
{
	kr_assert(line->pricing < INV_LINE_TERMS);
	kr_assert(line->tier_count <= INV_TIERS_MAX);
	return line->tier_count > 0 ? (uint8_t)(line->pricing | INV_LINE_TERMS) : line->pricing;
}

void inv_line_terms_put(struct kr_writer *writer, const struct inv_line *line)
{
	kr_assert(line->tier_count > 0);
	kr_assert(line->arrival_us > 0);
	kr_writer_u64(writer, line->arrival_us);
	inv_tiers_put(writer, line->tiers, line->tier_count);
}

void inv_line_terms_get(struct kr_reader *reader, struct inv_line *line,
	struct inv_tier tiers[static INV_TIERS_MAX])
{
	line->arrival_us = kr_reader_u64(reader);
	line->tier_count = (uint8_t)inv_tiers_get(reader, tiers);
	line->tiers = tiers;
	if (line->arrival_us == 0 || line->arrival_us > INV_DEADLINE_MAX_US ||
		line->tier_count == 0)
		kr_reader_fail(reader);
	kr_assert(reader->failed || inv_line_terms_fault(line) == NULL);
}

const char *inv_line_terms_fault(const struct inv_line *line)
{
	kr_assert(line->tier_count == 0 || line->tiers != NULL);
	if ((line->tier_count == 0) != (line->arrival_us == 0))
		return "a line has terms without an arrival, or an arrival without terms";
	const char *fault = inv_tiers_fault(line->tiers, line->tier_count);
	kr_assert(fault != NULL || line->tier_count <= INV_TIERS_MAX);
	return fault;
}
