/* Requests of stays and reservations: the hot ones. */
#include "client/encode.h"

#include <errno.h>

#include "base/uuid.h"
#include "proto/slot.h"

/* What the messages of a request's lines are made of. Only what is used is ever touched. */
struct client_lines {
	Keyrack__Line lines[KEYRACK_LINE_COUNT_MAX];
	Keyrack__Line *pointers[KEYRACK_LINE_COUNT_MAX];
	uint32_t run_nights[KEYRACK_STAY_NIGHTS_MAX];
	uint64_t run_prices[KEYRACK_STAY_NIGHTS_MAX];
	uint32_t run_count;
	Keyrack__Tier tiers[KEYRACK_LINE_COUNT_MAX][KEYRACK_TIER_COUNT_MAX];
	Keyrack__Tier *tier_pointers[KEYRACK_LINE_COUNT_MAX][KEYRACK_TIER_COUNT_MAX];
};

static bool client_line_runs(
	const struct keyrack_line *line, struct client_lines *lines, Keyrack__Line *ret)
{
	uint32_t first = lines->run_count;
	kr_assert(first <= KEYRACK_STAY_NIGHTS_MAX);
	if (line->runs == NULL || line->run_count > KEYRACK_STAY_NIGHTS_MAX - first)
		return false;
	for (uint32_t i = 0; i < line->run_count; i++) {
		lines->run_nights[first + i] = line->runs[i].nights;
		lines->run_prices[first + i] = line->runs[i].price_minor;
	}
	ret->n_run_nights = ret->n_run_price_minor = line->run_count;
	ret->run_nights = lines->run_nights + first;
	ret->run_price_minor = lines->run_prices + first;
	lines->run_count += line->run_count;
	return true;
}

/* False when the lines cannot be a request's. */
static bool client_lines_fill(
	const struct keyrack_line *in, uint32_t count, struct client_lines *lines)
{
	lines->run_count = 0;
	if (count > KEYRACK_LINE_COUNT_MAX || (in == NULL && count > 0))
		return false;
	for (uint32_t i = 0; i < count; i++) {
		Keyrack__Line *line = &lines->lines[i];
		*line = (Keyrack__Line)KEYRACK__LINE__INIT;
		lines->pointers[i] = line;
		line->type = in[i].type;
		line->plan = in[i].plan;
		line->check_in = in[i].check_in_day;
		line->check_out = in[i].check_out_day;
		line->rooms = in[i].rooms;
		line->guests = in[i].guests;
		line->pricing = (uint32_t)in[i].pricing;
		line->keeps = in[i].keeps;
		if (in[i].run_count > 0 && !client_line_runs(&in[i], lines, line))
			return false;
	}
	return true;
}

int client_encode_stay(struct client_pack *pack, const void *request)
{
	const struct keyrack_stay *stay = request;
	struct client_lines lines;
	Keyrack__StayRequest message = KEYRACK__STAY_REQUEST__INIT;
	if (!client_lines_fill(stay->lines, stay->line_count, &lines))
		return -EINVAL;
	message.hotel_id = stay->hotel_id;
	message.n_lines = stay->line_count;
	message.lines = lines.pointers;
	message.has_expected_total = stay->has_expected_total;
	message.expected_total_minor = stay->expected_total_minor;
	message.explain = stay->explain;
	client_route_hotel(pack, FRAME_STAY, stay->hotel_id, CLIENT_RETRY_READ);
	pack->request.flags = client_read_flags(&stay->call);
	return client_pack_body(pack, &message.base);
}

static int client_encode_reserve(struct client_pack *pack, const struct keyrack_reserve *reserve)
{
	struct client_lines lines;
	Keyrack__ReserveRequest message = KEYRACK__RESERVE_REQUEST__INIT;
	if (!client_lines_fill(reserve->lines, reserve->line_count, &lines) ||
		!client_text_is_fit(reserve->external_ref) ||
		!client_text_is_fit(reserve->payment_ref) ||
		!client_text_is_fit(reserve->origin.reason))
		return -EINVAL;
	message.hotel_id = reserve->hotel_id;
	message.id_hi = reserve->id.hi;
	message.id_lo = reserve->id.lo;
	message.n_lines = reserve->line_count;
	message.lines = lines.pointers;
	message.ttl_us = reserve->ttl_us;
	message.has_expected_total = reserve->has_expected_total;
	message.expected_total_minor = reserve->expected_total_minor;
	message.reacquires_hi = reserve->reacquires.hi;
	message.reacquires_lo = reserve->reacquires.lo;
	message.replaces_hi = reserve->replaces.hi;
	message.replaces_lo = reserve->replaces.lo;
	message.force = reserve->force;
	message.guest_hi = reserve->guest.hi;
	message.guest_lo = reserve->guest.lo;
	message.external_ref = client_text(reserve->external_ref);
	message.payment_ref = client_text(reserve->payment_ref);
	message.actor = client_actor(pack, &reserve->origin, &message.source);
	message.reason = client_text(reserve->origin.reason);
	return client_pack_body(pack, &message.base);
}

/* Most sales are plain: see encode_plain.c. */
static int client_encode_sale(
	struct client_pack *pack, const struct keyrack_reserve *reserve, enum frame_type type)
{
	kr_assert(type == FRAME_HOLD || type == FRAME_BOOK);
	client_route_hotel(pack, type, reserve->hotel_id, CLIENT_RETRY_READ);
	if (KR_UNLIKELY(!client_reserve_is_plain(reserve)))
		return client_encode_reserve(pack, reserve);
	client_pack_plain_reserve(pack, reserve);
	return 0;
}

int client_encode_hold(struct client_pack *pack, const void *request)
{
	return client_encode_sale(pack, request, FRAME_HOLD);
}

int client_encode_book(struct client_pack *pack, const void *request)
{
	return client_encode_sale(pack, request, FRAME_BOOK);
}

/* By the hotel if it is given, else by the id itself. */
static int client_route_id(struct client_pack *pack, enum frame_type type, struct keyrack_id id,
	bool has_hotel, uint64_t hotel_id)
{
	struct kr_id native = {id.hi, id.lo};
	client_route_hotel(pack, type, hotel_id, CLIENT_RETRY_READ);
	if (has_hotel)
		return 0;
	if (!reservation_id_is_native(native))
		return -EINVAL;
	pack->request.route = FRAME_ROUTE_SLOT;
	pack->request.routing_key = reservation_id_slot(native);
	kr_assert(pack->request.routing_key < SLOT_COUNT);
	return 0;
}

static int client_encode_transition(
	struct client_pack *pack, const struct keyrack_transition *move, enum frame_type type)
{
	struct client_lines lines;
	Keyrack__TransitionRequest message = KEYRACK__TRANSITION_REQUEST__INIT;
	if (!client_lines_fill(move->lines, move->line_count, &lines) ||
		!client_text_is_fit(move->payment_ref) || !client_text_is_fit(move->origin.reason))
		return -EINVAL;
	message.id_hi = move->id.hi;
	message.id_lo = move->id.lo;
	message.has_hotel = move->has_hotel;
	message.hotel_id = move->has_hotel ? move->hotel_id : 0;
	message.has_expected_revision = move->has_expected_revision;
	message.expected_revision = move->expected_revision;
	message.payment_ref = client_text(move->payment_ref);
	message.any = move->any;
	message.change_id = move->change_id;
	message.expires_at_us = move->expires_at_us;
	message.n_lines = move->line_count;
	message.lines = lines.pointers;
	message.force = move->force;
	message.has_expected_total = move->has_expected_total;
	message.expected_total_minor = move->expected_total_minor;
	message.actor = client_actor(pack, &move->origin, &message.source);
	message.reason = client_text(move->origin.reason);
	int r = client_route_id(pack, type, move->id, move->has_hotel, move->hotel_id);
	if (r != 0)
		return r;
	return client_pack_body(pack, &message.base);
}

#define CLIENT_MOVE(name, type)                                                                    \
	int client_encode_##name(struct client_pack *pack, const void *request)                    \
	{                                                                                          \
		return client_encode_transition(pack, request, type);                              \
	}
CLIENT_MOVE(confirm, FRAME_CONFIRM)
CLIENT_MOVE(release, FRAME_RELEASE)
CLIENT_MOVE(cancel, FRAME_CANCEL)
CLIENT_MOVE(resolve, FRAME_RESOLVE)
CLIENT_MOVE(extend, FRAME_EXTEND)
CLIENT_MOVE(attach_payment, FRAME_ATTACH_PAYMENT)
CLIENT_MOVE(check_in, FRAME_CHECK_IN)
CLIENT_MOVE(complete, FRAME_COMPLETE)
CLIENT_MOVE(no_show, FRAME_NO_SHOW)
CLIENT_MOVE(modify, FRAME_MODIFY)
#undef CLIENT_MOVE

/* Terms travel with what was sold elsewhere alone. */
static bool client_terms_fill(
	const struct keyrack_line *in, uint32_t count, struct client_lines *lines)
{
	kr_assert(count <= KEYRACK_LINE_COUNT_MAX);
	for (uint32_t i = 0; i < count; i++) {
		if (in[i].tier_count > KEYRACK_TIER_COUNT_MAX ||
			!client_array_is_fit(in[i].tiers, in[i].tier_count))
			return false;
		for (uint32_t t = 0; t < in[i].tier_count; t++) {
			Keyrack__Tier *tier = &lines->tiers[i][t];
			*tier = (Keyrack__Tier)KEYRACK__TIER__INIT;
			tier->hours = in[i].tiers[t].hours;
			tier->nights = in[i].tiers[t].nights;
			tier->basis_points = in[i].tiers[t].basis_points;
			lines->tier_pointers[i][t] = tier;
		}
		lines->lines[i].tiers = lines->tier_pointers[i];
		lines->lines[i].n_tiers = in[i].tier_count;
		lines->lines[i].arrival_us = in[i].arrival_us;
	}
	return true;
}

static void client_reservation_fill(const struct keyrack_reservation *in, Keyrack__Reservation *ret)
{
	kr_assert(ret->n_lines == 0);
	ret->id_hi = in->id.hi;
	ret->id_lo = in->id.lo;
	ret->hotel_id = in->hotel_id;
	ret->state = in->state;
	ret->revision = in->revision;
	ret->created_at_us = in->created_at_us;
	ret->changed_at_us = in->changed_at_us;
	ret->expires_at_us = in->expires_at_us;
	ret->guest_hi = in->guest.hi;
	ret->guest_lo = in->guest.lo;
	ret->external_ref = client_text(in->external_ref);
	ret->payment_ref = client_text(in->payment_ref);
	ret->source = in->source;
	ret->counted_until_day = in->counted_until_day;
	ret->change_id = in->change_id;
	ret->was_held = in->was_held;
	ret->graced = in->graced;
}

int client_encode_import(struct client_pack *pack, const void *request)
{
	const struct keyrack_import *import = request;
	const struct keyrack_reservation *in = &import->reservation;
	struct client_lines lines;
	Keyrack__Reservation reservation = KEYRACK__RESERVATION__INIT;
	Keyrack__ImportRequest message = KEYRACK__IMPORT_REQUEST__INIT;
	uint32_t source;
	if (!client_lines_fill(in->lines, in->line_count, &lines) ||
		!client_terms_fill(in->lines, in->line_count, &lines) ||
		!client_text_is_fit(in->external_ref) || !client_text_is_fit(in->payment_ref) ||
		!client_text_is_fit(import->origin.reason))
		return -EINVAL;
	client_reservation_fill(in, &reservation);
	reservation.n_lines = in->line_count;
	reservation.lines = lines.pointers;
	message.reservation = &reservation;
	message.has_counted_until = import->has_counted_until;
	message.force = import->force;
	message.actor = client_actor(pack, &import->origin, &source);
	message.reason = client_text(import->origin.reason);
	client_route_hotel(pack, FRAME_IMPORT, in->hotel_id, CLIENT_RETRY_READ);
	return client_pack_body(pack, &message.base);
}

int client_encode_reservation_get(struct client_pack *pack, const void *request)
{
	const struct keyrack_reservation_get *get = request;
	Keyrack__ReservationGetRequest message = KEYRACK__RESERVATION_GET_REQUEST__INIT;
	message.id_hi = get->id.hi;
	message.id_lo = get->id.lo;
	message.has_hotel = get->has_hotel;
	message.hotel_id = get->has_hotel ? get->hotel_id : 0;
	int r = client_route_id(
		pack, FRAME_RESERVATION_GET, get->id, get->has_hotel, get->hotel_id);
	if (r != 0)
		return r;
	pack->request.flags = client_read_flags(&get->call);
	return client_pack_body(pack, &message.base);
}

/* Over all hotels the cursor's upper bits name the shard whose turn it is. */
#define CURSOR_SHARD_SHIFT 50u

/* To the hotel; over all of them to the shard that the cursor names. */
static int client_pack_list(struct client_pack *pack, enum frame_type type,
	const struct keyrack_call *call, uint64_t hotel_id, uint64_t cursor,
	const ProtobufCMessage *message)
{
	client_route_hotel(pack, type, hotel_id, CLIENT_RETRY_READ);
	if (hotel_id == 0) {
		pack->request.route = FRAME_ROUTE_SHARD;
		pack->request.routing_key = cursor >> CURSOR_SHARD_SHIFT;
	}
	pack->request.flags = client_read_flags(call);
	return client_pack_body(pack, message);
}

int client_encode_reservation_list(struct client_pack *pack, const void *request)
{
	const struct keyrack_reservation_list *list = request;
	Keyrack__ReservationListRequest message = KEYRACK__RESERVATION_LIST_REQUEST__INIT;
	if (!client_text_is_fit(list->external_ref))
		return -EINVAL;
	message.hotel_id = list->hotel_id;
	message.state_mask = list->state_mask;
	message.has_arrival = list->has_arrival;
	message.arrival_first_day = list->arrival_first_day;
	message.arrival_last_day = list->arrival_last_day;
	message.has_departure = list->has_departure;
	message.departure_first_day = list->departure_first_day;
	message.departure_last_day = list->departure_last_day;
	message.has_night = list->has_night;
	message.night_first_day = list->night_first_day;
	message.night_last_day = list->night_last_day;
	message.guest_hi = list->guest.hi;
	message.guest_lo = list->guest.lo;
	message.external_ref = client_text(list->external_ref);
	message.source = list->source;
	message.payment = list->payment;
	message.arrives_before_us = list->arrives_before_us;
	message.cursor = list->cursor;
	message.limit = list->limit;
	return client_pack_list(pack, FRAME_RESERVATION_LIST, &list->call, list->hotel_id,
		list->cursor, &message.base);
}

int client_encode_night_list(struct client_pack *pack, const void *request)
{
	const struct keyrack_night_list *list = request;
	Keyrack__NightListRequest message = KEYRACK__NIGHT_LIST_REQUEST__INIT;
	if (!client_array_is_fit(list->types, list->type_count))
		return -EINVAL;
	message.hotel_id = list->hotel_id;
	message.types = (uint32_t *)(uintptr_t)list->types;
	message.n_types = list->type_count;
	message.first_day = list->first_day;
	message.last_day = list->last_day;
	message.relative = list->relative;
	message.filter = list->filter;
	message.cursor = list->cursor;
	message.from_day = list->from_day;
	message.limit = list->limit;
	return client_pack_list(
		pack, FRAME_NIGHT_LIST, &list->call, list->hotel_id, list->cursor, &message.base);
}

int client_encode_denial_list(struct client_pack *pack, const void *request)
{
	const struct keyrack_denial_list *list = request;
	Keyrack__DenialListRequest message = KEYRACK__DENIAL_LIST_REQUEST__INIT;
	message.hotel_id = list->hotel_id;
	message.rule = list->rule;
	message.has_nights = list->has_nights;
	message.first_day = list->first_day;
	message.last_day = list->last_day;
	message.cursor = list->cursor;
	message.limit = list->limit;
	return client_pack_list(
		pack, FRAME_DENIAL_LIST, &list->call, list->hotel_id, list->cursor, &message.base);
}
