/*
 * Routers, shards and clients in a simulated world where connections break, bits flip and
 * processes die at any moment. Clients never ask twice, so that whatever a shard sees twice was
 * sent twice by the router; and what the router says did not happen must not have.
 */
#include <criterion/criterion.h>

#include <string.h>

#include "base/io/sim/sim_node.h"
#include "proto/keyrack.pb-c.h"
#include "router/router.h"

#define SHARDS 2u
#define CLIENTS 3u
#define REQUEST_MAX 20000u
#define CLUSTER UINT64_C(77)

struct party {
	struct world *world;
	struct sim_node *node;
	struct io_loop *loop;
	struct conn_set *set;
	struct router *router; /* of the router node */
	uint32_t number;
	struct conn_id conn; /* of a client: to the router */
	bool greeted;
	struct io_timer timer;
	/* a shard's answers on their way */
	struct frame_header pending[4096];
	struct conn_id pending_conn[4096];
	uint32_t pending_count;
};

struct request {
	uint32_t client, connection, shard;
	unsigned code; /* of its answer; 0 = none */
	uint32_t execution_count;
};

struct world {
	struct sim_world *sim;
	struct rng rng;
	struct party router, shards[SHARDS], clients[CLIENTS];
	uint32_t connection_count; /* of clients, over all time */
	struct request requests[REQUEST_MAX];
	uint64_t request_count;
	/* by connection and shard, the last request executed */
	uint64_t last[REQUEST_MAX][SHARDS];
	uint64_t done, unknown, unavailable, restarts;
	bool is_quiet; /* clients send no more on their own */
};

static struct world world;

static struct io_address address_of(const char *host, uint32_t port)
{
	struct io_address address = {.kind = IO_ADDRESS_IP4, .port = (uint16_t)port};
	memcpy(address.bytes, host, 4);
	return address;
}

static struct io_address router_address(void)
{
	return address_of("\x0a\x00\x00\x01", 7070);
}

static struct io_address shard_address(uint32_t shard)
{
	return address_of("\x0a\x00\x00\x02", 7101 + shard);
}

static struct request *request_of(uint64_t id)
{
	cr_assert(id > 0 && id <= world.request_count);
	return &world.requests[id - 1];
}

static void loop_begin(struct party *party)
{
	struct io_config config;
	struct kr_error_text text = {0};

	io_config_default(&config);
	config.environment = party->node;
	cr_assert_eq(io_loop_new(&config, &party->loop, &text), 0, "%s", text.bytes);
}

static void on_turn(struct io_loop *loop, void *context)
{
	struct party *party = context;
	conn_set_turn(party->set);
}

static void set_begin(struct party *party, const struct conn_handler *handler)
{
	struct conn_config config = {
		.cluster = CLUSTER,
		.accept_max_count = 8,
		.dial_max_count = 4,
		.body_size_max_bytes = 65536,
		.queue_size_max_bytes = 1u << 20,
		.dial_queue_size_max_bytes = 1u << 20,
		.pool_size_bytes = 4u << 20,
		.body_check = true,
		.from_routers = true,
	};
	struct kr_error_text text = {0};

	cr_assert_eq(conn_set_new(party->loop, &config, handler, &party->set, &text), 0);
	io_loop_set_turn(party->loop, on_turn, party);
}

/* ---- shards ---- */

static void shard_send(struct party *shard, struct conn_id id, struct frame_header header,
	const void *body, size_t size_bytes)
{
	header.flags = FRAME_FLAG_ANSWER;
	header.status = KEYRACK_DONE;
	header.remaining_us = 0;
	header.principal = 0;
	frame_seal(&header, body, size_bytes);
	int r = conn_send(shard->set, id, &header, body);
	cr_assert(r == 0 || r == CONN_GONE);
}

static void shard_hello(struct party *shard, struct conn_id id, const struct frame_header *header)
{
	Keyrack__HelloAnswer hello = KEYRACK__HELLO_ANSWER__INIT;
	uint8_t body[64];

	hello.version = FRAME_VERSION;
	hello.cluster = CLUSTER;
	hello.shard = shard->number + 1;
	hello.shard_count = SHARDS;
	hello.window = 1000;
	shard_send(shard, id, *header, body, keyrack__hello_answer__pack(&hello, body));
}

static void shard_execute(struct party *shard, uint64_t id)
{
	struct request *request = request_of(id);

	cr_assert_eq(request->shard, shard->number);
	cr_assert_eq(++request->execution_count, 1, "request %llu was forwarded twice",
		(unsigned long long)id);
	cr_assert(request->code == 0 || request->code == KEYRACK_OUTCOME_UNKNOWN,
		"%s, yet it happened afterwards", code_name(request->code));
	uint64_t *last = &world.last[request->connection][shard->number];
	cr_assert_lt(*last, id, "out of order");
	*last = id;
}

static void shard_on_frame(
	void *context, struct conn_id id, const struct frame_header *header, const uint8_t *body)
{
	struct party *shard = context;
	uint64_t request_id;

	if (header->type == FRAME_HELLO) {
		shard_hello(shard, id, header);
		return;
	}
	if (header->type == FRAME_PING) {
		shard_send(shard, id, *header, NULL, 0);
		return;
	}
	cr_assert_eq(header->body_size_bytes, sizeof(request_id));
	memcpy(&request_id, body, sizeof(request_id));
	shard_execute(shard, request_id);
	cr_assert_lt(shard->pending_count, KR_ARRAY_COUNT(shard->pending));
	shard->pending_conn[shard->pending_count] = id;
	shard->pending[shard->pending_count++] = *header;
	if (!shard->timer.is_running)
		io_timer_start(shard->loop, &shard->timer,
			io_clock_boot_us(shard->loop) + rng_below(&world.rng, 3000));
}

static void shard_on_due(struct io_timer *timer)
{
	struct party *shard = timer->context;

	for (uint32_t i = 0; i < shard->pending_count; i++)
		shard_send(shard, shard->pending_conn[i], shard->pending[i], NULL, 0);
	shard->pending_count = 0;
}

static void ignore_open(void *context, struct conn_id id)
{
}

static void ignore_close(void *context, struct conn_id id, enum conn_reason reason, unsigned code)
{
}

static void shard_begin(void *context)
{
	struct party *shard = context;
	struct conn_handler handler = {shard, ignore_open, shard_on_frame, NULL, ignore_close};
	struct io_address address = shard_address(shard->number);
	struct kr_error_text text = {0};

	if (!sim_node_is_alive(shard->node))
		sim_node_start(shard->node);
	loop_begin(shard);
	set_begin(shard, &handler);
	shard->pending_count = 0;
	io_timer_init(&shard->timer, shard_on_due, shard);
	int r = conn_set_listen(shard->set, &address, &text);
	cr_assert(r == 0 || sim_node_is_dying(shard->node), "%s", text.bytes);
}

/* ---- the router ---- */

static void router_begin(void *context)
{
	struct party *party = context;
	struct router_config config;
	struct kr_error_text text = {0};

	if (!sim_node_is_alive(party->node))
		sim_node_start(party->node);
	loop_begin(party);
	router_config_default(&config);
	config.cluster = CLUSTER;
	config.listen_count = 1;
	config.listen[0] = router_address();
	config.shard_count = SHARDS;
	for (uint32_t i = 0; i < SHARDS; i++)
		config.shards[i] = shard_address(i);
	config.connection_max_count = 16;
	config.window = 300;
	config.wait_frame_max_count = 100;
	config.wait_size_max_bytes = 1u << 20;
	config.flight_size_max_bytes = 2u << 20;
	cr_assert_eq(router_new(party->loop, &config, &party->router, &text), 0);
	int r = router_start(party->router, &text);
	cr_assert(r == 0 || sim_node_is_dying(party->node), "%s", text.bytes);
}

/* ---- clients ---- */

static void client_ask(struct party *client, uint32_t shard, uint32_t remaining_us)
{
	if (world.request_count == REQUEST_MAX)
		return;
	uint64_t id = ++world.request_count;
	struct frame_header header = {
		.type = FRAME_BOOK,
		.route = FRAME_ROUTE_SHARD,
		.cluster = CLUSTER,
		.routing_key = shard,
		.request_id = id,
		.remaining_us = remaining_us,
	};

	world.requests[id - 1] = (struct request){
		.client = client->number, .connection = world.connection_count, .shard = shard};
	world.requests[id - 1].connection = client->conn.generation * CLIENTS + client->number;
	frame_seal(&header, &id, sizeof(id));
	int r = conn_send(client->set, client->conn, &header, &id);
	cr_assert(r == 0 || r == CONN_GONE);
}

static void client_on_due(struct io_timer *timer)
{
	static const uint32_t patience_us[] = {3000, 30000, 300000, 3000000};
	struct party *client = timer->context;
	struct io_address address = router_address();
	uint64_t delay_us = 500 + rng_below(&world.rng, 4000);

	if (client->conn.generation == 0) {
		client->greeted = false;
		if (conn_set_dial(client->set, &address, &client->conn) != 0)
			client->conn = (struct conn_id){0};
	} else if (client->greeted && !world.is_quiet) {
		for (uint64_t n = rng_below(&world.rng, 8); n > 0; n--)
			client_ask(client, (uint32_t)rng_below(&world.rng, SHARDS),
				patience_us[rng_below(&world.rng, 4)]);
	}
	io_timer_start(client->loop, timer, io_clock_boot_us(client->loop) + delay_us);
}

static void client_on_open(void *context, struct conn_id id)
{
	struct party *client = context;
	Keyrack__HelloRequest hello = KEYRACK__HELLO_REQUEST__INIT;
	struct frame_header header = {
		.type = FRAME_HELLO, .route = FRAME_ROUTE_ROUTER, .remaining_us = 1000000};
	uint8_t body[16];

	hello.version = FRAME_VERSION;
	frame_seal(&header, body, keyrack__hello_request__pack(&hello, body));
	cr_assert_eq(conn_send(client->set, id, &header, body), 0);
}

static void client_on_frame(
	void *context, struct conn_id id, const struct frame_header *header, const uint8_t *body)
{
	struct party *client = context;

	if (header->type == FRAME_HELLO) {
		client->greeted = true;
		return;
	}
	struct request *request = request_of(header->request_id);
	cr_assert_eq(request->client, client->number);
	cr_assert_eq(request->connection, id.generation * CLIENTS + client->number);
	cr_assert_eq(request->code, 0, "answered twice");
	request->code = header->status;
	switch (code_class_of(header->status)) {
	case CODE_SUCCESS:
		cr_assert_eq(request->execution_count, 1, "done, but by whom?");
		world.done++;
		break;
	case CODE_TRANSIENT:
		cr_assert_eq(request->execution_count, 0, "%s, yet it had happened",
			code_name(header->status));
		world.unavailable += header->status == KEYRACK_UNAVAILABLE;
		break;
	default:
		cr_assert_eq(header->status, KEYRACK_OUTCOME_UNKNOWN);
		world.unknown++;
	}
}

static void client_on_close(
	void *context, struct conn_id id, enum conn_reason reason, unsigned code)
{
	struct party *client = context;
	client->conn = (struct conn_id){0};
	client->greeted = false;
}

static void client_begin(struct party *client)
{
	struct conn_handler handler = {
		client, client_on_open, client_on_frame, NULL, client_on_close};

	loop_begin(client);
	set_begin(client, &handler);
	io_timer_init(&client->timer, client_on_due, client);
	io_timer_start(client->loop, &client->timer, 1000);
}

/* ---- the world ---- */

static void on_crash(void *context, struct sim_node *node, enum sim_crash how)
{
	struct party *party = sim_node_context(node);
	uint64_t at_us = sim_world_now_us(world.sim) + rng_below(&world.rng, 400000);

	world.restarts++;
	if (party == &world.router) {
		party->router = router_free(party->router);
		sim_world_call_at(world.sim, at_us, router_begin, party);
	} else {
		party->set = conn_set_free(party->set);
		sim_world_call_at(world.sim, at_us, shard_begin, party);
	}
}

static void party_init(struct party *party, const char *name, uint32_t number)
{
	party->world = &world;
	party->number = number;
	party->node = sim_node_new(world.sim, NULL, name);
	sim_node_context_set(party->node, party);
}

static void world_begin(uint64_t seed, const struct sim_faults *faults)
{
	struct sim_config config;

	memset(&world, 0, sizeof(world));
	sim_config_default(&config);
	config.seed = seed;
	config.faults = *faults;
	config.on_crash = on_crash;
	world.sim = sim_world_new(&config);
	sim_world_rng(world.sim, &world.rng);
	party_init(&world.router, "router", 0);
	router_begin(&world.router);
	for (uint32_t i = 0; i < SHARDS; i++) {
		party_init(&world.shards[i], "shard", i);
		shard_begin(&world.shards[i]);
	}
	for (uint32_t i = 0; i < CLIENTS; i++) {
		party_init(&world.clients[i], "client", i);
		sim_node_faults_enable(world.clients[i].node, false);
		client_begin(&world.clients[i]);
	}
}

static void world_end(void)
{
	for (uint32_t i = 0; i < SHARDS; i++) {
		if (sim_node_is_alive(world.shards[i].node))
			world.shards[i].set = conn_set_free(world.shards[i].set);
	}
	for (uint32_t i = 0; i < CLIENTS; i++)
		world.clients[i].set = conn_set_free(world.clients[i].set);
	if (sim_node_is_alive(world.router.node))
		world.router.router = router_free(world.router.router);
	world.sim = sim_world_free(world.sim);
}

/* With no more faults every client gets through to every shard. */
static void expect_life(void)
{
	struct sim_faults none = {0};
	uint64_t first;

	world.is_quiet = true;
	sim_world_faults_set(world.sim, &none);
	/* Links that fell silent are found out by the router, those of clients by these here. */
	sim_world_run_until(world.sim, sim_world_now_us(world.sim) + 30000000);
	for (uint32_t i = 0; i < CLIENTS; i++)
		conn_close(world.clients[i].set, world.clients[i].conn, false);
	sim_world_run_until(world.sim, sim_world_now_us(world.sim) + 1000000);
	first = world.request_count;
	for (uint32_t i = 0; i < CLIENTS; i++) {
		cr_assert(world.clients[i].greeted);
		for (uint32_t shard = 0; shard < SHARDS; shard++)
			client_ask(&world.clients[i], shard, 1000000);
	}
	sim_world_run_until(world.sim, sim_world_now_us(world.sim) + 2000000);
	cr_assert_eq(world.request_count, first + CLIENTS * SHARDS);
	for (uint64_t id = first + 1; id <= world.request_count; id++)
		cr_assert_eq(request_of(id)->code, KEYRACK_DONE, "request %llu: %s",
			(unsigned long long)id, code_name(request_of(id)->code));
}

static uint64_t live(uint64_t seed, const struct sim_faults *faults)
{
	world_begin(seed, faults);
	sim_world_run_until(world.sim, 4000000);
	expect_life();
	uint64_t trace = sim_world_trace(world.sim);
	world_end();
	return trace;
}

static const struct sim_faults rough = {
	.net_split = 200000,
	.net_spike = 2000,
	.net_reset = 1000,
	.net_silence = 50,
	.net_flip = 300,
	.crash_kill = 300,
	.pause = 300,
};

Test(router_sim, keeps_its_promises_while_everything_breaks, .timeout = 240)
{
	uint64_t done = 0, unknown = 0, unavailable = 0, restarts = 0;

	for (uint64_t seed = 1; seed <= 60; seed++) {
		live(seed, &rough);
		done += world.done;
		unknown += world.unknown;
		unavailable += world.unavailable;
		restarts += world.restarts;
	}
	cr_assert_gt(done, 10000);
	cr_assert_gt(unknown, 100);
	cr_assert_gt(unavailable, 100);
	cr_assert_gt(restarts, 40);
}

Test(router_sim, gives_the_same_trace_for_the_same_seed)
{
	uint64_t first = live(7, &rough);
	cr_assert_eq(live(7, &rough), first);
	cr_assert_neq(live(8, &rough), first);
}

Test(router_sim, answers_everything_when_nothing_breaks)
{
	struct sim_faults none = {0};

	live(1, &none);
	cr_assert_eq(world.unknown, 0);
	cr_assert_eq(world.restarts, 0);
	cr_assert_gt(world.done, 1000);
}
