#include <criterion/criterion.h>
#include <string.h>

#include "base/hash.h"
#include "engine/log/batch.h"

static struct log_batch_header sample(uint32_t body_size_bytes)
{
	return (struct log_batch_header){
		.cluster = 7,
		.shard = 2,
		.block_index = 5,
		.segment = 3,
		.epoch = 4,
		.term = 1,
		.batch_seq = 12,
		.first_lsn = 100,
		.timestamp_us = 1000000,
		.durable_seq = 11,
		.prev_chain = 77,
		.body_size_bytes = body_size_bytes,
		.count = body_size_bytes == 0 ? 0 : 3,
		.flags = body_size_bytes == 0 ? LOG_BATCH_SEAL : 0,
	};
}

static void fill(uint8_t *batch, uint32_t body_size_bytes)
{
	memset(batch, 0xa5, 3 * LOG_BLOCK_SIZE);
	for (uint32_t i = 0; i < body_size_bytes; i++)
		batch[LOG_BATCH_HEADER_SIZE + i] = (uint8_t)(i * 31 + 1);
}

/* The header's checksum made right again after a field was changed. */
static void resum(uint8_t *batch)
{
	uint64_t sum = hash_64(batch + 16, LOG_BATCH_HEADER_SIZE - 16);
	memcpy(batch + 8, &sum, 8);
}

Test(batch, reads_back_what_was_sealed)
{
	static const uint32_t sizes[] = {0, 1, LOG_BLOCK_SIZE - LOG_BATCH_HEADER_SIZE,
		LOG_BLOCK_SIZE - LOG_BATCH_HEADER_SIZE + 1, 5000};
	uint8_t batch[3 * LOG_BLOCK_SIZE];
	for (size_t i = 0; i < KR_ARRAY_COUNT(sizes); i++) {
		struct log_batch_header header = sample(sizes[i]);
		struct log_batch_header read;
		fill(batch, sizes[i]);
		uint64_t chain = log_batch_seal(&header, batch);
		cr_assert_eq(log_batch_header_read(batch, &read), LOG_BATCH_OK);
		cr_assert_eq(memcmp(&read, &header, sizeof(read)), 0);
		cr_assert_eq(read.header_checksum, chain);
		cr_assert_eq(log_batch_body_check(&read, batch), LOG_BATCH_OK);
		cr_assert_eq(log_batch_size(sizes[i]) % LOG_BLOCK_SIZE, 0);
	}
	cr_assert_eq(log_batch_size(LOG_BLOCK_SIZE - LOG_BATCH_HEADER_SIZE), LOG_BLOCK_SIZE);
	cr_assert_eq(log_batch_size(LOG_BATCH_BODY_SIZE_MAX), LOG_BATCH_SIZE_MAX);
}

Test(batch, no_bit_of_the_header_may_flip)
{
	uint8_t batch[3 * LOG_BLOCK_SIZE];
	struct log_batch_header header = sample(300);
	struct log_batch_header read;
	fill(batch, 300);
	log_batch_seal(&header, batch);
	for (uint32_t bit = 0; bit < LOG_BATCH_HEADER_SIZE * 8; bit++) {
		batch[bit / 8] ^= (uint8_t)(1u << bit % 8);
		enum log_batch_status status = log_batch_header_read(batch, &read);
		cr_assert(status == LOG_BATCH_BAD_MAGIC || status == LOG_BATCH_BAD_HEADER,
			"bit %u: %s", bit, log_batch_status_text(status));
		batch[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	cr_assert_eq(log_batch_header_read(batch, &read), LOG_BATCH_OK);
}

Test(batch, no_bit_of_body_or_padding_may_flip)
{
	uint8_t batch[3 * LOG_BLOCK_SIZE];
	struct log_batch_header header = sample(300);
	fill(batch, 300);
	log_batch_seal(&header, batch);
	uint32_t used = LOG_BATCH_HEADER_SIZE + 300;
	for (uint32_t bit = LOG_BATCH_HEADER_SIZE * 8; bit < LOG_BLOCK_SIZE * 8; bit++) {
		batch[bit / 8] ^= (uint8_t)(1u << bit % 8);
		cr_assert_eq(log_batch_body_check(&header, batch),
			bit / 8 < used ? LOG_BATCH_BAD_BODY : LOG_BATCH_BAD_PADDING);
		batch[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	cr_assert_eq(log_batch_body_check(&header, batch), LOG_BATCH_OK);
}

Test(batch, a_summed_header_with_an_impossible_field_is_refused)
{
	static const struct {
		size_t offset;
		uint64_t value;
		size_t size;
	} changes[] = {
		{offsetof(struct log_batch_header, flags), LOG_BATCH_FLAG_MASK + 1, 4},
		{offsetof(struct log_batch_header, flags), LOG_BATCH_SEAL, 4},
		{offsetof(struct log_batch_header, flags), LOG_BATCH_OPEN, 4},
		{offsetof(struct log_batch_header, segment), 0, 8},
		{offsetof(struct log_batch_header, epoch), 0, 8},
		{offsetof(struct log_batch_header, term), 0, 8},
		{offsetof(struct log_batch_header, batch_seq), 0, 8},
		{offsetof(struct log_batch_header, first_lsn), 0, 8},
		{offsetof(struct log_batch_header, first_lsn), UINT64_MAX - 1, 8},
		{offsetof(struct log_batch_header, durable_seq), 12, 8},
		{offsetof(struct log_batch_header, state_digest), 1, 8},
		{offsetof(struct log_batch_header, body_size_bytes), 0, 4},
		{offsetof(struct log_batch_header, body_size_bytes), LOG_BATCH_BODY_SIZE_MAX + 1,
			4},
		{offsetof(struct log_batch_header, body_size_bytes), UINT32_MAX, 4},
		{offsetof(struct log_batch_header, count), 0, 4},
		{offsetof(struct log_batch_header, reserved), 1, 8},
		{offsetof(struct log_batch_header, reserved) + 24, 1, 8},
	};
	uint8_t batch[3 * LOG_BLOCK_SIZE];
	struct log_batch_header read;
	for (size_t i = 0; i < KR_ARRAY_COUNT(changes); i++) {
		struct log_batch_header header = sample(300);
		fill(batch, 300);
		log_batch_seal(&header, batch);
		resum(batch);
		cr_assert_eq(log_batch_header_read(batch, &read), LOG_BATCH_OK);
		memcpy(batch + changes[i].offset, &changes[i].value, changes[i].size);
		resum(batch);
		cr_assert_eq(
			log_batch_header_read(batch, &read), LOG_BATCH_BAD_FIELD, "change %zu", i);
	}
}

Test(batch, an_unknown_version_is_named_not_taken_for_damage)
{
	uint8_t batch[3 * LOG_BLOCK_SIZE];
	struct log_batch_header header = sample(10);
	struct log_batch_header read;
	fill(batch, 10);
	log_batch_seal(&header, batch);
	uint16_t version = LOG_FORMAT_VERSION + 1;
	memcpy(batch + 16, &version, 2);
	resum(batch);
	cr_assert_eq(log_batch_header_read(batch, &read), LOG_BATCH_BAD_VERSION);
	cr_assert_eq(read.format_version, LOG_FORMAT_VERSION + 1);
	/* And with a header of another size, which its checksum covers. */
	uint16_t size = 256;
	memcpy(batch + 18, &size, 2);
	uint64_t sum = hash_64(batch + 16, 256 - 16);
	memcpy(batch + 8, &sum, 8);
	cr_assert_eq(log_batch_header_read(batch, &read), LOG_BATCH_BAD_VERSION);
}

Test(batch, zeroes_were_never_written)
{
	uint8_t block[LOG_BLOCK_SIZE] = {0};
	struct log_batch_header read;
	cr_assert_eq(log_batch_header_read(block, &read), LOG_BATCH_ZERO);
	for (uint32_t i = 0; i < LOG_BLOCK_SIZE; i++) {
		block[i] = 1;
		cr_assert_not(log_block_is_zero(block, LOG_BLOCK_SIZE));
		cr_assert_eq(log_batch_header_read(block, &read), LOG_BATCH_BAD_MAGIC);
		block[i] = 0;
	}
	cr_assert(log_block_is_zero(block, LOG_BLOCK_SIZE));
	cr_assert(log_block_is_zero(block, 0));
	cr_assert(log_block_is_zero(block, 1));
}
