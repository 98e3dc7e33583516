/*
 * What protobuf looks like in bytes: keys and varints. Varints longer than the shortest form are
 * legal here, so base/bytes.h does not do; a number over 64 bits is not.
 */
#ifndef PROTO_MESSAGE_WIRE_H
#define PROTO_MESSAGE_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

/* A key is field number << 3 | wire type. */
enum wire_type {
	WIRE_VARINT = 0,
	WIRE_FIXED64 = 1,
	WIRE_SIZED = 2,
	WIRE_FIXED32 = 5,
};

#define FIELD_NUMBER_MAX ((UINT64_C(1) << 29) - 1)
#define KEY_SIZE_MAX 5

/* Where the varint ends, or NULL when it does not end well. */
const uint8_t *wire_varint_read_long(const uint8_t *at, const uint8_t *end, uint64_t *ret_value);

static KR_ALWAYS_INLINE const uint8_t *wire_varint_read(
	const uint8_t *at, const uint8_t *end, uint64_t *ret_value)
{
	if (KR_LIKELY(at < end && *at < 0x80)) {
		*ret_value = *at;
		return at + 1;
	}
	return wire_varint_read_long(at, end, ret_value);
}

/* A key, which protobuf-c takes in five bytes at most. */
static KR_ALWAYS_INLINE const uint8_t *wire_key_read(
	const uint8_t *at, const uint8_t *end, uint64_t *ret_key)
{
	const uint8_t *stop = wire_varint_read(at, end, ret_key);
	return KR_LIKELY(stop != NULL && stop - at <= KEY_SIZE_MAX) ? stop : NULL;
}

/* Writes at most 10 bytes; where they end. */
static KR_ALWAYS_INLINE uint8_t *wire_varint_write(uint8_t *at, uint64_t value)
{
	while (KR_UNLIKELY(value >= 0x80)) {
		*at++ = (uint8_t)(value | 0x80);
		value >>= 7;
	}
	*at++ = (uint8_t)value;
	return at;
}

#endif
