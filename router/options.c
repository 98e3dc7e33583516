#include "router/options.h"

#include <argp.h>
#include <string.h>

#define SECOND_US UINT64_C(1000000)

const char *argp_program_version = "keyrack-router " KEYRACK_VERSION;

#define U32(field) OPTION_U32(struct router_options, field)
#define ADDRESSES(field) IO_OPTION_ADDRESSES(struct router_options, field)

static const struct option_row table[] = {
	{.name = "listen",
		.letter = 'l',
		.argument = "ADDR[,ADDR]",
		.preset_text = "127.0.0.1:7070",
		.max = CONN_LISTEN_MAX,
		.help = "where clients connect: HOST:PORT, [V6]:PORT or unix:PATH",
		ADDRESSES(listen)},
	{.name = "allow-remote",
		.help = "let --listen name addresses that other machines reach",
		OPTION_SWITCH(struct router_options, allow_remote)},
	{.name = "cluster",
		.letter = 'c',
		.argument = "ID",
		.needed = "the number that the shards were made with",
		.min = 1,
		.max = UINT64_MAX,
		.help = "the cluster's number, decimal or 0x and hexadecimal",
		OPTION_U64(struct router_options, router.cluster)},
	{.name = "shard",
		.letter = 's',
		.argument = "ADDR[,ADDR]",
		.needed = "the address of each shard",
		.max = SHARD_COUNT_MAX,
		.help = "the shards' addresses, in the order of their numbers; may be repeated",
		ADDRESSES(shards)},
	{.name = "max-connections",
		.argument = "COUNT",
		.preset = ROUTER_CONNECTION_MAX_DEFAULT,
		.min = 1,
		.max = ROUTER_CONNECTION_MAX,
		.flags = OPTION_LIVE,
		.help = "clients at a time",
		U32(router.connection_max_count)},
	{.name = "window",
		.argument = "COUNT",
		.preset = ROUTE_WINDOW_DEFAULT,
		.min = 1,
		.max = ROUTE_FLIGHT_MAX,
		.help = "requests in flight of one client",
		U32(router.window)},
	{.name = "idle-timeout",
		.argument = "SECONDS",
		.preset = ROUTER_IDLE_US_DEFAULT / SECOND_US,
		.max = 31536000,
		.unit = SECOND_US,
		.flags = OPTION_LIVE,
		.help = "close clients that say nothing for so long; 0 = never",
		OPTION_U64(struct router_options, router.idle_timeout_us)},
	{.name = "spin-us",
		.argument = "MICROSECONDS",
		.max = 1000000,
		.flags = OPTION_LIVE,
		.help = "look for work this long before sleeping: less latency, more CPU",
		U32(spin_us)},
	{.name = "pid-file",
		.argument = "PATH",
		.help = "write the process id there",
		OPTION_STRING(struct router_options, pid_file)},
	{.name = "ready-fd",
		.argument = "NUMBER",
		.min = 1,
		.max = INT32_MAX,
		.flags = OPTION_FLAG_ONLY,
		.help = "write a line to that descriptor once clients can connect",
		U32(ready_fd)},
};

static void finish(struct option_set *set, void *structure)
{
	struct router_options *options = structure;
	struct router_config *router = &options->router;
	router->listen_count = options->listen.count;
	router->shard_count = options->shards.count;
	kr_assert(router->listen_count > 0 && router->listen_count <= CONN_LISTEN_MAX);
	kr_assert(router->shard_count > 0 && router->shard_count <= SHARD_COUNT_MAX);
	memcpy(router->listen, options->listen.items,
		router->listen_count * sizeof(router->listen[0]));
	memcpy(router->shards, options->shards.items,
		router->shard_count * sizeof(router->shards[0]));
	if (!options->allow_remote)
		io_option_check_local(set, "listen", &options->listen);
}

void router_options_start(
	struct option_set *set, int argc, char **argv, struct router_options *ret_options)
{
	static const struct option_program program = {
		.name = "keyrack-router",
		.environment = "KEYRACK_ROUTER_",
		.about = "Forwards the requests of Keyrack clients to the shards of one cluster.\v"
			 "Stops on SIGTERM or SIGINT: what was forwarded is answered first. Exits "
			 "0 when stopped so, 1 on a failure, 2 on a wrong configuration.",
		.table = table,
		.count = KR_ARRAY_COUNT(table),
		.structure_size_bytes = sizeof(struct router_options),
		.finish = finish,
	};
	memset(ret_options, 0, sizeof(*ret_options));
	router_config_default(&ret_options->router);
	options_start(set, &program, argc, argv, ret_options);
	kr_assert(ret_options->router.cluster != 0 && ret_options->router.shard_count > 0);
}
