/*
 * Presets: named sets of option values, each with its source. A preset is words that stand before
 * those that were typed, so that a typed option counts.
 */
#ifndef BENCH_PRESET_H
#define BENCH_PRESET_H

#include <stdbool.h>

#include "base/options.h"

/* Where a command that takes presets keeps their options. */
struct preset_words {
	const char *preset; /* NULL: none */
	bool print;
};

#define PRESET_ROWS(structure, field)                                                              \
	{OPTION_NAMED("preset", 0, "NAME",                                                         \
		 "a set of option values by name (`keyrack-bench presets' lists them); options "   \
		 "that are given count before it"),                                                \
		.heading = "Preset:", .flags = OPTION_NOT_IN_FILE,                                 \
		OPTION_STRING(structure, field.preset)},                                           \
	{                                                                                          \
		OPTION_NAMED("print", 0, NULL, "only print the values that are in effect"),        \
			.flags = OPTION_FLAG_ONLY, OPTION_SWITCH(structure, field.print)           \
	}

/*
 * Puts the words of --preset into argv, where there is one; argv[1] becomes the command that the
 * preset is of. Ends the program when there is no such preset or the command is another. What is
 * returned lives as long as the program.
 */
char **preset_expand(int *argc, char **argv);
/* After the options are read: --print prints them and ends the program. */
void preset_finish(
	const struct option_set *set, const struct preset_words *words, const char *command);
/* keyrack-bench presets */
int preset_list(int argc, char **argv);

#endif
