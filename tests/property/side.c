#include "tests/property/side.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

char side_context[256];

void side_failed(const char *file, int line, const char *what, const char *format, ...)
{
	va_list args;
	printf("%s\n%s:%d: %s: ", side_context, file, line, what);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	exit(1);
}

static void side_open(struct side *side)
{
	const uint64_t size = inv_memory_size(&side->config);
	side->memory = aligned_alloc(64, (size + 63) / 64 * 64);
	CHECK(side->memory != NULL, "no memory");
	memset(side->memory, 0, size);
	side->inv = inv_init(&side->config, side->memory, side->tz);
}

void side_init(struct side *side, const struct inv_config *config, const struct tz_db *tz)
{
	const char *option = "";
	memset(side, 0, sizeof(*side));
	side->config = *config;
	side->tz = tz;
	CHECK(inv_config_check(config, &option) == 0, "%s", option);
	side_open(side);
}

static void chunks_free(struct side *side)
{
	for (uint32_t i = 0; i < side->chunk_next; i++)
		free(side->chunks[i].bytes);
	side->chunk_next = 0;
}

/* The inventory that it was about is thrown away. */
static void capture_drop(struct side *side)
{
	if (side->is_capturing)
		free(side->chunks[side->chunk_next].bytes);
	side->is_capturing = false;
}

void side_fini(struct side *side)
{
	capture_drop(side);
	chunks_free(side);
	free(side->memory);
	free(side->log);
}

static void apply(struct side *side, const struct inv_effect *effect)
{
	struct inv_contradiction c = {0};
	if (side->is_capturing) {
		const size_t size = kr_writer_size(&side->writer);
		inv_capture_before(side->inv, &side->capture, effect, &side->writer);
		side->saved_before += kr_writer_size(&side->writer) > size;
	}
	const int r = inv_apply(side->inv, effect, &c);
	CHECK(r == 0, "effect %s at LSN %lu: %s: expected %lu, found %lu, day %d",
		record_kind_name(effect->kind), (unsigned long)effect->lsn,
		c.what == NULL ? "no room" : c.what, (unsigned long)c.expected,
		(unsigned long)c.found, c.day);
}

/* The log of the test: for each effect 4 bytes size, 8 bytes t, 8 bytes LSN, the record's bytes. */
static void log_append(struct side *side, const struct inv_effect *effect)
{
	struct record_writer writer;
	const size_t room = effect->kind == INV_EFFECT_UPDATE ? RECORD_SIZE_MAX : 65536;
	if (side->log_size + 20 + room > side->log_capacity) {
		side->log_capacity = (side->log_size + 20 + room) * 2;
		side->log = realloc(side->log, side->log_capacity);
		CHECK(side->log != NULL, "no memory");
	}
	uint8_t *at = side->log + side->log_size;
	record_writer_init(&writer, at + 20, room);
	CHECK(record_put(&writer, effect) == 0, "the record does not fit");
	const size_t size = record_writer_finish(&writer);
	kr_store_u32(at, (uint32_t)size);
	kr_store_u64(at + 4, effect->t_us);
	kr_store_u64(at + 12, effect->lsn);
	side->log_size += 20 + size;
}

void side_commit(struct side *side, struct inv_effect *effect)
{
	effect->lsn = ++side->lsn;
	side->effect_count[effect->kind]++;
	side->t_us = effect->t_us;
	log_append(side, effect);
	apply(side, effect);
}

void side_clock(struct side *side, struct inv_now now)
{
	struct inv_effect effect;
	for (uint32_t i = 0; inv_due_judge(side->inv, now, &effect) == INV_EFFECT; i++) {
		CHECK(i < 1000000, "the clock's work has no end");
		side_commit(side, &effect);
	}
	CHECK(inv_due_next_us(side->inv) > now.t_us, "work is left at %lu",
		(unsigned long)now.t_us);
}

static void capture_begin(struct side *side, struct side_chunk *chunk)
{
	const uint64_t size_max = inv_capture_size_max(side->inv, side->chunk_next);
	CHECK(size_max >= inv_chunk_size_max(side->inv, side->chunk_next), "too little");
	chunk->bytes = malloc(size_max);
	CHECK(chunk->bytes != NULL, "no memory");
	kr_writer_init(&side->writer, chunk->bytes, size_max);
	chunk->lsn = inv_chunk_lsn(side->inv, side->chunk_next);
	chunk->digest = inv_chunk_digest(side->inv, side->chunk_next);
	inv_capture_begin(side->inv, side->chunk_next, &side->capture, &side->writer);
	side->is_capturing = true;
}

void side_snapshot_step(struct side *side)
{
	if (side->chunk_next == inv_chunk_count(side->inv))
		return;
	if (side->chunk_next == 0) {
		side->chunks_log_size = side->log_size;
		side->chunks_lsn = side->lsn;
	}
	struct side_chunk *chunk = &side->chunks[side->chunk_next];
	uint64_t work = side->work = side->work % 3 + 1;
	if (!side->is_capturing)
		capture_begin(side, chunk);
	if (!inv_capture_run(side->inv, &side->capture, &side->writer, &work))
		return;
	CHECK(!side->writer.failed, "a chunk is larger than it said");
	chunk->size_bytes = kr_writer_size(&side->writer);
	CHECK(inv_capture_digest(&side->capture) == chunk->digest,
		"a chunk shows another state than that of its begin");
	side->is_capturing = false;
	side->chunk_next++;
	CHECK(side->chunk_next <= SIDE_CHUNKS, "too many chunks");
}

static void replay_from(struct side *side, size_t at)
{
	static struct record_scratch scratch;
	struct inv_effect effect;
	while (at < side->log_size) {
		const uint8_t *p = side->log + at;
		const struct record_body body = {
			.bytes = p + 20,
			.size_bytes = kr_load_u32(p),
			.first_lsn = kr_load_u64(p + 12),
			.count = 1,
			.t_us = kr_load_u64(p + 4),
		};
		struct record_reader reader;
		record_reader_init(&reader, &body, &scratch);
		CHECK(record_next(&reader, &effect) == 0, "a record does not read back");
		apply(side, &effect);
		CHECK(record_next(&reader, &effect) == RECORD_END, "a record has no end");
		at += 20 + body.size_bytes;
	}
}

static void expect_digest(struct side *side, uint64_t digest, const char *how)
{
	struct inv_contradiction c = {0};
	CHECK(inv_digest(side->inv) == digest, "%s shows another state", how);
	CHECK(inv_verify(side->inv, &c) == 0, "%s: %s: expected %lu, found %lu, day %d", how,
		c.what, (unsigned long)c.expected, (unsigned long)c.found, c.day);
}

void side_replay(struct side *side)
{
	const uint64_t digest = inv_digest(side->inv);
	capture_drop(side);
	free(side->memory);
	side_open(side);
	replay_from(side, 0);
	expect_digest(side, digest, "replay of the log");
}

bool side_restore(struct side *side)
{
	if (side->chunk_next == 0 || side->chunk_next < inv_chunk_count(side->inv))
		return false;
	const uint64_t digest = inv_digest(side->inv);
	free(side->memory);
	side_open(side);
	for (uint32_t i = 0; i < side->chunk_next; i++) {
		struct kr_reader reader;
		struct inv_contradiction c = {0};
		const struct side_chunk *chunk = &side->chunks[i];
		kr_reader_init(&reader, chunk->bytes, chunk->size_bytes);
		const int r = inv_chunk_load(side->inv, &reader, chunk->lsn, chunk->digest, &c);
		CHECK(r == 0, "chunk %u: %s", i, c.what == NULL ? "no room" : c.what);
	}
	replay_from(side, side->chunks_log_size);
	expect_digest(side, digest, "snapshot and tail");
	chunks_free(side);
	return true;
}
