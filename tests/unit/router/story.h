/*
 * Telling the route step a story in virtual time: each verb is an event, and everything the step
 * wants done is written down, one line an action, to be compared with what should have happened.
 */
#ifndef TESTS_UNIT_ROUTER_STORY_H
#define TESTS_UNIT_ROUTER_STORY_H

#include "base/text.h"
#include "proto/access.h"
#include "router/route.h"

#define STORY_SENT_MAX 4096u

struct story {
	struct route *route;
	void *memory;
	struct route_config config;
	uint32_t principal; /* of clients that open; an operator's to begin with */
	uint64_t now_us;
	/* what went to shards, to be answered by number */
	struct frame_header sent[STORY_SENT_MAX];
	uint32_t sent_shard[STORY_SENT_MAX];
	uint32_t sent_count;
	struct frame_header last; /* header of the last action */
	const uint8_t *last_body;
	uint32_t last_step_actions;
	struct kr_text text;
	char bytes[1u << 16];
	struct route_actions actions;
};

#define STORY_CLUSTER UINT64_C(0xc105)

void story_begin(struct story *story);
/* With the sizes that story->config already has. */
void story_begin_sized(struct story *story);
void story_end(struct story *story);

struct conn_id story_client(uint32_t number);
void story_open(struct story *story, struct conn_id client);
void story_gone(struct story *story, struct conn_id client);
void story_up(struct story *story, uint32_t shard);
void story_up_window(struct story *story, uint32_t shard, uint32_t window);
void story_down(struct story *story, uint32_t shard);
void story_drain(struct story *story);
/* Time goes by; TIMEOUT comes whenever the route asks for it. */
void story_wait(struct story *story, uint64_t duration_us);

/* A request with a body "request <id>". */
struct frame_header story_request(uint8_t type, uint64_t request_id, uint32_t remaining_us);
void story_send(struct story *story, struct conn_id client, struct frame_header header);
/* Of shard 0, by SHARD route. */
void story_ask(struct story *story, struct conn_id client, uint8_t type, uint64_t request_id,
	uint32_t remaining_us);
/* The shard answers the n-th frame that was sent to any, from 0. */
void story_answer(struct story *story, uint32_t number, enum keyrack_wire_code code);
void story_answer_with(struct story *story, uint32_t shard, struct frame_header header);

/* What was done since the last call. */
const char *story_told(struct story *story);

#endif
