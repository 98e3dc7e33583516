/*
 * What the command line refuses ends the process with status 2, which is what each of these tests
 * waits for: an option that were let through would end it with 0.
 */
#include <criterion/criterion.h>
#include <criterion/redirect.h>

#include <stdlib.h>
#include <string.h>

#include "router/options.h"

#define USAGE 2

static struct option_set set;
static struct router_options options;

/* argp reorders and keeps what it is given: it gets copies that stay. */
static void parse(const char *const *arguments)
{
	static char copies[16][80];
	static char *argv[17];
	int argc = 0;

	for (; arguments[argc] != NULL; argc++) {
		size_t size_bytes = strlen(arguments[argc]) + 1;
		cr_assert(argc < 16 && size_bytes <= sizeof(copies[0]));
		argv[argc] = memcpy(copies[argc], arguments[argc], size_bytes);
	}
	router_options_start(&set, argc, argv, &options);
}

#define PARSE(...) parse((const char *const[]){"keyrack-router", __VA_ARGS__, NULL})
#define WHOLE "--cluster", "5", "--shard", "127.0.0.1:1"

Test(options, fills_in_what_is_not_said)
{
	PARSE(WHOLE);
	cr_assert_eq(options.router.cluster, 5);
	cr_assert_eq(options.router.shard_count, 1);
	cr_assert_eq(options.router.listen_count, 1);
	cr_assert_eq(options.router.listen[0].port, 7070);
	cr_assert_eq(options.router.listen[0].bytes[0], 127);
	cr_assert_eq(options.router.connection_max_count, ROUTER_CONNECTION_MAX_DEFAULT);
	cr_assert_eq(options.router.window, ROUTE_WINDOW_DEFAULT);
	cr_assert_eq(options.ready_fd, 0);
	cr_assert_null(options.pid_file);
}

Test(options, takes_everything_it_offers)
{
	PARSE("-c", "0xfF", "-s", "127.0.0.1:1", "-s", "[::1]:2", "-s", "unix:/x", "--listen",
		"0.0.0.0:1,unix:/y", "--allow-remote", "--max-connections=7", "--window=8",
		"--idle-timeout=0");
	cr_assert_eq(options.router.cluster, 255);
	cr_assert_eq(options.router.shard_count, 3);
	cr_assert_eq(options.router.shards[1].kind, IO_ADDRESS_IP6);
	cr_assert_eq(options.router.listen_count, 2);
	cr_assert_eq(options.router.connection_max_count, 7);
	cr_assert_eq(options.router.window, 8);
	cr_assert_eq(options.router.idle_timeout_us, 0);
}

Test(options, lets_loopback_addresses_of_every_kind_be_listened_on)
{
	PARSE(WHOLE, "--listen", "127.9.9.9:1,[::1]:1,unix:/x");
	cr_assert_eq(options.router.listen_count, 3);
}

#define REFUSES(name, ...)                                                                         \
	Test(options, refuses_##name, .exit_code = USAGE)                                          \
	{                                                                                          \
		cr_redirect_stderr();                                                              \
		PARSE(__VA_ARGS__);                                                                \
		exit(0);                                                                           \
	}

REFUSES(to_start_without_a_cluster, "--shard", "127.0.0.1:1")
REFUSES(to_start_without_a_shard, "--cluster", "5")
REFUSES(cluster_0, "--cluster", "0", "--shard", "127.0.0.1:1")
REFUSES(a_cluster_that_is_no_number, "--cluster", "five", "--shard", "127.0.0.1:1")
REFUSES(a_cluster_beyond_64_bits, "--cluster", "18446744073709551616", "--shard", "127.0.0.1:1")
REFUSES(a_negative_number, WHOLE, "--window", "-1")
REFUSES(a_shard_given_twice, WHOLE, "--shard", "127.0.0.1:1")
REFUSES(a_name_instead_of_an_address, WHOLE, "--shard", "localhost:1")
REFUSES(to_listen_where_others_reach_it, WHOLE, "--listen", "0.0.0.0:7070")
REFUSES(to_listen_where_others_reach_it_by_v6, WHOLE, "--listen", "[::]:7070")
REFUSES(to_hide_such_an_address_behind_another, WHOLE, "--listen", "127.0.0.1:1,10.0.0.1:2")
REFUSES(no_connections_at_all, WHOLE, "--max-connections", "0")
REFUSES(words_that_are_no_options, WHOLE, "word")
REFUSES(options_it_does_not_know, WHOLE, "--frobnicate")
