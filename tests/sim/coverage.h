/* What many seeds have met, and what they must not miss. */
#ifndef TESTS_SIM_COVERAGE_H
#define TESTS_SIM_COVERAGE_H

#include "engine/log/verdict.h"
#include "tests/sim/cluster.h"
#include "tests/sim/media.h"
#include "tests/sim/witness.h"

struct totals {
	uint64_t operations;
	uint64_t seeds, events, done, refused, transient, unknown, verified, crashes, virtual_us;
	uint64_t codes[256];
	uint64_t marks[SIM_MARK_COUNT], pairs[CLUSTER_PAIRS][CLUSTER_PHASES];
	uint64_t harness[CLUSTER_MARKS], verdicts[LOG_VERDICT_COUNT];
	uint64_t edges[INV_VOID + 1][INV_VOID + 1];
	uint64_t strikes[MEDIA_STRIKES], refusals, repairs, given_up, cuts;
	uint64_t replaced, sold[2];
	uint64_t effects[INV_EFFECT_LAST + 1], asked[64], made[64], judgements;
};

/* A world at its end. */
void coverage_add(struct totals *totals, const struct cluster *cluster);
void coverage_report_means(const struct totals *totals, uint64_t twice_count);
void coverage_report(const struct totals *totals);
/* How many marks came up too seldom: each is told. */
uint32_t coverage_missing(const struct totals *totals);

#endif
