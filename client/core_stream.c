#include "client/core.h"

#include <string.h>

#include <keyrack/keyrack.h>

#include "client/core_priv.h"
#include "proto/code.h"
#include "proto/keyrack.pb-c.h"
#include "proto/message.h"
#include "proto/token.h"

/* No more is put into the stream while so much of it waits for the socket. */
#define CLIENT_OUT_FILL_BYTES (256u << 10)
/* Reading into less than this costs more system calls than moving what is there. */
#define CLIENT_IN_SPACE_BYTES (64u << 10)
#define CLIENT_HELLO_BODY_SIZE_MAX 128u
#define CLIENT_HELLO_ARENA_SIZE 4096u

static size_t client_buffer_used(const struct client_buffer *buffer)
{
	kr_assert(buffer->start <= buffer->end);
	kr_assert(buffer->end <= buffer->size_bytes);
	return buffer->end - buffer->start;
}

/* Moves the bytes to the front unless `size_bytes` fit behind them. False: they do not anyhow. */
static bool client_buffer_make_room(struct client_buffer *buffer, size_t size_bytes)
{
	size_t used = client_buffer_used(buffer);
	kr_assert(size_bytes > 0);
	if (used == 0)
		buffer->start = buffer->end = 0;
	if (buffer->size_bytes - buffer->end >= size_bytes)
		return true;
	memmove(buffer->bytes, buffer->bytes + buffer->start, used);
	buffer->start = 0;
	buffer->end = used;
	return buffer->size_bytes - used >= size_bytes;
}

/* False: the stream has no room for it now. */
static bool client_stream_write(
	struct client_core *core, struct frame_header *header, const void *body, size_t size_bytes)
{
	kr_assert(core->state >= CLIENT_ASKING);
	kr_assert(header->remaining_us > 0);
	if (!client_buffer_make_room(&core->out, FRAME_HEADER_SIZE + size_bytes))
		return false;
	header->cluster = core->cluster;
	frame_seal(header, body, size_bytes);
	uint8_t *at = core->out.bytes + core->out.end;
	memcpy(at, header, FRAME_HEADER_SIZE);
	if (size_bytes > 0)
		memcpy(at + FRAME_HEADER_SIZE, body, size_bytes);
	core->out.end += FRAME_HEADER_SIZE + size_bytes;
	core->stream_written += FRAME_HEADER_SIZE + size_bytes;
	return true;
}

/* Where the next connection goes, and when: each router in turn at once, then with pauses. */
static void client_stream_plan(struct client_core *core, uint64_t now_us)
{
	kr_assert(core->state == CLIENT_IDLE);
	core->router = (core->router + 1) % core->config.router_count;
	core->connect_at_us = now_us;
	if (core->failures >= core->config.router_count)
		core->connect_at_us += client_core_pause_us(core, CLIENT_RECONNECT_FIRST_US,
			CLIENT_RECONNECT_MAX_US, core->failures - core->config.router_count);
	kr_assert(core->connect_at_us >= now_us);
}

static void client_stream_fault(struct client_core *core, uint16_t code, uint64_t now_us)
{
	kr_assert(core->state != CLIENT_IDLE);
	kr_assert(code != 0);
	bool was_up = core->state == CLIENT_UP;
	core->counters.losses += was_up;
	core->state = CLIENT_IDLE;
	core->must_close = true;
	core->fault = code;
	/* A router that takes connections but never answers counts as one that refuses them. */
	core->failures = core->has_served ? 0 : core->failures + 1;
	core->has_served = false;
	core->window = 0;
	client_stream_plan(core, now_us);
	client_calls_lost(core, code);
	core->in.start = core->in.end = 0;
	core->out.start = core->out.end = 0;
	if (core->config.fail_fast && core->failures >= core->config.router_count) {
		client_calls_give_up(core);
		core->failures = 0;
		core->connect_at_us = now_us;
	}
}

enum client_action client_core_action(struct client_core *core, uint64_t now_us)
{
	if (core->must_close) {
		kr_assert(core->state == CLIENT_IDLE);
		core->must_close = false;
		return CLIENT_DO_CLOSE;
	}
	if (core->state != CLIENT_IDLE || core->queued.first == CLIENT_NOWHERE)
		return CLIENT_DO_NOTHING;
	if (now_us < core->connect_at_us)
		return CLIENT_DO_NOTHING;
	kr_assert(core->router < core->config.router_count);
	core->state = CLIENT_CONNECTING;
	core->connect_due_at_us = now_us + core->config.connect_timeout_us;
	return CLIENT_DO_CONNECT;
}

/* A frame of the connection's own, before calls may be sent. */
static void client_stream_greet(struct client_core *core, uint8_t type, uint64_t request_id,
	const ProtobufCMessage *message)
{
	uint8_t body[CLIENT_HELLO_BODY_SIZE_MAX];
	size_t size_bytes = protobuf_c_message_get_packed_size(message);
	struct frame_header header = {
		.type = type,
		.route = FRAME_ROUTE_ROUTER,
		.request_id = request_id,
		.remaining_us = (uint32_t)KR_MIN(core->config.connect_timeout_us, UINT32_MAX),
	};
	kr_assert(core->state < CLIENT_UP);
	kr_assert(size_bytes <= sizeof(body));
	protobuf_c_message_pack(message, body);
	bool fits = client_stream_write(core, &header, body, size_bytes);
	kr_assert(fits);
}

static void client_stream_hello(struct client_core *core)
{
	Keyrack__HelloRequest hello = KEYRACK__HELLO_REQUEST__INIT;
	kr_assert(core->state < CLIENT_HELLO);
	core->state = CLIENT_HELLO;
	hello.version = FRAME_VERSION;
	hello.agent = core->agent;
	client_stream_greet(core, FRAME_HELLO, CLIENT_ID_HELLO, &hello.base);
}

void client_core_connected(struct client_core *core, uint64_t now_us)
{
	Keyrack__AuthRequest nothing = KEYRACK__AUTH_REQUEST__INIT;
	kr_assert(core->state == CLIENT_CONNECTING);
	kr_assert(client_buffer_used(&core->in) == 0 && client_buffer_used(&core->out) == 0);
	core->stream_written = core->stream_sent = 0;
	core->heard_at_us = now_us;
	core->is_pinged = false;
	if (core->config.token == NULL) {
		client_stream_hello(core);
		return;
	}
	core->state = CLIENT_ASKING;
	client_stream_greet(core, FRAME_AUTH, CLIENT_ID_AUTH, &nothing.base);
}

void client_core_disconnected(struct client_core *core, uint64_t now_us)
{
	if (core->state == CLIENT_IDLE)
		return;
	kr_assert(!core->must_close);
	client_stream_fault(core,
		core->state == CLIENT_UP ? KEYRACK_CODE_CONNECTION_LOST : KEYRACK_CODE_UNREACHABLE,
		now_us);
}

void *client_core_in_space(struct client_core *core, size_t *ret_size_bytes)
{
	kr_assert(ret_size_bytes != NULL);
	if (!client_buffer_make_room(&core->in, CLIENT_IN_SPACE_BYTES))
		kr_assert(core->in.start == 0);
	/* What is left there is less than a frame, and a frame fits. */
	kr_assert(core->in.end < core->in.size_bytes);
	*ret_size_bytes = core->in.size_bytes - core->in.end;
	return core->in.bytes + core->in.end;
}

void client_core_in_add(struct client_core *core, size_t size_bytes, uint64_t now_us)
{
	kr_assert(size_bytes <= core->in.size_bytes - core->in.end);
	kr_assert(core->state >= CLIENT_ASKING);
	core->in.end += size_bytes;
	core->counters.bytes_received += size_bytes;
	core->heard_at_us = now_us;
	core->is_pinged = false;
}

/* Moves the first queued call into the stream. False: not now. */
static bool client_stream_send(struct client_core *core, uint64_t now_us)
{
	uint32_t call = core->queued.first;
	const struct client_call *c = client_call_at(core, call);
	const struct client_request *request = &c->request;
	kr_assert(c->state == CLIENT_QUEUED);
	if (request->body_size_bytes > core->body_size_max) {
		client_call_end(core, call, CLIENT_QUEUED, KEYRACK_CODE_REJECT_SIZE);
		return true;
	}
	uint64_t left_us = c->deadline_at_us > now_us ? c->deadline_at_us - now_us : 1;
	struct frame_header header = {
		.type = request->type,
		.route = request->route,
		.flags = request->flags,
		.routing_key = request->routing_key,
		.request_id = client_core_next_id(core, call),
		.remaining_us = (uint32_t)KR_MIN(left_us, UINT32_MAX),
	};
	if (!client_stream_write(core, &header, request->body, request->body_size_bytes))
		return false;
	if (core->sent_count == 0)
		core->heard_at_us = KR_MAX(core->heard_at_us, now_us);
	client_call_sent(core, call);
	kr_assert(c->request_id == header.request_id);
	return true;
}

static bool client_stream_may_send(const struct client_core *core)
{
	kr_assert(core->state != CLIENT_UP || core->window > 0);
	return core->state == CLIENT_UP && core->queued.first != CLIENT_NOWHERE &&
	       core->sent_count < core->window;
}

const void *client_core_out(struct client_core *core, uint64_t now_us, size_t *ret_size_bytes)
{
	kr_assert(ret_size_bytes != NULL);
	while (client_stream_may_send(core)) {
		if (client_buffer_used(&core->out) >= CLIENT_OUT_FILL_BYTES)
			break;
		if (!client_stream_send(core, now_us))
			break;
	}
	*ret_size_bytes = client_buffer_used(&core->out);
	return core->out.bytes + core->out.start;
}

void client_core_out_sent(struct client_core *core, size_t size_bytes)
{
	kr_assert(size_bytes <= client_buffer_used(&core->out));
	core->out.start += size_bytes;
	core->stream_sent += size_bytes;
	core->counters.bytes_sent += size_bytes;
	kr_assert(core->stream_sent + client_buffer_used(&core->out) == core->stream_written);
}

bool client_core_wants_out(const struct client_core *core)
{
	return client_buffer_used(&core->out) > 0 || client_stream_may_send(core);
}

static void client_stream_ping(struct client_core *core, uint64_t now_us)
{
	struct frame_header header = {
		.type = FRAME_PING,
		.route = FRAME_ROUTE_ROUTER,
		.request_id = CLIENT_ID_PING,
		.remaining_us = (uint32_t)KR_MIN(core->config.silence_us, UINT32_MAX),
	};
	kr_assert(core->state == CLIENT_UP);
	kr_assert(!core->is_pinged);
	core->is_pinged = true;
	core->pinged_at_us = now_us;
	/* With a full stream there is nothing to add: that nothing is read says enough. */
	(void)client_stream_write(core, &header, NULL, 0);
}

uint64_t client_stream_due_at_us(const struct client_core *core)
{
	switch (core->state) {
	case CLIENT_IDLE:
		if (core->must_close)
			return 0;
		return core->queued.first != CLIENT_NOWHERE ? core->connect_at_us : UINT64_MAX;
	case CLIENT_CONNECTING:
	case CLIENT_ASKING:
	case CLIENT_PROVING:
	case CLIENT_HELLO:
		return core->connect_due_at_us;
	case CLIENT_UP:
		if (core->sent_count == 0)
			return UINT64_MAX;
		return (core->is_pinged ? core->pinged_at_us : core->heard_at_us) +
		       core->config.silence_us;
	}
	kr_unreachable();
}

void client_stream_tick(struct client_core *core, uint64_t now_us)
{
	if (core->state == CLIENT_IDLE || client_stream_due_at_us(core) > now_us)
		return;
	kr_assert(!core->must_close);
	if (core->state != CLIENT_UP)
		client_stream_fault(core, KEYRACK_CODE_UNREACHABLE, now_us);
	else if (core->is_pinged)
		client_stream_fault(core, KEYRACK_CODE_CONNECTION_LOST, now_us);
	else
		client_stream_ping(core, now_us);
	kr_assert(client_stream_due_at_us(core) > now_us || core->state == CLIENT_IDLE);
}

/* 0, or the connection's fault. */
static uint16_t client_hello_take(struct client_core *core, const Keyrack__HelloAnswer *hello)
{
	kr_assert(core->state == CLIENT_HELLO);
	kr_assert(hello->agent != NULL);
	if (hello->version != FRAME_VERSION)
		return KEYRACK_CODE_REJECT_VERSION;
	if (hello->cluster == 0 || hello->window == 0)
		return KEYRACK_CODE_BAD_ANSWER;
	if (core->cluster != 0 && core->cluster != hello->cluster)
		return KEYRACK_CODE_REJECT_CLUSTER;
	core->cluster = hello->cluster;
	core->version = hello->version;
	core->features = hello->features;
	core->window = hello->window;
	core->shard_count = hello->shard_count;
	core->map_epoch = hello->map_epoch;
	core->body_size_max = FRAME_BODY_SIZE_MAX;
	if (hello->body_size_max > 0)
		core->body_size_max = KR_MIN(hello->body_size_max, FRAME_BODY_SIZE_MAX);
	size_t size_bytes = strnlen(hello->agent, CLIENT_AGENT_SIZE_MAX);
	memcpy(core->router_agent, hello->agent, size_bytes);
	core->router_agent[size_bytes] = 0;
	return 0;
}

/* A nonce to be proved; nothing, when that was right, or when no token is wanted there. */
static uint16_t client_auth_take(struct client_core *core, const Keyrack__AuthAnswer *answer)
{
	Keyrack__AuthRequest request = KEYRACK__AUTH_REQUEST__INIT;
	uint8_t proof[TOKEN_PROOF_SIZE];
	kr_assert(core->config.token != NULL);
	if (answer->nonce.len == 0) {
		client_stream_hello(core);
		return 0;
	}
	if (core->state != CLIENT_ASKING || answer->nonce.len != TOKEN_NONCE_SIZE)
		return KEYRACK_CODE_BAD_ANSWER;
	token_prove(core->config.token, answer->nonce.data, proof);
	request.number = core->config.token->number;
	request.proof.data = proof;
	request.proof.len = sizeof(proof);
	core->state = CLIENT_PROVING;
	client_stream_greet(core, FRAME_AUTH, CLIENT_ID_AUTH, &request.base);
	return 0;
}

static uint16_t client_auth_answered(
	struct client_core *core, const struct frame_header *header, const uint8_t *body)
{
	_Alignas(16) uint8_t memory[CLIENT_HELLO_ARENA_SIZE];
	struct pb_arena arena;
	ProtobufCMessage *message;
	kr_assert(core->state == CLIENT_ASKING || core->state == CLIENT_PROVING);
	if (header->type != FRAME_AUTH || header->request_id != CLIENT_ID_AUTH)
		return KEYRACK_CODE_BAD_ANSWER;
	if (header->status != KEYRACK_CODE_DONE)
		return header->status;
	pb_arena_init(&arena, memory, sizeof(memory));
	if (message_unpack(&keyrack__auth_answer__descriptor, body, header->body_size_bytes, &arena,
		    &message) != 0)
		return KEYRACK_CODE_BAD_ANSWER;
	return client_auth_take(core, (const Keyrack__AuthAnswer *)(void *)message);
}

static uint16_t client_hello_answered(
	struct client_core *core, const struct frame_header *header, const uint8_t *body)
{
	_Alignas(16) uint8_t memory[CLIENT_HELLO_ARENA_SIZE];
	struct pb_arena arena;
	ProtobufCMessage *message;
	kr_assert(core->state == CLIENT_HELLO);
	if (header->type != FRAME_HELLO || header->request_id != CLIENT_ID_HELLO)
		return KEYRACK_CODE_BAD_ANSWER;
	if (header->status != KEYRACK_CODE_DONE)
		return header->status;
	pb_arena_init(&arena, memory, sizeof(memory));
	if (message_unpack(&keyrack__hello_answer__descriptor, body, header->body_size_bytes,
		    &arena, &message) != 0)
		return KEYRACK_CODE_BAD_ANSWER;
	uint16_t fault = client_hello_take(core, (const Keyrack__HelloAnswer *)(void *)message);
	if (fault != 0)
		return fault;
	kr_assert(core->window > 0);
	core->state = CLIENT_UP;
	core->counters.connects++;
	return 0;
}

/* Whether an answer's header is one that a server of this cluster may send. */
static bool client_header_is_fit(const struct client_core *core, const struct frame_header *header)
{
	kr_assert(header->type != FRAME_REJECT);
	if ((header->flags & FRAME_FLAG_ANSWER) == 0 || header->remaining_us != 0)
		return false;
	if (header->status == 0 || code_class_of(header->status) == CODE_REJECT)
		return false;
	return core->state != CLIENT_UP || header->cluster == core->cluster;
}

/* The call a frame answers, or CLIENT_NOWHERE when that call has ended already. */
static uint32_t client_stream_find(
	const struct client_core *core, const struct frame_header *header)
{
	uint32_t call = (uint32_t)(header->request_id & ((1u << CLIENT_ID_SLOT_BITS) - 1));
	if (call >= core->config.call_count_max)
		return CLIENT_NOWHERE;
	const struct client_call *c = &core->config.calls[call];
	if (c->state != CLIENT_SENT || c->request_id != header->request_id)
		return CLIENT_NOWHERE;
	kr_assert(c->tries > 0);
	return call;
}

/* What the frame is worth: true with *ret_end when a call has ended; *ret_fault if it is bad. */
static bool client_stream_frame(struct client_core *core, const struct frame_header *header,
	const uint8_t *body, uint64_t now_us, struct client_end *ret_end, uint16_t *ret_fault)
{
	kr_assert(core->state >= CLIENT_ASKING);
	*ret_fault = 0;
	if (header->type == FRAME_REJECT) {
		bool is_told = code_is_reject(header->status);
		*ret_fault = is_told ? header->status : (uint16_t)KEYRACK_CODE_BAD_ANSWER;
		return false;
	}
	if (!client_header_is_fit(core, header) || frame_body_check(header, body) != 0) {
		*ret_fault = KEYRACK_CODE_BAD_ANSWER;
		return false;
	}
	if (core->state != CLIENT_UP) {
		*ret_fault = core->state == CLIENT_HELLO ? client_hello_answered(core, header, body)
							 : client_auth_answered(core, header, body);
		return false;
	}
	if (header->request_id == CLIENT_ID_PING)
		return false;
	uint32_t call = client_stream_find(core, header);
	if (call == CLIENT_NOWHERE) {
		core->counters.late_answers++;
		return false;
	}
	if (client_call_at(core, call)->request.type != header->type) {
		*ret_fault = KEYRACK_CODE_BAD_ANSWER;
		return false;
	}
	core->has_served = true;
	core->failures = 0;
	return client_call_answered(core, call, header, now_us, ret_end);
}

bool client_stream_next(struct client_core *core, uint64_t now_us, struct client_end *ret_end)
{
	while (client_buffer_used(&core->in) >= FRAME_HEADER_SIZE) {
		struct frame_header header;
		const uint8_t *at = core->in.bytes + core->in.start;
		uint16_t fault = KEYRACK_CODE_BAD_ANSWER;
		bool has_ended = false;
		if (frame_header_read(at, &header) == 0) {
			size_t size_bytes = FRAME_HEADER_SIZE + (size_t)header.body_size_bytes;
			if (client_buffer_used(&core->in) < size_bytes)
				return false;
			core->in.start += size_bytes;
			at += FRAME_HEADER_SIZE;
			has_ended = client_stream_frame(core, &header, at, now_us, ret_end, &fault);
		}
		if (fault != 0) {
			kr_assert(!has_ended);
			client_stream_fault(core, fault, now_us);
			return client_core_next(core, now_us, ret_end);
		}
		if (has_ended) {
			ret_end->body = at;
			ret_end->body_size_bytes = header.body_size_bytes;
			return true;
		}
	}
	return false;
}

uint32_t client_core_peek(const struct client_core *core)
{
	uint64_t request_id;
	if (client_buffer_used(&core->in) < FRAME_HEADER_SIZE)
		return CLIENT_NOWHERE;
	const uint8_t *at = core->in.bytes + core->in.start;
	memcpy(&request_id, at + offsetof(struct frame_header, request_id), sizeof(request_id));
	uint32_t call = (uint32_t)(request_id & ((1u << CLIENT_ID_SLOT_BITS) - 1));
	return call < core->config.call_count_max ? call : CLIENT_NOWHERE;
}
