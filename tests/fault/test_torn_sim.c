/*
 * A start that dies, or fails, again and again while it cuts a torn tail: the tail is kept whole,
 * once, and nothing else is left of all those starts.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fault/store_run.h"

#define SEGMENT_SIZE (6u * LOG_BLOCK_SIZE)
#define DEATHS 5u /* at the same call, one after the other */

struct torn_run {
	struct store_run process;
	/* of the directory as it is */
	uint32_t torn_count, new_count;
	char torn_name[LOG_DIR_NAME_SIZE];
};

/* The tail as it was. */
struct tail {
	uint64_t segment, offset_bytes, size_bytes, seq;
	uint8_t bytes[SEGMENT_SIZE];
};

static int on_reset(void *context)
{
	return 0;
}

static int on_chunk(void *context, const struct log_snap_chunk *chunk, const uint8_t *body,
	struct log_trouble *trouble)
{
	return 0;
}

static int on_batch(void *context, const struct log_batch_header *header, const uint8_t *body,
	struct log_trouble *trouble)
{
	return 0;
}

static int on_digest(
	void *context, const struct log_batch_header *header, struct log_trouble *trouble)
{
	return 0;
}

/* Batches, and behind them one of several blocks that never became whole. */
static void build(struct world *world, struct tail *tail)
{
	struct life life;
	world_init(world);
	world_lay_out(world, SEGMENT_SIZE);
	cr_assert(life_begin(&life, world));
	for (uint32_t i = 0; i < 9; i++)
		cr_assert(life_append(&life, 100));
	while (life.writer.position.offset_bytes > 2 * LOG_BLOCK_SIZE)
		cr_assert(life_append(&life, 1));
	cr_assert(life_append(&life, 700));
	tail->segment = life.last_write.segment;
	tail->offset_bytes = life.last_write.offset_bytes;
	tail->size_bytes = life.last_write.size_bytes;
	cr_assert_geq(tail->size_bytes, 3 * LOG_BLOCK_SIZE);
	uint8_t *place = world_segment(world, tail->segment)->bytes + tail->offset_bytes;
	life_end(&life);
	place[300] ^= 1;
	memcpy(tail->bytes, place, tail->size_bytes);
}

static void run_begin(struct torn_run *run, const struct world *world, uint64_t seed)
{
	/* Garbage in the place of zeroes would be other bytes, and be kept too. */
	static const struct sim_faults fates = {.fate_kept = 2, .fate_dropped = 2};
	memset(run, 0, sizeof(*run));
	store_run_begin(&run->process, world, seed, &fates);
}

static void recover(struct torn_run *run)
{
	struct kr_error_text text;
	struct log_applier applier = {run, on_reset, on_chunk, on_batch, on_digest};
	struct log_store *store = &run->process.store;
	store_run_open(&run->process);
	const int r = log_store_recover(store, NULL, false, &applier, &text);
	cr_assert_eq(r, 0, "%s", text.bytes);
	const enum log_verdict verdict = store->recover->report.verdict;
	cr_assert_neq(
		log_verdict_class(verdict), LOG_VERDICT_REFUSE, "%s", log_verdict_name(verdict));
}

static void look(void *context, const char *name)
{
	struct torn_run *run = context;
	struct log_dir_name parsed;
	log_dir_parse(name, &parsed);
	run->new_count += parsed.kind == LOG_DIR_LEFTOVER;
	run->torn_count += parsed.kind == LOG_DIR_TORN;
	if (parsed.kind == LOG_DIR_TORN)
		snprintf(run->torn_name, sizeof(run->torn_name), "%s", name);
}

static void count(struct torn_run *run)
{
	run->torn_count = run->new_count = 0;
	sim_media_list(run->process.disk, STORE_RUN_PATH, look, run);
}

/* A start that nothing happens to. Everything is as after a single one. */
static void finish(struct torn_run *run, const struct tail *tail, const char *when)
{
	struct kr_error_text text = {0};
	uint8_t kept[SEGMENT_SIZE];
	static const uint8_t zeroes[SEGMENT_SIZE];
	struct log_dir_text name;
	recover(run);
	cr_assert_eq(log_store_repair(&run->process.store, &text), 0, "%s: %s", when, text.bytes);
	store_run_close(&run->process);
	count(run);
	cr_assert_eq(run->torn_count, 1, "%s: %u copies", when, run->torn_count);
	cr_assert_eq(run->new_count, 0, "%s: %u leftovers", when, run->new_count);
	log_dir_torn_name(tail->segment, tail->seq, 0, &name);
	cr_assert_str_eq(run->torn_name, name.bytes, "%s", when);
	cr_assert_eq(sim_media_size(run->process.disk, STORE_RUN_PATH, name.bytes),
		(int64_t)tail->size_bytes, "%s", when);
	sim_media_read(run->process.disk, STORE_RUN_PATH, name.bytes, 0, kept, tail->size_bytes);
	cr_assert_eq(memcmp(kept, tail->bytes, tail->size_bytes), 0, "%s: other bytes", when);
	log_dir_segment_name(tail->segment, &name);
	sim_media_read(run->process.disk, STORE_RUN_PATH, name.bytes, tail->offset_bytes, kept,
		tail->size_bytes);
	cr_assert_eq(memcmp(kept, zeroes, tail->size_bytes), 0, "%s: not cut", when);
}

/* The number of calls that a whole repair makes: deaths at each of them were survived. */
static uint64_t sweep(const struct world *world, struct tail *tail, enum sim_crash how)
{
	for (uint64_t nth = 1;; nth++) {
		struct torn_run run;
		struct kr_error_text text;
		char when[80];
		bool is_done = false;
		snprintf(
			when, sizeof(when), "call %llu, how %d", (unsigned long long)nth, (int)how);
		run_begin(&run, world, nth);
		for (uint32_t i = 0; i < DEATHS && !is_done; i++) {
			recover(&run);
			if (i == 0)
				tail->seq = run.process.store.recover->report.scan.cut.seq;
			sim_node_crash_at(run.process.node, nth, how);
			const int r = log_store_repair(&run.process.store, &text);
			is_done = store_run_is_alive(&run.process);
			cr_assert(r == 0 || !is_done, "%s: %s", when, text.bytes);
			sim_node_crash_at(run.process.node, 0, how);
			if (is_done)
				store_run_close(&run.process);
			else
				sim_world_run_until(
					run.process.world, sim_world_now_us(run.process.world) + 1);
		}
		finish(&run, tail, when);
		store_run_end(&run.process);
		if (is_done)
			return nth;
	}
}

Test(torn_sim, deaths_at_any_call_of_a_cut_leave_one_copy, .timeout = 240)
{
	struct world world;
	struct tail tail;
	build(&world, &tail);
	cr_assert_geq(sweep(&world, &tail, SIM_KILL), 10);
	cr_assert_geq(sweep(&world, &tail, SIM_POWER), 10);
	world_fini(&world);
}

/* How often a repair passes the point; each passing failed, in start after start. */
static uint64_t fail_each(const struct world *world, struct tail *tail, enum fault_point point)
{
	for (uint64_t nth = 1;; nth++) {
		struct torn_run run;
		struct kr_error_text text;
		char when[80];
		bool has_failed = false;
		snprintf(when, sizeof(when), "%s, passing %llu", fault_name(point),
			(unsigned long long)nth);
		run_begin(&run, world, nth);
		for (uint32_t i = 0; i < DEATHS; i++) {
			recover(&run);
			if (i == 0)
				tail->seq = run.process.store.recover->report.scan.cut.seq;
			fault_arm(&run.process.faults, point, nth, true);
			has_failed |= log_store_repair(&run.process.store, &text) < 0;
			fault_disarm(&run.process.faults, point);
			store_run_close(&run.process);
		}
		finish(&run, tail, when);
		store_run_end(&run.process);
		if (!has_failed)
			return nth - 1;
	}
}

Test(torn_sim, failures_of_any_call_of_a_cut_leave_one_copy, .timeout = 240)
{
	static const enum fault_point points[] = {FAULT_FILE_WRITE, FAULT_FILE_WRITE_FULL,
		FAULT_FILE_SYNC, FAULT_DIRECTORY_SYNC, FAULT_FILE_OPEN, FAULT_FILE_SIZE};
	struct world world;
	struct tail tail;
	build(&world, &tail);
	for (size_t i = 0; i < KR_ARRAY_COUNT(points); i++)
		cr_assert_geq(fail_each(&world, &tail, points[i]), 1, "%s", fault_name(points[i]));
	cr_assert_geq(fail_each(&world, &tail, FAULT_FILE_RENAME), 1);
	world_fini(&world);
}
