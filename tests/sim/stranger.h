/* A process that nobody invited: noise, pieces of frames, and questions whose answers it never
 * reads. */
#ifndef TESTS_SIM_STRANGER_H
#define TESTS_SIM_STRANGER_H

#include "tests/sim/cluster.h"

/* Calls on a router or a shard, unless it is at one already. */
void stranger_call(struct cluster *cluster);
/* Before the world is freed. */
void stranger_close(struct cluster *cluster);

#endif
