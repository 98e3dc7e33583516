/*
 * A booking trace: `date,op,booking,hotel,room_type,check_in,nights,rooms,guests,price_minor`, in
 * the order to play it; op is book or cancel. And the rooms per type to load before it.
 *
 * Shared by the benchmark, which plays it to a real cluster, and the simulator.
 */
#ifndef BENCH_TRACE_H
#define BENCH_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define TRACE_TYPES_MAX 64u
#define TRACE_CODE_SIZE 16u
#define TRACE_RUNS_MAX 2u

struct trace_op {
	uint64_t booking;
	uint64_t hotel;
	uint64_t price_minor; /* of the whole stay */
	int32_t day;          /* on which it was made; never goes back */
	int32_t check_in;
	uint16_t nights;
	uint16_t rooms;
	uint16_t guests;
	uint16_t type; /* index into the capacities */
	bool is_cancel;
};

struct trace_type {
	uint64_t hotel;
	char code[TRACE_CODE_SIZE];
	uint32_t rooms;
};

struct trace {
	struct trace_op *ops;
	uint32_t op_count;
	struct trace_type types[TRACE_TYPES_MAX];
	uint32_t type_count;
	int32_t first_day, last_day; /* of all stays: earliest check-in, latest night */
};

struct trace_run {
	uint32_t nights;
	uint64_t price_minor; /* of a room and night */
};

/* Reads both files; names ending in .gz go through gzip. 0; -KR_E_INVALID for a file that cannot
 * be read or a malformed line, with its number in the text; -KR_E_NOMEM. */
KR_MUST_CHECK int trace_read(struct trace *trace, const char *trace_path, const char *capacity_path,
	struct kr_error_text *text);
/* Harmless when trace_read failed. */
void trace_free(struct trace *trace);

/* The stay's price over its nights: whole minor units, the rest on the last night. Returns how many
 * runs. */
uint32_t trace_price_runs(const struct trace_op *op, struct trace_run ret_runs[TRACE_RUNS_MAX]);

#endif
