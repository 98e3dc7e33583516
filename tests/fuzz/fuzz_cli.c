/*
 * The words of `keyrack`: globals, the command, its options and arguments, completion. No
 * connection is made and nothing is carried out: a command is left where it asks for a client, or
 * where it has read its words if it needs none.
 *
 * Held: a command whose words are right has as many arguments as it says it takes, a deadline
 * within its bounds and the reason within its size; wrong words leave with CLI_USAGE after a
 * sentence.
 *
 * Input: words, a line each; with a first byte of 1 the last one is to be completed.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tools/keyrack/command_table.h"
#include "tools/keyrack/complete.h"

#define WORDS_MAX 32u
#define LEFT 99 /* words were right, and the command went no further */
#define REASON_SIZE_MAX 64u

void __real_cli_words(struct cli *cli, const struct cli_spec *spec, int argc, char **argv,
	void *options, const char **ret_args);
void __wrap_cli_words(struct cli *cli, const struct cli_spec *spec, int argc, char **argv,
	void *options, const char **ret_args);
int __wrap_cli_connect(struct cli *cli);

static const struct command *running;
static FILE *said;

KR_NORETURN static void leave(struct cli *cli)
{
	kr_assert(cli->escape != NULL);
	cli->escape_code = LEFT;
	longjmp(*cli->escape, 1);
}

void __wrap_cli_words(struct cli *cli, const struct cli_spec *spec, int argc, char **argv,
	void *options, const char **ret_args)
{
	__real_cli_words(cli, spec, argc, argv, options, ret_args);
	kr_assert(cli->deadline_us > 0 && cli->deadline_us <= CLI_DEADLINE_MAX_US);
	kr_assert(cli->origin.reason == NULL || strlen(cli->origin.reason) <= REASON_SIZE_MAX);
	kr_assert(spec->arg_min <= spec->arg_max && spec->arg_max <= CLI_ARGS_MAX);
	for (unsigned i = 0; i < CLI_ARGS_MAX; i++) {
		kr_assert(i >= spec->arg_min || ret_args[i] != NULL);
		kr_assert(i < spec->arg_max || ret_args[i] == NULL);
	}
	if (running == NULL || command_is_apart(running) || spec->is_local ||
		strcmp(running->name, "shell") == 0)
		leave(cli);
}

int __wrap_cli_connect(struct cli *cli)
{
	leave(cli);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	kr_assert(argc != NULL && argv != NULL);
	/* The targets' reports go to the descriptor, what a command says to these. */
	said = fopen("/dev/null", "we");
	kr_assert(said != NULL);
	stderr = said;
	stdout = said;
	return 0;
}

static void take(void *context, const char *candidate)
{
	const char *prefix = context;
	kr_assert(strncmp(candidate, prefix, strlen(prefix)) == 0);
}

static void run(int count, char **words)
{
	static struct cli cli;
	static jmp_buf escape;
	static int next;
	static char program[] = "keyrack";
	char *argv[WORDS_MAX + 2] = {program};
	int taken;
	memcpy(argv + 1, words, (size_t)count * sizeof(*words));
	cli_init(&cli, program);
	cli.escape = &escape;
	running = NULL;
	if (setjmp(escape) != 0) {
		kr_assert(cli.escape_code == CLI_USAGE || cli.escape_code == LEFT ||
			  cli.escape_code == CLI_DONE);
		kr_assert(cli.client == NULL);
		return;
	}
	cli_words_global(&cli, count + 1, argv, &next);
	if (next > count)
		return;
	running = command_match(count + 1 - next, argv + next, &taken);
	int code = command_run(&cli, count + 1 - next, argv + next);
	kr_assert(code == CLI_USAGE || code == CLI_DONE);
	kr_assert(code == CLI_USAGE || running == NULL || command_is_help(argv[next + 1]));
	cli_fini(&cli);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	char *words[WORDS_MAX];
	unsigned count = 0;
	bool completes = size_bytes > 0 && data[0] == 1;
	char *text = malloc(size_bytes + 1);
	kr_assert(text != NULL);
	memcpy(text, data + completes, size_bytes - completes);
	text[size_bytes - completes] = '\0';
	for (char *rest = text, *word; count < WORDS_MAX && (word = strsep(&rest, "\n")) != NULL;)
		words[count++] = word;
	kr_assert(count > 0);
	if (completes)
		(void)complete_candidates(
			count - 1, words, words[count - 1], take, words[count - 1]);
	else
		run((int)count, words);
	free(text);
	return 0;
}
