#include <criterion/criterion.h>

#include "tests/unit/shard/world.h"

static void space(struct world *world, enum shard_space level)
{
	struct shard_event event = {.kind = SHARD_SPACE, .space = level};
	cr_assert_eq(world_event(world, &event), 0);
}

Test(read_only, with_little_room_sales_stop_and_what_gives_back_goes_on)
{
	struct world *world = world_serving(5);
	struct kr_id ids[4];
	for (unsigned i = 0; i < 4; i++) {
		ids[i] = world_id(world, WORLD_HOTEL);
		cr_assert_eq(world_do(world, world_sale(world, FRAME_HOLD, ids[i], 1, 3, 2, 0)),
			KEYRACK_DONE);
	}
	space(world, SHARD_SPACE_LOW);
	struct kr_id fresh = world_id(world, WORLD_HOTEL);
	cr_assert_eq(world_do(world, world_sale(world, FRAME_HOLD, fresh, 1, 3, 2, 0)),
		KEYRACK_READ_ONLY);
	cr_assert_eq(world_do(world, world_sale(world, FRAME_BOOK, fresh, 1, 3, 2, 0)),
		KEYRACK_READ_ONLY);
	cr_assert_eq(world_do(world, world_price_set(world, WORLD_HOTEL, 1)), KEYRACK_READ_ONLY);
	cr_assert_eq(world_do(world, world_hotel_put(world, 99)), KEYRACK_READ_ONLY);
	cr_assert_eq(world_do(world, world_type_put(world, WORLD_HOTEL, 3, 1)), KEYRACK_READ_ONLY);
	cr_assert_eq(world_do(world, world_transition(world, FRAME_CONFIRM, ids[0])), KEYRACK_DONE);
	cr_assert_eq(world_do(world, world_transition(world, FRAME_RELEASE, ids[1])), KEYRACK_DONE);
	cr_assert_eq(world_do(world, world_transition(world, FRAME_CANCEL, ids[0])), KEYRACK_DONE);
	cr_assert_eq(world_do(world, world_availability(world, 0, 3, false)), KEYRACK_DONE);
	space(world, SHARD_SPACE_STOP);
	cr_assert_eq(
		world_do(world, world_transition(world, FRAME_CONFIRM, ids[2])), KEYRACK_READ_ONLY);
	cr_assert_eq(world_do(world, world_availability(world, 0, 3, false)), KEYRACK_DONE);
	space(world, SHARD_SPACE_OK);
	cr_assert_eq(world_do(world, world_transition(world, FRAME_CONFIRM, ids[2])), KEYRACK_DONE);
	cr_assert_eq(
		world_do(world, world_sale(world, FRAME_HOLD, fresh, 1, 3, 2, 0)), KEYRACK_DONE);
	world_free(world);
}

Test(read_only, before_start_is_durable_and_after_stop_the_shard_is_unavailable)
{
	struct world *world = world_new(NULL);
	world->auto_persist = false;
	cr_assert_eq(world_start(world, false), 0);
	cr_assert_not(world->is_serving);
	uint64_t early = world_hotel_put(world, WORLD_HOTEL);
	world_turn(world);
	cr_assert_eq(world_code(world, early), KEYRACK_UNAVAILABLE);
	world_settle(world);
	cr_assert(world->is_serving);
	uint64_t put = world_hotel_put(world, WORLD_HOTEL);
	world_turn(world);
	world_stop(world);
	uint64_t late = world_hotel_put(world, WORLD_HOTEL);
	world_turn(world);
	cr_assert_eq(world_code(world, late), KEYRACK_UNAVAILABLE);
	cr_assert_eq(world_code(world, put), 0);
	world_settle(world);
	cr_assert_eq(world_code(world, put), KEYRACK_DONE);
	cr_assert(world->is_stopped);
	world_free(world);
}
