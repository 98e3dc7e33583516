/*
 * A bump arena over memory of the caller: allocation is an addition, freeing is all at once.
 * It never grows; when it is full it says so. `peak_bytes` tells how close it came.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

struct kr_arena {
	uint8_t *base;
	size_t size_bytes;
	size_t used_bytes;
	size_t peak_bytes;
};

/* `memory` stays the caller's and outlives the arena. */
void kr_arena_init(struct kr_arena *arena, void *memory, size_t size_bytes);

/*
 * `size_bytes` at a multiple of `align` (a power of two, up to 4096), not zeroed; NULL when it
 * does not fit, and then nothing has changed. A size of 0 gives a pointer that may not be read.
 */
void *kr_arena_alloc(struct kr_arena *arena, size_t size_bytes, size_t align);
/* The same, zeroed. */
void *kr_arena_alloc_zero(struct kr_arena *arena, size_t size_bytes, size_t align);
/* `count` elements, zeroed; NULL too when the product overflows. */
void *kr_arena_alloc_array(struct kr_arena *arena, size_t count, size_t size_bytes, size_t align);

#define KR_ARENA_NEW(arena, type)                                                                  \
	((type *)kr_arena_alloc_zero((arena), sizeof(type), _Alignof(type)))
#define KR_ARENA_ARRAY(arena, type, count)                                                         \
	((type *)kr_arena_alloc_array((arena), (count), sizeof(type), _Alignof(type)))

void kr_arena_reset(struct kr_arena *arena);

/* A mark taken now takes back, on rewind, everything allocated after it. */
static inline size_t kr_arena_mark(const struct kr_arena *arena)
{
	return arena->used_bytes;
}

void kr_arena_rewind(struct kr_arena *arena, size_t mark);

static inline size_t kr_arena_left(const struct kr_arena *arena)
{
	return arena->size_bytes - arena->used_bytes;
}

#endif
