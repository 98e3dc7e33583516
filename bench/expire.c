/*
 * keyrack-bench expire: very many holds whose time is over within the same second. Every one of
 * them must be EXPIRED then and count nowhere, and sales must go on meanwhile.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/hist.h"
#include "base/rng.h"
#include "bench/bench.h"
#include "bench/preset.h"

#define SECOND_US UINT64_C(1000000)
#define POLL_US UINT64_C(20000)
#define PROBES_MAX 4096u /* bookings open at once; one that finds none free starts late */
#define PATIENCE_US (120 * SECOND_US)
#define TRIES_MAX 3u /* asked for so many times as many holds as are wanted */

struct hold {
	struct expire *expire;
	struct keyrack_id id;
	uint32_t row;
	uint32_t night; /* from the business day */
};

/* A booking that is cancelled as soon as it is answered. */
struct probe {
	struct hold hold;
	struct probe *next; /* the next free one */
	uint64_t intended_us;
};

struct expire {
	const char *routers;
	struct preset_words words;
	uint32_t connections, window;
	uint64_t wanted, seed;
	double scale, lead, spread, probe_rate;
	bool json;
	struct bench_fleet fleet;
	struct bench_chain chain;
	struct rng rng;
	struct hold *holds;
	uint32_t hold_count; /* to be made */
	uint32_t *again;     /* a stack: holds that were refused */
	uint32_t again_count;
	uint64_t held, refused, first_deadline_us, last_deadline_us, target_us;
	int64_t baseline;            /* live holds before */
	uint64_t ended[16], unended; /* by state, after */
	double make_seconds;
	uint64_t drain_us; /* from the last deadline to no hold being counted any more */
	struct probe *probes, *free_probe;
	uint64_t probe_start_us, probe_count, busy;
	int64_t live; /* as last told */
	bool is_asking;
	struct hist latencies;
};

#define EXPIRE_U32(field) OPTION_U32(struct expire, field)
#define EXPIRE_REAL(field) OPTION_REAL(struct expire, field)

static const struct option_row expire_rows[] = {
	BENCH_ROUTER(struct expire, routers),
	PRESET_ROWS(struct expire, words),
	{OPTION_NAMED("connections", 'c', "N", "connections"), OPTION_RANGE(64, 1, 5000),
		.heading = "Holds:", EXPIRE_U32(connections)},
	{OPTION_NAMED("holds", 'n', "N", "holds to make"), OPTION_RANGE(450000, 1, 100000000),
		OPTION_U64(struct expire, wanted)},
	{OPTION_NAMED("scale", 0, "FACTOR", "make --holds times this"),
		OPTION_RANGE(1000, 1, 1000000), EXPIRE_REAL(scale)},
	{OPTION_NAMED("lead", 0, "S", "time in which they are made, before the first ends"),
		OPTION_RANGE(30000, 1000, 3600000), EXPIRE_REAL(lead)},
	{OPTION_NAMED("spread", 0, "S", "time within which they end"),
		OPTION_RANGE(900, 0, 3600000), EXPIRE_REAL(spread)},
	{OPTION_NAMED("probes", 0, "N", "bookings a second while they end"),
		OPTION_RANGE(1000000, 1000, 100000000), EXPIRE_REAL(probe_rate)},
	{OPTION_NAMED("window", 0, "N", "nights from the business day that are held"),
		OPTION_RANGE(365, 1, 4096), EXPIRE_U32(window)},
	{OPTION_NAMED("seed", 's', "N", "of every draw"), OPTION_RANGE(1, 1, UINT64_MAX),
		OPTION_U64(struct expire, seed)},
	{OPTION_NAMED("json", 'j', NULL, "print the outcome as JSON"),
		OPTION_SWITCH(struct expire, json)},
};

static uint64_t wall_us(void)
{
	struct timespec now;
	const int r = clock_gettime(CLOCK_REALTIME, &now);
	kr_assert(r == 0);
	return (uint64_t)now.tv_sec * SECOND_US + (uint64_t)now.tv_nsec / 1000;
}

/* ---- making them ---- */

static struct keyrack_line line_draw(struct expire *e, struct hold *hold)
{
	hold->row = (uint32_t)rng_below(&e->rng, e->chain.row_count);
	hold->night = (uint32_t)rng_below(&e->rng, e->chain.nights);
	const struct bench_row *row = &e->chain.rows[hold->row];
	return (struct keyrack_line){
		.type = row->type,
		.check_in_day = row->business_day + (int32_t)hold->night,
		.check_out_day = row->business_day + (int32_t)hold->night + 1,
		.rooms = 1,
		.guests = 2,
		.pricing = KEYRACK_PRICING_NONE,
	};
}

static void on_held(void *user, const union keyrack_answer *answer)
{
	struct hold *hold = user;
	struct expire *e = hold->expire;
	const struct keyrack_reservation_answer *held = &answer->reservation;
	if (held->result.outcome == KEYRACK_RESULT_DONE) {
		e->held++;
		e->first_deadline_us = KR_MIN(e->first_deadline_us, held->expires_at_us);
		e->last_deadline_us = KR_MAX(e->last_deadline_us, held->expires_at_us);
		return;
	}
	if (held->result.outcome != KEYRACK_RESULT_NOT_DONE ||
		held->result.code != KEYRACK_CODE_SOLD_OUT)
		bench_fail(BENCH_ABORTED, "hold: %s", keyrack_code_text(held->result.code));
	if (++e->refused > (uint64_t)e->hold_count * TRIES_MAX)
		bench_fail(BENCH_ABORTED, "too few rooms for %u holds: load more hotels",
			e->hold_count);
	e->again[e->again_count++] = (uint32_t)(hold - e->holds);
}

static void make(struct expire *e, uint32_t index)
{
	struct hold *hold = &e->holds[index];
	struct keyrack_client *client = e->fleet.clients[index % e->fleet.count];
	const uint64_t spread_us = (uint64_t)(e->spread * (double)SECOND_US);
	const uint64_t end_us = e->target_us + (uint64_t)index * spread_us / e->hold_count;
	const struct keyrack_line line = line_draw(e, hold);
	const uint64_t hotel_id = e->chain.rows[hold->row].hotel_id;
	hold->expire = e;
	hold->id = keyrack_id_mint(client, hotel_id);
	for (;;) {
		const uint64_t now_us = wall_us();
		if (now_us + SECOND_US > e->target_us)
			bench_fail(BENCH_ABORTED, "%.1f s are too short to make %u holds: --lead",
				e->lead, e->hold_count);
		const struct keyrack_reserve reserve = {
			.hotel_id = hotel_id,
			.id = hold->id,
			.lines = &line,
			.line_count = 1,
			.ttl_us = end_us - now_us,
		};
		const int r = keyrack_submit_hold(client, &reserve, on_held, hold);
		if (r == 0)
			return;
		if (r < 0)
			bench_fail(BENCH_ABORTED, "hold: %s", strerror(-r));
		fleet_turn(&e->fleet, 1000);
	}
}

static void make_all(struct expire *e)
{
	const uint64_t start_us = bench_now_us();
	e->first_deadline_us = UINT64_MAX;
	e->target_us = wall_us() + (uint64_t)(e->lead * (double)SECOND_US);
	for (uint32_t i = 0; i < e->hold_count; i++) {
		make(e, i);
		bench_progress("holding: %u of %u", i, e->hold_count);
	}
	fleet_drain(&e->fleet);
	while (e->again_count > 0) {
		make(e, e->again[--e->again_count]);
		if (e->again_count == 0)
			fleet_drain(&e->fleet);
	}
	e->make_seconds = (double)(bench_now_us() - start_us) / 1e6;
	kr_assert(e->held == e->hold_count);
}

/* ---- waiting for their end, and selling meanwhile ---- */

static void probe_free(struct expire *e, struct probe *probe)
{
	probe->next = e->free_probe;
	e->free_probe = probe;
}

static void on_probe_cancelled(void *user, const union keyrack_answer *answer)
{
	struct probe *probe = user;
	if (answer->result.outcome != KEYRACK_RESULT_DONE)
		bench_fail(BENCH_ABORTED, "cancel: %s", keyrack_code_text(answer->result.code));
	probe_free(probe->hold.expire, probe);
}

static void on_probe_booked(void *user, const union keyrack_answer *answer)
{
	struct probe *probe = user;
	struct expire *e = probe->hold.expire;
	const struct keyrack_result *result = &answer->result;
	hist_add(&e->latencies, bench_now_us() - probe->intended_us);
	if (result->outcome == KEYRACK_RESULT_DONE) {
		const struct keyrack_transition cancel = {.id = probe->hold.id};
		const int r = keyrack_submit_cancel(
			e->fleet.clients[0], &cancel, on_probe_cancelled, probe);
		if (r != 0)
			bench_fail(BENCH_ABORTED, "cancel: not taken");
		return;
	}
	e->busy += result->code == KEYRACK_CODE_OVERLOADED;
	if (result->code != KEYRACK_CODE_SOLD_OUT && result->code != KEYRACK_CODE_OVERLOADED)
		bench_fail(BENCH_ABORTED, "book: %s", keyrack_code_text(result->code));
	probe_free(e, probe);
}

/* False where the client has no room: it is tried again, and counts from when it was meant. */
static bool probe_start(struct expire *e, struct probe *probe)
{
	struct keyrack_client *client = e->fleet.clients[0];
	struct hold *hold = &probe->hold;
	const struct keyrack_line line = line_draw(e, hold);
	const uint64_t hotel_id = e->chain.rows[hold->row].hotel_id;
	hold->expire = e;
	hold->id = keyrack_id_mint(client, hotel_id);
	const struct keyrack_reserve book = {
		.hotel_id = hotel_id, .id = hold->id, .lines = &line, .line_count = 1};
	const int r = keyrack_submit_book(client, &book, on_probe_booked, probe);
	if (r < 0)
		bench_fail(BENCH_ABORTED, "book: %s", strerror(-r));
	return r == 0;
}

/* Starts what is meant to have begun by now; returns when the next one is. */
static uint64_t probes_start(struct expire *e, uint64_t now_us)
{
	for (;;) {
		const double offset_us = (double)e->probe_count * 1e6 / e->probe_rate;
		const uint64_t intended_us = e->probe_start_us + (uint64_t)offset_us;
		struct probe *probe = e->free_probe;
		if (intended_us > now_us)
			return intended_us;
		if (probe == NULL)
			return now_us + 1000;
		probe->intended_us = intended_us;
		if (!probe_start(e, probe))
			return now_us + 1000;
		e->free_probe = probe->next;
		e->probe_count++;
	}
}

static void on_stats(void *user, const union keyrack_answer *answer)
{
	struct expire *e = user;
	const struct keyrack_stats_answer *stats = &answer->stats;
	if (answer->result.outcome != KEYRACK_RESULT_DONE)
		bench_fail(BENCH_UNREACHABLE, "the shards do not tell how many holds there are");
	e->is_asking = false;
	for (uint32_t i = 0; i < stats->total_count; i++)
		if (strcmp(stats->totals[i].name, "holds") == 0) {
			e->live = stats->totals[i].value;
			return;
		}
	bench_fail(BENCH_ABORTED, "the shards count no holds");
}

/* On a connection of its own, so that nothing waits for it. */
static void ask_live(struct expire *e)
{
	const struct keyrack_stats stats = {.shard = KEYRACK_ALL_SHARDS};
	kr_assert(!e->is_asking);
	e->is_asking = true;
	if (keyrack_submit_stats(e->fleet.clients[e->fleet.count - 1], &stats, on_stats, e) != 0)
		bench_fail(BENCH_ABORTED, "the question for statistics was not taken");
}

static void probes_make(struct expire *e)
{
	e->probes = bench_alloc(PROBES_MAX, sizeof(*e->probes));
	for (uint32_t i = 0; i < PROBES_MAX; i++)
		probe_free(e, &e->probes[i]);
	hist_init(&e->latencies);
}

static void wait_until_due(struct expire *e)
{
	for (uint64_t now_us; (now_us = wall_us()) < e->first_deadline_us;) {
		bench_progress("waiting for the deadlines");
		fleet_turn(&e->fleet, (int64_t)KR_MIN(e->first_deadline_us - now_us, SECOND_US));
	}
}

static void wait_for_end(struct expire *e)
{
	uint64_t ask_us = 0;
	probes_make(e);
	wait_until_due(e);
	e->probe_start_us = bench_now_us();
	e->live = INT64_MAX;
	for (;;) {
		const uint64_t now_us = bench_now_us();
		const uint64_t next_us = probes_start(e, now_us);
		fleet_turn(&e->fleet, (int64_t)KR_MIN(next_us - now_us, POLL_US));
		if (wall_us() < e->last_deadline_us || e->is_asking)
			continue;
		if (ask_us != 0 && e->live <= e->baseline)
			break;
		if (wall_us() > e->last_deadline_us + PATIENCE_US)
			bench_fail(BENCH_DIFFERS, "holds are still counted %u s after their end",
				(unsigned)(PATIENCE_US / SECOND_US));
		if (bench_now_us() >= ask_us + POLL_US) {
			ask_us = bench_now_us();
			ask_live(e);
		}
	}
	e->drain_us = wall_us() - e->last_deadline_us;
	fleet_drain(&e->fleet);
	free(e->probes);
}

/* ---- what became of them ---- */

static void on_got(void *user, const union keyrack_answer *answer)
{
	struct expire *e = user;
	const uint32_t state = answer->reservation_get.reservation.state;
	if (answer->result.outcome != KEYRACK_RESULT_DONE)
		e->unended++;
	else
		e->ended[KR_MIN(state, KR_ARRAY_COUNT(e->ended) - 1)]++;
}

static void ask_all(struct expire *e)
{
	for (uint32_t i = 0; i < e->hold_count; i++) {
		const struct keyrack_reservation_get get = {.id = e->holds[i].id};
		struct keyrack_client *client = e->fleet.clients[i % e->fleet.count];
		int r;
		while ((r = keyrack_submit_reservation_get(client, &get, on_got, e)) ==
			KEYRACK_WOULD_BLOCK)
			fleet_turn(&e->fleet, 10000);
		if (r < 0)
			bench_fail(BENCH_ABORTED, "reservation get: %s", strerror(-r));
		bench_progress("asking: %u of %u", i, e->hold_count);
	}
	fleet_drain(&e->fleet);
}

static void print_outcome(const struct expire *e, uint64_t differences)
{
	const uint64_t expired = e->ended[KEYRACK_STATE_EXPIRED];
	const uint64_t span_us = e->last_deadline_us - e->first_deadline_us;
	if (e->json) {
		json_t *json = json_pack(
			"{s:s, s:i, s:I, s:I, s:f, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
			"preset", e->words.preset != NULL ? e->words.preset : "", "holds",
			(int)e->hold_count, "expired", (json_int_t)expired, "refused",
			(json_int_t)e->refused, "make_seconds", e->make_seconds,
			"deadlines_span_us", (json_int_t)span_us, "drain_us",
			(json_int_t)e->drain_us, "probes", (json_int_t)e->latencies.count, "busy",
			(json_int_t)e->busy, "probe_p50_us",
			(json_int_t)hist_percentile(&e->latencies, 500000), "probe_p99_us",
			(json_int_t)hist_percentile(&e->latencies, 990000), "probe_max_us",
			(json_int_t)hist_percentile(&e->latencies, 1000000), "differences",
			(json_int_t)differences);
		json_dumpf(json, stdout, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
		putchar('\n');
		json_decref(json);
		return;
	}
	printf("%u holds made in %.1f s, their deadlines within %.3f s: %" PRIu64
	       " are EXPIRED, the last not later than %.1f ms behind its deadline\n",
		e->hold_count, e->make_seconds, (double)span_us / 1e6, expired,
		(double)e->drain_us / 1000);
	printf("  %" PRIu64 " bookings meanwhile, %.0f a second, %" PRIu64
	       " told that the shard is busy: p50 %.3f, p99 %.3f, max %.3f ms; recount: %s\n",
		e->latencies.count, e->probe_rate, e->busy,
		(double)hist_percentile(&e->latencies, 500000) / 1000,
		(double)hist_percentile(&e->latencies, 990000) / 1000,
		(double)hist_percentile(&e->latencies, 1000000) / 1000,
		differences == 0 ? "no night counts any of them" : "NIGHTS DIFFER");
}

static void open_all(struct expire *e)
{
	const struct keyrack_config config = {
		.routers = e->routers != NULL ? e->routers : bench_router_default(),
		.agent = "keyrack-bench " KEYRACK_VERSION,
		.in_flight_max = 256,
		.deadline_us = 60 * SECOND_US,
		.source = 1,
	};
	rng_init(&e->rng, e->seed);
	fleet_open(&e->fleet, &config, e->connections);
	chain_discover(&e->chain, &e->fleet);
	if (e->window > e->chain.rows[0].window_nights)
		bench_fail(BENCH_USAGE, "--window %u is more than the cluster's %u nights",
			e->window, e->chain.rows[0].window_nights);
	e->chain.nights = e->window;
	e->chain.expected = bench_alloc(
		(size_t)e->chain.row_count * e->chain.nights, sizeof(*e->chain.expected));
	chain_count(&e->chain, &e->fleet, e->chain.expected);
	ask_live(e);
	fleet_drain(&e->fleet);
	e->baseline = e->live;
	e->hold_count = (uint32_t)KR_MAX(1.0, (double)e->wanted * e->scale);
	e->holds = bench_alloc(e->hold_count, sizeof(*e->holds));
	e->again = bench_alloc(e->hold_count, sizeof(*e->again));
}

int bench_expire(int argc, char **argv)
{
	static const struct option_program program = {
		.name = "keyrack-bench",
		.about = "Very many holds whose time is over within one second: every one of them "
			 "is EXPIRED then and counts nowhere; bookings go on meanwhile.",
		.table = expire_rows,
		.count = KR_ARRAY_COUNT(expire_rows),
		.structure_size_bytes = sizeof(struct expire),
	};
	static struct expire expire;
	struct expire *e = &expire;
	bench_options_read(&program, argc, argv, e, &e->words);
	open_all(e);
	make_all(e);
	wait_for_end(e);
	ask_all(e);
	const uint64_t differences = chain_recount(&e->chain, &e->fleet);
	bench_progress_end();
	print_outcome(e, differences);
	const bool is_right = differences == 0 && e->ended[KEYRACK_STATE_EXPIRED] == e->hold_count;
	chain_free(&e->chain);
	fleet_close(&e->fleet);
	free(e->holds);
	free(e->again);
	return is_right ? BENCH_OK : BENCH_DIFFERS;
}
