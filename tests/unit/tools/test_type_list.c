#include <criterion/criterion.h>
#include <string.h>

#include "tools/keyrack/type_list.h"

static struct kr_error_text error;

Test(type_list, takes_numbers_ranges_and_codes_beside_each_other)
{
	struct type_list types;
	cr_assert_eq(
		type_list_parse("0,DBL,5-7,sea-view,2x", &types, &error), 0, "%s", error.bytes);
	cr_assert_eq(types.list.count, 4);
	cr_assert_eq(types.list.numbers[3], 7);
	cr_assert_eq(types.code_count, 3);
	cr_assert_str_eq(types.codes[0], "DBL");
	cr_assert_str_eq(types.codes[1], "sea-view");
	cr_assert_str_eq(types.codes[2], "2x");
	cr_assert_eq(type_list_count(&types), 7);
}

Test(type_list, all_is_none_by_name)
{
	struct type_list types;
	cr_assert_eq(type_list_parse("DBL", &types, &error), 0);
	cr_assert_eq(type_list_parse("all", &types, &error), 0);
	cr_assert_eq(type_list_count(&types), 0);
}

Test(type_list, refuses_what_names_no_types_and_says_how_to_write_them)
{
	static const char *const wrong[] = {"", ",", "0,", ",DBL", "0,0", "5-3", "3-", "-3",
		"65535", "DBL,,TWN", "a-code-that-is-longer-than-32-bytes"};
	struct type_list types;
	for (size_t i = 0; i < KR_ARRAY_COUNT(wrong); i++) {
		cr_assert_lt(type_list_parse(wrong[i], &types, &error), 0, "%s", wrong[i]);
		cr_assert(strstr(error.bytes, "(DBL,TWN), or all") != NULL, "%s", error.bytes);
	}
}

Test(type_list, has_room_for_64_codes)
{
	char text[2 * (TYPE_LIST_CODES_MAX + 1)];
	struct type_list types;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 2 == 0 ? 'X' : ',';
	text[sizeof(text) - 1] = '\0';
	cr_assert_lt(type_list_parse(text, &types, &error), 0);
	text[sizeof(text) - 3] = '\0';
	cr_assert_eq(type_list_parse(text, &types, &error), 0, "%s", error.bytes);
	cr_assert_eq(types.code_count, TYPE_LIST_CODES_MAX);
}
