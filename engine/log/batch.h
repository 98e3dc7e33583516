/*
 * Batches: what one group commit puts on disk.
 *
 * A batch is a 160-byte little-endian header, its body right behind, and zeroes up to a multiple
 * of 4 KiB. It starts at a 4 KiB boundary of a segment, lies in one segment whole, and is summed
 * twice: the header alone, so that no length is trusted before its header holds, and the body.
 * Every batch is chained to the one before it: `prev_chain` is that batch's header checksum, and
 * as the header holds the body's checksum, one value stands for the whole history.
 *
 * The body is opaque here: `count` effects, with LSNs first_lsn .. first_lsn + count - 1, encoded
 * by the layer above. A batch with count 0 has no body: a seal, or the first batch of an epoch.
 *
 * `durable_seq` is the newest batch known to be durable when this one was submitted. It is what
 * tells recovery a torn tail (may be cut) from damage to acknowledged data (must not be).
 *
 * Whatever a later format changes, magic, header_checksum, format_version and header_size keep
 * place and meaning, so that an unknown version is recognised and never taken for damage.
 */
#ifndef ENGINE_LOG_BATCH_H
#define ENGINE_LOG_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/error.h"

#define LOG_BLOCK_SIZE 4096u
#define LOG_FORMAT_VERSION 1u
#define LOG_BATCH_MAGIC UINT64_C(0x484354414252594b) /* "KYRBATCH" in memory order */
#define LOG_BATCH_HEADER_SIZE 160u
#define LOG_BATCH_SIZE_MAX (1u << 20) /* header, body and padding; the layer above splits */
#define LOG_BATCH_BODY_SIZE_MAX (LOG_BATCH_SIZE_MAX - LOG_BATCH_HEADER_SIZE)
#define LOG_FLIGHT_MAX 2u             /* batches being written at once; the format allows four */
#define LOG_GENESIS_CHAIN UINT64_C(0) /* prev_chain of batch 1 */

/* flags */
#define LOG_BATCH_SEAL 0x1u   /* empty: covers the batch before it */
#define LOG_BATCH_OPEN 0x2u   /* empty: the first batch of its epoch */
#define LOG_BATCH_DIGEST 0x4u /* state_digest is the state's after this batch */
#define LOG_BATCH_FLAG_MASK 0x7u

/* Whose log it is. Batches of another lineage are never ours, wherever they lie. */
struct log_lineage {
	uint64_t cluster;
	uint32_t shard;
};

struct log_batch_header {
	uint64_t magic;
	uint64_t header_checksum; /* XXH3-64 of bytes 16 .. header_size - 1 */
	uint16_t format_version;
	uint16_t header_size_bytes;
	uint32_t flags;
	uint64_t cluster;
	uint32_t shard;
	uint32_t block_index; /* place in the segment, in blocks: shows a misdirected write */
	uint64_t segment;
	uint64_t epoch;     /* grows durably with every start of the shard */
	uint64_t term;      /* 1 until logs are replicated */
	uint64_t batch_seq; /* +1 per batch, from 1 */
	uint64_t first_lsn; /* of the first effect; of the next one when count is 0 */
	uint64_t timestamp_us;
	uint64_t durable_seq;
	uint64_t prev_chain;
	uint64_t state_digest;  /* with LOG_BATCH_DIGEST, else 0 */
	uint64_t body_checksum; /* XXH3-64 of the body, of no bytes when it is empty */
	uint32_t body_size_bytes;
	uint32_t count;
	uint64_t reserved[4]; /* zero */
};

kr_static_assert(sizeof(struct log_batch_header) == LOG_BATCH_HEADER_SIZE, "disk contract");
kr_static_assert(offsetof(struct log_batch_header, header_checksum) == 8, "disk contract");
kr_static_assert(offsetof(struct log_batch_header, format_version) == 16, "disk contract");
kr_static_assert(offsetof(struct log_batch_header, header_size_bytes) == 18, "disk contract");
kr_static_assert(offsetof(struct log_batch_header, flags) == 20, "disk contract");
kr_static_assert(offsetof(struct log_batch_header, cluster) == 24, "disk contract");
kr_static_assert(offsetof(struct log_batch_header, shard) == 32, "disk contract");
kr_static_assert(offsetof(struct log_batch_header, block_index) == 36, "disk contract");
kr_static_assert(offsetof(struct log_batch_header, segment) == 40, "disk contract");
kr_static_assert(offsetof(struct log_batch_header, epoch) == 48, "disk contract");
kr_static_assert(offsetof(struct log_batch_header, term) == 56, "disk contract");
kr_static_assert(offsetof(struct log_batch_header, batch_seq) == 64, "disk contract");
kr_static_assert(offsetof(struct log_batch_header, first_lsn) == 72, "disk contract");
kr_static_assert(offsetof(struct log_batch_header, timestamp_us) == 80, "disk contract");
kr_static_assert(offsetof(struct log_batch_header, durable_seq) == 88, "disk contract");
kr_static_assert(offsetof(struct log_batch_header, prev_chain) == 96, "disk contract");
kr_static_assert(offsetof(struct log_batch_header, state_digest) == 104, "disk contract");
kr_static_assert(offsetof(struct log_batch_header, body_checksum) == 112, "disk contract");
kr_static_assert(offsetof(struct log_batch_header, body_size_bytes) == 120, "disk contract");
kr_static_assert(offsetof(struct log_batch_header, count) == 124, "disk contract");
kr_static_assert(offsetof(struct log_batch_header, reserved) == 128, "disk contract");

/* What a block that should start a batch turned out to be. 0 is the good case. */
#define LOG_BATCH_STATUS_TABLE(X)                                                                  \
	X(OK, "a batch")                                                                           \
	X(ZERO, "zeroes: never written")                                                           \
	X(BAD_MAGIC, "no batch starts here")                                                       \
	X(BAD_HEADER, "the header's checksum is wrong")                                            \
	X(BAD_VERSION, "whole, but of a format version this program does not know")                \
	X(BAD_FIELD, "a checksummed header with an impossible field")                              \
	X(BAD_BODY, "the body's checksum is wrong")                                                \
	X(BAD_PADDING, "the padding is not zero")

#define X(name, text) LOG_BATCH_##name,
enum log_batch_status { LOG_BATCH_STATUS_TABLE(X) };
#undef X

/* A number of bytes rounded up to whole blocks. */
uint64_t log_block_round(uint64_t size_bytes);

/* Bytes on disk of a batch with such a body. */
uint32_t log_batch_size(uint32_t body_size_bytes);

/*
 * Completes a batch in place. `batch` is log_batch_size(body_size_bytes) bytes with the body
 * already at LOG_BATCH_HEADER_SIZE; the header goes before it, zeroes behind. Of *header the
 * caller fills everything but magic, version, sizes and checksums, which are filled in here.
 * Returns the batch's chain value. O(body).
 */
uint64_t log_batch_seal(struct log_batch_header *header, void *batch);

/* Reads the header at the start of one block. Any status but BAD_BODY and BAD_PADDING;
 * *ret_header is written with OK and, as far as it can be trusted, with BAD_VERSION. */
KR_MUST_CHECK enum log_batch_status log_batch_header_read(
	const void *block, struct log_batch_header *ret_header);

/* OK, BAD_BODY or BAD_PADDING. `batch` holds log_batch_size(header->body_size_bytes) bytes. */
KR_MUST_CHECK enum log_batch_status log_batch_body_check(
	const struct log_batch_header *header, const void *batch);

bool log_block_is_zero(const void *block, uint32_t size_bytes);
const char *log_batch_status_text(enum log_batch_status status);

#endif
