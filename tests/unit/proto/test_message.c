#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "proto/keyrack.pb-c.h"
#include "proto/message.h"

#define ARENA_SIZE (64u << 10)

static struct pb_arena arena;

static void setup_arena(size_t size_bytes)
{
	pb_arena_init(&arena, calloc(1, size_bytes), size_bytes);
}

static void free_arena(void)
{
	free(arena.arena.base);
}

static size_t pack_book(uint8_t *bytes)
{
	Keyrack__Line line = KEYRACK__LINE__INIT;
	line.type = 3;
	line.check_in = -1;
	line.check_out = 20000;
	line.rooms = 1;
	Keyrack__Line *lines[] = {&line, &line};
	Keyrack__ReserveRequest request = KEYRACK__RESERVE_REQUEST__INIT;
	request.hotel_id = 7;
	request.n_lines = 2;
	request.lines = lines;
	request.external_ref = (char *)(uintptr_t) "OTA-1";
	return keyrack__reserve_request__pack(&request, bytes);
}

Test(message, every_frame_type_has_its_two_messages)
{
	const char *name;
#define X(number, type, request, answer)                                                           \
	name = message_of_request(number)->short_name;                                             \
	cr_assert_str_eq(name, #request);                                                          \
	name = message_of_answer(number)->short_name;                                              \
	cr_assert_str_eq(name, #answer);
	FRAME_TYPE_TABLE(X)
#undef X
	cr_assert_null(message_of_request(0));
	cr_assert_null(message_of_answer(200));
}

Test(message, a_whole_message_is_unpacked)
{
	uint8_t bytes[256];
	ProtobufCMessage *message;
	setup_arena(ARENA_SIZE);
	size_t size = pack_book(bytes);
	const ProtobufCMessageDescriptor *descriptor = message_of_request(FRAME_BOOK);
	cr_assert_eq(message_unpack(descriptor, bytes, size, &arena, &message), 0);
	const Keyrack__ReserveRequest *book = (const Keyrack__ReserveRequest *)(void *)message;
	cr_assert_eq(book->hotel_id, 7);
	cr_assert_eq(book->n_lines, 2);
	cr_assert_eq(book->lines[1]->check_in, -1);
	cr_assert_str_eq(book->external_ref, "OTA-1");
	free_arena();
}

Test(message, an_empty_body_is_a_message_of_defaults)
{
	ProtobufCMessage *message;
	setup_arena(ARENA_SIZE);
	cr_assert_eq(message_unpack(message_of_request(FRAME_BOOK), NULL, 0, &arena, &message), 0);
	cr_assert_eq(((const Keyrack__ReserveRequest *)(void *)message)->n_lines, 0);
	free_arena();
}

Test(message, a_message_cut_anywhere_is_malformed_or_shorter_but_never_overrun)
{
	uint8_t bytes[256];
	size_t size = pack_book(bytes);
	const ProtobufCMessageDescriptor *descriptor = message_of_request(FRAME_BOOK);
	setup_arena(ARENA_SIZE);
	for (size_t cut = 0; cut < size; cut++) {
		/* Exactly sized, so that a sanitizer sees a step beyond. */
		uint8_t *copy = malloc(cut + 1);
		memcpy(copy, bytes, cut);
		ProtobufCMessage *message;
		pb_arena_reset(&arena);
		int r = message_unpack(descriptor, copy, cut, &arena, &message);
		cr_assert(r == 0 || r == MESSAGE_MALFORMED);
		free(copy);
	}
	free_arena();
}

Test(message, malformed_bodies_are_refused)
{
	static const struct {
		const char *what;
		uint8_t size;
		uint8_t bytes[16];
	} bad[] = {
		{"field number 0", 2, {0x00, 0x01}},
		{"a key that does not end", 2, {0x80, 0x80}},
		{"a varint of 11 bytes", 12,
			{0x28, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}},
		{"a group", 2, {0x0b, 0x0c}},
		{"wire type 6", 2, {0x0e, 0x01}},
		{"wire type 7", 2, {0x0f, 0x01}},
		{"fixed64 of 7 bytes", 8, {0x09, 1, 2, 3, 4, 5, 6, 7}},
		{"fixed32 of 3 bytes", 4, {0x0d, 1, 2, 3}},
		{"a length beyond the end", 3, {0x22, 0x02, 0x08}},
		{"a length of 2^63", 11,
			{0x22, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01}},
		{"a submessage cut inside", 4, {0x22, 0x02, 0x08, 0x80}},
		{"a text with a zero byte", 5, {0x52, 0x03, 'a', 0x00, 'b'}},
		{"a known number in another wire type", 2, {0x08, 0x01}},
		{"a field number of 30 bits", 6, {0x80, 0x80, 0x80, 0x80, 0x20, 0x00}},
	};
	setup_arena(ARENA_SIZE);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ProtobufCMessage *message;
		int r = message_unpack(message_of_request(FRAME_BOOK), bad[i].bytes, bad[i].size,
			&arena, &message);
		cr_assert_eq(r, MESSAGE_MALFORMED, "%s", bad[i].what);
	}
	free_arena();
}

Test(message, a_small_body_cannot_claim_much_memory)
{
	size_t size = FRAME_BODY_SIZE_MAX;
	uint8_t *bytes = malloc(size);
	for (size_t i = 0; i < size; i += 2) { /* half a million empty hotels */
		bytes[i] = 0x0a;
		bytes[i + 1] = 0;
	}
	const ProtobufCMessageDescriptor *descriptor = message_of_answer(FRAME_HOTEL_LIST);
	cr_assert_eq(message_check(descriptor, bytes, size), MESSAGE_TOO_MUCH);
	cr_assert_eq(message_check(descriptor, bytes, 2 * MESSAGE_FIELD_COUNT_MAX), 0);
	cr_assert_eq(message_check(descriptor, bytes, 2 * MESSAGE_FIELD_COUNT_MAX + 2),
		MESSAGE_TOO_MUCH);
	ProtobufCMessage *message;
	setup_arena(MESSAGE_ARENA_SIZE_MAX);
	cr_assert_eq(
		message_unpack(descriptor, bytes, 2 * MESSAGE_FIELD_COUNT_MAX, &arena, &message),
		0);
	free_arena();
	setup_arena(ARENA_SIZE);
	cr_assert_eq(
		message_unpack(descriptor, bytes, 2 * MESSAGE_FIELD_COUNT_MAX, &arena, &message),
		MESSAGE_TOO_MUCH);
	free_arena();
	free(bytes);
}

Test(message, packed_numbers_fit_the_largest_arena)
{
	size_t payload = FRAME_BODY_SIZE_MAX - 4;
	uint8_t *bytes = calloc(1, FRAME_BODY_SIZE_MAX);
	/* One line of a million one-byte prices: field 9 of Line. */
	bytes[0] = 9 << 3 | 2;
	bytes[1] = (uint8_t)(payload | 0x80);
	bytes[2] = (uint8_t)(payload >> 7 | 0x80);
	bytes[3] = (uint8_t)(payload >> 14);
	setup_arena(MESSAGE_ARENA_SIZE_MAX);
	ProtobufCMessage *message;
	cr_assert_eq(message_unpack(&keyrack__line__descriptor, bytes, FRAME_BODY_SIZE_MAX, &arena,
			     &message),
		0);
	cr_assert_eq(((const Keyrack__Line *)(void *)message)->n_run_price_minor, payload);
	free_arena();
	free(bytes);
}

Test(message, fields_of_a_newer_version_are_stepped_over)
{
	uint8_t bytes[256];
	size_t size = pack_book(bytes);
	static const uint8_t newer[] = {0xfa, 0x07, 0x02, 'h', 'i', 0xf8, 0x07, 0x01};
	memcpy(bytes + size, newer, sizeof(newer));
	setup_arena(ARENA_SIZE);
	ProtobufCMessage *message;
	cr_assert_eq(message_unpack(message_of_request(FRAME_BOOK), bytes, size + sizeof(newer),
			     &arena, &message),
		0);
	cr_assert_eq(((const Keyrack__ReserveRequest *)(void *)message)->n_lines, 2);
	free_arena();
}

Test(message, random_changes_are_survived)
{
	uint8_t good[256];
	size_t size = pack_book(good);
	struct rng rng;
	rng_init(&rng, 1);
	setup_arena(ARENA_SIZE);
	int whole = 0;
	for (int i = 0; i < 200000; i++) {
		uint8_t bytes[256];
		memcpy(bytes, good, size);
		for (uint64_t n = rng_range(&rng, 1, 3); n > 0; n--)
			bytes[rng_below(&rng, size)] = (uint8_t)rng_next(&rng);
		ProtobufCMessage *message;
		pb_arena_reset(&arena);
		whole += message_unpack(message_of_request(FRAME_BOOK), bytes, size, &arena,
				 &message) == 0;
	}
	cr_assert_gt(whole, 1000);
	free_arena();
}
