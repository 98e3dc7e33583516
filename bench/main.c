/* keyrack-bench: one program, one subcommand for each thing it does. */
#include <argp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/run_options.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *text;
} commands[] = {
	{"run", bench_run, "put load on a cluster, measure it, recount"},
	{"replay", bench_replay, "play a booking trace in file order"},
	{"race", bench_race, "thousands of requests at once for the last rooms"},
	{"load", bench_load, "create a chain of hotels with stock and prices"},
};

static int usage(FILE *out, int code)
{
	fputs("usage: keyrack-bench COMMAND [OPTION...]\n\n", out);
	for (size_t i = 0; i < KR_ARRAY_COUNT(commands); i++)
		fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].text);
	fputs("\n`keyrack-bench COMMAND --help` lists the options of one.\n", out);
	return code;
}

static error_t load_option(int key, char *arg, struct argp_state *state)
{
	struct bench_load *load = state->input;
	switch (key) {
	case 'H':
		load->hotels = (uint32_t)option_number("--hotels", arg, 1, 10000000);
		break;
	case 'f':
		load->first_hotel = option_number("--first-hotel", arg, 1, UINT64_MAX);
		break;
	case 'm':
		load->types_min = (uint32_t)option_number("--types-min", arg, 1, 1024);
		break;
	case 'M':
		load->types_max = (uint32_t)option_number("--types-max", arg, 1, 1024);
		break;
	case 'n':
		load->nights = (uint32_t)option_number("--nights", arg, 1, 4096);
		break;
	case 'p':
		load->physical = (uint32_t)option_number("--physical", arg, 1, 32767);
		break;
	case 's':
		load->seed = option_number("--seed", arg, 1, UINT64_MAX);
		break;
	case 'q':
		load->quiet = true;
		break;
	case 'r':
		break; /* read by bench_load */
	case ARGP_KEY_ARG:
		argp_error(state, "\"%s\" is not understood here", arg);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const char *router_of(int argc, char **argv)
{
	const char *routers = bench_router_default();
	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], "--router=", 9) == 0)
			routers = argv[i] + 9;
		else if ((strcmp(argv[i], "--router") == 0 || strcmp(argv[i], "-r") == 0) &&
			 i + 1 < argc)
			routers = argv[i + 1];
	}
	return routers;
}

int bench_load(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{"router", 'r', "ADDR[,ADDR]", 0, "where the routers listen (127.0.0.1:7070)", 0},
		{"hotels", 'H', "N", 0, "hotels (1000)", 0},
		{"first-hotel", 'f', "ID", 0, "id of the first (1)", 0},
		{"types-min", 'm', "N", 0, "room types of a hotel, at least (4)", 0},
		{"types-max", 'M', "N", 0, "and at most (the same)", 0},
		{"nights", 'n', "N", 0, "nights to price from today (731)", 0},
		{"physical", 'p', "N", 0, "rooms of a type (5 to 64, drawn)", 0},
		{"seed", 's', "N", 0, "of every draw (1)", 0},
		{"quiet", 'q', NULL, 0, "say nothing when done", 0},
		{0},
	};
	static const struct argp argp = {options, load_option, NULL,
		"Creates hotels with room types, stock and prices: 10 % overbooking, weekday and "
		"weekend prices. Loading again what is there changes nothing but versions.",
		NULL, NULL, NULL};
	struct bench_load load = {
		.hotels = 1000, .first_hotel = 1, .types_min = 4, .nights = 731, .seed = 1};
	struct bench_fleet fleet;
	argp_err_exit_status = BENCH_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, &load);
	load.types_max = KR_MAX(load.types_max, load.types_min);
	const struct keyrack_config config = {
		.routers = router_of(argc, argv),
		.agent = "keyrack-bench " KEYRACK_VERSION,
		.in_flight_max = 256,
		.deadline_us = 60000000,
		.source = 1,
	};
	fleet_open(&fleet, &config, 4);
	chain_load(&fleet, &load);
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
	for (size_t i = 0; i < KR_ARRAY_COUNT(commands); i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	fprintf(stderr, "keyrack-bench: \"%s\" is no command\n", argv[1]);
	return usage(stderr, BENCH_USAGE);
}
