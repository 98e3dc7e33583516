/*
 * keyrack-sim: routers, shards and clients in one process, on a simulated clock, disk and network.
 *
 *   keyrack-sim --seed N [--trace]     one world, told if asked
 *   keyrack-sim --seeds A..B           many, each twice: the same seed gives the same trace hash
 *   keyrack-sim --seeds A..B --twice N   only the first N of them twice
 *   keyrack-sim --list FILE            the seeds of a file, one a line
 *   keyrack-sim --seed N --minimise    what of a failing seed is needed for it to fail
 *
 * Two phases: safety, in which anything of the seed's faults may happen and answers must be right;
 * then liveness, in which the faults stop and everything must resolve. Exit status: 0 all held; a
 * seed that fails ends the program with the command that shows it again.
 */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/tz_load.h"
#include "tests/sim/coverage.h"
#include "tests/sim/media.h"
#include "tests/sim/minimise.h"
#include "tests/sim/oracle.h"
#include "tests/sim/swarm.h"
#include "tests/sim/trouble.h"
#include "tests/sim/witness.h"

#define LIVENESS_US UINT64_C(240000000)

static void run_until(struct cluster *c, uint64_t until_us)
{
	while (sim_world_now_us(c->world) < until_us) {
		swarm_take_aim(c);
		swarm_watch(c);
		if (!sim_world_step(c->world))
			cluster_fail(c, "nothing will ever happen again");
	}
}

static void safety(struct cluster *c)
{
	c->safety_end_us = sim_world_now_us(c->world) + c->plan.safety_us;
	for (uint32_t i = 0; i < c->client_count; i++)
		client_load(c->clients[i], true);
	media_begin(c);
	while (sim_world_now_us(c->world) < c->safety_end_us) {
		const uint64_t next = sim_world_now_us(c->world) + TROUBLE_EVERY_US;
		run_until(c, KR_MIN(c->safety_end_us, next));
		if (next >= c->lull_until_us)
			trouble(c);
	}
}

static bool is_settled(const struct cluster *c)
{
	for (uint32_t i = 0; i < c->client_count; i++)
		if (!client_is_idle(c->clients[i]))
			return false;
	return cluster_is_serving(c);
}

static void liveness(struct cluster *c)
{
	const uint64_t end = sim_world_now_us(c->world) + LIVENESS_US;
	for (uint32_t i = 0; i < c->client_count; i++)
		client_load(c->clients[i], false);
	cluster_calm(c);
	for (int round = 0; round < 4; round++) {
		while (!is_settled(c)) {
			run_until(c, sim_world_now_us(c->world) + 100000);
			if (sim_world_now_us(c->world) > end)
				cluster_fail(c, "it does not resolve");
		}
		for (uint32_t i = 0; i < c->client_count; i++)
			client_settle(c->clients[i]);
	}
	while (!is_settled(c))
		run_until(c, sim_world_now_us(c->world) + 100000);
}

/* The shards stop cleanly and start again: what they wrote must show the same state. */
static void stop_and_start(struct cluster *c)
{
	uint64_t digests[CLUSTER_SHARDS_MAX];
	cluster_stop_shards(c);
	for (uint32_t i = 0; i < c->shard_count; i++) {
		if (c->shards[i].server == NULL)
			continue;
		digests[i] = inv_digest(cluster_inventory(c, i));
		sim_world_trace_add(c->world, &digests[i], sizeof(digests[i]));
	}
	oracle_final(c);
}

static void on_ready(struct cluster *c, uint32_t shard)
{
	(void)c;
	witness_ready(shard);
	media_forget(shard);
}

/* What was struck comes back from a copy: then everything acknowledged must be there again. */
static void on_refusal(struct cluster *c, uint32_t shard)
{
	const uint32_t reach = media_undo(c, shard);
	c->repair_count += reach > 0;
	witness_repair(shard, reach);
}

static void on_strike(struct cluster *c, uint32_t shard)
{
	(void)c;
	witness_struck(shard);
}

static void on_damage(struct cluster *c, uint32_t shard, uint32_t reach)
{
	(void)c;
	witness_damage(shard, reach);
}

struct options {
	uint64_t first, last;
	uint64_t twice_count; /* so many of the seeds run twice */
	FILE *hashes;         /* each seed's trace, one a line; or NULL */
	bool is_told, needs_coverage, is_canary, is_minimised;
	const char *list;
	struct trim trim;
	const struct tz_db *tz;
};

static void plan_make(
	struct cluster_plan *plan, const struct options *o, const struct trim *trim, uint64_t seed)
{
	char taken[CLUSTER_AGAIN_SIZE - 128];
	cluster_plan_draw(plan, o->tz, seed);
	plan->hotel_count = SIM_HOTELS;
	trim_apply(trim, plan);
	trim_print(trim, taken, sizeof(taken));
	snprintf(plan->again, sizeof(plan->again), "keyrack-sim --seed %llu%s%s --trace",
		(unsigned long long)seed, o->is_canary ? " --canary" : "", taken);
	plan->is_told = o->is_told;
	plan->is_canary = o->is_canary;
}

static uint64_t run_seed(const struct cluster_plan *plan,
	void (*on_fail)(struct cluster *cluster, const char *text), struct totals *totals)
{
	static struct cluster cluster;
	struct cluster *c = &cluster;
	cluster_open(c, plan);
	c->on_fail = on_fail;
	c->on_ready = on_ready;
	c->on_death = media_strike;
	c->on_damage = on_damage;
	c->on_strike = on_strike;
	c->on_refusal = on_refusal;
	c->digest = media_digest;
	witness_open(c);
	cluster_start(c);
	for (uint32_t i = 0; i < c->client_count; i++)
		c->clients[i] = client_new(c, i);
	client_prepare(c->clients[0]);
	safety(c);
	liveness(c);
	oracle_final(c);
	stop_and_start(c);
	const uint64_t trace = sim_world_trace(c->world);
	coverage_add(totals, c);
	cluster_close(c);
	witness_close();
	media_close();
	for (uint32_t i = 0; i < c->client_count; i++)
		c->clients[i] = client_free(c->clients[i]);
	return trace;
}

/* ---- the command ---- */

#define KEY_NUMBER 256 /* and those of enum trim_number after it */
#define KEY_STIR (KEY_NUMBER + TRIM_NUMBERS)
#define KEY_TWICE (KEY_STIR + 1)
#define KEY_HASHES (KEY_STIR + 2)

static error_t trim_option(int key, const char *arg, struct argp_state *state, struct trim *trim)
{
	bool is_right = false;
	if (key == 'f')
		is_right = trim_faults_parse(trim, arg);
	else if (key == KEY_STIR)
		is_right = trim_stir_parse(trim, arg);
	else if (key >= KEY_NUMBER && key < KEY_STIR)
		is_right = trim_number_parse(trim, (enum trim_number)(key - KEY_NUMBER), arg);
	else
		return ARGP_ERR_UNKNOWN;
	if (!is_right)
		argp_error(state, "%s is not understood here", arg);
	return 0;
}

static void hashes_open(struct options *o, const char *path, struct argp_state *state)
{
	o->hashes = fopen(path, "we");
	if (o->hashes == NULL)
		argp_error(state, "%s cannot be written", path);
}

static error_t option(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	char *end;
	switch (key) {
	case 's':
		o->first = o->last = strtoull(arg, NULL, 10);
		break;
	case 'S':
		o->first = strtoull(arg, &end, 10);
		if (strncmp(end, "..", 2) != 0)
			argp_error(state, "--seeds %s: A..B is meant", arg);
		o->last = strtoull(end + 2, NULL, 10);
		break;
	case 't':
		o->is_told = true;
		break;
	case 'l':
		o->list = arg;
		break;
	case 'c':
		o->needs_coverage = true;
		break;
	case 'm':
		o->is_minimised = true;
		break;
	case 'C':
		o->is_canary = true;
		break;
	case KEY_TWICE:
		o->twice_count = strtoull(arg, NULL, 10);
		break;
	case KEY_HASHES:
		hashes_open(o, arg, state);
		break;
	default:
		return trim_option(key, arg, state, &o->trim);
	}
	return 0;
}

static void run_one(const struct options *o, uint64_t seed, struct totals *totals)
{
	static struct totals ignored;
	struct cluster_plan plan;
	plan_make(&plan, o, &o->trim, seed);
	const bool is_twice = totals->seeds < o->twice_count;
	const uint64_t one = run_seed(&plan, NULL, totals);
	const uint64_t two = is_twice ? run_seed(&plan, NULL, &ignored) : one;
	if (one != two) {
		printf("seed %llu: %016llx, then %016llx: the world is not deterministic\n",
			(unsigned long long)seed, (unsigned long long)one, (unsigned long long)two);
		exit(1);
	}
	if (o->hashes != NULL)
		fprintf(o->hashes, "%llu %016llx\n", (unsigned long long)seed,
			(unsigned long long)one);
}

static void run_list(const struct options *o, struct totals *totals)
{
	char line[64];
	FILE *file = fopen(o->list, "re");
	if (file == NULL) {
		printf("%s cannot be read\n", o->list);
		exit(2);
	}
	while (fgets(line, sizeof(line), file) != NULL)
		if (line[0] >= '0' && line[0] <= '9')
			run_one(o, strtoull(line, NULL, 10), totals);
	fclose(file);
}

/* One world that fails, told if asked; in a process of its own when it is made small. */
static void fail_seed(const struct minimise *m, const struct trim *trim, bool is_told,
	void (*on_fail)(struct cluster *cluster, const char *text))
{
	static struct totals ignored;
	struct cluster_plan plan;
	plan_make(&plan, m->context, trim, m->seed);
	plan.is_told = is_told;
	(void)run_seed(&plan, on_fail, &ignored);
}

static int make_small(const struct options *o)
{
	struct cluster_plan plan;
	plan_make(&plan, o, &o->trim, o->first);
	struct minimise m = {.run = fail_seed, .context = o, .seed = o->first, .trim = o->trim};
	const int r = minimise(&m, &plan);
	if (r != 0) {
		printf("seed %llu does not fail\n", (unsigned long long)o->first);
		return r;
	}
	plan_make(&plan, o, &m.trim, o->first);
	printf("smallest: %s\n", plan.again);
	return minimise_tell(&m);
}

static int run(const struct options *o)
{
	static struct totals totals;
	struct cluster_plan plan;
	if (o->is_minimised)
		return make_small(o);
	if (o->list != NULL)
		run_list(o, &totals);
	for (uint64_t seed = o->first; o->list == NULL && seed <= o->last; seed++) {
		if (o->first != o->last) {
			run_one(o, seed, &totals);
			continue;
		}
		plan_make(&plan, o, &o->trim, seed);
		printf("trace %016llx\n", (unsigned long long)run_seed(&plan, NULL, &totals));
	}
	coverage_report_means(&totals, o->list != NULL || o->first != o->last ? o->twice_count : 0);
	coverage_report(&totals);
	return o->needs_coverage && coverage_missing(&totals) != 0;
}

int main(int argc, char **argv)
{
	static const struct argp_option words[] = {
		{"seed", 's', "N", 0, "one world", 0},
		{"seeds", 'S', "A..B", 0, "many, each twice", 0},
		{"twice", KEY_TWICE, "N", 0, "only the first N of them twice", 0},
		{"hashes", KEY_HASHES, "FILE", 0, "the trace of each into a file", 0},
		{"trace", 't', NULL, 0, "tell the story in virtual time", 0},
		{"list", 'l', "FILE", 0, "seeds that failed once, one a line", 0},
		{"coverage", 'c', NULL, 0, "fail unless every answer came up", 0},
		{"minimise", 'm', NULL, 0, "make a seed that fails small, and tell its story", 0},
		{"shards", KEY_NUMBER + TRIM_SHARDS, "N", 0, "at most so many", 1},
		{"routers", KEY_NUMBER + TRIM_ROUTERS, "N", 0, "at most so many", 1},
		{"clients", KEY_NUMBER + TRIM_CLIENTS, "N", 0, "at most so many", 1},
		{"hotels", KEY_NUMBER + TRIM_HOTELS, "N", 0, "at most so many", 1},
		{"operations", KEY_NUMBER + TRIM_OPERATIONS, "N", 0, "of all clients", 1},
		{"crashes", KEY_NUMBER + TRIM_CRASHES, "N", 0, "of all processes", 1},
		{"safety-ms", KEY_NUMBER + TRIM_SAFETY_MS, "N", 0,
			"virtual time in which faults happen", 1},
		{"faults", 'f', "NAME,...", 0,
			"of those the seed has drawn only these stay on, or none", 1},
		{"stir", KEY_STIR, "N", 0, "the same world with other draws", 1},
		{"canary", 'C', NULL, OPTION_HIDDEN, "one answer is heard wrongly", 1},
		{0},
	};
	static const struct argp argp = {words, option, NULL,
		"Simulates a Keyrack cluster under faults drawn from a seed.", NULL, NULL, NULL};
	struct options o = {.first = 1, .last = 1, .twice_count = UINT64_MAX};
	struct tz_db tz;
	trim_init(&o.trim);
	argp_parse(&argp, argc, argv, 0, NULL, &o);
	if (tz_load(TZ_FOLDER, &tz) != 0) {
		puts("tzdata is missing");
		return 2;
	}
	o.tz = &tz;
	const int r = run(&o);
	const bool is_written = o.hashes == NULL || fclose(o.hashes) == 0;
	tz_free(&tz);
	return is_written ? r : 2;
}
