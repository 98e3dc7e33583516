/* keyrack inventory set */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tools/keyrack/commands.h"
#include "tools/keyrack/fields.h"
#include "tools/keyrack/js.h"
#include "tools/keyrack/lookup.h"
#include "tools/keyrack/plans.h"
#include "tools/keyrack/report.h"
#include "tools/keyrack/span.h"
#include "tools/keyrack/table.h"

enum set_key {
	SET_TYPES = 't',
	SET_NIGHTS = 'n',
	SET_PLAN = 'p',
	SET_WEEKDAYS = CLI_KEY_OWN,
	SET_SET,
	SET_ADJUST,
	SET_CLEAR,
	SET_SEQ,
	SET_EXPECT_VERSION,
};

static const struct argp_option set_options[] = {
	{"types", SET_TYPES, "LIST|all", 0,
		"room types by number or code: 0,1,5-9, DBL,TWN, or all", 0},
	{"nights", SET_NIGHTS, "A..B", 0, "from night A to night B, both included", 0},
	{"plan", SET_PLAN, "PLAN", 0,
		"whose prices, lengths of stay and plan-... are set: number or code (BASE)", 0},
	{"weekdays", SET_WEEKDAYS, "DAYS", 0, "only these nights of the week: fri,sat (all)", 0},
	{"set", SET_SET, "FIELD=VALUE[,...]", 0, "give fields a value", 1},
	{"adjust", SET_ADJUST, "FIELD=CHANGE[,...]", 0, "add to fields; needs --source and --seq",
		1},
	{"clear", SET_CLEAR, "FIELD[,...]", 0, "take fields back to the type's default or to none",
		1},
	{"seq", SET_SEQ, "N", 0,
		"number of this update, growing for each --source: an older or repeated one "
		"changes nothing",
		2},
	{"expect-version", SET_EXPECT_VERSION, "V", 0, "refuse if the hotel's version is another",
		2},
	{0},
};

struct set {
	struct fields fields;
	struct type_list types;
	struct line_name plan;
	struct span nights;
	bool has_types;
	bool has_nights;
};

static int set_option(void *options, int key, const char *arg, struct kr_error_text *error)
{
	struct set *set = options;
	struct keyrack_inventory_set *update = &set->fields.update;
	switch ((enum set_key)key) {
	case SET_TYPES:
		set->has_types = true;
		return type_list_parse(arg, &set->types, error);
	case SET_NIGHTS:
		set->has_nights = true;
		return span_parse_nights(arg, &set->nights, error);
	case SET_PLAN:
		return line_plan_parse(arg, &set->plan, error);
	case SET_WEEKDAYS:
		return value_weekdays(arg, &update->weekday_mask, error);
	case SET_SET:
		return fields_set(&set->fields, arg, error);
	case SET_ADJUST:
		return fields_adjust(&set->fields, arg, error);
	case SET_CLEAR:
		return fields_clear(&set->fields, arg, error);
	case SET_SEQ:
		return value_u64(
			arg, (struct value_range){1, UINT64_MAX}, &update->source_seq, error);
	case SET_EXPECT_VERSION:
		update->has_expected_version = true;
		return value_u64(
			arg, (struct value_range){0, UINT64_MAX}, &update->expected_version, error);
	}
	kr_unreachable();
}

/* What no single option can know. CLI_DONE or CLI_USAGE. */
static int set_check(const struct cli *cli, const struct set *set)
{
	const struct keyrack_inventory_set *update = &set->fields.update;
	if (!set->has_types)
		return cli_wrong(cli, "--types is missing: --types 0,1 or --types all");
	if (!set->has_nights)
		return cli_wrong(cli, "--nights is missing: --nights 2026-12-30..2027-01-02");
	if ((update->set_mask | update->adjust_mask | update->clear_mask) == 0)
		return cli_wrong(cli, "nothing to do: give --set, --adjust or --clear");
	if (update->adjust_mask != 0 && update->source_seq == 0)
		return cli_wrong(cli, "--adjust needs --source N --seq N, so that sending it twice "
				      "adds once");
	if (update->source_seq != 0 && cli->origin.source == 0)
		return cli_wrong(cli, "--seq counts for each --source: give --source N");
	return CLI_DONE;
}

static void weekdays_format(uint32_t mask, char *ret, size_t size)
{
	size_t length = 0;
	ret[0] = '\0';
	kr_assert(size >= 40);
	for (uint32_t day = 0; day < 7; day++)
		if ((mask >> day & 1) != 0)
			length += (size_t)snprintf(ret + length, size - length, "%s%s",
				length > 0 ? ", " : "", value_weekday_name(day));
}

static void echo(const struct set *set)
{
	const uint32_t type_count = type_list_count(&set->types);
	char nights[SPAN_TEXT_SIZE];
	char days[40];
	span_format_nights(set->nights, nights);
	weekdays_format(set->fields.update.weekday_mask, days, sizeof(days));
	if (type_count == 0)
		printf("all types, %s", nights);
	else
		printf("%u type%s, %s", type_count, type_count == 1 ? "" : "s", nights);
	if (set->plan.code[0] != '\0')
		printf(", plan %s", set->plan.code);
	else if (set->plan.number != 0)
		printf(", plan %u", set->plan.number);
	printf("%s%s\n", days[0] != '\0' ? ", only " : "", days);
}

static void answer_print(const struct keyrack_inventory_set_answer *answer)
{
	if (answer->repeated_seq) {
		printf("nothing changed: number %" PRIu64 " of this source was accepted before\n",
			answer->last_source_seq);
		return;
	}
	printf("changed %u night%s, counted for each room type, version %" PRIu64 "\n",
		answer->cell_count, answer->cell_count == 1 ? "" : "s", answer->ari_version);
	if (answer->cells_over_limit > 0)
		printf("%u of them are sold beyond their limit now\n", answer->cells_over_limit);
}

static json_t *answer_json(const struct report *report, const struct set *set,
	const struct keyrack_inventory_set_answer *answer)
{
	json_t *root = report_json(report, &answer->result);
	js_number_id(root, "hotel_id", set->fields.update.hotel_id);
	js_count(root, "plan", set->fields.update.plan);
	js_day(root, "first_night", set->nights.first_day);
	js_day(root, "last_night", set->nights.end_day - 1);
	if (answer->result.outcome != KEYRACK_RESULT_DONE)
		return root;
	js_count(root, "ari_version", answer->ari_version);
	js_count(root, "event_seq", answer->event_seq);
	js_count(root, "cells", answer->cell_count);
	js_count(root, "cells_over_limit", answer->cells_over_limit);
	js_bool(root, "repeated_seq", answer->repeated_seq);
	js_count(root, "last_source_seq", answer->last_source_seq);
	return root;
}

static int inventory_set(struct cli *cli, struct set *set, struct money_unit *unit)
{
	const struct report report = {.is_write = true,
		.next = set->fields.update.source_seq != 0
				? "inventory set ... (the same again: --seq lets it count once)"
				: "availability HOTEL --nights A..B (or the same again)",
		.context = {.unit = unit}};
	struct keyrack_inventory_set_answer answer;
	int r = keyrack_inventory_set(cli->client, &set->fields.update, &answer);
	if (r < 0)
		return report_not_taken(cli, r);
	if (cli->json)
		js_print(answer_json(&report, set, &answer));
	else if (r == KEYRACK_RESULT_DONE)
		answer_print(&answer);
	return report_end(cli, &report, &answer.result);
}

/* The price in the hotel's minor units. CLI_DONE or the exit code. */
static int price_settle(struct cli *cli, struct set *set, struct money_unit *ret_unit)
{
	struct keyrack_inventory_set *update = &set->fields.update;
	struct kr_error_text error;
	int code;
	if (!set->fields.has_price)
		return CLI_DONE;
	code = lookup_unit(cli, update->hotel_id, ret_unit);
	if (code != CLI_DONE)
		return code;
	kr_error_text_clear(&error);
	if (money_in_unit(&set->fields.price, ret_unit, &update->price_minor, &error) < 0)
		return cli_wrong(cli, "price: %s", error.bytes);
	return CLI_DONE;
}

/* The types and the plan by number. CLI_DONE or the exit code. */
static int types_settle(struct cli *cli, struct set *set)
{
	struct keyrack_inventory_set *update = &set->fields.update;
	int code = lookup_type_list(cli, update->hotel_id, &set->types);
	if (code != CLI_DONE)
		return code;
	update->types = set->types.list.numbers;
	update->type_count = set->types.list.count;
	return lookup_plan_of_types(
		cli, update->hotel_id, &set->types.list, &set->plan, &update->plan);
}

static void update_fill(const struct cli *cli, struct set *set, uint64_t hotel_id)
{
	struct keyrack_inventory_set *update = &set->fields.update;
	kr_assert(set->nights.first_day < set->nights.end_day);
	update->call = cli_call(cli);
	update->origin = cli->origin;
	update->hotel_id = hotel_id;
	update->first_day = set->nights.first_day;
	update->last_day = set->nights.end_day - 1;
}

int inventory_set_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_spec spec = {
		.options = set_options,
		.option = set_option,
		.args = "HOTEL",
		.doc = "Changes fields of types x nights x weekdays in one operation: all of it "
		       "happens, or nothing.\v"
		       "Fields: physical, out-of-order, allowance (N or P%), cap, available (so "
		       "many left), price (EUR 120.00), closed, cta, ctd, plan-closed, plan-cta, "
		       "plan-ctd (yes or no), min-arrival, max-arrival (nights of a stay that "
		       "arrives there, 0 = none), min-through, max-through (of every stay that "
		       "sleeps there). cta and ctd: no arrival, no departure. The first four and "
		       "the price may be adjusted; all but available may be cleared.",
		.arg_min = 1,
		.arg_max = 1,
		.has_origin = true,
	};
	static struct set set;
	const char *args[CLI_ARGS_MAX];
	struct money_unit unit = {.digits = 0};
	struct value_hotel hotel;
	int code;
	memset(&set, 0, sizeof(set));
	cli_words(cli, &spec, argc, argv, &set, args);
	code = lookup_hotel(cli, args[0], &hotel);
	if (code == CLI_DONE)
		code = set_check(cli, &set);
	if (code != CLI_DONE)
		return code;
	update_fill(cli, &set, hotel.id);
	if (!cli->json)
		echo(&set);
	code = cli_connect(cli);
	if (code == CLI_DONE)
		code = types_settle(cli, &set);
	if (code == CLI_DONE)
		code = price_settle(cli, &set, &unit);
	return code != CLI_DONE ? code : inventory_set(cli, &set, &unit);
}
