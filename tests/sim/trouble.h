/* What a harness does to a cluster by itself, beside the rates: full disks, cuts, crashes, days. */
#ifndef TESTS_SIM_TROUBLE_H
#define TESTS_SIM_TROUBLE_H

#include "tests/sim/cluster.h"

#define TROUBLE_EVERY_US 500000u

/* Now and then something, as far as the plan lets it. */
void trouble(struct cluster *cluster);

#endif
