#include <string.h>

#include "engine/server/server_priv.h"

/*
 * The frames of one turn, copied out of the connections' buffers, so that all of them are judged
 * as one batch.
 */

int server_inbox_init(struct server *server, struct kr_error_text *text)
{
	int r = kr_memory_reserve(
		&server->inbox, SERVER_INBOX_SIZE, 0, io_loop_faults(server->loop), text);
	if (r < 0)
		return r;
	r = kr_memory_reserve(&server->frames_memory,
		SERVER_INBOX_FRAMES_MAX * sizeof(struct shard_frame), 0,
		io_loop_faults(server->loop), text);
	if (r < 0)
		return r;
	server->frames = server->frames_memory.base;
	kr_assert(server->frame_count == 0);
	return 0;
}

void server_inbox_fini(struct server *server)
{
	if (server->inbox.base != NULL)
		kr_memory_release(&server->inbox);
	if (server->frames_memory.base != NULL)
		kr_memory_release(&server->frames_memory);
}

void server_inbox_put(struct server *server, struct conn_id conn, const struct frame_header *header,
	const uint8_t *body)
{
	size_t size = (FRAME_HEADER_SIZE + (size_t)header->body_size_bytes + 7) & ~(size_t)7;
	kr_assert(header->body_size_bytes <= FRAME_BODY_SIZE_MAX);
	if (server->frame_count == SERVER_INBOX_FRAMES_MAX ||
		SERVER_INBOX_SIZE - server->inbox_used_bytes < size)
		server_inbox_flush(server);
	uint8_t *at = (uint8_t *)server->inbox.base + server->inbox_used_bytes;
	memcpy(at, header, FRAME_HEADER_SIZE);
	if (header->body_size_bytes > 0)
		memcpy(at + FRAME_HEADER_SIZE, body, header->body_size_bytes);
	server->inbox_used_bytes += size;
	server->frames[server->frame_count++] = (struct shard_frame){
		.conn = server_conn_number(conn),
		.received_us = io_clock_boot_us(server->loop),
		.header = (const struct frame_header *)(const void *)at,
		.body = at + FRAME_HEADER_SIZE,
	};
	kr_assert(server->inbox_used_bytes <= SERVER_INBOX_SIZE);
}

void server_inbox_flush(struct server *server)
{
	struct shard_frame *frames = server->frames;
	uint32_t left = server->frame_count;
	while (left > 0 && server->life < SERVER_SEALING) {
		struct shard_event event = {
			.kind = SHARD_REQUEST, .frames = frames, .frame_count = left};
		int taken = server_step(server, &event);
		kr_assert(taken > 0 && (uint32_t)taken <= left);
		frames += taken;
		left -= (uint32_t)taken;
	}
	server->frame_count = 0;
	server->inbox_used_bytes = 0;
}
