/*
 * Makes a failing sequence small: runs parts of it, each in a process of its own, and keeps what
 * still fails with the same check. (A. Zeller's delta debugging, over whatever steps stand for.)
 */
#ifndef TESTS_PROPERTY_SHRINK_H
#define TESTS_PROPERTY_SHRINK_H

#include <stdbool.h>
#include <stdint.h>

#define SHRINK_TEXT_SIZE 8192

/* Does the steps, ascending; where one fails it says file and line ("side.c:57: ...") and ends the
 * process with a status that is not 0. */
typedef void shrink_run(void *context, const uint32_t *steps, uint32_t count);

struct shrink {
	shrink_run *run;
	void *context;
	uint32_t seconds_max;
	/* results */
	uint32_t tries;
	char said[SHRINK_TEXT_SIZE]; /* by the smallest run that failed */
};

/* Leaves in `steps` what is needed; how many. 0: the whole sequence does not fail. */
uint32_t shrink_steps(struct shrink *shrink, uint32_t *steps, uint32_t count);

#endif
