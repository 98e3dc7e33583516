#include <stdlib.h>
#include <string.h>

#include "router/router_priv.h"

#include "proto/keyrack.pb-c.h"
#include "proto/message.h"
#include "proto/stat.h"

/* One request that the router answers itself. */
struct local_call {
	struct router *router;
	struct conn_id client;
	const struct frame_header *header;
	const ProtobufCMessage *request;
};

static void *arena_array(struct router *router, size_t count, size_t size_bytes)
{
	void *array = kr_arena_alloc_array(&router->answers, count, size_bytes, 16);
	/* The arena holds the largest lists there can be: see ROUTER_LIST_MAX. */
	kr_assert(array != NULL);
	return array;
}

static void answer_bytes(
	const struct local_call *call, enum keyrack_wire_code code, size_t size_bytes)
{
	struct router *router = call->router;

	kr_assert(size_bytes <= FRAME_BODY_SIZE_MAX);
	struct frame_header header = route_answer_header(
		router->route, call->header, code, router->body, (uint32_t)size_bytes);
	int r = conn_send(router->set, call->client, &header, router->body);
	/* A client that is gone, or was cut off by this very frame, is heard of in on_close. */
	kr_assert(r == 0 || r == CONN_GONE || r == CONN_CUT);
}

static void answer_message(const struct local_call *call, const ProtobufCMessage *message)
{
	size_t size_bytes = protobuf_c_message_get_packed_size(message);

	kr_assert(size_bytes <= FRAME_BODY_SIZE_MAX);
	protobuf_c_message_pack(message, call->router->body);
	answer_bytes(call, KEYRACK_DONE, size_bytes);
}

/* ---- HELLO and PING ---- */

/* It will be shown on terminals: printable ASCII only. */
static void agent_keep(struct router_client *client, const char *agent)
{
	size_t length = strnlen(agent, ROUTER_AGENT_SIZE - 1);

	kr_assert(length < ROUTER_AGENT_SIZE);
	for (size_t i = 0; i < length; i++)
		client->agent[i] = (char)(agent[i] >= ' ' && agent[i] <= '~' ? agent[i] : '?');
	client->agent[length] = 0;
}

static void answer_hello(const struct local_call *call)
{
	struct router *router = call->router;
	const Keyrack__HelloRequest *request = (const void *)call->request;
	Keyrack__HelloAnswer answer = KEYRACK__HELLO_ANSWER__INIT;
	char agent[] = "keyrack-router " KEYRACK_VERSION;

	if (request->version < FRAME_VERSION) {
		conn_reject(router->set, call->client, KEYRACK_REJECT_VERSION);
		return;
	}
	kr_assert(call->client.index < router->config.connection_room_count);
	agent_keep(&router->clients[call->client.index], request->agent);
	answer.version = FRAME_VERSION;
	answer.cluster = router->config.cluster;
	answer.window = router->config.window;
	answer.body_size_max = ROUTER_CLIENT_BODY_MAX;
	answer.shard_count = router->config.shard_count;
	answer.map_epoch = route_map(router->route)->epoch;
	answer.idle_timeout_us = router->config.idle_timeout_us;
	answer.agent = agent;
	answer_message(call, &answer.base);
}

static void answer_ping(const struct local_call *call)
{
	const Keyrack__PingRequest *request = (const void *)call->request;
	Keyrack__PingAnswer answer = KEYRACK__PING_ANSWER__INIT;

	kr_assert(call->router->loop != NULL);
	if (request->payload.len > ROUTER_PAYLOAD_MAX) {
		answer_bytes(call, KEYRACK_INVALID, 0);
		return;
	}
	answer.payload = request->payload;
	answer.time_us = (uint64_t)io_clock_wall_us(call->router->loop);
	answer_message(call, &answer.base);
}

/* ---- ROUTER_STATUS ---- */

static Keyrack__ShardLink *link_describe(struct router *router, uint32_t shard)
{
	Keyrack__ShardLink *link = arena_array(router, 1, sizeof(*link));
	char *address = arena_array(router, IO_ADDRESS_TEXT_SIZE, 1);
	struct route_link_counters counters;

	kr_assert(shard < router->config.shard_count);
	keyrack__shard_link__init(link);
	io_address_format(&router->config.shards[shard], address);
	route_link_counters_get(router->route, shard, &counters);
	link->shard = shard;
	link->address = address;
	link->up = counters.up;
	link->in_flight = counters.in_flight;
	link->waiting = counters.waiting;
	link->forwarded = counters.forwarded;
	link->answered = counters.answered;
	link->lost = counters.lost;
	link->unavailable = counters.unavailable;
	return link;
}

#define STAT_MAX 48u

struct stats {
	struct router *router;
	Keyrack__Stat **items;
	size_t count;
};

static void stat_add(struct stats *stats, enum stat_router index, uint64_t value)
{
	const struct stat_row *row = &stat_router_rows[index];
	Keyrack__Stat *stat = arena_array(stats->router, 1, sizeof(*stat));
	size_t size_bytes = strlen(row->name) + 1;

	kr_assert(stats->count < STAT_MAX);
	keyrack__stat__init(stat);
	stat->name = arena_array(stats->router, size_bytes, 1);
	memcpy(stat->name, row->name, size_bytes);
	stat->kind = row->kind;
	stat->value = (int64_t)value;
	stats->items[stats->count++] = stat;
}

static void stats_of_connections(struct stats *stats)
{
	const struct conn_counters *conn = conn_set_counters(stats->router->set);

	kr_assert(stats->router->set != NULL);
	stat_add(stats, STAT_ROUTER_connections_accepted, conn->accepted);
	stat_add(stats, STAT_ROUTER_connections_refused, conn->refused);
	stat_add(stats, STAT_ROUTER_connections_dialled, conn->dialled);
	stat_add(stats, STAT_ROUTER_connections_closed, conn->closed);
	stat_add(stats, STAT_ROUTER_connections_rejected, conn->rejected);
	stat_add(stats, STAT_ROUTER_connections_cut_slow, conn->cut_slow);
	stat_add(stats, STAT_ROUTER_connections_cut_idle, conn->cut_idle);
	stat_add(stats, STAT_ROUTER_connections_cut_stalled, conn->cut_stalled);
	stat_add(stats, STAT_ROUTER_frames_in, conn->frames_in);
	stat_add(stats, STAT_ROUTER_frames_out, conn->frames_out);
	stat_add(stats, STAT_ROUTER_bytes_in, conn->bytes_in);
	stat_add(stats, STAT_ROUTER_bytes_out, conn->bytes_out);
	stat_add(stats, STAT_ROUTER_sends, conn->sends);
	stat_add(stats, STAT_ROUTER_buffer_blocks, conn->block_count);
	stat_add(stats, STAT_ROUTER_buffer_blocks_used, conn->blocks_used);
	stat_add(stats, STAT_ROUTER_buffer_blocks_used_max, conn->blocks_used_max);
}

static void stats_of_loop(struct stats *stats, const struct io_stats *loop)
{
	kr_assert(loop->turn_slow_count <= loop->tick_count);
	stat_add(stats, STAT_ROUTER_turns, loop->tick_count);
	stat_add(stats, STAT_ROUTER_turns_slow, loop->turn_slow_count);
	stat_add(stats, STAT_ROUTER_turn_time, loop->turn_time_us);
	stat_add(stats, STAT_ROUTER_turn_max_us, loop->turn_max_us);
	stat_add(stats, STAT_ROUTER_waits, loop->wait_count);
	stat_add(stats, STAT_ROUTER_receives, loop->receive_count);
}

static void stats_of_routing(struct stats *stats)
{
	struct router *router = stats->router;
	struct route_link_counters counters;
	uint64_t overloaded = 0, expired = 0, late = 0;

	kr_assert(router->route != NULL);
	for (uint32_t shard = 0; shard < router->config.shard_count; shard++) {
		route_link_counters_get(router->route, shard, &counters);
		overloaded += counters.overloaded;
		expired += counters.expired;
		late += counters.late;
	}
	stat_add(stats, STAT_ROUTER_answered_here, router->local_count);
	stat_add(stats, STAT_ROUTER_overloaded, overloaded);
	stat_add(stats, STAT_ROUTER_forgotten, expired);
	stat_add(stats, STAT_ROUTER_forbidden, route_forbidden_count(router->route));
	stat_add(stats, STAT_ROUTER_answers_dropped, late);
	stat_add(stats, STAT_ROUTER_in_flight, route_in_flight(router->route));
	stats_of_loop(stats, io_loop_stats(router->loop));
	stat_add(stats, STAT_ROUTER_resident_bytes, kr_memory_resident_bytes());
}

static uint32_t client_count(struct router *router)
{
	uint32_t count = 0;

	kr_assert(router->config.connection_room_count <= CONN_MAX);
	for (struct conn_id id = conn_next(router->set, 0);
		id.generation != 0 && id.index < router->config.connection_room_count;
		id = conn_next(router->set, id.index + 1))
		count++;
	return count;
}

static void answer_status(const struct local_call *call)
{
	struct router *router = call->router;
	Keyrack__RouterStatusAnswer answer = KEYRACK__ROUTER_STATUS_ANSWER__INIT;
	struct stats stats = {.router = router};
	char version[] = KEYRACK_VERSION;

	kr_assert(router->now_us >= router->started_at_us);
	answer.cluster = router->config.cluster;
	answer.uptime_us = router->now_us - router->started_at_us;
	answer.connections = client_count(router);
	answer.map_epoch = route_map(router->route)->epoch;
	answer.n_links = router->config.shard_count;
	answer.links = arena_array(router, answer.n_links, sizeof(*answer.links));
	for (uint32_t shard = 0; shard < answer.n_links; shard++)
		answer.links[shard] = link_describe(router, shard);
	stats.items = arena_array(router, STAT_MAX, sizeof(*stats.items));
	stats_of_connections(&stats);
	stats_of_routing(&stats);
	answer.stats = stats.items;
	answer.n_stats = stats.count;
	answer.version = version;
	answer_message(call, &answer.base);
}

/* ---- ROUTER_MAP ---- */

static void answer_map(const struct local_call *call)
{
	struct router *router = call->router;
	const struct slot_map *map = route_map(router->route);
	Keyrack__RouterMapAnswer answer = KEYRACK__ROUTER_MAP_ANSWER__INIT;

	kr_assert(map->shard_count == router->config.shard_count);
	answer.epoch = map->epoch;
	answer.shard_count = map->shard_count;
	answer.ranges = arena_array(router, SLOT_COUNT, sizeof(*answer.ranges));
	for (uint32_t slot = 0; slot < SLOT_COUNT;) {
		Keyrack__SlotRange *range = arena_array(router, 1, sizeof(*range));
		keyrack__slot_range__init(range);
		range->first = slot;
		range->shard = map->shard_of[slot];
		while (slot < SLOT_COUNT && map->shard_of[slot] == range->shard)
			range->last = slot++;
		answer.ranges[answer.n_ranges++] = range;
	}
	answer_message(call, &answer.base);
}

/* ---- ROUTER_CONNECTIONS ---- */

struct listed {
	uint64_t number;
	struct conn_id id;
};

static int listed_compare(const void *a, const void *b)
{
	const struct listed *left = a, *right = b;
	return (left->number > right->number) - (left->number < right->number);
}

static size_t connections_after(struct router *router, uint64_t after, struct listed *ret_listed)
{
	size_t count = 0;

	kr_assert(router->config.connection_room_count <= CONN_MAX);
	for (struct conn_id id = conn_next(router->set, 0);
		id.generation != 0 && id.index < router->config.connection_room_count;
		id = conn_next(router->set, id.index + 1)) {
		uint64_t number = router->clients[id.index].number;
		if (number > after)
			ret_listed[count++] = (struct listed){number, id};
	}
	qsort(ret_listed, count, sizeof(*ret_listed), listed_compare);
	return count;
}

static Keyrack__RouterConnection *connection_describe(struct router *router, struct conn_id id)
{
	Keyrack__RouterConnection *connection = arena_array(router, 1, sizeof(*connection));
	struct router_client *client = &router->clients[id.index];
	struct conn_info info;
	struct kr_text who;
	int r = conn_info_get(router->set, id, &info);

	kr_assert(r == 0);
	keyrack__router_connection__init(connection);
	connection->number = client->number;
	connection->peer = arena_array(router, sizeof(info.peer), 1);
	memcpy(connection->peer, info.peer, sizeof(info.peer));
	connection->agent = client->agent;
	connection->age_us = router->now_us - KR_MIN(info.opened_at_us, router->now_us);
	connection->idle_us = router->now_us - KR_MIN(info.received_at_us, router->now_us);
	connection->in_flight = route_client_in_flight(router->route, id);
	connection->requests = info.frames_in;
	connection->answers = info.frames_out;
	connection->queued_bytes = info.queued_bytes;
	connection->principal = arena_array(router, ACCESS_TEXT_SIZE, 1);
	kr_text_init(&who, connection->principal, ACCESS_TEXT_SIZE);
	access_principal_format(conn_principal(router->set, id), &who);
	return connection;
}

static void answer_connections(const struct local_call *call)
{
	struct router *router = call->router;
	const Keyrack__RouterConnectionsRequest *request = (const void *)call->request;
	Keyrack__RouterConnectionsAnswer answer = KEYRACK__ROUTER_CONNECTIONS_ANSWER__INIT;
	size_t limit = request->limit == 0 || request->limit > ROUTER_LIST_MAX ? ROUTER_LIST_MAX
									       : request->limit;
	struct listed *listed =
		arena_array(router, router->config.connection_room_count, sizeof(*listed));
	size_t count = connections_after(router, request->after, listed);

	kr_assert(limit > 0 && limit <= ROUTER_LIST_MAX);
	answer.more = count > limit;
	answer.n_connections = KR_MIN(count, limit);
	answer.connections = arena_array(router, limit, sizeof(*answer.connections));
	for (size_t i = 0; i < answer.n_connections; i++)
		answer.connections[i] = connection_describe(router, listed[i].id);
	answer_message(call, &answer.base);
}

/* ---- all of them ---- */

static void answer_call(const struct local_call *call)
{
	switch (call->header->type) {
	case FRAME_HELLO:
		answer_hello(call);
		break;
	case FRAME_PING:
		answer_ping(call);
		break;
	case FRAME_ROUTER_STATUS:
		answer_status(call);
		break;
	case FRAME_ROUTER_MAP:
		answer_map(call);
		break;
	case FRAME_ROUTER_CONNECTIONS:
		answer_connections(call);
		break;
	default:
		kr_unreachable();
	}
}

void local_answer(struct router *router, struct conn_id client, const struct frame_header *header,
	const uint8_t *body)
{
	struct local_call call = {.router = router, .client = client, .header = header};
	ProtobufCMessage *request;

	kr_assert(header->route == FRAME_ROUTE_ROUTER);
	router->local_count++;
	if (frame_body_check(header, body) != 0) {
		conn_reject(router->set, client, KEYRACK_REJECT_CHECKSUM);
		return;
	}
	pb_arena_reset(&router->requests);
	kr_arena_reset(&router->answers);
	if (message_unpack(message_of_request(header->type), body, header->body_size_bytes,
		    &router->requests, &request) != 0) {
		answer_bytes(&call, KEYRACK_INVALID, 0);
		return;
	}
	call.request = request;
	answer_call(&call);
}
