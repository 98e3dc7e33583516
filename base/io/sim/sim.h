/*
 * The simulated archive's other side: a world that loops live in. One seed decides everything:
 * the same seed and the same calls give the same trace hash.
 *
 * A node is a process: make a loop on it with io_loop_new and `config.environment = node`. Nodes
 * that name the same disk share a machine: its files, its power. sim_world_step pops the next
 * event of virtual time and lets it act; code under test runs inside io_loop_tick, which only the
 * world calls.
 *
 * A node may be crashed from outside or by chance at any completion. It is then dead: its loop is
 * gone, its operations have no effect, none of its callbacks runs again; `on_crash` tells the
 * harness, which throws the node's objects away and may start anew with sim_node_start.
 * A crash that hits inside a call (the ..._now functions) makes this and all further calls of the
 * node fail without effect; it takes hold when the callback returns to the world. Code that runs
 * outside callbacks, such as a server's start, asks sim_node_is_dying when its own call is back.
 */
#ifndef BASE_IO_SIM_SIM_H
#define BASE_IO_SIM_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/io/io.h"
#include "base/rng.h"

#define SIM_NODE_COUNT_MAX 256u
#define SIM_DISK_COUNT_MAX 64u
#define SIM_SECTOR_SIZE 512u

struct sim_world;
struct sim_node;
struct sim_disk;

/* What can go wrong. Each is counted, for coverage: see sim_world_mark_count. */
#define SIM_MARK_TABLE(X)                                                                          \
	X(NET_SPLIT, "bytes of one send arrived in pieces")                                        \
	X(NET_JOIN, "bytes of several sends arrived at once")                                      \
	X(NET_SPIKE, "bytes were held up for long")                                                \
	X(NET_RESET, "a connection was reset")                                                     \
	X(NET_SILENCE, "a connection went silent for ever")                                        \
	X(NET_FLIP, "a bit was flipped on the way")                                                \
	X(NET_DUPLICATE, "bytes came twice")                                                       \
	X(NET_ASTRAY, "a frame of an answer came on another connection")                           \
	X(NET_WINDOW, "a send waited for the reader")                                              \
	X(NET_PARTITION, "bytes met a partition")                                                  \
	X(DISK_SPIKE, "an operation took long")                                                    \
	X(DISK_STUCK, "an operation took longer than ten seconds")                                 \
	X(DISK_SHORT, "a write was carried out in two parts")                                      \
	X(DISK_READ_ERROR, "a read failed with EIO")                                               \
	X(DISK_READ_FLIP, "a bit was flipped in what was read")                                    \
	X(DISK_WRITE_ERROR, "a write failed with EIO")                                             \
	X(DISK_WRITE_LOST, "a write was acknowledged and lost")                                    \
	X(DISK_WRITE_ASTRAY, "a write landed somewhere else in its file")                          \
	X(DISK_FULL, "the disk was full")                                                          \
	X(DISK_SYNC_ERROR, "a sync failed and what it should have kept was dropped")               \
	X(DISK_ROT, "a bit of a sector at rest was flipped")                                       \
	X(SECTOR_KEPT, "an unsynced sector survived a power cut")                                  \
	X(SECTOR_DROPPED, "an unsynced sector kept its old content")                               \
	X(SECTOR_TORN, "an unsynced sector is part new, part old")                                 \
	X(SECTOR_ZEROED, "an unsynced sector reads as zeroes")                                     \
	X(SECTOR_GARBAGE, "an unsynced sector reads as garbage")                                   \
	X(NAME_KEPT, "an unsynced directory change survived a power cut")                          \
	X(NAME_LOST, "an unsynced directory change was lost")                                      \
	X(SIZE_LOST, "an unsynced file size was lost")                                             \
	X(LATE_WRITE, "a write landed after its process was killed")                               \
	X(LOCK_HELD, "a lock was held by another process or its late writes")                      \
	X(CRASH_KILL, "a process was killed")                                                      \
	X(CRASH_POWER, "a machine lost its power")                                                 \
	X(CRASH_IN_CALL, "a crash hit inside a synchronous call")                                  \
	X(PAUSE, "a process stood still")                                                          \
	X(WALL_STEP, "the wall clock stepped")                                                     \
	X(WALL_FROZEN, "the wall clock stood still")

#define X(name, text) SIM_##name,
enum sim_mark { SIM_MARK_TABLE(X) SIM_MARK_COUNT };
#undef X

enum sim_crash { SIM_CRASH_NONE, SIM_KILL, SIM_POWER };

/* Rates are chances in a million: net per piece sent, disk per operation, crash per completion. */
struct sim_faults {
	uint32_t net_split, net_spike, net_reset, net_silence, net_flip, net_duplicate;
	uint32_t net_astray; /* of what the accepting side sends, where a frame begins */
	uint32_t disk_spike, disk_short, disk_read_error, disk_read_flip;
	uint32_t disk_write_error, disk_write_lost, disk_write_astray, disk_full, disk_sync_error;
	uint32_t disk_rot; /* per write: a bit elsewhere in the same file */
	uint32_t crash_kill, crash_power;
	uint32_t pause, wall_step; /* per turn of a loop */
	/* what becomes of an unsynced sector; weights, all 0 means kept or dropped alike */
	uint32_t fate_kept, fate_dropped, fate_torn, fate_zeroed, fate_garbage;
};

struct sim_config {
	uint64_t seed;
	int64_t wall_start_us;        /* unix time at virtual time 0 */
	uint32_t net_delay_us[2];     /* least and most; at least 1 */
	uint32_t net_spike_us;        /* most */
	uint32_t socket_buffer_bytes; /* sent and not yet read, per direction */
	uint32_t disk_delay_us[2];    /* of a write or sync; a read takes half */
	uint32_t disk_spike_us;       /* most: a stuck disk */
	uint32_t turn_delay_us[2];    /* from a completion to the turn that sees it */
	uint32_t turn_cost_us[2];     /* until the same loop may turn again */
	uint32_t pause_us[2];
	uint32_t wall_step_us; /* most, either way */
	uint32_t quantum_us;   /* all happens at its multiples, so that instants coincide; or 0 */
	struct sim_faults faults;
	/* How long the frame is that begins with these bytes; 0: they are too few to tell,
	 * UINT32_MAX: none begins here. NULL: no frame ever goes astray. */
	uint32_t (*frame_size)(const uint8_t *bytes, uint32_t size_bytes);
	/* May be NULL. `node` is NULL when a fault is nobody's. */
	void (*on_mark)(void *context, struct sim_node *node, enum sim_mark mark);
	/* The node is dead, its loop freed. Called by the world between events. */
	void (*on_crash)(void *context, struct sim_node *node, enum sim_crash how);
	void *context;
};

/* Plausible delays, no faults, seed 1, wall clock at 2026-01-01. */
void sim_config_default(struct sim_config *ret_config);

struct sim_world *sim_world_new(const struct sim_config *config);
/* Frees loops, nodes and disks too, whatever runs on them. Returns NULL. */
struct sim_world *sim_world_free(struct sim_world *world);
/* The next event; false when there is none. Time moves to it. */
bool sim_world_step(struct sim_world *world);
/* Steps through all events up to `now_us` and moves time there. */
void sim_world_run_until(struct sim_world *world, uint64_t now_us);
uint64_t sim_world_now_us(const struct sim_world *world);
uint64_t sim_world_event_count(const struct sim_world *world);
/* The hash of all that has happened so far; a harness adds what it decides itself. */
uint64_t sim_world_trace(const struct sim_world *world);
void sim_world_trace_add(struct sim_world *world, const void *bytes, size_t size_bytes);
/* A generator of its own for the harness, from the seed. */
void sim_world_rng(struct sim_world *world, struct rng *ret_rng);
/* Other rates from now on; all zero for the phase in which everything must resolve. */
void sim_world_faults_set(struct sim_world *world, const struct sim_faults *faults);
uint64_t sim_world_mark_count(const struct sim_world *world, enum sim_mark mark);
const char *sim_mark_name(enum sim_mark mark);
/* Calls back once at a virtual time, between turns. Calls of one time come in order. */
void sim_world_call_at(
	struct sim_world *world, uint64_t at_us, void (*on_due)(void *context), void *context);

#endif
