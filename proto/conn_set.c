#include "proto/conn_priv.h"

#include <string.h>

/* ---- listeners ---- */

static uint32_t principal_of(const struct io_listener *listener, enum access_role role)
{
	kr_assert(listener->context != NULL);
	if (listener->peer_uid == IO_NOBODY)
		return access_principal(role, ACCESS_ANYBODY, 0);
	return access_principal(role, ACCESS_UID, listener->peer_uid);
}

static struct io_stream *on_accept(struct io_listener *listener)
{
	struct conn_set *set = listener->context;
	/* Who is of this process takes no file, and must not be kept out by who is not. */
	bool is_own = io_listener_address(listener)->kind == IO_ADDRESS_INPROC;
	bool is_full = !is_own && set->counters.open_count >= set->accept_limit;
	struct conn *conn = set->is_stopping || is_full ? NULL : conn_take(set, false);
	const struct conn_guard *guard = &set->guards[listener - set->listeners];

	if (conn == NULL) {
		set->counters.refused++;
		return NULL;
	}
	conn->state = CONN_OPEN;
	conn->principal = principal_of(listener, guard->role);
	conn->auth.role_max = guard->role;
	if (guard->wants_token)
		conn->auth.state = CONN_AUTH_OWES;
	set->counters.accepted++;
	set->counters.open_count++;
	if (conn->auth.state == CONN_AUTH_NONE)
		conn_tell_open(conn);
	return &conn->stream;
}

static void on_listener_closed(struct io_listener *listener)
{
	struct conn_set *set = listener->context;

	kr_assert(set->listener_open_count > 0);
	set->listener_open_count--;
	conn_set_rest(set);
}

void conn_guard_default(struct conn_guard *ret_guard)
{
	*ret_guard = (struct conn_guard){
		.role = ACCESS_OPERATOR,
		.socket = {.mode = 0600, .uid = IO_NOBODY, .gid = IO_NOBODY},
	};
	kr_assert(ret_guard->role == ACCESS_OPERATOR);
}

int conn_set_listen(
	struct conn_set *set, const struct io_address *address, struct kr_error_text *text)
{
	struct conn_guard guard;

	conn_guard_default(&guard);
	kr_assert(address != NULL);
	return conn_set_listen_guarded(set, address, &guard, text);
}

int conn_set_listen_guarded(struct conn_set *set, const struct io_address *address,
	const struct conn_guard *guard, struct kr_error_text *text)
{
	uint32_t index = set->listener_count;

	kr_assert(!set->is_stopping);
	if (index == CONN_LISTEN_MAX)
		return CONN_FULL;
	struct io_listener *listener = &set->listeners[index];
	io_listener_init(listener, on_accept, on_listener_closed, set);
	listener->guard = guard->socket;
	set->guards[index] = *guard;
	kr_assert(!guard->wants_token || set->config.tokens != NULL);
	int r = io_listener_start(set->loop, listener, address, text);
	if (r < 0)
		return r;
	set->listener_count++;
	set->listener_open_count++;
	set->listener_is_open[index] = true;
	return 0;
}

const struct io_address *conn_set_listen_address(const struct conn_set *set, uint32_t index)
{
	kr_assert(set->listener_count <= CONN_LISTEN_MAX);
	return index < set->listener_count ? io_listener_address(&set->listeners[index]) : NULL;
}

void conn_set_listen_stop(struct conn_set *set)
{
	kr_assert(set->listener_count <= CONN_LISTEN_MAX);
	for (uint32_t i = 0; i < set->listener_count; i++) {
		if (set->listener_is_open[i])
			io_listener_close(&set->listeners[i]);
		set->listener_is_open[i] = false;
	}
	/* Whoever has not proved anything yet is nobody that anything is owed to. */
	for (uint32_t i = 0; i < set->fresh_accept; i++) {
		if (set->conns[i].state == CONN_OPEN && !set->conns[i].is_told)
			conn_doom(&set->conns[i], CONN_REASON_CLOSED, 0);
	}
}

/* ---- the turn ---- */

static void bury(struct conn *conn)
{
	struct conn_set *set = conn->set;

	kr_assert(conn->state == CONN_DOOMED);
	conn->state = CONN_CLOSING;
	set->counters.closed++;
	io_stream_close(&conn->stream);
	if (conn->is_told || conn->dialled)
		set->handler.on_close(set->handler.context, conn_id_of(conn),
			(enum conn_reason)conn->reason, conn->code);
	if (++conn->generation == 0)
		conn->generation = 1;
}

/*
 * Each send is a call into the kernel that does the receiver's half of TCP as well where that is on
 * the same machine, some 7 us: sixty of them at once would keep all that comes in meanwhile from
 * going on, and what is asked and answered would move as one crowd.
 */
static void flush(struct conn_set *set)
{
	struct kr_list *node;

	for (uint32_t count = 0; count < CONN_FLUSH_MAX; count++) {
		node = kr_list_pop_front(&set->dirty);
		if (node == NULL)
			return;
		conn_flush(kr_container_of(node, struct conn, dirty));
	}
	/* The others in the next turn, which comes at once. */
	if (!kr_list_is_empty(&set->dirty))
		io_timer_start(set->loop, &set->kick, io_clock_boot_us(set->loop));
}

void conn_set_turn(struct conn_set *set)
{
	struct kr_list *node;

	if (set->has_delivered) {
		set->has_delivered = false;
		if (set->handler.on_tick_end != NULL)
			set->handler.on_tick_end(set->handler.context);
	}
	while ((node = kr_list_pop_front(&set->doomed)) != NULL)
		bury(kr_container_of(node, struct conn, link));
	flush(set);
	kr_assert(kr_list_is_empty(&set->doomed));
}

static void on_kick(struct io_timer *timer)
{
	struct conn_set *set = timer->context;
	/* Nothing to do here: the turn that follows does it. */
	kr_assert(set->loop != NULL);
}

/* ---- the set ---- */

/* Where the parts of a set's one region of memory begin. */
struct layout {
	size_t conns, smalls, scratch, next, blocks, end;
	uint32_t block_count;
};

static size_t page_up(size_t size_bytes)
{
	return (size_bytes + 4095) / 4096 * 4096;
}

static struct layout layout_of(const struct conn_config *config)
{
	size_t count = (size_t)config->accept_max_count + config->dial_max_count;
	struct layout layout = {
		.block_count = (uint32_t)(config->pool_size_bytes / CONN_BLOCK_SIZE)};

	kr_assert(count > 0 && count <= CONN_MAX);
	kr_assert(config->body_size_max_bytes > 0);
	kr_assert(config->body_size_max_bytes <= FRAME_BODY_SIZE_MAX);
	/* A pool that cannot hold the largest frame would never let it through. */
	kr_assert(config->pool_size_bytes > (size_t)config->body_size_max_bytes * 2);
	layout.conns = page_up(sizeof(struct conn_set));
	layout.smalls = layout.conns + page_up(count * sizeof(struct conn));
	layout.scratch = layout.smalls + page_up(count * CONN_SMALL_SIZE);
	layout.next = layout.scratch + page_up(config->body_size_max_bytes);
	layout.blocks = layout.next + page_up(layout.block_count * sizeof(uint32_t));
	layout.end = layout.blocks + (size_t)layout.block_count * CONN_BLOCK_SIZE;
	return layout;
}

int conn_set_new(struct io_loop *loop, const struct conn_config *config,
	const struct conn_handler *handler, struct conn_set **ret_set, struct kr_error_text *text)
{
	struct layout layout = layout_of(config);
	struct kr_memory memory;

	kr_assert(config->queue_size_max_bytes > FRAME_HEADER_SIZE + config->body_size_max_bytes);
	int r = kr_memory_reserve(&memory, layout.end, 0, io_loop_faults(loop), text);
	if (r < 0)
		return r;
	uint8_t *base = memory.base;
	struct conn_set *set = memory.base;
	*set = (struct conn_set){
		.loop = loop,
		.config = *config,
		.accept_limit = config->accept_max_count,
		.handler = *handler,
		.memory = memory,
		.conns = (void *)(base + layout.conns),
		.smalls = base + layout.smalls,
		.scratch = base + layout.scratch,
	};
	conn_pool_init(
		&set->pool, base + layout.blocks, (void *)(base + layout.next), layout.block_count);
	kr_list_init(&set->free_accept);
	kr_list_init(&set->free_dial);
	kr_list_init(&set->doomed);
	kr_list_init(&set->dirty);
	io_timer_init(&set->check, conn_check_on_due, set);
	io_timer_init(&set->kick, on_kick, set);
	*ret_set = set;
	return 0;
}

void conn_set_limit(struct conn_set *set, uint32_t accept_limit, uint64_t idle_timeout_us)
{
	kr_assert(accept_limit > 0);
	set->accept_limit = KR_MIN(accept_limit, set->config.accept_max_count);
	set->config.idle_timeout_us = idle_timeout_us;
}

void conn_set_stop(struct conn_set *set)
{
	uint32_t max_count = set->config.accept_max_count + set->config.dial_max_count;

	kr_assert(set->used_count <= max_count);
	set->is_stopping = true;
	conn_set_listen_stop(set);
	for (uint32_t i = 0; i < max_count; i++) {
		if (set->conns[i].generation != 0 && set->conns[i].state != CONN_FREE)
			conn_doom(&set->conns[i], CONN_REASON_CLOSED, 0);
	}
	conn_set_rest(set);
}

void conn_set_rest(struct conn_set *set)
{
	if (!conn_set_is_stopped(set))
		return;
	kr_assert(set->queued_bytes == 0 && set->pool.used_count == 0);
	io_timer_stop(set->loop, &set->check);
	io_timer_stop(set->loop, &set->kick);
}

bool conn_set_is_stopped(const struct conn_set *set)
{
	kr_assert(set->listener_open_count <= set->listener_count);
	return set->is_stopping && set->used_count == 0 && set->listener_open_count == 0;
}

struct conn_set *conn_set_free(struct conn_set *set)
{
	struct kr_memory memory = set->memory;

	/* The loop may be gone already: it is not touched. */
	kr_assert(memory.base == set);
	kr_memory_release(&memory);
	return NULL;
}

/* ---- listings ---- */

uint32_t conn_principal(const struct conn_set *set, struct conn_id id)
{
	const struct conn *conn = conn_find(set, id);

	kr_assert(conn == NULL || conn->set == set);
	return conn != NULL ? conn->principal : 0;
}

bool conn_is_open(const struct conn_set *set, struct conn_id id)
{
	const struct conn *conn = conn_find(set, id);
	kr_assert(set->conns != NULL);
	return conn != NULL && conn->state == CONN_OPEN;
}

size_t conn_set_queued_bytes(const struct conn_set *set)
{
	kr_assert(set->conns != NULL);
	return set->queued_bytes;
}

int conn_info_get(const struct conn_set *set, struct conn_id id, struct conn_info *ret_info)
{
	const struct conn *conn = conn_find(set, id);

	kr_assert(ret_info != NULL);
	if (conn == NULL || conn->state != CONN_OPEN || !conn->is_told)
		return CONN_GONE;
	*ret_info = (struct conn_info){
		.dialled = conn->dialled,
		.opened_at_us = conn->opened_at_us,
		.received_at_us = conn->received_at_us,
		.queued_bytes = conn->out.size_bytes,
		.frames_in = conn->frames_in,
		.frames_out = conn->frames_out,
	};
	io_stream_peer_format(&conn->stream, ret_info->peer);
	return 0;
}

struct conn_id conn_next(const struct conn_set *set, uint32_t index)
{
	uint32_t max_count = set->config.accept_max_count + set->config.dial_max_count;

	kr_assert(max_count <= CONN_MAX);
	for (uint32_t i = index; i < max_count; i++) {
		if (set->conns[i].state == CONN_OPEN && set->conns[i].is_told)
			return conn_id_of(&set->conns[i]);
	}
	return (struct conn_id){0};
}

const struct conn_counters *conn_set_counters(struct conn_set *set)
{
	kr_assert(set->pool.used_count <= set->pool.block_count);
	set->counters.blocks_used = set->pool.used_count;
	set->counters.blocks_used_max = set->pool.used_max_count;
	set->counters.block_count = set->pool.block_count;
	return &set->counters;
}
