#include "base/io/io_ahead.h"
#include "base/io/uring/uring_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#define AHEAD_ENTRIES 4u

/* A ring of its own: the loop's completions would call back in the middle of a start. */
struct io_ahead {
	struct io_uring ring;
	struct fault_set *faults;
	struct io_file *file; /* that is being read, or NULL */
	int32_t wanted;       /* the result of one that was done */
	bool is_running;
	bool is_done;
	bool is_broken; /* the ring may keep what it refused: it is not used again */
};

struct io_ahead *io_ahead_new(struct io_loop *loop)
{
	struct io_ahead *ahead = calloc(1, sizeof(*ahead));
	kr_assert(loop != NULL);
	if (ahead == NULL)
		return NULL;
	ahead->faults = loop->config.faults;
	if (io_uring_queue_init(AHEAD_ENTRIES, &ahead->ring, 0) == 0)
		return ahead;
	free(ahead);
	return NULL;
}

struct io_ahead *io_ahead_free(struct io_ahead *ahead)
{
	if (ahead == NULL)
		return NULL;
	(void)io_ahead_wait(ahead);
	kr_assert(!ahead->is_running);
	io_uring_queue_exit(&ahead->ring);
	free(ahead);
	return NULL;
}

static void ended(struct io_ahead *ahead, bool is_done)
{
	if (ahead->file != NULL) {
		kr_assert(ahead->file->in_flight_count > 0);
		ahead->file->in_flight_count--;
	}
	ahead->file = NULL;
	ahead->is_running = false;
	ahead->is_done = is_done;
}

static void start(struct io_ahead *ahead, struct io_file *file, int32_t wanted)
{
	kr_assert(!ahead->is_running);
	ahead->file = file;
	ahead->wanted = wanted;
	ahead->is_running = true;
	if (file != NULL)
		file->in_flight_count++;
	if (io_uring_submit(&ahead->ring) == 1)
		return;
	ahead->is_broken = true;
	ended(ahead, false);
}

static struct io_uring_sqe *entry(struct io_ahead *ahead)
{
	kr_assert(!ahead->is_running);
	ahead->is_done = false;
	return ahead->is_broken ? NULL : io_uring_get_sqe(&ahead->ring);
}

void io_ahead_read(struct io_ahead *ahead, struct io_file *file, void *bytes, size_t size_bytes,
	uint64_t offset)
{
	kr_assert(size_bytes > 0 && size_bytes <= IO_OP_SIZE_MAX);
	kr_assert(((uintptr_t)bytes | size_bytes | offset) % IO_FILE_ALIGN == 0);
	struct io_uring_sqe *sqe = entry(ahead);
	if (sqe == NULL)
		return;
	io_uring_prep_read(sqe, file->fd, bytes, (unsigned)size_bytes, offset);
	if (fault_fires(ahead->faults, FAULT_FILE_READ))
		io_uring_prep_nop(sqe);
	start(ahead, file, (int32_t)size_bytes);
}

void io_ahead_populate(struct io_ahead *ahead, void *base, size_t size_bytes)
{
	kr_assert(size_bytes > 0 && size_bytes <= IO_OP_SIZE_MAX);
	struct io_uring_sqe *sqe = entry(ahead);
	if (sqe == NULL)
		return;
	io_uring_prep_madvise(sqe, base, (off_t)size_bytes, MADV_POPULATE_WRITE);
	start(ahead, NULL, 0);
}

static void completed(struct io_ahead *ahead, struct io_uring_cqe *cqe)
{
	kr_assert(ahead->is_running);
	const int32_t result = cqe->res;
	io_uring_cqe_seen(&ahead->ring, cqe);
	if (ahead->file != NULL && result > 0)
		ahead->file->loop->stats.file_read_bytes += (uint64_t)result;
	ended(ahead, result == ahead->wanted);
}

bool io_ahead_is_running(struct io_ahead *ahead)
{
	struct io_uring_cqe *cqe = NULL;
	if (ahead->is_running && io_uring_peek_cqe(&ahead->ring, &cqe) == 0) {
		kr_assert(cqe != NULL);
		completed(ahead, cqe);
	}
	return ahead->is_running;
}

bool io_ahead_wait(struct io_ahead *ahead)
{
	while (ahead->is_running) {
		struct io_uring_cqe *cqe = NULL;
		int r = io_uring_wait_cqe(&ahead->ring, &cqe);
		/* The kernel still writes into memory that is the caller's: no way round it. */
		kr_assert(r == 0 || r == -EINTR || r == -EAGAIN);
		if (r == 0)
			completed(ahead, cqe);
	}
	return ahead->is_done;
}
