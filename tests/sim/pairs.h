/* Pairs of a fault and the phase that a shard's process is at: which came up, which must. */
#ifndef TESTS_SIM_PAIRS_H
#define TESTS_SIM_PAIRS_H

#include "tests/sim/cluster.h"

void pairs_report(const uint64_t pairs[CLUSTER_PAIRS][CLUSTER_PHASES]);
/* Prints the pairs that so many seeds should have brought more often: how many those are. */
uint32_t pairs_missing(const uint64_t pairs[CLUSTER_PAIRS][CLUSTER_PHASES], uint64_t seed_count);

#endif
