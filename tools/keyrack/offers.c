#include "tools/keyrack/offers.h"

#include <inttypes.h>
#include <stdio.h>

#include "tools/keyrack/js.h"
#include "tools/keyrack/lookup.h"
#include "tools/keyrack/report.h"
#include "tools/keyrack/table.h"

#define REFUSALS_MAX 64u

/* What all questions of one command share. */
struct asking {
	struct cli *cli;
	struct offers *offers;
	struct money_unit unit;
	uint64_t hotel_id;
	int64_t expected_total_minor;
	uint32_t sellable; /* offers that could be sold */
	struct table *table;
	json_t *list;
	struct report report;
};

static void offer_row(
	struct asking *asking, const char *what, const struct keyrack_stay_answer *answer)
{
	bool is_sellable = answer->result.outcome == KEYRACK_RESULT_DONE;
	char total[MONEY_TEXT_SIZE] = "";
	char sentence[SENTENCE_SIZE] = "";
	uint32_t refusals = is_sellable ? 0 : KR_MIN(answer->refusal_count, REFUSALS_MAX);
	if (is_sellable && answer->has_total)
		money_format(&asking->unit, (int64_t)answer->total_minor, total);
	if (refusals > 0)
		sentence_of_refusal(&answer->refusals[0], &asking->report.context, sentence);
	table_row(asking->table);
	table_put(asking->table, "%s", what);
	table_put(asking->table, "%s", is_sellable ? "yes" : "no");
	table_put(asking->table, "%s", total);
	if (is_sellable)
		table_put(asking->table, "%u", answer->rooms_left);
	else
		table_put(asking->table, "%s", "");
	table_put(asking->table, "%s", sentence);
	for (uint32_t i = 1; i < refusals; i++) {
		sentence_of_refusal(&answer->refusals[i], &asking->report.context, sentence);
		table_row(asking->table);
		for (uint32_t column = 0; column < 4; column++)
			table_put(asking->table, "%s", "");
		table_put(asking->table, "%s", sentence);
	}
}

static void offer_json(
	struct asking *asking, const uint32_t *type, const struct keyrack_stay_answer *answer)
{
	bool is_sellable = answer->result.outcome == KEYRACK_RESULT_DONE;
	json_t *object = js_object();
	json_t *refusals = js_array();
	if (type != NULL)
		js_count(object, "type", *type);
	js_bool(object, "bookable", is_sellable);
	js_text(object, "code", keyrack_code_name(answer->result.code));
	if (is_sellable) {
		if (answer->has_total)
			js_money(object, "total", &asking->unit, answer->total_minor);
		js_count(object, "rooms_left", answer->rooms_left);
		js_count(object, "ari_version", answer->ari_version);
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
static int offer_ask(struct asking *asking, const uint32_t *type)
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
	char what[16];
	int r = keyrack_stay(asking->cli->client, &stay, &answer);
	if (r < 0)
		return report_not_taken(asking->cli, r);
	if (r != KEYRACK_RESULT_DONE && !is_refused(&answer.result))
		return report_fail(asking->cli, &asking->report, &answer.result);
	asking->sellable += r == KEYRACK_RESULT_DONE;
	(void)snprintf(what, sizeof(what), type != NULL ? "%u" : "all", type != NULL ? *type : 0);
	if (asking->list != NULL)
		offer_json(asking, type, &answer);
	else
		offer_row(asking, what, &answer);
	return CLI_DONE;
}

static int offers_ask(struct asking *asking)
{
	struct offers *offers = asking->offers;
	kr_assert(offers->lines.count > 0);
	if (!offers->lines.has_simple)
		return offer_ask(asking, NULL);
	for (uint32_t i = 0; i < offers->types.count; i++) {
		int code;
		offers->lines.settled[0].type = offers->types.numbers[i];
		code = offer_ask(asking, &offers->types.numbers[i]);
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
	int code = lookup_unit(asking->cli, asking->hotel_id, &asking->unit);
	if (code != CLI_DONE)
		return code;
	kr_error_text_clear(&error);
	if (offers->has_expected_total && money_in_unit(&offers->expected_total, &asking->unit,
						  &asking->expected_total_minor, &error) < 0)
		return cli_wrong(asking->cli, "--expected-total: %s", error.bytes);
	code = request_lines_settle(asking->cli, asking->hotel_id, &asking->unit, &offers->lines);
	if (code == CLI_DONE && offers->lines.has_simple && offers->types.count == 0)
		code = lookup_types(asking->cli, asking->hotel_id, &offers->types);
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
		table_print_free(asking->table, "The hotel has no room types.");
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
	static const struct table_column columns[] = {{"TYPE", true}, {"BOOKABLE", false},
		{"TOTAL", true}, {"ROOMS LEFT", true}, {"WHY NOT", false}};
	struct asking asking = {.cli = cli, .offers = offers, .hotel_id = hotel_id};
	int code;
	asking.report = (struct report){
		.context = {.unit = &asking.unit, .has_lines = !offers->lines.has_simple}};
	code = offers_settle(&asking);
	if (code != CLI_DONE)
		return code;
	if (cli->json) {
		asking.list = js_array();
	} else {
		offers_echo(&asking);
		asking.table = table_new(columns, KR_ARRAY_COUNT(columns));
	}
	code = offers_ask(&asking);
	if (code != CLI_DONE)
		return code;
	offers_end(&asking);
	return asking.sellable > 0 ? CLI_DONE : CLI_REFUSED;
}
