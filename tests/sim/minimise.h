/*
 * A world that fails is made small: faults are switched off, sizes, operations, crashes and the
 * safety phase cut down, as long as it fails in the same way. Each try is a process of its own.
 *
 * The same way means the same words without their numbers. What is taken away changes what is
 * drawn afterwards, so each smaller world is tried with a few other draws, too (--stir).
 */
#ifndef TESTS_SIM_MINIMISE_H
#define TESTS_SIM_MINIMISE_H

#include "tests/sim/trim.h"

#define MINIMISE_TEXT_SIZE 256u
#define MINIMISE_TRIES_MAX 1500u

/* How a world ended, and what it had done by then. */
struct minimise_end {
	bool has_failed;
	char kind[MINIMISE_TEXT_SIZE]; /* the failure's words without numbers */
	uint64_t operations, crashes, now_us;
};

struct minimise {
	/* Runs the world of the trim, in this process; on_fail is for the cluster. */
	void (*run)(const struct minimise *minimise, const struct trim *trim, bool is_told,
		void (*on_fail)(struct cluster *cluster, const char *text));
	const void *context;
	uint64_t seed;
	struct trim trim; /* where it begins, and what is found */
	struct minimise_end end;
	uint32_t try_count;
};

#define MINIMISE_NOTHING_FAILS 3

/* Prints how small it becomes. 0, or MINIMISE_NOTHING_FAILS. */
KR_MUST_CHECK int minimise(struct minimise *minimise, const struct cluster_plan *plan);
/* The story of what was found; 0 when it ended as it should have. */
KR_MUST_CHECK int minimise_tell(struct minimise *minimise);

#endif
