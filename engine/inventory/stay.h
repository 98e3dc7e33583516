/*
 * Private to the inventory: a stay on trial: steps 2 to 10 of admission.
 *
 * inv_stay_try() runs the steps in their published order over all lines; the first refusal is the
 * answer. With room for more than one refusal it goes on as far as what it knows allows, so that
 * `explain` and admission are the same lines of code. The nights' words are copied once: every
 * step reads the same instant, and the effect's old values are what the last step compared.
 */
#ifndef ENGINE_INVENTORY_STAY_H
#define ENGINE_INVENTORY_STAY_H

#include "engine/inventory/product.h"
#include "engine/inventory/refusals.h"

struct inv_credit;

/* A line's place among those that continue one another. */
struct inv_chain_place {
	uint32_t stay_nights; /* of the whole chain */
	bool is_first, is_last;
};

struct inv_stay_line {
	const struct inv_line *line;
	uint32_t row;                /* INV_NONE: unknown type or plan */
	const struct inv_plan *plan; /* NULL: plan 0 */
	/* Nights inside the window, [first_day, end_day), and their words; none before dates are
	 * judged. Admission has them all, explaining clips. */
	int32_t first_day;
	int32_t end_day;
	uint32_t end_ring; /* place of end_day */
	const struct inv_words *words;
	/* Of all these words: what any of them has, what all of them have, and the least left.
	 * A step that needs a flag which none has, or every one has, need not look at nights. */
	struct inv_words any, all;
	int32_t least_left;
};

/* What a line has that a step looks for: without it the step cannot refuse. */
#define INV_SUSPECT_ADVANCE 0x01u
#define INV_SUSPECT_OCCUPANCY 0x02u
#define INV_SUSPECT_CLOSED 0x04u
#define INV_SUSPECT_BORDER 0x08u /* arrival or departure */
#define INV_SUSPECT_LOS 0x10u
#define INV_SUSPECT_ALWAYS 0x20u

struct inv_stay {
	struct inv *inv;
	uint64_t t_us;
	const struct inv_reserve_op *op;
	uint32_t hotel_index;
	uint32_t suspects;         /* INV_SUSPECT_* of all lines */
	struct inv_credit *credit; /* what is given back in the same effect; or NULL */
	bool imports, is_over;     /* sold elsewhere already (import.c); and draws no rooms */
	struct inv_stay_line lines[INV_LINES_MAX];
	struct inv_chain_place places[INV_LINES_MAX];
	bool has_every_price;
	uint64_t total_minor; /* of the lines that have a price */
	/* refusals found, in order */
	struct inv_refusal *refusals;
	uint32_t refusal_count, refusal_max;
};

/* Fills in everything but the refusals' memory. The request's own bounds hold (see below). */
void inv_stay_init(struct inv_stay *stay, struct inv *inv, uint64_t t_us,
	const struct inv_reserve_op *op, uint32_t hotel_index, struct inv_refusal *refusals,
	uint32_t refusal_max);

void inv_lines_chain(
	const struct inv_line *lines, uint32_t line_count, struct inv_chain_place *ret_places);

/* Malformed beyond any hotel: lines, texts, fields of the other operation. 0 or the field. */
enum inv_name inv_stay_malformed(const struct inv_reserve_op *op);

/* Steps 2 to 10; true when nothing was refused. */
bool inv_stay_try(struct inv_stay *stay);

/* What is asked of a stay that is sold elsewhere already: names, dates, prices as they are and,
 * unless it is over, rooms. Nights before the window are passed over; those behind it as well, if
 * it is over. */
bool inv_stay_try_import(struct inv_stay *stay, bool is_over);

/* The lines with the prices of their nights as runs, in the inventory's scratch; lines whose price
 * is not known have none. */
const struct inv_line *inv_stay_freeze(struct inv_stay *stay);
bool inv_stay_has_total(const struct inv_stay *stay);

/* ---- between the files of the steps ---- */

/* Notes a refusal; true when no more are wanted. */
bool inv_stay_refuse(struct inv_stay *stay, struct inv_refusal refusal);

static inline bool inv_stay_is_full(const struct inv_stay *stay)
{
	return stay->refusal_count == stay->refusal_max;
}

static inline const struct inv_hotel *inv_stay_hotel(const struct inv_stay *stay)
{
	return inv_hotel_at(stay->inv, stay->hotel_index);
}

/* Advance notice that the line's plan asks for; 0 = none. */
struct inv_advance {
	uint32_t min_minutes, max_minutes;
};

static inline struct inv_advance inv_stay_advance(
	const struct inv_stay *stay, const struct inv_stay_line *l)
{
	const struct inv_row *row = inv_row_at(stay->inv, l->row);
	kr_assert(row->hotel_index == stay->hotel_index);
	if (l->plan == NULL)
		return (struct inv_advance){row->advance_min_minutes, row->advance_max_minutes};
	return (struct inv_advance){l->plan->advance_min_minutes, l->plan->advance_max_minutes};
}

void inv_stay_gather(struct inv_stay *stay);
void inv_stay_step_closed(struct inv_stay *stay);
void inv_stay_step_arrival_departure(struct inv_stay *stay);
void inv_stay_step_los(struct inv_stay *stay);
void inv_stay_step_price(struct inv_stay *stay);
void inv_stay_step_rooms(struct inv_stay *stay);
/* The terms of cancellation that line i is sold under, into the line that is frozen. */
void inv_stay_freeze_terms(const struct inv_stay *stay, uint32_t i, struct inv_line *frozen);

#endif
