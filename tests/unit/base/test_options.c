/*
 * A toy program's options: where values come from, what counts, what is told. What ends the process
 * is tested by its status.
 */
#include <criterion/criterion.h>
#include <criterion/redirect.h>

#include <argp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/options.h"
#include "base/rng.h"

const char *argp_program_version = "toy 1";

struct toy {
	uint32_t window;
	uint64_t idle_us;
	bool eager;
	const char *name;
	uint32_t other; /* no option */
};

static const struct option_row rows[] = {
	{.name = "window",
		.letter = 'w',
		.argument = "COUNT",
		.preset = 5,
		.min = 1,
		.max = 100,
		OPTION_U32(struct toy, window)},
	{.name = "idle-timeout",
		.argument = "SECONDS",
		.max = 60,
		.unit = 1000000,
		.flags = OPTION_LIVE,
		OPTION_U64(struct toy, idle_us)},
	{.name = "eager", .flags = OPTION_LIVE, OPTION_SWITCH(struct toy, eager)},
	{.name = "name",
		.argument = "TEXT",
		.needed = "what it is called",
		OPTION_STRING(struct toy, name)},
};

static void finish(struct option_set *set, void *structure)
{
	const struct toy *toy = structure;
	if (toy->window == 13)
		options_complain(set, "window", "brings bad luck");
}

static const struct option_program program = {
	.name = "toy",
	.environment = "TOY_",
	.table = rows,
	.count = KR_ARRAY_COUNT(rows),
	.structure_size_bytes = sizeof(struct toy),
	.finish = finish,
};

static struct option_set set;
static struct toy toy;
static char path[] = "/tmp/keyrack-options-XXXXXX";
static char said[4096];

static void put_file(const char *text)
{
	FILE *file = fopen(path, "we");
	cr_assert_not_null(file);
	fputs(text, file);
	cr_assert_eq(fclose(file), 0);
}

static void begin(void)
{
	int fd = mkstemp(path);
	cr_assert_geq(fd, 0);
	close(fd);
	unsetenv("TOY_NAME");
	cr_redirect_stderr();
}

static void end(void)
{
	if (set.program != NULL)
		options_fini(&set);
	unlink(path);
}

TestSuite(options, .init = begin, .fini = end);

static void start(const char *const *arguments)
{
	static char copies[16][80];
	static char *argv[17];
	int argc = 0;
	for (; arguments[argc] != NULL; argc++)
		argv[argc] = memcpy(copies[argc], arguments[argc], strlen(arguments[argc]) + 1);
	options_start(&set, &program, argc, argv, &toy);
}

#define START(...) start((const char *const[]){"toy", "--config", path, __VA_ARGS__, NULL})

static void on_said(void *context, const char *sentence)
{
	cr_assert_eq(context, &toy);
	cr_assert_lt(strlen(said) + strlen(sentence) + 2, sizeof(said));
	strncat(said, sentence, sizeof(said) - strlen(said) - 1);
	strncat(said, "\n", sizeof(said) - strlen(said) - 1);
}

static bool reload(const char *text)
{
	said[0] = 0;
	put_file(text);
	return options_reload(&set, on_said, &toy);
}

Test(options, take_the_flag_before_the_environment_before_the_file_before_the_default)
{
	toy.other = 99;
	put_file("name: from file\nidle-timeout: 30\neager: yes\n");
	setenv("TOY_IDLE_TIMEOUT", "40", 1);
	setenv("TOY_EAGER", "no", 1);
	START("--eager");
	cr_assert_eq(toy.window, 5);
	cr_assert_str_eq(toy.name, "from file");
	cr_assert_eq(toy.idle_us, 40000000);
	cr_assert(toy.eager);
	cr_assert_eq(toy.other, 99);
}

Test(options, let_a_flag_say_no_to_a_files_yes)
{
	put_file("name: x\neager: yes\n");
	START("--eager=no");
	cr_assert_not(toy.eager);
}

Test(options, take_an_empty_variable_for_none)
{
	put_file("name: x\nwindow: 7\n");
	setenv("TOY_WINDOW", "", 1);
	START("--idle-timeout=1");
	cr_assert_eq(toy.window, 7);
}

Test(options, find_the_file_by_the_environment_too)
{
	put_file("name: found\n");
	setenv("TOY_CONFIG", path, 1);
	start((const char *const[]){"toy", NULL});
	cr_assert_str_eq(toy.name, "found");
}

Test(options, change_live_ones_when_read_again_and_name_the_others)
{
	put_file("name: a\nidle-timeout: 30\n");
	START("-w", "9");
	cr_assert(reload("name: b\nidle-timeout: 31\neager: on\nwindow: 50\n"));
	cr_assert_eq(toy.idle_us, 31000000);
	cr_assert(toy.eager);
	cr_assert_str_eq(toy.name, "a");
	cr_assert_eq(toy.window, 9, "the flag still counts");
	cr_assert_str_eq(said, "idle-timeout: 31 instead of 30: holds from now on\n"
			       "eager: yes instead of no: holds from now on\n"
			       "name: b instead of a: needs a restart\n");
	cr_assert(reload("name: a\n"), "what left the file falls back to its default");
	cr_assert_eq(toy.idle_us, 0);
	cr_assert_not(toy.eager);
	cr_assert_not(reload("name: a\n"));
	cr_assert_str_eq(said, "");
}

Test(options, stay_as_they_were_when_the_file_read_again_is_bad)
{
	static const char *const bad[] = {"idle-timeout: 61\nname: a\n", "idle-timeout: 20\n",
		"idle-timeout: 20\nname: a\nnames: b\n", "idle-timeout: 20\nname: [\n", "-\n", ""};
	put_file("name: a\nidle-timeout: 30\n");
	START("--eager");
	for (size_t i = 0; i < KR_ARRAY_COUNT(bad); i++) {
		cr_assert_not(reload(bad[i]), "%s", bad[i]);
		cr_assert_eq(toy.idle_us, 30000000, "%s", bad[i]);
		cr_assert_not_null(strstr(said, "stays as it was"), "%s", said);
	}
	unlink(path);
	said[0] = 0;
	cr_assert_not(options_reload(&set, on_said, &toy));
	cr_assert_not_null(strstr(said, "does not exist"), "%s", said);
	cr_assert(reload("name: a\nidle-timeout: 12\n"));
	cr_assert_eq(toy.idle_us, 12000000);
}

/* Whatever a file holds, it is told or taken, and nothing else happens. */
Test(options, survive_any_damage_to_the_file)
{
	static const char whole[] = "# comment\nname: \"\\x41\"\nidle-timeout: &x 30\n"
				    "eager: [yes]\nwindow: >-\n  5\n# window: *x\n";
	uint32_t taken_count = 0, refused_count = 0;
	struct rng rng;
	put_file("name: a\n");
	START("--eager");
	rng_init(&rng, 1);
	for (uint32_t round = 0; round < 3000; round++) {
		char damaged[sizeof(whole)];
		memcpy(damaged, whole, sizeof(whole));
		for (uint64_t i = 1 + rng_below(&rng, 6); i > 0; i--) {
			static const char bytes[] = "\0\n\t :-?[]{}&*!|>'\"%@`,#~\xff\xc3\\0a";
			damaged[rng_below(&rng, sizeof(whole) - 1)] =
				bytes[rng_below(&rng, sizeof(bytes))];
		}
		FILE *file = fopen(path, "we");
		cr_assert_not_null(file);
		(void)fwrite(damaged, 1, 1 + rng_below(&rng, sizeof(whole) - 1), file);
		(void)fclose(file);
		said[0] = 0;
		taken_count += options_reload(&set, on_said, &toy);
		refused_count += strstr(said, "stays as it was") != NULL;
		cr_assert_leq(toy.idle_us, 60000000);
		cr_assert_str_eq(toy.name, "a");
	}
	cr_assert_gt(taken_count, 10);
	cr_assert_gt(refused_count, 1000);
}

Test(options, have_nothing_to_read_again_without_a_file)
{
	start((const char *const[]){"toy", "--name=x", NULL});
	said[0] = 0;
	cr_assert_not(options_reload(&set, on_said, &toy));
	cr_assert_not_null(strstr(said, "--config"));
}

#define REFUSES(name_, file_, ...)                                                                 \
	Test(options, refuse_##name_, .exit_code = OPTIONS_EXIT_USAGE)                             \
	{                                                                                          \
		put_file(file_);                                                                   \
		START(__VA_ARGS__);                                                                \
		exit(0);                                                                           \
	}

REFUSES(what_finish_complains_of, "name: x\nwindow: 13\n", "--eager")
REFUSES(a_needed_one_left_out, "window: 12\n", "--eager")
REFUSES(a_key_given_twice, "name: x\nname: x\n", "--eager")
REFUSES(a_list_of_what_is_no_list, "name: [x, y]\n", "--eager")
REFUSES(a_null, "name: ~\n", "--eager")
REFUSES(the_flags_that_only_ask, "name: x\nprint-config: yes\n", "--eager")
REFUSES(a_file_within_a_file, "name: x\nconfig: y\n", "--eager")
REFUSES(words, "name: x\n", "word")
REFUSES(a_flag_without_its_value, "name: x\n", "--window=")

Test(options, end_with_0_when_only_checked, .exit_code = 0)
{
	cr_redirect_stdout();
	put_file("name: x\n");
	START("--check-config");
	exit(1);
}

Test(options, end_with_2_when_checked_and_bad, .exit_code = OPTIONS_EXIT_USAGE)
{
	put_file("name: x\nfoo: bar\n");
	START("--check-config");
	exit(1);
}
