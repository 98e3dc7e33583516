/*
 * The range update: one operation over types x nights x weekdays x fields.
 */
#ifndef ENGINE_INVENTORY_UPDATE_OP_H
#define ENGINE_INVENTORY_UPDATE_OP_H

#include "engine/inventory/actor.h"

/* Fields of a range update: bit n - 1 as in the message InventorySetRequest. */
#define INV_UPDATE_PHYSICAL (1u << 0)
#define INV_UPDATE_OUT_OF_ORDER (1u << 1)
#define INV_UPDATE_ALLOWANCE (1u << 2)
#define INV_UPDATE_CAP (1u << 3)
#define INV_UPDATE_CLOSED (1u << 4)
#define INV_UPDATE_CTA (1u << 5)
#define INV_UPDATE_CTD (1u << 6)
#define INV_UPDATE_PRICE (1u << 7)
#define INV_UPDATE_MIN_ARRIVAL (1u << 8)
#define INV_UPDATE_MAX_ARRIVAL (1u << 9)
#define INV_UPDATE_MIN_THROUGH (1u << 10)
#define INV_UPDATE_MAX_THROUGH (1u << 11)
#define INV_UPDATE_PLAN_CLOSED (1u << 12)
#define INV_UPDATE_PLAN_CTA (1u << 13)
#define INV_UPDATE_PLAN_CTD (1u << 14)
#define INV_UPDATE_AVAILABLE (1u << 15)
#define INV_UPDATE_MASK 0xffffu
#define INV_UPDATE_ADJUSTABLE                                                                      \
	(INV_UPDATE_PHYSICAL | INV_UPDATE_OUT_OF_ORDER | INV_UPDATE_ALLOWANCE | INV_UPDATE_CAP |   \
		INV_UPDATE_PRICE)

/* What a range update does to each of its nights. Values of absent fields are zero. */
struct inv_update {
	uint16_t plan;
	int32_t first_day;
	int32_t last_day;     /* inclusive */
	uint8_t weekday_mask; /* bit 0 Monday */
	uint32_t set_mask;
	uint32_t adjust_mask;
	uint32_t clear_mask;
	int64_t physical;
	int64_t out_of_order;
	int64_t allowance;
	uint8_t allowance_unit;
	int64_t cap;
	int64_t price_minor;
	int64_t available;
	bool closed, cta, ctd;
	bool plan_closed, plan_cta, plan_ctd;
	struct los_class los; /* maxima over 65,534 have become 0 */
	uint32_t source;
	uint64_t source_seq;
};

struct inv_update_op {
	struct hotel_id hotel;
	const uint16_t *types; /* type_count of them; none = every type of the hotel */
	uint32_t type_count;
	struct inv_update update;
	bool has_expected_version;
	uint64_t expected_ari_version;
	struct inv_actor actor;
};

#endif
