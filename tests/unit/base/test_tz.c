#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

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

Test(tz, a_zone_that_cannot_be_read_is_not_left_out)
{
	struct tz_db few;
	char folder[] = "/tmp/keyrack-tz-XXXXXX";
	char path[64];
	cr_assert_not_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/Whole", folder);
	cr_assert_eq(symlink(TZ_FOLDER "/Europe/Paris", path), 0);
	cr_assert_eq(tz_load(folder, &few), 0);
	cr_assert_eq(few.zone_count, 1);
	tz_free(&few);
	/* Its first bytes are nobody's memory: reading them fails with EIO. */
	snprintf(path, sizeof(path), "%s/Broken", folder);
	cr_assert_eq(symlink("/proc/self/mem", path), 0);
	cr_assert_eq(tz_load(folder, &few), -KR_E_IO);
	cr_assert_eq(unlink(path), 0);
	snprintf(path, sizeof(path), "%s/Whole", folder);
	cr_assert_eq(unlink(path), 0);
	cr_assert_eq(rmdir(folder), 0);
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

/* ---- zones made by hand: what the system's files do not show ---- */

#define MADE_SIZE_MAX 512u

struct made {
	uint8_t bytes[MADE_SIZE_MAX];
	size_t size;
	struct tz_zone zones[1];
	struct tz_transition transitions[512];
	struct tz_db db;
};

static void put_be(struct made *made, uint64_t value, unsigned size)
{
	for (unsigned i = size; i-- > 0;)
		made->bytes[made->size++] = (uint8_t)(value >> 8 * i);
}

static void put_head(struct made *made, uint32_t time_count, uint32_t type_count)
{
	memcpy(made->bytes + made->size, "TZif2", 5);
	made->size += 20;
	for (unsigned i = 0; i < 3; i++)
		put_be(made, 0, 4);
	put_be(made, time_count, 4);
	put_be(made, type_count, 4);
	put_be(made, 0, 4);
}

/* A zone at UTC that changes to `offsets` at `times`, and then follows the footer. */
static void make(struct made *made, const int64_t *times, const int32_t *offsets, uint32_t count,
	const char *footer)
{
	memset(made, 0, sizeof(*made));
	put_head(made, 0, 1);
	put_be(made, 0, 6);
	put_head(made, count, count + 1);
	for (uint32_t i = 0; i < count; i++)
		put_be(made, (uint64_t)times[i], 8);
	for (uint32_t i = 0; i < count; i++)
		put_be(made, i + 1, 1);
	put_be(made, 0, 6);
	for (uint32_t i = 0; i < count; i++) {
		put_be(made, (uint32_t)offsets[i], 4);
		put_be(made, 0, 2);
	}
	memcpy(made->bytes + made->size, footer, strlen(footer));
	made->size += strlen(footer);
	made->db = (struct tz_db){.zones = made->zones,
		.transitions = made->transitions,
		.zone_capacity = 1,
		.transition_capacity = KR_ARRAY_COUNT(made->transitions)};
}

static int add(struct made *made)
{
	return tz_db_add(&made->db, "Made/Zone", made->bytes, made->size);
}

static void turns_at(struct made *made, int64_t at_s, int32_t before_s, int32_t after_s)
{
	cr_assert_eq(tz_offset_s(&made->db, 0, at_s - 1), before_s);
	cr_assert_eq(tz_offset_s(&made->db, 0, at_s), after_s);
}

Test(tz, a_julian_day_never_counts_the_29th_of_february)
{
	struct made made;
	make(&made, NULL, NULL, 0, "\nAAA0BBB,J60/2,J300/2\n");
	cr_assert_eq(add(&made), 0);
	turns_at(&made, utc(2027, 3, 1, 2, 0), 0, 3600);
	turns_at(&made, utc(2028, 3, 1, 2, 0), 0, 3600);
	turns_at(&made, utc(2028, 10, 27, 1, 0), 3600, 0);
}

Test(tz, a_day_of_the_year_counts_it)
{
	struct made made;
	make(&made, NULL, NULL, 0, "\nAAA0BBB-2,59/0:30:15,300\n");
	cr_assert_eq(add(&made), 0);
	turns_at(&made, utc(2027, 3, 1, 0, 30) + 15, 0, 7200);
	turns_at(&made, utc(2028, 2, 29, 0, 30) + 15, 0, 7200);
}

Test(tz, a_zone_without_a_rule_stays_as_it_was_last)
{
	struct made made;
	const int64_t at = utc(2001, 1, 1, 0, 0);
	const int32_t offset = 5400;
	make(&made, &at, &offset, 1, "\n\n");
	cr_assert_eq(add(&made), 0);
	turns_at(&made, at, 0, 5400);
	cr_assert_eq(tz_offset_s(&made.db, 0, utc(2099, 7, 1, 0, 0)), 5400);
}

Test(tz, a_date_that_has_begun_does_not_end_when_clocks_go_back_over_midnight)
{
	struct made made;
	const int64_t at = utc(2001, 5, 2, 0, 30);
	const int32_t offset = -3600;
	make(&made, &at, &offset, 1, "\n\n");
	cr_assert_eq(add(&made), 0);
	const int32_t day = (int32_t)(utc(2001, 5, 2, 0, 0) / DAY_S);
	cr_assert_eq(tz_day_of(&made.db, 0, utc(2001, 5, 1, 23, 59), 0), day - 1);
	cr_assert_eq(tz_day_of(&made.db, 0, utc(2001, 5, 2, 0, 10), 0), day);
	cr_assert_eq(tz_day_of(&made.db, 0, at, 0), day, "23:30 of the day before, once more");
}

Test(tz, a_malformed_rule_is_refused)
{
	static const char *const footers[] = {"", "AAA0\n", "\nA0\n", "\nAAA\n", "\nAAA200\n",
		"\nAAA0:60\n", "\nAAA0:0:60\n", "\n<AAA0\n", "\nAAA0BB\n", "\nAAA0BBB\n",
		"\nAAA0BBBx\n", "\nAAA0BBB,M13.1.0,M4.1.0\n", "\nAAA0BBB,M0.1.0,M4.1.0\n",
		"\nAAA0BBB,M3.6.0,M4.1.0\n", "\nAAA0BBB,M3.1.7,M4.1.0\n", "\nAAA0BBB,J366,J1\n",
		"\nAAA0BBB,367,1\n", "\nAAA0BBB,M3.1.0/x,M4.1.0\n", "\nAAA0BBB,M3.1.0\n",
		"\nAAA0BBB,M3.1.0,M4.1.0"};
	for (size_t i = 0; i < KR_ARRAY_COUNT(footers); i++) {
		struct made made;
		make(&made, NULL, NULL, 0, footers[i]);
		cr_assert_eq(add(&made), TZ_MALFORMED, "%s", footers[i]);
		cr_assert_eq(made.db.transition_count, 0);
	}
}

Test(tz, offsets_and_times_that_cannot_be_are_refused)
{
	struct made made;
	const int64_t times[] = {1000, 1000}, early[] = {-5};
	const int32_t offsets[] = {3600, 0}, wide[] = {27 * 3600, 0};
	make(&made, times, offsets, 2, "\n\n");
	cr_assert_eq(add(&made), TZ_MALFORMED, "times do not ascend");
	make(&made, times, wide, 1, "\n\n");
	cr_assert_eq(add(&made), TZ_MALFORMED, "more than a day off");
	for (unsigned i = 0; i < 2; i++) {
		make(&made, i == 0 ? early : times, offsets, 1, "\n\n");
		/* the one index stands behind the one time */
		made.bytes[44 + 6 + 44 + 8] = 2;
		cr_assert_eq(add(&made), TZ_MALFORMED, "no such type");
	}
}

/* What stands behind the types could pass for one. */
Test(tz, the_index_behind_the_last_type_is_refused)
{
	struct made made;
	const int64_t early[] = {-5}, late[] = {1000};
	const int32_t offsets[] = {3600};
	for (unsigned i = 0; i < 2; i++) {
		for (uint8_t index = 1; index <= 2; index++) {
			make(&made, i == 0 ? early : late, offsets, 1, "");
			made.bytes[44 + 6 + 43] = 6;
			put_be(&made, 0, 6);
			put_be(&made, 0x0a0a, 2);
			made.bytes[44 + 6 + 44 + 8] = index;
			cr_assert_eq(add(&made), index == 1 ? 0 : TZ_MALFORMED);
		}
	}
}

Test(tz, a_table_that_is_full_says_so_and_takes_nothing)
{
	struct made made;
	const int64_t times[] = {1000, 2000};
	const int32_t offsets[] = {3600, 0};
	for (uint32_t capacity = 0; capacity < 262; capacity += capacity < 4 ? 1 : 43) {
		make(&made, times, offsets, 2, "\nAAA0BBB,M3.2.0,M11.1.0\n");
		made.db.transition_capacity = capacity;
		cr_assert_eq(add(&made), TZ_FULL, "%u", capacity);
		cr_assert_eq(made.db.transition_count, 0);
		cr_assert_eq(made.db.zone_count, 0);
	}
	make(&made, times, offsets, 2, "\n\n");
	made.db.zone_capacity = 0;
	cr_assert_eq(add(&made), TZ_FULL);
}
