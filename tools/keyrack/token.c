/* keyrack token */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "proto/token.h"
#include "tools/keyrack/commands.h"
#include "tools/keyrack/js.h"
#include "tools/keyrack/value.h"

#define LINE_SIZE (6 + 2 * TOKEN_SIZE + 2) /* "65535 ", the digits, a newline, a zero */

enum token_key {
	TOKEN_NUMBER = CLI_KEY_OWN,
};

static const struct argp_option token_options[] = {
	{"number", TOKEN_NUMBER, "N", 0, "its number (one more than the highest of FILE)", 0},
	{0},
};

static int token_option(void *options, int key, const char *arg, struct kr_error_text *error)
{
	uint64_t number = 0;
	int r = value_u64(arg, (struct value_range){1, TOKEN_NUMBER_MAX}, &number, error);
	kr_assert(key == TOKEN_NUMBER);
	*(uint32_t *)options = (uint32_t)number;
	return r;
}

/* The number that a new token of the file gets, or a negative error. *number is what was asked for,
 * 0 for any. */
static int number_settle(const char *path, uint32_t *number, struct kr_error_text *error)
{
	struct token_set tokens = {.count = 0};
	uint32_t highest = 0;
	bool is_taken = false;
	int r = token_set_read(&tokens, ACCESS_BOOKING, path, error);
	for (uint32_t i = 0; i < tokens.count; i++) {
		highest = KR_MAX(highest, tokens.items[i].number);
		is_taken |= tokens.items[i].number == *number;
	}
	bool is_full = tokens.count == TOKEN_COUNT_MAX;
	token_set_clear(&tokens);
	if (r == -KR_E_NOENT)
		r = 0;
	if (r < 0)
		return r;
	if (*number == 0)
		*number = highest + 1;
	kr_assert(*number > 0);
	if (is_taken || is_full || *number > TOKEN_NUMBER_MAX)
		return kr_error_text_set(error, -KR_E_EXISTS, 0, "%s has %s", path,
			is_full ? "as many tokens as there can be" : "a token of that number");
	return 0;
}

/* Whole lines alone: one that somebody else left unfinished is ended first. */
static int line_append(int fd, const char *line, size_t size_bytes)
{
	char last = '\n';
	off_t end = lseek(fd, 0, SEEK_END);
	kr_assert(size_bytes > 0);
	if (end < 0 || (end > 0 && pread(fd, &last, 1, end - 1) != 1))
		return -1;
	if (last != '\n' && write(fd, "\n", 1) != 1)
		return -1;
	if (write(fd, line, size_bytes) != (ssize_t)size_bytes)
		return -1;
	return fsync(fd);
}

static int token_add(const char *path, uint32_t number, struct kr_error_text *error)
{
	uint8_t key[TOKEN_SIZE];
	char digits[2 * TOKEN_SIZE + 1], line[LINE_SIZE];
	int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return kr_error_text_set(
			error, kr_error_from_errno(errno), errno, "cannot open %s", path);
	randombytes_buf(key, sizeof(key));
	sodium_bin2hex(digits, sizeof(digits), key, sizeof(key));
	int size = snprintf(line, sizeof(line), "%u %s\n", number, digits);
	kr_assert(size > 0 && (size_t)size < sizeof(line));
	int r = line_append(fd, line, (size_t)size);
	if (r < 0)
		r = kr_error_text_set(
			error, kr_error_from_errno(errno), errno, "cannot write %s", path);
	close(fd);
	sodium_memzero(key, sizeof(key));
	sodium_memzero(digits, sizeof(digits));
	sodium_memzero(line, sizeof(line));
	return r;
}

int token_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_spec spec = {
		.options = token_options,
		.option = token_option,
		.args = "FILE",
		.doc = "Adds a token to FILE, which is made if it is missing and readable by you "
		       "alone.\vA router takes any token of its files; a client has the first of "
		       "its own. Numbers are unique over all files of a router.",
		.arg_min = 1,
		.arg_max = 1,
		.is_local = true,
	};
	const char *args[CLI_ARGS_MAX];
	struct kr_error_text error;
	uint32_t number = 0;
	cli_words(cli, &spec, argc, argv, &number, args);
	kr_error_text_clear(&error);
	if (number_settle(args[0], &number, &error) < 0 || token_add(args[0], number, &error) < 0) {
		cli_say(cli, "%s", error.bytes);
		return CLI_REFUSED;
	}
	if (cli->json) {
		json_t *root = js_object();
		js_text(root, "file", args[0]);
		js_count(root, "number", number);
		js_print(root);
	} else {
		printf("token %u is in %s\n", number, args[0]);
	}
	return CLI_DONE;
}
