#include "bench/series.h"

#include <inttypes.h>

void series_init(struct series *series, FILE *file, uint64_t now_us)
{
	kr_assert(file != NULL);
	series->file = file;
	series->begin_us = series->from_us = now_us;
	hist_init(&series->hist);
	fputs("t_s,count,p50_us,p99_us,max_us\n", file);
}

static void put(struct series *series)
{
	struct hist *hist = &series->hist;
	fprintf(series->file, "%.1f,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 "\n",
		(double)(series->from_us - series->begin_us) / 1e6, hist->count,
		hist_percentile(hist, 500000), hist_percentile(hist, 990000),
		hist_percentile(hist, 1000000));
	if (hist->count != 0)
		hist_init(hist);
	series->from_us += SERIES_INTERVAL_US;
}

void series_tick(struct series *series, uint64_t now_us)
{
	kr_assert(series->file != NULL);
	while (now_us >= series->from_us + SERIES_INTERVAL_US)
		put(series);
}

void series_add(struct series *series, uint64_t now_us, uint64_t latency_us)
{
	series_tick(series, now_us);
	hist_add(&series->hist, latency_us);
}

bool series_fini(struct series *series)
{
	kr_assert(series->file != NULL);
	if (series->hist.count != 0)
		put(series);
	const bool is_whole = ferror(series->file) == 0;
	const int r = fclose(series->file);
	series->file = NULL;
	return is_whole && r == 0;
}
