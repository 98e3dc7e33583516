#include "base/io/io_ahead.h"

/* In virtual time there is nobody beside the caller: whoever asks reads for itself. */

struct io_ahead *io_ahead_new(struct io_loop *loop)
{
	kr_assert(loop != NULL);
	return NULL;
}

struct io_ahead *io_ahead_free(struct io_ahead *ahead)
{
	kr_assert(ahead == NULL);
	return NULL;
}

void io_ahead_read(struct io_ahead *ahead, struct io_file *file, void *bytes, size_t size_bytes,
	uint64_t offset)
{
	kr_assert(false);
}

void io_ahead_populate(struct io_ahead *ahead, void *base, size_t size_bytes)
{
	kr_assert(false);
}

bool io_ahead_is_running(struct io_ahead *ahead)
{
	kr_assert(ahead == NULL);
	return false;
}

bool io_ahead_wait(struct io_ahead *ahead)
{
	kr_assert(ahead == NULL);
	return false;
}
