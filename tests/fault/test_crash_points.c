/*
 * Every crash point of a script, and all that a power cut there can leave.
 *
 *   test_crash_points [FIRST [LAST]]     only these points, to see one again
 *
 * At each completion and each call of the script the power goes: every number of the directories'
 * changes that had not been synced is kept, every unsynced size or not, and of the sectors that
 * were on their way every combination of up to eight, kept, dropped or garbage. Each such state
 * has to be recovered to what was acknowledged, with the digest that the live state had there, or
 * to something that was written after it, and to nothing else; some are served from and ended
 * again. Every other point once more with a kill, the rest with a power cut, after which the script
 * goes on to its end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/tz_load.h"
#include "tests/fault/crash_states.h"

static const struct rig_life lives[] = {{17, RIG_POWER}, {14, RIG_KILL}, {13, RIG_POWER},
	{9, RIG_STOP}, {3, RIG_POWER}, {1, RIG_STOP}, {0, RIG_STOP}};

#define LIVES (uint32_t) KR_ARRAY_COUNT(lives)

/* The script as it is without a crash of ours. */
static uint64_t whole(const struct tz_db *tz)
{
	struct rig *rig = malloc(sizeof(*rig));
	kr_assert(rig != NULL);
	rig_init(rig, tz, lives, LIVES, NULL);
	rig_run(rig);
	const uint64_t points = sim_node_point_count(rig->node);
	printf("the script: %u starts, %u batches, LSN %llu, %u snapshots, %u segments archived, "
	       "%llu crash points\n",
		rig->start_count, rig->append_count, (unsigned long long)rig->promise.submitted_lsn,
		rig->snap_count, rig->archived_count, (unsigned long long)points);
	if (rig->start_count != LIVES || rig->append_count < 50 || rig->snap_count < 4 ||
		rig->archived_count < 4)
		rig_failed("the script leaves something out");
	rig_fini(rig);
	free(rig);
	return points;
}

/* The script goes on after a crash that is not its own, and comes to its end. */
static void carried_on(const struct tz_db *tz, uint64_t point, enum sim_crash how)
{
	struct rig *rig = malloc(sizeof(*rig));
	kr_assert(rig != NULL);
	snprintf(rig_context, sizeof(rig_context), "crash point %llu, %s, going on",
		(unsigned long long)point, how == SIM_KILL ? "killed" : "power cut");
	rig_init(rig, tz, lives, LIVES, NULL);
	rig->crash_point = point;
	rig->crash_how = how;
	rig->goes_on = true;
	rig_run(rig);
	kr_assert(rig->is_crashed && rig->is_done);
	rig_fini(rig);
	free(rig);
}

static void told(const struct states_tally *t, uint64_t first, uint64_t last)
{
	printf("crash points %llu..%llu: %llu cuts by names and sizes (%llu alike), %llu states of "
	       "sectors recovered, %llu served from; at most %llu sectors on their way\n",
		(unsigned long long)first, (unsigned long long)last, (unsigned long long)t->cuts,
		(unsigned long long)t->same_cuts, (unsigned long long)t->states,
		(unsigned long long)t->resumed, (unsigned long long)t->sectors_max);
	for (unsigned i = 0; i < LOG_VERDICT_COUNT; i++)
		if (t->verdicts[i] > 0)
			printf("  %-16s %llu\n", log_verdict_name((enum log_verdict)i),
				(unsigned long long)t->verdicts[i]);
}

int main(int argc, char **argv)
{
	struct tz_db tz;
	struct states_tally tally = {0};
	if (tz_load(TZ_FOLDER, &tz) != 0)
		rig_failed("tzdata is missing");
	snprintf(rig_context, sizeof(rig_context), "the script");
	const uint64_t points = whole(&tz);
	const uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
	const uint64_t last = argc > 2 ? strtoull(argv[2], NULL, 10) : argc > 1 ? first : points;
	struct states *states = states_new(&tz, getenv("KEYRACK_LONG") != NULL);
	for (uint64_t point = first; point <= KR_MIN(last, points); point++) {
		if (!states_at(states, lives, LIVES, point, &tally))
			rig_failed("the script has no crash point %llu", (unsigned long long)point);
		carried_on(&tz, point, point % 2 == 0 ? SIM_KILL : SIM_POWER);
	}
	told(&tally, first, KR_MIN(last, points));
	states = states_free(states);
	tz_free(&tz);
	return 0;
}
