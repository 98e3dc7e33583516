#include <criterion/criterion.h>

#include "base/bytes.h"
#include "engine/inventory/limits.h"
#include "engine/inventory/op.h"
#include "engine/inventory/terms.h"

#define HOUR_US UINT64_C(3600000000)
#define ARRIVAL_US (UINT64_C(20600) * 24 * HOUR_US + 15 * HOUR_US)

/* A week before half of it, three days before two nights, from check-in on everything. */
static const struct inv_tier steps[] = {{168, 0, 5000}, {72, 2, 0}, {0, 0, 10000}};
#define STEP_COUNT 3u

static struct inv_line priced_line(int32_t check_in, int32_t nights, uint16_t rooms,
	const struct inv_price_run *runs, uint16_t run_count)
{
	return (struct inv_line){
		.type = 1,
		.check_in = check_in,
		.check_out = check_in + nights,
		.rooms = rooms,
		.guests = 1,
		.run_count = run_count,
		.runs = runs,
		.tiers = steps,
		.tier_count = STEP_COUNT,
		.arrival_us = ARRIVAL_US,
	};
}

/* ---- policies ---- */

Test(terms, a_policy_has_up_to_eight_tiers_each_later_than_the_one_before)
{
	static const struct {
		struct inv_tier tiers[2];
		uint32_t count;
		bool is_sound;
	} cases[] = {
		{{{0, 0, 0}}, 0, true},
		{{{24, 1, 0}}, 1, true},
		{{{0, 1, 0}}, 1, true},
		{{{65535, 0, 1}}, 1, true},
		{{{24, 65535, 0}}, 1, true},
		{{{24, 0, 10000}}, 1, true},
		{{{24, 0, 10001}}, 1, false},
		{{{24, 0, 0}}, 1, false},
		{{{24, 1, 1}}, 1, false},
		{{{72, 1, 0}, {24, 0, 5000}}, 2, true},
		{{{24, 1, 0}, {24, 0, 5000}}, 2, false},
		{{{24, 1, 0}, {72, 0, 5000}}, 2, false},
		{{{24, 1, 0}, {0, 0, 0}}, 2, false},
	};
	for (size_t i = 0; i < KR_ARRAY_COUNT(cases); i++)
		cr_assert_eq(inv_tiers_fault(cases[i].tiers, cases[i].count) == NULL,
			cases[i].is_sound, "case %zu", i);
	struct inv_tier many[INV_TIERS_MAX + 1];
	for (uint32_t i = 0; i <= INV_TIERS_MAX; i++)
		many[i] = (struct inv_tier){.hours = (uint16_t)(100 - i), .nights = 1};
	cr_assert_null(inv_tiers_fault(many, INV_TIERS_MAX));
	cr_assert_not_null(inv_tiers_fault(many, INV_TIERS_MAX + 1));
	cr_assert_null(inv_tiers_fault(NULL, 0));
}

Test(terms, policies_are_equal_tier_by_tier)
{
	struct inv_tier other[] = {{168, 0, 5000}, {72, 2, 0}, {0, 0, 9999}};
	cr_assert(inv_tiers_equal(NULL, 0, NULL, 0));
	cr_assert(inv_tiers_equal(steps, STEP_COUNT, steps, STEP_COUNT));
	cr_assert(!inv_tiers_equal(steps, STEP_COUNT, steps, 2));
	cr_assert(!inv_tiers_equal(NULL, 0, steps, 1));
	cr_assert(inv_tiers_equal(steps, 2, other, 2));
	cr_assert(!inv_tiers_equal(steps, STEP_COUNT, other, STEP_COUNT));
}

Test(terms, a_policy_is_read_as_it_was_written_and_no_other_bytes_are)
{
	uint8_t bytes[INV_TIERS_SIZE_MAX];
	struct inv_tier tiers[INV_TIERS_MAX];
	struct kr_writer writer;
	struct kr_reader reader;
	for (uint32_t count = 0; count <= STEP_COUNT; count++) {
		kr_writer_init(&writer, bytes, sizeof(bytes));
		inv_tiers_put(&writer, steps, count);
		cr_assert(!writer.failed);
		size_t size = kr_writer_size(&writer);
		kr_reader_init(&reader, bytes, size);
		cr_assert_eq(inv_tiers_get(&reader, tiers), count);
		cr_assert(kr_reader_done(&reader));
		cr_assert(inv_tiers_equal(steps, count, tiers, count));
		for (size_t cut = 0; cut < size; cut++) {
			kr_reader_init(&reader, bytes, cut);
			cr_assert_eq(inv_tiers_get(&reader, tiers), 0);
			cr_assert(reader.failed);
		}
	}
	static const uint8_t wrong[][7] = {
		{1, 24, 0, 0}, {1, 24, 1, 1}, {2, 24, 1, 0, 24, 1, 0}, {9, 24, 1, 0}};
	for (size_t i = 0; i < KR_ARRAY_COUNT(wrong); i++) {
		kr_reader_init(&reader, wrong[i], sizeof(wrong[i]));
		cr_assert_eq(inv_tiers_get(&reader, tiers), 0);
		cr_assert(reader.failed, "case %zu", i);
	}
	struct inv_tier widest[INV_TIERS_MAX];
	for (uint32_t i = 0; i < INV_TIERS_MAX; i++)
		widest[i] = (struct inv_tier){.hours = (uint16_t)(65535 - i), .nights = 65535};
	kr_writer_init(&writer, bytes, sizeof(bytes));
	inv_tiers_put(&writer, widest, INV_TIERS_MAX);
	cr_assert(!writer.failed);
	cr_assert_eq(kr_writer_size(&writer), INV_TIERS_SIZE_MAX);
}

/* ---- instants ---- */

Test(terms, a_tier_holds_from_its_hour_on_until_the_next_one_begins)
{
	static const struct {
		int64_t from_arrival_us;
		int holds; /* place in `steps`, -1 none */
	} cases[] = {
		{-(int64_t)(1000 * HOUR_US), -1},
		{-(int64_t)(168 * HOUR_US) - 1, -1},
		{-(int64_t)(168 * HOUR_US), 0},
		{-(int64_t)(168 * HOUR_US) + 1, 0},
		{-(int64_t)(72 * HOUR_US) - 1, 0},
		{-(int64_t)(72 * HOUR_US), 1},
		{-1, 1},
		{0, 2},
		{1, 2},
		{(int64_t)(5000 * HOUR_US), 2},
	};
	for (size_t i = 0; i < KR_ARRAY_COUNT(cases); i++) {
		uint64_t t_us = (uint64_t)((int64_t)ARRIVAL_US + cases[i].from_arrival_us);
		const struct inv_tier *tier = inv_tiers_at(steps, STEP_COUNT, ARRIVAL_US, t_us);
		const struct inv_tier *expected =
			cases[i].holds < 0 ? NULL : &steps[cases[i].holds];
		cr_assert_eq(tier, expected, "case %zu", i);
	}
	cr_assert_null(inv_tiers_at(NULL, 0, ARRIVAL_US, UINT64_MAX));
}

Test(terms, a_tier_longer_than_unix_time_has_begun_from_the_start)
{
	cr_assert_eq(inv_tier_begin_us(&steps[0], 0), 1);
	cr_assert_eq(inv_tier_begin_us(&steps[0], 168 * HOUR_US), 1);
	cr_assert_eq(inv_tier_begin_us(&steps[0], 168 * HOUR_US + 2), 2);
	cr_assert_eq(inv_tier_begin_us(&steps[2], ARRIVAL_US), ARRIVAL_US);
}

/* ---- amounts ---- */

static void costs(const struct inv_line *lines, uint32_t line_count, int64_t from_arrival_us,
	uint64_t penalty_minor, uint64_t total_minor)
{
	uint64_t t_us = (uint64_t)((int64_t)ARRIVAL_US + from_arrival_us);
	struct inv_cost cost = inv_lines_cost(lines, line_count, t_us);
	cr_assert(cost.has_amounts);
	cr_assert_eq(cost.penalty_minor, penalty_minor, "%lu", (unsigned long)cost.penalty_minor);
	cr_assert_eq(cost.refundable_minor, total_minor - penalty_minor);
	cr_assert_eq(cost.free_until_us, ARRIVAL_US - 168 * HOUR_US);
}

Test(terms, each_tier_costs_what_it_says_from_its_instant_on)
{
	static const struct inv_price_run run = {4, 12001};
	struct inv_line line = priced_line(20600, 4, 1, &run, 1);
	costs(&line, 1, -(int64_t)(168 * HOUR_US) - 1, 0, 48004);
	costs(&line, 1, -(int64_t)(168 * HOUR_US), 24002, 48004);
	costs(&line, 1, -(int64_t)(72 * HOUR_US) - 1, 24002, 48004);
	costs(&line, 1, -(int64_t)(72 * HOUR_US), 24002, 48004);
	costs(&line, 1, -1, 24002, 48004);
	costs(&line, 1, 0, 48004, 48004);
}

Test(terms, nights_are_the_first_ones_at_their_own_prices_for_every_room)
{
	static const struct inv_price_run runs[] = {{1, 100}, {2, 250}, {2, 90}};
	struct inv_line line = priced_line(20600, 5, 3, runs, 3);
	const uint64_t total_minor = 3 * (100 + 250 + 250 + 90 + 90);
	const uint64_t of_nights[] = {0, 100, 350, 600, 690, 780, 780, 780};
	for (uint16_t nights = 1; nights < KR_ARRAY_COUNT(of_nights); nights++) {
		struct inv_tier tier = {.hours = 168, .nights = nights};
		line.tiers = &tier;
		line.tier_count = 1;
		costs(&line, 1, 0, 3 * of_nights[nights], total_minor);
	}
}

Test(terms, a_share_is_of_the_lines_price_and_half_a_minor_unit_is_rounded_up)
{
	static const struct {
		uint64_t price_minor;
		uint16_t rooms, basis_points;
		uint64_t penalty_minor;
	} cases[] = {
		{10000, 1, 1, 1},
		{4999, 1, 1, 0},     /* 0.4999 */
		{5000, 1, 1, 1},     /* 0.5 */
		{1, 1, 5000, 1},     /* 0.5 */
		{1, 1, 4999, 0},     /* 0.4999 */
		{3, 1, 5000, 2},     /* 1.5 */
		{3, 3, 5000, 5},     /* 4.5, of all rooms together */
		{333, 1, 3333, 111}, /* 110.9889 */
		{12345, 2, 10000, 24690},
		{0, 1, 10000, 0},
		{RATE_PRICE_MAX, 1, 9999, RATE_PRICE_MAX - 109951163},
	};
	for (size_t i = 0; i < KR_ARRAY_COUNT(cases); i++) {
		struct inv_price_run run = {1, cases[i].price_minor};
		struct inv_tier tier = {.hours = 168, .basis_points = cases[i].basis_points};
		struct inv_line line = priced_line(20600, 1, cases[i].rooms, &run, 1);
		line.tiers = &tier;
		line.tier_count = 1;
		costs(&line, 1, 0, cases[i].penalty_minor, cases[i].price_minor * cases[i].rooms);
	}
}

Test(terms, the_largest_sum_is_shared_without_leaving_64_bits)
{
	/* 2,048 nights of the highest price in 4,096 rooms: 2^63 less a little */
	static const struct inv_price_run run = {2048, RATE_PRICE_MAX};
	struct inv_line line = priced_line(20600, 2048, 4096, &run, 1);
	const uint64_t total_minor = RATE_PRICE_MAX * 2048 * 4096;
	struct inv_tier tier = {.hours = 168, .basis_points = 9999};
	line.tiers = &tier;
	line.tier_count = 1;
	/* all but a ten-thousandth, which is rounded down at its half */
	uint64_t rest_minor = total_minor / 10000 + (total_minor % 10000 > 5000);
	costs(&line, 1, 0, total_minor - rest_minor, total_minor);
	tier = (struct inv_tier){.hours = 168, .basis_points = 10000};
	costs(&line, 1, 0, total_minor, total_minor);
	tier = (struct inv_tier){.hours = 168, .nights = 65535};
	costs(&line, 1, 0, total_minor, total_minor);
}

Test(terms, lines_that_continue_one_another_count_nights_from_the_stays_beginning)
{
	static const struct inv_price_run cheap = {1, 100}, dear = {3, 1000};
	struct inv_line lines[3] = {priced_line(20600, 1, 2, &cheap, 1),
		priced_line(20601, 3, 2, &dear, 1), priced_line(20600, 1, 1, &cheap, 1)};
	struct inv_tier two = {.hours = 168, .nights = 2}, one = {.hours = 168, .nights = 1};
	for (int i = 0; i < 3; i++) {
		lines[i].tiers = &two;
		lines[i].tier_count = 1;
	}
	/* the stay of two lines: its first two nights; the third line is a stay of its own */
	costs(lines, 2, 0, 2 * 100 + 2 * 1000, 2 * 100 + 2 * 3000);
	costs(lines, 3, 0, 2 * 100 + 2 * 1000 + 100, 2 * 100 + 2 * 3000 + 100);
	/* each line goes by its own policy */
	lines[1].tiers = &one;
	costs(lines, 2, 0, 2 * 100, 2 * 100 + 2 * 3000);
	lines[1].tiers = &two;
	lines[0].tiers = &one;
	costs(lines, 2, 0, 2 * 100 + 2 * 1000, 2 * 100 + 2 * 3000);
	/* another number of rooms continues nothing */
	lines[1].rooms = 1;
	costs(lines, 2, 0, 2 * 100 + 2000, 2 * 100 + 3000);
}

Test(terms, without_tiers_cancelling_is_always_free)
{
	static const struct inv_price_run run = {2, 500};
	struct inv_line line = priced_line(20600, 2, 1, &run, 1);
	line.tiers = NULL;
	line.tier_count = 0;
	line.arrival_us = 0;
	struct inv_cost cost = inv_lines_cost(&line, 1, UINT64_MAX);
	cr_assert(cost.has_amounts);
	cr_assert_eq(cost.free_until_us, 0);
	cr_assert_eq(cost.penalty_minor, 0);
	cr_assert_eq(cost.refundable_minor, 1000);
}

Test(terms, the_earliest_policy_of_all_lines_ends_what_is_free)
{
	static const struct inv_price_run run = {1, 500};
	struct inv_line lines[3] = {priced_line(20600, 1, 1, &run, 1),
		priced_line(20610, 1, 1, &run, 1), priced_line(20590, 1, 1, &run, 1)};
	struct inv_tier late = {.hours = 2, .nights = 1};
	lines[0].tiers = &late;
	lines[0].tier_count = 1;
	lines[1].arrival_us = ARRIVAL_US + 240 * HOUR_US;
	lines[2].tier_count = 0;
	lines[2].arrival_us = 0;
	struct inv_cost cost = inv_lines_cost(lines, 3, ARRIVAL_US);
	cr_assert_eq(cost.free_until_us, ARRIVAL_US - 2 * HOUR_US);
	cr_assert_eq(cost.penalty_minor, 500);
	cr_assert_eq(cost.refundable_minor, 1000);
}

Test(terms, where_a_line_has_no_price_there_are_no_amounts_but_a_deadline)
{
	static const struct inv_price_run run = {1, 500};
	struct inv_line lines[2] = {
		priced_line(20600, 1, 1, &run, 1), priced_line(20600, 1, 1, NULL, 0)};
	lines[1].pricing = INV_PRICE_NONE;
	struct inv_cost cost = inv_lines_cost(lines, 2, ARRIVAL_US);
	cr_assert(!cost.has_amounts);
	cr_assert_eq(cost.penalty_minor, 0);
	cr_assert_eq(cost.refundable_minor, 0);
	cr_assert_eq(cost.free_until_us, ARRIVAL_US - 168 * HOUR_US);
}

/* No request brings it (INVALID) and no hotel's calendar reaches so far. */
Test(terms, an_arrival_beyond_all_calendars_is_not_read)
{
	static const uint64_t instants[] = {INV_DEADLINE_MAX_US, INV_DEADLINE_MAX_US + 1};
	for (size_t i = 0; i < KR_ARRAY_COUNT(instants); i++) {
		struct inv_line line = priced_line(20600, 1, 1, NULL, 0), back = {0};
		struct inv_tier tiers[INV_TIERS_MAX];
		uint8_t bytes[INV_TERMS_SIZE_MAX];
		struct kr_writer writer;
		struct kr_reader reader;
		line.arrival_us = instants[i];
		kr_writer_init(&writer, bytes, sizeof(bytes));
		inv_line_terms_put(&writer, &line);
		kr_reader_init(&reader, bytes, kr_writer_size(&writer));
		inv_line_terms_get(&reader, &back, tiers);
		cr_assert_eq(kr_reader_done(&reader), i == 0);
	}
}
