#include "proto/conn_priv.h"

#include "base/bytes.h"

void conn_mark_dirty(struct conn *conn)
{
	kr_assert(conn->state == CONN_OPEN || conn->state == CONN_LEAVING);
	if (!kr_list_is_empty(&conn->dirty))
		return;
	/* What goes on to a shard is what others wait for: first, and many go in one send. */
	if (conn->dialled)
		kr_list_push_front(&conn->set->dirty, &conn->dirty);
	else
		kr_list_push_back(&conn->set->dirty, &conn->dirty);
}

void conn_give_up_blocks(struct conn *conn)
{
	struct conn_set *set = conn->set;
	size_t out_bytes = conn->out.size_bytes;

	kr_assert(conn->sending_bytes <= out_bytes);
	conn_chain_cut(&set->pool, &conn->out, conn->sending_bytes);
	set->queued_bytes -= out_bytes - conn->out.size_bytes;
	conn_chain_cut(&set->pool, &conn->in, 0);
}

/*
 * The pool is empty: whoever holds most of it has had his chance. Links that were dialled are not
 * touched: their share is bounded by whoever sized the pool.
 */
static void cut_greediest(struct conn_set *set)
{
	struct conn *greediest = NULL;
	uint32_t most = 0;

	kr_assert(set->pool.used_count <= set->pool.block_count);
	for (uint32_t i = 0; i < set->fresh_accept; i++) {
		struct conn *conn = &set->conns[i];
		uint32_t count = conn->out.block_count + conn->in.block_count;
		if ((conn->state == CONN_OPEN || conn->state == CONN_LEAVING) && count > most) {
			greediest = conn;
			most = count;
		}
	}
	if (greediest != NULL)
		conn_doom(greediest, CONN_REASON_SLOW, 0);
}

bool conn_make_room(struct conn *conn, const struct conn_chain *chain, size_t size_bytes)
{
	const struct conn_pool *pool = &conn->set->pool;

	kr_assert(chain == &conn->in || chain == &conn->out);
	if (KR_LIKELY(conn_chain_has_room(pool, chain, size_bytes)))
		return true;
	cut_greediest(conn->set);
	return conn->state != CONN_DOOMED && conn_chain_has_room(pool, chain, size_bytes);
}

static bool out_has_room(struct conn *conn, size_t size_bytes)
{
	struct conn_set *set = conn->set;
	size_t max_bytes = conn->dialled ? set->config.dial_queue_size_max_bytes
					 : set->config.queue_size_max_bytes;

	kr_assert(size_bytes >= FRAME_HEADER_SIZE);
	return KR_LIKELY(conn->out.size_bytes + size_bytes <= max_bytes) &&
	       conn_make_room(conn, &conn->out, size_bytes);
}

static int out_append(struct conn *conn, const struct frame_header *header, const void *body)
{
	struct conn_set *set = conn->set;
	size_t size_bytes = FRAME_HEADER_SIZE + header->body_size_bytes;

	kr_assert(header->magic == FRAME_MAGIC);
	kr_assert(header->body_size_bytes == 0 || body != NULL);
	if (KR_UNLIKELY(!out_has_room(conn, size_bytes))) {
		conn_doom(conn, CONN_REASON_SLOW, 0);
		return CONN_CUT;
	}
	conn_chain_append(&set->pool, &conn->out, header, FRAME_HEADER_SIZE);
	conn_chain_append(&set->pool, &conn->out, body, header->body_size_bytes);
	set->queued_bytes += size_bytes;
	set->counters.frames_out++;
	conn->frames_out++;
	conn_mark_dirty(conn);
	return 0;
}

int conn_send(struct conn_set *set, struct conn_id id, const struct frame_header *header,
	const void *body)
{
	struct conn *conn = conn_find(set, id);

	if (conn == NULL || conn->state != CONN_OPEN)
		return CONN_GONE;
	return out_append(conn, header, body);
}

/* The notice's fields, by their numbers in keyrack.proto: text, cluster, version_min and _max. */
static uint32_t reject_body(
	const struct conn_set *set, enum keyrack_wire_code code, uint8_t *bytes, size_t size_bytes)
{
	struct kr_writer writer;
	const char *text = code_text(code);
	size_t length = strlen(text);

	kr_writer_init(&writer, bytes, size_bytes);
	kr_writer_u8(&writer, 1 << 3 | 2);
	kr_writer_varint(&writer, length);
	kr_writer_bytes(&writer, text, length);
	kr_writer_u8(&writer, 2 << 3 | 1);
	kr_writer_u64(&writer, set->config.cluster);
	kr_writer_u8(&writer, 3 << 3);
	kr_writer_varint(&writer, FRAME_VERSION);
	kr_writer_u8(&writer, 4 << 3);
	kr_writer_varint(&writer, FRAME_VERSION);
	kr_assert(!writer.failed);
	return (uint32_t)kr_writer_size(&writer);
}

void conn_reject(struct conn_set *set, struct conn_id id, enum keyrack_wire_code code)
{
	struct conn *conn = conn_find(set, id);
	uint8_t body[160];

	kr_assert(code_class_of(code) == CODE_REJECT);
	if (conn == NULL || conn->state != CONN_OPEN)
		return;
	set->counters.rejected++;
	/* Who dialled asks and is asked nothing: it has no frame to say this with. */
	if (conn->dialled) {
		conn_doom(conn, CONN_REASON_REJECTED, code);
		return;
	}
	struct frame_header header = {
		.type = FRAME_REJECT,
		.route = FRAME_ROUTE_ROUTER,
		.flags = FRAME_FLAG_ANSWER,
		.cluster = set->config.cluster,
		.status = (uint16_t)code,
	};
	frame_seal(&header, body, reject_body(set, code, body, sizeof(body)));
	if (out_append(conn, &header, body) == 0)
		conn_leave(conn, CONN_REASON_REJECTED, code);
}

void conn_flush(struct conn *conn)
{
	struct conn_set *set = conn->set;
	struct iovec parts[IO_SEND_PART_MAX];

	kr_assert(conn->state == CONN_OPEN || conn->state == CONN_LEAVING);
	if (conn->sending_bytes > 0)
		return;
	if (conn->out.size_bytes > 0) {
		uint32_t count =
			conn_chain_parts(&set->pool, &conn->out, parts, &conn->sending_bytes);
		conn->sending_at_us = io_clock_boot_us(set->loop);
		set->counters.sends++;
		io_stream_send(&conn->stream, parts, count);
	} else if (conn->state == CONN_LEAVING && !conn->shut) {
		conn->shut = true;
		io_stream_shutdown(&conn->stream);
	}
}

void conn_sent(struct conn *conn)
{
	struct conn_set *set = conn->set;

	kr_assert(conn->sending_bytes > 0);
	kr_assert(set->queued_bytes >= conn->sending_bytes);
	set->counters.bytes_out += conn->sending_bytes;
	set->queued_bytes -= conn->sending_bytes;
	conn_chain_consume(&set->pool, &conn->out, conn->sending_bytes);
	conn->sending_bytes = 0;
	if (conn->out.size_bytes > 0 || conn->state == CONN_LEAVING)
		conn_mark_dirty(conn);
}
