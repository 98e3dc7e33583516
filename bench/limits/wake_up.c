/*
 * What waking a sleeping thread takes: a byte goes back and forth between two threads, each of
 * which sleeps in read() until it comes. A hop is half of a round.
 *
 * usage: wake-up SECONDS      prints a line of JSON
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/hist.h"

static uint64_t now_ns(void)
{
	struct timespec now;
	kr_assert(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Each thread on a core of its own: on one core nobody is woken, only switched to. */
static void stay_on(unsigned core)
{
	cpu_set_t set;
	kr_assert(core < 2);
	CPU_ZERO(&set);
	CPU_SET(core, &set);
	(void)pthread_setaffinity_np(pthread_self(), sizeof(set), &set); /* where there is one */
}

static void *echo(void *context)
{
	stay_on(1);
	const int fd = *(const int *)context;
	char byte;
	while (read(fd, &byte, 1) == 1 && write(fd, &byte, 1) == 1)
		continue;
	return NULL;
}

int main(int argc, char **argv)
{
	static struct hist hist;
	int ends[2];
	pthread_t thread;
	char byte = 1;
	const double seconds = argc == 2 ? strtod(argv[1], NULL) : 0;
	if (seconds <= 0) {
		fprintf(stderr, "usage: wake-up SECONDS\n");
		return 2;
	}
	kr_assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
	kr_assert(pthread_create(&thread, NULL, echo, &ends[1]) == 0);
	stay_on(0);
	hist_init(&hist);
	const uint64_t stop = now_ns() + (uint64_t)(seconds * 1e9);
	for (uint64_t before = now_ns(); before < stop;) {
		if (write(ends[0], &byte, 1) != 1 || read(ends[0], &byte, 1) != 1)
			break;
		const uint64_t after = now_ns();
		hist_add(&hist, (after - before) / 2);
		before = after;
	}
	(void)shutdown(ends[0], SHUT_RDWR);
	kr_assert(pthread_join(thread, NULL) == 0);
	printf("{\"count\": %llu, \"p50_us\": %.1f, \"p90_us\": %.1f, \"p99_us\": %.1f, "
	       "\"p99.9_us\": %.1f}\n",
		(unsigned long long)hist.count, (double)hist_percentile(&hist, 500000) / 1e3,
		(double)hist_percentile(&hist, 900000) / 1e3,
		(double)hist_percentile(&hist, 990000) / 1e3,
		(double)hist_percentile(&hist, 999000) / 1e3);
	return 0;
}
