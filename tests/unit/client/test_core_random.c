/*
 * Random lives of a client: a server that answers, refuses, stays silent, speaks garbage, hangs up
 * and forgets; a network that cuts anywhere. Whatever happens, the invariants of client/README.md
 * hold, and what a call ends as is true of what the server did.
 */
#include "tests/unit/client/core_world.h"

#include "base/rng.h"

#define STEPS 3000
#define SEEDS 150

/* What the server knows of a number: a call with a key happens at most once, however often sent. */
struct truth {
	uint32_t happened; /* effects */
	bool refused;      /* a final answer was decided: it never happens later */
	uint8_t retry;
	uint64_t deadline_us;
	uint32_t ends;
};

struct life {
	struct world *w;
	struct rng rng;
	struct truth truths[WORLD_ENDS_MAX];
	uint32_t done, not_done, unknown;
};

static void adjust(struct client_core_config *config)
{
	config->router_count = 3;
	config->silence_us = 40000;
	config->connect_timeout_us = 30000;
	config->retry_budget = 20;
	config->tries_max = 6;
	config->retry_max_us = 20000;
	config->call_count_max = 16;
}

static bool is_keyed(const struct truth *truth)
{
	return (truth->retry & CLIENT_RETRY_KEYED) != 0;
}

static void check_end(struct life *life, const struct client_end *end)
{
	struct world *w = life->w;
	uint32_t number = w->call_count;
	/* The latest submitted in that slot. */
	while (number-- > 0 && w->calls[number] != end->call)
		;
	struct truth *truth = &life->truths[number];
	cr_assert_eq(++truth->ends, 1, "a call ended twice");
	cr_assert_leq(
		w->now_us, truth->deadline_us + 5000, "later than the next look at the clock");
	switch (end->outcome) {
	case KEYRACK_RESULT_DONE:
		life->done++;
		cr_assert_geq(truth->happened, 1, "done, but it never happened");
		break;
	case KEYRACK_RESULT_NOT_DONE:
		life->not_done++;
		cr_assert_eq(truth->happened, 0, "not done, code %u, but it happened", end->code);
		/* And it must not happen later: a frame on its way would be a lie. */
		truth->refused = true;
		break;
	default:
		life->unknown++;
		break;
	}
	if (is_keyed(truth))
		cr_assert_leq(truth->happened, 1);
}

static void check_ends(struct life *life)
{
	for (uint32_t i = 0; i < life->w->end_count; i++)
		check_end(life, &life->w->ends[i]);
	life->w->end_count = 0;
}

/* The server judges: DONE, or a refusal that it will stick to when the call has a key. */
static uint16_t judge(struct life *life, uint32_t number)
{
	struct truth *truth = &life->truths[number];
	if (is_keyed(truth) && truth->happened > 0)
		return KEYRACK_DONE;
	if (is_keyed(truth) && truth->refused)
		return KEYRACK_SOLD_OUT;
	if (rng_chance(&life->rng, 300000)) {
		truth->refused = is_keyed(truth);
		return KEYRACK_SOLD_OUT;
	}
	cr_assert(!truth->refused || !is_keyed(truth));
	truth->happened++;
	return KEYRACK_DONE;
}

static void serve(struct life *life, const struct frame_header *frame)
{
	uint32_t number = world_number(life->w, frame);
	uint16_t code;
	switch (rng_below(&life->rng, 10)) {
	case 0: /* forgotten, never done */
		return;
	case 1: /* done, but nobody hears of it */
		(void)judge(life, number);
		return;
	case 2:
		code = KEYRACK_OVERLOADED;
		break;
	case 3:
		if (rng_chance(&life->rng, 500000))
			(void)judge(life, number);
		code = KEYRACK_OUTCOME_UNKNOWN;
		break;
	default:
		code = judge(life, number);
		break;
	}
	/* An answer may wait for a while: then others overtake it. */
	world_answer(life->w, frame, code);
}

/* The core has not given the connection up by itself. */
static bool stands(const struct world *w)
{
	return w->is_open && (w->core.state == CLIENT_HELLO || w->core.state == CLIENT_UP);
}

static void serve_some(struct life *life)
{
	struct world *w = life->w;
	while (w->frame_count > 0 && stands(w) && rng_chance(&life->rng, 800000)) {
		struct frame_header frame = world_take(w);
		if (frame.type == FRAME_HELLO) {
			/* The answer may be lost with the connection. */
			w->frames[--w->frame_first] = frame;
			w->frame_count++;
			world_answer_hello(w);
		} else if (frame.type == FRAME_PING) {
			world_answer(w, &frame, KEYRACK_DONE);
		} else {
			serve(life, &frame);
		}
	}
}

static void misbehave(struct life *life)
{
	struct world *w = life->w;
	uint64_t garbage[32];
	if (!stands(w))
		return;
	switch (rng_below(&life->rng, 3)) {
	case 0:
		rng_fill(&life->rng, garbage, sizeof(garbage));
		world_feed_bytes(w, garbage, sizeof(garbage));
		break;
	case 1: {
		struct frame_header reject = {.type = FRAME_REJECT,
			.route = FRAME_ROUTE_ROUTER,
			.flags = FRAME_FLAG_ANSWER,
			.status = KEYRACK_REJECT_STATE};
		world_feed(w, reject, NULL, 0);
		break;
	}
	default:
		world_lose(w);
		break;
	}
}

static void act(struct life *life)
{
	struct world *w = life->w;
	for (;;) {
		enum client_action action = client_core_action(&w->core, w->now_us);
		if (action == CLIENT_DO_NOTHING)
			return;
		/* Frames of the old connection that the server has: they may still be judged, but
		 * their answers go nowhere. */
		w->is_open = false;
		while (w->frame_count > 0) {
			struct frame_header frame = world_take(w);
			bool late = frame.type == FRAME_BOOK && rng_chance(&life->rng, 300000);
			uint32_t number = late ? world_number(w, &frame) : 0;
			if (late && !life->truths[number].refused && life->truths[number].ends == 0)
				(void)judge(life, number);
		}
		w->frame_first = 0;
		w->partial_size = 0;
		if (action == CLIENT_DO_CLOSE)
			continue;
		if (rng_chance(&life->rng, 300000)) {
			client_core_disconnected(&w->core, w->now_us);
			continue;
		}
		if (rng_chance(&life->rng, 100000))
			return; /* nobody answers the dialling */
		w->is_open = true;
		client_core_connected(&w->core, w->now_us);
	}
}

static void submit(struct life *life)
{
	struct world *w = life->w;
	static const uint8_t kinds[] = {RETRY_ALL, RETRY_ALL, CLIENT_RETRY_TRANSIENT,
		CLIENT_RETRY_TRANSIENT | CLIENT_RETRY_UNKNOWN, CLIENT_RETRY_KEYED, 0};
	if (client_core_room(&w->core) == 0 || w->call_count == WORLD_ENDS_MAX)
		return;
	uint8_t retry = kinds[rng_below(&life->rng, sizeof(kinds))];
	uint64_t deadline_us = rng_range(&life->rng, 1000, 200000);
	uint32_t number = world_submit(w, retry, deadline_us);
	life->truths[number] =
		(struct truth){.retry = retry, .deadline_us = w->now_us + deadline_us};
}

static void live(struct life *life)
{
	struct world *w = life->w;
	for (int step = 0; step < STEPS; step++) {
		if (rng_chance(&life->rng, 400000))
			submit(life);
		if (rng_chance(&life->rng, 20000))
			misbehave(life);
		act(life);
		world_run_sending(
			w, rng_chance(&life->rng, 200000) ? rng_below(&life->rng, 300) : SIZE_MAX);
		check_ends(life);
		serve_some(life);
		check_ends(life);
		int64_t due_us = client_core_timeout_us(&w->core, w->now_us);
		cr_assert(due_us >= 0 || w->core.open_count == 0 || w->frame_count > 0 ||
				  w->core.sent_count > 0,
			"calls are open and nothing is due");
		world_pass(w, rng_below(&life->rng, 5000));
	}
	world_pass(w, 10 * WORLD_SECOND);
	for (uint32_t n = 0; n < w->call_count; n++)
		life->truths[n].deadline_us = UINT64_MAX / 2;
	for (int n = 0; n < 10; n++) {
		world_run(w);
		check_ends(life);
	}
	cr_assert_eq(w->core.open_count, 0);
	for (uint32_t n = 0; n < w->call_count; n++)
		cr_assert_eq(life->truths[n].ends, 1, "a call never ended");
	cr_assert_eq(w->core.counters.submitted, w->core.counters.ended);
}

Test(core_random, every_call_ends_once_and_in_truth)
{
	struct life *life = calloc(1, sizeof(*life));
	uint32_t done = 0, not_done = 0, unknown = 0;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		memset(life, 0, sizeof(*life));
		life->w = world_new(adjust);
		rng_init(&life->rng, seed);
		live(life);
		done += life->done;
		not_done += life->not_done;
		unknown += life->unknown;
		world_free(life->w);
	}
	free(life);
	/* Every way to end was taken often enough for the checks to mean something. */
	cr_assert_gt(done, 5000, "%u done", done);
	cr_assert_gt(not_done, 5000, "%u not done", not_done);
	cr_assert_gt(unknown, 5000, "%u unknown", unknown);
}
