/*
 * The shard's time: unix microseconds that never stand still or go back, whatever the wall does.
 *
 *   start    t = max(wall, last logged + 1)
 *   running  t = max(last + 1, last + boot clock's step, slewed at most 500 ppm toward the wall)
 */
#ifndef ENGINE_SHARD_CLOCK_H
#define ENGINE_SHARD_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"

struct shard_clock {
	uint64_t t_us;
	uint64_t boot_us;     /* when t was read */
	uint64_t slew_credit; /* millionths of a microsecond that may be slewed */
};

void shard_clock_start(
	struct shard_clock *clock, uint64_t last_t_us, uint64_t boot_us, uint64_t wall_us);
/* Returns the new t. */
uint64_t shard_clock_advance(struct shard_clock *clock, uint64_t boot_us, uint64_t wall_us);

#endif
