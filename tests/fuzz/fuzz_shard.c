/*
 * Every request there is, through the shard's step: parsing by hand and by protobuf-c, judging,
 * logging, answering.
 *
 * Held: each request is answered once, by a whole frame; a shard that reads no message by hand
 * gives the same answers and ends in the same state; the recount of its state finds nothing; the
 * log replayed gives that state.
 *
 * Input: steps. u8 step: bit 7: time passes, minutes in the low bits; else a frame: u8 type, u8
 * route, u8 key, u8 principal, u16 size, so many bytes of body; with bit 0 of the step the frames
 * so far go together.
 */
#include <stdlib.h>
#include <string.h>

#include "proto/message.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/shard_rig.h"

#define STEPS_MAX 64u
#define MINUTE_US UINT64_C(60000000)

static struct world *hand, *generic; /* with messages read by hand; without */
static struct world hand_before, generic_before;
static struct shard *mirror; /* built from the log alone */

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	kr_assert(argc != NULL && argv != NULL);
	hand = rig_world_new(false);
	generic = rig_world_new(true);
	hand_before = *hand;
	generic_before = *generic;
	mirror = rig_mirror_new(hand);
	return 0;
}

static uint64_t key_of(struct kr_reader *input)
{
	uint8_t key = kr_reader_u8(input);
	if (key == 0)
		return WORLD_HOTEL;
	if (key == 1)
		return slot_of_hotel((struct hotel_id){WORLD_HOTEL});
	return key == 2 ? 0 : kr_reader_u64(input);
}

/* What a connection would let through, and only that. */
static void give(struct world *world, struct kr_reader *input)
{
	uint32_t place = world->frame_count;
	struct frame_header *header = &world->headers[place];
	*header = (struct frame_header){.type = kr_reader_u8(input),
		.route = kr_reader_u8(input),
		.cluster = world->config.cluster,
		.routing_key = key_of(input),
		.request_id = world->next_request_id,
		.remaining_us = 1000000,
		.principal = kr_reader_u8(input),
		.via = 9};
	size_t size;
	const uint8_t *bytes = fuzz_take(input, kr_reader_u16(input), &size);
	uint8_t *body = fuzz_copy(bytes, size);
	bool is_known = message_of_request(header->type) != NULL && header->type != FRAME_REJECT &&
			header->type != FRAME_AUTH && header->route >= FRAME_ROUTE_HOTEL &&
			header->route <= FRAME_ROUTE_ROUTER;
	if (!is_known) {
		free(body);
		return;
	}
	frame_seal(header, body, size);
	world->frames[world->frame_count++] = (struct shard_frame){
		.conn = 5, .received_us = world->boot_us, .header = header, .body = body};
	world->next_request_id++;
}

static void run(struct world *world, const uint8_t *data, size_t size_bytes)
{
	struct kr_reader input;
	kr_reader_init(&input, data, size_bytes);
	for (uint32_t i = 0; i < STEPS_MAX && !input.failed && kr_reader_left(&input) > 0; i++) {
		uint8_t step = kr_reader_u8(&input);
		if ((step & 0x80) == 0)
			give(world, &input);
		if ((step & 0x81) != 0)
			world_turn(world);
		if ((step & 0x80) != 0)
			world_pass(world, (step & 0x7f) * MINUTE_US);
	}
	world_turn(world);
	world_settle(world);
}

static void compare(const struct world *a, const struct world *b)
{
	static uint8_t bytes[2][FRAME_BODY_SIZE_MAX];
	kr_assert(a->answer_count == b->answer_count && a->batch_count == b->batch_count);
	for (uint32_t i = hand_before.answer_count; i < a->answer_count; i++) {
		const struct world_answer *x = &a->answers[i], *y = &b->answers[i];
		size_t size = protobuf_c_message_pack(x->message, bytes[0]);
		kr_assert(x->request_id == y->request_id && x->code == y->code);
		kr_assert(size == protobuf_c_message_pack(y->message, bytes[1]));
		kr_assert(memcmp(bytes[0], bytes[1], size) == 0);
	}
}

static void check(void)
{
	struct inv_contradiction contradiction;
	struct shard_trouble trouble;
	kr_assert(hand->answer_count - hand_before.answer_count ==
		  hand->next_request_id - hand_before.next_request_id);
	for (uint64_t id = hand_before.next_request_id; id < hand->next_request_id; id++)
		kr_assert(world_answer(hand, id) != NULL);
	compare(hand, generic);
	kr_assert(inv_verify(shard_inventory(hand->shard), &contradiction) == 0);
	for (uint32_t i = hand_before.durable_count; i < hand->durable_count; i++) {
		int r = shard_replay(mirror, &hand->batches[i].record, &trouble);
		kr_assert(r == 0);
	}
	kr_assert(shard_digest(mirror) == shard_digest(hand->shard));
	kr_assert(shard_digest(generic->shard) == shard_digest(hand->shard));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	run(hand, data, size_bytes);
	run(generic, data, size_bytes);
	check();
	rig_world_reset(hand, &hand_before);
	rig_world_reset(generic, &generic_before);
	rig_mirror_reset();
	return 0;
}
