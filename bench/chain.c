/* The hotels there are, what is sold of them, and loading a chain of them. */
#include "bench/bench.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

#define HOTELS_PAGE 1000u
#define ROWS_MAX (UINT32_C(1) << 24)
#define DIFFERENCES_SHOWN 5u
#define ASKERS_MAX 64u
#define QUESTIONS_EACH_MAX 64u

/* A failure of reading the chain ends the program: there is nothing to measure then. */
static void expect_done(const struct keyrack_result *result, const char *what)
{
	if (result->outcome == KEYRACK_RESULT_DONE)
		return;
	char why[512] = "";
	if (result->refusal != NULL)
		(void)keyrack_refusal_format(result->refusal, why, sizeof(why));
	bench_fail(result->code == KEYRACK_CODE_UNREACHABLE ? BENCH_UNREACHABLE : BENCH_ABORTED,
		"%s: %s (%s) %s", what, keyrack_code_name(result->code),
		keyrack_code_text(result->code), why);
}

/* Retries what found no room until there is some. */
#define SUBMIT_OR_TURN(fleet, call)                                                                \
	do {                                                                                       \
		int submitted_;                                                                    \
		while ((submitted_ = (call)) == KEYRACK_WOULD_BLOCK)                               \
			fleet_turn(fleet, 100000);                                                 \
		if (submitted_ < 0)                                                                \
			bench_fail(BENCH_ABORTED, "%s: %s", #call, strerror(-submitted_));         \
	} while (0)

/* The client whose turn it is, with room. Thousands of connections would put more questions in
 * flight than a cluster takes, so a few of them ask. */
static struct keyrack_client *asker(struct bench_fleet *fleet, uint32_t turn)
{
	struct keyrack_client *client = fleet->clients[turn % KR_MIN(fleet->count, ASKERS_MAX)];
	kr_assert(fleet->count > 0);
	while (keyrack_client_open(client) >= QUESTIONS_EACH_MAX)
		fleet_turn(fleet, 100000);
	return client;
}

void chain_invent(struct bench_chain *chain, uint32_t hotels, uint32_t types, uint32_t nights)
{
	kr_assert(hotels > 0 && types > 0 && nights > 0);
	*chain = (struct bench_chain){.row_count = hotels * types, .hotel_count = hotels};
	chain->rows = bench_alloc(chain->row_count, sizeof(*chain->rows));
	for (uint32_t i = 0; i < chain->row_count; i++)
		chain->rows[i] = (struct bench_row){i / types + 1, i % types + 1, 20000, nights};
}

/* ---- discovering ---- */

struct found_hotel {
	struct bench_chain *chain;
	uint64_t hotel_id;
	int32_t business_day;
	uint32_t window_nights;
	uint32_t first_row;
	uint32_t type_count;
};

static void on_types(void *user, const union keyrack_answer *answer)
{
	const struct found_hotel *hotel = user;
	const struct keyrack_type_list_answer *list = &answer->type_list;
	expect_done(&list->result, "type get");
	if (list->type_count != hotel->type_count)
		bench_fail(BENCH_ABORTED, "hotel %" PRIu64 " changed while it was read",
			hotel->hotel_id);
	for (uint32_t i = 0; i < list->type_count; i++)
		hotel->chain->rows[hotel->first_row + i] = (struct bench_row){hotel->hotel_id,
			list->types[i].type, hotel->business_day, hotel->window_nights};
}

/* One page of hotels; returns how many, and whether there are more. */
static uint32_t discover_page(struct bench_chain *chain, struct bench_fleet *fleet,
	struct found_hotel *hotels, uint64_t *after, bool *ret_more)
{
	const struct keyrack_hotel_list page = {
		.has_after = chain->hotel_count > 0, .after = *after, .limit = HOTELS_PAGE};
	struct keyrack_hotel_list_answer answer;
	const int r = keyrack_hotel_list(fleet->clients[0], &page, &answer);
	if (r < 0)
		bench_fail(BENCH_ABORTED, "hotel list: %s", strerror(-r));
	expect_done(&answer.result, "hotel list");
	for (uint32_t i = 0; i < answer.hotel_count; i++) {
		const struct keyrack_hotel *h = &answer.hotels[i];
		hotels[i] = (struct found_hotel){chain, h->hotel_id, h->business_day,
			h->window_nights, chain->row_count, h->type_count};
		chain->row_count += h->type_count;
		*after = h->hotel_id;
	}
	if (chain->row_count > ROWS_MAX)
		bench_fail(BENCH_ABORTED, "more than %u room types", ROWS_MAX);
	chain->hotel_count += answer.hotel_count;
	*ret_more = answer.more;
	return answer.hotel_count;
}

void chain_discover(struct bench_chain *chain, struct bench_fleet *fleet)
{
	struct found_hotel *hotels = bench_alloc(HOTELS_PAGE, sizeof(*hotels));
	uint64_t after = 0;
	bool more = true;
	memset(chain, 0, sizeof(*chain));
	while (more) {
		const uint32_t count = discover_page(chain, fleet, hotels, &after, &more);
		chain->rows = realloc(chain->rows, (chain->row_count + 1) * sizeof(*chain->rows));
		kr_assert(chain->rows != NULL);
		for (uint32_t i = 0; i < count; i++) {
			const struct keyrack_type_get get = {.hotel_id = hotels[i].hotel_id};
			struct keyrack_client *client = asker(fleet, i);
			SUBMIT_OR_TURN(
				fleet, keyrack_submit_type_get(client, &get, on_types, &hotels[i]));
		}
		fleet_drain(fleet);
	}
	free(hotels);
	if (chain->row_count == 0)
		bench_fail(BENCH_ABORTED, "there are no hotels; load some: keyrack-bench load");
}

void chain_free(struct bench_chain *chain)
{
	kr_assert(chain->row_count > 0);
	free(chain->rows);
	free(chain->expected);
	memset(chain, 0, sizeof(*chain));
}

/* ---- counting ---- */

struct counted_row {
	int32_t *counts; /* of its nights */
	uint32_t nights;
};

static void on_counts(void *user, const union keyrack_answer *answer)
{
	const struct counted_row *row = user;
	expect_done(&answer->availability.result, "availability");
	kr_assert(answer->availability.night_count == row->nights);
	for (uint32_t n = 0; n < row->nights; n++) {
		const struct keyrack_night night =
			keyrack_availability_night(&answer->availability, 0, n);
		row->counts[n] = (int32_t)(night.held + night.booked);
	}
}

void chain_count(const struct bench_chain *chain, struct bench_fleet *fleet, int32_t *counts)
{
	struct counted_row *rows = bench_alloc(chain->row_count, sizeof(*rows));
	for (uint32_t i = 0; i < chain->row_count; i++) {
		rows[i] = (struct counted_row){counts + (size_t)i * chain->nights, chain->nights};
		const struct keyrack_availability query = {
			.hotel_id = chain->rows[i].hotel_id,
			.types = &chain->rows[i].type,
			.type_count = 1,
			.first_day = chain->rows[i].business_day,
			.night_count = chain->nights,
		};
		SUBMIT_OR_TURN(fleet,
			keyrack_submit_availability(asker(fleet, i), &query, on_counts, &rows[i]));
		bench_progress("counting: %u of %u room types", i, chain->row_count);
	}
	fleet_drain(fleet);
	bench_progress_end();
	free(rows);
}

uint64_t chain_recount(const struct bench_chain *chain, struct bench_fleet *fleet)
{
	const size_t cells = (size_t)chain->row_count * chain->nights;
	int32_t *present = bench_alloc(cells, sizeof(*present));
	uint64_t differences = 0;
	chain_count(chain, fleet, present);
	for (size_t i = 0; i < cells; i++) {
		if (present[i] == chain->expected[i])
			continue;
		const struct bench_row *row = &chain->rows[i / chain->nights];
		char date[KEYRACK_DATE_TEXT_SIZE];
		keyrack_day_format(row->business_day + (int32_t)(i % chain->nights), date);
		if (differences++ < DIFFERENCES_SHOWN)
			fprintf(stderr,
				"keyrack-bench: hotel %" PRIu64
				" type %u night %s: %d rooms held or "
				"booked, %d by the journal\n",
				row->hotel_id, row->type, date, present[i], chain->expected[i]);
	}
	free(present);
	return differences;
}

/* ---- loading ---- */

static void on_loaded(void *user, const union keyrack_answer *answer)
{
	uint64_t *done = user;
	expect_done(&answer->result, "load");
	(*done)++;
}

static void load_hotel(struct bench_fleet *fleet, uint64_t hotel_id, uint64_t *done)
{
	char code[32];
	snprintf(code, sizeof(code), "DEMO-%" PRIu64, hotel_id);
	const struct keyrack_hotel_put put = {
		.hotel_id = hotel_id,
		.mask = KEYRACK_HOTEL_ZONE | KEYRACK_HOTEL_CURRENCY,
		.settings = {.zone = "Etc/UTC", .currency = "EUR"},
		.origin = {.reason = "keyrack-bench load"},
	};
	SUBMIT_OR_TURN(fleet, keyrack_submit_hotel_put(fleet->clients[hotel_id % fleet->count],
				      &put, on_loaded, done));
}

static void load_type(struct bench_fleet *fleet, const struct bench_load *load, uint64_t hotel_id,
	uint32_t type, struct rng *rng, uint64_t *done)
{
	char code[16];
	snprintf(code, sizeof(code), "T%02u", type);
	const struct keyrack_type_put put = {
		.hotel_id = hotel_id,
		.type = type,
		.mask = KEYRACK_TYPE_CODE | KEYRACK_TYPE_PHYSICAL | KEYRACK_TYPE_ALLOWANCE |
			KEYRACK_TYPE_ALLOWANCE_UNIT,
		.settings = {.code = code,
			.physical = load->physical != 0 ? load->physical
							: 5 + (uint32_t)rng_below(rng, 60),
			.allowance = 1000,
			.allowance_unit = KEYRACK_ALLOWANCE_BASIS_POINTS},
		.origin = {.reason = "keyrack-bench load"},
	};
	SUBMIT_OR_TURN(fleet, keyrack_submit_type_put(fleet->clients[hotel_id % fleet->count], &put,
				      on_loaded, done));
}

/* Weekdays and weekends: two updates a type, each over the whole window. */
static void load_prices(struct bench_fleet *fleet, const struct bench_load *load, uint64_t hotel_id,
	uint32_t type, int32_t today, struct rng *rng, uint64_t *done)
{
	const uint64_t price = 4000 + rng_below(rng, 30000);
	for (int weekend = 0; weekend < 2; weekend++) {
		const struct keyrack_inventory_set set = {
			.hotel_id = hotel_id,
			.types = &type,
			.type_count = 1,
			.first_day = today,
			.last_day = today + (int32_t)load->nights - 1,
			.weekday_mask = weekend ? 0x70 : 0x0f,
			.set_mask = KEYRACK_SET_PRICE,
			.price_minor = (int64_t)(weekend ? price + price / 5 : price),
			.origin = {.reason = "keyrack-bench load"},
		};
		SUBMIT_OR_TURN(
			fleet, keyrack_submit_inventory_set(fleet->clients[hotel_id % fleet->count],
				       &set, on_loaded, done));
	}
}

void chain_load(struct bench_fleet *fleet, const struct bench_load *load)
{
	struct rng rng;
	uint64_t done = 0, types = 0;
	rng_init(&rng, load->seed);
	for (uint32_t h = 0; h < load->hotels; h++)
		load_hotel(fleet, load->first_hotel + h, &done);
	fleet_drain(fleet);
	const struct keyrack_hotel_get get = {.hotel_id = load->first_hotel};
	struct keyrack_hotel_answer first;
	const int r = keyrack_hotel_get(fleet->clients[0], &get, &first);
	if (r < 0)
		bench_fail(BENCH_ABORTED, "hotel get: %s", strerror(-r));
	expect_done(&first.result, "hotel get");
	if (load->nights > first.hotel.window_nights)
		bench_fail(BENCH_USAGE, "--nights %u is more than the cluster's window of %u",
			load->nights, first.hotel.window_nights);
	const int32_t today = first.hotel.business_day;
	for (uint32_t h = 0; h < load->hotels; h++) {
		const uint64_t hotel = load->first_hotel + h;
		const uint32_t count = (uint32_t)rng_range(&rng, load->types_min, load->types_max);
		for (uint32_t t = 0; t < count; t++, types++) {
			load_type(fleet, load, hotel, t, &rng, &done);
			load_prices(fleet, load, hotel, t, today, &rng, &done);
		}
		bench_progress("loading: %u of %u hotels", h, load->hotels);
	}
	fleet_drain(fleet);
	bench_progress_end();
	if (!load->quiet)
		printf("loaded %u hotels, %" PRIu64 " room types, %" PRIu64 " nights\n",
			load->hotels, types, types * load->nights);
}
