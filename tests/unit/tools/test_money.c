#include <criterion/criterion.h>
#include <string.h>

#include "tools/keyrack/money.h"

static struct kr_error_text error;
static const struct money_unit euro = {"EUR", 2};
static const struct money_unit yen = {"JPY", 0};

static int in_unit(const char *text, const struct money_unit *unit, int64_t *ret_minor)
{
	struct money money;
	int r = money_parse(text, true, &money, &error);
	return r < 0 ? r : money_in_unit(&money, unit, ret_minor, &error);
}

Test(money, reads_an_amount_with_its_currency)
{
	int64_t minor;
	cr_assert_eq(in_unit("EUR 120.00", &euro, &minor), 0);
	cr_assert_eq(minor, 12000);
	cr_assert_eq(in_unit("EUR120.00", &euro, &minor), 0);
	cr_assert_eq(minor, 12000);
	cr_assert_eq(in_unit("EUR 0.00", &euro, &minor), 0);
	cr_assert_eq(minor, 0);
	cr_assert_eq(in_unit("JPY 12000", &yen, &minor), 0);
	cr_assert_eq(minor, 12000);
}

Test(money, refuses_a_bare_number)
{
	struct money money;
	const char *const wrong[] = {"120", "12000", "120.00", "", "E", "EU", "EUR", "EUR ",
		"eur 120.00", "EUR 120,00", "EUR .50", "EUR 1.", "EUR 1.2.3", "EUR 120.00 ",
		"EUR 1 000.00", "EURO 1.00", "EUR 99999999999999999999.00", "EUR 1.000000",
		"EUR -5.00"};
	for (size_t i = 0; i < KR_ARRAY_COUNT(wrong); i++)
		cr_assert_lt(money_parse(wrong[i], false, &money, &error), 0, "%s", wrong[i]);
}

Test(money, insists_on_the_hotels_currency_and_decimals)
{
	int64_t minor = 1;
	cr_assert_lt(in_unit("USD 120.00", &euro, &minor), 0);
	cr_assert_lt(in_unit("EUR 120", &euro, &minor), 0);
	cr_assert_not_null(strstr(error.bytes, "EUR 120.00"));
	cr_assert_lt(in_unit("EUR 120.5", &euro, &minor), 0);
	cr_assert_lt(in_unit("EUR 120.500", &euro, &minor), 0);
	cr_assert_lt(in_unit("JPY 120.00", &yen, &minor), 0);
	cr_assert_eq(minor, 1);
}

Test(money, a_change_may_have_a_sign)
{
	int64_t minor;
	cr_assert_eq(in_unit("EUR -5.00", &euro, &minor), 0);
	cr_assert_eq(minor, -500);
	cr_assert_eq(in_unit("EUR+5.00", &euro, &minor), 0);
	cr_assert_eq(minor, 500);
}

Test(money, formats_what_it_reads)
{
	const struct money_unit dinar = {"KWD", 3};
	const struct {
		const struct money_unit *unit;
		int64_t minor;
		const char *text;
	} rows[] = {{&euro, 12000, "EUR 120.00"}, {&euro, 5, "EUR 0.05"},
		{&euro, -250, "EUR -2.50"}, {&yen, 12000, "JPY 12000"}, {&dinar, 1, "KWD 0.001"},
		{&euro, (INT64_C(1) << 40) - 1, "EUR 10995116277.75"}};
	for (size_t i = 0; i < KR_ARRAY_COUNT(rows); i++) {
		char text[MONEY_TEXT_SIZE];
		int64_t minor;
		money_format(rows[i].unit, rows[i].minor, text);
		cr_assert_str_eq(text, rows[i].text);
		cr_assert_eq(in_unit(text, rows[i].unit, &minor), 0);
		cr_assert_eq(minor, rows[i].minor);
	}
}

Test(money, knows_the_decimals_of_currencies)
{
	cr_assert_eq(money_currency_digits("EUR"), 2);
	cr_assert_eq(money_currency_digits("JPY"), 0);
	cr_assert_eq(money_currency_digits("KWD"), 3);
	cr_assert_eq(money_currency_digits("CLF"), 4);
	cr_assert(money_currency_is_valid("EUR"));
	cr_assert_not(money_currency_is_valid("EURO"));
	cr_assert_not(money_currency_is_valid("eur"));
	cr_assert_not(money_currency_is_valid(""));
}
