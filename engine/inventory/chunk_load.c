#include "engine/inventory/cell_run.h"
#include "engine/inventory/chunk_priv.h"
#include "engine/inventory/digest.h"
#include "engine/inventory/hotel.h"
#include "engine/inventory/plan.h"
#include "engine/inventory/limit.h"
#include "engine/inventory/stock.h"
#include "engine/inventory/type.h"
#include "engine/inventory/window.h"

#define MALFORMED "a chunk is malformed"

static int inv_chunk_refuse(
	const char *what, uint64_t expected, uint64_t found, struct inv_contradiction *ret)
{
	kr_assert(what != NULL);
	ret->what = what;
	ret->expected = expected;
	ret->found = found;
	kr_assert(ret->what != NULL);
	return INV_CONTRADICTION;
}

static struct inv_text inv_text_load(struct kr_reader *reader)
{
	uint8_t size_bytes = kr_reader_u8(reader);
	if (size_bytes > INV_TEXT_SIZE_MAX)
		kr_reader_fail(reader);
	const char *bytes = kr_reader_bytes(reader, reader->failed ? 0 : size_bytes);
	kr_assert(reader->failed || bytes != NULL || size_bytes == 0);
	return (struct inv_text){.bytes = bytes, .size_bytes = reader->failed ? 0 : size_bytes};
}

static struct inv_hotel_settings inv_settings_load(struct kr_reader *reader)
{
	struct inv_hotel_settings s = {.code = inv_text_load(reader)};
	s.zone = inv_text_load(reader);
	const char *currency = kr_reader_bytes(reader, 3);
	kr_assert(currency != NULL || reader->failed);
	if (currency != NULL)
		memcpy(s.currency, currency, 3);
	s.currency_digits = kr_reader_u8(reader);
	s.day_roll_minute = (uint16_t)kr_reader_varint_max(reader, UINT16_MAX);
	s.check_in_minute = (uint16_t)kr_reader_varint_max(reader, UINT16_MAX);
	s.nights_max = (uint16_t)kr_reader_varint_max(reader, UINT16_MAX);
	s.hold_ttl_us = kr_reader_varint(reader);
	s.hold_ttl_max_us = kr_reader_varint(reader);
	s.hold_total_max_us = kr_reader_varint(reader);
	s.holds_max = (uint32_t)kr_reader_varint_max(reader, UINT32_MAX);
	s.guest_holds_max = (uint32_t)kr_reader_varint_max(reader, UINT32_MAX);
	s.status = kr_reader_u8(reader);
	return s;
}

static void inv_sources_load(struct inv *inv, uint32_t hotel_index, struct kr_reader *reader)
{
	struct inv_source *sources = inv_hotel_cold_at(inv, hotel_index)->sources;
	uint32_t count = (uint32_t)kr_reader_varint_max(reader, INV_HOTEL_SOURCES_MAX);
	for (uint32_t i = 0; i < count; i++) {
		sources[i].source = (uint32_t)kr_reader_varint_max(reader, UINT32_MAX);
		sources[i].last_seq = kr_reader_varint(reader);
		if (sources[i].source == 0 || sources[i].last_seq == 0)
			kr_reader_fail(reader);
	}
	kr_assert(count <= INV_HOTEL_SOURCES_MAX);
}

/* ---- a row ---- */

/* A field that is not set is zero: one form for one state. */
static bool inv_type_settings_are_plain(const struct inv_type_settings *s, uint32_t set_mask)
{
	kr_assert(s != NULL);
	return ((set_mask & INV_TYPE_PHYSICAL) != 0 || s->physical == 0) &&
	       ((set_mask & INV_TYPE_OUT_OF_ORDER) != 0 || s->out_of_order == 0) &&
	       ((set_mask & INV_TYPE_ALLOWANCE) != 0 || s->allowance == 0) &&
	       ((set_mask & INV_TYPE_CAP) != 0 || s->cap == 0);
}

static struct inv_type_settings inv_row_settings_load(
	struct kr_reader *reader, uint32_t *ret_set_mask)
{
	struct inv_type_settings s = {.code = inv_text_load(reader)};
	*ret_set_mask = (uint32_t)kr_reader_varint_max(reader, INV_TYPE_MASK);
	s.physical = (uint16_t)kr_reader_varint_max(reader, UINT16_MAX);
	s.out_of_order = (uint16_t)kr_reader_varint_max(reader, UINT16_MAX);
	int64_t allowance = kr_reader_zigzag(reader);
	s.allowance_unit = kr_reader_u8(reader);
	int64_t cap = kr_reader_zigzag(reader);
	s.guests_max = (uint16_t)kr_reader_varint_max(reader, UINT16_MAX);
	s.status = kr_reader_u8(reader);
	s.plan_status = kr_reader_u8(reader);
	s.advance_min_minutes = (uint32_t)kr_reader_varint_max(reader, UINT32_MAX);
	s.advance_max_minutes = (uint32_t)kr_reader_varint_max(reader, UINT32_MAX);
	s.allowance = (int32_t)allowance;
	s.cap = (int16_t)cap;
	if (s.allowance != allowance || s.cap != cap ||
		(*ret_set_mask & ~INV_TYPE_CLEARABLE) != 0 ||
		!inv_type_settings_are_plain(&s, *ret_set_mask) ||
		inv_type_settings_fault(&s, INV_TYPE_MASK) != NULL)
		kr_reader_fail(reader);
	kr_assert(reader->failed || s.code.size_bytes <= INV_TYPE_CODE_SIZE_MAX);
	return s;
}

static struct inv_stock inv_stock_load(struct kr_reader *reader)
{
	struct inv_stock stock = {.set_mask = kr_reader_u8(reader)};
	if (stock.set_mask == 0 || (stock.set_mask & ~INV_STOCK_FIELDS) != 0)
		kr_reader_fail(reader);
	if ((stock.set_mask & INV_UPDATE_PHYSICAL) != 0)
		stock.physical = (uint16_t)kr_reader_varint_max(reader, UINT16_MAX);
	if ((stock.set_mask & INV_UPDATE_OUT_OF_ORDER) != 0)
		stock.out_of_order = (uint16_t)kr_reader_varint_max(reader, UINT16_MAX);
	if ((stock.set_mask & INV_UPDATE_ALLOWANCE) != 0) {
		stock.allowance_unit = kr_reader_u8(reader);
		int64_t allowance = kr_reader_zigzag(reader);
		stock.allowance = (int32_t)allowance;
		if (stock.allowance != allowance || stock.allowance_unit < INV_ALLOWANCE_ROOMS ||
			stock.allowance_unit > INV_ALLOWANCE_BASIS_POINTS)
			kr_reader_fail(reader);
	}
	kr_assert(reader->failed || stock.set_mask != 0);
	return stock;
}

static int inv_stock_runs_load(
	struct inv *inv, struct inv_row *row, int32_t first_day, struct kr_reader *reader)
{
	uint32_t count = (uint32_t)kr_reader_varint_max(reader, INV_WINDOW_NIGHTS_MAX);
	uint64_t end = 0;
	kr_assert(row->run_count == 0);
	for (uint32_t i = 0; i < count && !reader->failed; i++) {
		uint64_t first = end + kr_reader_varint_max(reader, INV_WINDOW_NIGHTS_MAX);
		uint64_t last = first + kr_reader_varint_max(reader, INV_WINDOW_NIGHTS_MAX);
		struct inv_stock stock = inv_stock_load(reader);
		if (last >= INV_WINDOW_NIGHTS_MAX)
			kr_reader_fail(reader);
		if (reader->failed)
			break;
		if (last >= inv->config.window_nights)
			return INV_NO_ROOM;
		if (!inv_stock_append(inv, row, &stock, first_day + (int32_t)first,
			    first_day + (int32_t)last))
			return INV_NO_ROOM;
		end = last + 1;
	}
	kr_assert(reader->failed || row->run_count == count);
	return 0;
}

static int inv_cell_run_store(struct inv *inv, uint32_t row_index, int32_t day, uint32_t length,
	const struct inv_cell_run *run)
{
	if (inv_class_find(inv, run->los) == INV_NONE && inv_classes_left(inv) == 0)
		return INV_NO_ROOM;
	struct inv_words new = {
		.counter = cell_counter_pack(run->counter),
		.rate = cell_rate_pack((struct cell_rate){
			.price_minor = run->price_minor,
			.class_index = inv_class_intern(inv, run->los),
			.flags = run->rate_flags,
		}),
	};
	kr_assert(length > 0);
	for (uint32_t n = 0; n < length; n++) {
		uint32_t ring = inv_ring(inv, day + (int32_t)n);
		struct inv_words old = inv_cell_load(inv, row_index, ring);
		kr_assert(old.rate == 0);
		inv_cell_store(inv, row_index, ring, old, new);
	}
	return 0;
}

static int inv_cells_load(
	struct inv *inv, uint32_t row_index, int32_t first_day, struct kr_reader *reader)
{
	uint32_t at = 0;
	kr_assert(row_index < inv->row_count);
	for (;;) {
		struct inv_cell_run run = inv_cell_run_load(reader);
		if (reader->failed || run.length == 0)
			return 0;
		if (run.skipped + run.length > INV_WINDOW_NIGHTS_MAX - at) {
			kr_reader_fail(reader);
			return 0;
		}
		at += run.skipped + run.length;
		if (at > inv->config.window_nights)
			return INV_NO_ROOM;
		int32_t day = first_day + (int32_t)(at - run.length);
		int r = inv_cell_run_store(inv, row_index, day, run.length, &run);
		if (r != 0)
			return r;
	}
}

static int inv_row_load(
	struct inv *inv, uint32_t hotel_index, int32_t *previous_type, struct kr_reader *reader)
{
	int32_t first_day = inv_hotel_at(inv, hotel_index)->first_day;
	int32_t type = (int32_t)kr_reader_varint_max(reader, INV_TYPE_NUMBER_MAX);
	uint32_t set_mask;
	uint8_t kind = kr_reader_u8(reader);
	bool has_plans = (kind & INV_CHUNK_ROW_PLANS) != 0;
	if ((kind & ~INV_CHUNK_ROW_PLANS) != INV_ROW_TYPE || type <= *previous_type)
		kr_reader_fail(reader);
	struct inv_type_settings s = inv_row_settings_load(reader, &set_mask);
	if (reader->failed)
		return 0;
	*previous_type = type;
	uint32_t row_index = inv_row_create(inv, hotel_index, (uint16_t)type);
	if (row_index == INV_NONE)
		return INV_NO_ROOM;
	struct inv_row draft = {.set_mask = set_mask,
		.cap = s.cap,
		.physical = s.physical,
		.out_of_order = s.out_of_order,
		.allowance = s.allowance,
		.allowance_unit = s.allowance_unit};
	const struct inv_stock none = {.set_mask = 0};
	if (!inv_limit_fits(inv_limit_of(&draft, &none))) {
		kr_reader_fail(reader);
		return 0;
	}
	inv_type_settings_store(inv, row_index, &s, set_mask);
	inv_window_fill(inv, row_index);
	int r = inv_stock_runs_load(inv, inv_row_at(inv, row_index), first_day, reader);
	if (r == 0 && !reader->failed)
		r = inv_cells_load(inv, row_index, first_day, reader);
	if (r == 0 && !reader->failed && has_plans)
		r = inv_plans_load(inv, row_index, reader);
	kr_assert(r == 0 || r == INV_NO_ROOM);
	return r;
}

/* ---- a chunk ---- */

static int inv_chunk_records_load(struct inv *inv, uint32_t hotel_index, struct kr_reader *reader,
	struct inv_contradiction *ret)
{
	uint64_t count = kr_reader_varint_max(reader, UINT32_MAX);
	kr_assert(hotel_index == INV_NONE || hotel_index < inv->hotel_count);
	for (uint64_t i = 0; i < count; i++) {
		int r = inv_record_load(inv, hotel_index, reader, ret);
		if (r != 0)
			return r;
		if (reader->failed)
			break;
	}
	return reader->failed ? inv_chunk_refuse(MALFORMED, 0, 0, ret) : 0;
}

/* The hotel itself; its rows and records follow. */
static int inv_chunk_hotel_create(struct inv *inv, struct kr_reader *reader,
	uint32_t *ret_hotel_index, struct inv_contradiction *ret)
{
	struct hotel_id hotel = {kr_reader_u64(reader)};
	int64_t first_day = kr_reader_zigzag(reader);
	struct inv_hotel_settings s = inv_settings_load(reader);
	ret->hotel = hotel;
	if (reader->failed || hotel.v == 0 || first_day != (int32_t)first_day ||
		!inv_business_day_is_valid(inv, (int32_t)first_day))
		return inv_chunk_refuse(MALFORMED, 0, hotel.v, ret);
	if (inv_hotel_settings_fault(inv, &s, INV_HOTEL_MASK) != NULL)
		return inv_chunk_refuse(
			"a hotel's setting is out of range, or its zone is not in tzdata", 0, 0,
			ret);
	if (inv_hotel_find(inv, hotel) != INV_NONE)
		return inv_chunk_refuse("a hotel is there twice", 0, hotel.v, ret);
	*ret_hotel_index = inv_hotel_create(inv, hotel, (int32_t)first_day);
	if (*ret_hotel_index == INV_NONE)
		return INV_NO_ROOM;
	inv_hotel_settings_store(inv, *ret_hotel_index, &s);
	inv_roll_update(inv, *ret_hotel_index);
	kr_assert(inv_hotel_find(inv, hotel) == *ret_hotel_index);
	return 0;
}

static int inv_chunk_hotel_load(struct inv *inv, struct kr_reader *reader, uint64_t lsn,
	uint32_t *ret_hotel_index, struct inv_contradiction *ret)
{
	int r = inv_chunk_hotel_create(inv, reader, ret_hotel_index, ret);
	if (r != 0)
		return r;
	struct inv_hotel *hotel = inv_hotel_at(inv, *ret_hotel_index);
	hotel->ari_version = kr_reader_varint(reader);
	hotel->event_seq = kr_reader_varint(reader);
	hotel->last_lsn = lsn;
	if (hotel->ari_version == 0 || hotel->event_seq < hotel->ari_version)
		kr_reader_fail(reader);
	inv_sources_load(inv, *ret_hotel_index, reader);
	uint32_t row_count = (uint32_t)kr_reader_varint_max(reader, INV_HOTEL_TYPES_MAX);
	int32_t previous_type = -1;
	for (uint32_t i = 0; i < row_count && !reader->failed; i++) {
		r = inv_row_load(inv, *ret_hotel_index, &previous_type, reader);
		if (r != 0)
			return r;
	}
	if (reader->failed)
		return inv_chunk_refuse(MALFORMED, 0, 0, ret);
	kr_assert(hotel->row_count == row_count);
	return inv_chunk_records_load(inv, *ret_hotel_index, reader, ret);
}

static int inv_chunk_shard_load(
	struct inv *inv, struct kr_reader *reader, uint64_t lsn, struct inv_contradiction *ret)
{
	kr_assert(inv->void_count == 0);
	kr_assert(inv->shard_lsn == 0);
	inv->purge_mark_us = kr_reader_varint(reader);
	inv->last_t_us = kr_reader_varint(reader);
	inv->shard_lsn = lsn;
	return inv_chunk_records_load(inv, INV_NONE, reader, ret);
}

int inv_chunk_load(struct inv *inv, struct kr_reader *reader, uint64_t lsn, uint64_t digest,
	struct inv_contradiction *ret)
{
	uint32_t hotel_index = INV_NONE;
	kr_assert(reader != NULL && ret != NULL);
	*ret = (struct inv_contradiction){.lsn = lsn};
	uint8_t format = kr_reader_u8(reader), kind = kr_reader_u8(reader);
	if (reader->failed || format != INV_CHUNK_FORMAT || kind > INV_CHUNK_HOTEL)
		return inv_chunk_refuse(
			"a chunk's format is unknown", INV_CHUNK_FORMAT, format, ret);
	bool is_shards = kind == INV_CHUNK_SHARD;
	if (is_shards && (inv->shard_lsn != 0 || inv->last_t_us != 0 || inv->void_count != 0))
		return inv_chunk_refuse("the shard's own chunk is there twice", 0, 0, ret);
	int r = is_shards ? inv_chunk_shard_load(inv, reader, lsn, ret)
			  : inv_chunk_hotel_load(inv, reader, lsn, &hotel_index, ret);
	ret->lsn = lsn;
	if (r != 0)
		return r;
	uint64_t found = is_shards ? inv_digest_shard(inv) : inv_digest_hotel(inv, hotel_index);
	if (found != digest)
		return inv_chunk_refuse("a chunk's digest differs", digest, found, ret);
	inv->last_lsn = KR_MAX(inv->last_lsn, lsn);
	inv->loaded_lsn = KR_MAX(inv->loaded_lsn, lsn);
	return 0;
}
