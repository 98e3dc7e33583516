/*
 * keyrack-bench race: thousands of requests at once for the last rooms of one night. Exactly as
 * many win as there are rooms, every loser is told SOLD_OUT and the night, and the engine's own
 * counter agrees.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/preset.h"

struct race {
	const char *routers;
	struct preset_words words;
	uint32_t connections, requests, rooms, rounds;
	uint64_t first_hotel, seed;
	bool json;
	struct bench_fleet fleet;
	/* of the round */
	uint64_t hotel_id;
	int32_t night;
	uint32_t won, lost, other;
	uint64_t slowest_us;
	unsigned other_code;
};

#define RACE_U32(field) OPTION_U32(struct race, field)

static const struct option_row race_rows[] = {
	BENCH_ROUTER(struct race, routers),
	PRESET_ROWS(struct race, words),
	{OPTION_NAMED("connections", 'c', "N", "connections"), OPTION_RANGE(64, 1, 5000),
		RACE_U32(connections)},
	{OPTION_NAMED("requests", 'n', "N", "requests in flight at once"),
		OPTION_RANGE(10000, 1, 1000000), RACE_U32(requests)},
	{OPTION_NAMED("rooms", 'R', "N", "rooms there are"), OPTION_RANGE(1, 1, 32767),
		RACE_U32(rooms)},
	{OPTION_NAMED("rounds", 'k', "N", "races, each for another hotel"),
		OPTION_RANGE(1, 1, 1000000), RACE_U32(rounds)},
	{OPTION_NAMED("first-hotel", 'f', "ID", "hotels are made from this id on"),
		OPTION_RANGE(900000000, 1, UINT64_MAX / 2), OPTION_U64(struct race, first_hotel)},
	{OPTION_NAMED("json", 'j', NULL, "print the outcome as JSON"),
		OPTION_SWITCH(struct race, json)},
};

static void expect(int outcome, const struct keyrack_result *result, const char *what)
{
	if (outcome == KEYRACK_RESULT_DONE)
		return;
	if (outcome < 0)
		bench_fail(BENCH_ABORTED, "%s: %s", what, strerror(-outcome));
	bench_fail(result->code == KEYRACK_CODE_UNREACHABLE ? BENCH_UNREACHABLE : BENCH_ABORTED,
		"%s: %s", what, keyrack_code_text(result->code));
}

static void prepare(struct race *r)
{
	struct keyrack_client *client = r->fleet.clients[0];
	struct keyrack_hotel_answer hotel;
	struct keyrack_type_answer type;
	const struct keyrack_hotel_put put_hotel = {
		.hotel_id = r->hotel_id,
		.mask = KEYRACK_HOTEL_ZONE | KEYRACK_HOTEL_CURRENCY,
		.settings = {.zone = "Etc/UTC", .currency = "EUR"},
	};
	const struct keyrack_type_put put_type = {
		.hotel_id = r->hotel_id,
		.mask = KEYRACK_TYPE_CODE | KEYRACK_TYPE_PHYSICAL,
		.settings = {.code = "LAST", .physical = r->rooms},
	};
	expect(keyrack_hotel_put(client, &put_hotel, &hotel), &hotel.result, "hotel put");
	r->night = hotel.hotel.business_day + 7;
	expect(keyrack_type_put(client, &put_type, &type), &type.result, "type put");
}

static void on_answer(void *user, const union keyrack_answer *answer)
{
	struct race *r = user;
	const struct keyrack_result *result = &answer->result;
	const struct keyrack_refusal *refusal = result->refusal;
	r->slowest_us = KR_MAX(r->slowest_us, result->elapsed_us);
	if (result->outcome == KEYRACK_RESULT_DONE) {
		r->won++;
	} else if (result->code == KEYRACK_CODE_SOLD_OUT && refusal != NULL && refusal->has_day &&
		   refusal->day == r->night) {
		r->lost++;
	} else {
		r->other++;
		r->other_code = result->code;
	}
}

static void submit(struct race *r, uint32_t i)
{
	struct keyrack_client *client = r->fleet.clients[i % r->fleet.count];
	const struct keyrack_line line = {
		.check_in_day = r->night,
		.check_out_day = r->night + 1,
		.rooms = 1,
		.guests = 2,
		.pricing = KEYRACK_PRICING_NONE,
	};
	const struct keyrack_reserve book = {
		.hotel_id = r->hotel_id,
		.id = keyrack_id_mint(client, r->hotel_id),
		.lines = &line,
		.line_count = 1,
	};
	int submitted;
	while ((submitted = keyrack_submit_book(client, &book, on_answer, r)) ==
		KEYRACK_WOULD_BLOCK)
		fleet_turn(&r->fleet, 10000);
	if (submitted < 0)
		bench_fail(BENCH_ABORTED, "book: %s", strerror(-submitted));
}

static bool round_is_right(struct race *r)
{
	const uint32_t type = 0;
	struct keyrack_availability_answer answer;
	const struct keyrack_availability query = {
		.hotel_id = r->hotel_id,
		.types = &type,
		.type_count = 1,
		.first_day = r->night,
		.night_count = 1,
	};
	expect(keyrack_availability(r->fleet.clients[0], &query, &answer), &answer.result,
		"availability");
	const struct keyrack_night night = keyrack_availability_night(&answer, 0, 0);
	const uint32_t winners = KR_MIN(r->rooms, r->requests);
	if (r->won == winners && r->lost == r->requests - winners && night.booked == winners)
		return true;
	fprintf(stderr,
		"keyrack-bench: hotel %" PRIu64
		": %u won for %u rooms, %u were told SOLD_OUT and the "
		"night, %u something else (%s); the engine counts %u booked\n",
		r->hotel_id, r->won, r->rooms, r->lost, r->other,
		r->other == 0 ? "-" : keyrack_code_name(r->other_code), night.booked);
	return false;
}

static bool run_round(struct race *r, uint32_t round)
{
	r->hotel_id = r->first_hotel + round;
	r->won = r->lost = r->other = 0;
	prepare(r);
	for (uint32_t i = 0; i < r->requests; i++)
		submit(r, i);
	fleet_drain(&r->fleet);
	bench_progress("race %u of %u", round + 1, r->rounds);
	return round_is_right(r);
}

static void print_outcome(const struct race *r, uint32_t wrong)
{
	if (r->json) {
		json_t *json = json_pack("{s:i, s:i, s:i, s:i, s:i, s:I}", "rounds", (int)r->rounds,
			"requests", (int)r->requests, "rooms", (int)r->rooms, "connections",
			(int)r->connections, "wrong", (int)wrong, "slowest_us",
			(json_int_t)r->slowest_us);
		json_dumpf(json, stdout, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
		putchar('\n');
		json_decref(json);
		return;
	}
	printf("%u races of %u requests over %u connections for %u rooms: %u wrong; the slowest "
	       "answer took %.1f ms\n",
		r->rounds, r->requests, r->connections, r->rooms, wrong,
		(double)r->slowest_us / 1000);
}

int bench_race(int argc, char **argv)
{
	static const struct option_program program = {
		.name = "keyrack-bench",
		.about = "Thousands of requests at once for the last rooms of one night: as many "
			 "win as there are rooms.",
		.table = race_rows,
		.count = KR_ARRAY_COUNT(race_rows),
		.structure_size_bytes = sizeof(struct race),
	};
	static struct race race;
	struct race *r = &race;
	uint32_t wrong = 0;
	bench_options_read(&program, argc, argv, r, &r->words);
	const struct keyrack_config config = {
		.routers = r->routers != NULL ? r->routers : bench_router_default(),
		.agent = "keyrack-bench " KEYRACK_VERSION,
		.in_flight_max = KR_MAX(r->requests / r->connections + 1, 64),
		.deadline_us = 60000000,
		.source = 1,
	};
	fleet_open(&r->fleet, &config, r->connections);
	for (uint32_t i = 0; i < r->rounds; i++)
		wrong += !run_round(r, i);
	bench_progress_end();
	print_outcome(r, wrong);
	fleet_close(&r->fleet);
	return wrong == 0 ? BENCH_OK : BENCH_DIFFERS;
}
