/*
 * Terms of cancellation: what it costs to give a booking back, by how long before the arrival.
 *
 * A policy is up to INV_TIERS_MAX tiers, hours strictly descending. A tier begins `hours` before
 * the local check-in time of the arrival (hours 0: at it) and holds until the next one begins;
 * before the first one cancelling is free, and without tiers always. A tier costs either the first
 * `nights` nights of the stay or `basis_points` of the price.
 *
 * A rate plan has a policy; a sale freezes it in each line with the instant of the arrival, so that
 * neither replay nor a reader needs a time zone. Lines that continue one another are one stay: they
 * have one arrival, and nights are counted from its beginning.
 */
#ifndef ENGINE_INVENTORY_TERMS_H
#define ENGINE_INVENTORY_TERMS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

#define INV_TIERS_MAX 8u /* of a policy: INVALID */
#define INV_TIER_BASIS_POINTS_MAX 10000u
/* Of a policy, as inv_tiers_put() writes it. */
#define INV_TIERS_SIZE_MAX (1u + INV_TIERS_MAX * (3u + 3u + 1u))

/* Exactly one of nights (>= 1) and basis_points (1 to 10,000) is not 0. */
struct inv_tier {
	uint16_t hours;
	uint16_t nights;
	uint16_t basis_points;
};

/* NULL, or what is wrong with a policy (a static sentence). `tiers` may be NULL when there are
 * none. */
const char *inv_tiers_fault(const struct inv_tier *tiers, uint32_t tier_count);
bool inv_tiers_equal(
	const struct inv_tier *a, uint32_t a_count, const struct inv_tier *b, uint32_t b_count);

/* u8 count, each: varint hours, varint nights, varint basis_points. The policy has no fault. */
void inv_tiers_put(struct kr_writer *writer, const struct inv_tier *tiers, uint32_t tier_count);
/* Returns how many; the reader fails (and 0 is returned) when the policy has a fault. */
uint32_t inv_tiers_get(struct kr_reader *reader, struct inv_tier tiers[static INV_TIERS_MAX]);

/* When it begins, not before 1 us of unix time, so that 0 can mean never. */
uint64_t inv_tier_begin_us(const struct inv_tier *tier, uint64_t arrival_us);
/* The tier that holds at t_us, NULL while cancelling is free. */
const struct inv_tier *inv_tiers_at(
	const struct inv_tier *tiers, uint32_t tier_count, uint64_t arrival_us, uint64_t t_us);

struct inv_line;

/* Lines as bytes, in the log and in chunks: their pricing's byte says whether terms follow the
 * price runs: u64 arrival_us (not 0, below 2^63), then the policy, which has tiers. */
#define INV_LINE_TERMS 0x80u
#define INV_TERMS_SIZE_MAX (8u + INV_TIERS_SIZE_MAX)
uint8_t inv_line_pricing_byte(const struct inv_line *line);
void inv_line_terms_put(struct kr_writer *writer, const struct inv_line *line);
void inv_line_terms_get(struct kr_reader *reader, struct inv_line *line,
	struct inv_tier tiers[static INV_TIERS_MAX]);
/* NULL, or what is wrong with a line's terms (a static sentence). */
const char *inv_line_terms_fault(const struct inv_line *line);

/* What cancelling costs. */
struct inv_cost {
	/* The first instant at which a line's policy asks for anything, though it be nothing in
	 * money; 0 = always free. */
	uint64_t free_until_us;
	bool has_amounts; /* every line has a price */
	uint64_t penalty_minor;
	uint64_t refundable_minor; /* the total less the penalty */
};

/* If all of it is cancelled at t_us, by what is frozen in the lines. The sum of their prices is
 * within INV_TOTAL_MAX. */
struct inv_cost inv_lines_cost(const struct inv_line *lines, uint32_t line_count, uint64_t t_us);

#endif
