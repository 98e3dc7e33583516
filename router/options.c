#include "router/options.h"

#include <argp.h>
#include <string.h>

#define SECOND_US UINT64_C(1000000)

const char *argp_program_version = "keyrack-router " KEYRACK_VERSION;

#define U32(field) OPTION_U32(struct router_options, field)
#define ADDRESSES(field) IO_OPTION_ADDRESSES(struct router_options, field)

static const struct option_row table[] = {
	{OPTION_NAMED("listen", 'l', "ADDR[,ADDR]",
		 "where clients connect: HOST:PORT, [V6]:PORT or unix:PATH"),
		OPTION_RANGE(0, 0, CONN_LISTEN_MAX), .preset_text = "127.0.0.1:7070",
		ADDRESSES(listen)},
	{OPTION_NAMED(
		 "allow-remote", 0, NULL, "let --listen name addresses that other machines reach"),
		OPTION_SWITCH(struct router_options, allow_remote)},
	{OPTION_NAMED("cluster", 'c', "ID", "the cluster's number, decimal or 0x and hexadecimal"),
		OPTION_RANGE(0, 1, UINT64_MAX),
		.needed = "the number that the shards were made with",
		OPTION_U64(struct router_options, router.cluster)},
	{OPTION_NAMED("shard", 's', "ADDR[,ADDR]",
		 "the shards' addresses, in the order of their numbers; may be repeated"),
		OPTION_RANGE(0, 0, SHARD_COUNT_MAX), .needed = "the address of each shard",
		ADDRESSES(shards)},
	{OPTION_NAMED("max-connections", 0, "COUNT", "clients at a time"),
		OPTION_RANGE(ROUTER_CONNECTION_MAX_DEFAULT, 1, ROUTER_CONNECTION_MAX),
		.flags = OPTION_LIVE, U32(router.connection_max_count)},
	{OPTION_NAMED("window", 0, "COUNT", "requests in flight of one client"),
		OPTION_RANGE(ROUTE_WINDOW_DEFAULT, 1, ROUTE_FLIGHT_MAX), U32(router.window)},
	{OPTION_NAMED("idle-timeout", 0, "SECONDS",
		 "close clients that say nothing for so long; 0 = never"),
		OPTION_RANGE(ROUTER_IDLE_US_DEFAULT / SECOND_US, 0, 31536000), .unit = SECOND_US,
		.flags = OPTION_LIVE, OPTION_U64(struct router_options, router.idle_timeout_us)},
	{OPTION_NAMED("spin-us", 0, "MICROSECONDS",
		 "look for work this long before sleeping: less latency, more CPU"),
		OPTION_RANGE(0, 0, 1000000), .flags = OPTION_LIVE, U32(spin_us)},
	{OPTION_NAMED("pid-file", 0, "PATH", "write the process id there"),
		OPTION_STRING(struct router_options, pid_file)},
	{OPTION_NAMED("ready-fd", 0, "NUMBER",
		 "write a line to that descriptor once clients can connect"),
		OPTION_RANGE(0, 1, INT32_MAX), .flags = OPTION_FLAG_ONLY, U32(ready_fd)},
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
