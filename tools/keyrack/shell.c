/* keyrack shell */
#include "tools/keyrack/shell.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/keyrack/command_table.h"
#include "tools/keyrack/commands.h"

#define OWN_WORDS 7 /* before the words of a command that runs apart */

enum shell_key { SHELL_KEEP_GOING = 'k' };

static const struct argp_option shell_options[] = {
	{"keep-going", SHELL_KEEP_GOING, NULL, 0, "go on after a line that was not done", 0},
	{0},
};

static int shell_option(void *options, int key, const char *arg, struct kr_error_text *error)
{
	bool *keeps_going = options;
	(void)arg;
	(void)error;
	kr_assert(key == SHELL_KEEP_GOING);
	*keeps_going = true;
	return 0;
}

const char *shell_code_text(int code)
{
	static const char *const texts[] = {
		"done", "refused", "wrong words", "unreachable", "outcome unknown"};
	kr_assert(code >= 0);
	return (size_t)code < KR_ARRAY_COUNT(texts) ? texts[code] : "ended abnormally";
}

/* ---- a command ---- */

/* A local cluster, a screen: what has a process of its own elsewhere has one here. */
static int apart_run(struct shell *shell, int argc, char **argv)
{
	char *words[SHELL_WORD_COUNT_MAX + OWN_WORDS];
	int count = 0, status = 0;
	pid_t pid;
	words[count++] = (char *)(uintptr_t) "keyrack";
	words[count++] = (char *)(uintptr_t) "--router";
	words[count++] = (char *)(uintptr_t)shell->cli.routers;
	if (shell->cli.token_file != NULL) {
		words[count++] = (char *)(uintptr_t) "--token-file";
		words[count++] = (char *)(uintptr_t)shell->cli.token_file;
	}
	if (shell->cli.json)
		words[count++] = (char *)(uintptr_t) "--json";
	kr_assert(argc <= (int)SHELL_WORD_COUNT_MAX);
	for (int i = 0; i < argc; i++)
		words[count++] = argv[i];
	words[count] = NULL;
	posix_spawnattr_t attributes;
	sigset_t none;
	(void)sigemptyset(&none);
	int r = posix_spawnattr_init(&attributes);
	kr_assert(r == 0);
	/* A terminal's shell has interrupts blocked. */
	(void)posix_spawnattr_setsigmask(&attributes, &none);
	(void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	r = posix_spawn(&pid, "/proc/self/exe", NULL, &attributes, words, environ);
	(void)posix_spawnattr_destroy(&attributes);
	if (r != 0) {
		cli_say(&shell->cli, "cannot start %s: %s", argv[0], strerror(r));
		return CLI_UNREACHABLE;
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return WIFEXITED(status) ? WEXITSTATUS(status) : CLI_UNKNOWN;
}

/* What ends the program on the command line, and its parser therefore does not know here. */
static bool asks_for_help(int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		if (command_is_help(argv[i]) || strcmp(argv[i], "--usage") == 0)
			return true;
	return false;
}

static int help_print(const struct command *command)
{
	struct cli cli = {.program = "keyrack"};
	if (command != NULL) {
		const struct cli_spec spec = command_spec(command);
		command_name(command, cli.name);
		cli_help(&cli, &spec);
		return CLI_DONE;
	}
	command_list_print(stdout, NULL);
	fputs("  help [COMMAND]        this list, or the options of a command\n"
	      "  exit, quit            an end\n",
		stdout);
	return CLI_DONE;
}

static int command_do(struct shell *shell, int argc, char **argv)
{
	int taken = 0;
	const bool is_help = strcmp(argv[0], "help") == 0;
	const struct command *command = command_match(argc - is_help, argv + is_help, &taken);
	if (is_help && (command != NULL || argc == 1))
		return help_print(command);
	if (command != NULL && asks_for_help(argc - taken, argv + taken))
		return help_print(command);
	if (command != NULL && command->run == shell_run)
		return cli_wrong(&shell->cli, "this is a shell already");
	if (command != NULL && command_is_apart(command))
		return apart_run(shell, argc, argv);
	return command_run(&shell->cli, argc, argv);
}

/* In a function of its own: it is left by longjmp(). */
static int words_run(struct shell *shell)
{
	char *argv[SHELL_WORD_COUNT_MAX + 2] = {(char *)(uintptr_t) "keyrack"};
	int argc = (int)shell->words.count + 1, next = 0;
	if (setjmp(shell->escape) != 0)
		return shell->cli.escape_code;
	memcpy(argv + 1, shell->words.words, (shell->words.count + 1) * sizeof(argv[0]));
	cli_words_global(&shell->cli, argc, argv, &next);
	if (next >= argc)
		return cli_wrong(&shell->cli, "which command?");
	return command_do(shell, argc - next, argv + next);
}

/* ---- a line ---- */

static bool is_end(const struct shell_words *words)
{
	kr_assert(words->count > 0);
	return words->count == 1 &&
	       (strcmp(words->words[0], "exit") == 0 || strcmp(words->words[0], "quit") == 0);
}

int shell_line_run(struct shell *shell, const char *line)
{
	shell->cli = shell->session;
	int r = shell_words_split(line, &shell->words);
	if (r != 0) {
		cli_say(&shell->cli,
			r == SHELL_WORDS_QUOTE ? "a quotation has no end" : "the line is too long");
		return shell->last_code = CLI_USAGE;
	}
	if (shell->words.count == 0)
		return shell->last_code;
	if (is_end(&shell->words)) {
		shell->wants_end = true;
		return shell->last_code;
	}
	shell->cli.escape = &shell->escape;
	shell->last_code = words_run(shell);
	/* The connection stays, and with it the address it is to. */
	shell->session.client = shell->cli.client;
	shell->session.connected = shell->cli.connected;
	shell->session.connected_token = shell->cli.connected_token;
	(void)fflush(stdout);
	return shell->last_code;
}

static int lines_run(struct shell *shell, bool keeps_going)
{
	char *line = NULL;
	size_t size_bytes = 0;
	unsigned number = 0;
	int failed = CLI_DONE;
	while (!shell->wants_end && getline(&line, &size_bytes, stdin) > 0) {
		int code;
		number++;
		shell->last_code = CLI_DONE;
		code = shell_line_run(shell, line);
		if (code == CLI_DONE)
			continue;
		cli_say(&shell->session, "line %u ended with %d (%s)", number, code,
			shell_code_text(code));
		failed = failed == CLI_DONE ? code : failed;
		if (!keeps_going)
			break;
	}
	free(line);
	kr_assert(failed >= CLI_DONE);
	return failed;
}

int shell_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_spec spec = {
		.options = shell_options,
		.option = shell_option,
		.doc = "Takes commands line by line, as they are typed behind `keyrack', over one "
		       "connection.\v"
		       "On a terminal lines are edited, kept ($XDG_STATE_HOME/keyrack/history) and "
		       "completed with Tab. Elsewhere the first line that is not done ends it, "
		       "with "
		       "its number and exit code. Options given here hold for every line. "
		       "'quotes', "
		       "\"quotes\" and \\ keep blanks together; # begins a comment.",
	};
	static struct shell shell;
	const char *args[CLI_ARGS_MAX];
	bool keeps_going = false;
	int code;
	cli_words(cli, &spec, argc, argv, &keeps_going, args);
	shell.session = *cli;
	if (isatty(STDIN_FILENO))
		code = shell_edit_run(&shell);
	else
		code = lines_run(&shell, keeps_going);
	/* The caller's has to end what this one began. */
	cli->client = shell.session.client;
	cli->connected = shell.session.connected;
	cli->connected_token = shell.session.connected_token;
	return code;
}
