/* What could be typed next, from the table of commands and their options. */
#ifndef TOOLS_KEYRACK_COMPLETE_H
#define TOOLS_KEYRACK_COMPLETE_H

#include "tools/keyrack/command_table.h"

typedef void complete_take(void *context, const char *candidate);

enum complete_kind {
	COMPLETE_WORDS, /* the candidates are all there are */
	COMPLETE_HOTEL, /* a hotel's number or code; there are no candidates from tables */
	COMPLETE_FILE,
	COMPLETE_NOTHING, /* a number, a date: nobody knows */
};

/* `words` stand before the one that begins with `prefix`, without the program's name. Every
 * candidate begins with the prefix. */
enum complete_kind complete_candidates(
	unsigned count, char **words, const char *prefix, complete_take *take, void *context);

/* Every option of the command as it is typed, --help among them. */
void complete_options(const struct cli_spec *spec, complete_take *take, void *context);
/* The row of an option as it is typed, --name or -l, or NULL. */
const struct argp_option *complete_option_find(const struct cli_spec *spec, const char *word);
/* The words of "a|b|c", where what is taken is one of those; none otherwise. */
void complete_choices(const char *choices, const char *prefix, complete_take *take, void *context);
/* Whether what the option takes is a path. */
bool complete_option_is_path(const struct argp_option *option);

#endif
