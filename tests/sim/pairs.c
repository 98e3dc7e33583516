#include "tests/sim/pairs.h"

#include <stdio.h>

#define HITS_MAX 10u
#define SEEDS_PER_HIT 50u /* ten are asked of the 500 seeds of a test run */

static const char *const phases[CLUSTER_PHASES] = {
	"starting", "recovering", "serving", "snapshotting", "stopping"};

/* Crashes, and faults of the disk that have an owner. */
static const enum sim_mark marks[] = {SIM_CRASH_KILL, SIM_CRASH_POWER, SIM_CRASH_IN_CALL,
	SIM_DISK_SPIKE, SIM_DISK_SHORT, SIM_DISK_READ_ERROR, SIM_DISK_READ_FLIP,
	SIM_DISK_WRITE_ERROR, SIM_DISK_WRITE_LOST, SIM_DISK_WRITE_ASTRAY, SIM_DISK_FULL,
	SIM_DISK_SYNC_ERROR, SIM_DISK_ROT};

/* They come up in few worlds: not asked of a hundred seeds. */
static const enum sim_mark rare[] = {SIM_DISK_READ_ERROR, SIM_DISK_READ_FLIP, SIM_DISK_WRITE_LOST,
	SIM_DISK_WRITE_ASTRAY, SIM_DISK_ROT, SIM_DISK_SYNC_ERROR};
#define RARE_SEEDS 300u

#define PHASE(name) (1u << CLUSTER_##name)

static const struct {
	enum sim_mark mark;
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

/* Met twice in a thousand seeds: while no snapshot is written a new segment's file and name are
 * synced, and little else. sim/points fails each of these syncs. */
static bool is_seldom(enum sim_mark mark, enum cluster_phase phase)
{
	return mark == SIM_DISK_SYNC_ERROR && phase == CLUSTER_SERVING;
}

static bool is_impossible(enum sim_mark mark, enum cluster_phase phase)
{
	kr_assert(phase < CLUSTER_PHASES);
	/* Before the lock is had nothing is read, written or synced. */
	if (phase == CLUSTER_STARTING && mark != SIM_CRASH_KILL && mark != SIM_CRASH_POWER)
		return true;
	for (size_t i = 0; i < KR_ARRAY_COUNT(impossible); i++)
		if (impossible[i].mark == mark && impossible[i].phases & 1u << phase)
			return true;
	return false;
}

void pairs_report(const uint64_t pairs[SIM_MARK_COUNT][CLUSTER_PHASES])
{
	printf("  %-22s", "by phase of a shard");
	for (unsigned k = 0; k < CLUSTER_PHASES; k++)
		printf(" %12s", phases[k]);
	putchar('\n');
	for (size_t i = 0; i < KR_ARRAY_COUNT(marks); i++) {
		printf("  %-22s", sim_mark_name(marks[i]));
		for (unsigned k = 0; k < CLUSTER_PHASES; k++) {
			if (is_impossible(marks[i], (enum cluster_phase)k))
				printf(" %12s", "-");
			else
				printf(" %12llu", (unsigned long long)pairs[marks[i]][k]);
		}
		putchar('\n');
	}
	for (size_t i = 0; i < KR_ARRAY_COUNT(impossible); i++)
		printf("  - %s: %s\n", sim_mark_name(impossible[i].mark), impossible[i].reason);
}

static uint64_t least_hits(enum sim_mark mark, uint64_t seed_count)
{
	for (size_t i = 0; i < KR_ARRAY_COUNT(rare); i++)
		if (rare[i] == mark && seed_count < RARE_SEEDS)
			return 0;
	return KR_MAX(1, KR_MIN(HITS_MAX, seed_count / SEEDS_PER_HIT));
}

/* What is said to be impossible must not happen, either. */
uint32_t pairs_missing(const uint64_t pairs[SIM_MARK_COUNT][CLUSTER_PHASES], uint64_t seed_count)
{
	uint32_t missing = 0;
	for (size_t i = 0; i < KR_ARRAY_COUNT(marks); i++)
		for (unsigned k = 0; k < CLUSTER_PHASES; k++) {
			if (is_seldom(marks[i], (enum cluster_phase)k))
				continue;
			const uint64_t hits = pairs[marks[i]][k];
			const bool never = is_impossible(marks[i], (enum cluster_phase)k);
			if (never ? hits == 0 : hits >= least_hits(marks[i], seed_count))
				continue;
			printf("%s while %s: %llu times, %s\n", sim_mark_name(marks[i]), phases[k],
				(unsigned long long)hits,
				never ? "which was said to be impossible" : "too seldom");
			missing++;
		}
	return missing;
}
