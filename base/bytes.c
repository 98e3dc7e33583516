#include "base/bytes.h"

void kr_reader_init(struct kr_reader *reader, const void *bytes, size_t size_bytes)
{
	kr_assert(reader != NULL);
	kr_assert(bytes != NULL || size_bytes == 0);
	reader->at = bytes;
	/* NULL + 0 is undefined in C11. */
	reader->end = size_bytes == 0 ? reader->at : reader->at + size_bytes;
	reader->failed = false;
}

void kr_reader_fail(struct kr_reader *reader)
{
	kr_assert(reader->at <= reader->end);
	reader->failed = true;
}

const void *kr_reader_bytes(struct kr_reader *reader, size_t size_bytes)
{
	kr_assert(reader->at <= reader->end);
	if (KR_UNLIKELY(reader->failed || size_bytes > kr_reader_left(reader))) {
		reader->failed = true;
		return NULL;
	}
	const uint8_t *bytes = reader->at;
	if (size_bytes > 0)
		reader->at += size_bytes;
	return bytes;
}

uint8_t kr_reader_u8(struct kr_reader *reader)
{
	const uint8_t *bytes = kr_reader_bytes(reader, 1);
	return bytes == NULL ? 0 : *bytes;
}

uint16_t kr_reader_u16(struct kr_reader *reader)
{
	const void *bytes = kr_reader_bytes(reader, sizeof(uint16_t));
	return bytes == NULL ? 0 : kr_load_u16(bytes);
}

uint32_t kr_reader_u32(struct kr_reader *reader)
{
	const void *bytes = kr_reader_bytes(reader, sizeof(uint32_t));
	return bytes == NULL ? 0 : kr_load_u32(bytes);
}

uint64_t kr_reader_u64(struct kr_reader *reader)
{
	const void *bytes = kr_reader_bytes(reader, sizeof(uint64_t));
	return bytes == NULL ? 0 : kr_load_u64(bytes);
}

/* The tenth byte holds bit 63 alone; a last byte of zero means there was a shorter form. */
static bool varint_is_canonical(const uint8_t *bytes, uint32_t size_bytes)
{
	kr_assert(size_bytes >= 1);
	kr_assert(size_bytes <= KR_VARINT_SIZE_MAX);
	uint8_t last = bytes[size_bytes - 1];
	if (size_bytes == KR_VARINT_SIZE_MAX && last > 1)
		return false;
	return size_bytes == 1 || last != 0;
}

static uint64_t varint_slow(struct kr_reader *reader)
{
	kr_assert(!reader->failed);
	kr_assert(reader->at <= reader->end);
	size_t left = kr_reader_left(reader);
	uint64_t value = 0;
	for (uint32_t i = 0; i < KR_VARINT_SIZE_MAX && i < left; i++) {
		uint8_t byte = reader->at[i];
		value |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (byte >= 0x80)
			continue;
		if (!varint_is_canonical(reader->at, i + 1))
			break;
		reader->at += i + 1;
		return value;
	}
	reader->failed = true;
	return 0;
}

uint64_t kr_reader_varint(struct kr_reader *reader)
{
	kr_assert(reader->at <= reader->end);
	if (KR_UNLIKELY(reader->failed))
		return 0;
	if (KR_LIKELY(reader->at < reader->end && *reader->at < 0x80))
		return *reader->at++;
	return varint_slow(reader);
}

uint64_t kr_reader_varint_max(struct kr_reader *reader, uint64_t max)
{
	kr_assert(reader != NULL);
	uint64_t value = kr_reader_varint(reader);
	if (value <= max)
		return value;
	kr_reader_fail(reader);
	return 0;
}

int64_t kr_reader_zigzag(struct kr_reader *reader)
{
	return kr_zigzag_decode(kr_reader_varint(reader));
}

void kr_reader_zeroes(struct kr_reader *reader, size_t size_bytes)
{
	kr_assert(reader->at <= reader->end);
	const uint8_t *bytes = kr_reader_bytes(reader, size_bytes);
	uint8_t all = 0;
	for (size_t i = 0; bytes != NULL && i < size_bytes; i++)
		all |= bytes[i];
	if (all != 0)
		kr_reader_fail(reader);
}

bool kr_reader_done(const struct kr_reader *reader)
{
	kr_assert(reader->at <= reader->end);
	return !reader->failed && reader->at == reader->end;
}

void kr_writer_init(struct kr_writer *writer, void *bytes, size_t size_bytes)
{
	kr_assert(writer != NULL);
	kr_assert(bytes != NULL || size_bytes == 0);
	writer->start = bytes;
	writer->at = writer->start;
	writer->end = size_bytes == 0 ? writer->at : writer->at + size_bytes;
	writer->failed = false;
}

void kr_writer_varint_any(struct kr_writer *writer, uint64_t value)
{
	kr_assert(writer->at <= writer->end);
	uint8_t *bytes = kr_writer_reserve(writer, kr_varint_size(value));
	if (KR_UNLIKELY(bytes == NULL))
		return;
	for (; value >= 0x80; value >>= 7)
		*bytes++ = (uint8_t)(value | 0x80);
	*bytes++ = (uint8_t)value;
	kr_assert(bytes == writer->at);
}

void kr_writer_bytes(struct kr_writer *writer, const void *bytes, size_t size_bytes)
{
	kr_assert(bytes != NULL || size_bytes == 0);
	void *room = kr_writer_reserve(writer, size_bytes);
	if (room != NULL && size_bytes > 0)
		memcpy(room, bytes, size_bytes);
}

void kr_writer_zeroes(struct kr_writer *writer, size_t size_bytes)
{
	kr_assert(writer->at <= writer->end);
	void *room = kr_writer_reserve(writer, size_bytes);
	if (room != NULL && size_bytes > 0)
		memset(room, 0, size_bytes);
}
