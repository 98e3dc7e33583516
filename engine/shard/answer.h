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
/* A body written by hand: room for it, or NULL and then shard_answer_full() is the result. */
uint8_t *shard_answer_open(struct shard *shard, const struct shard_request *request,
	uint64_t wait_lsn, size_t size_max_bytes, struct shard_out **ret_out);
void shard_answer_close(struct shard *shard, struct shard_out *out,
	const struct shard_request *request, uint16_t code, size_t size_bytes);
bool shard_answer_full(
	struct shard *shard, const struct shard_request *request, const struct shard_out *out);
void shard_refusal_fill(const struct inv_refusal *refusal, Keyrack__Refusal *ret_message);

#endif
