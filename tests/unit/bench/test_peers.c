#include <criterion/criterion.h>
#include <string.h>

#include "bench/peers/peer.h"

static const char *const names[] = {"redis", "postgres", "postgres-update", "tarantool", "frames"};
static const struct peer_config config = {
	.script = "0123456789012345678901234567890123456789",
	.user = "somebody",
	.sizes_bytes = {107, 80},
	.answers_bytes = {102, 303},
};

static struct peer_request request_of(enum peer_kind kind)
{
	struct peer_request request = {.kind = kind,
		.row = 3999,
		.night = 362,
		.nights = kind == PEER_BOOK ? 3 : 14,
		.slot = 77};
	if (kind == PEER_READ)
		request.night = 25;
	memcpy(request.id, "id of 16 bytes\r\n", sizeof(request.id));
	return request;
}

/* All that the null server answers to `bytes`, which it must take whole. */
static size_t answer_all(
	const struct peer_protocol *protocol, const uint8_t *bytes, size_t count, uint8_t *ret)
{
	size_t at = 0, size = 0;
	while (at < count) {
		const struct peer_serving serving =
			protocol->serve(bytes + at, count - at, ret + size);
		cr_assert_gt(serving.taken_bytes, 0, "%s: %zu of %zu", protocol->name, at, count);
		at += (size_t)serving.taken_bytes;
		size += serving.answer_size;
	}
	cr_assert_eq(at, count);
	return size;
}

Test(peers, every_request_is_answered_once_and_an_answer_is_taken_whole_or_not_at_all)
{
	static uint8_t request[PEER_REQUEST_SIZE_MAX], answer[PEER_ANSWER_SIZE_MAX];
	for (size_t i = 0; i < KR_ARRAY_COUNT(names) * PEER_KINDS; i++) {
		const struct peer_protocol *protocol = peer_find(names[i / PEER_KINDS]);
		const struct peer_request asked = request_of((enum peer_kind)(i % PEER_KINDS));
		struct peer_answer got = {.outcome = PEER_FAILED};
		const size_t size = protocol->encode(&config, &asked, request);
		cr_assert_leq(size, sizeof(request));
		const size_t count = answer_all(protocol, request, size, answer);
		for (size_t part = 0; part < count; part++)
			cr_assert_eq(protocol->decode(answer, part, &got), 0, "%s: %zu of %zu",
				protocol->name, part, count);
		cr_assert_eq(protocol->decode(answer, count, &got), (int64_t)count);
		cr_assert_eq(got.outcome, PEER_DONE);
		cr_assert(got.slot == asked.slot || got.slot == PEER_SLOT_NONE);
		/* What follows is not touched. */
		memcpy(answer + count, answer, count);
		cr_assert_eq(protocol->decode(answer, 2 * count, &got), (int64_t)count);
	}
}

Test(peers, a_request_that_is_not_whole_is_not_answered)
{
	static uint8_t request[PEER_REQUEST_SIZE_MAX], answer[PEER_ANSWER_SIZE_MAX];
	static const char *const whole[] = {"redis", "tarantool", "frames"};
	for (size_t i = 0; i < KR_ARRAY_COUNT(whole); i++) {
		const struct peer_protocol *protocol = peer_find(whole[i]);
		const struct peer_request asked = request_of(PEER_BOOK);
		const size_t size = protocol->encode(&config, &asked, request);
		for (size_t part = 0; part < size; part++)
			cr_assert_eq(protocol->serve(request, part, answer).taken_bytes, 0,
				"%s: %zu of %zu", whole[i], part, size);
	}
}

Test(peers, a_greeting_is_heard_to_its_end)
{
	static uint8_t said[PEER_REQUEST_SIZE_MAX], heard[PEER_ANSWER_SIZE_MAX];
	for (size_t i = 0; i < KR_ARRAY_COUNT(names); i++) {
		const struct peer_protocol *protocol = peer_find(names[i]);
		size_t count = protocol->welcome != NULL ? protocol->welcome(heard) : 0;
		const size_t size = protocol->greet(&config, said);
		cr_assert_lt(size, sizeof(said));
		count += answer_all(protocol, said, size, heard + count);
		if (protocol->greeted == NULL) {
			cr_assert_eq(count, 0);
			continue;
		}
		for (size_t part = 0; part < count; part++)
			cr_assert_eq(protocol->greeted(heard, part), 0);
		cr_assert_eq(protocol->greeted(heard, count), (int64_t)count);
	}
}

Test(peers, redis_is_asked_in_its_words)
{
	static uint8_t request[PEER_REQUEST_SIZE_MAX];
	static const char book[] = "*6\r\n$7\r\nEVALSHA\r\n$40\r\n"
				   "0123456789012345678901234567890123456789\r\n$1\r\n2\r\n"
				   "$5\r\nr3999\r\n$16\r\nid of 16 bytes\r\n\r\n$3\r\n362\r\n";
	static const char read[] =
		"*4\r\n$8\r\nGETRANGE\r\n$5\r\nr3999\r\n$3\r\n100\r\n$3\r\n155\r\n";
	struct peer_request asked = request_of(PEER_BOOK);
	size_t size = peer_redis.encode(&config, &asked, request);
	cr_assert_eq(size, sizeof(book) - 1);
	cr_assert_arr_eq(request, book, size);
	asked = request_of(PEER_READ);
	size = peer_redis.encode(&config, &asked, request);
	cr_assert_eq(size, sizeof(read) - 1);
	cr_assert_arr_eq(request, read, size);
}

Test(peers, answers_say_what_became_of_a_booking)
{
	static const struct {
		const struct peer_protocol *protocol;
		const char *bytes;
		size_t size;
		enum peer_outcome outcome;
	} cases[] = {
#define CASE(protocol, text, outcome) {&protocol, text, sizeof(text) - 1, outcome}
		CASE(peer_redis, ":1\r\n", PEER_DONE),
		CASE(peer_redis, ":0\r\n", PEER_REFUSED),
		CASE(peer_redis, ":2\r\n", PEER_REPEATED),
		CASE(peer_redis, "-ERR no\r\n", PEER_FAILED),
		CASE(peer_postgres, "Z\0\0\0\5I", PEER_DONE),
		CASE(peer_postgres, "D\0\0\0\16\0\1\0\0\0\4\0\0\0\0Z\0\0\0\5I", PEER_REFUSED),
		CASE(peer_postgres, "D\0\0\0\16\0\1\0\0\0\4\0\0\0\2Z\0\0\0\5I", PEER_REPEATED),
		CASE(peer_postgres_update, "E\0\0\0\26SERROR\0C23514\0Mx\0\0Z\0\0\0\5I",
			PEER_REFUSED),
		CASE(peer_postgres_update, "E\0\0\0\26SERROR\0C23505\0Mx\0\0Z\0\0\0\5I",
			PEER_REPEATED),
		CASE(peer_postgres_update, "E\0\0\0\26SERROR\0C40P01\0Mx\0\0Z\0\0\0\5I",
			PEER_FAILED),
		CASE(peer_tarantool, "\xce\0\0\0\11\x82\0\0\1\7\x81\x30\x91\0", PEER_REFUSED),
		CASE(peer_tarantool, "\xce\0\0\0\11\x82\0\0\1\7\x81\x30\x91\2", PEER_REPEATED),
		CASE(peer_tarantool, "\xce\0\0\0\11\x82\0\0\1\7\x81\x30\x91\1", PEER_DONE),
		CASE(peer_tarantool, "\xce\0\0\0\13\x82\0\xcd\x80\3\1\7\x81\x31\xa1z", PEER_FAILED),
#undef CASE
	};
	for (size_t i = 0; i < KR_ARRAY_COUNT(cases); i++) {
		struct peer_answer got = {.outcome = PEER_OUTCOMES};
		const int64_t size = cases[i].protocol->decode(
			(const uint8_t *)cases[i].bytes, cases[i].size, &got);
		cr_assert_eq(size, (int64_t)cases[i].size, "case %zu: %lld", i, (long long)size);
		cr_assert_eq(got.outcome, cases[i].outcome, "case %zu", i);
	}
}

Test(peers, what_is_no_answer_is_not_taken)
{
	static const uint8_t noise[64] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	for (size_t i = 0; i < KR_ARRAY_COUNT(names); i++) {
		struct peer_answer got;
		cr_assert_eq(peer_find(names[i])->decode(noise, sizeof(noise), &got),
			PEER_MALFORMED, "%s", names[i]);
	}
	cr_assert_null(peer_find("mongodb"));
}
