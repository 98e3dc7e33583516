#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/hist.h"
#include "base/rng.h"

static int ascending(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

Test(hist, is_within_two_percent_of_the_sorted_values_at_every_percentile)
{
	static struct hist hist;
	static uint64_t values[20000];
	const uint32_t parts[] = {
		1, 1000, 10000, 250000, 500000, 900000, 990000, 999000, 999900, 999999, 1000000};
	struct rng rng;
	rng_init(&rng, 7);
	for (unsigned bits = 1; bits <= HIST_VALUE_BITS; bits++) {
		hist_init(&hist);
		for (size_t i = 0; i < KR_ARRAY_COUNT(values); i++) {
			values[i] = rng_next(&rng) >> (64 - bits) >> (rng_next(&rng) % bits);
			hist_add(&hist, values[i]);
		}
		qsort(values, KR_ARRAY_COUNT(values), sizeof(values[0]), ascending);
		for (size_t p = 0; p < KR_ARRAY_COUNT(parts); p++) {
			const size_t rank =
				(KR_ARRAY_COUNT(values) * (uint64_t)parts[p] + 999999) / 1000000;
			const uint64_t want = values[rank - 1];
			const uint64_t got = hist_percentile(&hist, parts[p]);
			cr_assert_leq((double)(got > want ? got - want : want - got),
				0.02 * (double)want, "%lu for %lu", (unsigned long)got,
				(unsigned long)want);
		}
		cr_assert_eq(hist.min, values[0]);
		cr_assert_eq(hist_percentile(&hist, 1000000), values[KR_ARRAY_COUNT(values) - 1]);
	}
}

Test(hist, keeps_values_beyond_its_range_in_the_last_bucket_with_the_exact_maximum)
{
	static struct hist hist;
	hist_init(&hist);
	hist_add(&hist, UINT64_MAX / 4);
	cr_assert_eq(hist.buckets[HIST_BUCKET_COUNT - 1], 1);
	cr_assert_eq(hist.max, UINT64_MAX / 4);
}

Test(hist, merges_as_if_all_values_had_been_added_to_one)
{
	static struct hist one, a, b;
	hist_init(&one);
	hist_init(&a);
	hist_init(&b);
	for (uint64_t i = 0; i < 5000; i++) {
		hist_add(&one, i * i);
		hist_add(i % 3 == 0 ? &a : &b, i * i);
	}
	hist_merge(&a, &b);
	cr_assert_arr_eq(a.buckets, one.buckets, sizeof(one.buckets));
	cr_assert_eq(a.count, one.count);
	cr_assert_eq(a.sum, one.sum);
	cr_assert_eq(hist_mean(&a), hist_mean(&one));
}

Test(hist, is_empty_without_values)
{
	static struct hist hist;
	hist_init(&hist);
	cr_assert_eq(hist_percentile(&hist, 500000), 0);
	cr_assert_eq(hist_percentile(&hist, 1000000), 0);
	cr_assert_eq(hist_mean(&hist), 0);
}
