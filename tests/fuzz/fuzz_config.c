/*
 * Configuration files, with the tables of both programs: FUZZ_ROUTER says which.
 *
 * Held: a start with any file either begins or says why not; what a start that begins prints as its
 * configuration is a file that says the same.
 *
 * Input: the file.
 */
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#ifdef FUZZ_ROUTER
#include "router/options.h"
#define PROGRAM "keyrack-router"
#define OPTIONS struct router_options
#define START router_options_start
#else
#include "engine/server/options.h"
#define PROGRAM "keyrack-shard"
#define OPTIONS struct shard_options
#define START shard_options_start
#endif

#define PRINTED_SIZE (1u << 20)

void __real_exit(int code);
void __wrap_exit(int code);

static struct fuzz_file file;
static char config[] = "--config=/proc/self/fd/00000000000000000000";
static jmp_buf escape;
static bool is_armed;
static unsigned said_count;

/* How a start that does not begin ends. */
void __wrap_exit(int code)
{
	if (!is_armed)
		__real_exit(code);
	is_armed = false;
	longjmp(escape, code == 0 ? 1 : code);
}

static void say(const char *sentence)
{
	kr_assert(sentence[0] != '\0');
	said_count++;
}

static void say_reloaded(void *context, const char *sentence)
{
	kr_assert(context != NULL);
	say(sentence);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	kr_assert(argc != NULL && argv != NULL);
	fuzz_file_init(&file);
	(void)snprintf(config, sizeof(config), "--config=%s", file.path);
	return 0;
}

static void check_printed(struct option_set *set)
{
	char *printed = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&printed, &size);
	kr_assert(out != NULL);
	options_print(set, out);
	int r = fclose(out);
	kr_assert(r == 0 && size > 0 && size <= PRINTED_SIZE);
	fuzz_file_put(&file, printed, size);
	free(printed);
	said_count = 0;
	bool has_changed = options_reload(set, say_reloaded, set);
	kr_assert(!has_changed && said_count == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	static struct option_set set;
	static OPTIONS options;
	static char program[] = PROGRAM;
	char *argv[] = {program, config, NULL};
	/* A token file is another parser's, and may be any device of this machine. */
	if (memmem(data, size_bytes, "token", 5) != NULL || memmem(data, size_bytes, "\\", 1))
		return 0;
	fuzz_file_put(&file, data, size_bytes);
	memset(&options, 0, sizeof(options));
	memset(&set, 0, sizeof(set));
	said_count = 0;
	int code = setjmp(escape);
	if (code == 0) {
		is_armed = true;
		START(&set, 2, argv, say, &options);
		is_armed = false;
		kr_assert(said_count == 0);
		check_printed(&set);
	} else {
		kr_assert(code == OPTIONS_EXIT_USAGE && said_count > 0);
	}
	options_fini(&set);
	return 0;
}
