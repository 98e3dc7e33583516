/* Lists of reservations, nights, stock and denials, beside the model. */
#ifndef TESTS_SIM_WITNESS_LIST_H
#define TESTS_SIM_WITNESS_LIST_H

#include "engine/inventory/listing.h"
#include "tests/sim/witness.h"

#define LIST_CURSOR_SHARD_SHIFT 50u /* below it 0: the beginning of a shard's part */

/* A page of a list, as it is asked for. */
struct list_query {
	uint64_t kind; /* enum frame_type */
	uint64_t hotel, cursor;
	int64_t from_day;
	/* RESERVATION_LIST: states, guest; NIGHT_LIST: first and last day, filter; STOCK_LIST:
	 * type, limit */
	uint64_t a, b, c;
};

/* Each by a number; what carries another stamp has changed. */
struct witness_item {
	uint64_t what, stamp;
};
struct witness_items {
	struct witness_item *list;
	uint32_t count, capacity;
};
void witness_items_add(struct witness_items *items, uint64_t what, uint64_t stamp);
bool witness_items_has(const struct witness_items *items, uint64_t what);
void witness_items_free(struct witness_items *items);
uint64_t witness_item_reservation(struct kr_id id);
uint64_t witness_item_night(uint64_t hotel, int type, int day);

/* What a list had to tell by the model, at every judgement that explains this page, a first or a
 * last one of a shard's. Not first: of what *items has. */
void witness_items_common(uint64_t key, uint64_t since_us, const struct witness_reply *reply,
	bool is_first, struct witness_items *items);

/* An answer was judged: demand that was turned away counts, once for each sale (0: a change). */
void witness_denied(const struct witness_shard *shard, const struct inv_answer *answer,
	uint64_t hotel, struct kr_id sale);
/* The shard starts: what it counted is gone, and its cursors. */
void witness_lists_forget(const struct witness_shard *shard);
void witness_lists_close(void);

/* One of a list, as a number; their sum tells the list, whatever its order. */
uint64_t witness_listed(const struct inv_reservation_view *view);
/* A list as one number: that of those before, and one more. */
uint64_t witness_denial(uint64_t digest_before, const struct inv_denial *denial);
uint64_t witness_stock(uint64_t digest_before, const struct inv_stock_view *run);

#endif
