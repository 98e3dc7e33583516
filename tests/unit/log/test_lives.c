/*
 * Random lives of one log: seeded work, kills at any action with half-done writes, snapshots,
 * pruning, restarts. What was acknowledged is there after every start, and a tail that was not
 * acknowledged never prevents one.
 *
 * Then the same directories with damage: a recovery that starts has every batch that anything left
 * on disk says was durable, and no effect that was never written. Else it refuses.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "tests/unit/log/log_world.h"

#define SEGMENT_SIZE (6u * LOG_BLOCK_SIZE)
#define SECTOR 512u
#define SEQ_MAX 4096u
#define NEVER UINT32_MAX

struct story {
	struct rng rng;
	struct world world;
	struct life life;
	uint32_t kill_in; /* actions until the kill */
	bool is_killed;
	uint64_t acked_lsn; /* before the action that was cut short */
	uint64_t maybe_lsn; /* after it, had it been done */
	uint64_t snap_lsns[2];
	uint64_t last_lsn[SEQ_MAX]; /* of each batch, as it was acknowledged last */
	uint32_t verdicts[LOG_VERDICT_COUNT];
};

static void half_write(struct story *story, uint8_t *place, const struct log_action *action)
{
	for (uint32_t at = 0; at < action->size_bytes; at += SECTOR) {
		uint64_t fate = rng_below(&story->rng, 4);
		if (fate <= 1)
			memcpy(place + at, action->data + at, SECTOR);
		else if (fate == 2)
			memset(place + at, (int)rng_below(&story->rng, 256), SECTOR);
	}
}

/* What a process leaves that is killed, or loses power, while this goes on. */
static void cut_short(struct story *story, const struct log_action *action)
{
	struct log_dir_text name;
	struct world_file *file;
	switch (action->kind) {
	case LOG_ACTION_WRITE:
		file = world_segment(&story->world, action->segment);
		half_write(story, file->bytes + action->offset_bytes, action);
		break;
	case LOG_ACTION_MARK:
		file = world_find(&story->world, LOG_DIR_MARK);
		if (file == NULL)
			file = world_make(&story->world, LOG_DIR_MARK, LOG_MARK_FILE_SIZE);
		half_write(story, file->bytes + action->offset_bytes, action);
		break;
	case LOG_ACTION_PREPARE:
		log_dir_segment_new_name(action->segment, &name);
		world_make(&story->world, name.bytes, rng_below(&story->rng, 7) * LOG_BLOCK_SIZE);
		if (action->recycle != 0) {
			log_dir_segment_name(action->recycle, &name);
			world_remove(&story->world, name.bytes);
		}
		break;
	default:
		break;
	}
}

static int carry_out(struct story *story, const struct log_action *action)
{
	struct log_dir_text name;
	struct world *world = &story->world;
	struct world_file *file;
	switch (action->kind) {
	case LOG_ACTION_WRITE:
		file = world_segment(world, action->segment);
		memcpy(file->bytes + action->offset_bytes, action->data, action->size_bytes);
		return 0;
	case LOG_ACTION_MARK:
		file = world_find(world, LOG_DIR_MARK);
		if (file == NULL)
			file = world_make(world, LOG_DIR_MARK, LOG_MARK_FILE_SIZE);
		memcpy(file->bytes + action->offset_bytes, action->data, action->size_bytes);
		return 0;
	case LOG_ACTION_PREPARE:
		if (action->recycle != 0) {
			log_dir_segment_name(action->recycle, &name);
			world_remove(world, name.bytes);
		}
		log_dir_segment_name(action->segment, &name);
		world_make(world, name.bytes, SEGMENT_SIZE);
		return 0;
	default:
		log_dir_segment_name(action->segment, &name);
		world_remove(world, name.bytes);
		return 0;
	}
}

static void run(struct story *story)
{
	struct log_action action;
	struct life *life = &story->life;
	while (!story->is_killed && log_writer_next(&life->writer, &action)) {
		if (action.kind == LOG_ACTION_WRITE)
			story->maybe_lsn = log_writer_next_lsn(&life->writer) - 1;
		if (story->kill_in-- == 0) {
			cut_short(story, &action);
			story->is_killed = true;
			return;
		}
		int result = carry_out(story, &action);
		cr_assert_eq(log_writer_done(
				     &life->writer, action.kind, action.slot, result, life->now_us),
			0);
		if (action.kind == LOG_ACTION_WRITE) {
			cr_assert_lt(life->writer.acked.seq, SEQ_MAX);
			story->last_lsn[life->writer.acked.seq] = life->writer.acked.lsn;
			story->acked_lsn = life->writer.acked.lsn;
		}
	}
}

static void append(struct story *story)
{
	uint8_t body[16 * 1000];
	struct life *life = &story->life;
	uint32_t count =
		(uint32_t)rng_range(&story->rng, 1, rng_chance(&story->rng, 300000) ? 1000 : 60);
	uint64_t lsn = log_writer_next_lsn(&life->writer);
	for (uint32_t i = 0; i < count; i++) {
		uint64_t pair[2] = {lsn + i, world_effect(lsn + i)};
		memcpy(body + (size_t)i * 16, pair, 16);
	}
	struct log_append batch = {.body = body,
		.body_size_bytes = count * 16,
		.count = count,
		.first_lsn = lsn,
		.timestamp_us = life->writer.position.timestamp_us + 1};
	cr_assert_eq(log_writer_append(&life->writer, &batch, life->now_us), 0);
}

/* A snapshot of what is durable, the oldest of three gone, the log pruned. */
static void snapshot(struct story *story)
{
	struct log_dir_text name;
	struct life *life = &story->life;
	uint64_t lsn = log_writer_durable_lsn(&life->writer);
	if (lsn == story->snap_lsns[0])
		return;
	world_snap(&story->world, lsn, lsn, 4);
	if (story->snap_lsns[1] != 0) {
		log_dir_snap_name(story->snap_lsns[1], &name);
		world_remove(&story->world, name.bytes);
	}
	story->snap_lsns[1] = story->snap_lsns[0];
	story->snap_lsns[0] = lsn;
	if (story->snap_lsns[1] != 0)
		log_writer_prune(&life->writer, story->snap_lsns[1], life->now_us);
}

static void step(struct story *story)
{
	struct life *life = &story->life;
	uint64_t dice = rng_below(&story->rng, 100);
	if (dice < 70) {
		append(story);
	} else if (dice < 85) {
		uint64_t deadline = log_writer_deadline_us(&life->writer);
		if (deadline != UINT64_MAX)
			life->now_us = KR_MAX(life->now_us, deadline);
		log_writer_tick(&life->writer, life->now_us);
	} else {
		snapshot(story);
	}
	run(story);
}

/* One life: a start, some work, an end of one kind or another. */
static void live(struct story *story)
{
	struct life *life = &story->life;
	struct log_writer_config config;
	memset(life, 0, sizeof(*life));
	life->world = &story->world;
	life->recover = malloc(sizeof(*life->recover));
	life->buffer = aligned_alloc(LOG_BLOCK_SIZE, LOG_WRITER_BUFFER_SIZE);
	world_recover(&story->world, life->recover, NULL, &life->applied);
	enum log_verdict verdict = life->recover->report.verdict;
	story->verdicts[verdict]++;
	cr_assert_neq(
		log_verdict_class(verdict), LOG_VERDICT_REFUSE, "%s", log_verdict_name(verdict));
	cr_assert_not(life->applied.is_broken);
	uint64_t last = life->recover->report.scan.end.next_lsn - 1;
	cr_assert(last == story->acked_lsn || last == story->maybe_lsn);
	cr_assert(life->applied.last_lsn == last ||
		  (life->applied.last_lsn == 0 && last == story->snap_lsns[0]));
	story->acked_lsn = last;
	story->last_lsn[life->recover->report.scan.end.next_seq - 1] = last;
	world_repair(&story->world, life->recover);
	config = life_config(life);
	log_writer_init(&life->writer, &config);
	story->is_killed = false;
	story->maybe_lsn = last;
	story->kill_in =
		rng_chance(&story->rng, 800000) ? (uint32_t)rng_below(&story->rng, 60) : NEVER;
	life->now_us = 1000;
	log_writer_open(&life->writer, 5, life->now_us);
	run(story);
	for (uint32_t i = 0; i < 25 && !story->is_killed; i++)
		step(story);
	if (!story->is_killed && rng_chance(&story->rng, 500000)) {
		log_writer_stop(&life->writer, NULL, life->now_us);
		run(story);
	}
	life_end(life);
}

Test(lives, what_was_acknowledged_is_there_after_every_start)
{
	uint32_t verdicts[LOG_VERDICT_COUNT] = {0};
	struct story *story = malloc(sizeof(*story));
	for (uint64_t seed = 1; seed <= 250; seed++) {
		memset(story, 0, sizeof(*story));
		rng_init(&story->rng, seed);
		world_lay_out(&story->world, SEGMENT_SIZE);
		for (uint32_t i = 0; i < 25; i++)
			live(story);
		world_fini(&story->world);
		for (uint32_t i = 0; i < LOG_VERDICT_COUNT; i++)
			verdicts[i] += story->verdicts[i];
	}
	/* The edges are common, or the dice are loaded. */
	cr_assert_gt(verdicts[LOG_VERDICT_CLEAN], 1000);
	cr_assert_gt(verdicts[LOG_VERDICT_TORN_TAIL], 500);
	cr_assert_gt(verdicts[LOG_VERDICT_LEFTOVERS], 100);
	free(story);
}

/* --- damage --- */

static struct world_file *any_file(struct story *story)
{
	struct world_file *file =
		&story->world.files[rng_below(&story->rng, story->world.file_count)];
	return file->size_bytes >= LOG_BLOCK_SIZE ? file : NULL;
}

static void damage(struct story *story)
{
	struct world_file *file = any_file(story);
	struct world_file *other = any_file(story);
	if (file == NULL || other == NULL || strcmp(file->name, LOG_DIR_SHARD) == 0)
		return;
	uint64_t blocks = file->size_bytes / LOG_BLOCK_SIZE;
	uint64_t block = rng_below(&story->rng, blocks) * LOG_BLOCK_SIZE;
	uint64_t from = rng_below(&story->rng, other->size_bytes / LOG_BLOCK_SIZE) * LOG_BLOCK_SIZE;
	switch (rng_below(&story->rng, 8)) {
	case 0:
		world_remove(&story->world, file->name);
		break;
	case 1:
		world_resize(file, block + rng_below(&story->rng, LOG_BLOCK_SIZE));
		break;
	case 2:
		memmove(file->bytes + block, other->bytes + from, LOG_BLOCK_SIZE);
		break;
	case 3:
		memset(file->bytes + block, 0, LOG_BLOCK_SIZE);
		break;
	case 4:
		file->bad[block / LOG_BLOCK_SIZE] = 1;
		break;
	case 5:
		rng_fill(&story->rng, file->bytes + block, SECTOR);
		break;
	default:
		block += rng_below(&story->rng, 300);
		file->bytes[block] ^= (uint8_t)(1u << rng_below(&story->rng, 8));
	}
}

/* What is left on disk says that this batch was durable. Found by looking at every block, with no
 * notion of order. */
static uint64_t witnessed_seq(struct world *world)
{
	uint64_t seq = 0;
	uint32_t version;
	struct log_batch_header header;
	struct log_mark mark;
	for (uint32_t i = 0; i < world->file_count; i++) {
		const struct world_file *file = &world->files[i];
		for (uint64_t at = 0; at + LOG_BLOCK_SIZE <= file->size_bytes;
			at += LOG_BLOCK_SIZE) {
			if (file->bad[at / LOG_BLOCK_SIZE] != 0)
				continue;
			if (strncmp(file->name, "log-", 4) == 0 &&
				strchr(file->name, '.') == NULL &&
				log_batch_header_read(file->bytes + at, &header) == LOG_BATCH_OK)
				seq = KR_MAX(seq, header.durable_seq);
			if (strcmp(file->name, LOG_DIR_MARK) == 0 &&
				log_mark_decode(file->bytes + at, &mark, &version) == LOG_META_OK)
				seq = KR_MAX(seq, mark.durable_seq);
		}
	}
	return seq;
}

Test(lives, damage_ends_in_refusal_or_in_all_that_is_witnessed)
{
	struct story *story = malloc(sizeof(*story));
	struct log_recover *recover = malloc(sizeof(*recover));
	uint32_t refused = 0;
	uint32_t started = 0;
	for (uint64_t seed = 1; seed <= 120; seed++) {
		struct world kept;
		memset(story, 0, sizeof(*story));
		rng_init(&story->rng, seed);
		world_lay_out(&story->world, SEGMENT_SIZE);
		for (uint32_t i = 0; i < 6; i++)
			live(story);
		world_copy(&kept, &story->world);
		/* The write that the last kill cut short may have reached the disk whole. */
		struct applied whole;
		world_recover(&kept, recover, NULL, &whole);
		const struct log_position *end = &recover->report.scan.end;
		story->last_lsn[end->next_seq - 1] = end->next_lsn - 1;
		for (uint32_t i = 0; i < 150; i++) {
			struct applied applied;
			world_fini(&story->world);
			world_copy(&story->world, &kept);
			for (uint64_t n = rng_range(&story->rng, 1, 3); n > 0; n--)
				damage(story);
			uint64_t witnessed = witnessed_seq(&story->world);
			world_recover(&story->world, recover, NULL, &applied);
			cr_assert_not(applied.is_broken);
			if (log_verdict_class(recover->report.verdict) == LOG_VERDICT_REFUSE) {
				refused++;
				continue;
			}
			started++;
			cr_assert_geq(recover->report.scan.end.next_seq, witnessed + 1,
				"seed %llu round %u: %s", (unsigned long long)seed, i,
				log_verdict_name(recover->report.verdict));
			uint64_t last = recover->report.scan.end.next_lsn - 1;
			cr_assert(
				applied.last_lsn == last || recover->report.snap_begin_lsn == last);
			cr_assert(applied.first_lsn == 0 ||
				  applied.first_lsn <= recover->report.snap_begin_lsn + 1);
			cr_assert_eq(story->last_lsn[recover->report.scan.end.next_seq - 1], last);
		}
		world_fini(&kept);
		world_fini(&story->world);
	}
	cr_assert_gt(refused, 5000);
	cr_assert_gt(started, 5000);
	free(recover);
	free(story);
}
