#include "engine/inventory/class.h"
#include "engine/inventory/limit.h"
#include "engine/inventory/plan.h"
#include "engine/inventory/stock.h"
#include "engine/inventory/window.h"

static int inv_verify_fail(const struct inv *inv, uint32_t hotel_index, const char *what,
	uint64_t expected, uint64_t found, struct inv_contradiction *ret)
{
	kr_assert(what != NULL);
	*ret = (struct inv_contradiction){
		.lsn = inv->last_lsn, .what = what, .expected = expected, .found = found};
	if (hotel_index != INV_NONE)
		ret->hotel.v = inv_hotel_at(inv, hotel_index)->id;
	return INV_CONTRADICTION;
}

/* ---- held and booked, counted again ---- */

/* Rooms of a record's lines in this row, night by night. */
static void inv_recount_record(
	const struct inv *inv, uint32_t row_index, const struct inv_record *record)
{
	struct cell_counter *counts = inv_scratch(inv)->recounts;
	struct inv_record_line lines[INV_LINES_MAX];
	int32_t first = inv_hotel_at(inv, record->hotel_index)->first_day;
	int32_t end = first + (int32_t)inv->config.window_nights;
	bool is_held = record->state == INV_HELD;
	if (record->line_count == 1 && inv_product_row(inv, record->product) != row_index)
		return;
	if (record->state == INV_RELEASED || record->state == INV_EXPIRED ||
		record->state == INV_VOID)
		return;
	uint32_t line_count = inv_record_lines(inv, record, lines);
	for (uint32_t i = 0; i < line_count; i++) {
		if (lines[i].row != row_index)
			continue;
		int32_t until = lines[i].check_in + lines[i].counted_nights;
		kr_assert(lines[i].counted_nights <= lines[i].nights);
		int32_t day = KR_MAX(first, lines[i].check_in);
		for (; day < KR_MIN(end, until); day++) {
			struct cell_counter *c = &counts[day - first];
			if (is_held)
				c->held = (uint16_t)(c->held + lines[i].rooms);
			else
				c->booked = (uint16_t)(c->booked + lines[i].rooms);
		}
	}
	kr_assert(line_count <= INV_LINES_MAX);
}

static int inv_verify_counts(const struct inv *inv, uint32_t hotel_index, uint32_t row_index,
	struct inv_contradiction *ret)
{
	const struct inv_hotel *hotel = inv_hotel_at(inv, hotel_index);
	const struct inv_record *records = inv_records(inv);
	struct cell_counter *counts = inv_scratch(inv)->recounts;
	memset(counts, 0, inv->config.window_nights * sizeof(*counts));
	for (uint32_t r = hotel->held_head; r != INV_NONE; r = records[r].chain_next)
		inv_recount_record(inv, row_index, &records[r]);
	for (uint32_t r = hotel->kept_head; r != INV_NONE; r = records[r].chain_next)
		inv_recount_record(inv, row_index, &records[r]);
	for (uint32_t n = 0; n < inv->config.window_nights; n++) {
		ret->day = hotel->first_day + (int32_t)n;
		struct cell_counter c = cell_counter_unpack(
			inv_cell_load(inv, row_index, inv_ring(inv, ret->day)).counter);
		int32_t day = ret->day, r = 0;
		if (c.held != counts[n].held)
			r = inv_verify_fail(inv, hotel_index,
				"held is not the sum of the live holds", counts[n].held, c.held,
				ret);
		else if (c.booked != counts[n].booked)
			r = inv_verify_fail(inv, hotel_index,
				"booked is not the sum of the bookings", counts[n].booked, c.booked,
				ret);
		ret->day = day;
		if (r != 0)
			return r;
	}
	kr_assert(hotel->hold_count <= hotel->record_count);
	return 0;
}

/* ---- cells by themselves ---- */

static const char *inv_cell_fault(
	const struct inv_row *row, struct inv_words words, const struct inv_stock *date)
{
	struct cell_counter c = cell_counter_unpack(words.counter);
	struct cell_rate rate = cell_rate_unpack(words.rate);
	kr_assert(row->kind == INV_ROW_TYPE);
	if ((c.flags & ~CELL_FLAG_MASK) != 0 || (rate.flags & ~RATE_FLAG_MASK) != 0)
		return "a cell has unknown flags";
	if ((rate.flags & RATE_PRICED) == 0 && rate.price_minor != 0)
		return "an unpriced night has a price";
	if ((c.flags & CELL_EXPLICIT_CAP) != 0)
		return (c.flags & CELL_LOADED) != 0 ? NULL : "a capped night is not loaded";
	struct inv_limit limit = inv_limit_of(row, date);
	if (limit.is_loaded != ((c.flags & CELL_LOADED) != 0))
		return "a night is loaded, or not, against its stock";
	return limit.value == c.limit ? NULL : "a limit is not what its stock makes it";
}

static int inv_verify_cells(const struct inv *inv, uint32_t hotel_index, uint32_t row_index,
	uint64_t *classed_count, struct inv_contradiction *ret)
{
	const struct inv_row *row = inv_row_at(inv, row_index);
	struct inv_stock *stocks = inv_scratch(inv)->stocks;
	int32_t first = inv_hotel_at(inv, hotel_index)->first_day;
	inv_stock_expand(inv, row, first, stocks);
	if (inv_stock_runs_count(inv, stocks) != row->run_count)
		return inv_verify_fail(
			inv, hotel_index, "stock runs could be fewer", 0, row->run_count, ret);
	for (uint32_t n = 0; n < inv->config.window_nights; n++) {
		uint32_t ring = inv_ring(inv, first + (int32_t)n);
		struct inv_words words = inv_cell_load(inv, row_index, ring);
		uint16_t class_index = cell_rate_unpack(words.rate).class_index;
		const char *fault = inv_cell_fault(row, words, &stocks[n]);
		if (class_index != 0 &&
			(class_index >= inv->class_fresh || inv_class_uses(inv)[class_index] == 0))
			fault = "a cell names a class that is free";
		if (fault != NULL) {
			int r = inv_verify_fail(
				inv, hotel_index, fault, words.counter, words.rate, ret);
			ret->day = first + (int32_t)n;
			return r;
		}
		*classed_count += class_index != 0;
	}
	kr_assert(row->run_count <= inv->config.window_nights);
	return 0;
}

/* ---- tables ---- */

/* NULL, or what is wrong with a plan's own settings and place. */
static const char *inv_plan_wrong(const struct inv *inv, uint32_t row_index, uint32_t place)
{
	const struct inv_plan *plan = inv_plan_at(inv, place);
	const struct inv_plan_settings s = inv_plan_settings_of(inv, inv->config.rows_max + place);
	kr_assert(plan->number != 0);
	if (plan->row != row_index || inv_plan_find(inv, row_index, plan->number) != place)
		return "a rate plan is not found";
	if (inv_plan_settings_fault(plan->number, &s) != NULL)
		return "a rate plan's setting is out of range";
	if (plan->derivation == INV_PRICES_OWN)
		return plan->rates < inv->rates_count ? NULL : "a rate plan has no nights";
	if (inv_plan_parent_fault(inv, row_index, plan->parent) != NULL)
		return "a rate plan derives from none";
	const struct inv_plan *parent =
		inv_product_plan(inv, inv_product_find(inv, row_index, plan->parent));
	return plan->rates == (parent == NULL ? INV_NONE : parent->rates)
		       ? NULL
		       : "a rate plan derives from another's nights";
}

/* NULL, or what is wrong with a night of a plan; counts those that name a class. */
static const char *inv_plan_nights_wrong(
	const struct inv *inv, const struct inv_plan *plan, uint64_t *classed_count)
{
	kr_assert(classed_count != NULL);
	for (uint32_t n = 0; plan->derivation == INV_PRICES_OWN && n < inv->config.window_nights;
		n++) {
		struct cell_rate rate = cell_rate_unpack(inv_plan_rate(inv, plan, n, 0));
		if ((rate.flags & ~RATE_FLAG_MASK) != 0)
			return "a plan's night has unknown flags";
		if ((rate.flags & RATE_PRICED) == 0 && rate.price_minor != 0)
			return "an unpriced night has a price";
		if (rate.class_index == 0)
			continue;
		if (rate.class_index >= inv->class_fresh ||
			inv_class_uses(inv)[rate.class_index] == 0)
			return "a plan's night names a class that is free";
		++*classed_count;
	}
	return NULL;
}

static int inv_verify_plans(const struct inv *inv, uint32_t hotel_index, uint32_t row_index,
	uint64_t *classed_count, struct inv_contradiction *ret)
{
	const struct inv_row *row = inv_row_at(inv, row_index);
	int32_t previous = 0;
	uint32_t count = 0;
	for (uint32_t p = row->plan_head; p != INV_NONE; p = inv_plan_at(inv, p)->next) {
		const struct inv_plan *plan = inv_plan_at(inv, p);
		const char *wrong = plan->number > previous ? inv_plan_wrong(inv, row_index, p)
							    : "rate plans are out of order";
		if (wrong == NULL)
			wrong = inv_plan_nights_wrong(inv, plan, classed_count);
		if (wrong != NULL)
			return inv_verify_fail(inv, hotel_index, wrong, p, plan->number, ret);
		previous = plan->number;
		count++;
	}
	kr_assert(count <= INV_TYPE_PLANS_MAX);
	if (count != row->plan_count)
		return inv_verify_fail(inv, hotel_index, "the count of rate plans is wrong", count,
			row->plan_count, ret);
	return 0;
}

static int inv_verify_rows(const struct inv *inv, uint32_t hotel_index, uint64_t *classed_count,
	uint64_t *run_count, struct inv_contradiction *ret)
{
	const struct inv_hotel *hotel = inv_hotel_at(inv, hotel_index);
	int32_t previous_type = -1;
	uint32_t count = 0;
	for (uint32_t r = hotel->row_head; r != INV_NONE; r = inv_row_at(inv, r)->next) {
		const struct inv_row *row = inv_row_at(inv, r);
		if (row->hotel_index != hotel_index || row->type <= previous_type ||
			inv_row_find(inv, hotel_index, row->type) != r)
			return inv_verify_fail(inv, hotel_index,
				"a row is out of order or not found", r, row->type, ret);
		int e = inv_verify_cells(inv, hotel_index, r, classed_count, ret);
		if (e == 0)
			e = inv_verify_plans(inv, hotel_index, r, classed_count, ret);
		if (e == 0)
			e = inv_verify_counts(inv, hotel_index, r, ret);
		if (e != 0)
			return e;
		*run_count += row->run_count;
		previous_type = row->type;
		count++;
	}
	kr_assert(count <= INV_HOTEL_TYPES_MAX);
	if (count != hotel->row_count)
		return inv_verify_fail(inv, hotel_index, "the count of room types is wrong", count,
			hotel->row_count, ret);
	return 0;
}

static int inv_verify_roll(
	const struct inv *inv, uint32_t hotel_index, struct inv_contradiction *ret)
{
	const struct inv_hotel_cold *cold = inv_hotel_cold_at(inv, hotel_index);
	const uint32_t *handles = inv_rolls(inv);
	uint32_t at = cold->roll_pos;
	kr_assert(inv->roll_count <= inv->config.hotels_max);
	if (at >= inv->roll_count || handles[at] != hotel_index)
		return inv_verify_fail(inv, hotel_index, "a hotel has no place among the day rolls",
			hotel_index, at, ret);
	uint64_t above_us =
		at == 0 ? 0
			: inv_hotel_cold_at(inv, handles[(at - 1) / HEAP32_ARITY])->next_roll_us;
	if (above_us > cold->next_roll_us)
		return inv_verify_fail(inv, hotel_index, "day rolls are out of order", above_us,
			cold->next_roll_us, ret);
	return 0;
}

static int inv_verify_hotel(const struct inv *inv, uint32_t hotel_index, uint64_t *classed_count,
	uint64_t *run_count, struct inv_contradiction *ret)
{
	const struct inv_hotel *hotel = inv_hotel_at(inv, hotel_index);
	struct hotel_id id = {hotel->id};
	kr_assert(ret != NULL);
	if (inv_hotel_find(inv, id) != hotel_index)
		return inv_verify_fail(
			inv, hotel_index, "a hotel is not found by its id", hotel_index, 0, ret);
	if (!inv_business_day_is_valid(inv, hotel->first_day) || hotel->event_seq == 0 ||
		hotel->ari_version == 0 || hotel->event_seq < hotel->ari_version)
		return inv_verify_fail(inv, hotel_index, "a hotel's numbers are out of range",
			hotel->event_seq, hotel->ari_version, ret);
	int r = inv_verify_roll(inv, hotel_index, ret);
	return r != 0 ? r : inv_verify_rows(inv, hotel_index, classed_count, run_count, ret);
}

static int inv_verify_classes(
	const struct inv *inv, uint64_t classed_count, struct inv_contradiction *ret)
{
	uint64_t uses = 0;
	uint32_t count = 0;
	kr_assert(inv->class_fresh >= 1);
	for (uint32_t i = 1; i < inv->class_fresh; i++) {
		struct los_class los = inv_los_class(inv, (uint16_t)i);
		if (inv_los_is_none(los))
			continue; /* free */
		if (inv_class_find(inv, los) != i)
			return inv_verify_fail(inv, INV_NONE, "a class is not found", i, 0, ret);
		uses += inv_class_uses(inv)[i];
		count++;
	}
	if (uses != classed_count || count != inv->class_count)
		return inv_verify_fail(
			inv, INV_NONE, "classes are counted wrongly", classed_count, uses, ret);
	kr_assert(count <= INV_CLASSES_MAX);
	return 0;
}

int inv_verify(const struct inv *inv, struct inv_contradiction *ret)
{
	uint64_t classed_count = 0, run_count = 0;
	kr_assert(ret != NULL);
	*ret = (struct inv_contradiction){.lsn = inv->last_lsn};
	for (uint32_t h = 0; h < inv->hotel_count; h++) {
		inv_hotels_warm(inv, h);
		int r = inv_verify_hotel(inv, h, &classed_count, &run_count, ret);
		if (r != 0)
			return r;
	}
	if (inv->roll_count != inv->hotel_count)
		return inv_verify_fail(inv, INV_NONE, "the count of day rolls is wrong",
			inv->hotel_count, inv->roll_count, ret);
	if (run_count != inv->run_pool.used)
		return inv_verify_fail(inv, INV_NONE, "the count of stock runs is wrong", run_count,
			inv->run_pool.used, ret);
	int r = inv_verify_classes(inv, classed_count, ret);
	return r != 0 ? r : inv_records_verify(inv, ret);
}
