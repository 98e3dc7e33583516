/*
 * The answers that nearly all traffic is made of, read without their messages.
 *
 * Only what a shard ordinarily writes is read: known fields, each once and in the order of their
 * numbers, numbers that fit, no texts. Anything else is not an error but left to message_unpack(),
 * so that there is one meaning; tests hold both to the same answers.
 */
#ifndef CLIENT_DECODE_PLAIN_H
#define CLIENT_DECODE_PLAIN_H

#include <keyrack/keyrack.h>

#include "base/arena.h"

/* What was received; NULL and 0: nothing was. */
struct client_body {
	const uint8_t *bytes;
	size_t size_bytes;
};

/* True: read, into *ret that is zero but for its result; refused, the refusal is in the arena.
   False: read it the long way; the arena and *ret are undefined then. */
bool client_read_reservation(
	struct client_body body, struct kr_arena *arena, struct keyrack_reservation_answer *ret);
/* The same; what is not DONE goes the long way. */
bool client_read_availability(
	struct client_body body, struct kr_arena *arena, struct keyrack_availability_answer *ret);

#endif
