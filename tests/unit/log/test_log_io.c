/* The running log over real files: what it leaves on disk, and every error path. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/log/real_dir.h"

#define SEGMENT_SIZE (8u * LOG_BLOCK_SIZE)

static void fresh(struct real_dir *dir)
{
	struct applied applied;
	struct kr_error_text text = {0};
	struct log_meta meta = world_meta(SEGMENT_SIZE);
	real_dir_init(dir);
	real_dir_recover(dir, NULL, &applied);
	cr_assert_eq(log_store_create(&dir->store, &meta, &text), 0, "%s", text.bytes);
}

static bool is_sealed(const struct real_log *log)
{
	return log->io.writer.marked_seq == log->io.writer.acked.seq && !log_io_is_busy(&log->io);
}

static bool has_reserve(const struct real_log *log)
{
	return log->io.writer.has_reserve;
}

static bool is_quiet(const struct real_log *log)
{
	return !log_io_is_busy(&log->io) && log->io.prepare.step == LOG_PREPARE_IDLE;
}

Test(log_io, seals_and_marks_after_idleness)
{
	struct real_dir dir;
	struct real_log log;
	struct world world;
	struct log_mark mark;
	uint32_t version;
	fresh(&dir);
	real_log_begin(&log, &dir, 0);
	cr_assert(real_log_append(&log, 5));
	cr_assert_not(is_sealed(&log));
	real_log_wait(&log, is_sealed);
	real_dir_get(&dir, &world);
	uint8_t *marks = world_find(&world, LOG_DIR_MARK)->bytes;
	cr_assert_eq(log_mark_choose(marks, &mark, &version), LOG_META_OK);
	cr_assert_eq(mark.durable_seq, log.io.writer.acked.seq);
	cr_assert_eq(mark.durable_lsn, 5);
	uint64_t at = (mark.end_block - 1) * LOG_BLOCK_SIZE;
	struct log_batch_header seal = world_header(&world, mark.segment, at);
	cr_assert_eq(seal.flags, LOG_BATCH_SEAL);
	cr_assert_eq(seal.header_checksum, mark.chain);
	world_fini(&world);
	real_log_end(&log);
	real_dir_fini(&dir);
}

static bool is_between_pieces(const struct real_log *log)
{
	return !log_io_is_busy(&log->io) && log->io.prepare.step == LOG_PREPARE_PACE;
}

Test(log_io, begins_nothing_after_a_halt)
{
	struct real_dir dir;
	struct real_log log;
	struct applied applied;
	struct kr_error_text text = {0};
	struct log_meta meta = world_meta(64 * LOG_IO_ZERO_SIZE);
	real_dir_init(&dir);
	real_dir_recover(&dir, NULL, &applied);
	cr_assert_eq(log_store_create(&dir.store, &meta, &text), 0, "%s", text.bytes);
	real_log_begin(&log, &dir, 0);
	log.io.config.pace_us = 5000;
	real_log_wait(&log, is_between_pieces);
	log_io_halt(&log.io);
	uint64_t until_us = io_clock_boot_us(dir.loop) + 4 * log.io.config.pace_us;
	while (io_clock_boot_us(dir.loop) < until_us) {
		cr_assert_eq(io_loop_tick(dir.loop, 1000), 0);
		cr_assert(is_between_pieces(&log));
	}
	real_log_end(&log);
	real_dir_fini(&dir);
}

Test(log_io, one_segment_is_always_in_reserve_and_nothing_unfinished_lies_about)
{
	struct real_dir dir;
	struct real_log log;
	struct log_dir_text name;
	fresh(&dir);
	real_log_begin(&log, &dir, 0);
	for (uint32_t i = 0; i < 60; i++) {
		cr_assert(real_log_append(&log, 1 + i * 31 % 400));
		real_log_wait(&log, has_reserve);
		real_log_wait(&log, is_quiet);
		log_dir_segment_name(log.io.writer.position.segment + 1, &name);
		cr_assert(real_dir_has(&dir, name.bytes));
		log_dir_segment_new_name(log.io.writer.position.segment + 1, &name);
		cr_assert_not(real_dir_has(&dir, name.bytes));
	}
	cr_assert_gt(log.io.writer.position.segment, 7);
	real_log_end(&log);
	real_dir_fini(&dir);
}

Test(log_io, pruned_segments_are_recycled_or_removed)
{
	struct real_dir dir;
	struct real_log log;
	struct applied applied;
	struct world world;
	fresh(&dir);
	real_log_begin(&log, &dir, 0);
	uint64_t floor = 0;
	for (uint32_t i = 0; i < 200; i++) {
		cr_assert(real_log_append(&log, 1 + i * 31 % 400));
		if (i % 20 == 19) {
			/* As if each snapshot had begun ten batches ago. */
			log_io_prune(&log.io, floor);
			floor = log_io_acked_lsn(&log.io);
		}
	}
	real_log_wait(&log, is_quiet);
	cr_assert_leq(log.io.writer.config.segment_count, 12);
	cr_assert_geq(real_dir_count(&dir), log.io.writer.config.segment_count);
	cr_assert_leq(real_dir_count(&dir), log.io.writer.config.segment_count + 4);
	uint64_t acked = log_io_acked_lsn(&log.io);
	uint64_t pruned = log.io.writer.floor_lsn;
	real_log_end(&log);
	world_init(&world);
	world_snap(&world, pruned, pruned, 3);
	real_dir_put(&dir, &world);
	real_dir_recover(&dir, NULL, &applied);
	cr_assert_eq(dir.store.recover->report.verdict, LOG_VERDICT_CLEAN);
	cr_assert_not(applied.is_broken);
	cr_assert_leq(applied.first_lsn, pruned + 1);
	cr_assert_eq(applied.last_lsn, acked);
	world_fini(&world);
	real_dir_fini(&dir);
}

Test(log_io, asynchronous_appends_are_found_after_a_stop)
{
	struct real_dir dir;
	struct real_log log;
	struct applied applied;
	uint64_t digest = 8;
	fresh(&dir);
	real_log_begin(&log, &dir, 3000);
	for (uint32_t i = 0; i < 100; i++)
		cr_assert(real_log_append(&log, 1 + i * 31 % 400));
	uint64_t acked = log_io_acked_lsn(&log.io);
	real_log_stop(&log, &digest);
	real_dir_recover(&dir, NULL, &applied);
	cr_assert_eq(dir.store.recover->report.verdict, LOG_VERDICT_CLEAN);
	cr_assert_eq(applied.last_lsn, acked);
	cr_assert_eq(applied.digest, 8);
	cr_assert_not(applied.is_broken);
	real_dir_fini(&dir);
}

static bool is_stop_level(const struct real_log *log)
{
	return log_io_level(&log->io) == LOG_LEVEL_STOP;
}

static bool is_ok_level(const struct real_log *log)
{
	return log_io_level(&log->io) == LOG_LEVEL_OK;
}

Test(log_io, a_full_disk_leaves_nothing_behind_and_passes)
{
	struct real_dir dir;
	struct real_log log;
	struct log_dir_text name;
	fresh(&dir);
	real_log_begin(&log, &dir, 0);
	real_log_wait(&log, has_reserve);
	real_log_wait(&log, is_quiet);
	fault_arm(&dir.faults, FAULT_FILE_ALLOCATE, 1, true);
	while (log.io.writer.has_reserve)
		cr_assert(real_log_append(&log, 1));
	real_log_wait(&log, is_quiet);
	cr_assert_eq(log_io_level(&log.io), LOG_LEVEL_LOW);
	log_dir_segment_new_name(log.io.writer.position.segment + 1, &name);
	cr_assert_not(real_dir_has(&dir, name.bytes));
	while (!is_stop_level(&log))
		cr_assert(real_log_append(&log, 1));
	fault_disarm(&dir.faults, FAULT_FILE_ALLOCATE);
	real_log_wait(&log, is_ok_level);
	cr_assert(real_log_append(&log, 1));
	cr_assert_eq(log.error, 0);
	real_log_end(&log);
	real_dir_fini(&dir);
}

/* A script that uses every operation; stops at the first failure. False: there was one. */
static bool script(struct real_dir *dir, uint64_t sync_interval_us, uint64_t *acked)
{
	struct real_log log;
	uint64_t floor = 0;
	if (!real_log_try_begin(&log, dir, sync_interval_us))
		return false;
	for (uint32_t i = 0; i < 45 && log.error == 0; i++) {
		(void)real_log_append(&log, 1 + i * 31 % 400);
		*acked = log_writer_durable_lsn(&log.io.writer);
		if (i % 15 == 14) {
			log_io_prune(&log.io, floor);
			floor = *acked;
		}
	}
	real_log_wait(&log, is_quiet);
	if (log.error != 0) {
		/* Nothing is taken or acknowledged any more. */
		struct log_append append = {.body = "x",
			.body_size_bytes = 1,
			.count = 1,
			.first_lsn = log_writer_next_lsn(&log.io.writer),
			.timestamp_us = 1 << 20};
		cr_assert_eq(log_io_append(&log.io, &append), LOG_WRITER_BUSY);
		*acked = log_writer_durable_lsn(&log.io.writer);
		cr_assert_eq(log.error_durable_lsn, *acked);
		real_log_end(&log);
		return false;
	}
	/* Which may fail as well. */
	real_log_stop(&log, NULL);
	return log.error == 0;
}

/* After a failure: whatever was acknowledged is found. */
static void judge(struct real_dir *dir, uint64_t acked)
{
	struct applied applied;
	struct world world;
	/* The script prunes as if snapshots had been taken: one stands for them. */
	real_dir_recover(dir, NULL, &applied);
	const struct log_recover *recover = dir->store.recover;
	if (recover->segment_count > 0 && recover->segments[0].number > 1) {
		real_dir_get(dir, &world);
		uint64_t first = world_header(&world, recover->segments[0].number, 0).first_lsn;
		world_fini(&world);
		real_dir_close(dir);
		world_init(&world);
		world_snap(&world, first, first, 2);
		real_dir_put(dir, &world);
		world_fini(&world);
		real_dir_recover(dir, NULL, &applied);
	}
	enum log_verdict verdict = dir->store.recover->report.verdict;
	cr_assert_neq(
		log_verdict_class(verdict), LOG_VERDICT_REFUSE, "%s", log_verdict_name(verdict));
	cr_assert_not(applied.is_broken);
	cr_assert_geq(dir->store.recover->report.scan.end.next_lsn, acked + 1);
}

Test(log_io, fails_once_and_loses_nothing_whatever_fails_and_when, .timeout = 240)
{
	static const enum fault_point points[] = {FAULT_FILE_WRITE, FAULT_FILE_WRITE_FULL,
		FAULT_FILE_SYNC, FAULT_FILE_RENAME, FAULT_DIRECTORY_SYNC, FAULT_FILE_OPEN,
		FAULT_FILE_UNLINK, FAULT_FILE_ALLOCATE, FAULT_FILE_TRUNCATE};
	uint32_t fired = 0;
	uint32_t survived = 0;
	for (size_t i = 0; i < KR_ARRAY_COUNT(points); i++) {
		for (uint64_t nth = 1;; nth += 1 + nth / 12) {
			struct real_dir dir;
			uint64_t acked = 0;
			fresh(&dir);
			fault_arm(&dir.faults, points[i], nth, false);
			bool is_whole = script(&dir, nth % 2 == 0 ? 0 : 2000, &acked);
			bool has_fired = dir.faults.fired_count[points[i]] > 0;
			bool is_full = points[i] == FAULT_FILE_ALLOCATE ||
				       points[i] == FAULT_FILE_WRITE_FULL;
			survived += has_fired && is_whole;
			/* Only a disk that is full while a segment is prepared can be outlived, and
			 * what happens to a segment that is being removed. */
			bool is_spared = is_full || points[i] == FAULT_FILE_OPEN ||
					 points[i] == FAULT_FILE_TRUNCATE;
			cr_assert(is_spared || is_whole == !has_fired);
			fault_disarm(&dir.faults, points[i]);
			if (dir.is_open)
				real_dir_close(&dir);
			judge(&dir, acked);
			fired += has_fired;
			real_dir_fini(&dir);
			if (!has_fired)
				break;
		}
	}
	cr_assert_gt(fired, 80);
	cr_assert_gt(survived, 5);
}

Test(log_io, a_read_that_fails_once_is_tried_block_by_block)
{
	struct real_dir dir;
	struct real_log log;
	struct applied applied;
	fresh(&dir);
	real_log_begin(&log, &dir, 0);
	for (uint32_t i = 0; i < 20; i++)
		cr_assert(real_log_append(&log, 1 + i * 31 % 400));
	uint64_t acked = log_io_acked_lsn(&log.io);
	real_log_end(&log);
	for (uint64_t nth = 1; nth < 6; nth++) {
		fault_arm(&dir.faults, FAULT_FILE_READ, nth, false);
		real_dir_recover(&dir, NULL, &applied);
		cr_assert_eq(dir.faults.fired_count[FAULT_FILE_READ], nth);
		cr_assert_eq(dir.store.recover->report.verdict, LOG_VERDICT_CLEAN);
		cr_assert_eq(applied.last_lsn, acked);
		real_dir_close(&dir);
	}
	/* With nothing to be read there is nothing to be believed. */
	fault_arm(&dir.faults, FAULT_FILE_READ, 1, true);
	real_dir_recover(&dir, NULL, &applied);
	cr_assert_eq(dir.store.recover->report.verdict, LOG_VERDICT_NOT_A_SHARD);
	real_dir_close(&dir);
	fault_arm(&dir.faults, FAULT_FILE_READ, 3, true);
	real_dir_recover(&dir, NULL, &applied);
	cr_assert_eq(log_verdict_class(dir.store.recover->report.verdict), LOG_VERDICT_REFUSE);
	real_dir_fini(&dir);
}

Test(log_io, without_direct_writing_it_says_so_and_works)
{
	struct real_dir dir;
	struct real_log log;
	struct applied applied;
	fresh(&dir);
	fault_arm(&dir.faults, FAULT_FILE_DIRECT, 1, true);
	real_log_begin(&log, &dir, 0);
	cr_assert_not(log.io.is_direct);
	for (uint32_t i = 0; i < 30; i++)
		cr_assert(real_log_append(&log, 1 + i * 31 % 400));
	uint64_t acked = log_io_acked_lsn(&log.io);
	real_log_end(&log);
	real_dir_recover(&dir, NULL, &applied);
	cr_assert_eq(dir.store.recover->report.verdict, LOG_VERDICT_CLEAN);
	cr_assert_eq(applied.last_lsn, acked);
	real_dir_fini(&dir);
}
