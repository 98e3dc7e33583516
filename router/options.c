#include "router/options.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SPIN_US_MAX 1000000u
#define IDLE_S_MAX 31536000u
#define EXIT_USAGE 2

const char *argp_program_version = "keyrack-router " KEYRACK_VERSION;

enum key {
	KEY_LISTEN = 'l',
	KEY_CLUSTER = 'c',
	KEY_SHARD = 's',
	KEY_ALLOW_REMOTE = 256,
	KEY_MAX_CONNECTIONS,
	KEY_WINDOW,
	KEY_IDLE,
	KEY_SPIN,
	KEY_PID_FILE,
	KEY_READY_FD,
};

static const struct argp_option option_table[] = {
	{"listen", KEY_LISTEN, "ADDR[,ADDR]", 0,
		"where clients connect: HOST:PORT, [V6]:PORT or unix:PATH (127.0.0.1:7070)", 0},
	{"allow-remote", KEY_ALLOW_REMOTE, NULL, 0,
		"let --listen name addresses that other machines reach", 0},
	{"cluster", KEY_CLUSTER, "ID", 0, "the cluster's number, decimal or 0x and hexadecimal", 0},
	{"shard", KEY_SHARD, "ADDR", 0,
		"a shard's address; once for each shard, in the order of their numbers", 0},
	{"max-connections", KEY_MAX_CONNECTIONS, "COUNT", 0, "clients at a time (8192)", 0},
	{"window", KEY_WINDOW, "COUNT", 0, "requests in flight of one client (4096)", 0},
	{"idle-timeout", KEY_IDLE, "SECONDS", 0,
		"close clients that say nothing for so long; 0 = never (3600)", 0},
	{"spin-us", KEY_SPIN, "MICROSECONDS", 0,
		"look for work this long before sleeping: less latency, more CPU (0)", 0},
	{"pid-file", KEY_PID_FILE, "PATH", 0, "write the process id there", 0},
	{"ready-fd", KEY_READY_FD, "NUMBER", 0,
		"write a line to that descriptor once clients can connect", 0},
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
	if (!is_number || value < min || value > max)
		argp_error(state, "--%s takes a number from %llu to %llu, not '%s'", name,
			(unsigned long long)min, (unsigned long long)max, text);
	kr_assert(min <= max);
	return value;
}

static bool is_loopback(const struct io_address *address)
{
	static const uint8_t v6[16] = {[15] = 1};

	kr_assert(address->kind != 0);
	switch (address->kind) {
	case IO_ADDRESS_IP4:
		return address->bytes[0] == 127;
	case IO_ADDRESS_IP6:
		return memcmp(address->bytes, v6, sizeof(v6)) == 0;
	case IO_ADDRESS_UNIX:
		return true;
	}
	return false;
}

static void parse_address(struct argp_state *state, const char *name, const char *text,
	size_t length, struct io_address *ret_address)
{
	int r = io_address_parse(text, length, ret_address);

	kr_assert(r >= 0);
	if (r == IO_ADDRESS_PATH_TOO_LONG)
		argp_error(state, "--%s %.*s: the path is too long, %u bytes at most", name,
			(int)length, text, IO_ADDRESS_PATH_MAX);
	else if (r != 0)
		argp_error(state,
			"--%s %.*s: not an address; give 127.0.0.1:7070, [::1]:7070 or unix:/path",
			name, (int)length, text);
}

static void parse_listen(struct argp_state *state, struct router_config *config, const char *text)
{
	for (;;) {
		size_t length = strcspn(text, ",");
		if (config->listen_count == CONN_LISTEN_MAX)
			argp_error(state, "--listen takes %u addresses at most", CONN_LISTEN_MAX);
		kr_assert(config->listen_count < CONN_LISTEN_MAX);
		parse_address(
			state, "listen", text, length, &config->listen[config->listen_count++]);
		if (text[length] == 0)
			return;
		text += length + 1;
	}
}

static void parse_shard(struct argp_state *state, struct router_config *config, const char *text)
{
	if (config->shard_count == SHARD_COUNT_MAX)
		argp_error(state, "there are %u shards at most", SHARD_COUNT_MAX);
	kr_assert(config->shard_count < SHARD_COUNT_MAX);
	struct io_address *address = &config->shards[config->shard_count];
	parse_address(state, "shard", text, strlen(text), address);
	for (uint32_t i = 0; i < config->shard_count; i++) {
		if (io_address_compare(&config->shards[i], address) == 0)
			argp_error(state, "--shard %s is given twice", text);
	}
	config->shard_count++;
}

static void check_whole(struct argp_state *state, struct options *options)
{
	struct router_config *config = &options->router;

	if (config->cluster == 0)
		argp_error(
			state, "--cluster is missing: the number that the shards were made with");
	if (config->shard_count == 0)
		argp_error(state, "--shard is missing: give one for each shard, in order");
	if (config->listen_count == 0)
		parse_listen(state, config, "127.0.0.1:7070");
	kr_assert(config->listen_count > 0);
	for (uint32_t i = 0; i < config->listen_count; i++) {
		char text[IO_ADDRESS_TEXT_SIZE];
		io_address_format(&config->listen[i], text);
		if (!is_loopback(&config->listen[i]) && !options->allow_remote)
			argp_error(state,
				"--listen %s can be reached from other machines, and nothing here "
				"asks who calls: add --allow-remote if that is meant",
				text);
	}
}

static error_t on_option(int key, char *text, struct argp_state *state)
{
	struct options *options = state->input;
	struct router_config *config = &options->router;

	switch (key) {
	case KEY_LISTEN:
		parse_listen(state, config, text);
		return 0;
	case KEY_ALLOW_REMOTE:
		options->allow_remote = true;
		return 0;
	case KEY_CLUSTER:
		config->cluster = number(state, "cluster", text, 1, UINT64_MAX);
		return 0;
	case KEY_SHARD:
		parse_shard(state, config, text);
		return 0;
	case KEY_MAX_CONNECTIONS:
		config->connection_max_count =
			(uint32_t)number(state, "max-connections", text, 1, ROUTER_CONNECTION_MAX);
		return 0;
	case KEY_WINDOW:
		config->window = (uint32_t)number(state, "window", text, 1, ROUTE_FLIGHT_MAX);
		return 0;
	case KEY_IDLE:
		config->idle_timeout_us =
			number(state, "idle-timeout", text, 0, IDLE_S_MAX) * 1000000;
		return 0;
	case KEY_SPIN:
		options->spin_us = (uint32_t)number(state, "spin-us", text, 0, SPIN_US_MAX);
		return 0;
	case KEY_PID_FILE:
		options->pid_file = text;
		return 0;
	case KEY_READY_FD:
		options->ready_fd = (int)number(state, "ready-fd", text, 0, INT32_MAX);
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
		.doc = "Forwards the requests of Keyrack clients to the shards of one cluster.\v"
		       "Stops on SIGTERM or SIGINT: what was forwarded is answered first. "
		       "Exits 0 when stopped so, 1 on a failure, 2 on a wrong command line.",
	};

	*ret_options = (struct options){.ready_fd = -1};
	router_config_default(&ret_options->router);
	argp_err_exit_status = EXIT_USAGE;
	error_t r = argp_parse(&argp, argc, argv, 0, NULL, ret_options);
	if (r != 0)
		exit(EXIT_USAGE);
	kr_assert(ret_options->router.cluster != 0 && ret_options->router.shard_count > 0);
}
