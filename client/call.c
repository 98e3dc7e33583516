/* From a public call to the core, and from the core's ends to callbacks. */
#include "client/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hint.h"
#include "client/encode.h"
#include "proto/message.h"

#define CLIENT_LINE_SIZE 64u /* of the cache */

kr_static_assert(offsetof(struct keyrack_reserve, call) == 0, "the call is first in requests");
kr_static_assert(offsetof(struct keyrack_availability, call) == 0, "the call is first");
kr_static_assert(offsetof(union keyrack_answer, result) == 0, "the result is first in answers");

void client_entry_clear(struct keyrack_client *client, struct client_entry *entry)
{
	kr_assert(client->large_total_bytes >= entry->large_size_bytes);
	if (entry->large != NULL) {
		free(entry->large);
		client->large_total_bytes -= entry->large_size_bytes;
		entry->large = NULL;
		entry->large_size_bytes = 0;
	}
	entry->fan = NULL;
}

static int client_entry_grow(
	struct keyrack_client *client, struct client_entry *entry, size_t size_bytes)
{
	kr_assert(entry->large == NULL);
	if (size_bytes > FRAME_BODY_SIZE_MAX)
		return -EMSGSIZE;
	size_bytes += MESSAGE_PACK_SLACK;
	if (client->large_total_bytes + size_bytes > CLIENT_LARGE_SIZE_MAX)
		return KEYRACK_WOULD_BLOCK;
	entry->large = malloc(size_bytes);
	if (entry->large == NULL)
		return -ENOMEM;
	entry->large_size_bytes = (uint32_t)size_bytes;
	client->large_total_bytes += size_bytes;
	return 0;
}

/* Most bodies fit the entry; the others are measured and have memory of their own. */
int client_pack_body(struct client_pack *pack, const ProtobufCMessage *message)
{
	const struct client_entry *entry = pack->entry;
	uint8_t *bytes = pack->entry->small;
	size_t size_bytes = message_pack(message, bytes, CLIENT_BODY_SMALL_SIZE);
	kr_assert(entry->large == NULL);
	if (KR_UNLIKELY(size_bytes == MESSAGE_NO_ROOM)) {
		size_bytes = protobuf_c_message_get_packed_size(message);
		int r = client_entry_grow(pack->client, pack->entry, size_bytes);
		if (r != 0)
			return r;
		bytes = entry->large;
		size_bytes = message_pack(message, bytes, entry->large_size_bytes);
		kr_assert(size_bytes != MESSAGE_NO_ROOM);
	}
	pack->request.body = bytes;
	pack->request.body_size_bytes = (uint32_t)size_bytes;
	return 0;
}

uint8_t client_retry_bits(
	const struct keyrack_client *client, const struct keyrack_call *call, uint8_t allowed)
{
	enum keyrack_retry retry = call->retry;
	if (retry == KEYRACK_RETRY_DEFAULT && client->no_retry)
		retry = KEYRACK_RETRY_NONE;
	if (retry == KEYRACK_RETRY_NONE)
		return allowed & CLIENT_RETRY_KEYED;
	if (retry == KEYRACK_RETRY_ALWAYS)
		allowed |= CLIENT_RETRY_UNKNOWN;
	return allowed;
}

int client_submit(struct keyrack_client *client, client_encode *encode, const void *request,
	keyrack_callback *callback, void *user)
{
	if (client == NULL || request == NULL || callback == NULL)
		return -EINVAL;
	const struct keyrack_call *call = request;
	if (call->deadline_us > CLIENT_DEADLINE_MAX_US || call->retry > KEYRACK_RETRY_ALWAYS)
		return -EINVAL;
	if (client_core_room(&client->core) == 0)
		return KEYRACK_WOULD_BLOCK;
	uint32_t index = client_core_take(&client->core);
	struct client_entry *entry = &client->entries[index];
	struct client_pack pack = {.client = client, .entry = entry};
	entry->callback = callback;
	entry->user = user;
	pack.request.deadline_us = call->deadline_us != 0 ? call->deadline_us : client->deadline_us;
	int r = encode(&pack, request);
	if (r != 0) {
		kr_assert(pack.fan == NULL);
		client_entry_clear(client, entry);
		client_core_give_back(&client->core, index);
		return r;
	}
	entry->fan = pack.fan;
	pack.request.retry = client_retry_bits(client, call, pack.request.retry);
	client_core_submit(&client->core, index, &pack.request, client_submit_us(client));
	return 0;
}

/* Tells the caller. The entry is free again before that: the callback may submit. */
static void client_tell(struct keyrack_client *client, keyrack_callback *callback, void *user,
	const union keyrack_answer *answer)
{
	kr_assert(!client->in_callback);
	kr_assert(callback != NULL);
	client->in_callback = true;
	callback(user, answer);
	client->in_callback = false;
}

static int client_end(struct keyrack_client *client, const struct client_end *end)
{
	union keyrack_answer answer;
	struct client_entry *entry = &client->entries[end->call];
	struct client_fan *fan = entry->fan;
	keyrack_callback *callback = entry->callback;
	void *user = entry->user;
	client_entry_clear(client, entry);
	if (fan == NULL) {
		client_decode(client, end, &answer);
		client_tell(client, callback, user, &answer);
		return 1;
	}
	if (!client_fan_step(client, fan, end, &answer))
		return 0;
	client_fan_caller(fan, &callback, &user);
	client_fan_free(client->held);
	client->held = fan;
	client_tell(client, callback, user, &answer);
	return 1;
}

/* The tables of many clients do not stay in the cache from one answer to the next: what the next
 * frame is going to need is asked for while this one is told. */
static void client_prefetch(const struct keyrack_client *client)
{
	uint32_t next = client_core_peek(&client->core);
	if (next == CLIENT_NOWHERE)
		return;
	const uint8_t *call = (const uint8_t *)&client->core.config.calls[next];
	const uint8_t *entry = (const uint8_t *)&client->entries[next];
	for (size_t at = 0; at < sizeof(struct client_call); at += CLIENT_LINE_SIZE)
		kr_prefetch(call + at);
	kr_prefetch(entry);
	kr_prefetch(entry + CLIENT_LINE_SIZE);
}

int client_drain(struct keyrack_client *client)
{
	int count = 0;
	struct client_end end;
	while (!client->stop_draining && client_core_next(&client->core, client->now_us, &end)) {
		client_prefetch(client);
		count += client_end(client, &end);
	}
	client->is_undrained = client->stop_draining;
	return count;
}

/* ---- synchronous calls ----------------------------------------------------------------------- */

struct client_wait {
	struct keyrack_client *client;
	void *ret;
	size_t ret_size_bytes;
	enum keyrack_outcome outcome;
	bool is_over;
};

static void client_wait_over(void *user, const union keyrack_answer *answer)
{
	struct client_wait *wait = user;
	kr_assert(!wait->is_over);
	memcpy(wait->ret, answer, wait->ret_size_bytes);
	wait->outcome = answer->result.outcome;
	wait->is_over = true;
	wait->client->stop_draining = true;
}

static int client_call(struct keyrack_client *client, client_encode *encode, const void *request,
	void *ret, size_t ret_size_bytes)
{
	struct client_wait wait = {.client = client, .ret = ret, .ret_size_bytes = ret_size_bytes};
	if (client == NULL || ret == NULL)
		return -EINVAL;
	if (client->in_callback)
		return -EDEADLK;
	int r = client_submit(client, encode, request, client_wait_over, &wait);
	/* The window is full of calls that were submitted before: theirs come first. */
	for (; r == KEYRACK_WOULD_BLOCK;
		r = client_submit(client, encode, request, client_wait_over, &wait))
		(void)keyrack_client_wait(client, -1);
	if (r != 0)
		return r;
	for ((void)keyrack_client_process(client); !wait.is_over;)
		(void)keyrack_client_wait(client, -1);
	client->stop_draining = false;
	return (int)wait.outcome;
}

/* ---- the two forms of every call ------------------------------------------------------------- */

#define X(name, request_type, answer_type)                                                         \
	int keyrack_submit_##name(struct keyrack_client *client,                                   \
		const struct keyrack_##request_type *request, keyrack_callback *callback,          \
		void *user)                                                                        \
	{                                                                                          \
		return client_submit(client, client_encode_##name, request, callback, user);       \
	}                                                                                          \
	int keyrack_##name(struct keyrack_client *client,                                          \
		const struct keyrack_##request_type *request, struct keyrack_##answer_type *ret)   \
	{                                                                                          \
		return client_call(client, client_encode_##name, request, ret, sizeof(*ret));      \
	}
CLIENT_CALL_TABLE(X)
#undef X
