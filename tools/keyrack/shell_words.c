#include "tools/keyrack/shell_words.h"

#include <string.h>

struct split {
	struct shell_words *out;
	size_t used;
	bool is_in_word;
	char quote; /* ' or " or 0 */
};

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

/* False: there is no room for another word. */
static bool word_begin(struct split *split)
{
	struct shell_words *out = split->out;
	if (split->is_in_word)
		return true;
	if (out->count == SHELL_WORD_COUNT_MAX)
		return false;
	kr_assert(split->used < sizeof(out->bytes));
	out->words[out->count++] = out->bytes + split->used;
	split->is_in_word = true;
	return true;
}

static void byte_put(struct split *split, char byte)
{
	kr_assert(split->is_in_word);
	kr_assert(split->used < sizeof(split->out->bytes));
	split->out->bytes[split->used++] = byte;
}

static void word_end(struct split *split)
{
	if (!split->is_in_word)
		return;
	byte_put(split, '\0');
	split->is_in_word = false;
}

/* A byte within quotes; returns how many bytes of the line it took. */
static size_t quoted_take(struct split *split, const char *at)
{
	kr_assert(split->quote != 0 && *at != '\0');
	if (*at == split->quote) {
		split->quote = 0;
		return 1;
	}
	if (split->quote == '"' && *at == '\\' && (at[1] == '"' || at[1] == '\\')) {
		byte_put(split, at[1]);
		return 2;
	}
	byte_put(split, *at);
	return 1;
}

/* A byte outside of quotes that belongs to a word; 0: no room. */
static size_t plain_take(struct split *split, const char *at)
{
	kr_assert(split->quote == 0 && !is_blank(*at));
	if (!word_begin(split))
		return 0;
	if (*at == '\'' || *at == '"') {
		split->quote = *at;
		return 1;
	}
	if (*at == '\\' && at[1] != '\0') {
		byte_put(split, at[1]);
		return 2;
	}
	byte_put(split, *at);
	return 1;
}

int shell_words_split(const char *line, struct shell_words *ret_words)
{
	struct split split = {.out = ret_words};
	kr_assert(line != NULL);
	ret_words->count = 0;
	ret_words->is_open = false;
	ret_words->words[0] = NULL;
	if (strlen(line) >= SHELL_LINE_SIZE_MAX)
		return SHELL_WORDS_LONG;
	while (*line != '\0') {
		size_t taken = 1;
		if (split.quote != 0)
			taken = quoted_take(&split, line);
		else if (is_blank(*line))
			word_end(&split);
		else if (*line == '#' && !split.is_in_word)
			break;
		else
			taken = plain_take(&split, line);
		if (taken == 0)
			return SHELL_WORDS_LONG;
		line += taken;
	}
	ret_words->is_open = split.is_in_word;
	word_end(&split);
	ret_words->words[ret_words->count] = NULL;
	kr_assert(ret_words->count <= SHELL_WORD_COUNT_MAX);
	return split.quote != 0 ? SHELL_WORDS_QUOTE : 0;
}
