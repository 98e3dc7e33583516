#include "tests/unit/client/plain_same.h"

#include <stdlib.h>
#include <string.h>

#include "client/decode.h"
#include "proto/code.h"

static struct keyrack_client plain, longer;

static void begin(void)
{
	if (plain.arena.arena.base != NULL)
		return;
	pb_arena_init(&plain.arena, malloc(CLIENT_ARENA_SIZE), CLIENT_ARENA_SIZE);
	pb_arena_init(&longer.arena, malloc(CLIENT_ARENA_SIZE), CLIENT_ARENA_SIZE);
}

static void refusal_same(const struct keyrack_refusal *a, const struct keyrack_refusal *b)
{
	kr_assert((a == NULL) == (b == NULL));
	if (a == NULL)
		return;
	kr_assert(a->code == b->code && a->rule == b->rule && a->line == b->line);
	kr_assert(a->has_day == b->has_day && a->day == b->day && a->state == b->state);
	kr_assert(a->required == b->required && a->left == b->left);
	kr_assert(a->other.hi == b->other.hi && a->other.lo == b->other.lo);
	kr_assert(strcmp(a->text, b->text) == 0);
}

static void result_same(const struct keyrack_result *a, const struct keyrack_result *b)
{
	kr_assert(a->outcome == b->outcome && a->code == b->code && a->tries == b->tries);
	kr_assert(a->map_epoch == b->map_epoch && a->elapsed_us == b->elapsed_us);
	refusal_same(a->refusal, b->refusal);
}

static void reservation_same(
	const struct keyrack_reservation_answer *a, const struct keyrack_reservation_answer *b)
{
	kr_assert(a->state == b->state && a->revision == b->revision);
	kr_assert(a->expires_at_us == b->expires_at_us && a->has_total == b->has_total);
	kr_assert(a->total_minor == b->total_minor && a->event_seq == b->event_seq);
	kr_assert(a->due == b->due && a->repeated == b->repeated && a->hotel_id == b->hotel_id);
	kr_assert(a->first_code == b->first_code && a->has_amounts == b->has_amounts);
	kr_assert(a->penalty_minor == b->penalty_minor);
	kr_assert(a->refundable_minor == b->refundable_minor);
	kr_assert(a->nights_over_limit == b->nights_over_limit);
}

static void rows_same(const void *a, const void *b, size_t size_bytes)
{
	kr_assert((a == NULL) == (b == NULL));
	kr_assert(size_bytes == 0 || memcmp(a, b, size_bytes) == 0);
}

static void availability_same(
	const struct keyrack_availability_answer *a, const struct keyrack_availability_answer *b)
{
	size_t cells = (size_t)a->type_count * a->night_count;
	kr_assert(a->type_count == b->type_count && a->night_count == b->night_count);
	kr_assert(a->first_day == b->first_day && a->business_day == b->business_day);
	kr_assert(a->ari_version == b->ari_version && a->class_count == b->class_count);
	rows_same(a->types, b->types, a->type_count * sizeof(*a->types));
	rows_same(a->counters, b->counters, cells * sizeof(*a->counters));
	rows_same(a->rates, b->rates, cells * sizeof(*a->rates));
	rows_same(a->classes, b->classes, 2 * a->class_count * sizeof(*a->classes));
}

bool plain_same(unsigned type, bool is_done, const uint8_t *body, size_t size_bytes)
{
	struct client_end end = {.type = (uint8_t)type,
		.outcome = is_done ? KEYRACK_RESULT_DONE : KEYRACK_RESULT_NOT_DONE,
		.code = is_done ? KEYRACK_CODE_DONE : KEYRACK_CODE_SOLD_OUT,
		.tries = 2,
		.map_epoch = 3,
		.elapsed_us = 4,
		.body = body,
		.body_size_bytes = (uint32_t)size_bytes};
	union keyrack_answer a, b;
	begin();
	if (!client_decode_plain(&plain, &end, &a))
		return false;
	client_decode_long(&longer, &end, &b);
	result_same(&a.result, &b.result);
	if (type == FRAME_AVAILABILITY)
		availability_same(&a.availability, &b.availability);
	else
		reservation_same(&a.reservation, &b.reservation);
	return true;
}
