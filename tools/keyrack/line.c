#include "tools/keyrack/line.h"

#include <string.h>

#include "tools/keyrack/value.h"

#define WRONG(error, ...) kr_error_text_set(error, -KR_E_INVALID, 0, __VA_ARGS__)

static int name_parse(
	const char *text, const char *what, struct line_name *ret_name, struct kr_error_text *error)
{
	size_t length = strlen(text);
	uint64_t number;
	kr_assert(ret_name != NULL);
	memset(ret_name, 0, sizeof(*ret_name));
	if (length > 0 && strspn(text, "0123456789") == length) {
		int r = value_u64(text, (struct value_range){0, LINE_TYPE_MAX}, &number, error);
		ret_name->number = r == 0 ? (uint32_t)number : 0;
		return r;
	}
	if (length == 0 || length > LINE_CODE_MAX)
		return WRONG(error, "\"%s\" names no %s: give its number or its code", text, what);
	memcpy(ret_name->code, text, length);
	return 0;
}

int line_type_parse(const char *text, struct line_name *ret_type, struct kr_error_text *error)
{
	kr_static_assert(LINE_PLAN_MAX == LINE_TYPE_MAX, "one range for both");
	return name_parse(text, "room type", ret_type, error);
}

int line_plan_parse(const char *text, struct line_name *ret_plan, struct kr_error_text *error)
{
	return name_parse(text, "rate plan", ret_plan, error);
}

/* "EUR 120.00" or "EUR 120.00*2". */
static int run_parse(const char *text, struct line_run *ret_run, struct kr_error_text *error)
{
	char price[MONEY_TEXT_SIZE];
	const char *star = strchr(text, '*');
	size_t length = star != NULL ? (size_t)(star - text) : strlen(text);
	uint64_t nights = 0;
	if (length >= sizeof(price))
		return WRONG(error, "\"%s\" is no price", text);
	memcpy(price, text, length);
	price[length] = '\0';
	if (star != NULL) {
		int r = value_u64(
			star + 1, (struct value_range){1, SPAN_NIGHTS_MAX}, &nights, error);
		if (r < 0)
			return r;
	}
	ret_run->nights = (uint32_t)nights;
	return money_parse(price, false, &ret_run->price, error);
}

static int runs_parse(struct line *line, const char *text, struct kr_error_text *error)
{
	char word[MONEY_TEXT_SIZE + 8];
	line->run_count = 0;
	for (;; text++) {
		size_t length = strcspn(text, "+");
		int r;
		if (length >= sizeof(word) || line->run_count == LINE_RUNS_MAX)
			return WRONG(error,
				"a line has at most %u runs of prices, as in "
				"EUR 120.00*2+EUR 140.00*1",
				LINE_RUNS_MAX);
		memcpy(word, text, length);
		word[length] = '\0';
		r = run_parse(word, &line->runs[line->run_count], error);
		if (r < 0)
			return r;
		line->run_count++;
		text += length;
		if (*text == '\0')
			return 0;
	}
}

static int count_set(const char *text, uint32_t *ret_count, struct kr_error_text *error)
{
	uint64_t value;
	int r = value_u64(text, (struct value_range){1, LINE_ROOMS_MAX}, &value, error);
	if (r == 0)
		*ret_count = (uint32_t)value;
	return r;
}

int line_set(struct line *line, const char *name, const char *value, struct kr_error_text *error)
{
	kr_assert(line != NULL && name != NULL);
	if (strcmp(name, "count-only") == 0) {
		line->is_count_only = true;
		return value == NULL || value[0] == '\0'
			       ? 0
			       : WRONG(error, "count-only takes no value");
	}
	if (value == NULL || value[0] == '\0')
		return WRONG(error, "%s needs a value", name);
	if (strcmp(name, "type") == 0) {
		line->has_type = true;
		return line_type_parse(value, &line->type, error);
	}
	if (strcmp(name, "plan") == 0) {
		line->has_plan = true;
		return line_plan_parse(value, &line->plan, error);
	}
	if (strcmp(name, "stay") == 0)
		return span_parse_stay(value, &line->stay, error);
	if (strcmp(name, "rooms") == 0)
		return count_set(value, &line->rooms, error);
	if (strcmp(name, "guests") == 0)
		return count_set(value, &line->guests, error);
	if (strcmp(name, "price") == 0)
		return runs_parse(line, value, error);
	if (strcmp(name, "of") == 0)
		return count_set(value, &line->of, error);
	return WRONG(error,
		"\"%s\" is no part of a line: type, plan, stay, rooms, guests, price, "
		"count-only, and for modify also of, are",
		name);
}

int line_parse(const char *text, struct line *ret_line, struct kr_error_text *error)
{
	struct value_pair pair;
	memset(ret_line, 0, sizeof(*ret_line));
	while (value_pair_next(&text, &pair, error)) {
		int r = line_set(ret_line, pair.key, pair.has_value ? pair.value : NULL, error);
		if (r < 0)
			return r;
	}
	return error->error;
}

int line_finish(struct line *line, struct kr_error_text *error)
{
	uint32_t nights = 0;
	if (!line->has_type)
		return WRONG(error, "the room type is missing: type=0");
	if (line->stay.first_day == line->stay.end_day)
		return WRONG(error, "the stay is missing: stay=2026-12-30..2027-01-02");
	if (line->is_count_only && line->run_count > 0)
		return WRONG(error, "count-only and price exclude each other");
	line->rooms = line->rooms == 0 ? 1 : line->rooms;
	line->guests = line->guests == 0 ? line->rooms : line->guests;
	if (line->run_count == 1 && line->runs[0].nights == 0)
		line->runs[0].nights = span_nights(line->stay);
	for (uint32_t i = 0; i < line->run_count; i++) {
		if (line->runs[i].nights == 0)
			return WRONG(error, "each of several prices needs its nights, as in "
					    "EUR 120.00*2+EUR 140.00*1");
		nights += line->runs[i].nights;
	}
	if (line->run_count > 0 && nights != span_nights(line->stay))
		return WRONG(error, "the prices are for %u nights, the stay has %u", nights,
			span_nights(line->stay));
	return 0;
}
