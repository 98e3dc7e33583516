#include "io_fixture.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/rng.h"

#define FRAME_SIZE 64u
#define PEER_COUNT 4u
#define OUT_SIZE (1u << 20)

/* One end of a connection that checks a stream of numbered frames and counts what it is told. */
struct peer {
	struct io_stream stream;
	uint8_t partial[FRAME_SIZE];
	uint32_t partial_size;
	uint64_t next_frame; /* expected */
	uint64_t received_bytes;
	uint64_t sum; /* of all bytes, in order */
	uint32_t open_count;
	int open_result;
	uint32_t end_count;
	int end_result;
	uint32_t sent_count;
	int sent_result;
	uint32_t closed_count;
	bool is_counting; /* bytes are numbered frames */
	bool is_echoing;
	bool closes_on_data;
	bool closes_on_end;
	uint8_t *echo;
	uint32_t echo_size;
	uint32_t echo_sending;
};

static void echo_flush(struct peer *peer)
{
	if (peer->echo_size == 0 || io_stream_is_sending(&peer->stream))
		return;
	struct iovec part = {.iov_base = peer->echo, .iov_len = peer->echo_size};
	peer->echo_sending = peer->echo_size;
	io_stream_send(&peer->stream, &part, 1);
}

static void take_byte(struct peer *peer, uint8_t byte)
{
	peer->partial[peer->partial_size++] = byte;
	if (peer->partial_size < FRAME_SIZE)
		return;
	peer->partial_size = 0;
	cr_assert_eq(kr_load_u64(peer->partial), peer->next_frame);
	cr_assert_eq(kr_load_u64(peer->partial + 8), hash_mix(peer->next_frame));
	peer->next_frame++;
}

static void on_open(struct io_stream *stream, int result)
{
	struct peer *peer = stream->context;
	peer->open_count++;
	peer->open_result = result;
}

static void on_data(struct io_stream *stream, const uint8_t *bytes, size_t size_bytes)
{
	struct peer *peer = stream->context;
	cr_assert(size_bytes > 0);
	cr_assert_eq(peer->end_count, 0);
	cr_assert_eq(peer->closed_count, 0);
	peer->received_bytes += size_bytes;
	for (size_t i = 0; i < size_bytes; i++) {
		peer->sum = hash_mix(peer->sum ^ bytes[i]);
		if (peer->is_counting)
			take_byte(peer, bytes[i]);
	}
	if (peer->is_echoing) {
		cr_assert(peer->echo_size + size_bytes <= OUT_SIZE);
		memcpy(peer->echo + peer->echo_size, bytes, size_bytes);
		peer->echo_size += (uint32_t)size_bytes;
		echo_flush(peer);
	}
	if (peer->closes_on_data) {
		peer->closes_on_data = false;
		io_stream_close(stream);
	}
}

static void on_end(struct io_stream *stream, int result)
{
	struct peer *peer = stream->context;
	cr_assert_eq(peer->end_count, 0);
	peer->end_count++;
	peer->end_result = result;
	if (peer->closes_on_end)
		io_stream_close(stream);
}

static void on_sent(struct io_stream *stream, int result)
{
	struct peer *peer = stream->context;
	peer->sent_count++;
	peer->sent_result = result;
	if (!peer->is_echoing || result < 0)
		return;
	peer->echo_size -= peer->echo_sending;
	memmove(peer->echo, peer->echo + peer->echo_sending, peer->echo_size);
	echo_flush(peer);
}

static void on_closed(struct io_stream *stream)
{
	struct peer *peer = stream->context;
	peer->closed_count++;
}

static const struct io_stream_handler handler = {
	.on_open = on_open,
	.on_data = on_data,
	.on_end = on_end,
	.on_sent = on_sent,
	.on_closed = on_closed,
};

struct server {
	struct io_listener listener;
	struct peer peers[PEER_COUNT];
	uint32_t accepted_count;
	uint32_t refused_count;
	uint32_t accept_max;
	uint32_t closed_count;
};

static void peer_init(struct peer *peer)
{
	memset(peer, 0, sizeof(*peer));
	io_stream_init(&peer->stream, &handler, peer);
}

static struct io_stream *on_accept(struct io_listener *listener)
{
	struct server *server = listener->context;
	if (server->accepted_count == server->accept_max) {
		server->refused_count++;
		return NULL;
	}
	return &server->peers[server->accepted_count++].stream;
}

static void on_listener_closed(struct io_listener *listener)
{
	struct server *server = listener->context;
	server->closed_count++;
}

static void server_init(struct server *server)
{
	memset(server, 0, sizeof(*server));
	io_listener_init(&server->listener, on_accept, on_listener_closed, server);
	server->accept_max = PEER_COUNT;
	for (uint32_t i = 0; i < PEER_COUNT; i++)
		peer_init(&server->peers[i]);
}

static void server_start(
	struct io_fixture *fixture, struct server *server, const struct io_address *address)
{
	struct kr_error_text text;
	int r = io_listener_start(fixture->loops[0], &server->listener, address, &text);
	cr_assert_eq(r, 0, "%s", text.bytes);
}

static void client_connect(struct io_fixture *fixture, struct server *server, struct peer *client)
{
	int r = io_stream_connect(
		fixture->loops[1], &client->stream, io_listener_address(&server->listener));
	cr_assert_eq(r, 0);
	io_fixture_until(fixture, client->open_count == 1);
}

static void pair_open(struct io_fixture *fixture, struct server *server, struct peer *client,
	const struct io_address *address)
{
	server_init(server);
	peer_init(client);
	server_start(fixture, server, address);
	client_connect(fixture, server, client);
	cr_assert_eq(client->open_result, 0);
	io_fixture_until(fixture, server->accepted_count == 1);
}

static void peer_close(struct io_fixture *fixture, struct peer *peer)
{
	uint32_t before = peer->closed_count;
	io_stream_close(&peer->stream);
	cr_assert_eq(peer->closed_count, before, "a callback inside the call");
	io_fixture_until(fixture, peer->closed_count == before + 1);
}

static void listener_close(struct io_fixture *fixture, struct server *server)
{
	io_listener_close(&server->listener);
	cr_assert_eq(server->closed_count, 0, "a callback inside the call");
	io_fixture_until(fixture, server->closed_count == 1);
}

static void pair_close(struct io_fixture *fixture, struct server *server, struct peer *client)
{
	peer_close(fixture, client);
	peer_close(fixture, &server->peers[0]);
	listener_close(fixture, server);
}

static void frames_fill(uint8_t *bytes, uint64_t first, uint32_t count)
{
	memset(bytes, 0x5a, (size_t)count * FRAME_SIZE);
	for (uint32_t i = 0; i < count; i++) {
		kr_store_u64(bytes + (size_t)i * FRAME_SIZE, first + i);
		kr_store_u64(bytes + (size_t)i * FRAME_SIZE + 8, hash_mix(first + i));
	}
}

/* Sends numbered frames in bursts of many sizes, in several parts, and waits for their echo. */
static void echo_frames(struct io_fixture *fixture, struct peer *client, uint64_t frame_count)
{
	static uint8_t out[256 * FRAME_SIZE];
	struct rng rng;
	uint64_t sent = 0;
	rng_init(&rng, 7);
	client->is_counting = true;
	while (sent < frame_count) {
		uint32_t count = (uint32_t)rng_range(&rng, 1, KR_MIN(256, frame_count - sent));
		frames_fill(out, sent, count);
		uint32_t first = (uint32_t)rng_range(&rng, 1, count * FRAME_SIZE - 1);
		struct iovec parts[2] = {
			{.iov_base = out, .iov_len = first},
			{.iov_base = out + first, .iov_len = count * FRAME_SIZE - first},
		};
		uint32_t before = client->sent_count;
		io_stream_send(&client->stream, parts, 2);
		cr_assert_eq(client->sent_count, before, "a callback inside the call");
		io_fixture_until(fixture, client->sent_count == before + 1);
		cr_assert_eq(client->sent_result, 0);
		sent += count;
	}
	io_fixture_until(fixture, client->next_frame == frame_count);
	cr_assert_eq(client->received_bytes, frame_count * FRAME_SIZE);
}

static void echo_over(struct io_fixture *fixture, const struct io_address *address)
{
	struct server server;
	struct peer client;
	static uint8_t echo[OUT_SIZE];
	pair_open(fixture, &server, &client, address);
	server.peers[0].is_echoing = true;
	server.peers[0].echo = echo;
	echo_frames(fixture, &client, 20000);
	pair_close(fixture, &server, &client);
}

Test(stream, echoes_thousands_of_frames_over_tcp)
{
	struct io_fixture fixture;
	io_fixture_init(&fixture, NULL);
	struct io_address address = io_fixture_tcp(&fixture);
	echo_over(&fixture, &address);
	io_fixture_fini(&fixture);
}

Test(stream, echoes_thousands_of_frames_over_a_unix_socket)
{
	struct io_fixture fixture;
	io_fixture_init(&fixture, NULL);
	struct io_address address = io_fixture_unix(&fixture);
	echo_over(&fixture, &address);
	/* The path is gone with the listener, so a second one may stand there. */
	echo_over(&fixture, &address);
	io_fixture_fini(&fixture);
}

Test(stream, survives_having_fewer_buffers_than_data)
{
	struct io_fixture fixture;
	struct io_config config;
	io_config_default(&config);
	config.buffer_count = 2;
	config.buffer_size_bytes = 128;
	config.submission_count = 4;
	io_fixture_init(&fixture, &config);
	struct io_address address = io_fixture_tcp(&fixture);
	echo_over(&fixture, &address);
	io_fixture_fini(&fixture);
}

Test(stream, tells_the_port_that_was_free_and_both_ends)
{
	struct io_fixture fixture;
	struct server server;
	struct peer client;
	char text[IO_ADDRESS_TEXT_SIZE], expected[IO_ADDRESS_TEXT_SIZE];
	io_fixture_init(&fixture, NULL);
	struct io_address address = io_fixture_tcp(&fixture);
	pair_open(&fixture, &server, &client, &address);
	cr_assert_neq(io_listener_address(&server.listener)->port, 0);
	io_address_format(io_listener_address(&server.listener), expected);
	io_stream_peer_format(&client.stream, text);
	cr_assert_str_eq(text, expected);
	pair_close(&fixture, &server, &client);
	io_fixture_fini(&fixture);
}

Test(stream, refuses_where_nobody_listens)
{
	struct io_fixture fixture;
	struct server server;
	struct peer client;
	io_fixture_init(&fixture, NULL);
	struct io_address address = io_fixture_tcp(&fixture);
	pair_open(&fixture, &server, &client, &address);
	address = *io_listener_address(&server.listener);
	pair_close(&fixture, &server, &client);

	peer_init(&client);
	int r = io_stream_connect(fixture.loops[1], &client.stream, &address);
	cr_assert_eq(r, 0);
	cr_assert_eq(client.open_count, 0, "a callback inside the call");
	io_fixture_until(&fixture, client.open_count == 1);
	cr_assert_eq(client.open_result, -KR_E_REFUSED);
	peer_close(&fixture, &client);
	cr_assert_eq(client.end_count, 0);
	io_fixture_fini(&fixture);
}

Test(stream, hangs_up_on_a_peer_that_the_listener_has_no_room_for)
{
	struct io_fixture fixture;
	struct server server;
	struct peer first, second;
	io_fixture_init(&fixture, NULL);
	struct io_address address = io_fixture_tcp(&fixture);
	server_init(&server);
	server.accept_max = 1;
	peer_init(&first);
	peer_init(&second);
	server_start(&fixture, &server, &address);
	client_connect(&fixture, &server, &first);
	client_connect(&fixture, &server, &second);
	io_fixture_until(&fixture, second.end_count == 1);
	cr_assert_eq(server.refused_count, 1);
	cr_assert_eq(first.end_count, 0);
	peer_close(&fixture, &second);
	pair_close(&fixture, &server, &first);
	io_fixture_fini(&fixture);
}

Test(stream, an_address_in_use_is_told_with_a_sentence)
{
	struct io_fixture fixture;
	struct server server, second;
	struct kr_error_text text;
	io_fixture_init(&fixture, NULL);
	struct io_address addresses[] = {io_fixture_tcp(&fixture), io_fixture_unix(&fixture)};
	for (size_t i = 0; i < KR_ARRAY_COUNT(addresses); i++) {
		server_init(&server);
		server_init(&second);
		server_start(&fixture, &server, &addresses[i]);
		int r = io_listener_start(fixture.loops[0], &second.listener,
			io_listener_address(&server.listener), &text);
		cr_assert_eq(r, -KR_E_ADDRESS_IN_USE);
		cr_assert_not_null(strstr(text.bytes, "another process"));
		listener_close(&fixture, &server);
	}
	io_fixture_fini(&fixture);
}

Test(stream, half_close_lets_the_other_direction_finish)
{
	struct io_fixture fixture;
	struct server server;
	struct peer client;
	static uint8_t out[64 * FRAME_SIZE];
	io_fixture_init(&fixture, NULL);
	struct io_address address = io_fixture_tcp(&fixture);
	pair_open(&fixture, &server, &client, &address);
	struct peer *peer = &server.peers[0];
	client.is_counting = true;

	io_stream_shutdown(&client.stream);
	io_fixture_until(&fixture, peer->end_count == 1);
	cr_assert_eq(peer->end_result, 0);

	frames_fill(out, 0, 64);
	struct iovec part = {.iov_base = out, .iov_len = sizeof(out)};
	io_stream_send(&peer->stream, &part, 1);
	io_fixture_until(&fixture, client.next_frame == 64);
	cr_assert_eq(client.end_count, 0);
	peer_close(&fixture, peer);
	io_fixture_until(&fixture, client.end_count == 1);
	cr_assert_eq(client.end_result, 0);
	peer_close(&fixture, &client);
	listener_close(&fixture, &server);
	io_fixture_fini(&fixture);
}

Test(stream, closing_inside_its_own_callback_ends_all_callbacks)
{
	struct io_fixture fixture;
	struct server server;
	struct peer client;
	static uint8_t out[256 * FRAME_SIZE];
	io_fixture_init(&fixture, NULL);
	struct io_address address = io_fixture_tcp(&fixture);
	pair_open(&fixture, &server, &client, &address);
	struct peer *peer = &server.peers[0];
	peer->closes_on_data = true;
	client.closes_on_end = true;
	frames_fill(out, 0, 256);
	struct iovec part = {.iov_base = out, .iov_len = sizeof(out)};
	io_stream_send(&client.stream, &part, 1);
	io_fixture_until(&fixture, peer->closed_count == 1);
	cr_assert_eq(peer->end_count, 0);
	io_fixture_until(&fixture, client.closed_count == 1);
	cr_assert_eq(client.end_count, 1);
	listener_close(&fixture, &server);
	io_fixture_fini(&fixture);
}

Test(stream, a_slow_reader_keeps_the_send_in_flight_until_it_reads)
{
	struct io_fixture fixture;
	struct server server;
	struct peer client;
	static uint8_t out[1u << 24];
	io_fixture_init(&fixture, NULL);
	struct io_address address = io_fixture_tcp(&fixture);
	pair_open(&fixture, &server, &client, &address);
	struct peer *peer = &server.peers[0];
	peer->is_counting = true;
	io_stream_receive_pause(&peer->stream);
	frames_fill(out, 0, sizeof(out) / FRAME_SIZE);
	struct iovec part = {.iov_base = out, .iov_len = sizeof(out)};
	io_stream_send(&client.stream, &part, 1);
	for (uint32_t i = 0; i < 2000; i++)
		io_fixture_step(&fixture);
	cr_assert_eq(client.sent_count, 0);
	cr_assert(io_stream_is_sending(&client.stream));
	cr_assert(peer->received_bytes < sizeof(out) / 2);
	io_stream_receive_resume(&peer->stream);
	io_fixture_until(&fixture, peer->next_frame == sizeof(out) / FRAME_SIZE);
	io_fixture_until(&fixture, client.sent_count == 1);
	cr_assert_eq(client.sent_result, 0);
	pair_close(&fixture, &server, &client);
	io_fixture_fini(&fixture);
}

Test(stream, a_slow_reader_can_be_cut_off_with_a_send_in_flight)
{
	struct io_fixture fixture;
	struct server server;
	struct peer client;
	static uint8_t out[1u << 24];
	io_fixture_init(&fixture, NULL);
	struct io_address address = io_fixture_tcp(&fixture);
	pair_open(&fixture, &server, &client, &address);
	io_stream_receive_pause(&client.stream);
	struct peer *peer = &server.peers[0];
	struct iovec part = {.iov_base = out, .iov_len = sizeof(out)};
	io_stream_send(&peer->stream, &part, 1);
	for (uint32_t i = 0; i < 500; i++)
		io_fixture_step(&fixture);
	cr_assert(io_stream_is_sending(&peer->stream));
	peer_close(&fixture, peer);
	cr_assert_eq(peer->sent_count, 0);
	peer_close(&fixture, &client);
	listener_close(&fixture, &server);
	io_fixture_fini(&fixture);
}

Test(stream, pausing_and_resuming_loses_nothing)
{
	struct io_fixture fixture;
	struct server server;
	struct peer client;
	struct rng rng;
	static uint8_t out[1u << 22];
	io_fixture_init(&fixture, NULL);
	rng_init(&rng, 3);
	struct io_address address = io_fixture_unix(&fixture);
	pair_open(&fixture, &server, &client, &address);
	struct peer *peer = &server.peers[0];
	peer->is_counting = true;
	frames_fill(out, 0, sizeof(out) / FRAME_SIZE);
	struct iovec part = {.iov_base = out, .iov_len = sizeof(out)};
	io_stream_send(&client.stream, &part, 1);
	while (peer->next_frame < sizeof(out) / FRAME_SIZE) {
		if (rng_chance(&rng, 300000))
			io_stream_receive_pause(&peer->stream);
		else
			io_stream_receive_resume(&peer->stream);
		io_fixture_step(&fixture);
	}
	cr_assert_eq(peer->received_bytes, sizeof(out));
	io_fixture_until(&fixture, client.sent_count == 1);
	pair_close(&fixture, &server, &client);
	io_fixture_fini(&fixture);
}

Test(stream, sending_to_a_peer_that_is_gone_ends_with_an_error)
{
	struct io_fixture fixture;
	struct server server;
	struct peer client;
	uint8_t out[FRAME_SIZE] = {0};
	io_fixture_init(&fixture, NULL);
	struct io_address address = io_fixture_tcp(&fixture);
	pair_open(&fixture, &server, &client, &address);
	peer_close(&fixture, &client);
	struct peer *peer = &server.peers[0];
	struct iovec part = {.iov_base = out, .iov_len = sizeof(out)};
	for (uint32_t i = 0; i < 100 && peer->sent_result == 0; i++) {
		io_stream_send(&peer->stream, &part, 1);
		io_fixture_until(&fixture, peer->sent_count == i + 1);
	}
	cr_assert_eq(peer->sent_result, -KR_E_RESET);
	peer_close(&fixture, peer);
	listener_close(&fixture, &server);
	io_fixture_fini(&fixture);
}

Test(stream, every_stream_fault_point_is_met)
{
	struct io_fixture fixture;
	struct server server;
	struct peer client;
	uint8_t out[FRAME_SIZE] = {0};
	struct kr_error_text text;
	io_fixture_init(&fixture, NULL);
	struct io_address address = io_fixture_tcp(&fixture);
	struct iovec part = {.iov_base = out, .iov_len = sizeof(out)};

	server_init(&server);
	fault_arm(&fixture.faults, FAULT_LISTENER_BIND, 1, false);
	int r = io_listener_start(fixture.loops[0], &server.listener, &address, &text);
	cr_assert_eq(r, -KR_E_ADDRESS_IN_USE);

	pair_open(&fixture, &server, &client, &address);
	fault_arm(&fixture.faults, FAULT_STREAM_SEND, 1, false);
	io_stream_send(&client.stream, &part, 1);
	io_fixture_until(&fixture, client.sent_count == 1);
	cr_assert_eq(client.sent_result, -KR_E_RESET);
	io_fixture_until(&fixture, server.peers[0].received_bytes == sizeof(out));
	fault_arm(&fixture.faults, FAULT_STREAM_RECEIVE, 1, false);
	io_stream_send(&server.peers[0].stream, &part, 1);
	io_fixture_until(&fixture, client.end_count == 1);
	cr_assert_eq(client.end_result, -KR_E_RESET);
	cr_assert_eq(client.received_bytes, 0);
	peer_close(&fixture, &client);

	peer_init(&client);
	fault_arm(&fixture.faults, FAULT_STREAM_OPEN, 1, false);
	cr_assert_eq(io_stream_connect(fixture.loops[0], &client.stream, &address), -KR_E_LIMIT);
	cr_assert_eq(client.stream.errno_number, EMFILE);
	fault_arm(&fixture.faults, FAULT_STREAM_CONNECT, 1, false);
	client_connect(&fixture, &server, &client);
	cr_assert_eq(client.open_result, -KR_E_REFUSED);
	peer_close(&fixture, &client);

	peer_init(&client);
	uint32_t before = 2;
	io_fixture_until(&fixture, server.accepted_count == before);
	fault_arm(&fixture.faults, FAULT_STREAM_ACCEPT, 1, false);
	client_connect(&fixture, &server, &client);
	io_fixture_until(&fixture, client.end_count == 1 || client.open_result < 0);
	cr_assert_eq(io_loop_stats(fixture.loops[0])->accept_error_count, 1);
	peer_close(&fixture, &client);
	/* After a failed accept the listener goes on by itself. */
	peer_init(&client);
	client_connect(&fixture, &server, &client);
	io_fixture_until(&fixture, server.accepted_count > before);
	peer_close(&fixture, &client);
	for (uint32_t i = 0; i < server.accepted_count; i++)
		peer_close(&fixture, &server.peers[i]);
	listener_close(&fixture, &server);
	io_fixture_fini(&fixture);
}
