#include <criterion/criterion.h>

#include <string.h>

#include "base/metrics.h"

#define DOOR_METRICS(X)                                                                            \
	X(COUNTER, open_count, "door_opened_total", "times it was opened")                         \
	X(GAUGE, inside_count, "door_inside", "people \\ inside\nnow")

struct door_metrics {
	METRICS_FIELDS(DOOR_METRICS)
};

#define METRICS_STRUCT struct door_metrics
static const struct metrics_row rows[] = {METRICS_ROWS(DOOR_METRICS)};

Test(metrics, are_written_as_prometheus_reads_them)
{
	char bytes[1024];
	struct kr_text text;
	struct door_metrics door = {.open_count = UINT64_MAX, .inside_count = 7};
	kr_text_init(&text, bytes, sizeof(bytes));
	metrics_write(&text, rows, KR_ARRAY_COUNT(rows), &door, "shard=\"3\"");
	cr_assert_str_eq(bytes, "# HELP door_opened_total times it was opened\n"
				"# TYPE door_opened_total counter\n"
				"door_opened_total{shard=\"3\"} 18446744073709551615\n"
				"# HELP door_inside people \\\\ inside\\nnow\n"
				"# TYPE door_inside gauge\n"
				"door_inside{shard=\"3\"} 7\n");
	cr_assert(!text.is_cut);
	kr_text_init(&text, bytes, sizeof(bytes));
	metrics_write(&text, rows + 1, 1, &door, NULL);
	cr_assert_not_null(strstr(bytes, "\ndoor_inside 7\n"));
}

Test(metrics, a_histogram_becomes_a_summary)
{
	char bytes[1024];
	struct kr_text text;
	static struct hist hist;
	hist_init(&hist);
	for (uint64_t i = 1; i <= 100; i++)
		hist_add(&hist, i);
	kr_text_init(&text, bytes, sizeof(bytes));
	metrics_write_hist(&text, "door_wait_us", "time at the door", &hist, NULL);
	cr_assert_str_eq(bytes, "# HELP door_wait_us time at the door\n"
				"# TYPE door_wait_us summary\n"
				"door_wait_us{quantile=\"0.5\"} 50\n"
				"door_wait_us{quantile=\"0.9\"} 90\n"
				"door_wait_us{quantile=\"0.99\"} 99\n"
				"door_wait_us{quantile=\"0.999\"} 100\n"
				"door_wait_us{quantile=\"0.9999\"} 100\n"
				"door_wait_us_sum 5050\n"
				"door_wait_us_count 100\n");
	kr_text_init(&text, bytes, sizeof(bytes));
	metrics_write_hist(&text, "door_wait_us", "time", &hist, "shard=\"3\"");
	cr_assert_not_null(strstr(bytes, "door_wait_us{shard=\"3\",quantile=\"0.5\"} 50\n"));
	cr_assert_not_null(strstr(bytes, "door_wait_us_count{shard=\"3\"} 100\n"));
}

Test(metrics, what_does_not_fit_is_told)
{
	char bytes[40];
	struct kr_text text;
	struct door_metrics door = {0};
	kr_text_init(&text, bytes, sizeof(bytes));
	metrics_write(&text, rows, KR_ARRAY_COUNT(rows), &door, NULL);
	cr_assert(text.is_cut);
	cr_assert_eq(strlen(bytes), sizeof(bytes) - 1);
}

Test(metrics, names_follow_the_format)
{
	static const char *const good[] = {"a", "_", ":", "a1", "keyrack_books_total", "A:b_9"};
	static const char *const bad[] = {"", "1a", "a-b", "a b", "a{", "\xc3\xa4"};
	for (size_t i = 0; i < KR_ARRAY_COUNT(good); i++)
		cr_assert(metrics_name_is_valid(good[i]));
	for (size_t i = 0; i < KR_ARRAY_COUNT(bad); i++)
		cr_assert(!metrics_name_is_valid(bad[i]));
	for (size_t i = 0; i < KR_ARRAY_COUNT(rows); i++)
		cr_assert(metrics_name_is_valid(rows[i].name));
}
