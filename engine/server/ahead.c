#include "base/io/io_memory.h"
#include "engine/server/server_priv.h"

/*
 * The memory that the tables come to next is taken beside the loop, one stretch at a time: a sale
 * that meets a new page would wait for it, and with it all that come behind.
 */

static void next(struct server *server)
{
	struct inv_stretch stretch;
	const struct kr_memory *memory = &server->rebuild.memory;
	const uintptr_t region = (uintptr_t)memory->base;
	kr_assert(!server->ahead_op.is_running);
	if (!inv_ahead_next(shard_inventory(server->shard), &server->ahead, &stretch))
		return;
	uintptr_t from = KR_MAX(stretch.base, region);
	uintptr_t to = KR_MIN(stretch.base + stretch.size_bytes, region + memory->size_bytes);
	kr_assert(from < to);
	server->is_ahead_off |= !io_memory_populate(
		server->loop, &server->ahead_op, (void *)from, (size_t)(to - from));
}

void server_ahead_poll(struct server *server)
{
	kr_assert(server->shard != NULL);
	if (!server->is_ahead_off && !server->ahead_op.is_running && server->life == SERVER_SERVING)
		next(server);
}

static void on_done(struct io_op *op)
{
	struct server *server = op->context;
	kr_assert(!op->is_running);
	/* The system has no more, or does not know how: pages come when they are touched. */
	if (op->result < 0)
		server->is_ahead_off = true;
	if (server->end == 0)
		server_ahead_poll(server);
}

void server_ahead_init(struct server *server)
{
	io_op_init(&server->ahead_op, on_done, server);
	server->is_ahead_off = server->config.prefault;
	kr_assert(!server->ahead_op.is_running);
}
