#include "engine/shard/parse.h"

/* RESERVATION_LIST and STOCK_LIST. Values beyond what there can be are INVALID. */

#define STATE_MASK_MAX ((2u << INV_VOID) - 2u)
#define PAYMENT_MAX 2u

static void parse_days(
	struct shard_request *request, bool has, int32_t first, int32_t last, const char *field)
{
	kr_assert(field != NULL);
	if (has && (first > last || first < INV_DAY_MIN || last > INV_DAY_MAX))
		parse_invalid(request, field);
}

void parse_reservation_list(struct shard *shard, struct shard_request *request,
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
	};
	query->filter.external_ref = parse_text(request, body->external_ref, "external_ref");
	query->cursor = body->cursor;
	query->limit = body->limit == 0 ? SHARD_LIST_MAX : body->limit;
}

void parse_stock_list(
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
