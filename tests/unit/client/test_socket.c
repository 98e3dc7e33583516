#include <criterion/criterion.h>

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "client/socket.h"

Test(socket, addresses_of_every_kind_are_parsed)
{
	struct client_address addresses[4];
	uint32_t count;
	cr_assert_eq(
		client_address_parse("127.0.0.1:7070,[::1]:80,unix:/tmp/x", addresses, 4, &count),
		0);
	cr_assert_eq(count, 3);
	const struct sockaddr_in *in = (const void *)&addresses[0].address;
	cr_assert_eq(in->sin_family, AF_INET);
	cr_assert_eq(ntohs(in->sin_port), 7070);
	cr_assert_eq(ntohl(in->sin_addr.s_addr), INADDR_LOOPBACK);
	const struct sockaddr_in6 *in6 = (const void *)&addresses[1].address;
	cr_assert_eq(in6->sin6_family, AF_INET6);
	const struct sockaddr_un *un = (const void *)&addresses[2].address;
	cr_assert_eq(un->sun_family, AF_UNIX);
	cr_assert_str_eq(un->sun_path, "/tmp/x");
	cr_assert_str_eq(addresses[1].text, "[::1]:80");
}

/* A bare system without /etc/hosts knows no name at all. */
Test(socket, a_name_is_looked_up)
{
	struct client_address address;
	struct addrinfo *found = NULL;
	uint32_t count;
	if (getaddrinfo("localhost", NULL, NULL, &found) != 0)
		cr_skip_test("this machine does not know localhost");
	freeaddrinfo(found);
	cr_assert_eq(client_address_parse("localhost:1", &address, 1, &count), 0);
	cr_assert_eq(count, 1);
}

Test(socket, what_is_no_address_is_refused)
{
	struct client_address addresses[2];
	uint32_t count = 99;
	static const char *const bad[] = {"", "127.0.0.1", "127.0.0.1:", ":80", "127.0.0.1:x",
		"::1:80", "[::1:80", "unix:", "127.0.0.1:1,", ",127.0.0.1:1",
		"127.0.0.1:1,127.0.0.1:2,127.0.0.1:3", "127.0.0.1:-1"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_eq(
			client_address_parse(bad[i], addresses, 2, &count), -EINVAL, "%s", bad[i]);
	char path[300] = "unix:/";
	memset(path + 6, 'a', 200);
	cr_assert_eq(client_address_parse(path, addresses, 2, &count), -EINVAL);
	memset(path + 6, 'a', sizeof(path) - 7);
	cr_assert_eq(client_address_parse(path, addresses, 2, &count), -EINVAL);
	cr_assert_eq(count, 99);
}

Test(socket, a_name_that_nobody_knows_is_told_apart)
{
	struct client_address address;
	uint32_t count;
	cr_assert_eq(
		client_address_parse("no-such-host.invalid:1", &address, 1, &count), -EHOSTUNREACH);
}
