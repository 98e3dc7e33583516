/*
 * XXH3-64 under our own names. Not cryptographic: for checksums, tables and digests, never to
 * prove who sent something. The value for given bytes is part of file and wire formats.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

/* `bytes` may be NULL when size_bytes is 0. */
uint64_t hash_64(const void *bytes, size_t size_bytes);
uint64_t hash_64_seeded(const void *bytes, size_t size_bytes, uint64_t seed);

/* XXH3-64 of the 8 little-endian bytes of `value`: stable, for formats. */
uint64_t hash_64_of_u64(uint64_t value);

/* A fast bijective mix for tables in memory; not for formats. */
static inline uint64_t hash_mix(uint64_t value)
{
	value ^= value >> 32;
	value *= UINT64_C(0xd6e8feb86659fd93);
	value ^= value >> 32;
	value *= UINT64_C(0xd6e8feb86659fd93);
	value ^= value >> 32;
	return value;
}

/* A checksum over pieces, in order: equal to no hash_64 of them joined. Start with any seed. */
uint64_t hash_chain(uint64_t previous, const void *bytes, size_t size_bytes);

#endif
