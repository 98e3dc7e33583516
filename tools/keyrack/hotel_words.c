#include "tools/keyrack/hotel_words.h"

#include "tools/keyrack/cli.h"
#include "tools/keyrack/money.h"
#include "tools/keyrack/value.h"

#define CURRENCY_DIGITS_MAX 4u
#define COUNT_MAX UINT32_MAX

enum put_key {
	PUT_CODE = CLI_KEY_OWN,
	PUT_ZONE,
	PUT_CURRENCY,
	PUT_DIGITS,
	PUT_DAY_ROLL,
	PUT_CHECK_IN,
	PUT_NIGHTS_MAX,
	PUT_HOLD_TTL,
	PUT_HOLD_TTL_MAX,
	PUT_HOLD_TOTAL_MAX,
	PUT_HOLDS_MAX,
	PUT_GUEST_HOLDS_MAX,
	PUT_STATUS,
	PUT_EXPECT_VERSION,
};

const struct argp_option hotel_words_options[] = {
	{"code", PUT_CODE, "TEXT", 0, "the hotel's text code; its hash has to be HOTEL", 0},
	{"zone", PUT_ZONE, "NAME", 0, "time zone, such as Europe/Paris (a new hotel needs it)", 0},
	{"currency", PUT_CURRENCY, "CODE", 0, "ISO 4217, such as EUR (a new hotel needs it)", 0},
	{"digits", PUT_DIGITS, "N", 0, "decimals of the currency (by ISO 4217)", 0},
	{"day-roll", PUT_DAY_ROLL, "HH:MM", 0, "when the business date turns (04:00)", 0},
	{"check-in", PUT_CHECK_IN, "HH:MM", 0, "check-in time (15:00)", 0},
	{"nights-max", PUT_NIGHTS_MAX, "N", 0, "longest stay (365)", 0},
	{"hold-ttl", PUT_HOLD_TTL, "TIME", 0, "how long a hold lives (15m)", 0},
	{"hold-ttl-max", PUT_HOLD_TTL_MAX, "TIME", 0, "how long one may ask for (60m)", 0},
	{"hold-total-max", PUT_HOLD_TOTAL_MAX, "TIME", 0, "its whole life, extended (60m)", 0},
	{"holds-max", PUT_HOLDS_MAX, "N", 0, "live holds at a time (0: no cap)", 0},
	{"guest-holds-max", PUT_GUEST_HOLDS_MAX, "N", 0, "of one guest (0: no cap)", 0},
	{"status", PUT_STATUS, "active|closed|retired", 0, "whether it is sold", 0},
	{"expect-version", PUT_EXPECT_VERSION, "V", 0, "refuse if the version is another", 0},
	{0},
};

static int put_number(uint64_t last, const char *arg, uint32_t *ret, struct kr_error_text *error)
{
	uint64_t number = 0;
	int r = value_u64(arg, (struct value_range){0, last}, &number, error);
	*ret = (uint32_t)number;
	return r;
}

static int put_currency(struct keyrack_hotel_put *put, const char *arg, struct kr_error_text *error)
{
	if (!money_currency_is_valid(arg))
		return kr_error_text_set(
			error, -KR_E_INVALID, 0, "\"%s\" is no currency; write EUR", arg);
	put->settings.currency = arg;
	if ((put->mask & KEYRACK_HOTEL_CURRENCY_DIGITS) == 0)
		put->settings.currency_digits = money_currency_digits(arg);
	return 0;
}

int hotel_words_set(void *options, int key, const char *arg, struct kr_error_text *error)
{
	struct keyrack_hotel_put *put = options;
	struct keyrack_hotel_settings *settings = &put->settings;
	kr_assert(key >= PUT_CODE && key <= PUT_EXPECT_VERSION);
	/* The keys stand in the order of the mask's bits. */
	if (key <= PUT_STATUS)
		put->mask |= 1u << (key - PUT_CODE);
	switch ((enum put_key)key) {
	case PUT_CODE:
		settings->code = arg;
		return 0;
	case PUT_ZONE:
		settings->zone = arg;
		return 0;
	case PUT_CURRENCY:
		return put_currency(put, arg, error);
	case PUT_DIGITS:
		return put_number(CURRENCY_DIGITS_MAX, arg, &settings->currency_digits, error);
	case PUT_DAY_ROLL:
		return value_clock(arg, &settings->day_roll_minute, error);
	case PUT_CHECK_IN:
		return value_clock(arg, &settings->check_in_minute, error);
	case PUT_NIGHTS_MAX:
		return put_number(COUNT_MAX, arg, &settings->nights_max, error);
	case PUT_HOLD_TTL:
		return value_duration(arg, &settings->hold_ttl_us, error);
	case PUT_HOLD_TTL_MAX:
		return value_duration(arg, &settings->hold_ttl_max_us, error);
	case PUT_HOLD_TOTAL_MAX:
		return value_duration(arg, &settings->hold_total_max_us, error);
	case PUT_HOLDS_MAX:
		return put_number(COUNT_MAX, arg, &settings->holds_max, error);
	case PUT_GUEST_HOLDS_MAX:
		return put_number(COUNT_MAX, arg, &settings->guest_holds_max, error);
	case PUT_STATUS:
		return value_status(arg, &settings->status, error);
	case PUT_EXPECT_VERSION:
		put->has_expected_version = true;
		return value_u64(
			arg, (struct value_range){0, UINT64_MAX}, &put->expected_version, error);
	}
	kr_unreachable();
}
