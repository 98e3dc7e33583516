#include "engine/inventory/counted.h"
#include "engine/inventory/effect_lines.h"
#include "engine/inventory/reservations.h"
#include "engine/inventory/stay.h"

/*
 * IMPORT: a reservation with a past. It is written as it was told, but for a hold whose deadline
 * has passed on the way: it comes in as EXPIRED at its deadline, and takes no rooms. What would
 * leave at once because it ended too long ago does not come in.
 */

struct inv_import_case {
	struct inv *inv;
	struct inv_now now;
	const struct inv_import_op *op;
	uint32_t hotel_index;
	/* as it comes in */
	uint8_t state;
	bool was_held;
	uint32_t revision;
	uint64_t changed_at_us;
	int32_t check_in, check_out; /* of all lines: once their dates are known to be sound */
	int32_t counted_until;
};

/* It counts rooms. */
static bool inv_import_is_live(uint8_t state)
{
	kr_assert(state >= INV_HELD && state < INV_VOID);
	return state == INV_HELD || inv_state_is_booked(state);
}

/* Its nights up to a date are counted still. */
static bool inv_import_is_cut(uint8_t state)
{
	kr_assert(state != 0);
	return state == INV_NO_SHOW || state == INV_COMPLETED;
}

/* ---- what is wrong with it wherever it is sent ---- */

static bool inv_import_id_is_wrong(
	const struct inv_import_op *op, struct inv_now now, struct inv_refusal *ret)
{
	*ret = (struct inv_refusal){.code = KEYRACK_INVALID, .rule = RULE_ID};
	if (kr_id_is_zero(op->id))
		return true;
	if (!reservation_id_is_native(op->id))
		return false;
	uint64_t minted_us = reservation_id_ms(op->id) * 1000;
	kr_assert(minted_us < UINT64_MAX / 2);
	return reservation_id_slot(op->id) != slot_of_hotel(op->hotel) ||
	       minted_us > KR_MAX(now.t_us, now.wall_us) + INV_ID_AHEAD_MAX_US;
}

static enum inv_name inv_import_instant_wrong(const struct inv_import_case *c)
{
	const struct inv_import_op *op = c->op;
	uint64_t latest_us = KR_MAX(c->now.t_us, c->now.wall_us) + INV_ID_AHEAD_MAX_US;
	kr_assert(c->now.t_us > 0);
	if (op->created_at_us == 0 || op->created_at_us > latest_us)
		return INV_NAME_CREATED_AT;
	if (op->changed_at_us < op->created_at_us || op->changed_at_us > latest_us)
		return INV_NAME_CHANGED_AT;
	if (op->expires_at_us > INV_DEADLINE_MAX_US)
		return INV_NAME_EXPIRES_AT;
	/* only a hold has a deadline, and a live one must */
	if (op->state == INV_HELD ? op->expires_at_us == 0 : op->expires_at_us != 0 && !c->was_held)
		return INV_NAME_EXPIRES_AT;
	return 0;
}

/* Terms as they were frozen elsewhere. */
static enum inv_name inv_import_terms_wrong(const struct inv_line *line)
{
	kr_assert(line->tier_count == 0 || line->tiers != NULL);
	if (inv_tiers_fault(line->tiers, line->tier_count) != NULL)
		return INV_NAME_TERMS;
	return (line->tier_count == 0 && line->arrival_us != 0) ||
			       line->arrival_us > INV_DEADLINE_MAX_US
		       ? INV_NAME_TERMS
		       : 0;
}

static enum inv_name inv_import_malformed(const struct inv_import_case *c)
{
	const struct inv_import_op *op = c->op;
	struct inv_reserve_op stay = {.book = true,
		.lines = op->lines,
		.line_count = op->line_count,
		.external_ref = op->external_ref,
		.payment_ref = op->payment_ref,
		.actor = {.source = op->source, .reason = op->actor.reason}};
	if (op->state < INV_HELD || op->state >= INV_VOID)
		return INV_NAME_STATE;
	/* one more is left for its expiry */
	if (op->revision == 0 || op->revision == UINT32_MAX)
		return INV_NAME_REVISION;
	enum inv_name field = inv_import_instant_wrong(c);
	if (field != 0)
		return field;
	if (op->graced && !c->was_held)
		return INV_NAME_GRACED;
	if (op->has_counted_until ? !inv_import_is_cut(op->state) || op->counted_until < INV_DAY_MIN
				  : op->counted_until != 0)
		return INV_NAME_COUNTED_UNTIL;
	field = inv_stay_malformed(&stay);
	for (uint32_t i = 0; field == 0 && i < op->line_count; i++)
		field = inv_import_terms_wrong(&op->lines[i]);
	kr_assert(op->state < INV_VOID);
	return field;
}

/* ---- what this hotel has to say ---- */

static bool inv_import_is_referred(const struct inv_import_case *c, struct inv_refusal *ret)
{
	const struct inv_import_op *op = c->op;
	if (op->external_ref.size_bytes == 0)
		return false;
	uint32_t other = inv_record_find_external(c->inv, op->hotel, op->source, op->external_ref);
	kr_assert(op->external_ref.size_bytes <= INV_TEXT_SIZE_MAX);
	if (other == INV_NONE)
		return false;
	*ret = (struct inv_refusal){.code = KEYRACK_KEY_REUSED,
		.rule = RULE_EXTERNAL_REF,
		.other = inv_record_at(c->inv, other)->id};
	return true;
}

static void inv_import_date(struct inv_import_case *c)
{
	const struct inv_import_op *op = c->op;
	int32_t business_day = inv_hotel_at(c->inv, c->hotel_index)->first_day;
	kr_assert(op->line_count >= 1);
	c->check_in = op->lines[0].check_in;
	c->check_out = op->lines[0].check_out;
	for (uint32_t i = 1; i < op->line_count; i++) {
		c->check_in = KR_MIN(c->check_in, op->lines[i].check_in);
		c->check_out = KR_MAX(c->check_out, op->lines[i].check_out);
	}
	if (!inv_import_is_cut(c->state))
		return;
	c->counted_until =
		op->has_counted_until ? op->counted_until : KR_MIN(c->check_out, business_day);
	kr_assert(c->check_in < c->check_out);
}

/* Retirement would take it at once: nothing is left to be kept. */
static bool inv_import_is_bygone(const struct inv_import_case *c)
{
	struct inv_retire_case retires = {.state = c->state,
		.changed_at_us = c->changed_at_us,
		.minted_us = inv_id_minted_us(c->op->id, c->op->created_at_us),
		.check_out = c->check_out};
	if (c->state == INV_HELD || inv_retire_us(c->inv, retires) > c->now.t_us)
		return false;
	int32_t business_day = inv_hotel_at(c->inv, c->hotel_index)->first_day;
	kr_assert(c->check_in < c->check_out);
	return !inv_state_is_stay(c->state) || business_day >= c->check_out + INV_STAY_KEEP_DAYS;
}

/* By the hotel's calendar: who is there, or was, or was waited for, must have been due to come. */
static bool inv_import_is_untimely(const struct inv_import_case *c, struct inv_refusal *ret)
{
	int32_t business_day = inv_hotel_at(c->inv, c->hotel_index)->first_day;
	bool has_come = c->state == INV_CHECKED_IN || inv_import_is_cut(c->state);
	kr_assert(c->state != INV_VOID);
	*ret = (struct inv_refusal){.code = KEYRACK_TOO_EARLY,
		.rule = RULE_ARRIVAL,
		.has_day = true,
		.day = c->check_in,
		.required = c->check_in,
		.left = business_day};
	if (has_come && business_day < c->check_in)
		return true;
	*ret = (struct inv_refusal){.code = KEYRACK_INVALID,
		.rule = RULE_FIELD,
		.text = inv_name_text(INV_NAME_COUNTED_UNTIL)};
	if (inv_import_is_cut(c->state) && c->counted_until > business_day)
		return true;
	*ret = (struct inv_refusal){.code = KEYRACK_KEY_EXPIRED, .rule = RULE_ID};
	return inv_import_is_bygone(c);
}

static bool inv_import_lacks_room(
	const struct inv_import_case *c, const struct inv_line *lines, struct inv_refusal *ret)
{
	const struct inv *inv = c->inv;
	uint32_t nodes = inv_lines_node_count(lines, c->op->line_count) +
			 inv_text_node_count(c->op->external_ref) +
			 inv_text_node_count(c->op->payment_ref) + (c->op->change_id != 0);
	bool lacks_record = inv_pool_left(&inv->record_pool) == 0;
	const struct inv_pool *pool = lacks_record ? &inv->record_pool : &inv->node_pool;
	kr_assert(nodes <= INV_LINES_NODES_MAX + 5);
	*ret = (struct inv_refusal){.code = KEYRACK_LIMIT_REACHED,
		.rule = RULE_TABLE,
		.required = pool->capacity,
		.left = inv_pool_left(pool),
		.text = inv_name_text(lacks_record ? INV_NAME_RESERVATIONS : INV_NAME_NODES)};
	return lacks_record || inv_pool_left(&inv->node_pool) < nodes;
}

/* The lines as they come in, in the scratch; NULL: *ret says why not. Prices are what was agreed,
 * wherever they were from: as runs. */
static struct inv_line *inv_import_try(struct inv_import_case *c, struct inv_stay *stay,
	struct inv_reserve_op *op, struct inv_line *lines, struct inv_refusal *ret)
{
	kr_assert(c->op->line_count >= 1 && c->op->line_count <= INV_LINES_MAX);
	for (uint32_t i = 0; i < c->op->line_count; i++) {
		lines[i] = c->op->lines[i];
		if (lines[i].pricing == INV_PRICE_CALENDAR)
			lines[i].pricing = INV_PRICE_CALLER;
	}
	*op = (struct inv_reserve_op){.hotel = c->op->hotel,
		.id = c->op->id,
		.book = c->state != INV_HELD,
		.force = c->op->force,
		.lines = lines,
		.line_count = c->op->line_count};
	inv_stay_init(stay, c->inv, c->now.t_us, op, c->hotel_index, ret, 1);
	if (!inv_stay_try_import(stay, !inv_import_is_live(c->state)))
		return NULL;
	inv_import_date(c);
	struct inv_line *frozen = inv_scratch(c->inv)->lines;
	kr_assert(frozen == inv_stay_freeze(stay));
	for (uint32_t i = 0; i < c->op->line_count; i++)
		frozen[i].pricing = c->op->lines[i].pricing;
	if (inv_import_is_untimely(c, ret) || inv_import_lacks_room(c, frozen, ret))
		return NULL;
	return frozen;
}

/* ---- judging ---- */

static enum inv_result inv_import_refuse(
	const struct inv_import_case *c, struct inv_refusal refusal, struct inv_answer *answer)
{
	kr_assert(refusal.code != KEYRACK_DONE);
	kr_assert(refusal.rule != 0);
	inv_zero(answer, sizeof(*answer));
	answer->code = refusal.code;
	answer->refusal = refusal;
	answer->hotel = c->op->hotel;
	answer->outcome = code_class_of(refusal.code) == CODE_FINAL ? refusal.code : 0;
	return inv_answer_wait(c->inv, c->hotel_index, answer);
}

/* It came in before, or the id is somebody else's. */
static enum inv_result inv_import_known(
	const struct inv_import_case *c, uint32_t r, struct inv_answer *answer)
{
	const struct inv_record *record = inv_record_at(c->inv, r);
	struct inv_span spans[INV_LINES_MAX];
	struct inv_refusal refusal = {.code = KEYRACK_BAD_STATE, .rule = RULE_STATE};
	kr_assert(kr_id_equal(record->id, c->op->id));
	if (record->state == INV_VOID)
		return inv_answer_refuse(c->inv, r, c->now.t_us, refusal, answer);
	refusal = (struct inv_refusal){.code = KEYRACK_KEY_REUSED, .rule = RULE_ID};
	if (record->fingerprint != c->op->fingerprint)
		return inv_answer_refuse(c->inv, r, c->now.t_us, refusal, answer);
	inv_answer_show(c->inv, r, c->now.t_us, answer);
	answer->repeated = true;
	if (inv_import_is_live(record->state))
		answer->cells_over_limit = inv_spans_over_limit(
			c->inv, spans, inv_spans_of_record(c->inv, record, spans), true);
	kr_assert(answer->code == KEYRACK_DONE);
	return INV_ANSWER;
}

/* A hold that nobody expired in time ended at its deadline. */
static void inv_import_settle(struct inv_import_case *c)
{
	const struct inv_import_op *op = c->op;
	bool lapsed =
		op->state == INV_HELD && op->expires_at_us != 0 && op->expires_at_us <= c->now.t_us;
	kr_assert(c->inv != NULL);
	c->state = lapsed ? INV_EXPIRED : op->state;
	c->revision = op->revision + lapsed;
	c->changed_at_us =
		lapsed ? KR_MAX(op->changed_at_us, op->expires_at_us) : op->changed_at_us;
	c->was_held = op->was_held || op->state == INV_HELD || op->state == INV_RELEASED ||
		      op->state == INV_EXPIRED;
}

static void inv_import_fill(
	const struct inv_import_case *c, const struct inv_line *lines, struct inv_effect *effect)
{
	const struct inv_import_op *op = c->op;
	struct inv_scratch *scratch = inv_scratch(c->inv);
	struct inv_actor actor = op->actor;
	actor.source = INV_SOURCE_IMPORT;
	inv_effect_begin(c->inv, c->hotel_index, INV_EFFECT_IMPORT, c->now, &actor, effect);
	effect->id = op->id;
	effect->revision = c->revision;
	effect->u.import = (struct inv_effect_import){
		.state = c->state,
		.was_held = c->was_held,
		.graced = op->graced,
		.forced = op->force,
		.counted_until = c->counted_until,
		.source = op->source,
		.fingerprint = op->fingerprint,
		.created_at_us = op->created_at_us,
		.changed_at_us = c->changed_at_us,
		.expires_at_us = op->expires_at_us,
		.change_id = op->change_id,
		.guest = op->guest,
		.lines = lines,
		.line_count = op->line_count,
	};
	if (op->external_ref.size_bytes != 0)
		effect->u.import.external_ref =
			inv_text_copy(op->external_ref, scratch->external_ref);
	if (op->payment_ref.size_bytes != 0)
		effect->u.import.payment_ref = inv_text_copy(op->payment_ref, scratch->payment_ref);
	kr_assert(effect->revision > 0);
}

/* The counters it found, and how many nights it brings over their limit. */
static uint32_t inv_import_count(const struct inv_import_case *c, struct inv_effect *effect)
{
	struct inv_effect_lines planned;
	const struct inv_effect_import *import = &effect->u.import;
	const char *wrong = inv_effect_lines_plan(
		c->inv, c->hotel_index, import->lines, import->line_count, &planned);
	kr_assert(wrong == NULL);
	if (!inv_import_is_live(c->state))
		return 0;
	inv_spans_read(c->inv, planned.spans, import->line_count, effect);
	uint32_t count = inv_spans_over_limit(c->inv, planned.spans, import->line_count, false);
	kr_assert(count == 0 || c->op->force);
	return count;
}

/* What it cost to give it back, where that was done elsewhere. */
static void inv_import_answer_cost(
	const struct inv_effect_import *import, struct inv_answer *answer)
{
	kr_assert(import->line_count >= 1);
	if (import->state != INV_CANCELLED && import->state != INV_NO_SHOW)
		return;
	struct inv_cost cost =
		inv_lines_cost(import->lines, import->line_count, import->changed_at_us);
	kr_assert(cost.has_amounts == answer->has_total);
	answer->has_amounts = cost.has_amounts;
	answer->penalty_minor = cost.penalty_minor;
	answer->refundable_minor = cost.refundable_minor;
}

static void inv_import_answer(
	const struct inv_stay *stay, const struct inv_effect *effect, struct inv_answer *answer)
{
	inv_zero(answer, sizeof(*answer));
	kr_assert(effect->kind == INV_EFFECT_IMPORT);
	answer->code = KEYRACK_DONE;
	answer->hotel = effect->hotel;
	answer->state = effect->u.import.state;
	answer->outcome = KEYRACK_DONE;
	answer->revision = effect->revision;
	answer->expires_at_us = effect->u.import.expires_at_us;
	answer->has_total = inv_stay_has_total(stay);
	answer->total_minor = answer->has_total ? stay->total_minor : 0;
	if (effect->u.import.state == INV_CANCELLED || effect->u.import.state == INV_NO_SHOW) {
		const struct inv_effect_import *import = &effect->u.import;
		struct inv_cost cost =
			inv_lines_cost(import->lines, import->line_count, import->changed_at_us);
		answer->has_amounts = cost.has_amounts;
		answer->penalty_minor = cost.penalty_minor;
		answer->refundable_minor = cost.refundable_minor;
	}
	answer->event_seq = effect->event_seq;
	inv_import_answer_cost(&effect->u.import, answer);
	kr_assert(answer->event_seq > 0);
}

enum inv_result inv_import_judge(struct inv *inv, struct inv_now now,
	const struct inv_import_op *op, struct inv_effect *ret_effect,
	struct inv_answer *ret_answer)
{
	struct inv_import_case c = {
		.inv = inv, .now = now, .op = op, .hotel_index = inv_hotel_find(inv, op->hotel)};
	struct inv_line lines[INV_LINES_MAX];
	struct inv_refusal refusal;
	struct inv_reserve_op stay_op;
	struct inv_stay stay;
	uint32_t r = inv_record_seek(inv, c.hotel_index, op->id);
	if (r != INV_NONE)
		return inv_import_known(&c, r, ret_answer);
	inv_import_settle(&c);
	if (inv_import_id_is_wrong(op, now, &refusal))
		return inv_import_refuse(&c, refusal, ret_answer);
	enum inv_name field = inv_import_malformed(&c);
	refusal = (struct inv_refusal){.code = KEYRACK_INVALID, .rule = RULE_FIELD};
	if (field != 0) {
		refusal.text = inv_name_text(field);
		return inv_import_refuse(&c, refusal, ret_answer);
	}
	if (inv_import_is_referred(&c, &refusal))
		return inv_import_refuse(&c, refusal, ret_answer);
	const struct inv_line *frozen = inv_import_try(&c, &stay, &stay_op, lines, &refusal);
	if (frozen == NULL)
		return inv_import_refuse(&c, refusal, ret_answer);
	inv_import_fill(&c, frozen, ret_effect);
	inv_import_answer(&stay, ret_effect, ret_answer);
	ret_answer->cells_over_limit = inv_import_count(&c, ret_effect);
	return INV_EFFECT;
}

/* ---- applying ---- */

/* A live reservation's nights are all inside the window or before it. */
static bool inv_import_lines_reach(const struct inv *inv, uint32_t hotel_index,
	const struct inv_line *lines, uint32_t line_count)
{
	int32_t end =
		inv_hotel_at(inv, hotel_index)->first_day + (int32_t)inv->config.window_nights;
	kr_assert(line_count <= INV_LINES_MAX);
	for (uint32_t i = 0; i < line_count; i++) {
		if (lines[i].check_out > end)
			return false;
	}
	return true;
}

static const char *inv_import_wrong(const struct inv *inv, uint32_t hotel_index,
	const struct inv_effect *effect, struct inv_effect_lines *plan)
{
	const struct inv_effect_import *import = &effect->u.import;
	kr_assert(hotel_index != INV_NONE);
	if (inv_record_find(inv, hotel_index, effect->id) != INV_NONE)
		return "the id is known already";
	if (import->state < INV_HELD || import->state >= INV_VOID || effect->revision == 0)
		return "a reservation comes in without a state or revision";
	if (import->external_ref.size_bytes > INV_TEXT_SIZE_MAX ||
		import->payment_ref.size_bytes > INV_TEXT_SIZE_MAX)
		return "a reference is too long";
	if (import->state == INV_HELD && import->expires_at_us <= effect->t_us)
		return "the deadline does not fit the operation";
	if (import->created_at_us > import->changed_at_us ||
		(import->state == INV_HELD && !import->was_held))
		return "the reservation's past contradicts itself";
	if (inv_import_is_cut(import->state) &&
		import->counted_until > inv_hotel_at(inv, hotel_index)->first_day)
		return "a stay that is over counts nights to come";
	const char *wrong =
		inv_effect_lines_plan(inv, hotel_index, import->lines, import->line_count, plan);
	if (wrong == NULL && inv_import_is_live(import->state) &&
		!inv_import_lines_reach(inv, hotel_index, import->lines, import->line_count))
		return "a line's nights are outside the window";
	plan->nodes += inv_text_node_count(import->external_ref) +
		       inv_text_node_count(import->payment_ref) + (import->change_id != 0);
	return wrong;
}

static void inv_import_hang(struct inv *inv, struct inv_record *record,
	const struct inv_effect_import *import, const struct inv_effect_lines *plan)
{
	bool is_cut = inv_import_is_cut(import->state);
	bool counted = is_cut || inv_import_is_live(import->state);
	kr_assert(record->more == INV_NONE);
	inv_record_put_lines(
		inv, record, import->lines, plan->products, import->line_count, counted);
	if (is_cut)
		inv_record_count_until(inv, record, KR_MAX(import->counted_until, INV_DAY_MIN));
	if (import->external_ref.size_bytes != 0)
		inv_record_put_text(inv, record, INV_NODE_EXTERNAL_REF, import->external_ref);
	if (import->payment_ref.size_bytes != 0)
		inv_record_put_text(inv, record, INV_NODE_PAYMENT_REF, import->payment_ref);
	if (import->change_id != 0)
		inv_record_put_change(inv, record, import->change_id);
	kr_assert(record->line_count == import->line_count);
}

static void inv_import_commit(struct inv *inv, uint32_t hotel_index,
	const struct inv_effect *effect, const struct inv_effect_lines *plan)
{
	const struct inv_effect_import *import = &effect->u.import;
	uint32_t r = inv_record_take(inv);
	kr_assert(r != INV_NONE);
	struct inv_record *record = inv_record_at(inv, r);
	record->id = effect->id;
	record->fingerprint = import->fingerprint;
	record->expires_at_us = import->expires_at_us;
	record->hotel_index = hotel_index;
	record->revision = effect->revision;
	record->state = import->state;
	record->flags = (uint8_t)((import->was_held ? INV_RECORD_WAS_HELD : 0) |
				  (import->graced ? INV_RECORD_GRACED : 0));
	record->created_at_us = import->created_at_us;
	record->changed_at_us = import->changed_at_us;
	record->event_seq = effect->event_seq;
	record->guest = import->guest;
	record->source = import->source;
	inv_import_hang(inv, record, import, plan);
	inv_record_enter(inv, r);
	kr_assert(record->event_seq > 0);
}

int inv_apply_import(struct inv *inv, uint32_t hotel_index, const struct inv_effect *effect,
	struct inv_contradiction *ret)
{
	const struct inv_effect_import *import = &effect->u.import;
	struct inv_effect_lines plan;
	kr_assert(effect->kind == INV_EFFECT_IMPORT);
	const char *wrong = inv_import_wrong(inv, hotel_index, effect, &plan);
	if (wrong != NULL)
		return inv_contradict(effect, wrong, 0, 0, 0, ret);
	bool is_live = inv_import_is_live(import->state);
	bool books = import->state != INV_HELD;
	struct inv_delta delta = {.held = !books, .booked = books};
	if (!is_live && effect->old_count != 0)
		return inv_contradict(
			effect, "the effect counts other nights", effect->old_count, 0, 0, ret);
	int error =
		is_live ? inv_spans_check(inv, plan.spans, import->line_count, delta, effect, ret)
			: 0;
	if (error != 0)
		return error;
	if (inv_pool_left(&inv->record_pool) == 0 || inv_pool_left(&inv->node_pool) < plan.nodes)
		return INV_NO_ROOM;
	if (is_live)
		inv_spans_move(inv, plan.spans, import->line_count, delta);
	inv_import_commit(inv, hotel_index, effect, &plan);
	return 0;
}
