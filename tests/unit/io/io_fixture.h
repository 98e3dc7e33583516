/*
 * What the same test bodies need from either archive: loops that talk to each other, something
 * that lets time pass, a directory. Two implementations: io_fixture_uring.c and io_fixture_sim.c.
 */
#ifndef TESTS_UNIT_IO_IO_FIXTURE_H
#define TESTS_UNIT_IO_IO_FIXTURE_H

#include <criterion/criterion.h>

#include "base/fault.h"
#include "base/io/io.h"
#include "base/io/io_file.h"
#include "base/io/io_stream.h"

#define FIXTURE_LOOP_COUNT 2u
#define FIXTURE_STEP_LIMIT 200000u

struct io_fixture {
	struct io_loop *loops[FIXTURE_LOOP_COUNT];
	struct fault_set faults; /* of both loops */
	char path[64];           /* of a directory on a disk, empty at the start */
	void *backend;
	void *nodes[FIXTURE_LOOP_COUNT];
};

/* NULL: the default configuration. */
void io_fixture_init(struct io_fixture *fixture, const struct io_config *config);
/* Everything is closed. */
void io_fixture_fini(struct io_fixture *fixture);
/* Lets something happen on each loop; sleeps, or lets virtual time pass, up to the next event. */
void io_fixture_step(struct io_fixture *fixture);
/* An address for tests that loop 0 may listen on: port 0, or a unix path. */
struct io_address io_fixture_tcp(const struct io_fixture *fixture);
struct io_address io_fixture_unix(const struct io_fixture *fixture);
/* Sends the process of loop 0 a signal. */
void io_fixture_signal(struct io_fixture *fixture, int number);
/* True where real time passes and the kernel's own buffers matter. */
bool io_fixture_is_real(void);

/* Steps until the condition holds; fails the test when it never does. */
#define io_fixture_until(fixture, condition)                                                       \
	do {                                                                                       \
		uint32_t steps_ = 0;                                                               \
		while (!(condition)) {                                                             \
			cr_assert(steps_++ < FIXTURE_STEP_LIMIT, "never: %s", #condition);         \
			io_fixture_step(fixture);                                                  \
		}                                                                                  \
	} while (0)

#endif
