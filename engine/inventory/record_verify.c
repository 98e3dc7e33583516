#include "engine/inventory/deadline.h"
#include "engine/inventory/records.h"

/* Everything that hangs together with the records; cells are inv_verify's. */

#define INV_VERIFY_AHEAD 16u /* records */

struct inv_records_count {
	uint64_t records, holds, nodes, references;
	uint64_t guests; /* live holds that have one */
};

static int inv_record_contradict(const struct inv *inv, uint32_t r, const char *what,
	uint64_t expected, uint64_t found, struct inv_contradiction *ret)
{
	const struct inv_record *record = inv_record_at(inv, r);
	kr_assert(what != NULL);
	kr_assert(ret != NULL);
	*ret = (struct inv_contradiction){
		.what = what, .expected = expected, .found = found, .id = record->id};
	if (record->hotel_index != INV_NONE && record->hotel_index < inv->hotel_count)
		ret->hotel.v = inv_hotel_at(inv, record->hotel_index)->id;
	return INV_CONTRADICTION;
}

/* NULL, or what is wrong with a line's own figures. */
static const char *inv_record_line_wrong(
	const struct inv *inv, const struct inv_record *record, const struct inv_record_line *line)
{
	bool counts = record->state == INV_HELD || inv_state_is_booked(record->state);
	kr_assert(record->hotel_index < inv->hotel_count);
	if (line->row >= inv->row_count ||
		inv_row_at(inv, line->row)->hotel_index != record->hotel_index)
		return "a line's room type is another hotel's";
	if (line->nights == 0 || line->rooms == 0)
		return "a line is empty";
	if (counts && line->counted_nights != (int16_t)line->nights)
		return "a live reservation does not count all its nights";
	if (!counts && record->state != INV_COMPLETED && record->state != INV_NO_SHOW &&
		line->counted_nights != 0)
		return "an ended reservation still counts";
	kr_assert(line->counted_nights <= (int16_t)line->nights);
	return NULL;
}

static const char *inv_record_wrong(
	const struct inv *inv, uint32_t r, const struct inv_record *record)
{
	struct inv_record_line lines[INV_LINES_MAX];
	kr_assert((record->flags & INV_RECORD_FREE) == 0);
	if (record->state < INV_HELD || record->state > INV_VOID || record->revision == 0)
		return "a record's state or revision is none";
	bool has_hotel = record->hotel_index != INV_NONE;
	if (has_hotel ? record->hotel_index >= inv->hotel_count : record->state != INV_VOID)
		return "the record's hotel is unknown";
	if (inv_record_find(inv, record->hotel_index, record->id) != r)
		return "the index does not find the record";
	if ((record->line_count == 0) != (record->state == INV_VOID))
		return "a record has no lines, or a VOID has some";
	uint32_t line_count = inv_record_lines(inv, record, lines);
	kr_assert(line_count == record->line_count);
	for (uint32_t i = 0; i < line_count; i++) {
		const char *wrong = inv_record_line_wrong(inv, record, &lines[i]);
		if (wrong != NULL)
			return wrong;
	}
	return NULL;
}

static const char *inv_record_heap_wrong(
	const struct inv *inv, uint32_t r, const struct inv_record *record)
{
	bool is_held = record->state == INV_HELD;
	const struct inv_deadline *table = is_held ? inv_holds(inv) : inv_retirements(inv);
	uint32_t count = is_held ? inv->hold_heap_count : inv->retirement_count;
	kr_assert(count <= inv->config.reservations_max);
	if (record->heap_pos >= count)
		return "a record stands in no heap";
	const struct inv_deadline *entry = &table[INV_DEADLINE_LEAD + record->heap_pos];
	if (entry->record != r)
		return "a record does not stand where it thinks";
	if (is_held)
		return entry->due_us == record->expires_at_us ? NULL
							      : "a hold waits for another instant";
	uint64_t due_us = inv_record_retire_us(inv, record);
	bool is_stay = !inv_state_is_terminal(record->state) || record->state == INV_COMPLETED;
	kr_assert(due_us > 0);
	/* a stay may wait for a later day roll than the earliest */
	return entry->due_us == due_us || (is_stay && entry->due_us > due_us)
		       ? NULL
		       : "a record waits for another instant";
}

/* NULL, or what is wrong with the terms of a record's lines. */
static const char *inv_record_terms_wrong(const struct inv *inv, const struct inv_record *record)
{
	kr_assert((record->flags & INV_RECORD_FREE) == 0);
	for (uint32_t n = record->more; n != INV_NONE; n = inv_nodes(inv)[n].next) {
		const struct inv_node *node = &inv_nodes(inv)[n];
		if (node->kind != INV_NODE_TERMS)
			continue;
		if (node->size == 0 || node->u.terms.arrival_us == 0)
			return "terms without tiers, or without an arrival";
		const char *fault = inv_tiers_fault(node->u.terms.tiers, node->size);
		if (fault != NULL)
			return fault;
	}
	kr_assert(record->line_count <= INV_LINES_MAX);
	return NULL;
}

static int inv_record_verify(const struct inv *inv, uint32_t r, struct inv_records_count *count,
	struct inv_contradiction *ret)
{
	const struct inv_record *record = inv_record_at(inv, r);
	char bytes[INV_TEXT_SIZE_MAX];
	const char *wrong = inv_record_wrong(inv, r, record);
	if (wrong == NULL)
		wrong = inv_record_heap_wrong(inv, r, record);
	if (wrong == NULL)
		wrong = inv_record_terms_wrong(inv, record);
	if (wrong != NULL)
		return inv_record_contradict(inv, r, wrong, 0, record->state, ret);
	for (uint32_t n = record->more; n != INV_NONE; n = inv_nodes(inv)[n].next)
		count->nodes++;
	count->records++;
	count->holds += record->state == INV_HELD;
	if (record->state == INV_HELD && (record->guest.hi | record->guest.lo) != 0) {
		struct hotel_id hotel = {inv_hotel_at(inv, record->hotel_index)->id};
		count->guests++;
		if (inv_guest_hold_count(inv, hotel, record->guest) == 0)
			return inv_record_contradict(
				inv, r, "a guest's live hold is not counted", 1, 0, ret);
	}
	struct inv_text text = inv_record_text(inv, record, INV_NODE_EXTERNAL_REF, bytes);
	if (text.size_bytes == 0)
		return 0;
	struct hotel_id hotel = {inv_hotel_at(inv, record->hotel_index)->id};
	count->references++;
	if (inv_record_find_external(inv, hotel, record->source, text) == r)
		return 0;
	return inv_record_contradict(inv, r, "the reference finds another record", 0, 0, ret);
}

/* Members of a chain; UINT32_MAX when it is broken or holds what it should not. */
static uint32_t inv_chain_count(
	const struct inv *inv, uint32_t head, uint32_t hotel_index, bool is_held)
{
	uint32_t count = 0, before = INV_NONE;
	kr_assert(inv->record_pool.used <= inv->record_pool.fresh);
	for (uint32_t r = head; r != INV_NONE; r = inv_record_at(inv, r)->chain_next) {
		const struct inv_record *record = inv_record_at(inv, r);
		bool fits = (record->flags & INV_RECORD_FREE) == 0 &&
			    record->hotel_index == hotel_index &&
			    (record->state == INV_HELD) == is_held;
		if (!fits || count == inv->record_pool.used)
			return UINT32_MAX;
		if (r != head && record->chain_prev != before)
			return UINT32_MAX;
		before = r;
		count++;
	}
	if (head != INV_NONE && inv_record_at(inv, head)->chain_prev != before)
		return UINT32_MAX;
	kr_assert(count <= inv->record_pool.used);
	return count;
}

static int inv_chains_verify(const struct inv *inv, struct inv_contradiction *ret)
{
	uint64_t total = inv_chain_count(inv, inv->void_head, INV_NONE, false);
	*ret = (struct inv_contradiction){.what = "a chain of records does not have its count"};
	kr_assert(inv->void_count <= inv->record_pool.used);
	if (total != inv->void_count) {
		ret->expected = inv->void_count;
		ret->found = total;
		return INV_CONTRADICTION;
	}
	for (uint32_t h = 0; h < inv->hotel_count; h++) {
		const struct inv_hotel *hotel = inv_hotel_at(inv, h);
		inv_hotels_warm(inv, h);
		uint64_t held = inv_chain_count(inv, hotel->held_head, h, true);
		uint64_t kept = inv_chain_count(inv, hotel->kept_head, h, false);
		ret->hotel.v = hotel->id;
		ret->expected = hotel->record_count;
		ret->found = held + kept;
		if (held != hotel->hold_count || held + kept != hotel->record_count)
			return INV_CONTRADICTION;
		total += held + kept;
	}
	ret->expected = inv->record_pool.used;
	ret->found = total;
	return total == inv->record_pool.used ? 0 : INV_CONTRADICTION;
}

static int inv_records_compare(
	const struct inv *inv, const struct inv_records_count *count, struct inv_contradiction *ret)
{
	const struct {
		const char *what;
		uint64_t expected, found;
	} pairs[] = {
		{"records in use", inv->record_pool.used, count->records},
		{"records in the index", inv->record_index.used, count->records},
		{"holds in the heap", inv->hold_heap_count, count->holds},
		{"records to retire", inv->retirement_count, count->records - count->holds},
		{"nodes in use", inv->node_pool.used, count->nodes},
		{"references in the index", inv->external_index.used, count->references},
		{"guests with live holds", inv->guest_count == 0, count->guests == 0},
	};
	kr_assert(count->holds <= count->records);
	for (size_t i = 0; i < KR_ARRAY_COUNT(pairs); i++) {
		kr_assert(pairs[i].what != NULL);
		if (pairs[i].expected == pairs[i].found)
			continue;
		*ret = (struct inv_contradiction){.what = pairs[i].what,
			.expected = pairs[i].expected,
			.found = pairs[i].found};
		return INV_CONTRADICTION;
	}
	return 0;
}

/* A record's first node and its places in the index of ids and in its heap: they follow no order.
 */
static void inv_record_places_prefetch(const struct inv *inv, uint32_t r)
{
	const struct inv_record *record = &inv_records(inv)[r];
	kr_assert(r < inv->record_pool.fresh);
	inv_index_prefetch(&inv->record_index, inv_record_slots(inv), inv_id_tag(record->id));
	if (record->more < inv->node_pool.fresh)
		kr_prefetch(&inv_nodes(inv)[record->more]);
	if (record->heap_pos >= inv->config.reservations_max)
		return;
	const struct inv_deadline *heap =
		record->state == INV_HELD ? inv_holds(inv) : inv_retirements(inv);
	kr_prefetch(&heap[INV_DEADLINE_LEAD + record->heap_pos]);
}

int inv_records_verify(const struct inv *inv, struct inv_contradiction *ret)
{
	struct inv_records_count count = {0};
	/* opening a heap takes a pointer to its count and changes nothing */
	struct inv *mutable_inv = (struct inv *)(uintptr_t)inv;
	kr_assert(ret != NULL);
	for (uint32_t r = 0; r < inv->record_pool.fresh; r++) {
		if (r + INV_VERIFY_AHEAD < inv->record_pool.fresh)
			inv_record_places_prefetch(inv, r + INV_VERIFY_AHEAD);
		if (inv_record_at(inv, r)->flags & INV_RECORD_FREE)
			continue;
		int error = inv_record_verify(inv, r, &count, ret);
		if (error != 0)
			return error;
	}
	int error = inv_records_compare(inv, &count, ret);
	if (error != 0)
		return error;
	*ret = (struct inv_contradiction){.what = "a heap of instants is out of order"};
	if (!inv_deadlines_are_sound(inv_deadlines_of_holds(mutable_inv)) ||
		!inv_deadlines_are_sound(inv_deadlines_of_retirements(mutable_inv)))
		return INV_CONTRADICTION;
	return inv_chains_verify(inv, ret);
}
