/*
 * Frame connections: byte streams of base/io/io.h turned into whole, checked frames and back.
 *
 * A set holds a fixed number of connections, accepted and dialled, on one loop and one thread.
 * Memory is one pool of blocks, reserved at the start and touched lazily: an idle connection
 * holds none, a partial frame and a send queue hold as many as they need. Nothing else is
 * allocated. A connection is named by index and generation, so that a stale name is harmless.
 *
 * One tick of the loop: every frame received is handed to `on_frame`, in order per connection;
 * then `on_tick_end` runs once; then what was queued leaves, one send per connection, one in
 * flight. All callbacks come from the loop, never from inside a call of this header.
 *
 * What the set itself answers, with a REJECT frame and a close:
 *   a header that frame_header_read() refuses             its code
 *   a body sum that is wrong, if body_check               REJECT_CHECKSUM
 *   a body over body_size_max_bytes                       REJECT_SIZE
 *   another cluster, or none outside HELLO                REJECT_CLUSTER
 *   a request with ANSWER, a status or no time; an answer without ANSWER or status, or with
 *   time: the wrong direction                             REJECT_RESERVED
 *   the first frame is no HELLO, or a later one is        REJECT_STATE
 * A peer that reads too slowly, stays idle, or leaves a frame or its HELLO unfinished for
 * CONN_STALL_US is cut without one. Answering HELLO is the handler's.
 */
#ifndef PROTO_CONN_H
#define PROTO_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "proto/code.h"
#include "proto/frame.h"

#define CONN_MAX 65536u                    /* connections a set can be sized for */
#define CONN_BLOCK_SIZE 4096u              /* unit of the buffer pool */
#define CONN_QUEUE_SIZE_DEFAULT (8u << 20) /* queued bytes at which a slow reader is cut off */
#define CONN_POOL_SIZE_DEFAULT (64u << 20)
#define CONN_STALL_US UINT64_C(10000000)
#define CONN_LINGER_US UINT64_C(1000000) /* for a REJECT to be read before the close */
#define CONN_ADDRESS_SIZE 112u

struct io_loop;
struct conn_set;
/* Generation 0 names no connection: {0, 0} is "none". */
struct conn_id {
	uint32_t index; /* < conn_max_count: callers may keep arrays beside the set */
	uint32_t generation;
};

enum {                    /* conditions of the calls below */
	CONN_GONE = 1,    /* no such connection any more */
	CONN_FULL = 2,    /* every connection is in use */
	CONN_CUT = 3,     /* queue or pool is full: the connection is being closed as slow */
	CONN_ADDRESS = 4, /* the address cannot be understood, or not be used */
};

#define CONN_REASON_TABLE(X)                                                                       \
	X(PEER_CLOSED, "closed by the peer")                                                       \
	X(CLOSED, "closed here")                                                                   \
	X(REJECTED, "rejected: the peer broke the protocol")                                       \
	X(REJECTED_BY_PEER, "rejected by the peer")                                                \
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
	/* A connection was accepted, or a dialled one stands: it can be written to from now on. */
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
	uint64_t cluster;                 /* 0 = whatever the peers say: no check */
	uint32_t conn_max_count;          /* accepted and dialled together */
	uint32_t body_size_max_bytes;     /* at most FRAME_BODY_SIZE_MAX */
	size_t queue_size_max_bytes;      /* of one connection */
	size_t dial_queue_size_max_bytes; /* of one dialled connection */
	size_t pool_size_bytes;           /* all blocks together */
	uint64_t idle_timeout_us;         /* of accepted connections; 0 = none */
	bool body_check;                  /* verify body sums: who decodes does, who forwards not */
};

struct conn_counters {
	uint64_t accepted, refused, dialled, closed;
	uint64_t frames_in, frames_out, bytes_in, bytes_out, sends;
	uint64_t rejected, cut_slow, cut_idle, cut_stalled;
	uint32_t open_count;
	uint32_t blocks_used, blocks_used_max, block_count;
};

struct conn_info {
	char peer[CONN_ADDRESS_SIZE];
	bool dialled;
	uint64_t opened_at_us, received_at_us; /* the loop's clock */
	uint64_t queued_bytes;
	uint64_t frames_in, frames_out;
};

/* *ret_set is the caller's until conn_set_free(). The loop must outlive it. -ENOMEM. */
KR_MUST_CHECK int conn_set_new(struct io_loop *loop, const struct conn_config *config,
	const struct conn_handler *handler, struct conn_set **ret_set);
/* Stops listening and closes everything; run the loop until conn_set_is_stopped(). */
void conn_set_stop(struct conn_set *set);
bool conn_set_is_stopped(const struct conn_set *set);
/* Only when stopped, or when the loop will never complete anything again. Returns NULL. */
struct conn_set *conn_set_free(struct conn_set *set);

/* "HOST:PORT", "[V6]:PORT" or "unix:PATH". CONN_ADDRESS, or the system's error (negative). */
KR_MUST_CHECK int conn_set_listen(struct conn_set *set, const char *address);
/* Accepts no more; the connections there are stay. */
void conn_set_listen_stop(struct conn_set *set);
/* on_open or on_close follows from the loop. CONN_FULL, CONN_ADDRESS. */
KR_MUST_CHECK int conn_set_dial(struct conn_set *set, const char *address, struct conn_id *ret_id);

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
/* Over all connections, bytes the kernel has not taken yet: 0 = everything has left. */
size_t conn_set_queued_bytes(const struct conn_set *set);
/* CONN_GONE. */
KR_MUST_CHECK int conn_info_get(
	const struct conn_set *set, struct conn_id id, struct conn_info *ret_info);
/* The open connection with the lowest index >= `index`, or {0, 0}. */
struct conn_id conn_next(const struct conn_set *set, uint32_t index);
const struct conn_counters *conn_set_counters(const struct conn_set *set);

#endif
