#include "base/bug.h"
#include "engine/inventory/change.h"
#include "engine/inventory/credit.h"
#include "engine/inventory/effect_lines.h"
#include "engine/inventory/reservations.h"
#include "engine/inventory/stay.h"

/* ---- step 1: ids that are known ---- */

static enum inv_result inv_reserve_known(const struct inv *inv, struct inv_now now,
	const struct inv_reserve_op *op, uint32_t r, struct inv_answer *answer)
{
	const struct inv_record *record = inv_record_at(inv, r);
	kr_assert(kr_id_equal(record->id, op->id));
	struct inv_refusal refusal = {.code = KEYRACK_BAD_STATE, .rule = RULE_STATE};
	if (record->state == INV_VOID)
		return inv_answer_refuse(inv, r, now.t_us, refusal, answer);
	refusal = (struct inv_refusal){.code = KEYRACK_KEY_REUSED, .rule = RULE_ID};
	if (record->fingerprint != op->fingerprint && !bug_is(BUG_KEY_REUSE_UNSEEN))
		return inv_answer_refuse(inv, r, now.t_us, refusal, answer);
	inv_answer_show(inv, r, now.t_us, answer);
	answer->repeated = true;
	kr_assert(answer->outcome == KEYRACK_DONE);
	return INV_ANSWER;
}

/* A refusal of an id without a record. */
static enum inv_result inv_reserve_say(const struct inv *inv, const struct inv_reserve_op *op,
	uint32_t hotel_index, struct inv_refusal refusal, struct inv_answer *answer)
{
	kr_assert(refusal.code != KEYRACK_DONE);
	kr_assert(code_class_of(refusal.code) != CODE_REJECT);
	inv_zero(answer, sizeof(*answer));
	answer->code = refusal.code;
	answer->refusal = refusal;
	answer->hotel = op->hotel;
	answer->outcome = code_class_of(refusal.code) == CODE_FINAL ? refusal.code : 0;
	if (hotel_index != INV_NONE)
		answer->wait_lsn = inv_hotel_at(inv, hotel_index)->last_lsn;
	return INV_ANSWER;
}

static enum inv_result inv_reserve_remembered(const struct inv *inv,
	const struct inv_reserve_op *op, const struct inv_refused *refused,
	struct inv_answer *answer)
{
	kr_assert(kr_id_equal(refused->id, op->id));
	struct inv_refusal refusal = {.code = KEYRACK_KEY_REUSED, .rule = RULE_ID};
	if (refused->fingerprint == op->fingerprint)
		refusal = inv_refused_get(refused);
	kr_assert(refusal.code != 0);
	return inv_reserve_say(inv, op, inv_hotel_find(inv, op->hotel), refusal, answer);
}

/* ---- step 1: ids that are new ---- */

/* Another record of the same source in this hotel. */
static bool inv_reserve_is_referred(
	const struct inv *inv, const struct inv_reserve_op *op, struct inv_refusal *ret)
{
	kr_assert(op->external_ref.size_bytes > 0);
	uint32_t other =
		inv_record_find_external(inv, op->hotel, op->actor.source, op->external_ref);
	if (other == INV_NONE)
		return false;
	*ret = (struct inv_refusal){.code = KEYRACK_KEY_REUSED,
		.rule = RULE_EXTERNAL_REF,
		.other = inv_record_at(inv, other)->id};
	kr_assert(!kr_id_equal(ret->other, op->id));
	return true;
}

/* The code that the id itself earns, 0 for none. */
static uint16_t inv_reserve_id_code(
	const struct inv *inv, struct inv_now now, const struct inv_reserve_op *op)
{
	if (!reservation_id_is_native(op->id) ||
		reservation_id_slot(op->id) != slot_of_hotel(op->hotel))
		return KEYRACK_INVALID;
	uint64_t minted_us = reservation_id_ms(op->id) * 1000;
	kr_assert(minted_us < UINT64_MAX / 2);
	if (minted_us < inv->purge_mark_us)
		return KEYRACK_KEY_EXPIRED;
	bool is_ahead = minted_us > KR_MAX(now.t_us, now.wall_us) + INV_ID_AHEAD_MAX_US;
	kr_assert(!is_ahead || minted_us > now.t_us);
	return is_ahead ? KEYRACK_INVALID : 0;
}

static bool inv_reserve_refuse_field(enum inv_name field, struct inv_refusal *ret)
{
	kr_assert(field != 0);
	*ret = (struct inv_refusal){
		.code = KEYRACK_INVALID, .rule = RULE_FIELD, .text = inv_name_text(field)};
	return true;
}

/*
 * The lines of the expired hold, at the prices they were held at: from here on they are the
 * request's own, and every step judges them anew. False: *ret says why they cannot be had.
 */
static bool inv_reserve_take_lines(
	const struct inv *inv, struct inv_reserve_op *op, struct inv_refusal *ret)
{
	struct inv_scratch *scratch = inv_scratch(inv);
	uint32_t hotel_index = inv_hotel_find(inv, op->hotel);
	uint32_t r = inv_record_seek(inv, hotel_index, op->reacquires);
	kr_assert(!kr_id_is_zero(op->reacquires));
	if (op->line_count != 0)
		return !inv_reserve_refuse_field(INV_NAME_LINES, ret);
	*ret = (struct inv_refusal){.rule = RULE_ID, .text = inv_name_text(INV_NAME_REACQUIRES)};
	if (r == INV_NONE) {
		ret->code = inv_reservation_absent_code(inv, op->reacquires);
		return false;
	}
	const struct inv_record *record = inv_record_at(inv, r);
	ret->code = KEYRACK_NOT_FOUND;
	if (record->hotel_index == INV_NONE || record->hotel_index != hotel_index)
		return false;
	ret->code = KEYRACK_BAD_STATE;
	ret->rule = RULE_STATE;
	ret->state = record->state;
	if (record->state != INV_EXPIRED)
		return false;
	op->line_count = inv_record_unpack(inv, record, scratch->read_lines, scratch->read_runs);
	op->lines = scratch->read_lines;
	for (uint32_t i = 0; i < op->line_count; i++) {
		if (scratch->read_lines[i].pricing == INV_PRICE_CALENDAR)
			scratch->read_lines[i].pricing = INV_PRICE_CALLER;
	}
	kr_assert(op->line_count >= 1);
	return true;
}

/* The live hold that is to be replaced, in *ret_record. */
static bool inv_reserve_cannot_replace(const struct inv *inv, struct inv_now now,
	const struct inv_reserve_op *op, uint32_t *ret_record, struct inv_refusal *ret)
{
	uint32_t hotel_index = inv_hotel_find(inv, op->hotel);
	uint32_t r = inv_record_seek(inv, hotel_index, op->replaces);
	kr_assert(!kr_id_is_zero(op->replaces));
	if (op->book || !kr_id_is_zero(op->reacquires))
		return inv_reserve_refuse_field(INV_NAME_REPLACES, ret);
	*ret = (struct inv_refusal){.rule = RULE_ID, .text = inv_name_text(INV_NAME_REPLACES)};
	if (r == INV_NONE) {
		ret->code = inv_reservation_absent_code(inv, op->replaces);
		return true;
	}
	const struct inv_record *record = inv_record_at(inv, r);
	ret->code = KEYRACK_NOT_FOUND;
	if (record->hotel_index == INV_NONE || record->hotel_index != hotel_index)
		return true;
	ret->rule = RULE_STATE;
	ret->state = record->state;
	ret->code = KEYRACK_HOLD_EXPIRED;
	if (record->state == INV_EXPIRED || inv_record_is_due(record, now.t_us))
		return true;
	ret->code = KEYRACK_BAD_STATE;
	*ret_record = r;
	return record->state != INV_HELD;
}

/* `again` is room for the operation with the lines that it wants again; *op is then that. */
static bool inv_reserve_is_refused_early(const struct inv *inv, struct inv_now now,
	const struct inv_reserve_op **ret_op, struct inv_reserve_op *again, uint32_t *ret_replaced,
	struct inv_refusal *ret)
{
	const struct inv_reserve_op *op = *ret_op;
	uint16_t code = inv_reserve_id_code(inv, now, op);
	if (code != 0) {
		*ret = (struct inv_refusal){.code = code, .rule = RULE_ID};
		return true;
	}
	if (!kr_id_is_zero(op->reacquires)) {
		*again = *op;
		if (!inv_reserve_take_lines(inv, again, ret))
			return true;
		op = *ret_op = again;
	}
	enum inv_name field = inv_stay_malformed(op);
	if (field != 0)
		return inv_reserve_refuse_field(field, ret);
	if (!kr_id_is_zero(op->replaces) &&
		inv_reserve_cannot_replace(inv, now, op, ret_replaced, ret))
		return true;
	kr_assert(op->line_count >= 1);
	return op->external_ref.size_bytes != 0 && inv_reserve_is_referred(inv, op, ret);
}

static enum inv_result inv_reserve_refuse(struct inv *inv, const struct inv_reserve_op *op,
	uint32_t hotel_index, struct inv_refusal refusal, struct inv_answer *answer)
{
	inv_refused_put(inv, op, &refusal);
	inv_denial_note(inv, op->hotel, op->lines, op->line_count, &refusal);
	kr_assert(inv_refused_find(inv, op->id) != NULL);
	return inv_reserve_say(inv, op, hotel_index, refusal, answer);
}

/* ---- step 11: what may stand in the way of an admitted stay ---- */

/* The hold that is replaced is no longer counted. */
static bool inv_hold_is_over_cap(const struct inv *inv, const struct inv_reserve_op *op,
	uint32_t hotel_index, uint32_t replaced, struct inv_refusal *ret)
{
	const struct inv_hotel_cold *cold = inv_hotel_cold_at(inv, hotel_index);
	uint32_t holds = inv_hotel_at(inv, hotel_index)->hold_count - (replaced != INV_NONE);
	bool has_guest = (op->guest.hi | op->guest.lo) != 0;
	kr_assert(!op->book);
	*ret = (struct inv_refusal){.code = KEYRACK_RATE_LIMITED, .rule = RULE_HOLD_CAP};
	if (cold->holds_max != 0 && holds >= cold->holds_max + bug_is(BUG_HOLD_CAP_OFF_BY_ONE)) {
		ret->required = cold->holds_max;
		ret->text = inv_name_text(INV_NAME_HOTEL_HOLDS);
		return true;
	}
	if (cold->guest_holds_max == 0 || !has_guest)
		return false;
	ret->required = cold->guest_holds_max;
	ret->text = inv_name_text(INV_NAME_GUEST_HOLDS);
	kr_assert(ret->left == 0);
	uint32_t of_guest = inv_guest_hold_count(inv, op->hotel, op->guest);
	if (replaced != INV_NONE) {
		struct inv_guest_id guest = inv_record_at(inv, replaced)->guest;
		of_guest -= guest.hi == op->guest.hi && guest.lo == op->guest.lo;
	}
	return of_guest >= cold->guest_holds_max;
}

static KR_COLD bool inv_reserve_refuse_table(
	enum inv_name table, const struct inv_pool *pool, struct inv_refusal *ret)
{
	*ret = (struct inv_refusal){.code = KEYRACK_LIMIT_REACHED,
		.rule = RULE_TABLE,
		.required = pool->capacity,
		.left = inv_pool_left(pool),
		.text = inv_name_text(table)};
	kr_assert(ret->left <= ret->required);
	return true;
}

static bool inv_reserve_lacks_room(const struct inv *inv, const struct inv_reserve_op *op,
	const struct inv_line *frozen, struct inv_refusal *ret)
{
	uint32_t nodes = inv_lines_node_count(frozen, op->line_count) +
			 inv_text_node_count(op->external_ref) +
			 inv_text_node_count(op->payment_ref);
	kr_assert(nodes <= INV_LINES_NODES_MAX + 4);
	if (inv_pool_left(&inv->record_pool) == 0)
		return inv_reserve_refuse_table(INV_NAME_RESERVATIONS, &inv->record_pool, ret);
	if (inv_pool_left(&inv->node_pool) < nodes)
		return inv_reserve_refuse_table(INV_NAME_NODES, &inv->node_pool, ret);
	return false;
}

/* ---- the effect ---- */

static uint64_t inv_hold_deadline_us(
	const struct inv *inv, uint32_t hotel_index, const struct inv_reserve_op *op, uint64_t t_us)
{
	const struct inv_hotel_cold *cold = inv_hotel_cold_at(inv, hotel_index);
	uint64_t ttl_us = op->ttl_us != 0 ? op->ttl_us : cold->hold_ttl_us;
	kr_assert(t_us < INV_DEADLINE_MAX_US);
	if (ttl_us == 0)
		ttl_us = INV_HOLD_TTL_US;
	if (cold->hold_ttl_max_us != 0 && !bug_is(BUG_HOLD_TTL_UNBOUNDED))
		ttl_us = KR_MIN(ttl_us, cold->hold_ttl_max_us);
	ttl_us = KR_MIN(ttl_us, INV_DEADLINE_MAX_US - t_us);
	kr_assert(ttl_us > 0);
	return t_us + ttl_us;
}

/* Old values are the words that step 10 compared. */
static void inv_stay_read_olds(const struct inv_stay *stay, struct inv_effect *effect)
{
	struct inv_cell_old *olds = inv_scratch(stay->inv)->cell_olds;
	uint32_t count = 0;
	for (uint32_t i = 0; i < stay->op->line_count; i++) {
		const struct inv_stay_line *l = &stay->lines[i];
		uint32_t nights = (uint32_t)(l->end_day - l->first_day);
		kr_assert(l->first_day == l->line->check_in);
		kr_assert(l->end_day == l->line->check_out);
		for (uint32_t n = 0; n < nights; n++) {
			struct cell_counter cell = cell_counter_unpack(l->words[n].counter);
			olds[count++] = (struct inv_cell_old){cell.held, cell.booked};
		}
	}
	kr_assert(count <= INV_STAY_NIGHTS_MAX);
	effect->olds = olds;
	effect->old_count = count;
}

/* Releasing the replaced hold is a part of the effect. */
static void inv_reserve_fill_replaced(
	const struct inv_stay *stay, uint32_t replaced, struct inv_effect *effect)
{
	const struct inv_record *record = inv_record_at(stay->inv, replaced);
	struct inv_effect_reserve *reserve = &effect->u.reserve;
	struct inv_span spans[INV_SPANS_MAX];
	struct inv_effect_lines planned;
	kr_assert(record->state == INV_HELD);
	const char *wrong = inv_effect_lines_plan(
		stay->inv, stay->hotel_index, reserve->lines, reserve->line_count, &planned);
	kr_assert(wrong == NULL);
	uint32_t span_count =
		inv_spans_exchange(stay->inv, record, &planned, reserve->line_count, spans);
	inv_spans_read(stay->inv, spans, span_count, effect);
	reserve->replaces = record->id;
	reserve->replaced_revision = record->revision + 1;
}

static void inv_reserve_fill(
	struct inv_stay *stay, struct inv_now now, uint32_t replaced, struct inv_effect *effect)
{
	const struct inv_reserve_op *op = stay->op;
	struct inv_scratch *scratch = inv_scratch(stay->inv);
	inv_effect_begin(stay->inv, stay->hotel_index, INV_EFFECT_RESERVE, now, &op->actor, effect);
	effect->id = op->id;
	effect->revision = 1;
	struct inv_effect_reserve *reserve = &effect->u.reserve;
	reserve->book = op->book;
	reserve->fingerprint = op->fingerprint;
	reserve->guest = op->guest;
	reserve->lines = inv_stay_freeze(stay);
	reserve->line_count = op->line_count;
	reserve->forced = op->force;
	if (replaced == INV_NONE)
		inv_stay_read_olds(stay, effect);
	else
		inv_reserve_fill_replaced(stay, replaced, effect);
	if (op->external_ref.size_bytes != 0)
		reserve->external_ref = inv_text_copy(op->external_ref, scratch->external_ref);
	if (op->payment_ref.size_bytes != 0)
		reserve->payment_ref = inv_text_copy(op->payment_ref, scratch->payment_ref);
	if (!op->book)
		reserve->expires_at_us =
			inv_hold_deadline_us(stay->inv, stay->hotel_index, op, now.t_us);
	kr_assert(effect->old_count >= op->line_count);
	kr_assert(effect->hotel.v == op->hotel.v);
}

static void inv_reserve_answer(
	const struct inv_stay *stay, const struct inv_effect *effect, struct inv_answer *answer)
{
	bool has_total = inv_stay_has_total(stay);
	kr_assert(effect->kind == INV_EFFECT_RESERVE);
	inv_zero(answer, sizeof(*answer));
	answer->code = KEYRACK_DONE;
	answer->hotel = effect->hotel;
	answer->state = effect->u.reserve.book ? INV_CONFIRMED : INV_HELD;
	answer->has_total = has_total;
	answer->outcome = KEYRACK_DONE;
	answer->revision = effect->revision;
	answer->expires_at_us = effect->u.reserve.expires_at_us;
	answer->total_minor = has_total ? stay->total_minor : 0;
	answer->event_seq = effect->event_seq;
	kr_assert(answer->event_seq > 0);
}

enum inv_result inv_reserve_judge(struct inv *inv, struct inv_now now,
	const struct inv_reserve_op *op, struct inv_effect *ret_effect,
	struct inv_answer *ret_answer)
{
	/* a foreign one is refused below, so that no hotel is needed to find it */
	uint32_t r = inv_record_seek(inv, INV_NONE, op->id);
	if (r != INV_NONE && bug_is(BUG_ID_INDEXED_AFTER_ANSWER) &&
		inv_record_at(inv, r)->created_at_us == now.t_us)
		r = INV_NONE;
	if (r != INV_NONE && !bug_is(BUG_RETRY_EXECUTED_AGAIN))
		return inv_reserve_known(inv, now, op, r, ret_answer);
	const struct inv_refused *refused = inv_refused_find(inv, op->id);
	if (refused != NULL && !bug_is(BUG_REFUSAL_FORGOTTEN))
		return inv_reserve_remembered(inv, op, refused, ret_answer);
	uint32_t hotel_index = inv_hotel_find(inv, op->hotel), replaced = INV_NONE;
	struct inv_refusal refusal;
	struct inv_reserve_op again;
	if (inv_reserve_is_refused_early(inv, now, &op, &again, &replaced, &refusal))
		return inv_reserve_refuse(inv, op, hotel_index, refusal, ret_answer);
	struct inv_stay stay;
	struct inv_credit credit;
	inv_stay_init(&stay, inv, now.t_us, op, hotel_index, &refusal, 1);
	if (replaced != INV_NONE) {
		inv_credit_init(&credit, inv, inv_record_at(inv, replaced), false);
		stay.credit = &credit;
	}
	if (!inv_stay_try(&stay))
		return inv_reserve_refuse(inv, op, hotel_index, refusal, ret_answer);
	if (!op->book && inv_hold_is_over_cap(inv, op, hotel_index, replaced, &refusal))
		return inv_reserve_say(inv, op, hotel_index, refusal, ret_answer);
	if (inv_reserve_lacks_room(inv, op, inv_stay_freeze(&stay), &refusal))
		return inv_reserve_say(inv, op, hotel_index, refusal, ret_answer);
	inv_reserve_fill(&stay, now, replaced, ret_effect);
	inv_reserve_answer(&stay, ret_effect, ret_answer);
	return INV_EFFECT;
}

/* ---- applying ---- */

static const char *inv_reserve_wrong(const struct inv *inv, uint32_t hotel_index,
	const struct inv_effect *effect, struct inv_effect_lines *plan)
{
	const struct inv_effect_reserve *reserve = &effect->u.reserve;
	kr_assert(effect->kind == INV_EFFECT_RESERVE);
	kr_assert(hotel_index != INV_NONE);
	if (inv_record_find(inv, hotel_index, effect->id) != INV_NONE &&
		!bug_is(BUG_ID_INDEXED_AFTER_ANSWER))
		return "the id is known already";
	if (effect->revision != 1)
		return "a first revision is not 1";
	if (reserve->external_ref.size_bytes > INV_TEXT_SIZE_MAX ||
		reserve->payment_ref.size_bytes > INV_TEXT_SIZE_MAX)
		return "a reference is too long";
	bool is_dated =
		reserve->book ? reserve->expires_at_us == 0 : reserve->expires_at_us > effect->t_us;
	if (!is_dated)
		return "the deadline does not fit the operation";
	const char *wrong =
		inv_effect_lines_plan(inv, hotel_index, reserve->lines, reserve->line_count, plan);
	plan->nodes += inv_text_node_count(reserve->external_ref) +
		       inv_text_node_count(reserve->payment_ref);
	return wrong;
}

static void inv_reserve_commit(struct inv *inv, uint32_t hotel_index,
	const struct inv_effect *effect, const struct inv_effect_lines *plan)
{
	const struct inv_effect_reserve *reserve = &effect->u.reserve;
	uint32_t r = inv_record_take(inv);
	kr_assert(r != INV_NONE);
	struct inv_record *record = inv_record_at(inv, r);
	record->id = effect->id;
	record->fingerprint = reserve->fingerprint;
	record->expires_at_us = reserve->expires_at_us;
	record->hotel_index = hotel_index;
	record->revision = effect->revision;
	record->state = reserve->book ? INV_CONFIRMED : INV_HELD;
	record->flags = reserve->book ? 0 : INV_RECORD_WAS_HELD;
	record->created_at_us = effect->t_us;
	record->changed_at_us = effect->t_us;
	record->event_seq = effect->event_seq;
	record->guest = reserve->guest;
	record->source = effect->actor.source;
	inv_record_put_lines(
		inv, record, reserve->lines, plan->products, reserve->line_count, true);
	if (reserve->external_ref.size_bytes != 0)
		inv_record_put_text(inv, record, INV_NODE_EXTERNAL_REF, reserve->external_ref);
	if (reserve->payment_ref.size_bytes != 0)
		inv_record_put_text(inv, record, INV_NODE_PAYMENT_REF, reserve->payment_ref);
	inv_record_enter(inv, r);
	inv_hotel_at(inv, hotel_index)->ari_version += bug_is(BUG_VERSION_MOVED_BY_SALE);
	kr_assert(record->line_count == reserve->line_count);
}

/* The hold that the effect releases, and what of the hotel it moves; 0, or INV_CONTRADICTION. */
static int inv_replaced_find(const struct inv *inv, uint32_t hotel_index,
	const struct inv_effect *effect, const struct inv_effect_lines *plan, uint32_t *ret_record,
	struct inv_span *spans, uint32_t *ret_span_count, struct inv_contradiction *ret)
{
	const struct inv_effect_reserve *reserve = &effect->u.reserve;
	int r = inv_move_find_id(inv, hotel_index, effect, reserve->replaces,
		reserve->replaced_revision, 1u << INV_HELD, ret_record, ret);
	if (r != 0)
		return r;
	const struct inv_record *record = inv_record_at(inv, *ret_record);
	if (reserve->book)
		return inv_contradict(effect, "a booking replaces a hold", 0, 0, 0, ret);
	if (effect->t_us >= record->expires_at_us)
		return inv_contradict(effect, "an expired hold is replaced", record->expires_at_us,
			effect->t_us, 0, ret);
	kr_assert(record->state == INV_HELD);
	*ret_span_count = inv_spans_exchange(inv, record, plan, reserve->line_count, spans);
	return 0;
}

static void inv_replaced_release(struct inv *inv, uint32_t r, const struct inv_effect *effect)
{
	struct inv_record *record = inv_record_at(inv, r);
	kr_assert(record->state == INV_HELD);
	inv_move_stamp_to(record, effect->u.reserve.replaced_revision, effect);
	inv_record_count_until(inv, record, INV_DAY_MIN);
	inv_record_restate(inv, r, INV_RELEASED);
	kr_assert(record->state == INV_RELEASED);
}

int inv_apply_reserve(struct inv *inv, uint32_t hotel_index, const struct inv_effect *effect,
	struct inv_contradiction *ret)
{
	const struct inv_effect_reserve *reserve = &effect->u.reserve;
	struct inv_effect_lines plan;
	const char *wrong = inv_reserve_wrong(inv, hotel_index, effect, &plan);
	if (wrong != NULL)
		return inv_contradict(effect, wrong, 0, 0, 0, ret);
	uint32_t replaced = INV_NONE, span_count = reserve->line_count;
	struct inv_span exchanged[INV_SPANS_MAX], *spans = plan.spans;
	int r = 0;
	if (!kr_id_is_zero(reserve->replaces)) {
		spans = exchanged;
		r = inv_replaced_find(
			inv, hotel_index, effect, &plan, &replaced, spans, &span_count, ret);
	}
	struct inv_delta delta = {.held = !reserve->book, .booked = reserve->book};
	if (r == 0)
		r = inv_spans_check(inv, spans, span_count, delta, effect, ret);
	if (r != 0)
		return r;
	if (inv_pool_left(&inv->record_pool) == 0 || inv_pool_left(&inv->node_pool) < plan.nodes)
		return INV_NO_ROOM;
	inv_spans_move(inv, spans, span_count, delta);
	if (replaced != INV_NONE)
		inv_replaced_release(inv, replaced, effect);
	inv_reserve_commit(inv, hotel_index, effect, &plan);
	kr_assert(delta.held != delta.booked);
	return 0;
}
