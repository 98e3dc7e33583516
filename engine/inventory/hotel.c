#include "engine/inventory/hotel.h"

#include "base/tz.h"
#include "engine/inventory/window.h"

/* ---- judging ---- */

static enum inv_result inv_refuse_version(
	struct inv_answer *answer, uint64_t expected, uint64_t present)
{
	kr_assert(expected != present);
	inv_refuse(answer, KEYRACK_VERSION_MISMATCH, RULE_VERSION);
	answer->refusal.required = (int64_t)expected;
	answer->refusal.left = (int64_t)present;
	answer->ari_version = present;
	return INV_ANSWER;
}

bool inv_version_is_stale(const struct inv_hotel *hotel, bool has_expected, uint64_t expected,
	struct inv_answer *ret_answer)
{
	uint64_t present = hotel == NULL ? 0 : hotel->ari_version;
	kr_assert(ret_answer != NULL);
	if (!has_expected || expected == present)
		return false;
	(void)inv_refuse_version(ret_answer, expected, present);
	kr_assert(ret_answer->code == KEYRACK_VERSION_MISMATCH);
	return true;
}

/* The named field of an operation that no hotel could take, or NULL. */
static const char *inv_hotel_op_fault(const struct inv *inv, const struct inv_hotel_op *op)
{
	const struct inv_text code = op->settings.code;
	if (op->hotel.v == 0)
		return "hotel_id";
	if ((op->mask & ~INV_HOTEL_MASK) != 0)
		return "mask";
	const char *fault = inv_hotel_settings_fault(inv, &op->settings, op->mask);
	if (fault != NULL || (op->mask & INV_HOTEL_CODE) == 0 || code.size_bytes == 0)
		return fault;
	kr_assert(code.size_bytes <= INV_TEXT_SIZE_MAX);
	return hotel_id_of_code(code.bytes, code.size_bytes).v == op->hotel.v ? NULL : "code";
}

/* Two codes that hash to one hotel: the second never gets it. */
static bool inv_hotel_code_collides(
	const struct inv_hotel_settings *present, const struct inv_hotel_op *op)
{
	kr_assert(present->zone.size_bytes > 0);
	return (op->mask & INV_HOTEL_CODE) != 0 && op->settings.code.size_bytes != 0 &&
	       present->code.size_bytes != 0 && !inv_text_equal(present->code, op->settings.code);
}

#define TAKE(bit, field)                                                                           \
	if ((op->mask & (bit)) != 0)                                                               \
	s->field = op->settings.field
static void inv_hotel_settings_merge(struct inv_hotel_settings *s, const struct inv_hotel_op *op)
{
	kr_assert((op->mask & ~INV_HOTEL_MASK) == 0);
	TAKE(INV_HOTEL_CODE, code);
	TAKE(INV_HOTEL_ZONE, zone);
	if ((op->mask & INV_HOTEL_CURRENCY) != 0)
		memcpy(s->currency, op->settings.currency, sizeof(s->currency));
	TAKE(INV_HOTEL_CURRENCY_DIGITS, currency_digits);
	TAKE(INV_HOTEL_DAY_ROLL, day_roll_minute);
	TAKE(INV_HOTEL_CHECK_IN, check_in_minute);
	TAKE(INV_HOTEL_NIGHTS_MAX, nights_max);
	TAKE(INV_HOTEL_HOLD_TTL, hold_ttl_us);
	TAKE(INV_HOTEL_HOLD_TTL_MAX, hold_ttl_max_us);
	TAKE(INV_HOTEL_HOLD_TOTAL_MAX, hold_total_max_us);
	TAKE(INV_HOTEL_HOLDS_MAX, holds_max);
	TAKE(INV_HOTEL_GUEST_HOLDS_MAX, guest_holds_max);
	TAKE(INV_HOTEL_STATUS, status);
	kr_assert(s->status >= INV_ACTIVE && s->status <= INV_RETIRED);
}
#undef TAKE

static void inv_hotel_effect_fill(struct inv *inv, uint32_t hotel_index, struct inv_now now,
	const struct inv_hotel_op *op, struct inv_effect *ret_effect)
{
	struct inv_effect_hotel *put = &ret_effect->u.hotel_put;
	bool is_new = hotel_index == INV_NONE;
	inv_effect_begin(inv, hotel_index, INV_EFFECT_HOTEL, now, &op->actor, ret_effect);
	ret_effect->hotel = op->hotel;
	ret_effect->event_seq = is_new ? 1 : ret_effect->event_seq;
	put->created = is_new;
	put->settings =
		is_new ? inv_hotel_settings_default() : inv_hotel_settings_of(inv, hotel_index);
	inv_hotel_settings_merge(&put->settings, op);
	put->settings.code = inv_text_copy(put->settings.code, inv_scratch(inv)->hotel_code);
	put->settings.zone = inv_text_copy(put->settings.zone, inv_scratch(inv)->hotel_zone);
	uint16_t zone = tz_find(inv->tz, put->settings.zone.bytes, put->settings.zone.size_bytes);
	int32_t day = inv_business_day(inv, zone, put->settings.day_roll_minute, now.t_us);
	if (is_new) {
		put->business_day = day;
		put->ari_version = 1;
		return;
	}
	const struct inv_hotel *hotel = inv_hotel_at(inv, hotel_index);
	put->business_day = KR_MAX(day, hotel->first_day);
	put->ari_version = hotel->ari_version + 1;
	kr_assert(put->business_day >= hotel->first_day);
}

/* True when *ret_answer has a refusal. */
static bool inv_hotel_op_refuse(const struct inv *inv, uint32_t hotel_index,
	const struct inv_hotel_op *op, struct inv_answer *ret_answer)
{
	bool is_new = hotel_index == INV_NONE;
	const struct inv_hotel *hotel = is_new ? NULL : inv_hotel_at(inv, hotel_index);
	const char *fault = inv_hotel_op_fault(inv, op);
	if (fault != NULL)
		return inv_refuse_field(ret_answer, fault) == INV_ANSWER;
	if (inv_version_is_stale(
		    hotel, op->has_expected_version, op->expected_ari_version, ret_answer))
		return true;
	if (!is_new) {
		struct inv_hotel_settings present = inv_hotel_settings_of(inv, hotel_index);
		return inv_hotel_code_collides(&present, op) &&
		       inv_refuse_field(ret_answer, "code") == INV_ANSWER;
	}
	if ((op->mask & INV_HOTEL_ZONE) == 0)
		return inv_refuse_field(ret_answer, "zone") == INV_ANSWER;
	if ((op->mask & INV_HOTEL_CURRENCY) == 0)
		return inv_refuse_field(ret_answer, "currency") == INV_ANSWER;
	kr_assert(inv->hotel_count <= inv->config.hotels_max);
	return inv->hotel_count == inv->config.hotels_max &&
	       inv_refuse_table(ret_answer, "hotels", inv->config.hotels_max) == INV_ANSWER;
}

enum inv_result inv_hotel_judge(struct inv *inv, struct inv_now now, const struct inv_hotel_op *op,
	struct inv_effect *ret_effect, struct inv_answer *ret_answer)
{
	kr_assert(op != NULL && ret_effect != NULL);
	uint32_t hotel_index = inv_hotel_find(inv, op->hotel);
	bool is_new = hotel_index == INV_NONE;
	if (inv_hotel_op_refuse(inv, hotel_index, op, ret_answer))
		return inv_answer_wait(inv, hotel_index, ret_answer);
	inv_hotel_effect_fill(inv, hotel_index, now, op, ret_effect);
	/* A clock so far off that the window would leave the days there are. */
	if (!inv_business_day_is_valid(inv, ret_effect->u.hotel_put.business_day))
		return inv_refuse_field(ret_answer, "business_day");
	*ret_answer = (struct inv_answer){
		.code = KEYRACK_DONE,
		.hotel = op->hotel,
		.event_seq = ret_effect->event_seq,
		.created = is_new,
		.ari_version = ret_effect->u.hotel_put.ari_version,
	};
	return INV_EFFECT;
}

/* ---- applying ---- */

static int inv_hotel_effect_check(const struct inv *inv, uint32_t hotel_index,
	const struct inv_effect *effect, struct inv_contradiction *ret)
{
	const struct inv_effect_hotel *put = &effect->u.hotel_put;
	bool is_new = hotel_index == INV_NONE;
	uint64_t version = is_new ? 0 : inv_hotel_at(inv, hotel_index)->ari_version;
	kr_assert(effect->kind == INV_EFFECT_HOTEL);
	if (put->created != is_new)
		return inv_contradict(
			effect, "the hotel is there or is not", put->created, is_new, 0, ret);
	if (put->ari_version != version + 1)
		return inv_contradict(effect, "ari_version does not follow", put->ari_version,
			version + 1, 0, ret);
	if (inv_hotel_settings_fault(inv, &put->settings, INV_HOTEL_MASK) != NULL)
		return inv_contradict(effect,
			"a hotel's setting is out of range, or its zone is not in tzdata", 0, 0, 0,
			ret);
	int32_t day = put->business_day;
	if (!inv_business_day_is_valid(inv, day) ||
		(!is_new && day < inv_hotel_at(inv, hotel_index)->first_day))
		return inv_contradict(effect, "the business date cannot be that",
			(uint64_t)(int64_t)day, 0, day, ret);
	return 0;
}

int inv_apply_hotel(struct inv *inv, uint32_t hotel_index, const struct inv_effect *effect,
	struct inv_contradiction *ret)
{
	const struct inv_effect_hotel *put = &effect->u.hotel_put;
	int r = inv_hotel_effect_check(inv, hotel_index, effect, ret);
	if (r != 0)
		return r;
	if (put->created)
		hotel_index = inv_hotel_create(inv, effect->hotel, put->business_day);
	if (hotel_index == INV_NONE)
		return INV_NO_ROOM;
	struct inv_hotel *hotel = inv_hotel_at(inv, hotel_index);
	uint64_t old_roll_us = inv_hotel_cold_at(inv, hotel_index)->next_roll_us;
	inv_hotel_settings_store(inv, hotel_index, &put->settings);
	if (put->business_day > hotel->first_day)
		inv_window_advance(inv, hotel_index, put->business_day);
	inv_roll_update(inv, hotel_index);
	if (inv_hotel_cold_at(inv, hotel_index)->next_roll_us != old_roll_us)
		inv_records_recheck(inv, hotel_index);
	hotel->ari_version = put->ari_version;
	kr_assert(hotel->id == effect->hotel.v);
	kr_assert(hotel->first_day == put->business_day);
	return 0;
}
