#include "base/io/sim/net_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool has(const struct io_stream *stream, unsigned flag)
{
	return (stream->flags & flag) != 0;
}

int io_stream_connect(
	struct io_loop *loop, struct io_stream *stream, const struct io_address *address)
{
	kr_assert(stream->handler->on_open != NULL);
	kr_assert(stream->flags == 0);
	if (sim_loop_is_gone(loop))
		return -KR_E_CANCELLED;
	if (fault_fires(loop->config.faults, FAULT_STREAM_OPEN)) {
		stream->errno_number = EMFILE;
		return kr_error_from_errno(EMFILE);
	}
	struct sim_connection *connection = sim_connection_new(loop, stream);
	connection->address = *address;
	loop->stats.connect_count++;
	return 0;
}

void io_stream_send(struct io_stream *stream, const struct iovec *parts, uint32_t part_count)
{
	struct sim_end *end = stream->backend;
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
	end->send_number++;
	if (!sim_loop_is_gone(stream->loop))
		sim_end_pump(end);
}

bool io_stream_is_sending(const struct io_stream *stream)
{
	return has(stream, STREAM_SENDING);
}

void io_stream_receive_pause(struct io_stream *stream)
{
	kr_assert(has(stream, STREAM_ATTACHED));
	stream->flags |= STREAM_PAUSED;
}

void io_stream_receive_resume(struct io_stream *stream)
{
	struct sim_end *end = stream->backend;
	kr_assert(has(stream, STREAM_ATTACHED));
	stream->flags &= (uint16_t)~STREAM_PAUSED;
	if (!sim_loop_is_gone(stream->loop))
		sim_end_ready(end, END_DATA);
}

void io_stream_shutdown(struct io_stream *stream)
{
	kr_assert(has(stream, STREAM_OPEN));
	kr_assert(!has(stream, STREAM_SENDING | STREAM_CLOSING));
	stream->flags |= STREAM_SHUT;
	if (!sim_loop_is_gone(stream->loop))
		sim_end_shut(stream->backend);
}

void io_stream_close(struct io_stream *stream)
{
	struct sim_end *end = stream->backend;
	kr_assert(has(stream, STREAM_ATTACHED));
	kr_assert(!has(stream, STREAM_CLOSING));
	stream->flags |= STREAM_CLOSING;
	stream->loop->stats.close_count++;
	if (sim_loop_is_gone(stream->loop))
		return;
	sim_end_close(end);
	sim_end_ready(end, END_CLOSED);
}

static void end_reset(struct sim_end *end)
{
	kr_assert(end->stream != NULL);
	end->has_reset = true;
	end->is_broken = true;
	end->in_size_bytes = 0;
}

static void deliver_open(struct sim_end *end)
{
	kr_assert(!has(end->stream, STREAM_OPEN));
	struct io_stream *stream = end->stream;
	if (has(stream, STREAM_CLOSING))
		return;
	if (end->open_result == 0 && fault_fires(end->loop->config.faults, FAULT_STREAM_CONNECT))
		end->open_result = -KR_E_REFUSED;
	if (end->open_result == 0)
		stream->flags |= STREAM_OPEN;
	stream->handler->on_open(stream, end->open_result);
}

static void deliver_sent(struct sim_end *end)
{
	kr_assert(end->stream != NULL);
	struct io_stream *stream = end->stream;
	if (has(stream, STREAM_CLOSING) || !has(stream, STREAM_SENDING))
		return;
	stream->flags &= (uint16_t)~STREAM_SENDING;
	if (end->sent_result == 0 && fault_fires(end->loop->config.faults, FAULT_STREAM_SEND))
		end->sent_result = -KR_E_RESET;
	stream->handler->on_sent(stream, end->sent_result);
}

static bool wants_data(const struct io_stream *stream)
{
	return has(stream, STREAM_OPEN) &&
	       !has(stream, STREAM_CLOSING | STREAM_PAUSED | STREAM_ENDED);
}

/* One receive buffer's worth, or less: what a call gets is the kernel's whim. */
static void deliver_bytes(struct sim_end *end)
{
	kr_assert(end->in_size_bytes > 0);
	kr_assert(wants_data(end->stream));
	struct io_stream *stream = end->stream;
	struct io_loop *loop = end->loop;
	struct sim_world *world = loop->world;
	uint32_t most = KR_MIN(end->in_size_bytes, loop->config.buffer_size_bytes);
	uint32_t size = most;
	if (most > 1 && rng_chance(&world->rng_net, world->config.faults.net_split))
		size = (uint32_t)rng_range(&world->rng_net, 1, most);
	if (fault_fires(loop->config.faults, FAULT_STREAM_RECEIVE)) {
		end_reset(end);
		return;
	}
	loop->stats.receive_count++;
	loop->stats.receive_bytes += size;
	/* A copy of the exact size, so that a sanitizer sees a read beyond it or after it. */
	uint8_t *bytes = sim_alloc(size);
	memcpy(bytes, end->in, size);
	end->in_size_bytes -= size;
	memmove(end->in, end->in + size, end->in_size_bytes);
	sim_end_read(end, size);
	stream->handler->on_data(stream, bytes, size);
	memset(bytes, 0xdb, size);
	free(bytes);
}

static void deliver_end(struct sim_end *end)
{
	kr_assert(end->loop != NULL);
	struct io_stream *stream = end->stream;
	if (!wants_data(stream) || end->in_size_bytes > 0)
		return;
	if (!end->has_fin && !end->has_reset)
		return;
	stream->flags |= STREAM_ENDED;
	stream->handler->on_end(stream, end->has_reset ? -KR_E_RESET : 0);
}

static void deliver_data(struct sim_end *end)
{
	while (end->in_size_bytes > 0 && wants_data(end->stream) && !sim_loop_is_gone(end->loop))
		deliver_bytes(end);
	if (!sim_loop_is_gone(end->loop))
		deliver_end(end);
}

static void deliver_closed(struct sim_end *end)
{
	struct io_stream *stream = end->stream;
	struct io_loop *loop = end->loop;
	kr_assert(has(stream, STREAM_CLOSING));
	kr_assert(loop->open_count > 0);
	loop->open_count--;
	end->stream = NULL;
	end->loop = NULL;
	kr_list_remove(&end->loop_link);
	kr_list_remove(&end->ready.link);
	sim_connection_free_when_idle(end->connection);
	stream->flags = 0;
	stream->backend = NULL;
	stream->handler->on_closed(stream);
}

void sim_end_deliver(struct sim_ready *ready)
{
	kr_assert(ready->deliver == sim_end_deliver);
	struct sim_end *end = kr_container_of(ready, struct sim_end, ready);
	struct io_loop *loop = end->loop;
	unsigned bits = end->ready_bits;
	end->ready_bits = 0;
	sim_trace_u64(loop->world, loop->node->index, end->connection->number, bits);
	if (bits & END_OPENED)
		deliver_open(end);
	if ((bits & END_SENT) && !sim_loop_is_gone(loop))
		deliver_sent(end);
	if ((bits & (END_DATA | END_OPENED)) && !sim_loop_is_gone(loop))
		deliver_data(end);
	if ((bits & END_CLOSED) && !sim_loop_is_gone(loop))
		deliver_closed(end);
}

void io_stream_peer_format(
	const struct io_stream *stream, char ret_text[static IO_ADDRESS_TEXT_SIZE])
{
	const struct sim_end *end = stream->backend;
	const struct sim_connection *connection = end->connection;
	struct io_address address = connection->address;
	kr_assert(has(stream, STREAM_ATTACHED));
	if (end == &connection->ends[1]) {
		if (address.kind == IO_ADDRESS_UNIX)
			address.path[0] = '\0';
		else
			address.port = connection->client_port;
	}
	io_address_format(&address, ret_text);
}
