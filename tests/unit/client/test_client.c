/* The library over a real socket, non-blocking, with the test as server. */
#include "tests/unit/client/peer.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <time.h>

struct seen {
	bool called;
	int count;
	union keyrack_answer answer;
};

static void see(void *user, const union keyrack_answer *answer)
{
	struct seen *seen = user;
	seen->called = true;
	seen->count++;
	seen->answer = *answer;
}

static struct keyrack_client *client_new(const char *routers)
{
	struct keyrack_client *client;
	struct keyrack_config config = {.routers = routers, .agent = "test/1"};
	cr_assert_eq(keyrack_client_new(&config, &client), 0);
	return client;
}

static struct keyrack_reserve a_book(struct keyrack_client *client, struct keyrack_line *line)
{
	*line = (struct keyrack_line){
		.type = 1, .check_in_day = 20000, .check_out_day = 20003, .rooms = 1, .guests = 2};
	return (struct keyrack_reserve){
		.hotel_id = 42, .id = keyrack_id_mint(client, 42), .lines = line, .line_count = 1};
}

Test(client, a_configuration_that_makes_no_sense_is_refused)
{
	struct keyrack_client *client = NULL;
	static const struct keyrack_config bad[] = {
		{0},
		{.routers = ""},
		{.routers = "nowhere"},
		{.routers = "unix:/x", .in_flight_max = 32769},
		{.routers = "unix:/x", .deadline_us = UINT64_MAX},
		{.routers = "unix:/x", .retry_first_us = 10, .retry_max_us = 9},
		{.routers = "unix:/x", .retry_max_us = UINT64_MAX},
		{.routers = "unix:/x",
			.agent =
				"a name of more than sixty-four bytes, which is more than the wire "
				"takes"},
	};
	cr_assert_eq(keyrack_client_new(NULL, &client), -EINVAL);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_eq(keyrack_client_new(&bad[i], &client), -EINVAL, "%zu", i);
	cr_assert_null(client);
	cr_assert_null(keyrack_client_free(NULL));
}

Test(client, a_book_goes_out_whole_and_its_answer_comes_back)
{
	struct peer peer;
	peer_open(&peer);
	struct keyrack_client *client = client_new(peer.address);
	struct keyrack_price_run runs[] = {{2, 10000}, {1, 0}};
	struct keyrack_line line;
	struct keyrack_reserve book = a_book(client, &line);
	line.plan = 3;
	line.check_in_day = -5;
	line.pricing = KEYRACK_PRICING_CALLER;
	line.runs = runs;
	line.run_count = 2;
	book.has_expected_total = true;
	book.expected_total_minor = UINT64_C(1) << 40;
	book.guest = (struct keyrack_id){1, 2};
	book.external_ref = "OTA-7";
	book.payment_ref = "pay";
	book.origin = (struct keyrack_origin){.actor = 9, .source = 8, .reason = "why"};
	struct seen seen = {0};
	cr_assert_eq(keyrack_submit_book(client, &book, see, &seen), 0);
	cr_assert_eq(keyrack_client_open(client), 1);
	peer_welcome(&peer, client);
	struct peer_request request = peer_take(&peer, client);
	cr_assert_eq(request.header.type, FRAME_BOOK);
	cr_assert_eq(request.header.route, FRAME_ROUTE_HOTEL);
	cr_assert_eq(request.header.routing_key, 42);
	cr_assert(request.header.remaining_us > 4000000 && request.header.remaining_us <= 5000000);
	const Keyrack__ReserveRequest *sent = PEER_MESSAGE(request, Keyrack__ReserveRequest);
	cr_assert(sent->id_hi == book.id.hi && sent->id_lo == book.id.lo);
	cr_assert_eq(sent->n_lines, 1);
	cr_assert_eq(sent->lines[0]->check_in, -5);
	cr_assert_eq(sent->lines[0]->n_run_nights, 2);
	cr_assert_eq(sent->lines[0]->run_price_minor[0], 10000);
	cr_assert_eq(sent->expected_total_minor, UINT64_C(1) << 40);
	cr_assert_eq(sent->guest_lo, 2);
	cr_assert_str_eq(sent->external_ref, "OTA-7");
	cr_assert_str_eq(sent->payment_ref, "pay");
	cr_assert_str_eq(sent->reason, "why");
	cr_assert(sent->actor == 9 && sent->source == 8);
	Keyrack__ReservationAnswer answer = KEYRACK__RESERVATION_ANSWER__INIT;
	answer.state = KEYRACK_STATE_CONFIRMED;
	answer.revision = 1;
	answer.total_minor = 20000;
	answer.has_total = true;
	answer.hotel_id = 42;
	answer.event_seq = 77;
	peer_answer(&peer, &request.header, KEYRACK_DONE, &answer.base);
	peer_until(client, &seen.called);
	const struct keyrack_reservation_answer *got = &seen.answer.reservation;
	cr_assert_eq(got->result.outcome, KEYRACK_RESULT_DONE);
	cr_assert_eq(got->result.code, KEYRACK_CODE_DONE);
	cr_assert_eq(got->result.map_epoch, 4);
	cr_assert_null(got->result.refusal);
	cr_assert_eq(got->state, KEYRACK_STATE_CONFIRMED);
	cr_assert(got->has_total && got->total_minor == 20000 && got->event_seq == 77);
	peer_request_done(&request);
	keyrack_client_free(client);
	peer_close(&peer);
}

/* Whether the body that was sent is the one protobuf writes of what was read from it. */
static bool is_canonical(const struct peer_request *request)
{
	uint8_t body[512];
	size_t size_bytes = protobuf_c_message_get_packed_size(request->message);
	cr_assert(size_bytes <= sizeof(body));
	cr_assert_eq(protobuf_c_message_pack(request->message, body), size_bytes);
	return request->header.body_size_bytes == size_bytes &&
	       frame_body_check(&request->header, body) == 0;
}

Test(client, a_plain_sale_is_the_same_bytes_that_protobuf_writes)
{
	static const uint64_t values[] = {0, 1, 127, 128, 300, INT32_MAX, UINT32_MAX, UINT64_MAX};
	const size_t count = sizeof(values) / sizeof(values[0]);
	struct peer peer;
	peer_open(&peer);
	struct keyrack_client *client = client_new(peer.address);
	for (size_t i = 0; i < count * count; i++) {
		const uint64_t a = values[i % count], b = values[i / count];
		struct seen seen = {0};
		struct keyrack_line line = {.type = (uint32_t)a,
			.plan = (uint32_t)b,
			.check_in_day = (int32_t)(uint32_t)a,
			.check_out_day = (int32_t)(uint32_t)b,
			.rooms = (uint32_t)b,
			.guests = (uint32_t)a,
			.pricing = i % 2 == 0 ? KEYRACK_PRICING_NONE : KEYRACK_PRICING_CALENDAR,
			.keeps = (uint32_t)a};
		struct keyrack_reserve sale = {.hotel_id = a,
			.id = {b, a},
			.lines = &line,
			.line_count = 1,
			.ttl_us = b,
			.external_ref = "",
			.origin = {.actor = a, .source = (uint32_t)b}};
		cr_assert_eq(i % 3 == 0 ? keyrack_submit_hold(client, &sale, see, &seen)
					: keyrack_submit_book(client, &sale, see, &seen),
			0);
		if (i == 0)
			peer_welcome(&peer, client);
		struct peer_request request = peer_take(&peer, client);
		const Keyrack__ReserveRequest *sent =
			PEER_MESSAGE(request, Keyrack__ReserveRequest);
		cr_assert(is_canonical(&request), "%zu", i);
		cr_assert(sent->hotel_id == a && sent->id_hi == b && sent->id_lo == a);
		cr_assert(sent->ttl_us == b && sent->actor == a && sent->source == (uint32_t)b);
		cr_assert_eq(sent->n_lines, 1);
		const Keyrack__Line *l = sent->lines[0];
		cr_assert(l->type == line.type && l->plan == line.plan && l->keeps == line.keeps);
		cr_assert(l->check_in == line.check_in_day && l->check_out == line.check_out_day);
		cr_assert(l->rooms == line.rooms && l->guests == line.guests);
		cr_assert_eq(l->pricing, (uint32_t)line.pricing);
		peer_answer(&peer, &request.header, KEYRACK_SOLD_OUT, NULL);
		peer_until(client, &seen.called);
		peer_request_done(&request);
	}
	keyrack_client_free(client);
	peer_close(&peer);
}

Test(client, a_question_for_nights_is_the_same_bytes_that_protobuf_writes)
{
	static const uint32_t values[] = {0, 1, 127, 128, 300, INT32_MAX, UINT32_MAX};
	const size_t count = sizeof(values) / sizeof(values[0]);
	struct peer peer;
	peer_open(&peer);
	struct keyrack_client *client = client_new(peer.address);
	for (uint32_t i = 0; i < count * count; i++) {
		const uint32_t a = values[i % count], b = values[i / count];
		uint32_t types[20];
		struct seen seen = {0};
		struct keyrack_availability ask = {.hotel_id = (uint64_t)b << 32 | a,
			.types = types,
			.type_count = i % 20 + (i % 3 == 0),
			.first_day = (int32_t)a,
			.night_count = b,
			.plan = a};
		for (uint32_t k = 0; k < ask.type_count; k++)
			types[k] = values[(i + k) % count];
		cr_assert_eq(keyrack_submit_availability(client, &ask, see, &seen), 0);
		if (i == 0)
			peer_welcome(&peer, client);
		struct peer_request request = peer_take(&peer, client);
		const Keyrack__AvailabilityRequest *sent =
			PEER_MESSAGE(request, Keyrack__AvailabilityRequest);
		cr_assert(is_canonical(&request), "%u", i);
		cr_assert(sent->hotel_id == ask.hotel_id && sent->plan == a);
		cr_assert(sent->first_day == (int32_t)a && sent->night_count == b);
		cr_assert_eq(sent->n_types, ask.type_count);
		cr_assert(ask.type_count == 0 ||
			  memcmp(sent->types, types, ask.type_count * sizeof(*types)) == 0);
		peer_answer(&peer, &request.header, KEYRACK_NOT_FOUND, NULL);
		peer_until(client, &seen.called);
		peer_request_done(&request);
	}
	keyrack_client_free(client);
	peer_close(&peer);
}

Test(client, a_refusal_comes_with_its_reason)
{
	struct peer peer;
	peer_open(&peer);
	struct keyrack_client *client = client_new(peer.address);
	struct keyrack_line line;
	struct keyrack_reserve book = a_book(client, &line);
	struct seen seen = {0};
	cr_assert_eq(keyrack_submit_hold(client, &book, see, &seen), 0);
	peer_welcome(&peer, client);
	struct peer_request request = peer_take(&peer, client);
	cr_assert_eq(request.header.type, FRAME_HOLD);
	Keyrack__Refusal refusal = KEYRACK__REFUSAL__INIT;
	refusal.code = KEYRACK_SOLD_OUT;
	refusal.rule = RULE_LIMIT;
	refusal.has_day = true;
	refusal.day = 20001;
	refusal.required = 1;
	Keyrack__ReservationAnswer answer = KEYRACK__RESERVATION_ANSWER__INIT;
	answer.refusal = &refusal;
	peer_answer(&peer, &request.header, KEYRACK_SOLD_OUT, &answer.base);
	/* The refusal lives as long as the callback: it is looked at there. */
	for (int n = 0; n < 1000 && !seen.called; n++)
		(void)keyrack_client_wait(client, 1000);
	cr_assert_eq(seen.answer.result.outcome, KEYRACK_RESULT_NOT_DONE);
	cr_assert_eq(seen.answer.result.refusal->day, 20001);
	peer_request_done(&request);
	keyrack_client_free(client);
	peer_close(&peer);
}

/* A line's memory ends with the callback. */
static void see_terms(void *user, const union keyrack_answer *answer)
{
	const struct keyrack_reservation *got = &answer->reservation_get.reservation;
	bool *called = user;
	*called = true;
	cr_assert_eq(got->line_count, 1);
	cr_assert_eq(got->lines[0].tier_count, 2);
	cr_assert_eq(got->lines[0].tiers[0].hours, 168);
	cr_assert_eq(got->lines[0].tiers[0].basis_points, 5000);
	cr_assert_eq(got->lines[0].tiers[1].hours, 24);
	cr_assert_eq(got->lines[0].tiers[1].nights, 1);
	cr_assert_eq(got->lines[0].arrival_us, 1000);
	cr_assert_eq(got->free_cancel_until_us, 900);
	cr_assert(got->has_amounts);
	cr_assert_eq(got->penalty_minor, 12000);
	cr_assert_eq(got->refundable_minor, 8000);
}

Test(client, what_cancelling_costs_is_told_with_the_reservation_and_by_the_cancellation)
{
	struct peer peer;
	peer_open(&peer);
	struct keyrack_client *client = client_new(peer.address);
	struct keyrack_transition cancel = {.id = keyrack_id_mint(client, 42)};
	struct keyrack_reservation_get get = {.id = cancel.id};
	struct seen seen = {0};
	bool called = false;
	cr_assert_eq(keyrack_submit_reservation_get(client, &get, see_terms, &called), 0);
	cr_assert_eq(keyrack_submit_cancel(client, &cancel, see, &seen), 0);
	peer_welcome(&peer, client);
	struct peer_request request = peer_take(&peer, client);
	Keyrack__Tier tiers[2] = {KEYRACK__TIER__INIT, KEYRACK__TIER__INIT};
	Keyrack__Tier *tier_list[2] = {&tiers[0], &tiers[1]};
	Keyrack__Line line = KEYRACK__LINE__INIT, *line_list[1] = {&line};
	Keyrack__Reservation shown = KEYRACK__RESERVATION__INIT;
	Keyrack__ReservationGetAnswer got = KEYRACK__RESERVATION_GET_ANSWER__INIT;
	tiers[0].hours = 168;
	tiers[0].basis_points = 5000;
	tiers[1].hours = 24;
	tiers[1].nights = 1;
	line.tiers = tier_list;
	line.n_tiers = 2;
	line.arrival_us = 1000;
	shown.lines = line_list;
	shown.n_lines = 1;
	shown.free_cancel_until_us = 900;
	shown.has_amounts = true;
	shown.penalty_minor = 12000;
	shown.refundable_minor = 8000;
	got.reservation = &shown;
	peer_answer(&peer, &request.header, KEYRACK_DONE, &got.base);
	peer_until(client, &called);
	peer_request_done(&request);
	request = peer_take(&peer, client);
	Keyrack__ReservationAnswer answer = KEYRACK__RESERVATION_ANSWER__INIT;
	answer.state = KEYRACK_STATE_CANCELLED;
	answer.has_amounts = true;
	answer.penalty_minor = 12000;
	answer.refundable_minor = 8000;
	peer_answer(&peer, &request.header, KEYRACK_DONE, &answer.base);
	peer_until(client, &seen.called);
	cr_assert(seen.answer.reservation.has_amounts);
	cr_assert_eq(seen.answer.reservation.penalty_minor, 12000);
	cr_assert_eq(seen.answer.reservation.refundable_minor, 8000);
	peer_request_done(&request);
	keyrack_client_free(client);
	peer_close(&peer);
}

Test(client, texts_and_arrays_out_of_bounds_are_refused_before_anything_is_sent)
{
	struct keyrack_client *client = client_new("unix:/tmp/nobody");
	static const char long_text[] =
		"sixty-five bytes is one more than a reference may have, as it is";
	struct keyrack_line lines[KEYRACK_LINE_COUNT_MAX + 1];
	struct keyrack_reserve book = a_book(client, &lines[0]);
	struct seen seen = {0};
	book.line_count = KEYRACK_LINE_COUNT_MAX + 1;
	cr_assert_eq(keyrack_submit_book(client, &book, see, &seen), -EINVAL);
	book.lines = NULL;
	book.line_count = 1;
	cr_assert_eq(keyrack_submit_book(client, &book, see, &seen), -EINVAL);
	book = a_book(client, &lines[0]);
	book.external_ref = long_text;
	cr_assert_eq(strlen(long_text), 64);
	cr_assert_eq(keyrack_submit_book(client, &book, see, &seen), 0, "64 bytes are allowed");
	char longer[66];
	memset(longer, 'a', 65);
	longer[65] = 0;
	book.external_ref = longer;
	cr_assert_eq(keyrack_submit_book(client, &book, see, &seen), -EINVAL);
	book.external_ref = NULL;
	lines[0].run_count = 1;
	cr_assert_eq(keyrack_submit_book(client, &book, see, &seen), -EINVAL);
	struct keyrack_transition release = {.id = {1, 2}};
	cr_assert_eq(keyrack_submit_release(client, &release, see, &seen), -EINVAL,
		"a foreign id needs its hotel");
	release.has_hotel = true;
	cr_assert_eq(keyrack_submit_release(client, &release, see, &seen), 0);
	cr_assert_eq(keyrack_submit_release(client, &release, NULL, NULL), -EINVAL);
	cr_assert_eq(keyrack_submit_release(client, NULL, see, &seen), -EINVAL);
	release.call.deadline_us = UINT64_MAX;
	cr_assert_eq(keyrack_submit_release(client, &release, see, &seen), -EINVAL);
	struct keyrack_hotel_list list = {.limit = 1001};
	cr_assert_eq(keyrack_submit_hotel_list(client, &list, see, &seen), -EINVAL);
	struct keyrack_stats stats = {.shard = 64};
	cr_assert_eq(keyrack_submit_stats(client, &stats, see, &seen), -EINVAL);
	cr_assert_eq(keyrack_client_open(client), 2);
	keyrack_client_free(client);
}

Test(client, calls_by_id_are_routed_by_the_id)
{
	struct peer peer;
	peer_open(&peer);
	struct keyrack_client *client = client_new(peer.address);
	struct seen seen = {0};
	struct keyrack_transition move = {.id = keyrack_id_mint(client, 42), .any = true};
	struct keyrack_reservation_get get = {.id = move.id, .call = {.stale_ok = true}};
	cr_assert_eq(keyrack_submit_confirm(client, &move, see, &seen), 0);
	cr_assert_eq(keyrack_submit_release(client, &move, see, &seen), 0);
	cr_assert_eq(keyrack_submit_cancel(client, &move, see, &seen), 0);
	cr_assert_eq(keyrack_submit_resolve(client, &move, see, &seen), 0);
	cr_assert_eq(keyrack_submit_reservation_get(client, &get, see, &seen), 0);
	peer_welcome(&peer, client);
	static const uint8_t types[] = {
		FRAME_CONFIRM, FRAME_RELEASE, FRAME_CANCEL, FRAME_RESOLVE, FRAME_RESERVATION_GET};
	for (size_t i = 0; i < sizeof(types); i++) {
		struct peer_request request = peer_take(&peer, client);
		cr_assert_eq(request.header.type, types[i]);
		cr_assert_eq(request.header.route, FRAME_ROUTE_SLOT);
		cr_assert_eq(request.header.routing_key, keyrack_slot_of_hotel(42));
		cr_assert_eq(request.header.flags, i == 4 ? FRAME_FLAG_STALE_OK : 0);
		peer_request_done(&request);
	}
	move.has_hotel = true;
	move.hotel_id = 43;
	cr_assert_eq(keyrack_submit_cancel(client, &move, see, &seen), 0);
	struct peer_request request = peer_take(&peer, client);
	cr_assert_eq(request.header.route, FRAME_ROUTE_HOTEL);
	cr_assert_eq(request.header.routing_key, 43);
	cr_assert(PEER_MESSAGE(request, Keyrack__TransitionRequest)->any);
	peer_request_done(&request);
	keyrack_client_free(client);
	peer_close(&peer);
}

Test(client, a_submit_beyond_the_window_would_block)
{
	struct peer peer;
	peer_open(&peer);
	peer.window = 2;
	struct keyrack_client *client = client_new(peer.address);
	struct seen seen = {0};
	struct keyrack_ping ping = {0};
	cr_assert_eq(keyrack_client_room(client), 1024);
	cr_assert_eq(keyrack_submit_ping(client, &ping, see, &seen), 0);
	peer_welcome(&peer, client);
	cr_assert_eq(keyrack_client_room(client), 1);
	cr_assert_eq(keyrack_submit_ping(client, &ping, see, &seen), 0);
	cr_assert_eq(keyrack_submit_ping(client, &ping, see, &seen), KEYRACK_WOULD_BLOCK);
	struct peer_request request = peer_take(&peer, client);
	Keyrack__PingAnswer answer = KEYRACK__PING_ANSWER__INIT;
	answer.time_us = 5;
	peer_answer(&peer, &request.header, KEYRACK_DONE, &answer.base);
	peer_until(client, &seen.called);
	cr_assert_eq(seen.answer.ping.time_us, 5);
	cr_assert_eq(keyrack_submit_ping(client, &ping, see, &seen), 0);
	peer_request_done(&request);
	keyrack_client_free(client);
	peer_close(&peer);
}

Test(client, calls_move_to_the_next_router_when_the_first_is_lost)
{
	struct peer first, second;
	char routers[200];
	peer_open(&first);
	peer_open(&second);
	snprintf(routers, sizeof(routers), "%s,%s", first.address, second.address);
	struct keyrack_client *client = client_new(routers);
	struct keyrack_line line;
	struct seen seen[20] = {{0}};
	for (uint32_t i = 0; i < 20; i++) {
		struct keyrack_reserve book = a_book(client, &line);
		book.hotel_id = i;
		cr_assert_eq(keyrack_submit_book(client, &book, see, &seen[i]), 0);
	}
	peer_welcome(&first, client);
	cr_assert(peer_has_request(&first, client));
	peer_hang_up(&first);
	peer_welcome(&second, client);
	for (uint32_t i = 0; i < 20; i++) {
		struct peer_request request = peer_take(&second, client);
		cr_assert_eq(request.header.routing_key, i, "in the order of submission");
		Keyrack__ReservationAnswer answer = KEYRACK__RESERVATION_ANSWER__INIT;
		answer.repeated_op = true;
		peer_answer(&second, &request.header, KEYRACK_DONE, &answer.base);
		peer_request_done(&request);
		peer_until(client, &seen[i].called);
		cr_assert_eq(seen[i].answer.result.tries, 2);
		cr_assert(seen[i].answer.reservation.repeated);
	}
	struct keyrack_client_info info;
	keyrack_client_info(client, &info);
	cr_assert(info.connected && info.connects == 2 && info.losses == 1 && info.retries == 20);
	cr_assert_str_eq(info.router, second.address);
	cr_assert_str_eq(info.agent, "peer/1");
	keyrack_client_free(client);
	peer_close(&first);
	peer_close(&second);
}

Test(client, updates_without_a_key_are_not_sent_twice)
{
	struct peer peer;
	peer_open(&peer);
	struct keyrack_client *client = client_new(peer.address);
	struct seen seen[3] = {{0}};
	struct keyrack_inventory_set set = {.hotel_id = 1, .set_mask = KEYRACK_SET_CLOSED};
	cr_assert_eq(keyrack_submit_inventory_set(client, &set, see, &seen[0]), 0);
	set.source_seq = 1;
	cr_assert_eq(keyrack_submit_inventory_set(client, &set, see, &seen[1]), 0);
	set.source_seq = 0;
	set.call.retry = KEYRACK_RETRY_ALWAYS;
	cr_assert_eq(keyrack_submit_inventory_set(client, &set, see, &seen[2]), 0);
	peer_welcome(&peer, client);
	for (int i = 0; i < 3; i++) {
		struct peer_request request = peer_take(&peer, client);
		cr_assert_eq(
			PEER_MESSAGE(request, Keyrack__InventorySetRequest)->weekday_mask, 127);
		peer_request_done(&request);
	}
	peer_hang_up(&peer);
	peer_until(client, &seen[0].called);
	cr_assert_eq(seen[0].answer.result.outcome, KEYRACK_RESULT_UNKNOWN);
	cr_assert_eq(seen[0].answer.result.code, KEYRACK_CODE_CONNECTION_LOST);
	peer_welcome(&peer, client);
	struct peer_request request = peer_take(&peer, client);
	cr_assert_eq(PEER_MESSAGE(request, Keyrack__InventorySetRequest)->source_seq, 1);
	peer_request_done(&request);
	request = peer_take(&peer, client);
	cr_assert_eq(PEER_MESSAGE(request, Keyrack__InventorySetRequest)->source_seq, 0);
	peer_request_done(&request);
	keyrack_client_free(client);
	peer_close(&peer);
}

Test(client, nobody_listening_ends_calls_at_once_if_told_so)
{
	struct keyrack_client *client;
	struct keyrack_config config = {
		.routers = "unix:/tmp/no-1,unix:/tmp/no-2", .fail_fast = true};
	cr_assert_eq(keyrack_client_new(&config, &client), 0);
	struct seen seen = {0};
	struct keyrack_ping ping = {0};
	cr_assert_eq(keyrack_submit_ping(client, &ping, see, &seen), 0);
	cr_assert_eq(keyrack_client_fd(client), -1);
	cr_assert_eq(keyrack_client_timeout_us(client), 0);
	peer_until(client, &seen.called);
	cr_assert_eq(seen.answer.result.outcome, KEYRACK_RESULT_NOT_DONE);
	cr_assert_eq(seen.answer.result.code, KEYRACK_CODE_UNREACHABLE);
	cr_assert_lt(seen.answer.result.elapsed_us, 1000000);
	keyrack_client_free(client);
}

Test(client, large_bodies_are_sent_and_their_memory_is_given_back)
{
	struct peer peer;
	peer_open(&peer);
	struct keyrack_client *client = client_new(peer.address);
	uint32_t *types = malloc(300000 * sizeof(*types));
	for (uint32_t i = 0; i < 300000; i++)
		types[i] = 60000;
	struct keyrack_type_get get = {.hotel_id = 1, .types = types, .type_count = 300000};
	struct seen seen = {0};
	cr_assert_eq(keyrack_submit_type_get(client, &get, see, &seen), 0);
	peer_welcome(&peer, client);
	for (int n = 0; n < 200; n++) {
		struct peer_request request = peer_take(&peer, client);
		cr_assert_eq(PEER_MESSAGE(request, Keyrack__TypeGetRequest)->n_types, 300000);
		peer_answer(&peer, &request.header, KEYRACK_DONE, NULL);
		peer_request_done(&request);
		seen.called = false;
		peer_until(client, &seen.called);
		cr_assert_eq(keyrack_submit_type_get(client, &get, see, &seen), 0);
	}
	get.type_count = 300000;
	for (uint32_t n = 0; n < 80; n++) {
		int r = keyrack_submit_type_get(client, &get, see, &seen);
		cr_assert_eq(r, n < 73 ? 0 : KEYRACK_WOULD_BLOCK, "%u", n);
	}
	free(types);
	keyrack_client_free(client);
	peer_close(&peer);
}

static void submit_again(void *user, const union keyrack_answer *answer)
{
	struct seen *seen = user;
	struct keyrack_client *client = *(struct keyrack_client **)(void *)&seen->answer;
	struct keyrack_ping ping = {0};
	struct keyrack_ping_answer ret;
	cr_assert_eq(answer->result.outcome, KEYRACK_RESULT_DONE);
	cr_assert_eq(keyrack_client_process(client), -EDEADLK);
	cr_assert_eq(keyrack_client_wait(client, 0), -EDEADLK);
	cr_assert_eq(keyrack_ping(client, &ping, &ret), -EDEADLK);
	if (++seen->count < 100)
		cr_assert_eq(keyrack_submit_ping(client, &ping, submit_again, user), 0);
	else
		seen->called = true;
}

Test(client, a_callback_may_submit_and_nothing_else)
{
	struct peer peer;
	peer_open(&peer);
	peer.window = 1;
	struct keyrack_client *client = client_new(peer.address);
	struct seen seen = {0};
	memcpy(&seen.answer, &client, sizeof(client));
	struct keyrack_ping ping = {0};
	cr_assert_eq(keyrack_submit_ping(client, &ping, submit_again, &seen), 0);
	peer_welcome(&peer, client);
	while (!seen.called) {
		struct peer_request request = peer_take(&peer, client);
		peer_answer(&peer, &request.header, KEYRACK_DONE, NULL);
		peer_request_done(&request);
		(void)keyrack_client_wait(client, 1000);
	}
	cr_assert_eq(seen.count, 100);
	keyrack_client_free(client);
	peer_close(&peer);
}

Test(client, an_event_loop_is_told_what_to_watch)
{
	struct peer peer;
	peer_open(&peer);
	struct keyrack_client *client = client_new(peer.address);
	struct seen seen = {0};
	struct keyrack_ping ping = {0};
	cr_assert_eq(keyrack_client_want(client), 0);
	cr_assert_eq(keyrack_client_timeout_us(client), -1);
	cr_assert_eq(keyrack_submit_ping(client, &ping, see, &seen), 0);
	peer_welcome(&peer, client);
	struct peer_request request = peer_take(&peer, client);
	cr_assert_eq(keyrack_client_want(client), KEYRACK_WANT_READ);
	cr_assert_gt(keyrack_client_timeout_us(client), 100000);
	peer_answer(&peer, &request.header, KEYRACK_DONE, NULL);
	struct pollfd pfd = {.fd = keyrack_client_fd(client), .events = POLLIN};
	cr_assert_eq(poll(&pfd, 1, 1000), 1);
	cr_assert_eq(keyrack_client_process(client), 1);
	cr_assert_eq(keyrack_client_timeout_us(client), -1);
	cr_assert_eq(keyrack_submit_ping(client, &ping, see, &seen), 0);
	cr_assert_eq(keyrack_client_want(client), KEYRACK_WANT_READ | KEYRACK_WANT_WRITE);
	peer_request_done(&request);
	keyrack_client_free(client);
	peer_close(&peer);
}

Test(client, minted_ids_differ_and_are_of_their_time)
{
	struct keyrack_client *client = client_new("unix:/tmp/nobody");
	struct keyrack_id last = {0, 0};
	for (int i = 0; i < 10000; i++) {
		struct keyrack_id id = keyrack_id_mint(client, 42);
		cr_assert(id.lo != last.lo);
		cr_assert_eq(keyrack_id_slot(id), keyrack_slot_of_hotel(42));
		last = id;
	}
	cr_assert_leq(keyrack_id_unix_ms(last) / 1000, (uint64_t)time(NULL));
	cr_assert_geq(keyrack_id_unix_ms(last) / 1000 + 5, (uint64_t)time(NULL));
	keyrack_client_free(client);
}

/* The day of a night is reckoned from the first. */
Test(client, nights_of_no_year_cannot_be_read)
{
	static const struct keyrack_availability ask = {.hotel_id = 42, .night_count = 2};
	static uint64_t words[2];
	static uint32_t types[1] = {7};
	struct peer peer;
	peer_open(&peer);
	peer.shard_count = 1;
	struct keyrack_client *client = client_new(peer.address);
	for (unsigned i = 0; i < 2; i++) {
		struct seen seen = {0};
		Keyrack__AvailabilityAnswer answer = KEYRACK__AVAILABILITY_ANSWER__INIT;
		answer.types = types;
		answer.n_types = 1;
		answer.night_count = 2;
		answer.counters = answer.rates = words;
		answer.n_counters = answer.n_rates = 2;
		answer.first_day = i == 0 ? 20000 : INT32_MAX;
		cr_assert_eq(keyrack_submit_availability(client, &ask, see, &seen), 0);
		if (i == 0)
			peer_welcome(&peer, client);
		struct peer_request request = peer_take(&peer, client);
		peer_answer(&peer, &request.header, KEYRACK_DONE, &answer.base);
		peer_request_done(&request);
		peer_until(client, &seen.called);
		cr_assert_eq(seen.answer.result.code,
			i == 0 ? KEYRACK_CODE_DONE : KEYRACK_CODE_BAD_ANSWER);
	}
	keyrack_client_free(client);
	peer_close(&peer);
}

/* Whoever pages goes on behind the last row: if there is none, but more, a list would never end. */
Test(client, a_page_without_rows_and_with_more_to_come_cannot_be_read)
{
	static const struct keyrack_plan_list plans = {.hotel_id = 42};
	static const struct keyrack_stock_list stock = {.hotel_id = 42};
	static const struct keyrack_hotel_list hotels = {.limit = 9};
	Keyrack__PlanListAnswer no_plans = KEYRACK__PLAN_LIST_ANSWER__INIT;
	Keyrack__StockListAnswer no_stock = KEYRACK__STOCK_LIST_ANSWER__INIT;
	Keyrack__HotelListAnswer no_hotels = KEYRACK__HOTEL_LIST_ANSWER__INIT;
	const ProtobufCMessage *answers[] = {&no_plans.base, &no_stock.base, &no_hotels.base};
	struct peer peer;
	peer_open(&peer);
	peer.shard_count = 1;
	struct keyrack_client *client = client_new(peer.address);
	for (unsigned more = 0; more < 2; more++) {
		no_plans.more = no_stock.more = no_hotels.more = more != 0;
		for (unsigned i = 0; i < 3; i++) {
			struct seen seen = {0};
			int r = i == 0   ? keyrack_submit_plan_list(client, &plans, see, &seen)
				: i == 1 ? keyrack_submit_stock_list(client, &stock, see, &seen)
					 : keyrack_submit_hotel_list(client, &hotels, see, &seen);
			cr_assert_eq(r, 0);
			if (more == 0 && i == 0)
				peer_welcome(&peer, client);
			struct peer_request request = peer_take(&peer, client);
			peer_answer(&peer, &request.header, KEYRACK_DONE, answers[i]);
			peer_request_done(&request);
			peer_until(client, &seen.called);
			cr_assert_eq(seen.answer.result.code,
				more ? KEYRACK_CODE_BAD_ANSWER : KEYRACK_CODE_DONE);
			cr_assert_eq(seen.answer.result.outcome,
				more ? KEYRACK_RESULT_UNKNOWN : KEYRACK_RESULT_DONE);
		}
	}
	keyrack_client_free(client);
	peer_close(&peer);
}
