#include "tools/keyrack/money.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define WRONG(error, ...) kr_error_text_set(error, -KR_E_INVALID, 0, __VA_ARGS__)

/* ISO 4217: those that have not two decimals. */
static const char currencies_of_0[][4] = {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW",
	"PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"};
static const char currencies_of_3[][4] = {"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"};
static const char currencies_of_4[][4] = {"CLF", "UYW"};

static bool is_listed(const char (*list)[4], size_t count, const char *currency)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i], currency) == 0)
			return true;
	return false;
}

uint32_t money_currency_digits(const char *currency)
{
	kr_assert(money_currency_is_valid(currency));
	if (is_listed(currencies_of_0, KR_ARRAY_COUNT(currencies_of_0), currency))
		return 0;
	if (is_listed(currencies_of_3, KR_ARRAY_COUNT(currencies_of_3), currency))
		return 3;
	if (is_listed(currencies_of_4, KR_ARRAY_COUNT(currencies_of_4), currency))
		return 4;
	return MONEY_DIGITS_DEFAULT;
}

bool money_currency_is_valid(const char *currency)
{
	for (uint32_t i = 0; i < 3; i++)
		if (currency[i] < 'A' || currency[i] > 'Z')
			return false;
	return currency[3] == '\0';
}

/* Digits with at most one point inside; false if it is anything else. */
static bool amount_read(const char *text, int64_t *ret_amount, uint32_t *ret_digits)
{
	int64_t amount = 0;
	uint32_t digits = 0;
	bool point = false;
	if (text[0] < '0' || text[0] > '9')
		return false;
	for (; *text != '\0'; text++) {
		if (*text == '.' && !point) {
			point = true;
			continue;
		}
		if (*text < '0' || *text > '9' || digits > MONEY_DIGITS_MAX)
			return false;
		if (__builtin_mul_overflow(amount, 10, &amount) ||
			__builtin_add_overflow(amount, *text - '0', &amount))
			return false;
		digits += point;
	}
	if (point && digits == 0)
		return false;
	*ret_amount = amount;
	*ret_digits = digits;
	return true;
}

int money_parse(
	const char *text, bool is_change, struct money *ret_money, struct kr_error_text *error)
{
	struct money money = {.digits = 0};
	const char *amount = text + KR_MIN(strlen(text), 3u);
	kr_assert(ret_money != NULL);
	memcpy(money.currency, text, (size_t)(amount - text));
	if (!money_currency_is_valid(money.currency))
		return WRONG(error, "\"%s\" names no currency; write EUR 120.00", text);
	amount += strspn(amount, " ");
	money.has_sign = *amount == '-' || *amount == '+';
	if (money.has_sign && !is_change)
		return WRONG(error, "\"%s\": a price has no sign; write EUR 120.00", text);
	if (!amount_read(amount + money.has_sign, &money.amount, &money.digits))
		return WRONG(error, "\"%s\" is no amount of money; write EUR 120.00", text);
	if (*amount == '-')
		money.amount = -money.amount;
	*ret_money = money;
	return 0;
}

int money_in_unit(const struct money *money, const struct money_unit *unit, int64_t *ret_minor,
	struct kr_error_text *error)
{
	char example[MONEY_TEXT_SIZE];
	int64_t hundred = 120;
	kr_assert(unit->digits <= MONEY_DIGITS_MAX);
	if (strcmp(money->currency, unit->currency) != 0)
		return WRONG(error, "the amount is in %s, but the hotel's currency is %s",
			money->currency, unit->currency);
	for (uint32_t i = 0; i < unit->digits; i++)
		hundred *= 10;
	money_format(unit, hundred, example);
	if (money->digits != unit->digits)
		return WRONG(error,
			"%s has %u decimals, %u were given; write all of them, as in %s",
			unit->currency, unit->digits, money->digits, example);
	*ret_minor = money->amount;
	return 0;
}

void money_format(
	const struct money_unit *unit, int64_t minor, char ret_text[static MONEY_TEXT_SIZE])
{
	uint64_t scale = 1;
	uint64_t amount = minor < 0 ? 0 - (uint64_t)minor : (uint64_t)minor;
	const char *sign = minor < 0 ? "-" : "";
	int length;
	kr_assert(unit->digits <= MONEY_DIGITS_MAX);
	for (uint32_t i = 0; i < unit->digits; i++)
		scale *= 10;
	if (unit->digits == 0)
		length = snprintf(
			ret_text, MONEY_TEXT_SIZE, "%.3s %s%" PRIu64, unit->currency, sign, amount);
	else
		length = snprintf(ret_text, MONEY_TEXT_SIZE, "%.3s %s%" PRIu64 ".%0*" PRIu64,
			unit->currency, sign, amount / scale, (int)unit->digits, amount % scale);
	kr_assert(length > 0 && length < (int)MONEY_TEXT_SIZE);
}
