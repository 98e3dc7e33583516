/*
 * The journal: one JSON line for each answer that was received, in the order of receipt.
 *
 *   {"id":"...","op":"BOOK","hotel":1,"type":0,"check_in":20500,"check_out":20503,"rooms":1,
 *    "code":"DONE","t_us":1790000000000000}
 *
 * op is BOOK, HOLD, CONFIRM, RELEASE or CANCEL; code a code's name, or UNKNOWN; days count from
 * 1970-01-01. What happened is in the file no later than journal_close() or a second after.
 */
#ifndef BENCH_JOURNAL_H
#define BENCH_JOURNAL_H

#include <stdint.h>

#include "keyrack/keyrack.h"

struct journal;

struct journal_entry {
	struct keyrack_id id;
	const char *op;
	uint64_t hotel_id;
	uint32_t type;
	int32_t check_in, check_out;
	uint32_t rooms;
	const char *code;
};

/* Appends to the file. Ends the program when it cannot be opened. */
struct journal *journal_open(const char *path);
struct journal *journal_close(struct journal *journal);
void journal_put(struct journal *journal, const struct journal_entry *entry);
/* Writes what is buffered, when a second has passed since the last time. */
void journal_tick(struct journal *journal);

#endif
