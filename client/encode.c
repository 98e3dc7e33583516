/* Requests of catalogue, inventory and operation. */
#include "client/encode.h"

#include <errno.h>
#include <string.h>

bool client_text_is_fit(const char *text)
{
	return text == NULL || strnlen(text, CLIENT_TEXT_SIZE_MAX + 1) <= CLIENT_TEXT_SIZE_MAX;
}

uint64_t client_actor(
	const struct client_pack *pack, const struct keyrack_origin *origin, uint32_t *ret_source)
{
	kr_assert(pack->client != NULL);
	*ret_source = origin->source != 0 ? origin->source : pack->client->source;
	return origin->actor != 0 ? origin->actor : pack->client->actor;
}

static void client_hotel_settings(
	const struct keyrack_hotel_settings *in, Keyrack__HotelSettings *ret)
{
	keyrack__hotel_settings__init(ret);
	ret->code = client_text(in->code);
	ret->zone = client_text(in->zone);
	ret->currency = client_text(in->currency);
	ret->currency_digits = in->currency_digits;
	ret->day_roll_minute = in->day_roll_minute;
	ret->check_in_minute = in->check_in_minute;
	ret->nights_max = in->nights_max;
	ret->hold_ttl_us = in->hold_ttl_us;
	ret->hold_ttl_max_us = in->hold_ttl_max_us;
	ret->hold_total_max_us = in->hold_total_max_us;
	ret->holds_max = in->holds_max;
	ret->guest_holds_max = in->guest_holds_max;
	ret->status = in->status;
}

int client_encode_hotel_put(struct client_pack *pack, const void *request)
{
	const struct keyrack_hotel_put *put = request;
	Keyrack__HotelSettings settings;
	Keyrack__HotelPutRequest message = KEYRACK__HOTEL_PUT_REQUEST__INIT;
	if (!client_text_is_fit(put->settings.code) || !client_text_is_fit(put->settings.zone) ||
		!client_text_is_fit(put->settings.currency) ||
		!client_text_is_fit(put->origin.reason))
		return -EINVAL;
	client_hotel_settings(&put->settings, &settings);
	message.hotel_id = put->hotel_id;
	message.mask = put->mask;
	message.settings = &settings;
	message.has_expected_version = put->has_expected_version;
	message.expected_ari_version = put->expected_version;
	message.actor = client_actor(pack, &put->origin, &message.source);
	message.reason = client_text(put->origin.reason);
	client_route_hotel(pack, FRAME_HOTEL_PUT, put->hotel_id, CLIENT_RETRY_TRANSIENT);
	return client_pack_body(pack, &message.base);
}

int client_encode_hotel_get(struct client_pack *pack, const void *request)
{
	const struct keyrack_hotel_get *get = request;
	Keyrack__HotelGetRequest message = KEYRACK__HOTEL_GET_REQUEST__INIT;
	message.hotel_id = get->hotel_id;
	client_route_hotel(pack, FRAME_HOTEL_GET, get->hotel_id, CLIENT_RETRY_READ);
	pack->request.flags = client_read_flags(&get->call);
	return client_pack_body(pack, &message.base);
}

static void client_type_settings(const struct keyrack_type_settings *in, Keyrack__TypeSettings *ret)
{
	keyrack__type_settings__init(ret);
	ret->code = client_text(in->code);
	ret->status = in->status;
	ret->physical = in->physical;
	ret->out_of_order = in->out_of_order;
	ret->allowance = in->allowance;
	ret->allowance_unit = in->allowance_unit;
	ret->cap = in->cap;
	ret->guests_max = in->guests_max;
	ret->plan_status = in->plan_status;
	ret->advance_min_minutes = in->advance_min_minutes;
	ret->advance_max_minutes = in->advance_max_minutes;
}

int client_encode_type_put(struct client_pack *pack, const void *request)
{
	const struct keyrack_type_put *put = request;
	Keyrack__TypeSettings settings;
	Keyrack__TypePutRequest message = KEYRACK__TYPE_PUT_REQUEST__INIT;
	if (!client_text_is_fit(put->settings.code) || !client_text_is_fit(put->origin.reason))
		return -EINVAL;
	client_type_settings(&put->settings, &settings);
	message.hotel_id = put->hotel_id;
	message.type = put->type;
	message.mask = put->mask;
	message.clear_mask = put->clear_mask;
	message.settings = &settings;
	message.has_expected_version = put->has_expected_version;
	message.expected_ari_version = put->expected_version;
	message.actor = client_actor(pack, &put->origin, &message.source);
	message.reason = client_text(put->origin.reason);
	client_route_hotel(pack, FRAME_TYPE_PUT, put->hotel_id, CLIENT_RETRY_TRANSIENT);
	return client_pack_body(pack, &message.base);
}

int client_encode_type_get(struct client_pack *pack, const void *request)
{
	const struct keyrack_type_get *get = request;
	Keyrack__TypeGetRequest message = KEYRACK__TYPE_GET_REQUEST__INIT;
	if (!client_array_is_fit(get->types, get->type_count))
		return -EINVAL;
	message.hotel_id = get->hotel_id;
	message.n_types = get->type_count;
	message.types = (uint32_t *)(uintptr_t)get->types;
	client_route_hotel(pack, FRAME_TYPE_GET, get->hotel_id, CLIENT_RETRY_READ);
	pack->request.flags = client_read_flags(&get->call);
	return client_pack_body(pack, &message.base);
}

/* The tiers are the caller's; only their number is bounded here. */
static void client_plan_settings(const struct keyrack_plan_settings *in, Keyrack__Tier *tiers,
	Keyrack__Tier **list, Keyrack__PlanSettings *ret)
{
	kr_assert(in->tier_count <= KEYRACK_TIER_COUNT_MAX);
	keyrack__plan_settings__init(ret);
	ret->code = client_text(in->code);
	ret->status = in->status;
	ret->advance_min_minutes = in->advance_min_minutes;
	ret->advance_max_minutes = in->advance_max_minutes;
	ret->parent = in->parent;
	ret->derivation = in->derivation;
	ret->adjustment = in->adjustment;
	for (uint32_t i = 0; i < in->tier_count; i++) {
		keyrack__tier__init(&tiers[i]);
		tiers[i].hours = in->tiers[i].hours;
		tiers[i].nights = in->tiers[i].nights;
		tiers[i].basis_points = in->tiers[i].basis_points;
		list[i] = &tiers[i];
	}
	ret->tiers = list;
	ret->n_tiers = in->tier_count;
}

int client_encode_plan_put(struct client_pack *pack, const void *request)
{
	const struct keyrack_plan_put *put = request;
	Keyrack__PlanSettings settings;
	Keyrack__Tier tiers[KEYRACK_TIER_COUNT_MAX];
	Keyrack__Tier *list[KEYRACK_TIER_COUNT_MAX];
	Keyrack__PlanPutRequest message = KEYRACK__PLAN_PUT_REQUEST__INIT;
	if (!client_text_is_fit(put->settings.code) || !client_text_is_fit(put->origin.reason) ||
		!client_array_is_fit(put->settings.tiers, put->settings.tier_count) ||
		put->settings.tier_count > KEYRACK_TIER_COUNT_MAX)
		return -EINVAL;
	client_plan_settings(&put->settings, tiers, list, &settings);
	message.hotel_id = put->hotel_id;
	message.type = put->type;
	message.plan = put->plan;
	message.mask = put->mask;
	message.settings = &settings;
	message.has_expected_version = put->has_expected_version;
	message.expected_ari_version = put->expected_version;
	message.actor = client_actor(pack, &put->origin, &message.source);
	message.reason = client_text(put->origin.reason);
	client_route_hotel(pack, FRAME_PLAN_PUT, put->hotel_id, CLIENT_RETRY_TRANSIENT);
	return client_pack_body(pack, &message.base);
}

int client_encode_plan_list(struct client_pack *pack, const void *request)
{
	const struct keyrack_plan_list *ask = request;
	Keyrack__PlanListRequest message = KEYRACK__PLAN_LIST_REQUEST__INIT;
	message.hotel_id = ask->hotel_id;
	message.from_type = ask->from_type;
	message.from_plan = ask->from_plan;
	message.limit = ask->limit;
	client_route_hotel(pack, FRAME_PLAN_LIST, ask->hotel_id, CLIENT_RETRY_READ);
	pack->request.flags = client_read_flags(&ask->call);
	return client_pack_body(pack, &message.base);
}

static void client_inventory_values(
	const struct keyrack_inventory_set *set, Keyrack__InventorySetRequest *ret)
{
	ret->physical = set->physical;
	ret->out_of_order = set->out_of_order;
	ret->allowance = set->allowance;
	ret->allowance_unit = set->allowance_unit;
	ret->cap = set->cap;
	ret->closed = set->closed;
	ret->cta = set->cta;
	ret->ctd = set->ctd;
	ret->price_minor = set->price_minor;
	ret->min_arrival = set->min_arrival;
	ret->max_arrival = set->max_arrival;
	ret->min_through = set->min_through;
	ret->max_through = set->max_through;
	ret->plan_closed = set->plan_closed;
	ret->plan_cta = set->plan_cta;
	ret->plan_ctd = set->plan_ctd;
	ret->available = set->available;
}

int client_encode_inventory_set(struct client_pack *pack, const void *request)
{
	const struct keyrack_inventory_set *set = request;
	Keyrack__InventorySetRequest message = KEYRACK__INVENTORY_SET_REQUEST__INIT;
	if (!client_text_is_fit(set->origin.reason) ||
		!client_array_is_fit(set->types, set->type_count))
		return -EINVAL;
	message.hotel_id = set->hotel_id;
	message.n_types = set->type_count;
	message.types = (uint32_t *)(uintptr_t)set->types;
	message.plan = set->plan;
	message.first_day = set->first_day;
	message.last_day = set->last_day;
	message.weekday_mask = set->weekday_mask != 0 ? set->weekday_mask : KEYRACK_WEEKDAYS_ALL;
	message.set_mask = set->set_mask;
	message.adjust_mask = set->adjust_mask;
	message.clear_mask = set->clear_mask;
	client_inventory_values(set, &message);
	message.source_seq = set->source_seq;
	message.has_expected_version = set->has_expected_version;
	message.expected_ari_version = set->expected_version;
	message.actor = client_actor(pack, &set->origin, &message.source);
	message.reason = client_text(set->origin.reason);
	uint8_t retry = CLIENT_RETRY_TRANSIENT;
	if (set->source_seq != 0)
		retry |= CLIENT_RETRY_UNKNOWN;
	/* With an expected version the repetition may be refused for what the first try did. */
	if (set->source_seq != 0 && !set->has_expected_version)
		retry |= CLIENT_RETRY_KEYED;
	client_route_hotel(pack, FRAME_INVENTORY_SET, set->hotel_id, retry);
	return client_pack_body(pack, &message.base);
}

int client_encode_stock_list(struct client_pack *pack, const void *request)
{
	const struct keyrack_stock_list *ask = request;
	Keyrack__StockListRequest message = KEYRACK__STOCK_LIST_REQUEST__INIT;
	message.hotel_id = ask->hotel_id;
	message.from_type = ask->from_type;
	message.from_day = ask->from_day;
	message.limit = ask->limit;
	client_route_hotel(pack, FRAME_STOCK_LIST, ask->hotel_id, CLIENT_RETRY_READ);
	pack->request.flags = client_read_flags(&ask->call);
	return client_pack_body(pack, &message.base);
}

int client_encode_availability(struct client_pack *pack, const void *request)
{
	const struct keyrack_availability *ask = request;
	Keyrack__AvailabilityRequest message = KEYRACK__AVAILABILITY_REQUEST__INIT;
	if (!client_array_is_fit(ask->types, ask->type_count))
		return -EINVAL;
	client_route_hotel(pack, FRAME_AVAILABILITY, ask->hotel_id, CLIENT_RETRY_READ);
	pack->request.flags = client_read_flags(&ask->call);
	if (KR_LIKELY(client_availability_is_plain(ask))) {
		client_pack_plain_availability(pack, ask);
		return 0;
	}
	message.hotel_id = ask->hotel_id;
	message.n_types = ask->type_count;
	message.types = (uint32_t *)(uintptr_t)ask->types;
	message.first_day = ask->first_day;
	message.night_count = ask->night_count;
	message.plan = ask->plan;
	return client_pack_body(pack, &message.base);
}

int client_encode_ping(struct client_pack *pack, const void *request)
{
	const struct keyrack_ping *ping = request;
	Keyrack__PingRequest message = KEYRACK__PING_REQUEST__INIT;
	if (!client_array_is_fit(ping->payload, ping->payload_size_bytes) ||
		ping->payload_size_bytes > CLIENT_PING_SIZE_MAX)
		return -EINVAL;
	message.payload.data = (uint8_t *)(uintptr_t)ping->payload;
	message.payload.len = ping->payload_size_bytes;
	pack->request.type = FRAME_PING;
	pack->request.route = ping->to_shard ? FRAME_ROUTE_SHARD : FRAME_ROUTE_ROUTER;
	pack->request.routing_key = ping->to_shard ? ping->shard : 0;
	pack->request.retry = CLIENT_RETRY_READ;
	return client_pack_body(pack, &message.base);
}

static void client_route_router(struct client_pack *pack, enum frame_type type)
{
	kr_assert(pack->request.routing_key == 0);
	pack->request.type = (uint8_t)type;
	pack->request.route = FRAME_ROUTE_ROUTER;
	pack->request.retry = CLIENT_RETRY_READ;
}

int client_encode_router_status(struct client_pack *pack, const void *request)
{
	Keyrack__RouterStatusRequest message = KEYRACK__ROUTER_STATUS_REQUEST__INIT;
	kr_assert(request != NULL);
	client_route_router(pack, FRAME_ROUTER_STATUS);
	return client_pack_body(pack, &message.base);
}

int client_encode_router_map(struct client_pack *pack, const void *request)
{
	Keyrack__RouterMapRequest message = KEYRACK__ROUTER_MAP_REQUEST__INIT;
	kr_assert(request != NULL);
	client_route_router(pack, FRAME_ROUTER_MAP);
	return client_pack_body(pack, &message.base);
}

int client_encode_router_connections(struct client_pack *pack, const void *request)
{
	const struct keyrack_router_connections *ask = request;
	Keyrack__RouterConnectionsRequest message = KEYRACK__ROUTER_CONNECTIONS_REQUEST__INIT;
	message.after = ask->after;
	message.limit = ask->limit != 0 ? ask->limit : 100;
	client_route_router(pack, FRAME_ROUTER_CONNECTIONS);
	return client_pack_body(pack, &message.base);
}
