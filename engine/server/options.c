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
#define SIZE(field) U32(server.shard.inventory.field), .min = 1, .max = COUNT_MAX

static const struct option_row table[] = {
	{.name = "dir",
		.letter = 'd',
		.argument = "PATH",
		.needed = "where the log and the snapshots lie",
		.help = "the shard's directory; made if it is missing",
		STRING(server.directory)},
	{.name = "listen",
		.letter = 'l',
		.argument = "ADDR[,ADDR]",
		.needed = "such as 127.0.0.1:7071 or unix:/path",
		.max = CONN_LISTEN_MAX,
		.help = "where routers connect: HOST:PORT, [V6]:PORT or unix:PATH",
		IO_OPTION_ADDRESSES(struct shard_options, listen)},
	{.name = "allow-remote",
		.help = "let --listen name addresses that other machines reach",
		SWITCH(allow_remote)},
	{.name = "cluster",
		.letter = 'c',
		.argument = "ID",
		.needed = "the same number for all of the cluster",
		.min = 1,
		.max = UINT64_MAX,
		.help = "the cluster's number, decimal or 0x and hexadecimal",
		U64(server.shard.cluster)},
	{.name = "shard-index",
		.letter = 'i',
		.argument = "NUMBER",
		.max = SHARD_COUNT_MAX - 1,
		.help = "which of the shards this is, from 0",
		U32(server.shard.shard_index)},
	{.name = "shards",
		.letter = 'n',
		.argument = "COUNT",
		.preset = 1,
		.min = 1,
		.max = SHARD_COUNT_MAX,
		.help = "how many shards the cluster has",
		U32(server.shard.shard_count)},
	{.name = "durability",
		.heading = "Durability:",
		.argument = "sync|async",
		.help = "sync: on disk before it is answered; async: within --sync-interval",
		OPTION_WORD(struct shard_options, durability)},
	{.name = "sync-interval",
		.argument = "MILLISECONDS",
		.preset = 100,
		.min = 1,
		.max = 60000,
		.unit = 1000,
		.help = "async: what a power cut may lose at most",
		U64(sync_interval_us)},
	{.name = "segment-size",
		.argument = "MIB",
		.preset = LOG_SEGMENT_SIZE_DEFAULT / MIB,
		.min = 8,
		.max = 4095,
		.unit = MIB,
		.help = "of a file of the log",
		U64(server.segment_size_bytes)},
	{.name = "snapshot-effects",
		.argument = "COUNT",
		.preset = 4000000,
		.max = UINT64_MAX,
		.flags = OPTION_LIVE,
		.help = "a snapshot after so many effects; 0 = never",
		U64(server.shard.snapshot_effects)},
	{.name = "snapshot-log",
		.argument = "MIB",
		.preset = 1024,
		.max = 1u << 20,
		.unit = MIB,
		.flags = OPTION_LIVE,
		.help = "or after so much log; 0 = never",
		U64(server.shard.snapshot_log_bytes)},
	{.name = "allow-tmpfs",
		.help = "a directory in memory, which keeps nothing over a power cut",
		SWITCH(server.allow_tmpfs)},
	{.name = "allow-clock-jump",
		.help = "start though the wall clock is over an hour behind, or seven days ahead "
			"of, the log",
		SWITCH(server.allow_clock_jump)},
	{.name = "lock-wait",
		.argument = "SECONDS",
		.preset = SERVER_LOCK_WAIT_US / SECOND_US,
		.max = 3600,
		.unit = SECOND_US,
		.help = "wait so long for a directory that another process has",
		U64(server.lock_wait_us)},
	{.name = "hotels",
		.heading = "Sizes (what does not fit is refused with LIMIT_REACHED):",
		.argument = "COUNT",
		.preset = 2000,
		.help = "hotels of this shard",
		SIZE(hotels_max)},
	{.name = "types",
		.argument = "COUNT",
		.preset_note = "20 x hotels",
		.help = "room types over all hotels",
		SIZE(rows_max)},
	{.name = "nights",
		.argument = "COUNT",
		.preset = INV_WINDOW_NIGHTS_DEFAULT,
		.min = INV_WINDOW_NIGHTS_MIN,
		.max = INV_WINDOW_NIGHTS_MAX,
		.help = "nights that can be sold, from today",
		U32(server.shard.inventory.window_nights)},
	{.name = "reservations",
		.argument = "COUNT",
		.preset = 1000000,
		.help = "reservations kept, live and retained",
		SIZE(reservations_max)},
	{.name = "nodes",
		.argument = "COUNT",
		.preset_note = "reservations / 2",
		.help = "64 bytes each: further lines, prices, references",
		SIZE(nodes_max)},
	{.name = "stock-runs",
		.argument = "COUNT",
		.preset_note = "10 x types",
		.help = "runs of rooms, out of order, allowance by date",
		SIZE(stock_runs_max)},
	{.name = "refusals",
		.argument = "COUNT",
		.preset = INV_REFUSALS_REMEMBERED,
		.help = "refusals remembered, a power of two",
		SIZE(refusals_max)},
	{.name = "denials",
		.argument = "COUNT",
		.preset = 65536,
		.help = "entries of the table of denials",
		SIZE(denials_max)},
	{.name = "retention",
		.argument = "HOURS",
		.preset = INV_RETENTION_US / HOUR_US,
		.max = 24 * 366,
		.unit = HOUR_US,
		.help = "how long ended reservations are kept",
		U64(server.shard.inventory.retention_us)},
	{.name = "grace",
		.argument = "SECONDS",
		.preset = INV_GRACE_US / SECOND_US,
		.max = 86400,
		.unit = SECOND_US,
		.help = "for holds that lapsed while the shard was down",
		U64(server.shard.inventory.grace_us)},
	{.name = "max-connections",
		.heading = "The process:",
		.argument = "COUNT",
		.preset = SERVER_CONN_MAX_DEFAULT,
		.min = 1,
		.max = CONN_MAX,
		.flags = OPTION_LIVE,
		.help = "at a time",
		U32(server.conn_max_count)},
	{.name = "idle-timeout",
		.argument = "SECONDS",
		.max = 31536000,
		.unit = SECOND_US,
		.flags = OPTION_LIVE,
		.help = "close connections that say nothing for so long; 0 = never",
		U64(server.shard.idle_timeout_us)},
	{.name = "spin-us",
		.argument = "MICROSECONDS",
		.max = 1000000,
		.flags = OPTION_LIVE,
		.help = "look for work this long before sleeping: less latency, more CPU",
		U32(spin_us)},
	{.name = "no-huge-pages",
		.help = "do not ask for huge pages",
		SWITCH(server.no_huge_pages)},
	{.name = "pid-file",
		.argument = "PATH",
		.help = "write the process id there",
		STRING(pid_file)},
	{.name = "ready-fd",
		.argument = "NUMBER",
		.min = 1,
		.max = INT32_MAX,
		.flags = OPTION_FLAG_ONLY,
		.help = "write a line to that descriptor once it serves",
		U32(ready_fd)},
};

/* Sizes that were not given follow from the others. */
static void derive_sizes(struct inv_config *inv)
{
	kr_assert(inv->hotels_max > 0 && inv->reservations_max > 0);
	if (inv->rows_max == 0)
		inv->rows_max =
			(uint32_t)KR_MIN((uint64_t)inv->hotels_max * TYPES_PER_HOTEL, COUNT_MAX);
	if (inv->nodes_max == 0)
		inv->nodes_max = KR_MAX(inv->reservations_max / 2, 1024u);
	if (inv->stock_runs_max == 0)
		inv->stock_runs_max =
			(uint32_t)KR_MIN((uint64_t)inv->rows_max * RUNS_PER_TYPE, COUNT_MAX);
}

static void check_whole(struct option_set *set, const struct shard_options *options)
{
	const struct shard_config *shard = &options->server.shard;
	const char *option = NULL;
	if (shard->shard_index >= shard->shard_count)
		options_complain(set, "shard-index", "is %u: with %u shards it is at most %u",
			shard->shard_index, shard->shard_count, shard->shard_count - 1);
	if (!options->allow_remote)
		io_option_check_local(set, "listen", &options->listen);
	int r = inv_config_check(&shard->inventory, &option);
	kr_assert(r >= 0);
	if (r != 0)
		options_complain(set, option, "%s",
			r == INV_CONFIG_TOO_SMALL   ? "is too small"
			: r == INV_CONFIG_TOO_LARGE ? "is too large"
						    : "has to be a power of two");
}

static void finish(struct option_set *set, void *structure)
{
	static const char *const durabilities[] = {"sync", "async"};
	struct shard_options *options = structure;
	struct server_config *server = &options->server;
	kr_assert(options->durability < KR_ARRAY_COUNT(durabilities));
	server->shard.durability = durabilities[options->durability];
	server->log.sync_interval_us = options->durability == 0 ? 0 : options->sync_interval_us;
	server->listen_count = options->listen.count;
	kr_assert(server->listen_count <= CONN_LISTEN_MAX);
	memcpy(server->listen, options->listen.items,
		server->listen_count * sizeof(server->listen[0]));
	derive_sizes(&server->shard.inventory);
	check_whole(set, options);
}

void shard_options_start(
	struct option_set *set, int argc, char **argv, struct shard_options *ret_options)
{
	static const struct option_program program = {
		.name = "keyrack-shard",
		.environment = "KEYRACK_SHARD_",
		.about = "One shard of a Keyrack cluster: decides, logs, answers.\v"
			 "It prints one line, \"ready\", on standard error when it serves. SIGTERM "
			 "and SIGINT drain it, take a snapshot and end it with status 0. Each "
			 "reason not to start has a status of its own: see keyrack-shard(8).",
		.table = table,
		.count = KR_ARRAY_COUNT(table),
		.structure_size_bytes = sizeof(struct shard_options),
		.finish = finish,
	};
	memset(ret_options, 0, sizeof(*ret_options));
	server_config_default(&ret_options->server);
	options_start(set, &program, argc, argv, ret_options);
	kr_assert(ret_options->server.directory != NULL);
}

void shard_options_describe(const struct shard_options *options, struct kr_text *text)
{
	const struct inv_config *inv = &options->server.shard.inventory;
	uint64_t bytes = inv_memory_size(inv);
	kr_assert(bytes > 0);
	kr_text_format(text,
		"sizes: %u hotels, %u room types x %u nights, %u reservations: %llu MiB at most, "
		"taken as they fill",
		inv->hotels_max, inv->rows_max, inv->window_nights, inv->reservations_max,
		(unsigned long long)(bytes >> 20));
}
