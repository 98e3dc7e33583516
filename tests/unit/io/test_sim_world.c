#include <criterion/criterion.h>

#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/io/io_file.h"
#include "base/io/io_stream.h"
#include "base/io/sim/sim.h"
#include "base/io/sim/sim_node.h"

#define CLIENT_COUNT 4u
#define FRAME_SIZE 32u
#define PATH "data"
#define NUMBER_MAX 65536u
#define LOCK_RETRY_US 10000u

/*
 * A small product: a server that appends each frame to its log and acknowledges it once it is
 * durable, and clients that send numbered frames one after the other and reconnect when they are
 * cut off. What was acknowledged must be in the log after any crash.
 */
struct link {
	struct io_stream stream;
	struct server *server;
	uint8_t in[FRAME_SIZE];
	uint32_t in_size;
	uint8_t out[FRAME_SIZE];
	bool is_used;
	bool is_waiting;  /* for its frame to be durable */
	bool is_draining; /* writes are on their way while it closes */
};

struct server {
	struct io_loop *loop;
	struct io_listener listener;
	struct io_directory directory;
	struct io_file log;
	struct io_op op;
	struct link links[16];
	struct link *writing;
	uint64_t end; /* of the log, in blocks */
	bool is_up;
	bool is_locked_out;
};

struct client {
	struct sim_node *node;
	struct io_loop *loop;
	struct io_stream stream;
	struct io_timer timer;
	struct world *world;
	uint64_t index;
	uint64_t sent; /* number of the frame on its way */
	uint64_t acknowledged;
	uint8_t in[FRAME_SIZE];
	uint32_t in_size;
	uint8_t out[FRAME_SIZE];
	bool is_connected;
	bool is_closing;
};

struct world {
	struct sim_world *sim;
	struct sim_disk *disk;
	struct sim_node *server_node;
	struct server server;
	struct client clients[CLIENT_COUNT];
	struct io_address address;
	uint64_t acknowledged_count;
	uint32_t crash_count;
	bool ignores_lock; /* a mistake on purpose */
};

static _Alignas(IO_FILE_ALIGN) uint8_t block[IO_FILE_ALIGN];

static void frame_make(uint8_t frame[static FRAME_SIZE], uint64_t client, uint64_t number)
{
	memset(frame, 0, FRAME_SIZE);
	kr_store_u64(frame, client);
	kr_store_u64(frame + 8, number);
	kr_store_u64(frame + 16, hash_64(frame, 16));
}

static bool frame_is_good(const uint8_t *frame)
{
	return kr_load_u64(frame + 16) == hash_64(frame, 16);
}

/* --- the server --- */

static void write_next(struct server *server)
{
	if (server->op.is_running)
		return;
	for (uint32_t i = 0; i < KR_ARRAY_COUNT(server->links); i++) {
		struct link *link = &server->links[i];
		if (!link->is_used || !link->is_waiting)
			continue;
		memset(block, 0, sizeof(block));
		memcpy(block, link->in, FRAME_SIZE);
		server->writing = link;
		io_file_write(&server->log, &server->op, block, sizeof(block),
			server->end * IO_FILE_ALIGN);
		return;
	}
}

static void log_written(struct io_op *op)
{
	struct server *server = op->context;
	struct link *link = server->writing;
	cr_assert_eq(op->result, 0);
	server->end++;
	server->writing = NULL;
	link->is_waiting = false;
	if (link->is_draining && link->stream.flags == 0)
		link->is_used = false;
	if (!link->is_draining && !io_stream_is_sending(&link->stream)) {
		struct iovec part = {.iov_base = link->out, .iov_len = FRAME_SIZE};
		memcpy(link->out, link->in, FRAME_SIZE);
		link->in_size = 0;
		io_stream_send(&link->stream, &part, 1);
	}
	write_next(server);
}

static void link_drop(struct link *link)
{
	if (link->is_draining)
		return;
	link->is_draining = true;
	io_stream_close(&link->stream);
}

static void link_data(struct io_stream *stream, const uint8_t *bytes, size_t size_bytes)
{
	struct link *link = stream->context;
	if (link->is_waiting || link->in_size + size_bytes > FRAME_SIZE) {
		link_drop(link);
		return;
	}
	memcpy(link->in + link->in_size, bytes, size_bytes);
	link->in_size += (uint32_t)size_bytes;
	if (link->in_size < FRAME_SIZE)
		return;
	if (!frame_is_good(link->in)) {
		link_drop(link);
		return;
	}
	link->is_waiting = true;
	write_next(link->server);
}

static void link_end(struct io_stream *stream, int result)
{
	link_drop(stream->context);
}

static void link_sent(struct io_stream *stream, int result)
{
	if (result < 0)
		link_drop(stream->context);
}

static void link_closed(struct io_stream *stream)
{
	struct link *link = stream->context;
	/* A write of its frame may still be on its way: then the slot is free after it. */
	link->is_used = link->server->writing == link;
	link->is_waiting = link->is_used;
}

static const struct io_stream_handler link_handler = {
	.on_data = link_data,
	.on_end = link_end,
	.on_sent = link_sent,
	.on_closed = link_closed,
};

static struct io_stream *server_accept(struct io_listener *listener)
{
	struct server *server = listener->context;
	for (uint32_t i = 0; i < KR_ARRAY_COUNT(server->links); i++) {
		struct link *link = &server->links[i];
		if (link->is_used)
			continue;
		memset(link, 0, sizeof(*link));
		link->is_used = true;
		link->server = server;
		io_stream_init(&link->stream, &link_handler, link);
		return &link->stream;
	}
	return NULL;
}

static void listener_closed(struct io_listener *listener)
{
}

/* The log goes on at the first block that was never written. */
static int log_find_end(struct server *server)
{
	size_t size = sizeof(block);
	while (size == sizeof(block)) {
		int r = io_file_read_now(
			&server->log, block, sizeof(block), server->end * IO_FILE_ALIGN, &size);
		if (r < 0)
			return r;
		if (size < sizeof(block) || kr_load_u64(block + 16) == 0)
			break;
		server->end++;
	}
	return 0;
}

static void server_retry(void *context);

static void server_open(struct world *world)
{
	struct server *server = &world->server;
	struct kr_error_text text;
	unsigned flags =
		IO_FILE_READ | IO_FILE_WRITE | IO_FILE_CREATE | IO_FILE_DIRECT | IO_FILE_DSYNC;
	int r = io_directory_lock(&server->directory, &text);
	if (r < 0)
		return;
	/* A write of the process that was killed may still land where this one would begin. */
	server->is_locked_out = r == IO_DIRECTORY_LOCKED && !world->ignores_lock;
	if (server->is_locked_out) {
		sim_world_call_at(world->sim, sim_world_now_us(world->sim) + LOCK_RETRY_US,
			server_retry, world);
		return;
	}
	if (io_file_open(&server->directory, &server->log, "log", flags) < 0)
		return;
	if (io_directory_sync_now(&server->directory) < 0)
		return;
	if (log_find_end(server) < 0)
		return;
	io_op_init(&server->op, log_written, server);
	io_listener_init(&server->listener, server_accept, listener_closed, server);
	server->is_up =
		io_listener_start(server->loop, &server->listener, &world->address, &text) == 0;
}

static void server_retry(void *context)
{
	struct world *world = context;
	if (world->server.is_locked_out && sim_node_is_alive(world->server_node))
		server_open(world);
}

static void server_start(struct world *world)
{
	struct server *server = &world->server;
	struct io_config config;
	struct kr_error_text text;
	memset(server, 0, sizeof(*server));
	io_config_default(&config);
	config.environment = world->server_node;
	cr_assert_eq(io_loop_new(&config, &server->loop, &text), 0);
	if (io_directory_open(server->loop, &server->directory, PATH, IO_DIRECTORY_CREATE, &text) ==
		0)
		server_open(world);
}

static void restart(void *context)
{
	struct world *world = context;
	sim_node_start(world->server_node);
	server_start(world);
}

static void on_crash(void *context, struct sim_node *node, enum sim_crash how)
{
	struct world *world = context;
	cr_assert_eq(node, world->server_node);
	world->crash_count++;
	world->server.is_up = false;
	world->server.is_locked_out = false;
	sim_world_call_at(world->sim, sim_world_now_us(world->sim) + 5000, restart, world);
}

/* --- the clients --- */

static void client_send(struct client *client)
{
	struct iovec part = {.iov_base = client->out, .iov_len = FRAME_SIZE};
	if (io_stream_is_sending(&client->stream))
		return;
	frame_make(client->out, client->index, client->sent);
	io_stream_send(&client->stream, &part, 1);
}

static void client_drop(struct client *client)
{
	if (client->is_closing)
		return;
	client->is_closing = true;
	client->is_connected = false;
	io_stream_close(&client->stream);
}

static void client_open(struct io_stream *stream, int result)
{
	struct client *client = stream->context;
	if (result < 0) {
		client_drop(client);
		return;
	}
	client->is_connected = true;
	client_send(client);
}

static void client_timer_start(struct client *client, uint64_t delay_us)
{
	io_timer_start(client->loop, &client->timer, io_clock_boot_us(client->loop) + delay_us);
}

static void client_answer(struct client *client)
{
	client->in_size = 0;
	if (!frame_is_good(client->in) || kr_load_u64(client->in) != client->index ||
		kr_load_u64(client->in + 8) != client->sent) {
		client_drop(client);
		return;
	}
	client->acknowledged = client->sent;
	client->world->acknowledged_count++;
	client->sent++;
	client_timer_start(client, 3000000);
	client_send(client);
}

static void client_data(struct io_stream *stream, const uint8_t *bytes, size_t size_bytes)
{
	struct client *client = stream->context;
	if (client->in_size + size_bytes > FRAME_SIZE) {
		client_drop(client);
		return;
	}
	memcpy(client->in + client->in_size, bytes, size_bytes);
	client->in_size += (uint32_t)size_bytes;
	if (client->in_size == FRAME_SIZE)
		client_answer(client);
}

static void client_end(struct io_stream *stream, int result)
{
	client_drop(stream->context);
}

static void client_sent(struct io_stream *stream, int result)
{
	if (result < 0)
		client_drop(stream->context);
}

static void client_closed(struct io_stream *stream)
{
	struct client *client = stream->context;
	client->is_closing = false;
	client_timer_start(client, 10000);
}

static const struct io_stream_handler client_handler = {
	.on_open = client_open,
	.on_data = client_data,
	.on_end = client_end,
	.on_sent = client_sent,
	.on_closed = client_closed,
};

static void client_timer(struct io_timer *timer)
{
	struct client *client = timer->context;
	if (client->is_closing)
		return;
	if (client->is_connected || client->stream.flags != 0) {
		client_drop(client);
		return;
	}
	client->in_size = 0;
	io_stream_init(&client->stream, &client_handler, client);
	cr_assert_eq(io_stream_connect(client->loop, &client->stream, &client->world->address), 0);
	client_timer_start(client, 3000000);
}

static void client_start(struct world *world, uint32_t index)
{
	struct client *client = &world->clients[index];
	struct io_config config;
	struct kr_error_text text;
	struct sim_node *node = sim_node_new(world->sim, NULL, "client");
	sim_node_faults_enable(node, false);
	io_config_default(&config);
	config.environment = node;
	cr_assert_eq(io_loop_new(&config, &client->loop, &text), 0);
	client->node = node;
	client->world = world;
	client->index = index;
	client->sent = 1;
	io_timer_init(&client->timer, client_timer, client);
	client_timer_start(client, 0);
	io_stream_init(&client->stream, &client_handler, client);
}

static void world_init(struct world *world, const struct sim_config *config)
{
	struct sim_config own = *config;
	memset(world, 0, sizeof(*world));
	own.on_crash = on_crash;
	own.context = world;
	world->sim = sim_world_new(&own);
	world->disk = sim_disk_new(world->sim, 0);
	world->server_node = sim_node_new(world->sim, world->disk, "server");
	cr_assert_eq(io_address_parse("10.0.0.1:7070", 13, &world->address), 0);
	sim_media_truncate(world->disk, PATH, "log", 1u << 25);
	server_start(world);
	for (uint32_t i = 0; i < CLIENT_COUNT; i++)
		client_start(world, i);
}

/* Whether everything acknowledged is in the log. */
static bool log_is_whole(struct world *world)
{
	static bool seen[CLIENT_COUNT][NUMBER_MAX];
	int64_t size = sim_media_size(world->disk, PATH, "log");
	memset(seen, 0, sizeof(seen));
	for (int64_t at = 0; at + (int64_t)IO_FILE_ALIGN <= size; at += IO_FILE_ALIGN) {
		uint8_t frame[FRAME_SIZE];
		sim_media_read(world->disk, PATH, "log", (uint64_t)at, frame, FRAME_SIZE);
		if (!frame_is_good(frame) || kr_load_u64(frame) >= CLIENT_COUNT)
			continue;
		cr_assert(kr_load_u64(frame + 8) < NUMBER_MAX);
		seen[kr_load_u64(frame)][kr_load_u64(frame + 8)] = true;
	}
	for (uint32_t i = 0; i < CLIENT_COUNT; i++) {
		for (uint64_t n = 1; n <= world->clients[i].acknowledged; n++) {
			if (!seen[i][n])
				return false;
		}
	}
	return true;
}

static uint32_t frame_size(const uint8_t *bytes, uint32_t size_bytes)
{
	cr_assert(bytes != NULL && size_bytes > 0);
	return FRAME_SIZE;
}

static void faults_moderate(struct sim_config *config)
{
	sim_config_default(config);
	config->frame_size = frame_size;
	config->faults = (struct sim_faults){
		.net_split = 200000,
		.net_spike = 10000,
		.net_reset = 5000,
		.net_silence = 1000,
		.net_flip = 5000,
		.net_duplicate = 5000,
		.net_astray = 5000,
		.disk_spike = 5000,
		.disk_short = 100000,
		.crash_kill = 3000,
		.crash_power = 4000,
		.pause = 1000,
		.wall_step = 1000,
		.fate_kept = 30,
		.fate_dropped = 30,
		.fate_torn = 20,
		.fate_zeroed = 10,
		.fate_garbage = 10,
	};
}

Test(world, the_same_seed_gives_the_same_trace)
{
	uint64_t traces[2][8];
	for (uint32_t round = 0; round < 2; round++) {
		for (uint32_t seed = 0; seed < 8; seed++) {
			struct sim_config config;
			struct world world;
			faults_moderate(&config);
			config.seed = seed;
			world_init(&world, &config);
			sim_world_run_until(world.sim, 5000000);
			cr_assert(world.acknowledged_count > 0);
			traces[round][seed] = sim_world_trace(world.sim);
			world.sim = sim_world_free(world.sim);
		}
	}
	for (uint32_t seed = 0; seed < 8; seed++) {
		cr_assert_eq(traces[0][seed], traces[1][seed]);
		cr_assert_neq(traces[0][seed], traces[0][(seed + 1) % 8]);
	}
}

Test(world, what_was_acknowledged_survives_every_fault)
{
	uint64_t acknowledged_count = 0, crash_count = 0;
	uint64_t marks[SIM_MARK_COUNT] = {0};
	for (uint64_t seed = 1; seed <= 25; seed++) {
		struct sim_config config;
		struct world world;
		faults_moderate(&config);
		config.seed = seed;
		world_init(&world, &config);
		for (uint32_t i = 0; i < 10; i++) {
			sim_world_run_until(world.sim, (i + 1) * UINT64_C(800000));
			cr_assert(log_is_whole(&world));
		}
		acknowledged_count += world.acknowledged_count;
		crash_count += world.crash_count;
		for (uint32_t i = 0; i < SIM_MARK_COUNT; i++)
			marks[i] += sim_world_mark_count(world.sim, i);
		/* Faults stop: everybody gets on again. */
		struct sim_faults none = {0};
		sim_world_faults_set(world.sim, &none);
		uint64_t before[CLIENT_COUNT];
		for (uint32_t i = 0; i < CLIENT_COUNT; i++)
			before[i] = world.clients[i].acknowledged;
		sim_world_run_until(world.sim, sim_world_now_us(world.sim) + 8000000);
		for (uint32_t i = 0; i < CLIENT_COUNT; i++)
			cr_assert(world.clients[i].acknowledged > before[i] + 100);
		cr_assert(log_is_whole(&world));
		world.sim = sim_world_free(world.sim);
	}
	cr_assert(acknowledged_count > 2000);
	cr_assert(crash_count > 50);
	static const enum sim_mark expected[] = {SIM_NET_SPLIT, SIM_NET_SPIKE, SIM_NET_RESET,
		SIM_NET_SILENCE, SIM_NET_FLIP, SIM_NET_DUPLICATE, SIM_NET_ASTRAY, SIM_DISK_SPIKE,
		SIM_DISK_SHORT, SIM_SECTOR_KEPT, SIM_SECTOR_DROPPED, SIM_SECTOR_TORN,
		SIM_SECTOR_ZEROED, SIM_SECTOR_GARBAGE, SIM_LATE_WRITE, SIM_CRASH_KILL,
		SIM_CRASH_POWER, SIM_PAUSE, SIM_WALL_STEP};
	for (uint32_t i = 0; i < KR_ARRAY_COUNT(expected); i++)
		cr_assert(marks[expected[i]] >= 10, "%s", sim_mark_name(expected[i]));
}

Test(world, a_server_that_ignores_the_lock_is_caught)
{
	uint32_t caught_count = 0;
	for (uint64_t seed = 1; seed <= 40 && caught_count == 0; seed++) {
		struct sim_config config;
		struct world world;
		sim_config_default(&config);
		config.seed = seed;
		config.faults.crash_kill = 10000;
		config.faults.disk_spike = 50000;
		world_init(&world, &config);
		world.ignores_lock = true;
		for (uint32_t i = 0; i < 10 && caught_count == 0; i++) {
			sim_world_run_until(world.sim, (i + 1) * UINT64_C(500000));
			caught_count += !log_is_whole(&world);
		}
		world.sim = sim_world_free(world.sim);
	}
	cr_assert_eq(caught_count, 1, "late writes of killed processes did no harm");
}

Test(world, a_crash_can_be_had_at_every_point_of_a_script)
{
	struct sim_config config;
	struct world world;
	sim_config_default(&config);
	world_init(&world, &config);
	sim_world_run_until(world.sim, 50000);
	uint64_t count = sim_node_point_count(world.server_node);
	world.sim = sim_world_free(world.sim);
	cr_assert(count > 100);
	for (uint64_t nth = 1; nth <= count; nth++) {
		sim_config_default(&config);
		world_init(&world, &config);
		uint64_t at_start = sim_node_point_count(world.server_node);
		if (nth > at_start)
			sim_node_crash_at(world.server_node, nth - at_start,
				nth % 2 == 0 ? SIM_KILL : SIM_POWER);
		sim_world_run_until(world.sim, 100000);
		cr_assert_eq(world.crash_count, nth > at_start ? 1 : 0);
		cr_assert(log_is_whole(&world));
		world.sim = sim_world_free(world.sim);
	}
}

Test(world, a_pause_stops_the_process_and_not_the_rest)
{
	struct sim_config config;
	struct world world;
	sim_config_default(&config);
	world_init(&world, &config);
	sim_world_run_until(world.sim, 100000);
	uint64_t before = world.acknowledged_count;
	cr_assert(before > 10);
	sim_node_pause(world.server_node, 1100000);
	sim_world_run_until(world.sim, 1000000);
	cr_assert(world.acknowledged_count <= before + CLIENT_COUNT);
	before = world.acknowledged_count;
	sim_world_run_until(world.sim, 1300000);
	cr_assert(world.acknowledged_count > before + 10);
	cr_assert_eq(world.crash_count, 0);
	world.sim = sim_world_free(world.sim);
}

Test(world, a_partition_holds_bytes_back_until_it_heals)
{
	struct sim_config config;
	struct world world;
	sim_config_default(&config);
	world_init(&world, &config);
	sim_world_run_until(world.sim, 100000);
	struct client *client = &world.clients[0];
	cr_assert(client->is_connected);
	uint64_t before = client->acknowledged;
	struct sim_node *client_node = client->node;
	sim_node_partition(world.server_node, client_node, true);
	sim_world_run_until(world.sim, 1100000);
	cr_assert(client->acknowledged <= before + 1);
	cr_assert(world.clients[1].acknowledged > 200);
	before = client->acknowledged;
	sim_node_partition(world.server_node, client_node, false);
	sim_world_run_until(world.sim, 1600000);
	cr_assert(client->acknowledged > before + 10);
	cr_assert(sim_world_mark_count(world.sim, SIM_NET_PARTITION) > 0);
	world.sim = sim_world_free(world.sim);
}

static uint32_t order[3];
static uint32_t order_count;

static void call_first(void *context)
{
	order[order_count++] = 1;
}

static void call_second(void *context)
{
	order[order_count++] = 2;
}

Test(world, calls_of_the_harness_come_in_time_and_order)
{
	struct sim_config config;
	sim_config_default(&config);
	struct sim_world *world = sim_world_new(&config);
	sim_world_call_at(world, 500, call_second, NULL);
	sim_world_call_at(world, 100, call_first, NULL);
	sim_world_call_at(world, 100, call_second, NULL);
	sim_world_run_until(world, 99);
	cr_assert_eq(order_count, 0);
	sim_world_run_until(world, 1000);
	cr_assert_eq(order_count, 3);
	cr_assert_eq(order[0], 1);
	cr_assert_eq(order[1], 2);
	cr_assert_eq(order[2], 2);
	cr_assert_eq(sim_world_now_us(world), 1000);
	cr_assert(!sim_world_step(world));
	world = sim_world_free(world);
	cr_assert_null(world);
}
