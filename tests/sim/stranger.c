#include "tests/sim/stranger.h"

#include <string.h>

#include "base/io/io_stream.h"
#include "proto/frame.h"

#define STAY_US UINT64_C(3000000)
#define NOISE_SIZE_MAX 4096u
#define QUESTIONS 200u
#define QUESTION_SIZE 1024u

static const enum cluster_mark manners[] = {CLUSTER_MARK_NOISE, CLUSTER_MARK_FRAME_CUT,
	CLUSTER_MARK_FRAME_FLIPPED, CLUSTER_MARK_STRANGER_DEAF};

/* One world at a time. */
static struct stranger {
	struct cluster *cluster;
	struct sim_node *node; /* NULL: never called */
	struct io_loop *loop;
	struct io_stream stream;
	struct io_timer leave;
	bool is_there, is_closing;
	enum cluster_mark manner;
	size_t size_bytes;
	uint8_t bytes[QUESTIONS * (FRAME_HEADER_SIZE + QUESTION_SIZE)];
} stranger;

static void go(struct stranger *s)
{
	if (!s->is_there || s->is_closing)
		return;
	s->is_closing = true;
	io_stream_close(&s->stream);
}

static size_t frame_put(uint8_t *to, uint8_t type, uint64_t number, size_t body_size_bytes)
{
	struct frame_header header = {.type = type,
		.route = FRAME_ROUTE_ROUTER,
		.cluster = CLUSTER_ID,
		.request_id = number,
		.remaining_us = 1000000};
	memset(to + sizeof(header), 'x', body_size_bytes);
	frame_seal(&header, to + sizeof(header), body_size_bytes);
	memcpy(to, &header, sizeof(header));
	return sizeof(header) + body_size_bytes;
}

static void bit_flip(uint8_t *bytes, uint64_t bit)
{
	kr_assert(bytes != NULL);
	bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
}

static void words_make(struct stranger *s)
{
	struct rng *rng = &s->cluster->rng_swarm;
	if (s->manner == CLUSTER_MARK_NOISE) {
		s->size_bytes = 1 + rng_below(rng, NOISE_SIZE_MAX);
		for (size_t i = 0; i < s->size_bytes; i++)
			s->bytes[i] = (uint8_t)rng_next(rng);
		return;
	}
	s->size_bytes = frame_put(s->bytes, FRAME_HELLO, 1, 0);
	const uint64_t count = s->manner == CLUSTER_MARK_STRANGER_DEAF ? QUESTIONS - 1 : 3;
	for (uint64_t i = 0; i < count; i++)
		s->size_bytes +=
			frame_put(s->bytes + s->size_bytes, FRAME_PING, 2 + i, QUESTION_SIZE);
	if (s->manner == CLUSTER_MARK_FRAME_FLIPPED)
		bit_flip(s->bytes, rng_below(rng, 8 * (uint64_t)s->size_bytes));
	if (s->manner == CLUSTER_MARK_FRAME_CUT)
		s->size_bytes -= 1 + rng_below(rng, QUESTION_SIZE + FRAME_HEADER_SIZE - 1);
}

static void on_open(struct io_stream *stream, int result)
{
	struct stranger *s = stream->context;
	if (result != 0) {
		go(s);
		return;
	}
	if (s->manner == CLUSTER_MARK_STRANGER_DEAF)
		io_stream_receive_pause(stream);
	words_make(s);
	s->cluster->marks[s->manner]++;
	cluster_mark(s->cluster, CLUSTER_MARK_STRANGER);
	const struct iovec part = {s->bytes, s->size_bytes};
	io_stream_send(stream, &part, 1);
}

static void on_data(struct io_stream *stream, const uint8_t *bytes, size_t size_bytes)
{
	kr_assert(stream->context == &stranger);
	kr_assert(bytes != NULL && size_bytes > 0);
}

static void on_end(struct io_stream *stream, int result)
{
	struct stranger *s = stream->context;
	(void)result;
	go(s);
}

/* What was cut stays cut: it says that nothing more will come. */
static void on_sent(struct io_stream *stream, int result)
{
	struct stranger *s = stream->context;
	if (result != 0)
		go(s);
	else if (s->manner == CLUSTER_MARK_FRAME_CUT && !s->is_closing)
		io_stream_shutdown(stream);
}

static void on_closed(struct io_stream *stream)
{
	struct stranger *s = stream->context;
	s->is_there = s->is_closing = false;
	io_timer_stop(s->loop, &s->leave);
}

static void on_leave(struct io_timer *timer)
{
	go(timer->context);
}

static const struct io_stream_handler handler = {on_open, on_data, on_end, on_sent, on_closed};

static void move_in(struct cluster *c)
{
	struct io_config config;
	struct kr_error_text text = {0};
	stranger.cluster = c;
	stranger.node = sim_node_new(c->world, NULL, "stranger");
	sim_node_faults_enable(stranger.node, false);
	io_config_default(&config);
	config.environment = stranger.node;
	if (io_loop_new(&config, &stranger.loop, &text) != 0)
		cluster_fail(c, "stranger: %s", text.bytes);
	io_timer_init(&stranger.leave, on_leave, &stranger);
}

void stranger_call(struct cluster *c)
{
	struct stranger *s = &stranger;
	uint32_t door = (uint32_t)rng_below(&c->rng_swarm, c->router_count + c->shard_count);
	if (door >= c->router_count && !c->shards[door - c->router_count].is_ready)
		door = 0; /* who does not serve does not listen */
	if (s->node == NULL)
		move_in(c);
	if (s->is_there)
		return;
	const struct io_address to = door < c->router_count
					     ? cluster_router_address(door)
					     : cluster_shard_address(door - c->router_count);
	s->manner = manners[rng_below(&c->rng_swarm, KR_ARRAY_COUNT(manners))];
	io_stream_init(&s->stream, &handler, s);
	if (io_stream_connect(s->loop, &s->stream, &to) != 0)
		return;
	s->is_there = true;
	io_timer_start(s->loop, &s->leave, io_clock_boot_us(s->loop) + STAY_US);
}

void stranger_close(struct cluster *c)
{
	kr_assert(stranger.node == NULL || stranger.cluster == c);
	memset(&stranger, 0, sizeof(stranger));
}
