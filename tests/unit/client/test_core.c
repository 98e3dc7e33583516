/* Calls: order, window, retries, deadlines, outcomes. */
#include "tests/unit/client/core_world.h"

Test(core, says_hello_first_and_sends_nothing_else_before_the_answer)
{
	struct world *w = world_new(NULL);
	cr_assert_eq(client_core_action(&w->core, w->now_us), CLIENT_DO_NOTHING);
	world_submit(w, RETRY_ALL, WORLD_SECOND);
	world_connect(w);
	cr_assert_eq(w->frame_count, 1);
	cr_assert_eq(w->frames[0].type, FRAME_HELLO);
	cr_assert_eq(w->frames[0].cluster, 0);
	world_answer_hello(w);
	struct frame_header book = world_take(w);
	cr_assert_eq(book.type, FRAME_BOOK);
	cr_assert_eq(book.cluster, WORLD_CLUSTER);
	cr_assert_eq(book.remaining_us, WORLD_SECOND);
	world_free(w);
}

Test(core, sends_in_the_order_of_submission_and_takes_answers_in_any)
{
	struct world *w = world_new(NULL);
	for (int i = 0; i < 10; i++)
		world_submit(w, RETRY_ALL, WORLD_SECOND);
	world_up(w);
	struct frame_header sent[10];
	for (uint32_t i = 0; i < 10; i++) {
		sent[i] = world_take(w);
		cr_assert_eq(world_number(w, &sent[i]), i);
	}
	for (uint32_t i = 10; i-- > 0;) {
		world_pass(w, 10);
		world_answer(w, &sent[i], KEYRACK_DONE);
		struct client_end end = world_ended(w);
		cr_assert_eq(end.call, w->calls[i]);
		cr_assert_eq(end.outcome, KEYRACK_RESULT_DONE);
		cr_assert_eq(end.code, KEYRACK_DONE);
		cr_assert_eq(end.tries, 1);
		cr_assert_eq(end.map_epoch, 9);
		cr_assert_eq(end.elapsed_us, 10 * (10 - i));
		cr_assert_not_null(end.body);
	}
	cr_assert_eq(w->core.open_count, 0);
	cr_assert_eq(client_core_timeout_us(&w->core, w->now_us), -1);
	world_free(w);
}

Test(core, keeps_within_the_window_that_hello_told)
{
	struct world *w = world_new(NULL);
	w->window = 3;
	cr_assert_eq(client_core_room(&w->core), 64);
	for (int i = 0; i < 5; i++)
		world_submit(w, RETRY_ALL, WORLD_SECOND);
	world_up(w);
	cr_assert_eq(client_core_room(&w->core), 0);
	cr_assert_eq(w->frame_count, 3);
	struct frame_header first = world_take(w);
	world_answer(w, &first, KEYRACK_SOLD_OUT);
	cr_assert_eq(w->frame_count, 3, "the fourth follows the first answer");
	cr_assert_eq(client_core_room(&w->core), 0);
	for (int i = 0; i < 2; i++) {
		first = world_take(w);
		world_answer(w, &first, KEYRACK_DONE);
	}
	cr_assert_eq(client_core_room(&w->core), 1);
	world_free(w);
}

Test(core, has_as_many_slots_as_it_was_given_and_no_more)
{
	struct world *w = world_new(NULL);
	for (uint32_t i = 0; i < 64; i++) {
		cr_assert_eq(client_core_room(&w->core), 64 - i);
		world_submit(w, RETRY_ALL, WORLD_SECOND);
	}
	cr_assert_eq(client_core_take(&w->core), CLIENT_NOWHERE);
	world_pass(w, WORLD_SECOND);
	world_run(w);
	cr_assert_eq(w->end_count, 64);
	cr_assert_eq(client_core_room(&w->core), 64);
	uint32_t call = client_core_take(&w->core);
	client_core_give_back(&w->core, call);
	cr_assert_eq(client_core_room(&w->core), 64);
	world_free(w);
}

Test(core, final_answers_end_the_call_as_not_done)
{
	struct world *w = world_new(NULL);
	for (uint16_t code = 10; code < 64; code++) {
		world_submit(w, RETRY_ALL, WORLD_SECOND);
		if (code == 10)
			world_up(w);
		world_run(w);
		struct frame_header sent = world_take(w);
		world_answer(w, &sent, code);
		struct client_end end = world_ended(w);
		cr_assert_eq(end.outcome, KEYRACK_RESULT_NOT_DONE);
		cr_assert_eq(end.code, code);
	}
	world_free(w);
}

Test(core, sends_again_after_a_transient_answer_with_growing_pauses)
{
	struct world *w = world_new(NULL);
	world_submit(w, RETRY_ALL, 100 * WORLD_SECOND);
	world_up(w);
	uint64_t b = 5000;
	for (int n = 0; n < 12; n++, b = KR_MIN(b * 2, 500000)) {
		struct frame_header sent = world_take(w);
		cr_assert_eq(w->core.config.calls[w->calls[0]].tries, (uint32_t)n + 1);
		world_answer(w, &sent, KEYRACK_OVERLOADED);
		int64_t pause = client_core_timeout_us(&w->core, w->now_us);
		cr_assert(pause >= (int64_t)(b / 2) && pause <= (int64_t)b, "%ld of %lu",
			(long)pause, (unsigned long)b);
		world_pass(w, (uint64_t)pause - 1);
		world_run(w);
		cr_assert_eq(w->frame_count, 0, "too early");
		world_pass(w, 1);
		world_run(w);
	}
	struct frame_header sent = world_take(w);
	world_answer(w, &sent, KEYRACK_DONE);
	struct client_end end = world_ended(w);
	cr_assert_eq(end.tries, 13);
	cr_assert_eq(end.outcome, KEYRACK_RESULT_DONE);
	world_free(w);
}

Test(core, shows_transient_and_unknown_answers_as_they_are_without_retry)
{
	struct world *w = world_new(NULL);
	world_submit(w, 0, WORLD_SECOND);
	world_submit(w, 0, WORLD_SECOND);
	world_up(w);
	struct frame_header sent = world_take(w);
	world_answer(w, &sent, KEYRACK_OVERLOADED);
	struct client_end end = world_ended(w);
	cr_assert_eq(end.outcome, KEYRACK_RESULT_NOT_DONE);
	cr_assert_eq(end.code, KEYRACK_OVERLOADED);
	sent = world_take(w);
	world_answer(w, &sent, KEYRACK_OUTCOME_UNKNOWN);
	end = world_ended(w);
	cr_assert_eq(end.outcome, KEYRACK_RESULT_UNKNOWN);
	cr_assert_eq(end.code, KEYRACK_OUTCOME_UNKNOWN);
	world_free(w);
}

static uint64_t config_seed;

static void seeded(struct client_core_config *config)
{
	config->seed = config_seed;
}

/* Something between clients and routers may mix up its connections. */
Test(core, another_clients_answer_fits_no_call)
{
	uint64_t ids[32];
	for (uint32_t i = 0; i < KR_ARRAY_COUNT(ids); i++) {
		config_seed = i;
		struct world *w = world_new(seeded);
		world_submit(w, 0, WORLD_SECOND);
		world_up(w);
		struct frame_header sent = world_take(w);
		ids[i] = sent.request_id;
		for (uint32_t k = 0; k < i; k++) {
			cr_assert_gt(llabs((int64_t)(ids[i] - ids[k])), INT64_C(1) << 32);
			sent.request_id = ids[k];
			world_answer(w, &sent, KEYRACK_DONE);
		}
		cr_assert_eq(w->core.counters.late_answers, i);
		cr_assert_eq(w->end_count, 0);
		sent.request_id = ids[i];
		world_answer(w, &sent, KEYRACK_DONE);
		cr_assert_eq(world_ended(w).code, KEYRACK_DONE);
		world_free(w);
	}
}

Test(core, a_second_try_goes_behind_what_was_submitted_in_between)
{
	struct world *w = world_new(NULL);
	world_submit(w, RETRY_ALL, WORLD_SECOND);
	world_up(w);
	struct frame_header first = world_take(w);
	world_answer(w, &first, KEYRACK_OVERLOADED);
	world_submit(w, RETRY_ALL, WORLD_SECOND);
	world_run(w);
	struct frame_header second = world_take(w);
	cr_assert_eq(world_number(w, &second), 1);
	world_pass(w, 5000);
	world_run(w);
	struct frame_header again = world_take(w);
	cr_assert_eq(world_number(w, &again), 0);
	cr_assert_neq(again.request_id, first.request_id);
	world_free(w);
}

Test(core, gives_up_when_a_pause_would_pass_the_deadline)
{
	struct world *w = world_new(NULL);
	world_submit(w, RETRY_ALL, 2000);
	world_up(w);
	struct frame_header sent = world_take(w);
	world_answer(w, &sent, KEYRACK_READ_ONLY);
	struct client_end end = world_ended(w);
	cr_assert_eq(end.code, KEYRACK_READ_ONLY);
	cr_assert_eq(end.outcome, KEYRACK_RESULT_NOT_DONE);
	world_free(w);
}

static void three_tries(struct client_core_config *config)
{
	config->tries_max = 3;
}

Test(core, makes_no_more_tries_than_allowed)
{
	struct world *w = world_new(three_tries);
	world_submit(w, RETRY_ALL, WORLD_SECOND);
	world_up(w);
	for (int n = 0; n < 3; n++) {
		cr_assert_eq(w->end_count, 0);
		struct frame_header sent = world_take(w);
		world_answer(w, &sent, KEYRACK_OVERLOADED);
		world_pass(w, 100000);
		world_run(w);
	}
	cr_assert_eq(world_ended(w).tries, 3);
	world_free(w);
}

static void budget_of_two(struct client_core_config *config)
{
	config->retry_budget = 2;
}

Test(core, retries_within_a_budget_that_ended_calls_refill)
{
	struct world *w = world_new(budget_of_two);
	struct frame_header sent;
	world_submit(w, RETRY_ALL, WORLD_SECOND);
	world_up(w);
	for (int n = 0; n < 2; n++) {
		sent = world_take(w);
		world_answer(w, &sent, KEYRACK_OVERLOADED);
		world_pass(w, 20000);
		world_run(w);
	}
	sent = world_take(w);
	world_answer(w, &sent, KEYRACK_OVERLOADED);
	cr_assert_eq(world_ended(w).tries, 3, "two tokens are two more tries");
	for (int n = 0; n < 9; n++) {
		world_submit(w, RETRY_ALL, WORLD_SECOND);
		world_run(w);
		sent = world_take(w);
		world_answer(w, &sent, KEYRACK_DONE);
		cr_assert_eq(world_ended(w).tries, 1);
	}
	world_submit(w, RETRY_ALL, WORLD_SECOND);
	world_run(w);
	sent = world_take(w);
	world_answer(w, &sent, KEYRACK_OVERLOADED);
	cr_assert_eq(w->end_count, 0, "ten ended calls are one more try");
	world_free(w);
}

Test(core, a_deadline_ends_a_call_as_what_is_known_of_it)
{
	struct world *w = world_new(NULL);
	world_submit(w, RETRY_ALL, 1000);
	world_pass(w, 1000);
	world_run(w);
	struct client_end end = world_ended(w);
	cr_assert_eq(end.code, KEYRACK_CODE_UNREACHABLE);
	cr_assert_eq(end.outcome, KEYRACK_RESULT_NOT_DONE);
	cr_assert_eq(end.tries, 0);
	cr_assert_eq(end.elapsed_us, 1000);

	w->window = 1;
	world_submit(w, RETRY_ALL, 2000);
	world_submit(w, RETRY_ALL, 1000);
	world_up(w);
	cr_assert_eq(client_core_timeout_us(&w->core, w->now_us), 1000);
	world_pass(w, 1000);
	world_run(w);
	end = world_ended(w);
	cr_assert_eq(end.code, KEYRACK_CODE_NOT_SENT, "the window was full");
	cr_assert_eq(end.outcome, KEYRACK_RESULT_NOT_DONE);
	world_pass(w, 999);
	world_run(w);
	cr_assert_eq(w->end_count, 0);
	world_pass(w, 1);
	world_run(w);
	end = world_ended(w);
	cr_assert_eq(end.code, KEYRACK_CODE_DEADLINE);
	cr_assert_eq(end.outcome, KEYRACK_RESULT_UNKNOWN);
	cr_assert_null(end.body);
	world_free(w);
}

Test(core, remaining_time_shrinks_from_try_to_try)
{
	struct world *w = world_new(NULL);
	world_submit(w, RETRY_ALL, 5000 * WORLD_SECOND);
	world_up(w);
	struct frame_header sent = world_take(w);
	cr_assert_eq(sent.remaining_us, UINT32_MAX, "cut to what the field holds");
	world_submit(w, RETRY_ALL, WORLD_SECOND);
	world_run(w);
	sent = world_take(w);
	cr_assert_eq(sent.remaining_us, WORLD_SECOND);
	world_answer(w, &sent, KEYRACK_UNAVAILABLE);
	world_pass(w, 10000);
	world_run(w);
	sent = world_take(w);
	cr_assert_eq(sent.remaining_us, WORLD_SECOND - 10000);
	world_free(w);
}

Test(core, an_answer_that_comes_late_is_counted_and_ignored)
{
	struct world *w = world_new(NULL);
	world_submit(w, RETRY_ALL, 1000);
	world_up(w);
	struct frame_header first = world_take(w);
	world_pass(w, 1000);
	world_run(w);
	cr_assert_eq(world_ended(w).outcome, KEYRACK_RESULT_UNKNOWN);
	world_submit(w, RETRY_ALL, 1000);
	world_run(w);
	cr_assert_eq(w->calls[1], w->calls[0], "the slot is used again");
	world_answer(w, &first, KEYRACK_DONE);
	cr_assert_eq(w->end_count, 0, "the answer is not the new call's");
	cr_assert_eq(w->core.counters.late_answers, 1);
	struct frame_header second = world_take(w);
	world_answer(w, &second, KEYRACK_SOLD_OUT);
	cr_assert_eq(world_ended(w).code, KEYRACK_SOLD_OUT);
	world_answer(w, &second, KEYRACK_SOLD_OUT);
	cr_assert_eq(w->core.counters.late_answers, 2, "an answer counts once");
	world_free(w);
}

/* After a try that may have happened: what does this last answer make of the call? */
static uint8_t outcome_after_unknown(uint8_t retry, uint16_t code)
{
	struct world *w = world_new(NULL);
	world_submit(w, retry, WORLD_SECOND);
	world_up(w);
	struct frame_header sent = world_take(w);
	world_answer(w, &sent, KEYRACK_OUTCOME_UNKNOWN);
	world_pass(w, 5000);
	world_run(w);
	sent = world_take(w);
	if (code != 0)
		world_answer(w, &sent, code);
	world_pass(w, WORLD_SECOND);
	world_run(w);
	uint8_t outcome = world_ended(w).outcome;
	world_free(w);
	return outcome;
}

Test(core, once_it_may_have_happened_only_a_decided_answer_decides)
{
	cr_assert_eq(outcome_after_unknown(RETRY_ALL, KEYRACK_DONE), KEYRACK_RESULT_DONE);
	cr_assert_eq(outcome_after_unknown(RETRY_ALL, KEYRACK_SOLD_OUT), KEYRACK_RESULT_NOT_DONE);
	cr_assert_eq(outcome_after_unknown(RETRY_ALL, KEYRACK_OVERLOADED), KEYRACK_RESULT_UNKNOWN);
	cr_assert_eq(outcome_after_unknown(RETRY_ALL, 0), KEYRACK_RESULT_UNKNOWN);
	uint8_t keyless = CLIENT_RETRY_TRANSIENT | CLIENT_RETRY_UNKNOWN;
	cr_assert_eq(
		outcome_after_unknown(keyless, KEYRACK_VERSION_MISMATCH), KEYRACK_RESULT_UNKNOWN);
	cr_assert_eq(outcome_after_unknown(keyless, KEYRACK_DONE), KEYRACK_RESULT_DONE);
}

Test(core, a_body_the_router_does_not_take_is_not_sent)
{
	struct world *w = world_new(NULL);
	world_submit(w, RETRY_ALL, WORLD_SECOND);
	world_up(w);
	w->core.body_size_max = 39;
	world_submit(w, RETRY_ALL, WORLD_SECOND);
	world_run(w);
	world_run(w);
	struct client_end end = world_ended(w);
	cr_assert_eq(end.code, KEYRACK_CODE_REJECT_SIZE);
	cr_assert_eq(end.outcome, KEYRACK_RESULT_NOT_DONE);
	world_free(w);
}
