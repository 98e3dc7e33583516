/* The phase of a shard at which the seed lets things go wrong oftenest. */
#ifndef TESTS_SIM_AIM_H
#define TESTS_SIM_AIM_H

#include "tests/sim/cluster.h"

/* In two thirds of the worlds one; drawn apart, so that it changes nothing else. */
void aim_draw(struct cluster_plan *plan);
/* Is it aimed at frames that come twice, for which there has to be room on the way? */
bool aim_copies(const struct cluster_plan *plan);
/* These rates, as they are while a shard is at what is aimed at. */
void aim_faults(const struct cluster *cluster, struct sim_faults *faults);

#endif
