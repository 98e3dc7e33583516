#include "tools/keyrack/span.h"

#include <stdbool.h>
#include <string.h>

#include "base/civil.h"
#include "base/text.h"
#include "tools/keyrack/value.h"

#define WRONG(error, ...) kr_error_text_set(error, -KR_E_INVALID, 0, __VA_ARGS__)

/* Days that requests can carry. */
#define DAY_MIN (-32768)
#define DAY_MAX 65535

static int day_read(const char *text, size_t length, int32_t *ret_day, struct kr_error_text *error)
{
	int r = civil_day_parse(text, length, ret_day);
	kr_assert(r >= 0);
	if (r == CIVIL_NO_SUCH_DAY)
		return WRONG(error, "there is no day \"%.*s\"", (int)length, text);
	if (r != 0)
		return WRONG(error, "\"%.*s\" is no date; write 2026-12-30",
			(int)KR_MIN(length, (size_t)80), text);
	if (*ret_day < DAY_MIN || *ret_day > DAY_MAX)
		return WRONG(error, "%.*s is too far away", (int)length, text);
	return 0;
}

/* "A..B" into both days; "A" alone gives the same day twice and *ret_alone. */
static int days_read(
	const char *text, struct span *ret_days, bool *ret_alone, struct kr_error_text *error)
{
	const char *dots = strstr(text, "..");
	size_t length = dots != NULL ? (size_t)(dots - text) : strlen(text);
	int r = day_read(text, length, &ret_days->first_day, error);
	if (r < 0)
		return r;
	*ret_alone = dots == NULL;
	ret_days->end_day = ret_days->first_day;
	return dots == NULL ? 0 : day_read(dots + 2, strlen(dots + 2), &ret_days->end_day, error);
}

static int nights_check(struct span span, struct kr_error_text *error)
{
	kr_assert(span.first_day < span.end_day);
	if (span_nights(span) > SPAN_NIGHTS_MAX)
		return WRONG(error, "%u nights are more than a hotel's calendar has (%u)",
			span_nights(span), SPAN_NIGHTS_MAX);
	return 0;
}

int span_parse_stay(const char *text, struct span *ret_span, struct kr_error_text *error)
{
	struct span span;
	bool alone;
	int r = days_read(text, &span, &alone, error);
	if (r < 0)
		return r;
	if (alone)
		return WRONG(error, "a stay needs check-in and check-out, as in "
				    "2026-12-30..2027-01-02");
	if (span.first_day >= span.end_day)
		return WRONG(error, "the check-out has to be after the check-in");
	r = nights_check(span, error);
	if (r < 0)
		return r;
	*ret_span = span;
	return 0;
}

int span_parse_nights(const char *text, struct span *ret_span, struct kr_error_text *error)
{
	struct span span;
	bool alone;
	int r = days_read(text, &span, &alone, error);
	if (r < 0)
		return r;
	if (span.first_day > span.end_day)
		return WRONG(error, "the last night is before the first");
	span.end_day++;
	r = nights_check(span, error);
	if (r < 0)
		return r;
	*ret_span = span;
	return 0;
}

int span_parse_days(const char *text, bool *ret_has, int32_t *ret_first_day, int32_t *ret_last_day,
	struct kr_error_text *error)
{
	struct span span;
	int r = span_parse_nights(text, &span, error);
	if (r != 0)
		return r;
	kr_assert(span.end_day > span.first_day);
	*ret_has = true;
	*ret_first_day = span.first_day;
	*ret_last_day = span.end_day - 1;
	return 0;
}

void span_format_day(int32_t day, char ret_text[static SPAN_DAY_TEXT_SIZE])
{
	struct kr_text text;
	char date[CIVIL_DATE_TEXT_SIZE];
	civil_day_format(day, date);
	kr_text_init(&text, ret_text, SPAN_DAY_TEXT_SIZE);
	kr_text_format(&text, "%s %s", value_weekday_name((uint32_t)civil_weekday_of(day)), date);
	kr_assert(!text.is_cut);
}

static void nights_format(struct span span, const char *tail, struct kr_text *text)
{
	char first[SPAN_DAY_TEXT_SIZE];
	char last[SPAN_DAY_TEXT_SIZE];
	span_format_day(span.first_day, first);
	span_format_day(span.end_day - 1, last);
	if (span_nights(span) == 1)
		kr_text_format(text, "1 night, %s", first);
	else
		kr_text_format(text, "%u nights, %s to %s%s", span_nights(span), first, last, tail);
}

void span_format_stay(struct span span, char ret_text[static SPAN_TEXT_SIZE])
{
	struct kr_text text;
	char end[SPAN_DAY_TEXT_SIZE];
	span_format_day(span.end_day, end);
	kr_text_init(&text, ret_text, SPAN_TEXT_SIZE);
	nights_format(span, "", &text);
	kr_text_format(&text, ", check-out %s", end);
	kr_assert(!text.is_cut);
}

void span_format_nights(struct span span, char ret_text[static SPAN_TEXT_SIZE])
{
	struct kr_text text;
	kr_text_init(&text, ret_text, SPAN_TEXT_SIZE);
	nights_format(span, ", both included", &text);
	kr_assert(!text.is_cut);
}

void span_format_instant(uint64_t unix_us, char ret_text[static SPAN_INSTANT_TEXT_SIZE])
{
	struct kr_text text;
	char date[CIVIL_DATE_TEXT_SIZE];
	uint64_t day = unix_us / (uint64_t)CIVIL_DAY_US;
	uint32_t seconds = (uint32_t)(unix_us % (uint64_t)CIVIL_DAY_US / 1000000);
	civil_day_format((int32_t)KR_MIN(day, (uint64_t)CIVIL_DAY_MAX), date);
	kr_text_init(&text, ret_text, SPAN_INSTANT_TEXT_SIZE);
	kr_text_format(&text, "%s %02u:%02u:%02u UTC", date, seconds / 3600, seconds / 60 % 60,
		seconds % 60);
	kr_assert(!text.is_cut);
}
