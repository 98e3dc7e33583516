/*
 * keyrack-sim-points: one small life of a cluster, run again for every passing of every fault
 * point, once with the point firing at that passing alone and once from there on.
 *
 *   keyrack-sim-points                      every point, every passing, until one is never reached
 *   keyrack-sim-points --of shard --point file_sync --nth 3 [--lasting] --trace     one, told
 *
 * Whoever meets a failure goes on, or ends with a sentence and is started again; a lasting failure
 * is mended after a while. Then nothing is armed any more: all that was acknowledged is there, the
 * state is the model's, a stop and a start show the same, and nothing is left open or allocated.
 */
#include <argp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/tz_load.h"
#include "tests/sim/media.h"
#include "tests/sim/oracle.h"
#include "tests/sim/witness.h"

#define SEED 7u
#define OPERATIONS 120u
#define OPERATIONS_LONG 600u
#define WATCH_US UINT64_C(20000)
#define LASTING_US UINT64_C(2500000) /* several starts fail */
#define PATIENCE_US UINT64_C(300000000)
#define NTH_MAX 100000u

enum kind { KIND_SHARD, KIND_ROUTER, KIND_CLIENT, KINDS };
static const char *const kind_names[KINDS] = {"shard", "router", "client"};

/* Who passes which: what is not here must never be passed, what is must be. */
static const uint32_t kind_points[KINDS] = {
	[KIND_SHARD] = (1u << FAULT_STREAM_CONNECT) - 1u - (1u << FAULT_DIRECTORY_SPACE) +
		       (1u << FAULT_STREAM_RECEIVE) + (1u << FAULT_STREAM_SEND),
	[KIND_ROUTER] = 1u << FAULT_LISTENER_BIND | 1u << FAULT_MEMORY_RESERVE |
			1u << FAULT_STREAM_ACCEPT | 1u << FAULT_STREAM_CONNECT |
			1u << FAULT_STREAM_OPEN | 1u << FAULT_STREAM_RECEIVE |
			1u << FAULT_STREAM_SEND,
	[KIND_CLIENT] = 1u << FAULT_STREAM_CONNECT | 1u << FAULT_STREAM_OPEN |
			1u << FAULT_STREAM_RECEIVE | 1u << FAULT_STREAM_SEND,
};

struct options {
	uint32_t kinds, points; /* bits */
	uint64_t nth;           /* 0: all */
	bool is_lasting, is_told;
	uint64_t operations;
	const struct tz_db *tz;
};

struct story {
	struct cluster cluster;
	struct fault_set faults;
	const struct options *options;
	enum kind kind;
	enum fault_point point;
	uint64_t nth;
	bool is_lasting;
	uint64_t fired_us; /* first seen to have fired; 0: not yet */
};

struct tally {
	uint64_t runs, passings, excuses, starts, refusals;
};

/* ---- nothing is left ---- */

static uint32_t region_count;

int __real_kr_memory_reserve(struct kr_memory *memory, size_t size_bytes, unsigned flags,
	struct fault_set *faults, struct kr_error_text *text);
int __wrap_kr_memory_reserve(struct kr_memory *memory, size_t size_bytes, unsigned flags,
	struct fault_set *faults, struct kr_error_text *text);
void __real_kr_memory_release(struct kr_memory *memory);
void __wrap_kr_memory_release(struct kr_memory *memory);

int __wrap_kr_memory_reserve(struct kr_memory *memory, size_t size_bytes, unsigned flags,
	struct fault_set *faults, struct kr_error_text *text)
{
	const int r = __real_kr_memory_reserve(memory, size_bytes, flags, faults, text);
	kr_assert(r <= 0);
	region_count += r == 0;
	return r;
}

void __wrap_kr_memory_release(struct kr_memory *memory)
{
	kr_assert(memory->mapping == NULL || region_count > 0);
	region_count -= memory->mapping != NULL;
	__real_kr_memory_release(memory);
}

/* ---- a life ---- */

static char again[CLUSTER_AGAIN_SIZE + 2];

/* Assertions of the product do not know how they were reached. */
static void on_abort(int number)
{
	kr_assert(number == SIGABRT);
	const ssize_t r = write(STDOUT_FILENO, again, strlen(again));
	(void)r;
}

/* One shard with an archive, one router, one client, one hotel; nothing but the point fails. */
static void plan_make(struct story *st, struct cluster_plan *p)
{
	struct sim_config defaults;
	cluster_plan_draw(p, st->options->tz, SEED);
	sim_config_default(&defaults);
	p->shard_count = p->router_count = p->client_count = p->hotel_count = 1;
	p->server.shard.shard_count = 1;
	p->server.shard.snapshot_effects = 12;
	p->server.segment_size_bytes = UINT64_C(1) << 16;
	p->server.archive = "/archive";
	p->server.archive_retry_us = 200000;
	p->server.lock_wait_us = 1000000;
	p->world.wall_start_us = defaults.wall_start_us;
	p->world.faults = (struct sim_faults){.fate_torn = 1};
	p->media = (struct sim_faults){0};
	p->strike_tail = p->strike_rest = p->aim = p->booking_from = p->router_inside = 0;
	p->has_damage = st->point == FAULT_FILE_READ;
	p->operations_max = st->options->operations;
	p->is_told = st->options->is_told;
	snprintf(p->again, sizeof(p->again),
		"keyrack-sim-points --of %s --point %s --nth %llu%s --operations %llu --trace",
		kind_names[st->kind], fault_name(st->point), (unsigned long long)st->nth,
		st->is_lasting ? " --lasting" : "", (unsigned long long)st->options->operations);
}

/* What lasts is mended after a while. */
static void watch(void *context)
{
	struct story *st = context;
	struct cluster *c = &st->cluster;
	const uint64_t now_us = sim_world_now_us(c->world);
	if (st->fired_us == 0 && st->faults.fired_count[st->point] > 0) {
		st->fired_us = now_us;
		cluster_tell(c, "the point has fired: %s", fault_text(st->point));
	}
	if (st->is_lasting && st->fired_us != 0 && now_us > st->fired_us + LASTING_US &&
		st->faults.countdown[st->point] > 0) {
		fault_disarm(&st->faults, st->point);
		cluster_tell(c, "what has failed is mended");
	}
	sim_world_call_at(c->world, now_us + WATCH_US, watch, st);
}

static struct story *story_of(struct cluster *c)
{
	return kr_container_of(c, struct story, cluster);
}

static void on_ready(struct cluster *c, uint32_t shard)
{
	kr_assert(shard == 0 && c->shards[0].is_ready);
	witness_ready(shard);
}

/* Refused, and nothing written; the disk is mended before it is refused for good. */
static void on_refusal(struct cluster *c, uint32_t shard)
{
	struct story *st = story_of(c);
	kr_assert(st->point == FAULT_FILE_READ);
	if (c->shards[shard].refusal_count > 0)
		fault_disarm(&st->faults, st->point);
}

static void on_damage(struct cluster *c, uint32_t shard, uint32_t reach)
{
	kr_assert(story_of(c)->point == FAULT_FILE_READ);
	witness_damage(shard, reach);
}

static void step(struct cluster *c, uint64_t until_us)
{
	if (!sim_world_step(c->world))
		cluster_fail(c, "nothing will ever happen again");
	if (sim_world_now_us(c->world) > until_us)
		cluster_fail(c, "it does not resolve");
}

static bool is_settled(const struct cluster *c)
{
	return client_is_idle(c->clients[0]) && cluster_is_serving(c);
}

static void settle(struct cluster *c)
{
	const uint64_t until_us = sim_world_now_us(c->world) + PATIENCE_US;
	while (!is_settled(c))
		step(c, until_us);
}

static void load(struct cluster *c, uint64_t operations)
{
	const uint64_t until_us = sim_world_now_us(c->world) + PATIENCE_US;
	client_load(c->clients[0], true);
	while (c->operation_count < operations)
		step(c, until_us);
	client_load(c->clients[0], false);
}

static void restart_shard(struct cluster *c)
{
	struct shard_node *s = &c->shards[0];
	const uint64_t until_us = sim_world_now_us(c->world) + PATIENCE_US;
	while (!cluster_is_serving(c))
		step(c, until_us);
	const uint64_t ready_count = s->ready_count;
	cluster_restart_shard(c, 0);
	while (s->ready_count == ready_count)
		step(c, until_us);
}

static void stop_router(struct cluster *c)
{
	struct router_node *r = &c->routers[0];
	const uint64_t until_us = sim_world_now_us(c->world) + PATIENCE_US;
	while (r->router == NULL)
		step(c, until_us);
	router_stop(r->router);
	while (!router_is_stopped(r->router))
		step(c, until_us);
	r->router = router_free(r->router);
	r->loop = io_loop_free(r->loop);
}

/* The machine loses its power with work under way, and is there again. */
static void cut_power(struct cluster *c)
{
	struct shard_node *s = &c->shards[0];
	const uint64_t until_us = sim_world_now_us(c->world) + PATIENCE_US;
	while (!cluster_is_serving(c))
		step(c, until_us);
	sim_node_crash(s->node, SIM_POWER);
}

/* Sales before, between and after a stop and a power cut; then all outcomes. */
static void live(struct cluster *c)
{
	c->clients[0] = client_new(c, 0);
	client_prepare(c->clients[0]);
	load(c, c->plan.operations_max / 3);
	restart_shard(c);
	stop_router(c);
	cluster_start(c);
	load(c, c->plan.operations_max * 2 / 3);
	cut_power(c);
	load(c, c->plan.operations_max);
	for (int round = 0; round < 4; round++) {
		settle(c);
		client_settle(c->clients[0]);
	}
	settle(c);
}

/* Nothing fails any more. */
static void verify(struct cluster *c)
{
	client_settle(c->clients[0]);
	settle(c);
	oracle_final(c);
	restart_shard(c);
	settle(c);
	oracle_final(c);
	cluster_stop_shards(c);
	stop_router(c);
}

static uint64_t tell_story(struct story *st, struct tally *tally)
{
	struct cluster *c = &st->cluster;
	struct cluster_plan plan;
	plan_make(st, &plan);
	snprintf(again, sizeof(again), "%s\n", plan.again);
	fault_set_init(&st->faults);
	fault_arm(&st->faults, st->point, st->nth, st->is_lasting);
	cluster_open(c, &plan);
	c->on_ready = on_ready;
	c->on_refusal = on_refusal;
	c->on_damage = on_damage;
	c->digest = media_digest;
	c->shard_faults = st->kind == KIND_SHARD ? &st->faults : NULL;
	c->router_faults = st->kind == KIND_ROUTER ? &st->faults : NULL;
	c->client_faults = st->kind == KIND_CLIENT ? &st->faults : NULL;
	witness_open(c);
	watch(st);
	cluster_start(c);
	live(c);
	fault_disarm(&st->faults, st->point);
	verify(c);
	tally->runs++;
	tally->excuses += c->excuse_count;
	tally->starts += c->shards[0].ready_count;
	tally->refusals += c->refusal_count;
	cluster_close(c);
	witness_close();
	c->clients[0] = client_free(c->clients[0]);
	kr_assert(region_count == 0); /* nobody keeps memory */
	return st->faults.fired_count[st->point];
}

/* ---- every passing ---- */

static void sweep_one(const struct options *o, enum kind kind, enum fault_point point,
	bool is_lasting, struct tally *tally)
{
	for (uint64_t nth = 1; nth < NTH_MAX; nth++) {
		struct story *st = calloc(1, sizeof(*st));
		kr_assert(st != NULL);
		st->options = o;
		st->kind = kind;
		st->point = point;
		st->nth = o->nth != 0 ? o->nth : nth;
		st->is_lasting = is_lasting;
		const bool has_fired = tell_story(st, tally) > 0;
		free(st);
		tally->passings += has_fired;
		if (!has_fired || o->nth != 0)
			return;
	}
	kr_unreachable();
}

static int sweep(const struct options *o, enum kind kind, enum fault_point point)
{
	struct tally once = {0}, lasting = {0};
	const bool is_passed = (kind_points[kind] & 1u << point) != 0;
	if (o->nth == 0 || !o->is_lasting)
		sweep_one(o, kind, point, false, &once);
	if (o->nth == 0 || o->is_lasting)
		sweep_one(o, kind, point, true, &lasting);
	if (o->nth == 0 && is_passed != (once.passings > 0)) {
		printf("%s: %s %s\n", kind_names[kind], fault_name(point),
			is_passed ? "is never passed" : "is passed, which nobody expects");
		return 1;
	}
	if (once.passings + lasting.passings > 0)
		printf("%-7s %-16s %6llu once %6llu lasting %6llu ended %6llu starts %4llu "
		       "refused\n",
			kind_names[kind], fault_name(point), (unsigned long long)once.passings,
			(unsigned long long)lasting.passings,
			(unsigned long long)(once.excuses + lasting.excuses),
			(unsigned long long)(once.starts + lasting.starts),
			(unsigned long long)(once.refusals + lasting.refusals));
	fflush(stdout);
	return 0;
}

static int run(const struct options *o)
{
	int failed = 0;
	for (uint32_t kind = 0; kind < KINDS; kind++)
		for (uint32_t point = 0; point < FAULT_COUNT; point++)
			if ((o->kinds & 1u << kind) && (o->points & 1u << point))
				failed += sweep(o, (enum kind)kind, (enum fault_point)point);
	return failed != 0;
}

/* ---- the command ---- */

static error_t option(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	uint32_t bits = 0;
	switch (key) {
	case 'o':
		for (uint32_t i = 0; i < KINDS; i++)
			bits |= (strcmp(arg, kind_names[i]) == 0) << i;
		o->kinds = bits;
		break;
	case 'p':
		for (uint32_t i = 0; i < FAULT_COUNT; i++)
			bits |= (uint32_t)(strcmp(arg, fault_name((enum fault_point)i)) == 0) << i;
		o->points = bits;
		break;
	case 'n':
		o->nth = strtoull(arg, NULL, 10);
		return 0;
	case 'l':
		o->is_lasting = true;
		return 0;
	case 't':
		o->is_told = true;
		return 0;
	case 'O':
		o->operations = strtoull(arg, NULL, 10);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	if (bits == 0)
		argp_error(state, "there is no %s", arg);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct argp_option words[] = {
		{"of", 'o', "KIND", 0, "shard, router or client alone", 0},
		{"point", 'p', "NAME", 0, "one point alone", 0},
		{"nth", 'n', "N", 0, "one passing alone", 0},
		{"lasting", 'l', NULL, 0, "with --nth: it fires from then on", 0},
		{"operations", 'O', "N", 0, "how much is sold and asked", 0},
		{"trace", 't', NULL, 0, "tell the story in virtual time", 0},
		{0},
	};
	static const struct argp argp = {words, option, NULL,
		"Fails every passing of every fault point of a small cluster, one after the other.",
		NULL, NULL, NULL};
	struct options o = {.kinds = (1u << KINDS) - 1, .points = (1u << FAULT_COUNT) - 1};
	struct tz_db tz;
	o.operations = getenv("KEYRACK_LONG") != NULL ? OPERATIONS_LONG : OPERATIONS;
	argp_parse(&argp, argc, argv, 0, NULL, &o);
	if (tz_load(TZ_FOLDER, &tz) != 0) {
		puts("tzdata is missing");
		return 2;
	}
	o.tz = &tz;
	signal(SIGABRT, on_abort);
	const int r = run(&o);
	tz_free(&tz);
	return r;
}
