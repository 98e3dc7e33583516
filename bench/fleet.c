#include "bench/bench.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "base/service.h"

#define EVENTS_MAX 256
#define PROGRESS_US 100000
#define DESCRIPTORS_BESIDE 64u /* standard ones, epoll, files of a run */

uint64_t bench_now_us(void)
{
	struct timespec now;
	const int r = clock_gettime(CLOCK_MONOTONIC, &now);
	kr_assert(r == 0);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

const char *bench_router_default(void)
{
	const char *routers = getenv("KEYRACK_ROUTER");
	return routers != NULL ? routers : "127.0.0.1:7070";
}

void bench_fail(int code, const char *format, ...)
{
	va_list args;
	bench_progress_end();
	fputs("keyrack-bench: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(code);
}

static bool progress_is_open;

void bench_progress(const char *format, ...)
{
	static uint64_t last_us;
	const uint64_t now = bench_now_us();
	va_list args;
	if (!isatty(STDERR_FILENO) || now - last_us < PROGRESS_US)
		return;
	last_us = now;
	fputc('\r', stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputs("\033[K", stderr);
	progress_is_open = true;
}

void bench_progress_end(void)
{
	if (progress_is_open)
		fputs("\r\033[K", stderr);
	progress_is_open = false;
}

void *bench_alloc(size_t count, size_t size)
{
	void *memory = calloc(count == 0 ? 1 : count, size);
	if (memory == NULL)
		bench_fail(BENCH_ABORTED, "there is no memory for %zu x %zu bytes", count, size);
	return memory;
}

void fleet_open(struct bench_fleet *fleet, const struct keyrack_config *config, uint32_t count)
{
	const char *token_file = getenv("KEYRACK_TOKEN_FILE");
	char bytes[KR_ERROR_TEXT_SIZE];
	struct kr_text line;
	kr_assert(count > 0);
	memset(fleet, 0, sizeof(*fleet));
	kr_text_init(&line, bytes, sizeof(bytes));
	if (service_connections_fit(count, DESCRIPTORS_BESIDE, &line) < count)
		bench_fail(BENCH_ABORTED, "%s", bytes);
	fleet->clients = bench_alloc(count, sizeof(*fleet->clients));
	fleet->fds = bench_alloc(count, sizeof(*fleet->fds));
	fleet->wants = bench_alloc(count, sizeof(*fleet->wants));
	fleet->touched = bench_alloc(count, sizeof(*fleet->touched));
	fleet->is_touched = bench_alloc(count, sizeof(*fleet->is_touched));
	fleet->count = count;
	fleet->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (fleet->epoll < 0)
		bench_fail(BENCH_ABORTED, "epoll is not to be had: %s", strerror(errno));
	for (uint32_t i = 0; i < count; i++) {
		struct keyrack_config own = *config;
		own.token_file = token_file != NULL && *token_file != 0 ? token_file : NULL;
		if (own.random_seed != 0)
			own.random_seed += i;
		const int r = keyrack_client_new(&own, &fleet->clients[i]);
		if (r != 0)
			bench_fail(BENCH_USAGE, "--router %s: %s", config->routers, strerror(-r));
		fleet->fds[i] = -1;
	}
}

void fleet_close(struct bench_fleet *fleet)
{
	kr_assert(fleet->count > 0);
	for (uint32_t i = 0; i < fleet->count; i++)
		fleet->clients[i] = keyrack_client_free(fleet->clients[i]);
	close(fleet->epoll);
	free(fleet->clients);
	free(fleet->fds);
	free(fleet->wants);
	free(fleet->touched);
	free(fleet->is_touched);
	memset(fleet, 0, sizeof(*fleet));
}

/* Keeps the registration in step with what the client wants now. */
static void watch(struct bench_fleet *fleet, uint32_t i)
{
	const int fd = keyrack_client_fd(fleet->clients[i]);
	const unsigned want = keyrack_client_want(fleet->clients[i]);
	struct epoll_event event = {.data.u32 = i};
	if (fd == fleet->fds[i] && want == fleet->wants[i])
		return;
	event.events = (want & KEYRACK_WANT_READ ? (uint32_t)EPOLLIN : 0) |
		       (want & KEYRACK_WANT_WRITE ? (uint32_t)EPOLLOUT : 0);
	/* A closed descriptor left the set by itself; its number may be another connection's. */
	if (fd >= 0 && epoll_ctl(fleet->epoll, EPOLL_CTL_MOD, fd, &event) != 0 &&
		epoll_ctl(fleet->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
		bench_fail(BENCH_ABORTED, "epoll_ctl: %s", strerror(errno));
	fleet->fds[i] = fd;
	fleet->wants[i] = want;
}

/* The turn of one client; notes when it wants the next for the clock's sake. */
static void attend(struct bench_fleet *fleet, uint32_t i, uint64_t now_us)
{
	struct keyrack_client *client = fleet->clients[i];
	(void)keyrack_client_process(client);
	watch(fleet, i);
	const int64_t own = keyrack_client_timeout_us(client);
	if (own >= 0)
		fleet->due_us = KR_MIN(fleet->due_us, now_us + (uint64_t)own);
}

static void untouch(struct bench_fleet *fleet)
{
	kr_assert(fleet->touched_count <= fleet->count);
	for (uint32_t i = 0; i < fleet->touched_count; i++)
		fleet->is_touched[fleet->touched[i]] = false;
	fleet->touched_count = 0;
}

static void attend_touched(struct bench_fleet *fleet, uint64_t now_us)
{
	for (uint32_t i = 0; i < fleet->touched_count; i++)
		attend(fleet, fleet->touched[i], now_us);
	untouch(fleet);
}

/* Whoever has anything to do, by its own word. */
static void attend_all(struct bench_fleet *fleet, uint64_t now_us)
{
	fleet->due_us = UINT64_MAX;
	untouch(fleet);
	for (uint32_t i = 0; i < fleet->count; i++) {
		const struct keyrack_client *client = fleet->clients[i];
		const int64_t own = keyrack_client_timeout_us(client);
		if (own == 0 || keyrack_client_fd(client) != fleet->fds[i] ||
			keyrack_client_want(client) != fleet->wants[i])
			attend(fleet, i, now_us);
		else if (own > 0)
			fleet->due_us = KR_MIN(fleet->due_us, now_us + (uint64_t)own);
	}
}

void fleet_touch(struct bench_fleet *fleet, uint32_t client)
{
	kr_assert(client < fleet->count);
	if (fleet->is_touched[client])
		return;
	fleet->is_touched[client] = true;
	fleet->touched[fleet->touched_count++] = client;
	kr_assert(fleet->touched_count <= fleet->count);
}

void fleet_tell(struct bench_fleet *fleet, bool is_told)
{
	fleet->is_told = is_told;
	fleet->due_us = 0; /* whatever was submitted before */
}

/* Sends what was submitted since the last turn and does what is due. Returns how long there is
 * nothing to do. */
static int64_t push(struct bench_fleet *fleet, int64_t timeout_us)
{
	const uint64_t now = bench_now_us();
	if (!fleet->is_told || now >= fleet->due_us)
		attend_all(fleet, now);
	else
		attend_touched(fleet, now);
	if (fleet->due_us == UINT64_MAX)
		return timeout_us;
	const int64_t own = fleet->due_us > now ? (int64_t)(fleet->due_us - now) : 0;
	return timeout_us >= 0 && timeout_us < own ? timeout_us : own;
}

void fleet_turn(struct bench_fleet *fleet, int64_t timeout_us)
{
	struct epoll_event events[EVENTS_MAX];
	const int64_t wait_us = push(fleet, timeout_us);
	const struct timespec wait = {wait_us / 1000000, wait_us % 1000000 * 1000};
	const int count =
		epoll_pwait2(fleet->epoll, events, EVENTS_MAX, wait_us < 0 ? NULL : &wait, NULL);
	if (count < 0 && errno != EINTR)
		bench_fail(BENCH_ABORTED, "epoll_wait: %s", strerror(errno));
	const uint64_t now = bench_now_us();
	for (int i = 0; i < count; i++)
		attend(fleet, events[i].data.u32, now);
}

void fleet_drain(struct bench_fleet *fleet)
{
	for (uint32_t open = 1; open != 0;) {
		open = 0;
		for (uint32_t i = 0; i < fleet->count; i++)
			open += keyrack_client_open(fleet->clients[i]);
		if (open != 0)
			fleet_turn(fleet, 100000);
	}
}
