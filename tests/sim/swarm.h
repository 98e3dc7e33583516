/*
 * What the seed draws beside the oldest faults, from generators of its own: clocks that stand or
 * step far, processes that stand still for up to an hour, crash loops, rivals, strangers, clients
 * that hear nothing, storms, worlds in which instants coincide.
 */
#ifndef TESTS_SIM_SWARM_H
#define TESTS_SIM_SWARM_H

#include "tests/sim/cluster.h"

void swarm_draw(struct cluster_plan *plan);
/* Now and then something, as far as the plan lets it. */
void swarm_trouble(struct cluster *cluster);
/* After every event. */
void swarm_watch(struct cluster *cluster);
/* After every event, too: what goes wrong because a shard is at the phase that is aimed at. */
void swarm_take_aim(struct cluster *cluster);
/* The faults stop. */
void swarm_calm(struct cluster *cluster);
/* A shard was refused for its clock: whether that is right, and then the clock is mended. */
bool swarm_clock_mend(struct shard_node *shard);
/* It starts; it may be one of a row that will not get through. */
void swarm_started(struct shard_node *shard);
void swarm_died(struct shard_node *shard);
/* A router is about to be freed. */
void swarm_router_ends(struct cluster *cluster, const struct router *router);

const char *swarm_mark_name(enum cluster_mark mark);

#endif
