#include "base/bug.h"
#include "engine/inventory/cell_run.h"
#include "engine/inventory/chunk_priv.h"
#include "engine/inventory/digest.h"
#include "engine/inventory/hotel.h"
#include "engine/inventory/plan.h"
#include "engine/inventory/type.h"

uint32_t inv_chunk_count(const struct inv *inv)
{
	kr_assert(inv->hotel_count <= inv->config.hotels_max);
	return inv->hotel_count + 1;
}

struct hotel_id inv_chunk_hotel(const struct inv *inv, uint32_t chunk)
{
	kr_assert(chunk < inv_chunk_count(inv));
	if (chunk == 0)
		return (struct hotel_id){0};
	return (struct hotel_id){inv_hotel_at(inv, chunk - 1)->id};
}

uint64_t inv_chunk_lsn(const struct inv *inv, uint32_t chunk)
{
	kr_assert(chunk < inv_chunk_count(inv));
	return chunk == 0 ? inv->shard_lsn : inv_hotel_at(inv, chunk - 1)->last_lsn;
}

uint64_t inv_chunk_digest(const struct inv *inv, uint32_t chunk)
{
	kr_assert(chunk < inv_chunk_count(inv));
	return chunk == 0 ? inv_digest_shard(inv) : inv_digest_hotel(inv, chunk - 1);
}

/* ---- sizes ---- */

static uint64_t inv_chain_size_max(const struct inv *inv, uint32_t head)
{
	uint64_t size = 0;
	for (uint32_t r = head; r != INV_NONE; r = inv_records(inv)[r].chain_next) {
		kr_assert(r < inv->record_pool.fresh);
		size += inv_record_size_max(inv, r);
	}
	return size;
}

uint64_t inv_chunk_size_max(const struct inv *inv, uint32_t chunk)
{
	kr_assert(chunk < inv_chunk_count(inv));
	if (chunk == 0)
		return INV_CHUNK_HEAD_SIZE_MAX + inv_chain_size_max(inv, inv->void_head);
	const struct inv_hotel *hotel = inv_hotel_at(inv, chunk - 1);
	return inv_hotel_head_size_max(inv, chunk - 1) + inv_chain_size_max(inv, hotel->held_head) +
	       inv_chain_size_max(inv, hotel->kept_head);
}

uint64_t inv_hotel_head_size_max(const struct inv *inv, uint32_t hotel_index)
{
	const struct inv_hotel *hotel = inv_hotel_at(inv, hotel_index);
	uint64_t row_size = INV_CHUNK_ROW_SIZE_MAX +
			    (uint64_t)inv->config.window_nights * INV_CELL_RUN_SIZE_MAX;
	uint64_t size = INV_CHUNK_HEAD_SIZE_MAX + hotel->row_count * row_size;
	for (uint32_t r = hotel->row_head; r != INV_NONE; r = inv_row_at(inv, r)->next)
		size += (uint64_t)inv_row_at(inv, r)->run_count * INV_CHUNK_RUN_SIZE_MAX +
			inv_plans_size_max(inv, inv_row_at(inv, r));
	kr_assert(size >= INV_CHUNK_HEAD_SIZE_MAX);
	return size;
}

/* ---- saving ---- */

static void inv_text_save(struct kr_writer *writer, struct inv_text text)
{
	kr_assert(text.size_bytes <= INV_TEXT_SIZE_MAX);
	kr_writer_u8(writer, (uint8_t)text.size_bytes);
	kr_writer_bytes(writer, text.bytes, text.size_bytes);
}

static void inv_settings_save(const struct inv *inv, uint32_t hotel_index, struct kr_writer *writer)
{
	const struct inv_hotel_settings s = inv_hotel_settings_of(inv, hotel_index);
	kr_assert(s.status >= INV_ACTIVE && s.status <= INV_RETIRED);
	inv_text_save(writer, s.code);
	inv_text_save(writer, s.zone);
	kr_writer_bytes(writer, s.currency, 3);
	kr_writer_u8(writer, s.currency_digits);
	kr_writer_varint(writer, s.day_roll_minute);
	kr_writer_varint(writer, s.check_in_minute);
	kr_writer_varint(writer, s.nights_max);
	kr_writer_varint(writer, s.hold_ttl_us);
	kr_writer_varint(writer, s.hold_ttl_max_us);
	kr_writer_varint(writer, s.hold_total_max_us);
	kr_writer_varint(writer, s.holds_max);
	kr_writer_varint(writer, s.guest_holds_max);
	kr_writer_u8(writer, s.status);
}

static void inv_sources_save(const struct inv *inv, uint32_t hotel_index, struct kr_writer *writer)
{
	const struct inv_source *sources = inv_hotel_cold_at(inv, hotel_index)->sources;
	uint32_t count = 0;
	while (count < INV_HOTEL_SOURCES_MAX && sources[count].source != 0)
		count++;
	kr_assert(count <= INV_HOTEL_SOURCES_MAX);
	kr_writer_varint(writer, count);
	for (uint32_t i = 0; i < count; i++) {
		kr_writer_varint(writer, sources[i].source);
		kr_writer_varint(writer, sources[i].last_seq);
	}
}

static void inv_stock_save(const struct inv *inv, const struct inv_row *row, int32_t first_day,
	struct kr_writer *writer)
{
	int32_t end = first_day;
	kr_writer_varint(writer, row->run_count);
	for (uint32_t r = row->run_head; r != INV_NONE; r = inv_stock_runs(inv)[r].next) {
		const struct inv_stock_run *run = &inv_stock_runs(inv)[r];
		kr_assert(run->first_day >= end);
		kr_writer_varint(writer, (uint64_t)(run->first_day - end));
		kr_writer_varint(writer, (uint64_t)(run->last_day - run->first_day));
		kr_writer_u8(writer, (uint8_t)run->set_mask);
		if ((run->set_mask & INV_UPDATE_PHYSICAL) != 0)
			kr_writer_varint(writer, run->physical);
		if ((run->set_mask & INV_UPDATE_OUT_OF_ORDER) != 0)
			kr_writer_varint(writer, run->out_of_order);
		if ((run->set_mask & INV_UPDATE_ALLOWANCE) != 0) {
			kr_writer_u8(writer, run->allowance_unit);
			kr_writer_zigzag(writer, run->allowance);
		}
		end = run->last_day + 1;
	}
	kr_assert(end <= first_day + (int32_t)inv->config.window_nights);
}

static void inv_row_save(const struct inv *inv, uint32_t row_index, struct kr_writer *writer)
{
	const struct inv_row *row = inv_row_at(inv, row_index);
	const struct inv_type_settings s = inv_type_settings_of(inv, row_index);
	kr_assert((row->set_mask & ~INV_TYPE_CLEARABLE) == 0);
	kr_writer_varint(writer, row->type);
	kr_writer_u8(
		writer, (uint8_t)(row->kind | (inv_row_has_plans(row) ? INV_CHUNK_ROW_PLANS : 0)));
	inv_text_save(writer, s.code);
	kr_writer_varint(writer, row->set_mask);
	kr_writer_varint(writer, s.physical);
	kr_writer_varint(writer, s.out_of_order);
	kr_writer_zigzag(writer, s.allowance);
	kr_writer_u8(writer, s.allowance_unit);
	kr_writer_zigzag(writer, s.cap);
	kr_writer_varint(writer, s.guests_max);
	kr_writer_u8(writer, s.status);
	kr_writer_u8(writer, s.plan_status);
	kr_writer_varint(writer, s.advance_min_minutes);
	kr_writer_varint(writer, s.advance_max_minutes);
	inv_stock_save(inv, row, inv_hotel_at(inv, row->hotel_index)->first_day, writer);
	inv_cell_runs_save(inv, row_index, writer);
	if (inv_row_has_plans(row))
		inv_plans_save(inv, row_index, writer);
}

static void inv_chain_save(const struct inv *inv, uint32_t head, struct kr_writer *writer)
{
	kr_assert(head == INV_NONE || head < inv->record_pool.fresh);
	for (uint32_t r = head; r != INV_NONE; r = inv_records(inv)[r].chain_next)
		inv_record_save(inv, r, writer);
}

void inv_hotel_head_save(const struct inv *inv, uint32_t hotel_index, struct kr_writer *writer)
{
	const struct inv_hotel *hotel = inv_hotel_at(inv, hotel_index);
	kr_assert(hotel->row_count <= INV_HOTEL_TYPES_MAX);
	kr_writer_u8(writer, INV_CHUNK_FORMAT);
	kr_writer_u8(writer, INV_CHUNK_HOTEL);
	kr_writer_u64(writer, hotel->id);
	kr_writer_zigzag(writer, hotel->first_day);
	inv_settings_save(inv, hotel_index, writer);
	kr_writer_varint(writer, hotel->ari_version);
	kr_writer_varint(writer, hotel->event_seq);
	inv_sources_save(inv, hotel_index, writer);
	kr_writer_varint(writer, hotel->row_count);
	for (uint32_t r = hotel->row_head; r != INV_NONE; r = inv_row_at(inv, r)->next)
		inv_row_save(inv, r, writer);
	kr_writer_varint(writer, hotel->record_count);
}

void inv_chunk_save(const struct inv *inv, uint32_t chunk, struct kr_writer *writer)
{
	kr_assert(chunk < inv_chunk_count(inv));
	kr_assert(writer != NULL);
	if (chunk != 0) {
		const struct inv_hotel *hotel = inv_hotel_at(inv, chunk - 1);
		inv_hotel_head_save(inv, chunk - 1, writer);
		inv_chain_save(inv, hotel->held_head, writer);
		inv_chain_save(inv, hotel->kept_head, writer);
		return;
	}
	kr_writer_u8(writer, INV_CHUNK_FORMAT);
	kr_writer_u8(writer, INV_CHUNK_SHARD);
	kr_writer_varint(writer, bug_is(BUG_PURGE_MARK_LOST) ? 0 : inv->purge_mark_us);
	kr_writer_varint(writer, inv->last_t_us);
	kr_writer_varint(writer, inv->void_count);
	inv_chain_save(inv, inv->void_head, writer);
}
