/* keyrack stats */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tools/keyrack/commands.h"
#include "tools/keyrack/js.h"
#include "tools/keyrack/report.h"
#include "tools/keyrack/stat_list.h"
#include "tools/keyrack/stat_prometheus.h"
#include "tools/keyrack/stat_text.h"
#include "tools/keyrack/table.h"
#include "tools/keyrack/value.h"

#define SHARDS_SHOWN_MAX 64u

enum format { FORMAT_TABLE, FORMAT_JSON, FORMAT_PROMETHEUS };

enum stats_key {
	STATS_FORMAT = 'f',
	STATS_SHARD = CLI_KEY_OWN,
	STATS_DENIALS,
	STATS_LIST,
};

static const struct argp_option stats_options[] = {
	{"format", STATS_FORMAT, "table|json|prometheus", 0, "for whom it is (table)", 0},
	{"shard", STATS_SHARD, "N", 0, "only this shard (all)", 0},
	{"denials", STATS_DENIALS, NULL, 0, "also demand that was turned away, by rule and night",
		0},
	{"list", STATS_LIST, NULL, 0, "only list what there is to count; nobody is asked", 0},
	{0},
};

struct stats {
	enum format format;
	uint32_t shard;
	bool denials;
	bool list;
};

static int format_read(const char *arg, enum format *ret_format, struct kr_error_text *error)
{
	static const char *const names[] = {"table", "json", "prometheus"};
	for (size_t i = 0; i < KR_ARRAY_COUNT(names); i++)
		if (strcmp(arg, names[i]) == 0) {
			*ret_format = (enum format)i;
			return 0;
		}
	return kr_error_text_set(error, -KR_E_INVALID, 0,
		"\"%s\" is no format: table, json and prometheus are", arg);
}

static int stats_option(void *options, int key, const char *arg, struct kr_error_text *error)
{
	struct stats *stats = options;
	uint64_t shard = 0;
	int r;
	switch ((enum stats_key)key) {
	case STATS_FORMAT:
		return format_read(arg, &stats->format, error);
	case STATS_SHARD:
		r = value_u64(arg, (struct value_range){0, SHARDS_SHOWN_MAX}, &shard, error);
		stats->shard = (uint32_t)shard;
		return r;
	case STATS_DENIALS:
		stats->denials = true;
		return 0;
	case STATS_LIST:
		stats->list = true;
		return 0;
	}
	kr_unreachable();
}

/* ---- JSON ---- */

static json_t *denials_json(const struct keyrack_shard_stats *shard)
{
	json_t *list = js_array();
	for (uint32_t i = 0; i < shard->denial_count; i++) {
		json_t *object = js_object();
		js_number_id(object, "hotel_id", shard->denials[i].hotel_id);
		js_count(object, "type", shard->denials[i].type);
		js_text(object, "rule", keyrack_rule_name(shard->denials[i].rule));
		js_day(object, "night", shard->denials[i].day);
		js_count(object, "count", shard->denials[i].count);
		js_append(list, object);
	}
	return list;
}

static json_t *stats_json(const struct keyrack_stats_answer *answer, bool has_denials)
{
	json_t *root = report_json(&report_of_read, &answer->result);
	json_t *shards = js_array();
	for (uint32_t i = 0; i < answer->shard_count; i++) {
		const struct keyrack_shard_stats *shard = &answer->shards[i];
		json_t *object = js_object();
		js_count(object, "shard", shard->shard);
		js_text(object, "code", keyrack_code_name(shard->code));
		if (shard->code == KEYRACK_CODE_DONE) {
			js_text(object, "state", shard->state);
			js_text(object, "durability", shard->durability);
			js_set(object, "stats", stat_text_json(shard->stats, shard->stat_count));
		}
		if (has_denials) {
			js_set(object, "denials", denials_json(shard));
			js_count(object, "denials_overflow", shard->denials_overflow);
		}
		js_append(shards, object);
	}
	js_set(root, "shards", shards);
	js_set(root, "totals", stat_text_json(answer->totals, answer->total_count));
	return root;
}

/* ---- table ---- */

static void cell_of_shard(
	struct table *table, const struct keyrack_shard_stats *shard, const char *name)
{
	for (uint32_t i = 0; i < shard->stat_count; i++)
		if (strcmp(shard->stats[i].name, name) == 0) {
			table_put(table, "%" PRId64, shard->stats[i].value);
			return;
		}
	table_put(table, "%s", "");
}

/* Clocks and positions in logs mean nothing when added up. */
static bool has_sum(const char *name)
{
	const struct stat_row *row = stat_row_find(stat_shard_rows, STAT_SHARD_COUNT, name);
	return row == NULL || stat_row_has_sum(row);
}

static void totals_print(const struct keyrack_stats_answer *answer)
{
	struct table_column columns[SHARDS_SHOWN_MAX + 2] = {{"NAME", false}, {"ALL", true}};
	char names[SHARDS_SHOWN_MAX][16];
	uint32_t shards = KR_MIN(answer->shard_count, SHARDS_SHOWN_MAX);
	struct table *table;
	for (uint32_t i = 0; i < shards; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "SHARD %u", answer->shards[i].shard);
		columns[i + 2] = (struct table_column){names[i], true};
	}
	table = table_new(columns, shards + 2);
	for (uint32_t i = 0; i < answer->total_count; i++) {
		table_row(table);
		table_put(table, "%s", answer->totals[i].name);
		if (has_sum(answer->totals[i].name))
			table_put(table, "%" PRId64, answer->totals[i].value);
		else
			table_put(table, "%s", "");
		for (uint32_t s = 0; s < shards; s++)
			cell_of_shard(table, &answer->shards[s], answer->totals[i].name);
	}
	table_print_free(table, "No shard told anything.");
}

static void denials_print(const struct keyrack_stats_answer *answer)
{
	static const struct table_column columns[] = {{"SHARD", true}, {"HOTEL", true},
		{"TYPE", true}, {"NIGHT", false}, {"RULE", false}, {"DENIED", true}};
	struct table *table = table_new(columns, KR_ARRAY_COUNT(columns));
	uint64_t overflow = 0;
	for (uint32_t s = 0; s < answer->shard_count; s++) {
		const struct keyrack_shard_stats *shard = &answer->shards[s];
		overflow += shard->denials_overflow;
		for (uint32_t i = 0; i < shard->denial_count; i++) {
			const struct keyrack_denial *denial = &shard->denials[i];
			char day[KEYRACK_DATE_TEXT_SIZE];
			keyrack_day_format(denial->day, day);
			table_row(table);
			table_put(table, "%u", shard->shard);
			table_put(table, "%" PRIu64, denial->hotel_id);
			table_put(table, "%u", denial->type);
			table_put(table, "%s", day);
			table_put(table, "%s", keyrack_rule_name(denial->rule));
			table_put(table, "%" PRIu64, denial->count);
		}
	}
	table_print_free(table, "No demand was turned away since the shards started.");
	if (overflow > 0)
		printf("and %" PRIu64 " more that the table had no place for\n", overflow);
}

static void stats_print(const struct keyrack_stats_answer *answer, bool has_denials)
{
	for (uint32_t i = 0; i < answer->shard_count; i++) {
		const struct keyrack_shard_stats *shard = &answer->shards[i];
		if (shard->code == KEYRACK_CODE_DONE)
			printf("shard %u: %s, durability %s\n", shard->shard, shard->state,
				shard->durability);
		else
			printf("shard %u: no answer (%s)\n", shard->shard,
				keyrack_code_name(shard->code));
	}
	totals_print(answer);
	if (has_denials)
		denials_print(answer);
}

/* The shards' families, then the router's: an answer ends with the next call. */
static void prometheus_print(struct cli *cli, const struct keyrack_stats_answer *answer)
{
	const struct keyrack_router_status request = {.call = cli_call(cli)};
	struct keyrack_router_status_answer status;
	stat_prometheus_shards(answer);
	kr_assert(cli->client != NULL);
	if (keyrack_router_status(cli->client, &request, &status) == KEYRACK_RESULT_DONE)
		stat_prometheus_router(&status);
}

static int stats_ask(struct cli *cli, const struct stats *stats)
{
	const struct keyrack_stats request = {
		.call = cli_call(cli), .shard = stats->shard, .denials = stats->denials};
	struct keyrack_stats_answer answer;
	int r = keyrack_stats(cli->client, &request, &answer);
	if (r < 0)
		return report_not_taken(cli, r);
	/* Before anything else is asked: it is of this answer. */
	r = report_end(cli, &report_of_read, &answer.result);
	if (cli->json)
		js_print(stats_json(&answer, stats->denials));
	else if (stats->format == FORMAT_PROMETHEUS)
		prometheus_print(cli, &answer);
	else if (answer.shard_count > 0)
		stats_print(&answer, stats->denials);
	return r;
}

int stats_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_spec spec = {
		.options = stats_options,
		.option = stats_option,
		.doc = "Shows counters and gauges of the shards, and their sums. "
		       "keyrack-metrics(7) tells what each is.",
	};
	const char *args[CLI_ARGS_MAX];
	struct stats stats = {.shard = KEYRACK_ALL_SHARDS};
	int r;
	cli_words(cli, &spec, argc, argv, &stats, args);
	if (cli->json && stats.format == FORMAT_PROMETHEUS)
		return cli_wrong(cli, "--json and --format prometheus exclude each other");
	cli->json = cli->json || stats.format == FORMAT_JSON;
	if (stats.list) {
		stat_list_print(cli->json);
		return CLI_DONE;
	}
	r = cli_connect(cli);
	return r != CLI_DONE ? r : stats_ask(cli, &stats);
}
