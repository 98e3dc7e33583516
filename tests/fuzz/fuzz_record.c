/*
 * The records of a log batch.
 *
 * Held: effects read from any bytes have their LSNs in order, time that never goes back, and texts
 * and arrays within their bounds; what is read can be written again within the sizes that are
 * promised, reads back as the same effects, and is then written to the same bytes.
 *
 * Input: u8 count, u64 t_us of the batch; the rest is its body.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/log/record.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/log/random_effect.h"

#define FIRST_LSN UINT64_C(7)
#define OUT_SIZE (2u * RECORD_SIZE_MAX)

struct body {
	uint8_t *bytes;
	size_t size_bytes;
	uint32_t count;
	uint64_t t_us;
};

static struct record_scratch scratch, scratch_again;
static struct record_writer writer;
static uint8_t out[2][OUT_SIZE];

static struct record_reader reader_of(const struct body *body, struct record_scratch *to)
{
	struct record_reader reader;
	const struct record_body whole = {.bytes = body->bytes,
		.size_bytes = body->size_bytes,
		.first_lsn = FIRST_LSN,
		.count = body->count,
		.t_us = body->t_us};
	record_reader_init(&reader, &whole, to);
	return reader;
}

static void check_effect(const struct inv_effect *effect)
{
	kr_assert(effect->kind >= 1 && effect->kind <= INV_EFFECT_LAST);
	kr_assert(effect->old_count <= INV_OLDS_MAX);
	kr_assert(effect->actor.reason.size_bytes <= INV_TEXT_SIZE_MAX);
	kr_assert(effect->actor.reason.size_bytes == 0 || effect->actor.reason.bytes != NULL);
	if (effect->kind == INV_EFFECT_RESERVE)
		kr_assert(effect->u.reserve.line_count <= INV_LINES_MAX);
}

/* Writes what is read; false: the body is malformed, and what was whole of it is written. */
static bool copy(const struct body *body, uint8_t *to, struct body *ret)
{
	struct record_reader reader = reader_of(body, &scratch);
	struct inv_effect effect;
	uint64_t lsn = FIRST_LSN, t_us = 0;
	size_t before = 0;
	int r;
	record_writer_init(&writer, to, OUT_SIZE);
	while ((r = record_next(&reader, &effect)) == 0) {
		check_effect(&effect);
		kr_assert(effect.lsn == lsn++);
		kr_assert(effect.t_us >= t_us);
		t_us = effect.t_us;
		r = record_put(&writer, &effect);
		kr_assert(r == 0);
		size_t size = kr_writer_size(&writer.bytes);
		kr_assert(size - before <= (effect.kind == INV_EFFECT_UPDATE
							   ? RECORD_SIZE_MAX
							   : RECORD_SMALL_SIZE_MAX));
		before = size;
	}
	kr_assert(r == RECORD_END || r == RECORD_MALFORMED);
	*ret = (struct body){.bytes = to,
		.size_bytes = record_writer_finish(&writer),
		.count = writer.count,
		.t_us = writer.base_t_us};
	kr_assert(r != RECORD_END || ret->count == body->count);
	return r == RECORD_END;
}

static void compare(const struct body *a, const struct body *b)
{
	struct record_reader x = reader_of(a, &scratch), y = reader_of(b, &scratch_again);
	struct inv_effect one, other;
	for (uint32_t i = 0; i < b->count; i++) {
		int r = record_next(&x, &one), s = record_next(&y, &other);
		kr_assert(r == 0 && s == 0);
		kr_assert(one.t_us == other.t_us && one.lsn == other.lsn);
		kr_assert(effects_equal(&one, &other));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	struct kr_reader input;
	struct body body, once, twice;
	kr_reader_init(&input, data, size_bytes);
	body.count = kr_reader_u8(&input);
	body.t_us = kr_reader_u64(&input);
	const uint8_t *bytes = fuzz_take(&input, RECORD_SIZE_MAX, &body.size_bytes);
	if (input.failed)
		return 0;
	body.bytes = fuzz_copy(bytes, body.size_bytes);
	(void)copy(&body, out[0], &once);
	compare(&body, &once);
	if (once.count > 0) {
		bool is_whole = copy(&once, out[1], &twice);
		kr_assert(is_whole && twice.size_bytes == once.size_bytes);
		kr_assert(memcmp(out[0], out[1], once.size_bytes) == 0);
	}
	free(body.bytes);
	return 0;
}
