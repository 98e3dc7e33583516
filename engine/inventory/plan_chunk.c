#include "engine/inventory/class.h"
#include "engine/inventory/plan.h"

/*
 * Rate plans in a chunk: CHUNK.md gives the bytes. They follow the cells of a row that has any, or
 * whose plan 0 has terms, so that rows without either are as they were before there were plans.
 */

#define INV_PLAN_HEAD_SIZE_MAX                                                                     \
	(3u + 1 + INV_PLAN_CODE_SIZE_MAX + 1 + 5 + 5 + 1 + 3 + 10 + INV_TIERS_SIZE_MAX)
/* length, untouched nights, flags, price, limits of stay */
#define INV_RATE_RUN_SIZE_MAX (2u + 2 + 1 + 6 + 4 * 3)

bool inv_row_has_plans(const struct inv_row *row)
{
	kr_assert(row->kind == INV_ROW_TYPE);
	return row->plan_count != 0 || row->tier_count != 0;
}

uint64_t inv_plans_size_max(const struct inv *inv, const struct inv_row *row)
{
	uint64_t rates = (uint64_t)inv->config.window_nights * INV_RATE_RUN_SIZE_MAX;
	kr_assert(row->plan_count <= INV_TYPE_PLANS_MAX);
	if (!inv_row_has_plans(row))
		return 0;
	return INV_TIERS_SIZE_MAX + 3 + row->plan_count * (INV_PLAN_HEAD_SIZE_MAX + rates + 1);
}

/* ---- saving ---- */

static void inv_rate_run_save(const struct inv *inv, uint32_t length, uint32_t skipped,
	uint64_t word, struct kr_writer *writer)
{
	struct cell_rate rate = cell_rate_unpack(word);
	struct los_class los = inv_los_class(inv, rate.class_index);
	kr_assert(length > 0 && word != 0);
	kr_writer_varint(writer, length);
	kr_writer_varint(writer, skipped);
	kr_writer_u8(writer, rate.flags);
	if ((rate.flags & RATE_PRICED) != 0)
		kr_writer_varint(writer, rate.price_minor);
	kr_writer_varint(writer, los.min_arrival);
	kr_writer_varint(writer, los.max_arrival);
	kr_writer_varint(writer, los.min_through);
	kr_writer_varint(writer, los.max_through);
}

static void inv_rate_runs_save(
	const struct inv *inv, uint32_t rates, int32_t first_day, struct kr_writer *writer)
{
	const _Atomic uint64_t *words = inv_rates_row(inv, rates);
	uint32_t skipped = 0, length = 0;
	uint64_t run = 0;
	for (uint32_t n = 0; n < inv->config.window_nights; n++) {
		uint64_t word = atomic_load_explicit(
			&words[inv_ring(inv, first_day + (int32_t)n)], memory_order_relaxed);
		if (length != 0 && word == run) {
			length++;
			continue;
		}
		if (length != 0) {
			inv_rate_run_save(inv, length, skipped, run, writer);
			skipped = 0;
		}
		skipped += word == 0;
		length = word == 0 ? 0 : 1;
		run = word;
	}
	if (length != 0)
		inv_rate_run_save(inv, length, skipped, run, writer);
	kr_assert(skipped <= inv->config.window_nights);
	kr_writer_varint(writer, 0);
}

static void inv_plan_save(
	const struct inv *inv, uint32_t place, int32_t first_day, struct kr_writer *writer)
{
	const struct inv_plan *plan = inv_plan_at(inv, place);
	const struct inv_plan_settings s = inv_plan_settings_of(inv, inv->config.rows_max + place);
	kr_assert(inv_plan_settings_fault(plan->number, &s) == NULL);
	kr_writer_varint(writer, plan->number);
	kr_writer_u8(writer, (uint8_t)s.code.size_bytes);
	kr_writer_bytes(writer, s.code.bytes, s.code.size_bytes);
	kr_writer_u8(writer, s.status);
	kr_writer_varint(writer, s.advance_min_minutes);
	kr_writer_varint(writer, s.advance_max_minutes);
	kr_writer_u8(writer, s.derivation);
	if (s.derivation != INV_PRICES_OWN) {
		kr_writer_varint(writer, s.parent);
		kr_writer_zigzag(writer, s.adjustment);
	}
	inv_tiers_put(writer, s.tiers, s.tier_count);
	if (s.derivation == INV_PRICES_OWN)
		inv_rate_runs_save(inv, plan->rates, first_day, writer);
}

/* Those with prices of their own first: what derives from them finds them there when loading. */
void inv_plans_save(const struct inv *inv, uint32_t row_index, struct kr_writer *writer)
{
	const struct inv_row *row = inv_row_at(inv, row_index);
	int32_t first_day = inv_hotel_at(inv, row->hotel_index)->first_day;
	kr_assert(inv_row_has_plans(row));
	inv_tiers_put(writer, inv_tiers(inv)[row_index].tiers, row->tier_count);
	kr_writer_varint(writer, row->plan_count);
	for (int derived = 0; derived <= 1; derived++) {
		for (uint32_t p = row->plan_head; p != INV_NONE; p = inv_plan_at(inv, p)->next) {
			bool is_derived = inv_plan_at(inv, p)->derivation != INV_PRICES_OWN;
			if (is_derived == (derived == 1))
				inv_plan_save(inv, p, first_day, writer);
		}
	}
}

/* ---- loading ---- */

/* The night's word without its class, which comes in *ret_los. */
static struct cell_rate inv_rate_load(struct kr_reader *reader, struct los_class *ret_los)
{
	struct cell_rate rate = {.flags = kr_reader_u8(reader)};
	if ((rate.flags & RATE_PRICED) != 0)
		rate.price_minor = kr_reader_varint_max(reader, RATE_PRICE_MAX);
	ret_los->min_arrival = (uint16_t)kr_reader_varint_max(reader, UINT16_MAX);
	ret_los->max_arrival = (uint16_t)kr_reader_varint_max(reader, UINT16_MAX);
	ret_los->min_through = (uint16_t)kr_reader_varint_max(reader, UINT16_MAX);
	ret_los->max_through = (uint16_t)kr_reader_varint_max(reader, UINT16_MAX);
	if ((rate.flags & ~RATE_FLAG_MASK) != 0 || (rate.flags == 0 && inv_los_is_none(*ret_los)))
		kr_reader_fail(reader);
	kr_assert(rate.price_minor <= RATE_PRICE_MAX);
	return rate;
}

static int inv_rate_runs_load(
	struct inv *inv, uint32_t rates, int32_t first_day, struct kr_reader *reader)
{
	uint32_t at = 0;
	for (;;) {
		uint32_t length = (uint32_t)kr_reader_varint_max(reader, INV_WINDOW_NIGHTS_MAX);
		if (reader->failed || length == 0)
			return 0;
		uint32_t skipped = (uint32_t)kr_reader_varint_max(reader, INV_WINDOW_NIGHTS_MAX);
		struct los_class los;
		struct cell_rate rate = inv_rate_load(reader, &los);
		if (skipped + length > INV_WINDOW_NIGHTS_MAX - at)
			kr_reader_fail(reader);
		if (reader->failed)
			return 0;
		at += skipped;
		if (at + length > inv->config.window_nights ||
			(inv_class_find(inv, los) == INV_NONE && inv_classes_left(inv) == 0))
			return INV_NO_ROOM;
		rate.class_index = inv_class_intern(inv, los);
		for (uint32_t n = 0; n < length; n++, at++)
			inv_rate_store(inv, rates, inv_ring(inv, first_day + (int32_t)at), 0,
				cell_rate_pack(rate));
		kr_assert(at <= inv->config.window_nights);
	}
}

static struct inv_plan_settings inv_plan_head_load(struct kr_reader *reader, uint16_t *ret_number)
{
	struct inv_plan_settings s = {.status = 0};
	*ret_number = (uint16_t)kr_reader_varint_max(reader, INV_PLAN_NUMBER_MAX);
	s.code.size_bytes = kr_reader_u8(reader);
	s.code.bytes = kr_reader_bytes(reader, s.code.size_bytes);
	s.status = kr_reader_u8(reader);
	s.advance_min_minutes = (uint32_t)kr_reader_varint_max(reader, UINT32_MAX);
	s.advance_max_minutes = (uint32_t)kr_reader_varint_max(reader, UINT32_MAX);
	s.derivation = kr_reader_u8(reader);
	if (s.derivation != INV_PRICES_OWN) {
		s.parent = (uint16_t)kr_reader_varint_max(reader, INV_PLAN_NUMBER_MAX);
		s.adjustment = kr_reader_zigzag(reader);
	}
	s.tier_count = (uint8_t)inv_tiers_get(reader, s.tiers);
	if (!reader->failed &&
		(*ret_number == 0 || inv_plan_settings_fault(*ret_number, &s) != NULL))
		kr_reader_fail(reader);
	kr_assert(s.tier_count <= INV_TIERS_MAX);
	return s;
}

static int inv_plan_load(struct inv *inv, uint32_t row_index, struct kr_reader *reader)
{
	uint16_t number;
	const struct inv_plan_settings s = inv_plan_head_load(reader, &number);
	int32_t first_day = inv_hotel_at(inv, inv_row_at(inv, row_index)->hotel_index)->first_day;
	if (!reader->failed && (inv_plan_find(inv, row_index, number) != INV_NONE ||
				       (s.derivation != INV_PRICES_OWN &&
					       inv_plan_parent_fault(inv, row_index, s.parent))))
		kr_reader_fail(reader);
	if (reader->failed)
		return 0;
	uint32_t product = inv_plan_create(inv, row_index, number, s.derivation, s.parent);
	if (product == INV_NONE)
		return INV_NO_ROOM;
	inv_plan_settings_store(inv, product, &s);
	if (s.derivation != INV_PRICES_OWN)
		return 0;
	const struct inv_plan *plan = inv_product_plan(inv, product);
	kr_assert(plan != NULL);
	return inv_rate_runs_load(inv, plan->rates, first_day, reader);
}

int inv_plans_load(struct inv *inv, uint32_t row_index, struct kr_reader *reader)
{
	struct inv_row *row = inv_row_at(inv, row_index);
	kr_assert(!inv_row_has_plans(row));
	row->tier_count = (uint8_t)inv_tiers_get(reader, inv_tiers(inv)[row_index].tiers);
	uint32_t count = (uint32_t)kr_reader_varint_max(reader, INV_TYPE_PLANS_MAX);
	for (uint32_t i = 0; i < count && !reader->failed; i++) {
		int r = inv_plan_load(inv, row_index, reader);
		if (r != 0)
			return r;
	}
	/* one form for one state */
	if (!reader->failed && !inv_row_has_plans(row))
		kr_reader_fail(reader);
	return 0;
}
