/*
 * What every command of keyrack has: its words, the options all of them know, a client.
 *
 * A command is `int run(struct cli *, int argc, char **argv)` and returns an exit code. It reads
 * its words with cli_words(), which ends the program with CLI_USAGE when they are wrong.
 */
#ifndef TOOLS_KEYRACK_CLI_H
#define TOOLS_KEYRACK_CLI_H

#include <argp.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "base/error.h"
#include "keyrack/keyrack.h"

enum cli_exit {
	CLI_DONE = 0,
	CLI_REFUSED = 1,     /* a correct "no", and nothing happened */
	CLI_USAGE = 2,       /* the words make no sense; nothing was asked */
	CLI_UNREACHABLE = 3, /* nobody answered, and nothing happened */
	CLI_UNKNOWN = 4,     /* it may have happened: ask */
};

#define CLI_ROUTER_DEFAULT "127.0.0.1:7070"
#define CLI_ROUTER_VARIABLE "KEYRACK_ROUTER"
#define CLI_TOKEN_VARIABLE "KEYRACK_TOKEN_FILE"
#define CLI_DEADLINE_US UINT64_C(10000000)
#define CLI_DEADLINE_MAX_US UINT64_C(3600000000)
#define CLI_NAME_SIZE 64u
#define CLI_ARGS_MAX 4u

struct cli_spec;

struct cli {
	const char *program;      /* argv[0] */
	char name[CLI_NAME_SIZE]; /* "keyrack hotel put" */
	const char *routers;
	const char *token_file; /* NULL = none */
	uint64_t deadline_us;
	bool json;
	struct keyrack_origin origin;
	struct keyrack_client *client; /* NULL before cli_connect() */
	char *connected;               /* the routers of `client` */
	char *connected_token;         /* and its token file, or NULL */
	/* Where a command that stops reading its words goes, with escape_code; NULL: the program
	 * ends. Whoever sets it runs one command after the other. */
	jmp_buf *escape;
	int escape_code;
	/* Not to run: cli_words() puts down what the command is, here, and leaves. */
	struct cli_spec *describes;
};

typedef int cli_run(struct cli *cli, int argc, char **argv);

/* Reads one option of the command's own into `options`; 0, or negative with *error said. */
typedef int cli_option(void *options, int key, const char *arg, struct kr_error_text *error);

/* How a command is typed. */
struct cli_spec {
	const struct argp_option *options; /* keys from CLI_KEY_OWN on, or letters; NULL = none */
	cli_option *option;
	const char *args; /* "HOTEL TYPE" */
	const char *doc;
	unsigned arg_min;
	unsigned arg_max; /* at most CLI_ARGS_MAX */
	bool has_origin;  /* knows --actor, --source and --reason */
	bool is_local;    /* knows no --router and no --deadline */
};

#define CLI_KEY_OWN 0x1000

void cli_init(struct cli *cli, const char *program);
void cli_fini(struct cli *cli);

/* Reads the words before the command; *ret_next is the index of the command in argv. */
void cli_words_global(struct cli *cli, int argc, char **argv, int *ret_next);
/* Reads the words behind the command. ret_args has CLI_ARGS_MAX places, NULL where none is. */
void cli_words(struct cli *cli, const struct cli_spec *spec, int argc, char **argv, void *options,
	const char **ret_args);

/* The tables of options that a command knows, its own first, each ending with a row of zeros. */
#define CLI_OPTION_LISTS 4u
unsigned cli_option_lists(
	const struct cli_spec *spec, const struct argp_option *ret_lists[static CLI_OPTION_LISTS]);
/* What --help prints of a command. */
void cli_help(const struct cli *cli, const struct cli_spec *spec);

/* Says what is wrong with the words, and where help is; returns CLI_USAGE. */
int cli_wrong(const struct cli *cli, const char *format, ...) KR_PRINTF(2, 3);
/* "keyrack hotel put: ..." on standard error. */
void cli_say(const struct cli *cli, const char *format, ...) KR_PRINTF(2, 3);

/* Makes the client, or keeps the one there is. 0, or the exit code after saying why. */
KR_MUST_CHECK int cli_connect(struct cli *cli);
/* Says why cli->token_file is of no use; returns the exit code. */
int cli_token_refuse(const struct cli *cli);
/* The deadline and the origin for a request. */
struct keyrack_call cli_call(const struct cli *cli);

/* Microseconds of unix time. */
uint64_t cli_wall_us(void);

#endif
