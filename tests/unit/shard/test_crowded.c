#include <criterion/criterion.h>

#include <stdlib.h>

#include "engine/shard/state.h"
#include "tests/unit/shard/world.h"

/* Bodies that are parsed together share an arena with the answers to them. */

#define PING_SIZE_MAX ((1u << 20) - 64)

/* Pings too long to be answered, so that `left` bytes of the arena would be over if all of them
 * were parsed together with what stands before them. */
static void pings_fill(struct world *world, size_t used, size_t left)
{
	uint8_t *payload = calloc(1, PING_SIZE_MAX);
	Keyrack__PingRequest body = KEYRACK__PING_REQUEST__INIT;
	body.payload.data = payload;
	while (SHARD_ARENA_SIZE - used > left + sizeof(body)) {
		const size_t room = SHARD_ARENA_SIZE - used - left - sizeof(body);
		body.payload.len = KR_MIN(room, PING_SIZE_MAX);
		world_frame(world, FRAME_PING, FRAME_ROUTE_ROUTER, 0, &body.base);
		used = (used + sizeof(body) + body.payload.len + 7) & ~(size_t)7;
	}
	free(payload);
}

Test(crowded, a_reservation_keeps_its_lines_whatever_is_asked_beside_it)
{
	for (size_t left = 0; left < 1024; left += 64) {
		struct world *world = world_serving(5);
		const struct kr_id id = world_id(world, WORLD_HOTEL);
		const uint64_t sale = world_sale(world, FRAME_BOOK, id, 1, 3, 2, 0);
		cr_assert_eq(world_do(world, sale), KEYRACK_DONE);
		const uint64_t get = world_get(world, id);
		pings_fill(world, sizeof(Keyrack__ReservationGetRequest), left);
		cr_assert_eq(world_do(world, get), KEYRACK_DONE);
		const Keyrack__ReservationGetAnswer *answer =
			(const void *)world_answer(world, get)->message;
		cr_assert_eq(answer->reservation->n_lines, 1, "%zu bytes left", left);
		cr_assert_eq(answer->reservation->lines[0]->check_in, WORLD_TODAY + 3);
		cr_assert_eq(world_answer(world, get + 1)->code, KEYRACK_INVALID);
		world_free(world);
	}
}

Test(crowded, a_hotel_keeps_its_texts_whatever_is_asked_beside_it)
{
	for (size_t left = 0; left < 64; left += 8) {
		struct world *world = world_serving(5);
		Keyrack__HotelGetRequest body = KEYRACK__HOTEL_GET_REQUEST__INIT;
		body.hotel_id = WORLD_HOTEL;
		const uint64_t get = world_frame(
			world, FRAME_HOTEL_GET, FRAME_ROUTE_HOTEL, WORLD_HOTEL, &body.base);
		pings_fill(world, sizeof(body), left);
		cr_assert_eq(world_do(world, get), KEYRACK_DONE);
		const Keyrack__HotelAnswer *answer =
			(const void *)world_answer(world, get)->message;
		cr_assert_str_eq(answer->hotel->settings->zone, "Europe/Paris", "%zu left", left);
		cr_assert_str_eq(answer->hotel->settings->currency, "EUR");
		world_free(world);
	}
}

/* More than the answers of one step have room for: two types x 64 nights take 2 KiB. */
#define ASKED 4090u
#define NIGHTS 64u

Test(crowded, answers_that_find_no_room_at_once_come_with_the_next_step_in_order)
{
	struct world *world = world_serving(5);
	const uint64_t first = world_availability(world, 0, NIGHTS, false);
	for (uint32_t i = 1; i < ASKED; i++)
		world_availability(world, 0, NIGHTS, false);
	const uint32_t before = world->answer_count;
	world_turn(world);
	cr_assert_lt(world->frames_taken, ASKED, "one step was not enough");
	cr_assert_eq(world->answer_count, before + ASKED);
	for (uint32_t i = 0; i < ASKED; i++) {
		cr_assert_eq(world->answers[before + i].request_id, first + i);
		cr_assert_eq(world->answers[before + i].code, KEYRACK_DONE);
	}
	world_free(world);
}

Test(crowded, answers_that_find_no_room_behind_a_batch_are_overloaded)
{
	struct world *world = world_serving(5);
	world->auto_persist = false;
	const uint64_t sale =
		world_sale(world, FRAME_BOOK, world_id(world, WORLD_HOTEL), 1, 3, 2, 0);
	for (uint32_t i = 0; i < ASKED; i++)
		world_availability(world, 0, NIGHTS, false);
	world_turn(world);
	cr_assert_null(world_answer(world, sale));
	uint32_t refused = 0, done = 0;
	for (uint32_t i = 1; i <= ASKED; i++)
		refused += world_code(world, sale + i) == KEYRACK_OVERLOADED;
	cr_assert(refused > 0 && refused < ASKED / 2);
	world_settle(world);
	for (uint32_t i = 0; i <= ASKED; i++)
		done += world_code(world, sale + i) == KEYRACK_DONE;
	cr_assert_eq(done + refused, ASKED + 1);
	world_free(world);
}
