/*
 * A real booking trace with changes in the place of cancel-and-rebook: where a cancellation is
 * followed by a booking, the one booking is modified into the other, in one operation. A naive
 * count of rooms beside the engine says before each operation what must become of it, and every
 * room is where it says, in the end and on the way; the log replayed gives the same state.
 *
 *   test_resort DATA      exit status 0, 1 on a difference, 77 there is no such data
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/tz_load.h"
#include "bench/trace.h"
#include "tests/property/world.h"

#define SKIPPED 77
#define HOTEL UINT64_C(1)
#define WINDOW 1024
#define COMPARE_EVERY 2000

struct guest {
	struct kr_id id;
	uint32_t revision;
	const struct trace_op *stay; /* as it is now; NULL: none */
};

struct resort {
	struct trace trace;
	struct side side;
	struct rng rng;
	struct inv_now now;
	int32_t today, shift;
	struct guest *guests; /* by booking number */
	uint64_t guest_count;
	int booked[TRACE_TYPES_MAX][WINDOW];
	uint64_t sold, refused, cancelled, modified, unchanged;
};

/* ---- the naive count ---- */

static void count(struct resort *r, const struct trace_op *op, int sign)
{
	for (int n = 0; n < op->nights; n++)
		r->booked[op->type][op->check_in + r->shift - r->today + n] += sign * op->rooms;
}

static bool fits(const struct resort *r, const struct trace_op *op)
{
	for (int n = 0; n < op->nights; n++)
		if (r->booked[op->type][op->check_in + r->shift - r->today + n] + op->rooms >
			(int)r->trace.types[op->type].rooms)
			return false;
	return true;
}

static void compare(struct resort *r)
{
	static uint64_t counters[WINDOW], rates[WINDOW];
	struct inv_contradiction why = {0};
	struct inv_answer answer;
	for (uint32_t t = 0; t < r->trace.type_count; t++) {
		const uint16_t type = (uint16_t)t;
		inv_availability(r->side.inv, (struct hotel_id){HOTEL}, &type, 1, 0, r->today,
			WINDOW, counters, rates, &answer);
		CHECK(answer.code == KEYRACK_DONE, "%s", code_name(answer.code));
		for (int n = 0; n < WINDOW; n++)
			CHECK(cell_counter_unpack(counters[n]).booked == r->booked[t][n],
				"type %u night %d: %u booked, not %d", t, n,
				cell_counter_unpack(counters[n]).booked, r->booked[t][n]);
	}
	CHECK(inv_verify(r->side.inv, &why) == 0, "%s", why.what);
}

/* ---- the engine ---- */

static void commit(struct resort *r, enum inv_result result, struct inv_effect *effect)
{
	if (result == INV_EFFECT)
		side_commit(&r->side, effect);
	r->now.t_us += 1000;
	r->now.wall_us = r->now.t_us;
}

static void catalogue(struct resort *r)
{
	struct inv_effect effect;
	struct inv_answer answer;
	struct inv_hotel_op hotel = {.hotel = {HOTEL},
		.mask = INV_HOTEL_ZONE | INV_HOTEL_CURRENCY | INV_HOTEL_CURRENCY_DIGITS,
		.settings = {.zone = {"Etc/UTC", 7}, .currency = "EUR", .currency_digits = 2}};
	commit(r, inv_hotel_judge(r->side.inv, r->now, &hotel, &effect, &answer), &effect);
	CHECK(answer.code == KEYRACK_DONE, "%s", code_name(answer.code));
	for (uint32_t t = 0; t < r->trace.type_count; t++) {
		const char *code = r->trace.types[t].code;
		struct inv_type_op type = {.hotel = {HOTEL},
			.type = (uint16_t)t,
			.mask = INV_TYPE_CODE | INV_TYPE_PHYSICAL,
			.settings = {.code = {code, (uint32_t)strlen(code)},
				.physical = (uint16_t)r->trace.types[t].rooms}};
		commit(r, inv_type_judge(r->side.inv, r->now, &type, &effect, &answer), &effect);
		CHECK(answer.code == KEYRACK_DONE, "%s", code_name(answer.code));
	}
}

static struct inv_line line_of(
	const struct resort *r, const struct trace_op *op, struct inv_price_run *runs)
{
	struct trace_run given[TRACE_RUNS_MAX];
	const uint32_t run_count = trace_price_runs(op, given);
	for (uint32_t i = 0; i < run_count; i++)
		runs[i] = (struct inv_price_run){(uint16_t)given[i].nights, given[i].price_minor};
	return (struct inv_line){
		.type = op->type,
		.check_in = op->check_in + r->shift,
		.check_out = op->check_in + r->shift + op->nights,
		.rooms = op->rooms,
		.guests = op->guests,
		.pricing = INV_PRICE_CALLER,
		.run_count = (uint16_t)run_count,
		.runs = runs,
	};
}

static void book(struct resort *r, const struct trace_op *op)
{
	struct inv_price_run runs[TRACE_RUNS_MAX];
	const struct inv_line line = line_of(r, op, runs);
	struct guest *guest = &r->guests[op->booking];
	struct inv_reserve_op sale = {.hotel = {HOTEL},
		.id = reservation_id_mint(r->now.t_us / 1000,
			slot_of_hotel((struct hotel_id){HOTEL}), rng_next(&r->rng)),
		.book = true,
		.lines = &line,
		.line_count = 1};
	struct inv_effect effect;
	struct inv_answer answer;
	sale.fingerprint = inv_reserve_fingerprint(&sale);
	commit(r, inv_reserve_judge(r->side.inv, r->now, &sale, &effect, &answer), &effect);
	const uint16_t expected = fits(r, op) ? KEYRACK_DONE : KEYRACK_SOLD_OUT;
	CHECK(answer.code == expected, "booking %lu: %s", (unsigned long)op->booking,
		code_name(answer.code));
	if (expected != KEYRACK_DONE) {
		r->refused++;
		return;
	}
	*guest = (struct guest){sale.id, 1, op};
	count(r, op, 1);
	r->sold++;
}

static void cancel(struct resort *r, struct guest *guest)
{
	const struct inv_transition_op op = {.transition = INV_CANCEL, .id = guest->id};
	struct inv_effect effect;
	struct inv_answer answer;
	commit(r, inv_transition_judge(r->side.inv, r->now, &op, &effect, &answer), &effect);
	CHECK(answer.code == KEYRACK_DONE, "%s", code_name(answer.code));
	count(r, guest->stay, -1);
	guest->stay = NULL;
	r->cancelled++;
}

/* The booking becomes the next one; false when there is no room for that, and nothing changed. */
static bool modify(struct resort *r, struct guest *guest, const struct trace_op *to)
{
	struct inv_price_run runs[TRACE_RUNS_MAX];
	const struct inv_line line = line_of(r, to, runs);
	const struct inv_transition_op op = {.transition = INV_MODIFY,
		.id = guest->id,
		.has_expected_revision = true,
		.expected_revision = guest->revision,
		.change_id = to->booking + 1,
		.lines = &line,
		.line_count = 1};
	struct inv_effect effect;
	struct inv_answer answer;
	commit(r, inv_transition_judge(r->side.inv, r->now, &op, &effect, &answer), &effect);
	count(r, guest->stay, -1);
	const bool is_done = fits(r, to);
	count(r, is_done ? to : guest->stay, 1);
	CHECK(answer.code == (is_done ? KEYRACK_DONE : KEYRACK_SOLD_OUT), "booking %lu: %s",
		(unsigned long)to->booking, code_name(answer.code));
	if (!is_done) {
		r->unchanged++;
		return false;
	}
	CHECK(answer.total_minor == to->price_minor * to->rooms, "total %lu",
		(unsigned long)answer.total_minor);
	r->guests[to->booking] = (struct guest){guest->id, guest->revision + 1, to};
	guest->stay = NULL;
	r->modified++;
	return true;
}

static void play(struct resort *r)
{
	for (uint32_t i = 0; i < r->trace.op_count; i++) {
		const struct trace_op *op = &r->trace.ops[i], *next = op + 1;
		struct guest *guest = &r->guests[op->booking];
		snprintf(side_context, sizeof(side_context), "operation %u", i);
		if (i % COMPARE_EVERY == 0)
			compare(r);
		if (!op->is_cancel)
			book(r, op);
		else if (guest->stay == NULL)
			continue;
		else if (i + 1 < r->trace.op_count && !next->is_cancel && modify(r, guest, next))
			i++;
		else
			cancel(r, guest);
	}
}

static void resort_open(struct resort *r, const struct tz_db *tz, const char *data)
{
	const struct inv_config config = {.hotels_max = 4,
		.rows_max = TRACE_TYPES_MAX,
		.window_nights = WINDOW,
		.reservations_max = 65536,
		.nodes_max = 131072,
		.refusals_max = 4096,
		.denials_max = 256,
		.stock_runs_max = 256,
		.retention_us = INV_RETENTION_US,
		.grace_us = INV_GRACE_US};
	struct kr_error_text text;
	char trace[4096], capacity[4096];
	snprintf(trace, sizeof(trace), "%s/resort_trace.csv.gz", data);
	snprintf(capacity, sizeof(capacity), "%s/resort_capacity.csv", data);
	CHECK(trace_read(&r->trace, trace, capacity, &text) == 0, "%s", text.bytes);
	for (uint32_t i = 0; i < r->trace.op_count; i++)
		r->guest_count = KR_MAX(r->guest_count, r->trace.ops[i].booking + 1);
	r->guests = calloc(r->guest_count, sizeof(*r->guests));
	CHECK(r->guests != NULL, "no memory");
	CHECK(r->trace.last_day - r->trace.first_day < WINDOW, "the window is too short");
	side_init(&r->side, &config, tz);
	rng_init(&r->rng, 1);
	r->today = 21000;
	r->shift = r->today - r->trace.first_day;
	r->now.t_us = r->now.wall_us = ((uint64_t)r->today * 86400 + 43200) * 1000000;
}

/* A change admits what cancelling and booking one after the other would: as many are refused. */
static void compare_refused(const struct resort *r, const char *data)
{
	char path[4096];
	snprintf(path, sizeof(path), "%s/resort_expected.json", data);
	json_t *expected = json_load_file(path, 0, NULL);
	CHECK(expected != NULL, "%s cannot be read", path);
	const json_int_t refused = json_integer_value(json_object_get(expected, "refused"));
	CHECK((json_int_t)r->refused == refused, "%lu refused, not %lld", (unsigned long)r->refused,
		(long long)refused);
	json_decref(expected);
}

int main(int argc, char **argv)
{
	static struct resort r;
	struct tz_db tz;
	if (argc != 2 || access(argv[1], R_OK) != 0) {
		printf("SKIP: there is no folder %s\n", argc == 2 ? argv[1] : "DATA");
		return SKIPPED;
	}
	CHECK(tz_load(TZ_FOLDER, &tz) == 0, "tzdata is missing");
	resort_open(&r, &tz, argv[1]);
	catalogue(&r);
	play(&r);
	compare(&r);
	side_replay(&r.side);
	compare(&r);
	printf("%lu sold, %lu refused, %lu modified, %lu left as they were, %lu cancelled\n",
		(unsigned long)r.sold, (unsigned long)r.refused, (unsigned long)r.modified,
		(unsigned long)r.unchanged, (unsigned long)r.cancelled);
	CHECK(r.modified > 1000 && r.unchanged > 0, "the trace has too few changes");
	compare_refused(&r, argv[1]);
	side_fini(&r.side);
	trace_free(&r.trace);
	free(r.guests);
	tz_free(&tz);
	return 0;
}
