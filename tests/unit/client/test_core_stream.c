/* The connection: HELLO, loss, failover, rejects, garbage, silence. */
#include "tests/unit/client/core_world.h"

#include "base/hash.h"

static void two_routers(struct client_core_config *config)
{
	config->router_count = 2;
}

static void fail_fast(struct client_core_config *config)
{
	config->router_count = 2;
	config->fail_fast = true;
}

static void serve_one(struct world *w)
{
	world_submit(w, RETRY_ALL, WORLD_SECOND);
	world_run(w);
	struct frame_header sent = world_take(w);
	world_answer(w, &sent, KEYRACK_DONE);
	cr_assert_eq(world_ended(w).outcome, KEYRACK_RESULT_DONE);
}

Test(core_stream, calls_of_a_lost_connection_are_sent_again_first_and_in_order)
{
	struct world *w = world_new(two_routers);
	w->window = 4;
	for (int i = 0; i < 6; i++)
		world_submit(w, RETRY_ALL, WORLD_SECOND);
	world_up(w);
	cr_assert_eq(w->frame_count, 4);
	struct frame_header second = w->frames[w->frame_first + 1];
	world_answer(w, &second, KEYRACK_DONE);
	(void)world_ended(w);
	world_lose(w);
	world_up(w);
	static const uint32_t expected[] = {0, 2, 3, 4, 5};
	for (int i = 0; i < 5; i++) {
		struct frame_header sent = world_take(w);
		cr_assert_eq(world_number(w, &sent), expected[i]);
		world_answer(w, &sent, KEYRACK_DONE);
		cr_assert_eq(world_ended(w).tries, expected[i] == 5 ? 1 : 2);
	}
	cr_assert_eq(w->core.counters.losses, 1);
	cr_assert_eq(w->core.counters.connects, 2);
	world_free(w);
}

Test(core_stream, the_bytes_of_an_answer_are_counted)
{
	struct world *w = world_new(NULL);
	world_submit(w, RETRY_ALL, WORLD_SECOND);
	world_up(w);
	struct frame_header sent = world_take(w);
	const uint64_t before = w->core.counters.bytes_received;
	world_answer(w, &sent, KEYRACK_DONE);
	struct client_end end = world_ended(w);
	cr_assert_eq(
		w->core.counters.bytes_received - before, FRAME_HEADER_SIZE + end.body_size_bytes);
	world_free(w);
}

Test(core_stream, a_lost_call_that_may_not_be_sent_again_is_unknown)
{
	struct world *w = world_new(NULL);
	world_submit(w, CLIENT_RETRY_TRANSIENT, WORLD_SECOND);
	world_up(w);
	world_lose(w);
	struct client_end end = world_ended(w);
	cr_assert_eq(end.code, KEYRACK_CODE_CONNECTION_LOST);
	cr_assert_eq(end.outcome, KEYRACK_RESULT_UNKNOWN);
	world_free(w);
}

Test(core_stream, a_frame_that_did_not_wholly_leave_was_never_sent)
{
	struct world *w = world_new(NULL);
	world_submit(w, 0, WORLD_SECOND);
	world_submit(w, 0, WORLD_SECOND);
	world_connect(w);
	/* The first frame leaves, and of the second all but its last byte. */
	struct frame_header hello = w->frames[w->frame_first];
	cr_assert_eq(hello.type, FRAME_HELLO);
	w->is_open = false;
	world_answer_hello(w);
	w->is_open = true;
	world_run_sending(w, 2 * (FRAME_HEADER_SIZE + 40) - 1);
	cr_assert_eq(w->frame_count, 1);
	world_lose(w);
	struct client_end end = world_ended(w);
	cr_assert_eq(end.call, w->calls[0]);
	cr_assert_eq(end.outcome, KEYRACK_RESULT_UNKNOWN);
	world_pass(w, CLIENT_RECONNECT_FIRST_US);
	world_up(w);
	struct frame_header sent = world_take(w);
	cr_assert_eq(world_number(w, &sent), 1);
	world_answer(w, &sent, KEYRACK_DONE);
	cr_assert_eq(world_ended(w).tries, 1);
	world_free(w);
}

Test(core_stream, tries_each_router_in_turn_and_then_pauses)
{
	struct world *w = world_new(two_routers);
	world_submit(w, RETRY_ALL, 100 * WORLD_SECOND);
	uint64_t b = CLIENT_RECONNECT_FIRST_US;
	for (uint32_t n = 0; n < 12; n++) {
		cr_assert_eq(client_core_action(&w->core, w->now_us), CLIENT_DO_CONNECT);
		cr_assert_eq(w->core.router, n % 2);
		client_core_disconnected(&w->core, w->now_us);
		cr_assert_eq(client_core_action(&w->core, w->now_us), CLIENT_DO_CLOSE);
		if (n == 0)
			continue; /* the other one at once */
		cr_assert_eq(client_core_action(&w->core, w->now_us), CLIENT_DO_NOTHING);
		uint64_t pause = (uint64_t)client_core_timeout_us(&w->core, w->now_us);
		cr_assert(pause >= b / 2 && pause <= b);
		b = KR_MIN(b * 2, CLIENT_RECONNECT_MAX_US);
		world_pass(w, pause);
	}
	world_up(w);
	cr_assert_eq(w->frame_count, 1);
	world_free(w);
}

Test(core_stream, does_not_connect_while_there_is_nothing_to_send)
{
	struct world *w = world_new(NULL);
	cr_assert_eq(client_core_action(&w->core, w->now_us), CLIENT_DO_NOTHING);
	cr_assert_eq(client_core_timeout_us(&w->core, w->now_us), -1);
	world_submit(w, RETRY_ALL, WORLD_SECOND);
	cr_assert_eq(client_core_timeout_us(&w->core, w->now_us), 0);
	world_up(w);
	struct frame_header sent = world_take(w);
	world_answer(w, &sent, KEYRACK_DONE);
	world_lose(w);
	cr_assert_eq(client_core_action(&w->core, w->now_us), CLIENT_DO_CLOSE);
	cr_assert_eq(client_core_action(&w->core, w->now_us), CLIENT_DO_NOTHING);
	cr_assert_eq(client_core_timeout_us(&w->core, w->now_us), -1);
	world_free(w);
}

Test(core_stream, fail_fast_ends_calls_when_every_router_has_refused)
{
	struct world *w = world_new(fail_fast);
	world_submit(w, RETRY_ALL, 100 * WORLD_SECOND);
	for (uint32_t n = 0; n < 2; n++) {
		world_run(w);
		cr_assert_eq(w->end_count, 0);
		cr_assert_eq(client_core_action(&w->core, w->now_us), CLIENT_DO_CONNECT);
		client_core_disconnected(&w->core, w->now_us);
		cr_assert_eq(client_core_action(&w->core, w->now_us), CLIENT_DO_CLOSE);
	}
	cr_assert_eq(client_core_timeout_us(&w->core, w->now_us), 0, "an end is to be told");
	world_run(w);
	struct client_end end = world_ended(w);
	cr_assert_eq(end.code, KEYRACK_CODE_UNREACHABLE);
	cr_assert_eq(end.outcome, KEYRACK_RESULT_NOT_DONE);
	/* And a call that had been sent before ends as unknown. */
	world_submit(w, RETRY_ALL, 100 * WORLD_SECOND);
	world_up(w);
	world_lose(w);
	for (uint32_t n = 0; n < 2 && w->end_count == 0; n++) {
		cr_assert_eq(client_core_action(&w->core, w->now_us), CLIENT_DO_CLOSE);
		cr_assert_eq(client_core_action(&w->core, w->now_us), CLIENT_DO_CONNECT);
		client_core_disconnected(&w->core, w->now_us);
		world_run(w);
	}
	end = world_ended(w);
	cr_assert_eq(end.code, KEYRACK_CODE_CONNECTION_LOST);
	cr_assert_eq(end.outcome, KEYRACK_RESULT_UNKNOWN);
	world_free(w);
}

Test(core_stream, a_router_that_accepts_and_closes_is_not_dialled_in_a_loop)
{
	struct world *w = world_new(NULL);
	world_submit(w, CLIENT_RETRY_TRANSIENT | CLIENT_RETRY_UNKNOWN, 100 * WORLD_SECOND);
	world_up(w);
	for (int n = 0; n < 10; n++) {
		world_lose(w);
		cr_assert_eq(client_core_action(&w->core, w->now_us), CLIENT_DO_CLOSE);
		cr_assert_eq(client_core_action(&w->core, w->now_us), CLIENT_DO_NOTHING);
		world_pass(w, WORLD_SECOND);
		world_up(w);
	}
	struct frame_header sent = world_take(w);
	world_answer(w, &sent, KEYRACK_DONE);
	cr_assert_eq(world_ended(w).tries, 11);
	world_submit(w, RETRY_ALL, WORLD_SECOND);
	world_lose(w);
	world_up(w); /* at once: it has served */
	world_free(w);
}

Test(core_stream, connecting_and_hello_share_one_time_limit)
{
	struct world *w = world_new(two_routers);
	world_submit(w, RETRY_ALL, 100 * WORLD_SECOND);
	cr_assert_eq(client_core_action(&w->core, w->now_us), CLIENT_DO_CONNECT);
	world_pass(w, WORLD_SECOND / 2);
	client_core_connected(&w->core, w->now_us);
	cr_assert_eq(client_core_timeout_us(&w->core, w->now_us), WORLD_SECOND / 2);
	world_pass(w, WORLD_SECOND / 2);
	world_run(w);
	cr_assert_eq(w->core.fault, KEYRACK_CODE_UNREACHABLE);
	cr_assert_eq(client_core_action(&w->core, w->now_us), CLIENT_DO_CLOSE);
	cr_assert_eq(client_core_action(&w->core, w->now_us), CLIENT_DO_CONNECT);
	cr_assert_eq(w->core.router, 1);
	world_free(w);
}

/* Answers HELLO with these fields; returns the fault, 0 when the connection stands. */
static uint16_t hello_fault(uint64_t own_cluster, const Keyrack__HelloAnswer *answer,
	uint16_t status, uint8_t type, uint64_t id)
{
	uint8_t body[256];
	struct world *w = world_new(NULL);
	w->core.cluster = own_cluster;
	world_submit(w, RETRY_ALL, WORLD_SECOND);
	world_connect(w);
	struct frame_header sent = world_take(w);
	cr_assert_eq(sent.cluster, own_cluster);
	size_t size = keyrack__hello_answer__pack(answer, body);
	struct frame_header header = {.type = type,
		.route = FRAME_ROUTE_ROUTER,
		.flags = FRAME_FLAG_ANSWER,
		.cluster = answer->cluster,
		.request_id = id == 0 ? sent.request_id : id,
		.status = status};
	world_feed(w, header, body, size);
	world_run(w);
	uint16_t fault = w->core.state == CLIENT_UP ? 0 : w->core.fault;
	cr_assert_eq(w->frame_count, fault == 0 ? 1 : 0);
	world_free(w);
	return fault;
}

Test(core_stream, a_hello_that_does_not_fit_is_no_connection)
{
	Keyrack__HelloAnswer good = KEYRACK__HELLO_ANSWER__INIT;
	good.version = 1;
	good.cluster = 5;
	good.window = 10;
	Keyrack__HelloAnswer bad = good;
	cr_assert_eq(hello_fault(0, &good, KEYRACK_DONE, FRAME_HELLO, 0), 0);
	cr_assert_eq(hello_fault(5, &good, KEYRACK_DONE, FRAME_HELLO, 0), 0);
	cr_assert_eq(hello_fault(6, &good, KEYRACK_DONE, FRAME_HELLO, 0), KEYRACK_REJECT_CLUSTER);
	cr_assert_eq(hello_fault(0, &good, KEYRACK_OVERLOADED, FRAME_HELLO, 0), KEYRACK_OVERLOADED);
	cr_assert_eq(hello_fault(0, &good, KEYRACK_DONE, FRAME_PING, 0), KEYRACK_CODE_BAD_ANSWER);
	cr_assert_eq(hello_fault(0, &good, KEYRACK_DONE, FRAME_HELLO, 77), KEYRACK_CODE_BAD_ANSWER);
	bad.version = 2;
	cr_assert_eq(hello_fault(0, &bad, KEYRACK_DONE, FRAME_HELLO, 0), KEYRACK_REJECT_VERSION);
	bad = good;
	bad.window = 0;
	cr_assert_eq(hello_fault(0, &bad, KEYRACK_DONE, FRAME_HELLO, 0), KEYRACK_CODE_BAD_ANSWER);
	bad = good;
	bad.cluster = 0;
	cr_assert_eq(hello_fault(0, &bad, KEYRACK_DONE, FRAME_HELLO, 0), KEYRACK_CODE_BAD_ANSWER);
}

Test(core_stream, a_cluster_once_learned_is_insisted_on)
{
	struct world *w = world_new(NULL);
	world_submit(w, RETRY_ALL, WORLD_SECOND);
	world_up(w);
	world_lose(w);
	world_pass(w, 10000);
	world_connect(w);
	struct frame_header hello = world_take(w);
	cr_assert_eq(hello.cluster, WORLD_CLUSTER);
	world_free(w);
}

static void reject(struct world *w, uint16_t code)
{
	struct frame_header header = {.type = FRAME_REJECT,
		.route = FRAME_ROUTE_ROUTER,
		.flags = FRAME_FLAG_ANSWER,
		.cluster = 0x77,
		.status = code};
	world_feed(w, header, NULL, 0);
	world_run(w);
}

Test(core_stream, a_reject_of_hello_is_what_unsent_calls_end_with)
{
	struct world *w = world_new(fail_fast);
	world_submit(w, RETRY_ALL, WORLD_SECOND);
	for (int n = 0; n < 2; n++) {
		world_connect(w);
		reject(w, KEYRACK_REJECT_CLUSTER);
		world_run(w);
	}
	struct client_end end = world_ended(w);
	cr_assert_eq(end.code, KEYRACK_CODE_REJECT_CLUSTER);
	cr_assert_eq(end.outcome, KEYRACK_RESULT_NOT_DONE);
	world_free(w);
}

Test(core_stream, a_call_that_meets_two_rejects_is_not_sent_a_third_time)
{
	struct world *w = world_new(NULL);
	world_submit(w, RETRY_ALL, 100 * WORLD_SECOND);
	world_up(w);
	reject(w, KEYRACK_REJECT_TYPE);
	cr_assert_eq(w->end_count, 0);
	world_pass(w, WORLD_SECOND);
	world_up(w);
	reject(w, KEYRACK_REJECT_TYPE);
	struct client_end end = world_ended(w);
	cr_assert_eq(end.code, KEYRACK_CODE_REJECT_TYPE);
	cr_assert_eq(end.outcome, KEYRACK_RESULT_UNKNOWN);
	world_free(w);
}

/* Numbers that are nobody's, one of a success, one of a "no", and two of the library's own. */
Test(core_stream, a_reject_that_says_none_is_a_bad_answer)
{
	static const uint16_t codes[] = {0, KEYRACK_DONE, 2, 9, KEYRACK_SOLD_OUT, 127, 256,
		KEYRACK_CODE_DEADLINE, UINT16_MAX};
	for (size_t i = 0; i < KR_ARRAY_COUNT(codes); i++) {
		struct world *w = world_new(NULL);
		world_submit(w, 0, 100 * WORLD_SECOND);
		world_up(w);
		reject(w, codes[i]);
		cr_assert_eq(w->core.fault, KEYRACK_CODE_BAD_ANSWER);
		struct client_end end = world_ended(w);
		cr_assert_eq(end.code, KEYRACK_CODE_BAD_ANSWER);
		cr_assert_eq(end.outcome, KEYRACK_RESULT_UNKNOWN);
		world_free(w);
	}
}

/* The last number that a later server may reject with. */
Test(core_stream, a_reject_nobody_knows_yet_counts_as_one)
{
	struct world *w = world_new(NULL);
	world_submit(w, RETRY_ALL, 100 * WORLD_SECOND);
	world_up(w);
	reject(w, 255);
	world_pass(w, WORLD_SECOND);
	world_up(w);
	reject(w, 255);
	struct client_end end = world_ended(w);
	cr_assert_eq(end.code, 255);
	cr_assert_eq(end.outcome, KEYRACK_RESULT_UNKNOWN);
	world_free(w);
}

Test(core_stream, answers_that_no_server_of_ours_sends_end_the_connection)
{
	for (int n = 0; n < 8; n++) {
		struct world *w = world_new(NULL);
		world_submit(w, 0, WORLD_SECOND);
		world_up(w);
		struct frame_header sent = world_take(w);
		struct frame_header bad = {.type = sent.type,
			.route = sent.route,
			.flags = FRAME_FLAG_ANSWER,
			.cluster = WORLD_CLUSTER,
			.request_id = sent.request_id,
			.status = KEYRACK_DONE};
		switch (n) {
		case 0:
			bad.flags = 0;
			break;
		case 1:
			bad.remaining_us = 1;
			break;
		case 2:
			bad.status = 0;
			break;
		case 3:
			bad.status = 130;
			break;
		case 4:
			bad.cluster++;
			break;
		case 5:
			bad.type = FRAME_HOLD;
			break;
		case 6:
			bad.status = 5;
			break;
		default:
			break;
		}
		frame_seal(&bad, NULL, 0);
		if (n == 7) { /* a body sum that is wrong under a header sum that is right */
			bad.body_sum++;
			frame_header_seal(&bad);
		}
		world_feed_bytes(w, &bad, sizeof(bad));
		world_run(w);
		struct client_end end = world_ended(w);
		cr_assert_eq(end.outcome, KEYRACK_RESULT_UNKNOWN, "case %d", n);
		cr_assert_eq(end.code, KEYRACK_CODE_BAD_ANSWER, "case %d", n);
		cr_assert_eq(client_core_action(&w->core, w->now_us), CLIENT_DO_CLOSE);
		world_free(w);
	}
}

Test(core_stream, garbage_ends_the_connection_and_nothing_else)
{
	for (uint64_t seed = 0; seed < 500; seed++) {
		struct world *w = world_new(NULL);
		world_submit(w, 0, WORLD_SECOND);
		if (seed % 2 == 0)
			world_up(w);
		else
			world_connect(w);
		uint64_t garbage[40];
		for (int i = 0; i < 40; i++)
			garbage[i] = hash_64_of_u64(seed * 40 + (uint64_t)i);
		if (seed % 4 >= 2)
			memcpy(garbage, "KRK1\1", 5);
		world_feed_bytes(w, garbage, sizeof(garbage));
		world_run(w);
		cr_assert_eq(w->core.state, CLIENT_IDLE);
		cr_assert_eq(w->core.fault, KEYRACK_CODE_BAD_ANSWER);
		world_free(w);
	}
}

Test(core_stream, a_frame_may_arrive_in_any_pieces)
{
	uint8_t body[300];
	memset(body, 7, sizeof(body));
	for (size_t cut = 1; cut < FRAME_HEADER_SIZE + sizeof(body); cut++) {
		struct world *w = world_new(NULL);
		world_submit(w, RETRY_ALL, WORLD_SECOND);
		world_up(w);
		struct frame_header sent = world_take(w);
		struct frame_header header = {.type = sent.type,
			.route = sent.route,
			.flags = FRAME_FLAG_ANSWER,
			.cluster = WORLD_CLUSTER,
			.request_id = sent.request_id,
			.status = KEYRACK_DONE};
		frame_seal(&header, body, sizeof(body));
		uint8_t bytes[FRAME_HEADER_SIZE + sizeof(body)];
		memcpy(bytes, &header, sizeof(header));
		memcpy(bytes + sizeof(header), body, sizeof(body));
		world_feed_bytes(w, bytes, cut);
		world_run(w);
		cr_assert_eq(w->end_count, 0);
		world_feed_bytes(w, bytes + cut, sizeof(bytes) - cut);
		world_run(w);
		struct client_end end = world_ended(w);
		cr_assert_eq(end.body_size_bytes, sizeof(body));
		cr_assert_eq(memcmp(end.body, body, sizeof(body)), 0);
		world_free(w);
	}
}

Test(core_stream, the_largest_answers_fit_one_after_the_other)
{
	struct world *w = world_new(NULL);
	uint8_t *body = malloc(FRAME_BODY_SIZE_MAX);
	memset(body, 9, FRAME_BODY_SIZE_MAX);
	world_submit(w, RETRY_ALL, WORLD_SECOND);
	world_up(w);
	for (int n = 0; n < 3; n++) {
		if (n > 0)
			world_submit(w, RETRY_ALL, WORLD_SECOND);
		world_run(w);
		struct frame_header sent = world_take(w);
		struct frame_header header = {.type = sent.type,
			.route = sent.route,
			.flags = FRAME_FLAG_ANSWER,
			.cluster = WORLD_CLUSTER,
			.request_id = sent.request_id,
			.status = KEYRACK_DONE};
		frame_seal(&header, body, FRAME_BODY_SIZE_MAX);
		world_feed_bytes(w, &header, sizeof(header));
		for (size_t at = 0; at < FRAME_BODY_SIZE_MAX; at += FRAME_BODY_SIZE_MAX / 16) {
			world_run(w);
			cr_assert_eq(w->end_count, 0);
			world_feed_bytes(w, body + at, FRAME_BODY_SIZE_MAX / 16);
		}
		world_run(w);
		cr_assert_eq(world_ended(w).body_size_bytes, FRAME_BODY_SIZE_MAX);
	}
	free(body);
	world_free(w);
}

Test(core_stream, silence_is_asked_about_before_the_connection_counts_as_lost)
{
	struct world *w = world_new(NULL);
	world_submit(w, RETRY_ALL, 100 * WORLD_SECOND);
	world_up(w);
	(void)world_take(w);
	cr_assert_eq(client_core_timeout_us(&w->core, w->now_us), 10 * WORLD_SECOND);
	for (int n = 0; n < 3; n++) {
		world_pass(w, 10 * WORLD_SECOND);
		world_run(w);
		struct frame_header ping = world_take(w);
		cr_assert_eq(ping.type, FRAME_PING);
		world_pass(w, 9 * WORLD_SECOND);
		world_answer(w, &ping, KEYRACK_DONE);
		cr_assert_eq(w->core.state, CLIENT_UP);
	}
	world_pass(w, 10 * WORLD_SECOND);
	world_run(w);
	cr_assert_eq(world_take(w).type, FRAME_PING);
	world_pass(w, 10 * WORLD_SECOND);
	world_run(w);
	cr_assert_eq(w->core.state, CLIENT_IDLE);
	cr_assert_eq(w->core.fault, KEYRACK_CODE_CONNECTION_LOST);
	world_free(w);
}

Test(core_stream, an_idle_connection_is_left_in_peace)
{
	struct world *w = world_new(NULL);
	world_submit(w, RETRY_ALL, WORLD_SECOND);
	world_up(w);
	struct frame_header sent = world_take(w);
	world_answer(w, &sent, KEYRACK_DONE);
	(void)world_ended(w);
	cr_assert_eq(client_core_timeout_us(&w->core, w->now_us), -1);
	world_pass(w, 1000 * WORLD_SECOND);
	world_run(w);
	serve_one(w);
	cr_assert_eq(w->core.counters.connects, 1);
	world_free(w);
}

Test(core_stream, a_socket_that_takes_little_gets_every_frame_whole)
{
	struct world *w = world_new(NULL);
	world_submit(w, RETRY_ALL, 100 * WORLD_SECOND);
	world_up(w);
	for (uint32_t i = 1; i < 60; i++)
		world_submit(w, RETRY_ALL, 100 * WORLD_SECOND);
	for (int n = 0; n < 60 * 104 / 7 + 1; n++)
		world_run_sending(w, 7);
	for (uint32_t i = 0; i < 60; i++) {
		struct frame_header sent = world_take(w);
		cr_assert_eq(world_number(w, &sent), i);
	}
	cr_assert_not(client_core_wants_out(&w->core));
	world_free(w);
}

Test(core_stream, all_that_may_be_sent_is_handed_out_at_once)
{
	struct world *w = world_new(NULL);
	size_t size_bytes = 0, one_bytes = 0;
	w->window = 4;
	world_submit(w, RETRY_ALL, WORLD_SECOND);
	world_up(w);
	struct frame_header sent = world_take(w);
	world_answer(w, &sent, KEYRACK_DONE);
	(void)world_ended(w);
	world_submit(w, RETRY_ALL, WORLD_SECOND);
	(void)client_core_out(&w->core, w->now_us, &one_bytes);
	cr_assert_gt(one_bytes, FRAME_HEADER_SIZE);
	for (int i = 0; i < 5; i++)
		world_submit(w, RETRY_ALL, WORLD_SECOND);
	(void)client_core_out(&w->core, w->now_us, &size_bytes);
	cr_assert_eq(size_bytes, 4 * one_bytes, "as many as the window lets");
	world_free(w);
}
