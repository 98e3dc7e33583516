/*
 * 128-bit ids: compared and written big-endian, shown as 8-4-4-4-12 lower-case hex digits.
 * Zero is no id.
 */
#ifndef BASE_UUID_H
#define BASE_UUID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

#define KR_ID_SIZE 16u
#define KR_ID_TEXT_LENGTH 36u
#define KR_ID_TEXT_SIZE (KR_ID_TEXT_LENGTH + 1u)

struct kr_id {
	uint64_t hi;
	uint64_t lo;
};

static inline bool kr_id_equal(struct kr_id a, struct kr_id b)
{
	return a.hi == b.hi && a.lo == b.lo;
}

static inline bool kr_id_is_zero(struct kr_id id)
{
	return (id.hi | id.lo) == 0;
}

/* Less than, equal to or greater than 0, in the order of the text. */
static inline int kr_id_compare(struct kr_id a, struct kr_id b)
{
	if (a.hi != b.hi)
		return a.hi < b.hi ? -1 : 1;
	return a.lo < b.lo ? -1 : a.lo > b.lo;
}

/* 16 bytes, most significant first, any alignment. */
void kr_id_store(void *bytes, struct kr_id id);
struct kr_id kr_id_load(const void *bytes);

/* Writes the text with its final zero. */
void kr_id_format(struct kr_id id, char ret_text[static KR_ID_TEXT_SIZE]);

#define KR_ID_MALFORMED 1

/* Reads exactly `length` characters, upper or lower case. 0, or KR_ID_MALFORMED. */
KR_MUST_CHECK int kr_id_parse(const char *text, size_t length, struct kr_id *ret_id);

#endif
