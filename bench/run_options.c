#include "bench/run_options.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	KEY_ROUTER = 'r',
	KEY_CONNECTIONS = 'c',
	KEY_DEPTH = 'd',
	KEY_SECONDS = 't',
	KEY_RATE = 'R',
	KEY_OP = 'o',
	KEY_MIX = 'm',
	KEY_SEED = 's',
	KEY_JOURNAL = 'j',
	KEY_WARMUP = 0x100,
	KEY_JSON,
	KEY_HOT,
	KEY_ZIPF,
	KEY_NIGHTS,
	KEY_QUERY_NIGHTS,
	KEY_WINDOW,
	KEY_PRELOAD,
	KEY_DATA_DIR,
	KEY_LABEL,
	KEY_DEADLINE,
	KEY_NO_RETRY,
};

static const struct argp_option options[] = {
	{"router", KEY_ROUTER, "ADDR[,ADDR]", 0, "where the routers listen (127.0.0.1:7070)", 1},
	{"connections", KEY_CONNECTIONS, "N", 0, "connections (64)", 1},
	{"depth", KEY_DEPTH, "N", 0, "operations in flight on each connection (16)", 1},
	{"seconds", KEY_SECONDS, "S", 0, "measured time (10)", 1},
	{"warmup", KEY_WARMUP, "S", 0, "time before that, not measured (2)", 1},
	{"rate", KEY_RATE, "N", 0,
		"open loop: N operations a second at evenly spaced intended times, from which "
		"latency counts; 0, the default, is a closed loop",
		1},
	{"op", KEY_OP, "NAME", 0, "book (default), hold+confirm, cancel or availability", 2},
	{"mix", KEY_MIX, "NAME=N,...", 0, "several operations by weight: availability=20,book=1",
		2},
	{"nights", KEY_NIGHTS, "N", 0, "nights of a stay (3)", 2},
	{"query-nights", KEY_QUERY_NIGHTS, "N", 0, "nights of an availability query (14)", 2},
	{"window", KEY_WINDOW, "N", 0, "nights from the business day that are sold (365)", 2},
	{"zipf", KEY_ZIPF, "THETA", 0, "room types by a Zipf distribution, 0 < THETA < 1", 2},
	{"hot", KEY_HOT, NULL, 0, "one hot hotel: only the first one is sold", 2},
	{"preload", KEY_PRELOAD, "N", 0, "bookings made before the warm-up", 2},
	{"seed", KEY_SEED, "N", 0, "of every draw (1)", 2},
	{"deadline", KEY_DEADLINE, "S", 0, "of a call (10)", 2},
	{"no-retry", KEY_NO_RETRY, NULL, 0, "take the first answer, transient ones too", 2},
	{"journal", KEY_JOURNAL, "FILE", 0, "append a line for every answer", 3},
	{"json", KEY_JSON, NULL, 0, "print the report as JSON", 3},
	{"data-dir", KEY_DATA_DIR, "DIR", 0, "name the device and file system of DIR in the report",
		3},
	{"label", KEY_LABEL, "TEXT", 0, "a word for the report", 3},
	{0},
};

uint64_t option_number(const char *option, const char *text, uint64_t first, uint64_t last)
{
	char *end;
	errno = 0;
	const uint64_t value = strtoull(text, &end, 10);
	if (errno != 0 || end == text || *end != 0 || *text == '-' || value < first || value > last)
		bench_fail(BENCH_USAGE, "%s %s: a whole number from %llu to %llu is meant", option,
			text, (unsigned long long)first, (unsigned long long)last);
	return value;
}

static double option_real(const char *option, const char *text, double first, double last)
{
	char *end;
	const double value = strtod(text, &end);
	if (end == text || *end != 0 || !(value >= first && value <= last))
		bench_fail(BENCH_USAGE, "%s %s: a number from %g to %g is meant", option, text,
			first, last);
	return value;
}

static enum work_kind kind_of(const char *name, size_t length)
{
	for (int i = 0; i < WORK_KINDS; i++)
		if (strlen(work_names[i]) == length && strncmp(work_names[i], name, length) == 0)
			return (enum work_kind)i;
	bench_fail(BENCH_USAGE,
		"\"%.*s\" is no operation; there are book, hold+confirm, cancel and availability",
		(int)length, name);
}

static void mix_parse(const char *text, uint32_t weights[WORK_KINDS])
{
	memset(weights, 0, WORK_KINDS * sizeof(weights[0]));
	while (*text != 0) {
		char number[12];
		const size_t length = strcspn(text, "=,");
		const enum work_kind kind = kind_of(text, length);
		if (text[length] != '=')
			bench_fail(BENCH_USAGE, "--mix: a weight is missing after \"%.*s\"",
				(int)length, text);
		text += length + 1;
		const size_t digits = strcspn(text, ",");
		if (digits == 0 || digits >= sizeof(number))
			bench_fail(BENCH_USAGE, "--mix: a weight from 1 to 1000000 is meant");
		memcpy(number, text, digits);
		number[digits] = 0;
		weights[kind] = (uint32_t)option_number("--mix", number, 1, 1000000);
		text += digits + (text[digits] == ',');
	}
}

static void work_option(int key, const char *arg, struct work_options *w)
{
	switch (key) {
	case KEY_OP:
		memset(w->weights, 0, sizeof(w->weights));
		w->weights[kind_of(arg, strlen(arg))] = 1;
		break;
	case KEY_MIX:
		mix_parse(arg, w->weights);
		break;
	case KEY_NIGHTS:
		w->stay_nights = (uint32_t)option_number("--nights", arg, 1, 365);
		break;
	case KEY_QUERY_NIGHTS:
		w->query_nights = (uint32_t)option_number("--query-nights", arg, 1, 4096);
		break;
	case KEY_WINDOW:
		w->window = (uint32_t)option_number("--window", arg, 1, 4096);
		break;
	case KEY_ZIPF:
		w->zipf_theta = option_real("--zipf", arg, 0.01, 0.999);
		w->spread = SPREAD_ZIPF;
		break;
	case KEY_HOT:
		w->spread = SPREAD_HOT;
		break;
	case KEY_SEED:
		w->seed = option_number("--seed", arg, 1, UINT64_MAX);
		break;
	default:
		kr_unreachable();
	}
}

static error_t run_option(int key, char *arg, struct argp_state *state)
{
	struct run_options *o = state->input;
	switch (key) {
	case KEY_ROUTER:
		o->routers = arg;
		break;
	case KEY_JOURNAL:
		o->journal = arg;
		break;
	case KEY_DATA_DIR:
		o->data_dir = arg;
		break;
	case KEY_LABEL:
		o->label = arg;
		break;
	case KEY_JSON:
		o->json = true;
		break;
	case KEY_NO_RETRY:
		o->no_retry = true;
		break;
	case KEY_CONNECTIONS:
		o->connections = (uint32_t)option_number("--connections", arg, 1, 5000);
		break;
	case KEY_DEPTH:
		o->depth = (uint32_t)option_number("--depth", arg, 1, 32768);
		break;
	case KEY_SECONDS:
		o->seconds = option_real("--seconds", arg, 0.1, 86400);
		break;
	case KEY_WARMUP:
		o->warmup = option_real("--warmup", arg, 0, 3600);
		break;
	case KEY_RATE:
		o->rate = option_real("--rate", arg, 0, 1e7);
		break;
	case KEY_PRELOAD:
		o->preload = option_number("--preload", arg, 0, 100000000);
		break;
	case KEY_DEADLINE:
		o->deadline_us = (uint64_t)(option_real("--deadline", arg, 0.001, 3600) * 1e6);
		break;
	case KEY_OP:
	case KEY_MIX:
	case KEY_NIGHTS:
	case KEY_QUERY_NIGHTS:
	case KEY_WINDOW:
	case KEY_ZIPF:
	case KEY_HOT:
	case KEY_SEED:
		work_option(key, arg, &o->work);
		break;
	case ARGP_KEY_ARG:
		argp_error(state, "\"%s\" is not understood here", arg);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

void run_options_parse(int argc, char **argv, struct run_options *ret)
{
	static const struct argp argp = {options, run_option, NULL,
		"Puts load on a cluster and measures it; then counts what is sold against what was "
		"answered.\v"
		"Latency is counted from the intended start of an operation to its last answer. "
		"Exit "
		"status: 0 done; 1 the counters differ from the answers; 2 usage; 3 unreachable; 4 "
		"aborted.",
		NULL, NULL, NULL};
	*ret = (struct run_options){
		.routers = bench_router_default(),
		.label = "",
		.seconds = 10,
		.warmup = 2,
		.connections = 64,
		.depth = 16,
		.deadline_us = 10000000,
		.work = {.weights = {1},
			.zipf_theta = 0.99,
			.stay_nights = 3,
			.query_nights = 14,
			.window = 365,
			.seed = 1,
			.booked_max = 1u << 20},
	};
	argp_err_exit_status = BENCH_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, ret);
	if (ret->work.stay_nights > ret->work.window || ret->work.query_nights > ret->work.window)
		bench_fail(BENCH_USAGE, "--window %u is shorter than a stay or a query",
			ret->work.window);
	if ((uint64_t)ret->connections * ret->depth > 1u << 22)
		bench_fail(BENCH_USAGE, "--connections times --depth is over %u", 1u << 22);
}
