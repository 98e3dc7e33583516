#include "base/hist.h"

#include <string.h>

#define SUB_COUNT (1u << HIST_SUB_BITS)

/* Values below 2 x SUB_COUNT stand for themselves, so that the first two rows are one. */
static uint32_t bucket_of(uint64_t value)
{
	if (value > HIST_VALUE_MAX)
		value = HIST_VALUE_MAX;
	if (value < 2 * SUB_COUNT)
		return (uint32_t)value;
	const uint32_t shift = 63u - (uint32_t)__builtin_clzll(value) - HIST_SUB_BITS;
	const uint32_t index = (shift << HIST_SUB_BITS) + (uint32_t)(value >> shift);
	kr_assert(index < HIST_BUCKET_COUNT);
	return index;
}

static uint64_t bucket_middle(uint32_t bucket)
{
	kr_assert(bucket < HIST_BUCKET_COUNT);
	if (bucket < 2 * SUB_COUNT)
		return bucket;
	const uint32_t shift = (bucket >> HIST_SUB_BITS) - 1;
	const uint64_t low = (uint64_t)(bucket - (shift << HIST_SUB_BITS)) << shift;
	return low + ((UINT64_C(1) << shift) - 1) / 2;
}

void hist_init(struct hist *hist)
{
	kr_assert(hist != NULL);
	memset(hist, 0, sizeof(*hist));
	hist->min = UINT64_MAX;
}

void hist_add(struct hist *hist, uint64_t value)
{
	hist->count++;
	hist->sum += value;
	hist->min = KR_MIN(hist->min, value);
	hist->max = KR_MAX(hist->max, value);
	hist->buckets[bucket_of(value)]++;
}

void hist_merge(struct hist *hist, const struct hist *other)
{
	kr_assert(hist != other);
	hist->count += other->count;
	hist->sum += other->sum;
	hist->min = KR_MIN(hist->min, other->min);
	hist->max = KR_MAX(hist->max, other->max);
	for (uint32_t i = 0; i < HIST_BUCKET_COUNT; i++)
		hist->buckets[i] += other->buckets[i];
}

uint64_t hist_percentile(const struct hist *hist, uint32_t parts_per_million)
{
	kr_assert(parts_per_million <= 1000000);
	if (hist->count == 0)
		return 0;
	if (parts_per_million == 1000000)
		return hist->max;
	/* The rank, rounded up; in two parts so that no count overflows. */
	const uint64_t whole = hist->count / 1000000 * parts_per_million;
	const uint64_t rest = (hist->count % 1000000 * parts_per_million + 999999) / 1000000;
	const uint64_t rank = KR_MAX(1, whole + rest);
	uint64_t seen = 0;
	for (uint32_t i = 0; i < HIST_BUCKET_COUNT; i++) {
		seen += hist->buckets[i];
		if (seen >= rank)
			return KR_MIN(KR_MAX(bucket_middle(i), hist->min), hist->max);
	}
	kr_unreachable();
}

uint64_t hist_mean(const struct hist *hist)
{
	kr_assert(hist->count > 0 || hist->sum == 0);
	return hist->count == 0 ? 0 : hist->sum / hist->count;
}
