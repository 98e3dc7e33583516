#include "tests/unit/router/router_fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/text.h"
#include "proto/keyrack.pb-c.h"

uint64_t town_now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static struct io_loop *loop_new(void)
{
	struct io_config config;
	struct kr_error_text text = {0};
	struct io_loop *loop;

	io_config_default(&config);
	config.buffer_count = 64;
	cr_assert_eq(io_loop_new(&config, &loop, &text), 0, "%s", text.bytes);
	return loop;
}

/* ---- shards ---- */

static void on_open(void *context, struct conn_id id)
{
	struct stand_in *shard = context;
	shard->router = id;
}

static void answer(struct stand_in *shard, struct frame_header header, const void *body)
{
	header.flags = FRAME_FLAG_ANSWER;
	header.status = KEYRACK_DONE;
	header.remaining_us = 0;
	header.principal = 0;
	frame_header_seal(&header);
	cr_assert_eq(conn_send(shard->set, shard->router, &header, body), 0);
}

static void answer_hello(struct stand_in *shard, struct frame_header header)
{
	Keyrack__HelloAnswer hello = KEYRACK__HELLO_ANSWER__INIT;
	uint8_t body[128];

	cr_assert_eq(header.route, FRAME_ROUTE_SHARD);
	cr_assert_eq(header.routing_key, shard->number);
	cr_assert_eq(header.cluster, TOWN_CLUSTER);
	hello.version = FRAME_VERSION;
	hello.cluster = shard->hello_cluster;
	hello.shard = shard->hello_shard;
	hello.shard_count = shard->hello_shard_count;
	hello.map_epoch = 1;
	hello.window = 65536;
	size_t size_bytes = keyrack__hello_answer__pack(&hello, body);
	frame_seal(&header, body, size_bytes);
	answer(shard, header, body);
}

static void on_frame(
	void *context, struct conn_id id, const struct frame_header *header, const uint8_t *body)
{
	struct stand_in *shard = context;

	/* Whoever speaks: a router of another test may have dialled this port, which it knew. */
	shard->router = id;
	if (header->type == FRAME_HELLO) {
		if (!shard->hello_is_withheld)
			answer_hello(shard, *header);
		return;
	}
	if (header->type == FRAME_PING && header->via == 0) {
		shard->ping_count++;
		answer(shard, *header, body);
		return;
	}
	cr_assert_lt(shard->frame_count, SHARD_FRAME_MAX);
	shard->frames[shard->frame_count++] = *header;
	if (!shard->is_silent)
		answer(shard, *header, body);
}

void shard_answer_all(struct stand_in *shard)
{
	for (uint32_t i = 0; i < shard->frame_count; i++) {
		struct frame_header header = shard->frames[i];
		frame_seal(&header, NULL, 0);
		answer(shard, header, NULL);
	}
	conn_set_turn(shard->set);
}

static void on_close(void *context, struct conn_id id, enum conn_reason reason, unsigned code)
{
	struct stand_in *shard = context;
	if (id.index == shard->router.index && id.generation == shard->router.generation)
		shard->router = (struct conn_id){0};
}

static void on_turn(struct io_loop *loop, void *context)
{
	struct stand_in *shard = context;
	conn_set_turn(shard->set);
}

void shard_begin(struct stand_in *shard)
{
	struct conn_handler handler = {shard, on_open, on_frame, NULL, on_close};
	struct conn_config config = {
		.cluster = TOWN_CLUSTER,
		.accept_max_count = 8,
		.body_size_max_bytes = FRAME_BODY_SIZE_MAX,
		.queue_size_max_bytes = 32u << 20,
		.pool_size_bytes = 64u << 20,
		.body_check = true,
		.from_routers = true,
	};
	struct kr_error_text text = {0};

	shard->loop = loop_new();
	shard->frame_count = 0;
	cr_assert_eq(conn_set_new(shard->loop, &config, &handler, &shard->set, &text), 0);
	io_loop_set_turn(shard->loop, on_turn, shard);
	cr_assert_eq(conn_set_listen(shard->set, &shard->address, &text), 0, "%s", text.bytes);
	shard->address = *conn_set_listen_address(shard->set, 0);
}

void shard_end(struct stand_in *shard)
{
	conn_set_stop(shard->set);
	while (!conn_set_is_stopped(shard->set))
		cr_assert_eq(io_loop_tick(shard->loop, 1000), 0);
	shard->set = conn_set_free(shard->set);
	shard->loop = io_loop_free(shard->loop);
}

/* ---- the town ---- */

static void on_note(void *context, const struct kr_note *note)
{
	const char *sentence = note->sentence;
	struct town *town = context;
	size_t length = strlen(town->notes);

	cr_assert_lt(length + strlen(sentence) + 2, sizeof(town->notes));
	memcpy(town->notes + length, sentence, strlen(sentence));
	memcpy(town->notes + length + strlen(sentence), "\n", 2);
}

/* A port that is free now; a stand-in that starts later listens there. */
static struct io_address free_address(void)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	cr_assert_eq(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&in, &length), 0);
	close(fd);
	struct io_address address = {.kind = IO_ADDRESS_IP4, .port = ntohs(in.sin_port)};
	memcpy(address.bytes, &in.sin_addr, 4);
	return address;
}

void town_plan(struct town *town)
{
	memset(town, 0, sizeof(*town));
	router_config_default(&town->config);
	town->config.cluster = TOWN_CLUSTER;
	town->config.listen_count = 1;
	cr_assert_eq(io_address_parse("127.0.0.1:0", 11, &town->config.listen[0]), 0);
	town->config.shard_count = SHARDS;
	town->config.connection_max_count = 128;
	town->config.on_note = on_note;
	town->config.context = town;
	for (uint32_t i = 0; i < SHARDS; i++) {
		town->shards[i] = (struct stand_in){
			.number = i,
			.address = free_address(),
			.hello_cluster = TOWN_CLUSTER,
			.hello_shard = i + 1,
			.hello_shard_count = SHARDS,
		};
		town->config.shards[i] = town->shards[i].address;
	}
}

void town_begin(struct town *town)
{
	struct kr_error_text text = {0};

	town->loop = loop_new();
	cr_assert_eq(router_new(town->loop, &town->config, &town->router, &text), 0);
	cr_assert_eq(router_start(town->router, &text), 0, "%s", text.bytes);
}

void town_turn(struct town *town)
{
	if (town->loop != NULL)
		cr_assert_eq(io_loop_tick(town->loop, 1000), 0);
	for (uint32_t i = 0; i < SHARDS; i++) {
		if (town->shards[i].loop != NULL)
			cr_assert_eq(io_loop_tick(town->shards[i].loop, 1000), 0);
	}
}

void town_end(struct town *town)
{
	router_stop(town->router);
	town_until(town, router_is_stopped(town->router));
	town->router = router_free(town->router);
	town->loop = io_loop_free(town->loop);
	for (uint32_t i = 0; i < SHARDS; i++) {
		if (town->shards[i].loop != NULL)
			shard_end(&town->shards[i]);
	}
}

/* ---- clients ---- */

int client_connect(struct town *town)
{
	const struct io_address *address = router_listen_address(town->router, 0);
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(address->port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(&in.sin_addr, address->bytes, 4);
	cr_assert_eq(connect(fd, (struct sockaddr *)&in, sizeof(in)), 0, "%s", strerror(errno));
	cr_assert_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

struct frame_header client_request(uint8_t type, uint64_t request_id, uint32_t shard)
{
	return (struct frame_header){
		.type = type,
		.route = FRAME_ROUTE_SHARD,
		.cluster = TOWN_CLUSTER,
		.routing_key = shard,
		.request_id = request_id,
		.remaining_us = 5000000,
	};
}

void client_send(int fd, struct frame_header header, const void *body, size_t size_bytes)
{
	frame_seal(&header, body, size_bytes);
	cr_assert_eq(send(fd, &header, sizeof(header), MSG_NOSIGNAL), sizeof(header));
	if (size_bytes > 0)
		cr_assert_eq(send(fd, body, size_bytes, MSG_NOSIGNAL), (ssize_t)size_bytes);
}

static bool read_bytes(struct town *town, int fd, void *bytes, size_t size_bytes)
{
	uint64_t begin_us = town_now_us();
	size_t have = 0;

	while (have < size_bytes) {
		ssize_t n = recv(fd, (uint8_t *)bytes + have, size_bytes - have, 0);
		if (n == 0 || (n < 0 && errno == ECONNRESET))
			return false;
		if (n > 0) {
			have += (size_t)n;
			continue;
		}
		cr_assert_eq(errno, EAGAIN, "%s", strerror(errno));
		cr_assert_lt(town_now_us() - begin_us, 10000000, "no answer; %s", town->notes);
		town_turn(town);
	}
	return true;
}

bool client_read(struct town *town, int fd, struct frame_header *ret_header, uint8_t *body,
	size_t body_max_bytes)
{
	uint8_t bytes[FRAME_HEADER_SIZE];

	if (!read_bytes(town, fd, bytes, sizeof(bytes)))
		return false;
	cr_assert_eq(frame_header_read(bytes, ret_header), 0);
	cr_assert_leq(ret_header->body_size_bytes, body_max_bytes);
	cr_assert(read_bytes(town, fd, body, ret_header->body_size_bytes));
	cr_assert_eq(frame_body_check(ret_header, body), 0);
	cr_assert_eq(ret_header->via, 0);
	cr_assert_eq(ret_header->principal, 0);
	return true;
}

void client_expect(struct town *town, int fd, uint64_t request_id, unsigned code)
{
	static uint8_t body[FRAME_BODY_SIZE_MAX];
	struct frame_header header;

	cr_assert(client_read(town, fd, &header, body, sizeof(body)), "closed; %s", town->notes);
	cr_assert_eq(header.request_id, request_id);
	cr_assert_eq(header.status, code, "%s instead of %s; %s", code_name(header.status),
		code_name(code), town->notes);
}

void client_expect_nothing(struct town *town, int fd)
{
	uint8_t byte;
	uint64_t end_us = town_now_us() + 50000;

	while (town_now_us() < end_us)
		town_turn(town);
	cr_assert_eq(recv(fd, &byte, 1, 0), -1);
	cr_assert_eq(errno, EAGAIN);
}

int client_begin(struct town *town)
{
	int fd = client_connect(town);
	struct frame_header header = client_request(FRAME_HELLO, 1, 0);
	Keyrack__HelloRequest hello = KEYRACK__HELLO_REQUEST__INIT;
	char agent[] = "test\n1";
	uint8_t body[64];

	hello.version = FRAME_VERSION;
	hello.agent = agent;
	header.route = FRAME_ROUTE_ROUTER;
	client_send(fd, header, body, keyrack__hello_request__pack(&hello, body));
	client_expect(town, fd, 1, KEYRACK_DONE);
	return fd;
}
