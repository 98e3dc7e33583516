#include <criterion/criterion.h>

#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/rng.h"
#include "proto/conn_priv.h"
#include "tests/unit/router/conn_fixture.h"

static struct node server;
static uint8_t body[FRAME_BODY_SIZE_MAX];
static uint8_t bytes[(FRAME_HEADER_SIZE + FRAME_BODY_SIZE_MAX) * 2];

static void begin(void)
{
	node_config(&server);
	server.echoes = true;
	node_begin(&server);
}

/* Appends a sealed frame whose body is drawn from `seed`. */
static size_t frame_put(uint8_t *to, uint8_t type, uint64_t request_id, size_t body_size_bytes)
{
	struct frame_header header = request_header(type, request_id);
	struct rng rng;

	rng_init(&rng, request_id);
	rng_fill(&rng, to + FRAME_HEADER_SIZE, body_size_bytes);
	frame_seal(&header, to + FRAME_HEADER_SIZE, body_size_bytes);
	memcpy(to, &header, FRAME_HEADER_SIZE);
	return FRAME_HEADER_SIZE + body_size_bytes;
}

Test(conn, hands_over_many_frames_of_one_write_in_order_and_ends_the_tick_once)
{
	struct frame_header answer;
	size_t size_bytes;

	begin();
	int fd = peer_connect(&server);
	size_bytes = frame_put(bytes, FRAME_HELLO, 0, 10);
	for (uint64_t id = 1; id < 100; id++)
		size_bytes += frame_put(bytes + size_bytes, FRAME_BOOK, id, 43);
	peer_write(fd, bytes, size_bytes);
	for (uint64_t id = 0; id < 100; id++) {
		cr_assert(peer_read_frame(fd, &answer, body, sizeof(body)));
		cr_assert_eq(answer.request_id, id);
	}
	cr_assert_eq(server.frame_count, 100);
	cr_assert_leq(server.tick_end_count, 3, "not one for each frame");
	cr_assert_eq(server.frames_at_tick_end, 100);
	cr_assert_leq(conn_set_counters(server.set)->sends, 3, "answers are sent together");
	close(fd);
	nodes_until(server.close_count == 1);
	cr_assert_eq(server.last_reason, CONN_REASON_PEER_CLOSED);
	node_end(&server);
}

Test(conn, puts_frames_together_that_come_byte_by_byte)
{
	struct frame_header answer;
	size_t size_bytes;

	begin();
	int fd = peer_connect(&server);
	size_bytes = frame_put(bytes, FRAME_HELLO, 0, 0);
	size_bytes += frame_put(bytes + size_bytes, FRAME_BOOK, 1, 43);
	size_bytes += frame_put(bytes + size_bytes, FRAME_BOOK, 2, 0);
	size_bytes += frame_put(bytes + size_bytes, FRAME_BOOK, 3, 200);
	for (size_t i = 0; i < size_bytes; i++) {
		peer_write(fd, bytes + i, 1);
		nodes_turn();
	}
	for (uint64_t id = 0; id < 4; id++) {
		cr_assert(peer_read_frame(fd, &answer, body, sizeof(body)));
		cr_assert_eq(answer.request_id, id);
	}
	close(fd);
	node_end(&server);
}

/* Bodies around every size at which the way of keeping a part changes, cut anywhere. */
Test(conn, puts_frames_of_any_size_together_however_they_are_cut)
{
	static const size_t sizes[] = {0, 1, 63, CONN_SMALL_SIZE - 1, CONN_SMALL_SIZE,
		CONN_SMALL_SIZE + 1, CONN_BLOCK_SIZE - 1, CONN_BLOCK_SIZE, CONN_BLOCK_SIZE + 1,
		5 * CONN_BLOCK_SIZE + 7, 20 * CONN_BLOCK_SIZE, FRAME_BODY_SIZE_MAX};
	struct rng rng;

	begin();
	server.echoes = false;
	int fd = peer_connect(&server);
	peer_hello(fd);
	rng_init(&rng, 5);
	for (uint64_t id = 1; id <= 200; id++) {
		size_t pick = rng_below(&rng, KR_ARRAY_COUNT(sizes) - (id % 50 != 0));
		size_t size_bytes = frame_put(bytes, FRAME_BOOK, id, sizes[pick]);
		size_bytes += frame_put(bytes + size_bytes, FRAME_BOOK, ++id, 43);
		for (size_t at = 0; at < size_bytes;) {
			size_t left = size_bytes - at;
			size_t part = 1 + rng_below(&rng, 1 + rng_below(&rng, left));
			part = KR_MIN(part, left);
			peer_write(fd, bytes + at, part);
			nodes_turn();
			at += part;
		}
		nodes_until(server.frame_count == id + 1);
		const struct node_frame *frame = &server.frames[id - 1];
		cr_assert_eq(frame->header.body_size_bytes, sizes[pick]);
		cr_assert_eq(frame->body_sum, frame->header.body_sum);
		cr_assert_eq(frame->header.request_id, id - 1);
		cr_assert_eq(conn_set_counters(server.set)->blocks_used, 0);
	}
	close(fd);
	node_end(&server);
}

Test(conn, forgets_a_truncated_frame_with_its_connection)
{
	begin();
	size_t size_bytes = frame_put(bytes, FRAME_BOOK, 1, 100000);
	for (size_t cut = 1; cut < size_bytes; cut += 9001) {
		int fd = peer_connect(&server);
		peer_hello(fd);
		peer_write(fd, bytes, cut);
		nodes_turn();
		close(fd);
		nodes_until(server.close_count == server.open_count && server.open_count > 0);
		cr_assert_eq(server.last_reason, CONN_REASON_PEER_CLOSED);
		cr_assert_eq(conn_set_counters(server.set)->blocks_used, 0);
	}
	for (uint32_t i = 0; i < server.frame_count; i++)
		cr_assert_eq(server.frames[i].header.type, FRAME_HELLO);
	node_end(&server);
}

/* ---- connections that replace others ---- */

/* As a shard: only routers may mark their HELLO. */
static void begin_from_routers(void)
{
	node_config(&server);
	server.echoes = true;
	server.config.from_routers = true;
	node_begin(&server);
}

static int marked_hello(uint32_t mark, uint64_t number)
{
	int fd = peer_connect(&server);
	struct frame_header header = request_header(FRAME_HELLO, number);

	header.via = mark;
	frame_seal(&header, NULL, 0);
	uint32_t before = server.open_count;
	nodes_until(server.open_count > before);
	peer_send(fd, &header, NULL);
	return fd;
}

Test(conn, ends_the_older_connection_of_a_router_that_connects_anew)
{
	struct frame_header answer;

	begin_from_routers();
	int old = marked_hello(9, 1), other = marked_hello(8, 1), client = peer_connect(&server);
	peer_hello(client);
	nodes_until(server.frame_count == 3);
	int new = marked_hello(9, 2);
	nodes_until(server.close_count == 1);
	cr_assert_eq(server.last_reason, CONN_REASON_REPLACED);
	cr_assert(peer_read_frame(old, &answer, body, sizeof(body)), "it was greeted");
	cr_assert(peer_is_at_end(old));
	const int living[] = {new, other, client};
	for (size_t i = 0; i < KR_ARRAY_COUNT(living); i++) {
		size_t size_bytes = frame_put(bytes, FRAME_BOOK, 77, 10);
		peer_write(living[i], bytes, size_bytes);
		cr_assert(peer_read_frame(living[i], &answer, body, sizeof(body)));
		cr_assert(peer_read_frame(living[i], &answer, body, sizeof(body)));
		cr_assert_eq(answer.request_id, 77);
		close(living[i]);
	}
	close(old);
	node_end(&server);
}

Test(conn, ends_the_connection_whose_hello_comes_after_that_of_a_newer_one)
{
	begin_from_routers();
	int new = marked_hello(9, 2);
	nodes_until(server.frame_count == 1);
	int late = marked_hello(9, 1);
	nodes_until(server.close_count == 1);
	cr_assert_eq(server.last_reason, CONN_REASON_REPLACED);
	cr_assert_eq(server.frame_count, 1, "it is not even greeted");
	cr_assert(peer_is_at_end(late));
	close(late);
	close(new);
	node_end(&server);
}

/* ---- what is rejected ---- */

static void expect_reject(int fd, unsigned code)
{
	struct frame_header header;

	cr_assert(peer_read_frame(fd, &header, body, sizeof(body)), "closed without a word");
	while (header.type != FRAME_REJECT)
		cr_assert(peer_read_frame(fd, &header, body, sizeof(body)));
	cr_assert_eq(
		header.status, code, "%s instead of %s", code_name(header.status), code_name(code));
	cr_assert_eq(header.flags, FRAME_FLAG_ANSWER);
	cr_assert_eq(header.cluster, NODE_CLUSTER);
	cr_assert(peer_is_at_end(fd));
	close(fd);
	nodes_until(server.close_count == server.open_count);
	cr_assert_eq(server.last_reason, CONN_REASON_REJECTED);
	cr_assert_eq(server.last_code, code);
}

/* The server rejects a header after HELLO with that code. */
static void expect_header_rejected(struct frame_header header, unsigned code)
{
	int fd = peer_connect(&server);

	header_sum_again(&header);
	peer_hello(fd);
	peer_write(fd, &header, sizeof(header));
	expect_reject(fd, code);
}

static struct frame_header good_header(void)
{
	struct frame_header header = request_header(FRAME_BOOK, 1);
	frame_seal(&header, NULL, 0);
	return header;
}

Test(conn, rejects_each_kind_of_bad_header_with_its_code)
{
	struct frame_header header;

	begin();
	header = good_header();
	header.magic ^= 1;
	expect_header_rejected(header, KEYRACK_REJECT_MAGIC);
	header = good_header();
	header.version = 2;
	expect_header_rejected(header, KEYRACK_REJECT_VERSION);
	header = good_header();
	header.body_size_bytes = FRAME_BODY_SIZE_MAX + 1;
	expect_header_rejected(header, KEYRACK_REJECT_SIZE);
	header.body_size_bytes = UINT32_MAX;
	expect_header_rejected(header, KEYRACK_REJECT_SIZE);
	header = good_header();
	header.type = 200;
	expect_header_rejected(header, KEYRACK_REJECT_TYPE);
	header = good_header();
	header.route = 0;
	expect_header_rejected(header, KEYRACK_REJECT_TYPE);
	header = good_header();
	header.flags = 0x80;
	expect_header_rejected(header, KEYRACK_REJECT_RESERVED);
	header = good_header();
	header.cluster ^= 1;
	expect_header_rejected(header, KEYRACK_REJECT_CLUSTER);
	header.cluster = 0;
	expect_header_rejected(header, KEYRACK_REJECT_CLUSTER);
	header = good_header();
	header.type = FRAME_HELLO;
	expect_header_rejected(header, KEYRACK_REJECT_STATE);
	node_end(&server);
}

Test(conn, rejects_what_goes_in_the_wrong_direction)
{
	struct frame_header header;

	begin();
	header = good_header();
	header.flags = FRAME_FLAG_ANSWER;
	header.status = KEYRACK_DONE;
	header.remaining_us = 0;
	expect_header_rejected(header, KEYRACK_REJECT_RESERVED);
	header = good_header();
	header.status = KEYRACK_DONE;
	expect_header_rejected(header, KEYRACK_REJECT_RESERVED);
	header = good_header();
	header.remaining_us = 0;
	expect_header_rejected(header, KEYRACK_REJECT_RESERVED);
	header = good_header();
	header.principal = 1;
	expect_header_rejected(header, KEYRACK_REJECT_RESERVED);
	header = good_header();
	header.via = 1;
	expect_header_rejected(header, KEYRACK_REJECT_RESERVED);
	node_end(&server);
}

Test(conn, rejects_a_greeting_that_is_not_for_the_router)
{
	static const uint8_t types[] = {FRAME_HELLO, FRAME_AUTH};

	begin();
	for (size_t i = 0; i < 4; i++) {
		int fd = peer_connect(&server);
		struct frame_header header = request_header(types[i % 2], 1);
		header.route = i < 2 ? FRAME_ROUTE_HOTEL : FRAME_ROUTE_ROUTER;
		header.routing_key = i < 2 ? 0 : 1;
		frame_seal(&header, NULL, 0);
		peer_send(fd, &header, NULL);
		expect_reject(fd, KEYRACK_REJECT_STATE);
	}
	node_end(&server);
}

Test(conn, rejects_a_header_whose_sum_is_wrong_before_it_trusts_the_length)
{
	begin();
	for (size_t bit = 0; bit < FRAME_HEADER_SIZE * 8; bit += 7) {
		int fd = peer_connect(&server);
		struct frame_header header = good_header();
		((uint8_t *)&header)[bit / 8] ^= (uint8_t)(1u << bit % 8);
		peer_hello(fd);
		peer_write(fd, &header, sizeof(header));
		unsigned code = bit < 32   ? KEYRACK_REJECT_MAGIC
				: bit < 40 ? KEYRACK_REJECT_VERSION
					   : KEYRACK_REJECT_CHECKSUM;
		expect_reject(fd, code);
	}
	node_end(&server);
}

Test(conn, rejects_a_first_frame_that_is_no_hello)
{
	begin();
	int fd = peer_connect(&server);
	struct frame_header header = good_header();
	peer_send(fd, &header, NULL);
	expect_reject(fd, KEYRACK_REJECT_STATE);
	cr_assert_eq(server.frame_count, 0);
	node_end(&server);
}

Test(conn, lets_a_hello_ask_which_cluster_this_is_but_not_name_another)
{
	struct frame_header header = request_header(FRAME_HELLO, 3), answer;

	begin();
	int fd = peer_connect(&server);
	header.cluster = 0;
	frame_seal(&header, NULL, 0);
	peer_send(fd, &header, NULL);
	cr_assert(peer_read_frame(fd, &answer, body, sizeof(body)));
	cr_assert_eq(answer.request_id, 3);
	close(fd);
	fd = peer_connect(&server);
	header.cluster = NODE_CLUSTER + 1;
	frame_seal(&header, NULL, 0);
	peer_send(fd, &header, NULL);
	expect_reject(fd, KEYRACK_REJECT_CLUSTER);
	node_end(&server);
}

Test(conn, rejects_a_body_whose_sum_is_wrong_if_it_is_to_look)
{
	begin();
	int fd = peer_connect(&server);
	peer_hello(fd);
	size_t size_bytes = frame_put(bytes, FRAME_BOOK, 1, 3000);
	bytes[size_bytes - 1] ^= 1;
	peer_write(fd, bytes, size_bytes);
	expect_reject(fd, KEYRACK_REJECT_CHECKSUM);
	cr_assert_eq(server.frame_count, 1);
	node_end(&server);
	node_config(&server);
	server.config.body_check = false;
	node_begin(&server);
	fd = peer_connect(&server);
	peer_hello(fd);
	peer_write(fd, bytes, size_bytes);
	nodes_until(server.frame_count == 2);
	close(fd);
	node_end(&server);
}

Test(conn, rejects_a_body_over_the_limit_of_the_set)
{
	node_config(&server);
	server.config.body_size_max_bytes = 1000;
	node_begin(&server);
	struct frame_header header = good_header();
	header.body_size_bytes = 1001;
	expect_header_rejected(header, KEYRACK_REJECT_SIZE);
	node_end(&server);
}

Test(conn, says_why_even_to_a_peer_that_goes_on_talking)
{
	begin();
	int fd = peer_connect(&server);
	memset(bytes, 'G', sizeof(bytes));
	peer_write(fd, bytes, 300000);
	expect_reject(fd, KEYRACK_REJECT_MAGIC);
	node_end(&server);
}

Test(conn, rejects_another_protocol_by_its_first_bytes)
{
	begin();
	int fd = peer_connect(&server);
	peer_write(fd, "GET / HTTP/1.1\r\n\r\n", 18);
	expect_reject(fd, KEYRACK_REJECT_MAGIC);
	node_end(&server);
}

Test(conn, survives_random_bytes_after_a_hello)
{
	struct rng rng;

	begin();
	rng_init(&rng, 11);
	for (int round = 0; round < 200; round++) {
		int fd = peer_connect(&server);
		peer_hello(fd);
		size_t size_bytes = frame_put(bytes, FRAME_BOOK, 1, 500);
		for (uint64_t n = 1 + rng_below(&rng, 4); n > 0; n--)
			bytes[rng_below(&rng, size_bytes)] ^= (uint8_t)(1 + rng_below(&rng, 255));
		peer_write(fd, bytes, size_bytes);
		struct frame_header header;
		while (peer_read_frame(fd, &header, body, sizeof(body)) &&
			header.type == FRAME_HELLO)
			continue;
		cr_assert_eq(header.type, FRAME_REJECT);
		close(fd);
		nodes_until(server.close_count == server.open_count);
	}
	node_end(&server);
}
