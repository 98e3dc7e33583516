#include "tools/keyrack/type_words.h"

#include <string.h>

#include "tools/keyrack/cli.h"
#include "tools/keyrack/value.h"

#define COUNT_MAX 65535u

enum put_key {
	PUT_CODE = CLI_KEY_OWN,
	PUT_STATUS,
	PUT_PHYSICAL,
	PUT_OUT_OF_ORDER,
	PUT_ALLOWANCE,
	PUT_CAP,
	PUT_GUESTS_MAX,
	PUT_PLAN_STATUS,
	PUT_ADVANCE_MIN,
	PUT_ADVANCE_MAX,
	PUT_CLEAR,
	PUT_EXPECT_VERSION,
};

const struct argp_option type_words_options[] = {
	{"code", PUT_CODE, "TEXT", 0, "its text code, at most 32 bytes", 0},
	{"status", PUT_STATUS, "active|closed|retired", 0, "whether it is sold", 0},
	{"physical", PUT_PHYSICAL, "N", 0, "rooms that exist", 0},
	{"out-of-order", PUT_OUT_OF_ORDER, "N", 0, "rooms taken off sale", 0},
	{"allowance", PUT_ALLOWANCE, "N|P%", 0, "overbooking, in rooms or percent", 0},
	{"cap", PUT_CAP, "N", 0, "explicit limit, whatever the three above say", 0},
	{"guests-max", PUT_GUESTS_MAX, "N", 0, "guests a room (0: no limit)", 0},
	{"plan-status", PUT_PLAN_STATUS, "active|closed|retired", 0, "of its rate plan 0", 0},
	{"advance-min", PUT_ADVANCE_MIN, "TIME", 0, "no sale later than so long before check-in",
		0},
	{"advance-max", PUT_ADVANCE_MAX, "TIME", 0, "no sale earlier than that", 0},
	{"clear", PUT_CLEAR, "NAME[,NAME]", 0,
		"take physical, out-of-order, allowance or cap back to \"not set\"", 0},
	{"expect-version", PUT_EXPECT_VERSION, "V", 0, "refuse if the version is another", 0},
	{0},
};

static int count_read(const char *arg, uint32_t *ret, struct kr_error_text *error)
{
	uint64_t number = 0;
	int r = value_u64(arg, (struct value_range){0, COUNT_MAX}, &number, error);
	*ret = (uint32_t)number;
	return r;
}

static int signed_read(const char *arg, int32_t *ret, struct kr_error_text *error)
{
	int64_t number = 0;
	int r = value_i64(arg, &number, error);
	if (r == 0 && (number < INT32_MIN || number > INT32_MAX))
		return kr_error_text_set(error, -KR_E_INVALID, 0, "\"%s\" is too large", arg);
	*ret = (int32_t)number;
	return r;
}

static int allowance_read(
	struct keyrack_type_settings *settings, const char *arg, struct kr_error_text *error)
{
	size_t length = strlen(arg);
	int64_t points = 0;
	int r;
	settings->allowance_unit = KEYRACK_ALLOWANCE_ROOMS;
	if (length == 0 || arg[length - 1] != '%')
		return signed_read(arg, &settings->allowance, error);
	settings->allowance_unit = KEYRACK_ALLOWANCE_BASIS_POINTS;
	r = value_percent(arg, &points, error);
	settings->allowance = (int32_t)points;
	return r;
}

static int clear_read(const char *arg, uint32_t *mask, struct kr_error_text *error)
{
	static const struct {
		const char *name;
		uint32_t bit;
	} names[] = {{"physical", KEYRACK_TYPE_PHYSICAL},
		{"out-of-order", KEYRACK_TYPE_OUT_OF_ORDER}, {"allowance", KEYRACK_TYPE_ALLOWANCE},
		{"cap", KEYRACK_TYPE_CAP}};
	struct value_pair pair;
	while (value_pair_next(&arg, &pair, error)) {
		uint32_t bit = 0;
		for (size_t i = 0; i < KR_ARRAY_COUNT(names); i++)
			if (strcmp(names[i].name, pair.key) == 0 && !pair.has_value)
				bit = names[i].bit;
		if (bit == 0)
			return kr_error_text_set(error, -KR_E_INVALID, 0,
				"\"%s\" cannot be cleared; physical, out-of-order, allowance and "
				"cap can",
				pair.key);
		*mask |= bit;
	}
	return error->error;
}

int type_words_set(void *options, int key, const char *arg, struct kr_error_text *error)
{
	struct keyrack_type_put *put = options;
	struct keyrack_type_settings *settings = &put->settings;
	switch ((enum put_key)key) {
	case PUT_CODE:
		put->mask |= KEYRACK_TYPE_CODE;
		settings->code = arg;
		return 0;
	case PUT_STATUS:
		put->mask |= KEYRACK_TYPE_STATUS;
		return value_status(arg, &settings->status, error);
	case PUT_PHYSICAL:
		put->mask |= KEYRACK_TYPE_PHYSICAL;
		return count_read(arg, &settings->physical, error);
	case PUT_OUT_OF_ORDER:
		put->mask |= KEYRACK_TYPE_OUT_OF_ORDER;
		return count_read(arg, &settings->out_of_order, error);
	case PUT_ALLOWANCE:
		put->mask |= KEYRACK_TYPE_ALLOWANCE | KEYRACK_TYPE_ALLOWANCE_UNIT;
		return allowance_read(settings, arg, error);
	case PUT_CAP:
		put->mask |= KEYRACK_TYPE_CAP;
		return signed_read(arg, &settings->cap, error);
	case PUT_GUESTS_MAX:
		put->mask |= KEYRACK_TYPE_GUESTS_MAX;
		return count_read(arg, &settings->guests_max, error);
	case PUT_PLAN_STATUS:
		put->mask |= KEYRACK_TYPE_PLAN_STATUS;
		return value_status(arg, &settings->plan_status, error);
	case PUT_ADVANCE_MIN:
		put->mask |= KEYRACK_TYPE_ADVANCE_MIN;
		return value_minutes(arg, &settings->advance_min_minutes, error);
	case PUT_ADVANCE_MAX:
		put->mask |= KEYRACK_TYPE_ADVANCE_MAX;
		return value_minutes(arg, &settings->advance_max_minutes, error);
	case PUT_CLEAR:
		return clear_read(arg, &put->clear_mask, error);
	case PUT_EXPECT_VERSION:
		put->has_expected_version = true;
		return value_u64(
			arg, (struct value_range){0, UINT64_MAX}, &put->expected_version, error);
	}
	kr_unreachable();
}
