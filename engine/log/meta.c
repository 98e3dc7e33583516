#include "engine/log/meta.h"

#include <string.h>

#include "base/hash.h"
#include "proto/slot.h"

/* What both structures begin with, and never move. */
struct head {
	uint64_t magic;
	uint64_t checksum;
	uint16_t version;
	uint16_t size_bytes;
};

#define SUM_FROM offsetof(struct head, version)

kr_static_assert(offsetof(struct log_meta, format_version) == SUM_FROM, "common head");
kr_static_assert(offsetof(struct log_mark, format_version) == SUM_FROM, "common head");
kr_static_assert(offsetof(struct log_meta, header_checksum) == 8, "common head");
kr_static_assert(offsetof(struct log_mark, header_checksum) == 8, "common head");

static uint64_t head_sum(const uint8_t *block, uint32_t size_bytes)
{
	kr_assert(size_bytes > SUM_FROM && size_bytes <= LOG_BLOCK_SIZE);
	return hash_64(block + SUM_FROM, size_bytes - SUM_FROM);
}

static enum log_meta_status head_check(
	const uint8_t *block, uint64_t magic, uint32_t size_bytes, uint32_t *ret_version)
{
	struct head head;
	memcpy(&head, block, SUM_FROM + 4);
	if (head.magic != magic)
		return log_block_is_zero(block, LOG_BLOCK_SIZE) ? LOG_META_ZERO : LOG_META_BAD;
	if (head.size_bytes < SUM_FROM + 8 || head.size_bytes > LOG_BLOCK_SIZE)
		return LOG_META_BAD;
	if (head_sum(block, head.size_bytes) != head.checksum)
		return LOG_META_BAD;
	*ret_version = head.version;
	if (head.version != LOG_FORMAT_VERSION)
		return LOG_META_BAD_VERSION;
	if (head.size_bytes != size_bytes)
		return LOG_META_BAD;
	if (!log_block_is_zero(block + size_bytes, LOG_BLOCK_SIZE - size_bytes))
		return LOG_META_BAD;
	return LOG_META_OK;
}

static void head_seal(void *value, uint64_t magic, uint32_t size_bytes, void *block)
{
	uint8_t *bytes = block;
	struct head head = {.magic = magic, .version = LOG_FORMAT_VERSION};
	head.size_bytes = (uint16_t)size_bytes;
	memcpy(value, &head, SUM_FROM + 4);
	memset(bytes, 0, LOG_BLOCK_SIZE);
	memcpy(bytes, value, size_bytes);
	head.checksum = head_sum(bytes, size_bytes);
	memcpy((uint8_t *)value + 8, &head.checksum, 8);
	memcpy(bytes, value, size_bytes);
	kr_assert(head_sum(bytes, size_bytes) == head.checksum);
}

static bool meta_is_possible(const struct log_meta *meta)
{
	if (meta->reserved[0] != 0 || meta->reserved[1] != 0)
		return false;
	if (meta->cluster == 0 || meta->segment_blocks == 0)
		return false;
	if (meta->shard_count == 0 || meta->shard_count > SHARD_COUNT_MAX)
		return false;
	if (meta->shard >= meta->shard_count)
		return false;
	return meta->slot_count != 0 && meta->slot_first < SLOT_COUNT &&
	       meta->slot_count <= SLOT_COUNT - meta->slot_first;
}

void log_meta_encode(struct log_meta *meta, void *block)
{
	memset(meta->reserved, 0, sizeof(meta->reserved));
	kr_assert(meta_is_possible(meta));
	head_seal(meta, LOG_META_MAGIC, sizeof(*meta), block);
	kr_assert(meta->format_version == LOG_FORMAT_VERSION);
}

enum log_meta_status log_meta_decode(
	const void *block, struct log_meta *ret_meta, uint32_t *ret_version)
{
	struct log_meta meta;
	enum log_meta_status status = head_check(block, LOG_META_MAGIC, sizeof(meta), ret_version);
	if (status != LOG_META_OK)
		return status;
	memcpy(&meta, block, sizeof(meta));
	if (!meta_is_possible(&meta))
		return LOG_META_BAD;
	kr_assert(meta.magic == LOG_META_MAGIC);
	*ret_meta = meta;
	return LOG_META_OK;
}

static bool mark_is_possible(const struct log_mark *mark)
{
	if (mark->reserved[0] != 0 || mark->reserved[1] != 0)
		return false;
	if (mark->cluster == 0 || mark->generation == 0 || mark->epoch == 0 || mark->term == 0)
		return false;
	if (mark->durable_seq == 0)
		return mark->durable_lsn == 0 && mark->chain == 0 && mark->segment == 0 &&
		       mark->end_block == 0;
	return mark->segment != 0 && mark->end_block != 0;
}

void log_mark_encode(struct log_mark *mark, void *block)
{
	memset(mark->reserved, 0, sizeof(mark->reserved));
	kr_assert(mark_is_possible(mark));
	head_seal(mark, LOG_MARK_MAGIC, sizeof(*mark), block);
	kr_assert(mark->format_version == LOG_FORMAT_VERSION);
}

enum log_meta_status log_mark_decode(
	const void *block, struct log_mark *ret_mark, uint32_t *ret_version)
{
	struct log_mark mark;
	enum log_meta_status status = head_check(block, LOG_MARK_MAGIC, sizeof(mark), ret_version);
	if (status != LOG_META_OK)
		return status;
	memcpy(&mark, block, sizeof(mark));
	if (!mark_is_possible(&mark))
		return LOG_META_BAD;
	kr_assert(mark.magic == LOG_MARK_MAGIC);
	*ret_mark = mark;
	return LOG_META_OK;
}

enum log_meta_status log_mark_choose(
	const void *file, struct log_mark *ret_mark, uint32_t *ret_version)
{
	struct log_mark marks[2];
	enum log_meta_status status[2];
	for (unsigned i = 0; i < 2; i++) {
		const uint8_t *block = (const uint8_t *)file + (size_t)i * LOG_BLOCK_SIZE;
		status[i] = log_mark_decode(block, &marks[i], ret_version);
		/* A block in the other's place is no mark: the turn would be lost. */
		if (status[i] == LOG_META_OK && (marks[i].generation & 1) != i)
			status[i] = LOG_META_BAD;
	}
	/* A newer program wrote here last: what it knows must not be passed over. */
	if (status[0] == LOG_META_BAD_VERSION || status[1] == LOG_META_BAD_VERSION)
		return LOG_META_BAD_VERSION;
	if (status[0] == LOG_META_OK && status[1] == LOG_META_OK) {
		kr_assert(marks[0].generation != marks[1].generation);
		*ret_mark = marks[marks[1].generation > marks[0].generation];
		return LOG_META_OK;
	}
	for (unsigned i = 0; i < 2; i++) {
		if (status[i] == LOG_META_OK) {
			*ret_mark = marks[i];
			return LOG_META_OK;
		}
	}
	return status[0] == LOG_META_ZERO && status[1] == LOG_META_ZERO ? LOG_META_ZERO
									: LOG_META_BAD;
}

const char *log_meta_difference(const struct log_meta *found, const struct log_meta *wanted)
{
	kr_assert(found->magic == LOG_META_MAGIC && meta_is_possible(wanted));
	if (found->cluster != wanted->cluster)
		return "cluster";
	if (found->shard_count != wanted->shard_count)
		return "number of shards";
	if (found->shard != wanted->shard)
		return "shard number";
	if (found->slot_first != wanted->slot_first || found->slot_count != wanted->slot_count)
		return "slots";
	return NULL;
}
