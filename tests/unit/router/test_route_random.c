/*
 * Long random lives of a route against a model that keeps nothing but the promises: one answer at
 * most for a request, exactly one while its client and its deadline live, and per client and key
 * the order in which it was asked.
 */
#include <criterion/criterion.h>

#include <string.h>

#include "base/rng.h"
#include "router/route_priv.h"
#include "tests/unit/router/story.h"

#define CLIENTS 6u
#define SHARDS 3u
#define REQUESTS 40000u
#define STEPS 120000u

enum state { ASKED, FORWARDED, ANSWERED };

struct request {
	struct conn_id client;
	enum state state;
	uint64_t deadline_us;
	uint64_t key;
};

static struct world {
	struct route *route;
	struct route_actions actions;
	struct rng rng;
	uint64_t now_us;
	bool up[SHARDS];
	struct conn_id clients[CLIENTS];
	bool here[CLIENTS];
	struct request requests[REQUESTS];
	uint64_t request_count;
	/* by client and key: the last request forwarded */
	uint64_t last_forwarded[CLIENTS][SHARDS];
	/* what each shard has and has not answered */
	struct frame_header at_shard[SHARDS][4096];
	uint32_t at_shard_count[SHARDS];
	uint64_t answered, unknown, unavailable, overloaded, dropped;
} world;

static struct request *request_of(uint64_t id)
{
	cr_assert(id > 0 && id <= world.request_count);
	return &world.requests[id - 1];
}

static void check_forward(const struct route_action *action)
{
	uint32_t *count = &world.at_shard_count[action->shard];
	uint64_t id;

	cr_assert(world.up[action->shard]);
	cr_assert_eq(action->header.body_size_bytes, sizeof(id));
	memcpy(&id, action->body, sizeof(id));
	struct request *request = request_of(id);
	cr_assert_eq(request->state, ASKED, "nothing is forwarded twice, or after an answer");
	cr_assert_eq(action->header.remaining_us, request->deadline_us - world.now_us);
	cr_assert_eq(action->shard, request->key);
	uint64_t *last = &world.last_forwarded[request->client.index][request->key];
	cr_assert_lt(*last, id, "requests for one key of one client keep their order");
	*last = id;
	request->state = FORWARDED;
	cr_assert_lt(*count, KR_ARRAY_COUNT(world.at_shard[0]));
	world.at_shard[action->shard][(*count)++] = action->header;
}

static void check_answer(const struct route_action *action)
{
	struct request *request = request_of(action->header.request_id);
	unsigned code = action->header.status;

	cr_assert_neq(request->state, ANSWERED, "one answer for one request");
	cr_assert_eq(request->client.index, action->client.index);
	cr_assert_eq(request->client.generation, action->client.generation);
	cr_assert(world.here[action->client.index]);
	bool forwarded = code == KEYRACK_DONE || code == KEYRACK_OUTCOME_UNKNOWN;
	cr_assert_eq(request->state == FORWARDED, forwarded);
	request->state = ANSWERED;
	world.answered += code == KEYRACK_DONE;
	world.unknown += code == KEYRACK_OUTCOME_UNKNOWN;
	world.unavailable += code == KEYRACK_UNAVAILABLE;
	world.overloaded += code == KEYRACK_OVERLOADED;
}

static void step(struct route_event event)
{
	event.now_us = world.now_us;
	do {
		route_step(world.route, &event, &world.actions);
		for (uint32_t i = 0; i < world.actions.count; i++) {
			struct route_action *action = &world.actions.items[i];
			if (action->kind == ROUTE_ACTION_TO_SHARD)
				check_forward(action);
			else if (action->kind == ROUTE_ACTION_TO_CLIENT)
				check_answer(action);
			else
				cr_assert_fail("no other action is called for");
		}
	} while (world.actions.more);
}

static void ask(uint32_t client)
{
	static const uint32_t patience_us[] = {5000, 50000, 500000, 5000000};

	if (!world.here[client] || world.request_count == REQUESTS)
		return;
	uint64_t id = ++world.request_count;
	struct frame_header header = {
		.type = FRAME_BOOK,
		.route = FRAME_ROUTE_SHARD,
		.cluster = STORY_CLUSTER,
		.routing_key = rng_below(&world.rng, SHARDS),
		.request_id = id,
		.remaining_us = patience_us[rng_below(&world.rng, 4)],
	};
	frame_seal(&header, &id, sizeof(id));
	world.requests[id - 1] = (struct request){world.clients[client], ASKED,
		world.now_us + header.remaining_us, header.routing_key};
	step((struct route_event){.kind = ROUTE_EVENT_CLIENT_FRAME,
		.client = world.clients[client],
		.header = &header,
		.body = (uint8_t *)&id});
}

/* A shard answers any of its frames; one in four is never answered. */
static void answer(uint32_t shard)
{
	uint32_t *count = &world.at_shard_count[shard];

	if (!world.up[shard] || *count == 0)
		return;
	uint32_t pick = (uint32_t)rng_below(&world.rng, *count);
	struct frame_header header = world.at_shard[shard][pick];
	world.at_shard[shard][pick] = world.at_shard[shard][--*count];
	if (rng_below(&world.rng, 4) == 0)
		return;
	header.flags = FRAME_FLAG_ANSWER;
	header.remaining_us = 0;
	header.status = KEYRACK_DONE;
	frame_seal(&header, NULL, 0);
	uint64_t before = world.answered;
	step((struct route_event){
		.kind = ROUTE_EVENT_LINK_FRAME, .shard = shard, .header = &header});
	world.dropped += world.answered == before;
}

static void turn_link(uint32_t shard)
{
	world.up[shard] = !world.up[shard];
	world.at_shard_count[shard] = 0;
	step((struct route_event){
		.kind = world.up[shard] ? ROUTE_EVENT_LINK_UP : ROUTE_EVENT_LINK_DOWN,
		.shard = shard});
}

static void turn_client(uint32_t client)
{
	struct conn_id *id = &world.clients[client];

	if (!world.here[client])
		*id = (struct conn_id){client, id->generation + 1};
	world.here[client] = !world.here[client];
	memset(world.last_forwarded[client], 0, sizeof(world.last_forwarded[client]));
	step((struct route_event){
		.kind = world.here[client] ? ROUTE_EVENT_CLIENT_OPEN : ROUTE_EVENT_CLIENT_GONE,
		.client = *id});
}

static void pass(uint64_t duration_us)
{
	world.now_us += duration_us;
	if (route_wakeup_us(world.route, world.now_us - duration_us) <= world.now_us)
		step((struct route_event){.kind = ROUTE_EVENT_TIMEOUT});
}

static void live(uint64_t steps)
{
	while (steps-- > 0) {
		uint64_t draw = rng_below(&world.rng, 1000);
		if (draw < 400)
			ask((uint32_t)rng_below(&world.rng, CLIENTS));
		else if (draw < 750)
			answer((uint32_t)rng_below(&world.rng, SHARDS));
		else if (draw < 990)
			pass(rng_below(&world.rng, 2000));
		else if (draw < 997)
			turn_link((uint32_t)rng_below(&world.rng, SHARDS));
		else
			turn_client((uint32_t)rng_below(&world.rng, CLIENTS));
	}
}

static void settle(void)
{
	pass(6000000);
	pass(ROUTE_SWEEP_US + 1);
	pass(ROUTE_SWEEP_US + 1);
	cr_assert_eq(route_in_flight(world.route), 0, "nothing is kept past its deadline");
	for (uint32_t i = 0; i < CLIENTS; i++)
		cr_assert_eq(route_client_in_flight(world.route, world.clients[i]), 0);
	for (uint64_t id = 1; id <= world.request_count; id++) {
		struct request *request = request_of(id);
		bool here = world.here[request->client.index] &&
			    world.clients[request->client.index].generation ==
				    request->client.generation;
		cr_assert(!here || request->state != ASKED, "what only waited is answered");
	}
}

Test(route_random, keeps_its_promises_through_random_lives)
{
	static uint8_t memory[4u << 20] __attribute__((aligned(64)));
	struct route_config config = {
		.cluster = STORY_CLUSTER,
		.shard_count = SHARDS,
		.client_max_count = CLIENTS,
		.window = 60,
		.flight_max_count = 120,
		.flight_size_max_bytes = 1u << 20,
		.wait_frame_max_count = 50,
		.wait_size_max_bytes = 50 * 76,
	};

	cr_assert_leq(route_size_bytes(&config), sizeof(memory));
	for (uint64_t seed = 1; seed <= 10; seed++) {
		memset(&world, 0, sizeof(world));
		world.route = route_init(&config, memory);
		world.now_us = 5;
		rng_init(&world.rng, seed);
		live(STEPS);
		settle();
		cr_assert_gt(world.answered, 1000);
		cr_assert_gt(world.unknown, 100);
		cr_assert_gt(world.unavailable, 100);
		cr_assert_gt(world.overloaded, 100);
		cr_assert_gt(world.dropped, 100);
	}
}
