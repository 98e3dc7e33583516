/*
 * Random effects of every kind, whole enough to be written: the raw material of the codec's tests.
 */
#ifndef TESTS_UNIT_LOG_RANDOM_EFFECT_H
#define TESTS_UNIT_LOG_RANDOM_EFFECT_H

#include "base/rng.h"
#include "engine/log/record.h"

struct random_effect {
	struct rng rng;
	struct record_scratch scratch; /* its arrays are lent to the effect */
	char texts[8][INV_TEXT_SIZE_MAX];
	uint32_t text_count;
};

/* A value of every magnitude up to max: small ones as likely as large ones. */
uint64_t random_value(struct rng *rng, uint64_t max);
/* Lives until the next call. lsn is left 0. */
void random_effect(
	struct random_effect *random, unsigned kind, uint64_t t_us, struct inv_effect *ret_effect);
bool effects_equal(const struct inv_effect *a, const struct inv_effect *b);

#endif
