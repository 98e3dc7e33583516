/*
 * Operations on the catalogue: hotels and room types. Presence is by masks.
 */
#ifndef ENGINE_INVENTORY_CATALOGUE_OP_H
#define ENGINE_INVENTORY_CATALOGUE_OP_H

#include "engine/inventory/actor.h"

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

#endif
