#include "base/tz.h"

#include <string.h>

#include "base/civil.h"

#define DAY_S 86400
#define HEADER_SIZE 44u
#define EXPAND_FIRST_YEAR 1970

static uint32_t load_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t load_be64(const uint8_t *p)
{
	return (int64_t)((uint64_t)load_be32(p) << 32 | load_be32(p + 4));
}

/* The six counts of a TZif header, and where each part of the block behind it begins. */
struct block {
	uint32_t isut_count, isstd_count, leap_count, time_count, type_count, char_count;
	const uint8_t *times, *indices, *types;
	size_t size_bytes; /* header included */
};

/* RFC 8536 section 3.1; a time is 4 bytes in the first block and 8 in the second. */
static bool block_read(const uint8_t *bytes, size_t size, size_t time_size, struct block *ret)
{
	if (size < HEADER_SIZE || memcmp(bytes, "TZif", 4) != 0 || bytes[4] < '2')
		return false;
	struct block b = {
		.isut_count = load_be32(bytes + 20),
		.isstd_count = load_be32(bytes + 24),
		.leap_count = load_be32(bytes + 28),
		.time_count = load_be32(bytes + 32),
		.type_count = load_be32(bytes + 36),
		.char_count = load_be32(bytes + 40),
	};
	const uint32_t count_max = 1u << 16;
	if (b.isut_count > count_max || b.isstd_count > count_max || b.leap_count > count_max ||
		b.time_count > count_max || b.type_count > 256 || b.type_count == 0 ||
		b.char_count > count_max)
		return false;
	b.size_bytes = HEADER_SIZE + b.time_count * (time_size + 1) + b.type_count * 6 +
		       b.char_count + b.leap_count * (time_size + 4) + b.isstd_count + b.isut_count;
	if (b.size_bytes > size)
		return false;
	b.times = bytes + HEADER_SIZE;
	b.indices = b.times + b.time_count * time_size;
	b.types = b.indices + b.time_count;
	*ret = b;
	return true;
}

/* One end of daylight saving time in a POSIX rule: Mm.w.d, Jn or n, and the local time of day. */
struct rule {
	char kind; /* 'M', 'J' or '0' */
	int month, week, weekday, day;
	int32_t time_s;
};

struct footer {
	int32_t standard_s, daylight_s; /* offsets east of UTC */
	bool has_daylight;
	struct rule start, end;
};

struct text {
	const char *at, *end;
};

static bool text_take(struct text *t, char c)
{
	if (t->at == t->end || *t->at != c)
		return false;
	t->at++;
	return true;
}

static bool text_number(struct text *t, int max, int *ret)
{
	const char *start = t->at;
	int value = 0;
	while (t->at < t->end && *t->at >= '0' && *t->at <= '9' && value <= max)
		value = value * 10 + (*t->at++ - '0');
	*ret = value;
	return t->at > start && value <= max;
}

/* [+-]h[hh][:mm[:ss]] in seconds. Hours may reach 167 in rules (RFC 8536 section 3.3.1). */
static bool text_time(struct text *t, int32_t *ret)
{
	int sign = 1;
	if (text_take(t, '-'))
		sign = -1;
	else
		(void)text_take(t, '+');
	int hours, minutes = 0, seconds = 0;
	if (!text_number(t, 167, &hours))
		return false;
	if (text_take(t, ':') && !text_number(t, 59, &minutes))
		return false;
	if (text_take(t, ':') && !text_number(t, 59, &seconds))
		return false;
	*ret = sign * (hours * 3600 + minutes * 60 + seconds);
	return true;
}

/* An abbreviation: letters, or anything between angle brackets. */
static bool text_name(struct text *t)
{
	const char *start = t->at;
	if (text_take(t, '<')) {
		while (t->at < t->end && *t->at != '>')
			t->at++;
		return text_take(t, '>');
	}
	while (t->at < t->end &&
		((*t->at >= 'A' && *t->at <= 'Z') || (*t->at >= 'a' && *t->at <= 'z')))
		t->at++;
	return t->at - start >= 3;
}

static bool text_rule(struct text *t, struct rule *ret)
{
	struct rule r = {.kind = '0', .time_s = 2 * 3600};
	if (text_take(t, 'M')) {
		r.kind = 'M';
		if (!text_number(t, 12, &r.month) || !text_take(t, '.') ||
			!text_number(t, 5, &r.week) || !text_take(t, '.') ||
			!text_number(t, 6, &r.weekday) || r.month == 0 || r.week == 0)
			return false;
	} else {
		if (text_take(t, 'J'))
			r.kind = 'J';
		if (!text_number(t, r.kind == 'J' ? 365 : 366, &r.day))
			return false;
	}
	if (text_take(t, '/') && !text_time(t, &r.time_s))
		return false;
	*ret = r;
	return true;
}

/* The line after the second block, between newlines. Empty: no rule, the last type goes on. */
static bool footer_read(const char *bytes, size_t size, struct footer *ret, bool *ret_is_empty)
{
	struct text t = {bytes, bytes + size};
	struct footer f = {0};
	*ret_is_empty = false;
	if (!text_take(&t, '\n'))
		return false;
	if (text_take(&t, '\n')) {
		*ret_is_empty = true;
		return true;
	}
	int32_t west;
	if (!text_name(&t) || !text_time(&t, &west))
		return false;
	f.standard_s = -west;
	if (!text_take(&t, '\n')) {
		f.has_daylight = true;
		f.daylight_s = f.standard_s + 3600;
		if (!text_name(&t))
			return false;
		if (t.at < t.end && *t.at != ',') {
			if (!text_time(&t, &west))
				return false;
			f.daylight_s = -west;
		}
		if (!text_take(&t, ',') || !text_rule(&t, &f.start) || !text_take(&t, ',') ||
			!text_rule(&t, &f.end) || !text_take(&t, '\n'))
			return false;
	}
	*ret = f;
	return true;
}

/* The day of the year a rule names. */
static int32_t rule_day(const struct rule *rule, int year)
{
	const int32_t first =
		civil_day_from_date((struct civil_date){.year = year, .month = 1, .day = 1});
	if (rule->kind == '0')
		return first + rule->day;
	if (rule->kind == 'J') /* February 29 is never counted */
		return first + rule->day - 1 + (civil_year_is_leap(year) && rule->day > 59);
	const int32_t month = civil_day_from_date(
		(struct civil_date){.year = year, .month = (uint8_t)rule->month, .day = 1});
	/* civil weeks begin on Monday, POSIX ones on Sunday */
	const int weekday = ((int)civil_weekday_of(month) + 1) % 7;
	int32_t day = (rule->weekday - weekday + 7) % 7 + (rule->week - 1) * 7;
	while (day >= civil_month_length(year, (uint8_t)rule->month))
		day -= 7;
	return month + day;
}

static bool transition_push(struct tz_db *db, int64_t at_s, int32_t offset_s)
{
	if (db->transition_count == db->transition_capacity)
		return false;
	db->transitions[db->transition_count++] = (struct tz_transition){at_s, offset_s};
	return true;
}

/* Both changes of a year, earlier first, as far as they lie after what the file itself lists. */
static bool footer_expand(struct tz_db *db, uint32_t first, const struct footer *f, int year)
{
	const int64_t start =
		(int64_t)rule_day(&f->start, year) * DAY_S + f->start.time_s - f->standard_s;
	const int64_t end =
		(int64_t)rule_day(&f->end, year) * DAY_S + f->end.time_s - f->daylight_s;
	struct tz_transition pair[2] = {{start, f->daylight_s}, {end, f->standard_s}};
	if (end < start) {
		pair[0] = (struct tz_transition){end, f->standard_s};
		pair[1] = (struct tz_transition){start, f->daylight_s};
	}
	for (int i = 0; i < 2; i++) {
		kr_assert(db->transition_count > first);
		if (pair[i].at_s > db->transitions[db->transition_count - 1].at_s &&
			!transition_push(db, pair[i].at_s, pair[i].offset_s))
			return false;
	}
	return true;
}

/* What the file lists, from 1970 on; the state at 1970 stands for all time before. */
static int times_add(struct tz_db *db, const struct block *b)
{
	int32_t offset = (int32_t)load_be32(b->types);
	uint32_t i = 0;
	for (; i < b->time_count && load_be64(b->times + (size_t)i * 8) <= 0; i++) {
		if (b->indices[i] >= b->type_count)
			return TZ_MALFORMED;
		offset = (int32_t)load_be32(b->types + (size_t)b->indices[i] * 6);
	}
	if (!transition_push(db, INT64_MIN, offset))
		return TZ_FULL;
	for (; i < b->time_count; i++) {
		const int64_t at = load_be64(b->times + (size_t)i * 8);
		if (b->indices[i] >= b->type_count ||
			at <= db->transitions[db->transition_count - 1].at_s)
			return TZ_MALFORMED;
		offset = (int32_t)load_be32(b->types + (size_t)b->indices[i] * 6);
		if (!transition_push(db, at, offset))
			return TZ_FULL;
	}
	return 0;
}

static int zone_add(
	struct tz_db *db, uint32_t first, const struct block *b, const char *rest, size_t rest_size)
{
	struct footer f = {0};
	bool is_empty;
	if (!footer_read(rest, rest_size, &f, &is_empty))
		return TZ_MALFORMED;
	const int r = times_add(db, b);
	if (r != 0 || is_empty)
		return r;
	if (!f.has_daylight)
		return 0;
	for (int year = EXPAND_FIRST_YEAR; year <= TZ_LAST_YEAR; year++)
		if (!footer_expand(db, first, &f, year))
			return TZ_FULL;
	return 0;
}

static bool offsets_are_sane(const struct tz_db *db, uint32_t first)
{
	for (uint32_t i = first; i < db->transition_count; i++)
		if (db->transitions[i].offset_s < -26 * 3600 ||
			db->transitions[i].offset_s > 26 * 3600)
			return false;
	return true;
}

int tz_db_add(struct tz_db *db, const char *name, const void *bytes, size_t size_bytes)
{
	const uint8_t *p = bytes;
	const size_t name_size = strlen(name);
	struct block old, now;
	kr_assert(db->zone_count <= db->zone_capacity);
	kr_assert(db->transition_count <= db->transition_capacity);
	if (name_size == 0 || name_size >= TZ_NAME_SIZE_MAX || !block_read(p, size_bytes, 4, &old))
		return TZ_MALFORMED;
	p += old.size_bytes;
	size_bytes -= old.size_bytes;
	if (!block_read(p, size_bytes, 8, &now))
		return TZ_MALFORMED;
	if (db->zone_count == db->zone_capacity)
		return TZ_FULL;
	const uint32_t first = db->transition_count;
	int r = zone_add(
		db, first, &now, (const char *)p + now.size_bytes, size_bytes - now.size_bytes);
	if (r == 0 && !offsets_are_sane(db, first))
		r = TZ_MALFORMED;
	if (r != 0) {
		db->transition_count = first;
		return r;
	}
	struct tz_zone *zone = &db->zones[db->zone_count++];
	memset(zone, 0, sizeof(*zone));
	memcpy(zone->name, name, name_size);
	zone->first = first;
	zone->count = db->transition_count - first;
	kr_assert(zone->count > 0);
	return 0;
}

/* By insertion: a few hundred zones, once. */
void tz_db_sort(struct tz_db *db)
{
	kr_assert(db->zone_count <= db->zone_capacity);
	for (uint32_t i = 1; i < db->zone_count; i++) {
		const struct tz_zone moving = db->zones[i];
		uint32_t j = i;
		for (; j > 0 && strcmp(db->zones[j - 1].name, moving.name) > 0; j--)
			db->zones[j] = db->zones[j - 1];
		db->zones[j] = moving;
	}
}

uint16_t tz_find(const struct tz_db *db, const char *name, size_t name_size_bytes)
{
	uint32_t low = 0, high = db->zone_count;
	kr_assert(high <= TZ_ZONES_MAX);
	if (name_size_bytes == 0 || name_size_bytes >= TZ_NAME_SIZE_MAX)
		return TZ_ZONE_NONE;
	while (low < high) {
		const uint32_t middle = (low + high) / 2;
		const char *other = db->zones[middle].name;
		int order = strncmp(other, name, name_size_bytes);
		if (order == 0 && other[name_size_bytes] != 0)
			order = 1;
		if (order == 0)
			return (uint16_t)middle;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return TZ_ZONE_NONE;
}

/* The transition in force at an instant. */
static const struct tz_transition *in_force(const struct tz_db *db, uint16_t zone, int64_t unix_s)
{
	kr_assert(zone < db->zone_count);
	const struct tz_zone *z = &db->zones[zone];
	const struct tz_transition *t = &db->transitions[z->first];
	uint32_t low = 0, high = z->count;
	while (high - low > 1) {
		const uint32_t middle = (low + high) / 2;
		if (t[middle].at_s <= unix_s)
			low = middle;
		else
			high = middle;
	}
	return &t[low];
}

int32_t tz_offset_s(const struct tz_db *db, uint16_t zone, int64_t unix_s)
{
	return in_force(db, zone, unix_s)->offset_s;
}

int64_t tz_local_to_unix_s(const struct tz_db *db, uint16_t zone, int32_t day, int32_t minute)
{
	kr_assert(minute >= 0 && minute < 48 * 60);
	const int64_t local = (int64_t)day * DAY_S + (int64_t)minute * 60;
	const struct tz_zone *z = &db->zones[zone];
	const struct tz_transition *end = &db->transitions[z->first + z->count];
	/* No offset exceeds 26 hours: the answer lies at or after this transition's era. */
	for (const struct tz_transition *t = in_force(db, zone, local - 26 * 3600);; t++) {
		const int64_t at = local - t->offset_s;
		if (t + 1 == end || at < t[1].at_s)
			return at < t->at_s ? t->at_s : at; /* before its era: a gap */
	}
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

int32_t tz_day_of(const struct tz_db *db, uint16_t zone, int64_t unix_s, int32_t roll_minute)
{
	kr_assert(roll_minute >= 0 && roll_minute < 24 * 60);
	const int64_t local = unix_s + tz_offset_s(db, zone, unix_s);
	int32_t day = (int32_t)floor_div(local, DAY_S);
	/* By instants, not by subtracting minutes: the roll may fall into a gap or an overlap. */
	while (unix_s < tz_local_to_unix_s(db, zone, day, roll_minute))
		day--;
	while (unix_s >= tz_local_to_unix_s(db, zone, day + 1, roll_minute))
		day++;
	return day;
}
