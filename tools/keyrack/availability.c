/* keyrack availability: night by night, or for a stay. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tools/keyrack/commands.h"
#include "tools/keyrack/js.h"
#include "tools/keyrack/lookup.h"
#include "tools/keyrack/names.h"
#include "tools/keyrack/offers.h"
#include "tools/keyrack/plans.h"
#include "tools/keyrack/report.h"
#include "tools/keyrack/table.h"

enum availability_key {
	AVAILABILITY_NIGHTS = 'n',
	AVAILABILITY_TYPES = CLI_KEY_OWN,
	AVAILABILITY_EXPLAIN,
	AVAILABILITY_EXPECTED_TOTAL,
	AVAILABILITY_STALE_OK,
};

static const struct argp_option availability_options[] = {
	{"nights", AVAILABILITY_NIGHTS, "A..B", 0,
		"the calendar from night A to night B, both included", 0},
	{"types", AVAILABILITY_TYPES, "LIST|all", 0, "of these room types: 0,1,5-9 or codes (all)",
		0},
	{"plan", LINES_PLAN, "PLAN", 0,
		"of this rate plan, by number or code (the calendar: BASE; a stay: each plan)", 0},
	{"stay", LINES_STAY, "A..B", 0, "could a stay be sold that arrives on A and leaves on B?",
		1},
	{"rooms", LINES_ROOMS, "N", 0, "how many rooms (1)", 1},
	{"guests", LINES_GUESTS, "N", 0, "in all of them (one a room)", 1},
	{"price", LINES_PRICE, "MONEY", 0, "at this price per room and night", 1},
	{"count-only", LINES_COUNT_ONLY, NULL, 0, "whatever the price", 1},
	{"line", LINES_LINE, "NAME=VALUE[,...]", 0,
		"could these lines be sold together: type=0,stay=A..B,rooms=1,guests=2; may be "
		"repeated",
		1},
	{"expected-total", AVAILABILITY_EXPECTED_TOTAL, "MONEY", 0, "at this price in all", 1},
	{"explain", AVAILABILITY_EXPLAIN, NULL, 0, "every rule that says no, not only the first",
		1},
	{"stale-ok", AVAILABILITY_STALE_OK, NULL, 0, "also show what is not yet on disk", 2},
	{0},
};

struct availability {
	struct offers offers;
	struct line_name plan;
	struct span nights;
	bool has_plan;
	bool has_nights;
	bool stale_ok;
};

static int availability_option(void *options, int key, const char *arg, struct kr_error_text *error)
{
	struct availability *availability = options;
	struct offers *offers = &availability->offers;
	switch (key) {
	case AVAILABILITY_NIGHTS:
		availability->has_nights = true;
		return span_parse_nights(arg, &availability->nights, error);
	case LINES_PLAN:
		availability->has_plan = true;
		return line_plan_parse(arg, &availability->plan, error);
	case AVAILABILITY_TYPES:
		return type_list_parse(arg, &offers->types, error);
	case AVAILABILITY_EXPLAIN:
		offers->explain = true;
		return 0;
	case AVAILABILITY_EXPECTED_TOTAL:
		offers->has_expected_total = true;
		return money_parse(arg, false, &offers->expected_total, error);
	case AVAILABILITY_STALE_OK:
		availability->stale_ok = true;
		return 0;
	default:
		return request_lines_option(&offers->lines, key, arg, error);
	}
}

/* ---- nights ---- */

#define RESTRICTIONS_SIZE 128

static void word_put(char *text, const char *format, ...) KR_PRINTF(2, 3);

static void word_put(char *text, const char *format, ...)
{
	size_t length = strlen(text);
	va_list list;
	kr_assert(length < RESTRICTIONS_SIZE);
	if (length > 0)
		length += (size_t)snprintf(text + length, RESTRICTIONS_SIZE - length, ", ");
	va_start(list, format);
	(void)vsnprintf(text + length, RESTRICTIONS_SIZE - length, format, list);
	va_end(list);
}

static void restrictions_format(const struct keyrack_night *night, char ret[RESTRICTIONS_SIZE])
{
	ret[0] = '\0';
	if (!night->loaded)
		word_put(ret, "not loaded");
	if (night->closed)
		word_put(ret, "closed");
	if (night->plan_closed)
		word_put(ret, "plan closed");
	if (night->cta || night->plan_cta)
		word_put(ret, "no arrival%s", night->cta ? "" : " (plan)");
	if (night->ctd || night->plan_ctd)
		word_put(ret, "no departure%s", night->ctd ? "" : " (plan)");
	if (night->los.min_arrival != 0)
		word_put(ret, "min-arrival %u", night->los.min_arrival);
	if (night->los.max_arrival != 0)
		word_put(ret, "max-arrival %u", night->los.max_arrival);
	if (night->los.min_through != 0)
		word_put(ret, "min-through %u", night->los.min_through);
	if (night->los.max_through != 0)
		word_put(ret, "max-through %u", night->los.max_through);
	if (night->capped)
		word_put(ret, "capped");
}

static void night_row(struct table *table, const char *type, const struct keyrack_night *night,
	const struct money_unit *unit)
{
	char text[RESTRICTIONS_SIZE];
	span_format_day(night->day, text);
	table_row(table);
	table_put(table, "%s", type);
	table_put(table, "%s", text);
	table_put(table, "%d", night->limit);
	table_put(table, "%u", night->held);
	table_put(table, "%u", night->booked);
	table_put(table, "%d", night->left);
	text[0] = '\0';
	if (night->priced && unit->currency[0] != '\0')
		money_format(unit, (int64_t)night->price_minor, text);
	else if (night->priced)
		(void)snprintf(text, sizeof(text), "%" PRIu64, night->price_minor);
	table_put(table, "%s", text);
	restrictions_format(night, text);
	table_put(table, "%s", text);
}

static void nights_print(const struct keyrack_availability_answer *answer,
	const struct money_unit *unit, const struct names *names)
{
	static const struct table_column columns[] = {{"TYPE", false}, {"NIGHT", false},
		{"LIMIT", true}, {"HELD", true}, {"BOOKED", true}, {"LEFT", true}, {"PRICE", true},
		{"RESTRICTIONS", false}};
	struct table *table = table_new(columns, KR_ARRAY_COUNT(columns));
	for (uint32_t i = 0; i < answer->type_count; i++) {
		char type[NAMES_TEXT_SIZE];
		names_type_format(names, answer->types[i], type);
		for (uint32_t n = 0; n < answer->night_count; n++) {
			struct keyrack_night night = keyrack_availability_night(answer, i, n);
			night_row(table, type, &night, unit);
		}
	}
	table_print_free(table, "The hotel has no room types.");
}

static json_t *night_json(const struct keyrack_night *night, const struct money_unit *unit)
{
	json_t *object = js_object();
	js_day(object, "night", night->day);
	js_int(object, "limit", night->limit);
	js_count(object, "held", night->held);
	js_count(object, "booked", night->booked);
	js_int(object, "left", night->left);
	js_bool(object, "loaded", night->loaded);
	js_bool(object, "capped", night->capped);
	js_bool(object, "closed", night->closed);
	js_bool(object, "cta", night->cta);
	js_bool(object, "ctd", night->ctd);
	js_bool(object, "plan_closed", night->plan_closed);
	js_bool(object, "plan_cta", night->plan_cta);
	js_bool(object, "plan_ctd", night->plan_ctd);
	if (night->priced)
		js_money(object, "price", unit, night->price_minor);
	js_count(object, "min_arrival", night->los.min_arrival);
	js_count(object, "max_arrival", night->los.max_arrival);
	js_count(object, "min_through", night->los.min_through);
	js_count(object, "max_through", night->los.max_through);
	return object;
}

static json_t *nights_json(const struct keyrack_availability *request,
	const struct keyrack_availability_answer *answer, const struct money_unit *unit)
{
	json_t *root = report_json(&report_of_read, &answer->result);
	json_t *types = js_array();
	js_number_id(root, "hotel_id", request->hotel_id);
	js_day(root, "first_night", answer->first_day);
	js_day(root, "last_night", answer->first_day + (int32_t)answer->night_count - 1);
	js_day(root, "business_day", answer->business_day);
	js_count(root, "ari_version", answer->ari_version);
	js_text(root, "currency", unit->currency);
	js_count(root, "plan", request->plan);
	for (uint32_t i = 0; i < answer->type_count; i++) {
		json_t *type = js_object();
		json_t *nights = js_array();
		for (uint32_t n = 0; n < answer->night_count; n++) {
			struct keyrack_night night = keyrack_availability_night(answer, i, n);
			js_append(nights, night_json(&night, unit));
		}
		js_count(type, "type", answer->types[i]);
		js_set(type, "nights", nights);
		js_append(types, type);
	}
	js_set(root, "types", types);
	return root;
}

static void nights_tell(const struct availability *availability,
	const struct keyrack_availability *request,
	const struct keyrack_availability_answer *answer, const struct money_unit *unit,
	const struct names *names)
{
	char text[SPAN_TEXT_SIZE];
	span_format_nights(availability->nights, text);
	if (request->plan != 0)
		printf("hotel %" PRIu64 ", plan %u, %s\n", request->hotel_id, request->plan, text);
	else
		printf("hotel %" PRIu64 ", %s\n", request->hotel_id, text);
	nights_print(answer, unit, names);
}

static int nights_show(struct cli *cli, const struct availability *availability, uint64_t hotel_id)
{
	struct keyrack_availability request = {
		.call = {.deadline_us = cli->deadline_us, .stale_ok = availability->stale_ok},
		.hotel_id = hotel_id,
		.types = availability->offers.types.list.numbers,
		.type_count = availability->offers.types.list.count,
		.first_day = availability->nights.first_day,
		.night_count = span_nights(availability->nights),
	};
	struct keyrack_availability_answer answer;
	struct money_unit unit;
	struct names *names;
	int r = lookup_unit(cli, hotel_id, &unit);
	if (r == CLI_DONE)
		r = lookup_plan_of_types(cli, hotel_id, &availability->offers.types.list,
			&availability->plan, &request.plan);
	if (r != CLI_DONE)
		return r;
	names = names_get(cli, hotel_id, false);
	r = keyrack_availability(cli->client, &request, &answer);
	r = report_got(cli, r, &answer.result);
	if (r == CLI_DONE && cli->json)
		js_print(nights_json(&request, &answer, &unit));
	else if (r == CLI_DONE)
		nights_tell(availability, &request, &answer, &unit, names);
	names_free(names);
	return r;
}

/* Either nights or a stay. CLI_DONE or CLI_USAGE. */
static int availability_check(const struct cli *cli, struct availability *availability)
{
	struct request_lines *lines = &availability->offers.lines;
	if (availability->has_nights == (lines->count > 0))
		return cli_wrong(cli, "give either --nights A..B for the calendar, or --stay A..B "
				      "(or --line) for a stay");
	if (availability->has_nights)
		return CLI_DONE;
	if (lines->has_simple) {
		/* The types come from --types and the plans from --plan, one question for each. */
		lines->lines[0].has_type = true;
		availability->offers.has_plan = availability->has_plan;
		availability->offers.plan = availability->plan;
	} else if (type_list_count(&availability->offers.types) > 0) {
		return cli_wrong(cli, "--types belongs to --stay; a --line names its own type");
	} else if (availability->has_plan) {
		return cli_wrong(cli, "--plan belongs to --stay; a --line names its own plan");
	}
	return request_lines_finish(cli, lines);
}

int availability_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_spec spec = {
		.options = availability_options,
		.option = availability_option,
		.args = "HOTEL",
		.doc = "Shows what can be sold: the calendar of --nights, or for the --stay the "
		       "price, the rooms left, or the exact refusal of each rate plan of each room "
		       "type.\v"
		       "With --stay or --line the exit code is 0 if something can be sold, 1 if "
		       "not.",
		.arg_min = 1,
		.arg_max = 1,
	};
	static struct availability availability;
	const char *args[CLI_ARGS_MAX];
	struct value_hotel hotel;
	int code;
	memset(&availability, 0, sizeof(availability));
	cli_words(cli, &spec, argc, argv, &availability, args);
	code = lookup_hotel(cli, args[0], &hotel);
	if (code == CLI_DONE)
		code = availability_check(cli, &availability);
	if (code == CLI_DONE)
		code = cli_connect(cli);
	if (code == CLI_DONE)
		code = lookup_type_list(cli, hotel.id, &availability.offers.types);
	if (code != CLI_DONE)
		return code;
	if (availability.has_nights)
		return nights_show(cli, &availability, hotel.id);
	availability.offers.call = cli_call(cli);
	availability.offers.call.stale_ok = availability.stale_ok;
	return offers_show(cli, &availability.offers, hotel.id);
}
