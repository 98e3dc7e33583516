#include "proto/frame.h"

#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "proto/code.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the header is read and written in place: a little-endian machine is needed"
#endif

#define FRAME_WORD_COUNT (FRAME_HEADER_SIZE / sizeof(uint64_t))
#define FRAME_SUM_WORD 1 /* has the sum above the body's size */

/* Keeps the compiler from reading two neighbours at once. */
static KR_ALWAYS_INLINE uint64_t frame_field(uint32_t value)
{
	__asm__("" : "+r"(value));
	return value;
}

/*
 * The sum of the header with its magic, its version and a sum of zero. Its words are put together
 * from its fields: read from memory as they are, they would span stores of one to four bytes that
 * have just been made, and such a load waits until all stores before it have reached the cache.
 */
static uint32_t frame_header_sum(const struct frame_header *header)
{
	const uint64_t words[FRAME_WORD_COUNT] = {
		FRAME_MAGIC | (uint64_t)FRAME_VERSION << 32 | frame_field(header->type) << 40 |
			frame_field(header->route) << 48 | frame_field(header->flags) << 56,
		header->body_size_bytes,
		header->body_sum,
		header->cluster,
		header->routing_key,
		header->request_id,
		frame_field(header->remaining_us) | frame_field(header->map_epoch) << 32,
		frame_field(header->status) | frame_field(header->principal) << 16 |
			frame_field(header->via) << 32,
	};
	kr_static_assert(sizeof(words) == sizeof(*header), "every field is in one of the words");
	return (uint32_t)hash_64(words, sizeof(words));
}

static bool frame_type_is_known(unsigned type)
{
	switch (type) {
#define X(number, name, request, answer) case number:
		FRAME_TYPE_TABLE(X)
#undef X
		return true;
	default:
		return false;
	}
}

static bool frame_route_is_known(unsigned route)
{
	return route >= FRAME_ROUTE_HOTEL && route <= FRAME_ROUTE_ROUTER;
}

void frame_header_seal(struct frame_header *header)
{
	kr_assert(frame_type_is_known(header->type));
	kr_assert(frame_route_is_known(header->route));
	kr_assert(header->body_size_bytes <= FRAME_BODY_SIZE_MAX);
	kr_assert((header->flags & ~FRAME_FLAG_MASK) == 0);
	header->magic = FRAME_MAGIC;
	header->version = FRAME_VERSION;
	header->header_sum = frame_header_sum(header);
}

void frame_seal(struct frame_header *header, const void *body, size_t body_size_bytes)
{
	kr_assert(body != NULL || body_size_bytes == 0);
	kr_assert(body_size_bytes <= FRAME_BODY_SIZE_MAX);
	header->body_size_bytes = (uint32_t)body_size_bytes;
	header->body_sum = hash_64(body, body_size_bytes);
	frame_header_seal(header);
}

int frame_header_read(const void *bytes, struct frame_header *ret_header)
{
	kr_assert(bytes != NULL);
	kr_assert(ret_header != NULL);
	struct frame_header header;
	uint64_t words[FRAME_WORD_COUNT];
	memcpy(&header, bytes, sizeof(header));
	if (header.magic != FRAME_MAGIC)
		return KEYRACK_REJECT_MAGIC;
	if (header.version != FRAME_VERSION)
		return KEYRACK_REJECT_VERSION;
	memcpy(words, bytes, sizeof(words));
	words[FRAME_SUM_WORD] &= UINT32_MAX;
	if ((uint32_t)hash_64(words, sizeof(words)) != header.header_sum)
		return KEYRACK_REJECT_CHECKSUM;
	if (header.body_size_bytes > FRAME_BODY_SIZE_MAX)
		return KEYRACK_REJECT_SIZE;
	if (!frame_type_is_known(header.type) || !frame_route_is_known(header.route))
		return KEYRACK_REJECT_TYPE;
	if ((header.flags & ~FRAME_FLAG_MASK) != 0)
		return KEYRACK_REJECT_RESERVED;
	*ret_header = header;
	return 0;
}

int frame_body_check(const struct frame_header *header, const void *body)
{
	kr_assert(header->magic == FRAME_MAGIC);
	kr_assert(header->body_size_bytes <= FRAME_BODY_SIZE_MAX);
	if (hash_64(body, header->body_size_bytes) != header->body_sum)
		return KEYRACK_REJECT_CHECKSUM;
	return 0;
}

const char *frame_type_name(unsigned type)
{
	switch (type) {
#define X(number, name, request, answer)                                                           \
	case number:                                                                               \
		return #name;
		FRAME_TYPE_TABLE(X)
#undef X
	default:
		return "UNKNOWN";
	}
}
