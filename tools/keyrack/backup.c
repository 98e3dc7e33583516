/* keyrack backup */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "proto/slot.h"
#include "tools/keyrack/backup_file.h"
#include "tools/keyrack/cluster_status.h"
#include "tools/keyrack/commands.h"
#include "tools/keyrack/js.h"
#include "tools/keyrack/partial.h"
#include "tools/keyrack/progress.h"
#include "tools/keyrack/report.h"
#include "tools/keyrack/tool_run.h"

#define DURABLE_WAIT_US UINT64_C(120000000)
#define LOOK_NS 20000000
#define LSN_TEXT_SIZE 24u

static const struct argp_option backup_options[] = {
	{"dir", 'd', "DIR", 0, "where the cluster lives", 0},
	{0},
};

struct backup {
	struct cli *cli;
	const char *dir;
	struct cluster cluster;
	struct partial partial;
	char router[CLUSTER_LISTEN_SIZE];
	uint64_t lsns[CLUSTER_SHARDS_MAX]; /* to be covered */
	json_t *parts;
};

static int backup_option(void *options, int key, const char *arg, struct kr_error_text *error)
{
	struct backup *backup = options;
	kr_assert(key == 'd' && error != NULL);
	backup->dir = arg;
	return 0;
}

/* ---- what has to be in it -------------------------------------------------------------------- */

static uint64_t stat_of(const struct keyrack_shard_stats *shard, const char *name)
{
	for (uint32_t i = 0; i < shard->stat_count; i++)
		if (strcmp(shard->stats[i].name, name) == 0)
			return (uint64_t)shard->stats[i].value;
	kr_assert(name != NULL);
	return UINT64_MAX;
}

/* What is acknowledged goes to lsns the first time; *ret_done: all of that is on disk. */
static int shards_look(struct backup *backup, bool is_first, bool *ret_done)
{
	static const struct report report = {.is_write = false};
	const struct keyrack_stats request = {
		.call = cli_call(backup->cli), .shard = KEYRACK_ALL_SHARDS};
	struct keyrack_stats_answer answer;
	int r = keyrack_stats(backup->cli->client, &request, &answer);
	if (r < 0)
		return report_not_taken(backup->cli, r);
	if (r != KEYRACK_RESULT_DONE)
		return report_fail(backup->cli, &report, &answer.result);
	if (answer.shard_count != backup->cluster.config.shards) {
		cli_say(backup->cli, "the router at %s has another number of shards",
			backup->router);
		return CLI_REFUSED;
	}
	*ret_done = true;
	for (uint32_t i = 0; i < answer.shard_count; i++) {
		const struct keyrack_shard_stats *shard = &answer.shards[i];
		kr_assert(shard->shard == i);
		if (is_first)
			backup->lsns[i] = stat_of(shard, "acked_lsn");
		*ret_done &= stat_of(shard, "durable_lsn") >= backup->lsns[i] &&
			     backup->lsns[i] != UINT64_MAX;
	}
	return CLI_DONE;
}

/* With async durability what is acknowledged is on disk a little later. */
static int shards_settle(struct backup *backup)
{
	const struct timespec pause = {.tv_nsec = LOOK_NS};
	uint64_t until_us = progress_now_us() + DURABLE_WAIT_US;
	bool is_done = false;
	int code = shards_look(backup, true, &is_done);
	while (code == CLI_DONE && !is_done) {
		if (progress_now_us() >= until_us) {
			cli_say(backup->cli, "what is acknowledged does not get to the disk");
			return CLI_UNREACHABLE;
		}
		nanosleep(&pause, NULL);
		code = shards_look(backup, false, &is_done);
	}
	kr_assert(code != CLI_DONE || is_done);
	return code;
}

/* ---- copies ---------------------------------------------------------------------------------- */

static void part_add(struct backup *backup, uint32_t shard, json_t *part)
{
	uint32_t shards = backup->cluster.config.shards;
	uint32_t first = slot_range_first(shard, shards);
	uint32_t end = shard + 1 == shards ? SLOT_COUNT : slot_range_first(shard + 1, shards);
	js_count(part, "shard", shard);
	js_count(part, "slot_first", first);
	js_count(part, "slot_count", end - first);
	js_count(part, "covers_lsn", backup->lsns[shard]);
	kr_assert(first < end);
	if (!backup->cli->json)
		printf("shard %u: LSN %" JSON_INTEGER_FORMAT ", %" JSON_INTEGER_FORMAT
		       " hotels, %" JSON_INTEGER_FORMAT " reservations, %zu files, verified\n",
			shard, json_integer_value(json_object_get(part, "lsn")),
			json_integer_value(json_object_get(part, "hotels")),
			json_integer_value(json_object_get(part, "reservations")),
			json_array_size(json_object_get(part, "files")));
	fflush(stdout);
	js_append(backup->parts, part);
}

static int shard_copy(struct backup *backup, uint32_t shard)
{
	char from[FILES_PATH_SIZE], to[FILES_PATH_SIZE + 24], lsn[LSN_TEXT_SIZE], name[24];
	const char *words[] = {"backup", "--to-lsn", lsn, "--out", to, from, NULL, NULL};
	json_t *part;
	int code;
	(void)snprintf(name, sizeof(name), "shard-%u", shard);
	(void)snprintf(to, sizeof(to), "%s/%s", backup->partial.path, name);
	(void)snprintf(lsn, sizeof(lsn), "%" PRIu64, backup->lsns[shard]);
	kr_assert(backup->lsns[shard] > 0);
	if (!files_join(backup->cluster.dir, name, from, sizeof(from)))
		return cli_wrong(backup->cli, "the path is too long");
	if (backup->cluster.config.allow_tmpfs)
		words[6] = "--allow-tmpfs";
	code = tool_run(backup->cli, words, backup->partial.fd, &part);
	if (code != CLI_DONE) {
		cli_say(backup->cli, "shard %u could not be copied; there is no backup", shard);
		return code;
	}
	part_add(backup, shard, part);
	return CLI_DONE;
}

static int fail(const struct backup *backup, const struct kr_error_text *error)
{
	kr_assert(error->error < 0);
	cli_say(backup->cli, "%s", error->bytes);
	return error->error == -KR_E_EXISTS || error->error == -KR_E_BUSY ? CLI_REFUSED
									  : CLI_UNREACHABLE;
}

static int copies_make(struct backup *backup)
{
	struct cluster kept = backup->cluster;
	struct kr_error_text error;
	int code = CLI_DONE;
	kr_error_text_clear(&error);
	backup->parts = js_array();
	for (uint32_t i = 0; code == CLI_DONE && i < backup->cluster.config.shards; i++)
		code = shard_copy(backup, i);
	if (code != CLI_DONE)
		return code;
	(void)snprintf(kept.dir, sizeof(kept.dir), "%s", backup->partial.path);
	kr_assert(json_array_size(backup->parts) == kept.config.shards);
	if (cluster_save(&kept, &error) < 0 ||
		backup_file_write(backup->partial.path, &kept.config, json_incref(backup->parts),
			&error) < 0 ||
		partial_keep(&backup->partial, &error) < 0)
		return fail(backup, &error);
	return CLI_DONE;
}

static int backup_make(struct backup *backup, const char *target)
{
	struct kr_error_text error;
	int code = cluster_status_open(backup->cli, backup->dir, &backup->cluster);
	kr_error_text_clear(&error);
	if (code != CLI_DONE)
		return code;
	cluster_router_address(&backup->cluster.config, backup->router);
	backup->cli->routers = backup->router;
	backup->cli->token_file = cluster_token_file(&backup->cluster.config);
	/* The name first, since it is refused for good; then what has to be covered. */
	if (partial_make(&backup->partial, target, &error) < 0)
		return fail(backup, &error);
	code = cli_connect(backup->cli);
	if (code == CLI_DONE)
		code = shards_settle(backup);
	if (code == CLI_DONE)
		code = copies_make(backup);
	partial_drop(&backup->partial);
	kr_assert(backup->partial.fd < 0);
	return code;
}

int backup_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_spec spec = {
		.options = backup_options,
		.option = backup_option,
		.args = "BACKUP",
		.doc = "Copies a running local cluster into the new directory BACKUP: of each "
		       "shard a snapshot and the log behind it, with everything that was "
		       "acknowledged before the command began.\vNobody has to wait for it. Each "
		       "copy is verified as `keyrack-recover verify` does. The directory is "
		       "BACKUP.partial until it is whole.",
		.arg_min = 1,
		.arg_max = 1,
		.is_local = true,
	};
	static struct backup backup;
	const char *args[CLI_ARGS_MAX];
	int code;
	memset(&backup, 0, sizeof(backup));
	cli_words(cli, &spec, argc, argv, &backup, args);
	if (backup.dir == NULL)
		return cli_wrong(cli, "--dir is missing: where the cluster lives");
	backup.cli = cli;
	backup.partial.fd = -1;
	code = backup_make(&backup, args[0]);
	if (code == CLI_DONE && cli->json) {
		json_t *root = js_object();
		js_text(root, "backup", args[0]);
		js_set(root, "parts", json_incref(backup.parts));
		js_print(root);
	} else if (code == CLI_DONE) {
		printf("backup of %u shards in %s\n", backup.cluster.config.shards, args[0]);
	}
	json_decref(backup.parts);
	kr_assert(backup.partial.fd < 0);
	return code;
}
