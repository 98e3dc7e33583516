/*
 * Private to the inventory: reservations in memory: found, made, moved from state to state, given
 * back.
 *
 * A record is taken, filled, and then enters: index of ids, index of external references, its
 * hotel's chain (held or kept), one heap, the counts. Leaving undoes all of it. Chains end in
 * INV_NONE going forward; the head's chain_prev is the last one, so that holds queue in order.
 */
#ifndef ENGINE_INVENTORY_RECORDS_H
#define ENGINE_INVENTORY_RECORDS_H

#include "engine/inventory/priv.h"

static inline struct inv_record *inv_record_at(const struct inv *inv, uint32_t record)
{
	kr_assert(record < inv->record_pool.fresh);
	return &inv_records(inv)[record];
}

/* Most texts are absent. */
static inline bool inv_text_fits(struct inv_text text)
{
	kr_assert(text.size_bytes == 0 || text.bytes != NULL);
	return text.size_bytes == 0 || inv_text_is_valid(text, INV_TEXT_SIZE_MAX);
}

/* A capture of its hotel has the record, or none is under way: it may change. */
static inline bool inv_record_is_captured(const struct inv *inv, const struct inv_record *record)
{
	uint8_t mark =
		record->hotel_index == INV_NONE ? 0 : inv_hotel_at(inv, record->hotel_index)->mark;
	kr_assert((mark & ~INV_RECORD_MARK) == 0);
	return (record->flags & INV_RECORD_MARK) == mark;
}

static inline uint32_t inv_id_tag(struct kr_id id)
{
	return inv_index_tag(hash_mix(id.hi * UINT64_C(0x9e3779b97f4a7c15) ^ id.lo));
}

/* The hotel's record of an id (the shard's own without a hotel), INV_NONE when there is none. What
 * an effect is about: while a log is replayed behind chunks of several instants, an imported native
 * id may be in its hotel already that was somebody else's, and is to be retired there still. */
uint32_t inv_record_find(const struct inv *inv, uint32_t hotel_index, struct kr_id id);
/* What a request is about: a native id whosever it is, one of another layout in its hotel alone;
 * two hotels may have records under the same one. */
uint32_t inv_record_seek(const struct inv *inv, uint32_t hotel_index, struct kr_id id);
/* The unretired record with this reference of this source in the hotel, or INV_NONE. */
uint32_t inv_record_find_external(
	const struct inv *inv, struct hotel_id hotel, uint32_t source, struct inv_text reference);

/* When the id was minted, microseconds; other layouts do not tell, so for them when the reservation
 * was made, which an import says. */
uint64_t inv_record_minted_us(const struct inv_record *record);
uint64_t inv_id_minted_us(struct kr_id id, uint64_t created_at_us);
/* The first night of any line; the date after the last. */
int32_t inv_record_check_in(const struct inv *inv, const struct inv_record *record);
int32_t inv_record_check_out(const struct inv *inv, const struct inv_record *record);
/* Not before this may it be retired, as far as the record alone can tell. */
uint64_t inv_record_retire_us(const struct inv *inv, const struct inv_record *record);
/* What that is made of. */
struct inv_retire_case {
	uint8_t state;
	uint64_t changed_at_us, minted_us;
	int32_t check_out; /* of a stay that was had or is to be had */
};
uint64_t inv_retire_us(const struct inv *inv, struct inv_retire_case c);
/* Retirement asks for check_out: a stay rather than what came to nothing. */
bool inv_state_is_stay(uint8_t state);
/* Held rooms, booked rooms, or neither: what a state counts as. */
bool inv_state_is_booked(uint8_t state);
/* Nothing comes after it but retirement. */
bool inv_state_is_terminal(uint8_t state);

/* A zeroed record, on no list; INV_NONE when the table is full. */
uint32_t inv_record_take(struct inv *inv);
/* Everything but the texts and lines must be filled in. */
void inv_record_enter(struct inv *inv, uint32_t record);
/* Takes the record out of everything and gives it and its nodes back. */
void inv_record_leave(struct inv *inv, uint32_t record);
/* Another state: from holds to kept records when it was HELD; the heaps follow. */
void inv_record_restate(struct inv *inv, uint32_t record, uint8_t state);
/* A hold's deadline moves. */
void inv_record_redate(struct inv *inv, uint32_t record, uint64_t expires_at_us);
/* A stay's last date moved. */
void inv_record_requeue_retirement(struct inv *inv, uint32_t record);
/* A hold goes behind all others of its hotel's chain. */
void inv_record_requeue(struct inv *inv, uint32_t record);

/* ---- nodes: what does not fit the record ---- */
/* The largest sum of a reservation; beyond it INVALID, total. */
#define INV_TOTAL_MAX ((uint64_t)INT64_MAX)
/* Adds a line's priced rooms and nights; false when the sum would be larger than that. */
bool inv_line_sum(const struct inv_line *line, uint64_t *total_minor);
/* Nodes that the lines of a reservation take at most. */
#define INV_LINES_NODES_MAX (INV_LINES_MAX * 3 + INV_STAY_NIGHTS_MAX)
uint32_t inv_lines_node_count(const struct inv_line *lines, uint32_t line_count);
uint32_t inv_text_node_count(struct inv_text text);
/* The nodes must be there (inv_pool_left). Lines first, then texts. products[i] is line i's. Lines
 * count all their nights when `counted`, else none. */
void inv_record_put_lines(struct inv *inv, struct inv_record *record, const struct inv_line *lines,
	const uint32_t *products, uint32_t line_count, bool counted);
/* The nodes of the lines, their price runs and their terms. */
uint32_t inv_record_lines_node_count(const struct inv *inv, const struct inv_record *record);
/* Other lines in the place of the present ones, all nights counted; what else hangs on the record
 * stays. */
void inv_record_replace_lines(struct inv *inv, struct inv_record *record,
	const struct inv_line *lines, const uint32_t *products, uint32_t line_count);
void inv_record_put_text(
	struct inv *inv, struct inv_record *record, enum inv_node_kind kind, struct inv_text text);
void inv_record_give_nodes(struct inv *inv, struct inv_record *record);
/* The text of a kind, gathered into `bytes`; empty when there is none. */
struct inv_text inv_record_text(const struct inv *inv, const struct inv_record *record,
	enum inv_node_kind kind, char bytes[static INV_TEXT_SIZE_MAX]);
/* Lines with their frozen prices and terms; returns how many. Tiers lie in the record's nodes. */
uint32_t inv_record_unpack(const struct inv *inv, const struct inv_record *record,
	struct inv_line lines[static INV_LINES_MAX],
	struct inv_price_run runs[static INV_STAY_NIGHTS_MAX]);
/* False when a line is count only; else the sum over rooms and nights. */
bool inv_record_total(
	const struct inv *inv, const struct inv_record *record, uint64_t *ret_total_minor);
/* Lines count no night from `day` on. */
void inv_record_count_until(struct inv *inv, struct inv_record *record, int32_t day);
/* The id of the last change, 0 when there was none. */
uint64_t inv_record_change_id(const struct inv *inv, const struct inv_record *record);
/* Nodes that keeping a change's id takes: one, the first time. */
static inline uint32_t inv_change_node_count(const struct inv_record *record)
{
	return (record->flags & INV_RECORD_CHANGED) == 0;
}
void inv_record_put_change(struct inv *inv, struct inv_record *record, uint64_t change_id);

/* ---- live holds of a guest in a hotel ---- */
uint32_t inv_guest_hold_count(
	const struct inv *inv, struct hotel_id hotel, struct inv_guest_id guest);
void inv_guest_hold_add(struct inv *inv, struct hotel_id hotel, struct inv_guest_id guest);
void inv_guest_hold_drop(struct inv *inv, struct hotel_id hotel, struct inv_guest_id guest);

#endif
