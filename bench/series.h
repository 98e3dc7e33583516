/*
 * A series: what each tenth of a second of a run was like, a line of CSV each. What a run's own
 * percentiles hide, such as the pause of a snapshot, shows here.
 *
 * Columns: t_s (the interval's beginning since the series began), count, p50_us, p99_us, max_us.
 * Latencies are those of the operations that ended in the interval. Intervals without any are
 * there too, with zeros.
 */
#ifndef BENCH_SERIES_H
#define BENCH_SERIES_H

#include <stdbool.h>
#include <stdio.h>

#include "base/hist.h"

#define SERIES_INTERVAL_US UINT64_C(100000)

struct series {
	FILE *file;
	uint64_t begin_us; /* of the series */
	uint64_t from_us;  /* of the open interval */
	struct hist hist;
};

/* Takes the file, which must be open for writing, and writes the head. */
void series_init(struct series *series, FILE *file, uint64_t now_us);
/* Writes what is open and closes the file. False: not everything could be written. */
KR_MUST_CHECK bool series_fini(struct series *series);
/* An operation that ended now. */
void series_add(struct series *series, uint64_t now_us, uint64_t latency_us);
/* Writes the intervals that are over. */
void series_tick(struct series *series, uint64_t now_us);

#endif
