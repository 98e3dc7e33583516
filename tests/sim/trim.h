/*
 * What is taken away from the world that a seed draws: sizes, the length of its safety phase, how
 * often anything is asked or crashes, and which of its faults are on. It is written and read as
 * options, so that whatever was taken away can be taken away again.
 */
#ifndef TESTS_SIM_TRIM_H
#define TESTS_SIM_TRIM_H

#include <stddef.h>

#include "tests/sim/cluster.h"

#define TRIM_NONE UINT64_MAX
#define TRIM_STIR_MAX 1000u

enum trim_number {
	TRIM_SHARDS,
	TRIM_ROUTERS,
	TRIM_CLIENTS,
	TRIM_HOTELS,
	TRIM_OPERATIONS,
	TRIM_CRASHES,
	TRIM_SAFETY_MS,
	TRIM_NUMBERS,
};

struct trim {
	uint64_t numbers[TRIM_NUMBERS]; /* at most; TRIM_NONE: as drawn */
	uint64_t faults_off;            /* by index: trim_fault_name() */
	uint32_t stir;                  /* other draws in the same world; 0: those of the seed */
};

void trim_init(struct trim *ret_trim);
uint32_t trim_fault_count(void);
const char *trim_fault_name(uint32_t fault);
/* The faults that the plan has on, as bits. */
uint64_t trim_faults_of(const struct cluster_plan *plan);
const char *trim_number_name(enum trim_number number);
/* An option's value: false when it cannot be read. */
bool trim_number_parse(struct trim *trim, enum trim_number number, const char *text);
bool trim_faults_parse(struct trim *trim, const char *text); /* those that stay on; or "none" */
bool trim_stir_parse(struct trim *trim, const char *text);
/* As options, each with a blank before it; nothing when nothing is taken away. */
void trim_print(const struct trim *trim, char *ret_text, size_t size_bytes);
void trim_apply(const struct trim *trim, struct cluster_plan *plan);

#endif
