#include "engine/log/batch.h"

#include <string.h>

#include "base/bug.h"
#include "base/hash.h"

/* Headers are written as they lie in memory. */
kr_static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the formats are little-endian");

#define SUM_FROM offsetof(struct log_batch_header, format_version)

uint64_t log_block_round(uint64_t size_bytes)
{
	kr_assert(size_bytes <= UINT64_MAX - LOG_BLOCK_SIZE);
	uint64_t rounded = (size_bytes + LOG_BLOCK_SIZE - 1) & ~(uint64_t)(LOG_BLOCK_SIZE - 1);
	kr_assert(rounded % LOG_BLOCK_SIZE == 0 && rounded >= size_bytes);
	return rounded;
}

uint32_t log_batch_size(uint32_t body_size_bytes)
{
	kr_assert(body_size_bytes <= LOG_BATCH_BODY_SIZE_MAX);
	uint64_t size = log_block_round((uint64_t)LOG_BATCH_HEADER_SIZE + body_size_bytes);
	kr_assert(size >= LOG_BLOCK_SIZE && size <= LOG_BATCH_SIZE_MAX);
	return (uint32_t)size;
}

/* What no writer ever writes, whatever its checksum says. */
static bool fields_are_possible(const struct log_batch_header *header)
{
	bool is_empty = header->count == 0;
	if (header->header_size_bytes != LOG_BATCH_HEADER_SIZE)
		return false;
	if ((header->flags & ~LOG_BATCH_FLAG_MASK) != 0)
		return false;
	for (size_t i = 0; i < KR_ARRAY_COUNT(header->reserved); i++) {
		if (header->reserved[i] != 0)
			return false;
	}
	if (header->body_size_bytes > LOG_BATCH_BODY_SIZE_MAX)
		return false;
	if (is_empty != (header->body_size_bytes == 0))
		return false;
	if (is_empty != ((header->flags & (LOG_BATCH_SEAL | LOG_BATCH_OPEN)) != 0))
		return false;
	if ((header->flags & LOG_BATCH_DIGEST) == 0 && header->state_digest != 0)
		return false;
	if (header->segment == 0 || header->epoch == 0 || header->term == 0)
		return false;
	if (header->batch_seq == 0 || header->durable_seq >= header->batch_seq)
		return false;
	return header->first_lsn != 0 && header->first_lsn <= UINT64_MAX - header->count;
}

uint64_t log_batch_seal(struct log_batch_header *header, void *batch)
{
	uint32_t size = log_batch_size(header->body_size_bytes);
	uint8_t *bytes = batch;
	size_t used = LOG_BATCH_HEADER_SIZE + (size_t)header->body_size_bytes;
	header->magic = LOG_BATCH_MAGIC;
	header->format_version = LOG_FORMAT_VERSION;
	header->header_size_bytes = LOG_BATCH_HEADER_SIZE;
	memset(header->reserved, 0, sizeof(header->reserved));
	kr_assert(fields_are_possible(header));
	header->body_checksum = hash_64(bytes + LOG_BATCH_HEADER_SIZE, header->body_size_bytes);
	header->header_checksum =
		hash_64((const uint8_t *)header + SUM_FROM, LOG_BATCH_HEADER_SIZE - SUM_FROM);
	memcpy(bytes, header, LOG_BATCH_HEADER_SIZE);
	memset(bytes + used, 0, size - used);
	kr_assert(header->header_checksum != header->prev_chain);
	return header->header_checksum;
}

enum log_batch_status log_batch_header_read(const void *block, struct log_batch_header *ret_header)
{
	struct log_batch_header header;
	memcpy(&header, block, sizeof(header));
	if (header.magic != LOG_BATCH_MAGIC)
		return log_block_is_zero(block, LOG_BLOCK_SIZE) ? LOG_BATCH_ZERO
								: LOG_BATCH_BAD_MAGIC;
	/* The size of an unknown version's header is not trusted beyond the block it is in. */
	if (header.header_size_bytes < SUM_FROM + 8 || header.header_size_bytes > LOG_BLOCK_SIZE)
		return LOG_BATCH_BAD_HEADER;
	uint64_t sum =
		hash_64((const uint8_t *)block + SUM_FROM, header.header_size_bytes - SUM_FROM);
	if (sum != header.header_checksum && !bug_is(BUG_HEADER_UNCHECKED))
		return LOG_BATCH_BAD_HEADER;
	if (header.format_version != LOG_FORMAT_VERSION) {
		*ret_header = header;
		return LOG_BATCH_BAD_VERSION;
	}
	if (!fields_are_possible(&header))
		return LOG_BATCH_BAD_FIELD;
	kr_assert(header.durable_seq < header.batch_seq);
	*ret_header = header;
	return LOG_BATCH_OK;
}

enum log_batch_status log_batch_body_check(const struct log_batch_header *header, const void *batch)
{
	const uint8_t *bytes = batch;
	uint32_t size = log_batch_size(header->body_size_bytes);
	uint32_t used = LOG_BATCH_HEADER_SIZE + header->body_size_bytes;
	kr_assert(header->magic == LOG_BATCH_MAGIC && used <= size);
	uint64_t sum = hash_64(bytes + LOG_BATCH_HEADER_SIZE, header->body_size_bytes);
	if (sum != header->body_checksum && !bug_is(BUG_BODY_UNCHECKED))
		return LOG_BATCH_BAD_BODY;
	if (!log_block_is_zero(bytes + used, size - used))
		return LOG_BATCH_BAD_PADDING;
	return LOG_BATCH_OK;
}

bool log_block_is_zero(const void *block, uint32_t size_bytes)
{
	const uint8_t *bytes = block;
	if (size_bytes == 0)
		return true;
	/* All bytes are equal to their left neighbour, and the first one is zero. */
	return bytes[0] == 0 && memcmp(bytes, bytes + 1, size_bytes - 1) == 0;
}

const char *log_batch_status_text(enum log_batch_status status)
{
	static const char *const texts[] = {
#define X(name, text) [LOG_BATCH_##name] = text,
		LOG_BATCH_STATUS_TABLE(X)
#undef X
	};
	kr_assert((unsigned)status < KR_ARRAY_COUNT(texts));
	return texts[status];
}
