#include "base/bug.h"
#include "engine/inventory/change.h"
#include "engine/inventory/counted.h"

/*
 * Applying the effects that move a reservation from state to state:
 *
 *   HELD -> CONFIRMED   inv_apply_confirm      held to booked
 *   HELD -> RELEASED    inv_apply_release      held given back
 *   HELD -> EXPIRED     inv_apply_expire       held given back
 *   HELD -> HELD        inv_apply_grace        a later deadline, once
 *   CONFIRMED -> CANCELLED  inv_apply_cancel   booked given back
 *   CONFIRMED -> CHECKED_IN inv_apply_check_in no cell moves
 *   CONFIRMED, CHECKED_IN -> COMPLETED  inv_apply_complete  booked given back from the business
 *   CONFIRMED -> NO_SHOW    inv_apply_no_show               date on; nights before it stay counted
 *
 * What changes a reservation without moving its state is in change.c.
 * RESERVE makes a record (reserve.c); VOID and RETIRE begin and end one without rooms (retire.c).
 * No other move exists: whatever else a log asks for contradicts the state.
 */

struct inv_move {
	uint32_t from; /* states, a bit each */
	uint8_t to;
	struct inv_delta delta;
};

#define HELD (1u << INV_HELD)
#define CONFIRMED (1u << INV_CONFIRMED)
#define CHECKED_IN (1u << INV_CHECKED_IN)

static const struct inv_move inv_move_confirm = {HELD, INV_CONFIRMED, {-1, 1}};
static const struct inv_move inv_move_release = {HELD, INV_RELEASED, {-1, 0}};
static const struct inv_move inv_move_expire = {HELD, INV_EXPIRED, {-1, 0}};
static const struct inv_move inv_move_cancel = {CONFIRMED, INV_CANCELLED, {0, -1}};
static const struct inv_move inv_move_complete = {CONFIRMED | CHECKED_IN, INV_COMPLETED, {0, -1}};
static const struct inv_move inv_move_no_show = {CONFIRMED, INV_NO_SHOW, {0, -1}};

int inv_move_find_id(const struct inv *inv, uint32_t hotel_index, const struct inv_effect *effect,
	struct kr_id id, uint32_t revision, uint32_t from, uint32_t *ret_record,
	struct inv_contradiction *ret)
{
	uint32_t r = inv_record_find(inv, hotel_index, id);
	kr_assert((from & ~INV_STATES_LIVE) == 0);
	if (r == INV_NONE)
		return inv_contradict(effect, "the reservation is unknown", 0, 0, 0, ret);
	const struct inv_record *record = inv_record_at(inv, r);
	kr_assert(record->hotel_index == hotel_index);
	if ((from >> record->state & 1) == 0)
		return inv_contradict(effect, "the reservation's state does not allow that", from,
			record->state, 0, ret);
	if (record->revision + 1 != revision)
		return inv_contradict(effect, "the reservation has another revision", revision,
			record->revision + 1, 0, ret);
	kr_assert(hotel_index != INV_NONE);
	*ret_record = r;
	return 0;
}

int inv_move_find(const struct inv *inv, uint32_t hotel_index, const struct inv_effect *effect,
	uint32_t from, uint32_t *ret_record, struct inv_contradiction *ret)
{
	kr_assert(from != 0);
	return inv_move_find_id(
		inv, hotel_index, effect, effect->id, effect->revision, from, ret_record, ret);
}

void inv_move_stamp_to(
	struct inv_record *record, uint32_t revision, const struct inv_effect *effect)
{
	kr_assert(revision == record->revision + 1);
	kr_assert(effect->event_seq > record->event_seq);
	record->revision = revision;
	record->changed_at_us = effect->t_us;
	record->event_seq = effect->event_seq;
}

void inv_move_stamp(struct inv_record *record, const struct inv_effect *effect)
{
	kr_assert(effect->revision > 1);
	inv_move_stamp_to(record, effect->revision, effect);
}

/* A stay that was had, or kept for a guest who did not come, counts up to the business date. The
 * window begins there, so that the cells given back are all that it still had. */
static int32_t inv_move_counted_until(
	const struct inv *inv, const struct inv_record *record, uint8_t to)
{
	int32_t business_day = inv_hotel_at(inv, record->hotel_index)->first_day;
	kr_assert(inv_state_is_terminal(to));
	return to == INV_COMPLETED || to == INV_NO_SHOW ? business_day : INV_DAY_MIN;
}

static int inv_move_apply(struct inv *inv, uint32_t r, const struct inv_move *move,
	const struct inv_effect *effect, struct inv_contradiction *ret)
{
	struct inv_record *record = inv_record_at(inv, r);
	struct inv_span spans[INV_LINES_MAX];
	uint32_t span_count = inv_spans_of_record(inv, record, spans);
	kr_assert((move->from >> record->state & 1) != 0);
	int error = inv_spans_check(inv, spans, span_count, move->delta, effect, ret);
	if (error != 0)
		return error;
	inv_spans_move(inv, spans, span_count, move->delta);
	if (bug_is(BUG_HOLD_EXPIRES_TWICE) && move->to == INV_EXPIRED)
		inv_spans_move(inv, spans, span_count, move->delta);
	inv_move_stamp(record, effect);
	if (!inv_state_is_booked(move->to))
		inv_record_count_until(inv, record, inv_move_counted_until(inv, record, move->to));
	inv_record_restate(inv, r, move->to);
	kr_assert(record->state == move->to);
	return 0;
}

int inv_apply_confirm(struct inv *inv, uint32_t hotel_index, const struct inv_effect *effect,
	struct inv_contradiction *ret)
{
	uint32_t r = INV_NONE;
	struct inv_text payment_ref = effect->u.confirm.payment_ref;
	int error = inv_move_find(inv, hotel_index, effect, inv_move_confirm.from, &r, ret);
	if (error != 0)
		return error;
	struct inv_record *record = inv_record_at(inv, r);
	if (effect->t_us >= record->expires_at_us)
		return inv_contradict(effect, "an expired hold is confirmed", record->expires_at_us,
			effect->t_us, 0, ret);
	error = inv_payment_check(inv, record, effect, payment_ref, ret);
	if (error != 0)
		return error;
	if (inv_text_node_count(payment_ref) > inv_pool_left(&inv->node_pool))
		return INV_NO_ROOM;
	error = inv_move_apply(inv, r, &inv_move_confirm, effect, ret);
	if (error != 0)
		return error;
	if (payment_ref.size_bytes != 0)
		inv_record_put_text(inv, record, INV_NODE_PAYMENT_REF, payment_ref);
	kr_assert(record->counted_nights == (int16_t)record->nights);
	return 0;
}

int inv_apply_release(struct inv *inv, uint32_t hotel_index, const struct inv_effect *effect,
	struct inv_contradiction *ret)
{
	uint32_t r = INV_NONE;
	int error = inv_move_find(inv, hotel_index, effect, inv_move_release.from, &r, ret);
	if (error != 0)
		return error;
	kr_assert(effect->kind == INV_EFFECT_RELEASE);
	return inv_move_apply(inv, r, &inv_move_release, effect, ret);
}

int inv_apply_cancel(struct inv *inv, uint32_t hotel_index, const struct inv_effect *effect,
	struct inv_contradiction *ret)
{
	uint32_t r = INV_NONE;
	int error = inv_move_find(inv, hotel_index, effect, inv_move_cancel.from, &r, ret);
	if (error != 0)
		return error;
	kr_assert(effect->kind == INV_EFFECT_CANCEL);
	return inv_move_apply(inv, r, &inv_move_cancel, effect, ret);
}

static int inv_leave_apply(struct inv *inv, uint32_t hotel_index, const struct inv_move *move,
	const struct inv_effect *effect, struct inv_contradiction *ret)
{
	uint32_t r = INV_NONE;
	int error = inv_move_find(inv, hotel_index, effect, move->from, &r, ret);
	if (error != 0)
		return error;
	int32_t business_day = inv_hotel_at(inv, hotel_index)->first_day;
	int32_t check_in = inv_record_check_in(inv, inv_record_at(inv, r));
	kr_assert(move->to == INV_COMPLETED || move->to == INV_NO_SHOW);
	if (business_day < check_in)
		return inv_contradict(effect, "a stay ends before it began", (uint64_t)check_in,
			(uint64_t)business_day, business_day, ret);
	return inv_move_apply(inv, r, move, effect, ret);
}

int inv_apply_complete(struct inv *inv, uint32_t hotel_index, const struct inv_effect *effect,
	struct inv_contradiction *ret)
{
	kr_assert(effect->kind == INV_EFFECT_COMPLETE);
	return inv_leave_apply(inv, hotel_index, &inv_move_complete, effect, ret);
}

int inv_apply_no_show(struct inv *inv, uint32_t hotel_index, const struct inv_effect *effect,
	struct inv_contradiction *ret)
{
	kr_assert(effect->kind == INV_EFFECT_NO_SHOW);
	return inv_leave_apply(inv, hotel_index, &inv_move_no_show, effect, ret);
}

int inv_apply_check_in(struct inv *inv, uint32_t hotel_index, const struct inv_effect *effect,
	struct inv_contradiction *ret)
{
	uint32_t r = INV_NONE;
	int error = inv_move_find(inv, hotel_index, effect, CONFIRMED, &r, ret);
	if (error != 0)
		return error;
	struct inv_record *record = inv_record_at(inv, r);
	kr_assert(effect->kind == INV_EFFECT_CHECK_IN);
	if (effect->old_count != 0)
		return inv_contradict(
			effect, "the effect counts other nights", effect->old_count, 0, 0, ret);
	inv_move_stamp(record, effect);
	inv_record_restate(inv, r, INV_CHECKED_IN);
	kr_assert(record->state == INV_CHECKED_IN);
	return 0;
}

int inv_apply_expire(struct inv *inv, uint32_t hotel_index, const struct inv_effect *effect,
	struct inv_contradiction *ret)
{
	uint32_t r = INV_NONE;
	int error = inv_move_find(inv, hotel_index, effect, inv_move_expire.from, &r, ret);
	if (error != 0)
		return error;
	const struct inv_record *record = inv_record_at(inv, r);
	if (effect->t_us < record->expires_at_us)
		return inv_contradict(effect, "a hold expires before its deadline",
			record->expires_at_us, effect->t_us, 0, ret);
	kr_assert(effect->kind == INV_EFFECT_EXPIRE);
	return inv_move_apply(inv, r, &inv_move_expire, effect, ret);
}

int inv_apply_grace(struct inv *inv, uint32_t hotel_index, const struct inv_effect *effect,
	struct inv_contradiction *ret)
{
	uint32_t r = INV_NONE;
	int error = inv_move_find(inv, hotel_index, effect, HELD, &r, ret);
	if (error != 0)
		return error;
	struct inv_record *record = inv_record_at(inv, r);
	if (record->flags & INV_RECORD_GRACED)
		return inv_contradict(effect, "a hold gets a second grace", 0, 1, 0, ret);
	if (record->expires_at_us != effect->u.grace.old_expires_at_us)
		return inv_contradict(effect, "the deadline is not what the effect found",
			effect->u.grace.old_expires_at_us, record->expires_at_us, 0, ret);
	if (effect->u.grace.expires_at_us <= record->expires_at_us)
		return inv_contradict(effect, "a grace is no later deadline", record->expires_at_us,
			effect->u.grace.expires_at_us, 0, ret);
	inv_move_stamp(record, effect);
	record->flags |= INV_RECORD_GRACED;
	inv_record_redate(inv, r, effect->u.grace.expires_at_us);
	kr_assert(record->state == INV_HELD);
	return 0;
}
