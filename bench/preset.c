#include "bench/preset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"

#define WORDS_SIZE 256u
#define WORDS_MAX 32

static const struct preset {
	const char *name;
	const char *about;
	const char *load; /* words of `load` for it */
	const char *command;
	const char *words;
} presets[] = {
	{"chain", "a chain's funnel: of 300 searches 30 hold, of those 3 book",
		"--hotels 5000 --types-min 4 --physical 50 --nights 365", "run",
		"--mix availability=300,hold+release=27,hold+confirm=3 --nights 3"},
	{"airbnb", "a marketplace of single listings: 20 reads to a write, one room each",
		"--hotels 10000 --types-min 1 --physical 1 --nights 365", "run",
		"--mix availability=40,book=1,cancel=1 --nights 3"},
	{"cache", "what a cache in front would have: 100 reads to a booking",
		"--hotels 1000 --types-min 4 --physical 1000 --nights 365", "run",
		"--mix availability=100,book=1 --nights 3"},
	{"flash", "a flash sale: 1,000 callers for 10 rooms, exactly ten win", NULL, "race",
		"--requests 1000 --rooms 10 --connections 250 --rounds 20"},
	{"ari", "calendar updates: 37 to a booking, 5,000 of a hotel in a burst",
		"--hotels 1000 --types-min 4 --physical 1000 --nights 365", "run",
		"--mix update=37,book=1 --burst 5000"},
	{"expiry", "450,000 holds that end within one second",
		"--hotels 1000 --types-min 4 --physical 1000 --nights 365", "expire",
		"--holds 450000"},
	{"dsb", "the mix of DeathStarBench's hotel reservation",
		"--hotels 80 --types-min 1 --physical 200 --nights 31", "run",
		"--mix stay=120,availability=78,get=1,book=1 --nights 3 --query-nights 5 "
		"--window 15"},
};

/* What the words of a preset become; kept for the options' texts. */
static struct {
	const struct preset *preset;
	char words[WORDS_SIZE];
	char name[WORDS_SIZE];
	char **argv;
} chosen;

static const struct preset *preset_find(const char *name)
{
	kr_assert(name != NULL);
	for (size_t i = 0; i < KR_ARRAY_COUNT(presets); i++)
		if (strcmp(presets[i].name, name) == 0)
			return &presets[i];
	bench_fail(
		BENCH_USAGE, "there is no preset \"%s\"; `keyrack-bench presets` lists them", name);
}

/* The words of the preset for this command, and the command it really is. */
static const char *words_of(const struct preset *preset, char **command)
{
	kr_assert(preset->command != NULL);
	if (strcmp(*command, "load") == 0) {
		if (preset->load == NULL)
			bench_fail(BENCH_USAGE, "preset %s makes its own hotels: nothing to load",
				preset->name);
		return preset->load;
	}
	if (strcmp(*command, "run") != 0 && strcmp(*command, preset->command) != 0)
		bench_fail(BENCH_USAGE, "preset %s is of `run`", preset->name);
	*command = (char *)(uintptr_t)preset->command;
	return preset->words;
}

/* Where the name is, or NULL; *ret_at and *ret_count say which words of argv it takes. */
static const char *name_find(int argc, char **argv, int *ret_at, int *ret_count)
{
	static const char flag[] = "--preset";
	kr_assert(argc >= 1);
	for (int i = 2; i < argc; i++) {
		*ret_at = i;
		*ret_count = 1;
		if (strncmp(argv[i], flag, sizeof(flag) - 1) != 0)
			continue;
		if (argv[i][sizeof(flag) - 1] == '=')
			return argv[i] + sizeof(flag);
		*ret_count = 2;
		if (argv[i][sizeof(flag) - 1] == '\0' && i + 1 < argc)
			return argv[i + 1];
	}
	return NULL;
}

char **preset_expand(int *argc, char **argv)
{
	int at = 0, skipped = 0, count = 0;
	const char *name = name_find(*argc, argv, &at, &skipped);
	if (name == NULL)
		return argv;
	char *command = argv[1];
	chosen.preset = preset_find(name);
	chosen.argv = bench_alloc((size_t)*argc + WORDS_MAX, sizeof(*chosen.argv));
	const char *words = words_of(chosen.preset, &command);
	(void)snprintf(chosen.words, sizeof(chosen.words), "%s", words);
	(void)snprintf(chosen.name, sizeof(chosen.name), "--preset=%s", chosen.preset->name);
	chosen.argv[count++] = argv[0];
	chosen.argv[count++] = command;
	chosen.argv[count++] = chosen.name;
	for (char *word = chosen.words; *word != '\0'; count++) {
		kr_assert(count < WORDS_MAX);
		chosen.argv[count] = word;
		word += strcspn(word, " ");
		if (*word == ' ')
			*word++ = '\0';
	}
	for (int i = 2; i < *argc; i++)
		if (i < at || i >= at + skipped)
			chosen.argv[count++] = argv[i];
	*argc = count;
	return chosen.argv;
}

void preset_finish(
	const struct option_set *set, const struct preset_words *words, const char *command)
{
	kr_assert(set->wrong_count == 0);
	if (words->preset != NULL &&
		(chosen.preset == NULL || strcmp(words->preset, chosen.preset->name) != 0))
		bench_fail(BENCH_USAGE, "write --preset in full, and once");
	if (!words->print)
		return;
	printf("# keyrack-bench %s\n", command);
	options_print(set, stdout);
	exit(fflush(stdout) == 0 ? BENCH_OK : BENCH_ABORTED);
}

int preset_list(int argc, char **argv)
{
	kr_assert(argv != NULL);
	if (argc > 1)
		bench_fail(BENCH_USAGE, "presets takes no words");
	for (size_t i = 0; i < KR_ARRAY_COUNT(presets); i++) {
		const struct preset *preset = &presets[i];
		printf("%-8s %s\n", preset->name, preset->about);
		if (preset->load != NULL)
			printf("  %-6s %s\n", "load", preset->load);
		printf("  %-6s %s\n", preset->command, preset->words);
	}
	puts("\n`keyrack-bench load --preset NAME` makes the hotels, `keyrack-bench run --preset "
	     "NAME` runs it.");
	return BENCH_OK;
}
