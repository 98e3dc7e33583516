#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

uint8_t *fuzz_copy(const void *bytes, size_t size_bytes)
{
	uint8_t *copy = malloc(size_bytes > 0 ? size_bytes : 1);
	kr_assert(copy != NULL && (bytes != NULL || size_bytes == 0));
	if (size_bytes > 0)
		memcpy(copy, bytes, size_bytes);
	return copy;
}

void fuzz_file_init(struct fuzz_file *file)
{
	file->fd = memfd_create("keyrack-fuzz", 0);
	kr_assert(file->fd >= 0);
	(void)snprintf(file->path, sizeof(file->path), "/proc/self/fd/%d", file->fd);
}

void fuzz_file_put(const struct fuzz_file *file, const void *bytes, size_t size_bytes)
{
	int r = ftruncate(file->fd, 0);
	kr_assert(r == 0);
	ssize_t written = pwrite(file->fd, bytes, size_bytes, 0);
	kr_assert(written == (ssize_t)size_bytes);
}
