/*
 * An entry of the system's journal as its socket takes it, built into the caller's bytes. Pure.
 *
 * A field is NAME=value and a newline, or, when the value has a newline in it, NAME, a newline, the
 * value's size as 64 bits little-endian, the value, and a newline. (systemd: Native Journal
 * Protocol.) The bounds are ours: an entry always fits a datagram.
 */
#ifndef BASE_JOURNAL_ENTRY_H
#define BASE_JOURNAL_ENTRY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"

#define JOURNAL_ENTRY_SIZE 8192u
#define JOURNAL_VALUE_SIZE_MAX 4096u /* the rest of a longer one is cut off */
#define JOURNAL_NAME_LENGTH_MAX 64u

struct journal_entry {
	char bytes[JOURNAL_ENTRY_SIZE];
	size_t length;
	bool is_cut; /* a value was, or a field is missing for want of room */
};

void journal_entry_init(struct journal_entry *entry);
/* Names have capitals, digits and _, and begin with a capital. A value may have any bytes but 0. */
void journal_entry_put(struct journal_entry *entry, const char *name, const char *value);
void journal_entry_format(struct journal_entry *entry, const char *name, const char *format, ...)
	KR_PRINTF(3, 4);

#endif
