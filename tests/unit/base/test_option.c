#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "base/option.h"

struct kept {
	uint32_t u32;
	uint64_t u64;
	double real;
	bool yes;
	uint32_t word;
	const char *string;
};

static struct kept kept;
static struct kr_error_text why;

static const struct option_row u32_row = {.name = "window",
	.argument = "COUNT",
	.min = 2,
	.max = 4000000000,
	.preset = 7,
	OPTION_U32(struct kept, u32)};
static const struct option_row u64_row = {.name = "idle",
	.argument = "SECONDS",
	.max = 10,
	.unit = 1000000,
	OPTION_U64(struct kept, u64)};
static const struct option_row whole_row = {
	.name = "id", .argument = "ID", .min = 1, .max = UINT64_MAX, OPTION_U64(struct kept, u64)};
static const struct option_row real_row = {.name = "rate",
	.argument = "S",
	.min = 500,
	.max = 10000250,
	.preset = 1500,
	OPTION_REAL(struct kept, real)};
static const struct option_row switch_row = {.name = "yes", OPTION_SWITCH(struct kept, yes)};
static const struct option_row word_row = {
	.name = "word", .argument = "sync|async|a", .preset = 1, OPTION_WORD(struct kept, word)};
static const struct option_row string_row = {
	.name = "string", .argument = "PATH", OPTION_STRING(struct kept, string)};

static const char *written(const struct option_row *row)
{
	static char bytes[64];
	struct kr_text text;
	kr_text_init(&text, bytes, sizeof(bytes));
	option_write(row, &kept, &text);
	return bytes;
}

/* What is written reads the same. */
static void expect(const struct option_row *row, const char *text, const char *again)
{
	char copy[64];
	cr_assert_eq(option_read(row, text, &kept, &why), 0, "%s: %s", text, why.bytes);
	cr_assert_str_eq(written(row), again);
	memcpy(copy, again, strlen(again) + 1);
	cr_assert_eq(option_read(row, copy, &kept, &why), 0);
	cr_assert_str_eq(written(row), again);
}

static void refuse(const struct option_row *row, const char *text, const char *word)
{
	struct kept before = kept;
	cr_assert_eq(option_read(row, text, &kept, &why), OPTION_WRONG, "%s", text);
	cr_assert_not_null(strstr(why.bytes, word), "%s: %s", text, why.bytes);
	cr_assert_eq(memcmp(&before, &kept, sizeof(kept)), 0, "%s changed something", text);
}

Test(option, reads_numbers_of_its_range_and_nothing_else)
{
	static const char *const wrong[] = {"1", "4000000001", "-3", "+3", " 3", "3 ", "3x", "x",
		"0x", "0xg", "18446744073709551616", "99999999999999999999999", "3.0"};
	expect(&u32_row, "2", "2");
	expect(&u32_row, "4000000000", "4000000000");
	expect(&u32_row, "0xfF", "255");
	expect(&u32_row, "007", "7");
	for (size_t i = 0; i < KR_ARRAY_COUNT(wrong); i++)
		refuse(&u32_row, wrong[i], "from 2 to 4000000000 (COUNT)");
	refuse(&u32_row, "", "no value");
	expect(&whole_row, "18446744073709551615", "18446744073709551615");
	expect(&whole_row, "0xffffffffffffffff", "18446744073709551615");
	refuse(&whole_row, "0x10000000000000000", "not '0x10000000000000000'");
	refuse(&whole_row, "0", "from 1");
}

Test(option, keeps_a_number_in_the_fields_unit_and_writes_it_in_its_own)
{
	expect(&u64_row, "10", "10");
	cr_assert_eq(kept.u64, 10000000);
	refuse(&u64_row, "11", "from 0 to 10 (SECONDS)");
}

Test(option, reads_three_decimals)
{
	static const char *const wrong[] = {"0.499", "10000.251", ".5", "1.2345", "1.2.3", "1e3",
		"-1", "nan", "1,5", "99999999999999999999", "0x1"};
	expect(&real_row, "0.5", "0.500");
	cr_assert_eq(kept.real, 0.5);
	expect(&real_row, "2", "2");
	expect(&real_row, "2.", "2");
	expect(&real_row, "10000.25", "10000.250");
	for (size_t i = 0; i < KR_ARRAY_COUNT(wrong); i++)
		refuse(&real_row, wrong[i], "from 0.500 to 10000.250, with three decimals");
}

Test(option, reads_yes_and_no_in_the_usual_words)
{
	expect(&switch_row, "yes", "yes");
	expect(&switch_row, "false", "no");
	expect(&switch_row, "on", "yes");
	expect(&switch_row, "0", "no");
	refuse(&switch_row, "Yes", "is yes or no");
	refuse(&switch_row, "y", "is yes or no");
}

Test(option, reads_whole_words_of_its_list)
{
	expect(&word_row, "sync", "sync");
	cr_assert_eq(kept.word, 0);
	expect(&word_row, "a", "a");
	cr_assert_eq(kept.word, 2);
	refuse(&word_row, "syn", "is one of sync|async|a");
	refuse(&word_row, "sync|async", "is one of");
	refuse(&word_row, "asynca", "is one of");
}

Test(option, presets_what_its_row_says_and_else_nothing)
{
	memset(&kept, 0xff, sizeof(kept));
	option_preset(&u32_row, &kept);
	option_preset(&real_row, &kept);
	option_preset(&switch_row, &kept);
	option_preset(&word_row, &kept);
	option_preset(&string_row, &kept);
	cr_assert_eq(kept.u32, 7);
	cr_assert_eq(kept.real, 1.5);
	cr_assert_not(kept.yes);
	cr_assert_eq(kept.word, 1);
	cr_assert_null(kept.string);
	cr_assert_not(option_is_set(&string_row, &kept));
	option_preset(&whole_row, &kept);
	cr_assert_not(option_is_set(&whole_row, &kept), "0 is below the least number");
	cr_assert_str_eq(written(&whole_row), "");
	option_preset(&u64_row, &kept);
	cr_assert(option_is_set(&u64_row, &kept));
	cr_assert_str_eq(written(&u64_row), "0");
}

Test(option, a_text_may_be_as_long_as_what_copies_of_it_hold)
{
	char text[OPTION_TEXT_SIZE + 1];
	memset(text, 'x', sizeof(text));
	text[OPTION_TEXT_SIZE] = '\0';
	cr_assert_gt(option_read(&string_row, text, &kept, &why), 0);
	char most[32];
	snprintf(most, sizeof(most), "takes %u bytes at most", OPTION_TEXT_SIZE - 1);
	cr_assert_not_null(strstr(why.bytes, most), "%s", why.bytes);
	text[OPTION_TEXT_SIZE - 1] = '\0';
	cr_assert_eq(option_read(&string_row, text, &kept, &why), 0);
	cr_assert_eq(kept.string, text);
}
