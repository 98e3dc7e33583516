/* Recovery to a point in the past: which snapshot serves, and what is handed out. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "tests/unit/log/log_world.h"

#define SEGMENT_SIZE (8u * LOG_BLOCK_SIZE)

/*
 * Ten effects a batch, batches 1 to 40 and a few empty ones, segments of 8; snapshots at 100 to
 * 110 and 200 to 200. `is_pruned`: as far as the older snapshot lets it.
 */
static void build(struct world *world, bool is_pruned)
{
	struct life life;
	world_init(world);
	world_lay_out(world, SEGMENT_SIZE);
	cr_assert(life_begin(&life, world));
	for (uint32_t i = 0; i < 40; i++)
		life_append(&life, 10);
	life_end(&life);
	world_snap(world, 100, 110, 4);
	world_snap(world, 200, 200, 4);
	if (is_pruned)
		world_remove(world, "log-000000000001");
}

static struct log_recover *recover;
static struct applied applied;

static const struct log_recover_report *reach(struct world *world, struct log_reach reach)
{
	if (recover == NULL)
		recover = malloc(sizeof(*recover));
	cr_assert_not_null(recover);
	world_recover_reach(world, recover, &reach, &applied);
	cr_assert_not(applied.is_broken);
	return &recover->report;
}

Test(reach, takes_the_newest_snapshot_that_shows_nothing_later)
{
	struct world world;
	const struct log_recover_report *report;
	build(&world, true);
	report = reach(&world, (struct log_reach){.to_lsn = 250});
	cr_assert_eq(report->verdict, LOG_VERDICT_CLEAN);
	cr_assert_eq(report->snap_begin_lsn, 200);
	report = reach(&world, (struct log_reach){.to_lsn = 200});
	cr_assert_eq(report->snap_begin_lsn, 200);
	cr_assert_eq(applied.last_lsn, 0);
	report = reach(&world, (struct log_reach){.to_lsn = 199});
	cr_assert_eq(report->snap_begin_lsn, 100);
	cr_assert_eq(report->passed_snap_count, 1);
	cr_assert_eq(applied.first_lsn, 101);
	cr_assert_eq(applied.last_lsn, 200, "the batch that holds it is handed out whole");
	/* The older one began at 100, but shows 110 already. */
	report = reach(&world, (struct log_reach){.to_lsn = 110});
	cr_assert_eq(report->snap_begin_lsn, 100);
	cr_assert_eq(applied.last_lsn, 110);
	world_fini(&world);
}

Test(reach, says_what_is_too_far_back_and_how_far_it_goes)
{
	struct world world;
	build(&world, true);
	for (uint64_t lsn = 1; lsn < 110; lsn++) {
		const struct log_recover_report *report =
			reach(&world, (struct log_reach){.to_lsn = lsn});
		cr_assert(report->is_out_of_reach);
		cr_assert_eq(report->reach_lsn, 110);
		cr_assert_eq(applied.last_lsn, 0);
	}
	world_fini(&world);
	build(&world, false);
	for (uint64_t lsn = 1; lsn < 110; lsn++) {
		const struct log_recover_report *report =
			reach(&world, (struct log_reach){.to_lsn = lsn});
		cr_assert_not(report->is_out_of_reach);
		cr_assert_not(report->has_snap);
		cr_assert_eq(applied.first_lsn, 1);
		cr_assert_eq(applied.last_lsn, (lsn + 9) / 10 * 10);
	}
	world_fini(&world);
}

Test(reach, goes_the_longest_way_when_that_is_asked)
{
	struct world world;
	const struct log_recover_report *report;
	build(&world, false);
	report = reach(&world, (struct log_reach){.from_oldest = true});
	cr_assert_eq(report->verdict, LOG_VERDICT_CLEAN);
	cr_assert_not(report->has_snap);
	cr_assert_eq(applied.chunk_count, 0);
	cr_assert_eq(applied.first_lsn, 1);
	cr_assert_eq(applied.last_lsn, 400);
	world_remove(&world, "log-000000000001");
	report = reach(&world, (struct log_reach){.from_oldest = true});
	cr_assert_eq(report->snap_begin_lsn, 100);
	cr_assert_eq(applied.last_lsn, 400);
	report = reach(&world, (struct log_reach){.from_oldest = true, .snap_min_lsn = 101});
	cr_assert_eq(report->snap_begin_lsn, 200);
	report = reach(&world, (struct log_reach){.from_oldest = true, .to_lsn = 109});
	cr_assert(report->is_out_of_reach);
	cr_assert_eq(report->reach_lsn, 110);
	world_fini(&world);
}

/* The older snapshot outlived its log: the newer one serves what it can, and nothing before. */
Test(reach, does_not_count_a_snapshot_whose_log_is_gone)
{
	struct world world;
	const struct log_recover_report *report;
	build(&world, true);
	world_remove(&world, "log-000000000002");
	report = reach(&world, (struct log_reach){.to_lsn = 150});
	cr_assert(report->is_out_of_reach);
	cr_assert_eq(report->reach_lsn, 200);
	report = reach(&world, (struct log_reach){.from_oldest = true});
	cr_assert_eq(report->verdict, LOG_VERDICT_SNAPSHOT_TOO_OLD);
	report = reach(&world, (struct log_reach){.from_oldest = true, .snap_min_lsn = 101});
	cr_assert_eq(report->verdict, LOG_VERDICT_CLEAN);
	cr_assert_eq(report->snap_begin_lsn, 200);
	world_fini(&world);
}

Test(reach, of_nothing_in_particular_is_what_a_start_does)
{
	struct world world;
	const struct log_recover_report *report;
	build(&world, true);
	report = reach(&world, (struct log_reach){0});
	cr_assert_eq(report->snap_begin_lsn, 200);
	cr_assert_eq(report->passed_snap_count, 0);
	cr_assert_eq(applied.first_lsn, 201);
	cr_assert_eq(applied.last_lsn, 400);
	world_fini(&world);
}
