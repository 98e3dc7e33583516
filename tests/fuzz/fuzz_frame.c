/*
 * The frame reader: a stream of bytes into checked frames.
 *
 * Held: what is delivered are the stream's frames, whole, in order and without a gap, each of which
 * frame_header_read() and frame_body_check() accept; and however the stream is cut into pieces, the
 * same is delivered and the connection ends with the same code.
 *
 * Input: u8: bit 0: frames are summed anew, so that changes get behind the checksums, bit 1: the
 * connection is a router's, bit 2: a dialled one; u8 seed of the cuts; the rest is the stream.
 */
#include <stdlib.h>
#include <string.h>

#include "base/io/sim/sim.h"
#include "base/io/sim/sim_node.h"
#include "base/hash.h"
#include "base/rng.h"
#include "proto/conn_priv.h"
#include "tests/fuzz/fuzz.h"

#define BODY_SIZE_MAX (32u << 10)
#define CLUSTER UINT64_C(0x6b657972) /* PROTOCOL.md's */

struct outcome {
	const uint8_t *stream;
	size_t size_bytes; /* delivered so far */
	uint32_t count;
	uint8_t state;
	uint16_t code;
};

static struct io_loop *loop;

static void on_open(void *context, struct conn_id id)
{
	kr_assert(context != NULL && id.generation != 0);
}

static void on_frame(
	void *context, struct conn_id id, const struct frame_header *header, const uint8_t *body)
{
	struct outcome *outcome = context;
	struct frame_header read;
	kr_assert(id.generation != 0);
	int r = frame_header_read(outcome->stream + outcome->size_bytes, &read);
	kr_assert(r == 0 && memcmp(&read, header, sizeof(read)) == 0);
	outcome->size_bytes += FRAME_HEADER_SIZE;
	if (header->body_size_bytes > 0)
		kr_assert(memcmp(body, outcome->stream + outcome->size_bytes,
				  header->body_size_bytes) == 0);
	outcome->size_bytes += header->body_size_bytes;
	outcome->count++;
}

static void on_close(void *context, struct conn_id id, enum conn_reason reason, unsigned code)
{
	kr_assert(context != NULL && id.generation != 0);
	kr_assert(reason != CONN_REASON_FAILED || code == 0);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct sim_config config;
	struct io_config io;
	struct kr_error_text text;
	kr_assert(argc != NULL && argv != NULL);
	sim_config_default(&config);
	struct sim_world *world = sim_world_new(&config);
	io_config_default(&io);
	io.environment = sim_node_new(world, NULL, "node");
	int r = io_loop_new(&io, &loop, &text);
	kr_assert(r == 0);
	sim_world_run_until(world, 1000000);
	return 0;
}

static struct outcome receive(const uint8_t *stream, size_t size, unsigned flags, struct rng *cuts)
{
	struct outcome outcome = {.stream = stream};
	struct conn_set *set;
	struct kr_error_text text;
	const struct conn_handler handler = {&outcome, on_open, on_frame, NULL, on_close};
	const struct conn_config config = {.cluster = CLUSTER,
		.accept_max_count = 1,
		.dial_max_count = 1,
		.body_size_max_bytes = BODY_SIZE_MAX,
		.queue_size_max_bytes = 4 * BODY_SIZE_MAX,
		.dial_queue_size_max_bytes = 4 * BODY_SIZE_MAX,
		.pool_size_bytes = 16 * CONN_BLOCK_SIZE,
		.body_check = true,
		.from_routers = (flags & 2) != 0};
	int r = conn_set_new(loop, &config, &handler, &set, &text);
	kr_assert(r == 0);
	struct conn *conn = conn_take(set, (flags & 4) != 0);
	conn->state = CONN_OPEN;
	set->counters.open_count += !conn->dialled;
	for (size_t at = 0; at < size && conn->state == CONN_OPEN;) {
		size_t piece = cuts != NULL ? 1 + rng_below(cuts, 100) : size;
		piece = KR_MIN(piece, size - at);
		uint8_t *exact = fuzz_copy(stream + at, piece);
		conn_receive(conn, exact, piece);
		free(exact);
		at += piece;
	}
	kr_assert(outcome.size_bytes <= size);
	outcome.state = conn->state;
	outcome.code = conn->code;
	io_timer_stop(loop, &set->check);
	io_timer_stop(loop, &set->kick);
	(void)conn_set_free(set);
	return outcome;
}

/* What a peer that means well would have summed. */
static void sum_again(uint8_t *stream, size_t size)
{
	while (size >= FRAME_HEADER_SIZE) {
		struct frame_header header;
		memcpy(&header, stream, sizeof(header));
		size_t left = size - FRAME_HEADER_SIZE;
		if (header.body_size_bytes <= left)
			header.body_sum =
				hash_64(stream + FRAME_HEADER_SIZE, header.body_size_bytes);
		header.header_sum = 0;
		header.header_sum = (uint32_t)hash_64(&header, sizeof(header));
		memcpy(stream, &header, sizeof(header));
		if (header.body_size_bytes > left)
			return;
		stream += FRAME_HEADER_SIZE + header.body_size_bytes;
		size = left - header.body_size_bytes;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	struct rng cuts;
	if (size_bytes < 3)
		return 0;
	size_t size = size_bytes - 2;
	uint8_t *stream = fuzz_copy(data + 2, size);
	if ((data[0] & 1) != 0)
		sum_again(stream, size);
	struct outcome whole = receive(stream, size, data[0], NULL);
	rng_init(&cuts, data[1]);
	struct outcome cut = receive(stream, size, data[0], &cuts);
	kr_assert(whole.size_bytes == cut.size_bytes && whole.count == cut.count);
	kr_assert(whole.state == cut.state && whole.code == cut.code);
	free(stream);
	return 0;
}
