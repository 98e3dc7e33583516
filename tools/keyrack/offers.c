#include "tools/keyrack/offers.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "tools/keyrack/js.h"
#include "tools/keyrack/lookup.h"
#include "tools/keyrack/names.h"
#include "tools/keyrack/plans.h"
#include "tools/keyrack/report.h"
#include "tools/keyrack/reservation.h"
#include "tools/keyrack/table.h"
#include "tools/keyrack/terms.h"

#define REFUSALS_MAX 64u
#define COLUMNS_BEFORE_WHY 7u

/* What all questions of one command share. */
struct asking {
	struct cli *cli;
	struct offers *offers;
	struct money_unit unit;
	char zone[LOOKUP_ZONE_SIZE];
	uint64_t hotel_id;
	int64_t expected_total_minor;
	uint32_t sellable;  /* offers that could be sold */
	struct plans plans; /* of the hotel; none where one plan was asked for */
	struct names *names;
	struct table *table;
	json_t *list;
	struct report report;
};

/* What one question is about: NULL for lines that name their own types. */
struct offer {
	uint32_t type, plan;
	const char *plan_code;
};

/* Line after line, as far as it fits. */
static void prices_format(const struct asking *asking, const struct keyrack_stay_answer *answer,
	char ret_text[static RESERVATION_PRICES_SIZE])
{
	struct kr_text text;
	kr_text_init(&text, ret_text, RESERVATION_PRICES_SIZE);
	for (uint32_t i = 0; i < answer->line_count; i++) {
		char prices[RESERVATION_PRICES_SIZE];
		reservation_prices_format(&answer->lines[i], &asking->unit, prices);
		if (i > 0)
			kr_text_put_string(&text, "; ");
		kr_text_put_string(&text, prices);
	}
	kr_assert(text.length < RESERVATION_PRICES_SIZE);
}

/* Prices of a line, a night each. */
static json_t *line_json(const struct asking *asking, const struct keyrack_line *line)
{
	json_t *object = js_object();
	json_t *nights = js_array();
	int32_t day = line->check_in_day;
	kr_assert(line->check_in_day <= line->check_out_day);
	js_count(object, "type", line->type);
	js_count(object, "plan", line->plan);
	js_count(object, "rooms", line->rooms);
	for (uint32_t r = 0; r < line->run_count; r++)
		for (uint32_t n = 0; n < line->runs[r].nights; n++, day++) {
			json_t *night = js_object();
			js_day(night, "night", day);
			js_money(night, "price", &asking->unit, line->runs[r].price_minor);
			js_append(nights, night);
		}
	js_set(object, "nights", nights);
	terms_line_json(object, line);
	return object;
}

/* The plan's columns: number and code. */
static void plan_put(struct table *table, const struct offer *offer)
{
	if (offer == NULL)
		table_put(table, "%s", "");
	else if (offer->plan_code != NULL && offer->plan_code[0] != '\0')
		table_put(table, "%u %s", offer->plan, offer->plan_code);
	else
		table_put(table, "%u", offer->plan);
	kr_assert(table != NULL);
}

/* What only an offer that can be sold has: prices, rooms, terms. */
static void offer_cells(const struct asking *asking, const struct keyrack_stay_answer *answer)
{
	char prices[RESERVATION_PRICES_SIZE], terms[TERMS_TEXT_SIZE];
	kr_assert(answer->result.outcome == KEYRACK_RESULT_DONE);
	prices_format(asking, answer, prices);
	terms_offer_format(answer->free_cancel_until_us, cli_wall_us(), asking->zone, terms);
	table_put(asking->table, "%s", prices);
	table_put(asking->table, "%u", answer->rooms_left);
	table_put(asking->table, "%s", terms);
}

static void offer_row(
	struct asking *asking, const struct offer *offer, const struct keyrack_stay_answer *answer)
{
	bool is_sellable = answer->result.outcome == KEYRACK_RESULT_DONE;
	char total[MONEY_TEXT_SIZE] = "";
	char type[NAMES_TEXT_SIZE] = "all";
	char sentence[SENTENCE_SIZE] = "";
	uint32_t refusals = is_sellable ? 0 : KR_MIN(answer->refusal_count, REFUSALS_MAX);
	if (is_sellable && answer->has_total)
		money_format(&asking->unit, (int64_t)answer->total_minor, total);
	if (refusals > 0)
		sentence_of_refusal(&answer->refusals[0], &asking->report.context, sentence);
	table_row(asking->table);
	if (offer != NULL)
		names_type_format(asking->names, offer->type, type);
	table_put(asking->table, "%s", type);
	plan_put(asking->table, offer);
	table_put(asking->table, "%s", is_sellable ? "yes" : "no");
	table_put(asking->table, "%s", total);
	if (is_sellable)
		offer_cells(asking, answer);
	for (uint32_t empty = 0; !is_sellable && empty < 3; empty++)
		table_put(asking->table, "%s", "");
	table_put(asking->table, "%s", sentence);
	for (uint32_t i = 1; i < refusals; i++) {
		sentence_of_refusal(&answer->refusals[i], &asking->report.context, sentence);
		table_row(asking->table);
		for (uint32_t column = 0; column < COLUMNS_BEFORE_WHY; column++)
			table_put(asking->table, "%s", "");
		table_put(asking->table, "%s", sentence);
	}
}

static void offer_json(
	struct asking *asking, const struct offer *offer, const struct keyrack_stay_answer *answer)
{
	bool is_sellable = answer->result.outcome == KEYRACK_RESULT_DONE;
	json_t *object = js_object();
	json_t *refusals = js_array();
	if (offer != NULL) {
		js_count(object, "type", offer->type);
		js_count(object, "plan", offer->plan);
		if (offer->plan_code != NULL)
			js_text(object, "plan_code", offer->plan_code);
	}
	js_bool(object, "bookable", is_sellable);
	js_text(object, "code", keyrack_code_name(answer->result.code));
	if (is_sellable) {
		if (answer->has_total)
			js_money(object, "total", &asking->unit, answer->total_minor);
		js_count(object, "rooms_left", answer->rooms_left);
		js_count(object, "ari_version", answer->ari_version);
		if (answer->free_cancel_until_us != 0)
			js_count(object, "free_cancel_until_us", answer->free_cancel_until_us);
		json_t *lines = js_array();
		for (uint32_t i = 0; i < answer->line_count; i++)
			js_append(lines, line_json(asking, &answer->lines[i]));
		js_set(object, "lines", lines);
	}
	for (uint32_t i = 0; i < answer->refusal_count && i < REFUSALS_MAX; i++)
		js_append(refusals, report_refusal_json(&asking->report, &answer->refusals[i]));
	js_set(object, "refusals", refusals);
	js_append(asking->list, object);
}

/* Is "no" the answer, rather than none? */
static bool is_refused(const struct keyrack_result *result)
{
	return result->outcome == KEYRACK_RESULT_NOT_DONE && result->refusal != NULL &&
	       result->code != KEYRACK_CODE_LIMIT_REACHED;
}

/* Asks about all settled lines together. CLI_DONE, or the exit code that ends the command. */
static int offer_ask(struct asking *asking, const struct offer *offer)
{
	const struct offers *offers = asking->offers;
	const struct keyrack_stay stay = {
		.call = offers->call,
		.hotel_id = asking->hotel_id,
		.lines = offers->lines.settled,
		.line_count = offers->lines.count,
		.has_expected_total = offers->has_expected_total,
		.expected_total_minor = (uint64_t)asking->expected_total_minor,
		.explain = offers->explain,
	};
	struct keyrack_stay_answer answer;
	int r = keyrack_stay(asking->cli->client, &stay, &answer);
	if (r < 0)
		return report_not_taken(asking->cli, r);
	if (r != KEYRACK_RESULT_DONE && !is_refused(&answer.result))
		return report_fail(asking->cli, &asking->report, &answer.result);
	asking->sellable += r == KEYRACK_RESULT_DONE;
	if (asking->list != NULL)
		offer_json(asking, offer, &answer);
	else
		offer_row(asking, offer, &answer);
	return CLI_DONE;
}

static int offer_plan_ask(struct asking *asking, const struct offer *offer)
{
	struct keyrack_line *line = &asking->offers->lines.settled[0];
	kr_assert(asking->offers->lines.has_simple);
	line->type = offer->type;
	line->plan = offer->plan;
	return offer_ask(asking, offer);
}

/* Each plan of the type that is not retired; of a type that has none of them, and of one that is
 * not there, plan 0: its refusal says why. */
static int offer_plans_ask(struct asking *asking, uint32_t type)
{
	const struct offer base = {.type = type};
	uint32_t asked = 0;
	for (uint32_t i = 0; i < asking->plans.count; i++) {
		const struct plans_one *one = &asking->plans.list[i];
		const struct offer offer = {type, one->plan.plan, one->code};
		if (one->plan.type != type || one->plan.settings.status == KEYRACK_STATUS_RETIRED)
			continue;
		int code = offer_plan_ask(asking, &offer);
		if (code != CLI_DONE)
			return code;
		asked++;
	}
	return asked > 0 ? CLI_DONE : offer_plan_ask(asking, &base);
}

/* The plan that was named, by its number or by its code in this type. */
static int offer_named_ask(struct asking *asking, uint32_t type)
{
	const struct line_name *name = &asking->offers->plan;
	struct offer offer = {.type = type, .plan = name->number};
	kr_assert(asking->offers->has_plan);
	for (uint32_t i = 0; name->code[0] != '\0' && i < asking->plans.count; i++) {
		const struct plans_one *one = &asking->plans.list[i];
		if (one->plan.type == type && strcmp(one->code, name->code) == 0) {
			offer.plan = one->plan.plan;
			offer.plan_code = one->code;
			return offer_plan_ask(asking, &offer);
		}
	}
	/* A type that has no plan of that code has nothing to offer. */
	return name->code[0] != '\0' ? CLI_DONE : offer_plan_ask(asking, &offer);
}

static int offers_ask(struct asking *asking)
{
	struct offers *offers = asking->offers;
	kr_assert(offers->lines.count > 0);
	if (!offers->lines.has_simple)
		return offer_ask(asking, NULL);
	for (uint32_t i = 0; i < offers->types.list.count; i++) {
		uint32_t type = offers->types.list.numbers[i];
		int code = offers->has_plan ? offer_named_ask(asking, type)
					    : offer_plans_ask(asking, type);
		if (code != CLI_DONE)
			return code;
	}
	return CLI_DONE;
}

/* Everything that has to be known before the first question. CLI_DONE or the exit code. */
static int offers_settle(struct asking *asking)
{
	struct offers *offers = asking->offers;
	struct kr_error_text error;
	struct lookup_place place;
	int code = lookup_place(asking->cli, asking->hotel_id, &place);
	if (code != CLI_DONE)
		return code;
	asking->unit = place.unit;
	memcpy(asking->zone, place.zone, sizeof(asking->zone));
	kr_error_text_clear(&error);
	if (offers->has_expected_total && money_in_unit(&offers->expected_total, &asking->unit,
						  &asking->expected_total_minor, &error) < 0)
		return cli_wrong(asking->cli, "--expected-total: %s", error.bytes);
	code = request_lines_settle(asking->cli, asking->hotel_id, &asking->unit, &offers->lines);
	if (code == CLI_DONE && offers->lines.has_simple && offers->types.list.count == 0)
		code = lookup_types(asking->cli, asking->hotel_id, &offers->types.list);
	if (code == CLI_DONE && offers->lines.has_simple &&
		(!offers->has_plan || offers->plan.code[0] != '\0'))
		code = plans_get(asking->cli, asking->hotel_id, NULL, &asking->plans);
	if (code == CLI_DONE && offers->lines.has_simple)
		asking->names = names_get(asking->cli, asking->hotel_id, false);
	return code;
}

static void offers_echo(const struct asking *asking)
{
	const struct request_lines *lines = &asking->offers->lines;
	char stay[SPAN_TEXT_SIZE];
	if (!lines->has_simple) {
		request_lines_echo(lines);
		return;
	}
	span_format_stay(lines->lines[0].stay, stay);
	printf("hotel %" PRIu64 ", %u room%s, %u guest%s, %s\n", asking->hotel_id,
		lines->lines[0].rooms, lines->lines[0].rooms == 1 ? "" : "s",
		lines->lines[0].guests, lines->lines[0].guests == 1 ? "" : "s", stay);
}

static void offers_end(struct asking *asking)
{
	json_t *root;
	if (asking->list == NULL) {
		table_print_free(asking->table, "The hotel has no such room types and plans.");
		return;
	}
	root = js_object();
	js_text(root, "outcome", "DONE");
	js_text(root, "code", "DONE");
	js_number_id(root, "hotel_id", asking->hotel_id);
	js_bool(root, "bookable", asking->sellable > 0);
	js_set(root, "offers", asking->list);
	js_print(root);
}

int offers_show(struct cli *cli, struct offers *offers, uint64_t hotel_id)
{
	static const struct table_column columns[] = {{"TYPE", false}, {"PLAN", false},
		{"BOOKABLE", false}, {"TOTAL", true}, {"A ROOM AND NIGHT", false},
		{"ROOMS LEFT", true}, {"FREE CANCELLATION", false}, {"WHY NOT", false}};
	kr_static_assert(KR_ARRAY_COUNT(columns) == COLUMNS_BEFORE_WHY + 1, "the last one");
	struct asking asking = {.cli = cli, .offers = offers, .hotel_id = hotel_id};
	int code;
	asking.report = (struct report){
		.context = {.unit = &asking.unit, .has_lines = !offers->lines.has_simple}};
	code = offers_settle(&asking);
	if (code != CLI_DONE) {
		plans_free(&asking.plans);
		names_free(asking.names);
		return code;
	}
	if (cli->json) {
		asking.list = js_array();
	} else {
		offers_echo(&asking);
		asking.table = table_new(columns, KR_ARRAY_COUNT(columns));
	}
	code = offers_ask(&asking);
	plans_free(&asking.plans);
	names_free(asking.names);
	if (code != CLI_DONE)
		return code;
	offers_end(&asking);
	return asking.sellable > 0 ? CLI_DONE : CLI_REFUSED;
}
