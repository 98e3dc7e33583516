/*
 * Private to the inventory: answers about reservations.
 */
#ifndef ENGINE_INVENTORY_RESERVATIONS_H
#define ENGINE_INVENTORY_RESERVATIONS_H

#include "base/bug.h"
#include "engine/inventory/records.h"

/* A hold past its deadline: it still counts, and nothing but expiry becomes of it. */
static inline bool inv_record_is_due(const struct inv_record *record, uint64_t now_us)
{
	return record->state == INV_HELD &&
	       now_us >= record->expires_at_us + bug_is(BUG_EXPIRY_LATE);
}

/* DONE, with the record's present state. Clears the answer first. */
void inv_answer_show(
	const struct inv *inv, uint32_t record, uint64_t now_us, struct inv_answer *ret_answer);
/* The present state under a refusal. */
enum inv_result inv_answer_refuse(const struct inv *inv, uint32_t record, uint64_t now_us,
	struct inv_refusal refusal, struct inv_answer *ret_answer);
/* The answer of an effect on a record: its state, revision and event_seq after it. */
void inv_answer_after(const struct inv *inv, uint32_t record, const struct inv_effect *effect,
	uint8_t state, struct inv_answer *ret_answer);

/* The view of a record. */
void inv_reservation_show(
	struct inv *inv, uint32_t record, uint64_t now_us, struct inv_reservation_view *ret);

/* The least left over the nights a record stands on, for one who would want its rooms again: what
 * it still counts is added. has_day is false when no night is inside the window. */
struct inv_refusal inv_record_tightest(const struct inv *inv, const struct inv_record *record);

#endif
