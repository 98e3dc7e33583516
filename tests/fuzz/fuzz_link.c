/*
 * The router's step, with shards that answer whatever they like and clients that ask as they like.
 *
 * Held: a request is forwarded once at most, with what the client sent and never past its deadline;
 * it is answered once at most, to the connection that asked and under its own id, and DONE only
 * after it was forwarded; a link is broken only for an answer of another type; flights and windows
 * add up, and past every deadline nothing is kept.
 *
 * Input: steps, a u8 each, the low three bits of which say what happens: see step().
 */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "proto/access.h"
#include "proto/message.h"
#include "router/route_priv.h"
#include "tests/fuzz/fuzz.h"

#define CLUSTER UINT64_C(0x6b657972)
#define CLIENTS 4u
#define SHARDS 2u
#define STEPS_MAX 300u
#define REQUESTS_MAX 512u
#define WINDOW 6u
#define FLIGHTS 8u

struct request {
	struct conn_id client;
	uint64_t deadline_us;
	uint8_t type;
	bool is_forwarded, is_answered;
};

static struct life {
	uint64_t now_us;
	struct conn_id clients[CLIENTS]; /* generation 0: never there */
	bool here[CLIENTS], up[SHARDS];
	bool is_broken; /* by the step under way */
	struct request requests[REQUESTS_MAX];
	uint32_t request_count;
	struct frame_header sent[REQUESTS_MAX]; /* to shards, in order */
	uint32_t sent_shard[REQUESTS_MAX];
	uint32_t sent_count;
} life;

static const struct route_config config = {
	.cluster = CLUSTER,
	.shard_count = SHARDS,
	.client_max_count = CLIENTS,
	.window = WINDOW,
	.flight_max_count = FLIGHTS,
	.flight_size_max_bytes = FLIGHTS * 80,
	.wait_frame_max_count = 4,
	.wait_size_max_bytes = 4 * 80,
};
static struct route *route;
static void *memory;
static struct route_actions actions;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	kr_assert(argc != NULL && argv != NULL);
	memory = aligned_alloc(64, (route_size_bytes(&config) + 63) / 64 * 64);
	kr_assert(memory != NULL);
	return 0;
}

static struct request *request_of(uint64_t id)
{
	kr_assert(id >= 1 && id <= life.request_count);
	return &life.requests[id - 1];
}

/* The body of a request is its number. */
static void check_forward(const struct route_action *action)
{
	uint64_t id;
	kr_assert(action->shard < SHARDS && life.up[action->shard]);
	kr_assert(action->header.body_size_bytes == sizeof(id));
	memcpy(&id, action->body, sizeof(id));
	struct request *request = request_of(id);
	kr_assert(!request->is_forwarded && !request->is_answered);
	kr_assert(request->deadline_us > life.now_us && action->header.type == request->type);
	kr_assert(action->header.remaining_us == request->deadline_us - life.now_us);
	kr_assert(action->header.via != 0 && frame_body_check(&action->header, action->body) == 0);
	for (uint32_t i = 0; i < life.sent_count; i++)
		kr_assert(life.sent_shard[i] != action->shard ||
			  life.sent[i].request_id != action->header.request_id);
	request->is_forwarded = true;
	life.sent[life.sent_count] = action->header;
	life.sent_shard[life.sent_count++] = action->shard;
}

static void check_answer(const struct route_action *action, const struct route_event *event)
{
	struct request *request = request_of(action->header.request_id);
	struct frame_header read;
	int r = frame_header_read(&action->header, &read);
	kr_assert(r == 0 || event->kind == ROUTE_EVENT_LINK_FRAME);
	kr_assert(!request->is_answered && action->header.type == request->type);
	kr_assert(action->client.index == request->client.index);
	kr_assert(action->client.generation == request->client.generation);
	kr_assert(life.here[action->client.index]);
	kr_assert(action->header.via == 0 && action->header.principal == 0);
	kr_assert(request->is_forwarded || event->kind != ROUTE_EVENT_LINK_FRAME);
	kr_assert(request->is_forwarded || action->header.status != KEYRACK_OUTCOME_UNKNOWN);
	kr_assert(request->is_forwarded || action->header.status != KEYRACK_DONE);
	request->is_answered = true;
}

static void check_action(const struct route_action *action, const struct route_event *event)
{
	switch (action->kind) {
	case ROUTE_ACTION_TO_SHARD:
		check_forward(action);
		break;
	case ROUTE_ACTION_TO_CLIENT:
		check_answer(action, event);
		break;
	case ROUTE_ACTION_BREAK:
		kr_assert(event->kind == ROUTE_EVENT_LINK_FRAME && action->shard == event->shard);
		life.is_broken = true;
		break;
	case ROUTE_ACTION_LOCAL:
		kr_assert(event->kind == ROUTE_EVENT_CLIENT_FRAME);
		request_of(event->header->request_id)->is_answered = true;
		break;
	case ROUTE_ACTION_REJECT:
		kr_unreachable();
	}
}

static void tell(struct route_event event)
{
	event.now_us = life.now_us;
	life.is_broken = false;
	do {
		route_step(route, &event, &actions);
		kr_assert(actions.count > 0 || !actions.more);
		for (uint32_t i = 0; i < actions.count; i++)
			check_action(&actions.items[i], &event);
	} while (actions.more);
}

static void turn_client(uint8_t what)
{
	uint32_t index = what % CLIENTS;
	struct conn_id *client = &life.clients[index];
	struct route_event event = {.kind = ROUTE_EVENT_CLIENT_GONE};
	if (!life.here[index]) {
		*client = (struct conn_id){index, client->generation + 1};
		event.kind = ROUTE_EVENT_CLIENT_OPEN;
		event.principal = access_principal(
			(what & 4) != 0 ? ACCESS_BOOKING : ACCESS_OPERATOR, ACCESS_TOKEN, 1);
	}
	event.client = *client;
	life.here[index] = !life.here[index];
	tell(event);
}

static void turn_link(uint8_t what)
{
	uint32_t shard = what % SHARDS;
	life.up[shard] = !life.up[shard];
	tell((struct route_event){
		.kind = life.up[shard] ? ROUTE_EVENT_LINK_UP : ROUTE_EVENT_LINK_DOWN,
		.shard = shard,
		.window = what >> 1 & 7});
}

/* What a connection lets through: sums, type, route and direction are right. */
static void ask(struct kr_reader *input)
{
	uint32_t client = kr_reader_u8(input) % CLIENTS;
	struct frame_header header = {
		.type = kr_reader_u8(input), .route = kr_reader_u8(input), .cluster = CLUSTER};
	uint8_t key = kr_reader_u8(input);
	header.remaining_us = 1u + kr_reader_u8(input) * 4000u;
	header.routing_key = key < 250 ? key % 3u : UINT64_MAX - key;
	header.map_epoch = key >> 4 & 3;
	bool is_known = message_of_request(header.type) != NULL && header.type > FRAME_AUTH &&
			header.route >= FRAME_ROUTE_HOTEL && header.route <= FRAME_ROUTE_ROUTER;
	if (!life.here[client] || life.request_count == REQUESTS_MAX || !is_known)
		return;
	uint64_t id = ++life.request_count;
	header.request_id = id;
	life.requests[id - 1] = (struct request){.client = life.clients[client],
		.deadline_us = life.now_us + header.remaining_us,
		.type = header.type};
	frame_seal(&header, &id, sizeof(id));
	tell((struct route_event){.kind = ROUTE_EVENT_CLIENT_FRAME,
		.client = life.clients[client],
		.header = &header,
		.body = (const uint8_t *)&id});
}

/* An answer with one byte of the header as the shard likes, if a connection lets it through. */
static void answer(struct kr_reader *input)
{
	uint8_t pick = kr_reader_u8(input), shard = kr_reader_u8(input);
	uint8_t at = kr_reader_u8(input), twist = kr_reader_u8(input);
	struct frame_header header = {.type = FRAME_BOOK, .route = FRAME_ROUTE_SHARD};
	if (life.sent_count > 0) {
		uint32_t index = life.sent_count - 1 - pick % life.sent_count;
		header = life.sent[index];
		shard = (uint8_t)(shard < 200 ? life.sent_shard[index] : shard);
	}
	header.flags = FRAME_FLAG_ANSWER;
	header.status = KEYRACK_DONE;
	header.remaining_us = 0;
	header.cluster = CLUSTER;
	((uint8_t *)&header)[at % FRAME_HEADER_SIZE] ^= twist;
	header.magic = FRAME_MAGIC;
	header.version = FRAME_VERSION;
	header.body_size_bytes = 0;
	header.header_sum = 0;
	header.header_sum = (uint32_t)hash_64(&header, sizeof(header));
	struct frame_header read;
	bool is_let_in = frame_header_read(&header, &read) == 0 && header.cluster == CLUSTER &&
			 (header.flags & FRAME_FLAG_ANSWER) != 0 && header.remaining_us == 0 &&
			 header.status != 0 && header.type > FRAME_AUTH;
	if (!is_let_in || !life.up[shard % SHARDS])
		return;
	tell((struct route_event){
		.kind = ROUTE_EVENT_LINK_FRAME, .shard = shard % SHARDS, .header = &read});
	if (life.is_broken)
		turn_link(shard % SHARDS);
}

static void pass(uint64_t duration_us)
{
	uint64_t wakeup_us = route_wakeup_us(route, life.now_us);
	life.now_us += duration_us;
	kr_assert(wakeup_us > life.now_us - duration_us);
	if (wakeup_us <= life.now_us)
		tell((struct route_event){.kind = ROUTE_EVENT_TIMEOUT});
}

static void check(void)
{
	struct route_link_counters counters;
	uint32_t sum = 0;
	for (uint32_t shard = 0; shard < SHARDS; shard++) {
		route_link_counters_get(route, shard, &counters);
		kr_assert(counters.up == life.up[shard]);
		kr_assert(!counters.up || counters.waiting == 0);
		kr_assert(counters.up || counters.in_flight == 0);
		sum += counters.in_flight + counters.waiting;
	}
	kr_assert(sum == route_in_flight(route) && sum <= SHARDS * FLIGHTS);
	for (uint32_t i = 0; i < CLIENTS; i++)
		kr_assert(route_client_in_flight(route, life.clients[i]) <= WINDOW);
}

static void step(uint8_t what, struct kr_reader *input)
{
	switch (what & 7) {
	case 0:
		turn_client(kr_reader_u8(input));
		break;
	case 1:
		turn_link(kr_reader_u8(input));
		break;
	case 2:
	case 3:
		ask(input);
		break;
	case 4:
	case 5:
		answer(input);
		break;
	case 6:
		pass((uint64_t)kr_reader_u8(input) * 3000u);
		break;
	case 7:
		if (kr_reader_u8(input) == 0xff)
			tell((struct route_event){.kind = ROUTE_EVENT_DRAIN});
		break;
	}
	check();
}

static void settle(void)
{
	pass(2000000);
	pass(2 * ROUTE_SWEEP_US);
	pass(2 * ROUTE_SWEEP_US);
	kr_assert(route_in_flight(route) == 0);
	for (uint32_t i = 0; i < CLIENTS; i++)
		kr_assert(route_client_in_flight(route, life.clients[i]) == 0);
	for (uint32_t i = 0; i < life.request_count; i++) {
		const struct request *request = &life.requests[i];
		bool is_here = life.here[request->client.index] &&
			       life.clients[request->client.index].generation ==
				       request->client.generation;
		kr_assert(!is_here || request->is_forwarded || request->is_answered);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	struct kr_reader input;
	kr_reader_init(&input, data, size_bytes);
	memset(&life, 0, sizeof(life));
	life.now_us = 1000000;
	route = route_init(&config, memory);
	for (uint32_t i = 0; i < STEPS_MAX && !input.failed && kr_reader_left(&input) > 0; i++)
		step(kr_reader_u8(&input), &input);
	settle();
	return 0;
}
