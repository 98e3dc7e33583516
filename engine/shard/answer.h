/*
 * Private to the step: packing answers. All functions that return bool give false when there was no
 * room for an answer at once: nothing was written, and the request has to be given again.
 */
#ifndef ENGINE_SHARD_ANSWER_H
#define ENGINE_SHARD_ANSWER_H

#include "engine/shard/shard_priv.h"
#include "proto/keyrack.pb-c.h"

/* Gives the message, or OVERLOADED where it would have to wait and finds no room. */
bool shard_answer_message(struct shard *shard, const struct shard_request *request,
	uint64_t wait_lsn, uint16_t code, const ProtobufCMessage *message);
void shard_refusal_fill(const struct inv_refusal *refusal, Keyrack__Refusal *ret_message);

#endif
