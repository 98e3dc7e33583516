#include <criterion/criterion.h>

#include "engine/shard/shard_priv.h"
#include "tests/unit/shard/world.h"

Test(group_commit, a_lone_booking_is_written_at_once_and_answered_when_durable)
{
	struct world *world = world_serving(5);
	world->auto_persist = false;
	uint32_t before = world->batch_count;
	uint64_t id = world_sale(world, FRAME_BOOK, world_id(world, WORLD_HOTEL), 1, 3, 2, 0);
	world_turn(world);
	cr_assert_eq(world->batch_count, before + 1);
	cr_assert_eq(world_code(world, id), 0);
	cr_assert(world_persist(world));
	cr_assert_eq(world_code(world, id), KEYRACK_DONE);
	world_free(world);
}

Test(group_commit, what_comes_while_two_appends_are_under_way_is_gathered_into_the_next)
{
	struct world *world = world_serving(50);
	uint64_t ids[10];
	world->auto_persist = false;
	uint32_t before = world->batch_count;
	for (unsigned i = 0; i < 10; i++) {
		ids[i] = world_sale(world, FRAME_BOOK, world_id(world, WORLD_HOTEL), 1, 3, 2, 0);
		world_turn(world);
		world_pass(world, SHARD_APPEND_ALONE_US);
	}
	cr_assert_eq(world->batch_count, before + 2);
	cr_assert(world_persist(world));
	cr_assert_eq(world_code(world, ids[0]), KEYRACK_DONE);
	cr_assert_eq(world_code(world, ids[1]), 0);
	cr_assert_eq(world->batch_count, before + 3);
	cr_assert_eq(world->batches[before + 2].record.count, 8);
	cr_assert(world_persist(world));
	cr_assert_eq(world_code(world, ids[1]), KEYRACK_DONE);
	cr_assert_eq(world_code(world, ids[2]), 0);
	cr_assert(world_persist(world));
	for (unsigned i = 2; i < 10; i++)
		cr_assert_eq(world_code(world, ids[i]), KEYRACK_DONE);
	cr_assert_not(world_persist(world));
	world_free(world);
}

Test(group_commit, a_second_append_carries_as_much_as_the_first)
{
	struct world *world = world_serving(50);
	world->auto_persist = false;
	uint32_t before = world->batch_count;
	for (unsigned i = 0; i < 5; i++)
		world_sale(world, FRAME_BOOK, world_id(world, WORLD_HOTEL), 1, 3, 2, 0);
	world_turn(world);
	cr_assert_eq(world->batch_count, before + 1);
	world_pass(world, SHARD_APPEND_ALONE_US);
	for (unsigned i = 0; i < 5; i++) {
		cr_assert_eq(world->batch_count, before + 1);
		world_sale(world, FRAME_BOOK, world_id(world, WORLD_HOTEL), 1, 3, 2, 0);
		world_turn(world);
	}
	cr_assert_eq(world->batch_count, before + 2);
	world_pass(world, SHARD_APPEND_ALONE_US);
	/* One more waits for less: until one of the two is durable. */
	uint64_t last = world_sale(world, FRAME_BOOK, world_id(world, WORLD_HOTEL), 1, 3, 2, 0);
	world_turn(world);
	cr_assert_eq(world->batch_count, before + 2);
	cr_assert(world_persist(world));
	cr_assert_eq(world->batch_count, before + 2, "less than the other carries");
	cr_assert(world_persist(world));
	cr_assert_eq(world->batch_count, before + 3);
	cr_assert(world_persist(world));
	cr_assert_eq(world_code(world, last), KEYRACK_DONE);
	world_free(world);
}

Test(group_commit, a_second_append_waits_for_a_quick_disk)
{
	struct world *world = world_serving(50);
	world->auto_persist = false;
	uint32_t before = world->batch_count;
	for (unsigned i = 0; i < 5; i++) {
		world_sale(world, FRAME_BOOK, world_id(world, WORLD_HOTEL), 1, 3, 2, 0);
		world_turn(world);
	}
	cr_assert_eq(world->batch_count, before + 1, "four wait for the first to return");
	world_pass(world, SHARD_APPEND_ALONE_US);
	cr_assert_eq(world->batch_count, before + 1, "nothing wakes the shard for it");
	world_sale(world, FRAME_BOOK, world_id(world, WORLD_HOTEL), 1, 3, 2, 0);
	world_turn(world);
	cr_assert_eq(world->batch_count, before + 2);
	cr_assert_eq(world->batches[before + 1].record.count, 5);
	/* Beside the second, again not at once. */
	cr_assert(world_persist(world));
	for (unsigned i = 0; i < 9; i++)
		world_sale(world, FRAME_BOOK, world_id(world, WORLD_HOTEL), 1, 3, 2, 0);
	world_turn(world);
	cr_assert_eq(world->batch_count, before + 2);
	cr_assert(world_persist(world));
	cr_assert_eq(world->batch_count, before + 3);
	cr_assert_eq(world->batches[before + 2].record.count, 9);
	world_free(world);
}

Test(group_commit, requests_of_one_turn_share_one_append)
{
	struct world *world = world_serving(2000);
	world->auto_persist = false;
	uint32_t before = world->batch_count;
	for (unsigned i = 0; i < 1000; i++)
		world_sale(world, FRAME_BOOK, world_id(world, WORLD_HOTEL), 1, 3, 2, 0);
	world_turn(world);
	cr_assert_eq(world->batch_count, before + 1);
	cr_assert_eq(world->batches[before].record.count, 1000);
	cr_assert(world_persist(world));
	cr_assert_eq(world->answer_count, 4 + 1000);
	world_free(world);
}

Test(group_commit, full_batches_are_refused_at_once_and_nothing_is_lost)
{
	struct shard_config config;
	world_config_default(&config);
	config.inventory.reservations_max = 100000;
	struct world *world = world_new(&config);
	cr_assert_eq(world_start(world, false), 0);
	world_hotel_put(world, WORLD_HOTEL);
	world_type_put(world, WORLD_HOTEL, 1, 30000);
	world_type_put(world, WORLD_HOTEL, 2, 30000);
	world_price_set(world, WORLD_HOTEL, 100);
	world_turn(world);
	world->auto_persist = false;
	unsigned done = 0, overloaded = 0;
	uint32_t first = world->answer_count;
	for (unsigned i = 0; i < 90000 && overloaded < 10; i++) {
		world_sale(world, FRAME_BOOK, world_id(world, WORLD_HOTEL), 1 + i % 2,
			(int32_t)(i % 30), 2, 0);
		if (i % 1000 == 999)
			world_turn(world);
		if (world->answer_count > first)
			overloaded++;
	}
	cr_assert_gt(overloaded, 0);
	world_settle(world);
	world_turn(world);
	world_settle(world);
	overloaded = 0;
	for (uint32_t i = first; i < world->answer_count; i++) {
		done += world->answers[i].code == KEYRACK_DONE;
		overloaded += world->answers[i].code == KEYRACK_OVERLOADED;
	}
	cr_assert_eq(done + overloaded, world->answer_count - first);
	cr_assert_gt(overloaded, 0);
	cr_assert_gt(done, 10000);
	struct inv_counts counts;
	inv_counts_get(shard_inventory(world->shard), &counts);
	cr_assert_eq(counts.reservations, done);
	world_free(world);
}

Test(group_commit, a_late_frame_is_dropped_without_an_answer)
{
	struct world *world = world_serving(1);
	uint64_t late = world_sale(world, FRAME_BOOK, world_id(world, WORLD_HOTEL), 1, 3, 2, 0);
	world->boot_us += 1000000;
	world->wall_us += 1000000;
	world_turn(world);
	cr_assert_null(world_answer(world, late));
	uint64_t next = world_sale(world, FRAME_BOOK, world_id(world, WORLD_HOTEL), 1, 3, 2, 0);
	cr_assert_eq(world_do(world, next), KEYRACK_DONE);
	world_free(world);
}
