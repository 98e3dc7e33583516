#include "base/fault.h"

#include <string.h>

static const struct {
	const char *name;
	const char *text;
} points[FAULT_COUNT] = {
#define X(number, constant, point_name, point_text) [number] = {point_name, point_text},
	FAULT_TABLE(X)
#undef X
};

void fault_set_init(struct fault_set *set)
{
	kr_assert(set != NULL);
	memset(set, 0, sizeof(*set));
}

void fault_arm(struct fault_set *set, enum fault_point point, uint64_t nth, bool is_lasting)
{
	kr_assert((unsigned)point < FAULT_COUNT);
	kr_assert(nth > 0);
	set->countdown[point] = nth;
	set->is_lasting[point] = is_lasting;
}

void fault_disarm(struct fault_set *set, enum fault_point point)
{
	kr_assert((unsigned)point < FAULT_COUNT);
	set->countdown[point] = 0;
	set->is_lasting[point] = false;
}

bool fault_fires(struct fault_set *set, enum fault_point point)
{
	kr_assert((unsigned)point < FAULT_COUNT);
	if (KR_LIKELY(set == NULL))
		return false;
	set->passed_count[point]++;
	if (set->countdown[point] == 0)
		return false;
	if (set->countdown[point] > 1) {
		set->countdown[point]--;
		return false;
	}
	if (!set->is_lasting[point])
		set->countdown[point] = 0;
	set->fired_count[point]++;
	return true;
}

const char *fault_name(enum fault_point point)
{
	kr_assert((unsigned)point < FAULT_COUNT);
	return points[point].name;
}

const char *fault_text(enum fault_point point)
{
	kr_assert((unsigned)point < FAULT_COUNT);
	return points[point].text;
}

static bool find(const char *name, size_t length, enum fault_point *ret_point)
{
	kr_assert(name != NULL);
	for (uint32_t i = 0; i < FAULT_COUNT; i++) {
		if (strlen(points[i].name) == length && memcmp(points[i].name, name, length) == 0) {
			*ret_point = (enum fault_point)i;
			return true;
		}
	}
	return false;
}

#define NTH_DIGITS_MAX 9u

/* "nth" or "nth+", all of it. */
static int parse_count(const char *text, size_t length, uint64_t *ret_nth, bool *ret_is_lasting)
{
	kr_assert(text != NULL);
	bool is_lasting = length > 0 && text[length - 1] == '+';
	uint64_t nth = 0;
	length -= is_lasting;
	if (length == 0 || length > NTH_DIGITS_MAX)
		return FAULT_MALFORMED;
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return FAULT_MALFORMED;
		nth = nth * 10 + (uint64_t)(text[i] - '0');
	}
	if (nth == 0)
		return FAULT_MALFORMED;
	*ret_nth = nth;
	*ret_is_lasting = is_lasting;
	return 0;
}

static int parse_one(struct fault_set *set, const char *text, size_t length)
{
	kr_assert(set != NULL);
	kr_assert(text != NULL);
	enum fault_point point;
	uint64_t nth;
	bool is_lasting;
	const char *colon = length == 0 ? NULL : memchr(text, ':', length);
	if (colon == NULL)
		return FAULT_MALFORMED;
	size_t name_length = (size_t)(colon - text);
	if (!find(text, name_length, &point))
		return FAULT_UNKNOWN_NAME;
	int r = parse_count(colon + 1, length - name_length - 1, &nth, &is_lasting);
	if (r == 0)
		fault_arm(set, point, nth, is_lasting);
	return r;
}

int fault_set_parse(struct fault_set *set, const char *text, size_t length)
{
	kr_assert(set != NULL);
	kr_assert(text != NULL);
	struct fault_set armed = *set;
	const char *end = text + length;
	for (;;) {
		const char *comma = text == end ? NULL : memchr(text, ',', (size_t)(end - text));
		const char *stop = comma == NULL ? end : comma;
		int r = parse_one(&armed, text, (size_t)(stop - text));
		if (r != 0)
			return r;
		if (comma == NULL)
			break;
		text = comma + 1;
	}
	*set = armed;
	return 0;
}
