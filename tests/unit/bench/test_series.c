#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/series.h"

Test(series, every_interval_has_its_line_also_an_empty_one)
{
	static const char expected[] = "t_s,count,p50_us,p99_us,max_us\n"
				       "0.0,2,10,20,20\n"
				       "0.1,0,0,0,0\n"
				       "0.2,1,30,30,30\n";
	struct series series;
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);
	series_init(&series, file, 5000000);
	series_add(&series, 5000000, 10);
	series_add(&series, 5099999, 20);
	series_tick(&series, 5099999);
	series_add(&series, 5200000, 30);
	cr_assert(series_fini(&series));
	cr_assert_str_eq(text, expected);
	free(text);
}

Test(series, a_file_that_takes_nothing_is_told)
{
	struct series series;
	FILE *full = fopen("/dev/full", "we");
	if (full == NULL)
		cr_skip_test("there is no /dev/full");
	series_init(&series, full, 0);
	series_add(&series, 1, 1);
	cr_assert_not(series_fini(&series));
}
