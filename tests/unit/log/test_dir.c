#include <criterion/criterion.h>
#include <string.h>

#include "engine/log/dir.h"

static struct log_dir_name parsed(const char *name)
{
	struct log_dir_name result;
	log_dir_parse(name, &result);
	return result;
}

Test(dir, every_name_made_is_understood)
{
	static const uint64_t numbers[] = {
		1, 9, 10, 999999999999, 1000000000000, LOG_DIR_NUMBER_MAX};
	struct log_dir_text text;
	for (size_t i = 0; i < KR_ARRAY_COUNT(numbers); i++) {
		log_dir_segment_name(numbers[i], &text);
		cr_assert_eq(parsed(text.bytes).kind, LOG_DIR_SEGMENT);
		cr_assert_eq(parsed(text.bytes).number, numbers[i]);
		log_dir_segment_new_name(numbers[i], &text);
		cr_assert_eq(parsed(text.bytes).kind, LOG_DIR_LEFTOVER);
		for (unsigned attempt = 0; attempt < 12; attempt++) {
			log_dir_torn_name(numbers[i], UINT64_MAX - i, attempt, &text);
			cr_assert_eq(parsed(text.bytes).kind, LOG_DIR_TORN);
			cr_assert_eq(parsed(text.bytes).number, numbers[i]);
			cr_assert_eq(parsed(text.bytes).seq, UINT64_MAX - i);
		}
	}
	static const uint64_t lsns[] = {0, 1, UINT64_MAX};
	for (size_t i = 0; i < KR_ARRAY_COUNT(lsns); i++) {
		log_dir_snap_name(lsns[i], &text);
		cr_assert_eq(parsed(text.bytes).kind, LOG_DIR_SNAP);
		cr_assert_eq(parsed(text.bytes).number, lsns[i]);
		log_dir_snap_new_name(lsns[i], &text);
		cr_assert_eq(parsed(text.bytes).kind, LOG_DIR_LEFTOVER);
	}
	cr_assert_eq(parsed("SHARD").kind, LOG_DIR_META);
	cr_assert_eq(parsed("MARK").kind, LOG_DIR_META);
	cr_assert_eq(parsed("LOCK").kind, LOG_DIR_META);
	cr_assert_eq(parsed("SHARD.new").kind, LOG_DIR_LEFTOVER);
}

Test(dir, names_are_as_documented)
{
	struct log_dir_text text;
	log_dir_segment_name(7, &text);
	cr_assert_str_eq(text.bytes, "log-000000000007");
	log_dir_torn_new_name(7, 19, &text);
	cr_assert_str_eq(text.bytes, "log-000000000007.torn-19.new");
	cr_assert_eq(parsed(text.bytes).kind, LOG_DIR_LEFTOVER);
	log_dir_torn_name(7, 19, 0, &text);
	cr_assert_str_eq(text.bytes, "log-000000000007.torn-19");
	log_dir_torn_name(7, 19, 2, &text);
	cr_assert_str_eq(text.bytes, "log-000000000007.torn-19.2");
	log_dir_snap_name(12, &text);
	cr_assert_str_eq(text.bytes, "snap-00000000000000000012");
	log_dir_snap_new_name(12, &text);
	cr_assert_str_eq(text.bytes, "snap-00000000000000000012.new");
}

Test(dir, names_of_others_are_left_alone)
{
	static const char *const names[] = {"log-1", "log-", "log-000000000000",
		"log-0000000000001", "log-00000000000x", "log-000000000001x", "log-000000000001.",
		"log-000000000001.torn-", "log-000000000001.torn-1x", "log-000000000001.torn-1.",
		"log-000000000001.torn-1.0", "log-99999999999999999999999", "snap-1", "snap-",
		"snap-99999999999999999999", "snap-00000000000000000001x",
		"snap--0000000000000000001", "mark", "SHARD ", "notes.new", ".new", "log",
		"LOG-000000000001"};
	for (size_t i = 0; i < KR_ARRAY_COUNT(names); i++)
		cr_assert_eq(parsed(names[i]).kind, LOG_DIR_OTHER, "%s", names[i]);
}
