#include "base/hash.h"

/* In the header's own inline form: most of what is hashed here is 8 to 64 bytes, for which a call
 * into the shared library costs more than the hash. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/bytes.h"

uint64_t hash_64(const void *bytes, size_t size_bytes)
{
	kr_assert(bytes != NULL || size_bytes == 0);
	return XXH3_64bits(bytes == NULL ? "" : bytes, size_bytes);
}

uint64_t hash_64_seeded(const void *bytes, size_t size_bytes, uint64_t seed)
{
	kr_assert(bytes != NULL || size_bytes == 0);
	return XXH3_64bits_withSeed(bytes == NULL ? "" : bytes, size_bytes, seed);
}

uint64_t hash_64_of_u64(uint64_t value)
{
	uint8_t bytes[sizeof(value)];
	kr_store_u64(bytes, value);
	return XXH3_64bits(bytes, sizeof(bytes));
}

uint64_t hash_chain(uint64_t previous, const void *bytes, size_t size_bytes)
{
	kr_assert(bytes != NULL || size_bytes == 0);
	/* The size is mixed in, so that moving a border between two pieces changes the sum. */
	return hash_64_seeded(bytes, size_bytes, hash_mix(previous + size_bytes));
}
