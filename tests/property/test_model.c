/*
 * The naive model beside the engine: random operations on both, every answer and every cell
 * compared; the engine's state rebuilt from its log, and from a snapshot taken piece by piece and
 * the log's tail, again and again.
 *
 *   test_model [--whole] [OPERATIONS [SEED]]
 *   test_model --steps LIST SEED
 *
 * What fails is made small: the fewest steps of the seed's run that still fail by the same check,
 * what they do, and the command that does them again; not with --whole. Each step draws from the
 * seed and its own number, so that it asks much the same when others are left out.
 *
 * The run fails too unless every answer code that these operations can give was given.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/tz_load.h"
#include "tests/property/shrink.h"
#include "tests/property/world.h"

#define OPERATIONS 200000
#define OPERATIONS_LONG 10000000
#define PER_WORLD 20000 /* then a fresh world: small logs replay quickly */
#define HITS_MIN 10
#define SHRINK_SECONDS_MAX 60
#define COMPARED_MAX 64 /* steps */
#define FULL_EVERY 5    /* worlds: one with as many plans as a type can have */

/* What only later operations, a full table or another process can make happen. */
static const unsigned not_reachable[] = {KEYRACK_FORBIDDEN};

/* What an IMPORT has to have said. */
static const unsigned of_import[] = {KEYRACK_DONE, KEYRACK_INVALID, KEYRACK_KEY_REUSED,
	KEYRACK_KEY_EXPIRED, KEYRACK_NOT_FOUND, KEYRACK_OUT_OF_WINDOW, KEYRACK_NOT_LOADED,
	KEYRACK_SOLD_OUT, KEYRACK_TOO_EARLY, KEYRACK_BAD_STATE};

static const struct inv_config config = {
	.hotels_max = 8,
	.rows_max = 32,
	.plans_max = 30,
	.window_nights = 14,
	.reservations_max = 8192,
	.nodes_max = 32768,
	.refusals_max = 32768,
	.denials_max = 256,
	.stock_runs_max = 2048,
	.retention_us = UINT64_C(3600) * 1000000,
	.grace_us = UINT64_C(120) * 1000000,
};

static void world_init(struct world *w, const struct tz_db *tz, uint64_t seed)
{
	static const char *const zones[WORLD_HOTELS] = {"Etc/UTC", "Etc/GMT-9", "Etc/GMT+8"};
	static const int offsets[WORLD_HOTELS] = {0, 9 * 3600, -8 * 3600};
	struct inv_config sizes = config;
	if (seed % FULL_EVERY == 0)
		sizes.plans_max += M_PLANS_MAX;
	const struct m_config m = {(int)config.window_nights, config.retention_us, config.grace_us,
		INV_STAY_KEEP_DAYS, (int)sizes.plans_max};
	rng_init(&w->rng, seed);
	w->seed = seed;
	w->step = w->recent_count = w->source_seq = w->edge_at_us = w->import_count =
		w->void_hotel = 0;
	memset(w->type_exists, 0, sizeof(w->type_exists));
	memset(&w->mood, 0, sizeof(w->mood));
	world_denials_forget(w);
	side_init(&w->side, &sizes, tz);
	w->model = model_new(&m);
	w->now.t_us = w->now.wall_us = UINT64_C(1790000000000000) + draw(w, 86400) * 1000000;
	for (int h = 0; h < WORLD_HOTELS; h++) {
		w->hotels[h] = 1000 + draw(w, 1000) * 7 + (uint64_t)h;
		w->zones[h] = zones[h];
		w->offsets_s[h] = offsets[h];
		world_hotel_put(w, h);
		for (int t = 0; t < WORLD_TYPES; t++)
			world_type_put(w, h, t);
	}
	if (seed % FULL_EVERY == 0)
		world_plans_fill(w, 0, 0);
}

static void world_fini(struct world *w)
{
	w->saved_before += w->side.saved_before;
	side_fini(&w->side);
	w->model = model_free(w->model);
}

static void restart(struct world *w)
{
	struct inv_effect effect;
	const uint64_t last_t_us = w->side.t_us;
	side_replay(&w->side);
	world_denials_forget(w);
	model_forget_refusals(w->model);
	w->now.t_us += 1 + draw(w, UINT64_C(1800) * 1000000);
	w->now.wall_us = w->now.t_us;
	while (inv_grace_judge(w->side.inv, w->now, last_t_us, &effect) == INV_EFFECT)
		side_commit(&w->side, &effect);
	model_restart(w->model, world_time(w), last_t_us);
	side_clock(&w->side, w->now);
	model_clock(w->model, world_time(w));
}

static void world_step(struct world *w)
{
	snprintf(side_context, sizeof(side_context), "test_model %d %llu   (step %llu)", PER_WORLD,
		(unsigned long long)w->seed, (unsigned long long)w->step);
	rng_init(&w->rng, w->seed << 32 ^ w->step);
	w->step++;
	world_advance(w);
	world_mood_step(w);
	const uint64_t dice = w->has_due && chance(w, 70) ? 500 : draw(w, 1000);
	if (dice < 40)
		world_import(w);
	else if (dice < 400)
		world_reserve(w);
	else if (dice < 480)
		world_stay(w);
	else if (dice < 780)
		world_transition(w);
	else if (dice < 975)
		world_update(w);
	else if (dice < 992)
		world_plan_put(w, (int)draw(w, WORLD_HOTELS), (int)draw(w, WORLD_TYPES));
	else if (dice < 997)
		world_type_put(w, (int)draw(w, WORLD_HOTELS), (int)draw(w, WORLD_TYPES));
	else
		world_hotel_put(w, (int)draw(w, WORLD_HOTELS));
	if (w->step % 8 == 0 || w->edge_at_us != 0)
		world_terms_compare(w);
	if (w->step % 64 == 0)
		world_compare(w);
	if (w->step % 5 == 0)
		side_snapshot_step(&w->side);
	if (w->step % 997 == 0 && side_restore(&w->side)) {
		w->restores++;
		world_denials_forget(w);
		model_forget_refusals(w->model);
		world_compare(w);
	}
	if (w->step % 4999 == 0) {
		restart(w);
		world_compare(w);
	}
}

static bool is_reachable(unsigned code)
{
	for (size_t i = 0; i < KR_ARRAY_COUNT(not_reachable); i++)
		if (not_reachable[i] == code)
			return false;
	return true;
}

static bool is_final(unsigned code)
{
	return code_class_of(code) == CODE_FINAL || code_class_of(code) == CODE_SUCCESS;
}

/* What a MODIFY never says: the id is no new one, and a counter is filled by sales alone. */
static bool is_of_modify(unsigned code)
{
	return is_final(code) && is_reachable(code) && code != KEYRACK_KEY_REUSED &&
	       code != KEYRACK_COUNTER_FULL;
}

/* Counts of every code; the number of those that came up too seldom. */
static int coverage(const struct world *w, uint64_t operations)
{
	int missing = 0;
#define X(number, name, text)                                                                      \
	if (is_final(number)) {                                                                    \
		uint64_t hits = 0, of_modify = w->codes[number][W_MODIFY];                         \
		for (int op = 0; op < W_OPS; op++)                                                 \
			hits += w->codes[number][op];                                              \
		printf("  %-22s %10llu, MODIFY %8llu\n", #name, (unsigned long long)hits,          \
			(unsigned long long)of_modify);                                            \
		missing += is_reachable(number) && hits < HITS_MIN;                                \
		missing += is_of_modify(number) && of_modify < HITS_MIN;                           \
	}
	KEYRACK_CODE_TABLE(X)
#undef X
	for (size_t i = 0; i < KR_ARRAY_COUNT(of_import); i++) {
		printf("  IMPORT %-15s %10llu\n", code_name(of_import[i]),
			(unsigned long long)w->codes[of_import[i]][W_IMPORT]);
		missing += w->codes[of_import[i]][W_IMPORT] < HITS_MIN;
	}
	missing += w->over_limit < HITS_MIN;
	missing += w->codes[KEYRACK_DONE][W_REPLACE] < HITS_MIN;
	printf("  penalties %llu, %llu of a part; %llu edges of tiers\n",
		(unsigned long long)w->costs, (unsigned long long)w->costs_partly,
		(unsigned long long)w->edges);
	printf("  denials %llu, due holds %llu\n", (unsigned long long)w->denials_noted,
		(unsigned long long)w->due_shown);
	printf("  restores %llu, records saved before an effect %llu\n",
		(unsigned long long)w->restores, (unsigned long long)w->saved_before);
	missing += w->restores < HITS_MIN || w->saved_before < HITS_MIN;
	missing += w->denials_noted < HITS_MIN || w->due_shown < HITS_MIN;
	missing += w->costs < HITS_MIN || w->costs_partly < HITS_MIN || w->edges < HITS_MIN;
	missing += world_plans_coverage(w);
	return operations < OPERATIONS ? 0 : missing;
}

/* How far a run came, seen by the process that started it. */
struct progress {
	uint64_t seed, step;
	bool is_over; /* all operations agreed */
};

struct run {
	struct tz_db tz;
	struct world world;
	struct progress *progress;
	uint64_t operations, seed;
	bool is_whole, is_canary, is_told;
	uint32_t *steps; /* --steps */
	uint32_t step_count;
};

static int run_all(struct run *run)
{
	struct world *w = &run->world;
	uint64_t seed = run->seed;
	for (uint64_t done = 0; done < run->operations; seed++) {
		world_init(w, &run->tz, seed);
		w->is_canary = run->is_canary;
		for (uint64_t i = 0; i < PER_WORLD && done < run->operations; i++, done++) {
			run->progress->seed = seed;
			run->progress->step = w->step;
			world_step(w);
		}
		world_compare(w);
		world_fini(w);
	}
	printf("%llu operations agree\n", (unsigned long long)run->operations);
	run->progress->is_over = true;
	const int missing = coverage(w, run->operations);
	if (missing != 0)
		printf("%d codes came up fewer than %d times\n", missing, HITS_MIN);
	return missing == 0 ? 0 : 1;
}

/* Those steps alone. So few that it is no matter are compared in full after each. */
static void run_steps(void *context, const uint32_t *steps, uint32_t count)
{
	struct run *run = context;
	struct world *w = &run->world;
	world_init(w, &run->tz, run->seed);
	w->is_canary = run->is_canary;
	w->is_told = run->is_told;
	for (uint32_t i = 0; i < count; i++) {
		w->step = steps[i];
		world_step(w);
		if (count <= COMPARED_MAX)
			world_compare(w);
	}
	world_compare(w);
	world_fini(w);
}

/* 3,7-9,12 */
static void steps_print(const uint32_t *steps, uint32_t count)
{
	for (uint32_t i = 0, last = 0; i < count; i = last + 1) {
		for (last = i; last + 1 < count && steps[last + 1] == steps[last] + 1;)
			last++;
		printf("%s%u", i == 0 ? "" : ",", steps[i]);
		if (last > i)
			printf("-%u", steps[last]);
	}
}

/* Prints the smallest run that fails alike, and how to do it again. */
static void made_small(struct run *run)
{
	const uint32_t all = (uint32_t)run->progress->step + 1;
	struct shrink shrink = {run_steps, run, SHRINK_SECONDS_MAX, 0, {0}};
	uint32_t *steps = calloc(all, sizeof(*steps));
	CHECK(steps != NULL, "no memory");
	for (uint32_t i = 0; i < all; i++)
		steps[i] = i;
	run->seed = run->progress->seed;
	run->is_told = true;
	const uint32_t count = shrink_steps(&shrink, steps, all);
	if (count == 0) {
		printf("it does not fail by itself: test_model --whole %d %llu\n", PER_WORLD,
			(unsigned long long)run->seed);
	} else {
		printf("made small: %u of %u operations, after %u tries\n%s", count, all,
			shrink.tries, shrink.said);
		printf("to see it again: test_model %s--steps ", run->is_canary ? "--canary " : "");
		steps_print(steps, count);
		printf(" %llu\n", (unsigned long long)run->seed);
	}
	free(steps);
}

/* In a process of its own, so that a failure does not end the one that makes it small. */
static int run_watched(struct run *run)
{
	int status = 0;
	fflush(NULL);
	const pid_t pid = fork();
	CHECK(pid >= 0, "no process");
	if (pid == 0)
		exit(run_all(run));
	CHECK(waitpid(pid, &status, 0) == pid, "lost");
	if (status != 0 && !run->progress->is_over)
		made_small(run);
	return status == 0 ? 0 : 1;
}

static void steps_read(struct run *run, const char *list)
{
	run->steps = calloc(PER_WORLD, sizeof(*run->steps));
	CHECK(run->steps != NULL, "no memory");
	while (*list != 0) {
		char *end;
		uint32_t first = (uint32_t)strtoul(list, &end, 10), last = first;
		CHECK(end != list, "no step: %s", list);
		if (*end == '-')
			last = (uint32_t)strtoul(end + 1, &end, 10);
		for (; first <= last && run->step_count < PER_WORLD; first++)
			run->steps[run->step_count++] = first;
		list = end + (*end == ',');
	}
}

static void arguments_read(struct run *run, int argc, char **argv)
{
	int at = 1;
	run->operations = getenv("KEYRACK_LONG") != NULL ? OPERATIONS_LONG : OPERATIONS;
	run->seed = 1;
	for (; at < argc && argv[at][0] == '-'; at++) {
		if (strcmp(argv[at], "--whole") == 0)
			run->is_whole = true;
		else if (strcmp(argv[at], "--canary") == 0)
			run->is_canary = true;
		else if (strcmp(argv[at], "--steps") == 0 && at + 1 < argc)
			steps_read(run, argv[++at]);
		else
			CHECK(false, "unknown: %s", argv[at]);
	}
	if (run->step_count == 0 && at < argc)
		run->operations = strtoull(argv[at++], NULL, 10);
	if (at < argc)
		run->seed = strtoull(argv[at], NULL, 10);
}

int main(int argc, char **argv)
{
	static struct run run;
	int status = 0;
	arguments_read(&run, argc, argv);
	CHECK(tz_load(TZ_FOLDER, &run.tz) == 0, "tzdata is missing");
	run.progress = mmap(NULL, sizeof(*run.progress), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(run.progress != MAP_FAILED, "no memory");
	if (run.step_count > 0) {
		run.is_told = true;
		run_steps(&run, run.steps, run.step_count);
		printf("%u operations agree\n", run.step_count);
	} else {
		status = run.is_whole ? run_all(&run) : run_watched(&run);
	}
	munmap(run.progress, sizeof(*run.progress));
	free(run.steps);
	tz_free(&run.tz);
	return status;
}
