/* Several room types of a hotel as typed: "0,1,5-9", "DBL,TWN,7" or "all". Pure. */
#ifndef TOOLS_KEYRACK_TYPE_LIST_H
#define TOOLS_KEYRACK_TYPE_LIST_H

#include "tools/keyrack/line.h"
#include "tools/keyrack/value.h"

#define TYPE_LIST_CODES_MAX 64u

struct type_list {
	struct value_list list; /* those given by number; with no code and no number: all */
	uint32_t code_count;    /* 0 once lookup_type_list has put their numbers into the list */
	char codes[TYPE_LIST_CODES_MAX][LINE_CODE_MAX + 1];
};

/* A word of digits, or of digits with a dash, is numbers; any other is a code. 0 or -KR_E_INVALID
 * with the reason. */
KR_MUST_CHECK int type_list_parse(
	const char *text, struct type_list *ret_types, struct kr_error_text *error);
/* How many were named; 0 = all. */
uint32_t type_list_count(const struct type_list *types);

#endif
