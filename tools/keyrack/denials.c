/* keyrack denials: demand that was turned away, by hotel, room type, rule and night. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "tools/keyrack/commands.h"
#include "tools/keyrack/js.h"
#include "tools/keyrack/lookup.h"
#include "tools/keyrack/report.h"
#include "tools/keyrack/span.h"
#include "tools/keyrack/table.h"

#define DENIALS_DEFAULT 10000u
#define DENIALS_MAX 1000000u
#define RULES_MAX 256u

enum denials_key {
	DENIALS_NIGHTS = 'n',
	DENIALS_RULE = CLI_KEY_OWN,
	DENIALS_LIMIT,
};

static const struct argp_option denials_options[] = {
	{"nights", DENIALS_NIGHTS, "A..B", 0, "of the nights A to B, both included (all)", 0},
	{"rule", DENIALS_RULE, "RULE", 0, "only of this rule: limit, type_closed, min_arrival, ...",
		0},
	{"limit", DENIALS_LIMIT, "N", 0, "at most so many (10000)", 0},
	{0},
};

struct denials {
	struct keyrack_denial_list request;
	uint64_t limit;
	struct keyrack_denial *list;
	size_t count;
	bool more;
	uint64_t sum;
	uint64_t overflow; /* of the shards that were read */
};

/* A name as answers have it, in any case. */
static int rule_read(const char *arg, uint32_t *ret_rule, struct kr_error_text *error)
{
	const char *unknown = keyrack_rule_name(0);
	for (uint32_t rule = 1; rule < RULES_MAX; rule++) {
		const char *name = keyrack_rule_name(rule);
		if (strcasecmp(name, unknown) != 0 && strcasecmp(name, arg) == 0) {
			*ret_rule = rule;
			return 0;
		}
	}
	return kr_error_text_set(error, -KR_E_INVALID, 0,
		"\"%s\" is no rule; `keyrack denials` without it shows their names", arg);
}

static int denials_option(void *options, int key, const char *arg, struct kr_error_text *error)
{
	struct denials *d = options;
	struct span span;
	int r;
	switch ((enum denials_key)key) {
	case DENIALS_NIGHTS:
		r = span_parse_nights(arg, &span, error);
		if (r != 0)
			return r;
		d->request.has_nights = true;
		d->request.first_day = span.first_day;
		d->request.last_day = span.end_day - 1;
		return 0;
	case DENIALS_RULE:
		return rule_read(arg, &d->request.rule, error);
	case DENIALS_LIMIT:
		return value_u64(arg, (struct value_range){1, DENIALS_MAX}, &d->limit, error);
	}
	kr_unreachable();
}

static int denial_order(const void *a, const void *b)
{
	const struct keyrack_denial *left = a, *right = b;
	if (left->hotel_id != right->hotel_id)
		return left->hotel_id < right->hotel_id ? -1 : 1;
	if (left->type != right->type)
		return left->type < right->type ? -1 : 1;
	if (left->rule != right->rule)
		return left->rule < right->rule ? -1 : 1;
	return left->day < right->day ? -1 : left->day > right->day;
}

static void denials_take(struct denials *d, const struct keyrack_denial_list_answer *answer)
{
	for (uint32_t i = 0; i < answer->denial_count; i++) {
		d->more = d->count == d->limit;
		if (d->more)
			return;
		d->list[d->count++] = answer->denials[i];
		d->sum += answer->denials[i].count;
	}
	kr_assert(d->count <= d->limit);
}

/* All shards, or the hotel's; each one's overflow is told with its pages and counts once. */
static int denials_each(struct cli *cli, struct denials *d)
{
	uint32_t shard = 0;
	uint64_t overflow = 0;
	do {
		struct keyrack_denial_list_answer answer;
		d->request.call = cli_call(cli);
		int r = keyrack_denial_list(cli->client, &d->request, &answer);
		r = report_got(cli, r, &answer.result);
		if (r != CLI_DONE)
			return r;
		if (answer.shard != shard)
			d->overflow += overflow;
		shard = answer.shard;
		overflow = answer.overflow;
		denials_take(d, &answer);
		d->request.cursor = answer.next_cursor;
	} while (d->request.cursor != 0 && !d->more);
	d->overflow += overflow;
	return CLI_DONE;
}

static void denials_table(const struct denials *d)
{
	static const struct table_column columns[] = {{"HOTEL", true}, {"TYPE", true},
		{"RULE", false}, {"NIGHT", false}, {"DENIED", true}};
	struct table *table = table_new(columns, KR_ARRAY_COUNT(columns));
	for (size_t i = 0; i < d->count; i++) {
		char day[SPAN_DAY_TEXT_SIZE];
		span_format_day(d->list[i].day, day);
		table_row(table);
		table_put(table, "%" PRIu64, d->list[i].hotel_id);
		table_put(table, "%u", d->list[i].type);
		table_put(table, "%s", keyrack_rule_name(d->list[i].rule));
		table_put(table, "%s", day);
		table_put(table, "%" PRIu64, d->list[i].count);
	}
	table_print_free(table, "No such demand was turned away since the shards started.");
	if (d->count > 0)
		printf("in all %" PRIu64 "\n", d->sum);
	if (d->overflow > 0)
		printf("and %" PRIu64 " that the shards' tables had no place for, of whatever "
		       "hotel, rule and night\n",
			d->overflow);
	if (d->more)
		printf("There are more than these %zu: --limit N shows them.\n", d->count);
}

static void denials_json(const struct denials *d)
{
	json_t *root = js_object(), *list = js_array();
	js_text(root, "outcome", "DONE");
	js_text(root, "code", "DONE");
	for (size_t i = 0; i < d->count; i++) {
		json_t *object = js_object();
		js_number_id(object, "hotel_id", d->list[i].hotel_id);
		js_count(object, "type", d->list[i].type);
		js_text(object, "rule", keyrack_rule_name(d->list[i].rule));
		js_day(object, "night", d->list[i].day);
		js_count(object, "count", d->list[i].count);
		js_append(list, object);
	}
	js_set(root, "denials", list);
	js_count(root, "count", d->sum);
	js_count(root, "overflow", d->overflow);
	js_bool(root, "more", d->more);
	js_print(root);
}

static int denials_show(struct cli *cli, struct denials *d)
{
	d->list = calloc(d->limit, sizeof(*d->list));
	if (d->list == NULL) {
		cli_say(cli, "out of memory: a smaller --limit needs less");
		return CLI_UNREACHABLE;
	}
	int code = denials_each(cli, d);
	if (code == CLI_DONE) {
		qsort(d->list, d->count, sizeof(*d->list), denial_order);
		if (cli->json)
			denials_json(d);
		else
			denials_table(d);
	}
	free(d->list);
	return code;
}

int denials_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_spec spec = {
		.options = denials_options,
		.option = denials_option,
		.args = "[HOTEL]",
		.doc = "Lists demand that was turned away since the shards started: refused holds "
		       "and bookings, counted by hotel, room type, rule and night.",
		.arg_min = 0,
		.arg_max = 1,
	};
	const char *args[CLI_ARGS_MAX] = {NULL};
	struct denials d = {.limit = DENIALS_DEFAULT};
	struct value_hotel hotel = {.id = 0};
	int code = CLI_DONE;
	cli_words(cli, &spec, argc, argv, &d, args);
	if (args[0] != NULL)
		code = lookup_hotel(cli, args[0], &hotel);
	if (code == CLI_DONE)
		code = cli_connect(cli);
	if (code != CLI_DONE)
		return code;
	d.request.hotel_id = hotel.id;
	return denials_show(cli, &d);
}
