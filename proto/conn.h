/*
 * Frame connections: byte streams of base/io/io.h turned into whole, checked frames and back.
 *
 * A set holds a fixed number of connections, accepted and dialled, on one loop and one thread.
 * Memory is one pool of blocks, reserved at the start and touched lazily: an idle connection
 * holds none, a large partial frame and a send queue as many as they need. Nothing else is
 * allocated. A connection is named by index and generation, so that a stale name is harmless.
 *
 * One turn of the loop: every frame received is handed to `on_frame`, in order per connection.
 * Then the loop's owner calls conn_set_turn(), last in its turn callback: `on_tick_end` runs,
 * `on_close` for what ended, and what was queued leaves, one send per connection, one in flight.
 * No callback comes from inside another call of this header.
 *
 * What the set itself answers, with a REJECT frame and a close:
 *   a header that frame_header_read() refuses             its code
 *   a request's body sum that is wrong, if body_check     REJECT_CHECKSUM
 *   a body over body_size_max_bytes                       REJECT_SIZE
 *   another cluster, or none outside HELLO                REJECT_CLUSTER
 *   a request with ANSWER, status or no time; an answer without, or with time: REJECT_RESERVED
 *   the first frame is no HELLO, or a later one is        REJECT_STATE
 *   no token is proved where one is wanted (token.h)      REJECT_TOKEN
 * A peer that reads too slowly, stays idle, or leaves a frame or its HELLO unfinished for
 * CONN_STALL_US is cut without one. Answering HELLO is the handler's. Of the connections whose
 * HELLO has the same `via`, not 0, the one with the highest request id stays: the others were given
 * up by their router, and whatever of them is still on its way comes too late.
 */
#ifndef PROTO_CONN_H
#define PROTO_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/io/io_address.h"
#include "proto/code.h"
#include "proto/frame.h"

#define CONN_MAX 65536u                    /* connections a set can be sized for */
#define CONN_BLOCK_SIZE 16384u             /* unit of the buffer pool */
#define CONN_QUEUE_SIZE_DEFAULT (8u << 20) /* queued bytes at which a slow reader is cut off */
#define CONN_POOL_SIZE_DEFAULT (64u << 20)
#define CONN_STALL_US UINT64_C(10000000)
#define CONN_LINGER_US UINT64_C(1000000) /* for a REJECT to be read before the close */
#define CONN_LISTEN_MAX 8u

struct io_loop;
struct conn_set;
struct token;
struct token_set;

struct conn_id {
	uint32_t index;      /* < accept + dial counts: callers may keep arrays beside the set */
	uint32_t generation; /* 0 names no connection */
};

enum {
	CONN_GONE = 1, /* no such connection any more */
	CONN_FULL = 2, /* every connection is in use */
	CONN_CUT = 3,  /* queue or pool is full: the connection is being closed as slow */
};

#define CONN_REASON_TABLE(X)                                                                       \
	X(PEER_CLOSED, "closed by the peer")                                                       \
	X(CLOSED, "closed here")                                                                   \
	X(REJECTED, "rejected: the peer broke the protocol")                                       \
	X(REJECTED_BY_PEER, "rejected by the peer")                                                \
	X(REPLACED, "the peer has connected anew")                                                 \
	X(SLOW, "cut off: it does not read its answers")                                           \
	X(IDLE, "cut off: it was idle")                                                            \
	X(STALLED, "cut off: it left a frame unfinished")                                          \
	X(FAILED, "the stream failed, or could not be connected")

#define X(name, text) CONN_REASON_##name,
enum conn_reason { CONN_REASON_TABLE(X) };
#undef X
const char *conn_reason_text(enum conn_reason reason);

struct conn_handler {
	void *context;
	/* A connection was accepted, or a dialled one stands, and what token was wanted has been
	 * proved: it can be written to from now on. */
	void (*on_open)(void *context, struct conn_id id);
	/* One whole frame. `body` has header->body_size_bytes; both live during the call only. */
	void (*on_frame)(void *context, struct conn_id id, const struct frame_header *header,
		const uint8_t *body);
	/* After the last frame of a tick that delivered any. May send. NULL = not wanted. */
	void (*on_tick_end)(void *context);
	/* Once for each on_open, and for a dial that failed; `id` is dead when it returns.
	   `code`: of the REJECT, sent or received; else 0. */
	void (*on_close)(void *context, struct conn_id id, enum conn_reason reason, unsigned code);
};

struct conn_config {
	uint64_t cluster;                          /* 0 = whatever the peers say: no check */
	uint32_t accept_max_count, dial_max_count; /* together at most CONN_MAX */
	uint32_t body_size_max_bytes;              /* at most FRAME_BODY_SIZE_MAX */
	size_t queue_size_max_bytes;               /* of one accepted connection, unsent */
	size_t dial_queue_size_max_bytes;
	size_t pool_size_bytes;         /* all blocks together */
	uint64_t idle_timeout_us;       /* of accepted connections; 0 = none */
	bool body_check;                /* of accepted connections: verify body sums */
	bool from_routers;              /* accepted connections may stamp principals (access.h) */
	const struct token_set *tokens; /* that may be proved here; outlives the set; NULL: none */
	const struct token *dial_token; /* proved where it is wanted; outlives the set; or NULL */
};

/* *ret_set is the caller's until conn_set_free(). The loop must outlive it. -KR_E_NOMEM. */
KR_MUST_CHECK int conn_set_new(struct io_loop *loop, const struct conn_config *config,
	const struct conn_handler *handler, struct conn_set **ret_set, struct kr_error_text *text);
/* See above. The callbacks on_tick_end and on_close come from here. */
void conn_set_turn(struct conn_set *set);
/* Stops listening and closes everything; run the loop until conn_set_is_stopped(). */
void conn_set_stop(struct conn_set *set);
bool conn_set_is_stopped(const struct conn_set *set);
/* Only when stopped, or when the loop will never complete anything again. Returns NULL. */
struct conn_set *conn_set_free(struct conn_set *set);

/* CONN_FULL: CONN_LISTEN_MAX are there; or the system's error. Others than operators: conn_guard.h
 */
KR_MUST_CHECK int conn_set_listen(
	struct conn_set *set, const struct io_address *address, struct kr_error_text *text);
/* Where the n-th listener listens, with the port that was free; NULL beyond the last. */
const struct io_address *conn_set_listen_address(const struct conn_set *set, uint32_t index);
/*
 * Other limits from now on: `accept_limit` is at first, and at most, accept_max_count, and nothing
 * to who dials from inside (INPROC); who is there stays. An idle time ends at the next check.
 */
void conn_set_limit(struct conn_set *set, uint32_t accept_limit, uint64_t idle_timeout_us);
/* Accepts no more; the connections there are stay. */
void conn_set_listen_stop(struct conn_set *set);
/* on_open or on_close follows. CONN_FULL, or the system's error and nothing follows. */
KR_MUST_CHECK int conn_set_dial(
	struct conn_set *set, const struct io_address *address, struct conn_id *ret_id);

/*
 * Queues one frame; the bytes are copied. The header must be sealed (frame.h). 0; CONN_GONE;
 * CONN_CUT: nothing was queued, on_close follows.
 */
KR_MUST_CHECK int conn_send(struct conn_set *set, struct conn_id id,
	const struct frame_header *header, const void *body);
/* Queues a REJECT with `code`, then closes; nothing more is received. Harmless when gone. */
void conn_reject(struct conn_set *set, struct conn_id id, enum keyrack_wire_code code);
/* Closes once what is queued has left, or at once. on_close follows. Harmless when gone. */
void conn_close(struct conn_set *set, struct conn_id id, bool flush);

bool conn_is_open(const struct conn_set *set, struct conn_id id);
/* Over all connections; 0 = the kernel has everything. */
size_t conn_set_queued_bytes(const struct conn_set *set);
#endif
