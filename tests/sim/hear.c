/* What clients hear, as the witness keeps it: the answer's whole body, field by field. */
#include "tests/sim/hear.h"

#include <string.h>

#include "base/hash.h"
#include "tests/sim/witness_list.h"
#include "tests/sim/witness_wrap.h"

static void take_refusal(const Keyrack__Refusal *f, struct witness_reply *ret)
{
	if (f == NULL)
		return;
	ret->rule = f->rule;
	ret->line = f->line;
	ret->has_day = (uint64_t)f->has_day;
	ret->day = (uint64_t)(int64_t)f->day;
	ret->refused_state = f->state;
	ret->required = (uint64_t)f->required;
	ret->left = (uint64_t)f->left;
}

static bool take_sale(const struct client_end *end, struct witness_reply *ret)
{
	Keyrack__ReservationAnswer *a =
		keyrack__reservation_answer__unpack(NULL, end->body_size_bytes, end->body);
	if (a == NULL)
		return false;
	ret->state = a->state;
	ret->due = (uint64_t)a->due;
	ret->repeated = (uint64_t)a->repeated_op;
	ret->has_total = (uint64_t)a->has_total;
	ret->outcome = a->outcome;
	ret->revision = a->revision;
	ret->expires_us = a->expires_at_us;
	ret->total = a->total_minor;
	ret->event_seq = a->event_seq;
	ret->hotel = a->hotel_id;
	ret->over_limit = a->nights_over_limit;
	ret->has_amounts = (uint64_t)a->has_amounts;
	ret->penalty = a->penalty_minor;
	ret->refundable = a->refundable_minor;
	take_refusal(a->refusal, ret);
	keyrack__reservation_answer__free_unpacked(a, NULL);
	return true;
}

static bool take_update(const struct client_end *end, struct witness_reply *ret)
{
	Keyrack__InventorySetAnswer *a =
		keyrack__inventory_set_answer__unpack(NULL, end->body_size_bytes, end->body);
	if (a == NULL)
		return false;
	ret->version = a->ari_version;
	ret->event_seq = a->event_seq;
	ret->cells = a->cells;
	ret->repeated = (uint64_t)a->repeated_seq;
	ret->last_seq = a->last_source_seq;
	ret->over_limit = a->cells_over_limit;
	take_refusal(a->refusal, ret);
	keyrack__inventory_set_answer__free_unpacked(a, NULL);
	return true;
}

static bool take_hotel(const struct client_end *end, struct witness_reply *ret)
{
	Keyrack__HotelAnswer *a =
		keyrack__hotel_answer__unpack(NULL, end->body_size_bytes, end->body);
	if (a == NULL)
		return false;
	if (a->hotel != NULL) {
		ret->version = a->hotel->ari_version;
		ret->event_seq = a->hotel->event_seq;
		ret->business_day = (uint64_t)(int64_t)a->hotel->business_day;
	}
	ret->created = (uint64_t)a->created;
	take_refusal(a->refusal, ret);
	keyrack__hotel_answer__free_unpacked(a, NULL);
	return true;
}

static bool take_type(const struct client_end *end, struct witness_reply *ret)
{
	Keyrack__TypeAnswer *a =
		keyrack__type_answer__unpack(NULL, end->body_size_bytes, end->body);
	if (a == NULL)
		return false;
	ret->created = (uint64_t)a->created;
	ret->version = a->ari_version;
	take_refusal(a->refusal, ret);
	keyrack__type_answer__free_unpacked(a, NULL);
	return true;
}

static uint64_t plan_digest(uint64_t digest_before, const Keyrack__Plan *plan)
{
	const Keyrack__PlanSettings *f = plan->settings;
	struct m_plan_settings s;
	memset(&s, 0, sizeof(s));
	kr_assert(strlen(f->code) < M_TEXT && f->n_tiers <= M_TIERS);
	memcpy(s.code, f->code, strlen(f->code));
	s.status = (int)f->status;
	s.advance_min = f->advance_min_minutes;
	s.advance_max = f->advance_max_minutes;
	s.parent = (int)f->parent;
	s.derivation = (int)f->derivation;
	s.adjustment = f->adjustment;
	s.terms.tier_count = (int)f->n_tiers;
	for (size_t i = 0; i < f->n_tiers; i++)
		s.terms.tiers[i] = (struct m_tier){(int)f->tiers[i]->hours,
			(int)f->tiers[i]->nights, (int)f->tiers[i]->basis_points};
	return witness_plan(digest_before, (int)plan->type, (int)plan->plan, &s);
}

static bool take_plan(const struct client_end *end, struct witness_reply *ret)
{
	Keyrack__PlanAnswer *a =
		keyrack__plan_answer__unpack(NULL, end->body_size_bytes, end->body);
	if (a == NULL)
		return false;
	ret->created = (uint64_t)a->created;
	ret->version = a->ari_version;
	if (a->plan != NULL)
		ret->digest = plan_digest(0, a->plan);
	take_refusal(a->refusal, ret);
	keyrack__plan_answer__free_unpacked(a, NULL);
	return true;
}

static bool take_plans(const struct client_end *end, struct witness_reply *ret)
{
	Keyrack__PlanListAnswer *a =
		keyrack__plan_list_answer__unpack(NULL, end->body_size_bytes, end->body);
	if (a == NULL)
		return false;
	ret->cells = a->n_plans;
	ret->repeated = (uint64_t)a->more;
	ret->version = a->ari_version;
	for (size_t i = 0; i < a->n_plans; i++)
		ret->digest = plan_digest(ret->digest, a->plans[i]);
	take_refusal(a->refusal, ret);
	keyrack__plan_list_answer__free_unpacked(a, NULL);
	return true;
}

static bool take_nights(const struct client_end *end, struct witness_reply *ret)
{
	Keyrack__AvailabilityAnswer *a =
		keyrack__availability_answer__unpack(NULL, end->body_size_bytes, end->body);
	if (a == NULL)
		return false;
	if (end->code == KEYRACK_DONE) {
		ret->version = a->ari_version;
		ret->business_day = (uint64_t)(int64_t)a->business_day;
		ret->digest = hash_64(a->counters, a->n_counters * sizeof(uint64_t)) ^
			      hash_mix(hash_64(a->rates, a->n_rates * sizeof(uint64_t)));
		for (size_t i = 0; i < a->n_types; i++)
			ret->digest = hash_mix(ret->digest ^ a->types[i]);
	}
	take_refusal(a->refusal, ret);
	keyrack__availability_answer__free_unpacked(a, NULL);
	return true;
}

static bool take_night_list(const struct client_end *end, struct witness_reply *ret)
{
	Keyrack__NightListAnswer *a =
		keyrack__night_list_answer__unpack(NULL, end->body_size_bytes, end->body);
	if (a == NULL)
		return false;
	ret->event_seq = a->event_seq;
	ret->business_day = (uint64_t)(int64_t)a->business_day;
	ret->day = (uint64_t)(int64_t)a->first_day;
	ret->left = (uint64_t)(int64_t)a->last_day;
	ret->cells = a->n_nights;
	ret->cursor = a->next_cursor;
	ret->cursor_day = (uint64_t)(int64_t)a->next_day;
	for (size_t i = 0; i < a->n_nights; i++) {
		const Keyrack__Night *n = a->nights[i];
		ret->digest =
			witness_night(ret->digest, &(struct inv_night_view){.hotel = {n->hotel_id},
							   .day = n->day,
							   .limit = n->limit,
							   .rooms = n->rooms,
							   .over_limit = n->over_limit,
							   .walks = n->walks,
							   .type = (uint16_t)n->type,
							   .held = (uint16_t)n->held,
							   .booked = (uint16_t)n->booked,
							   .is_loaded = n->loaded,
							   .has_rooms = n->has_rooms});
	}
	take_refusal(a->refusal, ret);
	keyrack__night_list_answer__free_unpacked(a, NULL);
	return true;
}

static bool take_reservation_list(const struct client_end *end, struct witness_reply *ret)
{
	Keyrack__ReservationListAnswer *a =
		keyrack__reservation_list_answer__unpack(NULL, end->body_size_bytes, end->body);
	if (a == NULL)
		return false;
	for (size_t i = 0; i < a->n_reservations; i++) {
		const Keyrack__Reservation *r = a->reservations[i];
		ret->digest +=
			witness_listed(&(struct inv_reservation_view){.id = {r->id_hi, r->id_lo},
				.hotel = {r->hotel_id},
				.state = (uint8_t)r->state,
				.due = r->due,
				.revision = r->revision,
				.total_minor = r->total_minor,
				.has_total = r->has_total,
				.event_seq = r->event_seq,
				.line_count = (uint32_t)r->n_lines});
	}
	ret->cells = a->n_reservations;
	ret->cursor = a->next_cursor;
	take_refusal(a->refusal, ret);
	keyrack__reservation_list_answer__free_unpacked(a, NULL);
	return true;
}

static bool take_denial_list(const struct client_end *end, struct witness_reply *ret)
{
	Keyrack__DenialListAnswer *a =
		keyrack__denial_list_answer__unpack(NULL, end->body_size_bytes, end->body);
	if (a == NULL)
		return false;
	for (size_t i = 0; i < a->n_denials; i++) {
		const Keyrack__Denial *d = a->denials[i];
		ret->digest =
			witness_denial(ret->digest, &(struct inv_denial){.hotel = {d->hotel_id},
							    .type = (uint16_t)d->type,
							    .rule = (uint8_t)d->rule,
							    .day = d->day,
							    .count = d->count});
	}
	ret->cells = a->n_denials;
	ret->cursor = a->next_cursor;
	ret->total = a->total;
	ret->over_limit = a->overflow;
	take_refusal(a->refusal, ret);
	keyrack__denial_list_answer__free_unpacked(a, NULL);
	return true;
}

static bool take_stock_list(const struct client_end *end, struct witness_reply *ret)
{
	Keyrack__StockListAnswer *a =
		keyrack__stock_list_answer__unpack(NULL, end->body_size_bytes, end->body);
	if (a == NULL)
		return false;
	for (size_t i = 0; i < a->n_runs; i++) {
		const Keyrack__StockRun *r = a->runs[i];
		ret->digest = witness_stock(
			ret->digest, &(struct inv_stock_view){.type = (uint16_t)r->type,
					     .first_day = r->first_day,
					     .last_day = r->last_day,
					     .set_mask = r->set_mask,
					     .physical = (uint16_t)r->physical,
					     .out_of_order = (uint16_t)r->out_of_order,
					     .allowance = r->allowance,
					     .allowance_unit = (uint8_t)r->allowance_unit});
	}
	ret->cells = a->n_runs;
	ret->repeated = (uint64_t)a->more;
	ret->version = a->ari_version;
	take_refusal(a->refusal, ret);
	keyrack__stock_list_answer__free_unpacked(a, NULL);
	return true;
}

static bool take_stay(const struct client_end *end, struct witness_reply *ret)
{
	Keyrack__StayAnswer *a =
		keyrack__stay_answer__unpack(NULL, end->body_size_bytes, end->body);
	if (a == NULL)
		return false;
	ret->total = a->total_minor;
	ret->has_total = (uint64_t)a->has_total;
	ret->version = a->ari_version;
	ret->free_until = a->free_cancel_until_us;
	ret->cells = a->n_refusals;
	if (a->n_refusals > 0)
		take_refusal(a->refusals[0], ret);
	keyrack__stay_answer__free_unpacked(a, NULL);
	return true;
}

static bool take_get(const struct client_end *end, struct witness_reply *ret)
{
	Keyrack__ReservationGetAnswer *a =
		keyrack__reservation_get_answer__unpack(NULL, end->body_size_bytes, end->body);
	if (a == NULL)
		return false;
	if (a->reservation != NULL) {
		const Keyrack__Reservation *r = a->reservation;
		ret->state = r->state;
		ret->due = (uint64_t)r->due;
		ret->revision = r->revision;
		ret->expires_us = r->expires_at_us;
		ret->total = r->total_minor;
		ret->has_total = (uint64_t)r->has_total;
		ret->event_seq = r->event_seq;
		ret->hotel = r->hotel_id;
		ret->last_seq = r->change_id;
		ret->cells = r->n_lines;
		ret->free_until = r->free_cancel_until_us;
		ret->has_amounts = (uint64_t)r->has_amounts;
		ret->penalty = r->penalty_minor;
		ret->refundable = r->refundable_minor;
	}
	take_refusal(a->refusal, ret);
	keyrack__reservation_get_answer__free_unpacked(a, NULL);
	return true;
}

bool hear_reply(uint8_t type, const struct client_end *end, struct witness_reply *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->code = end->code;
	if (end->body == NULL)
		return true;
	switch (type) {
	case FRAME_INVENTORY_SET:
		return take_update(end, ret);
	case FRAME_HOTEL_PUT:
	case FRAME_HOTEL_GET:
		return take_hotel(end, ret);
	case FRAME_TYPE_PUT:
		return take_type(end, ret);
	case FRAME_PLAN_PUT:
		return take_plan(end, ret);
	case FRAME_PLAN_LIST:
		return take_plans(end, ret);
	case FRAME_AVAILABILITY:
		return take_nights(end, ret);
	case FRAME_NIGHT_LIST:
		return take_night_list(end, ret);
	case FRAME_RESERVATION_LIST:
		return take_reservation_list(end, ret);
	case FRAME_DENIAL_LIST:
		return take_denial_list(end, ret);
	case FRAME_STOCK_LIST:
		return take_stock_list(end, ret);
	case FRAME_STAY:
		return take_stay(end, ret);
	case FRAME_RESERVATION_GET:
		return take_get(end, ret);
	default:
		return take_sale(end, ret);
	}
}
