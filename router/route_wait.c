#include <string.h>

#include "base/bug.h"
#include "router/route_priv.h"

void route_wait_init(struct route_wait *wait, struct route_wait_item *items,
	uint32_t item_max_count, uint8_t *bytes, uint32_t size_max_bytes)
{
	kr_assert(items != NULL && item_max_count > 0);
	kr_assert(bytes != NULL && size_max_bytes >= FRAME_HEADER_SIZE);
	*wait = (struct route_wait){
		.bytes = bytes,
		.items = items,
		.size_max_bytes = size_max_bytes,
		.item_max_count = item_max_count,
		.first_deadline_us = UINT64_MAX,
	};
}

uint32_t route_wait_count(const struct route_wait *wait)
{
	kr_assert(wait->item_first <= wait->item_count);
	kr_assert(wait->hole_count <= wait->item_count - wait->item_first);
	return wait->item_count - wait->item_first - wait->hole_count;
}

static void wait_clear(struct route_wait *wait)
{
	kr_assert(route_wait_count(wait) == 0);
	kr_assert(wait->size_bytes <= wait->size_max_bytes);
	wait->item_first = wait->item_count = wait->size_bytes = 0;
	wait->hole_count = wait->hole_size_bytes = 0;
	wait->first_deadline_us = UINT64_MAX;
}

/* Closes the holes; frames keep their order. */
static void wait_compact(struct route_wait *wait)
{
	uint32_t kept = 0, offset = 0;

	for (uint32_t i = wait->item_first; i < wait->item_count; i++) {
		struct route_wait_item item = wait->items[i];
		if (item.flight == ROUTE_NONE)
			continue;
		kr_assert(offset <= item.offset && kept <= i);
		memmove(wait->bytes + offset, wait->bytes + item.offset, item.size_bytes);
		item.offset = offset;
		offset += item.size_bytes;
		wait->items[kept++] = item;
	}
	kr_assert(offset == wait->size_bytes - wait->hole_size_bytes || wait->item_first > 0);
	wait->item_first = 0;
	wait->item_count = kept;
	wait->size_bytes = offset;
	wait->hole_count = wait->hole_size_bytes = 0;
}

static bool wait_fits(const struct route_wait *wait, uint32_t size_bytes)
{
	kr_assert(wait->size_bytes <= wait->size_max_bytes);
	kr_assert(wait->item_count <= wait->item_max_count);
	return wait->item_count < wait->item_max_count &&
	       size_bytes <= wait->size_max_bytes - wait->size_bytes;
}

/* Closing holes moves all that is left: only once a quarter has died is that paid for. */
static bool wait_is_holey(const struct route_wait *wait)
{
	kr_assert(wait->hole_count <= wait->item_count);
	kr_assert(wait->hole_size_bytes <= wait->size_bytes);
	return wait->hole_count >= wait->item_max_count / 4 ||
	       wait->hole_size_bytes >= wait->size_max_bytes / 4;
}

bool route_wait_push(struct route_wait *wait, uint32_t flight, uint64_t deadline_us,
	const struct frame_header *header, const uint8_t *body)
{
	uint32_t size_bytes = FRAME_HEADER_SIZE + header->body_size_bytes;

	kr_assert(flight != ROUTE_NONE);
	kr_assert(header->body_size_bytes <= FRAME_BODY_SIZE_MAX);
	if (route_wait_count(wait) == 0)
		wait_clear(wait);
	if (!wait_fits(wait, size_bytes) && wait_is_holey(wait))
		wait_compact(wait);
	if (!wait_fits(wait, size_bytes))
		return false;
	uint8_t *to = wait->bytes + wait->size_bytes;
	memcpy(to, header, FRAME_HEADER_SIZE);
	if (header->body_size_bytes > 0)
		memcpy(to + FRAME_HEADER_SIZE, body, header->body_size_bytes);
	wait->items[wait->item_count++] =
		(struct route_wait_item){flight, wait->size_bytes, size_bytes};
	wait->size_bytes += size_bytes;
	if (deadline_us < wait->first_deadline_us)
		wait->first_deadline_us = deadline_us;
	return true;
}

void route_wait_kill(struct route_wait *wait, uint32_t item)
{
	kr_assert(item >= wait->item_first && item < wait->item_count);
	kr_assert(wait->items[item].flight != ROUTE_NONE);
	wait->items[item].flight = ROUTE_NONE;
	wait->hole_count++;
	wait->hole_size_bytes += wait->items[item].size_bytes;
}

uint32_t route_wait_pop(
	struct route_wait *wait, struct frame_header *ret_header, const uint8_t **ret_body)
{
	kr_assert(wait->item_first <= wait->item_count);
	while (wait->item_first < wait->item_count) {
		struct route_wait_item item =
			wait->items[bug_is(BUG_OPERATIONS_REORDERED) ? --wait->item_count
								     : wait->item_first++];
		if (item.flight == ROUTE_NONE) {
			wait->hole_count--;
			wait->hole_size_bytes -= item.size_bytes;
			continue;
		}
		kr_assert(item.size_bytes >= FRAME_HEADER_SIZE);
		memcpy(ret_header, wait->bytes + item.offset, FRAME_HEADER_SIZE);
		*ret_body = wait->bytes + item.offset + FRAME_HEADER_SIZE;
		return item.flight;
	}
	wait_clear(wait);
	return ROUTE_NONE;
}
