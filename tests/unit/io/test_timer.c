#include <criterion/criterion.h>

#include <string.h>

#include "base/io/io_timer_priv.h"
#include "base/rng.h"

#define TIMER_COUNT 300u

static struct io_timer timers[TIMER_COUNT];
static struct io_timer *last;

static void on_due(struct io_timer *timer)
{
	last = timer;
}

/* The earliest running one, by a walk over all. */
static struct io_timer *reference_first(void)
{
	struct io_timer *first = NULL;
	for (uint32_t i = 0; i < TIMER_COUNT; i++) {
		struct io_timer *timer = &timers[i];
		if (!timer->is_running)
			continue;
		if (first == NULL || timer->deadline_us < first->deadline_us ||
			(timer->deadline_us == first->deadline_us &&
				timer->sequence < first->sequence))
			first = timer;
	}
	return first;
}

Test(timers, agree_with_a_walk_over_all_of_them)
{
	struct io_timers heap = {0};
	struct rng rng;
	rng_init(&rng, 1);
	for (uint32_t i = 0; i < TIMER_COUNT; i++)
		io_timer_init(&timers[i], on_due, NULL);
	for (uint32_t step = 0; step < 200000; step++) {
		struct io_timer *timer = &timers[rng_below(&rng, TIMER_COUNT)];
		struct io_timer *first = reference_first();
		cr_assert_eq(heap.first, first);
		cr_assert_eq(io_timers_deadline_us(&heap),
			first == NULL ? IO_WAIT_FOREVER : first->deadline_us);
		if (timer->is_running) {
			io_timers_remove(&heap, timer);
			cr_assert(!timer->is_running);
		} else if (rng_chance(&rng, 700000)) {
			io_timers_add(&heap, timer, rng_below(&rng, 100), 0);
		} else if (first != NULL) {
			io_timers_run_first(&heap);
			cr_assert_eq(last, first);
		}
	}
}

Test(timers, what_a_callback_starts_waits_for_the_next_turn)
{
	struct io_timers heap = {0};
	io_timer_init(&timers[0], on_due, NULL);
	io_timer_init(&timers[1], on_due, NULL);
	io_timers_add(&heap, &timers[0], 5, 0);
	uint64_t end = heap.sequence;
	cr_assert(!io_timers_is_due(&heap, 4, end));
	cr_assert(io_timers_is_due(&heap, 5, end));
	io_timers_add(&heap, &timers[1], 0, 5);
	cr_assert_eq(timers[1].deadline_us, 5);
	io_timers_run_first(&heap);
	cr_assert_eq(last, &timers[0]);
	cr_assert(!io_timers_is_due(&heap, 5, end));
	cr_assert(io_timers_is_due(&heap, 5, heap.sequence));
}
