#include <string.h>

#include "proto/conn_priv.h"

#include "base/bytes.h"

static bool header_is_for_router(const struct frame_header *header)
{
	return header->route == FRAME_ROUTE_ROUTER && header->routing_key == 0;
}

/* 0, or why a header is not for this connection at this moment. */
static unsigned header_judge(const struct conn *conn, const struct frame_header *header)
{
	const struct conn_config *config = &conn->set->config;
	bool is_hello = header->type == FRAME_HELLO;
	bool is_first = is_hello || header->type == FRAME_AUTH;
	bool is_answer = (header->flags & FRAME_FLAG_ANSWER) != 0;
	/* In a request it is the upper half of a principal. */
	bool may_have_status = is_answer || config->from_routers;

	kr_assert(conn->state == CONN_OPEN);
	if (header->body_size_bytes > config->body_size_max_bytes)
		return KEYRACK_REJECT_SIZE;
	if (header->type == FRAME_REJECT)
		return 0;
	if (is_answer != conn->dialled || is_answer != (header->remaining_us == 0))
		return KEYRACK_REJECT_RESERVED;
	if (header->status != 0 ? !may_have_status : is_answer)
		return KEYRACK_REJECT_RESERVED;
	if (!is_answer && !config->from_routers && (header->principal != 0 || header->via != 0))
		return KEYRACK_REJECT_RESERVED;
	if (config->cluster != 0 && header->cluster != config->cluster &&
		!(is_first && header->cluster == 0))
		return KEYRACK_REJECT_CLUSTER;
	if (KR_UNLIKELY(!conn->greeted || is_first)) {
		unsigned code = conn_auth_judge(conn, header);
		if (code != 0)
			return code;
		if (is_first == conn->greeted)
			return KEYRACK_REJECT_STATE;
		if (is_first && !conn->dialled && !config->from_routers &&
			!header_is_for_router(header))
			return KEYRACK_REJECT_STATE;
	}
	return 0;
}

/* False when the connection was rejected. */
static bool header_read(struct conn *conn, const uint8_t *bytes, struct frame_header *ret_header)
{
	int code = frame_header_read(bytes, ret_header);

	kr_assert(code >= 0);
	if (code == 0)
		code = (int)header_judge(conn, ret_header);
	if (KR_LIKELY(code == 0))
		return true;
	conn_reject(conn->set, conn_id_of(conn), (enum keyrack_wire_code)code);
	return false;
}

/*
 * A router that dials anew has given its old connection up, and has told clients what it knows. A
 * frame that still comes out of the old one would overtake, or be overtaken by, the new one's. The
 * old one's HELLO itself may come late.
 */
static void replace_older(struct conn *conn, uint32_t mark, uint64_t number)
{
	struct conn_set *set = conn->set;

	kr_assert(mark != 0 && conn->mark == 0);
	for (uint32_t i = 0; i < set->fresh_accept; i++) {
		struct conn *other = &set->conns[i];
		if (other->mark != mark || other->state != CONN_OPEN)
			continue;
		bool is_late = other->mark_number > number;
		conn_doom(is_late ? conn : other, CONN_REASON_REPLACED, 0);
	}
	conn->mark = mark;
	conn->mark_number = number;
}

static void deliver(struct conn *conn, const struct frame_header *header, const uint8_t *body)
{
	struct conn_set *set = conn->set;

	kr_assert(conn->state == CONN_OPEN);
	if (set->config.body_check && !conn->dialled && frame_body_check(header, body) != 0) {
		conn_reject(set, conn_id_of(conn), KEYRACK_REJECT_CHECKSUM);
		return;
	}
	if (KR_UNLIKELY(header->type == FRAME_AUTH)) {
		conn_auth_on_frame(conn, header, body);
		return;
	}
	if (header->type == FRAME_REJECT) {
		conn_doom(conn, CONN_REASON_REJECTED_BY_PEER, header->status);
		return;
	}
	if (header->type == FRAME_HELLO && header->via != 0 && !conn->dialled)
		replace_older(conn, header->via, header->request_id);
	if (conn->state != CONN_OPEN)
		return;
	conn->greeted = true;
	conn->frames_in++;
	set->counters.frames_in++;
	set->has_delivered = true;
	set->handler.on_frame(set->handler.context, conn_id_of(conn), header, body);
}

static void partial_clear(struct conn *conn)
{
	kr_assert(conn->in.size_bytes == 0);
	conn->has_head = false;
	conn->head_have = 0;
	conn->body_have = 0;
	conn->partial_at_us = 0;
}

/*
 * The blocks leave the connection before its handler runs: what the handler does may cut this
 * connection off, and its blocks would be written over while they are read.
 */
static void deliver_blocks(struct conn *conn)
{
	struct conn_set *set = conn->set;
	struct conn_chain chain = conn->in;
	struct iovec part;
	size_t size_bytes = chain.size_bytes, offset = 0;
	bool is_whole = chain.block_count == 1;

	kr_assert(size_bytes == conn->head.body_size_bytes);
	conn_chain_init(&conn->in);
	partial_clear(conn);
	const uint8_t *body = set->scratch;
	while (!is_whole && chain.size_bytes > 0) {
		struct iovec parts[IO_SEND_PART_MAX];
		size_t got_bytes;
		uint32_t count = conn_chain_parts(&set->pool, &chain, parts, &got_bytes);
		for (uint32_t i = 0; i < count; i++) {
			memcpy(set->scratch + offset, parts[i].iov_base, parts[i].iov_len);
			offset += parts[i].iov_len;
		}
		conn_chain_consume(&set->pool, &chain, got_bytes);
	}
	if (is_whole) {
		conn_chain_parts(&set->pool, &chain, &part, &offset);
		body = part.iov_base;
	}
	kr_assert(offset == size_bytes);
	deliver(conn, &conn->head, body);
	conn_chain_consume(&set->pool, &chain, chain.size_bytes);
}

static void deliver_partial(struct conn *conn)
{
	kr_assert(conn->has_head);
	kr_assert(conn->body_have == conn->head.body_size_bytes);
	if (conn->in.block_count > 0) {
		deliver_blocks(conn);
		return;
	}
	partial_clear(conn);
	deliver(conn, &conn->head, conn->small);
}

/* Collects header bytes; returns how many were used. */
static size_t partial_take_head(struct conn *conn, const uint8_t *bytes, size_t size_bytes)
{
	size_t part = KR_MIN(size_bytes, (size_t)(FRAME_HEADER_SIZE - conn->head_have));

	kr_assert(!conn->has_head && conn->body_have == 0);
	memcpy(conn->small + conn->head_have, bytes, part);
	conn->head_have += (uint32_t)part;
	/* Who speaks another protocol may wait for an answer before it has said 64 bytes. */
	if (conn->head_have >= sizeof(uint32_t) && kr_load_u32(conn->small) != FRAME_MAGIC)
		conn_reject(conn->set, conn_id_of(conn), KEYRACK_REJECT_MAGIC);
	else if (conn->head_have == FRAME_HEADER_SIZE)
		conn->has_head = header_read(conn, conn->small, &conn->head);
	return part;
}

/* Collects body bytes; returns how many were used. */
static size_t partial_take_body(struct conn *conn, const uint8_t *bytes, size_t size_bytes)
{
	struct conn_set *set = conn->set;
	uint32_t body_size_bytes = conn->head.body_size_bytes;
	size_t part = KR_MIN(size_bytes, (size_t)(body_size_bytes - conn->body_have));

	kr_assert(conn->has_head && part > 0);
	if (body_size_bytes <= CONN_SMALL_SIZE) {
		memcpy(conn->small + conn->body_have, bytes, part);
	} else {
		if (!conn_make_room(conn, &conn->in, part)) {
			conn_doom(conn, CONN_REASON_STALLED, 0);
			return part;
		}
		conn_chain_append(&set->pool, &conn->in, bytes, part);
	}
	conn->body_have += (uint32_t)part;
	return part;
}

/* One more piece of a frame that comes in pieces; returns how many bytes were used. */
static size_t partial_take(struct conn *conn, const uint8_t *bytes, size_t size_bytes)
{
	size_t used;

	kr_assert(size_bytes > 0);
	if (conn->partial_at_us == 0)
		conn->partial_at_us = conn->received_at_us;
	if (!conn->has_head)
		used = partial_take_head(conn, bytes, size_bytes);
	else
		used = partial_take_body(conn, bytes, size_bytes);
	if (conn->state == CONN_OPEN && conn->has_head &&
		conn->body_have == conn->head.body_size_bytes)
		deliver_partial(conn);
	return used;
}

void conn_receive(struct conn *conn, const uint8_t *bytes, size_t size_bytes)
{
	struct frame_header header;

	while (size_bytes > 0 && conn->state == CONN_OPEN) {
		if (conn->partial_at_us != 0 || size_bytes < FRAME_HEADER_SIZE) {
			size_t used = partial_take(conn, bytes, size_bytes);
			bytes += used;
			size_bytes -= used;
			continue;
		}
		if (!header_read(conn, bytes, &header))
			return;
		bytes += FRAME_HEADER_SIZE;
		size_bytes -= FRAME_HEADER_SIZE;
		if (KR_LIKELY(size_bytes >= header.body_size_bytes)) {
			deliver(conn, &header, bytes);
			bytes += header.body_size_bytes;
			size_bytes -= header.body_size_bytes;
		} else {
			conn->head = header;
			conn->has_head = true;
			conn->partial_at_us = conn->received_at_us;
		}
	}
}
