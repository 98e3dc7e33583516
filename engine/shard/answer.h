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
/* A body written by hand: room for it, or NULL, and then shard_answer_full() is the result. */
struct shard_out *shard_answer_begin(struct shard *shard, const struct shard_request *request,
	uint64_t wait_lsn, size_t body_size_bytes, uint8_t **ret_body);
void shard_answer_end(struct shard *shard, struct shard_out *out,
	const struct shard_request *request, uint16_t code, size_t body_size_bytes);
bool shard_answer_full(struct shard *shard, const struct shard_request *request, uint64_t wait_lsn);
void shard_refusal_fill(const struct inv_refusal *refusal, Keyrack__Refusal *ret_message);

#endif
