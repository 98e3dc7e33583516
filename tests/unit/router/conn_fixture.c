#include "tests/unit/router/conn_fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/hash.h"

static struct node *nodes[NODE_MAX];

uint64_t nodes_now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void nodes_turn(void)
{
	for (uint32_t i = 0; i < NODE_MAX; i++) {
		if (nodes[i] != NULL)
			cr_assert_eq(io_loop_tick(nodes[i]->loop, 1000), 0);
	}
}

static void on_open(void *context, struct conn_id id)
{
	struct node *node = context;
	node->open_count++;
	node->last_open = id;
}

static void echo(struct node *node, struct conn_id id, const struct frame_header *request,
	const uint8_t *body)
{
	struct frame_header header = *request;

	header.flags = FRAME_FLAG_ANSWER;
	header.status = KEYRACK_DONE;
	header.remaining_us = 0;
	frame_header_seal(&header);
	int r = conn_send(node->set, id, &header, body);
	node->cut_count += r == CONN_CUT;
	cr_assert(r == 0 || node->is_tight);
}

static void on_frame(
	void *context, struct conn_id id, const struct frame_header *header, const uint8_t *body)
{
	struct node *node = context;

	cr_assert_lt(node->frame_count, NODE_NOTE_MAX);
	node->frames[node->frame_count++] = (struct node_frame){
		.conn = id,
		.header = *header,
		.body_sum = hash_64(body, header->body_size_bytes),
	};
	if (node->echoes && (header->flags & FRAME_FLAG_ANSWER) == 0)
		echo(node, id, header, body);
}

static void on_tick_end(void *context)
{
	struct node *node = context;
	cr_assert_gt(node->frame_count, node->frames_at_tick_end, "a turn without a frame");
	node->frames_at_tick_end = node->frame_count;
	node->tick_end_count++;
}

static void on_close(void *context, struct conn_id id, enum conn_reason reason, unsigned code)
{
	struct node *node = context;
	node->close_count++;
	node->last_close = id;
	node->last_reason = reason;
	node->last_code = code;
}

static void on_turn(struct io_loop *loop, void *context)
{
	struct node *node = context;
	conn_set_turn(node->set);
}

void node_config(struct node *node)
{
	memset(node, 0, sizeof(*node));
	node->config = (struct conn_config){
		.cluster = NODE_CLUSTER,
		.accept_max_count = 64,
		.dial_max_count = 4,
		.body_size_max_bytes = FRAME_BODY_SIZE_MAX,
		.queue_size_max_bytes = 4u << 20,
		.dial_queue_size_max_bytes = 4u << 20,
		.pool_size_bytes = 16u << 20,
		.body_check = true,
	};
}

void node_begin(struct node *node)
{
	struct conn_handler handler = {node, on_open, on_frame, on_tick_end, on_close};
	struct io_config io_config;
	struct kr_error_text text = {0};
	struct io_address address;
	uint32_t slot = 0;

	io_config_default(&io_config);
	cr_assert_eq(io_loop_new(&io_config, &node->loop, &text), 0, "%s", text.bytes);
	node->frames = calloc(NODE_NOTE_MAX, sizeof(*node->frames));
	cr_assert_eq(conn_set_new(node->loop, &node->config, &handler, &node->set, &text), 0);
	io_loop_set_turn(node->loop, on_turn, node);
	cr_assert_eq(io_address_parse("127.0.0.1:0", 11, &address), 0);
	cr_assert_eq(conn_set_listen(node->set, &address, &text), 0, "%s", text.bytes);
	while (nodes[slot] != NULL)
		slot++;
	nodes[slot] = node;
}

void node_end(struct node *node)
{
	conn_set_stop(node->set);
	nodes_until(conn_set_is_stopped(node->set));
	cr_assert_eq(node->open_count, node->close_count, "each open has its close");
	cr_assert_eq(conn_set_counters(node->set)->blocks_used, 0, "blocks came back");
	cr_assert_eq(conn_set_queued_bytes(node->set), 0);
	node->set = conn_set_free(node->set);
	node->loop = io_loop_free(node->loop);
	free(node->frames);
	for (uint32_t i = 0; i < NODE_MAX; i++) {
		if (nodes[i] == node)
			nodes[i] = NULL;
	}
}

struct io_address node_address(const struct node *node)
{
	return *conn_set_listen_address(node->set, 0);
}

/* ---- bare sockets ---- */

int peer_connect(const struct node *node)
{
	struct io_address address = node_address(node);
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(address.port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(&in.sin_addr, address.bytes, 4);
	cr_assert_geq(fd, 0, "%s", strerror(errno));
	cr_assert_eq(connect(fd, (struct sockaddr *)&in, sizeof(in)), 0, "%s", strerror(errno));
	cr_assert_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

void peer_write(int fd, const void *bytes, size_t size_bytes)
{
	const uint8_t *at = bytes;

	while (size_bytes > 0) {
		ssize_t n = send(fd, at, size_bytes, MSG_NOSIGNAL);
		if (n < 0) {
			cr_assert(errno == EAGAIN || errno == EPIPE || errno == ECONNRESET);
			if (errno != EAGAIN)
				return;
			nodes_turn();
			continue;
		}
		at += n;
		size_bytes -= (size_t)n;
	}
}

/* False at the end. */
static bool peer_read(int fd, uint8_t *bytes, size_t size_bytes)
{
	size_t have = 0;
	uint64_t begin_us = nodes_now_us();

	while (have < size_bytes) {
		ssize_t n = recv(fd, bytes + have, size_bytes - have, 0);
		if (n == 0 || (n < 0 && errno == ECONNRESET))
			return false;
		if (n < 0) {
			cr_assert_eq(errno, EAGAIN, "%s", strerror(errno));
			cr_assert_lt(nodes_now_us() - begin_us, 10000000, "nothing to read");
			nodes_turn();
			continue;
		}
		have += (size_t)n;
	}
	return true;
}

bool peer_read_frame(int fd, struct frame_header *ret_header, uint8_t *body, size_t body_max_bytes)
{
	uint8_t bytes[FRAME_HEADER_SIZE];

	if (!peer_read(fd, bytes, sizeof(bytes)))
		return false;
	cr_assert_eq(frame_header_read(bytes, ret_header), 0);
	cr_assert_leq(ret_header->body_size_bytes, body_max_bytes);
	cr_assert(peer_read(fd, body, ret_header->body_size_bytes));
	cr_assert_eq(frame_body_check(ret_header, body), 0);
	return true;
}

bool peer_is_at_end(int fd)
{
	uint8_t byte;
	return !peer_read(fd, &byte, 1);
}

void peer_send(int fd, const struct frame_header *header, const void *body)
{
	peer_write(fd, header, FRAME_HEADER_SIZE);
	peer_write(fd, body, header->body_size_bytes);
}

struct frame_header request_header(uint8_t type, uint64_t request_id)
{
	return (struct frame_header){
		.type = type,
		.route = FRAME_ROUTE_ROUTER,
		.cluster = NODE_CLUSTER,
		.request_id = request_id,
		.remaining_us = 1000000,
	};
}

void peer_hello(int fd)
{
	struct frame_header header = request_header(FRAME_HELLO, 0);

	frame_seal(&header, NULL, 0);
	peer_send(fd, &header, NULL);
}

void header_sum_again(struct frame_header *header)
{
	header->header_sum = 0;
	header->header_sum = (uint32_t)hash_64(header, sizeof(*header));
}
