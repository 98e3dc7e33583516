/*
 * Time zones: local dates of hotels from tzdata, without asking the C library.
 *
 * A tz_db holds every zone's transitions from 1970 through 2100; what TZif files say by a rule at
 * their end (the POSIX footer, RFC 8536) has been expanded, so that looking up is one search.
 * Reading is pure; tz_load.h fills a db from the system's files.
 *
 * Local to UTC: a local time that does not exist (a gap) is the first instant after the gap; one
 * that exists twice (an overlap) is the earlier.
 */
#ifndef BASE_TZ_H
#define BASE_TZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

#define TZ_NAME_SIZE_MAX 48u
#define TZ_ZONES_MAX 1024u
#define TZ_TRANSITIONS_MAX (TZ_ZONES_MAX * 512u)
#define TZ_ZONE_NONE UINT16_MAX
#define TZ_LAST_YEAR 2100

struct tz_zone {
	char name[TZ_NAME_SIZE_MAX]; /* zero-terminated */
	uint32_t first;              /* transition */
	uint32_t count; /* at least 1: the first one holds from the beginning of time */
};

struct tz_transition {
	int64_t at_s;     /* unix seconds: from here on */
	int32_t offset_s; /* east of UTC */
};

/* Zones ascending by name. The arrays belong to whoever made the db. */
struct tz_db {
	struct tz_zone *zones;
	struct tz_transition *transitions;
	uint32_t zone_count;
	uint32_t zone_capacity;
	uint32_t transition_count;
	uint32_t transition_capacity;
};

/*
 * Adds a zone from the bytes of a TZif file (version 2 or newer). 0, or positive TZ_MALFORMED
 * (nothing was added) or TZ_FULL. Zones may come in any order until tz_db_sort().
 */
#define TZ_MALFORMED 1
#define TZ_FULL 2
KR_MUST_CHECK int tz_db_add(
	struct tz_db *db, const char *name, const void *bytes, size_t size_bytes);
void tz_db_sort(struct tz_db *db);

/* Index of a zone by name, or TZ_ZONE_NONE. */
uint16_t tz_find(const struct tz_db *db, const char *name, size_t name_size_bytes);

/* Seconds east of UTC at an instant. */
int32_t tz_offset_s(const struct tz_db *db, uint16_t zone, int64_t unix_s);

/* The instant of a local date (days since 1970-01-01) and minute after local midnight. */
int64_t tz_local_to_unix_s(const struct tz_db *db, uint16_t zone, int32_t day, int32_t minute);

/* The local date at an instant when the day turns `roll_minute` after local midnight. */
int32_t tz_day_of(const struct tz_db *db, uint16_t zone, int64_t unix_s, int32_t roll_minute);

#endif
