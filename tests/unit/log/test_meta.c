#include <criterion/criterion.h>
#include <string.h>

#include "base/hash.h"
#include "engine/log/meta.h"

static struct log_meta sample(void)
{
	return (struct log_meta){
		.cluster = 5,
		.shard = 1,
		.shard_count = 2,
		.slot_first = 8192,
		.slot_count = 8192,
		.segment_blocks = 16384,
		.created_us = 99,
	};
}

static struct log_mark mark_of(uint64_t generation)
{
	return (struct log_mark){
		.cluster = 5,
		.shard = 1,
		.generation = generation,
		.epoch = 3,
		.term = 1,
		.durable_seq = 40 + generation,
		.durable_lsn = 400,
		.chain = 1234,
		.segment = 2,
		.end_block = 9,
		.timestamp_us = 5,
	};
}

Test(meta, reads_back_and_no_bit_may_flip)
{
	uint8_t block[LOG_BLOCK_SIZE];
	struct log_meta meta = sample();
	struct log_meta read;
	uint32_t version = 0;
	log_meta_encode(&meta, block);
	cr_assert_eq(log_meta_decode(block, &read, &version), LOG_META_OK);
	cr_assert_eq(memcmp(&meta, &read, sizeof(meta)), 0);
	for (uint32_t bit = 0; bit < LOG_BLOCK_SIZE * 8; bit++) {
		block[bit / 8] ^= (uint8_t)(1u << bit % 8);
		cr_assert_eq(log_meta_decode(block, &read, &version), LOG_META_BAD, "bit %u", bit);
		block[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	memset(block, 0, sizeof(block));
	cr_assert_eq(log_meta_decode(block, &read, &version), LOG_META_ZERO);
}

Test(meta, an_unknown_version_is_named)
{
	uint8_t block[LOG_BLOCK_SIZE];
	struct log_meta meta = sample();
	struct log_meta read;
	uint32_t version = 0;
	log_meta_encode(&meta, block);
	uint16_t newer = 9;
	memcpy(block + 16, &newer, 2);
	uint64_t sum = hash_64(block + 16, sizeof(meta) - 16);
	memcpy(block + 8, &sum, 8);
	cr_assert_eq(log_meta_decode(block, &read, &version), LOG_META_BAD_VERSION);
	cr_assert_eq(version, 9);
}

Test(meta, every_difference_of_layout_is_named)
{
	uint8_t block[LOG_BLOCK_SIZE];
	struct log_meta found = sample();
	log_meta_encode(&found, block);
	struct log_meta wanted = sample();
	cr_assert_null(log_meta_difference(&found, &wanted));
	wanted.segment_blocks = 1; /* the file's own counts */
	wanted.created_us = 1;
	cr_assert_null(log_meta_difference(&found, &wanted));
	wanted.cluster = 6;
	cr_assert_str_eq(log_meta_difference(&found, &wanted), "cluster");
	wanted = sample();
	wanted.shard_count = 3;
	cr_assert_str_eq(log_meta_difference(&found, &wanted), "number of shards");
	wanted = sample();
	wanted.shard = 0;
	cr_assert_str_eq(log_meta_difference(&found, &wanted), "shard number");
	wanted = sample();
	wanted.slot_count = 8191;
	cr_assert_str_eq(log_meta_difference(&found, &wanted), "slots");
	wanted = sample();
	wanted.slot_first = 8191;
	cr_assert_str_eq(log_meta_difference(&found, &wanted), "slots");
}

Test(mark, the_newer_of_two_blocks_counts_and_one_is_enough)
{
	uint8_t file[LOG_MARK_FILE_SIZE] = {0};
	struct log_mark chosen;
	uint32_t version;
	cr_assert_eq(log_mark_choose(file, &chosen, &version), LOG_META_ZERO);
	for (uint64_t generation = 1; generation < 9; generation++) {
		struct log_mark mark = mark_of(generation);
		log_mark_encode(&mark, file + (generation & 1) * LOG_BLOCK_SIZE);
		cr_assert_eq(log_mark_choose(file, &chosen, &version), LOG_META_OK);
		cr_assert_eq(chosen.durable_seq, 40 + generation);
	}
	/* The newest is torn, at any byte: the one before it is left. */
	for (uint32_t i = 0; i < sizeof(struct log_mark); i++) {
		file[i] ^= 0x10;
		cr_assert_eq(log_mark_choose(file, &chosen, &version), LOG_META_OK);
		cr_assert_eq(chosen.durable_seq, 40 + 7);
		file[i] ^= 0x10;
	}
	file[100] ^= 1;
	file[LOG_BLOCK_SIZE + 100] ^= 1;
	cr_assert_eq(log_mark_choose(file, &chosen, &version), LOG_META_BAD);
}

Test(mark, a_block_in_the_others_place_is_no_mark)
{
	uint8_t file[LOG_MARK_FILE_SIZE] = {0};
	struct log_mark chosen;
	struct log_mark mark = mark_of(3);
	uint32_t version;
	log_mark_encode(&mark, file);
	cr_assert_eq(log_mark_choose(file, &chosen, &version), LOG_META_BAD);
	memcpy(file + LOG_BLOCK_SIZE, file, LOG_BLOCK_SIZE);
	cr_assert_eq(log_mark_choose(file, &chosen, &version), LOG_META_OK);
	cr_assert_eq(chosen.generation, 3);
}

Test(mark, a_newer_programs_block_is_not_passed_over)
{
	uint8_t file[LOG_MARK_FILE_SIZE] = {0};
	struct log_mark mark = mark_of(2);
	uint32_t version = 0;
	log_mark_encode(&mark, file);
	mark = mark_of(3);
	uint8_t *newer = file + LOG_BLOCK_SIZE;
	log_mark_encode(&mark, newer);
	uint16_t number = 2;
	memcpy(newer + 16, &number, 2);
	uint64_t sum = hash_64(newer + 16, sizeof(mark) - 16);
	memcpy(newer + 8, &sum, 8);
	cr_assert_eq(log_mark_choose(file, &mark, &version), LOG_META_BAD_VERSION);
	cr_assert_eq(version, 2);
}

/* A right checksum over whatever stands in the block. */
static void block_reseal(uint8_t *block, uint32_t size_bytes)
{
	const uint64_t sum = hash_64(block + 16, size_bytes - 16);
	memcpy(block + 8, &sum, sizeof(sum));
}

static void meta_is_bad(const struct log_meta *meta, const char *what)
{
	uint8_t block[LOG_BLOCK_SIZE] = {0};
	struct log_meta read;
	uint32_t version = 0;
	const uint32_t size = meta->header_size_bytes;
	memcpy(block, meta, sizeof(*meta));
	block_reseal(block, size > 16 && size <= LOG_BLOCK_SIZE ? size : sizeof(*meta));
	cr_assert_eq(log_meta_decode(block, &read, &version), LOG_META_BAD, "%s", what);
}

static void mark_is_bad(const struct log_mark *mark, const char *what)
{
	uint8_t block[LOG_BLOCK_SIZE] = {0};
	struct log_mark read;
	uint32_t version = 0;
	const uint32_t size = mark->header_size_bytes;
	memcpy(block, mark, sizeof(*mark));
	block_reseal(block, size > 16 && size <= LOG_BLOCK_SIZE ? size : sizeof(*mark));
	cr_assert_eq(log_mark_decode(block, &read, &version), LOG_META_BAD, "%s", what);
}

#define BAD(kind, from, change)                                                                    \
	do {                                                                                       \
		struct log_##kind kind = (from);                                                   \
		change;                                                                            \
		kind##_is_bad(&kind, #change);                                                     \
	} while (0)

Test(meta, values_that_cannot_be_are_bad_under_a_right_checksum)
{
	uint8_t block[LOG_BLOCK_SIZE];
	struct log_meta good = sample();
	log_meta_encode(&good, block);
	BAD(meta, good, meta.reserved[0] = 1);
	BAD(meta, good, meta.reserved[1] = 1);
	BAD(meta, good, meta.cluster = 0);
	BAD(meta, good, meta.segment_blocks = 0);
	BAD(meta, good, meta.shard_count = 0);
	BAD(meta, good, meta.shard_count = UINT32_MAX);
	BAD(meta, good, meta.shard = meta.shard_count);
	BAD(meta, good, meta.slot_count = 0);
	BAD(meta, good, meta.slot_first = UINT32_MAX);
	BAD(meta, good, meta.slot_count = UINT32_MAX);
	BAD(meta, good, meta.header_size_bytes += 8);
	BAD(meta, good, meta.header_size_bytes = 16);
	BAD(meta, good, meta.header_size_bytes = LOG_BLOCK_SIZE + 1);
}

Test(meta, a_mark_that_cannot_be_is_bad_under_a_right_checksum)
{
	uint8_t block[LOG_BLOCK_SIZE];
	struct log_mark good = mark_of(2);
	log_mark_encode(&good, block);
	BAD(mark, good, mark.reserved[0] = 1);
	BAD(mark, good, mark.reserved[1] = 1);
	BAD(mark, good, mark.cluster = 0);
	BAD(mark, good, mark.generation = 0);
	BAD(mark, good, mark.epoch = 0);
	BAD(mark, good, mark.term = 0);
	BAD(mark, good, mark.durable_seq = 0);
	BAD(mark, good, mark.segment = 0);
	BAD(mark, good, mark.end_block = 0);
}
