/*
 * Private to the inventory: its head, and how every table is reached.
 *
 * The head lies at the start of the region and names tables by offset. Tables that free their
 * entries (records, nodes, stock runs) hand out new ones by a high-water mark first, so that memory
 * nobody used yet is never touched.
 */
#ifndef ENGINE_INVENTORY_STATE_H
#define ENGINE_INVENTORY_STATE_H

#include "base/heap32.h"
#include "engine/inventory/index.h"
#include "engine/inventory/inventory.h"
#include "engine/inventory/layout.h"
#include "engine/inventory/pool.h"
#include "engine/inventory/scratch.h"

/* name, element type, element count; in the order of memory */
#define INV_TABLE_TABLE(X)                                                                         \
	X(hotels, struct inv_hotel, c->hotels_max)                                                 \
	X(hotel_colds, struct inv_hotel_cold, c->hotels_max)                                       \
	X(rolls, uint32_t, c->hotels_max)                                                          \
	X(rows, struct inv_row, c->rows_max)                                                       \
	X(type_codes, struct inv_code, c->rows_max)                                                \
	X(plans, struct inv_plan, c->plans_max)                                                    \
	X(plan_codes, struct inv_code, c->plans_max)                                               \
	X(tiers, struct inv_tiers, (uint64_t)c->rows_max + c->plans_max)                           \
	X(stock_runs, struct inv_stock_run, c->stock_runs_max)                                     \
	X(classes, struct los_class, INV_CLASSES_MAX + 1)                                          \
	X(class_uses, uint64_t, INV_CLASSES_MAX + 1)                                               \
	X(hotel_slots, uint64_t, inv_index_slot_count(c->hotels_max))                              \
	X(row_slots, uint64_t, inv_index_slot_count(c->rows_max))                                  \
	X(plan_slots, uint64_t, inv_index_slot_count(c->plans_max))                                \
	X(class_slots, uint64_t, inv_index_slot_count(INV_CLASSES_MAX))                            \
	X(records, struct inv_record, c->reservations_max)                                         \
	X(nodes, struct inv_node, c->nodes_max)                                                    \
	X(record_slots, uint64_t, inv_index_slot_count(c->reservations_max))                       \
	X(external_slots, uint64_t, inv_index_slot_count(c->reservations_max))                     \
	X(holds, struct inv_deadline, c->reservations_max + INV_DEADLINE_LEAD)                     \
	X(retirements, struct inv_deadline, c->reservations_max + INV_DEADLINE_LEAD)               \
	X(guest_holds, struct inv_guest_holds, inv_index_slot_count(c->reservations_max))          \
	X(refused, struct inv_refused, c->refusals_max)                                            \
	X(refused_slots, uint64_t, inv_index_slot_count(c->refusals_max))                          \
	X(denied, struct inv_denied, c->denials_max)                                               \
	X(scratches, struct inv_scratch, 1)                                                        \
	X(cells, uint8_t, (uint64_t)c->rows_max *inv_row_stride_bytes(c))                          \
	X(rates, uint8_t, (uint64_t)c->plans_max *inv_rates_stride_bytes(c))

struct inv {
	struct inv_config config;
	const struct tz_db *tz;
	uint32_t row_stride_bytes;
	uint32_t rates_stride_bytes;
	int32_t day_bias; /* a multiple of the window that makes every day positive */

	uint64_t last_t_us;
	uint64_t last_lsn;      /* of any effect */
	uint64_t shard_lsn;     /* of the shard's own chunk: effects without a hotel */
	uint64_t loaded_lsn;    /* the highest stamp of a loaded chunk: below it states mix */
	uint64_t purge_mark_us; /* never decreases */

	uint32_t hotel_count;
	uint32_t row_count;
	uint32_t plan_count;
	uint32_t rates_count; /* plans with prices of their own */
	uint32_t class_fresh; /* classes from here on were never used; 0 is "none" */
	uint32_t class_free;  /* linked through class_uses */
	uint32_t class_count;
	uint32_t roll_count;
	uint32_t hold_heap_count;
	uint32_t retirement_count;
	struct inv_pool run_pool, record_pool, node_pool;
	struct inv_index hotel_index, row_index, plan_index, class_index;
	struct inv_index record_index, external_index, refused_index;

	uint32_t void_head; /* records without a hotel */
	uint32_t void_count;
	uint32_t guest_count;   /* guests with a live hold, by hotel */
	uint32_t grace_cursor;  /* of inv_grace_judge; 0 = begin anew */
	uint64_t refused_total; /* ever: the ring's next place is its remainder */
	uint32_t denied_count;
	uint64_t denial_total;
	uint64_t denial_overflow;

#define X(name, type, count) uint64_t name##_offset;
	INV_TABLE_TABLE(X)
#undef X
};

struct inv_code {
	char bytes[INV_TYPE_CODE_SIZE_MAX];
};
kr_static_assert(INV_PLAN_CODE_SIZE_MAX == INV_TYPE_CODE_SIZE_MAX, "codes of one size");

/* What cancelling a product costs; how many there are stands with the product. */
struct inv_tiers {
	struct inv_tier tiers[INV_TIERS_MAX];
};

/* A multiple of 64 bytes and none of 4 KiB: equal nights of many rows must not share cache sets. */
static inline uint32_t inv_row_stride_bytes(const struct inv_config *c)
{
	uint32_t bytes = (c->window_nights * (uint32_t)sizeof(struct inv_cell) + 63) / 64 * 64;
	return bytes % 4096 == 0 ? bytes + 64 : bytes;
}

/* The same for the nights of a rate plan beside plan 0. */
static inline uint32_t inv_rates_stride_bytes(const struct inv_config *c)
{
	uint32_t bytes = (c->window_nights * (uint32_t)sizeof(uint64_t) + 63) / 64 * 64;
	return bytes % 4096 == 0 ? bytes + 64 : bytes;
}

/* Tables are reached through here alone: the region holds offsets, so it is one flat arena. */
#define X(name, type, count)                                                                       \
	static inline type *inv_##name(const struct inv *inv)                                      \
	{                                                                                          \
		return (type *)((uintptr_t)inv + inv->name##_offset);                              \
	}
INV_TABLE_TABLE(X)
#undef X

#endif
