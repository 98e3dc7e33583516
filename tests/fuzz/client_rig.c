#include "tests/fuzz/client_rig.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/hash.h"
#include "client/core_priv.h"
#include "client/encode.h"
#include "proto/code.h"

#define IN_FLIGHT 8u

struct rig rig;
static struct keyrack_client before;
static struct token token;

#define X(name, request, answer) client_encode_##name,
static client_encode *const encoders[] = {CLIENT_CALL_TABLE(X)};
#undef X
const uint8_t rig_kind_count = KR_ARRAY_COUNT(encoders);

/* ---- what the client is linked with instead ---- */

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret_now);
int __wrap_client_socket_connect(
	struct client_socket *socket, const struct client_address *address);
int __wrap_client_socket_finish(struct client_socket *socket);
int __wrap_client_socket_receive(
	struct client_socket *socket, void *bytes, size_t size_bytes, size_t *ret_count);
int __wrap_client_socket_send(
	struct client_socket *socket, const void *bytes, size_t size_bytes, size_t *ret_count);
void __wrap_client_socket_close(struct client_socket *socket);

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret_now)
{
	kr_assert(clock == CLOCK_MONOTONIC || clock == CLOCK_REALTIME_COARSE);
	*ret_now = (struct timespec){
		(time_t)(rig.now_us / 1000000), (long)(rig.now_us % 1000000 * 1000)};
	return 0;
}

int __wrap_client_socket_connect(struct client_socket *socket, const struct client_address *address)
{
	kr_assert(socket->fd < 0 && address->size_bytes > 0 && !rig.is_open);
	if (rig.connect_result == CLIENT_SOCKET_LOST)
		return CLIENT_SOCKET_LOST;
	socket->fd = 1000;
	socket->is_connecting = rig.connect_result == CLIENT_SOCKET_WAIT;
	rig.is_open = true;
	rig.is_cut = false;
	rig.out_size = rig.in_size = rig.sent_count = 0;
	return rig.connect_result;
}

int __wrap_client_socket_finish(struct client_socket *socket)
{
	kr_assert(socket->is_connecting && rig.is_open);
	if (rig.is_cut || rig.connect_result == CLIENT_SOCKET_LOST)
		return CLIENT_SOCKET_LOST;
	socket->is_connecting = rig.connect_result == CLIENT_SOCKET_WAIT;
	return rig.connect_result;
}

int __wrap_client_socket_receive(
	struct client_socket *socket, void *bytes, size_t size_bytes, size_t *ret_count)
{
	size_t count = KR_MIN(size_bytes, rig.in_size);
	kr_assert(socket->fd >= 0 && size_bytes > 0);
	if (count == 0)
		return rig.is_cut ? CLIENT_SOCKET_LOST : CLIENT_SOCKET_WAIT;
	memcpy(bytes, rig.in, count);
	memmove(rig.in, rig.in + count, rig.in_size - count);
	rig.in_size -= count;
	*ret_count = count;
	return 0;
}

/* What has left is whole frames, each with its sums. */
static void take_frames(void)
{
	size_t at = 0;
	while (rig.out_size - at >= FRAME_HEADER_SIZE) {
		struct frame_header header;
		int r = frame_header_read(rig.out + at, &header);
		kr_assert(r == 0 && (header.flags & FRAME_FLAG_ANSWER) == 0);
		kr_assert(header.remaining_us > 0 && header.status == 0 && header.via == 0);
		if (rig.out_size - at < FRAME_HEADER_SIZE + header.body_size_bytes)
			break;
		r = frame_body_check(&header, rig.out + at + FRAME_HEADER_SIZE);
		kr_assert(r == 0);
		at += FRAME_HEADER_SIZE + header.body_size_bytes;
		if (rig.sent_count < RIG_FRAMES_MAX)
			rig.sent[rig.sent_count++] = header;
	}
	memmove(rig.out, rig.out + at, rig.out_size - at);
	rig.out_size -= at;
}

int __wrap_client_socket_send(
	struct client_socket *socket, const void *bytes, size_t size_bytes, size_t *ret_count)
{
	size_t count = KR_MIN(size_bytes, rig.send_max_bytes);
	kr_assert(socket->fd >= 0 && count > 0);
	if (rig.is_cut)
		return CLIENT_SOCKET_LOST;
	kr_assert(rig.out_size + count <= sizeof(rig.out));
	memcpy(rig.out + rig.out_size, bytes, count);
	rig.out_size += count;
	*ret_count = count;
	take_frames();
	return 0;
}

void __wrap_client_socket_close(struct client_socket *socket)
{
	rig.is_open = false;
	rig.in_size = 0;
	*socket = (struct client_socket){.fd = -1};
}

/* ---- a life ---- */

void rig_client_new(void)
{
	const struct keyrack_config config = {
		.routers = "127.0.0.1:1,127.0.0.1:2",
		.agent = "fuzz",
		.in_flight_max = IN_FLIGHT,
		.tries_max = 4,
		.random_seed = 7,
	};
	token.number = 5;
	memset(token.key, 0x5a, sizeof(token.key));
	rig.now_us = 1000000;
	int r = keyrack_client_new(&config, &rig.client);
	kr_assert(r == 0);
	before = *rig.client;
}

void rig_client_reset(uint8_t way)
{
	struct keyrack_client *client = rig.client;
	struct client_core_config config = before.core.config;
	for (uint32_t i = 0; i < IN_FLIGHT; i++) {
		client_fan_free(client->entries[i].fan);
		free(client->entries[i].large);
	}
	memset(client->entries, 0, IN_FLIGHT * sizeof(client->entries[0]));
	client_fan_free(client->held);
	*client = before;
	config.agent = "fuzz";
	config.fail_fast = (way & 2) != 0;
	config.token = (way & 1) != 0 ? &token : NULL;
	client_core_init(&client->core, &config);
	rig = (struct rig){.client = client, .now_us = 1000000, .send_max_bytes = UINT32_MAX};
}

int rig_submit(uint8_t kind, uint8_t more, keyrack_callback *callback, void *user)
{
	/* Requests begin with the call; all else of them is zero, which is fit for most. */
	static union {
		struct keyrack_call call;
		struct keyrack_stats stats;
		struct keyrack_snapshot snapshot;
		struct keyrack_hotel_list list;
		uint64_t words[256];
	} request;
	kr_assert(kind < rig_kind_count);
	memset(&request, 0, sizeof(request));
	request.call.deadline_us = (1u + (more & 15u)) * 100000u;
	request.call.retry = (enum keyrack_retry)((more >> 4 & 3) % 3);
	if (encoders[kind] == client_encode_stats && (more & 0x40) != 0)
		request.stats.shard = KEYRACK_ALL_SHARDS;
	if (encoders[kind] == client_encode_snapshot && (more & 0x40) != 0)
		request.snapshot.shard = KEYRACK_ALL_SHARDS;
	if (encoders[kind] == client_encode_hotel_list && (more & 0x40) != 0)
		request.list.limit = 2;
	return client_submit(rig.client, encoders[kind], &request, callback, user);
}

void rig_feed(const void *bytes, size_t size_bytes)
{
	if (!rig.is_open || rig.is_cut || size_bytes > sizeof(rig.in) - rig.in_size)
		return;
	if (size_bytes > 0)
		memcpy(rig.in + rig.in_size, bytes, size_bytes);
	rig.in_size += size_bytes;
}

bool rig_answer_header(uint8_t pick, struct frame_header *ret_header)
{
	if (rig.sent_count == 0)
		return false;
	/* From the last one back. */
	const struct frame_header *request = &rig.sent[rig.sent_count - 1 - pick % rig.sent_count];
	kr_assert(request->request_id != 0);
	*ret_header = *request;
	ret_header->flags = FRAME_FLAG_ANSWER;
	ret_header->remaining_us = 0;
	ret_header->cluster = RIG_CLUSTER;
	return true;
}

void rig_seal(struct frame_header *header, const void *body, size_t size_bytes)
{
	kr_assert(size_bytes <= FRAME_BODY_SIZE_MAX);
	header->body_size_bytes = (uint32_t)size_bytes;
	header->body_sum = hash_64(body, size_bytes);
	header->header_sum = 0;
	header->header_sum = (uint32_t)hash_64(header, sizeof(*header));
}

void rig_greet(uint8_t window, uint8_t shard_count)
{
	Keyrack__HelloAnswer hello = KEYRACK__HELLO_ANSWER__INIT;
	char agent[] = "router";
	uint8_t body[128];
	struct frame_header header;
	if (!rig_answer_header(0, &header))
		return;
	header.status = KEYRACK_CODE_DONE;
	hello.version = FRAME_VERSION;
	hello.agent = agent;
	hello.cluster = RIG_CLUSTER;
	hello.window = window;
	hello.shard_count = shard_count;
	size_t size = header.type == FRAME_HELLO ? keyrack__hello_answer__pack(&hello, body) : 0;
	kr_assert(size <= sizeof(body));
	frame_seal(&header, body, size);
	rig.done_count += header.type != FRAME_HELLO;
	rig_feed(&header, FRAME_HEADER_SIZE);
	rig_feed(body, size);
}

void rig_check(void)
{
	const struct client_core *core = &rig.client->core;
	uint32_t count[CLIENT_ENDED + 1] = {0};
	for (uint32_t i = 0; i < IN_FLIGHT; i++) {
		const struct client_call *call = &core->config.calls[i];
		kr_assert(call->state <= CLIENT_ENDED);
		count[call->state]++;
	}
	kr_assert(count[CLIENT_TAKEN] == 0 && core->sent_count == count[CLIENT_SENT]);
	kr_assert(core->open_count == IN_FLIGHT - count[CLIENT_FREE]);
	kr_assert(core->state == CLIENT_UP || core->sent_count == 0);
	kr_assert(core->state != CLIENT_UP || core->sent_count <= core->window);
	kr_assert(core->counters.submitted - core->counters.ended ==
		  core->open_count - count[CLIENT_ENDED]);
	kr_assert(rig.client->large_total_bytes <= CLIENT_LARGE_SIZE_MAX);
}
