#include "client/core.h"

#include <string.h>

#include <keyrack/keyrack.h>

#include "client/core_priv.h"
#include "proto/code.h"

#define BUDGET_TENTHS_PER_TRY 10u

static void client_config_check(const struct client_core_config *config)
{
	kr_assert(config->call_count_max > 0 && config->call_count_max <= CLIENT_CALLS_MAX);
	kr_assert(config->router_count > 0 && config->router_count <= CLIENT_ROUTERS_MAX);
	kr_assert(config->connect_timeout_us > 0 && config->silence_us > 0);
	kr_assert(config->retry_first_us > 0 && config->retry_max_us >= config->retry_first_us);
	kr_assert(config->tries_max > 0);
	kr_assert(config->in_size_bytes >= CLIENT_BUFFER_SIZE_MIN);
	kr_assert(config->out_size_bytes >= CLIENT_BUFFER_SIZE_MIN);
	kr_assert(config->calls != NULL && config->heap_handles != NULL);
}

/* Of no other client's: an answer that came on the wrong connection must fit no call here. */
static uint64_t client_core_first_sequence(uint64_t seed)
{
	struct rng rng;
	rng_init(&rng, seed ^ UINT64_C(0x73657175656e6365));
	const uint64_t first = 1 + (rng_next(&rng) >> (CLIENT_ID_SLOT_BITS + 1));
	kr_assert(first > 0);
	kr_assert(first <= UINT64_MAX >> CLIENT_ID_SLOT_BITS >> 1);
	return first;
}

void client_core_init(struct client_core *core, const struct client_core_config *config)
{
	static const struct client_list nothing = {CLIENT_NOWHERE, CLIENT_NOWHERE};
	client_config_check(config);
	memset(core, 0, sizeof(*core));
	core->config = *config;
	if (config->agent != NULL)
		memcpy(core->agent, config->agent, strnlen(config->agent, CLIENT_AGENT_SIZE_MAX));
	core->config.agent = core->agent;
	rng_init(&core->rng, config->seed);
	heap32_init(&core->heap, config->heap_handles, config->call_count_max);
	core->timers = core->free = core->queued = core->sent = core->ended = nothing;
	core->budget_tenths = (uint64_t)config->retry_budget * BUDGET_TENTHS_PER_TRY;
	core->in = (struct client_buffer){config->in_bytes, config->in_size_bytes, 0, 0};
	core->out = (struct client_buffer){config->out_bytes, config->out_size_bytes, 0, 0};
	core->cluster = config->cluster;
	core->body_size_max = FRAME_BODY_SIZE_MAX;
	core->sequence = client_core_first_sequence(config->seed);
	/* Linked so that the first slots are used first: the fewer in use, the fewer are touched.
	 */
	for (uint32_t i = 0; i < config->call_count_max; i++) {
		core->config.calls[i] =
			(struct client_call){.links = {{CLIENT_NOWHERE, CLIENT_NOWHERE},
						     {CLIENT_NOWHERE, CLIENT_NOWHERE}},
				.heap_position = HEAP32_NOWHERE};
		client_list_append(core, CLIENT_LINK_STATE, &core->free, i);
	}
}

uint32_t client_core_room(const struct client_core *core)
{
	uint32_t limit = core->config.call_count_max;
	if (core->window > 0)
		limit = KR_MIN(limit, core->window);
	kr_assert(core->open_count <= core->config.call_count_max);
	return core->open_count < limit ? limit - core->open_count : 0;
}

uint32_t client_core_take(struct client_core *core)
{
	uint32_t call = core->free.first;
	if (call == CLIENT_NOWHERE)
		return CLIENT_NOWHERE;
	struct client_call *c = client_call_at(core, call);
	kr_assert(c->state == CLIENT_FREE);
	kr_assert(core->open_count < core->config.call_count_max);
	client_list_remove(core, CLIENT_LINK_STATE, &core->free, call);
	c->state = CLIENT_TAKEN;
	core->open_count++;
	return call;
}

/* From anywhere but a list: the slot is forgotten, its next user starts from zero. */
static void client_call_free(struct client_core *core, uint32_t call)
{
	struct client_call *c = client_call_at(core, call);
	kr_assert(c->state != CLIENT_FREE);
	kr_assert(core->open_count > 0);
	kr_assert(c->heap_position == HEAP32_NOWHERE && !c->is_in_order);
	c->state = CLIENT_FREE;
	core->open_count--;
	client_list_push(core, CLIENT_LINK_STATE, &core->free, call);
}

void client_core_give_back(struct client_core *core, uint32_t call)
{
	kr_assert(client_call_at(core, call)->state == CLIENT_TAKEN);
	client_call_free(core, call);
}

void client_core_submit(struct client_core *core, uint32_t call,
	const struct client_request *request, uint64_t now_us)
{
	struct client_call *c = client_call_at(core, call);
	kr_assert(c->state == CLIENT_TAKEN);
	kr_assert(request->deadline_us > 0);
	kr_assert(request->body != NULL || request->body_size_bytes == 0);
	kr_assert(request->body_size_bytes <= FRAME_BODY_SIZE_MAX);
	c->request = *request;
	c->request_id = 0;
	c->submitted_us = now_us;
	c->deadline_at_us = now_us + request->deadline_us;
	c->due_at_us = c->deadline_at_us;
	c->tries = 0;
	c->code = 0;
	c->rejects = 0;
	c->may_have_happened = false;
	c->state = CLIENT_QUEUED;
	client_list_append(core, CLIENT_LINK_STATE, &core->queued, call);
	client_timer_start(core, call);
	core->counters.submitted++;
}

void client_call_sent(struct client_core *core, uint32_t call)
{
	struct client_call *c = client_call_at(core, call);
	kr_assert(c->state == CLIENT_QUEUED);
	kr_assert(core->sent_count < core->config.call_count_max);
	client_list_remove(core, CLIENT_LINK_STATE, &core->queued, call);
	client_list_append(core, CLIENT_LINK_STATE, &core->sent, call);
	c->state = CLIENT_SENT;
	c->request_id = client_core_next_id(core, call);
	c->stream_end = core->stream_written;
	core->sequence++;
	core->sent_count++;
	core->counters.tries++;
	core->counters.retries += c->tries > 0;
	c->tries++;
}

static void client_call_take_from_sent(struct client_core *core, uint32_t call)
{
	kr_assert(client_call_at(core, call)->state == CLIENT_SENT);
	kr_assert(core->sent_count > 0);
	client_list_remove(core, CLIENT_LINK_STATE, &core->sent, call);
	core->sent_count--;
}

/*
 * The three-valued outcome. A decided answer decides for every try of a call whose tries share a
 * key; for other calls it decides only when no earlier try may have happened.
 */
static enum keyrack_outcome client_call_outcome(const struct client_call *c, uint16_t code)
{
	kr_assert(code != 0);
	kr_assert(c->state != CLIENT_FREE);
	if (code == KEYRACK_CODE_DONE)
		return KEYRACK_RESULT_DONE;
	bool keyed = (c->request.retry & CLIENT_RETRY_KEYED) != 0;
	if (code_class_of(code) == CODE_FINAL && (keyed || !c->may_have_happened))
		return KEYRACK_RESULT_NOT_DONE;
	return c->may_have_happened ? KEYRACK_RESULT_UNKNOWN : KEYRACK_RESULT_NOT_DONE;
}

static void client_call_account_end(struct client_core *core)
{
	uint64_t full = (uint64_t)core->config.retry_budget * BUDGET_TENTHS_PER_TRY;
	kr_assert(core->budget_tenths <= full);
	core->counters.ended++;
	if (core->budget_tenths < full)
		core->budget_tenths++;
}

void client_call_end(
	struct client_core *core, uint32_t call, enum client_call_state from, uint16_t code)
{
	struct client_call *c = client_call_at(core, call);
	kr_assert(c->state == from);
	kr_assert(from == CLIENT_QUEUED || from == CLIENT_SENT || from == CLIENT_WAITING);
	if (from == CLIENT_QUEUED)
		client_list_remove(core, CLIENT_LINK_STATE, &core->queued, call);
	else if (from == CLIENT_SENT)
		client_call_take_from_sent(core, call);
	client_timer_stop(core, call);
	c->code = code;
	c->outcome = (uint8_t)client_call_outcome(c, code);
	c->state = CLIENT_ENDED;
	client_list_append(core, CLIENT_LINK_STATE, &core->ended, call);
	client_call_account_end(core);
}

uint64_t client_core_pause_us(
	struct client_core *core, uint64_t first_us, uint64_t max_us, uint32_t doublings)
{
	kr_assert(first_us > 0);
	kr_assert(max_us >= first_us);
	uint64_t pause_us = first_us;
	while (doublings-- > 0 && pause_us < max_us)
		pause_us *= 2;
	pause_us = KR_MIN(pause_us, max_us);
	return rng_range(&core->rng, pause_us - pause_us / 2, pause_us);
}

/* Whether there may be another try; if so it is paid for. */
static bool client_call_may_retry(
	struct client_core *core, const struct client_call *c, enum client_retry_bits bit)
{
	kr_assert(bit == CLIENT_RETRY_TRANSIENT || bit == CLIENT_RETRY_UNKNOWN);
	kr_assert(c->tries > 0);
	if ((c->request.retry & bit) == 0 || c->tries >= core->config.tries_max)
		return false;
	if (core->budget_tenths < BUDGET_TENTHS_PER_TRY)
		return false;
	core->budget_tenths -= BUDGET_TENTHS_PER_TRY;
	return true;
}

/* True: the SENT call waits for its next try. A pause beyond the deadline is no try. */
static bool client_call_wait(
	struct client_core *core, uint32_t call, enum client_retry_bits bit, uint64_t now_us)
{
	struct client_call *c = client_call_at(core, call);
	kr_assert(c->state == CLIENT_SENT);
	uint64_t pause_us = client_core_pause_us(
		core, core->config.retry_first_us, core->config.retry_max_us, c->tries - 1);
	if (now_us + pause_us >= c->deadline_at_us || !client_call_may_retry(core, c, bit))
		return false;
	client_call_take_from_sent(core, call);
	c->state = CLIENT_WAITING;
	client_timer_stop(core, call);
	c->due_at_us = now_us + pause_us;
	client_timer_start(core, call);
	return true;
}

static void client_end_fill(
	const struct client_call *c, uint32_t call, uint64_t now_us, struct client_end *ret_end)
{
	kr_assert(c->code != 0);
	kr_assert(now_us >= c->submitted_us);
	*ret_end = (struct client_end){
		.call = call,
		.type = c->request.type,
		.outcome = c->outcome,
		.code = c->code,
		.tries = c->tries,
		.elapsed_us = now_us - c->submitted_us,
	};
}

bool client_call_answered(struct client_core *core, uint32_t call,
	const struct frame_header *header, uint64_t now_us, struct client_end *ret_end)
{
	struct client_call *c = client_call_at(core, call);
	kr_assert(c->state == CLIENT_SENT);
	kr_assert(c->request_id == header->request_id);
	enum code_class class = code_class_of(header->status);
	kr_assert(class != CODE_REJECT);
	c->code = header->status;
	if (class == CODE_UNKNOWN)
		c->may_have_happened = true;
	if (class == CODE_TRANSIENT && client_call_wait(core, call, CLIENT_RETRY_TRANSIENT, now_us))
		return false;
	if (class == CODE_UNKNOWN && client_call_wait(core, call, CLIENT_RETRY_UNKNOWN, now_us))
		return false;
	c->outcome = (uint8_t)client_call_outcome(c, c->code);
	client_call_take_from_sent(core, call);
	client_timer_stop(core, call);
	client_call_account_end(core);
	client_end_fill(c, call, now_us, ret_end);
	ret_end->map_epoch = header->map_epoch;
	client_call_free(core, call);
	return true;
}

/* A call whose frame had not wholly left was not sent at all. */
static void client_call_lost(
	struct client_core *core, uint32_t call, uint16_t code, struct client_list *kept)
{
	struct client_call *c = client_call_at(core, call);
	kr_assert(c->state == CLIENT_SENT);
	kr_assert(code >= 128);
	bool has_left = c->stream_end <= core->stream_sent;
	bool is_reject = code_is_reject(code);
	if (!has_left) {
		c->tries--;
	} else {
		c->may_have_happened = true;
		c->code = code;
		c->rejects = (uint8_t)(c->rejects + is_reject);
		if (c->rejects >= CLIENT_REJECTS_MAX ||
			!client_call_may_retry(core, c, CLIENT_RETRY_UNKNOWN)) {
			client_call_end(core, call, CLIENT_SENT, code);
			return;
		}
	}
	client_call_take_from_sent(core, call);
	c->state = CLIENT_QUEUED;
	client_list_append(core, CLIENT_LINK_STATE, kept, call);
}

void client_calls_lost(struct client_core *core, uint16_t code)
{
	struct client_list kept = {CLIENT_NOWHERE, CLIENT_NOWHERE};
	while (core->sent.first != CLIENT_NOWHERE)
		client_call_lost(core, core->sent.first, code, &kept);
	kr_assert(core->sent_count == 0);
	if (kept.first == CLIENT_NOWHERE)
		return;
	/* In front of what was never sent, in the order of sending. */
	if (core->queued.first == CLIENT_NOWHERE) {
		core->queued = kept;
		return;
	}
	client_link_at(core, CLIENT_LINK_STATE, kept.last)->next = core->queued.first;
	client_link_at(core, CLIENT_LINK_STATE, core->queued.first)->previous = kept.last;
	core->queued.first = kept.first;
}

/* The code for a call that ends while no connection stands. */
static uint16_t client_call_unsent_code(const struct client_core *core, const struct client_call *c)
{
	kr_assert(c->state != CLIENT_FREE);
	kr_assert(c->state != CLIENT_ENDED);
	if (c->may_have_happened)
		return KEYRACK_CODE_DEADLINE;
	if (c->code != 0)
		return c->code; /* TRANSIENT: what it was answered before */
	if (core->state == CLIENT_UP)
		return KEYRACK_CODE_NOT_SENT;
	return code_is_reject(core->fault) ? core->fault : (uint16_t)KEYRACK_CODE_UNREACHABLE;
}

void client_calls_give_up(struct client_core *core)
{
	kr_assert(core->sent_count == 0);
	kr_assert(core->state == CLIENT_IDLE);
	while (core->queued.first != CLIENT_NOWHERE) {
		uint32_t call = core->queued.first;
		const struct client_call *c = client_call_at(core, call);
		uint16_t mine = c->may_have_happened ? (uint16_t)KEYRACK_CODE_CONNECTION_LOST
						     : client_call_unsent_code(core, c);
		client_call_end(core, call, CLIENT_QUEUED, mine);
	}
}

static void client_call_due(struct client_core *core, uint32_t call, uint64_t now_us)
{
	struct client_call *c = client_call_at(core, call);
	kr_assert(c->due_at_us <= now_us);
	kr_assert(c->due_at_us <= c->deadline_at_us);
	switch (c->state) {
	case CLIENT_QUEUED:
		client_call_end(core, call, CLIENT_QUEUED, client_call_unsent_code(core, c));
		return;
	case CLIENT_SENT:
		c->may_have_happened = true;
		client_call_end(core, call, CLIENT_SENT, KEYRACK_CODE_DEADLINE);
		return;
	case CLIENT_WAITING:
		if (now_us >= c->deadline_at_us) {
			client_call_end(core, call, CLIENT_WAITING, c->code);
			return;
		}
		c->state = CLIENT_QUEUED;
		client_timer_stop(core, call);
		c->due_at_us = c->deadline_at_us;
		client_timer_start(core, call);
		client_list_append(core, CLIENT_LINK_STATE, &core->queued, call);
		return;
	default:
		kr_unreachable();
	}
}

void client_core_tick(struct client_core *core, uint64_t now_us)
{
	for (;;) {
		uint32_t call = client_timer_first(core);
		if (call == CLIENT_NOWHERE || client_call_at(core, call)->due_at_us > now_us)
			break;
		client_call_due(core, call, now_us);
	}
	kr_assert(core->heap.count <= core->open_count);
	client_stream_tick(core, now_us);
}

bool client_core_next(struct client_core *core, uint64_t now_us, struct client_end *ret_end)
{
	kr_assert(ret_end != NULL);
	uint32_t call = core->ended.first;
	if (call == CLIENT_NOWHERE)
		return client_stream_next(core, now_us, ret_end);
	struct client_call *c = client_call_at(core, call);
	kr_assert(c->state == CLIENT_ENDED);
	client_list_remove(core, CLIENT_LINK_STATE, &core->ended, call);
	client_end_fill(c, call, now_us, ret_end);
	client_call_free(core, call);
	return true;
}

int64_t client_core_timeout_us(const struct client_core *core, uint64_t now_us)
{
	uint64_t due_at_us = client_stream_due_at_us(core);
	if (core->ended.first != CLIENT_NOWHERE)
		return 0;
	uint32_t first = client_timer_first(core);
	if (first != CLIENT_NOWHERE)
		due_at_us = KR_MIN(due_at_us, core->config.calls[first].due_at_us);
	if (due_at_us == UINT64_MAX)
		return -1;
	kr_assert(due_at_us <= INT64_MAX);
	return due_at_us > now_us ? (int64_t)(due_at_us - now_us) : 0;
}
