/*
 * Snapshot files: a header, chunks, a footer, zeroes up to a multiple of 4 KiB.
 *
 * A chunk is the image of one hotel, or of one piece of it, stamped with the LSN of the newest
 * effect it shows; its body is opaque here. A snapshot holds everything up to begin_lsn; chunks
 * stamped later hold more, up to end_lsn, so replay begins at begin_lsn + 1 and skips, hotel by
 * hotel, what is at or below the chunk's stamp. Chunks begin at multiples of 8. The footer counts
 * the chunks, sums their digests (wrapping) and chains their checksums, so that none can be
 * missing or moved.
 *
 * Pure. The reader works like the scan: it asks for bytes and hands out chunks. Nothing may be
 * relied upon before it says OK at the end: a caller that applies chunks as they come must be able
 * to start over.
 */
#ifndef ENGINE_LOG_SNAP_H
#define ENGINE_LOG_SNAP_H

#include "engine/log/batch.h"

#define LOG_SNAP_MAGIC UINT64_C(0x50414e534752594b)       /* "KYRGSNAP" */
#define LOG_SNAP_CHUNK_MAGIC UINT64_C(0x4b4e48434752594b) /* "KYRGCHNK" */
#define LOG_SNAP_END_MAGIC UINT64_C(0x444e45534752594b)   /* "KYRGSEND" */
#define LOG_SNAP_HEADER_SIZE 128u
#define LOG_SNAP_CHUNK_HEADER_SIZE 80u
#define LOG_SNAP_FOOTER_SIZE 152u
#define LOG_SNAP_BODY_SIZE_MAX (1u << 20) /* larger hotels come in pieces */
#define LOG_SNAP_COUNT_MAX 8u
#define LOG_SNAP_WINDOW_SIZE (4u << 20)

struct log_snap_header {
	uint64_t magic;
	uint64_t header_checksum; /* as in a batch: these four never move */
	uint16_t format_version;
	uint16_t header_size_bytes;
	uint32_t shard;
	uint64_t cluster;
	uint32_t shard_count;
	uint32_t slot_first;
	uint32_t slot_count;
	uint32_t reserved0; /* zero */
	uint64_t epoch;
	uint64_t begin_lsn; /* the name of the file; durable when the snapshot began */
	uint64_t timestamp_us;
	uint64_t reserved[7]; /* zero */
};

struct log_snap_chunk {
	uint64_t magic;
	uint64_t header_checksum; /* of bytes 16 .. 79 */
	uint32_t index;           /* 0, 1, 2 .. */
	uint32_t body_size_bytes;
	uint16_t kind; /* the layer above's; not 0 */
	uint16_t part; /* of the hotel: 0, 1 .. */
	uint32_t slot;
	uint64_t hotel_id; /* 0: the shard's own state */
	uint64_t lsn;      /* the stamp */
	uint64_t digest;   /* of what the body holds */
	uint64_t body_checksum;
	uint64_t reserved[2]; /* zero */
};

struct log_snap_footer {
	uint64_t magic;
	uint64_t header_checksum; /* of bytes 16 .. 151 */
	uint64_t chunk_count;
	uint64_t begin_lsn;
	uint64_t end_lsn;    /* the newest stamp, at least begin_lsn */
	uint64_t digest;     /* wrapping sum of the chunks' digests */
	uint64_t chain;      /* over the chunks' header checksums, in order */
	uint64_t size_bytes; /* of the file up to the end of this footer */
	uint64_t timestamp_us;
	uint64_t counts[LOG_SNAP_COUNT_MAX]; /* the layer above's: hotels, reservations, ... */
	uint64_t reserved[2];                /* zero */
};

kr_static_assert(sizeof(struct log_snap_header) == LOG_SNAP_HEADER_SIZE, "disk contract");
kr_static_assert(offsetof(struct log_snap_header, begin_lsn) == 56, "disk contract");
kr_static_assert(sizeof(struct log_snap_chunk) == LOG_SNAP_CHUNK_HEADER_SIZE, "disk contract");
kr_static_assert(offsetof(struct log_snap_chunk, lsn) == 40, "disk contract");
kr_static_assert(sizeof(struct log_snap_footer) == LOG_SNAP_FOOTER_SIZE, "disk contract");
kr_static_assert(offsetof(struct log_snap_footer, counts) == 72, "disk contract");

#define LOG_SNAP_STATUS_TABLE(X)                                                                   \
	X(OK, "whole")                                                                             \
	X(BAD_HEADER, "the header is damaged")                                                     \
	X(BAD_VERSION, "an unknown format version")                                                \
	X(FOREIGN, "of another cluster, shard or lsn than its name says")                          \
	X(BAD_CHUNK, "a chunk is damaged, missing or out of order")                                \
	X(BAD_FOOTER, "the footer is damaged or missing, or does not match the chunks")            \
	X(BAD_SIZE, "the file ends early or goes on behind its end")                               \
	X(UNREADABLE, "the disk could not read it")

#define X(name, text) LOG_SNAP_##name,
enum log_snap_status { LOG_SNAP_STATUS_TABLE(X) };
#undef X

const char *log_snap_status_text(enum log_snap_status status);

/* Bytes in the file of a chunk with such a body: header, body, zeroes to a multiple of 8. */
uint32_t log_snap_chunk_size(uint32_t body_size_bytes);

/* Running sums over a file: the writer's and the reader's. */
struct log_snap_sums {
	uint64_t chunk_count;
	uint64_t end_lsn;
	uint64_t digest;
	uint64_t chain;
	uint64_t size_bytes; /* next free offset */
};

/*
 * The encoders fill in magic, version, size and checksums, add to the sums, and write to `out`:
 * HEADER_SIZE, log_snap_chunk_size(body) or FOOTER_SIZE bytes. Of a chunk the caller gives kind,
 * part, slot, hotel_id, lsn, digest and body_size_bytes; the body is copied from `body`, which may
 * be NULL when it lies at out + LOG_SNAP_CHUNK_HEADER_SIZE already.
 */
void log_snap_header_encode(
	struct log_snap_header *header, struct log_snap_sums *sums, uint8_t *out);
void log_snap_chunk_encode(
	struct log_snap_chunk *chunk, const void *body, struct log_snap_sums *sums, uint8_t *out);
/* Only timestamp_us and counts are the caller's. */
void log_snap_footer_encode(struct log_snap_footer *footer, const struct log_snap_header *header,
	struct log_snap_sums *sums, uint8_t *out);

#endif
