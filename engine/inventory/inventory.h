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

#include "base/check.h"
#include "engine/inventory/chunk.h"
#include "engine/inventory/effect.h"
#include "engine/inventory/view.h"

enum inv_result { INV_ANSWER = 0, INV_EFFECT = 1 };

struct inv_config {
	uint32_t hotels_max;
	uint32_t rows_max;         /* room types over all hotels */
	uint32_t plans_max;        /* rate plans beside each type's plan 0 */
	uint32_t window_nights;    /* of every hotel */
	uint32_t reservations_max; /* records, live and kept */
	uint32_t nodes_max;        /* 64 bytes each: further lines, price runs, references */
	uint32_t refusals_max;     /* remembered refusals; a power of two */
	uint32_t denials_max;
	uint32_t stock_runs_max; /* runs of physical, out of order, allowance by date */
	uint64_t retention_us;
	uint64_t grace_us;
};

struct inv;
struct tz_db;

#define INV_CONFIG_TOO_SMALL 1
#define INV_CONFIG_TOO_LARGE 2
#define INV_CONFIG_NO_POWER_OF_TWO 3

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
enum inv_result inv_plan_judge(struct inv *inv, struct inv_now now, const struct inv_plan_op *op,
	struct inv_effect *ret_effect, struct inv_answer *ret_answer);
enum inv_result inv_update_judge(struct inv *inv, struct inv_now now,
	const struct inv_update_op *op, struct inv_effect *ret_effect,
	struct inv_answer *ret_answer);
enum inv_result inv_reserve_judge(struct inv *inv, struct inv_now now,
	const struct inv_reserve_op *op, struct inv_effect *ret_effect,
	struct inv_answer *ret_answer);
enum inv_result inv_import_judge(struct inv *inv, struct inv_now now,
	const struct inv_import_op *op, struct inv_effect *ret_effect,
	struct inv_answer *ret_answer);
enum inv_result inv_transition_judge(struct inv *inv, struct inv_now now,
	const struct inv_transition_op *op, struct inv_effect *ret_effect,
	struct inv_answer *ret_answer);

/* Over operation and every body field but actor, source, reason and deadline. */
uint64_t inv_reserve_fingerprint(const struct inv_reserve_op *op);
/* Over every field of the reservation, neither force nor actor. */
uint64_t inv_import_fingerprint(const struct inv_import_op *op);

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
enum inv_result inv_due_hotel_judge(
	struct inv *inv, struct inv_now now, struct hotel_id hotel, struct inv_effect *ret_effect);
/* At start: a hold that lapsed in (last_t_us, now.t_us] and had no grace yet gets one. */
enum inv_result inv_grace_judge(
	struct inv *inv, struct inv_now now, uint64_t last_t_us, struct inv_effect *ret_effect);

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
/* Hints ahead of that, in the stages of inv_reserve_prefetch(). The effect need not be sound. */
void inv_effect_prefetch(const struct inv *inv, const struct inv_effect *effect, unsigned stage);

#endif
