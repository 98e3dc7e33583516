/* What a run measured, for eyes and for programs. */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include "bench/run_options.h"

struct report {
	const struct run_options *options;
	const struct work *work;
	double seconds;     /* measured */
	double cpu_seconds; /* of this process meanwhile */
	uint64_t differences;
	uint64_t late; /* open loop: operations that started after their intended time */
	/* from the cluster */
	const char *durability;
	uint32_t shards;
};

void report_print(const struct report *report);

#endif
