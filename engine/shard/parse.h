/*
 * Private to parsing: what is wrong with a request, its texts, and where it was sent.
 */
#ifndef ENGINE_SHARD_PARSE_H
#define ENGINE_SHARD_PARSE_H

#include "engine/shard/shard_priv.h"
#include "proto/keyrack.pb-c.h"

/* INVALID, naming the field; what was found wrong first stays. */
void parse_invalid(struct shard_request *request, const char *field);
/* No memory is left for it in this batch. */
void parse_overloaded(struct shard_request *request);
/* Of the message's memory; INVALID when it is too long. */
struct inv_text parse_text(struct shard_request *request, const char *text, const char *field);
/* And where nothing else judges it: UTF-8 without control characters. */
struct inv_text parse_valid_text(
	struct shard_request *request, const char *text, const char *field);
/* INVALID, and 0, beyond the maximum. */
uint64_t parse_max(struct shard_request *request, uint64_t value, uint64_t max, const char *field);
struct inv_actor parse_actor(
	struct shard_request *request, uint64_t actor, uint32_t source, const char *reason);
/* The frame was sent to that hotel; to this shard. */
void parse_hotel_route(struct shard *shard, struct shard_request *request, uint64_t hotel);
void parse_shard_route(struct shard *shard, struct shard_request *request);

/* The body of PLAN_PUT. */
void parse_plan_put(struct shard *shard, struct shard_request *request, const void *message);
struct inv_actor parse_actor_text(
	struct shard_request *request, uint64_t actor, uint32_t source, struct inv_text reason);
const struct inv_line *parse_lines(
	struct shard *shard, struct shard_request *request, Keyrack__Line **bodies, size_t count);
/* Who asks decides whether it may be: routers stamp it. */
bool parse_force(struct shard_request *request, bool force);

/* What a line was agreed under. */
void parse_terms(struct shard *shard, struct shard_request *request, const Keyrack__Line *body,
	struct inv_line *line);
void parse_import(
	struct shard *shard, struct shard_request *request, const Keyrack__ImportRequest *body);
/* The body of a list that is told in pages; false when the frame is none. */
bool parse_listing(struct shard *shard, struct shard_request *request, const void *message);

#endif
