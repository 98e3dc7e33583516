#include "engine/server/options.h"

#include <argp.h>
#include <string.h>

#define SECOND_US UINT64_C(1000000)
#define HOUR_US (3600 * SECOND_US)
#define MIB (UINT64_C(1) << 20)
#define COUNT_MAX 4000000000u
#define TYPES_PER_HOTEL 20u
#define RUNS_PER_TYPE 10u

const char *argp_program_version = "keyrack-shard " KEYRACK_VERSION;

#define U32(field) OPTION_U32(struct shard_options, field)
#define U64(field) OPTION_U64(struct shard_options, field)
#define SWITCH(field) OPTION_SWITCH(struct shard_options, field)
#define STRING(field) OPTION_STRING(struct shard_options, field)
#define SIZE(field, preset_) U32(server.shard.inventory.field), OPTION_RANGE(preset_, 1, COUNT_MAX)

static const struct option_row table[] = {
	{OPTION_NAMED("dir", 'd', "PATH", "the shard's directory; made if it is missing"),
		.needed = "where the log and the snapshots lie", STRING(server.directory)},
	{OPTION_NAMED("listen", 'l', "ADDR[,ADDR]",
		 "where routers connect: HOST:PORT, [V6]:PORT or unix:PATH"),
		OPTION_RANGE(0, 0, CONN_LISTEN_MAX),
		.needed = "such as 127.0.0.1:7071 or unix:/path",
		.instead = ROUTER_OPTION_PREFIX "listen",
		IO_OPTION_ADDRESSES(struct shard_options, listen)},
	{OPTION_NAMED("listen-mode", 0, "OCTAL", "permissions of unix sockets"),
		.preset_text = "0600", IO_OPTION_MODE(struct shard_options, listen_mode)},
	{OPTION_NAMED("listen-owner", 0, "USER[:GROUP]", "whose those sockets are"),
		IO_OPTION_OWNER(struct shard_options, listen_owner)},
	{OPTION_NAMED("token-file", 0, "PATH", "tokens of routers; with one, TCP asks for it"),
		STRING(token_file)},
	{OPTION_NAMED("cluster", 'c', "ID", "the cluster's number, decimal or 0x and hexadecimal"),
		OPTION_RANGE(0, 1, UINT64_MAX), .needed = "the same number for all of the cluster",
		U64(server.shard.cluster)},
	{OPTION_NAMED("shard-index", 'i', "NUMBER", "which of the shards this is, from 0"),
		OPTION_RANGE(0, 0, SHARD_COUNT_MAX - 1), U32(server.shard.shard_index)},
	{OPTION_NAMED("shards", 'n', "COUNT", "how many shards the cluster has"),
		OPTION_RANGE(1, 1, SHARD_COUNT_MAX), U32(server.shard.shard_count)},
	{OPTION_NAMED("durability", 0, "sync|async",
		 "sync: on disk before it is answered; async: within --sync-interval"),
		.heading = "Durability:", OPTION_WORD(struct shard_options, durability)},
	{OPTION_NAMED(
		 "sync-interval", 0, "MILLISECONDS", "async: what a power cut may lose at most"),
		OPTION_RANGE(100, 1, 60000), .unit = 1000, U64(sync_interval_us)},
	{OPTION_NAMED("segment-size", 0, "MIB", "of a file of the log"),
		OPTION_RANGE(LOG_SEGMENT_SIZE_DEFAULT / MIB, 8, 4095), .unit = MIB,
		U64(server.segment_size_bytes)},
	{OPTION_NAMED(
		 "snapshot-effects", 0, "COUNT", "a snapshot after so many effects; 0 = never"),
		OPTION_RANGE(4000000, 0, UINT64_MAX), .flags = OPTION_LIVE,
		U64(server.shard.snapshot_effects)},
	{OPTION_NAMED("snapshot-log", 0, "MIB", "or after so much log; 0 = never"),
		OPTION_RANGE(1024, 0, 1u << 20), .unit = MIB, .flags = OPTION_LIVE,
		U64(server.shard.snapshot_log_bytes)},
	{OPTION_NAMED("log-archive", 0, "PATH",
		 "copy each segment of the log there before it is recycled"),
		STRING(server.archive)},
	{OPTION_NAMED("log-archive-keep", 0, "COUNT",
		 "segments that may wait for an archive that fails; then as a full disk"),
		OPTION_RANGE(LOG_ARCHIVE_KEEP_DEFAULT, 1, LOG_DIR_SEGMENT_MAX / 2),
		U32(server.archive_keep_count)},
	{OPTION_NAMED("allow-tmpfs", 0, NULL,
		 "a directory in memory, which keeps nothing over a power cut"),
		SWITCH(server.allow_tmpfs)},
	{OPTION_NAMED("allow-clock-jump", 0, NULL,
		 "start though the wall clock is over an hour behind, or seven days ahead of, the "
		 "log"),
		SWITCH(server.allow_clock_jump)},
	{OPTION_NAMED("lock-wait", 0, "SECONDS",
		 "wait so long for a directory that another process has"),
		OPTION_RANGE(SERVER_LOCK_WAIT_US / SECOND_US, 0, 3600), .unit = SECOND_US,
		U64(server.lock_wait_us)},
	{OPTION_NAMED("hotels", 0, "COUNT", "hotels of this shard"),
		.heading = "Sizes (what does not fit is refused with LIMIT_REACHED):",
		SIZE(hotels_max, 2000)},
	{OPTION_NAMED("types", 0, "COUNT", "room types over all hotels"),
		.preset_note = "20 x hotels", SIZE(rows_max, 0)},
	{OPTION_NAMED("plans", 0, "COUNT", "rate plans beside each type's plan 0"),
		.preset_note = "as many as types", SIZE(plans_max, 0)},
	{OPTION_NAMED("nights", 0, "COUNT", "nights that can be sold, from today"),
		OPTION_RANGE(
			INV_WINDOW_NIGHTS_DEFAULT, INV_WINDOW_NIGHTS_MIN, INV_WINDOW_NIGHTS_MAX),
		U32(server.shard.inventory.window_nights)},
	{OPTION_NAMED("reservations", 0, "COUNT", "reservations kept, live and retained"),
		SIZE(reservations_max, 1000000)},
	{OPTION_NAMED("nodes", 0, "COUNT", "64 bytes each: further lines, prices, references"),
		.preset_note = "reservations / 2", SIZE(nodes_max, 0)},
	{OPTION_NAMED("stock-runs", 0, "COUNT", "runs of rooms, out of order, allowance by date"),
		.preset_note = "10 x types", SIZE(stock_runs_max, 0)},
	{OPTION_NAMED("refusals", 0, "COUNT", "refusals remembered, a power of two"),
		SIZE(refusals_max, INV_REFUSALS_REMEMBERED)},
	{OPTION_NAMED("denials", 0, "COUNT", "entries of the table of denials"),
		SIZE(denials_max, 65536)},
	{OPTION_NAMED("retention", 0, "HOURS", "how long ended reservations are kept"),
		OPTION_RANGE(INV_RETENTION_US / HOUR_US, 0, 24 * 366), .unit = HOUR_US,
		U64(server.shard.inventory.retention_us)},
	{OPTION_NAMED("grace", 0, "SECONDS", "for holds that lapsed while the shard was down"),
		OPTION_RANGE(INV_GRACE_US / SECOND_US, 0, 86400), .unit = SECOND_US,
		U64(server.shard.inventory.grace_us)},
	{OPTION_NAMED("max-connections", 0, "COUNT", "at a time"),
		OPTION_RANGE(SERVER_CONN_MAX_DEFAULT, 1, CONN_MAX),
		.heading = "The process:", .flags = OPTION_LIVE, U32(server.conn_max_count)},
	{OPTION_NAMED("idle-timeout", 0, "SECONDS",
		 "close connections that say nothing for so long; 0 = never"),
		OPTION_RANGE(0, 0, 31536000), .unit = SECOND_US, .flags = OPTION_LIVE,
		U64(server.shard.idle_timeout_us)},
	{OPTION_NAMED("spin-us", 0, "MICROSECONDS",
		 "look for work this long before sleeping, where few are asking: less "
		 "latency, more CPU; 0 = never"),
		OPTION_RANGE(IO_SPIN_US_DEFAULT, 0, 1000000), .flags = OPTION_LIVE, U32(spin_us)},
	{OPTION_NAMED("no-huge-pages", 0, NULL, "do not ask for huge pages"),
		SWITCH(server.no_huge_pages)},
	{OPTION_NAMED("prefault", 0, NULL,
		 "take the memory of all tables at start: no sale waits for the system to clear "
		 "it"),
		SWITCH(server.prefault)},
	{OPTION_NAMED("pid-file", 0, "PATH", "write the process id there"), STRING(pid_file)},
	{OPTION_NAMED("ready-fd", 0, "NUMBER", "write a line to that descriptor once it serves"),
		OPTION_RANGE(0, 1, INT32_MAX), .flags = OPTION_FLAG_ONLY, U32(ready_fd)},
};

/* These rows, then those of a router inside. */
static struct option_row rows[KR_ARRAY_COUNT(table) + ROUTER_OPTION_MAX];

static uint32_t rows_make(void)
{
	struct option_row *inside = &rows[KR_ARRAY_COUNT(table)];
	memcpy(rows, table, sizeof(table));
	uint32_t count = router_options_embed(inside, offsetof(struct shard_options, router));
	kr_assert(count > 0);
	inside[0].heading = "A router inside (clients connect to this process):";
	return KR_ARRAY_COUNT(table) + count;
}

/* Sizes that were not given follow from the others. */
static void derive_sizes(struct inv_config *inv)
{
	kr_assert(inv->hotels_max > 0 && inv->reservations_max > 0);
	if (inv->rows_max == 0)
		inv->rows_max =
			(uint32_t)KR_MIN((uint64_t)inv->hotels_max * TYPES_PER_HOTEL, COUNT_MAX);
	if (inv->plans_max == 0)
		inv->plans_max = inv->rows_max;
	if (inv->nodes_max == 0)
		inv->nodes_max = KR_MAX(inv->reservations_max / 2, 1024u);
	if (inv->stock_runs_max == 0)
		inv->stock_runs_max =
			(uint32_t)KR_MIN((uint64_t)inv->rows_max * RUNS_PER_TYPE, COUNT_MAX);
}

#define REMEDY                                                                                     \
	"give --token-file, and the same to routers as --shard-token-file, or an address of this " \
	"machine alone, such as 127.0.0.1:7071 or unix:/path"

static void tokens_read(struct option_set *set, struct shard_options *options)
{
	struct server_config *server = &options->server;
	struct kr_error_text text;
	kr_assert(server->guard.role == ACCESS_OPERATOR);
	server->tokens.count = 0;
	if (options->token_file != NULL &&
		token_set_read(&server->tokens, ACCESS_OPERATOR, options->token_file, &text) < 0)
		options_complain(set, "token-file", "cannot be used: %s", text.bytes);
	server->guard.wants_token = server->tokens.count > 0;
}

static void check_whole(struct option_set *set, const struct shard_options *options)
{
	const struct shard_config *shard = &options->server.shard;
	const char *option = NULL;
	if (shard->shard_index >= shard->shard_count)
		options_complain(set, "shard-index", "is %u: with %u shards it is at most %u",
			shard->shard_index, shard->shard_count, shard->shard_count - 1);
	if (options->token_file == NULL)
		io_option_check_local(set, "listen", &options->listen, REMEDY);
	int r = inv_config_check(&shard->inventory, &option);
	kr_assert(r >= 0);
	if (r != 0)
		options_complain(set, option, "%s",
			r == INV_CONFIG_TOO_SMALL   ? "is too small"
			: r == INV_CONFIG_TOO_LARGE ? "is too large"
						    : "has to be a power of two");
}

/* What is written out as a whole configuration names the defaults as well. */
static bool is_default(const struct option_row *row, const struct shard_options *options)
{
	static struct shard_options preset;
	char texts[2][OPTION_TEXT_SIZE];
	const struct shard_options *both[2] = {options, &preset};
	kr_assert(row->offset < sizeof(preset));
	option_preset(row, &preset);
	for (uint32_t i = 0; i < 2; i++) {
		struct kr_text text;
		kr_text_init(&text, texts[i], sizeof(texts[i]));
		option_write(row, both[i], &text);
	}
	return strcmp(texts[0], texts[1]) == 0;
}

/* No option is without effect. */
static void check_no_router(struct option_set *set, const struct shard_options *options)
{
	const struct option_row *inside = &rows[KR_ARRAY_COUNT(table)];
	const struct option_row *end = &rows[set->program->count];
	for (const struct option_row *row = inside; row < end; row++) {
		if (!is_default(row, options))
			options_complain(set, row->name,
				"is about a router inside, which is there with "
				"--" ROUTER_OPTION_PREFIX "listen alone");
	}
}

/* The addresses of the other shards, where there are any, and the way to this one. */
static void router_shards(struct option_set *set, struct shard_options *options)
{
	const struct shard_config *shard = &options->server.shard;
	struct router_config *router = &options->router.router;
	if (router->shard_count != shard->shard_count &&
		(router->shard_count != 0 || shard->shard_count != 1)) {
		options_complain(set, ROUTER_OPTION_PREFIX "shard",
			"names %u shards of %u: all are named, in the order of their numbers, this "
			"one too",
			router->shard_count, shard->shard_count);
		return;
	}
	router->shard_count = shard->shard_count;
	if (shard->shard_index < shard->shard_count)
		router->shards[shard->shard_index] = options->server.listen[0];
	router->cluster = shard->cluster;
}

static void finish_router(struct option_set *set, struct shard_options *options)
{
	struct server_config *server = &options->server;
	if (options->router.listen.count == 0) {
		check_no_router(set, options);
		return;
	}
	if (server->listen_count == CONN_LISTEN_MAX) {
		options_complain(set, "listen",
			"has %u addresses: one fewer leaves room for the router inside",
			CONN_LISTEN_MAX);
		return;
	}
	/* The first, so that it is known where. */
	memmove(&server->listen[1], &server->listen[0],
		server->listen_count * sizeof(server->listen[0]));
	server->listen[0] =
		(struct io_address){.kind = IO_ADDRESS_INPROC, .port = SHARD_INPROC_PORT};
	server->listen_count++;
	router_options_finish(set, &options->router);
	router_shards(set, options);
	if (options->token_file == NULL)
		router_options_check_behind(
			set, &options->router, "listen", &options->listen, "--token-file");
}

static void finish(struct option_set *set, void *structure)
{
	static const char *const durabilities[] = {"sync", "async"};
	struct shard_options *options = structure;
	struct server_config *server = &options->server;
	kr_assert(options->durability < KR_ARRAY_COUNT(durabilities));
	server->shard.durability = durabilities[options->durability];
	server->log.sync_interval_us = options->durability == 0 ? 0 : options->sync_interval_us;
	server->guard.socket = io_option_guard(options->listen_mode, &options->listen_owner);
	server->listen_count = options->listen.count;
	kr_assert(server->listen_count <= CONN_LISTEN_MAX);
	memcpy(server->listen, options->listen.items,
		server->listen_count * sizeof(server->listen[0]));
	tokens_read(set, options);
	finish_router(set, options);
	derive_sizes(&server->shard.inventory);
	check_whole(set, options);
}

void shard_options_start(struct option_set *set, int argc, char **argv,
	void (*say)(const char *sentence), struct shard_options *ret_options)
{
	static struct option_program program = {
		.name = "keyrack-shard",
		.environment = "KEYRACK_SHARD_",
		.about = "One shard of a Keyrack cluster: decides, logs, answers.\v"
			 "It prints one line, \"ready\", on standard error when it serves. SIGTERM "
			 "and SIGINT drain it, take a snapshot and end it with status 0. Each "
			 "reason not to start has a status of its own: see keyrack-shard(8).",
		.table = rows,
		.structure_size_bytes = sizeof(struct shard_options),
		.finish = finish,
	};
	memset(ret_options, 0, sizeof(*ret_options));
	server_config_default(&ret_options->server);
	router_options_init(&ret_options->router, ROUTER_OPTION_PREFIX);
	program.count = rows_make();
	program.say = say;
	options_start(set, &program, argc, argv, ret_options);
	kr_assert(ret_options->server.directory != NULL);
}

bool shard_options_reread_tokens(struct shard_options *options,
	void (*say)(void *context, const char *sentence), void *context)
{
	struct token_set tokens = {.count = 0};
	struct kr_error_text text;
	kr_assert(say != NULL);
	if (options->token_file == NULL)
		return false;
	int r = token_set_read(&tokens, ACCESS_OPERATOR, options->token_file, &text);
	if (r == 0) {
		options->server.tokens = tokens;
	} else {
		say(context, text.bytes);
		say(context, "the tokens stay as they were");
	}
	token_set_clear(&tokens);
	return r == 0;
}

void shard_options_describe(const struct shard_options *options, struct kr_text *text)
{
	const struct inv_config *inv = &options->server.shard.inventory;
	uint64_t bytes = inv_memory_size(inv);
	kr_assert(bytes > 0);
	kr_text_format(text,
		"sizes: %u hotels, %u room types x %u nights, %u reservations: %llu MiB at most, "
		"taken %s",
		inv->hotels_max, inv->rows_max, inv->window_nights, inv->reservations_max,
		(unsigned long long)(bytes >> 20),
		options->server.prefault ? "at start" : "as they fill");
}
