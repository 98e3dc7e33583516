#include <criterion/criterion.h>

#include "tests/unit/shard/world.h"

Test(gate, a_read_that_saw_a_change_waits_for_it)
{
	struct world *world = world_serving(5);
	world->auto_persist = false;
	uint64_t book = world_sale(world, FRAME_BOOK, world_id(world, WORLD_HOTEL), 1, 3, 2, 0);
	uint64_t read = world_availability(world, 0, 14, false);
	world_turn(world);
	cr_assert_eq(world_code(world, book), 0);
	cr_assert_eq(world_code(world, read), 0);
	world_persist(world);
	cr_assert_eq(world_code(world, book), KEYRACK_DONE);
	cr_assert_eq(world_code(world, read), KEYRACK_DONE);
	world_free(world);
}

Test(gate, a_read_with_stale_ok_does_not_wait_and_shows_the_change)
{
	struct world *world = world_serving(5);
	world->auto_persist = false;
	world_sale(world, FRAME_BOOK, world_id(world, WORLD_HOTEL), 1, 3, 2, 0);
	uint64_t read = world_availability(world, 3, 1, true);
	world_turn(world);
	const struct world_answer *answer = world_answer(world, read);
	cr_assert_not_null(answer);
	const Keyrack__AvailabilityAnswer *message =
		(const Keyrack__AvailabilityAnswer *)answer->message;
	cr_assert_eq(message->n_counters, 2);
	cr_assert_eq(cell_counter_unpack(message->counters[0]).booked, 1);
	cr_assert_eq(cell_counter_unpack(message->counters[1]).booked, 0);
	cr_assert_eq(cell_counter_unpack(message->counters[0]).limit, 5);
	cr_assert_eq(cell_rate_unpack(message->rates[0]).price_minor, 10000);
	world_free(world);
}

Test(gate, a_read_of_a_cold_hotel_never_waits)
{
	struct world *world = world_serving(5);
	uint64_t other = WORLD_HOTEL + 1;
	cr_assert_eq(world_do(world, world_hotel_put(world, other)), KEYRACK_DONE);
	world->auto_persist = false;
	world_sale(world, FRAME_BOOK, world_id(world, WORLD_HOTEL), 1, 3, 2, 0);
	Keyrack__HotelGetRequest body = KEYRACK__HOTEL_GET_REQUEST__INIT;
	body.hotel_id = other;
	uint64_t cold = world_frame(world, FRAME_HOTEL_GET, FRAME_ROUTE_HOTEL, other, &body.base);
	body.hotel_id = WORLD_HOTEL;
	uint64_t hot =
		world_frame(world, FRAME_HOTEL_GET, FRAME_ROUTE_HOTEL, WORLD_HOTEL, &body.base);
	world_turn(world);
	cr_assert_eq(world_code(world, cold), KEYRACK_DONE);
	cr_assert_eq(world_code(world, hot), 0);
	world_free(world);
}

Test(gate, that_no_type_has_a_plan_waits_for_the_hotel)
{
	struct world *world = world_serving(5);
	world->auto_persist = false;
	uint64_t put = world_hotel_put(world, WORLD_HOTEL + 1);
	Keyrack__AvailabilityRequest body = KEYRACK__AVAILABILITY_REQUEST__INIT;
	body.hotel_id = WORLD_HOTEL + 1;
	body.first_day = WORLD_TODAY;
	body.night_count = 2;
	body.plan = 3;
	uint64_t read = world_frame(
		world, FRAME_AVAILABILITY, FRAME_ROUTE_HOTEL, WORLD_HOTEL + 1, &body.base);
	world_turn(world);
	cr_assert_eq(world_code(world, put), 0);
	cr_assert_eq(world_code(world, read), 0);
	world_persist(world);
	cr_assert_eq(world_code(world, put), KEYRACK_DONE);
	cr_assert_eq(world_code(world, read), KEYRACK_NOT_FOUND);
	world_free(world);
}

Test(gate, a_refusal_and_a_repeat_wait_for_what_they_show)
{
	struct world *world = world_serving(1);
	world->auto_persist = false;
	struct kr_id id = world_id(world, WORLD_HOTEL);
	uint64_t book = world_sale(world, FRAME_BOOK, id, 1, 3, 2, 0);
	uint64_t sold_out = world_sale(world, FRAME_BOOK, world_id(world, WORLD_HOTEL), 1, 3, 2, 0);
	uint64_t again = world_sale(world, FRAME_BOOK, id, 1, 3, 2, 0);
	uint64_t get = world_get(world, id);
	world_turn(world);
	cr_assert_eq(world->answer_count, 4);
	world_persist(world);
	cr_assert_eq(world_code(world, book), KEYRACK_DONE);
	cr_assert_eq(world_code(world, sold_out), KEYRACK_SOLD_OUT);
	cr_assert_eq(world_code(world, again), KEYRACK_DONE);
	cr_assert_eq(world_code(world, get), KEYRACK_DONE);
	const Keyrack__ReservationAnswer *message =
		(const Keyrack__ReservationAnswer *)world_answer(world, again)->message;
	cr_assert(message->repeated_op);
	cr_assert_eq(message->state, INV_CONFIRMED);
	message = (const Keyrack__ReservationAnswer *)world_answer(world, sold_out)->message;
	cr_assert(message->refusal->has_day);
	cr_assert_eq(message->refusal->day, WORLD_TODAY + 3);
	cr_assert_eq(message->refusal->required, 1);
	cr_assert_eq(message->refusal->left, 0);
	world_free(world);
}

/* The second comes before the first is answered, and there would be rooms for both. */
Test(gate, an_id_that_comes_twice_in_one_step_is_sold_once)
{
	struct world *world = world_serving(5);
	world->auto_persist = false;
	const struct kr_id id = world_id(world, WORLD_HOTEL);
	const uint64_t first = world_sale(world, FRAME_BOOK, id, 1, 3, 2, 0);
	const uint64_t again = world_sale(world, FRAME_BOOK, id, 1, 3, 2, 0);
	const uint64_t read = world_availability(world, 3, 1, true);
	world_turn(world);
	const Keyrack__AvailabilityAnswer *nights =
		(const Keyrack__AvailabilityAnswer *)world_answer(world, read)->message;
	cr_assert_eq(cell_counter_unpack(nights->counters[0]).booked, 1);
	cr_assert_eq(world_code(world, again), 0);
	world_settle(world);
	const Keyrack__ReservationAnswer *one =
		(const Keyrack__ReservationAnswer *)world_answer(world, first)->message;
	const Keyrack__ReservationAnswer *other =
		(const Keyrack__ReservationAnswer *)world_answer(world, again)->message;
	cr_assert_eq(world_code(world, again), KEYRACK_DONE);
	cr_assert(other->repeated_op && !one->repeated_op);
	cr_assert_eq(other->event_seq, one->event_seq);
	struct inv_counts counts;
	inv_counts_get(shard_inventory(world->shard), &counts);
	cr_assert_eq(counts.reservations, 1);
	world_free(world);
}

/* A reader in the second batch of a hotel that was changed in the first: it waits for the first
 * only, and still leaves behind that one's answers. */
Test(gate, that_a_named_hotel_has_no_such_record_waits_for_the_hotel)
{
	struct world *world = world_serving(5);
	const struct kr_id id = world_id(world, WORLD_HOTEL);
	Keyrack__TransitionRequest move = KEYRACK__TRANSITION_REQUEST__INIT;
	Keyrack__ReservationGetRequest get = KEYRACK__RESERVATION_GET_REQUEST__INIT;
	const uint64_t slot = reservation_id_slot(id);
	move.id_hi = get.id_hi = id.hi;
	move.id_lo = get.id_lo = id.lo;
	move.has_hotel = get.has_hotel = true;
	move.hotel_id = get.hotel_id = WORLD_HOTEL;
	world->auto_persist = false;
	world_sale(world, FRAME_BOOK, world_id(world, WORLD_HOTEL), 1, 3, 2, 0);
	const uint64_t moved = world_frame(world, FRAME_CANCEL, FRAME_ROUTE_SLOT, slot, &move.base);
	const uint64_t got =
		world_frame(world, FRAME_RESERVATION_GET, FRAME_ROUTE_SLOT, slot, &get.base);
	world_turn(world);
	cr_assert_eq(world_code(world, moved), 0);
	cr_assert_eq(world_code(world, got), 0);
	world_persist(world);
	cr_assert_eq(world_code(world, moved), KEYRACK_NOT_FOUND);
	cr_assert_eq(world_code(world, got), KEYRACK_NOT_FOUND);
	world_free(world);
}

Test(gate, an_id_is_too_old_only_when_the_retirement_that_says_so_is_durable)
{
	struct world *world = world_serving(5);
	const uint64_t other = WORLD_HOTEL + 1;
	cr_assert_eq(world_do(world, world_hotel_put(world, other)), KEYRACK_DONE);
	const struct kr_id unused = world_id(world, other);
	const struct kr_id id = world_id(world, WORLD_HOTEL);
	world_do(world, world_sale(world, FRAME_BOOK, id, 1, 3, 2, 0));
	cr_assert_eq(world_do(world, world_transition(world, FRAME_CANCEL, id)), KEYRACK_DONE);
	/* Both hotels' day turns, so that nothing but the retirement is left to do. */
	world_pass(world, 23 * WORLD_HOUR_US);
	world_settle(world);
	world->auto_persist = false;
	world->boot_us += 2 * WORLD_HOUR_US;
	world->wall_us += 2 * WORLD_HOUR_US;
	const uint64_t moved = world_transition(world, FRAME_CANCEL, unused);
	const uint64_t got = world_get(world, unused);
	world_turn(world);
	cr_assert_eq(world_code(world, moved), 0);
	cr_assert_eq(world_code(world, got), 0);
	world_persist(world);
	cr_assert_eq(world_code(world, moved), KEYRACK_KEY_EXPIRED);
	cr_assert_eq(world_code(world, got), KEYRACK_KEY_EXPIRED);
	world_free(world);
}

Test(gate, a_read_waits_no_longer_than_its_hotel)
{
	struct world *world = world_serving(50);
	uint64_t other = WORLD_HOTEL + 1;
	cr_assert_eq(world_do(world, world_hotel_put(world, other)), KEYRACK_DONE);
	world->auto_persist = false;
	uint64_t book = world_sale(world, FRAME_BOOK, world_id(world, WORLD_HOTEL), 1, 3, 2, 0);
	world_turn(world);
	uint64_t change = world_type_put(world, other, 1, 4);
	uint64_t read = world_availability(world, 0, 4, false);
	world_turn(world);
	cr_assert(world_persist(world));
	cr_assert_eq(world_code(world, book), KEYRACK_DONE);
	cr_assert_eq(world_code(world, read), KEYRACK_DONE);
	cr_assert_eq(world_code(world, change), 0);
	cr_assert_lt(world_answer_place(world, book), world_answer_place(world, read));
	cr_assert(world_persist(world));
	cr_assert_eq(world_code(world, change), KEYRACK_DONE);
	world_free(world);
}

Test(gate, more_answers_than_one_call_can_give_come_with_the_next)
{
	struct world *world = world_serving(1);
	for (unsigned i = 0; i < 4000; i++) {
		Keyrack__PingRequest body = KEYRACK__PING_REQUEST__INIT;
		uint8_t payload[SHARD_PING_SIZE_MAX] = {1};
		body.payload.data = payload;
		body.payload.len = sizeof(payload);
		world_frame(world, FRAME_PING, FRAME_ROUTE_SHARD, 0, &body.base);
	}
	struct shard_event event = {
		.kind = SHARD_REQUEST, .frames = world->frames, .frame_count = world->frame_count};
	cr_assert_eq(world_event(world, &event), 0);
	cr_assert_eq(world->frames_taken, 4000);
	for (unsigned i = 0; i < 5; i++) {
		cr_assert_eq(world_event(world, &event), 0);
		cr_assert_eq(world->frames_taken, 4000);
	}
	world_free(world);
}
