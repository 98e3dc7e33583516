/*
 * One shard and one client in a simulated world: whatever moment the process is killed or the
 * power goes, everything answered before is there afterwards, and the same id answers the same.
 */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/io/sim/sim_node.h"
#include "base/tz_load.h"
#include "engine/server/server.h"
#include "proto/conn.h"
#include "proto/keyrack.pb-c.h"
#include "proto/message.h"

#define CLUSTER UINT64_C(77)
#define HOTEL UINT64_C(4711)
#define SALES 40u
#define ROOMS 30u
#define TODAY 20454 /* the world begins on 2026-01-01 */

struct story {
	struct sim_world *sim;
	struct sim_disk *disk;
	struct sim_node *shard_node, *client_node;
	struct tz_db tz;
	struct io_loop *shard_loop, *client_loop;
	struct server *server;
	bool is_ready, has_ended;
	int end;
	uint32_t crashes;
	int64_t wall_back_us; /* at each crash */
	char note[KR_ERROR_TEXT_SIZE];

	struct conn_set *conns;
	struct conn_id conn;
	bool is_open;
	uint64_t next_request_id;
	/* the script: settings, then sales, a snapshot in the middle */
	uint32_t step, in_flight;
	uint64_t progress, watched; /* frames received */
	struct kr_id ids[SALES];
	uint16_t codes[SALES]; /* as first answered; 0 = not answered yet */
	uint16_t setup_codes[3];
	bool snapshot_asked;
	uint32_t repeats_wrong;
};

static struct story story;

static struct io_address shard_address(void)
{
	struct io_address address = {.kind = IO_ADDRESS_IP4, .port = 7071};
	memcpy(address.bytes, "\x0a\x00\x00\x02", 4);
	return address;
}

/* ---- the shard ---- */

static void on_ready(void *context)
{
	story.is_ready = true;
}

static void on_note(void *context, const struct kr_note *note)
{
	snprintf(story.note, sizeof(story.note), "%s", note->sentence);
}

static void on_end(void *context, int end, const struct kr_error_text *text)
{
	story.has_ended = true;
	story.end = end;
	snprintf(story.note, sizeof(story.note), "%s", text->bytes);
}

static void config_fill(struct server_config *config)
{
	server_config_default(config);
	config->directory = "d";
	config->listen[0] = shard_address();
	config->listen_count = 1;
	config->segment_size_bytes = 4u << 20;
	config->log.stop_room_bytes = 2u << 20;
	config->conn_max_count = 16;
	config->no_huge_pages = true;
	config->tz = &story.tz;
	config->shard.cluster = CLUSTER;
	config->shard.snapshot_effects = 10;
	config->shard.inventory = (struct inv_config){
		.hotels_max = 4,
		.rows_max = 8,
		.window_nights = 64,
		.reservations_max = 512,
		.nodes_max = 512,
		.refusals_max = 64,
		.denials_max = 64,
		.stock_runs_max = 64,
		.retention_us = INV_RETENTION_US,
		.grace_us = INV_GRACE_US,
	};
	config->handler =
		(struct server_handler){.on_ready = on_ready, .on_note = on_note, .on_end = on_end};
}

static void shard_begin(void *context)
{
	struct server_config config;
	struct io_config io;
	struct kr_error_text text = {0};
	config_fill(&config);
	if (!sim_node_is_alive(story.shard_node))
		sim_node_start(story.shard_node);
	io_config_default(&io);
	io.environment = story.shard_node;
	cr_assert_eq(io_loop_new(&io, &story.shard_loop, &text), 0);
	story.server = calloc(1, sizeof(*story.server));
	story.is_ready = story.has_ended = false;
	int r = server_start(story.server, story.shard_loop, &config, &text);
	cr_assert(r == 0 || sim_node_is_dying(story.shard_node), "%s", text.bytes);
}

static void on_crash(void *context, struct sim_node *node, enum sim_crash how)
{
	cr_assert_eq(node, story.shard_node);
	server_abandon(story.server);
	free(story.server);
	story.server = NULL;
	story.crashes++;
	sim_node_wall_step(story.shard_node, -story.wall_back_us);
	sim_world_call_at(story.sim, sim_world_now_us(story.sim) + 50000, shard_begin, NULL);
}

/* ---- the client ---- */

static void client_send(unsigned type, unsigned route, uint64_t key, uint64_t request_id,
	const ProtobufCMessage *message)
{
	uint8_t body[1024];
	size_t size = protobuf_c_message_pack(message, body);
	struct frame_header header = {
		.type = (uint8_t)type,
		.route = (uint8_t)route,
		.cluster = CLUSTER,
		.routing_key = key,
		.request_id = request_id,
		.remaining_us = 60000000,
	};
	frame_seal(&header, body, size);
	int r = conn_send(story.conns, story.conn, &header, body);
	cr_assert(r == 0 || r == CONN_GONE);
}

static void send_setup(uint32_t step)
{
	static char zone[] = "Europe/Paris", currency[] = "EUR", code[] = "DBL";
	Keyrack__HotelPutRequest hotel = KEYRACK__HOTEL_PUT_REQUEST__INIT;
	Keyrack__HotelSettings settings = KEYRACK__HOTEL_SETTINGS__INIT;
	Keyrack__TypePutRequest type = KEYRACK__TYPE_PUT_REQUEST__INIT;
	Keyrack__TypeSettings type_settings = KEYRACK__TYPE_SETTINGS__INIT;
	Keyrack__InventorySetRequest set = KEYRACK__INVENTORY_SET_REQUEST__INIT;
	if (step == 0) {
		settings.zone = zone;
		settings.currency = currency;
		hotel.hotel_id = HOTEL;
		hotel.mask = INV_HOTEL_ZONE | INV_HOTEL_CURRENCY;
		hotel.settings = &settings;
		client_send(FRAME_HOTEL_PUT, FRAME_ROUTE_HOTEL, HOTEL, 1 + step, &hotel.base);
	} else if (step == 1) {
		type_settings.code = code;
		type_settings.physical = ROOMS;
		type.hotel_id = HOTEL;
		type.type = 1;
		type.mask = INV_TYPE_CODE | INV_TYPE_PHYSICAL;
		type.settings = &type_settings;
		client_send(FRAME_TYPE_PUT, FRAME_ROUTE_HOTEL, HOTEL, 1 + step, &type.base);
	} else {
		set.hotel_id = HOTEL;
		set.first_day = TODAY;
		set.last_day = TODAY + 30;
		set.weekday_mask = 127;
		set.set_mask = INV_UPDATE_PRICE;
		set.price_minor = 100;
		client_send(FRAME_INVENTORY_SET, FRAME_ROUTE_HOTEL, HOTEL, 1 + step, &set.base);
	}
}

static void send_sale(uint32_t sale)
{
	Keyrack__ReserveRequest body = KEYRACK__RESERVE_REQUEST__INIT;
	Keyrack__Line line = KEYRACK__LINE__INIT;
	Keyrack__Line *lines[1] = {&line};
	line.type = 1;
	line.check_in = TODAY + 5;
	line.check_out = TODAY + 8;
	line.rooms = 1;
	line.guests = 1;
	body.hotel_id = HOTEL;
	body.id_hi = story.ids[sale].hi;
	body.id_lo = story.ids[sale].lo;
	body.lines = lines;
	body.n_lines = 1;
	client_send(FRAME_BOOK, FRAME_ROUTE_HOTEL, HOTEL, 100 + sale, &body.base);
}

static void send_snapshot(void)
{
	Keyrack__SnapshotRequest body = KEYRACK__SNAPSHOT_REQUEST__INIT;
	client_send(FRAME_SNAPSHOT, FRAME_ROUTE_SHARD, 0, 99, &body.base);
	story.snapshot_asked = true;
}

/* Up to four sales under way; settings one by one. */
static void client_go_on(void)
{
	while (story.step < 3 && story.setup_codes[story.step] != 0)
		story.step++;
	if (story.step < 3) {
		if (story.in_flight == 0) {
			story.in_flight = 1;
			send_setup(story.step);
		}
		return;
	}
	while (story.in_flight < 4 && story.step < 3 + SALES) {
		send_sale(story.step - 3);
		story.in_flight++;
		if (story.step == 3 + SALES / 2 && !story.snapshot_asked)
			send_snapshot();
		story.step++;
	}
}

static void on_client_frame(
	void *context, struct conn_id id, const struct frame_header *header, const uint8_t *body)
{
	story.progress++;
	if (header->type == FRAME_HELLO) {
		client_go_on();
		return;
	}
	if (header->type == FRAME_SNAPSHOT)
		return;
	story.in_flight--;
	if (header->request_id <= 3) {
		story.setup_codes[header->request_id - 1] = header->status;
	} else {
		uint32_t sale = (uint32_t)header->request_id - 100;
		cr_assert_lt(sale, SALES);
		if (story.codes[sale] == 0)
			story.codes[sale] = header->status;
		else if (story.codes[sale] != header->status)
			story.repeats_wrong++;
	}
	client_go_on();
}

static void on_client_open(void *context, struct conn_id id)
{
	Keyrack__HelloRequest hello = KEYRACK__HELLO_REQUEST__INIT;
	hello.version = 1;
	story.conn = id;
	story.is_open = true;
	client_send(FRAME_HELLO, FRAME_ROUTE_ROUTER, 0, ++story.next_request_id, &hello.base);
}

static void client_dial(void *context)
{
	struct io_address address = shard_address();
	int r = conn_set_dial(story.conns, &address, &story.conn);
	cr_assert_eq(r, 0);
}

/* What was sent and not answered is sent again on the next connection, from the first of it. */
static void on_client_close(
	void *context, struct conn_id id, enum conn_reason reason, unsigned code)
{
	story.is_open = false;
	story.in_flight = 0;
	story.step = story.step < 3 ? story.step : 3;
	while (story.step >= 3 && story.step < 3 + SALES && story.codes[story.step - 3] != 0)
		story.step++;
	sim_world_call_at(story.sim, sim_world_now_us(story.sim) + 20000, client_dial, NULL);
}

/* A machine without power says nothing: a client finds out by itself. */
static void client_watch(void *context)
{
	if (story.is_open && story.progress == story.watched)
		conn_close(story.conns, story.conn, false);
	story.watched = story.progress;
	sim_world_call_at(story.sim, sim_world_now_us(story.sim) + 500000, client_watch, NULL);
}

static void on_client_turn(struct io_loop *loop, void *context)
{
	conn_set_turn(story.conns);
}

static void client_begin(void)
{
	struct io_config io;
	struct kr_error_text text = {0};
	struct conn_config config = {
		.cluster = CLUSTER,
		.accept_max_count = 1,
		.dial_max_count = 2,
		.body_size_max_bytes = 65536,
		.queue_size_max_bytes = 1u << 20,
		.dial_queue_size_max_bytes = 1u << 20,
		.pool_size_bytes = 4u << 20,
		.body_check = true,
	};
	struct conn_handler handler = {
		.on_open = on_client_open,
		.on_frame = on_client_frame,
		.on_close = on_client_close,
	};
	io_config_default(&io);
	io.environment = story.client_node;
	cr_assert_eq(io_loop_new(&io, &story.client_loop, &text), 0);
	cr_assert_eq(conn_set_new(story.client_loop, &config, &handler, &story.conns, &text), 0);
	io_loop_set_turn(story.client_loop, on_client_turn, NULL);
	client_dial(NULL);
	client_watch(NULL);
}

/* ---- the world ---- */

static void story_begin(uint64_t seed)
{
	struct sim_config config;
	memset(&story, 0, sizeof(story));
	cr_assert_eq(tz_load(TZ_FOLDER, &story.tz), 0);
	sim_config_default(&config);
	config.seed = seed;
	config.on_crash = on_crash;
	story.sim = sim_world_new(&config);
	story.disk = sim_disk_new(story.sim, 0);
	story.shard_node = sim_node_new(story.sim, story.disk, "shard");
	story.client_node = sim_node_new(story.sim, NULL, "client");
	for (uint32_t i = 0; i < SALES; i++)
		story.ids[i] = reservation_id_mint(UINT64_C(1767225600000),
			slot_of_hotel((struct hotel_id){HOTEL}), seed * 1000 + i);
	shard_begin(NULL);
	client_begin();
}

static void story_end(void)
{
	story.conns = conn_set_free(story.conns);
	server_abandon(story.server);
	free(story.server);
	story.sim = sim_world_free(story.sim);
	tz_free(&story.tz);
}

static uint32_t answered(void)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < SALES; i++)
		count += story.codes[i] != 0;
	return count;
}

static void run_until_answered(void)
{
	for (uint64_t limit = 0; answered() < SALES && limit < 2000000; limit++) {
		cr_assert(!story.has_ended || story.end == 0, "%d %s", story.end, story.note);
		cr_assert(sim_world_step(story.sim));
	}
	cr_assert_eq(answered(), SALES, "%s", story.note);
}

/* Every sale again: the same answer. */
static void ask_again(void)
{
	uint16_t codes[SALES];
	memcpy(codes, story.codes, sizeof(codes));
	for (uint32_t i = 0; i < SALES; i++)
		story.codes[i] = 0;
	story.step = 3;
	story.in_flight = 0;
	client_go_on();
	run_until_answered();
	uint32_t done = 0;
	for (uint32_t i = 0; i < SALES; i++) {
		cr_assert_eq(story.codes[i], codes[i], "sale %u: %u, then %u", i, codes[i],
			story.codes[i]);
		done += codes[i] == KEYRACK_DONE;
	}
	cr_assert_eq(done, ROOMS);
	cr_assert_eq(story.repeats_wrong, 0);
}

/* A sale refused before a crash may be judged anew after it: rooms never come back here. */
static void run_story(uint64_t seed, uint64_t crash_at, enum sim_crash how, bool again)
{
	story_begin(seed);
	sim_node_crash_at(story.shard_node, crash_at, how);
	run_until_answered();
	if (again)
		sim_node_crash(story.shard_node, how);
	while (!story.is_ready || !story.is_open)
		cr_assert(sim_world_step(story.sim));
	ask_again();
	story_end();
}

Test(server_sim, serves_and_stops_without_any_crash)
{
	story_begin(1);
	run_until_answered();
	ask_again();
	server_stop(story.server);
	while (!story.has_ended)
		cr_assert(sim_world_step(story.sim));
	cr_assert_eq(story.end, SERVER_STOPPED);
	cr_assert_geq(sim_media_size(story.disk, "d", "snap-00000000000000000034"), 0);
	story_end();
}

static uint64_t points_of_a_life(void)
{
	story_begin(1);
	run_until_answered();
	uint64_t count = sim_node_point_count(story.shard_node);
	story_end();
	cr_assert_gt(count, 100);
	return count;
}

Test(server_sim, killed_at_any_moment_keeps_what_it_answered, .timeout = 300)
{
	uint64_t points = points_of_a_life();
	for (uint64_t i = 1; i <= points; i++)
		run_story(1, i, SIM_KILL, i % 3 == 0);
}

Test(server_sim, cut_off_from_power_at_any_moment_keeps_what_it_answered, .timeout = 300)
{
	uint64_t points = points_of_a_life();
	for (uint64_t i = 1; i <= points; i++)
		run_story(2, i, SIM_POWER, i % 3 == 0);
}

/* A start that dies between its first batch and its START has moved the log's time, no effect's. */
Test(server_sim, starts_after_any_death_though_its_clock_was_set_back, .timeout = 300)
{
	uint64_t points = points_of_a_life();
	for (uint64_t i = 1; i <= points; i++) {
		story_begin(3);
		story.wall_back_us = 20000000;
		sim_node_crash_at(story.shard_node, i, i % 2 == 0 ? SIM_KILL : SIM_POWER);
		run_until_answered();
		ask_again();
		story_end();
	}
}
