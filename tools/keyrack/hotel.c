/* keyrack hotel put|get|list */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tools/keyrack/commands.h"
#include "tools/keyrack/hotel_words.h"
#include "tools/keyrack/js.h"
#include "tools/keyrack/lookup.h"
#include "tools/keyrack/report.h"
#include "tools/keyrack/span.h"
#include "tools/keyrack/table.h"

#define LIST_PAGE 1000u
#define LIST_DEFAULT 1000u
#define LIST_MAX 1000000u

/* ---- showing ---- */

static void clock_format(uint32_t minute, char ret_text[static 8])
{
	uint32_t shown = minute % 1440;
	(void)snprintf(ret_text, 8, "%02u:%02u", shown / 60, shown % 60);
}

static void settings_json(json_t *root, const struct keyrack_hotel_settings *settings)
{
	char text[8];
	js_text(root, "hotel_code", settings->code);
	js_text(root, "status", report_status_name(settings->status));
	js_text(root, "zone", settings->zone);
	js_text(root, "currency", settings->currency);
	js_count(root, "currency_digits", settings->currency_digits);
	clock_format(settings->day_roll_minute, text);
	js_text(root, "day_roll", text);
	clock_format(settings->check_in_minute, text);
	js_text(root, "check_in_time", text);
	js_count(root, "nights_max", settings->nights_max);
	js_count(root, "hold_ttl_us", settings->hold_ttl_us);
	js_count(root, "hold_ttl_max_us", settings->hold_ttl_max_us);
	js_count(root, "hold_total_max_us", settings->hold_total_max_us);
	js_count(root, "holds_max", settings->holds_max);
	js_count(root, "guest_holds_max", settings->guest_holds_max);
}

static void hotel_json(json_t *root, const struct keyrack_hotel *hotel)
{
	js_number_id(root, "hotel_id", hotel->hotel_id);
	settings_json(root, &hotel->settings);
	js_count(root, "ari_version", hotel->ari_version);
	js_count(root, "event_seq", hotel->event_seq);
	js_day(root, "business_day", hotel->business_day);
	js_day(root, "last_night", hotel->business_day + (int32_t)hotel->window_nights - 1);
	js_count(root, "window_nights", hotel->window_nights);
	js_count(root, "types", hotel->type_count);
	js_count(root, "reservations", hotel->reservation_count);
	js_count(root, "holds", hotel->hold_count);
	js_count(root, "slot", hotel->slot);
}

static void hotel_print(const struct keyrack_hotel *hotel)
{
	const struct keyrack_hotel_settings *settings = &hotel->settings;
	struct span window = {hotel->business_day,
		hotel->business_day + (int32_t)KR_MAX(hotel->window_nights, 1u)};
	char text[SPAN_TEXT_SIZE];
	char clock[8];
	fact_print("hotel", "%" PRIu64, hotel->hotel_id);
	if (settings->code[0] != '\0')
		fact_print("code", "%s", settings->code);
	fact_print("status", "%s", report_status_name(settings->status));
	fact_print("zone", "%s", settings->zone);
	fact_print("currency", "%s, %u decimals", settings->currency, settings->currency_digits);
	clock_format(settings->check_in_minute, clock);
	fact_print("check-in time", "%s", clock);
	clock_format(settings->day_roll_minute, clock);
	fact_print("day roll", "%s", clock);
	span_format_nights(window, text);
	fact_print("on sale", "%s", text);
	fact_print("longest stay", "%u nights", settings->nights_max);
	fact_print("holds", "%" PRIu64 " s, at most %" PRIu64 " s, in all %" PRIu64 " s",
		settings->hold_ttl_us / 1000000, settings->hold_ttl_max_us / 1000000,
		settings->hold_total_max_us / 1000000);
	if (settings->holds_max != 0)
		fact_print("live holds", "at most %u", settings->holds_max);
	if (settings->guest_holds_max != 0)
		fact_print("live holds a guest", "at most %u", settings->guest_holds_max);
	fact_print("room types", "%u", hotel->type_count);
	fact_print("reservations", "%" PRIu64 ", %" PRIu64 " of them holds",
		hotel->reservation_count, hotel->hold_count);
	fact_print(
		"version", "%" PRIu64 " (event %" PRIu64 ")", hotel->ari_version, hotel->event_seq);
	fact_print("slot", "%u", hotel->slot);
}

/* ---- hotel put ---- */

static int hotel_put(struct cli *cli, const struct keyrack_hotel_put *put)
{
	char next[64];
	const struct report report = {.is_write = true, .next = next};
	struct keyrack_hotel_answer answer;
	int r = keyrack_hotel_put(cli->client, put, &answer);
	(void)snprintf(next, sizeof(next), "hotel get %" PRIu64, put->hotel_id);
	if (r < 0)
		return report_not_taken(cli, r);
	if (r != KEYRACK_RESULT_DONE)
		return report_fail(cli, &report, &answer.result);
	if (cli->json) {
		json_t *root = report_json(&report, &answer.result);
		js_bool(root, "created", answer.created);
		hotel_json(root, &answer.hotel);
		js_print(root);
		return CLI_DONE;
	}
	printf("%s\n", answer.created ? "created" : "changed");
	hotel_print(&answer.hotel);
	return CLI_DONE;
}

int hotel_put_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_spec spec = {
		.options = hotel_words_options,
		.option = hotel_words_set,
		.args = "HOTEL",
		.doc = "Creates a hotel, or changes the settings that are given.\v"
		       "HOTEL is a number, or a text code, which is then kept with the hotel.",
		.arg_min = 1,
		.arg_max = 1,
		.has_origin = true,
	};
	const char *args[CLI_ARGS_MAX];
	struct keyrack_hotel_put put = {.mask = 0};
	struct value_hotel hotel;
	int code;
	cli_words(cli, &spec, argc, argv, &put, args);
	code = lookup_hotel(cli, args[0], &hotel);
	if (code != CLI_DONE)
		return code;
	put.hotel_id = hotel.id;
	if (hotel.code[0] != '\0' && (put.mask & KEYRACK_HOTEL_CODE) == 0) {
		put.mask |= KEYRACK_HOTEL_CODE;
		put.settings.code = hotel.code;
	}
	if ((put.mask & KEYRACK_HOTEL_CURRENCY) != 0)
		put.mask |= KEYRACK_HOTEL_CURRENCY_DIGITS;
	put.call = cli_call(cli);
	put.origin = cli->origin;
	code = cli_connect(cli);
	return code != CLI_DONE ? code : hotel_put(cli, &put);
}

/* ---- hotel get ---- */

int hotel_get_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_spec spec = {
		.args = "HOTEL", .doc = "Shows a hotel.", .arg_min = 1, .arg_max = 1};
	const char *args[CLI_ARGS_MAX];
	struct keyrack_hotel_get get;
	struct keyrack_hotel_answer answer;
	uint64_t hotel_id;
	cli_words(cli, &spec, argc, argv, NULL, args);
	int code = lookup_hotel_connect(cli, args[0], &hotel_id);
	if (code != CLI_DONE)
		return code;
	get = (struct keyrack_hotel_get){.call = cli_call(cli), .hotel_id = hotel_id};
	code = keyrack_hotel_get(cli->client, &get, &answer);
	code = report_got(cli, code, &answer.result);
	if (code != CLI_DONE)
		return code;
	if (cli->json) {
		json_t *root = report_json(&report_of_read, &answer.result);
		hotel_json(root, &answer.hotel);
		js_print(root);
	} else {
		hotel_print(&answer.hotel);
	}
	return CLI_DONE;
}

/* ---- hotel list ---- */

enum list_key {
	LIST_LIMIT = CLI_KEY_OWN,
	LIST_AFTER,
};

static const struct argp_option list_options[] = {
	{"limit", LIST_LIMIT, "N", 0, "at most so many (1000)", 0},
	{"after", LIST_AFTER, "HOTEL", 0, "those with larger numbers than this hotel's", 0},
	{0},
};

struct list {
	uint32_t limit;
	bool has_after;
	uint64_t after;
	uint32_t count; /* listed so far */
	bool more;
	struct table *table;
	json_t *hotels;
};

static int list_option(void *options, int key, const char *arg, struct kr_error_text *error)
{
	struct list *list = options;
	struct value_hotel hotel = {.id = 0};
	uint64_t number = 0;
	int r;
	if (key == LIST_LIMIT) {
		r = value_u64(arg, (struct value_range){1, LIST_MAX}, &number, error);
		list->limit = (uint32_t)number;
		return r;
	}
	kr_assert(key == LIST_AFTER);
	r = value_hotel(arg, &hotel, error);
	list->has_after = true;
	list->after = hotel.id;
	return r;
}

static void list_add(struct list *list, const struct keyrack_hotel *hotel)
{
	char day[SPAN_DAY_TEXT_SIZE];
	if (list->hotels != NULL) {
		json_t *object = js_object();
		hotel_json(object, hotel);
		js_append(list->hotels, object);
		return;
	}
	kr_assert(list->table != NULL);
	span_format_day(hotel->business_day, day);
	table_row(list->table);
	table_put(list->table, "%" PRIu64, hotel->hotel_id);
	table_put(list->table, "%s", hotel->settings.code);
	table_put(list->table, "%s", report_status_name(hotel->settings.status));
	table_put(list->table, "%s", hotel->settings.currency);
	table_put(list->table, "%s", hotel->settings.zone);
	table_put(list->table, "%u", hotel->type_count);
	table_put(list->table, "%" PRIu64, hotel->reservation_count);
	table_put(list->table, "%s", day);
	table_put(list->table, "%u", hotel->window_nights);
}

/* One page. CLI_DONE, or the exit code after saying why. */
static int list_page(struct cli *cli, struct list *list)
{
	const struct keyrack_hotel_list request = {
		.call = cli_call(cli),
		.has_after = list->has_after,
		.after = list->after,
		.limit = KR_MIN(list->limit - list->count, LIST_PAGE),
	};
	struct keyrack_hotel_list_answer answer;
	int r = keyrack_hotel_list(cli->client, &request, &answer);
	r = report_got(cli, r, &answer.result);
	if (r != CLI_DONE)
		return r;
	for (uint32_t i = 0; i < answer.hotel_count && list->count < list->limit; i++) {
		list_add(list, &answer.hotels[i]);
		list->has_after = true;
		list->after = answer.hotels[i].hotel_id;
		list->count++;
	}
	list->more = answer.more && answer.hotel_count > 0;
	return CLI_DONE;
}

static void list_print(const struct cli *cli, struct list *list)
{
	if (cli->json) {
		json_t *root = js_object();
		js_text(root, "outcome", "DONE");
		js_text(root, "code", "DONE");
		js_set(root, "hotels", list->hotels);
		js_bool(root, "more", list->more);
		js_print(root);
		return;
	}
	table_print_free(list->table, "There are no hotels here.");
	if (list->more)
		printf("There are more: keyrack hotel list --after %" PRIu64 "\n", list->after);
}

int hotel_list_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_spec spec = {
		.options = list_options,
		.option = list_option,
		.doc = "Lists the hotels of all shards by their numbers.",
	};
	static const struct table_column columns[] = {{"HOTEL", true}, {"CODE", false},
		{"STATUS", false}, {"CURRENCY", false}, {"ZONE", false}, {"TYPES", true},
		{"RESERVATIONS", true}, {"BUSINESS DATE", false}, {"NIGHTS", true}};
	const char *args[CLI_ARGS_MAX];
	struct list list = {.limit = LIST_DEFAULT};
	int code;
	cli_words(cli, &spec, argc, argv, &list, args);
	code = cli_connect(cli);
	if (code != CLI_DONE)
		return code;
	if (cli->json)
		list.hotels = js_array();
	else
		list.table = table_new(columns, KR_ARRAY_COUNT(columns));
	do {
		code = list_page(cli, &list);
		if (code != CLI_DONE)
			return code;
	} while (list.more && list.count < list.limit);
	list_print(cli, &list);
	return CLI_DONE;
}
