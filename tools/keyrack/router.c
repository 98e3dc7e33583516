/* keyrack router status|map|connections */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tools/keyrack/commands.h"
#include "tools/keyrack/js.h"
#include "tools/keyrack/report.h"
#include "tools/keyrack/stat_text.h"
#include "tools/keyrack/table.h"
#include "tools/keyrack/value.h"

#define LIST_PAGE 100u
#define LIST_MAX 100000u
#define LIST_DEFAULT 1000u

/* Reads words that are options every command has. CLI_DONE or the exit code. */
static int words_and_connect(struct cli *cli, const char *doc, int argc, char **argv)
{
	const struct cli_spec spec = {.doc = doc};
	const char *args[CLI_ARGS_MAX];
	cli_words(cli, &spec, argc, argv, NULL, args);
	return cli_connect(cli);
}

/* ---- status ---- */

static json_t *link_json(const struct keyrack_shard_link *link)
{
	json_t *object = js_object();
	js_count(object, "shard", link->shard);
	js_text(object, "address", link->address);
	js_bool(object, "up", link->up);
	js_count(object, "in_flight", link->in_flight);
	js_count(object, "waiting", link->waiting);
	js_count(object, "forwarded", link->forwarded);
	js_count(object, "answered", link->answered);
	js_count(object, "lost", link->lost);
	js_count(object, "unavailable", link->unavailable);
	return object;
}

static json_t *status_json(const struct keyrack_router_status_answer *answer)
{
	json_t *root = report_json(&report_of_read, &answer->result);
	json_t *links = js_array();
	js_hex_id(root, "cluster", answer->cluster);
	js_text(root, "version", answer->version);
	js_count(root, "uptime_us", answer->uptime_us);
	js_count(root, "connections", answer->connections);
	js_count(root, "map_epoch", answer->map_epoch);
	for (uint32_t i = 0; i < answer->link_count; i++)
		js_append(links, link_json(&answer->links[i]));
	js_set(root, "links", links);
	js_set(root, "stats", stat_text_json(answer->stats, answer->stat_count));
	return root;
}

static void status_print(const struct keyrack_router_status_answer *answer)
{
	static const struct table_column columns[] = {{"SHARD", true}, {"ADDRESS", false},
		{"LINK", false}, {"IN FLIGHT", true}, {"WAITING", true}, {"FORWARDED", true},
		{"ANSWERED", true}, {"LOST", true}, {"UNAVAILABLE", true}};
	struct table *table = table_new(columns, KR_ARRAY_COUNT(columns));
	fact_print("cluster", "%016" PRIx64, answer->cluster);
	fact_print("version", "%s", answer->version);
	fact_print("up for", "%" PRIu64 " s", answer->uptime_us / 1000000);
	fact_print("connections", "%u", answer->connections);
	fact_print("map epoch", "%u", answer->map_epoch);
	for (uint32_t i = 0; i < answer->link_count; i++) {
		const struct keyrack_shard_link *link = &answer->links[i];
		table_row(table);
		table_put(table, "%u", link->shard);
		table_put(table, "%s", link->address);
		table_put(table, "%s", link->up ? "up" : "DOWN");
		table_put(table, "%u", link->in_flight);
		table_put(table, "%u", link->waiting);
		table_put(table, "%" PRIu64, link->forwarded);
		table_put(table, "%" PRIu64, link->answered);
		table_put(table, "%" PRIu64, link->lost);
		table_put(table, "%" PRIu64, link->unavailable);
	}
	table_print_free(table, "The router has no shards.");
}

int router_status_run(struct cli *cli, int argc, char **argv)
{
	struct keyrack_router_status request;
	struct keyrack_router_status_answer answer;
	int r = words_and_connect(cli,
		"Shows the router that answers, and its links to the shards. Its own counters are "
		"in the JSON.",
		argc, argv);
	if (r != CLI_DONE)
		return r;
	request.call = cli_call(cli);
	r = keyrack_router_status(cli->client, &request, &answer);
	r = report_got(cli, r, &answer.result);
	if (r != CLI_DONE)
		return r;
	if (cli->json)
		js_print(status_json(&answer));
	else
		status_print(&answer);
	return CLI_DONE;
}

/* ---- map ---- */

static json_t *map_json(const struct keyrack_router_map_answer *answer)
{
	json_t *root = report_json(&report_of_read, &answer->result);
	json_t *ranges = js_array();
	js_count(root, "epoch", answer->epoch);
	js_count(root, "shards", answer->shard_count);
	for (uint32_t i = 0; i < answer->range_count; i++) {
		json_t *range = js_object();
		js_count(range, "first_slot", answer->ranges[i].first);
		js_count(range, "last_slot", answer->ranges[i].last);
		js_count(range, "shard", answer->ranges[i].shard);
		js_append(ranges, range);
	}
	js_set(root, "ranges", ranges);
	return root;
}

static void map_print(const struct keyrack_router_map_answer *answer)
{
	static const struct table_column columns[] = {
		{"FIRST SLOT", true}, {"LAST SLOT", true}, {"SLOTS", true}, {"SHARD", true}};
	struct table *table = table_new(columns, KR_ARRAY_COUNT(columns));
	printf("epoch %u, %u shards\n", answer->epoch, answer->shard_count);
	for (uint32_t i = 0; i < answer->range_count; i++) {
		const struct keyrack_slot_range *range = &answer->ranges[i];
		table_row(table);
		table_put(table, "%u", range->first);
		table_put(table, "%u", range->last);
		table_put(table, "%u", range->last - range->first + 1);
		table_put(table, "%u", range->shard);
	}
	table_print_free(table, "The map is empty.");
}

int router_map_run(struct cli *cli, int argc, char **argv)
{
	struct keyrack_router_map request;
	struct keyrack_router_map_answer answer;
	int r = words_and_connect(cli, "Shows which shard owns which slots.", argc, argv);
	if (r != CLI_DONE)
		return r;
	request.call = cli_call(cli);
	r = keyrack_router_map(cli->client, &request, &answer);
	r = report_got(cli, r, &answer.result);
	if (r != CLI_DONE)
		return r;
	if (cli->json)
		js_print(map_json(&answer));
	else
		map_print(&answer);
	return CLI_DONE;
}

/* ---- connections ---- */

enum connections_key {
	CONNECTIONS_LIMIT = CLI_KEY_OWN,
};

static const struct argp_option connections_options[] = {
	{"limit", CONNECTIONS_LIMIT, "N", 0, "at most so many (1000)", 0},
	{0},
};

struct connections {
	uint64_t limit;
	uint64_t after;
	uint64_t count;
	bool more;
	struct table *table;
	json_t *list;
};

static int connections_option(void *options, int key, const char *arg, struct kr_error_text *error)
{
	struct connections *connections = options;
	kr_assert(key == CONNECTIONS_LIMIT);
	return value_u64(arg, (struct value_range){1, LIST_MAX}, &connections->limit, error);
}

static json_t *connection_json(const struct keyrack_router_connection *connection)
{
	json_t *object = js_object();
	js_count(object, "number", connection->number);
	js_text(object, "peer", connection->peer);
	js_text(object, "principal", connection->principal);
	js_text(object, "agent", connection->agent);
	js_count(object, "age_us", connection->age_us);
	js_count(object, "idle_us", connection->idle_us);
	js_count(object, "in_flight", connection->in_flight);
	js_count(object, "requests", connection->requests);
	js_count(object, "answers", connection->answers);
	js_count(object, "queued_bytes", connection->queued_bytes);
	return object;
}

static void connection_add(
	struct connections *connections, const struct keyrack_router_connection *connection)
{
	struct table *table = connections->table;
	if (connections->list != NULL) {
		js_append(connections->list, connection_json(connection));
		return;
	}
	kr_assert(table != NULL);
	table_row(table);
	table_put(table, "%" PRIu64, connection->number);
	table_put(table, "%s", connection->peer);
	table_put(table, "%s", connection->principal);
	table_put(table, "%s", connection->agent);
	table_put(table, "%" PRIu64, connection->age_us / 1000000);
	table_put(table, "%" PRIu64, connection->idle_us / 1000000);
	table_put(table, "%u", connection->in_flight);
	table_put(table, "%" PRIu64, connection->requests);
	table_put(table, "%" PRIu64, connection->answers);
	table_put(table, "%" PRIu64, connection->queued_bytes);
}

static int connections_page(struct cli *cli, struct connections *connections)
{
	const struct keyrack_router_connections request = {
		.call = cli_call(cli),
		.after = connections->after,
		.limit = (uint32_t)KR_MIN(connections->limit - connections->count, LIST_PAGE),
	};
	struct keyrack_router_connections_answer answer;
	int r = keyrack_router_connections(cli->client, &request, &answer);
	r = report_got(cli, r, &answer.result);
	if (r != CLI_DONE)
		return r;
	for (uint32_t i = 0; i < answer.connection_count; i++) {
		connection_add(connections, &answer.connections[i]);
		connections->after = answer.connections[i].number;
		connections->count++;
	}
	connections->more = answer.more && answer.connection_count > 0;
	return CLI_DONE;
}

static void connections_print(const struct cli *cli, struct connections *connections)
{
	if (cli->json) {
		json_t *root = js_object();
		js_text(root, "outcome", "DONE");
		js_text(root, "code", "DONE");
		js_set(root, "connections", connections->list);
		js_bool(root, "more", connections->more);
		js_print(root);
		return;
	}
	table_print_free(connections->table, "Nobody is connected.");
	if (connections->more)
		puts("There are more: see --limit.");
}

int router_connections_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_spec spec = {
		.options = connections_options,
		.option = connections_option,
		.doc = "Shows who is connected to the router that answers.",
	};
	static const struct table_column columns[] = {{"NUMBER", true}, {"PEER", false},
		{"WHO", false}, {"AGENT", false}, {"AGE S", true}, {"IDLE S", true},
		{"IN FLIGHT", true}, {"REQUESTS", true}, {"ANSWERS", true}, {"QUEUED BYTES", true}};
	const char *args[CLI_ARGS_MAX];
	struct connections connections = {.limit = LIST_DEFAULT};
	int code;
	cli_words(cli, &spec, argc, argv, &connections, args);
	code = cli_connect(cli);
	if (code != CLI_DONE)
		return code;
	if (cli->json)
		connections.list = js_array();
	else
		connections.table = table_new(columns, KR_ARRAY_COUNT(columns));
	do {
		code = connections_page(cli, &connections);
		if (code != CLI_DONE)
			return code;
	} while (connections.more && connections.count < connections.limit);
	connections_print(cli, &connections);
	return CLI_DONE;
}
