/*
 * An operator's cut on a simulated disk, killed or cut off at every one of its calls: what is found
 * after it is never refused and never shorter than was asked for, and the cut, done again, gives
 * what it should.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/log/truncate.h"
#include "tests/fault/store_run.h"

#define SEGMENT_SIZE (6u * LOG_BLOCK_SIZE)
#define LAST_LSN 300u

struct cut_run {
	struct store_run process;
	/* of the last recovery */
	struct log_batch_header kept;
	uint64_t to_lsn;
	uint64_t last_lsn;
};

static int on_reset(void *context)
{
	struct cut_run *run = context;
	memset(&run->kept, 0, sizeof(run->kept));
	run->last_lsn = 0;
	return 0;
}

static int on_chunk(void *context, const struct log_snap_chunk *chunk, const uint8_t *body,
	struct log_trouble *trouble)
{
	struct cut_run *run = context;
	run->last_lsn = KR_MAX(run->last_lsn, chunk->lsn);
	return 0;
}

static int on_batch(void *context, const struct log_batch_header *header, const uint8_t *body,
	struct log_trouble *trouble)
{
	struct cut_run *run = context;
	uint64_t last_lsn = header->first_lsn + header->count - 1;
	run->last_lsn = KR_MAX(run->last_lsn, last_lsn);
	if (last_lsn <= run->to_lsn)
		run->kept = *header;
	return 0;
}

static int on_digest(
	void *context, const struct log_batch_header *header, struct log_trouble *trouble)
{
	return 0;
}

/* Thirty batches of ten effects over several segments; snapshots at 100 to 105 and at 250. */
static void build(struct world *world)
{
	struct life life;
	world_init(world);
	world_lay_out(world, SEGMENT_SIZE);
	cr_assert(life_begin(&life, world));
	for (uint32_t i = 0; i < LAST_LSN / 10; i++)
		cr_assert(life_append(&life, 10));
	life_idle(&life);
	life_end(&life);
	world_snap(world, 100, 105, 3);
	world_snap(world, 250, 250, 3);
}

static void run_begin(struct cut_run *run, const struct world *world, uint64_t seed)
{
	static const struct sim_faults fates = {.fate_kept = 2,
		.fate_dropped = 3,
		.fate_torn = 2,
		.fate_zeroed = 1,
		.fate_garbage = 1};
	memset(run, 0, sizeof(*run));
	store_run_begin(&run->process, world, seed, &fates);
}

static int recover(struct cut_run *run, uint64_t to_lsn)
{
	struct kr_error_text text;
	struct log_applier applier = {run, on_reset, on_chunk, on_batch, on_digest};
	(void)on_reset(run);
	run->to_lsn = to_lsn;
	run->process.store.reach = (struct log_reach){.to_lsn = to_lsn};
	return log_store_recover(&run->process.store, NULL, true, &applier, &text);
}

/* Hit by a crash at its nth call; 0: by none. False: it was. */
static bool cut(struct cut_run *run, uint64_t to_lsn, uint64_t nth, enum sim_crash how)
{
	struct kr_error_text text;
	cr_assert_eq(recover(run, to_lsn), 0);
	cr_assert_eq(run->kept.first_lsn + run->kept.count - 1, to_lsn);
	sim_node_crash_at(run->process.node, nth, how);
	int r = log_store_truncate(&run->process.store, &run->kept, &text);
	if (store_run_is_alive(&run->process)) {
		cr_assert_eq(r, 0, "%s", text.bytes);
		sim_node_crash_at(run->process.node, 0, how);
		return true;
	}
	sim_world_run_until(run->process.world, sim_world_now_us(run->process.world) + 1);
	return false;
}

static uint64_t check(struct cut_run *run, uint64_t to_lsn, const char *when)
{
	const struct log_recover_report *report = &run->process.store.recover->report;
	cr_assert_eq(recover(run, 0), 0);
	cr_assert_eq(log_verdict_class(report->verdict), LOG_VERDICT_START, "%s: %s", when,
		log_verdict_name(report->verdict));
	cr_assert_geq(run->last_lsn, to_lsn, "%s", when);
	cr_assert_eq(report->scan.end.next_lsn - 1, run->last_lsn);
	cr_assert_leq(report->snap_end_lsn, run->last_lsn);
	return run->last_lsn;
}

/* The number of calls a whole cut makes: crashes at each of them were survived. */
static uint64_t sweep(const struct world *world, uint64_t to_lsn, enum sim_crash how)
{
	for (uint64_t nth = 1;; nth++) {
		struct cut_run run;
		char when[80];
		snprintf(when, sizeof(when), "to %llu, call %llu, how %d",
			(unsigned long long)to_lsn, (unsigned long long)nth, (int)how);
		run_begin(&run, world, nth);
		store_run_open(&run.process);
		bool is_done = cut(&run, to_lsn, nth, how);
		if (!is_done) {
			store_run_open(&run.process);
			(void)check(&run, to_lsn, when);
			cr_assert(cut(&run, to_lsn, 0, how));
		}
		cr_assert_eq(check(&run, to_lsn, when), to_lsn);
		store_run_end(&run.process);
		if (is_done)
			return nth;
	}
}

Test(truncate_sim, survives_a_kill_and_a_power_cut_at_every_call, .timeout = 240)
{
	static const uint64_t points[] = {20, 110, 260, 290};
	struct world world;
	build(&world);
	for (size_t i = 0; i < KR_ARRAY_COUNT(points); i++) {
		cr_assert_geq(sweep(&world, points[i], SIM_KILL), 10);
		cr_assert_geq(sweep(&world, points[i], SIM_POWER), 10);
	}
	world_fini(&world);
}
