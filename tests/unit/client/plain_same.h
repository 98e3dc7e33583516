/*
 * Answers read without their messages (client/decode_plain.h) held against the long way.
 */
#ifndef TESTS_UNIT_CLIENT_PLAIN_SAME_H
#define TESTS_UNIT_CLIENT_PLAIN_SAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is read of an answer's body is what the long way reads. Returns whether it was read. */
bool plain_same(unsigned type, bool is_done, const uint8_t *body, size_t size_bytes);

#endif
