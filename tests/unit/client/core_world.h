/*
 * A client's core in virtual time, with a server played by the test: what the core sends is kept
 * as a list of frames, and the test answers them one by one.
 */
#ifndef TESTS_UNIT_CLIENT_CORE_WORLD_H
#define TESTS_UNIT_CLIENT_CORE_WORLD_H

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include <keyrack/keyrack.h>

#include "client/core.h"
#include "proto/code.h"
#include "proto/keyrack.pb-c.h"

#define WORLD_CLUSTER UINT64_C(0xc1)
#define WORLD_FRAMES_MAX 4096u
#define WORLD_ENDS_MAX 4096u
#define WORLD_SECOND UINT64_C(1000000)

struct world {
	struct client_core core;
	struct client_core_config config;
	uint64_t now_us;
	bool is_open; /* the socket, as the test's network sees it */
	struct frame_header frames[WORLD_FRAMES_MAX]; /* sent and not looked at yet */
	uint32_t frame_first, frame_count;
	struct client_end ends[WORLD_ENDS_MAX];
	uint32_t end_count;
	uint32_t window;
	uint32_t dials[CLIENT_ROUTERS_MAX];
	uint8_t partial[4096]; /* a frame whose end was not sent yet */
	size_t partial_size;
	uint32_t calls[WORLD_ENDS_MAX]; /* slot of the n-th submitted */
	uint32_t call_count;
};

struct world *world_new(void (*adjust)(struct client_core_config *));
void world_free(struct world *w);

/* Submits a BOOK; the body is its number. Returns the number. */
uint32_t world_submit(struct world *w, uint8_t retry, uint64_t deadline_us);
/* Lets `us` pass in one step. */
void world_pass(struct world *w, uint64_t us);
/* What process() does but for the socket: ticks, collects ends, takes what is sent. */
void world_run(struct world *w);
/* The same, but the socket takes `size_bytes` at most. */
void world_run_sending(struct world *w, size_t size_bytes);
/* Runs; the core must ask for a connection; it is made. HELLO is sent but not answered. */
void world_connect(struct world *w);
void world_answer_hello(struct world *w);
/* Connects and answers HELLO. */
void world_up(struct world *w);
void world_lose(struct world *w);
/* The next frame the core sent; fails the test when there is none. */
struct frame_header world_take(struct world *w);
/* Feeds a frame to the core: sealed, whole. */
void world_feed(struct world *w, struct frame_header header, const void *body, size_t size_bytes);
void world_feed_bytes(struct world *w, const void *bytes, size_t size_bytes);
/* The answer to `request` with that code and an empty body. */
void world_answer(struct world *w, const struct frame_header *request, uint16_t code);
/* The one call that has ended since the last look. */
struct client_end world_ended(struct world *w);
/* Number of the call that a frame carries. */
uint32_t world_number(const struct world *w, const struct frame_header *header);

#define RETRY_ALL (CLIENT_RETRY_TRANSIENT | CLIENT_RETRY_UNKNOWN | CLIENT_RETRY_KEYED)

#endif
