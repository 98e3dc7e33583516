/*
 * keyrack-sim: routers, shards and clients in one process, on a simulated clock, disk and network.
 *
 *   keyrack-sim --seed N [--trace]     one world, told if asked
 *   keyrack-sim --seeds A..B           many, each twice: the same seed gives the same trace hash
 *   keyrack-sim --list FILE            the seeds of a file, one a line
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
#include "engine/log/record.h"
#include "tests/sim/media.h"
#include "tests/sim/oracle.h"
#include "tests/sim/witness.h"

#define SAFETY_US UINT64_C(20000000)
#define LIVENESS_US UINT64_C(240000000)
#define STRIKES_MIN 3
#define FAULTS_MIN 5
#define HITS_MIN 10 /* of each, by all seeds together */
#define DAY_US INT64_C(86400000000)

struct totals {
	uint64_t seeds, events, done, refused, transient, unknown, verified, crashes, virtual_us;
	uint64_t codes[256];
	uint64_t marks[SIM_MARK_COUNT];
	uint64_t strikes[MEDIA_STRIKES], refusals, repairs, given_up, cuts;
	uint64_t replaced, sold[2];
	uint64_t effects[INV_EFFECT_LAST + 1], asked[64], made[64], judgements;
};

static void run_until(struct cluster *c, uint64_t until_us)
{
	while (sim_world_now_us(c->world) < until_us)
		if (!sim_world_step(c->world))
			cluster_fail(c, "nothing will ever happen again");
}

/*
 * Days pass while the shards are down: their clocks are right, the wall's, at a start only. Not
 * while one is down already, so that it is not down for more than a week.
 */
static void days_pass(struct cluster *c)
{
	const int64_t days = rng_below(&c->rng, 4) == 0 ? 1 + (int64_t)rng_below(&c->rng, 5) : 1;
	const int64_t step = days * DAY_US + (int64_t)rng_below(&c->rng, 3) * 3600000000;
	if (!cluster_is_serving(c))
		return;
	for (uint32_t i = 0; i < c->client_count; i++)
		sim_node_wall_step(c->clients[i]->caller.node, step);
	for (uint32_t i = 0; i < c->router_count; i++)
		sim_node_wall_step(c->routers[i].node, step);
	for (uint32_t i = 0; i < c->shard_count; i++) {
		sim_node_wall_step(c->shards[i].node, step);
		sim_node_crash(
			c->shards[i].node, rng_below(&c->rng, 2) == 0 ? SIM_KILL : SIM_POWER);
	}
	cluster_tell(c, "%lld days pass", (long long)days);
}

/* Now and then a disk is full for a while, or a link is cut. */
static void trouble(struct cluster *c)
{
	const uint32_t shard = (uint32_t)rng_below(&c->rng, c->shard_count);
	struct sim_disk *disk = c->shards[shard].disk;
	switch (rng_below(&c->rng, 18)) {
	case 0:
	case 8:
	case 9:
		sim_disk_capacity_set(disk, KR_MAX(1, sim_disk_used_bytes(disk)));
		cluster_tell(c, "shard %u: the disk fills", shard);
		break;
	case 1:
		sim_disk_capacity_set(disk, 0);
		break;
	case 2:
		sim_node_partition(c->shards[shard].node, c->routers[0].node, true);
		cluster_tell(c, "shard %u is cut off router 0", shard);
		break;
	case 3:
		sim_node_partition(c->shards[shard].node, c->routers[0].node, false);
		break;
	case 4:
		if (sim_node_is_alive(c->shards[shard].node))
			sim_node_crash(c->shards[shard].node, SIM_KILL);
		break;
	case 5:
		if (sim_node_is_alive(c->shards[shard].node))
			sim_node_crash(c->shards[shard].node, SIM_POWER);
		break;
	case 6:
		if (sim_node_is_alive(c->routers[0].node))
			sim_node_crash(c->routers[0].node, SIM_KILL);
		break;
	case 7:
		if (sim_node_is_alive(c->shards[shard].node)) {
			const uint64_t nth = 1 + rng_below(&c->rng, 60);
			sim_node_crash_at(c->shards[shard].node, nth,
				rng_below(&c->rng, 2) == 0 ? SIM_KILL : SIM_POWER);
		}
		break;
	case 16:
		days_pass(c);
		break;
	default:
		break;
	}
}

static void safety(struct cluster *c)
{
	const uint64_t end = sim_world_now_us(c->world) + SAFETY_US;
	for (uint32_t i = 0; i < c->client_count; i++)
		client_load(c->clients[i], true);
	media_begin(c);
	while (sim_world_now_us(c->world) < end) {
		run_until(c, sim_world_now_us(c->world) + 500000);
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

static void add_up(struct totals *totals, const struct cluster *c)
{
	totals->seeds++;
	totals->events += sim_world_event_count(c->world);
	totals->virtual_us += sim_world_now_us(c->world);
	totals->verified += c->verify_count;
	for (int i = 0; i < SIM_MARK_COUNT; i++)
		totals->marks[i] += sim_world_mark_count(c->world, (enum sim_mark)i);
	for (uint32_t i = 1; i <= INV_EFFECT_LAST; i++)
		totals->effects[i] += witness_effects((enum inv_effect_kind)i);
	totals->judgements += witness_judgements();
	totals->replaced += witness_replaced();
	for (int i = 0; i < 2; i++)
		totals->sold[i] += witness_sold(i);
	for (uint32_t i = 0; i < c->shard_count; i++) {
		totals->crashes += c->shards[i].crash_count;
		totals->given_up += c->shards[i].is_refused;
	}
	for (uint32_t i = 0; i < MEDIA_STRIKES; i++)
		totals->strikes[i] += c->strikes[i];
	totals->refusals += c->refusal_count;
	totals->repairs += c->repair_count;
	totals->cuts += witness_cuts();
	for (uint32_t i = 0; i < c->client_count; i++) {
		const struct client *client = c->clients[i];
		totals->done += client->ops_done;
		totals->refused += client->ops_refused;
		totals->transient += client->ops_transient;
		totals->unknown += client->ops_unknown;
		for (unsigned k = 0; k < 256; k++)
			totals->codes[k] += client->codes[k];
		for (unsigned k = 0; k < 64; k++) {
			totals->asked[k] += client->asked_by_type[k];
			totals->made[k] += client->done_by_type[k];
		}
	}
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

static uint64_t run_seed(const struct tz_db *tz, uint64_t seed, bool is_told, struct totals *totals)
{
	static struct cluster cluster;
	struct cluster_plan plan;
	struct cluster *c = &cluster;
	cluster_plan_draw(&plan, tz, seed);
	plan.is_told = is_told;
	cluster_open(c, &plan);
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
	add_up(totals, c);
	cluster_close(c);
	witness_close();
	for (uint32_t i = 0; i < CLUSTER_SHARDS_MAX; i++)
		media_forget(i);
	for (uint32_t i = 0; i < c->client_count; i++)
		c->clients[i] = client_free(c->clients[i]);
	return trace;
}

/* ---- the command ---- */

struct options {
	uint64_t first, last;
	bool is_told, needs_coverage;
	const char *list;
};

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
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static void twice(const struct tz_db *tz, uint64_t seed, struct totals *totals)
{
	struct totals ignored = {0};
	const uint64_t one = run_seed(tz, seed, false, totals);
	const uint64_t two = run_seed(tz, seed, false, &ignored);
	if (one != two) {
		printf("seed %llu: %016llx, then %016llx: the world is not deterministic\n",
			(unsigned long long)seed, (unsigned long long)one, (unsigned long long)two);
		exit(1);
	}
}

static void run_list(const struct tz_db *tz, const char *path, struct totals *totals)
{
	char line[64];
	FILE *file = fopen(path, "re");
	if (file == NULL) {
		printf("%s cannot be read\n", path);
		exit(2);
	}
	while (fgets(line, sizeof(line), file) != NULL)
		if (line[0] >= '0' && line[0] <= '9')
			twice(tz, strtoull(line, NULL, 10), totals);
	fclose(file);
}

/* What this load cannot bring about, and why. */
static const unsigned codes_unreachable[] = {
	KEYRACK_FORBIDDEN, /* there is no operator's role yet */
	KEYRACK_MOVED,     /* slots do not move yet */
};
static const enum inv_effect_kind effects_unreachable[] = {
	INV_EFFECT_TRUNCATE, /* of replication, which is not built yet */
};

/* Faults of the disk and the crashes; those of the network are common. */
static const enum sim_mark marks_needed[] = {SIM_DISK_SPIKE, SIM_DISK_SHORT, SIM_DISK_READ_ERROR,
	SIM_DISK_READ_FLIP, SIM_DISK_WRITE_LOST, SIM_DISK_WRITE_ASTRAY, SIM_DISK_FULL, SIM_DISK_ROT,
	SIM_SECTOR_DROPPED, SIM_SECTOR_TORN, SIM_SECTOR_ZEROED, SIM_SECTOR_GARBAGE, SIM_NAME_LOST,
	SIM_LATE_WRITE, SIM_CRASH_KILL, SIM_CRASH_POWER, SIM_PAUSE, SIM_WALL_STEP};

static bool is_missing_code(const struct totals *t, unsigned code)
{
	for (size_t i = 0; i < KR_ARRAY_COUNT(codes_unreachable); i++)
		if (codes_unreachable[i] == code)
			return false;
	return code_class_of(code) != CODE_REJECT && t->codes[code] < HITS_MIN;
}

static bool is_missing_effect(const struct totals *t, enum inv_effect_kind kind)
{
	for (size_t i = 0; i < KR_ARRAY_COUNT(effects_unreachable); i++)
		if (effects_unreachable[i] == kind)
			return false;
	return t->effects[kind] < HITS_MIN;
}

/* What no run of many seeds may miss: every answer, every effect, every operation done. */
static int coverage(const struct totals *t)
{
	int missing = 0;
#define X(number, name, text)                                                                      \
	if (is_missing_code(t, number)) {                                                          \
		printf("answered too seldom: %s\n", #name);                                        \
		missing++;                                                                         \
	}
	KEYRACK_CODE_TABLE(X)
#undef X
	for (unsigned i = 1; i <= INV_EFFECT_LAST; i++)
		if (is_missing_effect(t, (enum inv_effect_kind)i)) {
			printf("too few effects: %s\n", record_kind_name(i));
			missing++;
		}
	for (unsigned i = 0; i < MEDIA_STRIKES; i++)
		if (t->strikes[i] < STRIKES_MIN) {
			printf("too few strikes: %s\n", media_strike_name((enum media_strike)i));
			missing++;
		}
	for (unsigned i = 0; i < KR_ARRAY_COUNT(marks_needed); i++)
		if (t->marks[marks_needed[i]] < FAULTS_MIN) {
			printf("too few faults: %s\n", sim_mark_name(marks_needed[i]));
			missing++;
		}
	if (t->refusals < HITS_MIN || t->repairs < HITS_MIN) {
		puts("too few starts refused or repaired");
		missing++;
	}
	if (t->replaced < HITS_MIN) {
		puts("too few holds replaced by others");
		missing++;
	}
	if (t->sold[0] < HITS_MIN || t->sold[1] < HITS_MIN) {
		puts("too few lines sold under own or derived plans");
		missing++;
	}
	for (unsigned i = 0; i < KR_ARRAY_COUNT(t->asked); i++)
		if (t->asked[i] != 0 && t->made[i] < HITS_MIN) {
			printf("done too seldom: %s\n", frame_type_name(i));
			missing++;
		}
	return missing;
}

static void report(const struct totals *t)
{
	printf("%llu seeds, %.0f s of virtual time, %llu events, %llu crashes of shards, %llu "
	       "states "
	       "verified after recovery\n",
		(unsigned long long)t->seeds, (double)t->virtual_us / 1e6,
		(unsigned long long)t->events, (unsigned long long)t->crashes,
		(unsigned long long)t->verified);
	printf("calls: %llu done, %llu refused, %llu transient, %llu unknown\n",
		(unsigned long long)t->done, (unsigned long long)t->refused,
		(unsigned long long)t->transient, (unsigned long long)t->unknown);
	for (unsigned i = 0; i < 256; i++)
		if (t->codes[i] != 0)
			printf("  %-22s %10llu\n", code_name(i), (unsigned long long)t->codes[i]);
	for (unsigned i = 0; i < 64; i++)
		if (t->asked[i] != 0)
			printf("  %-22s %10llu asked %10llu done\n", frame_type_name(i),
				(unsigned long long)t->asked[i], (unsigned long long)t->made[i]);
	printf("media: %llu starts refused, %llu repaired, %llu shards given up, %llu starts "
	       "without what was acknowledged last\n",
		(unsigned long long)t->refusals, (unsigned long long)t->repairs,
		(unsigned long long)t->given_up, (unsigned long long)t->cuts);
	for (unsigned i = 0; i < MEDIA_STRIKES; i++)
		printf("  strike %-19s %6llu\n", media_strike_name((enum media_strike)i),
			(unsigned long long)t->strikes[i]);
	for (unsigned i = 1; i <= INV_EFFECT_LAST; i++)
		printf("  effect %-15s %10llu\n", record_kind_name(i),
			(unsigned long long)t->effects[i]);
	printf("  holds replaced         %10llu\n", (unsigned long long)t->replaced);
	printf("  lines under own plans  %10llu, derived %llu\n", (unsigned long long)t->sold[0],
		(unsigned long long)t->sold[1]);
	for (int i = 0; i < SIM_MARK_COUNT; i++)
		if (t->marks[i] != 0)
			printf("  %-22s %10llu\n", sim_mark_name((enum sim_mark)i),
				(unsigned long long)t->marks[i]);
}

int main(int argc, char **argv)
{
	static const struct argp_option words[] = {
		{"seed", 's', "N", 0, "one world", 0},
		{"seeds", 'S', "A..B", 0, "many, each twice", 0},
		{"trace", 't', NULL, 0, "tell the story in virtual time", 0},
		{"list", 'l', "FILE", 0, "seeds that failed once, one a line", 0},
		{"coverage", 'c', NULL, 0, "fail unless every answer came up", 0},
		{0},
	};
	static const struct argp argp = {words, option, NULL,
		"Simulates a Keyrack cluster under faults drawn from a seed.", NULL, NULL, NULL};
	struct options o = {.first = 1, .last = 1};
	static struct totals totals;
	struct tz_db tz;
	argp_parse(&argp, argc, argv, 0, NULL, &o);
	if (tz_load(TZ_FOLDER, &tz) != 0) {
		puts("tzdata is missing");
		return 2;
	}
	if (o.list != NULL)
		run_list(&tz, o.list, &totals);
	else if (o.first == o.last)
		printf("trace %016llx\n",
			(unsigned long long)run_seed(&tz, o.first, o.is_told, &totals));
	else
		for (uint64_t seed = o.first; seed <= o.last; seed++)
			twice(&tz, seed, &totals);
	report(&totals);
	tz_free(&tz);
	return o.needs_coverage && coverage(&totals) != 0;
}
