/*
 * The codec of the hot messages (engine/shard/hot.h) held against messages that were read in full.
 */
#ifndef TESTS_FUZZ_HOT_SAME_H
#define TESTS_FUZZ_HOT_SAME_H

#include <stddef.h>
#include <stdint.h>

#include "proto/keyrack.pb-c.h"

/* What the hot codec reads of a request's body is what `message` says; NULL: it reads nothing. */
void hot_same_read(
	unsigned type, const uint8_t *body, size_t size_bytes, const ProtobufCMessage *message);
/* What it writes for an answer with these values is protobuf-c's bytes. */
void hot_same_write(const Keyrack__ReservationAnswer *message);

#endif
