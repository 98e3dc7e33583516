/*
 * A shard that decides nothing: HELLO gets its answer, everything else DONE and a body of a given
 * size. What a router can forward shows in front of it.
 *
 * usage: null-shard ADDR CLUSTER NUMBER COUNT [ANSWER_BYTES]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/io/io.h"
#include "proto/conn.h"
#include "proto/keyrack.pb-c.h"

struct null_shard {
	struct io_loop *loop;
	struct conn_set *set;
	uint64_t cluster;
	uint32_t number, count;
	uint32_t answer_size_bytes;
	uint64_t answer_sum;
	uint8_t body[FRAME_BODY_SIZE_MAX];
};

static void send_answer(struct null_shard *shard, struct conn_id id,
	const struct frame_header *header, const void *body)
{
	/* A router that went away or reads nothing is told of by on_close. */
	int r = conn_send(shard->set, id, header, body);
	kr_assert(r >= 0);
}

static void answer_hello(
	struct null_shard *shard, struct conn_id id, const struct frame_header *request)
{
	Keyrack__HelloAnswer hello = KEYRACK__HELLO_ANSWER__INIT;
	struct frame_header header = *request;
	uint8_t body[128];

	hello.version = FRAME_VERSION;
	hello.cluster = shard->cluster;
	hello.window = 1u << 20;
	hello.body_size_max = FRAME_BODY_SIZE_MAX;
	hello.shard_count = shard->count;
	hello.shard = shard->number + 1;
	header.flags = FRAME_FLAG_ANSWER;
	header.cluster = shard->cluster;
	header.status = KEYRACK_DONE;
	header.remaining_us = 0;
	kr_assert(keyrack__hello_answer__get_packed_size(&hello) <= sizeof(body));
	frame_seal(&header, body, keyrack__hello_answer__pack(&hello, body));
	send_answer(shard, id, &header, body);
}

static void on_open(void *context, struct conn_id id)
{
	kr_assert(id.generation != 0);
}

static void on_frame(
	void *context, struct conn_id id, const struct frame_header *request, const uint8_t *body)
{
	struct null_shard *shard = context;
	struct frame_header header = *request;

	if (request->type == FRAME_HELLO) {
		answer_hello(shard, id, request);
		return;
	}
	header.flags = FRAME_FLAG_ANSWER;
	header.status = KEYRACK_DONE;
	header.remaining_us = 0;
	header.principal = 0;
	header.body_size_bytes = shard->answer_size_bytes;
	header.body_sum = shard->answer_sum;
	frame_header_seal(&header);
	send_answer(shard, id, &header, shard->body);
}

static void on_close(void *context, struct conn_id id, enum conn_reason reason, unsigned code)
{
	fprintf(stderr, "null-shard: %s %s\n", conn_reason_text(reason),
		code != 0 ? code_name(code) : "");
}

static void on_turn(struct io_loop *loop, void *context)
{
	struct null_shard *shard = context;
	conn_set_turn(shard->set);
}

static void on_signal(struct io_loop *loop, int number, void *context)
{
	io_loop_stop(loop);
}

static int serve(struct null_shard *shard, const struct io_address *address)
{
	struct conn_handler handler = {shard, on_open, on_frame, NULL, on_close};
	struct conn_config config = {
		.cluster = shard->cluster,
		.accept_max_count = 128,
		.body_size_max_bytes = FRAME_BODY_SIZE_MAX,
		.queue_size_max_bytes = 64u << 20,
		.pool_size_bytes = 128u << 20,
		.body_check = true,
		/* Requests carry the principal and the number a router gave them. */
		.from_routers = true,
	};
	struct io_config io_config;
	struct kr_error_text text = {0};

	io_config_default(&io_config);
	int r = io_loop_new(&io_config, &shard->loop, &text);
	if (r == 0)
		r = io_signal_watch(shard->loop, on_signal, NULL, &text);
	if (r == 0)
		r = conn_set_new(shard->loop, &config, &handler, &shard->set, &text);
	if (r == 0) {
		io_loop_set_turn(shard->loop, on_turn, shard);
		r = conn_set_listen(shard->set, address, &text);
	}
	if (r == 0)
		r = io_loop_run(shard->loop);
	if (r < 0)
		fprintf(stderr, "null-shard: %s %s\n", kr_error_sentence(r), text.bytes);
	return r;
}

int main(int argc, char **argv)
{
	static struct null_shard shard;
	struct io_address address;

	if (argc < 5 || io_address_parse(argv[1], strlen(argv[1]), &address) != 0) {
		fprintf(stderr, "usage: null-shard ADDR CLUSTER NUMBER COUNT [ANSWER_BYTES]\n");
		return 2;
	}
	shard.cluster = strtoull(argv[2], NULL, 0);
	shard.number = (uint32_t)strtoul(argv[3], NULL, 10);
	shard.count = (uint32_t)strtoul(argv[4], NULL, 10);
	shard.answer_size_bytes = argc > 5 ? (uint32_t)strtoul(argv[5], NULL, 10) : 38;
	kr_assert(shard.answer_size_bytes <= sizeof(shard.body));
	struct frame_header header = {.type = FRAME_BOOK, .route = FRAME_ROUTE_SHARD};
	frame_seal(&header, shard.body, shard.answer_size_bytes);
	shard.answer_sum = header.body_sum;
	return serve(&shard, &address) < 0;
}
