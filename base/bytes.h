/*
 * Little-endian integers and varints in byte ranges.
 *
 * A reader or writer walks one range and never leaves it. The first step that would sets `failed`,
 * which stays set; from then on reads give zero (NULL for bytes) and writes do nothing. So a whole
 * record is read or written straight down and `failed` is asked once at the end.
 *
 * Varints are LEB128, at most 10 bytes, in the one shortest form; any other form fails, so that
 * what was read encodes to the same bytes again.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/check.h"

#define KR_VARINT_SIZE_MAX 10u

static inline uint16_t kr_load_u16(const void *bytes)
{
	uint16_t value;
	memcpy(&value, bytes, sizeof(value));
	return le16toh(value);
}

static inline uint32_t kr_load_u32(const void *bytes)
{
	uint32_t value;
	memcpy(&value, bytes, sizeof(value));
	return le32toh(value);
}

static inline uint64_t kr_load_u64(const void *bytes)
{
	uint64_t value;
	memcpy(&value, bytes, sizeof(value));
	return le64toh(value);
}

static inline void kr_store_u16(void *bytes, uint16_t value)
{
	value = htole16(value);
	memcpy(bytes, &value, sizeof(value));
}

static inline void kr_store_u32(void *bytes, uint32_t value)
{
	value = htole32(value);
	memcpy(bytes, &value, sizeof(value));
}

static inline void kr_store_u64(void *bytes, uint64_t value)
{
	value = htole64(value);
	memcpy(bytes, &value, sizeof(value));
}

/* Small magnitudes of either sign to small numbers: 0 -1 1 -2 2 to 0 1 2 3 4. */
static inline uint64_t kr_zigzag_encode(int64_t value)
{
	return (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0);
}

static inline int64_t kr_zigzag_decode(uint64_t value)
{
	return (int64_t)(value >> 1 ^ (0 - (value & 1)));
}

/* Bytes that `value` takes as a varint: 1 to 10. */
static inline uint32_t kr_varint_size(uint64_t value)
{
	return (uint32_t)(63 - __builtin_clzll(value | 1)) / 7 + 1;
}

struct kr_reader {
	const uint8_t *at;
	const uint8_t *end;
	bool failed;
};

void kr_reader_init(struct kr_reader *reader, const void *bytes, size_t size_bytes);

static inline size_t kr_reader_left(const struct kr_reader *reader)
{
	return (size_t)(reader->end - reader->at);
}

uint8_t kr_reader_u8(struct kr_reader *reader);
uint16_t kr_reader_u16(struct kr_reader *reader);
uint32_t kr_reader_u32(struct kr_reader *reader);
uint64_t kr_reader_u64(struct kr_reader *reader);
uint64_t kr_reader_varint(struct kr_reader *reader);
/* A varint that must not exceed `max`; fails and gives 0 when it does. */
uint64_t kr_reader_varint_max(struct kr_reader *reader, uint64_t max);
int64_t kr_reader_zigzag(struct kr_reader *reader);
/* The next `size_bytes` in place, NULL when there are fewer. */
const void *kr_reader_bytes(struct kr_reader *reader, size_t size_bytes);
/* Steps over `size_bytes` that must all be zero; fails when one is not. */
void kr_reader_zeroes(struct kr_reader *reader, size_t size_bytes);
void kr_reader_fail(struct kr_reader *reader);
/* True when everything was read and nothing failed. */
bool kr_reader_done(const struct kr_reader *reader);

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

void kr_writer_u8(struct kr_writer *writer, uint8_t value);
void kr_writer_u16(struct kr_writer *writer, uint16_t value);
void kr_writer_u32(struct kr_writer *writer, uint32_t value);
void kr_writer_u64(struct kr_writer *writer, uint64_t value);
void kr_writer_varint(struct kr_writer *writer, uint64_t value);
void kr_writer_zigzag(struct kr_writer *writer, int64_t value);
void kr_writer_bytes(struct kr_writer *writer, const void *bytes, size_t size_bytes);
void kr_writer_zeroes(struct kr_writer *writer, size_t size_bytes);
/* Room for `size_bytes` to be filled in by the caller, NULL when it is not there. */
void *kr_writer_reserve(struct kr_writer *writer, size_t size_bytes);

#endif
