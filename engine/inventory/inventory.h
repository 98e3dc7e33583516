/*
 * The inventory: hotels, room types, nights and reservations of one shard. Pure.
 *
 * State changes in one way only:  judge (reads, fills an effect)  ->  the caller logs the effect
 * ->  inv_apply.  Replay is decode -> inv_apply. Nothing here reads a clock, allocates after init
 * or does I/O; t comes with every call.
 *
 * Judging functions return
 *   INV_EFFECT   *ret_effect is filled and must be applied before anything else is judged;
 *                its event_seq is set, its lsn is the caller's to set;
 *                *ret_answer is what to say once it is durable (inv_apply does not change it)
 *   INV_ANSWER   nothing is to be done; *ret_answer is final or transient as its code says
 * The effect's texts and arrays live in the inventory's scratch until the next judging call.
 *
 * One thread. Memory: one region given by the caller, inv_memory_size() bytes, zeroed, never
 * moved; the inventory holds no pointer into itself.
 */
#ifndef ENGINE_INVENTORY_INVENTORY_H
#define ENGINE_INVENTORY_INVENTORY_H

#include "base/bytes.h"
#include "base/check.h"
#include "base/tz.h"
#include "engine/inventory/effect.h"

enum inv_result { INV_ANSWER = 0, INV_EFFECT = 1 };

struct inv_config {
	uint32_t hotels_max;
	uint32_t rows_max;         /* room types over all hotels */
	uint32_t window_nights;    /* of every hotel */
	uint32_t reservations_max; /* records, live and kept */
	uint32_t nodes_max;        /* 64 bytes each: further lines, price runs, references */
	uint32_t refusals_max;     /* remembered refusals; a power of two */
	uint32_t denials_max;
	uint32_t stock_runs_max;   /* runs of physical, out of order, allowance by date */
	uint64_t retention_us;
	uint64_t grace_us;
};

struct inv;

/* 0, or a positive INV_CONFIG_* with the option's name in *ret_option. */
KR_MUST_CHECK int inv_config_check(const struct inv_config *config, const char **ret_option);
uint64_t inv_memory_size(const struct inv_config *config);
/* `memory` is 64-byte aligned and zeroed. `tz` outlives the inventory. */
struct inv *inv_init(const struct inv_config *config, void *memory, const struct tz_db *tz);

/* ---- judging ---- */
enum inv_result inv_hotel_judge(struct inv *inv, struct inv_now now, const struct inv_hotel_op *op,
	struct inv_effect *ret_effect, struct inv_answer *ret_answer);
enum inv_result inv_type_judge(struct inv *inv, struct inv_now now, const struct inv_type_op *op,
	struct inv_effect *ret_effect, struct inv_answer *ret_answer);
enum inv_result inv_update_judge(struct inv *inv, struct inv_now now,
	const struct inv_update_op *op, struct inv_effect *ret_effect,
	struct inv_answer *ret_answer);
enum inv_result inv_reserve_judge(struct inv *inv, struct inv_now now,
	const struct inv_reserve_op *op, struct inv_effect *ret_effect,
	struct inv_answer *ret_answer);
enum inv_result inv_transition_judge(struct inv *inv, struct inv_now now,
	const struct inv_transition_op *op, struct inv_effect *ret_effect,
	struct inv_answer *ret_answer);

/* Over operation and every body field but actor, source, reason and deadline. */
uint64_t inv_reserve_fingerprint(const struct inv_reserve_op *op);

/* Hints the caches ahead of judging: stage 0 index slots, 1 records, hotels and rows, 2 cells. */
void inv_reserve_prefetch(const struct inv *inv, const struct inv_reserve_op *op, unsigned stage);
void inv_transition_prefetch(const struct inv *inv, struct kr_id id, unsigned stage);
void inv_hotel_prefetch(const struct inv *inv, struct hotel_id hotel, unsigned stage);

/* ---- what the clock does ---- */

/* The next instant at which inv_due_judge has work; UINT64_MAX = never. */
uint64_t inv_due_next_us(const struct inv *inv);
/* The next day roll, expiry or retirement due at now.t_us, oldest first of each kind in this
 * order; INV_ANSWER (with no answer) when nothing is due. */
enum inv_result inv_due_judge(struct inv *inv, struct inv_now now, struct inv_effect *ret_effect);
/* The same for due holds of one hotel: an admission that would be SOLD_OUT drains these first. */
enum inv_result inv_due_hotel_judge(struct inv *inv, struct inv_now now, struct hotel_id hotel,
	struct inv_effect *ret_effect);
/* At start: a hold that lapsed in (last_t_us, now.t_us] and had no grace yet gets one. */
enum inv_result inv_grace_judge(struct inv *inv, struct inv_now now, uint64_t last_t_us,
	struct inv_effect *ret_effect);

/* ---- applying ---- */

/* Where and how an effect contradicts the state (a defect or damage, never a refusal). */
struct inv_contradiction {
	uint64_t lsn;
	const char *what; /* static sentence */
	uint64_t expected, found;
	struct hotel_id hotel;
	struct kr_id id;
	int32_t day;
};

/*
 * 0: applied, or skipped because effect->lsn is at or below what the hotel (or, for hotel 0, the
 * shard) already shows. Positive INV_CONTRADICTION: nothing was changed, *ret says why.
 * Positive INV_NO_ROOM: a table is too small for this state (replay with smaller options).
 */
#define INV_CONTRADICTION 1
#define INV_NO_ROOM 2
KR_MUST_CHECK int inv_apply(
	struct inv *inv, const struct inv_effect *effect, struct inv_contradiction *ret);

/* ---- reading ---- */
struct inv_hotel_view {
	struct hotel_id hotel;
	struct inv_hotel_settings settings;
	uint64_t ari_version, event_seq, last_lsn;
	int32_t business_day;
	uint32_t type_count;
	uint64_t reservation_count, hold_count;
};
struct inv_type_view {
	uint16_t type;
	uint32_t set_mask;
	struct inv_type_settings settings;
};
struct inv_reservation_view {
	struct kr_id id;
	struct hotel_id hotel; /* 0 for a VOID without one */
	uint8_t state;
	bool due, was_held, graced, has_total;
	uint32_t revision;
	uint64_t fingerprint, created_at_us, changed_at_us, expires_at_us, total_minor, event_seq;
	uint64_t change_id;
	int32_t counted_until;
	uint32_t source;
	struct inv_guest_id guest;
	struct inv_text external_ref, payment_ref;
	const struct inv_line *lines; /* in the inventory's scratch */
	uint32_t line_count;
};

bool inv_hotel_get(const struct inv *inv, struct hotel_id hotel, struct inv_hotel_view *ret);
/* Hotels in ascending order of id, after `after` (or from the start). O(hotels) a call of many. */
uint32_t inv_hotel_list(const struct inv *inv, bool from_start, struct hotel_id after,
	struct inv_hotel_view *ret, uint32_t count_max, bool *ret_more);
/* The hotel's types ascending, up to count_max; the hotel must exist. */
uint32_t inv_type_list(
	const struct inv *inv, struct hotel_id hotel, struct inv_type_view *ret, uint32_t count_max);
/* now_us decides `due`. */
bool inv_reservation_get(
	struct inv *inv, struct kr_id id, uint64_t now_us, struct inv_reservation_view *ret);

/*
 * Columns of availability: night_count words each for type_count types, written type-major to
 * ret_counters and ret_rates (both hold type_count x night_count). Code and refusal as judging:
 * NOT_FOUND, OUT_OF_WINDOW, PAST_DATE, INVALID.
 */
void inv_availability(const struct inv *inv, struct hotel_id hotel, const uint16_t *types,
	uint32_t type_count, int32_t first_day, uint32_t night_count, uint64_t *ret_counters,
	uint64_t *ret_rates, struct inv_answer *ret_answer);
struct los_class inv_los_class(const struct inv *inv, uint16_t class_index);

/*
 * Steps 2 to 10 for a stay that nobody reserves. With `explain` every failing rule is listed,
 * up to INV_EXPLAIN_MAX; otherwise the first. lines_priced (line_count of them) gets the lines with
 * runs in scratch. ret_answer has code, total and the first refusal.
 */
uint32_t inv_stay_check(struct inv *inv, struct inv_now now, const struct inv_reserve_op *op,
	bool explain, struct inv_refusal *ret_refusals, struct inv_line *ret_lines,
	uint32_t *ret_rooms_left, struct inv_answer *ret_answer);

/* ---- snapshot and digest ---- */

/* Chunks 0 .. inv_chunk_count() - 1: chunk 0 is the shard's own, the others one hotel each, in
 * creation order. Hotels created while a snapshot runs come last. */
uint32_t inv_chunk_count(const struct inv *inv);
struct hotel_id inv_chunk_hotel(const struct inv *inv, uint32_t chunk);
uint64_t inv_chunk_lsn(const struct inv *inv, uint32_t chunk); /* last LSN it shows */
uint64_t inv_chunk_digest(const struct inv *inv, uint32_t chunk);
/* Bytes inv_chunk_save writes at most. */
uint64_t inv_chunk_size_max(const struct inv *inv, uint32_t chunk);
void inv_chunk_save(const struct inv *inv, uint32_t chunk, struct kr_writer *writer);
/* 0; INV_CONTRADICTION: malformed or digest differs; INV_NO_ROOM. */
KR_MUST_CHECK int inv_chunk_load(struct inv *inv, struct kr_reader *reader, uint64_t lsn,
	uint64_t digest, struct inv_contradiction *ret);
/* Wrapping sum over all chunks. O(state). */
uint64_t inv_digest(const struct inv *inv);
/* Recounts held and booked from the records and checks every invariant. O(state). 0 or
 * INV_CONTRADICTION. */
KR_MUST_CHECK int inv_verify(const struct inv *inv, struct inv_contradiction *ret);

struct inv_counts {
	uint32_t hotels, rows, reservations, holds, nodes, stock_runs, classes;
	uint64_t last_t_us, last_lsn, purge_mark_us;
	uint64_t denials, denials_overflow;
};
void inv_counts_get(const struct inv *inv, struct inv_counts *ret);
struct inv_denial {
	struct hotel_id hotel;
	uint16_t type;
	uint8_t rule;
	int32_t day;
	uint64_t count;
};
uint32_t inv_denials_list(const struct inv *inv, struct inv_denial *ret, uint32_t count_max);

/* Calls back for every cell with anything in it, and for every record: dump and recount. */
typedef void inv_cell_fn(void *user, struct hotel_id hotel, uint16_t type, int32_t day,
	uint64_t counter, uint64_t rate);
void inv_cells_each(const struct inv *inv, inv_cell_fn *fn, void *user);
typedef void inv_reservation_fn(void *user, const struct inv_reservation_view *view);
void inv_reservations_each(struct inv *inv, uint64_t now_us, inv_reservation_fn *fn, void *user);

#endif
