#include "base/io/sim/net_priv.h"

#include <stdlib.h>

#define LISTENER_STARTED 0x1u
#define LISTENER_CLOSING 0x2u

struct sim_listener *sim_listener_find(struct sim_world *world, const struct io_address *address)
{
	kr_assert(address->kind != 0);
	kr_list_foreach(link, &world->listeners)
	{
		struct sim_listener *listener = kr_container_of(link, struct sim_listener, link);
		if (!listener->is_closing && io_address_compare(&listener->address, address) == 0)
			return listener;
	}
	return NULL;
}

void sim_listener_knock(struct sim_listener *listener, struct sim_connection *connection)
{
	kr_assert(kr_list_is_empty(&connection->backlog_link));
	kr_list_push_back(&listener->backlog, &connection->backlog_link);
	sim_loop_ready(listener->loop, &listener->ready);
}

/* Hangs up on everybody who was not accepted. */
static void backlog_drop(struct sim_listener *listener)
{
	kr_assert(listener->loop != NULL);
	struct kr_list *link;
	while ((link = kr_list_pop_front(&listener->backlog)) != NULL) {
		struct sim_connection *connection =
			kr_container_of(link, struct sim_connection, backlog_link);
		sim_end_close(&connection->ends[1]);
		sim_connection_free_when_idle(connection);
	}
}

static void listener_free(struct sim_listener *listener)
{
	backlog_drop(listener);
	kr_list_remove(&listener->link);
	kr_list_remove(&listener->ready.link);
	free(listener);
}

static void accept_one(struct sim_listener *listener, struct sim_connection *connection)
{
	kr_assert(!listener->is_closing);
	struct io_loop *loop = listener->loop;
	struct sim_end *end = &connection->ends[1];
	struct io_stream *stream = NULL;
	if (fault_fires(loop->config.faults, FAULT_STREAM_ACCEPT))
		loop->stats.accept_error_count++;
	else
		stream = listener->listener->on_accept(listener->listener);
	if (stream == NULL || sim_loop_is_gone(loop)) {
		sim_end_close(end);
		sim_connection_free_when_idle(connection);
		return;
	}
	loop->stats.accept_count++;
	sim_end_attach(end, loop, stream);
	stream->flags |= STREAM_OPEN;
	sim_end_ready(end, END_DATA);
}

static void closed(struct sim_listener *sim)
{
	kr_assert(sim->is_closing);
	struct io_listener *listener = sim->listener;
	kr_assert(sim->loop->open_count > 0);
	sim->loop->open_count--;
	listener_free(sim);
	listener->backend = NULL;
	listener->flags = 0;
	listener->on_closed(listener);
}

static void deliver(struct sim_ready *ready)
{
	kr_assert(ready->deliver == deliver);
	struct sim_listener *listener = kr_container_of(ready, struct sim_listener, ready);
	struct kr_list *link;
	while (!listener->is_closing && !sim_loop_is_gone(listener->loop) &&
		(link = kr_list_pop_front(&listener->backlog)) != NULL)
		accept_one(listener, kr_container_of(link, struct sim_connection, backlog_link));
	if (listener->is_closing && !sim_loop_is_gone(listener->loop))
		closed(listener);
}

static int in_use(const struct io_address *address, struct kr_error_text *text)
{
	char where[IO_ADDRESS_TEXT_SIZE];
	io_address_format(address, where);
	return kr_error_text_set(text, -KR_E_ADDRESS_IN_USE, 0,
		"listening on %s: another process is there; stop it or choose another address",
		where);
}

int io_listener_start(struct io_loop *loop, struct io_listener *listener,
	const struct io_address *address, struct kr_error_text *text)
{
	struct sim_world *world = loop->world;
	kr_assert(listener->flags == 0);
	if (sim_node_point(loop->node))
		return kr_error_text_set(text, -KR_E_CANCELLED, 0, "the process is being killed");
	listener->address = *address;
	if (address->kind < IO_ADDRESS_UNIX && address->port == 0)
		listener->address.port = world->next_port++;
	if (sim_listener_find(world, &listener->address) != NULL ||
		fault_fires(loop->config.faults, FAULT_LISTENER_BIND))
		return in_use(&listener->address, text);
	struct sim_listener *sim = sim_alloc(sizeof(*sim));
	sim->listener = listener;
	sim->loop = loop;
	sim->address = listener->address;
	sim->ready.deliver = deliver;
	kr_list_init(&sim->backlog);
	kr_list_init(&sim->link);
	kr_list_init(&sim->ready.link);
	kr_list_push_back(&world->listeners, &sim->link);
	listener->backend = sim;
	listener->loop = loop;
	listener->flags = LISTENER_STARTED;
	loop->open_count++;
	return 0;
}

const struct io_address *io_listener_address(const struct io_listener *listener)
{
	kr_assert(listener->flags & LISTENER_STARTED);
	return &listener->address;
}

void io_listener_close(struct io_listener *listener)
{
	struct sim_listener *sim = listener->backend;
	kr_assert(listener->flags & LISTENER_STARTED);
	kr_assert(!(listener->flags & LISTENER_CLOSING));
	listener->flags |= LISTENER_CLOSING;
	if (sim_loop_is_gone(listener->loop))
		return;
	sim->is_closing = true;
	sim_loop_ready(sim->loop, &sim->ready);
}

void sim_listeners_crash(struct io_loop *loop)
{
	kr_list_foreach(link, &loop->world->listeners)
	{
		struct sim_listener *listener = kr_container_of(link, struct sim_listener, link);
		if (listener->loop == loop)
			listener_free(listener);
	}
}
