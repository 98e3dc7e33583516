#include <criterion/criterion.h>

#include <stdint.h>

#include "proto/keyrack.pb-c.h"
#include "proto/message.h"
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

/* Packs a message, and reads it into arenas of every size: whole, or not at all. */
static void into_every_arena(const ProtobufCMessage *message)
{
	static uint8_t body[2048], place[8192] __attribute__((aligned(64)));
	const size_t size = protobuf_c_message_get_packed_size(message);
	size_t needed = 0;
	cr_assert_leq(size, sizeof(body));
	protobuf_c_message_pack(message, body);
	for (size_t room = sizeof(place); room > 0; room--) {
		struct pb_arena arena;
		ProtobufCMessage *read = NULL;
		pb_arena_init(&arena, place, room);
		const int r = message_unpack(message->descriptor, body, size, &arena, &read);
		if (r == 0) {
			cr_assert_eq(needed, 0, "%zu bytes are not enough, %zu are", needed, room);
			cr_assert_eq(protobuf_c_message_get_packed_size(read), size);
			continue;
		}
		cr_assert_eq(r, MESSAGE_TOO_MUCH);
		cr_assert_null(read);
		needed = needed == 0 ? room : needed;
	}
	cr_assert(needed > size / 2 && needed < sizeof(place) - 1);
}

Test(pb_arena, a_message_is_read_whole_or_not_at_all)
{
	uint32_t nights[40] = {0}, type = 7;
	uint64_t prices[40] = {0};
	Keyrack__Line line = KEYRACK__LINE__INIT, *lines[3] = {&line, &line, &line};
	Keyrack__Reservation reservation = KEYRACK__RESERVATION__INIT;
	Keyrack__ImportRequest import = KEYRACK__IMPORT_REQUEST__INIT;
	line.type = type;
	line.run_nights = nights;
	line.run_price_minor = prices;
	line.n_run_nights = line.n_run_price_minor = 40;
	reservation.lines = lines;
	reservation.n_lines = 3;
	reservation.external_ref = (char *)(uintptr_t) "OTA-1";
	import.reservation = &reservation;
	into_every_arena(&import.base);
	uint8_t payload[100] = {1};
	Keyrack__PingRequest ping = KEYRACK__PING_REQUEST__INIT;
	ping.payload.data = payload;
	ping.payload.len = sizeof(payload);
	into_every_arena(&ping.base);
}

Test(pb_arena, no_body_is_longer_than_a_frame_s)
{
	static uint8_t place[64], body[FRAME_BODY_SIZE_MAX + 1];
	struct pb_arena arena;
	ProtobufCMessage *read;
	pb_arena_init(&arena, place, sizeof(place));
	cr_assert_eq(message_unpack(
			     &keyrack__ping_request__descriptor, body, sizeof(body), &arena, &read),
		MESSAGE_TOO_MUCH);
}
