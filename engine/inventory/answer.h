/*
 * What judging says: codes, refusals, and the state of what was asked about.
 */
#ifndef ENGINE_INVENTORY_ANSWER_H
#define ENGINE_INVENTORY_ANSWER_H

#include "engine/inventory/actor.h"

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
	/* CANCELLED and NO_SHOW, where every line has a price: what that cost */
	bool has_amounts;
	uint64_t penalty_minor;
	uint64_t refundable_minor;
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
