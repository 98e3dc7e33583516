/* What is done to a cluster of swarm.h; cluster.c needs the rest of it. */
#include "tests/sim/client.h"
#include "tests/sim/inside.h"
#include "tests/sim/rival.h"
#include "tests/sim/stranger.h"
#include "tests/sim/swarm.h"

#define SECOND_US INT64_C(1000000)
#define MINUTE_US (60 * SECOND_US)
#define HOUR_US (60 * MINUTE_US)
#define DAY_US (24 * HOUR_US)
#define LULL_US (5 * SECOND_US) /* nobody asks anything while processes stand still for longer */
#define STRANGER_PAUSE_US 20000u
#define PAUSE_AIMED_US (3 * SECOND_US)
#define LOOP_DEATHS_MIN 3u
#define LOOP_DEATHS_MAX 6u

static int64_t below(struct cluster *c, int64_t bound)
{
	return (int64_t)rng_below(&c->rng_swarm, (uint64_t)bound);
}

/* From `least` to `most`, each order of magnitude as often. */
static int64_t magnitude(struct cluster *c, int64_t least, int64_t most)
{
	int64_t reach = least;
	while (reach < most && below(c, 6) != 0)
		reach *= 4;
	const int64_t drawn = least + below(c, reach);
	kr_assert(least > 0 && drawn >= least);
	return KR_MIN(most, drawn);
}

/* One process, or all of them: a machine put to sleep. Clients wait out what is long. */
static void stand_still(struct cluster *c, uint32_t shard)
{
	const uint64_t now = sim_world_now_us(c->world);
	const int64_t span = magnitude(c, SECOND_US, c->has_slept ? 5 * SECOND_US : HOUR_US);
	const bool is_all = below(c, 3) == 0;
	const uint32_t router = (uint32_t)below(c, c->router_count);
	const bool is_router = below(c, 3) == 0;
	if (now < c->lull_until_us)
		return;
	for (uint32_t i = 0; i < c->shard_count; i++)
		if (is_all || (!is_router && i == shard))
			sim_node_pause(c->shards[i].node, now + (uint64_t)span);
	for (uint32_t i = 0; i < c->router_count; i++)
		if (is_all || (is_router && i == router))
			sim_node_pause(c->routers[i].node, now + (uint64_t)span);
	c->marks[CLUSTER_MARK_PAUSE_LONG] += span > MINUTE_US;
	c->marks[CLUSTER_MARK_PAUSE_ALL] += is_all;
	cluster_tell(c, "%s for %.1f s",
		is_all      ? "all stand still"
		: is_router ? "a router stands still"
			    : "a shard stands still",
		(double)span / 1e6);
	if (span < LULL_US)
		return;
	for (uint32_t i = 0; i < c->shard_count; i++)
		sim_disk_capacity_set(c->shards[i].disk, 0); /* an hour of vain starts is long */
	c->has_slept = true;
	c->lull_until_us = now + (uint64_t)span - (uint64_t)LULL_US / 2;
	c->safety_end_us += (uint64_t)span;
}

/* A second to a day, either way; never further than a day from where it was. */
static void wall_step(struct cluster *c, uint32_t shard)
{
	struct shard_node *s = &c->shards[shard];
	const int64_t by = magnitude(c, SECOND_US, DAY_US);
	const int64_t to = s->trouble.wall_far_us + (below(c, 2) == 0 ? by : -by);
	const int64_t step = KR_MAX(-DAY_US, KR_MIN(DAY_US, to)) - s->trouble.wall_far_us;
	s->trouble.wall_far_us += step;
	s->trouble.wall_low_us = KR_MIN(s->trouble.wall_low_us, s->trouble.wall_far_us);
	s->trouble.wall_top_us = KR_MAX(s->trouble.wall_top_us, s->trouble.wall_far_us);
	kr_assert(s->trouble.wall_far_us >= -DAY_US && s->trouble.wall_far_us <= DAY_US);
	sim_node_wall_step(s->node, step);
	c->marks[CLUSTER_MARK_WALL_FAR] += step > MINUTE_US;
	c->marks[CLUSTER_MARK_WALL_BACK] += step < -MINUTE_US;
	cluster_tell(c, "shard %u: its clock steps by %.1f s", shard, (double)step / 1e6);
}

/* It dies again and again before it has got far. */
static void crash_loop(struct cluster *c, uint32_t shard)
{
	struct shard_node *s = &c->shards[shard];
	if (!cluster_may_crash(c) || !sim_node_is_alive(s->node))
		return;
	s->trouble.loop_count =
		LOOP_DEATHS_MIN + (uint32_t)below(c, LOOP_DEATHS_MAX - LOOP_DEATHS_MIN + 1);
	sim_node_crash(s->node, below(c, 2) == 0 ? SIM_KILL : SIM_POWER);
}

/* What is committed next will have been answered to nobody. */
static void reply_watch(struct cluster *c, uint32_t shard)
{
	struct shard_node *s = &c->shards[shard];
	if (s->server != NULL && s->is_ready && s->server->is_log_open && cluster_may_crash(c))
		s->trouble.reply_lsn = log_io_acked_lsn(&s->server->log) + 1;
}

void swarm_watch(struct cluster *c)
{
	for (uint32_t i = 0; i < c->shard_count; i++) {
		struct shard_node *s = &c->shards[i];
		if (s->trouble.reply_lsn == 0 || s->server == NULL || !s->server->is_log_open ||
			log_io_acked_lsn(&s->server->log) < s->trouble.reply_lsn)
			continue;
		s->trouble.reply_lsn = 0;
		c->marks[CLUSTER_MARK_REPLY_LOST]++;
		for (uint32_t k = 0; k < c->router_count; k++)
			if (sim_node_is_alive(c->routers[k].node) && cluster_may_crash(c))
				sim_node_crash(c->routers[k].node, SIM_KILL);
	}
}

static void make(struct cluster *c, enum cluster_trouble kind, uint32_t shard)
{
	struct client *client = c->clients[below(c, c->client_count)];
	switch (kind) {
	case CLUSTER_PAUSE:
		stand_still(c, shard);
		break;
	case CLUSTER_WALL:
		wall_step(c, shard);
		break;
	case CLUSTER_FREEZE:
		c->shards[shard].trouble.is_wall_frozen = below(c, 3) != 0;
		sim_node_wall_freeze(
			c->shards[shard].node, c->shards[shard].trouble.is_wall_frozen);
		break;
	case CLUSTER_CRASH_LOOP:
		crash_loop(c, shard);
		break;
	case CLUSTER_RIVAL:
		rival_start(c, shard);
		break;
	case CLUSTER_REPLY_KILL:
		reply_watch(c, shard);
		break;
	case CLUSTER_STRANGER:
		stranger_call(c);
		break;
	case CLUSTER_HALF_CLOSE:
		if (!client_is_idle(client) && caller_half_close(&client->caller))
			cluster_mark(c, CLUSTER_MARK_HALF_CLOSE);
		break;
	case CLUSTER_DEAF:
		if (caller_deafen(
			    &client->caller, (uint64_t)magnitude(c, SECOND_US / 10, 4 * SECOND_US)))
			cluster_mark(c, CLUSTER_MARK_DEAF);
		break;
	case CLUSTER_STORM:
		client->storm_count = 3;
		break;
	default:
		kr_unreachable();
	}
}

/* ---- the aim ---- */

/* It has just come to what is aimed at. */
static void hit(struct cluster *c, struct shard_node *s)
{
	static const enum cluster_trouble dice[] = {CLUSTER_PAUSE, CLUSTER_WALL, CLUSTER_FREEZE,
		CLUSTER_CUT, CLUSTER_STRANGER, CLUSTER_STRANGER, CLUSTER_HALF_CLOSE, CLUSTER_DEAF,
		CLUSTER_HALF_CLOSE, CLUSTER_DEAF};
	const enum cluster_trouble kind = dice[below(c, KR_ARRAY_COUNT(dice))];
	const uint64_t span = 1 + (uint64_t)below(c, PAUSE_AIMED_US);
	if (c->plan.troubles[kind] == 0)
		return;
	switch (kind) {
	case CLUSTER_PAUSE:
		sim_node_pause(s->node, sim_world_now_us(c->world) + span);
		break;
	case CLUSTER_FREEZE:
		sim_node_wall_freeze(s->node, false);
		sim_node_wall_freeze(s->node, true);
		s->trouble.is_wall_frozen = true;
		break;
	case CLUSTER_CUT:
		inside_partition(c, s->number, true);
		break;
	case CLUSTER_STRANGER:
		/* Until it has been let in and has spoken. */
		sim_node_pause(s->node, sim_world_now_us(c->world) + STRANGER_PAUSE_US);
		make(c, kind, s->number);
		break;
	default:
		make(c, kind, s->number);
	}
}

void swarm_take_aim(struct cluster *c)
{
	const enum cluster_phase aim = (enum cluster_phase)(c->plan.aim - 1);
	bool is_aimed = false;
	if (c->plan.aim == 0)
		return;
	for (uint32_t i = 0; i < c->shard_count; i++) {
		struct shard_node *s = &c->shards[i];
		const enum cluster_phase phase = cluster_phase_of(s);
		/* Who is down is about to start. */
		is_aimed |= aim == phase ||
			    (aim <= CLUSTER_RECOVERING &&
				    (phase == CLUSTER_PHASES || phase <= CLUSTER_RECOVERING));
		if (phase == aim && !s->trouble.is_at_aim && c->plan.aim_troubles != 0 &&
			c->is_media_on)
			hit(c, s);
		s->trouble.is_at_aim = phase == aim;
	}
	if (is_aimed == c->is_aimed)
		return;
	c->is_aimed = is_aimed;
	cluster_faults_set(c, &c->faults);
}

#define DICE 30u

void swarm_trouble(struct cluster *c)
{
	const uint32_t shard = (uint32_t)below(c, c->shard_count);
	const uint32_t kind = CLUSTER_PAUSE + (uint32_t)below(c, DICE);
	if (kind < CLUSTER_TROUBLES && c->plan.troubles[kind] != 0)
		make(c, (enum cluster_trouble)kind, shard);
}
