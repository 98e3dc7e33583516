/*
 * The log, its recovery and its snapshots on simulated disks: processes killed and machines cut
 * off at any completion, start and repair included, sectors kept, dropped, torn or garbage, disks
 * full, writes and syncs that fail. Whatever was acknowledged is there at every start, no start is
 * refused; and with rotting, lost and misdirected writes a start is right or refused.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/io/sim/sim_node.h"
#include "engine/log/archive.h"
#include "engine/log/log_io.h"
#include "engine/log/snap_io.h"
#include "tests/unit/log/log_world.h"

#define SEGMENT_SIZE (6u * LOG_BLOCK_SIZE)
#define PATH "data"
#define ARCHIVE_PATH "archive"
#define LIFE_MAX 400u

struct sim_run {
	uint64_t seed;
	struct rng rng;
	struct sim_world *world;
	struct sim_disk *disk;
	struct sim_node *node;
	struct io_loop *loop;
	struct log_store store;
	struct log_io log;
	struct log_snap_io snap;
	struct io_timer timer;
	bool is_store_open;
	bool is_log_open;
	bool is_snap_open;
	struct log_archive archive;
	bool has_archive;
	bool is_archive_open;
	uint32_t archived_count; /* segments found in it at starts, that are nowhere else */
	uint32_t archive_failed_count;
	bool is_async;
	bool is_stopping;
	bool is_refused;
	bool is_damaged; /* the medium may lie: acknowledged batches may be gone */
	struct log_snap_chunk chunk;
	const uint8_t *body;
	uint64_t begin_lsn; /* of the snapshot being written */
	/* what must be found */
	uint64_t promised_lsn; /* acknowledged, or with `async` known durable */
	uint64_t submitted_lsn;
	uint64_t witnessed_seq;
	struct applied applied;
	uint64_t chunk_lsn;
	uint32_t life_count;
	uint32_t snap_count;
	uint32_t append_count;
	uint32_t stop_count;
	uint32_t low_count;
	uint32_t failed_count;
	uint32_t verdicts[LOG_VERDICT_COUNT];
	char refusal[1024];
};

static void start(void *context);

/* --- the process --- */

static void die(struct sim_run *run)
{
	run->failed_count++;
	sim_node_crash(run->node, SIM_KILL);
}

static int on_reset(void *context)
{
	struct sim_run *run = context;
	memset(&run->applied, 0, sizeof(run->applied));
	run->applied.reset_count = 1;
	run->chunk_lsn = 0;
	return 0;
}

static int on_chunk(void *context, const struct log_snap_chunk *chunk, const uint8_t *body,
	struct log_trouble *trouble)
{
	struct sim_run *run = context;
	run->applied.chunk_count++;
	run->chunk_lsn = KR_MAX(run->chunk_lsn, chunk->lsn);
	return 0;
}

static int on_batch(void *context, const struct log_batch_header *header, const uint8_t *body,
	struct log_trouble *trouble)
{
	struct sim_run *run = context;
	struct applied *applied = &run->applied;
	for (uint32_t i = 0; i < header->count; i++) {
		uint64_t pair[2];
		memcpy(pair, body + (size_t)i * 16, 16);
		if (applied->first_lsn == 0)
			applied->first_lsn = pair[0];
		else if (pair[0] != applied->last_lsn + 1)
			applied->is_broken = true;
		if (pair[1] != world_effect(pair[0]))
			applied->is_broken = true;
		applied->last_lsn = pair[0];
	}
	return 0;
}

static int on_digest(
	void *context, const struct log_batch_header *header, struct log_trouble *trouble)
{
	struct sim_run *run = context;
	run->applied.digest_count++;
	return header->state_digest == world_effect(header->first_lsn - 1) ? 0 : LOG_APPLY_DIGEST;
}

/* What is on the medium says that this batch was durable: looked for in every block. */
static void witness(void *context, const char *name)
{
	struct sim_run *run = context;
	uint8_t block[LOG_BLOCK_SIZE];
	struct log_batch_header header;
	struct log_mark mark;
	struct log_dir_name parsed;
	uint32_t version;
	bool is_mark = strcmp(name, LOG_DIR_MARK) == 0;
	log_dir_parse(name, &parsed);
	if (parsed.kind != LOG_DIR_SEGMENT && !is_mark)
		return;
	int64_t size = sim_media_size(run->disk, PATH, name);
	for (uint64_t at = 0; at + LOG_BLOCK_SIZE <= (uint64_t)size; at += LOG_BLOCK_SIZE) {
		sim_media_read(run->disk, PATH, name, at, block, sizeof(block));
		if (is_mark && log_mark_decode(block, &mark, &version) == LOG_META_OK)
			run->witnessed_seq = KR_MAX(run->witnessed_seq, mark.durable_seq);
		if (!is_mark && log_batch_header_read(block, &header) == LOG_BATCH_OK)
			run->witnessed_seq = KR_MAX(run->witnessed_seq, header.durable_seq);
	}
}

/* After a recovery that was not refused: is it all there, and nothing else? */
static void check(struct sim_run *run)
{
	const struct log_recover_report *report = &run->store.recover->report;
	uint64_t last = report->scan.end.next_lsn - 1;
	cr_assert_not(run->applied.is_broken);
	/* A lying medium may have lost batches, but none that anything left there speaks for. */
	if (run->is_damaged)
		cr_assert_geq(report->scan.end.next_seq, run->witnessed_seq + 1, "seed %llu",
			(unsigned long long)run->seed);
	else
		cr_assert_geq(last, run->promised_lsn, "seed %llu, life %u: LSN %llu, not %llu: %s",
			(unsigned long long)run->seed, run->life_count, (unsigned long long)last,
			(unsigned long long)run->promised_lsn, log_verdict_name(report->verdict));
	cr_assert_leq(last, run->submitted_lsn, "seed %llu, life %u: LSN %llu, not %llu: %s",
		(unsigned long long)run->seed, run->life_count, (unsigned long long)last,
		(unsigned long long)run->submitted_lsn, log_verdict_name(report->verdict));
	cr_assert(run->applied.last_lsn == last || report->snap_begin_lsn == last ||
		  (last == 0 && run->applied.last_lsn == 0));
	cr_assert(run->applied.first_lsn == 0 ||
		  run->applied.first_lsn <= report->snap_begin_lsn + 1);
	cr_assert_leq(run->chunk_lsn, last);
}

/* What the directory has let go of is in the archive, whole and without a gap. */
static void check_archive(struct sim_run *run)
{
	const struct log_recover *recover = run->store.recover;
	uint64_t next_lsn = 1;
	if (!run->has_archive || recover->segment_count == 0)
		return;
	for (uint64_t number = 1; number < recover->segments[0].number; number++) {
		uint8_t block[LOG_BLOCK_SIZE];
		struct log_batch_header header;
		struct log_dir_text name;
		log_dir_segment_name(number, &name);
		cr_assert_eq(sim_media_size(run->disk, ARCHIVE_PATH, name.bytes), SEGMENT_SIZE,
			"seed %llu, life %u: %s", (unsigned long long)run->seed, run->life_count,
			name.bytes);
		for (uint64_t at = 0; at < SEGMENT_SIZE; at += LOG_BLOCK_SIZE) {
			sim_media_read(
				run->disk, ARCHIVE_PATH, name.bytes, at, block, sizeof(block));
			if (log_batch_header_read(block, &header) != LOG_BATCH_OK)
				continue;
			cr_assert_eq(header.segment, number);
			cr_assert_eq(header.first_lsn, next_lsn, "seed %llu, life %u: %s",
				(unsigned long long)run->seed, run->life_count, name.bytes);
			next_lsn = header.first_lsn + header.count;
		}
		run->archived_count++;
	}
	if (recover->segments[0].first_seq != 0)
		cr_assert_eq(recover->segments[0].first_lsn, next_lsn);
}

static void append(struct sim_run *run)
{
	uint8_t body[16 * 1200];
	uint32_t max = KR_MIN(log_writer_body_max(&run->log.writer) / 16, 1200);
	uint32_t count =
		(uint32_t)rng_range(&run->rng, 1, rng_chance(&run->rng, 200000) ? max : 200);
	uint64_t lsn = log_writer_next_lsn(&run->log.writer);
	for (uint32_t i = 0; i < count; i++) {
		uint64_t pair[2] = {lsn + i, world_effect(lsn + i)};
		memcpy(body + (size_t)i * 16, pair, 16);
	}
	struct log_append batch = {.body = body,
		.body_size_bytes = count * 16,
		.count = count,
		.first_lsn = lsn,
		.timestamp_us = run->log.writer.position.timestamp_us + 1};
	if (log_io_append(&run->log, &batch) == 0) {
		run->submitted_lsn = lsn + count - 1;
		run->append_count++;
	}
}

static void give_slice(struct sim_run *run, bool is_first)
{
	struct log_snap_slice slice = {.chunks = &run->chunk,
		.bodies = &run->body,
		.chunk_count = 1,
		.is_first = is_first,
		.is_last = !is_first,
		.begin_lsn = run->begin_lsn,
		.timestamp_us = 1,
		.epoch = 1};
	run->chunk = (struct log_snap_chunk){.kind = 1,
		.slot = 12288,
		.hotel_id = 1,
		.body_size_bytes = 6000,
		.lsn = log_writer_durable_lsn(&run->log.writer)};
	log_snap_io_slice(&run->snap, &slice);
}

static void on_slice(void *context)
{
	give_slice(context, false);
}

static void on_snap_done(void *context, int result, const struct kr_error_text *text)
{
	struct sim_run *run = context;
	if (result < 0) {
		die(run);
	} else if (result == 0) {
		run->snap_count++;
		log_io_prune(&run->log, log_snap_io_floor(&run->snap));
	}
}

static void snapshot(struct sim_run *run)
{
	run->begin_lsn = log_writer_durable_lsn(&run->log.writer);
	if (log_snap_io_is_busy(&run->snap))
		return;
	if (run->begin_lsn == 0 ||
		(run->store.snap_count > 0 && run->store.snap_lsns[0] >= run->begin_lsn))
		return;
	give_slice(run, true);
}

static void stop(struct sim_run *run)
{
	bool is_all_acked = log_io_acked_lsn(&run->log) == run->submitted_lsn;
	uint64_t digest = world_effect(run->submitted_lsn);
	if (!is_all_acked || log_snap_io_is_busy(&run->snap))
		return;
	run->is_stopping = true;
	run->stop_count++;
	log_io_stop(&run->log, &digest);
}

static void note(struct sim_run *run)
{
	uint64_t lsn = run->is_async ? log_writer_durable_lsn(&run->log.writer)
				     : log_io_acked_lsn(&run->log);
	run->promised_lsn = KR_MAX(run->promised_lsn, lsn);
}

static void on_progress(void *context)
{
	struct sim_run *run = context;
	note(run);
	if (run->is_archive_open)
		log_archive_poll(&run->archive);
	run->low_count += log_io_level(&run->log) != LOG_LEVEL_OK;
	/* A clean end of a process is a kill that finds nothing under way. */
	if (log_io_is_stopped(&run->log))
		sim_node_crash(run->node, SIM_KILL);
}

static void on_failed(void *context, int error, const struct kr_error_text *text)
{
	struct sim_run *run = context;
	note(run);
	die(run);
}

static void work(struct io_timer *timer)
{
	struct sim_run *run = timer->context;
	uint64_t dice = rng_below(&run->rng, 1000);
	if (!log_io_is_open(&run->log) || log_io_level(&run->log) == LOG_LEVEL_STOP)
		dice = 999;
	if (dice < 940)
		append(run);
	else if (dice < 975)
		snapshot(run);
	else if (dice < 978)
		stop(run);
	if (run->is_stopping)
		return;
	uint64_t pause = rng_chance(&run->rng, 50000) ? 6000 : 300;
	io_timer_start(run->loop, timer, io_clock_boot_us(run->loop) + rng_below(&run->rng, pause));
}

/* Everything from the lock to a log that is open. 0, or why not. */
static int begin(struct sim_run *run)
{
	struct kr_error_text text;
	struct log_meta meta = world_meta(SEGMENT_SIZE);
	struct log_applier applier = {run, on_reset, on_chunk, on_batch, on_digest};
	struct log_io_config config;
	struct log_snap_io_config snap_config = {
		.pace_us = 10, .on_slice = on_slice, .on_done = on_snap_done, .context = run};
	(void)on_reset(run);
	run->witnessed_seq = 0;
	sim_media_list(run->disk, PATH, witness, run);
	int r = log_store_recover(&run->store, &meta, false, &applier, &text);
	if (r < 0)
		return r;
	/* Killed while it read: it was told of errors that are none, and tells nobody. */
	if (sim_node_is_dying(run->node))
		return -KR_E_CANCELLED;
	const struct log_recover_report *report = &run->store.recover->report;
	run->verdicts[report->verdict]++;
	if (log_verdict_class(report->verdict) == LOG_VERDICT_REFUSE) {
		struct kr_text why;
		kr_text_init(&why, run->refusal, sizeof(run->refusal));
		log_recover_describe(report, &why);
		run->is_refused = true;
		return -KR_E_CORRUPT;
	}
	if (report->verdict == LOG_VERDICT_EMPTY)
		r = log_store_create(&run->store, &meta, &text);
	if (r < 0)
		return r;
	check(run);
	check_archive(run);
	r = log_store_repair(&run->store, &text);
	if (r < 0)
		return r;
	/* What was found, acknowledged or not, is durable only now, and what was not is gone. */
	run->promised_lsn = report->scan.end.next_lsn - 1;
	run->submitted_lsn = run->promised_lsn;
	log_io_config_default(&config);
	config.seal_idle_us = 2000;
	config.sync_interval_us = run->is_async ? 1500 : 0;
	config.stop_room_bytes = SEGMENT_SIZE;
	config.space_retry_us = 10000;
	config.pace_us = 20;
	config.recycle_count = 1;
	config.on_progress = on_progress;
	config.on_failed = on_failed;
	config.context = run;
	config.archive_keep_count = run->has_archive ? 20 : 0;
	r = log_io_init(&run->log, &run->store, &config, &text);
	if (r < 0)
		return r;
	run->is_log_open = true;
	r = log_snap_io_init(&run->snap, &run->store, &snap_config, &text);
	if (r < 0)
		return r;
	run->is_snap_open = true;
	if (run->has_archive) {
		struct log_archive_config archive_config = {
			.path = ARCHIVE_PATH, .pace_us = 10, .retry_us = 5000};
		r = log_archive_init(&run->archive, &run->log, &archive_config, &text);
		if (r < 0)
			return r;
		run->is_archive_open = true;
	}
	log_io_open(&run->log, 100);
	return 0;
}

static void lock(struct io_timer *timer)
{
	struct sim_run *run = timer->context;
	struct kr_error_text text;
	int r = log_store_lock(&run->store, &text);
	if (r == LOG_STORE_LOCKED) {
		io_timer_start(run->loop, timer, io_clock_boot_us(run->loop) + 50000);
		return;
	}
	if (r == 0)
		r = begin(run);
	if (r < 0) {
		die(run);
		return;
	}
	io_timer_init(timer, work, run);
	io_timer_start(run->loop, timer, 0);
}

static void start(void *context)
{
	struct sim_run *run = context;
	struct io_config config;
	struct kr_error_text text;
	if (run->life_count == LIFE_MAX || run->is_refused)
		return;
	run->life_count++;
	run->is_stopping = false;
	if (!sim_node_is_alive(run->node))
		sim_node_start(run->node);
	io_config_default(&config);
	config.environment = run->node;
	cr_assert_eq(io_loop_new(&config, &run->loop, &text), 0);
	int r = log_store_open(run->loop, &run->store, PATH, IO_DIRECTORY_CREATE, false, &text);
	if (r < 0) {
		die(run);
		return;
	}
	run->is_store_open = true;
	io_timer_init(&run->timer, lock, run);
	io_timer_start(run->loop, &run->timer, 0);
}

/* The process is gone: only its memory is left to be given back. */
static void on_crash(void *context, struct sim_node *node, enum sim_crash how)
{
	struct sim_run *run = context;
	if (run->is_log_open)
		kr_memory_release(&run->log.memory);
	if (run->is_snap_open)
		kr_memory_release(&run->snap.memory);
	if (run->is_store_open)
		kr_memory_release(&run->store.memory);
	if (run->is_archive_open) {
		kr_memory_release(&run->archive.memory);
		run->archive_failed_count += run->archive.failure_count;
	}
	run->is_log_open = run->is_snap_open = run->is_store_open = false;
	run->is_archive_open = false;
	sim_world_call_at(run->world,
		sim_world_now_us(run->world) + rng_range(&run->rng, 10, 200000), start, run);
}

static void run_begin(struct sim_run *run, uint64_t seed, const struct sim_faults *faults)
{
	struct sim_config config;
	memset(run, 0, sizeof(*run));
	run->seed = seed;
	rng_init(&run->rng, seed);
	sim_config_default(&config);
	config.seed = seed;
	config.faults = *faults;
	/* A sync that failed leaves pages that read as written and are lost later: no process that
	 * starts on them can know. With every write durable by itself there is nothing to lose. */
	if (seed % 4 == 3)
		config.faults.disk_sync_error = 0;
	config.on_crash = on_crash;
	config.context = run;
	run->is_async = seed % 4 == 3;
	run->is_damaged = faults->disk_rot > 0;
	/* A small disk has no room for an archive besides. */
	run->has_archive = !run->is_damaged && seed % 2 == 1 && seed % 3 != 0;
	run->world = sim_world_new(&config);
	/* Now and then the disk is too small for more than a few segments. */
	run->disk = sim_disk_new(run->world, seed % 3 == 0 ? 40 * LOG_BLOCK_SIZE : 0);
	run->node = sim_node_new(run->world, run->disk, "shard");
	run->body = calloc(1, 8192);
	start(run);
}

static uint64_t run_end(struct sim_run *run)
{
	uint64_t trace = sim_world_trace(run->world);
	if (run->is_log_open)
		kr_memory_release(&run->log.memory);
	if (run->is_snap_open)
		kr_memory_release(&run->snap.memory);
	if (run->is_store_open)
		kr_memory_release(&run->store.memory);
	if (run->is_archive_open)
		kr_memory_release(&run->archive.memory);
	run->world = sim_world_free(run->world);
	free((void *)(uintptr_t)run->body);
	return trace;
}

static uint64_t live(
	struct sim_run *run, uint64_t seed, const struct sim_faults *faults, uint64_t until_us)
{
	run_begin(run, seed, faults);
	while (!run->is_refused && sim_world_now_us(run->world) < until_us) {
		if (!sim_world_step(run->world))
			break;
	}
	return run_end(run);
}

static const struct sim_faults accidents = {
	.disk_spike = 1000,
	.disk_short = 20000,
	.disk_write_error = 200,
	.disk_full = 300,
	.disk_sync_error = 1000,
	.crash_kill = 2000,
	.crash_power = 3000,
	.pause = 100,
	.fate_kept = 4,
	.fate_dropped = 4,
	.fate_torn = 2,
	.fate_zeroed = 1,
	.fate_garbage = 1,
};

Test(log_sim, what_was_acknowledged_survives_every_accident, .timeout = 240)
{
	struct sim_run *run = malloc(sizeof(*run));
	struct sim_run all = {0};
	for (uint64_t seed = 1; seed <= 60; seed++) {
		(void)live(run, seed, &accidents, 12000000);
		cr_assert_not(run->is_refused, "seed %llu, life %u: %s", (unsigned long long)seed,
			run->life_count, run->refusal);
		all.life_count += run->life_count;
		all.append_count += run->append_count;
		all.snap_count += run->snap_count;
		all.stop_count += run->stop_count;
		all.low_count += run->low_count;
		all.failed_count += run->failed_count;
		all.archived_count += run->archived_count;
		all.archive_failed_count += run->archive_failed_count;
		for (unsigned i = 0; i < LOG_VERDICT_COUNT; i++)
			all.verdicts[i] += run->verdicts[i];
	}
	cr_log_info("lives %u appends %u snapshots %u stops %u low %u failed %u clean %u torn %u "
		    "leftovers %u older %u",
		all.life_count, all.append_count, all.snap_count, all.stop_count, all.low_count,
		all.failed_count, all.verdicts[LOG_VERDICT_CLEAN],
		all.verdicts[LOG_VERDICT_TORN_TAIL], all.verdicts[LOG_VERDICT_LEFTOVERS],
		all.verdicts[LOG_VERDICT_OLDER_SNAPSHOT]);
	cr_assert_gt(all.life_count, 2000);
	cr_assert_gt(all.append_count, 20000);
	cr_log_info("archived %u, failures %u", all.archived_count, all.archive_failed_count);
	cr_assert_gt(all.archived_count, 1000);
	cr_assert_gt(all.archive_failed_count, 10);
	free(run);
}

static const struct sim_faults damages = {
	.disk_read_error = 300,
	.disk_write_lost = 400,
	.disk_write_astray = 400,
	.disk_rot = 800,
	.crash_kill = 2000,
	.crash_power = 2000,
	.fate_kept = 4,
	.fate_dropped = 4,
	.fate_torn = 2,
	.fate_garbage = 1,
};

Test(log_sim, a_medium_that_lies_is_refused_or_harmless, .timeout = 240)
{
	struct sim_run *run = malloc(sizeof(*run));
	uint32_t refused = 0;
	uint32_t lives = 0;
	uint32_t older = 0;
	for (uint64_t seed = 1; seed <= 150; seed++) {
		(void)live(run, seed, &damages, 8000000);
		refused += run->is_refused;
		lives += run->life_count;
		older += run->verdicts[LOG_VERDICT_OLDER_SNAPSHOT];
	}
	cr_log_info("lives %u refused %u older %u", lives, refused, older);
	cr_assert_gt(refused, 50);
	cr_assert_gt(lives, 1000);
	free(run);
}

Test(log_sim, the_same_seed_gives_the_same_trace)
{
	struct sim_run *run = malloc(sizeof(*run));
	for (uint64_t seed = 1; seed <= 4; seed++) {
		uint64_t first = live(run, seed, &accidents, 2000000);
		cr_assert_eq(live(run, seed, &accidents, 2000000), first);
		cr_assert_neq(live(run, seed + 100, &accidents, 2000000), first);
	}
	free(run);
}
