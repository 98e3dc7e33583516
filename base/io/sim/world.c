#include "base/io/sim/sim_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"

#define QUEUE_CAPACITY_MIN 256u
#define FIRST_PORT 40000u

/* The simulator is a test tool: without memory it cannot go on. */
void *sim_alloc(size_t size_bytes)
{
	void *memory = calloc(1, size_bytes);
	kr_assert(memory != NULL);
	return memory;
}

void sim_config_default(struct sim_config *ret_config)
{
	*ret_config = (struct sim_config){
		.seed = 1,
		.wall_start_us = INT64_C(1767225600) * 1000000,
		.net_delay_us = {20, 200},
		.net_spike_us = 500000,
		.socket_buffer_bytes = 65536,
		.disk_delay_us = {100, 300},
		.disk_spike_us = 2000000,
		.turn_delay_us = {0, 20},
		.turn_cost_us = {1, 10},
		.pause_us = {1000, 2000000},
		.wall_step_us = 1000000,
	};
}

static bool is_before(const struct sim_event *a, const struct sim_event *b)
{
	if (a->at_us != b->at_us)
		return a->at_us < b->at_us;
	if (a->tie != b->tie)
		return a->tie < b->tie;
	return a->number < b->number;
}

static void place(struct sim_queue *queue, struct sim_event *event, uint32_t position)
{
	kr_assert(position < queue->capacity);
	queue->events[position] = event;
	event->position = position;
}

static void settle(struct sim_queue *queue, struct sim_event *event, uint32_t position)
{
	kr_assert(position < queue->count || position == queue->count - 1);
	while (position > 0 && is_before(event, queue->events[(position - 1) / 2])) {
		place(queue, queue->events[(position - 1) / 2], position);
		position = (position - 1) / 2;
	}
	for (;;) {
		uint32_t child = position * 2 + 1;
		if (child >= queue->count)
			break;
		if (child + 1 < queue->count &&
			is_before(queue->events[child + 1], queue->events[child]))
			child++;
		if (!is_before(queue->events[child], event))
			break;
		place(queue, queue->events[child], position);
		position = child;
	}
	place(queue, event, position);
}

void sim_event_init(struct sim_event *event, void (*fire)(struct sim_event *event))
{
	*event = (struct sim_event){.fire = fire, .position = UINT32_MAX};
}

bool sim_event_is_queued(const struct sim_event *event)
{
	return event->position != UINT32_MAX;
}

void sim_event_remove(struct sim_world *world, struct sim_event *event)
{
	struct sim_queue *queue = &world->queue;
	if (!sim_event_is_queued(event))
		return;
	uint32_t position = event->position;
	kr_assert(queue->events[position] == event);
	struct sim_event *last = queue->events[--queue->count];
	event->position = UINT32_MAX;
	if (last != event)
		settle(queue, last, position);
}

static void add(struct sim_world *world, struct sim_event *event, uint64_t at_us, uint64_t tie)
{
	struct sim_queue *queue = &world->queue;
	kr_assert(at_us >= world->now_us);
	kr_assert(event->fire != NULL);
	const uint64_t quantum_us = KR_MAX(world->config.quantum_us, 1);
	at_us += (quantum_us - at_us % quantum_us) % quantum_us;
	sim_event_remove(world, event);
	if (queue->count == queue->capacity) {
		queue->capacity = KR_MAX(queue->capacity * 2, QUEUE_CAPACITY_MIN);
		queue->events = realloc(queue->events, queue->capacity * sizeof(*queue->events));
		kr_assert(queue->events != NULL);
	}
	event->at_us = at_us;
	event->tie = tie;
	event->number = queue->number++;
	settle(queue, event, queue->count++);
}

void sim_event_add(struct sim_world *world, struct sim_event *event, uint64_t at_us)
{
	kr_assert(event->fire != NULL);
	add(world, event, at_us, rng_next(&world->rng_tie));
}

struct sim_world *sim_world_new(const struct sim_config *config)
{
	struct rng rng;
	kr_assert(config->net_delay_us[0] >= 1);
	kr_assert(config->net_delay_us[0] <= config->net_delay_us[1]);
	kr_assert(config->disk_delay_us[0] <= config->disk_delay_us[1]);
	kr_assert(config->turn_delay_us[0] <= config->turn_delay_us[1]);
	kr_assert(config->turn_cost_us[0] <= config->turn_cost_us[1]);
	kr_assert(config->socket_buffer_bytes > 0);
	struct sim_world *world = sim_alloc(sizeof(*world));
	world->config = *config;
	world->next_port = FIRST_PORT;
	rng_init(&rng, config->seed);
	rng_fork(&rng, &world->rng_tie);
	rng_fork(&rng, &world->rng_net);
	rng_fork(&rng, &world->rng_disk);
	rng_fork(&rng, &world->rng_node);
	rng_fork(&rng, &world->rng_harness);
	kr_list_init(&world->connections);
	kr_list_init(&world->listeners);
	return world;
}

struct sim_world *sim_world_free(struct sim_world *world)
{
	if (world == NULL)
		return NULL;
	kr_assert(!world->is_in_turn);
	for (uint32_t i = 0; i < world->node_count; i++) {
		struct sim_node *node = world->nodes[i];
		if (node->loop != NULL) {
			sim_net_crash(node->loop, SIM_KILL);
			sim_listeners_crash(node->loop);
		}
		/* Before the loop goes, whose list they may be on. */
		sim_node_requests_crash(node, SIM_POWER);
		if (node->loop != NULL)
			sim_loop_destroy(node->loop);
	}
	sim_net_fini(world);
	for (uint32_t i = 0; i < world->disk_count; i++)
		sim_disk_free(world->disks[i]);
	for (uint32_t i = 0; i < world->node_count; i++)
		free(world->nodes[i]);
	/* What is left are calls of the harness that never came due. */
	while (world->queue.count > 0) {
		struct sim_event *event = world->queue.events[0];
		sim_event_remove(world, event);
		free(event);
	}
	free(world->queue.events);
	free(world);
	return NULL;
}

static void dying_take(struct sim_world *world)
{
	kr_assert(!world->is_in_turn);
	/* on_crash may start a node that dies at once. */
	for (uint32_t i = 0; world->dying_count > 0; i = (i + 1) % world->node_count) {
		if (world->nodes[i]->dying != SIM_CRASH_NONE)
			sim_node_take_crash(world->nodes[i]);
	}
}

bool sim_world_step(struct sim_world *world)
{
	kr_assert(!world->is_in_turn);
	dying_take(world);
	if (world->queue.count == 0)
		return false;
	struct sim_event *event = world->queue.events[0];
	sim_event_remove(world, event);
	kr_assert(event->at_us >= world->now_us);
	world->now_us = event->at_us;
	world->event_count++;
	event->fire(event);
	dying_take(world);
	return true;
}

void sim_world_run_until(struct sim_world *world, uint64_t now_us)
{
	kr_assert(now_us >= world->now_us);
	dying_take(world);
	while (world->queue.count > 0 && world->queue.events[0]->at_us <= now_us)
		sim_world_step(world);
	world->now_us = now_us;
}

uint64_t sim_world_now_us(const struct sim_world *world)
{
	return world->now_us;
}

uint64_t sim_world_event_count(const struct sim_world *world)
{
	return world->event_count;
}

uint64_t sim_world_trace(const struct sim_world *world)
{
	return world->trace;
}

void sim_world_trace_add(struct sim_world *world, const void *bytes, size_t size_bytes)
{
	kr_assert(bytes != NULL || size_bytes == 0);
	world->trace = hash_chain(world->trace, bytes, size_bytes);
}

void sim_trace_u64(struct sim_world *world, uint64_t a, uint64_t b, uint64_t c)
{
	uint8_t bytes[32];
	kr_store_u64(bytes, world->now_us);
	kr_store_u64(bytes + 8, a);
	kr_store_u64(bytes + 16, b);
	kr_store_u64(bytes + 24, c);
	sim_world_trace_add(world, bytes, sizeof(bytes));
}

void sim_world_rng(struct sim_world *world, struct rng *ret_rng)
{
	rng_fork(&world->rng_harness, ret_rng);
}

void sim_world_faults_set(struct sim_world *world, const struct sim_faults *faults)
{
	kr_assert(faults != NULL);
	world->config.faults = *faults;
}

uint64_t sim_world_mark_count(const struct sim_world *world, enum sim_mark mark)
{
	kr_assert((unsigned)mark < SIM_MARK_COUNT);
	return world->mark_counts[mark];
}

const char *sim_mark_name(enum sim_mark mark)
{
	static const char *const names[SIM_MARK_COUNT] = {
#define X(name, text) #name,
		SIM_MARK_TABLE(X)
#undef X
	};
	kr_assert((unsigned)mark < SIM_MARK_COUNT);
	return names[mark];
}

void sim_mark_add(struct sim_world *world, struct sim_node *node, enum sim_mark mark)
{
	kr_assert((unsigned)mark < SIM_MARK_COUNT);
	world->mark_counts[mark]++;
	sim_trace_u64(world, UINT64_MAX, mark, node == NULL ? UINT64_MAX : node->index);
	if (world->config.on_mark != NULL)
		world->config.on_mark(world->config.context, node, mark);
}

bool sim_fault(struct sim_world *world, struct rng *rng, struct sim_node *node,
	uint32_t per_million, enum sim_mark mark)
{
	kr_assert((unsigned)mark < SIM_MARK_COUNT);
	if (!rng_chance(rng, per_million))
		return false;
	sim_mark_add(world, node, mark);
	return true;
}

struct call {
	struct sim_event event; /* first: freed as an event at the end of the world */
	void (*on_due)(void *context);
	void *context;
};

static void call_fire(struct sim_event *event)
{
	kr_assert(event->position == UINT32_MAX);
	struct call call = *kr_container_of(event, struct call, event);
	free(event);
	call.on_due(call.context);
}

void sim_world_call_at(
	struct sim_world *world, uint64_t at_us, void (*on_due)(void *context), void *context)
{
	kr_assert(on_due != NULL);
	struct call *call = sim_alloc(sizeof(*call));
	sim_event_init(&call->event, call_fire);
	call->on_due = on_due;
	call->context = context;
	/* Tie 0: before all else of its time, in the order of the calls. */
	add(world, &call->event, KR_MAX(at_us, world->now_us), 0);
}
