#include "base/io/sim/sim_priv.h"

#include <stdlib.h>

struct sim_node *sim_node_new(struct sim_world *world, struct sim_disk *disk, const char *name)
{
	kr_assert(world->node_count < SIM_NODE_COUNT_MAX);
	kr_assert(name != NULL);
	struct sim_node *node = sim_alloc(sizeof(*node));
	node->world = world;
	node->disk = disk;
	node->name = name;
	node->index = world->node_count;
	node->is_alive = true;
	node->has_faults = true;
	rng_fork(&world->rng_node, &node->rng);
	kr_list_init(&node->requests);
	kr_list_init(&node->handles);
	world->nodes[world->node_count++] = node;
	return node;
}

const char *sim_node_name(const struct sim_node *node)
{
	return node->name;
}

uint32_t sim_node_index(const struct sim_node *node)
{
	return node->index;
}

struct io_loop *sim_node_loop(const struct sim_node *node)
{
	return node->loop;
}

struct sim_disk *sim_node_disk(const struct sim_node *node)
{
	return node->disk;
}

void sim_node_context_set(struct sim_node *node, void *context)
{
	node->context = context;
}

void *sim_node_context(const struct sim_node *node)
{
	return node->context;
}

bool sim_node_is_alive(const struct sim_node *node)
{
	return node->is_alive && node->dying == SIM_CRASH_NONE;
}

bool sim_node_is_dying(const struct sim_node *node)
{
	return node->dying != SIM_CRASH_NONE;
}

void sim_node_start(struct sim_node *node)
{
	kr_assert(!node->is_alive);
	kr_assert(node->loop == NULL);
	node->is_alive = true;
	node->paused_until_us = 0;
	rng_fork(&node->world->rng_node, &node->rng);
}

static void dying_set(struct sim_node *node, enum sim_crash how)
{
	kr_assert(how == SIM_KILL || how == SIM_POWER);
	if (!node->is_alive || node->dying != SIM_CRASH_NONE)
		return;
	node->dying = how;
	node->world->dying_count++;
}

static void one_crash(struct sim_node *node, enum sim_crash how)
{
	struct sim_world *world = node->world;
	kr_assert(!world->is_in_turn);
	if (node->dying != SIM_CRASH_NONE) {
		node->dying = SIM_CRASH_NONE;
		world->dying_count--;
	}
	if (!node->is_alive)
		return;
	sim_trace_u64(world, UINT64_MAX - 1, node->index, how);
	node->is_alive = false;
	node->crash_point = 0;
	if (node->loop != NULL) {
		sim_net_crash(node->loop, how);
		sim_listeners_crash(node->loop);
	}
	sim_node_requests_crash(node, how);
	if (node->loop != NULL)
		sim_loop_destroy(node->loop);
	kr_assert(node->loop == NULL);
}

static void crash_told(struct sim_node *node, enum sim_crash how)
{
	kr_assert(!node->is_alive);
	sim_mark_add(node->world, node, how == SIM_POWER ? SIM_CRASH_POWER : SIM_CRASH_KILL);
	if (node->world->config.on_crash != NULL)
		node->world->config.on_crash(node->world->config.context, node, how);
}

/* The machine: every process on the disk goes, then the sectors meet their fates, and only then
 * is anybody told, so that a node started from on_crash sees the disk as it will be. */
static void power_crash(struct sim_node *node)
{
	kr_assert(!node->world->is_in_turn);
	struct sim_world *world = node->world;
	bool was_alive[SIM_NODE_COUNT_MAX] = {false};
	for (uint32_t i = 0; i < world->node_count; i++) {
		struct sim_node *other = world->nodes[i];
		if (other != node && (node->disk == NULL || other->disk != node->disk))
			continue;
		was_alive[i] = other->is_alive;
		one_crash(other, SIM_POWER);
		other->boot_us = world->now_us;
	}
	if (node->disk != NULL)
		sim_disk_power_cut(node->disk);
	for (uint32_t i = 0; i < world->node_count; i++) {
		if (was_alive[i])
			crash_told(world->nodes[i], SIM_POWER);
	}
}

void sim_node_take_crash(struct sim_node *node)
{
	enum sim_crash how = node->dying;
	kr_assert(how != SIM_CRASH_NONE);
	if (how == SIM_POWER) {
		power_crash(node);
		return;
	}
	one_crash(node, how);
	crash_told(node, how);
}

void sim_node_crash(struct sim_node *node, enum sim_crash how)
{
	struct sim_world *world = node->world;
	kr_assert(how == SIM_KILL || how == SIM_POWER);
	/* The power of a machine may also fail while none of its processes runs. */
	if (!node->is_alive && how == SIM_KILL)
		return;
	if (!world->is_in_turn && !node->is_alive) {
		power_crash(node);
		return;
	}
	dying_set(node, how);
	if (!world->is_in_turn)
		sim_node_take_crash(node);
}

void sim_node_crash_at(struct sim_node *node, uint64_t nth, enum sim_crash how)
{
	kr_assert(how == SIM_KILL || how == SIM_POWER || nth == 0);
	node->crash_point = nth == 0 ? 0 : node->point_count + nth;
	node->crash_how = how;
}

uint64_t sim_node_point_count(const struct sim_node *node)
{
	return node->point_count;
}

void sim_node_faults_enable(struct sim_node *node, bool is_enabled)
{
	node->has_faults = is_enabled;
}

bool sim_node_point(struct sim_node *node)
{
	struct sim_world *world = node->world;
	const struct sim_faults *faults = &world->config.faults;
	kr_assert(node->is_alive);
	if (node->dying != SIM_CRASH_NONE)
		return true;
	node->point_count++;
	if (node->point_count == node->crash_point)
		dying_set(node, node->crash_how);
	else if (node->has_faults && rng_chance(&world->rng_node, faults->crash_kill))
		dying_set(node, SIM_KILL);
	else if (node->has_faults && rng_chance(&world->rng_node, faults->crash_power))
		dying_set(node, SIM_POWER);
	return node->dying != SIM_CRASH_NONE;
}

void sim_node_pause(struct sim_node *node, uint64_t until_us)
{
	if (!node->is_alive)
		return;
	sim_mark_add(node->world, node, SIM_PAUSE);
	node->paused_until_us = KR_MAX(node->paused_until_us, until_us);
}

void sim_node_wall_step(struct sim_node *node, int64_t delta_us)
{
	sim_mark_add(node->world, node, SIM_WALL_STEP);
	node->wall_offset_us += delta_us;
}

void sim_node_wall_freeze(struct sim_node *node, bool is_frozen)
{
	kr_assert(node->world != NULL);
	if (is_frozen && !node->is_wall_frozen) {
		sim_mark_add(node->world, node, SIM_WALL_FROZEN);
		node->wall_frozen_us = node->world->now_us;
	}
	node->is_wall_frozen = is_frozen;
}

void sim_node_signal(struct sim_node *node, int number)
{
	kr_assert(number > 0);
	struct io_loop *loop = node->loop;
	if (loop == NULL || loop->on_signal == NULL)
		return;
	loop->signal_number = number;
	sim_loop_ready(loop, &loop->signal_ready);
}

void sim_node_partition(struct sim_node *a, struct sim_node *b, bool is_cut)
{
	kr_assert(a->world == b->world);
	kr_assert(a != b);
	a->cut_from[b->index] = is_cut;
	b->cut_from[a->index] = is_cut;
}
