#include "engine/inventory/ahead.h"

#include "engine/inventory/priv.h"

struct table {
	uint64_t offset;     /* from the inventory's head */
	uint64_t size_bytes; /* all of it */
	uint64_t used_bytes; /* of one that fills from below */
	uint64_t ahead_bytes;
	bool is_hashed;
	bool is_met; /* hashed: it has entries, or will at once */
};

static uint64_t wanted_bytes(const struct table *table)
{
	kr_assert(table->used_bytes <= table->size_bytes);
	if (table->is_hashed)
		return table->is_met ? table->size_bytes : 0;
	uint64_t ahead_bytes = KR_MIN(table->used_bytes, table->ahead_bytes);
	return KR_MIN(table->size_bytes, table->used_bytes + ahead_bytes);
}

#define FILLS(name, count, most, ahead)                                                            \
	{                                                                                          \
		.offset = inv->name##_offset,                                                      \
		.size_bytes = (uint64_t)(most) * sizeof(*inv_##name(inv)),                         \
		.used_bytes = (uint64_t)(count) * sizeof(*inv_##name(inv)),                        \
		.ahead_bytes = (uint64_t)(ahead) * sizeof(*inv_##name(inv)),                       \
	}
#define HASHED(name, count, met)                                                                   \
	{                                                                                          \
		.offset = inv->name##_offset,                                                      \
		.size_bytes = (uint64_t)(count) * sizeof(*inv_##name(inv)), .is_hashed = true,     \
		.is_met = (met),                                                                   \
	}

bool inv_ahead_next(const struct inv *inv, struct inv_ahead *ahead, struct inv_stretch *ret_stretch)
{
	const struct inv_config *c = &inv->config;
	const uint32_t fresh = inv->record_pool.fresh;
	const uint64_t heap_max = (uint64_t)c->reservations_max + INV_DEADLINE_LEAD;
	const struct table tables[] = {
		HASHED(record_slots, inv->record_index.slot_count, true),
		HASHED(external_slots, inv->external_index.slot_count,
			inv->external_index.used > 0),
		HASHED(guest_holds, inv_index_slot_count(c->reservations_max),
			inv->guest_count > 0),
		HASHED(refused_slots, inv->refused_index.slot_count, inv->refused_total > 0),
		FILLS(records, fresh, c->reservations_max, INV_AHEAD_RECORDS),
		FILLS(nodes, inv->node_pool.fresh, c->nodes_max, INV_AHEAD_RECORDS),
		FILLS(holds, inv->hold_heap_count + INV_DEADLINE_LEAD, heap_max, INV_AHEAD_RECORDS),
		/* Touched as records come: inv_record_touch_end(). */
		FILLS(retirements, fresh + INV_DEADLINE_LEAD, heap_max, INV_AHEAD_RECORDS),
		FILLS(refused, KR_MIN(inv->refused_total, c->refusals_max), c->refusals_max,
			INV_AHEAD_RECORDS),
		FILLS(cells, (uint64_t)inv->row_count * inv->row_stride_bytes,
			(uint64_t)c->rows_max * inv->row_stride_bytes, INV_AHEAD_BYTES),
		FILLS(rates, (uint64_t)inv->rates_count * inv->rates_stride_bytes,
			(uint64_t)c->plans_max * inv->rates_stride_bytes, INV_AHEAD_BYTES),
	};
	kr_static_assert(KR_ARRAY_COUNT(tables) <= INV_AHEAD_TABLES_MAX, "each has its mark");
	for (size_t i = 0; i < KR_ARRAY_COUNT(tables); i++) {
		const struct table *table = &tables[i];
		uint64_t *done_bytes = &ahead->done_bytes[i];
		/* What is used is there; there was no time to take it ahead. */
		*done_bytes = KR_MAX(*done_bytes, table->used_bytes);
		if (*done_bytes >= wanted_bytes(table))
			continue;
		uintptr_t start = (uintptr_t)inv + table->offset;
		uintptr_t at = start + *done_bytes;
		ret_stretch->base = at - at % INV_AHEAD_PIECE;
		ret_stretch->size_bytes = INV_AHEAD_PIECE;
		*done_bytes = ret_stretch->base + INV_AHEAD_PIECE - start;
		kr_assert(ret_stretch->base + INV_AHEAD_PIECE > at);
		return true;
	}
	return false;
}
