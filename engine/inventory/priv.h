/*
 * Private to the inventory: what its files call of each other.
 *
 * inv_apply looks the hotel up, skips what its state already shows, checks event_seq, marks the
 * hotel as being written (arena_seq), and calls the kind's function; that one checks the rest
 * before it changes anything; then inv_apply moves event_seq, the LSNs and the clock.
 */
#ifndef ENGINE_INVENTORY_PRIV_H
#define ENGINE_INVENTORY_PRIV_H

#include "base/bytes.h"
#include "engine/inventory/grid.h"

static inline struct inv_scratch *inv_scratch(const struct inv *inv)
{
	return inv_scratches(inv);
}

static inline bool inv_text_equal(struct inv_text a, struct inv_text b)
{
	return a.size_bytes == b.size_bytes &&
	       (a.size_bytes == 0 || memcmp(a.bytes, b.bytes, a.size_bytes) == 0);
}

/* Copies into `bytes` (large enough) and gives the copy. */
struct inv_text inv_text_copy(struct inv_text text, char *bytes);

/* A heap over one of the tables of handles; put the count back with inv_heap_close. */
static inline struct heap32 inv_heap_open(uint32_t *handles, uint32_t count, uint32_t capacity)
{
	struct heap32 heap;
	heap32_init(&heap, handles, capacity);
	kr_assert(count <= capacity);
	heap.count = count;
	return heap;
}

/* Of a size the compiler does not see: for one it sees it emits `rep stos`, whose start costs more
 * than clearing some hundred bytes with vectors does. */
void inv_zero(void *bytes, size_t size_bytes);

/* ---- answers, effects, contradictions ---- */

/* Clears the answer and makes it a refusal. */
static inline enum inv_result inv_refuse(struct inv_answer *answer, uint16_t code, uint8_t rule)
{
	*answer = (struct inv_answer){.code = code, .refusal = {.code = code, .rule = rule}};
	return INV_ANSWER;
}

/* LIMIT_REACHED, naming the table. */
enum inv_result inv_refuse_table(struct inv_answer *answer, const char *table, uint64_t entries);
/* INVALID, naming the field. */
enum inv_result inv_refuse_field(struct inv_answer *answer, const char *field);

/* An answer tells of the hotel's state: not before that is durable. */
static inline enum inv_result inv_answer_wait(
	const struct inv *inv, uint32_t hotel_index, struct inv_answer *answer)
{
	answer->wait_lsn = hotel_index == INV_NONE ? 0 : inv_hotel_at(inv, hotel_index)->last_lsn;
	return INV_ANSWER;
}

/* Clears the effect and fills the common head; hotel_index INV_NONE = the shard's own; actor NULL =
 * the clock. */
void inv_effect_begin(const struct inv *inv, uint32_t hotel_index, enum inv_effect_kind kind,
	struct inv_now now, const struct inv_actor *actor, struct inv_effect *ret_effect);

/* Fills *ret (day 0 when none is meant) and returns INV_CONTRADICTION. */
int inv_contradict(const struct inv_effect *effect, const char *what, uint64_t expected,
	uint64_t found, int32_t day, struct inv_contradiction *ret);

/* ---- applying, by kind ---- */
typedef int inv_apply_fn(struct inv *inv, uint32_t hotel_index, const struct inv_effect *effect,
	struct inv_contradiction *ret);

inv_apply_fn inv_apply_hotel, inv_apply_type, inv_apply_plan, inv_apply_update, inv_apply_window;
inv_apply_fn inv_apply_start, inv_apply_digest;
/* hotel_index INV_NONE for reservations without a hotel: VOID, and RETIRE of one */
inv_apply_fn inv_apply_reserve, inv_apply_confirm, inv_apply_release, inv_apply_cancel;
inv_apply_fn inv_apply_expire, inv_apply_grace, inv_apply_retire, inv_apply_void;
inv_apply_fn inv_apply_extend, inv_apply_attach, inv_apply_modify, inv_apply_import;
inv_apply_fn inv_apply_check_in, inv_apply_complete, inv_apply_no_show;

/* ---- day rolls, for inv_due_next_us and inv_due_judge ---- */
uint64_t inv_roll_next_us(const struct inv *inv);
enum inv_result inv_roll_judge(struct inv *inv, struct inv_now now, struct inv_effect *ret_effect);
/* Instant of the hotel's local `minute` (after midnight) of `day`; a skipped one begins after
 * the gap, a doubled one is the first. */
uint64_t inv_hotel_instant_us(
	const struct inv *inv, uint32_t hotel_index, int32_t day, uint32_t minute);

/* ---- records, as chunks and checks see them ---- */

/* One line of a record, wherever it is kept. */
struct inv_record_line {
	uint32_t row;
	uint32_t product; /* of that row */
	int32_t check_in;
	uint16_t nights, rooms, guests;
	int16_t counted_nights;
	uint8_t pricing;
};
/* Lines in order, up to INV_LINES_MAX; returns how many. */
uint32_t inv_record_lines(const struct inv *inv, const struct inv_record *record,
	struct inv_record_line ret_lines[static INV_LINES_MAX]);
/* Over canonical values, whatever the record's place. */
uint64_t inv_record_hash(const struct inv *inv, uint32_t record);
uint32_t inv_record_size_max(const struct inv *inv, uint32_t record);
void inv_record_save(const struct inv *inv, uint32_t record, struct kr_writer *writer);
/* Takes, links and indexes a record; cells already hold its rooms. 0, INV_CONTRADICTION or
 * INV_NO_ROOM. hotel_index INV_NONE: a VOID of chunk 0. */
KR_MUST_CHECK int inv_record_load(struct inv *inv, uint32_t hotel_index, struct kr_reader *reader,
	struct inv_contradiction *ret);
/* The hotel's calendar changed otherwise than by a day roll: its stays are looked at again.
 * O(kept records of the hotel). */
void inv_records_recheck(struct inv *inv, uint32_t hotel_index);
/*
 * For walks over the hotels in order: at every INV_WARM_HOTELS-th one the first records of those to
 * come are asked for, all their chains at once, where a walk waits for each record of a chain by
 * itself. More records than the nearer caches hold are not.
 */
#define INV_WARM_HOTELS 8u
#define INV_WARM_RECORDS 4096u
void inv_hotels_warm(const struct inv *inv, uint32_t first);
/* Index, heaps, chains, nodes and references. Cells are inv_verify's. */
KR_MUST_CHECK int inv_records_verify(const struct inv *inv, struct inv_contradiction *ret);

#endif
