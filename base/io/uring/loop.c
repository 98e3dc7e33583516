#include "base/io/uring/uring_priv.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>

#define COMPLETION_FACTOR 8u /* completions for each submission: multishot answers many times */
#define SPIN_US_MIN 1u
#define SPIN_REST_TICKS 64u /* sleeps before spinning is tried again after it did not pay */
#define CROWD_SCALE 16u
#define CROWD_TURNS 8u
#define SECOND_US UINT64_C(1000000)
/* A request through a router beside its shard takes two, its answer two more. */
#define INPROC_ROUND_MAX 4u

static bool is_power_of_two(uint32_t value)
{
	return value > 0 && (value & (value - 1)) == 0;
}

/* What to tell the operator when the ring cannot be made. */
static int setup_failed(int number, struct kr_error_text *text)
{
	kr_assert(number > 0);
	switch (number) {
	case EPERM:
	case ENOSYS:
	case EACCES:
		return kr_error_text_set(text, -KR_E_FORBIDDEN, number,
			"the system forbids io_uring: a seccomp filter (containers: allow "
			"io_uring_setup, io_uring_enter, io_uring_register) or the sysctl "
			"kernel.io_uring_disabled (set it to 0) stands in the way");
	case EINVAL:
		return kr_error_text_set(text, -KR_E_UNSUPPORTED, number,
			"this kernel's io_uring is too old: Linux 6.1 or newer is needed");
	case ENOMEM:
		return kr_error_text_set(text, -KR_E_NOMEM, number,
			"no memory for an io_uring: raise the locked-memory limit (ulimit -l)");
	default:
		return kr_error_text_set(
			text, kr_error_from_errno(number), number, "setting up an io_uring");
	}
}

static int ring_init(struct io_loop *loop, struct kr_error_text *text)
{
	kr_assert(!loop->config.is_offline);
	struct io_uring_params params = {
		.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
			 IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE,
		.cq_entries = loop->config.submission_count * COMPLETION_FACTOR,
	};
	int r = io_uring_queue_init_params(loop->config.submission_count, &loop->ring, &params);
	if (r < 0)
		return setup_failed(-r, text);
	/* Spares a look-up of the ring's descriptor a call; works without. */
	(void)io_uring_register_ring_fd(&loop->ring);
	return 0;
}

/* By mmap: valgrind takes what the kernel writes into malloc's memory for uninitialised. */
static void *map(size_t size_bytes)
{
	void *memory =
		mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return memory == MAP_FAILED ? NULL : memory;
}

static size_t buffers_size(const struct io_loop *loop)
{
	return (size_t)loop->config.buffer_count * loop->config.buffer_size_bytes;
}

static size_t buffer_ring_size(const struct io_loop *loop)
{
	return (size_t)loop->config.buffer_count * sizeof(struct io_uring_buf);
}

static int buffers_init(struct io_loop *loop, struct kr_error_text *text)
{
	kr_assert(loop->buffer_ring == NULL);
	loop->buffer_ring = map(buffer_ring_size(loop));
	loop->buffers = map(buffers_size(loop));
	if (loop->buffer_ring == NULL || loop->buffers == NULL)
		return kr_error_text_set(text, -KR_E_NOMEM, ENOMEM,
			"no memory for %u receive buffers of %u bytes", loop->config.buffer_count,
			loop->config.buffer_size_bytes);
	struct io_uring_buf_reg registration = {
		.ring_addr = (uint64_t)(uintptr_t)loop->buffer_ring,
		.ring_entries = loop->config.buffer_count,
		.bgid = URING_BUFFER_GROUP,
	};
	int r = io_uring_register_buf_ring(&loop->ring, &registration, 0);
	if (r < 0)
		return setup_failed(-r, text);
	io_uring_buf_ring_init(loop->buffer_ring);
	for (uint32_t i = 0; i < loop->config.buffer_count; i++)
		uring_buffer_return(loop, i);
	return 0;
}

void uring_buffer_return(struct io_loop *loop, uint32_t buffer)
{
	kr_assert(buffer < loop->config.buffer_count);
	int mask = io_uring_buf_ring_mask(loop->config.buffer_count);
	uint8_t *bytes = loop->buffers + (size_t)buffer * loop->config.buffer_size_bytes;
	io_uring_buf_ring_add(loop->buffer_ring, bytes, loop->config.buffer_size_bytes,
		(unsigned short)buffer, mask, 0);
	io_uring_buf_ring_advance(loop->buffer_ring, 1);
}

static void loop_destroy(struct io_loop *loop, bool has_ring)
{
	if (has_ring)
		io_uring_queue_exit(&loop->ring);
	if (loop->signal_fd >= 0)
		close(loop->signal_fd);
	if (loop->buffer_ring != NULL)
		munmap(loop->buffer_ring, buffer_ring_size(loop));
	if (loop->buffers != NULL)
		munmap(loop->buffers, buffers_size(loop));
	free(loop);
}

static void loop_init(struct io_loop *loop, const struct io_config *config)
{
	loop->config = *config;
	loop->signal_fd = -1;
	loop->spin_now_us = config->spin_us;
	kr_list_init(&loop->starved);
	kr_list_init(&loop->closing);
	kr_list_init(&loop->listeners_closing);
	kr_list_init(&loop->inproc_awake);
	kr_list_init(&loop->inproc_listeners);
}

int io_loop_new(
	const struct io_config *config, struct io_loop **ret_loop, struct kr_error_text *text)
{
	kr_assert(is_power_of_two(config->submission_count));
	kr_assert(config->submission_count <= IO_SUBMISSION_COUNT_MAX / COMPLETION_FACTOR);
	kr_assert(is_power_of_two(config->buffer_count));
	kr_assert(config->buffer_count <= IO_BUFFER_COUNT_MAX);
	kr_assert(config->buffer_size_bytes > 0);
	kr_assert(config->environment == NULL);
	kr_assert(config->spin_crowd <= IO_SPIN_CROWD_ANY);
	struct io_loop *loop = calloc(1, sizeof(*loop));
	if (loop == NULL)
		return kr_error_text_set(text, -KR_E_NOMEM, ENOMEM, "no memory for a loop");
	loop_init(loop, config);
	if (!config->is_offline) {
		int r = ring_init(loop, text);
		if (r < 0) {
			loop_destroy(loop, false);
			return r;
		}
		r = buffers_init(loop, text);
		if (r < 0) {
			loop_destroy(loop, true);
			return r;
		}
	}
	*ret_loop = loop;
	return 0;
}

struct io_uring_sqe *uring_sqe(struct io_loop *loop, enum uring_kind kind, void *object)
{
	kr_assert(!loop->config.is_offline);
	kr_assert(((uintptr_t)object & URING_KIND_MASK) == 0);
	struct io_uring_sqe *sqe = io_uring_get_sqe(&loop->ring);
	while (KR_UNLIKELY(sqe == NULL)) {
		/* Entries are consumed by the call itself; only a lack of memory in the kernel
		 * can keep them, and that passes. */
		int r = io_uring_submit(&loop->ring);
		kr_assert(r >= 0 || r == -EAGAIN || r == -EINTR || r == -EBUSY);
		loop->stats.submission_full_count++;
		sqe = io_uring_get_sqe(&loop->ring);
	}
	memset(sqe, 0, sizeof(*sqe));
	/* The prep helpers of liburing leave user_data alone. */
	sqe->user_data = (uint64_t)(uintptr_t)object | (uint64_t)kind;
	return sqe;
}

static void signal_read_start(struct io_loop *loop)
{
	kr_assert(loop->signal_fd >= 0);
	struct io_uring_sqe *sqe = uring_sqe(loop, URING_LOOP, loop);
	io_uring_prep_read(sqe, loop->signal_fd, &loop->signal_info, sizeof(loop->signal_info), 0);
	loop->in_flight_count++;
}

static void signal_came(struct io_loop *loop, int result)
{
	kr_assert(loop->in_flight_count > 0);
	loop->in_flight_count--;
	if (loop->on_signal == NULL)
		return;
	signal_read_start(loop);
	if (result == (int)sizeof(loop->signal_info))
		loop->on_signal(loop, (int)loop->signal_info.ssi_signo, loop->signal_context);
}

int io_signal_watch(struct io_loop *loop,
	void (*on_signal)(struct io_loop *loop, int number, void *context), void *context,
	struct kr_error_text *text)
{
	kr_assert(on_signal != NULL);
	kr_assert(loop->on_signal == NULL);
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return kr_error_text_set(
			text, kr_error_from_errno(errno), errno, "setting up signals");
	loop->signal_fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (loop->signal_fd < 0)
		return kr_error_text_set(
			text, kr_error_from_errno(errno), errno, "setting up signals");
	loop->on_signal = on_signal;
	loop->signal_context = context;
	signal_read_start(loop);
	return 0;
}

static void dispatch(struct io_loop *loop, uint64_t user_data, int result, uint32_t cqe_flags)
{
	void *object = (void *)(uintptr_t)(user_data & ~(uint64_t)URING_KIND_MASK);
	kr_assert(object != NULL);
	switch ((enum uring_kind)(user_data & URING_KIND_MASK)) {
	case URING_RECEIVE:
		uring_stream_received(object, result, cqe_flags);
		break;
	case URING_SEND:
		uring_stream_sent(object, result);
		break;
	case URING_CONNECT:
		uring_stream_connected(object, result);
		break;
	case URING_STREAM_CANCEL:
		uring_stream_cancelled(object);
		break;
	case URING_ACCEPT:
		uring_listener_accepted(object, result, cqe_flags);
		break;
	case URING_LISTENER_CANCEL:
		uring_listener_cancelled(object);
		break;
	case URING_OP:
		uring_op_done(object, result);
		break;
	case URING_LOOP:
		signal_came(loop, result);
		break;
	}
}

/* Only what is there now: what callbacks cause meanwhile is the next turn's. */
static uint32_t completions_run(struct io_loop *loop)
{
	kr_assert(!loop->config.is_offline);
	uint32_t count = io_uring_cq_ready(&loop->ring);
	for (uint32_t i = 0; i < count; i++) {
		struct io_uring_cqe *cqe = NULL;
		int r = io_uring_peek_cqe(&loop->ring, &cqe);
		kr_assert(r == 0 && cqe != NULL);
		uint64_t user_data = cqe->user_data;
		int result = cqe->res;
		uint32_t cqe_flags = cqe->flags;
		/* Given back before the callback, which may submit and cause completions. */
		io_uring_cqe_seen(&loop->ring, cqe);
		dispatch(loop, user_data, result, cqe_flags);
	}
	loop->stats.completion_count += count;
	return count;
}

static bool is_passing(int r)
{
	return r >= 0 || r == -ETIME || r == -EINTR || r == -EAGAIN || r == -EBUSY;
}

static int submit(struct io_loop *loop)
{
	kr_assert(loop->is_ticking);
	int r = io_uring_submit_and_get_events(&loop->ring);
	loop->stats.submit_count++;
	return is_passing(r) ? 0 : kr_error_from_errno(-r);
}

/* Asks the kernel only when it says that it has something. */
static bool has_news(struct io_loop *loop)
{
	kr_assert(!loop->config.is_offline);
	unsigned flags = __atomic_load_n(loop->ring.sq.kflags, __ATOMIC_ACQUIRE);
	if (flags & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW))
		(void)io_uring_get_events(&loop->ring);
	return io_uring_cq_ready(&loop->ring) > 0;
}

void io_loop_set_spin(struct io_loop *loop, uint32_t spin_us)
{
	kr_assert(!loop->config.is_offline);
	loop->config.spin_us = spin_us;
	loop->spin_now_us = spin_us;
	loop->spin_rest = 0;
}

static bool may_spin(struct io_loop *loop)
{
	if (loop->config.spin_us == 0 || loop->crowd > loop->config.spin_crowd * CROWD_SCALE)
		return false;
	if (loop->spin_now_us >= SPIN_US_MIN)
		return true;
	if (++loop->spin_rest < SPIN_REST_TICKS)
		return false;
	loop->spin_rest = 0;
	loop->spin_now_us = loop->config.spin_us;
	return true;
}

/*
 * Spins where it has paid lately: the time doubles with a hit and halves with a miss. It yields in
 * between: on few cores the news may come from whom it keeps from running.
 */
static bool spin(struct io_loop *loop, uint64_t timeout_us)
{
	kr_assert(loop->config.spin_us > 0);
	uint64_t start_us = io_clock_boot_us(loop);
	uint64_t end_us = start_us + KR_MIN(timeout_us, loop->spin_now_us);
	loop->stats.spin_count++;
	do {
		if (has_news(loop)) {
			loop->stats.spin_hit_count++;
			loop->spin_now_us = KR_MIN(loop->spin_now_us * 2, loop->config.spin_us);
			return true;
		}
		sched_yield();
	} while (io_clock_boot_us(loop) < end_us);
	loop->spin_now_us /= 2;
	return false;
}

static int sleep_until_news(struct io_loop *loop, uint64_t timeout_us)
{
	int r;
	loop->stats.submit_count++;
	loop->stats.wait_count++;
	if (timeout_us == IO_WAIT_FOREVER) {
		r = io_uring_submit_and_wait(&loop->ring, 1);
	} else {
		struct io_uring_cqe *cqe;
		struct __kernel_timespec timeout = {
			.tv_sec = (int64_t)(timeout_us / SECOND_US),
			.tv_nsec = (int64_t)(timeout_us % SECOND_US) * 1000,
		};
		r = io_uring_submit_and_wait_timeout(&loop->ring, &cqe, 1, &timeout, NULL);
	}
	return is_passing(r) ? 0 : kr_error_from_errno(-r);
}

static int submit_and_wait(struct io_loop *loop, uint64_t timeout_us)
{
	kr_assert(!loop->config.is_offline);
	if (io_uring_cq_has_overflow(&loop->ring))
		loop->stats.overflow_count++;
	if (timeout_us == 0 || io_uring_cq_ready(&loop->ring) > 0)
		return submit(loop);
	if (may_spin(loop)) {
		int r = submit(loop);
		if (r < 0 || io_uring_cq_ready(&loop->ring) > 0 || spin(loop, timeout_us))
			return r;
	}
	return sleep_until_news(loop, timeout_us);
}

/* No longer than until the next timer, not at all while something waits to be given back. */
static uint64_t timeout_until_timer(struct io_loop *loop, uint64_t timeout_us)
{
	if (!kr_list_is_empty(&loop->closing) || !kr_list_is_empty(&loop->listeners_closing) ||
		!kr_list_is_empty(&loop->inproc_awake))
		return 0;
	uint64_t deadline_us = io_timers_deadline_us(&loop->timers);
	if (deadline_us == IO_WAIT_FOREVER)
		return timeout_us;
	uint64_t now_us = io_clock_boot_us(loop);
	uint64_t left_us = deadline_us > now_us ? deadline_us - now_us : 0;
	return KR_MIN(left_us, timeout_us);
}

static uint32_t timers_run(struct io_loop *loop)
{
	kr_assert(loop->is_ticking);
	uint64_t now_us = io_clock_boot_us(loop);
	uint64_t end = loop->timers.sequence;
	uint32_t count = 0;
	for (; io_timers_is_due(&loop->timers, now_us, end); count++)
		io_timers_run_first(&loop->timers);
	return count;
}

/* A process that is not given its core shows here too: the clock does not stop for it. */
static void turn_measure(struct io_loop *loop, uint64_t begin_us)
{
	struct io_stats *stats = &loop->stats;
	const uint64_t turn_us = io_clock_boot_us(loop) - begin_us;
	kr_assert(turn_us <= INT64_MAX);
	stats->turn_time_us += turn_us;
	stats->turn_max_us = KR_MAX(stats->turn_max_us, turn_us);
	stats->turn_slow_count += turn_us > IO_TURN_SLOW_US;
}

/* A moving average: how many share a turn. */
static void crowd_note(struct io_loop *loop, uint32_t count)
{
	kr_assert(loop->is_ticking);
	loop->crowd -= loop->crowd / CROWD_TURNS;
	loop->crowd += KR_MIN(count, IO_SPIN_CROWD_ANY) * CROWD_SCALE / CROWD_TURNS;
}

/* What one owner said at the end of the turn the other hears in it, and may answer at once. */
static void inproc_rounds(struct io_loop *loop)
{
	for (uint32_t i = 0; i < INPROC_ROUND_MAX && !kr_list_is_empty(&loop->inproc_awake); i++) {
		(void)uring_inproc_run(loop);
		io_turns_end(&loop->turns, loop);
	}
}

int io_loop_tick(struct io_loop *loop, uint64_t timeout_us)
{
	kr_assert(!loop->is_ticking);
	kr_assert(!loop->config.is_offline);
	loop->is_ticking = true;
	loop->stats.tick_count++;
	int r = submit_and_wait(loop, timeout_until_timer(loop, timeout_us));
	if (r == 0) {
		const uint64_t begin_us = io_clock_boot_us(loop);
		uint32_t count = completions_run(loop);
		count += timers_run(loop);
		count += uring_starved_run(loop);
		count += uring_closing_run(loop);
		count += uring_listeners_closing_run(loop);
		crowd_note(loop, count);
		if (count > 0)
			io_turns_end(&loop->turns, loop);
		inproc_rounds(loop);
		turn_measure(loop, begin_us);
	}
	loop->is_ticking = false;
	return r;
}

int io_loop_run(struct io_loop *loop)
{
	kr_assert(!loop->is_ticking);
	int r = 0;
	while (r == 0 && !loop->is_stopped)
		r = io_loop_tick(loop, IO_WAIT_FOREVER);
	return r;
}

void io_loop_stop(struct io_loop *loop)
{
	kr_assert(loop != NULL);
	loop->is_stopped = true;
}

bool io_loop_is_stopped(const struct io_loop *loop)
{
	return loop->is_stopped;
}

void io_loop_set_turn(
	struct io_loop *loop, void (*on_turn)(struct io_loop *loop, void *context), void *context)
{
	const struct io_turn turn = {.on_turn = on_turn, .context = context};
	kr_assert(loop != NULL);
	io_turns_set(&loop->turns, &turn);
}

/* The signal read writes into the loop: it has to end before the memory goes. */
static void own_submissions_end(struct io_loop *loop)
{
	loop->on_signal = NULL;
	if (loop->in_flight_count == 0)
		return;
	struct io_uring_sqe *sqe = uring_sqe(loop, URING_LOOP, loop);
	io_uring_prep_cancel_fd(sqe, loop->signal_fd, IORING_ASYNC_CANCEL_ALL);
	loop->in_flight_count++;
	while (loop->in_flight_count > 0) {
		int r = sleep_until_news(loop, IO_WAIT_FOREVER);
		kr_assert(r == 0);
		(void)completions_run(loop);
	}
}

struct io_loop *io_loop_free(struct io_loop *loop)
{
	if (loop == NULL)
		return NULL;
	kr_assert(!loop->is_ticking);
	kr_assert(loop->open_count == 0);
	own_submissions_end(loop);
	loop_destroy(loop, !loop->config.is_offline);
	return NULL;
}

struct fault_set *io_loop_faults(const struct io_loop *loop)
{
	kr_assert(loop != NULL);
	return loop->config.faults;
}

const struct io_stats *io_loop_stats(const struct io_loop *loop)
{
	return &loop->stats;
}

static int64_t clock_us(clockid_t clock)
{
	struct timespec now;
	int r = clock_gettime(clock, &now);
	kr_assert(r == 0);
	return (int64_t)now.tv_sec * (int64_t)SECOND_US + now.tv_nsec / 1000;
}

uint64_t io_clock_boot_us(const struct io_loop *loop)
{
	return (uint64_t)clock_us(CLOCK_BOOTTIME);
}

int64_t io_clock_wall_us(const struct io_loop *loop)
{
	return clock_us(CLOCK_REALTIME);
}

uint64_t io_entropy_u64(struct io_loop *loop)
{
	uint64_t value;
	ssize_t size = getrandom(&value, sizeof(value), 0);
	kr_assert(size == (ssize_t)sizeof(value));
	return value;
}

void io_timer_start(struct io_loop *loop, struct io_timer *timer, uint64_t deadline_us)
{
	kr_assert(loop != NULL);
	if (timer->is_running)
		io_timers_remove(&loop->timers, timer);
	io_timers_add(&loop->timers, timer, deadline_us, io_clock_boot_us(loop));
}

void io_timer_stop(struct io_loop *loop, struct io_timer *timer)
{
	kr_assert(loop != NULL);
	if (timer->is_running)
		io_timers_remove(&loop->timers, timer);
}
