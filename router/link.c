#include "router/router_priv.h"

#include "proto/keyrack.pb-c.h"
#include "proto/message.h"

uint64_t router_backoff_us(uint32_t failure_count)
{
	uint32_t doublings = KR_MIN(failure_count, 10u);
	uint64_t backoff_us = ROUTER_BACKOFF_FIRST_US << doublings;

	kr_assert(backoff_us >= ROUTER_BACKOFF_FIRST_US);
	return KR_MIN(backoff_us, ROUTER_BACKOFF_MAX_US);
}

static void link_set_timer(struct router_link *link, uint64_t delay_us)
{
	uint64_t now_us = router_now_us(link->router);

	kr_assert(link->state != LINK_DIALLING);
	io_timer_start(link->router->loop, &link->timer, now_us + delay_us);
}

static struct kr_note link_event(const struct router_link *link, enum kr_event event)
{
	kr_assert(link->shard < link->router->config.shard_count);
	return (struct kr_note){.event = event, .has_shard = true, .shard = link->shard};
}

/* An operator is told once that a link is down, with the first reason, and once that it is up. */
static void link_note_down(struct router_link *link, const char *reason)
{
	char address[IO_ADDRESS_TEXT_SIZE];

	kr_assert(link->shard < link->router->config.shard_count);
	if (link->is_noted || link->router->state != ROUTER_SERVING)
		return;
	link->is_noted = true;
	io_address_format(&link->router->config.shards[link->shard], address);
	router_note(link->router, link_event(link, KR_EVENT_LINK_DOWN),
		"the link to shard %u at %s is down: %s; its requests wait", link->shard, address,
		reason);
}

static void link_rest(struct router_link *link)
{
	kr_assert(link->state != LINK_UP);
	link->state = LINK_RESTING;
	link->conn = (struct conn_id){0};
	if (link->router->state == ROUTER_SERVING)
		link_set_timer(link, router_backoff_us(link->failure_count++));
}

void link_dial(struct router_link *link)
{
	struct router *router = link->router;
	const struct io_address *address = &router->config.shards[link->shard];

	kr_assert(link->state == LINK_RESTING);
	int r = conn_set_dial(router->set, address, &link->conn);
	if (r == 0) {
		link->state = LINK_DIALLING;
		return;
	}
	/* CONN_FULL: the connection that was lost before is still being closed. */
	if (r < 0)
		link_note_down(link, kr_error_sentence(r));
	link_rest(link);
}

void link_wake(struct router_link *link)
{
	kr_assert(link->router->state == ROUTER_SERVING);
	if (link->state != LINK_RESTING)
		return;
	io_timer_stop(link->router->loop, &link->timer);
	link->failure_count = 0;
	link_dial(link);
}

/* A frame of the router's own to the shard: no flight's, so a PING has `via` 0. */
static void link_send(struct router_link *link, uint8_t type, const void *body, size_t size_bytes)
{
	struct router *router = link->router;
	bool is_hello = type == FRAME_HELLO;
	struct frame_header header = {
		.type = type,
		.request_id = is_hello ? ++link->hello_count : 0,
		.route = FRAME_ROUTE_SHARD,
		.cluster = router->config.cluster,
		.routing_key = link->shard,
		.remaining_us = (uint32_t)ROUTER_GREETING_US,
		.via = is_hello ? router->mark : 0,
	};

	kr_assert(is_hello || type == FRAME_PING);
	frame_seal(&header, body, size_bytes);
	/* A connection that is gone or full says so by on_close. */
	int r = conn_send(router->set, link->conn, &header, body);
	kr_assert(r == 0 || r == CONN_GONE || r == CONN_CUT);
}

void link_on_open(struct router_link *link)
{
	Keyrack__HelloRequest hello = KEYRACK__HELLO_REQUEST__INIT;
	uint8_t body[128];
	char agent[] = "keyrack-router " KEYRACK_VERSION;

	kr_assert(link->state == LINK_DIALLING);
	link->state = LINK_GREETING;
	hello.version = FRAME_VERSION;
	hello.agent = agent;
	size_t size_bytes = keyrack__hello_request__get_packed_size(&hello);
	kr_assert(size_bytes <= sizeof(body));
	keyrack__hello_request__pack(&hello, body);
	link_send(link, FRAME_HELLO, body, size_bytes);
	link_set_timer(link, ROUTER_GREETING_US);
}

/* NULL when the shard is the one that was meant, else what is wrong. */
static const char *hello_judge(const struct router_link *link, const struct frame_header *header,
	const Keyrack__HelloAnswer *hello)
{
	const struct router *router = link->router;
	const struct slot_map *map = route_map(router->route);

	kr_assert(router->config.cluster != 0);
	if (header->status != KEYRACK_DONE)
		return code_text(header->status);
	if (hello->cluster != router->config.cluster)
		return "it is of another cluster";
	if (hello->shard == 0)
		return "that is a router, not a shard";
	if (hello->shard != link->shard + 1)
		return "another shard answers there: are the --shard options in order?";
	if (hello->shard_count != 0 && hello->shard_count != map->shard_count)
		return "its cluster has another number of shards";
	if (hello->map_epoch != 0 && hello->map_epoch != map->epoch)
		return "it goes by another slot map";
	return NULL;
}

static void link_up(struct router_link *link, uint32_t window)
{
	struct router *router = link->router;
	struct route_event event = {
		.kind = ROUTE_EVENT_LINK_UP, .shard = link->shard, .window = window};

	kr_assert(link->state == LINK_GREETING);
	link->state = LINK_UP;
	link->failure_count = 0;
	link->is_noted = false;
	router_note(router, link_event(link, KR_EVENT_LINK_UP), "the link to shard %u is up",
		link->shard);
	link_set_timer(link, ROUTER_PING_US);
	router_feed(router, &event);
}

static void link_on_hello(
	struct router_link *link, const struct frame_header *header, const uint8_t *body)
{
	struct router *router = link->router;
	ProtobufCMessage *message;
	const char *fault = "its HELLO cannot be read";
	uint32_t window = 0;

	kr_assert(link->state == LINK_GREETING);
	pb_arena_reset(&router->requests);
	if (frame_body_check(header, body) == 0 &&
		message_unpack(&keyrack__hello_answer__descriptor, body, header->body_size_bytes,
			&router->requests, &message) == 0) {
		const Keyrack__HelloAnswer *hello = (const void *)message;
		fault = hello_judge(link, header, hello);
		window = hello->window;
	}
	if (fault == NULL) {
		link_up(link, window);
		return;
	}
	link_note_down(link, fault);
	conn_close(router->set, link->conn, false);
}

void link_on_frame(struct router_link *link, const struct frame_header *header, const uint8_t *body)
{
	struct route_event event = {
		.kind = ROUTE_EVENT_LINK_FRAME,
		.shard = link->shard,
		.header = header,
		.body = body,
	};

	link->heard_at_us = router_now_us(link->router);
	if (KR_LIKELY(link->state == LINK_UP)) {
		/* Its answer to a PING of ours: hearing it was all that was wanted. */
		if (header->via == 0 && header->type == FRAME_PING)
			return;
		router_feed(link->router, &event);
		return;
	}
	/* frames before the answer to HELLO do not get this far */
	kr_assert(header->type == FRAME_HELLO);
	link_on_hello(link, header, body);
}

void link_on_close(struct router_link *link, enum conn_reason reason, unsigned code)
{
	struct route_event event = {.kind = ROUTE_EVENT_LINK_DOWN, .shard = link->shard};
	bool was_up = link->state == LINK_UP;
	const char *why = code != 0 ? code_text(code) : conn_reason_text(reason);

	kr_assert(link->state != LINK_RESTING);
	if (link->state == LINK_DIALLING && code == 0)
		why = "nobody answers there";
	link->state = LINK_RESTING;
	io_timer_stop(link->router->loop, &link->timer);
	link_note_down(link, why);
	if (was_up)
		router_feed(link->router, &event);
	link_rest(link);
}

void link_stop(struct router_link *link)
{
	kr_assert(link->router->state != ROUTER_SERVING);
	io_timer_stop(link->router->loop, &link->timer);
}

static void link_listen_for(struct router_link *link)
{
	uint64_t silence_us = router_now_us(link->router) - link->heard_at_us;

	kr_assert(link->state == LINK_UP);
	if (silence_us >= ROUTER_SILENCE_US) {
		link_note_down(link, "it has fallen silent");
		conn_close(link->router->set, link->conn, false);
		return;
	}
	if (silence_us >= ROUTER_PING_US)
		link_send(link, FRAME_PING, NULL, 0);
	link_set_timer(link, ROUTER_PING_US);
}

static void link_on_due(struct io_timer *timer)
{
	struct router_link *link = timer->context;

	switch (link->state) {
	case LINK_RESTING:
		link_dial(link);
		break;
	case LINK_GREETING:
		link_note_down(link, "it does not answer");
		conn_close(link->router->set, link->conn, false);
		break;
	case LINK_UP:
		link_listen_for(link);
		break;
	case LINK_DIALLING:
		kr_unreachable();
	}
}

void link_init(struct router *router, uint32_t shard)
{
	struct router_link *link = &router->links[shard];

	kr_assert(shard < router->config.shard_count);
	*link = (struct router_link){.router = router, .shard = shard, .state = LINK_RESTING};
	io_timer_init(&link->timer, link_on_due, link);
}
