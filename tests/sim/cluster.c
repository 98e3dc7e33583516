#include "tests/sim/cluster.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/shard/replay.h"
#include "engine/shard/state.h"
#include "tests/sim/aim.h"
#include "tests/sim/inside.h"
#include "tests/sim/rival.h"
#include "tests/sim/stranger.h"
#include "tests/sim/swarm.h"

#define SHARD_PORT 7100u
#define ROUTER_PORT 7070u
#define BOOKING_PORT 7080u
#define RESTART_US 400000u
#define REFUSALS_MAX 3u
#define FAULT_REACH 2u /* a write astray is lost, and takes another with it */
#define ROLL_US (INT64_C(4) * 3600 * 1000000) /* from the wall's start to the day roll */
#define ROLL_WITHIN_US 25000000u
#define SAFETY_US UINT64_C(20000000)

void cluster_tell(struct cluster *c, const char *format, ...)
{
	va_list args;
	if (!c->plan.is_told)
		return;
	printf("%12.6f  ", (double)sim_world_now_us(c->world) / 1e6);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

void cluster_fail(struct cluster *c, const char *format, ...)
{
	char text[1280];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	printf("at %.6f s: %s\nto see it again: %s\n", (double)sim_world_now_us(c->world) / 1e6,
		text, c->plan.again);
	if (c->on_fail != NULL)
		c->on_fail(c, text);
	fflush(stdout);
	abort();
}

static struct io_address address(uint8_t last, uint32_t port)
{
	struct io_address a = {.kind = IO_ADDRESS_IP4, .port = (uint16_t)port};
	const uint8_t bytes[4] = {10, 0, 0, last};
	memcpy(a.bytes, bytes, sizeof(bytes));
	return a;
}

struct io_address cluster_router_address(uint32_t router)
{
	return address((uint8_t)(1 + router), ROUTER_PORT + router);
}

struct io_address cluster_booking_address(uint32_t router)
{
	return address((uint8_t)(1 + router), BOOKING_PORT + router);
}

struct io_address cluster_shard_address(uint32_t shard)
{
	return address((uint8_t)(20 + shard), SHARD_PORT + shard);
}

static uint32_t frame_size(const uint8_t *bytes, uint32_t size_bytes)
{
	struct frame_header header;
	if (size_bytes < FRAME_HEADER_SIZE)
		return 0;
	return frame_header_read(bytes, &header) == 0 ? FRAME_HEADER_SIZE + header.body_size_bytes
						      : UINT32_MAX;
}

static struct io_loop *loop_new(struct cluster *c, struct sim_node *node, struct fault_set *faults)
{
	struct io_config config;
	struct kr_error_text text = {0};
	struct io_loop *loop;
	io_config_default(&config);
	config.environment = node;
	config.faults = faults;
	if (io_loop_new(&config, &loop, &text) != 0)
		cluster_fail(c, "no loop: %s", text.bytes);
	return loop;
}

static uint64_t fired_count(const struct fault_set *faults)
{
	uint64_t count = 0;
	for (uint32_t i = 0; faults != NULL && i < FAULT_COUNT; i++)
		count += faults->fired_count[i];
	return count;
}

/* Who fails has a reason, and words for it. */
static bool is_excused(struct cluster *c, const struct fault_set *faults, uint64_t fired_before,
	const struct kr_error_text *text)
{
	if (fired_count(faults) == fired_before || text->bytes[0] == '\0')
		return false;
	c->excuse_count++;
	return true;
}

/* ---- shards ---- */

static void on_note(void *context, const struct kr_note *note)
{
	struct shard_node *s = context;
	cluster_tell(s->cluster, "shard %u: %s", s->number, note->sentence);
}

/* Every recovery must show a state that holds the invariants. */
static void on_ready(void *context)
{
	struct shard_node *s = context;
	struct inv_contradiction why = {0};
	s->is_ready = true;
	s->refusal_count = s->trouble.death_count = 0;
	s->ready_count++;
	s->first_ready_us = sim_world_now_us(s->cluster->world);
	cluster_tell(s->cluster, "shard %u: serves, for the %llu. time", s->number,
		(unsigned long long)s->ready_count);
	if (inv_verify(shard_inventory(s->server->shard), &why) != 0)
		cluster_fail(s->cluster, "shard %u after recovery: %s, expected %llu, found %llu",
			s->number, why.what, (unsigned long long)why.expected,
			(unsigned long long)why.found);
	s->cluster->verify_count++;
	inside_ready(s);
	if (s->cluster->on_ready != NULL)
		s->cluster->on_ready(s->cluster, s->number);
}

static void restart_shard(void *context);

static void restart_shard_soon(struct shard_node *s)
{
	sim_world_call_at(s->cluster->world, sim_world_now_us(s->cluster->world) + RESTART_US,
		restart_shard, s);
}

void cluster_damaged(struct cluster *c, uint32_t shard, uint32_t reach)
{
	c->shards[shard].damage_count++;
	if (c->on_damage != NULL)
		c->on_damage(c, shard, reach);
}

/*
 * Only damage is a reason to refuse, and who refuses writes nothing. What was struck is restored;
 * a read may fail once and succeed the next time; after that the shard is given up.
 */
static bool refuse(struct shard_node *s)
{
	struct cluster *c = s->cluster;
	if (s->damage_count == 0)
		return false;
	if (c->digest != NULL && c->digest(c, s->number) != s->found_digest)
		cluster_fail(c, "shard %u: a refused start has written", s->number);
	c->refusal_count++;
	if (c->on_refusal != NULL)
		c->on_refusal(c, s->number);
	s->is_refused = ++s->refusal_count == REFUSALS_MAX;
	return true;
}

static void on_end(void *context, int end, const struct kr_error_text *text)
{
	struct shard_node *s = context;
	cluster_tell(s->cluster, "shard %u: ended with %d %s", s->number, end, text->bytes);
	if (end > 0 && end != SERVER_IN_USE && !sim_node_is_dying(s->node) &&
		!(end == SERVER_REFUSED && refuse(s)) &&
		!(end == SERVER_CLOCK_BEHIND && swarm_clock_mend(s)))
		cluster_fail(s->cluster, "shard %u refused to start: %d %s", s->number, end,
			text->bytes);
	if (end < 0 && s->cluster->shard_faults != NULL &&
		!is_excused(s->cluster, s->cluster->shard_faults, s->fired_count, text))
		cluster_fail(s->cluster, "shard %u ended without a reason: %d %s", s->number, end,
			text->bytes);
	s->has_ended = true;
	s->is_ready = false;
	rival_kill(s->cluster, s->number);
	inside_end(s);
	/* A failed disk operation ends the process; the operator starts it again. */
	if (end != SERVER_STOPPED || s->is_restarting)
		restart_shard_soon(s);
}

static void start_failed(struct shard_node *s, const struct kr_error_text *text)
{
	struct cluster *c = s->cluster;
	if (!is_excused(c, c->shard_faults, s->fired_count, text))
		cluster_fail(c, "shard %u does not start: %s", s->number, text->bytes);
	cluster_tell(c, "shard %u: does not start: %s", s->number, text->bytes);
	free(s->server);
	s->server = NULL;
	s->loop = io_loop_free(s->loop);
	restart_shard_soon(s);
}

static void start_inside(struct shard_node *s);

static void start_shard(struct shard_node *s)
{
	struct cluster *c = s->cluster;
	struct kr_error_text text = {0};
	struct server_config config = c->plan.server;
	if (!sim_node_is_alive(s->node))
		sim_node_start(s->node);
	s->loop = loop_new(c, s->node, c->shard_faults);
	s->fired_count = fired_count(c->shard_faults);
	/* What cannot be read is damaged, as far as a start can tell. */
	if (c->shard_faults != NULL && c->shard_faults->countdown[FAULT_FILE_READ] > 0)
		cluster_damaged(c, s->number, FAULT_REACH);
	s->server = calloc(1, sizeof(*s->server));
	kr_assert(s->server != NULL);
	s->is_ready = s->has_ended = s->is_recovering = s->is_restarting = false;
	s->hurt_phase = CLUSTER_PHASES;
	config.listen[0] = cluster_shard_address(s->number);
	config.listen_count = 1;
	if (inside_of(s) != NULL)
		config.listen[config.listen_count++] = inside_address(s->number);
	config.shard.shard_index = s->number;
	config.handler = (struct server_handler){
		.context = s, .on_ready = on_ready, .on_note = on_note, .on_end = on_end};
	start_inside(s);
	const int r = server_start(s->server, s->loop, &config, &text);
	if (r != 0 && !sim_node_is_dying(s->node))
		start_failed(s, &text);
	if (s->server != NULL)
		swarm_started(s);
}

static void drop_shard(struct shard_node *s, bool is_orderly)
{
	if (s->server == NULL)
		return;
	inside_drop(s);
	if (s->server->shard != NULL)
		s->snapshot_count += s->server->shard->counters.snapshots;
	if (is_orderly)
		server_fini(s->server);
	else
		server_abandon(s->server);
	free(s->server);
	s->server = NULL;
	s->is_ready = false;
}

static void move_out(struct shard_node *s);

static void restart_shard(void *context)
{
	struct shard_node *s = context;
	if (s->server != NULL && !s->has_ended)
		return;
	if (s->server != NULL && !inside_has_ended(s)) {
		restart_shard_soon(s);
		return;
	}
	if (s->server != NULL) {
		drop_shard(s, true);
		if (sim_node_loop(s->node) != NULL)
			(void)io_loop_free(s->loop);
	}
	if (s->is_refused)
		move_out(s);
	else
		start_shard(s);
}

/* ---- routers ---- */

static void on_router_note(void *context, const struct kr_note *note)
{
	struct router_node *r = context;
	cluster_tell(r->cluster, "router %u: %s", r->number, note->sentence);
}

static void restart_router(void *context);

static void router_failed(struct router_node *r, const struct kr_error_text *text)
{
	struct cluster *c = r->cluster;
	if (!is_excused(c, c->router_faults, r->fired_count, text))
		cluster_fail(c, "router %u does not start: %s", r->number, text->bytes);
	cluster_tell(c, "router %u: does not start: %s", r->number, text->bytes);
	if (r->router != NULL)
		r->router = router_free(r->router);
	r->loop = io_loop_free(r->loop);
	sim_world_call_at(c->world, sim_world_now_us(c->world) + RESTART_US, restart_router, r);
}

static int open_router(struct router_node *r, struct kr_error_text *text)
{
	const struct cluster *c = r->cluster;
	struct router_config config;
	kr_assert(r->loop != NULL && r->router == NULL);
	router_config_default(&config);
	config.cluster = CLUSTER_ID;
	config.listen_count = c->plan.booking_from > 0 ? 2 : 1;
	config.listen[0] = cluster_router_address(r->number);
	config.listen[1] = cluster_booking_address(r->number);
	config.guards[1].role = ACCESS_BOOKING;
	config.shard_count = c->shard_count;
	for (uint32_t i = 0; i < c->shard_count; i++)
		config.shards[i] =
			r->host == &c->shards[i] ? inside_address(i) : cluster_shard_address(i);
	config.connection_max_count = 16;
	config.window = c->plan.router_window;
	config.wait_frame_max_count = c->plan.router_wait_frames;
	config.wait_size_max_bytes = 1u << 20;
	config.on_note = on_router_note;
	config.context = r;
	const int e = router_new(r->loop, &config, &r->router, text);
	return e == 0 ? router_start(r->router, text) : e;
}

static void start_router(struct router_node *r)
{
	struct cluster *c = r->cluster;
	struct kr_error_text text = {0};
	kr_assert(r->host == NULL);
	if (!sim_node_is_alive(r->node))
		sim_node_start(r->node);
	r->loop = loop_new(c, r->node, c->router_faults);
	r->fired_count = fired_count(c->router_faults);
	if (open_router(r, &text) != 0 && !sim_node_is_dying(r->node))
		router_failed(r, &text);
}

static void start_inside(struct shard_node *s)
{
	struct router_node *r = inside_of(s);
	struct kr_error_text text = {0};
	if (r == NULL)
		return;
	r->loop = s->loop;
	if (open_router(r, &text) != 0 && !sim_node_is_dying(r->node))
		cluster_fail(s->cluster, "router %u does not start inside shard %u: %s", r->number,
			s->number, text.bytes);
}

/* Its shard is given up: its operator starts it again without one. */
static void move_out(struct shard_node *s)
{
	struct router_node *r = inside_of(s);
	kr_assert(s->is_refused && s->server == NULL);
	if (r == NULL)
		return;
	r->host = NULL;
	r->node = sim_node_new(s->cluster->world, NULL, "router 0");
	start_router(r);
}

static void restart_router(void *context)
{
	struct router_node *r = context;
	if (r->router == NULL)
		start_router(r);
}

/* ---- crashes ---- */

enum cluster_phase cluster_phase_of(const struct shard_node *s)
{
	if (s->server == NULL || s->has_ended)
		return CLUSTER_PHASES;
	switch (s->server->life) {
	case SERVER_LOCKING:
		return s->is_recovering ? CLUSTER_RECOVERING : CLUSTER_STARTING;
	case SERVER_OPENING:
		return CLUSTER_RECOVERING;
	case SERVER_SERVING:
		return s->server->is_snap_open && log_snap_io_is_busy(&s->server->snap)
			       ? CLUSTER_SNAPSHOTTING
			       : CLUSTER_SERVING;
	case SERVER_STOPPING:
	case SERVER_SEALING:
	case SERVER_FLUSHING:
		return CLUSTER_STOPPING;
	default:
		return CLUSTER_PHASES;
	}
}

void cluster_mark(struct cluster *c, enum cluster_mark mark)
{
	kr_assert((unsigned)mark < CLUSTER_MARKS);
	c->marks[mark]++;
	for (uint32_t i = 0; i < c->shard_count; i++) {
		const enum cluster_phase phase = cluster_phase_of(&c->shards[i]);
		if (phase != CLUSTER_PHASES)
			c->pairs[SIM_MARK_COUNT + mark][phase]++;
	}
}

bool cluster_may_crash(const struct cluster *c)
{
	return !c->plan.has_crash_limit || c->crash_count < c->plan.crashes_max;
}

void cluster_faults_set(struct cluster *c, const struct sim_faults *faults)
{
	c->faults = *faults;
	if (!cluster_may_crash(c))
		c->faults.crash_kill = c->faults.crash_power = 0;
	struct sim_faults now = c->faults;
	if (c->is_aimed)
		aim_faults(c, &now);
	sim_world_faults_set(c->world, &now);
}

static void count_crash(struct cluster *c)
{
	c->crash_count++;
	if (cluster_may_crash(c))
		return;
	cluster_faults_set(c, &c->faults);
	for (uint32_t i = 0; i < c->shard_count; i++)
		if (sim_node_is_alive(c->shards[i].node))
			sim_node_crash_at(c->shards[i].node, 0, SIM_CRASH_NONE);
}

static void on_crash(void *context, struct sim_node *node, enum sim_crash how)
{
	struct cluster *c = context;
	if (rival_crashed(c, node))
		return;
	count_crash(c);
	const uint64_t again = sim_world_now_us(c->world) + 1 + rng_below(&c->rng, 2 * RESTART_US);
	for (uint32_t i = 0; i < c->shard_count; i++) {
		struct shard_node *s = &c->shards[i];
		if (s->node != node)
			continue;
		cluster_tell(
			c, "shard %u: %s", i, how == SIM_POWER ? "loses its power" : "is killed");
		s->crash_count++;
		if (c->on_death != NULL && !s->is_refused)
			c->on_death(c, i);
		drop_shard(s, false);
		swarm_died(s);
		sim_world_call_at(c->world, again, restart_shard, s);
	}
	for (uint32_t i = 0; i < c->router_count; i++) {
		struct router_node *r = &c->routers[i];
		if (r->node != node || r->host != NULL)
			continue;
		cluster_tell(c, "router %u: is killed", i);
		r->crash_count++;
		swarm_router_ends(c, r->router);
		r->router = router_free(r->router);
		sim_world_call_at(c->world, again, restart_router, r);
	}
}

/* A crash inside a call is told when it hits; the process's own end comes before its death. */
static void count_pair(struct cluster *c, struct sim_node *node, enum sim_mark mark)
{
	for (uint32_t i = 0; i < c->shard_count; i++) {
		struct shard_node *s = &c->shards[i];
		if (node == NULL || s->node != node)
			continue;
		/* The connection may be the router's. */
		if (mark >= SIM_NET_SPLIT && mark <= SIM_NET_PARTITION && inside_of(s) != NULL)
			continue;
		enum cluster_phase phase = cluster_phase_of(s);
		if (mark == SIM_CRASH_IN_CALL)
			s->hurt_phase = phase;
		else if ((mark == SIM_CRASH_KILL || mark == SIM_CRASH_POWER) &&
			 s->hurt_phase != CLUSTER_PHASES)
			phase = s->hurt_phase;
		if (phase != CLUSTER_PHASES)
			c->pairs[mark][phase]++;
	}
}

/* Faults of the media that a node met; late writes are nobody's, so anybody's. */
static void on_mark(void *context, struct sim_node *node, enum sim_mark mark)
{
	struct cluster *c = context;
	count_pair(c, node, mark);
	if (mark != SIM_DISK_WRITE_LOST && mark != SIM_DISK_WRITE_ASTRAY && mark != SIM_DISK_ROT &&
		mark != SIM_DISK_READ_FLIP && mark != SIM_DISK_READ_ERROR)
		return;
	for (uint32_t i = 0; i < c->shard_count; i++)
		if (node == NULL || c->shards[i].node == node)
			cluster_damaged(c, i, FAULT_REACH);
}

/* ---- what the seed decides ---- */

/* A fault is on in a third of the seeds, so that each meets each in peace and in a crowd. */
static uint32_t rate(struct cluster_plan *p, uint32_t per_million)
{
	return rng_below(&p->rng, 3) == 0 ? 1 + (uint32_t)rng_below(&p->rng, per_million) : 0;
}

static void draw_world(struct cluster_plan *p)
{
	struct sim_config *config = &p->world;
	sim_config_default(config);
	config->seed = p->seed;
	/* In half of the worlds the hotels' day turns while they are loaded. */
	if (rng_below(&p->rng, 2) == 0)
		config->wall_start_us += ROLL_US - (int64_t)rng_below(&p->rng, ROLL_WITHIN_US);
	config->net_delay_us[0] = 20;
	config->net_delay_us[1] = 100 + (uint32_t)rng_below(&p->rng, 3000);
	config->net_spike_us = 1000000;
	config->disk_delay_us[0] = 50;
	config->disk_delay_us[1] = 200 + (uint32_t)rng_below(&p->rng, 3000);
	config->disk_spike_us = 500000;
	config->pause_us[0] = 1000;
	config->pause_us[1] = 3000000;
	config->wall_step_us = 2000000;
	config->faults = (struct sim_faults){
		.net_split = rate(p, 200000),
		.net_spike = rate(p, 3000),
		.net_reset = rate(p, 2000),
		.net_silence = rate(p, 300),
		.net_flip = rate(p, 500),
		.disk_spike = rate(p, 2000),
		.disk_short = rate(p, 50000),
		.disk_sync_error = rate(p, 500),
		.disk_write_error = rate(p, 300),
		.crash_kill = rate(p, 1000),
		.crash_power = rate(p, 1000),
		.pause = rate(p, 200),
		.wall_step = rate(p, 200),
		.fate_kept = 1,
		.fate_dropped = 1,
		.fate_torn = 1,
		.fate_zeroed = (uint32_t)rng_below(&p->rng, 2),
		.fate_garbage = (uint32_t)rng_below(&p->rng, 2),
	};
}

/* Drawn apart, so that it changes nothing else. Most seeds keep their media whole. */
static void draw_media(struct cluster_plan *p)
{
	struct rng rng;
	rng_init(&rng, p->seed ^ UINT64_C(0x6d65646961));
	if (rng_below(&rng, 2) == 0)
		p->strike_tail = 1 + (uint32_t)rng_below(&rng, 60);
	const uint64_t kind = rng_below(&rng, 8);
	p->has_damage = kind <= 3;
	if (kind < 3)
		p->strike_rest = 60 + (uint32_t)rng_below(&rng, 40);
	if (kind < 2 || kind > 3)
		return;
	struct sim_faults *m = &p->media;
	uint32_t *const writes[] = {&m->disk_write_lost, &m->disk_write_astray, &m->disk_rot};
	for (uint32_t i = 0; i < KR_ARRAY_COUNT(writes); i++)
		if (rng_below(&rng, 2) == 0)
			*writes[i] = 2000 + (uint32_t)rng_below(&rng, 10000);
	if (rng_below(&rng, 2) == 0)
		m->disk_read_flip = (uint32_t)rng_below(&rng, 50000);
	if (rng_below(&rng, 2) == 0)
		m->disk_read_error = (uint32_t)rng_below(&rng, 50000);
}

static void draw_server(struct cluster_plan *p, const struct tz_db *tz)
{
	struct server_config *s = &p->server;
	server_config_default(s);
	s->directory = "/shard";
	s->segment_size_bytes = UINT64_C(5) << 18;
	s->log.stop_room_bytes = UINT64_C(1) << 20;
	s->conn_max_count = 32;
	s->no_huge_pages = true;
	s->tz = tz;
	s->lock_wait_us = SERVER_LOCK_WAIT_US;
	s->shard.cluster = CLUSTER_ID;
	s->shard.shard_count = p->shard_count;
	s->shard.map_epoch = 1;
	s->shard.snapshot_effects = 20 + rng_below(&p->rng, 300);
	s->shard.inventory = (struct inv_config){
		.hotels_max = 8,
		.rows_max = 32,
		.plans_max = 14,
		.window_nights = 14,
		.reservations_max = 48 + (uint32_t)rng_below(&p->rng, 200),
		.nodes_max = 256 + (uint32_t)rng_below(&p->rng, 1000),
		.refusals_max = 8192,
		.denials_max = 64,
		.stock_runs_max = 256,
		.retention_us = UINT64_C(20000000) + rng_below(&p->rng, 20000000),
		.grace_us = 2000000,
	};
}

/* Drawn apart. In half of the worlds logs have several segments, of some dozens of batches. */
static void draw_log(struct cluster_plan *p)
{
	struct rng rng;
	rng_init(&rng, p->seed ^ UINT64_C(0x7365676d656e74));
	if (rng_below(&rng, 2) == 0)
		p->server.segment_size_bytes = UINT64_C(1) << (16 + rng_below(&rng, 2));
	kr_assert(p->server.segment_size_bytes % LOG_BLOCK_SIZE == 0);
}

void cluster_plan_draw(struct cluster_plan *p, const struct tz_db *tz, uint64_t seed)
{
	memset(p, 0, sizeof(*p));
	rng_init(&p->rng, seed ^ UINT64_C(0x6b657972));
	p->seed = seed;
	p->shard_count = 1 + (uint32_t)rng_below(&p->rng, CLUSTER_SHARDS_MAX);
	p->router_count = 1 + (uint32_t)rng_below(&p->rng, CLUSTER_ROUTERS_MAX);
	p->client_count = 1 + (uint32_t)rng_below(&p->rng, CLUSTER_CLIENTS_MAX);
	p->router_window = 64;
	p->router_wait_frames = 12; /* so that OVERLOADED is common */
	p->operations_max = p->crashes_max = UINT64_MAX;
	p->safety_us = SAFETY_US;
	for (uint32_t i = 0; i < CLUSTER_TROUBLES; i++)
		p->troubles[i] = 1;
	draw_world(p);
	draw_media(p);
	draw_server(p, tz);
	draw_log(p);
	aim_draw(p);
	swarm_draw(p);
	inside_draw(p);
}

void cluster_open(struct cluster *c, const struct cluster_plan *plan)
{
	kr_assert(plan->shard_count <= CLUSTER_SHARDS_MAX);
	kr_assert(plan->router_count <= CLUSTER_ROUTERS_MAX);
	memset(c, 0, sizeof(*c));
	c->plan = *plan;
	c->plan.world.on_crash = on_crash;
	c->plan.world.on_mark = on_mark;
	c->plan.world.frame_size = frame_size;
	c->plan.world.context = c;
	c->rng = plan->rng;
	rng_init(&c->rng_media, plan->seed ^ UINT64_C(0x737472696b65));
	rng_init(&c->rng_swarm, plan->world.seed ^ UINT64_C(0x68657264));
	c->shard_count = plan->shard_count;
	c->router_count = plan->router_count;
	c->client_count = plan->client_count;
	c->world = sim_world_new(&c->plan.world);
	cluster_faults_set(c, &plan->world.faults);
	for (uint32_t i = 0; i < c->shard_count; i++) {
		struct shard_node *s = &c->shards[i];
		*s = (struct shard_node){.cluster = c, .number = i};
		s->disk = sim_disk_new(c->world, 0);
		s->node = sim_node_new(c->world, s->disk, i == 0 ? "shard 0" : "shard 1");
	}
	for (uint32_t i = 0; i < c->router_count; i++) {
		struct router_node *r = &c->routers[i];
		*r = (struct router_node){.cluster = c, .number = i};
		if (i == 0 && plan->router_inside != 0)
			r->host = &c->shards[0];
		r->node = r->host != NULL
				  ? r->host->node
				  : sim_node_new(c->world, NULL, i == 0 ? "router 0" : "router 1");
	}
}

void cluster_start(struct cluster *c)
{
	for (uint32_t i = 0; i < c->shard_count; i++)
		if (c->shards[i].server == NULL)
			start_shard(&c->shards[i]);
	for (uint32_t i = 0; i < c->router_count; i++)
		if (c->routers[i].router == NULL && c->routers[i].host == NULL)
			start_router(&c->routers[i]);
}

void cluster_close(struct cluster *c)
{
	rival_close(c);
	stranger_close(c);
	for (uint32_t i = 0; i < c->router_count; i++)
		if (c->routers[i].router != NULL)
			c->routers[i].router = router_free(c->routers[i].router);
	for (uint32_t i = 0; i < c->shard_count; i++) {
		struct shard_node *s = &c->shards[i];
		const bool has_loop = s->server != NULL && s->has_ended;
		drop_shard(s, s->has_ended);
		/* It sees to it that nothing was left open. */
		if (has_loop && sim_node_loop(s->node) != NULL)
			s->loop = io_loop_free(s->loop);
	}
	c->world = sim_world_free(c->world);
}

void cluster_calm(struct cluster *c)
{
	const struct sim_faults none = {.fate_kept = 1, .fate_dropped = 1};
	cluster_faults_set(c, &none);
	swarm_calm(c);
	c->is_media_on = false;
	for (uint32_t i = 0; i < c->shard_count; i++) {
		sim_disk_capacity_set(c->shards[i].disk, 0);
		if (sim_node_is_alive(c->shards[i].node))
			sim_node_crash_at(c->shards[i].node, 0, SIM_CRASH_NONE);
	}
	for (uint32_t i = 0; i < c->shard_count; i++)
		for (uint32_t j = 0; j < c->router_count; j++)
			if (c->routers[j].host != &c->shards[i])
				sim_node_partition(c->shards[i].node, c->routers[j].node, false);
	cluster_tell(c, "the faults stop");
}

bool cluster_is_serving(const struct cluster *c)
{
	for (uint32_t i = 0; i < c->shard_count; i++)
		if (!c->shards[i].is_refused &&
			(c->shards[i].server == NULL || !c->shards[i].is_ready))
			return false;
	for (uint32_t i = 0; i < c->router_count; i++) {
		const struct router_node *r = &c->routers[i];
		if (r->router == NULL || (r->host != NULL && r->host->is_refused))
			return false;
	}
	return true;
}

struct inv *cluster_inventory(struct cluster *c, uint32_t shard)
{
	kr_assert(c->shards[shard].server != NULL);
	return shard_inventory(c->shards[shard].server->shard);
}

void cluster_restart_shard(struct cluster *c, uint32_t shard)
{
	struct shard_node *s = &c->shards[shard];
	kr_assert(s->server != NULL && s->is_ready);
	cluster_tell(c, "shard %u: is stopped, to be started again", shard);
	s->is_ready = false;
	s->is_restarting = true;
	inside_stop(s);
}

void cluster_stop_shards(struct cluster *c)
{
	const uint64_t until = sim_world_now_us(c->world) + 60000000;
	for (uint32_t i = 0; i < c->shard_count; i++)
		if (c->shards[i].server != NULL)
			inside_stop(&c->shards[i]);
	for (uint32_t i = 0; i < c->shard_count; i++)
		while (c->shards[i].server != NULL && !c->shards[i].has_ended) {
			if (!sim_world_step(c->world) || sim_world_now_us(c->world) > until)
				cluster_fail(c, "shard %u does not stop", i);
		}
}
