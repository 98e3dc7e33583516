#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tools/keyrack/stat_prometheus.h"
#include "tools/keyrack/top.h"

static struct top_sample before, now;
static const struct top_view view = {&before, &now};

static struct top_shard *shard_add(struct top_sample *sample, uint32_t number, int64_t requests)
{
	struct top_shard *shard = &sample->shards[sample->shard_count++];
	shard->shard = number;
	shard->has_answered = true;
	shard->values[STAT_SHARD_requests] = requests;
	shard->operations[FRAME_BOOK] = requests / 2;
	return shard;
}

static void two_seconds(void)
{
	memset(&before, 0, sizeof(before));
	memset(&now, 0, sizeof(now));
	before.time_us = 1000000;
	now.time_us = 3000000;
}

Test(top, a_rate_is_what_grew_by_the_time_it_took)
{
	two_seconds();
	shard_add(&before, 0, 100);
	shard_add(&before, 1, 1000);
	shard_add(&now, 0, 300);
	shard_add(&now, 1, 1010);
	cr_assert_float_eq(top_rate(&view, 0, STAT_SHARD_requests), 100, 1e-9);
	cr_assert_float_eq(top_rate(&view, 1, STAT_SHARD_requests), 5, 1e-9);
	cr_assert_float_eq(top_rate(&view, TOP_ALL, STAT_SHARD_requests), 105, 1e-9);
	cr_assert_float_eq(top_rate_operation(&view, 0, FRAME_BOOK), 50, 1e-9);
	cr_assert_float_eq(top_rate_operation(&view, TOP_ALL, FRAME_HOLD), 0, 1e-9);
}

Test(top, a_shard_that_started_again_counts_from_nothing)
{
	two_seconds();
	shard_add(&before, 0, 1000000);
	shard_add(&now, 0, 40);
	cr_assert_float_eq(top_rate(&view, 0, STAT_SHARD_requests), 20, 1e-9);
}

Test(top, a_shard_that_was_silent_has_no_rate)
{
	two_seconds();
	shard_add(&before, 0, 10)->has_answered = false;
	shard_add(&before, 1, 10);
	shard_add(&now, 0, 50);
	shard_add(&now, 1, 50)->has_answered = false;
	shard_add(&now, 2, 50);
	for (uint32_t i = 0; i < 3; i++)
		cr_assert_float_eq(top_rate(&view, i, STAT_SHARD_requests), 0, 1e-9);
}

Test(top, numbers_keep_their_width)
{
	static const struct {
		double value;
		const char *text;
	} rows[] = {{0, "0"}, {0.04, "0.0"}, {4.2, "4.2"}, {9.94, "9.9"}, {9.96, "10"},
		{123.4, "123"}, {9999, "9999"}, {9999.6, "10.0k"}, {12345, "12.3k"},
		{999940, "999.9k"}, {999960, "1.0M"}, {2.5e9, "2.5G"}, {7e15, "7000.0T"}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[TOP_NUMBER_SIZE];
		top_number(rows[i].value, text);
		cr_assert_str_eq(text, rows[i].text);
	}
}

Test(top, the_view_shows_every_shard_and_the_busiest_operation_first)
{
	char *text = NULL;
	size_t size = 0;
	two_seconds();
	shard_add(&before, 0, 0);
	shard_add(&before, 1, 0);
	shard_add(&now, 0, 100)->operations[FRAME_HOLD] = 4000;
	shard_add(&now, 1, 0)->has_answered = false;
	FILE *out = open_memstream(&text, &size);
	top_view_write(&view, out);
	fclose(out);
	cr_assert_not_null(strstr(text, "1 of 2 shards"));
	cr_assert_not_null(strstr(text, "    1  DOWN"));
	const char *hold = strstr(text, "\nHOLD "), *book = strstr(text, "\nBOOK ");
	cr_assert(hold != NULL && book != NULL && hold < book);
	for (const char *at = text; *at != 0; at++)
		cr_assert(*at == '\n' || (*at >= ' ' && *at < 127));
	free(text);
}

Test(metrics, times_are_seconds_and_counters_totals)
{
	char name[STAT_FAMILY_SIZE];
	stat_family_name("", &stat_shard_rows[STAT_SHARD_uptime_us], name);
	cr_assert_str_eq(name, "keyrack_uptime_seconds");
	stat_family_name("router_", &stat_router_rows[STAT_ROUTER_bytes_in], name);
	cr_assert_str_eq(name, "keyrack_router_bytes_in_total");
	stat_family_name("", &stat_shard_rows[STAT_SHARD_hotels], name);
	cr_assert_str_eq(name, "keyrack_hotels");
	stat_family_name("", &(struct stat_row){"a b-c", STAT_COUNTER, "", "x"}, name);
	cr_assert_str_eq(name, "keyrack_a_b_c_total");
}
