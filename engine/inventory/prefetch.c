#include "engine/inventory/deadline.h"
#include "engine/inventory/product.h"
#include "engine/inventory/records.h"

/*
 * Hints ahead of judging. Each stage reads only what the stage before asked for, so that a batch
 * walked three times overlaps the misses of all its operations. A hint may be wrong (a tag is half
 * a hash): then the judge pays for its miss itself.
 */

#define INV_PREFETCH_CELL_LINES 4u

/* The first entry of a tag, without looking at the table behind; INV_NONE when there is none. */
static inline uint32_t inv_index_guess(
	const struct inv_index *index, const uint64_t *slots, uint32_t tag)
{
	uint32_t slot = inv_index_home(index, tag);
	kr_assert(slot < index->slot_count);
	kr_assert(index->used < index->slot_count);
	while (slots[slot] != 0 && (uint32_t)(slots[slot] >> 32) != tag)
		slot = inv_index_after(index, slot);
	return slots[slot] == 0 ? INV_NONE : (uint32_t)slots[slot] - 1;
}

static void inv_record_prefetch(const struct inv *inv, uint32_t record)
{
	kr_assert(record < inv->config.reservations_max);
	const struct inv_record *at = &inv_records(inv)[record];
	kr_prefetch(at);
	kr_prefetch(&at->created_at_us);
	kr_assert((uintptr_t)at % 64 == 0);
}

static uint32_t inv_hotel_guess(const struct inv *inv, struct hotel_id hotel)
{
	kr_assert(inv->hotel_index.used == inv->hotel_count);
	return inv_index_guess(
		&inv->hotel_index, inv_hotel_slots(inv), inv_index_tag(inv_hotel_hash(hotel)));
}

static uint32_t inv_row_guess(const struct inv *inv, uint32_t hotel_index, uint16_t type)
{
	kr_assert(inv->row_index.used == inv->row_count);
	return inv_index_guess(&inv->row_index, inv_row_slots(inv),
		inv_index_tag(inv_row_hash(hotel_index, type)));
}

static void inv_nights_prefetch(
	const struct inv *inv, uint32_t row, int32_t first_day, int32_t nights)
{
	kr_assert(row < inv->row_count);
	if (first_day < INV_DAY_MIN || first_day > INV_DAY_MAX || nights <= 0)
		return;
	const struct inv_cell *cell = &inv_row_cells(inv, row)[inv_ring(inv, first_day)];
	uint32_t lines = ((uint32_t)nights * (uint32_t)sizeof(*cell) + 63) / 64 + 1;
	for (uint32_t i = 0; i < KR_MIN(lines, INV_PREFETCH_CELL_LINES); i++)
		kr_prefetch((const char *)cell + i * 64);
	kr_assert(lines > 1);
}

static void inv_row_prefetch(const struct inv *inv, uint32_t hotel_index, uint16_t type,
	int32_t first_day, int32_t nights)
{
	uint32_t row = inv_row_guess(inv, hotel_index, type);
	kr_assert(hotel_index < inv->config.hotels_max);
	if (row == INV_NONE)
		return;
	kr_prefetch(&inv_rows(inv)[row]);
	inv_nights_prefetch(inv, row, first_day, nights);
	kr_assert(row < inv->row_count);
}

static void inv_lines_prefetch(const struct inv *inv, const struct inv_line *lines,
	uint32_t line_count, uint32_t hotel_index, bool cells)
{
	line_count = KR_MIN(line_count, INV_LINES_MAX);
	kr_assert(hotel_index < inv->config.hotels_max);
	for (uint32_t i = 0; i < line_count; i++) {
		const struct inv_line *line = &lines[i];
		if (!cells) {
			inv_row_slot_prefetch(inv, hotel_index, line->type);
			continue;
		}
		int64_t nights = (int64_t)line->check_out - line->check_in;
		inv_row_prefetch(inv, hotel_index, line->type, line->check_in,
			(int32_t)KR_MIN(nights, (int64_t)INV_STAY_NIGHTS_MAX));
	}
	kr_assert(line_count <= INV_LINES_MAX);
}

static void inv_reserve_prefetch_slots(const struct inv *inv, const struct inv_reserve_op *op)
{
	uint32_t tag = inv_id_tag(op->id);
	kr_assert(inv->record_index.slot_count > 0);
	inv_index_prefetch(&inv->record_index, inv_record_slots(inv), tag);
	inv_index_prefetch(&inv->refused_index, inv_refused_slots(inv), tag);
	inv_hotel_slot_prefetch(inv, op->hotel);
}

/* The hotel's lines. A record is there only for a retry, which is rare and pays for itself. */
static void inv_reserve_prefetch_hotel(const struct inv *inv, const struct inv_reserve_op *op)
{
	uint32_t hotel_index = inv_hotel_guess(inv, op->hotel);
	if (hotel_index == INV_NONE)
		return;
	kr_assert(hotel_index < inv->config.hotels_max);
	kr_prefetch(&inv_hotels(inv)[hotel_index]);
	kr_prefetch(&inv_hotel_colds(inv)[hotel_index]);
	inv_lines_prefetch(inv, op->lines, op->line_count, hotel_index, false);
}

/* The line of a record that its neighbours in a chain write to. */
static void inv_chain_prefetch(const struct inv *inv, uint32_t record)
{
	kr_assert(record == INV_NONE || record < inv->record_pool.fresh);
	if (record != INV_NONE)
		kr_prefetch(&inv_records(inv)[record].created_at_us);
}

/* Rows, cells, and the neighbours of the record to be: the chain's head. */
static void inv_reserve_prefetch_cells(const struct inv *inv, const struct inv_reserve_op *op)
{
	uint32_t hotel_index = inv_hotel_guess(inv, op->hotel);
	if (hotel_index == INV_NONE)
		return;
	const struct inv_hotel *hotel = inv_hotel_at(inv, hotel_index);
	inv_chain_prefetch(inv, op->book ? hotel->kept_head : hotel->held_head);
	inv_lines_prefetch(inv, op->lines, op->line_count, hotel_index, true);
	kr_assert(hotel->record_count >= hotel->hold_count);
}

void inv_reserve_prefetch(const struct inv *inv, const struct inv_reserve_op *op, unsigned stage)
{
	kr_assert(stage <= 2);
	kr_assert(op->lines != NULL || op->line_count == 0);
	if (stage == 0)
		inv_reserve_prefetch_slots(inv, op);
	else if (stage == 1)
		inv_reserve_prefetch_hotel(inv, op);
	else
		inv_reserve_prefetch_cells(inv, op);
}

static void inv_transition_prefetch_cells(const struct inv *inv, uint32_t r)
{
	const struct inv_record *record = inv_record_at(inv, r);
	kr_assert(record->line_count <= INV_LINES_MAX);
	if ((record->flags & INV_RECORD_FREE) || record->hotel_index == INV_NONE)
		return;
	kr_prefetch(inv_hotel_at(inv, record->hotel_index));
	if (record->product == INV_NONE)
		return;
	uint32_t row = inv_product_row(inv, record->product);
	kr_prefetch(&inv_rows(inv)[row]);
	inv_nights_prefetch(inv, row, record->check_in, record->nights);
	kr_assert(record->nights > 0);
}

void inv_transition_prefetch(const struct inv *inv, struct kr_id id, unsigned stage)
{
	uint32_t tag = inv_id_tag(id);
	kr_assert(stage <= 2);
	if (stage == 0) {
		inv_index_prefetch(&inv->record_index, inv_record_slots(inv), tag);
		return;
	}
	uint32_t record = inv_index_guess(&inv->record_index, inv_record_slots(inv), tag);
	kr_assert(record == INV_NONE || record < inv->record_pool.fresh);
	if (record != INV_NONE && stage == 1)
		inv_record_prefetch(inv, record);
	else if (record != INV_NONE)
		inv_transition_prefetch_cells(inv, record);
}

/* Answers of many types stream anyway: the first ones are what the caller would wait for. */
#define INV_PREFETCH_TYPES 8u

void inv_availability_prefetch(const struct inv *inv, struct hotel_id hotel, const uint16_t *types,
	uint32_t type_count, int32_t first_day, uint32_t night_count, unsigned stage)
{
	kr_assert(stage <= 2);
	kr_assert(types != NULL || type_count == 0);
	if (stage == 0) {
		inv_hotel_slot_prefetch(inv, hotel);
		return;
	}
	uint32_t hotel_index = inv_hotel_guess(inv, hotel);
	if (hotel_index == INV_NONE)
		return;
	if (stage == 1)
		kr_prefetch(&inv_hotels(inv)[hotel_index]);
	for (uint32_t i = 0; i < KR_MIN(type_count, INV_PREFETCH_TYPES); i++) {
		if (stage == 1)
			inv_row_slot_prefetch(inv, hotel_index, types[i]);
		else
			inv_row_prefetch(inv, hotel_index, types[i], first_day,
				(int32_t)KR_MIN(night_count, INV_STAY_NIGHTS_MAX));
	}
}

/* ---- ahead of applying: replay ---- */

static void inv_sale_prefetch(const struct inv *inv, const struct inv_effect *effect,
	const struct inv_line *lines, uint32_t line_count, unsigned stage)
{
	uint32_t hotel_index = inv_hotel_guess(inv, effect->hotel);
	kr_assert(stage == 1 || stage == 2);
	if (hotel_index == INV_NONE)
		return;
	const struct inv_hotel *hotel = inv_hotel_at(inv, hotel_index);
	inv_lines_prefetch(inv, lines, line_count, hotel_index, stage == 2);
	if (stage == 1)
		kr_prefetch(hotel);
	else
		inv_chain_prefetch(inv, hotel->kept_head);
	kr_assert(hotel_index < inv->hotel_count);
}

/* A record that moves leaves its chain and its heap: neighbours and its entry there. */
static void inv_move_prefetch(const struct inv *inv, struct kr_id id)
{
	uint32_t r = inv_index_guess(&inv->record_index, inv_record_slots(inv), inv_id_tag(id));
	if (r == INV_NONE)
		return;
	const struct inv_record *record = inv_record_at(inv, r);
	kr_assert(r < inv->record_pool.fresh);
	if ((record->flags & INV_RECORD_FREE) || record->heap_pos == INV_NONE)
		return;
	const struct inv_deadline *heap =
		record->state == INV_HELD ? inv_holds(inv) : inv_retirements(inv);
	kr_assert(record->heap_pos < inv->config.reservations_max);
	kr_prefetch(&heap[INV_DEADLINE_LEAD + record->heap_pos]);
	if (record->state != INV_HELD)
		return;
	inv_chain_prefetch(inv, record->chain_next);
	inv_chain_prefetch(inv, record->chain_prev);
}

void inv_effect_prefetch(const struct inv *inv, const struct inv_effect *effect, unsigned stage)
{
	bool has_id = !kr_id_is_zero(effect->id);
	kr_assert(stage <= 2);
	if (effect->hotel.v == 0 && !has_id)
		return;
	if (stage == 0) {
		inv_hotel_slot_prefetch(inv, effect->hotel);
		if (has_id)
			inv_index_prefetch(
				&inv->record_index, inv_record_slots(inv), inv_id_tag(effect->id));
		return;
	}
	if (effect->kind == INV_EFFECT_RESERVE)
		inv_sale_prefetch(
			inv, effect, effect->u.reserve.lines, effect->u.reserve.line_count, stage);
	else if (effect->kind == INV_EFFECT_IMPORT)
		inv_sale_prefetch(
			inv, effect, effect->u.import.lines, effect->u.import.line_count, stage);
	else if (stage == 1)
		inv_sale_prefetch(inv, effect, NULL, 0, stage);
	if (!has_id || effect->kind == INV_EFFECT_RESERVE)
		return;
	inv_transition_prefetch(inv, effect->id, stage);
	if (stage == 2)
		inv_move_prefetch(inv, effect->id);
}

/* ---- ahead of walks over all hotels ---- */

/* One of a chain's records is known only when the one before it has come: so a step is made in all
 * of them at once. A broken chain is for whoever walks it afterwards to find. */
static bool inv_chains_step(
	const struct inv *inv, uint32_t chains[static 2 * INV_WARM_HOTELS], uint32_t count)
{
	const struct inv_record *records = inv_records(inv);
	bool any = false;
	kr_assert(count <= 2 * INV_WARM_HOTELS);
	for (uint32_t i = 0; i < count; i++) {
		if (chains[i] >= inv->record_pool.fresh)
			continue;
		const uint32_t more = records[chains[i]].more;
		if (more < inv->node_pool.fresh)
			kr_prefetch(&inv_nodes(inv)[more]);
		kr_prefetch(&records[chains[i]]);
		chains[i] = records[chains[i]].chain_next;
		if (chains[i] >= inv->record_pool.fresh)
			continue;
		kr_prefetch(&records[chains[i]].chain_next);
		any = true;
	}
	return any;
}

void inv_hotels_warm(const struct inv *inv, uint32_t first)
{
	uint32_t chains[2 * INV_WARM_HOTELS];
	uint32_t count = 0;
	kr_assert(first < inv->hotel_count);
	if (first % INV_WARM_HOTELS != 0)
		return;
	for (uint32_t h = first; h < KR_MIN(first + INV_WARM_HOTELS, inv->hotel_count); h++) {
		chains[count++] = inv_hotel_at(inv, h)->held_head;
		chains[count++] = inv_hotel_at(inv, h)->kept_head;
	}
	for (uint32_t i = 0; i < INV_WARM_RECORDS && inv_chains_step(inv, chains, count); i++)
		;
	kr_assert(count > 0);
}
