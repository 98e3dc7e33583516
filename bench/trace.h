/* A booking trace: `date,op,booking,hotel,room_type,check_in,nights,rooms,guests,price_minor`, in
 * the order to play it; op is book or cancel. And the rooms per type to load before it. */
#ifndef BENCH_TRACE_H
#define BENCH_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#define TRACE_TYPES_MAX 64u
#define TRACE_CODE_SIZE 16u

struct trace_op {
	uint64_t booking;
	uint64_t hotel;
	uint64_t price_minor; /* of the whole stay */
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

/* Reads both files; names ending in .gz go through gzip. A malformed line ends the program with
 * its number. */
void trace_read(struct trace *trace, const char *trace_path, const char *capacity_path);
void trace_free(struct trace *trace);

#endif
