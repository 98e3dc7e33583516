#include <criterion/criterion.h>

#include <string.h>

#include "base/fault.h"

Test(fault, the_table_is_sorted_and_numbered)
{
	for (uint32_t i = 0; i < FAULT_COUNT; i++) {
		cr_assert(strlen(fault_name((enum fault_point)i)) > 0);
		cr_assert(strlen(fault_text((enum fault_point)i)) > 0);
		if (i > 0)
			cr_assert(strcmp(fault_name((enum fault_point)(i - 1)),
					  fault_name((enum fault_point)i)) < 0);
	}
}

Test(fault, fires_at_its_passing_once_or_from_then_on)
{
	struct fault_set set;
	fault_set_init(&set);
	cr_assert(!fault_fires(NULL, FAULT_FILE_READ));
	cr_assert(!fault_fires(&set, FAULT_FILE_READ));
	fault_arm(&set, FAULT_FILE_READ, 3, false);
	fault_arm(&set, FAULT_FILE_SYNC, 2, true);
	for (uint32_t i = 1; i <= 6; i++) {
		cr_assert_eq(fault_fires(&set, FAULT_FILE_READ), i == 3);
		cr_assert_eq(fault_fires(&set, FAULT_FILE_SYNC), i >= 2);
		cr_assert(!fault_fires(&set, FAULT_FILE_WRITE));
	}
	fault_disarm(&set, FAULT_FILE_SYNC);
	cr_assert(!fault_fires(&set, FAULT_FILE_SYNC));
	cr_assert_eq(set.passed_count[FAULT_FILE_READ], 7);
	cr_assert_eq(set.fired_count[FAULT_FILE_SYNC], 5);
}

Test(fault, is_armed_by_a_text_all_or_nothing)
{
	struct fault_set set;
	static const char *const malformed[] = {"", "file_read", "file_read:", "file_read:0",
		"file_read:x", "file_read:1,", ",file_read:1", "file_read:1++", "file_read:+",
		"file_read:1234567890", "file_read: 1"};
	fault_set_init(&set);
	const char *text = "file_read:2,file_sync:1+";
	cr_assert_eq(fault_set_parse(&set, text, strlen(text)), 0);
	cr_assert(fault_fires(&set, FAULT_FILE_SYNC));
	cr_assert(fault_fires(&set, FAULT_FILE_SYNC));
	cr_assert(!fault_fires(&set, FAULT_FILE_READ));
	cr_assert(fault_fires(&set, FAULT_FILE_READ));
	fault_set_init(&set);
	for (size_t i = 0; i < KR_ARRAY_COUNT(malformed); i++)
		cr_assert_eq(fault_set_parse(&set, malformed[i], strlen(malformed[i])),
			FAULT_MALFORMED, "%s", malformed[i]);
	text = "file_write:1,no_such_point:1";
	cr_assert_eq(fault_set_parse(&set, text, strlen(text)), FAULT_UNKNOWN_NAME);
	cr_assert(!fault_fires(&set, FAULT_FILE_WRITE));
}
