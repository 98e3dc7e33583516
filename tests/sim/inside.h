/*
 * A cluster whose first router lives in the process of its first shard, on the same loop, with an
 * address within the process between them: they start, die and end together.
 */
#ifndef TESTS_SIM_INSIDE_H
#define TESTS_SIM_INSIDE_H

#include "tests/sim/cluster.h"

void inside_draw(struct cluster_plan *plan);
/* The router in that shard's process; NULL: there is none. */
struct router_node *inside_of(const struct shard_node *shard);
/* Where that router finds it. */
struct io_address inside_address(uint32_t shard);

/* The server serves, which the router inside learns at once. */
void inside_ready(struct shard_node *shard);
/* SIGTERM to a shard's process: the server stops behind the router, if there is one inside. */
void inside_stop(struct shard_node *shard);
/* The server has ended by itself: the process does not wait for the router's clients. */
void inside_end(struct shard_node *shard);
bool inside_has_ended(const struct shard_node *shard);
/* Gives the router back: its process is gone. */
void inside_drop(struct shard_node *shard);

/* Cuts a shard off the first router that is not inside it, if there is one, or heals that. */
void inside_partition(struct cluster *cluster, uint32_t shard, bool is_cut);

#endif
