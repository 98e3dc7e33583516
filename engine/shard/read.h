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
/* In the arena; NULL when it is full. */
Keyrack__Denial **shard_denials_fill(
	struct shard *shard, const struct inv_denial *denials, uint32_t count);
/* Answers with a refusal; false as in answer.h. */
bool shard_refuse(struct shard *shard, const struct shard_request *request, uint16_t code,
	uint8_t rule, const char *field);

/*
 * Where a list of pages goes on. A cursor names its shard (14 bits), the life of its process (18
 * bits of the epoch: another life has its things at other places) and the place (32 bits); life and
 * place 0 begin. Over all hotels it goes on with the next shard.
 */
/* False: of another shard, or of an earlier life of this one. */
bool shard_cursor_read(const struct shard *shard, uint64_t cursor, uint32_t *ret_at);
uint64_t shard_cursor_next(
	const struct shard *shard, struct hotel_id hotel, bool is_ended, uint32_t at);
/* What a page may show: its hotel's effects, or (hotel 0) everybody's. */
uint64_t shard_list_wait_lsn(const struct shard *shard, struct hotel_id hotel);

bool shard_nights_read(struct shard *shard, const struct shard_request *request);
bool shard_denials_read(struct shard *shard, const struct shard_request *request);
bool shard_plans_read(struct shard *shard, const struct shard_request *request);
bool shard_stock_read(struct shard *shard, const struct shard_request *request);
bool shard_reservation_read(struct shard *shard, const struct shard_request *request);
bool shard_reservations_read(struct shard *shard, const struct shard_request *request);

#endif
