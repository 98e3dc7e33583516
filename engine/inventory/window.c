#include "engine/inventory/window.h"

#include "base/bug.h"
#include "base/tz.h"
#include "engine/inventory/limit.h"
#include "engine/inventory/product.h"
#include "engine/inventory/stock.h"

#define US_PER_S UINT64_C(1000000)

int32_t inv_business_day(
	const struct inv *inv, uint16_t zone_index, uint16_t day_roll_minute, uint64_t t_us)
{
	kr_assert(inv->tz != NULL && zone_index < inv->tz->zone_count);
	kr_assert(day_roll_minute < 24 * 60);
	return tz_day_of(inv->tz, zone_index, (int64_t)(t_us / US_PER_S), day_roll_minute);
}

bool inv_business_day_is_valid(const struct inv *inv, int32_t day)
{
	kr_assert(inv->config.window_nights <= INV_WINDOW_NIGHTS_MAX);
	return day >= INV_DAY_MIN && day <= INV_DAY_MAX - (int32_t)inv->config.window_nights;
}

uint64_t inv_hotel_instant_us(
	const struct inv *inv, uint32_t hotel_index, int32_t day, uint32_t minute)
{
	const struct inv_hotel_cold *cold = inv_hotel_cold_at(inv, hotel_index);
	kr_assert(minute < 48 * 60);
	int64_t s = tz_local_to_unix_s(inv->tz, cold->zone_index, day, (int32_t)minute);
	return s < 0 ? 0 : (uint64_t)s * US_PER_S;
}

/* ---- the window ---- */

/* The night of `day` as new: the old one's class is given back by the store. */
static void inv_night_reset(
	struct inv *inv, uint32_t row_index, int32_t day, uint64_t default_counter)
{
	uint32_t ring = inv_ring(inv, day);
	struct inv_words old = inv_cell_load(inv, row_index, ring);
	struct inv_words fresh = {.counter = default_counter, .rate = 0};
	kr_assert(cell_counter_unpack(default_counter).held == 0);
	inv_cell_store(inv, row_index, ring, old, fresh);
	for (uint32_t p = inv_row_at(inv, row_index)->plan_head; p != INV_NONE;
		p = inv_plan_at(inv, p)->next) {
		const struct inv_plan *plan = inv_plan_at(inv, p);
		if (plan->derivation == INV_PRICES_OWN)
			inv_rate_store(
				inv, plan->rates, ring, inv_plan_rate(inv, plan, ring, 0), 0);
	}
}

void inv_window_fill(struct inv *inv, uint32_t row_index)
{
	const struct inv_row *row = inv_row_at(inv, row_index);
	int32_t first = inv_hotel_at(inv, row->hotel_index)->first_day;
	uint64_t counter = inv_counter_default(row);
	for (int32_t n = 0; n < (int32_t)inv->config.window_nights; n++)
		inv_night_reset(inv, row_index, first + n, counter);
	kr_assert(row->run_head == INV_NONE);
}

void inv_window_advance(struct inv *inv, uint32_t hotel_index, int32_t first_day)
{
	struct inv_hotel *hotel = inv_hotel_at(inv, hotel_index);
	int32_t window = (int32_t)inv->config.window_nights;
	kr_assert(first_day >= hotel->first_day);
	kr_assert(inv_business_day_is_valid(inv, first_day));
	/* What comes in takes the places of what drops out. */
	int32_t fresh_day = KR_MAX(hotel->first_day + window, first_day);
	for (uint32_t r = hotel->row_head; r != INV_NONE; r = inv_row_at(inv, r)->next) {
		struct inv_row *row = inv_row_at(inv, r);
		uint64_t counter = inv_counter_default(row);
		for (int32_t day = fresh_day; day < first_day + window; day++)
			inv_night_reset(inv, r, day, counter);
		inv_stock_trim(inv, row, first_day);
	}
	hotel->first_day = first_day;
}

/* ---- day rolls ---- */

static bool inv_roll_is_before(const void *owner, uint32_t a, uint32_t b)
{
	const struct inv *inv = owner;
	uint64_t a_us = inv_hotel_cold_at(inv, a)->next_roll_us;
	uint64_t b_us = inv_hotel_cold_at(inv, b)->next_roll_us;
	kr_assert(a != b);
	return a_us != b_us ? a_us < b_us : a < b;
}

static void inv_roll_set_position(void *owner, uint32_t hotel_index, uint32_t position)
{
	struct inv *inv = owner;
	kr_assert(position < inv->config.hotels_max);
	inv_hotel_cold_at(inv, hotel_index)->roll_pos = position;
}

static const struct heap32_ops roll_ops = {inv_roll_is_before, inv_roll_set_position};

void inv_roll_update(struct inv *inv, uint32_t hotel_index)
{
	struct inv_hotel_cold *cold = inv_hotel_cold_at(inv, hotel_index);
	int32_t next_day = inv_hotel_at(inv, hotel_index)->first_day + 1;
	cold->next_roll_us =
		inv_hotel_instant_us(inv, hotel_index, next_day, cold->day_roll_minute);
	struct heap32 heap = inv_heap_open(inv_rolls(inv), inv->roll_count, inv->config.hotels_max);
	if (hotel_index == inv->roll_count) {
		heap32_push(&heap, &roll_ops, inv, hotel_index);
		inv->roll_count = heap.count;
	} else {
		kr_assert(heap.handles[cold->roll_pos] == hotel_index);
		heap32_update(&heap, &roll_ops, inv, cold->roll_pos);
	}
	kr_assert(inv->roll_count == inv->hotel_count);
}

uint64_t inv_roll_next_us(const struct inv *inv)
{
	kr_assert(inv->roll_count == inv->hotel_count);
	if (inv->roll_count == 0)
		return UINT64_MAX;
	return inv_hotel_cold_at(inv, inv_rolls(inv)[0])->next_roll_us;
}

enum inv_result inv_roll_judge(struct inv *inv, struct inv_now now, struct inv_effect *ret_effect)
{
	if (inv_roll_next_us(inv) > now.t_us)
		return INV_ANSWER;
	uint32_t hotel_index = inv_rolls(inv)[0];
	const struct inv_hotel *hotel = inv_hotel_at(inv, hotel_index);
	const struct inv_hotel_cold *cold = inv_hotel_cold_at(inv, hotel_index);
	inv_effect_begin(inv, hotel_index, INV_EFFECT_WINDOW, now, NULL, ret_effect);
	ret_effect->u.window.old_business_day = hotel->first_day;
	ret_effect->u.window.business_day =
		inv_business_day(inv, cold->zone_index, cold->day_roll_minute, now.t_us) +
		bug_is(BUG_WINDOW_DROPS_TODAY);
	kr_assert(ret_effect->u.window.business_day > hotel->first_day);
	return INV_EFFECT;
}

int inv_apply_window(struct inv *inv, uint32_t hotel_index, const struct inv_effect *effect,
	struct inv_contradiction *ret)
{
	const struct inv_hotel *hotel = inv_hotel_at(inv, hotel_index);
	int32_t from = effect->u.window.old_business_day, to = effect->u.window.business_day;
	kr_assert(effect->kind == INV_EFFECT_WINDOW);
	if (from != hotel->first_day)
		return inv_contradict(effect, "the window begins on another night",
			(uint64_t)(int64_t)from, (uint64_t)(int64_t)hotel->first_day, from, ret);
	if (to <= from || !inv_business_day_is_valid(inv, to))
		return inv_contradict(effect, "the window cannot move there",
			(uint64_t)(int64_t)from, (uint64_t)(int64_t)to, to, ret);
	inv_window_advance(inv, hotel_index, to);
	inv_roll_update(inv, hotel_index);
	kr_assert(hotel->first_day == to);
	return 0;
}
