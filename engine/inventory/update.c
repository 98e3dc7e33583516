#include "engine/inventory/update.h"

#include "engine/inventory/class.h"
#include "engine/inventory/hotel.h"
#include "engine/inventory/product.h"
#include "engine/inventory/stock.h"

/* Rows an update names, in the order it is applied. */
struct inv_update_rows {
	uint16_t *types;
	uint32_t *rows;
	uint32_t count;
};

/* ---- judging ---- */

static bool inv_update_refuse_full(struct inv_answer *answer, const char *field)
{
	inv_refuse(answer, KEYRACK_COUNTER_FULL, RULE_COUNTER);
	answer->refusal.text = field;
	kr_assert(field != NULL);
	return true;
}

static bool inv_update_refuse_day(
	struct inv_answer *answer, uint16_t code, int32_t day, int32_t bound)
{
	inv_refuse(answer, code, RULE_DATES);
	answer->refusal.has_day = true;
	answer->refusal.day = day;
	answer->refusal.required = bound;
	kr_assert(day != bound);
	return true;
}

/* Whether the row's plan of that number has nights that an update can change. */
static bool inv_row_has_rates(const struct inv *inv, uint32_t row, uint16_t plan, bool *ret_derived)
{
	uint32_t product = inv_product_find(inv, row, plan);
	const struct inv_plan *found = product == INV_NONE ? NULL : inv_product_plan(inv, product);
	kr_assert(ret_derived != NULL);
	*ret_derived = found != NULL && found->derivation != INV_PRICES_OWN;
	return product != INV_NONE && !*ret_derived;
}

/* Every type of the hotel that has the plan, ascending. */
static void inv_update_rows_all(const struct inv *inv, const struct inv_hotel *hotel, uint16_t plan,
	struct inv_update_rows *ret)
{
	bool is_derived;
	ret->count = 0;
	for (uint32_t r = hotel->row_head; r != INV_NONE; r = inv_row_at(inv, r)->next) {
		if (!inv_row_has_rates(inv, r, plan, &is_derived))
			continue;
		kr_assert(ret->count < INV_HOTEL_TYPES_MAX);
		ret->types[ret->count] = inv_row_at(inv, r)->type;
		ret->rows[ret->count++] = r;
	}
	kr_assert(ret->count <= hotel->row_count);
}

static bool inv_rows_have(const struct inv_update_rows *rows, uint32_t row)
{
	for (uint32_t i = 0; i < rows->count; i++) {
		if (rows->rows[i] == row)
			return true;
	}
	return false;
}

/* A type named without the plan, or with one whose nights are another's. */
static bool inv_update_plan_refuse(const struct inv *inv, uint32_t row, uint16_t plan,
	uint32_t line, struct inv_answer *ret_answer)
{
	bool is_derived;
	kr_assert(line < INV_HOTEL_TYPES_MAX);
	if (inv_row_has_rates(inv, row, plan, &is_derived))
		return false;
	if (is_derived)
		return inv_refuse_field(ret_answer, "plan") == INV_ANSWER;
	inv_refuse(ret_answer, KEYRACK_NOT_FOUND, RULE_PLAN);
	ret_answer->refusal.line = (uint16_t)line;
	ret_answer->refusal.required = plan;
	return true;
}

/* The rows an operation names, or a refusal and true. */
static bool inv_update_rows_refuse(const struct inv *inv, uint32_t hotel_index,
	const uint16_t *types, uint32_t type_count, uint16_t plan, struct inv_update_rows *ret,
	struct inv_answer *ret_answer)
{
	const struct inv_hotel *hotel = inv_hotel_at(inv, hotel_index);
	ret->count = 0;
	if (type_count == 0)
		inv_update_rows_all(inv, hotel, plan, ret);
	if (type_count > INV_HOTEL_TYPES_MAX)
		return inv_refuse_field(ret_answer, "types") == INV_ANSWER;
	for (uint32_t i = 0; i < type_count; i++) {
		uint32_t row = inv_row_find(inv, hotel_index, types[i]);
		if (row == INV_NONE) {
			inv_refuse(ret_answer, KEYRACK_NOT_FOUND, RULE_TYPE);
			ret_answer->refusal.line = (uint16_t)i;
			ret_answer->refusal.required = types[i];
			return true;
		}
		if (inv_rows_have(ret, row))
			return inv_refuse_field(ret_answer, "types") == INV_ANSWER;
		if (inv_update_plan_refuse(inv, row, plan, i, ret_answer))
			return true;
		ret->types[ret->count] = types[i];
		ret->rows[ret->count++] = row;
	}
	if (ret->count == 0)
		return inv_refuse(ret_answer, KEYRACK_NOT_FOUND,
			       hotel->row_count == 0 ? RULE_TYPE : RULE_PLAN) == INV_ANSWER;
	kr_assert(ret->count == type_count || type_count == 0);
	return false;
}

static bool inv_update_dates_refuse(const struct inv *inv, const struct inv_hotel *hotel,
	const struct inv_update *u, uint32_t row_count, struct inv_answer *ret_answer)
{
	int32_t last = hotel->first_day + (int32_t)inv->config.window_nights - 1;
	kr_assert(u->first_day <= u->last_day);
	if (u->first_day < hotel->first_day)
		return inv_update_refuse_day(
			ret_answer, KEYRACK_PAST_DATE, u->first_day, hotel->first_day);
	if (u->last_day > last)
		return inv_update_refuse_day(
			ret_answer, KEYRACK_OUT_OF_WINDOW, KR_MAX(u->first_day, last + 1), last);
	uint64_t cells = (uint64_t)(u->last_day - u->first_day + 1) * row_count;
	if (cells <= INV_UPDATE_CELLS_MAX)
		return false;
	inv_refuse_field(ret_answer, "cells");
	ret_answer->refusal.required = INV_UPDATE_CELLS_MAX;
	ret_answer->refusal.left = (int64_t)cells;
	return true;
}

/* An older or repeated source_seq: done before, and nothing changes. */
static bool inv_update_is_repeated(
	const struct inv *inv, uint32_t hotel_index, const struct inv_update *u, uint64_t *ret_last)
{
	const struct inv_hotel_cold *cold = inv_hotel_cold_at(inv, hotel_index);
	uint32_t unused;
	*ret_last = 0;
	if (u->source == 0)
		return false;
	uint32_t at = inv_source_find(cold, u->source, &unused);
	if (at == INV_HOTEL_SOURCES_MAX)
		return false;
	*ret_last = cold->sources[at].last_seq;
	kr_assert(*ret_last != 0);
	return u->source_seq != 0 && u->source_seq <= *ret_last;
}

static enum inv_result inv_update_answer_repeated(
	const struct inv_hotel *hotel, uint64_t last_seq, struct inv_answer *ret_answer)
{
	kr_assert(last_seq != 0);
	*ret_answer = (struct inv_answer){
		.code = KEYRACK_DONE,
		.hotel = {hotel->id},
		.repeated = true,
		.event_seq = hotel->event_seq,
		.ari_version = hotel->ari_version,
		.last_source_seq = last_seq,
	};
	return INV_ANSWER;
}

static bool inv_update_tables_refuse(const struct inv *inv, uint32_t hotel_index,
	const struct inv_update *u, const struct inv_update_outcome *outcome,
	struct inv_answer *ret_answer)
{
	kr_assert(outcome->run_growth <= outcome->run_growth_max);
	if (outcome->run_growth_max > (int64_t)inv_pool_left(&inv->run_pool))
		return inv_refuse_table(ret_answer, "stock runs", inv->config.stock_runs_max) ==
		       INV_ANSWER;
	if (outcome->class_growth > inv_classes_left(inv))
		return inv_refuse_table(ret_answer, "length-of-stay classes", INV_CLASSES_MAX) ==
		       INV_ANSWER;
	if (u->source_seq == 0)
		return false;
	uint32_t place;
	uint32_t at = inv_source_find(inv_hotel_cold_at(inv, hotel_index), u->source, &place);
	if (at == INV_HOTEL_SOURCES_MAX && place == INV_HOTEL_SOURCES_MAX)
		return inv_refuse_table(ret_answer, "sources of the hotel",
			       INV_HOTEL_SOURCES_MAX) == INV_ANSWER;
	return false;
}

/* Everything that can be said before the nights are looked at; true when *ret_answer has it. */
static bool inv_update_op_answer(const struct inv *inv, uint32_t hotel_index,
	const struct inv_update_op *op, struct inv_update_rows *ret_rows,
	struct inv_answer *ret_answer)
{
	const struct inv_update *u = &op->update;
	const struct inv_hotel *hotel = inv_hotel_at(inv, hotel_index);
	uint64_t last_seq;
	kr_assert(hotel->id == op->hotel.v);
	if (inv_update_is_repeated(inv, hotel_index, u, &last_seq))
		return inv_update_answer_repeated(hotel, last_seq, ret_answer) == INV_ANSWER;
	if (inv_version_is_stale(
		    hotel, op->has_expected_version, op->expected_ari_version, ret_answer))
		return true;
	if (inv_update_rows_refuse(
		    inv, hotel_index, op->types, op->type_count, u->plan, ret_rows, ret_answer))
		return true;
	return inv_update_dates_refuse(inv, hotel, u, ret_rows->count, ret_answer);
}

static enum inv_result inv_update_nights_judge(struct inv *inv, uint32_t hotel_index,
	const struct inv_update_rows *rows, struct inv_effect *ret_effect,
	struct inv_answer *ret_answer)
{
	struct inv_effect_update *effect = &ret_effect->u.update;
	struct inv_update_plan plan;
	struct inv_update_olds olds = {.out = inv_scratch(inv)->update_olds};
	struct inv_update_outcome outcome;
	struct inv_refusal refusal;
	inv_update_plan_init(&plan, &effect->update);
	if (!inv_update_walk(inv, &plan, rows->rows, rows->count, &olds, &outcome, &refusal)) {
		*ret_answer = (struct inv_answer){.code = refusal.code, .refusal = refusal};
		return INV_ANSWER;
	}
	if (inv_update_tables_refuse(inv, hotel_index, &effect->update, &outcome, ret_answer))
		return INV_ANSWER;
	effect->types = rows->types;
	effect->type_count = rows->count;
	effect->ari_version = inv_hotel_at(inv, hotel_index)->ari_version + 1;
	effect->olds = olds.out;
	effect->old_count = olds.count;
	kr_assert(outcome.cell_count <= INV_UPDATE_CELLS_MAX);
	*ret_answer = (struct inv_answer){
		.code = KEYRACK_DONE,
		.hotel = ret_effect->hotel,
		.event_seq = ret_effect->event_seq,
		.ari_version = effect->ari_version,
		.cell_count = outcome.cell_count,
		.cells_over_limit = outcome.over_count,
		.last_source_seq = effect->update.source_seq,
	};
	return INV_EFFECT;
}

enum inv_result inv_update_judge(struct inv *inv, struct inv_now now,
	const struct inv_update_op *op, struct inv_effect *ret_effect,
	struct inv_answer *ret_answer)
{
	struct inv_scratch *scratch = inv_scratch(inv);
	struct inv_update_rows rows = {.types = scratch->types, .rows = scratch->rows};
	bool is_full;
	kr_assert(op != NULL && ret_effect != NULL);
	const char *fault = inv_update_fault(&op->update, &is_full);
	if (fault != NULL && is_full) {
		inv_update_refuse_full(ret_answer, fault);
		return INV_ANSWER;
	}
	if (fault != NULL)
		return inv_refuse_field(ret_answer, fault);
	uint32_t hotel_index = inv_hotel_find(inv, op->hotel);
	if (hotel_index == INV_NONE)
		return inv_refuse(ret_answer, KEYRACK_NOT_FOUND, RULE_HOTEL);
	if (inv_update_op_answer(inv, hotel_index, op, &rows, ret_answer))
		return inv_answer_wait(inv, hotel_index, ret_answer);
	inv_effect_begin(inv, hotel_index, INV_EFFECT_UPDATE, now, &op->actor, ret_effect);
	ret_effect->u.update.update = op->update;
	inv_update_normalise(&ret_effect->u.update.update);
	if (inv_update_nights_judge(inv, hotel_index, &rows, ret_effect, ret_answer) == INV_EFFECT)
		return INV_EFFECT;
	return inv_answer_wait(inv, hotel_index, ret_answer);
}

/* ---- applying ---- */

static int inv_update_effect_check(const struct inv *inv, uint32_t hotel_index,
	const struct inv_effect *effect, struct inv_update_rows *ret_rows,
	struct inv_contradiction *ret)
{
	const struct inv_effect_update *e = &effect->u.update;
	const struct inv_hotel *hotel = inv_hotel_at(inv, hotel_index);
	struct inv_answer answer;
	uint64_t last_seq;
	bool is_full;
	kr_assert(effect->kind == INV_EFFECT_UPDATE);
	if (e->ari_version != hotel->ari_version + 1)
		return inv_contradict(effect, "ari_version does not follow", e->ari_version,
			hotel->ari_version + 1, 0, ret);
	if (e->type_count == 0 || inv_update_fault(&e->update, &is_full) != NULL)
		return inv_contradict(effect, "an update's field is out of range", 0, 0, 0, ret);
	if (inv_update_is_repeated(inv, hotel_index, &e->update, &last_seq))
		return inv_contradict(effect, "an update's source_seq was here already",
			e->update.source_seq, last_seq, 0, ret);
	if (inv_update_rows_refuse(
		    inv, hotel_index, e->types, e->type_count, e->update.plan, ret_rows, &answer) ||
		inv_update_dates_refuse(inv, hotel, &e->update, ret_rows->count, &answer))
		return inv_contradict(effect, "an update's room types or nights are not there",
			(uint64_t)answer.refusal.required, (uint64_t)answer.refusal.left,
			answer.refusal.day, ret);
	return 0;
}

/* The first walk: nights are as the effect remembers them, and what it makes of them fits. */
static int inv_update_nights_check(const struct inv *inv, uint32_t hotel_index,
	const struct inv_effect *effect, const struct inv_update_plan *plan,
	const struct inv_update_rows *rows, struct inv_contradiction *ret)
{
	const struct inv_effect_update *e = &effect->u.update;
	struct inv_update_olds olds = {.expected = e->olds, .expected_count = e->old_count};
	struct inv_update_outcome outcome;
	struct inv_refusal refusal;
	struct inv_answer answer;
	kr_assert(e->olds != NULL || e->old_count == 0);
	if (olds.expected == NULL)
		olds.expected = inv_scratch(inv)->update_olds;
	if (!inv_update_walk(inv, plan, rows->rows, rows->count, &olds, &outcome, &refusal))
		return inv_contradict(effect, "an update cannot be applied to a night",
			(uint64_t)refusal.required, (uint64_t)refusal.left, refusal.day, ret);
	if (olds.differs)
		return inv_contradict(effect, "a night was not what the update saw", e->old_count,
			olds.count, olds.differs_day, ret);
	if (inv_update_tables_refuse(inv, hotel_index, &e->update, &outcome, &answer))
		return INV_NO_ROOM;
	return 0;
}

static void inv_update_row_store(
	struct inv *inv, const struct inv_update_plan *plan, uint32_t row_index)
{
	struct inv_scratch *scratch = inv_scratch(inv);
	struct inv_refusal refusal;
	uint32_t count = 0;
	const struct inv_plan *product =
		inv_product_plan(inv, inv_product_find(inv, row_index, plan->update->plan));
	bool is_fit = inv_update_row(inv, plan, row_index, &count, &refusal);
	kr_assert(is_fit);
	/* Runs of one class are the rule: remember what it became. */
	uint16_t memo_old = 0, memo_new = 0;
	bool has_memo = false;
	for (uint32_t n = 0; n < count; n++) {
		struct inv_night_change *change = &scratch->changes[n];
		if (plan->changes_classes) {
			struct cell_rate rate = cell_rate_unpack(change->new.rate);
			if (!has_memo || rate.class_index != memo_old) {
				memo_old = rate.class_index;
				memo_new = inv_class_intern(
					inv, inv_update_los(plan, inv_los_class(inv, memo_old)));
				has_memo = true;
			}
			rate.class_index = memo_new;
			change->new.rate = cell_rate_pack(rate);
		}
		inv_product_store(inv, row_index, product, change->ring, change->old, change->new);
	}
	struct inv_row *row = inv_row_at(inv, row_index);
	if (plan->changes_stock)
		inv_stock_replace(
			inv, row, inv_hotel_at(inv, row->hotel_index)->first_day, scratch->stocks);
	kr_assert(count <= inv->config.window_nights);
}

static void inv_source_store(struct inv_hotel_cold *cold, const struct inv_update *u)
{
	uint32_t place;
	if (u->source_seq == 0)
		return;
	uint32_t at = inv_source_find(cold, u->source, &place);
	kr_assert(at < INV_HOTEL_SOURCES_MAX || place < INV_HOTEL_SOURCES_MAX);
	struct inv_source *source = &cold->sources[at < INV_HOTEL_SOURCES_MAX ? at : place];
	/* A first number says nothing about those before it. */
	if (source->source != 0 && u->source_seq != source->last_seq + 1)
		source->gaps++;
	kr_assert(u->source_seq > source->last_seq);
	source->source = u->source;
	source->last_seq = u->source_seq;
}

int inv_apply_update(struct inv *inv, uint32_t hotel_index, const struct inv_effect *effect,
	struct inv_contradiction *ret)
{
	struct inv_scratch *scratch = inv_scratch(inv);
	const struct inv_update *u = &effect->u.update.update;
	struct inv_update_rows rows = {.types = scratch->types, .rows = scratch->rows};
	struct inv_update_plan plan;
	int r = inv_update_effect_check(inv, hotel_index, effect, &rows, ret);
	if (r != 0)
		return r;
	inv_update_plan_init(&plan, u);
	r = inv_update_nights_check(inv, hotel_index, effect, &plan, &rows, ret);
	if (r != 0)
		return r;
	for (uint32_t i = 0; i < rows.count; i++)
		inv_update_row_store(inv, &plan, rows.rows[i]);
	inv_source_store(inv_hotel_cold_at(inv, hotel_index), u);
	inv_hotel_at(inv, hotel_index)->ari_version = effect->u.update.ari_version;
	kr_assert(rows.count == effect->u.update.type_count);
	return 0;
}
