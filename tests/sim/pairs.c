#include "tests/sim/pairs.h"

#include <stdio.h>

#include "tests/sim/swarm.h"

#define HITS_MAX 10u
#define SEEDS_PER_HIT 50u /* ten are asked of the 500 seeds of a test run */

static const char *const phases[CLUSTER_PHASES] = {
	"starting", "recovering", "serving", "snapshotting", "stopping"};

#define HARNESS(name) (SIM_MARK_COUNT + CLUSTER_MARK_##name)

/* Of the world, those that have an owner; of the harness, what comes from outside. */
static const unsigned marks[] = {SIM_CRASH_KILL, SIM_CRASH_POWER, SIM_CRASH_IN_CALL, SIM_PAUSE,
	SIM_WALL_STEP, SIM_WALL_FROZEN, SIM_DISK_SPIKE, SIM_DISK_SHORT, SIM_DISK_READ_ERROR,
	SIM_DISK_READ_FLIP, SIM_DISK_WRITE_ERROR, SIM_DISK_WRITE_LOST, SIM_DISK_WRITE_ASTRAY,
	SIM_DISK_FULL, SIM_DISK_SYNC_ERROR, SIM_DISK_ROT, SIM_NET_SPLIT, SIM_NET_JOIN,
	SIM_NET_SPIKE, SIM_NET_RESET, SIM_NET_SILENCE, SIM_NET_FLIP, SIM_NET_DUPLICATE,
	SIM_NET_ASTRAY, SIM_NET_WINDOW, SIM_NET_PARTITION, HARNESS(HALF_CLOSE), HARNESS(DEAF),
	HARNESS(STRANGER)};

/* They come up in few worlds: not asked of a hundred seeds. */
static const unsigned rare[] = {SIM_DISK_READ_ERROR, SIM_DISK_READ_FLIP, SIM_DISK_WRITE_LOST,
	SIM_DISK_WRITE_ASTRAY, SIM_DISK_ROT, SIM_DISK_SYNC_ERROR};
#define RARE_SEEDS 300u

#define PHASE(name) (1u << CLUSTER_##name)

static const struct {
	unsigned mark;
	unsigned phases;
	const char *reason;
} impossible[] = {
	{SIM_CRASH_IN_CALL,
		PHASE(STARTING) | PHASE(SERVING) | PHASE(SNAPSHOTTING) | PHASE(STOPPING),
		"only recovery changes files by calls that wait: there a crash can hit in one"},
	{SIM_DISK_READ_ERROR, PHASE(SERVING),
		"a shard reads at its start, and back what it has written of a snapshot"},
	{SIM_DISK_READ_FLIP, PHASE(SERVING), "the same"},
};

/* Of a kind, at these phases. */
static const struct {
	unsigned first, last, phases;
	const char *reason;
} never[] = {
	{SIM_DISK_SPIKE, SIM_DISK_ROT, PHASE(STARTING),
		"before the lock is had nothing is read, written or synced"},
	{SIM_NET_SPLIT, SIM_NET_PARTITION, PHASE(STARTING) | PHASE(RECOVERING),
		"a shard listens once it has recovered: before it has no connection"},
};

/* Met twice in a thousand seeds: while no snapshot is written a new segment's file and name are
 * synced, and little else. sim/points fails each of these syncs. */
static bool is_seldom(unsigned mark, enum cluster_phase phase)
{
	return mark == SIM_DISK_SYNC_ERROR && phase == CLUSTER_SERVING;
}

static bool is_impossible(unsigned mark, enum cluster_phase phase)
{
	kr_assert(phase < CLUSTER_PHASES);
	for (size_t i = 0; i < KR_ARRAY_COUNT(never); i++)
		if (never[i].first <= mark && mark <= never[i].last &&
			never[i].phases & 1u << phase)
			return true;
	for (size_t i = 0; i < KR_ARRAY_COUNT(impossible); i++)
		if (impossible[i].mark == mark && impossible[i].phases & 1u << phase)
			return true;
	return false;
}

static const char *name_of(unsigned mark)
{
	kr_assert(mark < CLUSTER_PAIRS);
	return mark < SIM_MARK_COUNT ? sim_mark_name((enum sim_mark)mark)
				     : swarm_mark_name((enum cluster_mark)(mark - SIM_MARK_COUNT));
}

void pairs_report(const uint64_t pairs[CLUSTER_PAIRS][CLUSTER_PHASES])
{
	printf("  %-22s", "by phase of a shard");
	for (unsigned k = 0; k < CLUSTER_PHASES; k++)
		printf(" %12s", phases[k]);
	putchar('\n');
	for (size_t i = 0; i < KR_ARRAY_COUNT(marks); i++) {
		printf("  %-22s", name_of(marks[i]));
		for (unsigned k = 0; k < CLUSTER_PHASES; k++) {
			if (is_impossible(marks[i], (enum cluster_phase)k))
				printf(" %12s", "-");
			else
				printf(" %12llu", (unsigned long long)pairs[marks[i]][k]);
		}
		putchar('\n');
	}
	for (size_t i = 0; i < KR_ARRAY_COUNT(impossible); i++)
		printf("  - %s: %s\n", name_of(impossible[i].mark), impossible[i].reason);
	for (size_t i = 0; i < KR_ARRAY_COUNT(never); i++)
		printf("  - %s to %s: %s\n", name_of(never[i].first), name_of(never[i].last),
			never[i].reason);
}

static uint64_t least_hits(unsigned mark, uint64_t seed_count)
{
	for (size_t i = 0; i < KR_ARRAY_COUNT(rare); i++)
		if (rare[i] == mark && seed_count < RARE_SEEDS)
			return 0;
	return KR_MAX(1, KR_MIN(HITS_MAX, seed_count / SEEDS_PER_HIT));
}

/* What is said to be impossible must not happen, either. */
uint32_t pairs_missing(const uint64_t pairs[CLUSTER_PAIRS][CLUSTER_PHASES], uint64_t seed_count)
{
	uint32_t missing = 0;
	for (size_t i = 0; i < KR_ARRAY_COUNT(marks); i++)
		for (unsigned k = 0; k < CLUSTER_PHASES; k++) {
			if (is_seldom(marks[i], (enum cluster_phase)k))
				continue;
			const uint64_t hits = pairs[marks[i]][k];
			const bool is_never = is_impossible(marks[i], (enum cluster_phase)k);
			if (is_never ? hits == 0 : hits >= least_hits(marks[i], seed_count))
				continue;
			printf("%s while %s: %llu times, %s\n", name_of(marks[i]), phases[k],
				(unsigned long long)hits,
				is_never ? "which was said to be impossible" : "too seldom");
			missing++;
		}
	return missing;
}
