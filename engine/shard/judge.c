#include "base/bug.h"
#include "engine/shard/answer.h"

/*
 * Changes: judged, written into the open batch, applied, answered, in this order and at once. All
 * room is made sure of before judging, so that what was judged is never taken back.
 */

/* Takes rooms: due holds are in its way, and a disk that is nearly full refuses it. */
static bool is_sale(unsigned type)
{
	return type == FRAME_HOLD || type == FRAME_BOOK || type == FRAME_MODIFY ||
	       type == FRAME_IMPORT;
}

/* The hotel whose rooms a sale takes; 0 when nobody knows the reservation that is changed. */
static struct hotel_id judge_sale_hotel(
	const struct shard *shard, const struct shard_request *request)
{
	kr_assert(is_sale(request->frame->header->type));
	if (request->hotel.v != 0)
		return request->hotel;
	return inv_reservation_hotel(shard->inv, request->u.transition.id);
}

/* What the log's remaining room still allows. */
static bool judge_is_read_only(const struct shard *shard, unsigned type)
{
	kr_assert(shard->space <= SHARD_SPACE_STOP);
	kr_assert(type != 0);
	if (shard->space == SHARD_SPACE_OK)
		return false;
	if (shard->space == SHARD_SPACE_STOP)
		return true;
	return is_sale(type) || type == FRAME_INVENTORY_SET || type == FRAME_HOTEL_PUT ||
	       type == FRAME_TYPE_PUT || type == FRAME_PLAN_PUT;
}

/* The most that the request's effect can take in the log. */
static size_t judge_record_size(const struct shard *shard, const struct shard_request *request)
{
	if (request->frame->header->type != FRAME_INVENTORY_SET)
		return RECORD_SMALL_SIZE_MAX;
	const struct inv_update_op *op = &request->u.update;
	struct inv_hotel_head head;
	int64_t nights = (int64_t)op->update.last_day - op->update.first_day + 1;
	uint64_t types = op->type_count;
	if (types == 0)
		types = inv_hotel_head(shard->inv, op->hotel, &head) ? head.type_count : 1;
	kr_assert(types <= INV_HOTEL_TYPES_MAX);
	uint64_t cells = (uint64_t)KR_MAX(nights, 1) * KR_MAX(types, 1);
	return KR_MIN(cells, INV_UPDATE_CELLS_MAX) * RECORD_OLD_SIZE_MAX + RECORD_REST_SIZE_MAX;
}

static enum inv_result judge_op(
	struct shard *shard, const struct shard_request *request, struct inv_answer *answer)
{
	struct inv_effect *effect = &shard->effect;
	switch (request->frame->header->type) {
	case FRAME_HOLD:
	case FRAME_BOOK:
		return inv_reserve_judge(
			shard->inv, shard->now, &request->u.reserve, effect, answer);
	case FRAME_IMPORT:
		return inv_import_judge(shard->inv, shard->now, &request->u.import, effect, answer);
	case FRAME_INVENTORY_SET:
		return inv_update_judge(shard->inv, shard->now, &request->u.update, effect, answer);
	case FRAME_HOTEL_PUT:
		return inv_hotel_judge(
			shard->inv, shard->now, &request->u.hotel_put, effect, answer);
	case FRAME_TYPE_PUT:
		return inv_type_judge(shard->inv, shard->now, &request->u.type_put, effect, answer);
	case FRAME_PLAN_PUT:
		return inv_plan_judge(shard->inv, shard->now, &request->u.plan_put, effect, answer);
	default:
		kr_assert(request->u.transition.transition != 0);
		return inv_transition_judge(
			shard->inv, shard->now, &request->u.transition, effect, answer);
	}
}

static bool judge_answer(
	struct shard *shard, const struct shard_request *request, const struct inv_answer *answer)
{
	unsigned type = request->frame->header->type;
	kr_assert(answer->code != 0);
	kr_assert(answer->wait_lsn < shard->next_lsn);
	if (answer->code == KEYRACK_DONE && type == FRAME_HOTEL_PUT)
		return shard_hotel_answer(shard, request, answer);
	if (answer->code == KEYRACK_DONE && type == FRAME_TYPE_PUT)
		return shard_type_answer(shard, request, answer);
	if (answer->code == KEYRACK_DONE && type == FRAME_PLAN_PUT)
		return shard_plan_answer(shard, request, answer);
	return shard_answer_judged(shard, request, answer);
}

static bool judge_change(struct shard *shard, struct shard_request *request)
{
	unsigned type = request->frame->header->type;
	size_t room = judge_record_size(shard, request);
	struct inv_answer answer;
	kr_assert(shard->life == SHARD_SERVING);
	kr_assert(request->code == 0 && !request->is_dropped);
	if (!shard_answer_has_room(shard))
		return false;
	if (judge_is_read_only(shard, type) && !bug_is(BUG_READ_ONLY_SELLS)) {
		shard->counters.read_only++;
		return shard_answer_code(shard, request, KEYRACK_READ_ONLY);
	}
	if (!shard_batch_room(shard, room))
		return shard_answer_code(shard, request, KEYRACK_OVERLOADED);
	if (is_sale(type) && shard_due_backlog(shard)) {
		struct hotel_id hotel = judge_sale_hotel(shard, request);
		bool is_clear = hotel.v == 0 || shard_due_drain(shard, hotel);
		if (!is_clear || !shard_batch_room(shard, room))
			return shard_answer_code(shard, request, KEYRACK_OVERLOADED);
	}
	answer = (struct inv_answer){0};
	if (judge_op(shard, request, &answer) == INV_EFFECT) {
		shard_effect_log(shard);
		answer.wait_lsn = shard->effect.lsn;
	}
	if (answer.repeated && bug_is(BUG_REPEAT_BEFORE_SYNC))
		answer.wait_lsn = 0;
	if (request->hotel.v == 0)
		request->hotel = answer.hotel;
	bool answered = judge_answer(shard, request, &answer);
	kr_assert(answered);
	return true;
}

static bool is_about_shard(unsigned type)
{
	return type == FRAME_HELLO || type == FRAME_PING || type == FRAME_STATS;
}

bool shard_request_judge(struct shard *shard, struct shard_request *request)
{
	unsigned type = request->frame->header->type;
	kr_assert(request->frame != NULL);
	kr_assert(shard->now.t_us > 0 || shard->life == SHARD_LOADING);
	if (request->is_dropped) {
		shard->counters.late++;
		return true;
	}
	if (shard->life != SHARD_SERVING && !is_about_shard(type))
		return shard_answer_code(shard, request, KEYRACK_UNAVAILABLE);
	if (request->code != 0)
		return shard_answer_refused(shard, request);
	if (shard_transition_of(type) != 0)
		return judge_change(shard, request);
	switch (type) {
	case FRAME_HOLD:
	case FRAME_BOOK:
	case FRAME_IMPORT:
	case FRAME_INVENTORY_SET:
	case FRAME_HOTEL_PUT:
	case FRAME_TYPE_PUT:
	case FRAME_PLAN_PUT:
		return judge_change(shard, request);
	default:
		return shard_request_read(shard, request);
	}
}

void shard_request_prefetch(
	struct shard *shard, const struct shard_request *request, unsigned stage)
{
	kr_assert(stage <= 2);
	if (request->code != 0 || request->is_dropped)
		return;
	if (shard_transition_of(request->frame->header->type) != 0) {
		inv_transition_prefetch(shard->inv, request->u.transition.id, stage);
		return;
	}
	switch (request->frame->header->type) {
	case FRAME_HOLD:
	case FRAME_BOOK:
		inv_reserve_prefetch(shard->inv, &request->u.reserve, stage);
		break;
	case FRAME_RESERVATION_GET:
		inv_transition_prefetch(shard->inv, request->u.get.id, stage);
		break;
	case FRAME_AVAILABILITY:
		inv_availability_prefetch(shard->inv, request->hotel, request->u.nights.types,
			request->u.nights.type_count, request->u.nights.first_day,
			request->u.nights.night_count, stage);
		break;
	case FRAME_STAY:
	case FRAME_INVENTORY_SET:
		kr_assert(request->hotel.v != 0);
		inv_hotel_prefetch(shard->inv, request->hotel, stage);
		break;
	default:
		break;
	}
}
