#include "proto/message.h"

#include <stdbool.h>

#include "proto/keyrack.pb-c.h"
#include "proto/message_wire.h"

/* Generated names are spelled otherwise than the table of frame types spells its messages. */
#define DESCRIPTOR_HelloRequest keyrack__hello_request__descriptor
#define DESCRIPTOR_HelloAnswer keyrack__hello_answer__descriptor
#define DESCRIPTOR_PingRequest keyrack__ping_request__descriptor
#define DESCRIPTOR_PingAnswer keyrack__ping_answer__descriptor
#define DESCRIPTOR_RejectNotice keyrack__reject_notice__descriptor
#define DESCRIPTOR_AuthRequest keyrack__auth_request__descriptor
#define DESCRIPTOR_AuthAnswer keyrack__auth_answer__descriptor
#define DESCRIPTOR_HotelPutRequest keyrack__hotel_put_request__descriptor
#define DESCRIPTOR_HotelAnswer keyrack__hotel_answer__descriptor
#define DESCRIPTOR_HotelGetRequest keyrack__hotel_get_request__descriptor
#define DESCRIPTOR_HotelListRequest keyrack__hotel_list_request__descriptor
#define DESCRIPTOR_HotelListAnswer keyrack__hotel_list_answer__descriptor
#define DESCRIPTOR_TypePutRequest keyrack__type_put_request__descriptor
#define DESCRIPTOR_TypeAnswer keyrack__type_answer__descriptor
#define DESCRIPTOR_TypeGetRequest keyrack__type_get_request__descriptor
#define DESCRIPTOR_TypeListAnswer keyrack__type_list_answer__descriptor
#define DESCRIPTOR_PlanPutRequest keyrack__plan_put_request__descriptor
#define DESCRIPTOR_PlanAnswer keyrack__plan_answer__descriptor
#define DESCRIPTOR_PlanListRequest keyrack__plan_list_request__descriptor
#define DESCRIPTOR_PlanListAnswer keyrack__plan_list_answer__descriptor
#define DESCRIPTOR_InventorySetRequest keyrack__inventory_set_request__descriptor
#define DESCRIPTOR_InventorySetAnswer keyrack__inventory_set_answer__descriptor
#define DESCRIPTOR_StockListRequest keyrack__stock_list_request__descriptor
#define DESCRIPTOR_StockListAnswer keyrack__stock_list_answer__descriptor
#define DESCRIPTOR_NightListRequest keyrack__night_list_request__descriptor
#define DESCRIPTOR_NightListAnswer keyrack__night_list_answer__descriptor
#define DESCRIPTOR_DenialListRequest keyrack__denial_list_request__descriptor
#define DESCRIPTOR_DenialListAnswer keyrack__denial_list_answer__descriptor
#define DESCRIPTOR_AvailabilityRequest keyrack__availability_request__descriptor
#define DESCRIPTOR_AvailabilityAnswer keyrack__availability_answer__descriptor
#define DESCRIPTOR_StayRequest keyrack__stay_request__descriptor
#define DESCRIPTOR_StayAnswer keyrack__stay_answer__descriptor
#define DESCRIPTOR_ReserveRequest keyrack__reserve_request__descriptor
#define DESCRIPTOR_ReservationAnswer keyrack__reservation_answer__descriptor
#define DESCRIPTOR_TransitionRequest keyrack__transition_request__descriptor
#define DESCRIPTOR_ReservationGetRequest keyrack__reservation_get_request__descriptor
#define DESCRIPTOR_ImportRequest keyrack__import_request__descriptor
#define DESCRIPTOR_ReservationListRequest keyrack__reservation_list_request__descriptor
#define DESCRIPTOR_ReservationGetAnswer keyrack__reservation_get_answer__descriptor
#define DESCRIPTOR_ReservationListAnswer keyrack__reservation_list_answer__descriptor
#define DESCRIPTOR_SnapshotRequest keyrack__snapshot_request__descriptor
#define DESCRIPTOR_SnapshotAnswer keyrack__snapshot_answer__descriptor
#define DESCRIPTOR_StatsRequest keyrack__stats_request__descriptor
#define DESCRIPTOR_StatsAnswer keyrack__stats_answer__descriptor
#define DESCRIPTOR_RouterStatusRequest keyrack__router_status_request__descriptor
#define DESCRIPTOR_RouterStatusAnswer keyrack__router_status_answer__descriptor
#define DESCRIPTOR_RouterMapRequest keyrack__router_map_request__descriptor
#define DESCRIPTOR_RouterMapAnswer keyrack__router_map_answer__descriptor
#define DESCRIPTOR_RouterConnectionsRequest keyrack__router_connections_request__descriptor
#define DESCRIPTOR_RouterConnectionsAnswer keyrack__router_connections_answer__descriptor

struct message_walk {
	const uint8_t *at;
	uint32_t field_count; /* so far, at all depths */
	uint32_t depth;
};

const ProtobufCMessageDescriptor *message_of_request(unsigned type)
{
	switch (type) {
#define X(number, name, request, answer)                                                           \
	case number:                                                                               \
		return &DESCRIPTOR_##request;
		FRAME_TYPE_TABLE(X)
#undef X
	default:
		return NULL;
	}
}

const ProtobufCMessageDescriptor *message_of_answer(unsigned type)
{
	switch (type) {
#define X(number, name, request, answer)                                                           \
	case number:                                                                               \
		return &DESCRIPTOR_##answer;
		FRAME_TYPE_TABLE(X)
#undef X
	default:
		return NULL;
	}
}

static bool message_varint(struct message_walk *walk, const uint8_t *end, uint64_t *ret_value)
{
	kr_assert(walk->at <= end);
	const uint8_t *at = wire_varint_read(walk->at, end, ret_value);
	if (at == NULL)
		return false;
	walk->at = at;
	return true;
}

static bool message_skip(struct message_walk *walk, const uint8_t *end, uint64_t size_bytes)
{
	kr_assert(walk->at <= end);
	if (size_bytes > (uint64_t)(end - walk->at))
		return false;
	walk->at += size_bytes;
	return true;
}

static int message_fields(struct message_walk *walk, const uint8_t *end,
	const ProtobufCMessageDescriptor *descriptor);

/* A sized value: bytes, text, packed scalars, or a message to be walked in its turn. */
static int message_sized(struct message_walk *walk, const uint8_t *end,
	const ProtobufCMessageDescriptor *descriptor, uint32_t number)
{
	uint64_t size_bytes;
	if (!message_varint(walk, end, &size_bytes) || size_bytes > (uint64_t)(end - walk->at))
		return MESSAGE_MALFORMED;
	const ProtobufCFieldDescriptor *field =
		protobuf_c_message_descriptor_get_field(descriptor, number);
	if (field == NULL || field->type != PROTOBUF_C_TYPE_MESSAGE)
		return message_skip(walk, end, size_bytes) ? 0 : MESSAGE_MALFORMED;
	if (walk->depth == MESSAGE_DEPTH_MAX)
		return MESSAGE_TOO_MUCH;
	walk->depth++;
	int r = message_fields(walk, walk->at + size_bytes, field->descriptor);
	walk->depth--;
	return r;
}

static int message_value(struct message_walk *walk, const uint8_t *end,
	const ProtobufCMessageDescriptor *descriptor, uint64_t key)
{
	uint64_t ignored;
	switch (key & 7) {
	case WIRE_VARINT:
		return message_varint(walk, end, &ignored) ? 0 : MESSAGE_MALFORMED;
	case WIRE_FIXED64:
		return message_skip(walk, end, sizeof(uint64_t)) ? 0 : MESSAGE_MALFORMED;
	case WIRE_SIZED:
		return message_sized(walk, end, descriptor, (uint32_t)(key >> 3));
	case WIRE_FIXED32:
		return message_skip(walk, end, sizeof(uint32_t)) ? 0 : MESSAGE_MALFORMED;
	default:
		return MESSAGE_MALFORMED;
	}
}

static int message_fields(
	struct message_walk *walk, const uint8_t *end, const ProtobufCMessageDescriptor *descriptor)
{
	kr_assert(descriptor != NULL);
	kr_assert(walk->depth <= MESSAGE_DEPTH_MAX);
	while (walk->at < end) {
		uint64_t key;
		if (walk->field_count++ == MESSAGE_FIELD_COUNT_MAX)
			return MESSAGE_TOO_MUCH;
		const uint8_t *at = wire_key_read(walk->at, end, &key);
		if (at == NULL)
			return MESSAGE_MALFORMED;
		walk->at = at;
		if (key >> 3 == 0 || key >> 3 > FIELD_NUMBER_MAX)
			return MESSAGE_MALFORMED;
		int r = message_value(walk, end, descriptor, key);
		if (r != 0)
			return r;
	}
	kr_assert(walk->at == end);
	return 0;
}

int message_check(const ProtobufCMessageDescriptor *descriptor, const void *body, size_t size_bytes)
{
	kr_assert(descriptor != NULL);
	kr_assert(body != NULL || size_bytes == 0);
	if (size_bytes == 0)
		return 0;
	if (size_bytes > FRAME_BODY_SIZE_MAX)
		return MESSAGE_TOO_MUCH;
	struct message_walk walk = {.at = body};
	return message_fields(&walk, (const uint8_t *)body + size_bytes, descriptor);
}
