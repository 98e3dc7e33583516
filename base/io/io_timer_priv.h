/* The running timers of a loop: an intrusive pairing heap, used by both archives. */
#ifndef BASE_IO_IO_TIMER_PRIV_H
#define BASE_IO_IO_TIMER_PRIV_H

#include "base/io/io.h"

struct io_timers {
	struct io_timer *first;
	uint64_t sequence; /* breaks ties: first started, first due */
};

/* A deadline before `now_us` counts as now: so it comes after all that is due already. */
void io_timers_add(
	struct io_timers *timers, struct io_timer *timer, uint64_t deadline_us, uint64_t now_us);
void io_timers_remove(struct io_timers *timers, struct io_timer *timer);
/* The deadline of the first one, IO_WAIT_FOREVER when none runs. */
uint64_t io_timers_deadline_us(const struct io_timers *timers);
/* Whether the first one is due and was started before the sequence stood at `end`: what a callback
 * starts waits for the next turn. */
bool io_timers_is_due(const struct io_timers *timers, uint64_t now_us, uint64_t end);
/* Takes the first one off and calls it back. */
void io_timers_run_first(struct io_timers *timers);

#endif
