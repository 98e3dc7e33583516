#include "tests/unit/router/story.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "router/route_priv.h"

static const uint8_t answer_body[] = "an answer";

void story_begin(struct story *story)
{
	story->config = (struct route_config){
		.cluster = STORY_CLUSTER,
		.shard_count = 2,
		.client_max_count = 16,
		.window = 1000,
		.flight_max_count = 2000,
		.flight_size_max_bytes = 1u << 20,
		.wait_frame_max_count = 1000,
		.wait_size_max_bytes = 1u << 20,
	};
	story_begin_sized(story);
}

void story_begin_sized(struct story *story)
{
	struct route_config config = story->config;

	memset(story, 0, sizeof(*story));
	story->config = config;
	story->principal = access_principal(ACCESS_OPERATOR, ACCESS_ANYBODY, 0);
	story->now_us = 1000000;
	cr_assert_eq(
		posix_memalign(&story->memory, 64, (route_size_bytes(&config) + 63) / 64 * 64), 0);
	/* What it finds in its memory must not matter. */
	memset(story->memory, 0xa5, route_size_bytes(&config));
	story->route = route_init(&config, story->memory);
	kr_text_init(&story->text, story->bytes, sizeof(story->bytes));
}

void story_end(struct story *story)
{
	free(story->memory);
	story->memory = NULL;
	story->route = NULL;
}

struct conn_id story_client(uint32_t number)
{
	return (struct conn_id){.index = number, .generation = 1};
}

static void note_header(struct story *story, const struct route_action *action)
{
	struct frame_header read;

	story->last = action->header;
	story->last_body = action->body;
	cr_assert_eq(frame_header_read(&action->header, &read), 0, "an action's header is sealed");
	if (read.body_size_bytes > 0)
		cr_assert_eq(frame_body_check(&read, action->body), 0, "a body is never touched");
	cr_assert_eq(read.cluster, STORY_CLUSTER);
	cr_assert_eq(read.map_epoch, route_map(story->route)->epoch);
	cr_assert_eq(read.principal != 0, action->kind == ROUTE_ACTION_TO_SHARD,
		"told to shards, and never to clients");
	kr_text_format(&story->text, "%s %llu", frame_type_name(read.type),
		(unsigned long long)read.request_id);
}

static void note(struct story *story, const struct route_action *action)
{
	switch (action->kind) {
	case ROUTE_ACTION_TO_SHARD:
		kr_text_format(&story->text, "shard %u gets ", action->shard);
		note_header(story, action);
		kr_text_format(&story->text, " with %u us", action->header.remaining_us);
		cr_assert_lt(story->sent_count, STORY_SENT_MAX);
		story->sent_shard[story->sent_count] = action->shard;
		story->sent[story->sent_count++] = action->header;
		break;
	case ROUTE_ACTION_TO_CLIENT:
		kr_text_format(&story->text, "client %u gets ", action->client.index);
		note_header(story, action);
		cr_assert_eq(action->header.via, 0);
		cr_assert_eq(action->header.flags, FRAME_FLAG_ANSWER);
		cr_assert_eq(action->header.remaining_us, 0);
		kr_text_format(&story->text, " %s", code_name(action->header.status));
		break;
	case ROUTE_ACTION_LOCAL:
		kr_text_format(&story->text, "client %u asks the router", action->client.index);
		break;
	case ROUTE_ACTION_REJECT:
		kr_text_format(&story->text, "client %u is rejected: %s", action->client.index,
			code_name(action->code));
		break;
	case ROUTE_ACTION_BREAK:
		kr_text_format(&story->text, "link %u is broken: %s", action->shard,
			code_name(action->code));
		break;
	}
	kr_text_put_string(&story->text, "\n");
}

static void step(struct story *story, struct route_event *event)
{
	event->now_us = story->now_us;
	story->last_step_actions = 0;
	do {
		route_step(story->route, event, &story->actions);
		for (uint32_t i = 0; i < story->actions.count; i++)
			note(story, &story->actions.items[i]);
		story->last_step_actions += story->actions.count;
	} while (story->actions.more);
}

void story_open(struct story *story, struct conn_id client)
{
	step(story, &(struct route_event){.kind = ROUTE_EVENT_CLIENT_OPEN,
			    .client = client,
			    .principal = story->principal});
}

void story_gone(struct story *story, struct conn_id client)
{
	step(story, &(struct route_event){.kind = ROUTE_EVENT_CLIENT_GONE, .client = client});
}

void story_up(struct story *story, uint32_t shard)
{
	story_up_window(story, shard, 0);
}

void story_up_window(struct story *story, uint32_t shard, uint32_t window)
{
	step(story, &(struct route_event){
			    .kind = ROUTE_EVENT_LINK_UP, .shard = shard, .window = window});
}

void story_down(struct story *story, uint32_t shard)
{
	step(story, &(struct route_event){.kind = ROUTE_EVENT_LINK_DOWN, .shard = shard});
}

void story_drain(struct story *story)
{
	step(story, &(struct route_event){.kind = ROUTE_EVENT_DRAIN});
}

void story_wait(struct story *story, uint64_t duration_us)
{
	uint64_t end_us = story->now_us + duration_us;

	for (;;) {
		uint64_t wakeup_us = route_wakeup_us(story->route, story->now_us);
		cr_assert_gt(
			wakeup_us, story->now_us, "a wake-up lies ahead, or time stands still");
		if (wakeup_us > end_us)
			break;
		story->now_us = wakeup_us;
		step(story, &(struct route_event){.kind = ROUTE_EVENT_TIMEOUT});
	}
	story->now_us = end_us;
}

struct frame_header story_request(uint8_t type, uint64_t request_id, uint32_t remaining_us)
{
	return (struct frame_header){
		.type = type,
		.route = FRAME_ROUTE_SHARD,
		.cluster = STORY_CLUSTER,
		.request_id = request_id,
		.remaining_us = remaining_us,
	};
}

void story_send(struct story *story, struct conn_id client, struct frame_header header)
{
	char body[32];
	struct kr_text text;

	kr_text_init(&text, body, sizeof(body));
	kr_text_format(&text, "request %llu", (unsigned long long)header.request_id);
	frame_seal(&header, body, text.length);
	step(story, &(struct route_event){
			    .kind = ROUTE_EVENT_CLIENT_FRAME,
			    .client = client,
			    .header = &header,
			    .body = (uint8_t *)body,
		    });
}

void story_ask(struct story *story, struct conn_id client, uint8_t type, uint64_t request_id,
	uint32_t remaining_us)
{
	story_send(story, client, story_request(type, request_id, remaining_us));
}

void story_answer_with(struct story *story, uint32_t shard, struct frame_header header)
{
	frame_seal(&header, answer_body, sizeof(answer_body));
	step(story, &(struct route_event){
			    .kind = ROUTE_EVENT_LINK_FRAME,
			    .shard = shard,
			    .header = &header,
			    .body = answer_body,
		    });
}

void story_answer(struct story *story, uint32_t number, enum keyrack_wire_code code)
{
	cr_assert_lt(number, story->sent_count);
	struct frame_header header = story->sent[number];
	header.flags = FRAME_FLAG_ANSWER;
	header.remaining_us = 0;
	/* A shard's own idea of these two is not the clients' business. */
	header.principal = 5;
	header.map_epoch = 9;
	header.status = (uint16_t)code;
	story_answer_with(story, story->sent_shard[number], header);
}

const char *story_told(struct story *story)
{
	static char told[sizeof(story->bytes)];

	cr_assert(!story->text.is_cut);
	memcpy(told, story->bytes, story->text.length + 1);
	kr_text_init(&story->text, story->bytes, sizeof(story->bytes));
	return told;
}
