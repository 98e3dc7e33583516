/* The writer with an archive: what is not copied stays, and how much may wait. */
#include <criterion/criterion.h>

#include "tests/unit/log/log_world.h"

#define SEGMENT_SIZE (8u * LOG_BLOCK_SIZE)

static void begin(struct world *world, struct life *life, uint32_t keep_count)
{
	world_init(world);
	world_lay_out(world, SEGMENT_SIZE);
	cr_assert(life_begin(life, world));
	life->writer.config.archive_keep_count = keep_count;
}

static void end(struct world *world, struct life *life)
{
	life_end(life);
	world_fini(world);
}

static void prune_all(struct life *life)
{
	log_writer_prune(&life->writer, log_writer_durable_lsn(&life->writer), life->now_us);
	life_run(life);
}

Test(archive, segments_are_offered_in_order_once_they_are_complete)
{
	struct world world;
	struct life life;
	uint64_t next = 1;
	begin(&world, &life, 4000);
	for (uint32_t i = 0; i < 100; i++) {
		cr_assert(life_append(&life, 10));
		uint64_t durable = life.writer.durable.segment;
		uint64_t offered = log_writer_archive_next(&life.writer);
		cr_assert_eq(offered, next < durable ? next : 0);
		if (offered != 0 && i % 3 == 0) {
			log_writer_archived(&life.writer, offered, life.now_us);
			next++;
		}
		cr_assert_eq(log_writer_archive_lag(&life.writer), durable - next);
	}
	cr_assert_gt(next, 8);
	end(&world, &life);
}

Test(archive, what_is_not_copied_is_neither_recycled_nor_removed)
{
	struct world world;
	struct life life;
	begin(&world, &life, 4000);
	for (uint32_t i = 0; i < 60; i++) {
		cr_assert(life_append(&life, 10));
		prune_all(&life);
	}
	cr_assert_eq(life.recycle_count, 0);
	cr_assert_eq(life.remove_count, 0);
	cr_assert_not_null(world_find(&world, "log-000000000001"));
	log_writer_archived(&life.writer, 1, life.now_us);
	log_writer_archived(&life.writer, 2, life.now_us);
	cr_assert_eq(log_writer_archive_next(&life.writer), 3);
	for (uint32_t i = 0; i < 30; i++) {
		cr_assert(life_append(&life, 10));
		prune_all(&life);
	}
	cr_assert_eq(life.recycle_count + life.remove_count, 2);
	cr_assert_null(world_find(&world, "log-000000000001"));
	cr_assert_null(world_find(&world, "log-000000000002"));
	cr_assert_not_null(world_find(&world, "log-000000000003"));
	end(&world, &life);
}

Test(archive, what_the_snapshots_need_stays_though_it_is_copied)
{
	struct world world;
	struct life life;
	begin(&world, &life, 4000);
	for (uint32_t i = 0; i < 60; i++) {
		uint64_t offered;
		cr_assert(life_append(&life, 10));
		while ((offered = log_writer_archive_next(&life.writer)) != 0)
			log_writer_archived(&life.writer, offered, life.now_us);
		life_run(&life);
	}
	cr_assert_eq(life.recycle_count + life.remove_count, 0);
	cr_assert_not_null(world_find(&world, "log-000000000001"));
	end(&world, &life);
}

Test(archive, that_takes_nothing_is_a_full_disk_after_so_many_segments)
{
	struct world world;
	struct life life;
	uint32_t count = 0;
	begin(&world, &life, 3);
	while (log_writer_level(&life.writer) == LOG_LEVEL_OK && count++ < 1000)
		cr_assert(life_append(&life, 10));
	cr_assert_eq(log_writer_level(&life.writer), LOG_LEVEL_LOW);
	cr_assert_eq(log_writer_archive_lag(&life.writer), 3);
	uint64_t made = life.prepare_count;
	life.now_us += 10 * LOG_SPACE_RETRY_US_DEFAULT;
	log_writer_tick(&life.writer, life.now_us);
	life_run(&life);
	cr_assert_eq(life.prepare_count, made);
	prune_all(&life);
	cr_assert_eq(log_writer_level(&life.writer), LOG_LEVEL_LOW, "copied is what counts");
	log_writer_archived(&life.writer, 1, life.now_us);
	life_run(&life);
	cr_assert_eq(log_writer_level(&life.writer), LOG_LEVEL_OK);
	cr_assert_eq(life.prepare_count, made + 1);
	end(&world, &life);
}

/* Segments of an earlier run do not count as waiting, or a start would begin with a full log. */
Test(archive, of_a_log_with_a_history_begins_with_nothing_to_wait_for)
{
	struct world world;
	struct life life;
	begin(&world, &life, 0);
	for (uint32_t i = 0; i < 60; i++)
		cr_assert(life_append(&life, 10));
	cr_assert_eq(log_writer_archive_next(&life.writer), 0);
	life_end(&life);
	cr_assert(life_begin(&life, &world));
	life.writer.config.archive_keep_count = 2;
	cr_assert_eq(log_writer_archive_next(&life.writer), 1);
	cr_assert_eq(log_writer_archive_lag(&life.writer), 0);
	cr_assert(life_append(&life, 10));
	cr_assert_eq(log_writer_level(&life.writer), LOG_LEVEL_OK);
	end(&world, &life);
}
