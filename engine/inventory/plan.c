#include "engine/inventory/plan.h"

#include "engine/inventory/hotel.h"

/* ---- judging ---- */

static bool inv_plan_code_is_taken(
	const struct inv *inv, uint32_t row, uint16_t number, struct inv_text code)
{
	kr_assert(code.size_bytes <= INV_PLAN_CODE_SIZE_MAX);
	if (code.size_bytes == 0)
		return false;
	uint32_t p = inv_row_at(inv, row)->plan_head;
	for (; p != INV_NONE; p = inv_plan_at(inv, p)->next) {
		const struct inv_plan *plan = inv_plan_at(inv, p);
		uint32_t product = inv->config.rows_max + p;
		kr_assert(plan->row == row);
		if (plan->number != number &&
			inv_text_equal(inv_plan_settings_of(inv, product).code, code))
			return true;
	}
	return false;
}

/* Whether an operation would have another derivation than the plan was created with; the name of
 * the field, or NULL. */
static const char *inv_plan_op_moves(
	const struct inv_plan_op *op, const struct inv_plan_settings *present)
{
	kr_assert(present->derivation <= INV_PRICES_PLUS_POINTS);
	if ((op->mask & INV_PLAN_DERIVATION) != 0 && op->settings.derivation != present->derivation)
		return "derivation";
	if ((op->mask & INV_PLAN_PARENT) != 0 && op->settings.parent != present->parent)
		return "parent";
	return NULL;
}

/* A new plan's place in the tables; true when *ret_answer has the refusal. */
static bool inv_plan_new_refuse(const struct inv *inv, uint32_t row,
	const struct inv_plan_settings *s, struct inv_answer *ret_answer)
{
	kr_assert(s->derivation <= INV_PRICES_PLUS_POINTS);
	if (s->derivation != INV_PRICES_OWN && inv_plan_parent_fault(inv, row, s->parent) != NULL)
		return inv_refuse_field(ret_answer, "parent") == INV_ANSWER;
	if (inv_row_at(inv, row)->plan_count == INV_TYPE_PLANS_MAX)
		return inv_refuse_table(ret_answer, "rate plans of the room type",
			       INV_TYPE_PLANS_MAX) == INV_ANSWER;
	if (inv->plan_count == inv->config.plans_max)
		return inv_refuse_table(ret_answer, "rate plans", inv->config.plans_max) ==
		       INV_ANSWER;
	return false;
}

/* Refusals that do not depend on what the plan is; the row in *ret_row. */
static bool inv_plan_op_refuse(const struct inv *inv, uint32_t hotel_index,
	const struct inv_plan_op *op, uint32_t *ret_row, struct inv_answer *ret_answer)
{
	*ret_row = INV_NONE;
	kr_assert(ret_answer != NULL);
	if (op->type > INV_TYPE_NUMBER_MAX)
		return inv_refuse_field(ret_answer, "type") == INV_ANSWER;
	if (op->plan > INV_PLAN_NUMBER_MAX)
		return inv_refuse_field(ret_answer, "plan") == INV_ANSWER;
	if ((op->mask & ~INV_PLAN_MASK) != 0)
		return inv_refuse_field(ret_answer, "mask") == INV_ANSWER;
	if (hotel_index == INV_NONE)
		return inv_refuse(ret_answer, KEYRACK_NOT_FOUND, RULE_HOTEL) == INV_ANSWER;
	if (inv_version_is_stale(inv_hotel_at(inv, hotel_index), op->has_expected_version,
		    op->expected_ari_version, ret_answer))
		return true;
	*ret_row = inv_row_find(inv, hotel_index, op->type);
	if (*ret_row == INV_NONE)
		return inv_refuse(ret_answer, KEYRACK_NOT_FOUND, RULE_TYPE) == INV_ANSWER;
	return false;
}

#define TAKE(bit, field)                                                                           \
	if ((op->mask & (bit)) != 0)                                                               \
	s.field = op->settings.field
static struct inv_plan_settings inv_plan_settings_merge(
	const struct inv_plan_op *op, const struct inv_plan_settings *present)
{
	struct inv_plan_settings s = *present;
	kr_assert((op->mask & ~INV_PLAN_MASK) == 0);
	TAKE(INV_PLAN_CODE, code);
	TAKE(INV_PLAN_STATUS, status);
	TAKE(INV_PLAN_ADVANCE_MIN, advance_min_minutes);
	TAKE(INV_PLAN_ADVANCE_MAX, advance_max_minutes);
	TAKE(INV_PLAN_PARENT, parent);
	TAKE(INV_PLAN_DERIVATION, derivation);
	TAKE(INV_PLAN_ADJUSTMENT, adjustment);
	TAKE(INV_PLAN_TIERS, tier_count);
	if ((op->mask & INV_PLAN_TIERS) != 0)
		memcpy(s.tiers, op->settings.tiers, sizeof(s.tiers));
	return s;
}
#undef TAKE

/* What the plan will be; true when *ret_answer has a refusal. */
static bool inv_plan_settings_refuse(const struct inv *inv, uint32_t row, uint32_t product,
	const struct inv_plan_op *op, struct inv_plan_settings *ret, struct inv_answer *ret_answer)
{
	struct inv_plan_settings present = {.status = INV_ACTIVE};
	kr_assert(op->plan != 0 || product == row);
	if (product != INV_NONE) {
		present = inv_plan_settings_of(inv, product);
		const char *moved = inv_plan_op_moves(op, &present);
		if (moved != NULL)
			return inv_refuse_field(ret_answer, moved) == INV_ANSWER;
	}
	*ret = inv_plan_settings_merge(op, &present);
	const char *fault = inv_plan_settings_fault(op->plan, ret);
	if (fault == NULL && inv_plan_code_is_taken(inv, row, op->plan, ret->code))
		fault = "code";
	if (fault != NULL)
		return inv_refuse_field(ret_answer, fault) == INV_ANSWER;
	return product == INV_NONE && inv_plan_new_refuse(inv, row, ret, ret_answer);
}

enum inv_result inv_plan_judge(struct inv *inv, struct inv_now now, const struct inv_plan_op *op,
	struct inv_effect *ret_effect, struct inv_answer *ret_answer)
{
	kr_assert(op != NULL && ret_effect != NULL);
	uint32_t hotel_index = inv_hotel_find(inv, op->hotel), row;
	if (inv_plan_op_refuse(inv, hotel_index, op, &row, ret_answer))
		return inv_answer_wait(inv, hotel_index, ret_answer);
	uint32_t product = inv_product_find(inv, row, op->plan);
	struct inv_plan_settings s;
	if (inv_plan_settings_refuse(inv, row, product, op, &s, ret_answer))
		return inv_answer_wait(inv, hotel_index, ret_answer);
	inv_effect_begin(inv, hotel_index, INV_EFFECT_PLAN, now, &op->actor, ret_effect);
	s.code = inv_text_copy(s.code, inv_scratch(inv)->hotel_code);
	ret_effect->u.plan_put = (struct inv_effect_plan){
		.created = product == INV_NONE,
		.type = op->type,
		.plan = op->plan,
		.settings = s,
		.ari_version = inv_hotel_at(inv, hotel_index)->ari_version + 1,
	};
	*ret_answer = (struct inv_answer){
		.code = KEYRACK_DONE,
		.hotel = op->hotel,
		.event_seq = ret_effect->event_seq,
		.created = product == INV_NONE,
		.ari_version = ret_effect->u.plan_put.ari_version,
	};
	return INV_EFFECT;
}

/* ---- applying ---- */

/* NULL, or what contradicts the row or the plan that is there. */
static const char *inv_plan_effect_wrong(
	const struct inv *inv, uint32_t row, uint32_t product, const struct inv_effect_plan *put)
{
	const struct inv_plan_settings *s = &put->settings;
	kr_assert(row != INV_NONE);
	if (put->created != (product == INV_NONE))
		return "the rate plan is there or is not";
	if (put->plan > INV_PLAN_NUMBER_MAX || inv_plan_settings_fault(put->plan, s) != NULL)
		return "a rate plan's setting is out of range";
	if (put->created && s->derivation != INV_PRICES_OWN)
		return inv_plan_parent_fault(inv, row, s->parent) == NULL
			       ? NULL
			       : "a rate plan derives from none";
	if (put->created)
		return NULL;
	const struct inv_plan_settings present = inv_plan_settings_of(inv, product);
	return present.parent == s->parent && present.derivation == s->derivation
		       ? NULL
		       : "a rate plan derives from another";
}

int inv_apply_plan(struct inv *inv, uint32_t hotel_index, const struct inv_effect *effect,
	struct inv_contradiction *ret)
{
	const struct inv_effect_plan *put = &effect->u.plan_put;
	struct inv_hotel *hotel = inv_hotel_at(inv, hotel_index);
	kr_assert(effect->kind == INV_EFFECT_PLAN);
	if (put->ari_version != hotel->ari_version + 1)
		return inv_contradict(effect, "ari_version does not follow", put->ari_version,
			hotel->ari_version + 1, 0, ret);
	uint32_t row = inv_row_find(inv, hotel_index, put->type);
	if (row == INV_NONE)
		return inv_contradict(
			effect, "a rate plan's room type is unknown", put->type, 0, 0, ret);
	uint32_t product = inv_product_find(inv, row, put->plan);
	const char *wrong = inv_plan_effect_wrong(inv, row, product, put);
	if (wrong == NULL && put->created && inv_row_at(inv, row)->plan_count == INV_TYPE_PLANS_MAX)
		wrong = "the room type has too many rate plans";
	if (wrong != NULL)
		return inv_contradict(effect, wrong, put->created, put->plan, 0, ret);
	if (put->created)
		product = inv_plan_create(
			inv, row, put->plan, put->settings.derivation, put->settings.parent);
	if (product == INV_NONE)
		return INV_NO_ROOM;
	inv_plan_settings_store(inv, product, &put->settings);
	hotel->ari_version = put->ari_version;
	kr_assert(inv_product_find(inv, row, put->plan) == product);
	return 0;
}

/* ---- reading ---- */

uint32_t inv_plan_list(const struct inv *inv, struct hotel_id hotel, uint16_t from_type,
	uint16_t from_plan, struct inv_plan_view *ret, uint32_t count_max, bool *ret_more)
{
	uint32_t hotel_index = inv_hotel_find(inv, hotel), count = 0;
	kr_assert(hotel_index != INV_NONE && count_max > 0);
	*ret_more = false;
	uint32_t r = inv_hotel_at(inv, hotel_index)->row_head;
	for (; r != INV_NONE; r = inv_row_at(inv, r)->next) {
		const struct inv_row *row = inv_row_at(inv, r);
		if (row->type < from_type)
			continue;
		uint32_t next = row->plan_head;
		for (uint32_t product = r; product != INV_NONE;) {
			uint16_t number = inv_product_number(inv, product);
			bool is_wanted = row->type > from_type || number >= from_plan;
			if (is_wanted && count == count_max) {
				*ret_more = true;
				return count;
			}
			if (is_wanted)
				ret[count++] = (struct inv_plan_view){.type = row->type,
					.plan = number,
					.settings = inv_plan_settings_of(inv, product)};
			product = next == INV_NONE ? INV_NONE : inv->config.rows_max + next;
			next = next == INV_NONE ? INV_NONE : inv_plan_at(inv, next)->next;
		}
	}
	kr_assert(count <= count_max);
	return count;
}
