/*
 * Bodies of every frame type: our reader and writer against protobuf-c, the codecs of the hot
 * messages against both.
 *
 * Held: what ours reads, protobuf-c reads with the same values; both write it to the same bytes, in
 * exactly the room it needs; those bytes are read and written as themselves. What the hot codec
 * reads, the others read to the same bytes; its answers are protobuf-c's bytes. What the client's
 * reader of hot answers reads, the long way reads alike.
 *
 * Input: u8 type, u8: bit 0: an answer's body, bit 1: it is not DONE; the rest is the body.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/shard/hot.h"
#include "proto/keyrack.pb-c.h"
#include "proto/message.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/hot_same.h"
#include "tests/unit/client/plain_same.h"
#include "tests/unit/proto/known_fields.h"

#define ARENA_SIZE (16u << 20)
#define BODY_SIZE (1u << 18)

static struct pb_arena ours_arena, theirs_arena;
static uint8_t packed[2][BODY_SIZE];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	kr_assert(argc != NULL && argv != NULL);
	pb_arena_init(&ours_arena, malloc(ARENA_SIZE), ARENA_SIZE);
	pb_arena_init(&theirs_arena, malloc(ARENA_SIZE), ARENA_SIZE);
	return 0;
}

/* Its own bytes read and written again; then protobuf-c's reading of them. */
static void check_canonical(const ProtobufCMessage *message, size_t size)
{
	ProtobufCMessage *again;
	int r = message_unpack(message->descriptor, packed[0], size, &ours_arena, &again);
	kr_assert(r == 0);
	kr_assert(message_pack(again, packed[1], sizeof(packed[1])) == size);
	kr_assert(memcmp(packed[0], packed[1], size) == 0);
	pb_arena_reset(&theirs_arena);
	again = protobuf_c_message_unpack(
		message->descriptor, &theirs_arena.allocator, size, packed[0]);
	kr_assert(again != NULL && again->n_unknown_fields == 0);
	kr_assert(protobuf_c_message_pack(again, packed[1]) == size);
	kr_assert(memcmp(packed[0], packed[1], size) == 0);
}

static void check_packing(const ProtobufCMessage *message)
{
	size_t size = protobuf_c_message_get_packed_size(message);
	if (size + MESSAGE_PACK_SLACK > BODY_SIZE)
		return;
	uint8_t *tight = malloc(size + MESSAGE_PACK_SLACK);
	kr_assert(tight != NULL);
	kr_assert(protobuf_c_message_pack(message, packed[0]) == size);
	kr_assert(message_pack(message, tight, size + MESSAGE_PACK_SLACK) == size);
	kr_assert(memcmp(packed[0], tight, size) == 0);
	kr_assert(size == 0 || message_pack(message, tight, size - 1) == MESSAGE_NO_ROOM);
	free(tight);
	check_canonical(message, size);
}

/* protobuf-c 1.4.1 loses fields of a submessage that comes twice, so the values are compared
 * where the bytes are as long as what ours writes: then nothing was said twice. */
static void check_values(
	ProtobufCMessage *ours, ProtobufCMessage *theirs, const uint8_t *body, size_t size)
{
	drop_unknown(theirs);
	size_t ours_size = protobuf_c_message_get_packed_size(ours);
	kr_assert(body != NULL || size == 0);
	if (ours_size != size || size > BODY_SIZE)
		return;
	kr_assert(protobuf_c_message_get_packed_size(theirs) == size);
	kr_assert(protobuf_c_message_pack(ours, packed[0]) == size);
	kr_assert(protobuf_c_message_pack(theirs, packed[1]) == size);
	kr_assert(memcmp(packed[0], packed[1], size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	if (size_bytes < 2 || size_bytes > BODY_SIZE / 2)
		return 0;
	bool is_answer = (data[1] & 1) != 0;
	const ProtobufCMessageDescriptor *descriptor =
		is_answer ? message_of_answer(data[0]) : message_of_request(data[0]);
	if (descriptor == NULL)
		return 0;
	const uint8_t *body = data + 2;
	size_t size = size_bytes - 2;
	ProtobufCMessage *ours = NULL, *theirs = NULL;
	pb_arena_reset(&ours_arena);
	pb_arena_reset(&theirs_arena);
	int r = message_unpack(descriptor, body, size, &ours_arena, &ours);
	if (r == 0) {
		kr_assert(message_check(descriptor, body, size) == 0);
		theirs = protobuf_c_message_unpack(descriptor, &theirs_arena.allocator, size, body);
		kr_assert(theirs != NULL);
		check_values(ours, theirs, body, size);
		check_packing(ours);
	}
	if (is_answer)
		(void)plain_same(data[0], (data[1] & 2) == 0, body, size);
	if (!is_answer)
		hot_same_read(data[0], body, size, ours);
	else if (r == 0 && descriptor == &keyrack__reservation_answer__descriptor)
		hot_same_write((const Keyrack__ReservationAnswer *)ours);
	return 0;
}
