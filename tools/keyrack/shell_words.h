/*
 * A line as words: blanks apart, 'as it is', "with \" and \\", \ before any byte, # to the end of
 * the line where a word could begin. Pure.
 */
#ifndef TOOLS_KEYRACK_SHELL_WORDS_H
#define TOOLS_KEYRACK_SHELL_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"
#include "base/error.h"

#define SHELL_WORD_COUNT_MAX 256u
#define SHELL_LINE_SIZE_MAX 8192u

struct shell_words {
	char bytes[2 * SHELL_LINE_SIZE_MAX]; /* the words, each ending with NUL */
	char *words[SHELL_WORD_COUNT_MAX + 1];
	unsigned count;
	bool is_open; /* the line ends within the last word: no blank behind it */
};

#define SHELL_WORDS_QUOTE 1 /* a quotation has no end */
#define SHELL_WORDS_LONG 2  /* too many words, or too long a line */

/* 0 or one of the above; what stands before the fault is there. */
KR_MUST_CHECK int shell_words_split(const char *line, struct shell_words *ret_words);

#endif
