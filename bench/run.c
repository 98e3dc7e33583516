/* keyrack-bench run: closed and open loops over the work, and the recount after them. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/null_server.h"
#include "bench/report.h"

#define DEPTH_OPEN_MAX 4096u /* operations in flight on a connection in an open loop */
/* What the null server is thought to have, which is what `load` makes. */
#define NULL_HOTELS 1000u
#define NULL_TYPES 4u

struct run {
	const struct run_options *options;
	struct bench_fleet fleet;
	struct bench_chain chain;
	struct work work;
	struct work_op *ops;
	struct work_op **free_ops; /* open loop: a stack */
	uint32_t op_count, free_count;
	uint32_t turn_count; /* open loop: each turn has the next connection */
	uint64_t stop_us;    /* closed loop: no operation starts after this */
	uint64_t left; /* closed loop: operations still to start; UINT64_MAX = until stop_us */
	uint64_t late;
};

/* ---- closed loop ---- */

static void start_at(struct work_op *op, uint64_t now)
{
	struct run *run = op->owner;
	if (now >= run->stop_us || run->left == 0)
		return;
	if (run->left != UINT64_MAX)
		run->left--;
	if (!work_start(op, now))
		run->free_ops[run->free_count++] = op;
}

static void start_outside(struct work_op *op)
{
	struct run *run = op->owner;
	start_at(op, bench_now_us());
	fleet_touch(&run->fleet, op->connection);
}

/* Asks no clock: the end of one operation is the beginning of the next. */
static void again(struct work_op *op)
{
	start_at(op, op->ended_us);
}

static void restart_idle(struct run *run)
{
	for (uint32_t left = run->free_count; left > 0; left--)
		start_outside(run->free_ops[--run->free_count]);
}

static void show(struct run *run, const char *what, uint64_t start_us, double seconds)
{
	const uint64_t now = bench_now_us();
	static uint64_t last_us, last_calls;
	if (now - last_us < 500000)
		return;
	const double rate = (double)(run->work.calls - last_calls) * 1e6 / (double)(now - last_us);
	bench_progress("%s: %4.1f of %.0f s, %8.0f calls/s, %" PRIu64 " done, %" PRIu64
		       " refused, %" PRIu64 " unknown",
		what, (double)(now - start_us) / 1e6, seconds, last_us == 0 ? 0 : rate,
		run->work.done, run->work.refused, run->work.unknown);
	last_us = now;
	last_calls = run->work.calls;
}

static void closed_loop(struct run *run, const char *what, double seconds, uint64_t count)
{
	const uint64_t start = bench_now_us();
	run->stop_us = seconds > 0 ? start + (uint64_t)(seconds * 1e6) : UINT64_MAX;
	run->left = count;
	run->free_count = 0;
	for (uint32_t i = 0; i < run->options->connections * run->options->depth; i++) {
		struct work_op *op = &run->ops[i];
		op->connection = i % run->fleet.count;
		op->client = run->fleet.clients[op->connection];
		op->on_end = again;
		start_outside(op);
	}
	while (bench_now_us() < run->stop_us && run->left > 0) {
		fleet_turn(&run->fleet, 10000);
		restart_idle(run);
		journal_tick(run->work.journal);
		show(run, what, start, seconds);
	}
}

/* ---- open loop ---- */

static void give_back(struct work_op *op)
{
	struct run *run = op->owner;
	run->free_ops[run->free_count++] = op;
}

/*
 * Starts what is due, all of a turn on one connection: who finds several waiting sends them
 * together, as a frontend does. An operation that finds no room waits; its latency counts all the
 * same.
 */
static void start_due(
	struct run *run, uint64_t now, double interval_us, uint64_t start_us, uint64_t *started)
{
	const uint32_t connection = run->turn_count++ % run->fleet.count;
	for (;;) {
		const uint64_t intended = start_us + (uint64_t)((double)*started * interval_us);
		if (intended > now || intended >= run->stop_us || run->free_count == 0)
			return;
		struct work_op *op = run->free_ops[run->free_count - 1];
		op->connection = connection;
		op->client = run->fleet.clients[op->connection];
		op->on_end = give_back;
		if (!work_start(op, intended))
			return;
		fleet_touch(&run->fleet, connection);
		run->free_count--;
		run->late += now - intended > 1000;
		(*started)++;
	}
}

static void open_loop(struct run *run, const char *what, double seconds)
{
	const double interval = 1e6 / run->options->rate;
	const uint64_t start = bench_now_us();
	uint64_t started = 0;
	run->stop_us = start + (uint64_t)(seconds * 1e6);
	run->free_count = run->op_count;
	for (uint32_t i = 0; i < run->op_count; i++)
		run->free_ops[i] = &run->ops[i];
	for (uint64_t now = start; now < run->stop_us; now = bench_now_us()) {
		start_due(run, now, interval, start, &started);
		const uint64_t next = start + (uint64_t)((double)started * interval);
		now = bench_now_us();
		fleet_turn(&run->fleet, next > now ? (int64_t)(next - now) : 0);
		journal_tick(run->work.journal);
		show(run, what, start, seconds);
	}
}

/* ---- the whole ---- */

static void loop(struct run *run, const char *what, double seconds)
{
	fleet_tell(&run->fleet, true);
	if (run->options->rate > 0)
		open_loop(run, what, seconds);
	else
		closed_loop(run, what, seconds, UINT64_MAX);
	fleet_tell(&run->fleet, false);
}

static void open_run(struct run *run, struct journal *journal)
{
	const struct run_options *o = run->options;
	const uint32_t depth = o->rate > 0 ? DEPTH_OPEN_MAX : o->depth;
	const struct keyrack_config config = {
		.routers = o->routers,
		.agent = "keyrack-bench " KEYRACK_VERSION,
		.in_flight_max = KR_MAX(depth, 64),
		.deadline_us = o->deadline_us,
		.no_retry = o->no_retry,
		.random_seed = o->work.seed * 1000003,
		.source = 1,
	};
	fleet_open(&run->fleet, &config, o->connections);
	if (o->is_null)
		chain_invent(&run->chain, NULL_HOTELS, NULL_TYPES, o->work.window);
	else
		chain_discover(&run->chain, &run->fleet);
	run->chain.nights = o->work.window;
	if (o->first_night + o->work.window > run->chain.rows[0].window_nights)
		bench_fail(BENCH_USAGE, "--window %u is more than the cluster's %u nights",
			o->first_night + o->work.window, run->chain.rows[0].window_nights);
	for (uint32_t i = 0; i < run->chain.row_count; i++)
		run->chain.rows[i].business_day += (int32_t)o->first_night;
	run->chain.expected = bench_alloc(
		(size_t)run->chain.row_count * run->chain.nights, sizeof(*run->chain.expected));
	if (!o->is_null)
		chain_count(&run->chain, &run->fleet, run->chain.expected);
	work_init(&run->work, &o->work, &run->chain, journal, o->connections);
	run->op_count = KR_MIN(o->connections * depth, UINT32_C(1) << 20);
	run->ops = bench_alloc(run->op_count, sizeof(*run->ops));
	run->free_ops = bench_alloc(run->op_count, sizeof(struct work_op *));
	for (uint32_t i = 0; i < run->op_count; i++) {
		run->ops[i].work = &run->work;
		run->ops[i].owner = run;
	}
}

static void preload(struct run *run)
{
	struct work_options saved = run->work.options;
	const struct work_options only_book = {.weights = {1}};
	memcpy(run->work.options.weights, only_book.weights, sizeof(saved.weights));
	const uint64_t sum = run->work.weight_sum;
	run->work.weight_sum = 1;
	closed_loop(run, "preloading", 0, run->options->preload);
	fleet_drain(&run->fleet);
	run->work.weight_sum = sum;
	run->work.options = saved;
}

static void reset_counts(struct work *work)
{
	work->calls = work->done = work->refused = work->transient = work->unknown = work->stale =
		0;
	memset(work->by_code, 0, sizeof(work->by_code));
}

/* The copies stay for the report: an answer's strings end with the next call. */
static void ask_cluster(struct run *run, char *durability, size_t size, uint32_t *ret_shards)
{
	const struct keyrack_stats stats = {.shard = KEYRACK_ALL_SHARDS};
	struct keyrack_stats_answer answer;
	snprintf(durability, size, "not stated");
	*ret_shards = 0;
	const int r = keyrack_stats(run->fleet.clients[0], &stats, &answer);
	if (r < 0 || answer.shard_count == 0)
		return;
	snprintf(durability, size, "%s", answer.shards[0].durability);
	*ret_shards = answer.shard_count;
}

static void begin_series(struct work *work, const char *path, struct series *series)
{
	FILE *file = fopen(path, "we");
	if (file == NULL)
		bench_fail(BENCH_USAGE, "%s cannot be written: %s", path, strerror(errno));
	series_init(series, file, bench_now_us());
	work->series = series;
}

static void end_series(struct work *work, const char *path)
{
	if (work->series != NULL && !series_fini(work->series))
		bench_fail(BENCH_ABORTED, "%s could not be written", path);
	work->series = NULL;
}

static void measure(struct run *run, struct report *report)
{
	static struct series series;
	const uint64_t start = bench_now_us();
	const clock_t cpu = clock();
	reset_counts(&run->work);
	if (run->options->series != NULL)
		begin_series(&run->work, run->options->series, &series);
	run->work.is_measuring = true;
	loop(run, "measuring", run->options->seconds);
	report->seconds = (double)(bench_now_us() - start) / 1e6;
	report->cpu_seconds = (double)(clock() - cpu) / CLOCKS_PER_SEC;
	/* Open loop: what was intended in time counts, however late it is answered. */
	if (run->options->rate == 0)
		run->work.is_measuring = false;
	fleet_drain(&run->fleet);
	run->work.is_measuring = false;
	end_series(&run->work, run->options->series);
	report->late = run->late;
}

static int run_all(const struct run_options *options)
{
	static struct run run;
	char durability[64] = "none";
	run.options = options;
	struct journal *journal = options->journal == NULL ? NULL : journal_open(options->journal);
	open_run(&run, journal);
	struct report report = {.options = options, .work = &run.work, .durability = durability};
	if (options->preload > 0)
		preload(&run);
	if (options->warmup > 0) {
		loop(&run, "warming up", options->warmup);
		fleet_drain(&run.fleet);
	}
	measure(&run, &report);
	bench_progress_end();
	if (!options->is_null) {
		work_resolve(&run.work, &run.fleet);
		report.differences = chain_recount(&run.chain, &run.fleet);
		ask_cluster(&run, durability, sizeof(durability), &report.shards);
	}
	report_print(&report);
	(void)journal_close(journal);
	work_fini(&run.work);
	chain_free(&run.chain);
	fleet_close(&run.fleet);
	free(run.ops);
	free(run.free_ops);
	return report.differences == 0 ? BENCH_OK : BENCH_DIFFERS;
}

int bench_run(int argc, char **argv)
{
	struct run_options options;
	run_options_parse(argc, argv, &options);
	return run_all(&options);
}

int bench_ceiling(int argc, char **argv)
{
	struct run_options options;
	char address[NULL_SERVER_ADDRESS_SIZE];
	run_options_parse(argc, argv, &options);
	const uint32_t *weights = options.work.weights;
	for (int i = 0; i < WORK_KINDS; i++)
		if (weights[i] != 0 && i != WORK_BOOK && i != WORK_AVAILABILITY)
			bench_fail(BENCH_USAGE,
				"the null server knows book and availability, not %s",
				work_names[i]);
	null_server_start(options.work.query_nights, address);
	options.routers = address;
	options.is_null = true;
	return run_all(&options);
}
