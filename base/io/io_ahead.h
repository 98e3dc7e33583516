/*
 * One thing at a time that the system does beside a caller who computes and has no loop turning:
 * the next part of a file is read, or memory that is about to be used is taken (io_memory.h).
 * A start and offline tools are that caller. It is a hint throughout: there may be no ring, a read
 * may fail or end early; then the caller reads by io_file_read_now(), which has the last word.
 */
#ifndef BASE_IO_IO_AHEAD_H
#define BASE_IO_IO_AHEAD_H

#include "base/io/io_file.h"

struct io_ahead;

/* NULL: nothing goes on beside the caller here (the simulator; io_uring is forbidden). The loop
 * may be one without a ring. */
struct io_ahead *io_ahead_new(struct io_loop *loop);
/* Waits for what still runs. NULL is harmless. Returns NULL. */
struct io_ahead *io_ahead_free(struct io_ahead *ahead);

/* Nothing runs. `bytes` and the open file stay until the end. Aligned as for io_file_read(). */
void io_ahead_read(struct io_ahead *ahead, struct io_file *file, void *bytes, size_t size_bytes,
	uint64_t offset);
/* Nothing runs. Whole pages, which may be used meanwhile. */
void io_ahead_populate(struct io_ahead *ahead, void *base, size_t size_bytes);

/* Is it still going on? Never sleeps. */
bool io_ahead_is_running(struct io_ahead *ahead);
/* Sleeps until it is over, if anything runs. Was the last one done, a read to its full size? */
bool io_ahead_wait(struct io_ahead *ahead);

#endif
