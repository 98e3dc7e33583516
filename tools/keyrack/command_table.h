/* The commands there are: one table, for running, for help, for completion, for the shell. */
#ifndef TOOLS_KEYRACK_COMMAND_TABLE_H
#define TOOLS_KEYRACK_COMMAND_TABLE_H

#include "tools/keyrack/cli.h"

struct command {
	const char *group; /* "" = none */
	const char *name;
	cli_run *run;
	const char *text;
};

/* The i-th command, NULL behind the last. */
const struct command *command_at(size_t i);
bool command_is_group(const char *word);
/* NULL: there is none. */
const struct command *command_find(const char *group, const char *name);
/* The command that the words begin with, and how many words that takes; NULL if none. */
const struct command *command_match(int argc, char **argv, int *ret_words);
/* How the command is typed. It is not run. */
struct cli_spec command_spec(const struct command *command);
/* It takes files, processes or the terminal over: the shell gives it a process of its own. */
bool command_is_apart(const struct command *command);
/* "keyrack hotel put" */
void command_name(const struct command *command, char ret_name[static CLI_NAME_SIZE]);

/* Runs what argv[0] and the words behind it say; returns the exit code. */
int command_run(struct cli *cli, int argc, char **argv);
/* The list of commands of a group (NULL: all) on `out`. */
void command_list_print(FILE *out, const char *group);
/* --help, -?, -h, help */
bool command_is_help(const char *word);

#endif
