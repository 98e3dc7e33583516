#include <criterion/criterion.h>

#include <string.h>

#include "base/arena.h"
#include "base/rng.h"

Test(arena, gives_aligned_pieces_that_do_not_overlap_until_it_is_full)
{
	uint8_t memory[4096];
	struct kr_arena arena;
	struct rng rng;
	rng_init(&rng, 12);
	for (uint32_t round = 0; round < 200; round++) {
		uint8_t *end = memory + 1;
		kr_arena_init(&arena, memory + 1, sizeof(memory) - 1);
		for (;;) {
			size_t size = rng_below(&rng, 100);
			size_t align = (size_t)1 << rng_below(&rng, 7);
			size_t used = arena.used_bytes;
			uint8_t *piece = kr_arena_alloc(&arena, size, align);
			if (piece == NULL) {
				cr_assert_eq(arena.used_bytes, used);
				cr_assert(kr_arena_left(&arena) < size + align);
				break;
			}
			cr_assert_eq((uintptr_t)piece % align, 0);
			cr_assert(piece >= end);
			end = piece + size;
			cr_assert(end <= memory + sizeof(memory));
		}
		size_t peak = arena.peak_bytes;
		kr_arena_reset(&arena);
		cr_assert_eq(arena.used_bytes, 0);
		cr_assert_eq(arena.peak_bytes, peak);
	}
}

Test(arena, arrays_do_not_overflow_and_rewinding_takes_back)
{
	uint64_t memory[64];
	struct kr_arena arena;
	memset(memory, 0xff, sizeof(memory));
	kr_arena_init(&arena, memory, sizeof(memory));
	cr_assert_null(KR_ARENA_ARRAY(&arena, uint64_t, SIZE_MAX / 4));
	cr_assert_null(KR_ARENA_ARRAY(&arena, uint64_t, 65));
	uint64_t *one = KR_ARENA_NEW(&arena, uint64_t);
	cr_assert_eq(*one, 0);
	size_t mark = kr_arena_mark(&arena);
	uint64_t *rest = KR_ARENA_ARRAY(&arena, uint64_t, 63);
	cr_assert_not_null(rest);
	for (uint32_t i = 0; i < 63; i++)
		cr_assert_eq(rest[i], 0);
	cr_assert_null(kr_arena_alloc(&arena, 1, 1));
	kr_arena_rewind(&arena, mark);
	cr_assert_eq(KR_ARENA_ARRAY(&arena, uint64_t, 63), rest);
}
