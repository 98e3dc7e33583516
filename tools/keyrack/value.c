#include "tools/keyrack/value.h"

#include <string.h>

#include "proto/slot.h"

#define WRONG(error, ...) kr_error_text_set(error, -KR_E_INVALID, 0, __VA_ARGS__)
#define MINUTE_US UINT64_C(60000000)

static bool digits_read(const char *text, size_t length, uint64_t *ret_value)
{
	uint64_t value = 0;
	kr_assert(text != NULL && ret_value != NULL);
	if (length == 0)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		if (__builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, (uint64_t)(text[i] - '0'), &value))
			return false;
	}
	*ret_value = value;
	return true;
}

int value_u64(const char *text, struct value_range range, uint64_t *ret_value,
	struct kr_error_text *error)
{
	uint64_t value;
	kr_assert(range.first <= range.last);
	if (!digits_read(text, strlen(text), &value) || value < range.first || value > range.last)
		return WRONG(error, "\"%s\" is no whole number from %llu to %llu", text,
			(unsigned long long)range.first, (unsigned long long)range.last);
	*ret_value = value;
	return 0;
}

int value_i64(const char *text, int64_t *ret_value, struct kr_error_text *error)
{
	bool negative = text[0] == '-';
	const char *digits = text + (text[0] == '-' || text[0] == '+');
	uint64_t value;
	kr_assert(ret_value != NULL);
	if (!digits_read(digits, strlen(digits), &value) || value > INT64_MAX)
		return WRONG(error, "\"%s\" is no whole number", text);
	*ret_value = negative ? -(int64_t)value : (int64_t)value;
	return 0;
}

int value_bool(const char *text, bool *ret_value, struct kr_error_text *error)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = {{"yes", true}, {"no", false}, {"true", true}, {"false", false}, {"on", true},
		{"off", false}, {"1", true}, {"0", false}};
	for (size_t i = 0; i < KR_ARRAY_COUNT(words); i++)
		if (strcmp(text, words[i].word) == 0) {
			*ret_value = words[i].value;
			return 0;
		}
	return WRONG(error, "\"%s\" is neither yes nor no", text);
}

int value_duration(const char *text, uint64_t *ret_us, struct kr_error_text *error)
{
	static const struct {
		const char *unit;
		uint64_t us;
	} units[] = {{"us", 1}, {"ms", 1000}, {"s", 1000000}, {"m", 60 * UINT64_C(1000000)},
		{"h", 3600 * UINT64_C(1000000)}, {"d", 86400 * UINT64_C(1000000)}};
	size_t length = strspn(text, "0123456789");
	uint64_t value;
	if (!digits_read(text, length, &value))
		return WRONG(error, "\"%s\" is no length of time; write 90s, 15m or 2h", text);
	for (size_t i = 0; i < KR_ARRAY_COUNT(units); i++) {
		if (strcmp(text + length, units[i].unit) != 0)
			continue;
		if (__builtin_mul_overflow(value, units[i].us, &value))
			return WRONG(error, "\"%s\" is too long a time", text);
		*ret_us = value;
		return 0;
	}
	return WRONG(error, "\"%s\" needs a unit: us, ms, s, m, h or d, as in 90s", text);
}

int value_minutes(const char *text, uint32_t *ret_minutes, struct kr_error_text *error)
{
	uint64_t us = 0;
	int r = value_duration(text, &us, error);
	if (r < 0)
		return r;
	if (us % MINUTE_US != 0 || us / MINUTE_US > UINT32_MAX)
		return WRONG(error, "\"%s\" is no whole minutes", text);
	*ret_minutes = (uint32_t)(us / MINUTE_US);
	return 0;
}

int value_clock(const char *text, uint32_t *ret_minute, struct kr_error_text *error)
{
	uint64_t hour;
	uint64_t minute;
	if (strlen(text) != 5 || text[2] != ':' || !digits_read(text, 2, &hour) ||
		!digits_read(text + 3, 2, &minute) || hour > 23 || minute > 59)
		return WRONG(error, "\"%s\" is no time of day; write 04:00", text);
	*ret_minute = (uint32_t)(hour * 60 + minute);
	return 0;
}

int value_percent(const char *text, int64_t *ret_basis_points, struct kr_error_text *error)
{
	const char *digits = text + (text[0] == '-' || text[0] == '+');
	size_t whole_length = strspn(digits, "0123456789");
	size_t part_length = 0;
	uint64_t whole;
	uint64_t part = 0;
	const char *rest = digits + whole_length;
	if (*rest == '.') {
		part_length = strspn(++rest, "0123456789");
		if (part_length == 0 || part_length > 2 || !digits_read(rest, part_length, &part))
			return WRONG(error, "\"%s\" has at most two decimals, as in 2.5%%", text);
		rest += part_length;
	}
	if (!digits_read(digits, whole_length, &whole) || whole > 1000000 || strcmp(rest, "%") != 0)
		return WRONG(error, "\"%s\" is no percentage; write 10%%", text);
	whole = whole * 100 + (part_length == 1 ? part * 10 : part);
	*ret_basis_points = text[0] == '-' ? -(int64_t)whole : (int64_t)whole;
	return 0;
}

static const char weekday_names[7][4] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

const char *value_weekday_name(uint32_t weekday)
{
	kr_assert(weekday < KR_ARRAY_COUNT(weekday_names));
	return weekday_names[weekday];
}

/* 0 to 6 of the first three letters at `text`, 7 if they name no day. */
static uint32_t weekday_read(const char *text)
{
	for (uint32_t day = 0; day < 7; day++)
		if (strncasecmp(text, weekday_names[day], 3) == 0)
			return day;
	return 7;
}

int value_weekdays(const char *text, uint32_t *ret_mask, struct kr_error_text *error)
{
	uint32_t mask = 0;
	const char *at = text;
	if (strcmp(text, "all") == 0) {
		*ret_mask = 0x7f;
		return 0;
	}
	for (;;) {
		uint32_t first = weekday_read(at);
		uint32_t last = first;
		at += first < 7 ? 3 : 0;
		if (first < 7 && *at == '-') {
			last = weekday_read(at + 1);
			at += last < 7 ? 4 : 0;
		}
		if (first == 7 || last == 7 || (*at != ',' && *at != '\0'))
			return WRONG(error,
				"\"%s\" is no list of weekdays; write mon,fri or mon-fri", text);
		/* fri-mon goes over the end of the week. */
		for (uint32_t day = first;; day = (day + 1) % 7) {
			mask |= 1u << day;
			if (day == last)
				break;
		}
		if (*at++ == '\0')
			break;
	}
	*ret_mask = mask;
	return 0;
}

static bool list_contains(const struct value_list *list, uint32_t number)
{
	for (uint32_t i = 0; i < list->count; i++)
		if (list->numbers[i] == number)
			return true;
	return false;
}

bool value_list_add(struct value_list *list, const char *text, size_t length, uint32_t last_number)
{
	const char *dash = memchr(text, '-', length);
	uint64_t first;
	uint64_t last;
	if (!digits_read(text, dash != NULL ? (size_t)(dash - text) : length, &first))
		return false;
	last = first;
	if (dash != NULL && !digits_read(dash + 1, length - (size_t)(dash + 1 - text), &last))
		return false;
	if (first > last || last > last_number || last - first >= VALUE_LIST_MAX - list->count)
		return false;
	for (uint64_t number = first; number <= last; number++) {
		if (list_contains(list, (uint32_t)number))
			return false;
		list->numbers[list->count++] = (uint32_t)number;
	}
	return true;
}

int value_list(
	const char *text, uint32_t last, struct value_list *ret_list, struct kr_error_text *error)
{
	ret_list->count = 0;
	if (strcmp(text, "all") == 0)
		return 0;
	for (const char *at = text;; at++) {
		size_t length = strcspn(at, ",");
		if (!value_list_add(ret_list, at, length, last))
			return WRONG(error,
				"\"%s\" is no list of numbers up to %u, each once, at most %u of "
				"them; write 0,1,5-9 or all",
				text, last, VALUE_LIST_MAX);
		at += length;
		if (*at == '\0')
			return 0;
	}
}

int value_hotel(const char *text, struct value_hotel *ret_hotel, struct kr_error_text *error)
{
	bool is_code = strncmp(text, "code:", 5) == 0;
	const char *code = is_code ? text + 5 : text;
	size_t length = strlen(code);
	uint64_t id;
	kr_assert(ret_hotel != NULL);
	if (length == 0 || length > VALUE_CODE_MAX)
		return WRONG(error,
			"\"%s\" names no hotel: give its number or its code of 1 to %u "
			"bytes",
			text, VALUE_CODE_MAX);
	memset(ret_hotel, 0, sizeof(*ret_hotel));
	if (!is_code && digits_read(code, length, &id)) {
		ret_hotel->id = id;
		return 0;
	}
	if (!is_code && strspn(code, "0123456789") == length)
		return WRONG(error, "\"%s\" is too large for a hotel's number", text);
	memcpy(ret_hotel->code, code, length);
	ret_hotel->id = hotel_id_of_code(code, (uint32_t)length).v;
	return 0;
}

int value_status(const char *text, uint32_t *ret_status, struct kr_error_text *error)
{
	static const char *const names[] = {"active", "closed", "retired"};
	for (uint32_t i = 0; i < KR_ARRAY_COUNT(names); i++)
		if (strcasecmp(text, names[i]) == 0) {
			*ret_status = i + 1;
			return 0;
		}
	return WRONG(error, "\"%s\" is no status: active, closed and retired are", text);
}

int value_id(const char *text, struct kr_id *ret_id, struct kr_error_text *error)
{
	char hyphened[KR_ID_TEXT_SIZE];
	size_t length = strlen(text);
	if (length == 32) {
		static const uint8_t groups[] = {8, 4, 4, 4, 12};
		size_t to = 0;
		size_t from = 0;
		for (size_t i = 0; i < KR_ARRAY_COUNT(groups); i++) {
			memcpy(hyphened + to, text + from, groups[i]);
			from += groups[i];
			to += groups[i];
			hyphened[to++] = '-';
		}
		kr_assert(from == 32 && to == KR_ID_TEXT_SIZE);
		text = hyphened;
		length = KR_ID_TEXT_LENGTH;
	}
	if (kr_id_parse(text, length, ret_id) != 0)
		return WRONG(error,
			"this is no id; one looks like 01890a5d-ac96-8774-b123-456789abcdef");
	return 0;
}

bool value_pair_next(const char **at, struct value_pair *ret_pair, struct kr_error_text *error)
{
	size_t length = strcspn(*at, ",");
	size_t key_length = strcspn(*at, "=,");
	size_t value_length;
	kr_error_text_clear(error);
	if (**at == '\0')
		return false;
	ret_pair->has_value = key_length < length;
	value_length = ret_pair->has_value ? length - key_length - 1 : 0;
	if (key_length == 0 || key_length >= sizeof(ret_pair->key) ||
		value_length >= sizeof(ret_pair->value)) {
		(void)WRONG(error, "\"%.*s\" is not of the form NAME=VALUE",
			(int)KR_MIN(length, 80u), *at);
		return false;
	}
	memcpy(ret_pair->key, *at, key_length);
	ret_pair->key[key_length] = '\0';
	memcpy(ret_pair->value, *at + length - value_length, value_length);
	ret_pair->value[value_length] = '\0';
	*at += length;
	if (**at == ',')
		(*at)++;
	return true;
}
