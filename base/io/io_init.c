/* How the caller's structures begin: the same for both archives. */
#include <string.h>

#include "base/io/io.h"
#include "base/io/io_file.h"
#include "base/io/io_stream.h"

void io_config_default(struct io_config *ret_config)
{
	kr_assert(ret_config != NULL);
	*ret_config = (struct io_config){
		.submission_count = 1024,
		.buffer_count = 512,
		.buffer_size_bytes = 16384,
		.spin_crowd = IO_SPIN_CROWD_DEFAULT,
	};
}

void io_stream_init(
	struct io_stream *stream, const struct io_stream_handler *handler, void *context)
{
	kr_assert(handler->on_data != NULL && handler->on_end != NULL);
	kr_assert(handler->on_sent != NULL && handler->on_closed != NULL);
	memset(stream, 0, sizeof(*stream));
	stream->handler = handler;
	stream->context = context;
	stream->fd = -1;
	kr_list_init(&stream->link);
}

void io_listener_init(struct io_listener *listener,
	struct io_stream *(*on_accept)(struct io_listener *),
	void (*on_closed)(struct io_listener *), void *context)
{
	kr_assert(on_accept != NULL);
	kr_assert(on_closed != NULL);
	memset(listener, 0, sizeof(*listener));
	listener->on_accept = on_accept;
	listener->on_closed = on_closed;
	listener->context = context;
	listener->guard =
		(struct io_socket_guard){.mode = 0600, .uid = IO_NOBODY, .gid = IO_NOBODY};
	listener->peer_uid = IO_NOBODY;
	listener->fd = -1;
	kr_list_init(&listener->link);
}

void io_op_init(struct io_op *op, void (*on_done)(struct io_op *op), void *context)
{
	kr_assert(op != NULL);
	kr_assert(on_done != NULL);
	memset(op, 0, sizeof(*op));
	op->on_done = on_done;
	op->context = context;
	kr_list_init(&op->link);
}
