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
#include <time.h>

#include "base/tz_load.h"
#include "engine/log/record.h"
#include "tests/sim/media.h"
#include "tests/sim/minimise.h"
#include "tests/sim/oracle.h"
#include "tests/sim/pairs.h"
#include "tests/sim/trouble.h"
#include "tests/sim/witness.h"

#define LIVENESS_US UINT64_C(240000000)
#define STRIKES_MIN 3
#define FAULTS_MIN 5
#define HITS_MIN 10 /* of each, by all seeds together */

struct totals {
	uint64_t operations;
	uint64_t seeds, events, done, refused, transient, unknown, verified, crashes, virtual_us;
	uint64_t codes[256];
	uint64_t marks[SIM_MARK_COUNT], pairs[SIM_MARK_COUNT][CLUSTER_PHASES];
	uint64_t strikes[MEDIA_STRIKES], refusals, repairs, given_up, cuts;
	uint64_t replaced, sold[2];
	uint64_t effects[INV_EFFECT_LAST + 1], asked[64], made[64], judgements;
};

static void run_until(struct cluster *c, uint64_t until_us)
{
	while (sim_world_now_us(c->world) < until_us) {
		cluster_take_aim(c);
		if (!sim_world_step(c->world))
			cluster_fail(c, "nothing will ever happen again");
	}
}

static void safety(struct cluster *c)
{
	const uint64_t end = sim_world_now_us(c->world) + c->plan.safety_us;
	for (uint32_t i = 0; i < c->client_count; i++)
		client_load(c->clients[i], true);
	media_begin(c);
	while (sim_world_now_us(c->world) < end) {
		run_until(c, KR_MIN(end, sim_world_now_us(c->world) + TROUBLE_EVERY_US));
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
	totals->operations += c->operation_count;
	totals->events += sim_world_event_count(c->world);
	totals->virtual_us += sim_world_now_us(c->world);
	totals->verified += c->verify_count;
	for (int i = 0; i < SIM_MARK_COUNT; i++)
		totals->marks[i] += sim_world_mark_count(c->world, (enum sim_mark)i);
	for (int i = 0; i < SIM_MARK_COUNT; i++)
		for (int k = 0; k < CLUSTER_PHASES; k++)
			totals->pairs[i][k] += c->pairs[i][k];
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
	missing += pairs_missing(t->pairs, t->seeds);
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

/* What a seed is worth and what it costs. */
static void report_means(const struct totals *t, uint64_t twice_count)
{
	struct timespec used = {0};
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	const double seconds = (double)used.tv_sec + (double)used.tv_nsec / 1e9;
	const double seeds = (double)KR_MAX(t->seeds, 1);
	const double runs = seeds + (double)KR_MIN(t->seeds, twice_count);
	printf("a seed: %.0f operations, %.1f s of virtual time, %.1f crashes of shards; "
	       "%.0f runs of seeds per core-hour, %.0f of them twice\n",
		(double)t->operations / seeds, (double)t->virtual_us / 1e6 / seeds,
		(double)t->crashes / seeds, runs * 3600 / KR_MAX(seconds, 1e-3), runs - seeds);
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
	pairs_report(t->pairs);
	for (int i = 0; i < SIM_MARK_COUNT; i++)
		if (t->marks[i] != 0)
			printf("  %-22s %10llu\n", sim_mark_name((enum sim_mark)i),
				(unsigned long long)t->marks[i]);
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
	report_means(&totals, o->list != NULL || o->first != o->last ? o->twice_count : 0);
	report(&totals);
	return o->needs_coverage && coverage(&totals) != 0;
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
