/*
 * Our reader and writer of bodies against protobuf-c's own, on random messages of every type, on
 * random changes of their bytes, and on every cut.
 */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "proto/keyrack.pb-c.h"
#include "proto/message.h"
#include "proto/message_wire.h"
#include "tests/unit/proto/known_fields.h"

#define BODY_MAX (64u << 10)

static struct rng rng;
static struct pb_arena made;    /* random messages */
static struct pb_arena arena;   /* unpacked ones */
static struct pb_arena lenient; /* those that protobuf-c unpacked */
static int stricter;            /* bodies that protobuf-c reads and we do not */

/* Small numbers, large ones and the edges. */
static uint64_t some_number(void)
{
	static const uint64_t edges[] = {0, 1, 127, 128, 16383, 16384, INT32_MAX, UINT32_MAX,
		UINT64_C(1) << 32, INT64_MAX, UINT64_MAX, UINT64_C(1) << 63};
	if (rng_chance(&rng, 300000))
		return edges[rng_below(&rng, sizeof(edges) / sizeof(edges[0]))];
	return rng_next(&rng) >> rng_below(&rng, 64);
}

static void *some_memory(size_t size)
{
	void *memory = kr_arena_alloc(&made.arena, size, 16);
	cr_assert_not_null(memory);
	return memory;
}

static char *some_text(void)
{
	size_t length = rng_chance(&rng, 100000) ? rng_below(&rng, 300) : rng_below(&rng, 20);
	char *text = some_memory(length + 1);
	for (size_t i = 0; i < length; i++)
		text[i] = (char)rng_range(&rng, 1, 255);
	text[length] = 0;
	return text;
}

static ProtobufCMessage *some_message(const ProtobufCMessageDescriptor *descriptor);

static void fill_element(const ProtobufCFieldDescriptor *field, void *element)
{
	ProtobufCBinaryData data;
	uint64_t number = some_number();
	protobuf_c_boolean flag = number & 1;
	switch (field->type) {
	case PROTOBUF_C_TYPE_MESSAGE:
		*(ProtobufCMessage **)element = some_message(field->descriptor);
		return;
	case PROTOBUF_C_TYPE_STRING:
		*(char **)element = some_text();
		return;
	case PROTOBUF_C_TYPE_BYTES:
		data.data = (uint8_t *)some_text();
		data.len = strlen((char *)data.data);
		memcpy(element, &data, sizeof(data));
		return;
	case PROTOBUF_C_TYPE_BOOL:
		memcpy(element, &flag, sizeof(flag));
		return;
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_UINT32:
		memcpy(element, &number, 4);
		return;
	default:
		memcpy(element, &number, 8);
		return;
	}
}

static size_t element_size(ProtobufCType type)
{
	bool is_short = type == PROTOBUF_C_TYPE_INT32 || type == PROTOBUF_C_TYPE_SINT32 ||
			type == PROTOBUF_C_TYPE_UINT32 || type == PROTOBUF_C_TYPE_BOOL;
	return is_short ? 4 : 8;
}

static void fill_field(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	if (rng_chance(&rng, 400000))
		return;
	if (field->label != PROTOBUF_C_LABEL_REPEATED) {
		fill_element(field, member(message, field->offset));
		return;
	}
	size_t size = element_size(field->type);
	size_t count = rng_chance(&rng, 100000) ? rng_below(&rng, 100) : rng_below(&rng, 5);
	if (field->type == PROTOBUF_C_TYPE_MESSAGE)
		count = rng_below(&rng, 4);
	uint8_t *array = some_memory(count * size + 1);
	for (size_t i = 0; i < count; i++)
		fill_element(field, array + i * size);
	*(size_t *)member(message, field->quantifier_offset) = count;
	*(void **)member(message, field->offset) = array;
}

static ProtobufCMessage *some_message(const ProtobufCMessageDescriptor *descriptor)
{
	ProtobufCMessage *message = some_memory(descriptor->sizeof_message);
	descriptor->message_init(message);
	for (unsigned i = 0; i < descriptor->n_fields; i++)
		fill_field(message, &descriptor->fields[i]);
	return message;
}

static const ProtobufCMessageDescriptor *some_descriptor(void)
{
	for (;;) {
		unsigned type = (unsigned)rng_below(&rng, 70);
		const ProtobufCMessageDescriptor *descriptor = rng_chance(&rng, 500000)
								       ? message_of_request(type)
								       : message_of_answer(type);
		if (descriptor != NULL)
			return descriptor;
	}
}

static void begin(void)
{
	rng_init(&rng, 7);
	pb_arena_init(&made, malloc(16u << 20), 16u << 20);
	pb_arena_init(&arena, malloc(16u << 20), 16u << 20);
	pb_arena_init(&lenient, malloc(16u << 20), 16u << 20);
}

static void end(void)
{
	free(made.arena.base);
	free(arena.arena.base);
	free(lenient.arena.base);
}

TestSuite(message_same, .init = begin, .fini = end);

Test(message_same, bodies_are_written_byte_for_byte_alike)
{
	static uint8_t ours[BODY_MAX], theirs[BODY_MAX];
	size_t largest = 0;
	for (int i = 0; i < 100000; i++) {
		pb_arena_reset(&made);
		const ProtobufCMessage *message = some_message(some_descriptor());
		size_t size = protobuf_c_message_get_packed_size(message);
		cr_assert_leq(size + MESSAGE_PACK_SLACK, BODY_MAX);
		protobuf_c_message_pack(message, theirs);
		memset(ours, 0xee, size + 64);
		cr_assert_eq(message_pack(message, ours, size + MESSAGE_PACK_SLACK), size);
		cr_assert_eq(memcmp(ours, theirs, size), 0);
		largest = size > largest ? size : largest;
	}
	cr_assert_gt(largest, 1000);
}

Test(message_same, a_writer_stays_within_its_room)
{
	uint8_t bytes[BODY_MAX];
	for (int i = 0; i < 2000; i++) {
		pb_arena_reset(&made);
		const ProtobufCMessage *message = some_message(some_descriptor());
		size_t size = protobuf_c_message_get_packed_size(message);
		for (size_t room = 0; room < size && room < 400; room++) {
			memset(bytes, 0xee, room + 32);
			cr_assert_eq(message_pack(message, bytes, room), MESSAGE_NO_ROOM);
			for (size_t k = room; k < room + 32; k++)
				cr_assert_eq(bytes[k], 0xee);
		}
	}
}

/* A singular submessage that comes twice is merged; protobuf-c 1.4.1 loses fields doing so. */
static bool comes_twice(
	const ProtobufCMessageDescriptor *descriptor, const uint8_t *at, const uint8_t *stop)
{
	uint64_t seen = 0, key, value;
	while (at < stop) {
		at = wire_varint_read(at, stop, &key);
		const ProtobufCFieldDescriptor *field =
			protobuf_c_message_descriptor_get_field(descriptor, (unsigned)(key >> 3));
		if ((key & 7) == WIRE_FIXED64 || (key & 7) == WIRE_FIXED32) {
			at += (key & 7) == WIRE_FIXED64 ? 8 : 4;
			continue;
		}
		at = wire_varint_read(at, stop, &value);
		if ((key & 7) != WIRE_SIZED)
			continue;
		if (field != NULL && field->type == PROTOBUF_C_TYPE_MESSAGE) {
			uint64_t bit = UINT64_C(1) << (key >> 3);
			bool again = (seen & bit) != 0 && field->label != PROTOBUF_C_LABEL_REPEATED;
			seen |= bit;
			if (again || comes_twice(field->descriptor, at, at + value))
				return true;
		}
		at += value;
	}
	return false;
}

/* Both read it alike: refused by both, or the same values. Returns whether it was read. */
static bool read_alike(
	const ProtobufCMessageDescriptor *descriptor, const uint8_t *bytes, size_t size)
{
	static uint8_t ours_again[BODY_MAX], theirs_again[BODY_MAX];
	ProtobufCMessage *ours = NULL;
	pb_arena_reset(&arena);
	pb_arena_reset(&lenient);
	int r = message_unpack(descriptor, bytes, size, &arena, &ours);
	ProtobufCMessage *theirs = NULL;
	/* What it is too lenient about (field 0, numbers over 64 bits) is refused by the check. */
	if (message_check(descriptor, bytes, size) == 0)
		theirs = protobuf_c_message_unpack(descriptor, &lenient.allocator, size, bytes);
	if (theirs == NULL) {
		cr_assert_neq(r, 0, "read what protobuf-c refuses");
		return false;
	}
	/* It also takes sized values for booleans, and packed numbers over 64 bits. */
	if (r != 0) {
		cr_assert_eq(r, MESSAGE_MALFORMED);
		stricter++;
		return false;
	}
	if (comes_twice(descriptor, bytes, bytes + size))
		return false;
	drop_unknown(theirs);
	size_t theirs_size = protobuf_c_message_pack(theirs, theirs_again);
	size_t ours_size = protobuf_c_message_pack(ours, ours_again);
	cr_assert_eq(ours_size, theirs_size);
	cr_assert_eq(memcmp(ours_again, theirs_again, ours_size), 0);
	return true;
}

Test(message_same, bodies_are_read_alike)
{
	static uint8_t bytes[BODY_MAX];
	for (int i = 0; i < 50000; i++) {
		pb_arena_reset(&made);
		const ProtobufCMessage *message = some_message(some_descriptor());
		size_t size = message_pack(message, bytes, sizeof(bytes));
		cr_assert(read_alike(message->descriptor, bytes, size));
	}
}

Test(message_same, damaged_bodies_are_read_alike)
{
	static uint8_t bytes[BODY_MAX];
	int read = 0, refused = 0;
	for (int i = 0; i < 100000; i++) {
		pb_arena_reset(&made);
		const ProtobufCMessage *message = some_message(some_descriptor());
		size_t size = message_pack(message, bytes, sizeof(bytes));
		for (uint64_t n = rng_range(&rng, 1, 3); n > 0 && size > 0; n--)
			bytes[rng_below(&rng, size)] = (uint8_t)rng_next(&rng);
		if (size > 0 && rng_chance(&rng, 200000))
			size = rng_below(&rng, size);
		if (read_alike(message->descriptor, bytes, size))
			read++;
		else
			refused++;
	}
	cr_assert(read > 10000 && refused > 10000, "%d read, %d refused", read, refused);
	cr_assert_lt(stricter, 1000, "%d", stricter);
}

Test(message_same, bodies_of_another_type_are_read_alike)
{
	static uint8_t bytes[BODY_MAX];
	for (int i = 0; i < 50000; i++) {
		pb_arena_reset(&made);
		const ProtobufCMessage *message = some_message(some_descriptor());
		size_t size = message_pack(message, bytes, sizeof(bytes));
		(void)read_alike(some_descriptor(), bytes, size);
	}
	cr_assert_lt(stricter, 5000, "%d", stricter);
}

Test(message_same, a_key_is_five_bytes_long_at_most)
{
	/* Field 30 of a HOLD's request, which has none; once in five bytes, once in six. */
	static const uint8_t five[] = {0xf0, 0x81, 0x80, 0x80, 0x00, 1},
			     six[] = {0xf0, 0x81, 0x80, 0x80, 0x80, 0x00, 1};
	const ProtobufCMessageDescriptor *descriptor = message_of_request(40);
	cr_assert(read_alike(descriptor, five, sizeof(five)));
	cr_assert_not(read_alike(descriptor, six, sizeof(six)));
	cr_assert_eq(message_check(descriptor, six, sizeof(six)), MESSAGE_MALFORMED);
}

Test(message_same, varints_are_read_alike_in_any_length_and_place)
{
	uint8_t bytes[24];
	for (int i = 0; i < 500000; i++) {
		size_t size = rng_range(&rng, 1, 12), room = size + rng_below(&rng, 12);
		for (size_t k = 0; k < sizeof(bytes); k++)
			bytes[k] = (uint8_t)rng_next(&rng);
		for (size_t k = 0; k + 1 < size; k++)
			bytes[k] |= 0x80;
		bytes[size - 1] &= 0x7f;
		if (size == 10 && rng_chance(&rng, 500000))
			bytes[9] &= 1;
		uint64_t wanted = 0, got = 0;
		for (size_t k = 0; k < size && k < 10; k++)
			wanted |= (uint64_t)(bytes[k] & 0x7f) << (7 * k);
		bool is_fit = size < 10 || (size == 10 && bytes[9] <= 1);
		const uint8_t *stop = wire_varint_read(bytes, bytes + room, &got);
		cr_assert(stop == (is_fit ? bytes + size : NULL), "%zu", size);
		cr_assert(!is_fit || got == wanted);
		cr_assert_null(wire_varint_read(bytes, bytes + size - 1, &got));
	}
}

Test(message_same, a_submessage_that_comes_twice_is_merged)
{
	/* settings of a HotelPutRequest: code "A", then status 2 and code "B". */
	static const uint8_t bytes[] = {0x1a, 0x03, 0x0a, 0x01, 'A', 0x1a, 0x05, 0x68, 0x02, 0x0a,
		0x01, 'B', 0x1a, 0x02, 0x20, 3};
	ProtobufCMessage *message;
	cr_assert_eq(
		message_unpack(message_of_request(10), bytes, sizeof(bytes), &arena, &message), 0);
	const Keyrack__HotelPutRequest *put = (const void *)message;
	cr_assert_str_eq(put->settings->code, "B");
	cr_assert(put->settings->status == 2 && put->settings->currency_digits == 3);
}

Test(message_same, repeated_numbers_may_come_unpacked_and_in_pieces)
{
	/* types of an AvailabilityRequest: packed, single, packed again. */
	static const uint8_t bytes[] = {
		0x12, 0x02, 0x01, 0x02, 0x10, 0x03, 0x10, 0x04, 0x12, 0x03, 0x05, 0xac, 0x02};
	const ProtobufCMessageDescriptor *descriptor = message_of_request(30);
	ProtobufCMessage *message;
	cr_assert(read_alike(descriptor, bytes, sizeof(bytes)));
	cr_assert_eq(message_unpack(descriptor, bytes, sizeof(bytes), &arena, &message), 0);
	const Keyrack__AvailabilityRequest *ask = (const void *)message;
	cr_assert_eq(ask->n_types, 6);
	static const uint32_t expected[] = {1, 2, 3, 4, 5, 300};
	cr_assert_eq(memcmp(ask->types, expected, sizeof(expected)), 0);
}
