#include "engine/inventory/listing.h"
#include "tests/unit/inventory/world.h"

/* Stock by date, as it is read back: a page at a time, held against what was set night by night. */

#define NIGHTS 21
#define TYPES 3

struct said {
	uint32_t set_mask;
	uint16_t physical, out_of_order;
	int32_t allowance;
};

static struct said said[TYPES + 1][NIGHTS];

static void say(struct world *w, uint16_t type, int32_t first, int32_t last, struct said what)
{
	int32_t day = world_day(2026, 12, 1);
	struct inv_update_op op = update_op(&type, 1, day + first, day + last);
	struct inv_update *update = &op.update;
	update->set_mask = what.set_mask;
	update->clear_mask = INV_UPDATE_PHYSICAL | INV_UPDATE_OUT_OF_ORDER | INV_UPDATE_ALLOWANCE;
	update->clear_mask &= ~what.set_mask;
	update->physical = what.physical;
	update->out_of_order = what.out_of_order;
	update->allowance = what.allowance;
	update->allowance_unit = INV_ALLOWANCE_BASIS_POINTS;
	cr_assert_eq(world_update(w, &op), KEYRACK_DONE);
	for (int32_t n = first; n <= last; n++)
		said[type][n] = what;
}

/* All pages; every run is what was said of its nights, and says everything that was said. */
static void check(struct world *w, uint32_t page)
{
	struct inv_stock_view views[NIGHTS];
	int32_t day = world_day(2026, 12, 1), from_day = INT32_MIN, expected_nights = 0;
	uint16_t from_type = 0;
	bool more = true;
	for (int t = 1; t <= TYPES; t++)
		for (int n = 0; n < NIGHTS; n++)
			expected_nights += said[t][n].set_mask != 0;
	while (more) {
		uint32_t count = inv_stock_list(w->inv, (struct hotel_id){WORLD_HOTEL}, from_type,
			from_day, views, page, &more);
		cr_assert(count == page || !more);
		for (uint32_t i = 0; i < count; i++) {
			const struct inv_stock_view *v = &views[i];
			cr_assert(v->type > from_type ||
				  (v->type == from_type && v->first_day >= from_day));
			for (int32_t d = v->first_day; d <= v->last_day; d++, expected_nights--) {
				const struct said *s = &said[v->type][d - day];
				cr_assert_eq(v->set_mask, s->set_mask);
				cr_assert_eq(v->physical, s->physical);
				cr_assert_eq(v->out_of_order, s->out_of_order);
				cr_assert_eq(v->allowance, s->allowance);
			}
			from_type = v->type;
			from_day = v->last_day + 1;
		}
	}
	cr_assert_eq(expected_nights, 0);
}

Test(stock_list, tells_every_night_that_has_something_once_whatever_the_page)
{
	static const struct said kinds[] = {
		{INV_UPDATE_PHYSICAL, 7, 0, 0},
		{INV_UPDATE_OUT_OF_ORDER, 0, 2, 0},
		{INV_UPDATE_PHYSICAL | INV_UPDATE_ALLOWANCE, 9, 0, -1000},
		{0, 0, 0, 0},
	};
	struct world w;
	uint32_t random = 1;
	world_init(&w, NULL);
	world_standard(&w, TYPES, 5);
	check(&w, 1);
	for (int i = 0; i < 120; i++) {
		random = random * 1664525u + 1013904223u;
		int32_t first = (int32_t)(random >> 8) % NIGHTS;
		int32_t last = first + (int32_t)(random >> 16) % 9;
		say(&w, (uint16_t)(1 + (random >> 28) % TYPES), first,
			last < NIGHTS ? last : NIGHTS - 1, kinds[random >> 20 & 3]);
		check(&w, 1 + (random >> 12) % 7);
	}
	check(&w, NIGHTS);
	world_fini(&w);
}

Test(stock_list, begins_inside_a_run_and_behind_the_last)
{
	struct world w;
	struct inv_stock_view view;
	struct hotel_id hotel = {WORLD_HOTEL};
	int32_t day = world_day(2026, 12, 1);
	bool more;
	world_init(&w, NULL);
	world_standard(&w, TYPES, 5);
	say(&w, 2, 10, 20, (struct said){INV_UPDATE_PHYSICAL, 3, 0, 0});
	cr_assert_eq(inv_stock_list(w.inv, hotel, 2, day + 20, &view, 1, &more), 1);
	cr_assert(!more && view.first_day == day + 10 && view.last_day == day + 20);
	cr_assert_eq(inv_stock_list(w.inv, hotel, 2, day + 21, &view, 1, &more), 0);
	cr_assert_eq(inv_stock_list(w.inv, hotel, 3, INT32_MIN, &view, 1, &more), 0);
	cr_assert_eq(inv_stock_list(w.inv, hotel, 1, INT32_MAX, &view, 1, &more), 1);
	world_fini(&w);
}
