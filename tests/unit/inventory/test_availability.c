#include "world.h"

static struct world w;
static int32_t today;

static void begin(void)
{
	world_init(&w, NULL);
	world_standard(&w, 3, 10);
	today = world_day(2026, 11, 22);
	for (uint16_t type = 1; type <= 3; type++) {
		for (int32_t n = 0; n < 40; n++) {
			struct inv_update_op op = update_op(&type, 1, today + n, today + n);
			op.update.set_mask = INV_UPDATE_PRICE | INV_UPDATE_CAP;
			op.update.price_minor = type * 1000 + n;
			op.update.cap = n;
			cr_assert_eq(world_update(&w, &op), KEYRACK_DONE);
		}
	}
}

static void end(void)
{
	world_agree(&w);
	world_fini(&w);
}

TestSuite(availability, .init = begin, .fini = end);

static uint64_t counters[INV_QUERY_CELLS_MAX], rates[INV_QUERY_CELLS_MAX];
static const uint16_t all[] = {3, 1, 2};

static uint16_t ask(const uint16_t *types, uint32_t type_count, int32_t first, uint32_t nights)
{
	inv_availability(w.inv, (struct hotel_id){WORLD_HOTEL}, types, type_count, 0, first, nights,
		counters, rates, &w.answer);
	return w.answer.code;
}

Test(availability, columns_hold_each_night_wherever_the_ring_wraps)
{
	for (int rolled = 0; rolled < 40; rolled += 3) {
		for (int32_t from = 0; from < 40; from += 7) {
			for (uint32_t nights = 1; (uint32_t)from + nights <= 40; nights += 5) {
				cr_assert_eq(
					ask(all, 3, today + rolled + from, nights), KEYRACK_DONE);
				cr_assert_eq(w.answer.cell_count, 3 * nights);
				for (uint32_t i = 0; i < 3 * nights; i++) {
					int32_t n = rolled + from + (int32_t)(i % nights);
					uint16_t type = all[i / nights];
					struct cell_counter c = cell_counter_unpack(counters[i]);
					struct cell_rate r = cell_rate_unpack(rates[i]);
					cr_assert_eq(c.limit, n < 40 ? n : 10);
					cr_assert_eq(r.price_minor,
						n < 40 ? (uint64_t)(type * 1000 + n) : 0);
				}
			}
		}
		w.now.t_us += 3 * DAY_US;
		cr_assert_eq(world_roll(&w), 1);
	}
}

Test(availability, shows_what_is_held_and_booked)
{
	world_sell(&w, 2, today + 4, 3, 5);
	cr_assert_eq(ask(all + 2, 1, today + 4, 1), KEYRACK_DONE);
	struct cell_counter c = cell_counter_unpack(counters[0]);
	cr_assert(c.held == 3 && c.booked == 5 && c.limit == 4);
	cr_assert_eq(cell_left(c), -4, "the signed value is kept");
	cr_assert_eq(w.answer.ari_version, 4 + 120);
	cr_assert_eq(w.answer.wait_lsn, w.lsn);
	world_sell(&w, 2, today + 4, 0, 0);
}

Test(availability, refuses_as_judging_does)
{
	static const uint16_t unknown[] = {1, 9};
	cr_assert_eq(ask(all, 3, today - 1, 2), KEYRACK_PAST_DATE);
	cr_assert(w.answer.refusal.has_day);
	cr_assert_eq(w.answer.refusal.day, today - 1);
	cr_assert_eq(w.answer.refusal.required, today);
	cr_assert_eq(ask(all, 3, today + 38, 3), KEYRACK_OUT_OF_WINDOW);
	cr_assert_eq(w.answer.refusal.day, today + 40);
	cr_assert_eq(ask(all, 3, INT32_MAX, 3), KEYRACK_OUT_OF_WINDOW);
	cr_assert_eq(ask(all, 3, INT32_MIN, 3), KEYRACK_PAST_DATE);
	cr_assert_eq(ask(all, 3, today, 0), KEYRACK_INVALID);
	cr_assert_eq(ask(all, 3, today, UINT32_MAX), KEYRACK_INVALID);
	cr_assert_eq(ask(all, 3, today, INV_QUERY_CELLS_MAX / 3 + 1), KEYRACK_INVALID);
	cr_assert_str_eq(w.answer.refusal.text, "cells");
	cr_assert_eq(ask(unknown, 2, today, 1), KEYRACK_NOT_FOUND);
	cr_assert_eq(w.answer.refusal.rule, RULE_TYPE);
	cr_assert_eq(w.answer.refusal.required, 9);
	inv_availability(
		w.inv, (struct hotel_id){5}, all, 3, 0, today, 1, counters, rates, &w.answer);
	cr_assert_eq(w.answer.code, KEYRACK_NOT_FOUND);
	cr_assert_eq(w.answer.refusal.rule, RULE_HOTEL);
}

struct seen {
	uint32_t count;
	uint64_t limits;
};

static void see(void *user, struct hotel_id hotel, uint16_t type, int32_t day, uint64_t counter,
	uint64_t rate)
{
	struct seen *seen = user;
	cr_assert_eq(hotel.v, WORLD_HOTEL);
	cr_assert(type >= 1 && type <= 3);
	cr_assert(day >= today && day < today + 40);
	cr_assert_eq(cell_rate_unpack(rate).price_minor, (uint64_t)(type * 1000 + day - today));
	seen->count++;
	seen->limits += (uint64_t)cell_counter_unpack(counter).limit;
}

Test(availability, every_cell_can_be_walked)
{
	struct seen seen = {0, 0};
	inv_cells_each(w.inv, see, &seen);
	cr_assert_eq(seen.count, 120);
	cr_assert_eq(seen.limits, 3 * (39 * 40 / 2));
}

Test(availability, prefetching_is_harmless)
{
	for (unsigned stage = 0; stage < 3; stage++) {
		inv_hotel_prefetch(w.inv, (struct hotel_id){WORLD_HOTEL}, stage);
		inv_hotel_prefetch(w.inv, (struct hotel_id){123}, stage);
	}
	cr_assert_eq(ask(all, 3, today, 1), KEYRACK_DONE);
}
