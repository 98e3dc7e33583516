/*
 * Sums over nights of room types, and occupancy in per cent. Pure.
 *
 * Occupancy is booked / rooms over the nights whose rooms are known, in tenths of a per cent,
 * halves up. It may be more than 100 %. With no rooms at all there is none, not 0 %.
 */
#ifndef TOOLS_KEYRACK_NIGHT_SUM_H
#define TOOLS_KEYRACK_NIGHT_SUM_H

#include "base/check.h"
#include "keyrack/keyrack.h"

struct night_sum {
	uint64_t nights;       /* of room types */
	uint64_t known_nights; /* of them with known rooms */
	uint64_t rooms;
	uint64_t held, booked;
	uint64_t booked_known; /* in nights with known rooms */
	uint64_t left;         /* that can be sold: never below 0, night by night */
	uint64_t over_limit;
	uint64_t walks;
};

void night_sum_add(struct night_sum *sum, const struct keyrack_listed_night *night);
void night_sum_join(struct night_sum *sum, const struct night_sum *more);
/* False: there are no rooms. */
bool night_sum_occupancy(const struct night_sum *sum, uint64_t *ret_permille);

#define NIGHT_SUM_TEXT_SIZE 32u
/* "87.5 %", or "-". */
void night_sum_format(const struct night_sum *sum, char ret_text[static NIGHT_SUM_TEXT_SIZE]);

#endif
