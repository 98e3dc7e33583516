#include "proto/conn_auth.h"

#include <string.h>

#include "base/bytes.h"
#include "proto/conn_priv.h"
#include "proto/keyrack.pb-c.h"
#include "proto/message.h"

#define AUTH_BODY_SIZE_MAX 128u
#define AUTH_ARENA_SIZE 2048u
kr_static_assert(TOKEN_NONCE_SIZE % sizeof(uint64_t) == 0, "a nonce is drawn in words");

unsigned conn_auth_judge(const struct conn *conn, const struct frame_header *header)
{
	bool is_auth = header->type == FRAME_AUTH;

	kr_assert(conn->state == CONN_OPEN);
	if (is_auth && header->body_size_bytes > AUTH_BODY_SIZE_MAX)
		return KEYRACK_REJECT_SIZE;
	if (is_auth && (conn->greeted || (conn->dialled && conn->auth.state == CONN_AUTH_NONE)))
		return KEYRACK_REJECT_STATE;
	if (!is_auth && conn->auth.state != CONN_AUTH_NONE)
		return conn->dialled ? KEYRACK_REJECT_STATE : KEYRACK_REJECT_TOKEN;
	return 0;
}

static void send_message(
	struct conn *conn, struct frame_header *header, const ProtobufCMessage *message)
{
	uint8_t body[AUTH_BODY_SIZE_MAX];
	size_t size_bytes = protobuf_c_message_get_packed_size(message);

	kr_assert(size_bytes <= sizeof(body));
	protobuf_c_message_pack(message, body);
	frame_seal(header, body, size_bytes);
	/* Who is gone, or cut off by this very frame, is heard of in on_close. */
	int r = conn_send(conn->set, conn_id_of(conn), header, body);
	kr_assert(r == 0 || r == CONN_GONE || r == CONN_CUT);
}

/* The side that dialled gives its proof, or asks for what it is to be made of. */
static void ask(struct conn *conn, const struct token *token, const uint8_t *proof)
{
	Keyrack__AuthRequest request = KEYRACK__AUTH_REQUEST__INIT;
	struct frame_header header = {
		.type = FRAME_AUTH,
		.route = FRAME_ROUTE_ROUTER,
		.cluster = conn->set->config.cluster,
		.remaining_us = (uint32_t)CONN_STALL_US,
	};

	kr_assert(conn->dialled && token != NULL);
	if (proof != NULL) {
		request.number = token->number;
		request.proof.data = (uint8_t *)(uintptr_t)proof;
		request.proof.len = TOKEN_PROOF_SIZE;
	}
	send_message(conn, &header, &request.base);
}

void conn_auth_dial(struct conn *conn)
{
	kr_assert(conn->dialled && conn->state == CONN_OPEN);
	kr_assert(!conn->is_told);
	if (conn->set->config.dial_token == NULL) {
		conn_tell_open(conn);
		return;
	}
	conn->auth.state = CONN_AUTH_ASKED;
	ask(conn, conn->set->config.dial_token, NULL);
}

static void on_answer(struct conn *conn, const Keyrack__AuthAnswer *answer)
{
	const struct token *token = conn->set->config.dial_token;
	uint8_t proof[TOKEN_PROOF_SIZE];

	kr_assert(conn->dialled && token != NULL);
	if (conn->auth.state == CONN_AUTH_ASKED && answer->nonce.len == TOKEN_NONCE_SIZE) {
		token_prove(token, answer->nonce.data, proof);
		conn->auth.state = CONN_AUTH_PROVED;
		ask(conn, token, proof);
	} else if (answer->nonce.len == 0) {
		conn->auth.state = CONN_AUTH_NONE;
		conn_tell_open(conn);
	} else {
		conn_reject(conn->set, conn_id_of(conn), KEYRACK_REJECT_TOKEN);
	}
}

static void answer(struct conn *conn, const struct frame_header *request, bool has_nonce)
{
	Keyrack__AuthAnswer message = KEYRACK__AUTH_ANSWER__INIT;
	struct frame_header header = {
		.type = FRAME_AUTH,
		.route = request->route,
		.flags = FRAME_FLAG_ANSWER,
		.cluster = conn->set->config.cluster,
		.routing_key = request->routing_key,
		.request_id = request->request_id,
		.status = KEYRACK_DONE,
	};

	kr_assert(!conn->dialled);
	if (has_nonce) {
		message.nonce.data = conn->auth.nonce;
		message.nonce.len = TOKEN_NONCE_SIZE;
	} else {
		message.role = access_role_of(conn->principal);
	}
	send_message(conn, &header, &message.base);
}

static void nonce_draw(struct conn *conn)
{
	kr_assert(!conn->dialled);
	for (size_t at = 0; at < TOKEN_NONCE_SIZE; at += sizeof(uint64_t))
		kr_store_u64(conn->auth.nonce + at, io_entropy_u64(conn->set->loop));
}

static void on_proof(
	struct conn *conn, const struct frame_header *header, const Keyrack__AuthRequest *request)
{
	const struct token_set *tokens = conn->set->config.tokens;
	const struct token *token = NULL;

	kr_assert(conn->auth.state == CONN_AUTH_ASKED && tokens != NULL);
	if (request->proof.len == TOKEN_PROOF_SIZE)
		token = token_check(tokens, request->number, conn->auth.nonce, request->proof.data);
	/* One try a nonce, and one a connection. */
	memset(conn->auth.nonce, 0, sizeof(conn->auth.nonce));
	if (token == NULL) {
		conn_reject(conn->set, conn_id_of(conn), KEYRACK_REJECT_TOKEN);
		return;
	}
	conn->auth.state = CONN_AUTH_NONE;
	conn->principal = access_principal(
		KR_MIN(token->role, conn->auth.role_max), ACCESS_TOKEN, token->number);
	conn_tell_open(conn);
	answer(conn, header, false);
}

static void on_request(
	struct conn *conn, const struct frame_header *header, const Keyrack__AuthRequest *request)
{
	kr_assert(!conn->dialled);
	if (conn->auth.state == CONN_AUTH_ASKED) {
		on_proof(conn, header, request);
	} else if (request->proof.len > 0) {
		conn_reject(conn->set, conn_id_of(conn), KEYRACK_REJECT_TOKEN);
	} else if (conn->auth.state == CONN_AUTH_OWES) {
		conn->auth.state = CONN_AUTH_ASKED;
		nonce_draw(conn);
		answer(conn, header, true);
	} else {
		/* Nothing is to be proved here. */
		answer(conn, header, false);
	}
}

void conn_auth_on_frame(struct conn *conn, const struct frame_header *header, const uint8_t *body)
{
	_Alignas(16) uint8_t memory[AUTH_ARENA_SIZE];
	struct pb_arena arena;
	ProtobufCMessage *message;
	const ProtobufCMessageDescriptor *descriptor = conn->dialled
							       ? &keyrack__auth_answer__descriptor
							       : &keyrack__auth_request__descriptor;

	kr_assert(header->type == FRAME_AUTH && !conn->greeted);
	pb_arena_init(&arena, memory, sizeof(memory));
	if (frame_body_check(header, body) != 0)
		conn_reject(conn->set, conn_id_of(conn), KEYRACK_REJECT_CHECKSUM);
	else if (message_unpack(descriptor, body, header->body_size_bytes, &arena, &message) != 0)
		conn_reject(conn->set, conn_id_of(conn), KEYRACK_REJECT_TOKEN);
	else if (conn->dialled)
		on_answer(conn, (const Keyrack__AuthAnswer *)(void *)message);
	else
		on_request(conn, header, (const Keyrack__AuthRequest *)(void *)message);
}
