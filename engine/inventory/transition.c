#include "base/bug.h"
#include "engine/inventory/counted.h"
#include "engine/inventory/stay.h"
#include "engine/inventory/transition.h"

/*
 * What a transition finds and what becomes of it:
 *
 *              CONFIRM        RELEASE        CANCEL         CANCEL any     RESOLVE
 *   HELD       CONFIRMED      RELEASED       BAD_STATE      RELEASED       shown
 *   HELD, due  HOLD_EXPIRED   HOLD_EXPIRED   BAD_STATE      HOLD_EXPIRED   shown
 *   CONFIRMED  again          BAD_STATE      CANCELLED      CANCELLED      shown
 *   RELEASED   BAD_STATE      again          BAD_STATE      again          shown
 *   EXPIRED    HOLD_EXPIRED   BAD_STATE      BAD_STATE      BAD_STATE      shown
 *   CANCELLED  BAD_STATE      BAD_STATE      again          again          shown
 *   others     BAD_STATE      BAD_STATE      BAD_STATE      BAD_STATE      shown
 *   VOID       BAD_STATE      BAD_STATE      BAD_STATE      BAD_STATE      NOT_FOUND
 *
 *              EXTEND, ATTACH_PAYMENT   MODIFY        CHECK_IN      COMPLETE      NO_SHOW
 *   HELD       HELD, changed            changed       BAD_STATE     BAD_STATE     BAD_STATE
 *   HELD, due  HOLD_EXPIRED             HOLD_EXPIRED  BAD_STATE     BAD_STATE     BAD_STATE
 *   EXPIRED    HOLD_EXPIRED             HOLD_EXPIRED  BAD_STATE     BAD_STATE     BAD_STATE
 *   CONFIRMED  BAD_STATE                changed       CHECKED_IN    COMPLETED     NO_SHOW
 *   CHECKED_IN BAD_STATE                changed       again         COMPLETED     BAD_STATE
 *   COMPLETED  BAD_STATE                BAD_STATE     BAD_STATE     again         BAD_STATE
 *   NO_SHOW    BAD_STATE                BAD_STATE     BAD_STATE     BAD_STATE     again
 *   others     BAD_STATE                BAD_STATE     BAD_STATE     BAD_STATE     BAD_STATE
 *
 * A change that the record remembers by its id was done: that comes before everything else.
 *
 * A due hold is expired already, the log has merely not said so: giving it back as RELEASED would
 * make its end depend on how far the sweep has come.
 */

/* ---- what is wrong with the request itself ---- */

static enum inv_name inv_transition_lines_malformed(const struct inv_transition_op *op)
{
	struct inv_reserve_op stay = {.lines = op->lines, .line_count = op->line_count};
	kr_assert(op->line_count == 0 || op->lines != NULL);
	if (op->transition != INV_MODIFY)
		return op->line_count != 0      ? INV_NAME_LINES
		       : op->has_expected_total ? INV_NAME_TOTAL
		       : op->force              ? INV_NAME_FORCE
						: 0;
	enum inv_name field = inv_stay_malformed(&stay);
	for (uint32_t i = 0; field == 0 && i < op->line_count; i++) {
		if (op->lines[i].keeps > INV_LINES_MAX)
			field = INV_NAME_KEEPS;
	}
	return field;
}

static enum inv_name inv_transition_malformed(const struct inv_transition_op *op)
{
	kr_assert(op->payment_ref.size_bytes == 0 || op->payment_ref.bytes != NULL);
	if (op->transition < INV_CONFIRM || op->transition > INV_MODIFY)
		return INV_NAME_TRANSITION;
	bool attaches = op->transition == INV_ATTACH_PAYMENT;
	bool extends = op->transition == INV_EXTEND;
	bool changes = attaches || extends || op->transition == INV_MODIFY;
	if (attaches ? op->payment_ref.size_bytes == 0
		     : op->payment_ref.size_bytes != 0 && op->transition != INV_CONFIRM)
		return INV_NAME_PAYMENT_REF;
	if (changes != (op->change_id != 0))
		return INV_NAME_CHANGE_ID;
	if (changes && !op->has_expected_revision)
		return INV_NAME_EXPECTED_REVISION;
	if (extends != (op->expires_at_us != 0) || op->expires_at_us > INV_DEADLINE_MAX_US)
		return INV_NAME_EXPIRES_AT;
	if (!inv_text_fits(op->payment_ref))
		return INV_NAME_PAYMENT_REF;
	if (op->any && op->transition != INV_CANCEL)
		return INV_NAME_ANY;
	if (!inv_text_fits(op->actor.reason))
		return INV_NAME_REASON;
	kr_assert(op->transition >= INV_CONFIRM);
	if (op->actor.source >= INV_SOURCE_RESERVED_FIRST)
		return INV_NAME_SOURCE;
	return inv_transition_lines_malformed(op);
}

/* An id routes by itself only when it has a slot; when a hotel is named too, they agree. */
static bool inv_transition_is_lost(const struct inv_transition_op *op)
{
	kr_assert(op->transition >= INV_CONFIRM && op->transition <= INV_MODIFY);
	if (!reservation_id_is_native(op->id))
		return !op->has_hotel;
	return op->has_hotel && reservation_id_slot(op->id) != slot_of_hotel(op->hotel);
}

/* ---- answers ---- */

enum inv_result inv_transition_refuse(
	const struct inv_transition_case *c, uint16_t code, uint8_t rule, struct inv_answer *answer)
{
	kr_assert(c->record != INV_NONE);
	struct inv_refusal refusal = {.code = code, .rule = rule};
	kr_assert(code_class_of(code) == CODE_FINAL);
	return inv_answer_refuse(c->inv, c->record, c->now.t_us, refusal, answer);
}

enum inv_result inv_transition_repeat(
	const struct inv_transition_case *c, struct inv_answer *answer)
{
	inv_answer_show(c->inv, c->record, c->now.t_us, answer);
	kr_assert(answer->state != INV_VOID);
	answer->repeated = true;
	kr_assert(answer->code == KEYRACK_DONE);
	return INV_ANSWER;
}

/* CONFIRM: what could be had instead. Giving back: only that it is too late. */
enum inv_result inv_transition_expired(
	const struct inv_transition_case *c, struct inv_answer *answer)
{
	const struct inv_record *record = inv_record_at(c->inv, c->record);
	struct inv_refusal refusal = {.code = KEYRACK_HOLD_EXPIRED,
		.rule = RULE_EXPIRY,
		.required = (int64_t)record->expires_at_us,
		.left = (int64_t)c->now.t_us};
	kr_assert(record->state == INV_EXPIRED || inv_record_is_due(record, c->now.t_us));
	if (c->op->transition == INV_CONFIRM)
		refusal = inv_record_tightest(c->inv, record);
	kr_assert(refusal.code == KEYRACK_HOLD_EXPIRED);
	return inv_answer_refuse(c->inv, c->record, c->now.t_us, refusal, answer);
}

/* ---- moves ---- */

bool inv_transition_is_blocked(
	const struct inv_transition_case *c, uint32_t nodes, struct inv_answer *answer)
{
	const struct inv_record *record = inv_record_at(c->inv, c->record);
	struct inv_refusal refusal = {.code = KEYRACK_VERSION_MISMATCH, .rule = RULE_VERSION};
	kr_assert(nodes <= INV_LINES_NODES_MAX + 4);
	if (c->op->has_expected_revision && c->op->expected_revision != record->revision) {
		refusal.required = c->op->expected_revision;
		refusal.left = record->revision;
		inv_answer_refuse(c->inv, c->record, c->now.t_us, refusal, answer);
		return true;
	}
	if (nodes <= inv_pool_left(&c->inv->node_pool))
		return false;
	refusal = (struct inv_refusal){.code = KEYRACK_LIMIT_REACHED,
		.rule = RULE_TABLE,
		.text = inv_name_text(INV_NAME_NODES),
		.required = c->inv->node_pool.capacity,
		.left = inv_pool_left(&c->inv->node_pool)};
	inv_answer_refuse(c->inv, c->record, c->now.t_us, refusal, answer);
	return true;
}

void inv_transition_begin(
	const struct inv_transition_case *c, enum inv_effect_kind kind, struct inv_effect *effect)
{
	const struct inv_record *record = inv_record_at(c->inv, c->record);
	kr_assert(record->state != INV_VOID);
	inv_effect_begin(c->inv, record->hotel_index, kind, c->now, &c->op->actor, effect);
	effect->id = record->id;
	effect->revision = record->revision + 1;
	effect->change_id = c->op->change_id;
	kr_assert(effect->revision > 1);
}

enum inv_result inv_transition_move(const struct inv_transition_case *c, enum inv_effect_kind kind,
	uint8_t to, struct inv_effect *effect, struct inv_answer *answer)
{
	const struct inv_record *record = inv_record_at(c->inv, c->record);
	struct inv_span spans[INV_LINES_MAX];
	kr_assert(record->state != to);
	if (inv_transition_is_blocked(c, 0, answer))
		return INV_ANSWER;
	inv_transition_begin(c, kind, effect);
	if (kind != INV_EFFECT_CHECK_IN) {
		uint32_t span_count = inv_spans_of_record(c->inv, record, spans);
		inv_spans_read(c->inv, spans, span_count, effect);
	}
	inv_answer_after(c->inv, c->record, effect, to, answer);
	return INV_EFFECT;
}

bool inv_payment_is_kept(const struct inv_transition_case *c)
{
	char bytes[INV_TEXT_SIZE_MAX];
	const struct inv_record *record = inv_record_at(c->inv, c->record);
	kr_assert(record->state != INV_VOID);
	return inv_record_text(c->inv, record, INV_NODE_PAYMENT_REF, bytes).size_bytes != 0;
}

bool inv_payment_is_other(const struct inv_transition_case *c)
{
	char bytes[INV_TEXT_SIZE_MAX];
	const struct inv_record *record = inv_record_at(c->inv, c->record);
	kr_assert(c->op->transition == INV_CONFIRM || c->op->transition == INV_ATTACH_PAYMENT);
	if (c->op->payment_ref.size_bytes == 0)
		return false;
	return !inv_text_equal(
		inv_record_text(c->inv, record, INV_NODE_PAYMENT_REF, bytes), c->op->payment_ref);
}

/* A reference that was attached before stays; confirming with another one is refused. */
static enum inv_result inv_confirm_move(
	const struct inv_transition_case *c, struct inv_effect *effect, struct inv_answer *answer)
{
	struct inv_text payment_ref = c->op->payment_ref;
	if (inv_payment_is_kept(c)) {
		if (inv_payment_is_other(c))
			return inv_transition_refuse(
				c, KEYRACK_BAD_STATE, RULE_PAYMENT_REF, answer);
		payment_ref = (struct inv_text){0};
	}
	if (inv_transition_is_blocked(c, inv_text_node_count(payment_ref), answer))
		return INV_ANSWER;
	enum inv_result result =
		inv_transition_move(c, INV_EFFECT_CONFIRM, INV_CONFIRMED, effect, answer);
	kr_assert(result == INV_EFFECT);
	effect->u.confirm.payment_ref =
		inv_text_copy(payment_ref, inv_scratch(c->inv)->payment_ref);
	return result;
}

static enum inv_result inv_confirm_judge(
	const struct inv_transition_case *c, struct inv_effect *effect, struct inv_answer *answer)
{
	const struct inv_record *record = inv_record_at(c->inv, c->record);
	kr_assert(c->op->transition == INV_CONFIRM);
	if (record->state == INV_EXPIRED ||
		(inv_record_is_due(record, c->now.t_us) && !bug_is(BUG_CONFIRM_AFTER_EXPIRY)))
		return inv_transition_expired(c, answer);
	if (record->state == INV_HELD)
		return inv_confirm_move(c, effect, answer);
	if (record->state != INV_CONFIRMED)
		return inv_transition_refuse(c, KEYRACK_BAD_STATE, RULE_STATE, answer);
	if (inv_payment_is_other(c))
		return inv_transition_refuse(c, KEYRACK_BAD_STATE, RULE_PAYMENT_REF, answer);
	return inv_transition_repeat(c, answer);
}

static enum inv_result inv_give_back_judge(
	const struct inv_transition_case *c, struct inv_effect *effect, struct inv_answer *answer)
{
	const struct inv_record *record = inv_record_at(c->inv, c->record);
	bool cancels = c->op->transition == INV_CANCEL;
	bool releases = c->op->transition == INV_RELEASE || c->op->any;
	kr_assert(cancels || releases);
	if ((releases && record->state == INV_RELEASED) ||
		(cancels && record->state == INV_CANCELLED))
		return inv_transition_repeat(c, answer);
	if (releases && inv_record_is_due(record, c->now.t_us))
		return inv_transition_expired(c, answer);
	if (releases && record->state == INV_HELD)
		return inv_transition_move(c, INV_EFFECT_RELEASE, INV_RELEASED, effect, answer);
	if (cancels && record->state == INV_CONFIRMED)
		return inv_transition_move(c, INV_EFFECT_CANCEL, INV_CANCELLED, effect, answer);
	return inv_transition_refuse(c, KEYRACK_BAD_STATE, RULE_STATE, answer);
}

/* ---- RESOLVE ---- */

/* Nobody knows the id: a VOID under it makes "not found" final. It stays with the hotel when one is
 * named and known, else with the shard. */
static enum inv_result inv_void_judge(
	const struct inv_transition_case *c, struct inv_effect *effect, struct inv_answer *answer)
{
	struct inv *inv = c->inv;
	const struct inv_refused *refused = inv_refused_find(inv, c->op->id);
	uint32_t hotel_index = c->op->has_hotel ? inv_hotel_find(inv, c->op->hotel) : INV_NONE;
	kr_assert(c->record == INV_NONE);
	if (inv_pool_left(&inv->record_pool) == 0) {
		inv_refuse_table(
			answer, inv_name_text(INV_NAME_RESERVATIONS), inv->record_pool.capacity);
		return INV_ANSWER;
	}
	inv_effect_begin(inv, hotel_index, INV_EFFECT_VOID, c->now, &c->op->actor, effect);
	effect->id = c->op->id;
	inv_refuse(answer, KEYRACK_NOT_FOUND, RULE_ID);
	answer->refusal.state = INV_VOID;
	answer->hotel = effect->hotel;
	answer->state = INV_VOID;
	answer->outcome = refused != NULL ? refused->code : 0;
	answer->revision = 1;
	answer->event_seq = effect->event_seq;
	kr_assert((effect->event_seq == 0) == (hotel_index == INV_NONE));
	return INV_EFFECT;
}

static enum inv_result inv_resolve_judge(
	const struct inv_transition_case *c, struct inv_answer *answer)
{
	kr_assert(c->op->transition == INV_RESOLVE);
	if (inv_record_at(c->inv, c->record)->state == INV_VOID)
		return inv_transition_refuse(c, KEYRACK_NOT_FOUND, RULE_ID, answer);
	inv_answer_show(c->inv, c->record, c->now.t_us, answer);
	kr_assert(answer->outcome == KEYRACK_DONE);
	return INV_ANSWER;
}

/* ---- */

/* That there is no such record of a named hotel is something this hotel's effects say. */
static enum inv_result inv_transition_refuse_id(
	const struct inv_transition_case *c, uint16_t code, struct inv_answer *answer)
{
	kr_assert(code == KEYRACK_NOT_FOUND || code == KEYRACK_KEY_EXPIRED);
	inv_refuse(answer, code, RULE_ID);
	if (!c->op->has_hotel)
		return INV_ANSWER;
	return inv_answer_wait(c->inv, inv_hotel_find(c->inv, c->op->hotel), answer);
}

/* The id has no record: never had, or no longer. */
static enum inv_result inv_transition_absent(
	const struct inv_transition_case *c, struct inv_effect *effect, struct inv_answer *answer)
{
	uint16_t code = inv_reservation_absent_code(c->inv, c->op->id);
	kr_assert(c->record == INV_NONE);
	/* a foreign id can only be imported, never sold late: nothing needs to be made final */
	if (code == KEYRACK_NOT_FOUND && c->op->transition == INV_RESOLVE &&
		reservation_id_is_native(c->op->id))
		return inv_void_judge(c, effect, answer);
	return inv_transition_refuse_id(c, code, answer);
}

/* A hotel that is named is the record's own, unless the record has none. */
static bool inv_transition_names_other_hotel(const struct inv_transition_case *c)
{
	const struct inv_record *record = inv_record_at(c->inv, c->record);
	kr_assert(kr_id_equal(record->id, c->op->id));
	if (!c->op->has_hotel || record->hotel_index == INV_NONE)
		return false;
	return inv_hotel_at(c->inv, record->hotel_index)->id != c->op->hotel.v;
}

enum inv_result inv_transition_judge(struct inv *inv, struct inv_now now,
	const struct inv_transition_op *op, struct inv_effect *ret_effect,
	struct inv_answer *ret_answer)
{
	enum inv_name field = inv_transition_malformed(op);
	if (field != 0)
		return inv_refuse_field(ret_answer, inv_name_text(field));
	if (inv_transition_is_lost(op))
		return inv_refuse(ret_answer, KEYRACK_INVALID, RULE_ID);
	uint32_t hotel_index =
		reservation_id_is_native(op->id) ? INV_NONE : inv_hotel_find(inv, op->hotel);
	struct inv_transition_case c = {.inv = inv,
		.now = now,
		.op = op,
		.record = inv_record_seek(inv, hotel_index, op->id)};
	if (c.record == INV_NONE)
		return inv_transition_absent(&c, ret_effect, ret_answer);
	if (inv_transition_names_other_hotel(&c))
		return inv_transition_refuse_id(&c, KEYRACK_NOT_FOUND, ret_answer);
	switch (op->transition) {
	case INV_RESOLVE:
		return inv_resolve_judge(&c, ret_answer);
	case INV_CONFIRM:
		return inv_confirm_judge(&c, ret_effect, ret_answer);
	case INV_RELEASE:
	case INV_CANCEL:
		return inv_give_back_judge(&c, ret_effect, ret_answer);
	case INV_EXTEND:
		return inv_extend_judge(&c, ret_effect, ret_answer);
	case INV_ATTACH_PAYMENT:
		return inv_attach_judge(&c, ret_effect, ret_answer);
	case INV_MODIFY:
		return inv_modify_judge(&c, ret_effect, ret_answer);
	case INV_CHECK_IN:
	case INV_COMPLETE:
	case INV_MARK_NO_SHOW:
		return inv_presence_judge(&c, ret_effect, ret_answer);
	}
	kr_unreachable();
}
