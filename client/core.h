/*
 * The client's core: calls and one connection, as a state machine without clock or socket.
 *
 * Events go in with the time they happened at (microseconds of one steady clock); what is to be
 * done is asked for: client_core_action(), client_core_out(), client_core_timeout_us(), and
 * client_core_next() for the calls that have ended.
 *
 * A call is a slot of a table and moves
 *
 *     TAKEN -> QUEUED -> SENT -> ENDED -> FREE
 *                ^  ^     | |
 *                |  +-----+ |     the connection is lost: back to the front of the queue
 *                +- WAITING-+     TRANSIENT or unknown: another try after a pause
 *
 * and from QUEUED, SENT and WAITING to ENDED when its deadline comes. Of each call the core knows
 * whether a try `may have happened`: from then on only an answer that decides can end it as
 * anything but UNKNOWN. Bodies belong to the caller and must stay until the call is ENDED.
 */
#ifndef CLIENT_CORE_H
#define CLIENT_CORE_H

#include "client/core_types.h"

/* How a call ended. `body` is the answer's, in the receive buffer: it holds until the next event.
 */
struct client_end {
	uint32_t call;
	uint8_t type;
	uint8_t outcome; /* enum keyrack_outcome */
	uint16_t code;
	uint32_t tries;
	uint32_t map_epoch;
	uint64_t elapsed_us;
	const uint8_t *body; /* NULL when the end was not an answer */
	uint32_t body_size_bytes;
};

enum client_action { CLIENT_DO_NOTHING, CLIENT_DO_CONNECT, CLIENT_DO_CLOSE };

void client_core_init(struct client_core *core, const struct client_core_config *config);

/* How many more calls would be taken: the table, and the window once it is known. */
uint32_t client_core_room(const struct client_core *core);
/* A slot for a call, or CLIENT_NOWHERE when the table is full (the window is the caller's to ask
   for). Follow with submit, or give it back. */
uint32_t client_core_take(struct client_core *core);
void client_core_give_back(struct client_core *core, uint32_t call);
void client_core_submit(struct client_core *core, uint32_t call,
	const struct client_request *request, uint64_t now_us);

/* What is to be done with the socket; asking is doing. CONNECT is to core->router. */
enum client_action client_core_action(struct client_core *core, uint64_t now_us);
void client_core_connected(struct client_core *core, uint64_t now_us);
/* Could not connect, or the stream ended or failed. */
void client_core_disconnected(struct client_core *core, uint64_t now_us);

/* Room for what is received next; never empty. Then how much of it was filled. */
void *client_core_in_space(struct client_core *core, size_t *ret_size_bytes);
void client_core_in_add(struct client_core *core, size_t size_bytes, uint64_t now_us);
/* What to send now, and how much of it the socket took. Moves queued calls into the stream. */
const void *client_core_out(struct client_core *core, uint64_t now_us, size_t *ret_size_bytes);
void client_core_out_sent(struct client_core *core, size_t size_bytes);

/* Deadlines, pauses and silences that are over. */
void client_core_tick(struct client_core *core, uint64_t now_us);
/* The next call that has ended; its slot is free then. False: none for now. */
bool client_core_next(struct client_core *core, uint64_t now_us, struct client_end *ret_end);
/* The call that the next frame received seems to answer, or CLIENT_NOWHERE: a hint, not checked. */
uint32_t client_core_peek(const struct client_core *core);
/* 0: there is something to do. -1: nothing is due, ever. */
int64_t client_core_timeout_us(const struct client_core *core, uint64_t now_us);
/* True while bytes wait for the socket, or would be there if asked for. */
bool client_core_wants_out(const struct client_core *core);

#endif
