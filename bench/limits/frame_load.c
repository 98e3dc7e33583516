/*
 * Frames through a router, or straight to a shard, as fast as they are answered: connections x
 * depth in flight, hotels drawn at random, bodies of a given size that nobody reads.
 *
 * usage: frame-load ADDR CLUSTER CONNECTIONS DEPTH SECONDS [BODY_BYTES]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/io/io.h"
#include "base/rng.h"
#include "proto/conn.h"
#include "proto/keyrack.pb-c.h"

struct load {
	struct io_loop *loop;
	struct conn_set *set;
	struct io_address address;
	uint64_t cluster;
	uint32_t connection_count, depth, body_size_bytes;
	uint64_t body_sum;
	uint64_t duration_us, begin_us;
	struct rng rng;
	uint32_t greeted_count;
	uint64_t next_id, answered, not_done;
	uint64_t wait_sum_us; /* of one in 64 answers */
	uint64_t wait_count;
	struct io_timer end;
	uint8_t body[FRAME_BODY_SIZE_MAX];
};

static struct load load;

static void send_frame(struct conn_id id, const struct frame_header *header, const void *body)
{
	int r = conn_send(load.set, id, header, body);
	if (r != 0)
		fprintf(stderr, "frame-load: a connection is gone\n"), exit(1);
}

/* One in 64 requests carries the time it was made in its id's upper half. */
static void ask(struct conn_id id)
{
	uint64_t number = ++load.next_id;
	struct frame_header header = {
		.type = FRAME_BOOK,
		.route = FRAME_ROUTE_HOTEL,
		.cluster = load.cluster,
		.routing_key = rng_next(&load.rng),
		.request_id = number & 0xffffffff,
		.remaining_us = 10000000,
		.body_size_bytes = load.body_size_bytes,
		.body_sum = load.body_sum,
	};

	if (number % 64 == 0)
		header.request_id |= (io_clock_boot_us(load.loop) & 0xffffffff) << 32;
	frame_header_seal(&header);
	send_frame(id, &header, load.body);
}

static void on_open(void *context, struct conn_id id)
{
	Keyrack__HelloRequest hello = KEYRACK__HELLO_REQUEST__INIT;
	struct frame_header header = {
		.type = FRAME_HELLO, .route = FRAME_ROUTE_ROUTER, .remaining_us = 10000000};
	uint8_t body[16];

	hello.version = FRAME_VERSION;
	kr_assert(keyrack__hello_request__get_packed_size(&hello) <= sizeof(body));
	frame_seal(&header, body, keyrack__hello_request__pack(&hello, body));
	send_frame(id, &header, body);
}

static void on_end(struct io_timer *timer)
{
	io_loop_stop(load.loop);
}

static void on_frame(
	void *context, struct conn_id id, const struct frame_header *header, const uint8_t *body)
{
	if (header->type == FRAME_HELLO) {
		if (++load.greeted_count == load.connection_count) {
			load.begin_us = io_clock_boot_us(load.loop);
			io_timer_start(load.loop, &load.end, load.begin_us + load.duration_us);
		}
		for (uint32_t i = 0; i < load.depth; i++)
			ask(id);
		return;
	}
	load.answered++;
	load.not_done += header->status != KEYRACK_DONE;
	if (header->request_id >> 32 != 0) {
		load.wait_sum_us += (uint32_t)io_clock_boot_us(load.loop) -
				    (uint32_t)(header->request_id >> 32);
		load.wait_count++;
	}
	ask(id);
}

static void on_close(void *context, struct conn_id id, enum conn_reason reason, unsigned code)
{
	fprintf(stderr, "frame-load: %s %s\n", conn_reason_text(reason),
		code != 0 ? code_name(code) : "");
	exit(1);
}

static void on_turn(struct io_loop *loop, void *context)
{
	conn_set_turn(load.set);
}

static int run(void)
{
	struct conn_handler handler = {&load, on_open, on_frame, NULL, on_close};
	struct conn_config config = {
		.dial_max_count = load.connection_count,
		.body_size_max_bytes = FRAME_BODY_SIZE_MAX,
		.queue_size_max_bytes = 64u << 20,
		.dial_queue_size_max_bytes = 64u << 20,
		.pool_size_bytes = 256u << 20,
	};
	struct io_config io_config;
	struct kr_error_text text = {0};
	struct conn_id id;

	io_config_default(&io_config);
	int r = io_loop_new(&io_config, &load.loop, &text);
	if (r == 0)
		r = conn_set_new(load.loop, &config, &handler, &load.set, &text);
	if (r == 0) {
		io_loop_set_turn(load.loop, on_turn, NULL);
		io_timer_init(&load.end, on_end, NULL);
	}
	for (uint32_t i = 0; r == 0 && i < load.connection_count; i++)
		r = conn_set_dial(load.set, &load.address, &id);
	if (r == 0)
		r = io_loop_run(load.loop);
	if (r < 0)
		fprintf(stderr, "frame-load: %s %s\n", kr_error_sentence(r), text.bytes);
	return r;
}

static void report(void)
{
	double seconds = (double)(io_clock_boot_us(load.loop) - load.begin_us) / 1e6;
	struct rusage usage;

	kr_assert(getrusage(RUSAGE_SELF, &usage) == 0);
	double cpu_us = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
			(double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
	printf("%u x %u: %.0f answers/s, mean wait %.1f us, %llu not done, own CPU %.3f us each\n",
		load.connection_count, load.depth, (double)load.answered / seconds,
		load.wait_count == 0 ? 0.0 : (double)load.wait_sum_us / (double)load.wait_count,
		(unsigned long long)load.not_done, cpu_us / (double)load.answered);
}

int main(int argc, char **argv)
{
	if (argc < 6 || io_address_parse(argv[1], strlen(argv[1]), &load.address) != 0) {
		fprintf(stderr,
			"usage: frame-load ADDR CLUSTER CONNECTIONS DEPTH SECONDS [BODY_BYTES]\n");
		return 2;
	}
	load.cluster = strtoull(argv[2], NULL, 0);
	load.connection_count = (uint32_t)strtoul(argv[3], NULL, 10);
	load.depth = (uint32_t)strtoul(argv[4], NULL, 10);
	load.duration_us = (uint64_t)(strtod(argv[5], NULL) * 1e6);
	load.body_size_bytes = argc > 6 ? (uint32_t)strtoul(argv[6], NULL, 10) : 43;
	kr_assert(load.body_size_bytes <= sizeof(load.body));
	struct frame_header header = {.type = FRAME_BOOK, .route = FRAME_ROUTE_HOTEL};
	frame_seal(&header, load.body, load.body_size_bytes);
	load.body_sum = header.body_sum;
	rng_init(&load.rng, 1);
	if (run() < 0)
		return 1;
	report();
	return 0;
}
