#include <criterion/criterion.h>

#include "engine/shard/load.h"
#include "tests/unit/shard/world.h"

/* The life of a shard at its edges: stopped early, stopped without room, asked when it is busy. */

static uint64_t ask_stats(struct world *world)
{
	Keyrack__StatsRequest body = KEYRACK__STATS_REQUEST__INIT;
	return world_frame(world, FRAME_STATS, FRAME_ROUTE_SHARD, 0, &body.base);
}

static const Keyrack__StatsAnswer *stats_of(struct world *world, uint64_t request_id)
{
	return (const void *)world_answer(world, request_id)->message;
}

static int64_t stat(struct world *world, const char *name)
{
	const uint64_t id = ask_stats(world);
	world_turn(world);
	cr_assert_eq(world_code(world, id), KEYRACK_DONE);
	const Keyrack__StatsAnswer *answer = stats_of(world, id);
	for (size_t i = 0; i < answer->n_stats; i++) {
		if (strcmp(answer->stats[i]->name, name) == 0)
			return answer->stats[i]->value;
	}
	cr_assert_fail("%s is no statistic", name);
	return 0;
}

static void happens(struct world *world, struct shard_event event)
{
	cr_assert_eq(world_event(world, &event), 0);
}

Test(life, a_start_is_finished_before_it_is_stopped_and_nobody_is_served)
{
	struct world *world = world_new(NULL);
	world->auto_persist = false;
	cr_assert_eq(world_start(world, false), 0);
	const uint64_t id = ask_stats(world);
	world_turn(world);
	cr_assert_str_eq(stats_of(world, id)->state, "starting");
	world_stop(world);
	cr_assert_not(world->is_stopped);
	world_settle(world);
	cr_assert(world->is_stopped);
	cr_assert_not(world->is_serving);
	world_restart(world, true);
	cr_assert_eq(world_start(world, false), 0);
	world_settle(world);
	cr_assert(world->is_serving);
	world_free(world);
}

Test(life, a_stop_without_room_for_the_log_appends_nothing_and_loses_nothing)
{
	struct world *world = world_serving(5);
	const struct kr_id id = world_id(world, WORLD_HOTEL);
	cr_assert_eq(world_do(world, world_sale(world, FRAME_BOOK, id, 1, 3, 2, 0)), KEYRACK_DONE);
	happens(world, (struct shard_event){.kind = SHARD_SPACE, .space = SHARD_SPACE_STOP});
	const uint32_t batches = world->batch_count;
	world_stop(world);
	cr_assert(world->is_stopped);
	cr_assert_eq(world->batch_count, batches, "not even a digest");
	world_restart(world, false);
	cr_assert_eq(world_start(world, false), 0);
	world_settle(world);
	cr_assert_eq(world_do(world, world_get(world, id)), KEYRACK_DONE);
	world_free(world);
}

Test(life, a_shard_that_stops_says_so_and_takes_its_snapshot)
{
	struct world *world = world_serving(5);
	world->auto_slice = false;
	world_stop(world);
	cr_assert(world->slice_pending);
	const uint64_t id = ask_stats(world);
	world_turn(world);
	cr_assert_str_eq(stats_of(world, id)->state, "stopping");
	world->auto_slice = true;
	world_settle(world);
	cr_assert(world->is_stopped && world->done.is_whole);
	world_free(world);
}

Test(life, a_snapshot_may_be_wanted_with_any_timeout)
{
	struct world *world = world_serving(5);
	happens(world, (struct shard_event){.kind = SHARD_TIMEOUT, .wants_snapshot = true});
	cr_assert(world->snapshot_began);
	world_settle(world);
	cr_assert(world->done.is_whole);
	world_free(world);
}

Test(life, what_the_archive_has_come_to_is_told)
{
	struct world *world = world_serving(5);
	const struct shard_archive archive = {.copied = 11, .failures = 22, .lag = 33};
	shard_archive_note(world->shard, &archive);
	cr_assert_eq(stat(world, "archived_segments"), 11);
	cr_assert_eq(stat(world, "archive_failures"), 22);
	cr_assert_eq(stat(world, "archive_lag_segments"), 33);
	world_free(world);
}

Test(life, what_the_loop_and_the_disk_had_to_do_is_told)
{
	struct world *world = world_serving(5);
	const struct shard_load load = {.turns = 11, .append_max_us = 22, .segments = 33};
	cr_assert_eq(stat(world, "turns"), 0);
	shard_load_note(world->shard, &load);
	cr_assert_eq(stat(world, "turns"), 11);
	cr_assert_eq(stat(world, "append_max_us"), 22);
	cr_assert_eq(stat(world, "segments"), 33);
	world_free(world);
}

Test(life, a_list_over_all_goes_on_at_the_next_shard)
{
	struct shard_config config;
	world_config_default(&config);
	config.shard_count = 2;
	struct world *first = world_new(&config);
	config.shard_index = 1;
	struct world *second = world_new(&config);
	cr_assert_eq(world_start(first, false), 0);
	cr_assert_eq(world_start(second, false), 0);
	Keyrack__ReservationListRequest body = KEYRACK__RESERVATION_LIST_REQUEST__INIT;
	uint64_t id = world_frame(first, FRAME_RESERVATION_LIST, FRAME_ROUTE_SHARD, 0, &body.base);
	cr_assert_eq(world_do(first, id), KEYRACK_DONE);
	const Keyrack__ReservationListAnswer *page = (const void *)world_answer(first, id)->message;
	body.cursor = page->next_cursor;
	cr_assert_neq(body.cursor, 0);
	id = world_frame(second, FRAME_RESERVATION_LIST, FRAME_ROUTE_SHARD, 1, &body.base);
	cr_assert_eq(world_do(second, id), KEYRACK_DONE);
	page = (const void *)world_answer(second, id)->message;
	cr_assert_eq(page->next_cursor, 0, "and ends with the last one");
	world_free(first);
	world_free(second);
}

/* ---- very many holds at once ---- */

#define MANY 60000u
#define MINUTE_US (60 * UINT64_C(1000000))

static struct world *with_many_holds(void)
{
	struct shard_config config;
	world_config_default(&config);
	config.inventory.reservations_max = MANY + 100;
	config.batch_size_max_bytes = RECORD_SIZE_MAX;
	struct world *world = world_serving_as(&config, UINT16_MAX / 2);
	for (uint32_t i = 0; i < MANY; i++) {
		const struct kr_id id = world_id(world, WORLD_HOTEL);
		world_sale(world, FRAME_HOLD, id, 1 + i % 2, 3, 2, 10 * MINUTE_US);
		if (i % 2048 == 2047)
			world_turn(world);
	}
	world_turn(world);
	cr_assert_eq(stat(world, "holds"), MANY);
	return world;
}

Test(life, a_start_gives_all_graces_however_many_batches_they_take, .timeout = 120)
{
	struct world *world = with_many_holds();
	world_restart(world, false);
	world->wall_us += WORLD_HOUR_US;
	world->auto_persist = false;
	const uint32_t batches = world->batch_count;
	cr_assert_eq(world_start(world, false), 0);
	while (!world->is_serving)
		cr_assert(world_persist(world));
	cr_assert_gt(world->batch_count, batches + 2);
	world->auto_persist = true;
	world_settle(world);
	cr_assert_eq(stat(world, "holds"), MANY, "none has expired");
	cr_assert_geq(stat(world, "clock"), MANY);
	world_free(world);
}

Test(life, a_sale_that_finds_more_due_than_a_step_can_do_is_overloaded, .timeout = 120)
{
	struct world *world = with_many_holds();
	world->boot_us += WORLD_HOUR_US;
	world->wall_us += WORLD_HOUR_US;
	const struct kr_id id = world_id(world, WORLD_HOTEL);
	const uint64_t sale = world_sale(world, FRAME_BOOK, id, 1, 3, 2, 0);
	cr_assert_eq(world_do(world, sale), KEYRACK_OVERLOADED);
	world_pass(world, MINUTE_US);
	cr_assert_eq(stat(world, "holds"), 0);
	cr_assert_eq(world_do(world, world_sale(world, FRAME_BOOK, id, 1, 3, 2, 0)), KEYRACK_DONE);
	world_free(world);
}

Test(life, what_is_due_waits_while_the_log_has_no_room_and_is_done_then)
{
	struct world *world = world_serving(5);
	const struct kr_id id = world_id(world, WORLD_HOTEL);
	const uint64_t hold = world_sale(world, FRAME_HOLD, id, 1, 3, 2, MINUTE_US);
	cr_assert_eq(world_do(world, hold), KEYRACK_DONE);
	world->auto_persist = false;
	uint64_t last;
	do {
		last = world_price_set(world, WORLD_HOTEL, (int64_t)world->next_request_id);
		world_turn(world);
	} while (world_code(world, last) != KEYRACK_OVERLOADED);
	world->boot_us += WORLD_HOUR_US;
	world->wall_us += WORLD_HOUR_US;
	happens(world, (struct shard_event){.kind = SHARD_TIMEOUT});
	cr_assert_eq(stat(world, "holds"), 1);
	cr_assert_eq(world->timer_us, UINT64_MAX, "no use before the disk is done");
	world->auto_persist = true;
	world_settle(world);
	cr_assert_eq(stat(world, "holds"), 0);
	world_free(world);
}

Test(life, a_snapshot_of_more_than_a_slice_comes_in_several, .timeout = 120)
{
	struct world *world = with_many_holds();
	for (uint64_t hotel = 500; hotel < 505; hotel++)
		cr_assert_eq(world_do(world, world_hotel_put(world, hotel)), KEYRACK_DONE);
	const int64_t slices = stat(world, "slices");
	happens(world, (struct shard_event){.kind = SHARD_TIMEOUT, .wants_snapshot = true});
	world_settle(world);
	cr_assert(world->done.is_whole);
	cr_assert_gt(stat(world, "slices"), slices + 1);
	const uint64_t digest = shard_digest(world->shard);
	world_restart(world, true);
	cr_assert_eq(shard_digest(world->shard), digest);
	world_free(world);
}
