#include <string.h>

#include "engine/shard/answer.h"
#include "engine/shard/hot.h"

/*
 * Answers, packed where they will be sent from: the frame's header, its body behind it, sealed.
 */

#define ENTRY_SIZE_MIN (sizeof(uint64_t) + FRAME_HEADER_SIZE)
/* Kept free in every buffer, so that a code alone still finds room when a message does not. */
#define CODE_ROOM ENTRY_SIZE_MIN

static size_t entry_size(size_t body_size_bytes)
{
	kr_assert(body_size_bytes <= FRAME_BODY_SIZE_MAX);
	return (ENTRY_SIZE_MIN + body_size_bytes + 7) & ~(size_t)7;
}

static bool out_has_room(const struct shard_out *out, size_t size_bytes)
{
	kr_assert(out->used_bytes <= out->size_bytes);
	kr_assert(out->used_bytes % 8 == 0);
	return out->size_bytes - out->used_bytes >= size_bytes;
}

/* The frame's place; its body goes right behind. */
static struct frame_header *out_begin(
	struct shard_out *out, const struct shard_frame *frame, uint8_t **ret_body)
{
	uint8_t *at = out->bytes + out->used_bytes;
	kr_assert(((uintptr_t)at & 7) == 0);
	memcpy(at, &frame->conn, sizeof(frame->conn));
	*ret_body = at + ENTRY_SIZE_MIN;
	return (struct frame_header *)(void *)(at + sizeof(uint64_t));
}

static void out_end(struct shard *shard, struct shard_out *out, const struct shard_frame *frame,
	uint16_t code, size_t body_size_bytes)
{
	uint8_t *body;
	struct frame_header *header = out_begin(out, frame, &body);
	kr_assert(code != 0);
	*header = (struct frame_header){
		.type = frame->header->type,
		.route = frame->header->route,
		.flags = FRAME_FLAG_ANSWER,
		.cluster = shard->config.cluster,
		.routing_key = frame->header->routing_key,
		.request_id = frame->header->request_id,
		.map_epoch = shard->map.epoch,
		.status = code,
		.via = frame->header->via,
	};
	size_t size = entry_size(body_size_bytes);
	memset(body + body_size_bytes, 0, size - ENTRY_SIZE_MIN - body_size_bytes);
	frame_seal(header, body, body_size_bytes);
	out->used_bytes += size;
	shard->counters.answers++;
	shard->counters.gated += out != &shard->at_once;
}

bool shard_answer_has_room(const struct shard *shard)
{
	kr_assert(shard->at_once.bytes != NULL);
	kr_assert(shard->at_once.used_bytes <= shard->at_once.size_bytes);
	return out_has_room(&shard->at_once, SHARD_REPLY_SMALL_MAX);
}

bool shard_answer_code(struct shard *shard, const struct shard_request *request, uint16_t code)
{
	kr_assert(code_class_of(code) == CODE_TRANSIENT);
	if (!out_has_room(&shard->at_once, ENTRY_SIZE_MIN))
		return false;
	if (code == KEYRACK_OVERLOADED)
		shard->counters.overloaded++;
	out_end(shard, &shard->at_once, request->frame, code, 0);
	return true;
}

uint8_t *shard_answer_open(struct shard *shard, const struct shard_request *request,
	uint64_t wait_lsn, size_t size_max_bytes, struct shard_out **ret_out)
{
	uint8_t *body;
	struct shard_out *out = shard_out_for(shard, request, wait_lsn);
	kr_assert(size_max_bytes <= FRAME_BODY_SIZE_MAX);
	*ret_out = out;
	if (!out_has_room(out, entry_size(size_max_bytes) + CODE_ROOM))
		return NULL;
	out_begin(out, request->frame, &body);
	return body;
}

void shard_answer_close(struct shard *shard, struct shard_out *out,
	const struct shard_request *request, uint16_t code, size_t size_bytes)
{
	kr_assert(out_has_room(out, entry_size(size_bytes)));
	out_end(shard, out, request->frame, code, size_bytes);
}

/* Answers at once are sent and the request comes again; behind a batch there is no telling when,
 * so it is refused, which is right for what has not happened. */
bool shard_answer_full(
	struct shard *shard, const struct shard_request *request, const struct shard_out *out)
{
	kr_assert(out != NULL);
	return out != &shard->at_once && shard_answer_code(shard, request, KEYRACK_OVERLOADED);
}

bool shard_answer_message(struct shard *shard, const struct shard_request *request,
	uint64_t wait_lsn, uint16_t code, const ProtobufCMessage *message)
{
	struct shard_out *out;
	size_t size = protobuf_c_message_get_packed_size(message);
	kr_assert(code != 0);
	if (size > FRAME_BODY_SIZE_MAX)
		return shard_answer_code(shard, request, KEYRACK_OVERLOADED);
	uint8_t *body = shard_answer_open(shard, request, wait_lsn, size, &out);
	if (body == NULL)
		return shard_answer_full(shard, request, out);
	size_t packed = protobuf_c_message_pack(message, body);
	kr_assert(packed == size);
	shard_answer_close(shard, out, request, code, size);
	return true;
}

void shard_refusal_fill(const struct inv_refusal *refusal, Keyrack__Refusal *ret_message)
{
	kr_assert(refusal->code != KEYRACK_DONE);
	ret_message->code = refusal->code;
	ret_message->rule = refusal->rule;
	ret_message->line = refusal->line;
	ret_message->day = refusal->day;
	ret_message->has_day = refusal->has_day;
	ret_message->required = refusal->required;
	ret_message->left = refusal->left;
	ret_message->state = refusal->state;
	ret_message->other_hi = refusal->other.hi;
	ret_message->other_lo = refusal->other.lo;
	if (refusal->text != NULL) {
		/* The generated struct has no const; packing only reads. */
		ret_message->text = (char *)(uintptr_t)refusal->text;
	}
}

static bool answer_reservation(struct shard *shard, const struct shard_request *request,
	const struct inv_answer *answer, bool refused)
{
	struct shard_out *out;
	uint8_t *body =
		shard_answer_open(shard, request, answer->wait_lsn, HOT_RESERVATION_SIZE_MAX, &out);
	kr_assert(answer->code != 0);
	if (body == NULL)
		return shard_answer_full(shard, request, out);
	size_t size = hot_reservation_write(answer, refused, body);
	shard_answer_close(shard, out, request, answer->code, size);
	return true;
}

static bool answer_update(struct shard *shard, const struct shard_request *request,
	const struct inv_answer *answer, Keyrack__Refusal *refusal)
{
	Keyrack__InventorySetAnswer message = KEYRACK__INVENTORY_SET_ANSWER__INIT;
	kr_assert(request->frame->header->type == FRAME_INVENTORY_SET);
	kr_assert(answer->code != 0);
	message.ari_version = answer->ari_version;
	message.event_seq = answer->event_seq;
	message.cells = answer->cell_count;
	message.repeated_seq = answer->repeated;
	message.last_source_seq = answer->last_source_seq;
	message.cells_over_limit = answer->cells_over_limit;
	message.refusal = refusal;
	return shard_answer_message(shard, request, answer->wait_lsn, answer->code, &message.base);
}

/* Lists in pages. PING, STATS, HELLO and types unknown here: a code says it all. */
static bool answer_refusal_list(struct shard *shard, const struct shard_request *request,
	uint64_t wait_lsn, Keyrack__Refusal *refusal)
{
	Keyrack__ReservationListAnswer reservations = KEYRACK__RESERVATION_LIST_ANSWER__INIT;
	Keyrack__PlanListAnswer plans = KEYRACK__PLAN_LIST_ANSWER__INIT;
	Keyrack__StockListAnswer stock = KEYRACK__STOCK_LIST_ANSWER__INIT;
	Keyrack__NightListAnswer nights = KEYRACK__NIGHT_LIST_ANSWER__INIT;
	Keyrack__DenialListAnswer denials = KEYRACK__DENIAL_LIST_ANSWER__INIT;
	Keyrack__PingAnswer none = KEYRACK__PING_ANSWER__INIT;
	ProtobufCMessage *message = &none.base;
	kr_assert(refusal->code != KEYRACK_DONE);
	plans.refusal = refusal;
	reservations.refusal = stock.refusal = nights.refusal = denials.refusal = refusal;
	switch (request->frame->header->type) {
	case FRAME_RESERVATION_LIST:
		message = &reservations.base;
		break;
	case FRAME_PLAN_LIST:
		message = &plans.base;
		break;
	case FRAME_STOCK_LIST:
		message = &stock.base;
		break;
	case FRAME_NIGHT_LIST:
		message = &nights.base;
		break;
	case FRAME_DENIAL_LIST:
		message = &denials.base;
		break;
	default:
		break;
	}
	return shard_answer_message(shard, request, wait_lsn, (uint16_t)refusal->code, message);
}

/* A refusal of a call whose answer has nothing else to say. Every answer's refusal is its own
 * field number, so each message is named. */
static bool answer_refusal(struct shard *shard, const struct shard_request *request,
	uint64_t wait_lsn, Keyrack__Refusal *refusal)
{
	Keyrack__HotelAnswer hotel = KEYRACK__HOTEL_ANSWER__INIT;
	Keyrack__HotelListAnswer list = KEYRACK__HOTEL_LIST_ANSWER__INIT;
	Keyrack__TypeAnswer type = KEYRACK__TYPE_ANSWER__INIT;
	Keyrack__TypeListAnswer types = KEYRACK__TYPE_LIST_ANSWER__INIT;
	Keyrack__PlanAnswer plan = KEYRACK__PLAN_ANSWER__INIT;
	Keyrack__AvailabilityAnswer nights = KEYRACK__AVAILABILITY_ANSWER__INIT;
	Keyrack__StayAnswer stay = KEYRACK__STAY_ANSWER__INIT;
	Keyrack__ReservationGetAnswer get = KEYRACK__RESERVATION_GET_ANSWER__INIT;
	Keyrack__SnapshotAnswer snapshot = KEYRACK__SNAPSHOT_ANSWER__INIT;
	ProtobufCMessage *message = NULL;
	kr_assert(refusal->code != KEYRACK_DONE);
	hotel.refusal = list.refusal = type.refusal = types.refusal = refusal;
	plan.refusal = refusal;
	nights.refusal = get.refusal = snapshot.refusal = refusal;
	stay.refusals = &refusal;
	stay.n_refusals = 1;
	switch (request->frame->header->type) {
	case FRAME_HOTEL_PUT:
	case FRAME_HOTEL_GET:
		message = &hotel.base;
		break;
	case FRAME_HOTEL_LIST:
		message = &list.base;
		break;
	case FRAME_TYPE_PUT:
		message = &type.base;
		break;
	case FRAME_TYPE_GET:
		message = &types.base;
		break;
	case FRAME_PLAN_PUT:
		message = &plan.base;
		break;
	case FRAME_AVAILABILITY:
		message = &nights.base;
		break;
	case FRAME_STAY:
		message = &stay.base;
		break;
	case FRAME_RESERVATION_GET:
		message = &get.base;
		break;
	case FRAME_SNAPSHOT:
		message = &snapshot.base;
		break;
	default:
		return answer_refusal_list(shard, request, wait_lsn, refusal);
	}
	return shard_answer_message(shard, request, wait_lsn, (uint16_t)refusal->code, message);
}

/* Answers that protobuf-c packs. */
static bool answer_judged_rare(struct shard *shard, const struct shard_request *request,
	const struct inv_answer *answer, bool refused)
{
	Keyrack__Refusal refusal = KEYRACK__REFUSAL__INIT;
	bool is_update = request->frame->header->type == FRAME_INVENTORY_SET;
	kr_assert(refused || is_update);
	kr_assert(answer->code != 0);
	if (refused)
		shard_refusal_fill(&answer->refusal, &refusal);
	if (is_update)
		return answer_update(shard, request, answer, refused ? &refusal : NULL);
	return answer_refusal(shard, request, answer->wait_lsn, &refusal);
}

bool shard_answer_judged(
	struct shard *shard, const struct shard_request *request, const struct inv_answer *answer)
{
	unsigned type = request->frame->header->type;
	kr_assert(answer->wait_lsn < shard->next_lsn);
	kr_assert(answer->code != 0);
	bool refused =
		code_class_of(answer->code) == CODE_FINAL || answer->code == KEYRACK_LIMIT_REACHED;
	if (!refused && answer->code != KEYRACK_DONE)
		return shard_answer_code(shard, request, answer->code);
	struct inv_answer late;
	if (answer->code == KEYRACK_KEY_EXPIRED) {
		late = *answer;
		late.wait_lsn = KR_MAX(late.wait_lsn, shard_purge_wait_lsn(shard, request));
		answer = &late;
	}
	shard->counters.refusals += refused;
	shard->counters.repeats += answer->repeated;
	if (type == FRAME_HOLD || type == FRAME_BOOK || type == FRAME_IMPORT ||
		shard_transition_of(type) != 0)
		return answer_reservation(shard, request, answer, refused);
	return answer_judged_rare(shard, request, answer, refused);
}

bool shard_answer_refused(struct shard *shard, const struct shard_request *request)
{
	struct inv_hotel_head head;
	kr_assert(request->code != 0);
	if (code_class_of(request->code) == CODE_TRANSIENT) {
		shard->counters.moved += request->code == KEYRACK_MOVED;
		return shard_answer_code(shard, request, request->code);
	}
	/* It waits for its hotel like any answer, so that it does not overtake an earlier one. */
	struct inv_answer answer = {
		.code = request->code,
		.refusal = {.code = request->code, .rule = request->rule, .text = request->field},
		.hotel = request->hotel,
	};
	if (request->hotel.v != 0 && inv_hotel_head(shard->inv, request->hotel, &head))
		answer.wait_lsn = head.last_lsn;
	shard->counters.invalid++;
	return shard_answer_judged(shard, request, &answer);
}
