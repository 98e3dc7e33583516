/*
 * Writes into a range of bytes and never leaves it: see bytes.h. In the header, because a record
 * of the log is some forty of these.
 */
#ifndef BASE_WRITER_H
#define BASE_WRITER_H

#include <stdbool.h>

#include "base/check.h"
#include "base/words.h"

struct kr_writer {
	uint8_t *start;
	uint8_t *at;
	uint8_t *end;
	bool failed;
};

void kr_writer_init(struct kr_writer *writer, void *bytes, size_t size_bytes);

static inline size_t kr_writer_size(const struct kr_writer *writer)
{
	return (size_t)(writer->at - writer->start);
}

static inline size_t kr_writer_left(const struct kr_writer *writer)
{
	return (size_t)(writer->end - writer->at);
}

/* Room for `size_bytes` to be filled in by the caller, NULL when it is not there. */
static inline void *kr_writer_reserve(struct kr_writer *writer, size_t size_bytes)
{
	kr_assert(writer->at <= writer->end);
	if (KR_UNLIKELY(writer->failed || size_bytes > kr_writer_left(writer))) {
		writer->failed = true;
		return NULL;
	}
	uint8_t *bytes = writer->at;
	if (size_bytes > 0)
		writer->at += size_bytes;
	return bytes;
}

static inline void kr_writer_u8(struct kr_writer *writer, uint8_t value)
{
	uint8_t *bytes = kr_writer_reserve(writer, sizeof(value));
	if (bytes != NULL)
		*bytes = value;
}

static inline void kr_writer_u16(struct kr_writer *writer, uint16_t value)
{
	void *bytes = kr_writer_reserve(writer, sizeof(value));
	if (bytes != NULL)
		kr_store_u16(bytes, value);
}

static inline void kr_writer_u32(struct kr_writer *writer, uint32_t value)
{
	void *bytes = kr_writer_reserve(writer, sizeof(value));
	if (bytes != NULL)
		kr_store_u32(bytes, value);
}

static inline void kr_writer_u64(struct kr_writer *writer, uint64_t value)
{
	void *bytes = kr_writer_reserve(writer, sizeof(value));
	if (bytes != NULL)
		kr_store_u64(bytes, value);
}

/* Of any length; kr_writer_varint is this one, quicker for one byte. */
void kr_writer_varint_any(struct kr_writer *writer, uint64_t value);

static inline void kr_writer_varint(struct kr_writer *writer, uint64_t value)
{
	if (KR_LIKELY(value < 0x80))
		kr_writer_u8(writer, (uint8_t)value);
	else
		kr_writer_varint_any(writer, value);
}

static inline void kr_writer_zigzag(struct kr_writer *writer, int64_t value)
{
	kr_writer_varint(writer, kr_zigzag_encode(value));
}

void kr_writer_bytes(struct kr_writer *writer, const void *bytes, size_t size_bytes);
void kr_writer_zeroes(struct kr_writer *writer, size_t size_bytes);

#endif
