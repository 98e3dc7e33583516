#include "proto/pb_arena.h"

#include <stdalign.h>

static void *pb_arena_alloc(void *context, size_t size_bytes)
{
	struct pb_arena *arena = context;
	kr_assert(arena->allocator.allocator_data == arena);
	return kr_arena_alloc(&arena->arena, size_bytes, alignof(max_align_t));
}

static void pb_arena_free(void *context, void *pointer)
{
	struct pb_arena *arena = context;
	kr_assert(arena->allocator.allocator_data == arena);
	kr_assert(pointer == NULL || (uint8_t *)pointer >= arena->arena.base);
}

void pb_arena_init(struct pb_arena *arena, void *memory, size_t size_bytes)
{
	kr_assert(memory != NULL);
	kr_assert(size_bytes > 0);
	kr_arena_init(&arena->arena, memory, size_bytes);
	arena->allocator = (ProtobufCAllocator){
		.alloc = pb_arena_alloc,
		.free = pb_arena_free,
		.allocator_data = arena,
	};
}
