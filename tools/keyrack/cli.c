#include "tools/keyrack/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proto/token.h"
#include "tools/keyrack/value.h"

#define SOURCE_MAX UINT32_MAX
#define REASON_MAX 64u

const char *argp_program_version = "keyrack " KEYRACK_VERSION;

enum global_key {
	KEY_ROUTER = 'r',
	KEY_JSON = 'j',
	KEY_DEADLINE = 0x100,
	KEY_TOKEN_FILE,
	KEY_ACTOR,
	KEY_SOURCE,
	KEY_REASON,
};

static const struct argp_option json_options[] = {
	{"json", KEY_JSON, NULL, 0, "print JSON for programs instead of a table", 90},
	{0},
};
static const struct argp_option client_options[] = {
	{"router", KEY_ROUTER, "ADDR[,ADDR]", 0,
		"where the routers listen (default: $KEYRACK_ROUTER, else " CLI_ROUTER_DEFAULT ")",
		90},
	{"token-file", KEY_TOKEN_FILE, "FILE", 0,
		"the token to prove where one is wanted (default: $KEYRACK_TOKEN_FILE)", 90},
	{"deadline", KEY_DEADLINE, "TIME", 0, "how long to wait for the answer (10s)", 90},
	{0},
};
static const struct argp_option origin_options[] = {
	{"actor", KEY_ACTOR, "N", 0, "who does it, for the audit trail", 80},
	{"source", KEY_SOURCE, "N", 0, "on behalf of which system", 80},
	{"reason", KEY_REASON, "TEXT", 0, "why, at most 64 bytes", 80},
	{0},
};

/* What argp hands from parser to parser. */
struct words {
	struct cli *cli;
	const struct cli_spec *spec; /* NULL: the words before the command */
	void *options;
	const char **args;
	unsigned arg_count;
	int next; /* index of the first word that is no option, before the command */
};

void cli_init(struct cli *cli, const char *program)
{
	const char *routers = getenv(CLI_ROUTER_VARIABLE);
	const char *token_file = getenv(CLI_TOKEN_VARIABLE);
	*cli = (struct cli){
		.program = program,
		.name = "keyrack",
		.routers = routers != NULL && routers[0] != '\0' ? routers : CLI_ROUTER_DEFAULT,
		.token_file = token_file != NULL && token_file[0] != '\0' ? token_file : NULL,
		.deadline_us = CLI_DEADLINE_US,
	};
	kr_assert(cli->client == NULL);
}

void cli_fini(struct cli *cli)
{
	if (cli->client != NULL)
		cli->client = keyrack_client_free(cli->client);
	kr_assert(cli->client == NULL);
	free(cli->connected);
	free(cli->connected_token);
	cli->connected = cli->connected_token = NULL;
}

static int number_read(const char *arg, uint64_t last, uint64_t *ret, struct kr_error_text *error)
{
	return value_u64(arg, (struct value_range){0, last}, ret, error);
}

static int global_set(struct cli *cli, int key, const char *arg, struct kr_error_text *error)
{
	uint64_t number = 0;
	int r = 0;
	switch (key) {
	case KEY_ROUTER:
		cli->routers = arg;
		break;
	case KEY_TOKEN_FILE:
		cli->token_file = arg;
		break;
	case KEY_JSON:
		cli->json = true;
		break;
	case KEY_DEADLINE:
		r = value_duration(arg, &number, error);
		if (r == 0 && (number == 0 || number > CLI_DEADLINE_MAX_US))
			r = kr_error_text_set(error, -KR_E_INVALID, 0, "from 1us to 1h");
		cli->deadline_us = number;
		break;
	case KEY_ACTOR:
		r = number_read(arg, UINT64_MAX, &cli->origin.actor, error);
		break;
	case KEY_SOURCE:
		r = number_read(arg, SOURCE_MAX, &number, error);
		cli->origin.source = (uint32_t)number;
		break;
	case KEY_REASON:
		cli->origin.reason = arg;
		if (strlen(arg) > REASON_MAX)
			r = kr_error_text_set(
				error, -KR_E_INVALID, 0, "at most %u bytes", REASON_MAX);
		break;
	default:
		kr_unreachable();
	}
	return r;
}

/* The long name of an option, for messages. */
static const char *option_name(const struct argp_option *options, int key)
{
	while (options->name != NULL && options->key != key)
		options++;
	return options->name != NULL ? options->name : "?";
}

static error_t parse_global(int key, char *arg, struct argp_state *state)
{
	struct words *words = state->input;
	struct kr_error_text error;
	kr_error_text_clear(&error);
	/* Keys above are argp's own. */
	if (key <= 0 || key > KEY_REASON)
		return ARGP_ERR_UNKNOWN;
	if (global_set(words->cli, key, arg, &error) >= 0)
		return 0;
	argp_error(state, "%s", error.bytes);
	return EINVAL;
}

static const struct argp json_argp = {.options = json_options, .parser = parse_global};
static const struct argp client_argp = {.options = client_options, .parser = parse_global};
static const struct argp origin_argp = {.options = origin_options, .parser = parse_global};

#define CHILD_COUNT 3

static void children_init(struct argp_state *state, const struct cli_spec *spec)
{
	unsigned count = 1;
	if (spec == NULL || !spec->is_local)
		count++;
	if (spec != NULL && spec->has_origin)
		count++;
	kr_assert(count <= CHILD_COUNT);
	for (unsigned i = 0; i < count; i++)
		state->child_inputs[i] = state->input;
}

static error_t parse_before(int key, char *arg, struct argp_state *state)
{
	struct words *words = state->input;
	switch (key) {
	case ARGP_KEY_INIT:
		children_init(state, NULL);
		return 0;
	case ARGP_KEY_ARG:
		words->next = state->next - 1;
		state->next = state->argc;
		return 0;
	case ARGP_KEY_NO_ARGS:
		words->next = state->argc;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Ends the program, or goes back to whoever runs one command after the other. */
KR_NORETURN static void leave(struct cli *cli, int code)
{
	if (cli->escape == NULL)
		exit(code);
	cli->escape_code = code;
	longjmp(*cli->escape, 1);
}

/* Wrong words are told by argp, the want of memory is not. */
KR_NORETURN static void words_failed(struct cli *cli, int number)
{
	kr_assert(number != 0);
	if (number == ENOMEM)
		fprintf(stderr, "%s: there is no memory to read the options\n", cli->program);
	leave(cli, CLI_USAGE);
}

static unsigned argp_flags(const struct cli *cli)
{
	kr_assert(cli->program != NULL);
	return cli->escape != NULL ? ARGP_NO_EXIT | ARGP_NO_HELP : 0;
}

void cli_words_global(struct cli *cli, int argc, char **argv, int *ret_next)
{
	/* Their help is the list of commands, which is the caller's. */
	static const struct argp_child children[] = {
		{&json_argp, 0, NULL, 0}, {&client_argp, 0, NULL, 0}, {0}};
	static const struct argp argp = {.parser = parse_before, .children = children};
	struct words words = {.cli = cli, .next = argc};
	kr_assert(argc >= 1);
	argp_err_exit_status = CLI_USAGE;
	const int number = argp_parse(
		&argp, argc, argv, argp_flags(cli) | ARGP_IN_ORDER | ARGP_NO_HELP, NULL, &words);
	if (number != 0)
		words_failed(cli, number);
	*ret_next = words.next;
}

/* argp_error() returns where the program goes on: the parser has to stop by itself. */
static error_t argument_take(struct words *words, const char *arg, struct argp_state *state)
{
	if (words->arg_count >= words->spec->arg_max) {
		argp_error(state, "\"%s\" is one word too many", arg);
		return EINVAL;
	}
	kr_assert(words->arg_count < CLI_ARGS_MAX);
	words->args[words->arg_count++] = arg;
	return 0;
}

static error_t arguments_end(const struct words *words, struct argp_state *state)
{
	if (words->arg_count >= words->spec->arg_min)
		return 0;
	argp_error(state, "%s: too few words", words->spec->args);
	return EINVAL;
}

static error_t parse_own(int key, char *arg, struct argp_state *state)
{
	struct words *words = state->input;
	const struct cli_spec *spec = words->spec;
	struct kr_error_text error;
	switch (key) {
	case ARGP_KEY_INIT:
		children_init(state, spec);
		return 0;
	case ARGP_KEY_ARG:
		return argument_take(words, arg, state);
	case ARGP_KEY_END:
		return arguments_end(words, state);
	case ARGP_KEY_ARGS:
	case ARGP_KEY_NO_ARGS:
	case ARGP_KEY_SUCCESS:
	case ARGP_KEY_ERROR:
	case ARGP_KEY_FINI:
		return ARGP_ERR_UNKNOWN;
	default:
		break;
	}
	kr_error_text_clear(&error);
	if (spec->option == NULL || spec->options == NULL)
		return ARGP_ERR_UNKNOWN;
	if (spec->option(words->options, key, arg, &error) >= 0)
		return 0;
	argp_error(state, "--%s: %s", option_name(spec->options, key), error.bytes);
	return EINVAL;
}

static struct argp argp_of(
	const struct cli_spec *spec, struct argp_child children[static CHILD_COUNT + 1])
{
	unsigned count = 0;
	kr_assert(spec->arg_max <= CLI_ARGS_MAX);
	memset(children, 0, (CHILD_COUNT + 1) * sizeof(*children));
	children[count++].argp = &json_argp;
	if (!spec->is_local)
		children[count++].argp = &client_argp;
	if (spec->has_origin)
		children[count++].argp = &origin_argp;
	return (struct argp){.options = spec->options,
		.parser = parse_own,
		.args_doc = spec->args,
		.doc = spec->doc,
		.children = children};
}

void cli_words(struct cli *cli, const struct cli_spec *spec, int argc, char **argv, void *options,
	const char **ret_args)
{
	struct argp_child children[CHILD_COUNT + 1];
	const struct argp argp = argp_of(spec, children);
	struct words words = {.cli = cli, .spec = spec, .options = options, .args = ret_args};
	kr_assert(argc >= 1);
	if (cli->describes != NULL) {
		*cli->describes = *spec;
		leave(cli, CLI_DONE);
	}
	memset(ret_args, 0, CLI_ARGS_MAX * sizeof(*ret_args));
	argv[0] = cli->name;
	argp_err_exit_status = CLI_USAGE;
	const int number = argp_parse(&argp, argc, argv, argp_flags(cli), NULL, &words);
	if (number != 0)
		words_failed(cli, number);
}

unsigned cli_option_lists(
	const struct cli_spec *spec, const struct argp_option *ret_lists[static CLI_OPTION_LISTS])
{
	unsigned count = 0;
	kr_assert(spec != NULL);
	if (spec->options != NULL)
		ret_lists[count++] = spec->options;
	ret_lists[count++] = json_options;
	if (!spec->is_local)
		ret_lists[count++] = client_options;
	if (spec->has_origin)
		ret_lists[count++] = origin_options;
	return count;
}

void cli_help(const struct cli *cli, const struct cli_spec *spec)
{
	struct argp_child children[CHILD_COUNT + 1];
	const struct argp argp = argp_of(spec, children);
	kr_assert(cli->name[0] != '\0');
	argp_help(&argp, stdout, ARGP_HELP_SHORT_USAGE | ARGP_HELP_LONG | ARGP_HELP_DOC,
		(char *)(uintptr_t)cli->name);
}

void cli_say(const struct cli *cli, const char *format, ...)
{
	va_list list;
	fflush(stdout);
	fprintf(stderr, "%s: ", cli->name);
	va_start(list, format);
	vfprintf(stderr, format, list);
	va_end(list);
	fputc('\n', stderr);
}

int cli_wrong(const struct cli *cli, const char *format, ...)
{
	va_list list;
	fflush(stdout);
	fprintf(stderr, "%s: ", cli->name);
	va_start(list, format);
	vfprintf(stderr, format, list);
	va_end(list);
	fprintf(stderr, "\nSee `%s --help`.\n", cli->name);
	return CLI_USAGE;
}

/* The library says only that it is so: once more, for the sentence. */
int cli_token_refuse(const struct cli *cli)
{
	struct token_set tokens = {.count = 0};
	struct kr_error_text error;
	kr_assert(cli->token_file != NULL);
	kr_error_text_clear(&error);
	if (token_set_read(&tokens, ACCESS_BOOKING, cli->token_file, &error) < 0)
		cli_say(cli, "--token-file: %s", error.bytes);
	else
		cli_say(cli, "--token-file: %s could not be read a moment ago", cli->token_file);
	token_set_clear(&tokens);
	return CLI_UNREACHABLE;
}

/* By the same routers with the same token. */
static bool is_connected(const struct cli *cli)
{
	const char *token = cli->token_file != NULL ? cli->token_file : "";
	const char *before = cli->connected_token != NULL ? cli->connected_token : "";
	kr_assert(cli->client != NULL || cli->connected == NULL);
	return cli->client != NULL && cli->connected != NULL &&
	       strcmp(cli->connected, cli->routers) == 0 && strcmp(before, token) == 0;
}

int cli_connect(struct cli *cli)
{
	const struct keyrack_config config = {
		.routers = cli->routers,
		.token_file = cli->token_file,
		.agent = "keyrack " KEYRACK_VERSION,
		.deadline_us = cli->deadline_us,
		.fail_fast = true,
	};
	int r;
	if (is_connected(cli))
		return CLI_DONE;
	cli_fini(cli);
	r = keyrack_client_new(&config, &cli->client);
	if (r == 0) {
		cli->connected = strdup(cli->routers);
		cli->connected_token = cli->token_file != NULL ? strdup(cli->token_file) : NULL;
		/* Without these words the next command connects anew. */
		kr_assert(cli->client != NULL);
		return CLI_DONE;
	}
	if (r == -EACCES || r == -EBADMSG)
		return cli_token_refuse(cli);
	if (r == -EHOSTUNREACH) {
		cli_say(cli, "a name in \"%s\" cannot be looked up; give an address such as %s",
			cli->routers, CLI_ROUTER_DEFAULT);
		return CLI_UNREACHABLE;
	}
	if (r == -EINVAL)
		return cli_wrong(cli, "--router: \"%s\" is no address; write HOST:PORT, such as %s",
			cli->routers, CLI_ROUTER_DEFAULT);
	cli_say(cli, "cannot make a client: %s", strerror(-r));
	return CLI_UNREACHABLE;
}

struct keyrack_call cli_call(const struct cli *cli)
{
	kr_assert(cli->deadline_us > 0);
	return (struct keyrack_call){.deadline_us = cli->deadline_us};
}

uint64_t cli_wall_us(void)
{
	struct timespec now;
	int r = clock_gettime(CLOCK_REALTIME, &now);
	kr_assert(r == 0);
	return (uint64_t)now.tv_sec * UINT64_C(1000000) + (uint64_t)now.tv_nsec / 1000;
}
