#include "tests/unit/inventory/sales.h"

/* Lists: which reservations fit which filter, and that each is met once. */

#define ROOMS 20

static int32_t day_one(void)
{
	return world_day(2026, 11, 25);
}

static const struct inv_reservation_filter everything;

/* Ids found, in the table's order; budget a call. Returns how many. */
static uint32_t listed(struct world *w, const struct inv_reservation_filter *filter,
	uint32_t budget_each, struct kr_id *ids, uint32_t ids_max)
{
	struct inv_reservation_view view;
	uint32_t at = 0, count = 0;
	for (;;) {
		uint32_t budget = budget_each;
		enum inv_scan scan =
			inv_reservation_scan(w->inv, w->now.t_us, filter, &at, &budget, &view);
		if (scan == INV_SCAN_ENDED)
			return count;
		cr_assert(scan == INV_SCAN_FOUND || budget == 0);
		if (scan == INV_SCAN_FOUND) {
			cr_assert_lt(count, ids_max);
			ids[count++] = view.id;
		}
	}
}

static uint32_t fitting(struct world *w, const struct inv_reservation_filter *filter)
{
	struct kr_id ids[64];
	const uint32_t count = listed(w, filter, 1000, ids, 64);
	struct kr_id again[64];
	cr_assert_eq(listed(w, filter, 1, again, 64), count, "a small budget finds as many");
	return count;
}

/* One that fits: and it is that. */
static void only(struct world *w, const struct inv_reservation_filter *filter, struct kr_id id)
{
	struct kr_id ids[64];
	cr_assert_eq(listed(w, filter, 3, ids, 64), 1);
	cr_assert(kr_id_equal(ids[0], id));
}

Test(scan, each_filter_finds_what_fits_and_nothing_else)
{
	struct world w;
	world_init(&w, NULL);
	world_standard(&w, 2, ROOMS);
	struct kr_id held = sales_hold(&w, 1, 1, day_one(), day_one() + 2);
	struct kr_id booked = sales_book(&w, 2, 1, day_one() + 10, day_one() + 13);
	struct inv_line lines[2] = {stay_line(1, day_one() + 20, day_one() + 22),
		stay_line(2, day_one() + 22, day_one() + 25)};
	struct inv_reserve_op op = book_op(&w, 3, lines, 2);
	op.guest = (struct inv_guest_id){.hi = 4, .lo = 5};
	op.external_ref = text("chan-77");
	op.actor.source = 9;
	op.payment_ref = text("paid");
	cr_assert_eq(sales_reserve(&w, &op), KEYRACK_DONE);
	(void)sales_resolve(&w, sales_id(&w, 50)); /* a VOID without a hotel */
	cr_assert_eq(fitting(&w, &everything), 4);
	struct inv_reservation_filter f = {.hotel = {WORLD_HOTEL}};
	cr_assert_eq(fitting(&w, &f), 3);
	f.hotel.v++;
	cr_assert_eq(fitting(&w, &f), 0);
	f = (struct inv_reservation_filter){.state_mask = 1u << INV_HELD};
	only(&w, &f, held);
	f.state_mask = 1u << INV_CONFIRMED | 1u << INV_VOID;
	cr_assert_eq(fitting(&w, &f), 3);
	f = (struct inv_reservation_filter){.guest = {.hi = 4, .lo = 5}};
	only(&w, &f, op.id);
	f.guest.lo = 6;
	cr_assert_eq(fitting(&w, &f), 0);
	f = (struct inv_reservation_filter){.external_ref = text("chan-77")};
	only(&w, &f, op.id);
	f.source = 8;
	cr_assert_eq(fitting(&w, &f), 0);
	f = (struct inv_reservation_filter){.source = 9};
	only(&w, &f, op.id);
	f = (struct inv_reservation_filter){.payment = 1};
	only(&w, &f, op.id);
	f.payment = 2;
	cr_assert_eq(fitting(&w, &f), 3);
	f = (struct inv_reservation_filter){.has_arrival = true,
		.arrival_first = day_one() + 10,
		.arrival_last = day_one() + 10};
	only(&w, &f, booked);
	f.arrival_last = day_one() + 20;
	cr_assert_eq(fitting(&w, &f), 2);
	/* the second line's first night is no arrival */
	f.arrival_first = f.arrival_last = day_one() + 22;
	cr_assert_eq(fitting(&w, &f), 0);
	f = (struct inv_reservation_filter){.has_departure = true,
		.departure_first = day_one() + 25,
		.departure_last = day_one() + 25};
	only(&w, &f, op.id);
	/* a night is slept, the date of check-out is not */
	f = (struct inv_reservation_filter){
		.has_night = true, .night_first = day_one() + 12, .night_last = day_one() + 12};
	only(&w, &f, booked);
	f.night_first = f.night_last = day_one() + 13;
	cr_assert_eq(fitting(&w, &f), 0);
	f.night_first = f.night_last = day_one() + 22;
	only(&w, &f, op.id);
	world_fini(&w);
}

Test(scan, one_that_stays_is_met_once_whatever_comes_and_goes)
{
	struct world w;
	world_init(&w, NULL);
	world_standard(&w, 1, ROOMS);
	struct kr_id stays[6], goes[6];
	for (uint64_t i = 0; i < 6; i++) {
		goes[i] = sales_hold(&w, 100 + i, 1, day_one(), day_one() + 1);
		stays[i] = sales_book(&w, 200 + i, 1, day_one() + 2, day_one() + 3);
	}
	uint32_t met[6] = {0}, at = 0;
	struct inv_reservation_view view;
	for (uint64_t step = 0;; step++) {
		uint32_t budget = 2;
		enum inv_scan scan =
			inv_reservation_scan(w.inv, w.now.t_us, &everything, &at, &budget, &view);
		if (scan == INV_SCAN_ENDED)
			break;
		for (int i = 0; scan == INV_SCAN_FOUND && i < 6; i++)
			met[i] += kr_id_equal(view.id, stays[i]);
		/* in between: one ends and is retired, another comes, one changes its state */
		if (step < 6)
			(void)sales_release(&w, goes[step]);
		if (step == 2)
			w.now.t_us += w.config.retention_us + HOUR_US;
		(void)sales_due(&w);
		if (step < 8)
			(void)sales_hold(&w, 300 + step, 1, day_one() + 4, day_one() + 5);
		cr_assert_lt(step, 40);
	}
	for (int i = 0; i < 6; i++)
		cr_assert_eq(met[i], 1, "%d: %u", i, met[i]);
	world_fini(&w);
}

Test(scan, an_arrival_is_an_instant_of_the_hotels_own_day)
{
	struct world w;
	world_init(&w, NULL);
	world_standard(&w, 1, ROOMS);
	struct inv_hotel_op hotel = hotel_op(WORLD_HOTEL);
	hotel.mask = INV_HOTEL_CHECK_IN;
	hotel.settings.check_in_minute = 16 * 60;
	cr_assert_eq(world_hotel_put(&w, &hotel), KEYRACK_DONE);
	struct kr_id early = sales_book(&w, 1, 1, day_one(), day_one() + 2);
	(void)sales_book(&w, 2, 1, day_one() + 1, day_one() + 2);
	(void)sales_resolve(&w, sales_id(&w, 99));
	const uint64_t arrival_us = (uint64_t)day_one() * DAY_US + 16 * HOUR_US;
	struct inv_reservation_filter filter = {.arrives_before_us = arrival_us};
	cr_assert_eq(fitting(&w, &filter), 0);
	filter.arrives_before_us = arrival_us + 1;
	only(&w, &filter, early);
	filter.arrives_before_us = arrival_us + DAY_US + 1;
	cr_assert_eq(fitting(&w, &filter), 2);
	world_fini(&w);
}
