/*
 * Durable appends, one in flight, in this directory: what the disk alone takes for a batch of a
 * log. For each size into a file that grows, into one that is only allocated, and into one that was
 * written with zeros before, as a log does that recycles its segments.
 *
 * A group commit takes whoever came while the one before was under way. What somebody waits who
 * comes at any instant, for the rest of that one and the whole of the next, is what is left of an
 * open loop where all but the disk costs nothing. An append that stalls meets more of them than
 * one that does not, so these percentiles are not those of the appends.
 *
 * usage: disk-append DIR SECONDS [FILE_MIB]      prints a line of JSON for each kind and size
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "base/hist.h"

#define FILE_SIZE_MIB 256u
#define FILE_SIZE_MIB_MAX 2048u
#define SIZE_MAX_BYTES (1u << 20)
#define ALIGNMENT 4096u
#define ARRIVAL_US 10u /* from one who comes to the next */

enum kind { KIND_GROWING, KIND_ALLOCATED, KIND_ZEROED, KINDS };
static const char *const kind_names[KINDS] = {"growing", "allocated", "pre-zeroed"};

static void fail(const char *what)
{
	fprintf(stderr, "disk-append: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now_us(void)
{
	struct timespec now;
	kr_assert(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static uint32_t file_size_bytes;

static void fill_with_zeros(int fd, uint8_t *buffer)
{
	memset(buffer, 0, SIZE_MAX_BYTES);
	for (uint32_t at = 0; at < file_size_bytes; at += SIZE_MAX_BYTES)
		if (pwrite(fd, buffer, SIZE_MAX_BYTES, at) != (ssize_t)SIZE_MAX_BYTES)
			fail("writing zeros");
}

static int prepare(enum kind kind, const char *path, uint8_t *buffer, bool *ret_is_direct)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_DIRECT, 0600);
	*ret_is_direct = fd >= 0;
	if (fd < 0) /* a file system without it, such as one in memory */
		fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		fail(path);
	if (kind != KIND_GROWING && posix_fallocate(fd, 0, file_size_bytes) != 0)
		fail("allocating");
	if (kind == KIND_ZEROED)
		fill_with_zeros(fd, buffer);
	if (fsync(fd) != 0)
		fail("fsync");
	return fd;
}

struct found {
	struct hist appends;  /* how long each took */
	struct hist arrivals; /* how long those waited who came at any instant */
};

static void measure(
	int fd, uint32_t size_bytes, double seconds, uint8_t *buffer, struct found *found)
{
	const uint64_t stop_us = now_us() + (uint64_t)(seconds * 1e6);
	const struct iovec part = {buffer, size_bytes};
	uint64_t at = 0, before = now_us(), arrival_us = before;
	kr_assert(size_bytes % ALIGNMENT == 0 && size_bytes <= SIZE_MAX_BYTES);
	memset(buffer, 0x5a, size_bytes);
	hist_init(&found->appends);
	hist_init(&found->arrivals);
	while (before < stop_us && at + size_bytes <= file_size_bytes) {
		if (pwritev2(fd, &part, 1, (off_t)at, RWF_DSYNC) != (ssize_t)size_bytes)
			fail("writing");
		const uint64_t after = now_us();
		hist_add(&found->appends, after - before);
		/* Who came before this one began goes with it. */
		for (; arrival_us < before; arrival_us += ARRIVAL_US)
			hist_add(&found->arrivals, after - arrival_us);
		before = after;
		at += size_bytes;
	}
}

static void print_percentiles(const char *of, const struct hist *hist)
{
	static const struct {
		const char *name;
		uint32_t parts;
	} percentiles[] = {{"p50", 500000}, {"p90", 900000}, {"p99", 990000}, {"p99.9", 999000},
		{"max", 1000000}};
	kr_assert(of != NULL && hist != NULL);
	for (size_t i = 0; i < KR_ARRAY_COUNT(percentiles); i++)
		printf(", \"%s%s_us\": %llu", of, percentiles[i].name,
			(unsigned long long)hist_percentile(hist, percentiles[i].parts));
}

static void print(const char *kind, uint32_t size_bytes, bool is_direct, const struct found *found)
{
	const struct hist *hist = &found->appends;
	const double mean_us = (double)hist->sum / (double)KR_MAX(hist->count, UINT64_C(1));
	printf("{\"kind\": \"%s\", \"size_bytes\": %u, \"direct\": %s, \"count\": %llu, "
	       "\"rate\": %.1f, \"mb_per_s\": %.1f",
		kind, size_bytes, is_direct ? "true" : "false", (unsigned long long)hist->count,
		1e6 / mean_us, (double)size_bytes / mean_us);
	print_percentiles("", hist);
	print_percentiles("arrival_", &found->arrivals);
	puts("}");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static const uint32_t sizes[] = {4096, 16384, 65536, 1048576};
	static struct found found;
	char path[4096];
	bool is_direct;
	const unsigned long mib = argc > 3 ? strtoul(argv[3], NULL, 10) : FILE_SIZE_MIB;
	if (argc < 3 || argc > 4 || strtod(argv[2], NULL) <= 0 || mib == 0 ||
		mib > FILE_SIZE_MIB_MAX) {
		fprintf(stderr, "usage: disk-append DIR SECONDS [FILE_MIB]\n");
		return 2;
	}
	file_size_bytes = (uint32_t)mib << 20;
	uint8_t *buffer = aligned_alloc(ALIGNMENT, SIZE_MAX_BYTES);
	kr_assert(buffer != NULL);
	snprintf(path, sizeof(path), "%s/disk-append.%d", argv[1], getpid());
	for (int kind = 0; kind < KINDS; kind++) {
		for (size_t i = 0; i < KR_ARRAY_COUNT(sizes); i++) {
			const int fd = prepare((enum kind)kind, path, buffer, &is_direct);
			(void)unlink(path);
			measure(fd, sizes[i], strtod(argv[2], NULL), buffer, &found);
			print(kind_names[kind], sizes[i], is_direct, &found);
			close(fd);
		}
	}
	free(buffer);
	return 0;
}
