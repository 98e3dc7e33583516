#include "base/io/io_memory.h"
#include "base/io/sim/sim_priv.h"

#include <stdlib.h>

static void signal_deliver(struct sim_ready *ready)
{
	struct io_loop *loop = kr_container_of(ready, struct io_loop, signal_ready);
	kr_assert(loop->on_signal != NULL);
	loop->on_signal(loop, loop->signal_number, loop->signal_context);
}

static void turn_fire(struct sim_event *event);

int io_loop_new(
	const struct io_config *config, struct io_loop **ret_loop, struct kr_error_text *text)
{
	struct sim_node *node = config->environment;
	kr_assert(node != NULL);
	kr_assert(node->is_alive);
	kr_assert(node->loop == NULL);
	kr_assert(config->buffer_size_bytes > 0);
	struct io_loop *loop = sim_alloc(sizeof(*loop));
	loop->world = node->world;
	loop->node = node;
	loop->config = *config;
	kr_list_init(&loop->ready);
	kr_list_init(&loop->ends);
	sim_event_init(&loop->turn, turn_fire);
	kr_list_init(&loop->signal_ready.link);
	loop->signal_ready.deliver = signal_deliver;
	node->loop = loop;
	*ret_loop = loop;
	return 0;
}

void sim_loop_destroy(struct io_loop *loop)
{
	kr_assert(!loop->is_ticking);
	sim_event_remove(loop->world, &loop->turn);
	loop->node->loop = NULL;
	free(loop);
}

struct io_loop *io_loop_free(struct io_loop *loop)
{
	if (loop == NULL)
		return NULL;
	kr_assert(loop->open_count == 0 || sim_loop_is_gone(loop));
	/* A dying process frees nothing: the world does when it takes the crash. */
	if (sim_loop_is_gone(loop))
		return NULL;
	loop->node->is_alive = false;
	sim_loop_destroy(loop);
	return NULL;
}

void sim_loop_turn_schedule(struct io_loop *loop, uint64_t at_us)
{
	kr_assert(loop->node->loop == loop);
	at_us = KR_MAX(at_us, loop->world->now_us);
	at_us = KR_MAX(at_us, loop->free_at_us);
	at_us = KR_MAX(at_us, loop->node->paused_until_us);
	if (sim_event_is_queued(&loop->turn) && loop->turn.at_us <= at_us)
		return;
	sim_event_add(loop->world, &loop->turn, at_us);
}

void sim_loop_ready(struct io_loop *loop, struct sim_ready *ready)
{
	kr_assert(ready->deliver != NULL);
	struct sim_world *world = loop->world;
	const uint32_t *delay_us = world->config.turn_delay_us;
	if (kr_list_is_empty(&ready->link))
		kr_list_push_back(&loop->ready, &ready->link);
	sim_loop_turn_schedule(
		loop, world->now_us + rng_range(&world->rng_node, delay_us[0], delay_us[1]));
}

static uint32_t ready_run(struct io_loop *loop)
{
	kr_assert(loop->is_ticking);
	struct kr_list batch;
	struct kr_list *link;
	uint32_t count = 0;
	kr_list_init(&batch);
	kr_list_splice_back(&batch, &loop->ready);
	while ((link = kr_list_pop_front(&batch)) != NULL) {
		if (sim_node_point(loop->node)) {
			/* The crash takes these lists apart. */
			kr_list_push_front(&batch, link);
			kr_list_splice_back(&loop->ready, &batch);
			break;
		}
		struct sim_ready *ready = kr_container_of(link, struct sim_ready, link);
		ready->deliver(ready);
		loop->stats.completion_count++;
		count++;
	}
	return count;
}

static uint32_t timers_run(struct io_loop *loop)
{
	kr_assert(loop->is_ticking);
	uint64_t now_us = io_clock_boot_us(loop);
	uint64_t end = loop->timers.sequence;
	uint32_t count = 0;
	while (io_timers_is_due(&loop->timers, now_us, end) && !sim_node_point(loop->node)) {
		io_timers_run_first(&loop->timers);
		count++;
	}
	return count;
}

/* A crash within the first owner's is the end of the second's. */
static void turns_end(struct io_loop *loop)
{
	const struct io_turns *turns = &loop->turns;
	for (uint32_t i = 0; i < turns->count && !sim_loop_is_gone(loop); i++)
		turns->items[i].on_turn(loop, turns->items[i].context);
}

int io_loop_tick(struct io_loop *loop, uint64_t timeout_us)
{
	kr_assert(loop->world->is_in_turn);
	kr_assert(!loop->is_ticking);
	loop->is_ticking = true;
	loop->stats.tick_count++;
	sim_trace_u64(loop->world, loop->node->index, loop->stats.tick_count, 0);
	uint32_t count = ready_run(loop);
	count += timers_run(loop);
	if (count > 0)
		turns_end(loop);
	loop->is_ticking = false;
	return 0;
}

static void turn_again(struct io_loop *loop)
{
	kr_assert(!loop->is_ticking);
	uint64_t deadline_us = io_timers_deadline_us(&loop->timers);
	if (!kr_list_is_empty(&loop->ready))
		sim_loop_turn_schedule(loop, loop->world->now_us);
	if (deadline_us < IO_WAIT_FOREVER - loop->node->boot_us)
		sim_loop_turn_schedule(loop, deadline_us + loop->node->boot_us);
}

static void turn_faults(struct io_loop *loop)
{
	struct sim_world *world = loop->world;
	const struct sim_config *config = &world->config;
	struct rng *rng = &world->rng_node;
	if (!loop->node->has_faults)
		return;
	if (rng_chance(rng, config->faults.pause))
		sim_node_pause(loop->node,
			world->now_us + rng_range(rng, config->pause_us[0], config->pause_us[1]));
	if (rng_chance(rng, config->faults.wall_step)) {
		int64_t most = (int64_t)config->wall_step_us;
		int64_t step = (int64_t)rng_below(rng, (uint64_t)most * 2 + 1) - most;
		sim_node_wall_step(loop->node, step);
	}
}

static void turn_fire(struct sim_event *event)
{
	struct io_loop *loop = kr_container_of(event, struct io_loop, turn);
	struct sim_world *world = loop->world;
	const uint32_t *cost_us = world->config.turn_cost_us;
	kr_assert(!world->is_in_turn);
	turn_faults(loop);
	if (loop->node->paused_until_us > world->now_us) {
		sim_loop_turn_schedule(loop, loop->node->paused_until_us);
		return;
	}
	world->is_in_turn = true;
	int r = io_loop_tick(loop, 0);
	world->is_in_turn = false;
	kr_assert(r == 0);
	loop->free_at_us = world->now_us + rng_range(&world->rng_node, cost_us[0], cost_us[1]);
	turn_again(loop);
}

int io_loop_run(struct io_loop *loop)
{
	/* Here the world turns the loops. */
	kr_unreachable();
}

void io_loop_stop(struct io_loop *loop)
{
	kr_assert(loop != NULL);
	loop->is_stopped = true;
}

bool io_loop_is_stopped(const struct io_loop *loop)
{
	return loop->is_stopped;
}

void io_loop_set_turn(
	struct io_loop *loop, void (*on_turn)(struct io_loop *loop, void *context), void *context)
{
	const struct io_turn turn = {.on_turn = on_turn, .context = context};
	kr_assert(loop != NULL);
	io_turns_set(&loop->turns, &turn);
}

struct fault_set *io_loop_faults(const struct io_loop *loop)
{
	kr_assert(loop != NULL);
	return loop->config.faults;
}

const struct io_stats *io_loop_stats(const struct io_loop *loop)
{
	return &loop->stats;
}

uint64_t io_clock_boot_us(const struct io_loop *loop)
{
	kr_assert(loop->world->now_us >= loop->node->boot_us);
	return loop->world->now_us - loop->node->boot_us;
}

int64_t io_clock_wall_us(const struct io_loop *loop)
{
	const struct sim_world *world = loop->world;
	const struct sim_node *node = loop->node;
	const uint64_t at_us = node->is_wall_frozen ? node->wall_frozen_us : world->now_us;
	return world->config.wall_start_us + (int64_t)at_us + node->wall_offset_us;
}

uint64_t io_entropy_u64(struct io_loop *loop)
{
	return rng_next(&loop->node->rng);
}

void io_timer_start(struct io_loop *loop, struct io_timer *timer, uint64_t deadline_us)
{
	kr_assert(timer->on_due != NULL);
	if (timer->is_running)
		io_timers_remove(&loop->timers, timer);
	uint64_t now_us = io_clock_boot_us(loop);
	io_timers_add(&loop->timers, timer, deadline_us, now_us);
	/* Far deadlines stand for never; they must not run over. */
	if (timer->deadline_us < IO_WAIT_FOREVER - loop->node->boot_us)
		sim_loop_turn_schedule(loop, timer->deadline_us + loop->node->boot_us);
}

void io_timer_stop(struct io_loop *loop, struct io_timer *timer)
{
	kr_assert(loop != NULL);
	if (timer->is_running)
		io_timers_remove(&loop->timers, timer);
}

/* Virtual time passes in waits alone. */
void io_loop_set_spin(struct io_loop *loop, uint32_t spin_us)
{
	kr_assert(loop->node != NULL);
}

int io_signal_watch(struct io_loop *loop,
	void (*on_signal)(struct io_loop *loop, int number, void *context), void *context,
	struct kr_error_text *text)
{
	kr_assert(on_signal != NULL);
	kr_assert(loop->on_signal == NULL);
	loop->on_signal = on_signal;
	loop->signal_context = context;
	return 0;
}

bool io_memory_populate(struct io_loop *loop, struct io_op *op, void *base, size_t size_bytes)
{
	kr_assert(loop != NULL && base != NULL);
	kr_assert(size_bytes > 0 && !op->is_running);
	return false;
}
