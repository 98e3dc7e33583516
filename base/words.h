/*
 * Little-endian integers in memory, and what varints are made of. See bytes.h.
 */
#ifndef BASE_WORDS_H
#define BASE_WORDS_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

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

#endif
