#include <criterion/criterion.h>

#include "engine/shard/shard_priv.h"
#include "tests/unit/shard/world.h"

static uint64_t snapshot_command(struct world *world)
{
	Keyrack__SnapshotRequest body = KEYRACK__SNAPSHOT_REQUEST__INIT;
	return world_frame(world, FRAME_SNAPSHOT, FRAME_ROUTE_SHARD, 0, &body.base);
}

Test(snapshot, is_taken_on_command_and_its_chunks_sum_to_the_digest)
{
	struct world *world = world_serving(5);
	uint64_t request = snapshot_command(world);
	cr_assert_eq(world_do(world, request), KEYRACK_DONE);
	const Keyrack__SnapshotAnswer *answer =
		(const Keyrack__SnapshotAnswer *)world_answer(world, request)->message;
	cr_assert(answer->started);
	cr_assert(world->done.is_whole);
	uint64_t digest = 0;
	for (uint32_t i = 0; i < world->done.count; i++)
		digest += world->done.chunks[i].head.digest;
	cr_assert_eq(digest, shard_digest(world->shard));
	cr_assert_eq(world->done.begin_lsn, shard_last_lsn(world->shard));
	/* Nothing has changed: there is nothing to take. */
	request = snapshot_command(world);
	cr_assert_eq(world_do(world, request), KEYRACK_DONE);
	answer = (const Keyrack__SnapshotAnswer *)world_answer(world, request)->message;
	cr_assert_not(answer->started);
	cr_assert_not(answer->already_running);
	world_free(world);
}

Test(snapshot, a_slice_is_handed_out_only_when_what_it_shows_is_durable)
{
	struct world *world = world_serving(5);
	world->auto_persist = false;
	world_sale(world, FRAME_BOOK, world_id(world, WORLD_HOTEL), 1, 3, 2, 0);
	snapshot_command(world);
	world_turn(world);
	while (world_slice_turn(world))
		;
	cr_assert_not(world->slice_pending);
	cr_assert(world_persist(world));
	cr_assert(world->slice_pending);
	world_free(world);
}

Test(snapshot, begins_by_itself_after_so_many_effects)
{
	struct shard_config config;
	world_config_default(&config);
	config.snapshot_effects = 50;
	struct world *world = world_new(&config);
	cr_assert_eq(world_start(world, false), 0);
	world_hotel_put(world, WORLD_HOTEL);
	world_type_put(world, WORLD_HOTEL, 1, 500);
	world_price_set(world, WORLD_HOTEL, 1);
	for (unsigned i = 0; i < 45; i++)
		world_do(world,
			world_sale(world, FRAME_BOOK, world_id(world, WORLD_HOTEL), 1, 3, 2, 0));
	cr_assert_not(world->done.is_whole);
	for (unsigned i = 0; i < 2; i++)
		world_do(world,
			world_sale(world, FRAME_BOOK, world_id(world, WORLD_HOTEL), 1, 3, 2, 0));
	cr_assert(world->done.is_whole);
	cr_assert(world->snapshot_began);
	world_free(world);
}

Test(snapshot, begins_after_as_many_effects_as_it_is_told_later)
{
	struct shard_config config;
	struct world *world = world_serving(500);
	world_config_default(&config);
	for (unsigned i = 0; i < 60; i++)
		world_do(world,
			world_sale(world, FRAME_BOOK, world_id(world, WORLD_HOTEL), 1, 3, 2, 0));
	cr_assert_not(world->done.is_whole);
	config.snapshot_effects = 50;
	config.idle_timeout_us = 77;
	shard_retune(world->shard, &config);
	world_do(world, world_sale(world, FRAME_BOOK, world_id(world, WORLD_HOTEL), 1, 3, 2, 0));
	cr_assert(world->done.is_whole);
	world_free(world);
}

Test(snapshot, one_that_cannot_be_written_is_dropped_and_the_shard_goes_on)
{
	struct world *world = world_serving(5);
	world->auto_slice = false;
	cr_assert_eq(world_do(world, snapshot_command(world)), KEYRACK_DONE);
	cr_assert(world->slice_pending);
	world_slice_written(world, true);
	cr_assert_not(world->slice_pending);
	cr_assert_eq(world_do(world, world_sale(world, FRAME_BOOK, world_id(world, WORLD_HOTEL), 1,
					     3, 2, 0)),
		KEYRACK_DONE);
	world->auto_slice = true;
	cr_assert_eq(world_do(world, snapshot_command(world)), KEYRACK_DONE);
	cr_assert(world->done.is_whole);
	world_free(world);
}

Test(snapshot, hotels_changed_between_slices_replay_to_the_same_state)
{
	struct world *world = world_serving(5);
	for (unsigned i = 0; i < 5; i++) {
		world_do(world, world_hotel_put(world, 100 + i));
		world_do(world, world_type_put(world, 100 + i, 1, 4));
	}
	world->auto_slice = false;
	world_do(world, snapshot_command(world));
	while (world->slice_pending) {
		world_random(world, 200);
		world_slice_written(world, false);
	}
	cr_assert(world->done.is_whole);
	world_random(world, 200);
	world_settle(world);
	uint64_t digest = shard_digest(world->shard);
	world_restart(world, true);
	cr_assert_eq(shard_digest(world->shard), digest);
	world_free(world);
}

#define MANY 3500u /* sales of one hotel: more than a turn saves */

static struct world *with_many_sales(struct kr_id ids[static MANY])
{
	struct world *world = world_serving(UINT16_MAX / 2);
	for (uint32_t i = 0; i < MANY; i++) {
		ids[i] = world_id(world, WORLD_HOTEL);
		world_sale(world, i % 7 == 0 ? FRAME_HOLD : FRAME_BOOK, ids[i], 1, 3, 2, 0);
		if (i % 1000 == 999)
			world_turn(world);
	}
	world_turn(world);
	world_settle(world);
	world->auto_persist = world->auto_slice = false;
	return world;
}

static void requests_come(struct world *world, const struct kr_id *ids, uint32_t turn)
{
	world_transition(world, FRAME_CANCEL, ids[MANY - 3 - 7 * turn]);
	world_transition(world, FRAME_CANCEL, ids[3 + 7 * turn]);
	world_sale(world, FRAME_BOOK, world_id(world, WORLD_HOTEL), 1, 3, 2, 0);
	world_turn(world);
	while (world_persist(world))
		;
}

static uint64_t records_left(const struct world *world)
{
	const struct shard_snapshot *s = &world->shard->snapshot;
	return s->is_capturing ? (uint64_t)s->capture.held_left + s->capture.kept_left : 0;
}

/* One turn of filling, beside requests: bounded, and a pace behind the one before. */
static void turn_is_bounded(struct world *world, uint64_t *last_boot_us)
{
	const uint64_t left = records_left(world);
	cr_assert(world_slice_turn(world));
	cr_assert_geq(world->boot_us, *last_boot_us + SHARD_SLICE_PACE_US - 1);
	*last_boot_us = world->boot_us;
	cr_assert_leq(left, records_left(world) + SHARD_SLICE_WORK);
	while (world_persist(world))
		;
}

Test(snapshot, of_a_large_hotel_takes_bounded_turns_and_ends_beside_requests, .timeout = 120)
{
	static struct kr_id ids[MANY];
	struct world *world = with_many_sales(ids);
	uint32_t turns = 0;
	uint64_t last_boot_us = 0;
	snapshot_command(world);
	world_turn(world);
	while (!world->done.is_whole) {
		cr_assert_lt(turns, 2 * MANY / SHARD_SLICE_WORK);
		requests_come(world, ids, turns++);
		cr_assert_not(world->slice_pending, "not beside requests");
		turn_is_bounded(world, &last_boot_us);
		if (world->slice_pending)
			world_slice_written(world, false);
	}
	cr_assert_geq(turns, MANY / SHARD_SLICE_WORK);
	world->auto_persist = world->auto_slice = true;
	requests_come(world, ids, turns);
	world_settle(world);
	uint64_t digest = shard_digest(world->shard);
	world_restart(world, true);
	cr_assert_eq(shard_digest(world->shard), digest);
	world_free(world);
}

Test(snapshot, of_a_shard_that_stops_is_not_paced)
{
	static struct kr_id ids[MANY];
	struct world *world = with_many_sales(ids);
	snapshot_command(world);
	world_turn(world);
	cr_assert(world_slice_turn(world));
	cr_assert_not(world->slice_pending);
	world_stop(world);
	while (world_persist(world))
		;
	cr_assert(world->slice_pending, "what was begun is ended at once");
	world->auto_persist = world->auto_slice = true;
	world_settle(world);
	cr_assert(world->is_stopped);
	world_restart(world, true);
	world_free(world);
}

Test(snapshot, a_hotel_larger_than_a_chunk_goes_in_pieces)
{
	struct shard_config config;
	world_config_default(&config);
	config.inventory.rows_max = 64;
	config.chunk_size_max_bytes = 1024;
	struct world *world = world_new(&config);
	cr_assert_eq(world_start(world, false), 0);
	world_hotel_put(world, WORLD_HOTEL);
	for (uint32_t type = 0; type < 60; type++)
		world_type_put(world, WORLD_HOTEL, type, 1 + type);
	world_price_set(world, WORLD_HOTEL, 123);
	world_turn(world);
	world_do(world, snapshot_command(world));
	cr_assert(world->done.is_whole);
	uint32_t pieces = 0;
	for (uint32_t i = 0; i < world->done.count; i++)
		pieces += world->done.chunks[i].head.part > 0;
	cr_assert_gt(pieces, 0);
	uint64_t digest = shard_digest(world->shard);
	world_restart(world, true);
	cr_assert_eq(shard_digest(world->shard), digest);
	world_free(world);
}

static void persisted_async(struct world *world, uint64_t acked_lsn, uint64_t durable_lsn)
{
	struct shard_event event = {.kind = SHARD_PERSISTED,
		.persisted_lsn = acked_lsn,
		.durable_lsn = durable_lsn,
		.is_async = true};
	cr_assert_eq(world_event(world, &event), 0);
}

Test(snapshot, shows_nothing_that_async_durability_may_still_lose)
{
	struct world *world = world_serving(5);
	uint64_t durable_lsn = shard_last_lsn(world->shard);
	world->auto_persist = world->auto_slice = false;
	uint64_t book = world_sale(world, FRAME_BOOK, world_id(world, WORLD_HOTEL), 1, 3, 2, 0);
	world_turn(world);
	world->durable_count++;
	persisted_async(world, durable_lsn + 1, durable_lsn);
	cr_assert_eq(world_code(world, book), KEYRACK_DONE);
	snapshot_command(world);
	world_turn(world);
	while (world_slice_turn(world))
		;
	cr_assert_not(world->slice_pending);
	persisted_async(world, durable_lsn + 1, durable_lsn + 1);
	cr_assert(world->slice_pending);
	cr_assert_eq(world->writing.begin_lsn, durable_lsn);
	world_free(world);
}
