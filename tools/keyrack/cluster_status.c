/* keyrack cluster status */
#include "tools/keyrack/cluster_status.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/keyrack/commands.h"
#include "tools/keyrack/js.h"
#include "tools/keyrack/table.h"

struct member {
	struct process process;
	bool is_running;
	pid_t pid;
	uint64_t memory_bytes; /* resident; 0 = not known */
	char address[FILES_PATH_SIZE];
};

int cluster_status_open(const struct cli *cli, const char *dir, struct cluster *ret_cluster)
{
	struct kr_error_text error;
	int r;
	if (dir == NULL)
		return cli_wrong(cli, "--dir is missing: where the cluster lives");
	kr_error_text_clear(&error);
	r = cluster_open(dir, ret_cluster, &error);
	if (r == 0)
		return CLI_DONE;
	if (r == CLUSTER_NONE)
		cli_say(cli, "there is no cluster in %s; `keyrack cluster start` makes one", dir);
	else
		cli_say(cli, "%s", error.bytes);
	return CLI_REFUSED;
}

static uint64_t memory_of(pid_t pid)
{
	char path[64];
	unsigned long long size;
	unsigned long long resident = 0;
	FILE *file;
	(void)snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	file = fopen(path, "re");
	if (file == NULL)
		return 0;
	if (fscanf(file, "%llu %llu", &size, &resident) != 2)
		resident = 0;
	(void)fclose(file);
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* 0 or a negative error. */
static int member_look(const struct cluster *cluster, struct process process,
	struct member *ret_member, struct kr_error_text *error)
{
	int pidfd;
	int r = process_find(cluster, process, &ret_member->pid, &pidfd, error);
	if (r < 0)
		return r;
	ret_member->process = process;
	ret_member->is_running = r == 0;
	if (r == 0) {
		ret_member->memory_bytes = memory_of(ret_member->pid);
		close(pidfd);
	}
	if (process.role == PROCESS_SHARD)
		process_socket(cluster, process.index, ret_member->address);
	else
		(void)snprintf(ret_member->address, sizeof(ret_member->address), "%s",
			cluster->config.listen);
	return 0;
}

static json_t *member_json(const struct cluster *cluster, const struct member *member)
{
	json_t *object = js_object();
	char path[FILES_PATH_SIZE];
	bool is_shard = member->process.role == PROCESS_SHARD;
	js_text(object, "role", is_shard ? "shard" : "router");
	js_count(object, "index", member->process.index);
	js_bool(object, "running", member->is_running);
	if (member->is_running) {
		js_int(object, "pid", member->pid);
		js_count(object, "memory_bytes", member->memory_bytes);
	}
	js_text(object, "address", member->address);
	process_path(cluster, member->process, ".log", path);
	js_text(object, "log", path);
	return object;
}

static void member_row(
	const struct cluster *cluster, struct table *table, const struct member *member)
{
	char title[PROCESS_NAME_SIZE];
	char path[FILES_PATH_SIZE];
	process_title(member->process, title);
	process_path(cluster, member->process, ".log", path);
	table_row(table);
	table_put(table, "%s", title);
	table_put(table, "%s", member->is_running ? "running" : "DOWN");
	if (member->is_running) {
		table_put(table, "%d", (int)member->pid);
		table_put(table, "%" PRIu64, member->memory_bytes >> 20);
	} else {
		table_put(table, "%s", "");
		table_put(table, "%s", "");
	}
	table_put(table, "%s", member->address);
	table_put(table, "%s", path);
}

static void config_json(json_t *root, const struct cluster *cluster)
{
	const struct cluster_config *config = &cluster->config;
	js_text(root, "dir", cluster->dir);
	js_hex_id(root, "cluster", config->id);
	js_count(root, "shards", config->shards);
	js_text(root, "listen", config->listen);
	js_bool(root, "embedded_router", config->embeds_router);
	js_text(root, "durability", config->durability);
	js_count(root, "hotels_max", config->hotels);
	js_count(root, "types_max", config->types);
	js_count(root, "plans_max", config->plans != 0 ? config->plans : config->types);
	js_count(root, "nights", config->nights);
	js_count(root, "reservations_max", config->reservations);
}

static void config_print(const struct cluster *cluster)
{
	const struct cluster_config *config = &cluster->config;
	printf("cluster %016" PRIx64 " in %s: %u shard%s, durability %s\n", config->id,
		cluster->dir, config->shards, config->shards == 1 ? "" : "s", config->durability);
}

int cluster_status_show(const struct cli *cli, const struct cluster *cluster)
{
	static const struct table_column columns[] = {{"PROCESS", false}, {"STATE", false},
		{"PID", true}, {"MIB", true}, {"ADDRESS", false}, {"LOG", false}};
	struct table *table = NULL;
	json_t *list = js_array();
	uint32_t running = 0;
	uint32_t count = process_count(cluster);
	if (!cli->json)
		table = table_new(columns, KR_ARRAY_COUNT(columns));
	for (uint32_t i = 0; i < count; i++) {
		struct member member = {.is_running = false};
		struct kr_error_text error;
		kr_error_text_clear(&error);
		if (member_look(cluster, process_at(cluster, i), &member, &error) < 0)
			cli_say(cli, "%s", error.bytes);
		running += member.is_running;
		js_append(list, member_json(cluster, &member));
		if (table != NULL)
			member_row(cluster, table, &member);
	}
	if (cli->json) {
		json_t *root = js_object();
		config_json(root, cluster);
		js_bool(root, "running", running == count);
		js_set(root, "processes", list);
		js_print(root);
	} else {
		config_print(cluster);
		table_print_free(table, "");
		json_decref(list);
	}
	return running == count ? CLI_DONE : CLI_UNREACHABLE;
}

static const struct argp_option status_options[] = {
	{"dir", 'd', "DIR", 0, "where the cluster lives", 0},
	{0},
};

static int status_option(void *options, int key, const char *arg, struct kr_error_text *error)
{
	const char **dir = options;
	kr_assert(key == 'd');
	*dir = arg;
	return 0;
}

int cluster_status_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_spec spec = {
		.options = status_options,
		.option = status_option,
		.doc = "Shows which processes of a local cluster run.\v"
		       "The exit code is 0 if all of them run, 3 if not, 1 if there is no cluster.",
		.is_local = true,
	};
	static struct cluster cluster;
	const char *args[CLI_ARGS_MAX];
	const char *dir = NULL;
	int code;
	cli_words(cli, &spec, argc, argv, &dir, args);
	code = cluster_status_open(cli, dir, &cluster);
	return code != CLI_DONE ? code : cluster_status_show(cli, &cluster);
}
