#include <string.h>

#include "engine/shard/hot.h"
#include "engine/shard/parse.h"
#include "proto/access.h"
#include "proto/message.h"

/*
 * Frames into requests. Whatever is wrong with one is its own answer: `code` and `field` are set
 * and the others of the batch go on. Only the shape is checked here (widths, counts, routing);
 * what values mean is the inventory's.
 */

#define PARSE_TYPES_MAX INV_HOTEL_TYPES_MAX

static void parse_refuse(
	struct shard_request *request, uint16_t code, uint8_t rule, const char *field)
{
	kr_assert(code != 0);
	if (request->code != 0)
		return;
	request->code = code;
	request->rule = rule;
	request->field = field;
}

void parse_invalid(struct shard_request *request, const char *field)
{
	kr_assert(field != NULL);
	kr_assert(request->frame != NULL);
	parse_refuse(request, KEYRACK_INVALID, RULE_FIELD, field);
}

void parse_overloaded(struct shard_request *request)
{
	kr_assert(request->frame != NULL);
	parse_refuse(request, KEYRACK_OVERLOADED, 0, NULL);
}

uint64_t parse_max(struct shard_request *request, uint64_t value, uint64_t max, const char *field)
{
	kr_assert(max < UINT64_MAX);
	kr_assert(field != NULL);
	if (value <= max)
		return value;
	parse_invalid(request, field);
	return 0;
}

static uint16_t parse_u16(struct shard_request *request, uint64_t value, const char *field)
{
	return (uint16_t)parse_max(request, value, UINT16_MAX, field);
}

static uint8_t parse_u8(struct shard_request *request, uint64_t value, const char *field)
{
	return (uint8_t)parse_max(request, value, UINT8_MAX, field);
}

struct inv_text parse_text(struct shard_request *request, const char *text, const char *field)
{
	size_t size = strlen(text);
	kr_assert(text != NULL);
	kr_assert(field != NULL);
	if (size > INV_TEXT_SIZE_MAX) {
		parse_invalid(request, field);
		return (struct inv_text){0};
	}
	return (struct inv_text){.bytes = text, .size_bytes = (uint32_t)size};
}

struct inv_text parse_valid_text(struct shard_request *request, const char *text, const char *field)
{
	struct inv_text valid = parse_text(request, text, field);
	kr_assert(valid.size_bytes <= INV_TEXT_SIZE_MAX);
	if (valid.size_bytes == 0 || inv_text_is_valid(valid, INV_TEXT_SIZE_MAX))
		return valid;
	parse_invalid(request, field);
	return (struct inv_text){0};
}

struct inv_actor parse_actor_text(
	struct shard_request *request, uint64_t actor, uint32_t source, struct inv_text reason)
{
	kr_assert(reason.size_bytes <= INV_TEXT_SIZE_MAX);
	kr_assert(request->frame->header != NULL);
	if (source >= INV_SOURCE_RESERVED_FIRST)
		parse_invalid(request, "source");
	return (struct inv_actor){
		.actor = actor,
		.source = source,
		.principal = access_principal_read(request->frame->header),
		.reason = reason,
	};
}

struct inv_actor parse_actor(
	struct shard_request *request, uint64_t actor, uint32_t source, const char *reason)
{
	struct inv_text text = parse_valid_text(request, reason, "reason");
	kr_assert(text.size_bytes <= INV_TEXT_SIZE_MAX);
	return parse_actor_text(request, actor, source, text);
}

/* ---- routing ---- */

static void parse_slot(struct shard *shard, struct shard_request *request, uint64_t slot)
{
	kr_assert(request->slot == SLOT_COUNT);
	kr_assert(shard->config.shard_index < shard->map.shard_count);
	if (slot >= SLOT_COUNT)
		parse_invalid(request, "routing_key");
	else if (shard->map.shard_of[slot] != shard->config.shard_index)
		parse_refuse(request, KEYRACK_MOVED, 0, NULL);
	else
		request->slot = (uint32_t)slot;
}

/* A call about a hotel: the header must name the hotel that the body names. */
void parse_hotel_route(struct shard *shard, struct shard_request *request, uint64_t hotel)
{
	const struct frame_header *header = request->frame->header;
	kr_assert(request->hotel.v == 0);
	if (hotel == 0)
		parse_invalid(request, "hotel_id");
	else if (header->route != FRAME_ROUTE_HOTEL || header->routing_key != hotel)
		parse_invalid(request, "routing_key");
	else
		parse_slot(shard, request, slot_of_hotel((struct hotel_id){hotel}));
	request->hotel.v = hotel;
}

/* A call about a reservation: routed by its hotel if given, else by the slot in the id. */
static void parse_id_route(struct shard *shard, struct shard_request *request, struct kr_id id,
	bool has_hotel, uint64_t hotel)
{
	const struct frame_header *header = request->frame->header;
	kr_assert(header->type != 0);
	kr_assert(request->slot == SLOT_COUNT);
	if (has_hotel && header->route == FRAME_ROUTE_HOTEL) {
		parse_hotel_route(shard, request, hotel);
		return;
	}
	if (header->route != FRAME_ROUTE_SLOT) {
		parse_invalid(request, "routing_key");
		return;
	}
	parse_slot(shard, request, header->routing_key);
	if (has_hotel) {
		if (slot_of_hotel((struct hotel_id){hotel}) != header->routing_key)
			parse_invalid(request, "hotel_id");
		request->hotel.v = hotel;
	} else if (!reservation_id_is_native(id)) {
		parse_invalid(request, "hotel_id");
	} else if (reservation_id_slot(id) != header->routing_key) {
		parse_invalid(request, "routing_key");
	}
}

void parse_shard_route(struct shard *shard, struct shard_request *request)
{
	const struct frame_header *header = request->frame->header;
	kr_assert(request->hotel.v == 0);
	kr_assert(shard->config.shard_index < SHARD_COUNT_MAX);
	if (header->route != FRAME_ROUTE_SHARD)
		parse_invalid(request, "routing_key");
	else if (header->routing_key != shard->config.shard_index)
		parse_refuse(request, KEYRACK_MOVED, 0, NULL);
}

/* ---- lines ---- */

static void parse_runs(struct shard *shard, struct shard_request *request,
	const Keyrack__Line *body, struct inv_line *line)
{
	kr_assert(line->run_count == 0);
	kr_assert(body->n_run_nights + body->n_run_price_minor > 0);
	if (body->n_run_nights != body->n_run_price_minor ||
		body->n_run_nights > INV_STAY_NIGHTS_MAX) {
		parse_invalid(request, "run_nights");
		return;
	}
	struct inv_price_run *runs =
		KR_ARENA_ARRAY(&shard->arena.arena, struct inv_price_run, body->n_run_nights);
	if (runs == NULL) {
		parse_refuse(request, KEYRACK_OVERLOADED, 0, NULL);
		return;
	}
	for (size_t i = 0; i < body->n_run_nights; i++) {
		runs[i].nights = parse_u16(request, body->run_nights[i], "run_nights");
		runs[i].price_minor = parse_max(
			request, body->run_price_minor[i], RATE_PRICE_MAX, "run_price_minor");
	}
	line->runs = runs;
	line->run_count = (uint16_t)body->n_run_nights;
}

static void parse_line(struct shard *shard, struct shard_request *request,
	const Keyrack__Line *body, struct inv_line *line)
{
	kr_assert(body != NULL);
	kr_assert(line->runs == NULL);
	line->type = parse_u16(request, body->type, "type");
	line->plan = parse_u16(request, body->plan, "plan");
	line->check_in = body->check_in;
	line->check_out = body->check_out;
	line->rooms = parse_u16(request, body->rooms, "rooms");
	line->guests = parse_u16(request, body->guests, "guests");
	line->pricing = parse_u8(request, body->pricing, "pricing");
	if (line->pricing > INV_PRICE_NONE)
		parse_invalid(request, "pricing");
	line->keeps = (uint8_t)parse_max(request, body->keeps,
		request->frame->header->type == FRAME_MODIFY ? INV_LINES_MAX : 0, "keeps");
	/* terms are the plan's to say, but of what was sold elsewhere */
	if (request->frame->header->type == FRAME_IMPORT)
		parse_terms(shard, request, body, line);
	else if (body->n_tiers > 0 || body->arrival_us != 0)
		parse_invalid(request, body->n_tiers > 0 ? "tiers" : "arrival_us");
	if (body->n_run_nights + body->n_run_price_minor > 0)
		parse_runs(shard, request, body, line);
}

const struct inv_line *parse_lines(
	struct shard *shard, struct shard_request *request, Keyrack__Line **bodies, size_t count)
{
	kr_assert(bodies != NULL || count == 0);
	kr_assert(request->frame->header->type != 0);
	if (count > INV_LINES_MAX) {
		parse_invalid(request, "lines");
		return NULL;
	}
	struct inv_line *lines = KR_ARENA_ARRAY(&shard->arena.arena, struct inv_line, count);
	if (lines == NULL) {
		parse_refuse(request, KEYRACK_OVERLOADED, 0, NULL);
		return NULL;
	}
	for (size_t i = 0; i < count; i++)
		parse_line(shard, request, bodies[i], &lines[i]);
	return lines;
}

static const uint16_t *parse_types(
	struct shard *shard, struct shard_request *request, const uint32_t *types, size_t count)
{
	kr_assert(types != NULL || count == 0);
	kr_assert(request->frame->header->type != 0);
	if (count > PARSE_TYPES_MAX) {
		parse_invalid(request, "types");
		return NULL;
	}
	uint16_t *list = KR_ARENA_ARRAY(&shard->arena.arena, uint16_t, count);
	if (list == NULL) {
		parse_refuse(request, KEYRACK_OVERLOADED, 0, NULL);
		return NULL;
	}
	for (size_t i = 0; i < count; i++)
		list[i] = parse_u16(request, types[i], "types");
	return list;
}

/* ---- bodies, one function a message ---- */

bool parse_force(struct shard_request *request, bool force)
{
	const struct frame_header *header = request->frame->header;
	kr_assert(header->type != 0);
	if (force && !access_may_force(access_principal_read(header)))
		parse_refuse(request, KEYRACK_FORBIDDEN, RULE_FIELD, "force");
	return force;
}

/* What both ways of reading a HOLD or BOOK end in; the lines are in op already. */
static void parse_reserve_op(
	struct shard *shard, struct shard_request *request, const struct hot_reserve *body)
{
	struct inv_reserve_op *op = &request->u.reserve;
	op->id = (struct kr_id){.hi = body->id_hi, .lo = body->id_lo};
	parse_hotel_route(shard, request, body->hotel_id);
	/* Parsing has the hotel's slot; a foreign one was refused already. */
	if (reservation_id_is_native(op->id) && request->slot != SLOT_COUNT &&
		reservation_id_slot(op->id) != request->slot)
		parse_invalid(request, "id");
	op->hotel = request->hotel;
	op->book = request->frame->header->type == FRAME_BOOK;
	op->ttl_us = body->ttl_us;
	op->has_expected_total = body->has_expected_total;
	op->expected_total_minor = body->expected_total_minor;
	op->guest = (struct inv_guest_id){.hi = body->guest_hi, .lo = body->guest_lo};
	op->external_ref = body->external_ref;
	op->payment_ref = body->payment_ref;
	op->actor = parse_actor_text(request, body->actor, body->source, body->reason);
	if (request->code == 0)
		op->fingerprint = inv_reserve_fingerprint(op);
}

static void parse_reserve(
	struct shard *shard, struct shard_request *request, const Keyrack__ReserveRequest *body)
{
	struct inv_reserve_op *op = &request->u.reserve;
	struct hot_reserve hot = {
		.hotel_id = body->hotel_id,
		.id_hi = body->id_hi,
		.id_lo = body->id_lo,
		.ttl_us = body->ttl_us,
		.has_expected_total = body->has_expected_total,
		.expected_total_minor = body->expected_total_minor,
		.guest_hi = body->guest_hi,
		.guest_lo = body->guest_lo,
		.actor = body->actor,
		.source = body->source,
	};
	kr_assert(body->n_lines == 0 || body->lines != NULL);
	kr_assert(op->lines == NULL);
	hot.external_ref = parse_text(request, body->external_ref, "external_ref");
	hot.payment_ref = parse_text(request, body->payment_ref, "payment_ref");
	hot.reason = parse_text(request, body->reason, "reason");
	op->lines = parse_lines(shard, request, body->lines, body->n_lines);
	op->line_count = op->lines == NULL ? 0 : (uint32_t)body->n_lines;
	op->reacquires = (struct kr_id){.hi = body->reacquires_hi, .lo = body->reacquires_lo};
	op->replaces = (struct kr_id){.hi = body->replaces_hi, .lo = body->replaces_lo};
	op->force = parse_force(request, body->force);
	parse_reserve_op(shard, request, &hot);
}

/* False: the long way. */
static bool parse_reserve_hot(
	struct shard *shard, struct shard_request *request, const struct shard_frame *frame)
{
	struct inv_reserve_op *op = &request->u.reserve;
	struct hot_reserve hot;
	kr_assert(frame == request->frame);
	kr_assert(op->lines == NULL);
	if (!hot_reserve_read(frame->body, frame->header->body_size_bytes, &hot))
		return false;
	struct inv_line *lines =
		KR_ARENA_ARRAY(&shard->arena.arena, struct inv_line, hot.line_count);
	if (lines == NULL)
		return false;
	memcpy(lines, hot.lines, hot.line_count * sizeof(*lines));
	op->lines = lines;
	op->line_count = hot.line_count;
	parse_reserve_op(shard, request, &hot);
	kr_assert(op->line_count <= INV_LINES_MAX);
	return true;
}

enum inv_transition shard_transition_of(unsigned type)
{
	static const uint8_t transitions[] = {
		[FRAME_CONFIRM] = INV_CONFIRM,
		[FRAME_RELEASE] = INV_RELEASE,
		[FRAME_CANCEL] = INV_CANCEL,
		[FRAME_RESOLVE] = INV_RESOLVE,
		[FRAME_EXTEND] = INV_EXTEND,
		[FRAME_ATTACH_PAYMENT] = INV_ATTACH_PAYMENT,
		[FRAME_CHECK_IN] = INV_CHECK_IN,
		[FRAME_COMPLETE] = INV_COMPLETE,
		[FRAME_NO_SHOW] = INV_MARK_NO_SHOW,
		[FRAME_MODIFY] = INV_MODIFY,
	};
	kr_assert(type <= UINT8_MAX);
	return type < KR_ARRAY_COUNT(transitions) ? (enum inv_transition)transitions[type] : 0;
}

static void parse_transition_op(
	struct shard *shard, struct shard_request *request, const struct hot_transition *body)
{
	struct inv_transition_op *op = &request->u.transition;
	op->transition = shard_transition_of(request->frame->header->type);
	op->id = (struct kr_id){.hi = body->id_hi, .lo = body->id_lo};
	parse_id_route(shard, request, op->id, body->has_hotel, body->hotel_id);
	op->has_hotel = body->has_hotel;
	op->hotel.v = body->has_hotel ? body->hotel_id : 0;
	op->has_expected_revision = body->has_expected_revision;
	op->expected_revision = body->expected_revision;
	op->any = body->any;
	op->payment_ref = body->payment_ref;
	op->actor = parse_actor_text(request, body->actor, body->source, body->reason);
	kr_assert(op->transition != 0);
}

static void parse_transition(
	struct shard *shard, struct shard_request *request, const Keyrack__TransitionRequest *body)
{
	struct hot_transition hot = {
		.id_hi = body->id_hi,
		.id_lo = body->id_lo,
		.has_hotel = body->has_hotel,
		.hotel_id = body->hotel_id,
		.has_expected_revision = body->has_expected_revision,
		.expected_revision = body->expected_revision,
		.any = body->any,
		.actor = body->actor,
		.source = body->source,
	};
	kr_assert(body->payment_ref != NULL);
	kr_assert(body->reason != NULL);
	hot.payment_ref = parse_text(request, body->payment_ref, "payment_ref");
	hot.reason = parse_text(request, body->reason, "reason");
	parse_transition_op(shard, request, &hot);
	struct inv_transition_op *op = &request->u.transition;
	op->change_id = body->change_id;
	op->expires_at_us = body->expires_at_us;
	op->lines = parse_lines(shard, request, body->lines, body->n_lines);
	op->line_count = op->lines == NULL ? 0 : (uint32_t)body->n_lines;
	op->has_expected_total = body->has_expected_total;
	op->expected_total_minor = body->expected_total_minor;
	op->force = parse_force(request, body->force);
}

static bool parse_transition_hot(
	struct shard *shard, struct shard_request *request, const struct shard_frame *frame)
{
	struct hot_transition hot;
	kr_assert(frame->body != NULL || frame->header->body_size_bytes == 0);
	if (!hot_transition_read(frame->body, frame->header->body_size_bytes, &hot))
		return false;
	parse_transition_op(shard, request, &hot);
	return true;
}

static void parse_hotel_put(
	struct shard *shard, struct shard_request *request, const Keyrack__HotelPutRequest *body)
{
	struct inv_hotel_op *op = &request->u.hotel_put;
	const Keyrack__HotelSettings none = KEYRACK__HOTEL_SETTINGS__INIT;
	const Keyrack__HotelSettings *s = body->settings != NULL ? body->settings : &none;
	kr_assert(s->zone != NULL);
	kr_assert(op->settings.currency[3] == 0);
	parse_hotel_route(shard, request, body->hotel_id);
	op->hotel = request->hotel;
	op->mask = (uint32_t)parse_max(request, body->mask, INV_HOTEL_MASK, "mask");
	op->settings.code = parse_text(request, s->code, "code");
	op->settings.zone = parse_text(request, s->zone, "zone");
	if (strlen(s->currency) == 3)
		memcpy(op->settings.currency, s->currency, 3);
	else if (body->mask & INV_HOTEL_CURRENCY)
		parse_invalid(request, "currency");
	op->settings.currency_digits = parse_u8(request, s->currency_digits, "currency_digits");
	op->settings.day_roll_minute = parse_u16(request, s->day_roll_minute, "day_roll_minute");
	op->settings.check_in_minute = parse_u16(request, s->check_in_minute, "check_in_minute");
	op->settings.nights_max = parse_u16(request, s->nights_max, "nights_max");
	op->settings.hold_ttl_us = s->hold_ttl_us;
	op->settings.hold_ttl_max_us = s->hold_ttl_max_us;
	op->settings.hold_total_max_us = s->hold_total_max_us;
	op->settings.holds_max = s->holds_max;
	op->settings.guest_holds_max = s->guest_holds_max;
	op->settings.status = parse_u8(request, s->status, "status");
	op->has_expected_version = body->has_expected_version;
	op->expected_ari_version = body->expected_ari_version;
	op->actor = parse_actor(request, body->actor, body->source, body->reason);
}

static void parse_type_settings(struct shard_request *request, const Keyrack__TypeSettings *s,
	struct inv_type_settings *settings)
{
	kr_assert(s->code != NULL);
	kr_assert(settings != NULL);
	settings->code = parse_text(request, s->code, "code");
	settings->status = parse_u8(request, s->status, "status");
	settings->plan_status = parse_u8(request, s->plan_status, "plan_status");
	settings->allowance_unit = parse_u8(request, s->allowance_unit, "allowance_unit");
	settings->physical = parse_u16(request, s->physical, "physical");
	settings->out_of_order = parse_u16(request, s->out_of_order, "out_of_order");
	settings->allowance = s->allowance;
	if (s->cap < CELL_LIMIT_MIN || s->cap > CELL_LIMIT_MAX)
		parse_invalid(request, "cap");
	settings->cap = (int16_t)s->cap;
	settings->guests_max = parse_u16(request, s->guests_max, "guests_max");
	settings->advance_min_minutes = s->advance_min_minutes;
	settings->advance_max_minutes = s->advance_max_minutes;
}

static void parse_type_put(
	struct shard *shard, struct shard_request *request, const Keyrack__TypePutRequest *body)
{
	struct inv_type_op *op = &request->u.type_put;
	const Keyrack__TypeSettings none = KEYRACK__TYPE_SETTINGS__INIT;
	kr_assert(body->reason != NULL);
	kr_assert(op->mask == 0);
	parse_hotel_route(shard, request, body->hotel_id);
	op->hotel = request->hotel;
	op->type = (uint16_t)parse_max(request, body->type, INV_TYPE_NUMBER_MAX, "type");
	op->mask = (uint32_t)parse_max(request, body->mask, INV_TYPE_MASK, "mask");
	op->clear_mask =
		(uint32_t)parse_max(request, body->clear_mask, INV_TYPE_MASK, "clear_mask");
	parse_type_settings(
		request, body->settings != NULL ? body->settings : &none, &op->settings);
	op->has_expected_version = body->has_expected_version;
	op->expected_ari_version = body->expected_ari_version;
	op->actor = parse_actor(request, body->actor, body->source, body->reason);
}

/* "Maxima over 65,534 are none": the widest value that a field can ask for is no limit at all. */
static uint16_t parse_los_max(uint32_t nights)
{
	return nights > 65534 ? 0 : (uint16_t)nights;
}

static void parse_update_values(struct shard_request *request,
	const Keyrack__InventorySetRequest *body, struct inv_update *u)
{
	kr_assert(body != NULL);
	kr_assert(u->source == 0);
	u->physical = body->physical;
	u->out_of_order = body->out_of_order;
	u->allowance = body->allowance;
	u->allowance_unit = parse_u8(request, body->allowance_unit, "allowance_unit");
	u->cap = body->cap;
	u->price_minor = body->price_minor;
	u->available = body->available;
	u->closed = body->closed;
	u->cta = body->cta;
	u->ctd = body->ctd;
	u->plan_closed = body->plan_closed;
	u->plan_cta = body->plan_cta;
	u->plan_ctd = body->plan_ctd;
	u->los.min_arrival = parse_u16(request, body->min_arrival, "min_arrival");
	u->los.max_arrival = parse_los_max(body->max_arrival);
	u->los.min_through = parse_u16(request, body->min_through, "min_through");
	u->los.max_through = parse_los_max(body->max_through);
}

static void parse_update(struct shard *shard, struct shard_request *request,
	const Keyrack__InventorySetRequest *body)
{
	struct inv_update_op *op = &request->u.update;
	struct inv_update *u = &op->update;
	kr_assert(body->n_types == 0 || body->types != NULL);
	kr_assert(u->set_mask == 0);
	parse_hotel_route(shard, request, body->hotel_id);
	op->hotel = request->hotel;
	op->types = parse_types(shard, request, body->types, body->n_types);
	op->type_count = (uint32_t)body->n_types;
	u->plan = parse_u16(request, body->plan, "plan");
	u->first_day = body->first_day;
	u->last_day = body->last_day;
	u->weekday_mask = parse_u8(request, body->weekday_mask, "weekday_mask");
	u->set_mask = (uint32_t)parse_max(request, body->set_mask, INV_UPDATE_MASK, "set_mask");
	u->adjust_mask =
		(uint32_t)parse_max(request, body->adjust_mask, INV_UPDATE_MASK, "adjust_mask");
	u->clear_mask =
		(uint32_t)parse_max(request, body->clear_mask, INV_UPDATE_MASK, "clear_mask");
	parse_update_values(request, body, u);
	u->source = body->source;
	u->source_seq = body->source_seq;
	op->has_expected_version = body->has_expected_version;
	op->expected_ari_version = body->expected_ari_version;
	op->actor = parse_actor(request, body->actor, body->source, body->reason);
}

static void parse_availability(struct shard *shard, struct shard_request *request,
	const Keyrack__AvailabilityRequest *body)
{
	struct shard_nights_query *query = &request->u.nights;
	kr_assert(body->n_types == 0 || body->types != NULL);
	kr_assert(query->types == NULL);
	parse_hotel_route(shard, request, body->hotel_id);
	query->hotel = request->hotel;
	query->types = parse_types(shard, request, body->types, body->n_types);
	query->type_count = (uint32_t)body->n_types;
	query->plan = (uint16_t)parse_max(request, body->plan, INV_PLAN_NUMBER_MAX, "plan");
	query->first_day = body->first_day;
	query->night_count = body->night_count;
}

static bool parse_availability_hot(
	struct shard *shard, struct shard_request *request, const struct shard_frame *frame)
{
	struct shard_nights_query *query = &request->u.nights;
	struct hot_availability hot;
	kr_assert(frame == request->frame);
	kr_assert(query->types == NULL);
	if (!hot_availability_read(frame->body, frame->header->body_size_bytes, &hot))
		return false;
	uint16_t *types = KR_ARENA_ARRAY(&shard->arena.arena, uint16_t, hot.type_count);
	if (types == NULL)
		return false;
	memcpy(types, hot.types, hot.type_count * sizeof(*types));
	parse_hotel_route(shard, request, hot.hotel_id);
	*query = (struct shard_nights_query){
		.hotel = request->hotel,
		.types = types,
		.type_count = hot.type_count,
		.plan = hot.plan,
		.first_day = hot.first_day,
		.night_count = hot.night_count,
	};
	kr_assert(query->type_count <= INV_HOTEL_TYPES_MAX);
	return true;
}

static void parse_stay(
	struct shard *shard, struct shard_request *request, const Keyrack__StayRequest *body)
{
	struct shard_stay_query *query = &request->u.stay;
	kr_assert(body->n_lines == 0 || body->lines != NULL);
	kr_assert(query->op.lines == NULL);
	parse_hotel_route(shard, request, body->hotel_id);
	query->op.hotel = request->hotel;
	query->op.lines = parse_lines(shard, request, body->lines, body->n_lines);
	query->op.line_count = (uint32_t)body->n_lines;
	query->op.has_expected_total = body->has_expected_total;
	query->op.expected_total_minor = body->expected_total_minor;
	query->explain = body->explain;
}

static void parse_get(struct shard *shard, struct shard_request *request,
	const Keyrack__ReservationGetRequest *body)
{
	struct shard_id_query *query = &request->u.get;
	kr_assert(body != NULL);
	kr_assert(kr_id_is_zero(query->id) || query->has_hotel == (bool)body->has_hotel);
	query->id = (struct kr_id){.hi = body->id_hi, .lo = body->id_lo};
	parse_id_route(shard, request, query->id, body->has_hotel, body->hotel_id);
	query->has_hotel = body->has_hotel;
	query->hotel.v = body->has_hotel ? body->hotel_id : 0;
}

static void parse_type_get(
	struct shard *shard, struct shard_request *request, const Keyrack__TypeGetRequest *body)
{
	struct shard_nights_query *query = &request->u.nights;
	kr_assert(body->n_types == 0 || body->types != NULL);
	kr_assert(query->types == NULL);
	parse_hotel_route(shard, request, body->hotel_id);
	query->hotel = request->hotel;
	query->types = parse_types(shard, request, body->types, body->n_types);
	query->type_count = (uint32_t)body->n_types;
}

static void parse_list(
	struct shard *shard, struct shard_request *request, const Keyrack__HotelListRequest *body)
{
	kr_assert(body != NULL);
	kr_assert(request->u.list.limit == 0);
	parse_shard_route(shard, request);
	request->u.list = (struct shard_list_query){
		.from_start = body->from_start,
		.after = {body->after},
		.limit = body->limit,
	};
}

static void parse_ping(struct shard_request *request, const Keyrack__PingRequest *body)
{
	kr_assert(body->payload.data != NULL || body->payload.len == 0);
	kr_assert(request->u.ping.bytes == NULL);
	if (body->payload.len > SHARD_PING_SIZE_MAX)
		parse_invalid(request, "payload");
	request->u.ping.bytes = body->payload.data;
	request->u.ping.size_bytes = body->payload.len;
}

static void parse_body(
	struct shard *shard, struct shard_request *request, const ProtobufCMessage *body)
{
	const void *message = body;
	kr_assert(message != NULL);
	kr_assert(request->code == 0);
	if (shard_transition_of(request->frame->header->type) != 0) {
		parse_transition(shard, request, message);
		return;
	}
	if (parse_listing(shard, request, message))
		return;
	switch (request->frame->header->type) {
	case FRAME_HOLD:
	case FRAME_BOOK:
		parse_reserve(shard, request, message);
		break;
	case FRAME_IMPORT:
		parse_import(shard, request, message);
		break;
	case FRAME_HOTEL_PUT:
		parse_hotel_put(shard, request, message);
		break;
	case FRAME_HOTEL_GET:
		parse_hotel_route(
			shard, request, ((const Keyrack__HotelGetRequest *)message)->hotel_id);
		break;
	case FRAME_HOTEL_LIST:
		parse_list(shard, request, message);
		break;
	case FRAME_TYPE_PUT:
		parse_type_put(shard, request, message);
		break;
	case FRAME_PLAN_PUT:
		parse_plan_put(shard, request, message);
		break;
	case FRAME_TYPE_GET:
		parse_type_get(shard, request, message);
		break;
	case FRAME_INVENTORY_SET:
		parse_update(shard, request, message);
		break;
	case FRAME_AVAILABILITY:
		parse_availability(shard, request, message);
		break;
	case FRAME_STAY:
		parse_stay(shard, request, message);
		break;
	case FRAME_RESERVATION_GET:
		parse_get(shard, request, message);
		break;
	case FRAME_PING:
		parse_ping(request, message);
		break;
	case FRAME_SNAPSHOT:
		parse_shard_route(shard, request);
		break;
	case FRAME_STATS:
		parse_shard_route(shard, request);
		request->u.wants_denials = ((const Keyrack__StatsRequest *)message)->denials;
		break;
	case FRAME_HELLO:
		break;
	default: /* the router's own, and REJECT */
		parse_invalid(request, "type");
	}
}

/* What nearly all requests are, if they are written as usual. */
static bool parse_hot(
	struct shard *shard, struct shard_request *request, const struct shard_frame *frame)
{
	if (shard_transition_of(frame->header->type) != 0)
		return parse_transition_hot(shard, request, frame);
	switch (frame->header->type) {
	case FRAME_HOLD:
	case FRAME_BOOK:
		return parse_reserve_hot(shard, request, frame);
	case FRAME_AVAILABILITY:
		return parse_availability_hot(shard, request, frame);
	default:
		kr_assert(frame->header->type != 0);
		return false;
	}
}

void shard_request_parse(
	struct shard *shard, const struct shard_frame *frame, struct shard_request *ret_request)
{
	const struct frame_header *header = frame->header;
	ProtobufCMessage *message;
	kr_assert(header->body_size_bytes <= FRAME_BODY_SIZE_MAX);
	kr_assert(frame->received_us <= shard->boot_us);
	memset(ret_request, 0, sizeof(*ret_request));
	ret_request->frame = frame;
	ret_request->slot = SLOT_COUNT;
	if (shard->boot_us - frame->received_us >= header->remaining_us) {
		ret_request->is_dropped = true;
		return;
	}
	if (!shard->config.is_long_way && parse_hot(shard, ret_request, frame))
		return;
	const ProtobufCMessageDescriptor *descriptor = message_of_request(header->type);
	if (descriptor == NULL) {
		parse_invalid(ret_request, "type");
		return;
	}
	int r = message_unpack(
		descriptor, frame->body, header->body_size_bytes, &shard->arena, &message);
	if (r == 0)
		parse_body(shard, ret_request, message);
	else
		parse_invalid(ret_request, "body");
}
