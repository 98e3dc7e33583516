/* A second process that wants a shard's directory while that one has it: it must wait, and give up.
 */
#ifndef TESTS_SIM_RIVAL_H
#define TESTS_SIM_RIVAL_H

#include "tests/sim/cluster.h"

/* Starts one, unless there is one. */
void rival_start(struct cluster *cluster, uint32_t shard);
/* The directory's owner is gone: its rival goes before it can take its place. */
void rival_kill(struct cluster *cluster, uint32_t shard);
/* After a crash of a node: false when it is no rival's. */
bool rival_crashed(struct cluster *cluster, const struct sim_node *node);
/* Before the world is freed. */
void rival_close(struct cluster *cluster);

#endif
