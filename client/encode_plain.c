/*
 * A plain sale, one line and nothing special about it, is written by hand, and a question for few
 * types: the bytes are those of message_pack(), at a tenth of its instructions.
 */
#include "client/encode.h"

#include <string.h>

#include "proto/message_wire.h"

#define PLAIN_KEY_SIZE 1u
#define PLAIN_FIXED_SIZE (PLAIN_KEY_SIZE + 8u)
#define PLAIN_VARINT_SIZE_MAX (PLAIN_KEY_SIZE + 10u)
#define PLAIN_LINE_SIZE_MAX (8u * PLAIN_VARINT_SIZE_MAX)
#define PLAIN_SIZE_MAX                                                                             \
	(3u * PLAIN_FIXED_SIZE + 2u + PLAIN_LINE_SIZE_MAX + 3u * PLAIN_VARINT_SIZE_MAX)

#define PLAIN_TYPES_MAX 16u
#define PLAIN_TYPES_SIZE_MAX (PLAIN_TYPES_MAX * 5u)
#define PLAIN_QUERY_SIZE_MAX                                                                       \
	(PLAIN_FIXED_SIZE + 2u + PLAIN_TYPES_SIZE_MAX + 3u * PLAIN_VARINT_SIZE_MAX)

kr_static_assert(PLAIN_TYPES_SIZE_MAX < 0x80, "the types' length takes one byte");
kr_static_assert(PLAIN_QUERY_SIZE_MAX <= CLIENT_BODY_SMALL_SIZE, "a plain question fits too");
kr_static_assert(PLAIN_LINE_SIZE_MAX < 0x80, "the line's length takes one byte");
kr_static_assert(PLAIN_SIZE_MAX <= CLIENT_BODY_SMALL_SIZE, "a plain sale fits its entry");

static bool plain_has_text(const char *text)
{
	return text != NULL && text[0] != 0;
}

static bool plain_has_id(struct keyrack_id id)
{
	return (id.hi | id.lo) != 0;
}

bool client_reserve_is_plain(const struct keyrack_reserve *reserve)
{
	kr_assert(reserve != NULL);
	if (reserve->line_count != 1 || reserve->lines == NULL || reserve->lines[0].run_count != 0)
		return false;
	if (reserve->force || reserve->has_expected_total || reserve->expected_total_minor != 0)
		return false;
	if (plain_has_id(reserve->reacquires) || plain_has_id(reserve->replaces) ||
		plain_has_id(reserve->guest))
		return false;
	return !plain_has_text(reserve->external_ref) && !plain_has_text(reserve->payment_ref) &&
	       !plain_has_text(reserve->origin.reason);
}

static KR_ALWAYS_INLINE uint8_t *plain_fixed64(uint8_t *at, uint32_t field, uint64_t value)
{
	kr_assert(field > 0 && field < 16);
	if (value == 0)
		return at;
	*at++ = (uint8_t)(field << 3 | WIRE_FIXED64);
	memcpy(at, &value, sizeof(value));
	return at + sizeof(value);
}

static KR_ALWAYS_INLINE uint8_t *plain_varint(uint8_t *at, uint32_t field, uint64_t value)
{
	kr_assert(field > 0 && field < 16);
	if (value == 0)
		return at;
	*at++ = (uint8_t)(field << 3 | WIRE_VARINT);
	return wire_varint_write(at, value);
}

static uint8_t *plain_line(uint8_t *at, const struct keyrack_line *line)
{
	*at++ = 4u << 3 | WIRE_SIZED;
	uint8_t *length = at++;
	at = plain_varint(at, 1, line->type);
	at = plain_varint(at, 2, line->plan);
	/* A negative int32 is sign-extended on the wire. */
	at = plain_varint(at, 3, (uint64_t)(int64_t)line->check_in_day);
	at = plain_varint(at, 4, (uint64_t)(int64_t)line->check_out_day);
	at = plain_varint(at, 5, line->rooms);
	at = plain_varint(at, 6, line->guests);
	at = plain_varint(at, 7, (uint32_t)line->pricing);
	at = plain_varint(at, 10, line->keeps);
	kr_assert(at - length - 1 <= (ptrdiff_t)PLAIN_LINE_SIZE_MAX);
	*length = (uint8_t)(at - length - 1);
	return at;
}

void client_pack_plain_reserve(struct client_pack *pack, const struct keyrack_reserve *reserve)
{
	uint32_t source;
	uint8_t *bytes = pack->entry->small;
	uint64_t actor = client_actor(pack, &reserve->origin, &source);
	kr_assert(pack->entry->large == NULL);
	kr_assert(reserve->line_count == 1);
	uint8_t *at = plain_fixed64(bytes, 1, reserve->hotel_id);
	at = plain_fixed64(at, 2, reserve->id.hi);
	at = plain_fixed64(at, 3, reserve->id.lo);
	at = plain_line(at, &reserve->lines[0]);
	at = plain_varint(at, 5, reserve->ttl_us);
	at = plain_varint(at, 12, actor);
	at = plain_varint(at, 13, source);
	kr_assert(at - bytes <= (ptrdiff_t)PLAIN_SIZE_MAX);
	pack->request.body = bytes;
	pack->request.body_size_bytes = (uint32_t)(at - bytes);
}

bool client_availability_is_plain(const struct keyrack_availability *ask)
{
	kr_assert(ask != NULL);
	kr_assert(ask->types != NULL || ask->type_count == 0);
	return ask->type_count <= PLAIN_TYPES_MAX;
}

static uint8_t *plain_types(uint8_t *at, const uint32_t *types, uint32_t count)
{
	kr_assert(count <= PLAIN_TYPES_MAX);
	if (count == 0)
		return at;
	*at++ = 2u << 3 | WIRE_SIZED;
	uint8_t *length = at++;
	for (uint32_t i = 0; i < count; i++)
		at = wire_varint_write(at, types[i]);
	kr_assert(at - length - 1 <= (ptrdiff_t)PLAIN_TYPES_SIZE_MAX);
	*length = (uint8_t)(at - length - 1);
	return at;
}

void client_pack_plain_availability(
	struct client_pack *pack, const struct keyrack_availability *ask)
{
	uint8_t *bytes = pack->entry->small;
	kr_assert(pack->entry->large == NULL);
	uint8_t *at = plain_fixed64(bytes, 1, ask->hotel_id);
	at = plain_types(at, ask->types, ask->type_count);
	at = plain_varint(at, 3, (uint64_t)(int64_t)ask->first_day);
	at = plain_varint(at, 4, ask->night_count);
	at = plain_varint(at, 5, ask->plan);
	kr_assert(at - bytes <= (ptrdiff_t)PLAIN_QUERY_SIZE_MAX);
	pack->request.body = bytes;
	pack->request.body_size_bytes = (uint32_t)(at - bytes);
}
