#include <criterion/criterion.h>
#include <string.h>

#include "base/rng.h"
#include "tools/keyrack/shell_words.h"

static struct shell_words words;

static void expect(const char *line, unsigned count, const char *const *expected)
{
	cr_assert_eq(shell_words_split(line, &words), 0, "%s", line);
	cr_assert_eq(words.count, count, "%s: %u", line, words.count);
	for (unsigned i = 0; i < count; i++)
		cr_assert_str_eq(words.words[i], expected[i], "%s", line);
	cr_assert_null(words.words[count]);
}

#define EXPECT(line, ...)                                                                          \
	expect(line, sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *),                       \
		(const char *[]){__VA_ARGS__})

Test(shell_words, stand_between_blanks)
{
	EXPECT("hotel get 1", "hotel", "get", "1");
	EXPECT("\t a   b\r\n", "a", "b");
	expect("", 0, NULL);
	expect("  \t \n", 0, NULL);
}

Test(shell_words, quotes_and_backslashes_keep_bytes_together)
{
	EXPECT("--reason 'a b' c", "--reason", "a b", "c");
	EXPECT("--set price=\"EUR 120.00\"", "--set", "price=EUR 120.00");
	EXPECT("\"a\\\"b\\\\c\\n\"", "a\"b\\c\\n");
	EXPECT("'a\\'", "a\\");
	EXPECT("a\\ b \\#c", "a b", "#c");
	EXPECT("'' \"\" x", "", "", "x");
}

Test(shell_words, comments_begin_where_a_word_could)
{
	EXPECT("a # b 'c", "a");
	EXPECT("a#b", "a#b");
	expect("# nothing", 0, NULL);
}

Test(shell_words, a_quotation_without_an_end_is_told)
{
	cr_assert_eq(shell_words_split("a 'b", &words), SHELL_WORDS_QUOTE);
	cr_assert_eq(words.count, 2u);
	cr_assert_eq(shell_words_split("a \"b\\\"", &words), SHELL_WORDS_QUOTE);
}

Test(shell_words, the_end_of_the_line_may_be_within_a_word)
{
	cr_assert_eq(shell_words_split("hotel ge", &words), 0);
	cr_assert(words.is_open);
	cr_assert_eq(shell_words_split("hotel get ", &words), 0);
	cr_assert_not(words.is_open);
}

Test(shell_words, bounds_are_answered)
{
	static char line[SHELL_LINE_SIZE_MAX + 1];
	memset(line, 'x', SHELL_LINE_SIZE_MAX);
	cr_assert_eq(shell_words_split(line, &words), SHELL_WORDS_LONG);
	line[SHELL_LINE_SIZE_MAX - 1] = 0;
	cr_assert_eq(shell_words_split(line, &words), 0);
	cr_assert_eq(words.count, 1u);
	for (unsigned i = 0; i <= SHELL_WORD_COUNT_MAX; i++)
		memcpy(line + i * 2, "y ", 3);
	cr_assert_eq(shell_words_split(line, &words), SHELL_WORDS_LONG);
	cr_assert_eq(words.count, SHELL_WORD_COUNT_MAX);
}

Test(shell_words, any_line_is_taken_or_refused)
{
	static const char bytes[] = "ab '\"\\#\t\n";
	char line[64];
	struct rng rng;
	rng_init(&rng, 7);
	for (unsigned round = 0; round < 200000; round++) {
		size_t length = rng_below(&rng, sizeof(line));
		for (size_t i = 0; i < length; i++)
			line[i] = bytes[rng_below(&rng, sizeof(bytes) - 1)];
		line[length] = 0;
		int r = shell_words_split(line, &words);
		cr_assert(r == 0 || r == SHELL_WORDS_QUOTE);
		cr_assert_leq(words.count, length);
	}
}
