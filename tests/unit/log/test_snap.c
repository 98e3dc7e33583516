#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "engine/log/snap_check.h"
#include "engine/log/snap_reader.h"
#include "tests/unit/log/log_world.h"

#define BEGIN 1000u

static struct log_lineage lineage = {.cluster = WORLD_CLUSTER, .shard = WORLD_SHARD};

struct outcome {
	enum log_snap_status status;
	uint64_t chunk_count;
	uint64_t body_bytes;
	uint32_t need_count;
	struct log_snap_footer footer;
	uint32_t version;
};

/* Reads a whole file of `size_bytes` at `bytes`. */
static struct outcome read_all(const uint8_t *bytes, uint64_t size_bytes, uint64_t name_lsn)
{
	struct outcome outcome = {.status = LOG_SNAP_OK};
	struct log_snap_reader reader;
	struct log_snap_event event;
	log_snap_reader_init(&reader, &lineage, name_lsn, size_bytes);
	for (;;) {
		switch (log_snap_reader_next(&reader, &event)) {
		case LOG_SNAP_NEED:
			cr_assert_leq(event.offset_bytes + event.size_bytes, size_bytes);
			outcome.need_count++;
			log_snap_reader_feed(&reader, bytes + event.offset_bytes);
			break;
		case LOG_SNAP_CHUNK:
			cr_assert_eq(event.chunk->index, outcome.chunk_count);
			for (uint32_t i = 0; i < event.chunk->body_size_bytes; i++)
				cr_assert_eq(event.body[i], (uint8_t)event.chunk->index);
			outcome.chunk_count++;
			outcome.body_bytes += event.chunk->body_size_bytes;
			break;
		default:
			outcome.status = reader.status;
			outcome.footer = reader.footer;
			outcome.version = reader.version;
			return outcome;
		}
	}
}

static struct world_file *snap_of(struct world *world, uint32_t chunk_count)
{
	struct log_dir_text name;
	world_snap(world, BEGIN, BEGIN + 50, chunk_count);
	log_dir_snap_name(BEGIN, &name);
	return world_find(world, name.bytes);
}

Test(snap, reads_back_what_was_written)
{
	static const uint32_t counts[] = {0, 1, 2, 100};
	for (size_t i = 0; i < KR_ARRAY_COUNT(counts); i++) {
		struct world world;
		world_init(&world);
		struct world_file *file = snap_of(&world, counts[i]);
		struct outcome outcome = read_all(file->bytes, file->size_bytes, BEGIN);
		uint64_t digest = 0;
		for (uint32_t c = 0; c < counts[i]; c++)
			digest += hash_64_of_u64(c);
		cr_assert_eq(
			outcome.status, LOG_SNAP_OK, "%s", log_snap_status_text(outcome.status));
		cr_assert_eq(outcome.chunk_count, counts[i]);
		cr_assert_eq(outcome.footer.digest, digest);
		cr_assert_eq(outcome.footer.begin_lsn, BEGIN);
		cr_assert_eq(outcome.footer.end_lsn, counts[i] == 0 ? BEGIN : BEGIN + 50);
		cr_assert_eq(outcome.footer.counts[0], counts[i]);
		world_fini(&world);
	}
}

Test(snap, no_byte_of_the_file_may_change)
{
	struct world world;
	world_init(&world);
	struct world_file *file = snap_of(&world, 6);
	for (uint64_t i = 0; i < file->size_bytes; i++) {
		for (unsigned bit = 0; bit < 8; bit += 3) {
			file->bytes[i] ^= (uint8_t)(1u << bit);
			/* Body bytes are compared above: a bad one must never be handed out. */
			struct log_snap_reader reader;
			struct log_snap_event event;
			enum log_snap_step step;
			log_snap_reader_init(&reader, &lineage, BEGIN, file->size_bytes);
			while ((step = log_snap_reader_next(&reader, &event)) != LOG_SNAP_DONE) {
				if (step == LOG_SNAP_NEED)
					log_snap_reader_feed(
						&reader, file->bytes + event.offset_bytes);
				else
					cr_assert(event.offset_bytes + event.size_bytes <= i ||
						  event.offset_bytes > i);
			}
			cr_assert_neq(
				reader.status, LOG_SNAP_OK, "byte %llu", (unsigned long long)i);
			file->bytes[i] ^= (uint8_t)(1u << bit);
		}
	}
	cr_assert_eq(read_all(file->bytes, file->size_bytes, BEGIN).status, LOG_SNAP_OK);
	world_fini(&world);
}

Test(snap, a_file_cut_or_extended_is_bad)
{
	struct world world;
	world_init(&world);
	struct world_file *file = snap_of(&world, 40);
	uint64_t size = file->size_bytes;
	world_resize(file, size + 2 * LOG_BLOCK_SIZE);
	for (uint64_t cut = 0; cut < size; cut += 512)
		cr_assert_neq(read_all(file->bytes, cut, BEGIN).status, LOG_SNAP_OK);
	cr_assert_eq(read_all(file->bytes, size + LOG_BLOCK_SIZE, BEGIN).status, LOG_SNAP_BAD_SIZE);
	cr_assert_eq(read_all(file->bytes, size, BEGIN).status, LOG_SNAP_OK);
	world_fini(&world);
}

Test(snap, of_another_shard_or_lsn_is_foreign)
{
	struct world world;
	world_init(&world);
	struct world_file *file = snap_of(&world, 3);
	cr_assert_eq(read_all(file->bytes, file->size_bytes, BEGIN + 1).status, LOG_SNAP_FOREIGN);
	lineage.shard++;
	cr_assert_eq(read_all(file->bytes, file->size_bytes, BEGIN).status, LOG_SNAP_FOREIGN);
	lineage.shard--;
	lineage.cluster++;
	cr_assert_eq(read_all(file->bytes, file->size_bytes, BEGIN).status, LOG_SNAP_FOREIGN);
	lineage.cluster--;
	world_fini(&world);
}

Test(snap, an_unknown_version_is_named)
{
	struct world world;
	world_init(&world);
	struct world_file *file = snap_of(&world, 3);
	uint16_t version = 7;
	memcpy(file->bytes + 16, &version, 2);
	uint64_t sum = hash_64(file->bytes + 16, LOG_SNAP_HEADER_SIZE - 16);
	memcpy(file->bytes + 8, &sum, 8);
	struct outcome outcome = read_all(file->bytes, file->size_bytes, BEGIN);
	cr_assert_eq(outcome.status, LOG_SNAP_BAD_VERSION);
	cr_assert_eq(outcome.version, 7);
	world_fini(&world);
}

/* Writes chunks 0 .. count - 1 but for `skip`, in order or with two of them swapped. */
static uint64_t write_odd(uint8_t *out, uint32_t count, uint32_t skip, bool swaps)
{
	struct log_snap_sums sums;
	struct log_snap_sums before;
	struct log_snap_header header = {.cluster = WORLD_CLUSTER,
		.shard = WORLD_SHARD,
		.shard_count = 4,
		.slot_count = 1,
		.epoch = 1,
		.begin_lsn = BEGIN};
	struct log_snap_footer footer = {.timestamp_us = 1};
	uint8_t body[64] = {0};
	log_snap_header_encode(&header, &sums, out);
	for (uint32_t i = 0; i < count; i++) {
		struct log_snap_chunk chunk = {
			.kind = 1, .lsn = BEGIN, .digest = 1, .body_size_bytes = 64};
		before = sums;
		memset(body, (int)i, sizeof(body));
		log_snap_chunk_encode(&chunk, body, &sums, out + sums.size_bytes);
		/* Counted, but not there. */
		if (i == skip)
			sums.size_bytes = before.size_bytes;
	}
	uint32_t size = log_snap_chunk_size(64);
	if (swaps) {
		uint8_t held[256];
		memcpy(held, out + LOG_SNAP_HEADER_SIZE, size);
		memcpy(out + LOG_SNAP_HEADER_SIZE, out + LOG_SNAP_HEADER_SIZE + size, size);
		memcpy(out + LOG_SNAP_HEADER_SIZE + size, held, size);
	}
	log_snap_footer_encode(&footer, &header, &sums, out + sums.size_bytes);
	return log_block_round(sums.size_bytes);
}

Test(snap, no_chunk_may_be_missing_or_moved)
{
	uint8_t *bytes = calloc(1, 2 * LOG_BLOCK_SIZE);
	cr_assert_not_null(bytes);
	uint64_t size = write_odd(bytes, 8, UINT32_MAX, false);
	cr_assert_eq(read_all(bytes, size, BEGIN).status, LOG_SNAP_OK);
	for (uint32_t skip = 0; skip < 8; skip++) {
		memset(bytes, 0, 2 * LOG_BLOCK_SIZE);
		size = write_odd(bytes, 8, skip, false);
		cr_assert_neq(read_all(bytes, size, BEGIN).status, LOG_SNAP_OK);
	}
	memset(bytes, 0, 2 * LOG_BLOCK_SIZE);
	size = write_odd(bytes, 8, UINT32_MAX, true);
	cr_assert_eq(read_all(bytes, size, BEGIN).status, LOG_SNAP_BAD_CHUNK);
	free(bytes);
}

Test(snap, chunks_larger_than_what_is_left_of_a_window_are_read_whole)
{
	uint32_t count = 9;
	uint8_t *bytes = calloc(count + 1, LOG_SNAP_BODY_SIZE_MAX);
	uint8_t *body = malloc(LOG_SNAP_BODY_SIZE_MAX);
	cr_assert(bytes != NULL && body != NULL);
	struct log_snap_sums sums;
	struct log_snap_header header = {.cluster = WORLD_CLUSTER,
		.shard = WORLD_SHARD,
		.shard_count = 4,
		.slot_count = 1,
		.epoch = 1,
		.begin_lsn = BEGIN};
	struct log_snap_footer footer = {.timestamp_us = 1};
	log_snap_header_encode(&header, &sums, bytes);
	for (uint32_t i = 0; i < count; i++) {
		struct log_snap_chunk chunk = {
			.kind = 1, .lsn = BEGIN, .body_size_bytes = LOG_SNAP_BODY_SIZE_MAX - i};
		memset(body, (int)i, LOG_SNAP_BODY_SIZE_MAX);
		log_snap_chunk_encode(&chunk, body, &sums, bytes + sums.size_bytes);
	}
	log_snap_footer_encode(&footer, &header, &sums, bytes + sums.size_bytes);
	struct outcome outcome = read_all(bytes, log_block_round(sums.size_bytes), BEGIN);
	cr_assert_eq(outcome.status, LOG_SNAP_OK);
	cr_assert_eq(outcome.chunk_count, count);
	cr_assert_gt(outcome.need_count, 1);
	free(bytes);
	free(body);
}

Test(snap, what_the_disk_cannot_read_is_bad)
{
	struct log_snap_reader reader;
	struct log_snap_event event;
	log_snap_reader_init(&reader, &lineage, BEGIN, LOG_BLOCK_SIZE);
	cr_assert_eq(log_snap_reader_next(&reader, &event), LOG_SNAP_NEED);
	log_snap_reader_feed(&reader, NULL);
	cr_assert_eq(log_snap_reader_next(&reader, &event), LOG_SNAP_DONE);
	cr_assert_eq(reader.status, LOG_SNAP_UNREADABLE);
}

/* ---- values that cannot be, under a right checksum ---- */

static void reseal(uint8_t *bytes, uint32_t size_bytes)
{
	const uint64_t sum = hash_64(bytes + 16, size_bytes - 16);
	memcpy(bytes + 8, &sum, sizeof(sum));
}

/* `good` with a change that its checksum covers, as bytes. */
#define CHANGED(good, bytes, change)                                                               \
	do {                                                                                       \
		__typeof__(good) it = (good);                                                      \
		change;                                                                            \
		memcpy(bytes, &it, sizeof(it));                                                    \
		reseal(bytes, sizeof(it));                                                         \
	} while (0)

static struct log_snap_header header_of(struct log_snap_sums *sums)
{
	uint8_t bytes[LOG_SNAP_HEADER_SIZE];
	struct log_snap_header header = {.cluster = WORLD_CLUSTER,
		.shard_count = 2,
		.slot_count = 9,
		.epoch = 3,
		.begin_lsn = BEGIN};
	log_snap_header_encode(&header, sums, bytes);
	return header;
}

#define BAD_HEADER(change)                                                                         \
	do {                                                                                       \
		uint8_t bytes[LOG_BLOCK_SIZE] = {0};                                               \
		CHANGED(good, bytes, change);                                                      \
		cr_assert_eq(                                                                      \
			log_snap_header_check(bytes, &read, &sums), LOG_SNAP_BAD_HEADER, #change); \
	} while (0)

Test(snap, a_header_that_cannot_be_is_bad)
{
	struct log_snap_sums sums;
	struct log_snap_header good = header_of(&sums), read;
	BAD_HEADER(it.magic++);
	BAD_HEADER(it.header_size_bytes = 16);
	BAD_HEADER(it.header_size_bytes = LOG_BLOCK_SIZE + 1);
	BAD_HEADER(it.reserved0 = 1);
	BAD_HEADER(it.reserved[0] = 1);
	BAD_HEADER(it.reserved[6] = 1);
	BAD_HEADER(it.cluster = 0);
	BAD_HEADER(it.epoch = 0);
	BAD_HEADER(it.shard_count = 0);
	BAD_HEADER(it.shard_count = UINT32_MAX);
	BAD_HEADER(it.shard = 2);
	BAD_HEADER(it.slot_count = 0);
	BAD_HEADER(it.slot_count = UINT32_MAX);
	BAD_HEADER(it.slot_first = UINT32_MAX);
}

#define BAD_CHUNK(change)                                                                          \
	do {                                                                                       \
		uint8_t bytes[LOG_BLOCK_SIZE] = {0};                                               \
		CHANGED(good, bytes, change);                                                      \
		cr_assert_not(log_snap_chunk_head_check(bytes, &begun, &read), #change);           \
	} while (0)

Test(snap, a_chunk_that_cannot_be_is_none)
{
	struct log_snap_sums begun, sums;
	uint8_t encoded[LOG_BLOCK_SIZE] = {0};
	struct log_snap_chunk good = {.kind = 1, .slot = 3, .lsn = BEGIN, .body_size_bytes = 5};
	struct log_snap_chunk read;
	(void)header_of(&begun);
	sums = begun;
	log_snap_chunk_encode(&good, "body", &sums, encoded);
	cr_assert(log_snap_chunk_head_check(encoded, &begun, &read));
	BAD_CHUNK(it.magic++);
	BAD_CHUNK(it.index++);
	BAD_CHUNK(it.reserved[0] = 1);
	BAD_CHUNK(it.reserved[1] = 1);
	BAD_CHUNK(it.body_size_bytes = LOG_SNAP_BODY_SIZE_MAX + 1);
	BAD_CHUNK(it.kind = 0);
	BAD_CHUNK(it.slot = UINT32_MAX);
	encoded[LOG_SNAP_CHUNK_HEADER_SIZE + 6] = 1;
	cr_assert_not(log_snap_chunk_body_check(encoded, &good, &begun), "filling is zero");
}

#define BAD_FOOTER(change)                                                                         \
	do {                                                                                       \
		uint8_t bytes[LOG_BLOCK_SIZE] = {0};                                               \
		CHANGED(good, bytes, change);                                                      \
		cr_assert_not(log_snap_footer_check(bytes, &header, &sums, &read), #change);       \
	} while (0)

Test(snap, a_footer_that_does_not_sum_up_what_stands_before_it_is_none)
{
	struct log_snap_sums sums;
	uint8_t encoded[LOG_BLOCK_SIZE];
	const struct log_snap_header header = header_of(&sums);
	struct log_snap_sums after = sums;
	struct log_snap_footer good = {.timestamp_us = 5}, read;
	log_snap_footer_encode(&good, &header, &after, encoded);
	cr_assert(log_snap_footer_check(encoded, &header, &sums, &read));
	BAD_FOOTER(it.magic++);
	BAD_FOOTER(it.reserved[0] = 1);
	BAD_FOOTER(it.reserved[1] = 1);
	BAD_FOOTER(it.chunk_count++);
	BAD_FOOTER(it.chain++);
	BAD_FOOTER(it.begin_lsn++);
	BAD_FOOTER(it.end_lsn++);
	BAD_FOOTER(it.digest++);
	BAD_FOOTER(it.size_bytes++);
	encoded[LOG_SNAP_FOOTER_SIZE - 1] ^= 1;
	cr_assert_not(log_snap_footer_check(encoded, &header, &sums, &read), "its checksum");
}
