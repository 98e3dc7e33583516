/*
 * Money as people type it: a currency and an amount with all its decimals, "EUR 120.00" or
 * "EUR120.00"; a bare number is refused, and so is another count of decimals than the currency
 * has, because 12000 and 120.00 differ by a factor of a hundred. Pure.
 */
#ifndef TOOLS_KEYRACK_MONEY_H
#define TOOLS_KEYRACK_MONEY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "base/error.h"

#define MONEY_DIGITS_MAX 4u
#define MONEY_DIGITS_DEFAULT 2u
#define MONEY_TEXT_SIZE 40u

/* What a hotel counts in. */
struct money_unit {
	char currency[4]; /* ISO 4217 and a zero */
	uint32_t digits;  /* decimals of the minor unit */
};

/* An amount as typed, before anybody knows the hotel's unit. */
struct money {
	char currency[4];
	uint32_t digits; /* decimals typed */
	int64_t amount;  /* all digits, without the point */
	bool has_sign;
};

/* Signs ("EUR -5.00", "EUR+5.00") are for changes of a price. 0 or -KR_E_INVALID. */
KR_MUST_CHECK int money_parse(
	const char *text, bool is_change, struct money *ret_money, struct kr_error_text *error);
/* The amount in minor units, if currency and decimals are the hotel's. 0 or -KR_E_INVALID. */
KR_MUST_CHECK int money_in_unit(const struct money *money, const struct money_unit *unit,
	int64_t *ret_minor, struct kr_error_text *error);
/* "EUR 120.00". */
void money_format(
	const struct money_unit *unit, int64_t minor, char ret_text[static MONEY_TEXT_SIZE]);
/* Three capitals? */
bool money_currency_is_valid(const char *currency);
/* Decimals of a currency in ISO 4217; 2 for those not known here. */
uint32_t money_currency_digits(const char *currency);

#endif
