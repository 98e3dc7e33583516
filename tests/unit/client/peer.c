#include "tests/unit/client/peer.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/message.h"

#define PEER_TURNS 1000 /* of a millisecond */

void peer_open(struct peer *peer)
{
	static int number;
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	memset(peer, 0, sizeof(*peer));
	snprintf(peer->path, sizeof(peer->path), "/tmp/kr-peer-%d-%d", (int)getpid(), number++);
	snprintf(peer->address, sizeof(peer->address), "unix:%s", peer->path);
	memcpy(un.sun_path, peer->path, strlen(peer->path));
	(void)unlink(peer->path);
	peer->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	cr_assert_eq(bind(peer->listener, (struct sockaddr *)(void *)&un, sizeof(un)), 0);
	cr_assert_eq(listen(peer->listener, 16), 0);
	peer->fd = -1;
	peer->window = 1000;
	peer->shard_count = 3;
	peer->bytes = malloc(PEER_BUFFER_SIZE);
}

void peer_hang_up(struct peer *peer)
{
	if (peer->fd >= 0)
		close(peer->fd);
	peer->fd = -1;
	peer->start = peer->end = 0;
}

void peer_close(struct peer *peer)
{
	peer_hang_up(peer);
	close(peer->listener);
	(void)unlink(peer->path);
	free(peer->bytes);
}

static void peer_read(struct peer *peer)
{
	if (peer->start > 0) {
		memmove(peer->bytes, peer->bytes + peer->start, peer->end - peer->start);
		peer->end -= peer->start;
		peer->start = 0;
	}
	cr_assert_lt(peer->end, PEER_BUFFER_SIZE);
	ssize_t count =
		recv(peer->fd, peer->bytes + peer->end, PEER_BUFFER_SIZE - peer->end, MSG_DONTWAIT);
	if (count > 0)
		peer->end += (size_t)count;
	else if (count == 0)
		peer_hang_up(peer);
}

static bool peer_frame(struct peer *peer, struct peer_request *ret)
{
	size_t have = peer->end - peer->start;
	const uint8_t *at = peer->bytes + peer->start;
	if (have < FRAME_HEADER_SIZE)
		return false;
	cr_assert_eq(frame_header_read(at, &ret->header), 0);
	size_t size = ret->header.body_size_bytes;
	if (have < FRAME_HEADER_SIZE + size)
		return false;
	at += FRAME_HEADER_SIZE;
	cr_assert_eq(frame_body_check(&ret->header, at), 0);
	const ProtobufCMessageDescriptor *descriptor = message_of_request(ret->header.type);
	cr_assert_eq(message_check(descriptor, at, size), 0);
	ret->message = protobuf_c_message_unpack(descriptor, NULL, size, at);
	cr_assert_not_null(ret->message);
	peer->start += FRAME_HEADER_SIZE + size;
	return true;
}

static void peer_turn(struct peer *peer, struct keyrack_client *client)
{
	if (client != NULL)
		(void)keyrack_client_process(client);
	if (peer->fd >= 0)
		peer_read(peer);
}

bool peer_has_request(struct peer *peer, struct keyrack_client *client)
{
	peer_turn(peer, client);
	peer_turn(peer, client);
	return peer->end - peer->start > 0;
}

struct peer_request peer_take(struct peer *peer, struct keyrack_client *client)
{
	struct peer_request request;
	for (int turn = 0; turn < PEER_TURNS; turn++) {
		if (peer_frame(peer, &request))
			return request;
		peer_turn(peer, client);
		if (turn > 10)
			usleep(1000);
	}
	cr_assert(false, "no request came");
	abort();
}

void peer_request_done(struct peer_request *request)
{
	protobuf_c_message_free_unpacked(request->message, NULL);
	request->message = NULL;
}

static void peer_write(struct peer *peer, const void *bytes, size_t size)
{
	const char *at = bytes;
	while (size > 0) {
		ssize_t count = send(peer->fd, at, size, MSG_NOSIGNAL);
		cr_assert_gt(count, 0);
		at += count;
		size -= (size_t)count;
	}
}

void peer_answer(struct peer *peer, const struct frame_header *request, uint16_t code,
	const ProtobufCMessage *message)
{
	size_t size = message != NULL ? protobuf_c_message_get_packed_size(message) : 0;
	uint8_t *body = malloc(size + 1);
	if (message != NULL)
		protobuf_c_message_pack(message, body);
	struct frame_header header = {.type = request->type,
		.route = request->route,
		.flags = FRAME_FLAG_ANSWER,
		.cluster = PEER_CLUSTER,
		.routing_key = request->routing_key,
		.request_id = request->request_id,
		.map_epoch = 4,
		.status = code};
	frame_seal(&header, body, size);
	peer_write(peer, &header, sizeof(header));
	peer_write(peer, body, size);
	free(body);
}

static void peer_answer_hello(struct peer *peer, const struct peer_request *request)
{
	Keyrack__HelloAnswer answer = KEYRACK__HELLO_ANSWER__INIT;
	cr_assert_eq(request->header.type, FRAME_HELLO);
	answer.version = 1;
	answer.cluster = PEER_CLUSTER;
	answer.window = peer->window;
	answer.shard_count = peer->shard_count;
	answer.map_epoch = 4;
	answer.agent = (char *)(uintptr_t) "peer/1";
	peer_answer(peer, &request->header, KEYRACK_DONE, &answer.base);
}

static bool peer_accept(struct peer *peer)
{
	peer->fd = accept(peer->listener, NULL, NULL);
	return peer->fd >= 0;
}

void peer_welcome(struct peer *peer, struct keyrack_client *client)
{
	for (int turn = 0; turn < PEER_TURNS && !peer_accept(peer); turn++) {
		(void)keyrack_client_process(client);
		if (turn > 10)
			usleep(1000);
	}
	cr_assert_geq(peer->fd, 0, "nobody connected");
	struct peer_request hello = peer_take(peer, client);
	peer_answer_hello(peer, &hello);
	peer_request_done(&hello);
	(void)keyrack_client_process(client);
}

void peer_until(struct keyrack_client *client, const bool *flag)
{
	for (int turn = 0; turn < PEER_TURNS && !*flag; turn++)
		(void)keyrack_client_wait(client, 1000);
	cr_assert(*flag, "it did not come about");
}

static void peer_serve_one(struct peer *peer, peer_handle *handle)
{
	struct peer_request request;
	while (peer->fd >= 0 && peer_frame(peer, &request)) {
		if (request.header.type == FRAME_HELLO)
			peer_answer_hello(peer, &request);
		else
			handle(peer, &request);
		peer_request_done(&request);
	}
}

pid_t peer_serve(struct peer *peer, peer_handle *handle)
{
	pid_t pid = fork();
	cr_assert_geq(pid, 0);
	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		struct pollfd fds[] = {{.fd = peer->listener, .events = POLLIN},
			{.fd = peer->fd, .events = POLLIN}};
		(void)poll(fds, 2, -1);
		if (fds[0].revents != 0) {
			peer_hang_up(peer);
			(void)peer_accept(peer);
		} else if (peer->fd >= 0) {
			peer_read(peer);
			peer_serve_one(peer, handle);
		}
	}
}

void peer_stop(pid_t pid)
{
	if (pid <= 0)
		return;
	kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}
