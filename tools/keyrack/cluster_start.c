/* keyrack cluster start */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/keyrack/backup_file.h"
#include "tools/keyrack/cluster_status.h"
#include "tools/keyrack/commands.h"
#include "tools/keyrack/ready.h"
#include "tools/keyrack/value.h"

#define START_TIMEOUT_US UINT64_C(180000000)
#define ROUND_US UINT64_C(3000000)
#define ROUNDS_MAX 3u /* starts of each process on average */
#define NIGHTS_MIN 8u
#define NIGHTS_MAX 4096u
#define SIZE_MAX_COUNT 4000000000u
#define RETENTION_HOURS_MAX (24u * 366u)

enum start_key {
	START_DIR = 'd',
	START_SHARDS = 'n',
	START_LISTEN = 'l',
	START_BOOKING_LISTEN = CLI_KEY_OWN,
	START_OPERATOR_TOKEN,
	START_BOOKING_TOKEN,
	START_DURABILITY,
	START_HOTELS,
	START_TYPES,
	START_PLANS,
	START_NIGHTS,
	START_RESERVATIONS,
	START_RETENTION,
	START_ALLOW_TMPFS,
	START_EMBEDDED_ROUTER,
	START_TIMEOUT,
};

static const struct argp_option start_options[] = {
	{"dir", START_DIR, "DIR", 0, "where it lives; made if it is missing", 0},
	{"shards", START_SHARDS, "N", 0, "how many shards (a new cluster: 1); for ever", 0},
	{"listen", START_LISTEN, "ADDR", 0, "where operators connect (" CLUSTER_LISTEN_DEFAULT ")",
		0},
	{"booking-listen", START_BOOKING_LISTEN, "ADDR", 0,
		"where those connect who may only sell and ask", 0},
	{"operator-token-file", START_OPERATOR_TOKEN, "FILE", 0,
		"tokens of operators; with any token, TCP asks for one", 0},
	{"booking-token-file", START_BOOKING_TOKEN, "FILE", 0, "tokens that give the booking role",
		0},
	{"durability", START_DURABILITY, "sync|async", 0,
		"sync: on disk before it is answered (default); async: within 100 ms", 0},
	{"allow-tmpfs", START_ALLOW_TMPFS, NULL, 0,
		"a directory in memory, which keeps nothing over a power cut", 0},
	{"embedded-router", START_EMBEDDED_ROUTER, "yes|no", 0,
		"no process for the router: it is inside shard 0 (no)", 0},
	{"timeout", START_TIMEOUT, "TIME", 0, "how long to wait until all serve (180s)", 0},
	{0, 0, NULL, 0, "Sizes, of the whole cluster:", 1},
	{"hotels", START_HOTELS, "N", 0, "hotels (2000)", 1},
	{"types", START_TYPES, "N", 0, "room types over all hotels (20 x hotels)", 1},
	{"plans", START_PLANS, "N", 0, "rate plans beside each type's own (as many as types)", 1},
	{"nights", START_NIGHTS, "N", 0, "nights on sale, from today (731)", 1},
	{"reservations", START_RESERVATIONS, "N", 0, "reservations kept, live and ended (1000000)",
		1},
	{"retention", START_RETENTION, "HOURS", 0, "how long ended reservations are kept (24)", 1},
	{0},
};

#define BIT(key) (1u << ((key)-START_BOOKING_LISTEN + 3))
#define BIT_SHARDS 1u
#define BIT_LISTEN 2u

struct start {
	const char *dir;
	uint32_t given; /* BIT()s of the options that were given */
	struct cluster_config wanted;
	uint64_t timeout_us;
	bool is_new;
	bool is_again;                     /* not the first look at what is missing */
	char address[CLUSTER_LISTEN_SIZE]; /* of the router, for clients here */
	struct cluster cluster;
	struct ready ready;
};

static int count_read(
	const char *arg, uint32_t first, uint32_t last, uint32_t *ret, struct kr_error_text *error)
{
	uint64_t number = 0;
	int r = value_u64(arg, (struct value_range){first, last}, &number, error);
	*ret = (uint32_t)number;
	return r;
}

static int listen_read(const char *arg, char *ret, struct kr_error_text *error)
{
	size_t length = strlen(arg);
	if (length == 0 || length >= CLUSTER_LISTEN_SIZE)
		return kr_error_text_set(error, -KR_E_INVALID, 0,
			"this is no address; write " CLUSTER_LISTEN_DEFAULT);
	/* Whoever wants to connect has to know the port. */
	if (length >= 2 && strcmp(arg + length - 2, ":0") == 0)
		return kr_error_text_set(error, -KR_E_INVALID, 0, "a port is needed, not 0");
	memcpy(ret, arg, length + 1);
	return 0;
}

/* The router runs in another directory. */
static int path_read(const char *arg, char *ret, struct kr_error_text *error)
{
	char path[PATH_MAX];
	kr_static_assert(FILES_PATH_SIZE >= PATH_MAX, "realpath() fits");
	if (realpath(arg, path) == NULL)
		return kr_error_text_set(
			error, kr_error_from_errno(errno), errno, "cannot open %s", arg);
	kr_assert(path[0] == '/');
	/* Nothing behind its end: configurations are compared as bytes. */
	memcpy(ret, path, strlen(path) + 1);
	return 0;
}

static int durability_read(const char *arg, char *ret, struct kr_error_text *error)
{
	if (strcmp(arg, "sync") != 0 && strcmp(arg, "async") != 0)
		return kr_error_text_set(
			error, -KR_E_INVALID, 0, "\"%s\" is neither sync nor async", arg);
	(void)snprintf(ret, CLUSTER_DURABILITY_SIZE, "%s", arg);
	return 0;
}

static int yes_no_read(const char *arg, bool *ret, struct kr_error_text *error)
{
	if (strcmp(arg, "yes") != 0 && strcmp(arg, "no") != 0)
		return kr_error_text_set(
			error, -KR_E_INVALID, 0, "\"%s\" is neither yes nor no", arg);
	*ret = arg[0] == 'y';
	return 0;
}

static int size_option(
	struct cluster_config *wanted, int key, const char *arg, struct kr_error_text *error)
{
	switch (key) {
	case START_HOTELS:
		return count_read(arg, 1, SIZE_MAX_COUNT, &wanted->hotels, error);
	case START_TYPES:
		return count_read(arg, 1, SIZE_MAX_COUNT, &wanted->types, error);
	case START_PLANS:
		return count_read(arg, 1, SIZE_MAX_COUNT, &wanted->plans, error);
	case START_NIGHTS:
		return count_read(arg, NIGHTS_MIN, NIGHTS_MAX, &wanted->nights, error);
	case START_RESERVATIONS:
		return count_read(arg, 1, SIZE_MAX_COUNT, &wanted->reservations, error);
	case START_RETENTION:
		return count_read(arg, 0, RETENTION_HOURS_MAX, &wanted->retention_hours, error);
	default:
		kr_unreachable();
	}
}

static int access_option(
	struct cluster_config *wanted, int key, const char *arg, struct kr_error_text *error)
{
	switch (key) {
	case START_BOOKING_LISTEN:
		return listen_read(arg, wanted->booking_listen, error);
	case START_OPERATOR_TOKEN:
		return path_read(arg, wanted->operator_token_file, error);
	case START_BOOKING_TOKEN:
		return path_read(arg, wanted->booking_token_file, error);
	default:
		kr_unreachable();
	}
}

static int start_option(void *options, int key, const char *arg, struct kr_error_text *error)
{
	struct start *start = options;
	struct cluster_config *wanted = &start->wanted;
	switch ((enum start_key)key) {
	case START_DIR:
		start->dir = arg;
		return 0;
	case START_TIMEOUT:
		return value_duration(arg, &start->timeout_us, error);
	case START_SHARDS:
		start->given |= BIT_SHARDS;
		return count_read(arg, 1, CLUSTER_SHARDS_MAX, &wanted->shards, error);
	case START_LISTEN:
		start->given |= BIT_LISTEN;
		return listen_read(arg, wanted->listen, error);
	case START_BOOKING_LISTEN:
	case START_OPERATOR_TOKEN:
	case START_BOOKING_TOKEN:
		start->given |= BIT(key);
		return access_option(wanted, key, arg, error);
	case START_ALLOW_TMPFS:
		start->given |= BIT(key);
		wanted->allow_tmpfs = true;
		return 0;
	case START_EMBEDDED_ROUTER:
		start->given |= BIT(key);
		return yes_no_read(arg, &wanted->embeds_router, error);
	case START_DURABILITY:
		start->given |= BIT(key);
		return durability_read(arg, wanted->durability, error);
	case START_HOTELS:
	case START_TYPES:
	case START_PLANS:
	case START_NIGHTS:
	case START_RESERVATIONS:
	case START_RETENTION:
		start->given |= BIT(key);
		return size_option(wanted, key, arg, error);
	}
	kr_unreachable();
}

/* ---- what the directory is and what it shall be ---- */

/* The configuration with the options that were given. */
static struct cluster_config config_merge(
	const struct start *start, const struct cluster_config *old)
{
	struct cluster_config config = *old;
	const struct cluster_config *wanted = &start->wanted;
	uint32_t given = start->given;
	if ((given & BIT_SHARDS) != 0)
		config.shards = wanted->shards;
	if ((given & BIT_LISTEN) != 0)
		memcpy(config.listen, wanted->listen, sizeof(config.listen));
	if ((given & BIT(START_BOOKING_LISTEN)) != 0)
		memcpy(config.booking_listen, wanted->booking_listen,
			sizeof(config.booking_listen));
	if ((given & BIT(START_OPERATOR_TOKEN)) != 0)
		memcpy(config.operator_token_file, wanted->operator_token_file,
			sizeof(config.operator_token_file));
	if ((given & BIT(START_BOOKING_TOKEN)) != 0)
		memcpy(config.booking_token_file, wanted->booking_token_file,
			sizeof(config.booking_token_file));
	if ((given & BIT(START_ALLOW_TMPFS)) != 0)
		config.allow_tmpfs = true;
	if ((given & BIT(START_EMBEDDED_ROUTER)) != 0)
		config.embeds_router = wanted->embeds_router;
	if ((given & BIT(START_DURABILITY)) != 0)
		memcpy(config.durability, wanted->durability, sizeof(config.durability));
	if ((given & BIT(START_HOTELS)) != 0)
		config.hotels = wanted->hotels;
	if ((given & BIT(START_TYPES)) != 0)
		config.types = wanted->types;
	if ((given & BIT(START_PLANS)) != 0)
		config.plans = wanted->plans;
	if ((given & BIT(START_NIGHTS)) != 0)
		config.nights = wanted->nights;
	if ((given & BIT(START_RESERVATIONS)) != 0)
		config.reservations = wanted->reservations;
	if ((given & BIT(START_RETENTION)) != 0)
		config.retention_hours = wanted->retention_hours;
	if (config.types == 0)
		config.types = (uint32_t)KR_MIN(
			(uint64_t)config.hotels * CLUSTER_TYPES_PER_HOTEL, SIZE_MAX_COUNT);
	return config;
}

static int refuse(const struct cli *cli, const struct kr_error_text *error)
{
	cli_say(cli, "%s", error->bytes);
	return CLI_REFUSED;
}

static int shards_refuse(const struct cli *cli, const struct start *start)
{
	cli_say(cli,
		"%s was laid out for %u shard%s and cannot be opened with %u: each hotel lives in "
		"the shard that its number of shards says.\n"
		"Start it without --shards, or make another cluster in another directory.",
		start->cluster.dir, start->cluster.config.shards,
		start->cluster.config.shards == 1 ? "" : "s", start->wanted.shards);
	return CLI_REFUSED;
}

/* Is any process of it running? CLI_DONE and *ret_running, or the exit code. */
static int running_count(const struct cli *cli, const struct start *start, uint32_t *ret_running)
{
	uint32_t running = 0;
	for (uint32_t i = 0; i < process_count(&start->cluster); i++) {
		struct kr_error_text error;
		pid_t pid;
		int pidfd;
		int r;
		kr_error_text_clear(&error);
		r = process_find(
			&start->cluster, process_at(&start->cluster, i), &pid, &pidfd, &error);
		if (r < 0)
			return refuse(cli, &error);
		if (r == 0)
			close(pidfd);
		running += r == 0;
	}
	*ret_running = running;
	return CLI_DONE;
}

/* The router would refuse as well, but in its log. CLI_DONE or the exit code. */
static int access_check(const struct cli *cli, const struct cluster_config *config)
{
	const char *booking = config->booking_listen;
	bool has_booking = booking[0] != '\0';
	const char *open = !cluster_listen_is_local(config->listen)           ? config->listen
			   : has_booking && !cluster_listen_is_local(booking) ? booking
									      : NULL;
	if (cluster_token_file(config) != NULL)
		return CLI_DONE;
	if (open != NULL) {
		cli_say(cli,
			"%s can be reached from other machines, and nothing there asks who calls: "
			"give --operator-token-file or --booking-token-file, or an address of this "
			"machine alone",
			open);
		return CLI_REFUSED;
	}
	if (!has_booking || cluster_listen_is_unix(config->listen))
		return CLI_DONE;
	cli_say(cli,
		"at %s every process of this machine is an operator, so that --booking-listen "
		"keeps nobody from anything: give --listen unix:PATH, or --operator-token-file",
		config->listen);
	return CLI_REFUSED;
}

static int config_settle(const struct cli *cli, struct start *start)
{
	struct cluster_config *config = &start->cluster.config;
	struct cluster_config merged = config_merge(start, config);
	struct kr_error_text error;
	uint32_t running = 0;
	int code = CLI_DONE;
	kr_error_text_clear(&error);
	if (!start->is_new && merged.shards != config->shards)
		return shards_refuse(cli, start);
	code = access_check(cli, &merged);
	if (code != CLI_DONE)
		return code;
	if (!start->is_new && memcmp(&merged, config, sizeof(merged)) == 0)
		return CLI_DONE;
	if (!start->is_new)
		code = running_count(cli, start, &running);
	if (code != CLI_DONE)
		return code;
	if (running > 0) {
		cli_say(cli,
			"the cluster runs with other options; stop it first, or leave them out");
		return CLI_REFUSED;
	}
	*config = merged;
	return cluster_save(&start->cluster, &error) < 0 ? refuse(cli, &error) : CLI_DONE;
}

/* Opens or prepares the directory and locks it. CLI_DONE and *ret_lock, or the exit code. */
/* What starts in it writes to it: it would be a backup no more. 0 or a negative error. */
static int backup_refuse(const struct cluster *cluster, struct kr_error_text *error)
{
	char path[FILES_PATH_SIZE];
	kr_assert(cluster->dir[0] == '/');
	if (!files_join(cluster->dir, BACKUP_MANIFEST, path, sizeof(path)) ||
		access(path, F_OK) != 0)
		return 0;
	return kr_error_text_set(error, -KR_E_INVALID, 0,
		"%s is a backup, which a start would change; `keyrack restore --dir NEW %s` makes "
		"a cluster of it",
		cluster->dir, cluster->dir);
}

static int directory_take(const struct cli *cli, struct start *start, int *ret_lock)
{
	struct kr_error_text error;
	int r;
	kr_error_text_clear(&error);
	r = cluster_open(start->dir, &start->cluster, &error);
	if (r == 0)
		r = backup_refuse(&start->cluster, &error);
	if (r == CLUSTER_NONE)
		r = cluster_prepare(start->dir, &start->cluster, &error);
	if (r == 0)
		r = cluster_lock(&start->cluster, ret_lock, &error);
	if (r < 0)
		return refuse(cli, &error);
	/* Again, now that nobody else can be making it. */
	r = cluster_open(start->dir, &start->cluster, &error);
	start->is_new = r == CLUSTER_NONE;
	if (r == CLUSTER_NONE)
		r = cluster_config_new(&start->cluster.config, &error);
	if (r == 0)
		return CLI_DONE;
	close(*ret_lock);
	return refuse(cli, &error);
}

/* ---- processes ---- */

static void plan_print(const struct start *start)
{
	const struct cluster_config *config = &start->cluster.config;
	printf("%s cluster %016" PRIx64 " in %s: %u shard%s, durability %s\n",
		start->is_new ? "new" : "starting", config->id, start->cluster.dir, config->shards,
		config->shards == 1 ? "" : "s", config->durability);
	fflush(stdout);
}

/* Starts what does not run of the processes [first, end). CLI_DONE or the exit code. */
static int missing_spawn(const struct cli *cli, struct start *start, uint32_t first, uint32_t end)
{
	for (uint32_t i = first; i < end; i++) {
		struct process process = process_at(&start->cluster, i);
		char title[PROCESS_NAME_SIZE];
		struct kr_error_text error;
		pid_t pid;
		int pidfd;
		int r;
		kr_error_text_clear(&error);
		process_title(process, title);
		r = process_find(&start->cluster, process, &pid, &pidfd, &error);
		if (r == 0) {
			close(pidfd);
			if (!cli->json && !start->is_again)
				printf("%s: runs already (process %d)\n", title, (int)pid);
			continue;
		}
		if (r == PROCESS_NONE)
			r = ready_spawn(&start->ready, process, &error);
		if (r < 0)
			return refuse(cli, &error);
	}
	return CLI_DONE;
}

/* Asks the router and, through it, each shard. CLI_DONE, or who does not answer in *ret_silent:
 * 0 for the router, 1 + N for shard N. */
static int answers_ask(struct cli *cli, uint32_t shards, uint64_t deadline_us, uint32_t *ret_silent)
{
	for (uint32_t i = 0; i <= shards; i++) {
		const struct keyrack_ping ping = {
			.call = {.deadline_us = deadline_us},
			.to_shard = i > 0,
			.shard = i > 0 ? i - 1 : 0,
		};
		struct keyrack_ping_answer answer;
		kr_assert(cli->client != NULL);
		if (keyrack_ping(cli->client, &ping, &answer) != KEYRACK_RESULT_DONE) {
			*ret_silent = i;
			return CLI_UNREACHABLE;
		}
	}
	return CLI_DONE;
}

static int silence_say(const struct cli *cli, const struct start *start, uint32_t silent)
{
	if (silent == 0)
		cli_say(cli, "all processes run, but the router does not answer at %s",
			start->address);
	else
		cli_say(cli, "all processes run, but shard %u does not answer through the router",
			silent - 1);
	return CLI_UNREACHABLE;
}

static void next_print(const struct start *start)
{
	const char *token_file = cluster_token_file(&start->cluster.config);
	printf("listening on %s\n", start->cluster.config.listen);
	if (strcmp(start->address, CLI_ROUTER_DEFAULT) != 0)
		printf("  export KEYRACK_ROUTER=%s\n", start->address);
	if (!cluster_listen_is_unix(start->address) && token_file != NULL)
		printf("  export KEYRACK_TOKEN_FILE=%s\n", token_file);
	if (start->is_new)
		puts("  keyrack hotel put 1 --zone Europe/Paris --currency EUR");
	else
		puts("  keyrack hotel list");
	printf("  keyrack cluster stop --dir %s\n", start->dir);
}

/* Starts what is missing: shards first, then the router. CLI_DONE or the exit code. */
static int round_start(const struct cli *cli, struct start *start)
{
	uint32_t shards = start->cluster.config.shards;
	int code = missing_spawn(cli, start, 0, shards);
	int router_code;
	if (code == CLI_DONE)
		code = ready_wait(cli, &start->ready);
	ready_forget(&start->ready);
	/* The router also if a shard does not come: the others can be sold from. */
	router_code = missing_spawn(cli, start, shards, process_count(&start->cluster));
	if (router_code == CLI_DONE)
		router_code = ready_wait(cli, &start->ready);
	ready_forget(&start->ready);
	start->is_again = true;
	return code != CLI_DONE ? code : router_code;
}

/* Until all of them answer. A process that was being killed when this began is found running
 * first and missing later, so what is missing is looked for again. CLI_DONE or the exit code. */
static int processes_start(struct cli *cli, struct start *start)
{
	const struct keyrack_config config = {
		.agent = "keyrack " KEYRACK_VERSION,
		.routers = start->address,
		.token_file = cluster_token_file(&start->cluster.config),
	};
	uint32_t shards = start->cluster.config.shards;
	uint32_t silent = 0;
	int r;
	ready_init(&start->ready, &start->cluster, start->timeout_us, cli->json);
	kr_assert(cli->client == NULL);
	r = keyrack_client_new(&config, &cli->client);
	if (r == -EACCES || r == -EBADMSG) {
		cli->token_file = config.token_file;
		return cli_token_refuse(cli);
	}
	if (r != 0) {
		cli_say(cli, "%s is no address to connect to", start->address);
		return CLI_REFUSED;
	}
	for (;;) {
		uint64_t left_us;
		int code = round_start(cli, start);
		if (code != CLI_DONE)
			return code;
		left_us = ready_left_us(&start->ready);
		if (answers_ask(cli, shards, KR_MIN(left_us, ROUND_US), &silent) == CLI_DONE)
			return CLI_DONE;
		if (left_us <= ROUND_US || start->ready.spawned > ROUNDS_MAX * (shards + 1))
			return silence_say(cli, start, silent);
	}
}

int cluster_start_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_spec spec = {
		.options = start_options,
		.option = start_option,
		.doc = "Starts a local cluster of one router and N shards, or what is missing of "
		       "it. What was said at its first start is kept in DIR.\v"
		       "Each shard gets a quarter more than its equal part of the sizes, because "
		       "hotels never spread quite equally; the memory they mean is printed.",
		.is_local = true,
	};
	static struct start start = {.timeout_us = START_TIMEOUT_US};
	const char *args[CLI_ARGS_MAX];
	int lock;
	int code;
	cli_words(cli, &spec, argc, argv, &start, args);
	if (start.dir == NULL)
		return cli_wrong(cli, "--dir is missing: where the cluster lives or shall live");
	if (start.timeout_us == 0)
		return cli_wrong(cli, "--timeout: no time at all");
	code = directory_take(cli, &start, &lock);
	if (code != CLI_DONE)
		return code;
	code = config_settle(cli, &start);
	if (code == CLI_DONE) {
		if (!cli->json)
			plan_print(&start);
		cluster_router_address(&start.cluster.config, start.address);
		code = processes_start(cli, &start);
		if (code == CLI_DONE && cli->json)
			code = cluster_status_show(cli, &start.cluster);
		else if (code == CLI_DONE)
			next_print(&start);
	}
	close(lock);
	return code;
}
