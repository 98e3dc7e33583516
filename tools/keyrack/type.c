/* keyrack type put|get */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tools/keyrack/commands.h"
#include "tools/keyrack/js.h"
#include "tools/keyrack/lookup.h"
#include "tools/keyrack/report.h"
#include "tools/keyrack/table.h"
#include "tools/keyrack/type_words.h"

/* ---- showing ---- */

static void allowance_format(const struct keyrack_type_settings *settings, char *ret, size_t size)
{
	if (settings->allowance_unit == KEYRACK_ALLOWANCE_BASIS_POINTS)
		(void)snprintf(ret, size, "%g%%", settings->allowance / 100.0);
	else
		(void)snprintf(ret, size, "%d", settings->allowance);
}

static void type_json(json_t *root, const struct keyrack_type *type)
{
	const struct keyrack_type_settings *settings = &type->settings;
	bool is_percent = settings->allowance_unit == KEYRACK_ALLOWANCE_BASIS_POINTS;
	js_count(root, "type", type->type);
	js_text(root, "type_code", settings->code);
	js_text(root, "status", report_status_name(settings->status));
	js_text(root, "plan_status", report_status_name(settings->plan_status));
	if ((type->set_mask & KEYRACK_TYPE_PHYSICAL) != 0)
		js_count(root, "physical", settings->physical);
	if ((type->set_mask & KEYRACK_TYPE_OUT_OF_ORDER) != 0)
		js_count(root, "out_of_order", settings->out_of_order);
	if ((type->set_mask & KEYRACK_TYPE_ALLOWANCE) != 0) {
		js_int(root, "allowance", settings->allowance);
		js_text(root, "allowance_unit", is_percent ? "basis_points" : "rooms");
	}
	if ((type->set_mask & KEYRACK_TYPE_CAP) != 0)
		js_int(root, "cap", settings->cap);
	js_count(root, "guests_max", settings->guests_max);
	js_count(root, "advance_min_minutes", settings->advance_min_minutes);
	js_count(root, "advance_max_minutes", settings->advance_max_minutes);
}

/* A number of the table, or nothing where it is not set. */
static void put_if(struct table *table, bool is_set, int64_t value)
{
	if (is_set)
		table_put(table, "%" PRId64, value);
	else
		table_put(table, "%s", "");
}

static void type_row(struct table *table, const struct keyrack_type *type)
{
	const struct keyrack_type_settings *settings = &type->settings;
	char allowance[32] = "";
	if ((type->set_mask & KEYRACK_TYPE_ALLOWANCE) != 0)
		allowance_format(settings, allowance, sizeof(allowance));
	table_row(table);
	table_put(table, "%u", type->type);
	table_put(table, "%s", settings->code);
	table_put(table, "%s", report_status_name(settings->status));
	put_if(table, (type->set_mask & KEYRACK_TYPE_PHYSICAL) != 0, settings->physical);
	put_if(table, (type->set_mask & KEYRACK_TYPE_OUT_OF_ORDER) != 0, settings->out_of_order);
	table_put(table, "%s", allowance);
	put_if(table, (type->set_mask & KEYRACK_TYPE_CAP) != 0, settings->cap);
	put_if(table, settings->guests_max != 0, settings->guests_max);
	table_put(table, "%s", report_status_name(settings->plan_status));
	put_if(table, settings->advance_min_minutes != 0, settings->advance_min_minutes);
	put_if(table, settings->advance_max_minutes != 0, settings->advance_max_minutes);
}

static void types_print(const struct keyrack_type *types, uint32_t count)
{
	static const struct table_column columns[] = {{"TYPE", true}, {"CODE", false},
		{"STATUS", false}, {"ROOMS", true}, {"OUT OF ORDER", true}, {"OVERBOOK", true},
		{"CAP", true}, {"GUESTS", true}, {"BASE PLAN", false},
		{"LATEST (MIN BEFORE)", true}, {"EARLIEST (MIN BEFORE)", true}};
	struct table *table = table_new(columns, KR_ARRAY_COUNT(columns));
	kr_assert(count == 0 || types != NULL);
	for (uint32_t i = 0; i < count; i++)
		type_row(table, &types[i]);
	table_print_free(table, "The hotel has no room types.");
}

/* ---- type put ---- */

static int type_put(struct cli *cli, const struct keyrack_type_put *put)
{
	char next[64];
	const struct report report = {.is_write = true, .next = next};
	struct keyrack_type_answer answer;
	int r = keyrack_type_put(cli->client, put, &answer);
	(void)snprintf(next, sizeof(next), "type get %" PRIu64, put->hotel_id);
	if (r < 0)
		return report_not_taken(cli, r);
	if (r != KEYRACK_RESULT_DONE)
		return report_fail(cli, &report, &answer.result);
	if (cli->json) {
		json_t *root = report_json(&report, &answer.result);
		js_bool(root, "created", answer.created);
		js_number_id(root, "hotel_id", put->hotel_id);
		type_json(root, &answer.type);
		js_count(root, "ari_version", answer.ari_version);
		js_print(root);
		return CLI_DONE;
	}
	printf("%s, version %" PRIu64 "\n", answer.created ? "created" : "changed",
		answer.ari_version);
	types_print(&answer.type, 1);
	return CLI_DONE;
}

int type_put_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_spec spec = {
		.options = type_words_options,
		.option = type_words_set,
		.args = "HOTEL TYPE",
		.doc = "Creates room type TYPE (a number) with its rate plan, or changes the "
		       "settings that are given. They are the defaults of its nights; single "
		       "nights are `inventory set`'s.",
		.arg_min = 2,
		.arg_max = 2,
		.has_origin = true,
	};
	const char *args[CLI_ARGS_MAX];
	struct keyrack_type_put put = {.mask = 0};
	struct kr_error_text error;
	struct value_hotel hotel;
	uint64_t type;
	int code;
	cli_words(cli, &spec, argc, argv, &put, args);
	code = lookup_hotel(cli, args[0], &hotel);
	if (code != CLI_DONE)
		return code;
	if (value_u64(args[1], (struct value_range){0, LINE_TYPE_MAX}, &type, &error) < 0)
		return cli_wrong(cli, "TYPE: %s", error.bytes);
	if ((put.mask & put.clear_mask) != 0)
		return cli_wrong(cli, "a setting is both given and cleared");
	put.hotel_id = hotel.id;
	put.type = (uint32_t)type;
	put.call = cli_call(cli);
	put.origin = cli->origin;
	code = cli_connect(cli);
	return code != CLI_DONE ? code : type_put(cli, &put);
}

/* ---- type get ---- */

static const struct argp_option get_options[] = {
	{"types", 't', "LIST", 0, "only these: 0,1,5-9 or codes (all)", 0},
	{0},
};

static int get_option(void *options, int key, const char *arg, struct kr_error_text *error)
{
	kr_assert(key == 't');
	return type_list_parse(arg, options, error);
}

static int type_get(struct cli *cli, uint64_t hotel_id, const struct value_list *types)
{
	const struct keyrack_type_get get = {.call = cli_call(cli),
		.hotel_id = hotel_id,
		.types = types->numbers,
		.type_count = types->count};
	struct keyrack_type_list_answer answer;
	json_t *list;
	json_t *root;
	int r = keyrack_type_get(cli->client, &get, &answer);
	r = report_got(cli, r, &answer.result);
	if (r != CLI_DONE)
		return r;
	if (!cli->json) {
		types_print(answer.types, answer.type_count);
		return CLI_DONE;
	}
	root = report_json(&report_of_read, &answer.result);
	list = js_array();
	for (uint32_t i = 0; i < answer.type_count; i++) {
		json_t *object = js_object();
		type_json(object, &answer.types[i]);
		js_append(list, object);
	}
	js_number_id(root, "hotel_id", hotel_id);
	js_count(root, "ari_version", answer.ari_version);
	js_set(root, "types", list);
	js_print(root);
	return CLI_DONE;
}

int type_get_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_spec spec = {
		.options = get_options,
		.option = get_option,
		.args = "HOTEL",
		.doc = "Shows the room types of a hotel: the defaults of their nights.",
		.arg_min = 1,
		.arg_max = 1,
	};
	static struct type_list types;
	const char *args[CLI_ARGS_MAX];
	uint64_t hotel_id;
	memset(&types, 0, sizeof(types));
	cli_words(cli, &spec, argc, argv, &types, args);
	int code = lookup_hotel_connect(cli, args[0], &hotel_id);
	if (code == CLI_DONE)
		code = lookup_type_list(cli, hotel_id, &types);
	return code != CLI_DONE ? code : type_get(cli, hotel_id, &types.list);
}
