#include "engine/inventory/class.h"
#include "engine/inventory/digest.h"
#include "engine/inventory/hotel.h"
#include "engine/inventory/limit.h"
#include "engine/inventory/plan.h"
#include "engine/inventory/type.h"

static void inv_digest_flush(struct inv_digest *digest)
{
	kr_assert(digest->count <= INV_DIGEST_WORDS);
	for (uint32_t i = 0; i < digest->count; i++)
		digest->words[i] = htole64(digest->words[i]);
	digest->sum = hash_chain(digest->sum, digest->words, digest->count * sizeof(uint64_t));
	digest->count = 0;
	kr_assert(digest->count == 0);
}

static inline void inv_digest_word(struct inv_digest *digest, uint64_t word)
{
	if (digest->count == INV_DIGEST_WORDS)
		inv_digest_flush(digest);
	digest->words[digest->count++] = word;
}

static uint64_t inv_digest_end(struct inv_digest *digest)
{
	inv_digest_flush(digest);
	kr_assert(digest->count == 0);
	return digest->sum;
}

static void inv_digest_text(struct inv_digest *digest, struct inv_text text)
{
	kr_assert(text.size_bytes <= INV_TEXT_SIZE_MAX);
	inv_digest_word(digest, text.size_bytes);
	inv_digest_word(digest, hash_64(text.bytes, text.size_bytes));
}

static uint64_t inv_los_word(struct los_class los)
{
	return (uint64_t)los.min_arrival | (uint64_t)los.max_arrival << 16 |
	       (uint64_t)los.min_through << 32 | (uint64_t)los.max_through << 48;
}

static void inv_digest_settings(struct inv_digest *d, const struct inv *inv, uint32_t hotel_index)
{
	const struct inv_hotel_settings s = inv_hotel_settings_of(inv, hotel_index);
	const struct inv_hotel *hotel = inv_hotel_at(inv, hotel_index);
	kr_assert(hotel->event_seq >= hotel->ari_version);
	inv_digest_word(d, hotel->id);
	inv_digest_word(d, hotel->ari_version);
	inv_digest_word(d, hotel->event_seq);
	inv_digest_word(d, (uint64_t)(int64_t)hotel->first_day);
	inv_digest_text(d, s.code);
	inv_digest_text(d, s.zone);
	inv_digest_word(d, kr_load_u32(s.currency) | (uint64_t)s.currency_digits << 32);
	inv_digest_word(d, s.day_roll_minute | (uint64_t)s.check_in_minute << 16 |
				   (uint64_t)s.nights_max << 32 | (uint64_t)s.status << 48);
	inv_digest_word(d, s.hold_ttl_us);
	inv_digest_word(d, s.hold_ttl_max_us);
	inv_digest_word(d, s.hold_total_max_us);
	inv_digest_word(d, s.holds_max | (uint64_t)s.guest_holds_max << 32);
	const struct inv_source *sources = inv_hotel_cold_at(inv, hotel_index)->sources;
	for (uint32_t i = 0; i < INV_HOTEL_SOURCES_MAX && sources[i].source != 0; i++) {
		inv_digest_word(d, sources[i].source);
		inv_digest_word(d, sources[i].last_seq);
	}
}

static void inv_digest_type(struct inv_digest *d, const struct inv *inv, uint32_t row_index)
{
	const struct inv_row *row = inv_row_at(inv, row_index);
	const struct inv_type_settings s = inv_type_settings_of(inv, row_index);
	kr_assert((row->set_mask & ~INV_TYPE_CLEARABLE) == 0);
	inv_digest_word(d, row->type | (uint64_t)row->kind << 16 | (uint64_t)row->set_mask << 32);
	inv_digest_text(d, s.code);
	inv_digest_word(d, s.physical | (uint64_t)s.out_of_order << 16 |
				   (uint64_t)(uint32_t)s.allowance << 32);
	inv_digest_word(d, (uint16_t)s.cap | (uint64_t)s.guests_max << 16 |
				   (uint64_t)s.allowance_unit << 32 | (uint64_t)s.status << 40 |
				   (uint64_t)s.plan_status << 48);
	inv_digest_word(d, s.advance_min_minutes | (uint64_t)s.advance_max_minutes << 32);
	inv_digest_word(d, row->run_count);
	for (uint32_t r = row->run_head; r != INV_NONE; r = inv_stock_runs(inv)[r].next) {
		const struct inv_stock_run *run = &inv_stock_runs(inv)[r];
		inv_digest_word(
			d, (uint32_t)run->first_day | (uint64_t)(uint32_t)run->last_day << 32);
		inv_digest_word(d, run->set_mask | (uint64_t)run->allowance_unit << 16 |
					   (uint64_t)(uint32_t)run->allowance << 32);
		inv_digest_word(d, run->physical | (uint64_t)run->out_of_order << 16);
	}
}

/* Nights about which something was said or sold: so the window's length is not part of it. */
static void inv_digest_cells(struct inv_digest *d, const struct inv *inv, uint32_t row_index)
{
	const struct inv_row *row = inv_row_at(inv, row_index);
	const uint64_t untouched = inv_counter_default(row);
	int32_t first = inv_hotel_at(inv, row->hotel_index)->first_day;
	uint32_t ring = inv_ring(inv, first);
	kr_assert(row->kind == INV_ROW_TYPE);
	for (uint32_t n = 0; n < inv->config.window_nights; n++) {
		struct inv_words w = inv_cell_load(inv, row_index, ring);
		ring = ring + 1 == inv->config.window_nights ? 0 : ring + 1;
		if (w.counter == untouched && w.rate == 0)
			continue;
		struct cell_rate rate = cell_rate_unpack(w.rate);
		inv_digest_word(d, (uint32_t)(first + (int32_t)n) | (uint64_t)rate.flags << 32 |
					   UINT64_C(1) << 40);
		inv_digest_word(d, w.counter);
		inv_digest_word(d, rate.price_minor);
		inv_digest_word(d, inv_los_word(inv_classes(inv)[rate.class_index]));
	}
}

static void inv_digest_tiers(struct inv_digest *d, const struct inv_tiers *tiers, uint32_t count)
{
	kr_assert(count <= INV_TIERS_MAX);
	inv_digest_word(d, count);
	for (uint32_t i = 0; i < count; i++)
		inv_digest_word(d, tiers->tiers[i].hours | (uint64_t)tiers->tiers[i].nights << 16 |
					   (uint64_t)tiers->tiers[i].basis_points << 32);
}

static void inv_digest_plan(struct inv_digest *d, const struct inv *inv, uint32_t place)
{
	const struct inv_plan *plan = inv_plan_at(inv, place);
	const uint32_t product = inv->config.rows_max + place;
	const struct inv_plan_settings s = inv_plan_settings_of(inv, product);
	int32_t first = inv_hotel_at(inv, inv_row_at(inv, plan->row)->hotel_index)->first_day;
	inv_digest_word(d, plan->number | (uint64_t)s.status << 16 | (uint64_t)s.derivation << 24 |
				   (uint64_t)s.parent << 32);
	inv_digest_text(d, s.code);
	inv_digest_word(d, (uint64_t)s.adjustment);
	inv_digest_word(d, s.advance_min_minutes | (uint64_t)s.advance_max_minutes << 32);
	inv_digest_tiers(d, &inv_tiers(inv)[product], s.tier_count);
	for (uint32_t n = 0; s.derivation == INV_PRICES_OWN && n < inv->config.window_nights; n++) {
		uint64_t word = inv_plan_rate(inv, plan, inv_ring(inv, first + (int32_t)n), 0);
		struct cell_rate rate = cell_rate_unpack(word);
		if (word == 0)
			continue;
		inv_digest_word(d, (uint32_t)(first + (int32_t)n) | (uint64_t)rate.flags << 32);
		inv_digest_word(d, rate.price_minor);
		inv_digest_word(d, inv_los_word(inv_classes(inv)[rate.class_index]));
	}
}

/* Nothing where there is none: such a hotel's digest is what it was before there were plans. */
static void inv_digest_plans(struct inv_digest *d, const struct inv *inv, uint32_t row_index)
{
	const struct inv_row *row = inv_row_at(inv, row_index);
	kr_assert(row->plan_count <= INV_TYPE_PLANS_MAX);
	if (!inv_row_has_plans(row))
		return;
	inv_digest_tiers(d, &inv_tiers(inv)[row_index], row->tier_count);
	inv_digest_word(d, row->plan_count);
	for (uint32_t p = row->plan_head; p != INV_NONE; p = inv_plan_at(inv, p)->next)
		inv_digest_plan(d, inv, p);
}

void inv_digest_hotel_begin(
	const struct inv *inv, uint32_t hotel_index, struct inv_digest *ret_digest)
{
	const struct inv_hotel *hotel = inv_hotel_at(inv, hotel_index);
	ret_digest->sum = INV_DIGEST_SEED;
	ret_digest->count = 0;
	inv_digest_settings(ret_digest, inv, hotel_index);
	for (uint32_t r = hotel->row_head; r != INV_NONE; r = inv_row_at(inv, r)->next) {
		inv_digest_type(ret_digest, inv, r);
		inv_digest_cells(ret_digest, inv, r);
		inv_digest_plans(ret_digest, inv, r);
	}
	kr_assert(ret_digest->count <= INV_DIGEST_WORDS);
}

uint64_t inv_digest_hotel_end(struct inv_digest *digest, uint32_t record_count, uint64_t records)
{
	kr_assert(record_count > 0 || records == 0);
	inv_digest_word(digest, record_count);
	inv_digest_word(digest, records);
	return inv_digest_end(digest);
}

uint64_t inv_digest_hotel(const struct inv *inv, uint32_t hotel_index)
{
	const struct inv_hotel *hotel = inv_hotel_at(inv, hotel_index);
	struct inv_digest d;
	uint64_t records = 0;
	uint32_t count = 0;
	inv_digest_hotel_begin(inv, hotel_index, &d);
	/* A sum: records have no order of their own. */
	for (uint32_t r = hotel->held_head; r != INV_NONE;
		r = inv_records(inv)[r].chain_next, count++)
		records += inv_record_hash(inv, r);
	for (uint32_t r = hotel->kept_head; r != INV_NONE;
		r = inv_records(inv)[r].chain_next, count++)
		records += inv_record_hash(inv, r);
	kr_assert(count == hotel->record_count);
	return inv_digest_hotel_end(&d, count, records);
}

uint64_t inv_digest_shard(const struct inv *inv)
{
	struct inv_digest d = {.sum = INV_DIGEST_SEED};
	uint64_t records = 0;
	uint32_t count = 0;
	for (uint32_t r = inv->void_head; r != INV_NONE;
		r = inv_records(inv)[r].chain_next, count++)
		records += inv_record_hash(inv, r);
	kr_assert(count == inv->void_count);
	inv_digest_word(&d, inv->purge_mark_us);
	inv_digest_word(&d, inv->last_t_us);
	inv_digest_word(&d, count);
	inv_digest_word(&d, records);
	return inv_digest_end(&d);
}

uint64_t inv_digest(const struct inv *inv)
{
	uint64_t sum = inv_digest_shard(inv);
	kr_assert(inv->hotel_count <= inv->config.hotels_max);
	for (uint32_t h = 0; h < inv->hotel_count; h++) {
		inv_hotels_warm(inv, h);
		sum += inv_digest_hotel(inv, h);
	}
	return sum;
}
