#include "tests/sim/caller.h"

#include <stdlib.h>
#include <string.h>

static void on_open(struct io_stream *stream, int result)
{
	struct caller *c = stream->context;
	const uint64_t now = io_clock_boot_us(c->loop);
	c->is_open = result == 0;
	if (c->is_open) {
		client_core_connected(&c->core, now);
	} else if (!c->is_closing) {
		c->is_closing = true;
		io_stream_close(stream);
		client_core_disconnected(&c->core, now);
	}
	caller_pump(c);
}

static void on_data(struct io_stream *stream, const uint8_t *bytes, size_t size)
{
	struct caller *c = stream->context;
	while (size > 0 && !c->is_closing) {
		size_t room;
		void *space = client_core_in_space(&c->core, &room);
		const size_t part = KR_MIN(room, size);
		memcpy(space, bytes, part);
		client_core_in_add(&c->core, part, io_clock_boot_us(c->loop));
		bytes += part;
		size -= part;
		caller_pump(c);
	}
}

static void lose(struct caller *c)
{
	if (c->is_closing)
		return;
	c->is_closing = true;
	c->is_open = false;
	io_stream_close(&c->stream);
}

static void on_stream_end(struct io_stream *stream, int result)
{
	struct caller *c = stream->context;
	(void)result;
	if (c->is_closing)
		return;
	lose(c);
	client_core_disconnected(&c->core, io_clock_boot_us(c->loop));
	caller_pump(c);
}

static void on_sent(struct io_stream *stream, int result)
{
	if (result != 0)
		on_stream_end(stream, result);
	else
		caller_pump(stream->context);
}

static void on_closed(struct io_stream *stream)
{
	struct caller *c = stream->context;
	c->is_streaming = c->is_closing = c->is_open = false;
	c->deaf_until_us = 0;
	caller_pump(c);
}

static const struct io_stream_handler handler = {
	on_open, on_data, on_stream_end, on_sent, on_closed};

static void act(struct caller *c, uint64_t now)
{
	/* A stream that is being closed has to be gone before the next one is made. */
	if (c->is_streaming && c->is_closing)
		return;
	const enum client_action action = client_core_action(&c->core, now);
	if (action == CLIENT_DO_CLOSE && c->is_streaming) {
		lose(c);
	} else if (action == CLIENT_DO_CONNECT) {
		const struct io_address to = c->is_booking ? cluster_booking_address(c->core.router)
							   : cluster_router_address(c->core.router);
		io_stream_init(&c->stream, &handler, c);
		c->is_streaming = true;
		if (io_stream_connect(c->loop, &c->stream, &to) != 0) {
			c->is_streaming = false;
			client_core_disconnected(&c->core, now);
		}
	}
}

static void send_some(struct caller *c, uint64_t now)
{
	size_t size;
	if (!c->is_open || c->is_closing || io_stream_is_sending(&c->stream))
		return;
	const void *bytes = client_core_out(&c->core, now, &size);
	size = KR_MIN(size, sizeof(c->out));
	if (size == 0)
		return;
	memcpy(c->out, bytes, size);
	client_core_out_sent(&c->core, size);
	const struct iovec part = {c->out, size};
	io_stream_send(&c->stream, &part, 1);
}

void caller_pump(struct caller *c)
{
	const uint64_t now = io_clock_boot_us(c->loop);
	struct client_end end;
	client_core_tick(&c->core, now);
	while (client_core_next(&c->core, now, &end))
		c->on_end(c->context, &end);
	act(c, now);
	send_some(c, now);
	const int64_t wait = client_core_timeout_us(&c->core, now);
	if (wait >= 0)
		io_timer_start(c->loop, &c->timer, now + (wait == 0 ? 1000 : (uint64_t)wait));
}

bool caller_half_close(struct caller *c)
{
	if (!c->is_open || c->is_closing || io_stream_is_sending(&c->stream))
		return false;
	c->is_open = false; /* for sending */
	io_stream_shutdown(&c->stream);
	return true;
}

static void hear_again(void *context)
{
	struct caller *c = context;
	if (c->deaf_until_us == 0 || sim_world_now_us(c->cluster->world) < c->deaf_until_us)
		return;
	c->deaf_until_us = 0;
	if (c->is_streaming && !c->is_closing)
		io_stream_receive_resume(&c->stream);
}

bool caller_deafen(struct caller *c, uint64_t span_us)
{
	if (!c->is_open || c->is_closing || c->deaf_until_us != 0)
		return false;
	c->deaf_until_us = sim_world_now_us(c->cluster->world) + span_us;
	io_stream_receive_pause(&c->stream);
	sim_world_call_at(c->cluster->world, c->deaf_until_us, hear_again, c);
	return true;
}

static void on_timer(struct io_timer *timer)
{
	caller_pump(timer->context);
}

void caller_init(struct caller *c, struct cluster *cluster, uint32_t number, uint32_t call_count)
{
	struct io_config config;
	struct kr_error_text text = {0};
	kr_assert(call_count <= CALLER_CALLS_MAX);
	kr_assert(c->on_end != NULL);
	c->cluster = cluster;
	c->node = sim_node_new(cluster->world, NULL, "client");
	sim_node_faults_enable(c->node, false);
	io_config_default(&config);
	config.environment = c->node;
	config.faults = cluster->client_faults;
	if (io_loop_new(&config, &c->loop, &text) != 0)
		cluster_fail(cluster, "client: %s", text.bytes);
	c->in_bytes = malloc(CLIENT_BUFFER_SIZE_MIN);
	c->out_bytes = malloc(CLIENT_BUFFER_SIZE_MIN);
	kr_assert(c->in_bytes != NULL && c->out_bytes != NULL);
	client_core_init(&c->core, &(struct client_core_config){
					   .call_count_max = call_count,
					   .router_count = cluster->router_count,
					   .connect_timeout_us = 1000000,
					   .silence_us = 1000000,
					   .retry_first_us = 5000,
					   .retry_max_us = 500000,
					   .retry_budget = 100000,
					   .tries_max = 1000,
					   .agent = "sim",
					   .seed = cluster->plan.seed * 31 + number,
					   .calls = c->calls,
					   .heap_handles = c->heap,
					   .in_bytes = c->in_bytes,
					   .out_bytes = c->out_bytes,
					   .in_size_bytes = CLIENT_BUFFER_SIZE_MIN,
					   .out_size_bytes = CLIENT_BUFFER_SIZE_MIN,
				   });
	io_timer_init(&c->timer, on_timer, c);
}

void caller_fini(struct caller *c)
{
	kr_assert(c->in_bytes != NULL && c->out_bytes != NULL);
	free(c->in_bytes);
	free(c->out_bytes);
	c->in_bytes = c->out_bytes = NULL;
}
