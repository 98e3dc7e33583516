#include "engine/shard/clock.h"

#include "base/bug.h"
#include "engine/shard/shard.h"

#define PPM 1000000u
/* Credit is kept for at most so long, so that a long silence does not buy a jump. */
#define SLEW_CREDIT_MAX (UINT64_C(60) * 1000000 * SHARD_SLEW_PPM)

void shard_clock_start(
	struct shard_clock *clock, uint64_t last_t_us, uint64_t boot_us, uint64_t wall_us)
{
	kr_assert(wall_us > 0);
	kr_assert(last_t_us < UINT64_MAX);
	clock->t_us = KR_MAX(wall_us, last_t_us + 1);
	clock->boot_us = boot_us;
	clock->slew_credit = 0;
}

uint64_t shard_clock_advance(struct shard_clock *clock, uint64_t boot_us, uint64_t wall_us)
{
	kr_assert(boot_us >= clock->boot_us);
	uint64_t step_us = boot_us - clock->boot_us;
	uint64_t t_us = clock->t_us + step_us;
	uint64_t credit = clock->slew_credit + KR_MIN(step_us, SLEW_CREDIT_MAX) * SHARD_SLEW_PPM;
	uint64_t slew_us = KR_MIN(credit, SLEW_CREDIT_MAX) / PPM;
	if (wall_us > t_us) {
		slew_us = KR_MIN(slew_us, wall_us - t_us);
		t_us += slew_us;
	} else {
		slew_us = KR_MIN(slew_us, t_us - wall_us);
		t_us -= slew_us;
	}
	clock->slew_credit = KR_MIN(credit, SLEW_CREDIT_MAX) - slew_us * PPM;
	clock->boot_us = boot_us;
	clock->t_us = KR_MAX(bug_is(BUG_EXPIRY_BY_WALL_CLOCK) ? wall_us : t_us, clock->t_us + 1);
	kr_assert(clock->t_us > 0);
	return clock->t_us;
}
