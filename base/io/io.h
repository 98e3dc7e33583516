/*
 * The seam between Keyrack and the system: one loop per thread, clocks, timers, signals, streams
 * and files. Two archives implement it and one of them is linked: io_uring (base/io/uring) and
 * simulated (base/io/sim), where many loops live in one process and time is virtual.
 *
 * Rules for all of it:
 *  - An operation is started with a structure of the caller, which belongs to the loop until its
 *    callback runs. Callbacks run only inside io_loop_tick, never inside the call that started
 *    the operation, so no callback nests in another.
 *  - A callback may start, stop and close anything, its own object included.
 *  - One thread owns a loop and everything started on it.
 *  - Errors are -KR_E_*; the errno behind one is kept in the object (errno_number).
 *
 * A turn: all completions that were ready are called back, then due timers, then once the turn
 * callback: the place to judge what came in as one batch and to send what came of it.
 */
#ifndef BASE_IO_IO_H
#define BASE_IO_IO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "base/error.h"
#include "base/fault.h"

#define IO_WAIT_FOREVER UINT64_MAX

#define IO_SUBMISSION_COUNT_MAX 32768u
#define IO_BUFFER_COUNT_MAX 32768u
/* For servers: longer than a durable append and the hops around it take. */
#define IO_SPIN_US_DEFAULT 200u
/* Where many come at once a wake-up is shared, and cores are not idle. */
#define IO_SPIN_CROWD_DEFAULT 3u
#define IO_SPIN_CROWD_ANY 1024u

struct io_loop;

struct io_config {
	uint32_t submission_count;  /* entries of the submission queue, a power of two */
	uint32_t buffer_count;      /* receive buffers shared by all streams, a power of two */
	uint32_t buffer_size_bytes; /* of each one: the most that on_data gets at once */
	uint32_t spin_us;           /* look for completions this long before sleeping; 0: never */
	uint32_t spin_crowd;        /* not where turns have more completions on average */
	bool is_offline; /* no ring: only clocks and the io_..._now functions may be used */
	struct fault_set *faults; /* NULL, or what is to fail */
	void *environment; /* NULL; in the simulator the struct sim_node the loop belongs to */
};

/* 1024 submissions, 512 buffers of 16 KiB, no spin (or IO_SPIN_CROWD_DEFAULT), a ring. */
void io_config_default(struct io_config *ret_config);

struct io_stats {
	uint64_t tick_count;
	uint64_t completion_count;
	uint64_t submit_count;          /* system calls that submitted */
	uint64_t wait_count;            /* of them, those that may have slept */
	uint64_t spin_count;            /* waits that began by spinning */
	uint64_t spin_hit_count;        /* of them, those that found completions */
	uint64_t overflow_count;        /* completions that did not fit the completion queue */
	uint64_t submission_full_count; /* submissions made early: the queue was full */
	uint64_t buffer_starved_count;  /* receives that found no buffer and were started again */
	uint64_t accept_count;
	uint64_t accept_error_count; /* accepts that failed, such as for want of descriptors */
	uint64_t connect_count;
	uint64_t close_count;
	uint64_t receive_count;
	uint64_t receive_bytes;
	uint64_t send_count;
	uint64_t send_bytes;
	uint64_t send_short_count; /* sends that took more than one submission */
	uint64_t file_read_bytes;
	uint64_t file_write_bytes;
	uint64_t file_sync_count;
	uint64_t turn_time_us; /* from the end of a wait to the end of its turn, all of them */
	uint64_t turn_max_us;
	uint64_t turn_slow_count; /* longer than IO_TURN_SLOW_US */
};

#define IO_TURN_SLOW_US UINT64_C(5000)

/*
 * 0, or -KR_E_FORBIDDEN (the system forbids io_uring: the text says what to change), -KR_E_NOMEM,
 * -KR_E_LIMIT, -KR_E_UNSUPPORTED (kernel before 6.1).
 */
KR_MUST_CHECK int io_loop_new(
	const struct io_config *config, struct io_loop **ret_loop, struct kr_error_text *text);
/* Every stream, listener and file of the loop is closed and no operation runs. Returns NULL. */
struct io_loop *io_loop_free(struct io_loop *loop);

/*
 * One turn. Submits what was started, waits at most `timeout_us` for something to happen (less
 * when a timer is due earlier), then calls back. 0, or the ring's own failure.
 */
KR_MUST_CHECK int io_loop_tick(struct io_loop *loop, uint64_t timeout_us);
/* Ticks until io_loop_stop or a failure. Not for the simulator, which ticks loops itself. */
KR_MUST_CHECK int io_loop_run(struct io_loop *loop);
/* Another `spin_us` than the config's, from the next wait on. */
void io_loop_set_spin(struct io_loop *loop, uint32_t spin_us);
void io_loop_stop(struct io_loop *loop);
bool io_loop_is_stopped(const struct io_loop *loop);

#define IO_TURN_MAX 2u /* owners of one loop */

/*
 * Called at the end of each turn in which at least one callback ran; of two owners, who have
 * different contexts, in the order in which they came. The same context again: instead of before.
 */
void io_loop_set_turn(
	struct io_loop *loop, void (*on_turn)(struct io_loop *loop, void *context), void *context);

/* What is to fail on it, NULL when nothing is. */
struct fault_set *io_loop_faults(const struct io_loop *loop);
const struct io_stats *io_loop_stats(const struct io_loop *loop);

/* Microseconds since the machine started, sleep included; never goes back. */
uint64_t io_clock_boot_us(const struct io_loop *loop);
/* Microseconds since 1970 UTC; may step either way. */
int64_t io_clock_wall_us(const struct io_loop *loop);
/* 64 unpredictable bits (in the simulator: drawn from the seed). For seeding a generator. */
uint64_t io_entropy_u64(struct io_loop *loop);

/* One-shot timers: no bound on their number, O(log n), equal deadlines in order of starting. */
struct io_timer {
	void (*on_due)(struct io_timer *timer);
	void *context;
	/* the loop's */
	uint64_t deadline_us;
	uint64_t sequence;
	bool is_running;
	struct io_timer *child;
	struct io_timer *sibling;
	struct io_timer *previous; /* parent of a first child, else the sibling before it */
};

void io_timer_init(struct io_timer *timer, void (*on_due)(struct io_timer *), void *context);
/* Due at `deadline_us` of the boot clock; a past one fires next turn. Restarts a running timer. */
void io_timer_start(struct io_loop *loop, struct io_timer *timer, uint64_t deadline_us);
/* Harmless on a timer that is not running. */
void io_timer_stop(struct io_loop *loop, struct io_timer *timer);

/* SIGTERM, SIGINT and SIGHUP come as a callback from now on, SIGPIPE is ignored. Once a process. */
KR_MUST_CHECK int io_signal_watch(struct io_loop *loop,
	void (*on_signal)(struct io_loop *loop, int number, void *context), void *context,
	struct kr_error_text *text);

#endif
