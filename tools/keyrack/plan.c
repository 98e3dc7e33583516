/* keyrack plan put|get|list */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tools/keyrack/commands.h"
#include "tools/keyrack/js.h"
#include "tools/keyrack/lookup.h"
#include "tools/keyrack/plan_words.h"
#include "tools/keyrack/plans.h"
#include "tools/keyrack/report.h"
#include "tools/keyrack/table.h"
#include "tools/keyrack/terms.h"

/* ---- showing ---- */

/* "its own", "of plan 0, +10%", "of plan 0, EUR -5.00". */
static void prices_format(const struct keyrack_plan_settings *settings,
	const struct money_unit *unit, char *ret_text, size_t size_bytes)
{
	char change[MONEY_TEXT_SIZE] = "";
	kr_static_assert(MONEY_TEXT_SIZE >= PLAN_PERCENT_SIZE, "either of them fits");
	if (settings->derivation == KEYRACK_DERIVED_NOT) {
		(void)snprintf(ret_text, size_bytes, "%s", "its own");
		return;
	}
	if (settings->derivation == KEYRACK_DERIVED_BASIS_POINTS)
		plan_percent_format(settings->adjustment, change);
	else if (unit->currency[0] != '\0')
		money_format(unit, settings->adjustment, change);
	else
		(void)snprintf(change, sizeof(change), "%" PRId64, settings->adjustment);
	(void)snprintf(ret_text, size_bytes, "of plan %u%s%s", settings->parent,
		settings->adjustment != 0 ? ", " : "", settings->adjustment != 0 ? change : "");
}

static void derivation_json(
	json_t *root, const struct keyrack_plan_settings *settings, const struct money_unit *unit)
{
	char text[MONEY_TEXT_SIZE];
	bool is_percent = settings->derivation == KEYRACK_DERIVED_BASIS_POINTS;
	js_bool(root, "derived", settings->derivation != KEYRACK_DERIVED_NOT);
	if (settings->derivation == KEYRACK_DERIVED_NOT)
		return;
	js_count(root, "from", settings->parent);
	if (is_percent) {
		plan_percent_format(settings->adjustment, text);
		js_text(root, "percent", text);
		js_int(root, "basis_points", settings->adjustment);
		return;
	}
	kr_assert(unit != NULL);
	if (unit->currency[0] != '\0') {
		money_format(unit, settings->adjustment, text);
		js_text(root, "amount", text);
	}
	js_int(root, "amount_minor", settings->adjustment);
}

static void plan_json(json_t *root, const struct keyrack_plan *plan, const struct money_unit *unit)
{
	const struct keyrack_plan_settings *settings = &plan->settings;
	char policy[POLICY_TEXT_SIZE];
	kr_assert(settings->code != NULL);
	js_count(root, "type", plan->type);
	js_count(root, "plan", plan->plan);
	js_text(root, "plan_code", settings->code);
	js_text(root, "status", report_status_name(settings->status));
	derivation_json(root, settings, unit);
	policy_format(settings->tiers, settings->tier_count, policy);
	js_text(root, "policy", policy);
	terms_tiers_json(root, settings->tiers, settings->tier_count);
	js_count(root, "advance_min_minutes", settings->advance_min_minutes);
	js_count(root, "advance_max_minutes", settings->advance_max_minutes);
}

static void minutes_put(struct table *table, uint32_t minutes)
{
	if (minutes != 0)
		table_put(table, "%u", minutes);
	else
		table_put(table, "%s", "");
}

static void plan_row(
	struct table *table, const struct keyrack_plan *plan, const struct money_unit *unit)
{
	const struct keyrack_plan_settings *settings = &plan->settings;
	char text[POLICY_TEXT_SIZE];
	const char *name = policy_name(settings->tiers, settings->tier_count);
	table_row(table);
	table_put(table, "%u", plan->type);
	table_put(table, "%u", plan->plan);
	table_put(table, "%s", settings->code);
	table_put(table, "%s", report_status_name(settings->status));
	prices_format(settings, unit, text, sizeof(text));
	table_put(table, "%s", text);
	policy_format(settings->tiers, settings->tier_count, text);
	if (name != NULL && settings->tier_count > 0)
		table_put(table, "%s (%s)", name, text);
	else
		table_put(table, "%s", text);
	minutes_put(table, settings->advance_min_minutes);
	minutes_put(table, settings->advance_max_minutes);
}

static struct table *plan_table(void)
{
	static const struct table_column columns[] = {{"TYPE", true}, {"PLAN", true},
		{"CODE", false}, {"STATUS", false}, {"PRICES", false}, {"CANCELLATION", false},
		{"LATEST (MIN BEFORE)", true}, {"EARLIEST (MIN BEFORE)", true}};
	kr_assert(columns[0].is_number);
	return table_new(columns, KR_ARRAY_COUNT(columns));
}

/* ---- plan put ---- */

static int plan_put(struct cli *cli, const struct keyrack_plan_put *put, struct money_unit *unit)
{
	char next[64];
	const struct report report = {.is_write = true, .next = next};
	struct keyrack_plan_answer answer;
	struct table *table;
	int r = keyrack_plan_put(cli->client, put, &answer);
	(void)snprintf(next, sizeof(next), "plan list %" PRIu64 " %u", put->hotel_id, put->type);
	if (r < 0)
		return report_not_taken(cli, r);
	if (r != KEYRACK_RESULT_DONE)
		return report_fail(cli, &report, &answer.result);
	if (cli->json) {
		json_t *root = report_json(&report, &answer.result);
		js_bool(root, "created", answer.created);
		js_number_id(root, "hotel_id", put->hotel_id);
		plan_json(root, &answer.plan, unit);
		js_count(root, "ari_version", answer.ari_version);
		js_print(root);
		return CLI_DONE;
	}
	printf("%s, version %" PRIu64 "\n", answer.created ? "created" : "changed",
		answer.ari_version);
	table = plan_table();
	plan_row(table, &answer.plan, unit);
	table_print_free(table, "");
	return CLI_DONE;
}

/* The words for which somebody has to be asked. CLI_DONE or the exit code. */
static int plan_settle(struct cli *cli, struct plan_words *words, struct money_unit *ret_unit)
{
	struct keyrack_plan_put *put = &words->put;
	struct kr_error_text error;
	int code = CLI_DONE;
	kr_error_text_clear(&error);
	if (words->has_amount)
		code = lookup_unit(cli, put->hotel_id, ret_unit);
	else
		*ret_unit = lookup_unit_quietly(cli, put->hotel_id);
	if (code == CLI_DONE && words->has_parent)
		code = lookup_plan(
			cli, put->hotel_id, put->type, &words->parent, &put->settings.parent);
	if (code == CLI_DONE && words->has_amount &&
		money_in_unit(&words->amount, ret_unit, &put->settings.adjustment, &error) < 0)
		return cli_wrong(cli, "--amount: %s", error.bytes);
	return code;
}

/* HOTEL TYPE PLAN; the last two by number or by code, looked up when there is a client. */
struct plan_name {
	struct value_hotel hotel;
	struct line_name type, plan;
};

static int name_read(const struct cli *cli, const char *const *args, struct plan_name *ret_name)
{
	struct kr_error_text error;
	int code = lookup_hotel(cli, args[0], &ret_name->hotel);
	kr_error_text_clear(&error);
	if (code == CLI_DONE && args[1] != NULL &&
		line_type_parse(args[1], &ret_name->type, &error) < 0)
		return cli_wrong(cli, "TYPE: %s", error.bytes);
	if (code == CLI_DONE && args[2] != NULL &&
		line_plan_parse(args[2], &ret_name->plan, &error) < 0)
		return cli_wrong(cli, "PLAN: %s", error.bytes);
	return code;
}

static int name_settle(
	struct cli *cli, const struct plan_name *name, uint32_t *ret_type, uint32_t *ret_plan)
{
	int code = lookup_type(cli, name->hotel.id, &name->type, ret_type);
	kr_assert(cli->client != NULL);
	if (code != CLI_DONE)
		return code;
	return lookup_plan(cli, name->hotel.id, *ret_type, &name->plan, ret_plan);
}

int plan_put_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_spec spec = {
		.options = plan_words_options,
		.option = plan_words_set,
		.args = "HOTEL TYPE PLAN",
		.doc = "Creates rate plan PLAN (a number) of a room type, or changes the settings "
		       "that are given. All plans of a type sell the same rooms. Plan 0, BASE, "
		       "comes with the type.\v"
		       "A plan has prices and restrictions by night of its own (`inventory set "
		       "--plan`), or, created with --from, those of another plan and a price that "
		       "differs by --percent or --amount. Types and plans that are there may be "
		       "named by their codes.",
		.arg_min = 3,
		.arg_max = 3,
		.has_origin = true,
	};
	static struct plan_words words;
	const char *args[CLI_ARGS_MAX];
	struct plan_name name = {.type = {.number = 0}};
	struct money_unit unit = {.digits = 0};
	struct kr_error_text error;
	int code;
	memset(&words, 0, sizeof(words));
	kr_error_text_clear(&error);
	cli_words(cli, &spec, argc, argv, &words, args);
	code = name_read(cli, args, &name);
	if (code == CLI_DONE && plan_words_finish(&words, &error) < 0)
		code = cli_wrong(cli, "%s", error.bytes);
	if (code == CLI_DONE)
		code = cli_connect(cli);
	words.put.hotel_id = name.hotel.id;
	words.put.call = cli_call(cli);
	words.put.origin = cli->origin;
	if (code == CLI_DONE)
		code = name_settle(cli, &name, &words.put.type, &words.put.plan);
	if (code == CLI_DONE)
		code = plan_settle(cli, &words, &unit);
	return code != CLI_DONE ? code : plan_put(cli, &words.put, &unit);
}

/* ---- plan get, plan list ---- */

/* Of several, or of the only one: then its settings are not in a list. */
static int plans_show(struct cli *cli, uint64_t hotel_id, const struct plans *plans, bool is_list,
	const struct money_unit *unit)
{
	struct table *table;
	kr_assert(is_list || plans->count == 1);
	if (cli->json) {
		json_t *root = js_object();
		json_t *list = js_array();
		js_text(root, "outcome", "DONE");
		js_text(root, "code", "DONE");
		js_number_id(root, "hotel_id", hotel_id);
		js_count(root, "ari_version", plans->ari_version);
		if (!is_list)
			plan_json(root, &plans->list[0].plan, unit);
		for (uint32_t i = 0; i < plans->count && is_list; i++) {
			json_t *object = js_object();
			plan_json(object, &plans->list[i].plan, unit);
			js_append(list, object);
		}
		if (is_list)
			js_set(root, "plans", list);
		else
			json_decref(list);
		js_print(root);
		return CLI_DONE;
	}
	table = plan_table();
	for (uint32_t i = 0; i < plans->count; i++)
		plan_row(table, &plans->list[i].plan, unit);
	table_print_free(table, "The hotel has no room types.");
	return CLI_DONE;
}

static int type_missing(const struct cli *cli, uint32_t type)
{
	return report_missing(
		cli, "the hotel has no room type %u; `keyrack type get` lists them", type);
}

static int plan_list(struct cli *cli, uint64_t hotel_id, const struct line_name *type)
{
	struct money_unit unit;
	struct plans plans = {.count = 0};
	uint32_t number = 0;
	int code = lookup_unit(cli, hotel_id, &unit);
	if (code == CLI_DONE && type != NULL)
		code = lookup_type(cli, hotel_id, type, &number);
	if (code == CLI_DONE)
		code = plans_get(cli, hotel_id, type != NULL ? &number : NULL, &plans);
	/* Every type has a plan. */
	if (code == CLI_DONE && type != NULL && plans.count == 0)
		code = type_missing(cli, number);
	if (code == CLI_DONE)
		code = plans_show(cli, hotel_id, &plans, true, &unit);
	plans_free(&plans);
	return code;
}

int plan_list_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_spec spec = {
		.args = "HOTEL [TYPE]",
		.doc = "Shows the rate plans of a hotel's room types, or of one of them.",
		.arg_min = 1,
		.arg_max = 2,
	};
	const char *args[CLI_ARGS_MAX];
	struct plan_name name = {.type = {.number = 0}};
	int code;
	cli_words(cli, &spec, argc, argv, NULL, args);
	code = name_read(cli, args, &name);
	kr_assert(args[2] == NULL);
	if (code == CLI_DONE)
		code = cli_connect(cli);
	if (code != CLI_DONE)
		return code;
	return plan_list(cli, name.hotel.id, args[1] != NULL ? &name.type : NULL);
}

/* The one of that number, alone. */
static int plan_show(struct cli *cli, uint64_t hotel_id, uint32_t type, uint32_t number)
{
	struct money_unit unit = lookup_unit_quietly(cli, hotel_id);
	struct plans plans;
	int code = plans_get(cli, hotel_id, &type, &plans);
	uint32_t at = 0;
	while (at < plans.count && plans.list[at].plan.plan != number)
		at++;
	if (code == CLI_DONE && plans.count == 0)
		code = type_missing(cli, type);
	if (code == CLI_DONE && at == plans.count)
		code = report_missing(cli,
			"room type %u has no rate plan %u; `keyrack plan list` lists them", type,
			number);
	if (code == CLI_DONE) {
		struct plans one = {.list = &plans.list[at],
			.count = 1,
			.room = 1,
			.ari_version = plans.ari_version};
		code = plans_show(cli, hotel_id, &one, false, &unit);
	}
	plans_free(&plans);
	return code;
}

int plan_get_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_spec spec = {
		.args = "HOTEL TYPE PLAN",
		.doc = "Shows a rate plan; type and plan by number or by code.",
		.arg_min = 3,
		.arg_max = 3,
	};
	const char *args[CLI_ARGS_MAX];
	struct plan_name name = {.type = {.number = 0}};
	uint32_t type = 0, plan = 0;
	int code;
	cli_words(cli, &spec, argc, argv, NULL, args);
	code = name_read(cli, args, &name);
	kr_assert(args[2] != NULL);
	if (code == CLI_DONE)
		code = cli_connect(cli);
	if (code == CLI_DONE)
		code = name_settle(cli, &name, &type, &plan);
	return code != CLI_DONE ? code : plan_show(cli, name.hotel.id, type, plan);
}
