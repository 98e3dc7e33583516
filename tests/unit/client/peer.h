/*
 * The other end of a client's socket, played by the test in the same thread: listens on a Unix
 * socket, reads requests, writes answers.
 */
#ifndef TESTS_UNIT_CLIENT_PEER_H
#define TESTS_UNIT_CLIENT_PEER_H

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include <keyrack/keyrack.h>

#include "proto/code.h"
#include "proto/frame.h"
#include "proto/keyrack.pb-c.h"

#define PEER_CLUSTER UINT64_C(0xfeed)
#define PEER_BUFFER_SIZE (4u << 20)

struct peer {
	char path[64];
	char address[80]; /* unix:path */
	int listener;
	int fd; /* -1: nobody is connected */
	uint32_t window;
	uint32_t shard_count;
	uint8_t *bytes;
	size_t start, end;
};

struct peer_request {
	struct frame_header header;
	ProtobufCMessage *message; /* from malloc; peer_request_done() */
};

void peer_open(struct peer *peer);
void peer_close(struct peer *peer);
/* Takes the connection that waits and answers its HELLO; the client is processed meanwhile. */
void peer_welcome(struct peer *peer, struct keyrack_client *client);
void peer_hang_up(struct peer *peer);
/* The next request. Fails the test when none comes. */
struct peer_request peer_take(struct peer *peer, struct keyrack_client *client);
/* Whether there is one, after the client was processed. */
bool peer_has_request(struct peer *peer, struct keyrack_client *client);
void peer_answer(struct peer *peer, const struct frame_header *request, uint16_t code,
	const ProtobufCMessage *message);
void peer_request_done(struct peer_request *request);
/* Processes until `*flag`, for a second at most. */
void peer_until(struct keyrack_client *client, const bool *flag);

/*
 * A server of its own process, for synchronous calls: every request is handed to `handle`, which
 * answers with peer_answer(). Lives until peer_stop().
 */
typedef void peer_handle(struct peer *peer, const struct peer_request *request);
pid_t peer_serve(struct peer *peer, peer_handle *handle);
void peer_stop(pid_t pid);

#define PEER_MESSAGE(request, type) ((const type *)(const void *)(request).message)

#endif
