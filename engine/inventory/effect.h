/*
 * Effects: what an accepted operation did. Judging produces one, the log keeps it, applying it is
 * the only way state changes; replay decodes and applies the same.
 *
 * An effect carries old values as a check: applying one that contradicts the state is refused, so
 * that a bug or damage shows at its LSN instead of spreading. It carries no rule and needs no
 * clock and no time zone: days and deadlines in it were computed when it was judged.
 *
 * Effects of a hotel number themselves by event_seq, +1 each; effects of the shard (VOID without a
 * hotel, START, DIGEST) have hotel 0 and event_seq 0. Memory of texts and arrays belongs to whoever
 * made the effect (the judging inventory's scratch, the decoder's scratch) until its next call.
 */
#ifndef ENGINE_INVENTORY_EFFECT_H
#define ENGINE_INVENTORY_EFFECT_H

#include "engine/inventory/effect_catalogue.h"
#include "engine/inventory/effect_kind.h"
#include "engine/inventory/op.h"

/* A counter before a reservation's rooms were added, moved or taken: one for each counted night
 * of each line inside the window, lines in order, nights ascending. An effect that gives rooms back
 * and takes others (MODIFY, RESERVE that replaces) has those of what it gives back first. */
struct inv_cell_old {
	uint16_t held;
	uint16_t booked;
};

/* `count` successive nights of an update (types in order, nights ascending) and what they were. */
struct inv_update_old {
	uint32_t count;
	int16_t limit;
	uint16_t flags; /* CELL_* */
	uint64_t price_minor;
	uint8_t rate_flags;
	struct los_class los;
};

struct inv_effect_update {
	const uint16_t *types; /* explicit, in the order applied */
	uint32_t type_count;
	struct inv_update update;
	uint64_t ari_version;
	const struct inv_update_old *olds;
	uint32_t old_count;
};

struct inv_effect_reserve {
	bool book;
	uint64_t fingerprint;
	uint64_t expires_at_us; /* HOLD */
	struct inv_guest_id guest;
	struct inv_text external_ref;
	struct inv_text payment_ref;
	const struct inv_line *lines; /* with frozen prices */
	uint32_t line_count;
	/* HOLD: the hold that is released in the same effect, and its revision after; 0 = none. */
	struct kr_id replaces;
	uint32_t replaced_revision;
	bool forced; /* over restrictions and limits, whether or not any was in the way */
};

struct inv_effect_import {
	uint8_t state;
	bool was_held, graced;
	bool forced;           /* whether or not a limit was in the way */
	int32_t counted_until; /* NO_SHOW and COMPLETED, else 0 */
	uint32_t source;       /* of the reservation */
	uint64_t fingerprint;
	uint64_t created_at_us, changed_at_us, expires_at_us;
	uint64_t change_id;
	struct inv_guest_id guest;
	struct inv_text external_ref;
	struct inv_text payment_ref;
	const struct inv_line *lines; /* with frozen prices */
	uint32_t line_count;
};

struct inv_effect {
	enum inv_effect_kind kind;
	uint64_t lsn;
	uint64_t t_us;
	struct hotel_id hotel;
	uint64_t event_seq; /* of this effect: the hotel's before, + 1 */
	struct inv_actor actor;
	struct kr_id id;    /* kinds 4 to 10, 12, and from 16 on but 22 */
	uint32_t revision;  /* of the reservation, after: kinds 4 to 10, and from 16 on but 22 */
	uint64_t change_id; /* the caller's, not 0: EXTEND, ATTACH_PAYMENT and MODIFY */
	/* Cells the reservation moved: kinds 4 to 8, COMPLETE, NO_SHOW, MODIFY and IMPORT. */
	const struct inv_cell_old *olds;
	uint32_t old_count;
	union {
		struct inv_effect_hotel hotel_put;
		struct inv_effect_type type_put;
		struct inv_effect_plan plan_put;
		struct inv_effect_update update;
		struct inv_effect_reserve reserve;
		struct inv_effect_import import;
		struct {
			const struct inv_line *lines; /* after, with frozen prices */
			uint32_t line_count;
			bool forced;
		} modify;
		struct {
			struct inv_text payment_ref;
		} confirm, attach;
		struct {
			uint64_t old_expires_at_us;
			uint64_t expires_at_us;
		} grace, extend;
		struct {
			bool completed; /* an open stay, ended by the clock in the same effect */
			uint64_t purge_mark_us;
		} retire;
		struct {
			int32_t old_business_day;
			int32_t business_day;
		} window;
		struct {
			uint32_t format;
			uint32_t window_nights; /* of every hotel, in this epoch */
			uint64_t epoch;
		} start;
		struct {
			uint64_t state_digest; /* of the state before this effect */
		} digest;
		struct {
			uint64_t to_lsn;
			uint64_t term;
		} truncate;
	} u;
};

#endif
