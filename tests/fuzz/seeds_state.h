/* Seeds of the targets that read what is on disk. */
#ifndef TESTS_FUZZ_SEEDS_STATE_H
#define TESTS_FUZZ_SEEDS_STATE_H

#include <stddef.h>

typedef void seeds_put(const char *target, const char *name, const void *data, size_t size_bytes);

void seeds_state_put(seeds_put *put);

#endif
