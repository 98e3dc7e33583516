/*
 * The one source of random numbers: xoshiro256**, seeded, the same numbers everywhere.
 * Not cryptographic. A process that needs unpredictable ids seeds it from the system.
 */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

struct rng {
	uint64_t state[4];
};

/* Any seed is good, 0 too: it is spread over the state by splitmix64. */
void rng_init(struct rng *rng, uint64_t seed);
/* A generator of its own, drawn from `parent`: so that one part's draws do not shift another's. */
void rng_fork(struct rng *parent, struct rng *ret_child);

uint64_t rng_next(struct rng *rng);
/* Uniform in 0 .. bound - 1, without bias. bound > 0. */
uint64_t rng_below(struct rng *rng, uint64_t bound);
/* Uniform in first .. last, both included. */
uint64_t rng_range(struct rng *rng, uint64_t first, uint64_t last);
/* True `per_million` times in a million; draws nothing when the chance is 0. */
bool rng_chance(struct rng *rng, uint32_t per_million);
/* Uniform in [0, 1), 53 bits. */
double rng_unit(struct rng *rng);
void rng_fill(struct rng *rng, void *bytes, size_t size_bytes);

#endif
