#include <criterion/criterion.h>

#include "base/bytes.h"
#include "base/rng.h"

#define ROUNDS 100000u

Test(bytes, integers_are_little_endian_at_any_alignment)
{
	uint8_t bytes[16] = {0};
	kr_store_u16(bytes + 1, 0x0102);
	cr_assert_eq(bytes[1], 2);
	cr_assert_eq(bytes[2], 1);
	cr_assert_eq(kr_load_u16(bytes + 1), 0x0102);
	kr_store_u32(bytes + 3, 0x01020304);
	cr_assert_eq(bytes[3], 4);
	cr_assert_eq(bytes[6], 1);
	cr_assert_eq(kr_load_u32(bytes + 3), 0x01020304);
	kr_store_u64(bytes + 5, UINT64_C(0x0102030405060708));
	cr_assert_eq(bytes[5], 8);
	cr_assert_eq(bytes[12], 1);
	cr_assert_eq(bytes[13], 0);
	cr_assert_eq(kr_load_u64(bytes + 5), UINT64_C(0x0102030405060708));
}

Test(bytes, zigzag_makes_small_magnitudes_small)
{
	static const int64_t values[] = {0, -1, 1, -2, 2};
	for (uint32_t i = 0; i < 5; i++) {
		cr_assert_eq(kr_zigzag_encode(values[i]), i);
		cr_assert_eq(kr_zigzag_decode(i), values[i]);
	}
	cr_assert_eq(kr_zigzag_encode(INT64_MIN), UINT64_MAX);
	cr_assert_eq(kr_zigzag_encode(INT64_MAX), UINT64_MAX - 1);
	cr_assert_eq(kr_zigzag_decode(UINT64_MAX), INT64_MIN);
	cr_assert_eq(kr_zigzag_decode(UINT64_MAX - 1), INT64_MAX);
}

Test(varint, every_size_is_as_told_and_reads_back)
{
	struct rng rng;
	rng_init(&rng, 1);
	for (uint32_t round = 0; round < ROUNDS; round++) {
		uint64_t value = rng_next(&rng) >> rng_below(&rng, 64);
		uint8_t bytes[KR_VARINT_SIZE_MAX];
		struct kr_writer writer;
		struct kr_reader reader;
		kr_writer_init(&writer, bytes, sizeof(bytes));
		kr_writer_varint(&writer, value);
		cr_assert(!writer.failed);
		cr_assert_eq(kr_writer_size(&writer), kr_varint_size(value));
		kr_reader_init(&reader, bytes, kr_writer_size(&writer));
		cr_assert_eq(kr_reader_varint(&reader), value);
		cr_assert(kr_reader_done(&reader));
		/* One byte less and it fails, and stays so. */
		kr_reader_init(&reader, bytes, kr_writer_size(&writer) - 1);
		cr_assert_eq(kr_reader_varint(&reader), 0);
		cr_assert(reader.failed);
	}
	cr_assert_eq(kr_varint_size(0), 1);
	cr_assert_eq(kr_varint_size(127), 1);
	cr_assert_eq(kr_varint_size(128), 2);
	cr_assert_eq(kr_varint_size(UINT64_MAX), 10);
}

Test(varint, only_the_shortest_form_of_at_most_64_bits_is_read)
{
	static const struct {
		uint8_t bytes[11];
		uint8_t size;
	} bad[] = {
		{{0x80, 0x00}, 2},
		{{0xff, 0x00}, 2},
		{{0x80, 0x80, 0x00}, 3},
		{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02}, 10},
		{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x81, 0x00}, 11},
		{{0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00}, 10},
		{{0x80}, 1},
	};
	for (size_t i = 0; i < KR_ARRAY_COUNT(bad); i++) {
		struct kr_reader reader;
		kr_reader_init(&reader, bad[i].bytes, bad[i].size);
		cr_assert_eq(kr_reader_varint(&reader), 0);
		cr_assert(reader.failed, "case %zu", i);
	}
	static const uint8_t most[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01};
	struct kr_reader reader;
	kr_reader_init(&reader, most, sizeof(most));
	cr_assert_eq(kr_reader_varint(&reader), UINT64_MAX);
	cr_assert(kr_reader_done(&reader));
}

Test(varint, a_maximum_is_held)
{
	static const uint8_t bytes[] = {100, 101};
	struct kr_reader reader;
	kr_reader_init(&reader, bytes, sizeof(bytes));
	cr_assert_eq(kr_reader_varint_max(&reader, 100), 100);
	cr_assert(!reader.failed);
	cr_assert_eq(kr_reader_varint_max(&reader, 100), 0);
	cr_assert(reader.failed);
}

enum field { U8, U16, U32, U64, VARINT, ZIGZAG, BYTES, ZEROES, FIELD_COUNT };

static void write_field(struct kr_writer *writer, enum field field, uint64_t value)
{
	uint8_t bytes[4];
	switch (field) {
	case U8:
		kr_writer_u8(writer, (uint8_t)value);
		break;
	case U16:
		kr_writer_u16(writer, (uint16_t)value);
		break;
	case U32:
		kr_writer_u32(writer, (uint32_t)value);
		break;
	case U64:
		kr_writer_u64(writer, value);
		break;
	case VARINT:
		kr_writer_varint(writer, value);
		break;
	case ZIGZAG:
		kr_writer_zigzag(writer, (int64_t)value);
		break;
	case BYTES:
		kr_store_u32(bytes, (uint32_t)value);
		kr_writer_bytes(writer, bytes, sizeof(bytes));
		break;
	default:
		kr_writer_zeroes(writer, value % 8);
		break;
	}
}

static bool field_reads(struct kr_reader *reader, enum field field, uint64_t value)
{
	const void *bytes;
	switch (field) {
	case U8:
		return kr_reader_u8(reader) == (uint8_t)value;
	case U16:
		return kr_reader_u16(reader) == (uint16_t)value;
	case U32:
		return kr_reader_u32(reader) == (uint32_t)value;
	case U64:
		return kr_reader_u64(reader) == value;
	case VARINT:
		return kr_reader_varint(reader) == value;
	case ZIGZAG:
		return kr_reader_zigzag(reader) == (int64_t)value;
	case BYTES:
		bytes = kr_reader_bytes(reader, 4);
		return bytes != NULL && kr_load_u32(bytes) == (uint32_t)value;
	default:
		kr_reader_zeroes(reader, value % 8);
		return !reader->failed;
	}
}

Test(cursor, what_was_written_reads_back_and_every_shorter_range_fails)
{
	struct rng rng;
	rng_init(&rng, 2);
	for (uint32_t round = 0; round < 3000; round++) {
		uint8_t bytes[256];
		enum field fields[16];
		uint64_t values[16];
		struct kr_writer writer;
		struct kr_reader reader;
		kr_writer_init(&writer, bytes, sizeof(bytes));
		for (uint32_t i = 0; i < 16; i++) {
			fields[i] = (enum field)rng_below(&rng, FIELD_COUNT);
			values[i] = rng_next(&rng) >> rng_below(&rng, 64);
			write_field(&writer, fields[i], values[i]);
		}
		cr_assert(!writer.failed);
		size_t size = kr_writer_size(&writer);
		kr_reader_init(&reader, bytes, size);
		for (uint32_t i = 0; i < 16; i++)
			cr_assert(field_reads(&reader, fields[i], values[i]));
		cr_assert(kr_reader_done(&reader));

		size_t cut = size == 0 ? 0 : rng_below(&rng, size);
		kr_reader_init(&reader, bytes, cut);
		for (uint32_t i = 0; i < 16; i++)
			(void)field_reads(&reader, fields[i], values[i]);
		cr_assert(size == 0 || !kr_reader_done(&reader));
		uint8_t guard[256];
		memset(guard, 0xee, sizeof(guard));
		kr_writer_init(&writer, guard, cut);
		for (uint32_t i = 0; i < 16; i++)
			write_field(&writer, fields[i], values[i]);
		cr_assert(size == 0 || writer.failed);
		for (size_t i = cut; i < sizeof(guard); i++)
			cr_assert_eq(guard[i], 0xee, "written beyond the range");
	}
}

Test(cursor, a_failure_is_sticky)
{
	uint8_t bytes[8] = {1, 2, 3, 4, 5, 6, 7, 8};
	struct kr_reader reader;
	kr_reader_init(&reader, bytes, 4);
	cr_assert_eq(kr_reader_u64(&reader), 0);
	cr_assert(reader.failed);
	cr_assert_eq(kr_reader_u8(&reader), 0);
	cr_assert_null(kr_reader_bytes(&reader, 1));
	cr_assert(!kr_reader_done(&reader));
	struct kr_writer writer;
	kr_writer_init(&writer, bytes, 4);
	kr_writer_u64(&writer, 0);
	kr_writer_u8(&writer, 9);
	cr_assert(writer.failed);
	cr_assert_eq(kr_writer_size(&writer), 0);
	cr_assert_eq(bytes[0], 1);
	kr_writer_init(&writer, NULL, 0);
	kr_writer_bytes(&writer, NULL, 0);
	cr_assert(!writer.failed);
	kr_reader_init(&reader, NULL, 0);
	cr_assert(kr_reader_done(&reader));
}

Test(cursor, reserved_bytes_must_be_zero)
{
	uint8_t bytes[8] = {0, 0, 0, 0, 0, 0, 1, 0};
	struct kr_reader reader;
	kr_reader_init(&reader, bytes, 8);
	kr_reader_zeroes(&reader, 6);
	cr_assert(!reader.failed);
	kr_reader_zeroes(&reader, 2);
	cr_assert(reader.failed);
}
