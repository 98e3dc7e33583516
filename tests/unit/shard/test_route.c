#include <criterion/criterion.h>

#include "tests/unit/shard/world.h"

/* A hotel of the other one of two shards. */
static uint64_t foreign_hotel(void)
{
	for (uint64_t hotel = 1;; hotel++) {
		if (slot_of_hotel((struct hotel_id){hotel}) >= slot_range_first(1, 2))
			return hotel;
	}
}

Test(route, a_slot_of_another_shard_is_moved)
{
	struct shard_config config;
	world_config_default(&config);
	config.shard_count = 2;
	struct world *world = world_new(&config);
	cr_assert_eq(world_start(world, false), 0);
	uint64_t hotel = foreign_hotel();
	cr_assert_eq(world_do(world, world_hotel_put(world, hotel)), KEYRACK_MOVED);
	struct kr_id id = world_id(world, hotel);
	cr_assert_eq(world_do(world, world_transition(world, FRAME_RESOLVE, id)), KEYRACK_MOVED);
	cr_assert_eq(world_do(world, world_get(world, id)), KEYRACK_MOVED);
	Keyrack__StatsRequest stats = KEYRACK__STATS_REQUEST__INIT;
	uint64_t other = world_frame(world, FRAME_STATS, FRAME_ROUTE_SHARD, 1, &stats.base);
	cr_assert_eq(world_do(world, other), KEYRACK_MOVED);
	world_free(world);
}

Test(route, a_header_that_names_another_hotel_than_the_body_is_invalid)
{
	struct world *world = world_serving(1);
	Keyrack__HotelGetRequest body = KEYRACK__HOTEL_GET_REQUEST__INIT;
	body.hotel_id = WORLD_HOTEL + 1;
	uint64_t id =
		world_frame(world, FRAME_HOTEL_GET, FRAME_ROUTE_HOTEL, WORLD_HOTEL, &body.base);
	cr_assert_eq(world_do(world, id), KEYRACK_INVALID);
	const Keyrack__HotelAnswer *answer =
		(const Keyrack__HotelAnswer *)world_answer(world, id)->message;
	cr_assert_str_eq(answer->refusal->text, "routing_key");
	world_free(world);
}

Test(route, an_id_that_leads_elsewhere_than_its_hotel_is_invalid)
{
	struct world *world = world_serving(1);
	uint64_t other = WORLD_HOTEL;
	while (slot_of_hotel((struct hotel_id){other}) ==
		slot_of_hotel((struct hotel_id){WORLD_HOTEL}))
		other++;
	struct kr_id id = world_id(world, other);
	cr_assert_eq(
		world_do(world, world_sale(world, FRAME_BOOK, id, 1, 3, 2, 0)), KEYRACK_INVALID);
	world_free(world);
}

Test(route, a_malformed_body_is_invalid_and_the_next_request_is_judged)
{
	struct world *world = world_serving(1);
	uint64_t bad = world_sale(world, FRAME_BOOK, world_id(world, WORLD_HOTEL), 1, 3, 2, 0);
	memset((void *)(uintptr_t)world->frames[0].body, 0xff,
		world->frames[0].header->body_size_bytes);
	uint64_t good = world_sale(world, FRAME_BOOK, world_id(world, WORLD_HOTEL), 1, 3, 2, 0);
	world_turn(world);
	cr_assert_eq(world_code(world, bad), KEYRACK_INVALID);
	cr_assert_eq(world_code(world, good), KEYRACK_DONE);
	world_free(world);
}

Test(route, hello_tells_the_shard_and_its_limits)
{
	struct world *world = world_serving(1);
	Keyrack__HelloRequest body = KEYRACK__HELLO_REQUEST__INIT;
	body.version = 1;
	uint64_t id = world_frame(world, FRAME_HELLO, FRAME_ROUTE_ROUTER, 0, &body.base);
	cr_assert_eq(world_do(world, id), KEYRACK_DONE);
	const Keyrack__HelloAnswer *answer =
		(const Keyrack__HelloAnswer *)world_answer(world, id)->message;
	cr_assert_eq(answer->shard, 1);
	cr_assert_eq(answer->window, SHARD_WINDOW);
	cr_assert_eq(answer->cluster, 0xc1);
	world_free(world);
}

Test(route, stats_name_what_was_counted)
{
	struct world *world = world_serving(1);
	world_do(world, world_sale(world, FRAME_BOOK, world_id(world, WORLD_HOTEL), 1, 3, 2, 0));
	world_do(world, world_sale(world, FRAME_BOOK, world_id(world, WORLD_HOTEL), 1, 3, 2, 0));
	Keyrack__StatsRequest body = KEYRACK__STATS_REQUEST__INIT;
	body.denials = true;
	uint64_t id = world_frame(world, FRAME_STATS, FRAME_ROUTE_SHARD, 0, &body.base);
	cr_assert_eq(world_do(world, id), KEYRACK_DONE);
	const Keyrack__StatsAnswer *answer =
		(const Keyrack__StatsAnswer *)world_answer(world, id)->message;
	cr_assert_str_eq(answer->state, "serving");
	cr_assert_eq(answer->n_denials, 1);
	cr_assert_eq(answer->denials[0]->rule, RULE_LIMIT);
	int64_t refusals = -1, reservations = -1, books = -1;
	for (size_t i = 0; i < answer->n_stats; i++) {
		if (strcmp(answer->stats[i]->name, "refusals") == 0)
			refusals = answer->stats[i]->value;
		if (strcmp(answer->stats[i]->name, "reservations") == 0)
			reservations = answer->stats[i]->value;
		if (strcmp(answer->stats[i]->name, "operation_BOOK") == 0)
			books = answer->stats[i]->value;
	}
	cr_assert_eq(books, 2);
	cr_assert_eq(refusals, 1);
	cr_assert_eq(reservations, 1);
	world_free(world);
}
