/*
 * What all targets share. A target reads its input through a kr_reader (zeroes behind the end, so
 * that every input means something) and asserts its property with kr_assert, which aborts.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/* libFuzzer's contract. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* At most `max` bytes, in place, of what is left. */
static inline const uint8_t *fuzz_take(struct kr_reader *reader, size_t max, size_t *ret_size_bytes)
{
	size_t left = reader->failed ? 0 : kr_reader_left(reader);
	*ret_size_bytes = left < max ? left : max;
	return kr_reader_bytes(reader, *ret_size_bytes);
}

/* A copy with nothing behind it, so that a read beyond its end shows. Freed by the caller. */
uint8_t *fuzz_copy(const void *bytes, size_t size_bytes);

/* A file of this process alone, with a path. */
struct fuzz_file {
	int fd;
	char path[32];
};
void fuzz_file_init(struct fuzz_file *file);
void fuzz_file_put(const struct fuzz_file *file, const void *bytes, size_t size_bytes);

#endif
