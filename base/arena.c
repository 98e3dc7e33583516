#include "base/arena.h"

#include <string.h>

#define ALIGN_MAX 4096u

void kr_arena_init(struct kr_arena *arena, void *memory, size_t size_bytes)
{
	kr_assert(arena != NULL);
	kr_assert(memory != NULL || size_bytes == 0);
	arena->base = memory;
	arena->size_bytes = size_bytes;
	arena->used_bytes = 0;
	arena->peak_bytes = 0;
}

void *kr_arena_alloc(struct kr_arena *arena, size_t size_bytes, size_t align)
{
	kr_assert(align > 0 && (align & (align - 1)) == 0);
	kr_assert(align <= ALIGN_MAX);
	kr_assert(arena->used_bytes <= arena->size_bytes);
	/* The address is aligned, not the offset: the base may be any pointer. */
	size_t padding = (size_t)(0 - ((uintptr_t)arena->base + arena->used_bytes)) & (align - 1);
	size_t left = kr_arena_left(arena);
	if (padding > left || size_bytes > left - padding)
		return NULL;
	void *memory = arena->base + arena->used_bytes + padding;
	arena->used_bytes += padding + size_bytes;
	arena->peak_bytes = KR_MAX(arena->peak_bytes, arena->used_bytes);
	kr_assert((uintptr_t)memory % align == 0);
	return memory;
}

void *kr_arena_alloc_zero(struct kr_arena *arena, size_t size_bytes, size_t align)
{
	kr_assert(arena != NULL);
	void *memory = kr_arena_alloc(arena, size_bytes, align);
	if (memory != NULL)
		memset(memory, 0, size_bytes);
	return memory;
}

void *kr_arena_alloc_array(struct kr_arena *arena, size_t count, size_t size_bytes, size_t align)
{
	size_t total;
	kr_assert(size_bytes > 0);
	if (__builtin_mul_overflow(count, size_bytes, &total))
		return NULL;
	return kr_arena_alloc_zero(arena, total, align);
}

void kr_arena_reset(struct kr_arena *arena)
{
	kr_assert(arena->used_bytes <= arena->size_bytes);
	arena->used_bytes = 0;
}

void kr_arena_rewind(struct kr_arena *arena, size_t mark)
{
	kr_assert(mark <= arena->used_bytes);
	arena->used_bytes = mark;
}
