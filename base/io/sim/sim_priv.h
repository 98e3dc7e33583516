/*
 * The simulated world inside. Numbered invariants:
 *  1. All order comes from the event queue: (time, tie drawn from the seed, number).
 *  2. Memory of the code under test (streams, ops) is touched only while its node is alive; what
 *     the kernel would hold (bytes on their way, pending writes) is a copy of the world's own.
 *  3. A dying node's calls change nothing outside its own structures.
 */
#ifndef BASE_IO_SIM_SIM_PRIV_H
#define BASE_IO_SIM_SIM_PRIV_H

#include "base/fault.h"
#include "base/io/io.h"
#include "base/io/io_address.h"
#include "base/io/io_timer_priv.h"
#include "base/io/io_turn_priv.h"
#include "base/io/sim/sim.h"
#include "base/io/sim/sim_node.h"
#include "base/list.h"

#define SIM_PATH_MAX 256u

struct sim_event {
	uint64_t at_us;
	uint64_t tie;
	uint64_t number;
	void (*fire)(struct sim_event *event);
	uint32_t position; /* in the queue, UINT32_MAX when not in it */
};

struct sim_queue {
	struct sim_event **events;
	uint32_t count;
	uint32_t capacity;
	uint64_t number;
};

struct sim_world {
	struct sim_config config;
	struct sim_queue queue;
	struct rng rng_tie; /* order of equal times */
	struct rng rng_net;
	struct rng rng_disk;
	struct rng rng_node; /* crashes, turns, clocks */
	struct rng rng_harness;
	uint64_t now_us;
	uint64_t event_count;
	uint64_t trace;
	uint64_t mark_counts[SIM_MARK_COUNT];
	bool is_in_turn;
	uint32_t dying_count;
	struct sim_node *nodes[SIM_NODE_COUNT_MAX];
	uint32_t node_count;
	struct sim_disk *disks[SIM_DISK_COUNT_MAX];
	uint32_t disk_count;
	struct kr_list connections;
	struct kr_list listeners; /* struct sim_listener */
	uint64_t connection_number;
	uint16_t next_port;
};

struct sim_node {
	struct sim_world *world;
	struct sim_disk *disk;
	struct io_loop *loop;
	const char *name;
	void *context;
	struct rng rng; /* entropy of the process */
	uint32_t index;
	bool is_alive;
	bool has_faults;
	enum sim_crash dying; /* SIM_CRASH_NONE while it is well */
	uint64_t boot_us;     /* virtual time at which its machine started */
	int64_t wall_offset_us;
	bool is_wall_frozen;
	uint64_t wall_frozen_us; /* virtual time at which its wall clock stands */
	uint64_t paused_until_us;
	uint64_t point_count;
	uint64_t crash_point; /* 0: none */
	enum sim_crash crash_how;
	struct kr_list requests; /* struct sim_request: disk operations on their way */
	struct kr_list handles;  /* struct sim_handle: open files */
	bool cut_from[SIM_NODE_COUNT_MAX];
};

/* Something a turn is to call back about: a member of the object, on the loop's list once. */
struct sim_ready {
	struct kr_list link;
	void (*deliver)(struct sim_ready *ready);
};

struct io_loop {
	struct sim_world *world;
	struct sim_node *node;
	struct io_config config;
	struct io_stats stats;
	struct io_timers timers;
	struct kr_list ready; /* struct sim_ready.link */
	struct kr_list ends;  /* struct sim_end.loop_link: its streams */
	struct sim_event turn;
	uint64_t free_at_us; /* not before */
	uint32_t open_count;
	bool is_stopped;
	bool is_ticking;
	struct io_turns turns;
	void (*on_signal)(struct io_loop *loop, int number, void *context);
	void *signal_context;
	struct sim_ready signal_ready;
	int signal_number;
};

/* world.c */
void *sim_alloc(size_t size_bytes);
void sim_event_init(struct sim_event *event, void (*fire)(struct sim_event *event));
/* Moves it when it is in the queue already. */
void sim_event_add(struct sim_world *world, struct sim_event *event, uint64_t at_us);
void sim_event_remove(struct sim_world *world, struct sim_event *event);
bool sim_event_is_queued(const struct sim_event *event);
void sim_trace_u64(struct sim_world *world, uint64_t a, uint64_t b, uint64_t c);
void sim_mark_add(struct sim_world *world, struct sim_node *node, enum sim_mark mark);
/* Draws a fault of the given rate and counts it when it comes. */
bool sim_fault(struct sim_world *world, struct rng *rng, struct sim_node *node,
	uint32_t per_million, enum sim_mark mark);

/* node.c */
/* A completion or a synchronous call: true when the node is, or hereby becomes, dying. */
bool sim_node_point(struct sim_node *node);
void sim_node_take_crash(struct sim_node *node);

/* loop.c */
void sim_loop_turn_schedule(struct io_loop *loop, uint64_t at_us);
/* Something is ready: a turn after the usual delay. */
void sim_loop_ready(struct io_loop *loop, struct sim_ready *ready);
/* The process is gone: frees the loop and forgets all that hung on it. */
void sim_loop_destroy(struct io_loop *loop);
static inline bool sim_loop_is_gone(const struct io_loop *loop)
{
	return loop->node->dying != SIM_CRASH_NONE;
}

/* net.c, listener.c: the connections and listeners of a crashed loop */
void sim_net_crash(struct io_loop *loop, enum sim_crash how);
void sim_listeners_crash(struct io_loop *loop);
void sim_net_fini(struct sim_world *world);

/* disk.c, request.c */
void sim_disk_free(struct sim_disk *disk);
void sim_disk_power_cut(struct sim_disk *disk);
void sim_node_requests_crash(struct sim_node *node, enum sim_crash how);

#endif
