#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "proto/conn_guard.h"
#include "tests/unit/router/conn_fixture.h"

static struct node server;
static char folder[] = "/tmp/keyrack-guard-XXXXXX";
static char path[64];

static void begin(void)
{
	cr_assert_not_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/socket", folder);
	node_config(&server);
	server.echoes = true;
}

static void end(void)
{
	node_end(&server);
	cr_assert_eq(access(path, F_OK), -1, "the socket is taken away");
	cr_assert_eq(rmdir(folder), 0);
}

static void listen_there(const struct conn_guard *guard)
{
	struct io_address address = {.kind = IO_ADDRESS_UNIX};
	struct kr_error_text text = {0};

	memcpy(address.path, path, strlen(path));
	cr_assert_eq(
		conn_set_listen_guarded(server.set, &address, guard, &text), 0, "%s", text.bytes);
}

static int connect_there(void)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(un.sun_path, path, strlen(path));
	cr_assert_eq(connect(fd, (struct sockaddr *)&un, sizeof(un)), 0, "%s", strerror(errno));
	cr_assert_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

static uint32_t mode_of_socket(void)
{
	struct stat status;
	cr_assert_eq(stat(path, &status), 0);
	return status.st_mode & 07777;
}

Test(guard, a_unix_socket_has_the_mode_it_was_given_whatever_the_umask)
{
	struct conn_guard guard;

	begin();
	node_begin(&server);
	conn_guard_default(&guard);
	(void)umask(0);
	listen_there(&guard);
	cr_assert_eq(mode_of_socket(), 0600);
	conn_set_listen_stop(server.set);
	nodes_until(access(path, F_OK) != 0);
	guard.socket.mode = 0666;
	(void)umask(0777);
	listen_there(&guard);
	cr_assert_eq(mode_of_socket(), 0666);
	end();
}

Test(guard, who_connects_to_a_unix_socket_is_the_user_the_kernel_says)
{
	struct conn_guard guard;

	begin();
	node_begin(&server);
	conn_guard_default(&guard);
	guard.role = ACCESS_BOOKING;
	listen_there(&guard);
	int fd = connect_there();
	nodes_until(server.open_count == 1);
	cr_assert_eq(conn_principal(server.set, server.last_open),
		access_principal(ACCESS_BOOKING, ACCESS_UID, getuid()));
	close(fd);
	nodes_until(server.close_count == 1);
	cr_assert_eq(conn_principal(server.set, server.last_open), 0, "it is gone");
	fd = peer_connect(&server);
	nodes_until(server.open_count == 2);
	cr_assert_eq(conn_principal(server.set, server.last_open),
		access_principal(ACCESS_OPERATOR, ACCESS_ANYBODY, 0), "over TCP nobody is known");
	close(fd);
	nodes_until(server.close_count == 2);
	end();
}

Test(guard, only_routers_stamp_principals)
{
	struct frame_header header = request_header(FRAME_BOOK, 1);
	uint8_t body[256];

	for (int from_routers = 0; from_routers < 2; from_routers++) {
		struct frame_header answer;
		node_config(&server);
		server.echoes = true;
		server.config.from_routers = from_routers;
		node_begin(&server);
		int fd = peer_connect(&server);
		peer_hello(fd);
		cr_assert(peer_read_frame(fd, &answer, body, sizeof(body)));
		access_principal_stamp(&header, UINT32_C(0x12345678));
		frame_seal(&header, NULL, 0);
		peer_send(fd, &header, NULL);
		cr_assert(peer_read_frame(fd, &answer, body, sizeof(body)));
		cr_assert_eq(answer.status, from_routers ? KEYRACK_DONE : KEYRACK_REJECT_RESERVED);
		close(fd);
		nodes_until(server.close_count == 1);
		node_end(&server);
	}
}
