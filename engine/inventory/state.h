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
#include "engine/inventory/record.h"

/* name, element type, element count; in the order of memory */
#define INV_TABLE_TABLE(X)                                                                         \
	X(hotels, struct inv_hotel, c->hotels_max)                                                 \
	X(hotel_colds, struct inv_hotel_cold, c->hotels_max)                                       \
	X(rolls, uint32_t, c->hotels_max)                                                          \
	X(rows, struct inv_row, c->rows_max)                                                       \
	X(type_codes, struct inv_type_code, c->rows_max)                                           \
	X(stock_runs, struct inv_stock_run, c->stock_runs_max)                                     \
	X(classes, struct los_class, INV_CLASSES_MAX + 1)                                          \
	X(class_uses, uint64_t, INV_CLASSES_MAX + 1)                                               \
	X(hotel_slots, uint64_t, inv_index_slot_count(c->hotels_max))                              \
	X(row_slots, uint64_t, inv_index_slot_count(c->rows_max))                                  \
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
	X(cells, uint8_t, (uint64_t)c->rows_max *inv_row_stride_bytes(c))

struct inv {
	struct inv_config config;
	const struct tz_db *tz;
	uint32_t row_stride_bytes;
	int32_t day_bias; /* a multiple of the window that makes every day positive */

	uint64_t last_t_us;
	uint64_t last_lsn;      /* of any effect */
	uint64_t shard_lsn;     /* of the shard's own chunk: effects without a hotel */
	uint64_t loaded_lsn;    /* the highest stamp of a loaded chunk: below it states mix */
	uint64_t purge_mark_us; /* never decreases */

	uint32_t hotel_count;
	uint32_t row_count;
	uint32_t class_fresh; /* classes from here on were never used; 0 is "none" */
	uint32_t class_free;  /* linked through class_uses */
	uint32_t class_count;
	uint32_t roll_count;
	uint32_t hold_heap_count;
	uint32_t retirement_count;
	struct inv_pool run_pool, record_pool, node_pool;
	struct inv_index hotel_index, row_index, class_index;
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

struct inv_type_code {
	char bytes[INV_TYPE_CODE_SIZE_MAX];
};

/* What a night's limit is computed from, and which of it is set by date. */
struct inv_stock {
	uint32_t set_mask;
	int32_t allowance;
	uint16_t physical;
	uint16_t out_of_order;
	uint8_t allowance_unit;
	uint8_t spare[3]; /* zero: compared as a whole */
};
kr_static_assert(sizeof(struct inv_stock) == 16, "no hidden padding");

/* What an update makes of one night. */
struct inv_night_change {
	struct inv_words old, new;
	int32_t day;
	uint32_t ring;
};

/* Working memory of judging and reading; nothing in it outlives the next call. */
struct inv_scratch {
	uint16_t types[INV_HOTEL_TYPES_MAX];
	uint32_t rows[INV_HOTEL_TYPES_MAX];
	char hotel_code[INV_TEXT_SIZE_MAX];
	char hotel_zone[INV_TEXT_SIZE_MAX];
	struct inv_update_old update_olds[INV_UPDATE_CELLS_MAX];
	struct inv_stock stocks[INV_WINDOW_NIGHTS_MAX]; /* of one row's window */
	struct inv_night_change changes[INV_WINDOW_NIGHTS_MAX];
	uint64_t classes_seen[(INV_CLASSES_MAX + 1) / 64];
	struct cell_counter recounts[INV_WINDOW_NIGHTS_MAX];
	/* stays */
	struct inv_words stay_words[INV_STAY_NIGHTS_MAX]; /* of the nights on trial */
	struct inv_line lines[INV_LINES_MAX];
	struct inv_price_run price_runs[INV_STAY_NIGHTS_MAX];
	struct inv_tier tiers[INV_LINES_MAX][INV_TIERS_MAX]; /* of `lines` */
	struct inv_cell_old cell_olds[INV_OLDS_MAX];
	char external_ref[INV_TEXT_SIZE_MAX];
	char payment_ref[INV_TEXT_SIZE_MAX];
	/* records as they are read: an effect that was judged and not applied yet stays whole */
	struct inv_line read_lines[INV_LINES_MAX];
	struct inv_price_run read_runs[INV_STAY_NIGHTS_MAX];
	char read_external_ref[INV_TEXT_SIZE_MAX];
	char read_payment_ref[INV_TEXT_SIZE_MAX];
};

/* A multiple of 64 bytes and none of 4 KiB: equal nights of many rows must not share cache sets. */
static inline uint32_t inv_row_stride_bytes(const struct inv_config *c)
{
	uint32_t bytes = (c->window_nights * (uint32_t)sizeof(struct inv_cell) + 63) / 64 * 64;
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
