#include <criterion/criterion.h>

#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "proto/conn_priv.h"
#include "tests/unit/router/conn_fixture.h"

static struct node server, caller;
static uint8_t body[FRAME_BODY_SIZE_MAX];

static void ask(int fd, uint64_t request_id, uint32_t size_bytes)
{
	struct frame_header header = request_header(FRAME_BOOK, request_id);
	frame_seal(&header, body, size_bytes);
	peer_send(fd, &header, body);
}

/* Asks for so many bytes in answers without reading one, until the server has had enough. */
static void gorge(int fd, uint32_t answer_size_bytes)
{
	for (uint64_t id = 1; server.cut_count == 0; id++) {
		cr_assert_lt(id, 100000);
		ask(fd, id, answer_size_bytes);
		nodes_turn();
	}
}

Test(conn_limits, cuts_off_a_reader_that_is_too_slow_and_serves_the_others)
{
	struct frame_header answer;

	node_config(&server);
	server.echoes = server.is_tight = true;
	server.config.queue_size_max_bytes = 2u << 20;
	node_begin(&server);
	int slow = peer_connect(&server), quick = peer_connect(&server);
	peer_hello(slow);
	peer_hello(quick);
	cr_assert(peer_read_frame(quick, &answer, body, sizeof(body)));
	gorge(slow, 60000);
	nodes_until(server.close_count == 1);
	cr_assert_eq(server.last_reason, CONN_REASON_SLOW);
	cr_assert_eq(conn_set_counters(server.set)->cut_slow, 1);
	nodes_until(conn_set_counters(server.set)->blocks_used == 0);
	ask(quick, 7, 100);
	cr_assert(peer_read_frame(quick, &answer, body, sizeof(body)));
	cr_assert_eq(answer.request_id, 7);
	close(slow);
	close(quick);
	node_end(&server);
}

Test(conn_limits, sends_to_a_few_connections_a_turn_and_does_not_sleep_before_all_have_theirs)
{
	enum { PEERS = 3 * CONN_FLUSH_MAX + 1 };
	int fds[PEERS];
	struct frame_header answer;

	node_config(&server);
	server.echoes = true;
	node_begin(&server);
	for (uint32_t i = 0; i < PEERS; i++) {
		fds[i] = peer_connect(&server);
		peer_hello(fds[i]);
	}
	for (uint32_t i = 0; i < PEERS; i++)
		cr_assert(peer_read_frame(fds[i], &answer, body, sizeof(body)));
	/* Asked again by all at once, between two turns. */
	const uint64_t before = conn_set_counters(server.set)->sends;
	const uint64_t asked_us = nodes_now_us();
	uint64_t sends = before;
	struct frame_header header = request_header(FRAME_BOOK, 1000);
	frame_seal(&header, body, 43);
	for (uint32_t i = 0; i < PEERS; i++) {
		/* Both fit a socket's buffer: written without a turn in between. */
		cr_assert_eq(send(fds[i], &header, sizeof(header), 0), sizeof(header));
		cr_assert_eq(send(fds[i], body, 43, 0), 43);
	}
	while (sends < before + PEERS) {
		cr_assert_eq(io_loop_tick(server.loop, 10000000), 0);
		uint64_t now = conn_set_counters(server.set)->sends;
		cr_assert_leq(now - sends, CONN_FLUSH_MAX);
		sends = now;
	}
	cr_assert_lt(nodes_now_us() - asked_us, 8000000, "slept over what was left to send");
	for (uint32_t i = 0; i < PEERS; i++) {
		cr_assert(peer_read_frame(fds[i], &answer, body, sizeof(body)));
		cr_assert_eq(answer.request_id, 1000);
		close(fds[i]);
	}
	nodes_until(server.close_count == PEERS);
	node_end(&server);
}

Test(conn_limits, takes_blocks_from_the_greediest_when_the_pool_is_empty)
{
	struct frame_header answer;

	node_config(&server);
	server.echoes = server.is_tight = true;
	server.config.pool_size_bytes = 3u << 20;
	server.config.queue_size_max_bytes = 64u << 20;
	node_begin(&server);
	int greedy = peer_connect(&server), modest = peer_connect(&server);
	peer_hello(greedy);
	peer_hello(modest);
	cr_assert(peer_read_frame(modest, &answer, body, sizeof(body)));
	/* A frame of the modest one is half there: it holds some blocks. */
	struct frame_header header = request_header(FRAME_BOOK, 5);
	frame_seal(&header, body, 200000);
	peer_write(modest, &header, sizeof(header));
	peer_write(modest, body, 100000);
	for (uint64_t id = 1; server.close_count == 0; id++) {
		ask(greedy, id, 60000);
		nodes_turn();
	}
	cr_assert_eq(server.last_reason, CONN_REASON_SLOW);
	peer_write(modest, body + 100000, 100000);
	cr_assert(peer_read_frame(modest, &answer, body, sizeof(body)));
	cr_assert_eq(answer.request_id, 5);
	cr_assert_eq(server.close_count, 1);
	close(greedy);
	close(modest);
	node_end(&server);
}

/* The clock cannot be turned, so the connection is made to look older. */
static struct conn *the_connection(void)
{
	struct conn *conn = conn_find(server.set, server.last_open);
	cr_assert_not_null(conn);
	return conn;
}

Test(conn_limits, cuts_off_who_leaves_a_frame_unfinished)
{
	node_config(&server);
	node_begin(&server);
	int fd = peer_connect(&server);
	peer_hello(fd);
	peer_write(fd, body, 1);
	nodes_until(server.frame_count == 1 && the_connection()->partial_at_us != 0);
	the_connection()->partial_at_us = 1;
	nodes_until(server.close_count == 1);
	cr_assert_eq(server.last_reason, CONN_REASON_STALLED);
	cr_assert(peer_is_at_end(fd));
	close(fd);
	node_end(&server);
}

Test(conn_limits, cuts_off_who_never_says_hello)
{
	node_config(&server);
	node_begin(&server);
	int fd = peer_connect(&server);
	nodes_until(server.open_count == 1);
	the_connection()->opened_at_us = 1;
	nodes_until(server.close_count == 1);
	cr_assert_eq(server.last_reason, CONN_REASON_STALLED);
	close(fd);
	node_end(&server);
}

Test(conn_limits, cuts_off_whose_send_never_ends)
{
	node_config(&server);
	server.echoes = true;
	server.config.queue_size_max_bytes = 8u << 20;
	node_begin(&server);
	int fd = peer_connect(&server);
	peer_hello(fd);
	/* Until the kernel has all it takes and what follows piles up here. */
	while (server.frame_count == 0 || the_connection()->out.size_bytes < 3u << 20) {
		ask(fd, 1, 60000);
		nodes_turn();
	}
	the_connection()->sending_at_us = 1;
	nodes_until(server.close_count == 1);
	cr_assert_eq(server.last_reason, CONN_REASON_SLOW);
	close(fd);
	node_end(&server);
}

Test(conn_limits, closes_idle_clients_after_their_time)
{
	node_config(&server);
	server.config.idle_timeout_us = 100000;
	node_begin(&server);
	int fd = peer_connect(&server);
	peer_hello(fd);
	nodes_until(server.close_count == 1);
	cr_assert_eq(server.frame_count, 1);
	cr_assert_eq(server.last_reason, CONN_REASON_IDLE);
	cr_assert(peer_is_at_end(fd));
	close(fd);
	node_end(&server);
}

Test(conn_limits, hangs_up_on_clients_beyond_the_last_place_and_gives_places_again)
{
	node_config(&server);
	server.config.accept_max_count = 2;
	node_begin(&server);
	int a = peer_connect(&server), b = peer_connect(&server);
	nodes_until(server.open_count == 2);
	int c = peer_connect(&server);
	cr_assert(peer_is_at_end(c));
	cr_assert_eq(conn_set_counters(server.set)->refused, 1);
	struct conn_id before = server.last_open;
	close(b);
	nodes_until(server.close_count == 1 && server.set->used_count == 1);
	close(c);
	c = peer_connect(&server);
	nodes_until(server.open_count == 3);
	cr_assert_eq(server.last_open.index, before.index);
	cr_assert_neq(server.last_open.generation, before.generation);
	cr_assert(!conn_is_open(server.set, before));
	struct frame_header header = request_header(FRAME_BOOK, 1);
	frame_seal(&header, NULL, 0);
	cr_assert_eq(conn_send(server.set, before, &header, NULL), CONN_GONE);
	struct conn_info info;
	cr_assert_eq(conn_info_get(server.set, before, &info), CONN_GONE);
	cr_assert_eq(conn_info_get(server.set, server.last_open, &info), 0);
	cr_assert_eq(strncmp(info.peer, "127.0.0.1:", 10), 0, "%s", info.peer);
	close(a);
	close(c);
	node_end(&server);
}

Test(conn_limits, take_other_limits_while_clients_are_there)
{
	node_config(&server);
	server.config.accept_max_count = 3;
	node_begin(&server);
	int a = peer_connect(&server), b = peer_connect(&server);
	nodes_until(server.open_count == 2);
	conn_set_limit(server.set, 1, 0);
	int c = peer_connect(&server);
	cr_assert(peer_is_at_end(c));
	close(c);
	cr_assert_eq(server.close_count, 0, "who is there stays");
	/* Never more than there is room for. */
	conn_set_limit(server.set, 100, 0);
	c = peer_connect(&server);
	nodes_until(server.open_count == 3);
	int d = peer_connect(&server);
	cr_assert(peer_is_at_end(d));
	close(d);
	conn_set_limit(server.set, 3, 100000);
	peer_hello(a);
	nodes_until(server.close_count >= 1);
	cr_assert_eq(server.last_reason, CONN_REASON_IDLE);
	close(a);
	close(b);
	close(c);
	node_end(&server);
}

Test(conn_limits, keep_nobody_out_who_dials_from_inside)
{
	const struct io_address inside = {.kind = IO_ADDRESS_INPROC, .port = 1};
	struct kr_error_text text = {0};
	struct conn_id id;

	node_config(&server);
	node_begin(&server);
	cr_assert_eq(conn_set_listen(server.set, &inside, &text), 0, "%s", text.bytes);
	conn_set_limit(server.set, 1, 0);
	int a = peer_connect(&server);
	nodes_until(server.open_count == 1);
	int b = peer_connect(&server);
	cr_assert(peer_is_at_end(b));
	cr_assert_eq(conn_set_dial(server.set, &inside, &id), 0);
	nodes_until(server.open_count == 3); /* both ends */
	cr_assert_eq(server.close_count, 0);
	cr_assert_eq(conn_set_counters(server.set)->refused, 1);
	close(a);
	close(b);
	node_end(&server);
}

Test(conn_limits, keeps_thousands_of_idle_clients_in_little_memory, .timeout = 120)
{
	enum { CLIENTS = 5000 };
	static int fds[CLIENTS];
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	uint32_t count = KR_MIN((uint32_t)CLIENTS, (uint32_t)(limit.rlim_cur - 100) / 2);
	node_config(&server);
	server.config.accept_max_count = CLIENTS;
	server.echoes = true;
	node_begin(&server);
	size_t before_bytes = kr_memory_resident_bytes();
	struct frame_header answer;
	for (uint32_t i = 0; i < count; i++) {
		fds[i] = peer_connect(&server);
		peer_hello(fds[i]);
		cr_assert(peer_read_frame(fds[i], &answer, body, sizeof(body)));
	}
	cr_assert_eq(server.open_count, count);
	cr_assert_eq(conn_set_counters(server.set)->blocks_used, 0);
	size_t used_bytes = kr_memory_resident_bytes() - before_bytes;
	cr_assert_lt(used_bytes, (size_t)count * 2500 + (1u << 20), "%zu bytes", used_bytes);
	for (uint32_t i = 0; i < count; i++)
		close(fds[i]);
	nodes_until(server.close_count == count);
	node_end(&server);
}

/* ---- dialling ---- */

static void caller_begin(void)
{
	node_config(&server);
	node_config(&caller);
	server.echoes = true;
	node_begin(&server);
	node_begin(&caller);
}

static struct conn_id call(void)
{
	struct io_address address = node_address(&server);
	struct conn_id id;

	cr_assert_eq(conn_set_dial(caller.set, &address, &id), 0);
	cr_assert(!conn_is_open(caller.set, id));
	return id;
}

static void call_send(struct conn_id id, struct frame_header header)
{
	frame_seal(&header, "hello", 5);
	cr_assert_eq(conn_send(caller.set, id, &header, "hello"), 0);
	/* A send outside of a turn leaves with the next one. */
	conn_set_turn(caller.set);
}

Test(conn_limits, dials_and_gets_answers)
{
	caller_begin();
	struct conn_id id = call();
	nodes_until(conn_is_open(caller.set, id));
	call_send(id, request_header(FRAME_HELLO, 1));
	call_send(id, request_header(FRAME_BOOK, 2));
	nodes_until(caller.frame_count == 2);
	cr_assert_eq(caller.frames[1].header.request_id, 2);
	cr_assert_eq(caller.frames[1].header.status, KEYRACK_DONE);
	conn_close(caller.set, id, true);
	nodes_until(caller.close_count == 1 && server.close_count == 1);
	cr_assert_eq(caller.last_reason, CONN_REASON_CLOSED);
	cr_assert_eq(server.last_reason, CONN_REASON_PEER_CLOSED);
	node_end(&caller);
	node_end(&server);
}

Test(conn_limits, tells_the_code_when_the_peer_rejects_it)
{
	caller_begin();
	struct conn_id id = call();
	nodes_until(conn_is_open(caller.set, id));
	call_send(id, request_header(FRAME_BOOK, 1));
	nodes_until(caller.close_count == 1);
	cr_assert_eq(caller.last_reason, CONN_REASON_REJECTED_BY_PEER);
	cr_assert_eq(caller.last_code, KEYRACK_REJECT_STATE);
	cr_assert_eq(caller.last_close.generation, id.generation);
	node_end(&caller);
	node_end(&server);
}

Test(conn_limits, tells_when_nobody_listens_and_when_every_place_is_taken)
{
	struct conn_id id;

	caller_begin();
	struct io_address address = node_address(&server);
	for (uint32_t i = 0; i < caller.config.dial_max_count; i++)
		cr_assert_eq(conn_set_dial(caller.set, &address, &id), 0);
	cr_assert_eq(conn_set_dial(caller.set, &address, &id), CONN_FULL);
	nodes_until(caller.open_count == caller.config.dial_max_count);
	conn_close(caller.set, id, false);
	nodes_until(caller.close_count == 1 && server.close_count == 1);
	node_end(&server);
	nodes_until(caller.close_count == caller.open_count);
	nodes_turn();
	int r = conn_set_dial(caller.set, &address, &id);
	if (r == 0) {
		uint32_t closed = caller.close_count;
		nodes_until(caller.close_count == closed + 1);
		cr_assert_eq(caller.last_reason, CONN_REASON_FAILED);
		caller.open_count++; /* a dial that failed was never open */
	} else {
		cr_assert_lt(r, 0);
	}
	node_end(&caller);
}
