#include "base/io/uring/uring_priv.h"

#include <errno.h>

/*
 * Streams between two owners that share a loop: what one sends is handed to the other's on_data
 * from the sender's own bytes, in the same turn, without a system call.
 *
 * A stream is on loop->inproc_awake (STREAM_AWAKE) while there is something to do for it: a connect
 * to finish, parts to hand over, an end to tell. Whoever changes what a stream waits for wakes it.
 * `backend` is the stream at the other end, NULL once that was closed or was never there.
 */

static bool has(const struct io_stream *stream, unsigned flag)
{
	return (stream->flags & flag) != 0;
}

static struct io_stream *other_of(const struct io_stream *stream)
{
	kr_assert(has(stream, STREAM_INPROC));
	return stream->backend;
}

static void wake(struct io_stream *stream)
{
	if (stream == NULL || has(stream, STREAM_AWAKE | STREAM_CLOSING))
		return;
	kr_assert(has(stream, STREAM_INPROC));
	stream->flags |= STREAM_AWAKE;
	kr_list_push_back(&stream->loop->inproc_awake, &stream->link);
}

static void attach(struct io_loop *loop, struct io_stream *stream, unsigned flags)
{
	kr_assert(stream->flags == 0);
	stream->loop = loop;
	stream->fd = -1;
	stream->backend = NULL;
	stream->flags = (uint16_t)(STREAM_ATTACHED | STREAM_INPROC | flags);
	loop->open_count++;
}

void inproc_connect(struct io_loop *loop, struct io_stream *stream, uint16_t port)
{
	attach(loop, stream, 0);
	stream->inproc_port = port;
	loop->stats.connect_count++;
	wake(stream);
}

static struct io_listener *listener_find(struct io_loop *loop, uint16_t port)
{
	kr_list_foreach(link, &loop->inproc_listeners)
	{
		struct io_listener *listener = kr_container_of(link, struct io_listener, link);
		if (listener->address.port == port)
			return listener;
	}
	return NULL;
}

static void connect_failed(struct io_stream *stream)
{
	kr_assert(!has(stream, STREAM_OPEN));
	stream->errno_number = ECONNREFUSED;
	stream->handler->on_open(stream, kr_error_from_errno(ECONNREFUSED));
}

static struct io_stream *accepted(struct io_listener *listener)
{
	kr_assert(listener->address.kind == IO_ADDRESS_INPROC);
	if (fault_fires(listener->loop->config.faults, FAULT_STREAM_ACCEPT)) {
		listener->loop->stats.accept_error_count++;
		return NULL;
	}
	listener->peer_uid = IO_NOBODY;
	return listener->on_accept(listener);
}

/* Whom nobody accepts is open for a moment, as over a socket, and then hung up on. */
static void connect_finish(struct io_stream *stream)
{
	struct io_loop *loop = stream->loop;
	struct io_listener *listener = listener_find(loop, stream->inproc_port);
	if (listener == NULL || fault_fires(loop->config.faults, FAULT_STREAM_CONNECT)) {
		connect_failed(stream);
		return;
	}
	struct io_stream *other = accepted(listener);
	stream->flags |= STREAM_OPEN;
	if (other != NULL) {
		loop->stats.accept_count++;
		attach(loop, other, STREAM_OPEN);
		other->backend = stream;
		stream->backend = other;
	}
	wake(stream);
	stream->handler->on_open(stream, 0);
}

/* The next piece of a part, at most a receive buffer's worth; the callback may close either end. */
static void piece_deliver(struct io_stream *stream, struct io_stream *other)
{
	struct io_loop *loop = stream->loop;
	struct iovec *part = &stream->parts[stream->part_first];
	const uint8_t *bytes = part->iov_base;
	size_t size_bytes = KR_MIN(part->iov_len, loop->config.buffer_size_bytes);
	kr_assert(size_bytes > 0);
	part->iov_base = (uint8_t *)part->iov_base + size_bytes;
	part->iov_len -= size_bytes;
	stream->part_first += part->iov_len == 0;
	loop->stats.send_bytes += size_bytes;
	loop->stats.receive_count++;
	loop->stats.receive_bytes += size_bytes;
	if (fault_fires(loop->config.faults, FAULT_STREAM_RECEIVE)) {
		other->flags |= STREAM_ENDED;
		other->errno_number = ECONNRESET;
		other->handler->on_end(other, kr_error_from_errno(ECONNRESET));
		return;
	}
	other->handler->on_data(other, bytes, size_bytes);
}

static void send_end(struct io_stream *stream, int number)
{
	kr_assert(has(stream, STREAM_SENDING));
	stream->flags &= (uint16_t)~STREAM_SENDING;
	wake(other_of(stream)); /* it may have waited for the last bytes before its end */
	if (number > 0)
		stream->errno_number = number;
	stream->handler->on_sent(stream, number > 0 ? kr_error_from_errno(number) : 0);
}

/* Until all is handed over, or the other end pauses, ends, or is gone. */
static void send_go_on(struct io_stream *stream)
{
	struct io_stream *other = other_of(stream);
	while (stream->part_first < stream->part_count && other != NULL &&
		!has(other, STREAM_PAUSED | STREAM_ENDED)) {
		piece_deliver(stream, other);
		if (has(stream, STREAM_CLOSING))
			return;
		other = other_of(stream);
	}
	if (fault_fires(stream->loop->config.faults, FAULT_STREAM_SEND))
		send_end(stream, ECONNRESET);
	else if (stream->part_first == stream->part_count)
		send_end(stream, 0);
	else if (other == NULL || has(other, STREAM_ENDED))
		send_end(stream, EPIPE);
}

static bool is_at_end(const struct io_stream *stream)
{
	const struct io_stream *other = other_of(stream);
	if (has(stream, STREAM_ENDED | STREAM_PAUSED | STREAM_CLOSING))
		return false;
	return other == NULL || (has(other, STREAM_SHUT) && !has(other, STREAM_SENDING));
}

static void run_one(struct io_stream *stream)
{
	kr_assert(!has(stream, STREAM_CLOSING));
	if (!has(stream, STREAM_OPEN)) {
		connect_finish(stream);
		return;
	}
	if (has(stream, STREAM_SENDING))
		send_go_on(stream);
	if (!is_at_end(stream))
		return;
	stream->flags |= STREAM_ENDED;
	stream->handler->on_end(stream, 0);
}

uint32_t uring_inproc_run(struct io_loop *loop)
{
	struct kr_list batch;
	struct kr_list *node;
	uint32_t count = 0;
	kr_list_init(&batch);
	kr_list_splice_back(&batch, &loop->inproc_awake);
	while ((node = kr_list_pop_front(&batch)) != NULL) {
		struct io_stream *stream = kr_container_of(node, struct io_stream, link);
		kr_assert(has(stream, STREAM_AWAKE));
		stream->flags &= (uint16_t)~STREAM_AWAKE;
		run_one(stream);
		count++;
	}
	return count;
}

void inproc_wake(struct io_stream *stream)
{
	wake(stream);
}

void inproc_wake_other(struct io_stream *stream)
{
	wake(other_of(stream));
}

void inproc_close(struct io_stream *stream)
{
	struct io_stream *other = other_of(stream);
	kr_assert(has(stream, STREAM_CLOSING));
	if (has(stream, STREAM_AWAKE)) {
		stream->flags &= (uint16_t)~STREAM_AWAKE;
		kr_list_remove(&stream->link);
	}
	stream->backend = NULL;
	if (other != NULL) {
		other->backend = NULL;
		wake(other);
	}
}

int inproc_listen(struct io_loop *loop, struct io_listener *listener, uint16_t port)
{
	if (listener_find(loop, port) != NULL)
		return -KR_E_ADDRESS_IN_USE;
	kr_list_push_back(&loop->inproc_listeners, &listener->link);
	return 0;
}

void inproc_listen_end(struct io_listener *listener)
{
	kr_assert(listener->flags & LISTENER_CLOSING);
	kr_list_remove(&listener->link);
}
