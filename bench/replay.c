/*
 * keyrack-bench replay: plays a booking trace in file order through one connection, pipelined, and
 * prints what became of it; the final cells are read back from the engine.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/outcome.h"
#include "bench/bench.h"
#include "bench/trace.h"

#define QUERY_NIGHTS 512u

enum booking_state {
	BOOKING_NONE,
	BOOKING_SENT,
	BOOKING_REFUSED,
	BOOKING_CONFIRMED,
	BOOKING_CANCELLED
};

struct booking {
	uint64_t number;
	struct keyrack_id id;
	enum booking_state state;
};

struct replay {
	const char *routers, *trace_path, *capacity_path;
	uint32_t depth;
	uint64_t deadline_us;
	bool json, keep_up;
	struct bench_fleet fleet;
	struct trace trace;
	int32_t shift_days;
	struct booking *bookings; /* open addressing by number */
	uint32_t booking_mask;
	uint64_t refused, skipped, confirmed, released, frames;
	double seconds;
};

static const struct option_row replay_rows[] = {
	BENCH_ROUTER(struct replay, routers),
	{OPTION_NAMED("trace", 't', "FILE", "operations, CSV, .gz allowed"),
		.needed = "the operations to play", OPTION_STRING(struct replay, trace_path)},
	{OPTION_NAMED("capacity", 'c', "FILE", "rooms per room type, CSV"),
		.needed = "the rooms there are", OPTION_STRING(struct replay, capacity_path)},
	{OPTION_NAMED("depth", 'd', "N", "frames in flight"), OPTION_RANGE(256, 1, 32768),
		OPTION_U32(struct replay, depth)},
	{OPTION_NAMED("deadline", 'D', "SECONDS", "of a call"), OPTION_RANGE(60, 1, 3600),
		.unit = 1000000, OPTION_U64(struct replay, deadline_us)},
	{OPTION_NAMED("json", 'j', NULL, "print the outcome as JSON"),
		OPTION_SWITCH(struct replay, json)},
};

/* ---- bookings by number ---- */

static struct booking *booking_of(struct replay *r, uint64_t number)
{
	uint32_t at = (uint32_t)(number * UINT64_C(0x9e3779b97f4a7c15) >> 32) & r->booking_mask;
	while (r->bookings[at].state != BOOKING_NONE && r->bookings[at].number != number)
		at = (at + 1) & r->booking_mask;
	r->bookings[at].number = number;
	return &r->bookings[at];
}

static void bookings_init(struct replay *r)
{
	uint32_t size = 1024;
	while (size < r->trace.op_count * 2)
		size *= 2;
	r->bookings = bench_alloc(size, sizeof(*r->bookings));
	r->booking_mask = size - 1;
}

/* ---- answers ---- */

/* A TRANSIENT answer in a pipeline has lost its place in the order: the outcome means nothing. */
static void check(const struct replay *r, const struct keyrack_result *result, const char *what)
{
	if (result->outcome == KEYRACK_RESULT_UNKNOWN || result->code >= 64) {
		if (r->depth > 1 || result->outcome == KEYRACK_RESULT_UNKNOWN ||
			result->code >= 1000)
			bench_fail(result->code == KEYRACK_CODE_UNREACHABLE ? BENCH_UNREACHABLE
									    : BENCH_ABORTED,
				"%s: %s (%s); the replay is aborted", what,
				keyrack_code_name(result->code), keyrack_code_text(result->code));
	}
}

static struct replay *the_replay; /* callbacks are given the booking */

static void on_held(void *user, const union keyrack_answer *answer)
{
	struct booking *booking = user;
	check(the_replay, &answer->result, "hold");
	if (answer->result.outcome == KEYRACK_RESULT_DONE)
		return;
	booking->state = BOOKING_REFUSED;
	the_replay->refused++;
}

static void on_confirmed(void *user, const union keyrack_answer *answer)
{
	struct booking *booking = user;
	check(the_replay, &answer->result, "confirm");
	if (answer->result.outcome == KEYRACK_RESULT_DONE) {
		booking->state = BOOKING_CONFIRMED;
		the_replay->confirmed++;
	} else if (answer->result.code == KEYRACK_CODE_NOT_FOUND) {
		the_replay->skipped++;
	} else {
		bench_fail(BENCH_ABORTED, "confirm of booking %" PRIu64 ": %s", booking->number,
			keyrack_code_name(answer->result.code));
	}
}

static void on_cancelled(void *user, const union keyrack_answer *answer)
{
	struct booking *booking = user;
	check(the_replay, &answer->result, "cancel");
	if (answer->result.outcome == KEYRACK_RESULT_DONE) {
		booking->state = BOOKING_CANCELLED;
		the_replay->released++;
	} else if (answer->result.code == KEYRACK_CODE_NOT_FOUND) {
		the_replay->skipped++;
	} else {
		bench_fail(BENCH_ABORTED, "cancel of booking %" PRIu64 ": %s", booking->number,
			keyrack_code_name(answer->result.code));
	}
}

/* ---- playing ---- */

static void must(int r, const char *what)
{
	if (r != 0)
		bench_fail(BENCH_ABORTED, "%s: %s", what, r < 0 ? strerror(-r) : "no room");
}

static void make_room(struct replay *r)
{
	while (keyrack_client_open(r->fleet.clients[0]) >= r->depth ||
		keyrack_client_room(r->fleet.clients[0]) == 0)
		fleet_turn(&r->fleet, 100000);
	r->frames++;
}

static uint32_t price_runs(const struct trace_op *op, struct keyrack_price_run *runs)
{
	struct trace_run split[TRACE_RUNS_MAX];
	const uint32_t count = trace_price_runs(op, split);
	for (uint32_t i = 0; i < count; i++)
		runs[i] = (struct keyrack_price_run){split[i].nights, split[i].price_minor};
	return count;
}

static void play_book(struct replay *r, const struct trace_op *op)
{
	struct keyrack_client *client = r->fleet.clients[0];
	struct booking *booking = booking_of(r, op->booking);
	struct keyrack_price_run runs[TRACE_RUNS_MAX];
	if (booking->state != BOOKING_NONE)
		bench_fail(BENCH_USAGE, "booking %" PRIu64 " comes twice", op->booking);
	booking->state = BOOKING_SENT;
	booking->id = keyrack_id_mint(client, op->hotel);
	const struct keyrack_line line = {
		.type = op->type,
		.check_in_day = op->check_in + r->shift_days,
		.check_out_day = op->check_in + r->shift_days + op->nights,
		.rooms = op->rooms,
		.guests = op->guests,
		.pricing = KEYRACK_PRICING_CALLER,
		.runs = runs,
		.run_count = price_runs(op, runs),
	};
	const struct keyrack_reserve hold = {
		.hotel_id = op->hotel, .id = booking->id, .lines = &line, .line_count = 1};
	const struct keyrack_transition confirm = {.id = booking->id};
	make_room(r);
	must(keyrack_submit_hold(client, &hold, on_held, booking), "hold");
	make_room(r);
	must(keyrack_submit_confirm(client, &confirm, on_confirmed, booking), "confirm");
}

static void play_cancel(struct replay *r, const struct trace_op *op)
{
	struct booking *booking = booking_of(r, op->booking);
	if (booking->state == BOOKING_NONE)
		bench_fail(BENCH_USAGE, "booking %" PRIu64 " is cancelled before it comes",
			op->booking);
	const struct keyrack_transition cancel = {.id = booking->id};
	make_room(r);
	must(keyrack_submit_cancel(r->fleet.clients[0], &cancel, on_cancelled, booking), "cancel");
}

static void play(struct replay *r)
{
	const uint64_t start = bench_now_us();
	for (uint32_t i = 0; i < r->trace.op_count; i++) {
		const struct trace_op *op = &r->trace.ops[i];
		if (op->is_cancel)
			play_cancel(r, op);
		else
			play_book(r, op);
		bench_progress("playing: %u of %u operations", i, r->trace.op_count);
	}
	fleet_drain(&r->fleet);
	bench_progress_end();
	r->seconds = (double)(bench_now_us() - start) / 1e6;
}

/* ---- loading ---- */

static void expect(int outcome, const struct keyrack_result *result, const char *what)
{
	char why[512] = "";
	if (outcome == KEYRACK_RESULT_DONE)
		return;
	if (outcome < 0)
		bench_fail(BENCH_ABORTED, "%s: %s", what, strerror(-outcome));
	if (result->refusal != NULL)
		(void)keyrack_refusal_format(result->refusal, why, sizeof(why));
	bench_fail(result->code == KEYRACK_CODE_UNREACHABLE ? BENCH_UNREACHABLE : BENCH_ABORTED,
		"%s: %s %s", what, keyrack_code_name(result->code), why);
}

static void load(struct replay *r)
{
	struct keyrack_client *client = r->fleet.clients[0];
	struct keyrack_hotel_answer hotel;
	struct keyrack_type_answer type;
	int32_t today = INT32_MIN;
	for (uint32_t i = 0; i < r->trace.type_count; i++) {
		const struct trace_type *t = &r->trace.types[i];
		const struct keyrack_hotel_put put_hotel = {
			.hotel_id = t->hotel,
			.mask = KEYRACK_HOTEL_ZONE | KEYRACK_HOTEL_CURRENCY,
			.settings = {.zone = "Europe/Lisbon", .currency = "EUR"},
		};
		const struct keyrack_type_put put_type = {
			.hotel_id = t->hotel,
			.type = i,
			.mask = KEYRACK_TYPE_CODE | KEYRACK_TYPE_PHYSICAL,
			.settings = {.code = t->code, .physical = t->rooms},
		};
		expect(keyrack_hotel_put(client, &put_hotel, &hotel), &hotel.result, "hotel put");
		if (hotel.hotel.business_day > today)
			today = hotel.hotel.business_day;
		const uint32_t nights = hotel.hotel.window_nights;
		if (r->trace.last_day - r->trace.first_day + 3 > (int32_t)nights)
			bench_fail(BENCH_USAGE,
				"the stays span %d nights, the cluster's window is %u: start it "
				"with "
				"--nights %d",
				r->trace.last_day - r->trace.first_day + 1, nights,
				r->trace.last_day - r->trace.first_day + 3);
		expect(keyrack_type_put(client, &put_type, &type), &type.result, "type put");
	}
	r->shift_days = today + 1 - r->trace.first_day;
}

/* ---- the outcome ---- */

static void add_refused(const struct replay *r, struct outcome *outcome)
{
	for (uint32_t i = 0; i <= r->booking_mask; i++)
		if (r->bookings[i].state == BOOKING_REFUSED)
			outcome_refused_add(outcome, r->bookings[i].number);
	kr_assert(outcome->refused_count == r->refused);
}

/* Read back from the engine; dates as in the source. */
static void read_cells(struct replay *r, struct outcome *outcome)
{
	struct keyrack_availability_answer answer;
	for (uint32_t t = 0; t < r->trace.type_count; t++)
		for (int32_t day = r->trace.first_day; day <= r->trace.last_day;
			day += QUERY_NIGHTS) {
			const uint32_t left = (uint32_t)(r->trace.last_day - day + 1);
			const struct keyrack_availability query = {
				.hotel_id = r->trace.types[t].hotel,
				.types = &t,
				.type_count = 1,
				.first_day = day + r->shift_days,
				.night_count = KR_MIN(left, QUERY_NIGHTS),
			};
			expect(keyrack_availability(r->fleet.clients[0], &query, &answer),
				&answer.result, "availability");
			for (uint32_t n = 0; n < answer.night_count; n++) {
				const struct keyrack_night night =
					keyrack_availability_night(&answer, 0, n);
				outcome_cell_add(outcome, r->trace.types[t].code, day + (int32_t)n,
					night.booked);
			}
		}
}

static void print_outcome(struct replay *r)
{
	char refused_ids[OUTCOME_HEX_SIZE], final_cells[OUTCOME_HEX_SIZE];
	struct outcome outcome = {0};
	add_refused(r, &outcome);
	read_cells(r, &outcome);
	outcome_hash(&outcome, refused_ids, final_cells);
	outcome_fini(&outcome);
	const uint64_t at_end = r->confirmed - r->released;
	if (r->json) {
		json_t *json = json_pack("{s:I, s:I, s:I, s:I, s:s, s:s, s:I, s:i, s:f, s:i}",
			"refused", (json_int_t)r->refused, "released", (json_int_t)r->released,
			"booked_at_end", (json_int_t)at_end, "skipped", (json_int_t)r->skipped,
			"refused_ids_sha256", refused_ids, "final_cells_sha256", final_cells,
			"frames", (json_int_t)r->frames, "depth", (int)r->depth, "seconds",
			r->seconds, "shift_days", (int)r->shift_days);
		json_dumpf(json, stdout, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
		putchar('\n');
		json_decref(json);
		return;
	}
	printf("played %u operations as %" PRIu64 " frames in %.2f s, %u in flight\n"
	       "refused             %" PRIu64 "\n"
	       "released            %" PRIu64 "\n"
	       "booked at end       %" PRIu64 "\n"
	       "skipped             %" PRIu64 "\n"
	       "refused ids sha256  %s\n"
	       "final cells sha256  %s\n",
		r->trace.op_count, r->frames, r->seconds, r->depth, r->refused, r->released, at_end,
		r->skipped, refused_ids, final_cells);
}

int bench_replay(int argc, char **argv)
{
	static const struct option_program program = {
		.name = "keyrack-bench",
		.about = "Plays a booking trace in file order, pipelined, and prints what became "
			 "of it.",
		.table = replay_rows,
		.count = KR_ARRAY_COUNT(replay_rows),
		.structure_size_bytes = sizeof(struct replay),
	};
	static struct replay replay;
	struct kr_error_text why = {0};
	struct replay *r = &replay;
	the_replay = r;
	bench_options_read(&program, argc, argv, r, NULL);
	if (trace_read(&r->trace, r->trace_path, r->capacity_path, &why) != 0)
		bench_fail(BENCH_USAGE, "%s", why.bytes);
	bookings_init(r);
	const struct keyrack_config config = {
		.routers = r->routers != NULL ? r->routers : bench_router_default(),
		.agent = "keyrack-bench " KEYRACK_VERSION,
		.in_flight_max = KR_MAX(r->depth, 64),
		.deadline_us = r->deadline_us,
		.no_retry = r->depth > 1,
		.source = 1,
	};
	fleet_open(&r->fleet, &config, 1);
	load(r);
	play(r);
	print_outcome(r);
	trace_free(&r->trace);
	free(r->bookings);
	fleet_close(&r->fleet);
	return BENCH_OK;
}
