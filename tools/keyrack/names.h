/* Codes of a hotel's room types and rate plans, for tables that people read. */
#ifndef TOOLS_KEYRACK_NAMES_H
#define TOOLS_KEYRACK_NAMES_H

#include "tools/keyrack/plans.h"

#define NAMES_TEXT_SIZE 48u

struct names_type {
	uint32_t type;
	char code[LINE_CODE_MAX + 1];
};

struct names {
	uint32_t type_count;
	struct names_type types[VALUE_LIST_MAX];
	struct plans plans;
};

/* What cannot be had is shown by number, so a hotel that does not answer is no failure here: what
 * is asked next says why. The answers that were had before end with this. NULL where programs
 * read; free with names_free. */
struct names *names_get(struct cli *cli, uint64_t hotel_id, bool with_plans);
void names_free(struct names *names);
/* "0 DBL", or "0" where there is no code. `names` may be NULL. */
void names_type_format(
	const struct names *names, uint32_t type, char ret_text[static NAMES_TEXT_SIZE]);
void names_plan_format(const struct names *names, uint32_t type, uint32_t plan,
	char ret_text[static NAMES_TEXT_SIZE]);

#endif
