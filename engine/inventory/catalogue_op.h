/*
 * Operations on the catalogue: hotels, room types and rate plans. Presence is by masks.
 */
#ifndef ENGINE_INVENTORY_CATALOGUE_OP_H
#define ENGINE_INVENTORY_CATALOGUE_OP_H

#include "engine/inventory/actor.h"
#include "engine/inventory/terms.h"

enum inv_status { INV_ACTIVE = 1, INV_CLOSED = 2, INV_RETIRED = 3 };

/* Bit n - 1 of a mask is field n of the message HotelSettings, in this order. */
struct inv_hotel_settings {
	struct inv_text code;
	struct inv_text zone;
	char currency[4]; /* three capitals and a zero */
	uint8_t currency_digits;
	uint16_t day_roll_minute;
	uint16_t check_in_minute;
	uint16_t nights_max;
	uint64_t hold_ttl_us;
	uint64_t hold_ttl_max_us;
	uint64_t hold_total_max_us;
	uint32_t holds_max;
	uint32_t guest_holds_max;
	uint8_t status;
};

#define INV_HOTEL_CODE (1u << 0)
#define INV_HOTEL_ZONE (1u << 1)
#define INV_HOTEL_CURRENCY (1u << 2)
#define INV_HOTEL_CURRENCY_DIGITS (1u << 3)
#define INV_HOTEL_DAY_ROLL (1u << 4)
#define INV_HOTEL_CHECK_IN (1u << 5)
#define INV_HOTEL_NIGHTS_MAX (1u << 6)
#define INV_HOTEL_HOLD_TTL (1u << 7)
#define INV_HOTEL_HOLD_TTL_MAX (1u << 8)
#define INV_HOTEL_HOLD_TOTAL_MAX (1u << 9)
#define INV_HOTEL_HOLDS_MAX (1u << 10)
#define INV_HOTEL_GUEST_HOLDS_MAX (1u << 11)
#define INV_HOTEL_STATUS (1u << 12)
#define INV_HOTEL_MASK 0x1fffu

enum inv_allowance_unit { INV_ALLOWANCE_ROOMS = 1, INV_ALLOWANCE_BASIS_POINTS = 2 };

/* Bit n - 1 of a mask is field n of the message TypeSettings. */
struct inv_type_settings {
	struct inv_text code;
	uint8_t status;
	uint8_t plan_status;
	uint8_t allowance_unit;
	uint16_t physical;
	uint16_t out_of_order;
	int32_t allowance;
	int16_t cap;
	uint16_t guests_max;
	uint32_t advance_min_minutes;
	uint32_t advance_max_minutes;
};

#define INV_TYPE_CODE (1u << 0)
#define INV_TYPE_STATUS (1u << 1)
#define INV_TYPE_PHYSICAL (1u << 2)
#define INV_TYPE_OUT_OF_ORDER (1u << 3)
#define INV_TYPE_ALLOWANCE (1u << 4)
#define INV_TYPE_ALLOWANCE_UNIT (1u << 5)
#define INV_TYPE_CAP (1u << 6)
#define INV_TYPE_GUESTS_MAX (1u << 7)
#define INV_TYPE_PLAN_STATUS (1u << 8)
#define INV_TYPE_ADVANCE_MIN (1u << 9)
#define INV_TYPE_ADVANCE_MAX (1u << 10)
#define INV_TYPE_MASK 0x07ffu
#define INV_TYPE_CLEARABLE                                                                         \
	(INV_TYPE_PHYSICAL | INV_TYPE_OUT_OF_ORDER | INV_TYPE_ALLOWANCE | INV_TYPE_CAP)

/* Where a plan's prices come from. A derived plan has no nights of its own. */
enum inv_derivation { INV_PRICES_OWN = 0, INV_PRICES_PLUS_MINOR = 1, INV_PRICES_PLUS_POINTS = 2 };

/* The most that a derived plan can lie above its parent, in basis points; below it 10,000. */
#define INV_PLUS_POINTS_MAX 1000000

/* Bit n - 1 of a mask is field n of the message PlanSettings. Plan 0 has no derivation, its code is
 * BASE, and status and advance notice are those of its room type. */
struct inv_plan_settings {
	struct inv_text code;
	uint8_t status;
	uint8_t derivation;
	uint8_t tier_count;
	uint16_t parent;    /* derived: a plan of the type with prices of its own */
	int64_t adjustment; /* derived: added to each price, in minor units or basis points */
	uint32_t advance_min_minutes;
	uint32_t advance_max_minutes;
	struct inv_tier tiers[INV_TIERS_MAX]; /* what cancelling costs */
};

#define INV_PLAN_CODE (1u << 0)
#define INV_PLAN_STATUS (1u << 1)
#define INV_PLAN_ADVANCE_MIN (1u << 2)
#define INV_PLAN_ADVANCE_MAX (1u << 3)
#define INV_PLAN_PARENT (1u << 4)
#define INV_PLAN_DERIVATION (1u << 5)
#define INV_PLAN_ADJUSTMENT (1u << 6)
#define INV_PLAN_TIERS (1u << 7)
#define INV_PLAN_MASK 0xffu

struct inv_hotel_op {
	struct hotel_id hotel;
	uint32_t mask;
	struct inv_hotel_settings settings;
	bool has_expected_version;
	uint64_t expected_ari_version;
	struct inv_actor actor;
};

struct inv_type_op {
	struct hotel_id hotel;
	uint16_t type;
	uint32_t mask;
	uint32_t clear_mask;
	struct inv_type_settings settings;
	bool has_expected_version;
	uint64_t expected_ari_version;
	struct inv_actor actor;
};

struct inv_plan_op {
	struct hotel_id hotel;
	uint16_t type;
	uint16_t plan;
	uint32_t mask;
	struct inv_plan_settings settings;
	bool has_expected_version;
	uint64_t expected_ari_version;
	struct inv_actor actor;
};

#endif
