#include <criterion/criterion.h>

#include "router/route_priv.h"
#include "tests/unit/router/story.h"

static struct story story;
static const struct conn_id ann = {1, 1};
static const struct conn_id bob = {2, 7};

#define told(expected) cr_assert_str_eq(story_told(&story), expected)

static void begin_with_links(void)
{
	story_begin(&story);
	story_open(&story, ann);
	story_open(&story, bob);
	story_up(&story, 0);
	story_up(&story, 1);
	told("");
}

Test(route, forwards_a_request_and_gives_the_answer_back_under_the_callers_request_id)
{
	begin_with_links();
	story_ask(&story, ann, FRAME_BOOK, 77, 5000);
	told("shard 0 gets BOOK 1 with 5000 us\n");
	story_ask(&story, bob, FRAME_BOOK, 77, 6000);
	told("shard 0 gets BOOK 2 with 6000 us\n");
	story_answer(&story, 1, KEYRACK_SOLD_OUT);
	told("client 2 gets BOOK 77 SOLD_OUT\n");
	story_answer(&story, 0, KEYRACK_DONE);
	told("client 1 gets BOOK 77 DONE\n");
	cr_assert_eq(story.last.via, 0);
	cr_assert_eq(story.last.principal, 0);
	cr_assert_eq(route_in_flight(story.route), 0);
	story_end(&story);
}

Test(route, stamps_via_and_epoch_and_leaves_key_flags_and_body_alone)
{
	begin_with_links();
	struct frame_header request = story_request(FRAME_AVAILABILITY, 9, 1000);
	request.flags = FRAME_FLAG_STALE_OK;
	request.routing_key = 1;
	story_send(&story, ann, request);
	told("shard 1 gets AVAILABILITY 1 with 1000 us\n");
	cr_assert_neq(story.last.via, 0);
	cr_assert_eq(story.last.flags, FRAME_FLAG_STALE_OK);
	cr_assert_eq(story.last.routing_key, 1);
	cr_assert_eq(story.last.cluster, STORY_CLUSTER);
	cr_assert_eq(story.last.map_epoch, route_map(story.route)->epoch);
	cr_assert_eq(story.last.body_size_bytes, sizeof("request 9") - 1);
	story_end(&story);
}

Test(route, sends_every_hotel_slot_and_shard_to_its_owner)
{
	begin_with_links();
	const struct slot_map *map = route_map(story.route);
	for (uint64_t key = 0; key < 1000; key++) {
		struct frame_header request = story_request(FRAME_STAY, key, 1000);
		request.routing_key = key * 16;
		request.route = FRAME_ROUTE_SLOT;
		story_send(&story, ann, request);
		cr_assert_eq(story.sent_shard[story.sent_count - 1], map->shard_of[key * 16]);
		request.route = FRAME_ROUTE_HOTEL;
		story_send(&story, bob, request);
		uint32_t slot = slot_of_hotel((struct hotel_id){key * 16});
		cr_assert_eq(story.sent_shard[story.sent_count - 1], map->shard_of[slot]);
		story_answer(&story, story.sent_count - 1, KEYRACK_DONE);
		story_answer(&story, story.sent_count - 2, KEYRACK_DONE);
		story_told(&story);
	}
	story_end(&story);
}

Test(route, answers_invalid_to_keys_that_nobody_owns_and_types_that_do_not_fit)
{
	begin_with_links();
	struct frame_header request = story_request(FRAME_RESOLVE, 1, 1000);
	request.route = FRAME_ROUTE_SLOT;
	request.routing_key = SLOT_COUNT;
	story_send(&story, ann, request);
	told("client 1 gets RESOLVE 1 INVALID\n");
	request.route = FRAME_ROUTE_SHARD;
	request.routing_key = 2;
	story_send(&story, ann, request);
	told("client 1 gets RESOLVE 1 INVALID\n");
	request.route = FRAME_ROUTE_ROUTER;
	request.routing_key = 0;
	story_send(&story, ann, request);
	told("client 1 gets RESOLVE 1 INVALID\n");
	story_ask(&story, ann, FRAME_ROUTER_MAP, 5, 1000);
	told("client 1 gets ROUTER_MAP 5 INVALID\n");
	story_ask(&story, ann, FRAME_HELLO, 6, 1000);
	told("client 1 gets HELLO 6 INVALID\n");
	cr_assert_eq(route_client_in_flight(story.route, ann), 0);
	story_end(&story);
}

Test(route, keeps_calls_to_the_router_for_itself_and_forwards_a_ping_to_a_shard)
{
	static const uint8_t types[] = {FRAME_HELLO, FRAME_PING, FRAME_ROUTER_STATUS,
		FRAME_ROUTER_MAP, FRAME_ROUTER_CONNECTIONS};

	begin_with_links();
	for (size_t i = 0; i < KR_ARRAY_COUNT(types); i++) {
		struct frame_header request = story_request(types[i], 1, 1000);
		request.route = FRAME_ROUTE_ROUTER;
		story_send(&story, ann, request);
		told("client 1 asks the router\n");
	}
	struct frame_header astray = story_request(FRAME_ROUTER_MAP, 3, 1000);
	astray.route = FRAME_ROUTE_ROUTER;
	astray.routing_key = 1;
	story_send(&story, ann, astray);
	told("client 1 gets ROUTER_MAP 3 INVALID\n");
	story_ask(&story, ann, FRAME_PING, 2, 1000);
	told("shard 0 gets PING 1 with 1000 us\n");
	story_end(&story);
}

Test(route, answers_moved_to_a_request_made_with_another_map)
{
	begin_with_links();
	struct frame_header request = story_request(FRAME_HOLD, 1, 1000);
	request.map_epoch = route_map(story.route)->epoch + 1;
	story_send(&story, ann, request);
	told("client 1 gets HOLD 1 MOVED\n");
	request.map_epoch = route_map(story.route)->epoch;
	story_send(&story, ann, request);
	told("shard 0 gets HOLD 1 with 1000 us\n");
	story_end(&story);
}

Test(route, refuses_what_a_client_has_no_right_to_and_forwards_nothing)
{
	begin_with_links();
	const struct conn_id eve = {3, 1};
	uint64_t forbidden_count = 0;
	story.principal = access_principal(ACCESS_BOOKING, ACCESS_UID, 1000);
	story_open(&story, eve);
	for (unsigned type = FRAME_HOTEL_PUT; type <= UINT8_MAX; type++) {
		if (strcmp(frame_type_name(type), "UNKNOWN") == 0)
			continue;
		bool is_forbidden = access_needed(type) == ACCESS_OPERATOR;
		uint32_t sent_count = story.sent_count;
		story_ask(&story, eve, (uint8_t)type, 1, 1000);
		cr_assert_eq(strstr(story_told(&story), "1 FORBIDDEN\n") != NULL, is_forbidden,
			"%s", frame_type_name(type));
		cr_assert(!is_forbidden || story.sent_count == sent_count);
		forbidden_count += is_forbidden;
	}
	cr_assert_geq(forbidden_count, 5);
	cr_assert_eq(route_forbidden_count(story.route), forbidden_count);
	struct frame_header request = story_request(FRAME_ROUTER_CONNECTIONS, 1, 1000);
	request.route = FRAME_ROUTE_ROUTER;
	story_send(&story, eve, request);
	told("client 3 gets ROUTER_CONNECTIONS 1 FORBIDDEN\n");
	story_send(&story, ann, request);
	told("client 1 asks the router\n");
	story_ask(&story, ann, FRAME_HOTEL_PUT, 2, 1000);
	cr_assert_not_null(strstr(story_told(&story), "shard 0 gets HOTEL_PUT"));
	story_end(&story);
}

Test(route, tells_shards_who_asks_and_a_new_client_is_not_the_old_one)
{
	begin_with_links();
	const struct conn_id eve = {3, 1}, next = {3, 2};
	story.principal = access_principal(ACCESS_BOOKING, ACCESS_UID, ACCESS_NUMBER_MAX);
	story_open(&story, eve);
	story_ask(&story, eve, FRAME_HOLD, 1, 1000);
	cr_assert_eq(access_principal_read(&story.last), story.principal);
	story_gone(&story, eve);
	story.principal = access_principal(ACCESS_OPERATOR, ACCESS_TOKEN, 7);
	story_open(&story, next);
	story_ask(&story, next, FRAME_HOTEL_PUT, 2, 1000);
	cr_assert_eq(access_principal_read(&story.last), story.principal);
	story_end(&story);
}

Test(route, rejects_a_client_that_stamps_what_only_a_router_may)
{
	begin_with_links();
	struct frame_header request = story_request(FRAME_HOLD, 1, 1000);
	request.via = 1;
	story_send(&story, ann, request);
	told("client 1 is rejected: REJECT_RESERVED\n");
	request.via = 0;
	request.principal = 3;
	story_send(&story, ann, request);
	told("client 1 is rejected: REJECT_RESERVED\n");
	cr_assert_eq(story.sent_count, 0);
	story_end(&story);
}

Test(route, keeps_requests_waiting_while_the_link_is_down_and_sends_them_in_their_order)
{
	story_begin(&story);
	story_open(&story, ann);
	story_open(&story, bob);
	story_ask(&story, ann, FRAME_HOLD, 1, 1000000);
	story_ask(&story, bob, FRAME_HOLD, 2, 2000000);
	story_wait(&story, 300000);
	story_ask(&story, ann, FRAME_CONFIRM, 3, 1000000);
	told("");
	story_up(&story, 0);
	told("shard 0 gets HOLD 1 with 700000 us\n"
	     "shard 0 gets HOLD 2 with 1700000 us\n"
	     "shard 0 gets CONFIRM 3 with 1000000 us\n");
	story_ask(&story, ann, FRAME_CANCEL, 4, 1000000);
	told("shard 0 gets CANCEL 4 with 1000000 us\n");
	story_answer(&story, 2, KEYRACK_DONE);
	told("client 1 gets CONFIRM 3 DONE\n");
	story_end(&story);
}

Test(route, loses_nothing_and_no_order_when_more_waits_than_one_step_can_say)
{
	story_begin(&story);
	story_open(&story, ann);
	for (uint32_t i = 1; i <= 900; i++)
		story_ask(&story, ann, FRAME_HOLD, i, 1000000);
	told("");
	story_up(&story, 0);
	cr_assert_eq(story.last_step_actions, 900);
	cr_assert_eq(story.sent_count, 900);
	for (uint32_t i = 0; i < 900; i++)
		cr_assert_eq(story.sent[i].request_id, i + 1);
	story_told(&story);
	story_down(&story, 0);
	cr_assert_eq(story.last_step_actions, 900);
	cr_assert_eq(route_in_flight(story.route), 0);
	story_end(&story);
}

/* Something between routers and shards may mix up its connections. */
Test(route, an_answer_on_another_link_or_another_routers_fits_no_request)
{
	uint64_t numbers[4];
	for (uint32_t i = 0; i < 4; i++) {
		struct frame_header ping = story_request(FRAME_PING, 7, 1000000);
		const uint32_t shard = i % 2;
		if (shard == 0) {
			story_begin(&story);
			route_number_from(story.route, i);
			story_open(&story, ann);
		}
		story_up(&story, shard);
		ping.routing_key = shard;
		story_send(&story, ann, ping);
		numbers[i] = story.sent[shard].request_id;
		for (uint32_t k = 0; k < i; k++)
			cr_assert_gt(llabs((int64_t)(numbers[i] - numbers[k])), INT64_C(1) << 32);
		if (shard == 0)
			continue;
		cr_assert_eq(story.sent[0].via, story.sent[1].via);
		story_told(&story);
		story.sent_shard[1] = 0;
		story_answer(&story, 1, KEYRACK_DONE);
		told("");
		story_answer(&story, 0, KEYRACK_DONE);
		told("client 1 gets PING 7 DONE\n");
		story_end(&story);
	}
}

Test(route, answers_unavailable_a_margin_before_the_deadline_of_what_waits)
{
	story_begin(&story);
	story_open(&story, ann);
	story_ask(&story, ann, FRAME_HOLD, 1, 500000);
	story_ask(&story, ann, FRAME_HOLD, 2, 100000);
	story_wait(&story, 100000 - ROUTE_WAIT_MARGIN_US - 1);
	told("");
	story_wait(&story, ROUTE_WAIT_SCAN_US + 1);
	told("client 1 gets HOLD 2 UNAVAILABLE\n");
	story_wait(&story, 300000);
	story_up(&story, 0);
	told("shard 0 gets HOLD 1 with 105000 us\n");
	cr_assert_eq(route_client_in_flight(story.route, ann), 1);
	story_end(&story);
}

Test(route, answers_unavailable_at_once_when_there_is_no_time_to_wait)
{
	story_begin(&story);
	story_open(&story, ann);
	story_ask(&story, ann, FRAME_HOLD, 1, ROUTE_WAIT_MARGIN_US);
	told("client 1 gets HOLD 1 UNAVAILABLE\n");
	story_ask(&story, ann, FRAME_HOLD, 2, ROUTE_WAIT_MARGIN_US + 1);
	told("");
	story_end(&story);
}

Test(route, never_forwards_what_is_past_its_deadline)
{
	story_begin(&story);
	story_open(&story, ann);
	story_ask(&story, ann, FRAME_HOLD, 1, 100000);
	story.now_us += 100000; /* no TIMEOUT came in between */
	story_up(&story, 0);
	told("client 1 gets HOLD 1 UNAVAILABLE\n");
	cr_assert_eq(story.sent_count, 0);
	struct route_link_counters counters;
	route_link_counters_get(story.route, 0, &counters);
	cr_assert_eq(counters.unavailable, 1);
	cr_assert_eq(counters.overloaded, 0);
	story_end(&story);
}

Test(route, answers_overloaded_at_once_when_the_wait_queue_is_full_of_frames)
{
	story_begin(&story);
	story_open(&story, ann);
	for (uint32_t i = 1; i <= 999; i++)
		story_ask(&story, ann, FRAME_STAY, i, 1000000);
	story_open(&story, bob);
	story_ask(&story, bob, FRAME_STAY, 1, 1000000);
	told("");
	story_ask(&story, bob, FRAME_STAY, 2, 1000000);
	told("client 2 gets STAY 2 OVERLOADED\n");
	cr_assert_eq(route_client_in_flight(story.route, bob), 1);
	story_end(&story);
}

Test(route, answers_overloaded_at_once_when_the_wait_queue_is_full_of_bytes)
{
	story_begin(&story);
	story_end(&story);
	story.config.wait_size_max_bytes = 4 * (FRAME_HEADER_SIZE + sizeof("request 1") - 1);
	story_begin_sized(&story);
	story_open(&story, ann);
	for (uint32_t i = 1; i <= 4; i++)
		story_ask(&story, ann, FRAME_STAY, i, 100000 * i);
	told("");
	story_ask(&story, ann, FRAME_STAY, 5, 1000000);
	told("client 1 gets STAY 5 OVERLOADED\n");
	/* What gave up makes room for what comes. */
	story_wait(&story, 200000);
	told("client 1 gets STAY 1 UNAVAILABLE\nclient 1 gets STAY 2 UNAVAILABLE\n");
	story_ask(&story, ann, FRAME_STAY, 6, 1000000);
	story_ask(&story, ann, FRAME_STAY, 7, 1000000);
	told("");
	story_ask(&story, ann, FRAME_STAY, 8, 1000000);
	told("client 1 gets STAY 8 OVERLOADED\n");
	story_up(&story, 0);
	told("shard 0 gets STAY 1 with 100000 us\n"
	     "shard 0 gets STAY 2 with 200000 us\n"
	     "shard 0 gets STAY 3 with 1000000 us\n"
	     "shard 0 gets STAY 4 with 1000000 us\n");
	cr_assert_eq(story.last.body_size_bytes, sizeof("request 7") - 1);
	story_end(&story);
}

Test(route, answers_overloaded_beyond_a_clients_window_and_gives_the_place_back)
{
	begin_with_links();
	story_end(&story);
	story.config.window = 2;
	story_begin_sized(&story);
	story_open(&story, ann);
	story_open(&story, bob);
	story_up(&story, 0);
	story_ask(&story, ann, FRAME_HOLD, 1, 1000);
	story_ask(&story, ann, FRAME_HOLD, 2, 1000);
	story_told(&story);
	story_ask(&story, ann, FRAME_HOLD, 3, 1000);
	told("client 1 gets HOLD 3 OVERLOADED\n");
	story_ask(&story, bob, FRAME_HOLD, 3, 1000);
	told("shard 0 gets HOLD 3 with 1000 us\n");
	story_answer(&story, 0, KEYRACK_DONE);
	story_ask(&story, ann, FRAME_HOLD, 4, 1000);
	told("client 1 gets HOLD 1 DONE\nshard 0 gets HOLD 4 with 1000 us\n");
	story_end(&story);
}

Test(route, gives_the_place_of_a_request_that_is_over_to_the_next_one)
{
	begin_with_links();
	story_end(&story);
	story.config.window = 1;
	story_begin_sized(&story);
	story_open(&story, ann);
	story_up(&story, 0);
	story_ask(&story, ann, FRAME_HOLD, 1, 100000);
	story.now_us += 99999;
	story_ask(&story, ann, FRAME_HOLD, 2, 1000);
	told("shard 0 gets HOLD 1 with 100000 us\nclient 1 gets HOLD 2 OVERLOADED\n");
	story.now_us += ROUTE_SWEEP_WANTED_US;
	story_ask(&story, ann, FRAME_HOLD, 3, 1000);
	told("shard 0 gets HOLD 2 with 1000 us\n");
	story_end(&story);
}

Test(route, answers_overloaded_beyond_the_window_of_a_shard_or_the_flights_of_a_link)
{
	begin_with_links();
	story_down(&story, 0);
	story_up_window(&story, 0, 1);
	story_ask(&story, ann, FRAME_HOLD, 1, 1000);
	story_ask(&story, bob, FRAME_HOLD, 2, 1000);
	told("shard 0 gets HOLD 1 with 1000 us\nclient 2 gets HOLD 2 OVERLOADED\n");
	story_end(&story);
	story.config.flight_max_count = 1;
	story_begin_sized(&story);
	story_open(&story, ann);
	story_up(&story, 0);
	story_ask(&story, ann, FRAME_HOLD, 1, 1000);
	story_ask(&story, ann, FRAME_HOLD, 2, 1000);
	told("shard 0 gets HOLD 1 with 1000 us\nclient 1 gets HOLD 2 OVERLOADED\n");
	story_end(&story);
}

Test(route, answers_overloaded_when_a_shard_leaves_too_many_bytes_unanswered)
{
	story_begin(&story);
	story_end(&story);
	story.config.flight_size_max_bytes = 2 * (FRAME_HEADER_SIZE + sizeof("request 1") - 1);
	story_begin_sized(&story);
	story_open(&story, ann);
	story_up(&story, 0);
	story_ask(&story, ann, FRAME_HOLD, 1, 1000);
	story_ask(&story, ann, FRAME_HOLD, 2, 1000);
	story_told(&story);
	story_ask(&story, ann, FRAME_HOLD, 3, 1000);
	told("client 1 gets HOLD 3 OVERLOADED\n");
	story_answer(&story, 0, KEYRACK_DONE);
	story_ask(&story, ann, FRAME_HOLD, 4, 1000);
	told("client 1 gets HOLD 1 DONE\nshard 0 gets HOLD 3 with 1000 us\n");
	story_end(&story);
}

Test(route, lets_what_flies_end_and_takes_nothing_new_while_it_drains)
{
	begin_with_links();
	story_down(&story, 1);
	story_ask(&story, ann, FRAME_BOOK, 1, 1000000);
	struct frame_header request = story_request(FRAME_BOOK, 2, 1000000);
	request.routing_key = 1;
	story_send(&story, ann, request);
	story_told(&story);
	story_drain(&story);
	told("client 1 gets BOOK 2 UNAVAILABLE\n");
	story_ask(&story, bob, FRAME_BOOK, 3, 1000000);
	told("client 2 gets BOOK 3 UNAVAILABLE\n");
	story_answer(&story, 0, KEYRACK_DONE);
	told("client 1 gets BOOK 1 DONE\n");
	cr_assert_eq(route_in_flight(story.route), 0);
	story_end(&story);
}

Test(route, tells_what_was_forwarded_and_lost_in_the_order_it_was_asked_reads_too)
{
	begin_with_links();
	story_ask(&story, ann, FRAME_BOOK, 10, 1000000);
	story_ask(&story, bob, FRAME_AVAILABILITY, 20, 1000000);
	story_ask(&story, ann, FRAME_CANCEL, 11, 1000000);
	story_ask(&story, ann, FRAME_STAY, 12, 1000000);
	story_answer(&story, 2, KEYRACK_DONE);
	story_told(&story);
	story_down(&story, 0);
	told("client 1 gets BOOK 10 OUTCOME_UNKNOWN\n"
	     "client 2 gets AVAILABILITY 20 OUTCOME_UNKNOWN\n"
	     "client 1 gets STAY 12 OUTCOME_UNKNOWN\n");
	cr_assert_eq(route_in_flight(story.route), 0);
	story_end(&story);
}

Test(route, gives_the_key_back_in_answers_that_no_shard_made)
{
	struct frame_header request = story_request(FRAME_STAY, 5, 1000000);

	begin_with_links();
	request.routing_key = 1;
	story_send(&story, ann, request);
	story_down(&story, 1);
	cr_assert_eq(story.last.status, KEYRACK_OUTCOME_UNKNOWN);
	cr_assert_eq(story.last.routing_key, 1);
	cr_assert_eq(story.last.route, FRAME_ROUTE_SHARD);
	request.remaining_us = 100000;
	story_send(&story, ann, request);
	story_wait(&story, 100000);
	cr_assert_eq(story.last.status, KEYRACK_UNAVAILABLE);
	cr_assert_eq(story.last.routing_key, 1);
	cr_assert_eq(story.last.body_size_bytes, 0);
	story_end(&story);
}

Test(route, leaves_the_other_shards_alone_when_a_link_is_lost)
{
	begin_with_links();
	struct frame_header request = story_request(FRAME_HOLD, 5, 1000000);
	request.routing_key = 1;
	story_send(&story, ann, request);
	story_told(&story);
	story_down(&story, 0);
	told("");
	story_answer(&story, 0, KEYRACK_DONE);
	told("client 1 gets HOLD 5 DONE\n");
	story_end(&story);
}

Test(route, sends_what_waits_once_even_if_the_link_is_lost_again)
{
	story_begin(&story);
	story_open(&story, ann);
	story_ask(&story, ann, FRAME_BOOK, 1, 1000000);
	story_up(&story, 0);
	told("shard 0 gets BOOK 1 with 1000000 us\n");
	story_down(&story, 0);
	told("client 1 gets BOOK 1 OUTCOME_UNKNOWN\n");
	story_up(&story, 0);
	told("");
	story_answer(&story, 0, KEYRACK_DONE);
	told("");
	story_end(&story);
}

Test(route, drops_the_answer_for_a_client_that_left_even_if_another_sits_in_its_place)
{
	begin_with_links();
	story_ask(&story, ann, FRAME_BOOK, 1, 1000000);
	story_told(&story);
	story_gone(&story, ann);
	struct conn_id next = {ann.index, ann.generation + 1};
	story_open(&story, next);
	story_answer(&story, 0, KEYRACK_DONE);
	told("");
	cr_assert_eq(route_client_in_flight(story.route, next), 0);
	cr_assert_eq(route_in_flight(story.route), 0);
	struct route_link_counters counters;
	route_link_counters_get(story.route, 0, &counters);
	cr_assert_eq(counters.late, 1);
	cr_assert_eq(counters.answered, 0);
	story_end(&story);
}

Test(route, does_not_send_what_waited_for_a_client_that_left)
{
	story_begin(&story);
	story_open(&story, ann);
	story_open(&story, bob);
	story_ask(&story, ann, FRAME_HOLD, 1, 1000000);
	story_ask(&story, bob, FRAME_HOLD, 2, 1000000);
	story_gone(&story, ann);
	story_up(&story, 0);
	told("shard 0 gets HOLD 1 with 1000000 us\n");
	cr_assert_eq(route_in_flight(story.route), 1);
	story_end(&story);
}

Test(route, forgets_a_request_past_its_deadline_and_drops_the_late_answer)
{
	begin_with_links();
	story_ask(&story, ann, FRAME_HOLD, 1, 1000);
	story_wait(&story, 1000 + ROUTE_SWEEP_US);
	cr_assert_eq(route_in_flight(story.route), 0);
	cr_assert_eq(route_client_in_flight(story.route, ann), 0);
	story_told(&story);
	/* The same flight is in use again when the late answer comes. */
	story_ask(&story, ann, FRAME_HOLD, 2, 1000);
	cr_assert_eq(story.sent[0].via & (ROUTE_FLIGHT_MAX - 1),
		story.sent[1].via & (ROUTE_FLIGHT_MAX - 1));
	cr_assert_neq(story.sent[0].via, story.sent[1].via);
	story_told(&story);
	story_answer(&story, 0, KEYRACK_DONE);
	told("");
	story_answer(&story, 1, KEYRACK_DONE);
	told("client 1 gets HOLD 2 DONE\n");
	story_end(&story);
}

Test(route, forgets_a_request_at_its_deadline_and_not_a_sweep_later)
{
	begin_with_links();
	story_ask(&story, ann, FRAME_HOLD, 1, 1000);
	story_wait(&story, 1000 + ROUTE_SWEEP_US);
	story_ask(&story, ann, FRAME_HOLD, 1, 1000);
	const uint64_t left_us = route_wakeup_us(story.route, story.now_us) - story.now_us;
	story_ask(&story, ann, FRAME_HOLD, 2, (uint32_t)left_us);
	story_ask(&story, ann, FRAME_HOLD, 3, (uint32_t)left_us + 1);
	story_wait(&story, left_us);
	cr_assert_eq(route_in_flight(story.route), 1);
	story_told(&story);
	story_end(&story);
}

/* A walk over all that flies is made once in so long, whatever else wakes the router. */
Test(route, sweeps_no_sooner_because_something_else_was_due)
{
	story_begin(&story);
	story_open(&story, ann);
	story_up(&story, 1);
	struct frame_header header = story_request(FRAME_HOLD, 1, 1000);
	header.routing_key = 1;
	story_send(&story, ann, header);
	story_wait(&story, 1000 + ROUTE_SWEEP_US);
	story_send(&story, ann, header);
	story_told(&story);
	const uint64_t sweep_us = route_wakeup_us(story.route, story.now_us);
	const uint64_t left_us = sweep_us - story.now_us;
	cr_assert_gt(left_us, 2 * ROUTE_WAIT_MARGIN_US);
	story_ask(&story, ann, FRAME_HOLD, 2, (uint32_t)left_us - 1);
	story_wait(&story, left_us - 1);
	told("client 1 gets HOLD 2 UNAVAILABLE\n");
	cr_assert_eq(route_in_flight(story.route), 1);
	cr_assert_eq(route_wakeup_us(story.route, story.now_us), sweep_us);
	story_wait(&story, 1);
	cr_assert_eq(route_in_flight(story.route), 0);
	story_end(&story);
}

Test(route, knows_a_late_answer_after_the_generations_have_gone_round)
{
	begin_with_links();
	story_ask(&story, ann, FRAME_HOLD, 1, 1000);
	story_wait(&story, 1000 + ROUTE_SWEEP_US);
	struct frame_header late = story.sent[0];
	for (uint32_t i = 0; i < ROUTE_VIA_GENERATION_MASK; i++) {
		story.sent_count = 0;
		story_ask(&story, ann, FRAME_HOLD, 2, 1000);
		if (story.sent[0].via == late.via)
			break;
		story_answer(&story, 0, KEYRACK_DONE);
		story_told(&story);
	}
	cr_assert_eq(story.sent[0].via, late.via, "the mark itself is the same again");
	story_told(&story);
	late.flags = FRAME_FLAG_ANSWER;
	late.remaining_us = 0;
	late.status = KEYRACK_DONE;
	story_answer_with(&story, 0, late);
	told("");
	story_answer(&story, 0, KEYRACK_DONE);
	told("client 1 gets HOLD 2 DONE\n");
	story_end(&story);
}

Test(route, takes_one_answer_for_one_request)
{
	begin_with_links();
	story_ask(&story, ann, FRAME_HOLD, 1, 1000);
	story_answer(&story, 0, KEYRACK_DONE);
	story_told(&story);
	story_answer(&story, 0, KEYRACK_DONE);
	told("");
	story_end(&story);
}

Test(route, breaks_the_link_to_a_shard_that_answers_with_another_type)
{
	begin_with_links();
	story_ask(&story, ann, FRAME_HOLD, 1, 1000);
	story_told(&story);
	struct frame_header second = story_request(FRAME_HOLD, 2, 1000);
	second.routing_key = 1;
	story_send(&story, ann, second);
	struct frame_header answer = story.sent[1];
	answer.type = FRAME_BOOK;
	answer.flags = FRAME_FLAG_ANSWER;
	answer.remaining_us = 0;
	answer.status = KEYRACK_DONE;
	story_told(&story);
	story_answer_with(&story, 1, answer);
	told("link 1 is broken: REJECT_STATE\n");
	answer = story.sent[0];
	answer.type = FRAME_BOOK;
	answer.flags = FRAME_FLAG_ANSWER;
	answer.remaining_us = 0;
	answer.status = KEYRACK_DONE;
	story_answer_with(&story, 0, answer);
	told("link 0 is broken: REJECT_STATE\n");
	story_down(&story, 0);
	told("client 1 gets HOLD 1 OUTCOME_UNKNOWN\n");
	story_end(&story);
}

Test(route, drops_an_answer_whose_mark_was_never_given)
{
	begin_with_links();
	struct frame_header answer = {
		.type = FRAME_HOLD,
		.route = FRAME_ROUTE_SHARD,
		.flags = FRAME_FLAG_ANSWER,
		.cluster = STORY_CLUSTER,
		.request_id = 1,
		.status = KEYRACK_DONE,
	};
	static const uint32_t marks[] = {0, 1, 0xfff, 0xfffff, 0x100000, 0xffffffff};
	for (size_t i = 0; i < KR_ARRAY_COUNT(marks); i++) {
		answer.via = marks[i];
		story_answer_with(&story, 0, answer);
		told("");
	}
	story_end(&story);
}

Test(route, wants_no_wake_up_while_nothing_waits_or_flies)
{
	begin_with_links();
	cr_assert_eq(route_wakeup_us(story.route, story.now_us), UINT64_MAX);
	story_ask(&story, ann, FRAME_HOLD, 1, 1000);
	cr_assert_neq(route_wakeup_us(story.route, story.now_us), UINT64_MAX);
	story_answer(&story, 0, KEYRACK_DONE);
	cr_assert_eq(route_wakeup_us(story.route, story.now_us), UINT64_MAX);
	story_end(&story);
}

Test(route, wakes_for_the_first_deadline_and_not_for_each_of_many_close_ones)
{
	story_begin(&story);
	story_open(&story, ann);
	uint64_t begin_us = story.now_us;
	story_ask(&story, ann, FRAME_HOLD, 1, 500000);
	story_ask(&story, ann, FRAME_HOLD, 2, 200000);
	story_ask(&story, ann, FRAME_HOLD, 3, 201000);
	uint64_t first_us = begin_us + 200000 - ROUTE_WAIT_MARGIN_US;
	cr_assert_eq(route_wakeup_us(story.route, story.now_us), first_us);
	story_wait(&story, 200000 - ROUTE_WAIT_MARGIN_US);
	told("client 1 gets HOLD 2 UNAVAILABLE\n");
	cr_assert_eq(route_wakeup_us(story.route, story.now_us), first_us + ROUTE_WAIT_SCAN_US);
	story_wait(&story, ROUTE_WAIT_SCAN_US);
	told("client 1 gets HOLD 3 UNAVAILABLE\n");
	cr_assert_eq(route_wakeup_us(story.route, story.now_us),
		begin_us + 500000 - ROUTE_WAIT_MARGIN_US);
	story_up(&story, 0);
	story_answer(&story, 0, KEYRACK_DONE);
	cr_assert_eq(route_wakeup_us(story.route, story.now_us), UINT64_MAX);
	story_end(&story);
}

static void expect_counters(const struct route_link_counters *expected)
{
	struct route_link_counters counters;

	route_link_counters_get(story.route, 0, &counters);
	cr_assert_eq(counters.up, expected->up);
	cr_assert_eq(counters.waiting, expected->waiting);
	cr_assert_eq(counters.in_flight, expected->in_flight);
	cr_assert_eq(counters.forwarded, expected->forwarded);
	cr_assert_eq(counters.answered, expected->answered);
	cr_assert_eq(counters.lost, expected->lost);
	cr_assert_eq(counters.unavailable, expected->unavailable);
	cr_assert_eq(counters.overloaded, expected->overloaded);
	cr_assert_eq(counters.expired, expected->expired);
	cr_assert_eq(counters.late, expected->late);
}

Test(route, counts_what_becomes_of_requests)
{
	story_begin(&story);
	story_end(&story);
	story.config.flight_max_count = 4;
	story_begin_sized(&story);
	story_open(&story, ann);
	story_ask(&story, ann, FRAME_HOLD, 1, 100);     /* no time to wait */
	story_ask(&story, ann, FRAME_HOLD, 2, 20000);   /* will wait in vain */
	story_ask(&story, ann, FRAME_HOLD, 3, 1000000); /* waits, is answered */
	story_ask(&story, ann, FRAME_HOLD, 4, 60000);   /* waits, is forgotten */
	story_ask(&story, ann, FRAME_HOLD, 5, 2000000); /* waits, is lost */
	story_ask(&story, ann, FRAME_HOLD, 6, 1000000); /* no flight left */
	expect_counters(
		&(struct route_link_counters){.waiting = 4, .unavailable = 1, .overloaded = 1});
	story_wait(&story, 20000);
	story_up(&story, 0);
	expect_counters(&(struct route_link_counters){
		.up = true, .in_flight = 3, .forwarded = 3, .unavailable = 2, .overloaded = 1});
	story_answer(&story, 0, KEYRACK_DONE);
	story_wait(&story, 60000 + ROUTE_SWEEP_US);
	story_answer(&story, 1, KEYRACK_DONE);
	story_down(&story, 0);
	expect_counters(&(struct route_link_counters){.forwarded = 3,
		.answered = 1,
		.expired = 1,
		.late = 1,
		.lost = 1,
		.unavailable = 2,
		.overloaded = 1});
	story_end(&story);
}
