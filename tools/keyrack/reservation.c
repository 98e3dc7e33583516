/* keyrack reservation get; and how answers about one reservation look. */
#include "tools/keyrack/reservation.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "tools/keyrack/commands.h"
#include "tools/keyrack/js.h"
#include "tools/keyrack/lookup.h"
#include "tools/keyrack/names.h"
#include "tools/keyrack/span.h"
#include "tools/keyrack/table.h"
#include "tools/keyrack/terms.h"

#define INSTANT_NONE UINT64_C(0)

void reservation_id_print(const struct cli *cli, struct keyrack_id id)
{
	char text[KEYRACK_ID_TEXT_SIZE];
	kr_assert((id.hi | id.lo) != 0);
	keyrack_id_format(id, text);
	/* Not on standard output where that is JSON. */
	fprintf(cli->json ? stderr : stdout, "id %s\n", text);
	fflush(stdout);
}

int reservation_id_check(const struct cli *cli, struct keyrack_id id, bool has_hotel)
{
	if (has_hotel || keyrack_id_is_native(id))
		return CLI_DONE;
	return cli_wrong(cli, "this id was not minted by Keyrack: say its --hotel");
}

/* ---- answers ---- */

static void instant_json(json_t *root, const char *name, uint64_t unix_us)
{
	if (unix_us != INSTANT_NONE)
		js_count(root, name, unix_us);
}

static json_t *answer_json(const struct report *report, const struct reservation_context *context,
	const struct keyrack_reservation_answer *answer)
{
	json_t *root = report_json(report, &answer->result);
	js_id(root, "id", context->id);
	if (answer->hotel_id != 0)
		js_number_id(root, "hotel_id", answer->hotel_id);
	if (answer->state == 0)
		return root;
	js_text(root, "state", keyrack_state_name(answer->state));
	js_bool(root, "due", answer->due);
	js_count(root, "revision", answer->revision);
	js_bool(root, "repeated", answer->repeated);
	js_count(root, "event_seq", answer->event_seq);
	instant_json(root, "expires_at_us", answer->expires_at_us);
	if (answer->has_total)
		js_money(root, "total", &context->unit, answer->total_minor);
	if (answer->has_amounts) {
		js_money(root, "penalty", &context->unit, answer->penalty_minor);
		js_money(root, "refundable", &context->unit, answer->refundable_minor);
	}
	if (answer->first_code != 0)
		js_text(root, "first_code", keyrack_code_name(answer->first_code));
	return root;
}

static void total_format(const struct money_unit *unit, uint64_t minor, char *ret, size_t size)
{
	char text[MONEY_TEXT_SIZE];
	if (unit->currency[0] == '\0') {
		(void)snprintf(ret, size, "%" PRIu64 " minor units", minor);
		return;
	}
	money_format(unit, (int64_t)minor, text);
	(void)snprintf(ret, size, "%s", text);
}

static void answer_table(
	const struct reservation_context *context, const struct keyrack_reservation_answer *answer)
{
	char text[TERMS_TEXT_SIZE];
	if (answer->state == KEYRACK_STATE_VOID) {
		puts("VOID: nothing was sold under this id, and nothing ever will be");
		return;
	}
	printf("%s%s, revision %u", keyrack_state_name(answer->state), answer->due ? ", due" : "",
		answer->revision);
	if (answer->has_total) {
		total_format(&context->unit, answer->total_minor, text, sizeof(text));
		printf(", total %s", text);
	}
	if (answer->has_amounts) {
		terms_cost_format(
			answer->penalty_minor, answer->refundable_minor, &context->unit, text);
		printf(", %s", text);
	}
	if (answer->state == KEYRACK_STATE_HELD) {
		span_format_instant(answer->expires_at_us, text);
		printf(", until %s", text);
	}
	puts(answer->repeated ? " (it was so before: nothing happened now)" : "");
}

int reservation_answer_print(struct cli *cli, struct reservation_context *context,
	const struct keyrack_reservation_answer *answer)
{
	/* The lookup below reuses the client's memory: the answer's own must be copied first. */
	struct keyrack_reservation_answer kept = *answer;
	struct keyrack_refusal refusal;
	char next[64] = "resolve ";
	char field[64] = "";
	const struct report report = {.is_write = !context->is_read,
		.next = next,
		.context = {.unit = &context->unit, .has_lines = context->has_lines}};
	uint64_t hotel_id = answer->hotel_id != 0 ? answer->hotel_id : context->hotel_id;
	keyrack_id_format(context->id, next + strlen(next));
	if (answer->result.refusal != NULL) {
		refusal = *answer->result.refusal;
		(void)snprintf(
			field, sizeof(field), "%s", refusal.text != NULL ? refusal.text : "");
		refusal.text = field;
		kept.result.refusal = &refusal;
	}
	if (context->unit.currency[0] == '\0' && kept.has_total && hotel_id != 0)
		context->unit = lookup_unit_quietly(cli, hotel_id);
	if (cli->json)
		js_print(answer_json(&report, context, &kept));
	else if (kept.state != 0)
		answer_table(context, &kept);
	return report_end(cli, &report, &kept.result);
}

/* ---- reservation get ---- */

const char *reservation_pricing_name(enum keyrack_pricing pricing)
{
	switch (pricing) {
	case KEYRACK_PRICING_CALENDAR:
		return "calendar";
	case KEYRACK_PRICING_CALLER:
		return "caller";
	case KEYRACK_PRICING_NONE:
		return "count_only";
	}
	return "unknown";
}

static json_t *line_json(const struct keyrack_line *line, const struct money_unit *unit)
{
	json_t *object = js_object();
	json_t *runs = js_array();
	js_count(object, "type", line->type);
	js_count(object, "plan", line->plan);
	js_day(object, "check_in", line->check_in_day);
	js_day(object, "check_out", line->check_out_day);
	js_count(object, "rooms", line->rooms);
	js_count(object, "guests", line->guests);
	js_text(object, "pricing", reservation_pricing_name(line->pricing));
	for (uint32_t i = 0; i < line->run_count; i++) {
		json_t *run = js_object();
		js_count(run, "nights", line->runs[i].nights);
		js_money(run, "price", unit, line->runs[i].price_minor);
		js_append(runs, run);
	}
	js_set(object, "prices", runs);
	terms_line_json(object, line);
	return object;
}

void reservation_json(
	json_t *root, const struct keyrack_reservation *reservation, const struct money_unit *unit)
{
	json_t *lines = js_array();
	js_id(root, "id", reservation->id);
	js_number_id(root, "hotel_id", reservation->hotel_id);
	js_text(root, "state", keyrack_state_name(reservation->state));
	js_bool(root, "due", reservation->due);
	js_count(root, "revision", reservation->revision);
	instant_json(root, "created_at_us", reservation->created_at_us);
	instant_json(root, "changed_at_us", reservation->changed_at_us);
	instant_json(root, "expires_at_us", reservation->expires_at_us);
	for (uint32_t i = 0; i < reservation->line_count; i++)
		js_append(lines, line_json(&reservation->lines[i], unit));
	js_set(root, "lines", lines);
	if (reservation->has_total)
		js_money(root, "total", unit, reservation->total_minor);
	instant_json(root, "free_cancel_until_us", reservation->free_cancel_until_us);
	if (reservation->has_amounts) {
		js_money(root, "penalty", unit, reservation->penalty_minor);
		js_money(root, "refundable", unit, reservation->refundable_minor);
	}
	js_id(root, "guest", reservation->guest);
	js_text(root, "external_ref", reservation->external_ref);
	js_text(root, "payment_ref", reservation->payment_ref);
	js_count(root, "source", reservation->source);
	js_day(root, "counted_until", reservation->counted_until_day);
	js_count(root, "event_seq", reservation->event_seq);
	js_bool(root, "was_held", reservation->was_held);
	js_bool(root, "graced", reservation->graced);
	if (reservation->change_id != 0) {
		char change[TRANSITION_CHANGE_TEXT_SIZE];
		transition_change_format(reservation->change_id, change);
		js_text(root, "change_id", change);
	}
}

static json_t *get_json(
	const struct keyrack_reservation_get_answer *answer, const struct money_unit *unit)
{
	json_t *root = report_json(&report_of_read, &answer->result);
	reservation_json(root, &answer->reservation, unit);
	return root;
}

void reservation_prices_format(const struct keyrack_line *line, const struct money_unit *unit,
	char ret_text[static RESERVATION_PRICES_SIZE])
{
	struct kr_text text;
	kr_text_init(&text, ret_text, RESERVATION_PRICES_SIZE);
	if (line->pricing == KEYRACK_PRICING_NONE)
		kr_text_put_string(&text, "count only");
	for (uint32_t i = 0; i < line->run_count; i++) {
		char price[64];
		total_format(unit, line->runs[i].price_minor, price, sizeof(price));
		kr_text_format(&text, "%s%u x %s", i > 0 ? ", " : "", line->runs[i].nights, price);
	}
	if (text.is_cut)
		memcpy(ret_text + RESERVATION_PRICES_SIZE - sizeof("..."), "...", sizeof("..."));
	kr_assert(text.length < RESERVATION_PRICES_SIZE);
}

static void lines_table(const struct keyrack_reservation *reservation,
	const struct money_unit *unit, const struct names *names)
{
	static const struct table_column columns[] = {{"LINE", true}, {"TYPE", false},
		{"PLAN", false}, {"ROOMS", true}, {"GUESTS", true}, {"STAY", false},
		{"NIGHTS X PRICE", false}, {"TERMS", false}};
	struct table *table = table_new(columns, KR_ARRAY_COUNT(columns));
	for (uint32_t i = 0; i < reservation->line_count; i++) {
		const struct keyrack_line *line = &reservation->lines[i];
		struct span stay = {line->check_in_day, line->check_out_day};
		char text[SPAN_TEXT_SIZE];
		char type[NAMES_TEXT_SIZE], plan[NAMES_TEXT_SIZE];
		char prices[RESERVATION_PRICES_SIZE], terms[TERMS_TEXT_SIZE];
		span_format_stay(stay, text);
		reservation_prices_format(line, unit, prices);
		names_type_format(names, line->type, type);
		names_plan_format(names, line->type, line->plan, plan);
		table_row(table);
		table_put(table, "%u", i + 1);
		table_put(table, "%s", type);
		table_put(table, "%s", plan);
		table_put(table, "%u", line->rooms);
		table_put(table, "%u", line->guests);
		table_put(table, "%s", text);
		table_put(table, "%s", prices);
		terms_policy_format(line, terms);
		table_put(table, "%s", terms);
	}
	table_print_free(table, "It has no lines.");
}

static void instant_fact(const char *name, uint64_t unix_us)
{
	char text[SPAN_INSTANT_TEXT_SIZE];
	if (unix_us == INSTANT_NONE)
		return;
	span_format_instant(unix_us, text);
	fact_print(name, "%s", text);
}

static void terms_facts(
	const struct keyrack_reservation *reservation, const struct lookup_place *place)
{
	bool is_ended = reservation->state == KEYRACK_STATE_CANCELLED ||
			reservation->state == KEYRACK_STATE_NO_SHOW;
	char text[TERMS_TEXT_SIZE];
	if (reservation->line_count == 0)
		return;
	terms_free_format(reservation->free_cancel_until_us, place->zone, text);
	fact_print("cancellation", "%s", text);
	if (!reservation->has_amounts)
		return;
	kr_assert(reservation->state != KEYRACK_STATE_VOID);
	terms_cost_format(
		reservation->penalty_minor, reservation->refundable_minor, &place->unit, text);
	fact_print(is_ended                                   ? "it cost"
		   : reservation->state == KEYRACK_STATE_HELD ? "if released now"
							      : "if cancelled now",
		"%s", text);
}

static void get_print(const struct keyrack_reservation *reservation,
	const struct lookup_place *place, const struct names *names)
{
	const struct money_unit *unit = &place->unit;
	char text[64];
	keyrack_id_format(reservation->id, text);
	fact_print("id", "%s", text);
	fact_print("hotel", "%" PRIu64, reservation->hotel_id);
	fact_print("state", "%s%s, revision %u", keyrack_state_name(reservation->state),
		reservation->due ? " (past its deadline)" : "", reservation->revision);
	instant_fact("created", reservation->created_at_us);
	instant_fact("changed", reservation->changed_at_us);
	if (reservation->state == KEYRACK_STATE_HELD)
		instant_fact("held until", reservation->expires_at_us);
	if (reservation->has_total) {
		total_format(unit, reservation->total_minor, text, sizeof(text));
		fact_print("total", "%s", text);
	}
	terms_facts(reservation, place);
	if (reservation->external_ref != NULL && reservation->external_ref[0] != '\0')
		fact_print("external reference", "%s", reservation->external_ref);
	if (reservation->payment_ref != NULL && reservation->payment_ref[0] != '\0')
		fact_print("payment", "%s", reservation->payment_ref);
	if (reservation->source != 0)
		fact_print("source", "%u", reservation->source);
	if (reservation->line_count > 0)
		lines_table(reservation, unit, names);
}

/* Of an answer, whose memory ends with the next call, the hotel's unit and names have to be had
 * before. */
static int reservation_get(struct cli *cli, const struct keyrack_reservation_get *get)
{
	struct keyrack_reservation_get_answer answer;
	struct lookup_place place;
	struct names *names = NULL;
	int r = keyrack_reservation_get(cli->client, get, &answer);
	if (r == KEYRACK_RESULT_DONE) {
		uint64_t hotel_id = answer.reservation.hotel_id;
		place = lookup_place_quietly(cli, hotel_id);
		names = names_get(cli, hotel_id, true);
		r = keyrack_reservation_get(cli->client, get, &answer);
	}
	r = report_got(cli, r, &answer.result);
	if (r == CLI_DONE && cli->json)
		js_print(get_json(&answer, &place.unit));
	else if (r == CLI_DONE)
		get_print(&answer.reservation, &place, names);
	names_free(names);
	return r;
}

static const struct argp_option get_options[] = {
	{"hotel", CLI_KEY_OWN, "HOTEL", 0, RESERVATION_HOTEL_HELP, 0}, {0}};

static int get_option(void *options, int key, const char *arg, struct kr_error_text *error)
{
	struct keyrack_reservation_get *get = options;
	struct value_hotel hotel = {.id = 0};
	int r = value_hotel(arg, &hotel, error);
	kr_assert(key == CLI_KEY_OWN);
	get->has_hotel = true;
	get->hotel_id = hotel.id;
	return r;
}

int reservation_get_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_spec spec = {
		.options = get_options,
		.option = get_option,
		.args = "ID",
		.doc = "Shows a reservation. Its id alone says where it lives.",
		.arg_min = 1,
		.arg_max = 1,
	};
	const char *args[CLI_ARGS_MAX];
	struct keyrack_reservation_get get = {.has_hotel = false};
	int code;
	cli_words(cli, &spec, argc, argv, &get, args);
	code = lookup_id(cli, args[0], &get.id);
	if (code == CLI_DONE)
		code = reservation_id_check(cli, get.id, get.has_hotel);
	if (code == CLI_DONE)
		code = cli_connect(cli);
	get.call = cli_call(cli);
	return code != CLI_DONE ? code : reservation_get(cli, &get);
}
