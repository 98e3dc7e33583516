/*
 * Torn tails, exhaustively: at every write of a script of more than 200, every subset of the
 * write's sectors reaches the disk, over zeroes and over garbage. Whatever it is, recovery starts,
 * with everything acknowledged before the write and, of the write itself, all or nothing.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "tests/unit/log/log_world.h"

#define SEGMENT_SIZE (6u * LOG_BLOCK_SIZE)
#define SECTOR 512u
#define SECTORS (LOG_BLOCK_SIZE / SECTOR)

enum under { UNDER_ZEROES, UNDER_GARBAGE, UNDER_COUNT };

struct tally {
	uint64_t whole;
	uint64_t torn;
	uint64_t clean;
};

static struct log_recover *recover;

/* The sectors of `mask` from `data`, the others as `under` says. */
static void half_write(
	uint8_t *place, const uint8_t *data, uint32_t size_bytes, uint32_t mask, enum under under)
{
	for (uint32_t i = 0; i < size_bytes / SECTOR; i++) {
		uint8_t *sector = place + (size_t)i * SECTOR;
		if ((mask >> i & 1) != 0)
			memcpy(sector, data + (size_t)i * SECTOR, SECTOR);
		else if (under == UNDER_ZEROES)
			memset(sector, 0, SECTOR);
		else
			memset(sector, (int)(0x40 + i + mask % 7), SECTOR);
	}
}

/* One half-written batch: is what recovery makes of it right? */
static void judge(struct world *world, uint64_t before, uint64_t after, struct tally *tally)
{
	struct applied applied;
	world_recover(world, recover, NULL, &applied);
	const struct log_recover_report *report = &recover->report;
	cr_assert_neq(log_verdict_class(report->verdict), LOG_VERDICT_REFUSE, "%s",
		log_verdict_name(report->verdict));
	cr_assert_not(applied.is_broken);
	/* With a snapshot of all there is, nothing is left to be handed out. */
	uint64_t last = report->scan.end.next_lsn - 1;
	cr_assert(applied.last_lsn == last || report->snap_begin_lsn == last);
	cr_assert(last == before || last == after);
	if (report->verdict == LOG_VERDICT_TORN_TAIL) {
		tally->torn++;
		cr_assert_eq(last, before);
	} else {
		cr_assert_eq(report->verdict, LOG_VERDICT_CLEAN);
		*(last == after && after != before ? &tally->whole : &tally->clean) += 1;
	}
}

static void every_subset(struct world *world, const struct log_action *action, uint64_t before,
	uint64_t after, struct tally *tally)
{
	uint8_t old[2 * LOG_BLOCK_SIZE];
	uint32_t bits = action->size_bytes / SECTOR;
	uint8_t *place = world_segment(world, action->segment)->bytes + action->offset_bytes;
	cr_assert_leq(action->size_bytes, sizeof(old));
	memcpy(old, place, action->size_bytes);
	for (int under = 0; under < UNDER_COUNT; under++) {
		for (uint32_t mask = 0; mask < 1u << bits; mask++) {
			half_write(
				place, action->data, action->size_bytes, mask, (enum under)under);
			judge(world, before, after, tally);
		}
	}
	memcpy(place, old, action->size_bytes);
}

/* A torn mark: the other block is whole, so nothing is lost and nothing is refused. */
static void every_mark(
	struct world *world, const struct log_action *action, uint64_t acked, struct tally *tally)
{
	uint8_t old[LOG_BLOCK_SIZE];
	struct world_file *file = world_find(world, LOG_DIR_MARK);
	if (file == NULL)
		file = world_make(world, LOG_DIR_MARK, LOG_MARK_FILE_SIZE);
	uint8_t *place = file->bytes + action->offset_bytes;
	memcpy(old, place, sizeof(old));
	for (uint32_t mask = 0; mask < 1u << SECTORS; mask += 5) {
		half_write(place, action->data, LOG_BLOCK_SIZE, mask, UNDER_GARBAGE);
		struct applied applied;
		world_recover(world, recover, NULL, &applied);
		cr_assert_eq(log_verdict_class(recover->report.verdict), LOG_VERDICT_START);
		cr_assert_eq(recover->report.scan.end.next_lsn, acked + 1);
		tally->clean++;
	}
	memcpy(place, old, sizeof(old));
}

static void carry_out(struct life *life, const struct log_action *action)
{
	struct log_dir_text name;
	if (action->kind == LOG_ACTION_PREPARE) {
		if (action->recycle != 0) {
			log_dir_segment_name(action->recycle, &name);
			world_remove(life->world, name.bytes);
		}
		log_dir_segment_name(action->segment, &name);
		world_make(life->world, name.bytes, SEGMENT_SIZE);
	} else if (action->kind == LOG_ACTION_REMOVE) {
		log_dir_segment_name(action->segment, &name);
		world_remove(life->world, name.bytes);
	} else if (action->kind == LOG_ACTION_WRITE) {
		memcpy(world_segment(life->world, action->segment)->bytes + action->offset_bytes,
			action->data, action->size_bytes);
	} else if (action->kind == LOG_ACTION_MARK) {
		memcpy(world_find(life->world, LOG_DIR_MARK)->bytes + action->offset_bytes,
			action->data, action->size_bytes);
	}
	cr_assert_eq(
		log_writer_done(&life->writer, action->kind, action->slot, 0, life->now_us), 0);
}

static void offer(struct life *life, uint32_t count)
{
	uint8_t body[8 * LOG_BLOCK_SIZE];
	uint64_t lsn = log_writer_next_lsn(&life->writer);
	for (uint32_t i = 0; i < count; i++) {
		uint64_t pair[2] = {lsn + i, hash_64_of_u64(lsn + i)};
		memcpy(body + (size_t)i * 16, pair, 16);
	}
	struct log_append append = {.body = body,
		.body_size_bytes = count * 16,
		.count = count,
		.first_lsn = lsn,
		.timestamp_us = life->writer.position.timestamp_us};
	cr_assert_eq(log_writer_append(&life->writer, &append, life->now_us), 0);
}

/* Offers one batch and stops at every action it leads to. */
static uint32_t step(struct life *life, uint32_t count, struct tally *tally)
{
	struct log_action action;
	uint64_t lsn = log_writer_next_lsn(&life->writer);
	uint32_t write_count = 0;
	if (count > 0)
		offer(life, count);
	while (log_writer_next(&life->writer, &action)) {
		uint64_t acked = log_writer_acked_lsn(&life->writer);
		if (action.kind == LOG_ACTION_WRITE) {
			every_subset(life->world, &action, acked, lsn + count - 1, tally);
			write_count++;
		} else if (action.kind == LOG_ACTION_MARK) {
			every_mark(life->world, &action, acked, tally);
			write_count++;
		}
		carry_out(life, &action);
	}
	return write_count;
}

/* A small snapshot in place of the one before, so that the log stays short. */
static void prune(struct life *life, uint64_t *snap_lsn)
{
	struct log_dir_text name;
	log_dir_snap_name(*snap_lsn, &name);
	*snap_lsn = log_writer_durable_lsn(&life->writer);
	world_remove(life->world, name.bytes);
	world_snap(life->world, *snap_lsn, *snap_lsn, 1);
	log_writer_prune(&life->writer, *snap_lsn, life->now_us);
}

Test(tail, every_subset_of_sectors_of_every_write_of_a_script_recovers, .timeout = 240)
{
	struct world world;
	struct life life;
	struct tally tally = {0};
	uint32_t write_count = 0;
	uint64_t snap_lsn = 0;
	recover = malloc(sizeof(*recover));
	world_init(&world);
	world_lay_out(&world, SEGMENT_SIZE);
	cr_assert(life_begin(&life, &world));
	for (uint32_t i = 0; write_count < 200; i++) {
		/* Up to a block, now and then a seal. */
		if (i % 16 == 15)
			prune(&life, &snap_lsn);
		if (i % 5 == 4) {
			life.now_us = log_writer_deadline_us(&life.writer);
			log_writer_tick(&life.writer, life.now_us);
			write_count += step(&life, 0, &tally);
		} else {
			write_count += step(&life, 1 + i * 53 % 246, &tally);
		}
	}
	/* 512 subsets a write; zeroes below and padding above leave some of them whole. */
	cr_assert_gt(tally.torn, 20000);
	cr_assert_gt(tally.whole, 100);
	cr_assert_gt(tally.clean, 200);
	life_end(&life);
	world_fini(&world);
	free(recover);
}

static uint8_t *place_of(const struct life *life, const struct log_action *action)
{
	return world_segment(life->world, action->segment)->bytes + action->offset_bytes;
}

static bool is_whole(const struct life *life, const struct log_action *action)
{
	return memcmp(place_of(life, action), action->data, action->size_bytes) == 0;
}

/* Some of the first's sectors and some of the second's: all before the first that is not whole. */
static void judge_two(struct life *life, const struct log_action *actions, const uint64_t *lasts,
	struct tally *tally)
{
	struct applied applied;
	world_recover(life->world, recover, NULL, &applied);
	const struct log_recover_report *report = &recover->report;
	uint32_t whole = 0;
	while (whole < 2 && is_whole(life, &actions[whole]))
		whole++;
	cr_assert_neq(log_verdict_class(report->verdict), LOG_VERDICT_REFUSE, "%s",
		log_verdict_name(report->verdict));
	cr_assert_not(applied.is_broken);
	cr_assert_eq(report->scan.end.next_lsn - 1, lasts[whole]);
	*(whole == 2 ? &tally->whole : &tally->torn) += 1;
}

Test(tail, of_two_batches_under_way_what_is_whole_from_the_first_on_recovers, .timeout = 240)
{
	static const uint32_t seconds[] = {0, 0xff, 0x01, 0xfe, 0x0f, 0x80, 0x55};
	struct world world;
	struct life life;
	struct tally tally = {0};
	recover = malloc(sizeof(*recover));
	world_init(&world);
	world_lay_out(&world, SEGMENT_SIZE);
	cr_assert(life_begin(&life, &world));
	for (uint32_t i = 0; i < 12; i++) {
		struct log_action actions[2];
		uint64_t lasts[3] = {log_writer_acked_lsn(&life.writer)};
		for (uint32_t k = 0; k < 2; k++) {
			offer(&life, 150 + (i * 53 + k * 71) % 96);
			lasts[k + 1] = log_writer_next_lsn(&life.writer) - 1;
		}
		while (log_writer_next(&life.writer, &actions[0]) &&
			actions[0].kind != LOG_ACTION_WRITE)
			carry_out(&life, &actions[0]);
		/* The second one goes into the next segment only when the first is durable. */
		bool has_two = log_writer_next(&life.writer, &actions[1]) &&
			       actions[1].kind == LOG_ACTION_WRITE;
		for (uint32_t mask = 0; has_two && mask < 256; mask++) {
			for (uint32_t k = 0; k < KR_ARRAY_COUNT(seconds); k++) {
				half_write(place_of(&life, &actions[0]), actions[0].data,
					actions[0].size_bytes, mask, (enum under)(k % UNDER_COUNT));
				half_write(place_of(&life, &actions[1]), actions[1].data,
					actions[1].size_bytes, seconds[k], UNDER_GARBAGE);
				judge_two(&life, actions, lasts, &tally);
			}
		}
		if (has_two)
			carry_out(&life, &actions[1]);
		cr_assert_eq(log_writer_acked_lsn(&life.writer), lasts[0]);
		carry_out(&life, &actions[0]);
		if (!has_two && actions[1].kind != LOG_ACTION_WRITE)
			carry_out(&life, &actions[1]);
		while (log_writer_next(&life.writer, &actions[0]))
			carry_out(&life, &actions[0]);
		cr_assert_eq(log_writer_acked_lsn(&life.writer), lasts[2]);
	}
	cr_assert_gt(tally.torn, 10000);
	cr_assert_geq(tally.whole, 8);
	life_end(&life);
	world_fini(&world);
	free(recover);
}

Test(tail, every_subset_of_sixteen_sectors_of_a_last_batch_recovers, .timeout = 240)
{
	struct world world;
	struct life life;
	struct tally tally = {0};
	recover = malloc(sizeof(*recover));
	world_init(&world);
	world_lay_out(&world, SEGMENT_SIZE);
	cr_assert(life_begin(&life, &world));
	step(&life, 300, &tally);
	cr_assert_eq(tally.whole + tally.torn + tally.clean, 2u << 16);
	cr_assert_gt(tally.torn, 100000);
	life_end(&life);
	world_fini(&world);
	free(recover);
}

/* What a start does about a torn tail can itself be cut short, at any point, any number of times.
 */
Test(tail, a_cut_interrupted_anywhere_is_done_again)
{
	for (uint32_t stop = 0; stop < 6; stop++) {
		struct world world;
		struct life life;
		world_init(&world);
		world_lay_out(&world, SEGMENT_SIZE);
		cr_assert(life_begin(&life, &world));
		for (uint32_t i = 0; i < 9; i++)
			life_append(&life, 100);
		while (life.writer.position.offset_bytes > 2 * LOG_BLOCK_SIZE)
			life_append(&life, 1);
		uint64_t acked = log_writer_acked_lsn(&life.writer);
		life_append(&life, 700);
		cr_assert_eq(life.last_write.size_bytes, 3 * LOG_BLOCK_SIZE);
		uint8_t *place = world_segment(&world, life.last_write.segment)->bytes +
				 life.last_write.offset_bytes;
		life_end(&life);
		place[300] ^= 1;
		/* The zeroing stopped after `stop` half blocks, from either side. */
		uint32_t half = LOG_BLOCK_SIZE / 2;
		memset(place, 0, (size_t)stop * half);
		cr_assert(life_begin(&life, &world));
		cr_assert_eq(life.applied.last_lsn, acked);
		life_append(&life, 5);
		life_end(&life);
		cr_assert(life_begin(&life, &world));
		cr_assert_eq(life.applied.last_lsn, acked + 5);
		cr_assert_not(life.applied.is_broken);
		life_end(&life);
		world_fini(&world);
	}
}

Test(tail, a_copy_keeps_what_is_its_own_or_zero_by_now)
{
	static uint8_t now[2 * LOG_BLOCK_SIZE], copy[2 * LOG_BLOCK_SIZE];
	for (uint32_t i = 0; i < sizeof(copy); i++)
		copy[i] = (uint8_t)(i % 255);
	/* Zeroing that stopped anywhere, from either side. */
	for (uint32_t at = 0; at <= sizeof(now); at += 97) {
		memcpy(now, copy, sizeof(now));
		memset(now, 0, at);
		cr_assert(log_cut_is_kept(now, copy, sizeof(now)));
		memcpy(now, copy, sizeof(now));
		memset(now + at, 0, sizeof(now) - at);
		cr_assert(log_cut_is_kept(now, copy, sizeof(now)));
	}
	/* One other byte, the last one too, has to be kept by another copy. */
	for (uint32_t at = 0; at < sizeof(now); at += at < 600 ? 1 : 53) {
		memset(now, 0, sizeof(now));
		now[at] = (uint8_t)(copy[at] + 1);
		cr_assert_eq(log_cut_is_kept(now, copy, sizeof(now)), now[at] == 0, "%u", at);
	}
	memset(now, 0, sizeof(now));
	now[sizeof(now) - 1] = (uint8_t)(copy[sizeof(now) - 1] + 1);
	cr_assert_not(log_cut_is_kept(now, copy, sizeof(now)));
	cr_assert(log_cut_is_kept(now, copy, LOG_BLOCK_SIZE));
}
