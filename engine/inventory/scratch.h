/*
 * Private to the inventory: working memory of judging, applying and reading.
 */
#ifndef ENGINE_INVENTORY_SCRATCH_H
#define ENGINE_INVENTORY_SCRATCH_H

#include "engine/inventory/effect.h"
#include "engine/inventory/layout.h"
#include "engine/inventory/record.h"

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

#endif
