#include "proto/frame.h"

#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "proto/code.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the header is read and written in place: a little-endian machine is needed"
#endif

static uint32_t frame_header_sum(const struct frame_header *header)
{
	kr_assert(header->header_sum == 0);
	return (uint32_t)hash_64(header, sizeof(*header));
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
	header->header_sum = 0;
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
	memcpy(&header, bytes, sizeof(header));
	if (header.magic != FRAME_MAGIC)
		return KEYRACK_REJECT_MAGIC;
	if (header.version != FRAME_VERSION)
		return KEYRACK_REJECT_VERSION;
	uint32_t sum = header.header_sum;
	header.header_sum = 0;
	if (frame_header_sum(&header) != sum)
		return KEYRACK_REJECT_CHECKSUM;
	header.header_sum = sum;
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
