#include "proto/conn_priv.h"

const char *conn_reason_text(enum conn_reason reason)
{
	switch (reason) {
#define X(name, text)                                                                              \
	case CONN_REASON_##name:                                                                   \
		return text;
		CONN_REASON_TABLE(X)
#undef X
	}
	kr_unreachable();
}

struct conn_id conn_id_of(const struct conn *conn)
{
	kr_assert(conn->generation != 0);
	return (struct conn_id){conn->index, conn->generation};
}

struct conn *conn_find(const struct conn_set *set, struct conn_id id)
{
	uint32_t max_count = set->config.accept_max_count + set->config.dial_max_count;

	if (id.generation == 0 || id.index >= max_count)
		return NULL;
	struct conn *conn = &set->conns[id.index];
	kr_assert(conn->generation == 0 || conn->index == id.index);
	return conn->generation == id.generation ? conn : NULL;
}

/* ---- ends ---- */

void conn_doom(struct conn *conn, enum conn_reason reason, unsigned code)
{
	struct conn_set *set = conn->set;

	kr_assert(conn->state != CONN_FREE);
	if (conn->state == CONN_DOOMED || conn->state == CONN_CLOSING)
		return;
	set->counters.cut_slow += reason == CONN_REASON_SLOW;
	set->counters.cut_idle += reason == CONN_REASON_IDLE;
	set->counters.cut_stalled += reason == CONN_REASON_STALLED;
	set->counters.open_count -= !conn->dialled;
	conn->state = CONN_DOOMED;
	conn->reason = (uint8_t)reason;
	conn->code = (uint16_t)code;
	conn_give_up_blocks(conn);
	kr_list_remove(&conn->dirty);
	kr_list_push_back(&set->doomed, &conn->link);
	/* A turn has to follow, even if this came from outside one. */
	io_timer_start(set->loop, &set->kick, io_clock_boot_us(set->loop));
}

void conn_leave(struct conn *conn, enum conn_reason reason, unsigned code)
{
	struct conn_set *set = conn->set;

	kr_assert(conn->state == CONN_OPEN);
	conn->state = CONN_LEAVING;
	conn->reason = (uint8_t)reason;
	conn->code = (uint16_t)code;
	conn->leaving_at_us = io_clock_boot_us(set->loop);
	conn_chain_cut(&set->pool, &conn->in, 0);
	conn_mark_dirty(conn);
	io_timer_start(set->loop, &set->kick, conn->leaving_at_us);
}

void conn_close(struct conn_set *set, struct conn_id id, bool flush)
{
	struct conn *conn = conn_find(set, id);

	kr_assert(set->loop != NULL);
	if (conn == NULL)
		return;
	if (flush && conn->state == CONN_OPEN)
		conn_leave(conn, CONN_REASON_CLOSED, 0);
	else if (!flush || conn->state == CONN_DIALLING)
		conn_doom(conn, CONN_REASON_CLOSED, 0);
}

/* ---- the stream's callbacks ---- */

void conn_tell_open(struct conn *conn)
{
	struct conn_set *set = conn->set;

	kr_assert(conn->state == CONN_OPEN && !conn->is_told);
	kr_assert(conn->auth.state == CONN_AUTH_NONE);
	conn->is_told = true;
	set->handler.on_open(set->handler.context, conn_id_of(conn));
}

static void on_data(struct io_stream *stream, const uint8_t *bytes, size_t size_bytes)
{
	struct conn *conn = stream->context;

	kr_assert(size_bytes > 0);
	conn->set->counters.bytes_in += size_bytes;
	/* What a leaving peer still says is read and dropped, lest the close reset the stream. */
	if (conn->state != CONN_OPEN)
		return;
	conn->received_at_us = io_clock_boot_us(conn->set->loop);
	conn_receive(conn, bytes, size_bytes);
}

static void on_end(struct io_stream *stream, int result)
{
	struct conn *conn = stream->context;
	bool is_peer = result == 0 || result == -KR_E_RESET || result == -KR_E_CLOSED;

	kr_assert(result <= 0);
	if (conn->state == CONN_LEAVING)
		conn_doom(conn, conn->reason, conn->code);
	else
		conn_doom(conn, is_peer ? CONN_REASON_PEER_CLOSED : CONN_REASON_FAILED, 0);
}

static void on_sent(struct io_stream *stream, int result)
{
	struct conn *conn = stream->context;

	kr_assert(conn->sending_bytes > 0);
	if (conn->state != CONN_OPEN && conn->state != CONN_LEAVING)
		return;
	if (result != 0)
		on_end(stream, result);
	else
		conn_sent(conn);
}

static void on_open(struct io_stream *stream, int result)
{
	struct conn *conn = stream->context;
	struct conn_set *set = conn->set;

	if (conn->state != CONN_DIALLING)
		return;
	if (result != 0) {
		conn_doom(conn, CONN_REASON_FAILED, 0);
		return;
	}
	conn->state = CONN_OPEN;
	conn->opened_at_us = conn->received_at_us = io_clock_boot_us(set->loop);
	conn_auth_dial(conn);
}

static void on_closed(struct io_stream *stream)
{
	struct conn *conn = stream->context;
	struct conn_set *set = conn->set;

	kr_assert(conn->state == CONN_CLOSING);
	kr_assert(set->used_count > 0);
	conn->sending_bytes = 0;
	conn_give_up_blocks(conn);
	conn->state = CONN_FREE;
	set->used_count--;
	kr_list_push_front(conn->dialled ? &set->free_dial : &set->free_accept, &conn->link);
	conn_set_rest(set);
}

static const struct io_stream_handler stream_handler = {
	.on_open = on_open,
	.on_data = on_data,
	.on_end = on_end,
	.on_sent = on_sent,
	.on_closed = on_closed,
};

/* ---- beginnings ---- */

static struct conn *conn_fresh(struct conn_set *set, bool dialled)
{
	uint32_t *fresh = dialled ? &set->fresh_dial : &set->fresh_accept;
	uint32_t max_count = dialled ? set->config.dial_max_count : set->config.accept_max_count;

	if (*fresh == max_count)
		return NULL;
	uint32_t index = (dialled ? set->config.accept_max_count : 0) + (*fresh)++;
	struct conn *conn = &set->conns[index];
	kr_assert(conn->generation == 0);
	*conn = (struct conn){
		.set = set,
		.index = index,
		.dialled = dialled,
		.generation = 1,
		.small = set->smalls + (size_t)index * CONN_SMALL_SIZE,
	};
	kr_list_init(&conn->link);
	kr_list_init(&conn->dirty);
	return conn;
}

struct conn *conn_take(struct conn_set *set, bool dialled)
{
	struct kr_list *node = kr_list_pop_front(dialled ? &set->free_dial : &set->free_accept);
	struct conn *conn =
		node != NULL ? kr_container_of(node, struct conn, link) : conn_fresh(set, dialled);

	if (conn == NULL)
		return NULL;
	kr_assert(conn->state == CONN_FREE && conn->dialled == dialled);
	conn->greeted = conn->shut = false;
	conn->has_head = false;
	conn->head_have = conn->body_have = 0;
	conn->partial_at_us = 0;
	conn->sending_bytes = 0;
	conn->mark = 0;
	conn->principal = 0;
	conn->is_told = false;
	conn->auth = (struct conn_auth){.state = CONN_AUTH_NONE};
	conn->frames_in = conn->frames_out = 0;
	conn->opened_at_us = conn->received_at_us = io_clock_boot_us(set->loop);
	conn_chain_init(&conn->in);
	conn_chain_init(&conn->out);
	io_stream_init(&conn->stream, &stream_handler, conn);
	set->used_count++;
	conn_check_start(set);
	return conn;
}

int conn_set_dial(struct conn_set *set, const struct io_address *address, struct conn_id *ret_id)
{
	struct conn *conn = conn_take(set, true);

	kr_assert(!set->is_stopping);
	if (conn == NULL)
		return CONN_FULL;
	int r = io_stream_connect(set->loop, &conn->stream, address);
	if (r < 0) {
		set->used_count--;
		kr_list_push_front(&set->free_dial, &conn->link);
		return r;
	}
	conn->state = CONN_DIALLING;
	set->counters.dialled++;
	*ret_id = conn_id_of(conn);
	return 0;
}
