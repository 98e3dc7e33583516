#include "router/router_priv.h"

#include <stdarg.h>

#define PAGE_SIZE_BYTES 4096u
#define DRAIN_LOOK_US UINT64_C(100000)
#define CLOSING_US UINT64_C(2000000) /* for clients to hang up, after the drain */

void router_config_default(struct router_config *ret_config)
{
	kr_assert(ret_config != NULL);
	*ret_config = (struct router_config){
		.connection_max_count = ROUTER_CONNECTION_MAX_DEFAULT,
		.window = ROUTE_WINDOW_DEFAULT,
		.idle_timeout_us = ROUTER_IDLE_US_DEFAULT,
		.flight_max_count = ROUTE_FLIGHT_MAX_DEFAULT,
		.flight_size_max_bytes = ROUTE_FLIGHT_SIZE_DEFAULT,
		.wait_frame_max_count = ROUTE_WAIT_FRAME_MAX_DEFAULT,
		.wait_size_max_bytes = ROUTE_WAIT_SIZE_DEFAULT,
	};
	for (uint32_t i = 0; i < CONN_LISTEN_MAX; i++)
		conn_guard_default(&ret_config->guards[i]);
}

uint64_t router_now_us(struct router *router)
{
	if (router->now_us == 0)
		router->now_us = io_clock_boot_us(router->loop);
	kr_assert(router->now_us >= router->started_at_us);
	return router->now_us;
}

void router_note(struct router *router, struct kr_note note, const char *format, ...)
{
	char bytes[512];
	struct kr_text text;
	va_list list;

	kr_assert(format != NULL);
	if (router->config.on_note == NULL)
		return;
	kr_text_init(&text, bytes, sizeof(bytes));
	va_start(list, format);
	kr_text_format_list(&text, format, list);
	va_end(list);
	note.sentence = bytes;
	router->config.on_note(router->config.context, &note);
}

/* ---- the step's decisions ---- */

static void carry_out(
	struct router *router, const struct route_event *event, const struct route_action *action)
{
	struct conn_set *set = router->set;
	int r = 0;

	switch (action->kind) {
	case ROUTE_ACTION_TO_SHARD:
		kr_assert(router->links[action->shard].state == LINK_UP);
		r = conn_send(
			set, router->links[action->shard].conn, &action->header, action->body);
		break;
	case ROUTE_ACTION_TO_CLIENT:
		r = conn_send(set, action->client, &action->header, action->body);
		break;
	case ROUTE_ACTION_LOCAL:
		local_answer(router, action->client, event->header, event->body);
		break;
	case ROUTE_ACTION_REJECT:
		conn_reject(set, action->client, action->code);
		break;
	case ROUTE_ACTION_BREAK:
		router_note(router,
			(struct kr_note){.event = KR_EVENT_LINK_BROKEN,
				.code = code_name(action->code),
				.has_shard = true,
				.shard = action->shard},
			"shard %u breaks the protocol: %s", action->shard, code_text(action->code));
		conn_reject(set, router->links[action->shard].conn, action->code);
		break;
	}
	/* Whom a frame cannot reach any more is told of by on_close at the end of the turn. */
	kr_assert(r == 0 || r == CONN_GONE || r == CONN_CUT);
}

void router_feed(struct router *router, struct route_event *event)
{
	struct route_actions *actions = &router->actions;

	event->now_us = router_now_us(router);
	do {
		route_step(router->route, event, actions);
		for (uint32_t i = 0; i < actions->count; i++)
			carry_out(router, event, &actions->items[i]);
		kr_assert(actions->count > 0 || !actions->more);
	} while (KR_UNLIKELY(actions->more));
}

/* ---- connections ---- */

/* Dialled connections have the indices above those of clients; NULL for a client's. */
static struct router_link *link_of(struct router *router, struct conn_id id)
{
	kr_assert(id.generation != 0);
	if (KR_LIKELY(id.index < router->config.connection_room_count))
		return NULL;
	for (uint32_t shard = 0; shard < router->config.shard_count; shard++) {
		struct conn_id conn = router->links[shard].conn;
		if (conn.index == id.index && conn.generation == id.generation)
			return &router->links[shard];
	}
	kr_unreachable();
}

static void on_open(void *context, struct conn_id id)
{
	struct router *router = context;
	struct router_link *link = link_of(router, id);
	struct route_event event = {.kind = ROUTE_EVENT_CLIENT_OPEN, .client = id};

	if (link != NULL) {
		link_on_open(link);
		return;
	}
	kr_assert(id.index < router->config.connection_room_count);
	event.principal = conn_principal(router->set, id);
	router->clients[id.index] = (struct router_client){.number = ++router->last_number};
	router_feed(router, &event);
}

static void on_frame(
	void *context, struct conn_id id, const struct frame_header *header, const uint8_t *body)
{
	struct router *router = context;
	struct router_link *link = link_of(router, id);
	struct route_event event = {
		.kind = ROUTE_EVENT_CLIENT_FRAME,
		.client = id,
		.header = header,
		.body = body,
	};

	kr_assert(header->magic == FRAME_MAGIC);
	if (link != NULL)
		link_on_frame(link, header, body);
	else
		router_feed(router, &event);
}

static void on_close(void *context, struct conn_id id, enum conn_reason reason, unsigned code)
{
	struct router *router = context;
	struct router_link *link = link_of(router, id);
	struct route_event event = {.kind = ROUTE_EVENT_CLIENT_GONE, .client = id};

	kr_assert(router->state != ROUTER_STOPPED);
	if (link != NULL)
		link_on_close(link, reason, code);
	else
		router_feed(router, &event);
}

/* ---- time and stopping ---- */

static void wakeup_set(struct router *router)
{
	uint64_t wakeup_us = route_wakeup_us(router->route, router_now_us(router));

	kr_assert(wakeup_us > router->now_us);
	if (wakeup_us == UINT64_MAX)
		io_timer_stop(router->loop, &router->wakeup);
	else if (!router->wakeup.is_running || router->wakeup.deadline_us != wakeup_us)
		io_timer_start(router->loop, &router->wakeup, wakeup_us);
}

static void on_wakeup(struct io_timer *timer)
{
	struct router *router = timer->context;
	struct route_event event = {.kind = ROUTE_EVENT_TIMEOUT};

	kr_assert(router->route != NULL);
	router_feed(router, &event);
}

static void clients_close(struct router *router)
{
	kr_assert(router->state == ROUTER_CLOSING);
	for (struct conn_id id = conn_next(router->set, 0);
		id.generation != 0 && id.index < router->config.connection_room_count;
		id = conn_next(router->set, id.index + 1))
		conn_close(router->set, id, true);
}

/* Gives up whatever is still there. */
static void end_all(struct router *router)
{
	kr_assert(router->state == ROUTER_CLOSING);
	router->state = ROUTER_ENDING;
	for (uint32_t shard = 0; shard < router->config.shard_count; shard++)
		link_stop(&router->links[shard]);
	conn_set_stop(router->set);
}

/* One step further on the way down, if it is time. */
static void stop_advance(struct router *router)
{
	uint64_t gone_us = router_now_us(router) - router->draining_at_us;

	kr_assert(router->state != ROUTER_SERVING);
	if (router->state == ROUTER_DRAINING &&
		(route_in_flight(router->route) == 0 || gone_us >= ROUTER_DRAIN_US)) {
		router->state = ROUTER_CLOSING;
		clients_close(router);
	}
	if (router->state == ROUTER_CLOSING && (conn_set_counters(router->set)->open_count == 0 ||
						       gone_us >= ROUTER_DRAIN_US + CLOSING_US))
		end_all(router);
	if (router->state == ROUTER_ENDING && conn_set_is_stopped(router->set)) {
		router->state = ROUTER_STOPPED;
		io_timer_stop(router->loop, &router->wakeup);
		io_timer_stop(router->loop, &router->drain);
	}
}

/* The turn that follows looks how far things are. */
static void on_drain(struct io_timer *timer)
{
	struct router *router = timer->context;

	kr_assert(router->state != ROUTER_SERVING);
	kr_assert(router->state != ROUTER_STOPPED);
	io_timer_start(router->loop, timer, router_now_us(router) + DRAIN_LOOK_US);
}

void router_stop(struct router *router)
{
	struct route_event event = {.kind = ROUTE_EVENT_DRAIN};

	kr_assert(router->set != NULL);
	if (router->state != ROUTER_SERVING) {
		/* Asked twice: no more patience. */
		router->draining_at_us -=
			KR_MIN(router->draining_at_us, ROUTER_DRAIN_US + CLOSING_US);
		return;
	}
	router->state = ROUTER_DRAINING;
	router->draining_at_us = router_now_us(router);
	conn_set_listen_stop(router->set);
	for (uint32_t shard = 0; shard < router->config.shard_count; shard++) {
		if (router->links[shard].state == LINK_RESTING)
			link_stop(&router->links[shard]);
	}
	router_feed(router, &event);
	io_timer_start(router->loop, &router->drain, router->draining_at_us);
}

static void on_turn(struct io_loop *loop, void *context)
{
	struct router *router = context;

	kr_assert(loop == router->loop);
	if (router->state == ROUTER_STOPPED)
		return;
	conn_set_turn(router->set);
	if (router->state != ROUTER_SERVING)
		stop_advance(router);
	if (router->state != ROUTER_STOPPED)
		wakeup_set(router);
	router->now_us = 0;
}

/* ---- beginning and end ---- */

static struct conn_config conn_config_of(const struct router_config *config)
{
	/* All a link can have unanswered, and all that can wait for it, fits its queue. */
	size_t link_bytes = (size_t)config->flight_size_max_bytes + config->wait_size_max_bytes;

	kr_assert(config->connection_room_count <= ROUTER_CONNECTION_MAX);
	return (struct conn_config){
		.cluster = config->cluster,
		.accept_max_count = config->connection_room_count,
		/* a lost connection may still be closing while the next one is dialled */
		.dial_max_count = config->shard_count * 2,
		.body_size_max_bytes = ROUTER_CLIENT_BODY_MAX,
		.queue_size_max_bytes = CONN_QUEUE_SIZE_DEFAULT,
		.dial_queue_size_max_bytes = link_bytes,
		.pool_size_bytes = ROUTER_CLIENT_POOL_SIZE + config->shard_count * link_bytes,
		.idle_timeout_us = config->idle_timeout_us,
		/* A shard that met a damaged body would have to break the link of everybody. */
		.body_check = true,
	};
}

static struct route_config route_config_of(const struct router_config *config)
{
	kr_assert(config->cluster != 0);
	kr_assert(config->shard_count > 0 && config->shard_count <= SHARD_COUNT_MAX);
	return (struct route_config){
		.cluster = config->cluster,
		.shard_count = config->shard_count,
		.client_max_count = config->connection_room_count,
		.window = config->window,
		.flight_max_count = config->flight_max_count,
		.flight_size_max_bytes = config->flight_size_max_bytes,
		.wait_frame_max_count = config->wait_frame_max_count,
		.wait_size_max_bytes = config->wait_size_max_bytes,
	};
}

/* Takes the next part of the router's one region; with base NULL only counts. */
static void *part(uint8_t *base, size_t *offset, size_t size_bytes)
{
	void *at = base == NULL ? NULL : base + *offset;

	kr_assert(*offset % PAGE_SIZE_BYTES == 0);
	*offset += (size_bytes + PAGE_SIZE_BYTES - 1) / PAGE_SIZE_BYTES * PAGE_SIZE_BYTES;
	return at;
}

/* Lays the router out in `base`, or, when that is NULL, only says how large it is. */
static size_t lay_out(const struct router_config *config, uint8_t *base)
{
	struct route_config route_config = route_config_of(config);
	size_t offset = 0;
	struct router *router = part(base, &offset, sizeof(*router));
	void *clients =
		part(base, &offset, config->connection_room_count * sizeof(struct router_client));
	void *route = part(base, &offset, route_size_bytes(&route_config));
	void *requests = part(base, &offset, ROUTER_REQUEST_ARENA_SIZE);
	void *answers = part(base, &offset, ROUTER_ANSWER_ARENA_SIZE);
	void *body = part(base, &offset, FRAME_BODY_SIZE_MAX);

	kr_assert(offset > 0);
	if (base == NULL)
		return offset;
	*router = (struct router){.config = *config, .clients = clients, .body = body};
	router->route = route_init(&route_config, route);
	pb_arena_init(&router->requests, requests, ROUTER_REQUEST_ARENA_SIZE);
	kr_arena_init(&router->answers, answers, ROUTER_ANSWER_ARENA_SIZE);
	return offset;
}

static int listen_all(struct router *router, struct kr_error_text *text)
{
	kr_assert(router->config.listen_count > 0);
	kr_assert(router->config.listen_count <= CONN_LISTEN_MAX);
	while (router->listening_count < router->config.listen_count) {
		uint32_t index = router->listening_count;
		int r = conn_set_listen_guarded(router->set, &router->config.listen[index],
			&router->config.guards[index], text);
		if (r < 0)
			return r;
		kr_assert(r == 0);
		router->listening_count++;
	}
	return 0;
}

int router_new(struct io_loop *loop, const struct router_config *wanted, struct router **ret_router,
	struct kr_error_text *text)
{
	struct router_config sized = *wanted;
	const struct router_config *config = &sized;
	sized.connection_room_count =
		KR_MAX(wanted->connection_room_count, wanted->connection_max_count);
	struct conn_config conn_config = conn_config_of(config);
	struct kr_memory memory;
	struct conn_handler handler = {
		.on_open = on_open, .on_frame = on_frame, .on_close = on_close};

	int r = kr_memory_reserve(&memory, lay_out(config, NULL), 0, io_loop_faults(loop), text);
	if (r < 0)
		return r;
	lay_out(config, memory.base);
	struct router *router = memory.base;
	conn_config.tokens = &router->config.tokens;
	if (config->shard_token.number != 0)
		conn_config.dial_token = &router->config.shard_token;
	handler.context = router;
	r = conn_set_new(loop, &conn_config, &handler, &router->set, text);
	if (r < 0) {
		kr_memory_release(&memory);
		return r;
	}
	conn_set_limit(router->set, config->connection_max_count, config->idle_timeout_us);
	router->memory = memory;
	router->loop = loop;
	router->started_at_us = io_clock_boot_us(loop);
	router->mark = (uint32_t)io_entropy_u64(loop) | 1;
	route_number_from(router->route, io_entropy_u64(loop));
	io_timer_init(&router->wakeup, on_wakeup, router);
	io_timer_init(&router->drain, on_drain, router);
	for (uint32_t shard = 0; shard < config->shard_count; shard++)
		link_init(router, shard);
	*ret_router = router;
	return 0;
}

int router_start(struct router *router, struct kr_error_text *text)
{
	kr_assert(router->state == ROUTER_SERVING);
	kr_assert(router->listening_count < router->config.listen_count);
	io_loop_set_turn(router->loop, on_turn, router);
	int r = listen_all(router, text);
	if (r < 0)
		return r;
	for (uint32_t shard = 0; shard < router->config.shard_count; shard++)
		link_dial(&router->links[shard]);
	router->now_us = 0;
	return 0;
}

void router_retune(struct router *router, const struct router_config *config)
{
	kr_assert(router->set != NULL);
	router->config.connection_max_count = config->connection_max_count;
	router->config.idle_timeout_us = config->idle_timeout_us;
	router->config.tokens = config->tokens;
	router->config.shard_token = config->shard_token;
	conn_set_limit(router->set, config->connection_max_count, config->idle_timeout_us);
}

bool router_is_stopping(const struct router *router)
{
	kr_assert(router->set != NULL);
	return router->state != ROUTER_SERVING;
}

bool router_is_stopped(const struct router *router)
{
	kr_assert(router->set != NULL);
	return router->state == ROUTER_STOPPED;
}

struct router *router_free(struct router *router)
{
	struct kr_memory memory = router->memory;

	kr_assert(memory.base == router);
	router->set = conn_set_free(router->set);
	token_set_clear(&router->config.tokens);
	kr_memory_release(&memory);
	return NULL;
}

const struct io_address *router_listen_address(const struct router *router, uint32_t index)
{
	kr_assert(index < router->config.listen_count);
	return conn_set_listen_address(router->set, index);
}

bool router_link_is_up(const struct router *router, uint32_t shard)
{
	kr_assert(shard < router->config.shard_count);
	return router->links[shard].state == LINK_UP;
}

void router_shard_serves(struct router *router, uint32_t shard)
{
	kr_assert(shard < router->config.shard_count);
	if (router->state == ROUTER_SERVING)
		link_wake(&router->links[shard]);
}
