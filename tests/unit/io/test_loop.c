#include "io_fixture.h"

#include <signal.h>
#include <string.h>

#include "base/rng.h"

struct clockwork {
	struct io_timer timer;
	struct io_loop *loop;
	uint64_t wanted_us;
	uint64_t fired_us;
	uint32_t count;
	uint32_t again;
	struct clockwork *stops;
};

static uint64_t last_fired_us;
static uint32_t fired_count;

static void on_due(struct io_timer *timer)
{
	struct clockwork *work = timer->context;
	cr_assert(!timer->is_running);
	work->fired_us = io_clock_boot_us(work->loop);
	work->count++;
	fired_count++;
	cr_assert(work->fired_us >= work->wanted_us, "too early");
	cr_assert(work->wanted_us >= last_fired_us, "out of order");
	last_fired_us = work->wanted_us;
	if (work->again > 0) {
		work->again--;
		work->wanted_us = work->fired_us;
		io_timer_start(work->loop, timer, 0);
	}
	if (work->stops != NULL)
		io_timer_stop(work->loop, &work->stops->timer);
}

static void work_init(struct clockwork *work, struct io_loop *loop)
{
	memset(work, 0, sizeof(*work));
	work->loop = loop;
	io_timer_init(&work->timer, on_due, work);
}

static void work_start(struct clockwork *work, uint64_t delay_us)
{
	work->wanted_us = io_clock_boot_us(work->loop) + delay_us;
	io_timer_start(work->loop, &work->timer, work->wanted_us);
}

Test(timer, many_fire_once_each_in_order_and_never_early)
{
	struct io_fixture fixture;
	static struct clockwork works[500];
	struct rng rng;
	io_fixture_init(&fixture, NULL);
	rng_init(&rng, 5);
	uint64_t now_us = io_clock_boot_us(fixture.loops[0]);
	for (uint32_t i = 0; i < 500; i++) {
		uint64_t asked_us = now_us + 1000 + rng_below(&rng, 50) * 1000;
		work_init(&works[i], fixture.loops[0]);
		io_timer_start(fixture.loops[0], &works[i].timer, asked_us);
		/* Not as asked where this process was kept from its core until that was past. */
		works[i].wanted_us = works[i].timer.deadline_us;
		cr_assert(works[i].wanted_us >= asked_us);
	}
	io_fixture_until(&fixture, fired_count == 500);
	for (uint32_t i = 0; i < 500; i++)
		cr_assert_eq(works[i].count, 1);
	io_fixture_fini(&fixture);
}

Test(timer, a_stopped_one_never_fires_and_a_restarted_one_once)
{
	struct io_fixture fixture;
	struct clockwork stopped, restarted, last;
	io_fixture_init(&fixture, NULL);
	work_init(&stopped, fixture.loops[0]);
	work_init(&restarted, fixture.loops[0]);
	work_init(&last, fixture.loops[0]);
	work_start(&stopped, 1000);
	work_start(&restarted, 500);
	work_start(&restarted, 3000);
	work_start(&last, 6000);
	io_timer_stop(fixture.loops[0], &stopped.timer);
	io_timer_stop(fixture.loops[0], &stopped.timer);
	io_fixture_until(&fixture, last.count == 1);
	cr_assert_eq(stopped.count, 0);
	cr_assert_eq(restarted.count, 1);
	io_fixture_fini(&fixture);
}

Test(timer, one_callback_may_stop_another_that_is_due)
{
	struct io_fixture fixture;
	struct clockwork first, second, last;
	io_fixture_init(&fixture, NULL);
	work_init(&first, fixture.loops[0]);
	work_init(&second, fixture.loops[0]);
	work_init(&last, fixture.loops[0]);
	first.stops = &second;
	work_start(&first, 0);
	second.wanted_us = first.wanted_us;
	io_timer_start(fixture.loops[0], &second.timer, second.wanted_us);
	work_start(&last, 3000);
	io_fixture_until(&fixture, last.count == 1);
	cr_assert_eq(first.count, 1);
	cr_assert_eq(second.count, 0);
	io_fixture_fini(&fixture);
}

Test(timer, restarting_itself_at_once_starves_nobody)
{
	struct io_fixture fixture;
	struct clockwork busy, other;
	io_fixture_init(&fixture, NULL);
	work_init(&busy, fixture.loops[0]);
	work_init(&other, fixture.loops[0]);
	busy.again = 100000;
	work_start(&busy, 0);
	work_start(&other, 0);
	io_fixture_until(&fixture, other.count == 1);
	cr_assert(busy.count < 10);
	io_timer_stop(fixture.loops[0], &busy.timer);
	io_fixture_fini(&fixture);
}

static uint32_t turn_count;

static void on_turn(struct io_loop *loop, void *context)
{
	uint32_t *fired = context;
	cr_assert(*fired > 0, "a turn without a callback before it");
	turn_count++;
	*fired = 0;
}

Test(loop, the_turn_callback_follows_a_batch_of_callbacks)
{
	struct io_fixture fixture;
	struct clockwork works[3];
	io_fixture_init(&fixture, NULL);
	io_loop_set_turn(fixture.loops[0], on_turn, &fired_count);
	for (uint32_t i = 0; i < 3; i++) {
		work_init(&works[i], fixture.loops[0]);
		io_timer_start(fixture.loops[0], &works[i].timer, 0);
	}
	io_fixture_until(&fixture, works[2].count == 1);
	cr_assert_eq(turn_count, 1);
	for (uint32_t i = 0; i < 20; i++)
		io_fixture_step(&fixture);
	cr_assert_eq(turn_count, 1);
	io_fixture_fini(&fixture);
}

Test(loop, clocks_go_forward_and_entropy_differs)
{
	struct io_fixture fixture;
	struct clockwork work;
	io_fixture_init(&fixture, NULL);
	struct io_loop *loop = fixture.loops[0];
	uint64_t boot_us = io_clock_boot_us(loop);
	int64_t wall_us = io_clock_wall_us(loop);
	work_init(&work, loop);
	work_start(&work, 20000);
	io_fixture_until(&fixture, work.count == 1);
	cr_assert(io_clock_boot_us(loop) >= boot_us + 20000);
	cr_assert(io_clock_wall_us(loop) > wall_us);
	/* After 2020, before 2100. */
	cr_assert(wall_us > INT64_C(1577836800000000) && wall_us < INT64_C(4102444800000000));
	cr_assert_neq(io_entropy_u64(loop), io_entropy_u64(loop));
	io_fixture_fini(&fixture);
}

Test(loop, stopping_is_remembered)
{
	struct io_fixture fixture;
	io_fixture_init(&fixture, NULL);
	cr_assert(!io_loop_is_stopped(fixture.loops[0]));
	io_loop_stop(fixture.loops[0]);
	cr_assert(io_loop_is_stopped(fixture.loops[0]));
	cr_assert(!io_loop_is_stopped(fixture.loops[1]));
	io_fixture_fini(&fixture);
}

static int last_signal;

static void on_signal(struct io_loop *loop, int number, void *context)
{
	cr_assert_eq(context, &last_signal);
	last_signal = number;
}

Test(loop, sigterm_sigint_and_sighup_come_as_callbacks)
{
	struct io_fixture fixture;
	struct kr_error_text text;
	io_fixture_init(&fixture, NULL);
	cr_assert_eq(io_signal_watch(fixture.loops[0], on_signal, &last_signal, &text), 0);
	static const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGTERM};
	for (uint32_t i = 0; i < 4; i++) {
		last_signal = 0;
		io_fixture_signal(&fixture, numbers[i]);
		cr_assert_eq(last_signal, 0);
		io_fixture_until(&fixture, last_signal != 0);
		cr_assert_eq(last_signal, numbers[i]);
	}
	io_fixture_fini(&fixture);
}
