/*
 * Private to the inventory: entries of a table, taken and given back in O(1).
 *
 * A free entry is linked through one of its own 32-bit members; entries never used yet are handed
 * out by a high-water mark, so that the table's memory is touched only as it fills.
 */
#ifndef ENGINE_INVENTORY_POOL_H
#define ENGINE_INVENTORY_POOL_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

#define INV_POOL_EMPTY UINT32_MAX

struct inv_pool {
	uint32_t capacity;
	uint32_t used;
	uint32_t fresh; /* entries from here on were never used */
	uint32_t free_head;
};

static inline void inv_pool_init(struct inv_pool *pool, uint32_t capacity)
{
	kr_assert(capacity < INV_POOL_EMPTY);
	*pool = (struct inv_pool){.capacity = capacity, .free_head = INV_POOL_EMPTY};
}

static inline uint32_t inv_pool_left(const struct inv_pool *pool)
{
	kr_assert(pool->used <= pool->capacity);
	return pool->capacity - pool->used;
}

/* `links` is the link member of entry 0, `size_bytes` the entry's. INV_POOL_EMPTY: none is left. */
static inline uint32_t inv_pool_take(struct inv_pool *pool, const void *links, size_t size_bytes)
{
	kr_assert(pool->used <= pool->fresh && pool->fresh <= pool->capacity);
	uint32_t entry = pool->free_head;
	if (entry != INV_POOL_EMPTY) {
		const char *link = (const char *)links + entry * size_bytes;
		pool->free_head = *(const uint32_t *)(const void *)link;
	} else if (pool->fresh < pool->capacity) {
		entry = pool->fresh++;
	} else {
		return INV_POOL_EMPTY;
	}
	pool->used++;
	return entry;
}

static inline void inv_pool_give(
	struct inv_pool *pool, void *links, size_t size_bytes, uint32_t entry)
{
	kr_assert(entry < pool->fresh);
	kr_assert(pool->used > 0);
	char *link = (char *)links + entry * size_bytes;
	*(uint32_t *)(void *)link = pool->free_head;
	pool->free_head = entry;
	pool->used--;
}

#endif
