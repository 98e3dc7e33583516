/*
 * Inside the library: the pure core, a socket, and what turns the public structs into bodies and
 * back. Nothing of this is installed.
 */
#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H

#include <keyrack/keyrack.h>

#include "base/rng.h"
#include "client/core.h"
#include "client/socket.h"
#include "proto/keyrack.pb-c.h"
#include "proto/pb_arena.h"
#include "proto/token.h"

#define CLIENT_BODY_SMALL_SIZE 224u       /* bodies up to this live in the table of calls */
#define CLIENT_LARGE_SIZE_MAX (64u << 20) /* memory of all larger ones: WOULD_BLOCK beyond */
#define CLIENT_ARENA_SIZE (4u << 20)      /* of one decoded answer: BAD_ANSWER beyond */
#define CLIENT_TEXT_SIZE_MAX 64u          /* references, reasons, codes: EINVAL beyond */
#define CLIENT_PING_SIZE_MAX 1024u

#define CLIENT_IN_FLIGHT_DEFAULT 1024u
#define CLIENT_DEADLINE_DEFAULT_US UINT64_C(5000000)
#define CLIENT_DEADLINE_MAX_US UINT64_C(3600000000)
#define CLIENT_CONNECT_DEFAULT_US UINT64_C(1000000)
#define CLIENT_SILENCE_DEFAULT_US UINT64_C(1000000)
#define CLIENT_RETRY_FIRST_DEFAULT_US UINT64_C(5000)
#define CLIENT_RETRY_MAX_DEFAULT_US UINT64_C(500000)
#define CLIENT_TRIES_DEFAULT 100u

struct client_fan;

/* Beside a call of the core, under the same index. */
struct client_entry {
	keyrack_callback *callback;
	void *user;
	struct client_fan *fan; /* the call is one part of this one */
	uint8_t *large;         /* the body, when it is no small one */
	uint32_t large_size_bytes;
	uint8_t small[CLIENT_BODY_SMALL_SIZE];
};

struct keyrack_client {
	struct client_core core;
	struct client_socket socket;
	struct client_address routers[CLIENT_ROUTERS_MAX];
	struct client_entry *entries;
	struct pb_arena arena;
	struct rng id_rng;
	struct token token;      /* number 0: none */
	struct client_fan *held; /* the last answer's memory */
	size_t large_total_bytes;
	uint64_t deadline_us; /* of a call that names none */
	uint64_t actor;
	uint32_t source;
	bool no_retry;
	bool in_callback;
	bool stop_draining; /* a synchronous call has its answer: it must stay where it is */
	bool is_undrained;
	uint64_t now_us;
};

uint64_t client_now_us(void);
/* Of what is submitted now. Inside a callback it is the turn's, which is close enough, saves asking
   the clock, and is never later than the time at which the same turn ends it. */
uint64_t client_submit_us(const struct keyrack_client *client);

/* A request on its way into the core. */
struct client_pack {
	struct keyrack_client *client;
	struct client_entry *entry;
	struct client_request request;
	struct client_fan *fan;
};

/* Each fills pack->request from a public request, and is 0, KEYRACK_WOULD_BLOCK or -errno. */
typedef int client_encode(struct client_pack *pack, const void *request);

/* Writes the message into the entry's memory. -EMSGSIZE, -ENOMEM, KEYRACK_WOULD_BLOCK. */
KR_MUST_CHECK int client_pack_body(struct client_pack *pack, const ProtobufCMessage *message);
void client_entry_clear(struct keyrack_client *client, struct client_entry *entry);

KR_MUST_CHECK int client_submit(struct keyrack_client *client, client_encode *encode,
	const void *request, keyrack_callback *callback, void *user);
/* What a call says about retries, over what its kind of request allows. */
uint8_t client_retry_bits(
	const struct keyrack_client *client, const struct keyrack_call *call, uint8_t allowed);
/* Hands every call that has ended to its callback. Returns how many. */
int client_drain(struct keyrack_client *client);

/* The public answer that fits the type of call; pointers into client->arena. */
void client_decode(struct keyrack_client *client, const struct client_end *end,
	union keyrack_answer *ret_answer);

/* ---- calls over all shards, in parts that follow one another --------------------------------- */

/* A part has ended. True: the whole has, and its answer is told. False: the next part is sent. */
bool client_fan_step(struct keyrack_client *client, struct client_fan *fan,
	const struct client_end *end, union keyrack_answer *ret_answer);
/* The callback that was given for the whole. */
void client_fan_caller(
	const struct client_fan *fan, keyrack_callback **ret_callback, void **ret_user);
struct client_fan *client_fan_free(struct client_fan *fan);

#endif
