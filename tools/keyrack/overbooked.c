/* keyrack overbooked: nights over their limit, and guests who have to be moved. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tools/keyrack/commands.h"
#include "tools/keyrack/js.h"
#include "tools/keyrack/lookup.h"
#include "tools/keyrack/night_sum.h"
#include "tools/keyrack/pages.h"
#include "tools/keyrack/span.h"
#include "tools/keyrack/table.h"

#define OVERBOOKED_DEFAULT 10000u
#define OVERBOOKED_MAX 1000000u

enum overbooked_key {
	OVERBOOKED_NIGHTS = 'n',
	OVERBOOKED_TONIGHT = CLI_KEY_OWN,
	OVERBOOKED_WALKS,
	OVERBOOKED_LIMIT,
};

static const struct argp_option overbooked_options[] = {
	{"nights", OVERBOOKED_NIGHTS, "A..B", 0, "of the nights A to B, both included (all)", 0},
	{"tonight", OVERBOOKED_TONIGHT, NULL, 0, "of tonight, by each hotel's business date", 0},
	{"walks", OVERBOOKED_WALKS, NULL, 0, "only nights on which guests have to be moved", 0},
	{"limit", OVERBOOKED_LIMIT, "N", 0, "at most so many (10000)", 0},
	{0},
};

struct overbooked {
	struct pages_nights list;
	bool has_nights;
	struct pages_kept kept; /* struct keyrack_listed_night */
	struct night_sum sum;
};

static int overbooked_option(void *options, int key, const char *arg, struct kr_error_text *error)
{
	struct overbooked *o = options;
	switch ((enum overbooked_key)key) {
	case OVERBOOKED_NIGHTS:
		return span_parse_days(arg, &o->has_nights, &o->list.request.first_day,
			&o->list.request.last_day, error);
	case OVERBOOKED_TONIGHT:
		o->list.request.relative = true;
		return 0;
	case OVERBOOKED_WALKS:
		o->list.request.filter = KEYRACK_NIGHTS_WALKS;
		return 0;
	case OVERBOOKED_LIMIT:
		return value_u64(
			arg, (struct value_range){1, OVERBOOKED_MAX}, &o->kept.limit, error);
	}
	kr_unreachable();
}

static int night_take(void *user, const void *night)
{
	struct overbooked *o = user;
	int r = pages_keep(&o->kept, night);
	if (r == CLI_DONE)
		night_sum_add(&o->sum, night);
	return r;
}

/* What comes first is first. */
static int night_order(const void *a, const void *b)
{
	const struct keyrack_listed_night *left = a, *right = b;
	if (left->day != right->day)
		return left->day < right->day ? -1 : 1;
	if (left->hotel_id != right->hotel_id)
		return left->hotel_id < right->hotel_id ? -1 : 1;
	return left->type < right->type ? -1 : left->type > right->type;
}

static void night_row(struct table *table, const struct keyrack_listed_night *night)
{
	char text[SPAN_DAY_TEXT_SIZE];
	span_format_day(night->day, text);
	table_row(table);
	table_put(table, "%s", text);
	table_put(table, "%" PRIu64, night->hotel_id);
	table_put(table, "%u", night->type);
	table_put(table, "%d", night->limit);
	if (night->has_rooms)
		table_put(table, "%u", night->rooms);
	else
		table_put(table, "-");
	table_put(table, "%u", night->held);
	table_put(table, "%u", night->booked);
	table_put(table, "%u", night->over_limit);
	if (night->has_rooms)
		table_put(table, "%u", night->walks);
	else
		table_put(table, "-");
}

static void overbooked_table(const struct overbooked *o)
{
	static const struct table_column columns[] = {{"NIGHT", false}, {"HOTEL", true},
		{"TYPE", true}, {"LIMIT", true}, {"ROOMS", true}, {"HELD", true}, {"BOOKED", true},
		{"OVER LIMIT", true}, {"WALKS", true}};
	struct table *table = table_new(columns, KR_ARRAY_COUNT(columns));
	const struct keyrack_listed_night *night = o->kept.items;
	for (uint64_t i = 0; i < o->kept.count; i++)
		night_row(table, &night[i]);
	table_print_free(table, o->list.request.filter == KEYRACK_NIGHTS_WALKS
					? "Nobody has to be moved."
					: "No night is sold beyond its limit or its rooms.");
	if (o->kept.count > 0)
		printf("over limit: %" PRIu64 " room%s; walks: %" PRIu64 " room%s\n",
			o->sum.over_limit, o->sum.over_limit == 1 ? "" : "s", o->sum.walks,
			o->sum.walks == 1 ? "" : "s");
	pages_print_more(&o->kept);
}

static void overbooked_json(const struct overbooked *o)
{
	json_t *root = js_object(), *nights = js_array();
	js_text(root, "outcome", "DONE");
	js_text(root, "code", "DONE");
	const struct keyrack_listed_night *night = o->kept.items;
	for (uint64_t i = 0; i < o->kept.count; i++, night++) {
		json_t *object = js_object();
		js_number_id(object, "hotel_id", night->hotel_id);
		js_count(object, "type", night->type);
		js_day(object, "night", night->day);
		js_int(object, "limit", night->limit);
		if (night->has_rooms)
			js_count(object, "rooms", night->rooms);
		js_count(object, "held", night->held);
		js_count(object, "booked", night->booked);
		js_count(object, "over_limit", night->over_limit);
		js_count(object, "walks", night->walks);
		js_append(nights, object);
	}
	js_set(root, "nights", nights);
	js_count(root, "over_limit", o->sum.over_limit);
	js_count(root, "walks", o->sum.walks);
	js_bool(root, "more", o->kept.more);
	js_print(root);
}

static int overbooked_show(struct cli *cli, struct overbooked *o)
{
	struct pages pages = {pages_ask_nights, &o->list, night_take, o, 0};
	int code = pages_each_kept(cli, &pages, &o->kept, night_order);
	if (code == CLI_DONE && cli->json)
		overbooked_json(o);
	else if (code == CLI_DONE)
		overbooked_table(o);
	free(o->kept.items);
	return code;
}

int overbooked_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_spec spec = {
		.options = overbooked_options,
		.option = overbooked_option,
		.args = "[HOTEL]",
		.doc = "Lists the nights of room types that are sold beyond their limit (held + "
		       "booked > limit) or beyond their rooms (booked > physical - out of order: "
		       "guests have to be moved), of a hotel or of all. The soonest come first.",
		.arg_min = 0,
		.arg_max = 1,
	};
	const char *args[CLI_ARGS_MAX] = {NULL};
	struct overbooked o = {.kept = {.item_size_bytes = sizeof(struct keyrack_listed_night),
				       .limit = OVERBOOKED_DEFAULT}};
	o.list.request.filter = KEYRACK_NIGHTS_WALKS | KEYRACK_NIGHTS_OVER_LIMIT;
	cli_words(cli, &spec, argc, argv, &o, args);
	if (o.has_nights && o.list.request.relative)
		return cli_wrong(cli, "--nights and --tonight exclude each other");
	if (!o.has_nights && !o.list.request.relative) {
		o.list.request.first_day = KEYRACK_DAY_MIN;
		o.list.request.last_day = KEYRACK_DAY_MAX;
	}
	int code = lookup_hotel_connect(cli, args[0], &o.list.request.hotel_id);
	return code == CLI_DONE ? overbooked_show(cli, &o) : code;
}
