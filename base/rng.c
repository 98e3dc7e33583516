#include "base/rng.h"

#include <string.h>

#define MILLION 1000000u

__extension__ typedef unsigned __int128 u128;

static uint64_t rotate_left(uint64_t value, unsigned count)
{
	kr_assert(count > 0 && count < 64);
	return value << count | value >> (64 - count);
}

static uint64_t splitmix_next(uint64_t *state)
{
	*state += UINT64_C(0x9e3779b97f4a7c15);
	uint64_t value = *state;
	value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
	return value ^ value >> 31;
}

void rng_init(struct rng *rng, uint64_t seed)
{
	kr_assert(rng != NULL);
	uint64_t any = 0;
	for (size_t i = 0; i < KR_ARRAY_COUNT(rng->state); i++) {
		rng->state[i] = splitmix_next(&seed);
		any |= rng->state[i];
	}
	kr_assert(any != 0);
}

void rng_fork(struct rng *parent, struct rng *ret_child)
{
	kr_assert(parent != ret_child);
	rng_init(ret_child, rng_next(parent));
}

uint64_t rng_next(struct rng *rng)
{
	uint64_t *s = rng->state;
	kr_assert((s[0] | s[1] | s[2] | s[3]) != 0);
	uint64_t result = rotate_left(s[1] * 5, 7) * 9;
	uint64_t shifted = s[1] << 17;
	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= shifted;
	s[3] = rotate_left(s[3], 45);
	return result;
}

uint64_t rng_below(struct rng *rng, uint64_t bound)
{
	kr_assert(bound > 0);
	/* The high half of a 128-bit product is uniform once the few low halves under
	 * 2^64 mod bound are drawn again. */
	u128 product = (u128)rng_next(rng) * bound;
	if ((uint64_t)product < bound) {
		uint64_t threshold = (0 - bound) % bound;
		while ((uint64_t)product < threshold)
			product = (u128)rng_next(rng) * bound;
	}
	uint64_t value = (uint64_t)(product >> 64);
	kr_assert(value < bound);
	return value;
}

uint64_t rng_range(struct rng *rng, uint64_t first, uint64_t last)
{
	kr_assert(first <= last);
	if (last - first == UINT64_MAX)
		return rng_next(rng);
	return first + rng_below(rng, last - first + 1);
}

bool rng_chance(struct rng *rng, uint32_t per_million)
{
	kr_assert(per_million <= MILLION);
	return per_million > 0 && rng_below(rng, MILLION) < per_million;
}

double rng_unit(struct rng *rng)
{
	return (double)(rng_next(rng) >> 11) * 0x1.0p-53;
}

void rng_fill(struct rng *rng, void *bytes, size_t size_bytes)
{
	kr_assert(rng != NULL);
	kr_assert(bytes != NULL || size_bytes == 0);
	uint8_t *at = bytes;
	while (size_bytes > 0) {
		uint64_t value = rng_next(rng);
		size_t part = KR_MIN(size_bytes, sizeof(value));
		memcpy(at, &value, part);
		at += part;
		size_bytes -= part;
	}
}
