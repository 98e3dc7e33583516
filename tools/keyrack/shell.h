/*
 * keyrack shell: commands line by line in one process, over one connection. The commands are those
 * of the command line; what ends the program there ends the line here.
 */
#ifndef TOOLS_KEYRACK_SHELL_H
#define TOOLS_KEYRACK_SHELL_H

#include "tools/keyrack/cli.h"
#include "tools/keyrack/shell_words.h"

struct shell {
	struct cli session; /* what each command begins with; keeps the client */
	struct cli cli;     /* of the command that runs */
	jmp_buf escape;
	struct shell_words words;
	int last_code;
	bool wants_end;
};

/* Runs a line; returns its exit code, the last one's for a line without a command. */
int shell_line_run(struct shell *shell, const char *line);
/* "refused" */
const char *shell_code_text(int code);

/* Lines from a terminal, with history and completion; returns an exit code. */
int shell_edit_run(struct shell *shell);

#endif
