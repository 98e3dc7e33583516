/*
 * Private to the inventory: how its one region of memory is laid out.
 *
 * Tables lie one after the other at offsets fixed at init; entries name each other by 32-bit index,
 * INV_NONE = nobody, so that the region can be mapped anywhere. Rows and records never move.
 * Only inv_cell_store() writes a cell.
 */
#ifndef ENGINE_INVENTORY_LAYOUT_H
#define ENGINE_INVENTORY_LAYOUT_H

#include <stdatomic.h>
#include <stddef.h>

#include "base/check.h"
#include "engine/inventory/op.h"

#define INV_NONE UINT32_MAX

/* One cache line a hotel: what a sale touches. */
struct inv_hotel {
	uint64_t id;
	uint64_t ari_version; /* durable: catalogue and calendar changes */
	uint64_t event_seq;   /* durable: every effect */
	uint64_t last_lsn;
	_Atomic uint32_t
		arena_seq;  /* volatile: odd while an effect of the hotel is being applied */
	int32_t first_day;  /* business date = the window's first night */
	uint32_t row_head;  /* rows of the hotel, ascending by type */
	uint32_t held_head; /* its live holds, oldest deadline not implied */
	uint32_t kept_head; /* its other records */
	uint32_t hold_count;
	uint32_t record_count;
	uint16_t row_count;
	uint8_t status;
	uint8_t mark; /* volatile: 0 or INV_RECORD_MARK, see capture.h */
};
kr_static_assert(sizeof(struct inv_hotel) == 64, "a cache line");

struct inv_source {
	uint32_t source; /* 0 = free */
	uint32_t gaps;   /* volatile */
	uint64_t last_seq;
};

/* Same index as struct inv_hotel. Admission reads its first cache line, nobody the rest in a sale.
 */
struct inv_hotel_cold {
	uint64_t next_roll_us; /* derived from zone and first_day */
	uint64_t hold_ttl_us;
	uint64_t hold_ttl_max_us;
	uint64_t hold_total_max_us;
	uint32_t roll_pos; /* in the heap of day rolls */
	uint32_t holds_max;
	uint32_t guest_holds_max;
	uint16_t zone_index; /* of the tz_db */
	uint16_t day_roll_minute;
	uint16_t check_in_minute;
	uint16_t nights_max;
	uint8_t currency_digits;
	uint8_t code_size_bytes;
	uint8_t zone_size_bytes;
	char currency[4];
	uint8_t spare[5];
	/* second cache line and on */
	char code[INV_TEXT_SIZE_MAX];
	char zone[INV_TEXT_SIZE_MAX];
	struct inv_source sources[INV_HOTEL_SOURCES_MAX];
};
kr_static_assert(offsetof(struct inv_hotel_cold, code) == 64, "a cache line");
kr_static_assert(sizeof(struct inv_hotel_cold) % 64 == 0, "whole cache lines");

/* Two words of a cell as plain values. */
struct inv_words {
	uint64_t counter;
	uint64_t rate;
};

enum inv_row_kind { INV_ROW_TYPE = 1 }; /* HOUSE, CLASS, BUCKET, BLOCK come later */

/* One cache line a row of cells. */
struct inv_row {
	uint32_t hotel_index;
	uint32_t next;     /* of the hotel */
	uint32_t run_head; /* stock by date: ascending runs */
	uint32_t set_mask; /* INV_TYPE_CLEARABLE bits */
	uint32_t advance_min_minutes;
	uint32_t advance_max_minutes;
	int32_t allowance;
	uint16_t type;
	uint16_t physical;
	uint16_t out_of_order;
	int16_t cap;
	uint16_t guests_max;
	uint16_t run_count;  /* of its stock runs */
	uint16_t plan_count; /* beside plan 0 */
	uint16_t spare16;
	uint32_t plan_head; /* those, ascending by number */
	uint8_t allowance_unit;
	uint8_t status;
	uint8_t plan_status;
	uint8_t kind;
	uint8_t code_size_bytes; /* the code is in the parallel table of codes */
	uint8_t tier_count;      /* of plan 0 */
	uint8_t spare[10];
};
kr_static_assert(sizeof(struct inv_row) == 64, "a cache line");

/* One cache line a rate plan beside plan 0. */
struct inv_plan {
	uint32_t row;   /* of its room type */
	uint32_t next;  /* of the type */
	uint32_t rates; /* where its nights are, or those it derives from; INV_NONE: in the cells */
	uint32_t advance_min_minutes;
	uint32_t advance_max_minutes;
	uint16_t number;
	uint16_t parent;
	int64_t adjustment;
	uint8_t status;
	uint8_t derivation;
	uint8_t code_size_bytes; /* the code is in the parallel table of codes */
	uint8_t tier_count;
	uint8_t spare[28];
};
kr_static_assert(sizeof(struct inv_plan) == 64, "a cache line");

/* Stock set by date over [first_day, last_day]; explicit caps live in the cell itself. */
struct inv_stock_run {
	int32_t first_day, last_day;
	uint32_t next;
	uint32_t set_mask; /* INV_UPDATE_PHYSICAL | _OUT_OF_ORDER | _ALLOWANCE */
	int32_t allowance;
	uint16_t physical;
	uint16_t out_of_order;
	uint8_t allowance_unit;
	uint8_t spare[7];
};
kr_static_assert(sizeof(struct inv_stock_run) == 32, "two to a cache line");

struct inv_cell {
	_Atomic uint64_t counter;
	_Atomic uint64_t rate;
};

#endif
