/* keyrack-bench: one program, one subcommand for each thing it does. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/give_way.h"
#include "bench/preset.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *text;
} commands[] = {
	{"run", bench_run, "put load on a cluster, measure it, recount"},
	{"ceiling", bench_ceiling, "the same before a server that decides nothing: its own limit"},
	{"replay", bench_replay, "play a booking trace in file order"},
	{"race", bench_race, "thousands of requests at once for the last rooms"},
	{"expire", bench_expire, "very many holds that end within one second"},
	{"idle", bench_idle, "connections that say nothing"},
	{"load", bench_load, "create a chain of hotels with stock and prices"},
	{"presets", preset_list, "list the sets of options that have a name"},
};

static int usage(FILE *out, int code)
{
	fputs("usage: keyrack-bench COMMAND [OPTION...]\n\n", out);
	for (size_t i = 0; i < KR_ARRAY_COUNT(commands); i++)
		fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].text);
	fputs("\n`keyrack-bench COMMAND --help` lists the options of one.\n", out);
	return code;
}

void bench_options_read(const struct option_program *program, int argc, char **argv,
	void *structure, const struct preset_words *words)
{
	struct option_set set;
	kr_assert(program->environment == NULL);
	options_start(&set, program, argc, argv, structure);
	if (words != NULL)
		preset_finish(&set, words, argv[0]);
	/* Texts are argv's own. */
	options_fini(&set);
}

struct load_options {
	const char *routers;
	struct preset_words words;
	struct bench_load load;
};

#define LOAD_U32(field) OPTION_U32(struct load_options, load.field)
#define LOAD_U64(field) OPTION_U64(struct load_options, load.field)

static const struct option_row load_rows[] = {
	BENCH_ROUTER(struct load_options, routers),
	PRESET_ROWS(struct load_options, words),
	{OPTION_NAMED("hotels", 'H', "N", "hotels"), OPTION_RANGE(1000, 1, 10000000),
		LOAD_U32(hotels)},
	{OPTION_NAMED("first-hotel", 'f', "ID", "id of the first"), OPTION_RANGE(1, 1, UINT64_MAX),
		LOAD_U64(first_hotel)},
	{OPTION_NAMED("types-min", 'm', "N", "room types of a hotel, at least"),
		OPTION_RANGE(4, 1, 1024), LOAD_U32(types_min)},
	{OPTION_NAMED("types-max", 'M', "N", "and at most"), OPTION_RANGE(0, 1, 1024),
		.preset_note = "the same", LOAD_U32(types_max)},
	{OPTION_NAMED("nights", 'n', "N", "nights to price from today"), OPTION_RANGE(731, 1, 4096),
		LOAD_U32(nights)},
	{OPTION_NAMED("physical", 'p', "N", "rooms of a type"), OPTION_RANGE(0, 1, 32767),
		.preset_note = "5 to 64, drawn", LOAD_U32(physical)},
	{OPTION_NAMED("seed", 's', "N", "of every draw"), OPTION_RANGE(1, 1, UINT64_MAX),
		LOAD_U64(seed)},
	{OPTION_NAMED("quiet", 'q', NULL, "say nothing when done"),
		OPTION_SWITCH(struct load_options, load.quiet)},
};

int bench_load(int argc, char **argv)
{
	static const struct option_program program = {
		.name = "keyrack-bench",
		.about = "Creates hotels with room types, stock and prices: 10 % overbooking, "
			 "weekday and weekend prices. Loading again what is there changes nothing "
			 "but versions.",
		.table = load_rows,
		.count = KR_ARRAY_COUNT(load_rows),
		.structure_size_bytes = sizeof(struct load_options),
	};
	struct load_options options = {0};
	struct bench_load *load = &options.load;
	struct bench_fleet fleet;
	bench_options_read(&program, argc, argv, &options, &options.words);
	load->types_max = KR_MAX(load->types_max, load->types_min);
	const struct keyrack_config config = {
		.routers = options.routers != NULL ? options.routers : bench_router_default(),
		.agent = "keyrack-bench " KEYRACK_VERSION,
		.in_flight_max = 256,
		.deadline_us = 60000000,
		.source = 1,
	};
	fleet_open(&fleet, &config, 4);
	chain_load(&fleet, load);
	fleet_close(&fleet);
	return BENCH_OK;
}

int main(int argc, char **argv)
{
	(void)signal(SIGPIPE, SIG_IGN);
	if (argc < 2)
		return usage(stderr, BENCH_USAGE);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)
		return usage(stdout, BENCH_OK);
	if (strcmp(argv[1], "--version") == 0) {
		puts("keyrack-bench " KEYRACK_VERSION);
		return BENCH_OK;
	}
	give_way();
	argv = preset_expand(&argc, argv);
	for (size_t i = 0; i < KR_ARRAY_COUNT(commands); i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	fprintf(stderr, "keyrack-bench: \"%s\" is no command\n", argv[1]);
	return usage(stderr, BENCH_USAGE);
}
