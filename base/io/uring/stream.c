#include "base/io/uring/uring_priv.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#include "base/tcp.h"

#define SEND_FLAGS (MSG_NOSIGNAL | MSG_WAITALL)

static bool has(const struct io_stream *stream, unsigned flag)
{
	return (stream->flags & flag) != 0;
}

/* The last completion was seen: the next turn, or the end of this one, gives it back. */
static void close_when_idle(struct io_stream *stream)
{
	if (!has(stream, STREAM_CLOSING) || stream->in_flight_count > 0)
		return;
	kr_assert(kr_list_is_empty(&stream->link));
	kr_list_push_back(&stream->loop->closing, &stream->link);
}

static void submission_ended(struct io_stream *stream)
{
	kr_assert(stream->in_flight_count > 0);
	stream->in_flight_count--;
	close_when_idle(stream);
}

static struct io_uring_sqe *submission_start(struct io_stream *stream, enum uring_kind kind)
{
	kr_assert(stream->fd >= 0);
	kr_assert(stream->in_flight_count < UINT16_MAX);
	stream->in_flight_count++;
	return uring_sqe(stream->loop, kind, stream);
}

static void receive_start(struct io_stream *stream)
{
	kr_assert(!has(stream, STREAM_RECEIVING));
	kr_assert(!has(stream, STREAM_ENDED | STREAM_CLOSING | STREAM_PAUSED));
	struct io_uring_sqe *sqe = submission_start(stream, URING_RECEIVE);
	io_uring_prep_recv_multishot(sqe, stream->fd, NULL, 0, 0);
	sqe->flags |= IOSQE_BUFFER_SELECT;
	sqe->buf_group = URING_BUFFER_GROUP;
	stream->flags |= STREAM_RECEIVING;
}

static bool wants_data(const struct io_stream *stream)
{
	return has(stream, STREAM_OPEN) &&
	       !has(stream, STREAM_ENDED | STREAM_CLOSING | STREAM_PAUSED | STREAM_RECEIVING |
				    STREAM_STARVED);
}

static void end(struct io_stream *stream, int number)
{
	kr_assert(!has(stream, STREAM_ENDED));
	stream->flags |= STREAM_ENDED;
	if (has(stream, STREAM_CLOSING))
		return;
	if (number > 0)
		stream->errno_number = number;
	stream->handler->on_end(stream, number > 0 ? kr_error_from_errno(number) : 0);
}

static void deliver(struct io_stream *stream, uint32_t size_bytes, uint32_t cqe_flags)
{
	kr_assert(cqe_flags & IORING_CQE_F_BUFFER);
	uint32_t buffer = cqe_flags >> IORING_CQE_BUFFER_SHIFT;
	struct io_loop *loop = stream->loop;
	kr_assert(size_bytes <= loop->config.buffer_size_bytes);
	if (!has(stream, STREAM_CLOSING | STREAM_ENDED)) {
		loop->stats.receive_count++;
		loop->stats.receive_bytes += size_bytes;
		if (fault_fires(loop->config.faults, FAULT_STREAM_RECEIVE))
			end(stream, ECONNRESET);
		else
			stream->handler->on_data(stream, uring_buffer(loop, buffer), size_bytes);
	}
	uring_buffer_return(loop, buffer);
}

void uring_stream_received(struct io_stream *stream, int result, uint32_t cqe_flags)
{
	kr_assert(has(stream, STREAM_RECEIVING));
	bool is_last = !(cqe_flags & IORING_CQE_F_MORE);
	if (is_last)
		stream->flags &= (uint16_t)~STREAM_RECEIVING;
	if (result > 0)
		deliver(stream, (uint32_t)result, cqe_flags);
	else if (cqe_flags & IORING_CQE_F_BUFFER)
		uring_buffer_return(stream->loop, cqe_flags >> IORING_CQE_BUFFER_SHIFT);
	if (result == 0 && !has(stream, STREAM_ENDED))
		end(stream, 0);
	if (result == -ENOBUFS && wants_data(stream)) {
		/* Other streams of this turn hold all buffers: they are back at its end. */
		stream->loop->stats.buffer_starved_count++;
		stream->flags |= STREAM_STARVED;
		kr_list_push_back(&stream->loop->starved, &stream->link);
	} else if (result < 0 && result != -ECANCELED && result != -EINTR && result != -ENOBUFS &&
		   !has(stream, STREAM_ENDED)) {
		end(stream, -result);
	}
	if (!is_last)
		return;
	if (wants_data(stream))
		receive_start(stream);
	submission_ended(stream);
}

uint32_t uring_starved_run(struct io_loop *loop)
{
	struct kr_list batch;
	struct kr_list *node;
	uint32_t count = 0;
	kr_list_init(&batch);
	kr_list_splice_back(&batch, &loop->starved);
	while ((node = kr_list_pop_front(&batch)) != NULL) {
		struct io_stream *stream = kr_container_of(node, struct io_stream, link);
		kr_assert(has(stream, STREAM_STARVED));
		stream->flags &= (uint16_t)~STREAM_STARVED;
		if (wants_data(stream))
			receive_start(stream);
		count++;
	}
	return count;
}

static void attach(struct io_loop *loop, struct io_stream *stream, int fd)
{
	kr_assert(stream->flags == 0);
	kr_assert(fd >= 0);
	stream->loop = loop;
	stream->fd = fd;
	stream->flags = STREAM_ATTACHED;
	loop->open_count++;
}

static void detach(struct io_stream *stream)
{
	kr_assert(stream->in_flight_count == 0);
	kr_assert(stream->loop->open_count > 0);
	stream->loop->open_count--;
	if (!has(stream, STREAM_INPROC))
		close(stream->fd);
	stream->fd = -1;
	stream->flags = 0;
}

void uring_stream_attach(struct io_loop *loop, struct io_stream *stream, int fd)
{
	kr_assert(stream->handler != NULL);
	attach(loop, stream, fd);
	stream->flags |= STREAM_OPEN;
	receive_start(stream);
}

int io_stream_connect(
	struct io_loop *loop, struct io_stream *stream, const struct io_address *address)
{
	kr_assert(stream->handler->on_open != NULL);
	kr_assert(stream->flags == 0);
	if (fault_fires(loop->config.faults, FAULT_STREAM_OPEN)) {
		stream->errno_number = EMFILE;
		return kr_error_from_errno(EMFILE);
	}
	if (address->kind == IO_ADDRESS_INPROC) {
		inproc_connect(loop, stream, address->port);
		return 0;
	}
	socklen_t length = uring_sockaddr(address, &stream->peer);
	/* Blocking: io_uring polls by itself, and a full unix backlog then waits, not fails. */
	int fd = socket(stream->peer.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		stream->errno_number = errno;
		return kr_error_from_errno(errno);
	}
	kr_tcp_tune(fd, (const struct sockaddr *)&stream->peer);
	attach(loop, stream, fd);
	loop->stats.connect_count++;
	struct io_uring_sqe *sqe = submission_start(stream, URING_CONNECT);
	io_uring_prep_connect(sqe, fd, (struct sockaddr *)&stream->peer, length);
	return 0;
}

void uring_stream_connected(struct io_stream *stream, int result)
{
	kr_assert(!has(stream, STREAM_OPEN));
	kr_assert(result <= 0);
	if (result == 0 && fault_fires(stream->loop->config.faults, FAULT_STREAM_CONNECT))
		result = -ECONNREFUSED;
	if (!has(stream, STREAM_CLOSING)) {
		if (result == 0) {
			stream->flags |= STREAM_OPEN;
			receive_start(stream);
		} else {
			stream->errno_number = -result;
		}
		stream->handler->on_open(stream, result < 0 ? kr_error_from_errno(-result) : 0);
	}
	submission_ended(stream);
}

static void send_start(struct io_stream *stream)
{
	kr_assert(stream->part_first < stream->part_count);
	struct iovec *parts = &stream->parts[stream->part_first];
	uint32_t count = stream->part_count - stream->part_first;
	struct io_uring_sqe *sqe = submission_start(stream, URING_SEND);
	if (count == 1) {
		io_uring_prep_send(sqe, stream->fd, parts->iov_base, parts->iov_len, SEND_FLAGS);
		return;
	}
	stream->message = (struct msghdr){.msg_iov = parts, .msg_iovlen = count};
	io_uring_prep_sendmsg(sqe, stream->fd, &stream->message, SEND_FLAGS);
}

void io_stream_send(struct io_stream *stream, const struct iovec *parts, uint32_t part_count)
{
	kr_assert(part_count >= 1 && part_count <= IO_SEND_PART_MAX);
	kr_assert(has(stream, STREAM_OPEN));
	kr_assert(!has(stream, STREAM_SENDING | STREAM_SHUT | STREAM_CLOSING));
	size_t size_bytes = 0;
	for (uint32_t i = 0; i < part_count; i++) {
		kr_assert(parts[i].iov_len > 0);
		kr_assert(parts[i].iov_len <= IO_SEND_SIZE_MAX - size_bytes);
		size_bytes += parts[i].iov_len;
		stream->parts[i] = parts[i];
	}
	stream->part_first = 0;
	stream->part_count = part_count;
	stream->flags |= STREAM_SENDING;
	stream->loop->stats.send_count++;
	if (has(stream, STREAM_INPROC))
		inproc_wake(stream);
	else
		send_start(stream);
}

bool io_stream_is_sending(const struct io_stream *stream)
{
	return has(stream, STREAM_SENDING);
}

/* Steps over what was sent; true when nothing is left. */
static bool parts_advance(struct io_stream *stream, size_t size_bytes)
{
	while (stream->part_first < stream->part_count) {
		struct iovec *part = &stream->parts[stream->part_first];
		if (size_bytes < part->iov_len) {
			part->iov_base = (uint8_t *)part->iov_base + size_bytes;
			part->iov_len -= size_bytes;
			return false;
		}
		size_bytes -= part->iov_len;
		stream->part_first++;
	}
	kr_assert(size_bytes == 0);
	return true;
}

static void sent(struct io_stream *stream, int number)
{
	kr_assert(number >= 0);
	stream->flags &= (uint16_t)~STREAM_SENDING;
	if (has(stream, STREAM_CLOSING))
		return;
	if (number > 0)
		stream->errno_number = number;
	stream->handler->on_sent(stream, number > 0 ? kr_error_from_errno(number) : 0);
}

void uring_stream_sent(struct io_stream *stream, int result)
{
	kr_assert(has(stream, STREAM_SENDING));
	struct io_stats *stats = &stream->loop->stats;
	if (result > 0) {
		stats->send_bytes += (uint32_t)result;
		if (fault_fires(stream->loop->config.faults, FAULT_STREAM_SEND))
			result = -ECONNRESET;
	}
	bool is_done = result > 0 && parts_advance(stream, (uint32_t)result);
	bool is_short = result > 0 && !is_done;
	bool is_again = result == -EINTR || result == -EAGAIN;
	if ((is_short || is_again) && !has(stream, STREAM_CLOSING)) {
		stats->send_short_count += is_short;
		send_start(stream);
	} else {
		/* A send of nothing makes no progress and never should be. */
		sent(stream, is_done ? 0 : (result < 0 ? -result : EIO));
	}
	submission_ended(stream);
}

/* Ends the receive alone; its last completion arms it again unless the pause still holds. */
static void receive_cancel(struct io_stream *stream)
{
	kr_assert(has(stream, STREAM_RECEIVING));
	uint64_t target = (uint64_t)(uintptr_t)stream | URING_RECEIVE;
	struct io_uring_sqe *sqe = submission_start(stream, URING_STREAM_CANCEL);
	io_uring_prep_cancel64(sqe, target, 0);
}

void io_stream_receive_pause(struct io_stream *stream)
{
	kr_assert(has(stream, STREAM_ATTACHED));
	if (has(stream, STREAM_PAUSED | STREAM_CLOSING))
		return;
	stream->flags |= STREAM_PAUSED;
	if (has(stream, STREAM_RECEIVING))
		receive_cancel(stream);
}

void io_stream_receive_resume(struct io_stream *stream)
{
	kr_assert(has(stream, STREAM_ATTACHED));
	stream->flags &= (uint16_t)~STREAM_PAUSED;
	if (has(stream, STREAM_INPROC)) {
		inproc_wake(stream);
		inproc_wake_other(stream);
	} else if (wants_data(stream)) {
		receive_start(stream);
	}
}

void io_stream_shutdown(struct io_stream *stream)
{
	kr_assert(has(stream, STREAM_OPEN));
	kr_assert(!has(stream, STREAM_SENDING | STREAM_CLOSING));
	if (has(stream, STREAM_SHUT))
		return;
	stream->flags |= STREAM_SHUT;
	if (has(stream, STREAM_INPROC))
		inproc_wake_other(stream);
	else /* fails only when the peer is gone already, which on_end tells */
		(void)shutdown(stream->fd, SHUT_WR);
}

void io_stream_close(struct io_stream *stream)
{
	kr_assert(has(stream, STREAM_ATTACHED));
	kr_assert(!has(stream, STREAM_CLOSING));
	stream->flags |= STREAM_CLOSING;
	stream->loop->stats.close_count++;
	if (has(stream, STREAM_INPROC))
		inproc_close(stream);
	if (has(stream, STREAM_STARVED)) {
		stream->flags &= (uint16_t)~STREAM_STARVED;
		kr_list_remove(&stream->link);
	}
	if (stream->in_flight_count > 0) {
		struct io_uring_sqe *sqe = submission_start(stream, URING_STREAM_CANCEL);
		io_uring_prep_cancel_fd(sqe, stream->fd, IORING_ASYNC_CANCEL_ALL);
	}
	close_when_idle(stream);
}

void uring_stream_cancelled(struct io_stream *stream)
{
	/* The result says how many were found; their own completions say how they ended. */
	submission_ended(stream);
}

uint32_t uring_closing_run(struct io_loop *loop)
{
	struct kr_list batch;
	struct kr_list *node;
	uint32_t count = 0;
	kr_list_init(&batch);
	kr_list_splice_back(&batch, &loop->closing);
	while ((node = kr_list_pop_front(&batch)) != NULL) {
		struct io_stream *stream = kr_container_of(node, struct io_stream, link);
		detach(stream);
		stream->handler->on_closed(stream);
		count++;
	}
	return count;
}

void io_stream_peer_format(
	const struct io_stream *stream, char ret_text[static IO_ADDRESS_TEXT_SIZE])
{
	struct sockaddr_storage storage = {0};
	struct io_address address;
	socklen_t length = sizeof(storage);
	kr_assert(has(stream, STREAM_ATTACHED));
	if (has(stream, STREAM_INPROC)) {
		memcpy(ret_text, "inproc:", sizeof("inproc:"));
		return;
	}
	if (getpeername(stream->fd, (struct sockaddr *)&storage, &length) < 0) {
		memcpy(ret_text, "gone", sizeof("gone"));
		return;
	}
	uring_address(&storage, &address);
	io_address_format(&address, ret_text);
}
