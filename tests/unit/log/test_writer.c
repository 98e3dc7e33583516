#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/log/log_world.h"

#define SEGMENT_SIZE (8u * LOG_BLOCK_SIZE)

static void begin(struct world *world, struct life *life)
{
	world_init(world);
	world_lay_out(world, SEGMENT_SIZE);
	cr_assert(life_begin(life, world));
	cr_assert(log_writer_is_open(&life->writer));
}

static void end(struct world *world, struct life *life)
{
	life_end(life);
	world_fini(world);
}

static int offer(struct life *life)
{
	uint8_t body[16] = {1};
	struct log_append append = {.body = body,
		.body_size_bytes = sizeof(body),
		.count = 1,
		.first_lsn = log_writer_next_lsn(&life->writer),
		.timestamp_us = life->writer.position.timestamp_us};
	return log_writer_append(&life->writer, &append, life->now_us);
}

static void expect(struct life *life, enum log_action_kind kind, struct log_action *ret_action)
{
	cr_assert(log_writer_next(&life->writer, ret_action));
	cr_assert_eq(ret_action->kind, kind);
}

/* Of WRITE, the oldest. */
static void done(struct life *life, enum log_action_kind kind)
{
	cr_assert_eq(log_writer_done(&life->writer, kind, life->writer.first, 0, life->now_us), 0);
}

/* A writer on an empty log, nothing carried out yet. */
static void raw(struct life *life, uint64_t sync_interval_us)
{
	memset(life, 0, sizeof(*life));
	life->buffer = aligned_alloc(LOG_BLOCK_SIZE, LOG_WRITER_BUFFER_SIZE);
	life->recover = calloc(1, sizeof(*life->recover));
	life->now_us = 10;
	struct log_writer_config config = {
		.lineage = {.cluster = 1, .shard = 1},
		.segment_size_bytes = SEGMENT_SIZE,
		.seal_idle_us = 50,
		.sync_interval_us = sync_interval_us,
		.space_retry_us = 1000,
		.stop_room_bytes = 2 * LOG_BLOCK_SIZE,
		.recycle_count = 1,
		.buffer = life->buffer,
		.segments = life->recover->segments,
		.segment_max = 8,
		.position = {.offset_bytes = SEGMENT_SIZE, .next_seq = 1, .next_lsn = 1, .term = 1},
		.epoch = 1,
	};
	log_writer_init(&life->writer, &config);
}

Test(writer, makes_the_epoch_durable_before_anything_else)
{
	struct life life;
	struct log_action action;
	struct log_mark mark;
	struct log_batch_header header;
	uint32_t version;
	raw(&life, 0);
	cr_assert_not(log_writer_next(&life.writer, &action));
	log_writer_open(&life.writer, 77, 11);
	expect(&life, LOG_ACTION_MARK, &action);
	cr_assert_eq(log_mark_decode(action.data, &mark, &version), LOG_META_OK);
	cr_assert_eq(mark.epoch, 1);
	cr_assert_eq(mark.durable_seq, 0);
	cr_assert_eq(action.offset_bytes, (mark.generation & 1) * LOG_BLOCK_SIZE);
	life.now_us = 11;
	expect(&life, LOG_ACTION_PREPARE, &action);
	cr_assert_eq(action.segment, 1);
	cr_assert_not(log_writer_next(&life.writer, &action));
	done(&life, LOG_ACTION_PREPARE);
	cr_assert_not(log_writer_next(&life.writer, &action), "no batch before the mark");
	cr_assert_eq(offer(&life), LOG_WRITER_BUSY);
	done(&life, LOG_ACTION_MARK);
	expect(&life, LOG_ACTION_WRITE, &action);
	cr_assert_eq(log_batch_header_read(action.data, &header), LOG_BATCH_OK);
	cr_assert_eq(header.flags, LOG_BATCH_OPEN);
	cr_assert_eq(header.timestamp_us, 77);
	cr_assert_eq(offer(&life), LOG_WRITER_BUSY);
	cr_assert_not(log_writer_is_open(&life.writer));
	done(&life, LOG_ACTION_WRITE);
	cr_assert(log_writer_is_open(&life.writer));
	cr_assert_eq(offer(&life), 0);
	life_end(&life);
}

Test(writer, two_batches_are_under_way_and_acknowledged_in_their_order)
{
	struct world world;
	struct life life;
	struct log_action first, second;
	struct log_batch_header headers[2];
	begin(&world, &life);
	uint64_t acked_lsn = log_writer_acked_lsn(&life.writer);
	cr_assert_eq(offer(&life), 0);
	expect(&life, LOG_ACTION_WRITE, &first);
	cr_assert_eq(offer(&life), 0);
	expect(&life, LOG_ACTION_WRITE, &second);
	cr_assert_eq(offer(&life), LOG_WRITER_BUSY);
	cr_assert_neq(first.slot, second.slot);
	cr_assert_eq(second.offset_bytes, first.offset_bytes + first.size_bytes);
	cr_assert_eq(log_batch_header_read(first.data, &headers[0]), LOG_BATCH_OK);
	cr_assert_eq(log_batch_header_read(second.data, &headers[1]), LOG_BATCH_OK);
	cr_assert_eq(headers[1].prev_chain, headers[0].header_checksum);
	/* The second is no witness of the first. */
	cr_assert_lt(headers[1].durable_seq, headers[0].batch_seq);
	cr_assert_eq(
		log_writer_done(&life.writer, LOG_ACTION_WRITE, second.slot, 0, life.now_us), 0);
	cr_assert_eq(log_writer_acked_lsn(&life.writer), acked_lsn);
	cr_assert_eq(offer(&life), LOG_WRITER_BUSY);
	cr_assert_eq(
		log_writer_done(&life.writer, LOG_ACTION_WRITE, first.slot, 0, life.now_us), 0);
	cr_assert_eq(log_writer_acked_lsn(&life.writer), acked_lsn + 2);
	cr_assert_eq(log_writer_durable_lsn(&life.writer), acked_lsn + 2);
	cr_assert_eq(offer(&life), 0);
	end(&world, &life);
}

Test(writer, of_two_batches_one_fails_and_neither_is_acknowledged)
{
	for (uint32_t failing = 0; failing < 2; failing++) {
		struct world world;
		struct life life;
		struct log_action actions[2];
		begin(&world, &life);
		uint64_t acked_lsn = log_writer_acked_lsn(&life.writer);
		for (uint32_t i = 0; i < 2; i++) {
			cr_assert_eq(offer(&life), 0);
			expect(&life, LOG_ACTION_WRITE, &actions[i]);
		}
		/* The later one returns first. */
		cr_assert_eq(log_writer_done(&life.writer, LOG_ACTION_WRITE, actions[1].slot,
				     failing == 1 ? -KR_E_IO : 0, life.now_us),
			failing == 1 ? -KR_E_IO : 0);
		cr_assert_eq(log_writer_done(&life.writer, LOG_ACTION_WRITE, actions[0].slot,
				     failing == 0 ? -KR_E_IO : 0, life.now_us),
			failing == 0 ? -KR_E_IO : 0);
		cr_assert_eq(log_writer_acked_lsn(&life.writer), acked_lsn);
		cr_assert_eq(offer(&life), LOG_WRITER_BUSY);
		cr_assert_not(log_writer_next(&life.writer, &actions[0]));
		end(&world, &life);
	}
}

Test(writer, each_batch_follows_the_one_before_it)
{
	struct world world;
	struct life life;
	begin(&world, &life);
	struct log_batch_header before =
		world_header(&world, life.last_write.segment, life.last_write.offset_bytes);
	for (uint32_t i = 0; i < 60; i++) {
		cr_assert(life_append(&life, 1 + i * 7 % 300));
		struct log_batch_header header =
			world_header(&world, life.last_write.segment, life.last_write.offset_bytes);
		cr_assert_eq(header.batch_seq, before.batch_seq + 1);
		cr_assert_eq(header.first_lsn, before.first_lsn + before.count);
		cr_assert_eq(header.prev_chain, before.header_checksum);
		cr_assert_eq(header.durable_seq, before.batch_seq);
		cr_assert_geq(header.timestamp_us, before.timestamp_us);
		cr_assert_eq(
			log_writer_acked_lsn(&life.writer), header.first_lsn + header.count - 1);
		before = header;
	}
	end(&world, &life);
}

Test(writer, seals_once_after_idleness_and_marks_the_seal)
{
	struct world world;
	struct life life;
	begin(&world, &life);
	life_append(&life, 5);
	uint64_t writes = life.write_count;
	uint64_t marks = life.mark_count;
	life.now_us += WORLD_SEAL_IDLE_US - 1;
	log_writer_tick(&life.writer, life.now_us);
	life_run(&life);
	cr_assert_eq(life.write_count, writes, "not yet idle long enough");
	cr_assert_eq(log_writer_deadline_us(&life.writer), life.now_us + 1);
	life_idle(&life);
	cr_assert_eq(life.write_count, writes + 1);
	cr_assert_eq(life.mark_count, marks + 1);
	struct log_batch_header seal =
		world_header(&world, life.last_write.segment, life.last_write.offset_bytes);
	cr_assert_eq(seal.flags, LOG_BATCH_SEAL);
	cr_assert_eq(seal.count, 0);
	cr_assert_eq(seal.durable_seq, seal.batch_seq - 1);
	cr_assert_eq(life.writer.marked_seq, seal.batch_seq);
	cr_assert_eq(log_writer_deadline_us(&life.writer), UINT64_MAX, "nothing more to do");
	end(&world, &life);
}

Test(writer, marks_the_first_batch_of_a_segment)
{
	struct world world;
	struct life life;
	begin(&world, &life);
	for (uint32_t i = 0; i < 30; i++) {
		uint64_t marks = life.mark_count;
		uint64_t segment = life.writer.position.segment;
		life_append(&life, 1);
		bool is_new = life.writer.position.segment != segment;
		cr_assert_eq(life.mark_count, marks + is_new);
		if (is_new)
			cr_assert_eq(life.writer.marked_seq, life.writer.durable.seq);
	}
	end(&world, &life);
}

Test(writer, a_batch_that_does_not_fit_waits_for_the_next_segment)
{
	struct life life;
	struct log_action action;
	raw(&life, 0);
	log_writer_open(&life.writer, 1, 11);
	life.now_us = 11;
	expect(&life, LOG_ACTION_MARK, &action);
	done(&life, LOG_ACTION_MARK);
	expect(&life, LOG_ACTION_PREPARE, &action);
	cr_assert_not(log_writer_next(&life.writer, &action));
	done(&life, LOG_ACTION_PREPARE);
	expect(&life, LOG_ACTION_WRITE, &action);
	cr_assert_eq(action.segment, 1);
	cr_assert_eq(action.offset_bytes, 0);
	done(&life, LOG_ACTION_WRITE);
	expect(&life, LOG_ACTION_MARK, &action);
	expect(&life, LOG_ACTION_PREPARE, &action);
	cr_assert_eq(action.segment, 2, "one is always in reserve");
	life_end(&life);
}

Test(writer, full_disk_is_low_then_stop_then_ok_again)
{
	struct world world;
	struct life life;
	begin(&world, &life);
	life_append(&life, 1);
	world.is_full = true;
	uint64_t segment = life.writer.position.segment;
	while (life.writer.position.segment == segment) {
		cr_assert_eq(log_writer_level(&life.writer), LOG_LEVEL_OK);
		cr_assert(life_append(&life, 1));
	}
	while (log_writer_room_bytes(&life.writer) > 2 * LOG_BLOCK_SIZE) {
		cr_assert_eq(log_writer_level(&life.writer), LOG_LEVEL_LOW);
		cr_assert(life_append(&life, 1));
	}
	cr_assert_eq(log_writer_level(&life.writer), LOG_LEVEL_STOP);
	cr_assert(life_append(&life, 1));
	cr_assert(life_append(&life, 1));
	cr_assert_eq(log_writer_room_bytes(&life.writer), 0);
	uint64_t acked = log_writer_acked_lsn(&life.writer);
	cr_assert_not(life_append(&life, 1), "it waits");
	cr_assert_eq(log_writer_acked_lsn(&life.writer), acked, "and is not acknowledged");
	uint64_t prepares = life.prepare_count;
	life_run(&life);
	cr_assert_eq(life.prepare_count, prepares, "not tried all the time");
	world.is_full = false;
	life_idle(&life);
	cr_assert_eq(log_writer_level(&life.writer), LOG_LEVEL_OK);
	cr_assert_eq(log_writer_acked_lsn(&life.writer), acked + 1);
	end(&world, &life);
}

Test(writer, without_room_for_a_seal_the_mark_alone_covers)
{
	struct world world;
	struct life life;
	begin(&world, &life);
	life_append(&life, 1);
	world.is_full = true;
	while (life.writer.has_reserve || log_writer_room_bytes(&life.writer) > 0)
		cr_assert(life_append(&life, 1));
	uint64_t writes = life.write_count;
	life.now_us += WORLD_SEAL_IDLE_US;
	log_writer_tick(&life.writer, life.now_us);
	life_run(&life);
	cr_assert_eq(life.write_count, writes);
	cr_assert_eq(life.writer.marked_seq, life.writer.durable.seq);
	life_stop(&life, NULL);
	world_fini(&world);
}

Test(writer, pruned_segments_are_made_into_new_ones_and_the_rest_removed)
{
	struct world world;
	struct life life;
	begin(&world, &life);
	while (life.writer.config.segment_count < 6)
		life_append(&life, 1);
	uint64_t floor = life.writer.config.segments[3].last_lsn;
	log_writer_prune(&life.writer, floor, life.now_us);
	life_run(&life);
	cr_assert_eq(life.remove_count, 3, "all of the four but one to be recycled");
	cr_assert_null(world_segment(&world, 3));
	cr_assert_not_null(world_segment(&world, 4));
	uint64_t segment = life.writer.position.segment;
	while (life.writer.position.segment == segment)
		life_append(&life, 1);
	cr_assert_eq(life.recycle_count, 1);
	cr_assert_null(world_segment(&world, 4));
	cr_assert_not_null(world_segment(&world, 5));
	uint64_t acked = log_writer_acked_lsn(&life.writer);
	life_end(&life);
	/* What is left is a log that begins later. A snapshot has to stand for the rest. */
	world_snap(&world, floor, floor, 3);
	cr_assert(life_begin(&life, &world));
	cr_assert_eq(life.applied.first_lsn, floor + 1);
	cr_assert_eq(life.applied.last_lsn, acked);
	cr_assert_not(life.applied.is_broken);
	end(&world, &life);
}

Test(writer, the_segment_of_the_newest_durable_batch_stays)
{
	struct world world;
	struct life life;
	begin(&world, &life);
	while (life.writer.config.segment_count < 4 ||
		life.writer.position.offset_bytes != SEGMENT_SIZE)
		life_append(&life, 1);
	log_writer_prune(&life.writer, log_writer_durable_lsn(&life.writer), life.now_us);
	life_run(&life);
	cr_assert_eq(life.writer.config.segments[life.writer.config.segment_count - 1].number,
		life.writer.position.segment);
	cr_assert_not_null(world_segment(&world, life.writer.position.segment));
	cr_assert_not_null(
		world_segment(&world, life.writer.position.segment - 1), "one kept to be recycled");
	cr_assert_null(world_segment(&world, life.writer.position.segment - 2));
	end(&world, &life);
}

Test(writer, a_full_table_of_segments_is_a_full_disk)
{
	struct world world;
	struct life life;
	begin(&world, &life);
	life.writer.config.segment_max = 4;
	while (log_writer_level(&life.writer) == LOG_LEVEL_OK)
		cr_assert(life_append(&life, 1));
	cr_assert_eq(log_writer_level(&life.writer), LOG_LEVEL_LOW);
	cr_assert_eq(life.writer.config.segment_count, 3);
	log_writer_prune(&life.writer, life.writer.config.segments[0].last_lsn, life.now_us);
	life_run(&life);
	cr_assert_eq(log_writer_level(&life.writer), LOG_LEVEL_OK);
	cr_assert_eq(life.recycle_count, 1);
	end(&world, &life);
}

Test(writer, after_an_error_nothing_is_acknowledged_and_nothing_is_done)
{
	static const enum log_action_kind kinds[] = {
		LOG_ACTION_WRITE, LOG_ACTION_MARK, LOG_ACTION_PREPARE};
	for (size_t i = 0; i < KR_ARRAY_COUNT(kinds); i++) {
		struct world world;
		struct life life;
		struct log_action action;
		begin(&world, &life);
		while (life.writer.position.offset_bytes != SEGMENT_SIZE)
			life_append(&life, 1);
		uint64_t acked = log_writer_acked_lsn(&life.writer);
		cr_assert_eq(offer(&life), 0);
		expect(&life, LOG_ACTION_WRITE, &action);
		if (kinds[i] == LOG_ACTION_MARK) {
			done(&life, LOG_ACTION_WRITE);
			acked++;
		}
		if (kinds[i] != LOG_ACTION_WRITE)
			expect(&life, kinds[i], &action);
		cr_assert_eq(
			log_writer_done(&life.writer, kinds[i], action.slot, -KR_E_IO, life.now_us),
			-KR_E_IO);
		cr_assert_not(log_writer_next(&life.writer, &action));
		cr_assert_eq(offer(&life), LOG_WRITER_BUSY);
		if (kinds[i] == LOG_ACTION_PREPARE)
			done(&life, LOG_ACTION_WRITE);
		cr_assert_eq(log_writer_acked_lsn(&life.writer), acked);
		cr_assert_eq(log_writer_deadline_us(&life.writer), UINT64_MAX);
		end(&world, &life);
	}
}

Test(writer, clean_stop_seals_with_the_digest_and_marks)
{
	struct world world;
	struct life life;
	struct applied applied;
	uint64_t digest = 99;
	begin(&world, &life);
	life_append(&life, 5);
	life_idle(&life);
	life_stop(&life, &digest);
	struct log_recover *recover = malloc(sizeof(*recover));
	world_recover(&world, recover, NULL, &applied);
	cr_assert_eq(recover->report.verdict, LOG_VERDICT_CLEAN);
	cr_assert_eq(applied.digest_count, 1);
	cr_assert_eq(applied.digest, 99);
	cr_assert_eq(recover->report.mark.durable_seq, recover->report.scan.end.next_seq - 1);
	free(recover);
	world_fini(&world);
}

Test(writer, asynchronous_answers_leave_early_but_claim_no_durability)
{
	struct life life;
	struct log_action action;
	struct log_batch_header header;
	raw(&life, 500);
	log_writer_open(&life.writer, 1, 11);
	life.now_us = 11;
	expect(&life, LOG_ACTION_MARK, &action);
	done(&life, LOG_ACTION_MARK);
	expect(&life, LOG_ACTION_PREPARE, &action);
	done(&life, LOG_ACTION_PREPARE);
	expect(&life, LOG_ACTION_WRITE, &action);
	done(&life, LOG_ACTION_WRITE);
	expect(&life, LOG_ACTION_PREPARE, &action);
	done(&life, LOG_ACTION_PREPARE);
	for (uint32_t i = 1; i <= 3; i++) {
		cr_assert_eq(offer(&life), 0);
		expect(&life, LOG_ACTION_WRITE, &action);
		cr_assert_eq(log_batch_header_read(action.data, &header), LOG_BATCH_OK);
		cr_assert_eq(header.durable_seq, 0, "nothing was synced yet");
		done(&life, LOG_ACTION_WRITE);
		cr_assert_eq(log_writer_acked_lsn(&life.writer), i);
		cr_assert_eq(log_writer_durable_lsn(&life.writer), 0);
		cr_assert_not(log_writer_next(&life.writer, &action), "neither seal nor mark");
	}
	cr_assert_eq(log_writer_deadline_us(&life.writer), 511);
	life.now_us = 511;
	log_writer_tick(&life.writer, 511);
	expect(&life, LOG_ACTION_SYNC, &action);
	cr_assert_eq(action.sync_first, 1);
	cr_assert_eq(action.segment, 1);
	cr_assert_eq(offer(&life), 0);
	expect(&life, LOG_ACTION_WRITE, &action);
	done(&life, LOG_ACTION_SYNC);
	cr_assert_eq(log_writer_durable_lsn(&life.writer), 3, "not what came after it began");
	done(&life, LOG_ACTION_WRITE);
	cr_assert_eq(log_writer_durable_lsn(&life.writer), 3);
	life_end(&life);
}

Test(writer, asynchronous_stop_syncs_seals_and_marks)
{
	struct world world;
	struct life life;
	world_init(&world);
	world_lay_out(&world, SEGMENT_SIZE);
	cr_assert(life_begin_async(&life, &world, 500));
	for (uint32_t i = 0; i < 30; i++) {
		cr_assert(life_append(&life, 3));
		/* Before a further segment is begun, this one is synced: no earlier, no later. */
		cr_assert_leq(life.writer.position.segment, life.writer.durable.segment + 1);
	}
	cr_assert_eq(life.sync_count, life.writer.position.segment - 1);
	cr_assert_lt(log_writer_durable_lsn(&life.writer), 90);
	life_idle(&life);
	cr_assert_eq(log_writer_durable_lsn(&life.writer), 90);
	life_append(&life, 1);
	life_stop(&life, NULL);
	cr_assert(life_begin(&life, &world));
	cr_assert_eq(life.applied.last_lsn, 91);
	cr_assert_eq(life.recover->report.verdict, LOG_VERDICT_CLEAN);
	end(&world, &life);
}

/* Reading goes on behind what fits into memory at once, in the log and in a snapshot. */
Test(writer, what_is_longer_than_a_window_is_read_whole_and_damage_behind_it_is_found)
{
	static struct world world;
	struct life life;
	struct applied applied;
	world_init(&world);
	world_lay_out(&world, 3u * LOG_SCAN_WINDOW_SIZE);
	cr_assert(life_begin(&life, &world));
	const uint32_t count = (uint32_t)(log_writer_body_max(&life.writer) / 16);
	uint64_t middle_lsn = 0;
	for (unsigned i = 0; i < 10; i++) {
		cr_assert(life_append(&life, count));
		if (i == 5)
			middle_lsn = log_writer_next_lsn(&life.writer) - 1;
	}
	const uint64_t last_lsn = log_writer_next_lsn(&life.writer) - 1;
	life_idle(&life);
	life_end(&life);

	struct log_recover *recover = calloc(1, sizeof(*recover));
	cr_assert_not_null(recover);
	world_recover(&world, recover, NULL, &applied);
	cr_assert_eq(recover->report.verdict, LOG_VERDICT_CLEAN);
	cr_assert_not(applied.is_broken);
	cr_assert_eq(applied.first_lsn, 1);
	cr_assert_eq(applied.last_lsn, last_lsn);

	world_snap(&world, middle_lsn, middle_lsn, 9000);
	world_recover(&world, recover, NULL, &applied);
	cr_assert_eq(recover->report.verdict, LOG_VERDICT_CLEAN);
	cr_assert_not(applied.is_broken);
	cr_assert_eq(applied.chunk_count, 9000);
	cr_assert_eq(applied.last_lsn, last_lsn);

	/* in the seventh batch, behind the first window and the snapshot */
	const uint64_t at = LOG_SCAN_WINDOW_SIZE + 5u * (LOG_BATCH_SIZE_MAX / 2);
	world_segment(&world, 1)->bytes[at] ^= 1;
	world_recover(&world, recover, NULL, &applied);
	cr_assert_eq(recover->report.verdict, LOG_VERDICT_DAMAGED, "%s",
		log_verdict_name(recover->report.verdict));
	const struct log_scan_hole *hole = &recover->report.scan.hole;
	cr_assert_eq(hole->segment, 1);
	cr_assert(hole->offset_bytes <= at && at < hole->end_offset_bytes);
	cr_assert_leq(hole->end_offset_bytes - hole->offset_bytes, LOG_BATCH_SIZE_MAX);
	free(recover);
	world_fini(&world);
}
