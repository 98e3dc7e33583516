/*
 * Operations on reservations: HOLD and BOOK with their lines, and the transitions after them.
 */
#ifndef ENGINE_INVENTORY_STAY_OP_H
#define ENGINE_INVENTORY_STAY_OP_H

#include "engine/inventory/actor.h"
#include "engine/inventory/terms.h"

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
	/* MODIFY: counted from 1, the reservation's line at whose prices its nights are kept; 0 =
	 * the line in its own place. Else 0. */
	uint8_t keeps;
	uint16_t run_count; /* of `runs`: caller-priced in an op, frozen in an effect */
	uint8_t tier_count; /* of `tiers`: frozen in an effect, none in an op */
	const struct inv_price_run *runs;
	const struct inv_tier *tiers;
	uint64_t arrival_us; /* check-in time on the first night of its chain; 0 without tiers */
};

struct inv_guest_id {
	uint64_t hi, lo; /* 0, 0 = none */
};

/* HOLD and BOOK. */
struct inv_reserve_op {
	struct hotel_id hotel;
	struct kr_id id;
	bool book; /* BOOK: confirmed at once */
	/* An expired hold of the hotel whose lines are wanted again, at the prices they were held
	 * at; then `lines` is empty. 0 = none. */
	struct kr_id reacquires;
	/* HOLD: a live hold of the hotel that is released by the same operation and whose rooms are
	 * counted as given back; refused, it stands. 0 = none. */
	struct kr_id replaces;
	/* Sell over restrictions (steps 4 to 8) and limits, as who may do so decided. */
	bool force;
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

/* Moves to a state, RESOLVE, and the changes that move to none (EXTEND, ATTACH_PAYMENT, MODIFY). */
enum inv_transition {
	INV_CONFIRM = 1,
	INV_RELEASE = 2,
	INV_CANCEL = 3,
	INV_RESOLVE = 4,
	INV_EXTEND = 5,
	INV_ATTACH_PAYMENT = 6,
	INV_CHECK_IN = 7,
	INV_COMPLETE = 8,
	INV_MARK_NO_SHOW = 9,
	INV_MODIFY = 10,
};

struct inv_transition_op {
	enum inv_transition transition;
	struct kr_id id;
	bool has_hotel;
	struct hotel_id hotel;
	bool has_expected_revision;
	uint32_t expected_revision;
	bool any;                    /* CANCEL gives back a hold too */
	struct inv_text payment_ref; /* CONFIRM; ATTACH_PAYMENT needs one */
	/* Changes need both an expected revision and this, minted by the caller and not 0: a change
	 * that is repeated under it finds itself done. */
	uint64_t change_id;
	uint64_t expires_at_us; /* EXTEND: not 0 */
	/* MODIFY: the whole reservation as it is to be. */
	const struct inv_line *lines;
	uint32_t line_count;
	bool has_expected_total;
	uint64_t expected_total_minor;
	bool force; /* MODIFY, as in a sale */
	struct inv_actor actor;
};

#endif
