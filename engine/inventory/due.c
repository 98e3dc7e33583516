#include "base/bug.h"
#include "engine/inventory/counted.h"
#include "engine/inventory/deadline.h"
#include "engine/inventory/reservations.h"

/* What the clock does to reservations: expiry, grace, retirement. Day rolls are window.c's. */

uint64_t inv_due_next_us(const struct inv *inv)
{
	uint64_t hold_us = inv_deadline_first_us(inv_holds(inv), inv->hold_heap_count);
	uint64_t retire_us = inv_deadline_first_us(inv_retirements(inv), inv->retirement_count);
	uint64_t next_us = KR_MIN(inv_roll_next_us(inv), KR_MIN(hold_us, retire_us));
	kr_assert(next_us <= hold_us);
	kr_assert(next_us <= retire_us);
	return next_us;
}

/* ---- expiry ---- */

static void inv_expire_fill(
	const struct inv *inv, uint32_t r, struct inv_now now, struct inv_effect *effect)
{
	const struct inv_record *record = inv_record_at(inv, r);
	struct inv_span spans[INV_LINES_MAX];
	kr_assert(inv_record_is_due(record, now.t_us));
	uint32_t span_count = inv_spans_of_record(inv, record, spans);
	inv_effect_begin(inv, record->hotel_index, INV_EFFECT_EXPIRE, now, NULL, effect);
	effect->id = record->id;
	effect->revision = record->revision + 1;
	inv_spans_read(inv, spans, span_count, effect);
	kr_assert(effect->event_seq > record->event_seq);
}

static enum inv_result inv_expire_judge(
	struct inv *inv, struct inv_now now, struct inv_effect *effect)
{
	if (inv_deadline_first_us(inv_holds(inv), inv->hold_heap_count) > now.t_us)
		return INV_ANSWER;
	kr_assert(inv->hold_heap_count > 0);
	inv_expire_fill(inv, inv_holds(inv)[INV_DEADLINE_LEAD].record, now, effect);
	kr_assert(effect->kind == INV_EFFECT_EXPIRE);
	return INV_EFFECT;
}

/*
 * Holds that are not due go behind the others as they are met, so that the next call begins where
 * this one ended: draining a hotel looks at each of its holds once, and the bound is on the last
 * call alone.
 */
enum inv_result inv_due_hotel_judge(struct inv *inv, struct inv_now now, struct hotel_id hotel_id,
	struct inv_effect *ret_effect)
{
	uint32_t hotel_index = inv_hotel_find(inv, hotel_id);
	if (hotel_index == INV_NONE)
		return INV_ANSWER;
	struct inv_hotel *hotel = inv_hotel_at(inv, hotel_index);
	uint32_t steps = KR_MIN(hotel->hold_count, INV_DRAIN_MAX);
	kr_assert(hotel->hold_count <= hotel->record_count);
	for (uint32_t i = 0; i < steps; i++) {
		uint32_t r = hotel->held_head;
		kr_assert(inv_record_at(inv, r)->state == INV_HELD);
		if (inv_record_is_due(inv_record_at(inv, r), now.t_us)) {
			inv_expire_fill(inv, r, now, ret_effect);
			return INV_EFFECT;
		}
		inv_record_requeue(inv, r);
	}
	return INV_ANSWER;
}

/* ---- grace ---- */

static bool inv_hold_deserves_grace(
	const struct inv_record *record, struct inv_now now, uint64_t last_t_us)
{
	kr_assert(record->state == INV_HELD);
	kr_assert(last_t_us <= now.t_us);
	return ((record->flags & INV_RECORD_GRACED) == 0 || bug_is(BUG_GRACE_TWICE)) &&
	       record->expires_at_us > last_t_us && record->expires_at_us <= now.t_us;
}

/*
 * The heap is walked from its end: a hold with a later deadline sinks, and what rises into its
 * place comes from places already looked at. So each call goes on from the one before, and all of
 * them together look at each hold once.
 */
enum inv_result inv_grace_judge(
	struct inv *inv, struct inv_now now, uint64_t last_t_us, struct inv_effect *ret_effect)
{
	const struct inv_deadline *entries = inv_holds(inv) + INV_DEADLINE_LEAD;
	uint32_t at = inv->grace_cursor == 0 ? inv->hold_heap_count : inv->grace_cursor - 1;
	if (inv->config.grace_us == 0 || last_t_us > now.t_us)
		return INV_ANSWER;
	for (at = KR_MIN(at, inv->hold_heap_count); at > 0; at--) {
		const struct inv_record *record = inv_record_at(inv, entries[at - 1].record);
		kr_assert(entries[at - 1].due_us == record->expires_at_us);
		if (!inv_hold_deserves_grace(record, now, last_t_us))
			continue;
		inv_effect_begin(inv, record->hotel_index, INV_EFFECT_GRACE, now, NULL, ret_effect);
		ret_effect->id = record->id;
		ret_effect->revision = record->revision + 1;
		ret_effect->u.grace.old_expires_at_us = record->expires_at_us;
		ret_effect->u.grace.expires_at_us = now.t_us + inv->config.grace_us;
		kr_assert(ret_effect->u.grace.expires_at_us > record->expires_at_us);
		/* one more than the places left, so that 0 means "begin anew" */
		inv->grace_cursor = at;
		return INV_EFFECT;
	}
	inv->grace_cursor = 0;
	return INV_ANSWER;
}

/* ---- retirement ---- */

/* The mark of a retirement judged now: batch time - retention, and never less than before. */
static uint64_t inv_purge_mark_us(const struct inv *inv, uint64_t t_us)
{
	uint64_t retention_us = inv->config.retention_us;
	uint64_t mark_us = t_us > retention_us ? t_us - retention_us : 0;
	kr_assert(retention_us > 0);
	kr_assert(mark_us <= t_us);
	return KR_MAX(mark_us, inv->purge_mark_us);
}

/* A stay ends by its hotel's calendar, which the heap's instant only bounds from below. */
static bool inv_stay_is_over(const struct inv *inv, const struct inv_record *record)
{
	kr_assert(record->state != INV_HELD);
	if ((inv_state_is_terminal(record->state) && record->state != INV_COMPLETED) ||
		bug_is(BUG_RETIREMENT_OF_THE_LIVING))
		return true;
	int32_t business_day = inv_hotel_at(inv, record->hotel_index)->first_day;
	kr_assert(record->line_count > 0);
	return business_day >= inv_record_check_out(inv, record) + INV_STAY_KEEP_DAYS;
}

static void inv_retire_fill(
	const struct inv *inv, uint32_t r, struct inv_now now, struct inv_effect *effect)
{
	const struct inv_record *record = inv_record_at(inv, r);
	inv_effect_begin(inv, record->hotel_index, INV_EFFECT_RETIRE, now, NULL, effect);
	effect->id = record->id;
	effect->u.retire.completed = inv_state_is_booked(record->state);
	effect->u.retire.purge_mark_us = inv_purge_mark_us(inv, now.t_us);
	/* completing is a change of the reservation, leaving memory is none */
	effect->revision = record->revision + effect->u.retire.completed;
	kr_assert(inv_record_minted_us(record) < effect->u.retire.purge_mark_us);
	kr_assert(record->state != INV_HELD);
}

static enum inv_result inv_retire_judge(
	struct inv *inv, struct inv_now now, struct inv_effect *effect)
{
	struct inv_deadlines heap = inv_deadlines_of_retirements(inv);
	while (inv_deadline_first_us(inv_retirements(inv), inv->retirement_count) <= now.t_us) {
		uint32_t r = heap.entries[0].record;
		const struct inv_record *record = inv_record_at(inv, r);
		kr_assert(inv_record_retire_us(inv, record) <= now.t_us);
		if (inv_stay_is_over(inv, record)) {
			inv_retire_fill(inv, r, now, effect);
			return INV_EFFECT;
		}
		/* the hotel's next day may be the one; rolls that are due came before this */
		uint64_t roll_us = inv_hotel_cold_at(inv, record->hotel_index)->next_roll_us;
		kr_assert(roll_us > now.t_us);
		inv_deadline_move(heap, 0, roll_us);
	}
	return INV_ANSWER;
}

enum inv_result inv_due_judge(struct inv *inv, struct inv_now now, struct inv_effect *ret_effect)
{
	kr_assert(ret_effect != NULL);
	kr_assert(inv->hold_heap_count + inv->retirement_count == inv->record_pool.used);
	if (inv_roll_judge(inv, now, ret_effect) == INV_EFFECT)
		return INV_EFFECT;
	if (inv_expire_judge(inv, now, ret_effect) == INV_EFFECT)
		return INV_EFFECT;
	return inv_retire_judge(inv, now, ret_effect);
}
