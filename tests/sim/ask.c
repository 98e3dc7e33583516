/* Requests in the model's words, and the frames that carry them. */
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "engine/inventory/inventory.h"
#include "tests/sim/client.h"
#include "tests/sim/witness.h"

#define DEADLINE_US UINT64_C(8000000)
#define SETUP_DEADLINE_US UINT64_C(800000000)

struct ask {
	uint8_t type, route;
	uint64_t routing_key, key;
	uint32_t track;
	bool is_setup;
};

static uint8_t retry_bits(struct client *c, uint8_t type)
{
	/* A quarter takes the first answer, so that transient codes are seen. */
	if (type != FRAME_RESOLVE && rng_below(&c->cluster->rng, 4) == 0)
		return CLIENT_RETRY_KEYED;
	return CALLER_RETRY_ALL;
}

static bool submit_as(
	struct client *c, const struct ask *ask, bool is_forced, const ProtobufCMessage *message)
{
	const uint32_t index = client_core_room(&c->caller.core) == 0
				       ? CLIENT_NOWHERE
				       : client_core_take(&c->caller.core);
	if (index == CLIENT_NOWHERE)
		return false;
	struct open_call *call = &c->calls[index];
	kr_assert(!call->is_used);
	kr_assert(protobuf_c_message_get_packed_size(message) <= sizeof(call->body));
	call->is_used = true;
	call->is_setup = ask->is_setup;
	call->is_beyond =
		c->caller.is_booking && (is_forced || access_needed(ask->type) == ACCESS_OPERATOR);
	call->type = ask->type;
	call->track = ask->track;
	call->key = ask->key;
	call->hotel = ask->route == FRAME_ROUTE_HOTEL ? ask->routing_key : 0;
	call->at_us = sim_world_now_us(c->cluster->world);
	const struct client_request request = {
		.type = ask->type,
		.route = ask->route,
		.retry = ask->is_setup ? CALLER_RETRY_ALL : retry_bits(c, ask->type),
		.routing_key = ask->routing_key,
		.body = call->body,
		.body_size_bytes = (uint32_t)protobuf_c_message_pack(message, call->body),
		.deadline_us = ask->is_setup ? SETUP_DEADLINE_US : DEADLINE_US,
	};
	client_core_submit(&c->caller.core, index, &request, io_clock_boot_us(c->caller.loop));
	if (ask->track != CLIENT_NO_TRACK)
		c->tracks[ask->track].is_busy = true;
	c->asked_by_type[ask->type]++;
	return true;
}

static bool submit(struct client *c, const struct ask *ask, const ProtobufCMessage *message)
{
	kr_assert(message != NULL);
	return submit_as(c, ask, false, message);
}

/* ---- sales ---- */

struct line_bodies {
	Keyrack__Line lines[M_LINES];
	Keyrack__Line *list[M_LINES];
	uint32_t nights[M_LINES][M_RUNS];
	uint64_t prices[M_LINES][M_RUNS];
};

static void lines_fill(const struct m_line *lines, int line_count, struct line_bodies *b)
{
	for (int i = 0; i < line_count; i++) {
		const struct m_line *l = &lines[i];
		keyrack__line__init(&b->lines[i]);
		b->lines[i].type = (uint32_t)l->type;
		b->lines[i].plan = (uint32_t)l->plan;
		b->lines[i].check_in = l->check_in;
		b->lines[i].check_out = l->check_out;
		b->lines[i].rooms = (uint32_t)l->rooms;
		b->lines[i].guests = (uint32_t)l->guests;
		b->lines[i].pricing = (uint32_t)l->pricing;
		b->lines[i].keeps = (uint32_t)l->keeps;
		for (int k = 0; k < l->run_count; k++) {
			b->nights[i][k] = (uint32_t)l->runs[k].nights;
			b->prices[i][k] = l->runs[k].price;
		}
		b->lines[i].n_run_nights = b->lines[i].n_run_price_minor = (size_t)l->run_count;
		b->lines[i].run_nights = b->nights[i];
		b->lines[i].run_price_minor = b->prices[i];
		b->list[i] = &b->lines[i];
	}
}

static bool reserve(struct client *c, struct m_reserve *r, uint32_t track)
{
	Keyrack__ReserveRequest body = KEYRACK__RESERVE_REQUEST__INIT;
	struct line_bodies lines;
	lines_fill(r->lines, r->line_count, &lines);
	body.hotel_id = r->hotel;
	body.id_hi = r->id.hi;
	body.id_lo = r->id.lo;
	body.reacquires_hi = r->reacquires.hi;
	body.reacquires_lo = r->reacquires.lo;
	body.replaces_hi = r->replaces.hi;
	body.replaces_lo = r->replaces.lo;
	body.force = r->force;
	body.n_lines = (size_t)r->line_count;
	body.lines = lines.list;
	body.ttl_us = r->ttl_us;
	body.has_expected_total = r->has_expected;
	body.expected_total_minor = r->expected;
	body.guest_hi = r->guest_hi;
	body.guest_lo = r->guest_lo;
	body.external_ref = r->external_ref;
	body.payment_ref = r->payment_ref;
	body.source = r->source;
	const struct ask ask = {r->book ? FRAME_BOOK : FRAME_HOLD, FRAME_ROUTE_HOTEL, r->hotel,
		client_key_reserve(r), track, false};
	return submit_as(c, &ask, r->force, &body.base);
}

bool ask_reserve(struct client *c, uint32_t track)
{
	kr_assert(track < c->track_count || track == c->track_count);
	return reserve(c, &c->tracks[track].asked, track);
}

bool ask_echo(struct client *c, const struct m_reserve *r)
{
	struct m_reserve copy;
	memcpy(&copy, r, sizeof(copy));
	return reserve(c, &copy, CLIENT_NO_TRACK);
}

bool ask_stay(struct client *c, const struct m_reserve *r, bool explain)
{
	Keyrack__StayRequest body = KEYRACK__STAY_REQUEST__INIT;
	struct line_bodies lines;
	lines_fill(r->lines, r->line_count, &lines);
	body.hotel_id = r->hotel;
	body.n_lines = (size_t)r->line_count;
	body.lines = lines.list;
	body.explain = explain;
	const struct ask ask = {FRAME_STAY, FRAME_ROUTE_HOTEL, r->hotel,
		client_key_stay(r, explain), CLIENT_NO_TRACK, false};
	return submit(c, &ask, &body.base);
}

bool client_id_is_foreign(struct m_id id)
{
	return !reservation_id_is_native((struct kr_id){id.hi, id.lo});
}

bool ask_import(struct client *c, const struct m_import *i, uint32_t track)
{
	Keyrack__ImportRequest body = KEYRACK__IMPORT_REQUEST__INIT;
	Keyrack__Reservation told = KEYRACK__RESERVATION__INIT;
	struct line_bodies lines;
	struct m_reserve r;
	memcpy(&r, &i->what, sizeof(r));
	lines_fill(r.lines, r.line_count, &lines);
	told.id_hi = r.id.hi;
	told.id_lo = r.id.lo;
	told.hotel_id = r.hotel;
	told.state = (uint32_t)i->state;
	told.revision = i->revision;
	told.created_at_us = i->created_us;
	told.changed_at_us = i->changed_us;
	told.expires_at_us = i->expires_us;
	told.n_lines = (size_t)r.line_count;
	told.lines = lines.list;
	told.guest_hi = r.guest_hi;
	told.guest_lo = r.guest_lo;
	told.external_ref = r.external_ref;
	told.payment_ref = r.payment_ref;
	told.source = r.source;
	told.counted_until_day = i->counted_until;
	told.change_id = i->change_id;
	told.was_held = i->was_held;
	told.graced = i->graced;
	body.reservation = &told;
	body.has_counted_until = i->has_counted_until;
	body.force = r.force;
	const struct ask ask = {
		FRAME_IMPORT, FRAME_ROUTE_HOTEL, r.hotel, client_key_import(i), track, false};
	return submit_as(c, &ask, r.force, &body.base);
}

static const uint8_t transition_frames[M_TRANSITION_END] = {0, FRAME_CONFIRM, FRAME_RELEASE,
	FRAME_CANCEL, FRAME_RESOLVE, FRAME_EXTEND, FRAME_ATTACH_PAYMENT, FRAME_CHECK_IN,
	FRAME_COMPLETE, FRAME_NO_SHOW, FRAME_MODIFY};

uint8_t transition_frame(int what)
{
	kr_assert(what > 0 && what < M_TRANSITION_END);
	return transition_frames[what];
}

int transition_of_frame(uint8_t type)
{
	for (int what = 1; what < M_TRANSITION_END; what++)
		if (transition_frames[what] == type)
			return what;
	return 0;
}

bool ask_transition(struct client *c, const struct m_transition *t, uint32_t track)
{
	Keyrack__TransitionRequest body = KEYRACK__TRANSITION_REQUEST__INIT;
	struct line_bodies lines;
	char payment[M_TEXT];
	memcpy(payment, t->payment_ref, sizeof(payment));
	body.id_hi = t->id.hi;
	body.id_lo = t->id.lo;
	body.has_hotel = t->has_hotel;
	body.hotel_id = t->hotel;
	body.has_expected_revision = t->has_revision;
	body.expected_revision = t->revision;
	body.any = t->any;
	body.payment_ref = payment;
	body.change_id = t->change_id;
	body.expires_at_us = t->expires_us;
	lines_fill(t->lines, t->line_count, &lines);
	body.n_lines = (size_t)t->line_count;
	body.lines = lines.list;
	body.has_expected_total = t->has_expected;
	body.expected_total_minor = t->expected;
	body.force = t->force;
	const bool is_foreign = client_id_is_foreign(t->id);
	const uint64_t leads_to =
		is_foreign ? t->hotel : reservation_id_slot((struct kr_id){t->id.hi, t->id.lo});
	const struct ask ask = {transition_frame(t->what),
		is_foreign ? FRAME_ROUTE_HOTEL : FRAME_ROUTE_SLOT, leads_to,
		client_key_transition(t), track, false};
	return submit_as(c, &ask, t->force, &body.base);
}

/* ---- inventory ---- */

bool ask_update(struct client *c, const struct m_update *u, bool is_setup)
{
	Keyrack__InventorySetRequest body = KEYRACK__INVENTORY_SET_REQUEST__INIT;
	uint32_t types[M_TYPES];
	for (int i = 0; i < u->type_count; i++)
		types[i] = (uint32_t)u->types[i];
	body.hotel_id = u->hotel;
	body.plan = (uint32_t)u->plan;
	body.n_types = (size_t)u->type_count;
	body.types = types;
	body.first_day = u->first_day;
	body.last_day = u->last_day;
	body.weekday_mask = (uint32_t)u->weekday_mask;
	body.set_mask = u->set;
	body.adjust_mask = u->adjust;
	body.clear_mask = u->clear;
	body.physical = u->physical;
	body.out_of_order = u->out_of_order;
	body.allowance = u->allowance;
	body.allowance_unit = (uint32_t)u->allowance_unit;
	body.cap = u->cap;
	body.price_minor = u->price;
	body.available = u->available;
	body.closed = u->closed;
	body.cta = u->cta;
	body.ctd = u->ctd;
	body.plan_closed = u->plan_closed;
	body.plan_cta = u->plan_cta;
	body.plan_ctd = u->plan_ctd;
	body.min_arrival = (uint32_t)u->min_arrival;
	body.max_arrival = (uint32_t)u->max_arrival;
	body.min_through = (uint32_t)u->min_through;
	body.max_through = (uint32_t)u->max_through;
	body.source = u->source;
	body.source_seq = u->source_seq;
	body.has_expected_version = u->has_version;
	body.expected_ari_version = u->version;
	const struct ask ask = {FRAME_INVENTORY_SET, FRAME_ROUTE_HOTEL, u->hotel,
		client_key_update(u), CLIENT_NO_TRACK, is_setup};
	return submit(c, &ask, &body.base);
}

bool ask_nights(
	struct client *c, uint64_t hotel, int type, int plan, int first_day, uint32_t night_count)
{
	uint32_t types[1] = {(uint32_t)type};
	Keyrack__AvailabilityRequest body = KEYRACK__AVAILABILITY_REQUEST__INIT;
	body.hotel_id = hotel;
	body.n_types = type >= 0;
	body.types = types;
	body.plan = (uint32_t)plan;
	body.first_day = first_day;
	body.night_count = night_count;
	const struct ask ask = {FRAME_AVAILABILITY, FRAME_ROUTE_HOTEL, hotel,
		client_key_nights(hotel, plan, first_day, night_count), CLIENT_NO_TRACK, false};
	return submit(c, &ask, &body.base);
}

static bool submit_page(struct client *c, const struct list_query *q, const ProtobufCMessage *body)
{
	const bool is_over_all = q->hotel == 0;
	const struct ask ask = {(uint8_t)q->kind,
		is_over_all ? FRAME_ROUTE_SHARD : FRAME_ROUTE_HOTEL,
		is_over_all ? q->cursor >> LIST_CURSOR_SHARD_SHIFT : q->hotel, client_key_page(q),
		CLIENT_NO_TRACK, false};
	return submit(c, &ask, body);
}

static bool ask_nights_page(struct client *c, const struct list_query *q, uint32_t limit)
{
	Keyrack__NightListRequest body = KEYRACK__NIGHT_LIST_REQUEST__INIT;
	body.hotel_id = q->hotel;
	body.first_day = (int32_t)q->a;
	body.last_day = (int32_t)q->b;
	body.relative = true;
	body.filter = (uint32_t)q->c;
	body.cursor = q->cursor;
	body.from_day = (int32_t)q->from_day;
	body.limit = limit;
	return submit_page(c, q, &body.base);
}

bool ask_page(struct client *c, const struct list_query *q, uint32_t limit)
{
	Keyrack__ReservationListRequest reservations = KEYRACK__RESERVATION_LIST_REQUEST__INIT;
	Keyrack__DenialListRequest denials = KEYRACK__DENIAL_LIST_REQUEST__INIT;
	Keyrack__StockListRequest stock = KEYRACK__STOCK_LIST_REQUEST__INIT;
	switch (q->kind) {
	case FRAME_NIGHT_LIST:
		return ask_nights_page(c, q, limit);
	case FRAME_RESERVATION_LIST:
		reservations.hotel_id = q->hotel;
		reservations.state_mask = (uint32_t)q->a;
		reservations.guest_hi = q->b;
		reservations.guest_lo = q->c;
		reservations.cursor = q->cursor;
		reservations.limit = limit;
		return submit_page(c, q, &reservations.base);
	case FRAME_DENIAL_LIST:
		denials.hotel_id = q->hotel;
		denials.cursor = q->cursor;
		denials.limit = limit;
		return submit_page(c, q, &denials.base);
	default:
		kr_assert(q->kind == FRAME_STOCK_LIST);
		stock.hotel_id = q->hotel;
		stock.from_type = (uint32_t)q->a;
		stock.from_day = (int32_t)q->from_day;
		stock.limit = limit;
		return submit_page(c, q, &stock.base);
	}
}

bool ask_get(struct client *c, uint64_t hotel, struct m_id id)
{
	Keyrack__ReservationGetRequest body = KEYRACK__RESERVATION_GET_REQUEST__INIT;
	const struct kr_id name = {id.hi, id.lo};
	body.id_hi = id.hi;
	body.id_lo = id.lo;
	struct ask ask = {FRAME_RESERVATION_GET, FRAME_ROUTE_HOTEL, hotel, client_key_get(name),
		CLIENT_NO_TRACK, false};
	body.has_hotel = hotel != 0;
	body.hotel_id = hotel;
	if (hotel == 0) {
		ask.route = FRAME_ROUTE_SLOT;
		ask.routing_key = reservation_id_slot(name);
	}
	return submit(c, &ask, &body.base);
}

/* ---- the catalogue ---- */

bool ask_hotel_get(struct client *c, uint64_t hotel)
{
	Keyrack__HotelGetRequest body = KEYRACK__HOTEL_GET_REQUEST__INIT;
	body.hotel_id = hotel;
	const struct ask ask = {FRAME_HOTEL_GET, FRAME_ROUTE_HOTEL, hotel,
		client_key_hotel_get(hotel), CLIENT_NO_TRACK, false};
	return submit(c, &ask, &body.base);
}

bool ask_hotel(struct client *c, uint32_t hotel, const struct m_hotel_settings *h, bool is_setup)
{
	Keyrack__HotelSettings settings = KEYRACK__HOTEL_SETTINGS__INIT;
	Keyrack__HotelPutRequest body = KEYRACK__HOTEL_PUT_REQUEST__INIT;
	char zone[32], currency[] = "EUR";
	const uint64_t id = client_hotel(hotel);
	snprintf(zone, sizeof(zone), "%s", client_zones[hotel].name);
	settings.zone = zone;
	settings.currency = currency;
	settings.currency_digits = 2;
	settings.day_roll_minute = (uint32_t)h->day_roll_minute;
	settings.check_in_minute = (uint32_t)h->check_in_minute;
	settings.nights_max = (uint32_t)h->nights_max;
	settings.hold_ttl_us = h->hold_ttl_us;
	settings.hold_ttl_max_us = h->hold_ttl_max_us;
	settings.hold_total_max_us = h->hold_total_max_us;
	settings.holds_max = h->holds_max;
	settings.guest_holds_max = h->guest_holds_max;
	settings.status = (uint32_t)h->status;
	body.hotel_id = id;
	body.mask = INV_HOTEL_MASK & ~INV_HOTEL_CODE;
	body.settings = &settings;
	const struct ask ask = {FRAME_HOTEL_PUT, FRAME_ROUTE_HOTEL, id, client_key_hotel(id, h),
		CLIENT_NO_TRACK, is_setup};
	return submit(c, &ask, &body.base);
}

bool ask_type(
	struct client *c, uint32_t hotel, int type, const struct m_type_settings *t, bool is_setup)
{
	Keyrack__TypeSettings settings = KEYRACK__TYPE_SETTINGS__INIT;
	Keyrack__TypePutRequest body = KEYRACK__TYPE_PUT_REQUEST__INIT;
	char code[] = "T0";
	const uint64_t id = client_hotel(hotel);
	code[1] = (char)('0' + type);
	settings.code = code;
	settings.status = (uint32_t)t->status;
	settings.plan_status = (uint32_t)t->plan_status;
	settings.physical = (uint32_t)t->physical;
	settings.out_of_order = (uint32_t)t->out_of_order;
	settings.allowance = (int32_t)t->allowance;
	settings.allowance_unit = (uint32_t)t->allowance_unit;
	settings.cap = (int32_t)t->cap;
	settings.guests_max = t->guests_max;
	settings.advance_min_minutes = t->advance_min;
	settings.advance_max_minutes = t->advance_max;
	body.hotel_id = id;
	body.type = (uint32_t)type;
	body.mask = INV_TYPE_MASK & ~(INV_TYPE_CLEARABLE | INV_TYPE_ALLOWANCE_UNIT);
	*(t->has_physical ? &body.mask : &body.clear_mask) |= INV_TYPE_PHYSICAL;
	*(t->has_out_of_order ? &body.mask : &body.clear_mask) |= INV_TYPE_OUT_OF_ORDER;
	*(t->has_allowance ? &body.mask : &body.clear_mask) |= INV_TYPE_ALLOWANCE;
	*(t->has_cap ? &body.mask : &body.clear_mask) |= INV_TYPE_CAP;
	if (t->has_allowance)
		body.mask |= INV_TYPE_ALLOWANCE_UNIT;
	body.settings = &settings;
	const struct ask ask = {FRAME_TYPE_PUT, FRAME_ROUTE_HOTEL, id, client_key_type(id, type, t),
		CLIENT_NO_TRACK, is_setup};
	return submit(c, &ask, &body.base);
}

bool ask_plan(struct client *c, const struct m_plan_put *p, bool is_setup)
{
	Keyrack__PlanSettings settings = KEYRACK__PLAN_SETTINGS__INIT;
	Keyrack__PlanPutRequest body = KEYRACK__PLAN_PUT_REQUEST__INIT;
	Keyrack__Tier tiers[M_TIERS], *list[M_TIERS];
	const struct m_plan_settings *s = &p->settings;
	char code[M_TEXT];
	for (int i = 0; i < s->terms.tier_count; i++) {
		keyrack__tier__init(&tiers[i]);
		tiers[i].hours = (uint32_t)s->terms.tiers[i].hours;
		tiers[i].nights = (uint32_t)s->terms.tiers[i].nights;
		tiers[i].basis_points = (uint32_t)s->terms.tiers[i].points;
		list[i] = &tiers[i];
	}
	memcpy(code, s->code, sizeof(code));
	settings.code = code;
	settings.status = (uint32_t)s->status;
	settings.advance_min_minutes = s->advance_min;
	settings.advance_max_minutes = s->advance_max;
	settings.parent = (uint32_t)s->parent;
	settings.derivation = (uint32_t)s->derivation;
	settings.adjustment = s->adjustment;
	settings.n_tiers = (size_t)s->terms.tier_count;
	settings.tiers = list;
	body.hotel_id = p->hotel;
	body.type = (uint32_t)p->type;
	body.plan = (uint32_t)p->plan;
	body.mask = p->mask;
	body.has_expected_version = p->has_version;
	body.expected_ari_version = p->version;
	body.settings = &settings;
	const struct ask ask = {FRAME_PLAN_PUT, FRAME_ROUTE_HOTEL, p->hotel, client_key_plan(p),
		CLIENT_NO_TRACK, is_setup};
	return submit(c, &ask, &body.base);
}

bool ask_plans(struct client *c, uint64_t hotel, int from_type, int from_plan, uint32_t limit)
{
	Keyrack__PlanListRequest body = KEYRACK__PLAN_LIST_REQUEST__INIT;
	body.hotel_id = hotel;
	body.from_type = (uint32_t)from_type;
	body.from_plan = (uint32_t)from_plan;
	body.limit = limit;
	const struct ask ask = {FRAME_PLAN_LIST, FRAME_ROUTE_HOTEL, hotel,
		client_key_plans(hotel, from_type, from_plan, limit), CLIENT_NO_TRACK, false};
	return submit(c, &ask, &body.base);
}

/* ---- names of requests ---- */

uint64_t client_key_reserve(const struct m_reserve *r)
{
	return witness_key("reserve", r, sizeof(*r));
}

uint64_t client_key_import(const struct m_import *i)
{
	return witness_key("import", i, sizeof(*i));
}

uint64_t client_key_transition(const struct m_transition *t)
{
	return witness_key("transition", t, sizeof(*t));
}

/* Values of fields that are neither set nor adjusted do not count. */
uint64_t client_key_update(const struct m_update *update)
{
	struct m_update u;
	memcpy(&u, update, sizeof(u));
	const uint32_t mask = u.set | u.adjust;
#define KEEP(bit, member) u.member = (mask & (bit)) ? u.member : 0
	KEEP(INV_UPDATE_PHYSICAL, physical);
	KEEP(INV_UPDATE_OUT_OF_ORDER, out_of_order);
	KEEP(INV_UPDATE_ALLOWANCE, allowance);
	KEEP(INV_UPDATE_ALLOWANCE, allowance_unit);
	KEEP(INV_UPDATE_CAP, cap);
	KEEP(INV_UPDATE_PRICE, price);
	KEEP(INV_UPDATE_AVAILABLE, available);
	KEEP(INV_UPDATE_CLOSED, closed);
	KEEP(INV_UPDATE_CTA, cta);
	KEEP(INV_UPDATE_CTD, ctd);
	KEEP(INV_UPDATE_PLAN_CLOSED, plan_closed);
	KEEP(INV_UPDATE_PLAN_CTA, plan_cta);
	KEEP(INV_UPDATE_PLAN_CTD, plan_ctd);
	KEEP(INV_UPDATE_MIN_ARRIVAL, min_arrival);
	KEEP(INV_UPDATE_MAX_ARRIVAL, max_arrival);
	KEEP(INV_UPDATE_MIN_THROUGH, min_through);
	KEEP(INV_UPDATE_MAX_THROUGH, max_through);
#undef KEEP
	return witness_key("update", &u, sizeof(u));
}

uint64_t client_key_hotel(uint64_t hotel, const struct m_hotel_settings *settings)
{
	return witness_key("hotel", settings, sizeof(*settings)) ^ hash_mix(hotel);
}

uint64_t client_key_type(uint64_t hotel, int type, const struct m_type_settings *settings)
{
	return witness_key("type", settings, sizeof(*settings)) ^
	       hash_mix(hotel * 64 + (uint64_t)type);
}

/* Values of settings that are not named do not count. */
uint64_t client_key_plan(const struct m_plan_put *put)
{
	struct m_plan_put p;
	memcpy(&p, put, sizeof(p));
#define KEEP(bit, member)                                                                          \
	if ((p.mask & (bit)) == 0)                                                                 \
	memset(&p.settings.member, 0, sizeof(p.settings.member))
	KEEP(INV_PLAN_CODE, code);
	KEEP(INV_PLAN_STATUS, status);
	KEEP(INV_PLAN_ADVANCE_MIN, advance_min);
	KEEP(INV_PLAN_ADVANCE_MAX, advance_max);
	KEEP(INV_PLAN_PARENT, parent);
	KEEP(INV_PLAN_DERIVATION, derivation);
	KEEP(INV_PLAN_ADJUSTMENT, adjustment);
	KEEP(INV_PLAN_TIERS, terms);
#undef KEEP
	return witness_key("plan", &p, sizeof(p));
}

uint64_t client_key_plans(uint64_t hotel, int from_type, int from_plan, uint32_t limit)
{
	const uint64_t words[4] = {hotel, (uint64_t)from_type, (uint64_t)from_plan, limit};
	return witness_key("plans", words, sizeof(words));
}

uint64_t client_key_nights(uint64_t hotel, int plan, int first_day, uint32_t night_count)
{
	const uint64_t words[4] = {
		hotel, (uint64_t)plan, (uint64_t)(int64_t)first_day, night_count};
	return witness_key("nights", words, sizeof(words));
}

uint64_t client_key_page(const struct list_query *query)
{
	return witness_key("page", query, sizeof(*query));
}

uint64_t client_key_cursor(uint64_t cursor)
{
	return witness_key("cursor", &cursor, sizeof(cursor));
}

uint64_t client_key_stay(const struct m_reserve *r, bool explain)
{
	return witness_key(explain ? "explain" : "stay", r->lines, sizeof(r->lines)) ^
	       hash_mix(r->hotel);
}

uint64_t client_key_get(struct kr_id id)
{
	const uint64_t words[2] = {id.hi, id.lo};
	return witness_key("get", words, sizeof(words));
}

uint64_t client_key_hotel_get(uint64_t hotel)
{
	return witness_key("hotel get", &hotel, sizeof(hotel));
}

uint64_t client_key_no_hotel(uint64_t hotel)
{
	return witness_key("no hotel", &hotel, sizeof(hotel));
}
