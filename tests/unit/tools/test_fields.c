#include <criterion/criterion.h>
#include <string.h>

#include "tools/keyrack/fields.h"

static struct kr_error_text error;

Test(fields, set_fills_values_and_mask)
{
	struct fields fields;
	memset(&fields, 0, sizeof(fields));
	cr_assert_eq(fields_set(&fields, "price=EUR 120.00,closed=yes,min-arrival=2", &error), 0,
		"%s", error.bytes);
	cr_assert_eq(fields_set(&fields, "allowance=10%,cta=no", &error), 0);
	cr_assert_eq(fields.update.set_mask, KEYRACK_SET_PRICE | KEYRACK_SET_CLOSED |
						     KEYRACK_SET_MIN_ARRIVAL |
						     KEYRACK_SET_ALLOWANCE | KEYRACK_SET_CTA);
	cr_assert(fields.has_price);
	cr_assert_eq(fields.price.amount, 12000);
	cr_assert(fields.update.closed);
	cr_assert_not(fields.update.cta);
	cr_assert_eq(fields.update.min_arrival, 2);
	cr_assert_eq(fields.update.allowance, 1000);
	cr_assert_eq(fields.update.allowance_unit, KEYRACK_ALLOWANCE_BASIS_POINTS);
}

Test(fields, adjust_and_clear_have_masks_of_their_own)
{
	struct fields fields;
	memset(&fields, 0, sizeof(fields));
	cr_assert_eq(fields_adjust(&fields, "cap=+2,price=EUR -5.00", &error), 0);
	cr_assert_eq(fields_clear(&fields, "closed,min-arrival", &error), 0);
	cr_assert_eq(fields.update.set_mask, 0);
	cr_assert_eq(fields.update.adjust_mask, KEYRACK_SET_CAP | KEYRACK_SET_PRICE);
	cr_assert_eq(fields.update.clear_mask, KEYRACK_SET_CLOSED | KEYRACK_SET_MIN_ARRIVAL);
	cr_assert_eq(fields.update.cap, 2);
	cr_assert_eq(fields.price.amount, -500);
}

Test(fields, takes_the_names_of_columns_too_and_lists_all_where_one_is_wrong)
{
	struct fields fields;
	memset(&fields, 0, sizeof(fields));
	cr_assert_eq(fields_set(&fields, "out_of_order=2,plan_closed=yes", &error), 0);
	cr_assert_eq(fields.update.set_mask, KEYRACK_SET_OUT_OF_ORDER | KEYRACK_SET_PLAN_CLOSED);
	static const char *const wrong[] = {"min-stay=3", "_cap=1", "cap_=1", "out_of=1", "ca=1"};
	for (size_t i = 0; i < KR_ARRAY_COUNT(wrong); i++) {
		cr_assert_lt(fields_set(&fields, wrong[i], &error), 0, "%s", wrong[i]);
		cr_assert(strstr(error.bytes, "min-arrival (the shortest stay)") != NULL &&
				  strstr(error.bytes, "plan-ctd are") != NULL,
			"%s", error.bytes);
	}
}

Test(fields, a_field_is_named_once)
{
	struct fields fields;
	memset(&fields, 0, sizeof(fields));
	cr_assert_eq(fields_set(&fields, "cap=5", &error), 0);
	cr_assert_lt(fields_set(&fields, "cap=6", &error), 0);
	cr_assert_lt(fields_adjust(&fields, "cap=+1", &error), 0);
	cr_assert_lt(fields_clear(&fields, "cap", &error), 0);
}

Test(fields, refuses_what_a_field_cannot_take)
{
	const struct {
		int (*read)(struct fields *, const char *, struct kr_error_text *);
		const char *text;
	} rows[] = {{fields_set, "price=12000"}, {fields_set, "price=EUR -5.00"},
		{fields_set, "closed=maybe"}, {fields_set, "closed"}, {fields_set, "colour=red"},
		{fields_set, "cap="}, {fields_adjust, "closed=yes"}, {fields_adjust, "available=1"},
		{fields_clear, "cap=1"}, {fields_clear, "available"},
		{fields_set, "min-arrival=-1"}, {fields_set, "allowance=10 %"}};
	for (size_t i = 0; i < KR_ARRAY_COUNT(rows); i++) {
		struct fields fields;
		memset(&fields, 0, sizeof(fields));
		cr_assert_lt(rows[i].read(&fields, rows[i].text, &error), 0, "%s", rows[i].text);
		cr_assert_neq(error.bytes[0], '\0');
	}
}
