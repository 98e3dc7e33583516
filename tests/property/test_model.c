/*
 * The naive model beside the engine: random operations on both, every answer and every cell
 * compared; the engine's state rebuilt from its log, and from a snapshot taken piece by piece and
 * the log's tail, again and again.
 *
 *   test_model [OPERATIONS [SEED]]     a failure prints the arguments that show it again
 *
 * The run fails too unless every answer code that these operations can give was given.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/tz_load.h"
#include "tests/property/world.h"

#define OPERATIONS 200000
#define OPERATIONS_LONG 10000000
#define PER_WORLD 20000 /* then a fresh world: small logs replay quickly */
#define HITS_MIN 10
#define FULL_EVERY 5 /* worlds: one with as many plans as a type can have */

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
	if (w->step % 50 == 0)
		side_snapshot_step(&w->side);
	if (w->step % 997 == 0 && side_restore(&w->side)) {
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
	missing += w->denials_noted < HITS_MIN || w->due_shown < HITS_MIN;
	missing += w->costs < HITS_MIN || w->costs_partly < HITS_MIN || w->edges < HITS_MIN;
	missing += world_plans_coverage(w);
	return operations < OPERATIONS ? 0 : missing;
}

int main(int argc, char **argv)
{
	static struct world world;
	struct tz_db tz;
	uint64_t operations = getenv("KEYRACK_LONG") != NULL ? OPERATIONS_LONG : OPERATIONS;
	uint64_t seed = 1;
	if (argc > 1)
		operations = strtoull(argv[1], NULL, 10);
	if (argc > 2)
		seed = strtoull(argv[2], NULL, 10);
	CHECK(tz_load(TZ_FOLDER, &tz) == 0, "tzdata is missing");
	for (uint64_t done = 0; done < operations; seed++) {
		world_init(&world, &tz, seed);
		for (uint64_t i = 0; i < PER_WORLD && done < operations; i++, done++)
			world_step(&world);
		world_compare(&world);
		world_fini(&world);
	}
	tz_free(&tz);
	printf("%llu operations agree\n", (unsigned long long)operations);
	const int missing = coverage(&world, operations);
	if (missing != 0)
		printf("%d codes came up fewer than %d times\n", missing, HITS_MIN);
	return missing == 0 ? 0 : 1;
}
