#include "io_fixture.h"

#include <string.h>

#include "base/hash.h"
#include "base/rng.h"

#define PORT 7u
#define OUT_SIZE 300000u

/* Streams whose ends share loop 0; the simulated ones go through its network like any other. */

struct end {
	struct io_stream stream;
	uint8_t out[OUT_SIZE];
	uint64_t out_sum, in_sum; /* of all bytes, in order */
	uint64_t in_bytes;
	uint32_t open_count, end_count, sent_count, closed_count;
	int open_result, end_result, sent_result;
	bool closes_on_data;
	bool pauses_on_data;
};

struct pair {
	struct io_fixture fixture;
	struct io_listener listener;
	struct end ends[2]; /* who connects, who accepts */
	bool accepts_nobody;
	uint32_t listener_closed_count;
};

static uint64_t sum_of(uint64_t sum, const uint8_t *bytes, size_t size_bytes)
{
	for (size_t i = 0; i < size_bytes; i++)
		sum = hash_mix(sum ^ bytes[i]);
	return sum;
}

static void on_open(struct io_stream *stream, int result)
{
	struct end *end = stream->context;
	end->open_count++;
	end->open_result = result;
}

static void on_data(struct io_stream *stream, const uint8_t *bytes, size_t size_bytes)
{
	struct end *end = stream->context;
	cr_assert(size_bytes > 0);
	cr_assert_eq(end->end_count, 0);
	cr_assert_eq(end->closed_count, 0);
	end->in_sum = sum_of(end->in_sum, bytes, size_bytes);
	end->in_bytes += size_bytes;
	if (end->pauses_on_data)
		io_stream_receive_pause(stream);
	if (end->closes_on_data)
		io_stream_close(stream);
	end->closes_on_data = false;
}

static void on_end(struct io_stream *stream, int result)
{
	struct end *end = stream->context;
	end->end_count++;
	end->end_result = result;
}

static void on_sent(struct io_stream *stream, int result)
{
	struct end *end = stream->context;
	end->sent_count++;
	end->sent_result = result;
	memset(end->out, 0xdb, sizeof(end->out)); /* the sender's again */
}

static void on_closed(struct io_stream *stream)
{
	struct end *end = stream->context;
	end->closed_count++;
}

static const struct io_stream_handler handler = {
	.on_open = on_open,
	.on_data = on_data,
	.on_end = on_end,
	.on_sent = on_sent,
	.on_closed = on_closed,
};

static struct io_stream *on_accept(struct io_listener *listener)
{
	struct pair *pair = listener->context;
	return pair->accepts_nobody ? NULL : &pair->ends[1].stream;
}

static void on_listener_closed(struct io_listener *listener)
{
	struct pair *pair = listener->context;
	pair->listener_closed_count++;
}

static const struct io_address address = {.kind = IO_ADDRESS_INPROC, .port = PORT};

static void pair_init(struct pair *pair)
{
	memset(pair, 0, sizeof(*pair));
	io_fixture_init(&pair->fixture, NULL);
	for (uint32_t i = 0; i < 2; i++)
		io_stream_init(&pair->ends[i].stream, &handler, &pair->ends[i]);
	io_listener_init(&pair->listener, on_accept, on_listener_closed, pair);
}

static void pair_listen(struct pair *pair)
{
	struct kr_error_text text;
	int r = io_listener_start(pair->fixture.loops[0], &pair->listener, &address, &text);
	cr_assert_eq(r, 0, "%s", text.bytes);
}

static void pair_connect(struct pair *pair)
{
	int r = io_stream_connect(pair->fixture.loops[0], &pair->ends[0].stream, &address);
	cr_assert_eq(r, 0);
	cr_assert_eq(pair->ends[0].open_count, 0, "called back from inside the call");
	io_fixture_until(&pair->fixture, pair->ends[0].open_count == 1);
}

static void pair_begin(struct pair *pair)
{
	pair_init(pair);
	pair_listen(pair);
	pair_connect(pair);
	cr_assert_eq(pair->ends[0].open_result, 0);
}

static void send_some(struct end *end, struct rng *rng)
{
	struct iovec parts[3];
	uint32_t size_bytes = 0;
	uint32_t count = (uint32_t)rng_range(rng, 1, 3);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t size = (uint32_t)rng_range(rng, 1, OUT_SIZE / 3);
		parts[i] = (struct iovec){.iov_base = end->out + size_bytes, .iov_len = size};
		size_bytes += size;
	}
	for (uint32_t i = 0; i < size_bytes; i++)
		end->out[i] = (uint8_t)rng_next(rng);
	end->out_sum = sum_of(end->out_sum, end->out, size_bytes);
	io_stream_send(&end->stream, parts, count);
}

static void pair_end(struct pair *pair)
{
	for (uint32_t i = 0; i < 2; i++) {
		struct end *end = &pair->ends[i];
		uint32_t closed_count = end->closed_count;
		if (end->stream.flags == 0)
			continue;
		io_stream_close(&end->stream);
		io_fixture_until(&pair->fixture, end->closed_count == closed_count + 1);
	}
	if (pair->listener.flags != 0) {
		io_listener_close(&pair->listener);
		io_fixture_until(&pair->fixture, pair->listener_closed_count == 1);
	}
	io_fixture_fini(&pair->fixture);
}

static struct pair pair;

Test(inproc, all_bytes_come_in_order_both_ways_with_pauses)
{
	struct rng rng;
	pair_begin(&pair);
	rng_init(&rng, 11);
	for (uint32_t round = 0; round < 300; round++) {
		for (uint32_t i = 0; i < 2; i++) {
			struct end *end = &pair.ends[i];
			if (!io_stream_is_sending(&end->stream) && rng_below(&rng, 2) == 0)
				send_some(end, &rng);
			end->pauses_on_data = rng_below(&rng, 4) == 0;
			if (rng_below(&rng, 2) == 0)
				io_stream_receive_resume(&end->stream);
		}
		io_fixture_step(&pair.fixture);
	}
	for (uint32_t i = 0; i < 2; i++) {
		pair.ends[i].pauses_on_data = false;
		io_stream_receive_resume(&pair.ends[i].stream);
	}
	io_fixture_until(&pair.fixture, pair.ends[0].in_sum == pair.ends[1].out_sum &&
						pair.ends[1].in_sum == pair.ends[0].out_sum);
	cr_assert(pair.ends[0].in_bytes > OUT_SIZE && pair.ends[1].in_bytes > OUT_SIZE);
	pair_end(&pair);
}

Test(inproc, where_nobody_listens_it_is_refused)
{
	pair_init(&pair);
	pair_connect(&pair);
	cr_assert_eq(pair.ends[0].open_result, -KR_E_REFUSED);
	pair_end(&pair);
}

Test(inproc, whom_nobody_accepts_is_hung_up_on)
{
	pair_init(&pair);
	pair_listen(&pair);
	pair.accepts_nobody = true;
	pair_connect(&pair);
	io_fixture_until(&pair.fixture, pair.ends[0].end_count == 1);
	pair_end(&pair);
}

Test(inproc, a_second_listener_of_the_same_number_is_refused)
{
	struct io_listener second;
	struct kr_error_text text;
	pair_begin(&pair);
	io_listener_init(&second, on_accept, on_listener_closed, &pair);
	int r = io_listener_start(pair.fixture.loops[0], &second, &address, &text);
	cr_assert_eq(r, -KR_E_ADDRESS_IN_USE);
	cr_assert_not_null(strstr(text.bytes, "inproc:7"));
	pair_end(&pair);
}

Test(inproc, the_last_words_come_before_the_end)
{
	struct rng rng;
	pair_begin(&pair);
	rng_init(&rng, 12);
	send_some(&pair.ends[0], &rng);
	io_fixture_until(&pair.fixture, pair.ends[0].sent_count == 1);
	cr_assert_eq(pair.ends[0].sent_result, 0);
	io_stream_shutdown(&pair.ends[0].stream);
	io_fixture_until(&pair.fixture, pair.ends[1].end_count == 1);
	cr_assert_eq(pair.ends[1].end_result, 0);
	cr_assert_eq(pair.ends[1].in_sum, pair.ends[0].out_sum);
	/* The other way is open still. */
	send_some(&pair.ends[1], &rng);
	io_fixture_until(&pair.fixture, pair.ends[0].in_sum == pair.ends[1].out_sum);
	cr_assert_eq(pair.ends[0].end_count, 0);
	pair_end(&pair);
}

Test(inproc, whoever_waits_for_a_paused_end_learns_that_it_is_gone)
{
	struct rng rng;
	pair_begin(&pair);
	rng_init(&rng, 13);
	io_stream_receive_pause(&pair.ends[1].stream);
	send_some(&pair.ends[0], &rng);
	for (uint32_t i = 0; i < 20; i++)
		io_fixture_step(&pair.fixture);
	io_stream_close(&pair.ends[1].stream);
	io_fixture_until(&pair.fixture, pair.ends[1].closed_count == 1);
	io_fixture_until(&pair.fixture, pair.ends[0].end_count == 1);
	cr_assert_eq(pair.ends[1].in_bytes, 0);
	pair_end(&pair);
}

Test(inproc, an_end_may_close_within_its_data)
{
	struct rng rng;
	pair_begin(&pair);
	rng_init(&rng, 14);
	pair.ends[1].closes_on_data = true;
	send_some(&pair.ends[0], &rng);
	io_fixture_until(&pair.fixture, pair.ends[1].closed_count == 1);
	io_fixture_until(&pair.fixture, pair.ends[0].end_count == 1);
	cr_assert(pair.ends[1].in_bytes > 0);
	pair_end(&pair);
}

static uint32_t turns[2];

static void on_first_turn(struct io_loop *loop, void *context)
{
	cr_assert_eq(context, &turns[0]);
	cr_assert_eq(turns[0], turns[1]);
	turns[0]++;
}

static void on_second_turn(struct io_loop *loop, void *context)
{
	cr_assert_eq(context, &turns[1]);
	turns[1]++;
	cr_assert_eq(turns[0], turns[1]);
}

Test(inproc, two_owners_hear_of_each_turn_in_order)
{
	pair_init(&pair);
	io_loop_set_turn(pair.fixture.loops[0], on_first_turn, &turns[0]);
	io_loop_set_turn(pair.fixture.loops[0], on_second_turn, &turns[1]);
	io_loop_set_turn(pair.fixture.loops[0], on_first_turn, &turns[0]);
	pair_listen(&pair);
	pair_connect(&pair);
	cr_assert(turns[0] > 0);
	cr_assert_eq(turns[0], turns[1]);
	pair_end(&pair);
}
