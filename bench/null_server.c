#include "bench/null_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/bench.h"
#include "proto/keyrack.pb-c.h"
#include "proto/message.h"

#define CONN_MAX 6000
#define EVENTS_MAX 256
#define RX_SIZE (64u << 10)
#define BODY_SIZE_MAX 8192u
#define TX_SIZE (1u << 20)
#define CLUSTER UINT64_C(77)

struct null_body {
	uint8_t bytes[BODY_SIZE_MAX];
	uint32_t size;
	uint64_t sum;
};

struct null_conn {
	uint8_t rx[RX_SIZE];
	uint32_t rx_count;
};

static struct {
	int epoll, listener;
	struct null_body hello, sale, query;
	struct null_conn *conns[CONN_MAX]; /* by descriptor */
	uint8_t tx[TX_SIZE];
	uint32_t tx_count;
} null_server;

/* ---- bodies ---- */

static void pack(struct null_body *body, const ProtobufCMessage *message)
{
	struct frame_header header = {.type = FRAME_BOOK, .route = FRAME_ROUTE_HOTEL};
	const size_t size = message_pack(message, body->bytes, sizeof(body->bytes));
	if (size == MESSAGE_NO_ROOM)
		bench_fail(BENCH_USAGE, "so long a query has no answer here");
	frame_seal(&header, body->bytes, size);
	body->size = header.body_size_bytes;
	body->sum = header.body_sum;
}

static void pack_query(uint32_t nights)
{
	Keyrack__AvailabilityAnswer query = KEYRACK__AVAILABILITY_ANSWER__INIT;
	uint32_t type = 1;
	uint64_t *cells = bench_alloc(nights, sizeof(*cells));
	kr_assert(nights > 0);
	for (uint32_t i = 0; i < nights; i++)
		cells[i] = UINT64_C(0x0001000200030004) + i;
	query.types = &type;
	query.n_types = 1;
	query.first_day = 20000;
	query.night_count = nights;
	query.counters = query.rates = cells;
	query.n_counters = query.n_rates = nights;
	query.ari_version = 2;
	query.business_day = 20000;
	pack(&null_server.query, &query.base);
	free(cells);
}

static void pack_bodies(uint32_t query_nights)
{
	Keyrack__HelloAnswer hello = KEYRACK__HELLO_ANSWER__INIT;
	Keyrack__ReservationAnswer sale = KEYRACK__RESERVATION_ANSWER__INIT;
	hello.version = FRAME_VERSION;
	hello.cluster = CLUSTER;
	hello.window = 1u << 20;
	hello.body_size_max = FRAME_BODY_SIZE_MAX;
	hello.shard_count = 1;
	pack(&null_server.hello, &hello.base);
	sale.state = KEYRACK_STATE_CONFIRMED;
	sale.revision = 1;
	sale.has_total = 1;
	sale.total_minor = 36000;
	sale.event_seq = 123456789;
	sale.hotel_id = 1;
	sale.outcome = KEYRACK_CODE_DONE;
	pack(&null_server.sale, &sale.base);
	pack_query(query_nights);
}

/* ---- serving ---- */

static void send_all(int fd)
{
	for (uint32_t at = 0; at < null_server.tx_count;) {
		const ssize_t n =
			send(fd, null_server.tx + at, null_server.tx_count - at, MSG_NOSIGNAL);
		if (n <= 0)
			break; /* reading it tells that it is gone */
		at += (uint32_t)n;
	}
	null_server.tx_count = 0;
}

static void answer(int fd, struct frame_header *header)
{
	const struct null_body *body = header->type == FRAME_HELLO          ? &null_server.hello
				       : header->type == FRAME_AVAILABILITY ? &null_server.query
									    : &null_server.sale;
	header->flags = FRAME_FLAG_ANSWER;
	header->cluster = CLUSTER;
	header->status = KEYRACK_CODE_DONE;
	header->remaining_us = 0;
	header->body_size_bytes = body->size;
	header->body_sum = body->sum;
	frame_header_seal(header);
	if (null_server.tx_count + sizeof(*header) + body->size > TX_SIZE)
		send_all(fd);
	memcpy(null_server.tx + null_server.tx_count, header, sizeof(*header));
	memcpy(null_server.tx + null_server.tx_count + sizeof(*header), body->bytes, body->size);
	null_server.tx_count += (uint32_t)sizeof(*header) + body->size;
}

static void hang_up(int fd)
{
	kr_assert(null_server.conns[fd] != NULL);
	free(null_server.conns[fd]);
	null_server.conns[fd] = NULL;
	close(fd);
}

static void take(int fd)
{
	struct null_conn *conn = null_server.conns[fd];
	const ssize_t n = recv(fd, conn->rx + conn->rx_count, RX_SIZE - conn->rx_count, 0);
	uint32_t at = 0;
	if (n <= 0) {
		hang_up(fd);
		return;
	}
	conn->rx_count += (uint32_t)n;
	while (conn->rx_count - at >= FRAME_HEADER_SIZE) {
		struct frame_header header;
		if (frame_header_read(conn->rx + at, &header) != 0 ||
			header.body_size_bytes > RX_SIZE - FRAME_HEADER_SIZE) {
			hang_up(fd);
			return;
		}
		const uint32_t size = FRAME_HEADER_SIZE + header.body_size_bytes;
		if (size > conn->rx_count - at)
			break;
		at += size;
		answer(fd, &header);
	}
	memmove(conn->rx, conn->rx + at, conn->rx_count - at);
	conn->rx_count -= at;
	send_all(fd);
}

static void add(int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
	const int one = 1;
	if (fd < 0 || fd >= CONN_MAX)
		bench_fail(BENCH_ABORTED, "the null server takes no more connections");
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	null_server.conns[fd] = bench_alloc(1, sizeof(struct null_conn));
	kr_assert(epoll_ctl(null_server.epoll, EPOLL_CTL_ADD, fd, &event) == 0);
}

KR_NORETURN static void serve(void)
{
	struct epoll_event events[EVENTS_MAX];
	struct epoll_event event = {.events = EPOLLIN, .data.fd = null_server.listener};
	null_server.epoll = epoll_create1(EPOLL_CLOEXEC);
	kr_assert(null_server.epoll >= 0);
	kr_assert(epoll_ctl(null_server.epoll, EPOLL_CTL_ADD, null_server.listener, &event) == 0);
	for (;;) {
		const int count = epoll_wait(null_server.epoll, events, EVENTS_MAX, -1);
		kr_assert(count >= 0 || errno == EINTR);
		for (int i = 0; i < count; i++) {
			if (events[i].data.fd == null_server.listener)
				add(accept4(null_server.listener, NULL, NULL, SOCK_CLOEXEC));
			else
				take(events[i].data.fd);
		}
	}
}

void null_server_start(uint32_t query_nights, char ret_address[NULL_SERVER_ADDRESS_SIZE])
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	pack_bodies(query_nights);
	null_server.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (null_server.listener < 0 ||
		bind(null_server.listener, (const struct sockaddr *)&address, size) != 0 ||
		listen(null_server.listener, CONN_MAX) != 0 ||
		getsockname(null_server.listener, (struct sockaddr *)&address, &size) != 0)
		bench_fail(BENCH_ABORTED, "the null server: %s", strerror(errno));
	snprintf(ret_address, NULL_SERVER_ADDRESS_SIZE, "127.0.0.1:%u", ntohs(address.sin_port));
	const pid_t parent = getpid();
	const pid_t child = fork();
	if (child < 0)
		bench_fail(BENCH_ABORTED, "the null server: %s", strerror(errno));
	if (child == 0) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
			_exit(1);
		serve();
	}
	close(null_server.listener);
}
