/*
 * A refusal as a sentence for people: the code, the rule, the line (counted from 1), the night
 * with its weekday, what was required and what is left in the rule's own words. Pure.
 */
#ifndef TOOLS_KEYRACK_SENTENCE_H
#define TOOLS_KEYRACK_SENTENCE_H

#include "keyrack/keyrack.h"
#include "tools/keyrack/money.h"

#define SENTENCE_SIZE 512u

/* What the refusal cannot say itself. */
struct sentence_context {
	const struct money_unit *unit; /* NULL: money in minor units */
	bool has_lines;                /* the request had lines, so that its line means something */
};

void sentence_of_refusal(const struct keyrack_refusal *refusal,
	const struct sentence_context *context, char ret_text[static SENTENCE_SIZE]);

#endif
