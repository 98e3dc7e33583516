/*
 * One night of a room type, and what effects have to do with it. Pure.
 *
 * The tally counts held and booked rooms from the effects' own words, so that what the state says
 * can be held against it.
 */
#ifndef TOOLS_KEYRACK_RECOVER_NIGHT_H
#define TOOLS_KEYRACK_RECOVER_NIGHT_H

#include "engine/inventory/effect.h"

struct night {
	struct hotel_id hotel;
	uint16_t type;
	uint16_t plan; /* whose price and rules are told */
	int32_t day;
};

/* It is neither over nor given back. */
static inline bool night_import_counts(const struct inv_effect_import *import)
{
	return import->state == INV_HELD || import->state == INV_CONFIRMED ||
	       import->state == INV_CHECKED_IN;
}
/* Rooms of the lines that stay this night. */
uint32_t night_rooms(const struct night *night, const struct inv_line *lines, uint32_t line_count);

/*
 * Does an effect of the catalogue or the clock name the night: an UPDATE over it (of counts, or of
 * its plan), its TYPE, its PLAN, its HOTEL, a WINDOW that takes it in or lets it go? False for what
 * reservations do.
 */
bool night_is_named(
	const struct night *night, const struct inv_effect *effect, uint32_t window_nights);

struct night_tally {
	int64_t held, booked;
};

/* Rooms on the night of the reservation that an effect is about. */
struct night_rooms {
	uint32_t before; /* RESERVE: of the hold that is replaced */
	uint32_t after;  /* RESERVE, MODIFY and IMPORT: of the effect's lines, if they count */
	bool is_booked;  /* before: as booked, else as held */
};

/* What the effect makes of the counts of a counted night. False: its kind is none that this program
 * knows to move rooms. */
bool night_tally_move(struct night_tally *tally, const struct inv_effect *effect,
	const struct night_rooms *rooms);
bool night_tally_equals(const struct night_tally *tally, uint64_t counter);
struct night_tally night_tally_of(uint64_t counter);

#endif
