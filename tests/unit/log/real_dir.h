/*
 * A real directory, on io_uring, made from a directory in memory and read back into one: so that
 * what is tested over memory is tested over files too.
 */
#ifndef TESTS_UNIT_LOG_REAL_DIR_H
#define TESTS_UNIT_LOG_REAL_DIR_H

#include "base/fault.h"
#include "engine/log/log_io.h"
#include "tests/unit/log/log_world.h"

struct real_dir {
	char path[128];
	struct io_loop *loop;
	struct log_store store;
	struct fault_set faults; /* of the loop */
	bool is_open;
};

/* A fresh, empty directory below the build's own; skips the test where io_uring is forbidden. */
void real_dir_init(struct real_dir *dir);
/* Removes it with all in it. */
void real_dir_fini(struct real_dir *dir);
/* Files of the world become files. */
void real_dir_put(struct real_dir *dir, const struct world *world);
/* And back, sizes and bytes, LOCK left out. */
void real_dir_get(const struct real_dir *dir, struct world *ret_world);
bool real_dir_has(const struct real_dir *dir, const char *name);
uint32_t real_dir_count(const struct real_dir *dir);

/* Opens and locks; the test fails where that fails. */
void real_dir_open(struct real_dir *dir);
void real_dir_close(struct real_dir *dir);
/* Opens, locks, recovers into `applied`; the report is in dir->store.recover. */
void real_dir_recover(
	struct real_dir *dir, const struct objection *objection, struct applied *applied);

/* A log that runs: repaired, opened, its first batch durable. */
struct real_log {
	struct real_dir *dir;
	struct log_io io;
	uint32_t progress_count;
	int error;
	uint64_t error_durable_lsn; /* when it came */
	uint64_t timestamp_us;
};

void real_log_begin(struct real_log *log, struct real_dir *dir, uint64_t sync_interval_us);
/* The same; false: it failed, and all is closed. */
bool real_log_try_begin(struct real_log *log, struct real_dir *dir, uint64_t sync_interval_us);
/* Appends and waits until it is acknowledged; false: it failed. */
bool real_log_append(struct real_log *log, uint32_t count);
/* Ticks the loop until `done` or a failure. */
void real_log_wait(struct real_log *log, bool (*done)(const struct real_log *log));
void real_log_stop(struct real_log *log, const uint64_t *digest);
/* As a process that ends between two operations. */
void real_log_end(struct real_log *log);

#endif
