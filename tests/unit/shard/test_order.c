#include <criterion/criterion.h>

#include "tests/unit/shard/world.h"

/* Whatever the disk does, answers about one hotel come in the order of the requests. */
Test(order, answers_of_one_hotel_keep_the_order_of_its_requests)
{
	struct world *world = world_serving(3);
	uint32_t first = world->answer_count;
	uint64_t first_id = world->next_request_id;
	struct kr_id ids[16];
	world->auto_persist = false;
	for (unsigned i = 0; i < 16; i++)
		ids[i] = world_id(world, WORLD_HOTEL);
	for (unsigned i = 0; i < 3000; i++) {
		struct kr_id id = ids[rng_below(&world->rng, 16)];
		switch (rng_below(&world->rng, 6)) {
		case 0:
			world_sale(world, FRAME_HOLD, id, 1, 3, 2, 0);
			break;
		case 1:
			world_transition(world, FRAME_CONFIRM, id);
			break;
		case 2:
			world_transition(world, FRAME_CANCEL, id);
			break;
		case 3:
			world_availability(world, 0, 7, false);
			break;
		case 4:
			world_availability(world, -500, 7, false);
			break;
		default:
			world_sale(world, FRAME_BOOK, world_id(world, WORLD_HOTEL), 9, 3, 2, 0);
		}
		if (rng_below(&world->rng, 5) == 0)
			world_turn(world);
		if (rng_below(&world->rng, 9) == 0)
			world_persist(world);
	}
	world_turn(world);
	world_settle(world);
	cr_assert_eq(world->answer_count - first, 3000);
	for (uint32_t i = 0; i < 3000; i++)
		cr_assert_eq(world->answers[first + i].request_id, first_id + i);
	world_free(world);
}

Test(order, hold_confirm_and_cancel_in_one_turn_take_effect_in_order)
{
	struct world *world = world_serving(1);
	struct kr_id id = world_id(world, WORLD_HOTEL), other = world_id(world, WORLD_HOTEL);
	uint64_t ids[] = {
		world_sale(world, FRAME_HOLD, id, 1, 3, 2, 0),
		world_transition(world, FRAME_CONFIRM, id),
		world_sale(world, FRAME_BOOK, other, 1, 4, 1, 0),
		world_transition(world, FRAME_CANCEL, id),
		world_sale(world, FRAME_BOOK, world_id(world, WORLD_HOTEL), 1, 4, 1, 0),
	};
	static const uint16_t codes[] = {
		KEYRACK_DONE, KEYRACK_DONE, KEYRACK_SOLD_OUT, KEYRACK_DONE, KEYRACK_DONE};
	world_turn(world);
	for (unsigned i = 0; i < KR_ARRAY_COUNT(ids); i++)
		cr_assert_eq(world_code(world, ids[i]), codes[i], "%u", i);
	world_free(world);
}

Test(order, messages_read_the_long_way_come_to_the_same_answers_and_state)
{
	struct world *worlds[2];
	for (unsigned i = 0; i < 2; i++) {
		struct shard_config config;
		world_config_default(&config);
		config.is_long_way = i == 1;
		worlds[i] = world_serving_as(&config, 4);
		world_random(worlds[i], 3000);
		world_settle(worlds[i]);
	}
	cr_assert_eq(shard_digest(worlds[0]->shard), shard_digest(worlds[1]->shard));
	cr_assert_eq(worlds[0]->answer_count, worlds[1]->answer_count);
	for (uint32_t i = 0; i < worlds[0]->answer_count; i++) {
		cr_assert_eq(worlds[0]->answers[i].request_id, worlds[1]->answers[i].request_id);
		cr_assert_eq(worlds[0]->answers[i].code, worlds[1]->answers[i].code);
	}
	world_free(worlds[0]);
	world_free(worlds[1]);
}
