/*
 * A log store of a process on a simulated disk, which may die: what a start or an operator's tool
 * does with files that a test has laid out. The disk's directory is STORE_RUN_PATH.
 */
#ifndef TESTS_FAULT_STORE_RUN_H
#define TESTS_FAULT_STORE_RUN_H

#include "base/io/sim/sim_node.h"
#include "engine/log/store.h"
#include "tests/unit/log/log_world.h"

#define STORE_RUN_PATH "data"

struct store_run {
	struct sim_world *world;
	struct sim_disk *disk;
	struct sim_node *node;
	struct io_loop *loop;
	struct fault_set faults; /* of the process; none is armed */
	struct log_store store;
	bool is_open;
};

/* A world of its own with the files on its disk, and with these fates of what is not synced. It
 * stays where it is until the end. */
void store_run_begin(struct store_run *run, const struct world *files, uint64_t seed,
	const struct sim_faults *fates);
void store_run_end(struct store_run *run);
/* Starts the process if it is dead, opens, and locks: waits for the writes of a killed one. */
void store_run_open(struct store_run *run);
/* As a process that ends by itself. */
void store_run_close(struct store_run *run);
/* Of a crash that was set: whether the process got by it. */
bool store_run_is_alive(const struct store_run *run);

#endif
