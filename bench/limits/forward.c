/*
 * A forwarder that only forwards: frames of bench/peers/frames.h from many connections go out over
 * one, the answers go back by their tag. What it carries is what any router of one thread can.
 *
 * usage: forward PORT BACKEND_PORT      on 127.0.0.1, until it is killed
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

#include "bench/peers/frames.h"

#define CONN_MAX 1024
#define EVENTS_MAX 256
#define BUFFER_SIZE (1u << 20)

struct side {
	uint8_t rx[BUFFER_SIZE], tx[BUFFER_SIZE];
	uint32_t rx_count, tx_count;
};

static struct {
	int epoll, listener, backend;
	struct side *sides[CONN_MAX]; /* by descriptor */
} forward;

static void fail(const char *what)
{
	fprintf(stderr, "forward: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void add(int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
	const int one = 1;
	kr_assert(fd >= 0 && fd < CONN_MAX && forward.sides[fd] == NULL);
	forward.sides[fd] = calloc(1, sizeof(struct side));
	kr_assert(forward.sides[fd] != NULL);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (epoll_ctl(forward.epoll, EPOLL_CTL_ADD, fd, &event) != 0)
		fail("epoll_ctl");
}

/* Waits where the other end does not read: its buffers are larger than what can be in flight. */
static void flush(int fd)
{
	struct side *side = forward.sides[fd];
	for (uint32_t at = 0; side != NULL && at < side->tx_count;) {
		const ssize_t n = send(fd, side->tx + at, side->tx_count - at, MSG_NOSIGNAL);
		if (n <= 0)
			break; /* reading it tells that it is gone */
		at += (uint32_t)n;
	}
	if (side != NULL)
		side->tx_count = 0;
}

static void put(int fd, const uint8_t *bytes, uint32_t size)
{
	struct side *side = forward.sides[fd];
	if (side == NULL)
		return; /* its client is gone */
	if (side->tx_count + size > BUFFER_SIZE)
		flush(fd);
	memcpy(side->tx + side->tx_count, bytes, size);
	side->tx_count += size;
}

static void hang_up(int fd)
{
	if (fd == forward.backend)
		fail("the backend is gone");
	free(forward.sides[fd]);
	forward.sides[fd] = NULL;
	close(fd);
}

static void carry(int fd)
{
	struct side *side = forward.sides[fd];
	const ssize_t n = recv(fd, side->rx + side->rx_count, BUFFER_SIZE - side->rx_count, 0);
	uint32_t at = 0;
	if (n <= 0) {
		hang_up(fd);
		return;
	}
	side->rx_count += (uint32_t)n;
	while (side->rx_count - at >= sizeof(struct frames_head)) {
		struct frames_head head;
		memcpy(&head, side->rx + at, sizeof(head));
		kr_assert(head.size >= sizeof(head) && head.size <= BUFFER_SIZE / 2);
		if (head.size > side->rx_count - at)
			break;
		const int to = fd == forward.backend ? (int)head.tag : forward.backend;
		kr_assert(to >= 0 && to < CONN_MAX);
		head.tag = (uint32_t)fd;
		memcpy(side->rx + at, &head, sizeof(head));
		put(to, side->rx + at, head.size);
		at += head.size;
	}
	memmove(side->rx, side->rx + at, side->rx_count - at);
	side->rx_count -= at;
}

static void set_up(const char *port, const char *backend_port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)strtoul(backend_port, NULL, 10)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const int one = 1;
	forward.epoll = epoll_create1(EPOLL_CLOEXEC);
	forward.backend = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	forward.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(forward.backend, (const struct sockaddr *)&address, sizeof(address)) != 0)
		fail(backend_port);
	add(forward.backend);
	(void)setsockopt(forward.listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	address.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
	if (bind(forward.listener, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
		listen(forward.listener, CONN_MAX) != 0)
		fail(port);
	struct epoll_event event = {.events = EPOLLIN, .data.fd = forward.listener};
	if (epoll_ctl(forward.epoll, EPOLL_CTL_ADD, forward.listener, &event) != 0)
		fail("epoll_ctl");
}

int main(int argc, char **argv)
{
	struct epoll_event events[EVENTS_MAX];
	if (argc != 3) {
		fprintf(stderr, "usage: forward PORT BACKEND_PORT\n");
		return 2;
	}
	set_up(argv[1], argv[2]);
	for (;;) {
		const int count = epoll_wait(forward.epoll, events, EVENTS_MAX, -1);
		if (count < 0 && errno != EINTR)
			fail("epoll_wait");
		for (int i = 0; i < count; i++) {
			if (events[i].data.fd == forward.listener)
				add(accept4(forward.listener, NULL, NULL, SOCK_CLOEXEC));
			else
				carry(events[i].data.fd);
		}
		for (int fd = 0; fd < CONN_MAX; fd++)
			if (forward.sides[fd] != NULL && forward.sides[fd]->tx_count > 0)
				flush(fd);
	}
}
