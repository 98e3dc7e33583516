#include <criterion/criterion.h>

#include "tools/keyrack/night_sum.h"

static struct keyrack_listed_night night(
	int32_t limit, uint32_t rooms, uint32_t held, uint32_t booked)
{
	const int64_t over = (int64_t)held + booked - limit;
	return (struct keyrack_listed_night){
		.limit = limit,
		.held = held,
		.booked = booked,
		.has_rooms = true,
		.rooms = rooms,
		.over_limit = over > 0 ? (uint32_t)over : 0,
		.walks = booked > rooms ? booked - rooms : 0,
	};
}

static void occupancy_is(struct night_sum sum, const char *expected)
{
	char text[NIGHT_SUM_TEXT_SIZE];
	night_sum_format(&sum, text);
	cr_assert_str_eq(text, expected);
}

Test(night_sum, what_is_left_on_one_night_does_not_make_up_for_another)
{
	struct night_sum sum = {0};
	struct keyrack_listed_night nights[] = {night(10, 10, 1, 2), night(2, 4, 2, 5)};
	night_sum_add(&sum, &nights[0]);
	night_sum_add(&sum, &nights[1]);
	cr_assert(sum.nights == 2 && sum.known_nights == 2 && sum.rooms == 14);
	cr_assert(sum.held == 3 && sum.booked == 7 && sum.left == 7);
	cr_assert(sum.over_limit == 5 && sum.walks == 1);
	occupancy_is(sum, "50.0 %");
}

Test(night_sum, occupancy_has_one_decimal_rounded_half_up)
{
	occupancy_is((struct night_sum){.rooms = 3, .booked_known = 1}, "33.3 %");
	occupancy_is((struct night_sum){.rooms = 3, .booked_known = 2}, "66.7 %");
	occupancy_is((struct night_sum){.rooms = 2000, .booked_known = 1}, "0.1 %");
	occupancy_is((struct night_sum){.rooms = 2001, .booked_known = 1}, "0.0 %");
	occupancy_is((struct night_sum){.rooms = 4, .booked_known = 5}, "125.0 %");
	occupancy_is((struct night_sum){.rooms = 7, .booked_known = 0}, "0.0 %");
}

Test(night_sum, without_rooms_there_is_no_occupancy)
{
	uint64_t permille = 77;
	struct night_sum sum = {0}, all = {0};
	struct keyrack_listed_night unknown = night(5, 0, 0, 3), full = night(2, 2, 0, 2);
	unknown.has_rooms = false;
	unknown.walks = 0;
	night_sum_add(&sum, &unknown);
	cr_assert_not(night_sum_occupancy(&sum, &permille));
	cr_assert_eq(permille, 77);
	occupancy_is(sum, "-");
	night_sum_add(&sum, &full);
	cr_assert(sum.nights == 2 && sum.known_nights == 1);
	cr_assert(sum.booked == 5 && sum.booked_known == 2);
	occupancy_is(sum, "100.0 %");
	night_sum_join(&all, &sum);
	night_sum_join(&all, &sum);
	cr_assert(all.nights == 4 && all.booked == 10 && all.rooms == 4 && all.left == 4);
	occupancy_is(all, "100.0 %");
}
