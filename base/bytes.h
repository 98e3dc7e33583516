/*
 * Little-endian integers and varints in byte ranges.
 *
 * A reader or writer walks one range and never leaves it. The first step that would sets `failed`,
 * which stays set; from then on reads give zero (NULL for bytes) and writes do nothing. So a whole
 * record is read or written straight down and `failed` is asked once at the end.
 *
 * Varints are LEB128, at most 10 bytes, in the one shortest form; any other form fails, so that
 * what was read encodes to the same bytes again.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "base/writer.h"

struct kr_reader {
	const uint8_t *at;
	const uint8_t *end;
	bool failed;
};

void kr_reader_init(struct kr_reader *reader, const void *bytes, size_t size_bytes);

static inline size_t kr_reader_left(const struct kr_reader *reader)
{
	return (size_t)(reader->end - reader->at);
}

uint8_t kr_reader_u8(struct kr_reader *reader);
uint16_t kr_reader_u16(struct kr_reader *reader);
uint32_t kr_reader_u32(struct kr_reader *reader);
uint64_t kr_reader_u64(struct kr_reader *reader);
uint64_t kr_reader_varint(struct kr_reader *reader);
/* A varint that must not exceed `max`; fails and gives 0 when it does. */
uint64_t kr_reader_varint_max(struct kr_reader *reader, uint64_t max);
int64_t kr_reader_zigzag(struct kr_reader *reader);
/* The next `size_bytes` in place, NULL when there are fewer. */
const void *kr_reader_bytes(struct kr_reader *reader, size_t size_bytes);
/* Steps over `size_bytes` that must all be zero; fails when one is not. */
void kr_reader_zeroes(struct kr_reader *reader, size_t size_bytes);
void kr_reader_fail(struct kr_reader *reader);
/* True when everything was read and nothing failed. */
bool kr_reader_done(const struct kr_reader *reader);

#endif
