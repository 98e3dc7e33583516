/*
 * Memory taken from the system ahead of its use, beside the loop: a page that is touched for the
 * first time is cleared then, and a huge one of 2 MiB takes 0.2 ms of the toucher, 5 ms and more
 * where a virtual machine's host has to find it first.
 */
#ifndef BASE_IO_IO_MEMORY_H
#define BASE_IO_IO_MEMORY_H

#include "base/io/io_file.h"

/*
 * Pages of [base, base + size_bytes) that are not there yet are made, by a thread of the kernel's;
 * what is in them stays, and they may be read and written meanwhile. Whole pages; at most
 * IO_OP_SIZE_MAX bytes. op->on_done tells the end: an error means no more than that the pages come
 * when they are touched. False where memory is not the system's (the simulator): nothing was
 * started.
 */
KR_MUST_CHECK bool io_memory_populate(
	struct io_loop *loop, struct io_op *op, void *base, size_t size_bytes);

#endif
