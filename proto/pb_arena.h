/*
 * protobuf-c on a bump arena: decoding a message asks nobody for memory.
 *
 * The arena is reset between batches, never between the parts of a message. It is bounded: when
 * it is full, unpacking fails as a whole and the message is refused like any malformed one. What
 * was unpacked lives until the reset; there is nothing to free.
 */
#ifndef PROTO_PB_ARENA_H
#define PROTO_PB_ARENA_H

#include <stddef.h>

#include <protobuf-c/protobuf-c.h>

#include "base/arena.h"
#include "base/check.h"

struct pb_arena {
	ProtobufCAllocator allocator; /* hand this to ..._unpack() */
	struct kr_arena arena;
};

/* `memory` stays the caller's. The arena must not move afterwards: the allocator points at it. */
void pb_arena_init(struct pb_arena *arena, void *memory, size_t size_bytes);

static inline void pb_arena_reset(struct pb_arena *arena)
{
	kr_arena_reset(&arena->arena);
}

#endif
