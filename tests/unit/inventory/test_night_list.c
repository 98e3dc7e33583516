#include "engine/inventory/listing.h"
#include "tests/unit/inventory/world.h"

/* Nights with their figures, held against what was said and sold night by night. */

#define TYPES 3
#define WINDOW 40 /* of world_config() */
#define ROOMS 5
#define OTHER UINT64_C(78)

struct said {
	bool has_physical;
	int physical, out_of_order, held, booked;
};

static struct said said[TYPES + 1][WINDOW];

static int32_t first_night(void)
{
	return world_day(2026, 11, 22);
}

static struct inv_night_query query_of(int32_t first, int32_t last, uint32_t filter)
{
	return (struct inv_night_query){.hotel = {WORLD_HOTEL},
		.first_day = first_night() + first,
		.last_day = first_night() + last,
		.filter = filter};
}

/* Every page of a list, put together. */
static uint32_t list_all(struct world *w, const struct inv_night_query *query, uint32_t page,
	uint32_t budget, struct inv_night_view *ret, uint32_t ret_max)
{
	struct inv_night_place place = inv_night_begin(w->inv, query);
	uint32_t count = 0;
	while (place.row != INV_NIGHT_END) {
		cr_assert(inv_night_place_is_valid(w->inv, query, &place));
		cr_assert_leq(count + page, ret_max);
		const uint32_t got =
			inv_night_list(w->inv, query, &place, budget, ret + count, page);
		cr_assert_leq(got, page);
		count += got;
	}
	return count;
}

/* What the list has to say of one night, the long way; false: the filter leaves it out. */
static bool expect(const struct said *s, uint32_t filter, struct inv_night_view *ret)
{
	const int rooms = s->physical - s->out_of_order;
	const int sold = s->held + s->booked;
	memset(ret, 0, sizeof(*ret));
	ret->limit = rooms;
	ret->rooms = (uint32_t)(rooms > 0 ? rooms : 0);
	ret->over_limit = (uint32_t)(sold > rooms ? sold - rooms : 0);
	ret->walks = (uint32_t)(s->booked > (int)ret->rooms ? s->booked - (int)ret->rooms : 0);
	return filter == 0 || ((filter & INV_NIGHT_OVER_LIMIT) && ret->over_limit > 0) ||
	       ((filter & INV_NIGHT_WALKS) && ret->walks > 0);
}

static void check(
	struct world *w, const struct inv_night_query *query, uint32_t page, uint32_t budget)
{
	static struct inv_night_view views[TYPES * WINDOW + WINDOW];
	const uint32_t count = list_all(w, query, page, budget, views, KR_ARRAY_COUNT(views));
	uint32_t at = 0;
	for (uint16_t t = 1; t <= TYPES; t++)
		for (int32_t n = query->first_day - first_night();
			n <= query->last_day - first_night(); n++) {
			struct inv_night_view e;
			if (n < 0 || n >= WINDOW || !expect(&said[t][n], query->filter, &e))
				continue;
			cr_assert_lt(at, count);
			const struct inv_night_view *v = &views[at++];
			cr_assert_eq(v->hotel.v, WORLD_HOTEL);
			cr_assert(v->type == t && v->day == first_night() + n);
			cr_assert(v->has_rooms && v->is_loaded);
			cr_assert_eq(v->limit, e.limit);
			cr_assert_eq(v->rooms, e.rooms);
			cr_assert_eq(v->over_limit, e.over_limit);
			cr_assert_eq(v->walks, e.walks);
			cr_assert(v->held == said[t][n].held && v->booked == said[t][n].booked);
		}
	cr_assert_eq(at, count);
}

/* Stock of some nights, and rooms sold in one. */
static void change(struct world *w, uint32_t *random)
{
	*random = *random * 1664525u + 1013904223u;
	const uint32_t r = *random >> 8;
	const uint16_t type = (uint16_t)(1 + r % TYPES);
	const int32_t first = (int32_t)(r >> 2) % WINDOW, last = KR_MIN(first + 6, WINDOW - 1);
	struct inv_update_op op = update_op(&type, 1, first_night() + first, first_night() + last);
	op.update.set_mask = INV_UPDATE_PHYSICAL | INV_UPDATE_OUT_OF_ORDER;
	op.update.physical = (int64_t)(r >> 6) % 7;
	op.update.out_of_order = (int64_t)(r >> 10) % 3;
	cr_assert_eq(world_update(w, &op), KEYRACK_DONE);
	for (int32_t n = first; n <= last; n++) {
		said[type][n].physical = (int)op.update.physical;
		said[type][n].out_of_order = (int)op.update.out_of_order;
	}
	struct said *s = &said[type][last];
	if (s->held + s->booked > 0)
		return;
	s->held = (int)(r >> 14) % 4;
	s->booked = (int)(r >> 18) % 5;
	world_sell(w, type, first_night() + last, (uint16_t)s->held, (uint16_t)s->booked);
}

static void standard(struct world *w)
{
	world_init(w, NULL);
	world_standard(w, TYPES, ROOMS);
	for (int t = 1; t <= TYPES; t++)
		for (int n = 0; n < WINDOW; n++)
			said[t][n] = (struct said){.has_physical = true, .physical = ROOMS};
}

Test(night_list, tells_every_night_once_whatever_the_page_and_the_budget)
{
	struct world w;
	uint32_t random = 7;
	standard(&w);
	for (int i = 0; i < 60; i++) {
		for (uint32_t filter = 0; filter <= INV_NIGHT_FILTER_MASK; filter++) {
			struct inv_night_query all = query_of(0, WINDOW - 1, filter);
			struct inv_night_query some = query_of(i % WINDOW - 3, i % WINDOW, filter);
			check(&w, &all, 1 + (uint32_t)i % WINDOW,
				INV_NIGHT_ROW_COST + 1 + (uint32_t)i * 3 % 50);
			check(&w, &some, WINDOW, 100000);
		}
		change(&w, &random);
	}
	world_fini(&w);
}

Test(night_list, a_guest_is_moved_for_rooms_and_not_for_limits)
{
	struct world w;
	struct inv_night_view views[4];
	const struct inv_night_view *view = views;
	const uint16_t type = 1;
	standard(&w);
	/* Sold into the allowance: nothing is over the limit, and yet two have no room. */
	struct inv_update_op op = update_op(&type, 1, first_night() + 3, first_night() + 3);
	op.update.set_mask = INV_UPDATE_ALLOWANCE;
	op.update.allowance = 4;
	op.update.allowance_unit = INV_ALLOWANCE_ROOMS;
	cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
	world_sell(&w, type, first_night() + 3, 1, ROOMS + 2);
	/* Held beyond a cap: over the limit, and everybody who booked has a room. */
	op = update_op(&type, 1, first_night() + 5, first_night() + 5);
	op.update.set_mask = INV_UPDATE_CAP;
	op.update.cap = 1;
	cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
	world_sell(&w, type, first_night() + 5, 2, ROOMS);
	struct inv_night_query walks = query_of(0, WINDOW - 1, INV_NIGHT_WALKS);
	cr_assert_eq(list_all(&w, &walks, 1, 1000, views, 4), 1);
	cr_assert(view->day == first_night() + 3 && view->walks == 2 && view->over_limit == 0);
	struct inv_night_query over = query_of(0, WINDOW - 1, INV_NIGHT_OVER_LIMIT);
	cr_assert_eq(list_all(&w, &over, 1, 1000, views, 4), 1);
	cr_assert(view->day == first_night() + 5 && view->walks == 0 &&
		  view->over_limit == ROOMS + 1);
	cr_assert(view->limit == 1 && view->rooms == ROOMS);
	world_fini(&w);
}

Test(night_list, rooms_that_nobody_counted_are_not_known)
{
	struct world w;
	struct inv_night_view views[4];
	const struct inv_night_view *view = views;
	world_init(&w, NULL);
	world_standard(&w, 0, 0);
	struct inv_type_op op = type_op(4);
	op.mask = INV_TYPE_CAP | INV_TYPE_OUT_OF_ORDER;
	op.settings.cap = 2;
	op.settings.out_of_order = 1;
	cr_assert_eq(world_type_put(&w, &op), KEYRACK_DONE);
	op = type_op(5);
	op.mask = INV_TYPE_PHYSICAL | INV_TYPE_OUT_OF_ORDER;
	op.settings.physical = 2;
	op.settings.out_of_order = 3;
	cr_assert_eq(world_type_put(&w, &op), KEYRACK_DONE);
	world_sell(&w, 4, first_night(), 0, 3);
	const uint16_t types[] = {4, 5};
	struct inv_night_query query = query_of(0, 0, 0);
	query.types = types;
	query.type_count = 1;
	cr_assert_eq(list_all(&w, &query, 1, 1000, views, 4), 1);
	cr_assert(
		!view->has_rooms && view->rooms == 0 && view->walks == 0 && view->over_limit == 1);
	query.types = types + 1;
	cr_assert_eq(list_all(&w, &query, 1, 1000, views, 4), 1);
	cr_assert(view->has_rooms && view->rooms == 0 && view->limit == -1);
	cr_assert(view->over_limit == 1 && view->walks == 0, "no room is as few as there can be");
	world_fini(&w);
}

Test(night_list, over_all_hotels_tonight_is_each_hotels_own)
{
	struct world w;
	struct inv_night_view views[16];
	standard(&w);
	/* Where it is past the day roll already. */
	struct inv_hotel_op far = hotel_op(OTHER);
	far.settings.zone = text("Pacific/Kiritimati");
	w.now.t_us += 3 * HOUR_US;
	cr_assert_eq(world_hotel_put(&w, &far), KEYRACK_DONE);
	struct inv_type_op op = type_op(1);
	op.hotel.v = OTHER;
	op.mask = INV_TYPE_PHYSICAL | INV_TYPE_ALLOWANCE;
	op.settings.physical = 1;
	op.settings.allowance = -3;
	op.settings.allowance_unit = INV_ALLOWANCE_ROOMS;
	op.mask |= INV_TYPE_ALLOWANCE_UNIT;
	cr_assert_eq(world_type_put(&w, &op), KEYRACK_DONE);
	world_sell(&w, 2, first_night(), 0, ROOMS + 1);
	world_sell(&w, 2, first_night() + 1, 0, ROOMS + 4);
	struct inv_night_query query = {.is_relative = true, .filter = INV_NIGHT_FILTER_MASK};
	cr_assert_eq(list_all(&w, &query, 1, INV_NIGHT_ROW_COST + 1, views, 16), 2);
	cr_assert(views[0].hotel.v == WORLD_HOTEL && views[0].day == first_night());
	cr_assert_eq(views[0].walks, 1);
	cr_assert(views[1].hotel.v == OTHER && views[1].day == first_night() + 1);
	cr_assert_eq(views[1].over_limit, 2);
	world_fini(&w);
}

Test(night_list, leaves_out_what_the_window_has_left_and_takes_what_comes)
{
	struct world w;
	static struct inv_night_view views[4 * WINDOW];
	standard(&w);
	struct inv_night_query all = {
		.hotel = {WORLD_HOTEL}, .first_day = INV_DAY_MIN, .last_day = INV_DAY_MAX};
	struct inv_night_place place = inv_night_begin(w.inv, &all);
	cr_assert_eq(inv_night_list(w.inv, &all, &place, 1000, views, 2), 2);
	cr_assert_eq(place.day, first_night() + 2);
	world_time(&w, 2026, 11, 27, 5, 0);
	cr_assert_eq(world_roll(&w), 1);
	/* It goes on at a night that is no more: the row's first one is the next. */
	cr_assert(inv_night_place_is_valid(w.inv, &all, &place));
	cr_assert_eq(inv_night_list(w.inv, &all, &place, 1000, views, 1), 1);
	cr_assert_eq(views[0].day, first_night() + 5);
	cr_assert_eq(list_all(&w, &all, 3, 1000, views, 4 * WINDOW), TYPES * WINDOW);
	cr_assert_eq(views[WINDOW - 1].day, first_night() + 5 + WINDOW - 1);
	struct inv_night_query gone = query_of(0, 4, 0);
	cr_assert_eq(list_all(&w, &gone, 3, 1000, views, 4 * WINDOW), 0);
	struct inv_night_query nobodys = {.hotel = {0}};
	place.row = 1000;
	cr_assert_not(inv_night_place_is_valid(w.inv, &nobodys, &place));
	world_fini(&w);
}

Test(night_list, a_place_is_of_its_hotel_and_types_are_of_theirs)
{
	struct world w;
	uint16_t missing = 0;
	const uint16_t types[] = {1, 2, 9};
	standard(&w);
	struct inv_hotel_op other = hotel_op(OTHER);
	cr_assert_eq(world_hotel_put(&w, &other), KEYRACK_DONE);
	struct inv_night_query query = query_of(0, 0, 0);
	struct inv_night_place place = inv_night_begin(w.inv, &query);
	cr_assert(inv_night_place_is_valid(w.inv, &query, &place));
	query.hotel.v = OTHER;
	cr_assert_not(inv_night_place_is_valid(w.inv, &query, &place));
	cr_assert_eq(inv_night_begin(w.inv, &query).row, INV_NIGHT_END, "it has no types");
	query.hotel.v = WORLD_HOTEL;
	query.types = types;
	query.type_count = 2;
	cr_assert(inv_night_types_exist(w.inv, &query, &missing));
	query.type_count = 3;
	cr_assert_not(inv_night_types_exist(w.inv, &query, &missing));
	cr_assert_eq(missing, 9);
	world_fini(&w);
}
