#include "tools/keyrack-recover_time.h"

#include <stdio.h>
#include <string.h>

#include "base/civil.h"

#define SECOND_US INT64_C(1000000)
#define MINUTE_US (60 * SECOND_US)
#define HOUR_US (60 * MINUTE_US)

void recover_time_format(uint64_t t_us, char ret_text[static RECOVER_TIME_SIZE])
{
	char date[CIVIL_DATE_TEXT_SIZE];
	int32_t day = civil_day_of_us((int64_t)t_us);
	uint64_t us = (uint64_t)civil_us_in_day((int64_t)t_us);
	civil_day_format(day > CIVIL_DAY_MAX ? CIVIL_DAY_MAX : day, date);
	snprintf(ret_text, RECOVER_TIME_SIZE, "%sT%02u:%02u:%02u.%06uZ", date,
		(unsigned)(us / 3600000000u % 24), (unsigned)(us / 60000000 % 60),
		(unsigned)(us / 1000000 % 60), (unsigned)(us % 1000000));
	kr_assert(us < (uint64_t)CIVIL_DAY_US);
}

/* Two digits and, unless it is 0, the character behind them; -1: they are not there. */
static int pair_read(const char **at, char behind, int max)
{
	const char *p = *at;
	kr_assert(max > 0 && max < 100);
	if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
		return -1;
	int value = (p[0] - '0') * 10 + (p[1] - '0');
	if (value > max || (behind != 0 && p[2] != behind))
		return -1;
	*at = p + (behind != 0 ? 3 : 2);
	return value;
}

/* ".5" is half a second; what is finer than a microsecond is no instant of the log. -1: bad. */
static int64_t fraction_read(const char **at)
{
	int64_t us = 0, unit = SECOND_US / 10;
	const char *p = *at;
	if (*p != '.')
		return 0;
	for (p++; *p >= '0' && *p <= '9'; p++) {
		if (unit == 0)
			return -1;
		us += (*p - '0') * unit;
		unit /= 10;
	}
	if (p == *at + 1)
		return -1;
	*at = p;
	kr_assert(us >= 0 && us < SECOND_US);
	return us;
}

/* To the end of the text. 0: read. */
static int zone_read(const char *at, int64_t *ret_offset_us)
{
	*ret_offset_us = 0;
	kr_assert(at != NULL);
	if ((*at == 'Z' || *at == 'z') && at[1] == '\0')
		return 0;
	if (*at != '+' && *at != '-')
		return RECOVER_TIME_MALFORMED;
	bool is_west = *at++ == '-';
	int hours = pair_read(&at, ':', 23);
	int minutes = hours < 0 ? -1 : pair_read(&at, 0, 59);
	if (minutes < 0 || *at != '\0')
		return RECOVER_TIME_MALFORMED;
	int64_t offset = hours * HOUR_US + minutes * MINUTE_US;
	*ret_offset_us = is_west ? -offset : offset;
	return 0;
}

int recover_time_parse(const char *text, uint64_t *ret_t_us)
{
	int32_t day;
	int64_t offset_us;
	size_t length = strlen(text);
	kr_assert(ret_t_us != NULL);
	if (length <= CIVIL_DATE_TEXT_LENGTH ||
		civil_day_parse(text, CIVIL_DATE_TEXT_LENGTH, &day) != 0)
		return RECOVER_TIME_MALFORMED;
	const char *at = text + CIVIL_DATE_TEXT_LENGTH;
	if (*at != 'T' && *at != 't' && *at != ' ')
		return RECOVER_TIME_MALFORMED;
	at++;
	int hour = pair_read(&at, ':', 23);
	int minute = hour < 0 ? -1 : pair_read(&at, ':', 59);
	int second = minute < 0 ? -1 : pair_read(&at, 0, 60);
	int64_t fraction_us = second < 0 ? -1 : fraction_read(&at);
	if (fraction_us < 0 || zone_read(at, &offset_us) != 0)
		return RECOVER_TIME_MALFORMED;
	int64_t t_us = day * CIVIL_DAY_US + hour * HOUR_US + minute * MINUTE_US +
		       second * SECOND_US + fraction_us - offset_us;
	if (t_us < 0)
		return RECOVER_TIME_MALFORMED;
	*ret_t_us = (uint64_t)t_us;
	return 0;
}
