/*
 * What the command line refuses ends the process with status 2, which is what each of these tests
 * waits for: an option that were let through would end it with 0.
 */
#include <criterion/criterion.h>
#include <criterion/redirect.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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
	router_options_start(&set, argc, argv, NULL, &options);
}

#define PARSE(...) parse((const char *const[]){"keyrack-router", __VA_ARGS__, NULL})
#define WHOLE "--cluster", "5", "--shard", "127.0.0.1:1"
#define GUARDED "--cluster", "5", "--shard", "unix:/s"

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
		"127.0.0.1:1,unix:/y", "--max-connections=7", "--window=8", "--idle-timeout=0");
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

Test(options, tells_operators_listeners_from_booking_ones)
{
	PARSE(GUARDED, "--listen", "unix:/o", "--booking-listen", "127.0.0.1:9,unix:/b",
		"--booking-mode=666", "--listen-owner=root:7", "--booking-owner=:root");
	cr_assert_eq(options.router.listen_count, 3);
	const struct conn_guard *guards = options.router.guards;
	cr_assert_eq(guards[0].role, ACCESS_OPERATOR);
	cr_assert_eq(guards[0].socket.mode, 0600);
	cr_assert_eq(guards[0].socket.uid, 0);
	cr_assert_eq(guards[0].socket.gid, 7);
	cr_assert_eq(guards[1].role, ACCESS_BOOKING);
	cr_assert_eq(guards[2].role, ACCESS_BOOKING);
	cr_assert_eq(guards[2].socket.mode, 0666);
	cr_assert_eq(guards[2].socket.uid, IO_NOBODY);
	cr_assert_eq(guards[2].socket.gid, 0);
	cr_assert_str_eq(options.router.listen[2].path, "/b");
}

Test(options, leaves_sockets_to_their_process_and_booking_ones_to_its_group)
{
	PARSE(GUARDED, "--listen", "unix:/o", "--booking-listen", "unix:/b");
	cr_assert_eq(options.router.guards[0].socket.mode, 0600);
	cr_assert_eq(options.router.guards[1].socket.mode, 0660);
	cr_assert_eq(options.router.guards[0].socket.uid, IO_NOBODY);
	cr_assert_eq(options.router.guards[1].socket.gid, IO_NOBODY);
}

static char token_file[] = "/tmp/keyrack-router-token-XXXXXX";

/* What is refused ends the process. */
static void token_file_remove(void)
{
	unlink(token_file);
}

static void token_file_make(const char *line, mode_t mode)
{
	int fd = mkstemp(token_file);
	cr_assert_geq(fd, 0);
	cr_assert_eq(atexit(token_file_remove), 0);
	cr_assert_eq(write(fd, line, strlen(line)), (ssize_t)strlen(line));
	cr_assert_eq(fchmod(fd, mode), 0);
	close(fd);
}

#define TOKEN_LINE "3 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"

Test(options, with_a_token_file_any_address_may_be_listened_on_and_tcp_asks_for_it)
{
	token_file_make(TOKEN_LINE, 0600);
	PARSE(WHOLE, "--listen", "0.0.0.0:1,unix:/y,127.0.0.1:2", "--booking-listen", "[::]:3",
		"--operator-token-file", token_file, "--shard-token-file", token_file);
	const struct router_config *router = &options.router;
	cr_assert_eq(router->listen_count, 4);
	cr_assert(router->guards[0].wants_token);
	cr_assert(!router->guards[1].wants_token, "a unix socket has its mode");
	cr_assert(router->guards[2].wants_token, "loopback as well: no way round");
	cr_assert(router->guards[3].wants_token);
	cr_assert_eq(router->guards[3].role, ACCESS_BOOKING);
	cr_assert_eq(router->tokens.count, 1);
	cr_assert_eq(router->tokens.items[0].role, ACCESS_OPERATOR);
	cr_assert_eq(router->shard_token.number, 3);
}

Test(options, without_a_token_file_nothing_asks_for_one)
{
	PARSE(WHOLE);
	cr_assert(!options.router.guards[0].wants_token);
	cr_assert_eq(options.router.shard_token.number, 0);
}

Test(options, refuses_a_token_file_that_others_may_read, .exit_code = USAGE)
{
	cr_redirect_stderr();
	token_file_make(TOKEN_LINE, 0644);
	PARSE(GUARDED, "--booking-token-file", token_file);
	exit(0);
}

Test(options, refuses_the_same_token_for_both_roles, .exit_code = USAGE)
{
	cr_redirect_stderr();
	token_file_make(TOKEN_LINE, 0600);
	PARSE(GUARDED, "--booking-token-file", token_file, "--operator-token-file", token_file);
	exit(0);
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
REFUSES(a_booking_listener_beside_an_open_port_for_operators, GUARDED, "--booking-listen",
	"unix:/b")
REFUSES(one_address_for_both_roles, GUARDED, "--listen=unix:/b", "--booking-listen=unix:/b")
REFUSES(a_mode_that_is_not_octal, WHOLE, "--listen-mode", "0680")
REFUSES(a_mode_with_more_than_permissions, WHOLE, "--listen-mode", "4755")
REFUSES(an_owner_who_is_not_there, WHOLE, "--listen-owner", "nobody-of-that-name")
REFUSES(a_group_that_is_not_there, WHOLE, "--listen-owner", "root:no-such-group")
REFUSES(an_owner_without_a_name, WHOLE, "--listen-owner", ":")
REFUSES(more_listeners_than_there_may_be, GUARDED,
	"--listen=unix:/1,unix:/2,unix:/3,unix:/4,unix:/5",
	"--booking-listen=unix:/6,unix:/7,unix:/8,unix:/9")
REFUSES(a_token_file_that_is_not_there, GUARDED, "--operator-token-file", "/nonexistent")
REFUSES(to_trust_other_machines_with_shards_alone, WHOLE, "--listen", "0.0.0.0:1",
	"--shard-token-file", "/nonexistent")
REFUSES(roles_before_a_shard_that_anybody_reaches, WHOLE, "--listen=unix:/o",
	"--booking-listen=unix:/b")
