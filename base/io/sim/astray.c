/*
 * A frame of an answer on another connection than its own, as by something between two processes
 * that has mixed up its connections: moved there, or there as well. Whole, to where the other
 * connection, of the same two roles, is between two frames.
 */
#include "base/io/sim/net_priv.h"

#include <stdlib.h>
#include <string.h>

static bool is_between(const struct sim_framing *framing)
{
	kr_assert(framing->head_size_bytes < SIM_FRAME_HEAD_MAX);
	return !framing->is_lost && framing->left_bytes == 0 && framing->head_size_bytes == 0;
}

static void head_feed(struct sim_framing *framing, const struct sim_config *config, uint8_t byte)
{
	kr_assert(framing->left_bytes == 0);
	kr_assert(framing->head_size_bytes < SIM_FRAME_HEAD_MAX);
	framing->head[framing->head_size_bytes++] = byte;
	const uint32_t size = config->frame_size(framing->head, framing->head_size_bytes);
	if (size == 0 && framing->head_size_bytes < SIM_FRAME_HEAD_MAX)
		return;
	framing->is_lost = size < framing->head_size_bytes || size == UINT32_MAX;
	framing->left_bytes = framing->is_lost ? 0 : size - framing->head_size_bytes;
	framing->head_size_bytes = 0;
}

static void framing_feed(struct sim_framing *framing, const struct sim_config *config,
	const uint8_t *bytes, uint32_t size_bytes)
{
	kr_assert(config->frame_size != NULL);
	while (size_bytes > 0 && !framing->is_lost) {
		const uint32_t part =
			framing->left_bytes == 0 ? 1 : KR_MIN(framing->left_bytes, size_bytes);
		if (framing->left_bytes == 0)
			head_feed(framing, config, *bytes);
		else
			framing->left_bytes -= part;
		bytes += part;
		size_bytes -= part;
	}
}

static bool is_alike(const struct sim_node *a, const struct sim_node *b)
{
	kr_assert(a != NULL && b != NULL);
	const size_t size = strcspn(a->name, " ");
	return strcspn(b->name, " ") == size && memcmp(a->name, b->name, size) == 0;
}

static bool may_take(struct sim_connection *to, struct sim_end *from, uint32_t size_bytes)
{
	const struct sim_end *server = &to->ends[1], *client = &to->ends[0];
	kr_assert(from == &from->connection->ends[1]);
	if (to == from->connection || to->is_silent || server->stream == NULL ||
		client->stream == NULL || server->is_closed || client->is_closed)
		return false;
	if (server->is_shut || server->is_broken || !is_between(&server->framing))
		return false;
	return is_alike(server->node, from->node) &&
	       is_alike(client->node, sim_end_peer(from)->node) &&
	       client->window_used_bytes + size_bytes <= to->world->config.socket_buffer_bytes;
}

static uint32_t taker_count(
	struct sim_end *from, uint32_t size_bytes, uint32_t nth, struct sim_connection **ret_nth)
{
	uint32_t count = 0;
	kr_assert(size_bytes > 0);
	kr_list_foreach(link, &from->connection->world->connections)
	{
		struct sim_connection *to = kr_container_of(link, struct sim_connection, link);
		if (may_take(to, from, size_bytes) && count++ == nth)
			*ret_nth = to;
	}
	return count;
}

/* A whole frame of a piece. */
struct found {
	const uint8_t *bytes;
	uint32_t size_bytes;
};

/* Draws one of those that begin at or behind the offset, or none. */
static bool frame_draw(
	struct sim_world *world, const struct sim_chunk *chunk, uint32_t offset, struct found *ret)
{
	const struct sim_config *config = &world->config;
	kr_assert(config->frame_size != NULL);
	while (offset < chunk->size_bytes) {
		const uint32_t left = chunk->size_bytes - offset;
		const uint32_t size = config->frame_size(chunk->bytes + offset, left);
		if (size == 0 || size > left)
			return false;
		*ret = (struct found){chunk->bytes + offset, size};
		if (rng_chance(&world->rng_net, config->faults.net_astray))
			return true;
		offset += size;
	}
	return false;
}

static void frame_copy(
	struct sim_connection *to, const struct sim_chunk *chunk, const struct found *frame)
{
	struct sim_end *client = &to->ends[0];
	kr_assert(frame->size_bytes <= chunk->size_bytes);
	struct sim_chunk *copy =
		sim_chunk_new(client, SIM_CHUNK_BYTES, frame->size_bytes, chunk->arrive_us);
	copy->send_number = to->ends[1].send_number;
	memcpy(copy->bytes, frame->bytes, frame->size_bytes);
	client->window_used_bytes += frame->size_bytes;
	sim_end_arrival_schedule(client);
}

/* Takes it out of the piece; false when that was all. */
static bool frame_cut(struct sim_end *end, struct sim_chunk *chunk, const struct found *frame)
{
	struct sim_end *own = sim_end_peer(end);
	const uint32_t at = (uint32_t)(frame->bytes - chunk->bytes), size = frame->size_bytes;
	kr_assert(at + size <= chunk->size_bytes);
	kr_assert(own->window_used_bytes >= size);
	own->window_used_bytes -= size;
	chunk->size_bytes -= size;
	memmove(chunk->bytes + at, chunk->bytes + at + size, chunk->size_bytes - at);
	if (chunk->size_bytes > 0)
		return true;
	kr_list_remove(&chunk->link);
	free(chunk);
	return false;
}

bool sim_end_astray(struct sim_end *end, struct sim_chunk *chunk)
{
	struct sim_world *world = end->connection->world;
	struct sim_framing *framing = &end->framing;
	struct sim_connection *to = NULL;
	struct found frame;
	kr_assert(chunk->kind == SIM_CHUNK_BYTES);
	if (world->config.frame_size == NULL || end != &end->connection->ends[1])
		return true;
	/* Where the next frame begins: behind the one that is being sent. */
	const uint32_t first = framing->head_size_bytes == 0 ? framing->left_bytes : UINT32_MAX;
	framing_feed(framing, &world->config, chunk->bytes, chunk->size_bytes);
	if (framing->is_lost || !frame_draw(world, chunk, first, &frame))
		return true;
	const uint32_t count = taker_count(end, frame.size_bytes, UINT32_MAX, &to);
	if (count == 0)
		return true;
	(void)taker_count(end, frame.size_bytes, (uint32_t)rng_below(&world->rng_net, count), &to);
	sim_mark_add(world, end->node, SIM_NET_ASTRAY);
	frame_copy(to, chunk, &frame);
	return rng_below(&world->rng_net, 2) == 0 || frame_cut(end, chunk, &frame);
}
