#include "tests/unit/client/core_world.h"

struct world *world_new(void (*adjust)(struct client_core_config *))
{
	struct world *w = calloc(1, sizeof(*w));
	struct client_core_config *config = &w->config;
	*config = (struct client_core_config){
		.call_count_max = 64,
		.router_count = 1,
		.connect_timeout_us = WORLD_SECOND,
		.silence_us = 10 * WORLD_SECOND,
		.retry_first_us = 5000,
		.retry_max_us = 500000,
		.retry_budget = 128,
		.tries_max = 100,
		.agent = "world/1",
		.seed = 1,
		.in_size_bytes = CLIENT_BUFFER_SIZE_MIN,
		.out_size_bytes = CLIENT_BUFFER_SIZE_MIN,
	};
	if (adjust != NULL)
		adjust(config);
	config->calls = calloc(config->call_count_max, sizeof(*config->calls));
	config->heap_handles = calloc(config->call_count_max, sizeof(uint32_t));
	config->in_bytes = malloc(config->in_size_bytes);
	config->out_bytes = malloc(config->out_size_bytes);
	w->now_us = 1000 * WORLD_SECOND;
	w->window = 1000;
	client_core_init(&w->core, config);
	return w;
}

void world_free(struct world *w)
{
	free(w->config.calls);
	free(w->config.heap_handles);
	free(w->config.in_bytes);
	free(w->config.out_bytes);
	free(w);
}

uint32_t world_submit(struct world *w, uint8_t retry, uint64_t deadline_us)
{
	static const uint8_t numbers[WORLD_ENDS_MAX];
	uint32_t call = client_core_take(&w->core);
	cr_assert_neq(call, CLIENT_NOWHERE);
	struct client_request request = {
		.type = FRAME_BOOK,
		.route = FRAME_ROUTE_HOTEL,
		.routing_key = w->call_count, /* carries the number */
		.retry = retry,
		.body = numbers,
		.body_size_bytes = 40,
		.deadline_us = deadline_us,
	};
	client_core_submit(&w->core, call, &request, w->now_us);
	w->calls[w->call_count] = call;
	return w->call_count++;
}

void world_pass(struct world *w, uint64_t us)
{
	w->now_us += us;
}

/* Splits what was sent into frames; what is cut stays for the next time. */
static void world_split(struct world *w, const uint8_t *bytes, size_t size_bytes)
{
	cr_assert_leq(w->partial_size + size_bytes, sizeof(w->partial));
	memcpy(w->partial + w->partial_size, bytes, size_bytes);
	w->partial_size += size_bytes;
	size_t at = 0;
	while (w->partial_size - at >= FRAME_HEADER_SIZE) {
		struct frame_header header;
		cr_assert_eq(frame_header_read(w->partial + at, &header), 0);
		size_t frame_size = FRAME_HEADER_SIZE + header.body_size_bytes;
		if (w->partial_size - at < frame_size)
			break;
		cr_assert_eq(frame_body_check(&header, w->partial + at + FRAME_HEADER_SIZE), 0);
		cr_assert_gt(header.remaining_us, 0);
		cr_assert_eq(header.status, 0);
		cr_assert_lt(w->frame_first + w->frame_count, WORLD_FRAMES_MAX);
		w->frames[w->frame_first + w->frame_count++] = header;
		at += frame_size;
	}
	memmove(w->partial, w->partial + at, w->partial_size - at);
	w->partial_size -= at;
}

void world_run_sending(struct world *w, size_t size_bytes)
{
	client_core_tick(&w->core, w->now_us);
	while (client_core_next(&w->core, w->now_us, &w->ends[w->end_count]))
		w->end_count++;
	if (!w->is_open)
		return;
	for (;;) {
		size_t left;
		const void *bytes = client_core_out(&w->core, w->now_us, &left);
		left = KR_MIN(KR_MIN(left, size_bytes), 1024u);
		if (left == 0)
			return;
		world_split(w, bytes, left);
		client_core_out_sent(&w->core, left);
		size_bytes -= left;
	}
}

void world_run(struct world *w)
{
	world_run_sending(w, SIZE_MAX);
}

void world_connect(struct world *w)
{
	enum client_action action = client_core_action(&w->core, w->now_us);
	if (action == CLIENT_DO_CLOSE)
		action = client_core_action(&w->core, w->now_us);
	cr_assert_eq(action, CLIENT_DO_CONNECT);
	w->dials[w->core.router]++;
	w->is_open = true;
	w->partial_size = 0;
	w->frame_first = w->frame_count = 0;
	client_core_connected(&w->core, w->now_us);
	world_run(w);
}

void world_answer_hello(struct world *w)
{
	uint8_t body[256];
	struct frame_header hello = world_take(w);
	cr_assert_eq(hello.type, FRAME_HELLO);
	cr_assert_eq(hello.route, FRAME_ROUTE_ROUTER);
	Keyrack__HelloAnswer answer = KEYRACK__HELLO_ANSWER__INIT;
	answer.version = FRAME_VERSION;
	answer.cluster = WORLD_CLUSTER;
	answer.window = w->window;
	answer.shard_count = 2;
	answer.map_epoch = 1;
	size_t size = keyrack__hello_answer__pack(&answer, body);
	struct frame_header header = {.type = FRAME_HELLO,
		.route = FRAME_ROUTE_ROUTER,
		.flags = FRAME_FLAG_ANSWER,
		.cluster = WORLD_CLUSTER,
		.request_id = hello.request_id,
		.status = KEYRACK_DONE};
	world_feed(w, header, body, size);
	world_run(w);
}

void world_up(struct world *w)
{
	world_connect(w);
	world_answer_hello(w);
	cr_assert_eq(w->core.state, CLIENT_UP);
}

void world_lose(struct world *w)
{
	w->is_open = false;
	client_core_disconnected(&w->core, w->now_us);
	world_run(w);
}

struct frame_header world_take(struct world *w)
{
	cr_assert_gt(w->frame_count, 0, "nothing was sent");
	w->frame_count--;
	return w->frames[w->frame_first++];
}

void world_feed_bytes(struct world *w, const void *bytes, size_t size_bytes)
{
	size_t space;
	void *at = client_core_in_space(&w->core, &space);
	cr_assert_leq(size_bytes, space);
	memcpy(at, bytes, size_bytes);
	client_core_in_add(&w->core, size_bytes, w->now_us);
}

void world_feed(struct world *w, struct frame_header header, const void *body, size_t size_bytes)
{
	frame_seal(&header, body, size_bytes);
	world_feed_bytes(w, &header, sizeof(header));
	if (size_bytes > 0)
		world_feed_bytes(w, body, size_bytes);
}

void world_answer(struct world *w, const struct frame_header *request, uint16_t code)
{
	struct frame_header header = {.type = request->type,
		.route = request->route,
		.flags = FRAME_FLAG_ANSWER,
		.cluster = WORLD_CLUSTER,
		.routing_key = request->routing_key,
		.request_id = request->request_id,
		.map_epoch = 9,
		.status = code};
	world_feed(w, header, NULL, 0);
	world_run(w);
}

struct client_end world_ended(struct world *w)
{
	cr_assert_eq(w->end_count, 1, "%u calls have ended", w->end_count);
	w->end_count = 0;
	return w->ends[0];
}

uint32_t world_number(const struct world *w, const struct frame_header *header)
{
	cr_assert_eq(header->type, FRAME_BOOK);
	cr_assert_lt(header->routing_key, w->call_count);
	return (uint32_t)header->routing_key;
}
