/*
 * Byte streams over TCP (Nagle off), unix sockets, and between two owners of one loop (inproc:
 * what is sent arrives in the same turn, without a system call or a copy).
 *
 * Life of a stream: init -> (accepted | connect) -> open -> [end] -> close -> on_closed. After
 * io_stream_close nothing but on_closed is called; until on_closed the structure and the bytes of
 * a send in flight belong to the loop. One send is in flight at a time.
 */
#ifndef BASE_IO_IO_STREAM_H
#define BASE_IO_IO_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/check.h"
#include "base/error.h"
#include "base/io/io.h"
#include "base/io/io_address.h"
#include "base/list.h"

#define IO_SEND_PART_MAX 16u
#define IO_SEND_SIZE_MAX (1u << 30)
#define IO_LISTEN_BACKLOG 4096

struct io_stream;

struct io_stream_handler {
	/* A connect ended: 0, or why not (then only io_stream_close is left). May be NULL where
	 * streams are only accepted. */
	void (*on_open)(struct io_stream *stream, int result);
	/* Bytes came, at least one, at most a receive buffer. They are gone after the call. */
	void (*on_data)(struct io_stream *stream, const uint8_t *bytes, size_t size_bytes);
	/* No more will come: 0 the peer finished sending, -KR_E_RESET or another error. Sending may
	 * still work after 0. Called at most once. */
	void (*on_end)(struct io_stream *stream, int result);
	/* The send is complete: 0 and all of it is with the kernel, or an error and an unknown part
	 * of it was sent. */
	void (*on_sent)(struct io_stream *stream, int result);
	/* The structure is the caller's again. */
	void (*on_closed)(struct io_stream *stream);
};

struct io_stream {
	const struct io_stream_handler *handler;
	void *context;
	int errno_number; /* behind the last error */
	/* the loop's */
	struct io_loop *loop;
	void *backend; /* the simulated connection */
	struct kr_list link;
	int fd;
	uint16_t flags;
	uint16_t in_flight_count;
	uint16_t inproc_port; /* of a connect while it runs */
	uint32_t part_first;
	uint32_t part_count;
	struct iovec parts[IO_SEND_PART_MAX];
	struct msghdr message;
	struct sockaddr_storage peer; /* of a connect while it runs */
};

/* `handler` outlives the stream. */
void io_stream_init(
	struct io_stream *stream, const struct io_stream_handler *handler, void *context);

/* Starts to connect; on_open tells the end. 0, or an error and the stream is as after init. */
KR_MUST_CHECK int io_stream_connect(
	struct io_loop *loop, struct io_stream *stream, const struct io_address *address);

/*
 * Sends the parts in order; on_sent tells the end. `parts` itself may go away at once, the bytes
 * stay until on_sent or on_closed. 1 to IO_SEND_PART_MAX parts, none empty, IO_SEND_SIZE_MAX bytes
 * at most together. The stream is open and no send is in flight.
 */
void io_stream_send(struct io_stream *stream, const struct iovec *parts, uint32_t part_count);
bool io_stream_is_sending(const struct io_stream *stream);

/* No more data for now: the peer is slowed by the kernel's own buffers. What had come already
 * may still be delivered. */
void io_stream_receive_pause(struct io_stream *stream);
void io_stream_receive_resume(struct io_stream *stream);

/* Tells the peer that nothing more will be sent. No send is in flight. Data still arrives. Close
 * a stream whose last words matter only after on_end: closing with unread data resets it. */
void io_stream_shutdown(struct io_stream *stream);

/* Gives everything up; on_closed comes later, never inside this call. Once, at any time after
 * accept or connect; legal inside the stream's own callbacks. */
void io_stream_close(struct io_stream *stream);

/* The other end as text; for a unix socket the path listened on, or "unix:". */
void io_stream_peer_format(
	const struct io_stream *stream, char ret_text[static IO_ADDRESS_TEXT_SIZE]);

#define IO_NOBODY UINT32_MAX /* no user or group */

/* Who may connect to a unix socket, as the kernel sees it. */
struct io_socket_guard {
	uint32_t mode;     /* permission bits */
	uint32_t uid, gid; /* IO_NOBODY: whose the process is */
};

struct io_listener {
	/* A peer is there: an initialised stream that is in no use, or NULL to hang up on it. The
	 * stream is open when this returns. */
	struct io_stream *(*on_accept)(struct io_listener *listener);
	/* The listener is the caller's again. */
	void (*on_closed)(struct io_listener *listener);
	void *context;
	struct io_socket_guard guard; /* of a unix socket; after init 0600 and nobody else's */
	/* Within on_accept: the user behind a unix socket, as the kernel knows it; IO_NOBODY over
	 * TCP and where there is no kernel. */
	uint32_t peer_uid;
	/* the loop's */
	struct io_loop *loop;
	void *backend;
	struct kr_list link;
	struct io_timer retry;
	struct io_address address;
	int fd;
	uint16_t flags;
	uint16_t in_flight_count;
};

void io_listener_init(struct io_listener *listener,
	struct io_stream *(*on_accept)(struct io_listener *),
	void (*on_closed)(struct io_listener *), void *context);

/*
 * Starts to accept. 0, or an error with a text: -KR_E_ADDRESS_IN_USE (try again: a killed
 * process's socket may take a while to go), -KR_E_PERMISSION, ... A unix path left by a dead
 * process is taken over; a live one is in use.
 */
KR_MUST_CHECK int io_listener_start(struct io_loop *loop, struct io_listener *listener,
	const struct io_address *address, struct kr_error_text *text);
/* Where it listens, with the port that was free. */
const struct io_address *io_listener_address(const struct io_listener *listener);
/* Accepts no more; on_closed comes later, never inside this call. Accepted streams stay. */
void io_listener_close(struct io_listener *listener);

#endif
