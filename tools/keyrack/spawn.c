/* Starting the processes of a local cluster. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/keyrack/process.h"

#define WORDS_MAX (2 * CLUSTER_SHARDS_MAX + 48)
#define WORDS_SIZE (256u * 1024u)
#define LOG_SIZE_MAX (16u << 20)

/* How much more than its equal part a shard gets of each size. */
#define SLACK_HOTELS 64u
#define SLACK_TYPES 2048u
#define SLACK_RESERVATIONS 4096u

extern char **environ;

/* The words of a command line, in one piece of memory. */
struct words {
	char *list[WORDS_MAX + 1];
	uint32_t count;
	size_t used;
	char bytes[WORDS_SIZE];
};

static void word_put(struct words *words, const char *format, ...) KR_PRINTF(2, 3);

static void word_put(struct words *words, const char *format, ...)
{
	va_list list;
	int length;
	kr_assert(words->count < WORDS_MAX && words->used < WORDS_SIZE);
	words->list[words->count++] = words->bytes + words->used;
	words->list[words->count] = NULL;
	va_start(list, format);
	length = vsnprintf(words->bytes + words->used, WORDS_SIZE - words->used, format, list);
	va_end(list);
	kr_assert(length >= 0 && (size_t)length < WORDS_SIZE - words->used);
	words->used += (size_t)length + 1;
}

static void option_put(struct words *words, const char *option, const char *value)
{
	word_put(words, "%s", option);
	word_put(words, "%s", value);
}

static void count_put(struct words *words, const char *option, uint32_t value)
{
	word_put(words, "%s", option);
	word_put(words, "%u", value);
}

static void router_put(
	struct words *words, const char *prefix, const char *option, const char *value)
{
	word_put(words, "--%s%s", prefix, option);
	word_put(words, "%s", value);
}

/* `prefix` "router-": the options of a shard with a router inside. */
static void words_of_router(const struct cluster *cluster, const char *prefix, struct words *words)
{
	const struct cluster_config *config = &cluster->config;
	char socket[FILES_PATH_SIZE];
	router_put(words, prefix, "listen", config->listen);
	if (config->booking_listen[0] != '\0')
		router_put(words, prefix, "booking-listen", config->booking_listen);
	if (config->operator_token_file[0] != '\0')
		router_put(words, prefix, "operator-token-file", config->operator_token_file);
	if (config->booking_token_file[0] != '\0')
		router_put(words, prefix, "booking-token-file", config->booking_token_file);
	for (uint32_t i = 0; i < config->shards; i++) {
		process_socket(cluster, i, socket);
		router_put(words, prefix, "shard", socket);
	}
}

static void words_of_shard(const struct cluster *cluster, uint32_t index, struct words *words)
{
	const struct cluster_config *config = &cluster->config;
	uint32_t shards = config->shards;
	char path[FILES_PATH_SIZE];
	kr_assert(index < shards);
	process_path(cluster, (struct process){PROCESS_SHARD, index}, "", path);
	option_put(words, "--dir", path);
	process_socket(cluster, index, path);
	option_put(words, "--listen", path);
	count_put(words, "--shard-index", index);
	count_put(words, "--shards", shards);
	option_put(words, "--durability", config->durability);
	count_put(words, "--hotels", cluster_part(config->hotels, shards, SLACK_HOTELS));
	count_put(words, "--types", cluster_part(config->types, shards, SLACK_TYPES));
	if (config->plans != 0)
		count_put(words, "--plans", cluster_part(config->plans, shards, SLACK_TYPES));
	count_put(words, "--nights", config->nights);
	count_put(words, "--reservations",
		cluster_part(config->reservations, shards, SLACK_RESERVATIONS));
	count_put(words, "--retention", config->retention_hours);
	if (config->allow_tmpfs)
		word_put(words, "--allow-tmpfs");
	if (config->embeds_router && index == 0)
		words_of_router(cluster, "router-", words);
}

/* A log that has grown large is kept once more under another name. */
static void log_rotate(const char *path)
{
	char old[FILES_PATH_SIZE];
	struct stat status;
	if (stat(path, &status) != 0 || status.st_size < (off_t)LOG_SIZE_MAX)
		return;
	if (snprintf(old, sizeof(old), "%s.1", path) < (int)sizeof(old))
		(void)rename(path, old);
}

/* Standard input from nowhere, output to the log, nothing else open, working directory DIR. */
static int actions_fill(
	posix_spawn_file_actions_t *actions, const struct cluster *cluster, const char *log_path)
{
	int r = posix_spawn_file_actions_addchdir_np(actions, cluster->dir);
	if (r == 0)
		r = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);
	if (r == 0)
		r = posix_spawn_file_actions_addopen(
			actions, 1, log_path, O_WRONLY | O_CREAT | O_APPEND, 0666);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(actions, 1, 2);
	if (r == 0)
		r = posix_spawn_file_actions_addclosefrom_np(actions, 3);
	return r;
}

/* A session of its own, so that no key typed here reaches it, and no blocked signals. */
static int attributes_fill(posix_spawnattr_t *attributes)
{
	sigset_t none;
	sigset_t all;
	int r;
	sigemptyset(&none);
	sigfillset(&all);
	r = posix_spawnattr_setflags(
		attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	if (r == 0)
		r = posix_spawnattr_setsigmask(attributes, &none);
	if (r == 0)
		r = posix_spawnattr_setsigdefault(attributes, &all);
	return r;
}

static int words_spawn(const struct cluster *cluster, const char *log_path,
	const struct words *words, pid_t *ret_pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int r = posix_spawn_file_actions_init(&actions);
	kr_assert(words->count > 0);
	if (r != 0)
		return r;
	r = posix_spawnattr_init(&attributes);
	if (r == 0) {
		r = actions_fill(&actions, cluster, log_path);
		if (r == 0)
			r = attributes_fill(&attributes);
		if (r == 0)
			r = posix_spawn(ret_pid, words->list[0], &actions, &attributes, words->list,
				environ);
		posix_spawnattr_destroy(&attributes);
	}
	posix_spawn_file_actions_destroy(&actions);
	return r;
}

int process_spawn(const struct cluster *cluster, struct process process, pid_t *ret_pid,
	struct kr_error_text *error)
{
	static struct words words;
	char path[FILES_PATH_SIZE];
	int r = process_program(process.role, path, error);
	if (r < 0)
		return r;
	words.count = 0;
	words.used = 0;
	word_put(&words, "%s", path);
	word_put(&words, "--cluster");
	word_put(&words, "0x%016" PRIx64, cluster->config.id);
	if (process.role == PROCESS_ROUTER)
		words_of_router(cluster, "", &words);
	else
		words_of_shard(cluster, process.index, &words);
	process_path(cluster, process, ".pid", path);
	option_put(&words, "--pid-file", path);
	process_path(cluster, process, ".log", path);
	log_rotate(path);
	r = words_spawn(cluster, path, &words, ret_pid);
	if (r != 0)
		return kr_error_text_set(
			error, kr_error_from_errno(r), r, "cannot start %s", words.list[0]);
	return 0;
}
