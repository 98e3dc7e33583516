/* keyrack ping, snapshot, slot */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tools/keyrack/commands.h"
#include "tools/keyrack/js.h"
#include "tools/keyrack/lookup.h"
#include "tools/keyrack/report.h"
#include "tools/keyrack/span.h"
#include "tools/keyrack/table.h"
#include "tools/keyrack/value.h"

#define SHARD_MAX 63u
#define SLOT_DEADLINE_US UINT64_C(1000000)

enum operate_key {
	OPERATE_SHARD = CLI_KEY_OWN,
	OPERATE_OFFLINE,
};

struct operate {
	bool has_shard;
	uint32_t shard;
	bool offline;
};

static const struct argp_option shard_options[] = {
	{"shard", OPERATE_SHARD, "N", 0, "only this shard", 0},
	{0},
};
static const struct argp_option slot_options[] = {
	{"offline", OPERATE_OFFLINE, NULL, 0, "ask no router for the shard", 0},
	{0},
};

static int operate_option(void *options, int key, const char *arg, struct kr_error_text *error)
{
	struct operate *operate = options;
	uint64_t shard = 0;
	int r;
	if (key == OPERATE_OFFLINE) {
		operate->offline = true;
		return 0;
	}
	kr_assert(key == OPERATE_SHARD);
	r = value_u64(arg, (struct value_range){0, SHARD_MAX}, &shard, error);
	operate->has_shard = true;
	operate->shard = (uint32_t)shard;
	return r;
}

/* ---- ping ---- */

static void ping_print(
	struct cli *cli, const struct operate *operate, const struct keyrack_ping_answer *answer)
{
	struct keyrack_client_info info;
	char instant[SPAN_INSTANT_TEXT_SIZE];
	char who[32] = "router";
	keyrack_client_info(cli->client, &info);
	if (operate->has_shard)
		(void)snprintf(who, sizeof(who), "shard %u", operate->shard);
	if (cli->json) {
		json_t *root = report_json(&report_of_read, &answer->result);
		js_text(root, "router", info.router);
		js_hex_id(root, "cluster", info.cluster);
		if (operate->has_shard)
			js_count(root, "shard", operate->shard);
		js_count(root, "time_us", answer->time_us);
		js_print(root);
		return;
	}
	span_format_instant(answer->time_us, instant);
	printf("%s at %s answers in %" PRIu64 " us (cluster %016" PRIx64 ", its clock %s)\n", who,
		info.router, answer->result.elapsed_us, info.cluster, instant);
}

/* A router can be asked for a shard that its cluster has not. */
static void shard_missing_say(const struct cli *cli, const struct operate *operate)
{
	struct keyrack_client_info info;
	keyrack_client_info(cli->client, &info);
	if (operate->has_shard && info.shard_count != 0 && operate->shard >= info.shard_count)
		cli_say(cli, "there is no shard %u: the cluster has %u, counted from 0",
			operate->shard, info.shard_count);
}

int ping_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_spec spec = {
		.options = shard_options,
		.option = operate_option,
		.doc = "Asks the router, or through it a shard, for a sign of life.",
	};
	const char *args[CLI_ARGS_MAX];
	struct operate operate = {.offline = false};
	struct keyrack_ping request;
	struct keyrack_ping_answer answer;
	int r;
	cli_words(cli, &spec, argc, argv, &operate, args);
	r = cli_connect(cli);
	if (r != CLI_DONE)
		return r;
	request = (struct keyrack_ping){
		.call = cli_call(cli), .to_shard = operate.has_shard, .shard = operate.shard};
	r = keyrack_ping(cli->client, &request, &answer);
	if (r < 0)
		return report_not_taken(cli, r);
	if (answer.result.code == KEYRACK_CODE_INVALID)
		shard_missing_say(cli, &operate);
	if (r != KEYRACK_RESULT_DONE)
		return report_fail(cli, &report_of_read, &answer.result);
	ping_print(cli, &operate, &answer);
	return CLI_DONE;
}

/* ---- snapshot ---- */

static json_t *snapshot_json(
	const struct report *report, const struct keyrack_snapshot_answer *answer)
{
	json_t *root = report_json(report, &answer->result);
	json_t *shards = js_array();
	for (uint32_t i = 0; i < answer->shard_count; i++) {
		const struct keyrack_shard_snapshot *shard = &answer->shards[i];
		json_t *object = js_object();
		js_count(object, "shard", shard->shard);
		js_text(object, "code", keyrack_code_name(shard->code));
		js_bool(object, "started", shard->started);
		js_bool(object, "already_running", shard->already_running);
		js_count(object, "lsn", shard->lsn);
		js_append(shards, object);
	}
	js_set(root, "shards", shards);
	return root;
}

static void snapshot_print(const struct keyrack_snapshot_answer *answer)
{
	for (uint32_t i = 0; i < answer->shard_count; i++) {
		const struct keyrack_shard_snapshot *shard = &answer->shards[i];
		if (shard->code != KEYRACK_CODE_DONE)
			printf("shard %u: no snapshot (%s)\n", shard->shard,
				keyrack_code_name(shard->code));
		else if (shard->already_running)
			printf("shard %u: one is being written already\n", shard->shard);
		else
			printf("shard %u: being written, from LSN %" PRIu64 " on\n", shard->shard,
				shard->lsn);
	}
}

int snapshot_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_spec spec = {
		.options = shard_options,
		.option = operate_option,
		.doc = "Lets the shards write a snapshot. They go on selling meanwhile; `stats` "
		       "tells when it is done.",
	};
	static const struct report report = {.is_write = true, .next = "stats"};
	const char *args[CLI_ARGS_MAX];
	struct operate operate = {.offline = false};
	struct keyrack_snapshot request;
	struct keyrack_snapshot_answer answer;
	int r;
	cli_words(cli, &spec, argc, argv, &operate, args);
	r = cli_connect(cli);
	if (r != CLI_DONE)
		return r;
	request = (struct keyrack_snapshot){.call = cli_call(cli),
		.shard = operate.has_shard ? operate.shard : KEYRACK_ALL_SHARDS};
	r = keyrack_snapshot(cli->client, &request, &answer);
	if (r < 0)
		return report_not_taken(cli, r);
	if (answer.result.code == KEYRACK_CODE_INVALID)
		shard_missing_say(cli, &operate);
	if (cli->json)
		js_print(snapshot_json(&report, &answer));
	else
		snapshot_print(&answer);
	return report_end(cli, &report, &answer.result);
}

/* ---- slot ---- */

/* The owner of a slot as the router sees it; false if there is none to ask. */
static bool shard_ask(struct cli *cli, uint32_t slot, uint32_t *ret_shard)
{
	const struct keyrack_router_map request = {
		.call = {.deadline_us = KR_MIN(cli->deadline_us, SLOT_DEADLINE_US)}};
	struct keyrack_router_map_answer answer;
	if (cli_connect(cli) != CLI_DONE)
		return false;
	if (keyrack_router_map(cli->client, &request, &answer) != KEYRACK_RESULT_DONE)
		return false;
	for (uint32_t i = 0; i < answer.range_count; i++)
		if (slot >= answer.ranges[i].first && slot <= answer.ranges[i].last) {
			*ret_shard = answer.ranges[i].shard;
			return true;
		}
	return false;
}

int slot_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_spec spec = {
		.options = slot_options,
		.option = operate_option,
		.args = "HOTEL",
		.doc = "Shows a hotel's number and slot, and the shard that owns it if a router "
		       "can "
		       "be asked.",
		.arg_min = 1,
		.arg_max = 1,
	};
	const char *args[CLI_ARGS_MAX];
	struct operate operate = {.offline = false};
	struct value_hotel hotel;
	uint32_t shard = 0;
	uint32_t slot;
	bool has_shard;
	cli_words(cli, &spec, argc, argv, &operate, args);
	if (lookup_hotel(cli, args[0], &hotel) != CLI_DONE)
		return CLI_USAGE;
	slot = keyrack_slot_of_hotel(hotel.id);
	has_shard = !operate.offline && shard_ask(cli, slot, &shard);
	if (cli->json) {
		json_t *root = js_object();
		js_number_id(root, "hotel_id", hotel.id);
		js_count(root, "slot", slot);
		if (has_shard)
			js_count(root, "shard", shard);
		js_print(root);
		return CLI_DONE;
	}
	fact_print("hotel", "%" PRIu64, hotel.id);
	fact_print("slot", "%u", slot);
	if (has_shard)
		fact_print("shard", "%u", shard);
	else if (!operate.offline)
		cli_say(cli, "no router at %s tells the shard", cli->routers);
	return CLI_DONE;
}
