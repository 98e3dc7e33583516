#include "engine/inventory/type.h"

#include "engine/inventory/hotel.h"
#include "engine/inventory/limit.h"
#include "engine/inventory/stock.h"
#include "engine/inventory/window.h"

/* What the type's defaults would make of its nights. */
struct inv_defaults_outcome {
	bool is_full; /* a limit would leave its range, on `day` */
	int32_t day;
	int64_t limit;
	uint32_t night_count; /* whose limit comes from the defaults */
	uint32_t over_count;
};

/* A row with these settings, to compute limits with; no place in the table. */
static struct inv_row inv_row_draft(const struct inv_type_settings *s, uint32_t set_mask)
{
	kr_assert((set_mask & ~INV_TYPE_CLEARABLE) == 0);
	kr_assert(inv_type_settings_fault(s, INV_TYPE_MASK) == NULL);
	return (struct inv_row){
		.run_head = INV_NONE,
		.plan_head = INV_NONE,
		.set_mask = set_mask,
		.allowance = s->allowance,
		.allowance_unit = s->allowance_unit,
		.physical = s->physical,
		.out_of_order = s->out_of_order,
		.cap = s->cap,
	};
}

/* Judges the nights of an existing row (row_index) or of a new one (INV_NONE) under `draft`. */
static struct inv_defaults_outcome inv_defaults_judge(const struct inv *inv, uint32_t hotel_index,
	uint32_t row_index, const struct inv_row *draft)
{
	struct inv_stock *stocks = inv_scratch(inv)->stocks;
	int32_t first = inv_hotel_at(inv, hotel_index)->first_day;
	struct inv_defaults_outcome out = {.is_full = false};
	/* A new night takes the defaults alone, whatever stands by date now. */
	const struct inv_stock none = {.set_mask = 0};
	struct inv_limit limit = inv_limit_of(draft, &none);
	if (!inv_limit_fits(limit))
		return (struct inv_defaults_outcome){
			.is_full = true, .day = first, .limit = limit.value};
	if (row_index == INV_NONE)
		return out;
	inv_stock_expand(inv, inv_row_at(inv, row_index), first, stocks);
	for (uint32_t n = 0; n < inv->config.window_nights; n++) {
		int32_t day = first + (int32_t)n;
		uint64_t c = inv_cell_load(inv, row_index, inv_ring(inv, day)).counter;
		if ((c & INV_COUNTER_FLAG(CELL_EXPLICIT_CAP)) != 0)
			continue;
		limit = inv_limit_of(draft, &stocks[n]);
		if (!inv_limit_fits(limit))
			return (struct inv_defaults_outcome){
				.is_full = true, .day = day, .limit = limit.value};
		out.night_count++;
		out.over_count += cell_left(cell_counter_unpack(inv_limit_put(c, limit))) < 0;
	}
	kr_assert(out.over_count <= out.night_count);
	return out;
}

/* ---- judging ---- */

static const char *inv_type_op_fault(const struct inv_type_op *op)
{
	if (op->type > INV_TYPE_NUMBER_MAX)
		return "type";
	if ((op->mask & ~INV_TYPE_MASK) != 0)
		return "mask";
	if ((op->clear_mask & ~INV_TYPE_CLEARABLE) != 0 || (op->clear_mask & op->mask) != 0)
		return "clear_mask";
	return inv_type_settings_fault(&op->settings, op->mask);
}

static bool inv_type_code_is_taken(
	const struct inv *inv, uint32_t hotel_index, const struct inv_type_op *op)
{
	const struct inv_text code = op->settings.code;
	kr_assert(code.size_bytes <= INV_TYPE_CODE_SIZE_MAX);
	if ((op->mask & INV_TYPE_CODE) == 0 || code.size_bytes == 0)
		return false;
	uint32_t r = inv_hotel_at(inv, hotel_index)->row_head;
	for (; r != INV_NONE; r = inv_row_at(inv, r)->next) {
		const struct inv_row *row = inv_row_at(inv, r);
		if (row->type != op->type &&
			inv_text_equal(inv_type_settings_of(inv, r).code, code))
			return true;
	}
	return false;
}

#define TAKE(bit, field)                                                                           \
	if ((op->mask & (bit)) != 0)                                                               \
	s.field = op->settings.field
static struct inv_type_settings inv_type_settings_merge(
	const struct inv *inv, uint32_t row_index, const struct inv_type_op *op, uint32_t set_mask)
{
	struct inv_type_settings s = {.status = INV_ACTIVE,
		.plan_status = INV_ACTIVE,
		.allowance_unit = INV_ALLOWANCE_ROOMS};
	if (row_index != INV_NONE)
		s = inv_type_settings_of(inv, row_index);
	TAKE(INV_TYPE_CODE, code);
	TAKE(INV_TYPE_STATUS, status);
	TAKE(INV_TYPE_PHYSICAL, physical);
	TAKE(INV_TYPE_OUT_OF_ORDER, out_of_order);
	TAKE(INV_TYPE_ALLOWANCE, allowance);
	TAKE(INV_TYPE_ALLOWANCE_UNIT, allowance_unit);
	TAKE(INV_TYPE_CAP, cap);
	TAKE(INV_TYPE_GUESTS_MAX, guests_max);
	TAKE(INV_TYPE_PLAN_STATUS, plan_status);
	TAKE(INV_TYPE_ADVANCE_MIN, advance_min_minutes);
	TAKE(INV_TYPE_ADVANCE_MAX, advance_max_minutes);
	s.physical = (set_mask & INV_TYPE_PHYSICAL) != 0 ? s.physical : 0;
	s.out_of_order = (set_mask & INV_TYPE_OUT_OF_ORDER) != 0 ? s.out_of_order : 0;
	s.allowance = (set_mask & INV_TYPE_ALLOWANCE) != 0 ? s.allowance : 0;
	s.cap = (set_mask & INV_TYPE_CAP) != 0 ? s.cap : 0;
	kr_assert(inv_type_settings_fault(&s, INV_TYPE_MASK) == NULL);
	return s;
}
#undef TAKE

static void inv_refuse_limit(struct inv_answer *answer, const struct inv_defaults_outcome *out)
{
	kr_assert(out->is_full);
	inv_refuse(answer, KEYRACK_COUNTER_FULL, RULE_COUNTER);
	answer->refusal.has_day = true;
	answer->refusal.day = out->day;
	answer->refusal.required = out->limit;
	answer->refusal.left = out->limit < 0 ? CELL_LIMIT_MIN : CELL_LIMIT_MAX;
	kr_assert(answer->refusal.left != answer->refusal.required);
}

/* Refusals that do not depend on numbers; true when *ret_answer has one. */
static bool inv_type_op_refuse(const struct inv *inv, uint32_t hotel_index,
	const struct inv_type_op *op, struct inv_answer *ret_answer)
{
	const char *fault = inv_type_op_fault(op);
	if (fault != NULL)
		return inv_refuse_field(ret_answer, fault) == INV_ANSWER;
	if (hotel_index == INV_NONE)
		return inv_refuse(ret_answer, KEYRACK_NOT_FOUND, RULE_HOTEL) == INV_ANSWER;
	const struct inv_hotel *hotel = inv_hotel_at(inv, hotel_index);
	if (inv_version_is_stale(
		    hotel, op->has_expected_version, op->expected_ari_version, ret_answer))
		return true;
	if (inv_type_code_is_taken(inv, hotel_index, op))
		return inv_refuse_field(ret_answer, "code") == INV_ANSWER;
	if (inv_row_find(inv, hotel_index, op->type) != INV_NONE)
		return false;
	if (hotel->row_count == INV_HOTEL_TYPES_MAX)
		return inv_refuse_table(ret_answer, "types of the hotel", INV_HOTEL_TYPES_MAX) ==
		       INV_ANSWER;
	if (inv->row_count == inv->config.rows_max)
		return inv_refuse_table(ret_answer, "rows", inv->config.rows_max) == INV_ANSWER;
	return false;
}

enum inv_result inv_type_judge(struct inv *inv, struct inv_now now, const struct inv_type_op *op,
	struct inv_effect *ret_effect, struct inv_answer *ret_answer)
{
	kr_assert(op != NULL && ret_effect != NULL);
	uint32_t hotel_index = inv_hotel_find(inv, op->hotel);
	if (inv_type_op_refuse(inv, hotel_index, op, ret_answer))
		return inv_answer_wait(inv, hotel_index, ret_answer);
	const struct inv_hotel *hotel = inv_hotel_at(inv, hotel_index);
	uint32_t row_index = inv_row_find(inv, hotel_index, op->type);
	uint32_t set_mask = row_index == INV_NONE ? 0 : inv_row_at(inv, row_index)->set_mask;
	set_mask = (set_mask | (op->mask & INV_TYPE_CLEARABLE)) & ~op->clear_mask;
	struct inv_type_settings s = inv_type_settings_merge(inv, row_index, op, set_mask);
	struct inv_row draft = inv_row_draft(&s, set_mask);
	struct inv_defaults_outcome out = inv_defaults_judge(inv, hotel_index, row_index, &draft);
	if (out.is_full) {
		inv_refuse_limit(ret_answer, &out);
		return inv_answer_wait(inv, hotel_index, ret_answer);
	}
	inv_effect_begin(inv, hotel_index, INV_EFFECT_TYPE, now, &op->actor, ret_effect);
	s.code = inv_text_copy(s.code, inv_scratch(inv)->hotel_code);
	ret_effect->u.type_put = (struct inv_effect_type){
		.created = row_index == INV_NONE,
		.type = op->type,
		.set_mask = set_mask,
		.settings = s,
		.ari_version = hotel->ari_version + 1,
	};
	*ret_answer = (struct inv_answer){
		.code = KEYRACK_DONE,
		.hotel = op->hotel,
		.event_seq = ret_effect->event_seq,
		.created = row_index == INV_NONE,
		.ari_version = hotel->ari_version + 1,
		.cell_count = out.night_count,
		.cells_over_limit = out.over_count,
	};
	return INV_EFFECT;
}

/* ---- applying ---- */

static int inv_type_effect_check(const struct inv *inv, uint32_t hotel_index, uint32_t row_index,
	const struct inv_effect *effect, struct inv_contradiction *ret)
{
	const struct inv_effect_type *put = &effect->u.type_put;
	uint64_t version = inv_hotel_at(inv, hotel_index)->ari_version;
	bool is_new = row_index == INV_NONE;
	kr_assert(effect->kind == INV_EFFECT_TYPE);
	if (put->created != is_new)
		return inv_contradict(
			effect, "the room type is there or is not", put->created, is_new, 0, ret);
	if (put->ari_version != version + 1)
		return inv_contradict(effect, "ari_version does not follow", put->ari_version,
			version + 1, 0, ret);
	if (put->type > INV_TYPE_NUMBER_MAX || (put->set_mask & ~INV_TYPE_CLEARABLE) != 0 ||
		inv_type_settings_fault(&put->settings, INV_TYPE_MASK) != NULL)
		return inv_contradict(
			effect, "a room type's setting is out of range", 0, put->type, 0, ret);
	struct inv_row draft = inv_row_draft(&put->settings, put->set_mask);
	struct inv_defaults_outcome out = inv_defaults_judge(inv, hotel_index, row_index, &draft);
	if (out.is_full)
		return inv_contradict(effect, "a limit would leave its range", CELL_LIMIT_MAX,
			(uint64_t)out.limit, out.day, ret);
	return 0;
}

/* Limits of nights without an explicit cap, from the row's inputs as they are now. */
static void inv_row_limits_renew(struct inv *inv, uint32_t row_index)
{
	const struct inv_row *row = inv_row_at(inv, row_index);
	struct inv_stock *stocks = inv_scratch(inv)->stocks;
	int32_t first = inv_hotel_at(inv, row->hotel_index)->first_day;
	inv_stock_expand(inv, row, first, stocks);
	for (uint32_t n = 0; n < inv->config.window_nights; n++) {
		uint32_t ring = inv_ring(inv, first + (int32_t)n);
		struct inv_words old = inv_cell_load(inv, row_index, ring);
		if ((old.counter & INV_COUNTER_FLAG(CELL_EXPLICIT_CAP)) != 0)
			continue;
		struct inv_words new = old;
		new.counter = inv_limit_put(old.counter, inv_limit_of(row, &stocks[n]));
		inv_cell_store(inv, row_index, ring, old, new);
	}
	kr_assert(row->hotel_index < inv->hotel_count);
}

int inv_apply_type(struct inv *inv, uint32_t hotel_index, const struct inv_effect *effect,
	struct inv_contradiction *ret)
{
	const struct inv_effect_type *put = &effect->u.type_put;
	uint32_t row_index = inv_row_find(inv, hotel_index, put->type);
	int r = inv_type_effect_check(inv, hotel_index, row_index, effect, ret);
	if (r != 0)
		return r;
	struct inv_hotel *hotel = inv_hotel_at(inv, hotel_index);
	if (put->created) {
		if (hotel->row_count == INV_HOTEL_TYPES_MAX)
			return inv_contradict(effect, "the hotel has too many room types",
				INV_HOTEL_TYPES_MAX, hotel->row_count + UINT64_C(1), 0, ret);
		row_index = inv_row_create(inv, hotel_index, put->type);
	}
	if (row_index == INV_NONE)
		return INV_NO_ROOM;
	inv_type_settings_store(inv, row_index, &put->settings, put->set_mask);
	if (put->created)
		inv_window_fill(inv, row_index);
	else
		inv_row_limits_renew(inv, row_index);
	hotel->ari_version = put->ari_version;
	kr_assert(inv_row_find(inv, hotel_index, put->type) == row_index);
	return 0;
}
