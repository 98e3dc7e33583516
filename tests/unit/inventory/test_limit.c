#include <criterion/criterion.h>

#include "engine/inventory/limit.h"

static struct inv_row row_of(
	uint16_t physical, uint16_t out_of_order, int32_t allowance, uint8_t unit)
{
	return (struct inv_row){
		.set_mask = INV_TYPE_PHYSICAL | INV_TYPE_OUT_OF_ORDER | INV_TYPE_ALLOWANCE,
		.physical = physical,
		.out_of_order = out_of_order,
		.allowance = allowance,
		.allowance_unit = unit,
	};
}

static const struct inv_stock nothing;

Test(limit, rounds_basis_points_toward_minus_infinity)
{
	static const struct {
		uint16_t physical, out_of_order;
		int32_t basis_points;
		int64_t limit;
	} cases[] = {
		{9, 0, 1000, 9},                                        /* 10 % of 9 = 0 */
		{9, 0, -1000, 8},                                       /* -10 % of 9 = -1 */
		{10, 0, 1000, 11}, {10, 0, -1000, 9}, {10, 1, 1000, 9}, /* of what is in order */
		{19, 0, 1000, 20}, {20, 1, 1000, 20}, {0, 0, 1000, 0}, {0, 0, -1000, 0},
		{1, 0, 10000, 2}, {1, 0, 9999, 1},
		{1, 0, -1, 0},                  /* a hundredth of a percent less is a room less */
		{1, 0, 1, 1}, {5, 9, 1000, -5}, /* 10 % of -4 = -0.4, down to -1 */
		{5, 9, -1000, -4},              /* -10 % of -4 = 0.4, down to 0 */
		{100, 0, 11000, 210},           /* 110 % is an allowance of 110 %, not a factor */
	};
	for (size_t i = 0; i < KR_ARRAY_COUNT(cases); i++) {
		struct inv_row row = row_of(cases[i].physical, cases[i].out_of_order,
			cases[i].basis_points, INV_ALLOWANCE_BASIS_POINTS);
		struct inv_limit limit = inv_limit_of(&row, &nothing);
		cr_assert_eq(limit.value, cases[i].limit, "case %zu: %ld", i, (long)limit.value);
		cr_assert(limit.is_loaded);
	}
}

Test(limit, adds_rooms_as_they_are)
{
	for (int32_t allowance = -20; allowance <= 20; allowance++) {
		struct inv_row row = row_of(12, 5, allowance, INV_ALLOWANCE_ROOMS);
		cr_assert_eq(inv_limit_of(&row, &nothing).value, 7 + allowance);
	}
}

/* Each input by date beats the type's, alone and together; a cap of the type beats all. */
Test(limit, takes_each_input_by_date_where_it_is_set)
{
	for (uint32_t by_date = 0; by_date < 8; by_date++) {
		for (uint32_t by_type = 0; by_type < 16; by_type++) {
			struct inv_row row = {.set_mask = (by_type & 7) << 2, .allowance_unit = 1};
			struct inv_stock date = {.set_mask = by_date};
			row.physical = (by_type & 1) != 0 ? 100 : 0;
			row.out_of_order = (by_type & 2) != 0 ? 10 : 0;
			row.allowance = (by_type & 4) != 0 ? 1 : 0;
			if ((by_type & 8) != 0) {
				row.set_mask |= INV_TYPE_CAP;
				row.cap = -3;
			}
			date.physical = (by_date & 1) != 0 ? 200 : 0;
			date.out_of_order = (by_date & 2) != 0 ? 20 : 0;
			date.allowance = (by_date & 4) != 0 ? 2 : 0;
			date.allowance_unit = (by_date & 4) != 0 ? 1 : 0;
			int64_t expected = (by_date & 1) != 0 ? 200 : row.physical;
			expected -= (by_date & 2) != 0 ? 20 : row.out_of_order;
			expected += (by_date & 4) != 0 ? 2 : row.allowance;
			bool is_loaded = ((by_date | by_type) & 1) != 0;
			if (!is_loaded)
				expected = 0;
			if ((by_type & 8) != 0) {
				expected = -3;
				is_loaded = true;
			}
			struct inv_limit limit = inv_limit_of(&row, &date);
			cr_assert_eq(limit.value, expected, "date %u type %u", by_date, by_type);
			cr_assert_eq(limit.is_loaded, is_loaded);
		}
	}
}

Test(limit, knows_the_width_of_a_counter)
{
	static const struct {
		uint16_t physical, out_of_order;
		int32_t allowance;
		bool fits;
	} cases[] = {
		{32767, 0, 0, true},
		{32768, 0, 0, false},
		{65535, 32768, 0, true},
		{65535, 32767, 0, false},
		{0, 32768, 0, true},
		{0, 32769, 0, false},
		{0, 65535, 32767, true},
		{0, 0, INT32_MAX, false},
		{0, 0, INT32_MIN, false},
	};
	for (size_t i = 0; i < KR_ARRAY_COUNT(cases); i++) {
		struct inv_row row = row_of(cases[i].physical, cases[i].out_of_order,
			cases[i].allowance, INV_ALLOWANCE_ROOMS);
		cr_assert_eq(inv_limit_fits(inv_limit_of(&row, &nothing)), cases[i].fits, "%zu", i);
	}
	struct inv_row widest = row_of(65535, 0, INT32_MAX, INV_ALLOWANCE_BASIS_POINTS);
	cr_assert_not(inv_limit_fits(inv_limit_of(&widest, &nothing)));
}

/* Against division that never rounds: 10,000 x limit lies within one room above the exact value. */
Test(limit, lies_within_a_room_below_the_exact_value)
{
	for (int32_t rooms = -50; rooms <= 50; rooms++) {
		for (int32_t points = -12000; points <= 12000; points += 77) {
			int64_t got =
				inv_allowance_rooms(rooms, points, INV_ALLOWANCE_BASIS_POINTS);
			int64_t exact = (int64_t)rooms * points;
			cr_assert(got * 10000 <= exact && exact < (got + 1) * 10000);
		}
	}
}

Test(limit, leaves_the_rest_of_a_counter_alone)
{
	const uint16_t flags = CELL_CLOSED | CELL_CTA | CELL_EXPLICIT_CAP | CELL_LOADED;
	uint64_t word = cell_counter_pack(
		(struct cell_counter){.limit = 5, .held = 3, .booked = 4, .flags = flags});
	word = inv_limit_put(word, (struct inv_limit){.value = 0, .is_loaded = false});
	struct cell_counter c = cell_counter_unpack(word);
	cr_assert_eq(c.flags, CELL_CLOSED | CELL_CTA);
	cr_assert_eq(c.limit, 0);
	cr_assert_eq(c.held, 3);
	cr_assert_eq(c.booked, 4);
	c = cell_counter_unpack(
		inv_limit_put(word, (struct inv_limit){.value = -7, .is_loaded = true}));
	cr_assert_eq(c.flags, CELL_CLOSED | CELL_CTA | CELL_LOADED);
	cr_assert_eq(c.limit, -7);
	cr_assert_eq(c.held, 3);
	cr_assert_eq(c.booked, 4);
}
