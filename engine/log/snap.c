#include "engine/log/snap.h"

#include <string.h>

#include "base/hash.h"
#include "engine/log/snap_check.h"
#include "proto/slot.h"

#define SUM_FROM 16u

kr_static_assert(offsetof(struct log_snap_header, format_version) == SUM_FROM, "common head");
kr_static_assert(offsetof(struct log_snap_chunk, index) == SUM_FROM, "summed from here");
kr_static_assert(offsetof(struct log_snap_footer, chunk_count) == SUM_FROM, "summed from here");
kr_static_assert(LOG_SNAP_CHUNK_HEADER_SIZE % 8 == 0, "chunks begin at multiples of 8");
kr_static_assert(LOG_SNAP_HEADER_SIZE % 8 == 0, "chunks begin at multiples of 8");

const char *log_snap_status_text(enum log_snap_status status)
{
	static const char *const texts[] = {
#define X(name, text) [LOG_SNAP_##name] = text,
		LOG_SNAP_STATUS_TABLE(X)
#undef X
	};
	kr_assert((unsigned)status < KR_ARRAY_COUNT(texts));
	return texts[status];
}

uint32_t log_snap_chunk_size(uint32_t body_size_bytes)
{
	kr_assert(body_size_bytes <= LOG_SNAP_BODY_SIZE_MAX);
	uint32_t size = (LOG_SNAP_CHUNK_HEADER_SIZE + body_size_bytes + 7) & ~7u;
	kr_assert(size % 8 == 0 && size >= LOG_SNAP_CHUNK_HEADER_SIZE);
	return size;
}

static uint64_t sum_of(const void *bytes, uint32_t size_bytes)
{
	kr_assert(size_bytes > SUM_FROM && size_bytes <= LOG_BLOCK_SIZE);
	return hash_64((const uint8_t *)bytes + SUM_FROM, size_bytes - SUM_FROM);
}

static void sums_add(struct log_snap_sums *sums, const struct log_snap_chunk *chunk)
{
	kr_assert(chunk->index == sums->chunk_count);
	sums->chunk_count++;
	sums->end_lsn = KR_MAX(sums->end_lsn, chunk->lsn);
	sums->digest += chunk->digest;
	uint64_t pair[2] = {sums->chain, chunk->header_checksum};
	sums->chain = hash_64(pair, sizeof(pair));
	sums->size_bytes += log_snap_chunk_size(chunk->body_size_bytes);
	kr_assert(sums->size_bytes % 8 == 0);
}

static void sums_begin(struct log_snap_sums *sums, const struct log_snap_header *header)
{
	kr_assert(header->header_checksum != 0);
	memset(sums, 0, sizeof(*sums));
	sums->end_lsn = header->begin_lsn;
	sums->chain = header->header_checksum;
	sums->size_bytes = LOG_SNAP_HEADER_SIZE;
}

static bool header_is_possible(const struct log_snap_header *header)
{
	for (size_t i = 0; i < KR_ARRAY_COUNT(header->reserved); i++) {
		if (header->reserved[i] != 0)
			return false;
	}
	if (header->reserved0 != 0 || header->cluster == 0 || header->epoch == 0)
		return false;
	if (header->shard_count > SHARD_COUNT_MAX || header->shard >= header->shard_count)
		return false;
	return header->slot_count != 0 && header->slot_first < SLOT_COUNT &&
	       header->slot_count <= SLOT_COUNT - header->slot_first;
}

void log_snap_header_encode(
	struct log_snap_header *header, struct log_snap_sums *sums, uint8_t *out)
{
	header->magic = LOG_SNAP_MAGIC;
	header->format_version = LOG_FORMAT_VERSION;
	header->header_size_bytes = LOG_SNAP_HEADER_SIZE;
	header->reserved0 = 0;
	memset(header->reserved, 0, sizeof(header->reserved));
	kr_assert(header_is_possible(header));
	header->header_checksum = sum_of(header, LOG_SNAP_HEADER_SIZE);
	memcpy(out, header, LOG_SNAP_HEADER_SIZE);
	sums_begin(sums, header);
	kr_assert(sums->chunk_count == 0);
}

static bool chunk_is_possible(const struct log_snap_chunk *chunk)
{
	if (chunk->reserved[0] != 0 || chunk->reserved[1] != 0)
		return false;
	if (chunk->body_size_bytes > LOG_SNAP_BODY_SIZE_MAX)
		return false;
	return chunk->kind != 0 && chunk->slot < SLOT_COUNT;
}

void log_snap_chunk_encode(
	struct log_snap_chunk *chunk, const void *body, struct log_snap_sums *sums, uint8_t *out)
{
	uint32_t used = LOG_SNAP_CHUNK_HEADER_SIZE + chunk->body_size_bytes;
	uint32_t size = log_snap_chunk_size(chunk->body_size_bytes);
	kr_assert(sums->chunk_count < UINT32_MAX);
	chunk->magic = LOG_SNAP_CHUNK_MAGIC;
	chunk->index = (uint32_t)sums->chunk_count;
	memset(chunk->reserved, 0, sizeof(chunk->reserved));
	kr_assert(chunk_is_possible(chunk));
	if (body != NULL && chunk->body_size_bytes != 0)
		memcpy(out + LOG_SNAP_CHUNK_HEADER_SIZE, body, chunk->body_size_bytes);
	chunk->body_checksum = hash_64(out + LOG_SNAP_CHUNK_HEADER_SIZE, chunk->body_size_bytes);
	chunk->header_checksum = sum_of(chunk, LOG_SNAP_CHUNK_HEADER_SIZE);
	memcpy(out, chunk, LOG_SNAP_CHUNK_HEADER_SIZE);
	memset(out + used, 0, size - used);
	sums_add(sums, chunk);
}

static bool footer_matches(const struct log_snap_footer *footer,
	const struct log_snap_header *header, const struct log_snap_sums *sums)
{
	if (footer->reserved[0] != 0 || footer->reserved[1] != 0)
		return false;
	if (footer->chunk_count != sums->chunk_count || footer->chain != sums->chain)
		return false;
	if (footer->begin_lsn != header->begin_lsn || footer->end_lsn != sums->end_lsn)
		return false;
	return footer->digest == sums->digest &&
	       footer->size_bytes == sums->size_bytes + LOG_SNAP_FOOTER_SIZE;
}

void log_snap_footer_encode(struct log_snap_footer *footer, const struct log_snap_header *header,
	struct log_snap_sums *sums, uint8_t *out)
{
	kr_assert(header->magic == LOG_SNAP_MAGIC);
	footer->magic = LOG_SNAP_END_MAGIC;
	footer->chunk_count = sums->chunk_count;
	footer->begin_lsn = header->begin_lsn;
	footer->end_lsn = sums->end_lsn;
	footer->digest = sums->digest;
	footer->chain = sums->chain;
	footer->size_bytes = sums->size_bytes + LOG_SNAP_FOOTER_SIZE;
	memset(footer->reserved, 0, sizeof(footer->reserved));
	footer->header_checksum = sum_of(footer, LOG_SNAP_FOOTER_SIZE);
	memcpy(out, footer, LOG_SNAP_FOOTER_SIZE);
	kr_assert(footer_matches(footer, header, sums));
	sums->size_bytes += LOG_SNAP_FOOTER_SIZE;
}

enum log_snap_status log_snap_header_check(
	const uint8_t *bytes, struct log_snap_header *ret_header, struct log_snap_sums *ret_sums)
{
	struct log_snap_header header;
	memcpy(&header, bytes, sizeof(header));
	if (header.magic != LOG_SNAP_MAGIC)
		return LOG_SNAP_BAD_HEADER;
	if (header.header_size_bytes < SUM_FROM + 8 || header.header_size_bytes > LOG_BLOCK_SIZE)
		return LOG_SNAP_BAD_HEADER;
	if (sum_of(bytes, header.header_size_bytes) != header.header_checksum)
		return LOG_SNAP_BAD_HEADER;
	*ret_header = header;
	if (header.format_version != LOG_FORMAT_VERSION)
		return LOG_SNAP_BAD_VERSION;
	if (header.header_size_bytes != LOG_SNAP_HEADER_SIZE || !header_is_possible(&header))
		return LOG_SNAP_BAD_HEADER;
	sums_begin(ret_sums, &header);
	kr_assert(ret_sums->end_lsn == header.begin_lsn);
	return LOG_SNAP_OK;
}

bool log_snap_chunk_head_check(
	const uint8_t *bytes, const struct log_snap_sums *sums, struct log_snap_chunk *ret_chunk)
{
	struct log_snap_chunk chunk;
	memcpy(&chunk, bytes, sizeof(chunk));
	if (chunk.magic != LOG_SNAP_CHUNK_MAGIC)
		return false;
	if (sum_of(&chunk, LOG_SNAP_CHUNK_HEADER_SIZE) != chunk.header_checksum)
		return false;
	if (chunk.index != sums->chunk_count || !chunk_is_possible(&chunk))
		return false;
	kr_assert(log_snap_chunk_size(chunk.body_size_bytes) >= LOG_SNAP_CHUNK_HEADER_SIZE);
	*ret_chunk = chunk;
	return true;
}

bool log_snap_chunk_body_check(
	const uint8_t *bytes, const struct log_snap_chunk *chunk, struct log_snap_sums *sums)
{
	uint32_t used = LOG_SNAP_CHUNK_HEADER_SIZE + chunk->body_size_bytes;
	uint32_t size = log_snap_chunk_size(chunk->body_size_bytes);
	kr_assert(chunk->index == sums->chunk_count);
	uint64_t sum = hash_64(bytes + LOG_SNAP_CHUNK_HEADER_SIZE, chunk->body_size_bytes);
	if (sum != chunk->body_checksum)
		return false;
	if (!log_block_is_zero(bytes + used, size - used))
		return false;
	sums_add(sums, chunk);
	return true;
}

bool log_snap_footer_check(const uint8_t *bytes, const struct log_snap_header *header,
	const struct log_snap_sums *sums, struct log_snap_footer *ret_footer)
{
	struct log_snap_footer footer;
	memcpy(&footer, bytes, sizeof(footer));
	if (footer.magic != LOG_SNAP_END_MAGIC)
		return false;
	if (sum_of(&footer, LOG_SNAP_FOOTER_SIZE) != footer.header_checksum)
		return false;
	if (!footer_matches(&footer, header, sums))
		return false;
	kr_assert(footer.end_lsn >= footer.begin_lsn);
	*ret_footer = footer;
	return true;
}
