/*
 * Private to the inventory: rooms that a stay on trial gives back in the same effect, and what of
 * it is therefore nothing new.
 *
 * A HOLD that replaces another gives back that one's rooms, and is in all else a new hold.
 *
 * MODIFY gives back the reservation's own rooms and takes those it asks for. A night of a line is
 * kept when lines 0 to this one draw no more of its product (type and plan) than the reservation
 * has there. Rules ask about what is new, in this sense:
 *
 *   hotel, type, plan active      a line with a night that is not kept
 *   advance notice, CTA           an arrival (product, date) that no line had; in the midst of a
 *                                 chain it is no arrival
 *   CTD                           a departure (product, date) that no chain had
 *   guests                        another type, number of rooms or of guests than any line had
 *   closed                        a night that is not kept
 *   length of stay                a night that is not kept, was part of a stay of another length,
 *                                 or is a new arrival
 *   rooms                         a night of which lines 0 to this one draw more of the type than
 *                                 the reservation has there, whatever the plan
 *
 * A request without any night that is new only gives back: none of the restrictions is asked, as
 * none is asked of a cancellation. Nights before the window began can be neither added nor given
 * back. A calendar line keeps the price of a night that the line it names (`keeps`) has, as far as
 * that one's rooms go; every other night has today's.
 */
#ifndef ENGINE_INVENTORY_CREDIT_H
#define ENGINE_INVENTORY_CREDIT_H

#include "engine/inventory/stay.h"

struct inv_credit {
	bool keeps;                   /* MODIFY */
	const struct inv_line *lines; /* given back; in the inventory's scratch */
	uint32_t line_count;
	struct inv_chain_place places[INV_LINES_MAX];
	/* of the stay on trial, by inv_credit_compare() */
	bool is_new[INV_LINES_MAX]; /* the line has a night that is not kept */
	bool has_new;
};

/* The lines of a record; they stay in the scratch until records are read again. */
void inv_credit_init(struct inv_credit *credit, const struct inv *inv,
	const struct inv_record *record, bool keeps);
void inv_credit_compare(struct inv_stay *stay);

/* Rooms of the type given back on that day. */
uint32_t inv_credit_rooms(const struct inv_credit *credit, uint16_t type, int32_t day);
/* A night before the window that is added or given back; the lowest line's first. */
bool inv_credit_past_changes(const struct inv_stay *stay, uint32_t *ret_line, int32_t *ret_day);
/* The line that line i continues, of the same type and plan; NULL when there is none. */
const struct inv_line *inv_credit_line(const struct inv_stay *stay, uint32_t i);
/* The price that line i's night was sold at and keeps; false when it keeps none. */
bool inv_credit_price(
	const struct inv_stay *stay, uint32_t i, int32_t day, uint64_t *ret_price_minor);

/* Where nothing is kept, nothing is known and everything is new. */
bool inv_stay_night_is_kept(const struct inv_stay *stay, uint32_t i, int32_t day);
bool inv_stay_arrival_is_known(const struct inv_stay *stay, uint32_t i);
bool inv_stay_departure_is_known(const struct inv_stay *stay, uint32_t i);
bool inv_stay_party_is_known(const struct inv_stay *stay, uint32_t i);
bool inv_stay_length_is_known(const struct inv_stay *stay, uint32_t i, int32_t day);

static inline bool inv_stay_keeps(const struct inv_stay *stay)
{
	return stay->credit != NULL && stay->credit->keeps;
}

/* Nothing of an import is new: it is sold. */
static inline bool inv_stay_line_is_new(const struct inv_stay *stay, uint32_t i)
{
	return inv_stay_keeps(stay) ? stay->credit->is_new[i] : !stay->imports;
}

static inline bool inv_stay_has_new(const struct inv_stay *stay)
{
	return inv_stay_keeps(stay) ? stay->credit->has_new : !stay->imports;
}

static inline uint32_t inv_stay_credit(const struct inv_stay *stay, uint32_t i, int32_t day)
{
	if (stay->credit == NULL)
		return 0;
	return inv_credit_rooms(stay->credit, stay->op->lines[i].type, day);
}

#endif
