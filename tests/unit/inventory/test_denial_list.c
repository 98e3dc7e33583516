#include "engine/inventory/listing.h"
#include "tests/unit/inventory/sales.h"

/* Lists of denials: filters, and pages of any size. */

#define NIGHTS 6

static int32_t day_one(void)
{
	return world_day(2026, 11, 25);
}

static uint32_t list_all(struct world *w, const struct inv_denial_query *query, uint32_t page,
	uint32_t budget, struct inv_denial *ret, uint64_t *ret_sum)
{
	uint32_t at = 0, count = 0;
	bool more = true;
	*ret_sum = 0;
	while (more) {
		uint32_t got =
			inv_denial_list(w->inv, query, &at, budget, ret + count, page, &more);
		cr_assert_leq(got, page);
		for (uint32_t i = count; i < count + got; i++)
			*ret_sum += ret[i].count;
		count += got;
	}
	cr_assert_eq(at, w->config.denials_max);
	return count;
}

Test(denial_list, tells_each_denial_that_fits_once)
{
	struct world w;
	static struct inv_denial denials[128];
	uint64_t sum;
	world_init(&w, NULL);
	world_standard(&w, 2, 1);
	for (int32_t n = 0; n < NIGHTS; n++) {
		(void)sales_book(&w, 1000 + (uint64_t)n, 1, day_one() + n, day_one() + n + 1);
		for (int32_t i = 0; i <= n; i++) {
			struct inv_line line = stay_line(1, day_one() + n, day_one() + n + 1);
			struct inv_reserve_op op = hold_op(&w, (uint64_t)(10 * n + i), &line, 1);
			cr_assert_eq(sales_reserve(&w, &op), KEYRACK_SOLD_OUT);
		}
	}
	struct inv_line past = stay_line(2, day_one() - 20, day_one());
	struct inv_reserve_op op = hold_op(&w, 500, &past, 1);
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_PAST_DATE);
	struct inv_denial_query query = {.hotel = {0}};
	for (uint32_t page = 1; page < 9; page++) {
		cr_assert_eq(list_all(&w, &query, page, page + 2, denials, &sum), NIGHTS + 1);
		cr_assert_eq(sum, NIGHTS * (NIGHTS + 1) / 2 + 1);
	}
	query.rule = RULE_DATES;
	cr_assert_eq(list_all(&w, &query, 5, 7, denials, &sum), 1);
	cr_assert(denials[0].type == 2 && denials[0].count == 1);
	query = (struct inv_denial_query){.hotel = {WORLD_HOTEL},
		.has_nights = true,
		.first_day = day_one() + 1,
		.last_day = day_one() + 2};
	cr_assert_eq(list_all(&w, &query, 5, 7, denials, &sum), 2);
	cr_assert_eq(sum, 2 + 3);
	query.hotel.v = WORLD_HOTEL + 1;
	cr_assert_eq(list_all(&w, &query, 5, 7, denials, &sum), 0);
	sales_agree(&w);
	world_fini(&w);
}
