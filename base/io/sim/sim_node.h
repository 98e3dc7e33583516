/* Nodes and disks of a simulated world: what a harness does to processes, power and media. */
#ifndef BASE_IO_SIM_SIM_NODE_H
#define BASE_IO_SIM_SIM_NODE_H

#include "base/io/sim/sim.h"

/* --- nodes: processes --- */

/* Started, without a loop. `disk` may be NULL for a process without files; the first word of the
 * name is its role. Freed by the world. */
struct sim_node *sim_node_new(struct sim_world *world, struct sim_disk *disk, const char *name);
const char *sim_node_name(const struct sim_node *node);
uint32_t sim_node_index(const struct sim_node *node);
struct io_loop *sim_node_loop(const struct sim_node *node);
struct sim_disk *sim_node_disk(const struct sim_node *node);

/* A harness's own pointer, kept for it. */
void sim_node_context_set(struct sim_node *node, void *context);
void *sim_node_context(const struct sim_node *node);

bool sim_node_is_alive(const struct sim_node *node);
/* Hit by a crash that has not taken hold yet: nothing it does has an effect any more. */
bool sim_node_is_dying(const struct sim_node *node);

/* Alive again after a crash or a clean end; ready for a new loop. */
void sim_node_start(struct sim_node *node);

/*
 * SIM_KILL: the process is gone, its connections are reset or ended, what it wrote is in the
 * page cache, and what was on its way may land later while the lock is still held.
 * SIM_POWER: the machine: all nodes of its disk, and sectors meet their fates.
 * From outside of callbacks it happens at once; from inside one, when that returns.
 */
void sim_node_crash(struct sim_node *node, enum sim_crash how);
/* Crashes at the n-th completion or synchronous call from now (1: the next). 0: takes it back. */
void sim_node_crash_at(struct sim_node *node, uint64_t nth, enum sim_crash how);
/* Completions and synchronous calls so far: the crash points of a script. */
uint64_t sim_node_point_count(const struct sim_node *node);
/* Whether rates of crash, pause and wall steps apply to it; on at the start. */
void sim_node_faults_enable(struct sim_node *node, bool is_enabled);

/* Makes no turn until then; kernel-side things go on. */
void sim_node_pause(struct sim_node *node, uint64_t until_us);
void sim_node_wall_step(struct sim_node *node, int64_t delta_us);
/* The wall clock stands still, until it is let go and is right again. */
void sim_node_wall_freeze(struct sim_node *node, bool is_frozen);
/* A signal, such as SIGTERM, for the loop that watches. */
void sim_node_signal(struct sim_node *node, int number);
/* Bytes between the two vanish until healed; connections stay and find out by their deadlines. */
void sim_node_partition(struct sim_node *a, struct sim_node *b, bool is_cut);

/* --- disks --- */

/* `capacity_bytes` for file content; 0: without limit. Freed by the world. */
struct sim_disk *sim_disk_new(struct sim_world *world, uint64_t capacity_bytes);
void sim_disk_capacity_set(struct sim_disk *disk, uint64_t capacity_bytes);
uint64_t sim_disk_used_bytes(const struct sim_disk *disk);
/* Whether rates of disk faults apply to it; on at the start. */
void sim_disk_faults_enable(struct sim_disk *disk, bool is_enabled);

enum sim_fate {
	SIM_FATE_KEPT,
	SIM_FATE_DROPPED,
	SIM_FATE_TORN,
	SIM_FATE_ZEROED,
	SIM_FATE_GARBAGE,
};

/*
 * Chooses, instead of the rates, what a power cut does to each unsynced sector: called in the
 * order of directory, name, offset. NULL: the rates again.
 */
void sim_disk_fate_set(struct sim_disk *disk,
	enum sim_fate (*choose)(void *context, const char *name, uint64_t offset), void *context);

/*
 * Chooses, instead of chance, how many of a directory's unsynced changes a power cut leaves (the
 * first ones; at most `change_count`), and whether a file keeps its unsynced size. Called for a
 * directory before the files in it. NULL: chance again.
 */
struct sim_cut {
	uint32_t (*names)(void *context, const char *path, uint32_t change_count);
	bool (*keeps_size)(void *context, const char *name);
	void *context;
};
void sim_disk_cut_set(struct sim_disk *disk, const struct sim_cut *cut);

/* --- media, by path of the directory and name: what a test does to a disk by hand --- */

/* -1 when there is no such file. */
int64_t sim_media_size(struct sim_disk *disk, const char *path, const char *name);
/* Bytes of it, as a read would give them; the range must lie in the file. */
void sim_media_read(struct sim_disk *disk, const char *path, const char *name, uint64_t offset,
	void *bytes, size_t size_bytes);
/* Changes content, cached and durable; grows the file when needed; makes it when missing. */
void sim_media_write(struct sim_disk *disk, const char *path, const char *name, uint64_t offset,
	const void *bytes, size_t size_bytes);
void sim_media_truncate(
	struct sim_disk *disk, const char *path, const char *name, uint64_t size_bytes);
void sim_media_remove(struct sim_disk *disk, const char *path, const char *name);
/* Reads of the sector fail with EIO until it is written again. */
void sim_media_break(struct sim_disk *disk, const char *path, const char *name, uint64_t offset);
/* Every file of the directory, in byte order of names. */
void sim_media_list(struct sim_disk *disk, const char *path,
	void (*on_name)(void *context, const char *name), void *context);

#endif
