#include "client/decode_plain.h"

#include <stdalign.h>
#include <string.h>

#include "base/bytes.h"
#include "base/civil.h"
#include "proto/message_wire.h"

#define KEY(number, wire) ((number) << 3 | (wire))

struct plain_reader {
	const uint8_t *at, *end;
	uint8_t key;
	bool is_odd; /* something that a shard ordinarily does not write */
};

static KR_ALWAYS_INLINE struct plain_reader plain_begin(struct client_body body)
{
	kr_assert(body.bytes != NULL || body.size_bytes == 0);
	return (struct plain_reader){.at = body.bytes,
		.end = body.size_bytes == 0 ? body.bytes : body.bytes + body.size_bytes};
}

/* Steps to the next field, in r->key. A key of two bytes is above all that are known. */
static KR_ALWAYS_INLINE bool plain_next(struct plain_reader *r)
{
	kr_assert(r->at <= r->end);
	if (r->at == r->end)
		return false;
	uint8_t key = *r->at++;
	r->is_odd |= key <= r->key;
	r->key = key;
	return true;
}

static KR_ALWAYS_INLINE uint64_t plain_varint(struct plain_reader *r)
{
	uint64_t value = 0;
	const uint8_t *at = wire_varint_read(r->at, r->end, &value);
	if (KR_UNLIKELY(at == NULL)) {
		r->is_odd = true;
		return 0;
	}
	r->at = at;
	return value;
}

static KR_ALWAYS_INLINE uint64_t plain_varint_max(struct plain_reader *r, uint64_t max)
{
	uint64_t value = plain_varint(r);
	r->is_odd |= value > max;
	return value;
}

static KR_ALWAYS_INLINE uint32_t plain_u32(struct plain_reader *r)
{
	return (uint32_t)plain_varint_max(r, UINT32_MAX);
}

static KR_ALWAYS_INLINE int32_t plain_day(struct plain_reader *r)
{
	return (int32_t)plain_varint_max(r, INT32_MAX);
}

static KR_ALWAYS_INLINE bool plain_bool(struct plain_reader *r)
{
	return plain_varint_max(r, 1) != 0;
}

static KR_ALWAYS_INLINE uint64_t plain_fixed64(struct plain_reader *r)
{
	if (KR_UNLIKELY((size_t)(r->end - r->at) < sizeof(uint64_t))) {
		r->is_odd = true;
		return 0;
	}
	uint64_t value = kr_load_u64(r->at);
	r->at += sizeof(value);
	return value;
}

static KR_ALWAYS_INLINE struct client_body plain_sized(struct plain_reader *r)
{
	uint64_t size_bytes = plain_varint(r);
	if (KR_UNLIKELY(r->is_odd || size_bytes > (uint64_t)(r->end - r->at))) {
		r->is_odd = true;
		return (struct client_body){0};
	}
	struct client_body sized = {r->at, (size_t)size_bytes};
	r->at += size_bytes;
	return sized;
}

static bool plain_refusal(struct client_body body, struct keyrack_refusal *ret)
{
	struct plain_reader r = plain_begin(body);
	*ret = (struct keyrack_refusal){.text = ""};
	while (plain_next(&r)) {
		switch (r.key) {
		case KEY(1, WIRE_VARINT):
			ret->code = plain_u32(&r);
			break;
		case KEY(2, WIRE_VARINT):
			ret->rule = plain_u32(&r);
			break;
		case KEY(3, WIRE_VARINT):
			ret->line = plain_u32(&r);
			break;
		case KEY(4, WIRE_VARINT):
			ret->day = plain_day(&r);
			break;
		case KEY(5, WIRE_VARINT):
			ret->has_day = plain_bool(&r);
			break;
		case KEY(6, WIRE_VARINT):
			ret->required = kr_zigzag_decode(plain_varint(&r));
			break;
		case KEY(7, WIRE_VARINT):
			ret->left = kr_zigzag_decode(plain_varint(&r));
			break;
		case KEY(8, WIRE_VARINT):
			ret->state = plain_u32(&r);
			break;
		default: /* another reservation, a text */
			r.is_odd = true;
		}
	}
	return !r.is_odd;
}

static bool plain_refused(
	struct client_body body, struct kr_arena *arena, struct keyrack_result *ret)
{
	struct keyrack_refusal *refusal =
		kr_arena_alloc(arena, sizeof(*refusal), alignof(struct keyrack_refusal));
	kr_assert(ret->code != 0 && ret->refusal == NULL);
	if (refusal == NULL || !plain_refusal(body, refusal))
		return false;
	ret->refusal = refusal;
	return true;
}

/* What only cancellations and imports tell. */
static void plain_reservation_rare(struct plain_reader *r, struct keyrack_reservation_answer *ret)
{
	kr_assert(r->at <= r->end);
	switch (r->key) {
	case KEY(12, WIRE_VARINT):
		ret->has_amounts = plain_bool(r);
		break;
	case KEY(13, WIRE_VARINT):
		ret->penalty_minor = plain_varint(r);
		break;
	case KEY(14, WIRE_VARINT):
		ret->refundable_minor = plain_varint(r);
		break;
	case KEY(15, WIRE_VARINT):
		ret->nights_over_limit = plain_u32(r);
		break;
	default:
		r->is_odd = true;
	}
}

bool client_read_reservation(
	struct client_body body, struct kr_arena *arena, struct keyrack_reservation_answer *ret)
{
	struct plain_reader r = plain_begin(body);
	struct client_body refusal = {0};
	while (plain_next(&r)) {
		switch (r.key) {
		case KEY(1, WIRE_VARINT):
			ret->state = plain_u32(&r);
			break;
		case KEY(2, WIRE_VARINT):
			ret->revision = plain_u32(&r);
			break;
		case KEY(3, WIRE_FIXED64):
			ret->expires_at_us = plain_fixed64(&r);
			break;
		case KEY(4, WIRE_VARINT):
			ret->total_minor = plain_varint(&r);
			break;
		case KEY(5, WIRE_VARINT):
			ret->has_total = plain_bool(&r);
			break;
		case KEY(6, WIRE_VARINT):
			ret->event_seq = plain_varint(&r);
			break;
		case KEY(7, WIRE_VARINT):
			ret->due = plain_bool(&r);
			break;
		case KEY(8, WIRE_VARINT):
			ret->repeated = plain_bool(&r);
			break;
		case KEY(9, WIRE_FIXED64):
			ret->hotel_id = plain_fixed64(&r);
			break;
		case KEY(10, WIRE_VARINT):
			ret->first_code = plain_u32(&r);
			break;
		case KEY(11, WIRE_SIZED):
			refusal = plain_sized(&r);
			break;
		default:
			plain_reservation_rare(&r, ret);
		}
	}
	if (r.is_odd)
		return false;
	return refusal.bytes == NULL || plain_refused(refusal, arena, &ret->result);
}

/* ---- availability ---------------------------------------------------------------------------- */

struct plain_columns {
	struct client_body types, counters, rates, classes;
};

static bool plain_columns(struct client_body body, struct keyrack_availability_answer *ret,
	struct plain_columns *columns)
{
	struct plain_reader r = plain_begin(body);
	while (plain_next(&r)) {
		switch (r.key) {
		case KEY(1, WIRE_SIZED):
			columns->types = plain_sized(&r);
			break;
		case KEY(2, WIRE_VARINT):
			ret->first_day = plain_day(&r);
			break;
		case KEY(3, WIRE_VARINT):
			ret->night_count = plain_u32(&r);
			break;
		case KEY(4, WIRE_SIZED):
			columns->counters = plain_sized(&r);
			break;
		case KEY(5, WIRE_SIZED):
			columns->rates = plain_sized(&r);
			break;
		case KEY(6, WIRE_SIZED):
			columns->classes = plain_sized(&r);
			break;
		case KEY(7, WIRE_VARINT):
			ret->ari_version = plain_varint(&r);
			break;
		case KEY(8, WIRE_VARINT):
			ret->business_day = plain_day(&r);
			break;
		default: /* a refusal too */
			r.is_odd = true;
		}
	}
	return !r.is_odd;
}

/* The types of rooms, into room for as many as there are bytes. */
static bool plain_types(struct client_body body, uint32_t *types, uint32_t *ret_count)
{
	struct plain_reader r = plain_begin(body);
	uint32_t count = 0;
	for (; r.at < r.end && !r.is_odd; count++)
		types[count] = plain_u32(&r);
	kr_assert(count <= body.size_bytes);
	*ret_count = count;
	return !r.is_odd;
}

static uint64_t *plain_words(uint64_t *to, struct client_body column)
{
	kr_assert(column.size_bytes % sizeof(*to) == 0);
	/* Words of the wire are words in memory: little-endian (proto/frame.c). */
	if (column.size_bytes > 0)
		memcpy(to, column.bytes, column.size_bytes);
	return to + column.size_bytes / sizeof(*to);
}

bool client_read_availability(
	struct client_body body, struct kr_arena *arena, struct keyrack_availability_answer *ret)
{
	struct plain_columns c = {0};
	if (ret->result.outcome != KEYRACK_RESULT_DONE || !plain_columns(body, ret, &c))
		return false;
	/* One piece of the arena: the columns, then the types. */
	size_t column_bytes = c.counters.size_bytes;
	size_t words_bytes = 2 * column_bytes + c.classes.size_bytes;
	if (c.rates.size_bytes != column_bytes || column_bytes % sizeof(uint64_t) != 0 ||
		c.classes.size_bytes % (2 * sizeof(uint64_t)) != 0 ||
		!civil_days_are_valid(ret->first_day, ret->night_count))
		return false;
	uint64_t *words = kr_arena_alloc(
		arena, words_bytes + c.types.size_bytes * sizeof(uint32_t), alignof(uint64_t));
	if (words == NULL)
		return false;
	uint32_t *types = (void *)((uint8_t *)words + words_bytes);
	if (!plain_types(c.types, types, &ret->type_count))
		return false;
	uint64_t cells = (uint64_t)ret->type_count * ret->night_count;
	if (cells == 0 || cells != column_bytes / sizeof(uint64_t))
		return false;
	ret->types = types;
	ret->counters = words;
	ret->rates = words = plain_words(words, c.counters);
	words = plain_words(words, c.rates);
	ret->class_count = (uint32_t)(c.classes.size_bytes / (2 * sizeof(uint64_t)));
	ret->classes = ret->class_count > 0 ? words : NULL;
	(void)plain_words(words, c.classes);
	return true;
}
