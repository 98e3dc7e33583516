/*
 * libkeyrack against a server that sends whatever it likes: the connection, the calls, what is read
 * of their answers, and answers of many shards made one.
 *
 * Held: what the client sends are whole, summed frames; each call that was taken ends once, at its
 * deadline at the latest, with an outcome and a code that fit; DONE is told only of what a server
 * called done; texts and rows of an answer are there to be read; afterwards nothing is open.
 *
 * Input: u8: bit 0: a token, bit 1: fail fast, bit 2: a token's number for the seed; then steps, a
 * u8 each, the low three bits of which say what happens: see step().
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/code.h"
#include "tests/fuzz/client_rig.h"
#include "tests/fuzz/fuzz.h"

#define STEPS_MAX 200u
#define CALLS_MAX 64u
#define BODY_SIZE_MAX (16u << 10)

static struct call {
	bool is_over;
	uint64_t deadline_at_us;
} calls[CALLS_MAX];
static uint32_t call_count, over_count;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	kr_assert(argc != NULL && argv != NULL);
	rig_client_new();
	return 0;
}

static void on_end(void *user, const union keyrack_answer *answer)
{
	struct call *call = user;
	const struct keyrack_result *result = &answer->result;
	kr_assert(call >= calls && call < calls + call_count && !call->is_over);
	call->is_over = true;
	over_count++;
	kr_assert(result->code != 0);
	kr_assert(result->outcome == KEYRACK_RESULT_DONE ||
		  result->outcome == KEYRACK_RESULT_NOT_DONE ||
		  result->outcome == KEYRACK_RESULT_UNKNOWN);
	kr_assert((result->outcome == KEYRACK_RESULT_DONE) == (result->code == KEYRACK_CODE_DONE));
	kr_assert(result->outcome != KEYRACK_RESULT_DONE || result->tries > 0);
	kr_assert(result->outcome != KEYRACK_RESULT_DONE || rig.done_count > 0);
	rig_answer_touch(rig.kind_of[call - calls], answer);
}

static void submit(struct kr_reader *input)
{
	uint8_t kind = (uint8_t)(kr_reader_u8(input) % rig_kind_count);
	uint8_t more = kr_reader_u8(input);
	if (call_count == CALLS_MAX)
		return;
	struct call *call = &calls[call_count];
	*call = (struct call){.deadline_at_us = rig.now_us + (1u + (more & 15u)) * 100000u};
	rig.kind_of[call_count++] = kind;
	int r = rig_submit(kind, more, on_end, call);
	if (r == 0)
		return;
	kr_assert(r == KEYRACK_WOULD_BLOCK || r == -EINVAL);
	call_count--;
}

/* The n-th frame of this connection is answered, with one byte of the header as somebody likes. */
static void answer(struct kr_reader *input, bool is_twisted)
{
	uint8_t pick = kr_reader_u8(input);
	uint8_t status = kr_reader_u8(input);
	uint8_t at = is_twisted ? kr_reader_u8(input) : 0;
	uint8_t twist = is_twisted ? kr_reader_u8(input) : 0;
	size_t size;
	const uint8_t *body = fuzz_take(input, kr_reader_u16(input) % BODY_SIZE_MAX, &size);
	struct frame_header header;
	if (!rig_answer_header(pick, &header))
		return;
	header.status = status;
	if (at % FRAME_HEADER_SIZE >= 24)
		((uint8_t *)&header)[at % FRAME_HEADER_SIZE] ^= twist;
	else if (at % FRAME_HEADER_SIZE == 5)
		header.type ^= twist;
	else if (at % FRAME_HEADER_SIZE == 7)
		header.flags ^= twist;
	rig_seal(&header, body, size);
	rig.done_count += header.status == KEYRACK_CODE_DONE;
	rig_feed(&header, FRAME_HEADER_SIZE);
	rig_feed(body, size);
}

static void feed_raw(struct kr_reader *input)
{
	size_t size;
	const uint8_t *bytes = fuzz_take(input, kr_reader_u16(input) % BODY_SIZE_MAX, &size);
	rig.done_count++; /* perhaps */
	rig_feed(bytes, size);
}

static void step(uint8_t what, struct kr_reader *input)
{
	switch (what & 7) {
	case 0:
		submit(input);
		break;
	case 1:
		answer(input, false);
		break;
	case 2:
		answer(input, true);
		break;
	case 3:
		feed_raw(input);
		break;
	case 4:
		rig.now_us += (uint64_t)kr_reader_u8(input) * 5000u;
		break;
	case 5:
		rig.is_cut = true;
		break;
	case 6:
		rig_greet(kr_reader_u8(input), kr_reader_u8(input));
		break;
	case 7:
		rig.connect_result = kr_reader_u8(input) % 3;
		rig.send_max_bytes = 1u + kr_reader_u8(input) * 16u;
		break;
	}
	/* Several things may happen before the client looks. */
	if ((what & 0x80) == 0)
		(void)keyrack_client_process(rig.client);
	rig_check();
	for (uint32_t i = 0; (what & 0x80) == 0 && i < call_count; i++)
		kr_assert(calls[i].is_over || calls[i].deadline_at_us > rig.now_us);
}

/* Past every deadline, and with room to send. */
static void settle(void)
{
	rig.send_max_bytes = UINT32_MAX;
	for (uint32_t i = 0; i < 4; i++) {
		(void)keyrack_client_process(rig.client);
		rig_check();
		rig.now_us += 1000000;
	}
	(void)keyrack_client_process(rig.client);
	kr_assert(over_count == call_count);
	kr_assert(keyrack_client_open(rig.client) == 0 && keyrack_client_room(rig.client) > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	struct kr_reader input;
	kr_reader_init(&input, data, size_bytes);
	call_count = over_count = 0;
	rig_client_reset(kr_reader_u8(&input));
	for (uint32_t i = 0; i < STEPS_MAX && !input.failed && kr_reader_left(&input) > 0; i++)
		step(kr_reader_u8(&input), &input);
	settle();
	return 0;
}
