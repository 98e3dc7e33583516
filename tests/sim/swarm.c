#include "tests/sim/swarm.h"

#include "router/router_priv.h"
#include "tests/sim/aim.h"
#include "tests/sim/rival.h"

#define QUANTUM_US 20000u
#define ASTRAY_RATE 50000u
#define STUCK_US 30000000u
#define LOOP_REACH 120u /* completions: most starts take more */
#define LOOP_MARK 3u

const char *swarm_mark_name(enum cluster_mark mark)
{
	static const char *const names[CLUSTER_MARKS] = {
#define X(name, text) #name,
		CLUSTER_MARK_TABLE(X)
#undef X
	};
	kr_assert((unsigned)mark < CLUSTER_MARKS);
	return names[mark];
}

/* ---- what the seed decides ---- */

/* All happens at multiples of the quantum, on clocks that do not step. */
static void draw_quantum(struct cluster_plan *p)
{
	struct sim_config *w = &p->world;
	w->quantum_us = QUANTUM_US;
	w->faults.wall_step = 0;
	w->wall_start_us -= w->wall_start_us % QUANTUM_US;
	p->troubles[CLUSTER_WALL] = p->troubles[CLUSTER_FREEZE] = 0;
}

void swarm_draw(struct cluster_plan *p)
{
	struct rng rng;
	rng_init(&rng, p->seed ^ UINT64_C(0x737761726d));
	for (uint32_t i = CLUSTER_PAUSE; i < CLUSTER_TROUBLES; i++)
		p->troubles[i] = rng_below(&rng, 2) == 0;
	if (rng_below(&rng, 5) == 0)
		draw_quantum(p);
	if (rng_below(&rng, 4) == 0)
		p->world.disk_spike_us = STUCK_US;
	if (rng_below(&rng, 4) == 0)
		p->world.faults.net_duplicate = 1 + (uint32_t)rng_below(&rng, 300);
	p->hot_hotel = rng_below(&rng, 5) == 0;
	if (rng_below(&rng, 3) == 0)
		p->booking_from = 1 + (uint32_t)rng_below(&rng, 2);
	if (rng_below(&rng, 4) == 0)
		p->world.socket_buffer_bytes = 1024u << rng_below(&rng, 4);
	/* So that a shard that stops has answers to wait with. */
	if (p->aim == 1 + CLUSTER_STOPPING && rng_below(&rng, 2) == 0 && !aim_copies(p))
		p->world.socket_buffer_bytes = 256;
	if (rng_below(&rng, 2) == 0)
		p->media.net_astray =
			KR_MAX(p->media.net_astray, 1 + (uint32_t)rng_below(&rng, ASTRAY_RATE));
}

/* ---- what becomes of trouble ---- */

bool swarm_clock_mend(struct shard_node *s)
{
	const int64_t step = s->trouble.wall_top_us - s->trouble.wall_far_us;
	/* It may have stepped again since the start looked at it. */
	const int64_t behind_us = s->trouble.wall_top_us - s->trouble.wall_low_us;
	if (behind_us < (int64_t)SHARD_WALL_BEHIND_MAX_US / 2 && !s->trouble.is_wall_frozen)
		return false;
	sim_node_wall_freeze(s->node, false);
	s->trouble.is_wall_frozen = false;
	s->trouble.wall_far_us = s->trouble.wall_top_us;
	s->cluster->marks[CLUSTER_MARK_CLOCK_REFUSED]++;
	cluster_tell(s->cluster, "shard %u: its clock is set", s->number);
	sim_node_wall_step(s->node, step);
	return true;
}

void swarm_started(struct shard_node *s)
{
	struct cluster *c = s->cluster;
	s->trouble.wall_low_us = s->trouble.wall_far_us;
	if (s->trouble.loop_count == 0 || !cluster_may_crash(c))
		return;
	s->trouble.loop_count--;
	const uint64_t nth = 1 + rng_below(&c->rng_swarm, LOOP_REACH);
	sim_node_crash_at(s->node, nth, rng_below(&c->rng_swarm, 2) == 0 ? SIM_KILL : SIM_POWER);
}

void swarm_died(struct shard_node *s)
{
	s->trouble.death_count++;
	s->cluster->marks[CLUSTER_MARK_CRASH_LOOP] += s->trouble.death_count == LOOP_MARK;
	rival_kill(s->cluster, s->number);
}

void swarm_router_ends(struct cluster *c, const struct router *router)
{
	kr_assert(router != NULL);
	for (uint32_t i = 0; i < c->shard_count; i++) {
		struct route_link_counters counters;
		route_link_counters_get(router->route, i, &counters);
		c->marks[CLUSTER_MARK_LATE_ANSWER] += counters.late;
	}
}

void swarm_calm(struct cluster *c)
{
	for (uint32_t i = 0; i < c->shard_count; i++) {
		struct shard_node *s = &c->shards[i];
		sim_node_wall_freeze(s->node, false);
		s->trouble.is_wall_frozen = false;
		s->trouble.loop_count = 0;
		s->trouble.reply_lsn = 0;
	}
}
