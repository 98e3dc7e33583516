#include <criterion/criterion.h>

#include <stdint.h>

#include "proto/keyrack.pb-c.h"
#include "proto/pb_arena.h"

static _Alignas(16) uint8_t memory[4096];

static size_t pack_line(uint8_t *bytes, uint32_t run_count)
{
	static uint32_t nights[512];
	static uint64_t prices[512];
	Keyrack__Line line = KEYRACK__LINE__INIT;
	for (uint32_t i = 0; i < run_count; i++) {
		nights[i] = 1;
		prices[i] = 100;
	}
	line.rooms = 3;
	line.n_run_nights = run_count;
	line.run_nights = nights;
	line.n_run_price_minor = run_count;
	line.run_price_minor = prices;
	return keyrack__line__pack(&line, bytes);
}

Test(pb_arena, a_message_lives_in_the_arena_until_the_reset)
{
	uint8_t bytes[2048];
	struct pb_arena arena;
	pb_arena_init(&arena, memory, sizeof(memory));
	size_t size = pack_line(bytes, 5);
	for (int round = 0; round < 1000; round++) {
		Keyrack__Line *line = keyrack__line__unpack(&arena.allocator, size, bytes);
		cr_assert_not_null(line);
		cr_assert_eq(line->rooms, 3);
		cr_assert_eq(line->n_run_nights, 5);
		cr_assert((uint8_t *)line >= memory && (uint8_t *)line < memory + sizeof(memory));
		cr_assert_eq((uintptr_t)line->run_price_minor % 8, 0);
		pb_arena_reset(&arena);
	}
}

Test(pb_arena, a_full_arena_fails_the_message_and_stays_within_its_bounds)
{
	static uint8_t bytes[4096];
	struct pb_arena arena;
	size_t size = pack_line(bytes, 500);
	for (size_t limit = 16; limit < sizeof(memory); limit += 16) {
		memset(memory, 0x5a, sizeof(memory));
		pb_arena_init(&arena, memory, limit);
		cr_assert_null(keyrack__line__unpack(&arena.allocator, size, bytes));
		for (size_t i = limit; i < sizeof(memory); i++)
			cr_assert_eq(memory[i], 0x5a);
	}
}
