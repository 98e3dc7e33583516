#include "tools/keyrack/zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/tz_load.h"

#define FILE_SIZE_MAX (64u << 10)
#define TRANSITIONS_MAX 1024u

/* Names are the server's word: letters, digits and what zones are made of, nothing that climbs. */
static bool name_is_sound(const char *zone)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789_+-/";
	size_t size = strlen(zone);
	kr_assert(zone != NULL);
	return size > 0 && size < TZ_NAME_SIZE_MAX && zone[0] != '/' &&
	       strspn(zone, letters) == size;
}

static size_t file_read(const char *zone, uint8_t bytes[static FILE_SIZE_MAX])
{
	char path[sizeof(TZ_FOLDER) + TZ_NAME_SIZE_MAX];
	(void)snprintf(path, sizeof(path), TZ_FOLDER "/%s", zone);
	FILE *file = fopen(path, "rbe");
	if (file == NULL)
		return 0;
	size_t size = fread(bytes, 1, FILE_SIZE_MAX, file);
	(void)fclose(file);
	kr_assert(size <= FILE_SIZE_MAX);
	return size;
}

bool zone_offset_s(const char *zone, int64_t unix_s, int32_t *ret_offset_s)
{
	static uint8_t bytes[FILE_SIZE_MAX];
	static struct tz_transition transitions[TRANSITIONS_MAX];
	static struct tz_zone found;
	struct tz_db db = {.zones = &found,
		.transitions = transitions,
		.zone_capacity = 1,
		.transition_capacity = TRANSITIONS_MAX};
	if (!name_is_sound(zone))
		return false;
	size_t size = file_read(zone, bytes);
	if (size == 0 || tz_db_add(&db, zone, bytes, size) != 0)
		return false;
	kr_assert(db.zone_count == 1);
	*ret_offset_s = tz_offset_s(&db, 0, unix_s);
	return true;
}
