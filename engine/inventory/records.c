#include "base/bug.h"
#include "engine/inventory/deadline.h"
#include "engine/inventory/records.h"

/* Local midnight comes first at 14 hours east of Greenwich; two more for zones yet to be. */
#define INV_DAY_BEGINS_EARLY_US (UINT64_C(16) * 3600 * 1000000)
#define INV_DAY_US INT64_C(86400000000)

#define INV_TOUCH_ENTRIES (4096u / sizeof(struct inv_deadline)) /* of one page */

/* ---- finding ---- */

static uint32_t inv_record_look(
	const struct inv *inv, struct kr_id id, bool of_any_hotel, uint32_t hotel_index)
{
	uint32_t tag = inv_id_tag(id);
	uint32_t slot = inv_index_home(&inv->record_index, tag);
	for (;;) {
		uint32_t r = inv_index_next(&inv->record_index, inv_record_slots(inv), tag, &slot);
		if (r == INV_INDEX_END)
			return INV_NONE;
		const struct inv_record *record = inv_record_at(inv, r);
		kr_assert((record->flags & INV_RECORD_FREE) == 0);
		if (kr_id_equal(record->id, id) &&
			(of_any_hotel || record->hotel_index == hotel_index))
			return r;
	}
}

uint32_t inv_record_find(const struct inv *inv, uint32_t hotel_index, struct kr_id id)
{
	kr_assert(hotel_index == INV_NONE || hotel_index < inv->hotel_count);
	return inv_record_look(inv, id, false, hotel_index);
}

uint32_t inv_record_seek(const struct inv *inv, uint32_t hotel_index, struct kr_id id)
{
	kr_assert(hotel_index == INV_NONE || hotel_index < inv->hotel_count);
	return inv_record_look(inv, id, reservation_id_is_native(id), hotel_index);
}

static uint32_t inv_external_tag(struct hotel_id hotel, uint32_t source, struct inv_text reference)
{
	kr_assert(reference.size_bytes > 0);
	kr_assert(reference.size_bytes <= INV_TEXT_SIZE_MAX);
	uint64_t seed = hash_mix(hotel.v ^ (uint64_t)source << 32);
	return inv_index_tag(hash_64_seeded(reference.bytes, reference.size_bytes, seed));
}

static bool inv_record_has_external(const struct inv *inv, const struct inv_record *record,
	struct hotel_id hotel, uint32_t source, struct inv_text reference)
{
	kr_assert(record->hotel_index != INV_NONE);
	if (inv_hotel_at(inv, record->hotel_index)->id != hotel.v || record->source != source)
		return false;
	char bytes[INV_TEXT_SIZE_MAX];
	return inv_text_equal(
		inv_record_text(inv, record, INV_NODE_EXTERNAL_REF, bytes), reference);
}

uint32_t inv_record_find_external(
	const struct inv *inv, struct hotel_id hotel, uint32_t source, struct inv_text reference)
{
	const uint64_t *slots = inv_external_slots(inv);
	uint32_t tag = inv_external_tag(hotel, source, reference);
	uint32_t slot = inv_index_home(&inv->external_index, tag);
	for (;;) {
		uint32_t r = inv_index_next(&inv->external_index, slots, tag, &slot);
		if (r == INV_INDEX_END)
			return INV_NONE;
		const struct inv_record *record = inv_record_at(inv, r);
		kr_assert((record->flags & INV_RECORD_FREE) == 0);
		if (inv_record_has_external(inv, record, hotel, source, reference))
			return r;
	}
}

/* ---- what states mean ---- */

bool inv_state_is_booked(uint8_t state)
{
	kr_assert(state >= INV_HELD && state <= INV_VOID);
	return state == INV_CONFIRMED || state == INV_CHECKED_IN;
}

bool inv_state_is_terminal(uint8_t state)
{
	kr_assert(state >= INV_HELD && state <= INV_VOID);
	return state != INV_HELD && !inv_state_is_booked(state);
}

uint64_t inv_record_minted_us(const struct inv_record *record)
{
	kr_assert((record->flags & INV_RECORD_FREE) == 0);
	return inv_id_minted_us(record->id, record->created_at_us);
}

uint64_t inv_id_minted_us(struct kr_id id, uint64_t created_at_us)
{
	if (!reservation_id_is_native(id))
		return created_at_us;
	return reservation_id_ms(id) * 1000;
}

bool inv_state_is_stay(uint8_t state)
{
	kr_assert(state >= INV_HELD && state <= INV_VOID);
	return inv_state_is_booked(state) || state == INV_COMPLETED;
}

int32_t inv_record_check_in(const struct inv *inv, const struct inv_record *record)
{
	struct inv_record_line lines[INV_LINES_MAX];
	kr_assert(record->line_count > 0);
	uint32_t line_count = inv_record_lines(inv, record, lines);
	kr_assert(line_count == record->line_count);
	int32_t first = record->check_in;
	for (uint32_t i = 1; i < line_count; i++)
		first = KR_MIN(first, lines[i].check_in);
	return first;
}

int32_t inv_record_check_out(const struct inv *inv, const struct inv_record *record)
{
	struct inv_record_line lines[INV_LINES_MAX];
	kr_assert(record->line_count > 0);
	int32_t last = record->check_in + record->nights;
	if (record->line_count == 1)
		return last;
	uint32_t line_count = inv_record_lines(inv, record, lines);
	kr_assert(line_count == record->line_count);
	for (uint32_t i = 1; i < line_count; i++)
		last = KR_MAX(last, lines[i].check_in + lines[i].nights);
	return last;
}

/*
 * Terminal records: the retention after their last change, exactly. Stays: no zone's calendar turns
 * to the day before this instant; whether the hotel's has is looked at then.
 */
uint64_t inv_record_retire_us(const struct inv *inv, const struct inv_record *record)
{
	struct inv_retire_case c = {.state = record->state,
		.changed_at_us = record->changed_at_us,
		.minted_us = inv_record_minted_us(record)};
	kr_assert(record->state != INV_HELD);
	if (inv_state_is_stay(record->state))
		c.check_out = inv_record_check_out(inv, record);
	return inv_retire_us(inv, c);
}

uint64_t inv_retire_us(const struct inv *inv, struct inv_retire_case c)
{
	/* an id is old enough when it is older than the mark, not as old */
	uint64_t minted_us = c.minted_us + 1;
	kr_assert(c.state != INV_HELD);
	if (!inv_state_is_stay(c.state) || bug_is(BUG_RETIREMENT_OF_THE_LIVING))
		return KR_MAX(c.changed_at_us, minted_us) + inv->config.retention_us;
	int64_t day = (int64_t)c.check_out + INV_STAY_KEEP_DAYS;
	int64_t day_us = day * INV_DAY_US - (int64_t)INV_DAY_BEGINS_EARLY_US;
	kr_assert(inv->config.retention_us <= INT64_MAX);
	return KR_MAX(day_us > 0 ? (uint64_t)day_us : 0, minted_us + inv->config.retention_us);
}

/* ---- chains ---- */

static uint32_t *inv_chain_of(struct inv *inv, const struct inv_record *record)
{
	kr_assert(record->state >= INV_HELD && record->state <= INV_VOID);
	if (record->hotel_index == INV_NONE) {
		kr_assert(record->state == INV_VOID);
		return &inv->void_head;
	}
	struct inv_hotel *hotel = inv_hotel_at(inv, record->hotel_index);
	return record->state == INV_HELD ? &hotel->held_head : &hotel->kept_head;
}

static void inv_chain_append(struct inv *inv, uint32_t *head, uint32_t r)
{
	struct inv_record *record = inv_record_at(inv, r);
	record->chain_next = INV_NONE;
	if (*head == INV_NONE) {
		record->chain_prev = r;
		*head = r;
		return;
	}
	struct inv_record *first = inv_record_at(inv, *head);
	record->chain_prev = first->chain_prev;
	kr_assert(inv_record_at(inv, record->chain_prev)->chain_next == INV_NONE);
	inv_record_at(inv, record->chain_prev)->chain_next = r;
	first->chain_prev = r;
	kr_assert(*head != r);
}

/* New records stand in front: only the old head is touched, not the end of the chain. */
static void inv_chain_prepend(struct inv *inv, uint32_t *head, uint32_t r)
{
	struct inv_record *record = inv_record_at(inv, r);
	kr_assert(*head != r);
	record->chain_next = *head;
	record->chain_prev = r;
	if (*head != INV_NONE) {
		struct inv_record *first = inv_record_at(inv, *head);
		record->chain_prev = first->chain_prev;
		first->chain_prev = r;
	}
	*head = r;
	kr_assert(record->chain_prev != INV_NONE);
}

static void inv_chain_remove(struct inv *inv, uint32_t *head, uint32_t r)
{
	struct inv_record *record = inv_record_at(inv, r);
	kr_assert(*head != INV_NONE);
	if (record->chain_next != INV_NONE)
		inv_record_at(inv, record->chain_next)->chain_prev = record->chain_prev;
	else
		inv_record_at(inv, *head)->chain_prev = record->chain_prev;
	if (*head == r) {
		*head = record->chain_next;
	} else {
		kr_assert(inv_record_at(inv, record->chain_prev)->chain_next == r);
		inv_record_at(inv, record->chain_prev)->chain_next = record->chain_next;
	}
	record->chain_next = INV_NONE;
	record->chain_prev = INV_NONE;
}

/* ---- entering and leaving ---- */

/*
 * Every record comes to the heap of retirements in the end, and very many at once when holds
 * expire. A page that is touched for the first time costs the system up to milliseconds (a huge one
 * is zeroed whole), so that is paid here, where records and nodes meet new pages anyhow. Entry r is
 * beyond whatever the heap has held: it never had more entries than there were records.
 */
static void inv_record_touch_end(struct inv *inv, uint32_t r)
{
	if (r + 1 != inv->record_pool.fresh || r % INV_TOUCH_ENTRIES != 0)
		return;
	kr_assert(inv->retirement_count <= r);
	inv_retirements(inv)[INV_DEADLINE_LEAD + r] = (struct inv_deadline){0};
}

uint32_t inv_record_take(struct inv *inv)
{
	uint32_t r = inv_pool_take(
		&inv->record_pool, &inv_records(inv)->more, sizeof(struct inv_record));
	if (r == INV_POOL_EMPTY)
		return INV_NONE;
	struct inv_record *record = inv_record_at(inv, r);
	inv_zero(record, sizeof(*record));
	record->hotel_index = INV_NONE;
	record->product = INV_NONE;
	record->heap_pos = INV_NONE;
	record->chain_next = INV_NONE;
	record->chain_prev = INV_NONE;
	record->more = INV_NONE;
	inv_record_touch_end(inv, r);
	return r;
}

static struct hotel_id inv_record_hotel(const struct inv *inv, const struct inv_record *record)
{
	kr_assert(record->hotel_index != INV_NONE);
	return (struct hotel_id){.v = inv_hotel_at(inv, record->hotel_index)->id};
}

static bool inv_record_has_guest(const struct inv_record *record)
{
	return (record->guest.hi | record->guest.lo) != 0;
}

/* Into the chain, heap and counts of its state. */
static void inv_record_queue(struct inv *inv, uint32_t r)
{
	struct inv_record *record = inv_record_at(inv, r);
	uint32_t *head = inv_chain_of(inv, record);
	kr_assert(record->heap_pos == INV_NONE);
	if (record->state != INV_HELD) {
		inv_chain_prepend(inv, head, r);
		inv_deadline_put(
			inv_deadlines_of_retirements(inv), r, inv_record_retire_us(inv, record));
		return;
	}
	inv_chain_append(inv, head, r);
	inv_deadline_put(inv_deadlines_of_holds(inv), r, record->expires_at_us);
	inv_hotel_at(inv, record->hotel_index)->hold_count++;
	if (inv_record_has_guest(record))
		inv_guest_hold_add(inv, inv_record_hotel(inv, record), record->guest);
	kr_assert(record->heap_pos != INV_NONE);
}

static void inv_record_unqueue(struct inv *inv, uint32_t r)
{
	struct inv_record *record = inv_record_at(inv, r);
	kr_assert(record->heap_pos != INV_NONE);
	inv_chain_remove(inv, inv_chain_of(inv, record), r);
	if (record->state != INV_HELD) {
		inv_deadline_take(inv_deadlines_of_retirements(inv), record->heap_pos);
		return;
	}
	inv_deadline_take(inv_deadlines_of_holds(inv), record->heap_pos);
	struct inv_hotel *hotel = inv_hotel_at(inv, record->hotel_index);
	kr_assert(hotel->hold_count > 0);
	hotel->hold_count--;
	if (inv_record_has_guest(record) && !bug_is(BUG_GUEST_HOLDS_KEPT))
		inv_guest_hold_drop(inv, inv_record_hotel(inv, record), record->guest);
}

/* The reference's place in the index; false when the record has none. */
static bool inv_record_external_tag(
	const struct inv *inv, const struct inv_record *record, uint32_t *ret_tag)
{
	kr_assert(record->revision > 0);
	if (record->more == INV_NONE)
		return false;
	char bytes[INV_TEXT_SIZE_MAX];
	struct inv_text text = inv_record_text(inv, record, INV_NODE_EXTERNAL_REF, bytes);
	if (text.size_bytes == 0)
		return false;
	*ret_tag = inv_external_tag(inv_record_hotel(inv, record), record->source, text);
	return true;
}

void inv_record_enter(struct inv *inv, uint32_t r)
{
	struct inv_record *record = inv_record_at(inv, r);
	uint32_t tag;
	kr_assert_checked(inv_record_find(inv, record->hotel_index, record->id) == INV_NONE);
	kr_assert(record->revision > 0);
	kr_assert((record->flags & INV_RECORD_MARK) == 0);
	/* One that comes while its hotel is captured is no part of that. */
	if (record->hotel_index != INV_NONE)
		record->flags |= inv_hotel_at(inv, record->hotel_index)->mark;
	inv_index_insert(&inv->record_index, inv_record_slots(inv), inv_id_tag(record->id), r);
	if (inv_record_external_tag(inv, record, &tag))
		inv_index_insert(&inv->external_index, inv_external_slots(inv), tag, r);
	inv_record_queue(inv, r);
	if (record->hotel_index != INV_NONE)
		inv_hotel_at(inv, record->hotel_index)->record_count++;
	else
		inv->void_count++;
}

void inv_record_leave(struct inv *inv, uint32_t r)
{
	struct inv_record *record = inv_record_at(inv, r);
	uint32_t tag;
	kr_assert((record->flags & INV_RECORD_FREE) == 0);
	kr_assert(inv_record_is_captured(inv, record));
	if (record->hotel_index != INV_NONE) {
		kr_assert(inv_hotel_at(inv, record->hotel_index)->record_count > 0);
		inv_hotel_at(inv, record->hotel_index)->record_count--;
	} else {
		kr_assert(inv->void_count > 0);
		inv->void_count--;
	}
	inv_record_unqueue(inv, r);
	if (inv_record_external_tag(inv, record, &tag))
		inv_index_remove(&inv->external_index, inv_external_slots(inv), tag, r);
	inv_index_remove(&inv->record_index, inv_record_slots(inv), inv_id_tag(record->id), r);
	inv_record_give_nodes(inv, record);
	record->flags = INV_RECORD_FREE;
	inv_pool_give(&inv->record_pool, &inv_records(inv)->more, sizeof(struct inv_record), r);
}

void inv_record_restate(struct inv *inv, uint32_t r, uint8_t state)
{
	struct inv_record *record = inv_record_at(inv, r);
	kr_assert(record->state != state);
	kr_assert(state != INV_HELD && state != INV_VOID);
	kr_assert(inv_record_is_captured(inv, record));
	if (record->state == INV_HELD) {
		inv_record_unqueue(inv, r);
		record->state = state;
		inv_record_queue(inv, r);
		return;
	}
	record->state = state;
	inv_record_requeue_retirement(inv, r);
}

void inv_record_redate(struct inv *inv, uint32_t r, uint64_t expires_at_us)
{
	struct inv_record *record = inv_record_at(inv, r);
	kr_assert(record->state == INV_HELD);
	kr_assert(record->heap_pos < inv->hold_heap_count);
	kr_assert(inv_record_is_captured(inv, record));
	record->expires_at_us = expires_at_us;
	inv_deadline_move(inv_deadlines_of_holds(inv), record->heap_pos, expires_at_us);
}

void inv_record_requeue_retirement(struct inv *inv, uint32_t r)
{
	const struct inv_record *record = inv_record_at(inv, r);
	kr_assert(record->state != INV_HELD);
	kr_assert(record->heap_pos < inv->retirement_count);
	inv_deadline_move(inv_deadlines_of_retirements(inv), record->heap_pos,
		inv_record_retire_us(inv, record));
}

void inv_record_requeue(struct inv *inv, uint32_t r)
{
	struct inv_record *record = inv_record_at(inv, r);
	kr_assert(record->state == INV_HELD);
	uint32_t *head = inv_chain_of(inv, record);
	inv_chain_remove(inv, head, r);
	inv_chain_append(inv, head, r);
	kr_assert(record->chain_next == INV_NONE);
}

void inv_records_recheck(struct inv *inv, uint32_t hotel_index)
{
	const struct inv_hotel *hotel = inv_hotel_at(inv, hotel_index);
	kr_assert(hotel->record_count >= hotel->hold_count);
	for (uint32_t r = hotel->kept_head; r != INV_NONE; r = inv_record_at(inv, r)->chain_next) {
		const struct inv_record *record = inv_record_at(inv, r);
		kr_assert(record->state != INV_HELD);
		if (record->state != INV_COMPLETED && inv_state_is_terminal(record->state))
			continue;
		inv_record_requeue_retirement(inv, r);
	}
}
