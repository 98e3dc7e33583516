#include "engine/server/options.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define SECOND_US UINT64_C(1000000)
#define COUNT_MAX 4000000000u

const char *argp_program_version = "keyrack-shard " KEYRACK_VERSION;

enum key {
	KEY_DIR = 'd',
	KEY_LISTEN = 'l',
	KEY_CLUSTER = 'c',
	KEY_SHARD_INDEX = 'i',
	KEY_SHARDS = 'n',
	KEY_DURABILITY = 256,
	KEY_SYNC_INTERVAL,
	KEY_HOTELS,
	KEY_TYPES,
	KEY_NIGHTS,
	KEY_RESERVATIONS,
	KEY_NODES,
	KEY_STOCK_RUNS,
	KEY_REFUSALS,
	KEY_DENIALS,
	KEY_RETENTION,
	KEY_GRACE,
	KEY_SEGMENT_SIZE,
	KEY_SNAPSHOT_EFFECTS,
	KEY_SNAPSHOT_LOG,
	KEY_MAX_CONNECTIONS,
	KEY_IDLE,
	KEY_ALLOW_TMPFS,
	KEY_ALLOW_CLOCK_JUMP,
	KEY_ALLOW_REMOTE,
	KEY_LOCK_WAIT,
	KEY_NO_HUGE_PAGES,
	KEY_SPIN,
	KEY_PID_FILE,
	KEY_READY_FD,
};

static const struct argp_option option_table[] = {
	{"dir", KEY_DIR, "PATH", 0, "the shard's directory; made if it is missing", 0},
	{"listen", KEY_LISTEN, "ADDR[,ADDR]", 0,
		"where routers connect: HOST:PORT, [V6]:PORT or unix:PATH", 0},
	{"allow-remote", KEY_ALLOW_REMOTE, NULL, 0,
		"let --listen name addresses that other machines reach", 0},
	{"cluster", KEY_CLUSTER, "ID", 0, "the cluster's number, decimal or 0x and hexadecimal", 0},
	{"shard-index", KEY_SHARD_INDEX, "NUMBER", 0, "which of the shards this is, from 0 (0)", 0},
	{"shards", KEY_SHARDS, "COUNT", 0, "how many shards the cluster has (1)", 0},
	{0, 0, NULL, 0, "Durability:", 1},
	{"durability", KEY_DURABILITY, "sync|async", 0,
		"sync: on disk before it is answered (default); async: within --sync-interval", 1},
	{"sync-interval", KEY_SYNC_INTERVAL, "MILLISECONDS", 0,
		"async: what a power cut may lose at most (100)", 1},
	{"segment-size", KEY_SEGMENT_SIZE, "MIB", 0, "of a file of the log (64)", 1},
	{"snapshot-effects", KEY_SNAPSHOT_EFFECTS, "COUNT", 0,
		"a snapshot after so many effects; 0 = never (4000000)", 1},
	{"snapshot-log", KEY_SNAPSHOT_LOG, "MIB", 0, "or after so much log; 0 = never (1024)", 1},
	{"allow-tmpfs", KEY_ALLOW_TMPFS, NULL, 0,
		"a directory in memory, which keeps nothing over a power cut", 1},
	{"allow-clock-jump", KEY_ALLOW_CLOCK_JUMP, NULL, 0,
		"start though the wall clock is over an hour behind, or seven days ahead of, the "
		"log",
		1},
	{"lock-wait", KEY_LOCK_WAIT, "SECONDS", 0,
		"wait so long for a directory that another process has (30)", 1},
	{0, 0, NULL, 0, "Sizes (what does not fit is refused with LIMIT_REACHED):", 2},
	{"hotels", KEY_HOTELS, "COUNT", 0, "hotels of this shard (2000)", 2},
	{"types", KEY_TYPES, "COUNT", 0, "room types over all hotels (20 x hotels)", 2},
	{"nights", KEY_NIGHTS, "COUNT", 0, "nights that can be sold, from today (731)", 2},
	{"reservations", KEY_RESERVATIONS, "COUNT", 0,
		"reservations kept, live and retained (1000000)", 2},
	{"nodes", KEY_NODES, "COUNT", 0,
		"64 bytes each: further lines, prices, references (reservations / 2)", 2},
	{"stock-runs", KEY_STOCK_RUNS, "COUNT", 0,
		"runs of rooms, out of order, allowance by date (10 x types)", 2},
	{"refusals", KEY_REFUSALS, "COUNT", 0, "refusals remembered, a power of two (1048576)", 2},
	{"denials", KEY_DENIALS, "COUNT", 0, "entries of the table of denials (65536)", 2},
	{"retention", KEY_RETENTION, "HOURS", 0, "how long ended reservations are kept (24)", 2},
	{"grace", KEY_GRACE, "SECONDS", 0, "for holds that lapsed while the shard was down (120)",
		2},
	{0, 0, NULL, 0, "The process:", 3},
	{"max-connections", KEY_MAX_CONNECTIONS, "COUNT", 0, "at a time (8192)", 3},
	{"idle-timeout", KEY_IDLE, "SECONDS", 0,
		"close connections that say nothing for so long; 0 = never (0)", 3},
	{"spin-us", KEY_SPIN, "MICROSECONDS", 0,
		"look for work this long before sleeping: less latency, more CPU (0)", 3},
	{"no-huge-pages", KEY_NO_HUGE_PAGES, NULL, 0, "do not ask for huge pages", 3},
	{"pid-file", KEY_PID_FILE, "PATH", 0, "write the process id there", 3},
	{"ready-fd", KEY_READY_FD, "NUMBER", 0, "write a line to that descriptor once it serves",
		3},
	{0},
};

static uint64_t number(
	struct argp_state *state, const char *name, const char *text, uint64_t min, uint64_t max)
{
	char *end;
	errno = 0;
	bool is_hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	unsigned long long value = strtoull(text, &end, is_hex ? 16 : 10);
	bool is_number = text[0] >= '0' && text[0] <= '9' && *end == 0 && errno == 0;
	kr_assert(min <= max);
	if (!is_number || value < min || value > max)
		argp_error(state, "--%s takes a number from %llu to %llu, not '%s'", name,
			(unsigned long long)min, (unsigned long long)max, text);
	return value;
}

static uint32_t count(struct argp_state *state, const char *name, const char *text)
{
	return (uint32_t)number(state, name, text, 1, COUNT_MAX);
}

static bool is_loopback(const struct io_address *address)
{
	static const uint8_t v6[16] = {[15] = 1};
	switch (address->kind) {
	case IO_ADDRESS_IP4:
		return address->bytes[0] == 127;
	case IO_ADDRESS_IP6:
		return memcmp(address->bytes, v6, sizeof(v6)) == 0;
	default:
		kr_assert(address->kind == IO_ADDRESS_UNIX);
		return true;
	}
}

static void parse_listen(struct argp_state *state, struct server_config *config, const char *text)
{
	for (;;) {
		size_t length = strcspn(text, ",");
		if (config->listen_count == CONN_LISTEN_MAX)
			argp_error(state, "--listen takes %u addresses at most", CONN_LISTEN_MAX);
		kr_assert(config->listen_count < CONN_LISTEN_MAX);
		int r = io_address_parse(text, length, &config->listen[config->listen_count++]);
		if (r != 0)
			argp_error(state,
				"--listen %.*s: give 127.0.0.1:7071, [::1]:7071 or unix:/path (at "
				"most %u bytes)",
				(int)length, text, IO_ADDRESS_PATH_MAX);
		if (text[length] == 0)
			return;
		text += length + 1;
	}
}

static void parse_durability(
	struct argp_state *state, struct server_config *config, const char *text)
{
	if (strcmp(text, "sync") == 0) {
		config->log.sync_interval_us = 0;
		config->shard.durability = "sync";
	} else if (strcmp(text, "async") == 0) {
		if (config->log.sync_interval_us == 0)
			config->log.sync_interval_us = 100000;
		config->shard.durability = "async";
	} else {
		argp_error(state, "--durability is sync or async, not '%s'", text);
	}
	kr_assert(config->shard.durability != NULL);
}

static bool parse_size(struct argp_state *state, struct server_config *config, int key, char *text)
{
	struct inv_config *inv = &config->shard.inventory;
	switch (key) {
	case KEY_HOTELS:
		inv->hotels_max = count(state, "hotels", text);
		return true;
	case KEY_TYPES:
		inv->rows_max = count(state, "types", text);
		return true;
	case KEY_NIGHTS:
		inv->window_nights = (uint32_t)number(
			state, "nights", text, INV_WINDOW_NIGHTS_MIN, INV_WINDOW_NIGHTS_MAX);
		return true;
	case KEY_RESERVATIONS:
		inv->reservations_max = count(state, "reservations", text);
		return true;
	case KEY_NODES:
		inv->nodes_max = count(state, "nodes", text);
		return true;
	case KEY_STOCK_RUNS:
		inv->stock_runs_max = count(state, "stock-runs", text);
		return true;
	case KEY_REFUSALS:
		inv->refusals_max = count(state, "refusals", text);
		return true;
	case KEY_DENIALS:
		inv->denials_max = count(state, "denials", text);
		return true;
	case KEY_RETENTION:
		inv->retention_us =
			number(state, "retention", text, 0, 24 * 366) * 3600 * SECOND_US;
		return true;
	case KEY_GRACE:
		inv->grace_us = number(state, "grace", text, 0, 86400) * SECOND_US;
		return true;
	default:
		kr_assert(state->input != NULL);
		return false;
	}
}

static bool parse_log(struct argp_state *state, struct server_config *config, int key, char *text)
{
	switch (key) {
	case KEY_DURABILITY:
		parse_durability(state, config, text);
		return true;
	case KEY_SYNC_INTERVAL:
		config->log.sync_interval_us =
			number(state, "sync-interval", text, 1, 60000) * 1000;
		return true;
	case KEY_SEGMENT_SIZE:
		config->segment_size_bytes = number(state, "segment-size", text, 8, 4095) << 20;
		return true;
	case KEY_SNAPSHOT_EFFECTS:
		config->shard.snapshot_effects =
			number(state, "snapshot-effects", text, 0, UINT64_MAX);
		return true;
	case KEY_SNAPSHOT_LOG:
		config->shard.snapshot_log_bytes = number(state, "snapshot-log", text, 0, 1u << 20)
						   << 20;
		return true;
	case KEY_ALLOW_TMPFS:
		config->allow_tmpfs = true;
		return true;
	case KEY_ALLOW_CLOCK_JUMP:
		config->allow_clock_jump = true;
		return true;
	case KEY_LOCK_WAIT:
		config->lock_wait_us = number(state, "lock-wait", text, 0, 3600) * SECOND_US;
		return true;
	default:
		kr_assert(state->input != NULL);
		return false;
	}
}

static bool parse_process(struct argp_state *state, struct options *options, int key, char *text)
{
	switch (key) {
	case KEY_MAX_CONNECTIONS:
		options->server.conn_max_count =
			(uint32_t)number(state, "max-connections", text, 1, CONN_MAX);
		return true;
	case KEY_IDLE:
		options->server.shard.idle_timeout_us =
			number(state, "idle-timeout", text, 0, 31536000) * SECOND_US;
		return true;
	case KEY_SPIN:
		options->spin_us = (uint32_t)number(state, "spin-us", text, 0, 1000000);
		return true;
	case KEY_NO_HUGE_PAGES:
		options->server.no_huge_pages = true;
		return true;
	case KEY_ALLOW_REMOTE:
		options->allow_remote = true;
		return true;
	case KEY_PID_FILE:
		options->pid_file = text;
		return true;
	case KEY_READY_FD:
		options->ready_fd = (int)number(state, "ready-fd", text, 0, INT32_MAX);
		return true;
	default:
		kr_assert(state->input != NULL);
		return false;
	}
}

/* Sizes that were not given follow from the others. */
static void derive_sizes(struct inv_config *inv)
{
	kr_assert(inv->hotels_max > 0 && inv->reservations_max > 0);
	if (inv->rows_max == 0)
		inv->rows_max = (uint32_t)KR_MIN((uint64_t)inv->hotels_max * 20, COUNT_MAX);
	if (inv->nodes_max == 0)
		inv->nodes_max = KR_MAX(inv->reservations_max / 2, 1024u);
	if (inv->stock_runs_max == 0)
		inv->stock_runs_max = (uint32_t)KR_MIN((uint64_t)inv->rows_max * 10, COUNT_MAX);
}

static void check_whole(struct argp_state *state, struct options *options)
{
	struct server_config *config = &options->server;
	const char *option = NULL;
	if (config->directory == NULL)
		argp_error(state, "--dir is missing: where the log and the snapshots lie");
	if (config->shard.cluster == 0)
		argp_error(state, "--cluster is missing: the same number for all of the cluster");
	if (config->listen_count == 0)
		argp_error(state, "--listen is missing: such as 127.0.0.1:7071 or unix:/path");
	if (config->shard.shard_index >= config->shard.shard_count)
		argp_error(state, "--shard-index %u: with --shards %u it is at most %u",
			config->shard.shard_index, config->shard.shard_count,
			config->shard.shard_count - 1);
	for (uint32_t i = 0; i < config->listen_count; i++) {
		char text[IO_ADDRESS_TEXT_SIZE];
		io_address_format(&config->listen[i], text);
		if (!is_loopback(&config->listen[i]) && !options->allow_remote)
			argp_error(state,
				"--listen %s can be reached from other machines, and nothing here "
				"asks who calls: add --allow-remote if that is meant",
				text);
	}
	derive_sizes(&config->shard.inventory);
	int r = inv_config_check(&config->shard.inventory, &option);
	if (r != 0)
		argp_error(state, "--%s: %s", option,
			r == INV_CONFIG_TOO_SMALL   ? "too small"
			: r == INV_CONFIG_TOO_LARGE ? "too large"
						    : "must be a power of two");
	kr_assert(r >= 0);
}

static error_t on_option(int key, char *text, struct argp_state *state)
{
	struct options *options = state->input;
	struct server_config *config = &options->server;
	if (parse_size(state, config, key, text) || parse_log(state, config, key, text) ||
		parse_process(state, options, key, text))
		return 0;
	switch (key) {
	case KEY_DIR:
		config->directory = text;
		return 0;
	case KEY_LISTEN:
		parse_listen(state, config, text);
		return 0;
	case KEY_CLUSTER:
		config->shard.cluster = number(state, "cluster", text, 1, UINT64_MAX);
		return 0;
	case KEY_SHARD_INDEX:
		config->shard.shard_index =
			(uint32_t)number(state, "shard-index", text, 0, SHARD_COUNT_MAX - 1);
		return 0;
	case KEY_SHARDS:
		config->shard.shard_count =
			(uint32_t)number(state, "shards", text, 1, SHARD_COUNT_MAX);
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "'%s' is not an option", text);
		return 0;
	case ARGP_KEY_END:
		check_whole(state, options);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

void options_parse(int argc, char **argv, struct options *ret_options)
{
	static const struct argp argp = {
		.options = option_table,
		.parser = on_option,
		.doc = "One shard of a Keyrack cluster: decides, logs, answers.\v"
		       "It prints one line, \"ready\", on standard error when it serves. SIGTERM "
		       "and "
		       "SIGINT drain it, take a snapshot and end it with status 0. Each reason not "
		       "to "
		       "start has a status of its own: see keyrack-shard(8).",
	};
	struct options *options = ret_options;
	memset(options, 0, sizeof(*options));
	server_config_default(&options->server);
	options->ready_fd = -1;
	options->server.shard.snapshot_effects = 4000000;
	options->server.shard.snapshot_log_bytes = UINT64_C(1) << 30;
	options->server.shard.inventory = (struct inv_config){
		.hotels_max = 2000,
		.window_nights = INV_WINDOW_NIGHTS_DEFAULT,
		.reservations_max = 1000000,
		.refusals_max = INV_REFUSALS_REMEMBERED,
		.denials_max = 65536,
		.retention_us = INV_RETENTION_US,
		.grace_us = INV_GRACE_US,
	};
	argp_err_exit_status = OPTIONS_EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, options);
	kr_assert(options->server.directory != NULL);
}

void options_describe(const struct options *options, struct kr_text *text)
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
