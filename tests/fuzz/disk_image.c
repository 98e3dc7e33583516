#include "tests/fuzz/disk_image.h"

#include <string.h>

#include "base/hash.h"
#include "engine/log/snap.h"
#include "tests/fuzz/fuzz.h"

#define BODY_MAX 9000u

/* What the next batch would have. */
struct builder {
	struct disk_image *disk;
	struct log_batch_header next;
	uint64_t chain;
};

/* Changes one field of a sealed header, and sums it again: a batch that does not belong there. */
static void tweak(uint8_t *batch, uint8_t field, uint64_t value)
{
	struct log_batch_header *header = (struct log_batch_header *)(void *)batch;
	uint64_t *words = (uint64_t *)(void *)batch;
	uint32_t place = 2 + field % (LOG_BATCH_HEADER_SIZE / 8 - 2);
	kr_assert(header->magic == LOG_BATCH_MAGIC);
	words[place] += (field & 0x80) != 0 ? value << 32 : value;
	header->header_checksum = hash_64(batch + 16, LOG_BATCH_HEADER_SIZE - 16);
}

/* A batch that continues the log, with bits 3 .. of `what` tweaked; returns its blocks. */
static uint32_t put_batch(
	struct builder *b, uint32_t segment, uint32_t block, uint8_t what, struct kr_reader *input)
{
	struct log_batch_header header = b->next;
	uint32_t body_size = kr_reader_u16(input) % BODY_MAX;
	if (log_batch_size(body_size) > (DISK_SEGMENT_BLOCKS - block) * LOG_BLOCK_SIZE)
		return 1;
	header.segment = segment + 1;
	header.block_index = block;
	header.prev_chain = b->chain;
	header.body_size_bytes = body_size;
	header.count = body_size / 64;
	header.flags = header.count == 0 ? LOG_BATCH_SEAL : 0;
	if (header.count == 0)
		header.body_size_bytes = body_size = 0;
	uint8_t *at = b->disk->bytes[segment] + (size_t)block * LOG_BLOCK_SIZE;
	uint64_t chain = log_batch_seal(&header, at);
	if ((what & 8) != 0) {
		uint8_t field = kr_reader_u8(input);
		tweak(at, field, kr_reader_u8(input) - UINT64_C(4));
	}
	if ((what & 0x18) == 0) {
		b->chain = chain;
		b->next.batch_seq++;
		b->next.first_lsn += header.count;
		b->next.timestamp_us++;
		b->next.durable_seq += (what & 0x20) != 0;
	}
	if ((what & 0x40) != 0)
		at[kr_reader_u16(input) % log_batch_size(body_size)] ^= kr_reader_u8(input);
	return log_batch_size(body_size) / LOG_BLOCK_SIZE;
}

static uint32_t put(struct builder *b, uint32_t segment, uint32_t block, struct kr_reader *input)
{
	uint8_t what = kr_reader_u8(input);
	b->disk->bad[segment][block] = (what & 4) != 0;
	if ((what & 3) >= 2)
		return put_batch(b, segment, block, what, input);
	size_t size;
	const uint8_t *bytes = fuzz_take(input, (what & 1) * LOG_BATCH_HEADER_SIZE, &size);
	if (size > 0)
		memcpy(b->disk->bytes[segment] + (size_t)block * LOG_BLOCK_SIZE, bytes, size);
	return 1;
}

void disk_image_log_make(
	struct disk_image *disk, const struct log_lineage *lineage, struct kr_reader *input)
{
	struct builder builder = {.disk = disk,
		.next = {.cluster = lineage->cluster,
			.shard = lineage->shard,
			.epoch = 1,
			.term = 1,
			.batch_seq = 1,
			.first_lsn = 1,
			.timestamp_us = 1}};
	memset(disk, 0, sizeof(*disk));
	for (uint32_t segment = 0; segment < DISK_SEGMENTS; segment++)
		for (uint32_t block = 0; block < DISK_SEGMENT_BLOCKS;)
			block += put(&builder, segment, block, input);
	kr_assert(builder.next.batch_seq >= 1);
}

static uint64_t sum_at(uint8_t *bytes, size_t size)
{
	uint64_t sum = hash_64(bytes + 16, size - 16);
	kr_store_u64(bytes + 8, sum);
	return sum;
}

/* Header, chunks while there are any, footer: as a writer would have summed them. */
void disk_image_snap_sum(uint8_t *file, size_t size_bytes)
{
	struct log_snap_chunk chunk;
	size_t at = LOG_SNAP_HEADER_SIZE;
	(void)sum_at(file, LOG_SNAP_HEADER_SIZE);
	while (size_bytes - at >= sizeof(chunk) && kr_load_u64(file + at) == LOG_SNAP_CHUNK_MAGIC) {
		memcpy(&chunk, file + at, sizeof(chunk));
		if (chunk.body_size_bytes > size_bytes - at - sizeof(chunk))
			return;
		chunk.body_checksum = hash_64(file + at + sizeof(chunk), chunk.body_size_bytes);
		memcpy(file + at, &chunk, sizeof(chunk));
		(void)sum_at(file + at, sizeof(chunk));
		at += log_snap_chunk_size(chunk.body_size_bytes);
		if (at > size_bytes)
			return;
	}
	if (size_bytes - at >= LOG_SNAP_FOOTER_SIZE)
		(void)sum_at(file + at, LOG_SNAP_FOOTER_SIZE);
}
