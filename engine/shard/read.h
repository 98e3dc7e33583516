/*
 * Private to reading: pieces of messages, and the reads that have a file of their own.
 */
#ifndef ENGINE_SHARD_READ_H
#define ENGINE_SHARD_READ_H

#include "engine/shard/answer.h"

/* In the arena; the generated structs have no const, packing only reads. "" when it is full. */
char *shard_text_copy(struct shard *shard, struct inv_text text);
/* In the arena; NULL when it is full. */
Keyrack__Line **shard_lines_fill(
	struct shard *shard, const struct inv_line *lines, uint32_t line_count);
/* Answers with a refusal; false as in answer.h. */
bool shard_refuse(struct shard *shard, const struct shard_request *request, uint16_t code,
	uint8_t rule, const char *field);

bool shard_stock_read(struct shard *shard, const struct shard_request *request);
bool shard_reservation_read(struct shard *shard, const struct shard_request *request);
bool shard_reservations_read(struct shard *shard, const struct shard_request *request);

#endif
