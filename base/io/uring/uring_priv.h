/*
 * The io_uring loop inside. Numbered invariants:
 *  1. Every submission's user_data is a pointer to the object it belongs to, tagged with its kind;
 *     the object counts it in in_flight_count until its last completion (no F_MORE) was seen.
 *  2. An object's descriptor is closed, and the object given back, only with none in flight.
 *  3. No callback runs outside uring_dispatch, the timers, uring_closing_run and the turn.
 */
#ifndef BASE_IO_URING_URING_PRIV_H
#define BASE_IO_URING_URING_PRIV_H

#include <liburing.h>
#include <sys/signalfd.h>

#include "base/fault.h"
#include "base/io/io.h"
#include "base/io/io_file.h"
#include "base/io/io_stream.h"
#include "base/io/io_timer_priv.h"
#include "base/io/io_turn_priv.h"
#include "base/list.h"

/* In the low bits of user_data. */
enum uring_kind {
	URING_RECEIVE,
	URING_SEND,
	URING_CONNECT,
	URING_STREAM_CANCEL,
	URING_ACCEPT,
	URING_LISTENER_CANCEL,
	URING_OP,
	URING_LOOP,
};

#define URING_KIND_MASK 7u
#define URING_BUFFER_GROUP 0

struct io_loop {
	struct io_uring ring;
	struct io_config config;
	struct io_stats stats;
	struct io_timers timers;
	struct kr_list starved; /* streams to receive again once buffers are back */
	struct kr_list closing; /* streams with nothing in flight, to be given back */
	struct kr_list listeners_closing;
	struct kr_list inproc_awake;     /* streams that inproc.c has something to do for */
	struct kr_list inproc_listeners; /* struct io_listener.link */
	struct io_turns turns;
	bool is_stopped;
	bool is_ticking;
	uint32_t open_count; /* streams, listeners, files and directories not yet given back */
	uint32_t spin_now_us;
	uint32_t spin_rest;
	uint32_t crowd; /* completions of a turn, a moving average in sixteenths */

	struct io_uring_buf_ring *buffer_ring;
	uint8_t *buffers;

	int signal_fd;
	struct signalfd_siginfo signal_info;
	void (*on_signal)(struct io_loop *loop, int number, void *context);
	void *signal_context;
	uint32_t in_flight_count; /* of the loop's own submissions */
};

kr_static_assert(_Alignof(struct io_stream) > URING_KIND_MASK, "room for the tag");
kr_static_assert(_Alignof(struct io_listener) > URING_KIND_MASK, "room for the tag");
kr_static_assert(_Alignof(struct io_op) > URING_KIND_MASK, "room for the tag");
kr_static_assert(_Alignof(struct io_loop) > URING_KIND_MASK, "room for the tag");

/* io_stream.flags */
#define STREAM_ATTACHED 0x001u /* on a loop */
#define STREAM_OPEN 0x002u
#define STREAM_RECEIVING 0x004u /* a receive is in flight */
#define STREAM_PAUSED 0x008u
#define STREAM_ENDED 0x010u /* on_end was called */
#define STREAM_SENDING 0x020u
#define STREAM_SHUT 0x040u
#define STREAM_CLOSING 0x080u
#define STREAM_STARVED 0x100u
#define STREAM_INPROC 0x200u /* the other end is on this loop too */
#define STREAM_AWAKE 0x400u

/* io_listener.flags */
#define LISTENER_ACCEPTING 0x1u
#define LISTENER_CLOSING 0x2u
#define LISTENER_STARTED 0x4u

/* A submission entry with its user_data set; submits early when the queue is full. */
struct io_uring_sqe *uring_sqe(struct io_loop *loop, enum uring_kind kind, void *object);

void uring_buffer_return(struct io_loop *loop, uint32_t buffer);
static inline const uint8_t *uring_buffer(const struct io_loop *loop, uint32_t buffer)
{
	return loop->buffers + (size_t)buffer * loop->config.buffer_size_bytes;
}

/* What a completion says; `buffer` is valid with IORING_CQE_F_BUFFER. */
void uring_stream_received(struct io_stream *stream, int result, uint32_t cqe_flags);
void uring_stream_sent(struct io_stream *stream, int result);
void uring_stream_connected(struct io_stream *stream, int result);
void uring_stream_cancelled(struct io_stream *stream);
void uring_listener_accepted(struct io_listener *listener, int result, uint32_t cqe_flags);
void uring_listener_cancelled(struct io_listener *listener);
void uring_op_done(struct io_op *op, int result);

/* The stream took a connected descriptor over and starts to receive. */
void uring_stream_attach(struct io_loop *loop, struct io_stream *stream, int fd);
/* Receives again on streams that found no buffer. Returns how many. */
uint32_t uring_starved_run(struct io_loop *loop);
/* Gives closed streams and listeners back. Returns how many. */
uint32_t uring_closing_run(struct io_loop *loop);
uint32_t uring_listeners_closing_run(struct io_loop *loop);

/* inproc.c: both ends of these streams are on one loop. */
void inproc_connect(struct io_loop *loop, struct io_stream *stream, uint16_t port);
/* There is something to do for the stream, or for the other end of it. */
void inproc_wake(struct io_stream *stream);
void inproc_wake_other(struct io_stream *stream);
void inproc_close(struct io_stream *stream);
/* Returns how many streams were awake. */
uint32_t uring_inproc_run(struct io_loop *loop);
/* 0 or -KR_E_ADDRESS_IN_USE. */
KR_MUST_CHECK int inproc_listen(struct io_loop *loop, struct io_listener *listener, uint16_t port);
void inproc_listen_end(struct io_listener *listener);

/* io_address to a sockaddr; returns its length. */
socklen_t uring_sockaddr(const struct io_address *address, struct sockaddr_storage *ret_storage);
void uring_address(const struct sockaddr_storage *storage, struct io_address *ret_address);

#endif
