/*
 * Fault points of the system for the programs as they are installed: preloaded, this library
 * lets the n-th call of a kind fail. KEYRACK_FAIL=KIND:N fails the n-th, KIND:N+ all from there;
 * when it has happened the file KEYRACK_FAIL_SEEN is there. Kinds are the names below.
 *
 * Calls count from main() on. Of the zones only few are shown, or each of some thousand
 * allocations and opens for them would have to fail once.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <liburing.h>
#include <netdb.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/check.h"

static bool is_on;
static unsigned long passed;
static char kind_wanted[32];
static unsigned long nth;
static bool is_lasting;

static void seen_tell(void)
{
	const char *path = getenv("KEYRACK_FAIL_SEEN");
	if (path == NULL)
		return;
	const long fd = syscall(SYS_openat, AT_FDCWD, path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	if (fd >= 0)
		(void)syscall(SYS_close, fd);
}

static bool fails(const char *kind)
{
	if (!is_on || strcmp(kind, kind_wanted) != 0)
		return false;
	passed++;
	if (passed < nth || (passed > nth && !is_lasting))
		return false;
	seen_tell();
	return true;
}

static void read_wish(void)
{
	const char *text = getenv("KEYRACK_FAIL");
	const char *colon = text == NULL ? NULL : strchr(text, ':');
	if (colon == NULL || (size_t)(colon - text) >= sizeof(kind_wanted))
		return;
	memcpy(kind_wanted, text, (size_t)(colon - text));
	nth = strtoul(colon + 1, NULL, 10);
	is_lasting = text[strlen(text) - 1] == '+';
}

/* The function of that name behind this library. */
static void next_function(const char *name, void *ret_function)
{
	void *function = dlsym(RTLD_NEXT, name);
	kr_assert(function != NULL);
	memcpy(ret_function, &function, sizeof(function));
}

static int (*real_main)(int, char **, char **);

static int counted_main(int argc, char **argv, char **environment)
{
	read_wish();
	is_on = true;
	return real_main(argc, argv, environment);
}

int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void),
	void (*fini)(void), void (*linker_fini)(void), void *stack_end);

int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void),
	void (*fini)(void), void (*linker_fini)(void), void *stack_end)
{
	int (*next)(int (*)(int, char **, char **), int, char **, void (*)(void), void (*)(void),
		void (*)(void), void *);
	next_function("__libc_start_main", &next);
	real_main = main;
	return next(counted_main, argc, argv, init, fini, linker_fini, stack_end);
}

/* ---- memory ---- */

#define BOOT_SIZE 65536u

/* Until the allocator behind is known, which is looked up with allocations. */
static _Alignas(16) char boot[BOOT_SIZE];
static size_t boot_used;
static void *(*next_malloc)(size_t);
static void *(*next_calloc)(size_t, size_t);
static void *(*next_realloc)(void *, size_t);
static void (*next_free)(void *);

static void *boot_alloc(size_t size)
{
	void *memory = boot + boot_used;
	boot_used += (size + 15) & ~(size_t)15;
	kr_assert(boot_used <= BOOT_SIZE);
	return memory;
}

static bool is_of_boot(const void *memory)
{
	return (const char *)memory >= boot && (const char *)memory < boot + BOOT_SIZE;
}

static bool is_resolving(void)
{
	static bool is_under_way;
	if (next_free != NULL)
		return false;
	if (is_under_way)
		return true;
	is_under_way = true;
	next_function("malloc", &next_malloc);
	next_function("calloc", &next_calloc);
	next_function("realloc", &next_realloc);
	next_function("free", &next_free);
	is_under_way = false;
	return false;
}

void *malloc(size_t size)
{
	if (is_resolving())
		return boot_alloc(size);
	if (!fails("memory"))
		return next_malloc(size);
	errno = ENOMEM;
	return NULL;
}

void *calloc(size_t count, size_t size)
{
	if (is_resolving())
		return boot_alloc(count * size);
	if (!fails("memory"))
		return next_calloc(count, size);
	errno = ENOMEM;
	return NULL;
}

void *realloc(void *memory, size_t size)
{
	kr_assert(!is_resolving() && !is_of_boot(memory));
	if (!fails("memory"))
		return next_realloc(memory, size);
	errno = ENOMEM;
	return NULL;
}

void free(void *memory)
{
	if (!is_of_boot(memory) && !is_resolving())
		next_free(memory);
}

/* ---- calls that give a number, or -1 and errno ---- */

#define FAILING(kind, number, symbol, name, parameters, arguments, type)                           \
	type name parameters                                                                       \
	{                                                                                          \
		type(*next) parameters;                                                            \
		next_function(symbol, &next);                                                      \
		if (!fails(kind))                                                                  \
			return next arguments;                                                     \
		errno = number;                                                                    \
		return (type)-1;                                                                   \
	}

FAILING("mmap", ENOMEM, "mmap64", mmap,
	(void *at, size_t size, int protection, int flags, int fd, off_t offset),
	(at, size, protection, flags, fd, offset), void *)
FAILING("read", EIO, "read", read, (int fd, void *bytes, size_t size), (fd, bytes, size), ssize_t)
FAILING("read", EIO, "pread64", pread, (int fd, void *bytes, size_t size, off_t offset),
	(fd, bytes, size, offset), ssize_t)
FAILING("write", ENOSPC, "pwrite64", pwrite, (int fd, const void *bytes, size_t size, off_t offset),
	(fd, bytes, size, offset), ssize_t)
FAILING("write", ENOSPC, "pwritev64v2", pwritev2,
	(int fd, const struct iovec *parts, int count, off_t offset, int flags),
	(fd, parts, count, offset, flags), ssize_t)
FAILING("sync", EIO, "fsync", fsync, (int fd), (fd), int)
FAILING("truncate", EIO, "ftruncate64", ftruncate, (int fd, off_t size), (fd, size), int)
FAILING("lock", EIO, "flock", flock, (int fd, int operation), (fd, operation), int)
FAILING("mkdir", EIO, "mkdir", mkdir, (const char *path, mode_t mode), (path, mode), int)
FAILING("rename", EIO, "renameat", renameat,
	(int from_fd, const char *from, int to_fd, const char *to), (from_fd, from, to_fd, to), int)
FAILING("unlink", EIO, "unlinkat", unlinkat, (int fd, const char *path, int flags),
	(fd, path, flags), int)
FAILING("stat", EIO, "fstat64", fstat, (int fd, struct stat *status), (fd, status), int)
FAILING("stat", EIO, "fstatat64", fstatat,
	(int fd, const char *path, struct stat *status, int flags), (fd, path, status, flags), int)
FAILING("socket", EMFILE, "socket", socket, (int family, int type, int protocol),
	(family, type, protocol), int)
FAILING("bind", EACCES, "bind", bind, (int fd, __CONST_SOCKADDR_ARG address, socklen_t size),
	(fd, address, size), int)
FAILING("listen", EIO, "listen", listen, (int fd, int backlog), (fd, backlog), int)
FAILING("connect", ECONNREFUSED, "connect", connect,
	(int fd, __CONST_SOCKADDR_ARG address, socklen_t size), (fd, address, size), int)
FAILING("send", ECONNRESET, "send", send, (int fd, const void *bytes, size_t size, int flags),
	(fd, bytes, size, flags), ssize_t)
FAILING("receive", ECONNRESET, "recv", recv, (int fd, void *bytes, size_t size, int flags),
	(fd, bytes, size, flags), ssize_t)
FAILING("poll", ENOMEM, "poll", poll, (struct pollfd * fds, nfds_t count, int timeout),
	(fds, count, timeout), int)

/* ---- opening ---- */

#define MODE_OF(flags, mode)                                                                       \
	do {                                                                                       \
		va_list list;                                                                      \
		va_start(list, flags);                                                             \
		if ((flags & (O_CREAT | O_TMPFILE)) != 0)                                          \
			mode = va_arg(list, mode_t);                                               \
		va_end(list);                                                                      \
	} while (0)

int open(const char *path, int flags, ...)
{
	int (*next)(const char *, int, ...);
	mode_t mode = 0;
	MODE_OF(flags, mode);
	next_function("open64", &next);
	if (!fails("open"))
		return next(path, flags, mode);
	errno = EIO;
	return -1;
}

int openat(int directory, const char *path, int flags, ...)
{
	int (*next)(int, const char *, int, ...);
	mode_t mode = 0;
	MODE_OF(flags, mode);
	next_function("openat64", &next);
	if (!fails("open"))
		return next(directory, path, flags, mode);
	errno = EIO;
	return -1;
}

FILE *fopen(const char *path, const char *mode)
{
	FILE *(*next)(const char *, const char *);
	next_function("fopen64", &next);
	if (!fails("open"))
		return next(path, mode);
	errno = EIO;
	return NULL;
}

/* That of glibc 2.36 writes through the first allocation that failed. */
FTS *fts_open(char *const *paths, int options, int (*compare)(const FTSENT **, const FTSENT **))
{
	FTS *(*next)(char *const *, int, int (*)(const FTSENT **, const FTSENT **));
	next_function("fts64_open", &next);
	is_on = false;
	FTS *tree = next(paths, options, compare);
	is_on = true;
	return tree;
}

/* Two zones are enough. */
FTSENT *fts_read(FTS *tree)
{
	FTSENT *(*next)(FTS *);
	int (*set)(FTS *, FTSENT *, int);
	next_function("fts64_read", &next);
	next_function("fts64_set", &set);
	for (;;) {
		FTSENT *entry = next(tree);
		if (entry == NULL)
			return NULL;
		const bool is_other = entry->fts_level > 0 &&
				      strcmp(entry->fts_name, "Europe") != 0 &&
				      strcmp(entry->fts_name, "Paris") != 0 &&
				      strcmp(entry->fts_name, "London") != 0;
		if (!is_other)
			return entry;
		if (entry->fts_info == FTS_D)
			(void)set(tree, entry, FTS_SKIP);
	}
}

/* ---- the ring ---- */

#define RING(name, parameters, arguments)                                                          \
	int name parameters                                                                        \
	{                                                                                          \
		int(*next) parameters;                                                             \
		next_function(#name, &next);                                                       \
		return fails("ring") ? -ENOMEM : next arguments;                                   \
	}

RING(io_uring_queue_init_params,
	(unsigned entries, struct io_uring *ring, struct io_uring_params *parameters),
	(entries, ring, parameters))
RING(io_uring_register_files, (struct io_uring * ring, const int *fds, unsigned count),
	(ring, fds, count))
RING(io_uring_register_buf_ring,
	(struct io_uring * ring, struct io_uring_buf_reg *buffers, unsigned flags),
	(ring, buffers, flags))
RING(io_uring_register_ring_fd, (struct io_uring * ring), (ring))

static const char *kind_of(const struct io_uring_sqe *sqe)
{
	switch (sqe->opcode) {
	case IORING_OP_READ:
		/* Not that of a signal: the test's own SIGTERM is to arrive. */
		return sqe->len == sizeof(struct signalfd_siginfo) ? "" : "ring_read";
	case IORING_OP_WRITE:
		return "ring_write";
	case IORING_OP_FSYNC:
		return "ring_sync";
	case IORING_OP_FALLOCATE:
		return "ring_allocate";
	case IORING_OP_RENAMEAT:
		return "ring_rename";
	case IORING_OP_UNLINKAT:
		return "ring_unlink";
	case IORING_OP_ACCEPT:
		return "ring_accept";
	case IORING_OP_CONNECT:
		return "ring_connect";
	default:
		return "";
	}
}

/* What waits in the submission queue, from the head that liburing has handed on: with a
 * descriptor that is none the kernel ends it with an error. */
static void queue_break(struct io_uring *ring)
{
	for (unsigned at = ring->sq.sqe_head; at != ring->sq.sqe_tail; at++) {
		struct io_uring_sqe *sqe = &ring->sq.sqes[at & ring->sq.ring_mask];
		if (!fails(kind_of(sqe)))
			continue;
		sqe->fd = -1;
		sqe->flags &= (unsigned char)~IOSQE_FIXED_FILE;
	}
}

#define SUBMITTING(name, parameters, arguments)                                                    \
	int name parameters                                                                        \
	{                                                                                          \
		int(*next) parameters;                                                             \
		next_function(#name, &next);                                                       \
		queue_break(ring);                                                                 \
		return next arguments;                                                             \
	}

SUBMITTING(io_uring_submit, (struct io_uring * ring), (ring))
SUBMITTING(io_uring_submit_and_get_events, (struct io_uring * ring), (ring))
SUBMITTING(io_uring_submit_and_wait, (struct io_uring * ring, unsigned count), (ring, count))
SUBMITTING(io_uring_submit_and_wait_timeout,
	(struct io_uring * ring, struct io_uring_cqe **cqe, unsigned count,
		struct __kernel_timespec *timeout, sigset_t *signals),
	(ring, cqe, count, timeout, signals))
