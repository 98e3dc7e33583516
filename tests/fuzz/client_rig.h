/*
 * A libkeyrack client whose clock and socket are the target's: bytes go in, frames come out. One
 * client serves every input; between two it is put back as it was made.
 */
#ifndef TESTS_FUZZ_CLIENT_RIG_H
#define TESTS_FUZZ_CLIENT_RIG_H

#include "client/client.h"

#define RIG_CLUSTER UINT64_C(0x6b657972)
#define RIG_FRAMES_MAX 256u
#define RIG_STREAM_SIZE (1u << 20)

struct rig {
	struct keyrack_client *client;
	uint64_t now_us;
	uint8_t kind_of[64]; /* of the calls, by the target's number */
	uint32_t done_count; /* frames fed that call something done */

	/* the network */
	uint8_t connect_result; /* 0, CLIENT_SOCKET_WAIT or CLIENT_SOCKET_LOST */
	bool is_open, is_cut;
	uint32_t send_max_bytes;                  /* that the socket takes at a time */
	struct frame_header sent[RIG_FRAMES_MAX]; /* on this connection, the first of them */
	uint32_t sent_count;
	uint8_t out[RIG_STREAM_SIZE], in[RIG_STREAM_SIZE]; /* half a frame; fed and not read */
	size_t out_size, in_size;
};

extern struct rig rig;
extern const uint8_t rig_kind_count;

void rig_client_new(void);
/* Bits of `way`: 1: with a token, 2: fail fast. */
void rig_client_reset(uint8_t way);
/* A call of any kind, with little in it. `more`: low half: its deadline, bits 4, 5: retry; 6: over
 * all shards, where that can be said. */
int rig_submit(uint8_t kind, uint8_t more, keyrack_callback *callback, void *user);
/* Bytes from the server; lost without a connection. */
void rig_feed(const void *bytes, size_t size_bytes);
/* The header of an answer to one of the frames sent. False: none was. */
bool rig_answer_header(uint8_t pick, struct frame_header *ret_header);
/* Sums a header that nobody who means well would send. */
void rig_seal(struct frame_header *header, const void *body, size_t size_bytes);
/* What a router says first, to the last frame sent. */
void rig_greet(uint8_t window, uint8_t shard_count);
/* The table of calls adds up. */
void rig_check(void);
/* Reads all that an answer points at. */
void rig_answer_touch(uint8_t kind, const union keyrack_answer *answer);

#endif
