/*
 * A 4-ary min-heap of 32-bit handles in memory of the caller.
 *
 * The owner of the handles says which of two comes first and is told where each one stands, so
 * that any handle can be removed, or moved after its key changed, in O(log n). `ops` is a constant
 * known where the heap is used: the calls are inlined there. Ties are the owner's to break; an
 * order that is total makes the heap deterministic.
 */
#ifndef BASE_HEAP32_H
#define BASE_HEAP32_H

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"

#define HEAP32_NOWHERE UINT32_MAX
#define HEAP32_ARITY 4u

struct heap32 {
	uint32_t *handles;
	uint32_t count;
	uint32_t capacity;
};

struct heap32_ops {
	bool (*is_before)(const void *owner, uint32_t a, uint32_t b);
	/* The handle now stands at `position`, or HEAP32_NOWHERE. */
	void (*set_position)(void *owner, uint32_t handle, uint32_t position);
};

static inline void heap32_init(struct heap32 *heap, uint32_t *handles, uint32_t capacity)
{
	kr_assert(handles != NULL || capacity == 0);
	kr_assert(capacity < HEAP32_NOWHERE / HEAP32_ARITY);
	heap->handles = handles;
	heap->count = 0;
	heap->capacity = capacity;
}

/* The first handle; the heap must not be empty. */
static inline uint32_t heap32_first(const struct heap32 *heap)
{
	kr_assert(heap->count > 0);
	return heap->handles[0];
}

static KR_ALWAYS_INLINE void heap32_put(struct heap32 *heap, const struct heap32_ops *ops,
	void *owner, uint32_t handle, uint32_t position)
{
	heap->handles[position] = handle;
	ops->set_position(owner, handle, position);
}

static KR_ALWAYS_INLINE uint32_t heap32_rise(struct heap32 *heap, const struct heap32_ops *ops,
	void *owner, uint32_t handle, uint32_t position)
{
	while (position > 0) {
		uint32_t parent = (position - 1) / HEAP32_ARITY;
		if (!ops->is_before(owner, handle, heap->handles[parent]))
			break;
		heap32_put(heap, ops, owner, heap->handles[parent], position);
		position = parent;
	}
	return position;
}

static KR_ALWAYS_INLINE uint32_t heap32_sink(struct heap32 *heap, const struct heap32_ops *ops,
	void *owner, uint32_t handle, uint32_t position)
{
	for (;;) {
		uint32_t child = position * HEAP32_ARITY + 1;
		if (child >= heap->count)
			return position;
		uint32_t end = KR_MIN(child + HEAP32_ARITY, heap->count);
		uint32_t best = child;
		while (++child < end) {
			if (ops->is_before(owner, heap->handles[child], heap->handles[best]))
				best = child;
		}
		if (!ops->is_before(owner, heap->handles[best], handle))
			return position;
		heap32_put(heap, ops, owner, heap->handles[best], position);
		position = best;
	}
}

/* The heap must not be full: its capacity is sized for every handle there can be. */
static KR_ALWAYS_INLINE void heap32_push(
	struct heap32 *heap, const struct heap32_ops *ops, void *owner, uint32_t handle)
{
	kr_assert(heap->count < heap->capacity);
	uint32_t position = heap32_rise(heap, ops, owner, handle, heap->count++);
	heap32_put(heap, ops, owner, handle, position);
}

/* To be called after the key of the handle at `position` changed, either way. */
static KR_ALWAYS_INLINE void heap32_update(
	struct heap32 *heap, const struct heap32_ops *ops, void *owner, uint32_t position)
{
	kr_assert(position < heap->count);
	uint32_t handle = heap->handles[position];
	uint32_t risen = heap32_rise(heap, ops, owner, handle, position);
	if (risen == position)
		risen = heap32_sink(heap, ops, owner, handle, position);
	heap32_put(heap, ops, owner, handle, risen);
}

/* Takes the handle at `position` out and tells the owner HEAP32_NOWHERE. Returns the handle. */
static KR_ALWAYS_INLINE uint32_t heap32_remove(
	struct heap32 *heap, const struct heap32_ops *ops, void *owner, uint32_t position)
{
	kr_assert(position < heap->count);
	uint32_t handle = heap->handles[position];
	uint32_t last = heap->handles[--heap->count];
	ops->set_position(owner, handle, HEAP32_NOWHERE);
	if (position < heap->count) {
		heap->handles[position] = last;
		heap32_update(heap, ops, owner, position);
	}
	return handle;
}

static KR_ALWAYS_INLINE uint32_t heap32_pop(
	struct heap32 *heap, const struct heap32_ops *ops, void *owner)
{
	return heap32_remove(heap, ops, owner, 0);
}

#endif
