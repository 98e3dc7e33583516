#include "engine/shard/parse.h"

/* RESERVATION_LIST, PLAN_LIST, STOCK_LIST, NIGHT_LIST and DENIAL_LIST. Values beyond what there can
 * be are INVALID. */

#define STATE_MASK_MAX ((2u << INV_VOID) - 2u)
#define PAYMENT_MAX 2u

static void parse_days(
	struct shard_request *request, bool has, int32_t first, int32_t last, const char *field)
{
	kr_assert(field != NULL);
	if (has && (first > last || first < INV_DAY_MIN || last > INV_DAY_MAX))
		parse_invalid(request, field);
}

static void parse_reservation_list(struct shard *shard, struct shard_request *request,
	const Keyrack__ReservationListRequest *body)
{
	struct shard_scan_query *query = &request->u.scan;
	kr_assert(body->external_ref != NULL);
	kr_assert(query->cursor == 0);
	if (body->hotel_id != 0)
		parse_hotel_route(shard, request, body->hotel_id);
	else
		parse_shard_route(shard, request);
	parse_days(request, body->has_arrival, body->arrival_first_day, body->arrival_last_day,
		"arrival_first_day");
	parse_days(request, body->has_departure, body->departure_first_day,
		body->departure_last_day, "departure_first_day");
	parse_days(request, body->has_night, body->night_first_day, body->night_last_day,
		"night_first_day");
	if ((body->state_mask & ~STATE_MASK_MAX) != 0)
		parse_invalid(request, "state_mask");
	if (body->payment > PAYMENT_MAX)
		parse_invalid(request, "payment");
	if (body->limit > SHARD_LIST_MAX)
		parse_invalid(request, "limit");
	query->filter = (struct inv_reservation_filter){
		.hotel = {body->hotel_id},
		.state_mask = body->state_mask,
		.has_arrival = body->has_arrival,
		.has_departure = body->has_departure,
		.has_night = body->has_night,
		.arrival_first = body->arrival_first_day,
		.arrival_last = body->arrival_last_day,
		.departure_first = body->departure_first_day,
		.departure_last = body->departure_last_day,
		.night_first = body->night_first_day,
		.night_last = body->night_last_day,
		.guest = {.hi = body->guest_hi, .lo = body->guest_lo},
		.source = body->source,
		.payment = (uint8_t)(body->payment <= PAYMENT_MAX ? body->payment : 0),
		.arrives_before_us = body->arrives_before_us,
	};
	query->filter.external_ref = parse_valid_text(request, body->external_ref, "external_ref");
	query->cursor = body->cursor;
	query->limit = body->limit == 0 ? SHARD_LIST_MAX : body->limit;
}

static void parse_plan_list(
	struct shard *shard, struct shard_request *request, const Keyrack__PlanListRequest *body)
{
	kr_assert(body != NULL);
	kr_assert(request->u.plans.limit == 0);
	parse_hotel_route(shard, request, body->hotel_id);
	if (body->limit > SHARD_PLAN_LIST_MAX)
		parse_invalid(request, "limit");
	request->u.plans = (struct shard_plan_query){
		.from_type = (uint16_t)parse_max(request, body->from_type, UINT16_MAX, "from_type"),
		.from_plan = (uint16_t)parse_max(request, body->from_plan, UINT16_MAX, "from_plan"),
		.limit = body->limit == 0 ? SHARD_PLAN_LIST_MAX : body->limit,
	};
}

static void parse_stock_list(
	struct shard *shard, struct shard_request *request, const Keyrack__StockListRequest *body)
{
	kr_assert(body != NULL);
	kr_assert(request->u.stock.limit == 0);
	parse_hotel_route(shard, request, body->hotel_id);
	if (body->from_type > INV_TYPE_NUMBER_MAX)
		parse_invalid(request, "from_type");
	if (body->limit > SHARD_STOCK_LIST_MAX)
		parse_invalid(request, "limit");
	request->u.stock = (struct shard_stock_query){
		.from_type = (uint16_t)body->from_type,
		.from_day = body->from_day,
		.limit = body->limit == 0 ? SHARD_STOCK_LIST_MAX : body->limit,
	};
}

/* Of a hotel, or of all: then where the cursor is. */
static void parse_list_route(struct shard *shard, struct shard_request *request, uint64_t hotel)
{
	kr_assert(request->hotel.v == 0);
	if (hotel != 0)
		parse_hotel_route(shard, request, hotel);
	else
		parse_shard_route(shard, request);
}

/* NULL after a refusal: they are to be ascending. */
static const uint16_t *parse_night_types(
	struct shard *shard, struct shard_request *request, const Keyrack__NightListRequest *body)
{
	uint16_t *types = NULL;
	kr_assert(body->n_types == 0 || body->types != NULL);
	if (body->n_types > INV_HOTEL_TYPES_MAX || (body->n_types > 0 && body->hotel_id == 0))
		parse_invalid(request, "types");
	else
		types = KR_ARENA_ARRAY(&shard->arena.arena, uint16_t, body->n_types);
	if (types == NULL) {
		parse_invalid(request, "types");
		return NULL;
	}
	for (size_t i = 0; i < body->n_types; i++) {
		if (body->types[i] > INV_TYPE_NUMBER_MAX ||
			(i > 0 && body->types[i] <= body->types[i - 1]))
			parse_invalid(request, "types");
		types[i] = (uint16_t)body->types[i];
	}
	return types;
}

static void parse_night_list(
	struct shard *shard, struct shard_request *request, const Keyrack__NightListRequest *body)
{
	struct shard_night_query *query = &request->u.night_list;
	kr_assert(body != NULL);
	kr_assert(query->cursor == 0);
	parse_list_route(shard, request, body->hotel_id);
	parse_days(request, true, body->first_day, body->last_day, "first_day");
	if ((body->filter & ~INV_NIGHT_FILTER_MASK) != 0)
		parse_invalid(request, "filter");
	if (body->limit > SHARD_NIGHT_LIST_MAX)
		parse_invalid(request, "limit");
	*query = (struct shard_night_query){
		.nights = {.hotel = {body->hotel_id},
			.types = parse_night_types(shard, request, body),
			.type_count = (uint32_t)body->n_types,
			.is_relative = body->relative,
			.first_day = body->first_day,
			.last_day = body->last_day,
			.filter = body->filter},
		.cursor = body->cursor,
		.from_day = body->from_day,
		.limit = body->limit == 0 ? SHARD_NIGHT_LIST_MAX : body->limit,
	};
}

static void parse_denial_list(
	struct shard *shard, struct shard_request *request, const Keyrack__DenialListRequest *body)
{
	struct shard_denial_query *query = &request->u.denial_list;
	kr_assert(body != NULL);
	kr_assert(query->cursor == 0);
	parse_list_route(shard, request, body->hotel_id);
	parse_days(request, body->has_nights, body->first_day, body->last_day, "first_day");
	if (body->rule > UINT8_MAX)
		parse_invalid(request, "rule");
	if (body->limit > SHARD_DENIAL_LIST_MAX)
		parse_invalid(request, "limit");
	*query = (struct shard_denial_query){
		.denials = {.hotel = {body->hotel_id},
			.rule = (uint8_t)body->rule,
			.has_nights = body->has_nights,
			.first_day = body->first_day,
			.last_day = body->last_day},
		.cursor = body->cursor,
		.limit = body->limit == 0 ? SHARD_DENIAL_LIST_MAX : body->limit,
	};
}

bool parse_listing(struct shard *shard, struct shard_request *request, const void *message)
{
	kr_assert(message != NULL);
	kr_assert(request->code == 0);
	switch (request->frame->header->type) {
	case FRAME_RESERVATION_LIST:
		parse_reservation_list(shard, request, message);
		return true;
	case FRAME_PLAN_LIST:
		parse_plan_list(shard, request, message);
		return true;
	case FRAME_STOCK_LIST:
		parse_stock_list(shard, request, message);
		return true;
	case FRAME_NIGHT_LIST:
		parse_night_list(shard, request, message);
		return true;
	case FRAME_DENIAL_LIST:
		parse_denial_list(shard, request, message);
		return true;
	default:
		return false;
	}
}
