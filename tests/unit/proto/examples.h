/*
 * The frames that PROTOCOL.md shows byte for byte, built from values.
 */
#ifndef TESTS_UNIT_PROTO_EXAMPLES_H
#define TESTS_UNIT_PROTO_EXAMPLES_H

#include <stddef.h>
#include <stdint.h>

#define EXAMPLE_SIZE_MAX 1024u

struct example {
	const char *name; /* of the fenced block: ```hex NAME */
	size_t (*build)(uint8_t *ret_bytes);
};

extern const struct example examples[];
extern const size_t example_count;

/* The frame as the document shows it: one line a field, comments behind. */
void example_print(const uint8_t *bytes);

#endif
