#include "bench/peers/load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_MAX 256
#define DRAIN_US UINT64_C(120000000) /* an answer that does not come by then never will */

uint64_t load_now_us(void)
{
	struct timespec now;
	kr_assert(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* ---- one request ---- */

static struct peer_request draw(struct load *load, uint32_t slot)
{
	const struct load_options *o = load->options;
	const uint64_t sum = load->weight_books + o->weights[PEER_READ];
	struct peer_request request = {.slot = slot, .kind = PEER_READ};
	if (load->left != UINT64_MAX || rng_below(&load->rng, sum) < load->weight_books)
		request.kind = PEER_BOOK;
	request.nights = (uint16_t)(request.kind == PEER_BOOK ? o->stay_nights : o->query_nights);
	request.row = (uint32_t)rng_below(&load->rng, o->rows);
	request.night = (uint16_t)rng_below(&load->rng, o->window - request.nights + 1);
	const uint64_t id[2] = {rng_next(&load->rng), rng_next(&load->rng)};
	kr_static_assert(sizeof(id) == sizeof(request.id), "an id is 16 bytes");
	memcpy(request.id, id, sizeof(id));
	return request;
}

/* False: no room now. */
static bool start(struct load *load, struct load_conn *conn, uint64_t intended_us)
{
	if (conn->free_count == 0 || conn->tx_size - conn->tx_end < PEER_REQUEST_SIZE_MAX)
		return false;
	const uint32_t slot = conn->free_slots[--conn->free_count];
	const struct peer_request request = draw(load, slot);
	conn->ops[slot] = (struct load_op){intended_us, request.kind};
	conn->order[(conn->order_begin + conn->order_count++) % load->depth] = slot;
	conn->tx_end += (uint32_t)load->options->protocol->encode(
		&load->options->config, &request, conn->tx + conn->tx_end);
	conn->is_dirty = true;
	load->in_flight++;
	return true;
}

static void again(struct load *load, struct load_conn *conn, uint64_t now)
{
	if (!load->is_closed_loop || now >= load->stop_us || load->left == 0)
		return;
	if (start(load, conn, now) && load->left != UINT64_MAX)
		load->left--;
}

static void end(struct load *load, struct load_conn *conn, struct peer_answer answer, uint64_t now)
{
	uint32_t slot = answer.slot;
	if (slot == PEER_SLOT_NONE) {
		if (conn->order_count == 0)
			load_fail("an answer came to no request");
		slot = conn->order[conn->order_begin];
	} else if (slot >= load->depth) {
		load_fail("an answer names request %u of %u", slot, load->depth);
	}
	conn->order_begin = (conn->order_begin + 1) % load->depth;
	conn->order_count--;
	conn->free_slots[conn->free_count++] = slot;
	kr_assert(conn->free_count <= load->depth && load->in_flight > 0);
	load->in_flight--;
	const struct load_op *op = &conn->ops[slot];
	const uint64_t latency = now - KR_MIN(op->intended_us, now);
	if (load->is_measuring) {
		load->outcomes[answer.outcome]++;
		hist_add(&load->hists[op->kind], latency);
		if (load->series != NULL)
			series_add(load->series, now, latency);
	}
	again(load, conn, now);
}

/* ---- connections ---- */

static void watch(struct load *load, struct load_conn *conn, int operation, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.u32 = (uint32_t)(conn - load->conns)};
	if (epoll_ctl(load->epoll, operation, conn->fd, &event) != 0)
		load_fail("epoll_ctl: %s", strerror(errno));
}

static void flush(struct load *load, struct load_conn *conn)
{
	const ssize_t n = send(conn->fd, conn->tx + conn->tx_begin, conn->tx_end - conn->tx_begin,
		MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0 && errno != EAGAIN)
		load_fail("send: %s", strerror(errno));
	conn->tx_begin += n > 0 ? (uint32_t)n : 0;
	const bool was_dirty = conn->is_dirty;
	conn->is_dirty = conn->tx_begin != conn->tx_end;
	kr_assert(was_dirty);
	if (conn->is_dirty) {
		memmove(conn->tx, conn->tx + conn->tx_begin, conn->tx_end - conn->tx_begin);
		conn->tx_end -= conn->tx_begin;
		watch(load, conn, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
	} else {
		conn->tx_end = 0;
	}
	conn->tx_begin = 0;
}

static void take_answers(struct load *load, struct load_conn *conn)
{
	const struct peer_protocol *protocol = load->options->protocol;
	const uint64_t now = load_now_us();
	uint32_t at = 0;
	for (;;) {
		struct peer_answer answer;
		const int64_t size = protocol->decode(conn->rx + at, conn->rx_count - at, &answer);
		if (size == PEER_MALFORMED)
			load_fail("what came is no answer of %s", protocol->name);
		if (size == 0)
			break;
		if (answer.outcome == PEER_FAILED && load->outcomes[PEER_FAILED] == 0 &&
			load->is_measuring)
			fprintf(stderr, "peer-load: the first failure: %.*s\n",
				(int)KR_MIN(size, 200), (const char *)conn->rx + at);
		at += (uint32_t)size;
		end(load, conn, answer, now);
	}
	memmove(conn->rx, conn->rx + at, conn->rx_count - at);
	conn->rx_count -= at;
}

static void receive(struct load *load, struct load_conn *conn)
{
	kr_assert(conn->rx_count < LOAD_RECEIVE_SIZE);
	const ssize_t n = recv(conn->fd, conn->rx + conn->rx_count,
		LOAD_RECEIVE_SIZE - conn->rx_count, MSG_DONTWAIT);
	if (n == 0 || (n < 0 && errno != EAGAIN))
		load_fail("a connection ended: %s", n == 0 ? "closed" : strerror(errno));
	conn->rx_count += n > 0 ? (uint32_t)n : 0;
	take_answers(load, conn);
}

static void turn(struct load *load, int64_t wait_us)
{
	struct epoll_event events[EVENTS_MAX];
	const struct timespec wait = {wait_us / 1000000, wait_us % 1000000 * 1000};
	for (uint32_t i = 0; i < load->options->connections; i++)
		if (load->conns[i].is_dirty)
			flush(load, &load->conns[i]);
	const int count = epoll_pwait2(load->epoll, events, EVENTS_MAX, &wait, NULL);
	if (count < 0 && errno != EINTR)
		load_fail("epoll_wait: %s", strerror(errno));
	for (int i = 0; i < count; i++) {
		struct load_conn *conn = &load->conns[events[i].data.u32];
		if (events[i].events & EPOLLOUT)
			watch(load, conn, EPOLL_CTL_MOD, EPOLLIN);
		if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
			receive(load, conn);
	}
	if (load->series != NULL && load->is_measuring)
		series_tick(load->series, load_now_us());
}

/* ---- loops ---- */

static void drain(struct load *load)
{
	const uint64_t until = load_now_us() + DRAIN_US;
	load->is_closed_loop = false;
	while (load->in_flight > 0) {
		turn(load, 10000);
		if (load_now_us() > until)
			load_fail("%llu requests have no answer",
				(unsigned long long)load->in_flight);
	}
}

static void closed_loop(struct load *load, double seconds, uint64_t count)
{
	const uint64_t begin = load_now_us();
	load->stop_us = seconds > 0 ? begin + (uint64_t)(seconds * 1e6) : UINT64_MAX;
	load->left = count;
	load->is_closed_loop = true;
	for (uint32_t i = 0; i < load->options->connections; i++)
		for (uint32_t d = 0; d < load->depth; d++)
			again(load, &load->conns[i], begin);
	while (load_now_us() < load->stop_us && load->left > 0)
		turn(load, 10000);
}

/* What is due in one turn goes over one connection, as keyrack-bench does. */
static void open_loop(struct load *load, double seconds)
{
	const uint32_t count = load->options->connections;
	uint32_t turn_count = 0;
	const double interval_us = 1e6 / load->options->rate;
	const uint64_t begin = load_now_us();
	uint64_t started = 0;
	load->stop_us = begin + (uint64_t)(seconds * 1e6);
	load->left = UINT64_MAX;
	load->is_closed_loop = false;
	for (uint64_t now = begin; now < load->stop_us; now = load_now_us()) {
		uint64_t intended = begin + (uint64_t)((double)started * interval_us);
		while (intended <= now && intended < load->stop_us &&
			start(load, &load->conns[turn_count % count], intended)) {
			load->late += now - intended > 1000;
			intended = begin + (uint64_t)((double)++started * interval_us);
		}
		turn_count++;
		now = load_now_us();
		turn(load, intended > now ? (int64_t)(intended - now) : 0);
	}
}

static void loop(struct load *load, double seconds)
{
	if (load->options->rate > 0)
		open_loop(load, seconds);
	else
		closed_loop(load, seconds, UINT64_MAX);
}

static void begin_series(struct load *load, struct series *series)
{
	FILE *file = fopen(load->options->series, "we");
	if (file == NULL)
		load_fail("%s cannot be written", load->options->series);
	series_init(series, file, load_now_us());
	load->series = series;
}

static void end_series(struct load *load)
{
	if (load->series != NULL && !series_fini(load->series))
		load_fail("%s could not be written", load->options->series);
	load->series = NULL;
}

double load_run(struct load *load, double *ret_cpu_seconds)
{
	static struct series series;
	const struct load_options *o = load->options;
	if (o->preload > 0)
		closed_loop(load, 0, o->preload);
	drain(load);
	if (o->warmup > 0)
		loop(load, o->warmup);
	drain(load);
	if (o->series != NULL)
		begin_series(load, &series);
	const uint64_t begin = load_now_us();
	const clock_t cpu = clock();
	load->late = 0;
	load->is_measuring = true;
	loop(load, o->seconds);
	const double seconds = (double)(load_now_us() - begin) / 1e6;
	*ret_cpu_seconds = (double)(clock() - cpu) / CLOCKS_PER_SEC;
	/* Open loop: what was intended in time counts, however late it is answered. */
	if (o->rate == 0)
		load->is_measuring = false;
	drain(load);
	load->is_measuring = false;
	end_series(load);
	return seconds;
}
