/*
 * A log-linear histogram: counts of values from 0 to 2^40 - 1 with a bounded relative error.
 *
 * A value below 128 has a bucket of its own; above, each power of two is cut into 64 buckets. A
 * percentile is reported as its bucket's middle, at most 1/128 = 0.8 % from any value in it.
 * Values beyond the range count in the last bucket; the maximum is exact all the same.
 */
#ifndef BASE_HIST_H
#define BASE_HIST_H

#include <stdint.h>

#include "base/check.h"

#define HIST_VALUE_BITS 40u
#define HIST_VALUE_MAX ((UINT64_C(1) << HIST_VALUE_BITS) - 1)
#define HIST_SUB_BITS 6u
#define HIST_BUCKET_COUNT ((HIST_VALUE_BITS - HIST_SUB_BITS + 1u) << HIST_SUB_BITS)

struct hist {
	uint64_t count;
	uint64_t sum;
	uint64_t min; /* UINT64_MAX when empty */
	uint64_t max;
	uint64_t buckets[HIST_BUCKET_COUNT];
};

void hist_init(struct hist *hist);
void hist_add(struct hist *hist, uint64_t value);
void hist_merge(struct hist *hist, const struct hist *other);

/* The value that `parts` of 1,000,000 do not exceed: 500000 the median, 999900 p99.99. The exact
 * maximum for 1,000,000; 0 when empty. */
uint64_t hist_percentile(const struct hist *hist, uint32_t parts_per_million);
uint64_t hist_mean(const struct hist *hist);

#endif
