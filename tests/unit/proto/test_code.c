#include <criterion/criterion.h>

#include "proto/code.h"

struct row {
	unsigned number;
	const char *name;
	const char *text;
};

#define X(number, name, text) {number, #name, text},
static const struct row codes[] = {KEYRACK_CODE_TABLE(X)};
static const struct row rules[] = {REFUSAL_RULE_TABLE(X)};
#undef X

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

Test(code, every_code_has_its_name_and_sentence_and_is_found_by_name)
{
	for (size_t i = 0; i < COUNT(codes); i++) {
		cr_assert_str_eq(code_name(codes[i].number), codes[i].name);
		cr_assert_str_eq(code_text(codes[i].number), codes[i].text);
		cr_assert_eq(code_from_name(codes[i].name), codes[i].number);
	}
	cr_assert_eq(code_from_name("NOBODYS_CODE"), 0);
}

Test(code, numbers_ascend_so_that_none_is_used_twice)
{
	for (size_t i = 1; i < COUNT(codes); i++)
		cr_assert_lt(codes[i - 1].number, codes[i].number);
	for (size_t i = 1; i < COUNT(rules); i++)
		cr_assert_lt(rules[i - 1].number, rules[i].number);
}

Test(code, a_number_that_is_not_known_goes_by_its_range)
{
	cr_assert_eq(code_class_of(1), CODE_SUCCESS);
	cr_assert_eq(code_class_of(0), CODE_REJECT);
	for (unsigned n = 2; n < 10; n++)
		cr_assert_eq(code_class_of(n), CODE_REJECT);
	for (unsigned n = 10; n < 64; n++)
		cr_assert_eq(code_class_of(n), CODE_FINAL);
	for (unsigned n = 64; n < 96; n++)
		cr_assert_eq(code_class_of(n), CODE_TRANSIENT);
	for (unsigned n = 96; n < 128; n++)
		cr_assert_eq(code_class_of(n), CODE_UNKNOWN);
	for (unsigned n = 128; n < 65536; n++)
		cr_assert_eq(code_class_of(n), CODE_REJECT);
	cr_assert_str_eq(code_name(40), "CODE_FINAL");
	cr_assert_str_eq(code_name(95), "CODE_TRANSIENT");
	cr_assert_str_eq(code_name(127), "CODE_UNKNOWN");
	cr_assert_str_eq(code_name(60000), "CODE_REJECT");
	cr_assert_str_eq(code_text(40), "unknown code");
}

Test(code, every_rule_has_its_name_and_sentence)
{
	for (size_t i = 0; i < COUNT(rules); i++) {
		cr_assert_str_eq(rule_name(rules[i].number), rules[i].name);
		cr_assert_str_eq(rule_text(rules[i].number), rules[i].text);
	}
	cr_assert_str_eq(rule_name(0), "RULE");
	cr_assert_str_eq(rule_text(4000), "unknown rule");
}
