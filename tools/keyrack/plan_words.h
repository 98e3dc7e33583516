/*
 * A rate plan's settings as words: the options of `plan put`, which are the columns of a table of
 * rate plans too. Pure.
 */
#ifndef TOOLS_KEYRACK_PLAN_WORDS_H
#define TOOLS_KEYRACK_PLAN_WORDS_H

#include <argp.h>

#include "keyrack/keyrack.h"
#include "tools/keyrack/line.h"
#include "tools/keyrack/money.h"
#include "tools/keyrack/policy.h"

/* What the words said; the parent waits to be looked up, the amount for the hotel's currency. */
struct plan_words {
	struct keyrack_plan_put put;
	struct line_name parent;
	struct money amount;
	struct policy policy;
	bool has_parent;
	bool has_amount;
	bool has_percent;
};

extern const struct argp_option plan_words_options[];
/* One option's word into a struct plan_words; texts are kept by pointer. 0, or -KR_E_INVALID with
 * the reason. */
KR_MUST_CHECK int plan_words_set(
	void *words, int key, const char *word, struct kr_error_text *error);
/* When all of them are read: do they fit together? Points the request at the policy. */
KR_MUST_CHECK int plan_words_finish(struct plan_words *words, struct kr_error_text *error);
/* "-10%", "+2.5%": basis points as they are typed. */
#define PLAN_PERCENT_SIZE 24u
void plan_percent_format(int64_t basis_points, char ret_text[static PLAN_PERCENT_SIZE]);

#endif
