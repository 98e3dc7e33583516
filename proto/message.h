/*
 * Bodies: which message a frame type carries, reading one without trusting it, and writing one.
 *
 * A small body can claim much memory: an empty submessage takes two bytes on the wire and a
 * hundred in a struct. So fields are counted, depth is bounded, and all memory is an arena's.
 */
#ifndef PROTO_MESSAGE_H
#define PROTO_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#include "base/check.h"
#include "proto/frame.h"
#include "proto/pb_arena.h"

#define MESSAGE_FIELD_COUNT_MAX 65536u /* tags of one body, at all depths */
#define MESSAGE_DEPTH_MAX 4u
/* Enough for any body that message_check() lets through: a field becomes at most 256 bytes, a
   packed byte at most 8, and arrays grow by doubling. Much less is enough for all but the largest
   lists. */
#define MESSAGE_ARENA_SIZE_MAX (MESSAGE_FIELD_COUNT_MAX * 256u + FRAME_BODY_SIZE_MAX * 32u)
/* message_pack() may want so much room beyond what it writes. */
#define MESSAGE_PACK_SLACK 20u
#define MESSAGE_NO_ROOM SIZE_MAX

enum {
	MESSAGE_MALFORMED = 1, /* not the encoding of such a message */
	MESSAGE_TOO_MUCH = 2,  /* more fields than allowed, or deeper */
};

/* What a request or an answer of that type carries; NULL for types that do not exist. */
const ProtobufCMessageDescriptor *message_of_request(unsigned type);
const ProtobufCMessageDescriptor *message_of_answer(unsigned type);

/* 0, MESSAGE_MALFORMED or MESSAGE_TOO_MUCH. Fields that the descriptor lacks are stepped over. */
KR_MUST_CHECK int message_check(
	const ProtobufCMessageDescriptor *descriptor, const void *body, size_t size_bytes);

/*
 * Checks and unpacks into the arena, in one pass. 0, MESSAGE_MALFORMED, or MESSAGE_TOO_MUCH, also
 * when the arena is full. *ret_message lives until the arena's reset; fields that the descriptor
 * lacks are not kept.
 */
KR_MUST_CHECK int message_unpack(const ProtobufCMessageDescriptor *descriptor, const void *body,
	size_t size_bytes, struct pb_arena *arena, ProtobufCMessage **ret_message);

/*
 * Writes the body and returns its size, or MESSAGE_NO_ROOM when it does not fit `size_bytes`; then
 * the bytes are undefined. The same bytes as protobuf_c_message_pack(), faster and bounded.
 */
KR_MUST_CHECK size_t message_pack(const ProtobufCMessage *message, void *bytes, size_t size_bytes);

#endif
