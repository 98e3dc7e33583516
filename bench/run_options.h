/* Options of `keyrack-bench run`. */
#ifndef BENCH_RUN_OPTIONS_H
#define BENCH_RUN_OPTIONS_H

#include "bench/preset.h"
#include "bench/work.h"

struct run_options {
	const char *routers;
	struct preset_words words;
	const char *journal;
	const char *series;
	const char *data_dir; /* only to say which device it is on */
	const char *label;
	double seconds, warmup;
	uint32_t connections, depth;
	double rate; /* operations a second, open loop; 0 = closed loop */
	uint64_t preload;
	uint32_t first_night; /* of those that are sold, from the business day */
	double deadline;      /* of a call */
	uint64_t deadline_us;
	uint32_t op; /* an enum work_kind, where there is no mix */
	const char *mix;
	bool hot;
	bool is_null; /* the server decides nothing: nothing is there to be read or counted */
	bool json;
	bool no_retry;
	struct work_options work;
};

/* Reads the command line; wrong options end the program with BENCH_USAGE. */
void run_options_parse(int argc, char **argv, struct run_options *ret);

#endif
