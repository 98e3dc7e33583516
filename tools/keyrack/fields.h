/*
 * The fields of a range update as typed: --set price=EUR120.00,closed=yes --adjust cap=+2
 * --clear cap. One table says what each is called and what it may take. Pure.
 */
#ifndef TOOLS_KEYRACK_FIELDS_H
#define TOOLS_KEYRACK_FIELDS_H

#include <stddef.h>

#include "keyrack/keyrack.h"
#include "tools/keyrack/money.h"

/* What the words said; the price waits for the hotel's currency. */
struct fields {
	struct keyrack_inventory_set update; /* masks and values */
	bool has_price;
	struct money price;
};

/* Each takes the argument of its option; 0 or -KR_E_INVALID with the reason. */
KR_MUST_CHECK int fields_set(struct fields *fields, const char *text, struct kr_error_text *error);
KR_MUST_CHECK int fields_adjust(
	struct fields *fields, const char *text, struct kr_error_text *error);
KR_MUST_CHECK int fields_clear(
	struct fields *fields, const char *text, struct kr_error_text *error);
/* One field by its name: set to what the text says, cleared by "". */
KR_MUST_CHECK int fields_put(
	struct fields *fields, const char *name, const char *text, struct kr_error_text *error);

/* Are its nights a rate plan's, rather than the room type's? There is such a field. */
bool fields_is_of_plan(const char *name);

#endif
