#include "tests/fuzz/hot_same.h"

#include <string.h>

#include "engine/shard/hot.h"
#include "proto/frame.h"

#define TEXT_MAX 32u /* of a refusal: names of fields and tables */

static bool text_same(struct inv_text text, const char *string)
{
	return text.size_bytes == strlen(string) &&
	       (text.size_bytes == 0 || memcmp(text.bytes, string, text.size_bytes) == 0);
}

static void reserve_same(const struct hot_reserve *a, const Keyrack__ReserveRequest *b)
{
	kr_assert(a->hotel_id == b->hotel_id && a->id_hi == b->id_hi && a->id_lo == b->id_lo);
	kr_assert(a->ttl_us == b->ttl_us && a->has_expected_total == b->has_expected_total);
	kr_assert(a->expected_total_minor == b->expected_total_minor);
	kr_assert(a->guest_hi == b->guest_hi && a->guest_lo == b->guest_lo);
	kr_assert(a->actor == b->actor && a->source == b->source);
	kr_assert(text_same(a->external_ref, b->external_ref));
	kr_assert(text_same(a->payment_ref, b->payment_ref) && text_same(a->reason, b->reason));
	kr_assert(a->line_count == b->n_lines);
	for (uint32_t i = 0; i < a->line_count; i++) {
		const struct inv_line *x = &a->lines[i];
		const Keyrack__Line *y = b->lines[i];
		kr_assert(x->type == y->type && x->plan == y->plan && x->rooms == y->rooms);
		kr_assert(x->check_in == y->check_in && x->check_out == y->check_out);
		kr_assert(x->guests == y->guests && x->pricing == y->pricing);
		kr_assert(y->n_run_nights == 0 && y->n_run_price_minor == 0);
	}
}

static void transition_same(const struct hot_transition *a, const Keyrack__TransitionRequest *b)
{
	kr_assert(a->id_hi == b->id_hi && a->id_lo == b->id_lo && a->has_hotel == b->has_hotel);
	kr_assert(a->hotel_id == b->hotel_id && a->any == b->any && a->actor == b->actor);
	kr_assert(a->has_expected_revision == b->has_expected_revision);
	kr_assert(a->expected_revision == b->expected_revision && a->source == b->source);
	kr_assert(text_same(a->payment_ref, b->payment_ref) && text_same(a->reason, b->reason));
}

static void availability_same(
	const struct hot_availability *a, const Keyrack__AvailabilityRequest *b)
{
	kr_assert(a->hotel_id == b->hotel_id && a->first_day == b->first_day);
	kr_assert(a->night_count == b->night_count && a->type_count == b->n_types);
	kr_assert(a->plan == b->plan);
	for (uint32_t i = 0; i < a->type_count; i++)
		kr_assert(a->types[i] == b->types[i]);
}

void hot_same_read(
	unsigned type, const uint8_t *body, size_t size_bytes, const ProtobufCMessage *message)
{
	static struct hot_reserve reserve;
	struct hot_transition transition;
	struct hot_availability availability;
	const void *any = message;
	if (type == FRAME_BOOK && hot_reserve_read(body, size_bytes, &reserve)) {
		kr_assert(message != NULL);
		reserve_same(&reserve, any);
	} else if (type == FRAME_CONFIRM && hot_transition_read(body, size_bytes, &transition)) {
		kr_assert(message != NULL);
		transition_same(&transition, any);
	} else if (type == FRAME_AVAILABILITY &&
		   hot_availability_read(body, size_bytes, &availability)) {
		kr_assert(message != NULL);
		availability_same(&availability, any);
	}
}

/* Narrower in the answer than on the wire, or never written by hand: no refusal is without code. */
static bool is_of_ours(const Keyrack__ReservationAnswer *m)
{
	const Keyrack__Refusal *r = m->refusal;
	return m->state <= UINT8_MAX && m->outcome <= UINT16_MAX && m->nights_over_limit == 0 &&
	       (r == NULL || (r->code != 0 && r->code <= UINT16_MAX && r->rule <= UINT8_MAX &&
				     r->line <= UINT16_MAX && r->state <= UINT8_MAX &&
				     strlen(r->text) <= TEXT_MAX));
}

static struct inv_refusal refusal_of(const Keyrack__Refusal *m)
{
	kr_assert(m != NULL && m->code <= UINT16_MAX);
	return (struct inv_refusal){.code = (uint16_t)m->code,
		.rule = (uint8_t)m->rule,
		.line = (uint16_t)m->line,
		.day = m->day,
		.has_day = m->has_day,
		.required = m->required,
		.left = m->left,
		.state = (uint8_t)m->state,
		.other = {m->other_hi, m->other_lo},
		.text = m->text[0] != '\0' ? m->text : NULL};
}

void hot_same_write(const Keyrack__ReservationAnswer *m)
{
	uint8_t wanted[2 * HOT_RESERVATION_SIZE_MAX], got[HOT_RESERVATION_SIZE_MAX];
	if (!is_of_ours(m))
		return;
	struct inv_answer a = {.code = 1,
		.hotel = {m->hotel_id},
		.state = (uint8_t)m->state,
		.due = m->due,
		.repeated = m->repeated_op,
		.has_total = m->has_total,
		.outcome = (uint16_t)m->outcome,
		.revision = m->revision,
		.expires_at_us = m->expires_at_us,
		.total_minor = m->total_minor,
		.event_seq = m->event_seq,
		.has_amounts = m->has_amounts,
		.penalty_minor = m->penalty_minor,
		.refundable_minor = m->refundable_minor};
	if (m->refusal != NULL)
		a.refusal = refusal_of(m->refusal);
	kr_assert(protobuf_c_message_get_packed_size(&m->base) <= HOT_RESERVATION_SIZE_MAX);
	size_t size = protobuf_c_message_pack(&m->base, wanted);
	kr_assert(hot_reservation_write(&a, m->refusal != NULL, got) == size);
	kr_assert(memcmp(wanted, got, size) == 0);
}
