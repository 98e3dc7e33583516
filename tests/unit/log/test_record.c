#include <criterion/criterion.h>

#include <stdlib.h>

#include "tests/unit/log/random_effect.h"

#define BODY_SIZE (2u << 20)

struct bench {
	struct random_effect random;
	struct record_scratch scratch;
	struct record_writer writer;
	uint8_t bytes[BODY_SIZE];
};

static struct bench *bench_new(uint64_t seed)
{
	struct bench *b = calloc(1, sizeof(*b));
	cr_assert_not_null(b);
	rng_init(&b->random.rng, seed);
	record_writer_init(&b->writer, b->bytes, sizeof(b->bytes));
	return b;
}

static void bench_read(struct bench *b, struct record_reader *ret_reader)
{
	struct record_body body = {
		.bytes = b->bytes,
		.size_bytes = record_writer_finish(&b->writer),
		.first_lsn = 7,
		.count = b->writer.count,
		.t_us = b->writer.base_t_us,
	};
	record_reader_init(ret_reader, &body, &b->scratch);
}

Test(record, every_kind_reads_back_as_it_was_written)
{
	struct bench *b = bench_new(1);
	struct inv_effect effect, back;
	struct record_reader reader;
	for (unsigned i = 0; i < 3000; i++) {
		unsigned kind = 1 + i % INV_EFFECT_LAST;
		record_writer_init(&b->writer, b->bytes, sizeof(b->bytes));
		random_effect(&b->random, kind, random_value(&b->random.rng, UINT64_MAX), &effect);
		cr_assert_eq(record_put(&b->writer, &effect), 0);
		bench_read(b, &reader);
		cr_assert_eq(record_next(&reader, &back), 0, "%s", record_kind_name(kind));
		cr_assert_eq(back.lsn, 7);
		cr_assert(effects_equal(&effect, &back), "%s", record_kind_name(kind));
		cr_assert_eq(record_next(&reader, &back), RECORD_END);
	}
	free(b);
}

/* The same draws again give what was written, without keeping it. */
Test(record, a_body_of_many_effects_reads_back_in_order_with_time_and_lsn)
{
	struct bench *b = bench_new(2);
	struct random_effect again = b->random;
	struct inv_effect effect, back;
	struct record_reader reader;
	uint64_t t_us = 1000;
	for (unsigned round = 0; round < 40; round++) {
		unsigned count = 0;
		record_writer_init(&b->writer, b->bytes, sizeof(b->bytes) / 2);
		for (;; count++) {
			unsigned kind = 1 + (unsigned)rng_below(&b->random.rng, 14);
			if (rng_below(&b->random.rng, 4) == 0)
				t_us += rng_below(&b->random.rng, 1000);
			random_effect(&b->random, kind, t_us, &effect);
			if (count == 200 || record_put(&b->writer, &effect) == RECORD_FULL)
				break;
		}
		cr_assert_eq(b->writer.count, count);
		bench_read(b, &reader);
		t_us = b->writer.base_t_us;
		for (unsigned i = 0; i <= count; i++) {
			unsigned kind = 1 + (unsigned)rng_below(&again.rng, 14);
			uint64_t step_us = 0;
			if (rng_below(&again.rng, 4) == 0)
				step_us = rng_below(&again.rng, 1000);
			t_us += i > 0 ? step_us : 0;
			random_effect(&again, kind, t_us, &effect);
			int r = record_next(&reader, &back);
			cr_assert_eq(r, i < count ? 0 : RECORD_END);
			if (i < count) {
				cr_assert_eq(back.lsn, 7 + i);
				cr_assert(effects_equal(&effect, &back));
			}
		}
	}
	free(b);
}

static void clock_effect(struct bench *b, unsigned kind, struct inv_effect *effect)
{
	random_effect(&b->random, kind, 5000, effect);
	effect->actor = (struct inv_actor){.source = INV_SOURCE_CLOCK};
	effect->old_count = 3;
	effect->hotel.v = 9;
	effect->event_seq = 1000;
	effect->revision = 2;
}

Test(record, many_expiries_share_one_record_and_each_stays_an_effect)
{
	struct bench *b = bench_new(3);
	struct inv_effect effect;
	struct record_reader reader;
	for (unsigned i = 0; i < 1000; i++) {
		clock_effect(b, INV_EFFECT_EXPIRE, &effect);
		cr_assert_eq(record_put(&b->writer, &effect), 0);
	}
	size_t size = record_writer_finish(&b->writer);
	cr_assert_eq(b->writer.count, 1000);
	cr_assert_lt(size, 1000 * 48);
	bench_read(b, &reader);
	for (unsigned i = 0; i < 1000; i++) {
		cr_assert_eq(record_next(&reader, &effect), 0);
		cr_assert_eq(effect.lsn, 7 + i);
		cr_assert_eq(effect.actor.source, INV_SOURCE_CLOCK);
	}
	cr_assert_eq(record_next(&reader, &effect), RECORD_END);
	free(b);
}

Test(record, a_booking_of_three_nights_takes_at_most_80_bytes)
{
	struct bench *b = bench_new(4);
	struct inv_price_run run = {.nights = 3, .price_minor = 12900};
	struct inv_line line = {.type = 12,
		.check_in = 20500,
		.check_out = 20503,
		.rooms = 1,
		.guests = 2,
		.run_count = 1,
		.runs = &run};
	struct inv_cell_old olds[3] = {{1, 700}, {2, 701}, {0, 699}};
	struct inv_effect effect = {
		.kind = INV_EFFECT_RESERVE,
		.t_us = UINT64_C(1767225600000000),
		.hotel = {UINT64_MAX},
		.event_seq = 1000000,
		.actor = {.actor = 1000, .source = 3},
		.id = {UINT64_MAX, UINT64_MAX},
		.revision = 1,
		.olds = olds,
		.old_count = 3,
		.u.reserve = {.book = true,
			.fingerprint = UINT64_MAX,
			.lines = &line,
			.line_count = 1},
	};
	cr_assert_eq(record_put(&b->writer, &effect), 0);
	cr_assert_leq(record_writer_finish(&b->writer), 80);
	free(b);
}

Test(record, what_does_not_fit_leaves_the_body_as_it_was)
{
	struct bench *b = bench_new(5);
	struct inv_effect effect, back;
	struct record_reader reader;
	for (size_t room = 40; room < 3000; room += 7) {
		unsigned count = 0;
		record_writer_init(&b->writer, b->bytes, room);
		memset(b->bytes + room, 0xee, 64);
		for (unsigned refused = 0; refused < 8;) {
			unsigned kind = 1 + (unsigned)rng_below(&b->random.rng, 14);
			random_effect(&b->random, kind, 5000, &effect);
			if (kind >= INV_EFFECT_EXPIRE && kind <= INV_EFFECT_RETIRE)
				clock_effect(b, kind, &effect);
			if (record_put(&b->writer, &effect) == 0)
				count++;
			else
				refused++;
		}
		cr_assert_leq(record_writer_finish(&b->writer), room);
		cr_assert_eq(b->bytes[room], 0xee);
		bench_read(b, &reader);
		for (unsigned i = 0; i < count; i++)
			cr_assert_eq(record_next(&reader, &back), 0);
		cr_assert_eq(record_next(&reader, &back), RECORD_END);
	}
	free(b);
}

Test(record, a_body_with_another_count_than_promised_is_malformed)
{
	struct bench *b = bench_new(6);
	struct inv_effect effect;
	for (int off = -1; off <= 1; off += 2) {
		record_writer_init(&b->writer, b->bytes, sizeof(b->bytes));
		for (unsigned i = 0; i < 3; i++) {
			clock_effect(b, INV_EFFECT_EXPIRE, &effect);
			cr_assert_eq(record_put(&b->writer, &effect), 0);
		}
		struct record_body body = {.bytes = b->bytes,
			.size_bytes = record_writer_finish(&b->writer),
			.first_lsn = 1,
			.count = (uint32_t)(3 + off),
			.t_us = 5000};
		struct record_reader reader;
		record_reader_init(&reader, &body, &b->scratch);
		int r;
		unsigned read = 0;
		while ((r = record_next(&reader, &effect)) == 0)
			read++;
		cr_assert_eq(r, RECORD_MALFORMED);
		cr_assert_eq(read, off < 0 ? 2 : 3);
	}
	free(b);
}

/* Damage is caught by checksums; this is about what survives them: nothing may be trusted. */
Test(record, damaged_bytes_are_refused_or_read_as_something_bounded)
{
	struct bench *b = bench_new(7);
	struct inv_effect effect;
	unsigned malformed = 0;
	for (unsigned i = 0; i < 20000; i++) {
		record_writer_init(&b->writer, b->bytes, 1 << 16);
		for (unsigned k = 0; k < 3; k++) {
			random_effect(&b->random, 1 + (unsigned)rng_below(&b->random.rng, 15), 5000,
				&effect);
			(void)!record_put(&b->writer, &effect);
		}
		size_t size = record_writer_finish(&b->writer);
		for (unsigned k = 0; size > 0 && k < 1 + i % 3; k++)
			b->bytes[rng_below(&b->random.rng, size)] =
				(uint8_t)rng_next(&b->random.rng);
		size -= size > 0 ? rng_below(&b->random.rng, 2) : 0;
		uint8_t *tight = malloc(size + 1);
		memcpy(tight, b->bytes, size);
		struct record_body body = {.bytes = tight,
			.size_bytes = size,
			.first_lsn = 1,
			.count = b->writer.count,
			.t_us = 5000};
		struct record_reader reader;
		record_reader_init(&reader, &body, &b->scratch);
		int r;
		while ((r = record_next(&reader, &effect)) == 0)
			cr_assert_leq(effect.old_count, INV_OLDS_MAX);
		malformed += r == RECORD_MALFORMED;
		free(tight);
	}
	cr_assert_gt(malformed, 2000);
	free(b);
}

Test(record, of_the_instant_that_means_never_are_malformed)
{
	struct bench *b = bench_new(9);
	struct inv_effect effect;
	struct record_reader reader;
	for (unsigned i = 0; i < 2; i++) {
		uint64_t begin_us = i == 0 ? UINT64_MAX - 2 : 1000;
		record_writer_init(&b->writer, b->bytes, sizeof(b->bytes));
		clock_effect(b, INV_EFFECT_EXPIRE, &effect);
		effect.t_us = begin_us;
		cr_assert_eq(record_put(&b->writer, &effect), 0);
		effect.t_us = UINT64_MAX - 1;
		cr_assert_eq(record_put(&b->writer, &effect), 0);
		bench_read(b, &reader);
		cr_assert_eq(record_next(&reader, &effect), 0);
		cr_assert_eq(record_next(&reader, &effect), 0);
		cr_assert_eq(effect.t_us, UINT64_MAX - 1);
		/* A batch that says it began a microsecond or two later. */
		bench_read(b, &reader);
		reader.t_us = i == 0 ? UINT64_MAX : begin_us + 1;
		cr_assert_eq(record_next(&reader, &effect), i == 0 ? RECORD_MALFORMED : 0);
		cr_assert_eq(record_next(&reader, &effect), RECORD_MALFORMED);
	}
	free(b);
}

Test(record, a_line_without_nights_is_malformed)
{
	struct bench *b = bench_new(10);
	struct record_reader reader;
	struct inv_line line = {.type = 1,
		.check_in = 20000,
		.check_out = 20000 + 77,
		.rooms = 1,
		.pricing = INV_PRICE_NONE};
	struct inv_effect effect = {.kind = INV_EFFECT_RESERVE,
		.t_us = 5000,
		.hotel = {7},
		.id = {1, 2},
		.event_seq = 1,
		.revision = 1,
		.u.reserve = {.book = true, .lines = &line, .line_count = 1}};
	record_writer_init(&b->writer, b->bytes, sizeof(b->bytes));
	cr_assert_eq(record_put(&b->writer, &effect), 0);
	const size_t size = record_writer_finish(&b->writer);
	uint8_t *nights = memchr(b->bytes, 77, size);
	cr_assert_not_null(nights);
	cr_assert_null(memchr(nights + 1, 77, size - (size_t)(nights + 1 - b->bytes)));
	for (uint8_t count = 0; count <= 2; count++) {
		*nights = count;
		bench_read(b, &reader);
		cr_assert_eq(record_next(&reader, &effect), count == 0 ? RECORD_MALFORMED : 0);
		if (count > 0)
			cr_assert_eq(effect.u.reserve.lines[0].check_out, 20000 + count);
	}
	free(b);
}

Test(record, kinds_have_names_and_a_number_that_is_none_says_so)
{
	cr_assert_str_eq(record_kind_name(INV_EFFECT_RESERVE), "RESERVE");
	cr_assert_str_eq(record_kind_name(RECORD_TIME), "TIME");
	cr_assert_str_eq(record_kind_name(0), "UNKNOWN");
	cr_assert_str_eq(record_kind_name(255), "UNKNOWN");
}
