/* keyrack occupancy: rooms, bookings and per cent over nights of a hotel. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/keyrack/commands.h"
#include "tools/keyrack/js.h"
#include "tools/keyrack/lookup.h"
#include "tools/keyrack/night_sum.h"
#include "tools/keyrack/pages.h"
#include "tools/keyrack/span.h"
#include "tools/keyrack/table.h"

enum occupancy_by { BY_NIGHT, BY_TYPE, BY_TOTAL };

enum occupancy_key {
	OCCUPANCY_NIGHTS = 'n',
	OCCUPANCY_TYPES = CLI_KEY_OWN,
	OCCUPANCY_BY,
};

static const struct argp_option occupancy_options[] = {
	{"nights", OCCUPANCY_NIGHTS, "A..B", 0,
		"the nights A to B, both included (the hotel's whole window)", 0},
	{"types", OCCUPANCY_TYPES, "LIST|all", 0, "of these room types: 0,1,5-9 or codes (all)", 0},
	{"by", OCCUPANCY_BY, "night|type|total", 0, "a row for each night (so), type, or one", 0},
	{0},
};

/* A row for each night, or for each type as they come. */
struct group {
	int64_t key;
	struct night_sum sum;
};
#define GROUPS_MAX SPAN_NIGHTS_MAX
kr_static_assert(GROUPS_MAX >= VALUE_LIST_MAX, "a hotel's types are groups too");

struct occupancy {
	struct pages_nights list;
	struct type_list types;
	enum occupancy_by by;
	bool has_nights;
	struct group *groups;
	size_t count;
	struct night_sum total;
};

static const char *const by_names[] = {"night", "type", "total"};

static int occupancy_option(void *options, int key, const char *arg, struct kr_error_text *error)
{
	struct occupancy *o = options;
	switch ((enum occupancy_key)key) {
	case OCCUPANCY_NIGHTS:
		return span_parse_days(arg, &o->has_nights, &o->list.request.first_day,
			&o->list.request.last_day, error);
	case OCCUPANCY_TYPES:
		return type_list_parse(arg, &o->types, error);
	case OCCUPANCY_BY:
		for (size_t i = 0; i < KR_ARRAY_COUNT(by_names); i++)
			if (strcmp(arg, by_names[i]) == 0) {
				o->by = (enum occupancy_by)i;
				return 0;
			}
		return kr_error_text_set(
			error, -KR_E_INVALID, 0, "\"%s\" is none of night, type and total", arg);
	}
	kr_unreachable();
}

/* Types come one after the other; nights come again with each type. A night that entered the
 * window while pages were read has a row as well. NULL: more than there can be. */
static struct group *group_of(struct occupancy *o, const struct keyrack_listed_night *night)
{
	int64_t key = o->by == BY_NIGHT ? night->day : 0;
	if (o->by == BY_TYPE)
		key = night->type;
	kr_assert(o->count <= GROUPS_MAX);
	if (o->by == BY_NIGHT) {
		int64_t index = key - o->list.first_day;
		if (index < 0 || index >= GROUPS_MAX)
			return NULL;
		while ((int64_t)o->count <= index) {
			o->groups[o->count].key = o->list.first_day + (int64_t)o->count;
			o->count++;
		}
		return &o->groups[index];
	}
	if (o->count == 0 || o->groups[o->count - 1].key != key) {
		if (o->count == GROUPS_MAX)
			return NULL;
		o->groups[o->count++].key = key;
	}
	return &o->groups[o->count - 1];
}

static int night_take(void *user, const void *item)
{
	struct occupancy *o = user;
	const struct keyrack_listed_night *night = item;
	struct group *group = group_of(o, night);
	kr_assert(night->hotel_id == o->list.request.hotel_id);
	if (group == NULL)
		return CLI_DONE;
	night_sum_add(&group->sum, night);
	night_sum_add(&o->total, night);
	return CLI_DONE;
}

static void sum_row(struct table *table, const struct night_sum *sum)
{
	char text[NIGHT_SUM_TEXT_SIZE];
	night_sum_format(sum, text);
	table_put(table, "%" PRIu64, sum->rooms);
	table_put(table, "%" PRIu64, sum->held);
	table_put(table, "%" PRIu64, sum->booked);
	table_put(table, "%" PRIu64, sum->left);
	table_put(table, "%s", text);
	table_put(table, "%" PRIu64, sum->over_limit);
	table_put(table, "%" PRIu64, sum->walks);
}

static void group_name(const struct occupancy *o, const struct group *group,
	char ret_text[static SPAN_DAY_TEXT_SIZE])
{
	if (o->by == BY_NIGHT)
		span_format_day((int32_t)group->key, ret_text);
	else
		(void)snprintf(ret_text, SPAN_DAY_TEXT_SIZE, "%" PRId64, group->key);
}

static void occupancy_table(const struct occupancy *o)
{
	static const char *const heads[] = {"NIGHT", "TYPE", ""};
	const struct table_column columns[] = {{heads[o->by], o->by == BY_TYPE}, {"ROOMS", true},
		{"HELD", true}, {"BOOKED", true}, {"LEFT", true}, {"OCCUPANCY", true},
		{"OVER LIMIT", true}, {"WALKS", true}};
	struct table *table = table_new(columns, KR_ARRAY_COUNT(columns));
	char text[SPAN_DAY_TEXT_SIZE];
	for (size_t i = 0; i < o->count && o->by != BY_TOTAL; i++) {
		group_name(o, &o->groups[i], text);
		table_row(table);
		table_put(table, "%s", text);
		sum_row(table, &o->groups[i].sum);
	}
	if (o->total.nights > 0) {
		table_row(table);
		table_put(table, "%s", "all");
		sum_row(table, &o->total);
	}
	table_print_free(table, "The hotel has no room types.");
	if (o->total.known_nights < o->total.nights)
		printf("Of %" PRIu64 " nights of room types the rooms of %" PRIu64
		       " are not known (no physical count); occupancy is over the others.\n",
			o->total.nights, o->total.nights - o->total.known_nights);
}

/* What was asked for, and what of it there is. */
static void span_print(const struct occupancy *o)
{
	struct span asked = {o->list.request.first_day, o->list.request.last_day + 1};
	struct span found = {o->list.first_day, o->list.last_day + 1};
	char text[SPAN_TEXT_SIZE];
	printf("hotel %" PRIu64, o->list.request.hotel_id);
	if (o->has_nights) {
		span_format_nights(asked, text);
		printf(", %s", text);
	}
	if (found.first_day < found.end_day &&
		(!o->has_nights || span_nights(found) < span_nights(asked))) {
		span_format_nights(found, text);
		printf("%s %s", o->has_nights ? "; in its window are" : ",", text);
	}
	putchar('\n');
}

static json_t *sum_json(const struct night_sum *sum)
{
	json_t *object = js_object();
	uint64_t permille;
	js_count(object, "rooms", sum->rooms);
	js_count(object, "held", sum->held);
	js_count(object, "booked", sum->booked);
	js_count(object, "left", sum->left);
	if (night_sum_occupancy(sum, &permille))
		js_count(object, "occupancy_permille", permille);
	else
		js_set(object, "occupancy_permille", json_null());
	js_count(object, "over_limit", sum->over_limit);
	js_count(object, "walks", sum->walks);
	js_count(object, "type_nights", sum->nights);
	js_count(object, "type_nights_without_rooms", sum->nights - sum->known_nights);
	return object;
}

static void occupancy_json(const struct occupancy *o)
{
	json_t *root = js_object(), *rows = js_array();
	js_text(root, "outcome", "DONE");
	js_text(root, "code", "DONE");
	js_number_id(root, "hotel_id", o->list.request.hotel_id);
	js_day(root, "business_day", o->list.business_day);
	if (o->list.first_day <= o->list.last_day) {
		js_day(root, "first_night", o->list.first_day);
		js_day(root, "last_night", o->list.last_day);
	}
	for (size_t i = 0; i < o->count && o->by != BY_TOTAL; i++) {
		json_t *row = sum_json(&o->groups[i].sum);
		if (o->by == BY_NIGHT)
			js_day(row, "night", (int32_t)o->groups[i].key);
		else
			js_count(row, "type", (uint64_t)o->groups[i].key);
		js_append(rows, row);
	}
	js_set(root, "rows", rows);
	js_set(root, "total", sum_json(&o->total));
	js_print(root);
}

static int occupancy_show(struct cli *cli, struct occupancy *o)
{
	o->groups = calloc(GROUPS_MAX, sizeof(*o->groups));
	if (o->groups == NULL) {
		cli_say(cli, "out of memory");
		return CLI_UNREACHABLE;
	}
	struct pages pages = {pages_ask_nights, &o->list, night_take, o, 0};
	int code = pages_each(cli, &pages);
	if (code == CLI_DONE && cli->json)
		occupancy_json(o);
	if (code == CLI_DONE && !cli->json) {
		span_print(o);
		if (o->list.first_day > o->list.last_day)
			puts("None of these nights is in the hotel's window.");
		else
			occupancy_table(o);
	}
	free(o->groups);
	return code;
}

static int number_order(const void *a, const void *b)
{
	const uint32_t *left = a, *right = b;
	return *left < *right ? -1 : *left > *right;
}

int occupancy_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_spec spec = {
		.options = occupancy_options,
		.option = occupancy_option,
		.args = "HOTEL",
		.doc = "Shows how full a hotel is: rooms (physical - out of order), held, booked, "
		       "left to sell, occupancy (booked / rooms), rooms over limits, and walks.",
		.arg_min = 1,
		.arg_max = 1,
	};
	const char *args[CLI_ARGS_MAX];
	struct occupancy o = {.by = BY_NIGHT};
	struct value_list *list = &o.types.list;
	cli_words(cli, &spec, argc, argv, &o, args);
	int code = lookup_hotel_connect(cli, args[0], &o.list.request.hotel_id);
	if (code == CLI_DONE)
		code = lookup_type_list(cli, o.list.request.hotel_id, &o.types);
	if (code != CLI_DONE)
		return code;
	qsort(list->numbers, list->count, sizeof(list->numbers[0]), number_order);
	o.list.request.types = list->numbers;
	o.list.request.type_count = list->count;
	if (!o.has_nights) {
		o.list.request.first_day = KEYRACK_DAY_MIN;
		o.list.request.last_day = KEYRACK_DAY_MAX;
	}
	return occupancy_show(cli, &o);
}
