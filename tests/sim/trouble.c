#include "tests/sim/trouble.h"

#include "tests/sim/client.h"
#include "tests/sim/inside.h"
#include "tests/sim/swarm.h"

#define DAY_US INT64_C(86400000000)

/*
 * Days pass while the shards are down: their clocks are right, the wall's, at a start only. Not
 * while one is down already, so that it is not down for more than a week.
 */
static void days_pass(struct cluster *c)
{
	const int64_t days = rng_below(&c->rng, 4) == 0 ? 1 + (int64_t)rng_below(&c->rng, 5) : 1;
	const int64_t step = days * DAY_US + (int64_t)rng_below(&c->rng, 3) * 3600000000;
	if (!cluster_is_serving(c))
		return;
	for (uint32_t i = 0; i < c->client_count; i++)
		sim_node_wall_step(c->clients[i]->caller.node, step);
	for (uint32_t i = 0; i < c->router_count; i++)
		if (c->routers[i].host == NULL)
			sim_node_wall_step(c->routers[i].node, step);
	for (uint32_t i = 0; i < c->shard_count; i++) {
		sim_node_wall_step(c->shards[i].node, step);
		sim_node_crash(
			c->shards[i].node, rng_below(&c->rng, 2) == 0 ? SIM_KILL : SIM_POWER);
	}
	cluster_tell(c, "%lld days pass", (long long)days);
}

static void crash(struct cluster *c, struct sim_node *node, enum sim_crash how)
{
	if (sim_node_is_alive(node) && cluster_may_crash(c))
		sim_node_crash(node, how);
}

static void crash_soon(struct cluster *c, struct sim_node *node)
{
	if (!sim_node_is_alive(node) || !cluster_may_crash(c))
		return;
	const uint64_t nth = 1 + rng_below(&c->rng, 60);
	sim_node_crash_at(node, nth, rng_below(&c->rng, 2) == 0 ? SIM_KILL : SIM_POWER);
}

/* Its operator stops it; on its way down, or up again, it may crash after all. */
static void restart(struct cluster *c, uint32_t shard)
{
	struct shard_node *s = &c->shards[shard];
	if (s->server == NULL || !s->is_ready)
		return;
	cluster_restart_shard(c, shard);
	if (rng_below(&c->rng, 2) == 0)
		crash_soon(c, s->node);
}

static void make(struct cluster *c, enum cluster_trouble kind, uint32_t shard)
{
	struct shard_node *s = &c->shards[shard];
	switch (kind) {
	case CLUSTER_FULL:
		sim_disk_capacity_set(s->disk, KR_MAX(1, sim_disk_used_bytes(s->disk)));
		cluster_tell(c, "shard %u: the disk fills", shard);
		break;
	case CLUSTER_CUT:
		inside_partition(c, shard, true);
		break;
	case CLUSTER_KILL:
		crash(c, s->node, SIM_KILL);
		break;
	case CLUSTER_POWER:
		crash(c, s->node, SIM_POWER);
		break;
	case CLUSTER_ROUTER_KILL:
		crash(c, c->routers[0].node, SIM_KILL);
		break;
	case CLUSTER_CRASH_AT:
		crash_soon(c, s->node);
		break;
	case CLUSTER_DAYS:
		if (cluster_may_crash(c))
			days_pass(c);
		break;
	case CLUSTER_RESTART:
		restart(c, shard);
		break;
	default:
		kr_unreachable();
	}
}

#define DICE 18u
#define QUIET CLUSTER_TROUBLES /* nothing, or something ends */

void trouble(struct cluster *c)
{
	swarm_trouble(c);
	static const enum cluster_trouble dice[DICE] = {CLUSTER_FULL, QUIET, CLUSTER_CUT, QUIET,
		CLUSTER_KILL, CLUSTER_POWER, CLUSTER_ROUTER_KILL, CLUSTER_CRASH_AT, CLUSTER_FULL,
		CLUSTER_FULL, CLUSTER_RESTART, QUIET, QUIET, QUIET, QUIET, QUIET, CLUSTER_DAYS,
		CLUSTER_RESTART};
	const uint32_t shard = (uint32_t)rng_below(&c->rng, c->shard_count);
	const uint64_t thrown = rng_below(&c->rng, DICE);
	if (thrown == 1)
		sim_disk_capacity_set(c->shards[shard].disk, 0);
	else if (thrown == 3)
		inside_partition(c, shard, false);
	else if (dice[thrown] == QUIET && c->plan.aim == 1 + CLUSTER_STOPPING &&
		 c->plan.troubles[CLUSTER_RESTART] != 0)
		make(c, CLUSTER_RESTART, shard);
	else if (dice[thrown] != QUIET && c->plan.troubles[dice[thrown]] != 0)
		make(c, dice[thrown], shard);
}
