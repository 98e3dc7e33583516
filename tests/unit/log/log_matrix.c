#include "tests/unit/log/log_matrix.h"

#include <string.h>

#include "base/hash.h"

#define BATCH_COUNT 17u

/* Batches of one to three blocks over several segments; not stopped, not sealed. */
void matrix_begin(struct world *world, struct life *life)
{
	world_lay_out(world, MATRIX_SEGMENT_SIZE);
	bool is_begun = life_begin(life, world);
	kr_assert(is_begun);
	for (uint32_t i = 0; i < BATCH_COUNT; i++) {
		bool is_written = life_append(life, 1 + i * 37 % 500);
		kr_assert(is_written);
	}
	kr_assert(life->writer.position.segment >= 4);
}

/* The same, with the last batch in two blocks, in the middle of a segment. */
static void begin_with_long_tail(struct world *world, struct life *life)
{
	matrix_begin(world, life);
	while (life->writer.position.offset_bytes != 3 * LOG_BLOCK_SIZE)
		life_append(life, 1);
	life_append(life, 400);
	kr_assert(life->last_write.size_bytes == 2 * LOG_BLOCK_SIZE);
}

static uint8_t *last_bytes(struct life *life)
{
	return world_segment(life->world, life->last_write.segment)->bytes +
	       life->last_write.offset_bytes;
}

static uint64_t acked(const struct life *life)
{
	return log_writer_acked_lsn(&life->writer);
}

/* The header the next batch would have. */
static struct log_batch_header next_header(const struct life *life, uint32_t count)
{
	const struct log_position *position = &life->writer.position;
	kr_assert(position->offset_bytes < MATRIX_SEGMENT_SIZE);
	return (struct log_batch_header){
		.cluster = WORLD_CLUSTER,
		.shard = WORLD_SHARD,
		.block_index = (uint32_t)(position->offset_bytes / LOG_BLOCK_SIZE),
		.segment = position->segment,
		.epoch = position->epoch,
		.term = 1,
		.batch_seq = position->next_seq,
		.first_lsn = position->next_lsn,
		.timestamp_us = position->timestamp_us,
		.durable_seq = position->next_seq - 1,
		.prev_chain = position->chain,
		.count = count,
	};
}

/* Leaves room for a few more batches in the segment at the end. */
static void make_room(struct life *life)
{
	while (life->writer.position.offset_bytes > 2 * LOG_BLOCK_SIZE)
		life_append(life, 1);
}

/* An acknowledged batch with others behind it in its segment, and where it lies. */
static struct log_batch_header middle(struct life *life, uint8_t **ret_bytes)
{
	const struct log_segment *segment = &life->writer.config.segments[1];
	struct log_batch_header first = world_header(life->world, segment->number, 0);
	uint64_t offset = log_batch_size(first.body_size_bytes);
	*ret_bytes = world_segment(life->world, segment->number)->bytes + offset;
	return world_header(life->world, segment->number, offset);
}

static void expect_bad(struct matrix_facts *facts, const struct log_batch_header *header)
{
	facts->bad_seq = header->batch_seq;
	facts->bad_lsn = header->first_lsn;
}

void matrix_clean_end_after_a_stop(struct world *world, struct matrix_facts *facts)
{
	struct life life;
	matrix_begin(world, &life);
	facts->last_lsn = acked(&life);
	life_stop(&life, NULL);
}

void matrix_clean_end_after_a_kill(struct world *world, struct matrix_facts *facts)
{
	struct life life;
	matrix_begin(world, &life);
	facts->last_lsn = acked(&life);
	life_end(&life);
}

void matrix_clean_end_at_the_end_of_a_segment(struct world *world, struct matrix_facts *facts)
{
	struct life life;
	matrix_begin(world, &life);
	while (life.writer.position.offset_bytes != MATRIX_SEGMENT_SIZE)
		life_append(&life, 1);
	facts->last_lsn = acked(&life);
	life_end(&life);
}

/* Undoes the last write in the caller's way: what follows was never acknowledged. */
static uint8_t *tear(struct world *world, struct life *life, struct matrix_facts *facts)
{
	begin_with_long_tail(world, life);
	facts->last_lsn = log_writer_acked_lsn(&life->writer) - 400;
	return last_bytes(life);
}

void matrix_torn_last_batch_of_zeroes(struct world *world, struct matrix_facts *facts)
{
	struct life life;
	uint8_t *bytes = tear(world, &life, facts);
	memset(bytes + 512, 0, 2 * LOG_BLOCK_SIZE - 512);
	facts->kept_bytes = LOG_BLOCK_SIZE;
	life_end(&life);
}

void matrix_torn_last_batch_of_garbage(struct world *world, struct matrix_facts *facts)
{
	struct life life;
	uint8_t *bytes = tear(world, &life, facts);
	for (uint32_t i = 0; i < 2 * LOG_BLOCK_SIZE; i += 8) {
		uint64_t noise = hash_64_of_u64(i);
		memcpy(bytes + i, &noise, 8);
	}
	facts->kept_bytes = 2 * (uint64_t)LOG_BLOCK_SIZE;
	life_end(&life);
}

void matrix_torn_last_batch_half_old_half_new(struct world *world, struct matrix_facts *facts)
{
	struct life life;
	uint8_t *bytes = tear(world, &life, facts);
	/* What an earlier life of the segment might have left there: a batch's own second half. */
	memcpy(bytes + LOG_BLOCK_SIZE, world_segment(world, 1)->bytes, LOG_BLOCK_SIZE);
	facts->kept_bytes = 2 * (uint64_t)LOG_BLOCK_SIZE;
	life_end(&life);
}

void matrix_torn_first_batch_of_a_segment(struct world *world, struct matrix_facts *facts)
{
	struct life life;
	matrix_begin(world, &life);
	while (life.writer.position.offset_bytes < MATRIX_SEGMENT_SIZE - LOG_BLOCK_SIZE)
		life_append(&life, 1);
	facts->last_lsn = acked(&life);
	/* Two blocks do not fit: the batch goes to the next segment, and is torn there. The mark
	 * that follows it was never written either. */
	struct world_file mark = *world_find(world, LOG_DIR_MARK);
	uint8_t before[LOG_MARK_FILE_SIZE];
	memcpy(before, mark.bytes, sizeof(before));
	life_append(&life, 400);
	kr_assert(life.last_write.offset_bytes == 0);
	memcpy(world_find(world, LOG_DIR_MARK)->bytes, before, sizeof(before));
	memset(last_bytes(&life) + LOG_BLOCK_SIZE, 0, LOG_BLOCK_SIZE);
	life_end(&life);
}

void matrix_torn_first_batch_of_all(struct world *world, struct matrix_facts *facts)
{
	world_lay_out(world, MATRIX_SEGMENT_SIZE);
	struct life life;
	bool is_begun = life_begin(&life, world);
	kr_assert(is_begun);
	world_remove(world, LOG_DIR_MARK);
	memset(world_segment(world, 1)->bytes, 0, 16);
	facts->last_lsn = 0;
	facts->kept_bytes = LOG_BLOCK_SIZE;
	life_end(&life);
}

void matrix_hole_then_an_unacknowledged_batch(struct world *world, struct matrix_facts *facts)
{
	struct life life;
	matrix_begin(world, &life);
	make_room(&life);
	facts->last_lsn = acked(&life);
	struct log_batch_header header = next_header(&life, 3);
	header.block_index++;
	header.batch_seq++;
	header.first_lsn += 2;
	header.durable_seq--;
	header.prev_chain = 12345;
	world_forge(world, &header);
	facts->kept_bytes = 2 * (uint64_t)LOG_BLOCK_SIZE;
	life_end(&life);
}

void matrix_hole_at_the_end_of_a_segment(struct world *world, struct matrix_facts *facts)
{
	struct life life;
	matrix_begin(world, &life);
	facts->last_lsn = acked(&life);
	struct log_batch_header header = next_header(&life, 3);
	header.segment++;
	header.block_index = 0;
	header.batch_seq++;
	header.first_lsn += 2;
	header.durable_seq--;
	header.prev_chain = 12345;
	world_forge(world, &header);
	life_end(&life);
}

void matrix_bad_batch_that_a_later_one_covers(struct world *world, struct matrix_facts *facts)
{
	struct life life;
	uint8_t *bytes;
	matrix_begin(world, &life);
	struct log_batch_header header = middle(&life, &bytes);
	expect_bad(facts, &header);
	bytes[LOG_BATCH_HEADER_SIZE] ^= 1;
	life_end(&life);
}

void matrix_bad_batch_covered_by_a_torn_one(struct world *world, struct matrix_facts *facts)
{
	struct life life;
	begin_with_long_tail(world, &life);
	/* The batch before the last is rotten; the last one's body is torn, its header whole. */
	uint8_t *bytes = last_bytes(&life);
	bytes[LOG_BLOCK_SIZE] ^= 1;
	struct log_batch_header header = world_header(
		world, life.last_write.segment, life.last_write.offset_bytes - LOG_BLOCK_SIZE);
	expect_bad(facts, &header);
	(bytes - LOG_BLOCK_SIZE)[LOG_BATCH_HEADER_SIZE] ^= 1;
	life_end(&life);
}

void matrix_bad_first_batch_of_the_oldest_segment(struct world *world, struct matrix_facts *facts)
{
	struct life life;
	matrix_begin(world, &life);
	struct log_batch_header header = world_header(world, 3, 0);
	world_snap(world, header.first_lsn - 1, header.first_lsn - 1, 3);
	world_remove(world, "log-000000000001");
	world_remove(world, "log-000000000002");
	world_segment(world, 3)->bytes[9] ^= 1;
	life_end(&life);
}

void matrix_bad_batch_at_the_end_of_a_segment(struct world *world, struct matrix_facts *facts)
{
	struct life life;
	matrix_begin(world, &life);
	const struct log_segment *segment = &life.writer.config.segments[1];
	struct log_batch_header header = {0};
	uint64_t offset = 0;
	for (;;) {
		header = world_header(world, segment->number, offset);
		if (header.batch_seq == segment->last_seq)
			break;
		offset += log_batch_size(header.body_size_bytes);
	}
	expect_bad(facts, &header);
	memset(world_segment(world, segment->number)->bytes + offset, 0,
		log_batch_size(header.body_size_bytes));
	life_end(&life);
}

void matrix_last_batch_rotted_under_a_seal(struct world *world, struct matrix_facts *facts)
{
	struct life life;
	begin_with_long_tail(world, &life);
	uint8_t *bytes = last_bytes(&life);
	struct log_batch_header header =
		world_header(world, life.last_write.segment, life.last_write.offset_bytes);
	life_idle(&life);
	world_remove(world, LOG_DIR_MARK);
	expect_bad(facts, &header);
	bytes[5000] ^= 1;
	life_end(&life);
}

/* The last batch, its seal gone, and only the mark left to speak for it. */
static uint8_t *under_mark(struct world *world, struct life *life, struct matrix_facts *facts)
{
	begin_with_long_tail(world, life);
	uint8_t *bytes = last_bytes(life);
	struct log_batch_header header =
		world_header(world, life->last_write.segment, life->last_write.offset_bytes);
	life_idle(life);
	kr_assert(life->writer.marked_seq == header.batch_seq + 1);
	memset(last_bytes(life), 0, LOG_BLOCK_SIZE);
	expect_bad(facts, &header);
	return bytes;
}

void matrix_last_batch_rotted_under_a_mark(struct world *world, struct matrix_facts *facts)
{
	struct life life;
	under_mark(world, &life, facts)[200] ^= 1;
	life_end(&life);
}

void matrix_last_batch_zeroed_under_a_mark(struct world *world, struct matrix_facts *facts)
{
	struct life life;
	memset(under_mark(world, &life, facts), 0, 2 * LOG_BLOCK_SIZE);
	life_end(&life);
}

static void flip_length(struct world *world, struct matrix_facts *facts, uint32_t length)
{
	struct life life;
	uint8_t *bytes;
	matrix_begin(world, &life);
	struct log_batch_header header = middle(&life, &bytes);
	expect_bad(facts, &header);
	memcpy(bytes + offsetof(struct log_batch_header, body_size_bytes), &length, 4);
	life_end(&life);
}

void matrix_length_flipped_to_huge(struct world *world, struct matrix_facts *facts)
{
	flip_length(world, facts, UINT32_MAX - 7);
}

void matrix_length_flipped_to_tiny(struct world *world, struct matrix_facts *facts)
{
	flip_length(world, facts, 1);
}

void matrix_length_flipped_to_zero(struct world *world, struct matrix_facts *facts)
{
	flip_length(world, facts, 0);
}

/* A whole batch where the next one would go, that one field makes a stranger. */
static struct log_batch_header stranger(
	struct world *world, struct life *life, struct matrix_facts *facts)
{
	matrix_begin(world, life);
	make_room(life);
	facts->last_lsn = acked(life);
	facts->kept_bytes = LOG_BLOCK_SIZE;
	return next_header(life, 3);
}

/* world_forge() puts a batch where its header says; this puts it elsewhere. */
static void forge_at(struct world *world, struct log_batch_header *header, uint64_t segment)
{
	struct world scratch;
	struct log_dir_text name;
	world_init(&scratch);
	log_dir_segment_name(header->segment, &name);
	world_make(&scratch, name.bytes, MATRIX_SEGMENT_SIZE);
	world_forge(&scratch, header);
	uint64_t offset = (uint64_t)header->block_index * LOG_BLOCK_SIZE;
	memcpy(world_segment(world, segment)->bytes + offset,
		world_segment(&scratch, header->segment)->bytes + offset,
		log_batch_size(header->body_size_bytes));
	world_fini(&scratch);
}

void matrix_stale_batch_of_a_recycled_segment_at_the_end(
	struct world *world, struct matrix_facts *facts)
{
	struct life life;
	struct log_batch_header header = stranger(world, &life, facts);
	uint64_t segment = header.segment--;
	forge_at(world, &header, segment);
	life_end(&life);
}

void matrix_stale_batch_of_another_shard_at_the_end(struct world *world, struct matrix_facts *facts)
{
	struct life life;
	struct log_batch_header header = stranger(world, &life, facts);
	header.shard++;
	world_forge(world, &header);
	life_end(&life);
}

void matrix_stale_batch_of_another_cluster_at_the_end(
	struct world *world, struct matrix_facts *facts)
{
	struct life life;
	struct log_batch_header header = stranger(world, &life, facts);
	header.cluster++;
	world_forge(world, &header);
	life_end(&life);
}

void matrix_stale_batch_of_an_earlier_epoch_at_the_end(
	struct world *world, struct matrix_facts *facts)
{
	struct life life;
	matrix_begin(world, &life);
	life_end(&life);
	bool is_begun = life_begin(&life, world);
	kr_assert(is_begun);
	make_room(&life);
	facts->last_lsn = acked(&life);
	facts->kept_bytes = LOG_BLOCK_SIZE;
	struct log_batch_header header = next_header(&life, 3);
	kr_assert(header.epoch == 2);
	header.epoch = 1;
	world_forge(world, &header);
	life_end(&life);
}

void matrix_stale_batch_over_an_acknowledged_one(struct world *world, struct matrix_facts *facts)
{
	struct life life;
	uint8_t *bytes;
	matrix_begin(world, &life);
	struct log_batch_header header = middle(&life, &bytes);
	expect_bad(facts, &header);
	struct log_batch_header other = header;
	other.shard++;
	other.count = 1;
	world_forge(world, &other);
	life_end(&life);
}

void matrix_gap_in_the_sequence(struct world *world, struct matrix_facts *facts)
{
	struct life life;
	struct log_batch_header header = stranger(world, &life, facts);
	expect_bad(facts, &header);
	header.batch_seq++;
	world_forge(world, &header);
	life_end(&life);
}

void matrix_duplicate_of_a_batch(struct world *world, struct matrix_facts *facts)
{
	struct life life;
	struct log_batch_header header = stranger(world, &life, facts);
	expect_bad(facts, &header);
	header.batch_seq--;
	header.durable_seq--;
	world_forge(world, &header);
	life_end(&life);
}

void matrix_chain_that_breaks(struct world *world, struct matrix_facts *facts)
{
	struct life life;
	struct log_batch_header header = stranger(world, &life, facts);
	expect_bad(facts, &header);
	header.prev_chain++;
	world_forge(world, &header);
	life_end(&life);
}

void matrix_chain_that_breaks_between_segments(struct world *world, struct matrix_facts *facts)
{
	struct life life;
	matrix_begin(world, &life);
	struct log_batch_header header = next_header(&life, 3);
	expect_bad(facts, &header);
	header.segment++;
	header.block_index = 0;
	header.prev_chain++;
	world_forge(world, &header);
	life_end(&life);
}

void matrix_chain_that_the_mark_knows_otherwise(struct world *world, struct matrix_facts *facts)
{
	struct life life;
	matrix_begin(world, &life);
	life_idle(&life);
	struct world_file *file = world_find(world, LOG_DIR_MARK);
	struct log_mark mark;
	uint32_t version;
	enum log_meta_status status = log_mark_choose(file->bytes, &mark, &version);
	kr_assert(status == LOG_META_OK);
	facts->bad_seq = mark.durable_seq;
	mark.chain++;
	log_mark_encode(&mark, file->bytes + (mark.generation & 1) * LOG_BLOCK_SIZE);
	life_end(&life);
}

void matrix_segment_missing_in_the_middle(struct world *world, struct matrix_facts *facts)
{
	struct life life;
	matrix_begin(world, &life);
	world_remove(world, "log-000000000002");
	life_end(&life);
}

void matrix_last_segments_missing_under_a_mark(struct world *world, struct matrix_facts *facts)
{
	struct life life;
	struct log_dir_text name;
	matrix_begin(world, &life);
	for (uint64_t n = 3; world_segment(world, n) != NULL; n++) {
		log_dir_segment_name(n, &name);
		world_remove(world, name.bytes);
	}
	life_end(&life);
}

void matrix_all_segments_missing_under_a_mark(struct world *world, struct matrix_facts *facts)
{
	struct life life;
	struct log_dir_text name;
	matrix_begin(world, &life);
	for (uint64_t n = 1; world_segment(world, n) != NULL; n++) {
		log_dir_segment_name(n, &name);
		world_remove(world, name.bytes);
	}
	life_end(&life);
}

void matrix_newest_snapshot_bad(struct world *world, struct matrix_facts *facts)
{
	struct life life;
	struct log_dir_text name;
	matrix_begin(world, &life);
	world_snap(world, 300, 310, 20);
	world_snap(world, 600, 610, 20);
	log_dir_snap_name(600, &name);
	world_find(world, name.bytes)->bytes[9000] ^= 1;
	facts->last_lsn = acked(&life);
	facts->reset_count = 1;
	facts->chunk_count = 20;
	life_end(&life);
}

static void spoil_snaps(struct world *world)
{
	struct log_dir_text name;
	static const uint64_t lsns[] = {300, 600};
	for (size_t i = 0; i < KR_ARRAY_COUNT(lsns); i++) {
		world_snap(world, lsns[i], lsns[i] + 10, 20);
		log_dir_snap_name(lsns[i], &name);
		world_find(world, name.bytes)->bytes[9000] ^= 1;
	}
}

void matrix_all_snapshots_bad_log_from_the_beginning(
	struct world *world, struct matrix_facts *facts)
{
	struct life life;
	matrix_begin(world, &life);
	spoil_snaps(world);
	facts->last_lsn = acked(&life);
	facts->reset_count = 2;
	life_end(&life);
}

void matrix_all_snapshots_bad_log_pruned(struct world *world, struct matrix_facts *facts)
{
	struct life life;
	matrix_begin(world, &life);
	spoil_snaps(world);
	world_remove(world, "log-000000000001");
	facts->says = "the log begins with log-000000000002\n"
		      "  bad snapshots: 2, the newest of them snap-00000000000000000600\n";
	life_end(&life);
}

void matrix_no_snapshot_and_log_pruned(struct world *world, struct matrix_facts *facts)
{
	struct life life;
	matrix_begin(world, &life);
	world_remove(world, "log-000000000001");
	facts->says = "the log begins with log-000000000002\n  next";
	life_end(&life);
}

void matrix_snapshot_newer_than_the_log(struct world *world, struct matrix_facts *facts)
{
	struct life life;
	matrix_begin(world, &life);
	/* It began within the log, but one chunk is stamped beyond its end. */
	world_snap(world, 300, acked(&life) + 1, 20);
	life_end(&life);
}

/* Nobody can read it, nor the log's end and MARK; its name says that more was acknowledged. */
void matrix_bad_snapshot_newer_than_what_is_left_of_the_log(
	struct world *world, struct matrix_facts *facts)
{
	struct life life;
	struct log_dir_text name;
	matrix_begin(world, &life);
	const uint64_t lsn = acked(&life) + 1;
	world_snap(world, lsn, lsn, 20);
	log_dir_snap_name(lsn, &name);
	world_find(world, name.bytes)->bytes[9000] ^= 1;
	facts->says = "a snapshot is newer than the end of the log\n  bad snapshots: 1";
	life_end(&life);
}

void matrix_bad_snapshot_and_nothing_left_of_the_log(
	struct world *world, struct matrix_facts *facts)
{
	struct life life;
	matrix_begin(world, &life);
	spoil_snaps(world);
	for (uint64_t i = 1; i <= life.writer.position.segment; i++) {
		struct log_dir_text name;
		log_dir_segment_name(i, &name);
		struct world_file *file = world_find(world, name.bytes);
		memset(file->bytes, 0, file->size_bytes);
	}
	world_remove(world, LOG_DIR_MARK);
	facts->says = "bad snapshots: 2, the newest of them snap-00000000000000000600\n";
	life_end(&life);
}

void matrix_snapshot_older_than_the_log(struct world *world, struct matrix_facts *facts)
{
	struct life life;
	matrix_begin(world, &life);
	world_remove(world, "log-000000000001");
	struct log_batch_header header = world_header(world, 2, 0);
	world_snap(world, header.first_lsn - 2, header.first_lsn + 10, 20);
	life_end(&life);
}

void matrix_unfinished_and_empty_files(struct world *world, struct matrix_facts *facts)
{
	struct life life;
	struct log_dir_text name;
	matrix_begin(world, &life);
	world_make(world, "SHARD.new", 100);
	world_make(world, "snap-00000000000000000900.new", LOG_BLOCK_SIZE);
	world_make(world, "snap-00000000000000000901", 0);
	log_dir_segment_new_name(2, &name);
	world_make(world, name.bytes, 3 * LOG_BLOCK_SIZE);
	log_dir_segment_name(life.writer.position.segment + 2, &name);
	world_make(world, name.bytes, 0);
	facts->last_lsn = acked(&life);
	life_end(&life);
}

void matrix_layout_that_was_not_finished(struct world *world, struct matrix_facts *facts)
{
	world_make(world, "SHARD.new", LOG_BLOCK_SIZE);
}

void matrix_effect_that_contradicts_the_state(struct world *world, struct matrix_facts *facts)
{
	struct life life;
	matrix_begin(world, &life);
	facts->objection.lsn = 700;
	life_end(&life);
}

void matrix_digest_that_differs(struct world *world, struct matrix_facts *facts)
{
	struct life life;
	uint64_t digest = 4711;
	matrix_begin(world, &life);
	facts->objection.digest = digest + 1;
	life_stop(&life, &digest);
}

void matrix_unreadable_sector_of_an_acknowledged_batch(
	struct world *world, struct matrix_facts *facts)
{
	struct life life;
	uint8_t *bytes;
	matrix_begin(world, &life);
	struct log_batch_header header = middle(&life, &bytes);
	expect_bad(facts, &header);
	world_segment(world, header.segment)->bad[header.block_index] = 1;
	life_end(&life);
}

void matrix_unreadable_sector_behind_the_end(struct world *world, struct matrix_facts *facts)
{
	struct life life;
	matrix_begin(world, &life);
	make_room(&life);
	facts->last_lsn = acked(&life);
	uint64_t block = life.writer.position.offset_bytes / LOG_BLOCK_SIZE;
	world_segment(world, life.writer.position.segment)->bad[block + 1] = 1;
	facts->kept_bytes = 2 * (uint64_t)LOG_BLOCK_SIZE;
	life_end(&life);
}

void matrix_unreadable_shard_file(struct world *world, struct matrix_facts *facts)
{
	struct life life;
	matrix_begin(world, &life);
	world_find(world, LOG_DIR_SHARD)->bad[0] = 1;
	life_end(&life);
}

void matrix_last_segment_cut_behind_the_end(struct world *world, struct matrix_facts *facts)
{
	struct life life;
	matrix_begin(world, &life);
	make_room(&life);
	facts->last_lsn = acked(&life);
	world_resize(world_segment(world, life.writer.position.segment),
		life.writer.position.offset_bytes + 700);
	life_end(&life);
}

void matrix_last_segment_cut_under_a_mark(struct world *world, struct matrix_facts *facts)
{
	struct life life;
	begin_with_long_tail(world, &life);
	struct log_action last = life.last_write;
	life_idle(&life);
	world_resize(world_segment(world, last.segment), last.offset_bytes + 4096 + 512);
	struct log_dir_text name;
	log_dir_segment_name(last.segment + 1, &name);
	world_remove(world, name.bytes);
	life_end(&life);
}

void matrix_last_segment_longer_than_written(struct world *world, struct matrix_facts *facts)
{
	struct life life;
	matrix_begin(world, &life);
	facts->last_lsn = acked(&life);
	world_resize(world_segment(world, life.writer.position.segment),
		MATRIX_SEGMENT_SIZE + 3 * LOG_BLOCK_SIZE);
	life_end(&life);
}
