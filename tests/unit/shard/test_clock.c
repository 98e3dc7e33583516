#include <criterion/criterion.h>

#include "engine/shard/clock.h"
#include "tests/unit/shard/world.h"

#define WALL UINT64_C(1767225600000000)

Test(clock, starts_at_the_wall_or_just_after_the_log)
{
	struct shard_clock clock;
	shard_clock_start(&clock, WALL - 1000, 5, WALL);
	cr_assert_eq(clock.t_us, WALL);
	shard_clock_start(&clock, WALL + 1000, 5, WALL);
	cr_assert_eq(clock.t_us, WALL + 1001);
}

Test(clock, never_stands_still)
{
	struct shard_clock clock;
	shard_clock_start(&clock, 0, 5, WALL);
	for (int i = 1; i < 100; i++)
		cr_assert_eq(shard_clock_advance(&clock, 5, WALL), WALL + (uint64_t)i);
}

Test(clock, follows_a_step_of_the_wall_by_500_ppm_at_most)
{
	for (int direction = -1; direction <= 1; direction += 2) {
		struct shard_clock clock;
		uint64_t boot_us = 1000, wall_us = WALL;
		shard_clock_start(&clock, 0, boot_us, wall_us);
		wall_us += (uint64_t)((int64_t)direction * 60 * 1000000);
		for (int i = 0; i < 1000000; i++) {
			boot_us += 100;
			wall_us += 100;
			shard_clock_advance(&clock, boot_us, wall_us);
		}
		int64_t drift_us = (int64_t)(clock.t_us - WALL) - 100 * 1000000;
		cr_assert_eq(drift_us, direction * 50000, "%lld", (long long)drift_us);
	}
}

Test(clock, a_long_silence_buys_no_jump)
{
	struct shard_clock clock;
	uint64_t day_us = 24 * WORLD_HOUR_US;
	shard_clock_start(&clock, 0, 0, WALL);
	uint64_t t_us = shard_clock_advance(&clock, day_us, WALL + 10 * day_us);
	cr_assert_leq(t_us, WALL + day_us + 60 * 500);
	t_us = shard_clock_advance(&clock, day_us + 1000, WALL + 10 * day_us);
	cr_assert_leq(t_us, WALL + day_us + 60 * 500 + 1001);
}

/* Its batch is there, and no effect in it: a start that died before its START was durable. */
Test(start, goes_on_from_the_newest_batch_though_it_holds_no_effect)
{
	struct world *world = world_serving(1);
	world_stop(world);
	world_restart(world, true);
	world->log_t_us = world->wall_us + 20000000;
	cr_assert_eq(world_start(world, false), 0);
	cr_assert(world->is_serving);
	cr_assert_gt(world->batches[world->batch_count - 1].record.t_us, world->log_t_us);
	world_free(world);
}

Test(start, with_the_wall_an_hour_behind_a_batch_without_effects_is_refused)
{
	struct world *world = world_serving(1);
	world_stop(world);
	world_restart(world, true);
	world->log_t_us = world->wall_us + WORLD_HOUR_US + 10000000;
	cr_assert_eq(world_start(world, false), SHARD_CLOCK_BEHIND);
	cr_assert_not(world->is_serving);
	world_free(world);
}

Test(start, with_the_wall_an_hour_behind_the_log_is_refused_unless_told)
{
	struct world *world = world_serving(1);
	world_stop(world);
	world_restart(world, true);
	world->wall_us -= WORLD_HOUR_US + 10000000;
	cr_assert_eq(world_start(world, false), SHARD_CLOCK_BEHIND);
	cr_assert_not(world->is_serving);
	cr_assert_eq(world_start(world, true), 0);
	cr_assert(world->is_serving);
	world_free(world);
}

Test(start, with_the_wall_seven_days_ahead_of_the_log_is_refused_unless_told)
{
	struct world *world = world_serving(1);
	world_stop(world);
	world_restart(world, true);
	world->wall_us += 7 * 24 * WORLD_HOUR_US + 10000000;
	cr_assert_eq(world_start(world, false), SHARD_CLOCK_AHEAD);
	cr_assert_eq(world_start(world, true), 0);
	cr_assert(world->is_serving);
	world_free(world);
}

Test(start, just_within_the_bounds_serves)
{
	struct world *world = world_serving(1);
	world_stop(world);
	world_restart(world, true);
	world->wall_us -= WORLD_HOUR_US - 10000000;
	cr_assert_eq(world_start(world, false), 0);
	world_free(world);
}
