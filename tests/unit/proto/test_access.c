#include <criterion/criterion.h>
#include <string.h>

#include "proto/access.h"

/* The table once more, by hand: what an operator alone may do. All else is everybody's. */
static const unsigned operators[] = {FRAME_HOTEL_PUT, FRAME_TYPE_PUT, FRAME_PLAN_PUT,
	FRAME_INVENTORY_SET, FRAME_IMPORT, FRAME_SNAPSHOT, FRAME_ROUTER_CONNECTIONS};

static bool is_operators(unsigned type)
{
	for (size_t i = 0; i < KR_ARRAY_COUNT(operators); i++) {
		if (operators[i] == type)
			return true;
	}
	return false;
}

Test(access, every_frame_type_has_an_answer)
{
#define X(number, name, request, answer)                                                           \
	cr_assert_eq(access_needed(number),                                                        \
		is_operators(number) ? ACCESS_OPERATOR : ACCESS_BOOKING, #name);                   \
	cr_assert(access_is_allowed(ACCESS_OPERATOR, number), #name);                              \
	cr_assert_eq(access_is_allowed(ACCESS_BOOKING, number), !is_operators(number), #name);
	FRAME_TYPE_TABLE(X)
#undef X
}

Test(access, what_writes_the_catalogue_is_an_operators)
{
	unsigned count = 0;
#define X(number, name, request, answer)                                                           \
	if (strstr(#name, "_PUT") != NULL) {                                                       \
		cr_assert_eq(access_needed(number), ACCESS_OPERATOR, #name);                       \
		count++;                                                                           \
	}
	FRAME_TYPE_TABLE(X)
#undef X
	cr_assert_geq(count, 2);
}

static const char *said(uint32_t principal)
{
	static char bytes[ACCESS_TEXT_SIZE];
	struct kr_text text;
	kr_text_init(&text, bytes, sizeof(bytes));
	access_principal_format(principal, &text);
	cr_assert(!text.is_cut);
	return bytes;
}

Test(access, a_principal_says_its_role_and_how_it_is_known)
{
	static const struct {
		enum access_role role;
		enum access_kind kind;
		uint32_t number;
		const char *text;
	} rows[] = {
		{ACCESS_OPERATOR, ACCESS_UID, 0, "operator uid 0"},
		{ACCESS_BOOKING, ACCESS_UID, 1000, "booking uid 1000"},
		{ACCESS_BOOKING, ACCESS_TOKEN, 65535, "booking token 65535"},
		{ACCESS_OPERATOR, ACCESS_TOKEN, 1, "operator token 1"},
		{ACCESS_OPERATOR, ACCESS_ANYBODY, 0, "operator"},
		{ACCESS_BOOKING, ACCESS_ANYBODY, 0, "booking"},
		{ACCESS_BOOKING, ACCESS_UID, ACCESS_NUMBER_MAX, "booking uid 536870911"},
		{ACCESS_BOOKING, ACCESS_UID, ACCESS_NUMBER_MAX + 1, "booking uid 65534"},
		{ACCESS_OPERATOR, ACCESS_UID, UINT32_MAX, "operator uid 65534"},
	};
	cr_assert_str_eq(said(0), "nobody");
	for (size_t i = 0; i < KR_ARRAY_COUNT(rows); i++) {
		uint32_t principal = access_principal(rows[i].role, rows[i].kind, rows[i].number);
		cr_assert_neq(principal, 0, "%s: 0 is the shard itself", rows[i].text);
		cr_assert_eq(access_role_of(principal), rows[i].role, "%s", rows[i].text);
		cr_assert_eq(access_may_force(principal), rows[i].role == ACCESS_OPERATOR);
		cr_assert_str_eq(said(principal), rows[i].text);
	}
	cr_assert(!access_may_force(0), "nobody may the least");
}

Test(access, a_header_carries_all_bits_of_a_principal)
{
	struct frame_header header = {.type = FRAME_HOLD};
	for (unsigned bit = 0; bit < 32; bit++) {
		access_principal_stamp(&header, UINT32_C(1) << bit);
		cr_assert_eq(access_principal_read(&header), UINT32_C(1) << bit);
	}
	access_principal_stamp(&header, 0);
	cr_assert_eq(header.status | header.principal, 0);
}
