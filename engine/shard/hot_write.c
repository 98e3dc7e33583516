#include <string.h>

#include "base/bytes.h"
#include "engine/shard/hot.h"

#define WIRE_VARINT 0u
#define WIRE_FIXED64 1u
#define WIRE_SIZED 2u
#define TAG(number, wire) ((number) << 3 | (wire))

kr_static_assert(TAG(14, WIRE_SIZED) < 0x80, "every tag here is one byte");

static inline uint8_t *put_varint(uint8_t *at, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		*at++ = (uint8_t)(value | 0x80);
	*at++ = (uint8_t)value;
	return at;
}

/* Zero is the absence of a field. */
static inline uint8_t *put_u64(uint8_t *at, unsigned number, uint64_t value)
{
	kr_assert(number < 16);
	if (value == 0)
		return at;
	*at++ = (uint8_t)TAG(number, WIRE_VARINT);
	return put_varint(at, value);
}

static inline uint8_t *put_fixed64(uint8_t *at, unsigned number, uint64_t value)
{
	kr_assert(number < 16);
	if (value == 0)
		return at;
	*at++ = (uint8_t)TAG(number, WIRE_FIXED64);
	kr_store_u64(at, value);
	return at + sizeof(value);
}

static inline uint64_t wide_i32(int32_t value)
{
	return (uint64_t)(int64_t)value;
}

static size_t refusal_write(const struct inv_refusal *refusal, uint8_t *out)
{
	uint8_t *at = out;
	kr_assert(refusal->code != 0);
	at = put_u64(at, 1, refusal->code);
	at = put_u64(at, 2, refusal->rule);
	at = put_u64(at, 3, refusal->line);
	at = put_u64(at, 4, wide_i32(refusal->day));
	at = put_u64(at, 5, refusal->has_day);
	at = put_u64(at, 6, kr_zigzag_encode(refusal->required));
	at = put_u64(at, 7, kr_zigzag_encode(refusal->left));
	at = put_u64(at, 8, refusal->state);
	at = put_u64(at, 9, refusal->other.hi);
	at = put_u64(at, 10, refusal->other.lo);
	if (refusal->text != NULL && refusal->text[0] != 0) {
		size_t size = strlen(refusal->text);
		kr_assert(size <= INV_TEXT_SIZE_MAX);
		*at++ = (uint8_t)TAG(11, WIRE_SIZED);
		at = put_varint(at, size);
		memcpy(at, refusal->text, size);
		at += size;
	}
	kr_assert((size_t)(at - out) < HOT_RESERVATION_SIZE_MAX);
	return (size_t)(at - out);
}

size_t hot_reservation_write(const struct inv_answer *answer, bool is_refused, uint8_t *out)
{
	uint8_t *at = out;
	kr_assert(answer->code != 0);
	at = put_u64(at, 1, answer->state);
	at = put_u64(at, 2, answer->revision);
	at = put_fixed64(at, 3, answer->expires_at_us);
	at = put_u64(at, 4, answer->total_minor);
	at = put_u64(at, 5, answer->has_total);
	at = put_u64(at, 6, answer->event_seq);
	at = put_u64(at, 7, answer->due);
	at = put_u64(at, 8, answer->repeated);
	at = put_fixed64(at, 9, answer->hotel.v);
	at = put_u64(at, 10, answer->outcome);
	if (is_refused) {
		uint8_t refusal[HOT_RESERVATION_SIZE_MAX];
		size_t size = refusal_write(&answer->refusal, refusal);
		*at++ = (uint8_t)TAG(11, WIRE_SIZED);
		at = put_varint(at, size);
		memcpy(at, refusal, size);
		at += size;
	}
	at = put_u64(at, 12, answer->has_amounts);
	at = put_u64(at, 13, answer->penalty_minor);
	at = put_u64(at, 14, answer->refundable_minor);
	at = put_u64(at, 15, answer->cells_over_limit);
	kr_assert((size_t)(at - out) <= HOT_RESERVATION_SIZE_MAX);
	return (size_t)(at - out);
}

/* ---- columns ---- */

static uint32_t types_size(const struct hot_columns *c)
{
	uint32_t size = 0;
	kr_assert(c->types != NULL || c->type_count == 0);
	for (uint32_t i = 0; i < c->type_count; i++)
		size += kr_varint_size(c->types[i]);
	return size;
}

static size_t sized_size(size_t size_bytes)
{
	kr_assert(size_bytes <= UINT32_MAX);
	return size_bytes == 0 ? 0 : 1 + kr_varint_size(size_bytes) + size_bytes;
}

static size_t scalar_size(uint64_t value)
{
	return value == 0 ? 0 : 1 + kr_varint_size(value);
}

static size_t column_bytes(const struct hot_columns *c)
{
	kr_assert((uint64_t)c->type_count * c->night_count <= INV_QUERY_CELLS_MAX);
	return (size_t)c->type_count * c->night_count * sizeof(uint64_t);
}

size_t hot_columns_size(const struct hot_columns *c)
{
	size_t size = sized_size(types_size(c)) + scalar_size(wide_i32(c->first_day)) +
		      scalar_size(c->night_count) + 2 * sized_size(column_bytes(c)) +
		      sized_size(c->class_words * sizeof(uint64_t)) + scalar_size(c->ari_version) +
		      scalar_size(wide_i32(c->business_day));
	kr_assert(size > 0);
	return size;
}

static uint8_t *put_words(uint8_t *at, unsigned number, const uint64_t *words, size_t size_bytes)
{
	kr_assert(size_bytes % sizeof(uint64_t) == 0);
	if (size_bytes == 0)
		return at;
	*at++ = (uint8_t)TAG(number, WIRE_SIZED);
	at = put_varint(at, size_bytes);
	/* words in memory are words of the wire: little-endian (proto/frame.c) */
	memcpy(at, words, size_bytes);
	return at + size_bytes;
}

void hot_columns_write(const struct hot_columns *c, size_t size_bytes, uint8_t *out)
{
	uint8_t *at = out;
	kr_assert(size_bytes > 0);
	if (c->type_count > 0) {
		*at++ = (uint8_t)TAG(1, WIRE_SIZED);
		at = put_varint(at, types_size(c));
		for (uint32_t i = 0; i < c->type_count; i++)
			at = put_varint(at, c->types[i]);
	}
	at = put_u64(at, 2, wide_i32(c->first_day));
	at = put_u64(at, 3, c->night_count);
	at = put_words(at, 4, c->counters, column_bytes(c));
	at = put_words(at, 5, c->rates, column_bytes(c));
	at = put_words(at, 6, c->classes, c->class_words * sizeof(uint64_t));
	at = put_u64(at, 7, c->ari_version);
	at = put_u64(at, 8, wide_i32(c->business_day));
	kr_assert((size_t)(at - out) == size_bytes);
}
