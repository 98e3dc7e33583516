#include <criterion/criterion.h>

#include "base/heap32.h"
#include "base/rng.h"

#define COUNT 500u

struct owner {
	uint64_t keys[COUNT];
	uint32_t positions[COUNT];
	uint64_t compared_count;
};

static bool is_before(const void *context, uint32_t a, uint32_t b)
{
	const struct owner *owner = context;
	((struct owner *)(uintptr_t)owner)->compared_count++;
	if (owner->keys[a] != owner->keys[b])
		return owner->keys[a] < owner->keys[b];
	return a < b;
}

static void set_position(void *context, uint32_t handle, uint32_t position)
{
	struct owner *owner = context;
	owner->positions[handle] = position;
}

static const struct heap32_ops ops = {.is_before = is_before, .set_position = set_position};

static uint32_t reference_first(const struct owner *owner)
{
	uint32_t first = HEAP32_NOWHERE;
	for (uint32_t i = 0; i < COUNT; i++) {
		if (owner->positions[i] == HEAP32_NOWHERE)
			continue;
		if (first == HEAP32_NOWHERE || owner->keys[i] < owner->keys[first])
			first = i;
	}
	return first;
}

static void check(const struct heap32 *heap, const struct owner *owner)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < COUNT; i++) {
		if (owner->positions[i] == HEAP32_NOWHERE)
			continue;
		count++;
		cr_assert(owner->positions[i] < heap->count);
		cr_assert_eq(heap->handles[owner->positions[i]], i);
	}
	cr_assert_eq(count, heap->count);
	if (count > 0)
		cr_assert_eq(heap32_first(heap), reference_first(owner));
}

Test(heap32, agrees_with_a_walk_under_random_pushes_moves_and_removals)
{
	static struct owner owner;
	uint32_t handles[COUNT];
	struct heap32 heap;
	struct rng rng;
	rng_init(&rng, 3);
	heap32_init(&heap, handles, COUNT);
	for (uint32_t i = 0; i < COUNT; i++)
		owner.positions[i] = HEAP32_NOWHERE;
	for (uint32_t step = 0; step < 100000; step++) {
		uint32_t handle = (uint32_t)rng_below(&rng, COUNT);
		uint32_t position = owner.positions[handle];
		if (position == HEAP32_NOWHERE) {
			owner.keys[handle] = rng_below(&rng, 200);
			heap32_push(&heap, &ops, &owner, handle);
		} else if (rng_chance(&rng, 500000)) {
			owner.keys[handle] = rng_below(&rng, 200);
			heap32_update(&heap, &ops, &owner, position);
		} else if (rng_chance(&rng, 500000)) {
			cr_assert_eq(heap32_remove(&heap, &ops, &owner, position), handle);
			cr_assert_eq(owner.positions[handle], HEAP32_NOWHERE);
		} else {
			uint32_t first = reference_first(&owner);
			cr_assert_eq(heap32_pop(&heap, &ops, &owner), first);
		}
		if (step % 16 == 0)
			check(&heap, &owner);
	}
}

Test(heap32, pops_in_order_at_a_logarithmic_cost)
{
	static struct owner owner;
	uint32_t handles[COUNT];
	struct heap32 heap;
	struct rng rng;
	rng_init(&rng, 4);
	heap32_init(&heap, handles, COUNT);
	for (uint32_t i = 0; i < COUNT; i++) {
		owner.keys[i] = rng_next(&rng);
		heap32_push(&heap, &ops, &owner, i);
	}
	owner.compared_count = 0;
	uint64_t previous = 0;
	for (uint32_t i = 0; i < COUNT; i++) {
		uint32_t handle = heap32_pop(&heap, &ops, &owner);
		cr_assert(owner.keys[handle] >= previous);
		previous = owner.keys[handle];
	}
	cr_assert_eq(heap.count, 0);
	/* Five levels, four comparisons each, and one to rise. */
	cr_assert(owner.compared_count <= (uint64_t)COUNT * 21);
}
