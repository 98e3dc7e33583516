/*
 * The bugs that the power-cut test has to catch, planted from outside: preloaded into real
 * programs, this library takes away one promise. KEYRACK_BROKEN says which:
 *
 *   nosync     files opened with O_DIRECT | O_DSYNC are opened without O_DSYNC
 *   nodirsync  syncing a directory does nothing, by fsync() and through the ring
 *
 * So the programs under test are the very ones that are installed, and no line of them knows of it.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"

static bool is_broken(const char *what)
{
	const char *broken = getenv("KEYRACK_BROKEN");
	return broken != NULL && strcmp(broken, what) == 0;
}

/* The function of that name in the library that this one stands before. */
static void next_function(const char *name, void *ret_function)
{
	void *function = dlsym(RTLD_NEXT, name);
	kr_assert(function != NULL);
	memcpy(ret_function, &function, sizeof(function));
}

static bool is_directory(int fd)
{
	struct stat status;
	return fstat(fd, &status) == 0 && S_ISDIR(status.st_mode);
}

int openat(int directory, const char *path, int flags, ...)
{
	int (*next)(int, const char *, int, ...);
	mode_t mode = 0;
	va_list list;
	/* Offsets have 64 bits in every file here: this is openat64() to the linker. */
	next_function("openat64", &next);
	va_start(list, flags);
	if ((flags & (O_CREAT | O_TMPFILE)) != 0)
		mode = va_arg(list, mode_t);
	va_end(list);
	if (is_broken("nosync"))
		flags &= ~O_DSYNC;
	return next(directory, path, flags, mode);
}

int fsync(int fd)
{
	int (*next)(int);
	next_function("fsync", &next);
	return is_broken("nodirsync") && is_directory(fd) ? 0 : next(fd);
}

/* What waits in the submission queue, from the head that liburing keeps of what it has handed on.
 */
static void queue_break(struct io_uring *ring)
{
	if (!is_broken("nodirsync"))
		return;
	for (unsigned at = ring->sq.sqe_head; at != ring->sq.sqe_tail; at++) {
		struct io_uring_sqe *sqe = &ring->sq.sqes[at & ring->sq.ring_mask];
		if (sqe->opcode != IORING_OP_FSYNC || !is_directory(sqe->fd))
			continue;
		sqe->opcode = IORING_OP_NOP;
		sqe->fsync_flags = 0;
	}
}

int io_uring_submit(struct io_uring *ring)
{
	int (*next)(struct io_uring *);
	next_function("io_uring_submit", &next);
	queue_break(ring);
	return next(ring);
}

int io_uring_submit_and_get_events(struct io_uring *ring)
{
	int (*next)(struct io_uring *);
	next_function("io_uring_submit_and_get_events", &next);
	queue_break(ring);
	return next(ring);
}

int io_uring_submit_and_wait(struct io_uring *ring, unsigned count)
{
	int (*next)(struct io_uring *, unsigned);
	next_function("io_uring_submit_and_wait", &next);
	queue_break(ring);
	return next(ring, count);
}

int io_uring_submit_and_wait_timeout(struct io_uring *ring, struct io_uring_cqe **cqe,
	unsigned count, struct __kernel_timespec *timeout, sigset_t *signals)
{
	int (*next)(struct io_uring *, struct io_uring_cqe **, unsigned, struct __kernel_timespec *,
		sigset_t *);
	next_function("io_uring_submit_and_wait_timeout", &next);
	queue_break(ring);
	return next(ring, cqe, count, timeout, signals);
}
