#include <string.h>

#include "base/bug.h"
#include "base/rng.h"
#include "router/route_priv.h"

#define ROUTE_ALIGN 64u

static size_t align_up(size_t size_bytes)
{
	kr_assert(size_bytes > 0 && size_bytes <= SIZE_MAX - ROUTE_ALIGN);
	return (size_bytes + ROUTE_ALIGN - 1) / ROUTE_ALIGN * ROUTE_ALIGN;
}

static size_t link_size_bytes(const struct route_config *config)
{
	kr_assert(config->flight_max_count > 0 && config->flight_max_count <= ROUTE_FLIGHT_MAX);
	kr_assert(config->wait_frame_max_count > 0);
	return align_up(config->flight_max_count * sizeof(struct route_flight)) +
	       align_up(config->wait_frame_max_count * sizeof(struct route_wait_item)) +
	       align_up(config->wait_size_max_bytes);
}

size_t route_size_bytes(const struct route_config *config)
{
	kr_assert(config->shard_count > 0 && config->shard_count <= SHARD_COUNT_MAX);
	kr_assert(config->client_max_count > 0 && config->client_max_count <= CONN_MAX);
	return align_up(sizeof(struct route)) +
	       align_up(config->client_max_count * sizeof(struct route_client)) +
	       config->shard_count * link_size_bytes(config);
}

static void link_init(struct route_link *link, const struct route_config *config, uint8_t *memory)
{
	struct route_flight *flights = (void *)memory;
	memory += align_up(config->flight_max_count * sizeof(*flights));
	struct route_wait_item *items = (void *)memory;
	memory += align_up(config->wait_frame_max_count * sizeof(*items));

	kr_assert(!link->up);
	kr_assert((uintptr_t)memory % ROUTE_ALIGN == 0);
	route_flights_init(&link->flights, flights, config->flight_max_count);
	route_wait_init(&link->wait, items, config->wait_frame_max_count, memory,
		config->wait_size_max_bytes);
}

struct route *route_init(const struct route_config *config, void *memory)
{
	uint8_t *at = memory;
	struct route *route = memory;

	kr_assert(memory != NULL && (uintptr_t)memory % ROUTE_ALIGN == 0);
	kr_assert(config->window > 0);
	*route = (struct route){.config = *config};
	slot_map_init(&route->map, config->shard_count);
	at += align_up(sizeof(*route));
	route->clients = (void *)at;
	memset(route->clients, 0, config->client_max_count * sizeof(struct route_client));
	at += align_up(config->client_max_count * sizeof(struct route_client));
	for (uint32_t shard = 0; shard < config->shard_count; shard++) {
		link_init(&route->links[shard], config, at);
		at += link_size_bytes(config);
	}
	kr_assert((size_t)(at - (uint8_t *)memory) == route_size_bytes(config));
	return route;
}

void route_number_from(struct route *route, uint64_t seed)
{
	struct rng rng;

	kr_assert(route->now_us == 0);
	rng_init(&rng, seed);
	for (uint32_t shard = 0; shard < route->config.shard_count; shard++) {
		struct route_flights *flights = &route->links[shard].flights;
		kr_assert(flights->last_hop_id == 0);
		/* Half of all numbers are left to count through. */
		flights->last_hop_id = rng_next(&rng) >> 1;
	}
}

static struct route_client *client_get(struct route *route, struct conn_id id)
{
	kr_assert(id.index < route->config.client_max_count);
	kr_assert(id.generation != 0);
	struct route_client *client = &route->clients[id.index];
	return client->generation == id.generation ? client : NULL;
}

static struct route_link *link_get(struct route *route, uint32_t shard)
{
	kr_assert(shard < route->config.shard_count);
	kr_assert(route->map.shard_count == route->config.shard_count);
	return &route->links[shard];
}

static struct route_action *action_add(
	struct route_actions *actions, enum route_action_kind kind, struct conn_id client)
{
	kr_assert(actions->count < ROUTE_ACTION_MAX);
	kr_assert(!actions->more);
	struct route_action *action = &actions->items[actions->count++];
	action->kind = kind;
	action->client = client;
	action->shard = 0;
	action->code = KEYRACK_DONE;
	action->body = NULL;
	return action;
}

static bool actions_are_full(struct route_actions *actions)
{
	kr_assert(actions->count <= ROUTE_ACTION_MAX);
	kr_assert(!actions->more);
	if (actions->count < ROUTE_ACTION_MAX)
		return false;
	actions->more = true;
	return true;
}

struct frame_header route_answer_header(const struct route *route,
	const struct frame_header *request, enum keyrack_wire_code code, const void *body,
	uint32_t body_size_bytes)
{
	struct frame_header header = {
		.type = request->type,
		.route = request->route,
		.flags = FRAME_FLAG_ANSWER,
		.cluster = route->config.cluster,
		.routing_key = request->routing_key,
		.request_id = request->request_id,
		.map_epoch = route->map.epoch,
		.status = (uint16_t)code,
	};

	kr_assert(code_class_of(code) != CODE_REJECT);
	kr_assert(body_size_bytes <= FRAME_BODY_SIZE_MAX);
	frame_seal(&header, body, body_size_bytes);
	return header;
}

static void answer_request(struct route *route, struct route_actions *actions,
	struct conn_id client, const struct frame_header *request, enum keyrack_wire_code code)
{
	struct route_action *action = action_add(actions, ROUTE_ACTION_TO_CLIENT, client);

	kr_assert(code != KEYRACK_DONE);
	kr_assert((request->flags & FRAME_FLAG_ANSWER) == 0);
	action->header = route_answer_header(route, request, code, NULL, 0);
}

/* Ends a flight, and gives its place in the client's window back if the client is still there. */
static bool flight_end(struct route *route, struct route_link *link, struct route_flight *flight)
{
	struct route_client *client = client_get(route, flight->client);

	kr_assert(flight->state != ROUTE_FLIGHT_FREE);
	route_flight_drop(&link->flights, flight);
	if (client == NULL)
		return false;
	kr_assert(client->in_flight > 0);
	client->in_flight--;
	return true;
}

/* Ends a flight with a code of the router's own. */
static void flight_answer(struct route *route, struct route_link *link, struct route_flight *flight,
	enum keyrack_wire_code code, struct route_actions *actions)
{
	struct frame_header request = {
		.type = flight->type,
		.route = flight->route,
		.routing_key = flight->routing_key,
		.request_id = flight->request_id,
	};
	struct conn_id client = flight->client;

	kr_assert(code == KEYRACK_UNAVAILABLE || code == KEYRACK_OUTCOME_UNKNOWN);
	kr_assert(!actions->more);
	if (flight_end(route, link, flight))
		answer_request(route, actions, client, &request, code);
}

static void forward(struct route *route, uint32_t shard, struct route_flight *flight,
	const struct frame_header *header, const uint8_t *body, struct route_actions *actions)
{
	struct route_link *link = link_get(route, shard);
	struct route_client *client = client_get(route, flight->client);
	struct route_action *action = action_add(actions, ROUTE_ACTION_TO_SHARD, flight->client);

	kr_assert(link->up && client != NULL);
	kr_assert(flight->deadline_us > route->now_us);
	route_flight_send(&link->flights, flight);
	action->shard = shard;
	action->body = body;
	action->header = *header;
	action->header.request_id = flight->hop_id;
	action->header.remaining_us = (uint32_t)(flight->deadline_us - route->now_us);
	action->header.map_epoch = route->map.epoch;
	action->header.cluster = route->config.cluster;
	access_principal_stamp(&action->header, client->principal);
	action->header.via = route_flight_via(&link->flights, flight);
	frame_header_seal(&action->header);
	link->counters.forwarded++;
}

/* ---- frames of clients ---- */

static bool type_is_for_router(uint8_t type)
{
	kr_assert(type != 0);
	kr_assert(type != FRAME_REJECT); /* ends its connection before it comes this far */
	return type == FRAME_HELLO || type == FRAME_PING || type == FRAME_ROUTER_STATUS ||
	       type == FRAME_ROUTER_MAP || type == FRAME_ROUTER_CONNECTIONS;
}

/* The shard that owns the frame's key; SHARD_COUNT_MAX when there is none. */
static uint32_t shard_of(const struct route *route, const struct frame_header *header)
{
	kr_assert(header->route != FRAME_ROUTE_ROUTER);
	kr_assert(route->map.epoch != 0);
	uint64_t key = header->routing_key;
	switch (header->route) {
	case FRAME_ROUTE_HOTEL:
		return route->map.shard_of[slot_of_hotel((struct hotel_id){key})];
	case FRAME_ROUTE_SLOT:
		return key < SLOT_COUNT ? route->map.shard_of[key] : SHARD_COUNT_MAX;
	case FRAME_ROUTE_SHARD:
		return key < route->map.shard_count ? (uint32_t)key : SHARD_COUNT_MAX;
	default:
		return SHARD_COUNT_MAX;
	}
}

/* DONE when the frame may go to `*ret_shard`. */
static enum keyrack_wire_code route_request(
	const struct route *route, const struct frame_header *header, uint32_t *ret_shard)
{
	bool to_router = header->route == FRAME_ROUTE_ROUTER;

	kr_assert((header->flags & FRAME_FLAG_ANSWER) == 0);
	kr_assert(!to_router || header->routing_key != 0 || !type_is_for_router(header->type));
	if (to_router || (type_is_for_router(header->type) && header->type != FRAME_PING))
		return KEYRACK_INVALID;
	if (header->map_epoch != 0 && header->map_epoch != route->map.epoch)
		return KEYRACK_MOVED;
	uint32_t shard = shard_of(route, header);
	if (shard == SHARD_COUNT_MAX)
		return KEYRACK_INVALID;
	*ret_shard = shard;
	return KEYRACK_DONE;
}

/* Has the frame wait for its link: DONE, or the code that answers it now. */
static enum keyrack_wire_code wait_for_link(struct route *route, struct route_link *link,
	struct route_flight *flight, const struct route_event *event)
{
	uint32_t index = (uint32_t)(flight - link->flights.items);

	kr_assert(!link->up);
	kr_assert(flight->state == ROUTE_FLIGHT_TAKEN);
	if (flight->deadline_us - route->now_us <= ROUTE_WAIT_MARGIN_US)
		return KEYRACK_UNAVAILABLE;
	uint64_t give_up_us = flight->deadline_us - ROUTE_WAIT_MARGIN_US;
	if (!route_wait_push(&link->wait, index, give_up_us, event->header, event->body))
		return KEYRACK_OVERLOADED;
	return KEYRACK_DONE;
}

/* A sent flight that is over is only forgotten: its client has given up on its own clock. */
static void sent_sweep(struct route *route, struct route_link *link)
{
	uint32_t index = link->flights.sent_head;

	kr_assert(link->flights.sent_count <= link->flights.live_count);
	while (index != ROUTE_NONE) {
		struct route_flight *flight = &link->flights.items[index];
		kr_assert(flight->state == ROUTE_FLIGHT_SENT);
		index = flight->next;
		if (flight->deadline_us > route->now_us)
			continue;
		link->counters.expired++;
		flight_end(route, link, flight);
	}
}

static void sweep_all(struct route *route)
{
	kr_assert(route->now_us >= route->swept_at_us);
	for (uint32_t shard = 0; shard < route->config.shard_count; shard++)
		sent_sweep(route, link_get(route, shard));
	route->swept_at_us = route->now_us;
	kr_assert(route_in_flight(route) <= route->config.shard_count * ROUTE_FLIGHT_MAX);
}

/* A link that takes nothing more in would only be cut off with everything it has. */
static bool link_has_room(
	const struct route *route, const struct route_link *link, uint32_t body_size_bytes)
{
	uint64_t size_bytes = FRAME_HEADER_SIZE + body_size_bytes;

	kr_assert(link->up);
	kr_assert(link->flights.sent_count == link->flights.live_count);
	return (link->window == 0 || link->flights.sent_count < link->window) &&
	       link->flights.sent_size_bytes + size_bytes <= route->config.flight_size_max_bytes;
}

static bool has_room(const struct route *route, const struct route_link *link,
	const struct route_client *client, const struct frame_header *header)
{
	kr_assert(header->remaining_us > 0);
	kr_assert(client->in_flight <= route->config.window);
	return client->in_flight < route->config.window &&
	       link->flights.live_count < link->flights.max_count &&
	       (!link->up || link_has_room(route, link, header->body_size_bytes));
}

/* NULL when a bound is reached, even without the flights that are over. */
static struct route_flight *flight_begin(struct route *route, struct route_link *link,
	struct route_client *client, const struct route_event *event)
{
	const struct frame_header *header = event->header;

	if (KR_UNLIKELY(!has_room(route, link, client, header))) {
		if (route->now_us - route->swept_at_us < ROUTE_SWEEP_WANTED_US)
			return NULL;
		sweep_all(route);
		if (!has_room(route, link, client, header))
			return NULL;
	}
	struct route_flight *flight = route_flight_take(&link->flights);
	kr_assert(flight != NULL && flight->state == ROUTE_FLIGHT_TAKEN);
	kr_assert(flight->hop_id == 0);
	flight->size_bytes = FRAME_HEADER_SIZE + header->body_size_bytes;
	flight->client = event->client;
	flight->request_id = header->request_id;
	flight->deadline_us = event->now_us + header->remaining_us;
	flight->routing_key = header->routing_key;
	flight->type = header->type;
	flight->route = header->route;
	client->in_flight++;
	return flight;
}

static void client_request(struct route *route, struct route_client *client,
	const struct route_event *event, struct route_actions *actions)
{
	uint32_t shard = 0;
	enum keyrack_wire_code code = route_request(route, event->header, &shard);

	kr_assert(client->generation == event->client.generation);
	if (code == KEYRACK_DONE && route->is_draining)
		code = KEYRACK_UNAVAILABLE;
	if (code != KEYRACK_DONE) {
		answer_request(route, actions, event->client, event->header, code);
		return;
	}
	struct route_link *link = link_get(route, shard);
	kr_assert(!link->up || route_wait_count(&link->wait) == 0);
	struct route_flight *flight = flight_begin(route, link, client, event);
	if (flight == NULL) {
		code = KEYRACK_OVERLOADED;
	} else if (link->up) {
		forward(route, shard, flight, event->header, event->body, actions);
	} else {
		code = wait_for_link(route, link, flight, event);
		if (code != KEYRACK_DONE)
			flight_end(route, link, flight);
	}
	if (code == KEYRACK_DONE)
		return;
	link->counters.overloaded += code == KEYRACK_OVERLOADED;
	link->counters.unavailable += code == KEYRACK_UNAVAILABLE;
	answer_request(route, actions, event->client, event->header, code);
}

static void on_client_frame(
	struct route *route, const struct route_event *event, struct route_actions *actions)
{
	const struct frame_header *header = event->header;
	struct route_client *client = client_get(route, event->client);

	kr_assert(client != NULL);
	kr_assert(header->body_size_bytes == 0 || event->body != NULL);
	if (header->via != 0 || (header->principal != 0 && !bug_is(BUG_PRINCIPAL_BELIEVED))) {
		action_add(actions, ROUTE_ACTION_REJECT, event->client)->code =
			KEYRACK_REJECT_RESERVED;
		return;
	}
	if (KR_UNLIKELY(!access_is_allowed(client->role, header->type))) {
		route->forbidden_count++;
		answer_request(route, actions, event->client, header, KEYRACK_FORBIDDEN);
		return;
	}
	if (header->route == FRAME_ROUTE_ROUTER && header->routing_key == 0 &&
		type_is_for_router(header->type)) {
		action_add(actions, ROUTE_ACTION_LOCAL, event->client);
		return;
	}
	client_request(route, client, event, actions);
}

/* ---- links ---- */

static void on_link_frame(
	struct route *route, const struct route_event *event, struct route_actions *actions)
{
	const struct frame_header *header = event->header;
	struct route_link *link = link_get(route, event->shard);
	struct route_flight *flight =
		route_flight_find(&link->flights, header->via, header->request_id);

	kr_assert(link->up);
	kr_assert((header->flags & FRAME_FLAG_ANSWER) != 0);
	if (flight == NULL) {
		link->counters.late++;
		return;
	}
	if (flight->type != header->type) {
		struct route_action *action =
			action_add(actions, ROUTE_ACTION_BREAK, (struct conn_id){0});
		action->shard = event->shard;
		action->code = KEYRACK_REJECT_STATE;
		return;
	}
	struct conn_id client = flight->client;
	uint64_t request_id = flight->request_id;
	if (!flight_end(route, link, flight)) {
		link->counters.late++;
		return;
	}
	struct route_action *action = action_add(actions, ROUTE_ACTION_TO_CLIENT, client);
	action->body = event->body;
	action->header = *header;
	action->header.request_id = request_id;
	action->header.via = 0;
	action->header.principal = 0;
	action->header.map_epoch = route->map.epoch;
	frame_header_seal(&action->header);
	link->counters.answered++;
}

/* What waited leaves in its order, before anything newer can. */
static void on_link_up(
	struct route *route, const struct route_event *event, struct route_actions *actions)
{
	struct route_link *link = link_get(route, event->shard);
	struct frame_header header;
	const uint8_t *body;
	uint32_t index;

	kr_assert(link->flights.sent_count == 0 || link->up);
	link->up = true;
	link->window = event->window;
	while (!actions_are_full(actions)) {
		index = route_wait_pop(&link->wait, &header, &body);
		if (index == ROUTE_NONE)
			break;
		struct route_flight *flight = &link->flights.items[index];
		kr_assert(flight->state == ROUTE_FLIGHT_TAKEN);
		if (client_get(route, flight->client) == NULL) {
			flight_end(route, link, flight);
		} else if (flight->deadline_us <= route->now_us) {
			link->counters.unavailable++;
			flight_answer(route, link, flight, KEYRACK_UNAVAILABLE, actions);
		} else {
			forward(route, event->shard, flight, &header, body, actions);
		}
	}
}

static void on_link_down(
	struct route *route, const struct route_event *event, struct route_actions *actions)
{
	struct route_link *link = link_get(route, event->shard);

	link->up = false;
	while (link->flights.sent_head != ROUTE_NONE && !actions_are_full(actions)) {
		link->counters.lost++;
		flight_answer(route, link, &link->flights.items[link->flights.sent_head],
			bug_is(BUG_UNKNOWN_TOLD_AS_UNAVAILABLE) ? KEYRACK_UNAVAILABLE
								: KEYRACK_OUTCOME_UNKNOWN,
			actions);
	}
	kr_assert(actions->more || link->flights.sent_count == 0);
	kr_assert(actions->more || link->flights.live_count == route_wait_count(&link->wait));
}

/* ---- time ---- */

static void wait_scan(struct route *route, struct route_link *link, struct route_actions *actions)
{
	struct route_wait *wait = &link->wait;
	uint64_t first_us = UINT64_MAX;

	kr_assert(!link->up);
	for (uint32_t i = wait->item_first; i < wait->item_count; i++) {
		if (wait->items[i].flight == ROUTE_NONE)
			continue;
		struct route_flight *flight = &link->flights.items[wait->items[i].flight];
		kr_assert(flight->deadline_us > ROUTE_WAIT_MARGIN_US);
		uint64_t give_up_us = flight->deadline_us - ROUTE_WAIT_MARGIN_US;
		if (give_up_us > route->now_us && !route->is_draining) {
			first_us = KR_MIN(first_us, give_up_us);
			continue;
		}
		if (actions_are_full(actions))
			return;
		route_wait_kill(wait, i);
		link->counters.unavailable++;
		flight_answer(route, link, flight, KEYRACK_UNAVAILABLE, actions);
	}
	wait->first_deadline_us = first_us;
	wait->scanned_at_us = route->now_us;
}

/* Links that are up have nothing waiting; what flies is left to end. */
static void on_drain(struct route *route, struct route_actions *actions)
{
	kr_assert(!actions->more);
	route->is_draining = true;
	for (uint32_t shard = 0; shard < route->config.shard_count; shard++) {
		struct route_link *link = link_get(route, shard);
		if (!link->up)
			wait_scan(route, link, actions);
		if (actions->more)
			return;
		kr_assert(route_wait_count(&link->wait) == 0);
	}
}

static void on_timeout(struct route *route, struct route_actions *actions)
{
	kr_assert(route->now_us >= route->swept_at_us);
	kr_assert(actions->count == 0);
	for (uint32_t shard = 0; shard < route->config.shard_count; shard++) {
		struct route_link *link = link_get(route, shard);
		if (link->wait.first_deadline_us <= route->now_us && !link->up)
			wait_scan(route, link, actions);
		if (actions->more)
			return;
	}
	if (route->now_us - route->swept_at_us >= ROUTE_SWEEP_US)
		sweep_all(route);
}

uint64_t route_wakeup_us(const struct route *route, uint64_t now_us)
{
	uint64_t wakeup_us = UINT64_MAX;

	kr_assert(now_us >= route->now_us);
	kr_assert(now_us >= route->swept_at_us);
	for (uint32_t shard = 0; shard < route->config.shard_count; shard++) {
		const struct route_link *link = &route->links[shard];
		if (link->flights.sent_count > 0)
			wakeup_us = KR_MIN(wakeup_us, route->swept_at_us + ROUTE_SWEEP_US);
		if (link->wait.first_deadline_us != UINT64_MAX)
			wakeup_us = KR_MIN(
				wakeup_us, KR_MAX(link->wait.first_deadline_us,
						   link->wait.scanned_at_us + ROUTE_WAIT_SCAN_US));
	}
	return wakeup_us == UINT64_MAX ? wakeup_us : KR_MAX(wakeup_us, now_us + 1);
}

/* ---- the step ---- */

static void on_client_open(struct route *route, const struct route_event *event)
{
	kr_assert(event->client.index < route->config.client_max_count);
	kr_assert(event->client.generation != 0);
	struct route_client *client = &route->clients[event->client.index];
	kr_assert(client->generation == 0);
	*client = (struct route_client){
		.generation = event->client.generation,
		.principal = event->principal,
		.role = access_role_of(event->principal),
	};
}

/* Its flights stay until their answers, which are then dropped. */
static void on_client_gone(struct route *route, const struct route_event *event)
{
	struct route_client *client = client_get(route, event->client);

	kr_assert(client != NULL);
	kr_assert(client->in_flight <= route->config.window);
	*client = (struct route_client){0};
}

void route_step(struct route *route, const struct route_event *event, struct route_actions *actions)
{
	kr_assert(event->now_us >= route->now_us);
	route->now_us = event->now_us;
	actions->count = 0;
	actions->more = false;
	switch (event->kind) {
	case ROUTE_EVENT_CLIENT_FRAME:
		on_client_frame(route, event, actions);
		break;
	case ROUTE_EVENT_LINK_FRAME:
		on_link_frame(route, event, actions);
		break;
	case ROUTE_EVENT_CLIENT_OPEN:
		on_client_open(route, event);
		break;
	case ROUTE_EVENT_CLIENT_GONE:
		on_client_gone(route, event);
		break;
	case ROUTE_EVENT_LINK_UP:
		on_link_up(route, event, actions);
		break;
	case ROUTE_EVENT_LINK_DOWN:
		on_link_down(route, event, actions);
		break;
	case ROUTE_EVENT_DRAIN:
		on_drain(route, actions);
		break;
	case ROUTE_EVENT_TIMEOUT:
		on_timeout(route, actions);
		break;
	}
	kr_assert(actions->count <= ROUTE_ACTION_MAX);
}

/* ---- listings ---- */

const struct slot_map *route_map(const struct route *route)
{
	kr_assert(route->map.epoch != 0);
	kr_assert(route->map.shard_count == route->config.shard_count);
	return &route->map;
}

void route_link_counters_get(
	const struct route *route, uint32_t shard, struct route_link_counters *ret_counters)
{
	kr_assert(shard < route->config.shard_count);
	const struct route_link *link = &route->links[shard];
	*ret_counters = link->counters;
	ret_counters->in_flight = link->flights.sent_count;
	ret_counters->waiting = route_wait_count(&link->wait);
	ret_counters->up = link->up;
	kr_assert(ret_counters->in_flight + ret_counters->waiting == link->flights.live_count);
}

uint32_t route_client_in_flight(const struct route *route, struct conn_id id)
{
	kr_assert(id.index < route->config.client_max_count);
	const struct route_client *client = &route->clients[id.index];
	kr_assert(client->in_flight <= route->config.window);
	return client->generation == id.generation ? client->in_flight : 0;
}

uint64_t route_forbidden_count(const struct route *route)
{
	kr_assert(route->config.shard_count > 0);
	return route->forbidden_count;
}

uint32_t route_in_flight(const struct route *route)
{
	uint32_t count = 0;

	kr_assert(route->config.shard_count > 0);
	for (uint32_t shard = 0; shard < route->config.shard_count; shard++)
		count += route->links[shard].flights.live_count;
	kr_assert(count <= route->config.shard_count * route->config.flight_max_count);
	return count;
}
