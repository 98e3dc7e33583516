/* keyrack denials: demand that was turned away, by hotel, room type, rule and night. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "tools/keyrack/commands.h"
#include "tools/keyrack/js.h"
#include "tools/keyrack/lookup.h"
#include "tools/keyrack/pages.h"
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
	struct pages_kept kept; /* struct keyrack_denial */
	uint64_t sum;
	/* Told with each page of a shard, and counts once. */
	uint32_t shard;
	uint64_t shard_overflow;
	uint64_t overflow; /* of the shards before that one */
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
	switch ((enum denials_key)key) {
	case DENIALS_NIGHTS:
		return span_parse_days(arg, &d->request.has_nights, &d->request.first_day,
			&d->request.last_day, error);
	case DENIALS_RULE:
		return rule_read(arg, &d->request.rule, error);
	case DENIALS_LIMIT:
		return value_u64(arg, (struct value_range){1, DENIALS_MAX}, &d->kept.limit, error);
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

static int denials_take(void *user, const void *item)
{
	struct denials *d = user;
	const struct keyrack_denial *denial = item;
	int r = pages_keep(&d->kept, denial);
	d->sum += r == CLI_DONE ? denial->count : 0;
	return r;
}

static int denials_ask(struct cli *cli, void *asked, uint64_t cursor, struct pages_page *ret_page)
{
	struct denials *d = asked;
	struct keyrack_denial_list_answer answer;
	d->request.call = cli_call(cli);
	d->request.cursor = cursor;
	int r = keyrack_denial_list(cli->client, &d->request, &answer);
	r = report_got(cli, r, &answer.result);
	if (r != CLI_DONE)
		return r;
	if (answer.shard != d->shard)
		d->overflow += d->shard_overflow;
	d->shard = answer.shard;
	d->shard_overflow = answer.overflow;
	*ret_page = (struct pages_page){
		answer.denials, sizeof(answer.denials[0]), answer.denial_count, answer.next_cursor};
	return CLI_DONE;
}

static void denials_table(const struct denials *d)
{
	static const struct table_column columns[] = {{"HOTEL", true}, {"TYPE", true},
		{"RULE", false}, {"NIGHT", false}, {"DENIED", true}};
	struct table *table = table_new(columns, KR_ARRAY_COUNT(columns));
	const struct keyrack_denial *list = d->kept.items;
	for (uint64_t i = 0; i < d->kept.count; i++) {
		const struct keyrack_denial *denial = &list[i];
		char day[SPAN_DAY_TEXT_SIZE];
		span_format_day(denial->day, day);
		table_row(table);
		table_put(table, "%" PRIu64, denial->hotel_id);
		table_put(table, "%u", denial->type);
		table_put(table, "%s", keyrack_rule_name(denial->rule));
		table_put(table, "%s", day);
		table_put(table, "%" PRIu64, denial->count);
	}
	table_print_free(table, "No such demand was turned away since the shards started.");
	if (d->kept.count > 0)
		printf("in all %" PRIu64 "\n", d->sum);
	if (d->overflow > 0)
		printf("and %" PRIu64 " that the shards' tables had no place for, of whatever "
		       "hotel, rule and night\n",
			d->overflow);
	pages_print_more(&d->kept);
}

static void denials_json(const struct denials *d)
{
	json_t *root = js_object(), *denials = js_array();
	const struct keyrack_denial *list = d->kept.items;
	js_text(root, "outcome", "DONE");
	js_text(root, "code", "DONE");
	for (uint64_t i = 0; i < d->kept.count; i++) {
		const struct keyrack_denial *denial = &list[i];
		json_t *object = js_object();
		js_number_id(object, "hotel_id", denial->hotel_id);
		js_count(object, "type", denial->type);
		js_text(object, "rule", keyrack_rule_name(denial->rule));
		js_day(object, "night", denial->day);
		js_count(object, "count", denial->count);
		js_append(denials, object);
	}
	js_set(root, "denials", denials);
	js_count(root, "count", d->sum);
	js_count(root, "overflow", d->overflow);
	js_bool(root, "more", d->kept.more);
	js_print(root);
}

static int denials_show(struct cli *cli, struct denials *d)
{
	struct pages pages = {denials_ask, d, denials_take, d, 0};
	int code = pages_each_kept(cli, &pages, &d->kept, denial_order);
	d->overflow += d->shard_overflow;
	if (code == CLI_DONE && cli->json)
		denials_json(d);
	else if (code == CLI_DONE)
		denials_table(d);
	free(d->kept.items);
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
	struct denials d = {.kept = {.item_size_bytes = sizeof(struct keyrack_denial),
				    .limit = DENIALS_DEFAULT}};
	cli_words(cli, &spec, argc, argv, &d, args);
	int code = lookup_hotel_connect(cli, args[0], &d.request.hotel_id);
	return code == CLI_DONE ? denials_show(cli, &d) : code;
}
