/* keyrack restore */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tools/keyrack/backup_file.h"
#include "tools/keyrack/commands.h"
#include "tools/keyrack/js.h"
#include "tools/keyrack/partial.h"
#include "tools/keyrack/tool_run.h"
#include "tools/keyrack/value.h"

enum restore_key {
	RESTORE_DIR = 'd',
	RESTORE_SHARDS = CLI_KEY_OWN,
	RESTORE_LISTEN,
	RESTORE_BOOKING_LISTEN,
	RESTORE_TO_TIME,
	RESTORE_TO_LSN,
	RESTORE_ALLOW_TMPFS,
};

static const struct argp_option restore_options[] = {
	{"dir", RESTORE_DIR, "DIR", 0, "the new cluster's directory", 0},
	{"shards", RESTORE_SHARDS, "N", 0, "so many shards (as many as there were)", 0},
	{"listen", RESTORE_LISTEN, "ADDR", 0, "where its router is to listen (as before)", 0},
	{"booking-listen", RESTORE_BOOKING_LISTEN, "ADDR", 0,
		"and where for those who sell, if there was such an address", 0},
	{"to-time", RESTORE_TO_TIME, "TIME", 0, "as of this instant, such as 2026-11-22T05:41:36Z",
		0},
	{"to-lsn", RESTORE_TO_LSN, "SHARD:LSN", 0,
		"that shard as of this effect; may be repeated, others come whole", 0},
	{"allow-tmpfs", RESTORE_ALLOW_TMPFS, NULL, 0, "the directory may be in memory", 0},
	{0},
};

struct restore {
	struct cli *cli;
	const char *dir;
	uint32_t shards; /* 0: as before */
	const char *listen, *booking_listen;
	const char *to_time;
	const char *to_lsns[CLUSTER_SHARDS_MAX];
	uint32_t to_lsn_count;
	bool allow_tmpfs;
	struct cluster cluster; /* the backup's, then the new one */
	struct partial partial;
	json_t *parts;
	char paths[CLUSTER_SHARDS_MAX][FILES_PATH_SIZE];
};

static int to_lsn_read(struct restore *restore, const char *arg, struct kr_error_text *error)
{
	if (restore->to_lsn_count == CLUSTER_SHARDS_MAX || strchr(arg, ':') == NULL)
		return kr_error_text_set(
			error, -KR_E_INVALID, 0, "\"%s\" is not of the form SHARD:LSN", arg);
	kr_assert(arg[0] != '\0');
	restore->to_lsns[restore->to_lsn_count++] = arg;
	return 0;
}

static int listen_read(const char *arg, const char **ret, struct kr_error_text *error)
{
	kr_assert(arg != NULL);
	if (strlen(arg) >= CLUSTER_LISTEN_SIZE)
		return kr_error_text_set(error, -KR_E_INVALID, 0, "it is too long");
	if (!cluster_listen_is_local(arg))
		return kr_error_text_set(
			error, -KR_E_INVALID, 0, "only an address of this machine");
	*ret = arg;
	return 0;
}

static int restore_option(void *options, int key, const char *arg, struct kr_error_text *error)
{
	struct restore *restore = options;
	uint64_t shards = 0;
	int r;
	switch ((enum restore_key)key) {
	case RESTORE_DIR:
		restore->dir = arg;
		return 0;
	case RESTORE_SHARDS:
		r = value_u64(arg, (struct value_range){1, CLUSTER_SHARDS_MAX}, &shards, error);
		restore->shards = (uint32_t)shards;
		return r;
	case RESTORE_LISTEN:
		return listen_read(arg, &restore->listen, error);
	case RESTORE_BOOKING_LISTEN:
		return listen_read(arg, &restore->booking_listen, error);
	case RESTORE_TO_TIME:
		restore->to_time = arg;
		return 0;
	case RESTORE_TO_LSN:
		return to_lsn_read(restore, arg, error);
	case RESTORE_ALLOW_TMPFS:
		restore->allow_tmpfs = true;
		return 0;
	}
	kr_unreachable();
}

static int fail(const struct restore *restore, const struct kr_error_text *error)
{
	kr_assert(error->error < 0);
	cli_say(restore->cli, "%s", error->bytes);
	return error->error == -KR_E_IO ? CLI_UNREACHABLE : CLI_REFUSED;
}

/* The old directories into the new ones, by keyrack-recover. */
static int shards_make(struct restore *restore, uint32_t old_count, json_t **ret_told)
{
	const char *words[TOOL_WORDS_MAX + 1] = {"restore", "--out", restore->partial.path};
	char count[16];
	uint32_t at = 3;
	(void)snprintf(count, sizeof(count), "%u", restore->cluster.config.shards);
	words[at++] = "--shards";
	words[at++] = count;
	if (restore->cluster.config.allow_tmpfs)
		words[at++] = "--allow-tmpfs";
	if (restore->to_time != NULL) {
		words[at++] = "--to-time";
		words[at++] = restore->to_time;
	}
	for (uint32_t i = 0; i < restore->to_lsn_count; i++) {
		words[at++] = "--shard-lsn";
		words[at++] = restore->to_lsns[i];
	}
	for (uint32_t i = 0; i < old_count; i++)
		words[at++] = restore->paths[i];
	kr_assert(at <= TOOL_WORDS_MAX);
	return tool_run(restore->cli, words, restore->partial.fd, ret_told);
}

static int restore_into(struct restore *restore, uint32_t old_count, json_t **ret_told)
{
	struct kr_error_text error;
	int code = shards_make(restore, old_count, ret_told);
	kr_error_text_clear(&error);
	if (code != CLI_DONE) {
		cli_say(restore->cli, "nothing was restored");
		return code;
	}
	(void)snprintf(
		restore->cluster.dir, sizeof(restore->cluster.dir), "%s", restore->partial.path);
	kr_assert(restore->cluster.config.shards > 0);
	if (cluster_save(&restore->cluster, &error) < 0 ||
		partial_keep(&restore->partial, &error) < 0)
		return fail(restore, &error);
	return CLI_DONE;
}

/* CLI_DONE: the backup is whole, and its cluster and paths are known. */
static int backup_take(struct restore *restore, const char *backup, uint32_t *ret_count)
{
	struct kr_error_text error;
	kr_error_text_clear(&error);
	if (partial_is_name(backup)) {
		cli_say(restore->cli, "%s was never finished: it is no backup", backup);
		return CLI_REFUSED;
	}
	if (backup_file_read(backup, &restore->cluster, &restore->parts, &error) < 0 ||
		backup_file_check(backup, restore->parts, &error) < 0)
		return fail(restore, &error);
	struct cluster_config *config = &restore->cluster.config;
	*ret_count = config->shards;
	for (uint32_t i = 0; i < config->shards; i++)
		if (snprintf(restore->paths[i], FILES_PATH_SIZE, "%s/shard-%u", backup, i) >=
			(int)FILES_PATH_SIZE)
			return cli_wrong(restore->cli, "the path is too long");
	if (restore->shards != 0)
		config->shards = restore->shards;
	if (restore->listen != NULL && config->booking_listen[0] != '\0' &&
		restore->booking_listen == NULL)
		return cli_wrong(restore->cli, "it listened at %s too: give --booking-listen",
			config->booking_listen);
	if (restore->listen != NULL)
		(void)snprintf(config->listen, sizeof(config->listen), "%s", restore->listen);
	if (restore->booking_listen != NULL)
		(void)snprintf(config->booking_listen, sizeof(config->booking_listen), "%s",
			restore->booking_listen);
	config->allow_tmpfs |= restore->allow_tmpfs;
	kr_assert(config->shards > 0);
	return CLI_DONE;
}

static void told_print(const struct restore *restore, json_t *told)
{
	size_t i;
	json_t *shard;
	kr_assert(told != NULL);
	if (restore->cli->json) {
		js_text(told, "dir", restore->dir);
		js_print(json_incref(told));
		return;
	}
	json_array_foreach(json_object_get(told, "shards"), i, shard)
	{
		printf("shard %zu: LSN %" JSON_INTEGER_FORMAT ", %" JSON_INTEGER_FORMAT
		       " hotels, %" JSON_INTEGER_FORMAT " reservations, verified\n",
			i, json_integer_value(json_object_get(shard, "lsn")),
			json_integer_value(json_object_get(shard, "hotels")),
			json_integer_value(json_object_get(shard, "reservations")));
	}
	printf("%" JSON_INTEGER_FORMAT " hotels are what they were\n"
	       "  keyrack cluster start --dir %s\n",
		json_integer_value(json_object_get(told, "hotels")), restore->dir);
}

int restore_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_spec spec = {
		.options = restore_options,
		.option = restore_option,
		.args = "BACKUP",
		.doc = "Makes a new local cluster of a backup, also with another number of shards, "
		       "or as it was at a point that the backup reaches back to.\vEvery file is "
		       "checked first, and every hotel's digest at the end. DIR is DIR.partial "
		       "until it is whole. Nothing is started.",
		.arg_min = 1,
		.arg_max = 1,
		.is_local = true,
	};
	static struct restore restore;
	struct kr_error_text error;
	const char *args[CLI_ARGS_MAX];
	uint32_t old_count = 0;
	json_t *told = NULL;
	int code;
	memset(&restore, 0, sizeof(restore));
	cli_words(cli, &spec, argc, argv, &restore, args);
	restore.cli = cli;
	restore.partial.fd = -1;
	kr_error_text_clear(&error);
	if (restore.dir == NULL)
		return cli_wrong(cli, "--dir is missing: where the new cluster is to live");
	if (restore.to_time != NULL && restore.to_lsn_count > 0)
		return cli_wrong(cli, "one of --to-time and --to-lsn at a time");
	code = backup_take(&restore, args[0], &old_count);
	if (code == CLI_DONE && partial_make(&restore.partial, restore.dir, &error) < 0)
		code = fail(&restore, &error);
	if (code == CLI_DONE)
		code = restore_into(&restore, old_count, &told);
	partial_drop(&restore.partial);
	if (code == CLI_DONE)
		told_print(&restore, told);
	json_decref(told);
	json_decref(restore.parts);
	kr_assert(restore.partial.fd < 0);
	return code;
}
