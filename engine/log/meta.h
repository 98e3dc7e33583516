/*
 * The two small files beside the log: SHARD and MARK.
 *
 * SHARD is one 4 KiB block, written once, last, when a directory is made: which cluster, shard
 * and slots it was laid out for. A directory is never opened for another layout.
 *
 * MARK is two 4 KiB blocks written in turn, so that a torn write leaves the other: the newest
 * batch known durable, where it ends, and the epoch. It is written when a shard opens, after a
 * seal, after the first batch of a segment and at a clean stop. It only ever adds knowledge:
 * losing it loses no data, but leaves the last batch without a witness.
 */
#ifndef ENGINE_LOG_META_H
#define ENGINE_LOG_META_H

#include <stdint.h>

#include "engine/log/batch.h"

#define LOG_META_MAGIC UINT64_C(0x445241485352594b) /* "KYRSHARD" */
#define LOG_MARK_MAGIC UINT64_C(0x4b52414d4752594b) /* "KYRGMARK" */
#define LOG_MARK_FILE_SIZE (2 * LOG_BLOCK_SIZE)

/* magic .. header_size_bytes are placed as in a batch, and never move. */
struct log_meta {
	uint64_t magic;
	uint64_t header_checksum; /* XXH3-64 of bytes 16 .. header_size - 1 */
	uint16_t format_version;
	uint16_t header_size_bytes;
	uint32_t shard;
	uint64_t cluster;
	uint32_t shard_count;
	uint32_t slot_first; /* owns slot_first .. slot_first + slot_count - 1 */
	uint32_t slot_count;
	uint32_t segment_blocks; /* size of every segment, in blocks */
	uint64_t created_us;     /* unix time */
	uint64_t reserved[2];    /* zero; so is the rest of the block */
};

struct log_mark {
	uint64_t magic;
	uint64_t header_checksum;
	uint16_t format_version;
	uint16_t header_size_bytes;
	uint32_t shard;
	uint64_t cluster;
	uint64_t generation; /* +1 per write; block generation & 1 of the file */
	uint64_t epoch;      /* of the process that wrote it */
	uint64_t term;
	uint64_t durable_seq; /* 0: none yet; the fields below are then 0 as well */
	uint64_t durable_lsn; /* last LSN up to and with batch durable_seq */
	uint64_t chain;       /* of batch durable_seq */
	uint64_t segment;     /* where batch durable_seq lies */
	uint64_t end_block;   /* the block after it in that segment */
	uint64_t timestamp_us;
	uint64_t reserved[2]; /* zero; so is the rest of the block */
};

kr_static_assert(sizeof(struct log_meta) == 72, "disk contract");
kr_static_assert(offsetof(struct log_meta, cluster) == 24, "disk contract");
kr_static_assert(offsetof(struct log_meta, segment_blocks) == 44, "disk contract");
kr_static_assert(sizeof(struct log_mark) == 120, "disk contract");
kr_static_assert(offsetof(struct log_mark, generation) == 32, "disk contract");
kr_static_assert(offsetof(struct log_mark, timestamp_us) == 96, "disk contract");

enum log_meta_status {
	LOG_META_OK,
	LOG_META_ZERO,        /* never written */
	LOG_META_BAD,         /* magic, checksum or a field */
	LOG_META_BAD_VERSION, /* whole, of an unknown version */
};

/* Fill a whole block; magic, version, size and checksum of *meta or *mark are filled in. */
void log_meta_encode(struct log_meta *meta, void *block);
void log_mark_encode(struct log_mark *mark, void *block);

/* `ret_version` is written with every status but ZERO and BAD. */
KR_MUST_CHECK enum log_meta_status log_meta_decode(
	const void *block, struct log_meta *ret_meta, uint32_t *ret_version);
KR_MUST_CHECK enum log_meta_status log_mark_decode(
	const void *block, struct log_mark *ret_mark, uint32_t *ret_version);

/* The newer of the file's two blocks: OK if one is good; else ZERO, BAD_VERSION or BAD. */
KR_MUST_CHECK enum log_meta_status log_mark_choose(
	const void *file, struct log_mark *ret_mark, uint32_t *ret_version);

/* NULL, or the first difference that forbids opening `found` as `wanted`: its name. */
const char *log_meta_difference(const struct log_meta *found, const struct log_meta *wanted);

#endif
