/*
 * Inside frame connections. Only proto/conn*.c include this.
 *
 * Life of a connection, and the function of each move:
 *
 *   FREE -- conn_set_dial --> DIALLING -- on_open --> OPEN <-- on_accept -- FREE
 *   OPEN -- conn_reject, conn_close(flush) --> LEAVING: the rest is sent, then shutdown, then
 *           the peer's end or CONN_LINGER_US is waited for
 *   DIALLING, OPEN, LEAVING -- conn_doom --> DOOMED -- conn_set_turn: on_close --> CLOSING
 *   CLOSING -- on_closed --> FREE
 *
 * conn_doom may be called from anywhere, since it only marks: whoever is being told about frames
 * finds the connection gone, and hears on_close at the end of the turn.
 */
#ifndef PROTO_CONN_PRIV_H
#define PROTO_CONN_PRIV_H

#include "base/io/io_stream.h"
#include "base/list.h"
#include "base/memory.h"
#include "proto/conn_auth.h"
#include "proto/conn_guard.h"
#include "proto/conn_info.h"

#define CONN_NONE UINT32_MAX
#define CONN_FLUSH_MAX 20u                    /* connections that are sent to in one turn */
#define CONN_SMALL_SIZE 1024u                 /* bodies up to this need no block when cut in two */
#define CONN_CHECK_US UINT64_C(500000)        /* how often the limits of time are looked at */
#define CONN_SEND_STALL_US UINT64_C(30000000) /* one send may take this long */

struct conn_pool {
	uint8_t *bytes;
	uint32_t *next;
	uint32_t block_count;
	uint32_t fresh_count; /* blocks never used lie at and above this */
	uint32_t used_count, used_max_count;
	uint32_t free_head;
};

void conn_pool_init(struct conn_pool *pool, uint8_t *bytes, uint32_t *next, uint32_t block_count);

/* Bytes in order, in blocks of a pool. */
struct conn_chain {
	uint32_t head, tail;
	uint32_t head_offset, tail_fill;
	uint32_t block_count;
	size_t size_bytes;
};

void conn_chain_init(struct conn_chain *chain);
/* False, and nothing has changed, when the pool has too few blocks left. */
bool conn_chain_has_room(
	const struct conn_pool *pool, const struct conn_chain *chain, size_t size_bytes);
/* There is room. */
void conn_chain_append(
	struct conn_pool *pool, struct conn_chain *chain, const void *bytes, size_t size_bytes);
/* Gives the first `size_bytes` up. */
void conn_chain_consume(struct conn_pool *pool, struct conn_chain *chain, size_t size_bytes);
/* Gives everything after the first `size_bytes` up. */
void conn_chain_cut(struct conn_pool *pool, struct conn_chain *chain, size_t size_bytes);
/* The first bytes as at most IO_SEND_PART_MAX parts; returns how many parts. */
uint32_t conn_chain_parts(const struct conn_pool *pool, const struct conn_chain *chain,
	struct iovec *ret_parts, size_t *ret_size_bytes);

enum conn_state { CONN_FREE, CONN_DIALLING, CONN_OPEN, CONN_LEAVING, CONN_DOOMED, CONN_CLOSING };

struct conn {
	struct conn_set *set;
	struct kr_list link;  /* FREE: of the free ones; DOOMED: of the doomed */
	struct kr_list dirty; /* something is to be sent or shut down at the end of the turn */
	uint32_t index, generation;
	uint8_t state;
	uint8_t reason; /* LEAVING, DOOMED */
	uint16_t code;
	bool dialled, greeted, shut;
	/* receiving: a frame that came in part */
	bool has_head;
	uint32_t head_have; /* bytes of the header, while it is not whole */
	uint32_t body_have;
	uint64_t partial_at_us; /* 0 = between frames */
	struct frame_header head;
	uint8_t *small; /* CONN_SMALL_SIZE bytes: the header's, then a small body's */
	struct conn_chain in;
	/* sending */
	struct conn_chain out;
	size_t sending_bytes; /* of `out`, with the kernel */
	uint64_t sending_at_us;
	uint64_t opened_at_us, received_at_us, leaving_at_us;
	uint64_t frames_in, frames_out;
	uint32_t mark;        /* `via` of its HELLO; 0 = none */
	uint64_t mark_number; /* and its request id */
	uint32_t principal;
	bool is_told; /* of on_open */
	struct conn_auth auth;
	struct io_stream stream;
};

struct conn_set {
	struct io_loop *loop;
	struct conn_config config;
	struct conn_handler handler;
	struct kr_memory memory;
	struct conn *conns;
	uint8_t *smalls;
	uint8_t *scratch; /* a body that lies in several blocks is put together here */
	struct conn_pool pool;
	struct kr_list free_accept, free_dial;
	uint32_t fresh_accept, fresh_dial; /* connections never used lie at and above these */
	uint32_t used_count;
	uint32_t accept_limit; /* accepted and open at a time */
	struct kr_list doomed, dirty;
	bool has_delivered;
	bool is_stopping;
	size_t queued_bytes;
	struct io_timer check, kick;
	struct io_listener listeners[CONN_LISTEN_MAX];
	bool listener_is_open[CONN_LISTEN_MAX];
	struct conn_guard guards[CONN_LISTEN_MAX];
	uint32_t listener_count, listener_open_count;
	struct conn_counters counters;
};

void conn_tell_open(struct conn *conn);
/* Ends a connection: see above. */
void conn_doom(struct conn *conn, enum conn_reason reason, unsigned code);
/* Sends the rest, then ends it. */
void conn_leave(struct conn *conn, enum conn_reason reason, unsigned code);
struct conn *conn_find(const struct conn_set *set, struct conn_id id);
struct conn_id conn_id_of(const struct conn *conn);
/* A free connection, made new; NULL when all are in use. */
struct conn *conn_take(struct conn_set *set, bool dialled);

/* Stops the set's timers if it is stopped: from then on it needs no loop. */
void conn_set_rest(struct conn_set *set);

/* conn_receive.c */
void conn_receive(struct conn *conn, const uint8_t *bytes, size_t size_bytes);
/* conn_send.c */
void conn_mark_dirty(struct conn *conn);
void conn_flush(struct conn *conn);
void conn_sent(struct conn *conn);
/* Room for more bytes in one of its chains, if need be at the cost of the greediest. */
bool conn_make_room(struct conn *conn, const struct conn_chain *chain, size_t size_bytes);
/* Gives back every block but those the kernel reads from. */
void conn_give_up_blocks(struct conn *conn);
/* conn_time.c */
void conn_check_start(struct conn_set *set);
void conn_check_on_due(struct io_timer *timer);

#endif
