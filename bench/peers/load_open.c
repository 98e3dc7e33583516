#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bench/peers/load.h"

/* More of a connection's requests than these wait for what was sent to leave. */
#define TRANSMIT_SIZE (1u << 20)

void load_fail(const char *format, ...)
{
	va_list list;
	va_start(list, format);
	fputs("peer-load: ", stderr);
	vfprintf(stderr, format, list);
	fputc('\n', stderr);
	va_end(list);
	exit(1);
}

static void *get(size_t count, size_t size)
{
	void *memory = calloc(KR_MAX(count, (size_t)1), size);
	if (memory == NULL)
		load_fail("no memory");
	return memory;
}

static int dial_socket(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
		load_fail("%s is too long for a socket's name", path);
	memcpy(address.sun_path, path, strlen(path));
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
		load_fail("%s: %s", path, strerror(errno));
	return fd;
}

static int dial(const struct load_options *o)
{
	if (o->socket != NULL)
		return dial_socket(o->socket);
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)o->port)};
	const int one = 1;
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || inet_pton(AF_INET, o->host, &address.sin_addr) != 1)
		load_fail("%s is no IPv4 address", o->host);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
		load_fail("%s:%u: %s", o->host, o->port, strerror(errno));
	kr_assert(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == 0);
	return fd;
}

static void greet(struct load *load, struct load_conn *conn)
{
	const struct peer_protocol *protocol = load->options->protocol;
	conn->tx_end = (uint32_t)protocol->greet(&load->options->config, conn->tx);
	if (conn->tx_end > 0 &&
		send(conn->fd, conn->tx, conn->tx_end, MSG_NOSIGNAL) != (ssize_t)conn->tx_end)
		load_fail("send: %s", strerror(errno));
	conn->tx_end = 0;
	while (protocol->greeted != NULL && !conn->is_greeted) {
		const ssize_t n = recv(
			conn->fd, conn->rx + conn->rx_count, LOAD_RECEIVE_SIZE - conn->rx_count, 0);
		if (n <= 0)
			load_fail("a connection ended before it was greeted");
		conn->rx_count += (uint32_t)n;
		const int64_t size = protocol->greeted(conn->rx, conn->rx_count);
		if (size < 0)
			load_fail("the greeting is refused: %.*s", (int)KR_MIN(n, 200),
				(const char *)conn->rx);
		if (size > 0 && (uint32_t)size != conn->rx_count)
			load_fail("more came than a greeting");
		conn->is_greeted = size > 0;
	}
	conn->rx_count = 0;
}

static void open_conn(struct load *load, struct load_conn *conn)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)(conn - load->conns)};
	conn->fd = dial(load->options);
	conn->rx = get(LOAD_RECEIVE_SIZE, 1);
	conn->tx_size = TRANSMIT_SIZE;
	conn->tx = get(conn->tx_size, 1);
	conn->ops = get(load->depth, sizeof(*conn->ops));
	conn->free_slots = get(load->depth, sizeof(*conn->free_slots));
	conn->order = get(load->depth, sizeof(*conn->order));
	for (uint32_t i = 0; i < load->depth; i++)
		conn->free_slots[conn->free_count++] = load->depth - 1 - i;
	greet(load, conn);
	if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, conn->fd, &event) != 0)
		load_fail("epoll_ctl: %s", strerror(errno));
}

void load_open(struct load *load, const struct load_options *options)
{
	kr_assert(options->connections > 0 && options->depth > 0 && options->rows > 0);
	memset(load, 0, sizeof(*load));
	load->options = options;
	load->depth = options->rate > 0 ? LOAD_DEPTH_OPEN_MAX : options->depth;
	load->weight_books = options->weights[PEER_BOOK];
	rng_init(&load->rng, options->seed);
	for (int i = 0; i < PEER_KINDS; i++)
		hist_init(&load->hists[i]);
	load->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (load->epoll < 0)
		load_fail("epoll is not to be had: %s", strerror(errno));
	load->conns = get(options->connections, sizeof(*load->conns));
	for (uint32_t i = 0; i < options->connections; i++)
		open_conn(load, &load->conns[i]);
}

void load_close(struct load *load)
{
	kr_assert(load->in_flight == 0);
	for (uint32_t i = 0; i < load->options->connections; i++) {
		struct load_conn *conn = &load->conns[i];
		close(conn->fd);
		free(conn->rx);
		free(conn->tx);
		free(conn->ops);
		free(conn->free_slots);
		free(conn->order);
	}
	free(load->conns);
	close(load->epoll);
}
