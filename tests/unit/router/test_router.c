#include <criterion/criterion.h>

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "router/router_priv.h"
#include "tests/unit/router/router_fixture.h"

static struct town town;

static bool links_are_up(void)
{
	return router_link_is_up(town.router, 0) && router_link_is_up(town.router, 1);
}

static void begin(void)
{
	town_plan(&town);
	shard_begin(&town.shards[0]);
	shard_begin(&town.shards[1]);
	town_begin(&town);
	town_until(&town, links_are_up());
}

static void ask(int fd, uint64_t request_id, uint32_t shard)
{
	client_send(fd, client_request(FRAME_BOOK, request_id, shard), "a body", 6);
}

Test(router, forwards_requests_and_brings_the_answers_back)
{
	struct frame_header header;
	uint8_t body[64];

	begin();
	int fd = client_begin(&town);
	for (uint64_t id = 10; id < 110; id++)
		ask(fd, id, id % SHARDS);
	uint64_t next[SHARDS] = {10, 11};
	for (int i = 0; i < 100; i++) {
		cr_assert(client_read(&town, fd, &header, body, sizeof(body)));
		cr_assert_eq(header.request_id, next[header.request_id % SHARDS]);
		next[header.request_id % SHARDS] += SHARDS;
		cr_assert_eq(memcmp(body, "a body", 6), 0);
		cr_assert_eq(header.routing_key, header.request_id % SHARDS);
	}
	cr_assert_eq(town.shards[0].frame_count, 50);
	cr_assert_leq(town.shards[0].frames[0].remaining_us, 5000000);
	close(fd);
	town_end(&town);
}

Test(router, keeps_requests_of_clients_with_the_same_ids_apart)
{
	begin();
	int fds[20];
	for (int i = 0; i < 20; i++)
		fds[i] = client_begin(&town);
	town.shards[0].is_silent = true;
	for (int i = 0; i < 20; i++)
		ask(fds[i], 7, 0);
	town_until(&town, town.shards[0].frame_count == 20);
	shard_answer_all(&town.shards[0]);
	for (int i = 0; i < 20; i++) {
		client_expect(&town, fds[i], 7, KEYRACK_DONE);
		client_expect_nothing(&town, fds[i]);
		close(fds[i]);
	}
	town_end(&town);
}

Test(router, lets_requests_wait_for_a_shard_that_comes_late)
{
	town_plan(&town);
	shard_begin(&town.shards[0]);
	town_begin(&town);
	int fd = client_begin(&town);
	ask(fd, 1, 1);
	ask(fd, 2, 1);
	ask(fd, 3, 0);
	client_expect(&town, fd, 3, KEYRACK_DONE);
	client_expect_nothing(&town, fd);
	shard_begin(&town.shards[1]);
	client_expect(&town, fd, 1, KEYRACK_DONE);
	client_expect(&town, fd, 2, KEYRACK_DONE);
	cr_assert_lt(town.shards[1].frames[0].remaining_us, 5000000 - 50000,
		"the time it waited is gone");
	close(fd);
	town_end(&town);
}

/* The router of a shard's own process need not find out. */
Test(router, dials_at_once_a_shard_that_is_said_to_serve)
{
	town_plan(&town);
	town_begin(&town);
	struct router_link *link = &town.router->links[1];
	town_until(&town, link->failure_count > 2 && link->state == LINK_RESTING);
	shard_begin(&town.shards[1]);
	router_shard_serves(town.router, 1);
	cr_assert_eq(link->state, LINK_DIALLING);
	cr_assert_not(link->timer.is_running);
	router_shard_serves(town.router, 1);
	cr_assert_eq(link->state, LINK_DIALLING, "once is enough");
	town_until(&town, link->state == LINK_UP);
	router_shard_serves(town.router, 1);
	cr_assert_eq(link->state, LINK_UP);
	town_until(&town, town.router->links[0].state == LINK_RESTING);
	router_stop(town.router);
	router_shard_serves(town.router, 0);
	cr_assert_eq(town.router->links[0].state, LINK_RESTING, "who stops dials nobody");
	town_end(&town);
}

Test(router, tells_what_is_unknown_when_a_shard_dies_and_finds_the_next_one)
{
	begin();
	town.shards[0].is_silent = true;
	int fd = client_begin(&town);
	ask(fd, 1, 0);
	town_until(&town, town.shards[0].frame_count == 1);
	shard_end(&town.shards[0]);
	client_expect(&town, fd, 1, KEYRACK_OUTCOME_UNKNOWN);
	ask(fd, 2, 0);
	client_expect_nothing(&town, fd);
	town.shards[0].is_silent = false;
	uint64_t begin_us = town_now_us();
	shard_begin(&town.shards[0]);
	client_expect(&town, fd, 2, KEYRACK_DONE);
	cr_assert_lt(town_now_us() - begin_us, 20 * ROUTER_BACKOFF_MAX_US);
	close(fd);
	town_end(&town);
}

Test(router, answers_unavailable_when_the_shard_does_not_come_in_time)
{
	town_plan(&town);
	town_begin(&town);
	int fd = client_begin(&town);
	struct frame_header header = client_request(FRAME_HOLD, 9, 0);
	header.remaining_us = 100000;
	uint64_t begin_us = town_now_us();
	client_send(fd, header, NULL, 0);
	client_expect(&town, fd, 9, KEYRACK_UNAVAILABLE);
	uint64_t took_us = town_now_us() - begin_us;
	cr_assert_geq(took_us, 100000 - ROUTE_WAIT_MARGIN_US - 1000);
	cr_assert_leq(took_us, 2000000, "soon, as far as a busy machine can tell");
	close(fd);
	town_end(&town);
}

/* A wrong process at a shard's address: nothing is forwarded, and the operator hears why, once. */
static void expect_refused(const char *reason)
{
	shard_begin(&town.shards[0]);
	town_begin(&town);
	town_until(&town, strstr(town.notes, reason) != NULL);
	int fd = client_begin(&town);
	struct frame_header header = client_request(FRAME_HOLD, 9, 0);
	header.remaining_us = 50000;
	client_send(fd, header, NULL, 0);
	client_expect(&town, fd, 9, KEYRACK_UNAVAILABLE);
	cr_assert_eq(town.shards[0].frame_count, 0);
	cr_assert(!router_link_is_up(town.router, 0));
	cr_assert_null(strstr(strstr(town.notes, reason) + 1, "shard 0"), "said once");
	close(fd);
	town_end(&town);
}

Test(router, refuses_a_shard_of_another_cluster)
{
	town_plan(&town);
	town.shards[0].hello_cluster++;
	expect_refused("it is of another cluster");
}

Test(router, refuses_a_shard_that_is_not_the_one_meant)
{
	town_plan(&town);
	town.shards[0].hello_shard = 2;
	expect_refused("another shard answers there");
}

Test(router, refuses_a_router_in_place_of_a_shard)
{
	town_plan(&town);
	town.shards[0].hello_shard = 0;
	expect_refused("that is a router, not a shard");
}

Test(router, refuses_a_shard_of_a_cluster_of_another_size)
{
	town_plan(&town);
	town.shards[0].hello_shard_count = 3;
	expect_refused("its cluster has another number of shards");
}

Test(router, gives_up_on_a_shard_that_does_not_answer_hello)
{
	town_plan(&town);
	town.shards[0].hello_is_withheld = true;
	expect_refused("it does not answer");
}

/* The clock cannot be turned, so the link is made to have heard nothing for so long. */
static void make_silent(uint32_t shard, uint64_t silence_us)
{
	struct router_link *link = &town.router->links[shard];
	uint64_t now_us = io_clock_boot_us(town.loop);

	cr_assert_gt(now_us, silence_us);
	link->heard_at_us = now_us - silence_us;
	io_timer_start(town.loop, &link->timer, now_us);
}

Test(router, pings_a_link_that_is_silent)
{
	begin();
	make_silent(0, ROUTER_PING_US);
	town_until(&town, town.shards[0].ping_count == 1);
	for (int i = 0; i < 20; i++)
		town_turn(&town);
	cr_assert_gt(town.router->links[0].heard_at_us + 1000000, io_clock_boot_us(town.loop));
	cr_assert(links_are_up());
	int fd = client_begin(&town);
	ask(fd, 1, 0);
	client_expect(&town, fd, 1, KEYRACK_DONE);
	close(fd);
	town_end(&town);
}

Test(router, gives_up_a_link_that_stays_silent_and_dials_again)
{
	begin();
	int fd = client_begin(&town);
	town.shards[0].is_silent = true;
	ask(fd, 1, 0);
	town_until(&town, town.shards[0].frame_count == 1);
	make_silent(0, ROUTER_SILENCE_US);
	client_expect(&town, fd, 1, KEYRACK_OUTCOME_UNKNOWN);
	cr_assert_not_null(strstr(town.notes, "it has fallen silent"));
	town.shards[0].is_silent = false;
	ask(fd, 2, 0);
	client_expect(&town, fd, 2, KEYRACK_DONE);
	close(fd);
	town_end(&town);
}

Test(router, drains_before_it_stops)
{
	begin();
	int fd = client_begin(&town);
	town.shards[0].is_silent = true;
	ask(fd, 1, 0);
	town_until(&town, town.shards[0].frame_count == 1);
	router_stop(town.router);
	ask(fd, 2, 0);
	client_expect(&town, fd, 2, KEYRACK_UNAVAILABLE);
	cr_assert(!router_is_stopped(town.router));
	shard_answer_all(&town.shards[0]);
	client_expect(&town, fd, 1, KEYRACK_DONE);
	uint8_t byte;
	struct frame_header header;
	cr_assert(!client_read(&town, fd, &header, &byte, 1), "the stream ends after the answer");
	close(fd);
	town_until(&town, router_is_stopped(town.router));
	town.router = router_free(town.router);
	town.loop = io_loop_free(town.loop);
	shard_end(&town.shards[0]);
	shard_end(&town.shards[1]);
}

/* A shard has a request and never answers it, the client stays: the router is told to stop. */
static int stop_with_one_in_flight(void)
{
	begin();
	int fd = client_begin(&town);
	town.shards[0].is_silent = true;
	ask(fd, 1, 0);
	town_until(&town, town.shards[0].frame_count == 1);
	router_stop(town.router);
	for (int i = 0; i < 50; i++)
		town_turn(&town);
	cr_assert(router_is_stopping(town.router));
	cr_assert(!router_is_stopped(town.router));
	return fd;
}

static void end_stopped(int fd)
{
	uint64_t begin_us = town_now_us();
	town_until(&town, router_is_stopped(town.router));
	cr_assert_lt(town_now_us() - begin_us, ROUTER_DRAIN_US - 500000);
	close(fd);
	town.router = router_free(town.router);
	town.loop = io_loop_free(town.loop);
	shard_end(&town.shards[0]);
	shard_end(&town.shards[1]);
}

Test(router, stops_after_its_time_even_if_nobody_says_another_word)
{
	int fd = stop_with_one_in_flight();
	town.router->draining_at_us -= ROUTER_DRAIN_US;
	end_stopped(fd);
}

Test(router, stops_without_patience_when_told_twice)
{
	int fd = stop_with_one_in_flight();
	router_stop(town.router);
	end_stopped(fd);
}

Test(router, drops_the_answers_for_a_client_that_left)
{
	begin();
	int fd = client_begin(&town), other = client_begin(&town);
	town.shards[0].is_silent = true;
	ask(fd, 1, 0);
	town_until(&town, town.shards[0].frame_count == 1);
	close(fd);
	for (int i = 0; i < 20; i++)
		town_turn(&town);
	fd = client_begin(&town);
	shard_answer_all(&town.shards[0]);
	client_expect_nothing(&town, fd);
	client_expect_nothing(&town, other);
	close(fd);
	close(other);
	town_end(&town);
}

Test(router, rejects_a_client_whose_body_is_damaged_before_that_costs_everybody_the_link)
{
	struct frame_header answer;
	uint8_t body[160];

	begin();
	int fd = client_begin(&town), other = client_begin(&town);
	struct frame_header header = client_request(FRAME_BOOK, 1, 0);
	frame_seal(&header, "right", 5);
	cr_assert_eq(send(fd, &header, sizeof(header), 0), sizeof(header));
	cr_assert_eq(send(fd, "wrong", 5, 0), 5);
	cr_assert(client_read(&town, fd, &answer, body, sizeof(body)));
	cr_assert_eq(answer.type, FRAME_REJECT);
	cr_assert_eq(answer.status, KEYRACK_REJECT_CHECKSUM);
	cr_assert_eq(town.shards[0].frame_count, 0);
	ask(other, 2, 0);
	client_expect(&town, other, 2, KEYRACK_DONE);
	close(fd);
	close(other);
	town_end(&town);
}

Test(router, does_not_ask_what_is_in_the_body_of_an_answer)
{
	struct frame_header header;
	uint8_t bytes[FRAME_HEADER_SIZE + 6];

	begin();
	int fd = client_begin(&town);
	town.shards[0].is_silent = true;
	ask(fd, 1, 0);
	town_until(&town, town.shards[0].frame_count == 1);
	/* The answer's sum was made over another body: the client is the one to find out. */
	header = town.shards[0].frames[0];
	header.flags = FRAME_FLAG_ANSWER;
	header.status = KEYRACK_DONE;
	header.remaining_us = 0;
	frame_seal(&header, "answer", 6);
	cr_assert_eq(conn_send(town.shards[0].set, town.shards[0].router, &header, "ANSWER"), 0);
	conn_set_turn(town.shards[0].set);
	for (size_t have = 0; have < sizeof(bytes);) {
		town_turn(&town);
		ssize_t n = recv(fd, bytes + have, sizeof(bytes) - have, 0);
		have += n > 0 ? (size_t)n : 0;
	}
	cr_assert_eq(frame_header_read(bytes, &header), 0);
	cr_assert_eq(header.request_id, 1);
	cr_assert_eq(memcmp(bytes + FRAME_HEADER_SIZE, "ANSWER", 6), 0);
	close(fd);
	town_end(&town);
}
