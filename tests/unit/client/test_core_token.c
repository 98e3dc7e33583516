/* A token, proved before HELLO. */
#include "tests/unit/client/core_world.h"

#include "proto/token.h"

static const struct token token = {.number = 7, .key = {1, 2, 3}};

static void with_token(struct client_core_config *config)
{
	config->token = &token;
	config->fail_fast = true;
}

static void answer_auth(struct world *w, const uint8_t *nonce, size_t size_bytes)
{
	uint8_t body[128], copy[64];
	struct frame_header asked = world_take(w);
	Keyrack__AuthAnswer answer = KEYRACK__AUTH_ANSWER__INIT;
	cr_assert_eq(asked.type, FRAME_AUTH);
	cr_assert_eq(asked.route, FRAME_ROUTE_ROUTER);
	cr_assert_leq(size_bytes, sizeof(copy));
	if (size_bytes > 0)
		memcpy(copy, nonce, size_bytes);
	answer.nonce.data = copy;
	answer.nonce.len = size_bytes;
	answer.role = size_bytes > 0 ? 0 : ACCESS_BOOKING;
	struct frame_header header = {.type = FRAME_AUTH,
		.route = FRAME_ROUTE_ROUTER,
		.flags = FRAME_FLAG_ANSWER,
		.cluster = WORLD_CLUSTER,
		.request_id = asked.request_id,
		.status = KEYRACK_DONE};
	world_feed(w, header, body, keyrack__auth_answer__pack(&answer, body));
	world_run(w);
}

static struct world *begin(void)
{
	struct world *w = world_new(with_token);
	world_submit(w, 0, WORLD_SECOND);
	world_connect(w);
	cr_assert_eq(w->frame_count, 1);
	return w;
}

static void serve(struct world *w)
{
	world_answer_hello(w);
	world_run(w);
	struct frame_header sent = world_take(w);
	cr_assert_eq(sent.type, FRAME_BOOK);
	world_answer(w, &sent, KEYRACK_DONE);
	cr_assert_eq(world_ended(w).outcome, KEYRACK_RESULT_DONE);
	world_free(w);
}

Test(core_token, is_proved_for_the_nonce_and_hello_comes_after)
{
	uint8_t nonce[TOKEN_NONCE_SIZE] = {9, 8, 7}, proof[TOKEN_PROOF_SIZE];
	struct world *w = begin();
	cr_assert_eq(w->frames[w->frame_first].body_size_bytes, 0, "nothing is told yet");
	answer_auth(w, nonce, sizeof(nonce));
	cr_assert_eq(w->frame_count, 1, "and no HELLO before the answer");
	token_prove(&token, nonce, proof);
	uint8_t expected[64];
	Keyrack__AuthRequest request = KEYRACK__AUTH_REQUEST__INIT;
	request.number = 7;
	request.proof.data = proof;
	request.proof.len = sizeof(proof);
	struct frame_header summed = {.type = FRAME_AUTH, .route = FRAME_ROUTE_ROUTER};
	frame_seal(&summed, expected, keyrack__auth_request__pack(&request, expected));
	cr_assert_eq(w->frames[w->frame_first].body_sum, summed.body_sum);
	answer_auth(w, NULL, 0);
	serve(w);
}

Test(core_token, is_kept_where_nobody_wants_it)
{
	struct world *w = begin();
	answer_auth(w, NULL, 0);
	serve(w);
}

static void ended_with(struct world *w, uint16_t code)
{
	world_run(w);
	struct client_end end = world_ended(w);
	cr_assert_eq(end.code, code);
	cr_assert_eq(end.outcome, KEYRACK_RESULT_NOT_DONE);
	world_free(w);
}

Test(core_token, that_is_refused_ends_calls_as_not_done)
{
	uint8_t nonce[TOKEN_NONCE_SIZE] = {1};
	struct world *w = begin();
	answer_auth(w, nonce, sizeof(nonce));
	struct frame_header header = {.type = FRAME_REJECT,
		.route = FRAME_ROUTE_ROUTER,
		.flags = FRAME_FLAG_ANSWER,
		.cluster = WORLD_CLUSTER,
		.status = KEYRACK_REJECT_TOKEN};
	world_feed(w, header, NULL, 0);
	ended_with(w, KEYRACK_CODE_REJECT_TOKEN);
}

Test(core_token, a_nonce_of_another_size_or_a_second_one_is_no_answer)
{
	static const size_t sizes[] = {1, TOKEN_NONCE_SIZE - 1, TOKEN_NONCE_SIZE + 1, 64};
	uint8_t nonce[64] = {1};
	for (size_t i = 0; i < KR_ARRAY_COUNT(sizes); i++) {
		struct world *w = begin();
		answer_auth(w, nonce, sizes[i]);
		/* What a broken server says is no decision: the next may be better. */
		ended_with(w, KEYRACK_CODE_UNREACHABLE);
	}
	struct world *w = begin();
	answer_auth(w, nonce, TOKEN_NONCE_SIZE);
	answer_auth(w, nonce, TOKEN_NONCE_SIZE);
	ended_with(w, KEYRACK_CODE_UNREACHABLE);
}

Test(core_token, a_server_that_says_nothing_is_given_up_in_time)
{
	struct world *w = begin();
	world_pass(w, WORLD_SECOND - 1);
	world_run(w);
	cr_assert_eq(w->end_count, 0);
	world_pass(w, 1);
	world_run(w);
	cr_assert_neq(w->core.state, CLIENT_ASKING);
	world_free(w);
}
