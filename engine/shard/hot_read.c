#include <string.h>

#include "base/bytes.h"
#include "engine/shard/hot.h"

#define WIRE_VARINT 0u
#define WIRE_FIXED64 1u
#define WIRE_SIZED 2u
#define TAG(number, wire) ((number) << 3 | (wire))

struct hot_reader {
	const uint8_t *at;
	const uint8_t *end;
	bool is_odd; /* something an ordinary client does not write */
};

static uint64_t hot_varint_any(struct hot_reader *r)
{
	uint64_t value = 0;
	kr_assert(r->at <= r->end);
	for (unsigned shift = 0; r->at < r->end && shift < 63; shift += 7) {
		uint8_t byte = *r->at++;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			/* A longer form than needed. */
			r->is_odd |= byte == 0 && shift > 0;
			return value;
		}
	}
	r->is_odd = true;
	return 0;
}

/* Nearly all are one byte: tags, rooms, nights. */
static inline uint64_t hot_varint(struct hot_reader *r)
{
	if (KR_LIKELY(r->at < r->end && *r->at < 0x80))
		return *r->at++;
	return hot_varint_any(r);
}

static inline uint32_t hot_varint_max(struct hot_reader *r, uint32_t max)
{
	uint64_t value = hot_varint(r);
	kr_assert(r->at <= r->end);
	r->is_odd |= value > max;
	return value > max ? 0 : (uint32_t)value;
}

static inline bool hot_bool(struct hot_reader *r)
{
	return hot_varint_max(r, 1) != 0;
}

static inline uint64_t hot_fixed64(struct hot_reader *r)
{
	kr_assert(r->at <= r->end);
	if ((size_t)(r->end - r->at) < sizeof(uint64_t)) {
		r->is_odd = true;
		return 0;
	}
	uint64_t value = kr_load_u64(r->at);
	r->at += sizeof(uint64_t);
	return value;
}

static inline const uint8_t *hot_sized(struct hot_reader *r, uint32_t *ret_size_bytes)
{
	uint32_t size = hot_varint_max(r, UINT16_MAX);
	kr_assert(r->at <= r->end);
	if (r->is_odd || (size_t)(r->end - r->at) < size) {
		r->is_odd = true;
		*ret_size_bytes = 0;
		return NULL;
	}
	const uint8_t *bytes = r->at;
	r->at += size;
	*ret_size_bytes = size;
	return bytes;
}

/* The long way ends a text at its first zero byte. */
static struct inv_text hot_text(struct hot_reader *r)
{
	struct inv_text text = {0};
	text.bytes = (const char *)hot_sized(r, &text.size_bytes);
	if (text.size_bytes > INV_TEXT_SIZE_MAX ||
		(text.size_bytes > 0 && memchr(text.bytes, 0, text.size_bytes) != NULL))
		r->is_odd = true;
	kr_assert(text.bytes != NULL || text.size_bytes == 0);
	return text;
}

static bool hot_is_done(const struct hot_reader *r)
{
	kr_assert(r->at <= r->end);
	return r->is_odd || r->at == r->end;
}

static void hot_line(struct hot_reader *r, struct inv_line *line)
{
	kr_assert(r->at <= r->end);
	kr_assert(line != NULL);
	*line = (struct inv_line){0};
	while (!hot_is_done(r)) {
		switch (hot_varint(r)) {
		case TAG(1, WIRE_VARINT):
			line->type = (uint16_t)hot_varint_max(r, UINT16_MAX);
			break;
		case TAG(2, WIRE_VARINT):
			line->plan = (uint16_t)hot_varint_max(r, UINT16_MAX);
			break;
		case TAG(3, WIRE_VARINT):
			line->check_in = (int32_t)hot_varint_max(r, INT32_MAX);
			break;
		case TAG(4, WIRE_VARINT):
			line->check_out = (int32_t)hot_varint_max(r, INT32_MAX);
			break;
		case TAG(5, WIRE_VARINT):
			line->rooms = (uint16_t)hot_varint_max(r, UINT16_MAX);
			break;
		case TAG(6, WIRE_VARINT):
			line->guests = (uint16_t)hot_varint_max(r, UINT16_MAX);
			break;
		case TAG(7, WIRE_VARINT):
			line->pricing = (uint8_t)hot_varint_max(r, INV_PRICE_NONE);
			break;
		default: /* price runs too */
			r->is_odd = true;
		}
	}
}

static void hot_reserve_line(struct hot_reader *r, struct hot_reserve *ret)
{
	uint32_t size;
	const uint8_t *bytes = hot_sized(r, &size);
	if (bytes == NULL || ret->line_count == INV_LINES_MAX) {
		r->is_odd = true;
		return;
	}
	struct hot_reader line = {.at = bytes, .end = bytes + size};
	hot_line(&line, &ret->lines[ret->line_count++]);
	r->is_odd |= line.is_odd;
	kr_assert(ret->line_count <= INV_LINES_MAX);
}

/* The fields that most requests do without. */
static void hot_reserve_rare(struct hot_reader *r, uint64_t tag, struct hot_reserve *ret)
{
	kr_assert(ret->line_count <= INV_LINES_MAX);
	kr_assert(r->at <= r->end);
	switch (tag) {
	case TAG(6, WIRE_VARINT):
		ret->has_expected_total = hot_bool(r);
		break;
	case TAG(7, WIRE_VARINT):
		ret->expected_total_minor = hot_varint(r);
		break;
	case TAG(8, WIRE_FIXED64):
		ret->guest_hi = hot_fixed64(r);
		break;
	case TAG(9, WIRE_FIXED64):
		ret->guest_lo = hot_fixed64(r);
		break;
	case TAG(10, WIRE_SIZED):
		ret->external_ref = hot_text(r);
		break;
	case TAG(11, WIRE_SIZED):
		ret->payment_ref = hot_text(r);
		break;
	case TAG(14, WIRE_SIZED):
		ret->reason = hot_text(r);
		break;
	default:
		r->is_odd = true;
	}
}

bool hot_reserve_read(const uint8_t *body, size_t size_bytes, struct hot_reserve *ret)
{
	struct hot_reader r = {.at = body, .end = body + size_bytes};
	memset(ret, 0, offsetof(struct hot_reserve, lines));
	kr_assert(body != NULL || size_bytes == 0);
	while (!hot_is_done(&r)) {
		uint64_t tag = hot_varint(&r);
		switch (tag) {
		case TAG(1, WIRE_FIXED64):
			ret->hotel_id = hot_fixed64(&r);
			break;
		case TAG(2, WIRE_FIXED64):
			ret->id_hi = hot_fixed64(&r);
			break;
		case TAG(3, WIRE_FIXED64):
			ret->id_lo = hot_fixed64(&r);
			break;
		case TAG(4, WIRE_SIZED):
			hot_reserve_line(&r, ret);
			break;
		case TAG(5, WIRE_VARINT):
			ret->ttl_us = hot_varint(&r);
			break;
		case TAG(12, WIRE_VARINT):
			ret->actor = hot_varint(&r);
			break;
		case TAG(13, WIRE_VARINT):
			ret->source = hot_varint_max(&r, UINT32_MAX);
			break;
		default:
			hot_reserve_rare(&r, tag, ret);
		}
	}
	return !r.is_odd;
}

bool hot_transition_read(const uint8_t *body, size_t size_bytes, struct hot_transition *ret)
{
	struct hot_reader r = {.at = body, .end = body + size_bytes};
	memset(ret, 0, sizeof(*ret));
	kr_assert(body != NULL || size_bytes == 0);
	while (!hot_is_done(&r)) {
		switch (hot_varint(&r)) {
		case TAG(1, WIRE_FIXED64):
			ret->id_hi = hot_fixed64(&r);
			break;
		case TAG(2, WIRE_FIXED64):
			ret->id_lo = hot_fixed64(&r);
			break;
		case TAG(3, WIRE_VARINT):
			ret->has_hotel = hot_bool(&r);
			break;
		case TAG(4, WIRE_FIXED64):
			ret->hotel_id = hot_fixed64(&r);
			break;
		case TAG(5, WIRE_VARINT):
			ret->has_expected_revision = hot_bool(&r);
			break;
		case TAG(6, WIRE_VARINT):
			ret->expected_revision = hot_varint_max(&r, UINT32_MAX);
			break;
		case TAG(7, WIRE_SIZED):
			ret->payment_ref = hot_text(&r);
			break;
		case TAG(8, WIRE_VARINT):
			ret->any = hot_bool(&r);
			break;
		case TAG(9, WIRE_VARINT):
			ret->actor = hot_varint(&r);
			break;
		case TAG(10, WIRE_VARINT):
			ret->source = hot_varint_max(&r, UINT32_MAX);
			break;
		case TAG(11, WIRE_SIZED):
			ret->reason = hot_text(&r);
			break;
		default:
			r.is_odd = true;
		}
	}
	return !r.is_odd;
}

static void hot_types(struct hot_reader *r, struct hot_availability *ret)
{
	uint32_t size;
	const uint8_t *bytes = hot_sized(r, &size);
	struct hot_reader types = {.at = bytes, .end = bytes == NULL ? bytes : bytes + size};
	while (bytes != NULL && !hot_is_done(&types)) {
		if (ret->type_count == KR_ARRAY_COUNT(ret->types)) {
			types.is_odd = true;
			break;
		}
		ret->types[ret->type_count++] = (uint16_t)hot_varint_max(&types, UINT16_MAX);
	}
	r->is_odd |= types.is_odd;
	kr_assert(ret->type_count <= KR_ARRAY_COUNT(ret->types));
}

bool hot_availability_read(const uint8_t *body, size_t size_bytes, struct hot_availability *ret)
{
	struct hot_reader r = {.at = body, .end = body + size_bytes};
	memset(ret, 0, offsetof(struct hot_availability, types));
	kr_assert(body != NULL || size_bytes == 0);
	while (!hot_is_done(&r)) {
		switch (hot_varint(&r)) {
		case TAG(1, WIRE_FIXED64):
			ret->hotel_id = hot_fixed64(&r);
			break;
		case TAG(2, WIRE_SIZED):
			hot_types(&r, ret);
			break;
		case TAG(3, WIRE_VARINT):
			ret->first_day = (int32_t)hot_varint_max(&r, INT32_MAX);
			break;
		case TAG(4, WIRE_VARINT):
			ret->night_count = hot_varint_max(&r, UINT32_MAX);
			break;
		case TAG(5, WIRE_VARINT):
			ret->plan = (uint16_t)hot_varint_max(&r, INV_PLAN_NUMBER_MAX);
			break;
		default:
			r.is_odd = true;
		}
	}
	return !r.is_odd;
}
