#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/civil.h"
#include "base/tz_load.h"

#define DAY_S INT64_C(86400)

static struct tz_db db;

static void load(void)
{
	cr_assert_eq(tz_load(TZ_FOLDER, &db), 0, "tzdata is needed");
}

static void unload(void)
{
	tz_free(&db);
}

TestSuite(tz, .init = load, .fini = unload);

static uint16_t zone(const char *name)
{
	const uint16_t found = tz_find(&db, name, strlen(name));
	cr_assert_neq(found, TZ_ZONE_NONE, "%s", name);
	return found;
}

static int64_t utc(int year, int month, int day, int hour, int minute)
{
	const struct civil_date date = {year, (uint8_t)month, (uint8_t)day};
	return civil_day_from_date(date) * DAY_S + hour * 3600 + minute * 60;
}

Test(tz, finds_every_zone_it_loaded_and_no_other)
{
	cr_assert_gt(db.zone_count, 400);
	for (uint32_t i = 0; i < db.zone_count; i++)
		cr_assert_eq(tz_find(&db, db.zones[i].name, strlen(db.zones[i].name)), i);
	cr_assert_eq(tz_find(&db, "Europe/Pari", 11), TZ_ZONE_NONE);
	cr_assert_eq(tz_find(&db, "Europe/Pariss", 13), TZ_ZONE_NONE);
	cr_assert_eq(tz_find(&db, "", 0), TZ_ZONE_NONE);
}

/* The C library reads the same files: every zone, from 1971 to 2099, every 53 days or so. */
Test(tz, agrees_with_the_c_library_in_every_zone, .timeout = 120)
{
	uint64_t compared = 0;
	for (uint32_t i = 0; i < db.zone_count; i++) {
		cr_assert_eq(setenv("TZ", db.zones[i].name, 1), 0);
		tzset();
		for (time_t at = 366 * DAY_S; at < utc(2100, 1, 1, 0, 0); at += 53 * DAY_S + 4327) {
			struct tm local;
			cr_assert_not_null(localtime_r(&at, &local));
			cr_assert_eq(tz_offset_s(&db, (uint16_t)i, at), local.tm_gmtoff,
				"%s at %ld", db.zones[i].name, (long)at);
			compared++;
		}
	}
	cr_assert_gt(compared, 300000);
}

Test(tz, turns_the_clock_at_the_second_the_rule_says)
{
	const uint16_t paris = zone("Europe/Paris");
	const int64_t spring = utc(2027, 3, 28, 1, 0), autumn = utc(2027, 10, 31, 1, 0);
	cr_assert_eq(tz_offset_s(&db, paris, spring - 1), 3600);
	cr_assert_eq(tz_offset_s(&db, paris, spring), 7200);
	cr_assert_eq(tz_offset_s(&db, paris, autumn - 1), 7200);
	cr_assert_eq(tz_offset_s(&db, paris, autumn), 3600);
}

Test(tz, takes_the_first_instant_after_a_gap_and_the_earlier_of_an_overlap)
{
	const uint16_t paris = zone("Europe/Paris");
	const int32_t spring = (int32_t)(utc(2027, 3, 28, 0, 0) / DAY_S);
	const int32_t autumn = (int32_t)(utc(2027, 10, 31, 0, 0) / DAY_S);
	cr_assert_eq(tz_local_to_unix_s(&db, paris, spring, 119), utc(2027, 3, 28, 0, 59));
	cr_assert_eq(tz_local_to_unix_s(&db, paris, spring, 120), utc(2027, 3, 28, 1, 0));
	cr_assert_eq(tz_local_to_unix_s(&db, paris, spring, 150), utc(2027, 3, 28, 1, 0));
	cr_assert_eq(tz_local_to_unix_s(&db, paris, spring, 180), utc(2027, 3, 28, 1, 0));
	cr_assert_eq(tz_local_to_unix_s(&db, paris, spring, 181), utc(2027, 3, 28, 1, 1));
	cr_assert_eq(tz_local_to_unix_s(&db, paris, autumn, 150), utc(2027, 10, 31, 0, 30));
	cr_assert_eq(tz_local_to_unix_s(&db, paris, autumn, 180), utc(2027, 10, 31, 2, 0));
}

Test(tz, turns_the_business_date_at_the_roll_hour_and_never_back)
{
	const char *const names[] = {"Europe/Paris", "America/New_York", "Australia/Lord_Howe",
		"Africa/Casablanca", "Asia/Kathmandu", "Pacific/Apia", "America/Santiago", "UTC"};
	for (size_t n = 0; n < KR_ARRAY_COUNT(names); n++) {
		const uint16_t z = zone(names[n]);
		for (int32_t roll = 0; roll < 24 * 60; roll += 150) {
			int32_t last = tz_day_of(&db, z, utc(2026, 1, 1, 0, 0), roll);
			for (int64_t at = utc(2026, 1, 1, 0, 0); at < utc(2028, 1, 1, 0, 0);
				at += 1740) {
				const int32_t day = tz_day_of(&db, z, at, roll);
				cr_assert(day == last || day == last + 1, "%s", names[n]);
				cr_assert_geq(at, tz_local_to_unix_s(&db, z, day, roll));
				cr_assert_lt(at, tz_local_to_unix_s(&db, z, day + 1, roll));
				last = day;
			}
		}
	}
}

Test(tz, refuses_bytes_that_are_no_zone)
{
	FILE *file = fopen(TZ_FOLDER "/Europe/Paris", "rb");
	cr_assert_not_null(file);
	static unsigned char bytes[65536], bent[65536];
	const size_t size = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	for (size_t cut = 0; cut < size; cut++) {
		const uint32_t zones = db.zone_count, transitions = db.transition_count;
		cr_assert_eq(tz_db_add(&db, "Cut/Zone", bytes, cut), TZ_MALFORMED);
		cr_assert_eq(db.zone_count, zones);
		cr_assert_eq(db.transition_count, transitions);
	}
	for (size_t at = 0; at < size; at++) {
		memcpy(bent, bytes, size);
		bent[at] ^= 0xff;
		const uint32_t transitions = db.transition_count;
		if (tz_db_add(&db, "Bent/Zone", bent, size) == 0)
			db.zone_count--; /* read, but only what lies inside the file */
		db.transition_count = transitions;
	}
}
