#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "proto/conn_guard.h"
#include "proto/keyrack.pb-c.h"
#include "proto/token.h"
#include "tests/unit/router/conn_fixture.h"

static struct node server;
static char folder[] = "/tmp/keyrack-guard-XXXXXX";
static char path[64];

static void begin(void)
{
	cr_assert_not_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/socket", folder);
	node_config(&server);
	server.echoes = true;
}

static void end(void)
{
	node_end(&server);
	cr_assert_eq(access(path, F_OK), -1, "the socket is taken away");
	cr_assert_eq(rmdir(folder), 0);
}

static void listen_there(const struct conn_guard *guard)
{
	struct io_address address = {.kind = IO_ADDRESS_UNIX};
	struct kr_error_text text = {0};

	memcpy(address.path, path, strlen(path));
	cr_assert_eq(
		conn_set_listen_guarded(server.set, &address, guard, &text), 0, "%s", text.bytes);
}

static int connect_there(void)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(un.sun_path, path, strlen(path));
	cr_assert_eq(connect(fd, (struct sockaddr *)&un, sizeof(un)), 0, "%s", strerror(errno));
	cr_assert_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

static uint32_t mode_of_socket(void)
{
	struct stat status;
	cr_assert_eq(stat(path, &status), 0);
	return status.st_mode & 07777;
}

Test(guard, a_unix_socket_has_the_mode_it_was_given_whatever_the_umask)
{
	struct conn_guard guard;

	begin();
	node_begin(&server);
	conn_guard_default(&guard);
	(void)umask(0);
	listen_there(&guard);
	cr_assert_eq(mode_of_socket(), 0600);
	conn_set_listen_stop(server.set);
	nodes_until(access(path, F_OK) != 0);
	guard.socket.mode = 0666;
	(void)umask(0777);
	listen_there(&guard);
	cr_assert_eq(mode_of_socket(), 0666);
	end();
}

Test(guard, who_connects_to_a_unix_socket_is_the_user_the_kernel_says)
{
	struct conn_guard guard;

	begin();
	node_begin(&server);
	conn_guard_default(&guard);
	guard.role = ACCESS_BOOKING;
	listen_there(&guard);
	int fd = connect_there();
	nodes_until(server.open_count == 1);
	cr_assert_eq(conn_principal(server.set, server.last_open),
		access_principal(ACCESS_BOOKING, ACCESS_UID, getuid()));
	close(fd);
	nodes_until(server.close_count == 1);
	cr_assert_eq(conn_principal(server.set, server.last_open), 0, "it is gone");
	fd = peer_connect(&server);
	nodes_until(server.open_count == 2);
	cr_assert_eq(conn_principal(server.set, server.last_open),
		access_principal(ACCESS_OPERATOR, ACCESS_ANYBODY, 0), "over TCP nobody is known");
	close(fd);
	nodes_until(server.close_count == 2);
	end();
}

Test(guard, only_routers_stamp_principals)
{
	struct frame_header header = request_header(FRAME_BOOK, 1);
	uint8_t body[256];

	for (int from_routers = 0; from_routers < 2; from_routers++) {
		struct frame_header answer;
		node_config(&server);
		server.echoes = true;
		server.config.from_routers = from_routers;
		node_begin(&server);
		int fd = peer_connect(&server);
		peer_hello(fd);
		cr_assert(peer_read_frame(fd, &answer, body, sizeof(body)));
		access_principal_stamp(&header, UINT32_C(0x12345678));
		frame_seal(&header, NULL, 0);
		peer_send(fd, &header, NULL);
		cr_assert(peer_read_frame(fd, &answer, body, sizeof(body)));
		cr_assert_eq(answer.status, from_routers ? KEYRACK_DONE : KEYRACK_REJECT_RESERVED);
		close(fd);
		nodes_until(server.close_count == 1);
		node_end(&server);
	}
}

/* ---- tokens ---- */

static struct token_set tokens;

static void begin_with_tokens(enum access_role role)
{
	struct io_address address;
	struct kr_error_text text = {0};
	struct conn_guard guard;

	tokens = (struct token_set){.count = 2,
		.items = {{.number = 7, .role = ACCESS_OPERATOR, .key = {7}},
			{.number = 8, .role = ACCESS_BOOKING, .key = {8}}}};
	node_config(&server);
	server.echoes = true;
	server.config.tokens = &tokens;
	node_begin(&server);
	conn_guard_default(&guard);
	guard.role = role;
	guard.wants_token = true;
	cr_assert_eq(io_address_parse("127.0.0.1:0", 11, &address), 0);
	cr_assert_eq(conn_set_listen_guarded(server.set, &address, &guard, &text), 0);
}

static int connect_tcp(void)
{
	const struct io_address *address = conn_set_listen_address(server.set, 1);
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(address->port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(&in.sin_addr, address->bytes, 4);
	cr_assert_eq(connect(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	cr_assert_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

static void auth_send(int fd, uint32_t number, const uint8_t *proof)
{
	Keyrack__AuthRequest request = KEYRACK__AUTH_REQUEST__INIT;
	struct frame_header header = request_header(FRAME_AUTH, 5);
	uint8_t body[128], copy[TOKEN_PROOF_SIZE];

	request.number = number;
	if (proof != NULL) {
		memcpy(copy, proof, sizeof(copy));
		request.proof.data = copy;
		request.proof.len = sizeof(copy);
	}
	header.cluster = 0;
	frame_seal(&header, body, keyrack__auth_request__pack(&request, body));
	peer_send(fd, &header, body);
}

/* The status of the answer, and its nonce or role. */
static unsigned auth_read(int fd, uint8_t *ret_nonce, uint32_t *ret_role)
{
	struct frame_header header;
	uint8_t body[256];

	cr_assert(peer_read_frame(fd, &header, body, sizeof(body)));
	if (header.status != KEYRACK_DONE)
		return header.status;
	cr_assert_eq(header.type, FRAME_AUTH);
	cr_assert_eq(header.request_id, 5);
	Keyrack__AuthAnswer *answer =
		keyrack__auth_answer__unpack(NULL, header.body_size_bytes, body);
	cr_assert_not_null(answer);
	*ret_role = answer->role;
	cr_assert(answer->nonce.len == 0 || answer->nonce.len == TOKEN_NONCE_SIZE);
	cr_assert_eq(answer->nonce.len == 0, answer->role != 0);
	if (answer->nonce.len > 0)
		memcpy(ret_nonce, answer->nonce.data, answer->nonce.len);
	keyrack__auth_answer__free_unpacked(answer, NULL);
	return KEYRACK_DONE;
}

/* Status of the end; the principal then. */
static unsigned prove(int fd, const struct token *token, uint32_t number, uint32_t *ret_role)
{
	uint8_t nonce[TOKEN_NONCE_SIZE], proof[TOKEN_PROOF_SIZE];

	auth_send(fd, 0, NULL);
	cr_assert_eq(auth_read(fd, nonce, ret_role), KEYRACK_DONE);
	token_prove(token, nonce, proof);
	auth_send(fd, number, proof);
	return auth_read(fd, nonce, ret_role);
}

static unsigned rejected(int fd)
{
	struct frame_header header;
	uint8_t body[256];

	cr_assert(peer_read_frame(fd, &header, body, sizeof(body)));
	cr_assert_eq(header.type, FRAME_REJECT);
	cr_assert(peer_is_at_end(fd));
	close(fd);
	return header.status;
}

Test(token, who_has_one_gets_its_role_and_is_known_by_its_number)
{
	uint32_t role;

	begin_with_tokens(ACCESS_OPERATOR);
	for (uint32_t i = 0; i < 2; i++) {
		const struct token *token = &tokens.items[i];
		struct frame_header answer;
		uint8_t body[256];
		int fd = connect_tcp();
		cr_assert_eq(prove(fd, token, token->number, &role), KEYRACK_DONE);
		cr_assert_eq(role, token->role);
		cr_assert_eq(server.open_count, i + 1);
		cr_assert_eq(conn_principal(server.set, server.last_open),
			access_principal(token->role, ACCESS_TOKEN, token->number));
		peer_hello(fd);
		cr_assert(peer_read_frame(fd, &answer, body, sizeof(body)));
		cr_assert_eq(answer.type, FRAME_HELLO);
		cr_assert_eq(answer.status, KEYRACK_DONE);
		close(fd);
		nodes_until(server.close_count == i + 1);
	}
	node_end(&server);
}

Test(token, an_operators_token_is_worth_no_more_than_the_listener)
{
	uint32_t role;

	begin_with_tokens(ACCESS_BOOKING);
	int fd = connect_tcp();
	cr_assert_eq(prove(fd, &tokens.items[0], 7, &role), KEYRACK_DONE);
	cr_assert_eq(role, ACCESS_BOOKING);
	cr_assert_eq(conn_principal(server.set, server.last_open),
		access_principal(ACCESS_BOOKING, ACCESS_TOKEN, 7));
	close(fd);
	nodes_until(server.close_count == 1);
	node_end(&server);
}

Test(token, nobody_else_is_let_in_or_told_of)
{
	const struct token wrong = {.number = 7, .key = {9}};
	uint32_t role;

	begin_with_tokens(ACCESS_OPERATOR);
	int fd = connect_tcp();
	cr_assert_eq(prove(fd, &wrong, 7, &role), KEYRACK_REJECT_TOKEN);
	cr_assert(peer_is_at_end(fd));
	close(fd);
	fd = connect_tcp();
	cr_assert_eq(prove(fd, &tokens.items[0], 8, &role), KEYRACK_REJECT_TOKEN);
	close(fd);
	fd = connect_tcp();
	cr_assert_eq(prove(fd, &tokens.items[0], 0, &role), KEYRACK_REJECT_TOKEN);
	close(fd);
	fd = connect_tcp();
	peer_hello(fd);
	cr_assert_eq(rejected(fd), KEYRACK_REJECT_TOKEN);
	fd = connect_tcp();
	struct frame_header header = request_header(FRAME_BOOK, 1);
	frame_seal(&header, NULL, 0);
	peer_send(fd, &header, NULL);
	cr_assert_eq(rejected(fd), KEYRACK_REJECT_TOKEN);
	cr_assert_eq(server.open_count, 0);
	cr_assert_eq(server.close_count, 0);
	cr_assert_eq(server.frame_count, 0);
	cr_assert_eq(conn_next(server.set, 0).generation, 0, "and nobody is listed");
	node_end(&server);
}

Test(token, a_proof_that_was_heard_is_worth_nothing_later)
{
	uint8_t nonce[TOKEN_NONCE_SIZE], other[TOKEN_NONCE_SIZE], proof[TOKEN_PROOF_SIZE];
	uint32_t role;

	begin_with_tokens(ACCESS_OPERATOR);
	int fd = connect_tcp();
	auth_send(fd, 0, NULL);
	cr_assert_eq(auth_read(fd, nonce, &role), KEYRACK_DONE);
	token_prove(&tokens.items[0], nonce, proof);
	auth_send(fd, 7, proof);
	cr_assert_eq(auth_read(fd, nonce, &role), KEYRACK_DONE);
	int again = connect_tcp();
	auth_send(again, 0, NULL);
	cr_assert_eq(auth_read(again, other, &role), KEYRACK_DONE);
	cr_assert_neq(memcmp(nonce, other, sizeof(nonce)), 0);
	auth_send(again, 7, proof);
	cr_assert_eq(rejected(again), KEYRACK_REJECT_TOKEN);
	again = connect_tcp();
	auth_send(again, 7, proof);
	cr_assert_eq(rejected(again), KEYRACK_REJECT_TOKEN, "without asking first");
	close(fd);
	nodes_until(server.close_count == 1);
	node_end(&server);
}

Test(token, after_a_hello_it_is_too_late_and_a_large_one_is_none)
{
	uint8_t body[512] = {0};
	struct frame_header answer, header = request_header(FRAME_AUTH, 1);

	begin_with_tokens(ACCESS_OPERATOR);
	int fd = peer_connect(&server);
	peer_hello(fd);
	cr_assert(peer_read_frame(fd, &answer, body, sizeof(body)));
	auth_send(fd, 0, NULL);
	cr_assert_eq(rejected(fd), KEYRACK_REJECT_STATE);
	fd = connect_tcp();
	memset(body, 0, sizeof(body));
	frame_seal(&header, body, sizeof(body));
	peer_send(fd, &header, body);
	cr_assert_eq(rejected(fd), KEYRACK_REJECT_SIZE);
	fd = connect_tcp();
	memset(body, 0xff, 20);
	frame_seal(&header, body, 20);
	peer_send(fd, &header, body);
	cr_assert_eq(rejected(fd), KEYRACK_REJECT_TOKEN);
	nodes_until(server.close_count == 1);
	node_end(&server);
}

Test(token, is_not_asked_for_where_none_is_wanted)
{
	uint8_t nonce[TOKEN_NONCE_SIZE];
	uint32_t role;

	begin_with_tokens(ACCESS_OPERATOR);
	int fd = peer_connect(&server);
	auth_send(fd, 0, NULL);
	cr_assert_eq(auth_read(fd, nonce, &role), KEYRACK_DONE);
	cr_assert_eq(role, ACCESS_OPERATOR);
	peer_hello(fd);
	nodes_until(server.frame_count == 1);
	close(fd);
	nodes_until(server.close_count == 1);
	node_end(&server);
}

/* ---- the side that dials ---- */

static struct node dialler;

static void dial_with(const struct token *token, uint32_t listener)
{
	struct conn_id id;

	begin_with_tokens(ACCESS_OPERATOR);
	node_config(&dialler);
	dialler.config.dial_token = token;
	node_begin(&dialler);
	cr_assert_eq(
		conn_set_dial(dialler.set, conn_set_listen_address(server.set, listener), &id), 0);
}

static void dial_end(void)
{
	node_end(&dialler);
	nodes_until(server.close_count == server.open_count);
	node_end(&server);
}

Test(dial, proves_its_token_before_it_is_open)
{
	dial_with(&tokens.items[1], 1);
	nodes_until(dialler.open_count == 1 && server.open_count == 1);
	cr_assert_eq(conn_principal(server.set, server.last_open),
		access_principal(ACCESS_BOOKING, ACCESS_TOKEN, 8));
	struct frame_header header = request_header(FRAME_HELLO, 3);
	frame_seal(&header, NULL, 0);
	cr_assert_eq(conn_send(dialler.set, dialler.last_open, &header, NULL), 0);
	nodes_until(dialler.frame_count == 1);
	cr_assert_eq(dialler.frames[0].header.request_id, 3);
	dial_end();
}

Test(dial, goes_on_where_no_token_is_wanted)
{
	dial_with(&tokens.items[1], 0);
	nodes_until(dialler.open_count == 1 && server.open_count == 1);
	dial_end();
}

Test(dial, hears_that_its_token_is_wrong_and_was_never_open)
{
	static const struct token wrong = {.number = 7, .key = {1}};
	dial_with(&wrong, 1);
	nodes_until(dialler.close_count == 1);
	cr_assert_eq(dialler.last_reason, CONN_REASON_REJECTED_BY_PEER);
	cr_assert_eq(dialler.last_code, KEYRACK_REJECT_TOKEN);
	cr_assert_eq(dialler.open_count, 0);
	dialler.open_count = 1; /* a dial that failed is told of, too */
	dial_end();
}
