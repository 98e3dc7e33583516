#include <criterion/criterion.h>

#include "tests/unit/shard/world.h"

static void check_verify(struct world *world)
{
	struct inv_contradiction contradiction;
	int r = inv_verify(shard_inventory(world->shard), &contradiction);
	cr_assert_eq(r, 0, "%s", r == 0 ? "" : contradiction.what);
}

Test(restart, live_replayed_and_snapshot_with_tail_have_one_digest)
{
	struct world *world = world_serving(4);
	for (unsigned round = 0; round < 6; round++) {
		world_random(world, 1500);
		if (round % 2 == 0) {
			Keyrack__SnapshotRequest body = KEYRACK__SNAPSHOT_REQUEST__INIT;
			world_frame(world, FRAME_SNAPSHOT, FRAME_ROUTE_SHARD, 0, &body.base);
			world_turn(world);
			world_random(world, 300);
		}
		world_settle(world);
		check_verify(world);
		uint64_t digest = shard_digest(world->shard);
		uint64_t lsn = shard_last_lsn(world->shard);
		world_restart(world, false);
		cr_assert_eq(shard_digest(world->shard), digest);
		cr_assert_eq(shard_last_lsn(world->shard), lsn);
		world_restart(world, true);
		cr_assert_eq(shard_digest(world->shard), digest);
		cr_assert_eq(shard_last_lsn(world->shard), lsn);
		check_verify(world);
		cr_assert_eq(world_start(world, false), 0);
	}
	world_free(world);
}

Test(restart, an_acknowledged_booking_answers_the_same_after_a_crash)
{
	struct world *world = world_serving(2);
	struct kr_id acked = world_id(world, WORLD_HOTEL), lost = world_id(world, WORLD_HOTEL);
	cr_assert_eq(
		world_do(world, world_sale(world, FRAME_BOOK, acked, 1, 3, 2, 0)), KEYRACK_DONE);
	world->auto_persist = false;
	uint64_t never = world_sale(world, FRAME_BOOK, lost, 1, 3, 2, 0);
	world_turn(world);
	cr_assert_eq(world_code(world, never), 0);
	/* The append under way never reached the disk. */
	world_restart(world, true);
	world->auto_persist = true;
	cr_assert_eq(world_start(world, false), 0);
	uint64_t again = world_sale(world, FRAME_BOOK, acked, 1, 3, 2, 0);
	cr_assert_eq(world_do(world, again), KEYRACK_DONE);
	const Keyrack__ReservationAnswer *answer =
		(const Keyrack__ReservationAnswer *)world_answer(world, again)->message;
	cr_assert(answer->repeated_op);
	cr_assert_eq(world_do(world, world_get(world, lost)), KEYRACK_NOT_FOUND);
	uint64_t retry = world_sale(world, FRAME_BOOK, lost, 1, 3, 2, 0);
	cr_assert_eq(world_do(world, retry), KEYRACK_DONE);
	answer = (const Keyrack__ReservationAnswer *)world_answer(world, retry)->message;
	cr_assert_not(answer->repeated_op);
	world_free(world);
}

Test(restart, a_clean_stop_leaves_a_snapshot_and_a_digest_that_replay_must_meet)
{
	struct world *world = world_serving(3);
	world_random(world, 500);
	world_stop(world);
	cr_assert(world->is_stopped);
	cr_assert(world->done.is_whole);
	const struct world_batch *last = &world->batches[world->batch_count - 1];
	struct record_scratch *scratch = calloc(1, sizeof(*scratch));
	struct record_reader reader;
	struct inv_effect effect;
	record_reader_init(&reader, &last->record, scratch);
	cr_assert_eq(record_next(&reader, &effect), 0);
	cr_assert_eq(effect.kind, INV_EFFECT_DIGEST);
	uint8_t digest[8];
	kr_store_u64(digest, effect.u.digest.state_digest);
	free(scratch);
	world_restart(world, true);
	world_restart(world, false);
	/* One wrong bit in the recorded digest is a refusal. */
	uint8_t *at = memmem(last->body, last->record.size_bytes, digest, sizeof(digest));
	cr_assert_not_null(at);
	at[3] ^= 1;
	struct world *other = world_new(NULL);
	struct shard_trouble trouble;
	int r = 0;
	for (uint32_t i = 0; i < world->batch_count && r == 0; i++)
		r = shard_replay(other->shard, &world->batches[i].record, &trouble);
	cr_assert_eq(r, SHARD_DIGEST_DIFFERS);
	cr_assert_eq(trouble.lsn, last->record.first_lsn);
	world_free(other);
	world_free(world);
}

Test(restart, an_effect_that_contradicts_the_state_is_named)
{
	struct world *world = world_serving(3);
	world_random(world, 100);
	world_settle(world);
	struct world *other = world_new(NULL);
	struct shard_trouble trouble = {0};
	int r = 0;
	/* One batch is missing. */
	for (uint32_t i = 0; i < world->batch_count && r == 0; i++) {
		if (i != 2)
			r = shard_replay(other->shard, &world->batches[i].record, &trouble);
	}
	cr_assert_eq(r, SHARD_CONTRADICTION);
	cr_assert_eq(trouble.lsn, world->batches[3].record.first_lsn);
	cr_assert_neq(trouble.text[0], 0);
	world_free(other);
	world_free(world);
}

Test(restart, a_log_of_a_longer_window_needs_one_as_long_until_a_clean_stop)
{
	struct world *world = world_serving(3);
	world_random(world, 100);
	world_settle(world);
	struct shard_trouble trouble = {0};
	struct shard_sizes sizes;
	world->config.inventory.window_nights = 48;
	struct world *other = world_new(&world->config);
	int r = 0;
	for (uint32_t i = 0; i < world->batch_count && r == 0; i++)
		r = shard_replay(other->shard, &world->batches[i].record, &trouble);
	cr_assert_eq(r, SHARD_NO_ROOM);
	shard_sizes_get(other->shard, &sizes);
	cr_assert_eq(sizes.window_nights, 64);
	world_free(other);
	world_stop(world);
	cr_assert(world->is_stopped);
	uint64_t digest = shard_digest(world->shard);
	world_restart(world, true);
	cr_assert_eq(shard_digest(world->shard), digest);
	shard_sizes_get(world->shard, &sizes);
	cr_assert_eq(sizes.hotels, 1);
	cr_assert_eq(sizes.rows, 2);
	world_free(world);
}
