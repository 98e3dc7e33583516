#include <criterion/criterion.h>

#include <string.h>
#include <unistd.h>

#include "proto/keyrack.pb-c.h"
#include "tests/unit/router/router_fixture.h"

static struct town town;
static uint8_t body[FRAME_BODY_SIZE_MAX];
static int fd;

static void begin(void)
{
	town_plan(&town);
	shard_begin(&town.shards[0]);
	town_begin(&town);
	town_until(&town, router_link_is_up(town.router, 0));
	fd = client_begin(&town);
}

static void end(void)
{
	close(fd);
	town_end(&town);
}

/* Sends a request to the router itself; the header of the answer, whose body is in `body`. */
static struct frame_header ask(uint8_t type, const ProtobufCMessage *request)
{
	struct frame_header header = client_request(type, 5, 0), answer;
	uint8_t bytes[8192];

	header.route = FRAME_ROUTE_ROUTER;
	cr_assert_leq(protobuf_c_message_get_packed_size(request), sizeof(bytes));
	client_send(fd, header, bytes, protobuf_c_message_pack(request, bytes));
	cr_assert(client_read(&town, fd, &answer, body, sizeof(body)));
	cr_assert_eq(answer.request_id, 5);
	return answer;
}

Test(local, tells_a_client_the_cluster_the_window_and_the_map)
{
	Keyrack__HelloRequest request = KEYRACK__HELLO_REQUEST__INIT;
	struct frame_header header;

	begin();
	close(fd);
	fd = client_connect(&town);
	request.version = 7;
	header = client_request(FRAME_HELLO, 1, 0);
	header.route = FRAME_ROUTE_ROUTER;
	header.cluster = 0;
	uint8_t bytes[64];
	client_send(fd, header, bytes, keyrack__hello_request__pack(&request, bytes));
	cr_assert(client_read(&town, fd, &header, body, sizeof(body)));
	cr_assert_eq(header.status, KEYRACK_DONE);
	cr_assert_eq(header.cluster, TOWN_CLUSTER);
	Keyrack__HelloAnswer *answer =
		keyrack__hello_answer__unpack(NULL, header.body_size_bytes, body);
	cr_assert_eq(answer->version, FRAME_VERSION);
	cr_assert_eq(answer->cluster, TOWN_CLUSTER);
	cr_assert_eq(answer->window, ROUTE_WINDOW_DEFAULT);
	cr_assert_eq(answer->body_size_max, FRAME_BODY_SIZE_MAX);
	cr_assert_eq(answer->shard_count, SHARDS);
	cr_assert_eq(answer->map_epoch, 1);
	cr_assert_eq(answer->idle_timeout_us, ROUTER_IDLE_US_DEFAULT);
	cr_assert_eq(answer->shard, 0, "that it is a router");
	keyrack__hello_answer__free_unpacked(answer, NULL);
	end();
}

Test(local, rejects_a_client_that_speaks_no_version_known_here)
{
	struct frame_header header;

	begin();
	close(fd);
	fd = client_connect(&town);
	header = client_request(FRAME_HELLO, 1, 0);
	header.route = FRAME_ROUTE_ROUTER;
	client_send(fd, header, NULL, 0);
	cr_assert(client_read(&town, fd, &header, body, sizeof(body)));
	cr_assert_eq(header.type, FRAME_REJECT);
	cr_assert_eq(header.status, KEYRACK_REJECT_VERSION);
	Keyrack__RejectNotice *notice =
		keyrack__reject_notice__unpack(NULL, header.body_size_bytes, body);
	cr_assert_not_null(notice);
	cr_assert_str_eq(notice->text, code_text(KEYRACK_REJECT_VERSION));
	cr_assert_eq(notice->cluster, TOWN_CLUSTER);
	cr_assert_eq(notice->version_min, FRAME_VERSION);
	cr_assert_eq(notice->version_max, FRAME_VERSION);
	keyrack__reject_notice__free_unpacked(notice, NULL);
	end();
}

Test(local, answers_a_ping_with_its_payload_and_the_time)
{
	Keyrack__PingRequest request = KEYRACK__PING_REQUEST__INIT;
	static uint8_t payload[ROUTER_PAYLOAD_MAX + 1] = "ping";

	begin();
	request.payload = (ProtobufCBinaryData){ROUTER_PAYLOAD_MAX, payload};
	struct frame_header header = ask(FRAME_PING, &request.base);
	cr_assert_eq(header.status, KEYRACK_DONE);
	Keyrack__PingAnswer *answer =
		keyrack__ping_answer__unpack(NULL, header.body_size_bytes, body);
	cr_assert_eq(answer->payload.len, ROUTER_PAYLOAD_MAX);
	cr_assert_eq(memcmp(answer->payload.data, payload, ROUTER_PAYLOAD_MAX), 0);
	cr_assert_gt(answer->time_us, UINT64_C(1600000000000000));
	keyrack__ping_answer__free_unpacked(answer, NULL);
	request.payload.len++;
	cr_assert_eq(ask(FRAME_PING, &request.base).status, KEYRACK_INVALID);
	end();
}

Test(local, shows_its_links_and_figures)
{
	Keyrack__RouterStatusRequest request = KEYRACK__ROUTER_STATUS_REQUEST__INIT;

	begin();
	client_send(fd, client_request(FRAME_BOOK, 8, 0), NULL, 0);
	client_expect(&town, fd, 8, KEYRACK_DONE);
	client_send(fd, client_request(FRAME_BOOK, 9, 1), NULL, 0);
	struct frame_header header = ask(FRAME_ROUTER_STATUS, &request.base);
	cr_assert_eq(header.status, KEYRACK_DONE);
	Keyrack__RouterStatusAnswer *answer =
		keyrack__router_status_answer__unpack(NULL, header.body_size_bytes, body);
	cr_assert_eq(answer->cluster, TOWN_CLUSTER);
	cr_assert_eq(answer->connections, 1);
	cr_assert_eq(answer->n_links, SHARDS);
	cr_assert(answer->links[0]->up);
	cr_assert(!answer->links[1]->up);
	cr_assert_eq(answer->links[0]->forwarded, 1);
	cr_assert_eq(answer->links[0]->answered, 1);
	cr_assert_eq(answer->links[1]->waiting, 1);
	cr_assert_eq(strncmp(answer->links[0]->address, "127.0.0.1:", 10), 0);
	cr_assert_str_eq(answer->version, KEYRACK_VERSION);
	bool found = false;
	for (size_t i = 0; i < answer->n_stats; i++) {
		if (strcmp(answer->stats[i]->name, "connections_accepted") != 0)
			continue;
		found = answer->stats[i]->value == 1 && answer->stats[i]->kind == 1;
	}
	cr_assert(found);
	keyrack__router_status_answer__free_unpacked(answer, NULL);
	end();
}

Test(local, shows_the_map_as_ranges_that_cover_every_slot_once)
{
	Keyrack__RouterMapRequest request = KEYRACK__ROUTER_MAP_REQUEST__INIT;

	begin();
	struct frame_header header = ask(FRAME_ROUTER_MAP, &request.base);
	Keyrack__RouterMapAnswer *answer =
		keyrack__router_map_answer__unpack(NULL, header.body_size_bytes, body);
	cr_assert_eq(answer->epoch, 1);
	cr_assert_eq(answer->shard_count, SHARDS);
	cr_assert_eq(answer->n_ranges, SHARDS);
	uint32_t next = 0;
	for (uint32_t shard = 0; shard < SHARDS; shard++) {
		cr_assert_eq(answer->ranges[shard]->first, next);
		cr_assert_eq(answer->ranges[shard]->first, slot_range_first(shard, SHARDS));
		cr_assert_eq(answer->ranges[shard]->shard, shard);
		next = answer->ranges[shard]->last + 1;
	}
	cr_assert_eq(next, SLOT_COUNT);
	keyrack__router_map_answer__free_unpacked(answer, NULL);
	end();
}

Test(local, lists_connections_page_by_page_in_the_order_they_came)
{
	Keyrack__RouterConnectionsRequest request = KEYRACK__ROUTER_CONNECTIONS_REQUEST__INIT;
	int others[9];
	uint32_t seen = 0;

	begin();
	for (int i = 0; i < 9; i++)
		others[i] = client_begin(&town);
	close(others[4]);
	for (int i = 0; i < 20; i++)
		town_turn(&town);
	request.limit = 4;
	for (bool more = true; more;) {
		struct frame_header header = ask(FRAME_ROUTER_CONNECTIONS, &request.base);
		Keyrack__RouterConnectionsAnswer *answer =
			keyrack__router_connections_answer__unpack(
				NULL, header.body_size_bytes, body);
		cr_assert_leq(answer->n_connections, 4);
		for (size_t i = 0; i < answer->n_connections; i++) {
			const Keyrack__RouterConnection *one = answer->connections[i];
			cr_assert_gt(one->number, request.after);
			request.after = one->number;
			cr_assert_str_eq(one->agent, "test?1", "fit for a terminal");
			cr_assert_eq(strncmp(one->peer, "127.0.0.1:", 10), 0);
			cr_assert_geq(one->requests, 1);
			seen++;
		}
		more = answer->more;
		keyrack__router_connections_answer__free_unpacked(answer, NULL);
	}
	cr_assert_eq(seen, 9);
	for (int i = 0; i < 9; i++) {
		if (i != 4)
			close(others[i]);
	}
	end();
}

Test(local, answers_invalid_to_a_body_that_is_no_message)
{
	struct frame_header header;

	begin();
	header = client_request(FRAME_PING, 6, 0);
	header.route = FRAME_ROUTE_ROUTER;
	client_send(fd, header, "\xff\xff\xff", 3);
	client_expect(&town, fd, 6, KEYRACK_INVALID);
	/* Thousands of fields that mean nothing must not use up what the answer is made in. */
	static uint8_t fields[60000];
	for (size_t i = 0; i < sizeof(fields); i += 3)
		memcpy(fields + i, "\xf8\x7f\x01", 3);
	header.type = FRAME_ROUTER_STATUS;
	client_send(fd, header, fields, sizeof(fields));
	struct frame_header answer;
	cr_assert(client_read(&town, fd, &answer, body, sizeof(body)));
	header.type = FRAME_PING;
	client_send(fd, header, NULL, 0);
	client_expect(&town, fd, 6, KEYRACK_DONE);
	end();
}
