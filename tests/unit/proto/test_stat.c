#include <criterion/criterion.h>
#include <string.h>

#include "proto/stat.h"

static void table_check(const struct stat_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		cr_assert(strlen(rows[i].unit) > 0 && strlen(rows[i].meaning) > 0);
		cr_assert(rows[i].kind == STAT_COUNTER || rows[i].kind == STAT_GAUGE);
		/* Each name finds its own row: none stands twice. */
		cr_assert_eq(stat_row_find(rows, count, rows[i].name), &rows[i]);
		cr_assert(strncmp(rows[i].name, STAT_OPERATION_PREFIX,
				  strlen(STAT_OPERATION_PREFIX)) != 0);
	}
	cr_assert_null(stat_row_find(rows, count, "no such thing"));
}

Test(stat, names_stand_once_with_unit_and_meaning)
{
	table_check(stat_shard_rows, STAT_SHARD_COUNT);
	table_check(stat_router_rows, STAT_ROUTER_COUNT);
	table_check(stat_scrape_rows, STAT_SCRAPE_COUNT);
}

Test(stat, clocks_and_positions_have_no_sum)
{
	cr_assert(stat_row_has_sum(&stat_shard_rows[STAT_SHARD_hotels]));
	cr_assert(stat_row_has_sum(&stat_shard_rows[STAT_SHARD_append_bytes]));
	cr_assert_not(stat_row_has_sum(&stat_shard_rows[STAT_SHARD_time_us]));
	cr_assert_not(stat_row_has_sum(&stat_shard_rows[STAT_SHARD_durable_lsn]));
}

Test(stat, what_a_shard_judges_is_counted_by_operation)
{
	cr_assert_str_eq(stat_operation_name(FRAME_HOLD), "operation_HOLD");
	cr_assert_str_eq(stat_operation_name(FRAME_STATS), "operation_STATS");
	cr_assert_str_eq(stat_operation_name(FRAME_PING), "operation_PING");
	cr_assert_null(stat_operation_name(FRAME_HELLO));
	cr_assert_null(stat_operation_name(FRAME_REJECT));
	cr_assert_null(stat_operation_name(FRAME_ROUTER_MAP));
	cr_assert_null(stat_operation_name(0));
	cr_assert_null(stat_operation_name(STAT_TYPE_COUNT - 1));
}
