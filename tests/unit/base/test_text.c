#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define SAME(...)                                                                                  \
	do {                                                                                       \
		char ours[256], theirs[256];                                                       \
		struct kr_text text;                                                               \
		kr_text_init(&text, ours, sizeof(ours));                                           \
		kr_text_format(&text, __VA_ARGS__);                                                \
		snprintf(theirs, sizeof(theirs), __VA_ARGS__);                                     \
		cr_assert_str_eq(ours, theirs);                                                    \
		cr_assert_eq(text.length, strlen(theirs));                                         \
		cr_assert(!text.is_cut);                                                           \
	} while (0)

Test(text, formats_as_printf_does)
{
	static const int64_t values[] = {0, 1, -1, 42, -99999, INT64_MAX, INT64_MIN};
	for (size_t i = 0; i < KR_ARRAY_COUNT(values); i++) {
		int64_t v = values[i];
		SAME("%d %i %u", (int)v, (int)v, (unsigned)v);
		SAME("%ld|%lu|%lx|%lX", (long)v, (unsigned long)v, (unsigned long)v,
			(unsigned long)v);
		SAME("%lld %llu %zu", (long long)v, (unsigned long long)v, (size_t)v);
		SAME("%12d|%012d|%-12d|%3d", (int)v, (int)v, (int)v, (int)v);
		SAME("%08x %4u %-4u|", (unsigned)v, (unsigned)v, (unsigned)v);
	}
	SAME("%s and %10s and %-10s|%c%%", "one", "two", "three", '!');
	SAME("%.*s|%.*s", 3, "abcdef", 9, "abc");
	SAME("plain");
}

Test(text, is_empty_and_whole_before_anything_is_put)
{
	char bytes[8];
	struct kr_text text;
	memset(bytes, 'x', sizeof(bytes));
	kr_text_init(&text, bytes, sizeof(bytes));
	cr_assert_str_eq(bytes, "");
	cr_assert_eq(text.length, 0);
	cr_assert_not(text.is_cut);
}

Test(text, what_does_not_fit_is_cut_and_ends_in_zero)
{
	char bytes[8];
	struct kr_text text;
	memset(bytes, 'x', sizeof(bytes));
	kr_text_init(&text, bytes, 6);
	kr_text_put_u64(&text, UINT64_MAX);
	cr_assert(text.is_cut);
	cr_assert_str_eq(bytes, "18446");
	cr_assert_eq(bytes[6], 'x');
	kr_text_put_i64(&text, INT64_MIN);
	cr_assert_str_eq(bytes, "18446");
	kr_text_init(&text, bytes, 1);
	kr_text_put_string(&text, "");
	cr_assert(!text.is_cut);
}
