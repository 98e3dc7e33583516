#include "base/io/sim/net_priv.h"

#include <stdlib.h>
#include <string.h>

#define RETRY_US 200000u /* until bytes held up by a partition are sent again */
#define SILENT_RESET_US_MAX 2000000u
#define CLIENT_PORT_FIRST 50000u

static uint64_t delay_us(struct sim_world *world)
{
	kr_assert(world->config.net_delay_us[0] >= 1);
	const uint32_t *range = world->config.net_delay_us;
	return rng_range(&world->rng_net, range[0], range[1]);
}

static void connect_fire(struct sim_event *event);
static void arrival_fire(struct sim_event *event);

static void window_fire(struct sim_event *event)
{
	struct sim_end *end = kr_container_of(event, struct sim_end, window);
	sim_end_pump(end);
}

static void sent_fire(struct sim_event *event)
{
	struct sim_end *end = kr_container_of(event, struct sim_end, sent);
	sim_end_ready(end, END_SENT);
}

static void end_init(struct sim_end *end, struct sim_connection *connection)
{
	kr_assert(end->connection == NULL);
	end->connection = connection;
	kr_list_init(&end->loop_link);
	kr_list_init(&end->chunks);
	kr_list_init(&end->ready.link);
	end->ready.deliver = sim_end_deliver;
	sim_event_init(&end->arrival, arrival_fire);
	sim_event_init(&end->sent, sent_fire);
	sim_event_init(&end->window, window_fire);
}

void sim_end_attach(struct sim_end *end, struct io_loop *loop, struct io_stream *stream)
{
	kr_assert(end->loop == NULL);
	kr_assert(!end->is_closed);
	end->loop = loop;
	end->node = loop->node;
	end->stream = stream;
	stream->loop = loop;
	stream->backend = end;
	stream->flags = STREAM_ATTACHED;
	kr_list_push_back(&loop->ends, &end->loop_link);
	loop->open_count++;
	if (end->in_size_bytes > 0 || end->has_fin || end->has_reset)
		sim_end_ready(end, END_DATA);
}

struct sim_connection *sim_connection_new(struct io_loop *loop, struct io_stream *stream)
{
	kr_assert(stream->flags == 0);
	struct sim_world *world = loop->world;
	struct sim_connection *connection = sim_alloc(sizeof(*connection));
	connection->world = world;
	connection->number = world->connection_number++;
	connection->client_port = (uint16_t)(CLIENT_PORT_FIRST + connection->number % 10000);
	kr_list_init(&connection->backlog_link);
	kr_list_init(&connection->link);
	kr_list_push_back(&world->connections, &connection->link);
	sim_event_init(&connection->connect, connect_fire);
	for (uint32_t i = 0; i < 2; i++)
		end_init(&connection->ends[i], connection);
	sim_end_attach(&connection->ends[0], loop, stream);
	sim_event_add(world, &connection->connect, world->now_us + delay_us(world));
	return connection;
}

static void end_fini(struct sim_end *end)
{
	kr_assert(end->connection != NULL);
	struct sim_world *world = end->connection->world;
	struct kr_list *link;
	sim_event_remove(world, &end->arrival);
	sim_event_remove(world, &end->sent);
	sim_event_remove(world, &end->window);
	kr_list_remove(&end->ready.link);
	kr_list_remove(&end->loop_link);
	while ((link = kr_list_pop_front(&end->chunks)) != NULL)
		free(kr_container_of(link, struct sim_chunk, link));
	free(end->in);
}

static void connection_free(struct sim_connection *connection)
{
	kr_assert(connection->world != NULL);
	sim_event_remove(connection->world, &connection->connect);
	kr_list_remove(&connection->link);
	kr_list_remove(&connection->backlog_link);
	for (uint32_t i = 0; i < 2; i++)
		end_fini(&connection->ends[i]);
	free(connection);
}

void sim_connection_free_when_idle(struct sim_connection *connection)
{
	for (uint32_t i = 0; i < 2; i++) {
		const struct sim_end *end = &connection->ends[i];
		if (!end->is_closed || end->stream != NULL)
			return;
	}
	connection_free(connection);
}

void sim_net_fini(struct sim_world *world)
{
	struct kr_list *link;
	while ((link = kr_list_pop_front(&world->connections)) != NULL)
		connection_free(kr_container_of(link, struct sim_connection, link));
}

void sim_end_ready(struct sim_end *end, unsigned bits)
{
	kr_assert(bits != 0);
	end->ready_bits |= bits;
	if (end->loop != NULL)
		sim_loop_ready(end->loop, &end->ready);
}

static bool is_cut(const struct sim_connection *connection)
{
	const struct sim_node *a = connection->ends[0].node;
	const struct sim_node *b = connection->ends[1].node;
	return a != NULL && b != NULL && a->cut_from[b->index];
}

void sim_connection_refuse(struct sim_connection *connection)
{
	kr_assert(connection->ends[1].stream == NULL);
	struct sim_end *end = &connection->ends[0];
	end->open_result = -KR_E_REFUSED;
	end->is_broken = true;
	connection->ends[1].is_closed = true;
	sim_end_ready(end, END_OPENED);
}

static void connect_fire(struct sim_event *event)
{
	struct sim_connection *connection = kr_container_of(event, struct sim_connection, connect);
	struct sim_world *world = connection->world;
	struct sim_end *end = &connection->ends[0];
	struct sim_listener *listener = sim_listener_find(world, &connection->address);
	kr_assert(end->stream != NULL);
	if (listener == NULL) {
		sim_connection_refuse(connection);
		return;
	}
	connection->ends[1].node = listener->loop->node;
	if (is_cut(connection)) {
		sim_mark_add(world, end->node, SIM_NET_PARTITION);
		connection->ends[1].node = NULL;
		sim_event_add(world, event, world->now_us + RETRY_US);
		return;
	}
	sim_listener_knock(listener, connection);
	sim_end_ready(end, END_OPENED);
}

void sim_end_arrival_schedule(struct sim_end *end)
{
	kr_assert(end->connection != NULL);
	struct sim_world *world = end->connection->world;
	if (kr_list_is_empty(&end->chunks) || sim_event_is_queued(&end->arrival))
		return;
	const struct sim_chunk *chunk = kr_list_first(&end->chunks, struct sim_chunk, link);
	sim_event_add(world, &end->arrival, KR_MAX(chunk->arrive_us, world->now_us));
}

struct sim_chunk *sim_chunk_new(
	struct sim_end *to, enum sim_chunk_kind kind, uint32_t size_bytes, uint64_t at_us)
{
	kr_assert(kind == SIM_CHUNK_BYTES ? size_bytes > 0 : size_bytes == 0);
	struct sim_chunk *chunk = sim_alloc(sizeof(*chunk) + size_bytes);
	chunk->kind = kind;
	chunk->size_bytes = size_bytes;
	chunk->arrive_us = KR_MAX(at_us, to->last_arrive_us);
	to->last_arrive_us = chunk->arrive_us;
	kr_list_init(&chunk->link);
	kr_list_push_back(&to->chunks, &chunk->link);
	return chunk;
}

static void signal_send(struct sim_end *to, enum sim_chunk_kind kind)
{
	struct sim_world *world = to->connection->world;
	(void)sim_chunk_new(to, kind, 0, world->now_us + delay_us(world));
	sim_end_arrival_schedule(to);
}

static void bytes_arrive(struct sim_end *end, const struct sim_chunk *chunk)
{
	struct sim_world *world = end->connection->world;
	if (end->is_closed) {
		/* Nobody reads here any more: the kernel answers with a reset, once. */
		if (!end->has_reset)
			signal_send(sim_end_peer(end), SIM_CHUNK_RESET);
		end->has_reset = true;
		return;
	}
	kr_assert(end->in_size_bytes + chunk->size_bytes <= world->config.socket_buffer_bytes * 2);
	if (end->in_size_bytes > 0 && end->in_send_number != chunk->send_number)
		sim_mark_add(world, end->node, SIM_NET_JOIN);
	if (end->in_size_bytes + chunk->size_bytes > end->in_capacity_bytes) {
		end->in_capacity_bytes = 2 * (end->in_size_bytes + chunk->size_bytes);
		end->in = realloc(end->in, end->in_capacity_bytes);
		kr_assert(end->in != NULL);
	}
	memcpy(end->in + end->in_size_bytes, chunk->bytes, chunk->size_bytes);
	end->in_size_bytes += chunk->size_bytes;
	end->in_send_number = chunk->send_number;
	sim_world_trace_add(world, chunk->bytes, chunk->size_bytes);
	sim_end_ready(end, END_DATA);
}

static void send_break(struct sim_end *end)
{
	kr_assert(end->connection != NULL);
	end->is_broken = true;
	if (end->stream == NULL || !(end->stream->flags & STREAM_SENDING))
		return;
	end->sent_result = -KR_E_RESET;
	sim_end_ready(end, END_SENT);
}

static void chunk_arrive(struct sim_end *end, const struct sim_chunk *chunk)
{
	sim_trace_u64(
		end->connection->world, end->connection->number, chunk->kind, chunk->size_bytes);
	switch (chunk->kind) {
	case SIM_CHUNK_BYTES:
		bytes_arrive(end, chunk);
		break;
	case SIM_CHUNK_FIN:
		end->has_fin = true;
		sim_end_ready(end, END_DATA);
		break;
	case SIM_CHUNK_RESET:
		end->has_reset = true;
		send_break(end);
		sim_end_ready(end, END_DATA);
		break;
	}
}

static void arrival_fire(struct sim_event *event)
{
	struct sim_end *end = kr_container_of(event, struct sim_end, arrival);
	struct sim_world *world = end->connection->world;
	kr_assert(!kr_list_is_empty(&end->chunks));
	if (is_cut(end->connection)) {
		/* Its process may be gone, and another one on the node. */
		sim_mark_add(world, end->stream != NULL ? end->node : NULL, SIM_NET_PARTITION);
		sim_event_add(world, event, world->now_us + RETRY_US);
		return;
	}
	struct kr_list *link = kr_list_pop_front(&end->chunks);
	struct sim_chunk *chunk = kr_container_of(link, struct sim_chunk, link);
	/* On a silent connection nothing arrives, and the sender's window fills up. */
	if (!end->connection->is_silent)
		chunk_arrive(end, chunk);
	free(chunk);
	sim_end_arrival_schedule(end);
}

static void connection_faults(struct sim_end *from)
{
	kr_assert(from->loop != NULL);
	struct sim_connection *connection = from->connection;
	struct sim_world *world = connection->world;
	const struct sim_faults *faults = &world->config.faults;
	struct rng *rng = &world->rng_net;
	if (sim_fault(world, rng, from->node, faults->net_reset, SIM_NET_RESET)) {
		signal_send(&connection->ends[0], SIM_CHUNK_RESET);
		signal_send(&connection->ends[1], SIM_CHUNK_RESET);
	}
	if (!connection->is_silent &&
		sim_fault(world, rng, from->node, faults->net_silence, SIM_NET_SILENCE))
		connection->is_silent = true;
}

static void bytes_faults(struct sim_end *from, struct sim_chunk *chunk)
{
	kr_assert(chunk->kind == SIM_CHUNK_BYTES);
	kr_assert(chunk->size_bytes > 0);
	struct sim_world *world = from->connection->world;
	const struct sim_faults *faults = &world->config.faults;
	struct rng *rng = &world->rng_net;
	if (!sim_fault(world, rng, from->node, faults->net_flip, SIM_NET_FLIP))
		return;
	uint64_t bit = rng_below(rng, (uint64_t)chunk->size_bytes * 8);
	chunk->bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
}

/* Copies up to `size_bytes` from the stream's parts and steps over them. */
static void parts_take(struct io_stream *stream, uint8_t *bytes, uint32_t size_bytes)
{
	while (size_bytes > 0) {
		struct iovec *part = &stream->parts[stream->part_first];
		kr_assert(stream->part_first < stream->part_count);
		uint32_t size = (uint32_t)KR_MIN(part->iov_len, size_bytes);
		memcpy(bytes, part->iov_base, size);
		part->iov_base = (uint8_t *)part->iov_base + size;
		part->iov_len -= size;
		bytes += size;
		size_bytes -= size;
		if (part->iov_len == 0)
			stream->part_first++;
	}
}

static uint64_t parts_left(const struct io_stream *stream)
{
	kr_assert(stream->part_first <= stream->part_count);
	uint64_t left = 0;
	for (uint32_t i = stream->part_first; i < stream->part_count; i++)
		left += stream->parts[i].iov_len;
	return left;
}

/* A copy takes room of its own, for which the buffer has twice the window. */
static void piece_duplicate(struct sim_end *end, const struct sim_chunk *chunk)
{
	struct sim_end *to = sim_end_peer(end);
	struct sim_world *world = end->connection->world;
	const uint32_t size_bytes = chunk->size_bytes;
	kr_assert(chunk->kind == SIM_CHUNK_BYTES);
	bool has_room = to->window_used_bytes + size_bytes <= world->config.socket_buffer_bytes;
	if (!has_room || !rng_chance(&world->rng_net, world->config.faults.net_duplicate))
		return;
	sim_mark_add(world, end->node, SIM_NET_DUPLICATE);
	struct sim_chunk *copy = sim_chunk_new(to, SIM_CHUNK_BYTES, size_bytes, chunk->arrive_us);
	copy->send_number = end->send_number;
	memcpy(copy->bytes, chunk->bytes, size_bytes);
	to->window_used_bytes += size_bytes;
}

static void piece_send(struct sim_end *end, uint32_t size_bytes)
{
	kr_assert(size_bytes > 0);
	kr_assert(end->loop != NULL);
	struct sim_end *to = sim_end_peer(end);
	struct sim_world *world = end->connection->world;
	const struct sim_faults *faults = &world->config.faults;
	struct rng *rng = &world->rng_net;
	uint64_t at_us = world->now_us + delay_us(world);
	if (sim_fault(world, rng, end->node, faults->net_spike, SIM_NET_SPIKE))
		at_us += rng_below(rng, (uint64_t)world->config.net_spike_us + 1);
	struct sim_chunk *chunk = sim_chunk_new(to, SIM_CHUNK_BYTES, size_bytes, at_us);
	chunk->send_number = end->send_number;
	parts_take(end->stream, chunk->bytes, size_bytes);
	end->loop->stats.send_bytes += size_bytes;
	to->window_used_bytes += size_bytes;
	if (sim_end_astray(end, chunk)) {
		bytes_faults(end, chunk);
		piece_duplicate(end, chunk);
	}
	sim_end_arrival_schedule(to);
	connection_faults(end);
}

static uint32_t piece_size(struct sim_end *end, uint64_t left, uint32_t room)
{
	kr_assert(left > 0);
	kr_assert(room > 0);
	struct sim_world *world = end->connection->world;
	struct rng *rng = &world->rng_net;
	uint32_t most = (uint32_t)KR_MIN(left, room);
	if (most > 1 &&
		sim_fault(world, rng, end->node, world->config.faults.net_split, SIM_NET_SPLIT))
		return (uint32_t)rng_range(rng, 1, most - 1);
	return most;
}

void sim_end_pump(struct sim_end *end)
{
	struct sim_world *world = end->connection->world;
	struct io_stream *stream = end->stream;
	if (stream == NULL || !(stream->flags & STREAM_SENDING) || sim_loop_is_gone(end->loop))
		return;
	if (end->is_broken) {
		send_break(end);
		return;
	}
	uint64_t left = parts_left(stream);
	while (left > 0) {
		uint32_t used = sim_end_peer(end)->window_used_bytes;
		if (used >= world->config.socket_buffer_bytes) {
			sim_mark_add(world, end->node, SIM_NET_WINDOW);
			return;
		}
		uint32_t size = piece_size(end, left, world->config.socket_buffer_bytes - used);
		piece_send(end, size);
		left -= size;
	}
	if (stream->part_count > 0 && !sim_event_is_queued(&end->sent)) {
		stream->part_count = 0;
		stream->part_first = 0;
		end->sent_result = 0;
		sim_event_add(world, &end->sent, world->now_us + delay_us(world) / 4);
	}
}

void sim_end_read(struct sim_end *end, uint32_t size_bytes)
{
	struct sim_world *world = end->connection->world;
	struct sim_end *peer = sim_end_peer(end);
	kr_assert(size_bytes <= end->window_used_bytes);
	end->window_used_bytes -= size_bytes;
	if (peer->stream == NULL || sim_event_is_queued(&peer->window))
		return;
	if (peer->stream->flags & STREAM_SENDING)
		sim_event_add(world, &peer->window, world->now_us + delay_us(world));
}

void sim_end_shut(struct sim_end *end)
{
	if (end->is_shut || end->is_broken)
		return;
	end->is_shut = true;
	signal_send(sim_end_peer(end), SIM_CHUNK_FIN);
}

void sim_end_close(struct sim_end *end)
{
	struct sim_connection *connection = end->connection;
	if (end->is_closed)
		return;
	end->is_closed = true;
	sim_event_remove(connection->world, &end->sent);
	sim_event_remove(connection->world, &end->window);
	if (sim_event_is_queued(&connection->connect)) {
		/* Nobody has heard of it yet. */
		sim_event_remove(connection->world, &connection->connect);
		connection->ends[1].is_closed = true;
	} else if (!sim_end_peer(end)->is_closed) {
		if (end->in_size_bytes > 0)
			signal_send(sim_end_peer(end), SIM_CHUNK_RESET);
		else
			sim_end_shut(end);
	}
}

/* A machine without power tells nobody: the others hear of it late, or never. */
static void end_vanish(struct sim_end *end)
{
	kr_assert(end->stream == NULL);
	struct sim_connection *connection = end->connection;
	struct sim_world *world = connection->world;
	struct sim_end *peer = sim_end_peer(end);
	end->is_closed = true;
	sim_event_remove(world, &end->sent);
	sim_event_remove(world, &end->window);
	sim_event_remove(world, &connection->connect);
	if (end->node == NULL || peer->node == NULL)
		peer->is_closed = true;
	if (peer->is_closed)
		return;
	if (rng_below(&world->rng_net, 2) == 0) {
		connection->is_silent = true;
		sim_mark_add(world, peer->node, SIM_NET_SILENCE);
		return;
	}
	uint64_t at_us = world->now_us + rng_below(&world->rng_net, SILENT_RESET_US_MAX);
	(void)sim_chunk_new(peer, SIM_CHUNK_RESET, 0, at_us);
	sim_end_arrival_schedule(peer);
}

void sim_net_crash(struct io_loop *loop, enum sim_crash how)
{
	kr_assert(!loop->is_ticking);
	struct kr_list *link;
	while ((link = kr_list_pop_front(&loop->ends)) != NULL) {
		struct sim_end *end = kr_container_of(link, struct sim_end, loop_link);
		end->stream = NULL;
		end->loop = NULL;
		end->ready_bits = 0;
		kr_list_remove(&end->ready.link);
		if (how == SIM_POWER)
			end_vanish(end);
		else
			sim_end_close(end);
		sim_connection_free_when_idle(end->connection);
	}
}
