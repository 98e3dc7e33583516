/*
 * null-peer: answers each request of a protocol at once and decides nothing. What the driver
 * reaches in front of it is the driver's own ceiling; with --protocol frames, the machine's.
 *
 * usage: null-peer PROTOCOL PORT      on 127.0.0.1, until it is killed
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/peers/peer.h"

#define CONN_MAX 1024
#define EVENTS_MAX 256
#define RX_SIZE (64u << 10)
#define TX_SIZE (4u << 20)

struct null_conn {
	uint8_t rx[RX_SIZE];
	uint32_t rx_count;
};

static struct {
	const struct peer_protocol *protocol;
	int epoll, listener;
	struct null_conn *conns[CONN_MAX]; /* by descriptor */
	uint8_t tx[TX_SIZE];
} server;

static void fail(const char *what)
{
	fprintf(stderr, "null-peer: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void watch(int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
	if (epoll_ctl(server.epoll, EPOLL_CTL_ADD, fd, &event) != 0)
		fail("epoll_ctl");
}

/* A driver that does not read cannot be measured: waiting for it is right. */
static bool put(int fd, const uint8_t *bytes, size_t count)
{
	while (count > 0) {
		const ssize_t n = send(fd, bytes, count, MSG_NOSIGNAL);
		if (n <= 0)
			return false;
		bytes += n;
		count -= (size_t)n;
	}
	return true;
}

static void hang_up(int fd)
{
	kr_assert(server.conns[fd] != NULL);
	free(server.conns[fd]);
	server.conns[fd] = NULL;
	close(fd);
}

static void welcome(void)
{
	const int fd = accept4(server.listener, NULL, NULL, SOCK_CLOEXEC);
	const int one = 1;
	if (fd < 0 || fd >= CONN_MAX)
		fail("accept");
	server.conns[fd] = calloc(1, sizeof(struct null_conn));
	kr_assert(server.conns[fd] != NULL);
	kr_assert(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == 0);
	watch(fd);
	if (server.protocol->welcome != NULL &&
		!put(fd, server.tx, server.protocol->welcome(server.tx)))
		hang_up(fd);
}

static void answer(int fd)
{
	struct null_conn *conn = server.conns[fd];
	const ssize_t n = recv(fd, conn->rx + conn->rx_count, RX_SIZE - conn->rx_count, 0);
	size_t at = 0, size = 0;
	if (n <= 0) {
		hang_up(fd);
		return;
	}
	conn->rx_count += (uint32_t)n;
	for (;;) {
		kr_assert(size + PEER_ANSWER_SIZE_MAX <= TX_SIZE);
		const struct peer_serving serving = server.protocol->serve(
			conn->rx + at, conn->rx_count - at, server.tx + size);
		if (serving.taken_bytes == PEER_MALFORMED) {
			hang_up(fd);
			return;
		}
		if (serving.taken_bytes == 0)
			break;
		at += (size_t)serving.taken_bytes;
		size += serving.answer_size;
		if (size + PEER_ANSWER_SIZE_MAX > TX_SIZE) {
			if (!put(fd, server.tx, size)) {
				hang_up(fd);
				return;
			}
			size = 0;
		}
	}
	memmove(conn->rx, conn->rx + at, conn->rx_count - at);
	conn->rx_count -= (uint32_t)at;
	if (!put(fd, server.tx, size))
		hang_up(fd);
}

static void listen_on(const char *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const int one = 1;
	server.epoll = epoll_create1(EPOLL_CLOEXEC);
	server.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (server.epoll < 0 || server.listener < 0 ||
		setsockopt(server.listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0)
		fail("socket");
	if (bind(server.listener, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
		listen(server.listener, CONN_MAX) != 0)
		fail(port);
	watch(server.listener);
}

int main(int argc, char **argv)
{
	struct epoll_event events[EVENTS_MAX];
	server.protocol = argc == 3 ? peer_find(argv[1]) : NULL;
	if (server.protocol == NULL) {
		fprintf(stderr, "usage: null-peer PROTOCOL PORT\n");
		return 2;
	}
	listen_on(argv[2]);
	for (;;) {
		const int count = epoll_wait(server.epoll, events, EVENTS_MAX, -1);
		if (count < 0 && errno != EINTR)
			fail("epoll_wait");
		for (int i = 0; i < count; i++) {
			if (events[i].data.fd == server.listener)
				welcome();
			else
				answer(events[i].data.fd);
		}
	}
}
