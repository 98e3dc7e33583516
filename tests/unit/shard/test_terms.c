#include <criterion/criterion.h>

#include "proto/message.h"
#include "tests/unit/shard/world.h"

/* Terms of cancellation through frames: put with a plan, told with reservations and quotes. */

#define ARRIVAL_US(offset)                                                                         \
	((uint64_t)(WORLD_TODAY + (offset)) * 24 * WORLD_HOUR_US + 14 * WORLD_HOUR_US)

/* Half of it from `hours` before on, all of it from a day before on. */
static void put_terms(struct world *world, uint32_t hours)
{
	Keyrack__PlanSettings settings = KEYRACK__PLAN_SETTINGS__INIT;
	Keyrack__PlanPutRequest body = KEYRACK__PLAN_PUT_REQUEST__INIT;
	Keyrack__Tier tiers[2] = {KEYRACK__TIER__INIT, KEYRACK__TIER__INIT};
	Keyrack__Tier *list[2] = {&tiers[0], &tiers[1]};
	tiers[0].hours = hours;
	tiers[0].basis_points = 5000;
	tiers[1].hours = 24;
	tiers[1].nights = 9;
	settings.tiers = list;
	settings.n_tiers = 2;
	body.hotel_id = WORLD_HOTEL;
	body.type = 1;
	body.mask = INV_PLAN_TIERS;
	body.settings = &settings;
	cr_assert_eq(world_do(world, world_frame(world, FRAME_PLAN_PUT, FRAME_ROUTE_HOTEL,
					     WORLD_HOTEL, &body.base)),
		KEYRACK_DONE);
}

static const void *told(struct world *world, uint64_t request_id)
{
	cr_assert_eq(world_do(world, request_id), KEYRACK_DONE);
	return world_answer(world, request_id)->message;
}

static struct kr_id sell(struct world *world, unsigned type, int32_t offset)
{
	struct kr_id id = world_id(world, WORLD_HOTEL);
	const Keyrack__ReservationAnswer *a =
		told(world, world_sale(world, type, id, 1, offset, 2, 0));
	cr_assert(!a->has_amounts);
	return id;
}

static const Keyrack__Reservation *shown(struct world *world, struct kr_id id)
{
	const Keyrack__ReservationGetAnswer *a = told(world, world_get(world, id));
	return a->reservation;
}

Test(terms, a_reservation_tells_what_cancelling_would_cost_and_a_cancellation_what_it_did)
{
	struct world *world = world_serving(5);
	put_terms(world, 100);
	struct kr_id id = sell(world, FRAME_BOOK, 10);
	const Keyrack__Reservation *r = shown(world, id);
	cr_assert_eq(r->lines[0]->n_tiers, 2);
	cr_assert_eq(r->lines[0]->tiers[0]->hours, 100);
	cr_assert_eq(r->lines[0]->tiers[0]->basis_points, 5000);
	cr_assert_eq(r->lines[0]->tiers[1]->nights, 9);
	cr_assert_eq(r->lines[0]->arrival_us, ARRIVAL_US(10));
	cr_assert_eq(r->free_cancel_until_us, ARRIVAL_US(10) - 100 * WORLD_HOUR_US);
	cr_assert(r->has_amounts && r->penalty_minor == 0 && r->refundable_minor == 20000);
	world_pass(world, ARRIVAL_US(10) - 99 * WORLD_HOUR_US - world->wall_us);
	r = shown(world, id);
	cr_assert(r->has_amounts && r->penalty_minor == 10000 && r->refundable_minor == 10000);
	for (int again = 0; again < 2; again++) {
		const Keyrack__ReservationAnswer *a =
			told(world, world_transition(world, FRAME_CANCEL, id));
		cr_assert_eq(a->state, INV_CANCELLED);
		cr_assert_eq(a->repeated_op, again);
		cr_assert(a->has_amounts);
		cr_assert_eq(a->penalty_minor, 10000);
		cr_assert_eq(a->refundable_minor, 10000);
		world_pass(world, WORLD_HOUR_US);
	}
	world_free(world);
}

Test(terms, they_are_there_after_a_restart_from_the_log_and_from_a_snapshot)
{
	for (int from_snapshot = 0; from_snapshot < 2; from_snapshot++) {
		struct world *world = world_serving(5);
		put_terms(world, 100);
		struct kr_id id = sell(world, FRAME_BOOK, 10);
		put_terms(world, 200);
		if (from_snapshot) {
			Keyrack__SnapshotRequest body = KEYRACK__SNAPSHOT_REQUEST__INIT;
			(void)told(world, world_frame(world, FRAME_SNAPSHOT, FRAME_ROUTE_SHARD,
						  world->config.shard_index, &body.base));
			world_settle(world);
		}
		world_stop(world);
		world_restart(world, from_snapshot);
		cr_assert_eq(world_start(world, false), 0);
		const Keyrack__Reservation *r = shown(world, id);
		cr_assert_eq(r->free_cancel_until_us, ARRIVAL_US(10) - 100 * WORLD_HOUR_US);
		r = shown(world, sell(world, FRAME_HOLD, 10));
		cr_assert_eq(r->free_cancel_until_us, ARRIVAL_US(10) - 200 * WORLD_HOUR_US);
		cr_assert(r->has_amounts && r->penalty_minor == 0);
		world_free(world);
	}
}

static uint64_t ask_stay(struct world *world, Keyrack__Line *line)
{
	Keyrack__StayRequest body = KEYRACK__STAY_REQUEST__INIT;
	Keyrack__Line *lines[1] = {line};
	line->type = 1;
	line->check_in = WORLD_TODAY + 10;
	line->check_out = WORLD_TODAY + 12;
	line->rooms = 1;
	line->guests = 1;
	body.hotel_id = WORLD_HOTEL;
	body.lines = lines;
	body.n_lines = 1;
	return world_frame(world, FRAME_STAY, FRAME_ROUTE_HOTEL, WORLD_HOTEL, &body.base);
}

Test(terms, a_quote_tells_its_deadline_and_a_request_may_not_bring_its_own_terms)
{
	struct world *world = world_serving(5);
	Keyrack__Line line = KEYRACK__LINE__INIT;
	const Keyrack__StayAnswer *a = told(world, ask_stay(world, &line));
	cr_assert_eq(a->free_cancel_until_us, 0);
	put_terms(world, 100);
	a = told(world, ask_stay(world, &line));
	cr_assert_eq(a->free_cancel_until_us, ARRIVAL_US(10) - 100 * WORLD_HOUR_US);
	cr_assert_eq(a->lines[0]->n_tiers, 2);
	cr_assert_eq(a->lines[0]->arrival_us, ARRIVAL_US(10));
	line.arrival_us = 1;
	cr_assert_eq(world_do(world, ask_stay(world, &line)), KEYRACK_INVALID);
	Keyrack__Tier tier = KEYRACK__TIER__INIT, *tiers[1] = {&tier};
	tier.nights = 1;
	line.arrival_us = 0;
	line.tiers = tiers;
	line.n_tiers = 1;
	cr_assert_eq(world_do(world, ask_stay(world, &line)), KEYRACK_INVALID);
	world_free(world);
}

/* A page of long policies ends before its reader has too many fields. */
Test(terms, a_page_of_reservations_is_one_that_can_be_read)
{
	struct shard_config config;
	world_config_default(&config);
	config.inventory.nodes_max = 16384;
	struct world *world = world_serving_as(&config, 400);
	Keyrack__PlanSettings settings = KEYRACK__PLAN_SETTINGS__INIT;
	Keyrack__PlanPutRequest put = KEYRACK__PLAN_PUT_REQUEST__INIT;
	Keyrack__Tier tiers[INV_TIERS_MAX], *list[INV_TIERS_MAX];
	for (uint32_t i = 0; i < INV_TIERS_MAX; i++) {
		keyrack__tier__init(&tiers[i]);
		tiers[i].hours = 100 - i;
		tiers[i].nights = 1;
		list[i] = &tiers[i];
	}
	settings.tiers = list;
	settings.n_tiers = INV_TIERS_MAX;
	put.hotel_id = WORLD_HOTEL;
	put.type = 1;
	put.mask = INV_PLAN_TIERS;
	put.settings = &settings;
	(void)told(world,
		world_frame(world, FRAME_PLAN_PUT, FRAME_ROUTE_HOTEL, WORLD_HOTEL, &put.base));
	Keyrack__ReserveRequest body = KEYRACK__RESERVE_REQUEST__INIT;
	Keyrack__Line lines[INV_LINES_MAX], *line_list[INV_LINES_MAX];
	for (uint32_t i = 0; i < INV_LINES_MAX; i++) {
		keyrack__line__init(&lines[i]);
		lines[i].type = 1;
		lines[i].check_in = WORLD_TODAY + 1 + (int32_t)i;
		lines[i].check_out = lines[i].check_in + 1;
		lines[i].rooms = lines[i].guests = 1;
		line_list[i] = &lines[i];
	}
	body.hotel_id = WORLD_HOTEL;
	body.lines = line_list;
	body.n_lines = INV_LINES_MAX;
	for (uint32_t i = 0; i < 250; i++) {
		struct kr_id id = world_id(world, WORLD_HOTEL);
		body.id_hi = id.hi;
		body.id_lo = id.lo;
		(void)told(world,
			world_frame(world, FRAME_BOOK, FRAME_ROUTE_HOTEL, WORLD_HOTEL, &body.base));
	}
	Keyrack__ReservationListRequest ask = KEYRACK__RESERVATION_LIST_REQUEST__INIT;
	ask.hotel_id = WORLD_HOTEL;
	static uint8_t bytes[FRAME_BODY_SIZE_MAX];
	size_t count = 0, pages = 0;
	do {
		const Keyrack__ReservationListAnswer *page =
			told(world, world_frame(world, FRAME_RESERVATION_LIST, FRAME_ROUTE_HOTEL,
					    WORLD_HOTEL, &ask.base));
		const size_t size = protobuf_c_message_pack(&page->base, bytes);
		cr_assert_eq(message_check(page->base.descriptor, bytes, size), 0);
		count += page->n_reservations;
		ask.cursor = page->next_cursor;
		pages++;
	} while (ask.cursor != 0);
	cr_assert_eq(count, 250);
	cr_assert_gt(pages, 1);
	world_free(world);
}
