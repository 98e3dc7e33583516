/*
 * All that a power cut at one point of the script may leave on the disk: which names and sizes,
 * and which of the sectors that were on their way are there, are not, or are garbage. Each of
 * these states is recovered and held against what was promised.
 */
#ifndef TESTS_FAULT_CRASH_STATES_H
#define TESTS_FAULT_CRASH_STATES_H

#include "tests/fault/crash_rig.h"

#define STATES_SECTORS_MAX 4096u
#define STATES_TORN 8u /* sectors torn together, in every way */

struct states_tally {
	uint64_t cuts;      /* crash point and what is left of names and sizes */
	uint64_t same_cuts; /* that leave what another one left */
	uint64_t states;    /* recovered and judged */
	uint64_t resumed;   /* started on, served from, stopped and recovered once more */
	uint64_t sectors_max;
	uint64_t verdicts[LOG_VERDICT_COUNT];
};

struct states;

/*
 * `is_long`: all 6,561 ways of eight sectors to be kept, dropped or garbage, with every choice of
 * names and sizes. Else: all ways to be kept or dropped and all to be kept or garbage, where names
 * and sizes are all kept or all lost; with those between sectors that lie together share a fate.
 */
struct states *states_new(const struct tz_db *tz, bool is_long);
struct states *states_free(struct states *states);
/* False: the script ends before that point. */
bool states_at(struct states *states, const struct rig_life *lives, uint32_t life_count,
	uint64_t crash_point, struct states_tally *tally);

#endif
