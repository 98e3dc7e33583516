#include <criterion/criterion.h>

#include "tests/unit/shard/world.h"

/* Hotels of other states, when slots change their shard: shard_take_over(). */

#define OTHER_HOTEL UINT64_C(500)

struct sold {
	struct world *world; /* loaded, not started */
	struct kr_id booked, nobody;
};

static void sold_begin(struct sold *sold, uint64_t hotel)
{
	struct world *world = world_serving(5);
	sold->booked = world_id(world, WORLD_HOTEL);
	sold->nobody = world_id(world, hotel);
	const uint64_t ids[] = {world_hotel_put(world, hotel),
		world_sale(world, FRAME_BOOK, sold->booked, 1, 3, 2, 0)};
	world_turn(world);
	for (unsigned i = 0; i < 2; i++)
		cr_assert_eq(world_code(world, ids[i]), KEYRACK_DONE);
	/* An id that nobody has: VOID from now on, without a hotel. */
	cr_assert_eq(world_do(world, world_transition(world, FRAME_RESOLVE, sold->nobody)),
		KEYRACK_NOT_FOUND);
	world_restart(world, false);
	sold->world = world;
}

static bool wants_all(void *context, uint32_t slot)
{
	return context != NULL || slot < SLOT_COUNT;
}

static bool wants_slot(void *context, uint32_t slot)
{
	return slot == *(const uint32_t *)context;
}

static uint64_t hotel_get(struct world *world, uint64_t hotel)
{
	Keyrack__HotelGetRequest body = KEYRACK__HOTEL_GET_REQUEST__INIT;
	body.hotel_id = hotel;
	return world_frame(world, FRAME_HOTEL_GET, FRAME_ROUTE_HOTEL, hotel, &body.base);
}

Test(take_over, brings_hotels_reservations_and_what_is_void)
{
	struct sold sold;
	struct shard_trouble trouble;
	sold_begin(&sold, OTHER_HOTEL);
	struct world *to = world_new(NULL);
	cr_assert_eq(
		shard_take_over(to->shard, sold.world->shard, 7, wants_all, NULL, &trouble), 0);
	cr_assert_eq(shard_last_lsn(to->shard), 7);
	cr_assert_eq(shard_digest(to->shard), shard_digest(sold.world->shard));
	cr_assert_eq(world_start(to, true), 0);
	cr_assert_eq(world_do(to, hotel_get(to, OTHER_HOTEL)), KEYRACK_DONE);
	cr_assert_eq(world_do(to, world_get(to, sold.booked)), KEYRACK_DONE);
	const uint64_t late = world_sale(to, FRAME_BOOK, sold.nobody, 1, 3, 2, 0);
	cr_assert_neq(world_do(to, late), KEYRACK_DONE, "what was resolved stays so");
	world_free(sold.world);
	world_free(to);
}

Test(take_over, brings_the_slots_that_are_wanted_alone)
{
	struct sold sold;
	struct shard_trouble trouble;
	uint32_t slot = slot_of_hotel((struct hotel_id){WORLD_HOTEL});
	sold_begin(&sold, OTHER_HOTEL);
	cr_assert_neq(slot, slot_of_hotel((struct hotel_id){OTHER_HOTEL}));
	struct world *to = world_new(NULL);
	cr_assert_eq(
		shard_take_over(to->shard, sold.world->shard, 1, wants_slot, &slot, &trouble), 0);
	cr_assert_eq(world_start(to, true), 0);
	cr_assert_eq(world_do(to, hotel_get(to, WORLD_HOTEL)), KEYRACK_DONE);
	cr_assert_eq(world_do(to, hotel_get(to, OTHER_HOTEL)), KEYRACK_NOT_FOUND);
	cr_assert_eq(world_do(to, world_get(to, sold.booked)), KEYRACK_DONE);
	world_free(sold.world);
	world_free(to);
}

Test(take_over, of_more_than_there_is_room_for_says_so)
{
	struct sold sold;
	struct shard_trouble trouble;
	struct shard_config config;
	sold_begin(&sold, OTHER_HOTEL);
	world_config_default(&config);
	config.inventory.hotels_max = 1;
	struct world *to = world_new(&config);
	cr_assert_eq(shard_take_over(to->shard, sold.world->shard, 1, wants_all, NULL, &trouble),
		SHARD_NO_ROOM);
	cr_assert_str_eq(trouble.text, "a table is too small for the hotels of all shards");
	world_free(to);
	config.inventory.hotels_max = 8;
	config.inventory.reservations_max = 1;
	to = world_new(&config);
	cr_assert_eq(shard_take_over(to->shard, sold.world->shard, 1, wants_all, NULL, &trouble),
		SHARD_NO_ROOM);
	world_free(sold.world);
	world_free(to);
}

Test(take_over, of_a_hotel_that_is_there_names_it)
{
	struct sold sold;
	struct shard_trouble trouble;
	uint32_t slot = slot_of_hotel((struct hotel_id){WORLD_HOTEL});
	sold_begin(&sold, OTHER_HOTEL);
	struct world *to = world_new(NULL);
	struct shard *from = sold.world->shard;
	cr_assert_eq(shard_take_over(to->shard, from, 1, wants_slot, &slot, &trouble), 0);
	cr_assert_eq(shard_take_over(to->shard, from, 2, wants_slot, &slot, &trouble),
		SHARD_CONTRADICTION);
	cr_assert_not_null(strstr(trouble.text, "hotel 77"), "%s", trouble.text);
	world_free(sold.world);
	world_free(to);
}
