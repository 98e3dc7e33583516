/*
 * Bodies: which message a frame type carries, and reading one without trusting it.
 *
 * A small body can claim much memory: an empty submessage takes two bytes on the wire and a
 * hundred in a struct. So a body is walked before it is unpacked, its structure checked against
 * the descriptor and its fields counted; what passes fits the arena it is unpacked into.
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
/* Enough for any body that message_check() lets through: a tag becomes at most 256 bytes, a packed
   byte at most 8. Much less is enough for all but the largest lists. */
#define MESSAGE_ARENA_SIZE_MAX (MESSAGE_FIELD_COUNT_MAX * 256u + FRAME_BODY_SIZE_MAX * 8u)

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
 * Checks, then unpacks into the arena. 0, MESSAGE_MALFORMED, or MESSAGE_TOO_MUCH, also when the
 * arena is full. *ret_message lives until the arena's reset.
 */
KR_MUST_CHECK int message_unpack(const ProtobufCMessageDescriptor *descriptor, const void *body,
	size_t size_bytes, struct pb_arena *arena, ProtobufCMessage **ret_message);

#endif
