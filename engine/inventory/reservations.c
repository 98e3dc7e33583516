#include "engine/inventory/reservations.h"

#include "engine/inventory/counted.h"

static uint64_t inv_record_lsn(const struct inv *inv, const struct inv_record *record)
{
	kr_assert((record->flags & INV_RECORD_FREE) == 0);
	if (record->hotel_index == INV_NONE)
		return inv->shard_lsn;
	return inv_hotel_at(inv, record->hotel_index)->last_lsn;
}

static struct hotel_id inv_record_hotel_id(const struct inv *inv, const struct inv_record *record)
{
	kr_assert(record->hotel_index != INV_NONE || record->state == INV_VOID);
	if (record->hotel_index == INV_NONE)
		return (struct hotel_id){0};
	return (struct hotel_id){inv_hotel_at(inv, record->hotel_index)->id};
}

static bool inv_state_has_cost(uint8_t state)
{
	kr_assert(state >= INV_HELD && state <= INV_VOID);
	return state == INV_CANCELLED || state == INV_NO_SHOW;
}

/* What it cost to give the record back at that instant. */
static void inv_answer_cost(
	const struct inv *inv, uint32_t r, uint64_t t_us, struct inv_answer *ret_answer)
{
	struct inv_scratch *scratch = inv_scratch(inv);
	kr_assert(inv_state_has_cost(ret_answer->state));
	uint32_t line_count = inv_record_unpack(
		inv, inv_record_at(inv, r), scratch->read_lines, scratch->read_runs);
	struct inv_cost cost = inv_lines_cost(scratch->read_lines, line_count, t_us);
	kr_assert(cost.has_amounts == ret_answer->has_total);
	ret_answer->has_amounts = cost.has_amounts;
	ret_answer->penalty_minor = cost.penalty_minor;
	ret_answer->refundable_minor = cost.refundable_minor;
}

void inv_answer_show(
	const struct inv *inv, uint32_t r, uint64_t now_us, struct inv_answer *ret_answer)
{
	const struct inv_record *record = inv_record_at(inv, r);
	kr_assert(record->revision > 0);
	inv_zero(ret_answer, sizeof(*ret_answer));
	ret_answer->code = KEYRACK_DONE;
	ret_answer->hotel = inv_record_hotel_id(inv, record);
	ret_answer->state = record->state;
	ret_answer->due = inv_record_is_due(record, now_us);
	ret_answer->outcome = record->state == INV_VOID ? 0 : KEYRACK_DONE;
	ret_answer->revision = record->revision;
	ret_answer->expires_at_us = record->expires_at_us;
	ret_answer->event_seq = record->event_seq;
	ret_answer->wait_lsn = inv_record_lsn(inv, record);
	ret_answer->has_total = inv_record_total(inv, record, &ret_answer->total_minor);
	if (inv_state_has_cost(record->state))
		inv_answer_cost(inv, r, record->changed_at_us, ret_answer);
	kr_assert(ret_answer->has_total || ret_answer->total_minor == 0);
}

enum inv_result inv_answer_refuse(const struct inv *inv, uint32_t r, uint64_t now_us,
	struct inv_refusal refusal, struct inv_answer *ret_answer)
{
	inv_answer_show(inv, r, now_us, ret_answer);
	kr_assert(refusal.code != KEYRACK_DONE);
	kr_assert(refusal.rule != 0);
	refusal.state = ret_answer->state;
	ret_answer->code = refusal.code;
	ret_answer->refusal = refusal;
	return INV_ANSWER;
}

void inv_answer_after(const struct inv *inv, uint32_t r, const struct inv_effect *effect,
	uint8_t state, struct inv_answer *ret_answer)
{
	kr_assert(state >= INV_HELD && state <= INV_VOID);
	inv_answer_show(inv, r, 0, ret_answer);
	kr_assert((ret_answer->state == state) == (effect->change_id != 0));
	kr_assert(effect->revision == ret_answer->revision + 1);
	ret_answer->state = state;
	ret_answer->revision = effect->revision;
	ret_answer->event_seq = effect->event_seq;
	if (inv_state_has_cost(state))
		inv_answer_cost(inv, r, effect->t_us, ret_answer);
}

/* ---- what is left ---- */

struct inv_refusal inv_record_tightest(const struct inv *inv, const struct inv_record *record)
{
	struct inv_record_line lines[INV_LINES_MAX];
	struct inv_refusal found = {.code = KEYRACK_HOLD_EXPIRED, .rule = RULE_LIMIT};
	const struct inv_hotel *hotel = inv_hotel_at(inv, record->hotel_index);
	uint32_t line_count = inv_record_lines(inv, record, lines);
	kr_assert(line_count >= 1);
	kr_assert(record->state == INV_HELD || record->state == INV_EXPIRED);
	for (uint32_t i = 0; i < line_count; i++) {
		int32_t end = lines[i].check_in + lines[i].nights;
		for (int32_t day = lines[i].check_in; day < end; day++) {
			if (!inv_day_in_window(inv, hotel, day))
				continue;
			struct inv_words words =
				inv_cell_load(inv, lines[i].row, inv_ring(inv, day));
			int64_t left = cell_left(cell_counter_unpack(words.counter));
			left += record->state == INV_HELD ? lines[i].rooms : 0;
			if (found.has_day && left - lines[i].rooms >= found.left - found.required)
				continue;
			found.has_day = true;
			found.line = (uint16_t)i;
			found.day = day;
			found.required = lines[i].rooms;
			found.left = left;
		}
	}
	found.left = KR_MAX(found.left, 0);
	return found;
}

/* ---- views ---- */

/* A hold is given back for nothing; whoever is there, or has gone, cannot cancel any more. */
static struct inv_cost inv_view_cost(const struct inv_reservation_view *view, uint64_t now_us)
{
	kr_assert(view->line_count <= INV_LINES_MAX);
	if (view->line_count == 0)
		return (struct inv_cost){0};
	uint64_t t_us = view->state == INV_CONFIRMED      ? now_us
			: inv_state_has_cost(view->state) ? view->changed_at_us
							  : 0;
	struct inv_cost cost = inv_lines_cost(view->lines, view->line_count, t_us);
	kr_assert(t_us != 0 || cost.penalty_minor == 0);
	if (view->state == INV_HELD || view->state == INV_CONFIRMED ||
		inv_state_has_cost(view->state))
		return cost;
	return (struct inv_cost){.free_until_us = cost.free_until_us};
}

/* No line counts a night from this date on; the arrival where none counts any. */
static int32_t inv_record_counted_until(const struct inv *inv, const struct inv_record *record)
{
	struct inv_record_line lines[INV_LINES_MAX];
	uint32_t line_count = inv_record_lines(inv, record, lines);
	int32_t first = INT32_MAX, until = INT32_MIN;
	kr_assert(line_count <= INV_LINES_MAX);
	for (uint32_t i = 0; i < line_count; i++) {
		first = KR_MIN(first, lines[i].check_in);
		if (lines[i].counted_nights > 0)
			until = KR_MAX(until, lines[i].check_in + lines[i].counted_nights);
	}
	if (line_count == 0)
		return 0;
	kr_assert(first < INT32_MAX);
	return until == INT32_MIN ? first : until;
}

static void inv_reservation_view_fill(
	struct inv *inv, uint32_t r, uint64_t now_us, struct inv_reservation_view *ret)
{
	struct inv_scratch *scratch = inv_scratch(inv);
	const struct inv_record *record = inv_record_at(inv, r);
	kr_assert((record->flags & INV_RECORD_FREE) == 0);
	*ret = (struct inv_reservation_view){
		.id = record->id,
		.hotel = inv_record_hotel_id(inv, record),
		.state = record->state,
		.due = inv_record_is_due(record, now_us),
		.was_held = record->flags & INV_RECORD_WAS_HELD,
		.graced = record->flags & INV_RECORD_GRACED,
		.revision = record->revision,
		.fingerprint = record->fingerprint,
		.created_at_us = record->created_at_us,
		.changed_at_us = record->changed_at_us,
		.expires_at_us = record->expires_at_us,
		.event_seq = record->event_seq,
		.change_id = inv_record_change_id(inv, record),
		.counted_until = inv_record_counted_until(inv, record),
		.source = record->source,
		.guest = record->guest,
		.lines = scratch->read_lines,
	};
	ret->has_total = inv_record_total(inv, record, &ret->total_minor);
	ret->external_ref =
		inv_record_text(inv, record, INV_NODE_EXTERNAL_REF, scratch->read_external_ref);
	ret->payment_ref =
		inv_record_text(inv, record, INV_NODE_PAYMENT_REF, scratch->read_payment_ref);
	ret->line_count = inv_record_unpack(inv, record, scratch->read_lines, scratch->read_runs);
	ret->cost = inv_view_cost(ret, now_us);
	kr_assert(ret->line_count == record->line_count);
}

void inv_reservation_show(
	struct inv *inv, uint32_t r, uint64_t now_us, struct inv_reservation_view *ret)
{
	kr_assert(r < inv->record_pool.fresh);
	kr_assert(ret != NULL);
	inv_reservation_view_fill(inv, r, now_us, ret);
}

bool inv_reservation_get(
	struct inv *inv, struct kr_id id, uint64_t now_us, struct inv_reservation_view *ret)
{
	kr_assert(ret != NULL);
	return inv_reservation_get_of(inv, (struct hotel_id){0}, id, now_us, ret);
}

bool inv_reservation_get_of(struct inv *inv, struct hotel_id hotel, struct kr_id id,
	uint64_t now_us, struct inv_reservation_view *ret)
{
	uint32_t hotel_index = INV_NONE;
	kr_assert(ret != NULL);
	if (hotel.v != 0 && !reservation_id_is_native(id))
		hotel_index = inv_hotel_find(inv, hotel);
	uint32_t r = inv_record_seek(inv, hotel_index, id);
	if (r == INV_NONE)
		return false;
	inv_reservation_view_fill(inv, r, now_us, ret);
	kr_assert(kr_id_equal(ret->id, id));
	return true;
}

struct hotel_id inv_reservation_hotel(const struct inv *inv, struct kr_id id)
{
	uint32_t r = inv_record_seek(inv, INV_NONE, id);
	kr_assert(r == INV_NONE || r < inv->record_pool.fresh);
	return r == INV_NONE ? (struct hotel_id){0}
			     : inv_record_hotel_id(inv, inv_record_at(inv, r));
}

uint16_t inv_reservation_absent_code(const struct inv *inv, struct kr_id id)
{
	kr_assert_checked(inv_record_seek(inv, INV_NONE, id) == INV_NONE);
	if (!reservation_id_is_native(id))
		return KEYRACK_NOT_FOUND;
	bool is_purged = reservation_id_ms(id) * 1000 < inv->purge_mark_us;
	return is_purged ? KEYRACK_KEY_EXPIRED : KEYRACK_NOT_FOUND;
}

void inv_reservations_each(struct inv *inv, uint64_t now_us, inv_reservation_fn *fn, void *user)
{
	struct inv_reservation_view view;
	kr_assert(fn != NULL);
	kr_assert(inv->record_pool.used <= inv->record_pool.fresh);
	for (uint32_t r = 0; r < inv->record_pool.fresh; r++) {
		if (inv_record_at(inv, r)->flags & INV_RECORD_FREE)
			continue;
		inv_reservation_view_fill(inv, r, now_us, &view);
		fn(user, &view);
	}
}
