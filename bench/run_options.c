#include "bench/run_options.h"

#include <string.h>

#define U32(field) OPTION_U32(struct run_options, field)
#define U64(field) OPTION_U64(struct run_options, field)
#define REAL(field) OPTION_REAL(struct run_options, field)
#define SWITCH(field) OPTION_SWITCH(struct run_options, field)
#define STRING(field) OPTION_STRING(struct run_options, field)
/* Bounds and defaults of REAL rows are in thousandths. */
#define THOUSAND UINT64_C(1000)

static const struct option_row rows[] = {
	BENCH_ROUTER(struct run_options, routers),
	PRESET_ROWS(struct run_options, words),
	{OPTION_NAMED("connections", 'c', "N", "connections"), OPTION_RANGE(64, 1, 5000),
		.heading = "Load:", U32(connections)},
	{OPTION_NAMED("depth", 'd', "N", "operations in flight on each connection"),
		OPTION_RANGE(16, 1, 32768), U32(depth)},
	{OPTION_NAMED("seconds", 't', "S", "measured time"),
		OPTION_RANGE(10 * THOUSAND, 100, 86400 * THOUSAND), REAL(seconds)},
	{OPTION_NAMED("warmup", 0, "S", "time before that, not measured"),
		OPTION_RANGE(2 * THOUSAND, 0, 3600 * THOUSAND), REAL(warmup)},
	{OPTION_NAMED("rate", 'R', "N",
		 "open loop: N operations a second at evenly spaced intended times, from which "
		 "latency counts; 0 is a closed loop"),
		OPTION_RANGE(0, 0, 10000000 * THOUSAND), REAL(rate)},
	{OPTION_NAMED("op", 'o',
		 "book|hold+confirm|cancel|availability|hold+release|stay|get|update",
		 "what is done"),
		.heading = "Work:", OPTION_WORD(struct run_options, op)},
	{OPTION_NAMED(
		 "mix", 'm', "NAME=N,...", "several operations by weight: availability=20,book=1"),
		STRING(mix)},
	{OPTION_NAMED("nights", 0, "N", "nights of a stay"), OPTION_RANGE(3, 1, 365),
		U32(work.stay_nights)},
	{OPTION_NAMED("guests", 0, "N", "guests of a stay"), OPTION_RANGE(2, 1, 1000),
		U32(work.guests)},
	{OPTION_NAMED("count-only", 0, NULL, "sell rooms alone: nights need no price"),
		SWITCH(work.count_only)},
	{OPTION_NAMED("query-nights", 0, "N", "nights of an availability query"),
		OPTION_RANGE(14, 1, 4096), U32(work.query_nights)},
	{OPTION_NAMED("window", 0, "N", "nights from the business day that are sold"),
		OPTION_RANGE(365, 1, 4096), U32(work.window)},
	{OPTION_NAMED("first-night", 0, "N",
		 "the first of them; 1: the business day may turn once meanwhile"),
		OPTION_RANGE(0, 0, 4096), U32(first_night)},
	{OPTION_NAMED("zipf", 0, "THETA", "room types by a Zipf distribution, 0 < THETA < 1"),
		OPTION_RANGE(0, 10, 999), REAL(work.zipf_theta)},
	{OPTION_NAMED("hot", 0, NULL, "one hot hotel: only the first one is sold"), SWITCH(hot)},
	{OPTION_NAMED("burst", 0, "N", "updates of one hotel in a row, on one connection"),
		OPTION_RANGE(1, 1, 1000000), U32(work.burst)},
	{OPTION_NAMED("preload", 0, "N", "bookings made before the warm-up"),
		OPTION_RANGE(0, 0, 100000000), U64(preload)},
	{OPTION_NAMED("seed", 's', "N", "of every draw"), OPTION_RANGE(1, 1, UINT64_MAX),
		U64(work.seed)},
	{OPTION_NAMED("deadline", 0, "S", "of a call"),
		OPTION_RANGE(10 * THOUSAND, 1, 3600 * THOUSAND), REAL(deadline)},
	{OPTION_NAMED("no-retry", 0, NULL, "take the first answer, transient ones too"),
		SWITCH(no_retry)},
	{OPTION_NAMED("journal", 'j', "FILE", "append a line for every answer"),
		.heading = "Report:", STRING(journal)},
	{OPTION_NAMED("series", 0, "FILE", "write a line of CSV for every tenth of a second"),
		STRING(series)},
	{OPTION_NAMED("json", 0, NULL, "print the report as JSON"), SWITCH(json)},
	{OPTION_NAMED("data-dir", 0, "DIR", "name the device and file system of DIR in the report"),
		STRING(data_dir)},
	{OPTION_NAMED("label", 0, "TEXT", "a word for the report"), STRING(label)},
};

/* "availability=20,book=1". False: it is none. */
static bool mix_parse(const char *text, uint32_t weights[WORK_KINDS])
{
	static const struct option_row row = {
		.name = "a weight", .argument = "N", .min = 1, .max = 1000000, .type = &option_u32};
	while (*text != 0) {
		char number[12] = {0};
		struct kr_error_text why;
		uint32_t kind = 0;
		const size_t name = strcspn(text, "=,");
		const size_t length = strcspn(text, ",");
		while (kind < WORK_KINDS && (strlen(work_names[kind]) != name ||
						    memcmp(work_names[kind], text, name) != 0))
			kind++;
		if (kind == WORK_KINDS || name == length || length - name > sizeof(number))
			return false;
		memcpy(number, text + name + 1, length - name - 1);
		if (option_read(&row, number, &weights[kind], &why) != 0)
			return false;
		text += length + (text[length] == ',');
	}
	return true;
}

static void finish(struct option_set *set, void *structure)
{
	struct run_options *o = structure;
	struct work_options *w = &o->work;
	kr_assert(o->op < WORK_KINDS);
	if (o->mix == NULL)
		w->weights[o->op] = 1;
	else if (!mix_parse(o->mix, w->weights))
		options_complain(set, "mix",
			"takes operations and their weights, from 1 to 1000000, such as "
			"availability=20,book=1, not '%s'",
			o->mix);
	/* Bookings that nothing asks for again need no remembering, which costs a cache miss each.
	 */
	if (w->weights[WORK_CANCEL] == 0 && w->weights[WORK_GET] == 0)
		w->booked_max = 0;
	w->spread = o->hot ? SPREAD_HOT : w->zipf_theta > 0 ? SPREAD_ZIPF : SPREAD_UNIFORM;
	o->deadline_us = (uint64_t)(o->deadline * 1e6);
	if (w->stay_nights > w->window || w->query_nights > w->window)
		options_complain(set, "window", "is %u, shorter than a stay or a query", w->window);
	if ((uint64_t)o->connections * o->depth > 1u << 22)
		options_complain(
			set, "depth", "times --connections is over %u in flight", 1u << 22);
}

void run_options_parse(int argc, char **argv, struct run_options *ret)
{
	static const struct option_program program = {
		.name = "keyrack-bench",
		.about = "Puts load on a cluster and measures it; then counts what is sold against "
			 "what was answered.\v"
			 "Latency is counted from the intended start of an operation to its last "
			 "answer. Exit status: 0 done; 1 the counters differ from the answers; 2 "
			 "usage; 3 unreachable; 4 aborted.",
		.table = rows,
		.count = KR_ARRAY_COUNT(rows),
		.structure_size_bytes = sizeof(struct run_options),
		.finish = finish,
	};
	*ret = (struct run_options){.work = {.booked_max = 1u << 20}};
	bench_options_read(&program, argc, argv, ret, &ret->words);
	if (ret->routers == NULL)
		ret->routers = bench_router_default();
	if (ret->label == NULL)
		ret->label = "";
}
