/*
 * Operations and answers, decoded: what the engine is asked and what it says, as plain values.
 *
 * The shard step fills these from frames, the simulator and the tests fill them by hand. Texts and
 * arrays are borrowed for the length of the call. Presence is by masks, never by magic values.
 * Units: days since 1970-01-01 in the hotel's calendar; instants in microseconds of unix time;
 * prices in minor units for one room and one night.
 */
#ifndef ENGINE_INVENTORY_OP_H
#define ENGINE_INVENTORY_OP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/uuid.h"
#include "proto/cell.h"
#include "proto/code.h"
#include "proto/slot.h"

#include "engine/inventory/limits.h"

struct inv_text {
	const char *bytes;
	uint32_t size_bytes;
};

/* Who did it and why: logged with every effect. */
struct inv_actor {
	uint64_t actor;
	uint32_t source; /* the caller's number; INV_SOURCE_* are the engine's own */
	uint16_t principal;
	struct inv_text reason;
};

#define INV_SOURCE_CLOCK 0xffffff00u  /* expiry, retirement, day roll, grace */
#define INV_SOURCE_IMPORT 0xffffff01u
#define INV_SOURCE_RESERVED_FIRST 0xffffff00u /* callers' sources lie below */

/* The instant an operation is judged at: `t_us` is logged; ids are compared with the later one. */
struct inv_now {
	uint64_t t_us;
	uint64_t wall_us;
};

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
	int32_t last_day; /* inclusive */
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

enum inv_pricing { INV_PRICE_CALENDAR = 0, INV_PRICE_CALLER = 1, INV_PRICE_NONE = 2 };

struct inv_price_run {
	uint16_t nights;
	uint64_t price_minor;
};

struct inv_line {
	uint16_t type;
	uint16_t plan;
	int32_t check_in;
	int32_t check_out;
	uint16_t rooms;
	uint16_t guests;
	uint8_t pricing;
	uint16_t run_count; /* of `runs`: caller-priced in an op, frozen in an effect */
	const struct inv_price_run *runs;
};

struct inv_guest_id {
	uint64_t hi, lo; /* 0, 0 = none */
};

/* HOLD and BOOK. */
struct inv_reserve_op {
	struct hotel_id hotel;
	struct kr_id id;
	bool book; /* BOOK: confirmed at once */
	const struct inv_line *lines;
	uint32_t line_count;
	uint64_t ttl_us; /* HOLD: 0 = the hotel's default */
	bool has_expected_total;
	uint64_t expected_total_minor;
	struct inv_guest_id guest;
	struct inv_text external_ref;
	struct inv_text payment_ref;
	uint64_t fingerprint; /* of operation and fields; inv_reserve_fingerprint() */
	struct inv_actor actor;
};

enum inv_transition { INV_CONFIRM = 1, INV_RELEASE = 2, INV_CANCEL = 3, INV_RESOLVE = 4 };

struct inv_transition_op {
	enum inv_transition transition;
	struct kr_id id;
	bool has_hotel;
	struct hotel_id hotel;
	bool has_expected_revision;
	uint32_t expected_revision;
	bool any; /* CANCEL gives back a hold too */
	struct inv_text payment_ref;
	struct inv_actor actor;
};

/* As on the wire. HELD -> CONFIRMED | RELEASED | EXPIRED; CONFIRMED -> CHECKED_IN | ends. */
#define INV_STATE_TABLE(X)                                                                         \
	X(1, HELD)                                                                                 \
	X(2, CONFIRMED)                                                                            \
	X(3, RELEASED)                                                                             \
	X(4, EXPIRED)                                                                              \
	X(5, CANCELLED)                                                                            \
	X(6, CHECKED_IN)                                                                           \
	X(7, NO_SHOW)                                                                              \
	X(8, COMPLETED)                                                                            \
	X(9, VOID)

#define X(number, name) INV_##name = number,
enum inv_state { INV_STATE_TABLE(X) };
#undef X

/* Why not: the message Refusal. Zero where a field has no meaning. */
struct inv_refusal {
	uint16_t code;
	uint8_t rule;
	uint8_t state;
	uint16_t line;
	bool has_day;
	int32_t day;
	int64_t required;
	int64_t left;
	struct kr_id other;
	const char *text; /* static: a field's or table's name; or null */
};

/*
 * What judging says. code is KEYRACK_DONE or the refusal's code. For reservations the present
 * state is filled in whenever the id is known, whatever the code.
 */
struct inv_answer {
	uint16_t code;
	struct inv_refusal refusal;
	/* reservations */
	struct hotel_id hotel;
	uint8_t state;
	bool due;
	bool repeated;
	bool has_total;
	uint16_t outcome; /* of the id's first HOLD or BOOK */
	uint32_t revision;
	uint64_t expires_at_us;
	uint64_t total_minor;
	uint64_t event_seq;
	/* catalogue and inventory */
	bool created;
	uint64_t ari_version;
	uint32_t cell_count;
	uint32_t cells_over_limit;
	uint64_t last_source_seq;
	/* nothing may be shown before this is durable */
	uint64_t wait_lsn;
};

#endif
